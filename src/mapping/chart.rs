//! Whether the ERP has what a table leads to.

use super::nearest::{self, Candidate, near};
use super::{Sheet, SheetFault, TableName};
use crate::procurement::ReferenceData;

/// What a column's values must be.
#[derive(Debug, Clone, Copy)]
enum Target {
    Account,
    Segment(i64),
    VatCategory,
    Terms,
    Branch,
}

/// Values of a table that the ERP does not have, or that are not in use there. They make no table
/// wrong: who opens an account tomorrow may map to it today.
pub fn check(name: TableName, sheet: &Sheet, reference: &ReferenceData) -> Vec<SheetFault> {
    let mut found = Vec::new();
    for (at, column) in sheet.header.iter().enumerate() {
        for row in &sheet.rows {
            let value = row.cells[at].as_str();
            let target = target(name, column, || {
                sheet.column("segment").and_then(|at| row.cells[at].parse().ok())
            });
            let Some(target) = target.filter(|_| !value.is_empty()) else { continue };
            if let Some(message) = target.fault(value, reference) {
                found.push(SheetFault::cell(row.number, column, message));
            }
        }
    }
    found.sort_by_key(|fault| fault.row);
    found
}

fn target(name: TableName, column: &str, segment: impl Fn() -> Option<i64>) -> Option<Target> {
    let visma = column == "visma";
    match name {
        TableName::Coding => match column.strip_prefix("then:")? {
            "account" => Some(Target::Account),
            "vat_category" => Some(Target::VatCategory),
            "terms" => Some(Target::Terms),
            "branch" => Some(Target::Branch),
            result => {
                let id = result.strip_prefix("segment:")?;
                id.trim().parse().ok().map(Target::Segment)
            }
        },
        TableName::Accounts if visma => Some(Target::Account),
        TableName::Segments if visma => segment().map(Target::Segment),
        TableName::Vat if visma => Some(Target::VatCategory),
        TableName::Terms if visma => Some(Target::Terms),
        TableName::Branches if visma => Some(Target::Branch),
        TableName::Accounts
        | TableName::Segments
        | TableName::Vat
        | TableName::Terms
        | TableName::Branches
        | TableName::Combinations
        | TableName::Units
        | TableName::Projects => None,
    }
}

impl Target {
    fn fault(self, value: &str, reference: &ReferenceData) -> Option<String> {
        match self {
            Self::Account => {
                let known = reference.accounts.get(value).map(|of| of.active);
                said("account", value, known, nearest::accounts(reference))
            }
            Self::Segment(id) => {
                let Some(segment) = reference.segments.get(&id) else {
                    return Some(format!("Visma's subaccount has no segment {id}"));
                };
                let known = segment.values.get(value).map(|of| of.active);
                let known = if segment.validate { known } else { known.or(Some(true)) };
                said(
                    &format!("value of segment {id}"),
                    value,
                    known,
                    nearest::segment_values(reference, id),
                )
            }
            Self::VatCategory => {
                let known = reference.vat_categories.get(value).map(|of| of.active);
                said("VAT category", value, known, nearest::vat_categories(reference))
            }
            Self::Terms => {
                let known = reference.credit_terms.get(value).map(|_| true);
                said("credit terms", value, known, nearest::credit_terms(reference))
            }
            Self::Branch => {
                let known = reference.branches.get(value).map(|of| of.active);
                said("branch", value, known, nearest::branches(reference))
            }
        }
    }
}

/// `known`: whether it is active, when the ERP has it.
fn said<'a>(
    what: &str,
    value: &str,
    known: Option<bool>,
    candidates: impl Iterator<Item = Candidate<'a>>,
) -> Option<String> {
    match known {
        Some(true) => None,
        Some(false) => Some(format!("{what} {value} is not active in Visma")),
        None => Some(match near(value, candidates).as_slice() {
            [] => format!("Visma has no {what} {value}"),
            near => format!("Visma has no {what} {value}; did you mean {}?", near.join(" or ")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Account, Segment, SegmentValue, Supplier};
    use std::collections::BTreeMap;

    fn reference() -> ReferenceData {
        let account =
            |active| Account { description: "Inventar".into(), active, ..Account::default() };
        let value = SegmentValue { description: "Salg".into(), active: true };
        let segment = |validate, value| Segment {
            validate,
            values: BTreeMap::from([value]),
            ..Segment::default()
        };
        ReferenceData {
            accounts: BTreeMap::from([
                ("6540".to_owned(), account(true)),
                ("6999".to_owned(), account(false)),
            ]),
            segments: BTreeMap::from([
                (1, segment(true, ("110".to_owned(), value.clone()))),
                (2, segment(false, ("000000".to_owned(), value))),
            ]),
            suppliers: BTreeMap::from([("50001".to_owned(), Supplier::default())]),
            ..ReferenceData::default()
        }
    }

    #[test]
    fn what_the_erp_lacks_is_named_with_its_place() {
        let cases: [(TableName, &str, &[&str]); 3] = [
            (
                TableName::Coding,
                "when:account,then:account,then:segment:1,then:segment:2,then:segment:3,then:terms\n\
                 9,6540,110,free,,\n9,6541,999,,1,30\n9,6999,,,,\n",
                &[
                    "row 3, column then:account, Visma has no account 6541; did you mean 6540 (Inventar)?",
                    "row 3, column then:segment:1, Visma has no value of segment 1 999",
                    "row 3, column then:segment:3, Visma's subaccount has no segment 3",
                    "row 3, column then:terms, Visma has no credit terms 30",
                    "row 4, column then:account, account 6999 is not active in Visma",
                ],
            ),
            (
                TableName::Segments,
                "segment,jaggaer,visma\n1,A,110\n1,B,111\n2,A,111\n",
                &[
                    "row 3, column visma, Visma has no value of segment 1 111; did you mean 110 (Salg)?",
                ],
            ),
            (TableName::Units, "jaggaer,visma\nEA,STK\n", &[]),
        ];
        for (name, text, expected) in cases {
            let sheet = Sheet::read(text.as_bytes()).unwrap();
            let found = check(name, &sheet, &reference());
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{name:?}");
        }
    }
}
