//! When each flow of a unit runs. Plain functions and one state machine: time comes in as an argument, so
//! a year of schedules can be run through in a test. `docs/schedules.md` states the rules for people.

mod early;
mod flow;
mod hours;
mod scheduler;
mod timetable;
mod when;

pub use early::{Early, NUDGE_GAP, Poll};
pub use flow::Flow;
pub use hours::{BusinessHours, HoursError};
pub use scheduler::{Account, Due, Event, LastRun, Look, Member, Reason, Scheduler};
pub use timetable::{ScheduleTable, Timetable};
pub use when::{When, WhenError};

/// Microseconds of a minute.
pub const MINUTE: i64 = 60_000_000;

#[cfg(test)]
mod tests;
