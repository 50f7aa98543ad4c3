//! Two processes on one store: one works, the other waits or says who does.

use crate::connector::{
    Connector, Options, Run, assert_whole, finish, finish_child, signal, small_sandbox,
};
use crate::stores::{self, TestStore};
use std::process::Command;
use std::time::Duration;

const SEED: u64 = 5;

async fn started_together(commands: [Command; 2]) -> [Run; 2] {
    let [one, two] = commands;
    let (one, two) = tokio::join!(finish(one), finish(two));
    [one, two]
}

async fn both_work(test: &TestStore) {
    let sandbox = small_sandbox(30, SEED, true).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let commands = [connector.command(&["sync"]), connector.command(&["sync"])];
    for run in started_together(commands).await {
        assert!(matches!(run.code(), Some(0 | 3)), "{}: {run:#?}", test.url);
        assert_eq!(run.json()["in_flight"], 0, "{}", test.url);
    }
    assert_whole(&sandbox, &connector, &test.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_store_write_no_document_twice() {
    for test in stores::both().await {
        both_work(&test).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_will_not_wait_is_told_who_owns_the_unit() {
    for test in stores::both().await {
        let sandbox = small_sandbox(30, SEED, false).await;
        let options = Options { wait_for_owner_seconds: 1, ..Options::default() };
        let connector = Connector::new(&sandbox, &test.url, &options);
        // The first one stops in the middle for as long as it takes.
        let first = connector.command(&["sync"]).spawn().unwrap();
        while sandbox.visma().calls().writes < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        signal(&first, "STOP");
        let second = connector.run(&["sync"]).await;
        signal(&first, "CONT");
        let first = finish_child(first).await;
        assert_eq!(second.code(), Some(1), "{}: {second:#?}", test.url);
        assert!(second.stderr.contains("owned by"), "{}: {}", test.url, second.stderr);
        assert!(matches!(first.code(), Some(0 | 3)), "{}: {first:#?}", test.url);
        assert_whole(&sandbox, &connector, &test.url).await;
    }
}

/// A paused machine wakes up after its lease: the other has the unit by then. What the sleeper
/// had just let go may still arrive, so the other sends nothing of that again before the settling
/// time is over, and finds what arrived. SQLite needs no such thing: there the file's lock stays
/// with the sleeper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_slept_past_its_lease_doubles_nothing() {
    let test = stores::postgres().await;
    let sandbox = small_sandbox(30, SEED, true).await;
    let options = Options { settle_after_seconds: 25, ..Options::default() };
    let connector = Connector::new(&sandbox, &test.url, &options);
    let sleeper = connector.command(&["sync"]).spawn().unwrap();
    while sandbox.visma().calls().writes < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    signal(&sleeper, "STOP");
    let asleep_at = tokio::time::Instant::now();
    let other = connector.run(&["sync"]).await;
    assert!(matches!(other.code(), Some(0 | 3)), "{other:#?}");
    signal(&sleeper, "CONT");
    let sleeper = finish_child(sleeper).await;
    assert_eq!(sleeper.code(), Some(1), "{sleeper:#?}");
    // It finds its place taken or, when it was frozen in the middle of a transaction, its
    // connection closed by the database.
    let words = ["another process owns the unit now", "the database is lost"];
    assert!(words.iter().any(|word| sleeper.stderr.contains(word)), "{}", sleeper.stderr);
    // Close enough to the settling time for a round to wait for the rest of it.
    tokio::time::sleep_until(asleep_at + Duration::from_secs(27)).await;
    connector.sync_until_done("after the sleeper woke up").await;
    assert_whole(&sandbox, &connector, "after the sleeper woke up").await;
}

/// A frozen process keeps the row locks of its transaction. Who wants the unit is not blocked by
/// that but told, and gets it when the database has ended the frozen transaction.
#[tokio::test]
async fn a_transaction_that_never_ends_does_not_keep_the_unit() {
    use ml_connector::store::Store;
    use sqlx::{Connection, Executor};
    let test = stores::postgres().await;
    let store = Store::open(&test.url).await.unwrap();
    let frozen = Store::open(&test.url).await.unwrap();
    frozen.take_ownership("u", "frozen", 0, false).await.unwrap().unwrap();
    let mut connection = sqlx::PgConnection::connect(&test.url).await.unwrap();
    // As the store sets it for its own connections, only shorter.
    connection.execute("set idle_in_transaction_session_timeout = '4s'").await.unwrap();
    connection.execute("begin").await.unwrap();
    connection.execute("update ownership set head_seq = head_seq").await.unwrap();

    let meanwhile = store.take_ownership("u", "me", 60_000_000, false);
    let meanwhile = tokio::time::timeout(Duration::from_secs(3), meanwhile).await;
    assert!(meanwhile.expect("it gives up in time").unwrap().is_none());
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(store.take_ownership("u", "me", 60_000_000, false).await.unwrap().is_some());
}
