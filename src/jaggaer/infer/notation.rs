//! How the source writes numbers, money, dates and times, seen over all of its values.

use super::shape::{Leaf, Sheet, inner_lists, leaves};
use crate::jaggaer::profile::TimeFormat;
use crate::jaggaer::read::notation;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

const DAYS: &[&str] =
    &["iso", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y"];
const INSTANTS: &[&str] = &[
    "iso",
    "%Y%m%d%H%M%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
];
/// Between 2001 and 2065, in milliseconds.
const EPOCH_MS: std::ops::Range<i64> = 1_000_000_000_000..3_000_000_000_000;

/// How money stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Money {
    Decimal,
    MinorUnits,
    /// An object with these members: the amount and its currency.
    Object(String, String),
    Text,
}

/// What goes into `[notation]`, and why.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    pub(super) money: Money,
    pub(super) money_evidence: String,
    pub(super) comma: bool,
    pub(super) groups: String,
    pub(super) day: &'static str,
    /// Both a day first and a month first would do.
    pub(super) day_is_open: bool,
    pub(super) instant: &'static str,
    pub(super) epoch: bool,
    /// Times carry no zone of their own.
    pub(super) bare_times: bool,
    /// Where the money suggests that the clocks are.
    pub(super) zone: &'static str,
}

impl Spelling {
    pub(super) fn of(sheets: &[Sheet]) -> Self {
        let mut spelling = Self {
            money: Money::Decimal,
            money_evidence: "amounts are numbers".into(),
            comma: false,
            groups: String::new(),
            day: "iso",
            day_is_open: false,
            instant: "iso",
            epoch: false,
            bare_times: false,
            zone: "Europe/Oslo",
        };
        let mut all: Vec<Leaf> = Vec::new();
        for sheet in sheets {
            all.extend(leaves(&sheet.records, true));
            all.extend(leaves(&sheet.rows, true));
            for list in inner_lists(&sheet.records) {
                all.extend(leaves(&list.rows, false));
            }
        }
        spelling.numbers(&all);
        spelling.times(&all);
        spelling.money(&all);
        spelling.zone = zone(&all);
        spelling
    }

    /// Texts with a comma and without a letter are numbers of this country.
    fn numbers(&mut self, all: &[Leaf]) {
        let texts = all.iter().flat_map(|leaf| &leaf.values).filter_map(Value::as_str);
        let (mut comma, mut point) = (0, 0);
        let mut groups = String::new();
        for text in texts {
            let text = without_code(text);
            let digits = text.chars().filter(char::is_ascii_digit).count();
            let only = text.chars().all(|c| {
                c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | ' ' | '\u{a0}' | '\'')
            });
            if digits == 0 || !only {
                continue;
            }
            if let Some((whole, fraction)) = text.rsplit_once(',')
                && fraction.len() <= 4
                && !fraction.is_empty()
                && fraction.chars().all(|c| c.is_ascii_digit())
            {
                comma += 1;
                for mark in whole.chars().filter(|c| !c.is_ascii_digit() && *c != '-') {
                    let mark = if mark == '\u{a0}' { ' ' } else { mark };
                    if !groups.contains(mark) {
                        groups.push(mark);
                    }
                }
            } else if text.matches('.').count() == 1 {
                point += 1;
            }
        }
        self.comma = comma > point;
        if self.comma {
            self.groups = groups;
        }
    }

    fn times(&mut self, all: &[Leaf]) {
        let named = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            move |leaf: &&Leaf| leaf.tokens.iter().any(|of| words.contains(of))
        };
        let dates: Vec<&str> = all
            .iter()
            .filter(named(&["date", "due", "issued", "ordered", "wanted", "booked"]))
            .flat_map(|leaf| &leaf.values)
            .filter_map(Value::as_str)
            .collect();
        let read = |format: &str| {
            let formats = [time_format(format)];
            dates.iter().filter(|text| notation::date(text, &formats).is_ok()).count()
        };
        let counts: Vec<(usize, &'static str)> =
            DAYS.iter().map(|format| (read(format), *format)).collect();
        let best = counts.iter().map(|(count, _)| *count).max().unwrap_or(0);
        if best > 0 {
            let winners: Vec<_> = counts.iter().filter(|(count, _)| *count == best).collect();
            self.day = winners[0].1;
            self.day_is_open =
                winners.len() > 1 && winners.iter().any(|(_, format)| format.starts_with("%m"));
        }
        let stamps: Vec<&Value> = all
            .iter()
            .filter(named(&["changed", "created", "timestamp", "lastmodtime", "time"]))
            .flat_map(|leaf| &leaf.values)
            .collect();
        let utc = TimeZone::UTC;
        let reads = |format: &str, zone: Option<&TimeZone>| {
            let formats = [time_format(format)];
            let texts = stamps.iter().filter_map(|value| value.as_str());
            texts.filter(|text| notation::instant(text, &formats, zone).is_ok()).count()
        };
        let found = INSTANTS.iter().map(|format| (reads(format, Some(&utc)), *format));
        // The first of those that read as many.
        if let Some((count, format)) = found.rev().max_by_key(|(count, _)| *count)
            && count > 0
        {
            self.instant = format;
            self.bare_times = reads(format, None) < count;
        }
        self.epoch = !stamps.is_empty() && stamps.iter().all(|value| is_epoch(value));
    }

    fn money(&mut self, all: &[Leaf]) {
        let mut objects: BTreeMap<(String, String), usize> = BTreeMap::new();
        for leaf in all.iter().filter(|leaf| leaf.last.iter().any(|word| word == "currency")) {
            let Some((own, around)) = leaf.path.split_last() else { continue };
            if around.is_empty() {
                continue;
            }
            let amount = all.iter().find(|other| {
                other.path.len() == leaf.path.len()
                    && other.path.starts_with(around)
                    && other.last.iter().any(|word| word == "amount")
            });
            if let Some(name) = amount.and_then(|other| other.path.last()) {
                *objects.entry((name.clone(), own.clone())).or_default() += 1;
            }
        }
        let words = ["amount", "net", "gross", "price", "total", "tax"];
        let sums: Vec<&Value> = all
            .iter()
            .filter(|leaf| leaf.tokens.iter().any(|word| words.contains(&word.as_str())))
            .filter(|leaf| {
                !["rate", "code", "percent", "number", "currency", "date", "id"]
                    .iter()
                    .any(|word| leaf.last.iter().any(|of| of == word))
            })
            .flat_map(|leaf| &leaf.values)
            .collect();
        let with_code =
            sums.iter().filter_map(|value| value.as_str()).filter(|text| has_code(text)).count();
        let numbers: Vec<Decimal> = sums
            .iter()
            .filter(|value| value.is_number())
            .filter_map(|value| self.decimal(value))
            .filter(|number| !number.is_zero())
            .collect();
        let whole = numbers.iter().filter(|number| number.fract().is_zero()).count();
        let odd =
            numbers.iter().filter(|number| !(**number % Decimal::ONE_HUNDRED).is_zero()).count();
        if with_code * 2 > sums.len() {
            self.money = Money::Text;
            self.money_evidence = format!("{with_code} amounts carry their currency in the text");
        } else if let Some(((amount, currency), count)) =
            objects.into_iter().max_by_key(|(_, count)| *count)
        {
            self.money_evidence =
                format!("{count} members are objects of `{amount}` and `{currency}`");
            self.money = Money::Object(amount, currency);
        } else if numbers.len() >= 5 && whole * 100 >= numbers.len() * 97 {
            self.money = Money::MinorUnits;
            self.money_evidence = format!(
                "{whole} of {} amounts are whole numbers, {odd} of them not of whole hundreds: \
                 minor units, unless the source never shows decimals",
                numbers.len()
            );
        } else if !numbers.is_empty() {
            self.money_evidence =
                format!("{} of {} amounts have decimals", numbers.len() - whole, numbers.len());
        }
    }

    /// A number in this spelling.
    pub(super) fn decimal(&self, value: &Value) -> Option<Decimal> {
        match value {
            Value::Number(number) => notation::plain_decimal(&number.to_string()).ok(),
            Value::String(text) => {
                let text = without_code(text);
                let local = notation::local_decimal(text, ',', &self.groups);
                if self.comma { local.ok() } else { notation::plain_decimal(text).ok() }
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn is_day(&self, value: &Value) -> bool {
        let text = value.as_str().unwrap_or_default();
        notation::date(text, &[time_format(self.day)]).is_ok()
    }

    pub(super) fn is_instant(&self, value: &Value) -> bool {
        let utc = TimeZone::UTC;
        let reads =
            |text: &str| notation::instant(text, &[time_format(self.instant)], Some(&utc)).is_ok();
        if self.epoch { is_epoch(value) } else { value.as_str().is_some_and(reads) }
    }
}

fn time_format(name: &str) -> TimeFormat {
    if name == "iso" { TimeFormat::Iso } else { TimeFormat::Pattern(name.to_owned()) }
}

fn is_epoch(value: &Value) -> bool {
    value.as_i64().is_some_and(|ms| EPOCH_MS.contains(&ms))
}

fn has_code(text: &str) -> bool {
    without_code(text).len() < text.trim().len()
}

/// `1 234,50` of `NOK 1 234,50` and of `1 234,50 NOK`.
fn without_code(text: &str) -> &str {
    let text = text.trim();
    let is_code =
        |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let before = text.split_once(' ').filter(|(code, rest)| is_code(code) && has_digit(rest));
    let behind = text.rsplit_once(' ').filter(|(rest, code)| is_code(code) && has_digit(rest));
    match (before, behind) {
        (Some((_, number)), _) | (None, Some((number, _))) => number.trim(),
        (None, None) => text,
    }
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Where most of the money is from.
fn zone(all: &[Leaf]) -> &'static str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let currencies = all.iter().filter(|leaf| leaf.last.iter().any(|word| word == "currency"));
    for code in currencies.flat_map(|leaf| &leaf.values).filter_map(Value::as_str) {
        *counts.entry(code).or_default() += 1;
    }
    match counts.into_iter().max_by_key(|(_, count)| *count).map(|(code, _)| code) {
        Some("SEK") => "Europe/Stockholm",
        Some("DKK") => "Europe/Copenhagen",
        Some("EUR") => "Europe/Helsinki",
        Some("ISK") => "Atlantic/Reykjavik",
        Some(_) | None => "Europe/Oslo",
    }
}
