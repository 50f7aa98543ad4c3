//! The configuration file: where it is wrong it says the file, the line and the key, and it never
//! prints a line that could hold a secret.

mod alerts;
mod check;
mod connection;
mod fault;
mod header;
mod retention;
mod roles;
mod secret;
mod serve;
mod systems;
mod unit;
mod vault;
mod webhooks;

pub use alerts::{AlertTarget, Alerts};
pub use connection::{ConfirmConfig, ConnectionConfig};
pub use header::HeaderText;
pub use retention::RetentionConfig;
pub use roles::Roles;
pub use secret::SecretRef;
pub use serve::ServeConfig;
pub use systems::{CompanyConfig, SourceConfig};
pub use unit::{KnownUnits, Unit};
pub use vault::{MasterKeyConfig, VaultConfig};
pub use webhooks::{Hook, Watched, WebhooksTable};

use crate::decide::{Route, Routing};
use crate::schedule::{ScheduleTable, Timetable};
use crate::vault::Vault;
use crate::{jaggaer, visma};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub store: StoreConfig,
    #[serde(default)]
    pub timing: Timing,
    #[serde(default)]
    pub vault: VaultConfig,
    #[serde(default)]
    pub roles: Roles,
    #[serde(default)]
    pub alerts: Alerts,
    #[serde(default)]
    pub serve: ServeConfig,
    /// When each flow runs; a connection may say otherwise.
    #[serde(default = "ScheduleTable::defaults", deserialize_with = "schedule")]
    pub schedule: ScheduleTable,
    #[serde(rename = "source", default)]
    pub sources: Vec<SourceConfig>,
    #[serde(rename = "company", default)]
    pub companies: Vec<CompanyConfig>,
    #[serde(rename = "connection", default)]
    pub connections: Vec<ConnectionConfig>,
    /// Where relative paths start: the file's own folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `sqlite:FILE`, or `postgres://user@host/database`.
    pub url: String,
    /// Put into a PostgreSQL URL, so that the file holds no secret.
    pub password: Option<SecretRef>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: "sqlite:ml-connector.db".into(), password: None }
    }
}

/// Seconds, unless the name says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// How long ownership lasts without being renewed.
    pub lease_seconds: u64,
    /// How long a command waits for another process to give the unit up.
    pub wait_for_owner_seconds: u64,
    /// After an answer was lost, how long until an absent document counts as not made: the lease,
    /// the longest write and the time until a list shows it.
    pub settle_after_seconds: u64,
    /// How long `sync` waits for what can be settled in this round.
    pub settle_patience_seconds: u64,
    /// Times a write is tried before it is held.
    pub attempts: i64,
    /// A background job that has not finished by then is uncertain.
    pub background_hours: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease_seconds: 60,
            wait_for_owner_seconds: 60,
            settle_after_seconds: 600,
            settle_patience_seconds: 20,
            attempts: 5,
            background_hours: 24,
        }
    }
}

/// What the file does not say has a default.
fn schedule<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ScheduleTable, D::Error> {
    Ok(ScheduleTable::deserialize(deserializer)?.or(&ScheduleTable::defaults()))
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {path}: {reason}: name the right file with --config")]
    File { path: PathBuf, reason: String },
    /// `key` is empty, or the key's whole name and a colon.
    #[error("{path}, line {line}: {key}{message}")]
    Syntax { path: PathBuf, line: usize, key: String, message: String },
    #[error("{0}")]
    Meaning(String),
    #[error("secret of {what}: {reason}")]
    Secret { what: String, reason: String },
}

impl Config {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            reason: match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".into(),
                std::io::ErrorKind::InvalidData => "it is not text in UTF-8".into(),
                _ => error.to_string(),
            },
        })?;
        let mut config = Self::parse(&text, path)?;
        config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(config)
    }

    /// `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| fault::syntax(text, path, &error))?;
        config.check().map_err(|error| match error {
            ConfigError::Meaning(text) => {
                ConfigError::Meaning(format!("{}: {text}", path.display()))
            }
            other => other,
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let meaning = |text: String| Err(ConfigError::Meaning(text));
        unique("source", self.sources.iter().map(|s| s.id.as_str()))?;
        unique("company", self.companies.iter().map(|c| c.id.as_str()))?;
        unique("connection", self.connections.iter().map(|c| c.id.as_str()))?;
        self.vault.check()?;
        if matches!(self.store.password, Some(SecretRef::Vault(_))) {
            return meaning(
                "store.password cannot be in the vault, which is in the store: write { env = \"NAME\" } or \
                 { file = \"PATH\" }"
                    .into(),
            );
        }
        if self.vault.key.is_none()
            && let Some((of, name)) = self.vault_names().first()
        {
            return meaning(format!(
                "the secret of {of} is looked for in the vault as `{name}`, but no [vault] says which master key \
                 opens it: add `key` and `master_key` (`ml-connector secret new-key` makes one; docs/vault.md), or \
                 write {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"
            ));
        }
        if self.connections.is_empty() {
            return meaning(
                "there is no [[connection]]: add one that names a source and a company".into(),
            );
        }
        let ids = self.connections.iter().map(|connection| connection.id.as_str()).collect();
        if let Err(fault) = self.alerts.check(&ids) {
            return meaning(fault);
        }
        self.check_numbers()?;
        self.check_addresses()?;
        self.check_background_replies()?;
        for company in &self.companies {
            company.retention.check(&company.id).or_else(meaning)?;
        }
        for connection in &self.connections {
            if let Err(fault) = connection.rules.matching.check() {
                return meaning(format!("connection `{}`: {fault}", connection.id));
            }
            if let Some(webhooks) = &connection.webhooks {
                webhooks.check(&connection.id).or_else(meaning)?;
                if self.serve.listen.is_none() {
                    return meaning(format!(
                        "connection `{}` has webhooks, but `listen` in [serve] is \"none\": there is nowhere \
                         that they could come in",
                        connection.id
                    ));
                }
            }
            let mapping = &connection.rules.mapping;
            if !mapping.coding.is_empty() || !mapping.combinations.is_empty() {
                return meaning(format!(
                    "connection `{}`: the tables `coding` and `combinations` are not written into this \
                     file: keep them as CSV and take them in with `ml-connector mapping import`",
                    connection.id
                ));
            }
            if !self.sources.iter().any(|source| source.id == connection.source) {
                let known = self.sources.iter().map(|source| source.id.as_str());
                return meaning(check::no_such(
                    &connection.id,
                    "source",
                    &connection.source,
                    known,
                ));
            }
            if !self.companies.iter().any(|company| company.id == connection.company) {
                let known = self.companies.iter().map(|company| company.id.as_str());
                return meaning(check::no_such(
                    &connection.id,
                    "company",
                    &connection.company,
                    known,
                ));
            }
        }
        for source in &self.sources {
            let routing = self.routing(&source.id)?;
            for place in routing.places() {
                if let Err(fault) = jaggaer::check_place(place) {
                    return meaning(format!("a route of source `{}`: {fault}", source.id));
                }
            }
        }
        Ok(())
    }

    /// What each connection of a source takes of it.
    pub fn routing(&self, source: &str) -> Result<Routing, ConfigError> {
        let routes = self.connections.iter().filter(|of| of.source == source).map(|of| Route {
            connection: of.id.clone(),
            company: of.company.clone(),
            entries: of.routes.clone(),
            rest: of.rest,
        });
        Routing::new(source, routes.collect())
            .map_err(|fault| ConfigError::Meaning(fault.to_string()))
    }

    pub fn source(&self, id: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|source| source.id == id)
    }

    pub fn company(&self, id: &str) -> Option<&CompanyConfig> {
        self.companies.iter().find(|company| company.id == id)
    }

    pub fn connection(&self, id: &str) -> Option<&ConnectionConfig> {
        self.connections.iter().find(|connection| connection.id == id)
    }

    /// When the flows of one of the unit's connections run.
    pub fn timetable(&self, unit: &Unit, connection: &ConnectionConfig) -> Timetable {
        let zone = self
            .company(&connection.company)
            .map_or_else(systems::oslo, |company| company.time_zone.clone());
        Timetable::new(&connection.schedule.or(&self.schedule), &zone, &unit.id)
    }

    /// What the configuration looks for in the vault: for what, and under which name.
    pub fn vault_names(&self) -> Vec<(String, String)> {
        let sources = self
            .sources
            .iter()
            .map(|source| (format!("source `{}`", source.id), source.secret(), &source.headers));
        let companies = self.companies.iter().map(|company| {
            (format!("company `{}`", company.id), company.secret(), &company.headers)
        });
        let mut names = Vec::new();
        for (of, secret, headers) in sources.chain(companies) {
            if let SecretRef::Vault(name) = secret {
                names.push((of.clone(), name));
            }
            for (header, text) in headers {
                if let HeaderText::Elsewhere(SecretRef::Vault(name)) = text {
                    names.push((format!("header `{header}` of {of}"), name.clone()));
                }
            }
        }
        for target in &self.alerts.targets {
            if let Some(SecretRef::Vault(name)) = target.secret() {
                names.push((format!("alert target `{}`", target.id), name.clone()));
            }
        }
        for connection in &self.connections {
            let Some(webhooks) = &connection.webhooks else { continue };
            let keys = webhooks.signing_keys(&connection.id).into_iter();
            for place in keys.chain([webhooks.url_secret(&connection.id)]) {
                if let SecretRef::Vault(name) = place {
                    names.push((format!("the webhooks of connection `{}`", connection.id), name));
                }
            }
        }
        names
    }

    /// The store's URL with its password in place and a relative file made to start at the
    /// configuration's folder.
    pub fn store_url(&self) -> Result<String, ConfigError> {
        use secrecy::ExposeSecret;
        let url = &self.store.url;
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = Path::new(path.strip_prefix("//").unwrap_or(path));
            return Ok(format!("sqlite:{}", self.folder.join(path).display()));
        }
        match (&self.store.password, url.split_once('@')) {
            (Some(password), Some((user, rest))) => {
                let secret = password.resolve("store", &self.folder, &Vault::default())?;
                Ok(format!("{user}:{}@{rest}", percent(secret.expose_secret())))
            }
            (Some(_), None) => Err(ConfigError::Meaning(
                "store.password is given, but store.url names no user: write postgres://user@host/database".into(),
            )),
            (None, _) => Ok(url.clone()),
        }
    }

    pub fn jaggaer_settings(
        &self,
        source: &SourceConfig,
        vault: &Vault,
    ) -> Result<jaggaer::Settings, ConfigError> {
        let of = format!("source `{}`", source.id);
        let secret = source.secret().resolve_live(&of, &self.folder, vault)?;
        Ok(jaggaer::Settings {
            token_url: source.token_url.clone(),
            client_auth: source.client_auth,
            scope: source.scope.clone(),
            api_key_header: source.api_key_header.clone(),
            concurrent_requests: source.concurrent_requests,
            requests_per_second: source.requests_per_second,
            page_size: source.page_size,
            headers: header::headers(&source.headers, &of, &self.folder, vault)?,
            previous_secret: secret.previous,
            ..jaggaer::Settings::new(&source.base_url, &source.client_id, secret.current)
        })
    }

    pub fn visma_settings(
        &self,
        company: &CompanyConfig,
        vault: &Vault,
    ) -> Result<visma::Settings, ConfigError> {
        let of = format!("company `{}`", company.id);
        let secret = company.secret().resolve_live(&of, &self.folder, vault)?;
        let defaults = visma::Settings::new(&company.client_id, secret.current, &company.tenant_id);
        Ok(visma::Settings {
            previous_secret: secret.previous,
            base_url: company.base_url.trim_end_matches('/').to_owned(),
            token_url: company.token_url.clone(),
            tenant_header: Some(company.tenant_header.clone()).filter(|name| !name.is_empty()),
            scopes: company.scopes.clone().unwrap_or_else(|| defaults.scopes.clone()),
            extra_headers: header::headers(&company.headers, &of, &self.folder, vault)?,
            page_size: company.page_size,
            read_timeout: Duration::from_secs(company.read_timeout_seconds),
            write_timeout: Duration::from_secs(company.write_timeout_seconds),
            concurrent_requests: company.concurrent_requests,
            min_interval: Duration::from_millis(company.min_interval_ms),
            burst: company.burst,
            reserve_for_writes: company.reserve_for_writes,
            key_fields: company.key_fields,
            supplier_attributes: company.supplier_attributes.clone(),
            background_reply: company.background_reply.clone(),
            ..defaults
        })
    }
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if id.is_empty() || id.len() > 64 {
            return Err(ConfigError::Meaning(format!(
                "a {what} needs an id of 1 to 64 characters"
            )));
        }
        if !seen.insert(id) {
            return Err(ConfigError::Meaning(format!("two of [[{what}]] have the id `{id}`")));
        }
    }
    Ok(())
}

fn list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
    if ids.is_empty() { "none".into() } else { ids.join(", ") }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests;
