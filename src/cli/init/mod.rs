//! Asks for what a connection needs and writes the configuration: every setting explained, only what is
//! needed switched on. It never writes over a file, and never asks for a secret itself.

mod answer;
mod file;

use super::output::{Failure, Output};
use answer::{QUESTIONS, Question};
use file::Answers;
use ml_connector::config::Config;
use ml_connector::sync::load_profile;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

/// On a terminal, what no flag gives is asked for. Without one, the flags marked as needed must be there.
#[derive(clap::Args)]
pub struct Arguments {
    /// Needed. Address of JAGGAER's API, e.g. `https://customer.api.jaggaer.com`.
    #[arg(long, value_name = "URL")]
    jaggaer_url: Option<String>,
    /// Where to sign in; by default Keycloak's path for J1P below `--jaggaer-url`.
    #[arg(long, value_name = "URL")]
    jaggaer_token_url: Option<String>,
    /// Needed. The client id that JAGGAER gave you.
    #[arg(long, value_name = "ID")]
    jaggaer_client_id: Option<String>,
    /// Where id and secret go at sign-in: post or basic.
    #[arg(long, value_name = "WAY")]
    jaggaer_auth: Option<String>,
    /// Scopes that JAGGAER's sign-in asks for; most instances need none.
    #[arg(long, value_name = "SCOPES")]
    jaggaer_scope: Option<String>,
    /// A header that every call to JAGGAER carries, as NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    jaggaer_header: Vec<String>,
    /// How JAGGAER's API is laid out: default, observed, or a profile's file.
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// Needed. The client id from the Visma Developer Portal.
    #[arg(long, value_name = "ID")]
    visma_client_id: Option<String>,
    /// Needed. The company's tenant id: Visma Admin, Company, Edit, Configuration, Tenant id.
    #[arg(long, value_name = "UUID")]
    tenant_id: Option<String>,
    /// Visma's API, where it is not `https://api.finance.visma.net`.
    #[arg(long, value_name = "URL")]
    visma_url: Option<String>,
    /// Visma's sign-in, where it is not `https://connect.visma.com/connect/token`.
    #[arg(long, value_name = "URL")]
    visma_token_url: Option<String>,
    /// Our name for the company; part of the key of every document, so it is chosen once.
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// Needed. Go-live: documents dated before this day are never posted.
    #[arg(long, value_name = "YYYY-MM-DD")]
    take_from: Option<String>,
    /// Where the company is, e.g. Europe/Oslo.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Where the two secrets will be: vault, file or env.
    #[arg(long, value_name = "WHERE")]
    secrets: Option<String>,
    /// Where the connector keeps its own data: `sqlite:FILE` or `postgres://user@host/database`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Arguments {
    fn given(&self, flag: &str) -> Option<&str> {
        let given = match flag {
            "jaggaer-url" => &self.jaggaer_url,
            "jaggaer-token-url" => &self.jaggaer_token_url,
            "jaggaer-client-id" => &self.jaggaer_client_id,
            "jaggaer-auth" => &self.jaggaer_auth,
            "jaggaer-scope" => &self.jaggaer_scope,
            "profile" => &self.profile,
            "visma-client-id" => &self.visma_client_id,
            "tenant-id" => &self.tenant_id,
            "visma-url" => &self.visma_url,
            "visma-token-url" => &self.visma_token_url,
            "company" => &self.company,
            "take-from" => &self.take_from,
            "time-zone" => &self.time_zone,
            "secrets" => &self.secrets,
            "store" => &self.store,
            other => unreachable!("no flag is called {other}"),
        };
        given.as_deref()
    }
}

pub fn run(arguments: &Arguments, path: &Path, output: &Output) -> Result<ExitCode, Failure> {
    if path.exists() {
        return Err(Failure::configuration(format!(
            "{} is there already, and is never written over: move it away, or name another file with --config",
            path.display()
        )));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        return Err(Failure::configuration(format!("there is no folder {}", folder.display())));
    }
    let mut headers = BTreeMap::new();
    for header in &arguments.jaggaer_header {
        let (name, value) = header
            .split_once('=')
            .ok_or_else(|| Failure::configuration("--jaggaer-header: write NAME=VALUE"))?;
        headers.insert(name.trim().to_owned(), value.to_owned());
    }
    let on_terminal = std::io::stdin().is_terminal();
    let mut answers = Answers::default();
    answers.headers = headers;
    let mut missing = Vec::new();
    for question in QUESTIONS {
        match (arguments.given(question.flag), question.default) {
            (Some(given), _) => {
                let good = (question.check)(given)
                    .map_err(|why| Failure::configuration(format!("--{}: {why}", question.flag)))?;
                answers.give(question.flag, good);
            }
            (None, _) if on_terminal && question.is_asked => {
                answers.give(question.flag, ask(question)?);
            }
            (None, Some(default)) => answers.give(question.flag, default.to_owned()),
            (None, None) if question.is_needed => missing.push(format!("--{}", question.flag)),
            (None, None) => {}
        }
    }
    if !missing.is_empty() {
        return Err(Failure::configuration(format!(
            "there is no terminal to ask on, so give {} (see `ml-connector init --help`)",
            missing.join(", ")
        )));
    }
    let profile = answers.get("profile").unwrap_or("default");
    load_profile(profile, folder).map_err(|error| {
        Failure::configuration(format!(
            "--profile: {error} (its path starts at the configuration's folder)"
        ))
    })?;

    let text = file::render(&answers);
    // What is written loads: the reader is the one that every command uses.
    Config::parse(&text, path).map_err(Failure::configuration)?;
    write(path, &text)?;
    let next = next_commands(&answers, path);
    output.print(&serde_json::json!({ "file": path.display().to_string(), "next": next }));
    output.say(format!("{} is written, for this account only. Next:\n", path.display()));
    for command in &next {
        output.say(format!("  {command}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks until the answer is good. Enter takes the default.
fn ask(question: &Question) -> Result<String, Failure> {
    let stopped = || Failure::could_not("stopped; nothing is written");
    loop {
        eprint!("\n{}\n{}", question.words, question.hint);
        match question.default.filter(|default| !default.is_empty()) {
            Some(default) => eprint!(" [{default}] > "),
            None => eprint!(" > "),
        }
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).map_err(|_| stopped())?;
        if read == 0 {
            return Err(stopped());
        }
        let line = line.trim();
        match (line.is_empty(), question.default) {
            (true, Some(default)) => return Ok(default.to_owned()),
            (true, None) => eprintln!("  this is needed"),
            (false, _) => match (question.check)(line) {
                Ok(good) => return Ok(good),
                Err(why) => eprintln!("  {why}"),
            },
        }
    }
}

/// Never over another file, and for nobody else's eyes.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::could_not(format!("cannot write {}: {error}", path.display()))
    };
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn next_commands(answers: &Answers, path: &Path) -> Vec<String> {
    let is_default = path == Path::new("ml-connector.toml");
    let program = if is_default {
        "ml-connector".to_owned()
    } else {
        format!("ml-connector --config {}", path.display())
    };
    let company = answers.get("company").unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = |name: &str| {
        folder.map_or_else(|| name.into(), |folder| folder.join(name)).display().to_string()
    };
    let mut next = match answers.get("secrets") {
        Some("env") => vec!["export JAGGAER_CLIENT_SECRET=... VISMA_CLIENT_SECRET=...".to_owned()],
        Some("file") => ["jaggaer.secret", "visma.secret"]
            .map(|name| {
                format!("(umask 077; cat > {})    # paste the secret, Enter, Ctrl-D", beside(name))
            })
            .into(),
        Some(_) | None => vec![
            format!(
                "ml-connector secret new-key {}    # back it up, apart from the store",
                beside("master.key")
            ),
            format!("{program} secret set source/jaggaer"),
            format!("{program} secret set company/{company}"),
        ],
    };
    next.push(format!("{program} ping    # what is well, what is not, what to do"));
    let profile = answers.get("profile").unwrap_or("default");
    next.push(format!("{program} profile check {profile}    # each field of JAGGAER's documents"));
    next.push(format!("{program} fit    # what would post and what not; posts nothing"));
    next.push(format!("{program} sync    # everything is held until a person opens it in Visma"));
    next.push(format!("{program} serve    # from now on"));
    next
}
