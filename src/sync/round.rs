//! One full round of every flow of a unit.

use super::engine::{Company, Connection, Engine, Source, open_connections};
use super::error::SyncError;
use super::mapping::join_mapping;
use super::progress::Progress;
use super::summary::{Requests, Totals, totals};
use super::unit::{take_unit, units};
use super::worker::Worker;
use super::{CrashPoint, ids};
use crate::clock;
use crate::config::Config;
use crate::procurement::DocumentKind;
use crate::store::{Change, DocumentState, PostingState, RoundRow, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const ORDERS: &[DocumentKind] = &[DocumentKind::PurchaseOrder];
const INVOICES: &[DocumentKind] = &[DocumentKind::SupplierInvoice, DocumentKind::CreditNote];
/// The shortest wait between two looks at what is not settled.
const BREATH: Duration = Duration::from_millis(100);
/// Between two looks for planned documents while others are judged.
const GLANCE: Duration = Duration::from_millis(5);

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
    let mut report = RoundReport::default();
    let (mut worked, mut misconfigured) = (false, None);
    for unit in units(store, config).await? {
        if only.is_some_and(|only| !unit.connections.iter().any(|id| id == only)) {
            continue;
        }
        let id = unit.id.clone();
        // What can be wrong with the configuration is found before the unit is taken.
        let opened = open_connections(config, &unit, only);
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
        let (requests, told) = run_round(&engine).await;
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

/// What a round has to say, one sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What could not be done.
    pub errors: Vec<String>,
    /// What was done without.
    pub remarks: Vec<String>,
}

/// One round; what went wrong is told, what could go on went on.
pub async fn run_round(engine: &Engine) -> (Requests, Told) {
    let started_at = clock::now();
    let mut told = Told::default();
    if let Err(error) = flows(engine, &mut told).await
        && !matches!(error, SyncError::Stopped)
    {
        told.errors.push(format!("{}: {error}", engine.unit.id));
    }
    let requests = requests(engine);
    let summary = serde_json::json!({
        "requests": requests, "errors": told.errors, "remarks": told.remarks,
        "allowance": allowance(engine),
    })
    .to_string();
    let mut change = Change::new();
    change.keep_round(&RoundRow {
        id: ids::moment_id(&engine.unit.id, started_at),
        unit: engine.unit.id.clone(),
        started_at,
        ended_at: Some(clock::now()),
        summary,
    });
    if let Err(error) = engine.commit(change).await {
        told.errors.push(format!("{}: {error}", engine.unit.id));
    }
    CrashPoint::RoundKept.pass();
    (requests, told)
}

async fn flows(engine: &Engine, Told { errors, remarks }: &mut Told) -> Result<(), SyncError> {
    engine.recover().await?;
    let companies = read_companies(engine, errors).await?;
    let sources = receive_sources(engine, errors, remarks).await?;
    engine.carry_out_requests().await?;
    let mut routed: Vec<Arc<Source>> = Vec::new();
    for source in sources {
        match engine.route(&source).await {
            Ok(_) => routed.push(source),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => errors.push(format!("{}: {error}", source.id)),
        }
    }
    // Side by side: none waits while another has much to do, or is slow.
    let worked = companies.iter().map(|company| {
        let is_ready = |connection: &&Arc<Connection>| {
            connection.company.id == company.id
                && routed.iter().any(|source| source.id == connection.source.id)
        };
        let connections: Vec<Arc<Connection>> =
            engine.connections.iter().filter(is_ready).cloned().collect();
        async move {
            // What a mapping, a supplier or an order let go since is posted with the rest.
            for connection in &connections {
                engine.judge_held(connection).await?;
            }
            work(engine, company, &connections).await
        }
    });
    let worked = futures_util::future::join_all(worked).await;
    for (company, result) in companies.iter().zip(worked) {
        match result {
            Ok(()) => {}
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => errors.push(format!("{}: {error}", company.id)),
        }
    }
    Ok(())
}

/// The companies whose side could be read. Nothing is posted into one whose own documents are not known.
async fn read_companies(
    engine: &Engine,
    errors: &mut Vec<String>,
) -> Result<Vec<Arc<Company>>, SyncError> {
    engine.check()?;
    let read_at = clock::now();
    let companies = engine.companies();
    let reading = companies.iter().map(|company| read_company(engine, company, read_at));
    let mut read = Vec::new();
    for (company, result) in companies.iter().zip(futures_util::future::join_all(reading).await) {
        match result {
            Ok(()) => read.push(Arc::clone(company)),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => errors.push(format!("{}: {error}", company.id)),
        }
    }
    Ok(read)
}

/// The sources whose documents can be worked. Each is polled once for all its connections.
async fn receive_sources(
    engine: &Engine,
    errors: &mut Vec<String>,
    remarks: &mut Vec<String>,
) -> Result<Vec<Arc<Source>>, SyncError> {
    engine.check()?;
    let sources = engine.sources();
    let receiving = sources.iter().map(|source| async move {
        let mut remarks = Vec::new();
        let received = engine.receive(source, &mut remarks).await;
        (received, remarks)
    });
    let mut ready = Vec::new();
    for (source, (result, told)) in
        sources.iter().zip(futures_util::future::join_all(receiving).await)
    {
        remarks.extend(told);
        match result {
            Ok(()) => ready.push(Arc::clone(source)),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => {
                errors.push(format!("{}: {error}", source.id));
                // What was received before can still be worked, unless the vendors that it is
                // judged by were never read.
                if engine.knows_vendors(source).await? {
                    ready.push(Arc::clone(source));
                }
            }
        }
    }
    Ok(ready)
}

async fn read_company(
    engine: &Engine,
    company: &Arc<Company>,
    read_at: i64,
) -> Result<(), SyncError> {
    // Another tenant under a known id: its documents would be taken for the old one's.
    if let Some(known) = engine.store.company_tenant(&company.id).await?
        && known != company.tenant
    {
        return Err(SyncError::Configuration(format!(
            "company `{}` stood for the tenant {known} until now, not for {}: give another tenant another id",
            company.id, company.tenant
        )));
    }
    engine.progress.begin("read Visma", None);
    let result = async {
        engine.refresh_reference(company).await?;
        engine.refresh_index(company).await?;
        engine.settle(company, read_at, &[ORDERS, INVOICES].concat()).await
    }
    .await;
    engine.progress.end("read Visma");
    result.map(|_| ())
}

/// Orders, then invoices, again and again until nothing moves any more.
async fn work(
    engine: &Engine,
    company: &Arc<Company>,
    connections: &[Arc<Connection>],
) -> Result<(), SyncError> {
    engine.released_by_hand(company, connections).await?;
    let mut still_since = clock::since_boot();
    // What an earlier process left between two steps.
    go_on_with_steps(engine, company, connections).await?;
    loop {
        engine.check()?;
        let mut moved = 0;
        route_again(engine, connections).await?;
        moved += engine.look_at_jobs(company).await?;
        moved += pass(engine, company, connections, ORDERS).await?;
        moved += pass(engine, company, connections, INVOICES).await?;
        // What was judged again may stand in Visma and lack only a file or its release.
        moved += go_on_with_steps(engine, company, connections).await?;
        if moved > 0 {
            still_since = clock::since_boot();
        }
        let Some(due) = next_due(engine, company, connections).await? else { break };
        let still = clock::since_boot().saturating_sub(still_since);
        let wait = Duration::from_micros(u64::try_from((due - clock::now()).max(0)).unwrap_or(0));
        if still + wait > engine.pace.settle_patience {
            break;
        }
        if moved == 0 {
            engine.pause(wait.max(BREATH)).await;
        }
    }
    verify_the_rest(engine, company).await?;
    engine.verify_ledger(company).await
}

/// A document that was on its way when its next revision came may belong elsewhere by that one.
async fn route_again(engine: &Engine, connections: &[Arc<Connection>]) -> Result<(), SyncError> {
    for source in engine.sources() {
        if connections.iter().any(|connection| connection.source.id == source.id) {
            engine.route(&source).await?;
        }
    }
    Ok(())
}

/// Judge, post, read back, settle: for one sort of documents.
async fn pass(
    engine: &Engine,
    company: &Arc<Company>,
    connections: &[Arc<Connection>],
    kinds: &[DocumentKind],
) -> Result<u64, SyncError> {
    let mut moved = judge_and_post(engine, company, connections, kinds).await?;
    let open = open_work(engine, company).await?;
    if open == 0 {
        return Ok(moved);
    }
    let read_at = clock::now();
    if kinds == ORDERS {
        engine.refresh_orders(company).await?;
        // Invoices link to lines whose numbers only Visma knows.
        engine.verify_unseen(company, ORDERS).await?;
    } else {
        engine.refresh_invoices(company).await?;
    }
    moved += engine.settle(company, read_at, kinds).await?;
    Ok(moved)
}

/// What is judged is posted while the next documents are judged: most of the time of a write is
/// waiting for Visma.
async fn judge_and_post(
    engine: &Engine,
    company: &Arc<Company>,
    connections: &[Arc<Connection>],
    kinds: &[DocumentKind],
) -> Result<u64, SyncError> {
    let all_judged = AtomicBool::new(false);
    let judging = async {
        let mut moved = 0;
        let mut result = Ok(());
        for connection in connections {
            match engine.judge(connection, kinds).await {
                Ok(judged) => moved += judged,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        all_judged.store(true, Ordering::Release);
        result.map(|()| moved)
    };
    let posting = async {
        let mut moved = 0;
        loop {
            // Asked before the look: what is planned after it is seen by the next one.
            let last = all_judged.load(Ordering::Acquire);
            let posted = engine.post(company).await?;
            moved += posted;
            if posted > 0 {
                continue;
            }
            if last {
                return Ok::<u64, SyncError>(moved);
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    // Both come to their end: neither leaves a document of the other half done.
    let (judged, posted) = futures_util::future::join(judging, posting).await;
    Ok(judged? + posted?)
}

/// Done but not compared, or uncertain.
async fn open_work(engine: &Engine, company: &Company) -> Result<i64, SyncError> {
    let states = [PostingState::Done, PostingState::Uncertain];
    Ok(engine.store.count_postings(&company.id, states).await?)
}

/// Documents whose next step was not begun: a process ended between two steps, or a file did not come.
async fn go_on_with_steps(
    engine: &Engine,
    company: &Arc<Company>,
    connections: &[Arc<Connection>],
) -> Result<u64, SyncError> {
    let mut gone_on = 0;
    for connection in connections {
        for kind in ORDERS.iter().chain(INVOICES) {
            for document in engine
                .store
                .documents_to_work(&connection.id, *kind, DocumentState::Posting)
                .await?
            {
                let postings = engine.store.postings_of(&document.id).await?;
                if postings.is_empty() || postings.iter().any(|row| row.state.is_open()) {
                    continue;
                }
                match engine.go_on(company, connection, &document.id).await {
                    Ok(went_on) => gone_on += u64::from(went_on),
                    Err(error) if error.stops_the_unit() => return Err(error),
                    Err(error) => {
                        tracing::warn!(document = document.id, %error, "the document's next step is put off");
                    }
                }
            }
        }
    }
    Ok(gone_on)
}

/// When something that is not settled can move next. `None`: nothing can by itself.
async fn next_due(
    engine: &Engine,
    company: &Company,
    connections: &[Arc<Connection>],
) -> Result<Option<i64>, SyncError> {
    for connection in connections {
        if engine.store.has_ready_documents(&connection.id).await? {
            return Ok(Some(clock::now()));
        }
    }
    Ok(engine.store.next_posting_due(&company.id).await?)
}

/// What the lists have not shown by now is asked for by its number.
async fn verify_the_rest(engine: &Engine, company: &Arc<Company>) -> Result<(), SyncError> {
    let states = [PostingState::Done, PostingState::Done];
    if engine.store.count_postings(&company.id, states).await? == 0 {
        return Ok(());
    }
    engine.verify_unseen(company, &[ORDERS, INVOICES].concat()).await?;
    engine.watch_for_doubles(company).await
}

/// What Visma's headers last said of the hourly allowance, by company.
fn allowance(engine: &Engine) -> BTreeMap<String, serde_json::Value> {
    let of = |company: &Arc<Company>| {
        let known = company.client.allowance();
        let resets_in = known.resets_in.map(|left| left.as_secs());
        serde_json::json!({ "limit": known.limit, "remaining": known.remaining, "resets_in_seconds": resets_in })
    };
    engine.companies().iter().map(|company| (company.id.clone(), of(company))).collect()
}

fn requests(engine: &Engine) -> Requests {
    let mut requests = Requests::default();
    for company in engine.companies() {
        let calls = company.client.calls();
        requests.visma += calls.reads + calls.writes;
    }
    for source in engine.sources() {
        requests.jaggaer += source.client.requests();
    }
    requests
}
