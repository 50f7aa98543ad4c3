//! `fit`: the trial run of each connection, for the terminal, as JSON and as a page to be sent.

mod page;
mod words;

use super::output::{Failure, Output};
use super::progress::Bars;
use super::signal::stop_on_signal;
use ml_connector::config::{Config, ConnectionConfig};
use ml_connector::fit::{Counts, LIMITS, Report};
use ml_connector::store::Store;
use ml_connector::sync::{Fitted, Requests, fit};
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this connection.
    connection: Option<String>,
    /// Documents dated in the last so many days, whatever `take_from` says.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Also write the report as one page that can be sent: no scripts, nothing fetched.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let connections = wanted(arguments.connection.as_deref(), config)?;
    let known = known_store(config).await;
    let stop = stop_on_signal();
    let mut all = All::default();
    match &known {
        Ok(_) => {}
        Err(reason) => all.remarks.push(format!(
            "the store cannot be read, so links, imported tables and holds set aside do not count ({reason})"
        )),
    }
    let known = known.ok().flatten();
    for connection in connections {
        let (progress, stop) = (Bars::shared(), stop.clone());
        match fit(config, connection, arguments.days, known.as_ref(), progress, stop).await {
            Ok(fitted) => all.add(fitted),
            // Others may be all right.
            Err(error) if config.connections.len() > 1 => {
                all.errors.push(format!("{}: {error}", connection.id));
            }
            Err(error) => return Err(error.into()),
        }
        if all.stopped {
            break;
        }
    }
    output.print(&all.json());
    words::say(&all, output);
    if let Some(file) = &arguments.html {
        if all.reports.is_empty() {
            eprintln!(
                "ml-connector: {} was not written: there is nothing to report",
                file.display()
            );
        } else {
            write(file, &page::page(&all).map_err(Failure::could_not)?)?;
            output.say(format!("written: {}", file.display()));
        }
    }
    for error in &all.errors {
        eprintln!("ml-connector: {error}");
    }
    Ok(all.exit_code())
}

fn wanted<'a>(
    only: Option<&str>,
    config: &'a Config,
) -> Result<Vec<&'a ConnectionConfig>, Failure> {
    let Some(only) = only else { return Ok(config.connections.iter().collect()) };
    let found = config.connection(only).ok_or_else(|| {
        let known: Vec<&str> = config.connections.iter().map(|known| known.id.as_str()).collect();
        let known = known.join(", ");
        Failure::configuration(format!("there is no connection `{only}`; there are: {known}"))
    })?;
    Ok(vec![found])
}

/// The real store, to look and no more. `None`: there is none yet.
async fn known_store(config: &Config) -> Result<Option<Store>, String> {
    let url = config.store_url().map_err(|error| error.to_string())?;
    Store::open_to_read(&url).await.map_err(|error| error.to_string())
}

/// It names suppliers and amounts: for this account to read, and to send on.
fn write(file: &Path, page: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::could_not(format!("cannot write {}: {error}", file.display()))
    };
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut opened = options.open(file).map_err(failed)?;
    opened.write_all(page.as_bytes()).map_err(failed)
}

/// Every connection together.
#[derive(Default)]
struct All {
    reports: Vec<Report>,
    requests: Requests,
    seconds: f64,
    errors: Vec<String>,
    remarks: Vec<String>,
    stopped: bool,
}

impl All {
    fn add(&mut self, fitted: Fitted) {
        self.reports.extend(fitted.report);
        self.requests.visma += fitted.requests.visma;
        self.requests.jaggaer += fitted.requests.jaggaer;
        self.seconds += fitted.seconds;
        self.errors.extend(fitted.errors);
        self.remarks.extend(fitted.remarks);
        self.stopped |= fitted.stopped;
    }

    fn sum(&self, of: fn(&Counts) -> u64) -> u64 {
        self.reports.iter().map(|report| of(&report.counts)).sum()
    }

    /// The keys that others rely on, then the rest.
    fn json(&self) -> Value {
        json!({
            "received": self.sum(|of| of.received),
            "would_post": self.sum(|of| of.would_post),
            // By nature: nothing is written.
            "posted": 0,
            "uncertain": 0,
            "held": self.sum(|of| of.held),
            "ignored": self.sum(|of| of.ignored),
            "in_flight": self.sum(|of| of.in_flight),
            "requests": self.requests,
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "connections": self.reports,
            "limits": LIMITS,
            "errors": self.errors,
            "remarks": self.remarks,
            "stopped": self.stopped,
        })
    }

    fn exit_code(&self) -> ExitCode {
        if !self.errors.is_empty() || self.stopped {
            ExitCode::from(1)
        } else if self.sum(|of| of.held) > 0 {
            ExitCode::from(3)
        } else {
            ExitCode::SUCCESS
        }
    }
}
