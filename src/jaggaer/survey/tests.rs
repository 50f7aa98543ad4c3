use super::*;
use crate::jaggaer::{Feed, Profile};
use serde_json::json;

fn data(name: &str) -> Value {
    let path = format!("{}/tests/data/jaggaer/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn invoices() -> Arc<Feed> {
    Arc::clone(Profile::built_in("default").unwrap().feed("invoices").unwrap())
}

fn field<'s>(survey: &'s FeedSurvey, name: &str) -> &'s FieldSurvey {
    let found = survey.fields.iter().find(|field| field.field == name);
    found.unwrap_or_else(|| panic!("no field {name}"))
}

#[test]
fn every_field_is_counted_as_it_is_read() {
    let good = data("default")["invoice"].clone();
    let mut bad = good.clone();
    (bad["id"], bad["dueDate"]) = (json!("2"), json!("soon"));
    (bad["paymentReference"], bad["workflowStatus"]) = (json!(null), json!("Parked"));
    (bad["lines"][0]["quantity"], bad["currency"]) = (json!(9), json!("NOK"));
    let survey = survey(&invoices(), &[good.clone(), bad.clone()], None);
    assert_eq!((survey.records, survey.readable), (2, 1));
    let due = field(&survey, "due_on");
    assert_eq!((due.found, due.missing, due.unreadable, due.required), (1, 0, 1, false));
    assert_eq!(due.reasons[0].value, "\"soon\"");
    assert!(due.reasons[0].text.starts_with("not a date"), "{:?}", due.reasons);
    let reference = field(&survey, "payment_reference");
    assert_eq!((reference.found, reference.missing), (1, 1));
    assert_eq!(reference.place, "$.paymentReference");
    let net = field(&survey, "lines.net");
    assert_eq!((net.found, net.required, net.examples.len()), (4, true, 2));
    assert_eq!(field(&survey, "lines.distributions").found, 4);
    let words: Vec<(&str, &str)> =
        survey.statuses.iter().map(|of| (of.words.as_str(), of.then)).collect();
    assert_eq!(
        words,
        [
            ("payment Payable, workflow Completed", "ripe"),
            ("payment Payable, workflow Parked", "unknown")
        ]
    );
    assert!(survey.hints.iter().any(|hint| hint.contains("no rule names")), "{:?}", survey.hints);
    assert!(survey.ok());
    // Without a currency nothing else of the document can be read.
    let mut none = good;
    none["currency"] = json!("kroner");
    let survey = super::survey(&invoices(), &[none], None);
    let currency = field(&survey, "currency");
    assert_eq!((currency.found, currency.unreadable), (0, 1));
    assert!(currency.fails() && !survey.ok());
}

#[test]
fn sums_that_do_not_hold_are_shown_and_hint_at_the_cause() {
    let good = data("default")["invoice"].clone();
    let sums = |body: &Value| survey(&invoices(), std::slice::from_ref(body), None);
    let found = sums(&good);
    let holds: Vec<(&str, u64, u64)> =
        found.sums.iter().map(|of| (of.sum.as_str(), of.holds, of.of)).collect();
    assert_eq!(
        holds,
        [
            ("gross = net + tax", 1, 1),
            ("line net = quantity × price", 2, 2),
            ("line tax = net × rate", 2, 2),
            ("net = lines + charges", 1, 1)
        ]
    );
    let mut cents = good.clone();
    cents["lines"][0]["unitPrice"]["amount"] = json!("120000");
    let found = sums(&cents);
    assert_eq!(found.sums[1].example.as_deref(), Some("invoice I00092, line 1: 12000 and 1200000"));
    assert!(found.hints.iter().any(|hint| hint.contains("a hundred times")), "{:?}", found.hints);
}

#[test]
fn a_change_in_the_future_is_a_sign_of_another_zone() {
    let body = data("default")["invoice"].clone();
    let now = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let hints = |at| survey(&invoices(), std::slice::from_ref(&body), now(at)).hints;
    assert!(hints("2026-09-28T10:06:00Z").is_empty());
    assert!(hints("2026-09-28T08:05:00Z")[0].contains("120 minutes ahead"));
}

#[test]
fn a_sample_finds_its_feed() {
    let profile = Profile::built_in("default").unwrap();
    let of = |body: Value| {
        let sample = Sample { name: "s.json".into(), body };
        guess_feed(&profile, &sample).map(|feed| feed.name().to_owned())
    };
    let data = data("default");
    for (member, feed) in
        [("invoice", "invoices"), ("order", "purchase_orders"), ("supplier", "suppliers")]
    {
        assert_eq!(of(json!({"items": [data[member]]})).as_deref(), Ok(feed));
        assert_eq!(of(data[member].clone()).as_deref(), Ok(feed), "one whole document");
    }
    let error = of(json!({"rows": [{"no": 1}]})).unwrap_err().to_string();
    assert!(error.contains("s.json") && error.contains("--feed"), "{error}");
    assert!(Sample::parse("x.json", b"{").unwrap_err().to_string().contains("x.json: not JSON"));
}
