//! Deletes bodies of old documents, on a person's word; without it, only tells what would go.

use super::account::account;
use super::output::{Failure, Output, counted, table};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::store::{Figure, RetentionLimit, Store};
use ml_connector::sync::{Asked, SyncError, ask_to_prune, carry_out, retention_limits, units};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Delete them. Without it nothing is changed.
    #[arg(long)]
    apply: bool,
    /// Why; it is kept for good.
    #[arg(long, default_value = "")]
    reason: String,
}

/// One connection, and what of it is past its limit.
struct Past {
    limit: RetentionLimit,
    years: Vec<Figure>,
    /// As old, and not at rest.
    kept: i64,
}

impl Past {
    async fn look(store: &Store, limit: RetentionLimit) -> Result<Self, Failure> {
        let years = store.figures_past(&limit).await?;
        let kept = store.kept_past(&limit).await?;
        Ok(Self { limit, years, kept })
    }

    fn sum(&self, of: impl Fn(&Figure) -> i64) -> i64 {
        self.years.iter().map(of).sum()
    }

    fn json(&self) -> Value {
        let Self { limit, years, kept } = self;
        json!({
            "connection": limit.connection, "company": limit.company, "keep_years": limit.keep_years,
            "before": limit.before, "documents": self.sum(|of| of.documents),
            "bodies": self.sum(|of| of.bodies), "bytes": self.sum(|of| of.bytes), "not_at_rest": kept,
            "years": years.iter().map(|of| json!({
                "year": of.year, "documents": of.documents, "bodies": of.bodies, "bytes": of.bytes,
            })).collect::<Vec<_>>(),
        })
    }
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if arguments.apply && arguments.reason.trim().is_empty() {
        let why = "--apply needs --reason TEXT: what is deleted does not come back, and why is kept for good";
        return Err(Failure::configuration(why));
    }
    let store = super::open(config).await?;
    let mut past = Vec::new();
    for limit in retention_limits(config, clock::now()) {
        past.push(Past::look(&store, limit).await?);
    }
    say(&past, output);
    let due = past.iter().any(|of| !of.years.is_empty());
    if !arguments.apply || !due {
        if due {
            output
                .say("nothing was deleted: --apply --reason TEXT does it, and it cannot be undone");
        }
        print(&past, false, false, output);
        return Ok(ExitCode::SUCCESS);
    }
    let asked = ask(&store, config, &past, &arguments.reason).await?;
    let (mut open, mut refused) = (false, false);
    for request in &asked {
        match store.request_result(&request.id).await?.as_deref() {
            Some("carried out") => {}
            None => open = true,
            Some(other) => {
                output.say(other);
                refused = true;
            }
        }
    }
    print(&past, !open && !refused, open, output);
    if open {
        output.say("asked; the process that owns the unit carries it out in its next round");
    } else if !refused {
        output.say(format!(
            "deleted: {} of {}",
            counted(past.iter().map(|of| of.sum(|of| of.bodies)).sum::<i64>(), "text"),
            counted(past.iter().map(|of| of.sum(|of| of.documents)).sum::<i64>(), "document"),
        ));
    }
    Ok(if refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Puts the requests of each unit, and carries them out where nobody owns it.
async fn ask(
    store: &Store,
    config: &Config,
    past: &[Past],
    reason: &str,
) -> Result<Vec<Asked>, Failure> {
    let limits: BTreeMap<&str, &RetentionLimit> = past
        .iter()
        .filter(|of| !of.years.is_empty())
        .map(|of| (of.limit.connection.as_str(), &of.limit))
        .collect();
    let account = account();
    let mut asked = Vec::new();
    for unit in units(store, config).await? {
        let of_unit: Vec<&RetentionLimit> =
            unit.connections.iter().filter_map(|id| limits.get(id.as_str()).copied()).collect();
        if of_unit.is_empty() {
            continue;
        }
        for limit in of_unit {
            asked.push(ask_to_prune(store, &unit.id, limit, &account, reason).await?);
        }
        match carry_out(store, config, unit).await {
            Ok(()) | Err(SyncError::OwnedElsewhere { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(asked)
}

fn print(past: &[Past], applied: bool, asked: bool, output: &Output) {
    output.print(&json!({
        "connections": past.iter().map(Past::json).collect::<Vec<_>>(),
        "applied": applied, "asked": asked,
    }));
}

fn say(past: &[Past], output: &Output) {
    if past.is_empty() {
        output.say(
            "no company has keep_years in [company.retention]: everything is kept, nothing is ever deleted",
        );
        return;
    }
    output.say(table(
        &["connection", "company", "keeps", "year", "documents", "texts", "bytes"],
        past.iter().flat_map(|of| {
            of.years.iter().map(|year| {
                vec![
                    of.limit.connection.clone(),
                    of.limit.company.clone(),
                    counted(of.limit.keep_years, "year"),
                    year.year.to_string(),
                    year.documents.to_string(),
                    year.bodies.to_string(),
                    year.bytes.to_string(),
                ]
            })
        }),
    ));
    for of in past {
        let before = of.limit.before.year();
        if of.years.is_empty() {
            output.say(format!(
                "{}: nothing of a year before {before} is there to go",
                of.limit.connection
            ));
        }
        if of.kept > 0 {
            output.say(format!(
                "{}: {} of a year before {before} stay, because they are not at rest: held, with attention, asked \
                 for, not settled, or an order that a younger document bills",
                of.limit.connection,
                counted(of.kept, "document"),
            ));
        }
    }
}
