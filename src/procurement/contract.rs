use super::{Money, VendorRef};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An agreement that orders draw on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// The source's own id, kept as text.
    pub source_id: String,
    /// The number that order lines name.
    pub number: String,
    /// Signed and not ended early.
    pub in_force: bool,
    pub vendor: VendorRef,
    pub starts_on: Option<Date>,
    /// The last day.
    pub ends_on: Option<Date>,
    /// What may be spent in all.
    pub ceiling: Option<Money>,
    /// What the source says was spent already.
    pub consumed: Option<Money>,
}
