//! What belongs together: an invoice and the one that stands in the ERP already, an order and
//! the one that a person keyed in, an invoice line and the order or receipt line that it bills.

mod duplicate;
mod near_duplicate;
mod order_line;
mod reference_forms;

pub use duplicate::{Billed, Existing, claim_key, existing};
pub use near_duplicate::{Likeness, Paper, near_duplicates};
pub use order_line::{Planned, find_lines, invoiced_order, pair, receipt_lines, same_order};
pub use reference_forms::ReferenceForms;
