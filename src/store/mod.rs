//! The store: SQLite in a file by default, PostgreSQL by URL; the same migrations and queries.
//!
//! Reads go through a few connections. Writes are [`Change`]s, carried out by the process's one
//! [`writer`], each under the epoch of an [`Owned`] unit, with its audit entries. No pool and no
//! connection leaves this folder.

mod alert;
mod alike;
mod audit;
mod backup;
mod billing;
mod change;
mod confirmation;
mod correction;
mod decision;
mod document;
mod document_change;
mod erp;
mod held;
mod hold_override;
mod inputs;
mod ledger;
mod link;
mod mapping;
mod metrics;
mod nudge;
mod open;
mod ownership;
mod posting;
mod readers;
mod reconciliation;
mod request;
mod retention;
mod round;
mod route;
mod secret;
mod serve;
mod supply;
mod trouble;
mod unit;
mod watermark;
mod worker;
mod writer;

pub use alert::{AlertMessage, AlertTrouble};
pub use alike::{Likeness, OwnInvoice, PaidInvoice};
pub use backup::{Backup, BackupError, Counts};
pub use billing::{ErpBilling, OwnBilled, OwnBilling};
pub(crate) use change::args;
pub use change::{Arg, Change, Statement};
pub use confirmation::{ConfirmationRow, ConfirmationState, Moved};
pub use correction::TakenBack;
pub use decision::{DecidedFrom, DecisionRow};
pub use document::{
    DocumentCount, DocumentFilter, DocumentRow, DocumentState, HoldRow, RevisionRow,
};
pub use document_change::{DocumentFacts, NewDocument};
pub use erp::{ErpKeyCount, ErpVersions};
pub use hold_override::OverrideRow;
pub use inputs::{Party, PartyVersion};
pub use ledger::{LedgerCheck, LedgerState, LedgerTarget};
pub use link::LinkRow;
pub use mapping::MappingVersion;
pub use metrics::Figures;
pub use nudge::{FoundCount, NudgeCount, NudgeKey, NudgeRow, WaitingNudges};
pub use ownership::{FileLock, Owned, OwnershipRow};
pub use posting::{OF_CREDIT, PostingRow, PostingState, Step};
pub use reconciliation::{Identities, ReconciliationRow, StandingRow};
pub use request::RequestRow;
pub use retention::{Due, Figure, Pruned, RetentionLimit, Texts};
pub use round::RoundRow;
pub use secret::SecretRow;
pub use serve::PauseRow;
pub use unit::{MemberKind, UnitMember};
pub use watermark::Watermark;
pub use worker::WorkerRow;

use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};

/// A connection to the store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    dialect: Dialect,
    readers: readers::Readers,
    writer: mpsc::Sender<writer::Job>,
    /// SQLite only: the file whose lock says that an owner is alive on this machine.
    lock_path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// SQLite takes the write lock at once: a transaction that reads first and writes later
    /// could otherwise fail in the middle.
    const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }
}

/// Why the store could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store `{url}`: {reason}")]
    Open { url: String, reason: String },
    #[error(
        "the store was written by a newer version of ml-connector (it has migration {found}, which this program, whose last is {known}, does not know): \
         use that version or restore a backup made before the upgrade"
    )]
    Newer { found: i64, known: i64 },
    #[error("the store could not be brought to this version: {0}")]
    Migration(String),
    #[error("`{0}` is no store: let store.url be sqlite:FILE or postgres://user@host/database")]
    Url(String),
    #[error("the store cannot be read: {0}")]
    Read(String),
    #[error("the store holds something this program cannot read: {0}")]
    Content(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Read(error.to_string())
    }
}

/// Why a change did not happen. Nothing of it is in the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    #[error("another process owns the unit now; this one changes nothing more")]
    LostOwnership,
    #[error("the change no longer fits what is stored: {0}")]
    Guard(&'static str),
    #[error("the transaction collided with another too often")]
    Collision,
    #[error("the store refused the change: {0}")]
    Database(String),
    #[error(
        "{0}; the connection to the database is lost, and whether the change was made is not known: \
         what it belongs to is looked at again when the unit is taken anew"
    )]
    LostConnection(String),
    #[error("the store is closed")]
    Closed,
}

/// PostgreSQL's code for a lock that did not come in time.
pub(crate) const LOCK_TIMEOUT: &str = "55P03";

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(|code| code.into_owned()));
        match code.as_deref() {
            Some("40001" | "40P01" | LOCK_TIMEOUT) => Self::Collision,
            _ => Self::Database(error.to_string()),
        }
    }
}

impl Store {
    /// Carries out one change: all of it is durable when this returns `Ok`.
    pub async fn commit(&self, owned: &Owned, change: Change) -> Result<(), CommitError> {
        let (done, answer) = oneshot::channel();
        let job = writer::Job { owned: owned.clone(), change, done };
        self.writer.send(job).await.map_err(|_| CommitError::Closed)?;
        answer.await.map_err(|_| CommitError::Closed)?
    }

    /// Whether the store is a file on this machine.
    pub fn is_file(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}
