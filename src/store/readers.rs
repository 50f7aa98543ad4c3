//! Connections that read.
//!
//! A file of this machine answers. A network may go silent without a word, and the system tells of that only after
//! many minutes: every question over one has its time, and a connection whose answer did not come is never used
//! again, nor are those that lay idle beside it.

use super::{Dialect, open};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use sqlx::any::{AnyConnectOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Connection, Either, Execute, Executor, SqlStr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Readers at the same time. Reads are short; more would only wait for the same disk.
const READERS: usize = 4;
/// For one of them to be free.
const TURN: Duration = Duration::from_secs(30);
/// For a sign of life.
const PING: Duration = Duration::from_secs(5);
/// For an answer, and for each further row of it. Far above what the slowest question or change takes, and above the
/// time that PostgreSQL lets any of them wait for a lock.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

type Step = Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>;

#[derive(Clone)]
pub(super) struct Readers(Arc<Kept>);

struct Kept {
    options: AnyConnectOptions,
    dialect: Dialect,
    settings: &'static [&'static str],
    idle: Mutex<Vec<AnyConnection>>,
    permits: Semaphore,
}

/// One connection until it is dropped.
pub(super) struct Reader<'a> {
    connection: Option<AnyConnection>,
    /// A question was put and its answer did not come to an end, or nobody waited for it.
    is_asking: bool,
    kept: &'a Kept,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    pub fn new(
        options: AnyConnectOptions,
        dialect: Dialect,
        settings: &'static [&'static str],
    ) -> Self {
        let (idle, permits) = (Mutex::default(), Semaphore::new(READERS));
        Self(Arc::new(Kept { options, dialect, settings, idle, permits }))
    }

    pub async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        let kept = &*self.0;
        let permit = in_time(kept.dialect, TURN, kept.permits.acquire())
            .await?
            .expect("the semaphore is never closed");
        let connection = match kept.living().await {
            Some(connection) => connection,
            None => open::connect(&kept.options, kept.dialect, kept.settings).await?,
        };
        Ok(Reader { connection: Some(connection), is_asking: false, kept, _permit: permit })
    }
}

impl Kept {
    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that lay idle and still works. A file's always does, and asking would be two of three trips to it.
    async fn living(&self) -> Option<AnyConnection> {
        loop {
            let mut connection = self.idle().pop()?;
            if self.dialect == Dialect::Sqlite {
                return Some(connection);
            }
            match in_time(self.dialect, PING, connection.ping()).await {
                Ok(Ok(())) => return Some(connection),
                Ok(Err(_)) => {}
                Err(_) => self.idle().clear(),
            }
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match self.kept.dialect {
            Dialect::Postgres if self.is_asking => self.kept.idle().clear(),
            Dialect::Sqlite | Dialect::Postgres => self.kept.idle().push(connection),
        }
    }
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl<'r> Reader<'r> {
    fn parts(&mut self) -> (&mut AnyConnection, &mut bool, Dialect) {
        let connection = self.connection.as_mut().expect("it is taken out only when it is dropped");
        (connection, &mut self.is_asking, self.kept.dialect)
    }
}

impl<'c, 'r: 'c> Executor<'c> for &'c mut Reader<'r> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (connection, is_asking, dialect) = self.parts();
        *is_asking = true;
        let answer = (connection.fetch_many(query), is_asking, false);
        Box::pin(stream::unfold(answer, move |(mut rows, is_asking, is_over)| async move {
            if is_over {
                return None;
            }
            match in_time(dialect, ANSWER, rows.next()).await {
                Ok(Some(step)) => Some((step, (rows, is_asking, false))),
                Ok(None) => {
                    *is_asking = false;
                    None
                }
                Err(error) => Some((Err(error), (rows, is_asking, true))),
            }
        }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (connection, is_asking, dialect) = self.parts();
        *is_asking = true;
        let answer = connection.fetch_optional(query);
        Box::pin(async move {
            let row = in_time(dialect, ANSWER, answer).await?;
            *is_asking = false;
            row
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.parts().0.prepare_with(sql, parameters)
    }
}

/// What a network does not bring in time is as good as lost.
pub(super) async fn in_time<T>(
    dialect: Dialect,
    time: Duration,
    asking: impl Future<Output = T>,
) -> Result<T, sqlx::Error> {
    match dialect {
        Dialect::Sqlite => Ok(asking.await),
        Dialect::Postgres => tokio::time::timeout(time, asking).await.map_err(|_| {
            let words = format!("no answer from the database in {} seconds", time.as_secs());
            sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, words))
        }),
    }
}
