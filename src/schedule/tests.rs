mod early;
mod hours;
mod scheduler;
mod timetable;
mod week;

use super::{ScheduleTable, Timetable};
use jiff::tz::TimeZone;

/// Microseconds of an instant such as `2026-03-29T01:30:00Z`.
fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()
}

fn readable(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).expect("in range").to_string()
}

fn table(text: &str) -> Result<ScheduleTable, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// Without jitter, unless the text says otherwise.
fn timetable(text: &str, zone: &str) -> Timetable {
    let zone = TimeZone::get(zone).expect("a zone");
    let plain = table("jitter_seconds = 0").expect("right");
    Timetable::new(&table(text).expect(text).or(&plain), &zone, "unit")
}
