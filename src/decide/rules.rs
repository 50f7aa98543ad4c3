use crate::mapping::Tables;
use crate::matching::MatchRules;
use crate::procurement::{ChargeKind, OrderStart, PostingMode};
use crate::validation::ValidationRules;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one connection says about how its documents are judged and posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Documents dated before this day are never posted.
    pub take_from: Date,
    #[serde(default)]
    pub orders: OrderRules,
    #[serde(default)]
    pub invoices: InvoiceRules,
    #[serde(default)]
    pub validation: ValidationRules,
    #[serde(default)]
    pub mapping: Tables,
    /// Where each kind of header charge is booked. A kind that is not here makes a hold.
    #[serde(default)]
    pub charges: BTreeMap<ChargeKind, ChargeRule>,
    #[serde(default)]
    pub matching: MatchRules,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderRules {
    pub start: OrderStart,
    /// Visma's line type of a line that is not a stock item.
    pub line_type: String,
    /// Visma's item number put on every line, where the line type needs one.
    pub inventory: Option<String>,
    /// Items by the source's item number, for stock items and others with their own number.
    pub items: BTreeMap<String, ItemRule>,
    /// Characters that Visma stores of an order line's description.
    pub description_length: usize,
    /// Decimals that Visma keeps of a unit cost.
    pub unit_cost_decimals: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRule {
    pub inventory: String,
    pub line_type: String,
}

impl Default for OrderRules {
    fn default() -> Self {
        Self {
            start: OrderStart::Hold,
            line_type: "Service".into(),
            inventory: None,
            items: BTreeMap::new(),
            description_length: 60,
            unit_cost_decimals: 4,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvoiceRules {
    pub mode: PostingMode,
    /// Put the order or receipt line on the invoice line.
    pub link: bool,
    /// Carry the source's files over.
    pub attachments: bool,
    /// Which day Visma books on: the source's accounting date, else the supplier's date.
    pub book_on: BookOn,
    /// What is done when that day's period is closed.
    pub closed_period: ClosedPeriod,
    pub vat_rounding: VatRounding,
    /// Characters that Visma stores of the supplier's reference. A longer one holds: cut, it
    /// would no longer be the supplier's number.
    pub reference_length: usize,
    pub description_length: usize,
    pub unit_cost_decimals: u32,
}

impl Default for InvoiceRules {
    fn default() -> Self {
        Self {
            mode: PostingMode::Hold,
            link: true,
            attachments: true,
            book_on: BookOn::Accounting,
            closed_period: ClosedPeriod::Hold,
            vat_rounding: VatRounding::PerRate,
            reference_length: 40,
            description_length: 256,
            unit_cost_decimals: 4,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookOn {
    /// The source's accounting date, else the invoice date.
    Accounting,
    /// Always the date on the supplier's paper.
    Invoice,
}

/// An invoice for a period that is closed in the supplier ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedPeriod {
    /// Accounting says what becomes of it.
    Hold,
    /// It is booked on the first day of the next period that is open.
    NextOpen,
}

/// Where VAT is rounded to the minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VatRounding {
    /// Once for each VAT id of the document.
    PerRate,
    /// On every line.
    PerLine,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeRule {
    pub account: String,
    /// Segment values by segment id; others take their mapping's default.
    #[serde(default)]
    pub segments: BTreeMap<String, String>,
    pub vat_category: String,
}
