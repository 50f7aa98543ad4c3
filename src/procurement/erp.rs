use super::{Currency, InvoiceKind, Money};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A supplier invoice or credit note as it stands in the ERP now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpInvoice {
    /// `None`: a type that is neither an invoice nor a credit note (a payment, a prepayment).
    pub kind: Option<InvoiceKind>,
    /// The ERP's own type word; numbers repeat across types, so the key is (type, number).
    pub document_type: String,
    pub number: String,
    pub supplier: String,
    pub supplier_reference: Option<String>,
    pub status: String,
    pub currency: Currency,
    pub document_on: Option<Date>,
    /// Gross, in the document's currency, positive for a credit note too.
    pub gross: Money,
    pub vat: Option<Money>,
    pub balance: Option<Money>,
    /// Our own key, found in the note.
    #[serde(default)]
    pub payment_reference: Option<String>,
    pub our_key: Option<String>,
    pub version: Option<String>,
    pub modified: Option<String>,
    pub attachments: Vec<String>,
    pub lines: Vec<ErpInvoiceLine>,
}

impl ErpInvoice {
    /// Not voided.
    pub fn is_live(&self) -> bool {
        self.status != "Voided"
    }

    /// In the ledger for good, paid or not. A preliminary booking is not.
    pub fn is_released(&self) -> bool {
        matches!(self.status.as_str(), "Open" | "Closed")
    }

    /// Not released: it can still be changed.
    pub fn is_draft(&self) -> bool {
        matches!(self.status.as_str(), "Hold" | "Balanced")
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpInvoiceLine {
    pub number: i64,
    pub cost: Money,
    pub account: Option<String>,
    pub segments: Vec<(i64, String)>,
    pub vat_category: Option<String>,
    pub quantity: Option<Decimal>,
    #[serde(default)]
    pub unit: Option<String>,
    pub order_number: Option<String>,
    pub order_line: Option<i64>,
    pub receipt_number: Option<String>,
    pub receipt_line: Option<i64>,
}

/// A purchase order as it stands in the ERP now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpOrder {
    pub order_type: String,
    pub number: String,
    pub supplier: String,
    pub supplier_reference: Option<String>,
    pub description: Option<String>,
    pub status: String,
    pub on_hold: bool,
    pub currency: Currency,
    pub ordered_on: Option<Date>,
    /// Net of VAT.
    pub net: Option<Money>,
    pub our_key: Option<String>,
    pub version: Option<String>,
    pub modified: Option<String>,
    pub lines: Vec<ErpOrderLine>,
}

impl ErpOrder {
    /// Neither cancelled nor voided.
    pub fn is_live(&self) -> bool {
        !matches!(self.status.as_str(), "Cancelled" | "Voided")
    }

    /// As its status says; its lines may say otherwise.
    pub fn is_open_for_change(&self) -> bool {
        self.is_live() && self.status != "Closed"
    }

    /// Nothing of the order can be received or billed any more.
    pub fn is_over(&self) -> bool {
        !self.is_open_for_change()
            // An answer without lines says nothing about them.
            || (!self.lines.is_empty()
                && self.lines.iter().all(|line| line.completed || line.cancelled))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpOrderLine {
    pub number: i64,
    /// Our own line key, when we made the line.
    pub our_key: Option<String>,
    pub line_type: Option<String>,
    pub description: Option<String>,
    pub quantity: Option<Decimal>,
    #[serde(default)]
    pub unit: Option<String>,
    pub unit_cost: Option<Decimal>,
    pub amount: Option<Money>,
    pub account: Option<String>,
    pub segments: Vec<(i64, String)>,
    pub received: Option<Decimal>,
    pub completed: bool,
    pub cancelled: bool,
}

impl ErpOrderLine {
    /// A stock line may be billed only through a receipt.
    pub fn is_stock(&self) -> bool {
        self.line_type.as_deref().is_some_and(|kind| kind.starts_with("Goods"))
    }
}

/// Goods or services that arrived, as the ERP keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpReceipt {
    pub receipt_type: String,
    pub number: String,
    pub status: String,
    pub supplier: String,
    pub modified: Option<String>,
    pub version: Option<String>,
    pub lines: Vec<ErpReceiptLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErpReceiptLine {
    pub number: i64,
    pub order_number: Option<String>,
    pub order_line: Option<i64>,
    pub quantity: Option<Decimal>,
    #[serde(default)]
    pub unit: Option<String>,
}
