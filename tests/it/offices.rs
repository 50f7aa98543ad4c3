//! Three regional offices on one JAGGAER instance, each with a Visma company of its own: the example of
//! the manual, on the sandbox.

use crate::stores::{self, TestStore};
use ml_connector::audit::{Head, Verifier};
use ml_connector::config::Config;
use ml_connector::store::{DocumentFilter, DocumentRow, DocumentState, Store};
use ml_connector::sync::{self, RoundReport, Silent};
use ml_connector_sandbox::{Sandbox, Settings, world};
use std::path::PathBuf;
use std::sync::Arc;

pub const EXAMPLE: &str = include_str!("../../docs/examples/three-offices.toml");

pub struct Offices {
    pub sandbox: Sandbox,
    pub config: Config,
    pub store: Store,
    /// Kept for its folder.
    _test: TestStore,
    pub folder: PathBuf,
}

impl Drop for Offices {
    fn drop(&mut self) {
        // A leftover folder in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn settings(seed: u64, documents: usize, held_per_mille: u32) -> Settings {
    let world = world::Settings {
        seed,
        documents,
        held_per_mille,
        companies: 3,
        ..world::Settings::default()
    };
    let mut settings = Settings { world, ..Settings::default() };
    settings.visma.calls_per_window = 1_000_000;
    settings
}

impl Offices {
    pub async fn start(settings: Settings, test: TestStore) -> Self {
        let sandbox = Sandbox::start(settings).await.expect("the sandbox starts");
        let folder = std::env::temp_dir().join(stores::unique("ml_connector_offices"));
        std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
        for name in ["jaggaer", "visma"] {
            let secret = format!("sandbox-{name}-secret\n");
            std::fs::write(folder.join(format!("{name}.secret")), secret).expect("writable");
        }
        let text = fitted(EXAMPLE, &sandbox, &test);
        let store = Store::open(&test.url).await.expect("the store opens");
        let config = Config::parse(&text, &folder).expect("the example is good");
        let mut offices = Self { sandbox, config, store, _test: test, folder };
        offices.configure(&text);
        offices
    }

    /// The configuration file as it stands.
    pub fn text(&self) -> String {
        std::fs::read_to_string(self.folder.join("ml-connector.toml")).expect("it was written")
    }

    pub fn configure(&mut self, text: &str) {
        let path = self.folder.join("ml-connector.toml");
        std::fs::write(&path, text).expect("writable");
        self.config = Config::load(&path).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }

    pub fn change(&mut self, changes: &[(&str, &str)]) {
        let mut text = self.text();
        for (from, to) in changes {
            assert!(text.contains(from), "{from} is not in {text}");
            text = text.replace(from, to);
        }
        self.configure(&text);
    }

    pub async fn round(&self) -> RoundReport {
        let (_ask, stop) = tokio::sync::watch::channel(false);
        let report = sync::sync(&self.store, &self.config, None, Arc::new(Silent), stop)
            .await
            .expect("the round runs");
        let totals = &report.totals;
        let parts = totals.posted + totals.held + totals.ignored + totals.in_flight;
        assert_eq!(totals.received, parts, "{totals:?}");
        report
    }

    pub async fn sync(&self) -> RoundReport {
        let report = self.round().await;
        assert_eq!(report.errors, Vec::<String>::new());
        report
    }

    pub async fn documents(&self) -> Vec<DocumentRow> {
        self.store.documents(&DocumentFilter::default()).await.expect("the store reads")
    }

    pub async fn document(&self, source_id: &str) -> DocumentRow {
        let mut found = self.documents().await;
        found.retain(|document| document.source_id == source_id);
        assert_eq!(found.len(), 1, "documents with the id {source_id}");
        found.remove(0)
    }

    /// Connection, state and codes of the holds.
    pub async fn standing(&self, source_id: &str) -> (String, DocumentState, Vec<String>) {
        let document = self.document(source_id).await;
        let holds = self.store.holds_of(&document.id).await.expect("the store reads");
        let codes = holds.into_iter().map(|hold| hold.code).collect();
        (document.connection, document.state, codes)
    }

    pub fn vendor(&self) -> usize {
        let vendors = self.sandbox.world().vendors();
        vendors
            .iter()
            .position(|vendor| vendor.is_payable() && vendor.currency == "NOK")
            .expect("every world has one")
    }

    /// A new order of a business unit.
    pub fn order(&self, unit: &str) -> String {
        let world = self.sandbox.world();
        let order = world.add_order(self.vendor());
        world.edit_order(&order, |order| order.business_unit = unit.into());
        world.expect_posted(&order);
        order
    }

    /// In how many of the three companies a document with this number or reference lives.
    pub fn copies(&self, reference: &str) -> Vec<usize> {
        (0..3)
            .map(|office| {
                let documents = self.sandbox.visma_of(office).documents();
                let lives = documents
                    .iter()
                    .filter(|held| held.live && held.document.reference == reference);
                lives.count()
            })
            .collect()
    }

    /// Every company holds exactly what is its own.
    pub fn assert_clean(&self) {
        for company in self.sandbox.report().companies {
            assert!(company.findings.is_clean(), "{}: {:#?}", company.tenant, company.findings);
        }
    }

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
            verifier.finish(&head).expect("up to its head");
        }
    }
}

/// The example with the sandbox's addresses and a sandbox's hurry.
fn fitted(text: &str, sandbox: &Sandbox, test: &TestStore) -> String {
    let mut text = text
        .replace("https://nordlys.jaggaer.example", &sandbox.jaggaer_url())
        .replace("sqlite:ml-connector.db", &test.url)
        .replace(
            "profile = \"default\"\n",
            "profile = \"default\"\nrequests_per_second = 0\nconcurrent_requests = 8\n",
        );
    for (url, tenant) in sandbox.visma_urls().iter().zip(sandbox.tenants()) {
        let line = format!("tenant_id = \"{tenant}\"\n");
        assert!(text.contains(&line), "the example names the tenant {tenant}");
        let fit = format!(
            "{line}base_url = \"{url}\"\ntoken_url = \"{url}/connect/token\"\nmin_interval_ms = 0\nburst = 1000\n"
        );
        text = text.replace(&line, &fit);
    }
    let timing = "[timing]\nsettle_after_seconds = 1\nsettle_patience_seconds = 10\nlease_seconds = 15\nattempts = 6\n";
    format!("{timing}\n{text}")
}
