use super::early::{EarlyPolls, backoff};
use super::{Early, Flow, MINUTE, Timetable};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A start that lies further ahead of the clock than this was written by a clock that was wrong.
const CLOCK_SLACK: i64 = 60 * MINUTE;
/// Missed times are counted at most this far; a process that was away for longer has more to tell.
const MOST_COUNTED: u64 = 100_000;

/// One connection of the unit.
#[derive(Debug, Clone)]
pub struct Member {
    pub connection: String,
    pub timetable: Timetable,
    pub paused: bool,
}

/// What is kept of a flow between two processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastRun {
    pub started_at: i64,
    pub ended_at: Option<i64>,
    /// In a row, up to now.
    pub failures: u32,
    pub account: Account,
}

/// Where every planned time went: `planned = run + folded`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Planned times that have passed.
    pub planned: u64,
    /// Starts that carried at least one planned time out.
    pub run: u64,
    /// Planned times that one start carried out together with another.
    pub folded: u64,
    /// Starts that no planned time asked for: the first of all, a retry, a resumption.
    pub extra: u64,
}

/// Why a flow is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It never ran in this unit.
    First,
    Planned,
    /// A planned time passed while nobody could carry it out.
    Missed,
    Retry,
    /// A connection was resumed, and it had missed a planned time.
    Resumed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Due {
    pub flow: Flow,
    pub reason: Reason,
    pub since: i64,
}

/// The answer to "what now?".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub due: Vec<Due>,
    /// Lists that nudges ask for.
    pub early: BTreeSet<Early>,
    /// When to ask again if nothing happens before. `None`: only an event brings anything.
    pub next: Option<i64>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Started(Flow),
    Ended(Flow),
    Failed(Flow),
    /// Visma says that there is news.
    Nudged(Early),
    EarlyStarted(Early),
    EarlyEnded(Early),
    EarlyFailed(Early),
    Paused(String),
    Resumed(String),
}

/// The flows of one unit: what is due, what runs, when to look next. It has no clock; the caller tells it the time
/// with each call, in microseconds UTC.
#[derive(Debug, Clone)]
pub struct Scheduler {
    members: Vec<Member>,
    /// Since when a connection is paused, by this clock.
    paused_at: BTreeMap<String, i64>,
    opened_at: i64,
    flows: BTreeMap<Flow, State>,
    early: EarlyPolls,
}

#[derive(Debug, Clone, Default)]
struct State {
    last: Option<LastRun>,
    running: bool,
    resumed_at: Option<i64>,
}

impl Scheduler {
    /// A flow that `last` does not name never ran.
    pub fn new(members: Vec<Member>, last: &BTreeMap<Flow, LastRun>, now: i64) -> Self {
        let flows = Flow::ALL.map(|flow| {
            let mut last = last.get(&flow).copied();
            if let Some(last) = &mut last {
                last.started_at = not_ahead(last.started_at, now);
            }
            (flow, State { last, ..State::default() })
        });
        let paused = members.iter().filter(|member| member.paused);
        Self {
            paused_at: paused.map(|member| (member.connection.clone(), now)).collect(),
            members,
            opened_at: now,
            flows: BTreeMap::from(flows),
            early: EarlyPolls::default(),
        }
    }

    /// Between two early polls of one list, at least, in microseconds.
    pub fn set_nudge_gap(&mut self, gap: i64) {
        self.early.set_gap(gap);
    }

    /// What is due at `now`, and when to look next. A flow that runs is not due, whatever happens.
    pub fn look(&self, now: i64) -> Look {
        let mut look = Look::default();
        for flow in Flow::ALL {
            let Some(due) = self.next_due(flow, now) else { continue };
            if due.since <= now {
                look.due.push(due);
            } else {
                look.next = Some(look.next.map_or(due.since, |next| next.min(due.since)));
            }
        }
        if self.active_members().any(|_| true) {
            let (early, next) = self.early.look(now);
            look.early = early;
            look.next = [look.next, next].into_iter().flatten().min();
        }
        look
    }

    /// When the flow runs next and why, whether that has come or not. `None`: it runs now, or never by itself.
    pub fn next_due(&self, flow: Flow, now: i64) -> Option<Due> {
        let state = self.flows.get(&flow)?;
        if state.running || !self.active_members().any(|_| true) {
            return None;
        }
        let due = |reason, since| Due { flow, reason, since };
        let Some(last) = &state.last else {
            let wanted = self.active_members().any(|m| m.timetable.next_after(flow, now).is_some());
            let from = self.spread(not_ahead(self.opened_at, now));
            return wanted.then(|| due(Reason::First, self.allowed_from(flow, from)));
        };
        let started_at = not_ahead(last.started_at, now);
        let ended_at = not_ahead(last.ended_at.unwrap_or(started_at), now);
        let opened_at = not_ahead(self.opened_at, now);
        if last.failures > 0 {
            // What falls due meanwhile is carried out by the retry.
            let retry = self.allowed_from(flow, ended_at + backoff(last.failures));
            return Some(due(Reason::Retry, retry));
        }
        let planned = self.planned_after(flow, started_at).map(|at| {
            if at < opened_at {
                due(Reason::Missed, self.allowed_from(flow, self.spread(opened_at)))
            } else if at < ended_at {
                due(Reason::Missed, ended_at)
            } else {
                due(Reason::Planned, at)
            }
        });
        let resumed = state.resumed_at.map(|at| due(Reason::Resumed, self.allowed_from(flow, at)));
        [planned, resumed].into_iter().flatten().min_by_key(|due| (due.since, due.reason))
    }

    /// Tells what happened at `now`.
    pub fn tell(&mut self, event: Event, now: i64) {
        match event {
            Event::Started(flow) => {
                let mut account = self.account(flow);
                let passed = self.passed(flow, now);
                if passed > 0 {
                    account.planned += passed;
                    account.run += 1;
                    account.folded += passed - 1;
                } else {
                    account.extra += 1;
                }
                let state = self.flows.entry(flow).or_default();
                let failures = state.last.map_or(0, |last| last.failures);
                state.last = Some(LastRun { started_at: now, ended_at: None, failures, account });
                state.running = true;
                // What comes from here on may have been missed by this round.
                state.resumed_at = None;
                self.early.read_by(flow);
            }
            Event::Ended(flow) => self.end(flow, now, false),
            Event::Failed(flow) => self.end(flow, now, true),
            Event::Nudged(early) => self.early.ask(early, now),
            Event::EarlyStarted(early) => self.early.started(&early, now),
            Event::EarlyEnded(early) => self.early.ended(&early, now, false),
            Event::EarlyFailed(early) => self.early.ended(&early, now, true),
            Event::Paused(connection) => {
                self.set_paused(&connection, true);
                self.paused_at.entry(connection).or_insert(now);
            }
            Event::Resumed(connection) => self.resume(&connection, now),
        }
    }

    /// What is to be kept of the flow.
    pub fn last(&self, flow: Flow) -> Option<LastRun> {
        self.flows.get(&flow)?.last
    }

    pub fn is_running(&self, flow: Flow) -> bool {
        self.flows.get(&flow).is_some_and(|state| state.running)
    }

    fn account(&self, flow: Flow) -> Account {
        self.last(flow).map(|last| last.account).unwrap_or_default()
    }

    fn end(&mut self, flow: Flow, now: i64, failed: bool) {
        let state = self.flows.entry(flow).or_default();
        state.running = false;
        if let Some(last) = &mut state.last {
            last.ended_at = Some(now);
            last.failures = if failed { last.failures.saturating_add(1) } else { 0 };
        }
    }

    fn set_paused(&mut self, connection: &str, paused: bool) {
        for member in self.members.iter_mut().filter(|member| member.connection == connection) {
            member.paused = paused;
        }
    }

    fn resume(&mut self, connection: &str, now: i64) {
        self.set_paused(connection, false);
        let Some(paused_at) = self.paused_at.remove(connection) else { return };
        let members = self.members.iter().filter(|member| member.connection == connection);
        let missed: BTreeSet<Flow> = members
            .flat_map(|member| {
                Flow::ALL.into_iter().filter(move |flow| {
                    let next = member.timetable.next_after(*flow, paused_at);
                    next.is_some_and(|at| at <= now)
                })
            })
            .collect();
        for flow in missed {
            self.flows.entry(flow).or_default().resumed_at.get_or_insert(now);
        }
    }

    /// The connections that are not paused.
    pub fn active_members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.paused)
    }

    /// The unit's next planned time: the first of any connection that is not paused.
    fn planned_after(&self, flow: Flow, after: i64) -> Option<i64> {
        self.active_members().filter_map(|member| member.timetable.next_after(flow, after)).min()
    }

    /// Planned times since the last start. Two connections that plan the same instant plan one run.
    fn passed(&self, flow: Flow, now: i64) -> u64 {
        let Some(last) = self.last(flow) else { return 0 };
        let mut at = not_ahead(last.started_at, now);
        let mut count = 0;
        while let Some(next) = self.planned_after(flow, at).filter(|next| *next <= now)
            && count < MOST_COUNTED
        {
            (at, count) = (next, count + 1);
        }
        count
    }

    /// So that not all connections start together with the process.
    fn spread(&self, at: i64) -> i64 {
        at + self.members.first().map_or(0, |member| member.timetable.offset())
    }

    /// The first time at which any connection allows it.
    fn allowed_from(&self, flow: Flow, at: i64) -> i64 {
        self.active_members()
            .filter(|member| member.timetable.next_after(flow, at).is_some())
            .map(|member| member.timetable.allowed_from(flow, at))
            .min()
            .unwrap_or(at)
    }
}

/// The clock was put back by more than it wanders: what lies ahead counts as now, or nothing would run until then.
fn not_ahead(at: i64, now: i64) -> i64 {
    if at > now.saturating_add(CLOCK_SLACK) { now } else { at }
}
