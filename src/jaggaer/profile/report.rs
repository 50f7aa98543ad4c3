//! What the instance is told, and how: one call for each kind of report.

use super::feed::{PathBelowBase, Success};
use super::field::{Notation, Zone};
use super::place::Place;
use crate::jaggaer::address::percent_encoded;
use crate::procurement::{About, DocumentKind, Money, StatusReport, StatusWord};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// How the call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Post,
    Put,
    Patch,
}

/// One `[[report]]` of a profile.
#[derive(Debug)]
pub struct ReportLayout {
    pub(crate) about: About,
    pub(crate) of: Vec<DocumentKind>,
    pub(crate) method: Method,
    pub(crate) path: Vec<Piece>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// Carries the same text whenever the same report is sent again.
    pub(crate) key_header: Option<String>,
    words: BTreeMap<StatusWord, String>,
    body: Template,
    pub(crate) success: Option<Success>,
    pub(crate) error: Option<Place>,
    zone: TimeZone,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportTable {
    about: About,
    of: Vec<DocumentKind>,
    method: Method,
    path: PathBelowBase,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    idempotency_header: Option<String>,
    words: BTreeMap<StatusWord, String>,
    body: toml::Table,
    success: Option<Success>,
    error: Option<Place>,
    zone: Option<Zone>,
}

/// The document that a report is of, and when it came to be so.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub source_id: &'a str,
    pub number: &'a str,
    pub report: &'a StatusReport,
    pub occurred_at: Timestamp,
}

/// A call, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportCall {
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// What may stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    Word,
    SourceId,
    Number,
    ErpNumber,
    Revision,
    Message,
    Currency,
    Paid,
    Remaining,
    OccurredAt,
}

const SLOTS: [(&str, Slot); 10] = [
    ("word", Slot::Word),
    ("source_id", Slot::SourceId),
    ("number", Slot::Number),
    ("erp_number", Slot::ErpNumber),
    ("revision", Slot::Revision),
    ("message", Slot::Message),
    ("currency", Slot::Currency),
    ("paid", Slot::Paid),
    ("remaining", Slot::Remaining),
    ("occurred_at", Slot::OccurredAt),
];

/// A text between braces and what stands around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Slot(SlotForm),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotForm {
    slot: Slot,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain,
    /// A JSON number.
    Number,
    /// An amount in minor units, as a JSON number.
    Minor,
    /// Of a moment: a pattern such as `%d.%m.%Y`.
    Pattern(String),
}

#[derive(Debug, Clone)]
enum Template {
    Text(Vec<Piece>),
    Table(Vec<(String, Template)>),
    List(Vec<Template>),
    Fixed(Value),
}

impl ReportLayout {
    pub(super) fn build(
        table: ReportTable,
        notation: &Notation,
        headers: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        if table.of.is_empty() {
            return Err("`of` names no kind of document".to_owned());
        }
        if let Some(word) = table.words.keys().find(|word| word.about() != table.about) {
            return Err(format!(
                "`words.{}` belongs to a report about {}, and this one is about {}",
                word.as_str(),
                word.about().as_str(),
                table.about.as_str()
            ));
        }
        if table.words.is_empty() {
            return Err("`words` says nothing: nothing would ever be told".to_owned());
        }
        let is_of_orders = table.of.contains(&DocumentKind::PurchaseOrder);
        if table.about == About::Payment && is_of_orders {
            return Err("an order is not paid: `of` may name invoices and credit notes".to_owned());
        }
        let path = pieces(&table.path.0)?;
        let needed = |piece: &Piece| match piece {
            Piece::Slot(of) => !matches!(of.slot, Slot::SourceId | Slot::Number | Slot::ErpNumber),
            Piece::Text(_) => false,
        };
        if path.iter().any(needed) {
            return Err("the path may carry {source_id}, {number} and {erp_number}".to_owned());
        }
        let mut all = headers.clone();
        all.extend(table.headers);
        let zone = table.zone.or_else(|| notation.zone.clone()).map(|zone| zone.0);
        Ok(Self {
            about: table.about,
            of: table.of,
            method: table.method,
            path,
            query: table.query,
            headers: all,
            key_header: table.idempotency_header,
            words: table.words,
            body: template(toml::Value::Table(table.body))?,
            success: table.success,
            error: table.error,
            zone: zone.unwrap_or(TimeZone::UTC),
        })
    }

    pub fn fits(&self, about: About, kind: DocumentKind) -> bool {
        self.about == about && self.of.contains(&kind)
    }

    /// `None`: the instance has no word for it, or its address needs what the report does not have.
    pub fn call(&self, subject: &Subject<'_>) -> Option<ReportCall> {
        let word = self.words.get(&subject.report.word)?;
        let values = Values { layout: self, subject, word };
        let mut path = String::new();
        for piece in &self.path {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Slot(of) => path.push_str(&percent_encoded(&as_text(&values.of(of)?))),
            }
        }
        let Template::Table(members) = &self.body else { return None };
        Some(ReportCall { path, body: Value::Object(values.members(members)) })
    }
}

struct Values<'a> {
    layout: &'a ReportLayout,
    subject: &'a Subject<'a>,
    word: &'a str,
}

impl Values<'_> {
    /// Members that lack a value are left out, tables inside as a whole.
    fn members(&self, of: &[(String, Template)]) -> Map<String, Value> {
        of.iter().filter_map(|(name, of)| Some((name.clone(), self.fill(of)?))).collect()
    }

    fn fill(&self, of: &Template) -> Option<Value> {
        match of {
            Template::Fixed(value) => Some(value.clone()),
            Template::List(of) => of.iter().map(|of| self.fill(of)).collect(),
            Template::Table(of) => {
                let filled = self.members(of);
                (filled.len() == of.len()).then_some(Value::Object(filled))
            }
            Template::Text(of) => match of.as_slice() {
                [Piece::Slot(only)] => self.of(only),
                several => {
                    let mut text = String::new();
                    for piece in several {
                        match piece {
                            Piece::Text(part) => text.push_str(part),
                            Piece::Slot(of) => text.push_str(&as_text(&self.of(of)?)),
                        }
                    }
                    Some(Value::String(text))
                }
            },
        }
    }

    fn of(&self, SlotForm { slot, form }: &SlotForm) -> Option<Value> {
        let Subject { source_id, number, report, occurred_at } = self.subject;
        let text = |text: &str| Some(Value::String(text.to_owned()));
        match slot {
            Slot::Word => text(self.word),
            Slot::SourceId => text(source_id),
            Slot::Number => text(number),
            Slot::ErpNumber => text(report.erp_number.as_deref()?),
            Slot::Revision => Some(Value::Number(report.revision?.into())),
            Slot::Message => text(report.message.as_deref()?),
            Slot::Currency => text(report.paid.or(report.remaining)?.currency.code()),
            Slot::Paid => amount(report.paid?, form),
            Slot::Remaining => amount(report.remaining?, form),
            Slot::OccurredAt => match form {
                Form::Pattern(pattern) => {
                    let at = occurred_at.to_zoned(self.layout.zone.clone());
                    text(&jiff::fmt::strtime::format(pattern, &at).ok()?)
                }
                Form::Plain | Form::Number | Form::Minor => text(&format!("{occurred_at:.3}")),
            },
        }
    }
}

fn amount(of: Money, form: &Form) -> Option<Value> {
    let decimal = rust_decimal::Decimal::new(of.minor, of.currency.decimals()).to_string();
    Some(match form {
        Form::Minor => Value::Number(of.minor.into()),
        Form::Number => Value::Number(decimal.parse::<Number>().ok()?),
        Form::Plain | Form::Pattern(_) => Value::String(decimal),
    })
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn template(of: toml::Value) -> Result<Template, String> {
    Ok(match of {
        toml::Value::String(text) => Template::Text(pieces(&text)?),
        toml::Value::Table(table) => {
            let members = table.into_iter().map(|(name, of)| Ok((name, template(of)?)));
            Template::Table(members.collect::<Result<_, String>>()?)
        }
        toml::Value::Array(list) => {
            Template::List(list.into_iter().map(template).collect::<Result<_, String>>()?)
        }
        toml::Value::Integer(of) => Template::Fixed(Value::Number(of.into())),
        toml::Value::Boolean(of) => Template::Fixed(Value::Bool(of)),
        toml::Value::Float(_) | toml::Value::Datetime(_) => {
            return Err(
                "a body holds texts, whole numbers, yes and no; write others as text".into()
            );
        }
    })
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        let (name, after) = inside
            .split_once('}')
            .ok_or_else(|| format!("`{text}`: a brace is opened and not closed"))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Slot(slot(name)?));
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn slot(text: &str) -> Result<SlotForm, String> {
    let (name, form) = match text.split_once(':') {
        Some((name, form)) => (name, Some(form)),
        None => (text, None),
    };
    let Some((_, slot)) = SLOTS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = SLOTS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "`{{{name}}}` is nothing that can be told; there are {}",
            known.join(", ")
        ));
    };
    let form = match (slot, form) {
        (_, None) => Form::Plain,
        (Slot::Paid | Slot::Remaining, Some("number")) => Form::Number,
        (Slot::Paid | Slot::Remaining, Some("minor")) => Form::Minor,
        (Slot::OccurredAt, Some(pattern)) => {
            let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
            match jiff::fmt::strtime::format(pattern, &sample) {
                Ok(_) if pattern.contains('%') => Form::Pattern(pattern.to_owned()),
                Ok(_) => return Err(format!("`{pattern}` is no pattern such as %d.%m.%Y")),
                Err(error) => return Err(format!("`{pattern}`: {error}")),
            }
        }
        (_, Some(form)) => return Err(format!("`{{{name}}}` has no form `{form}`")),
    };
    Ok(SlotForm { slot: *slot, form })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;

    fn build(text: &str) -> Result<ReportLayout, String> {
        let table: ReportTable = toml::from_str(text).map_err(|error| error.to_string())?;
        ReportLayout::build(table, &Notation::default(), &BTreeMap::new())
    }

    const PAYMENT: &str = r#"
        about = "payment"
        of = ["supplier_invoice", "credit_note"]
        method = "PATCH"
        path = "/vouchers/{source_id}"
        zone = "Europe/Oslo"
        words = { paid = "SETTLED", partly_paid = "PART" }
        body = { payment = { state = "{word}", on = "{occurred_at:%d.%m.%Y}" }, left = "{remaining:minor}", sums = { paid = "{paid}", exact = "{paid:number}", in = "{currency}" }, ref = "no {erp_number}", revision = "{revision}", final = true }
    "#;

    fn paid() -> StatusReport {
        let money = |minor| Some(Money::new(minor, Currency::NOK));
        StatusReport {
            word: StatusWord::Paid,
            erp_number: Some("300001".into()),
            revision: None,
            message: None,
            paid: money(1_655_250),
            remaining: money(0),
        }
    }

    fn call(layout: &ReportLayout, report: &StatusReport) -> Option<ReportCall> {
        // Half an hour before midnight in UTC is the next day in Oslo.
        let occurred_at = "2026-10-26T23:30:00.123456Z".parse().unwrap();
        layout.call(&Subject { source_id: "25/26", number: "I1", report, occurred_at })
    }

    #[test]
    fn a_body_is_filled_and_what_lacks_a_value_is_left_out() {
        let layout = build(PAYMENT).unwrap();
        let told = call(&layout, &paid()).unwrap();
        assert_eq!(told.path, "/vouchers/25%2F26");
        let expected = serde_json::json!({
            "payment": { "state": "SETTLED", "on": "27.10.2026" }, "left": 0,
            "sums": { "paid": "16552.50", "exact": serde_json::from_str::<Value>("16552.50").unwrap(), "in": "NOK" },
            "ref": "no 300001", "final": true,
        });
        assert_eq!(told.body, expected);
        let bare = StatusReport { erp_number: None, paid: None, ..paid() };
        let told = call(&layout, &bare).unwrap();
        assert_eq!(told.body.get("sums"), None, "{}", told.body);
        assert_eq!(told.body.get("ref"), None);
        assert_eq!(call(&layout, &StatusReport { word: StatusWord::Payable, ..paid() }), None);
    }

    #[test]
    fn mistakes_are_told() {
        let cases = [
            ("{source_id}\"", "{message}\"", "path may carry"),
            ("{word}", "{wrod}", "`{wrod}` is nothing that can be told; there are word,"),
            ("{occurred_at:%d.%m.%Y}", "{occurred_at:day}", "no pattern"),
            ("{paid:number}", "{paid:euro}", "no form `euro`"),
            ("{word}", "{word", "not closed"),
            ("paid = \"SETTLED\"", "created = \"SETTLED\"", "about erp"),
            ("\"supplier_invoice\", \"credit_note\"", "\"purchase_order\"", "an order is not paid"),
            ("\"supplier_invoice\", \"credit_note\"", "", "names no kind"),
            ("paid = \"SETTLED\", partly_paid = \"PART\"", "", "nothing would ever be told"),
            ("final = true", "final = 1.5", "write others as text"),
            ("PATCH", "DELETE", "DELETE"),
            ("path = \"/", "path = \"", "begin with one `/`"),
        ];
        for (good, bad, expected) in cases {
            assert!(PAYMENT.contains(good), "{good}");
            let error = build(&PAYMENT.replacen(good, bad, 1)).expect_err(bad);
            assert!(error.contains(expected), "{expected} is missing in: {error}");
        }
    }
}
