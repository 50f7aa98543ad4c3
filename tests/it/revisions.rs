//! What JAGGAER changes after the first time: applied once each where it matters, never blindly.

use crate::flow::{Flow, postable};
use crate::stores::{self, TestStore};
use ml_connector::store::{DocumentState, Step};
use ml_connector::sync::ManualVerb;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::visma::HandChange;
use ml_connector_sandbox::world::{Fate, OrderChange};
use rust_decimal::Decimal;
use serde_json::Value;

/// A world with one order of three plain lines and an invoice on all of it.
async fn with_an_order(test: TestStore) -> (Flow, String, String) {
    let (flow, order) = with_an_order_only(test).await;
    let invoice = flow.sandbox.world().add_invoice(&order).expect("the order exists");
    (flow, order, invoice)
}

async fn with_an_order_only(test: TestStore) -> (Flow, String) {
    let flow = Flow::start(postable(1, 1), test).await;
    let world = flow.sandbox.world();
    let order = world.add_order(flow.vendor());
    world.edit_order(&order, |order| {
        let line = order.lines[0].clone();
        order.lines = (0..3)
            .map(|n| {
                let mut line = line.clone();
                line.id = format!("{}", 50_000 + n);
                (line.number, line.basis) = (n + 1, Decimal::ONE);
                (line.quantity, line.price) = (Decimal::from(4 + n), Decimal::new(12_550, 2));
                line.shares.truncate(1);
                line.shares[0].percent = Decimal::ONE_HUNDRED;
                line.price_out("NOK");
                line
            })
            .collect();
        order.total_up();
    });
    world.expect_posted(&order);
    (flow, order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_order_is_patched_line_by_line_once() {
    let changes: [(OrderChange, &str, &[&str]); 3] = [
        (
            OrderChange::Quantity { line: 0, quantity: Decimal::from(9) },
            "Update",
            &["orderQty", "unitCost"],
        ),
        (
            OrderChange::Price { line: 1, price: Decimal::new(9_999, 2) },
            "Update",
            &["orderQty", "unitCost"],
        ),
        (OrderChange::CancelLine { line: 2 }, "Delete", &[]),
    ];
    for test in stores::both().await {
        let (flow, order) = with_an_order_only(test).await;
        flow.sync().await;
        for (n, (change, operation, members)) in changes.iter().enumerate() {
            let (posts, puts) = (flow.calls("POST"), flow.calls("PUT"));
            assert!(flow.sandbox.world().change_order(&order, change));
            flow.sync().await;
            flow.assert_clean();
            assert_eq!((flow.calls("POST") - posts, flow.calls("PUT") - puts), (0, 1));
            let bodies = flow.bodies(&order, Step::Update).await;
            assert_eq!(bodies.len(), n + 1);
            let document = flow.document(&order).await;
            let last = flow
                .postings(&order)
                .await
                .into_iter()
                .find(|row| row.step_key == document.latest_revision.to_string())
                .expect("one for this revision");
            let body = patch_of(last.body.as_deref().unwrap());
            let lines = body["lines"].as_array().unwrap();
            assert_eq!(lines.len(), 1, "only the line that changed: {body}");
            assert_eq!(lines[0]["operation"], *operation);
            for member in *members {
                assert!(lines[0].get(*member).is_some(), "{member} in {body}");
            }
            assert_eq!(document.applied_revision, Some(document.latest_revision));
            let writes = flow.writes();
            flow.sync().await;
            assert_eq!(flow.writes(), writes, "once");
        }
        flow.assert_trail().await;
    }
}

fn patch_of(body: &str) -> Value {
    let request: ml_connector::visma::Request = serde_json::from_str(body).expect("a request");
    match request.body {
        ml_connector::visma::Body::Json(text) => serde_json::from_str(&text).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

/// Visma does not let go of a line that an invoice bills: nobody but a person can settle that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_billed_line_that_is_taken_back_is_held_with_vismas_own_words() {
    for test in stores::both().await {
        let (flow, order, _) = with_an_order(test).await;
        flow.sync().await;
        let before = flow.in_visma(&order).await;
        flow.sandbox.world().change_order(&order, &OrderChange::CancelLine { line: 2 });
        let report = flow.sync().await;
        assert_eq!((report.totals.held, report.totals.in_flight), (1, 0));
        assert_eq!(flow.codes(&order).await, ["refused_by_visma"]);
        let hold = flow.holds(&order).await.remove(0);
        assert!(hold.text.contains("received or billed"), "{}", hold.text);
        assert_eq!(flow.in_visma(&order).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_was_only_touched_is_not_written() {
    for test in stores::both().await {
        let (flow, order, invoice) = with_an_order(test).await;
        flow.sync().await;
        let writes = flow.writes();
        let applied = flow.document(&order).await.applied_revision;
        flow.sandbox.world().change_order(&order, &OrderChange::Touch);
        flow.sandbox.world().touch_invoice(&invoice);
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        for id in [&order, &invoice] {
            assert_eq!(flow.state(id).await, DocumentState::Posted);
        }
        // The new stamp is kept all the same: what came is stored before anything else.
        assert_eq!(flow.document(&order).await.latest_revision, 2);
        assert_eq!(flow.document(&order).await.applied_revision, applied);
        flow.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again_is_three_revisions() {
    for test in stores::both().await {
        let (flow, order, invoice) = with_an_order(test).await;
        let world = flow.sandbox.world();
        flow.sync().await;
        let paper = world.invoice(&invoice).unwrap().lines[0].price;
        for (n, quantity) in [(1, 8), (2, 4)] {
            let quantity = Decimal::from(quantity);
            world.change_order(&order, &OrderChange::Quantity { line: 0, quantity });
            world
                .change_invoice_amount(&invoice, if n == 1 { paper + Decimal::TEN } else { paper });
            flow.sync().await;
            flow.assert_clean();
            for id in [&order, &invoice] {
                let document = flow.document(id).await;
                assert_eq!(document.latest_revision, n + 1, "{id}");
                assert_eq!(document.applied_revision, Some(n + 1), "{id}");
                assert_eq!(flow.bodies(id, Step::Update).await.len(), n as usize, "{id}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_revision_that_comes_late_is_recorded_and_not_applied() {
    for test in stores::both().await {
        let (flow, order, _) = with_an_order(test).await;
        let world = flow.sandbox.world();
        let old = world.order(&order).unwrap();
        let quantity = Decimal::from(11);
        world.change_order(&order, &OrderChange::Quantity { line: 0, quantity });
        flow.sync().await;
        flow.assert_clean();
        let writes = flow.writes();
        let new = world.order(&order).unwrap();
        // The list shows the revision before again, under a new stamp.
        world.edit_order(&order, |now| {
            (now.revision, now.lines) = (old.revision, old.lines.clone());
            now.total_up();
        });
        flow.sync().await;
        let document = flow.document(&order).await;
        assert_eq!((document.latest_revision, document.recorded_revision), (1, 2));
        assert_eq!(document.state, DocumentState::Posted);
        assert!(flow.actions(&order).await.contains(&"received_out_of_order".to_owned()));
        assert_eq!(flow.writes(), writes);
        flow.assert_clean();
        // Then the newest again, and one more that is really newer.
        world.edit_order(&order, |now| {
            (now.revision, now.lines) = (new.revision, new.lines.clone());
            now.total_up();
        });
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        let quantity = Decimal::from(12);
        world.change_order(&order, &OrderChange::Quantity { line: 0, quantity });
        flow.sync().await;
        flow.assert_clean();
        assert_eq!(flow.writes(), writes + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_taken_back_before_it_was_posted_never_reaches_visma() {
    for test in stores::both().await {
        let flow = Flow::start(postable(1, 1), test).await;
        let world = flow.sandbox.world();
        let seen_first = world.add_order(flow.vendor());
        world.edit_order(&seen_first, |order| order.status = "PendingApproval".into());
        let never = world.add_order(flow.vendor());
        world.cancel_order(&never);
        let writes_before = flow.to_post(ml_connector_sandbox::world::Kind::PurchaseOrder).len();
        assert!(writes_before >= 1);
        flow.sync().await;
        assert_eq!(flow.state(&seen_first).await, DocumentState::Waiting);
        assert_eq!(flow.state(&never).await, DocumentState::Cancelled);
        world.cancel_order(&seen_first);
        flow.sync().await;
        assert_eq!(flow.state(&seen_first).await, DocumentState::Cancelled);
        for id in [&seen_first, &never] {
            assert!(flow.postings(id).await.is_empty());
        }
        flow.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_taken_back_after_posting_is_closed_in_visma() {
    for test in stores::both().await {
        let flow = Flow::start(postable(1, 1), test).await;
        let world = flow.sandbox.world();
        let order = world.add_order(flow.vendor());
        flow.sync().await;
        assert_eq!(flow.in_visma(&order).await.status, "Hold");
        let number = flow.document(&order).await.visma_number;
        world.cancel_order(&order);
        flow.sync().await;
        assert_eq!(flow.state(&order).await, DocumentState::Cancelled);
        let stands = flow.erp_order(&order).await;
        assert_eq!(Some(stands.number.clone()), number);
        assert!(stands.lines.iter().all(|line| line.completed), "{stands:?}");
        let held = flow.in_visma(&order).await;
        assert_eq!((held.status.as_str(), held.live), ("Cancelled", false));
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_after_release_is_held_and_visma_stays_as_it_is() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        flow.sync().await;
        let number = flow.document(&invoice).await.visma_number.unwrap();
        let visma = flow.sandbox.visma();
        assert!(visma.change_by_hand("Invoice", &number, HandChange::Status("Open")));
        flow.sync().await;
        assert_eq!(flow.state(&invoice).await, DocumentState::Posted);
        let (writes, before) = (flow.writes(), flow.in_visma(&invoice).await);
        let sent = flow.postings(&invoice).await.len();
        let price = flow.sandbox.world().invoice(&invoice).unwrap().lines[0].price + Decimal::ONE;
        flow.sandbox.world().change_invoice_amount(&invoice, price);
        flow.sync().await;
        assert_eq!(flow.codes(&invoice).await, ["changed_after_posting"]);
        let hold = flow.holds(&invoice).await.remove(0);
        assert!(hold.text.contains(&number) && hold.text.contains("Open"), "{}", hold.text);
        // The order's new price, and nothing of the invoice.
        assert_eq!(flow.writes(), writes + 1);
        assert_eq!(flow.postings(&invoice).await.len(), sent);
        assert_eq!(flow.in_visma(&invoice).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_while_the_invoice_is_on_hold_is_carried_over() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        flow.sync().await;
        let posts = flow.calls("POST");
        let price = flow.sandbox.world().invoice(&invoice).unwrap().lines[0].price + Decimal::ONE;
        flow.sandbox.world().change_invoice_amount(&invoice, price);
        flow.sync().await;
        flow.assert_clean();
        assert_eq!(flow.state(&invoice).await, DocumentState::Posted);
        assert_eq!(flow.calls("POST"), posts);
        let patch = flow.bodies(&invoice, Step::Update).await.remove(0);
        assert_eq!(patch["invoiceLines"].as_array().unwrap().len(), 1, "{patch}");
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
    }
}

/// JAGGAER moves an invoice on when it is handed over and when it is paid: that is no change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_that_jaggaer_moves_on_stays_posted_without_alarm() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        flow.sync().await;
        let writes = flow.writes();
        for word in ["InProcess", "Paid"] {
            flow.sandbox.world().edit_invoice(&invoice, |invoice| invoice.payment = word.into());
            let report = flow.sync().await;
            let document = flow.document(&invoice).await;
            assert_eq!((document.state, document.attention), (DocumentState::Posted, None));
            assert!(flow.codes(&invoice).await.is_empty());
            assert_eq!((report.totals.held, report.totals.in_flight), (0, 0), "{word}");
        }
        assert_eq!(flow.writes(), writes);
        flow.assert_clean();
    }
}

/// Somebody works in Visma at the same moment: our change is made anew on what they left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_somebody_else_got_in_before_is_applied_to_the_fresh_version() {
    for test in stores::both().await {
        let (flow, order, _) = with_an_order(test).await;
        flow.sync().await;
        let faults = Faults { per_write: 9, ..Faults::default() };
        flow.sandbox.visma_faults().set(faults.with(Fault::PreconditionFailed, 1000, Some(2)));
        let quantity = Decimal::from(10);
        flow.sandbox.world().change_order(&order, &OrderChange::Quantity { line: 0, quantity });
        flow.sync_to_the_end().await;
        flow.assert_clean();
        assert_eq!(flow.sandbox.visma_faults().happened()[&Fault::PreconditionFailed], 2);
        assert_eq!(flow.state(&order).await, DocumentState::Posted);
        let updates: Vec<i64> = flow
            .postings(&order)
            .await
            .into_iter()
            .filter(|row| row.step == Step::Update)
            .map(|row| row.attempts)
            .collect();
        assert_eq!(updates, [3]);
    }
}

/// The change comes a third time, a fourth, ...: then a person must look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_never_gets_in_is_held_in_the_end() {
    for test in stores::both().await {
        let (flow, order, _) = with_an_order(test).await;
        flow.sync().await;
        let faults = Faults { per_write: 99, ..Faults::default() };
        flow.sandbox.visma_faults().set(faults.with(Fault::PreconditionFailed, 1000, None));
        let quantity = Decimal::from(10);
        flow.sandbox.world().change_order(&order, &OrderChange::Quantity { line: 0, quantity });
        flow.sync_to_the_end().await;
        assert_eq!(flow.codes(&order).await, ["changed_in_visma"]);
        // At rest again, a person releases it.
        flow.sandbox.visma_faults().set(Faults::default());
        flow.ask(ManualVerb::Release, &order).await;
        assert_eq!(flow.state(&order).await, DocumentState::Posted);
        flow.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_taken_back_is_cancelled_before_posting_and_held_after() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        let world = flow.sandbox.world();
        let other = world.add_order(flow.vendor());
        let never = world.add_invoice(&other).unwrap();
        let cancel = |id: &str| {
            world.edit_invoice(id, |invoice| {
                invoice.workflow = "Cancelled".into();
                invoice.record.fate = Fate::Ignored;
            })
        };
        cancel(&never);
        flow.sync().await;
        flow.assert_clean();
        assert_eq!(flow.state(&never).await, DocumentState::Cancelled);
        assert!(flow.postings(&never).await.is_empty());
        let (writes, stands) = (flow.writes(), flow.in_visma(&invoice).await);
        cancel(&invoice);
        flow.sync().await;
        assert_eq!(flow.codes(&invoice).await, ["not_cancellable"]);
        assert_eq!((flow.writes(), flow.in_visma(&invoice).await), (writes, stands));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_with_every_line_taken_back_is_taken_back() {
    for test in stores::both().await {
        let (flow, order) = with_an_order_only(test).await;
        flow.sync().await;
        for line in 0..3 {
            flow.sandbox.world().change_order(&order, &OrderChange::CancelLine { line });
        }
        flow.sync().await;
        assert_eq!(flow.state(&order).await, DocumentState::Cancelled);
        let held = flow.in_visma(&order).await;
        assert_eq!((held.status.as_str(), held.live), ("Cancelled", false));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_comes_back_after_it_was_taken_back_is_held() {
    for test in stores::both().await {
        let (flow, order) = with_an_order_only(test).await;
        let world = flow.sandbox.world();
        flow.sync().await;
        world.cancel_order(&order);
        flow.sync().await;
        assert_eq!(flow.state(&order).await, DocumentState::Cancelled);
        world.edit_order(&order, |order| {
            order.revision += 1;
            order.status = "Sent".into();
        });
        let (writes, report) = (flow.writes(), flow.sync().await);
        assert_eq!(report.totals.in_flight, 0);
        // Visma does not take a closed order back: a person must know.
        assert_eq!(flow.codes(&order).await, ["changed_after_posting"]);
        assert_eq!(flow.writes(), writes);
        // Taken back once more, it is as it was.
        world.cancel_order(&order);
        flow.sync().await;
        assert_eq!(flow.state(&order).await, DocumentState::Cancelled);
        assert_eq!(flow.writes(), writes);
        flow.assert_clean();
    }
}

/// A period closes, a mapping goes: what was posted before and is now paid is no worry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_that_is_paid_is_not_held_for_what_would_stop_it_today() {
    for test in stores::both().await {
        let (mut flow, _, invoice) = with_an_order(test).await;
        flow.sync().await;
        flow.config.connections[0].rules.mapping.branches.table.clear();
        flow.sandbox.world().edit_invoice(&invoice, |invoice| invoice.payment = "Paid".into());
        flow.sync().await;
        assert_eq!(flow.codes(&invoice).await, Vec::<String>::new());
        assert_eq!(flow.state(&invoice).await, DocumentState::Posted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_not_passed_over_because_the_status_moved_with_it() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        flow.sync().await;
        let stands = flow.in_visma(&invoice).await;
        let price = flow.sandbox.world().invoice(&invoice).unwrap().lines[0].price + Decimal::ONE;
        flow.sandbox.world().change_invoice_amount(&invoice, price);
        flow.sandbox.world().edit_invoice(&invoice, |invoice| invoice.payment = "InProcess".into());
        flow.sync().await;
        assert_eq!(flow.in_visma(&invoice).await, stands);
        assert_eq!(flow.codes(&invoice).await, ["status_unknown"]);
    }
}

/// For so long Visma's word that it does not know a document proves nothing.
fn settling(flow: &Flow) -> std::time::Duration {
    std::time::Duration::from_secs(flow.config.timing.settle_after_seconds)
}

/// A person does in Visma what the hold asks for, and releases: the invoice is cancelled. When JAGGAER wants it again,
/// released or not, it is posted anew under another key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_taken_back_in_visma_too_is_cancelled_and_may_come_again() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        let world = flow.sandbox.world();
        flow.sync().await;
        let approved = world.invoice(&invoice).unwrap().workflow;
        let workflow = |to: &str| {
            let to = to.to_owned();
            assert!(world.edit_invoice(&invoice, |invoice| invoice.workflow = to));
        };
        let mut keys = std::collections::BTreeSet::new();
        for (change, releases) in [
            (HandChange::Status("Voided"), true),
            (HandChange::Deleted, true),
            (HandChange::Status("Voided"), false),
            (HandChange::Deleted, false),
        ] {
            let stood = flow.document(&invoice).await;
            assert_eq!(stood.state, DocumentState::Posted, "{change:?}");
            let postings = flow.postings(&invoice).await;
            let create = postings.iter().find(|row| row.step == Step::Create).unwrap();
            assert!(keys.insert(create.our_key.clone()));
            workflow("Cancelled");
            flow.sync().await;
            assert_eq!(flow.codes(&invoice).await, ["not_cancellable"]);
            flow.ask(ManualVerb::Release, &invoice).await;
            assert_eq!(flow.codes(&invoice).await, ["not_cancellable"], "it stands there");

            let (kind, number) = (stood.visma_type.unwrap(), stood.visma_number.unwrap());
            assert!(flow.sandbox.visma().change_by_hand(&kind, &number, change));
            let writes = flow.writes();
            // What was just made may take its time to be seen, so that it is missing proves nothing yet.
            tokio::time::sleep(settling(&flow)).await;
            if releases {
                flow.ask(ManualVerb::Release, &invoice).await;
                assert_eq!(flow.state(&invoice).await, DocumentState::Cancelled, "{change:?}");
                assert_eq!(flow.codes(&invoice).await, Vec::<String>::new());
                flow.sync().await;
                assert_eq!(flow.state(&invoice).await, DocumentState::Cancelled);
                assert_eq!(flow.writes(), writes);
            }
            workflow(&approved);
            flow.sync_to_the_end().await;
            let again = flow.document(&invoice).await;
            assert_eq!(again.state, DocumentState::Posted, "{:?}", flow.holds(&invoice).await);
            assert_ne!(again.visma_number, Some(number));
            assert!(flow.in_visma(&invoice).await.live);
            assert_eq!(flow.writes(), writes + 1, "{change:?}");
        }
        flow.assert_trail().await;
    }
}

/// A person voids or deletes what JAGGAER goes on wanting: nothing is posted again without a person's word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_took_out_of_visma_comes_again_on_a_persons_word_alone() {
    for test in stores::both().await {
        let (flow, _, invoice) = with_an_order(test).await;
        let world = flow.sandbox.world();
        flow.sync().await;
        for (n, change, how) in
            [(1, HandChange::Status("Voided"), "voided"), (2, HandChange::Deleted, "deleted")]
        {
            let stood = flow.document(&invoice).await;
            let (kind, number) = (stood.visma_type.unwrap(), stood.visma_number.unwrap());
            assert!(flow.sandbox.visma().change_by_hand(&kind, &number, change));
            tokio::time::sleep(settling(&flow)).await;
            assert!(world.change_invoice_amount(&invoice, Decimal::from(90 - n)));
            flow.sync().await;
            let writes = flow.writes();
            for _ in 0..2 {
                let holds = flow.holds(&invoice).await;
                assert_eq!(holds.len(), 1, "{holds:?}");
                assert_eq!(holds[0].code, "changed_after_posting");
                assert!(holds[0].text.contains(&format!("{kind} {number}")), "{holds:?}");
                assert!(holds[0].text.contains(how), "{holds:?}");
                flow.ask(ManualVerb::Release, &invoice).await;
            }
            assert_eq!(flow.writes(), writes, "nobody said that it is owed");
            let (shown, _) = flow.run_json(&["replay", &invoice, "--correct"]).await;
            assert_eq!(shown["correction"]["takes_back"], format!("{kind} {number}"), "{shown}");
            assert!(shown["correction"]["credit_note"].is_null(), "{shown}");
            assert_eq!(flow.writes(), writes, "it was shown only");
            let correct = ["replay", &invoice, "--correct", "--apply", "--reason", "it is owed"];
            let (done, _) = flow.run_json(&correct).await;
            flow.sync_to_the_end().await;
            let again = flow.document(&invoice).await;
            assert_eq!(
                again.state,
                DocumentState::Posted,
                "{done} {:?}",
                flow.holds(&invoice).await
            );
            assert_ne!(again.visma_number, Some(number));
            assert!(flow.in_visma(&invoice).await.live);
            assert_eq!(flow.writes(), writes + 1);
        }
        flow.assert_trail().await;
    }
}
