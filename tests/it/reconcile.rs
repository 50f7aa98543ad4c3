//! `reconcile` over HTTP: three books that agree close, what is planted in any of them is named, what cannot be
//! read whole claims nothing, and only lists are paid for.

use crate::alerts::receiver;
use crate::connector::{Connector, Options, finish_child, signal, small_sandbox};
use crate::corrections;
use crate::flow::{Flow, postable, run};
use crate::offices::{Offices, settings as of_offices};
use crate::serve::{free_port, get, scheduled, until};
use crate::stores::{self, TestStore};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ml_connector::store::{DocumentRow, DocumentState};
use ml_connector_sandbox::visma::HandChange;
use ml_connector_sandbox::world::Kind;
use ml_connector_sandbox::{Settings, faults, jaggaer, world};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn with_holds(seed: u64, documents: usize) -> Settings {
    Settings {
        world: world::Settings { seed, documents, attachments: true, ..world::Settings::default() },
        ..Settings::default()
    }
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("{key} in {of}"))
}

fn amount(of: &Value, key: &str) -> Decimal {
    let text = of[key].as_str().unwrap_or_else(|| panic!("{key} in {of}"));
    text.parse().expect("a decimal")
}

fn count(of: &Value, key: &str) -> i64 {
    of["counts"][key].as_i64().unwrap_or_else(|| panic!("{key} in {of}"))
}

/// Kind and number of each difference.
fn named(done: &Value) -> BTreeSet<(String, String)> {
    let word = |of: &Value, key: &str| of[key].as_str().unwrap_or("").to_owned();
    list(done, "differences").iter().map(|of| (word(of, "kind"), word(of, "number"))).collect()
}

fn by_hand(done: &Value) -> i64 {
    list(done, "by_hand").iter().filter_map(|of| of["count"].as_i64()).sum()
}

async fn closes(flow: &Flow, arguments: &[&str]) -> Value {
    let (done, status) = flow.run_json(&[&["reconcile"], arguments].concat()).await;
    assert_eq!((done["balanced"].as_bool(), status), (Some(true), 0), "{done:#}");
    done
}

/// The invoices that a test may plant something in: posted, and not the newest of JAGGAER's changes.
async fn posted(flow: &Flow) -> Vec<DocumentRow> {
    let mut found = Vec::new();
    for id in flow.to_post(Kind::SupplierInvoice) {
        let document = flow.document(&id).await;
        let is_drafted = document.state == DocumentState::Posted;
        if is_drafted && document.attention.is_none() && flow.in_visma(&id).await.status == "Hold" {
            found.push(document);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_world_that_was_carried_over_closes() {
    for test in stores::both().await {
        let flow = Flow::start(with_holds(11, 70), test).await;
        let totals = flow.sync_to_the_end().await.totals;
        assert_eq!(flow.store.reconciliations().await.expect("it reads"), []);
        let writes = flow.writes();
        let done = closes(&flow, &[]).await;
        assert_eq!(flow.writes(), writes, "nothing is written");
        assert_eq!(done["period"], "all");

        // The sums are those of `sync`, and each side's own.
        for sum in &totals.money {
            let line = list(&done, "lines")
                .iter()
                .find(|line| line["of"] == sum.of && line["currency"] == sum.currency.as_str())
                .unwrap_or_else(|| panic!("{sum:?}: {done:#}"));
            for (key, expected) in [
                ("seen", &sum.seen),
                ("posted", &sum.posted),
                ("held", &sum.held),
                ("ignored", &sum.ignored),
                ("in_flight", &sum.in_flight),
            ] {
                assert_eq!(
                    amount(line, key),
                    expected.parse().expect("a decimal"),
                    "{key}: {line:#}"
                );
            }
            assert_eq!((amount(line, "difference"), count(line, "difference")), (0.into(), 0));
        }
        let seen: i64 = list(&done, "lines").iter().map(|line| count(line, "seen")).sum();
        assert_eq!(seen, totals.received);
        let posted: i64 = list(&done, "lines").iter().map(|line| count(line, "posted")).sum();
        let visma: i64 = list(&done, "lines").iter().map(|line| count(line, "visma")).sum();
        assert_eq!((posted, visma), (totals.posted, totals.posted));
        let live = flow.sandbox.visma().documents().into_iter().filter(|of| of.live).count();
        assert_eq!(visma + by_hand(&done), live as i64, "{done:#}");

        // Month by month it is the same, and each document is in one month.
        let mut in_months = 0;
        for month in 1..=12 {
            let done = closes(&flow, &["--period", &format!("2026-{month:02}")]).await;
            in_months += list(&done, "lines").iter().map(|line| count(line, "seen")).sum::<i64>();
        }
        assert_eq!(in_months, totals.received);

        // It is kept.
        let (status, _) = flow.run_json(&["status"]).await;
        let kept = list(&status, "reconciled");
        assert_eq!(kept.len(), 13);
        assert!(kept.iter().all(|of| of["balanced"] == true && of["unit"] == "no"), "{status:#}");

        // What JAGGAER has since the last poll is no difference: the next poll brings it.
        let order = flow.sandbox.world().add_order(flow.vendor());
        let done = closes(&flow, &[]).await;
        let coming = list(&done, "lines").iter().map(|line| &line["explained"]["coming"]["count"]);
        assert_eq!(coming.filter_map(Value::as_i64).sum::<i64>(), 1, "{done:#}");
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&order).await, DocumentState::Posted);
        closes(&flow, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planted_is_named_and_nothing_else() {
    for test in stores::both().await {
        let flow = Flow::start(postable(23, 60), test).await;
        let world = flow.sandbox.world();
        // Not delivered when the lists are read, and there later without having moved.
        let late = flow.to_post(Kind::SupplierInvoice).swap_remove(0);
        assert!(world.hide(&late, true));
        flow.sync_to_the_end().await;
        let before = by_hand(&closes(&flow, &[]).await);

        let mut candidates = posted(&flow).await.into_iter();
        let mut next = || candidates.next().expect("there are enough invoices");
        let mut expected = BTreeSet::new();
        let visma = flow.sandbox.visma();
        let change = |of: &DocumentRow, change| {
            let (kind, number) = (of.visma_type.as_deref(), of.visma_number.as_deref());
            assert!(visma.change_by_hand(kind.unwrap(), number.unwrap(), change));
        };

        assert!(world.hide(&late, false));
        let number = world.invoice(&late).expect("it is there").number;
        expected.insert(("only_in_jaggaer".to_owned(), number));
        let vanished = next();
        assert!(world.hide(&vanished.source_id, true));
        expected.insert(("only_with_us".to_owned(), vanished.number));
        let deleted = next();
        change(&deleted, HandChange::Deleted);
        expected.insert(("missing_in_visma".to_owned(), deleted.number.clone()));
        let voided = next();
        change(&voided, HandChange::Status("Voided"));
        expected.insert(("missing_in_visma".to_owned(), voided.number));
        let dearer = next();
        change(&dearer, HandChange::DearerBy(Decimal::new(1234, 2)));
        expected.insert(("amount_differs".to_owned(), dearer.number.clone()));
        let keyed = next();
        change(&keyed, HandChange::KeyedInAgain(None));
        let doubled = next();
        let note = flow.in_visma(&doubled.source_id).await.own_text.expect("our key is there");
        change(&doubled, HandChange::KeyedInAgain(Some(&note)));
        expected.insert(("doubled_in_visma".to_owned(), doubled.number));
        let foreign = next();
        let stranger = "ml-connector:0123456789abcdefghjk";
        change(&foreign, HandChange::KeyedInAgain(Some(stranger)));
        let number = visma
            .documents()
            .into_iter()
            .find(|of| of.own_text.as_deref() == Some(stranger))
            .expect("it was keyed in")
            .number;
        expected.insert(("only_in_visma".to_owned(), number));

        let (done, status) = flow.run_json(&["reconcile"]).await;
        assert_eq!((done["balanced"].as_bool(), status), (Some(false), 3), "{done:#}");
        assert_eq!(named(&done), expected, "{done:#}");
        assert_eq!(by_hand(&done), before + 1, "what people keyed in is told apart");
        for of in list(&done, "differences") {
            let text = of["text"].as_str().expect("words");
            assert!(text.contains(of["number"].as_str().unwrap()), "{of:#}");
            assert!(!of["fix"].as_str().expect("words").is_empty(), "{of:#}");
        }
        let missing = list(&done, "differences")
            .iter()
            .find(|of| of["number"] == deleted.number.as_str())
            .expect("it is named");
        assert!(missing["text"].as_str().unwrap().contains("deleted"), "{missing:#}");
        // For people: what, and what to do.
        let said = flow.run(&["reconcile"]).await;
        let said = String::from_utf8(said.stdout).expect("text");
        assert!(said.contains("amount_differs") && said.contains("  -> "), "{said}");
        assert!(said.contains("does not close: 7 differences"), "{said}");

        // By month each is in the month of its own date, and in no other.
        let mut by_month: BTreeMap<&str, BTreeSet<(String, String)>> = BTreeMap::new();
        for month in ["2026-08", "2026-09", "2026-10", "2026-11", "2026-12"] {
            let (done, _) = flow.run_json(&["reconcile", "--period", month]).await;
            by_month.insert(month, named(&done));
        }
        let together: Vec<_> = by_month.values().flatten().cloned().collect();
        assert_eq!(together.len(), expected.len(), "{by_month:#?}");
        assert_eq!(together.into_iter().collect::<BTreeSet<_>>(), expected);
        let month = dearer.document_on.as_deref().expect("it has a date")[..7].to_owned();
        assert!(by_month[month.as_str()].contains(&("amount_differs".into(), dearer.number)));
    }
}

/// What a credit note of ours takes back, and the note, are nothing together, and the document is counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_is_no_difference_while_it_goes_on_and_when_it_is_through() {
    for test in stores::both().await {
        let flow = Flow::start(postable(32, 3), test).await;
        flow.sync_to_the_end().await;
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        corrections::by_hand(&flow, &id, HandChange::Status("Open")).await;
        assert!(flow.sandbox.world().change_invoice_amount(&id, 345.into()));
        flow.sync_to_the_end().await;
        // JAGGAER has it otherwise by now, and a person is asked.
        let (done, _) = flow.run_json(&["reconcile"]).await;
        let number = flow.document(&id).await.number;
        assert_eq!(named(&done), [("state_differs".to_owned(), number)].into(), "{done:#}");

        corrections::ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posting);
        let done = closes(&flow, &[]).await;
        assert_eq!(taken_back(&done), 2, "the credit note waits for its release: {done:#}");

        let credit = corrections::credit_of(&flow, &id).await;
        corrections::set_status(&flow, &credit, "Open");
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted);
        let done = closes(&flow, &[]).await;
        assert_eq!(taken_back(&done), 2, "{done:#}");
        // Without the note it is owed twice.
        corrections::set_status(&flow, &credit, "Voided");
        let (done, _) = flow.run_json(&["reconcile"]).await;
        assert!(named(&done).iter().any(|of| of.0 == "amount_differs"), "{done:#}");
    }
}

fn taken_back(done: &Value) -> i64 {
    let counts = list(done, "lines").iter().map(|line| &line["explained"]["taken_back"]["count"]);
    counts.filter_map(Value::as_i64).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_cut_claims_nothing() {
    for test in stores::both().await {
        let flow = Flow::start(postable(5, 30), test).await;
        flow.sync_to_the_end().await;
        let always = |fault| jaggaer::Faults {
            rates: [(fault, jaggaer::Rate { per_mille: 1000, at_most: None })].into(),
            ..jaggaer::Faults::default()
        };
        flow.sandbox.jaggaer_faults().set(always(jaggaer::Fault::CutPage));
        let (done, status) = flow.run_json(&["reconcile"]).await;
        assert_eq!((done["balanced"].as_bool(), status), (Some(false), 1), "{done:#}");
        assert_eq!((list(&done, "lines"), list(&done, "differences")), (&[][..], &[][..]));
        let told = list(&done, "errors")[0].as_str().expect("words");
        assert!(told.contains("nothing is claimed") && told.contains("JAGGAER"), "{told}");
        flow.sandbox.jaggaer_faults().set(jaggaer::Faults::default());

        let cut = faults::Faults::default().with(faults::Fault::CutBody, 1000, None);
        flow.sandbox.visma_faults().set(cut);
        let (done, status) = flow.run_json(&["reconcile"]).await;
        assert_eq!((list(&done, "lines"), status), (&[][..], 1), "{done:#}");
        let told = list(&done, "errors")[0].as_str().expect("words");
        assert!(told.contains("nothing is claimed") && told.contains("Visma"), "{told}");
        flow.sandbox.visma_faults().set(faults::Faults::default());
        assert_eq!(flow.store.reconciliations().await.expect("it reads"), [], "nothing is kept");
        closes(&flow, &[]).await;
    }
}

/// Calls of one run: to JAGGAER's lists, to its documents, to Visma.
async fn calls(flow: &Flow, arguments: &[&str]) -> (u64, u64, u64) {
    let (jaggaer, visma) = (flow.sandbox.jaggaer().calls(), flow.calls("GET"));
    let done = closes(flow, arguments).await;
    let now = flow.sandbox.jaggaer().calls();
    let spent = (now.list - jaggaer.list, now.one - jaggaer.one, flow.calls("GET") - visma);
    assert_eq!(done["requests"]["visma"], spent.2, "{done:#}");
    spent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_documents_cost_pages_of_lists_and_no_document() {
    // Of this one each document costs a call of its own when it is received.
    let settings =
        |documents| Settings { profile: jaggaer::Profile::Observed, ..postable(7, documents) };
    let few = Flow::start(settings(30), stores::sqlite()).await;
    few.sync_to_the_end().await;
    let many = Flow::start(settings(300), stores::sqlite()).await;
    many.sync_to_the_end().await;
    let (of_few, of_many) = (calls(&few, &[]).await, calls(&many, &[]).await);
    assert_eq!((of_few.1, of_many.1), (0, 0), "no document is asked for alone");
    // Two lists each: a page holds 100 of JAGGAER's, overlapping by three; and 1000 of Visma's.
    assert!(of_few.0 <= 2 && of_many.0 <= 10, "{of_few:?} {of_many:?}");
    assert!(of_few.2 <= 4 && of_many.2 <= 4, "{of_few:?} {of_many:?}");
    for profile in [jaggaer::Profile::Default, jaggaer::Profile::Alternate] {
        let flow = Flow::start(Settings { profile, ..postable(7, 40) }, stores::sqlite()).await;
        flow.sync_to_the_end().await;
        let spent = calls(&flow, &["--period", "2026-10"]).await;
        assert_eq!(spent.1, 0, "{profile:?}");
        closes(&flow, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offices_that_share_an_instance_are_summed_each_for_itself() {
    let offices = Offices::start(of_offices(7, 60, 0), stores::sqlite()).await;
    let stray = offices.order("NORDLYS-SE");
    offices.sync().await;
    let totals = offices.sync().await.totals;
    let output = run(&offices.folder, &["--json", "reconcile"]).await;
    let done: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{done:#}");
    let mut posted: BTreeMap<&str, i64> = BTreeMap::new();
    let mut nobodys = 0;
    for line in list(&done, "lines") {
        *posted.entry(line["connection"].as_str().unwrap()).or_default() += count(line, "posted");
        assert_eq!(count(line, "posted"), count(line, "visma"), "{line:#}");
        if line["connection"] == "" {
            nobodys += count(line, "held");
        }
    }
    assert_eq!(nobodys, 1, "the order that no route takes: {stray}");
    assert_eq!(posted.values().sum::<i64>(), totals.posted);
    assert!(
        posted.len() == 4 && posted.iter().all(|(of, n)| of.is_empty() || *n > 5),
        "{posted:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_question_is_said() {
    let flow = Flow::start(postable(5, 4), stores::sqlite()).await;
    for period in ["2026-13", "2026", "last month"] {
        let said = flow.run(&["reconcile", "--period", period]).await;
        assert_eq!(said.status.code(), Some(2), "{period}");
        let told = String::from_utf8(said.stderr).expect("text");
        assert!(told.contains("write it as 2026-03"), "{told}");
    }
    // Before anything was received, what JAGGAER has is a difference.
    let (done, status) = flow.run_json(&["reconcile"]).await;
    assert_eq!(status, 3, "{done:#}");
    assert!(named(&done).iter().all(|(kind, _)| kind == "only_in_jaggaer"), "{done:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_on_its_timetable_is_kept_and_is_told() {
    futures_util::future::join_all(stores::both().await.into_iter().map(on_schedule)).await;
}

async fn on_schedule(test: TestStore) {
    let what = test.url.clone();
    let sandbox = small_sandbox(16, 5, false).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    connector.sync_until_done(&what).await;
    let store = connector.store().await;
    // One is deleted in Visma; a person looks at its month and finds it open.
    let documents = store.documents(&Default::default()).await.expect("it reads");
    let gone = documents
        .iter()
        .find(|of| of.state == DocumentState::Posted && of.visma_type.as_deref() == Some("Invoice"))
        .expect("an invoice is posted");
    let number = gone.visma_number.as_deref().expect("it has one");
    assert!(sandbox.visma().change_by_hand("Invoice", number, HandChange::Deleted));
    let month = gone.document_on.as_deref().expect("it has a date")[..7].to_owned();
    let asked = connector.run(&["reconcile", "--period", &month]).await;
    assert_eq!(asked.code(), Some(3), "{what}: {asked:#?}");
    assert_eq!(asked.json()["differences_in_all"], 1, "{what}: {}", asked.stdout);

    // From then on it is looked at until it closes.
    let (hooks, url) = receiver().await;
    connector.write("hook.secret", &format!("whsec_{}\n", STANDARD.encode([7; 32])));
    let port = free_port();
    scheduled(&connector, port);
    connector.amend(|table| {
        let text = format!(
            "[[target]]\nid = \"desk\"\nkinds = [\"reconcile\"]\n\
             webhook = {{ url = \"{url}\", secret = {{ file = \"hook.secret\" }} }}\n"
        );
        table.insert("alerts".into(), text.parse::<toml::Table>().unwrap().into());
    });
    let child = connector.command(&["serve"]).spawn().expect("it starts");
    let by_itself = || async {
        let known = store.reconciliations_of("no").await.expect("it reads");
        known.iter().filter(|row| row.actor == "connector").cloned().collect::<Vec<_>>()
    };
    until("the first run", || async { by_itself().await.len() >= 2 }).await;
    until("its alert", || async { !hooks.all.lock().unwrap().is_empty() }).await;
    let told = hooks.all.lock().unwrap()[0].body.clone();
    assert_eq!(told["type"], "alert.reconcile.began", "{what}: {told:#}");
    let text = told["data"]["text"].as_str().expect("words");
    assert!(text.contains("missing_in_visma") && text.contains(&gone.number), "{what}: {text}");
    let known = by_itself().await;
    let open = known.iter().find(|row| row.period == month).expect("it was looked at again");
    assert_eq!(open.differences, 1, "{what}: {known:#?}");
    let figures = get(port, "/metrics").await.expect("it answers").1;
    for figure in ["differences{unit=\"no\"} 1\n", "open_months{unit=\"no\"} 1\n"] {
        let figure = format!("ml_connector_reconciled_{figure}");
        assert!(figures.contains(&figure), "{what}: {figure}{figures}");
    }
    // A person can ask beside the process that owns the unit.
    let beside = connector.run(&["reconcile", "--period", &month]).await;
    assert_eq!(beside.code(), Some(3), "{what}: {beside:#?}");
    signal(&child, "TERM");
    let ended = finish_child(child).await;
    assert_eq!(ended.code(), Some(0), "{what}: {}", ended.stderr);
    let verified = connector.run(&["audit", "verify"]).await;
    assert_eq!(verified.code(), Some(0), "{what}: {}", verified.stderr);
    let trail = connector.run(&["audit", "export"]).await;
    assert!(trail.stdout.contains("\"reconciled\""), "{what}: it stands in the trail");
}
