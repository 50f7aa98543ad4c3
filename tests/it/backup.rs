//! A backup is taken while others work, is whole, and put back later makes nothing be posted twice:
//! with the real program, as docs/backup.md says it.

use crate::connector::{Connector, Options, assert_whole, finish, finish_child, small_sandbox};
use crate::stores::{self, TestStore};
use ml_connector::store::{Change, DocumentFilter, DocumentState, Statement};
use ml_connector_sandbox::Sandbox;
use ml_connector_sandbox::visma::HeldDocument;
use ml_connector_sandbox::world::{Fate, Kind, OrderChange};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SEED: u64 = 11;

fn options() -> Options {
    Options { mode: "released", ..Options::default() }
}

async fn tool(program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments);
    let run = finish(command).await;
    assert!(run.status.success(), "{program} {arguments:?}: {}", run.stderr);
}

/// An order that is posted and that nothing bills, so that a change of it is no change of others.
fn unbilled_order(sandbox: &Sandbox) -> String {
    let world = sandbox.world();
    let expectations = world.expectations();
    let invoices = expectations.iter().filter_map(|of| world.invoice(&of.source_id));
    let billed: BTreeSet<String> = invoices
        .flat_map(|invoice| invoice.lines)
        .filter_map(|line| line.bills)
        .map(|key| key.order_id)
        .collect();
    let order = expectations.iter().find(|of| {
        of.kind == Kind::PurchaseOrder
            && matches!(of.fate, Fate::Posted(_))
            && !billed.contains(&of.source_id)
    });
    order.expect("one that nothing bills").source_id.clone()
}

/// The program on one store, beside the two systems that it works between.
struct Place {
    sandbox: Sandbox,
    connector: Connector,
    test: TestStore,
}

impl Place {
    async fn new(test: TestStore, documents: usize) -> Self {
        let sandbox = small_sandbox(documents, SEED, true).await;
        let connector = Connector::new(&sandbox, &test.url, &options());
        Self { sandbox, connector, test }
    }

    /// The store's file; `None`: PostgreSQL.
    fn file(&self) -> Option<&str> {
        self.test.url.strip_prefix("sqlite:")
    }

    /// Takes a backup as the manual says for the store's kind.
    async fn take(&self, name: &str) -> PathBuf {
        let path = self.connector.path(name);
        let shown = path.to_str().expect("a plain path");
        if self.file().is_none() {
            let file = format!("--file={shown}");
            tool("pg_dump", &["--format=custom", &file, &self.test.url]).await;
            return path;
        }
        let run = self.connector.run(&["backup", shown]).await;
        assert_eq!(run.code(), Some(0), "{run:#?}");
        let told = run.json();
        assert_eq!(told["ok"], true);
        assert!(told["entries"].as_i64() > Some(0) && told["documents"].as_i64() > Some(0));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "others can read it");
        let again = self.connector.run(&["backup", shown, "--check"]).await;
        assert_eq!(again.json(), told, "the same file tells the same");
        path
    }

    /// Puts a backup in the place of the store; on PostgreSQL into a new database. What was there
    /// stays beside it.
    async fn restore(&mut self, backup: &Path) {
        if let Some(file) = self.file() {
            for end in ["", "-wal", "-shm"] {
                let from = format!("{file}{end}");
                // Whoever closes the store last takes the other two away.
                match std::fs::rename(&from, format!("{from}.before")) {
                    Err(error) if error.kind() != ErrorKind::NotFound => panic!("{from}: {error}"),
                    Ok(()) | Err(_) => {}
                }
            }
            std::fs::copy(backup, file).unwrap();
        } else {
            let fresh = stores::another(&self.test).await;
            let target = format!("--dbname={}", fresh.url);
            tool("pg_restore", &["--no-owner", &target, backup.to_str().unwrap()]).await;
            self.connector.use_store(&fresh.url);
            self.test = fresh;
        }
        let verified = self.connector.run(&["audit", "verify"]).await;
        assert_eq!(verified.code(), Some(0), "{verified:#?}");
    }

    /// Where each document stands, by kind and JAGGAER's id.
    async fn states(&self) -> BTreeMap<(String, String), DocumentState> {
        let documents = self.connector.store().await.documents(&DocumentFilter::default()).await;
        let documents = documents.expect("the store reads").into_iter();
        documents.map(|of| ((of.kind.as_str().to_owned(), of.source_id), of.state)).collect()
    }

    async fn actions(&self, source_id: &str) -> Vec<String> {
        let store = self.connector.store().await;
        let document = store.find_documents(source_id).await.unwrap().remove(0);
        let trail = store.audit_of(&document.id).await.unwrap();
        trail.into_iter().map(|entry| entry.entry.action).collect()
    }

    /// What stands in Visma, by number.
    fn in_visma(&self) -> BTreeMap<String, HeldDocument> {
        let documents = self.sandbox.visma().documents().into_iter();
        documents.map(|held| (held.number.clone(), held)).collect()
    }

    /// Carries on from the backup until all is done, and proves that Visma stands as it stood.
    async fn carry_on_from(&mut self, backup: &Path, what: &str) {
        let (stood, states) = (self.in_visma(), self.states().await);
        self.restore(backup).await;
        assert_ne!(self.states().await, states, "{what}: the backup is as new as the store");
        self.connector.sync_until_done(what).await;
        assert_whole(&self.sandbox, &self.connector, what).await;
        assert_eq!(self.in_visma(), stood, "{what}");
        assert_eq!(self.sandbox.report().visma.repeated, Vec::<String>::new(), "{what}");
        assert_eq!(self.states().await, states, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_posted_after_the_backup_is_not_posted_again() {
    for test in stores::both().await {
        let what = test.url.clone();
        let mut place = Place::new(test, 30).await;
        place.connector.sync_until_done(&what).await;
        let changed = unbilled_order(&place.sandbox);
        let backup = place.take("old.backup").await;

        let world = place.sandbox.world().clone();
        let change = OrderChange::Quantity { line: 0, quantity: Decimal::from(123) };
        assert!(world.change_order(&changed, &change));
        let vendors = world.vendors();
        let vendor = vendors.iter().position(|of| of.is_payable() && of.currency == "NOK");
        let orders: Vec<String> = (0..4).map(|_| world.add_order(vendor.unwrap())).collect();
        let invoices: Vec<String> =
            orders.iter().map(|order| world.add_invoice(order).unwrap()).collect();
        place.connector.sync_until_done(&what).await;
        assert_whole(&place.sandbox, &place.connector, &what).await;

        place.carry_on_from(&backup, &what).await;
        for id in orders.iter().chain(&invoices) {
            assert!(place.actions(id).await.contains(&"adopted".to_owned()), "{what}: {id}");
        }
        // What was taken over is as good as made: JAGGAER's next change is carried over.
        let change = OrderChange::Quantity { line: 0, quantity: Decimal::from(7) };
        assert!(world.change_order(&orders[0], &change));
        place.connector.sync_until_done(&what).await;
        assert_whole(&place.sandbox, &place.connector, &what).await;
    }
}

/// The backup holds writes in every state: planned, sent without an answer, done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_at_work_is_whole_and_posts_nothing_twice() {
    for test in stores::both().await {
        let what = test.url.clone();
        let mut place = Place::new(test, 60).await;
        let child = place.connector.command(&["sync"]).spawn().unwrap();
        let mut backups = Vec::new();
        for writes in [1, 10, 30, 50] {
            while place.sandbox.visma().calls().writes < writes {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            backups.push(place.take(&format!("{writes}.backup")).await);
        }
        let run = finish_child(child).await;
        assert!(matches!(run.code(), Some(0 | 3)), "{what}: {run:#?}");
        place.connector.sync_until_done(&what).await;
        assert_whole(&place.sandbox, &place.connector, &what).await;
        for backup in backups {
            place.carry_on_from(&backup, &format!("{what} from {}", backup.display())).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_backup_is_told_in_words() {
    let place = Place::new(stores::sqlite(), 6).await;
    let at = |name: &str| place.connector.path(name).display().to_string();
    let refused = async |arguments: &[&str], code: i32, words: &str| {
        let run = place.connector.run(arguments).await;
        assert_eq!(run.code(), Some(code), "{arguments:?}: {run:#?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    };
    refused(&["backup", &at("early")], 1, "there is no store at").await;
    assert!(!place.connector.path("early").exists());
    place.connector.sync_until_done("first").await;
    let good = place.take("good").await;
    let content = std::fs::read(&good).unwrap();

    refused(&["backup", &at("good")], 1, "is not written over").await;
    assert_eq!(std::fs::read(&good).unwrap(), content);
    refused(&["backup", &at("no/such")], 1, "cannot write").await;
    place.connector.write("broken", "");
    refused(&["backup", &at("broken")], 1, "one was broken off").await;
    place.connector.write("half.unfinished", "a part");
    refused(&["backup", &at("half")], 1, "one was broken off").await;
    assert!(!place.connector.path("half").exists(), "the name is free again");

    refused(&["backup", "--check", &at("none")], 1, "cannot read").await;
    place.connector.write("words", "no database at all, but long enough to be looked at");
    refused(&["backup", "--check", &at("words")], 1, "no SQLite database").await;
    let mut torn = content.clone();
    let middle = torn.len() / 8192 * 4096;
    torn[middle..middle + 4096].fill(0xA5);
    std::fs::write(place.connector.path("torn"), torn).unwrap();
    refused(&["backup", "--check", &at("torn")], 1, "damaged").await;
    std::fs::write(place.connector.path("short"), &content[..content.len() / 2]).unwrap();
    refused(&["backup", "--check", &at("short")], 1, "damaged").await;

    // A trail that was tampered with: the copy is true, and says so.
    let store = place.connector.store().await;
    let owner = store.take_ownership("no", "me", 60_000_000, true).await.unwrap().unwrap();
    let mut change = Change::new();
    change.push(Statement::new("update audit set detail = '{\"a\":1}' where seq = 3", Vec::new()));
    store.commit(&owner, change).await.unwrap();
    refused(&["backup", &at("tampered")], 1, "does not hold").await;
    refused(&["backup", "--check", &at("tampered")], 1, "does not hold").await;
    let live = place.file().unwrap().to_owned();
    refused(&["backup", "--check", &live], 1, "a store in use").await;

    let served = Place::new(stores::postgres().await, 6).await;
    let run = served.connector.run(&["backup", &at("dump")]).await;
    assert_eq!(run.code(), Some(2), "{run:#?}");
    assert!(run.stderr.contains("pg_dump --format=custom"), "{}", run.stderr);
}
