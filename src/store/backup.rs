//! A copy of a file store, taken while others work on it, and read again to see that it is whole.
//!
//! PostgreSQL has its own tools for that, and better ones.

use super::open::{file_url, install_drivers, prepare};
use super::readers::Readers;
use super::{Dialect, Store, StoreError};
use sqlx::any::AnyConnectOptions;
use sqlx::{Any, AnyConnection, Connection};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::sync::mpsc;

/// What every SQLite database begins with.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "the store is PostgreSQL, which makes its own copies: \
         `pg_dump --format=custom --file=FILE` (docs/backup.md)"
    )]
    NotAFile,
    #[error("there is no store at {0} yet: nothing to copy")]
    NoStore(PathBuf),
    #[error("{0} is there already and is not written over: name another file")]
    Exists(PathBuf),
    #[error(
        "another backup is being written to {0}, or one was broken off; \
         if none is running, remove {0} and {0}.unfinished"
    )]
    Unfinished(PathBuf),
    #[error("cannot write {path}: {reason}")]
    Target { path: PathBuf, reason: std::io::Error },
    #[error("the store cannot be copied: {0}")]
    Copy(String),
    #[error("the copy is damaged: {0}; do not restore it, an older one is better")]
    Damaged(String),
    #[error("cannot read {path}: {reason}")]
    Unreadable { path: PathBuf, reason: std::io::Error },
    #[error("{0} is not a backup: it is no SQLite database")]
    Foreign(PathBuf),
    #[error("{0} is not a backup: a process has changes beside it ({0}-wal); it is a store in use")]
    InUse(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    pub documents: i64,
    pub revisions: i64,
    pub postings: i64,
    /// The newest migration of the store it was taken from.
    pub migration: i64,
}

/// A copy that stands beside its final name until it is [kept](Self::keep). Dropped before that, it
/// leaves nothing behind.
pub struct Backup {
    path: PathBuf,
    unfinished: PathBuf,
    is_kept: bool,
}

impl Backup {
    /// Copies the store as it is at one moment. Processes that write to it are not held up.
    ///
    /// The final name is claimed first, by an empty file of ours, so that of two backups to one name
    /// only one is made, on every file system.
    pub async fn take(store_url: &str, path: &Path) -> Result<Self, BackupError> {
        let rest = store_url.strip_prefix("sqlite:").ok_or(BackupError::NotAFile)?;
        let source = rest.strip_prefix("//").unwrap_or(rest);
        if !Path::new(source).exists() {
            return Err(BackupError::NoStore(source.into()));
        }
        let backup = Self::begin(path)?;
        let into = backup.unfinished.to_str().ok_or_else(|| BackupError::Target {
            path: path.to_owned(),
            reason: std::io::Error::other("the name is not UTF-8 text"),
        })?;
        let failed = |error: sqlx::Error| BackupError::Copy(error.to_string());
        install_drivers();
        let options = AnyConnectOptions::from_str(&file_url(source, "mode=rw")).map_err(failed)?;
        let mut connection = AnyConnection::connect_with(&options).await.map_err(failed)?;
        prepare(&mut connection, &["pragma busy_timeout = 30000"]).await.map_err(failed)?;
        sqlx::query::<Any>("vacuum into $1")
            .bind(into)
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        connection.close().await.map_err(failed)?;
        Ok(backup)
    }

    fn begin(path: &Path) -> Result<Self, BackupError> {
        let unfinished = PathBuf::from(format!("{}.unfinished", path.display()));
        create(path, path)?;
        if let Err(error) = create(&unfinished, path) {
            // The empty file is ours.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(Self { path: path.to_owned(), unfinished, is_kept: false })
    }

    /// The copy, to be looked at.
    pub fn copy(&self) -> &Path {
        &self.unfinished
    }

    /// Makes it durable under its name.
    pub fn keep(mut self) -> Result<(), BackupError> {
        let written = File::open(&self.unfinished)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.unfinished, &self.path));
        written.map_err(|reason| BackupError::Target { path: self.path.clone(), reason })?;
        self.is_kept = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Not every file system lets a folder be flushed.
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        if !self.is_kept {
            // Both are ours: they were made for this copy.
            let _ = std::fs::remove_file(&self.unfinished);
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A new, empty file that only we may read, for the backup to `path`.
fn create(file: &Path, path: &Path) -> Result<(), BackupError> {
    let made = File::options().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let has_content = std::fs::metadata(path).is_ok_and(|path| path.len() > 0);
            Err(if has_content { BackupError::Exists } else { BackupError::Unfinished }(
                path.into(),
            ))
        }
        Err(reason) => Err(BackupError::Target { path: file.to_owned(), reason }),
    }
}

impl Store {
    /// Opens a copy to look at it. It is not brought to this program's version, and nothing can be
    /// changed in it.
    pub async fn open_copy(path: &Path) -> Result<Self, BackupError> {
        let mut begin = [0; HEADER.len()];
        match File::open(path).and_then(|mut file| file.read_exact(&mut begin)) {
            Ok(()) if begin == *HEADER => {}
            Ok(()) => return Err(BackupError::Foreign(path.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(BackupError::Foreign(path.to_owned()));
            }
            Err(reason) => return Err(BackupError::Unreadable { path: path.to_owned(), reason }),
        }
        let wal = PathBuf::from(format!("{}-wal", path.display()));
        if std::fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
            return Err(BackupError::InUse(path.to_owned()));
        }
        install_drivers();
        let url = file_url(&path.display().to_string(), "mode=ro&immutable=1");
        let options = AnyConnectOptions::from_str(&url).map_err(|error| StoreError::Open {
            url: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let (writer, _) = mpsc::channel(1);
        let readers = Readers::new(options, Dialect::Sqlite, &["pragma query_only = on"]);
        Ok(Self { dialect: Dialect::Sqlite, readers, writer, lock_path: None })
    }

    /// What the database finds wrong with its own file; empty when nothing is.
    pub async fn damage(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>("pragma integrity_check")
            .fetch_all(&mut self.readers.take().await?)
            .await;
        match rows {
            Ok(rows) => Ok(rows.into_iter().map(|(row,)| row).filter(|row| row != "ok").collect()),
            // So damaged that it cannot be looked through.
            Err(sqlx::Error::Database(error)) => Ok(vec![error.message().to_owned()]),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let (documents, revisions, postings, migration) =
            sqlx::query_as::<Any, (i64, i64, i64, i64)>(
                "select (select count(*) from document), (select count(*) from revision), \
                 (select count(*) from posting), \
                 (select cast(coalesce(max(version), 0) as bigint) from _sqlx_migrations)",
            )
            .fetch_one(&mut self.readers.take().await?)
            .await?;
        Ok(Counts { documents, revisions, postings, migration })
    }
}
