//! A statement as programs get it, and as it is kept.

use super::{Difference, Line, LineKey, Statement, Sum};
use crate::procurement::Currency;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// Minor units as a decimal text; of no currency there is no money.
pub fn amount_text(minor: i64, currency: Option<Currency>) -> String {
    Decimal::new(minor, currency.map_or(0, |currency| currency.decimals())).to_string()
}

/// `most` differences are told in full; how many there are is in the counts.
pub fn report(statement: &Statement, most: usize) -> Value {
    json!({
        "period": statement.period.to_string(),
        "balanced": statement.balances(),
        "lines": statement.lines.iter().map(|(key, of)| line(key, of)).collect::<Vec<_>>(),
        "differences_in_all": statement.differences.len(),
        "differences": statement.differences.iter().take(most).map(difference).collect::<Vec<_>>(),
        "by_hand": statement.by_hand.iter().map(|row| json!({
            "company": row.company, "of": row.of.as_str(), "currency": row.currency,
            "count": row.sum.count, "amount": amount_text(row.sum.minor, row.currency),
        })).collect::<Vec<_>>(),
    })
}

fn line(key: &LineKey, line: &Line) -> Value {
    let books = [
        ("seen", line.seen),
        ("posted", line.posted),
        ("held", line.held),
        ("ignored", line.ignored),
        ("in_flight", line.in_flight),
        ("difference", line.differences),
        ("jaggaer", line.jaggaer),
        ("visma", line.visma),
    ];
    let explained = [
        ("coming", line.coming),
        ("unlisted", line.unlisted),
        ("on_its_way", line.on_its_way),
        ("not_shown", line.not_shown),
        ("taken_back", line.taken_back),
        ("closed_lines", line.closed_lines),
    ];
    let money = |sum: Sum| Value::from(amount_text(sum.minor, key.currency));
    let mut told = Map::new();
    for (name, value) in [
        ("source", json!(key.source)),
        ("connection", json!(key.connection)),
        ("company", json!(key.company)),
        ("of", json!(key.of.as_str())),
        ("currency", json!(key.currency)),
    ] {
        told.insert(name.into(), value);
    }
    told.extend(books.map(|(name, sum)| (name.to_owned(), money(sum))));
    let counts: Map<String, Value> =
        books.iter().map(|(name, sum)| ((*name).to_owned(), sum.count.into())).collect();
    told.insert("counts".into(), counts.into());
    let explained: Map<String, Value> = explained
        .into_iter()
        .filter(|(_, sum)| *sum != Sum::default())
        .map(|(name, sum)| (name.to_owned(), json!({ "count": sum.count, "amount": money(sum) })))
        .collect();
    told.insert("explained".into(), explained.into());
    told.into()
}

fn difference(of: &Difference) -> Value {
    json!({
        "kind": of.kind.as_str(),
        "between": if of.kind.is_of_jaggaer() { "jaggaer_and_us" } else { "us_and_visma" },
        "source": of.source, "connection": of.connection, "company": of.company,
        "document": of.document, "document_kind": of.document_kind.map(|kind| kind.as_str()),
        "number": of.number, "supplier": of.supplier,
        "currency": of.amount.map(|amount| amount.currency),
        "amount": of.amount.map(|amount| amount.amount().to_string()),
        "text": of.text, "fix": of.fix,
    })
}
