use super::{BankAccount, InvoiceKind, Money};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Another invoice or credit note, in the ERP or still on its way there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastInvoice {
    /// As people know it: `Invoice 300001`, or the source's number before it is posted.
    pub document: String,
    pub kind: InvoiceKind,
    /// The ERP's supplier number.
    pub supplier: String,
    pub reference: Option<String>,
    pub invoiced_on: Option<Date>,
    /// Positive for a credit note too.
    pub gross: Money,
    /// What is left to pay, or to take back. `None`: not known.
    pub balance: Option<Money>,
    pub payment_reference: Option<String>,
    /// The ERP's status, or the document's state with us.
    pub status: String,
}

/// An account that an earlier invoice asked to be paid on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidTo {
    pub document: String,
    pub account: BankAccount,
    pub invoiced_on: Date,
    /// The ERP shows it as paid.
    pub paid: bool,
}

impl PastInvoice {
    /// Neither voided nor taken back: it still counts.
    pub fn is_live(&self) -> bool {
        !["voided", "cancelled", "ignored"].contains(&self.status.to_ascii_lowercase().as_str())
    }
}
