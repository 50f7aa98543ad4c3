use super::output::{Failure, Output, counted, table};
use super::progress::Bars;
use super::signal::stop_on_signal;
use ml_connector::config::Config;
use ml_connector::sync::{self, RoundReport};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this connection.
    connection: Option<String>,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let only = arguments.connection.as_deref();
    if let Some(only) = only
        && config.connection(only).is_none()
    {
        let known: Vec<&str> = config.connections.iter().map(|known| known.id.as_str()).collect();
        return Err(Failure::configuration(format!(
            "there is no connection `{only}`; there are: {}",
            known.join(", ")
        )));
    }
    let store = super::open(config).await?;
    let report = sync::sync(&store, config, only, Bars::shared(), stop_on_signal()).await?;
    output.print(&report_json(&report));
    show(&report, output);
    Ok(exit_code(&report))
}

/// The keys that others rely on, then the rest.
pub fn report_json(report: &RoundReport) -> Value {
    let totals = &report.totals;
    json!({
        "received": totals.received,
        "posted": totals.posted,
        "held": totals.held,
        "ignored": totals.ignored,
        "uncertain": totals.uncertain,
        "in_flight": totals.in_flight,
        "requests": report.requests,
        "seconds": (report.seconds * 1000.0).round() / 1000.0,
        "money": totals.money,
        "stopped": report.stopped,
        "errors": report.errors,
        "remarks": report.remarks,
        "heads": report.heads,
    })
}

pub fn show(report: &RoundReport, output: &Output) {
    let totals = &report.totals;
    let rows = [
        ("received", totals.received),
        ("posted", totals.posted),
        ("held", totals.held),
        ("ignored", totals.ignored),
        ("in flight", totals.in_flight),
        ("  of them uncertain", totals.uncertain),
    ];
    output.say(table(
        &["documents", "count"],
        rows.map(|(name, n)| vec![name.into(), n.to_string()]),
    ));
    output.say(table(
        &["", "currency", "seen", "posted", "held", "ignored", "in flight"],
        totals.money.iter().map(|sum| {
            vec![
                sum.of.to_owned(),
                sum.currency.clone(),
                sum.seen.clone(),
                sum.posted.clone(),
                sum.held.clone(),
                sum.ignored.clone(),
                sum.in_flight.clone(),
            ]
        }),
    ));
    output.say(format!(
        "requests: {} to Visma, {} to JAGGAER; {:.1} s",
        report.requests.visma, report.requests.jaggaer, report.seconds
    ));
    for (unit, head) in &report.heads {
        output.say(format!("audit head of {unit}: {head}"));
    }
    if report.stopped {
        eprintln!(
            "stopped as asked; the documents in hand were finished, the rest waits for the next round"
        );
    }
    for remark in &report.remarks {
        output.say(remark);
    }
    for error in &report.errors {
        eprintln!("ml-connector: {error}");
    }
    if totals.held > 0 {
        eprintln!(
            "held: {}; `ml-connector hold list` says why and what to do",
            counted(totals.held, "document")
        );
    }
}

pub fn exit_code(report: &RoundReport) -> ExitCode {
    if !report.errors.is_empty() || report.stopped {
        ExitCode::from(1)
    } else if report.totals.held > 0 || report.totals.uncertain > 0 {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}
