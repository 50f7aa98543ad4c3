//! Mapping tables that people imported: how they join the rules, what a change of them would do,
//! and which codes and vendors still lack a place in them.

mod preview;
mod wanted;

pub use preview::{Affected, Preview, preview};
pub use wanted::{Wanted, WantedCode, WantedSegment, WantedVendor, wanted};

use super::engine::{Connection, Engine, entry};
use super::error::SyncError;
use super::links::{take_over, with_links};
use crate::audit::hash_text;
use crate::clock;
use crate::config::ConnectionConfig;
use crate::decide::Rules;
use crate::mapping::{Sheet, SheetFault, TableName};
use crate::store::{Change, MappingVersion, Owned, Store};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A connection's rules with the newest version of each imported table in the place of the
/// configuration's, and with the links that people made.
pub async fn rules_in_force(
    store: &Store,
    connection: &ConnectionConfig,
) -> Result<Rules, SyncError> {
    let versions = store.mapping_versions(&connection.id).await?;
    let rules = joined(&connection.id, &connection.rules, &versions)?;
    Ok(with_links(&rules, &store.links(&connection.id).await?))
}

/// Connections with their rules in force, and what is wrong with the tables of the others.
pub struct Joined {
    pub connections: Vec<Arc<Connection>>,
    pub faults: Vec<SyncError>,
}

/// Brings what was imported and linked since the last round into force, with its entry in the trail, and
/// gives each connection its rules. One whose tables do not fit stops no other.
pub async fn join_mapping(
    store: &Store,
    owned: &Owned,
    connections: Vec<Arc<Connection>>,
) -> Result<Joined, SyncError> {
    let mut all = Joined { connections: Vec::new(), faults: Vec::new() };
    for mut connection in connections {
        let of = Arc::get_mut(&mut connection).expect("nothing works with it yet");
        match join(store, owned, of).await {
            Ok(()) => all.connections.push(connection),
            Err(fault @ SyncError::Configuration(_)) => all.faults.push(fault),
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The same for an engine that works on and on: `opened` are its connections with the configuration's
/// rules. One whose tables do not fit stands still until they do.
pub async fn rules_anew(
    engine: &mut Engine,
    opened: &[Arc<Connection>],
) -> Result<Vec<SyncError>, SyncError> {
    let fresh = opened.iter().map(|of| Arc::new(of.with_rules(of.rules.clone()))).collect();
    let joined = join_mapping(&engine.store, engine.owned(), fresh).await?;
    engine.connections = joined.connections;
    Ok(joined.faults)
}

async fn join(store: &Store, owned: &Owned, connection: &mut Connection) -> Result<(), SyncError> {
    let versions = store.mapping_versions(&connection.id).await?;
    let rules = joined(&connection.id, &connection.rules, &versions)?;
    let at = clock::now();
    let mut change = Change::new();
    for version in versions.iter().filter(|version| version.in_force_at.is_none()) {
        change.bring_mapping_into_force(version, at);
        let mut log = entry(&connection.id, "", "mapping", at);
        log.actor = version.actor.clone();
        log.detail = json!({
            "table": version.name, "version": version.n, "reason": version.reason,
            "asked_at": clock::rfc3339(version.asked_at),
            "hash": version.body.as_deref().map(hash_text),
        })
        .to_string();
        change.log(log);
    }
    if !change.is_empty() {
        store.commit(owned, change).await?;
    }
    take_over(store, owned, &connection.id).await?;
    connection.set_rules(with_links(&rules, &store.links(&connection.id).await?));
    Ok(())
}

fn joined(
    connection: &str,
    rules: &Rules,
    versions: &[MappingVersion],
) -> Result<Rules, SyncError> {
    let mut newest: BTreeMap<&str, &MappingVersion> = BTreeMap::new();
    for version in versions {
        newest
            .entry(&version.name)
            .and_modify(|known| {
                if known.n < version.n {
                    *known = version;
                }
            })
            .or_insert(version);
    }
    let mut rules = rules.clone();
    for version in newest.into_values() {
        let Some(body) = &version.body else { continue };
        let put = match TableName::parse(&version.name) {
            Some(name) => Sheet::read(body.as_bytes())
                .map_err(|fault| vec![fault])
                .and_then(|sheet| name.put(sheet, &mut rules.mapping)),
            None => Err(vec![SheetFault::whole("this program knows no table of that name")]),
        };
        put.map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            SyncError::Configuration(format!(
                "connection `{connection}`: the imported table `{}` (version {}) does not fit the \
                 configuration: {}. Import it again, or take it back with `mapping restore {} 0`",
                version.name,
                version.n,
                faults.join("; "),
                version.name
            ))
        })?;
    }
    Ok(rules)
}
