//! The one double that is possible: a request that left whole arrives after its sender has lost the unit, and
//! after the next owner has looked for it twice and made the document. It is forced here, found, told and put
//! right; and of what stands twice nothing more is written.

use crate::alerts::receiver;
use crate::connector::{
    COMPANY, Connector, Options, assert_whole, finish_child, signal, small_sandbox,
};
use crate::corrections;
use crate::flow::{Flow, postable};
use crate::network::holding_back;
use crate::serve::{free_port, heard, scheduled, until};
use crate::stores::{self, TestStore};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ml_connector::procurement::PostingMode;
use ml_connector::store::{DocumentRow, DocumentState, PostingRow, Step, Store};
use ml_connector::sync::ManualVerb;
use ml_connector::visma;
use ml_connector_sandbox::Sandbox;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::visma::{HandChange, HeldDocument};
use ml_connector_sandbox::world::Kind;
use serde_json::Value;

/// What becomes of the worker whose request is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Killed,
    Frozen,
}

/// Live documents in Visma that carry a text of ours.
fn carrying(sandbox: &Sandbox, text: &str) -> Vec<HeldDocument> {
    let mut held = sandbox.visma().documents();
    held.retain(|of| of.live && of.own_text.as_deref() == Some(text));
    held
}

fn change(sandbox: &Sandbox, name: &str, change: HandChange<'_>) {
    let (kind, number) = name.split_once(' ').expect("type and number");
    assert!(sandbox.visma().change_by_hand(kind, number, change), "{name}");
}

/// The posting that a request on the wire belongs to.
async fn posting_of(store: &Store, request: &str) -> PostingRow {
    let (_, behind) = request.split_once("\"ml-connector:").expect("our key is in it");
    let (key, _) = behind.split_once('"').expect("a text ends");
    let document = store.document_of_our_key(COMPANY, key).await.expect("it reads");
    let rows = store.postings_of(&document.expect("it is ours")).await.expect("it reads");
    rows.into_iter().find(|row| row.our_key == key).expect("it is kept")
}

fn assert_adds_up(report: &Value) {
    let count = |key: &str| report[key].as_i64().unwrap_or_else(|| panic!("{key} in {report}"));
    assert_eq!(
        count("received"),
        count("posted") + count("held") + count("ignored") + count("in_flight"),
        "{report:#}"
    );
}

async fn forced(end: End) {
    let what = format!("{end:?}");
    let test = stores::postgres().await;
    let sandbox = small_sandbox(12, 71, false).await;
    let held = holding_back(&sandbox.visma_url(), "POST /v1/supplierInvoice HTTP").await;
    held.hold();
    let jaggaer = sandbox.jaggaer_url();
    let of_first = Connector::at(&held.url, &jaggaer, &test.url, &Options::default());
    scheduled(&of_first, free_port());
    let mut first = of_first.command(&["serve"]).spawn().expect("it starts");
    heard(&mut first);
    let request = held.request().await;
    match end {
        End::Killed => {
            first.kill().expect("it lives");
            first.wait().expect("it ended");
        }
        End::Frozen => signal(&first, "STOP"),
    }

    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let (hooks, url) = receiver().await;
    connector.write("hook.secret", &format!("whsec_{}\n", STANDARD.encode([7; 32])));
    scheduled(&connector, free_port());
    connector.amend(|table| {
        let text = format!(
            "[[target]]\nid = \"desk\"\nkinds = [\"doubled\"]\n\
             webhook = {{ url = \"{url}\", secret = {{ file = \"hook.secret\" }} }}\n"
        );
        table.insert("alerts".into(), text.parse::<toml::Table>().unwrap().into());
    });
    let mut second = connector.command(&["serve"]).spawn().expect("it starts");
    heard(&mut second);
    let store = Store::open(&test.url).await.expect("it opens");
    let before = posting_of(&store, &request).await;
    // It looks, twice, after the settling time; then it makes the document.
    until("the second has made it", || async {
        let now = posting_of(&store, &request).await;
        now.state.is_done() && now.attempts == 2 && now.epoch > before.epoch
    })
    .await;
    let note = format!("ml-connector:{}", before.our_key);
    assert_eq!(carrying(&sandbox, &note).len(), 1, "{what}: the first has not arrived");
    held.let_go();
    until("Visma has it twice", || async { carrying(&sandbox, &note).len() == 2 }).await;
    let known = posting_of(&store, &request).await;
    if end == End::Frozen {
        signal(&first, "CONT");
        until("the sleeper is back", || async {
            let workers = store.workers().await.expect("it reads");
            workers.iter().filter(|row| row.serves).count() == 2
        })
        .await;
        signal(&first, "TERM");
        assert_eq!(finish_child(first).await.code(), Some(0), "{what}");
    }
    let findings = sandbox.report().findings;
    assert_eq!(findings.duplicated.len(), 1, "{what}: by Visma's own count: {findings:#?}");
    assert!(findings.missing.is_empty(), "{what}: {findings:#?}");

    // A round finds it; one is asked for, so that the test need not wait for the timetable.
    ManualVerb::Release.ask(&store, "no", &before.document, "tester", "look").await.expect("asked");
    let document = || async {
        let found = store.document(&before.document).await.expect("it reads");
        found.expect("it is there")
    };
    until("it is told", || async { document().await.attention.is_some() }).await;
    until("the alert", || async { !hooks.all.lock().unwrap().is_empty() }).await;
    let told = hooks.all.lock().unwrap()[0].body.clone();
    assert_eq!(told["type"], "alert.doubled.began", "{what}: {told:#}");
    signal(&second, "TERM");
    assert_eq!(finish_child(second).await.code(), Some(0), "{what}");

    shown(&connector, &document().await, &carrying(&sandbox, &note), &what).await;
    let report = connector.run(&["sync"]).await.json();
    assert_adds_up(&report);
    let creates = store.postings_of(&before.document).await.expect("it reads");
    let creates: Vec<_> = creates.into_iter().filter(|row| row.step == Step::Create).collect();
    assert_eq!(creates.len(), 1, "{what}: {creates:#?}");
    assert_eq!(creates[0].visma_number, known.visma_number, "{what}: {creates:#?}");

    // A person keeps one. It need not be the one that we knew.
    let ours = format!("Invoice {}", known.visma_number.as_deref().expect("it has one"));
    let (gone, left) = {
        let mut both = carrying(&sandbox, &note);
        both.sort_by_key(|of| of.number != ours);
        let [ours, late] = both.try_into().expect("two");
        match end {
            End::Killed => (late.number, ours.number),
            End::Frozen => (ours.number, late.number),
        }
    };
    match end {
        End::Killed => change(&sandbox, &gone, HandChange::Deleted),
        End::Frozen => change(&sandbox, &gone, HandChange::Status("Voided")),
    }
    connector.sync_until_done(&what).await;
    let after = document().await;
    assert_eq!((after.state, &after.attention), (DocumentState::Posted, &None), "{what}");
    let number = left.trim_start_matches("Invoice ");
    assert_eq!(after.visma_number.as_deref(), Some(number), "{what}");
    let row = posting_of(&store, &request).await;
    assert_eq!(row.visma_number.as_deref(), Some(number), "{what}");
    let actions: Vec<String> = store
        .audit_of(&before.document)
        .await
        .expect("it reads")
        .into_iter()
        .map(|of| of.entry.action)
        .collect();
    for action in ["doubled_in_visma", "not_doubled_any_more"] {
        assert_eq!(actions.iter().filter(|of| *of == action).count(), 1, "{what}: {actions:?}");
    }
    let closes = connector.run(&["reconcile"]).await;
    assert_eq!(closes.code(), Some(0), "{what}: {}", closes.stdout);
    assert_whole(&sandbox, &connector, &what).await;
}

/// A clerk sees both numbers and what to do, wherever there is to look.
async fn shown(
    connector: &Connector,
    document: &DocumentRow,
    standing: &[HeldDocument],
    what: &str,
) {
    let numbers: Vec<&str> = standing.iter().map(|of| of.number.as_str()).collect();
    let names_both = |text: &str| {
        assert!(numbers.iter().all(|of| text.contains(of)), "{what}: {numbers:?} in {text}");
    };
    assert_eq!(document.state, DocumentState::Posted, "{what}");
    let one = connector.run(&["documents", "show", &document.id]).await.json();
    let attention = one["documents"][0]["attention"].as_str().expect("words").to_owned();
    assert!(attention.starts_with("doubled_in_visma: "), "{what}: {attention}");
    assert!(attention.contains("delete or void the others"), "{what}: {attention}");
    names_both(&attention);
    let list = connector.run(&["hold", "list", "--code", "doubled_in_visma"]).await.json();
    let list = list["holds"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 1, "{what}: {list:#?}");
    names_both(list[0]["text"].as_str().expect("words"));
    assert!(list[0]["fix"].as_str().expect("words").contains("Keep one"), "{what}: {list:#?}");
    let status = connector.run(&["status"]).await.json();
    assert_eq!(status["attention"], 1, "{what}: {status:#}");
    let books = connector.run(&["reconcile"]).await;
    assert_eq!(books.code(), Some(3), "{what}: {books:#?}");
    let books = books.json();
    assert_eq!(books["differences_in_all"], 1, "{what}: {books:#}");
    assert_eq!(books["differences"][0]["kind"], "doubled_in_visma", "{what}: {books:#}");
    names_both(books["differences"][0]["text"].as_str().expect("words"));
    // Which of them stays is not the program's to say.
    let released = connector.run(&["release", &document.id, "--reason", "again"]).await;
    let said = format!("{}{}", released.stdout, released.stderr);
    assert!(said.contains("not done: Visma still shows more than one"), "{what}: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_after_its_sender_was_killed_is_found_and_told() {
    forced(End::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_while_its_sender_is_frozen_is_found_and_told() {
    forced(End::Frozen).await;
}

/// Two are there before the first look at either: one that was lost is not settled by either of them, one that is known
/// is not taken for the other, and no other document waits for that.
async fn two_at_the_first_look(test: TestStore) {
    for (point, held) in [("post.answered", true), ("post.outcome_kept", false)] {
        let what = format!("{} {point}", test.url);
        let store = stores::another(&test).await;
        let sandbox = small_sandbox(10, 72, false).await;
        let connector = Connector::new(&sandbox, &store.url, &Options::default());
        // Orders are made first: with the first invoice there is one, and it is not compared yet.
        let orders = sandbox.report().expected[&Kind::PurchaseOrder].posted;
        let died = connector.sync_dying_at(&format!("{point}:{}", orders + 1)).await;
        assert!(died.is_aborted(), "{what}: {died:#?}");
        let first = sandbox.visma().documents().into_iter().find(|of| {
            of.number.starts_with("Invoice ")
                && of.own_text.as_ref().is_some_and(|text| text.starts_with("ml-connector:"))
        });
        let first = first.expect("one was made");
        let note = first.own_text.expect("just looked at");
        change(&sandbox, &first.number, HandChange::KeyedInAgain(Some(&note)));
        let run = connector.run(&["sync"]).await;
        assert_eq!(run.code(), Some(3), "{what}: {run:#?}");
        assert_eq!(run.json()["errors"], serde_json::json!([]), "{what}: {run:#?}");
        assert_eq!(run.json()["in_flight"], 0, "{what}: {run:#?}");
        let open = connector.store().await;
        let key = note.trim_start_matches("ml-connector:");
        let id = open.document_of_our_key(COMPANY, key).await.unwrap().expect("it is ours");
        let document = open.document(&id).await.unwrap().expect("it is there");
        let codes: Vec<_> =
            open.holds_of(&id).await.unwrap().into_iter().map(|of| of.code).collect();
        if held {
            assert_eq!(document.state, DocumentState::Held, "{what}");
            assert_eq!((codes, document.attention), (vec!["doubled_in_visma".into()], None));
        } else {
            assert_eq!(document.state, DocumentState::Posted, "{what}");
            assert_eq!(document.attention_code(), Some("doubled_in_visma"), "{what}");
            assert_eq!(
                document.visma_number.map(|of| format!("Invoice {of}")).as_ref(),
                Some(&first.number),
                "{what}"
            );
        }
        let late = carrying(&sandbox, &note).into_iter().find(|of| of.number != first.number);
        change(&sandbox, &late.expect("two").number, HandChange::Deleted);
        if held {
            connector.run(&["sync"]).await;
            let released = connector.run(&["release", &id, "--reason", "one is left"]).await;
            assert_eq!(released.code(), Some(0), "{what}: {released:#?}");
        }
        connector.sync_until_done(&what).await;
        assert_whole(&sandbox, &connector, &what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_that_is_there_at_the_first_look_stops_nothing_else() {
    for test in stores::both().await {
        two_at_the_first_look(test).await;
    }
}

/// Another one with the same note, as a late request would leave it.
async fn double(flow: &Flow, id: &str) -> String {
    let stands = flow.in_visma(id).await;
    let note = stands.own_text.expect("our key is there");
    change(&flow.sandbox, &stands.number, HandChange::KeyedInAgain(Some(&note)));
    let both = carrying(&flow.sandbox, &note);
    let other = both.into_iter().find(|of| of.number != stands.number);
    other.expect("it was keyed in").number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_waits_until_one_is_left() {
    for test in stores::both().await {
        let flow = Flow::start(postable(73, 3), test).await;
        flow.sync_to_the_end().await;
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        let before = flow.in_visma(&id).await;
        let other = double(&flow, &id).await;
        assert!(flow.sandbox.world().change_invoice_amount(&id, 345.into()));
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["doubled_in_visma"], "{}", flow.test.url);
        // Its order has another price by now, and that alone was written.
        let writes = flow.writes();
        // Asked again while both stand, it stays.
        flow.ask(ManualVerb::Release, &id).await;
        assert_eq!(flow.codes(&id).await, ["doubled_in_visma"], "{}", flow.test.url);
        assert_eq!(flow.writes(), writes, "{}: nothing was written", flow.test.url);
        let note = before.own_text.as_deref().expect("our key is there");
        let both = carrying(&flow.sandbox, note);
        let as_before = |of: &&HeldDocument| of.document.total_minor == before.document.total_minor;
        assert_eq!(both.iter().filter(as_before).count(), 2, "{both:#?}");

        change(&flow.sandbox, &other, HandChange::Deleted);
        flow.sync().await;
        flow.ask(ManualVerb::Release, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.document(&id).await.attention, None);
        let after = flow.in_visma(&id).await;
        assert_eq!(after.number, before.number);
        assert_ne!(after.document.total_minor, before.document.total_minor);
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_stands_twice_is_not_released() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(74, 3), test).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Released;
        let refused = Faults::default().with(Fault::ReleaseRefused, 1000, None);
        flow.sandbox.visma_faults().set(refused);
        flow.sync_to_the_end().await;
        flow.sandbox.visma_faults().set(Faults::default());
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        let refusal = flow.document(&id).await.attention.expect("its release was refused");
        assert!(refusal.starts_with("release_refused: "), "{refusal}");
        let other = double(&flow, &id).await;
        // A person asks for its release before the double is seen.
        flow.ask(ManualVerb::Release, &id).await;
        assert_eq!(flow.codes(&id).await, ["doubled_in_visma"], "{}", flow.test.url);
        let note = flow.in_visma(&id).await.own_text.expect("our key is there");
        let both = carrying(&flow.sandbox, &note);
        assert_eq!(both.len(), 2, "{both:#?}");
        assert!(both.iter().all(|of| of.status == "Balanced" || of.status == "Hold"), "{both:#?}");

        change(&flow.sandbox, &other, HandChange::Deleted);
        flow.sync().await;
        flow.ask(ManualVerb::Release, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.in_visma(&id).await.status, "Open");
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

/// What it asked attention for before is not lost over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_wrong_before_is_wrong_again_after() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(75, 3), test).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Released;
        let refused = Faults::default().with(Fault::ReleaseRefused, 1000, None);
        flow.sandbox.visma_faults().set(refused);
        flow.sync_to_the_end().await;
        flow.sandbox.visma_faults().set(Faults::default());
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        let refusal = flow.document(&id).await.attention.expect("its release was refused");
        let other = double(&flow, &id).await;
        flow.sync().await;
        let both = flow.document(&id).await.attention.expect("it stands twice");
        assert!(both.starts_with("doubled_in_visma: ") && both.ends_with(&refusal), "{both}");
        flow.sync().await;
        assert_eq!(flow.document(&id).await.attention, Some(both), "told once");
        change(&flow.sandbox, &other, HandChange::Deleted);
        flow.sync().await;
        assert_eq!(flow.document(&id).await.attention, Some(refusal), "{}", flow.test.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_twice_is_not_taken_back() {
    for test in stores::both().await {
        let (flow, id) = corrections::changed_after_release(postable(76, 3), test).await;
        let old = flow.in_visma(&id).await;
        let reference = flow.document(&id).await.reference.expect("an invoice has one");
        let other = double(&flow, &id).await;
        corrections::ask(&flow, &id).await;
        let writes = flow.writes();
        flow.sync_to_the_end().await;
        assert_eq!(flow.codes(&id).await, ["doubled_in_visma"], "{}", flow.test.url);
        assert_eq!(flow.writes(), writes, "{}: nothing was written", flow.test.url);
        change(&flow.sandbox, &other, HandChange::Status("Voided"));
        flow.sync().await;
        corrections::ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        let three = corrections::of_number(flow.sandbox.visma(), &reference);
        corrections::assert_three(&three, &old, &flow.test.url);
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_stands_twice_is_told_until_one_is_cancelled() {
    for test in stores::both().await {
        let flow = Flow::start(postable(77, 3), test).await;
        flow.sync_to_the_end().await;
        let id = flow.to_post(Kind::PurchaseOrder).remove(0);
        let create = flow.postings(&id).await.remove(0);
        let late = serde_json::from_str(create.body.as_deref().expect("it was sent")).unwrap();
        let client = flow.visma_client();
        let sender = visma::Sender::new(&client);
        let done = sender.send(&late, std::sync::Arc::new(|| true)).await;
        let visma::Outcome::Done { location_key: Some(number), .. } = done else {
            panic!("{done:?}");
        };
        flow.sync().await;
        let attention = flow.document(&id).await.attention.expect("it stands twice");
        for number in [&number, create.visma_number.as_ref().unwrap()] {
            assert!(attention.contains(&format!("Purchase order {number}")), "{attention}");
        }
        let (stands, _) = client.order(&number).await.expect("it is there");
        let cancel = visma::cancel_order(&stands);
        let done = sender.send(&cancel, std::sync::Arc::new(|| true)).await;
        assert!(matches!(done, visma::Outcome::Done { .. }), "{done:?}");
        flow.sync().await;
        assert_eq!(flow.document(&id).await.attention, None, "{}", flow.test.url);
        assert_eq!(flow.document(&id).await.visma_number, create.visma_number);
    }
}
