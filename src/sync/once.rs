//! The verb `sync`: every unit in turn, and one round of each.

use super::engine::{Access, Engine, open_connections};
use super::error::SyncError;
use super::mapping::join_mapping;
use super::progress::{Progress, Silent};
use super::round::run_round;
use super::summary::{Requests, Totals, totals};
use super::unit::{take_unit, units};
use super::vault::open_vault;
use super::worker::Worker;
use crate::clock;
use crate::config::{Config, Unit};
use crate::schedule::Flow;
use crate::store::Store;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What one `sync` did and where everything stands after it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RoundReport {
    #[serde(rename = "totals")]
    pub totals: Totals,
    pub requests: Requests,
    pub seconds: f64,
    /// What could not be done, one sentence each. Other connections went on.
    pub errors: Vec<String>,
    /// What was done without, one sentence each: an optional list that is not there.
    pub remarks: Vec<String>,
    /// Somebody asked to stop; the documents in hand were finished.
    pub stopped: bool,
    /// The end of each unit's audit chain, to be kept elsewhere.
    pub heads: BTreeMap<String, String>,
}

/// Takes every unit in turn (or the one of `only`) and runs a round of it.
pub async fn sync(
    store: &Store,
    config: &Config,
    only: Option<&str>,
    progress: Arc<dyn Progress>,
    stop: watch::Receiver<bool>,
) -> Result<RoundReport, SyncError> {
    let started = clock::since_boot();
    let patience = Duration::from_secs(config.timing.wait_for_owner_seconds);
    let length = Duration::from_secs(config.timing.lease_seconds);
    let worker = Worker::join(store, false, length, patience).await?;
    let result = sync_each(&worker, store, config, only, progress, stop).await;
    worker.leave().await;
    let mut report = result?;
    report.totals = totals(store).await?;
    for row in store.ownerships().await? {
        report.heads.insert(row.unit, format!("{}:{}", row.head_seq, row.head_hash));
    }
    report.seconds = clock::since_boot().saturating_sub(started).as_secs_f64();
    Ok(report)
}

async fn sync_each(
    worker: &Arc<Worker>,
    store: &Store,
    config: &Config,
    only: Option<&str>,
    progress: Arc<dyn Progress>,
    stop: watch::Receiver<bool>,
) -> Result<RoundReport, SyncError> {
    let patience = Duration::from_secs(config.timing.wait_for_owner_seconds);
    let vault = open_vault(store, config).await?;
    let mut report = RoundReport::default();
    let (mut worked, mut misconfigured) = (false, None);
    for unit in units(store, config).await? {
        if only.is_some_and(|only| !unit.connections.iter().any(|id| id == only)) {
            continue;
        }
        let id = unit.id.clone();
        // What can be wrong with the configuration is found before the unit is taken.
        let opened = open_connections(config, &vault, &unit, only, Access::ReadAndWrite);
        for fault in opened.faults {
            report.errors.push(format!("{id}: {fault}"));
            misconfigured = Some(fault);
        }
        if opened.connections.is_empty() {
            continue;
        }
        let ownership = match take_unit(store, &unit, worker, patience).await {
            Ok(ownership) => ownership,
            Err(error) => {
                report.errors.push(format!("{id}: {error}"));
                continue;
            }
        };
        let joined = match join_mapping(store, ownership.owned(), opened.connections).await {
            Ok(joined) => joined,
            Err(error) => {
                report.errors.push(format!("{id}: {error}"));
                ownership.release().await?;
                continue;
            }
        };
        for fault in joined.faults {
            report.errors.push(format!("{id}: {fault}"));
            misconfigured = Some(fault);
        }
        if joined.connections.is_empty() {
            ownership.release().await?;
            continue;
        }
        worked = true;
        let engine = Engine::new(
            store.clone(),
            config,
            unit,
            joined.connections,
            ownership,
            Arc::clone(&progress),
            stop.clone(),
        );
        let (requests, told) = run_round(&engine, &every_flow_of_documents()).await;
        report.requests.visma += requests.visma;
        report.requests.jaggaer += requests.jaggaer;
        report.stopped |= engine.is_stopping();
        report.errors.extend(told.errors);
        report.remarks.extend(told.remarks);
        if let Err(error) = engine.close().await {
            report.errors.push(format!("{id}: {error}"));
        }
    }
    if let (Some(error), false) = (misconfigured, worked) {
        return Err(error);
    }
    Ok(report)
}

/// What a round of `sync` does: all but reconciling, which has a verb and a timetable of its own.
fn every_flow_of_documents() -> BTreeSet<Flow> {
    Flow::ALL.into_iter().filter(|flow| *flow != Flow::Reconcile).collect()
}

/// Carries out what was asked of a unit, if nobody else is at it; it is the owner's to do otherwise.
pub async fn carry_out(store: &Store, config: &Config, unit: Unit) -> Result<(), SyncError> {
    let length = Duration::from_secs(config.timing.lease_seconds);
    let worker = Worker::join(store, false, length, Duration::ZERO).await?;
    let done = carry_out_as(&worker, store, config, unit).await;
    worker.leave().await;
    done
}

async fn carry_out_as(
    worker: &Arc<Worker>,
    store: &Store,
    config: &Config,
    unit: Unit,
) -> Result<(), SyncError> {
    let ownership = take_unit(store, &unit, worker, Duration::ZERO).await?;
    let (_stop, stop) = watch::channel(false);
    let engine =
        Engine::new(store.clone(), config, unit, Vec::new(), ownership, Arc::new(Silent), stop);
    let done = engine.carry_out_requests().await;
    engine.close().await?;
    done.map(drop)
}
