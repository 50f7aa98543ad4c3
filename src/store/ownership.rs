use super::readers::Readers;
use super::{CommitError, Dialect, LOCK_TIMEOUT, Store, StoreError};
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

impl Dialect {
    /// The database's own clock in microseconds UTC: workers' clocks may differ, and ownership
    /// must not depend on them.
    const fn take(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "update ownership set owner = $1, epoch = epoch + 1, \
                 expires_at = cast(unixepoch('subsec') * 1000000 as integer) + $2 \
                 where unit = $3 and (owner = '' or $4 = 1 \
                 or expires_at < cast(unixepoch('subsec') * 1000000 as integer)) returning epoch"
            }
            Self::Postgres => {
                "update ownership set owner = $1, epoch = epoch + 1, \
                 expires_at = cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) + $2 \
                 where unit = $3 and (owner = '' or $4 = 1 \
                 or expires_at < cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)) returning epoch"
            }
        }
    }

    const fn renew(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "update ownership set expires_at = cast(unixepoch('subsec') * 1000000 as integer) + $1 \
                 where unit = $2 and owner = $3 and epoch = $4"
            }
            Self::Postgres => {
                "update ownership set expires_at = cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) + $1 \
                 where unit = $2 and owner = $3 and epoch = $4"
            }
        }
    }

    const fn list(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "select unit, owner, epoch, \
                 cast(case when expires_at < cast(unixepoch('subsec') * 1000000 as integer) then 1 else 0 end as bigint), \
                 head_seq, head_hash from ownership order by unit"
            }
            Self::Postgres => {
                "select unit, owner, epoch, \
                 cast(case when expires_at < cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) then 1 else 0 end as bigint), \
                 head_seq, head_hash from ownership order by unit"
            }
        }
    }
}

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

    /// Takes a unit when nobody owns it or its owner's lease has run out. `None`: it is owned.
    /// `owner_is_dead` says that it is known to be free whatever the lease says.
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
        .execute(&mut *self.readers.take().await?)
        .await?;
        let epoch: Option<(i64,)> = sqlx::query_as::<Any, _>(self.dialect.take())
            .bind(owner)
            .bind(lease_micros)
            .bind(unit)
            .bind(i64::from(owner_is_dead))
            .fetch_optional(&mut *self.readers.take().await?)
            .await?;
        Ok(epoch.map(|(epoch,)| epoch))
    }

    /// Lengthens the lease. `false`: somebody else owns the unit now.
    pub async fn renew_ownership(
        &self,
        owned: &Owned,
        lease_micros: i64,
    ) -> Result<bool, StoreError> {
        update_own(&self.readers, self.dialect.renew(), lease_micros, owned).await
    }

    /// Gives the unit back, so that the next owner need not wait.
    pub async fn release_ownership(&self, owned: &Owned) -> Result<bool, StoreError> {
        update_own(
            &self.readers,
            "update ownership set owner = '', expires_at = $1 where unit = $2 and owner = $3 and epoch = $4",
            0,
            owned,
        )
        .await
    }

    pub async fn ownerships(&self) -> Result<Vec<OwnershipRow>, StoreError> {
        let rows =
            sqlx::query_as::<Any, (String, String, i64, i64, i64, String)>(self.dialect.list())
                .fetch_all(&mut *self.readers.take().await?)
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

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code == LOCK_TIMEOUT)
}

async fn update_own(
    readers: &Readers,
    sql: &'static str,
    value: i64,
    owned: &Owned,
) -> Result<bool, StoreError> {
    let result = sqlx::query::<Any>(sql)
        .bind(value)
        .bind(&owned.unit)
        .bind(&owned.owner)
        .bind(owned.epoch)
        .execute(&mut *readers.take().await?)
        .await?;
    Ok(result.rows_affected() == 1)
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
}
