//! Owning a unit: taking it, and knowing until when a request of it may still leave.

use super::CrashPoint;
use super::error::SyncError;
use super::worker::{Life, Worker};
use crate::clock;
use crate::store::{Owned, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A unit owned by this process, until it is dropped or [released](Self::release).
pub struct Ownership {
    store: Store,
    owned: Owned,
    lease: Arc<Lease>,
    /// Its life is the unit's lease.
    _worker: Arc<Worker>,
}

/// Until when this process may send for the unit: as long as it lives, unless it gave the unit up before.
#[derive(Debug)]
pub struct Lease {
    life: Arc<Life>,
    given_up: AtomicBool,
}

impl Lease {
    /// Whether a request may leave now.
    pub fn is_valid(&self) -> bool {
        !self.given_up.load(Ordering::Acquire) && self.life.is_valid()
    }

    pub fn is_lost(&self) -> bool {
        self.given_up.load(Ordering::Acquire) || self.life.is_dead()
    }
}

impl Ownership {
    /// Takes the unit, waiting up to `patience` while a living owner has it.
    pub async fn take(
        store: &Store,
        unit: &str,
        worker: &Arc<Worker>,
        patience: Duration,
    ) -> Result<Self, SyncError> {
        let started = clock::since_boot();
        let length = clock::micros(worker.length());
        let owned = loop {
            // The database would give the unit to a name that nobody renews any more.
            if worker.life().is_dead() {
                return Err(SyncError::LostOwnership);
            }
            store.bury_workers().await?;
            let taken = store.take_ownership(unit, worker.id(), length, worker.is_alone()).await?;
            if let Some(owned) = taken {
                break owned;
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
        CrashPoint::OwnershipTaken.pass();
        let lease = Lease { life: Arc::clone(worker.life()), given_up: AtomicBool::new(false) };
        Ok(Self {
            store: store.clone(),
            owned,
            lease: Arc::new(lease),
            _worker: Arc::clone(worker),
        })
    }

    pub fn owned(&self) -> &Owned {
        &self.owned
    }

    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Gives the unit back, so that the next owner need not wait for the lease to run out.
    pub async fn release(self) -> Result<(), SyncError> {
        self.lease.given_up.store(true, Ordering::Release);
        self.store.release_ownership(&self.owned).await?;
        Ok(())
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.lease.given_up.store(true, Ordering::Release);
    }
}
