//! Numbers, dates and instants out of text, in the notations that sources use. Nothing is
//! guessed: a text that does not fit is an error that says what was expected.

use crate::jaggaer::Stamp;
use crate::jaggaer::profile::TimeFormat;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// A number as JSON writes it, or as a profile's constants are written: `-1234.50`, `1e3`.
pub(in crate::jaggaer) fn plain_decimal(text: &str) -> Result<Decimal, String> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits =
        exponent.is_none_or(|e| all_digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if !all_digits(whole) || !all_digits(fraction) || !exponent_fits {
        return Err("not a number".to_owned());
    }
    let parsed = match exponent {
        Some(_) => Decimal::from_scientific(text),
        None => Decimal::from_str_exact(text),
    };
    parsed.map_err(|_| "a number with more digits than can be kept".to_owned())
}

/// A number in a locale's notation, e.g. `1.234,50` with `,` and group marks `.`.
pub(in crate::jaggaer) fn local_decimal(
    text: &str,
    mark: char,
    group_marks: &str,
) -> Result<Decimal, String> {
    let text = text.trim();
    // Some ledgers write the sign behind the number.
    let (negative, unsigned) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => match text.strip_suffix(['-', '\u{2212}']) {
            Some(rest) => (true, rest.trim_end()),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        },
    };
    let (whole, fraction) = match unsigned.split_once(mark) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let expected = || {
        let groups = if group_marks.is_empty() { "none" } else { group_marks };
        format!("not a number with decimal mark `{mark}` and group marks `{groups}`")
    };
    let is_group_mark = |c: char| {
        group_marks.contains(c)
            || (group_marks.contains(' ') && matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}'))
    };
    let groups: Vec<&str> = whole.split(is_group_mark).collect();
    let grouped_well = groups.len() == 1
        || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !grouped_well || !all_digits(&digits) || !fraction.is_none_or(all_digits) {
        return Err(expected());
    }
    let sign = if negative { "-" } else { "" };
    plain_decimal(&format!("{sign}{digits}.{}", fraction.unwrap_or("0")))
        .map(|number| number.normalize())
}

/// The date part of an ISO date or instant, as written: never shifted to another zone.
fn iso_date(text: &str) -> Option<Date> {
    let (date, rest) = text.split_at_checked(10)?;
    let shape = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let clean_end = rest.is_empty() || (rest.starts_with(['T', 't', ' ']) && rest.len() >= 6);
    if shape && clean_end { date.parse().ok() } else { None }
}

pub(in crate::jaggaer) fn date(text: &str, formats: &[TimeFormat]) -> Result<Date, String> {
    formats
        .iter()
        .find_map(|format| match format {
            TimeFormat::Iso => iso_date(text),
            TimeFormat::Pattern(pattern) => {
                BrokenDownTime::parse(pattern, text).ok().and_then(|parts| parts.to_date().ok())
            }
        })
        .ok_or_else(|| format!("not a date written as {}", names(formats)))
}

pub(in crate::jaggaer) fn instant(
    text: &str,
    formats: &[TimeFormat],
    zone: Option<&TimeZone>,
) -> Result<Timestamp, String> {
    for format in formats {
        let found = match format {
            TimeFormat::Iso => iso_instant(text),
            TimeFormat::Pattern(pattern) => pattern_instant(pattern, text),
        };
        match found {
            Some(Found::Exact(at)) => return Ok(at),
            Some(Found::Civil(civil)) => {
                let zone =
                    zone.ok_or("a time without its zone, and the profile names no `zone`")?;
                // A time that the clock shows twice is read as the earlier: watermarks stay safe.
                return zone
                    .to_ambiguous_zoned(civil)
                    .earlier()
                    .map(|zoned| zoned.timestamp())
                    .map_err(|_| "a time outside the calendar".to_owned());
            }
            None => {}
        }
    }
    Err(format!("not an instant written as {}", names(formats)))
}

enum Found {
    Exact(Timestamp),
    Civil(DateTime),
}

fn iso_instant(text: &str) -> Option<Found> {
    // Some sources put a space before the offset: `2018-03-22T17:10:07 -04:00`.
    let joined;
    let text = match text.rsplit_once(' ') {
        Some((time, offset)) if offset.starts_with(['+', '-', 'Z']) && time.len() > 10 => {
            joined = format!("{time}{offset}");
            joined.as_str()
        }
        Some(_) | None => text,
    };
    iso_date(text)?;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Found::Exact(at));
    }
    text.parse::<DateTime>().ok().map(Found::Civil)
}

fn pattern_instant(pattern: &str, text: &str) -> Option<Found> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if let Ok(at) = parts.to_timestamp() {
        return Some(Found::Exact(at));
    }
    match parts.to_datetime() {
        Ok(civil) => Some(Found::Civil(civil)),
        Err(_) => parts.to_date().ok().map(|date| Found::Civil(date.at(0, 0, 0, 0))),
    }
}

/// Seconds or milliseconds since 1970.
pub(super) fn epoch(text: &str, per_second: i64) -> Result<Timestamp, String> {
    let expected = "not a count of seconds or milliseconds since 1970";
    let ticks = plain_decimal(text).map_err(|_| expected.to_owned())?;
    let micros = ticks
        .checked_mul(Decimal::from(1_000_000 / per_second))
        .and_then(|micros| i64::try_from(micros.trunc()).ok())
        .ok_or(expected)?;
    Timestamp::from_microsecond(micros).map_err(|_| expected.to_owned())
}

pub(super) fn stamp(at: Timestamp, raw: &str) -> Stamp {
    // Rounded down: a watermark may not pass what was really seen.
    let micros = at.duration_since(Timestamp::UNIX_EPOCH);
    let whole = micros.as_micros();
    let floor = if micros > SignedDuration::ZERO || micros.subsec_nanos() % 1_000 == 0 {
        whole
    } else {
        whole - 1
    };
    Stamp { micros: i64::try_from(floor).unwrap_or(i64::MAX), raw: raw.to_owned() }
}

fn names(formats: &[TimeFormat]) -> String {
    let all: Vec<String> = formats
        .iter()
        .map(|format| match format {
            TimeFormat::Iso => "2026-09-28 or 2026-09-28T10:05:00Z".to_owned(),
            TimeFormat::Pattern(pattern) => format!("`{pattern}`"),
        })
        .collect();
    all.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals() {
        for (text, expected) in [
            ("12392.33", Some("12392.33")),
            ("1200.00", Some("1200.00")),
            ("-0.10", Some("-0.10")),
            ("1e3", Some("1000")),
            ("1.5E-2", Some("0.015")),
            ("+7", Some("7")),
            ("0.1000000000000000055511151231", Some("0.1000000000000000055511151231")),
            ("", None),
            ("N/A", None),
            ("1,5", None),
            ("1.", None),
            (".5", None),
            ("1_000", None),
            ("NaN", None),
            ("1e", None),
            ("0.12345678901234567890123456789012", None),
            ("99999999999999999999999999999999", None),
        ] {
            assert_eq!(
                plain_decimal(text).ok().map(|d| d.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn decimals_in_a_locale() {
        for (text, mark, groups, expected) in [
            ("1.234,50", ',', ".", Some("1234.5")),
            ("1 234 567,89", ',', " ", Some("1234567.89")),
            ("1\u{a0}234,5", ',', " ", Some("1234.5")),
            ("-12,5", ',', "", Some("-12.5")),
            ("12,50-", ',', ".", Some("-12.5")),
            ("\u{2212}3", ',', ".", Some("-3")),
            ("1'234.50", '.', "'", Some("1234.5")),
            ("1.23,50", ',', ".", None),
            ("1.234.5", ',', ".", None),
            ("1.234,50", ',', "", None),
            ("1,234.50", ',', ".", None),
            ("12,", ',', ".", None),
            ("kr 5", ',', ".", None),
        ] {
            let found = local_decimal(text, mark, groups).ok().map(|d| d.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dates_are_never_shifted() {
        let iso = [TimeFormat::Iso];
        let dots = [TimeFormat::Pattern("%d.%m.%Y".to_owned())];
        let compact = [TimeFormat::Pattern("%Y%m%d".to_owned()), TimeFormat::Iso];
        for (text, formats, expected) in [
            ("2026-09-28", &iso[..], Some("2026-09-28")),
            ("2026-09-28T00:00:00.000Z", &iso, Some("2026-09-28")),
            ("2026-09-28T23:30:00-08:00", &iso, Some("2026-09-28")),
            ("28.09.2026", &dots, Some("2026-09-28")),
            ("20260928", &compact, Some("2026-09-28")),
            ("2026-09-28", &compact, Some("2026-09-28")),
            ("2026-02-30", &iso, None),
            ("28.09.2026", &iso, None),
            ("2026-09-28x", &iso, None),
            ("09/28/2026", &dots, None),
            ("", &iso, None),
        ] {
            let found = date(text, formats).ok().map(|d| d.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn instants_in_many_notations() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let iso = [TimeFormat::Iso];
        let local = [TimeFormat::Pattern("%Y-%m-%d %H:%M:%S".to_owned())];
        let compact = [
            TimeFormat::Pattern("%Y%m%d%H%M%S".to_owned()),
            TimeFormat::Pattern("%Y%m%d".to_owned()),
        ];
        let utc = TimeZone::UTC;
        for (text, formats, zone, expected) in [
            ("2026-09-28T10:05:00.123Z", &iso[..], None, Some("2026-09-28T10:05:00.123Z")),
            ("2018-03-22T17:10:07 -04:00", &iso, None, Some("2018-03-22T21:10:07Z")),
            ("2026-09-28T10:05:00+02:00", &iso, None, Some("2026-09-28T08:05:00Z")),
            ("2026-09-28T10:05:00", &iso, None, None),
            ("2026-09-28T10:05:00", &iso, Some(&oslo), Some("2026-09-28T08:05:00Z")),
            ("2026-09-28 12:05:00", &local, Some(&oslo), Some("2026-09-28T10:05:00Z")),
            // The hour that the clock shows twice: the earlier one.
            ("2026-10-25 02:30:00", &local, Some(&oslo), Some("2026-10-25T00:30:00Z")),
            ("20260901000000", &compact, Some(&utc), Some("2026-09-01T00:00:00Z")),
            ("20260901", &compact, Some(&utc), Some("2026-09-01T00:00:00Z")),
            ("soon", &iso, Some(&utc), None),
        ] {
            let found = instant(text, formats, zone).ok().map(|at| at.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert_eq!(epoch("1790589900", 1).unwrap().to_string(), "2026-09-28T10:05:00Z");
        assert_eq!(epoch("1790589900123", 1000).unwrap().to_string(), "2026-09-28T10:05:00.123Z");
        assert!(epoch("later", 1).is_err());
    }

    #[test]
    fn a_stamp_never_passes_its_instant() {
        let at: Timestamp = "2026-09-28T10:05:00.123456789Z".parse().unwrap();
        assert_eq!(stamp(at, "x").micros, at.as_microsecond());
        let early: Timestamp = "1969-12-31T23:59:59.9999995Z".parse().unwrap();
        assert_eq!(stamp(early, "x").micros, -1);
    }
}
