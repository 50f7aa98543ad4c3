//! This process among those that serve the store: that it stays alive there, and how many units it may own.

use super::Desk;
use crate::store::Owned;
use crate::sync::{SyncError, Worker};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Units per worker, rounded up: together the workers can always own all.
pub fn fair_share(units: usize, workers: usize) -> usize {
    units.div_ceil(workers.max(1))
}

/// Learns how many workers there are. When the others gave this one up for dead, it joins them under a new name:
/// what it owned under the old one it lets go.
pub(super) async fn keep(
    desk: Arc<Desk>,
    units: usize,
    worker: Arc<watch::Sender<Arc<Worker>>>,
    shares: watch::Sender<usize>,
) {
    let length = Duration::from_secs(desk.config.timing.lease_seconds);
    loop {
        let looked = tokio::time::timeout(length, look(&desk, length, &worker)).await;
        match looked {
            Ok(Ok(workers)) => {
                desk.board.workers(workers);
                let share = fair_share(units, workers);
                shares.send_if_modified(|known| std::mem::replace(known, share) != share);
            }
            // What it owns it keeps as long as the lease lasts.
            Ok(Err(error)) => tracing::warn!(%error, "the store does not answer"),
            Err(_) => tracing::warn!("the store does not answer"),
        }
        if !desk.pause(length / 3).await {
            return;
        }
    }
}

async fn look(
    desk: &Desk,
    length: Duration,
    worker: &watch::Sender<Arc<Worker>>,
) -> Result<usize, SyncError> {
    let current = Arc::clone(&worker.borrow());
    let life = current.life();
    if life.is_dead() || life.is_forlorn(length) || current.length() != length {
        let next = current.rejoin(length).await?;
        tracing::info!(worker = next.id(), before = current.id(), "joined anew");
        worker.send_replace(next);
    }
    desk.store.bury_workers().await?;
    // The question that took it, or that gave it back, was lost in between: nobody here works it, and
    // nobody else may as long as this process lives.
    for row in desk.store.ownerships().await? {
        if row.owner == worker.borrow().id() && desk.board.has_let_go(&row.unit) {
            let owned = Owned { unit: row.unit, owner: row.owner, epoch: row.epoch };
            if desk.store.release_ownership(&owned).await? {
                tracing::info!(unit = owned.unit, "given back, since nothing here works it");
            }
        }
    }
    Ok(desk.store.workers().await?.iter().filter(|worker| worker.serves).count())
}

#[cfg(test)]
mod tests {
    use super::fair_share;

    #[test]
    fn shares_hold_all_units_and_no_worker_much_more_than_another() {
        for units in 0..40 {
            for workers in 1..9 {
                let share = fair_share(units, workers);
                assert!(share * workers >= units, "{units} {workers}");
                assert!(share * workers < units + workers, "{units} {workers}");
            }
        }
        assert_eq!(fair_share(5, 0), 5, "the first look has not come yet");
    }
}
