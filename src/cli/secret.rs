//! Credentials go into the vault by these verbs and never come out: only their names are shown.

use super::account::account;
use super::output::{Failure, Output, counted, table};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::store::SecretRow;
use ml_connector::sync::{SyncError, retire_secret, rotate_vault, set_secret};
use ml_connector::vault::{LONGEST_SECRET, MasterKey, check_name};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Store a value, read from standard input or asked for; the one before it stays valid.
    Set {
        /// `source/ID` and `company/ID` are the client secrets of the configuration's sources and companies.
        name: String,
    },
    /// Names, versions and master keys; never a value.
    List,
    /// Put everything under the master key that `vault.key` names.
    Rotate,
    /// Take a value out for good.
    Retire {
        name: String,
        /// By default the older of two that are valid.
        #[arg(long)]
        version: Option<i64>,
    },
    /// Make a master key: into a new file that only this account can read, or printed.
    NewKey { file: Option<PathBuf> },
}

/// `load` is called by the verbs that need a configuration.
pub async fn run(
    command: &Command,
    load: impl FnOnce() -> Result<Config, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Set { name } => set(name, &load()?, output).await,
        Command::List => list(&load()?, output).await,
        Command::Rotate => rotate(&load()?, output).await,
        Command::Retire { name, version } => retire(name, *version, &load()?, output).await,
        Command::NewKey { file } => new_key(file.as_ref(), output),
    }
}

async fn set(name: &str, config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    check_name(name).map_err(Failure::configuration)?;
    let value = match std::io::stdin().is_terminal() {
        true => ask(name)?,
        false => read_piped()?,
    };
    let store = super::open(config).await?;
    let row = set_secret(&store, config, name, &value, &account()).await.map_err(failure)?;
    let before: Vec<i64> = store
        .secrets()
        .await?
        .iter()
        .filter(|other| other.name == name && other.is_live() && other.version != row.version)
        .map(|other| other.version)
        .collect();
    output.print(&json!({
        "name": name, "version": row.version, "master_key": row.sealed.key, "also_valid": before,
    }));
    output.say(format!(
        "stored `{name}`, version {}, under master key `{}`",
        row.version, row.sealed.key
    ));
    for version in before {
        output.say(format!(
            "version {version} stays valid until you type `ml-connector secret retire '{name}'`"
        ));
    }
    let names = config.vault_names();
    if !names.iter().any(|(_, used)| used == name) {
        let used: BTreeSet<&str> = names.iter().map(|(_, used)| used.as_str()).collect();
        let used = match used.is_empty() {
            true => "nothing".to_owned(),
            false => used.into_iter().collect::<Vec<_>>().join(", "),
        };
        eprintln!("note: the configuration does not use `{name}`; it uses: {used}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    let rows = super::open(config).await?.secrets().await?;
    let names = config.vault_names();
    let is_used = |name: &str| names.iter().any(|(_, used)| used == name);
    let newest = |of: &SecretRow| {
        rows.iter().all(|row| row.name != of.name || row.version <= of.version || !row.is_live())
    };
    let state = |row: &SecretRow| match (row.is_live(), newest(row)) {
        (false, _) => "retired",
        (true, true) => "current",
        (true, false) => "previous",
    };
    let missing: Vec<&(String, String)> = names
        .iter()
        .filter(|(_, name)| !rows.iter().any(|row| row.name == *name && row.is_live()))
        .collect();
    output.print(&json!({
        "secrets": rows.iter().map(|row| json!({
            "name": row.name, "version": row.version, "state": state(row),
            "master_key": row.is_live().then_some(&row.sealed.key),
            "set_at": clock::rfc3339(row.set_at), "set_by": row.set_by,
            "retired_at": row.retired_at.map(clock::rfc3339), "retired_by": row.retired_by,
            "used": is_used(&row.name),
        })).collect::<Vec<_>>(),
        "missing": missing.iter().map(|(of, name)| json!({ "name": name, "for": of })).collect::<Vec<_>>(),
    }));
    output.say(table(
        &["secret", "version", "", "master key", "set", "by", "used"],
        rows.iter().map(|row| {
            vec![
                row.name.clone(),
                row.version.to_string(),
                state(row).to_owned(),
                if row.is_live() { row.sealed.key.clone() } else { "-".into() },
                clock::readable(row.set_at),
                row.set_by.clone(),
                if is_used(&row.name) { "yes".into() } else { "no".into() },
            ]
        }),
    ));
    for (of, name) in missing {
        eprintln!("missing: `{name}`, for {of}: type `ml-connector secret set '{name}'`");
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate(config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let rotated = rotate_vault(&store, config, &account()).await.map_err(failure)?;
    output.print(&json!({
        "master_key": rotated.key, "moved": rotated.moved, "already": rotated.already,
        "unused": rotated.unused,
    }));
    output.say(format!(
        "{} put under master key `{}`, {} under it before",
        counted(rotated.moved, "value"),
        rotated.key,
        rotated.already
    ));
    for key in rotated.unused {
        output.say(format!(
            "nothing is under master key `{key}` any more: take it out of the configuration (backups of the store \
             made before still need it)"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn retire(
    name: &str,
    version: Option<i64>,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let version = retire_secret(&store, name, version, &account()).await.map_err(failure)?;
    output.print(&json!({ "name": name, "version": version }));
    output.say(format!("version {version} of `{name}` is retired; its value is gone"));
    Ok(ExitCode::SUCCESS)
}

fn new_key(file: Option<&PathBuf>, output: &Output) -> Result<ExitCode, Failure> {
    let key = MasterKey::generate().map_err(Failure::could_not)?;
    let Some(path) = file else {
        output.print(&json!({ "key": *key }));
        output.say(&*key);
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error: std::io::Error| {
        Failure::could_not(match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!(
                "{} is there already, and a master key is never written over: what is under it would be lost",
                path.display()
            ),
            _ => format!("cannot write {}: {error}", path.display()),
        })
    };
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    writeln!(file, "{}", *key).and_then(|()| file.sync_all()).map_err(failed)?;
    output.print(&json!({ "file": path }));
    output.say(format!(
        "made {}; keep a copy where the store's backups are not: without it they open for nobody",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// What a person may have got wrong is told; the rest is a failure of the store.
fn failure(error: SyncError) -> Failure {
    match error {
        SyncError::Inner(text) => Failure::could_not(text),
        error => error.into(),
    }
}

/// From a pipe or a file; line ends at its end are not part of it.
fn read_piped() -> Result<SecretString, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin()
        .take(LONGEST_SECRET + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::could_not(format!("cannot read standard input: {error}")))?;
    if bytes.len() as u64 > LONGEST_SECRET {
        return Err(Failure::configuration(format!(
            "standard input is too large for a secret (more than {LONGEST_SECRET} bytes); nothing was stored"
        )));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::configuration("standard input is no text in UTF-8; nothing was stored")
    })?;
    checked(text)
}

/// From the keyboard, twice, without showing it.
fn ask(name: &str) -> Result<SecretString, Failure> {
    let silence = Silence::begin().map_err(|error| {
        Failure::could_not(format!("cannot turn the terminal's echo off: {error}"))
    })?;
    let line = |prompt: String| -> Result<Zeroizing<String>, Failure> {
        eprint!("{prompt}");
        let mut line = Zeroizing::new(String::new());
        let read = std::io::stdin().read_line(&mut line);
        eprintln!();
        read.map_err(|error| Failure::could_not(format!("cannot read the terminal: {error}")))?;
        Ok(line)
    };
    let first = line(format!("value of `{name}` (not shown): "))?;
    let again = line("the same again: ".to_owned())?;
    drop(silence);
    if *first != *again {
        return Err(Failure::configuration("the two differ; nothing was stored"));
    }
    checked(&first)
}

fn checked(text: &str) -> Result<SecretString, Failure> {
    let value = text.trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(Failure::configuration("the value is empty; nothing was stored"));
    }
    Ok(SecretString::from(value))
}

/// The terminal without echo, for as long as this lives.
struct Silence(Termios);

impl Silence {
    fn begin() -> rustix::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
