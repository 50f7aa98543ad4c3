use super::{Flow, MINUTE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Between two early polls of one list, at least, unless it is said otherwise. More nudges than that are folded into one.
pub const NUDGE_GAP: i64 = MINUTE;
/// Each job is asked for by itself, and its end is told once.
const JOBS_GAP: i64 = 1_000_000;
/// After the first failure in a row; it doubles with each.
const FIRST_RETRY: i64 = MINUTE;
const LONGEST_RETRY: i64 = 30 * MINUTE;

/// What Visma can tell news of, and what is read then: one list, and nothing of JAGGAER's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poll {
    Suppliers,
    Invoices,
    Orders,
    Accounts,
    /// The segments of the subaccount and their values.
    Dimensions,
    /// Background jobs that have come to their end.
    Jobs,
}

impl Poll {
    pub const ALL: [Self; 6] = [
        Self::Suppliers,
        Self::Invoices,
        Self::Orders,
        Self::Accounts,
        Self::Dimensions,
        Self::Jobs,
    ];

    /// The word in the configuration and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suppliers => "suppliers",
            Self::Invoices => "invoices",
            Self::Orders => "orders",
            Self::Accounts => "accounts",
            Self::Dimensions => "dimensions",
            Self::Jobs => "jobs",
        }
    }

    /// Whether a round of the flow reads it too.
    pub fn is_read_by(self, flow: Flow) -> bool {
        match self {
            Self::Suppliers => matches!(flow, Flow::Suppliers | Flow::Accounts | Flow::Dimensions),
            Self::Accounts | Self::Dimensions => matches!(flow, Flow::Accounts | Flow::Dimensions),
            Self::Invoices | Self::Orders | Self::Jobs => {
                matches!(flow, Flow::Orders | Flow::Invoices)
            }
        }
    }
}

impl fmt::Display for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Poll {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|poll| poll.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(|poll| format!("`{poll}`")).join(", ");
            format!("`{text}` cannot be polled early; there are: {known}")
        })
    }
}

/// A list of one company, to be read before its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Early {
    pub company: String,
    pub poll: Poll,
}

/// The early polls of one unit. They stand beside the flows, so that no number of nudges moves a planned time.
#[derive(Debug, Clone)]
pub(super) struct EarlyPolls {
    gap: i64,
    lanes: BTreeMap<Early, Lane>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    asked_at: Option<i64>,
    /// Of the last early poll, and its end.
    started_at: Option<i64>,
    ended_at: i64,
    /// In a row, up to now.
    failures: u32,
    running: bool,
}

impl Lane {
    fn due_at(&self, gap: i64, now: i64) -> Option<i64> {
        let asked_at = self.asked_at.filter(|_| !self.running)?;
        // A clock that was put back must not make it wait for the time that was.
        let after = |at: i64, wait: i64| if at > now { now } else { at.saturating_add(wait) };
        let asked_at = asked_at.min(now);
        let rested = self.started_at.map_or(asked_at, |at| after(at, gap));
        let retry = match self.failures {
            0 => asked_at,
            failures => after(self.ended_at, backoff(failures)),
        };
        Some(asked_at.max(rested).max(retry))
    }
}

impl Default for EarlyPolls {
    fn default() -> Self {
        Self { gap: NUDGE_GAP, lanes: BTreeMap::new() }
    }
}

impl EarlyPolls {
    pub fn set_gap(&mut self, gap: i64) {
        self.gap = gap;
    }

    pub fn ask(&mut self, early: Early, at: i64) {
        self.lanes.entry(early).or_default().asked_at.get_or_insert(at);
    }

    /// What is due at `now`, and when the next one will be.
    pub fn look(&self, now: i64) -> (BTreeSet<Early>, Option<i64>) {
        let (mut due, mut next) = (BTreeSet::new(), None::<i64>);
        for (early, lane) in &self.lanes {
            let gap = if early.poll == Poll::Jobs { JOBS_GAP.min(self.gap) } else { self.gap };
            let Some(at) = lane.due_at(gap, now) else { continue };
            if at <= now {
                due.insert(early.clone());
            } else {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        (due, next)
    }

    /// What comes from here on may have been missed by this poll.
    pub fn started(&mut self, early: &Early, now: i64) {
        let lane = self.lanes.entry(early.clone()).or_default();
        (lane.asked_at, lane.started_at, lane.running) = (None, Some(now), true);
    }

    pub fn ended(&mut self, early: &Early, now: i64, failed: bool) {
        let lane = self.lanes.entry(early.clone()).or_default();
        (lane.running, lane.ended_at) = (false, now);
        lane.failures = if failed { lane.failures.saturating_add(1) } else { 0 };
        if failed {
            lane.asked_at.get_or_insert(now);
        }
    }

    /// A round of the flow has begun: it reads what was asked for so far.
    pub fn read_by(&mut self, flow: Flow) {
        for (early, lane) in &mut self.lanes {
            if early.poll.is_read_by(flow) {
                lane.asked_at = None;
            }
        }
    }
}

/// How long after so many failures in a row.
pub(super) fn backoff(failures: u32) -> i64 {
    FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_RETRY)
}
