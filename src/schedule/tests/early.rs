use super::*;
use crate::schedule::{Early, Event, Flow, LastRun, MINUTE, Member, Poll, Scheduler};
use std::collections::BTreeMap;

const NINE: &str = "2026-06-01T09:00:00Z";

fn early(poll: Poll) -> Early {
    Early { company: "c".into(), poll }
}

/// Every flow ran at nine, and again each ten minutes.
fn scheduler(paused: bool) -> Scheduler {
    let text = Flow::ALL.map(|flow| format!("{flow} = \"every 10 minutes\"\n")).concat();
    let member =
        Member { connection: "a".into(), timetable: timetable(&text, "Europe/Oslo"), paused };
    let last = LastRun { started_at: at(NINE), ended_at: Some(at(NINE)), ..LastRun::default() };
    let last: BTreeMap<Flow, LastRun> = Flow::ALL.map(|flow| (flow, last)).into();
    Scheduler::new(vec![member], &last, at(NINE))
}

fn run(scheduler: &mut Scheduler, of: &Early, now: i64) {
    scheduler.tell(Event::EarlyStarted(of.clone()), now);
    scheduler.tell(Event::EarlyEnded(of.clone()), now);
}

#[test]
fn a_nudge_is_due_at_once_and_no_flow_with_it() {
    let mut scheduler = scheduler(false);
    let now = at(NINE) + MINUTE;
    scheduler.tell(Event::Nudged(early(Poll::Suppliers)), now);
    let look = scheduler.look(now);
    assert_eq!(look.due, []);
    assert_eq!(look.early, [early(Poll::Suppliers)].into());
}

#[test]
fn a_flood_is_one_poll_a_minute_and_its_last_nudge_is_not_lost() {
    let mut scheduler = scheduler(false);
    let of = early(Poll::Invoices);
    let (mut polls, mut planned) = (0, 0);
    for tick in 0..6000 {
        let now = at(NINE) + tick * 100_000;
        scheduler.tell(Event::Nudged(of.clone()), now);
        for due in scheduler.look(now).early {
            polls += 1;
            run(&mut scheduler, &due, now);
        }
        planned += scheduler.look(now).due.len();
    }
    assert_eq!((polls, planned), (10, 0), "once each minute");
    let end = at(NINE) + 10 * MINUTE;
    let look = scheduler.look(end);
    assert_eq!(look.early, [of].into(), "the last nudge");
    assert_eq!(look.due.len(), Flow::ALL.len(), "no planned time moved");
}

#[test]
fn what_comes_while_a_poll_runs_brings_another_after_it() {
    let mut scheduler = scheduler(false);
    let of = early(Poll::Orders);
    let now = at(NINE);
    scheduler.tell(Event::Nudged(of.clone()), now);
    scheduler.tell(Event::EarlyStarted(of.clone()), now);
    for n in 1..50 {
        scheduler.tell(Event::Nudged(of.clone()), now + n);
        assert_eq!(scheduler.look(now + 2 * MINUTE).early.len(), 0, "never two at once");
    }
    scheduler.tell(Event::EarlyEnded(of.clone()), now + 2 * MINUTE);
    assert_eq!(scheduler.look(now + 2 * MINUTE).early.len(), 1);
    run(&mut scheduler, &of, now + 2 * MINUTE);
    let look = scheduler.look(now + 9 * MINUTE);
    assert_eq!((look.early.len(), look.due.len()), (0, 0), "and no third");
}

#[test]
fn a_round_that_reads_the_list_is_as_good_as_an_early_poll() {
    let mut scheduler = scheduler(false);
    let now = at(NINE);
    for poll in Poll::ALL {
        scheduler.tell(Event::Nudged(early(poll)), now);
    }
    scheduler.tell(Event::Started(Flow::Invoices), now);
    let left = scheduler.look(now).early;
    assert_eq!(left, [Poll::Suppliers, Poll::Accounts, Poll::Dimensions].map(early).into());
    scheduler.tell(Event::Started(Flow::Dimensions), now);
    assert_eq!(scheduler.look(now).early.len(), 0);
    // What comes after its start it may have missed.
    scheduler.tell(Event::Nudged(early(Poll::Orders)), now + 1);
    assert_eq!(scheduler.look(now + 1).early.len(), 1);
}

#[test]
fn a_poll_that_failed_is_tried_again_at_growing_distances() {
    let mut scheduler = scheduler(false);
    let of = early(Poll::Suppliers);
    let mut now = at(NINE);
    scheduler.tell(Event::Nudged(of.clone()), now);
    let mut waits = Vec::new();
    for _ in 0..5 {
        scheduler.tell(Event::EarlyStarted(of.clone()), now);
        scheduler.tell(Event::EarlyFailed(of.clone()), now);
        // Nudges do not break through.
        scheduler.tell(Event::Nudged(of.clone()), now + 1);
        let mut next = now;
        while scheduler.look(next).early.is_empty() {
            next += MINUTE;
        }
        waits.push((next - now) / MINUTE);
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16]);
}

#[test]
fn lists_and_companies_do_not_wait_for_each_other() {
    let mut scheduler = scheduler(false);
    let now = at(NINE);
    let other = Early { company: "d".into(), poll: Poll::Orders };
    scheduler.tell(Event::Nudged(early(Poll::Orders)), now);
    run(&mut scheduler, &early(Poll::Orders), now);
    scheduler.tell(Event::Nudged(early(Poll::Orders)), now + 1);
    scheduler.tell(Event::Nudged(other.clone()), now + 1);
    scheduler.tell(Event::Nudged(early(Poll::Jobs)), now + 1);
    let look = scheduler.look(now + 1);
    assert_eq!(look.early, [other, early(Poll::Jobs)].into());
    assert_eq!(look.next, Some(now + MINUTE), "the gap of the first");
}

#[test]
fn where_all_is_paused_nothing_is_polled() {
    let mut scheduler = scheduler(true);
    scheduler.tell(Event::Nudged(early(Poll::Orders)), at(NINE));
    assert_eq!(scheduler.look(at(NINE)).early.len(), 0);
    scheduler.tell(Event::Resumed("a".into()), at(NINE) + 1);
    assert_eq!(scheduler.look(at(NINE) + 1).early.len(), 1);
}

#[test]
fn a_clock_that_was_put_back_stops_no_poll() {
    let mut scheduler = scheduler(false);
    let of = early(Poll::Orders);
    let year = 365 * 24 * 60 * MINUTE;
    scheduler.tell(Event::Nudged(of.clone()), at(NINE) + year);
    run(&mut scheduler, &of, at(NINE) + year);
    scheduler.tell(Event::Nudged(of.clone()), at(NINE) + year);
    assert_eq!(scheduler.look(at(NINE)).early, [of].into());
}
