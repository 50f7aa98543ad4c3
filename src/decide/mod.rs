//! The judgement on one document: what shall stand in the ERP, or why not.
//!
//! Pure: `(document, rules, reference data, vendors, history) -> Decision`. No clock, no I/O,
//! no randomness. The same inputs give the same decision for ever.

mod header;
mod hold;
mod invoice;
mod lines;
mod link;
mod material;
mod order;
mod rules;
#[cfg(test)]
mod tests;

pub use hold::{Entry, Hold, Wait, WaitFor, catalogue};
pub use invoice::invoice;
pub use material::material;
pub use order::order;
pub use rules::{BookOn, ChargeRule, InvoiceRules, ItemRule, OrderRules, Rules, VatRounding};

use crate::mapping::SupplierIndex;
use crate::procurement::{
    Document, ErpInvoice, ErpOrder, ErpReceipt, OrderPlan, Plan, ReferenceData, Vendor,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything a decision may look at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub rules: &'a Rules,
    pub reference: &'a ReferenceData,
    /// Of `reference.suppliers`; built once for each version of it.
    pub suppliers: &'a SupplierIndex,
    /// JAGGAER's vendor master, by the source's vendor id.
    pub vendors: &'a BTreeMap<String, Vendor>,
    pub history: &'a History,
}

/// Judges a document of either kind.
pub fn document(document: &Document, inputs: &Inputs<'_>) -> Decision {
    match document {
        Document::Order(of) => order(of, inputs),
        Document::Invoice(of) => invoice(of, inputs),
    }
}

/// Sorted and without repeats, so that the same document always shows the same holds.
fn held(mut holds: Vec<Hold>) -> Decision {
    holds.sort();
    holds.dedup();
    Decision::Hold(holds)
}

/// What is already known that bears on this one document. The shell gathers it by the
/// document's own keys before it asks for a decision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// For an invoice: each order it names, by order number. For an order: itself.
    pub orders: BTreeMap<String, KnownOrder>,
    /// Receipts in the ERP against any of those orders.
    pub receipts: Vec<ErpReceipt>,
    /// Invoices and credit notes in the ERP with the same normalised supplier reference, whoever
    /// the supplier is, that this document did not make itself.
    pub invoices: Vec<ErpInvoice>,
}

/// An order by its number, on both sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownOrder {
    /// The source has delivered it, and where it stands with us.
    pub received: Option<OrderState>,
    /// The plan that stands in the ERP now, when we made it or adopted it.
    pub plan: Option<OrderPlan>,
    /// As the ERP shows it.
    pub erp: Option<ErpOrder>,
}

/// Where an order of ours stands, as an invoice that names it needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    InFlight,
    Held,
    Ignored,
    Cancelled,
    Posted,
}

/// The outcome. Exactly one, and every caller matches all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Post this.
    Plan(Box<Plan>),
    /// It stands in the ERP already, made by a person: take that one as ours.
    Adopt { plan: Box<Plan>, document_type: String, number: String },
    /// Moves by itself when what is waited for arrives.
    Wait(Vec<Wait>),
    /// A person must look. Never empty.
    Hold(Vec<Hold>),
    /// Never to be posted, with the reason.
    Ignore(String),
    /// Not ripe: received, not judged.
    NotRipe,
    /// The source took it back.
    Cancel,
}
