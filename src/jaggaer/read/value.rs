//! One field out of one JSON value: text, numbers, money, dates, words.

use super::notation;
use crate::jaggaer::Stamp;
use crate::jaggaer::profile::{
    Amount, Count, Day, FieldRule, Flag, Kind, Moment, Notation, Number, Price, Prose, Quantity,
    Sign, Text, ValueType,
};
use crate::procurement::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Codes and numbers of documents; a longer one is a mistake in the profile or the source.
const LONGEST_TEXT: usize = 500;
/// Descriptions are cut here.
const LONGEST_PROSE: usize = 4_000;

/// What a field is read against.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) notation: &'a Notation,
    /// Of amounts that do not carry their own.
    pub(super) currency: Option<Currency>,
    /// Amounts and quantities are written negative here and are wanted positive.
    pub(super) turned: bool,
}

/// A scalar's own text.
pub(super) struct Scalar<'v> {
    pub(super) text: Cow<'v, str>,
    /// In JSON's or the profile's own notation, not in the locale's.
    plain: bool,
}

/// What stands in a field.
pub(super) enum Found<'v> {
    Scalar(Scalar<'v>),
    Object(&'v Map<String, Value>),
}

impl<'v> Found<'v> {
    pub(super) fn plain(text: &'v str) -> Self {
        Self::Scalar(Scalar { text: Cow::Borrowed(text), plain: true })
    }

    /// `None` for the empty forms.
    pub(super) fn of(value: &'v Value) -> Result<Option<Self>, String> {
        let (text, plain) = match value {
            Value::Null => return Ok(None),
            Value::Bool(flag) => (Cow::Borrowed(if *flag { "true" } else { "false" }), true),
            Value::Number(number) => (Cow::Owned(number.to_string()), true),
            Value::String(text) if text.trim().is_empty() => return Ok(None),
            Value::String(text) => (Cow::Borrowed(text.trim()), false),
            Value::Object(members) if members.is_empty() => return Ok(None),
            Value::Object(members) => return Ok(Some(Self::Object(members))),
            Value::Array(elements) if elements.is_empty() => return Ok(None),
            Value::Array(_) => return Err("a list, where one value was expected".to_owned()),
        };
        Ok(Some(Self::Scalar(Scalar { text, plain })))
    }

    fn scalar(self) -> Result<Scalar<'v>, String> {
        match self {
            Self::Scalar(scalar) => Ok(scalar),
            Self::Object(_) => Err("an object, where one value was expected".to_owned()),
        }
    }
}

/// Replaces a scalar through the field's value table.
pub(super) fn through_table<'v>(
    rule: &'v FieldRule,
    found: Found<'v>,
) -> Result<Found<'v>, String> {
    if rule.table.is_empty() {
        return Ok(found);
    }
    let scalar = found.scalar()?;
    match rule.table.get(scalar.text.as_ref()).or(rule.otherwise.as_ref()) {
        Some(text) => Ok(Found::plain(text)),
        None if rule.keep_unlisted => Ok(Found::Scalar(scalar)),
        None => {
            let known: Vec<&str> = rule.table.keys().map(String::as_str).take(12).collect();
            Err(format!("not in the profile's value table ({})", known.join(", ")))
        }
    }
}

/// A kind of field that can be read.
pub(super) trait Readable: Kind {
    type Out;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Self::Out, String>;
    /// For kinds of number.
    fn add(_left: Self::Out, _right: Self::Out) -> Result<Self::Out, String> {
        Err("cannot be added".to_owned())
    }
}

fn decimal(rule: &FieldRule, notation: &Notation, scalar: &Scalar<'_>) -> Result<Decimal, String> {
    if scalar.plain {
        return notation::plain_decimal(&scalar.text);
    }
    let mark = rule.decimal_mark.unwrap_or(notation.decimal_mark);
    let groups = rule.group_marks.as_deref().unwrap_or(&notation.group_marks);
    if mark == '.' && groups.is_empty() {
        notation::plain_decimal(&scalar.text)
    } else {
        notation::local_decimal(&scalar.text, mark, groups)
    }
}

fn signed(rule: &FieldRule, number: Decimal, turned: bool) -> Decimal {
    let number = match rule.sign {
        Sign::Keep => number,
        Sign::Negate => -number,
        Sign::Absolute => return number.abs(),
    };
    if turned && !number.is_zero() { -number } else { number }
}

/// An amount before it is given a currency, in major units.
fn major_units(
    rule: &FieldRule,
    around: Circumstances<'_>,
    found: Found<'_>,
) -> Result<Decimal, String> {
    let notation = around.notation;
    let scalar = match (rule.value_type.unwrap_or(notation.money), found) {
        (ValueType::MoneyObject, Found::Object(members)) => {
            let own = members.get(&notation.currency_member).and_then(Value::as_str);
            if let (Some(own), Some(expected)) = (own, around.currency)
                && Currency::parse(own).ok() != Some(expected)
            {
                return Err(format!("an amount in {own} on a document in {expected}"));
            }
            let amount = members.get(&notation.amount_member).unwrap_or(&Value::Null);
            Found::of(amount)?
                .ok_or_else(|| format!("an object without `{}`", notation.amount_member))?
                .scalar()?
        }
        (ValueType::MoneyText, Found::Scalar(scalar)) => {
            let (code, number) = apart(&scalar.text);
            if let (Some(own), Some(expected)) = (code, around.currency)
                && Currency::parse(own).ok() != Some(expected)
            {
                return Err(format!("an amount in {own} on a document in {expected}"));
            }
            Scalar { text: Cow::Owned(number.to_owned()), plain: scalar.plain }
        }
        (ValueType::MinorUnits, found) => {
            let number = decimal(rule, notation, &found.scalar()?)?;
            let currency = around.currency.ok_or("minor units without a currency")?;
            let unit = Decimal::new(1, currency.decimals());
            return number.checked_mul(unit).ok_or_else(|| "too large".to_owned());
        }
        (_, found) => found.scalar()?,
    };
    decimal(rule, notation, &scalar)
}

/// The currency's code and the number of `NOK 1 234,50`, `1.234,50 EUR` or `12.50`.
fn apart(text: &str) -> (Option<&str>, &str) {
    let text = text.trim();
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic());
    let before = text.split_at_checked(3).filter(|(code, _)| is_code(code));
    let behind = text.len().checked_sub(3).and_then(|at| text.split_at_checked(at));
    match (before, behind.filter(|(_, code)| is_code(code))) {
        (Some((code, number)), None) => (Some(code), number.trim()),
        (None, Some((number, code))) => (Some(code), number.trim()),
        (Some(_), Some(_)) | (None, None) => (None, text),
    }
}

fn timestamp(
    rule: &FieldRule,
    notation: &Notation,
    value_type: ValueType,
    text: &str,
) -> Result<Timestamp, String> {
    let zone = rule.zone.as_ref().or(notation.zone.as_ref()).map(|zone| &zone.0);
    match value_type {
        ValueType::EpochMs => notation::epoch(text, 1_000),
        ValueType::EpochS => notation::epoch(text, 1),
        ValueType::Instant
        | ValueType::Date
        | ValueType::Text
        | ValueType::Decimal
        | ValueType::MinorUnits
        | ValueType::MoneyObject
        | ValueType::MoneyText
        | ValueType::Boolean
        | ValueType::Integer => {
            let formats = rule.format.as_ref().unwrap_or(&notation.instant);
            notation::instant(text, &formats.0, zone)
        }
    }
}

impl Readable for Text {
    type Out = String;
    fn read(rule: &FieldRule, _: Circumstances<'_>, found: Found<'_>) -> Result<String, String> {
        let text = found.scalar()?.text;
        if rule.value_type == Some(ValueType::MoneyText) {
            let code = apart(&text).0.ok_or("no currency's code stands before or behind it")?;
            return Ok(code.to_ascii_uppercase());
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err(format!("longer than {LONGEST_TEXT} characters"));
        }
        Ok(text.into_owned())
    }
}

impl Readable for Prose {
    type Out = String;
    fn read(_: &FieldRule, _: Circumstances<'_>, found: Found<'_>) -> Result<String, String> {
        Ok(found.scalar()?.text.chars().take(LONGEST_PROSE).collect())
    }
}

impl Readable for Quantity {
    type Out = Decimal;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Decimal, String> {
        let number = decimal(rule, around.notation, &found.scalar()?)?;
        Ok(signed(rule, number, around.turned).normalize())
    }
    fn add(left: Decimal, right: Decimal) -> Result<Decimal, String> {
        left.checked_add(right).ok_or_else(|| "too large".to_owned())
    }
}

impl Readable for Number {
    type Out = Decimal;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Decimal, String> {
        let number = decimal(rule, around.notation, &found.scalar()?)?;
        Ok(signed(rule, number, false).normalize())
    }
    fn add(left: Decimal, right: Decimal) -> Result<Decimal, String> {
        left.checked_add(right).ok_or_else(|| "too large".to_owned())
    }
}

impl Readable for Price {
    type Out = Decimal;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Decimal, String> {
        Ok(signed(rule, major_units(rule, around, found)?, false).normalize())
    }
    fn add(left: Decimal, right: Decimal) -> Result<Decimal, String> {
        left.checked_add(right).ok_or_else(|| "too large".to_owned())
    }
}

impl Readable for Amount {
    type Out = Money;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Money, String> {
        let number = signed(rule, major_units(rule, around, found)?, around.turned);
        let currency = around.currency.ok_or("an amount without a currency")?;
        Money::exact(number, currency).map_err(|error| error.to_string())
    }
    fn add(left: Money, right: Money) -> Result<Money, String> {
        left.checked_add(right).map_err(|error| error.to_string())
    }
}

impl Readable for Day {
    type Out = Date;
    fn read(rule: &FieldRule, around: Circumstances<'_>, found: Found<'_>) -> Result<Date, String> {
        let scalar = found.scalar()?;
        let notation = around.notation;
        let value_type = rule.value_type.unwrap_or(ValueType::Date);
        if value_type == ValueType::Date {
            let formats = rule.format.as_ref().unwrap_or(&notation.date);
            return notation::date(&scalar.text, &formats.0);
        }
        let at = timestamp(rule, notation, value_type, &scalar.text)?;
        let zone = rule.zone.as_ref().or(notation.zone.as_ref());
        Ok(at.to_zoned(zone.map_or(TimeZone::UTC, |zone| zone.0.clone())).date())
    }
}

impl Readable for Moment {
    type Out = Stamp;
    fn read(
        rule: &FieldRule,
        around: Circumstances<'_>,
        found: Found<'_>,
    ) -> Result<Stamp, String> {
        let scalar = found.scalar()?;
        let value_type = rule.value_type.unwrap_or(ValueType::Instant);
        let at = timestamp(rule, around.notation, value_type, &scalar.text)?;
        Ok(notation::stamp(at, &scalar.text))
    }
}

impl Readable for Flag {
    type Out = bool;
    fn read(rule: &FieldRule, around: Circumstances<'_>, found: Found<'_>) -> Result<bool, String> {
        let scalar = found.scalar()?;
        let text = scalar.text.as_ref();
        let yes = rule.true_words.as_ref().unwrap_or(&around.notation.true_words);
        let no = rule.false_words.as_ref().unwrap_or(&around.notation.false_words);
        let is = |words: &[String]| words.iter().any(|word| word == text);
        let otherwise = || rule.otherwise.as_deref().filter(|_| rule.table.is_empty());
        if is(yes) || (scalar.plain && text == "true") {
            Ok(true)
        } else if is(no) || (scalar.plain && text == "false") {
            Ok(false)
        } else {
            match otherwise() {
                Some("true") => Ok(true),
                Some("false") => Ok(false),
                Some(_) | None => {
                    Err(format!("neither yes ({}) nor no ({})", yes.join(", "), no.join(", ")))
                }
            }
        }
    }
}

impl Readable for Count {
    type Out = i64;
    fn read(rule: &FieldRule, around: Circumstances<'_>, found: Found<'_>) -> Result<i64, String> {
        let number = signed(rule, decimal(rule, around.notation, &found.scalar()?)?, false);
        if !number.fract().is_zero() {
            return Err("not a whole number".to_owned());
        }
        i64::try_from(number).map_err(|_| "too large".to_owned())
    }
    fn add(left: i64, right: i64) -> Result<i64, String> {
        left.checked_add(right).ok_or_else(|| "too large".to_owned())
    }
}
