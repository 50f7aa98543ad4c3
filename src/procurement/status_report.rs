use super::Money;
use serde::{Deserialize, Serialize};

/// What a status report is about. Each is told, and kept, for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// What became of the document in the ERP.
    Erp,
    /// How far an invoice is paid.
    Payment,
}

impl About {
    pub const ALL: [Self; 2] = [Self::Erp, Self::Payment];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erp => "erp",
            Self::Payment => "payment",
        }
    }
}

/// Our words; a profile says what the source's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    /// It stands in the ERP as it came.
    Created,
    /// A later revision of it does.
    Updated,
    /// A person must look before it goes on.
    Held,
    /// It was taken back, and is gone from the ERP too.
    Cancelled,
    /// Nothing is paid; told only where something else was told before.
    Payable,
    PartlyPaid,
    /// Nothing is left to pay: paid, or set off against a credit note.
    Paid,
}

impl StatusWord {
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Updated,
        Self::Held,
        Self::Cancelled,
        Self::Payable,
        Self::PartlyPaid,
        Self::Paid,
    ];

    pub const fn about(self) -> About {
        match self {
            Self::Created | Self::Updated | Self::Held | Self::Cancelled => About::Erp,
            Self::Payable | Self::PartlyPaid | Self::Paid => About::Payment,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Payable => "payable",
            Self::PartlyPaid => "partly_paid",
            Self::Paid => "paid",
        }
    }
}

/// What the source is told of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    pub word: StatusWord,
    /// The ERP's number of the document.
    pub erp_number: Option<String>,
    /// The source's own number of the revision that was handled.
    pub revision: Option<i64>,
    /// Why it is held, for people.
    pub message: Option<String>,
    pub paid: Option<Money>,
    pub remaining: Option<Money>,
}
