//! `[company.retention]`: how long the bodies of old documents are kept, and for how long each country's
//! law wants them kept. Nothing said, everything is kept for ever.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// When a company's old bodies may go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// By whose law the company keeps its books: `no`, `se`, `dk`, `fi` or `is`.
    pub country: Option<String>,
    /// Whole years after the end of the year that a document belongs to. Left out: for ever.
    pub keep_years: Option<i64>,
}

/// What one country asks for.
struct Law {
    code: &'static str,
    country: &'static str,
    years: i64,
    act: &'static str,
}

const LAWS: [Law; 5] = [
    Law { code: "no", country: "Norway", years: 5, act: "bokføringsloven § 13" },
    Law { code: "se", country: "Sweden", years: 7, act: "bokföringslagen 7 kap. 2 §" },
    Law { code: "dk", country: "Denmark", years: 5, act: "bogføringsloven § 12" },
    Law { code: "fi", country: "Finland", years: 6, act: "kirjanpitolaki 2:10" },
    Law { code: "is", country: "Iceland", years: 7, act: "lög nr. 145/1994 um bókhald, 20. gr." },
];

/// More is a slip of the finger.
const MOST_YEARS: i64 = 100;

impl RetentionConfig {
    /// `company` is for messages.
    pub(super) fn check(&self, company: &str) -> Result<(), String> {
        let known = || {
            let known = LAWS.map(|law| format!("\"{}\" ({})", law.code, law.country));
            known.join(", ")
        };
        let law = match &self.country {
            Some(code) => {
                let law = LAWS.iter().find(|law| law.code == code);
                Some(law.ok_or_else(|| {
                    format!(
                        "country in [company.retention] of company `{company}`: the law of `{code}` is not known here; \
                         known: {}. Leave the table out, and everything is kept",
                        known()
                    )
                })?)
            }
            None => None,
        };
        let Some(years) = self.keep_years else { return Ok(()) };
        let Some(law) = law else {
            return Err(format!(
                "keep_years in [company.retention] of company `{company}` needs `country` beside it, because its law \
                 says how long bookkeeping material is kept at least; known: {}",
                known()
            ));
        };
        if years < law.years {
            return Err(format!(
                "keep_years in [company.retention] of company `{company}` is {years}, but {} wants bookkeeping material \
                 kept for at least {} years from the end of the year that it belongs to ({}): write {} or more, or \
                 leave keep_years out to keep everything",
                law.country, law.years, law.act, law.years
            ));
        }
        if years > MOST_YEARS {
            return Err(format!(
                "keep_years in [company.retention] of company `{company}` is {years}: write a number from {} to \
                 {MOST_YEARS}, or leave it out to keep everything",
                law.years
            ));
        }
        Ok(())
    }

    /// The first day of the oldest year that is kept, by the calendar of the company: what belongs to a year
    /// before it may go. `None`: nothing may.
    pub fn before(&self, now: Timestamp, zone: &TimeZone) -> Option<Date> {
        let today = now.to_zoned(zone.clone()).date();
        let year = i64::from(today.year()) - self.keep_years?;
        // Years before the calendar's first one hold nothing.
        i16::try_from(year).ok().filter(|year| *year > 0).map(|year| date(year, 1, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(country: Option<&str>, keep_years: Option<i64>) -> RetentionConfig {
        RetentionConfig { country: country.map(str::to_owned), keep_years }
    }

    #[test]
    fn less_than_the_law_asks_for_is_refused() {
        for (country, name, years) in [
            ("no", "Norway", 5),
            ("se", "Sweden", 7),
            ("dk", "Denmark", 5),
            ("fi", "Finland", 6),
            ("is", "Iceland", 7),
        ] {
            assert_eq!(of(Some(country), Some(years)).check("v"), Ok(()), "{country}");
            assert_eq!(of(Some(country), None).check("v"), Ok(()), "{country}");
            for less in [years - 1, 0, -1] {
                let why = of(Some(country), Some(less)).check("v").expect_err(country);
                let minimum = format!("at least {years} years from the end of the year");
                for words in [name, "`v`", minimum.as_str()] {
                    assert!(why.contains(words), "{why}");
                }
            }
            assert!(of(Some(country), Some(101)).check("v").is_err(), "{country}");
        }
        for (unknown, words) in [
            (of(None, Some(10)), "needs `country`"),
            (of(Some("de"), Some(10)), "the law of `de` is not known"),
            (of(Some("NO"), Some(10)), "the law of `NO` is not known"),
            (of(Some(""), None), "is not known"),
        ] {
            let why = unknown.check("v").expect_err(words);
            assert!(why.contains(words) && why.contains("\"se\" (Sweden)"), "{why}");
        }
        assert_eq!(of(None, None).check("v"), Ok(()));
    }

    /// The year turns where the company is.
    #[test]
    fn a_year_is_over_at_midnight_in_the_companys_zone() {
        let five = of(Some("no"), Some(5));
        let cases = [
            ("2026-12-31T22:59:59.999999Z", "Europe/Oslo", date(2021, 1, 1)),
            ("2026-12-31T23:00:00Z", "Europe/Oslo", date(2022, 1, 1)),
            ("2026-12-31T21:59:59Z", "Europe/Helsinki", date(2021, 1, 1)),
            ("2026-12-31T22:00:00Z", "Europe/Helsinki", date(2022, 1, 1)),
            ("2026-12-31T23:59:59Z", "Atlantic/Reykjavik", date(2021, 1, 1)),
            ("2027-01-01T00:00:00Z", "Atlantic/Reykjavik", date(2022, 1, 1)),
        ];
        for (now, zone, before) in cases {
            let now: Timestamp = now.parse().expect("an instant");
            let zone = TimeZone::get(zone).expect("a zone");
            assert_eq!(five.before(now, &zone), Some(before), "{now} {zone:?}");
            assert_eq!(of(Some("no"), None).before(now, &zone), None);
        }
    }
}
