//! What a write body may hold, member by member. Almost every scalar is wrapped in `{"value": ...}`; an unknown
//! member, a bare scalar, a wrong type and a null are refused, before any rule of the business is asked.

use super::members::Member;
use super::members::Shape::{
    self, Amount, BareFlag, BareText, BareWhole, BareWord, Flag, List, Object, Text, Time, Whole,
    Word, Wrapped,
};
use super::reply::{Refusal, parse_time};
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The body as an object whose every member has the declared form.
pub(crate) fn read(body: &[u8], members: &[Member]) -> Result<Map<String, Value>, Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        Refusal::rule(format!("The request is invalid. Body is not JSON: {error}"))
    })?;
    let Value::Object(object) = value else {
        return Err(Refusal::rule("The request is invalid. Body is not an object."));
    };
    check(&object, members, "")?;
    Ok(object)
}

fn check(object: &Map<String, Value>, members: &[Member], path: &str) -> Result<(), Refusal> {
    for (name, value) in object {
        let Some((_, shape)) = members.iter().find(|(known, _)| known == name) else {
            return Err(Refusal::rule(format!(
                "The request is invalid. Could not find member '{name}' on object of type '{path}'."
            )));
        };
        let place = format!("{path}.{name}");
        if !fits(*shape, value, &place)? {
            return Err(Refusal::rule(format!(
                "The request is invalid. Error converting value of '{}'.",
                place.trim_start_matches('.')
            )));
        }
    }
    Ok(())
}

fn fits(shape: Shape, value: &Value, place: &str) -> Result<bool, Refusal> {
    let inner = match shape {
        Text | Flag | Amount | Whole | Time | Word(_) | Wrapped(_) => match value {
            Value::Object(wrapper) if wrapper.len() == 1 && wrapper.contains_key("value") => {
                &wrapper["value"]
            }
            _ => return Ok(false),
        },
        BareText | BareFlag | BareWhole | BareWord(_) | Object(_) | List(_) => value,
    };
    Ok(match shape {
        Text | BareText => inner.is_string(),
        Flag | BareFlag => inner.is_boolean(),
        Amount => amount(inner).is_some(),
        Whole | BareWhole => inner.as_i64().is_some(),
        Time => inner.as_str().is_some_and(|text| parse_time(text).is_some()),
        Word(words) | BareWord(words) => inner.as_str().is_some_and(|word| words.contains(&word)),
        Wrapped(members) | Object(members) => match inner {
            Value::Object(object) => {
                check(object, members, place)?;
                true
            }
            _ => false,
        },
        List(members) => match inner {
            Value::Array(rows) => {
                for row in rows {
                    let Value::Object(object) = row else { return Ok(false) };
                    check(object, members, place)?;
                }
                true
            }
            _ => false,
        },
    })
}

fn amount(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else { return None };
    let text = number.to_string();
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// Reads members of a checked body.
pub(crate) trait Members {
    fn inner(&self, name: &str) -> Option<&Value>;

    fn text(&self, name: &str) -> Option<&str> {
        self.inner(name)?.as_str()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.inner(name)?.as_bool()
    }

    fn amount(&self, name: &str) -> Option<Decimal> {
        amount(self.inner(name)?)
    }

    fn whole(&self, name: &str) -> Option<i64> {
        self.inner(name)?.as_i64()
    }

    fn time(&self, name: &str) -> Option<DateTime> {
        parse_time(self.text(name)?)
    }

    /// The objects of a list; none when the member is absent.
    fn rows(&self, name: &str) -> Vec<&Map<String, Value>>;
}

impl Members for Map<String, Value> {
    fn inner(&self, name: &str) -> Option<&Value> {
        match self.get(name)? {
            Value::Object(wrapper) => wrapper.get("value"),
            bare => Some(bare),
        }
    }

    fn rows(&self, name: &str) -> Vec<&Map<String, Value>> {
        self.get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::members::{INVOICE, ORDER};
    use super::*;

    #[test]
    fn strict_about_the_form() {
        let good = [
            r#"{}"#,
            r#"{"hold":{"value":true},"invoiceLines":[{"operation":"Insert","quantity":{"value":1.50},"subaccount":[{"segmentId":1,"segmentValue":"110"}],"linkLine":{"purchaseType":"PurchaseOrder","purchaseNumber":{"value":"PO1"},"purchaseLineNbr":{"value":3}}}]}"#,
        ];
        for body in good {
            assert!(read(body.as_bytes(), INVOICE).is_ok(), "{body}");
        }
        let bad = [
            r#"[]"#,
            r#"{"hold":true}"#,
            r#"{"hold":{"value":"true"}}"#,
            r#"{"hold":{"value":true,"extra":1}}"#,
            r#"{"note":null}"#,
            r#"{"note":{"value":null}}"#,
            r#"{"noted":{"value":"x"}}"#,
            r#"{"date":{"value":"23.11.2026"}}"#,
            r#"{"amount":{"value":"12.00"}}"#,
            r#"{"documentType":{"value":"Bill"}}"#,
            r#"{"invoiceLines":[{"operation":{"value":"Insert"}}]}"#,
            r#"{"invoiceLines":[{"subaccount":[{"segmentId":{"value":1},"segmentValue":"110"}]}]}"#,
            r#"{"invoiceLines":[{"vatCode":{"value":"1"}}]}"#,
            r#"{"invoiceLines":{"value":[]}}"#,
            r#"{"amount":{"value":1"#,
        ];
        for body in bad {
            assert_eq!(
                read(body.as_bytes(), INVOICE).map_err(|refusal| refusal.status),
                Err(400),
                "{body}"
            );
        }
    }

    #[test]
    fn orders_have_a_bare_row_version_and_wrapped_contacts() {
        assert!(
            read(
                br#"{"timeStamp":"AAA=","shippingContact":{"value":{"name":{"value":"x"}}}}"#,
                ORDER
            )
            .is_ok()
        );
        assert!(read(br#"{"timeStamp":{"value":"AAA="}}"#, ORDER).is_err());
        assert!(read(br#"{"shippingContact":{"name":{"value":"x"}}}"#, ORDER).is_err());
    }
}
