//! Visma's own times, as text. Their zone is not documented, so none is assumed: a change time
//! is compared with others of its kind and sent back, never held against our clock.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

/// Reads `2026-11-12T07:41:55.32`, with 0 to 9 digits, with `Z`, an offset or nothing behind,
/// `T` or a space between. A zone is dropped: all rows of one list write it alike.
pub(super) fn read(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let day: Date = day.parse().ok()?;
    if rest.is_empty() {
        return Some(day.at(0, 0, 0, 0));
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let time = time.trim_end_matches(['Z', 'z']);
    let time = match time.rfind(['+', '-']) {
        Some(at) => &time[..at],
        None => time,
    };
    Some(day.to_datetime(time.parse().ok()?))
}

/// A change time as Visma wrote it, on the clock that it was written by.
pub fn civil(text: &str) -> Option<DateTime> {
    read(text)
}

/// The day of a date or date-time.
pub(super) fn day(text: &str) -> Option<Date> {
    read(text).map(DateTime::date)
}

/// `yyyy-MM-dd HH:mm:ss.fff`, the form that list filters take. Cut, not rounded: a filter with
/// `>=` must not step over a row.
pub fn filter_form(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string() + &format!(".{:03}", at.millisecond())
}

/// Where the next read of changes starts: `stamp`, a change time as Visma wrote it, less some
/// minutes. `None` when the text is no date-time. Take more than an hour around a change of
/// daylight saving time, because the times may be local.
pub fn overlap(stamp: &str, minutes: i64) -> Option<String> {
    let start = read(stamp)?.checked_sub(minutes.minutes()).ok()?;
    Some(filter_form(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let cases = [
            ("2026-11-12T07:41:55.32", Some("2026-11-12 07:41:55.320")),
            ("2026-11-12T07:41:55", Some("2026-11-12 07:41:55.000")),
            ("2026-11-12T07:41:55.5", Some("2026-11-12 07:41:55.500")),
            ("2026-11-12T07:41:55.1239999", Some("2026-11-12 07:41:55.123")),
            ("2026-11-12T07:41:55.197Z", Some("2026-11-12 07:41:55.197")),
            ("2026-11-12T07:41:55.197+01:00", Some("2026-11-12 07:41:55.197")),
            ("2026-11-12T07:41:55-05:00", Some("2026-11-12 07:41:55.000")),
            ("2026-11-12 07:41:55.007", Some("2026-11-12 07:41:55.007")),
            ("2026-11-12", Some("2026-11-12 00:00:00.000")),
            ("12.11.2026", None),
            ("2026-13-12T07:41:55", None),
            ("", None),
            ("2026-11-1å", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).map(filter_form).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_overlap_is_plain_subtraction() {
        assert_eq!(
            overlap("2026-03-01T00:04:59.9999999", 5).as_deref(),
            Some("2026-02-28 23:59:59.999")
        );
        assert_eq!(
            overlap("2026-11-12T07:41:55.32", 0).as_deref(),
            Some("2026-11-12 07:41:55.320")
        );
        assert_eq!(overlap("yesterday", 5), None);
    }
}
