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
    pub(super) async fn for_read(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Error> {
        let give_up = Instant::now() + patience;
        loop {
            let now = Instant::now();
            let (wait, error) = match self.turn(now, true) {
                // After the turn: a read that waits must not keep a write from its permit.
                Turn::Now => return Ok(self.permit().await),
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
    pub(super) async fn for_write(&self) -> Result<OwnedSemaphorePermit, Duration> {
        let give_up = Instant::now() + WRITE_PATIENCE;
        loop {
            let now = Instant::now();
            let wait = match self.turn(now, false) {
                // After the turn: a read that waits must not keep a write from its permit.
                Turn::Now => return Ok(self.permit().await),
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

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed")
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
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn settings() -> Settings {
        let mut settings = Settings::new("c", SecretString::from("s"), "t");
        settings.min_interval = Duration::ZERO;
        settings
    }

    fn told(remaining: u64, reset: u64) -> Told {
        Told { limit: Some(100), remaining: Some(remaining), reset: Some(reset), ..Told::default() }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn reads_leave_a_reserve_that_writes_may_use() {
        let allowance = Allowance::new(&settings());
        let now = Instant::now();
        allowance.learn_at(told(21, 600), now);
        assert_eq!(allowance.turn(now, true), Turn::Now);
        let low = Turn::Low { remaining: 20, resets_in: 600 * SECOND };
        assert_eq!(allowance.turn(now, true), low);
        for _ in 0..20 {
            assert_eq!(allowance.turn(now, false), Turn::Now);
        }
        assert_eq!(allowance.turn(now, false), Turn::Low { remaining: 0, resets_in: 600 * SECOND });
        // The window ends: nothing is known and all may go again.
        assert_eq!(allowance.turn(now + 601 * SECOND, true), Turn::Now);
    }

    #[test]
    fn late_answers_never_raise_the_remainder() {
        let allowance = Allowance::new(&settings());
        let now = Instant::now();
        let remaining = || allowance.snapshot_at(now).remaining;
        allowance.learn_at(told(50, 600), now);
        allowance.learn_at(told(60, 601), now);
        assert_eq!(remaining(), Some(50), "same window, an older count");
        allowance.learn_at(told(3, 10), now);
        assert_eq!(remaining(), Some(50), "an answer from the window before");
        allowance.learn_at(told(99, 3600), now);
        assert_eq!(remaining(), Some(99), "the next window");
    }

    #[test]
    fn a_refusal_pauses_everyone() {
        let allowance = Allowance::new(&settings());
        let now = Instant::now();
        let refused = Told { refused: true, retry_after: Some(7), ..Told::default() };
        allowance.learn_at(refused, now);
        assert_eq!(allowance.turn(now, true), Turn::Paused(7 * SECOND));
        assert_eq!(allowance.turn(now, false), Turn::Paused(7 * SECOND));
        assert_eq!(allowance.turn(now + 7 * SECOND, false), Turn::Now);
    }

    #[test]
    fn refusals_without_a_time_back_off_further_each_time() {
        let allowance = Allowance::new(&settings());
        let mut now = Instant::now();
        let mut last = Duration::ZERO;
        for _ in 0..4 {
            allowance.learn_at(Told { refused: true, ..Told::default() }, now);
            let Turn::Paused(wait) = allowance.turn(now, true) else { panic!("not paused") };
            assert!(wait > last, "{wait:?} after {last:?}");
            last = wait;
            now += wait;
        }
        allowance.learn_at(Told::default(), now);
        allowance.learn_at(Told { refused: true, ..Told::default() }, now);
        assert!(matches!(allowance.turn(now, true), Turn::Paused(wait) if wait < 2 * SECOND));
    }

    #[test]
    fn an_empty_allowance_with_429_pauses_to_the_end_of_the_window() {
        let allowance = Allowance::new(&settings());
        let now = Instant::now();
        allowance.learn_at(Told { refused: true, ..told(0, 90) }, now);
        assert_eq!(allowance.turn(now, false), Turn::Paused(90 * SECOND));
    }

    #[test]
    fn calls_are_paced_after_the_burst() {
        let mut settings = settings();
        settings.min_interval = 100 * Duration::from_millis(1);
        settings.burst = 3;
        let allowance = Allowance::new(&settings);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(allowance.turn(now, true), Turn::Now);
        }
        assert_eq!(allowance.turn(now, true), Turn::Paced(Duration::from_millis(100)));
        assert_eq!(allowance.turn(now + Duration::from_millis(100), true), Turn::Now);
        let later = now + 10 * SECOND;
        for _ in 0..3 {
            assert_eq!(allowance.turn(later, true), Turn::Now);
        }
        assert!(matches!(allowance.turn(later, true), Turn::Paced(_)));
    }

    #[test]
    fn one_allowance_for_each_company_and_client() {
        let one = settings();
        let other = Settings { tenant_id: "another".into(), ..one.clone() };
        let first = Allowance::of(&one);
        assert!(Arc::ptr_eq(&first, &Allowance::of(&one)));
        assert!(!Arc::ptr_eq(&first, &Allowance::of(&other)));
    }

    #[tokio::test]
    async fn a_read_gives_up_when_the_wait_is_too_long() {
        let allowance = Allowance::new(&settings());
        allowance.learn(told(5, 600));
        let error = allowance.for_read(SECOND).await.expect_err("below the reserve");
        assert!(matches!(error, Error::AllowanceLow { remaining: 5, .. }), "{error}");
        assert!(allowance.for_write().await.is_ok());
    }
}
