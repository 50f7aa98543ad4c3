//! A week of many units over a clock change, by the real scheduler on a simulated clock: rounds that last,
//! rounds that fail, processes that die, connections that are paused. What was planned is counted
//! a second time here, minute by minute on the wall, without the scheduler's arithmetic.

use super::*;
use crate::schedule::{Account, Event, Flow, LastRun, MINUTE, Member, Scheduler};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const TEXT: &str = "orders = \"every 5 minutes\"\ninvoices = \"7,37 * * * *\"\nsuppliers = \"every 2 hours\"\n\
    accounts = \"30 2 * * *\"\ndimensions = \"0 4 * * mon-fri\"\nstatus_back = \"every 15 minutes\"\n\
    reconcile = \"never\"\njitter_seconds = 900";

/// Minutes at which the flow is planned, before jitter. Of a time that comes twice the first
/// counts for what is daily, and both count for what is hourly; a daily one that is skipped comes with the gap's end.
fn on_the_wall(flow: Flow, zone: &TimeZone, from: i64, to: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut days = BTreeSet::new();
    let mut minute = from - from.rem_euclid(MINUTE);
    while minute <= to {
        let wall = Timestamp::from_microsecond(minute).expect("in range").to_zoned(zone.clone());
        let of_day = i32::from(wall.hour()) * 60 + i32::from(wall.minute());
        let mut daily = |at: i32| of_day >= at && of_day < at + 60 && days.insert(wall.date());
        let planned = match flow {
            Flow::Orders => (minute / MINUTE) % 5 == 0,
            Flow::Invoices => matches!(wall.minute(), 7 | 37),
            Flow::Suppliers => (minute / MINUTE) % 120 == 0,
            Flow::Accounts => daily(150),
            Flow::Dimensions => wall.weekday().to_monday_one_offset() <= 5 && daily(240),
            Flow::StatusBack => (minute / MINUTE) % 15 == 0,
            Flow::Reconcile => false,
        };
        if planned {
            found.push(minute);
        }
        minute += MINUTE;
    }
    found
}

/// One unit's week.
#[derive(Default)]
struct Week {
    first: BTreeMap<Flow, i64>,
    /// From, to.
    rounds: BTreeMap<Flow, Vec<(i64, i64)>>,
    kept: BTreeMap<Flow, LastRun>,
    deaths: usize,
    failures: usize,
}

fn live(members: &[Member], from: i64, to: i64, random: &mut fastrand::Rng) -> Week {
    let mut week = Week::default();
    let mut now = from;
    while now < to {
        // A process, for as long as it lives.
        let mut scheduler = Scheduler::new(members.to_vec(), &week.kept, now);
        let dies_at = now + random.i64(2 * HOUR..3 * DAY);
        while now < dies_at.min(to) {
            let look = scheduler.look(now);
            let due: BTreeSet<Flow> = look.due.iter().map(|due| due.flow).collect();
            if due.is_empty() {
                now = look.next.unwrap_or(to).min(dies_at).min(to);
                continue;
            }
            let started = now;
            for flow in &due {
                assert!(!scheduler.is_running(*flow), "two rounds of {flow} at once");
                scheduler.tell(Event::Started(*flow), started);
            }
            now += match random.u8(0..40) {
                0 => random.i64(HOUR..5 * HOUR),
                1..8 => random.i64(5 * MINUTE..20 * MINUTE),
                _ => random.i64(1_000_000..3 * MINUTE),
            };
            assert!(scheduler.look(now).due.iter().all(|next| !due.contains(&next.flow)));
            if now >= dies_at {
                // In the middle of the round: nothing is kept of it, and the next process does it again.
                break;
            }
            let failed = random.u8(0..15) == 0;
            week.failures += usize::from(failed);
            for flow in due {
                let told = if failed { Event::Failed(flow) } else { Event::Ended(flow) };
                scheduler.tell(told, now);
                week.kept.insert(flow, scheduler.last(flow).expect("it ran"));
                week.first.entry(flow).or_insert(started);
                week.rounds.entry(flow).or_default().push((started, now));
            }
        }
        if now < to {
            week.deaths += 1;
            now += random.i64(1..10 * HOUR);
        }
    }
    week
}

#[test]
fn every_planned_time_of_a_week_over_a_clock_change_is_accounted_for() {
    let weeks = [
        ("Europe/Oslo", "2026-03-25T23:00:00Z"),
        ("Europe/Oslo", "2026-10-21T22:00:00Z"),
        ("Atlantic/Reykjavik", "2026-03-26T00:00:00Z"),
        ("Atlantic/Reykjavik", "2026-10-22T00:00:00Z"),
    ];
    let (mut deaths, mut failures, mut folded) = (0, 0, 0);
    for (zone, from) in weeks {
        let (from, zone) = (at(from), TimeZone::get(zone).expect("a zone"));
        let to = from + 7 * DAY;
        let wall = Flow::ALL.map(|flow| (flow, on_the_wall(flow, &zone, from, to)));
        let wall = BTreeMap::from(wall);
        for unit in 0..25 {
            let table = table(TEXT).expect("right");
            let timetable = Timetable::new(&table, &zone, &format!("unit-{unit}"));
            let offset = timetable.offset();
            let member = Member { connection: "a".into(), timetable, paused: false };
            let mut random = fastrand::Rng::with_seed(unit);
            let week = live(&[member], from, to, &mut random);
            deaths += week.deaths;
            failures += week.failures;
            for flow in Flow::ALL {
                let what = format!("{flow} of unit-{unit} in {zone:?}");
                let Some(last) = week.kept.get(&flow) else {
                    assert_eq!(flow, Flow::Reconcile, "{what} never ran");
                    continue;
                };
                let Account { planned, run, folded: together, .. } = last.account;
                assert_eq!(planned, run + together, "{what}");
                folded += together;
                // Steps of `every` begin at the offset within a step; the wall's times lie behind by it.
                let moved = match flow {
                    Flow::Orders => offset % (5 * MINUTE),
                    Flow::Suppliers => offset % (120 * MINUTE),
                    Flow::StatusBack => offset % (15 * MINUTE),
                    _ => offset,
                };
                let since = week.first[&flow] + 1;
                let passed = wall[&flow].iter().map(|time| time + moved);
                let passed = passed.filter(|time| (since..=last.started_at).contains(time)).count();
                assert_eq!(planned, u64::try_from(passed).expect("small"), "{what}");
                for pair in week.rounds[&flow].windows(2) {
                    assert!(pair[1].0 >= pair[0].1, "{what}: two at once");
                }
            }
        }
    }
    assert!(deaths > 200 && failures > 2000 && folded > 10_000, "{deaths} {failures} {folded}");
}
