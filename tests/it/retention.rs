//! Bodies of old documents go when a person says so and the law lets them: of the right year and of documents at
//! rest only; afterwards nothing is posted, doubled or held anew, and every proof holds.

use crate::connector::{Connector, Options, finish, finish_child, signal, small_sandbox};
use crate::flow::{Flow, postable};
use crate::offices::{Offices, settings as of_offices};
use crate::serve::{free_port, get, scheduled, until};
use crate::stores::{self, TestStore};
use crate::tamper::{Fate, Tamper};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use ml_connector::config::Config;
use ml_connector::procurement::DocumentKind;
use ml_connector::store::{
    Arg, Change, CommitError, DocumentFilter, DocumentRow, DocumentState, Statement, Store,
};
use ml_connector::sync::{ManualVerb, SetAside, ask_to_set_aside, retention_limits};
use ml_connector_sandbox::world::Kind;
use ml_connector_sandbox::{Settings, jaggaer, world};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KEPT: &str = "\n[company.retention]\ncountry = \"no\"\nkeep_years = 5\n\n[[connection]]";
const REASON: &str = "yearly clearing, decided by the board";

/// Changes rows as time would have.
async fn change(store: &Store, unit: &str, statements: Vec<Statement>) {
    let owned = store.take_ownership(unit, "time", 60_000_000, true).await.unwrap().unwrap();
    let mut change = Change::new();
    statements.into_iter().for_each(|statement| change.push(statement));
    store.commit(&owned, change).await.unwrap();
    store.release_ownership(&owned).await.unwrap();
}

/// The document is dated on that day, and nothing happened to it since that instant.
fn aged(document: &str, on: Date, at: i64) -> Vec<Statement> {
    [
        ("update document set document_on = $1, changed_at = $2 where id = $3", true),
        ("update posting set changed_at = $1 where document = $2", false),
    ]
    .map(|(sql, is_dated)| {
        let mut args = vec![Arg::from(at), Arg::from(document)];
        if is_dated {
            args.insert(0, Arg::from(on.to_string()));
        }
        Statement::new(sql, args)
    })
    .into()
}

async fn age(store: &Store, unit: &str, document: &str, on: Date, at: i64) {
    change(store, unit, aged(document, on, at)).await;
}

async fn all(store: &Store) -> Vec<DocumentRow> {
    store.documents(&DocumentFilter::default()).await.expect("it reads")
}

async fn age_all(store: &Store, unit: &str) {
    let old = date(2001, 3, 4);
    let at = old.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond();
    let statements = all(store).await.iter().flat_map(|of| aged(&of.id, old, at)).collect();
    change(store, unit, statements).await;
}

/// All that a document's rows hold, but for its trail.
async fn rows(store: &Store, document: &DocumentRow) -> String {
    let mut rows = vec![format!("{document:?}")];
    for n in 0..=document.recorded_revision {
        rows.push(format!("{:?}", store.revision(&document.id, n).await.unwrap()));
    }
    rows.push(format!("{:?}", store.postings_of(&document.id).await.unwrap()));
    rows.push(format!("{:?}", store.decisions_of(&document.id).await.unwrap()));
    rows.join("\n")
}

async fn picture(store: &Store) -> Vec<String> {
    let mut picture = Vec::new();
    for document in all(store).await {
        picture.push(rows(store, &document).await);
    }
    for row in store.ownerships().await.unwrap() {
        picture.push(format!("{} {} {}", row.unit, row.head_seq, row.head_hash));
    }
    picture
}

/// Ids of the documents whose bodies are gone.
async fn pruned(store: &Store) -> BTreeSet<String> {
    all(store).await.into_iter().filter(|of| of.pruned.is_some()).map(|of| of.id).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it was written")
}

/// A company that keeps five years.
async fn keeping_five_years(settings: Settings, test: TestStore) -> Flow {
    let mut flow = Flow::start(settings, test).await;
    let path = flow.folder.join("ml-connector.toml");
    let kept = text(&path).replacen("\n[[connection]]", KEPT, 1);
    std::fs::write(&path, kept).expect("writable");
    flow.config = Config::load(&path).expect("a good configuration");
    flow
}

async fn prune(flow: &Flow, arguments: &[&str]) -> Value {
    let (told, status) = flow.run_json(&[&["prune"], arguments].concat()).await;
    assert_eq!(status, 0, "{told:#}");
    told
}

fn counts(told: &Value) -> (i64, i64, i64) {
    let of = &told["connections"][0];
    let count = |key: &str| of[key].as_i64().unwrap_or_else(|| panic!("{key} in {told:#}"));
    (count("documents"), count("bodies"), count("bytes"))
}

/// JAGGAER's lists are read from the beginning, as after a new address: every document comes again.
async fn deliver_all_again(flow: &Flow) {
    let forget = "delete from watermark where owner = 'jaggaer'";
    change(&flow.store, "no", vec![Statement::new(forget, Vec::new())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_kept_where_nobody_says_for_how_long() {
    for test in stores::both().await {
        let flow = Flow::start(postable(41, 6), test).await;
        flow.sync_to_the_end().await;
        age_all(&flow.store, "no").await;
        let before = picture(&flow.store).await;
        for arguments in [&[][..], &["--apply", "--reason", REASON]] {
            let told = prune(&flow, arguments).await;
            assert_eq!(told["connections"].as_array().map(Vec::len), Some(0), "{told:#}");
            assert_eq!(told["applied"], false);
        }
        assert_eq!(picture(&flow.store).await, before);
        let said = flow.run(&["prune"]).await;
        assert!(String::from_utf8_lossy(&said.stdout).contains("everything is kept"), "{said:?}");
    }
}

/// The law of the country is the least, and is said in words when the program starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn less_than_the_law_is_refused_at_the_start() {
    let flow = Flow::start(postable(41, 1), stores::sqlite()).await;
    let path = flow.folder.join("ml-connector.toml");
    let good = text(&path);
    for (table, words) in [
        (
            "country = \"fi\"\nkeep_years = 5",
            ["Finland wants", "at least 6 years from the end of the year"],
        ),
        ("country = \"de\"\nkeep_years = 50", ["`de` is not known", "\"is\" (Iceland)"]),
        ("keep_years = 50", ["needs `country`", "\"se\" (Sweden)"]),
    ] {
        let with = format!("\n[company.retention]\n{table}\n\n[[connection]]");
        std::fs::write(&path, good.replacen("\n[[connection]]", &with, 1)).unwrap();
        for verb in ["sync", "serve", "prune"] {
            let run = flow.run(&[verb]).await;
            assert_eq!(run.status.code(), Some(2), "{run:?}");
            let said = String::from_utf8_lossy(&run.stderr);
            assert!(words.iter().all(|words| said.contains(words)), "{said}");
        }
    }
    std::fs::write(&path, good.replacen("\n[[connection]]", KEPT, 1)).unwrap();
    let run = flow.run(&["prune", "--apply"]).await;
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("--reason"), "{run:?}");
}

/// 31 December and 1 January are those of the company, wherever the machine is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_year_turns_where_the_company_is() {
    let flow = keeping_five_years(postable(41, 1), stores::sqlite()).await;
    for (zone, now, before, before_at) in [
        ("Europe/Oslo", "2031-12-31T22:59:59Z", date(2026, 1, 1), "2025-12-31T23:00:00Z"),
        ("Europe/Oslo", "2031-12-31T23:00:00Z", date(2027, 1, 1), "2026-12-31T23:00:00Z"),
        ("Atlantic/Reykjavik", "2031-12-31T23:59:59Z", date(2026, 1, 1), "2026-01-01T00:00:00Z"),
        ("Atlantic/Reykjavik", "2032-01-01T00:00:00Z", date(2027, 1, 1), "2027-01-01T00:00:00Z"),
    ] {
        let mut config = flow.config.clone();
        config.companies[0].time_zone = TimeZone::get(zone).unwrap();
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        let limits = retention_limits(&config, at(now));
        assert_eq!(limits.len(), 1);
        assert_eq!(
            (limits[0].before, limits[0].before_at),
            (before, at(before_at)),
            "{zone} {now}"
        );
        assert_eq!((limits[0].connection.as_str(), limits[0].company.as_str()), ("no", "nordlys"));
    }
}

fn with_holds(seed: u64, documents: usize) -> Settings {
    let world = world::Settings {
        seed,
        documents,
        attachments: true,
        held_per_mille: 110,
        ..world::Settings::default()
    };
    Settings { world, ..Settings::default() }
}

/// The whole story: what goes, what stays, and that nothing comes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_and_at_rest_loses_its_bodies_and_nothing_else() {
    for test in stores::both().await {
        let flow = keeping_five_years(with_holds(11, 60), test).await;
        flow.sync_to_the_end().await;
        let store = &flow.store;
        assert_eq!(counts(&prune(&flow, &[]).await), (0, 0, 0), "nothing is old yet");
        let told = prune(&flow, &[]).await;
        let first: Date = told["connections"][0]["before"].as_str().unwrap().parse().unwrap();
        let last = first.yesterday().unwrap();
        let oslo = first.to_zoned(TimeZone::get("Europe/Oslo").unwrap()).unwrap();
        let first_at = oslo.timestamp().as_microsecond();

        // The last moment of the year that is over, for every invoice; then the exceptions.
        let mut posted = Vec::new();
        let (mut expected, mut held) = (BTreeSet::new(), 0);
        for of in all(store).await {
            if of.kind == DocumentKind::PurchaseOrder {
                continue;
            }
            held += i64::from(of.state == DocumentState::Held);
            age(store, "no", &of.id, last, first_at - 1).await;
            let rests = matches!(
                of.state,
                DocumentState::Posted | DocumentState::Ignored | DocumentState::Cancelled
            );
            if rests && of.attention.is_none() {
                expected.insert(of.id.clone());
            }
            if of.state == DocumentState::Posted && of.attention.is_none() {
                posted.push(of);
            }
        }
        assert!(posted.len() > 12 && held > 0, "{} and {held} held", posted.len());
        posted.sort_by_key(|of| of.order_number.is_none());
        let mut exceptions = posted.drain(..6);
        let mut next = || {
            let of = exceptions.next().expect("enough");
            assert!(expected.remove(&of.id));
            of
        };
        let young = next();
        age(store, "no", &young.id, first, first_at - 1).await;
        let moved = next();
        age(store, "no", &moved.id, last, first_at).await;
        let with_attention = next();
        let uncertain = next();
        let undated = next();
        let one = |sql, id: &str| Statement::new(sql, vec![Arg::from(id)]);
        change(
            store,
            "no",
            vec![
                one("update document set attention = 'x: y' where id = $1", &with_attention.id),
                one(
                    "update posting set state = 'uncertain' where document = $1 and step = 'create'",
                    &uncertain.id,
                ),
                one("update document set document_on = null where id = $1", &undated.id),
            ],
        )
        .await;
        let asked = next();
        drop(exceptions);
        // An order goes with the last document that bills it.
        let stay = [&young, &moved, &with_attention, &uncertain, &undated, &asked];
        let billed = posted.iter().find(|of| {
            of.order_number.is_some()
                && stay.iter().all(|stays| stays.order_number != of.order_number)
        });
        let billed = billed.expect("one that bills an order of its own");
        for (of, goes) in [(billed, true), (&young, false)] {
            let number = of.order_number.as_deref().expect("it bills an order");
            let order = store.order_by_number("jaggaer", number).await.unwrap().unwrap();
            age(store, "no", &order.id, last, first_at - 1).await;
            if goes {
                expected.insert(order.id);
            }
        }
        ManualVerb::Replay.ask(store, "no", &asked.id, "anna", "look again").await.unwrap();

        // To look changes nothing.
        let before = picture(store).await;
        let dry = prune(&flow, &[]).await;
        let (documents, bodies, bytes) = counts(&dry);
        assert_eq!(documents, expected.len() as i64, "{dry:#}");
        assert!(bodies > documents && bytes > 1000, "{dry:#}");
        let year = &dry["connections"][0]["years"][0];
        assert_eq!((&year["year"], &year["documents"]), (&last.year().into(), &documents.into()));
        assert_eq!((&dry["applied"], &dry["asked"]), (&false.into(), &false.into()));
        let keeps = &dry["connections"][0];
        assert_eq!(
            (&keeps["connection"], &keeps["company"], &keeps["keep_years"]),
            (&"no".into(), &"nordlys".into(), &5.into())
        );
        // Held, with attention, uncertain, asked for, and the order; what moved since is no younger.
        assert_eq!(keeps["not_at_rest"].as_i64(), Some(held + 4), "{dry:#}");
        assert_eq!(picture(store).await, before, "a dry run changed something");
        let verified = flow.run(&["audit", "verify"]).await;
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");

        let stayed: Vec<DocumentRow> =
            all(store).await.into_iter().filter(|of| !expected.contains(&of.id)).collect();
        let mut rows_that_stay = Vec::new();
        for of in stayed.iter().filter(|of| of.id != asked.id) {
            rows_that_stay.push((of.id.clone(), rows(store, of).await));
        }
        let hashes = hashes_of(store, &expected).await;
        let done = prune(&flow, &["--apply", "--reason", REASON]).await;
        assert_eq!((&done["applied"], &done["asked"]), (&true.into(), &false.into()), "{done:#}");
        assert_eq!(counts(&done), (documents, bodies, bytes));
        assert_eq!(pruned(store).await, expected);
        assert_eq!(counts(&prune(&flow, &[]).await), (0, 0, 0));

        // What stays is as it was, and of what went all but the bodies is here.
        for (id, rows_before) in &rows_that_stay {
            let document = store.document(id).await.unwrap().unwrap();
            assert_eq!(&rows(store, &document).await, rows_before);
        }
        assert_eq!(hashes_of(store, &expected).await, hashes);
        for id in &expected {
            assert_bare(store, id).await;
        }
        let entries = store.audit_of(expected.first().unwrap()).await.unwrap();
        let entry = &entries.last().unwrap().entry;
        assert_eq!(entry.action, "pruned");
        let detail: Value = serde_json::from_str(&entry.detail).unwrap();
        assert_eq!(detail["reason"], REASON, "{detail}");
        assert_eq!(detail["gone"]["revisions"][0]["sha256"].as_str().map(str::len), Some(64));
        flow.assert_trail().await;

        // Put right what was spoilt, and let everything come again.
        change(
            store,
            "no",
            vec![
                one("update document set attention = null where id = $1", &with_attention.id),
                one(
                    "update posting set state = 'verified' where document = $1 and step = 'create'",
                    &uncertain.id,
                ),
            ],
        )
        .await;
        // What a person asked for meanwhile is decided again as ever.
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&asked.source_id).await, DocumentState::Posted);
        let (writes, states) = (flow.writes(), states(store).await);
        deliver_all_again(&flow).await;
        let report = flow.sync_to_the_end().await;
        assert_eq!(report.errors, Vec::<String>::new());
        assert_eq!(flow.writes(), writes, "something was written again");
        assert_eq!(self::states(store).await, states);
        assert_eq!(pruned(store).await, expected);
        flow.assert_clean();
        flow.assert_trail().await;
        let (closed, _) = flow.run_json(&["reconcile"]).await;
        assert_eq!(closed["balanced"], true, "{closed:#}");
    }
}

/// Where each document stands, with its holds and its attention.
async fn states(store: &Store) -> BTreeSet<(String, DocumentState, Option<String>, Vec<String>)> {
    let mut states = BTreeSet::new();
    for of in all(store).await {
        let holds = store.holds_of(&of.id).await.unwrap();
        let codes = holds.into_iter().map(|hold| hold.code).collect();
        states.insert((of.id, of.state, of.attention, codes));
    }
    states
}

/// Ids, hashes, keys, numbers and amounts.
async fn hashes_of(store: &Store, ids: &BTreeSet<String>) -> Vec<String> {
    let mut hashes = Vec::new();
    for id in ids {
        let of = store.document(id).await.unwrap().unwrap();
        hashes.push(format!(
            "{id} {} {:?} {:?} {:?} {:?} {:?} {}",
            of.number,
            of.reference,
            of.amount_minor,
            of.document_on,
            of.visma_number,
            of.supplier,
            of.row_hash
        ));
        for n in 1..=of.recorded_revision {
            let revision = store.revision(id, n).await.unwrap().unwrap();
            hashes.push(format!("{} {}", revision.raw_hash, revision.material_hash));
        }
        for row in store.postings_of(id).await.unwrap() {
            hashes.push(format!("{} {} {} {:?}", row.id, row.our_key, row.plan_hash, row.state));
        }
        for row in store.decisions_of(id).await.unwrap() {
            hashes.push(format!("{} {} {}", row.n, row.outcome, row.rules_hash));
        }
    }
    hashes
}

/// Nothing of what JAGGAER wrote, or of what was sent, is left.
async fn assert_bare(store: &Store, id: &str) {
    let of = store.document(id).await.unwrap().unwrap();
    for n in 1..=of.recorded_revision {
        assert_eq!(store.revision(id, n).await.unwrap().unwrap().raw, "", "{of:?}");
    }
    let words = |plan: &str| {
        let plan: Value = serde_json::from_str(plan).expect("it is JSON still");
        let lines = plan["lines"].as_array().cloned().unwrap_or_default();
        let texts = [&plan["description"], &plan["payment_reference"]];
        let texts = texts.into_iter().chain(lines.iter().map(|line| &line["description"]));
        texts.filter_map(Value::as_str).collect::<String>()
    };
    assert_eq!(of.applied_plan.as_deref().map(words).unwrap_or_default(), "", "{of:?}");
    for row in store.postings_of(id).await.unwrap() {
        assert_eq!((row.body.as_deref(), words(&row.plan).as_str()), (None, ""), "{row:?}");
        assert!(!row.plan.contains("http"), "{row:?}");
    }
    for row in store.decisions_of(id).await.unwrap() {
        let plan = serde_json::to_value(&row.decision).unwrap().to_string();
        assert!(!plan.contains("\"payment_reference\":\""), "{row:?}");
        assert!(row.history.orders.is_empty() && row.history.paid_to.is_empty(), "{row:?}");
        assert!(row.evidence.matches.is_empty() && row.evidence.remarks.is_empty(), "{row:?}");
    }
}

/// JAGGAER may do with an old document what it likes: it is noted, a person is told, and nothing is posted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_what_has_no_body_is_never_posted() {
    for test in stores::both().await {
        let mut flow = keeping_five_years(postable(7, 8), test).await;
        flow.sync_to_the_end().await;
        let invoices = flow.to_post(Kind::SupplierInvoice);
        age_all(&flow.store, "no").await;
        prune(&flow, &["--apply", "--reason", REASON]).await;
        let gone = pruned(&flow.store).await;
        assert_eq!(gone.len(), flow.documents().await.len());
        let writes = flow.writes();
        let (dearer, moved) = (&invoices[0], &invoices[1]);

        let world = flow.sandbox.world();
        assert!(world.change_invoice_amount(dearer, 345.into()));
        assert!(world.touch_invoice(moved));
        flow.sync_to_the_end().await;
        assert_eq!(flow.writes(), writes);
        let document = flow.document(dearer).await;
        assert_eq!(document.state, DocumentState::Posted);
        assert_eq!(document.attention_code(), Some("changed_after_pruning"), "{document:?}");
        let attention = document.attention.clone().unwrap();
        assert!(attention.contains("deleted on") && attention.contains("nordlys"), "{attention}");
        assert_eq!((document.latest_revision, document.recorded_revision), (1, 2));
        assert_eq!(flow.store.revision(&document.id, 2).await.unwrap().unwrap().raw, "");
        assert_eq!(flow.document(moved).await.attention, None, "only its stamp is another");

        // It is told once, a person takes note of it, and it does not come back.
        deliver_all_again(&flow).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.document(dearer).await.recorded_revision, 2);
        let (closed, _) = flow.run_json(&["reconcile"]).await;
        let difference = &closed["differences"][0];
        assert_eq!(difference["kind"], "amount_not_as_listed", "{closed:#}");
        assert!(difference["text"].as_str().unwrap().contains("deleted on"), "{closed:#}");
        let (released, status) =
            flow.run_json(&["release", &document.id, "--reason", "credited by hand"]).await;
        assert_eq!((status, &released["result"]), (0, &"carried out".into()), "{released:#}");
        deliver_all_again(&flow).await;
        flow.sync_to_the_end().await;
        let document = flow.document(dearer).await;
        assert_eq!((document.state, document.attention), (DocumentState::Posted, None));

        // An order that is cancelled over there after its time stays as it stands.
        let order = flow.to_post(Kind::PurchaseOrder).swap_remove(0);
        assert!(world.cancel_order(&order));
        flow.sync_to_the_end().await;
        let document = flow.document(&order).await;
        assert_eq!(document.state, DocumentState::Posted);
        assert_eq!(document.attention_code(), Some("changed_after_pruning"));
        // A new invoice over an order without a body is for a person to look at.
        let other = flow.to_post(Kind::PurchaseOrder).swap_remove(1);
        let late = world.add_invoice(&other).expect("the order is there");
        flow.sync_to_the_end().await;
        assert_eq!(flow.codes(&late).await, ["order_pruned"]);
        assert_eq!(flow.writes(), writes);
        // The buyer's word lets that one go, and that one alone.
        flow.config.roles.buyer = vec!["bo".into()];
        let of = flow.holds(&late).await.remove(0);
        let aside = vec![SetAside { code: of.code, text: of.text }];
        let why = "compared with the paper";
        ask_to_set_aside(&flow.store, "no", &of.document, "bo", why, aside).await.unwrap();
        flow.sync_to_the_end().await;
        assert_eq!(flow.codes(&late).await, Vec::<String>::new());
        assert_eq!(flow.state(&late).await, DocumentState::Posted);
        assert_eq!(flow.writes(), writes + 1);
        assert_eq!(pruned(&flow.store).await, gone);
        flow.assert_trail().await;
    }
}

/// A source whose details are asked for one by one: one that does not come takes nothing from its rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detail_that_does_not_come_wakes_nothing() {
    let settings = Settings { profile: jaggaer::Profile::Observed, ..postable(7, 6) };
    let mut flow = keeping_five_years(settings, stores::sqlite()).await;
    flow.sync_to_the_end().await;
    age_all(&flow.store, "no").await;
    prune(&flow, &["--apply", "--reason", REASON]).await;
    let (gone, states_before) = (pruned(&flow.store).await, states(&flow.store).await);
    assert!(!gone.is_empty());
    // Another address: the lists are read from the beginning. Their rows are others by their stamps.
    let cable = Tamper::before(flow.sandbox.jaggaer_url()).await;
    flow.config.sources[0].base_url = cable.url.clone();
    for id in flow.to_post(Kind::SupplierInvoice) {
        flow.sandbox.world().touch_invoice(&id);
    }
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    cable.set(move |_, path| {
        let is_detail = path.contains("/invoices/") || path.contains("/invoice/");
        match is_detail {
            true => {
                count.fetch_add(1, Ordering::Relaxed);
                Fate::Answer(404, "{}")
            }
            false => Fate::Pass,
        }
    });
    flow.sync().await;
    assert!(refused.load(Ordering::Relaxed) > 0, "details are asked for");
    assert_eq!(states(&flow.store).await, states_before);
    cable.clear();
    flow.sync_to_the_end().await;
    assert_eq!(states(&flow.store).await, states_before);
}

/// Other routes look at every document again, but not at what has no body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_routes_move_nothing_that_has_no_body() {
    for test in stores::both().await {
        let mut offices = Offices::start(of_offices(3, 20, 0), test).await;
        // Some of them are from before go-live, and were never written to any company.
        offices.change(&[("take_from = \"2026-09-01\"", "take_from = \"2026-10-10\"")]);
        offices.sync().await;
        offices.sync().await;
        age_all(&offices.store, "nord").await;
        let kept = text(&offices.folder.join("ml-connector.toml"));
        let retention = "\n[company.retention]\ncountry = \"no\"\nkeep_years = 5\n\n[[company]]";
        let parts: Vec<&str> = kept.split("\n[[company]]").collect();
        assert_eq!(parts.len(), 4);
        // The third company keeps everything.
        let kept = format!(
            "{}\n[[company]]{}{retention}{}{retention}{}",
            parts[0], parts[1], parts[2], parts[3]
        );
        offices.configure(&kept);
        let arguments = ["--json", "prune", "--apply", "--reason", REASON];
        let run = crate::flow::run(&offices.folder, &arguments).await;
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let keeping = &offices.config.companies[2].id;
        let of = offices.config.connections.iter().find(|of| of.company == *keeping).unwrap();
        let mut seen = BTreeSet::new();
        for document in offices.documents().await {
            let rests = matches!(document.state, DocumentState::Posted | DocumentState::Ignored);
            let goes = rests && document.connection != of.id;
            // An order stays with an invoice that is held for it.
            let is_order = document.kind == DocumentKind::PurchaseOrder;
            assert!(document.pruned.is_some() == goes || (goes && is_order), "{document:?}");
            if document.pruned.is_some() {
                seen.insert(document.state);
            }
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
        let before = states(&offices.store).await;
        offices.change(&[("[\"NORDLYS-VEST\"]", "[\"NORDLYS-VEST\", \"NORDLYS-SE\"]")]);
        offices.sync().await;
        assert_eq!(states(&offices.store).await, before);
        offices.assert_trail().await;
    }
}

/// Every place that would show a body says in words that there is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_body_says_so() {
    for test in stores::both().await {
        let flow = keeping_five_years(postable(13, 5), test).await;
        flow.sync_to_the_end().await;
        let invoice = flow.to_post(Kind::SupplierInvoice).remove(0);
        age_all(&flow.store, "no").await;
        let id = flow.document(&invoice).await.id;
        prune(&flow, &["--apply", "--reason", REASON]).await;
        let words = "Its body was deleted on ";
        for (arguments, status) in [
            (&["explain", &id][..], 1),
            (&["replay", &id], 1),
            (&["replay", &id, "--apply", "--reason", "x"], 1),
            (&["replay", "--filter", "month=2001-03"], 0),
            (&["replay", "--filter", "month=2001-03", "--apply", "--reason", "x"], 0),
            (&["documents", "show", &id], 0),
        ] {
            let run = flow.run(arguments).await;
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            assert_eq!(run.status.code(), Some(status), "{arguments:?}: {run:?}");
            assert!(said.contains(words) && said.contains("nordlys"), "{arguments:?}: {said}");
            for debris in ["cannot be read", "unreadable", "panicked"] {
                assert!(!said.contains(debris), "{arguments:?}: {said}");
            }
            let (told, _) = flow.run_json(arguments).await;
            assert!(told.to_string().contains(words), "{arguments:?}: {told:#}");
        }
        let (shown, _) = flow.run_json(&["documents", "show", &id]).await;
        let shown = &shown["documents"][0];
        assert_eq!((&shown["raw"], &shown["pruned"]["company"]), (&Value::Null, &"nordlys".into()));
        assert!(shown["visma_key"].is_string() && shown["amount"].is_string(), "{shown:#}");
        let (tried, status) = flow.run_json(&["rehearse", "--period", "2001-03"]).await;
        assert_eq!((status, &tried["documents"]), (0, &0.into()), "{tried:#}");
        assert_eq!(tried["pruned"], flow.documents().await.len(), "{tried:#}");
        // Asked past the command line, the owner refuses as well.
        flow.ask(ManualVerb::Replay, &invoice).await;
        assert_eq!(flow.state(&invoice).await, DocumentState::Posted);
        assert!(!flow.actions(&invoice).await.contains(&"replay".to_owned()));
        let (closed, _) = flow.run_json(&["reconcile"]).await;
        assert_eq!(closed["balanced"], true, "{closed:#}");
        let (closed, _) = flow.run_json(&["reconcile", "--period", "2001-03"]).await;
        assert_eq!(closed["balanced"], true, "{closed:#}");
        // JAGGAER's list as it is asked for does not show it. It came here later than that, and when JAGGAER changed
        // it last is not known any more: it is not called missing.
        let at = |year| date(year, 7, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        flow.sandbox.world().put_clock(at(2001).as_millisecond());
        let sql = "update document set document_on = '2010-06-15', received_at = $1 where id = $2";
        let args = vec![Arg::from(at(2010).as_microsecond()), Arg::from(&id)];
        change(&flow.store, "no", vec![Statement::new(sql, args)]).await;
        let (closed, _) = flow.run_json(&["reconcile", "--period", "2010-06"]).await;
        assert_eq!(closed["balanced"], true, "{closed:#}");
        assert_eq!(closed["lines"][0]["explained"]["unlisted"]["count"], 1, "{closed:#}");
    }
}

/// The power goes between two batches: what went is gone with its entry, the rest follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_on_where_it_was_broken_off() {
    for test in stores::both().await {
        let what = test.url.clone();
        let sandbox = small_sandbox(60, 11, false).await;
        let connector = Connector::new(&sandbox, &test.url, &Options::default());
        connector.amend(keep_five_years);
        connector.sync_until_done(&what).await;
        let store = connector.store().await;
        age_all(&store, "no").await;
        let dry = connector.run(&["prune"]).await.json();
        let (documents, ..) = counts(&dry);
        assert!(documents > 70, "more than one batch: {dry:#}");

        let mut command = connector.command(&["prune", "--apply", "--reason", REASON]);
        command.env("ML_CONNECTOR_CRASH_AT", "commit.durable:1");
        let run = finish(command).await;
        assert!(run.is_aborted(), "{what}: {run:#?}");
        let first = pruned(&store).await.len() as i64;
        assert!(first > 0 && first < documents, "{what}: {first} of {documents}");
        let verified = connector.run(&["audit", "verify"]).await;
        assert_eq!(verified.code(), Some(0), "{what}: {}", verified.stderr);

        // Whoever owns the unit next goes on; to ask again finds the rest, or nothing.
        let writes = sandbox.visma().calls().writes;
        connector.sync_until_done(&what).await;
        let again = connector.run(&["prune", "--apply", "--reason", REASON]).await;
        assert_eq!(again.code(), Some(0), "{what}: {again:#?}");
        assert_eq!(counts(&connector.run(&["prune"]).await.json()), (0, 0, 0), "{what}");
        let gone = pruned(&store).await;
        assert_eq!(gone.len() as i64, documents, "{what}");
        for id in &gone {
            let entries = store.audit_of(id).await.unwrap();
            let told = entries.iter().filter(|of| of.entry.action == "pruned").count();
            assert_eq!(told, 1, "{what}: {id}");
        }
        assert_eq!(sandbox.visma().calls().writes, writes, "{what}");
        let verified = connector.run(&["audit", "verify"]).await;
        assert_eq!(verified.code(), Some(0), "{what}: {}", verified.stderr);
    }
}

fn keep_five_years(table: &mut toml::Table) {
    let retention = toml::toml! {
        country = "no"
        keep_years = 5
    };
    let companies = table["company"].as_array_mut().expect("companies");
    let company = companies[0].as_table_mut().expect("a table");
    company.insert("retention".into(), retention.into());
}

/// A process that serves owns the unit: it is asked, and does it by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_serves_is_asked() {
    for test in stores::both().await {
        let what = test.url.clone();
        let sandbox = small_sandbox(6, 5, false).await;
        let connector = Connector::new(&sandbox, &test.url, &Options::default());
        connector.amend(keep_five_years);
        connector.sync_until_done(&what).await;
        let store = connector.store().await;
        age_all(&store, "no").await;
        let (documents, ..) = counts(&connector.run(&["prune"]).await.json());
        let port = free_port();
        scheduled(&connector, port);
        let child = connector.command(&["serve"]).spawn().expect("it starts");
        until("the unit is owned", || async {
            let owners = store.ownerships().await.unwrap();
            owners.iter().any(|row| row.unit == "no" && !row.owner.is_empty())
        })
        .await;
        until("the listener", || async { get(port, "/ready").await.is_some() }).await;
        let asked = connector.run(&["prune", "--apply", "--reason", REASON]).await;
        assert_eq!(asked.code(), Some(0), "{what}: {asked:#?}");
        let told = asked.json();
        assert_eq!((&told["applied"], &told["asked"]), (&false.into(), &true.into()), "{told:#}");
        until("the bodies are gone", || async { pruned(&store).await.len() as i64 == documents })
            .await;
        signal(&child, "TERM");
        let run = finish_child(child).await;
        assert_eq!(run.code(), Some(0), "{what}: {run:#?}");
    }
}

/// What was seen at rest may have moved when the transaction begins: then nothing of it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_moved_meanwhile_keeps_its_bodies() {
    for test in stores::both().await {
        let flow = keeping_five_years(postable(17, 3), test).await;
        flow.sync_to_the_end().await;
        age_all(&flow.store, "no").await;
        let store = &flow.store;
        let limits = retention_limits(&flow.config, ml_connector::clock::now());
        let seen = store.documents_past(&limits[0], "", 10).await.unwrap();
        assert_eq!(seen.len(), 6);
        let texts = store.texts_of(&seen[0].document).await.unwrap();
        let id = &seen[0].document;
        let one = |sql| vec![Statement::new(sql, vec![Arg::from(id)])];
        for (moves, back) in [
            (
                "update document set attention = 'x: y' where id = $1",
                "update document set attention = null where id = $1",
            ),
            (
                "update document set state = 'ready' where id = $1",
                "update document set state = 'posted' where id = $1",
            ),
            (
                "update posting set state = 'differs' where document = $1",
                "update posting set state = 'verified' where document = $1",
            ),
            (
                "insert into request (id, unit, verb, document, actor, reason, state, asked_at) \
                 values ('r', 'no', 'replay', $1, 'anna', 'why', 'asked', 1)",
                "delete from request where document = $1",
            ),
        ] {
            change(store, "no", one(moves)).await;
            let before = picture(store).await;
            let owned = store.take_ownership("no", "me", 60_000_000, true).await.unwrap().unwrap();
            let mut too_late = Change::new();
            too_late.prune(&limits[0], &seen[0], &texts, 7);
            let refused = store.commit(&owned, too_late).await;
            store.release_ownership(&owned).await.unwrap();
            assert!(matches!(refused, Err(CommitError::Guard(_))), "{moves}: {refused:?}");
            assert_eq!(picture(store).await, before, "{moves}");
            change(store, "no", one(back)).await;
        }
        let told = prune(&flow, &["--apply", "--reason", REASON]).await;
        assert_eq!(counts(&told).0, 6, "{told:#}");
    }
}

/// A compact copy, as the manual has it made, holds nothing of the texts any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_texts_are_not_in_a_compact_copy() {
    let flow = keeping_five_years(postable(19, 10), stores::sqlite()).await;
    flow.sync_to_the_end().await;
    // What JAGGAER wrote around each document's own number.
    let mut needles = Vec::new();
    for of in flow.documents().await {
        let raw = flow.store.revision(&of.id, 1).await.unwrap().unwrap().raw;
        let at = raw.find(&of.number).expect("its number is in it");
        needles.push(raw.as_bytes()[at.saturating_sub(10)..at + of.number.len() + 10].to_vec());
    }
    let found = |copy: &Path| {
        let copy = std::fs::read(copy).expect("the copy is there");
        let is_in = |needle: &&Vec<u8>| copy.windows(needle.len()).any(|part| part == &needle[..]);
        needles.iter().filter(is_in).count()
    };
    let (before, after) = (flow.folder.join("before.db"), flow.folder.join("after.db"));
    let copied = flow.run(&["backup", before.to_str().unwrap()]).await;
    assert_eq!(copied.status.code(), Some(0), "{copied:?}");
    assert!(found(&before) > needles.len() / 2, "{} of {}", found(&before), needles.len());
    age_all(&flow.store, "no").await;
    prune(&flow, &["--apply", "--reason", REASON]).await;
    let copied = flow.run(&["backup", after.to_str().unwrap()]).await;
    assert_eq!(copied.status.code(), Some(0), "{copied:?}");
    assert_eq!(found(&after), 0);
    let size = |copy: &Path| std::fs::metadata(copy).unwrap().len();
    assert!(size(&after) < size(&before), "{} and {}", size(&before), size(&after));
}
