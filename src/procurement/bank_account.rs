use serde::{Deserialize, Serialize};
use std::fmt;

/// An account that a supplier is paid on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BankAccount {
    pub kind: BankAccountKind,
    /// As written, separators and all.
    pub number: String,
}

/// Which numbers are meant. Bankgiro and plusgiro overlap in form, so the kind travels with the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankAccountKind {
    Iban,
    /// A domestic account number (Norwegian kontonummer, ...).
    Bban,
    Bankgiro,
    Plusgiro,
    /// The source does not say which.
    Unspecified,
}

impl BankAccountKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iban => "IBAN",
            Self::Bban => "account",
            Self::Bankgiro => "bankgiro",
            Self::Plusgiro => "plusgiro",
            Self::Unspecified => "account",
        }
    }
}

impl fmt::Display for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.number.trim())
    }
}
