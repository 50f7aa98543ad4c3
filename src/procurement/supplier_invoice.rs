use super::{BankAccount, Currency, Distribution, Money, Ripeness, TaxLine, VendorRef};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What is owed to a supplier, or taken back from it.
///
/// Amounts and quantities are relative to the kind: a credit note over 3,000 has a `gross` of
/// +3,000 whatever sign the source gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupplierInvoice {
    /// The source's own id, kept as text.
    pub source_id: String,
    pub kind: InvoiceKind,
    /// The source's own number of the document.
    pub number: String,
    /// The number on the supplier's paper. Missing is common and makes a hold.
    pub supplier_reference: Option<String>,
    /// For a credit note: the supplier's number of the invoice it takes back.
    pub credits_reference: Option<String>,
    pub ripeness: Ripeness,
    /// The status words as received, for messages.
    pub status: String,
    pub business_unit: Option<String>,
    /// The code of the address that the goods went to. Bears on routing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<String>,
    pub vendor: VendorRef,
    /// The order that the invoice as a whole names. Absent when not said, so that documents read
    /// before it was read stay what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    pub currency: Currency,
    /// Units of the company's currency for one of the document's, when the source says so.
    pub exchange_rate: Option<Decimal>,
    /// Line amounts and charges include tax.
    pub prices_include_tax: bool,
    /// Where the invoice asks to be paid.
    pub payee: Option<BankAccount>,
    /// The date on the supplier's paper.
    pub invoiced_on: Date,
    /// The date it shall be booked on, when the source says so.
    pub accounting_on: Option<Date>,
    pub due_on: Option<Date>,
    pub terms: Option<String>,
    /// KID, OCR or another structured reference.
    pub payment_reference: Option<String>,
    pub net: Option<Money>,
    pub tax: Option<Money>,
    pub gross: Money,
    pub charges: Vec<Charge>,
    pub taxes: Vec<TaxLine>,
    pub lines: Vec<InvoiceLine>,
    pub attachments: Vec<AttachmentRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    Invoice,
    CreditNote,
}

/// An amount on the header that belongs to no line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Charge {
    pub kind: ChargeKind,
    /// As it adds to the net: a discount of 50 is -50.
    pub amount: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    Shipping,
    Handling,
    Discount,
    Rounding,
    Other,
}

impl ChargeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shipping => "shipping",
            Self::Handling => "handling",
            Self::Discount => "discount",
            Self::Rounding => "rounding",
            Self::Other => "other",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// The source's line id, else the line number.
    pub key: String,
    pub number: String,
    pub order: Option<OrderLineRef>,
    pub item: Option<String>,
    pub description: String,
    pub commodity: Option<String>,
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub unit_price: Option<Decimal>,
    pub price_basis: Option<Decimal>,
    pub net: Money,
    pub taxes: Vec<TaxLine>,
    pub distributions: Vec<Distribution>,
}

/// Which order line an invoice line bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLineRef {
    pub order_number: String,
    pub line_number: Option<String>,
    /// The order line's stable key, when the source gives it.
    pub line_key: Option<String>,
}

/// A file that belongs to the invoice and stays in the source until it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    pub id: String,
    pub file_name: String,
    pub content_type: Option<String>,
    /// Bytes, as the source says.
    pub size: Option<i64>,
    /// Path below the source's base URL.
    pub path: Option<String>,
}
