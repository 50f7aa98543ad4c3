use super::MINUTE;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// The longest `every`. What is rarer has a day, and is written as a cron expression.
const LONGEST: i64 = 24 * 60 * MINUTE;

/// One flow's entry in a timetable.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// By elapsed time, in microseconds: no clock change touches it.
    Every(i64),
    /// By the clock on the wall.
    Cron(Box<Cron>),
    Never,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` {reason}; write for example \"every 5 minutes\", \"every 2 hours\", \"30 4 * * mon-fri\" \
     (minute, hour, day of the month, month, day of the week) or \"never\""
)]
pub struct WhenError {
    text: String,
    reason: String,
}

impl When {
    /// The first planned time after `after`, by the wall clock of `zone`. `None` for `every`, which has no
    /// beginning of its own, for `never`, and when no day fits any more.
    pub(super) fn next_on_the_wall(&self, after: i64, zone: &TimeZone) -> Option<i64> {
        let Self::Cron(cron) = self else { return None };
        let after = Timestamp::from_microsecond(after).ok()?.to_zoned(zone.clone());
        let next = cron.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().as_microsecond())
    }
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let wrong = |reason: String| WhenError { text: text.to_owned(), reason };
        let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["never"] => return Ok(Self::Never),
            ["every", ref rest @ ..] => {
                let (count, unit) = match *rest {
                    [unit] => (1, unit),
                    [count, unit] => {
                        let count: i64 = count.parse().map_err(|_| {
                            wrong(format!("has `{count}` where a whole number must be"))
                        })?;
                        (count, unit)
                    }
                    _ => return Err(wrong("is not `every`, a number and a unit".into())),
                };
                let unit = match unit {
                    "minute" | "minutes" => MINUTE,
                    "hour" | "hours" => 60 * MINUTE,
                    _ => return Err(wrong(format!("has `{unit}` where minutes or hours must be"))),
                };
                let every = count.saturating_mul(unit);
                if !(MINUTE..=LONGEST).contains(&every) {
                    return Err(wrong("is not between 1 minute and 24 hours".into()));
                }
                return Ok(Self::Every(every));
            }
            [_, _, _, _, _] => {}
            [] => return Err(wrong("is empty".into())),
            _ => {
                let parts = words.len();
                return Err(wrong(format!("has {parts} parts where a cron expression has five")));
            }
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| {
            wrong(format!("is no cron expression ({})", error.to_string().trim_end_matches('.')))
        })?;
        // The 31st of February is well written and never comes.
        let start = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        if cron.find_next_occurrence(&start, false).is_err() {
            return Err(wrong("names a day that never comes".into()));
        }
        Ok(Self::Cron(Box::new(cron)))
    }
}
