//! From what a unit knows of itself to alerts: conditions are gathered, compared with what was told,
//! and messages leave. What is to be told is committed before it is sent, so that nothing is lost
//! with the process; a message may come twice, under one id.

use super::early::SilentWebhook;
use super::engine::{Company, Connection, Engine};
use super::error::SyncError;
use super::index::DOUBLED;
use crate::alert::{self, Condition, Courier, Delivery, Event, Parcel, Target};
use crate::config::Alerts;
use crate::nudge::RECEIVED;
use crate::store::{AlertMessage, Change, NudgeCount};
use crate::{audit, clock};
use serde_json::Value;
use std::sync::Arc;

/// Weeks of arrivals that silence is judged by.
const ARRIVALS: i64 = 9 * 7 * 24 * 3_600_000_000;
/// Messages that were sent or given up are kept for so long.
const MESSAGES: i64 = 30 * 24 * 3_600_000_000;
const MINUTE: i64 = 60_000_000;
/// Differences of a reconciliation that one message names.
const DIFFERENCES: usize = 20;
/// The systems that a sign-in may fail at, as alerts name them.
pub const VISMA: &str = "Visma";
const JAGGAER: &str = "JAGGAER";

/// One flow of one connection, as its rounds went. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowHealth {
    pub connection: String,
    pub flow: String,
    /// Since when it could have run; before the first good end that is what counts.
    pub since: i64,
    pub last_good_at: Option<i64>,
    /// What the last round said, if it did not come to a good end.
    pub error: Option<String>,
    /// Between two runs at most; 0: not known.
    pub interval: i64,
}

/// A system that refused our credentials in the last round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInFailure {
    pub system: &'static str,
    pub id: String,
    pub error: String,
}

impl SignInFailure {
    /// When that is what went wrong with the source or company.
    pub fn of(id: &str, error: &SyncError) -> Option<Self> {
        use crate::{jaggaer, visma};
        let system = match error {
            SyncError::Visma(
                visma::Error::SignIn { .. }
                | visma::Error::WrongTenant { .. }
                | visma::Error::AccessWithdrawn { .. },
            ) => VISMA,
            SyncError::Jaggaer(
                jaggaer::Error::SignInRefused { .. } | jaggaer::Error::Unauthorised { .. },
            ) => JAGGAER,
            _ => return None,
        };
        Some(Self { system, id: id.to_owned(), error: error.to_string() })
    }
}

/// What the store does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    pub flows: Vec<FlowHealth>,
    pub sign_ins: Vec<SignInFailure>,
}

impl Engine {
    /// Tells the targets what there is to tell about the unit, and carries out what is due.
    pub async fn tell(
        &self,
        alerts: &Alerts,
        targets: &[Target],
        health: &Health,
        courier: &Courier,
    ) -> Result<(), SyncError> {
        if targets.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        let conditions = self.conditions(alerts, health, now).await?;
        let unit = &self.unit.id;
        let mut change = Change::new();
        for target in targets {
            let known = self.store.alerts_told(unit, &target.id).await?;
            let wanted = |condition: &Condition| target.hears_of(condition);
            let outcome = alert::watch(&conditions, &known, target.pace, wanted, now);
            for row in &outcome.keep {
                change.keep_alert(unit, &target.id, row);
            }
            for key in &outcome.forget {
                change.forget_alert(unit, &target.id, key);
            }
            for event in outcome.events {
                change.add_alert_message(unit, &message(unit, &target.id, event));
            }
        }
        change.forget_alert_messages(unit, now - MESSAGES);
        self.commit(change).await?;
        self.carry_messages(targets, courier).await
    }

    async fn conditions(
        &self,
        alerts: &Alerts,
        health: &Health,
        now: i64,
    ) -> Result<Vec<Condition>, SyncError> {
        let mut conditions = Vec::new();
        for connection in &self.connections {
            let (doubled, holds) = self
                .store
                .what_needs_a_person(&connection.id)
                .await?
                .into_iter()
                .partition::<Vec<_>, _>(|hold| hold.code == DOUBLED);
            conditions.extend(doubled.into_iter().map(|hold| Condition::Doubled {
                connection: connection.id.clone(),
                document: hold.document,
                number: hold.number,
                text: hold.text,
            }));
            if !holds.is_empty() {
                conditions.push(Condition::Holds { connection: connection.id.clone(), holds });
            }
            let before = now - alerts.uncertain_minutes.saturating_mul(MINUTE);
            let documents = self.store.uncertain_since(&connection.id, before).await?;
            if !documents.is_empty() {
                conditions
                    .push(Condition::Uncertain { connection: connection.id.clone(), documents });
            }
            conditions.extend(self.silences(alerts, connection, now).await?);
        }
        conditions.extend(self.months_that_do_not_close().await?);
        conditions.extend(health.flows.iter().filter_map(|flow| stalled(alerts, flow, now)));
        conditions.extend(health.sign_ins.iter().map(|failure| Condition::SignIn {
            system: failure.system,
            id: failure.id.clone(),
            error: failure.error.clone(),
        }));
        conditions.extend(self.companies().iter().filter_map(|company| low(alerts, company)));
        conditions.extend(self.silent().await?);
        Ok(conditions)
    }

    /// As they were looked at last, whoever asked.
    async fn months_that_do_not_close(&self) -> Result<Vec<Condition>, SyncError> {
        let results = self.store.reconciliations_of(&self.unit.id).await?;
        let open = results.into_iter().filter(|row| row.differences > 0 && row.period != "all");
        let word = |of: &Value, name: &str| of[name].as_str().unwrap_or("").to_owned();
        let mut conditions = Vec::new();
        for row in open {
            let body = self.store.reconciliation_body(&row.id).await?.unwrap_or_default();
            let body: Value = serde_json::from_str(&body).unwrap_or_default();
            let first = body["differences"].as_array().into_iter().flatten().take(DIFFERENCES);
            conditions.push(Condition::Reconcile {
                unit: row.unit,
                period: row.period,
                reconciled_at: row.reconciled_at,
                differences: row.differences,
                first: first.map(|of| (word(of, "kind"), word(of, "text"))).collect(),
            });
        }
        Ok(conditions)
    }

    async fn silences(
        &self,
        alerts: &Alerts,
        connection: &Arc<Connection>,
        now: i64,
    ) -> Result<Vec<Condition>, SyncError> {
        let mut found = Vec::new();
        for (flow, orders) in [("orders", true), ("invoices", false)] {
            let arrivals = self.store.arrivals(&connection.id, orders, now - ARRIVALS).await?;
            let zone = &connection.company.time_zone;
            if let Some(silence) = alert::silence(&arrivals, zone, &alerts.days_off, now) {
                found.push(Condition::Silence {
                    connection: connection.id.clone(),
                    flow: flow.into(),
                    silence,
                });
            }
        }
        Ok(found)
    }

    async fn silent(&self) -> Result<Vec<Condition>, SyncError> {
        let silent = self.silent_webhooks().await?;
        if silent.is_empty() {
            return Ok(Vec::new());
        }
        let counts = self.store.delivery_counts().await?;
        let last_nudge_at = |of: &SilentWebhook| {
            let is_of = |row: &&NudgeCount| {
                row.poll == of.count.poll.name()
                    && row.outcome == RECEIVED
                    && self.connection(&row.connection).is_some_and(|c| c.company.id == of.company)
            };
            counts.iter().filter(is_of).map(|row| row.last_at).max()
        };
        Ok(silent
            .into_iter()
            .map(|of| Condition::Webhook {
                last_nudge_at: last_nudge_at(&of),
                company: of.company,
                list: of.count.poll.name().to_owned(),
                in_a_row: of.count.in_a_row,
                since: of.count.in_a_row_since,
            })
            .collect())
    }

    async fn carry_messages(&self, targets: &[Target], courier: &Courier) -> Result<(), SyncError> {
        for due in self.store.alert_messages_due(&self.unit.id, clock::now()).await? {
            self.check()?;
            let delivery = match targets.iter().find(|target| target.id == due.target) {
                Some(target) => courier.deliver(target, &due.id, &due.parcel, clock::now()).await,
                None => Delivery::Refused("the configuration names this target no more".into()),
            };
            let now = clock::now();
            let mut change = Change::new();
            match delivery {
                Delivery::Done => change.alert_message_sent(&due.id, now),
                Delivery::Failed(error) => {
                    let next = alert::next_try(due.attempts + 1);
                    tracing::warn!(target_id = due.target, message = due.id, %error, last = next.is_none(), "an alert could not be delivered");
                    change.alert_message_failed(&due.id, &error, next.map(|step| now + step), now);
                }
                Delivery::Refused(error) => {
                    tracing::error!(target_id = due.target, message = due.id, %error, "an alert is refused for good");
                    change.alert_message_failed(&due.id, &error, None, now);
                }
            }
            self.commit(change).await?;
        }
        Ok(())
    }
}

/// Its id follows from what it says, so that the same event is one message whoever makes it.
fn message(unit: &str, target: &str, event: Event) -> AlertMessage {
    let identity = format!("{unit}\n{target}\n{}\n{}\n{}", event.name, event.key, event.at);
    let payload = event.payload();
    AlertMessage {
        id: format!("alert_{}", &audit::hash_text(&identity)[..24]),
        target: target.to_owned(),
        made_at: event.at,
        parcel: Parcel { title: event.title, text: event.text, payload },
        attempts: 0,
    }
}

fn stalled(alerts: &Alerts, flow: &FlowHealth, now: i64) -> Option<Condition> {
    let patience =
        alerts.stalled_minutes.saturating_mul(MINUTE).max(flow.interval.saturating_mul(3));
    let since = flow.last_good_at.unwrap_or(flow.since);
    (now.saturating_sub(since) > patience).then(|| Condition::Stalled {
        connection: flow.connection.clone(),
        flow: flow.flow.clone(),
        last_good_at: flow.last_good_at,
        error: flow.error.clone(),
    })
}

fn low(alerts: &Alerts, company: &Arc<Company>) -> Option<Condition> {
    let known = company.client.allowance();
    let limit = i64::try_from(known.limit?).ok()?;
    let remaining = i64::try_from(known.remaining?).ok()?;
    let is_low = remaining.saturating_mul(100) < limit.saturating_mul(alerts.allowance_percent);
    is_low.then(|| Condition::Allowance {
        company: company.id.clone(),
        remaining,
        limit,
        resets_in_seconds: known.resets_in.and_then(|left| i64::try_from(left.as_secs()).ok()),
    })
}
