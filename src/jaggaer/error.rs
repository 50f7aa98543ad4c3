use std::time::Duration;

/// What can go wrong between us and JAGGAER. No text carries a secret, a token or the body of a
/// token answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the connection's settings are wrong: {0}")]
    Settings(String),
    #[error("{path}: no answer: {text}")]
    NoAnswer { path: String, text: String },
    #[error("{path}: the answer was cut off or is not JSON: {text}")]
    BrokenAnswer { path: String, text: String },
    #[error("{path}: the answer is larger than {limit} bytes")]
    TooLarge { path: String, limit: usize },
    #[error("{path}: status {status}: {text}")]
    Status { path: String, status: u16, text: String },
    #[error("{path}: throttled (status {status}), try again in {} s", wait.as_secs())]
    Throttled { path: String, status: u16, wait: Duration },
    /// HTTP 200 with an error inside.
    #[error("{path}: status 200, but the answer says that it failed: {text}")]
    Failed { path: String, text: String },
    /// The token endpoint said no.
    #[error("sign-in refused (status {status}, {code}): {advice}")]
    SignInRefused { status: u16, code: String, advice: &'static str },
    #[error("sign-in did not work: {0}")]
    SignInBroken(String),
    #[error(
        "{path}: a fresh token was refused (401): check that this client id may use the API at this base URL"
    )]
    Unauthorised { path: String },
    #[error("{path}: forbidden (403): the client lacks a role in JAGGAER for this list; {text}")]
    Forbidden { path: String, text: String },
    #[error("{path}: not found (404): check the base URL and the profile's path")]
    NotFound { path: String },
    #[error(
        "{path}: redirected (status {status}), which is never followed: check the base URL (https, host)"
    )]
    Redirected { path: String, status: u16 },
    #[error("{path}: the answer does not have the profile's shape: {text}")]
    WrongShape { path: String, text: String },
    #[error("{path}: the list does not end: {text}")]
    Endless { path: String, text: String },
    #[error("{path}: the list changed while it was read, {times} times over")]
    Moved { path: String, times: u32 },
    #[error("`{0}` is not below the base URL")]
    ForeignAddress(String),
}

impl Error {
    /// The same call may work later without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoAnswer { .. }
            | Self::BrokenAnswer { .. }
            | Self::Throttled { .. }
            | Self::Failed { .. }
            | Self::SignInBroken(_)
            | Self::Moved { .. } => true,
            Self::Status { status, .. } => {
                *status >= 500 || matches!(*status, 408 | 409 | 410 | 425 | 429)
            }
            Self::Settings(_)
            | Self::TooLarge { .. }
            | Self::SignInRefused { .. }
            | Self::Unauthorised { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Redirected { .. }
            | Self::WrongShape { .. }
            | Self::Endless { .. }
            | Self::ForeignAddress(_) => false,
        }
    }

    /// Nothing changes until somebody changes the settings, the profile or a role.
    pub fn needs_person(&self) -> bool {
        !self.is_retryable()
    }
}
