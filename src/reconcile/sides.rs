use crate::procurement::{DocumentKind, Money};
use jiff::civil::Date;

/// Orders are summed apart from invoices and credit notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    Orders,
    Invoices,
}

impl Of {
    pub const fn kind(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::PurchaseOrder => Self::Orders,
            DocumentKind::SupplierInvoice | DocumentKind::CreditNote => Self::Invoices,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Invoices => "invoices",
        }
    }
}

/// A row of JAGGAER's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Ours, as it follows from source, kind and JAGGAER's id.
    pub id: String,
    pub source: String,
    /// Where the source's documents all go the same way; else empty.
    pub connection: String,
    pub company: String,
    pub kind: DocumentKind,
    pub source_id: String,
    pub number: Option<String>,
    pub vendor: Option<String>,
    /// The document's own date; `None`: the list does not say it.
    pub on: Option<Date>,
    /// The day of its last change, where the list says that.
    pub changed_on: Option<Date>,
    /// Net of an order, gross of an invoice, a credit note negative; `None`: the list does not say it.
    pub amount: Option<Money>,
    pub row_hash: String,
    /// It changed after what the last complete poll saw: the next poll brings it.
    pub is_coming: bool,
}

/// Where a document of ours stands, as the sums tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Posted,
    Held,
    /// Or cancelled.
    Ignored,
    /// To be read, judged, waited for, or on its way into Visma.
    InFlight,
}

impl Standing {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Held => "held",
            Self::Ignored => "ignored",
            Self::InFlight => "in flight",
        }
    }
}

/// A document as it is kept here.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    pub id: String,
    pub source: String,
    /// Empty: no connection takes it.
    pub connection: String,
    pub company: String,
    pub kind: DocumentKind,
    pub number: String,
    pub supplier: Option<String>,
    /// The document's own date, as the revision in force says it.
    pub on: Option<Date>,
    pub received_on: Date,
    /// Net of an order, gross of an invoice, a credit note negative.
    pub amount: Option<Money>,
    pub standing: Standing,
    pub row_hash: String,
    /// That its body was deleted here, as a sentence.
    pub pruned: Option<String>,
    /// JAGGAER's list as it was read would show it.
    pub is_listed: bool,
    /// Visma's list as it was read would show it, if it stands there.
    pub is_shown: bool,
    /// A write of it is under way, or was done so lately that lists may not show it yet.
    pub is_moving: bool,
    /// What it became in Visma, e.g. `Invoice 300457`.
    pub visma: Option<String>,
}

/// Whose a document of Visma's is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A document of ours: it carries our key, or was taken over.
    Document(String),
    /// It carries a key of this program that the store does not know.
    Unknown,
    /// People keyed it in.
    ByHand,
}

/// A row of Visma's list: an order, an invoice or a credit note.
#[derive(Debug, Clone, PartialEq)]
pub struct Booked {
    pub company: String,
    pub of: Of,
    /// Its type, e.g. `Invoice`.
    pub document_type: String,
    pub number: String,
    pub supplier: String,
    pub on: Option<Date>,
    /// Net of an order, gross of an invoice, a credit note negative, in the document's currency; `None`:
    /// the row does not say it.
    pub amount: Option<Money>,
    pub status: String,
    /// Neither voided nor cancelled.
    pub is_live: bool,
    /// Nothing of the order is open any more.
    pub is_over: bool,
    /// Lines of the order were closed or cancelled, so that its sum may be another.
    pub has_closed_lines: bool,
    /// One of a pair that a correction of ours made: an invoice, or the credit note that took it back.
    pub is_taken_back: bool,
    /// Why the row cannot be read.
    pub unreadable: Option<String>,
    pub owner: Owner,
}

impl Booked {
    /// As people find it: `Invoice 300457`.
    pub fn name(&self) -> String {
        format!("{} {}", self.document_type, self.number)
    }
}
