//! What a unit's flows share: the store under its ownership, the clients, the rules, the reference
//! data of this round.

use super::error::SyncError;
use super::lease::Ownership;
use super::progress::Progress;
use super::route::Router;
use crate::audit::Entry;
use crate::config::{Config, ConfirmConfig, ConnectionConfig, Roles, Unit, Watched};
use crate::decide::Rules;
use crate::jaggaer;
use crate::mapping::{SupplierGroups, SupplierIndex};
use crate::procurement::{About, ReferenceData, Vendor};
use crate::store::{Change, Owned, Store};
use crate::vault::Vault;
use crate::visma;
use crate::{audit, clock};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// One JAGGAER instance at work.
pub struct Source {
    pub id: String,
    pub base_url: String,
    pub client: jaggaer::Client,
    pub profile: jaggaer::Profile,
    pub router: Router,
    vendors: RwLock<Arc<BTreeMap<String, Vendor>>>,
}

impl Source {
    /// The name of a feed's watermark. Another address or profile may show other documents, and
    /// older ones: its lists are read from the beginning. What is known already is not kept twice.
    pub fn watermark_of(&self, feed: &jaggaer::Feed) -> String {
        let seen_as = audit::hash_text(&format!("{}\n{}", self.base_url, self.profile.version()));
        format!("{}#{}", feed.name(), &seen_as[..12])
    }

    pub fn vendors(&self) -> Arc<BTreeMap<String, Vendor>> {
        Arc::clone(&self.vendors.read().expect("no writer panics"))
    }

    pub fn set_vendors(&self, vendors: BTreeMap<String, Vendor>) {
        *self.vendors.write().expect("no writer panics") = Arc::new(vendors);
    }
}

/// What a process may do in Visma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Signs in with the right to read alone, and has nothing to send a write with.
    Read,
    ReadAndWrite,
}

/// One Visma company at work.
pub struct Company {
    pub id: String,
    pub client: visma::Client,
    /// `None`: opened to be read.
    sender: Option<visma::Sender>,
    pub base_url: String,
    pub tenant: String,
    pub index_months: i64,
    pub overlap_minutes: i64,
    pub time_zone: TimeZone,
    /// How long a released document's batch is waited for; `None`: it is not held against the ledger.
    pub ledger_patience: Option<i64>,
    pub concurrency: usize,
    /// What webhooks are to tell of; `None`: nothing.
    pub watched: Option<Watched>,
    /// As last read; replaced, never changed in place.
    reference: RwLock<Option<Arc<KnownReference>>>,
    /// Rows that the latest read of each list could not use.
    unreadable: RwLock<BTreeMap<&'static str, Vec<visma::UnreadableRow>>>,
}

/// Reference data as one decision sees it.
pub struct KnownReference {
    pub data: ReferenceData,
    pub suppliers: SupplierIndex,
    pub groups: SupplierGroups,
    pub hash: String,
}

impl Company {
    pub fn sender(&self) -> Result<&visma::Sender, SyncError> {
        self.sender.as_ref().ok_or_else(|| {
            SyncError::Inner(format!(
                "company `{}` was opened to be read: nothing is sent",
                self.id
            ))
        })
    }

    pub fn reference(&self) -> Option<Arc<KnownReference>> {
        self.reference.read().expect("no writer panics").clone()
    }

    pub fn set_unreadable(&self, list: &'static str, rows: Vec<visma::UnreadableRow>) {
        self.unreadable.write().expect("no writer panics").insert(list, rows);
    }

    /// Whether the read before this one could not use these rows either: asking once more at once
    /// would not help.
    pub fn knows_unreadable(&self, list: &str, rows: &[visma::UnreadableRow]) -> bool {
        let known = self.unreadable.read().expect("no writer panics");
        let known = known.get(list).map_or(&[][..], Vec::as_slice);
        rows.iter().all(|row| known.iter().any(|known| known.key == row.key))
    }

    /// A row of the list that could not be used and in which the key stands somewhere.
    pub fn unreadable_with(&self, list: &str, our_key: &str) -> Option<String> {
        let rows = self.unreadable.read().expect("no writer panics");
        rows.get(list)?.iter().find(|row| row.texts.contains(our_key)).map(|row| row.key.clone())
    }

    pub fn set_reference(&self, reference: KnownReference) {
        *self.reference.write().expect("no writer panics") = Some(Arc::new(reference));
    }
}

/// A route with its rules.
pub struct Connection {
    pub id: String,
    pub source: Arc<Source>,
    pub company: Arc<Company>,
    pub rules: Rules,
    pub rules_hash: String,
    /// What its source is told of its documents.
    pub confirm: ConfirmConfig,
}

impl Connection {
    pub fn confirms(&self, about: About) -> bool {
        match about {
            About::Erp => self.confirm.erp,
            About::Payment => self.confirm.payment,
        }
    }

    /// The same connection with other rules; source and company are shared.
    pub fn with_rules(&self, rules: Rules) -> Self {
        Self {
            id: self.id.clone(),
            source: Arc::clone(&self.source),
            company: Arc::clone(&self.company),
            rules_hash: hash_of(&rules),
            rules,
            confirm: self.confirm,
        }
    }

    /// Puts other rules in the place of the configuration's, before any work is done.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules_hash = hash_of(&rules);
        self.rules = rules;
    }
}

/// Timing in microseconds, from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub settle_after: i64,
    pub settle_patience: Duration,
    pub attempts: i64,
    pub background: i64,
}

/// A unit at work in this process.
pub struct Engine {
    pub store: Store,
    pub unit: Unit,
    pub connections: Vec<Arc<Connection>>,
    pub pace: Pace,
    pub roles: Roles,
    pub progress: Arc<dyn Progress>,
    ownership: Ownership,
    stop: watch::Receiver<bool>,
}

impl Engine {
    /// The connections must be those of the unit; see [`open_connections`].
    pub fn new(
        store: Store,
        config: &Config,
        unit: Unit,
        connections: Vec<Arc<Connection>>,
        ownership: Ownership,
        progress: Arc<dyn Progress>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let seconds = |seconds: u64| clock::micros(Duration::from_secs(seconds));
        let timing = &config.timing;
        Self {
            store,
            unit,
            connections,
            pace: Pace {
                settle_after: seconds(timing.settle_after_seconds),
                settle_patience: Duration::from_secs(timing.settle_patience_seconds),
                attempts: timing.attempts,
                background: seconds(timing.background_hours * 3600),
            },
            roles: config.roles.clone(),
            progress,
            ownership,
            stop,
        }
    }

    pub fn owned(&self) -> &Owned {
        self.ownership.owned()
    }

    /// Whether a request to Visma may leave now.
    pub fn may_send(&self) -> bool {
        self.ownership.lease().is_valid()
    }

    /// The same question, to be put by whoever sends, when the last bytes are about to leave.
    pub fn gate(&self) -> visma::Gate {
        let lease = Arc::clone(self.ownership.lease());
        Arc::new(move || lease.is_valid())
    }

    /// Somebody asked to stop: no new document is begun.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Stops a flow that can go on neither for the user nor for the unit.
    pub fn check(&self) -> Result<(), SyncError> {
        if self.ownership.lease().is_lost() {
            return Err(SyncError::LostOwnership);
        }
        if self.is_stopping() {
            return Err(SyncError::Stopped);
        }
        Ok(())
    }

    pub async fn commit(&self, change: Change) -> Result<(), SyncError> {
        if change.is_empty() {
            return Ok(());
        }
        Ok(self.store.commit(self.owned(), change).await?)
    }

    /// Sleeps, but not past a request to stop.
    pub async fn pause(&self, time: Duration) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    pub async fn close(self) -> Result<(), SyncError> {
        self.ownership.release().await
    }

    /// The companies of the unit, once each.
    pub fn companies(&self) -> Vec<Arc<Company>> {
        let mut companies: Vec<Arc<Company>> = Vec::new();
        for connection in &self.connections {
            if !companies.iter().any(|company| company.id == connection.company.id) {
                companies.push(Arc::clone(&connection.company));
            }
        }
        companies
    }

    /// The sources of the unit, once each.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for connection in &self.connections {
            if !sources.iter().any(|source| source.id == connection.source.id) {
                sources.push(Arc::clone(&connection.source));
            }
        }
        sources
    }

    /// What Visma last said of each company's hourly allowance: calls left, and of how many.
    pub fn allowances(&self) -> Vec<(String, Option<u64>, Option<u64>)> {
        let companies = self.companies().into_iter();
        companies
            .map(|company| {
                let known = company.client.allowance();
                (company.id.clone(), known.remaining, known.limit)
            })
            .collect()
    }

    pub fn connection(&self, id: &str) -> Option<&Arc<Connection>> {
        self.connections.iter().find(|connection| connection.id == id)
    }
}

/// Connections with their clients, and why the others have none.
#[derive(Default)]
pub struct Opened {
    pub connections: Vec<Arc<Connection>>,
    pub faults: Vec<SyncError>,
}

/// The unit's connections, or only one of them. Reads secrets and profiles, touches no network. What is
/// wrong with one source or company stops no connection of another.
pub fn open_connections(
    config: &Config,
    vault: &Vault,
    unit: &Unit,
    only: Option<&str>,
    access: Access,
) -> Opened {
    let mut sources: BTreeMap<&str, Option<Arc<Source>>> = BTreeMap::new();
    let mut companies: BTreeMap<&str, Option<Arc<Company>>> = BTreeMap::new();
    let mut opened = Opened::default();
    for wanted in &config.connections {
        if !unit.connections.contains(&wanted.id) || only.is_some_and(|only| only != wanted.id) {
            continue;
        }
        let faults = &mut opened.faults;
        let source = sources
            .entry(&wanted.source)
            .or_insert_with(|| told(open_source(config, vault, wanted), faults));
        let company = companies
            .entry(&wanted.company)
            .or_insert_with(|| told(open_company(config, vault, wanted, access), faults));
        if let (Some(source), Some(company)) = (source, company) {
            opened.connections.push(Arc::new(Connection {
                id: wanted.id.clone(),
                source: Arc::clone(source),
                company: Arc::clone(company),
                rules: wanted.rules.clone(),
                rules_hash: hash_of(&wanted.rules),
                confirm: wanted.confirm,
            }));
        }
    }
    opened
}

fn told<T>(opened: Result<T, SyncError>, faults: &mut Vec<SyncError>) -> Option<Arc<T>> {
    match opened {
        Ok(opened) => Some(Arc::new(opened)),
        Err(fault) => {
            faults.push(fault);
            None
        }
    }
}

fn hash_of(rules: &Rules) -> String {
    audit::hash_text(&serde_json::to_string(rules).expect("rules are plain data with text keys"))
}

/// An entry of the connector's own doing.
pub fn entry(connection: &str, document: &str, action: &str, at: i64) -> Entry {
    Entry {
        at,
        actor: "connector".into(),
        action: action.into(),
        connection: connection.into(),
        document: document.into(),
        from_state: String::new(),
        to_state: String::new(),
        detail: "{}".into(),
    }
}

fn open_source(
    config: &Config,
    vault: &Vault,
    wanted: &ConnectionConfig,
) -> Result<Source, SyncError> {
    let inner = |error: &dyn std::fmt::Display| SyncError::Configuration(error.to_string());
    let source = config.source(&wanted.source).expect("the configuration was checked");
    let profile = load_profile(&source.profile, &config.folder).map_err(|error| inner(&error))?;
    let settings = config.jaggaer_settings(source, vault).map_err(|error| inner(&error))?;
    let client = jaggaer::Client::new(settings)?;
    let routing = config.routing(&source.id).map_err(|error| inner(&error))?;
    let router = Router::new(routing, profile.version()).map_err(SyncError::Configuration)?;
    Ok(Source {
        id: source.id.clone(),
        base_url: source.base_url.clone(),
        client,
        profile,
        router,
        vendors: RwLock::default(),
    })
}

fn open_company(
    config: &Config,
    vault: &Vault,
    wanted: &ConnectionConfig,
    access: Access,
) -> Result<Company, SyncError> {
    let company = config.company(&wanted.company).expect("the configuration was checked");
    let mut settings = config
        .visma_settings(company, vault)
        .map_err(|error| SyncError::Configuration(error.to_string()))?;
    if access == Access::Read {
        settings.keep_reading_scopes();
    }
    let concurrency = settings.concurrent_requests;
    let client = visma::Client::new(settings)?;
    let sender = match access {
        Access::Read => None,
        Access::ReadAndWrite => Some(visma::Sender::new(&client)),
    };
    Ok(Company {
        id: company.id.clone(),
        client,
        sender,
        base_url: company.base_url.clone(),
        tenant: company.tenant_id.clone(),
        index_months: company.index_months,
        overlap_minutes: company.overlap_minutes,
        time_zone: company.time_zone.clone(),
        ledger_patience: company
            .verify_ledger
            .then(|| company.ledger_patience_minutes.saturating_mul(60_000_000)),
        concurrency,
        watched: config.watched(&company.id),
        reference: RwLock::new(None),
        unreadable: RwLock::default(),
    })
}

/// A built-in profile by its name, or a file.
pub fn load_profile(name: &str, folder: &Path) -> Result<jaggaer::Profile, jaggaer::ProfileError> {
    let looks_like_a_file = name.contains(['/', '.']);
    if looks_like_a_file {
        jaggaer::Profile::from_file(&folder.join(name))
    } else {
        jaggaer::Profile::built_in(name)
    }
}
