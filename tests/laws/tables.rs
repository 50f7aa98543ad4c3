//! The coding table says the same however its rows are sorted.

use super::holds;
use crate::mapping::{CodingTable, ShareFacts, Tables};
use fastrand::Rng;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const HEADER: &str =
    "when:supplier;when:commodity;when:dimension:CostCenter;when:amount;then:account";

fn one_of<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(0..words.len())]
}

fn a_row(rng: &mut Rng) -> String {
    format!(
        "{};{};{};{};{}",
        one_of(rng, &["", "", "50001", "50002", "50001|50002"]),
        one_of(rng, &["", "", "4*", "43*", "4321", "4321|55", "56"]),
        one_of(rng, &["", "", "110", "110|120", "1*"]),
        one_of(rng, &["", "", "", "0..500", "500..", "100..1000"]),
        one_of(rng, &["6540", "6300", "7770"]),
    )
}

/// Rows that may stand together: one that ties with those before it is left out.
pub fn rows(rng: &mut Rng, most: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for _ in 0..most {
        rows.push(a_row(rng));
        if table(&rows).is_err() {
            rows.pop();
        }
    }
    rows
}

pub fn table(rows: &[String]) -> Result<CodingTable, String> {
    format!("{HEADER}\n{}\n", rows.join("\n")).try_into()
}

/// What is found does not depend on the order of the rows, and a table that is refused is refused
/// in every order.
pub fn rows_know_no_order(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let most = rng.usize(1..8);
    let rows =
        if rng.u32(0..4) == 0 { (0..most).map(|_| a_row(rng)).collect() } else { rows(rng, most) };
    let mut turned = rows.clone();
    rng.shuffle(&mut turned);
    let (one, other) = match (table(&rows), table(&turned)) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(_), Err(_)) => return Ok(()),
        (one, other) => return Err(format!("{rows:#?}: {one:?} and {other:?}")),
    };
    let tables = Tables::default();
    for _ in 0..8 {
        let centre = one_of(rng, &["", "110", "120", "130", "210"]);
        let values = BTreeMap::from([("CostCenter".to_owned(), centre.to_owned())]);
        let facts = ShareFacts {
            supplier: Some(one_of(rng, &["50001", "50002", "50003"])),
            vendor: None,
            category: None,
            business_unit: None,
            currency: "NOK",
            on: jiff::civil::date(2026, 10, 1),
            item: None,
            commodity: Some(one_of(rng, &["", "4321", "43", "44", "55", "56"])),
            tax: None,
            amount: Decimal::new(rng.i64(-150_000..150_000), 2),
            values: &values,
        };
        let found =
            |table: &CodingTable| table.find(&facts, &tables).map(|found| found.outcome.clone());
        holds(found(&one) == found(&other), || format!("{rows:#?} {facts:?}"))?;
    }
    Ok(())
}
