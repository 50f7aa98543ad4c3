use super::allowance::{self, Allowance, AllowanceSnapshot};
use super::answer;
use super::token::{Token, Tokens};
use super::{Error, Granted, KeyFields, Settings, SupplierAttributes};
use crate::redact::Redactor;
use reqwest::header::{ETAG, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A page of 1000 invoices with 200 lines each is below this.
const LONGEST_BODY: usize = 256 * 1024 * 1024;
const LONGEST_ERROR: usize = 256 * 1024;
const READ_ATTEMPTS: u32 = 5;
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// One company in Visma.net, seen through one client id. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub http: reqwest::Client,
    pub settings: Settings,
    pub tokens: Tokens,
    pub allowance: Arc<Allowance>,
    /// Every word of Visma's goes through it before it is told.
    pub redactor: Arc<Redactor>,
    headers: Vec<(HeaderName, HeaderValue)>,
    accepted_once: AtomicBool,
    reads: AtomicU64,
    pub writes: AtomicU64,
}

/// Requests that left since the client was made, attempts counted one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    pub reads: u64,
    pub writes: u64,
    pub token: u64,
}

pub(super) struct Answer<T> {
    pub body: T,
    pub etag: Option<String>,
}

enum Failed {
    /// A fresh token may help.
    Unauthorized(u64),
    /// The allowance knows how long to wait.
    Busy,
    Passing(Error),
    Final(Error),
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let http = crate::http::client()
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(Duration::from_secs(15))
            // Shorter than servers and proxies keep idle connections: a write must not leave on
            // one that is just being closed, or its outcome is unknown for nothing.
            .pool_idle_timeout(Duration::from_secs(15))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Settings(answer::chain(&error)))?;
        let mut headers = Vec::new();
        let tenant = settings.tenant_header.iter().map(|name| (name, settings.tenant_id.as_str()));
        let extra =
            settings.extra_headers.iter().map(|(name, value)| (name, value.expose_secret()));
        for (name, value) in tenant.chain(extra) {
            let (name, mut value) = HeaderName::try_from(name.as_str())
                .ok()
                .zip(HeaderValue::try_from(value).ok())
                .ok_or_else(|| Error::Settings(format!("`{name}` is not a usable header")))?;
            value.set_sensitive(true);
            headers.push((name, value));
        }
        let secrets = std::iter::once(&settings.client_secret).chain(&settings.previous_secret);
        let secrets = secrets.chain(settings.extra_headers.iter().map(|(_, value)| value));
        let redactor = Arc::new(Redactor::new(secrets.map(|secret| secret.expose_secret())));
        let inner = Inner {
            tokens: Tokens::new(&settings, Arc::clone(&redactor)),
            redactor,
            allowance: Allowance::of(&settings),
            accepted_once: AtomicBool::new(false),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            http,
            settings,
            headers,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Gets a token, or says what is wrong with the credentials. Proves nothing about the tenant:
    /// only a call to the API does.
    pub async fn sign_in(&self) -> Result<(), Error> {
        self.inner.tokens.current(&self.inner.http).await.map(drop)
    }

    /// What the latest token may do. Ask after [`Self::sign_in`].
    pub async fn granted(&self) -> Granted {
        self.inner.tokens.granted().await
    }

    pub fn calls(&self) -> Calls {
        Calls {
            reads: self.inner.reads.load(Ordering::Relaxed),
            writes: self.inner.writes.load(Ordering::Relaxed),
            token: self.inner.tokens.calls(),
        }
    }

    pub fn allowance(&self) -> AllowanceSnapshot {
        self.inner.allowance.snapshot()
    }

    pub fn page_size(&self) -> u32 {
        self.inner.settings.page_size
    }

    /// Least time between two calls in the long run.
    pub fn min_interval(&self) -> Duration {
        self.inner.settings.min_interval
    }

    pub fn key_fields(&self) -> KeyFields {
        self.inner.settings.key_fields
    }

    pub fn supplier_attributes(&self) -> &SupplierAttributes {
        &self.inner.settings.supplier_attributes
    }

    /// Reads one address, with retries. `path` starts with `/` and carries its query.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        let mut token = self.inner.tokens.current(&self.inner.http).await?;
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let error = match self.get_once(path, &token).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Unauthorized(_)) if renewed => return Err(self.inner.unauthorized()),
                Err(Failed::Unauthorized(generation)) => {
                    renewed = true;
                    token = self.inner.tokens.after(&self.inner.http, generation).await?;
                    continue;
                }
                Err(Failed::Busy) => {
                    let resume_in =
                        self.inner.allowance.snapshot().paused_for.unwrap_or(FIRST_BACKOFF);
                    Error::Busy { resume_in }
                }
                Err(Failed::Passing(error)) => error,
            };
            if attempt == READ_ATTEMPTS {
                return Err(error);
            }
            // A 429 has set its own pause, which the next turn waits for.
            if !matches!(error, Error::Busy { .. }) {
                let pause = FIRST_BACKOFF * 2_u32.pow(attempt - 1);
                tokio::time::sleep(pause + allowance::jitter(pause)).await;
            }
            attempt += 1;
            token = self.inner.tokens.current(&self.inner.http).await?;
        }
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &Token,
    ) -> Result<Answer<T>, Failed> {
        let inner = &self.inner;
        let place = place(path);
        let patience = inner.settings.allowance_patience;
        let _permit = inner.allowance.for_read(patience).await.map_err(Failed::Final)?;
        inner.reads.fetch_add(1, Ordering::Relaxed);
        let url = format!("{}{path}", inner.settings.base_url.trim_end_matches('/'));
        let request =
            inner.dressed(inner.http.get(url), token).timeout(inner.settings.read_timeout);
        let mut response = request.send().await.map_err(|error| {
            Failed::Passing(Error::Unreachable {
                path: place.clone(),
                reason: answer::chain(&error),
            })
        })?;
        let status = inner.observe(&response);
        if status != 200 {
            let body = answer::body(&mut response, LONGEST_ERROR).await.unwrap_or_default();
            let body = inner.redactor.scrub(body);
            return Err(refused(status, place, &body, token.generation));
        }
        inner.accepted_once.store(true, Ordering::Relaxed);
        let etag = answer::text(response.headers(), ETAG);
        let unreadable =
            |reason: String| Failed::Passing(Error::Unreadable { path: place.clone(), reason });
        let bytes = answer::body(&mut response, LONGEST_BODY)
            .await
            .map_err(|cut| unreadable(cut.to_string()))?;
        match serde_json::from_slice(&bytes) {
            Ok(body) => Ok(Answer { body, etag }),
            // An error told with a 200, or the start of a body that never ended.
            Err(error) => {
                let short = Some(bytes).filter(|bytes| bytes.len() <= LONGEST_ERROR);
                let told = short.map(|bytes| inner.redactor.scrub(bytes)).unwrap_or_default();
                let told = serde_json::from_slice::<Value>(&told).unwrap_or_default();
                let told = answer::stated_error(&told);
                Err(unreadable(told.unwrap_or_else(|| error.to_string())))
            }
        }
    }
}

impl Inner {
    /// Adds what every call carries.
    pub(super) fn dressed(&self, mut request: RequestBuilder, token: &Token) -> RequestBuilder {
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.bearer_auth(token.bearer.expose_secret()).header("accept", "application/json")
    }

    /// Learns from the headers of any answer, and gives its status.
    pub(super) fn observe(&self, response: &Response) -> u16 {
        let status = response.status().as_u16();
        self.allowance.learn(answer::told(status, response.headers()));
        status
    }

    /// What Visma says to be wrong with one row of a good answer.
    pub(super) fn row_fault(&self, row: &Value) -> Option<String> {
        let error = super::pager::text(row, "errorInfo")?;
        Some(answer::bounded(&self.redactor.scrub_text(error)))
    }

    pub(super) fn accepted(&self) {
        self.accepted_once.store(true, Ordering::Relaxed);
    }

    /// The second 401 in a row, the last one to a token just issued.
    pub(super) fn unauthorized(&self) -> Error {
        let tenant_id = self.settings.tenant_id.clone();
        if self.accepted_once.load(Ordering::Relaxed) {
            Error::AccessWithdrawn { tenant_id }
        } else {
            Error::WrongTenant { tenant_id }
        }
    }
}

/// The path for messages: without its query.
pub(super) fn place(path: &str) -> String {
    path.split('?').next().unwrap_or(path).to_owned()
}

fn refused(status: u16, path: String, body: &[u8], generation: u64) -> Failed {
    let message = answer::message(body);
    match status {
        401 => Failed::Unauthorized(generation),
        403 => Failed::Final(Error::Forbidden { path, message }),
        404 => Failed::Final(Error::NotFound { path }),
        429 => Failed::Busy,
        300..=399 => Failed::Final(Error::Redirected { path }),
        408 | 500.. => Failed::Passing(Error::Server { status, path, message }),
        400..=499 => Failed::Final(Error::Refused { status, path, message }),
        // 1xx and a 2xx that carries no rows.
        _ => Failed::Passing(Error::Unreadable {
            path,
            reason: format!("status {status} where 200 was due"),
        }),
    }
}

#[cfg(test)]
mod tests;
