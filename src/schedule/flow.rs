use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a round can be asked to do, each on its own timetable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// JAGGAER's purchase orders, receipts and contracts, and what follows from them in Visma.
    Orders,
    /// JAGGAER's invoices and credit notes, and what follows from them in Visma.
    Invoices,
    /// Suppliers of both sides.
    Suppliers,
    /// Visma's accounts, VAT, terms, units and periods.
    Accounts,
    /// Visma's segments and their values, branches and projects.
    Dimensions,
    /// JAGGAER is told what became of its documents.
    StatusBack,
    /// Both sides counted and summed against what was kept.
    Reconcile,
}

impl Flow {
    pub const ALL: [Self; 7] = [
        Self::Orders,
        Self::Invoices,
        Self::Suppliers,
        Self::Accounts,
        Self::Dimensions,
        Self::StatusBack,
        Self::Reconcile,
    ];

    /// The key in the configuration and the word in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Invoices => "invoices",
            Self::Suppliers => "suppliers",
            Self::Accounts => "accounts",
            Self::Dimensions => "dimensions",
            Self::StatusBack => "status_back",
            Self::Reconcile => "reconcile",
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Flow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|flow| flow.name() == text).ok_or_else(|| {
            format!(
                "`{text}` is no flow; there are: {}",
                Self::ALL.map(|flow| format!("`{flow}`")).join(", ")
            )
        })
    }
}
