//! The main job on a machine that has nothing yet: both systems simulated, a fresh store, a sync,
//! and a result that the sandbox counts itself.

use super::output::{Failure, Output, table};
use super::progress::Bars;
use super::sandbox::write_configuration;
use super::signal::stop_on_signal;
use super::{audit, month, sync as sync_command};
use ml_connector::config::Config;
use ml_connector::store::{DocumentFilter, DocumentState, Store};
use ml_connector::sync::{self, RoundReport};
use ml_connector_sandbox::jaggaer::Profile;
use ml_connector_sandbox::world::{Fate, Kind};
use ml_connector_sandbox::{Report, Sandbox, Settings, faults, world};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::sync::watch;

/// Orders, and as many invoices, where nothing is said.
const DOCUMENTS: usize = 200;
/// Rounds until a sync under faults must have come to its end.
const ROUNDS: usize = 12;
/// Documents of each kind in the runs that measure what the other modes cost.
const MODE_DOCUMENTS: usize = 20;

#[derive(clap::Args)]
pub struct Arguments {
    /// So many orders and so many invoices: 200, or 5000 invoices of a month.
    #[arg(long)]
    documents: Option<usize>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A month with labelled faults and oddities of every kind; prints what was caught, missed
    /// and wrongly held.
    #[arg(long, conflicts_with_all = ["faults", "profile", "stay"])]
    month: bool,
    /// So many months, one seed after the other.
    #[arg(long, default_value_t = 1, requires = "month")]
    seeds: u64,
    /// none, some or many.
    #[arg(long, default_value = "none")]
    faults: faults::Level,
    /// JAGGAER's layout: default, observed or alternate.
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Keep both systems up until Ctrl-C, and the folder with them.
    #[arg(long)]
    stay: bool,
    /// Where the store and the configuration go; a temporary folder otherwise.
    #[arg(long)]
    folder: Option<PathBuf>,
}

pub async fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let folder = arguments.folder.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("ml-connector-demo-{}", std::process::id()))
    });
    if folder.join("ml-connector.db").exists() {
        return Err(Failure::configuration(format!(
            "{} holds a store already; the demo needs a fresh one: name another folder",
            folder.display()
        )));
    }
    let stop = stop_on_signal();
    let result = if arguments.month {
        let months = month::Months {
            seeds: arguments.seed..arguments.seed.saturating_add(arguments.seeds),
            documents: arguments.documents.unwrap_or(month::DOCUMENTS),
        };
        month::run(months, &folder, stop, output).await
    } else {
        let settings = settings(arguments, arguments.documents.unwrap_or(DOCUMENTS), false);
        demonstrate(arguments, settings, &folder, stop, output).await
    };
    if arguments.folder.is_none() && !arguments.stay {
        // Only a temporary folder; what is left of it harms nobody.
        let _ = std::fs::remove_dir_all(&folder);
    }
    result
}

fn settings(arguments: &Arguments, documents: usize, attachments: bool) -> Settings {
    let mut settings = Settings {
        world: world::Settings {
            seed: arguments.seed,
            documents,
            attachments,
            ..world::Settings::default()
        },
        profile: arguments.profile,
        faults: arguments.faults,
        ..Settings::default()
    };
    settings.visma.calls_per_window = 1_000_000;
    settings
}

async fn demonstrate(
    arguments: &Arguments,
    settings: Settings,
    folder: &Path,
    stop: watch::Receiver<bool>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let documents = settings.world.documents;
    let sandbox = Sandbox::start(settings).await.map_err(Failure::could_not)?;
    let path = write_configuration(folder, &sandbox, "hold").map_err(Failure::could_not)?;
    let config = Config::load(&path).map_err(Failure::configuration)?;
    let store = super::open(&config).await?;
    eprintln!(
        "syncing {} orders and {} invoices from {} to {}",
        documents,
        documents,
        sandbox.jaggaer_url(),
        sandbox.visma_url()
    );
    let mut report = RoundReport::default();
    let mut seconds = 0.0;
    let mut requests = sync::Requests::default();
    for _ in 0..ROUNDS {
        report = sync::sync(&store, &config, None, Bars::shared(), stop.clone()).await?;
        seconds += report.seconds;
        requests.visma += report.requests.visma;
        requests.jaggaer += report.requests.jaggaer;
        let done = report.totals.in_flight == 0 && report.errors.is_empty();
        if done || report.stopped {
            break;
        }
    }
    report.seconds = seconds;
    report.requests = requests;

    let counted = sandbox.report();
    let held = held_as_planted(&store, &counted).await?;
    let verified = audit::verify(&store, None).await?;
    let costs = if arguments.faults == faults::Level::None && !report.stopped {
        costs(arguments, folder, stop.clone()).await?
    } else {
        Vec::new()
    };
    let outcome = Outcome { report, counted, held, verified, costs };
    output.print(&outcome.json());
    outcome.say(output);
    if arguments.stay {
        eprintln!(
            "both systems stay up until Ctrl-C; try: ml-connector --config {} hold list",
            path.display()
        );
        let mut stop = stop;
        let _ = stop.wait_for(|stop| *stop).await;
    }
    Ok(if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

struct Outcome {
    report: RoundReport,
    counted: Report,
    held: Comparison,
    verified: audit::Verified,
    costs: Vec<Cost>,
}

/// The connector's holds against the sandbox's plants.
#[derive(Default)]
struct Comparison {
    /// Planted and not held, or under another code.
    missed: Vec<String>,
    /// Held and not planted.
    wrongly: Vec<String>,
}

/// What one document of a mode costs, in Visma calls that belong to it alone.
struct Cost {
    mode: &'static str,
    documents: usize,
    calls: u64,
}

impl Outcome {
    fn posted_here(&self) -> usize {
        self.counted.expected.values().map(|expected| expected.posted).sum()
    }

    fn calls_per_posted(&self) -> f64 {
        self.counted.visma.calls.total() as f64 / self.posted_here().max(1) as f64
    }

    fn per_second(&self) -> f64 {
        self.report.totals.received as f64 / self.report.seconds.max(0.001)
    }

    fn is_good(&self) -> bool {
        let findings = &self.counted.findings;
        findings.is_clean()
            && self.held.missed.is_empty()
            && self.held.wrongly.is_empty()
            && self.report.totals.uncertain == 0
            && self.report.totals.in_flight == 0
            && self.verified.faults.is_empty()
            && self.report.errors.is_empty()
    }

    fn json(&self) -> Value {
        let mut value = sync_command::report_json(&self.report);
        let findings = &self.counted.findings;
        let round = |value: f64, digits: i32| {
            let scale = 10_f64.powi(digits);
            (value * scale).round() / scale
        };
        value["documents_per_second"] = json!(round(self.per_second(), 1));
        value["duplicates_in_visma"] = json!(findings.duplicated.len());
        value["missing_in_visma"] = json!(findings.missing.len());
        value["wrong_in_visma"] = json!(findings.wrong.len());
        value["unexpected_in_visma"] = json!(findings.unexpected.len());
        value["findings"] = json!(findings);
        value["expected"] = json!(self.counted.expected);
        value["held_as_planted"] =
            json!(self.held.missed.is_empty() && self.held.wrongly.is_empty());
        value["holds_missed"] = json!(self.held.missed);
        value["holds_not_planted"] = json!(self.held.wrongly);
        value["visma_calls"] = json!(self.counted.visma.calls);
        value["calls_per_posted_document"] = json!(round(self.calls_per_posted(), 3));
        value["cost_of_other_modes"] = self
            .costs
            .iter()
            .map(|cost| {
                json!({
                    "mode": cost.mode, "documents": cost.documents, "visma_calls": cost.calls,
                    "calls_per_document": round(cost.per_document(), 2),
                })
            })
            .collect();
        value["audit"] = json!({
            "ok": self.verified.faults.is_empty(),
            "entries": self.verified.entries,
            "heads": self.verified.heads,
        });
        value
    }

    fn say(&self, output: &Output) {
        sync_command::show(&self.report, output);
        let findings = &self.counted.findings;
        let calls = &self.counted.visma.calls;
        let rows = vec![
            ("missing in Visma".to_owned(), findings.missing.len().to_string()),
            ("doubled in Visma".to_owned(), findings.duplicated.len().to_string()),
            ("wrong in Visma".to_owned(), findings.wrong.len().to_string()),
            ("not expected in Visma".to_owned(), findings.unexpected.len().to_string()),
            (
                "held exactly as planted".to_owned(),
                if self.held.missed.is_empty() && self.held.wrongly.is_empty() {
                    "yes".into()
                } else {
                    "NO".into()
                },
            ),
            (
                "Visma calls, reads / writes".to_owned(),
                format!("{} / {}", calls.reads, calls.writes),
            ),
            (
                "Visma calls per posted document".to_owned(),
                format!("{:.3}", self.calls_per_posted()),
            ),
            ("documents per second".to_owned(), format!("{:.1}", self.per_second())),
            (
                "audit trail".to_owned(),
                if self.verified.faults.is_empty() {
                    format!("verifies, {} entries", self.verified.entries)
                } else {
                    "BROKEN".into()
                },
            ),
        ];
        output.say(table(
            &["as the sandbox counts", ""],
            rows.into_iter().map(|(name, value)| vec![name, value]),
        ));
        if !self.costs.is_empty() {
            output.say(table(
                &["calls that belong to one document", "documents", "calls", "per document"],
                self.costs.iter().map(|cost| {
                    vec![
                        cost.mode.to_owned(),
                        cost.documents.to_string(),
                        cost.calls.to_string(),
                        format!("{:.2}", cost.per_document()),
                    ]
                }),
            ));
        }
        let all = [&findings.missing, &findings.duplicated, &findings.wrong, &findings.unexpected];
        for finding in all.into_iter().flatten().take(20) {
            eprintln!("finding: {finding}");
        }
        for line in self.held.missed.iter().chain(&self.held.wrongly).take(20) {
            eprintln!("holds: {line}");
        }
        for fault in &self.verified.faults {
            eprintln!("audit: {fault}");
        }
    }
}

impl Cost {
    fn per_document(&self) -> f64 {
        self.calls as f64 / self.documents.max(1) as f64
    }
}

async fn held_as_planted(store: &Store, counted: &Report) -> Result<Comparison, Failure> {
    let filter = DocumentFilter { state: Some(DocumentState::Held), ..DocumentFilter::default() };
    let mut held: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for document in store.documents(&filter).await? {
        let codes = store.holds_of(&document.id).await?.into_iter().map(|hold| hold.code).collect();
        held.insert((document.kind.as_str().to_owned(), document.source_id), codes);
    }
    let mut comparison = Comparison::default();
    for plant in &counted.planted_holds {
        let kind = kind_name(plant.kind);
        let own = (kind.to_owned(), plant.source_id.clone());
        let twin = plant.or_source_id.as_ref().map(|twin| (kind.to_owned(), twin.clone()));
        let key = if held.contains_key(&own) { own } else { twin.unwrap_or(own) };
        match held.remove(&key) {
            Some(codes)
                if codes.contains(plant.code)
                    || plant.or_code.is_some_and(|or| codes.contains(or)) => {}
            Some(codes) => comparison.missed.push(format!(
                "{kind} {} is held as {}, planted as {}",
                plant.source_id,
                codes.into_iter().collect::<Vec<_>>().join(", "),
                plant.code
            )),
            None => comparison
                .missed
                .push(format!("{kind} {} is not held; planted as {}", plant.source_id, plant.code)),
        }
    }
    for ((kind, id), codes) in held {
        let codes = codes.into_iter().collect::<Vec<_>>().join(", ");
        comparison.wrongly.push(format!("{kind} {id} is held as {codes}, but nothing was planted"));
    }
    Ok(comparison)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::PurchaseOrder => "purchase_order",
        Kind::SupplierInvoice => "supplier_invoice",
        Kind::CreditNote => "credit_note",
    }
}

/// Small runs in the other modes; counts the calls that name a single document.
async fn costs(
    arguments: &Arguments,
    folder: &Path,
    stop: watch::Receiver<bool>,
) -> Result<Vec<Cost>, Failure> {
    let mut costs = Vec::new();
    for (mode, name, attachments) in [
        ("hold", "create on hold, files attached", true),
        ("released", "create and release", false),
    ] {
        let sandbox = Sandbox::start(settings(arguments, MODE_DOCUMENTS, attachments))
            .await
            .map_err(Failure::could_not)?;
        let folder = folder.join(format!("{mode}-{attachments}"));
        let (store, config) = prepare(&sandbox, &folder, mode).await?;
        sync::sync(&store, &config, None, Bars::shared(), stop.clone()).await?;
        let documents = invoices_posted(&sandbox);
        costs.push(Cost {
            mode: name,
            documents,
            calls: document_calls(&sandbox.report(), "supplierInvoice"),
        });
    }
    let sandbox = Sandbox::start(settings(arguments, MODE_DOCUMENTS, false))
        .await
        .map_err(Failure::could_not)?;
    let (store, config) = prepare(&sandbox, &folder.join("update"), "hold").await?;
    sync::sync(&store, &config, None, Bars::shared(), stop.clone()).await?;
    let before = document_calls(&sandbox.report(), "purchaseorder");
    let mut changed = 0;
    for expectation in sandbox.world().expectations() {
        if expectation.kind == Kind::PurchaseOrder && matches!(expectation.fate, Fate::Posted(_)) {
            let change = world::OrderChange::Quantity { line: 0, quantity: 77.into() };
            changed += usize::from(sandbox.world().change_order(&expectation.source_id, &change));
        }
    }
    sync::sync(&store, &config, None, Bars::shared(), stop).await?;
    let after = document_calls(&sandbox.report(), "purchaseorder");
    costs.push(Cost { mode: "update of an order", documents: changed, calls: after - before });
    Ok(costs)
}

async fn prepare(sandbox: &Sandbox, folder: &Path, mode: &str) -> Result<(Store, Config), Failure> {
    let path = write_configuration(folder, sandbox, mode).map_err(Failure::could_not)?;
    let config = Config::load(&path).map_err(Failure::configuration)?;
    let store = super::open(&config).await?;
    Ok((store, config))
}

fn invoices_posted(sandbox: &Sandbox) -> usize {
    sandbox
        .world()
        .expectations()
        .iter()
        .filter(|one| one.kind != Kind::PurchaseOrder && matches!(one.fate, Fate::Posted(_)))
        .count()
}

/// Calls on one document of the entity, and on background jobs; not the lists.
fn document_calls(report: &Report, entity: &str) -> u64 {
    report
        .visma
        .calls
        .by_route
        .iter()
        .filter(|call| {
            let single =
                call.route.contains(entity) && (call.method != "GET" || call.route.contains('{'));
            single || call.route.contains("background")
        })
        .map(|call| call.count)
        .sum()
}
