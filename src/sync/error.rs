use crate::store::{CommitError, StoreError};

/// Why a flow stopped. One connection's trouble never stops another.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("JAGGAER: {0}")]
    Jaggaer(#[from] crate::jaggaer::Error),
    #[error("Visma: {0}")]
    Visma(#[from] crate::visma::Error),
    #[error("cannot lock the store: {0}")]
    Lock(#[source] std::io::Error),
    #[error(
        "the unit is owned by {owner}, which is alive: wait for it to finish, or stop it and try again"
    )]
    OwnedElsewhere { owner: String },
    #[error(
        "the list {list} could not be read whole; nothing was moved, the next round reads it again"
    )]
    Incomplete { list: String },
    #[error("another process owns the unit now; this one stopped before changing anything more")]
    LostOwnership,
    #[error(
        "this process could not renew its right to write in time (a frozen machine, a slow database); \
         it changed nothing more: run it again"
    )]
    LeaseRanOut,
    #[error("stopped as asked")]
    Stopped,
    #[error("{0}")]
    Configuration(String),
    /// The vault is opened before anything is begun, so it is the configuration that is wrong.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    #[error("{0}")]
    Inner(String),
}

impl SyncError {
    /// Something about one document; the others go on.
    pub fn concerns_one_document(&self) -> bool {
        match self {
            Self::Commit(CommitError::Guard(_)) | Self::Inner(_) => true,
            Self::Store(_)
            | Self::Commit(_)
            | Self::Jaggaer(_)
            | Self::Visma(_)
            | Self::Lock(_)
            | Self::OwnedElsewhere { .. }
            | Self::Incomplete { .. }
            | Self::Configuration(_)
            | Self::Vault(_)
            | Self::LostOwnership
            | Self::LeaseRanOut
            | Self::Stopped => false,
        }
    }

    /// The unit is not ours any more, or the store is gone: no flow of it can go on.
    pub fn stops_the_unit(&self) -> bool {
        match self {
            Self::LostOwnership | Self::LeaseRanOut | Self::Stopped | Self::Store(_) => true,
            Self::Commit(error) => !matches!(error, CommitError::Guard(_)),
            Self::Jaggaer(_)
            | Self::Visma(_)
            | Self::Lock(_)
            | Self::OwnedElsewhere { .. }
            | Self::Incomplete { .. }
            | Self::Configuration(_)
            | Self::Vault(_)
            | Self::Inner(_) => false,
        }
    }
}
