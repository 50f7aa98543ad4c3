//! "This flow usually brings 40 a day; nothing since Tuesday."

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};

/// Weeks that tell what is usual.
const WEEKS: i32 = 8;
/// The same weekday must have been seen so often before it says anything.
const LEAST_WEEKS: usize = 3;
/// Documents that should have come on the quiet days. If they arrive at random around their usual
/// number, none of five comes by chance less than once in a hundred times (e to the power of -5).
const LEAST_MISSED: usize = 5;
/// Looked back for quiet days.
const LONGEST: i32 = 60;

/// When the documents of one flow were first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Documents by the hour (hours since 1970 UTC) in which they came.
    pub by_hour: BTreeMap<i64, usize>,
    /// The latest of all, microseconds UTC.
    pub last_at: Option<i64>,
    /// When this connection was first looked at, microseconds UTC: days before say nothing.
    pub watched_since: i64,
}

/// A flow that is quiet without a reason that we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// What the first quiet day usually brings: the median of the same weekday.
    pub usual: usize,
    /// Whole days without a document on which some usually come.
    pub quiet_days: usize,
    /// What all of them usually bring.
    pub missed: usize,
    /// The last document, microseconds UTC.
    pub last_at: i64,
}

/// Whether a flow is quiet at `now` (microseconds UTC).
///
/// A day is usual by the median of the same weekday in the eight weeks before the last document, so a
/// weekend means nothing where nobody works then, and the first day, on which all of history came at
/// once, does not count for much. Only whole days of the connection's time zone that are over
/// count: a quiet morning says nothing. Days of `off` (public holidays, shutdowns) do not count.
pub fn silence(
    arrivals: &Arrivals,
    zone: &TimeZone,
    off: &BTreeSet<Date>,
    now: i64,
) -> Option<Silence> {
    let last_at = arrivals.last_at?;
    let day_of = |micros: i64| {
        Timestamp::from_microsecond(micros).ok().map(|at| at.to_zoned(zone.clone()).date())
    };
    let (last_on, today) = (day_of(last_at)?, day_of(now)?);
    let watched_since = day_of(arrivals.watched_since)?;
    let mut by_day: BTreeMap<Date, usize> = BTreeMap::new();
    for (hour, count) in &arrivals.by_hour {
        *by_day.entry(day_of(hour.checked_mul(3_600_000_000)?)?).or_default() += count;
    }
    let usual_on = |weekday: Weekday| {
        let mut counts: Vec<usize> = (0..WEEKS * 7)
            .filter_map(|back| last_on.checked_sub(back.days()).ok())
            // The first day of all is the take-over of history, not a usual day.
            .filter(|day| day.weekday() == weekday && *day > watched_since && !off.contains(day))
            .map(|day| by_day.get(&day).copied().unwrap_or(0))
            .collect();
        counts.sort_unstable();
        // Of an even number the lower one: rather silent than wrong.
        if counts.len() >= LEAST_WEEKS { counts[(counts.len() - 1) / 2] } else { 0 }
    };
    let (mut first, mut quiet_days, mut missed) = (None, 0, 0);
    for ahead in 1..LONGEST {
        let Ok(day) = last_on.checked_add(ahead.days()) else { break };
        if day >= today {
            break;
        }
        let usual = usual_on(day.weekday());
        if usual > 0 && !off.contains(&day) {
            first.get_or_insert(usual);
            quiet_days += 1;
            missed += usual;
        }
    }
    (missed >= LEAST_MISSED).then(|| Silence {
        usual: first.unwrap_or(0),
        quiet_days,
        missed,
        last_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn oslo() -> TimeZone {
        TimeZone::get("Europe/Oslo").expect("the program carries the time zones")
    }

    fn at(on: Date, hour: i8) -> i64 {
        let noon = on.at(hour, 0, 0, 0).to_zoned(oslo()).expect("a time that exists");
        noon.timestamp().as_microsecond()
    }

    /// Ten weeks of working days up to `last`, so many documents a day.
    fn working_days(last: Date, a_day: usize) -> Arrivals {
        let mut arrivals =
            Arrivals { watched_since: at(last, 9) - 70 * 86_400_000_000, ..Arrivals::default() };
        for back in 0..65 {
            let day = last.checked_sub(back.days()).expect("a day");
            if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                arrivals.by_hour.insert(at(day, 14) / 3_600_000_000, a_day);
            }
        }
        arrivals.last_at = Some(at(last, 14));
        arrivals
    }

    #[test]
    fn nothing_since_tuesday() {
        // 17 November 2026 is a Tuesday.
        let arrivals = working_days(date(2026, 11, 17), 40);
        let off = BTreeSet::new();
        let quiet = |on: Date, hour| silence(&arrivals, &oslo(), &off, at(on, hour));
        assert_eq!(quiet(date(2026, 11, 17), 23), None, "the same evening");
        assert_eq!(quiet(date(2026, 11, 18), 23), None, "Wednesday is not over");
        let thursday = quiet(date(2026, 11, 19), 1).expect("Wednesday brought nothing");
        assert_eq!((thursday.usual, thursday.quiet_days, thursday.missed), (40, 1, 40));
        let monday = quiet(date(2026, 11, 23), 8).expect("still nothing");
        assert_eq!((monday.quiet_days, monday.missed), (3, 120), "the weekend does not count");
    }

    #[test]
    fn a_weekend_is_quiet_by_nature() {
        let arrivals = working_days(date(2026, 11, 20), 40);
        let sunday_night = at(date(2026, 11, 23), 6);
        assert_eq!(silence(&arrivals, &oslo(), &BTreeSet::new(), sunday_night), None);
    }

    #[test]
    fn a_holiday_that_was_named_is_no_silence() {
        let arrivals = working_days(date(2026, 11, 17), 40);
        let off = BTreeSet::from([date(2026, 11, 18)]);
        assert_eq!(silence(&arrivals, &oslo(), &off, at(date(2026, 11, 19), 1)), None);
        assert!(silence(&arrivals, &oslo(), &off, at(date(2026, 11, 20), 1)).is_some());
    }

    #[test]
    fn few_documents_need_more_days() {
        let arrivals = working_days(date(2026, 11, 16), 2);
        let off = BTreeSet::new();
        let quiet = |on: Date| silence(&arrivals, &oslo(), &off, at(on, 6));
        assert_eq!(quiet(date(2026, 11, 19)), None, "four missed");
        let friday = quiet(date(2026, 11, 20)).expect("six missed");
        assert_eq!((friday.usual, friday.missed), (2, 6));
    }

    #[test]
    fn what_has_no_history_says_nothing() {
        let off = BTreeSet::new();
        assert_eq!(silence(&Arrivals::default(), &oslo(), &off, at(date(2026, 11, 19), 1)), None);
        // All of history came on the first day, nothing since.
        let first = date(2026, 11, 1);
        let arrivals = Arrivals {
            by_hour: BTreeMap::from([(at(first, 10) / 3_600_000_000, 9000)]),
            last_at: Some(at(first, 10)),
            watched_since: at(first, 10),
        };
        assert_eq!(silence(&arrivals, &oslo(), &off, at(date(2026, 11, 30), 1)), None);
    }

    #[test]
    fn one_large_day_is_not_what_is_usual() {
        let mut arrivals = working_days(date(2026, 11, 17), 0);
        arrivals.by_hour.insert(at(date(2026, 11, 11), 9) / 3_600_000_000, 5000);
        assert_eq!(silence(&arrivals, &oslo(), &BTreeSet::new(), at(date(2026, 11, 23), 8)), None);
    }
}
