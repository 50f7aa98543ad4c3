//! What a nudge brings: one list of one company, read before its time, and what follows from its changes. Where
//! nothing has changed it costs that one call.

use super::engine::{Company, Connection, Engine};
use super::error::SyncError;
use super::round::{Told, go_on, kept, not_paused};
use super::summary::Requests;
use crate::clock;
use crate::nudge::{Found, explain};
use crate::procurement::DocumentKind;
use crate::schedule::{Early, Poll};
use crate::store::{Change, FoundCount};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nudges are remembered for so long, so that a delivery that comes again is known.
const NUDGES: i64 = 7 * 24 * 3_600_000_000;

/// A webhook that does not tell what polls find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentWebhook {
    pub company: String,
    pub count: FoundCount,
}

/// Reads these lists, and works what their changes let go on.
pub async fn run_early(engine: &Engine, early: &BTreeSet<Early>) -> (Requests, Told) {
    let summary = serde_json::json!({ "early": early });
    kept(engine, summary, async |told| poll_early(engine, early, told).await).await
}

async fn poll_early(
    engine: &Engine,
    early: &BTreeSet<Early>,
    told: &mut Told,
) -> Result<(), SyncError> {
    engine.recover().await?;
    engine.carry_out_requests().await?;
    let active = not_paused(engine, told).await?;
    let mut by_company: BTreeMap<&str, BTreeSet<Poll>> = BTreeMap::new();
    for early in early {
        by_company.entry(&early.company).or_default().insert(early.poll);
    }
    for (id, polls) in by_company {
        let Some(company) = engine.companies().into_iter().find(|company| company.id == id) else {
            continue;
        };
        let of_company = active.iter().filter(|connection| connection.company.id == id);
        let connections: Vec<Arc<Connection>> = of_company.cloned().collect();
        match poll_company(engine, &company, &polls, &connections).await {
            Ok(()) => {}
            Err(error) if error.stops_the_unit() => return Err(error),
            Err(error) => told.error(id, &error),
        }
    }
    Ok(())
}

async fn poll_company(
    engine: &Engine,
    company: &Arc<Company>,
    polls: &BTreeSet<Poll>,
    connections: &[Arc<Connection>],
) -> Result<(), SyncError> {
    let mut changed = false;
    for poll in polls {
        engine.check()?;
        let read_at = clock::now();
        changed |= match poll {
            Poll::Suppliers => engine.refresh_suppliers(company).await?,
            Poll::Accounts => engine.refresh_accounts(company).await?,
            Poll::Dimensions => engine.refresh_dimensions(company).await?,
            Poll::Invoices => {
                let changed = engine.refresh_invoices(company).await?;
                let kinds = [DocumentKind::SupplierInvoice, DocumentKind::CreditNote];
                engine.settle(company, read_at, &kinds).await? > 0 || changed
            }
            Poll::Orders => {
                let changed = engine.refresh_orders(company).await?;
                engine.settle(company, read_at, &[DocumentKind::PurchaseOrder]).await? > 0
                    || changed
            }
            Poll::Jobs => engine.look_at_jobs(company).await? > 0,
        };
    }
    if changed { go_on(engine, company, connections).await } else { Ok(()) }
}

impl Engine {
    /// What waits is read by the poll that begins. The jobs that were told of are asked for at their next look.
    pub async fn take_nudges(&self, polls: &BTreeSet<Early>) -> Result<(), SyncError> {
        self.nudges(polls, |change, connection, poll| change.take_nudges(connection, poll)).await?;
        let mut change = Change::new();
        for early in polls.iter().filter(|early| early.poll == Poll::Jobs) {
            for connection in self.connections_of(&early.company) {
                for job in self.store.jobs_told(&connection).await? {
                    change.hasten_job(&early.company, &job, clock::now());
                }
            }
        }
        self.commit(change).await
    }

    /// The poll came to its end.
    pub async fn end_nudges(&self, polls: &BTreeSet<Early>, good: bool) -> Result<(), SyncError> {
        self.nudges(polls, |change, connection, poll| change.end_nudges(connection, poll, good))
            .await
    }

    /// What a process before this one had taken and not polled to the end waits again.
    pub async fn recover_nudges(&self) -> Result<(), SyncError> {
        let all = self
            .companies()
            .into_iter()
            .flat_map(|company| Poll::ALL.map(|poll| Early { company: company.id.clone(), poll }));
        self.end_nudges(&all.collect(), false).await
    }

    async fn nudges(
        &self,
        polls: &BTreeSet<Early>,
        what: impl Fn(&mut Change, &str, Poll),
    ) -> Result<(), SyncError> {
        let mut change = Change::new();
        for early in polls {
            for connection in self.connections_of(&early.company) {
                what(&mut change, &connection, early.poll);
            }
        }
        self.commit(change).await
    }

    fn connections_of(&self, company: &str) -> Vec<String> {
        let of = self.connections.iter().filter(|connection| connection.company.id == company);
        of.map(|connection| connection.id.clone()).collect()
    }

    /// Judges the changes whose time is over: a nudge had told of them, or only the poll found them.
    pub async fn weigh_changes(&self) -> Result<(), SyncError> {
        let now = clock::now();
        let mut change = Change::new();
        for company in self.companies() {
            let Some(watched) = &company.watched else { continue };
            let mut by_poll: BTreeMap<Poll, Vec<Found>> = BTreeMap::new();
            for (poll, found) in self.store.found_changes(&company.id, now - watched.grace).await? {
                by_poll.entry(poll).or_default().push(found);
            }
            for (poll, found) in by_poll {
                let from = found.iter().map(|found| found.since).min().unwrap_or(now);
                let mut heard = Vec::new();
                for connection in self.connections_of(&company.id) {
                    let from = from.saturating_sub(watched.grace);
                    heard.extend(self.store.nudges_heard(&connection, poll, from, now).await?);
                }
                let (keys, heard): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
                let explained = explain(&found, &heard, watched.grace);
                for (found, by) in found.iter().zip(explained) {
                    change.weigh_found(&company.id, poll, found, by.is_some());
                    if let Some(place) = by
                        && !heard[place].reference.is_empty()
                        && heard[place].reference != found.reference
                    {
                        change.spend_nudge(&keys[place]);
                    }
                }
            }
        }
        // Where no webhook is, this writes nothing.
        for connection in self.connections.iter().filter(|of| of.company.watched.is_some()) {
            change.forget_nudges(&connection.id, now - NUDGES);
        }
        self.commit(change).await
    }

    /// Lists whose last changes only polls found, as many in a row as are too many.
    pub async fn silent_webhooks(&self) -> Result<Vec<SilentWebhook>, SyncError> {
        let watched: Vec<Arc<Company>> =
            self.companies().into_iter().filter(|company| company.watched.is_some()).collect();
        if watched.is_empty() {
            return Ok(Vec::new());
        }
        let counts = self.store.found_counts().await?;
        let silent = counts.into_iter().filter_map(|count| {
            let company = watched.iter().find(|company| company.id == count.company)?;
            let of = company.watched.as_ref()?;
            let is_silent = of.polls.contains(&count.poll) && count.in_a_row >= of.silent_after;
            is_silent.then(|| SilentWebhook { company: company.id.clone(), count })
        });
        Ok(silent.collect())
    }
}
