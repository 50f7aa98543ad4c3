//! What is already known that bears on one document. The shell gathers it by the document's own
//! keys before it asks for a decision.

use super::Role;
use crate::procurement::{
    Contract, ErpInvoice, ErpOrder, ErpReceipt, InvoiceKind, Money, OrderPlan, PaidTo, PastInvoice,
    PurchaseOrder, Receipt,
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What bears on one document, besides its own content, the rules and the reference data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// For an invoice: each order it names, by order number. For an order: itself.
    pub orders: BTreeMap<String, KnownOrder>,
    /// Receipts in the ERP against any of those orders.
    pub receipts: Vec<ErpReceipt>,
    /// Invoices and credit notes in the ERP with the same normalised supplier reference, of the
    /// supplier or of one that shares an identifier with it, that this document did not make itself.
    pub invoices: Vec<ErpInvoice>,
    /// What other invoices and credit notes bill of the lines of those orders, whoever made them.
    #[serde(default)]
    pub billed: Vec<EarlierBilling>,
    /// Receipts in the source against any of those orders.
    #[serde(default)]
    pub source_receipts: Vec<Receipt>,
    /// The contracts that those orders draw on, by number.
    #[serde(default)]
    pub contracts: BTreeMap<String, Contract>,
    /// Other documents that could be this one again: of the same supplier or of one that shares an
    /// identifier with it, with the same amount or a number that looks like this one's.
    #[serde(default)]
    pub alike: Vec<PastInvoice>,
    /// For a credit note: the documents that carry the number it credits, and the credit notes that
    /// name that number too.
    #[serde(default)]
    pub credited: Vec<PastInvoice>,
    /// Where earlier invoices of the vendor asked to be paid, the latest first.
    #[serde(default)]
    pub paid_to: Vec<PaidTo>,
    /// What people said about holds of this document.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// The day this revision came to the source, as the source says; else the day it came here. In the
    /// company's time zone. `None`: not known, and then no date is too late or too old.
    #[serde(default)]
    pub received_on: Option<Date>,
}

/// A part of an order line that another document bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierBilling {
    /// The ERP's order number.
    pub order: String,
    /// The ERP's line number.
    pub line: i64,
    /// The document as people know it: `Invoice 300001`, or the source's number before it is posted.
    pub document: String,
    /// A credit note gives back.
    pub kind: InvoiceKind,
    /// In the order line's unit. `None`: billed by amount.
    pub quantity: Option<Decimal>,
    pub net: Money,
    /// Keyed into the ERP by a person.
    pub by_hand: bool,
}

/// A person's word that one hold shall not stop the document. It counts for exactly the facts that
/// the person saw: a hold of the same code with other numbers is another hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub code: String,
    /// The hold's sentence as the person saw it.
    pub text: String,
    pub actor: String,
    pub role: Role,
    pub reason: String,
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
    /// As the source delivered it last. What an order says about units, contracts and blanket
    /// lines does not stand in the ERP.
    #[serde(default)]
    pub source: Option<PurchaseOrder>,
    /// The source delivered it, and it went to another company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// It is so old that what the source sent of it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_pruned: bool,
}

/// Where an order went that is not with the company in question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    pub connection: String,
    pub company: String,
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
