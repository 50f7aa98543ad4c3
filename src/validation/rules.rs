use crate::procurement::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How strictly the invoice itself is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationRules {
    /// Days that an invoice may be dated after the day it came.
    pub future_days: u32,
    /// Days that an invoice may be dated before the day it came. 0: any number.
    pub stale_days: u32,
    /// Days between the due date and what the terms on the document give.
    pub due_days: u32,
    /// Minor units that a stated tax may differ from its base times its rate.
    pub tax_tolerance: u32,
    /// Minor units that rounding on the header may come to, by currency.
    pub rounding_limits: BTreeMap<String, u32>,
    /// Whether an invoice in a foreign currency must state its rate.
    pub exchange_rate: ExchangeRateRule,
    /// Percent that a stated rate may differ from the ERP's.
    pub exchange_rate_percent: u32,
    /// A credit note that names no invoice, or one that is not known.
    pub unlinked_credit: Finding,
    pub payment_references: PaymentReferenceRules,
}

impl Default for ValidationRules {
    fn default() -> Self {
        let limits = [("NOK", 50), ("SEK", 50), ("DKK", 50), ("ISK", 1), ("EUR", 5)];
        Self {
            future_days: 7,
            stale_days: 365,
            due_days: 14,
            tax_tolerance: 1,
            rounding_limits: limits.map(|(code, limit)| (code.to_owned(), limit)).into(),
            exchange_rate: ExchangeRateRule::Optional,
            exchange_rate_percent: 5,
            unlinked_credit: Finding::Remark,
            payment_references: PaymentReferenceRules::default(),
        }
    }
}

/// The limit where no currency is named: five of the smallest coin.
const OTHER_ROUNDING: u32 = 5;

impl ValidationRules {
    /// In minor units.
    pub fn rounding_limit(&self, currency: Currency) -> i64 {
        i64::from(*self.rounding_limits.get(currency.code()).unwrap_or(&OTHER_ROUNDING))
    }
}

/// What is made of something that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A person must look.
    Hold,
    /// It is noted with the decision, and stops nothing.
    Remark,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeRateRule {
    /// The ERP takes its own rate of the day.
    Optional,
    Required,
}

/// What is made of a payment reference with wrong check digits, by the supplier's country; a
/// creditor reference that begins with RF is the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentReferenceRules {
    pub no: Finding,
    pub se: Finding,
    pub dk: Finding,
    pub fi: Finding,
    pub rf: Finding,
}

impl Default for PaymentReferenceRules {
    fn default() -> Self {
        Self {
            no: Finding::Remark,
            se: Finding::Remark,
            dk: Finding::Remark,
            fi: Finding::Hold,
            rf: Finding::Hold,
        }
    }
}
