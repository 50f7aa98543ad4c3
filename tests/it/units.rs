//! Units keep their names and chains whatever connections come and go; two that the configuration joins
//! go on in one, and the trail says so.

use crate::flow::{Flow, postable, run};
use crate::stores::{self, TestStore};
use ml_connector::audit::ChainLink;
use ml_connector::config::Config;
use ml_connector::store::{Change, DocumentFilter, DocumentState, Store, WorkerRow};
use ml_connector::sync::{self, SyncError, Worker};
use ml_connector_sandbox::Sandbox;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Another JAGGAER instance with the same papers, and the configuration's blocks for it.
async fn second_instance(seed: u64, documents: usize) -> Sandbox {
    let mut settings = postable(seed, documents);
    settings.visma.calls_per_window = 1_000_000;
    Sandbox::start(settings).await.expect("it listens")
}

struct Blocks {
    head: String,
    source: String,
    company: String,
    connection: String,
}

fn blocks(flow: &Flow) -> Blocks {
    let text = std::fs::read_to_string(flow.folder.join("ml-connector.toml")).unwrap();
    let (head, rest) = text.split_once("[[source]]").unwrap();
    let (source, rest) = rest.split_once("[[company]]").unwrap();
    let (company, connection) = rest.split_once("[[connection]]").unwrap();
    let block = |name: &str, body: &str| format!("[[{name}]]{body}\n");
    Blocks {
        head: head.into(),
        source: block("source", source),
        company: block("company", company),
        connection: block("connection", connection),
    }
}

fn configure(flow: &mut Flow, parts: &[&str]) {
    let path = flow.folder.join("ml-connector.toml");
    std::fs::write(&path, parts.concat()).unwrap();
    flow.config = Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
}

async fn verified(flow: &Flow) -> (Value, i32) {
    let output = run(&flow.folder, &["--json", "audit", "verify"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(&text).unwrap(), output.status.code().unwrap())
}

async fn heads(store: &Store) -> BTreeMap<String, i64> {
    let rows = store.ownerships().await.unwrap();
    rows.into_iter().map(|row| (row.unit, row.head_seq)).collect()
}

/// Two instances feed one company. They number their orders alike, and send the same invoices: the orders
/// are two, the invoices are one each.
async fn two_instances(test: TestStore) -> (Flow, Sandbox, String, String, Blocks) {
    let flow = Flow::start(postable(21, 12), test).await;
    let other = second_instance(21, 12).await;
    let blocks = blocks(&flow);
    let source = blocks
        .source
        .replace("id = \"jaggaer\"", "id = \"second\"")
        .replace(&flow.sandbox.jaggaer_url(), &other.jaggaer_url());
    let connection = blocks
        .connection
        .replace("id = \"no\"", "id = \"also\"")
        .replace("source = \"jaggaer\"", "source = \"second\"");
    (flow, other, source, connection, blocks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_feed_one_company() {
    for test in stores::both().await {
        let (mut flow, _other, source, connection, blocks) = two_instances(test).await;
        flow.sync().await;
        let first = flow.documents().await;
        // The new connection sorts before the first one: the unit keeps its name and its chain.
        configure(
            &mut flow,
            &[
                &blocks.head,
                &blocks.source,
                &source,
                &blocks.company,
                &blocks.connection,
                &connection,
            ],
        );
        flow.sync().await;
        flow.sync().await;
        assert_eq!(heads(&flow.store).await.keys().collect::<Vec<_>>(), ["no"]);
        let all = flow.store.documents(&DocumentFilter::default()).await.unwrap();
        assert_eq!(all.len(), 2 * first.len());
        let (mut orders, mut duplicates) = (0, 0);
        for document in all.iter().filter(|of| of.source == "second") {
            let holds = flow.store.holds_of(&document.id).await.unwrap();
            let codes: Vec<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
            match document.state {
                DocumentState::Posted => orders += i32::from(document.visma_number.is_some()),
                DocumentState::Held => {
                    assert!(
                        codes.iter().all(|code| code.starts_with("duplicate")),
                        "{document:?} {holds:?}"
                    );
                    duplicates += 1;
                }
                _ => assert_eq!(document.state, DocumentState::Ignored, "{document:?}"),
            }
        }
        assert!(orders >= 5 && duplicates >= 5, "{orders} {duplicates}");
        // Nothing of the first instance moved, and no order of the second was taken for one of the first.
        let mut numbers = std::collections::BTreeSet::new();
        for document in all.iter().filter(|of| of.kind.as_str() == "purchase_order") {
            if let Some(number) = &document.visma_number {
                assert!(numbers.insert(number.clone()), "{number} stands for two orders");
            }
        }
        let (told, code) = verified(&flow).await;
        assert_eq!((&told["ok"], code), (&true.into(), 0), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_units_that_are_joined_go_on_in_one() {
    for test in stores::both().await {
        let (mut flow, other, source, connection, blocks) = two_instances(test).await;
        // A company of its own at first.
        let company = blocks
            .company
            .replace("id = \"nordlys\"", "id = \"other\"")
            .replace(&flow.sandbox.visma_url(), &other.visma_url());
        let apart = connection.replace("company = \"nordlys\"", "company = \"other\"");
        let (first, second) = (&blocks.source, &source);
        configure(
            &mut flow,
            &[&blocks.head, first, second, &blocks.company, &company, &blocks.connection, &apart],
        );
        flow.sync().await;
        let before = heads(&flow.store).await;
        assert_eq!(before.keys().collect::<Vec<_>>(), ["also", "no"]);

        // A connection between the two makes them one.
        let bridge = apart
            .replace("id = \"also\"", "id = \"bridge\"")
            .replace("company = \"other\"", "company = \"nordlys\"");
        let route = |unit: &str| format!("\n[[connection.route]]\nbusiness_unit = [\"{unit}\"]\n");
        let (apart, bridge) = (format!("{apart}\n"), format!("{bridge}{}", route("NORDLYS-NO2")));
        let rest = apart.replacen("take_from", "rest = true\ntake_from", 1);
        configure(
            &mut flow,
            &[
                &blocks.head,
                first,
                second,
                &blocks.company,
                &company,
                &blocks.connection,
                &rest,
                &bridge,
            ],
        );
        let posted: Vec<_> =
            flow.documents().await.into_iter().map(|of| (of.id, of.company)).collect();
        flow.sync().await;
        let after = heads(&flow.store).await;
        assert_eq!(after.keys().collect::<Vec<_>>(), ["also", "no"]);
        assert_eq!(after["no"], before["no"] + 1, "it ended with one entry");
        let end = flow.store.audit_page("no", after["no"] - 1, 1).await.unwrap().remove(0);
        let (named, is_the_end) = ChainLink::of(&end).unwrap().unwrap();
        assert_eq!((named.unit.as_str(), is_the_end), ("also", true));
        flow.sync().await;
        assert_eq!(heads(&flow.store).await["no"], after["no"], "nothing is added to it any more");
        for (id, company) in posted {
            let document = flow.store.document(&id).await.unwrap().unwrap();
            assert_eq!(document.company, company, "what was written stays where it is");
        }
        let (told, code) = verified(&flow).await;
        assert_eq!((&told["ok"], code), (&true.into(), 0), "{told}");

        // Whoever goes on in a chain that has ended is found.
        let owned =
            flow.store.take_ownership("no", "mallory", 60_000_000, true).await.unwrap().unwrap();
        let mut change = Change::new();
        change.log(end.entry.clone());
        flow.store.commit(&owned, change).await.unwrap();
        flow.store.release_ownership(&owned).await.unwrap();
        let (told, code) = verified(&flow).await;
        assert_eq!((&told["ok"], code), (&false.into(), 1), "{told}");
        assert!(told["faults"].to_string().contains("has entries after it"), "{told}");
    }
}

/// Machines whose configurations are not the same for a while: whoever has the old one takes nothing of a unit that
/// others made another of since, and a part is not taken out of a unit that somebody works as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_an_older_configuration_works_nothing_that_moved() {
    for test in stores::both().await {
        let (mut flow, other, source, connection, blocks) = two_instances(test).await;
        let company = blocks
            .company
            .replace("id = \"nordlys\"", "id = \"other\"")
            .replace(&flow.sandbox.visma_url(), &other.visma_url());
        let apart = connection.replace("company = \"nordlys\"", "company = \"other\"");
        let two = [
            &blocks.head,
            &blocks.source,
            &source,
            &blocks.company,
            &company,
            &blocks.connection,
            &apart,
        ];
        configure(&mut flow, &two.map(String::as_str));
        flow.sync().await;
        let old = sync::units(&flow.store, &flow.config).await.unwrap();

        let one = [
            &blocks.head,
            &blocks.source,
            &source,
            &blocks.company,
            &blocks.connection,
            &connection,
        ];
        configure(&mut flow, &one.map(String::as_str));
        flow.sync().await;
        let now = sync::units(&flow.store, &flow.config).await.unwrap();
        assert_eq!((now.len(), now[0].id.as_str()), (1, "also"), "{now:?}");

        let (store, length) = (&flow.store, Duration::from_secs(60));
        let worker = Worker::join(store, true, length, Duration::ZERO).await.unwrap();
        let members = store.unit_members().await.unwrap();
        let stale = old.iter().find(|unit| unit.id == "no").unwrap();
        let refused = sync::take_unit(store, stale, &worker, Duration::ZERO).await.err();
        let Some(SyncError::Configuration(words)) = refused else { panic!("{refused:?}") };
        assert!(words.contains("`also`") && words.contains("the same"), "{words}");
        assert_eq!(store.unit_members().await.unwrap(), members);
        let free = |unit: &str| {
            let unit = unit.to_owned();
            async move {
                let rows = store.ownerships().await.unwrap();
                rows.into_iter().any(|row| row.unit == unit && row.owner.is_empty())
            }
        };
        assert!(free("no").await, "it is given back");

        // The two are parted again, while another machine works them as one.
        configure(&mut flow, &two.map(String::as_str));
        let parted = sync::units(&flow.store, &flow.config).await.unwrap();
        let part = parted.iter().find(|unit| unit.parted_from.is_some()).unwrap().clone();
        assert_eq!(part.parted_from.as_deref(), Some("also"));
        let store = &flow.store;
        store.join_worker(&WorkerRow { id: "old".into(), serves: true }, 60_000_000).await.unwrap();
        let whole = store.take_ownership("also", "old", 60_000_000, false).await.unwrap().unwrap();
        let refused = sync::take_unit(store, &part, &worker, Duration::ZERO).await.err();
        assert!(
            matches!(&refused, Some(SyncError::OwnedElsewhere { owner }) if owner == "old"),
            "{refused:?}"
        );
        store.release_ownership(&whole).await.unwrap();
        for _ in 0..2 {
            let taken = sync::take_unit(store, &part, &worker, Duration::ZERO).await.unwrap();
            taken.release().await.unwrap();
        }
        assert_eq!(heads(store).await[&part.id], 1, "that it was parted is told once");
        worker.leave().await;
    }
}

/// Of two processes that start on a fresh store at once, the second comes when the first has taken a unit and written
/// down nothing of it yet: it must find it owned, not work it under another name.
#[tokio::test]
async fn two_that_start_at_once_name_a_unit_alike() {
    for test in stores::both().await {
        let flow = Flow::start(postable(5, 2), test).await;
        let names = || async {
            let units = sync::units(&flow.store, &flow.config).await.unwrap();
            units.into_iter().map(|unit| unit.id).collect::<Vec<_>>()
        };
        let first = names().await;
        let taken = flow.store.take_ownership(&first[0], "the first", 60_000_000, false).await;
        assert!(taken.unwrap().is_some());
        assert_eq!(names().await, first, "{}", flow.test.url);
    }
}
