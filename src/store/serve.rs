//! What processes that serve one store tell each other: what is stopped, when each flow
//! last ran, and what persons ask.

use super::{Change, Statement, Store, StoreError, args};
use crate::schedule::{Account, Flow, LastRun};
use sqlx::Any;
use std::collections::{BTreeMap, BTreeSet};

/// A connection that a person has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRow {
    pub connection: String,
    pub actor: String,
    pub reason: String,
    /// Microseconds UTC.
    pub since: i64,
}

impl Store {
    pub async fn pauses(&self) -> Result<Vec<PauseRow>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String, i64)>(
            "select connection, actor, reason, since from pause order by connection",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(connection, actor, reason, since)| PauseRow { connection, actor, reason, since })
            .collect())
    }

    /// Units of which a person has asked something that is not carried out yet.
    pub async fn units_asked(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select distinct unit from request where state = 'asked'",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(unit,)| unit).collect())
    }

    pub async fn flow_runs(&self, unit: &str) -> Result<BTreeMap<Flow, LastRun>, StoreError> {
        type Columns = (String, i64, Option<i64>, i64, i64, i64, i64, i64);
        let rows = sqlx::query_as::<Any, Columns>(
            "select flow, started_at, ended_at, failures, planned, run, folded, extra from flow_run where unit = $1",
        )
        .bind(unit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(flow, started_at, ended_at, failures, planned, run, folded, extra)| {
                let flow: Flow = flow.parse().map_err(StoreError::Content)?;
                let count = |n: i64| u64::try_from(n).unwrap_or(0);
                let last = LastRun {
                    started_at,
                    ended_at,
                    failures: u32::try_from(failures).unwrap_or(0),
                    account: Account {
                        planned: count(planned),
                        run: count(run),
                        folded: count(folded),
                        extra: count(extra),
                    },
                };
                Ok((flow, last))
            })
            .collect()
    }
}

impl Change {
    pub fn pause(&mut self, row: &PauseRow) {
        self.push(Statement::new(
            "insert into pause (connection, actor, reason, since) values ($1, $2, $3, $4) \
             on conflict (connection) do nothing",
            args![&row.connection, &row.actor, &row.reason, row.since],
        ));
    }

    pub fn resume(&mut self, connection: &str) {
        self.push(Statement::new("delete from pause where connection = $1", args![connection]));
    }

    pub fn keep_flow_run(&mut self, unit: &str, flow: Flow, last: &LastRun) {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let account = &last.account;
        self.push(Statement::new(
            "insert into flow_run (unit, flow, started_at, ended_at, failures, planned, run, folded, extra) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (unit, flow) do update set \
             started_at = excluded.started_at, ended_at = excluded.ended_at, failures = excluded.failures, \
             planned = excluded.planned, run = excluded.run, folded = excluded.folded, extra = excluded.extra",
            args![
                unit,
                flow.name(),
                last.started_at,
                last.ended_at,
                i64::from(last.failures),
                count(account.planned),
                count(account.run),
                count(account.folded),
                count(account.extra)
            ],
        ));
    }
}
