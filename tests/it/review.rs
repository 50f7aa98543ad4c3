//! Sequences of events in which a document could be lost, doubled, or keep others from their
//! turn: both simulators behind a cable that a test can tamper with.

use crate::stores;
use crate::tamper::{Fate, Tamper};
use axum::http::Method;
use ml_connector::config::Config;
use ml_connector::procurement::PostingMode;
use ml_connector::store::{DocumentFilter, DocumentRow, DocumentState, PostingState, Step, Store};
use ml_connector::sync::{self, ManualVerb, RoundReport, Silent};
use ml_connector_sandbox::jaggaer::Profile;
use ml_connector_sandbox::{Sandbox, Settings, visma, world};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A small world without planted faults, and everything between it and the store.
struct Story {
    sandbox: Sandbox,
    visma: Tamper,
    jaggaer: Tamper,
    config: Config,
    store: Store,
    _kept: stores::TestStore,
}

impl Story {
    async fn begin(documents: usize, attachments: bool) -> Self {
        Self::begin_as(documents, attachments, Profile::Default).await
    }

    async fn begin_as(documents: usize, attachments: bool, profile: Profile) -> Self {
        let name = profile.name();
        let mut settings = Settings {
            profile,
            world: world::Settings {
                seed: 7,
                documents,
                attachments,
                held_per_mille: 0,
                plant_waiting: false,
                plant_not_ripe: false,
                month: false,
                companies: 1,
            },
            ..Settings::default()
        };
        settings.visma.calls_per_window = 1_000_000;
        let sandbox = Sandbox::start(settings).await.expect("free ports");
        let visma = Tamper::before(sandbox.visma_url()).await;
        let jaggaer = Tamper::before(sandbox.jaggaer_url()).await;
        let kept = stores::sqlite();
        let file = kept.url.strip_prefix("sqlite:").expect("a file store");
        let folder = Path::new(file).parent().expect("in a folder");
        let defaults = visma::Settings::defaults();
        std::fs::write(folder.join("visma.secret"), defaults.client_secret).expect("writable");
        let defaults = ml_connector_sandbox::jaggaer::Settings::defaults();
        std::fs::write(folder.join("jaggaer.secret"), defaults.client_secret).expect("writable");
        let text = include_str!("../../src/cli/sandbox.toml")
            .replace("{visma}", &visma.url)
            .replace("{jaggaer}", &jaggaer.url)
            .replace("{profile}", name)
            .replace("{mode}", "hold")
            .replace("sqlite:ml-connector.db", &kept.url)
            .replace("settle_after_seconds = 2", "settle_after_seconds = 1")
            .replace("settle_patience_seconds = 15", "settle_patience_seconds = 4");
        let path = folder.join("config.toml");
        std::fs::write(&path, text).expect("writable");
        let config = Config::load(&path).expect("a good configuration");
        let store = Store::open(&kept.url).await.expect("a fresh store");
        Self { sandbox, visma, jaggaer, config, store, _kept: kept }
    }

    async fn sync(&self) -> RoundReport {
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        let round = sync::sync(&self.store, &self.config, None, Arc::new(Silent), stopped);
        tokio::time::timeout(Duration::from_secs(60), round)
            .await
            .expect("a sync comes to an end")
            .expect("the store works")
    }

    async fn documents(&self, state: DocumentState) -> Vec<DocumentRow> {
        let filter = DocumentFilter { state: Some(state), ..DocumentFilter::default() };
        self.store.documents(&filter).await.expect("the store works")
    }

    async fn document(&self, source_id: &str) -> DocumentRow {
        let found = self.store.find_documents(source_id).await.expect("the store works");
        found.into_iter().find(|document| document.source_id == source_id).expect("received")
    }

    /// The first posted document of a kind that JAGGAER made and we posted.
    async fn posted(&self, kind: &str) -> DocumentRow {
        let posted = self.documents(DocumentState::Posted).await;
        let ours = |document: &&DocumentRow| document.kind.as_str() == kind;
        posted.iter().find(ours).expect("one was posted").clone()
    }

    async fn ask(&self, verb: ManualVerb, document: &str) {
        verb.ask(&self.store, "no", document, "tester", "because").await.expect("asked");
    }

    fn assert_clean(&self, when: &str) {
        let findings = self.sandbox.report().findings;
        assert!(findings.is_clean(), "{when}: {findings:?}");
    }
}

fn price(text: &str) -> rust_decimal::Decimal {
    text.parse().expect("a price")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_update_never_comes_back_over_a_newer_one() {
    let story = Story::begin(12, false).await;
    story.sync().await;
    story.assert_clean("after the first round");
    let invoice = story.posted("supplier_invoice").await;
    let world = story.sandbox.world();

    story.visma.set(|method, _| match *method {
        Method::PUT => Fate::Answer(400, r#"{"message":"the account is closed today"}"#),
        _ => Fate::Pass,
    });
    assert!(world.change_invoice_amount(&invoice.source_id, price("11.10")));
    story.sync().await;
    assert_eq!(story.document(&invoice.source_id).await.state, DocumentState::Held);

    story.visma.clear();
    assert!(world.change_invoice_amount(&invoice.source_id, price("22.20")));
    story.sync().await;
    story.assert_clean("after the second change");

    story.ask(ManualVerb::Replay, &invoice.id).await;
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(story.document(&invoice.source_id).await.state, DocumentState::Posted);
    story.assert_clean("after the replay");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_left_yet_is_sent_as_it_is_now_or_not_at_all() {
    let story = Story::begin(6, false).await;
    story.visma.set(|method, path| match path.starts_with("/v1/purchaseorder") {
        true if *method == Method::POST => Fate::Answer(401, "{}"),
        _ => Fate::Pass,
    });
    let world = story.sandbox.world();
    // Two orders that no invoice bills.
    let added = [world.add_order(0), world.add_order(1)];
    story.sync().await;
    let taken_back = story.document(&added[0]).await;
    let changed = story.document(&added[1]).await;
    assert_eq!([taken_back.state, changed.state], [DocumentState::Posting; 2], "not sent yet");
    assert!(world.cancel_order(&taken_back.source_id));
    let change = world::OrderChange::Price { line: 0, price: price("3.33") };
    assert!(world.change_order(&changed.source_id, &change));

    let writes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&writes);
    story.visma.set(move |method, path| {
        if *method == Method::PUT {
            seen.lock().unwrap().push(path.to_owned());
        }
        Fate::Pass
    });
    story.sync().await;
    story.sync().await;
    assert_eq!(story.document(&taken_back.source_id).await.state, DocumentState::Cancelled);
    assert_eq!(story.document(&changed.source_id).await.state, DocumentState::Posted);
    assert_eq!(*writes.lock().unwrap(), Vec::<String>::new(), "nothing had to be put right");
    story.assert_clean("at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_cancellation_stops_nobody_and_an_order_wanted_back_is_held() {
    let story = Story::begin(6, false).await;
    story.sync().await;
    let order = story.posted("purchase_order").await;
    assert!(story.sandbox.world().cancel_order(&order.source_id));
    story.sync().await;
    assert_eq!(story.document(&order.source_id).await.state, DocumentState::Cancelled);
    story.ask(ManualVerb::Replay, &order.id).await;
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(story.document(&order.source_id).await.state, DocumentState::Cancelled);

    assert!(story.sandbox.world().approve(&order.source_id), "JAGGAER sends it again");
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    let wanted_back = story.document(&order.source_id).await;
    assert_eq!(wanted_back.state, DocumentState::Held);
    let holds = story.store.holds_of(&order.id).await.unwrap();
    assert_eq!(holds[0].code, "changed_after_posting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_a_person_deleted_in_visma_stops_nobody() {
    let story = Story::begin(6, false).await;
    story.sync().await;
    let order = story.posted("purchase_order").await;
    let path = format!("/v1/purchaseorder/{}", order.visma_number.clone().unwrap());
    story.visma.set(move |_, asked| match asked.starts_with(&path) {
        true => Fate::Answer(404, "{}"),
        false => Fate::Pass,
    });
    let world = story.sandbox.world();
    let change = world::OrderChange::Price { line: 0, price: price("3.33") };
    assert!(world.change_order(&order.source_id, &change));
    let other = world.add_order(0);
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(story.document(&order.source_id).await.state, DocumentState::Held);
    assert_eq!(story.document(&other).await.state, DocumentState::Posted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_ends_when_every_write_is_turned_away() {
    let story = Story::begin(4, false).await;
    story.visma.set(|method, path| match *method {
        Method::POST if path.starts_with("/v1/") => Fate::Answer(401, "{}"),
        _ => Fate::Pass,
    });
    let report = story.sync().await;
    assert_eq!(report.totals.uncertain, 0);
    assert!(report.totals.in_flight > 0);
    story.visma.clear();
    for _ in 0..3 {
        story.sync().await;
    }
    story.assert_clean("when writes are let through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_document_that_lists_cannot_show_is_not_made_again() {
    let story = Story::begin(4, false).await;
    let creations = Arc::new(Mutex::new(0));
    let made = Arc::clone(&creations);
    story.visma.set(move |method, path| {
        if *method == Method::POST && path.starts_with("/v1/supplierInvoice") {
            *made.lock().unwrap() += 1;
            return Fate::Lost;
        }
        if *method == Method::GET && path.starts_with("/v1/supplierInvoice?") {
            return Fate::Changed(Box::new(|rows| {
                for row in rows.as_array_mut().into_iter().flatten() {
                    if row["note"].as_str().is_some_and(|note| note.contains("ml-connector:")) {
                        row["errorInfo"] = "the row could not be built".into();
                    }
                }
            }));
        }
        Fate::Pass
    });
    for _ in 0..3 {
        story.sync().await;
    }
    let once = *creations.lock().unwrap();
    let held = story.documents(DocumentState::Held).await.len();
    assert!(once > 0 && held == once, "{once} were made once each, {held} are held");

    story.visma.clear();
    for document in story.documents(DocumentState::Held).await {
        story.ask(ManualVerb::Release, &document.id).await;
    }
    story.sync().await;
    assert_eq!(story.documents(DocumentState::Held).await, Vec::new());
    story.assert_clean("when the rows can be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_change_of_what_lists_do_not_show_is_made_all_the_same() {
    let story = Story::begin(12, false).await;
    story.sync().await;
    let invoice = story.posted("supplier_invoice").await;
    let id = invoice.source_id.clone();
    let raw = story.store.revision(&invoice.id, 1).await.unwrap().unwrap().raw;
    let due = serde_json::from_str::<Value>(&raw).unwrap();
    let places: Vec<String> = due
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| name.to_lowercase().contains("due") && value.is_string())
        .map(|(name, _)| name.clone())
        .collect();
    assert!(!places.is_empty(), "the invoice says when it is due: {due}");
    story.jaggaer.set(move |_, path| {
        let (id, places) = (id.clone(), places.clone());
        match path.contains("nvoice") {
            true => Fate::Changed(Box::new(move |answer| change_due(answer, &id, &places))),
            false => Fate::Pass,
        }
    });
    let puts = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&puts);
    story.visma.set(move |method, _| {
        if *method != Method::PUT {
            return Fate::Pass;
        }
        *seen.lock().unwrap() += 1;
        // The first one never reaches Visma, and nobody can tell.
        if *seen.lock().unwrap() == 1 { Fate::Answer(502, "") } else { Fate::Pass }
    });
    assert!(story.sandbox.world().touch_invoice(&invoice.source_id));
    for _ in 0..3 {
        story.sync().await;
    }
    assert_eq!(story.document(&invoice.source_id).await.state, DocumentState::Posted);
    assert_eq!(*puts.lock().unwrap(), 2, "sent again, because the first was not carried out");
}

/// Moves the due day of one document by a week, wherever it stands in an answer: so little is no
/// reason to hold it.
fn change_due(value: &mut Value, id: &str, places: &[String]) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| change_due(row, id, places)),
        Value::Object(members) => {
            let is_it = members.values().any(|value| value.as_str() == Some(id));
            for (name, value) in members.iter_mut() {
                if is_it && places.contains(name) {
                    let text = value.as_str().unwrap_or_default();
                    let (day, rest) = text.split_at("2026-01-01".len());
                    let day: jiff::civil::Date = day.parse().expect("a day");
                    let later = day.checked_add(jiff::Span::new().days(7)).expect("a day");
                    *value = format!("{later}{rest}").into();
                } else {
                    change_due(value, id, places);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_one_content_are_attached_once_and_stop_nobody() {
    let story = Story::begin(12, true).await;
    // Every file of JAGGAER's is the same few bytes, and every invoice lists its files twice.
    story.jaggaer.set(|_, path| {
        if path.to_lowercase().contains("attachment") || path.contains("fileId") {
            return Fate::Answer(200, "the same for all");
        }
        Fate::Changed(Box::new(list_files_twice))
    });
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    let in_flight = story.documents(DocumentState::Posting).await;
    assert_eq!(in_flight, Vec::new());
    story.assert_clean("at the end");
}

fn list_files_twice(value: &mut Value) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(list_files_twice),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::Array(files) if name.to_lowercase().contains("attachment") => {
                        let mut again = files.clone();
                        for (n, file) in again.iter_mut().enumerate() {
                            for (name, value) in file.as_object_mut().into_iter().flatten() {
                                if name.to_lowercase().ends_with("id") {
                                    *value = format!("again-{n}").into();
                                }
                            }
                        }
                        files.extend(again);
                    }
                    other => list_files_twice(other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_whose_detail_is_gone_stops_nobody() {
    let story = Story::begin_as(6, false, Profile::Observed).await;
    let gone = Arc::new(Mutex::new(None::<String>));
    let first = Arc::clone(&gone);
    // The first detail that is asked for is never found, whatever it is.
    story.jaggaer.set(move |_, path| {
        let is_detail = path.contains("/invoices/") || path.contains("/invoice/");
        let mut first = first.lock().unwrap();
        match is_detail && *first.get_or_insert_with(|| path.to_owned()) == path {
            true => Fate::Answer(404, "{}"),
            false => Fate::Pass,
        }
    });
    let report = story.sync().await;
    assert!(gone.lock().unwrap().is_some(), "details are asked for");
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(story.documents(DocumentState::Unread).await.len(), 1);
    assert!(report.totals.posted > 6, "{:?}", report.totals);
    story.jaggaer.clear();
    story.sync().await;
    story.assert_clean("when it is found again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_release_is_taken_up_at_the_release_and_nothing_is_made_again() {
    let mut story = Story::begin(6, false).await;
    story.config.connections[0].rules.invoices.mode = PostingMode::Released;
    let is_release = |path: &str| path.contains("/action/release");
    story.visma.set(move |_, path| match is_release(path) {
        true => Fate::Answer(400, r#"{"message":"the period is locked"}"#),
        false => Fate::Pass,
    });
    story.sync().await;
    let mut stuck = story.documents(DocumentState::Held).await;
    stuck.extend(story.documents(DocumentState::Posted).await);
    let mut refused = Vec::new();
    for document in stuck {
        let postings = story.store.postings_of(&document.id).await.expect("the store works");
        let release = postings.iter().find(|row| row.step == Step::Release);
        if release.is_some_and(|row| row.state == PostingState::Refused) {
            refused.push(document);
        }
    }
    assert!(!refused.is_empty(), "some were to be released");

    let made = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&made);
    story.visma.set(move |method, path| {
        if *method != Method::GET && !is_release(path) && !path.contains("token") {
            seen.lock().unwrap().push(format!("{method} {path}"));
        }
        Fate::Pass
    });
    for document in &refused {
        story.ask(ManualVerb::Replay, &document.id).await;
    }
    let report = story.sync().await;
    assert_eq!(report.errors, Vec::<String>::new());
    for document in &refused {
        let after = story.document(&document.source_id).await;
        let postings = story.store.postings_of(&document.id).await.expect("the store works");
        assert_eq!(after.state, DocumentState::Posted, "{postings:?}");
        assert!(postings.iter().all(|row| row.state.is_done()), "{postings:?}");
    }
    assert_eq!(*made.lock().unwrap(), Vec::<String>::new(), "only releases left");
    story.assert_clean("at the end");
}
