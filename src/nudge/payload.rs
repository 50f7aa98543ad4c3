//! What a delivery has news of. Visma publishes no schema of its bodies, so every name is looked for in the places that
//! are known or guessed, and where they are is configuration.

use crate::schedule::Poll;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;

/// Where the name of what changed is looked for, unless the configuration says it.
const ENTITY: &[&str] = &[
    "$.entity",
    "$.entityType",
    "$.entityName",
    "$.resource",
    "$.eventType",
    "$.event",
    "$.type",
    "$.topic",
    "$.data.entity",
    "$.data.entityType",
    "$.payload.entity",
];
const REFERENCE: &[&str] = &[
    "$.identifier",
    "$.referenceNumber",
    "$.number",
    "$.key",
    "$.entityId",
    "$.id",
    "$.data.identifier",
    "$.data.referenceNumber",
    "$.data.number",
    "$.data.id",
    "$.payload.identifier",
    "$.payload.id",
];
/// Of a job: its id, or the address of its state, which ends in it.
const JOB: &[&str] =
    &["$.stateLocation", "$.id", "$.identifier", "$.data.stateLocation", "$.data.id"];

/// How they are called, without signs and in small letters. A plain `invoice` is a customer's.
const WORDS: &[(&str, Poll)] = &[
    ("supplier", Poll::Suppliers),
    ("suppliers", Poll::Suppliers),
    ("vendor", Poll::Suppliers),
    ("apinvoice", Poll::Invoices),
    ("apinvoices", Poll::Invoices),
    ("supplierinvoice", Poll::Invoices),
    ("supplierinvoices", Poll::Invoices),
    ("invoices", Poll::Invoices),
    ("purchaseorder", Poll::Orders),
    ("purchaseorders", Poll::Orders),
    ("orders", Poll::Orders),
    ("account", Poll::Accounts),
    ("accounts", Poll::Accounts),
    ("glaccount", Poll::Accounts),
    ("generalledgeraccount", Poll::Accounts),
    ("dimension", Poll::Dimensions),
    ("dimensions", Poll::Dimensions),
    ("segment", Poll::Dimensions),
    ("segmentvalue", Poll::Dimensions),
    ("backgroundapioperation", Poll::Jobs),
    ("backgroundoperation", Poll::Jobs),
    ("backgroundapi", Poll::Jobs),
    ("background", Poll::Jobs),
    ("jobs", Poll::Jobs),
];

/// What happened to it, written into the same word.
const VERBS: &[&str] = &[
    "responseready",
    "statuschanged",
    "identitychanged",
    "valuechanged",
    "created",
    "updated",
    "changed",
    "deleted",
];

/// Events of one delivery that are looked at, and letters of a reference.
const MOST_EVENTS: usize = 100;
const LONGEST: usize = 120;

/// Reads the bodies of one connection's deliveries.
#[derive(Debug, Clone)]
pub struct Reader {
    entity: Vec<JsonPath>,
    reference: Vec<JsonPath>,
    job: Vec<JsonPath>,
    words: BTreeMap<String, Poll>,
}

/// One thing that a delivery tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub poll: Poll,
    /// The key of what changed, as it is called there; empty: it is not told.
    pub reference: String,
}

/// What stands in a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    News(Vec<News>),
    /// It has news of something that is not polled here.
    Other,
    /// It is not JSON, or says nowhere what it is about.
    Unreadable,
}

impl Reader {
    /// Empty paths: where they are known to stand. `words` are called so beside those that are known.
    pub fn new(
        entity: &[String],
        reference: &[String],
        words: &BTreeMap<String, Poll>,
    ) -> Result<Self, String> {
        let chosen = |own: &[String], known: &[&str]| match own {
            [] => paths(known.iter().copied()),
            own => paths(own.iter().map(String::as_str)),
        };
        Ok(Self {
            entity: chosen(entity, ENTITY)?,
            reference: chosen(reference, REFERENCE)?,
            job: chosen(reference, JOB)?,
            words: words.iter().map(|(word, poll)| (bare(word), *poll)).collect(),
        })
    }

    /// `of`: what the URL or a header says that it is about, which then is not looked for.
    pub fn read(&self, body: &[u8], of: Option<&str>) -> Payload {
        let value: Result<Value, _> = serde_json::from_slice(body);
        if let Some(word) = of {
            let Some(poll) = self.poll(word) else { return Payload::Other };
            let events = value.map_or_else(|_| vec![Value::Null], events);
            let news = events.iter().map(|event| self.news(poll, event)).collect();
            return Payload::News(news);
        }
        let Ok(value) = value else { return Payload::Unreadable };
        let (mut news, mut other) = (Vec::new(), false);
        for event in events(value) {
            let words: Vec<&str> =
                self.entity.iter().flat_map(|path| texts(path, &event)).collect();
            let state =
                event["stateLocation"].as_str().filter(|text| text.contains("/background/"));
            let known = words.iter().find_map(|word| self.poll(word));
            match known.or(state.map(|_| Poll::Jobs)) {
                Some(poll) => news.push(self.news(poll, &event)),
                None => other |= !words.is_empty(),
            }
        }
        match (news.is_empty(), other) {
            (false, _) => Payload::News(news),
            (true, true) => Payload::Other,
            (true, false) => Payload::Unreadable,
        }
    }

    fn poll(&self, word: &str) -> Option<Poll> {
        self.words.get(&bare(word)).copied().or_else(|| poll_of(word))
    }

    fn news(&self, poll: Poll, event: &Value) -> News {
        let places = if poll == Poll::Jobs { &self.job } else { &self.reference };
        let text = places.iter().find_map(|path| {
            path.query(event).all().into_iter().find_map(|node| match node {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        });
        let text = text.unwrap_or_default();
        // An address ends in the key.
        let key = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let plain = key.chars().filter(|c| !c.is_control()).take(LONGEST);
        News { poll, reference: plain.collect() }
    }
}

/// What a name such as `AP Invoice`, `supplierInvoice.StatusChanged` or `net.visma.supplier.updated` means here.
pub fn poll_of(word: &str) -> Option<Poll> {
    if word.len() > LONGEST {
        return None;
    }
    let known = |text: &str| WORDS.iter().find(|(word, _)| *word == text).map(|(_, poll)| *poll);
    let parts: Vec<&str> = word.split(['.', ':', '/']).collect();
    (0..parts.len()).find_map(|from| {
        let mut text = bare(&parts[from..].concat());
        loop {
            if let Some(poll) = known(&text) {
                return Some(poll);
            }
            // `v1` and the like stand behind the verb.
            let version = text.trim_end_matches(|c: char| c.is_ascii_digit());
            let shorter = match version.strip_suffix('v').filter(|_| version.len() < text.len()) {
                Some(shorter) => shorter,
                None => VERBS.iter().find_map(|verb| text.strip_suffix(verb))?,
            };
            text = shorter.to_owned();
        }
    })
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A body is one event, a list of them, or a list under a name of its own.
fn events(value: Value) -> Vec<Value> {
    let mut events = match value {
        Value::Array(events) => events,
        Value::Object(mut members) => {
            let named = ["events", "notifications", "value"]
                .into_iter()
                .find(|name| members.get(*name).is_some_and(Value::is_array));
            match named.and_then(|name| members.remove(name)) {
                Some(Value::Array(events)) => events,
                _ => vec![Value::Object(members)],
            }
        }
        other => vec![other],
    };
    events.truncate(MOST_EVENTS);
    events
}

fn texts<'v>(path: &JsonPath, event: &'v Value) -> Vec<&'v str> {
    path.query(event).all().into_iter().filter_map(Value::as_str).collect()
}

fn paths<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<JsonPath>, String> {
    texts
        .map(|text| {
            JsonPath::parse(text).map_err(|error| {
                format!("`{text}` is not a JSONPath (RFC 9535), e.g. `$.data.entity`: {error}")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        Reader::new(&[], &[], &BTreeMap::new()).expect("right")
    }

    fn news(poll: Poll, reference: &str) -> Payload {
        Payload::News(vec![News { poll, reference: reference.into() }])
    }

    #[test]
    fn names_are_known_in_many_forms() {
        for (word, poll) in [
            ("Supplier", Some(Poll::Suppliers)),
            ("SupplierUpdated", Some(Poll::Suppliers)),
            ("net.visma.financials.supplier.updated", Some(Poll::Suppliers)),
            ("net.visma.supplier.updated.v2", Some(Poll::Suppliers)),
            ("AP Invoice", Some(Poll::Invoices)),
            ("AP Invoice Status Changed", Some(Poll::Invoices)),
            ("supplierInvoice.StatusChanged", Some(Poll::Invoices)),
            ("purchase_order:changed", Some(Poll::Orders)),
            ("Account.IdentityChanged", Some(Poll::Accounts)),
            ("Segment Value Changed", Some(Poll::Dimensions)),
            ("Background API Operation", Some(Poll::Jobs)),
            ("BackgroundApiOperation.ResponseReady", Some(Poll::Jobs)),
            // A customer's.
            ("Invoice", None),
            ("Customer Invoice", None),
            ("SupplierPayment", None),
            ("Updated", None),
            ("", None),
            ("v1", None),
        ] {
            assert_eq!(poll_of(word), poll, "{word}");
        }
        assert_eq!(poll_of(&"supplier.".repeat(100)), None);
    }

    #[test]
    fn the_shapes_that_are_guessed_are_read() {
        for (body, expected) in [
            (
                r#"{"entity":"Supplier","event":"Changed","identifier":"50047","tenantId":"t"}"#,
                news(Poll::Suppliers, "50047"),
            ),
            (
                r#"{"id":"73ac","statusCode":201,"stateLocation":"https://x/v1/background/73ac0029"}"#,
                news(Poll::Jobs, "73ac0029"),
            ),
            (r#"{"event":"Account.Changed","data":{"id":4000}}"#, news(Poll::Accounts, "4000")),
            (r#"{"type":"net.visma.purchaseOrder.changed"}"#, news(Poll::Orders, "")),
            (
                r#"{"resource":"https://x/v1/supplierInvoice","key":"https://x/v1/supplierInvoice/9"}"#,
                news(Poll::Invoices, "9"),
            ),
            (r#"{"entity":"Customer","identifier":"1"}"#, Payload::Other),
            (r#"{"hello":"world"}"#, Payload::Unreadable),
            ("{", Payload::Unreadable),
            ("", Payload::Unreadable),
            ("7", Payload::Unreadable),
            ("[]", Payload::Unreadable),
        ] {
            assert_eq!(reader().read(body.as_bytes(), None), expected, "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(reader().read(deep.as_bytes(), None), Payload::Unreadable);
    }

    #[test]
    fn one_delivery_may_have_several_events() {
        let body = r#"{"events":[{"entity":"Supplier","identifier":"1"},{"entity":"Customer"},
            {"entity":"Account","identifier":"2"}]}"#;
        let Payload::News(all) = reader().read(body.as_bytes(), None) else { panic!("news") };
        let told: Vec<(Poll, &str)> = all.iter().map(|n| (n.poll, n.reference.as_str())).collect();
        assert_eq!(told, [(Poll::Suppliers, "1"), (Poll::Accounts, "2")]);
        let many = format!("[{}]", vec![r#"{"entity":"Supplier"}"#; 5000].join(","));
        let Payload::News(all) = reader().read(many.as_bytes(), None) else { panic!("news") };
        assert_eq!(all.len(), MOST_EVENTS);
    }

    #[test]
    fn what_the_url_says_needs_no_body() {
        for body in ["", "not json", "null", "{}"] {
            let said = reader().read(body.as_bytes(), Some("suppliers"));
            assert_eq!(said, news(Poll::Suppliers, ""), "{body}");
        }
        let said = reader().read(br#"{"identifier":"7"}"#, Some("AP Invoice"));
        assert_eq!(said, news(Poll::Invoices, "7"));
        assert_eq!(reader().read(b"{}", Some("customers")), Payload::Other);
    }

    #[test]
    fn another_shape_is_configuration() {
        let words = BTreeMap::from([("Lev".to_owned(), Poll::Suppliers)]);
        let own = Reader::new(&["$.what".into()], &["$.items[*].no".into()], &words).expect("ok");
        let said = own.read(br#"{"what":"LEV","items":[{"no":"12"}],"entity":"Account"}"#, None);
        assert_eq!(said, news(Poll::Suppliers, "12"));
        let wrong = Reader::new(&["what".into()], &[], &words).map(|_| ());
        assert!(wrong.expect_err("no path").contains("RFC 9535"));
    }
}
