//! One full round of every flow of a unit.

use super::engine::{Company, Connection, Engine, Source};
use super::error::SyncError;
use super::summary::Requests;
use super::tell::SignInFailure;
use super::{CrashPoint, ids};
use crate::clock;
use crate::procurement::DocumentKind;
use crate::schedule::Flow;
use crate::store::{Change, DocumentState, PostingState, RoundRow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const ORDERS: &[DocumentKind] = &[DocumentKind::PurchaseOrder];
const INVOICES: &[DocumentKind] = &[DocumentKind::SupplierInvoice, DocumentKind::CreditNote];
/// The shortest wait between two looks at what is not settled.
const BREATH: Duration = Duration::from_millis(100);
/// Rounds are kept for so long, in microseconds.
const ROUNDS: i64 = 30 * 24 * 3_600_000_000;
/// Between two looks for planned documents while others are judged.
const GLANCE: Duration = Duration::from_millis(5);

/// What a round has to say, one sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What could not be done.
    pub errors: Vec<String>,
    /// What was done without.
    pub remarks: Vec<String>,
    /// Systems that refused our credentials.
    pub sign_ins: Vec<SignInFailure>,
    /// What this process believes of the unit may be wrong (the store was away, somebody else owns it): it must be
    /// taken anew, so that what was under way is recovered.
    pub is_adrift: bool,
}

impl Told {
    pub(super) fn error(&mut self, id: &str, error: &SyncError) {
        self.is_adrift |= error.stops_the_unit();
        self.sign_ins.extend(SignInFailure::of(id, error));
        self.errors.push(format!("{id}: {error}"));
    }
}

/// One round of these flows; what went wrong is told, what could go on went on. What is posted and
/// what is judged does not depend on which flows brought it, so a round of either sort of documents
/// works both.
pub async fn run_round(engine: &Engine, flows: &BTreeSet<Flow>) -> (Requests, Told) {
    let summary = serde_json::json!({ "flows": flows });
    kept(engine, summary, async |told| run_flows(engine, flows, told).await).await
}

/// Does the work of a round, and keeps what came of it. `summary`: what it is about; the rest is added.
pub(super) async fn kept(
    engine: &Engine,
    mut summary: serde_json::Value,
    work: impl AsyncFnOnce(&mut Told) -> Result<(), SyncError>,
) -> (Requests, Told) {
    let started_at = clock::now();
    let before = requests(engine);
    let mut told = Told::default();
    if let Err(error) = work(&mut told).await
        && !matches!(error, SyncError::Stopped)
    {
        told.error(&engine.unit.id, &error);
    }
    let after = requests(engine);
    let requests =
        Requests { visma: after.visma - before.visma, jaggaer: after.jaggaer - before.jaggaer };
    summary["requests"] = serde_json::json!(requests);
    summary["errors"] = serde_json::json!(told.errors);
    summary["remarks"] = serde_json::json!(told.remarks);
    summary["allowance"] = serde_json::json!(allowance(engine));
    let mut change = Change::new();
    change.keep_round(&RoundRow {
        id: ids::moment_id(&engine.unit.id, started_at),
        unit: engine.unit.id.clone(),
        started_at,
        ended_at: Some(clock::now()),
        summary: summary.to_string(),
    });
    change.forget_rounds(&engine.unit.id, started_at - ROUNDS);
    if let Err(error) = engine.commit(change).await {
        told.error(&engine.unit.id, &error);
    }
    CrashPoint::RoundKept.pass();
    (requests, told)
}

async fn run_flows(
    engine: &Engine,
    flows: &BTreeSet<Flow>,
    told: &mut Told,
) -> Result<(), SyncError> {
    engine.recover().await?;
    // A pause that was asked for begins with this round, and one that ended is over.
    engine.carry_out_requests().await?;
    let active = not_paused(engine, told).await?;
    // What only tells, or looks back, reads nothing for the sake of later flows.
    if flows.iter().any(|flow| !matches!(flow, Flow::StatusBack | Flow::Reconcile)) {
        let companies = read_companies(engine, flows, told).await?;
        let sources = receive_sources(engine, flows, &active, told).await?;
        if works_documents(flows) {
            work_documents(engine, &active, &companies, sources, told).await?;
        }
    }
    if flows.contains(&Flow::StatusBack) {
        tell_sources(engine, &active, told).await?;
    }
    if flows.contains(&Flow::Reconcile) {
        match engine.reconcile(&active).await {
            Ok(remarks) => told.remarks.extend(remarks),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => told.errors.push(format!(
                "{}: not reconciled, and nothing is claimed: {error}",
                engine.unit.id
            )),
        }
    }
    Ok(())
}

/// Routes, judges and posts.
async fn work_documents(
    engine: &Engine,
    active: &[Arc<Connection>],
    companies: &[Arc<Company>],
    sources: Vec<Arc<Source>>,
    told: &mut Told,
) -> Result<(), SyncError> {
    let mut routed: Vec<Arc<Source>> = Vec::new();
    for source in sources {
        match engine.route(&source).await {
            Ok(_) => routed.push(source),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => told.error(&source.id, &error),
        }
    }
    // Side by side: none waits while another has much to do, or is slow.
    let worked = companies.iter().map(|company| {
        let is_ready = |connection: &&Arc<Connection>| {
            connection.company.id == company.id
                && routed.iter().any(|source| source.id == connection.source.id)
        };
        let connections: Vec<Arc<Connection>> = active.iter().filter(is_ready).cloned().collect();
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
            Err(error) => told.error(&company.id, &error),
        }
    }
    Ok(())
}

/// What became of the documents, connection by connection: one that cannot be told stops no other.
async fn tell_sources(
    engine: &Engine,
    active: &[Arc<Connection>],
    told: &mut Told,
) -> Result<(), SyncError> {
    for connection in active {
        match engine.confirm(connection).await {
            Ok(()) => {}
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => told.error(&connection.id, &error),
        }
    }
    Ok(())
}

/// Whether documents are received, judged and posted.
fn works_documents(flows: &BTreeSet<Flow>) -> bool {
    flows.contains(&Flow::Orders) || flows.contains(&Flow::Invoices)
}

/// The connections that no person has stopped.
pub(super) async fn not_paused(
    engine: &Engine,
    told: &mut Told,
) -> Result<Vec<Arc<Connection>>, SyncError> {
    let pauses = engine.store.pauses().await?;
    let mut active = Vec::new();
    for connection in &engine.connections {
        match pauses.iter().find(|pause| pause.connection == connection.id) {
            None => active.push(Arc::clone(connection)),
            Some(pause) => told.remarks.push(format!(
                "{}: paused since {} by {} ({}); `ml-connector resume {}` lets it go on",
                connection.id,
                clock::readable(pause.since),
                pause.actor,
                pause.reason,
                connection.id
            )),
        }
    }
    Ok(active)
}

/// The companies whose side could be read. Nothing is posted into one whose own documents are not known.
async fn read_companies(
    engine: &Engine,
    flows: &BTreeSet<Flow>,
    told: &mut Told,
) -> Result<Vec<Arc<Company>>, SyncError> {
    engine.check()?;
    let read_at = clock::now();
    let companies = engine.companies();
    let reading = companies.iter().map(|company| read_company(engine, company, flows, read_at));
    let mut read = Vec::new();
    for (company, result) in companies.iter().zip(futures_util::future::join_all(reading).await) {
        match result {
            Ok(()) => read.push(Arc::clone(company)),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => told.error(&company.id, &error),
        }
    }
    Ok(read)
}

/// The sources whose documents can be worked. Each is polled once for all its connections.
async fn receive_sources(
    engine: &Engine,
    flows: &BTreeSet<Flow>,
    active: &[Arc<Connection>],
    told: &mut Told,
) -> Result<Vec<Arc<Source>>, SyncError> {
    engine.check()?;
    let mut sources = engine.sources();
    sources.retain(|source| active.iter().any(|connection| connection.source.id == source.id));
    let receiving = sources.iter().map(|source| async move {
        let mut remarks = Vec::new();
        let received = engine.receive(source, flows, &mut remarks).await;
        (received, remarks)
    });
    let mut ready = Vec::new();
    for (source, (result, remarks)) in
        sources.iter().zip(futures_util::future::join_all(receiving).await)
    {
        told.remarks.extend(remarks);
        match result {
            Ok(()) => ready.push(Arc::clone(source)),
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => {
                told.error(&source.id, &error);
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
    flows: &BTreeSet<Flow>,
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
        let masters = [Flow::Accounts, Flow::Dimensions].iter().any(|flow| flows.contains(flow));
        if masters || company.reference().is_none() {
            engine.refresh_reference(company).await?;
        } else if flows.contains(&Flow::Suppliers) {
            engine.refresh_suppliers(company).await.map(drop)?;
        }
        if !works_documents(flows) {
            return Ok(0);
        }
        engine.refresh_index(company).await?;
        engine.settle(company, read_at, &[ORDERS, INVOICES].concat()).await
    }
    .await;
    engine.progress.end("read Visma");
    result.map(|_| ())
}

/// What the changes of one list let go on, as after a round. Nothing is posted before Visma's own documents were read anew.
pub(super) async fn go_on(
    engine: &Engine,
    company: &Arc<Company>,
    connections: &[Arc<Connection>],
) -> Result<(), SyncError> {
    if engine.recall_reference(company).await?.is_none() {
        engine.refresh_reference(company).await?;
    }
    let mut ready: Vec<Arc<Connection>> = Vec::new();
    for source in engine.sources() {
        let of_source: Vec<Arc<Connection>> =
            connections.iter().filter(|of| of.source.id == source.id).cloned().collect();
        // One whose vendors were never read stops its own connections alone.
        if !of_source.is_empty() && engine.knows_vendors(&source).await? {
            engine.use_vendors(&source).await?;
            ready.extend(of_source);
        }
    }
    let connections = ready.as_slice();
    for connection in connections {
        engine.judge_held(connection).await?;
    }
    let is_due = next_due(engine, company, connections).await?.is_some_and(|at| at <= clock::now());
    let states = [PostingState::Done, PostingState::Intended];
    if !is_due && engine.store.count_postings(&company.id, states).await? == 0 {
        engine.released_by_hand(company, connections).await?;
        return engine.verify_ledger(company).await;
    }
    let read_at = clock::now();
    engine.refresh_index(company).await?;
    engine.settle(company, read_at, &[ORDERS, INVOICES].concat()).await?;
    work(engine, company, connections).await
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
