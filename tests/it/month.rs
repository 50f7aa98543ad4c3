//! A month of a company's purchases with every kind of fault and oddity in it: what must not pass is
//! held under its own name, what waits is posted once its receipt has come, all else passes.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::DocumentState;
use ml_connector_sandbox::world::month::{Outcome, Verdict, kinds_of_faults, kinds_of_oddities};
use std::collections::{BTreeSet, HashMap};

/// Enough for each kind once, and for as many plain ones.
const INVOICES: usize = 250;
/// Rounds after which a month must have come to rest.
const MOST_ROUNDS: usize = 6;

/// Rounds until nothing moves any more: what is in flight then waits for something.
async fn to_rest(flow: &Flow) {
    let mut in_flight = None;
    for _ in 0..MOST_ROUNDS {
        let now = flow.sync().await.totals.in_flight;
        if now == 0 || in_flight == Some(now) {
            return;
        }
        in_flight = Some(now);
    }
    panic!("{in_flight:?} documents are still on their way");
}

/// State and codes of every document, by JAGGAER's id.
async fn outcomes(flow: &Flow) -> HashMap<String, Outcome> {
    let mut codes: HashMap<String, Vec<String>> = HashMap::new();
    for hold in flow.store.holds().await.expect("the store reads") {
        codes.entry(hold.document).or_default().push(hold.code);
    }
    let outcome = |state: DocumentState, codes: Option<Vec<String>>| Outcome {
        state: state.as_str().into(),
        codes: codes.filter(|_| state == DocumentState::Held).unwrap_or_default(),
    };
    let documents = flow.documents().await.into_iter();
    documents
        .map(|document| (document.source_id, outcome(document.state, codes.remove(&document.id))))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_caught_and_nothing_else_is_held() {
    for test in stores::both().await {
        let mut settings = postable(5, INVOICES);
        settings.world.month = true;
        let flow = Flow::start(settings, test).await;
        to_rest(&flow).await;
        let before = outcomes(&flow).await;
        assert!(flow.sandbox.world().deliver_late_receipts() > 0);
        to_rest(&flow).await;
        let after = outcomes(&flow).await;

        let world = flow.sandbox.world();
        let judged = world.judge(&before, &after);
        assert_eq!(
            (judged.missed, judged.wrongly_held),
            (0, 0),
            "{}: {:#?}",
            flow.test.url,
            judged.findings
        );
        // A judgement of nothing finds nothing: every kind was there and was looked at.
        let caught: BTreeSet<&str> = judged
            .by_case
            .iter()
            .filter(|(_, row)| row.caught > 0)
            .map(|(case, _)| *case)
            .collect();
        assert_eq!(caught, kinds_of_faults().collect());
        let passed = |case: &str| judged.by_case.get(case).is_some_and(|row| row.clean > 0);
        assert!(kinds_of_oddities().all(passed));
        for label in world.labels().iter().filter(|of| of.verdict == Verdict::WaitThenPass) {
            assert_eq!(before[&label.source_id].state, "waiting", "{}", label.case);
        }
        // What was posted stands in Visma as its paper says, once, and nothing else does.
        flow.assert_clean();
        flow.assert_trail().await;
    }
}
