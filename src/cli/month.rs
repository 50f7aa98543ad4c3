//! `demo --month`: labelled months of the sandbox, judged by the connector as an accounts-payable
//! department would judge them, and the judgement held against the labels.

use super::output::{Failure, Output, table};
use super::progress::Bars;
use super::sandbox::write_month_configuration;
use ml_connector::config::Config;
use ml_connector::store::{DocumentFilter, DocumentState, Store};
use ml_connector::sync::{self, RoundReport};
use ml_connector_sandbox::world::month::{Judgement, Outcome};
use ml_connector_sandbox::{Report, Sandbox, Settings, world};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use tokio::sync::watch;

/// Invoices of a month, where nothing is said.
pub const DOCUMENTS: usize = 5_000;
/// Rounds until everything that can move has moved.
const ROUNDS: usize = 6;

pub struct Months {
    pub seeds: Range<u64>,
    pub documents: usize,
}

/// What came of one month.
struct Month {
    seed: u64,
    judgement: Judgement,
    counted: Report,
    received: i64,
    seconds: f64,
    /// What the syncs could not do.
    errors: Vec<String>,
}

pub async fn run(
    months: Months,
    folder: &Path,
    stop: watch::Receiver<bool>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut judged = Vec::new();
    for seed in months.seeds {
        if *stop.borrow() {
            break;
        }
        // Each in a store of its own; the first in the folder itself, as without `--seeds`.
        let folder = if judged.is_empty() { folder.into() } else { folder.join(seed.to_string()) };
        let month = month(seed, months.documents, &folder, &stop).await?;
        month.say(output);
        judged.push(month);
    }
    let sum = |of: fn(&Judgement) -> usize| judged.iter().map(|month| of(&month.judgement)).sum();
    let (caught, missed, wrongly_posted, wrongly_held): (usize, usize, usize, usize) = (
        sum(|judgement| judgement.caught),
        sum(|judgement| judgement.missed),
        sum(|judgement| judgement.wrongly_posted),
        sum(|judgement| judgement.wrongly_held),
    );
    let stopped = *stop.borrow();
    output.print(&json!({
        "caught": caught, "missed": missed, "wrongly_posted": wrongly_posted,
        "wrongly_held": wrongly_held, "stopped": stopped,
        "months": judged.iter().map(Month::json).collect::<Vec<_>>(),
    }));
    output.say(format!(
        "{} months: {caught} caught, {missed} missed ({wrongly_posted} of them posted), \
         {wrongly_held} wrongly held",
        judged.len()
    ));
    let good = !stopped && judged.iter().all(Month::is_good);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn month(
    seed: u64,
    documents: usize,
    folder: &Path,
    stop: &watch::Receiver<bool>,
) -> Result<Month, Failure> {
    let mut settings = Settings {
        world: world::Settings { seed, documents, month: true, ..world::Settings::default() },
        ..Settings::default()
    };
    settings.visma.calls_per_window = 10_000_000;
    let sandbox = Sandbox::start(settings).await.map_err(Failure::could_not)?;
    let path = write_month_configuration(folder, &sandbox.visma_url(), &sandbox.jaggaer_url())
        .map_err(Failure::could_not)?;
    let config = Config::load(&path).map_err(Failure::configuration)?;
    let store = super::open(&config).await?;
    eprintln!("month {seed}: {documents} invoices, their orders and receipts");
    let first = settle(&store, &config, stop).await?;
    let before = outcomes(&store).await?;
    sandbox.world().deliver_late_receipts();
    let last = settle(&store, &config, stop).await?;
    let after = outcomes(&store).await?;
    Ok(Month {
        seed,
        judgement: sandbox.world().judge(&before, &after),
        counted: sandbox.report(),
        received: last.totals.received,
        seconds: first.seconds + last.seconds,
        errors: last.errors.iter().map(ToString::to_string).collect(),
    })
}

/// Syncs until nothing moves any more: what is still in flight then waits for something.
async fn settle(
    store: &Store,
    config: &Config,
    stop: &watch::Receiver<bool>,
) -> Result<RoundReport, Failure> {
    let mut seconds = 0.0;
    let mut in_flight = None;
    let mut report = RoundReport::default();
    for _ in 0..ROUNDS {
        report = sync::sync(store, config, None, Bars::shared(), stop.clone()).await?;
        seconds += report.seconds;
        let rests = in_flight == Some(report.totals.in_flight) && report.errors.is_empty();
        if report.totals.in_flight == 0 || rests || report.stopped {
            break;
        }
        in_flight = Some(report.totals.in_flight);
    }
    report.seconds = seconds;
    Ok(report)
}

/// State and holds of every document, by JAGGAER's id.
async fn outcomes(store: &Store) -> Result<HashMap<String, Outcome>, Failure> {
    let mut codes: HashMap<String, Vec<String>> = HashMap::new();
    for hold in store.holds().await? {
        codes.entry(hold.document).or_default().push(hold.code);
    }
    let documents = store.documents(&DocumentFilter::default()).await?;
    Ok(documents
        .into_iter()
        .map(|document| {
            let held = document.state == DocumentState::Held;
            let codes = codes.remove(&document.id).filter(|_| held).unwrap_or_default();
            (document.source_id, Outcome { state: document.state.as_str().into(), codes })
        })
        .collect())
}

impl Month {
    fn is_good(&self) -> bool {
        self.judgement.missed == 0
            && self.judgement.wrongly_held == 0
            && self.counted.findings.is_clean()
            && self.errors.is_empty()
    }

    fn json(&self) -> Value {
        json!({
            "seed": self.seed, "received": self.received,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "caught": self.judgement.caught, "missed": self.judgement.missed,
            "wrongly_posted": self.judgement.wrongly_posted,
            "wrongly_held": self.judgement.wrongly_held,
            "by_case": self.judgement.by_case, "findings": self.judgement.findings,
            "in_visma": self.counted.findings, "errors": self.errors,
        })
    }

    fn say(&self, output: &Output) {
        output.say(table(
            &["case", "planted", "caught", "missed", "posted", "clean", "wrongly held"],
            self.judgement.by_case.iter().map(|(case, row)| {
                let counts = [
                    row.planted,
                    row.caught,
                    row.missed,
                    row.wrongly_posted,
                    row.clean,
                    row.wrongly_held,
                ];
                std::iter::once((*case).to_owned())
                    .chain(counts.iter().map(ToString::to_string))
                    .collect()
            }),
        ));
        for finding in self.judgement.findings.iter().take(40) {
            eprintln!("month {}: {finding}", self.seed);
        }
        let visma = &self.counted.findings;
        for finding in [&visma.missing, &visma.duplicated, &visma.wrong, &visma.unexpected]
            .into_iter()
            .flatten()
            .take(20)
        {
            eprintln!("month {}, in Visma: {finding}", self.seed);
        }
        for error in &self.errors {
            eprintln!("month {}: {error}", self.seed);
        }
        output.say(format!(
            "month {}: {} documents in {:.0} s, {} caught, {} missed, {} wrongly held",
            self.seed,
            self.received,
            self.seconds,
            self.judgement.caught,
            self.judgement.missed,
            self.judgement.wrongly_held
        ));
    }
}
