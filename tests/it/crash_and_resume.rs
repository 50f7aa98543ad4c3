//! The program dies at every named point, again while it recovers, and is started until it is
//! done: nothing is lost, nothing doubled, and the trail verifies.

use crate::connector::{Connector, Options, assert_whole, moves, small_sandbox};
use crate::corrections;
use crate::stores::{self, TestStore};
use futures_util::StreamExt;
use ml_connector::sync::CrashPoint;
use ml_connector_sandbox::Sandbox;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::world::{Fate, Kind, OrderChange};
use std::collections::{BTreeMap, BTreeSet};

/// Orders, and as many invoices.
const DOCUMENTS: usize = 20;
const SEED: u64 = 11;
/// Scenarios under way at a time. On PostgreSQL a started process mostly waits for the lease of
/// the dead one.
const AT_ONCE: usize = 3;
const AT_ONCE_WAITING: usize = 6;
/// Nothing in a small world is passed so often in one run.
const MOST_RUNS: u32 = 80;

/// All but those of a correction, which has a scenario of its own.
fn points() -> Vec<CrashPoint> {
    let all = CrashPoint::ALL.iter().copied();
    all.filter(|point| !corrections::POINTS.contains(point)).collect()
}

/// What stands in Visma in the end: documents by type and status, and files.
type Standing = (BTreeMap<String, usize>, usize);

fn standing(sandbox: &Sandbox) -> Standing {
    let report = sandbox.report();
    (report.visma.made, report.visma.attachments)
}

/// The answers of two writes get lost, so that every run has something to settle.
fn lose_two_answers(sandbox: &Sandbox) {
    sandbox.visma_faults().set(Faults::default().with(Fault::LostAnswerAfterCommit, 300, Some(2)));
}

/// Change orders, cancelled orders, changed invoices (unless released), and new documents.
fn change_world(sandbox: &Sandbox, mode: &str) {
    let world = sandbox.world();
    let mut posted = world.expectations();
    posted.retain(|one| matches!(one.fate, Fate::Posted(_)));
    let orders = posted.iter().filter(|one| one.kind == Kind::PurchaseOrder);
    for (n, order) in orders.enumerate().take(8) {
        let id = &order.source_id;
        let done = match n % 3 {
            0 => world.change_order(id, &OrderChange::Quantity { line: 0, quantity: 77.into() }),
            1 => world.change_order(id, &OrderChange::Price { line: 0, price: 12.into() }),
            _ => world.cancel_order(id),
        };
        assert!(done, "{id}");
    }
    if mode == "hold" {
        let invoices = posted.iter().filter(|one| one.kind == Kind::SupplierInvoice);
        for invoice in invoices.take(4) {
            assert!(world.change_invoice_amount(&invoice.source_id, 345.into()));
        }
    }
    more_work(sandbox);
}

fn more_work(sandbox: &Sandbox) {
    let world = sandbox.world();
    let vendor = world
        .vendors()
        .iter()
        .position(|vendor| vendor.visma.is_some())
        .expect("a vendor that is in Visma");
    for _ in 0..3 {
        let order = world.add_order(vendor);
        world.add_invoice(&order).expect("the order is there");
    }
}

struct Scenario {
    sandbox: Sandbox,
    connector: Connector,
    what: String,
    _store: TestStore,
}

impl Scenario {
    async fn new(store: TestStore, mode: &'static str, what: String) -> Self {
        let sandbox = small_sandbox(DOCUMENTS, SEED, true).await;
        let options = Options { mode, ..Options::default() };
        let connector = Connector::new(&sandbox, &store.url, &options);
        Self { sandbox, connector, what, _store: store }
    }

    /// The first process dies at the point or, when that lies on the way of a recovery only, in
    /// the middle of a write; the second at the point for certain; two more while they recover.
    async fn die_and_recover(&self, point: CrashPoint) {
        lose_two_answers(&self.sandbox);
        let name = point.name();
        for points in [
            format!("{name},post.answered"),
            name.to_owned(),
            // The last of each list is passed by every run, so that each of them dies for certain.
            format!("recover.intended,settle.found,{name}:2,index.watermark_moved:3"),
            format!("settle.kept,{name}:2,receive.before_watermark"),
        ] {
            let run = self.connector.sync_dying_at(&points).await;
            assert!(run.is_aborted(), "{}: no process passes {points}: {run:#?}", self.what);
        }
    }

    async fn done(&self, expected: &Standing) {
        self.connector.sync_until_done(&self.what).await;
        assert_whole(&self.sandbox, &self.connector, &self.what).await;
        assert_eq!(&standing(&self.sandbox), expected, "{}", self.what);
    }
}

/// What each of the two rounds leaves in Visma when nobody dies.
async fn undisturbed(mode: &'static str) -> [Standing; 2] {
    let scenario = Scenario::new(stores::sqlite(), mode, format!("undisturbed, {mode}")).await;
    let mut both = Vec::new();
    for round in 0..2 {
        if round == 1 {
            change_world(&scenario.sandbox, mode);
        }
        scenario.connector.sync_until_done(&scenario.what).await;
        assert_whole(&scenario.sandbox, &scenario.connector, &scenario.what).await;
        both.push(standing(&scenario.sandbox));
    }
    // A world in which a kind of write does not happen would prove nothing about it.
    let done: BTreeSet<String> = moves(&scenario.connector.store().await)
        .await
        .into_iter()
        .filter(|(_, from, to)| from == "intended" && matches!(to.as_str(), "done" | "accepted"))
        .map(|(step, _, _)| step)
        .collect();
    let last = if mode == "released" { "release" } else { "update" };
    for step in ["create", "update", "cancel", "attach", last] {
        assert!(done.contains(step), "{mode}: {done:?}");
    }
    both.try_into().expect("two rounds")
}

/// A first round and one of changes, both with four deaths, at every point.
async fn every_point(store: impl AsyncFn() -> TestStore, modes: [&'static str; 2], at_once: usize) {
    let expected = [undisturbed(modes[0]).await, undisturbed(modes[1]).await];
    futures_util::stream::iter(points().into_iter().enumerate())
        .for_each_concurrent(at_once, async |(n, point)| {
            let (mode, expected) = (modes[n % 2], &expected[n % 2]);
            let what = format!("{}, {mode}", point.name());
            let scenario = Scenario::new(store().await, mode, what).await;
            scenario.die_and_recover(point).await;
            scenario.done(&expected[0]).await;
            change_world(&scenario.sandbox, mode);
            scenario.die_and_recover(point).await;
            scenario.done(&expected[1]).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_at_every_point_loses_and_doubles_nothing_on_sqlite() {
    every_point(async || stores::sqlite(), ["released", "hold"], AT_ONCE).await;
}

/// The modes the other way round: over both stores every point is passed in both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_at_every_point_loses_and_doubles_nothing_on_postgres() {
    every_point(stores::postgres, ["hold", "released"], AT_ONCE_WAITING).await;
}

/// The first process dies at the first pass of the point, the next at the second, and so on: each
/// gets a little further, and one comes to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn death_at_every_pass_of_every_point_loses_and_doubles_nothing() {
    let expected = undisturbed("released").await;
    futures_util::stream::iter(points())
        .for_each_concurrent(AT_ONCE, async |point| {
            let what = format!("dying at every pass of {}", point.name());
            let scenario = Scenario::new(stores::sqlite(), "released", what).await;
            lose_two_answers(&scenario.sandbox);
            for pass in 1.. {
                assert!(pass < MOST_RUNS, "{}: no end", scenario.what);
                let points = format!("{}:{pass}", point.name());
                let run = scenario.connector.sync_dying_at(&points).await;
                if !run.is_aborted() {
                    break;
                }
            }
            scenario.done(&expected[0]).await;
        })
        .await;
}
