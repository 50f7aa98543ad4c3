//! Reads what both systems list, and holds it against what is kept here. Only lists are asked for, each to
//! its end: what was not read whole is said, and nothing is claimed from it.
//!
//! The order of the reads bears on what may be claimed: JAGGAER's lists, then the store, then Visma's. What
//! moved meanwhile is then known here before the other side is asked for it.

mod jaggaer;
mod ours;
mod visma;

use super::engine::{Access, Company, Connection, Engine, Source, entry, open_connections};
use super::error::SyncError;
use super::ids::moment_id;
use super::summary::Requests;
use super::unit::units;
use super::vault::open_vault;
use crate::clock;
use crate::config::Config;
use crate::reconcile::{Month, Period, Statement, report};
use crate::store::{Change, ReconciliationRow, Store};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How much earlier than the period both lists are asked for: documents are dated ahead of the day that they
/// were last changed on, and booked under an earlier date than the paper's.
const DAYS_BEFORE: i64 = 31;
/// Differences that are kept in full; how many there are is kept of all.
const MOST_DIFFERENCES: usize = 1000;
/// Months that did not close are looked at again, at most so many.
const MOST_OPEN_MONTHS: usize = 12;

/// What reconciling one unit came to.
#[derive(Debug, Default)]
pub struct Reconciled {
    pub unit: String,
    pub statements: Vec<Statement>,
    /// What could not be compared, one sentence each.
    pub remarks: Vec<String>,
    pub requests: Requests,
    pub error: Option<SyncError>,
}

/// What a reconciliation works with.
struct Desk<'a> {
    store: &'a Store,
    /// All connections of the unit.
    connections: &'a [Arc<Connection>],
    /// Those whose systems are asked.
    asked: &'a [Arc<Connection>],
    /// So long after a write Visma's lists need not show it. Microseconds.
    settle_after: i64,
    /// Whether to go on.
    check: &'a (dyn Fn() -> Result<(), SyncError> + Send + Sync),
}

impl Desk<'_> {
    fn sources(&self) -> Vec<Arc<Source>> {
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for connection in self.asked {
            if !sources.iter().any(|source| source.id == connection.source.id) {
                sources.push(Arc::clone(&connection.source));
            }
        }
        sources
    }

    fn companies(&self) -> Vec<Arc<Company>> {
        let mut companies: Vec<Arc<Company>> = Vec::new();
        for connection in self.asked {
            if !companies.iter().any(|company| company.id == connection.company.id) {
                companies.push(Arc::clone(&connection.company));
            }
        }
        companies
    }

    /// Where the days of a source are: in the company of its first connection.
    fn zone_of(&self, source: &str) -> TimeZone {
        let first = self.connections.iter().find(|of| of.source.id == source);
        first.map_or(TimeZone::UTC, |of| of.company.time_zone.clone())
    }

    /// Each list is read once, for all periods together.
    async fn reconcile(
        &self,
        periods: &[Period],
        remarks: &mut Vec<String>,
    ) -> Result<Vec<Statement>, SyncError> {
        let Some(from) = self.first_day(periods) else { return Ok(Vec::new()) };
        let began_at = clock::now();
        let mut listings = Vec::new();
        for source in self.sources() {
            listings.push(self.list_of_jaggaer(source, since(periods, from), remarks).await?);
        }
        let mut own = self.ours(&listings, periods, began_at).await?;
        let mut booked = Vec::new();
        for company in self.companies() {
            booked.extend(self.list_of_visma(&company, from, remarks).await?);
        }
        self.what_visma_shows(&mut own, &booked, from).await?;
        let listed: Vec<_> =
            listings.into_iter().flat_map(|listing| listing.rows.into_values()).collect();
        Ok(periods
            .iter()
            .map(|period| crate::reconcile::reconcile(*period, &listed, &own, &booked))
            .collect())
    }

    /// The day from which on Visma's documents are asked for.
    fn first_day(&self, periods: &[Period]) -> Option<Date> {
        let first = periods.iter().map(|period| match period {
            Period::Month(month) => month.first(),
            Period::All { from } => *from,
        });
        first.min().map(|day| day.saturating_sub(jiff::Span::new().days(DAYS_BEFORE)))
    }
}

/// Since when JAGGAER's changes are asked for, in microseconds UTC; `None`: from the beginning.
fn since(periods: &[Period], from: Date) -> Option<i64> {
    let all = periods.iter().any(|period| matches!(period, Period::All { .. }));
    let at = from.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond();
    (!all).then_some(at)
}

impl Engine {
    /// The month that runs, the one before it, and those that did not close. What the three books say of each is
    /// kept, with an entry in the trail.
    pub async fn reconcile(&self, asked: &[Arc<Connection>]) -> Result<Vec<String>, SyncError> {
        let Some(first) = asked.first() else { return Ok(Vec::new()) };
        let today = today(&first.company);
        let known = self.store.reconciliations_of(&self.unit.id).await?;
        let months = months(today, &known);
        let periods: Vec<Period> = months.into_iter().map(Period::Month).collect();
        let check = || self.check_lease();
        let desk = Desk {
            store: &self.store,
            connections: &self.connections,
            asked,
            settle_after: self.pace.settle_after,
            check: &check,
        };
        let mut remarks = Vec::new();
        self.progress.begin("reconcile", None);
        let done = desk.reconcile(&periods, &mut remarks).await;
        self.progress.end("reconcile");
        let at = clock::now();
        let mut change = Change::new();
        for statement in done? {
            let (row, body) = kept(&self.unit.id, &statement, &remarks, "connector", at);
            change.keep_reconciliation(&row, &body);
            let mut log = entry("", "", "reconciled", at);
            log.detail = json!({
                "period": row.period, "differences": row.differences, "reconciliation": row.id,
                "sha256": crate::audit::hash_text(&body),
            })
            .to_string();
            change.log(log);
            if row.differences > 0 {
                tracing::warn!(
                    unit = self.unit.id,
                    period = row.period,
                    differences = row.differences,
                    "JAGGAER, this store and Visma do not say the same"
                );
            }
        }
        self.commit(change).await?;
        Ok(remarks)
    }
}

/// Reconciles each unit beside whoever owns it: it reads, and keeps what it came to. Without a month:
/// everything that was ever received.
pub async fn reconcile(
    store: &Store,
    config: &Config,
    month: Option<Month>,
    actor: &str,
    stop: watch::Receiver<bool>,
) -> Result<Vec<Reconciled>, SyncError> {
    let vault = open_vault(store, config).await?;
    let mut all = Vec::new();
    for unit in units(store, config).await? {
        let mut done = Reconciled { unit: unit.id.clone(), ..Reconciled::default() };
        let opened = open_connections(config, &vault, &unit, None, Access::Read);
        let result = match opened.faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => {
                let settle = Duration::from_secs(config.timing.settle_after_seconds);
                let of = (opened.connections.as_slice(), clock::micros(settle));
                reconcile_unit(store, &unit.id, of, month, actor, &stop, &mut done).await
            }
        };
        match result {
            Err(error @ SyncError::Stopped) => return Err(error),
            Err(error) => done.error = Some(error),
            Ok(()) => {}
        }
        all.push(done);
    }
    Ok(all)
}

async fn reconcile_unit(
    store: &Store,
    unit: &str,
    (connections, settle_after): (&[Arc<Connection>], i64),
    month: Option<Month>,
    actor: &str,
    stop: &watch::Receiver<bool>,
    done: &mut Reconciled,
) -> Result<(), SyncError> {
    let Some(from) = connections.iter().map(|of| of.rules.take_from).min() else { return Ok(()) };
    let period = month.map_or(Period::All { from }, Period::Month);
    let check = || if *stop.borrow() { Err(SyncError::Stopped) } else { Ok(()) };
    let desk = Desk { store, connections, asked: connections, settle_after, check: &check };
    let result = desk.reconcile(&[period], &mut done.remarks).await;
    for company in desk.companies() {
        done.requests.visma += company.client.calls().reads;
    }
    for source in desk.sources() {
        done.requests.jaggaer += source.client.requests();
    }
    done.statements = result?;
    for statement in &done.statements {
        let (row, body) = kept(unit, statement, &done.remarks, actor, clock::now());
        store.note_reconciliation(&row, &body).await?;
    }
    Ok(())
}

/// What is kept of a statement.
fn kept(
    unit: &str,
    statement: &Statement,
    remarks: &[String],
    actor: &str,
    at: i64,
) -> (ReconciliationRow, String) {
    let period = statement.period.to_string();
    let mut body = report(statement, MOST_DIFFERENCES);
    body["remarks"] = Value::from(remarks);
    let row = ReconciliationRow {
        id: moment_id(&format!("reconciliation {unit} {period}"), at),
        unit: unit.to_owned(),
        period,
        reconciled_at: at,
        actor: actor.to_owned(),
        differences: i64::try_from(statement.differences.len()).unwrap_or(i64::MAX),
    };
    (row, body.to_string())
}

fn today(company: &Company) -> Date {
    jiff::Timestamp::now().to_zoned(company.time_zone.clone()).date()
}

/// The month that runs, the one before it, and the latest of those that did not close when they were looked at
/// last.
fn months(today: Date, known: &[ReconciliationRow]) -> BTreeSet<Month> {
    let now = Month::of(today);
    let mut open: Vec<Month> = known
        .iter()
        .filter(|row| row.differences > 0)
        .filter_map(|row| row.period.parse().ok())
        .filter(|month| *month < now)
        .collect();
    open.sort_unstable();
    let latest = open.into_iter().rev().take(MOST_OPEN_MONTHS);
    latest.chain([now, now.before()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(period: &str, differences: i64) -> ReconciliationRow {
        ReconciliationRow {
            id: period.into(),
            unit: "no".into(),
            period: period.into(),
            reconciled_at: 0,
            actor: "connector".into(),
            differences,
        }
    }

    #[test]
    fn a_month_that_did_not_close_is_looked_at_again() {
        let today = jiff::civil::date(2026, 3, 1);
        let told = |known: &[ReconciliationRow]| {
            months(today, known).into_iter().map(|of| of.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(told(&[]), ["2026-02", "2026-03"]);
        let known = [row("all", 3), row("2025-12", 1), row("2025-11", 0), row("2026-02", 2)];
        assert_eq!(told(&known), ["2025-12", "2026-02", "2026-03"]);
    }
}
