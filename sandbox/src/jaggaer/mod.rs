//! JAGGAER over HTTP: Keycloak's token, the lists and single records of one profile, files,
//! and the status that is written back. Serves the documents of a world.

mod alternate_api;
mod alternate_form;
mod default_api;
mod default_form;
pub mod faults;
mod feed;
mod json;
mod observed_api;
mod observed_form;
mod offset;
mod reply;
mod service;
mod token;

#[cfg(test)]
mod tests;

pub use faults::{Board, Fault, Faults, Rate};

use crate::world::World;
use feed::Feeds;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Which layout of the API is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The assumed API: cursor paging, decimal strings.
    #[default]
    Default,
    /// The form seen in public samples: offset paging, numbers, a call for each document.
    Observed,
    /// An API by another hand, which a profile file alone must describe: sign-in on another host,
    /// headers of its own, minor units, local time, positions by a call of their own.
    Alternate,
}

impl Profile {
    /// As it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Observed => "observed",
            Self::Alternate => "alternate",
        }
    }

    /// Where the sign-in is, on whichever host.
    pub const fn token_path(self) -> &'static str {
        match self {
            Self::Default | Self::Observed => token::PATH,
            Self::Alternate => alternate_api::TOKEN_PATH,
        }
    }

    /// Whether the sign-in has a host of its own.
    pub const fn signs_in_elsewhere(self) -> bool {
        matches!(self, Self::Alternate)
    }
}

impl std::str::FromStr for Profile {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "default" => Ok(Self::Default),
            "observed" => Ok(Self::Observed),
            "alternate" => Ok(Self::Alternate),
            _ => Err(format!("unknown profile {word:?}: default, observed or alternate")),
        }
    }
}

/// How the simulated JAGGAER is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub profile: Profile,
    pub client_id: String,
    pub client_secret: String,
    pub token_seconds: u64,
    pub token_without_expiry: bool,
    /// Records a page where the caller does not say (observed: always).
    pub page_size: usize,
    /// Every answer waits so long, as over a real network.
    pub answer_after: Duration,
}

impl Settings {
    /// The set-up of the demonstration.
    pub fn defaults() -> Self {
        Self {
            profile: Profile::Default,
            client_id: "sandbox-jaggaer".into(),
            client_secret: "sandbox-jaggaer-secret".into(),
            token_seconds: 300,
            token_without_expiry: false,
            page_size: 100,
            answer_after: Duration::ZERO,
        }
    }
}

/// Requests received, by what they were for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub token: u64,
    pub list: u64,
    pub one: u64,
    pub attachment: u64,
    pub write: u64,
    /// Of all these so many were answered with an error status.
    pub refused: u64,
}

impl Calls {
    pub const fn total(&self) -> u64 {
        self.token + self.list + self.one + self.attachment + self.write
    }
}

/// What the connector told JAGGAER about a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusReport {
    /// `purchase-orders`, `invoices` or `vouchers`.
    pub entity: String,
    pub source_id: String,
    /// `erp-status`, `payment-status` or `payment`.
    pub about: String,
    pub body: serde_json::Value,
}

/// The simulator.
#[derive(Debug)]
pub struct Jaggaer {
    settings: Settings,
    world: Arc<World>,
    board: Arc<Board>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tokens: HashMap<String, Instant>,
    tokens_given: u64,
    calls: Calls,
    feeds: Feeds,
    /// Rows that were pushed on by repeating the first one, in the list being paged.
    ghosts: HashMap<feed::List, usize>,
    reports: Vec<StatusReport>,
    /// Body and answer's status by idempotency key.
    answered: HashMap<String, (Vec<u8>, u16)>,
}

impl Jaggaer {
    pub fn new(settings: Settings, world: Arc<World>, board: Arc<Board>) -> Arc<Self> {
        let jaggaer = Self { settings, world, board, inner: Mutex::new(Inner::default()) };
        jaggaer.refresh(&mut jaggaer.lock());
        Arc::new(jaggaer)
    }

    /// Token endpoint, API and `/sandbox/faults`. Unknown paths are answered here too.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        axum::Router::new().fallback(service::handle).with_state(Arc::clone(self))
    }

    /// The sign-in alone, for a listener of its own.
    pub fn login_router(self: &Arc<Self>) -> axum::Router {
        axum::Router::new().fallback(service::sign_in).with_state(Arc::clone(self))
    }

    pub fn calls(&self) -> Calls {
        self.lock().calls
    }

    /// What was written back, in the order it came.
    pub fn status_reports(&self) -> Vec<StatusReport> {
        self.lock().reports.clone()
    }

    fn refresh(&self, inner: &mut Inner) {
        let faults = self.board.settings();
        inner.feeds.refresh(&self.world, self.settings.profile, &faults, self.board.generation());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
