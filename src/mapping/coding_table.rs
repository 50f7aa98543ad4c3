//! The coding table: where a share of a line is booked, by what the document says about it.

use super::Tables;
use super::decision_table::{Cell, Column, DecisionTable, Kind, Row, Tie, Value};
use super::sheet::{Sheet, SheetFault, SheetRow};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a row looks at. The order is the one in which columns settle which row is more specific.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Supplier,
    Vendor,
    Item,
    Commodity,
    Category,
    Project,
    Dimension(String),
    Account,
    BusinessUnit,
    Tax,
    Currency,
    Amount,
    Day,
}

/// What a row says. What it leaves empty is left to the other tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub account: Option<String>,
    /// By segment id.
    pub segments: BTreeMap<i64, String>,
    pub vat_category: Option<String>,
    pub branch: Option<String>,
    pub project: Option<String>,
    pub terms: Option<String>,
    pub unit: Option<String>,
}

/// What is known of a share when its row is looked for.
#[derive(Debug, Clone, Copy)]
pub struct ShareFacts<'a> {
    /// The ERP's number of the supplier that was settled on.
    pub supplier: Option<&'a str>,
    /// The source's id of the vendor.
    pub vendor: Option<&'a str>,
    /// The source's category of the vendor.
    pub category: Option<&'a str>,
    pub business_unit: Option<&'a str>,
    pub currency: &'a str,
    /// The day that the document is booked on.
    pub on: Date,
    pub item: Option<&'a str>,
    pub commodity: Option<&'a str>,
    /// The line's tax, when it has exactly one.
    pub tax: Option<&'a str>,
    /// The line's net amount, all its shares together.
    pub amount: Decimal,
    /// The share's dimension values.
    pub values: &'a BTreeMap<String, String>,
}

/// A table that was checked. It is kept and compared as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodingTable {
    sheet: Sheet,
    conditions: Vec<Condition>,
    table: DecisionTable<Outcome>,
}

/// A row that was found: its number, and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub row: usize,
    pub outcome: &'a Outcome,
}

impl PartialEq for CodingTable {
    fn eq(&self, other: &Self) -> bool {
        self.sheet == other.sheet
    }
}

impl Eq for CodingTable {}

impl From<CodingTable> for String {
    fn from(table: CodingTable) -> Self {
        table.sheet.write()
    }
}

impl TryFrom<String> for CodingTable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let sheet = Sheet::read(text.as_bytes()).map_err(|fault| fault.to_string())?;
        Self::new(sheet).map_err(|faults| join(&faults))
    }
}

impl CodingTable {
    /// The header of an empty table: what people begin with.
    pub const COLUMNS: [&str; 14] = [
        "when:supplier",
        "when:commodity",
        "when:dimension:CostCenter",
        "when:account",
        "when:business_unit",
        "when:amount",
        "then:account",
        "then:segment:1",
        "then:vat_category",
        "then:branch",
        "then:project",
        "valid_from",
        "valid_to",
        "note",
    ];

    pub fn new(sheet: Sheet) -> Result<Self, Vec<SheetFault>> {
        let mut conditions: Vec<(Condition, usize)> = Vec::new();
        let mut results: Vec<(Member, usize)> = Vec::new();
        let mut faults = Vec::new();
        for (at, name) in sheet.header.iter().enumerate() {
            match Heading::parse(name) {
                Ok(Heading::When(condition)) => conditions.push((condition, at)),
                Ok(Heading::Then(member)) => results.push((member, at)),
                Ok(Heading::ValidFrom | Heading::ValidTo | Heading::Note) => {}
                Err(message) => faults.push(SheetFault::column(name, message)),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if results.is_empty() {
            return Err(vec![SheetFault::row(1, "no column begins with then: nothing is decided")]);
        }
        conditions.sort();
        let places: Vec<usize> = conditions.iter().map(|(_, at)| *at).collect();
        let columns: Vec<Column> = conditions
            .iter()
            .map(|(condition, at)| Column {
                name: sheet.header[*at].clone(),
                kind: condition.kind(),
            })
            .collect();
        let table = decision_table(&sheet, &columns, &places, |row| outcome(row, &results))?;
        let conditions = conditions.into_iter().map(|(condition, _)| condition).collect();
        Ok(Self { sheet, conditions, table })
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The row that a share is coded by.
    pub fn find(&self, facts: &ShareFacts<'_>, tables: &Tables) -> Option<Found<'_>> {
        let values: Vec<Option<Value>> =
            self.conditions.iter().map(|condition| condition.value(facts, tables)).collect();
        let row = self.table.decide(&values, facts.on)?;
        Some(Found { row: row.number, outcome: &row.result })
    }

    /// What each row says, by its number.
    pub fn outcomes(&self) -> impl Iterator<Item = Found<'_>> {
        self.table.rows().map(|row| Found { row: row.number, outcome: &row.result })
    }
}

/// Reads the conditions and the days of each row.
pub(super) fn decision_table<R: Eq>(
    sheet: &Sheet,
    columns: &[Column],
    places: &[usize],
    result: impl Fn(&SheetRow) -> Result<R, SheetFault>,
) -> Result<DecisionTable<R>, Vec<SheetFault>> {
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for row in &sheet.rows {
        let mut cells = Vec::new();
        for (column, at) in columns.iter().zip(places) {
            match Cell::parse(&row.cells[*at], column.kind) {
                Ok(cell) => cells.push(cell),
                Err(message) => faults.push(SheetFault::cell(row.number, &column.name, message)),
            }
        }
        let mut day = |name: &str| -> Option<Date> {
            let text = sheet.column(name).map(|at| row.cells[at].as_str())?;
            let read = (!text.is_empty()).then(|| text.parse())?;
            let no_day = || format!("`{text}` is no day such as 2026-01-31");
            read.map_err(|_| faults.push(SheetFault::cell(row.number, name, no_day()))).ok()
        };
        let (valid_from, valid_to) = (day("valid_from"), day("valid_to"));
        if let (Some(from), Some(to)) = (valid_from, valid_to)
            && from > to
        {
            let message = format!("{to} is before valid_from, {from}");
            faults.push(SheetFault::cell(row.number, "valid_to", message));
        }
        match result(row) {
            Ok(result) => {
                rows.push(Row { number: row.number, cells, valid_from, valid_to, result });
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    DecisionTable::new(columns, rows).map_err(|ties| ties.iter().map(tied).collect())
}

fn tied(tie: &Tie) -> SheetFault {
    let (first, second) = tie.rows;
    let example: Vec<String> =
        tie.example.iter().map(|(column, value)| format!("{column} = {value}")).collect();
    let example = match example.as_slice() {
        [] => "for every document".to_owned(),
        said => format!("for example for {}", said.join(", ")),
    };
    SheetFault::row(
        second,
        format!(
            "row {first} fits as well and says something else, {example}: give one of the two a \
             further or a narrower condition, or take one out"
        ),
    )
}

fn join(faults: &[SheetFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A member of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Account,
    Segment(i64),
    VatCategory,
    Branch,
    Project,
    Terms,
    Unit,
}

enum Heading {
    When(Condition),
    Then(Member),
    ValidFrom,
    ValidTo,
    Note,
}

impl Heading {
    fn parse(name: &str) -> Result<Self, String> {
        if let Some(condition) = name.strip_prefix("when:") {
            return Condition::parse(condition).map(Self::When);
        }
        if let Some(member) = name.strip_prefix("then:") {
            return Member::parse(member).map(Self::Then);
        }
        match name {
            "valid_from" => Ok(Self::ValidFrom),
            "valid_to" => Ok(Self::ValidTo),
            "note" => Ok(Self::Note),
            _ => {
                Err("a column is when:CONDITION, then:RESULT, valid_from, valid_to or note"
                    .to_owned())
            }
        }
    }
}

impl Condition {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "supplier" => Self::Supplier,
            "vendor" => Self::Vendor,
            "item" => Self::Item,
            "commodity" => Self::Commodity,
            "category" => Self::Category,
            "project" => Self::Project,
            "account" => Self::Account,
            "business_unit" => Self::BusinessUnit,
            "tax" => Self::Tax,
            "currency" => Self::Currency,
            "amount" => Self::Amount,
            "date" => Self::Day,
            _ => match name.strip_prefix("dimension:").map(str::trim) {
                Some(dimension) if !dimension.is_empty() => Self::Dimension(dimension.to_owned()),
                Some(_) | None => {
                    return Err("there is no such condition: supplier, vendor, item, commodity, \
                         category, project, dimension:NAME, account, business_unit, tax, currency, \
                         amount, date"
                        .into());
                }
            },
        })
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Amount => Kind::Amount,
            Self::Day => Kind::Day,
            Self::Supplier
            | Self::Vendor
            | Self::Item
            | Self::Commodity
            | Self::Category
            | Self::Project
            | Self::Dimension(_)
            | Self::Account
            | Self::BusinessUnit
            | Self::Tax
            | Self::Currency => Kind::Text,
        }
    }

    fn value(&self, facts: &ShareFacts<'_>, tables: &Tables) -> Option<Value> {
        let dimension = |name: &str| facts.values.get(name).map(String::as_str);
        let text = match self {
            Self::Amount => return Some(Value::Amount(facts.amount.abs())),
            Self::Day => return Some(Value::Day(facts.on)),
            Self::Supplier => facts.supplier,
            Self::Vendor => facts.vendor,
            Self::Item => facts.item,
            Self::Commodity => facts.commodity,
            Self::Category => facts.category,
            Self::Project => dimension(tables.project_dimension.as_deref().unwrap_or("Project")),
            Self::Dimension(name) => dimension(name),
            Self::Account => dimension(tables.account_dimension()),
            Self::BusinessUnit => facts.business_unit,
            Self::Tax => facts.tax,
            Self::Currency => Some(facts.currency),
        };
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        Some(Value::Text(text.to_owned()))
    }
}

impl Member {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "account" => Self::Account,
            "vat_category" => Self::VatCategory,
            "branch" => Self::Branch,
            "project" => Self::Project,
            "terms" => Self::Terms,
            "unit" => Self::Unit,
            _ => match name.strip_prefix("segment:").and_then(|id| id.trim().parse().ok()) {
                Some(id) => Self::Segment(id),
                None => {
                    return Err("there is no such result: account, segment:NUMBER, vat_category, \
                         branch, project, terms, unit"
                        .into());
                }
            },
        })
    }
}

fn outcome(row: &SheetRow, results: &[(Member, usize)]) -> Result<Outcome, SheetFault> {
    let mut outcome = Outcome::default();
    for (member, at) in results {
        let text = Some(row.cells[*at].clone()).filter(|text| !text.is_empty());
        match member {
            Member::Account => outcome.account = text,
            Member::Segment(id) => outcome.segments.extend(text.map(|text| (*id, text))),
            Member::VatCategory => outcome.vat_category = text,
            Member::Branch => outcome.branch = text,
            Member::Project => outcome.project = text,
            Member::Terms => outcome.terms = text,
            Member::Unit => outcome.unit = text,
        }
    }
    Ok(outcome)
}
