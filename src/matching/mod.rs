//! What belongs together, and whether it agrees: an invoice and the one that stands in the ERP
//! already, an order and the one that a person keyed in, an invoice line and the order or receipt
//! line that it bills.

mod compare;
mod duplicate;
mod near_duplicate;
mod order_line;
mod position;
mod reference_forms;
mod rules;
#[cfg(test)]
mod tests;
mod units;

pub use compare::compare;
pub use duplicate::{Billed, Existing, claim_key, existing};
pub use near_duplicate::{Likeness, Paper, near_duplicates};
pub use order_line::{
    Planned, amount, best_fit, find_lines, invoiced_order, pair, receipt_lines, same_order,
    source_key,
};
pub use position::{
    Beyond, Bill, BilledBefore, Claim, Compared, Comparison, Deviation, LARGEST_QUANTITY, Missing,
    Position, Price, Received,
};
pub use reference_forms::ReferenceForms;
pub use rules::{
    Amounts, Facts, Limit, Limits, MatchMode, MatchRule, MatchRules, Policy, QuantityLimit,
    UnitFactor,
};
pub use units::{Ratio, ratio};
