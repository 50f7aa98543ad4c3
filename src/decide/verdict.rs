use super::{Decision, Hold};
use crate::procurement::Money;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A decision with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub decision: Decision,
    pub evidence: Evidence,
}

/// What a person may ask about a decision later. It changes nothing of the decision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Each source line of an invoice with what it was matched against, or why it was not.
    pub matches: Vec<MatchedLine>,
    /// Holds that a person's word set aside.
    pub overridden: Vec<Hold>,
    /// Findings that stop nothing, one sentence each.
    pub remarks: Vec<String>,
}

/// What became of one source line in matching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchedLine {
    /// The source line's key.
    pub key: String,
    /// The line's number, for people.
    pub line: String,
    pub kind: MatchKind,
    /// The ERP's order number and line, when matched.
    pub order: Option<(String, i64)>,
    /// In the order line's unit. `None`: billed by amount.
    pub quantity: Option<Decimal>,
    pub net: Money,
    /// With the numbers: `price 104.00 against 100.00, limit 3 %, 1.00 over`.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// Against nothing; the text says why.
    NotMatched,
    /// Against the order.
    TwoWay,
    /// Against order and receipts.
    ThreeWay,
}
