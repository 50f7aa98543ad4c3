//! Who is alive, by the database, and what is left of one that is not.

use crate::stores;
use ml_connector::audit::Entry;
use ml_connector::store::{Change, CommitError, Store, Watermark, WorkerRow};
use ml_connector::sync::{Ownership, SyncError, Worker};
use std::time::Duration;

const MINUTE: i64 = 60_000_000;

fn row(id: &str, serves: bool) -> WorkerRow {
    WorkerRow { id: id.into(), serves }
}

fn mark(instant: i64) -> Change {
    let mut change = Change::new();
    change.move_watermark("s", "f", &Watermark { instant, seen: instant.to_string(), moved_at: 1 });
    change.log(Entry {
        at: 1,
        actor: "connector".into(),
        action: "tested".into(),
        connection: "no".into(),
        document: "d".into(),
        from_state: String::new(),
        to_state: String::new(),
        detail: "{}".into(),
    });
    change
}

#[tokio::test]
async fn one_lease_of_a_worker_keeps_all_its_units() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        store.join_worker(&row("a", true), MINUTE).await.unwrap();
        for unit in ["u", "v"] {
            // Their own time is over at once.
            store.take_ownership(unit, "a", 0, false).await.unwrap().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        store.bury_workers().await.unwrap();
        assert!(store.take_ownership("u", "b", MINUTE, false).await.unwrap().is_none());
        assert!(store.ownerships().await.unwrap().iter().all(|owned| !owned.expired));
        assert_eq!(store.workers().await.unwrap(), [row("a", true)]);

        assert!(store.renew_worker("a", 0).await.unwrap());
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(store.ownerships().await.unwrap().iter().all(|owned| owned.expired));
        assert_eq!(store.workers().await.unwrap(), []);
        // Nobody took note of it yet: it may still go on.
        assert!(store.take_ownership("u", "b", MINUTE, false).await.unwrap().is_none());
        store.bury_workers().await.unwrap();
        assert!(!store.renew_worker("a", MINUTE).await.unwrap(), "it does not come back");
        for unit in ["u", "v"] {
            let taken = store.take_ownership(unit, "b", MINUTE, false).await.unwrap();
            assert_eq!(taken.unwrap().epoch, 2, "{}", test.url);
        }
    }
}

/// After trouble with the database what a process believes about a unit may be wrong: it begins anew.
#[tokio::test]
async fn an_owner_takes_its_own_unit_anew() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let before = store.take_ownership("u", "a", MINUTE, false).await.unwrap().unwrap();
        let after = store.take_ownership("u", "a", MINUTE, false).await.unwrap().unwrap();
        assert_eq!(after.epoch, before.epoch + 1);
        let late = store.commit(&before, mark(1)).await;
        assert!(matches!(late, Err(CommitError::LostOwnership)), "{late:?}");
        store.commit(&after, mark(2)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_leaves_is_not_waited_for_and_sends_nothing_more() {
    let test = stores::postgres().await;
    let store = Store::open(&test.url).await.unwrap();
    let length = Duration::from_secs(60);
    let first = Worker::join(&store, true, length, Duration::ZERO).await.unwrap();
    let second = Worker::join(&store, true, length, Duration::ZERO).await.unwrap();
    assert_eq!(store.workers().await.unwrap().len(), 2);
    let owned = Ownership::take(&store, "u", &first, Duration::ZERO).await.unwrap();
    assert!(owned.lease().is_valid());
    let refused = Ownership::take(&store, "u", &second, Duration::ZERO).await;
    let Err(SyncError::OwnedElsewhere { owner }) = refused else { panic!("it is taken twice") };
    assert_eq!(owner, first.id());

    let lease = owned.lease().clone();
    owned.release().await.unwrap();
    assert!(!lease.is_valid() && lease.is_lost());
    let owned = Ownership::take(&store, "u", &second, Duration::ZERO).await.unwrap();
    second.leave().await;
    assert!(!owned.lease().is_valid());
    assert_eq!(store.workers().await.unwrap(), [row(first.id(), true)]);
}

/// The kernel says that the others are dead; what they left in the table does not keep anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_file_whoever_has_its_lock_is_the_only_one() {
    let test = stores::sqlite();
    let store = Store::open(&test.url).await.unwrap();
    store.join_worker(&row("dead", true), MINUTE).await.unwrap();
    store.take_ownership("u", "dead", MINUTE, false).await.unwrap().unwrap();
    let worker = Worker::join(&store, true, Duration::from_secs(60), Duration::ZERO).await.unwrap();
    let other = Worker::join(&store, true, Duration::from_secs(60), Duration::ZERO).await;
    assert!(matches!(other, Err(SyncError::OwnedElsewhere { .. })));
    Ownership::take(&store, "u", &worker, Duration::ZERO).await.unwrap();
    assert_eq!(store.workers().await.unwrap(), [row(worker.id(), true)], "the dead do not count");
}

/// A database that was restarted, or a network that was cut: what was under way is told, what comes after it works.
#[tokio::test]
async fn a_store_comes_back_with_its_database() {
    use sqlx::Connection;
    let test = stores::postgres().await;
    let store = Store::open(&test.url).await.unwrap();
    let owned = store.take_ownership("u", "a", MINUTE, false).await.unwrap().unwrap();
    store.commit(&owned, mark(1)).await.unwrap();
    let mut other = sqlx::PgConnection::connect(&test.url).await.unwrap();
    for round in 2..5 {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&mut other)
        .await
        .unwrap();
        let lost = store.commit(&owned, mark(round)).await;
        assert!(matches!(lost, Err(CommitError::LostConnection(_))), "{lost:?}");
        store.commit(&owned, mark(round)).await.unwrap();
        assert_eq!(store.watermark("s", "f").await.unwrap().unwrap().instant, round);
    }
    let head = store.ownerships().await.unwrap()[0].head_seq;
    assert_eq!(head, 4, "each change once");
}
