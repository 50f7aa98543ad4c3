//! How many units a process may own, so that those who share a store share its work.

use super::Desk;
use crate::clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Units per worker, rounded up: together the workers can always own all.
pub fn fair_share(units: usize, workers: usize) -> usize {
    units.div_ceil(workers.max(1))
}

/// Tells the others that this process lives, and learns how many they are.
pub(super) async fn keep(
    desk: Arc<Desk>,
    units: usize,
    lease: Duration,
    shares: watch::Sender<usize>,
) {
    loop {
        match desk.store.worker_lives(desk.board.worker(), clock::micros(lease)).await {
            Ok(workers) => {
                let workers = usize::try_from(workers).unwrap_or(1);
                desk.board.workers(workers);
                let share = fair_share(units, workers);
                shares.send_if_modified(|known| std::mem::replace(known, share) != share);
            }
            // What it owns it keeps as long as the leases last.
            Err(error) => tracing::warn!(%error, "the store does not answer"),
        }
        if !desk.pause(lease / 3).await {
            return;
        }
    }
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
        assert_eq!(fair_share(5, 0), 5, "the first beat has not come yet");
    }
}
