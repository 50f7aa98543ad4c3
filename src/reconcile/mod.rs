//! Whether three books say the same of a period: JAGGAER's own list, what was kept here, and Visma's own
//! list. In count and in money for each currency, orders apart from invoices; it closes to zero, or every
//! difference has a name. Pure: it is given what both systems listed and knows neither.
//!
//! `docs/reconcile.md` is the manual.

mod difference;
mod period;
mod report;
mod sides;
mod statement;

pub use difference::{Difference, DifferenceKind};
pub use period::{Month, Period};
pub use report::{amount_text, report};
pub use sides::{Booked, Listed, Of, Own, Owner, Standing};
pub use statement::{ByHand, Line, LineKey, Statement, Sum, reconcile};

#[cfg(test)]
mod tests;
