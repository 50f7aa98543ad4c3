use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::str::FromStr;

/// Days that are looked through for the next opening; each week has one.
const LOOK_AHEAD_DAYS: i32 = 8;

/// When people are at work. No window: always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusinessHours(Vec<Window>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    /// From Monday.
    days: [bool; 7],
    from: Time,
    /// `None`: until the day ends.
    to: Option<Time>,
}

/// What is wrong with a text of business hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {reason}; write for example \"mon-fri 07:00-18:00\"")]
pub struct HoursError {
    text: String,
    reason: String,
}

impl BusinessHours {
    /// From one text for each window.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, HoursError> {
        texts.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    pub fn are_always(&self) -> bool {
        self.0.is_empty()
    }

    /// The open time that holds `at`, or else the next one: from, to (exclusive), in microseconds.
    /// Windows that touch or overlap are one. `None` only without windows, or at the end of time.
    pub fn open_at_or_after(&self, at: i64, zone: &TimeZone) -> Option<(i64, i64)> {
        let today = Timestamp::from_microsecond(at).ok()?.to_zoned(zone.clone()).date();
        let mut spans = Vec::new();
        // A day before: a clock change at midnight can put its end into today.
        for ahead in -1..=LOOK_AHEAD_DAYS {
            let day = today.checked_add(ahead.days()).ok()?;
            spans.extend(self.0.iter().filter_map(|window| window.on(day, zone)));
        }
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (from, to) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => joined.push((from, to)),
            }
        }
        joined.into_iter().find(|(_, to)| *to > at)
    }
}

impl Window {
    /// On that day, by the clock on the wall. A time that the clock skips is the first after the gap; of a time that comes
    /// twice it opens at the first and closes at the first.
    fn on(&self, day: Date, zone: &TimeZone) -> Option<(i64, i64)> {
        if !self.days[usize::try_from(day.weekday().to_monday_zero_offset()).ok()?] {
            return None;
        }
        let micros = |day: Date, time: Time| {
            day.to_datetime(time)
                .to_zoned(zone.clone())
                .ok()
                .map(|zoned| zoned.timestamp().as_microsecond())
        };
        let from = micros(day, self.from)?;
        let to = match self.to {
            Some(to) => micros(day, to)?,
            None => micros(day.tomorrow().ok()?, Time::midnight())?,
        };
        (from < to).then_some((from, to))
    }
}

impl FromStr for Window {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let wrong = |reason: &str| HoursError { text: text.to_owned(), reason: reason.to_owned() };
        let (days, times) = text
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(|| wrong("is not days and then hours"))?;
        let (from, to) =
            times.trim().split_once('-').ok_or_else(|| wrong("has no hours from - to"))?;
        let time = |text: &str| {
            let text = text.trim();
            let is_plain = text.len() == 5 && text.as_bytes()[2] == b':';
            Time::strptime("%H:%M", text)
                .ok()
                .filter(|_| is_plain)
                .ok_or_else(|| wrong(&format!("has `{text}` where a time such as 07:00 must be")))
        };
        let from = time(from)?;
        let to = if to.trim() == "24:00" { None } else { Some(time(to)?) };
        if to.is_some_and(|to| to <= from) {
            return Err(wrong(
                "ends before it begins (a night is two windows: until 24:00, and from 00:00 of the next day)",
            ));
        }
        let mut open = [false; 7];
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let place = |name: &str| {
                weekday(name).ok_or_else(|| {
                    wrong(&format!(
                        "has `{name}` where a day (mon, tue, wed, thu, fri, sat, sun) must be"
                    ))
                })
            };
            let (mut at, last) = (place(first)?, place(last)?);
            loop {
                open[at] = true;
                if at == last {
                    break;
                }
                at = (at + 1) % 7;
            }
        }
        Ok(Self { days: open, from, to })
    }
}

fn weekday(name: &str) -> Option<usize> {
    let day = match name.to_ascii_lowercase().as_str() {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    };
    usize::try_from(day.to_monday_zero_offset()).ok()
}
