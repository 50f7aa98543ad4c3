use serde::{Deserialize, Serialize};

/// A named reason why a person must look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    /// Stable, snake_case; listed in `docs/holds.md`.
    pub code: String,
    /// What happened, with the numbers, as the clerk would read it.
    pub text: String,
    /// What to do now.
    pub fix: String,
}

/// Something missing that will arrive by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wait {
    pub on: WaitFor,
    /// As the clerk would read it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// The source's order number.
    Order(String),
    /// A receipt against the ERP's order number.
    Receipt(String),
    /// A reference record, e.g. `supplier 50012`.
    Reference(String),
    /// A financial period to be opened.
    Period(String),
}
