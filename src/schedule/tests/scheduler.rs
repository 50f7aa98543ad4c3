use super::*;
use crate::schedule::{Event, Flow, LastRun, MINUTE, Member, Reason, Scheduler};
use std::collections::BTreeMap;

const NINE: &str = "2026-06-01T09:00:00Z";

/// Orders only; everything else never.
fn member(connection: &str, orders: &str) -> Member {
    let others = ["invoices", "suppliers", "accounts", "dimensions", "status_back", "reconcile"]
        .map(|flow| format!("{flow} = \"never\"\n"))
        .concat();
    let timetable = timetable(&format!("orders = {orders:?}\n{others}"), "Europe/Oslo");
    Member { connection: connection.into(), timetable, paused: false }
}

fn ran(started_at: i64) -> BTreeMap<Flow, LastRun> {
    let last = LastRun { started_at, ended_at: Some(started_at), ..LastRun::default() };
    BTreeMap::from([(Flow::Orders, last)])
}

fn run(scheduler: &mut Scheduler, from: i64, to: i64) {
    scheduler.tell(Event::Started(Flow::Orders), from);
    scheduler.tell(Event::Ended(Flow::Orders), to);
}

/// When it is due and why.
fn due(scheduler: &Scheduler, now: i64) -> Option<(i64, Reason)> {
    scheduler.next_due(Flow::Orders, now).map(|due| (due.since - at(NINE), due.reason))
}

#[test]
fn a_flow_that_never_ran_runs_at_once() {
    let now = at(NINE) + 17;
    let scheduler = Scheduler::new(vec![member("a", "every 5 minutes")], &BTreeMap::new(), now);
    let look = scheduler.look(now);
    assert_eq!(look.due.len(), 1);
    assert_eq!(
        (look.due[0].flow, look.due[0].reason, look.next),
        (Flow::Orders, Reason::First, None)
    );
}

#[test]
fn what_was_missed_runs_once_at_once() {
    let now = at(NINE) + MINUTE;
    let last = ran(now - 3 * 24 * 60 * MINUTE);
    let mut scheduler = Scheduler::new(vec![member("a", "every 5 minutes")], &last, now);
    assert_eq!(due(&scheduler, now), Some((MINUTE, Reason::Missed)));
    run(&mut scheduler, now, now + 1);
    assert_eq!(due(&scheduler, now), Some((5 * MINUTE, Reason::Planned)));
    let account = scheduler.last(Flow::Orders).expect("it ran").account;
    assert_eq!((account.planned, account.run, account.folded), (3 * 288, 1, 3 * 288 - 1));
}

/// A machine that slept: no new process, the clock jumps.
#[test]
fn a_night_asleep_is_one_run() {
    let start = at(NINE);
    let mut scheduler = Scheduler::new(vec![member("a", "every 5 minutes")], &ran(start), start);
    let morning = start + 10 * 60 * MINUTE + 1;
    assert_eq!(scheduler.look(morning).due.len(), 1);
    run(&mut scheduler, morning, morning + MINUTE);
    assert_eq!(scheduler.look(morning + MINUTE).due.len(), 0);
    assert_eq!(due(&scheduler, morning), Some((605 * MINUTE, Reason::Planned)));
}

#[test]
fn a_flow_is_never_due_while_it_runs_and_what_passed_is_folded() {
    let start = at(NINE);
    let mut scheduler = Scheduler::new(vec![member("a", "every 5 minutes")], &ran(start), start);
    let first = start + 5 * MINUTE;
    scheduler.tell(Event::Started(Flow::Orders), first);
    let late = first + 17 * MINUTE;
    assert_eq!(scheduler.look(late).due, []);
    assert_eq!(scheduler.look(late).next, None);
    scheduler.tell(Event::Ended(Flow::Orders), late);
    assert_eq!(scheduler.look(late).due.len(), 1);
    run(&mut scheduler, late, late + 1);
    let account = scheduler.last(Flow::Orders).expect("it ran").account;
    assert_eq!((account.planned, account.run, account.folded, account.extra), (4, 2, 2, 0));
    assert_eq!(due(&scheduler, late + 1), Some((25 * MINUTE, Reason::Planned)));
}

#[test]
fn a_failure_is_tried_again_at_growing_distances() {
    let start = at(NINE);
    let mut scheduler = Scheduler::new(vec![member("a", "0 4 * * *")], &ran(start), start);
    let mut now = start;
    let mut waits = Vec::new();
    for _ in 0..8 {
        scheduler.tell(Event::Started(Flow::Orders), now);
        scheduler.tell(Event::Failed(Flow::Orders), now);
        let next = scheduler.next_due(Flow::Orders, now).expect("a retry");
        assert_eq!(next.reason, Reason::Retry);
        waits.push((next.since - now) / MINUTE);
        now = next.since;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
    // The failures are known to the next process, and success ends them.
    let kept = BTreeMap::from([(Flow::Orders, scheduler.last(Flow::Orders).expect("kept"))]);
    let mut next = Scheduler::new(vec![member("a", "0 4 * * *")], &kept, now - MINUTE);
    assert_eq!(next.next_due(Flow::Orders, now - MINUTE).expect("a retry").since, now);
    run(&mut next, now, now + 1);
    assert_eq!(due(&next, now + 1).expect("daily").1, Reason::Planned);
}

#[test]
fn a_paused_connection_plans_nothing_and_a_resumed_one_catches_up_once() {
    let start = at(NINE);
    let mut scheduler = Scheduler::new(vec![member("a", "every 5 minutes")], &ran(start), start);
    scheduler.tell(Event::Paused("a".into()), start + MINUTE);
    let later = start + 60 * MINUTE;
    assert_eq!((scheduler.look(later).due.len(), scheduler.look(later).next), (0, None));
    scheduler.tell(Event::Resumed("a".into()), later + 1);
    assert_eq!(scheduler.look(later + 1).due.len(), 1);
    run(&mut scheduler, later + 1, later + 2);
    assert_eq!(scheduler.look(later + 2).due.len(), 0);
    // A pause in which nothing fell due leaves nothing to catch up.
    scheduler.tell(Event::Paused("a".into()), later + 3);
    scheduler.tell(Event::Resumed("a".into()), later + MINUTE);
    assert_eq!(due(&scheduler, later + MINUTE), Some((65 * MINUTE, Reason::Planned)));
}

#[test]
fn a_unit_is_due_when_any_of_its_connections_is_and_is_polled_once() {
    let start = at(NINE);
    let members = vec![member("a", "every 10 minutes"), member("b", "every 15 minutes")];
    let mut scheduler = Scheduler::new(members, &ran(start), start);
    let mut starts = Vec::new();
    for minute in 0..=60 {
        let now = start + minute * MINUTE;
        for _ in scheduler.look(now).due {
            starts.push(minute);
            run(&mut scheduler, now, now);
        }
    }
    assert_eq!(starts, [10, 15, 20, 30, 40, 45, 50, 60]);
    // Only b is left, and a comes back after it missed one.
    scheduler.tell(Event::Paused("a".into()), start + 60 * MINUTE);
    assert_eq!(due(&scheduler, start + 60 * MINUTE), Some((75 * MINUTE, Reason::Planned)));
    run(&mut scheduler, start + 75 * MINUTE, start + 75 * MINUTE);
    scheduler.tell(Event::Resumed("a".into()), start + 76 * MINUTE);
    assert_eq!(due(&scheduler, start + 76 * MINUTE), Some((76 * MINUTE, Reason::Resumed)));
}

/// Put back by a year: waiting for the time of the last start would be waiting for a year.
#[test]
fn a_clock_that_was_put_back_stops_nothing() {
    let now = at(NINE);
    let year = 365 * 24 * 60 * MINUTE;
    for mut scheduler in [
        Scheduler::new(vec![member("a", "every 5 minutes")], &ran(now + year), now),
        Scheduler::new(vec![member("a", "every 5 minutes")], &ran(now + year), now + year),
    ] {
        let next = due(&scheduler, now).expect("planned").0;
        assert!((0..=5 * MINUTE).contains(&next), "{next}");
        run(&mut scheduler, now + next, now + next);
    }
    // By a second: the same planned time is not carried out again.
    let mut scheduler =
        Scheduler::new(vec![member("a", "every 5 minutes")], &ran(now - MINUTE), now);
    run(&mut scheduler, now + 1, now + 1);
    assert_eq!(scheduler.look(now - 999_999).due.len(), 0);
}
