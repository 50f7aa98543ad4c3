use super::readers::{Readers, in_time};
use super::{Dialect, Store, StoreError, trouble, writer};
use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, Connection, Executor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::mpsc;

static MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "spine", include_str!("../../migrations/0001_spine.sql")),
    (2, "evidence", include_str!("../../migrations/0002_evidence.sql")),
    (3, "vendor_links", include_str!("../../migrations/0003_vendor_links.sql")),
    (4, "mapping_version", include_str!("../../migrations/0004_mapping_version.sql")),
    (5, "history", include_str!("../../migrations/0005_history.sql")),
    (6, "holds", include_str!("../../migrations/0006_holds.sql")),
    (7, "ledger", include_str!("../../migrations/0007_ledger.sql")),
    (8, "vault", include_str!("../../migrations/0008_vault.sql")),
    (9, "routing", include_str!("../../migrations/0009_routing.sql")),
    (10, "serve", include_str!("../../migrations/0010_serve.sql")),
    (11, "nudges", include_str!("../../migrations/0011_nudges.sql")),
    (12, "corrections", include_str!("../../migrations/0012_corrections.sql")),
    (13, "reconciliation", include_str!("../../migrations/0013_reconciliation.sql")),
    (14, "alerts", include_str!("../../migrations/0014_alerts.sql")),
    (16, "confirmation", include_str!("../../migrations/0016_confirmation.sql")),
    (17, "retention", include_str!("../../migrations/0017_retention.sql")),
];

/// Two processes that start on a fresh store at once stop each other's migration.
const MIGRATION_RETRIES: u32 = 10;
/// A server that takes the connection and then says nothing is as good as away.
const CONNECT: Duration = Duration::from_secs(10);
/// Changes that may wait for the writer before callers wait too.
const QUEUE: usize = 1024;

impl Store {
    /// Opens the store and brings it to this program's version.
    ///
    /// `sqlite:FILE` (made when missing), `sqlite::memory:` is refused: it would forget.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        install_drivers();
        let (dialect, connect_url, lock_path) = parse(url)?;
        let shown = redacted(url);
        let file = lock_path.as_ref().map(|lock| lock.with_extension(""));
        let open_error = |error: sqlx::Error| StoreError::Open {
            url: shown.clone(),
            reason: trouble::in_words(&error, file.as_deref()),
        };
        let options = AnyConnectOptions::from_str(&connect_url).map_err(open_error)?;

        let mut attempts = 0;
        let connection = loop {
            let connecting = AnyConnection::connect_with(&options);
            let mut connection = in_time(dialect, CONNECT, connecting)
                .await
                .and_then(|connected| connected)
                .map_err(open_error)?;
            // Two that begin a fresh file at once: the change to the write-ahead log waits for no lock.
            let preparing = prepare(&mut connection, dialect.settings());
            let ready = match in_time(dialect, CONNECT, preparing).await.and_then(|done| done) {
                Ok(()) => migrate(&mut connection, file.as_deref()).await,
                Err(error) => Err(open_error(error)),
            };
            match ready {
                Ok(()) => break connection,
                Err(error @ StoreError::Newer { .. }) => return Err(error),
                Err(error) if attempts == MIGRATION_RETRIES => return Err(error),
                // Never again on this connection: where the commit itself failed (a full disk) its
                // transaction is still open, and the next attempt would take what it sees in there
                // for what is stored.
                Err(_) => connection.close_hard().await.map_err(open_error)?,
            }
            attempts += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        };

        let readers = Readers::new(options.clone(), dialect, dialect.settings());

        let (sender, queue) = mpsc::channel(QUEUE);
        let writer = writer::Writer {
            connection: Some(connection),
            options,
            dialect,
            heads: HashMap::new(),
        };
        start(writer.run(queue), dialect)?;
        Ok(Self { dialect, readers, writer: sender, lock_path })
    }
}

/// A connection that is ready for use.
pub(super) async fn connect(
    options: &AnyConnectOptions,
    dialect: Dialect,
    settings: &[&'static str],
) -> Result<AnyConnection, sqlx::Error> {
    let connecting = async {
        let mut connection = AnyConnection::connect_with(options).await?;
        prepare(&mut connection, settings).await?;
        Ok(connection)
    };
    in_time(dialect, CONNECT, connecting).await?
}

pub(super) fn install_drivers() {
    // Refused when they are installed already.
    let _ = sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]);
}

impl Store {
    /// Opens a store that another process may be working with, to look and no more: the database
    /// itself refuses every write, and nothing is migrated. `None`: there is none yet.
    pub async fn open_to_read(url: &str) -> Result<Option<Self>, StoreError> {
        install_drivers();
        let (dialect, connect_url, lock_path) = parse(url)?;
        let read_url = match dialect {
            Dialect::Sqlite => {
                if !lock_path.as_ref().is_some_and(|lock| lock.with_extension("").exists()) {
                    return Ok(None);
                }
                connect_url.replace("?mode=rwc", "?mode=ro")
            }
            Dialect::Postgres => {
                let joint = if connect_url.contains('?') { '&' } else { '?' };
                format!("{connect_url}{joint}options=-c%20default_transaction_read_only%3Don")
            }
        };
        let open_error =
            |error: sqlx::Error| StoreError::Open { url: redacted(url), reason: error.to_string() };
        let options = AnyConnectOptions::from_str(&read_url).map_err(open_error)?;
        let readers = Readers::new(options, dialect, dialect.settings());
        // Whether anybody answers is told here, in the words of a start.
        readers.take().await.map_err(open_error)?;
        // Nobody takes from this queue: a change is answered as by a store that is closed.
        let (writer, _) = mpsc::channel(1);
        Ok(Some(Self { dialect, readers, writer, lock_path }))
    }
}

/// The writer of a file runs on a thread of its own: it waits for the database's thread after
/// each statement, and two threads that only wake each other cost far less than a turn of the
/// whole runtime. Over a network the runtime is what waits.
fn start(
    writer: impl Future<Output = ()> + Send + 'static,
    dialect: Dialect,
) -> Result<(), StoreError> {
    match dialect {
        Dialect::Sqlite => {
            let runtime = tokio::runtime::Handle::current();
            std::thread::Builder::new()
                .name("store-writer".into())
                .spawn(move || runtime.block_on(writer))
                .map_err(|error| StoreError::Read(format!("no thread for the writer: {error}")))?;
        }
        Dialect::Postgres => drop(tokio::spawn(writer)),
    }
    Ok(())
}

fn parse(url: &str) -> Result<(Dialect, String, Option<PathBuf>), StoreError> {
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path.contains(":memory:") || path.contains('?') {
            return Err(StoreError::Url(url.to_owned()));
        }
        let lock = PathBuf::from(format!("{path}.lock"));
        Ok((Dialect::Sqlite, file_url(path, "mode=rwc"), Some(lock)))
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok((Dialect::Postgres, url.to_owned(), None))
    } else {
        Err(StoreError::Url(redacted(url)))
    }
}

/// The database's own URL of a file. What is in it is decoded once when it is read.
pub(super) fn file_url(path: &str, parameters: &str) -> String {
    format!("sqlite://{}?{parameters}", path.replace('%', "%25").replace('?', "%3F"))
}

/// A store URL may carry a password.
fn redacted(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://***@{}", &url[..scheme], &url[at + 1..])
        }
        _ => url.to_owned(),
    }
}

impl Dialect {
    /// What every connection to a store in use begins with.
    pub(super) const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                // First: the next one takes a lock already.
                "pragma busy_timeout = 30000",
                "pragma journal_mode = wal",
                // An acknowledged commit survives a power cut.
                "pragma synchronous = full",
                // The same pages are written again and again while a batch goes through: they meet
                // in a log of 16 MiB (its pages are 4 KiB) before they go into the file.
                "pragma wal_autocheckpoint = 4096",
                "pragma cache_size = -4096",
                "pragma foreign_keys = on",
            ],
            Self::Postgres => &[
                "set synchronous_commit = on",
                "set timezone = 'UTC'",
                // A process that is frozen in the middle of a transaction (a paused virtual machine,
                // a lost network) keeps its row locks; without an end to that nobody could take its
                // unit.
                "set idle_in_transaction_session_timeout = '10s'",
                // Who waits for such a lock looks up now and then, so that its own patience counts.
                "set lock_timeout = '2s'",
            ],
        }
    }
}

pub(super) async fn prepare(
    connection: &mut AnyConnection,
    settings: &[&'static str],
) -> Result<(), sqlx::Error> {
    for setting in settings {
        connection.execute(sqlx::query::<Any>(*setting)).await?;
    }
    Ok(())
}

/// Own bookkeeping table instead of a lock of the session kind, which PostgreSQL-compatible
/// distributed databases do not have. Two processes that start at once: the second one's insert
/// of the version fails, and it tries again.
async fn migrate(connection: &mut AnyConnection, file: Option<&Path>) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|(version, description, sql)| {
                sqlx::migrate::Migration::new(
                    *version,
                    (*description).into(),
                    sqlx::migrate::MigrationType::Simple,
                    sqlx::SqlStr::from_static(sql),
                    false,
                )
            })
            .collect(),
    );
    migrator.set_locking(false);
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        // Any that this program does not know: their numbers do not tell when they came.
        Err(MigrateError::VersionMissing(found)) => {
            let known = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
            Err(StoreError::Newer { found, known })
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(StoreError::Migration(trouble::in_words(&error, file)))
        }
        Err(error) => Err(StoreError::Migration(error.to_string())),
    }
}
