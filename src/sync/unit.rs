//! Units as the store remembers them, and what becomes of their audit chains when the configuration joins
//! or parts them: no chain ends without a word, and none begins as if there had been nothing before.

use super::engine::entry;
use super::error::SyncError;
use super::lease::Ownership;
use super::vault::VAULT_UNIT;
use super::worker::Worker;
use crate::audit::{ChainLink, Entry, Head};
use crate::clock;
use crate::config::{Config, KnownUnits, Unit};
use crate::store::{Change, MemberKind, Owned, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The configuration's units under the names that they have.
pub async fn units(store: &Store, config: &Config) -> Result<Vec<Unit>, StoreError> {
    Ok(config.units(&known_units(store).await?))
}

async fn known_units(store: &Store) -> Result<KnownUnits, StoreError> {
    let mut known = KnownUnits::default();
    // A name without a chain is one that another process is about to take at this moment: it is the same unit, and
    // the two must meet at its ownership. Read before the members, which stand before the chain's first entry does.
    let chained = store.ownerships().await?.into_iter().filter(|row| row.head_seq > 0);
    known.names.extend(chained.map(|row| row.unit));
    for member in store.unit_members().await? {
        known.names.insert(member.unit.clone());
        match member.kind {
            MemberKind::Source => known.sources.insert(member.id, member.unit),
            MemberKind::Company => known.companies.insert(member.id, member.unit),
        };
    }
    known.names.insert(VAULT_UNIT.to_owned());
    Ok(known)
}

/// Takes a unit, and with it those that go on in it from now on.
pub async fn take_unit(
    store: &Store,
    unit: &Unit,
    worker: &Arc<Worker>,
    patience: Duration,
) -> Result<Ownership, SyncError> {
    let ownership = Ownership::take(store, &unit.id, worker, patience).await?;
    let joined = async {
        for other in &unit.joins {
            let theirs = Ownership::take(store, other, worker, patience).await?;
            let joined = join(store, ownership.owned(), theirs.owned()).await;
            theirs.release().await?;
            joined?;
        }
        remember(store, ownership.owned(), unit, worker).await
    }
    .await;
    match joined {
        Ok(()) => Ok(ownership),
        Err(error) => {
            ownership.release().await?;
            Err(error)
        }
    }
}

/// `theirs` goes on in `ours`: first our chain names the end of theirs, then theirs ends with an entry that
/// names where ours stood. A crash in between leaves an entry too many, and the next start does it again.
async fn join(store: &Store, ours: &Owned, theirs: &Owned) -> Result<(), SyncError> {
    let end = link_to(store, &theirs.unit).await?;
    let mut change = Change::new();
    change.log(chain_entry(ChainLink::JOINED, &end));
    store.commit(ours, change).await?;

    let goes_on = link_to(store, &ours.unit).await?;
    let mut change = Change::new();
    change.move_unit(&theirs.unit, &ours.unit);
    change.log(chain_entry(ChainLink::GOES_ON, &goes_on));
    Ok(store.commit(theirs, change).await?)
}

/// Which sources and companies belong to the unit, where that is news. A process whose configuration is older than
/// the store's last word on one of them takes it from nobody: two would work it at a time, each as the owner of
/// a unit of its own.
async fn remember(
    store: &Store,
    owned: &Owned,
    unit: &Unit,
    worker: &Worker,
) -> Result<(), SyncError> {
    let known = known_units(store).await?;
    let mut change = Change::new();
    let mut is_parted = false;
    for (kind, members, known) in [
        (MemberKind::Source, &unit.sources, &known.sources),
        (MemberKind::Company, &unit.companies, &known.companies),
    ] {
        for id in members {
            match known.get(id) {
                Some(now) if *now == unit.id => continue,
                Some(now) if unit.parted_from.as_ref() == Some(now) => is_parted = true,
                Some(now) => {
                    return Err(SyncError::Configuration(format!(
                        "{} `{id}` is worked in the unit `{now}` by now, and not in `{}`: another process has other \
                         connections; give all of them the same, and reload or start this one anew",
                        kind.as_str(),
                        unit.id
                    )));
                }
                None => {}
            }
            change.keep_unit_member(kind, id, &unit.id);
        }
    }
    if let Some(before) = unit.parted_from.as_ref().filter(|_| is_parted) {
        // Who works the whole may still do so by the configuration of before.
        let whole = store.ownerships().await?.into_iter().find(|row| row.unit == *before);
        if let Some(whole) = whole
            && !whole.owner.is_empty()
            && !whole.expired
            && whole.owner != worker.id()
        {
            return Err(SyncError::OwnedElsewhere { owner: whole.owner });
        }
        change.log(chain_entry(ChainLink::PARTED, &link_to(store, before).await?));
    }
    if !change.is_empty() {
        store.commit(owned, change).await?;
    }
    Ok(())
}

async fn link_to(store: &Store, unit: &str) -> Result<ChainLink, SyncError> {
    let row = store.ownerships().await?.into_iter().find(|row| row.unit == unit);
    let head =
        row.map_or_else(Head::genesis, |row| Head { seq: row.head_seq, hash: row.head_hash });
    Ok(ChainLink { unit: unit.to_owned(), seq: head.seq, hash: head.hash })
}

fn chain_entry(action: &str, link: &ChainLink) -> Entry {
    let mut entry = entry("", "", action, clock::now());
    entry.detail = link.to_detail();
    entry
}
