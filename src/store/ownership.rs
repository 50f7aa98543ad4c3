use super::{CommitError, LOCK_TIMEOUT, Store, StoreError};
use crate::audit::GENESIS;
use sqlx::Any;
use std::fs::File;
use std::path::PathBuf;

/// A unit that this process owns, at one epoch. Every change names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owned {
    pub unit: String,
    pub owner: String,
    pub epoch: i64,
}

/// Who owns a unit, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipRow {
    pub unit: String,
    pub owner: String,
    pub epoch: i64,
    pub expired: bool,
    pub head_seq: i64,
    pub head_hash: String,
}

/// One text for both engines. Its parts are joined by the database's own clock in microseconds UTC: workers'
/// clocks may differ, and ownership must not depend on them.
macro_rules! timed {
    ($dialect:expr, $first:literal, $($next:literal),+) => {
        match $dialect {
            crate::store::Dialect::Sqlite => concat!(
                $first,
                $("cast(unixepoch('subsec') * 1000000 as integer)", $next),+
            ),
            crate::store::Dialect::Postgres => concat!(
                $first,
                $("cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)", $next),+
            ),
        }
    };
}
pub(super) use timed;

/// The lock on the SQLite file's companion. The kernel drops it with the process, however that
/// ends, so a restart after a crash does not wait for the lease.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held for its lock, never read")] File);

impl Store {
    /// Tries to take the machine-wide lock of a file store. `Ok(None)`: a living process has it.
    /// PostgreSQL needs none: `Ok(Some(None))` there.
    pub fn lock_file(&self) -> std::io::Result<Option<Option<FileLock>>> {
        let Some(path) = &self.lock_path else { return Ok(Some(None)) };
        lock(path)
    }

    /// Takes a unit when nobody owns it, or its owner is dead: not among the workers any more. The unit's own time is
    /// what an owner that is no worker has, and covers one that took it at this moment. To take what one owns already
    /// begins a new epoch. `None`: it is owned. `owner_is_dead` says that it is known to be free whatever stands there.
    pub async fn take_ownership(
        &self,
        unit: &str,
        owner: &str,
        lease_micros: i64,
        owner_is_dead: bool,
    ) -> Result<Option<Owned>, StoreError> {
        let taken = self.try_take(unit, owner, lease_micros, owner_is_dead).await;
        let epoch = match taken {
            Ok(epoch) => epoch,
            // Its owner is in the middle of a transaction, perhaps for good.
            Err(error) if is_lock_timeout(&error) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(epoch.map(|epoch| Owned { unit: unit.to_owned(), owner: owner.to_owned(), epoch }))
    }

    async fn try_take(
        &self,
        unit: &str,
        owner: &str,
        lease_micros: i64,
        owner_is_dead: bool,
    ) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query::<Any>(
            "insert into ownership (unit, owner, epoch, expires_at, head_seq, head_hash) \
             values ($1, '', 0, 0, 0, $2) on conflict (unit) do nothing",
        )
        .bind(unit)
        .bind(GENESIS)
        .execute(&mut self.readers.take().await?)
        .await?;
        let sql = timed!(
            self.dialect,
            "update ownership set owner = $1, epoch = epoch + 1, expires_at = ",
            " + $2 where unit = $3 and (owner = '' or owner = $1 or $4 = 1 or (expires_at < ",
            " and not exists (select 1 from worker where worker.id = ownership.owner))) returning epoch"
        );
        let epoch: Option<(i64,)> = sqlx::query_as::<Any, _>(sql)
            .bind(owner)
            .bind(lease_micros)
            .bind(unit)
            .bind(i64::from(owner_is_dead))
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        Ok(epoch.map(|(epoch,)| epoch))
    }

    /// Gives the unit back, so that the next owner need not wait.
    pub async fn release_ownership(&self, owned: &Owned) -> Result<bool, StoreError> {
        let result = sqlx::query::<Any>(
            "update ownership set owner = '', expires_at = 0 where unit = $1 and owner = $2 and epoch = $3",
        )
        .bind(&owned.unit)
        .bind(&owned.owner)
        .bind(owned.epoch)
        .execute(&mut self.readers.take().await?)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    pub async fn ownerships(&self) -> Result<Vec<OwnershipRow>, StoreError> {
        let sql = timed!(
            self.dialect,
            "select unit, owner, epoch, cast(case when expires_at < ",
            " and not exists (select 1 from worker where worker.id = ownership.owner and worker.expires_at >= ",
            ") then 1 else 0 end as bigint), head_seq, head_hash from ownership order by unit"
        );
        let rows = sqlx::query_as::<Any, (String, String, i64, i64, i64, String)>(sql)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(unit, owner, epoch, expired, head_seq, head_hash)| OwnershipRow {
                unit,
                owner,
                epoch,
                expired: expired == 1,
                head_seq,
                head_hash,
            })
            .collect())
    }
}

pub(super) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code == LOCK_TIMEOUT)
}

fn lock(path: &PathBuf) -> std::io::Result<Option<Option<FileLock>>> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Some(FileLock(file)))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl CommitError {
    /// Whether the process must stop working the unit.
    pub fn is_lost_ownership(&self) -> bool {
        matches!(self, Self::LostOwnership)
    }

    /// Whether it is not known what became of the change.
    pub fn is_lost_connection(&self) -> bool {
        matches!(self, Self::LostConnection(_))
    }
}
