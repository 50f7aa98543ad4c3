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
async fn reads_leave_a_place_for_a_write() {
    let mut settings = settings();
    settings.concurrent_requests = 3;
    let allowance = Allowance::new(&settings);
    let _one = allowance.for_read(SECOND).await.expect("free");
    let _two = allowance.for_read(SECOND).await.expect("free");
    let soon = Duration::from_millis(20);
    assert!(tokio::time::timeout(soon, allowance.for_read(SECOND)).await.is_err());
    let write = tokio::time::timeout(soon, allowance.for_write()).await;
    assert!(write.is_ok_and(|turn| turn.is_ok()));
}

#[tokio::test]
async fn a_read_gives_up_when_the_wait_is_too_long() {
    let allowance = Allowance::new(&settings());
    allowance.learn(told(5, 600));
    let error = allowance.for_read(SECOND).await.expect_err("below the reserve");
    assert!(matches!(error, Error::AllowanceLow { remaining: 5, .. }), "{error}");
    assert!(allowance.for_write().await.is_ok());
}
