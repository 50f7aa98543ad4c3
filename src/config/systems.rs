//! `[[source]]` and `[[company]]`: the systems on both sides, and how each is asked.

use super::{HeaderText, RetentionConfig, SecretRef};
use crate::{jaggaer, visma};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// How the end of a background job is told: `none` (it is asked for), or `subscription` and what
    /// its webhook shall carry.
    #[serde(default = "none")]
    pub background_reply: String,
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
    #[serde(default)]
    pub retention: RetentionConfig,
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

fn visma_base() -> String {
    "https://api.finance.visma.net".into()
}
fn visma_token() -> String {
    "https://connect.visma.com/connect/token".into()
}
fn none() -> String {
    "none".into()
}
fn tenant_header() -> String {
    "tenant_id".into()
}
pub(super) fn oslo() -> TimeZone {
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
