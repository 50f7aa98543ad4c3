//! Rules that invoices and orders share: what may stand on a header and on a line.

use super::masters::{Masters, Supplier};
use super::reply::{Refusal, round};
use super::wire::Members;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// What the ERP stores of a text: the rest is cut without a word.
pub(crate) fn cut(text: &str, longest: usize) -> Option<String> {
    let kept: String = text.chars().take(longest).collect();
    (!kept.is_empty()).then_some(kept)
}

pub(crate) fn cannot_be_found(what: &str) -> String {
    format!("Error: '{what}' cannot be found in the system.")
}

/// A supplier that may get new documents.
pub(crate) fn supplier<'a>(masters: &'a Masters, number: &str) -> Result<&'a Supplier, Refusal> {
    let supplier =
        masters.supplier(number).ok_or_else(|| Refusal::rule(cannot_be_found("Supplier")))?;
    match supplier.status.as_str() {
        "Inactive" | "OnHold" => {
            Err(Refusal::rule(format!("Error: The supplier status is '{}'.", supplier.status)))
        }
        _ => Ok(supplier),
    }
}

pub(crate) fn branch(masters: &Masters, number: &str) -> Result<String, String> {
    match masters.branch(number) {
        None => Err(cannot_be_found("Branch")),
        Some(branch) if !branch.active => Err("Error: Branch is inactive.".into()),
        Some(branch) => Ok(branch.number.clone()),
    }
}

pub(crate) fn account(masters: &Masters, number: &str) -> Result<String, String> {
    match masters.account(number) {
        None => Err(cannot_be_found("Account")),
        Some(account) if !account.active => Err("Error: Account is inactive.".into()),
        Some(account) => Ok(account.number.clone()),
    }
}

pub(crate) fn category(masters: &Masters, id: &str) -> Result<String, String> {
    match masters.category(id) {
        None => Err(cannot_be_found("VAT category")),
        Some(category) if !category.active => Err("Error: VAT category is inactive.".into()),
        Some(category) => Ok(category.id.clone()),
    }
}

pub(crate) fn unit(masters: &Masters, unit: &str) -> Result<String, String> {
    match masters.units.iter().find(|known| *known == unit) {
        None => Err(cannot_be_found("UOM")),
        Some(unit) => Ok(unit.clone()),
    }
}

/// The project code that means none; the company keeps no projects of its own.
pub(crate) fn project(code: Option<&str>) -> Result<(), String> {
    match code {
        None | Some("X") => Ok(()),
        Some(_) => Err(cannot_be_found("Project")),
    }
}

/// All segments of a subaccount in their order; one left out falls back to its default.
pub(crate) fn segments(
    masters: &Masters,
    given: &[&Map<String, Value>],
) -> Result<Vec<(i64, String)>, String> {
    let mut wanted: Vec<(i64, &str)> = Vec::new();
    for part in given {
        let (Some(id), Some(value)) = (part.whole("segmentId"), part.text("segmentValue")) else {
            return Err("Error: 'Subaccount' segment is not complete.".into());
        };
        if !masters.segments.iter().any(|segment| segment.id == id)
            || wanted.iter().any(|(known, _)| *known == id)
        {
            return Err(format!("Error: 'Subaccount' has no segment {id}, or has it twice."));
        }
        wanted.push((id, value));
    }
    masters
        .segments
        .iter()
        .map(|segment| {
            let value = wanted
                .iter()
                .find(|(id, _)| *id == segment.id)
                .map_or(segment.default.as_str(), |(_, value)| *value);
            if value.chars().count() > segment.length {
                return Err(format!(
                    "Error: The value '{value}' is longer than segment '{}'.",
                    segment.description
                ));
            }
            match segment.values.iter().find(|known| known.value == value) {
                Some(known) if !known.active => Err(format!(
                    "Error: The value '{value}' of segment '{}' is inactive.",
                    segment.description
                )),
                Some(_) => Ok((segment.id, value.to_owned())),
                None if segment.validate => Err(format!(
                    "Error: '{value}' of segment '{}' cannot be found in the system.",
                    segment.description
                )),
                None => Ok((segment.id, value.to_owned())),
            }
        })
        .collect()
}

/// Quantity, unit cost and cost of a line. A given cost wins over quantity times unit cost; every amount is
/// rounded to the currency without a word.
pub(crate) fn costs(
    before: (Decimal, Decimal, Decimal),
    (quantity, unit_cost, cost): (Option<Decimal>, Option<Decimal>, Option<Decimal>),
    decimals: u32,
) -> (Decimal, Decimal, Decimal) {
    let count = quantity.unwrap_or(before.0);
    match (cost, quantity.is_some() || unit_cost.is_some()) {
        (Some(cost), _) => {
            let cost = round(cost, decimals);
            let each = unit_cost
                .unwrap_or_else(|| cost.checked_div(count).map_or(cost, |each| round(each, 6)));
            (count, each, cost)
        }
        (None, true) => {
            let each = unit_cost.unwrap_or(before.1);
            (count, each, round(count * each, decimals))
        }
        (None, false) => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visma::masters::nordlys;
    use serde_json::json;

    #[test]
    fn subaccounts() {
        let masters = nordlys();
        type Row<'a> = (&'a [(i64, &'a str)], Result<&'a str, &'a str>);
        let table: [Row; 8] = [
            (&[(1, "110"), (2, "P-2031")], Ok("110-P-2031")),
            (&[(2, "P-2031"), (1, "110")], Ok("110-P-2031")),
            (&[(1, "110")], Ok("110-000000")),
            (&[], Ok("000-000000")),
            (&[(1, "399")], Err("inactive")),
            (&[(1, "999")], Err("cannot be found")),
            (&[(1, "1100")], Err("longer")),
            (&[(3, "1")], Err("no segment")),
        ];
        for (given, expected) in table {
            let rows: Vec<Map<String, Value>> = given
                .iter()
                .map(|(id, value)| {
                    json!({"segmentId": id, "segmentValue": value})
                        .as_object()
                        .cloned()
                        .unwrap_or_default()
                })
                .collect();
            let got = segments(&masters, &rows.iter().collect::<Vec<_>>());
            match (got, expected) {
                (Ok(got), Ok(expected)) => {
                    assert_eq!(super::super::order::joined(&masters, &got), expected)
                }
                (Err(got), Err(part)) => assert!(got.contains(part), "{got}"),
                (got, expected) => panic!("{given:?}: {got:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn cost_wins_and_is_rounded() {
        let d = |text: &str| text.parse::<Decimal>().expect("a number");
        let new = (Decimal::ONE, Decimal::ZERO, Decimal::ZERO);
        for (given, decimals, expected) in [
            ((Some("3"), Some("33.333"), None), 2, ("3", "33.333", "100.00")),
            ((Some("3"), Some("33.33"), Some("100")), 2, ("3", "33.33", "100")),
            ((Some("4"), None, Some("10")), 2, ("4", "2.5", "10")),
            ((None, None, Some("10.005")), 2, ("1", "10.01", "10.01")),
            ((None, Some("99.5"), None), 0, ("1", "99.5", "100")),
        ] {
            let part = |text: Option<&str>| text.map(d);
            let got = costs(new, (part(given.0), part(given.1), part(given.2)), decimals);
            assert_eq!(got, (d(expected.0), d(expected.1), d(expected.2)), "{given:?}");
        }
    }
}
