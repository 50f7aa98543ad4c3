//! What the process knows of itself, for those who look from outside.

use crate::sync::{Requests, Told};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};

/// One unit as this process sees it. Instants are microseconds UTC.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UnitBoard {
    pub owned: bool,
    pub running: bool,
    /// Why it cannot be worked here.
    pub trouble: Option<String>,
    /// Connections that could not be opened.
    pub faults: Vec<String>,
    pub rounds: u64,
    pub failed_rounds: u64,
    /// Of the last round.
    pub errors: Vec<String>,
    pub requests_visma: u64,
    pub requests_jaggaer: u64,
    pub next_at: Option<i64>,
}

/// Company, calls left, calls an hour, as Visma last said.
pub type Allowance = (String, Option<u64>, Option<u64>);

#[derive(Debug, Default)]
struct State {
    units: BTreeMap<String, UnitBoard>,
    allowances: BTreeMap<String, (Option<u64>, Option<u64>)>,
    workers: usize,
    store_answers: bool,
    stopping: bool,
    listens: Option<SocketAddr>,
}

impl State {
    fn owned(&self) -> usize {
        self.units.values().filter(|unit| unit.owned).count()
    }
}

/// Shared by all parts of the process.
#[derive(Debug)]
pub struct Board {
    state: Mutex<State>,
}

impl Default for Board {
    fn default() -> Self {
        let state = State { store_answers: true, workers: 1, ..State::default() };
        Self { state: Mutex::new(state) }
    }
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    fn unit(&self, id: &str, change: impl FnOnce(&mut UnitBoard)) {
        change(self.state().units.entry(id.to_owned()).or_default());
    }

    pub(super) fn begin(&self, units: &[&str]) {
        let mut state = self.state();
        state.units.retain(|id, _| units.contains(&id.as_str()));
        for id in units {
            state.units.entry((*id).to_owned()).or_default();
        }
    }

    pub(super) fn taken(&self, id: &str, faults: &[String]) {
        self.unit(id, |unit| {
            (unit.owned, unit.trouble, unit.faults) = (true, None, faults.to_vec());
        });
    }

    pub(super) fn given_back(&self, id: &str) {
        self.unit(id, |unit| (unit.owned, unit.running, unit.next_at) = (false, false, None));
    }

    pub(super) fn elsewhere(&self, id: &str) {
        self.unit(id, |unit| unit.trouble = None);
    }

    pub(super) fn cannot(&self, id: &str, trouble: &str) {
        self.unit(id, |unit| unit.trouble = Some(trouble.to_owned()));
    }

    pub(super) fn next(&self, id: &str, at: Option<i64>) {
        self.unit(id, |unit| unit.next_at = at);
    }

    pub(super) fn started(&self, id: &str) {
        self.unit(id, |unit| unit.running = true);
    }

    pub(super) fn ended(&self, id: &str, told: &Told, asked: Requests, allowances: Vec<Allowance>) {
        self.unit(id, |unit| {
            unit.running = false;
            unit.rounds += 1;
            unit.failed_rounds += u64::from(!told.errors.is_empty());
            unit.errors.clone_from(&told.errors);
            unit.requests_visma += asked.visma;
            unit.requests_jaggaer += asked.jaggaer;
        });
        let known = allowances.into_iter().map(|(id, left, of)| (id, (left, of)));
        self.state().allowances.extend(known);
    }

    /// Keeps a place for the unit, if fewer than `share` are taken.
    pub(super) fn may_take(&self, id: &str, share: usize) -> bool {
        let mut state = self.state();
        let free = state.owned() < share;
        if free {
            state.units.entry(id.to_owned()).or_default().owned = true;
        }
        free
    }

    /// Whether this unit is to be given back because more than `share` are owned; its place is free
    /// then, so that no second one is given back for the same reason.
    pub(super) fn is_over(&self, id: &str, share: usize) -> bool {
        let mut state = self.state();
        let over = state.owned() > share;
        if over {
            state.units.entry(id.to_owned()).or_default().owned = false;
        }
        over
    }

    /// Whether the unit is one of ours to take and not taken now.
    pub(super) fn has_let_go(&self, id: &str) -> bool {
        self.state().units.get(id).is_some_and(|unit| !unit.owned)
    }

    pub(super) fn workers(&self, workers: usize) {
        self.state().workers = workers;
    }

    pub(super) fn store_answers(&self, answers: bool) {
        self.state().store_answers = answers;
    }

    pub(super) fn stopping(&self, stopping: bool) {
        self.state().stopping = stopping;
    }

    pub(super) fn listens(&self, at: SocketAddr) {
        tracing::info!(%at, "answers /health, /ready, /metrics and webhooks");
        self.state().listens = Some(at);
    }

    /// Why the process is not ready for work; `None`: it is.
    pub(super) fn not_ready(&self) -> Option<&'static str> {
        let state = self.state();
        if state.stopping {
            Some("it is stopping")
        } else if !state.store_answers {
            Some("the store does not answer")
        } else {
            None
        }
    }

    pub(super) fn seen(&self) -> (BTreeMap<String, UnitBoard>, Vec<Allowance>, usize) {
        let state = self.state();
        let allowances =
            state.allowances.iter().map(|(id, (left, of))| (id.clone(), *left, *of)).collect();
        (state.units.clone(), allowances, state.workers)
    }
}
