//! Where Visma's webhooks come in. A delivery is checked, kept and answered; the poll that it asks for is the unit's
//! business. An address that is nobody's is answered like a path that is not there, and no answer, log or figure
//! carries an address.

use crate::clock;
use crate::config::Hook;
use crate::nudge::{Payload, RECEIVED};
use crate::store::{NudgeCount, NudgeRow, Store};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

/// A delivery is a few hundred bytes.
const LARGEST_BODY: usize = 256 * 1024;
/// Deliveries in hand; with their bodies they bound the memory.
const AT_A_TIME: usize = 32;
/// From the first byte of a delivery to its last, and for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The hash of an address's secret: it is looked up by that, so that how long it takes tells nothing of a secret.
type Address = [u8; 32];

/// By connection, list and outcome: how many deliveries, and when the last of them came.
type Counts = BTreeMap<(String, &'static str, &'static str), (i64, i64)>;

/// All places of this process where deliveries come in, and what became of them.
pub(super) struct Hooks {
    store: Store,
    places: RwLock<HashMap<Address, Arc<Hook>>>,
    counts: Mutex<Counts>,
    turns: Semaphore,
    /// Somebody has something to look at.
    pub rung: Notify,
}

fn address(secret: &str) -> Address {
    Sha256::digest(secret.as_bytes()).into()
}

impl Hooks {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            places: RwLock::default(),
            counts: Mutex::default(),
            turns: Semaphore::new(AT_A_TIME),
            rung: Notify::new(),
        }
    }

    /// The places of a configuration, in place of those before.
    pub fn open(&self, hooks: Vec<Hook>) {
        let mut places = HashMap::new();
        for hook in hooks.into_iter().map(Arc::new) {
            for secret in &hook.url_secrets {
                places.insert(address(secret.expose_secret()), Arc::clone(&hook));
            }
        }
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    fn place(&self, secret: &str) -> Option<Arc<Hook>> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        places.get(&address(secret)).cloned()
    }

    fn count(&self, connection: &str, poll: &'static str, outcome: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last_at) = counts.entry((connection.to_owned(), poll, outcome)).or_default();
        (*count, *last_at) = (*count + 1, clock::now());
    }

    /// Adds what was counted to what the store has. What it does not take is added next time.
    pub async fn keep_counts(&self) {
        let counts =
            std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        for ((connection, poll, outcome), (count, last_at)) in counts {
            let row = NudgeCount {
                connection: connection.clone(),
                poll: poll.to_owned(),
                outcome: outcome.to_owned(),
                count,
                last_at,
            };
            if let Err(error) = self.store.count_deliveries(&[row]).await {
                tracing::warn!(%error, "deliveries could not be counted; it is tried again");
                let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                let (known, at) = counts.entry((connection, poll, outcome)).or_default();
                (*known, *at) = (*known + count, last_at.max(*at));
            }
        }
    }

    /// One request to `/webhooks/...`.
    async fn take(
        &self,
        secret: &str,
        of: Option<&str>,
        request: Request<Body>,
    ) -> (StatusCode, &'static str) {
        let Some(hook) = self.place(secret) else {
            self.count("", "", "unknown_address");
            return NOT_THERE;
        };
        let connection = hook.connection.as_str();
        match *request.method() {
            Method::POST | Method::PUT => {}
            // Whoever has set it up looks whether it is reached.
            Method::GET | Method::HEAD => return (StatusCode::OK, "ready\n"),
            _ => return (StatusCode::METHOD_NOT_ALLOWED, ""),
        }
        let taken = timeout(PATIENCE, async {
            let turn = self.turns.acquire().await;
            let (parts, body) = request.into_parts();
            (turn, parts.headers, to_bytes(body, LARGEST_BODY).await)
        });
        let Ok((_turn, headers, body)) = taken.await else {
            self.count(connection, "", "too_slow");
            return (StatusCode::REQUEST_TIMEOUT, "");
        };
        let Ok(body) = body else {
            self.count(connection, "", "too_large");
            return (StatusCode::PAYLOAD_TOO_LARGE, "");
        };
        let value = |name: &str| header(&headers, name);
        let now = clock::now();
        let genuine = match hook.scheme.check(value, &body, now) {
            Ok(genuine) => genuine,
            Err(reason) => {
                self.count(connection, "", "refused");
                tracing::debug!(connection, %reason, "a delivery is refused");
                return (StatusCode::UNAUTHORIZED, "");
            }
        };
        // Answered as taken: it would only be sent again, and be as old.
        if genuine.is_stale {
            self.count(connection, "", "stale");
            return TAKEN;
        }
        let said = hook.entity_header.as_deref().and_then(value);
        let news = match hook.reader.read(&body, of.or(said.as_deref())) {
            Payload::News(news) => news,
            Payload::Other => {
                self.count(connection, "", "not_polled");
                return TAKEN;
            }
            Payload::Unreadable => {
                self.count(connection, "", "unreadable");
                return TAKEN;
            }
        };
        // An id is never used again; a body with its time is not either.
        let (delivery, again_before) = match (&genuine.id, &genuine.sent) {
            (Some(id), _) => (identity(&["id", id]), 0),
            (None, Some(sent)) => {
                (identity(&["sent", sent, of.unwrap_or_default(), &text(&body)]), 0)
            }
            (None, None) => {
                (identity(&["body", of.unwrap_or_default(), &text(&body)]), now - hook.repeat)
            }
        };
        for (n, news) in (0..).zip(news) {
            let row = NudgeRow {
                connection: connection.to_owned(),
                delivery: delivery.clone(),
                n,
                poll: news.poll,
                reference: news.reference,
                received_at: now,
            };
            match self.store.keep_nudge(&row, again_before).await {
                Ok(true) => self.count(connection, news.poll.name(), RECEIVED),
                Ok(false) => self.count(connection, news.poll.name(), "repeated"),
                Err(error) => {
                    tracing::warn!(connection, %error, "a delivery could not be kept");
                    return (StatusCode::SERVICE_UNAVAILABLE, "");
                }
            }
        }
        self.rung.notify_one();
        TAKEN
    }
}

const TAKEN: (StatusCode, &str) = (StatusCode::OK, "taken\n");
/// As axum answers what has no route.
const NOT_THERE: (StatusCode, &str) = (StatusCode::NOT_FOUND, "");

pub(super) async fn of_any(
    State(hooks): State<Arc<Hooks>>,
    Path(secret): Path<String>,
    request: Request<Body>,
) -> (StatusCode, &'static str) {
    hooks.take(&secret, None, request).await
}

pub(super) async fn of_one(
    State(hooks): State<Arc<Hooks>>,
    Path((secret, entity)): Path<(String, String)>,
    request: Request<Body>,
) -> (StatusCode, &'static str) {
    hooks.take(&secret, Some(&entity), request).await
}

/// All values of a header, with spaces between.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter();
    let texts: Vec<String> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

fn text(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn identity(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
