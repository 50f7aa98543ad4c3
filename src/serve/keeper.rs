//! One unit in this process: taken when it is free, worked on its timetable, given back.

use super::Desk;
use crate::clock;
use crate::config::Unit;
use crate::schedule::{Early, Event, Flow, Member, Poll, Scheduler};
use crate::store::{Change, PauseRow, WaitingNudges};
use crate::sync::{
    Access, Connection, Engine, FlowHealth, Health, Silent, SyncError, Told, VISMA,
    open_connections, open_vault, rules_anew, run_early, run_round, take_unit,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at what is to be told, while nothing runs.
const TELL: Duration = Duration::from_secs(60);

/// Keeps the unit in work until the process stops or goes over to another configuration.
pub(super) async fn keep(desk: Arc<Desk>, unit: Unit) {
    let lease = Duration::from_secs(desk.config.timing.lease_seconds);
    loop {
        if desk.is_stopping() {
            return;
        }
        if desk.board.may_take(&unit.id, *desk.share.borrow()) {
            match own(&desk, &unit).await {
                Ok(()) => {}
                Err(SyncError::OwnedElsewhere { .. }) => desk.board.elsewhere(&unit.id),
                Err(error) => {
                    tracing::error!(unit = unit.id, %error, "the unit cannot be worked");
                    desk.board.cannot(&unit.id, &error.to_string());
                }
            }
            desk.board.given_back(&unit.id);
        }
        // A third of the lease: whoever died is followed soon after its lease ran out. Each unit at a
        // moment of its own.
        let apart = Duration::from_millis(fastrand::u64(0..=1000));
        let mut share = desk.share.clone();
        share.mark_unchanged();
        tokio::select! {
            more = desk.pause((lease / 3).min(Duration::from_secs(10)) + apart) => if !more { return },
            _ = share.changed() => {}
        }
    }
}

async fn own(desk: &Arc<Desk>, unit: &Unit) -> Result<(), SyncError> {
    let opened = open_connections(&desk.config, &desk.vault, unit, None, Access::ReadAndWrite);
    let faults: Vec<String> = opened.faults.iter().map(ToString::to_string).collect();
    if opened.connections.is_empty() {
        return Err(SyncError::Configuration(faults.join("; ")));
    }
    let mut workers = desk.worker.clone();
    let worker = Arc::clone(&workers.borrow_and_update());
    let ownership = take_unit(&desk.store, unit, &worker, Duration::ZERO).await?;
    desk.board.taken(&unit.id, &faults);
    tracing::info!(unit = unit.id, "owned by this process");
    let connections = opened.connections;
    let mut engine = Engine::new(
        desk.store.clone(),
        &desk.config,
        unit.clone(),
        connections.clone(),
        ownership,
        Arc::new(Silent),
        desk.stop.clone(),
    );
    let worked = tokio::select! {
        worked = work(desk, &mut engine, connections) => worked,
        // What still waits for the store under the old name may wait for ever, and could change nothing.
        _ = workers.changed() => Err(adrift()),
    };
    let closed = engine.close().await;
    tracing::info!(unit = unit.id, "given back");
    worked.and(closed)
}

/// Rounds as they fall due, until the unit is to be given back.
async fn work(
    desk: &Arc<Desk>,
    engine: &mut Engine,
    mut opened: Vec<Arc<Connection>>,
) -> Result<(), SyncError> {
    let unit = engine.unit.clone();
    let mut bell = desk.bell.clone();
    let mut paused = self::paused(&bell.borrow().pauses);
    let members = members(desk, &unit, &paused);
    let last = desk.store.flow_runs(&unit.id).await?;
    let mut schedule = Scheduler::new(members, &last, clock::now());
    schedule.set_nudge_gap(i64::from(desk.config.serve.nudge_gap_seconds) * 1_000_000);
    engine.recover_nudges().await?;
    hear(&mut schedule, engine, &desk.store.nudges_waiting().await?);
    let mut said = Said { since: clock::now(), ..Said::default() };
    let mut told_at = clock::since_boot();
    loop {
        match engine.check() {
            Err(SyncError::Stopped) => return Ok(()),
            checked => checked?,
        }
        if desk.board.is_over(&unit.id, *desk.share.borrow()) {
            return Ok(());
        }
        let (asked, nudged) = {
            let bell = bell.borrow_and_update();
            let now_paused = self::paused(&bell.pauses);
            for connection in now_paused.difference(&paused) {
                schedule.tell(Event::Paused(connection.clone()), clock::now());
            }
            for connection in paused.difference(&now_paused) {
                schedule.tell(Event::Resumed(connection.clone()), clock::now());
            }
            paused = now_paused;
            let nudged = bell.nudges.iter().any(|row| unit.connections.contains(&row.connection));
            (bell.asked.contains(&unit.id), nudged)
        };
        // The same of nudges: what the bell told may be taken by now.
        if nudged {
            hear(&mut schedule, engine, &desk.store.nudges_waiting().await?);
        }
        // The bell may tell of what was carried out a moment ago.
        let asked = asked && !desk.store.open_requests(&unit.id).await?.is_empty();
        let now = clock::now();
        let look = schedule.look(now);
        let mut due: BTreeSet<Flow> = look.due.iter().map(|due| due.flow).collect();
        if asked {
            // Whoever asks has put something right somewhere, on either side.
            due.extend(Flow::ALL.into_iter().filter(|flow| *flow != Flow::Reconcile));
        }
        desk.board.next(&unit.id, look.next);
        if due.is_empty() && look.early.is_empty() {
            if clock::since_boot().saturating_sub(told_at) >= TELL {
                told_at = clock::since_boot();
                engine.weigh_changes().await?;
                tell(desk, engine, &said.health(&schedule)).await;
            }
            let until = look.next.map_or(TELL, |next| {
                Duration::from_micros(u64::try_from((next - now).max(0)).unwrap_or(0))
            });
            let mut share = desk.share.clone();
            share.mark_unchanged();
            tokio::select! {
                _ = desk.pause(until.clamp(Duration::from_millis(10), TELL)) => {}
                _ = bell.changed() => {}
                _ = share.changed() => {}
            }
            continue;
        }
        // Not all units at once: each holds its documents in memory.
        let mut stop = desk.stop.clone();
        let turn = tokio::select! {
            turn = desk.rounds.acquire() => turn.expect("it is never closed"),
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        if !said.last.sign_ins.is_empty() {
            opened = opened_anew(desk, &unit, opened).await;
        }
        if due.is_empty() {
            early(desk, (engine, &opened), &mut schedule, &look.early, &mut said).await?;
        } else {
            round(desk, (engine, &opened), &mut schedule, &due, &mut said).await?;
        }
        drop(turn);
        told_at = clock::since_boot();
        engine.weigh_changes().await?;
        tell(desk, engine, &said.health(&schedule)).await;
    }
}

/// Who was refused tries with what is in the vault and the files now: somebody may have put another secret there.
async fn opened_anew(
    desk: &Arc<Desk>,
    unit: &Unit,
    known: Vec<Arc<Connection>>,
) -> Vec<Arc<Connection>> {
    match open_vault(&desk.store, &desk.config).await {
        Ok(vault) => {
            let opened = open_connections(&desk.config, &vault, unit, None, Access::ReadAndWrite);
            if opened.faults.is_empty() { opened.connections } else { known }
        }
        Err(error) => {
            tracing::warn!(unit = unit.id, %error, "the vault cannot be opened anew");
            known
        }
    }
}

async fn round(
    desk: &Arc<Desk>,
    (engine, opened): (&mut Engine, &[Arc<Connection>]),
    schedule: &mut Scheduler,
    due: &BTreeSet<Flow>,
    said: &mut Said,
) -> Result<(), SyncError> {
    let unit = engine.unit.id.clone();
    let faults = rules_anew(engine, opened).await?;
    let started = clock::now();
    for flow in due {
        schedule.tell(Event::Started(*flow), started);
    }
    let read = read_by(engine, due);
    engine.take_nudges(&read).await?;
    desk.board.started(&unit);
    let (requests, mut told) = run_round(engine, due).await;
    told.errors.extend(faults.iter().map(ToString::to_string));
    let ended = clock::now();
    let stopped = engine.is_stopping();
    let mut change = Change::new();
    for flow in due {
        // One that was cut short is not done: the next process begins it anew.
        let failed = stopped || !told.errors.is_empty();
        schedule.tell(if failed { Event::Failed(*flow) } else { Event::Ended(*flow) }, ended);
        if let Some(last) = schedule.last(*flow) {
            change.keep_flow_run(&unit, *flow, &last);
        }
    }
    let flows: Vec<&str> = due.iter().map(|flow| flow.name()).collect();
    tracing::info!(
        unit,
        flows = flows.join(" "),
        visma = requests.visma,
        jaggaer = requests.jaggaer,
        seconds = (ended - started) as f64 / 1e6,
        errors = told.errors.len(),
        "round"
    );
    for error in &told.errors {
        tracing::warn!(unit, error, "could not be done");
    }
    desk.board.ended(&unit, &told, requests, engine.allowances());
    said.round(due, &told, ended);
    engine.commit(change).await?;
    if told.is_adrift {
        return Err(adrift());
    }
    engine.end_nudges(&read, told.errors.is_empty() && !stopped).await
}

/// What nudges ask for, read before its time.
async fn early(
    desk: &Arc<Desk>,
    (engine, opened): (&mut Engine, &[Arc<Connection>]),
    schedule: &mut Scheduler,
    polls: &BTreeSet<Early>,
    said: &mut Said,
) -> Result<(), SyncError> {
    let unit = engine.unit.id.clone();
    let faults = rules_anew(engine, opened).await?;
    let started = clock::now();
    for poll in polls {
        schedule.tell(Event::EarlyStarted(poll.clone()), started);
    }
    engine.take_nudges(polls).await?;
    desk.board.started(&unit);
    let (requests, mut told) = run_early(engine, polls).await;
    told.errors.extend(faults.iter().map(ToString::to_string));
    let ended = clock::now();
    let good = told.errors.is_empty() && !engine.is_stopping();
    for poll in polls.iter().cloned() {
        let event = if good { Event::EarlyEnded(poll) } else { Event::EarlyFailed(poll) };
        schedule.tell(event, ended);
    }
    let lists: Vec<&str> = polls.iter().map(|early| early.poll.name()).collect();
    tracing::info!(
        unit,
        lists = lists.join(" "),
        visma = requests.visma,
        errors = told.errors.len(),
        "early poll"
    );
    for error in &told.errors {
        tracing::warn!(unit, error, "could not be done");
    }
    desk.board.ended(&unit, &told, requests, engine.allowances());
    said.early(polls, &told);
    if told.is_adrift {
        return Err(adrift());
    }
    engine.end_nudges(polls, good).await
}

/// The lists that rounds of these flows read.
fn read_by(engine: &Engine, flows: &BTreeSet<Flow>) -> BTreeSet<Early> {
    let polls =
        Poll::ALL.into_iter().filter(|poll| flows.iter().any(|flow| poll.is_read_by(*flow)));
    let companies = engine.companies();
    let of = |poll| companies.iter().map(move |of| Early { company: of.id.clone(), poll });
    polls.flat_map(of).collect()
}

/// Tells the scheduler what waits for this unit.
fn hear(schedule: &mut Scheduler, engine: &Engine, waiting: &[WaitingNudges]) {
    for row in waiting {
        if let Some(connection) = engine.connection(&row.connection) {
            let company = connection.company.id.clone();
            schedule.tell(Event::Nudged(Early { company, poll: row.poll }), clock::now());
        }
    }
}

fn adrift() -> SyncError {
    SyncError::Inner(
        "the store was away, or gave the unit to another process: it is taken anew".into(),
    )
}

/// What could not be told is told next time; work goes on.
async fn tell(desk: &Arc<Desk>, engine: &Engine, health: &Health) {
    let told = engine.tell(&desk.config.alerts, &desk.targets, health, &desk.courier).await;
    match told {
        Ok(()) | Err(SyncError::Stopped) => {}
        Err(error) => tracing::warn!(unit = engine.unit.id, %error, "alerts were not made"),
    }
}

fn paused(rows: &[PauseRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.connection.clone()).collect()
}

fn members(desk: &Desk, unit: &Unit, paused: &BTreeSet<String>) -> Vec<Member> {
    let of_unit = desk.config.connections.iter().filter(|of| unit.connections.contains(&of.id));
    of_unit
        .map(|connection| Member {
            connection: connection.id.clone(),
            timetable: desk.config.timetable(unit, connection),
            paused: paused.contains(&connection.id),
        })
        .collect()
}

/// How the rounds went, for alerts.
#[derive(Default)]
struct Said {
    since: i64,
    good: BTreeMap<Flow, i64>,
    last: Told,
}

impl Said {
    fn round(&mut self, due: &BTreeSet<Flow>, told: &Told, at: i64) {
        if told.errors.is_empty() {
            self.good.extend(due.iter().map(|flow| (*flow, at)));
        }
        self.last = told.clone();
    }

    /// An early poll asks Visma alone, and not every company: of the rest the last round's word stands.
    fn early(&mut self, polls: &BTreeSet<Early>, told: &Told) {
        self.last.sign_ins.retain(|failure| {
            failure.system != VISMA || polls.iter().all(|early| early.company != failure.id)
        });
        self.last.sign_ins.extend(told.sign_ins.iter().cloned());
    }

    fn health(&self, schedule: &Scheduler) -> Health {
        let now = clock::now();
        let mut flows = Vec::new();
        for member in schedule.active_members() {
            for flow in Flow::ALL {
                let Some(next) = member.timetable.next_after(flow, now) else { continue };
                let after = member.timetable.next_after(flow, next);
                flows.push(FlowHealth {
                    connection: member.connection.clone(),
                    flow: flow.name().to_owned(),
                    since: self.since,
                    last_good_at: self.good.get(&flow).copied(),
                    error: self.last.errors.first().cloned(),
                    interval: after.map_or(0, |after| after - next),
                });
            }
        }
        Health { flows, sign_ins: self.last.sign_ins.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::SignInFailure;

    fn refused(system: &'static str, id: &str) -> SignInFailure {
        SignInFailure { system, id: id.into(), error: "refused".into() }
    }

    fn told(sign_ins: Vec<SignInFailure>) -> Told {
        let errors = sign_ins.iter().map(|failure| failure.error.clone()).collect();
        Told { errors, sign_ins, ..Told::default() }
    }

    #[test]
    fn an_early_poll_speaks_of_the_companies_that_it_asked_and_of_nothing_else() {
        let mut said = Said::default();
        let both = vec![refused("JAGGAER", "jag"), refused(VISMA, "no"), refused(VISMA, "se")];
        said.round(&[Flow::Invoices].into(), &told(both), 1);
        let of_no = BTreeSet::from([Early { company: "no".into(), poll: Poll::Invoices }]);

        said.early(&of_no, &Told::default());
        assert_eq!(said.last.sign_ins, [refused("JAGGAER", "jag"), refused(VISMA, "se")]);
        assert_eq!(said.last.errors.len(), 3, "what a round could not do is still not done");

        said.early(&of_no, &told(vec![refused(VISMA, "no")]));
        said.early(&of_no, &told(vec![refused(VISMA, "no")]));
        let ids: Vec<&str> = said.last.sign_ins.iter().map(|of| of.id.as_str()).collect();
        assert_eq!(ids, ["jag", "se", "no"], "once");
    }
}
