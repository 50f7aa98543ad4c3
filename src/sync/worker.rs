//! This process among those that work on the store: one lease, renewed for all its units at once, on a
//! suspend-aware clock.

use super::error::SyncError;
use crate::clock;
use crate::store::{FileLock, Store, WorkerRow};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A living process, until it is dropped or [leaves](Self::leave).
pub struct Worker {
    store: Store,
    row: WorkerRow,
    length: Duration,
    life: Arc<Life>,
    renewing: tokio::task::JoinHandle<()>,
    /// On a file store, whoever has its lock is the only living process.
    lock: Option<Arc<FileLock>>,
}

/// Until when this process may send.
#[derive(Debug)]
pub struct Life {
    /// Microseconds since boot.
    until: AtomicU64,
    dead: AtomicBool,
}

impl Life {
    pub(super) fn new(until: Duration) -> Self {
        Self { until: AtomicU64::new(as_micros(until)), dead: AtomicBool::new(false) }
    }

    /// Whether a request may leave now.
    pub fn is_valid(&self) -> bool {
        !self.is_dead() && as_micros(clock::since_boot()) < self.until.load(Ordering::Acquire)
    }

    /// Others have taken note of it: it does not come back.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// It could not be renewed for so long that what waits for the store may wait for ever.
    pub fn is_forlorn(&self, length: Duration) -> bool {
        as_micros(clock::since_boot()) > self.until.load(Ordering::Acquire) + as_micros(length)
    }

    fn extend(&self, until: Duration) {
        self.until.store(as_micros(until), Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.dead.store(true, Ordering::Release);
    }
}

impl Worker {
    /// Joins the living. On a file store, waits up to `patience` until no other process of this machine has it.
    /// `serves`: it takes its share of the units, for as long as it lives.
    pub async fn join(
        store: &Store,
        serves: bool,
        length: Duration,
        patience: Duration,
    ) -> Result<Arc<Self>, SyncError> {
        let lock = lock_file(store, patience).await?.map(Arc::new);
        Self::join_with(store, serves, length, lock).await
    }

    /// Joins the living beside whoever has the file store, for a unit that no round works. Whoever takes the
    /// file store meanwhile calls this one dead.
    pub async fn join_beside(store: &Store, length: Duration) -> Result<Arc<Self>, SyncError> {
        Self::join_with(store, false, length, None).await
    }

    /// Joins anew under another name, when this one is dead, out of reach of the store, or of another length of
    /// lease. What is owned under the old name is free from now on.
    pub async fn rejoin(&self, length: Duration) -> Result<Arc<Self>, SyncError> {
        let next = Self::join_with(&self.store, self.row.serves, length, self.lock.clone()).await?;
        self.leave().await;
        Ok(next)
    }

    async fn join_with(
        store: &Store,
        serves: bool,
        length: Duration,
        lock: Option<Arc<FileLock>>,
    ) -> Result<Arc<Self>, SyncError> {
        // A process may get the number of one that ended, and a container's is always the same.
        let id = format!("{}:{}:{:08x}", hostname(), std::process::id(), fastrand::u32(..));
        let row = WorkerRow { id, serves };
        if lock.is_some() {
            store.bury_other_workers().await?;
        }
        let asked_at = clock::since_boot();
        store.join_worker(&row, clock::micros(length)).await?;
        // Counted from before the question: the database's answer can only be later.
        let life = Arc::new(Life::new(asked_at + length - margin(length)));
        let renewing =
            tokio::spawn(renew(store.clone(), row.id.clone(), Arc::clone(&life), length));
        Ok(Arc::new(Self { store: store.clone(), row, length, life, renewing, lock }))
    }

    pub fn id(&self) -> &str {
        &self.row.id
    }

    pub fn life(&self) -> &Arc<Life> {
        &self.life
    }

    /// How long others wait for it before they call it dead.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Whether every other owner in the store must be dead.
    pub fn is_alone(&self) -> bool {
        self.lock.is_some()
    }

    /// Goes, having given up its units: nobody waits for it, or counts on it.
    pub async fn leave(&self) {
        self.life.end();
        self.renewing.abort();
        if let Err(error) = self.store.leave_worker(&self.row.id).await {
            tracing::warn!(worker = self.row.id, %error, "others wait until the lease of this process runs out");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.renewing.abort();
        self.life.end();
    }
}

async fn lock_file(store: &Store, patience: Duration) -> Result<Option<FileLock>, SyncError> {
    let started = clock::since_boot();
    loop {
        match store.lock_file().map_err(SyncError::Lock)? {
            Some(lock) => return Ok(lock),
            None if clock::since_boot().saturating_sub(started) >= patience => {
                return Err(SyncError::OwnedElsewhere {
                    owner: "another process on this machine".into(),
                });
            }
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Time kept back so that a request that leaves at the last moment still leaves within the lease.
fn margin(length: Duration) -> Duration {
    length / 5
}

async fn renew(store: Store, id: String, life: Arc<Life>, length: Duration) {
    let mut wait = length / 3;
    loop {
        tokio::time::sleep(wait).await;
        let asked_at = clock::since_boot();
        // A connection that went dead without a word would keep the question for longer than the lease; another
        // one may do.
        let renewed = store.renew_worker(&id, clock::micros(length));
        let renewed = tokio::time::timeout(length / 3, renewed).await;
        wait = if matches!(renewed, Ok(Ok(_))) { length / 3 } else { length / 20 };
        match renewed {
            Ok(Ok(true)) => life.extend(asked_at + length - margin(length)),
            Ok(Ok(false)) => {
                tracing::warn!(
                    worker = id,
                    "this process was away for longer than its lease: another process owns the unit now; this one stops"
                );
                life.end();
                return;
            }
            // The lease may still run out by itself; nothing leaves after that.
            Ok(Err(error)) => tracing::warn!(worker = id, %error, "the lease could not be renewed"),
            Err(_) => tracing::warn!(
                worker = id,
                "the lease could not be renewed: no answer from the database"
            ),
        }
    }
}

fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
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
        assert!(Life::new(now + Duration::from_secs(60)).is_valid());
        assert!(!Life::new(now).is_valid());
        let ended = Life::new(now + Duration::from_secs(60));
        ended.end();
        assert!(!ended.is_valid());
    }
}
