//! Decision tables: rows of conditions, each with a result. The most specific row that fits wins,
//! by a rule that does not look at the order of the rows:
//!
//! 1. the row with more conditions;
//! 2. with as many, the columns are gone through in their order, and the first one in which the
//!    two differ in kind settles it: exact before list before range before beginning before any;
//!    of two beginnings the longer.
//!
//! Two rows that are equally specific, can fit the same input and have different results are
//! refused when the table is built.

mod cell;
#[cfg(test)]
mod tests;

pub use cell::{Cell, Kind, Value};

use cell::{Exactness, common};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One row. Its cells stand in the order of the table's columns.
#[derive(Debug, Clone)]
pub struct Row<R> {
    /// As people count: in the spreadsheet.
    pub number: usize,
    pub cells: Vec<Cell>,
    /// First and last day on which the row counts.
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    pub result: R,
}

/// A column of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// Two rows that nothing tells apart for some input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    pub rows: (usize, usize),
    /// An input that both fit: column and value. A column that is not named may say anything.
    pub example: Vec<(String, String)>,
}

/// How specific a row is: the number of its conditions, then each column's exactness.
type Specificity = (usize, Vec<Exactness>);

#[derive(Debug, Clone)]
pub struct DecisionTable<R> {
    columns: usize,
    /// The most specific first.
    shapes: Vec<Shape<R>>,
}

/// The rows of one specificity.
#[derive(Debug, Clone)]
struct Shape<R> {
    /// The columns in which they ask for one exact value or beginning, and how.
    keyed: Vec<(usize, Exactness)>,
    /// By those, sorted, so that a row is found among many without looking at each.
    rows: Vec<(Vec<Value>, Vec<Row<R>>)>,
}

impl<R> Default for DecisionTable<R> {
    fn default() -> Self {
        Self { columns: 0, shapes: Vec::new() }
    }
}

impl<R: Eq> DecisionTable<R> {
    /// The columns stand in the order in which they settle which row is more specific. Of a column
    /// of days the value is the day that [`decide`](Self::decide) is asked for.
    pub fn new(columns: &[Column], rows: Vec<Row<R>>) -> Result<Self, Vec<Tie>> {
        let mut sorted: BTreeMap<Specificity, BTreeMap<Vec<Value>, Vec<Row<R>>>> = BTreeMap::new();
        for row in rows {
            let exactness: Vec<Exactness> = row.cells.iter().map(Cell::exactness).collect();
            let conditions = exactness.iter().filter(|cell| **cell != Exactness::Any).count();
            let key = row.cells.iter().filter_map(Cell::key).collect();
            sorted.entry((conditions, exactness)).or_default().entry(key).or_default().push(row);
        }
        let alike = sorted.values().flat_map(BTreeMap::values);
        let mut ties: Vec<Tie> = alike.flat_map(|rows| ties(columns, rows)).collect();
        if !ties.is_empty() {
            ties.sort_by_key(|tie| tie.rows);
            return Err(ties);
        }
        let shapes = sorted.into_iter().rev().map(|((_, exactness), rows)| Shape {
            keyed: exactness.into_iter().enumerate().filter(|(_, of)| of.is_keyed()).collect(),
            rows: rows.into_iter().collect(),
        });
        Ok(Self { columns: columns.len(), shapes: shapes.collect() })
    }

    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row<R>> {
        self.shapes.iter().flat_map(|shape| &shape.rows).flat_map(|(_, rows)| rows)
    }

    /// The row that wins on a day, for values in the order of the columns.
    pub fn decide(&self, values: &[Option<Value>], on: Date) -> Option<&Row<R>> {
        assert_eq!(values.len(), self.columns, "a value for each column");
        self.shapes.iter().find_map(|shape| {
            let asked: Option<Vec<Cow<'_, Value>>> =
                shape.keyed.iter().map(|(at, of)| of.key_of(values[*at].as_ref()?)).collect();
            let asked = asked?;
            let found = shape.rows.binary_search_by(|(key, _)| {
                key.iter().cmp(asked.iter().map(|value| value.as_ref()))
            });
            let (_, rows) = &shape.rows[found.ok()?];
            rows.iter().find(|row| row.fits(values, on))
        })
    }
}

impl<R> Row<R> {
    fn fits(&self, values: &[Option<Value>], on: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= on)
            && self.valid_to.is_none_or(|to| on <= to)
            && self.cells.iter().zip(values).all(|(cell, value)| cell.fits(value.as_ref()))
    }

    fn validity(&self) -> Cell {
        match (self.valid_from, self.valid_to) {
            (None, None) => Cell::Any,
            (from, to) => Cell::Between(from.map(Value::Day), to.map(Value::Day)),
        }
    }
}

/// Rows of one specificity whose exact values and beginnings are the same.
fn ties<R: Eq>(columns: &[Column], rows: &[Row<R>]) -> Vec<Tie> {
    let mut found = Vec::new();
    for (nth, a) in rows.iter().enumerate() {
        for b in &rows[nth + 1..] {
            if a.result != b.result
                && let Some(example) = overlap(columns, a, b)
            {
                found.push(Tie { rows: (a.number.min(b.number), a.number.max(b.number)), example });
            }
        }
    }
    found
}

/// An input that both rows fit.
fn overlap<R>(columns: &[Column], a: &Row<R>, b: &Row<R>) -> Option<Vec<(String, String)>> {
    let valid = [a.validity(), b.validity()];
    let mut example = Vec::new();
    let mut add = |name: &str, value: Option<Value>| {
        example.extend(value.map(|value| (name.to_owned(), value.to_string())));
    };
    let has_day = columns.iter().any(|column| column.kind == Kind::Day);
    if !has_day {
        add("date", common(&[&valid[0], &valid[1]])?);
    }
    for (column, (a, b)) in columns.iter().zip(a.cells.iter().zip(&b.cells)) {
        let value = match column.kind {
            Kind::Day => common(&[a, b, &valid[0], &valid[1]])?,
            Kind::Text | Kind::Amount => common(&[a, b])?,
        };
        add(&column.name, value);
    }
    Some(example)
}
