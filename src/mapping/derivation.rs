//! Why a plan says what it says: for each value of each line the source's code, the rule, and what
//! came of it. For people; it decides nothing.

use super::{Table, Tables, vat};
use crate::procurement::{Distribution, Document, Plan, TaxLine};
use serde::Serialize;
use std::collections::BTreeMap;

/// One value of a plan and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// `line 2, share 1: account`.
    pub of: String,
    /// The source's word: `Account 4000`.
    pub source: String,
    /// The rule that was used, as it stands in the configuration.
    pub rule: String,
    /// The ERP's word.
    pub value: String,
}

/// Of the whole plan: supplier, branch and terms, then line by line.
pub fn derivations(document: &Document, plan: &Plan, tables: &Tables) -> Vec<Derivation> {
    let facts = Facts::of(document);
    let (supplier, branch, terms) = match plan {
        Plan::Order(plan) => (&plan.supplier, &plan.branch, &plan.terms),
        Plan::Invoice(plan) => (&plan.supplier, &plan.branch, &plan.terms),
    };
    let mut found = vec![supplier_of(&facts, supplier, tables)];
    if let Some(branch) = branch {
        found.push(by_table(
            ("branch", "business unit"),
            facts.business_unit,
            ("branches", &tables.branches),
            branch,
        ));
    }
    if let Some(value) = terms {
        found.push(by_table(("terms", "terms"), facts.terms, ("terms", &tables.terms), value));
    }
    let mut lines = |key: &str, account, segments, category, unit, project| {
        found.extend(of_line(
            &facts,
            &Coded { key, account, segments, category, unit, project },
            tables,
        ));
    };
    match plan {
        Plan::Order(plan) => {
            for line in &plan.lines {
                let (unit, project) = (line.unit.as_deref(), line.project.as_deref());
                lines(&line.key, &line.account, &line.segments, &line.vat_category, unit, project);
            }
        }
        Plan::Invoice(plan) => {
            for line in &plan.lines {
                let (unit, project) = (line.unit.as_deref(), line.project.as_deref());
                lines(&line.key, &line.account, &line.segments, &line.vat_category, unit, project);
            }
        }
    }
    found
}

/// What the two kinds of document have in common here.
struct Facts<'a> {
    vendor: &'a crate::procurement::VendorRef,
    business_unit: Option<&'a str>,
    terms: Option<&'a str>,
    taxes: &'a [TaxLine],
    lines: Vec<SourceLine<'a>>,
}

struct SourceLine<'a> {
    key: &'a str,
    number: &'a str,
    unit: Option<&'a str>,
    taxes: &'a [TaxLine],
    distributions: &'a [Distribution],
}

impl<'a> Facts<'a> {
    fn of(document: &'a Document) -> Self {
        match document {
            Document::Order(order) => Self {
                vendor: &order.vendor,
                business_unit: order.business_unit.as_deref(),
                terms: order.terms.as_deref(),
                taxes: &[],
                lines: order
                    .lines
                    .iter()
                    .map(|line| SourceLine {
                        key: &line.key,
                        number: &line.number,
                        unit: line.unit.as_deref(),
                        taxes: &line.taxes,
                        distributions: &line.distributions,
                    })
                    .collect(),
            },
            Document::Invoice(invoice) => Self {
                vendor: &invoice.vendor,
                business_unit: invoice.business_unit.as_deref(),
                terms: invoice.terms.as_deref(),
                taxes: &invoice.taxes,
                lines: invoice
                    .lines
                    .iter()
                    .map(|line| SourceLine {
                        key: &line.key,
                        number: &line.number,
                        unit: line.unit.as_deref(),
                        taxes: &line.taxes,
                        distributions: &line.distributions,
                    })
                    .collect(),
            },
        }
    }
}

/// A line of a plan, of either kind.
struct Coded<'a> {
    key: &'a str,
    account: &'a str,
    segments: &'a [(i64, String)],
    category: &'a str,
    unit: Option<&'a str>,
    project: Option<&'a str>,
}

fn supplier_of(facts: &Facts<'_>, supplier: &str, tables: &Tables) -> Derivation {
    let vendor = facts.vendor;
    let names = [&vendor.source_id, &vendor.erp_number];
    let link = names
        .into_iter()
        .flatten()
        .find(|id| tables.suppliers.get(*id).is_some_and(|linked| linked == supplier));
    let known: Vec<String> = [
        vendor.source_id.as_ref().map(|id| format!("vendor {id}")),
        vendor.erp_number.as_ref().map(|number| format!("supplier number {number}")),
        vendor.name.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    Derivation {
        of: "supplier".into(),
        source: known.join(", "),
        rule: match link {
            Some(id) => format!("mapping.suppliers: {id} = {supplier}"),
            None => "the vendor's numbers, as the vendor list had them".into(),
        },
        value: supplier.to_owned(),
    }
}

fn of_line(facts: &Facts<'_>, coded: &Coded<'_>, tables: &Tables) -> Vec<Derivation> {
    let place = coded.key.rsplit_once('/').and_then(|(key, share)| {
        let line = facts.lines.iter().find(|line| line.key == key)?;
        Some((line, share.parse::<usize>().ok()?))
    });
    let Some((line, share)) = place else {
        let source = "a charge of the header".to_owned();
        let rule = format!("[connection.charges] {}", coded.key);
        let value = coded.account.to_owned();
        return vec![Derivation { of: format!("{}: account", coded.key), source, rule, value }];
    };
    let at = match line.distributions.len() {
        0 | 1 => format!("line {}", line.number),
        _ => format!("line {}, share {share}", line.number),
    };
    let none = BTreeMap::new();
    let values = line.distributions.get(share.wrapping_sub(1)).map_or(&none, |of| &of.segments);
    let value = |dimension: &str| values.get(dimension).map(String::as_str);

    let dimension = tables.account_dimension.as_deref().unwrap_or("Account");
    let mut found = vec![by_table(
        (&format!("{at}: account"), dimension),
        value(dimension),
        ("accounts", &tables.accounts),
        coded.account,
    )];
    for (id, segment) in coded.segments {
        let of = format!("{at}: segment {id}");
        match tables.segments.iter().find(|rule| rule.id == *id) {
            Some(rule) => {
                let code = rule.dimension.as_deref().and_then(value);
                let as_table = Table {
                    same_code: rule.same_code,
                    default: rule.default.clone(),
                    table: rule.table.clone(),
                };
                let dimension = rule.dimension.as_deref().unwrap_or("no dimension");
                found.push(by_table((&of, dimension), code, ("segments", &as_table), segment));
            }
            None => found.push(Derivation {
                of,
                source: String::new(),
                rule: OTHER_RULE.into(),
                value: segment.clone(),
            }),
        }
    }
    let stated = if line.taxes.is_empty() { facts.taxes } else { line.taxes };
    let codes: Vec<String> = stated.iter().filter_map(vat::code).collect();
    let tax = codes.iter().find(|code| maps_to(&tables.vat, Some(code.as_str()), coded.category));
    let tax = tax.or(codes.first()).map(String::as_str);
    found.push(by_table(
        (&format!("{at}: VAT category"), "tax"),
        tax,
        ("vat", &tables.vat),
        coded.category,
    ));
    if let Some(unit) = coded.unit {
        found.push(by_table(
            (&format!("{at}: unit"), "unit"),
            line.unit,
            ("units", &tables.units),
            unit,
        ));
    }
    if let Some(project) = coded.project {
        let dimension = tables.project_dimension.as_deref();
        found.push(by_table(
            (&format!("{at}: project"), dimension.unwrap_or("no dimension")),
            dimension.and_then(value),
            ("projects", &tables.projects),
            project,
        ));
    }
    found
}

const OTHER_RULE: &str = "another rule of the connection";

fn maps_to(table: &Table, code: Option<&str>, value: &str) -> bool {
    table.map(code) == super::Mapped::To(value)
}

fn by_table(
    (of, word): (&str, &str),
    code: Option<&str>,
    (name, table): (&str, &Table),
    value: &str,
) -> Derivation {
    let code = code.map(str::trim).filter(|code| !code.is_empty());
    let rule = if !maps_to(table, code, value) {
        OTHER_RULE.into()
    } else {
        match code {
            Some(code) if table.table.contains_key(code) => {
                format!("mapping.{name}: {code} = {value}")
            }
            Some(_) => format!("mapping.{name}: same_code, the code stands for itself"),
            None => format!("mapping.{name}: default = {value}"),
        }
    };
    Derivation {
        of: of.to_owned(),
        source: code.map_or_else(|| format!("{word}: nothing"), |code| format!("{word} {code}")),
        rule,
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_was_used_is_named_and_no_other() {
        let table = Table {
            same_code: true,
            default: Some("0".into()),
            table: BTreeMap::from([("4000".to_owned(), "6540".to_owned())]),
        };
        let cases = [
            (Some("4000"), "6540", "Account 4000", "mapping.accounts: 4000 = 6540"),
            (Some(" 4000 "), "6540", "Account 4000", "mapping.accounts: 4000 = 6540"),
            (
                Some("5000"),
                "5000",
                "Account 5000",
                "mapping.accounts: same_code, the code stands for itself",
            ),
            (None, "0", "Account: nothing", "mapping.accounts: default = 0"),
            (Some("4000"), "7000", "Account 4000", OTHER_RULE),
            (None, "7000", "Account: nothing", OTHER_RULE),
        ];
        for (code, value, source, rule) in cases {
            let found = by_table(("line 1: account", "Account"), code, ("accounts", &table), value);
            assert_eq!((found.source.as_str(), found.rule.as_str()), (source, rule));
            assert_eq!(found.value, value);
        }
    }
}
