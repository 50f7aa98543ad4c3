//! What orders and invoices have in common above their lines.

use super::scope::{Reader, Scope};
use crate::jaggaer::profile::{Field, StatusLayout, Text, VendorRefLayout};
use crate::procurement::{Currency, Ripeness, VendorRef};

/// The document's currency, which from here on is the currency of every bare amount.
pub(super) fn currency(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    field: &Field<Text>,
) -> Option<Currency> {
    let code = reader.required(scope, "currency", field)?;
    match Currency::parse(&code) {
        Ok(currency) => {
            reader.currency = Some(currency);
            Some(currency)
        }
        Err(error) => {
            reader.problem(scope, "currency", field.rule.place_text(), code, error.to_string());
            None
        }
    }
}

pub(super) fn vendor_ref(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &VendorRefLayout,
) -> VendorRef {
    VendorRef {
        source_id: reader.optional(scope, "vendor.source_id", &layout.source_id),
        erp_number: reader.optional(scope, "vendor.erp_number", &layout.erp_number),
        name: reader.optional(scope, "vendor.name", &layout.name),
    }
}

/// What the first fitting rule says, and the status words as received.
pub(super) fn status(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &StatusLayout,
) -> (Ripeness, String) {
    let words: Vec<(&str, String)> = layout
        .fields
        .iter()
        .map(|(name, field)| {
            let word = reader.field(scope, &format!("status.{name}"), field);
            (name.as_str(), word.unwrap_or_default())
        })
        .collect();
    let has = |name: &str, accepted: &[String]| {
        words.iter().any(|(field, word)| *field == name && accepted.contains(word))
    };
    let ripeness = layout
        .rules
        .iter()
        .find(|rule| rule.when.iter().all(|(name, accepted)| has(name, accepted)))
        .map_or(Ripeness::Unknown, |rule| rule.then);
    let text = match words.as_slice() {
        [(_, only)] => only.clone(),
        several => several
            .iter()
            .map(|(name, word)| format!("{name} {}", if word.is_empty() { "-" } else { word }))
            .collect::<Vec<_>>()
            .join(", "),
    };
    if let Some(trace) = &mut reader.trace {
        trace.status(&text, ripeness);
    }
    (ripeness, text)
}
