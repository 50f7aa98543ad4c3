use super::output::{Failure, Output, table};
use ml_connector::config::{CompanyConfig, Config, ConnectionConfig};
use ml_connector::jaggaer;
use ml_connector::sync::load_profile;
use ml_connector::vault::Vault;
use ml_connector::visma;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this connection.
    connection: Option<String>,
}

#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
    /// What to do when it is not ok; empty when it is.
    fix: String,
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn good(&mut self, name: String, detail: String) {
        self.0.push(Check { name, ok: true, detail, fix: String::new() });
    }

    fn bad(&mut self, name: String, detail: String, fix: impl Into<String>) {
        self.0.push(Check { name, ok: false, detail, fix: fix.into() });
    }
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let wanted: Vec<&ConnectionConfig> = config
        .connections
        .iter()
        .filter(|connection| {
            arguments.connection.as_ref().is_none_or(|only| *only == connection.id)
        })
        .collect();
    if wanted.is_empty() {
        return Err(Failure::configuration("there is no such connection in the configuration"));
    }
    let vault = super::vault(config).await?;
    let mut checks = Checks::default();
    for connection in wanted {
        jaggaer_side(connection, config, &vault, &mut checks).await;
        visma_side(connection, config, &vault, &mut checks).await;
    }
    let ok = checks.0.iter().all(|check| check.ok);
    output.print(&serde_json::json!({ "ok": ok, "checks": checks.0 }));
    output.say(table(
        &["check", "", "detail", "to do"],
        checks.0.iter().map(|check| {
            vec![
                check.name.clone(),
                if check.ok { "ok".into() } else { "FAILED".into() },
                check.detail.clone(),
                check.fix.clone(),
            ]
        }),
    ));
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn jaggaer_side(
    connection: &ConnectionConfig,
    config: &Config,
    vault: &Vault,
    checks: &mut Checks,
) {
    let name = |what: &str| format!("{}: jaggaer {what}", connection.id);
    let Some(source) = config.source(&connection.source) else { return };
    let profile = match load_profile(&source.profile, &config.folder) {
        Ok(profile) => profile,
        Err(error) => {
            return checks.bad(
                name("profile"),
                error.to_string(),
                "correct the profile file, or `profile` in [[source]]",
            );
        }
    };
    let settings = match config.jaggaer_settings(source, vault) {
        Ok(settings) => settings,
        Err(error) => {
            return checks.bad(
                name("secret"),
                error.to_string(),
                "store it with `ml-connector secret set`, or set the environment variable or file that client_secret names",
            );
        }
    };
    let client = match jaggaer::Client::new(settings) {
        Ok(client) => client,
        Err(error) => {
            return checks.bad(
                name("settings"),
                error.to_string(),
                "correct [[source]] in the configuration",
            );
        }
    };
    match client.sign_in().await {
        Ok(()) => checks.good(name("sign-in"), "signed in".into()),
        Err(error) => {
            let fix = jaggaer_fix(&error, &source.base_url);
            return checks.bad(name("sign-in"), error.to_string(), fix);
        }
    }
    for feed in profile.feeds() {
        match client.probe(feed).await {
            Ok(rows) => checks.good(name(feed.name()), format!("{rows} rows on the first page")),
            Err(error) if feed.may_lack(&error) => checks.good(
                name(feed.name()),
                format!("not there; the profile calls it optional, so documents are judged without it ({error})"),
            ),
            Err(error) => {
                let fix = jaggaer_fix(&error, &source.base_url);
                checks.bad(name(feed.name()), error.to_string(), fix);
            }
        }
    }
}

async fn visma_side(
    connection: &ConnectionConfig,
    config: &Config,
    vault: &Vault,
    checks: &mut Checks,
) {
    let name = |what: &str| format!("{}: visma {what}", connection.id);
    let Some(company) = config.company(&connection.company) else { return };
    let settings = match config.visma_settings(company, vault) {
        Ok(settings) => settings,
        Err(error) => {
            return checks.bad(
                name("secret"),
                error.to_string(),
                "store it with `ml-connector secret set`, or set the environment variable or file that client_secret names",
            );
        }
    };
    let client = match visma::Client::new(settings) {
        Ok(client) => client,
        Err(error) => {
            return checks.bad(
                name("settings"),
                error.to_string(),
                "correct [[company]] in the configuration",
            );
        }
    };
    match client.sign_in().await {
        Ok(()) => checks.good(name("sign-in"), "signed in".into()),
        Err(error) => {
            let fix = visma_fix(&error, company);
            return checks.bad(name("sign-in"), error.to_string(), fix);
        }
    }
    for (what, result) in client.probe().await {
        match result {
            Ok(detail) => checks.good(name(what), detail),
            Err(_) if what == visma::BATCHES && !company.verify_ledger => {}
            Err(
                error @ (visma::Error::Forbidden { .. }
                | visma::Error::NotFound { .. }
                | visma::Error::Refused { .. }
                | visma::Error::Unreadable { .. }),
            ) if what == visma::BATCHES => {
                checks.good(
                    name(what),
                    format!("{error}: released documents are not held against the general ledger; give the application read access to journal transactions, or set verify_ledger = false"),
                );
            }
            Err(error) => {
                let fix = visma_fix(&error, company);
                checks.bad(name(what), error.to_string(), fix);
            }
        }
    }
}

fn jaggaer_fix(error: &jaggaer::Error, base_url: &str) -> String {
    use jaggaer::Error;
    match error {
        Error::NoAnswer { .. } | Error::SignInBroken(_) => format!(
            "check base_url ({base_url}) and token_url in [[source]], and that this machine may reach them (name, port, firewall, proxy)"
        ),
        Error::SignInRefused { .. } | Error::Unauthorised { .. } => {
            "check base_url, token_url, client_id and the secret with whoever runs JAGGAER for you".into()
        }
        Error::Forbidden { .. } => {
            "ask whoever runs JAGGAER for you to give this client the right to read the list".into()
        }
        Error::Settings(_) | Error::ForeignAddress(_) | Error::Redirected { .. } => {
            "correct base_url in [[source]]".into()
        }
        Error::Throttled { .. } => {
            "wait, or lower requests_per_second and concurrent_requests in [[source]]".into()
        }
        Error::NotFound { .. }
        | Error::BrokenAnswer { .. }
        | Error::TooLarge { .. }
        | Error::Status { .. }
        | Error::Failed { .. }
        | Error::WrongShape { .. }
        | Error::Endless { .. }
        | Error::Moved { .. } => {
            "compare base_url, and the feed's path and page settings in the profile, with the API document (docs/profiles.md)".into()
        }
    }
}

fn visma_fix(error: &visma::Error, company: &CompanyConfig) -> String {
    use visma::Error;
    match error {
        Error::Unreachable { .. } | Error::Settings(_) | Error::Redirected { .. } => format!(
            "check base_url ({}) and token_url ({}) in [[company]], and that this machine may reach them (name, port, firewall, proxy)",
            company.base_url, company.token_url
        ),
        Error::SignIn { .. } => {
            "check client_id, secret, tenant_id and scopes in the Visma Developer Portal".into()
        }
        Error::WrongTenant { .. } | Error::AccessWithdrawn { .. } => {
            "put the tenant id of the company, not of the customer, into tenant_id of [[company]], and see that the application is approved there".into()
        }
        Error::Forbidden { .. } => {
            "grant the application the scope, and its user the role, in this company".into()
        }
        Error::AllowanceLow { .. } | Error::Busy { .. } => "try again later".into(),
        Error::NotFound { .. }
        | Error::Refused { .. }
        | Error::Server { .. }
        | Error::Unreadable { .. }
        | Error::Incomplete { .. } => {
            "try again; if it stays, send the detail to whoever supports you".into()
        }
    }
}
