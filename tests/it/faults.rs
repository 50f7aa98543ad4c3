//! Everything goes wrong that can: nothing is lost, nothing doubled, nothing left open.

use crate::flow::Flow;
use crate::stores;
use futures_util::StreamExt;
use ml_connector_sandbox::faults::{Fault, Faults, Level};
use ml_connector_sandbox::{Settings, world};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;
const AT_ONCE: usize = 2;

async fn one(seed: u64, faults: Level) -> Result<u32, String> {
    let settings = Settings {
        world: world::Settings {
            seed,
            documents: 25,
            held_per_mille: 200,
            ..world::Settings::default()
        },
        faults,
        ..Settings::default()
    };
    // Every fourth seed on the other engine.
    let test = if seed % 4 == 0 { stores::postgres().await } else { stores::sqlite() };
    let flow = Flow::start(settings, test).await;
    let report = flow.sync_to_the_end().await;
    let findings = flow.sandbox.report().findings;
    let mut wrong = flow.wrongly_held().await;
    if !findings.is_clean() {
        wrong.push(format!("{findings:#?}"));
    }
    if report.totals.uncertain + report.totals.in_flight > 0 || !report.errors.is_empty() {
        wrong.push(format!("not at its end: {report:?}"));
    }
    flow.assert_trail().await;
    let happened = flow.sandbox.report().visma.faults.values().sum();
    if wrong.is_empty() {
        Ok(happened)
    } else {
        Err(format!("seed {seed}, {faults:?}: {wrong:#?}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_seeds_of_many_faults_lose_and_double_nothing() {
    let results: Vec<_> = futures_util::stream::iter(SEEDS)
        .map(|seed| async move {
            // Without faults the same documents are held: those that were planted.
            one(seed, Level::None).await?;
            one(seed, Level::Many).await
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failed: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failed.is_empty(), "{}", failed.into_iter().cloned().collect::<Vec<_>>().join("\n"));
    let happened: u32 = results.iter().flatten().sum();
    assert!(happened > 20 * 20, "only {happened} faults");
}

/// A row of a good answer carries an error text: a supplier that is there is not taken for
/// missing, and its documents are not held for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supplier_whose_row_came_broken_once_is_read_again() {
    for test in stores::both().await {
        let flow = Flow::start(crate::flow::postable(3, 25), test).await;
        let faults = Faults::default().with(Fault::OkWithErrorInfo, 1000, Some(4));
        flow.sandbox.visma_faults().set(faults);
        let report = flow.sync_to_the_end().await;
        assert_eq!(flow.sandbox.visma_faults().happened()[&Fault::OkWithErrorInfo], 4);
        assert_eq!((report.totals.held, report.totals.in_flight), (0, 0));
        let known = flow.store.suppliers("nordlys").await.unwrap().len();
        assert_eq!(known, flow.sandbox.world().visma_suppliers().len());
        flow.assert_clean();
    }
}
