//! The core's own words: what an order, an invoice, a supplier *is*, told by neither system.
//!
//! Plain data. No HTTP, no database, no clock. `jaggaer` reads into these types, `visma` writes
//! out of them, everything that decides works on nothing else.

mod allocation;
mod bank_account;
pub mod check_digit;
mod contract;
mod currency;
mod erp;
mod journal;
mod money;
mod past_invoice;
mod plan;
mod purchase_order;
mod receipt;
mod reference;
mod status_report;
mod supplier_invoice;
mod vendor;

pub use allocation::{
    AllocationFault, Priced, Whole, allocate, allocate_level, parts, quantity_and_cost,
};
pub use bank_account::{BankAccount, BankAccountFault, BankAccountKey, BankAccountKind, masked};
pub use contract::Contract;
pub use currency::{Currency, UnknownCurrency};
pub use erp::{ErpInvoice, ErpInvoiceLine, ErpOrder, ErpOrderLine, ErpReceipt, ErpReceiptLine};
pub use journal::{BatchSource, ErpBatch, ErpBatchLine};
pub use money::{Money, MoneyError};
pub use past_invoice::{PaidTo, PastInvoice};
pub use plan::{
    InvoicePlan, InvoicePlanLine, Link, OrderPlan, OrderPlanLine, OrderStart, Plan, PostingMode,
};
pub use purchase_order::{OrderLine, OrderLineKind, PurchaseOrder};
pub use receipt::{Receipt, ReceiptLine};
pub use reference::{
    Account, Branch, CreditTerms, CurrencyInfo, ExchangeRate, FinancialPeriod, ReferenceData,
    Segment, SegmentValue, Supplier, Vat, VatCategory, VatRate,
};
pub use status_report::{About, StatusReport, StatusWord};
pub use supplier_invoice::{
    AttachmentRef, Charge, ChargeKind, InvoiceKind, InvoiceLine, OrderLineRef, SupplierInvoice,
};
pub use vendor::{PostalAddress, Vendor, VendorRef};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a received document is. Part of its identity: an invoice and a credit note may carry
/// the same id in sources that keep them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    PurchaseOrder,
    SupplierInvoice,
    CreditNote,
}

impl DocumentKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "purchase_order",
            Self::SupplierInvoice => "supplier_invoice",
            Self::CreditNote => "credit_note",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::PurchaseOrder, Self::SupplierInvoice, Self::CreditNote]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A document as the core knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a document is handled alone, never in long lists")]
pub enum Document {
    Order(PurchaseOrder),
    Invoice(SupplierInvoice),
}

impl Document {
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Order(_) => DocumentKind::PurchaseOrder,
            Self::Invoice(invoice) => match invoice.kind {
                InvoiceKind::Invoice => DocumentKind::SupplierInvoice,
                InvoiceKind::CreditNote => DocumentKind::CreditNote,
            },
        }
    }

    pub fn business_unit(&self) -> Option<&str> {
        match self {
            Self::Order(order) => order.business_unit.as_deref(),
            Self::Invoice(invoice) => invoice.business_unit.as_deref(),
        }
    }

    pub fn ship_to(&self) -> Option<&str> {
        match self {
            Self::Order(order) => order.ship_to.as_deref(),
            Self::Invoice(invoice) => invoice.ship_to.as_deref(),
        }
    }
}

/// What the profile's status rules say about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ripeness {
    /// May be posted.
    Ripe,
    /// Still being worked on in JAGGAER (a draft, an invoice not approved for payment).
    NotYet,
    /// Taken back in JAGGAER.
    Cancelled,
    /// A status that the profile does not name. Needs a person, never a guess.
    Unknown,
}

/// One share of a line: what part of it goes to which account and dimension values.
///
/// The first of amount, percent, quantity and ratio that it says counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    pub amount: Option<Money>,
    pub percent: Option<Decimal>,
    /// Of the line's quantity.
    pub quantity: Option<Decimal>,
    /// Compared with the other shares' ratios: 1, 1 and 2 are a quarter, a quarter and a half.
    pub ratio: Option<Decimal>,
    /// By the source's own dimension names, `Account` among them. Empty values are absent.
    pub segments: BTreeMap<String, String>,
    /// The share divided again. What a part does not say itself, the share says.
    pub parts: Vec<Distribution>,
}

/// One tax on a line or a document, as the source states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaxLine {
    pub code: Option<String>,
    /// Percent, e.g. 25.
    pub rate: Option<Decimal>,
    pub base: Option<Money>,
    pub amount: Option<Money>,
}
