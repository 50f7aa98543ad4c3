use super::{AttachmentRef, Currency, InvoiceKind, Money};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What shall stand in the ERP. Complete: the ERP's writer adds nothing but wire form and the
/// posting's own key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "plan", rename_all = "snake_case")]
pub enum Plan {
    Order(OrderPlan),
    Invoice(InvoicePlan),
}

impl Plan {
    /// Supplier, numbers, dates, amounts, accounts; no words, no payment reference, no names of files.
    pub fn without_texts(mut self) -> Self {
        match &mut self {
            Self::Order(plan) => {
                plan.description.clear();
                plan.lines.iter_mut().for_each(|line| line.description.clear());
            }
            Self::Invoice(plan) => {
                plan.description.clear();
                plan.lines.iter_mut().for_each(|line| line.description.clear());
                plan.payment_reference = None;
                plan.attachments.clear();
            }
        }
        self
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoicePlan {
    pub kind: InvoiceKind,
    pub supplier: String,
    pub supplier_reference: String,
    pub currency: Currency,
    /// Drives VAT and posting.
    pub document_on: Date,
    /// On the supplier's paper.
    pub invoiced_on: Date,
    /// `YYYYPP`.
    pub period: String,
    pub due_on: Option<Date>,
    pub terms: Option<String>,
    pub payment_reference: Option<String>,
    pub branch: Option<String>,
    pub description: String,
    /// Control values of the paper.
    pub gross: Money,
    pub vat: Money,
    pub mode: PostingMode,
    pub lines: Vec<InvoicePlanLine>,
    pub attachments: Vec<AttachmentRef>,
}

/// How far an invoice is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingMode {
    /// Created on hold: a person opens it in the ERP.
    Hold,
    /// Created ready for release.
    Balanced,
    /// Created and released to the ledger.
    Released,
}

/// One share of one source line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoicePlanLine {
    /// `line key/share`, e.g. `9912001/1`; `charge/shipping` for a header charge.
    pub key: String,
    pub description: String,
    pub quantity: Decimal,
    pub unit: Option<String>,
    pub unit_cost: Decimal,
    /// Net of VAT. Always equals quantity times unit cost, rounded to the minor unit.
    pub cost: Money,
    pub account: String,
    /// All segments, in segment order.
    pub segments: Vec<(i64, String)>,
    pub vat_category: String,
    pub branch: Option<String>,
    pub project: Option<String>,
    pub link: Option<Link>,
}

/// What an invoice line bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Link {
    Order { number: String, line: i64 },
    Receipt { number: String, line: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPlan {
    /// The source's order number; stands in the ERP's supplier reference field of the order.
    pub number: String,
    pub supplier: String,
    pub currency: Currency,
    pub ordered_on: Date,
    pub promised_on: Option<Date>,
    pub description: String,
    pub branch: Option<String>,
    pub terms: Option<String>,
    pub start: OrderStart,
    pub net: Money,
    /// Lines in force. A cancelled line is absent.
    pub lines: Vec<OrderPlanLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStart {
    Hold,
    Open,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPlanLine {
    /// `line key/share`, e.g. `8875911/2`.
    pub key: String,
    /// The source's line number, for invoices that name it.
    pub number: String,
    pub line_type: String,
    pub inventory: Option<String>,
    pub description: String,
    pub quantity: Decimal,
    pub unit: Option<String>,
    pub unit_cost: Decimal,
    /// Quantity times unit cost, rounded to the minor unit.
    pub amount: Money,
    pub account: String,
    pub segments: Vec<(i64, String)>,
    pub vat_category: String,
    pub project: Option<String>,
    pub promised_on: Option<Date>,
}
