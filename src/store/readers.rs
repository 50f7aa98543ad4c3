//! Connections that read.
//!
//! A pool asks each connection for a sign of life when it is taken and again when it is given
//! back. Over a network that finds a dead connection; for a file of this machine it would be two
//! of every three trips to the database, so those connections are kept here instead.

use super::open;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Readers at the same time. Reads are short; more would only wait for the same disk.
const READERS: u32 = 4;

#[derive(Clone)]
pub(super) enum Readers {
    Kept(Arc<Kept>),
    Pooled(AnyPool),
}

pub(super) struct Kept {
    options: AnyConnectOptions,
    settings: &'static [&'static str],
    idle: Mutex<Vec<AnyConnection>>,
    permits: Semaphore,
}

/// One connection until it is dropped.
pub(super) enum Reader<'a> {
    Kept { connection: Option<AnyConnection>, kept: &'a Kept, _permit: SemaphorePermit<'a> },
    Pooled(PoolConnection<Any>),
}

impl Readers {
    pub fn of_file(options: AnyConnectOptions, settings: &'static [&'static str]) -> Self {
        let permits = Semaphore::new(READERS as usize);
        Self::Kept(Arc::new(Kept { options, settings, idle: Mutex::default(), permits }))
    }

    pub async fn of_server(
        options: AnyConnectOptions,
        settings: &'static [&'static str],
    ) -> Result<Self, sqlx::Error> {
        let pool = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(move |connection, _| {
                Box::pin(async move { open::prepare(connection, settings).await })
            })
            .connect_with(options)
            .await?;
        Ok(Self::Pooled(pool))
    }

    pub async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        match self {
            Self::Kept(kept) => kept.take().await,
            Self::Pooled(pool) => Ok(Reader::Pooled(pool.acquire().await?)),
        }
    }
}

impl Kept {
    async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let mut connection = AnyConnection::connect_with(&self.options).await?;
                open::prepare(&mut connection, self.settings).await?;
                connection
            }
        };
        Ok(Reader::Kept { connection: Some(connection), kept: self, _permit: permit })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Reader<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Self::Kept { connection, .. } => {
                connection.as_ref().expect("it is taken out only when it is dropped")
            }
            Self::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Self::Kept { connection, .. } => {
                connection.as_mut().expect("it is taken out only when it is dropped")
            }
            Self::Pooled(connection) => connection,
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Self::Kept { connection, kept, .. } = self
            && let Some(connection) = connection.take()
        {
            kept.idle().push(connection);
        }
    }
}
