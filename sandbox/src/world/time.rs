//! Days and instants of the sandbox. Its calendar stands still: today is 2026-11-23.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

pub const FIRST_DAY: Date = date(2026, 9, 1);
pub const LAST_DAY: Date = date(2026, 11, 20);
/// Changes that are made while the sandbox runs are stamped from here on.
pub const NOW: Date = date(2026, 11, 23);

/// Midnight UTC, milliseconds since 1970.
pub fn millis(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_millisecond())
}

pub fn plus_days(day: Date, days: i64) -> Date {
    day.checked_add(jiff::Span::new().days(days)).unwrap_or(day)
}

/// `2026-09-28T10:05:00.000Z`.
pub fn rfc3339(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// `20260928100500`, UTC.
pub fn compact(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%d%H%M%S").to_string()
}

/// Reads `YYYYMMDD` and `YYYYMMDDHHMMSS`, UTC.
pub fn read_compact(text: &str) -> Option<i64> {
    let text = match text.len() {
        8 => format!("{text}000000"),
        14 => text.to_string(),
        _ => return None,
    };
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let ms = millis(date(2026, 9, 28)) + 36_300_000;
        assert_eq!(rfc3339(ms), "2026-09-28T10:05:00.000Z");
        assert_eq!(compact(ms), "20260928100500");
        assert_eq!(read_compact("20260928100500"), Some(ms));
        assert_eq!(read_compact("20260928"), Some(millis(date(2026, 9, 28))));
        assert_eq!(read_compact("2026-09-28"), None);
    }
}
