//! What a trial run over both systems comes to: which documents would post, what stops the others,
//! and what to do first. Pure: it counts what was judged, and knows neither system.

mod cost;
mod report;
mod suppose;
mod tally;
mod todo;

pub use cost::{Cost, CostInputs, EveryMinutes, cost, time_for};
pub use report::{
    CodeTable, Counts, Example, Group, KindLine, LIMITS, MoneyLine, Report, Suggested, Sum, Todo,
    Trial, UnmatchedCode, UnmatchedVendor, VendorTable,
};
pub use suppose::{is_supposed, supposed_order};
pub use tally::{Fate, Judged, KnownVendor, Surroundings, VendorStanding, taken_for_right, tally};
pub use todo::{Blocked, Cause, Effect, in_order_of_effect};
