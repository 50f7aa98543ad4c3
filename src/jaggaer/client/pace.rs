use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Keeps all calls of one client below the rate and the number at once that the source bears.
pub(super) struct Pacer {
    at_once: Semaphore,
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pacer {
    /// `per_second` 0: no limit.
    pub(super) fn new(at_once: usize, per_second: u32) -> Self {
        let gap = match per_second {
            0 => Duration::ZERO,
            rate => Duration::from_secs(1) / rate,
        };
        Self { at_once: Semaphore::new(at_once.max(1)), gap, next: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn; the turn ends when the permit is dropped.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        let permit = self.at_once.acquire().await.expect("the semaphore is never closed");
        let slot = {
            let mut next = self.next.lock().await;
            let slot = (*next).max(Instant::now());
            *next = slot + self.gap;
            slot
        };
        sleep_until(slot).await;
        permit
    }

    /// The source asked all of us to wait.
    pub(super) async fn pause(&self, wait: Duration) {
        let mut next = self.next.lock().await;
        *next = (*next).max(Instant::now() + wait);
    }
}
