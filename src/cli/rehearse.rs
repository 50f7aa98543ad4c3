use super::output::{Failure, Output, counted};
use ml_connector::config::Config;
use ml_connector::sync::{Basis, Comparison, Selection, rehearse_many};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The month that the documents are dated in: 2026-03.
    #[arg(long, value_name = "YYYY-MM")]
    period: String,
    /// Another configuration file, whose rules and mapping are tried; without it, those in force.
    #[arg(long = "with", value_name = "FILE")]
    with: Option<PathBuf>,
    #[arg(long)]
    connection: Option<String>,
    /// Reference data, suppliers, vendors and history as of each decision, or as of today.
    #[arg(long, value_enum, default_value_t = Reference::Then)]
    reference: Reference,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Reference {
    Then,
    Now,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let month = month(&arguments.period).map_err(Failure::configuration)?;
    if let Some(connection) = &arguments.connection
        && config.connection(connection).is_none()
    {
        return Err(Failure::configuration(format!(
            "the configuration has no connection `{connection}`"
        )));
    }
    let mut replaced = BTreeMap::new();
    if let Some(path) = &arguments.with {
        let other = Config::load(path).map_err(Failure::configuration)?;
        for connection in other.connections {
            replaced.insert(connection.id, connection.rules);
        }
        if let Some(missing) = config.connections.iter().find(|of| {
            !replaced.contains_key(&of.id)
                && arguments.connection.as_ref().is_none_or(|only| *only == of.id)
        }) {
            return Err(Failure::configuration(format!(
                "{} has no connection `{}`: it must say the rules of each connection that is tried",
                path.display(),
                missing.id
            )));
        }
    }
    let store = super::open(config).await?;
    let selection = Selection {
        connection: arguments.connection.clone(),
        month: Some(month),
        ..Selection::default()
    };
    let basis = match arguments.reference {
        Reference::Then => Basis::Then,
        Reference::Now => Basis::Now,
    };
    let all = selection.documents(&store).await?;
    let pruned = all.iter().filter(|document| document.pruned.is_some()).count();
    let compared = rehearse_many(&store, config, &replaced, &selection, basis).await?;
    let changed: Vec<(&Comparison, Vec<String>)> = compared
        .iter()
        .map(|of| (of, of.to_what_stands()))
        .filter(|(_, differences)| !differences.is_empty())
        .collect();
    output.print(&json!({
        "period": arguments.period, "documents": compared.len(), "same": compared.len() - changed.len(),
        "pruned": pruned,
        "differences": changed.iter().map(|(of, differences)| json!({
            "document": of.document.id, "source_id": of.document.source_id,
            "kind": of.document.kind.as_str(), "number": of.document.number,
            "state": of.document.state.as_str(), "let_go": of.is_let_go(), "stopped": of.is_stopped(),
            "differences": differences, "by_the_rules": of.by_the_rules(),
        })).collect::<Vec<_>>(),
    }));
    for (of, differences) in &changed {
        let document = &of.document;
        output.say(format!(
            "{} {} ({}), {}",
            document.kind.as_str(),
            document.number,
            document.id,
            document.state.as_str()
        ));
        for line in differences {
            output.say(format!("  {line}"));
        }
    }
    if pruned > 0 {
        output.say(format!(
            "{} left out: the bodies were deleted because their time was over (docs/retention.md)",
            counted(pruned, "document")
        ));
    }
    let let_go = compared.iter().filter(|of| of.is_let_go()).count();
    let stopped = compared.iter().filter(|of| of.is_stopped()).count();
    output.say(format!(
        "{} documents of {}: {} as they were decided, {} otherwise ({let_go} let go, {stopped} stopped); \
         nothing was posted",
        compared.len(),
        arguments.period,
        compared.len() - changed.len(),
        changed.len(),
    ));
    Ok(ExitCode::SUCCESS)
}

/// `2026-03`, checked.
pub fn month(text: &str) -> Result<String, String> {
    let is_month = text.len() == 7 && format!("{text}-01").parse::<jiff::civil::Date>().is_ok();
    if is_month { Ok(text.to_owned()) } else { Err(format!("`{text}` is no month: write 2026-03")) }
}
