//! Which accounts may go with which segment values: a company's own restrictions, which its ERP
//! need not know. What no row speaks of is allowed.

use super::Coding;
use super::coding_table::decision_table;
use super::decision_table::{Column, DecisionTable, Kind, Value};
use super::sheet::{Sheet, SheetFault, SheetRow};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A table that was checked. It is kept and compared as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Combinations {
    sheet: Sheet,
    places: Vec<Place>,
    table: DecisionTable<Verdict>,
}

/// What a row looks at; in the order that settles which row is more specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Account,
    Project,
    Segment(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Deny,
}

impl PartialEq for Combinations {
    fn eq(&self, other: &Self) -> bool {
        self.sheet == other.sheet
    }
}

impl Eq for Combinations {}

impl From<Combinations> for String {
    fn from(table: Combinations) -> Self {
        table.sheet.write()
    }
}

impl TryFrom<String> for Combinations {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let sheet = Sheet::read(text.as_bytes()).map_err(|fault| fault.to_string())?;
        Self::new(sheet)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

impl Combinations {
    /// The header of an empty table.
    pub const COLUMNS: [&str; 7] =
        ["account", "segment:1", "segment:2", "verdict", "valid_from", "valid_to", "note"];

    pub fn new(sheet: Sheet) -> Result<Self, Vec<SheetFault>> {
        let mut columns: Vec<(Place, usize)> = Vec::new();
        let mut faults = Vec::new();
        for (at, name) in sheet.header.iter().enumerate() {
            let segment = name.strip_prefix("segment:").and_then(|id| id.trim().parse().ok());
            match (name.as_str(), segment) {
                ("account", _) => columns.push((Place::Account, at)),
                ("project", _) => columns.push((Place::Project, at)),
                (_, Some(id)) => columns.push((Place::Segment(id), at)),
                ("verdict" | "valid_from" | "valid_to" | "note", None) => {}
                (_, None) => faults.push(SheetFault::column(
                    name,
                    "a column is account, project, segment:NUMBER, verdict, valid_from, valid_to or note",
                )),
            }
        }
        let Some(verdict) = sheet.column("verdict") else {
            faults.push(SheetFault::row(1, "there is no column verdict"));
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        columns.sort();
        let at: Vec<usize> = columns.iter().map(|(_, at)| *at).collect();
        let named: Vec<Column> = at
            .iter()
            .map(|at| Column { name: sheet.header[*at].clone(), kind: Kind::Text })
            .collect();
        let table = decision_table(&sheet, &named, &at, |row| read_verdict(row, verdict))?;
        let places = columns.into_iter().map(|(place, _)| place).collect();
        Ok(Self { sheet, places, table })
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The number of the row that forbids a coding, if one does.
    pub fn denied_by(&self, coding: &Coding, on: Date) -> Option<usize> {
        let values: Vec<Option<Value>> = self
            .places
            .iter()
            .map(|place| {
                let text = match place {
                    Place::Account => Some(&coding.account),
                    Place::Project => coding.project.as_ref(),
                    Place::Segment(id) => {
                        coding.segments.iter().find(|(of, _)| of == id).map(|(_, value)| value)
                    }
                };
                text.cloned().map(Value::Text)
            })
            .collect();
        let row = self.table.decide(&values, on)?;
        match row.result {
            Verdict::Allow => None,
            Verdict::Deny => Some(row.number),
        }
    }
}

fn read_verdict(row: &SheetRow, at: usize) -> Result<Verdict, SheetFault> {
    match row.cells[at].as_str() {
        "allow" => Ok(Verdict::Allow),
        "deny" => Ok(Verdict::Deny),
        other => {
            let message = format!("`{other}` is neither allow nor deny");
            Err(SheetFault::cell(row.number, "verdict", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn table(text: &str) -> Result<Combinations, String> {
        Combinations::try_from(text.to_owned())
    }

    fn coding(account: &str, department: &str) -> Coding {
        Coding { account: account.into(), segments: vec![(1, department.into())], project: None }
    }

    #[test]
    fn the_most_specific_row_allows_or_denies_and_silence_allows() {
        let table = table(
            "account,segment:1,verdict,valid_to\n\
             65*,,deny,\n6540,110|120,allow,\n6540,130,allow,2026-01-31\n,999,deny,\n",
        )
        .unwrap();
        let cases = [
            ("7000", "110", None),
            ("6540", "110", None),
            ("6540", "140", Some(2)),
            ("6500", "110", Some(2)),
            ("6540", "130", Some(2)),
            ("7000", "999", Some(5)),
        ];
        for (account, department, denied) in cases {
            let coding = coding(account, department);
            assert_eq!(table.denied_by(&coding, date(2026, 2, 1)), denied, "{coding:?}");
        }
        assert_eq!(table.denied_by(&coding("6540", "130"), date(2026, 1, 31)), None);
    }

    #[test]
    fn a_wrong_table_says_where() {
        let cases = [
            ("account,verdict\n6540,never\n", "row 2, column verdict, `never` is neither"),
            ("account,department,verdict\n", "column department, a column is account"),
            ("account\n6540\n", "row 1, there is no column verdict"),
            (
                "account,segment:1,verdict\n6540|6541,,deny\n6541|6542,,allow\n",
                "row 3, row 2 fits as well and says something else, for example for account = 6541",
            ),
        ];
        for (text, says) in cases {
            let fault = table(text).unwrap_err();
            assert!(fault.contains(says), "{fault}");
        }
    }
}
