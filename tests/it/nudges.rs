//! Visma's webhooks as those who send them see them: over HTTP, into `serve` as a process. What is waited for is a fact in a
//! store or a simulator, never a time.

use crate::connector::{COMPANY, Connector, Options, finish_child, signal, small_sandbox};
use crate::serve::{free_port, heard, until};
use crate::stores::{self, TestStore};
use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ml_connector::clock;
use ml_connector::schedule::{Flow, Poll};
use ml_connector::store::{Change, DocumentFilter, DocumentState, NudgeRow, PostingState, Store};
use ml_connector_sandbox::visma::{HandChange, Signature, Subscription};
use ml_connector_sandbox::{Sandbox, Settings, faults, world};
use reqwest::{Method, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use std::process::Child;
use std::sync::{Arc, Mutex};

const SEED: u64 = 5;
const ADDRESS: &str = "PLANTEDaddress-0123456789-abc";
const KEY: &str = "PLANTEDsigning-key";

/// Everything was carried over once, and no timetable brings anything: only nudges do.
struct Story {
    sandbox: Sandbox,
    connector: Connector,
    store: Store,
    port: u16,
    http: reqwest::Client,
}

impl Story {
    async fn new(test: &TestStore, webhooks: &str, gap: i64) -> Self {
        let sandbox = small_sandbox(12, SEED, false).await;
        let connector = Connector::new(&sandbox, &test.url, &Options::default());
        Self::of(sandbox, connector, webhooks, gap).await
    }

    async fn of(sandbox: Sandbox, connector: Connector, webhooks: &str, gap: i64) -> Self {
        connector.write("address.secret", &format!("{ADDRESS}\n"));
        connector.write("key.secret", &format!("{KEY}\n"));
        let text = format!("url_secret = {{ file = \"address.secret\" }}\n{webhooks}");
        let webhooks: toml::Table = text.parse().expect("right");
        connector.amend(|table| {
            table["connection"][0]
                .as_table_mut()
                .unwrap()
                .insert("webhooks".into(), webhooks.into());
            let never = Flow::ALL.map(|flow| (flow.name().to_owned(), "never".into()));
            table.insert("schedule".into(), toml::Table::from_iter(never).into());
        });
        connector.run(&["sync"]).await;
        let port = listens(&connector, gap);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        Self { store: connector.store().await, sandbox, connector, port, http }
    }

    async fn serve(&self) -> Child {
        let child = self.connector.command(&["serve"]).spawn().expect("it starts");
        until("the unit is owned", || async {
            self.figures(self.port).await.contains("ml_connector_units_owned_here 1\n")
        })
        .await;
        child
    }

    async fn figures(&self, port: u16) -> String {
        match self.http.get(format!("http://127.0.0.1:{port}/metrics")).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    async fn send(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> StatusCode {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = self.http.post(url).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("it answers").status()
    }

    /// Signed as the sister product signs.
    async fn nudge(&self, body: &Value) -> StatusCode {
        let body = body.to_string();
        self.send(&path(), &[("X-Signature", &signature(body.as_bytes()))], body).await
    }

    /// Calls that Visma had for a list or anything else, by the beginning of its path.
    fn calls(&self, route: &str) -> u64 {
        let calls = self.sandbox.visma().calls();
        let of = calls
            .by_route
            .iter()
            .filter(|call| call.method == "GET" && call.route.starts_with(route));
        of.map(|call| call.count).sum()
    }

    fn jaggaer_calls(&self) -> u64 {
        self.sandbox.jaggaer().calls().total()
    }

    async fn counted(&self, poll: &str, outcome: &str) -> i64 {
        let counts = self.store.delivery_counts().await.expect("it reads");
        let of = counts.iter().filter(|row| row.poll == poll && row.outcome == outcome);
        of.map(|row| row.count).sum()
    }

    async fn counts(&self, poll: &str, outcome: &str, expected: i64) {
        until(&format!("{expected} {poll} {outcome}"), || async {
            self.counted(poll, outcome).await == expected
        })
        .await;
    }

    async fn nothing_waits(&self) {
        until("no nudge waits", || async { self.store.nudges_waiting().await.unwrap().is_empty() })
            .await;
    }

    /// (type, number, status) of invoices of ours that stand in Visma.
    fn invoices(&self) -> Vec<(String, String, String)> {
        let all = self.sandbox.visma().documents().into_iter();
        all.filter(|held| held.live && held.number.starts_with("Invoice "))
            .map(|held| {
                let (kind, number) = held.number.split_once(' ').unwrap();
                (kind.to_owned(), number.to_owned(), held.status.clone())
            })
            .collect()
    }

    async fn end(&self, child: Child) {
        signal(&child, "TERM");
        let run = finish_child(child).await;
        assert_eq!(run.code(), Some(0), "{}", run.stderr);
    }
}

/// The port that the next process will have.
fn listens(connector: &Connector, gap: i64) -> u16 {
    let port = free_port();
    connector.amend(|table| {
        let mut serve = toml::Table::new();
        serve.insert("listen".into(), format!("127.0.0.1:{port}").into());
        serve.insert("nudge_gap_seconds".into(), gap.into());
        table.insert("serve".into(), serve.into());
    });
    port
}

fn path() -> String {
    format!("/webhooks/{ADDRESS}")
}

fn signature(message: &[u8]) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), message))
}

const SIGNED: &str = "signature = \"hmac_sha256\"\nsignature_header = \"x-signature\"\n\
    signing_keys = [{ file = \"key.secret\" }]\n";

fn changed(entity: &str, n: usize) -> Value {
    json!({ "entity": entity, "event": "Changed", "identifier": "x", "n": n })
}

async fn one_call(test: TestStore) {
    let story = Story::new(&test, SIGNED, 1).await;
    let child = story.serve().await;
    let jaggaer = story.jaggaer_calls();
    for (entity, poll, route) in [
        ("APInvoice", Poll::Invoices, "/v1/supplierInvoice"),
        ("Purchase Order", Poll::Orders, "/v1/purchaseorder"),
        ("Supplier", Poll::Suppliers, "/v1/supplier"),
        ("net.visma.account.changed", Poll::Accounts, "/v1/account"),
        ("Segment Value", Poll::Dimensions, "/v1/dimension"),
    ] {
        let (all, list) = (story.calls(""), story.calls(route));
        assert_eq!(story.nudge(&changed(entity, 1)).await, 200, "{entity}");
        story.nothing_waits().await;
        story.counts(poll.name(), "received", 1).await;
        until("the end of its round", || async {
            let rounds = story.store.rounds(1).await.unwrap();
            rounds[0].summary.contains(&format!("\"{poll}\""))
                && rounds[0].summary.contains("early")
        })
        .await;
        assert_eq!(
            (story.calls("") - all, story.calls(route) - list),
            (1, 1),
            "{entity} {}",
            test.url
        );

        // The same delivery again, and again: known, answered, and nothing waits for a poll.
        for n in 1..=3 {
            assert_eq!(story.nudge(&changed(entity, 1)).await, 200);
            assert!(story.store.nudges_waiting().await.unwrap().is_empty(), "{entity}");
            story.counts(poll.name(), "repeated", n).await;
        }
        assert_eq!(story.calls("") - all, 1, "{entity}");
    }
    assert_eq!(story.jaggaer_calls(), jaggaer, "JAGGAER is not asked");
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nudge_brings_one_call_for_its_list_and_the_same_delivery_no_other() {
    futures_util::future::join_all(stores::both().await.into_iter().map(one_call)).await;
}

async fn turned_away(test: TestStore) {
    let sandbox = small_sandbox(12, SEED, false).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    connector.write("standard.secret", &format!("whsec_{}\n", STANDARD.encode(KEY)));
    let webhooks =
        "signature = \"standard_webhooks\"\nsigning_keys = [{ file = \"standard.secret\" }]\n";
    let story = Story::of(sandbox, connector, webhooks, 1).await;
    let child = story.serve().await;
    let calls = story.calls("");
    let now = jiff::Timestamp::now().as_second();
    let send = async |id: &str, at: i64, body: &str, other: &str| {
        let tag = format!("v1,{}", signature(format!("{id}.{at}.{body}").as_bytes()));
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", &at.to_string()),
            ("webhook-signature", &tag),
        ];
        story.send(&path(), &headers, format!("{body}{other}")).await
    };
    let body = r#"{"type":"supplier.updated"}"#;

    // An address that is nobody's is a path that is not there, however it is asked for.
    for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
        let ask = async |path: &str| {
            let url = format!("http://127.0.0.1:{}{path}", story.port);
            let answer = story.http.request(method.clone(), url).send().await.expect("it answers");
            let mut headers = answer.headers().clone();
            headers.remove("date");
            (answer.status().as_u16(), headers, answer.text().await.expect("text"))
        };
        let nowhere = ask("/nowhere").await;
        assert_eq!(nowhere.0, 404);
        for guess in
            ["/webhooks/no", "/webhooks/PLANTEDaddress-0123456789-abd/supplier", "/webhooks/"]
        {
            let mut answer = ask(guess).await;
            // How axum answers an empty text.
            answer.1.remove("content-type");
            assert_eq!(answer, nowhere, "{method} {guess}");
        }
    }
    assert_eq!(send("e-1", now, body, " ").await, 401, "another body");
    assert_eq!(story.send(&path(), &[], body).await, 401, "no signature");
    assert_eq!(story.send(&path(), &[], vec![b'x'; 300_000]).await, 413);
    // What is genuine and brings nothing is taken, or it would come for ever.
    assert_eq!(send("e-2", now - 301, body, "").await, 200, "old");
    assert_eq!(send("e-3", now + 302, body, "").await, 200, "from the future");
    assert_eq!(send("e-4", now, "{\"type\":\"customer.updated\"}", "").await, 200);
    assert_eq!(send("e-5", now, "{\"type\":", "").await, 200);
    assert!(story.store.nudges_waiting().await.unwrap().is_empty());
    for (outcome, count) in [
        ("unknown_address", 8),
        ("refused", 2),
        ("too_large", 1),
        ("stale", 2),
        ("not_polled", 1),
        ("unreadable", 1),
    ] {
        story.counts("", outcome, count).await;
    }
    assert_eq!(story.calls(""), calls, "{}", test.url);
    let figures = story.figures(story.port).await;
    let refused =
        "ml_connector_deliveries_total{connection=\"no\",list=\"\",outcome=\"refused\"} 2\n";
    assert!(figures.contains(refused), "{figures}");

    // A copy of a good one within its time has its id.
    assert_eq!(send("e-6", now, body, "").await, 200);
    assert_eq!(send("e-6", now, body, "").await, 200);
    story.counts("suppliers", "received", 1).await;
    story.counts("suppliers", "repeated", 1).await;
    // The address itself can be looked at by whoever knows it.
    let url = format!("http://127.0.0.1:{}{}", story.port, path());
    assert_eq!(story.http.get(url).send().await.unwrap().status(), 200);
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_genuine_or_not_news_is_counted_and_brings_no_poll() {
    futures_util::future::join_all(stores::both().await.into_iter().map(turned_away)).await;
}

async fn flood(test: TestStore) {
    let story = Story::new(&test, "", 3600).await;
    let mut child = story.serve().await;
    let (before, accounts) = (story.calls("/v1/supplierInvoice"), story.calls("/v1/account"));
    let storm = (0..300).map(|n| {
        let (body, path) = (changed("Invoice", n).to_string(), format!("{}/invoices", path()));
        let story = &story;
        async move { story.send(&path, &[], body).await }
    });
    let answers = futures_util::future::join_all(storm).await;
    assert!(answers.iter().all(StatusCode::is_success), "{answers:?}");
    until("a poll", || async { story.calls("/v1/supplierInvoice") > before }).await;
    assert_eq!(story.send(&path(), &[], changed("Account", 0).to_string()).await, 200);
    until("another list", || async { story.calls("/v1/account") > accounts }).await;
    assert_eq!(story.calls("/v1/supplierInvoice"), before + 1, "one, and the next after its gap");
    story.counts("invoices", "received", 300).await;

    // One that comes while nothing polls waits in the store, and the next process begins with it.
    assert_eq!(story.send(&path(), &[], changed("APInvoice", 301).to_string()).await, 200);
    let waiting = story.store.nudges_waiting().await.unwrap();
    assert!(waiting.iter().any(|row| row.poll == Poll::Invoices), "{waiting:?}");
    child.kill().expect("it lives");
    child.wait().expect("it ended");
    let child = story.serve().await;
    story.nothing_waits().await;
    until("its poll", || async { story.calls("/v1/supplierInvoice") == before + 2 }).await;
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_one_poll_and_what_waits_survives_the_process() {
    futures_util::future::join_all(stores::both().await.into_iter().map(flood)).await;
}

async fn paused(test: TestStore) {
    let story = Story::new(&test, SIGNED, 1).await;
    let child = story.serve().await;
    let asked = story.connector.run(&["pause", "no", "--reason", "month end"]).await;
    assert_eq!(asked.code(), Some(0), "{asked:#?}");
    // What a person asks for is carried out by a round of its own, after that of `sync`.
    until("the pause's round", || async { story.store.rounds(9).await.unwrap().len() == 2 }).await;
    let calls = story.calls("/v1/supplier");
    assert_eq!(story.nudge(&changed("Supplier", 1)).await, 200);
    story.counts("suppliers", "received", 1).await;
    assert_eq!(story.store.nudges_waiting().await.unwrap(), [], "{}", test.url);
    assert_eq!(story.calls("/v1/supplier"), calls);
    let resumed = story.connector.run(&["resume", "no", "--reason", "closed"]).await;
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    until("its poll", || async { story.calls("/v1/supplier") > calls }).await;
    story.nothing_waits().await;
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_connection_keeps_its_nudges_for_later() {
    futures_util::future::join_all(stores::both().await.into_iter().map(paused)).await;
}

/// A process dies while it polls what was told: whoever owns the unit next polls it.
async fn taken(test: TestStore) {
    let story = Story::new(&test, SIGNED, 1).await;
    let units = story.store.ownerships().await.unwrap();
    let owned = story.store.take_ownership(&units[0].unit, "dead", 0, false).await.unwrap();
    let owned = owned.expect("nobody has it");
    let row = NudgeRow {
        connection: "no".into(),
        delivery: "d1".into(),
        n: 0,
        poll: Poll::Invoices,
        reference: String::new(),
        received_at: clock::now(),
    };
    assert!(story.store.keep_nudge(&row, 0).await.unwrap());
    let mut change = Change::new();
    change.take_nudges("no", Poll::Invoices);
    story.store.commit(&owned, change).await.unwrap();
    assert_eq!(story.store.nudges_waiting().await.unwrap(), []);
    story.store.release_ownership(&owned).await.unwrap();
    let calls = story.calls("/v1/supplierInvoice");
    let child = story.serve().await;
    until("its poll", || async { story.calls("/v1/supplierInvoice") == calls + 1 }).await;
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nudge_whose_poll_died_is_polled_by_the_next_process() {
    futures_util::future::join_all(stores::both().await.into_iter().map(taken)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nudge_may_come_to_any_worker() {
    let test = stores::postgres().await;
    let mut story = Story::new(&test, SIGNED, 1).await;
    let owner = story.serve().await;
    story.port = listens(&story.connector, 1);
    let mut other = story.connector.command(&["serve"]).spawn().expect("it starts");
    let said = heard(&mut other);
    until("the other answers", || async { !story.figures(story.port).await.is_empty() }).await;
    let calls = story.calls("/v1/supplierInvoice");
    assert_eq!(story.nudge(&changed("APInvoice", 1)).await, 200);
    until("the owner's poll", || async { story.calls("/v1/supplierInvoice") == calls + 1 }).await;
    story.nothing_waits().await;
    assert!(!said.lock().unwrap().contains("early poll"), "it has no unit");
    story.end(other).await;
    story.end(owner).await;
}

/// The sandbox tells by itself, and not always as it should.
async fn told_by_visma(test: TestStore) {
    let webhooks = format!(
        "{SIGNED}subscribed = [\"invoices\", \"orders\"]\ngrace_minutes = 0\nsilent_after = 3\n"
    );
    let story = Story::new(&test, &webhooks, 1).await;
    let hook: Arc<Mutex<Vec<Value>>> = Arc::default();
    let url = alarm(Arc::clone(&hook)).await;
    story.connector.write("hook.secret", &format!("whsec_{}\n", STANDARD.encode([7; 32])));
    story.connector.amend(|table| {
        let target = format!(
            "[[target]]\nid = \"desk\"\nkinds = [\"webhook\"]\nquiet_minutes = 0\n\
             webhook = {{ url = \"{url}\", secret = {{ file = \"hook.secret\" }} }}\n"
        );
        let target: toml::Table = target.parse().expect("right");
        table.insert("alerts".into(), target.into());
    });
    let child = story.serve().await;
    let visma = story.sandbox.visma();
    visma.subscribe(Some(Subscription {
        url: format!("http://127.0.0.1:{}{}", story.port, path()),
        signature: Signature::Header("x-signature".into()),
        key: KEY.into(),
    }));
    let mut invoices = story.invoices();
    let mut close = || {
        let (kind, number, status) = invoices.pop().expect("there are enough");
        let next = if status == "Open" { "Closed" } else { "Open" };
        assert!(visma.change_by_hand(&kind, &number, HandChange::Status(next)));
        (kind, number, next)
    };
    let known = async |(kind, number, status): (String, String, &str)| {
        until("the status is known", || async {
            let invoice = story.store.erp_invoice(COMPANY, &kind, &number).await.unwrap();
            invoice.is_some_and(|invoice| invoice.status == status)
        })
        .await;
    };
    let found = async |told: i64, poll_only: i64, in_a_row: i64| {
        until(&format!("{told} told, {poll_only} not"), || async {
            let counts = story.store.found_counts().await.unwrap();
            counts.iter().any(|row| {
                (row.poll, row.told, row.poll_only, row.in_a_row)
                    == (Poll::Invoices, told, poll_only, in_a_row)
            })
        })
        .await;
    };
    // Each change is known although nothing is polled by the clock.
    known(close()).await;
    known(close()).await;
    found(2, 0, 0).await;
    // Doubled, out of order, and a copy of an old one: no harm.
    let fault = |fault, at_most| {
        let faults = faults::Faults::default().with(fault, 1000, Some(at_most));
        story.sandbox.visma_faults().set(faults);
    };
    fault(faults::Fault::WebhookReplayed, 1);
    known(close()).await;
    story.counts("invoices", "repeated", 1).await;
    found(3, 0, 0).await;
    fault(faults::Fault::WebhookWrongSignature, 1);
    let unsigned = close();
    story.counts("", "refused", 1).await;
    fault(faults::Fault::WebhookLost, 2);
    let lost = [close(), close()];
    let known_status = |kind: &str, number: &str| {
        let (kind, number) = (kind.to_owned(), number.to_owned());
        let store = &story.store;
        async move { store.erp_invoice(COMPANY, &kind, &number).await.unwrap().unwrap().status }
    };
    for (kind, number, status) in lost.iter().chain([&unsigned]) {
        assert_ne!(known_status(kind, number).await, *status, "nobody told");
    }
    // A poll finds them, and that nobody told is counted, shown, and told.
    let all = story.store.documents(&DocumentFilter::default()).await.unwrap();
    let held = all.iter().find(|row| row.state == DocumentState::Held).expect("one is held");
    let asked = story.connector.run(&["release", &held.id, "--reason", "looked at"]).await;
    assert!(matches!(asked.code(), Some(0 | 1)), "{asked:#?}");
    for change in lost.into_iter().chain([unsigned]) {
        known(change).await;
    }
    found(3, 3, 3).await;
    let figures = story.figures(story.port).await;
    let figure = format!(
        "ml_connector_changes_found_total{{company=\"{COMPANY}\",list=\"invoices\",by=\"poll\"}} 3\n"
    );
    assert!(figures.contains(&figure), "{figures}");
    let status = story.connector.run(&["status"]).await.json();
    assert_eq!(status["webhooks"]["changes"][0]["poll_only"], 3, "{status}");
    until("the alert", || async { !hook.lock().unwrap().is_empty() }).await;
    let alert = hook.lock().unwrap()[0].clone();
    assert_eq!(alert["type"], "alert.webhook.began", "{alert}");
    let text = alert["data"]["text"].as_str().expect("text");
    assert!(text.contains("invoices") && text.contains("My Subscriptions"), "{text}");
    // One that comes again ends it.
    known(close()).await;
    found(4, 3, 0).await;
    until("its end", || async {
        hook.lock().unwrap().iter().any(|alert| alert["type"] == "alert.webhook.ended")
    })
    .await;
    story.end(child).await;
}

async fn alarm(into: Arc<Mutex<Vec<Value>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let routes = axum::Router::new().fallback(async move |body: Bytes| {
        let alert = serde_json::from_slice(&body).expect("JSON");
        into.lock().unwrap().push(alert);
    });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_visma_tells_is_known_at_once_and_what_it_does_not_tell_is_counted() {
    futures_util::future::join_all(stores::both().await.into_iter().map(told_by_visma)).await;
}

async fn job(test: TestStore) {
    let mut settings = Settings {
        world: world::Settings {
            seed: SEED,
            documents: 4,
            held_per_mille: 0,
            ..world::Settings::default()
        },
        ..Settings::default()
    };
    settings.visma.calls_per_window = 1_000_000;
    // A job never runs by itself.
    settings.visma.background_polls = u32::MAX;
    settings.visma.background_delay = std::time::Duration::from_secs(86_400);
    let sandbox = Sandbox::start(settings).await.expect("it listens");
    let options = Options { mode: "released", ..Options::default() };
    let connector = Connector::new(&sandbox, &test.url, &options);
    connector.amend(|table| {
        table["timing"]["settle_patience_seconds"] = 1.into();
        let company = table["company"][0].as_table_mut().unwrap();
        company.insert("background_reply".into(), "subscription".into());
    });
    let story = Story::of(sandbox, connector, SIGNED, 1).await;
    let accepted =
        async || story.store.postings_in(COMPANY, PostingState::Accepted).await.unwrap().len();
    assert!(accepted().await > 0, "{}: the jobs run", test.url);
    let child = story.serve().await;
    story.sandbox.visma().subscribe(Some(Subscription {
        url: format!("http://127.0.0.1:{}{}", story.port, path()),
        signature: Signature::Header("x-signature".into()),
        key: KEY.into(),
    }));
    assert!(accepted().await > 0, "nobody asked");
    story.sandbox.visma().finish_jobs();
    until("the jobs' ends", || async { accepted().await == 0 }).await;
    until("their ends were told", || async { story.counted("jobs", "received").await > 0 }).await;
    until("all is posted", || async {
        let all = story.store.documents(&DocumentFilter::default()).await.unwrap();
        all.iter().all(|row| row.state == DocumentState::Posted)
    })
    .await;
    story.end(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_has_ended_is_asked_for_when_it_is_told() {
    futures_util::future::join_all(stores::both().await.into_iter().map(job)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_and_no_key_leaves_the_program() {
    let test = stores::sqlite();
    let story = Story::new(&test, SIGNED, 1).await;
    let public = format!("http://127.0.0.1:{}", story.port);
    story.connector.amend(|table| {
        table["serve"].as_table_mut().unwrap().insert("public_url".into(), public.into());
    });
    let mut command = story.connector.command(&["serve"]);
    command.env("ML_CONNECTOR_LOG", "trace").env("RUST_BACKTRACE", "full");
    let mut child = command.spawn().expect("it starts");
    let said = heard(&mut child);
    until("it answers", || async { !story.figures(story.port).await.is_empty() }).await;
    assert_eq!(story.nudge(&changed("Supplier", 1)).await, 200);
    assert_eq!(story.send(&path(), &[("X-Signature", "bad")], "{}").await, 401);
    story.counts("", "refused", 1).await;
    story.nothing_waits().await;
    let ping = story.connector.run(&["ping"]).await;
    let checks = ping.json()["checks"].clone();
    let check =
        checks.as_array().unwrap().iter().find(|check| check["name"] == "connection no: webhooks");
    assert_eq!(check.expect("it is looked at")["ok"], true, "{checks}");
    let mut all = vec![story.figures(story.port).await, ping.stdout, ping.stderr];
    for verb in [&["status"][..], &["secret", "list"], &["audit", "export"]] {
        let run = story.connector.run(verb).await;
        all.extend([run.stdout, run.stderr]);
    }
    story.end(child).await;
    // Nobody serves any more: told so, without the address.
    let ping = story.connector.run(&["ping"]).await;
    assert!(ping.stdout.contains("does not answer"), "{}", ping.stdout);
    all.extend([ping.stdout, ping.stderr, said.lock().unwrap().clone()]);
    let config = story.connector.config();
    let (hooks, faults) = config.hooks(&ml_connector::vault::Vault::default());
    assert!(hooks.len() == 1 && faults.is_empty(), "{faults:?}");
    all.push(format!("{config:?}{hooks:?}"));
    let file = test.url.strip_prefix("sqlite:").expect("a file");
    all.push(String::from_utf8_lossy(&std::fs::read(file).expect("readable")).into_owned());
    for text in &all {
        let at = text.find("PLANTED");
        let around = at.map(|at| text.get(at.saturating_sub(200)..at + 60));
        assert!(at.is_none(), "{around:?}");
    }
    assert!(all.iter().any(|text| text.contains("a delivery is refused")), "the log was read");
}
