//! A database that stops answering without a word, as behind a cut network: nothing waits for ever, nothing is sent
//! once the lease is over, and the process is itself again when there is an answer.

use crate::connector::{
    COMPANY, Connector, Options, assert_whole, finish_child, signal, small_sandbox,
};
use crate::fleet::{self, Fleet};
use crate::network::{Cable, cable, holding_back};
use crate::serve::{free_port, get, heard, scheduled, until};
use crate::stores::{self, TestStore};
use ml_connector::store::{DocumentFilter, Owned, PostingState, Store};
use ml_connector_sandbox::faults::{Faults, Level};
use ml_connector_sandbox::{Sandbox, Settings, world};
use std::process::Child;
use std::time::Duration;

/// A process whose way to the database is the cable, in the middle of its writes.
struct Behind {
    sandbox: Sandbox,
    connector: Connector,
    cable: Cable,
    /// By a way of its own.
    store: Store,
    child: Child,
    port: u16,
}

fn serving(connector: &Connector) -> (Child, u16) {
    let port = free_port();
    scheduled(connector, port);
    let mut child = connector.command(&["serve"]).spawn().expect("it starts");
    heard(&mut child);
    (child, port)
}

async fn behind_a_cable(test: &TestStore, seed: u64) -> Behind {
    let sandbox = small_sandbox(30, seed, false).await;
    let cable = cable(&test.url).await;
    // What was on its way may arrive late: whoever goes on waits for that before it sends again.
    let options = Options { settle_after_seconds: 8, ..Options::default() };
    let connector = Connector::new(&sandbox, &cable.url, &options);
    let (child, port) = serving(&connector);
    while sandbox.visma().calls().writes < 9 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let store = Store::open(&test.url).await.expect("it opens");
    Behind { sandbox, connector, cable, store, child, port }
}

async fn is_ready(port: u16) -> bool {
    matches!(get(port, "/ready").await, Some((200, _)))
}

async fn says_why_not(port: u16) {
    until("it says that it is not ready", || async {
        get(port, "/ready").await == Some((503, "the store does not answer\n".into()))
    })
    .await;
    assert_eq!(get(port, "/health").await, Some((200, "alive\n".into())));
}

async fn all_is_done(store: &Store) {
    until("all is done", || async {
        let all = store.documents(&DocumentFilter::default()).await.expect("it reads");
        let open = store.postings_in(COMPANY, PostingState::Uncertain).await.expect("it reads");
        all.len() >= 60 && open.is_empty() && all.iter().all(|row| !row.state.is_in_flight())
    })
    .await;
}

async fn ends_whole(behind: Behind, url: &str, what: &str) {
    signal(&behind.child, "TERM");
    let ended = finish_child(behind.child).await;
    assert_eq!(ended.code(), Some(0), "{what}");
    behind.connector.use_store(url);
    behind.connector.sync_until_done(what).await;
    assert_whole(&behind.sandbox, &behind.connector, what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_hears_nothing_another_finishes_and_both_go_on() {
    let test = stores::postgres().await;
    let behind = behind_a_cable(&test, 90).await;
    behind.connector.use_store(&test.url);
    let (other, _) = serving(&behind.connector);
    behind.cable.go_silent();
    says_why_not(behind.port).await;
    let pid = format!(":{}:", other.id());
    until("the other takes the unit", || async {
        let rows = behind.store.ownerships().await.expect("it reads");
        rows.iter().any(|row| row.unit == "no" && row.owner.contains(&pid))
    })
    .await;
    all_is_done(&behind.store).await;

    // What the first had said into the silence arrives now, and changes nothing.
    behind.cable.let_through();
    until("the first is ready again", || is_ready(behind.port)).await;
    until("both serve", || async {
        let workers = behind.store.workers().await.expect("it reads");
        workers.iter().filter(|row| row.serves).count() == 2
    })
    .await;
    signal(&other, "TERM");
    assert_eq!(finish_child(other).await.code(), Some(0));
    let pid = format!(":{}:", behind.child.id());
    until("the first takes the unit", || async {
        let rows = behind.store.ownerships().await.expect("it reads");
        rows.iter().any(|row| row.unit == "no" && row.owner.contains(&pid))
    })
    .await;
    ends_whole(behind, &test.url, "two, of which one heard nothing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_alone_goes_on_when_there_is_an_answer_again() {
    let test = stores::postgres().await;
    let behind = behind_a_cable(&test, 91).await;
    behind.cable.go_silent();
    says_why_not(behind.port).await;
    behind.cable.let_through();
    until("it is ready again", || is_ready(behind.port)).await;
    all_is_done(&behind.store).await;
    ends_whole(behind, &test.url, "one alone").await;
}

/// The network works again, but not for the connections there were: nobody will ever answer on those.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_stay_silent_for_ever_are_given_up() {
    let test = stores::postgres().await;
    let behind = behind_a_cable(&test, 92).await;
    behind.cable.forget();
    all_is_done(&behind.store).await;
    until("it is ready", || is_ready(behind.port)).await;
    ends_whole(behind, &test.url, "with new connections").await;
}

/// Its writes are committed as meant and wait for a token, and for longer than the lease: the other makes them
/// meanwhile. Cut from the database, the first can learn of that from its own clock alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_held_up_for_longer_than_its_lease_sends_nothing_more() {
    let test = stores::postgres().await;
    let world = world::Settings { seed: 91, documents: 30, ..world::Settings::default() };
    let mut settings = Settings { world, latency_ms: 100, ..Settings::default() };
    settings.visma.calls_per_window = 1_000_000;
    let sandbox = Sandbox::start(settings).await.expect("it listens");
    let short = Faults { token_lifetime_seconds: Some(1), ..Faults::default() };
    sandbox.visma_faults().set(short);
    let held = holding_back(&sandbox.visma_url(), "POST /connect/token HTTP").await;
    let cable = cable(&test.url).await;
    let jaggaer = sandbox.jaggaer_url();
    let first = Connector::at(&held.url, &jaggaer, &cable.url, &Options::default());
    first.amend(|table| table["company"][0]["concurrent_requests"] = 1.into());
    let (child, port) = serving(&first);
    while sandbox.visma().calls().writes < 9 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    held.hold();
    held.request().await;
    let store = Store::open(&test.url).await.expect("it opens");
    until("writes wait for the token", || async {
        let meant = store.postings_in(COMPANY, PostingState::Intended).await.expect("it reads");
        meant.len() > 3
    })
    .await;
    cable.go_silent();
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let (other, _) = serving(&connector);
    all_is_done(&store).await;
    let tokens = sandbox.visma().calls().tokens;
    held.let_go();
    until("the first has its token", || async { sandbox.visma().calls().tokens > tokens }).await;
    says_why_not(port).await;
    cable.let_through();
    until("the first is ready again", || is_ready(port)).await;
    for child in [child, other] {
        signal(&child, "TERM");
        assert_eq!(finish_child(child).await.code(), Some(0));
    }
    sandbox.visma_faults().set(Faults::default());
    connector.sync_until_done("held up").await;
    assert_whole(&sandbox, &connector, "held up").await;
}

/// A command that runs once does not wait for ever either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_hears_nothing_ends_and_says_so() {
    let test = stores::postgres().await;
    let sandbox = small_sandbox(30, 93, false).await;
    let cable = cable(&test.url).await;
    let options = Options { settle_after_seconds: 8, ..Options::default() };
    let connector = Connector::new(&sandbox, &cable.url, &options);
    let child = connector.command(&["sync"]).spawn().expect("it starts");
    while sandbox.visma().calls().writes < 9 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cable.go_silent();
    let ended = finish_child(child).await;
    assert_eq!(ended.code(), Some(1), "{ended:#?}");
    let words = ["no answer from the database", "does not answer", "could not renew its right"];
    assert!(words.iter().any(|word| ended.stderr.contains(word)), "{}", ended.stderr);
    connector.use_store(&test.url);
    connector.sync_until_done("after the silence").await;
    assert_whole(&sandbox, &connector, "after the silence").await;
}

/// The question that took a unit, or that gave it back, may be lost on the way and carried out all the same: the
/// process lives, so no other may take the unit, and itself has its share of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_is_owned_by_mistake_is_given_back() {
    let test = stores::postgres().await;
    let fleet = Fleet::start(&[90, 91], 4, Level::None, Options::default()).await;
    let store = Store::open(&test.url).await.expect("it opens");
    let children = [(); 2].map(|()| fleet.connector(&test.url));
    let mut children = children.each_ref().map(fleet::serving);
    let owners = || async {
        let rows = store.ownerships().await.expect("it reads");
        rows.into_iter().filter(|row| !row.owner.is_empty()).collect::<Vec<_>>()
    };
    until("each owns one", || async {
        let rows = owners().await;
        rows.len() == 2 && rows[0].owner != rows[1].owner && fleet.unrest(&store).await.is_empty()
    })
    .await;
    let rows = owners().await;
    let (mine, theirs) = (rows[0].owner.clone(), rows[1].clone());
    let Owned { unit, owner, epoch } =
        Owned { unit: theirs.unit, owner: theirs.owner, epoch: theirs.epoch };
    // As if the one had asked for the unit in the moment in which the other had let it go.
    let owned = Owned { unit: unit.clone(), owner: owner.clone(), epoch };
    assert!(store.release_ownership(&owned).await.unwrap());
    let late = store.take_ownership(&unit, &mine, 1, false).await.unwrap().expect("it was free");
    fleet.ask_for_rounds(&store).await;
    until("the other has it again", || async {
        let rows = owners().await;
        rows.iter().any(|row| row.unit == unit && row.owner == owner && row.epoch > late.epoch)
    })
    .await;
    for child in &mut children {
        signal(child, "TERM");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}
