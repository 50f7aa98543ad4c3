//! Everything goes wrong that can: nothing is lost, nothing doubled, nothing left open.

use crate::flow::Flow;
use crate::stores;
use futures_util::StreamExt;
use ml_connector::procurement::PostingMode;
use ml_connector_sandbox::faults::{Fault, Faults, Level};
use ml_connector_sandbox::jaggaer::Profile;
use ml_connector_sandbox::world::{Kind, OrderChange};
use ml_connector_sandbox::{Settings, world};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;
const CHANGING_SEEDS: std::ops::RangeInclusive<u64> = 1..=6;
const AT_ONCE: usize = 2;

/// The seed also says which engine, profile and posting mode.
async fn one(seed: u64, faults: Level) -> Result<u32, String> {
    let released = seed.is_multiple_of(5);
    let settings = Settings {
        world: world::Settings {
            seed,
            documents: 25,
            held_per_mille: 200,
            attachments: released,
            ..world::Settings::default()
        },
        profile: if seed.is_multiple_of(3) { Profile::Observed } else { Profile::Default },
        faults,
        ..Settings::default()
    };
    let test = if seed.is_multiple_of(4) { stores::postgres().await } else { stores::sqlite() };
    let mut flow = Flow::start(settings, test).await;
    if released {
        flow.config.connections[0].rules.invoices.mode = PostingMode::Released;
    }
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

/// Orders and invoices change and are taken back while everything goes wrong.
async fn changing(seed: u64) -> Result<(), String> {
    let settings = Settings {
        profile: if seed.is_multiple_of(3) { Profile::Observed } else { Profile::Default },
        faults: Level::Many,
        ..crate::flow::postable(seed, 12)
    };
    let test = if seed.is_multiple_of(4) { stores::postgres().await } else { stores::sqlite() };
    let flow = Flow::start(settings, test).await;
    let world = flow.sandbox.world();
    let cancelled: Vec<String> = (0..3).map(|_| world.add_order(flow.vendor())).collect();
    flow.sync_to_the_end().await;
    let mut report = Default::default();
    for round in 1..=2 {
        for order in flow.to_post(Kind::PurchaseOrder) {
            if !cancelled.contains(&order) {
                // More than any invoice bills: what is billed over its order is held.
                let quantity = 4_000 + round;
                let change = OrderChange::Quantity { line: 0, quantity: quantity.into() };
                world.change_order(&order, &change);
            }
        }
        for invoice in flow.to_post(Kind::SupplierInvoice) {
            let price = world.invoice(&invoice).unwrap().lines[0].price;
            world.change_invoice_amount(&invoice, price + rust_decimal::Decimal::ONE);
        }
        world.cancel_order(&cancelled[round as usize]);
        report = flow.sync_to_the_end().await;
    }
    flow.assert_trail().await;
    let findings = flow.sandbox.report().findings;
    let mut wrong = Vec::new();
    if !findings.is_clean() {
        wrong.push(format!("{findings:#?}"));
    }
    for hold in flow.store.holds().await.unwrap() {
        wrong.push(format!("{hold:?}"));
    }
    for document in flow.documents().await {
        if let Some(attention) = document.attention {
            wrong.push(attention);
        }
    }
    if report.totals.in_flight > 0 || !report.errors.is_empty() {
        wrong.push(format!("not at its end: {report:?}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("seed {seed}: {wrong:#?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_under_faults_are_applied_once_each() {
    let results: Vec<_> = futures_util::stream::iter(CHANGING_SEEDS)
        .map(changing)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failed: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
