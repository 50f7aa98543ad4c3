//! Both simulated systems, a configuration for them, a store, and the flow between, in this process.

use crate::stores::{self, TestStore};
use ml_connector::audit::{Head, Verifier};
use ml_connector::config::Config;
use ml_connector::procurement::{ErpInvoice, ErpOrder};
use ml_connector::store::{
    DocumentFilter, DocumentRow, DocumentState, HoldRow, PostingRow, Step, Store,
};
use ml_connector::sync::{self, ManualVerb, RoundReport, Silent};
use ml_connector::vault::Vault;
use ml_connector::visma;
use ml_connector_sandbox::visma::HeldDocument;
use ml_connector_sandbox::world::{Fate, Kind};
use ml_connector_sandbox::{Sandbox, Settings, jaggaer, world};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

/// Rounds after which even a sync under faults must have come to its end.
const MOST_ROUNDS: usize = 12;
/// What `sandbox` and `demo` write for themselves.
const CONFIGURATION: &str = include_str!("../../src/cli/sandbox.toml");
const ALTERNATE_SOURCE: &str = include_str!("../../src/cli/alternate_source.toml");
/// What `demo --month` writes below that.
const OF_A_MONTH: &str = include_str!("../../src/cli/month.toml");

pub struct Flow {
    pub sandbox: Sandbox,
    pub config: Config,
    pub store: Store,
    pub test: TestStore,
    /// Holds the secrets and the configuration file, for runs of the real binary.
    pub folder: PathBuf,
}

impl Drop for Flow {
    fn drop(&mut self) {
        // A leftover folder in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A world of so many orders and invoices, nothing of it unpostable.
pub fn postable(seed: u64, documents: usize) -> Settings {
    Settings {
        world: world::Settings { seed, documents, held_per_mille: 0, ..world::Settings::default() },
        ..Settings::default()
    }
}

impl Flow {
    pub async fn start(mut settings: Settings, test: TestStore) -> Self {
        settings.visma.calls_per_window = 1_000_000;
        let configuration = match settings.world.month {
            // The company of a month books discounts, and has no account for handling.
            true => format!("{CONFIGURATION}{OF_A_MONTH}")
                .replace("[connection.charges.handling]", "[connection.charges.discount]"),
            false => CONFIGURATION.to_owned(),
        };
        let sandbox = Sandbox::start(settings).await.expect("the sandbox starts");
        let folder = std::env::temp_dir().join(stores::unique("ml_connector_flow"));
        std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
        for name in ["jaggaer", "visma"] {
            let secret = format!("sandbox-{name}-secret\n");
            std::fs::write(folder.join(format!("{name}.secret")), secret).expect("writable");
        }
        let layout = match sandbox.profile() {
            // As a customer would: by the path of a file.
            jaggaer::Profile::Alternate => {
                let path = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/alternate.toml");
                ALTERNATE_SOURCE
                    .replace("alternate.toml", path)
                    .replace("{token}", &sandbox.jaggaer_token_url())
            }
            built_in => format!("profile = \"{}\"\n", built_in.name()),
        };
        let text = configuration
            .replace("profile = \"{profile}\"\n", &layout)
            .replace("sqlite:ml-connector.db", &test.url)
            .replace("settle_after_seconds = 2", "settle_after_seconds = 1")
            .replace("{visma}", &sandbox.visma_url())
            .replace("{jaggaer}", &sandbox.jaggaer_url())
            .replace("{mode}", "hold");
        let path = folder.join("ml-connector.toml");
        std::fs::write(&path, text).expect("writable");
        let config = Config::load(&path).expect("the sandbox's configuration is good");
        let store = Store::open(&test.url).await.expect("the store opens");
        Self { sandbox, config, store, test, folder }
    }

    /// One round. What went wrong in it is in its report.
    pub async fn round(&self) -> RoundReport {
        // The sender lives as long as the round: nobody asks it to stop.
        let (_ask, stop) = tokio::sync::watch::channel(false);
        sync::sync(&self.store, &self.config, None, Arc::new(Silent), stop)
            .await
            .expect("the round runs")
    }

    /// One round that nothing disturbs.
    pub async fn sync(&self) -> RoundReport {
        let report = self.round().await;
        assert_eq!(report.errors, Vec::<String>::new());
        assert!(adds_up(&report), "{report:?}");
        report
    }

    /// Rounds until nothing is in flight any more.
    pub async fn sync_to_the_end(&self) -> RoundReport {
        let mut report = RoundReport::default();
        for _ in 0..MOST_ROUNDS {
            report = self.round().await;
            assert!(adds_up(&report), "{report:?}");
            if report.totals.in_flight == 0 && report.errors.is_empty() {
                break;
            }
        }
        report
    }

    /// Asks for a held or settled document as a person does, and lets a round carry it out.
    pub async fn ask(&self, verb: ManualVerb, source_id: &str) -> RoundReport {
        let document = self.document(source_id).await;
        verb.ask(&self.store, "no", &document.id, "tester", "the cause is fixed")
            .await
            .expect("asked");
        self.sync().await
    }

    pub async fn documents(&self) -> Vec<DocumentRow> {
        self.store.documents(&DocumentFilter::default()).await.expect("the store reads")
    }

    /// By JAGGAER's id.
    pub async fn document(&self, source_id: &str) -> DocumentRow {
        let mut found = self.documents().await;
        found.retain(|document| document.source_id == source_id);
        assert_eq!(found.len(), 1, "documents with the id {source_id}");
        found.remove(0)
    }

    pub async fn state(&self, source_id: &str) -> DocumentState {
        self.document(source_id).await.state
    }

    pub async fn holds(&self, source_id: &str) -> Vec<HoldRow> {
        let document = self.document(source_id).await;
        self.store.holds_of(&document.id).await.expect("the store reads")
    }

    pub async fn codes(&self, source_id: &str) -> Vec<String> {
        self.holds(source_id).await.into_iter().map(|hold| hold.code).collect()
    }

    pub async fn postings(&self, source_id: &str) -> Vec<PostingRow> {
        let document = self.document(source_id).await;
        self.store.postings_of(&document.id).await.expect("the store reads")
    }

    /// The bodies of the writes of one step, as they left.
    pub async fn bodies(&self, source_id: &str, step: Step) -> Vec<Value> {
        let postings = self.postings(source_id).await;
        postings
            .into_iter()
            .filter(|posting| posting.step == step)
            .filter_map(|posting| posting.body)
            .filter(|body| !body.is_empty())
            .map(|body| {
                let request: visma::Request = serde_json::from_str(&body).expect("a request");
                match request.body {
                    visma::Body::Json(text) => serde_json::from_str(&text).expect("JSON"),
                    visma::Body::Empty | visma::Body::File { .. } => Value::Null,
                }
            })
            .collect()
    }

    /// The actions of a document's trail, oldest first.
    pub async fn actions(&self, source_id: &str) -> Vec<String> {
        let document = self.document(source_id).await;
        let trail = self.store.audit_of(&document.id).await.expect("the store reads");
        trail.into_iter().map(|entry| entry.entry.action).collect()
    }

    /// The document as the simulated Visma keeps it.
    pub async fn in_visma(&self, source_id: &str) -> HeldDocument {
        let document = self.document(source_id).await;
        let Some(number) = document.visma_number.clone() else {
            panic!(
                "{source_id} does not stand in Visma: {document:?}\n{:#?}",
                self.holds(source_id).await
            );
        };
        let number = match document.visma_type.as_deref() {
            Some(kind @ ("Invoice" | "DebitAdj")) => format!("{kind} {number}"),
            _ => number,
        };
        let mut held = self.sandbox.visma().documents();
        held.retain(|held| held.number == number);
        assert_eq!(held.len(), 1, "{number} in Visma");
        held.remove(0)
    }

    pub fn visma_client(&self) -> visma::Client {
        let settings = self
            .config
            .visma_settings(&self.config.companies[0], &Vault::default())
            .expect("settings");
        visma::Client::new(settings).expect("a client")
    }

    /// The invoice as Visma's API shows it.
    pub async fn erp_invoice(&self, source_id: &str) -> ErpInvoice {
        let document = self.document(source_id).await;
        let (kind, number) = (document.visma_type.unwrap(), document.visma_number.unwrap());
        self.visma_client().invoice(&kind, &number).await.expect("Visma answers").0
    }

    /// The order as Visma's API shows it.
    pub async fn erp_order(&self, source_id: &str) -> ErpOrder {
        let document = self.document(source_id).await;
        let number = document.visma_number.expect("it stands in Visma");
        self.visma_client().order(&number).await.expect("Visma answers").0
    }

    /// Writes that Visma got so far.
    pub fn writes(&self) -> u64 {
        self.sandbox.visma().calls().writes
    }

    /// Calls of a method so far.
    pub fn calls(&self, method: &str) -> u64 {
        let calls = self.sandbox.visma().calls();
        let of = calls
            .by_route
            .iter()
            .filter(|call| call.method == method && !call.route.contains("token"));
        of.map(|call| call.count).sum()
    }

    /// Nothing is missing, doubled, wrong or unexpected in Visma, by its own book.
    pub fn assert_clean(&self) {
        let findings = self.sandbox.report().findings;
        assert!(findings.is_clean(), "{}: {findings:#?}", self.test.url);
    }

    /// The ids of JAGGAER's documents of one kind that must be posted.
    pub fn to_post(&self, kind: Kind) -> Vec<String> {
        let expectations = self.sandbox.world().expectations().into_iter();
        expectations
            .filter(|of| of.kind == kind && matches!(of.fate, Fate::Posted(_)))
            .map(|of| of.source_id)
            .collect()
    }

    /// A vendor at home that documents can be posted for, by its position.
    pub fn vendor(&self) -> usize {
        let vendors = self.sandbox.world().vendors();
        vendors
            .iter()
            .position(|vendor| vendor.is_payable() && vendor.currency == "NOK")
            .expect("every world has one")
    }

    /// How the held documents differ from those that were planted; empty when they do not.
    pub async fn wrongly_held(&self) -> Vec<String> {
        let filter =
            DocumentFilter { state: Some(DocumentState::Held), ..DocumentFilter::default() };
        let mut held: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for document in self.store.documents(&filter).await.expect("the store reads") {
            let holds = self.store.holds_of(&document.id).await.expect("the store reads");
            let codes = holds.into_iter().map(|hold| hold.code).collect();
            held.insert((document.kind.as_str().to_owned(), document.source_id), codes);
        }
        let mut differences = Vec::new();
        for plant in self.sandbox.report().planted_holds {
            let kind = match plant.kind {
                Kind::PurchaseOrder => "purchase_order",
                Kind::SupplierInvoice => "supplier_invoice",
                Kind::CreditNote => "credit_note",
            };
            let twin = plant.or_source_id.unwrap_or_default();
            let found = held
                .remove(&(kind.to_owned(), plant.source_id.clone()))
                .or_else(|| held.remove(&(kind.to_owned(), twin)));
            let fits = found.as_ref().is_some_and(|codes| {
                codes.contains(plant.code) || plant.or_code.is_some_and(|or| codes.contains(or))
            });
            if !fits {
                differences.push(format!(
                    "{kind} {} is held as {found:?}, planted as {}",
                    plant.source_id, plant.code
                ));
            }
        }
        differences.extend(held.into_iter().map(|(of, codes)| format!("{of:?}: {codes:?}")));
        differences
    }

    /// Every chain of the trail holds, to its head.
    pub async fn assert_trail(&self) {
        for row in self.store.ownerships().await.expect("the store reads") {
            let mut verifier = Verifier::new(&row.unit);
            let mut after = 0;
            loop {
                let page = self.store.audit_page(&row.unit, after, 1000).await.expect("it reads");
                let Some(last) = page.last() else { break };
                after = last.seq;
                for entry in &page {
                    verifier.next(entry).expect("the chain holds");
                }
            }
            let head = Head { seq: row.head_seq, hash: row.head_hash };
            assert_eq!(verifier.finish(&head).expect("up to its head").seq, head.seq);
        }
    }

    /// Runs the real binary on this flow's configuration file.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        run(&self.folder, arguments).await
    }

    /// The same; its one JSON document and its exit status.
    pub async fn run_json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(&[&["--json"], arguments].concat()).await;
        let text = String::from_utf8(output.stdout).expect("JSON is text");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}\n{}", String::from_utf8_lossy(&output.stderr))
        });
        (value, output.status.code().expect("it was not killed"))
    }
}

/// Runs the real binary on the configuration file in a folder.
pub async fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.arg("--config").arg(folder.join("ml-connector.toml")).args(arguments);
    command.env("ML_CONNECTOR_LOG", "trace");
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs"))
        .await
        .expect("it was waited for")
}

/// Seen = posted + held + ignored + in flight, in count and in each sum.
fn adds_up(report: &RoundReport) -> bool {
    let totals = &report.totals;
    let amount = |text: &str| text.parse::<rust_decimal::Decimal>().expect("a decimal");
    totals.received == totals.posted + totals.held + totals.ignored + totals.in_flight
        && totals.money.iter().all(|sum| {
            let parts = [&sum.posted, &sum.held, &sum.ignored, &sum.in_flight];
            amount(&sum.seen) == parts.into_iter().map(|part| amount(part)).sum()
        })
}
