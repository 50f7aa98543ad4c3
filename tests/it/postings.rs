//! Every move of a posting, reached by the real flow against a Visma that goes wrong, and read
//! from the audit trail. That all others are refused is told by the table below the state machine.

use crate::connector::{COMPANY, Connector, Options, assert_whole, moves, small_sandbox};
use crate::serve::until;
use crate::stores::{self, TestStore};
use ml_connector::store::{PostingState, Store};
use ml_connector::sync::{RoundReport, Silent, sync};
use ml_connector_sandbox::Sandbox;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::visma::{DocumentKind, HandChange};
use ml_connector_sandbox::world::{Fate, Kind, OrderChange};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const SEED: u64 = 3;
/// More than are written at the same time, so that a fault set at the first write meets others.
const DOCUMENTS: usize = 30;

/// A connector in this process, on both stores in turn.
struct Flow {
    sandbox: Sandbox,
    connector: Connector,
    store: Store,
    _test: TestStore,
}

impl Flow {
    async fn new(test: TestStore, options: &Options) -> Self {
        let sandbox = small_sandbox(DOCUMENTS, SEED, true).await;
        let connector = Connector::new(&sandbox, &test.url, options);
        let store = connector.store().await;
        Self { sandbox, connector, store, _test: test }
    }

    /// One of these faults happens to so many calls, and no other.
    fn fault(&self, fault: Fault, at_most: u32) {
        let faults = Faults { per_write: 9, ..Faults::default() };
        self.sandbox.visma_faults().set(faults.with(fault, 1000, Some(at_most)));
    }

    /// A round in which the fault begins with the first write: the lists are read without it.
    async fn round_with_fault_in_writes(&self, fault: Fault, at_most: u32) {
        let visma = self.sandbox.visma();
        let meet = async {
            while visma.calls().writes == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.fault(fault, at_most);
        };
        tokio::join!(meet, self.round());
        let happened = self.sandbox.report().visma.faults.get(&fault).copied();
        assert!(happened > Some(0), "{fault:?}: {happened:?}");
    }

    async fn round(&self) -> RoundReport {
        let (_stop, stopping) = watch::channel(false);
        let config = self.connector.config();
        sync(&self.store, &config, None, Arc::new(Silent), stopping).await.expect("a round")
    }

    async fn moves(&self) -> BTreeSet<(String, String, String)> {
        moves(&self.store).await
    }

    async fn assert_moved(&self, wanted: &[(&str, &str, &str)]) {
        let moves = self.moves().await;
        for (step, from, to) in wanted {
            let one = ((*step).to_owned(), (*from).to_owned(), (*to).to_owned());
            assert!(moves.contains(&one), "no {step} {from} -> {to} in {moves:#?}");
        }
    }

    async fn assert_whole(&self, what: &str) {
        for _ in 0..4 {
            if self.round().await.totals.in_flight == 0 {
                break;
            }
        }
        assert_whole(&self.sandbox, &self.connector, what).await;
    }
}

async fn on_both(options: Options, story: impl AsyncFn(Flow)) {
    for test in stores::both().await {
        story(Flow::new(test, &options).await).await;
    }
}

#[tokio::test]
async fn the_straight_way_of_every_step() {
    on_both(Options { mode: "released", ..Options::default() }, async |flow| {
        flow.round().await;
        let world = flow.sandbox.world();
        let mut orders = world.expectations();
        orders.retain(|one| one.kind == Kind::PurchaseOrder && matches!(one.fate, Fate::Posted(_)));
        let change = OrderChange::Quantity { line: 0, quantity: 77.into() };
        assert!(world.change_order(&orders[0].source_id, &change));
        assert!(world.cancel_order(&orders[1].source_id));
        flow.round().await;
        for step in ["create", "update", "cancel", "attach"] {
            flow.assert_moved(&[
                (step, "planned", "intended"),
                (step, "intended", "done"),
                (step, "done", "verified"),
            ])
            .await;
        }
        // A release is a job in the background.
        flow.assert_moved(&[
            ("release", "planned", "intended"),
            ("release", "intended", "accepted"),
            ("release", "accepted", "done"),
            ("release", "done", "verified"),
        ])
        .await;
        flow.assert_whole("the straight way").await;
    })
    .await;
}

#[tokio::test]
async fn what_never_left_is_planned_again() {
    for fault in [Fault::RateLimited, Fault::UnauthorizedOnce] {
        let flow = Flow::new(stores::sqlite(), &Options::default()).await;
        flow.round_with_fault_in_writes(fault, 12).await;
        flow.assert_moved(&[("create", "intended", "planned")]).await;
        flow.assert_whole(&format!("{fault:?}")).await;
        let again = flow.moves().await;
        assert!(again.iter().all(|(_, _, to)| to != "uncertain"), "{fault:?}: {again:?}");
    }
}

/// Somebody saves the order just before the change of it arrives.
#[tokio::test]
async fn what_changed_meanwhile_is_planned_again() {
    on_both(Options::default(), async |flow| {
        flow.round().await;
        let orders = flow.sandbox.world().expectations();
        let order = orders
            .iter()
            .find(|one| one.kind == Kind::PurchaseOrder && matches!(one.fate, Fate::Posted(_)))
            .unwrap();
        let change = OrderChange::Quantity { line: 0, quantity: 77.into() };
        assert!(flow.sandbox.world().change_order(&order.source_id, &change));
        flow.fault(Fault::PreconditionFailed, 2);
        flow.round().await;
        flow.assert_moved(&[("update", "intended", "planned"), ("update", "intended", "done")])
            .await;
        flow.assert_whole("a conflict").await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_asking() {
    on_both(Options { mode: "released", ..Options::default() }, async |flow| {
        flow.fault(Fault::LostAnswerAfterCommit, 1000);
        for _ in 0..3 {
            flow.round().await;
        }
        for step in ["create", "attach"] {
            flow.assert_moved(&[(step, "intended", "uncertain"), (step, "uncertain", "done")])
                .await;
        }
        flow.assert_whole("lost answers").await;
        let moves = flow.moves().await;
        assert!(!moves.contains(&("create".into(), "uncertain".into(), "planned".into())));
    })
    .await;
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_after_it_was_looked_for() {
    on_both(Options { mode: "released", ..Options::default() }, async |flow| {
        flow.fault(Fault::DropBeforeCommit, 12);
        flow.round().await;
        flow.assert_moved(&[
            ("create", "intended", "uncertain"),
            ("create", "uncertain", "uncertain"),
            ("create", "uncertain", "planned"),
            ("create", "intended", "done"),
        ])
        .await;
        flow.assert_whole("writes that never arrived").await;
    })
    .await;
}

#[tokio::test]
async fn a_refusal_holds_the_document_and_release_goes_on() {
    on_both(Options::default(), async |flow| {
        flow.round_with_fault_in_writes(Fault::Forbidden, 2).await;
        flow.assert_moved(&[("create", "intended", "refused")]).await;
        let refused = flow.store.postings_in(COMPANY, PostingState::Refused).await.unwrap();
        assert!(!refused.is_empty());
        for row in &refused {
            let holds = flow.store.holds_of(&row.document).await.unwrap();
            assert_eq!(holds.len(), 1, "{holds:?}");
            let released =
                flow.connector.run(&["release", &row.document, "--reason", "right again"]).await;
            assert!(matches!(released.code(), Some(0 | 3)), "{released:#?}");
        }
        flow.assert_whole("refused once").await;
        flow.assert_moved(&[("", "held", "ready")]).await;
    })
    .await;
}

/// No answer comes at all, as often as it is tried: a person must look.
#[tokio::test]
async fn what_cannot_be_settled_is_held() {
    on_both(Options { attempts: 2, ..Options::default() }, async |flow| {
        flow.fault(Fault::DropBeforeCommit, 100_000);
        for _ in 0..3 {
            flow.round().await;
        }
        flow.assert_moved(&[("create", "uncertain", "held")]).await;
        let held = flow.store.postings_in(COMPANY, PostingState::Held).await.unwrap();
        assert!(!held.is_empty());
        for row in &held {
            assert_eq!(row.attempts, 2);
            assert!(!flow.store.holds_of(&row.document).await.unwrap().is_empty());
        }
        // Visma answers again: each is looked for before it is sent again.
        flow.sandbox.visma_faults().set(Faults::default());
        for row in &held {
            let run =
                flow.connector.run(&["release", &row.document, "--reason", "it answers"]).await;
            assert!(matches!(run.code(), Some(0 | 3)), "{run:#?}");
        }
        flow.assert_whole("after Visma was away").await;
    })
    .await;
}

/// A person takes an invoice back between its release and the comparing, and later lets it go.
#[tokio::test]
async fn what_stands_otherwise_is_told_until_it_is_right() {
    on_both(Options { mode: "released", ..Options::default() }, async |flow| {
        let visma = flow.sandbox.visma();
        let meddle = async {
            loop {
                let released = visma.documents().into_iter().find(|one| {
                    one.document.kind == DocumentKind::Invoice && !one.keyed && one.status == "Open"
                });
                if let Some(released) = released {
                    let number = released.number.rsplit(' ').next().unwrap().to_owned();
                    let status = HandChange::Status("Balanced");
                    assert!(visma.change_by_hand("Invoice", &number, status), "{number}");
                    return number;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (number, _) = tokio::join!(meddle, flow.round());
        // Visma gets its time: what it answered may be on its way.
        until("the release without effect is told", || async {
            flow.round().await;
            flow.store.attention_count().await.unwrap() > 0
        })
        .await;
        flow.assert_moved(&[("release", "done", "refused")]).await;
        assert_eq!(flow.store.attention_count().await.unwrap(), 1);
        assert!(visma.change_by_hand("Invoice", &number, HandChange::Status("Open")));
        flow.round().await;
        flow.assert_moved(&[("release", "refused", "done"), ("release", "done", "verified")]).await;
        assert_eq!(flow.store.attention_count().await.unwrap(), 0);
        flow.assert_whole("right again").await;
    })
    .await;
}

/// The job says `Started` and nothing more: the invoice itself tells whether it was released.
#[tokio::test]
async fn a_job_that_falls_silent_is_looked_at_until_it_speaks() {
    on_both(Options { mode: "released", ..Options::default() }, async |flow| {
        let faults = Faults { silence_milliseconds: Some(2_500), ..Faults::default() };
        flow.sandbox.visma_faults().set(faults.with(Fault::SilenceWithoutWork, 1000, Some(4)));
        flow.round().await;
        flow.assert_moved(&[("release", "intended", "accepted"), ("release", "accepted", "done")])
            .await;
        flow.assert_whole("silent jobs").await;
    })
    .await;
}
