//! Opening, ownership, guards and the chain, on both engines.

use crate::stores;
use ml_connector::audit::{ChainFault, Entry, Head, Verifier};
use ml_connector::store::{Change, CommitError, Owned, Statement, Store, StoreError, Watermark};

fn entry(document: &str) -> Entry {
    Entry {
        at: 1,
        actor: "connector".into(),
        action: "tested".into(),
        connection: "no".into(),
        document: document.into(),
        from_state: String::new(),
        to_state: String::new(),
        detail: "{}".into(),
    }
}

fn mark(instant: i64) -> Change {
    let mut change = Change::new();
    change.move_watermark("s", "f", &Watermark { instant, seen: instant.to_string(), moved_at: 1 });
    change.log(entry("d"));
    change
}

async fn verify(store: &Store, unit: &str) -> Result<Head, ChainFault> {
    let kept = store.ownerships().await.unwrap().into_iter().find(|row| row.unit == unit).unwrap();
    let mut verifier = Verifier::new(unit);
    let mut after = 0;
    loop {
        let page = store.audit_page(unit, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            verifier.next(entry)?;
        }
    }
    verifier.finish(&Head { seq: kept.head_seq, hash: kept.head_hash })
}

async fn owned(store: &Store) -> Owned {
    store.take_ownership("u", "me", 60_000_000, false).await.unwrap().expect("nobody owns it")
}

#[tokio::test]
async fn a_store_opens_twice_and_keeps_what_was_committed() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owner = owned(&store).await;
        store.commit(&owner, mark(7)).await.unwrap();
        drop(store);
        let store = Store::open(&test.url).await.unwrap();
        assert_eq!(store.watermark("s", "f").await.unwrap().unwrap().instant, 7, "{}", test.url);
        assert_eq!(verify(&store, "u").await.unwrap().seq, 1);
    }
}

#[tokio::test]
async fn a_watermark_never_moves_back() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owner = owned(&store).await;
        for instant in [5, 9, 3] {
            store.commit(&owner, mark(instant)).await.unwrap();
        }
        let watermark = store.watermark("s", "f").await.unwrap().unwrap();
        assert_eq!((watermark.instant, watermark.seen.as_str()), (9, "9"));
    }
}

#[tokio::test]
async fn an_owner_of_an_older_epoch_changes_nothing() {
    for test in stores::both().await {
        let first = Store::open(&test.url).await.unwrap();
        let second = Store::open(&test.url).await.unwrap();
        let slept = owned(&first).await;
        first.commit(&slept, mark(1)).await.unwrap();
        assert!(second.take_ownership("u", "you", 60_000_000, false).await.unwrap().is_none());
        let taker = second.take_ownership("u", "you", 60_000_000, true).await.unwrap().unwrap();
        second.commit(&taker, mark(2)).await.unwrap();

        let late = first.commit(&slept, mark(3)).await;
        assert!(matches!(late, Err(CommitError::LostOwnership)), "{late:?}");
        assert!(!first.release_ownership(&slept).await.unwrap());
        assert_eq!(second.watermark("s", "f").await.unwrap().unwrap().instant, 2);
        assert_eq!(verify(&second, "u").await.unwrap().seq, 2);
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_can_be_taken() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let first = store.take_ownership("u", "a", 0, false).await.unwrap().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let second = store.take_ownership("u", "b", 60_000_000, false).await.unwrap().unwrap();
        assert_eq!(second.epoch, first.epoch + 1);
        assert!(store.release_ownership(&second).await.unwrap());
        assert!(store.take_ownership("u", "c", 1, false).await.unwrap().is_some());
    }
}

/// Many changes at once share commits; one that does not fit takes no other with it.
#[tokio::test]
async fn a_guard_stops_its_own_change_only() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owner = owned(&store).await;
        let mut waiting = Vec::new();
        for n in 0..50_i64 {
            let mut change = mark(n);
            change.claim("c", "s", "invoice", &format!("{}", n / 2), 2026, &format!("d{n}"));
            let (store, owner) = (store.clone(), owner.clone());
            waiting.push(tokio::spawn(async move { store.commit(&owner, change).await }));
        }
        let mut refused = 0;
        for task in waiting {
            match task.await.unwrap() {
                Ok(()) => {}
                Err(CommitError::Guard(what)) => {
                    assert_eq!(what, "another document has claimed this invoice or order number");
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(refused, 25);
        // Refused changes left no entry either.
        assert_eq!(verify(&store, "u").await.unwrap().seq, 25);
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_in_words() {
    // 15 was never given out, and stands for one that came late under a number below the last.
    for later in [15, 999] {
        for test in stores::both().await {
            let store = Store::open(&test.url).await.unwrap();
            let owner = owned(&store).await;
            let mut change = Change::new();
            change.push(Statement::new(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 select $1, 'later', success, checksum, 0 from _sqlx_migrations where version = 1",
                vec![later.into()],
            ));
            store.commit(&owner, change).await.unwrap();
            drop(store);
            let error = Store::open(&test.url).await.err().expect("refused");
            assert!(matches!(error, StoreError::Newer { found, .. } if found == later), "{error}");
            assert!(error.to_string().contains("newer version"));
        }
    }
}

#[tokio::test]
async fn tampering_with_the_stored_trail_is_found() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owner = owned(&store).await;
        for n in 0..5 {
            store.commit(&owner, mark(n)).await.unwrap();
        }
        let mut change = Change::new();
        change.push(Statement::new(
            "update audit set detail = '{\"a\":1}' where seq = 3",
            Vec::new(),
        ));
        store.commit(&owner, change).await.unwrap();
        assert!(matches!(verify(&store, "u").await, Err(ChainFault::Edited { seq: 3, .. })));
        let mut change = Change::new();
        change.push(Statement::new("delete from audit where seq = 5", Vec::new()));
        change.push(Statement::new("update audit set detail = '{}' where seq = 3", Vec::new()));
        store.commit(&owner, change).await.unwrap();
        assert!(matches!(
            verify(&store, "u").await,
            Err(ChainFault::Cut { expected: 5, found: 4, .. })
        ));
    }
}

#[tokio::test]
async fn a_wrong_url_says_what_to_write_and_hides_the_password() {
    let error = Store::open("mysql://u:secret@h/d").await.err().expect("refused").to_string();
    assert!(error.contains("sqlite:FILE") && !error.contains("secret"), "{error}");
    let error = Store::open("postgres://u:secret@127.0.0.1:1/d").await.err().expect("refused");
    assert!(!error.to_string().contains("secret"), "{error}");
}
