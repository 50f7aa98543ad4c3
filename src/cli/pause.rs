use super::account::account;
use super::output::{Failure, Output};
use ml_connector::config::Config;
use ml_connector::sync::{SyncError, ask_to_pause, carry_out, units};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    connection: String,
    /// Why; it is kept for good.
    #[arg(long)]
    reason: String,
}

/// `paused`: from now on nothing is received, judged or posted for the connection; else it goes on.
pub async fn run(
    arguments: &Arguments,
    paused: bool,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let connection = &arguments.connection;
    if arguments.reason.trim().is_empty() {
        return Err(Failure::configuration("--reason must say something: it is kept for good"));
    }
    let store = super::open(config).await?;
    let unit =
        units(&store, config).await?.into_iter().find(|unit| unit.connections.contains(connection));
    let Some(unit) = unit else {
        let known: Vec<&str> = config.connections.iter().map(|of| of.id.as_str()).collect();
        return Err(Failure::configuration(format!(
            "there is no connection `{connection}`; there are: {}",
            known.join(", ")
        )));
    };
    let asked =
        ask_to_pause(&store, &unit.id, connection, paused, &account(), &arguments.reason).await?;
    match carry_out(&store, config, unit).await {
        Ok(()) | Err(SyncError::OwnedElsewhere { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let result = store.request_result(&asked.id).await?;
    output.print(&json!({
        "connection": connection, "paused": paused, "asked": result.is_none(), "result": result,
    }));
    match result.as_deref() {
        None => output.say(format!(
            "{connection}: asked; the process that owns the unit carries it out within seconds"
        )),
        Some("carried out") if paused => output.say(format!(
            "{connection} is paused: nothing is received, judged or posted for it until `ml-connector resume {connection}`"
        )),
        Some("carried out") => output.say(format!("{connection} goes on")),
        Some(other) => {
            output.say(other);
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}
