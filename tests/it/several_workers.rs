//! Two real processes serve one PostgreSQL and one of them is killed, frozen for longer than its lease or
//! cut from the database, in the middle of its writes: the other goes on, nothing is lost, and
//! nothing is doubled in our store.

use crate::connector::{Connector, Options, assert_whole, finish_child, signal, small_sandbox};
use crate::network::cable;
use crate::serve::{free_port, heard, scheduled, until};
use crate::stores;
use ml_connector::store::{DocumentFilter, Store};
use ml_connector_sandbox::Sandbox;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One unit's two processes, each with its own port, and the store as a third sees it.
struct Two {
    sandbox: Sandbox,
    connector: Connector,
    store: Store,
    /// Owns the unit, and is in the middle of its writes.
    first: Child,
    second: Child,
}

fn serving(connector: &Connector) -> (Child, Arc<Mutex<String>>) {
    scheduled(connector, free_port());
    let mut child = connector.command(&["serve"]).spawn().expect("it starts");
    let said = heard(&mut child);
    (child, said)
}

/// The first process with `first_url`, stopped nowhere yet, after `writes` writes; the second beside it.
async fn two_at_work(url: &str, first_url: &str, writes: u64, seed: u64) -> Two {
    let sandbox = small_sandbox(30, seed, false).await;
    // What the first had on its way may arrive late: the other waits for that before it sends again.
    let options = Options { settle_after_seconds: 12, ..Options::default() };
    let connector = Connector::new(&sandbox, first_url, &options);
    let (first, said) = serving(&connector);
    until("the first owns the unit", || async {
        said.lock().unwrap().contains("owned by this process")
    })
    .await;
    connector.use_store(url);
    let (second, _) = serving(&connector);
    let store = Store::open(url).await.expect("it opens");
    while sandbox.visma().calls().writes < writes {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Two { sandbox, connector, store, first, second }
}

async fn owner(store: &Store) -> String {
    let rows = store.ownerships().await.expect("it reads");
    rows.into_iter().find(|row| row.unit == "no").map_or_else(String::new, |row| row.owner)
}

/// The second one takes the unit and brings everything to its end.
async fn the_second_finishes(two: Two, what: &str) {
    let pid = format!(":{}:", two.second.id());
    until("the second takes the unit", || async { owner(&two.store).await.contains(&pid) }).await;
    until("all is done", || async {
        let all = two.store.documents(&DocumentFilter::default()).await.expect("it reads");
        let open = two
            .store
            .postings_in(crate::connector::COMPANY, ml_connector::store::PostingState::Uncertain);
        all.len() >= 60
            && all.iter().all(|row| !row.state.is_in_flight())
            && open.await.expect("it reads").is_empty()
    })
    .await;
    signal(&two.second, "TERM");
    let run = finish_child(two.second).await;
    assert_eq!(run.code(), Some(0), "{what}: {run:#?}");
    // What was compared last is seen by one more look, as by the next day's first round.
    two.connector.sync_until_done(what).await;
    assert_whole(&two.sandbox, &two.connector, what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_is_followed_by_another() {
    for (n, writes) in [2, 17].into_iter().enumerate() {
        let test = stores::postgres().await;
        let mut two = two_at_work(&test.url, &test.url, writes, 40 + n as u64).await;
        two.first.kill().expect("it lives");
        two.first.wait().expect("it ended");
        the_second_finishes(two, &format!("killed after {writes} writes")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_frozen_for_longer_than_its_lease_changes_nothing_more() {
    let test = stores::postgres().await;
    let mut two = two_at_work(&test.url, &test.url, 9, 50).await;
    signal(&two.first, "STOP");
    let frozen = two.first.id();
    let pid = format!(":{}:", two.second.id());
    until("the second takes the unit", || async { owner(&two.store).await.contains(&pid) }).await;
    signal(&two.first, "CONT");
    until("the first serves again, under another name", || async {
        let workers = two.store.workers().await.expect("it reads");
        workers.iter().filter(|row| row.serves).count() == 2
    })
    .await;
    signal(&two.first, "TERM");
    let first =
        std::mem::replace(&mut two.first, std::process::Command::new("true").spawn().unwrap());
    assert_eq!(first.id(), frozen);
    assert_eq!(finish_child(first).await.code(), Some(0), "it is stopped like any other");
    the_second_finishes(two, "frozen").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_cut_from_the_database_sends_nothing_more() {
    let test = stores::postgres().await;
    let cable = cable(&test.url).await;
    let mut two = two_at_work(&test.url, &cable.url, 9, 60).await;
    cable.go_silent();
    let pid = format!(":{}:", two.second.id());
    until("the second takes the unit", || async { owner(&two.store).await.contains(&pid) }).await;
    two.first.kill().expect("it lives");
    two.first.wait().expect("it ended");
    the_second_finishes(two, "cut from the database").await;
}
