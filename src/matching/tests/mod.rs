//! The comparison, the limits that it counts with, and what people read of it. A case is one order
//! line of 10 pieces at 100.00 and what is billed of it.

mod best_fit;
mod deductions;
mod limits;
mod order_lines;
mod rules;
mod texts;

use crate::laws::oracle::{dec, nok, shape};
use crate::matching::*;
use crate::procurement::Currency;

fn claim(number: &str, quantity: Option<&str>, net: i64) -> Claim {
    Claim {
        key: format!("K{number}"),
        number: number.into(),
        position: 0,
        quantity: quantity.map(dec),
        unit: Some("EA".into()),
        unit_price: None,
        price_basis: None,
        net: nok(net),
    }
}

/// What is beyond its limit, and what must arrive, in words.
fn found(bill: &Bill, position: &Position, rules: &MatchRules) -> Vec<String> {
    let comparison = compare(bill, std::slice::from_ref(position), rules);
    let beyond = comparison.beyond.iter().map(|of| format!("{:?}", of.what));
    let missing = comparison.missing.iter().map(|of| format!("missing: {}", of.how));
    beyond.chain(missing).collect()
}

fn limit(percent: &str, amount: &str) -> Limit {
    let amounts = (!amount.is_empty()).then(|| (Currency::NOK, dec(amount)));
    Limit {
        any: false,
        percent: (!percent.is_empty()).then(|| dec(percent)),
        amounts: amounts.into_iter().collect(),
    }
}

fn quantities(percent: &str, quantity: &str) -> QuantityLimit {
    let given = |text: &str| (!text.is_empty()).then(|| dec(text));
    QuantityLimit { any: false, percent: given(percent), quantity: given(quantity) }
}

#[test]
fn every_kind_of_deviation_is_among_the_random_cases() {
    // A comparison with the second implementation proves little about what never comes up.
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20_000 {
        let (bill, positions, rules) = shape(seed);
        seen.extend(compare(&bill, &positions, &rules).beyond.into_iter().map(|of| of.what));
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}
