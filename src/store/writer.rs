//! The one writer of a process. Transactions wait in a queue and are committed in groups: one
//! durable commit serves everyone who waited for it.

use super::change::{Arg, Change, Statement};
use super::readers::{ANSWER, in_time};
use super::{CommitError, Dialect, Owned, open};
use crate::audit::{Entry, Head};
use crate::crash::CrashPoint;
use sqlx::any::AnyConnectOptions;
use sqlx::{Any, AnyConnection, Connection};
use std::collections::HashMap;
use std::sync::LazyLock;
use tokio::sync::{mpsc, oneshot};

/// Most transactions in one durable commit. Bounds how much is repeated when one of them fails.
const GROUP: usize = 256;
/// Times a group is tried again when the database says that it collided with another (40001).
const COLLISIONS: usize = 5;

/// Texts that insert so many entries at once, the largest first. A few sizes, so that each is
/// prepared once.
static AUDIT_INSERTS: LazyLock<[(usize, String); 3]> =
    LazyLock::new(|| [32, 8, 1].map(|rows| (rows, audit_insert(rows))));

fn audit_insert(rows: usize) -> String {
    let values: Vec<String> = (0..rows)
        .map(|row| {
            let places: Vec<String> = (1..=12).map(|n| format!("${}", row * 12 + n)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    format!(
        "insert into audit (unit, seq, at, actor, action, connection, document, from_state, to_state, \
         detail, previous_hash, hash) values {}",
        values.join(", ")
    )
}

pub(super) struct Job {
    pub owned: Owned,
    pub change: Change,
    pub done: oneshot::Sender<Result<(), CommitError>>,
}

pub(super) struct Writer {
    /// `None`: lost, and made anew for the next change.
    pub connection: Option<AnyConnection>,
    pub options: AnyConnectOptions,
    pub dialect: Dialect,
    /// Heads as this process knows them, by unit and epoch.
    pub heads: HashMap<String, (i64, Head)>,
}

impl Writer {
    pub async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(GROUP);
        while queue.recv_many(&mut jobs, GROUP).await > 0 {
            let group: Vec<Job> = std::mem::take(&mut jobs);
            self.commit_group(group).await;
        }
        // The queue is closed: nothing is pending, the connection can go.
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    async fn commit_group(&mut self, group: Vec<Job>) {
        let together: Vec<(&Owned, &Change)> =
            group.iter().map(|job| (&job.owned, &job.change)).collect();
        match self.commit(&together).await {
            Ok(()) => {
                for job in group {
                    // A caller that went away does not undo what is committed.
                    let _ = job.done.send(Ok(()));
                }
            }
            // What became of them is not known: none may be tried again here.
            Err(error) if group.len() == 1 || error.is_lost_connection() => {
                for job in group {
                    let _ = job.done.send(Err(error.clone()));
                }
            }
            Err(_) => {
                for job in group {
                    let result = self.commit(&[(&job.owned, &job.change)]).await;
                    let _ = job.done.send(result);
                }
            }
        }
    }

    async fn commit(&mut self, changes: &[(&Owned, &Change)]) -> Result<(), CommitError> {
        let mut collisions = 0;
        loop {
            self.connect().await?;
            let error = match in_time(self.dialect, ANSWER, self.attempt(changes)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(silence) => return Err(self.lose(changes, &silence)),
            };
            // They may have moved, or not: the next change reads them again.
            for (owned, _) in changes {
                self.heads.remove(&owned.unit);
            }
            if let Err(lost) = self.roll_back().await {
                return Err(self.lose(changes, &format!("{error}; {lost}")));
            }
            match error {
                CommitError::Collision if collisions < COLLISIONS => collisions += 1,
                other => return Err(other),
            }
        }
    }

    /// Not closed in words: whoever does not answer would not answer that either.
    fn lose(&mut self, changes: &[(&Owned, &Change)], why: &dyn std::fmt::Display) -> CommitError {
        for (owned, _) in changes {
            self.heads.remove(&owned.unit);
        }
        self.connection = None;
        CommitError::LostConnection(why.to_string())
    }

    async fn connect(&mut self) -> Result<(), CommitError> {
        if self.connection.is_none() {
            let connected =
                open::connect(&self.options, self.dialect, self.dialect.settings()).await;
            let lost = |error: sqlx::Error| CommitError::LostConnection(error.to_string());
            self.connection = Some(connected.map_err(lost)?);
        }
        Ok(())
    }

    /// Leaves the connection fit for the next transaction. After a failed statement this one is dead on PostgreSQL
    /// and open on SQLite; a rollback that finds none open is not a fault.
    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        let dialect = self.dialect;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        in_time(dialect, ANSWER, async {
            let _ = sqlx::query::<Any>("ROLLBACK").execute(&mut *connection).await;
            connection.ping().await
        })
        .await?
    }

    async fn attempt(&mut self, changes: &[(&Owned, &Change)]) -> Result<(), CommitError> {
        self.execute(&Statement::new(self.dialect.begin(), Vec::new())).await?;
        let mut units: Vec<(&Owned, Vec<&Entry>)> = Vec::new();
        for (owned, change) in changes {
            match units.iter_mut().find(|(known, _)| *known == *owned) {
                Some((_, entries)) => entries.extend(&change.entries),
                None => units.push((owned, change.entries.iter().collect())),
            }
        }
        for (owned, entries) in units {
            self.advance_head(owned, &entries).await?;
            CrashPoint::AuditHeadMoved.pass();
        }
        for (_, change) in changes {
            for statement in &change.statements {
                let rows = self.execute(statement).await?;
                if let Some(what) = statement.guard
                    && rows != 1
                {
                    return Err(CommitError::Guard(what));
                }
            }
        }
        self.execute(&Statement::new("COMMIT", Vec::new())).await?;
        CrashPoint::CommitDurable.pass();
        Ok(())
    }

    /// Checks the epoch and lengthens the unit's chain, in one row update.
    async fn advance_head(&mut self, owned: &Owned, entries: &[&Entry]) -> Result<(), CommitError> {
        let mut head = match self.heads.get(&owned.unit) {
            Some((epoch, head)) if *epoch == owned.epoch => head.clone(),
            _ => self.read_head(owned).await?,
        };
        let old_seq = head.seq;
        let mut links = Vec::with_capacity(entries.len());
        for entry in entries {
            let next = head.link(&owned.unit, entry);
            let previous = std::mem::replace(&mut head, next.clone());
            links.push((*entry, previous.hash, next));
        }
        // The epoch first: an owner of the past must touch nothing, not even to fail on it.
        let rows = self
            .execute(&Statement::new(
                "update ownership set head_seq = $1, head_hash = $2 \
                 where unit = $3 and owner = $4 and epoch = $5 and head_seq = $6",
                super::args![head.seq, &head.hash, &owned.unit, &owned.owner, owned.epoch, old_seq],
            ))
            .await?;
        if rows != 1 {
            return Err(CommitError::LostOwnership);
        }
        let mut rest = links.as_slice();
        while !rest.is_empty() {
            let (rows, sql) = AUDIT_INSERTS
                .iter()
                .find(|(rows, _)| *rows <= rest.len())
                .expect("one row always fits");
            let (now, later) = rest.split_at(*rows);
            let args = now.iter().flat_map(|(entry, previous, linked)| {
                super::args![
                    &owned.unit,
                    linked.seq,
                    entry.at,
                    &entry.actor,
                    &entry.action,
                    &entry.connection,
                    &entry.document,
                    &entry.from_state,
                    &entry.to_state,
                    &entry.detail,
                    previous,
                    &linked.hash
                ]
            });
            self.execute(&Statement::new(sql, args.collect())).await?;
            rest = later;
        }
        self.heads.insert(owned.unit.clone(), (owned.epoch, head));
        Ok(())
    }

    async fn read_head(&mut self, owned: &Owned) -> Result<Head, CommitError> {
        let row = sqlx::query_as::<Any, (i64, String)>(
            "select head_seq, head_hash from ownership where unit = $1 and owner = $2 and epoch = $3",
        )
        .bind(&owned.unit)
        .bind(&owned.owner)
        .bind(owned.epoch)
        .fetch_optional(self.connection.as_mut().ok_or(CommitError::Closed)?)
        .await?;
        let (seq, hash) = row.ok_or(CommitError::LostOwnership)?;
        Ok(Head { seq, hash })
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64, CommitError> {
        let mut query = sqlx::query::<Any>(statement.sql);
        for arg in &statement.args {
            query = match arg {
                Arg::Int(value) => query.bind(*value),
                Arg::Text(value) => query.bind(value.as_str()),
                Arg::NoInt => query.bind(Option::<i64>::None),
                Arg::NoText => query.bind(Option::<String>::None),
            };
        }
        let connection = self.connection.as_mut().ok_or(CommitError::Closed)?;
        Ok(query.execute(connection).await?.rows_affected())
    }
}
