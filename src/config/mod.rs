//! The configuration file: where it is wrong it says the file, the line and the key, and it never
//! prints a line that could hold a secret.

mod alerts;
mod check;
mod fault;
mod header;
mod roles;
mod secret;
mod serve;
mod unit;
mod vault;

pub use alerts::{AlertTarget, Alerts};
pub use header::HeaderText;
pub use roles::Roles;
pub use secret::SecretRef;
pub use serve::ServeConfig;
pub use unit::{KnownUnits, Unit};
pub use vault::{MasterKeyConfig, VaultConfig};

use crate::decide::{
    ChargeRule, InvoiceRules, MatchRules, OrderRules, Route, RouteEntry, Routing, Rules,
};
use crate::mapping::Tables;
use crate::procurement::ChargeKind;
use crate::schedule::{ScheduleTable, Timetable};
use crate::validation::ValidationRules;
use crate::vault::Vault;
use crate::{jaggaer, visma};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
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

/// One JAGGAER instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    pub id: String,
    pub base_url: String,
    #[serde(default)]
    pub token_url: Option<String>,
    pub client_id: String,
    /// Left out: in the vault; see [`secret`](Self::secret).
    #[serde(default)]
    pub client_secret: Option<SecretRef>,
    #[serde(default)]
    pub client_auth: jaggaer::ClientAuth,
    #[serde(default)]
    pub scope: Option<String>,
    /// The header that carries the secret, with `client_auth = "api_key"`.
    #[serde(default = "api_key_header")]
    pub api_key_header: String,
    /// `default`, `observed`, or the path of a profile file.
    pub profile: String,
    #[serde(default = "four")]
    pub concurrent_requests: usize,
    /// 0: not limited by us.
    #[serde(default = "five")]
    pub requests_per_second: u32,
    #[serde(default = "hundred")]
    pub page_size: u64,
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderText>,
}

/// One Visma.net company.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanyConfig {
    pub id: String,
    #[serde(default = "visma_base")]
    pub base_url: String,
    #[serde(default = "visma_token")]
    pub token_url: String,
    pub client_id: String,
    /// Left out: in the vault; see [`secret`](Self::secret).
    #[serde(default)]
    pub client_secret: Option<SecretRef>,
    pub tenant_id: String,
    /// Empty: the header is not sent.
    #[serde(default = "tenant_header")]
    pub tenant_header: String,
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderText>,
    #[serde(default = "thousand")]
    pub page_size: u32,
    #[serde(default = "four")]
    pub concurrent_requests: usize,
    /// Milliseconds between two calls once a short burst is used up; 0: not paced.
    #[serde(default = "hundred")]
    pub min_interval_ms: u64,
    #[serde(default = "burst")]
    pub burst: u32,
    /// Percent of the hourly allowance that reads leave to writes.
    #[serde(default = "reserve")]
    pub reserve_for_writes: u32,
    /// Months of Visma's own documents that the index holds before anything is posted.
    #[serde(default = "index_months")]
    pub index_months: i64,
    /// Minutes by which a list is read again before its watermark. Visma's stamps carry no zone:
    /// more than two hours covers the autumn change of the clocks, and a filter that is read as UTC
    /// where rows are written in summer time.
    #[serde(default = "overlap")]
    pub overlap_minutes: i64,
    /// Where the company is: in which zone a day begins, e.g. for "the day that an invoice came".
    #[serde(default = "oslo", deserialize_with = "time_zone")]
    pub time_zone: TimeZone,
    /// Whether released documents are held against the general ledger.
    #[serde(default = "yes")]
    pub verify_ledger: bool,
    /// Minutes from a release until its batch must be found posted.
    #[serde(default = "a_day")]
    pub ledger_patience_minutes: i64,
    /// Custom text of an order and of its lines that carries our key.
    #[serde(default)]
    pub key_fields: visma::KeyFields,
    /// Attributes of a supplier that carry its GLN and DUNS number.
    #[serde(default)]
    pub supplier_attributes: visma::SupplierAttributes,
    #[serde(default = "write_timeout")]
    pub write_timeout_seconds: u64,
    #[serde(default = "read_timeout")]
    pub read_timeout_seconds: u64,
}

impl SourceConfig {
    /// Where the client secret is: by default in the vault, as `source/<id>`.
    pub fn secret(&self) -> SecretRef {
        let named = || SecretRef::Vault(format!("source/{}", self.id));
        self.client_secret.clone().unwrap_or_else(named)
    }
}

impl CompanyConfig {
    /// Where the client secret is: by default in the vault, as `company/<id>`.
    pub fn secret(&self) -> SecretRef {
        let named = || SecretRef::Vault(format!("company/{}", self.id));
        self.client_secret.clone().unwrap_or_else(named)
    }
}

fn time_zone<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(|_| {
        serde::de::Error::custom(format!("`{name}` is not a time zone such as Europe/Oslo"))
    })
}

/// A route from a source to a company, with its rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ConnectionTable")]
pub struct ConnectionConfig {
    pub id: String,
    pub source: String,
    pub company: String,
    /// What it takes of its source; one entry that fits is enough.
    pub routes: Vec<RouteEntry>,
    /// It takes what no other connection of its source takes.
    pub rest: bool,
    pub rules: Rules,
    /// What it does at other times than the rest.
    pub schedule: ScheduleTable,
    pub confirm: ConfirmConfig,
}

/// What JAGGAER is told of the connection's documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmConfig {
    /// Whether a document was created in Visma, changed there, is held, or was cancelled.
    pub erp: bool,
    /// How far an invoice is paid in Visma.
    pub payment: bool,
}

/// The connection as the file writes it: its rules stand beside its names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionTable {
    id: String,
    source: String,
    company: String,
    #[serde(default)]
    route: Vec<RouteEntry>,
    #[serde(default)]
    rest: bool,
    #[serde(deserialize_with = "day")]
    take_from: jiff::civil::Date,
    #[serde(default)]
    orders: OrderRules,
    #[serde(default)]
    invoices: InvoiceRules,
    #[serde(default)]
    validation: ValidationRules,
    #[serde(default)]
    mapping: Tables,
    #[serde(default)]
    charges: BTreeMap<ChargeKind, ChargeRule>,
    #[serde(default)]
    matching: MatchRules,
    #[serde(default)]
    schedule: ScheduleTable,
    #[serde(default)]
    confirm: ConfirmConfig,
}

/// What the file does not say has a default.
fn schedule<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ScheduleTable, D::Error> {
    Ok(ScheduleTable::deserialize(deserializer)?.or(&ScheduleTable::defaults()))
}

/// A day as text, or as TOML's own date.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<jiff::civil::Date, D::Error> {
    struct Day;

    impl<'de> serde::de::Visitor<'de> for Day {
        type Value = jiff::civil::Date;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a day such as 2026-01-31")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let wrong = |_| E::custom("what stands here is no day such as 2026-01-31");
            text.parse().map_err(wrong)
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let deserializer = serde::de::value::MapAccessDeserializer::new(map);
            let date = toml::value::Datetime::deserialize(deserializer)?;
            self.visit_str(&date.to_string())
        }
    }

    deserializer.deserialize_any(Day)
}

impl From<ConnectionTable> for ConnectionConfig {
    fn from(table: ConnectionTable) -> Self {
        let ConnectionTable {
            id,
            source,
            company,
            route: routes,
            rest,
            take_from,
            orders,
            invoices,
            validation,
            mapping,
            charges,
            matching,
            schedule,
            confirm,
        } = table;
        let rules = Rules { take_from, orders, invoices, validation, mapping, charges, matching };
        Self { id, source, company, routes, rest, rules, schedule, confirm }
    }
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
        for connection in &self.connections {
            if let Err(fault) = connection.rules.matching.check() {
                return meaning(format!("connection `{}`: {fault}", connection.id));
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
            .map_or_else(oslo, |company| company.time_zone.clone());
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

fn visma_base() -> String {
    "https://api.finance.visma.net".into()
}
fn visma_token() -> String {
    "https://connect.visma.com/connect/token".into()
}
fn tenant_header() -> String {
    "tenant_id".into()
}
fn oslo() -> TimeZone {
    TimeZone::get("Europe/Oslo").expect("the program carries the time zones")
}
const fn four() -> usize {
    4
}
const fn five() -> u32 {
    5
}
fn api_key_header() -> String {
    "X-API-Key".into()
}

const fn hundred() -> u64 {
    100
}
const fn thousand() -> u32 {
    1000
}
const fn burst() -> u32 {
    8
}
const fn reserve() -> u32 {
    20
}
const fn index_months() -> i64 {
    24
}
const fn overlap() -> i64 {
    130
}
const fn yes() -> bool {
    true
}
const fn a_day() -> i64 {
    1440
}
const fn write_timeout() -> u64 {
    300
}
const fn read_timeout() -> u64 {
    90
}

#[cfg(test)]
mod tests;
