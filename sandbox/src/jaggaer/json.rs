//! Small pieces that both profiles' renderings are made of.

use crate::world::amount::plain;
use crate::world::document::Share;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// How one document is to be rendered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// Adds fields and words that nobody announced.
    pub unknown_fields: bool,
    /// Numbers where texts were promised.
    pub numbers: bool,
}

/// A JSON number with the digits as they are.
pub(super) fn number(value: Decimal) -> Value {
    plain(value).parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}

/// A decimal as text; a number when the style breaks the promise.
pub(super) fn decimal(value: Decimal, style: Style) -> Value {
    if style.numbers { number(value) } else { Value::String(plain(value)) }
}

/// `{"amount": "1200.00", "currency": "NOK"}`.
pub(super) fn money(amount: Decimal, currency: &str, style: Style) -> Value {
    let amount = if style.numbers { number(amount) } else { Value::String(amount.to_string()) };
    json!({ "amount": amount, "currency": currency })
}

pub(super) fn identifier(text: &str, style: Style) -> Value {
    match text.parse::<u64>() {
        Ok(number) if style.numbers && !text.starts_with('0') => number.into(),
        Ok(_) | Err(_) => text.into(),
    }
}

/// Sets a member when there is a value: absent fields are absent.
pub(super) fn set(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.into(), value.into());
    }
}

/// The dimensions of a share: name, code, what people call it.
pub(super) fn segments(share: &Share) -> impl Iterator<Item = (&'static str, &str, &'static str)> {
    [
        ("Account", share.account.as_str(), account_name(&share.account)),
        ("CostCenter", share.cost_center.as_str(), center_name(&share.cost_center)),
    ]
    .into_iter()
    .chain(share.project.as_deref().map(|project| ("Project", project, "Prosjekt")))
}

fn account_name(code: &str) -> &'static str {
    match code {
        "6540" => "Inventar",
        "6300" => "Leie lokaler og utstyr",
        "6340" => "Renhold",
        "6705" => "Rådgivning",
        "6800" => "Kontorrekvisita",
        "6860" => "Møter og kurs",
        "7140" => "Reisekostnad",
        "7320" => "Reklame",
        "4300" => "Varekjøp",
        _ => "Konto",
    }
}

fn center_name(code: &str) -> &'static str {
    match code {
        "110" => "Salg Oslo",
        "120" => "Drift Oslo",
        "230" => "Lager Bergen",
        "310" => "Verksted",
        "400" => "Administrasjon",
        _ => "Avdeling",
    }
}
