//! Holds JAGGAER's lists, the store and Visma's lists against each other.

use super::account::account;
use super::output::{Failure, Output, counted, plain, table};
use super::signal::stop_on_signal;
use ml_connector::config::Config;
use ml_connector::reconcile::{Line, LineKey, Month, Sum, amount_text, report};
use ml_connector::sync::{Reconciled, SyncError, reconcile};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Differences that are printed; the rest is a number.
const MOST: usize = 10_000;

#[derive(clap::Args)]
pub struct Arguments {
    /// Documents dated in this month, e.g. 2026-03; left out: everything that was ever received.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<Month>,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let stop = stop_on_signal();
    let done = reconcile(&store, config, arguments.period, &account(), stop).await?;
    if let [Reconciled { error: Some(SyncError::Configuration(error)), .. }] = done.as_slice() {
        return Err(Failure::configuration(error));
    }
    let period = arguments.period.map_or_else(|| "all".to_owned(), |month| month.to_string());
    output.print(&json_of(&period, &done));
    show(&period, &done, output);
    let failed = done.iter().any(|unit| unit.error.is_some());
    let open = done.iter().flat_map(|unit| &unit.statements).any(|of| !of.balances());
    Ok(match (failed, open) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(3),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Of a unit that could not be read nothing is claimed: `balanced` is false, and `errors` says why.
fn json_of(period: &str, done: &[Reconciled]) -> Value {
    let (mut lines, mut differences, mut by_hand) = (Vec::new(), Vec::new(), Vec::new());
    let (mut in_all, mut balanced) = (0, true);
    for unit in done {
        balanced &= unit.error.is_none();
        for statement in &unit.statements {
            let mut of = report(statement, MOST);
            balanced &= statement.balances();
            in_all += statement.differences.len();
            for (list, key) in [
                (&mut lines, "lines"),
                (&mut differences, "differences"),
                (&mut by_hand, "by_hand"),
            ] {
                if let Value::Array(rows) = of[key].take() {
                    list.extend(rows);
                }
            }
        }
    }
    json!({
        "period": period,
        "balanced": balanced,
        "lines": lines,
        "differences_in_all": in_all,
        "differences": differences,
        "by_hand": by_hand,
        "requests": {
            "visma": done.iter().map(|unit| unit.requests.visma).sum::<u64>(),
            "jaggaer": done.iter().map(|unit| unit.requests.jaggaer).sum::<u64>(),
        },
        "remarks": done.iter().flat_map(|unit| &unit.remarks).collect::<Vec<_>>(),
        "errors": errors(done),
    })
}

fn errors(done: &[Reconciled]) -> Vec<String> {
    let failed = done.iter().filter_map(|unit| Some((&unit.unit, unit.error.as_ref()?)));
    failed
        .map(|(unit, error)| format!("{unit}: not reconciled, and nothing is claimed: {error}"))
        .collect()
}

fn show(period: &str, done: &[Reconciled], output: &Output) {
    let statements = || done.iter().flat_map(|unit| &unit.statements);
    output.say(table(
        &[
            "connection",
            "",
            "currency",
            "JAGGAER",
            "seen",
            "posted",
            "held",
            "ignored",
            "in flight",
            "Visma",
            "difference",
        ],
        statements().flat_map(|of| &of.lines).map(|(key, line)| row(key, line)),
    ));
    for (key, line) in statements().flat_map(|of| &of.lines) {
        for text in explained(key, line) {
            output.say(text);
        }
    }
    for row in statements().flat_map(|of| &of.by_hand) {
        output.say(format!(
            "{}: besides, people keyed in {} of {} over {}",
            row.company,
            row.sum.count,
            row.of.as_str(),
            money(row.sum.minor, row.currency)
        ));
    }
    for difference in statements().flat_map(|of| &of.differences).take(MOST) {
        output.say(format!(
            "\n{}: {}\n  -> {}",
            difference.kind.as_str(),
            plain(&difference.text),
            plain(&difference.fix)
        ));
    }
    for remark in done.iter().flat_map(|unit| &unit.remarks) {
        output.say(plain(remark));
    }
    let visma: u64 = done.iter().map(|unit| unit.requests.visma).sum();
    let jaggaer: u64 = done.iter().map(|unit| unit.requests.jaggaer).sum();
    output.say(format!("requests: {visma} to Visma, {jaggaer} to JAGGAER"));
    let failed = errors(done);
    let found: usize = statements().map(|of| of.differences.len()).sum();
    let of = if period == "all" { "everything received".to_owned() } else { period.to_owned() };
    match (failed.is_empty(), found) {
        (true, 0) => output.say(format!("{of} closes: all three books say the same")),
        (_, 0) => {}
        (_, found) => output.say(format!("{of} does not close: {}", counted(found, "difference"))),
    }
    for error in failed {
        eprintln!("ml-connector: {error}");
    }
}

fn money(minor: i64, currency: Option<ml_connector::procurement::Currency>) -> String {
    match currency {
        Some(code) => format!("{} {code}", amount_text(minor, currency)),
        None => "an amount that is not known".to_owned(),
    }
}

fn row(key: &LineKey, line: &Line) -> Vec<String> {
    let told = |sum: Sum| match key.currency {
        Some(_) => format!("{} / {}", sum.count, amount_text(sum.minor, key.currency)),
        None => sum.count.to_string(),
    };
    let connection = match (key.connection.as_str(), key.company.as_str()) {
        ("", "") => "none".to_owned(),
        ("", company) => company.to_owned(),
        (connection, _) => connection.to_owned(),
    };
    vec![
        connection,
        key.of.as_str().to_owned(),
        key.currency.map_or_else(|| "not known".to_owned(), |code| code.to_string()),
        told(line.jaggaer),
        told(line.seen),
        told(line.posted),
        told(line.held),
        told(line.ignored),
        told(line.in_flight),
        told(line.visma),
        told(line.differences),
    ]
}

/// Why sums of a line differ without a difference.
fn explained(key: &LineKey, line: &Line) -> Vec<String> {
    let told = |sum: Sum, words: &str| {
        (sum != Sum::default()).then(|| {
            let amount = match key.currency {
                Some(_) => format!(" ({})", money(sum.minor, key.currency)),
                None => String::new(),
            };
            format!("{} of {}: {}{amount} {words}", key.of.as_str(), key.connection, sum.count)
        })
    };
    [
        told(line.coming, "changed in JAGGAER since the last poll; the next one brings them"),
        told(
            line.unlisted,
            "did not change in JAGGAER since the day that its list was asked for from",
        ),
        told(line.on_its_way, "in Visma already and on their way here"),
        told(
            line.not_shown,
            "were posted so lately, or are dated so early, that Visma's list need not show them",
        ),
        told(line.taken_back, "corrected invoices and the credit notes that took them back"),
        told(line.closed_lines, "less in Visma, because lines of orders were closed there"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
