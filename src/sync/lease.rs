//! Owning a unit: taking it, keeping it, and knowing on a suspend-aware clock until when a
//! request may still leave.

use super::CrashPoint;
use super::error::SyncError;
use crate::clock;
use crate::store::{FileLock, Owned, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A unit owned by this process, kept until dropped or [`released`](Self::release).
pub struct Ownership {
    store: Store,
    owned: Owned,
    lease: Arc<Lease>,
    renewing: tokio::task::JoinHandle<()>,
    _lock: Option<Arc<FileLock>>,
}

/// Until when this process may send.
#[derive(Debug)]
pub struct Lease {
    /// Microseconds since boot.
    until: AtomicU64,
    lost: AtomicBool,
}

impl Lease {
    fn new(until: Duration) -> Self {
        Self { until: AtomicU64::new(as_micros(until)), lost: AtomicBool::new(false) }
    }

    /// Whether a request may leave now.
    pub fn is_valid(&self) -> bool {
        !self.lost.load(Ordering::Acquire)
            && as_micros(clock::since_boot()) < self.until.load(Ordering::Acquire)
    }

    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn extend(&self, until: Duration) {
        self.until.store(as_micros(until), Ordering::Release);
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }
}

/// The one lock of this process on a file store; `None` for PostgreSQL.
pub type ProcessLock = Option<Arc<FileLock>>;

/// Waits until no other living process of this machine has the file store.
pub async fn lock_process(store: &Store, patience: Duration) -> Result<ProcessLock, SyncError> {
    let started = clock::since_boot();
    loop {
        match store.lock_file().map_err(SyncError::Lock)? {
            Some(lock) => return Ok(lock.map(Arc::new)),
            None if clock::since_boot().saturating_sub(started) >= patience => {
                return Err(SyncError::OwnedElsewhere {
                    owner: "another process on this machine".into(),
                });
            }
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Ownership {
    /// Takes the unit, waiting up to `patience` while a living owner has it.
    pub async fn take(
        store: &Store,
        unit: &str,
        lock: ProcessLock,
        lease: Duration,
        patience: Duration,
    ) -> Result<Self, SyncError> {
        let owner = owner_name();
        let started = clock::since_boot();
        let owned = loop {
            let mut asked_at = clock::since_boot();
            // Whoever holds the file's lock is the only living process on it.
            let owner_is_dead = lock.is_some();
            if let Some(owned) =
                store.take_ownership(unit, &owner, clock::micros(lease), owner_is_dead).await?
            {
                // An answer that waited for a lock may be older than the lease that it grants.
                let waited = clock::since_boot().saturating_sub(asked_at) > margin(lease);
                if !waited {
                    break (owned, asked_at);
                }
                asked_at = clock::since_boot();
                if store.renew_ownership(&owned, clock::micros(lease)).await? {
                    break (owned, asked_at);
                }
            }
            if clock::since_boot().saturating_sub(started) >= patience {
                let owner = store
                    .ownerships()
                    .await?
                    .into_iter()
                    .find(|row| row.unit == unit)
                    .map_or_else(String::new, |row| row.owner);
                return Err(SyncError::OwnedElsewhere { owner });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let (owned, asked_at) = owned;
        CrashPoint::OwnershipTaken.pass();
        // Counted from before the question: the database's answer can only be later.
        let guard = Arc::new(Lease::new(asked_at + lease - margin(lease)));
        let renewing = tokio::spawn(renew(store.clone(), owned.clone(), Arc::clone(&guard), lease));
        Ok(Self { store: store.clone(), owned, lease: guard, renewing, _lock: lock })
    }

    pub fn owned(&self) -> &Owned {
        &self.owned
    }

    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Gives the unit back, so that the next owner need not wait for the lease to run out.
    pub async fn release(self) -> Result<(), SyncError> {
        self.renewing.abort();
        self.store.release_ownership(&self.owned).await?;
        Ok(())
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.renewing.abort();
        self.lease.lose();
    }
}

/// Time kept back so that a request that leaves at the last moment still leaves within the lease.
fn margin(lease: Duration) -> Duration {
    lease / 5
}

async fn renew(store: Store, owned: Owned, guard: Arc<Lease>, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 3).await;
        let asked_at = clock::since_boot();
        match store.renew_ownership(&owned, clock::micros(lease)).await {
            Ok(true) => guard.extend(asked_at + lease - margin(lease)),
            Ok(false) => {
                tracing::warn!(
                    unit = owned.unit,
                    "another process owns the unit now; this one stops"
                );
                guard.lose();
                return;
            }
            Err(error) => {
                // The lease may still run out by itself; nothing leaves after that.
                tracing::warn!(unit = owned.unit, %error, "the lease could not be renewed");
            }
        }
    }
}

fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// This process, as the owner of units.
pub fn owner_name() -> String {
    format!("{}:{}", hostname(), std::process::id())
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_leave_after_the_lease() {
        let now = clock::since_boot();
        assert!(Lease::new(now + Duration::from_secs(60)).is_valid());
        assert!(!Lease::new(now).is_valid());
        let lost = Lease::new(now + Duration::from_secs(60));
        lost.lose();
        assert!(!lost.is_valid());
    }
}
