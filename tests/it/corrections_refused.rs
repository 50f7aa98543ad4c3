//! Corrections that something stops, at each step: nothing is half done without being told, and where they
//! go on they end with one credit note and one new invoice.

use crate::corrections::{
    ask, assert_three, by_hand, changed_after_release, credit_of, key_in, of_number, set_status,
};
use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::procurement::{ErpInvoice, InvoiceKind, InvoicePlan, Plan, PostingMode};
use ml_connector::store::{DocumentState, LedgerState, Step};
use ml_connector::sync::ManualVerb;
use ml_connector::visma;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::visma::{HandChange, HeldDocument};
use ml_connector_sandbox::world::{Fate, Kind};

/// What the document was posted by, and stands in Visma as.
async fn applied(flow: &Flow, id: &str) -> InvoicePlan {
    let text = flow.document(id).await.applied_plan.expect("it was posted");
    match serde_json::from_str(&text).expect("a plan") {
        Plan::Invoice(plan) => plan,
        Plan::Order(_) => panic!("an order"),
    }
}

async fn numbered(flow: &Flow, id: &str) -> Vec<HeldDocument> {
    let reference = flow.document(id).await.reference.expect("an invoice has one");
    of_number(flow.sandbox.visma(), &reference)
}

/// Held as not to be corrected, in these words, and nothing was sent.
async fn assert_not_correctable(flow: &Flow, id: &str, words: &str) {
    let writes = flow.writes();
    ask(flow, id).await;
    flow.sync().await;
    let holds = flow.holds(id).await;
    assert_eq!((holds.len(), holds[0].code.as_str()), (1, "not_correctable"), "{holds:?}");
    assert!(holds[0].text.contains(words), "{holds:?}");
    assert_eq!(flow.writes(), writes, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_in_part_is_not_taken_back() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(41, 3), test).await;
        by_hand(&flow, &id, HandChange::PaidInPart(100)).await;
        assert_not_correctable(&flow, &id, "paid or credited in part").await;
        let (shown, _) = flow.run_json(&["replay", &id, "--correct"]).await;
        let why = shown["correction"]["why_not"].as_str().unwrap_or_default();
        assert!(why.contains("paid or credited in part"), "{shown}");
    }
}

/// The list does not show the payment yet; the invoice itself, read before the credit note is sent, does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_the_list_does_not_show_is_seen_at_the_last_look() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(42, 3), test).await;
        let hidden = Faults {
            visible_after_calls: 10_000,
            visible_after_milliseconds: 600_000,
            ..Faults::default()
        };
        flow.sandbox.visma_faults().set(hidden.with(Fault::DelayedVisibility, 1000, None));
        by_hand(&flow, &id, HandChange::PaidInPart(100)).await;
        let (shown, _) = flow.run_json(&["replay", &id, "--correct"]).await;
        assert!(shown["correction"]["credit_note"].is_object(), "the index is behind: {shown}");
        assert_not_correctable(&flow, &id, "paid or credited in part").await;
    }
}

/// A person's own credit note, not applied to the invoice yet, leaves its balance as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_credited_by_hand_is_not_credited_again() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(43, 3), test).await;
        let credit = InvoicePlan { kind: InvoiceKind::CreditNote, ..applied(&flow, &id).await };
        let number = key_in(&flow, visma::create_invoice(&credit, "nobody")).await;
        flow.sync().await;
        assert_not_correctable(&flow, &id, "a person keyed in DebitAdj").await;
        let key = ("DebitAdj".to_owned(), number);
        set_status(&flow, &key, "Voided");
        flow.sync().await;
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_from_jaggaer_is_not_taken_back() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(21, 40), test).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Released;
        flow.sync().await;
        let id = flow.to_post(Kind::CreditNote).remove(0);
        assert_eq!(flow.in_visma(&id).await.status, "Open");
        assert!(flow.sandbox.world().change_invoice_amount(&id, 1.into()));
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["changed_after_posting"]);
        assert_not_correctable(&flow, &id, "it is a credit note itself").await;
    }
}

/// A deleted draft leaves no trace in any list: the credit note is asked for by its number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_that_is_deleted_is_told_and_can_be_made_again() {
    for test in stores::both().await {
        let (mut flow, id) = changed_after_release(postable(44, 3), test).await;
        let old = flow.in_visma(&id).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Balanced;
        flow.config.timing.settle_after_seconds = 0;
        ask(&flow, &id).await;
        flow.sync().await;
        let (kind, number) = credit_of(&flow, &id).await;
        assert!(flow.sandbox.visma().change_by_hand(&kind, &number, HandChange::Deleted));
        flow.sync().await;
        let holds = flow.holds(&id).await;
        assert_eq!((holds.len(), holds[0].code.as_str()), (1, "not_correctable"), "{holds:?}");
        assert!(holds[0].text.contains("was deleted or voided"), "{holds:?}");
        assert_eq!(numbered(&flow, &id).await.len(), 1);
        ask(&flow, &id).await;
        flow.sync().await;
        let again = credit_of(&flow, &id).await;
        assert_ne!(again.1, number);
        set_status(&flow, &again, "Open");
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_three(&numbered(&flow, &id).await, &old, &flow.test.url);
    }
}

/// Visma refuses one number of a supplier twice. First the credit note's, which another has: nothing is
/// changed. Then the new invoice's, which the old one has: that is told until a person settled it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_visma_refuses_holds_each_step_with_its_words() {
    for test in stores::both().await {
        let mut settings = postable(45, 3);
        settings.visma.refuse_repeated_reference = true;
        let (flow, id) = changed_after_release(settings, test).await;
        let credit = InvoicePlan { kind: InvoiceKind::CreditNote, ..applied(&flow, &id).await };
        // Of another installation of this program.
        let other = visma::create_invoice(&credit, "zzzzzzzzzzzzzzzzzzzz");
        let sender = visma::Sender::new(&flow.visma_client());
        let done = sender.send(&other, std::sync::Arc::new(|| true)).await;
        let visma::Outcome::Done { location_key: Some(number), .. } = done else {
            panic!("{done:?}")
        };
        ask(&flow, &id).await;
        flow.sync().await;
        let holds = flow.holds(&id).await;
        assert_eq!((holds.len(), holds[0].code.as_str()), (1, "not_correctable"), "{holds:?}");
        let words = "Visma refused the credit note: Error: The supplier reference has been used";
        assert!(holds[0].text.contains(words), "{holds:?}");
        assert_eq!(numbered(&flow, &id).await.len(), 2, "the old one and that of the other");

        set_status(&flow, &("DebitAdj".into(), number), "Voided");
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        let holds = flow.holds(&id).await;
        assert_eq!((holds.len(), holds[0].code.as_str()), (1, "refused_by_visma"), "{holds:?}");
        assert!(holds[0].text.contains("was taken back by a credit note"), "{holds:?}");
        assert!(holds[0].fix.contains("allow numbers twice"), "{holds:?}");
        let attention = flow.document(&id).await.attention.unwrap_or_default();
        assert!(attention.contains("nothing is owed there"), "{attention}");
        let held = numbered(&flow, &id).await;
        assert_eq!(held.len(), 2, "{held:#?}");
        // Each round says the same, and sends nothing more.
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        // As it would be with a company that allows them: the old number is free.
        let old = held.iter().find(|one| !one.number.starts_with("DebitAdj")).expect("it stands");
        let number = old.number.split(' ').next_back().expect("a number").to_owned();
        set_status(&flow, &("Invoice".into(), number), "Voided");
        flow.ask(ManualVerb::Release, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.document(&id).await.attention, None);
        flow.assert_trail().await;
    }
}

/// While the credit note waits for its release, JAGGAER cancels the invoice: it is taken back, and that is all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_in_jaggaer_meanwhile_it_is_taken_back_and_nothing_follows() {
    for test in stores::both().await {
        let (mut flow, id) = changed_after_release(postable(46, 3), test).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Balanced;
        ask(&flow, &id).await;
        flow.sync().await;
        let credit = credit_of(&flow, &id).await;
        assert!(flow.sandbox.world().edit_invoice(&id, |invoice| {
            invoice.workflow = "Cancelled".into();
            invoice.record.fate = Fate::Ignored;
        }));
        flow.sync().await;
        assert_eq!(
            flow.state(&id).await,
            DocumentState::Posting,
            "what was begun comes to its end"
        );
        set_status(&flow, &credit, "Open");
        flow.sync_to_the_end().await;
        let after = flow.document(&id).await;
        assert_eq!((after.state, after.attention), (DocumentState::Cancelled, None));
        assert_eq!(numbered(&flow, &id).await.len(), 2);
        flow.assert_trail().await;
    }
}

/// A revision that may not be posted comes while the credit note waits: the document is held for that, and
/// that nothing is owed meanwhile is told until the new invoice stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_is_held_meanwhile_is_held_when_the_old_one_is_gone() {
    for test in stores::both().await {
        let (mut flow, id) = changed_after_release(postable(47, 3), test).await;
        let old = flow.in_visma(&id).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Balanced;
        ask(&flow, &id).await;
        flow.sync().await;
        let credit = credit_of(&flow, &id).await;
        let account = flow.sandbox.world().invoice(&id).expect("it is there").lines[0].shares[0]
            .account
            .clone();
        let spoil = |to: &str| {
            let to = to.to_owned();
            flow.sandbox
                .world()
                .edit_invoice(&id, move |invoice| invoice.lines[0].shares[0].account = to)
        };
        assert!(spoil("999999"));
        flow.sync().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posting);
        set_status(&flow, &credit, "Open");
        flow.sync_to_the_end().await;
        let held = flow.document(&id).await;
        assert_eq!(held.state, DocumentState::Held);
        assert!(!flow.codes(&id).await.contains(&"changed_after_posting".to_owned()));
        let attention = held.attention.unwrap_or_default();
        assert!(attention.contains("nothing is owed there"), "{attention}");
        assert!(spoil(&account));
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.document(&id).await.attention, None);
        assert_three(&numbered(&flow, &id).await, &old, &flow.test.url);
    }
}

/// Two people ask for it, before it is begun, while it is under way, and after: it is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_for_by_two_people_it_is_done_once() {
    for test in stores::both().await {
        let (mut flow, id) = changed_after_release(postable(48, 3), test).await;
        let old = flow.in_visma(&id).await;
        flow.config.connections[0].rules.invoices.mode = PostingMode::Balanced;
        ask(&flow, &id).await;
        ask(&flow, &id).await;
        flow.sync().await;
        ask(&flow, &id).await;
        flow.sync().await;
        set_status(&flow, &credit_of(&flow, &id).await, "Open");
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.state(&id).await, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        assert_eq!(flow.document(&id).await.corrections, 1);
        assert_three(&numbered(&flow, &id).await, &old, &flow.test.url);
    }
}

/// What was taken back and what took it back are held against the ledger like what stands, told under their
/// own numbers; what cancels out is billed by nobody and looks like nobody's double.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_three_are_held_against_the_ledger_and_only_one_counts() {
    for test in stores::both().await {
        let (mut flow, id) = changed_after_release(postable(49, 3), test).await;
        flow.config.companies[0].ledger_patience_minutes = 0;
        let lines = flow.erp_invoice(&id).await.lines;
        let order = lines.into_iter().find_map(|line| line.order_number);
        let wrong = Faults::default().with(Fault::BatchWrongAccount, 1000, Some(1));
        flow.sandbox.visma_faults().set(wrong);
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        let document = flow.document(&id).await;
        assert_eq!(document.state, DocumentState::Posted, "{:?}", flow.holds(&id).await);
        let of = |checks: &[ml_connector::store::LedgerCheck], state: LedgerState| {
            let mut of: Vec<String> = checks
                .iter()
                .filter(|check| check.state == state)
                .map(|check| format!("{} {}", check.visma_type, check.visma_number))
                .collect();
            of.sort();
            of
        };
        let checks = flow.store.ledger_checks_of(&document.id).await.unwrap();
        let credit = of(&checks, LedgerState::Differs);
        assert_eq!((checks.len(), credit.len()), (3, 1), "{checks:#?}");
        assert!(credit[0].starts_with("DebitAdj "), "{credit:?}");
        let attention = document.attention.clone().unwrap_or_default();
        let words = format!("ledger_differs: The general ledger does not hold {} as", credit[0]);
        assert!(attention.starts_with(&words), "{attention}");
        let (shown, _) = flow.run_json(&["documents", "show", &id]).await;
        let gone = shown["documents"][0]["taken_back"].as_array().cloned().unwrap_or_default();
        assert_eq!(gone.len(), 2, "{shown:#}");
        assert_eq!(gone[1]["ledger"]["state"], "differs", "{gone:?}");

        // A person lets it stand; the others stay as they were found.
        flow.ask(ManualVerb::Release, &id).await;
        let checks = flow.store.ledger_checks_of(&document.id).await.unwrap();
        assert_eq!(of(&checks, LedgerState::Accepted), credit, "{checks:#?}");
        assert_eq!(of(&checks, LedgerState::Verified).len(), 2, "{checks:#?}");
        assert_eq!(flow.document(&id).await.attention, None);

        // Each order line is billed once, by the new invoice.
        let order = order.expect("it bills an order");
        let own = flow.store.own_billing_of_order("nordlys", &order).await.unwrap();
        let erp = flow.store.erp_billing_of_order("nordlys", &order).await.unwrap();
        let numbers: std::collections::BTreeSet<&str> =
            erp.iter().map(|billed| billed.number.as_str()).collect();
        let stands = document.visma_number.as_deref().expect("it stands");
        assert_eq!(numbers.into_iter().collect::<Vec<_>>(), [stands], "{erp:#?}");
        assert!(!own.is_empty());
        assert!(own.iter().all(|billed| billed.visma_number.as_deref() == Some(stands)), "{own:?}");
        flow.assert_trail().await;
    }
}

/// Keys of what was taken back are still ours: a second document under one is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_of_what_was_taken_back_is_told() {
    for test in stores::both().await {
        let (flow, id) = changed_after_release(postable(50, 3), test).await;
        let old: ErpInvoice = flow.erp_invoice(&id).await;
        let plan = applied(&flow, &id).await;
        ask(&flow, &id).await;
        flow.sync_to_the_end().await;
        assert_eq!(flow.document(&id).await.attention, None, "its three documents are no doubles");
        // As a write that was lost on the way and came after all.
        let late = visma::create_invoice(&plan, old.our_key.as_deref().expect("our key"));
        let sender = visma::Sender::new(&flow.visma_client());
        let done = sender.send(&late, std::sync::Arc::new(|| true)).await;
        assert!(matches!(done, visma::Outcome::Done { .. }), "{done:?}");
        flow.sync().await;
        let attention = flow.document(&id).await.attention.unwrap_or_default();
        assert!(attention.starts_with("doubled_in_visma: "), "{attention}");
        assert!(attention.contains(&old.number), "{attention}");
    }
}

/// A store that is put back from before the correction finds both documents by their keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_that_stands_already_is_found_and_not_made_again() {
    let test = stores::sqlite();
    let (flow, id) = changed_after_release(postable(51, 3), test).await;
    let old = flow.in_visma(&id).await;
    let path = flow.test.url.trim_start_matches("sqlite:").to_owned();
    let kept = flow.folder.join("kept.db");
    std::fs::copy(&path, &kept).expect("copied");
    let wal = format!("{path}-wal");
    if std::path::Path::new(&wal).exists() {
        std::fs::copy(&wal, flow.folder.join("kept.db-wal")).expect("copied");
    }
    ask(&flow, &id).await;
    flow.sync_to_the_end().await;
    assert_eq!(flow.state(&id).await, DocumentState::Posted);
    let three = assert_three(&numbered(&flow, &id).await, &old, "before");
    let back = ml_connector::store::Store::open(&format!("sqlite:{}", kept.display()))
        .await
        .expect("the copy opens");
    let writes = flow.writes();
    let document = flow.document(&id).await;
    ml_connector::sync::ask_to_correct(&back, "no", &document.id, "tester", "again").await.unwrap();
    for _ in 0..3 {
        let (_ask, stop) = tokio::sync::watch::channel(false);
        let silent = std::sync::Arc::new(ml_connector::sync::Silent);
        ml_connector::sync::sync(&back, &flow.config, None, silent, stop).await.expect("it runs");
    }
    let again = back.document(&document.id).await.unwrap().expect("it is there");
    assert_eq!(again.state, DocumentState::Posted, "{:?}", back.holds_of(&again.id).await);
    assert_eq!(flow.writes(), writes, "nothing was sent");
    assert_eq!(assert_three(&numbered(&flow, &id).await, &old, "after").number, three.number);
    let steps = back.postings_of(&again.id).await.unwrap();
    assert!(steps.iter().any(|row| row.step == Step::Create), "{steps:?}");
}
