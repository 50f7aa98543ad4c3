//! What is released and shall be another: on a person's word a credit note takes it back, and the
//! document is made anew. Never twice, never half, and never where money has moved.

use crate::connector::{Connector, Options, UNIT, small_sandbox};
use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::procurement::{Plan, PostingMode};
use ml_connector::store::{DocumentRow, DocumentState, PostingState, Step};
use ml_connector::sync::{self, CrashPoint, ManualVerb};
use ml_connector::visma;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::visma::{HandChange, HeldDocument, Visma};
use ml_connector_sandbox::world::{Fate, Kind};
use ml_connector_sandbox::{Sandbox, Settings};
use std::sync::Arc;

const ROUNDS: usize = 12;

/// The points at which only a correction can die. The others are walked in `crash_and_resume`.
pub const POINTS: [CrashPoint; 2] = [CrashPoint::TakenBackSeen, CrashPoint::AnewKept];

/// A document posted and released, then changed in JAGGAER: held, since it can no longer be changed.
pub async fn changed_after_release(settings: Settings, test: stores::TestStore) -> (Flow, String) {
    let mut flow = Flow::start(settings, test).await;
    flow.config.connections[0].rules.invoices.mode = PostingMode::Released;
    flow.sync().await;
    let id = flow.to_post(Kind::SupplierInvoice).remove(0);
    assert_eq!(flow.in_visma(&id).await.status, "Open");
    assert!(flow.sandbox.world().change_invoice_amount(&id, 345.into()));
    flow.sync().await;
    assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
    (flow, id)
}

/// As `replay ID --correct --apply` asks for it, without a round.
pub async fn ask(flow: &Flow, id: &str) {
    let document = flow.document(id).await;
    sync::ask_to_correct(&flow.store, UNIT, &document.id, "tester", "the price was wrong")
        .await
        .expect("asked");
}

/// What Visma holds under the supplier's number of a document, oldest first.
pub fn of_number(visma: &Visma, reference: &str) -> Vec<HeldDocument> {
    let mut held = visma.documents();
    held.retain(|one| one.document.reference == reference && one.live);
    held
}

/// The invoice, its credit note and the new one: exactly these, all open, each under a key of its own.
pub fn assert_three(held: &[HeldDocument], old: &HeldDocument, what: &str) -> HeldDocument {
    let mut credits: Vec<&HeldDocument> =
        held.iter().filter(|one| one.number.starts_with("DebitAdj")).collect();
    let mut others: Vec<&HeldDocument> = held
        .iter()
        .filter(|one| !one.number.starts_with("DebitAdj") && one.number != old.number)
        .collect();
    assert_eq!((held.len(), credits.len(), others.len()), (3, 1, 1), "{what}: {held:#?}");
    let (credit, new) = (credits.remove(0), others.remove(0));
    assert_eq!(credit.document.total_minor, old.document.total_minor, "{what}");
    assert_eq!(credit.document.supplier, old.document.supplier, "{what}");
    assert_eq!(credit.document.lines, old.document.lines, "{what}");
    assert_ne!(new.document.total_minor, old.document.total_minor, "{what}");
    let keys = [&old.own_text, &credit.own_text, &new.own_text];
    assert!(keys.iter().all(|key| key.is_some()), "{what}: {keys:?}");
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{what}: {keys:?}");
    new.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_invoice_is_shown_then_taken_back_and_made_anew() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(31, 3), test).await;
        let reference = flow.document(&id).await.reference.expect("an invoice has one");
        let old = flow.in_visma(&id).await;
        let writes = flow.writes();
        // The binary reads its mode from the file.
        let file = flow.folder.join("ml-connector.toml");
        let text = std::fs::read_to_string(&file).expect("it was written");
        std::fs::write(&file, text.replace("mode = \"hold\"", "mode = \"released\"")).unwrap();

        let (plain, status) = flow.run_json(&["replay", &id]).await;
        assert_eq!((status, &plain["correction"]), (0, &serde_json::Value::Null), "{plain}");
        let (shown, status) = flow.run_json(&["replay", &id, "--correct"]).await;
        assert_eq!(status, 0, "{shown}");
        assert_eq!(shown["correction"]["takes_back"], old.number, "{shown}");
        assert!(shown["correction"]["credit_note"].is_object(), "{shown}");
        assert!(shown["why"].as_str().unwrap().contains("--correct --apply"), "{shown}");
        let refused = flow.run(&["replay", &id, "--correct", "--apply"]).await;
        assert_eq!(refused.status.code(), Some(2), "a correction needs a reason");
        // Without --correct nothing of what is released is touched.
        let (_, status) = flow.run_json(&["replay", &id, "--apply", "--reason", "again"]).await;
        assert_eq!(status, 3);
        assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
        assert_eq!(flow.writes(), writes, "nothing was sent");

        let asked = ["replay", &id, "--correct", "--apply", "--reason", "the price was wrong"];
        let (done, status) = flow.run_json(&asked).await;
        assert_eq!((status, &done["state"]), (0, &"posted".into()), "{done}");
        let new = assert_three(&of_number(flow.sandbox.visma(), &reference), &old, &flow.test.url);
        assert_eq!((new.status.as_str(), &new.number), ("Open", &flow.in_visma(&id).await.number));
        assert_eq!(flow.erp_invoice(&id).await.gross.minor, new.document.total_minor);
        let actions = flow.actions(&id).await;
        for action in ["correct", "take_back_planned", "take_back_done", "taken_back"] {
            assert!(actions.iter().any(|of| of == action), "{action}: {actions:?}");
        }
        assert_eq!(flow.document(&id).await.attention, None);
        // Nothing more comes of it, not by itself and not by asking again.
        let writes = flow.writes();
        flow.sync().await;
        let (again, status) = flow.run_json(&asked).await;
        assert_eq!((status, flow.writes()), (0, writes), "{again}");

        // Changed once more, it is taken back once more, under other keys.
        assert!(flow.sandbox.world().change_invoice_amount(&id, 350.into()));
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        let held = of_number(flow.sandbox.visma(), &reference);
        let sums: i64 = held
            .iter()
            .map(|one| match one.number.starts_with("DebitAdj") {
                true => -one.document.total_minor,
                false => one.document.total_minor,
            })
            .sum();
        assert_eq!((held.len(), sums), (5, flow.erp_invoice(&id).await.gross.minor), "{held:#?}");
        flow.assert_trail().await;
    }
}

/// A person releases: the credit note is a draft until then, and the new invoice waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_invoice_waits_for_the_release_of_the_credit_note() {
    for test in stores::both().await {
        let flow = Flow::start(postable(32, 3), test).await;
        flow.sync().await;
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        by_hand(&flow, &id, HandChange::Status("Open")).await;
        assert!(flow.sandbox.world().change_invoice_amount(&id, 345.into()));
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
        let reference = flow.document(&id).await.reference.expect("an invoice has one");
        let old = flow.in_visma(&id).await;

        ask(&flow, &id).await;
        flow.sync().await;
        let told = flow.document(&id).await;
        assert_eq!(told.state, DocumentState::Posting);
        let attention = told.attention.clone().unwrap_or_default();
        assert!(attention.starts_with("correction_open: DebitAdj"), "{attention}");
        let held = of_number(flow.sandbox.visma(), &reference);
        assert_eq!(held.len(), 2, "{held:#?}");
        // It stays so, at no cost but a look.
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!((flow.writes(), flow.document(&id).await), (writes, told));

        // Deleted in Visma, there is nothing to wait for; asked again, it is made again.
        let credit = credit_of(&flow, &id).await;
        set_status(&flow, &credit, "Voided");
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["not_correctable"]);
        ask(&flow, &id).await;
        flow.sync().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posting);
        set_status(&flow, &credit_of(&flow, &id).await, "Open");
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.document(&id).await.attention, None);
        assert_three(&of_number(flow.sandbox.visma(), &reference), &old, &flow.test.url);
        flow.assert_trail().await;
    }
}

/// Paid in full; and the word of a person counts for one decision.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_is_not_taken_back() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(33, 3), test).await;
        by_hand(&flow, &id, HandChange::Status("Closed")).await;
        flow.sync().await;
        let (shown, _) = flow.run_json(&["replay", &id, "--correct"]).await;
        let why = shown["correction"]["why_not"].as_str().unwrap_or_default().to_owned();
        assert!(why.contains("paid or credited in full"), "{shown}");
        let writes = flow.writes();
        ask(&flow, &id).await;
        flow.sync().await;
        let holds = flow.holds(&id).await;
        assert_eq!((holds.len(), holds[0].code.as_str()), (1, "not_correctable"), "{holds:?}");
        assert!(holds[0].text.contains("paid or credited in full"), "{holds:?}");
        assert!(holds[0].fix.contains("by hand"), "{holds:?}");
        assert_eq!(flow.writes(), writes, "nothing was sent");
        // The word counted once.
        by_hand(&flow, &id, HandChange::Status("Open")).await;
        flow.ask(ManualVerb::Release, &id).await;
        assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
        assert_eq!(flow.writes(), writes);
    }
}

/// A person credited what stood and keyed the right invoice in: the document is that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_corrected_by_hand_is_found_on_release() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(34, 3), test).await;
        let old = flow.document(&id).await;
        let (shown, _) = flow.run_json(&["replay", &id]).await;
        let Plan::Invoice(plan) =
            serde_json::from_value(shown["decision"]["plan"].clone()).expect("it would be posted")
        else {
            panic!("{shown}")
        };
        let keyed = key_in(&flow, visma::create_invoice(&plan, "nobody")).await;
        assert!(flow.sandbox.visma().change_by_hand("Invoice", &keyed, HandChange::Status("Open")));
        flow.ask(ManualVerb::Release, &id).await;
        assert_eq!(flow.state(&id).await, DocumentState::Held, "the old one is still owed");
        let (kind, number) = (old.visma_type.unwrap(), old.visma_number.unwrap());
        let closed = HandChange::Status("Closed");
        assert!(flow.sandbox.visma().change_by_hand(&kind, &number, closed));
        let writes = flow.writes();
        flow.ask(ManualVerb::Release, &id).await;
        let after = flow.document(&id).await;
        assert_eq!(after.state, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!((after.visma_number.as_deref(), after.attention), (Some(keyed.as_str()), None));
        assert_eq!(flow.writes(), writes);
        flow.sync().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted);
        flow.assert_trail().await;
    }
}

/// Each write's answer is lost, after Visma did it: all is settled, nothing is doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_of_a_correction_are_settled() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(35, 3), test).await;
        let reference = flow.document(&id).await.reference.expect("an invoice has one");
        let old = flow.in_visma(&id).await;
        let lost = Faults::default().with(Fault::LostAnswerAfterCommit, 1000, Some(4));
        flow.sandbox.visma_faults().set(lost);
        ask(&flow, &id).await;
        for _ in 0..ROUNDS {
            flow.round().await;
            if flow.state(&id).await == DocumentState::Posted {
                break;
            }
        }
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        let uncertain = flow.actions(&id).await;
        let uncertain = uncertain.iter().filter(|action| action.ends_with("_uncertain")).count();
        assert!(uncertain >= 4, "{uncertain} answers were lost");
        assert_three(&of_number(flow.sandbox.visma(), &reference), &old, &flow.test.url);
        for row in flow.postings(&id).await {
            assert!(row.state.is_done(), "{row:?}");
        }
        flow.assert_trail().await;
    }
}

/// A refused release of the credit note holds the document, and only the release is done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_that_is_not_released_is_told_and_released_again() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(36, 3), test).await;
        let reference = flow.document(&id).await.reference.expect("an invoice has one");
        let old = flow.in_visma(&id).await;
        flow.sandbox.visma_faults().set(Faults::default().with(
            Fault::ReleaseRefused,
            1000,
            Some(1),
        ));
        ask(&flow, &id).await;
        flow.sync().await;
        let holds = flow.holds(&id).await;
        assert_eq!((holds.len(), holds[0].code.as_str()), (1, "release_refused"), "{holds:?}");
        assert!(holds[0].text.starts_with("DebitAdj "), "{holds:?}");
        // A newer revision does not lose what was begun.
        assert!(flow.sandbox.world().change_invoice_amount(&id, 346.into()));
        flow.ask(ManualVerb::Release, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        let new = assert_three(&of_number(flow.sandbox.visma(), &reference), &old, &flow.test.url);
        let wanted = flow.sandbox.world().invoice(&id).expect("it is there").gross;
        assert_eq!(rust_decimal::Decimal::new(new.document.total_minor, 2), wanted);
        let creates: Vec<i64> = flow
            .postings(&id)
            .await
            .into_iter()
            .filter(|row| row.step == Step::Create)
            .map(|row| row.attempts)
            .collect();
        assert_eq!(creates, [1]);
    }
}

/// Posted and released, changed in JAGGAER, and to be corrected: nothing is done yet.
async fn asked_for(url: &str) -> (Sandbox, Connector, String) {
    let sandbox = small_sandbox(4, 11, false).await;
    let options = Options { mode: "released", ..Options::default() };
    let connector = Connector::new(&sandbox, url, &options);
    connector.sync_until_done("before").await;
    let world = sandbox.world();
    let posted = |of: &ml_connector_sandbox::world::Expectation| {
        of.kind == Kind::SupplierInvoice && matches!(of.fate, Fate::Posted(_))
    };
    let id = world.expectations().into_iter().find(posted).expect("one").source_id;
    assert!(world.change_invoice_amount(&id, 345.into()));
    connector.sync_until_done("changed").await;
    let row = find(&connector, &id).await;
    assert_eq!(row.state, DocumentState::Held);
    let store = connector.store().await;
    sync::ask_to_correct(&store, UNIT, &row.id, "tester", "the price was wrong").await.unwrap();
    (sandbox, connector, id)
}

/// The supplier's number, and what stands under it.
async fn before(sandbox: &Sandbox, connector: &Connector, id: &str) -> (String, HeldDocument) {
    let reference = find(connector, id).await.reference.expect("an invoice has one");
    let old = of_number(sandbox.visma(), &reference).remove(0);
    (reference, old)
}

/// Killed after every commit of a correction, and at every named point of a write: started again it comes to
/// its end, with one credit note and one new invoice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_between_any_two_steps_of_a_correction_loses_and_doubles_nothing() {
    for (test, points) in [
        (stores::sqlite(), every_pass()),
        // On PostgreSQL each process waits for the lease of the dead one.
        (stores::postgres().await, some_points()),
    ] {
        let (sandbox, connector, id) = asked_for(&test.url).await;
        let (reference, old) = before(&sandbox, &connector, &id).await;
        let mut deaths = 0;
        let mut ended = false;
        for point in points {
            let run = connector.sync_dying_at(&point).await;
            deaths += usize::from(run.is_aborted());
            if !run.is_aborted() {
                ended = true;
                break;
            }
        }
        assert!(deaths > 3, "{deaths} processes died");
        let what = format!("{} after {deaths} deaths, ended: {ended}", test.url);
        connector.sync_until_done(&what).await;
        let row = find(&connector, &id).await;
        assert_eq!((row.state, row.attention), (DocumentState::Posted, None), "{what}");
        assert_three(&of_number(sandbox.visma(), &reference), &old, &what);
        let verified = connector.run(&["audit", "verify"]).await;
        assert_eq!(verified.code(), Some(0), "{what}: {}", verified.stderr);
        let store = connector.store().await;
        for row in store.postings_of(&row.id).await.unwrap() {
            assert_eq!(row.state, PostingState::Verified, "{what}: {row:?}");
        }
    }
}

/// Between the credit note and the new invoice: each of the named points is died at for certain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_between_the_credit_note_and_the_new_invoice_is_followed_by_one_of_each() {
    for test in stores::both().await {
        let (sandbox, connector, id) = asked_for(&test.url).await;
        let (reference, old) = before(&sandbox, &connector, &id).await;
        for point in POINTS {
            let run = connector.sync_dying_at(point.name()).await;
            assert!(run.is_aborted(), "no process passes {}: {run:#?}", point.name());
        }
        connector.sync_until_done(&test.url).await;
        assert_three(&of_number(sandbox.visma(), &reference), &old, &test.url);
        let verified = connector.run(&["audit", "verify"]).await;
        assert_eq!(verified.code(), Some(0), "{}", verified.stderr);
    }
}

/// The first process dies at the first commit, the next at its second, and so on: each gets one further.
fn every_pass() -> Vec<String> {
    (1..80).map(|pass| format!("{}:{pass}", CrashPoint::CommitDurable.name())).collect()
}

fn some_points() -> Vec<String> {
    let [taken_back, anew] = POINTS;
    [
        CrashPoint::DecisionKept,
        CrashPoint::PostingIntended,
        CrashPoint::PostingAnswered,
        CrashPoint::PostingOutcomeKept,
        taken_back,
        anew,
        CrashPoint::PostingAnswered,
        CrashPoint::PostingOutcomeKept,
    ]
    .map(|point| point.name().to_owned())
    .to_vec()
}

async fn find(connector: &Connector, source_id: &str) -> DocumentRow {
    let store = connector.store().await;
    let mut found = store.find_documents(source_id).await.expect("the store reads");
    found.retain(|row| row.source_id == source_id);
    assert_eq!(found.len(), 1, "{source_id}");
    found.remove(0)
}

pub async fn by_hand(flow: &Flow, id: &str, change: HandChange<'_>) {
    let document = flow.document(id).await;
    let (kind, number) = (document.visma_type.unwrap(), document.visma_number.unwrap());
    assert!(flow.sandbox.visma().change_by_hand(&kind, &number, change));
}

/// Type and number of the credit note that takes a document back.
pub async fn credit_of(flow: &Flow, id: &str) -> (String, String) {
    let postings = flow.postings(id).await;
    let row = postings.into_iter().find(|row| row.step == Step::TakeBack).expect("it is made");
    (row.visma_type.expect("its type"), row.visma_number.expect("its number"))
}

pub fn set_status(flow: &Flow, (kind, number): &(String, String), status: &str) {
    assert!(flow.sandbox.visma().change_by_hand(kind, number, HandChange::Status(status)));
}

/// As a person does it: nothing in it tells of this program. Returns its number.
pub async fn key_in(flow: &Flow, mut request: visma::Request) -> String {
    let visma::Body::Json(text) = &request.body else { panic!("an invoice is JSON") };
    let mut body: serde_json::Value = serde_json::from_str(text).expect("JSON");
    body.as_object_mut().expect("an object").remove("note").expect("our key stands in the note");
    request.body = visma::Body::Json(body.to_string());
    let sender = visma::Sender::new(&flow.visma_client());
    let outcome = sender.send(&request, Arc::new(|| true)).await;
    let visma::Outcome::Done { location_key: Some(number), .. } = outcome else {
        panic!("{outcome:?}")
    };
    number
}
