//! Three processes over one PostgreSQL, several units, and everything at once that can befall a process: killed, frozen
//! for longer than its lease, cut from the database in three ways, at moments that a seed chooses, while both systems
//! fail now and then. When all is quiet again nothing is lost and nothing is doubled.

use crate::connector::{Connector, Options, finish_child, signal};
use crate::fleet::{Fleet, serving};
use crate::network::{Cable, cable};
use crate::stores;
use ml_connector::store::Store;
use ml_connector_sandbox::faults::{Faults, Level};
use std::process::Child;
use std::time::{Duration, Instant};

const WORKERS: usize = 3;
/// Their worlds hold nothing that looks like another by chance.
const WORLDS: [u64; 4] = [90, 91, 92, 93];
const EVENTS: usize = 10;
/// Of each sort in each world with each event, so that there is work to be hit.
const NEW: usize = 3;
/// Nobody is kept away for longer: what it had on its way must have arrived before it is sent again.
const LONGEST: Duration = Duration::from_secs(7);
const SETTLE_AFTER: i64 = 12;

struct Worker {
    connector: Connector,
    cable: Cable,
    child: Child,
}

impl Worker {
    async fn start(fleet: &Fleet, url: &str) -> Self {
        let cable = cable(url).await;
        let connector = fleet.connector(&cable.url);
        connector.amend(|table| table["timing"]["settle_patience_seconds"] = 20.into());
        let child = serving(&connector);
        Self { connector, cable, child }
    }

    /// Until the others have given it up, which takes its whole lease.
    async fn is_given_up(&self, store: &Store) {
        let pid = format!(":{}:", self.child.id());
        let since = Instant::now();
        while since.elapsed() < LONGEST {
            let workers = store.workers().await.expect("it reads");
            if !workers.iter().any(|row| row.id.contains(&pid)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Killed,
    Frozen,
    /// The database hears nothing of it, and it nothing of the database.
    Silenced,
    /// Its connections are dead, and nobody says so.
    Forgotten,
    /// The database ends the connections of all.
    CutOff,
}

async fn befalls(event: Event, worker: &mut Worker, store: &Store, url: &str) {
    match event {
        Event::Killed => {
            worker.child.kill().expect("it lives");
            worker.child.wait().expect("it ended");
            worker.child = serving(&worker.connector);
        }
        Event::Frozen => {
            signal(&worker.child, "STOP");
            worker.is_given_up(store).await;
            signal(&worker.child, "CONT");
        }
        Event::Silenced => {
            worker.cable.go_silent();
            worker.is_given_up(store).await;
            worker.cable.let_through();
        }
        Event::Forgotten => worker.cable.forget(),
        Event::CutOff => {
            use sqlx::Connection;
            let mut own = sqlx::PgConnection::connect(url).await.expect("it answers");
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                       where datname = current_database() and pid <> pg_backend_pid()";
            sqlx::query(cut).execute(&mut own).await.expect("it answers");
        }
    }
}

/// Something was written since, or nothing will be for now.
async fn work_goes_on(fleet: &Fleet, writes: u64) {
    let before = fleet.writes();
    let since = Instant::now();
    while fleet.writes() < before + writes && since.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_three_workers_loses_and_doubles_nothing() {
    let seed = std::env::var("ML_CONNECTOR_STORM_SEED").ok().and_then(|of| of.parse().ok());
    let seed: u64 = seed.unwrap_or(4);
    eprintln!("ML_CONNECTOR_STORM_SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let test = stores::postgres().await;
    let options =
        Options { settle_after_seconds: SETTLE_AFTER, attempts: 20, ..Options::default() };
    let fleet = Fleet::start(&WORLDS, 30, Level::Some, options).await;
    let store = Store::open(&test.url).await.expect("it opens");
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(Worker::start(&fleet, &test.url).await);
    }

    for n in 0..EVENTS {
        work_goes_on(&fleet, chance.u64(1..=25)).await;
        // Dead connections are given up after a while; that is not to be the last thing that happens.
        let event = match chance.u32(0..if n < EVENTS / 2 { 9 } else { 8 }) {
            0..=2 => Event::Killed,
            3..=4 => Event::Frozen,
            5..=6 => Event::Silenced,
            7 => Event::CutOff,
            _ => Event::Forgotten,
        };
        let worker = chance.usize(0..WORKERS);
        eprintln!("{event:?}: worker {worker}, after {} writes", fleet.writes());
        for _ in 0..NEW {
            fleet.add_documents();
        }
        befalls(event, &mut workers[worker], &store, &test.url).await;
        fleet.ask_for_rounds(&store).await;
    }

    let since = Instant::now();
    loop {
        let unrest = fleet.unrest(&store).await;
        if unrest.is_empty() {
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(240), "seed {seed}: {unrest:#?}");
        fleet.ask_for_rounds(&store).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    eprintln!("quiet {:?} after the last event, {} writes", since.elapsed(), fleet.writes());
    for worker in &workers {
        signal(&worker.child, "TERM");
    }
    let mut connectors = Vec::new();
    for worker in workers {
        let ended = finish_child(worker.child).await;
        assert_eq!(ended.code(), Some(0), "seed {seed}");
        connectors.push(worker.connector);
    }
    is_whole(&fleet, &connectors[0], &test.url, seed).await;
}

async fn is_whole(fleet: &Fleet, connector: &Connector, url: &str, seed: u64) {
    connector.use_store(url);
    for sandbox in &fleet.sandboxes {
        sandbox.visma_faults().set(Faults::default());
    }
    let report = connector.sync_until_done(&format!("seed {seed}")).await.json();
    let count = |key: &str| report[key].as_i64().unwrap_or_else(|| panic!("{key} in {report}"));
    let parts = ["posted", "held", "ignored", "in_flight"].map(count);
    assert_eq!(count("received"), parts.into_iter().sum::<i64>(), "seed {seed}: {report:#}");
    for (n, sandbox) in fleet.sandboxes.iter().enumerate() {
        let findings = sandbox.report().findings;
        assert!(findings.is_clean(), "seed {seed}, unit {n}: {findings:#?}");
    }
    let verified = connector.run(&["audit", "verify"]).await;
    assert_eq!(verified.code(), Some(0), "seed {seed}: {}", verified.stderr);
    // JAGGAER still fails now and then: what could not be read whole claims nothing.
    let mut closes = connector.run(&["reconcile"]).await;
    for _ in 0..20 {
        if closes.code() != Some(1) {
            break;
        }
        closes = connector.run(&["reconcile"]).await;
    }
    let differences = &closes.json()["differences"];
    assert_eq!(closes.code(), Some(0), "seed {seed}: {differences:#}");
}
