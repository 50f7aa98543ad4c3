//! Links between vendors and suppliers that people make. Asked by a row, put into force by the
//! owner of the unit with an entry in the trail; decisions see them as part of the rules, so that
//! the rules' version of a decision tells its links too.

use super::engine::entry;
use super::error::SyncError;
use super::ids::moment_id;
use super::unit::{take_unit, units};
use super::worker::Worker;
use crate::clock;
use crate::config::{Config, Unit};
use crate::decide::Rules;
use crate::store::{Change, CommitError, LinkRow, Owned, Store};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a person says about one vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWish {
    pub connection: String,
    /// JAGGAER's vendor id, or the ERP number that its documents carry.
    pub vendor: String,
    /// Visma's supplier number. `None`: undo the link.
    pub supplier: Option<String>,
    pub actor: String,
    pub reason: String,
}

impl LinkWish {
    /// Asks for it, and carries it out at once if nobody owns the unit. Returns whether it is in force.
    pub async fn ask(&self, store: &Store, config: &Config) -> Result<bool, SyncError> {
        let at = clock::now();
        let row = LinkRow {
            id: moment_id(&format!("link {} {}", self.connection, self.vendor), at),
            connection: self.connection.clone(),
            vendor: self.vendor.clone(),
            n: None,
            supplier: self.supplier.clone(),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            asked_at: at,
        };
        store.ask_link(&row).await?;
        let units = units(store, config).await?;
        let unit = units.iter().find(|unit| unit.connections.contains(&self.connection));
        let unit = unit.ok_or_else(|| {
            SyncError::Configuration(format!("there is no connection `{}`", self.connection))
        })?;
        match take_over_alone(store, config, unit).await {
            Ok(()) => {}
            Err(SyncError::OwnedElsewhere { .. }) => {}
            Err(error) => return Err(error),
        }
        let asked = store.asked_links(&self.connection).await?;
        Ok(!asked.iter().any(|open| open.id == row.id))
    }
}

async fn take_over_alone(store: &Store, config: &Config, unit: &Unit) -> Result<(), SyncError> {
    let length = Duration::from_secs(config.timing.lease_seconds);
    let worker = Worker::join(store, false, length, Duration::ZERO).await?;
    let taken = take_over_each(store, unit, &worker).await;
    worker.leave().await;
    taken
}

async fn take_over_each(store: &Store, unit: &Unit, worker: &Arc<Worker>) -> Result<(), SyncError> {
    let ownership = take_unit(store, unit, worker, Duration::ZERO).await?;
    let taken = async {
        for connection in &unit.connections {
            take_over(store, ownership.owned(), connection).await?;
        }
        Ok(())
    }
    .await;
    ownership.release().await?;
    taken
}

/// Puts into force what was asked for, each with its entry in the trail.
pub(super) async fn take_over(
    store: &Store,
    owned: &Owned,
    connection: &str,
) -> Result<(), SyncError> {
    for asked in store.asked_links(connection).await? {
        let at = clock::now();
        let before = store.links(connection).await?.get(&asked.vendor).cloned();
        let mut change = Change::new();
        change.take_link(&asked, at);
        let action = if asked.supplier.is_some() { "link" } else { "unlink" };
        let mut log = entry(connection, "", action, at);
        log.actor.clone_from(&asked.actor);
        log.detail = json!({
            "vendor": asked.vendor, "supplier": asked.supplier, "before": before,
            "reason": asked.reason, "request": asked.id,
        })
        .to_string();
        change.log(log);
        match store.commit(owned, change).await {
            // Taken over meanwhile.
            Ok(()) | Err(CommitError::Guard(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A link that a person made here is newer than one that stands in the configuration, so it counts.
pub(super) fn with_links(configured: &Rules, links: &BTreeMap<String, String>) -> Rules {
    let mut rules = configured.clone();
    let links = links.iter().map(|(vendor, supplier)| (vendor.clone(), supplier.clone()));
    rules.mapping.suppliers.extend(links);
    rules
}
