//! One file for each command. With `--json` a command prints one JSON document on stdout;
//! everything for people goes to stderr.

mod account;
mod audit;
mod backup;
mod demo;
mod documents;
mod explain;
mod hold;
mod link;
mod mapping;
mod month;
mod output;
mod ping;
mod progress;
mod rehearse;
mod replay;
mod sandbox;
mod signal;
mod status;
mod sync;

use clap::{Parser, Subcommand};
use ml_connector::config::Config;
use ml_connector::store::Store;
use output::{Failure, Output};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[derive(Parser)]
#[command(
    name = "ml-connector",
    version,
    about = "Carries purchase orders and supplier invoices from JAGGAER into Visma.net ERP, once each, provably",
    after_help = "Exit status: 0 done; 1 could not; 2 wrong usage or configuration; 3 done, but documents are held or uncertain."
)]
struct Cli {
    /// The configuration file.
    #[arg(long, short, global = true, default_value = "ml-connector.toml")]
    config: PathBuf,
    /// One JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start simulated JAGGAER and Visma systems and a fresh store, and sync between them.
    Demo(demo::Arguments),
    /// Only the simulated systems, until stopped.
    Sandbox(sandbox::Arguments),
    /// Check sign-in and every entity on both sides; write nothing.
    Ping(ping::Arguments),
    /// One full round of every flow.
    Sync(sync::Arguments),
    /// What was received and where it stands.
    #[command(subcommand)]
    Documents(documents::Command),
    /// The documents that a person must look at.
    #[command(subcommand)]
    Hold(hold::Command),
    /// Judge a held document again, and post it if it passes now.
    Release(hold::ReleaseArguments),
    /// Decide a document again from what is stored; shows the difference first.
    Replay(replay::Arguments),
    /// Why a document was decided as it was, from the versions of that time.
    Explain(explain::Arguments),
    /// What a month's documents would have come to under other rules; posts nothing.
    Rehearse(rehearse::Arguments),
    /// The tables from JAGGAER's codes to Visma's, as CSV.
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// Prove or export the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy the store into a new file while others work on it, and read the copy to the end.
    Backup(backup::Arguments),
    /// Connections, last rounds and holds on one screen.
    Status,
}

pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let wanted = std::env::var("ML_CONNECTOR_LOG").ok().and_then(|text| text.parse().ok());
    let filter: Targets =
        wanted.unwrap_or_else(|| Targets::new().with_target("ml_connector", Level::WARN));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time();
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&Failure::could_not(format!("cannot start: {error}"))),
    };
    match runtime.block_on(dispatch(&cli, &output)) {
        Ok(code) => code,
        Err(failure) => output.failed(&failure),
    }
}

async fn dispatch(cli: &Cli, output: &Output) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Demo(arguments) => demo::run(arguments, output).await,
        Command::Sandbox(arguments) => sandbox::run(arguments, output).await,
        Command::Ping(arguments) => ping::run(arguments, &load(cli)?, output).await,
        Command::Sync(arguments) => sync::run(arguments, &load(cli)?, output).await,
        Command::Documents(command) => {
            documents::run(command, &open(&load(cli)?).await?, output).await
        }
        Command::Hold(command) => hold::run(command, load(cli), output).await,
        Command::Release(arguments) => hold::release(arguments, &load(cli)?, output).await,
        Command::Replay(arguments) => replay::run(arguments, &load(cli)?, output).await,
        Command::Explain(arguments) => explain::run(arguments, &load(cli)?, output).await,
        Command::Rehearse(arguments) => rehearse::run(arguments, &load(cli)?, output).await,
        Command::Mapping(command) => mapping::run(command, &load(cli)?, output).await,
        Command::Audit(command) => audit::run(command, &open(&load(cli)?).await?, output).await,
        Command::Backup(arguments) => backup::run(arguments, load(cli), output).await,
        Command::Status => status::run(&load(cli)?, output).await,
    }
}

fn load(cli: &Cli) -> Result<Config, Failure> {
    Config::load(&cli.config).map_err(Failure::configuration)
}

async fn open(config: &Config) -> Result<Store, Failure> {
    let url = config.store_url().map_err(Failure::configuration)?;
    Ok(Store::open(&url).await?)
}
