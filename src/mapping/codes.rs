//! A share's codes, and a document's, in the ERP's own words and checked against what the ERP has.

use super::nearest::{self, near};
use super::{Mapped, Outcome, SegmentRule, Tables};
use crate::procurement::ReferenceData;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Where a share is booked, in the ERP's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    pub account: String,
    /// All segments of the subaccount, in segment order.
    pub segments: Vec<(i64, String)>,
    pub project: Option<String>,
}

/// Why a share cannot be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodingFault {
    AccountMissing {
        dimension: String,
    },
    AccountNotMapped {
        code: String,
    },
    AccountUnknown {
        account: String,
        /// What could be meant, as people read it.
        near: Vec<String>,
    },
    AccountInactive {
        account: String,
        name: String,
    },
    /// A cash account: only payments may move it.
    AccountNotAllowed {
        account: String,
        name: String,
    },
    SegmentMissing {
        segment: String,
        dimension: Option<String>,
    },
    SegmentNotMapped {
        segment: String,
        code: String,
    },
    SegmentUnknown {
        segment: String,
        value: String,
        near: Vec<String>,
    },
    SegmentInactive {
        segment: String,
        value: String,
        name: String,
    },
    SegmentTooLong {
        segment: String,
        value: String,
        length: i64,
    },
    /// The mapping names a segment that the ERP's subaccount does not have.
    SegmentNotInErp {
        id: String,
    },
    ProjectNotMapped {
        code: String,
    },
    /// The company's own restrictions forbid it.
    CombinationBlocked {
        account: String,
        /// `segment 1 (Avdeling) 110`, for each.
        with: Vec<String>,
        /// Of the table of combinations.
        row: usize,
    },
}

/// Codes one share: by the row of the coding table that was found for it, and where that says
/// nothing by its dimension values.
pub fn code_share(
    values: &BTreeMap<String, String>,
    outcome: &Outcome,
    on: Date,
    tables: &Tables,
    reference: &ReferenceData,
) -> Result<Coding, Vec<CodingFault>> {
    let value = |dimension: &str| values.get(dimension).map(String::as_str);
    let mut faults = Vec::new();

    let dimension = tables.account_dimension();
    let mapped = match &outcome.account {
        Some(account) => Mapped::To(account),
        None => tables.accounts.map(value(dimension)),
    };
    let account = match mapped {
        Mapped::To(account) => checked_account(account, reference, &mut faults),
        Mapped::Absent => {
            faults.push(CodingFault::AccountMissing { dimension: dimension.into() });
            None
        }
        Mapped::NotMapped(code) => {
            faults.push(CodingFault::AccountNotMapped { code: code.into() });
            None
        }
    };
    let segments = code_segments(
        &outcome.segments,
        |rule| match &rule.dimension {
            Some(dimension) => rule.map(value(dimension)),
            None => rule.map(None),
        },
        tables,
        reference,
        &mut faults,
    );
    let project = match (&outcome.project, &tables.project_dimension) {
        (Some(project), _) => Some(project.clone()),
        (None, Some(dimension)) => match tables.projects.map(value(dimension)) {
            Mapped::To(project) => Some(project.to_owned()),
            Mapped::Absent => None,
            Mapped::NotMapped(code) => {
                faults.push(CodingFault::ProjectNotMapped { code: code.into() });
                None
            }
        },
        (None, None) => tables.projects.default.clone(),
    };
    checked(account, segments, project, on, tables, reference, faults)
}

/// Codes something that has no share of the source behind it: a header charge, whose account and
/// segment values, by segment id, stand in the configuration.
pub fn code_fixed(
    account: &str,
    values: &BTreeMap<String, String>,
    on: Date,
    tables: &Tables,
    reference: &ReferenceData,
) -> Result<Coding, Vec<CodingFault>> {
    let mut faults = Vec::new();
    let account = checked_account(account, reference, &mut faults);
    let mut chosen = BTreeMap::new();
    for (key, value) in values {
        match key.parse() {
            Ok(id) => {
                chosen.insert(id, value.clone());
            }
            Err(_) => faults.push(CodingFault::SegmentNotInErp { id: key.clone() }),
        }
    }
    let segments = code_segments(&chosen, |rule| rule.map(None), tables, reference, &mut faults);
    let project = tables.projects.default.clone();
    checked(account, segments, project, on, tables, reference, faults)
}

/// The whole coding, when nothing is wrong with it.
fn checked(
    account: Option<String>,
    segments: Vec<(i64, String)>,
    project: Option<String>,
    on: Date,
    tables: &Tables,
    reference: &ReferenceData,
    faults: Vec<CodingFault>,
) -> Result<Coding, Vec<CodingFault>> {
    let Some(account) = account.filter(|_| faults.is_empty()) else { return Err(faults) };
    let coding = Coding { account, segments, project };
    let Some(row) = tables.combinations.denied_by(&coding, on) else { return Ok(coding) };
    let with = coding
        .segments
        .iter()
        .map(|(id, value)| format!("{value} in segment {}", segment_name(*id, reference)))
        .chain(coding.project.iter().map(|project| format!("project {project}")))
        .collect();
    Err(vec![CodingFault::CombinationBlocked { account: coding.account, with, row }])
}

fn checked_account(
    account: &str,
    reference: &ReferenceData,
    faults: &mut Vec<CodingFault>,
) -> Option<String> {
    let number = account.to_owned();
    match reference.accounts.get(account) {
        None => faults.push(CodingFault::AccountUnknown {
            near: near(account, nearest::accounts(reference)),
            account: number,
        }),
        Some(known) if !known.active => faults.push(CodingFault::AccountInactive {
            account: number,
            name: known.description.clone(),
        }),
        Some(known) if known.is_cash_account => faults.push(CodingFault::AccountNotAllowed {
            account: number,
            name: known.description.clone(),
        }),
        Some(_) => return Some(number),
    }
    None
}

/// Values that were chosen beat the rules; a rule says what nobody chose.
fn code_segments<'a>(
    chosen: &BTreeMap<i64, String>,
    mapped: impl Fn(&'a SegmentRule) -> Mapped<'a>,
    tables: &'a Tables,
    reference: &ReferenceData,
    faults: &mut Vec<CodingFault>,
) -> Vec<(i64, String)> {
    let named: BTreeSet<i64> =
        tables.segments.iter().map(|rule| rule.id).chain(chosen.keys().copied()).collect();
    for id in named.iter().filter(|id| !reference.segments.contains_key(id)) {
        faults.push(CodingFault::SegmentNotInErp { id: id.to_string() });
    }
    let mut coded = BTreeMap::new();
    for rule in &tables.segments {
        if !reference.segments.contains_key(&rule.id) || chosen.contains_key(&rule.id) {
            continue;
        }
        let segment = segment_name(rule.id, reference);
        match mapped(rule) {
            Mapped::To(value) => {
                check_value(rule.id, value, reference, faults);
                coded.insert(rule.id, value.to_owned());
            }
            Mapped::Absent => faults
                .push(CodingFault::SegmentMissing { segment, dimension: rule.dimension.clone() }),
            Mapped::NotMapped(code) => {
                faults.push(CodingFault::SegmentNotMapped { segment, code: code.into() });
            }
        }
    }
    for (id, value) in chosen {
        check_value(*id, value, reference, faults);
        coded.insert(*id, value.clone());
    }
    // The ERP would put its own default into a segment that is not sent, and nobody chose that.
    for id in reference.segments.keys().filter(|id| !named.contains(id)) {
        faults.push(CodingFault::SegmentMissing {
            segment: segment_name(*id, reference),
            dimension: None,
        });
    }
    coded.into_iter().collect()
}

fn check_value(id: i64, value: &str, reference: &ReferenceData, faults: &mut Vec<CodingFault>) {
    let Some(segment) = reference.segments.get(&id) else { return };
    let name = segment_name(id, reference);
    let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    if segment.length > 0 && length > segment.length {
        faults.push(CodingFault::SegmentTooLong {
            segment: name,
            value: value.into(),
            length: segment.length,
        });
        return;
    }
    match segment.values.get(value) {
        Some(known) if !known.active => faults.push(CodingFault::SegmentInactive {
            segment: name,
            value: value.into(),
            name: known.description.clone(),
        }),
        Some(_) => {}
        None if segment.validate => {
            faults.push(CodingFault::SegmentUnknown {
                segment: name,
                value: value.into(),
                near: near(value, nearest::segment_values(reference, id)),
            });
        }
        None => {}
    }
}

/// `1 (Avdeling)`.
fn segment_name(id: i64, reference: &ReferenceData) -> String {
    match reference.segments.get(&id).map(|segment| segment.description.as_str()) {
        Some(description) if !description.is_empty() => format!("{id} ({description})"),
        _ => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Account, Segment, SegmentValue};
    use jiff::civil::date;

    fn reference() -> ReferenceData {
        let account = |number: &str, active, is_cash_account| Account {
            number: number.into(),
            description: format!("Konto {number}"),
            active,
            kind: "Expense".into(),
            is_cash_account,
        };
        let value = |active| SegmentValue { description: "Verdi".into(), active };
        let segment = |id, length, validate, values: &[(&str, bool)]| Segment {
            id,
            description: format!("Segment {id}"),
            length,
            validate,
            values: values.iter().map(|(v, active)| ((*v).to_owned(), value(*active))).collect(),
        };
        ReferenceData {
            accounts: [
                account("6540", true, false),
                account("6999", false, false),
                account("1920", true, true),
            ]
            .into_iter()
            .map(|a| (a.number.clone(), a))
            .collect(),
            segments: BTreeMap::from([
                (1, segment(1, 3, true, &[("110", true), ("399", false)])),
                (2, segment(2, 6, false, &[("000000", true)])),
            ]),
            ..ReferenceData::default()
        }
    }

    fn tables() -> Tables {
        let rule = |id, dimension: &str, default: Option<&str>| SegmentRule {
            id,
            dimension: Some(dimension.into()),
            same_code: true,
            default: default.map(str::to_owned),
            table: BTreeMap::new(),
        };
        let mut tables = Tables {
            segments: vec![rule(2, "Project", Some("000000")), rule(1, "CostCenter", None)],
            ..Tables::default()
        };
        tables.accounts.same_code = true;
        tables
    }

    fn code(values: &[(&str, &str)], tables: &Tables) -> Result<Coding, Vec<CodingFault>> {
        let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        code_share(&values, &Outcome::default(), date(2026, 9, 28), tables, &reference())
    }

    #[test]
    fn a_share_is_coded_in_segment_order() {
        let coding = code(&[("Account", "6540"), ("CostCenter", " 110 ")], &tables()).unwrap();
        assert_eq!(coding.account, "6540");
        assert_eq!(coding.segments, [(1, "110".to_owned()), (2, "000000".to_owned())]);
        assert_eq!(coding.project, None);
    }

    #[test]
    fn each_fault_of_a_code() {
        let segment = || "1 (Segment 1)".to_owned();
        let account =
            |account: &str| vec![("Account", account.to_owned()), ("CostCenter", "110".into())];
        let centre =
            |value: &str| vec![("Account", "6540".to_owned()), ("CostCenter", value.into())];
        let name = || "Konto 6999".to_owned();
        let cases = [
            (account(""), CodingFault::AccountMissing { dimension: "Account".into() }),
            (
                account("1234"),
                CodingFault::AccountUnknown { account: "1234".into(), near: Vec::new() },
            ),
            (
                account("6999"),
                CodingFault::AccountInactive { account: "6999".into(), name: name() },
            ),
            (
                account("1920"),
                CodingFault::AccountNotAllowed {
                    account: "1920".into(),
                    name: "Konto 1920".into(),
                },
            ),
            (
                centre(""),
                CodingFault::SegmentMissing {
                    segment: segment(),
                    dimension: Some("CostCenter".into()),
                },
            ),
            (
                centre("999"),
                CodingFault::SegmentUnknown {
                    segment: segment(),
                    value: "999".into(),
                    near: Vec::new(),
                },
            ),
            (
                centre("399"),
                CodingFault::SegmentInactive {
                    segment: segment(),
                    value: "399".into(),
                    name: "Verdi".into(),
                },
            ),
            (
                centre("1100"),
                CodingFault::SegmentTooLong { segment: segment(), value: "1100".into(), length: 3 },
            ),
        ];
        for (values, fault) in cases {
            let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
            assert_eq!(code(&values, &tables()), Err(vec![fault]), "{values:?}");
        }
    }

    #[test]
    fn tables_without_same_code_know_only_what_they_name() {
        let mut tables = tables();
        tables.accounts.same_code = false;
        tables.accounts.table.insert("K1".into(), "6540".into());
        tables.segments[1].same_code = false;
        tables.project_dimension = Some("Project".into());
        let values = [("Account", "K1"), ("CostCenter", "110"), ("Project", "P9")];
        assert_eq!(
            code(&values, &tables),
            Err(vec![
                CodingFault::SegmentNotMapped {
                    segment: "1 (Segment 1)".into(),
                    code: "110".into()
                },
                CodingFault::ProjectNotMapped { code: "P9".into() },
            ])
        );
        let values = [("Account", "6540"), ("CostCenter", "")];
        assert!(
            code(&values, &tables)
                .unwrap_err()
                .contains(&CodingFault::AccountNotMapped { code: "6540".into() })
        );
    }

    #[test]
    fn every_segment_of_the_erp_needs_a_rule_and_every_rule_a_segment() {
        let mut tables = tables();
        tables.segments[0].id = 7;
        let faults = code(&[("Account", "6540"), ("CostCenter", "110")], &tables).unwrap_err();
        assert_eq!(
            faults,
            [
                CodingFault::SegmentNotInErp { id: "7".into() },
                CodingFault::SegmentMissing { segment: "2 (Segment 2)".into(), dimension: None },
            ]
        );
        // A charge may name that segment itself.
        tables.segments.remove(0);
        let values =
            BTreeMap::from([("1".to_owned(), "110".to_owned()), ("2".to_owned(), "X".to_owned())]);
        let coding = code_fixed("6540", &values, date(2026, 9, 28), &tables, &reference()).unwrap();
        assert_eq!(coding.segments, [(1, "110".to_owned()), (2, "X".to_owned())]);
    }
}
