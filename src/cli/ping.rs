//! Looks at both systems and prints what the doctor says of them.

use super::output::{Failure, Output, counted, table};
use futures_util::future::join_all;
use jiff::Timestamp;
use ml_connector::config::{CompanyConfig, Config, ConnectionConfig, SourceConfig};
use ml_connector::doctor::{
    self, Check, ClockSeen, CompanyFacts, Reach, SourceFacts, Verdict, WebhookSeen,
};
use ml_connector::examine;
use ml_connector::sync::load_profile;
use ml_connector::vault::Vault;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this connection.
    connection: Option<String>,
}

/// What one side came to.
#[derive(Default)]
struct Side {
    checks: Vec<Check>,
    clocks: Vec<ClockSeen>,
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
    // Connections share sources and companies: each is looked at once.
    let sources: BTreeSet<&str> = wanted.iter().map(|one| one.source.as_str()).collect();
    let companies: BTreeSet<&str> = wanted.iter().map(|one| one.company.as_str()).collect();
    let sources = sources.into_iter().filter_map(|id| config.source(id));
    let companies = companies.into_iter().filter_map(|id| config.company(id));
    let (sources, companies) = tokio::join!(
        join_all(sources.map(|source| source_side(source, config, &vault))),
        join_all(companies.map(|company| company_side(company, config, &vault))),
    );
    let (mut checks, mut clocks) = (Vec::new(), Vec::new());
    for side in sources.into_iter().chain(companies) {
        checks.extend(side.checks);
        clocks.extend(side.clocks);
    }
    let webhooks = wanted.iter().map(|connection| webhook(connection, config, &vault));
    checks.extend(join_all(webhooks).await.into_iter().flatten());
    checks.push(doctor::clocks(&clocks));

    let ok = checks.iter().all(Check::is_ok);
    output.print(&serde_json::json!({ "ok": ok, "checks": checks }));
    show(&checks, output);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(checks: &[Check], output: &Output) {
    output.say(table(
        &["check", "", "detail"],
        checks.iter().map(|check| {
            let mark = match check.verdict {
                Verdict::Good => "ok",
                Verdict::Unknown => "?",
                Verdict::Failed => "FAILED",
            };
            vec![check.name.clone(), mark.into(), check.detail.clone()]
        }),
    ));
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.is_ok()).collect();
    for check in &failed {
        output.say(format!("\n{}\n  -> {}", check.name, check.fix));
    }
    output.say(match failed.len() {
        0 => "\nAll is well; `?` cannot be known yet, and needs nobody.".to_owned(),
        count => format!("\n{}", counted(count, "check") + " failed."),
    });
}

/// Meets the addresses, each host once.
async fn meet(
    whose: &str,
    table: &str,
    addresses: &[(&'static str, &str)],
    side: &mut Side,
) -> Vec<Reach> {
    let mut met: Vec<Reach> = Vec::new();
    for (key, url) in addresses {
        let reach = examine::reach(key, url).await;
        if met
            .iter()
            .any(|known| known.host == reach.host && known.is_encrypted == reach.is_encrypted)
        {
            continue;
        }
        side.checks.push(doctor::reached(whose, table, &reach));
        if let Ok(answered) = &reach.answer {
            side.clocks.push(ClockSeen::of(&reach.host, answered));
        }
        met.push(reach);
    }
    met
}

/// The other side's time: its own, where it told it.
fn their_now(met: &[Reach]) -> Timestamp {
    let told = met.iter().find_map(|reach| reach.answer.as_ref().ok()?.date);
    told.unwrap_or_else(Timestamp::now)
}

async fn source_side(source: &SourceConfig, config: &Config, vault: &Vault) -> Side {
    let mut side = Side::default();
    let whose = format!("source {}", source.id);
    let name = |what: &str| format!("{whose}: {what}");
    let profile = match load_profile(&source.profile, &config.folder) {
        Ok(profile) => profile,
        Err(error) => {
            side.checks.push(Check::failed(
                name("profile"),
                error.to_string(),
                "correct the profile's file (`ml-connector profile check` helps), or `profile` in [[source]]",
            ));
            return side;
        }
    };
    let settings = match config.jaggaer_settings(source, vault) {
        Ok(settings) => settings,
        Err(error) => {
            side.checks.push(Check::failed(name("secret"), error.to_string(), SECRET_FIX));
            return side;
        }
    };
    let mut addresses = vec![("base_url", source.base_url.as_str())];
    addresses.extend(source.token_url.iter().map(|url| ("token_url", url.as_str())));
    let met = meet(&whose, "[[source]]", &addresses, &mut side).await;
    if met.iter().any(|reach| reach.answer.is_err()) {
        return side;
    }
    let facts = SourceFacts {
        id: &source.id,
        base_url: &source.base_url,
        client_id: &source.client_id,
        profile: &source.profile,
    };
    match examine::source(settings, &profile, their_now(&met)).await {
        Ok(seen) => side.checks.extend(doctor::source(&facts, &seen)),
        Err(error) => side.checks.push(Check::failed(
            name("settings"),
            error.to_string(),
            "correct [[source]] in the configuration; without any root certificates install ca-certificates",
        )),
    }
    side
}

async fn company_side(company: &CompanyConfig, config: &Config, vault: &Vault) -> Side {
    let mut side = Side::default();
    let whose = format!("company {}", company.id);
    let name = |what: &str| format!("{whose}: {what}");
    let settings = match config.visma_settings(company, vault) {
        Ok(settings) => settings,
        Err(error) => {
            side.checks.push(Check::failed(name("secret"), error.to_string(), SECRET_FIX));
            return side;
        }
    };
    let addresses =
        [("base_url", company.base_url.as_str()), ("token_url", company.token_url.as_str())];
    let met = meet(&whose, "[[company]]", &addresses, &mut side).await;
    if met.iter().any(|reach| reach.answer.is_err()) {
        return side;
    }
    let scopes = settings.scopes.clone();
    let facts = CompanyFacts {
        id: &company.id,
        base_url: &company.base_url,
        token_url: &company.token_url,
        client_id: &company.client_id,
        tenant_id: &company.tenant_id,
        scopes: &scopes,
        page_size: company.page_size,
        reserve_for_writes: company.reserve_for_writes,
        time_zone: &company.time_zone,
        overlap_minutes: company.overlap_minutes,
        verify_ledger: company.verify_ledger,
    };
    match examine::company(settings, their_now(&met)).await {
        Ok(seen) => side.checks.extend(doctor::company(&facts, &seen)),
        Err(error) => side.checks.push(Check::failed(
            name("settings"),
            error.to_string(),
            "correct [[company]] in the configuration; without any root certificates install ca-certificates",
        )),
    }
    side
}

/// `None`: the connection has none.
async fn webhook(connection: &ConnectionConfig, config: &Config, vault: &Vault) -> Option<Check> {
    let table = connection.webhooks.as_ref()?;
    let seen = match table.resolve(&connection.id, &config.folder, vault) {
        Ok(hook) => {
            let secret = hook.url_secrets[0].expose_secret();
            examine::webhook(config.serve.public_url.as_deref(), secret).await
        }
        Err(error) => WebhookSeen::NoSecret(error.to_string()),
    };
    Some(doctor::webhook(&connection.id, &seen))
}

const SECRET_FIX: &str = "put the secret where client_secret says: `ml-connector secret set`, the environment variable, or the file (mode 0600)";
