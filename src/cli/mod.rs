//! One file for each command. With `--json` a command prints one JSON document on stdout;
//! everything for people goes to stderr.

mod account;
mod audit;
mod backup;
mod demo;
mod documents;
mod explain;
mod fit;
mod hold;
mod init;
mod link;
mod mapping;
mod month;
mod output;
mod pause;
mod ping;
mod profile;
mod progress;
mod prune;
mod reconcile;
mod rehearse;
mod replay;
mod sandbox;
mod secret;
mod serve;
mod signal;
mod status;
mod sync;

use clap::{Parser, Subcommand};
use ml_connector::config::Config;
use ml_connector::store::Store;
use ml_connector::sync::open_vault;
use ml_connector::vault::Vault;
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
    /// How log lines on stderr look: text or json.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log: LogForm,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogForm {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Start simulated JAGGAER and Visma systems and a fresh store, and sync between them.
    Demo(demo::Arguments),
    /// Only the simulated systems, until stopped.
    Sandbox(sandbox::Arguments),
    /// Ask for what a connection needs, and write an explained configuration.
    Init(Box<init::Arguments>),
    /// Look at both systems as a doctor: what is well, what is not, what to do; write nothing.
    Ping(ping::Arguments),
    /// Check how JAGGAER's API is laid out, or propose it from samples.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Read both systems and post nothing: what would post, what would be held and why, what to map
    /// first.
    Fit(fit::Arguments),
    /// One full round of every flow.
    Sync(sync::Arguments),
    /// Every connection on its timetable, until stopped.
    Serve,
    /// Stop a connection: nothing is received, judged or posted for it until `resume`.
    Pause(pause::Arguments),
    /// Let a paused connection go on.
    Resume(pause::Arguments),
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
    /// Hold JAGGAER's lists, what was received, and Visma's lists against each other; writes nothing into either.
    Reconcile(reconcile::Arguments),
    /// What of old documents may go by the retention of each company; deletes it with --apply.
    Prune(prune::Arguments),
    /// The tables from JAGGAER's codes to Visma's, as CSV.
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// Credentials in the vault: put in, listed, taken out; never shown.
    #[command(subcommand)]
    Secret(secret::Command),
    /// Prove or export the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy the store into a new file while others work on it, and read the copy to the end.
    Backup(backup::Arguments),
    /// Connections, last rounds and holds on one screen.
    Status,
}

pub fn run() -> ExitCode {
    // Memory holds secrets, so a crash leaves no image of it. Where the kernel cannot, it does not.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let wanted = std::env::var("ML_CONNECTOR_LOG").ok().and_then(|text| text.parse().ok());
    let serves = matches!(cli.command, Command::Serve);
    // Nobody stands beside a process that serves: what it does is told line by line.
    let level = if serves { Level::INFO } else { Level::WARN };
    let filter: Targets =
        wanted.unwrap_or_else(|| Targets::new().with_target("ml_connector", level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match (cli.log, serves) {
        (LogForm::Json, _) => lines.json().flatten_event(true).with_filter(filter).boxed(),
        (LogForm::Text, true) => lines.with_filter(filter).boxed(),
        (LogForm::Text, false) => lines.without_time().with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(lines).init();
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
        Command::Init(arguments) => init::run(arguments, &cli.config, output),
        Command::Ping(arguments) => ping::run(arguments, &load(cli)?, output).await,
        Command::Profile(command) => profile::run(command, || load(cli), output).await,
        Command::Fit(arguments) => fit::run(arguments, &load(cli)?, output).await,
        Command::Sync(arguments) => sync::run(arguments, &load(cli)?, output).await,
        Command::Serve => serve::run(&cli.config, load(cli)?, output).await,
        Command::Pause(arguments) => pause::run(arguments, true, &load(cli)?, output).await,
        Command::Resume(arguments) => pause::run(arguments, false, &load(cli)?, output).await,
        Command::Documents(command) => {
            documents::run(command, &open(&load(cli)?).await?, output).await
        }
        Command::Hold(command) => hold::run(command, load(cli), output).await,
        Command::Release(arguments) => hold::release(arguments, &load(cli)?, output).await,
        Command::Replay(arguments) => replay::run(arguments, &load(cli)?, output).await,
        Command::Explain(arguments) => explain::run(arguments, &load(cli)?, output).await,
        Command::Rehearse(arguments) => rehearse::run(arguments, &load(cli)?, output).await,
        Command::Reconcile(arguments) => reconcile::run(arguments, &load(cli)?, output).await,
        Command::Prune(arguments) => prune::run(arguments, &load(cli)?, output).await,
        Command::Mapping(command) => mapping::run(command, &load(cli)?, output).await,
        Command::Secret(command) => secret::run(command, || load(cli), output).await,
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

/// The opened vault. Without one in the configuration the store is not touched.
async fn vault(config: &Config) -> Result<Vault, Failure> {
    match config.vault.key {
        Some(_) => Ok(open_vault(&open(config).await?, config).await?),
        None => Ok(Vault::default()),
    }
}
