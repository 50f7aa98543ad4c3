//! `serve` as a process: it posts what comes, is paused, reloaded and stopped, and answers those who
//! watch it. What is waited for is a fact in a store or a simulator, never a time.

use crate::connector::{
    Connector, Options, Run, assert_whole, finish_child, signal, small_sandbox,
};
use crate::stores::{self, TestStore};
use ml_connector::store::{DocumentFilter, DocumentState, Store};
use ml_connector_sandbox::Sandbox;
use ml_connector_sandbox::world::Vendor;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SEED: u64 = 5;

/// What the process says on stderr, as it says it.
pub fn heard(child: &mut Child) -> Arc<Mutex<String>> {
    let stderr = child.stderr.take().expect("it is piped");
    let said = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&said);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut said = into.lock().expect("no holder panics");
            said.push_str(&line);
            said.push('\n');
        }
    });
    said
}

/// A port that nobody has now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Sets what `serve` is told in a test: both sorts of documents each minute, and a port.
pub fn scheduled(connector: &Connector, port: u16) {
    connector.amend(|table| {
        let schedule = toml::toml! {
            orders = "every 1 minutes"
            invoices = "every 1 minutes"
            jitter_seconds = 0
        };
        table.insert("schedule".into(), schedule.into());
        let mut serve = toml::Table::new();
        serve.insert("listen".into(), format!("127.0.0.1:{port}").into());
        table.insert("serve".into(), serve.into());
    });
}

/// Asks again and again until it is so. Not how long it takes is tested, but that it comes.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..1800 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came: {what}");
}

pub async fn get(port: u16, path: &str) -> Option<(u16, String)> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let answer = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

async fn in_flight(store: &Store) -> usize {
    let all = store.documents(&DocumentFilter::default()).await.expect("it reads");
    all.iter()
        .filter(|row| {
            matches!(
                row.state,
                DocumentState::Unread
                    | DocumentState::Waiting
                    | DocumentState::Ready
                    | DocumentState::Posting
            )
        })
        .count()
}

async fn known(store: &Store) -> usize {
    store.documents(&DocumentFilter::default()).await.expect("it reads").len()
}

fn one_more(sandbox: &Sandbox) -> String {
    let world = sandbox.world();
    let vendors = world.vendors();
    let payable = |vendor: &Vendor| vendor.is_payable() && vendor.currency == "NOK";
    let vendor = vendors.iter().position(payable).expect("every world has one");
    let order = world.add_order(vendor);
    world.add_invoice(&order).expect("the order is there")
}

async fn stands(store: &Store, source_id: &str, state: DocumentState) -> bool {
    let all = store.documents(&DocumentFilter::default()).await.expect("it reads");
    all.iter().any(|row| row.source_id == source_id && row.state == state)
}

async fn a_life_of(test: TestStore) {
    let what = test.url.clone();
    let sandbox = small_sandbox(12, SEED, false).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let port = free_port();
    scheduled(&connector, port);
    let child: Child = connector.command(&["serve"]).spawn().expect("it starts");
    let store = {
        until("the listener", || async { get(port, "/ready").await.is_some() }).await;
        connector.store().await
    };
    until("all posted", || async { known(&store).await >= 24 && in_flight(&store).await == 0 })
        .await;

    // What it tells those who watch.
    assert_eq!(get(port, "/health").await, Some((200, "alive\n".into())), "{what}");
    assert_eq!(get(port, "/ready").await, Some((200, "ready\n".into())), "{what}");
    let posted = store.documents(&DocumentFilter::default()).await.unwrap();
    let posted = posted
        .iter()
        .filter(|row| row.state == DocumentState::Posted && row.kind.as_str() == "purchase_order")
        .count();
    let figure = format!(
        "ml_connector_documents{{connection=\"no\",kind=\"purchase_order\",state=\"posted\"}} {posted}\n"
    );
    let figures = get(port, "/metrics").await.expect("it answers").1;
    assert!(figures.contains(&figure), "{what}: {figure}{figures}");
    assert!(figures.contains("ml_connector_units_owned_here 1\n"), "{figures}");

    // A person stops the connection: asked by another process, done by this one.
    let asked = connector.run(&["pause", "no", "--reason", "month end"]).await;
    assert_eq!(asked.code(), Some(0), "{what}: {asked:#?}");
    until("the pause", || async { !store.pauses().await.unwrap().is_empty() }).await;
    let again = connector.run(&["pause", "no", "--reason", "once more"]).await;
    let result = again.json()["result"].clone();
    assert!(result.as_str().is_none_or(|text| text.starts_with("not done")), "{result}");
    let invoice = one_more(&sandbox);
    let calls = sandbox.jaggaer().calls().total();
    // A release lets a round run, and even that leaves the connection alone.
    let held = store.documents(&DocumentFilter::default()).await.unwrap();
    let held = held.iter().find(|row| row.state == DocumentState::Held).expect("one is held");
    let released = connector.run(&["release", &held.id, "--reason", "looked at"]).await;
    assert!(matches!(released.code(), Some(0 | 1)), "{what}: {released:#?}");
    until("the request is carried out", || async {
        store.open_requests("no").await.unwrap().is_empty()
    })
    .await;
    assert_eq!(sandbox.jaggaer().calls().total(), calls, "{what}: nothing was asked of JAGGAER");
    let status = connector.run(&["status"]).await.json();
    assert_eq!(status["paused"][0]["connection"], "no", "{status}");
    assert_eq!(status["paused"][0]["reason"], "month end", "{status}");

    // It goes on at once when it may, not at the next planned time.
    let resumed = connector.run(&["resume", "no", "--reason", "closed"]).await;
    assert_eq!(resumed.code(), Some(0), "{what}: {resumed:#?}");
    until("the invoice", || stands(&store, &invoice, DocumentState::Posted)).await;

    // And by itself, on its timetable.
    let another = one_more(&sandbox);
    until("the planned round", || stands(&store, &another, DocumentState::Posted)).await;

    signal(&child, "TERM");
    let run: Run = finish_child(child).await;
    assert_eq!(run.code(), Some(0), "{what}: {}", run.stderr);
    let owners = store.ownerships().await.unwrap();
    assert!(owners.iter().all(|row| row.owner.is_empty()), "{what}: {owners:?}");
    drop(store);
    assert_whole(&sandbox, &connector, &what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_serves_is_paused_reloaded_and_stopped() {
    futures_util::future::join_all(stores::both().await.into_iter().map(a_life_of)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_is_wrong_is_not_gone_over_to() {
    let sandbox = small_sandbox(4, SEED, false).await;
    let test = stores::sqlite();
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let port = free_port();
    scheduled(&connector, port);
    let mut child = connector.command(&["serve"]).spawn().expect("it starts");
    let said = heard(&mut child);
    let says = |text: &'static str, times: usize| {
        let said = Arc::clone(&said);
        async move { said.lock().unwrap().matches(text).count() >= times }
    };
    until("the first turn", || says("owned by this process", 1)).await;
    let good = std::fs::read_to_string(connector.config_path()).unwrap();
    connector.write("ml-connector.toml", &good.replace("lease_seconds", "leese_seconds"));
    signal(&child, "HUP");
    until("its refusal", || says("the new configuration is not taken", 1)).await;
    assert!(said.lock().unwrap().contains("leese_seconds"), "it names what is wrong");
    assert_eq!(get(port, "/ready").await, Some((200, "ready\n".into())));
    connector.write("ml-connector.toml", &good);
    signal(&child, "HUP");
    until("the second turn", || says("owned by this process", 2)).await;
    assert!(says("given back", 1).await, "the unit was given back in between");
    signal(&child, "TERM");
    assert_eq!(finish_child(child).await.code(), Some(0), "{}", said.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_stops_the_start_in_words() {
    let sandbox = small_sandbox(4, SEED, false).await;
    let test = stores::sqlite();
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    scheduled(&connector, port);
    let run = connector.run(&["serve"]).await;
    assert_eq!(run.code(), Some(1), "{run:#?}");
    for part in [&format!("127.0.0.1:{port}"), "another process has the port", "`listen`"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let calls = sandbox.visma().calls();
    assert_eq!((calls.reads, calls.writes, calls.tokens), (0, 0, 0), "nothing was begun");
}

/// Open files that the process may have: the soft limit and the hard one.
fn open_files(child: &Child) -> Option<(u64, u64)> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut words = line.split_whitespace().map_while(|word| word.parse().ok());
    Some((words.next()?, words.next()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_files_are_open_as_the_machine_allows_and_too_few_are_told() {
    for (hard, is_told) in [(200, false), (70, true)] {
        let sandbox = small_sandbox(4, SEED, false).await;
        let test = stores::sqlite();
        let connector = Connector::new(&sandbox, &test.url, &Options::default());
        scheduled(&connector, free_port());
        let before = format!("ulimit -Sn 60; ulimit -Hn {hard}");
        let mut child = connector.command_under(&before, &["serve"]).spawn().expect("it starts");
        let said = heard(&mut child);
        until("the first turn", || async { said.lock().unwrap().contains("serving") }).await;
        assert_eq!(open_files(&child), Some((hard, hard)));
        let warning = format!(
            "may have {hard} files and sockets open, and the one connection of this configuration may need 82"
        );
        let told = said.lock().unwrap().clone();
        assert_eq!(told.contains(&warning), is_told, "{told}");
        assert_eq!(told.contains("LimitNOFILE"), is_told, "{told}");
        signal(&child, "TERM");
        finish_child(child).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_while_the_store_is_opened_ends_nothing() {
    // A server that takes the connection and says nothing.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let store = format!("postgres://nobody@127.0.0.1:{port}/nothing");
    let nowhere = "http://127.0.0.1:9";
    let connector = Connector::at(nowhere, nowhere, &store, &Options::default());
    let child = connector.command(&["serve"]).spawn().expect("it starts");
    let opening = tokio::task::spawn_blocking(move || silent.accept().map(|(opening, _)| opening));
    let opening = opening.await.unwrap().expect("it asks for the store");
    signal(&child, "HUP");
    drop(opening);
    let run = finish_child(child).await;
    assert_eq!(run.code(), Some(1), "{run:#?}");
    assert!(run.stderr.contains("cannot open the store"), "{run:#?}");
}
