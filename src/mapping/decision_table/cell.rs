use jiff::civil::Date;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

/// One value that a condition is put to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Text(String),
    Amount(Decimal),
    Day(Date),
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Amount,
    Day,
}

/// A condition on one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Any,
    Is(Value),
    /// Two or more.
    OneOf(BTreeSet<Value>),
    /// Both ends belong to it. `None` is an open end; never both.
    Between(Option<Value>, Option<Value>),
    StartsWith(String),
}

/// How narrow a condition is, the widest first. A longer beginning is narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exactness {
    Any,
    StartsWith(usize),
    Between,
    OneOf,
    Is,
}

impl Cell {
    /// Reads a cell as people write it: empty or `*`, `a`, `a|b`, `1..9`, `56*`.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "*" {
            return Ok(Self::Any);
        }
        if text.contains('|') {
            return one_of(text, kind);
        }
        if let Some((from, to)) = text.split_once("..") {
            return between(from.trim(), to.trim(), kind);
        }
        if let Some(start) = text.strip_suffix('*') {
            return match kind {
                Kind::Text if !start.contains('*') => Ok(Self::StartsWith(start.to_owned())),
                Kind::Text => Err(format!("`{text}`: a * stands at the end only")),
                Kind::Amount | Kind::Day => {
                    Err(format!("`{text}`: only a code has a beginning; write a range with .."))
                }
            };
        }
        Value::parse(text, kind).map(Self::Is)
    }

    pub fn exactness(&self) -> Exactness {
        match self {
            Self::Any => Exactness::Any,
            Self::StartsWith(start) => Exactness::StartsWith(start.chars().count()),
            Self::Between(..) => Exactness::Between,
            Self::OneOf(_) => Exactness::OneOf,
            Self::Is(_) => Exactness::Is,
        }
    }

    /// The value that everything which fits has, or begins with, when there is one.
    pub fn key(&self) -> Option<Value> {
        match self {
            Self::Is(value) => Some(value.clone()),
            Self::StartsWith(start) => Some(Value::Text(start.clone())),
            Self::Any | Self::OneOf(_) | Self::Between(..) => None,
        }
    }

    /// Whether a value fits. What a document does not say fits `Any` only.
    pub fn fits(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return *self == Self::Any };
        match self {
            Self::Any => true,
            Self::Is(wanted) => wanted == value,
            Self::OneOf(wanted) => wanted.contains(value),
            Self::Between(from, to) => {
                let not_before = |from: &Value| {
                    compare(value, from).is_some_and(|order| order != Ordering::Less)
                };
                let not_after =
                    |to: &Value| compare(value, to).is_some_and(|order| order != Ordering::Greater);
                from.as_ref().is_none_or(not_before) && to.as_ref().is_none_or(not_after)
            }
            Self::StartsWith(start) => {
                matches!(value, Value::Text(text) if text.starts_with(start.as_str()))
            }
        }
    }

    /// The values at the edges of the condition.
    fn edges(&self) -> Vec<Value> {
        match self {
            Self::Any => Vec::new(),
            Self::Is(value) => vec![value.clone()],
            Self::OneOf(values) => values.iter().cloned().collect(),
            Self::Between(from, to) => from.iter().chain(to).cloned().collect(),
            Self::StartsWith(start) => vec![Value::Text(start.clone())],
        }
    }
}

impl Exactness {
    /// Whether cells of it have a key.
    pub fn is_keyed(self) -> bool {
        matches!(self, Self::Is | Self::StartsWith(_))
    }

    /// The key that a cell of it has if a value fits it.
    pub fn key_of(self, value: &Value) -> Option<Cow<'_, Value>> {
        match (self, value) {
            (Self::StartsWith(length), Value::Text(text)) => {
                let end = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(length)?;
                Some(Cow::Owned(Value::Text(text[..end].to_owned())))
            }
            (_, value) => Some(Cow::Borrowed(value)),
        }
    }
}

/// A value that fits all the cells; `Some(None)` where each fits anything. Where conditions of one
/// exactness overlap, they do so at an edge of one of them, and ranges of days with anything.
pub fn common(cells: &[&Cell]) -> Option<Option<Value>> {
    if cells.iter().all(|cell| **cell == Cell::Any) {
        return Some(None);
    }
    let mut edges = cells.iter().flat_map(|cell| cell.edges());
    edges.find(|edge| cells.iter().all(|cell| cell.fits(Some(edge)))).map(Some)
}

impl Value {
    fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        match kind {
            Kind::Text if text.contains('*') => {
                Err(format!("`{text}`: a * stands at the end only, and not in a list or range"))
            }
            Kind::Text => Ok(Self::Text(text.to_owned())),
            // A decimal comma is what a Nordic spreadsheet writes.
            Kind::Amount => text
                .replacen(',', ".", 1)
                .parse()
                .map(Self::Amount)
                .map_err(|_| format!("`{text}` is no amount such as 1234.50")),
            Kind::Day => text
                .parse()
                .map(Self::Day)
                .map_err(|_| format!("`{text}` is no day such as 2026-01-31")),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Amount(amount) => amount.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}

fn one_of(text: &str, kind: Kind) -> Result<Cell, String> {
    let mut values = BTreeSet::new();
    for part in text.split('|').map(str::trim) {
        if part.is_empty() || part.contains("..") {
            return Err(format!("`{text}`: a list holds single values, as in a|b"));
        }
        values.insert(Value::parse(part, kind)?);
    }
    Ok(match (values.pop_first(), values.is_empty()) {
        (Some(only), true) => Cell::Is(only),
        (first, _) => {
            values.extend(first);
            Cell::OneOf(values)
        }
    })
}

fn between(from: &str, to: &str, kind: Kind) -> Result<Cell, String> {
    let end = |text: &str| -> Result<Option<Value>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let value = Value::parse(text, kind)?;
        match &value {
            Value::Text(code) if number(code).is_none() => {
                Err(format!("`{code}`: a range of codes goes from number to number"))
            }
            _ => Ok(Some(value)),
        }
    };
    let (from, to) = (end(from)?, end(to)?);
    match (&from, &to) {
        (None, None) => Err("a range needs one end at least".into()),
        (Some(low), Some(high)) if compare(low, high) == Some(Ordering::Greater) => {
            Err(format!("the range {low}..{high} ends before it begins"))
        }
        _ => Ok(Cell::Between(from, to)),
    }
}

/// Codes compare as the numbers they are, however long; other texts do not.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(number(a)?.cmp(&number(b)?)),
        (Value::Amount(a), Value::Amount(b)) => Some(a.cmp(b)),
        (Value::Day(a), Value::Day(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Without leading zeros: the longer is the greater.
fn number(text: &str) -> Option<(usize, &str)> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = text.trim_start_matches('0');
    is_number.then_some((digits.len(), digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: &str) -> Cell {
        Cell::parse(cell, Kind::Text).unwrap()
    }

    fn fits(cell: &Cell, value: &str) -> bool {
        cell.fits(Some(&Value::Text(value.into())))
    }

    #[test]
    fn each_way_to_write_a_condition_on_a_code() {
        let cases: [(&str, &[&str], &[&str]); 10] = [
            ("", &["x", "0100"], &[]),
            (" * ", &["x"], &[]),
            (" 0100 ", &["0100"], &["100", "01000"]),
            ("a | b", &["a", "b"], &["c", "a | b"]),
            ("a|a", &["a"], &["b"]),
            ("5610*", &["5610", "561099"], &["561", "05610"]),
            ("100..500", &["100", "500", "0250"], &["99", "501", "1000", "x", "2a"]),
            ("100..", &["100", "99999999999999999999999999"], &["99"]),
            ("..500", &["0", "000500"], &["501"]),
            ("00..09", &["0", "9", "009"], &["10"]),
        ];
        for (cell, yes, no) in cases {
            let cell = text(cell);
            assert!(yes.iter().all(|value| fits(&cell, value)), "{cell:?}");
            assert!(!no.iter().any(|value| fits(&cell, value)), "{cell:?}");
            assert_eq!(cell.fits(None), cell == Cell::Any, "{cell:?}");
        }
        assert_eq!(text("a|a").exactness(), Exactness::Is);
    }

    #[test]
    fn amounts_and_days() {
        let amount = |cell: &str, value: &str| {
            let cell = Cell::parse(cell, Kind::Amount).unwrap();
            cell.fits(Some(&Value::Amount(value.parse().unwrap())))
        };
        assert!(amount("15000..", "15000.00") && !amount("15000..", "14999.99"));
        assert!(amount("0..99,50", "99.5") && !amount("0..99,50", "99.51"));
        assert!(amount("10.0", "10.00"));
        let day = |cell: &str, value: &str| {
            let cell = Cell::parse(cell, Kind::Day).unwrap();
            cell.fits(Some(&Value::Day(value.parse().unwrap())))
        };
        assert!(day("2026-01-01..2026-01-31", "2026-01-31"));
        assert!(!day("2026-01-01..2026-01-31", "2026-02-01"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let cases = [
            ("5*0", Kind::Text, "at the end only"),
            ("5*0*", Kind::Text, "at the end only"),
            ("a|5*", Kind::Text, "not in a list"),
            ("a||b", Kind::Text, "single values"),
            ("a|1..2", Kind::Text, "single values"),
            ("..", Kind::Text, "one end at least"),
            ("A..B", Kind::Text, "from number to number"),
            ("500..100", Kind::Text, "ends before it begins"),
            ("1*", Kind::Amount, "only a code"),
            ("1 000", Kind::Amount, "no amount"),
            ("31.01.2026", Kind::Day, "no day"),
        ];
        for (cell, kind, says) in cases {
            let fault = Cell::parse(cell, kind).unwrap_err();
            assert!(fault.contains(says), "{cell}: {fault}");
        }
    }

    #[test]
    fn narrower_is_more_exact() {
        let sorted = ["*", "5*", "56*", "1..9", "a|b", "a"].map(|cell| text(cell).exactness());
        assert!(sorted.is_sorted_by(|a, b| a < b), "{sorted:?}");
    }
}
