//! Lists: paging, filters and their traps. Unknown parameters are ignored, a page size over the maximum is cut
//! without a word, every row carries the count, an empty page carries nothing.

use super::reply::{Refusal, parse_time};
use super::state::State;
use super::{Call, Settings};
use crate::faults::{Fault, Switchboard};
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::Value;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// The end of a row: fault text, count, closing brace.
pub(crate) fn tail(error: &str, total: usize, max: usize) -> String {
    format!(
        ",\"errorInfo\":{},\"metadata\":{{\"totalCount\":{total},\"maxPageSize\":{max}}}}}",
        Value::from(error)
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

/// A comparison from the query: value and operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<T> {
    operator: Operator,
    value: T,
}

impl<T: Ord + Copy> Condition<T> {
    pub fn holds(this: Option<Self>, of: T) -> bool {
        this.is_none_or(|condition| condition.operator.holds(of.cmp(&condition.value)))
    }
}

impl Call {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn switch(&self, name: &str) -> Result<bool, Refusal> {
        match self.query(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("") => Ok(false),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => {
                Err(Refusal::rule(format!("The request is invalid. '{name}' is not a boolean.")))
            }
        }
    }

    /// A filter that must be one of these words.
    pub fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.query(name) {
            Some(word) if !words.contains(&word) => Err(Refusal::rule(format!(
                "The request is invalid. '{word}' is not a value of '{name}'."
            ))),
            other => Ok(other),
        }
    }

    fn operator(&self, name: &str) -> Result<Option<Operator>, Refusal> {
        match self.query(&format!("{name}Condition")) {
            None => Ok(None),
            Some(">") => Ok(Some(Operator::Greater)),
            Some("<") => Ok(Some(Operator::Less)),
            Some(">=") => Ok(Some(Operator::GreaterOrEqual)),
            Some("<=") => Ok(Some(Operator::LessOrEqual)),
            Some(other) => Err(Refusal::rule(format!(
                "The request is invalid. '{other}' is not an operator for '{name}'."
            ))),
        }
    }

    /// A time with its operator. `paired`: both or none; else a lone value means equal.
    pub fn when(&self, name: &str, paired: bool) -> Result<Option<Condition<DateTime>>, Refusal> {
        let operator = self.operator(name)?;
        let value = match self.query(name) {
            None => None,
            Some(text) => Some(parse_time(text).ok_or_else(|| {
                Refusal::rule(format!(
                    "The request is invalid. '{text}' is not a date in '{name}'."
                ))
            })?),
        };
        match (value, operator) {
            (None, None) => Ok(None),
            (Some(value), Some(operator)) => Ok(Some(Condition { operator, value })),
            (Some(value), None) if !paired => {
                Ok(Some(Condition { operator: Operator::Equal, value }))
            }
            _ => Err(Refusal::rule(format!(
                "Both '{name}' and '{name}Condition' must be specified."
            ))),
        }
    }

    pub fn how_much(&self, name: &str) -> Result<Option<Condition<Decimal>>, Refusal> {
        let operator = self.operator(name)?;
        match (self.query(name), operator) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Refusal::rule(format!("'{name}Condition' needs '{name}'."))),
            (Some(text), operator) => {
                let value = text.parse().map_err(|_| {
                    Refusal::rule(format!(
                        "The request is invalid. '{text}' is not a number in '{name}'."
                    ))
                })?;
                Ok(Some(Condition { operator: operator.unwrap_or(Operator::Equal), value }))
            }
        }
    }

    pub fn whole(&self, name: &str) -> Result<Option<usize>, Refusal> {
        match self.query(name) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) if number > 0 || name == "skipRecords" => Ok(Some(number)),
                _ => Err(Refusal::rule(format!(
                    "The request is invalid. '{text}' is not valid for '{name}'."
                ))),
            },
        }
    }
}

/// One page of `rows` as a JSON array. `write` appends one row: output, row, error text, count, maximum.
pub(crate) fn page<R>(
    (state, settings, board): (&mut State, &Settings, &Switchboard),
    call: &Call,
    max: usize,
    mut rows: Vec<(String, R)>,
    mut write: impl FnMut(&mut String, &R, &str, usize, usize),
) -> Result<String, Refusal> {
    let (number, size) = (call.whole("pageNumber")?, call.whole("pageSize")?);
    let (read, skip) = (call.whole("numberToRead")?, call.whole("skipRecords")?);
    if (read.is_some() || skip.is_some()) && (number.is_some() || size.is_some()) {
        return Err(Refusal::rule(
            "numberToRead and skipRecords cannot be combined with pageNumber and pageSize.",
        ));
    }
    let total = rows.len();
    if settings.shuffled_lists {
        rows.sort_by_cached_key(|(key, _)| {
            let mut hasher = DefaultHasher::new();
            (key, settings.seed, total).hash(&mut hasher);
            hasher.finish()
        });
    }
    let size = size.or(read).unwrap_or(max).min(max);
    let number = number.unwrap_or(1);
    let start = (number - 1).saturating_mul(size).saturating_add(skip.unwrap_or(0));
    let start = moved(state, board, call, number, start, total);
    let rows =
        rows.get(start.min(total)..start.saturating_add(size).min(total)).unwrap_or_default();
    let broken = if !rows.is_empty() && board.fires(Fault::OkWithErrorInfo) {
        Some(state.random.usize(0..rows.len()))
    } else {
        None
    };
    let mut out = String::from("[");
    for (at, (_, row)) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(
            &mut out,
            row,
            if broken == Some(at) { "Error: the record could not be read completely." } else { "" },
            total,
            max,
        );
    }
    out.push(']');
    Ok(out)
}

/// The same for a list whose pages are filled by the lines of their rows, and whose count counts lines. A row
/// stands whole on one page unless rows may be cut. `rows`: key, lines, row; `write` gets the lines to write too.
pub(crate) fn page_of_lines<R>(
    (state, settings, board): (&mut State, &Settings, &Switchboard),
    call: &Call,
    max: usize,
    mut rows: Vec<(String, usize, R)>,
    mut write: impl FnMut(&mut String, &R, Range<usize>, &str, (usize, usize)),
) -> Result<String, Refusal> {
    let number = call.whole("pageNumber")?.unwrap_or(1);
    let size = call.whole("pageSize")?.unwrap_or(max).min(max);
    let total: usize = rows.iter().map(|(_, lines, _)| lines).sum();
    if settings.shuffled_lists {
        rows.sort_by_cached_key(|(key, ..)| {
            let mut hasher = DefaultHasher::new();
            (key, settings.seed, total).hash(&mut hasher);
            hasher.finish()
        });
    }
    // (row, its lines), page by page.
    let mut pages: Vec<Vec<(usize, Range<usize>)>> = vec![Vec::new()];
    let mut filled = 0;
    for (at, (_, lines, _)) in rows.iter().enumerate() {
        let mut from = 0;
        while from < *lines {
            let room = size - filled;
            let left = lines - from;
            let fits = left <= room || filled == 0;
            let taken = match (fits, settings.batches_cut_at_pages) {
                (true, false) => left,
                (_, true) => left.min(room),
                (false, false) => 0,
            };
            if taken > 0 {
                pages.last_mut().expect("there is a page").push((at, from..from + taken));
            }
            from += taken;
            filled += taken;
            if filled >= size || from < *lines {
                pages.push(Vec::new());
                filled = 0;
            }
        }
    }
    // Faults move whole pages here: what is one row elsewhere is one page.
    let start = moved(state, board, call, number, number - 1, pages.len());
    let page = pages.get(start).map_or(&[][..], Vec::as_slice);
    let broken = if !page.is_empty() && board.fires(Fault::OkWithErrorInfo) {
        Some(state.random.usize(0..page.len()))
    } else {
        None
    };
    let mut out = String::from("[");
    for (at, (row, lines)) in page.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let error =
            if broken == Some(at) { "Error: the record could not be read completely." } else { "" };
        write(&mut out, &rows[*row].2, lines.clone(), error, (total, max));
    }
    out.push(']');
    Ok(out)
}

/// Where the page begins when rows have moved since the first page was read.
fn moved(
    state: &mut State,
    board: &Switchboard,
    call: &Call,
    number: usize,
    start: usize,
    total: usize,
) -> usize {
    let scan = call
        .query
        .iter()
        .filter(|(name, _)| name != "pageNumber")
        .fold(call.path.clone(), |scan, (name, value)| scan + "&" + name + "=" + value);
    if number == 1 {
        state.moved.remove(&scan);
        return start;
    }
    let mut shift = state.moved.get(&scan).copied().unwrap_or(0);
    if start < total {
        if board.fires(Fault::RepeatedRows) {
            shift -= 1;
        }
        if board.fires(Fault::MovedRows) {
            shift += 1;
        }
    }
    if shift != 0 {
        state.moved.insert(scan, shift);
    }
    start.saturating_add_signed(isize::try_from(shift).unwrap_or(0))
}
