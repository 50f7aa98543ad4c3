use super::{Error, Settings};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Without a `Retry-After`, the first pause after a 429; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// No header makes us wait longer than two of Visma's windows.
const LONGEST_ORDERED_PAUSE: Duration = Duration::from_secs(7200);
/// Two window ends nearer than this are the same window, seen through answers of unlike speed.
const SAME_WINDOW: Duration = Duration::from_secs(5);
/// A write waits this long for a pause to end; a longer one goes back to the caller.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// The calls that one client id may make in one company, shared by all who make them.
///
/// Visma counts calls in a fixed window and tells limit, remainder and seconds to the window's
/// end with every answer. Reads stop at a reserve, so that a long catch-up never starves a write.
#[derive(Debug)]
pub struct Allowance {
    state: Mutex<State>,
    permits: Arc<Semaphore>,
    /// One fewer: slow reads must not keep a write from leaving.
    read_permits: Arc<Semaphore>,
    min_interval: Duration,
    burst: u32,
    reserve_percent: u64,
}

#[derive(Debug, Default)]
struct State {
    limit: Option<u64>,
    remaining: Option<u64>,
    window_ends: Option<Instant>,
    paused_until: Option<Instant>,
    refusals_in_a_row: u32,
    /// When the next call would be due if all were evenly spaced.
    next_due: Option<Instant>,
}

/// What is known of the allowance now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowanceSnapshot {
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub resets_in: Option<Duration>,
    pub paused_for: Option<Duration>,
}

/// The right to have one request in flight.
#[derive(Debug)]
pub(super) struct Permit {
    _read: Option<OwnedSemaphorePermit>,
    _any: OwnedSemaphorePermit,
}

/// Rate headers of one answer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    /// Seconds until the window ends.
    pub reset: Option<u64>,
    pub retry_after: Option<u64>,
    pub refused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Now,
    /// Evenly spaced: always waited for.
    Paced(Duration),
    Paused(Duration),
    Low {
        remaining: u64,
        resets_in: Duration,
    },
}

type Registry = Mutex<HashMap<(String, String, String), Weak<Allowance>>>;
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::default);

impl Allowance {
    /// The one allowance of (address, company, client id) in this process.
    pub(super) fn of(settings: &Settings) -> Arc<Self> {
        let key =
            (settings.base_url.clone(), settings.tenant_id.clone(), settings.client_id.clone());
        let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = registry.get(&key).and_then(Weak::upgrade) {
            return shared;
        }
        registry.retain(|_, allowance| allowance.strong_count() > 0);
        let new = Arc::new(Self::new(settings));
        registry.insert(key, Arc::downgrade(&new));
        new
    }

    fn new(settings: &Settings) -> Self {
        Self {
            state: Mutex::default(),
            permits: Arc::new(Semaphore::new(settings.concurrent_requests)),
            read_permits: Arc::new(Semaphore::new((settings.concurrent_requests - 1).max(1))),
            min_interval: settings.min_interval,
            burst: settings.burst,
            reserve_percent: u64::from(settings.reserve_for_writes),
        }
    }

    pub fn snapshot(&self) -> AllowanceSnapshot {
        self.snapshot_at(Instant::now())
    }

    fn snapshot_at(&self, now: Instant) -> AllowanceSnapshot {
        let mut state = self.state();
        state.roll(now);
        let left = |at: Option<Instant>| at.and_then(|at| at.checked_duration_since(now));
        AllowanceSnapshot {
            limit: state.limit,
            remaining: state.remaining,
            resets_in: left(state.window_ends),
            paused_for: left(state.paused_until),
        }
    }

    /// A turn for one read. Hold the permit until the answer is in.
    pub(super) async fn for_read(&self, patience: Duration) -> Result<Permit, Error> {
        let give_up = Instant::now() + patience;
        loop {
            let now = Instant::now();
            let (wait, error) = match self.turn(now, true) {
                // After the turn: a read that waits must not keep a write from its permit.
                Turn::Now => return Ok(self.permit(true).await),
                Turn::Paced(wait) => {
                    tokio::time::sleep(wait).await;
                    continue;
                }
                Turn::Paused(wait) => (wait, Error::Busy { resume_in: wait }),
                Turn::Low { remaining, resets_in } => {
                    (resets_in, Error::AllowanceLow { remaining, resets_in })
                }
            };
            if now + wait > give_up {
                return Err(error);
            }
            tokio::time::sleep(wait + jitter(wait)).await;
        }
    }

    /// A turn for one write; reaches into the reserve. `Err`: how long until it is worth asking again.
    pub(super) async fn for_write(&self) -> Result<Permit, Duration> {
        let give_up = Instant::now() + WRITE_PATIENCE;
        loop {
            let now = Instant::now();
            let wait = match self.turn(now, false) {
                // After the turn: a read that waits must not keep a write from its permit.
                Turn::Now => return Ok(self.permit(false).await),
                Turn::Paced(wait) => {
                    tokio::time::sleep(wait).await;
                    continue;
                }
                Turn::Paused(wait) => wait,
                Turn::Low { resets_in, .. } => resets_in,
            };
            if now + wait > give_up {
                return Err(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes in what an answer says.
    pub(super) fn learn(&self, told: Told) {
        self.learn_at(told, Instant::now());
    }

    async fn permit(&self, read: bool) -> Permit {
        let take = async |permits: &Arc<Semaphore>| {
            Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed")
        };
        let read = if read { Some(take(&self.read_permits).await) } else { None };
        Permit { _read: read, _any: take(&self.permits).await }
    }

    fn turn(&self, now: Instant, read: bool) -> Turn {
        let mut state = self.state();
        state.roll(now);
        if let Some(wait) = state.paused_until.and_then(|at| at.checked_duration_since(now)) {
            return Turn::Paused(wait);
        }
        let reserve = match (read, state.limit) {
            (true, Some(limit)) => limit * self.reserve_percent / 100,
            (true, None) | (false, _) => 0,
        };
        if let (Some(remaining), Some(ends)) = (state.remaining, state.window_ends)
            && remaining <= reserve
        {
            return Turn::Low { remaining, resets_in: ends.saturating_duration_since(now) };
        }
        if !self.min_interval.is_zero() {
            let due = state.next_due.map_or(now, |due| due.max(now));
            let ahead = due.saturating_duration_since(now);
            let allowed = self.min_interval * self.burst.saturating_sub(1);
            if ahead > allowed {
                return Turn::Paced(ahead - allowed);
            }
            state.next_due = Some(due + self.min_interval);
        }
        // Counted when it leaves: several calls in flight must not all see the last one free.
        state.remaining = state.remaining.map(|remaining| remaining.saturating_sub(1));
        Turn::Now
    }

    fn learn_at(&self, told: Told, now: Instant) {
        let mut state = self.state();
        state.roll(now);
        if let (Some(remaining), Some(reset)) = (told.remaining, told.reset) {
            let ends = now + Duration::from_secs(reset).min(LONGEST_ORDERED_PAUSE);
            match state.window_ends {
                // An answer that left before the last reset and was late.
                Some(known) if ends + SAME_WINDOW < known => {}
                Some(known) if ends <= known + SAME_WINDOW => {
                    let lower = state.remaining.map_or(remaining, |known| known.min(remaining));
                    state.remaining = Some(lower);
                    state.limit = told.limit.or(state.limit);
                }
                Some(_) | None => {
                    state.remaining = Some(remaining);
                    state.window_ends = Some(ends);
                    state.limit = told.limit.or(state.limit);
                }
            }
        }
        if !told.refused {
            state.refusals_in_a_row = 0;
            return;
        }
        let pause = match (told.retry_after, told.remaining, told.reset) {
            (Some(seconds), _, _) | (None, Some(0), Some(seconds)) => {
                Duration::from_secs(seconds).min(LONGEST_ORDERED_PAUSE)
            }
            (None, _, _) => {
                let doubled = FIRST_PAUSE * 2_u32.pow(state.refusals_in_a_row.min(6));
                let pause = doubled.min(LONGEST_PAUSE);
                pause + jitter(pause)
            }
        };
        state.refusals_in_a_row = state.refusals_in_a_row.saturating_add(1);
        let until = now + pause;
        state.paused_until = Some(state.paused_until.map_or(until, |known| known.max(until)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets a window and a pause that are over.
    fn roll(&mut self, now: Instant) {
        if self.window_ends.is_some_and(|ends| ends <= now) {
            self.window_ends = None;
            self.remaining = None;
        }
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
    }
}

/// Up to a quarter of the wait, at most two seconds: all who wait for one moment must not
/// wake in it.
pub(super) fn jitter(wait: Duration) -> Duration {
    (wait / 4).min(Duration::from_secs(2)).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests;
