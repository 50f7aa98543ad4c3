//! A trial run: both systems are read into a store that is thrown away, everything is judged as in a
//! round, and nothing is posted. Nothing can be: what it works with has no sender, and its sign-in
//! asks Visma for the right to read alone.

mod folder;
mod survey;

use super::engine::{Access, Company, Connection, Engine, open_connections};
use super::error::SyncError;
use super::lease::Ownership;
use super::mapping::rules_in_force;
use super::progress::Progress;
use super::summary::Requests;
use super::vault::open_vault;
use super::worker::Worker;
use crate::clock;
use crate::config::{Config, ConnectionConfig, Unit};
use crate::decide::Rules;
use crate::fit::{
    CostInputs, Fate, Judged, Report, Surroundings, Trial, cost, supposed_order, taken_for_right,
    tally,
};
use crate::jaggaer::Entity;
use crate::procurement::{DocumentKind, Plan};
use crate::schedule::Flow;
use crate::store::{Change, DocumentFilter, DocumentState, PostingState, Step, Store, Watermark};
use crate::vault::Vault;
use folder::PrivateFolder;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use survey::{documents, work_of_plans};
use tokio::sync::watch;

const ORDERS: &[DocumentKind] = &[DocumentKind::PurchaseOrder];
const INVOICES: &[DocumentKind] = &[DocumentKind::SupplierInvoice, DocumentKind::CreditNote];
/// Days before the period from which orders are read: its invoices bill older ones.
const ORDERS_BEFORE: i64 = 366;
/// The same for invoices: one dated in the period may have been entered before it.
const INVOICES_BEFORE: i64 = 31;

/// What came of a trial run.
#[derive(Debug, Default)]
pub struct Fitted {
    /// `None`: Visma or JAGGAER could not be read far enough; the errors say why.
    pub report: Option<Report>,
    pub requests: Requests,
    pub seconds: f64,
    pub errors: Vec<String>,
    pub remarks: Vec<String>,
    pub stopped: bool,
}

/// The days that are looked at.
#[derive(Debug, Clone, Copy)]
struct Period {
    days: i64,
    from: Date,
    to: Date,
}

/// Runs one connection. `known`: the real store, opened to read, for what people have said: links,
/// imported tables, holds set aside.
pub async fn fit(
    config: &Config,
    connection: &ConnectionConfig,
    days: u32,
    known: Option<&Store>,
    progress: Arc<dyn Progress>,
    stop: watch::Receiver<bool>,
) -> Result<Fitted, SyncError> {
    let started = clock::since_boot();
    let mut fitted = Fitted::default();
    let unit = Unit {
        id: format!("fit {}", connection.id),
        connections: vec![connection.id.clone()],
        sources: BTreeSet::from([connection.source.clone()]),
        companies: BTreeSet::from([connection.company.clone()]),
        joins: Vec::new(),
        parted_from: None,
    };
    let vault = match known {
        Some(known) => open_vault(known, config).await?,
        None => Vault::default(),
    };
    let opened = open_connections(config, &vault, &unit, Some(&connection.id), Access::Read);
    if let Some(fault) = opened.faults.into_iter().next() {
        return Err(fault);
    }
    let mut of = opened.connections.into_iter().next().expect("the unit has this connection");
    let period = period(&of.company, days)?;
    let rules = match known {
        None => connection.rules.clone(),
        Some(known) => match rules_in_force(known, connection).await {
            Ok(rules) => rules,
            Err(SyncError::Store(error)) => {
                fitted.remarks.push(format!(
                    "the store cannot be read, so links and imported tables do not count ({error})"
                ));
                connection.rules.clone()
            }
            Err(error) => return Err(error),
        },
    };
    let take_from = before(period.from, ORDERS_BEFORE)?;
    let route = Arc::get_mut(&mut of).expect("nothing works with it yet");
    route.set_rules(Rules { take_from, ..rules });

    let folder = PrivateFolder::make().map_err(|error| {
        SyncError::Inner(format!("no private folder for the trial run: {error}"))
    })?;
    let store = Store::open(&format!("sqlite:{}", folder.path().join("fit.db").display())).await?;
    let lease = Duration::from_secs(config.timing.lease_seconds);
    let worker = Worker::join(&store, false, lease, Duration::ZERO).await?;
    let ownership = Ownership::take(&store, &unit.id, &worker, lease).await?;
    let connections = vec![Arc::clone(&of)];
    let engine = Engine::new(store, config, unit, connections, ownership, progress, stop);
    let run = Run { engine: &engine, connection: &of, period, known };
    match run.whole(connection.rules.take_from, &mut fitted).await {
        Ok(report) => fitted.report = report,
        Err(SyncError::Stopped) => fitted.stopped = true,
        Err(error) => fitted.errors.push(format!("{}: {error}", connection.id)),
    }
    let calls = of.company.client.calls();
    fitted.requests =
        Requests { visma: calls.reads + calls.writes, jaggaer: of.source.client.requests() };
    engine.close().await?;
    drop(of);
    drop(folder);
    fitted.seconds = clock::since_boot().saturating_sub(started).as_secs_f64();
    Ok(fitted)
}

/// The last so many days, today among them, where the company is.
fn period(company: &Company, days: u32) -> Result<Period, SyncError> {
    let to = Timestamp::now().to_zoned(company.time_zone.clone()).date();
    let days = i64::from(days.max(1));
    Ok(Period { days, from: before(to, days - 1)?, to })
}

fn before(day: Date, days: i64) -> Result<Date, SyncError> {
    let span = Span::new().try_days(days);
    span.and_then(|span| day.checked_sub(span))
        .map_err(|_| SyncError::Configuration(format!("{days} days lie before all calendars")))
}

/// One trial run.
struct Run<'a> {
    engine: &'a Engine,
    connection: &'a Arc<Connection>,
    period: Period,
    known: Option<&'a Store>,
}

impl Run<'_> {
    async fn whole(
        &self,
        take_from: Date,
        fitted: &mut Fitted,
    ) -> Result<Option<Report>, SyncError> {
        let (engine, connection) = (self.engine, self.connection);
        let company = &connection.company;
        let mut costs = CostInputs::default();
        let read = self.read_visma(fitted, &mut costs).await;
        if let Err(error) = &read {
            if error.stops_the_unit() {
                return Err(read.expect_err("just looked at"));
            }
            fitted.errors.push(format!("{}: {error}", company.id));
        }
        self.begin_lists().await?;
        match engine
            .receive(&connection.source, &BTreeSet::from(Flow::ALL), &mut fitted.remarks)
            .await
        {
            Ok(()) => {}
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => fitted.errors.push(format!("{}: {error}", connection.id)),
        }
        costs.jaggaer = connection.source.client.requests();
        // Without Visma's reference data and suppliers everything would be held for no reason.
        let (Some(reference), Ok(())) = (company.reference(), read) else { return Ok(None) };
        if !engine.knows_vendors(&connection.source).await? {
            fitted.errors.push(format!(
                "{}: the list of vendors could not be read, so no document can be judged",
                connection.id
            ));
            return Ok(None);
        }
        engine.route(&connection.source).await?;
        self.take_over_overrides(fitted).await?;
        self.judge(connection).await?;

        let posted = self.posted(fitted).await;
        let seen = documents(engine, connection, &reference, &posted).await?;
        self.cost_of_posting(&seen.documents, &posted, &mut costs).await?;
        let surroundings = Surroundings {
            connection: &connection.id,
            source: &connection.source.id,
            company: &company.id,
            days: self.period.days,
            from: self.period.from,
            to: self.period.to,
            take_from,
            unrouted: &seen.unrouted,
            vendors: &seen.vendors,
            dimensions: &seen.dimensions,
            reference: &reference.data,
            tables: &connection.rules.mapping,
            cost: cost(&costs),
        };
        let mut report = tally(&seen.documents, &surroundings);
        report.trial = self.try_suggestions(&report, &posted).await?;
        Ok(Some(report))
    }

    /// Reference data and Visma's own documents; then once more, to see what a round costs that finds
    /// nothing new.
    async fn read_visma(
        &self,
        fitted: &mut Fitted,
        costs: &mut CostInputs,
    ) -> Result<(), SyncError> {
        let (engine, company) = (self.engine, &self.connection.company);
        let started = clock::since_boot();
        engine.progress.begin("read Visma", None);
        let read = async {
            engine.refresh_reference(company).await?;
            match engine.refresh_index(company).await {
                Err(SyncError::Visma(error)) => {
                    fitted.errors.push(format!(
                        "{}: Visma's own documents cannot be read whole: what people keyed in there is not \
                         recognised ({error})",
                        company.id
                    ));
                    Ok(())
                }
                other => other,
            }
        }
        .await;
        engine.progress.end("read Visma");
        let calls = company.client.calls().reads;
        let spent = clock::since_boot().saturating_sub(started).as_secs_f64();
        costs.first_read = calls;
        costs.idle_read = calls;
        costs.seconds_per_call = spent / f64::from(u32::try_from(calls.max(1)).unwrap_or(u32::MAX));
        read?;
        let again = async {
            engine.refresh_reference(company).await?;
            engine.refresh_index(company).await
        };
        match again.await {
            Ok(()) => costs.idle_read = company.client.calls().reads - calls,
            Err(error) if error.stops_the_unit() => return Err(error),
            // Told already, if it was not by chance: the first read stands for it.
            Err(_) => {}
        }
        Ok(())
    }

    /// Lists of documents are asked for what changed since some time before the period, not from their
    /// beginning.
    async fn begin_lists(&self) -> Result<(), SyncError> {
        let source = &self.connection.source;
        let mut change = Change::new();
        for (entity, days) in
            [(Entity::PurchaseOrders, ORDERS_BEFORE), (Entity::Invoices, INVOICES_BEFORE)]
        {
            let day = before(self.period.from, days)?;
            let at = day
                .to_zoned(self.connection.company.time_zone.clone())
                .map_err(|error| SyncError::Inner(error.to_string()))?;
            for feed in source.profile.feeds_of(entity) {
                let to = Watermark {
                    instant: at.timestamp().as_microsecond(),
                    seen: at.timestamp().to_string(),
                    moved_at: clock::now(),
                };
                change.move_watermark(&source.id, &source.watermark_of(feed), &to);
            }
        }
        self.engine.commit(change).await
    }

    /// What people have set aside counts here too.
    async fn take_over_overrides(&self, fitted: &mut Fitted) -> Result<(), SyncError> {
        let Some(known) = self.known else { return Ok(()) };
        let said = match known.overrides().await {
            Ok(said) => said,
            Err(error) => {
                fitted.remarks.push(format!(
                    "the store cannot be read, so holds that were set aside count as holds ({error})"
                ));
                return Ok(());
            }
        };
        let mut change = Change::new();
        for row in said {
            change.keep_override(&row.document, &row.word, row.said_at);
        }
        self.engine.commit(change).await
    }

    /// What this connection has posted before: it stands in Visma, however it would be judged today.
    async fn posted(&self, fitted: &mut Fitted) -> BTreeSet<String> {
        let Some(known) = self.known else { return BTreeSet::new() };
        let filter = DocumentFilter {
            connection: Some(self.connection.id.clone()),
            state: Some(DocumentState::Posted),
            ..DocumentFilter::default()
        };
        match known.documents(&filter).await {
            Ok(posted) => posted.into_iter().map(|of| of.id).collect(),
            Err(error) => {
                fitted.remarks.push(format!(
                    "the store cannot be read, so what was posted before is judged as if by others ({error})"
                ));
                BTreeSet::new()
            }
        }
    }

    /// Orders, and what would be posted of them as if it stood in Visma; then invoices.
    async fn judge(&self, connection: &Arc<Connection>) -> Result<(), SyncError> {
        self.engine.progress.begin("judge", None);
        let judged = async {
            self.engine.judge(connection, ORDERS).await?;
            self.suppose_orders(connection).await?;
            self.engine.judge(connection, INVOICES).await
        }
        .await;
        self.engine.progress.end("judge");
        judged.map(drop)
    }

    async fn suppose_orders(&self, connection: &Connection) -> Result<(), SyncError> {
        let (store, company) = (&self.engine.store, &connection.company.id);
        let planned = store
            .documents_to_work(&connection.id, DocumentKind::PurchaseOrder, DocumentState::Posting)
            .await?;
        for document in planned {
            self.engine.check()?;
            let postings = store.postings_of(&document.id).await?;
            let create = postings
                .iter()
                .find(|row| row.step == Step::Create && row.state == PostingState::Planned);
            let Some(create) = create else { continue };
            let Ok(Plan::Order(plan)) = serde_json::from_str(&create.plan) else { continue };
            let order = supposed_order(&plan, &create.our_key);
            let at = clock::now();
            let mut change = Change::new();
            change.keep_erp_order(company, &order);
            let (kind, number) = (&order.order_type, &order.number);
            change.set_applied(&document.id, create.revision, &create.plan, kind, number);
            // Its posting stays planned: what is planned is what a round would write.
            change.move_document(&document.id, document.state, DocumentState::Posted, at);
            self.engine.commit(change).await?;
        }
        Ok(())
    }

    async fn cost_of_posting(
        &self,
        documents: &[Judged],
        posted: &BTreeSet<String>,
        costs: &mut CostInputs,
    ) -> Result<(), SyncError> {
        let company = &self.connection.company;
        let inside = |of: &&Judged| of.on.is_none_or(|on| on >= self.period.from);
        let work = work_of_plans(self.engine, self.connection, self.period.from, posted).await?;
        let known = company.client.allowance();
        costs.limit = known.limit;
        costs.remaining = known.remaining;
        costs.resets_in = known.resets_in;
        costs.documents = work.documents;
        costs.writes = work.writes;
        costs.page_size = u64::from(company.client.page_size());
        costs.min_interval = company.client.min_interval();
        costs.at_a_time = u64::try_from(company.concurrency).unwrap_or(u64::MAX);
        costs.jaggaer_lists = self.connection.source.profile.feeds().len() as u64;
        let taken = |of: &&Judged| inside(of) && !matches!(of.fate, Fate::Ignored(_));
        let come = documents.iter().filter(taken).count();
        let stands = |of: &&Judged| of.fate == Fate::AlreadyInVisma;
        costs.backlog = documents.iter().filter(taken).filter(|of| !stands(of)).count() as u64;
        let days = f64::from(u32::try_from(self.period.days).unwrap_or(u32::MAX));
        costs.documents_per_day = f64::from(u32::try_from(come).unwrap_or(u32::MAX)) / days;
        Ok(())
    }

    /// Judges once more what is stopped, with the first suggestions taken for right. `None`: there is
    /// none to try.
    async fn try_suggestions(
        &self,
        report: &Report,
        posted: &BTreeSet<String>,
    ) -> Result<Option<Trial>, SyncError> {
        let rules = &self.connection.rules;
        let (mapping, values) = taken_for_right(&rules.mapping, &report.todo);
        if values == 0 {
            return Ok(None);
        }
        let tried = Arc::new(self.connection.with_rules(Rules { mapping, ..rules.clone() }));
        self.engine.judge_held(&tried).await?;
        self.judge(&tried).await?;
        let would_post = survey::would_post(self.engine, &tried, self.period.from, posted).await?;
        Ok(Some(Trial { values, would_post, share: report.counts.share(would_post) }))
    }
}
