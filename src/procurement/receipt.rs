use super::Money;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Goods or services that arrived, as the source keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The source's own id, kept as text.
    pub source_id: String,
    /// The number that people use.
    pub number: String,
    pub received_on: Option<Date>,
    /// Taken back as a whole: it counts for nothing.
    pub cancelled: bool,
    pub lines: Vec<ReceiptLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptLine {
    pub order_number: String,
    pub order_line_number: Option<String>,
    /// The order line's stable key, when the source gives it.
    pub order_line_key: Option<String>,
    /// Negative for what was sent back. `None`: received by amount.
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub amount: Option<Money>,
}
