//! The tables of a connection by their names, each as a spreadsheet and back.

use super::{CodingTable, Combinations, Sheet, SheetFault, Tables};
use std::collections::BTreeMap;

/// A table that people keep as a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableName {
    Coding,
    Combinations,
    Accounts,
    Segments,
    Vat,
    Terms,
    Units,
    Branches,
    Projects,
}

const SEGMENT: &str = "segment";
const FROM: &str = "jaggaer";
const TO: &str = "visma";
const NOTE: &str = "note";

impl TableName {
    pub const ALL: [Self; 9] = [
        Self::Coding,
        Self::Combinations,
        Self::Accounts,
        Self::Segments,
        Self::Vat,
        Self::Terms,
        Self::Units,
        Self::Branches,
        Self::Projects,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Combinations => "combinations",
            Self::Accounts => "accounts",
            Self::Segments => "segments",
            Self::Vat => "vat",
            Self::Terms => "terms",
            Self::Units => "units",
            Self::Branches => "branches",
            Self::Projects => "projects",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// The table as it counts in `tables`.
    pub fn sheet(self, tables: &Tables) -> Sheet {
        match self {
            Self::Coding if tables.coding.is_empty() => Sheet::new(&CodingTable::COLUMNS),
            Self::Coding => tables.coding.sheet().clone(),
            Self::Combinations if tables.combinations.is_empty() => {
                Sheet::new(&Combinations::COLUMNS)
            }
            Self::Combinations => tables.combinations.sheet().clone(),
            Self::Segments => {
                let mut sheet = Sheet::new(&[SEGMENT, FROM, TO, NOTE]);
                for rule in &tables.segments {
                    for (from, to) in &rule.table {
                        sheet.push([rule.id.to_string(), from.clone(), to.clone(), String::new()]);
                    }
                }
                sheet
            }
            Self::Accounts => pairs(&tables.accounts.table),
            Self::Vat => pairs(&tables.vat.table),
            Self::Terms => pairs(&tables.terms.table),
            Self::Units => pairs(&tables.units.table),
            Self::Branches => pairs(&tables.branches.table),
            Self::Projects => pairs(&tables.projects.table),
        }
    }

    /// Puts a table in the place of the one in `tables`. Says everything that is wrong with it.
    pub fn put(self, sheet: Sheet, tables: &mut Tables) -> Result<(), Vec<SheetFault>> {
        match self {
            Self::Coding => tables.coding = CodingTable::new(sheet)?,
            Self::Combinations => tables.combinations = Combinations::new(sheet)?,
            Self::Segments => {
                let mut by_segment = segments(&sheet, tables)?;
                for rule in &mut tables.segments {
                    rule.table = by_segment.remove(&rule.id).unwrap_or_default();
                }
            }
            Self::Accounts => tables.accounts.table = read_pairs(&sheet)?,
            Self::Vat => tables.vat.table = read_pairs(&sheet)?,
            Self::Terms => tables.terms.table = read_pairs(&sheet)?,
            Self::Units => tables.units.table = read_pairs(&sheet)?,
            Self::Branches => tables.branches.table = read_pairs(&sheet)?,
            Self::Projects => tables.projects.table = read_pairs(&sheet)?,
        }
        Ok(())
    }
}

fn pairs(table: &BTreeMap<String, String>) -> Sheet {
    let mut sheet = Sheet::new(&[FROM, TO, NOTE]);
    for (from, to) in table {
        sheet.push([from.clone(), to.clone(), String::new()]);
    }
    sheet
}

/// The places of columns that must be there; another than these and a note is refused.
fn columns<const N: usize>(sheet: &Sheet, names: [&str; N]) -> Result<[usize; N], Vec<SheetFault>> {
    let known = |name: &str| names.contains(&name) || name == NOTE;
    let mut faults: Vec<SheetFault> = sheet
        .header
        .iter()
        .filter(|name| !known(name))
        .map(|name| {
            SheetFault::column(name, format!("the columns are {}, {NOTE}", names.join(", ")))
        })
        .collect();
    let places = names.map(|name| sheet.column(name));
    for (name, place) in names.iter().zip(&places) {
        if place.is_none() {
            faults.push(SheetFault::row(1, format!("there is no column {name}")));
        }
    }
    if faults.is_empty() {
        Ok(places.map(|place| place.expect("none is missing")))
    } else {
        Err(faults)
    }
}

fn read_pairs(sheet: &Sheet) -> Result<BTreeMap<String, String>, Vec<SheetFault>> {
    let [from, to] = columns(sheet, [FROM, TO])?;
    let mut table = BTreeMap::new();
    let mut seen = BTreeMap::new();
    let mut faults = Vec::new();
    for row in &sheet.rows {
        let (code, value) = (&row.cells[from], &row.cells[to]);
        faults.extend(empty(row.number, [(FROM, code), (TO, value)]));
        if let Some(first) = seen.insert(code.clone(), row.number) {
            faults.push(twice(row.number, code, first));
        }
        table.insert(code.clone(), value.clone());
    }
    if faults.is_empty() { Ok(table) } else { Err(faults) }
}

fn segments(
    sheet: &Sheet,
    tables: &Tables,
) -> Result<BTreeMap<i64, BTreeMap<String, String>>, Vec<SheetFault>> {
    let [segment, from, to] = columns(sheet, [SEGMENT, FROM, TO])?;
    let mut found: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    let mut faults = Vec::new();
    for row in &sheet.rows {
        let (id, code, value) = (&row.cells[segment], &row.cells[from], &row.cells[to]);
        faults.extend(empty(row.number, [(FROM, code), (TO, value)]));
        let rule = tables.segments.iter().find(|rule| rule.id.to_string() == *id);
        let Some(rule) = rule else {
            let message =
                format!("`{id}` is no segment that [[connection.mapping.segments]] has a rule for");
            faults.push(SheetFault::cell(row.number, SEGMENT, message));
            continue;
        };
        if let Some(first) = seen.insert((rule.id, code.clone()), row.number) {
            faults.push(twice(row.number, code, first));
        }
        found.entry(rule.id).or_default().insert(code.clone(), value.clone());
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

fn empty<const N: usize>(row: usize, cells: [(&str, &String); N]) -> Vec<SheetFault> {
    let empty = cells.into_iter().filter(|(_, cell)| cell.is_empty());
    empty.map(|(name, _)| SheetFault::cell(row, name, "it is empty")).collect()
}

fn twice(row: usize, code: &str, first: usize) -> SheetFault {
    SheetFault::cell(row, FROM, format!("{code} stands in row {first} already"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::SegmentRule;

    fn tables() -> Tables {
        let rule = |id| SegmentRule {
            id,
            dimension: None,
            same_code: true,
            default: None,
            table: BTreeMap::from([("OSLO".to_owned(), format!("{id}10"))]),
        };
        let mut tables = Tables { segments: vec![rule(1), rule(2)], ..Tables::default() };
        tables.vat.table.insert("NO-25".into(), "K25".into());
        let coding = "when:account,then:account\n0100,6540\n".to_owned();
        tables.coding = CodingTable::try_from(coding).unwrap();
        let combinations = "account,verdict\n-1,deny\n".to_owned();
        tables.combinations = Combinations::try_from(combinations).unwrap();
        tables
    }

    #[test]
    fn what_is_exported_and_imported_again_is_the_same() {
        for name in TableName::ALL {
            assert_eq!(TableName::parse(name.as_str()), Some(name));
            let mut again = tables();
            let written = name.sheet(&again).write();
            let sheet = Sheet::read(written.as_bytes()).unwrap();
            name.put(sheet, &mut again).unwrap_or_else(|faults| panic!("{name:?}: {faults:?}"));
            assert_eq!(again, tables(), "{name:?}");
        }
    }

    #[test]
    fn an_import_replaces_the_whole_table_and_nothing_else() {
        let mut tables = tables();
        let sheet = Sheet::read(b"segment;jaggaer;visma;note\n2;BERGEN;220;new\n").unwrap();
        TableName::Segments.put(sheet, &mut tables).unwrap();
        assert!(tables.segments[0].table.is_empty() && tables.segments[0].same_code);
        assert_eq!(tables.segments[1].table, BTreeMap::from([("BERGEN".into(), "220".into())]));
        assert_eq!(tables.vat.table.len(), 1);
    }

    #[test]
    fn a_wrong_table_says_row_and_column() {
        let cases = [
            (TableName::Vat, "jaggaer,to\n", "column to, the columns are jaggaer, visma, note"),
            (TableName::Vat, "jaggaer,to\n", "row 1, there is no column visma"),
            (TableName::Vat, "jaggaer,visma\nA,\n", "row 2, column visma, it is empty"),
            (
                TableName::Vat,
                "jaggaer,visma\nA,B\nA,C\n",
                "row 3, column jaggaer, A stands in row 2 already",
            ),
            (
                TableName::Segments,
                "segment,jaggaer,visma\n3,A,B\n",
                "row 2, column segment, `3` is no segment",
            ),
            (
                TableName::Coding,
                "when:colour,then:account\n",
                "column when:colour, there is no such",
            ),
            (
                TableName::Coding,
                "when:account,then:colour\n",
                "column then:colour, there is no such",
            ),
            (TableName::Coding, "account\n", "column account, a column is when:CONDITION"),
            (TableName::Coding, "when:account\n", "row 1, no column begins with then"),
            (
                TableName::Coding,
                "when:amount,then:account,valid_from,valid_to\n5*,1,,\n,1,2026-13-01,\n,1,2026-02-01,2026-01-01\n",
                "row 2, column when:amount, `5*`: only a code has a beginning",
            ),
            (
                TableName::Coding,
                "then:account,valid_from\n1,2026-13-01\n",
                "row 2, column valid_from, `2026-13-01` is no day",
            ),
            (
                TableName::Coding,
                "then:account,valid_from,valid_to\n1,2026-02-01,2026-01-01\n",
                "row 2, column valid_to, 2026-01-01 is before valid_from, 2026-02-01",
            ),
            (
                TableName::Coding,
                "then:account,then:terms\n1,30\n1,14\n",
                "row 3, row 2 fits as well and says something else, for every document",
            ),
        ];
        for (name, text, says) in cases {
            let sheet = Sheet::read(text.as_bytes()).unwrap();
            let faults = name.put(sheet, &mut tables()).unwrap_err();
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert!(told.iter().any(|fault| fault.starts_with(says)), "{told:?}");
        }
    }
}
