//! What was told about what is wrong, the messages on their way, and what alerts are made from.

use super::{Change, Statement, Store, StoreError, args};
use crate::alert::{Arrivals, Kind, Known, NewHold, Parcel};
use crate::procurement::DocumentKind;
use sqlx::Any;
use std::collections::{BTreeMap, BTreeSet};

/// A message on its way. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertMessage {
    pub id: String,
    pub target: String,
    pub parcel: Parcel,
    pub attempts: i64,
    pub made_at: i64,
}

/// Messages that nobody took: how many wait for another attempt, how many were given up, and what
/// the latest failure said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertTrouble {
    pub target: String,
    pub waiting: i64,
    pub given_up: i64,
    pub error: Option<String>,
}

impl Store {
    /// What was told to a target about a unit.
    pub async fn alerts_told(&self, unit: &str, target: &str) -> Result<Vec<Known>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, i64, i64)>(
            "select condition_key, kind, open, told_at, told_until from alert \
             where unit = $1 and target = $2 order by condition_key",
        )
        .bind(unit)
        .bind(target)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(key, kind, open, told_at, told_until)| {
                let kind = Kind::ALL
                    .into_iter()
                    .find(|known| known.as_str() == kind)
                    .ok_or_else(|| StoreError::Content(format!("alert kind `{kind}`")))?;
                Ok(Known { key, kind, open: open == 1, told_at, told_until })
            })
            .collect()
    }

    /// Messages of a unit whose next attempt is due, the oldest first.
    pub async fn alert_messages_due(
        &self,
        unit: &str,
        now: i64,
    ) -> Result<Vec<AlertMessage>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String, i64, i64)>(
            "select id, target, parcel, attempts, made_at from alert_message \
             where unit = $1 and state = 'waiting' and next_at <= $2 order by made_at, id limit 50",
        )
        .bind(unit)
        .bind(now)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(id, target, parcel, attempts, made_at)| {
                let parcel = serde_json::from_str(&parcel)
                    .map_err(|error| StoreError::Content(format!("message {id}: {error}")))?;
                Ok(AlertMessage { id, target, parcel, attempts, made_at })
            })
            .collect()
    }

    pub async fn alert_trouble(&self) -> Result<Vec<AlertTrouble>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, i64, i64, Option<String>)>(
            "select target, cast(sum(case when state = 'waiting' and attempts > 0 then 1 else 0 end) as bigint), \
             cast(sum(case when state = 'given_up' then 1 else 0 end) as bigint), max(error) \
             from alert_message where error is not null and state <> 'sent' group by target order by target",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(target, waiting, given_up, error)| AlertTrouble {
                target,
                waiting,
                given_up,
                error,
            })
            .collect())
    }

    /// Held documents of a connection, and posted ones that ask for attention, each once. What stands in Visma twice
    /// asks for it in every state.
    pub async fn what_needs_a_person(&self, connection: &str) -> Result<Vec<NewHold>, StoreError> {
        let held = sqlx::query_as::<Any, (String, String, String, String, i64)>(
            "select d.id, d.number, h.code, h.text, h.since from document d \
             join hold h on h.document = d.id \
             where d.connection = $1 and d.state = 'held' order by d.id, h.n",
        )
        .bind(connection)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let attention = sqlx::query_as::<Any, (String, String, String, i64)>(
            "select id, number, attention, changed_at from document \
             where connection = $1 and attention is not null \
             and (state = 'posted' or attention like 'doubled_in_visma:%') order by id",
        )
        .bind(connection)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let mut found: Vec<NewHold> = Vec::new();
        for (document, number, code, text, since) in held {
            // The first of its holds names it; when it came to be held is the same for all.
            if found.last().is_none_or(|last| last.document != document) {
                found.push(NewHold { document, number, code, text, since });
            }
        }
        found.extend(attention.into_iter().map(|(document, number, attention, since)| {
            let (code, text) = attention.split_once(": ").unwrap_or(("attention", &attention));
            NewHold { document, number, code: code.into(), text: text.into(), since }
        }));
        let mut known = BTreeSet::new();
        found.retain(|of| known.insert((of.document.clone(), of.code.clone())));
        Ok(found)
    }

    /// Documents of a connection with a write that has been uncertain since before `before`.
    pub async fn uncertain_since(
        &self,
        connection: &str,
        before: i64,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select distinct d.id from posting p join document d on d.id = p.document \
             where d.connection = $1 and p.state = 'uncertain' and coalesce(p.intent_at, p.changed_at) < $2 \
             order by d.id",
        )
        .bind(connection)
        .bind(before)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// When documents of one sort were first seen, since an instant.
    pub async fn arrivals(
        &self,
        connection: &str,
        orders: bool,
        since: i64,
    ) -> Result<Arrivals, StoreError> {
        let kinds = if orders {
            [DocumentKind::PurchaseOrder, DocumentKind::PurchaseOrder]
        } else {
            [DocumentKind::SupplierInvoice, DocumentKind::CreditNote]
        };
        let rows = sqlx::query_as::<Any, (i64, i64, i64)>(
            "select received_at / 3600000000, cast(count(*) as bigint), max(received_at) from document \
             where connection = $1 and kind in ($2, $3) and received_at >= $4 group by received_at / 3600000000",
        )
        .bind(connection)
        .bind(kinds[0].as_str())
        .bind(kinds[1].as_str())
        .bind(since)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let first = sqlx::query_as::<Any, (Option<i64>,)>(
            "select min(received_at) from document where connection = $1",
        )
        .bind(connection)
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        let last_at = rows.iter().map(|(_, _, last)| *last).max();
        let by_hour: BTreeMap<i64, usize> = rows
            .into_iter()
            .map(|(hour, count, _)| (hour, usize::try_from(count).unwrap_or(usize::MAX)))
            .collect();
        Ok(Arrivals { by_hour, last_at, watched_since: first.0.unwrap_or(since) })
    }
}

impl Change {
    pub fn keep_alert(&mut self, unit: &str, target: &str, known: &Known) {
        self.push(Statement::new(
            "insert into alert (unit, target, condition_key, kind, open, told_at, told_until) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (unit, target, condition_key) do update set \
             open = excluded.open, told_at = excluded.told_at, told_until = excluded.told_until",
            args![
                unit,
                target,
                &known.key,
                known.kind.as_str(),
                i64::from(known.open),
                known.told_at,
                known.told_until
            ],
        ));
    }

    pub fn forget_alert(&mut self, unit: &str, target: &str, key: &str) {
        self.push(Statement::new(
            "delete from alert where unit = $1 and target = $2 and condition_key = $3",
            args![unit, target, key],
        ));
    }

    pub fn add_alert_message(&mut self, unit: &str, message: &AlertMessage) {
        let parcel = serde_json::to_string(&message.parcel).expect("plain data with text keys");
        self.push(Statement::new(
            "insert into alert_message (id, unit, target, parcel, state, attempts, next_at, made_at, changed_at) \
             values ($1, $2, $3, $4, 'waiting', 0, $5, $6, $7) on conflict (id) do nothing",
            args![
                &message.id,
                unit,
                &message.target,
                parcel,
                message.made_at,
                message.made_at,
                message.made_at
            ],
        ));
    }

    pub fn alert_message_sent(&mut self, id: &str, at: i64) {
        self.push(Statement::new(
            "update alert_message set state = 'sent', attempts = attempts + 1, error = null, changed_at = $1 where id = $2",
            args![at, id],
        ));
    }

    /// `next_at`: `None` gives it up.
    pub fn alert_message_failed(&mut self, id: &str, error: &str, next_at: Option<i64>, at: i64) {
        let state = if next_at.is_some() { "waiting" } else { "given_up" };
        self.push(Statement::new(
            "update alert_message set state = $1, attempts = attempts + 1, error = $2, next_at = $3, changed_at = $4 \
             where id = $5",
            args![state, error, next_at.unwrap_or(at), at, id],
        ));
    }

    /// Messages that came to their end before an instant, whatever the end.
    pub fn forget_alert_messages(&mut self, unit: &str, before: i64) {
        self.push(Statement::new(
            "delete from alert_message where unit = $1 and state <> 'waiting' and changed_at < $2",
            args![unit, before],
        ));
    }
}
