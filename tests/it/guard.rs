//! The guard of every move: of two who read the same row, one moves it; who read an old row
//! moves nothing.

use crate::stores;
use ml_connector::procurement::DocumentKind;
use ml_connector::store::{
    Change, CommitError, DocumentState, NewDocument, Owned, PostingRow, PostingState, Step, Store,
};
use ml_connector::sync::{Event, step};

const DOCUMENT: &str = "d";
const POSTING: &str = "p";

fn document() -> NewDocument {
    NewDocument {
        id: DOCUMENT.into(),
        connection: "no".into(),
        source: "jaggaer".into(),
        kind: DocumentKind::SupplierInvoice,
        source_id: "1".into(),
        feed: "invoices".into(),
        row_hash: "h".into(),
        state: DocumentState::Ready,
        received_at: 1,
        routed: "r".into(),
    }
}

fn planned() -> PostingRow {
    PostingRow {
        id: POSTING.into(),
        company: "nordlys".into(),
        document: DOCUMENT.into(),
        step: Step::Create,
        step_key: String::new(),
        our_key: "k".into(),
        revision: 1,
        plan: "{}".into(),
        plan_hash: "h".into(),
        body: None,
        state: PostingState::Planned,
        attempts: 0,
        absent: 0,
        epoch: 0,
        intent_at: None,
        settle_after: None,
        next_at: 0,
        visma_type: None,
        visma_number: None,
        etag: None,
        job: None,
        error: None,
        changed_at: 1,
    }
}

fn intend(row: &PostingRow, epoch: i64, body: &str) -> PostingRow {
    let event = Event::Intend { body: body.into(), epoch, now: 10, settle_after: 20 };
    step(row, event, 10).unwrap()
}

fn moving(from: &PostingRow, to: &PostingRow) -> Change {
    let mut change = Change::new();
    change.move_posting(from.state, from.epoch, to);
    change
}

async fn prepared(store: &Store, owner: &str) -> Owned {
    let owned = store.take_ownership("u", owner, 60_000_000, true).await.unwrap().unwrap();
    let mut change = Change::new();
    change.insert_document(&document());
    change.insert_posting(&planned());
    store.commit(&owned, change).await.unwrap();
    owned
}

fn is_guarded(result: &Result<(), CommitError>) -> bool {
    matches!(result, Err(CommitError::Guard(_)))
}

/// Without `state` in the condition both would write the intent, and both would send.
#[tokio::test]
async fn of_two_who_mean_to_send_one_may() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owned = prepared(&store, "me").await;
        let row = store.posting(POSTING).await.unwrap().unwrap();
        // The epoch of the row that both read and that of the row after the first move are made
        // the same, so that only the state can tell.
        let change = |body| moving(&row, &PostingRow { epoch: 0, ..intend(&row, 0, body) });
        let (one, two) =
            tokio::join!(store.commit(&owned, change("one")), store.commit(&owned, change("two")));
        assert!(is_guarded(&one) ^ is_guarded(&two), "{}: {one:?}, {two:?}", test.url);
        let after = store.posting(POSTING).await.unwrap().unwrap();
        let winner = if one.is_ok() { "one" } else { "two" };
        assert_eq!(after.body.as_deref(), Some(winner), "{}", test.url);
        assert_eq!((after.state, after.attempts), (PostingState::Intended, 1));
    }
}

/// Without `epoch` in the condition a late answer of an earlier attempt would end a later one,
/// which stands in the same state.
#[tokio::test]
async fn an_answer_to_an_attempt_of_an_older_epoch_moves_nothing() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owned = prepared(&store, "me").await;
        let row = store.posting(POSTING).await.unwrap().unwrap();
        let first = intend(&row, 1, "first");
        store.commit(&owned, moving(&row, &first)).await.unwrap();
        let back = Event::NotSent { reason: "no answer".into(), next_at: 11 };
        let back = step(&first, back, 11).unwrap();
        store.commit(&owned, moving(&first, &back)).await.unwrap();
        let second = intend(&back, 2, "second");
        store.commit(&owned, moving(&back, &second)).await.unwrap();

        let number = Some("100".to_owned());
        let done = Event::Done { visma_type: None, visma_number: number, etag: None };
        let late = step(&first, done, 12).unwrap();
        let result = store.commit(&owned, moving(&first, &late)).await;
        assert!(is_guarded(&result), "{}: {result:?}", test.url);
        assert_eq!(store.posting(POSTING).await.unwrap().unwrap(), second, "{}", test.url);
    }
}

#[tokio::test]
async fn of_two_who_decide_on_a_document_one_does() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owned = prepared(&store, "me").await;
        let to = |state| {
            let mut change = Change::new();
            change.move_document(DOCUMENT, DocumentState::Ready, state, 10);
            change
        };
        let (one, two) = tokio::join!(
            store.commit(&owned, to(DocumentState::Posting)),
            store.commit(&owned, to(DocumentState::Held))
        );
        assert!(is_guarded(&one) ^ is_guarded(&two), "{}: {one:?}, {two:?}", test.url);
        let state = store.document(DOCUMENT).await.unwrap().unwrap().state;
        let winner = if one.is_ok() { DocumentState::Posting } else { DocumentState::Held };
        assert_eq!(state, winner, "{}", test.url);
        // A row read before that is a row of the past.
        let stale = store.commit(&owned, to(DocumentState::Posted)).await;
        assert!(is_guarded(&stale), "{}: {stale:?}", test.url);
    }
}

/// What stops at the guard stops whole: not half of the change, and no entry of it.
#[tokio::test]
async fn a_stopped_move_takes_the_rest_of_its_change_with_it() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owned = prepared(&store, "me").await;
        let row = store.posting(POSTING).await.unwrap().unwrap();
        let first = intend(&row, 1, "first");
        store.commit(&owned, moving(&row, &first)).await.unwrap();
        let mut change = Change::new();
        change.move_document(DOCUMENT, DocumentState::Ready, DocumentState::Posting, 10);
        change.move_posting(row.state, row.epoch, &first);
        assert!(is_guarded(&store.commit(&owned, change).await), "{}", test.url);
        let state = store.document(DOCUMENT).await.unwrap().unwrap().state;
        assert_eq!(state, DocumentState::Ready, "{}", test.url);
    }
}

/// A write may wait for its turn after its intent. The settling time counts from when its answer
/// was given up, and that must be what is stored, or it is sent again while the first still travels.
#[tokio::test]
async fn the_settling_time_counts_from_the_lost_answer() {
    for test in stores::both().await {
        let store = Store::open(&test.url).await.unwrap();
        let owned = prepared(&store, "me").await;
        let row = store.posting(POSTING).await.unwrap().unwrap();
        let sent = intend(&row, 1, "sent");
        store.commit(&owned, moving(&row, &sent)).await.unwrap();
        let lost = Event::Lost { reason: "no answer".into(), next_at: 500 };
        let mut lost = step(&sent, lost, 500).unwrap();
        lost.settle_after = Some(9_000);
        assert_ne!(lost.settle_after, sent.settle_after);
        let mut change = Change::new();
        change.advance_posting(sent.state, sent.epoch, &lost);
        store.commit(&owned, change).await.unwrap();
        let kept = store.posting(POSTING).await.unwrap().unwrap();
        assert_eq!(kept, lost, "{}", test.url);
    }
}
