//! The real program, started on a configuration that fits a sandbox, and what both sides must
//! agree on when all is done.

use crate::stores::unique;
use ml_connector::config::Config;
use ml_connector::store::{DocumentFilter, DocumentState, PostingState, Store};
use ml_connector_sandbox::world::Kind;
use ml_connector_sandbox::{PlantedHold, Sandbox, Settings, world};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

/// The unit of the sandbox's one connection.
pub const UNIT: &str = "no";
/// The sandbox's company.
pub const COMPANY: &str = "nordlys";

/// What a test wants other than the sandbox's own configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// `hold`, `balanced` or `released`.
    pub mode: &'static str,
    pub lease_seconds: i64,
    pub wait_for_owner_seconds: i64,
    pub settle_after_seconds: i64,
    pub attempts: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: "hold",
            lease_seconds: 3,
            wait_for_owner_seconds: 60,
            settle_after_seconds: 1,
            attempts: 6,
        }
    }
}

/// A folder with a configuration, and the program on it.
pub struct Connector {
    folder: PathBuf,
}

/// How one run of the program ended.
#[derive(Debug)]
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Died by an abort, as at a crash point.
    pub fn is_aborted(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.status.signal() == Some(6)
    }

    /// The one JSON document of `--json`.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // A leftover folder in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Connector {
    pub fn new(sandbox: &Sandbox, store_url: &str, options: &Options) -> Self {
        Self::at(&sandbox.visma_url(), &sandbox.jaggaer_url(), store_url, options)
    }

    pub fn at(visma: &str, jaggaer: &str, store_url: &str, options: &Options) -> Self {
        let folder = std::env::temp_dir().join(unique("ml_connector_run"));
        std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
        let text = include_str!("../../src/cli/sandbox.toml")
            .replace("{visma}", visma)
            .replace("{jaggaer}", jaggaer)
            .replace("{profile}", "default")
            .replace("{mode}", options.mode);
        let mut table: toml::Table = text.parse().expect("the sandbox's configuration is TOML");
        table["store"]["url"] = store_url.into();
        let timing = table["timing"].as_table_mut().expect("a table");
        for (key, value) in [
            ("settle_after_seconds", options.settle_after_seconds),
            ("settle_patience_seconds", 10),
            ("lease_seconds", options.lease_seconds),
            ("wait_for_owner_seconds", options.wait_for_owner_seconds),
            ("attempts", options.attempts),
        ] {
            timing.insert(key.to_owned(), value.into());
        }
        let connector = Self { folder };
        connector.write("ml-connector.toml", &table.to_string());
        connector.write("jaggaer.secret", "sandbox-jaggaer-secret\n");
        connector.write("visma.secret", "sandbox-visma-secret\n");
        connector
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder can be written");
    }

    /// Points the configuration at another store.
    pub fn use_store(&self, url: &str) {
        self.amend(|table| table["store"]["url"] = url.into());
    }

    /// A file beside the configuration.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Changes the configuration.
    pub fn amend(&self, change: impl FnOnce(&mut toml::Table)) {
        let text = std::fs::read_to_string(self.config_path()).expect("it was written");
        let mut table: toml::Table = text.parse().expect("it is TOML");
        change(&mut table);
        self.write("ml-connector.toml", &table.to_string());
    }

    pub fn config_path(&self) -> PathBuf {
        self.path("ml-connector.toml")
    }

    pub fn config(&self) -> Config {
        Config::load(&self.config_path()).expect("a good configuration")
    }

    pub async fn store(&self) -> Store {
        Store::open(&self.config().store_url().expect("no secret")).await.expect("it opens")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        self.dress(&mut command).args(arguments);
        command
    }

    /// The program under a shell that first carries out `before`: a limit, an ignored signal.
    pub fn command_under(&self, before: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_ml-connector"));
        self.dress(&mut command).args(arguments);
        command
    }

    fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_remove("ML_CONNECTOR_CRASH_AT")
            .env_remove("ML_CONNECTOR_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .args(["--json", "--config"])
            .arg(self.config_path())
    }

    pub async fn run(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments)).await
    }

    /// `sync`, made to die at the first of `points` that it reaches.
    pub async fn sync_dying_at(&self, points: &str) -> Run {
        let mut command = self.command(&["sync"]);
        command.env("ML_CONNECTOR_CRASH_AT", points);
        finish(command).await
    }

    /// `sync` until nothing is in flight. Returns the last run.
    pub async fn sync_until_done(&self, what: &str) -> Run {
        let mut last = None;
        for _ in 0..6 {
            let run = self.run(&["sync"]).await;
            assert!(
                matches!(run.code(), Some(0 | 3)),
                "{what}: {:?}\n{}\n{}",
                run.status,
                run.stderr,
                run.stdout
            );
            let report = run.json();
            if report["in_flight"] == 0 && report["uncertain"] == 0 {
                return run;
            }
            last = Some(run);
        }
        panic!("{what}: not done after six runs: {last:#?}");
    }
}

/// Waits for a command without blocking the sandbox, which lives in the same process.
pub async fn finish(mut command: Command) -> Run {
    tokio::task::spawn_blocking(move || command.output().expect("the program starts").into())
        .await
        .expect("waiting does not fail")
}

/// The same for one that was started before.
pub async fn finish_child(child: Child) -> Run {
    tokio::task::spawn_blocking(move || {
        child.wait_with_output().expect("the program can be waited for").into()
    })
    .await
    .expect("waiting does not fail")
}

/// Sends a signal by its name.
pub fn signal(child: &Child, name: &str) {
    let command = format!("kill -{name} {}", child.id());
    let status = Command::new("/bin/sh").args(["-c", &command]).status().expect("a shell");
    assert!(status.success(), "{command}");
}

/// A sandbox whose world is small and has something to hold and something keyed by hand in it.
pub async fn small_sandbox(documents: usize, seed: u64, attachments: bool) -> Sandbox {
    let mut settings = Settings {
        world: world::Settings {
            seed,
            documents,
            attachments,
            held_per_mille: 110,
            ..world::Settings::default()
        },
        ..Settings::default()
    };
    settings.visma.calls_per_window = 1_000_000;
    Sandbox::start(settings).await.expect("it listens")
}

/// Everything that must hold when a world was carried over whole, however often the program died.
pub async fn assert_whole(sandbox: &Sandbox, connector: &Connector, what: &str) {
    let report = sandbox.report();
    let held = held_beside_planted(&connector.store().await, &report.planted_holds).await;
    assert!(report.findings.is_clean(), "{what}: {:#?}\n{held:#?}", report.findings);

    let verified = connector.run(&["audit", "verify"]).await;
    assert_eq!(verified.code(), Some(0), "{what}: {}", verified.stderr);
    assert_eq!(verified.json()["ok"], true, "{what}");

    let store = connector.store().await;
    for state in PostingState::ALL {
        if state.is_open() {
            let open = store.postings_in(COMPANY, state).await.unwrap();
            assert!(open.is_empty(), "{what}: {open:#?}");
        }
    }
    for state in DocumentState::ALL {
        if state.is_in_flight() {
            let filter = DocumentFilter { state: Some(state), ..DocumentFilter::default() };
            let open = store.documents(&filter).await.unwrap();
            assert!(open.is_empty(), "{what}: {open:#?}");
        }
    }
    let differs = store.postings_in(COMPANY, PostingState::Differs).await.unwrap();
    assert!(differs.is_empty(), "{what}: {differs:#?}");
    assert!(held.is_empty(), "{what}: {held:#?}");
}

/// Where the connector's holds and the sandbox's plants do not agree, one text each.
async fn held_beside_planted(store: &Store, planted: &[PlantedHold]) -> Vec<String> {
    let filter = DocumentFilter { state: Some(DocumentState::Held), ..DocumentFilter::default() };
    let mut held: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for document in store.documents(&filter).await.unwrap() {
        let holds = store.holds_of(&document.id).await.unwrap();
        held.insert(
            (document.kind.as_str(), document.source_id),
            holds.into_iter().map(|hold| hold.code).collect(),
        );
    }
    let mut wrong = Vec::new();
    for plant in planted {
        let kind = match plant.kind {
            Kind::PurchaseOrder => "purchase_order",
            Kind::SupplierInvoice => "supplier_invoice",
            Kind::CreditNote => "credit_note",
        };
        let either = [Some(&plant.source_id), plant.or_source_id.as_ref()];
        let codes = either.into_iter().flatten().find_map(|id| held.remove(&(kind, id.clone())));
        let fits = |codes: &BTreeSet<String>| {
            codes.contains(plant.code) || plant.or_code.is_some_and(|or| codes.contains(or))
        };
        if !codes.as_ref().is_some_and(fits) {
            wrong.push(format!("{plant:?} is held as {codes:?}"));
        }
    }
    wrong.extend(held.into_iter().map(|other| format!("{other:?} was not planted")));
    wrong
}

/// Every move in the audit trail: the step it belongs to (empty for a document's own), from, to.
pub async fn moves(store: &Store) -> BTreeSet<(String, String, String)> {
    let mut moves = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = store.audit_page(UNIT, after, 500).await.unwrap();
        let Some(last) = page.last() else { return moves };
        after = last.seq;
        for chained in page {
            let entry = chained.entry;
            let detail: Value = serde_json::from_str(&entry.detail).expect("details are JSON");
            let step = detail["step"].as_str().unwrap_or_default().to_owned();
            moves.insert((step, entry.from_state, entry.to_state));
        }
    }
}
