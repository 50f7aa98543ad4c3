use std::time::Duration;

/// What can go wrong when Visma is asked. A write tells its fate by
/// [`Outcome`](super::Outcome) instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the settings for visma cannot be used: {0}")]
    Settings(String),
    #[error(
        "visma connect refused the sign-in ({status}): {message}; check the client id, the client \
         secret, and that the company's administrator has approved the application and its scopes"
    )]
    SignIn { status: u16, message: String },
    #[error(
        "visma answers 401 to a token it has just given: tenant id `{tenant_id}` is probably that \
         of the customer, not of the company; the right one stands in Visma Admin under Company, \
         Edit, Configuration, Tenant id"
    )]
    WrongTenant { tenant_id: String },
    #[error(
        "visma answers 401 to a fresh token for tenant id `{tenant_id}`, which worked before: \
         access has been withdrawn or is being changed; look in Visma Admin whether the \
         application is still approved for the company"
    )]
    AccessWithdrawn { tenant_id: String },
    #[error(
        "visma forbids {path} (403): {message}; the application lacks a scope or its user a role \
         for this"
    )]
    Forbidden { path: String, message: String },
    #[error("visma knows no {path} (404)")]
    NotFound { path: String },
    #[error("visma refused {path} ({status}): {message}")]
    Refused { status: u16, path: String, message: String },
    #[error(
        "visma's hourly allowance is low ({remaining} calls left, kept for writes); reads go on in \
         {} s",
        .resets_in.as_secs()
    )]
    AllowanceLow { remaining: u64, resets_in: Duration },
    #[error("visma asks for a pause of {} s (429)", .resume_in.as_secs())]
    Busy { resume_in: Duration },
    #[error("visma cannot be reached at {path}: {reason}")]
    Unreachable { path: String, reason: String },
    #[error("visma failed on {path} ({status}): {message}")]
    Server { status: u16, path: String, message: String },
    #[error("visma's answer to {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("visma answered {path} with a redirect, which is not followed; check base_url")]
    Redirected { path: String },
    #[error("the list {path} kept moving while it was read: {seen} of {expected} rows; read again")]
    Incomplete { path: String, seen: u64, expected: u64 },
}

impl Error {
    /// The same call may succeed later without anybody doing anything.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::AllowanceLow { .. }
            | Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::Server { .. }
            | Self::Unreadable { .. }
            | Self::AccessWithdrawn { .. }
            | Self::Incomplete { .. } => true,
            Self::Settings(_)
            | Self::SignIn { .. }
            | Self::WrongTenant { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Redirected { .. } => false,
        }
    }

    /// Nothing will change until a person changes a setting or a right.
    pub const fn needs_person(&self) -> bool {
        match self {
            Self::Settings(_)
            | Self::SignIn { .. }
            | Self::WrongTenant { .. }
            | Self::AccessWithdrawn { .. }
            | Self::Forbidden { .. }
            | Self::Refused { .. }
            | Self::Redirected { .. } => true,
            Self::NotFound { .. }
            | Self::AllowanceLow { .. }
            | Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::Server { .. }
            | Self::Unreadable { .. }
            | Self::Incomplete { .. } => false,
        }
    }

    /// Never: only reads and sign-ins fail with this type, and they change nothing.
    pub const fn outcome_unknown(&self) -> bool {
        false
    }
}
