//! The vault at work: opened whole at a start, and changed one row at a time, each with its entry in
//! the vault's own audit chain. No entry carries a value.

use super::engine::entry;
use super::error::SyncError;
use super::lease::Ownership;
use super::worker::Worker;
use crate::clock;
use crate::config::Config;
use crate::store::{Change, CommitError, SecretRow, Store};
use crate::vault::{MasterKey, Vault, VaultError, open, rewrap, seal};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The audit chain of the vault. It is owned for the time of a change only, beside whichever process owns
/// the connections.
pub const VAULT_UNIT: &str = "vault";
/// A change of the vault that was killed keeps others from theirs so long.
const LEASE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);
/// Values of one secret that may be used at a time.
const MOST_LIVE: usize = 2;
/// Names shown in one message.
const SHOWN: usize = 5;

/// Opens every value that may be used. What does not open stops the start: the wrong master key, or a
/// row that somebody changed. Without `[vault]` in the configuration it is empty.
pub async fn open_vault(store: &Store, config: &Config) -> Result<Vault, SyncError> {
    if config.vault.key.is_none() {
        return Ok(Vault::default());
    }
    let rows = live(store).await?;
    let keys = keys_of(config, &rows).await?;
    Ok(opened(rows, &keys)?)
}

/// What `secret rotate` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The master key that everything is under now.
    pub key: String,
    /// Values that were put under it.
    pub moved: usize,
    /// Values that were under it before.
    pub already: usize,
    /// Master keys of the configuration that nothing is under any more.
    pub unused: Vec<String>,
}

/// Stores a value as the secret's next version, under the master key of the configuration. The value
/// before it stays valid. Returns the row.
pub async fn set_secret(
    store: &Store,
    config: &Config,
    name: &str,
    value: &SecretString,
    actor: &str,
) -> Result<SecretRow, SyncError> {
    let master = current_key(config).await?;
    // A key that does not open what is there must not close anything either.
    open_vault(store, config).await?;
    let (worker, ownership) = take(store).await?;
    let set = async {
        let rows = store.secrets().await?;
        let versions: Vec<&SecretRow> = rows.iter().filter(|row| row.name == name).collect();
        let live: Vec<i64> =
            versions.iter().filter(|row| row.is_live()).map(|row| row.version).collect();
        if live.len() >= MOST_LIVE {
            return Err(SyncError::Inner(format!(
                "two values of `{name}` are valid, versions {} and {}; nothing was stored: take one of them out with \
                 `ml-connector secret retire '{name}' --version N`",
                live[0], live[1]
            )));
        }
        let version = versions.last().map_or(0, |row| row.version) + 1;
        let at = clock::now();
        let sealed = seal(name, version, value, &master)?;
        let row = SecretRow {
            name: name.to_owned(),
            version,
            sealed,
            set_at: at,
            set_by: actor.to_owned(),
            retired_at: None,
            retired_by: None,
        };
        let mut change = Change::new();
        change.set_secret(&row);
        log(&mut change, "secret_set", actor, at, json!({
            "secret": name, "version": version, "master_key": master.name,
        }));
        store.commit(ownership.owned(), change).await?;
        Ok(row)
    }
    .await;
    give_back(&worker, ownership).await?;
    set
}

/// Takes a value out for good: the version named, or the older of two that are valid. Returns its version.
pub async fn retire_secret(
    store: &Store,
    name: &str,
    version: Option<i64>,
    actor: &str,
) -> Result<i64, SyncError> {
    let (worker, ownership) = take(store).await?;
    let retired = async {
        let mut rows = live(store).await?;
        rows.retain(|row| row.name == name);
        let refused = |why: String| SyncError::Inner(format!("{why}; nothing was changed"));
        let row = match (version, rows.as_slice()) {
            (_, []) => return Err(refused(format!("the vault has no valid value of `{name}`"))),
            (None, [older, _]) => older,
            (None, only) => {
                return Err(refused(format!(
                    "`{name}` has one valid value only: say that it is meant with --version {}",
                    only[0].version
                )));
            }
            (Some(version), rows) => {
                rows.iter().find(|row| row.version == version).ok_or_else(|| {
                    refused(format!("version {version} of `{name}` is not among the valid ones"))
                })?
            }
        };
        let at = clock::now();
        let mut change = Change::new();
        change.retire_secret(row, at, actor);
        log(
            &mut change,
            "secret_retired",
            actor,
            at,
            json!({
                "secret": name, "version": row.version,
            }),
        );
        store.commit(ownership.owned(), change).await?;
        Ok(row.version)
    }
    .await;
    give_back(&worker, ownership).await?;
    retired
}

/// Puts everything under the master key of the configuration, row by row. Stopped anywhere, each row is
/// under the one key or the other and opens with either named; begun again, it goes on.
pub async fn rotate_vault(
    store: &Store,
    config: &Config,
    actor: &str,
) -> Result<Rotated, SyncError> {
    let master = current_key(config).await?;
    let rows = live(store).await?;
    let keys = keys_of(config, &rows).await?;
    // All or nothing of it must open before the first row is touched.
    opened(live(store).await?, &keys)?;
    let (worker, ownership) = take(store).await?;
    let rotated = async {
        let mut rotated =
            Rotated { key: master.name.clone(), moved: 0, already: 0, unused: Vec::new() };
        for row in live(store).await? {
            if row.sealed.key == master.name {
                rotated.already += 1;
                continue;
            }
            let old =
                keys.get(&row.sealed.key).ok_or_else(|| not_named(&row.sealed.key, &[&row]))?;
            let moved = rewrap(&row.name, row.version, &row.sealed, old, &master)?
                .ok_or_else(|| tampered(&row))?;
            let mut change = Change::new();
            change.rewrap_secret(&row, &moved);
            log(
                &mut change,
                "secret_rewrapped",
                actor,
                clock::now(),
                json!({
                    "secret": row.name, "version": row.version,
                    "master_key": master.name, "before": row.sealed.key,
                }),
            );
            match store.commit(ownership.owned(), change).await {
                Ok(()) => rotated.moved += 1,
                // Retired in this moment.
                Err(CommitError::Guard(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let left = live(store).await?;
        rotated.unused = config
            .vault
            .master_key
            .iter()
            .map(|key| key.name.clone())
            .filter(|name| *name != master.name && left.iter().all(|row| row.sealed.key != *name))
            .collect();
        Ok(rotated)
    }
    .await;
    give_back(&worker, ownership).await?;
    rotated
}

/// Without the lock on the file: whoever serves has it, and must not be stopped for this.
async fn take(store: &Store) -> Result<(Arc<Worker>, Ownership), SyncError> {
    let worker = Worker::join_beside(store, LEASE).await?;
    let ownership = Ownership::take(store, VAULT_UNIT, &worker, PATIENCE).await?;
    Ok((worker, ownership))
}

async fn give_back(worker: &Worker, ownership: Ownership) -> Result<(), SyncError> {
    let released = ownership.release().await;
    worker.leave().await;
    released
}

async fn live(store: &Store) -> Result<Vec<SecretRow>, SyncError> {
    let mut rows = store.secrets().await?;
    rows.retain(SecretRow::is_live);
    Ok(rows)
}

async fn current_key(config: &Config) -> Result<MasterKey, SyncError> {
    let name = config.vault.key.as_deref().ok_or_else(|| {
        SyncError::Configuration(
            "the configuration has no [vault]: add `key` and `master_key` (docs/vault.md); `ml-connector secret new-key FILE` \
             makes a key"
                .into(),
        )
    })?;
    read_key(config, name).await
}

async fn read_key(config: &Config, name: &str) -> Result<MasterKey, SyncError> {
    let key = config.vault.master_key(name).expect("the configuration was checked");
    let place = key.place().map_err(|error| SyncError::Configuration(error.to_string()))?;
    Ok(place.read(name, &config.folder).await?)
}

/// The master keys that these rows are under. Others that the configuration names are left alone.
async fn keys_of(
    config: &Config,
    rows: &[SecretRow],
) -> Result<BTreeMap<String, MasterKey>, SyncError> {
    let mut keys = BTreeMap::new();
    for row in rows {
        let name = &row.sealed.key;
        if keys.contains_key(name) {
            continue;
        }
        if config.vault.master_key(name).is_none() {
            return Err(not_named(name, &under(rows, name)).into());
        }
        keys.insert(name.clone(), read_key(config, name).await?);
    }
    Ok(keys)
}

fn opened(rows: Vec<SecretRow>, keys: &BTreeMap<String, MasterKey>) -> Result<Vault, VaultError> {
    let mut values = Vec::new();
    let mut closed = Vec::new();
    for row in &rows {
        match open(&row.name, row.version, &row.sealed, &keys[&row.sealed.key]) {
            Some(value) => values.push((row, value)),
            None => closed.push(row),
        }
    }
    if let Some(row) = closed.first() {
        // A key that opens one row is the right one: then this row was changed.
        let fits = values.iter().any(|(good, _)| good.sealed.key == row.sealed.key);
        return Err(match fits {
            true => tampered(row),
            false => VaultError::WrongKey {
                key: row.sealed.key.clone(),
                secrets: shown(&under(&rows, &row.sealed.key)),
            },
        });
    }
    Ok(Vault::new(values.into_iter().map(|(row, value)| (row.name.clone(), value))))
}

fn under<'a>(rows: &'a [SecretRow], key: &str) -> Vec<&'a SecretRow> {
    rows.iter().filter(|row| row.sealed.key == key).collect()
}

fn not_named(key: &str, rows: &[&SecretRow]) -> VaultError {
    VaultError::NotNamed { key: key.to_owned(), secrets: shown(rows) }
}

fn tampered(row: &SecretRow) -> VaultError {
    VaultError::Tampered {
        name: row.name.clone(),
        version: row.version,
        key: row.sealed.key.clone(),
    }
}

fn shown(rows: &[&SecretRow]) -> String {
    let names: Vec<String> = rows.iter().take(SHOWN).map(|row| format!("`{}`", row.name)).collect();
    match rows.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn log(change: &mut Change, action: &str, actor: &str, at: i64, detail: Value) {
    let mut entry = entry("", "", action, at);
    entry.actor = actor.to_owned();
    entry.detail = detail.to_string();
    change.log(entry);
}
