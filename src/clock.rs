//! The two clocks at the edge: the calendar, and one that also counts while the machine sleeps.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Microseconds UTC.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Time since boot, suspended time included. A lease is measured on it: a laptop lid or a paused
/// virtual machine must not make an expired lease look valid.
pub fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Microseconds of a duration, saturating.
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The epoch where the microseconds are beyond what a calendar holds.
pub fn timestamp(micros: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// An instant for people, to the second: `2026-03-03 12:00:00 UTC`.
pub fn readable(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| micros.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// An instant for programs: RFC 3339 in UTC.
pub fn rfc3339(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |t| t.to_string())
}
