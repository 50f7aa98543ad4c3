//! Fetches lists, documents and files from one JAGGAER instance, and tells it what became of a
//! document. What is read is tried again when that can help: with backoff, within bounds, at the
//! pace that the source bears.

mod pace;
mod pager;
mod probe;
mod report;
mod settings;
mod token;

pub use pager::{Page, Pager, Row};
pub use probe::Look;
pub use settings::{ClientAuth, Settings};

use super::address::{Base, form_encoded, percent_encoded};
use super::profile::{Feed, Place, Success, is_empty};
use super::read::{shown, text_of};
use super::{Error, Stamp};
use crate::procurement::AttachmentRef;
use crate::redact::Redactor;
use pace::Pacer;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, Response, Url};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use token::SignIn;
use tokio::time::sleep;

/// A `Retry-After` longer than this is told to the caller, not slept.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// A client of one JAGGAER instance. Clones share token, pace and counter.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base: Base,
    settings: Settings,
    headers: HeaderMap,
    sign_in: SignIn,
    pacer: Pacer,
    requests: AtomicU64,
}

/// One request of the API.
struct Ask<'a> {
    url: &'a Url,
    headers: &'a HeaderMap,
    method: Method,
    body: Option<&'a Value>,
    /// A read is tried again when that can help; whether a write is, its owner decides.
    is_write: bool,
}

impl<'a> Ask<'a> {
    /// A read with a body is sent by POST.
    fn read(url: &'a Url, headers: &'a HeaderMap, body: Option<&'a Value>) -> Self {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        Self { url, headers, method, body, is_write: false }
    }
}

/// One answer of the API, good or bad.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let base = Base::parse(&settings.base_url)?;
        let url = settings.token_url.clone().unwrap_or_else(|| base.token_url());
        if !Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(Error::Settings(format!("token URL `{url}` is not an address")));
        }
        let http = crate::http::client()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .build()
            .map_err(|error| Error::Settings(network_text(error)))?;
        let secrets = || std::iter::once(&settings.client_secret).chain(&settings.previous_secret);
        // As `Basic` sends them, with the id before them.
        let basic: Vec<String> = secrets()
            .map(|secret| form_encoded(secret.expose_secret()))
            .map(|secret| format!("{}:{secret}", form_encoded(&settings.client_id)))
            .collect();
        let kept = secrets().chain(settings.headers.iter().map(|(_, value)| value));
        let kept = kept.map(|secret| secret.expose_secret());
        let redactor = Arc::new(Redactor::new(kept.chain(basic.iter().map(String::as_str))));
        let sign_in = SignIn {
            url,
            client_id: settings.client_id.clone(),
            secrets: secrets().cloned().collect(),
            redactor,
            auth: settings.client_auth,
            scope: settings.scope.clone(),
            key_header: header_name(&settings.api_key_header)?,
            first_backoff: settings.first_backoff,
            state: tokio::sync::Mutex::default(),
        };
        let own = settings.headers.iter().map(|(name, value)| (name, value.expose_secret()));
        let headers = header_map(own)?;
        let pacer = Pacer::new(settings.concurrent_requests, settings.requests_per_second);
        let requests = AtomicU64::new(0);
        let inner = Inner { http, base, settings, headers, sign_in, pacer, requests };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Requests sent so far, those for tokens among them.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Gets a token, if there is no good one yet.
    pub async fn sign_in(&self) -> Result<(), Error> {
        self.inner.sign_in.token(&self.inner.http, &self.inner.requests).await.map(drop)
    }

    /// Reads a list page by page: what changed since the watermark, or everything.
    pub fn pager(&self, feed: &Arc<Feed>, since: Option<&Stamp>) -> Pager {
        Pager::new(self.clone(), Arc::clone(feed), since)
    }

    /// The whole document of a row; the row itself where the list holds whole documents.
    pub async fn detail(&self, feed: &Feed, row: &Value) -> Result<Value, Error> {
        let Some(detail) = &feed.detail else { return Ok(row.clone()) };
        let mut path = detail.path.clone();
        for (name, field) in &detail.parts {
            let part = text_of(feed, row, field).ok_or_else(|| Error::WrongShape {
                path: detail.path.clone(),
                text: format!("the row carries no `{name}` at {}", field.rule.place_text()),
            })?;
            path = path.replace(&format!("{{{name}}}"), &percent_encoded(&part));
        }
        let url = with_query(self.inner.base.below(&path)?, &detail.query);
        let headers = header_map(feed.headers.iter().map(|(name, value)| (name, value.as_str())))?;
        let error_at = detail.error.as_ref().or(feed.error.as_ref());
        let ask = Ask::read(&url, &headers, None);
        let (body, _) = self.json(&ask, detail.success.as_ref(), error_at).await?;
        let whole = match &detail.take {
            None => body,
            Some(place) => {
                let found = place.nodes(&body).first().map(|node| (*node).clone());
                found.ok_or_else(|| Error::WrongShape {
                    path,
                    text: format!("the answer has nothing at {}", place.text()),
                })?
            }
        };
        Ok(match (&detail.under, row) {
            (Some(under), Value::Object(members)) => {
                let mut members = members.clone();
                members.insert(under.clone(), whole);
                Value::Object(members)
            }
            (Some(_), _) | (None, _) => whole,
        })
    }

    /// The bytes of a file that belongs to an invoice.
    pub async fn attachment(&self, file: &AttachmentRef) -> Result<Vec<u8>, Error> {
        let path = file.path.as_deref().ok_or_else(|| Error::WrongShape {
            path: "attachment".to_owned(),
            text: format!("the profile does not say where file `{}` stands", file.id),
        })?;
        let url = self.inner.base.below(path)?;
        let limit = self.inner.settings.largest_attachment;
        let anything = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]);
        let whole = |answer: Answer| Ok(answer.body);
        let ask = Ask::read(&url, &anything, None);
        self.call(&ask, limit, None, &whole).await
    }

    /// One page or document as JSON, with its headers.
    async fn json(
        &self,
        ask: &Ask<'_>,
        success: Option<&Success>,
        error_at: Option<&Place>,
    ) -> Result<(Value, HeaderMap), Error> {
        let path = ask.url.path();
        let parse = |answer: Answer| {
            let text = unicode(&answer.headers, &answer.body);
            let body: Value = serde_json::from_slice(&text).map_err(|error| {
                Error::BrokenAnswer { path: path.to_owned(), text: error.to_string() }
            })?;
            match success {
                Some(test) if !passes(test, &body) => {
                    let clean = self.inner.sign_in.redactor.scrub(text.into_owned());
                    let body = serde_json::from_slice(&clean).unwrap_or_default();
                    let text = failure_text(test, error_at, &body);
                    Err(Error::Failed { path: path.to_owned(), text })
                }
                Some(_) | None => Ok((body, answer.headers)),
            }
        };
        self.call(ask, self.inner.settings.largest_page, error_at, &parse).await
    }

    /// One call with everything that makes it dependable: token, pace, attempts, bounds.
    async fn call<T>(
        &self,
        ask: &Ask<'_>,
        limit: usize,
        error_at: Option<&Place>,
        parse: &(impl Fn(Answer) -> Result<T, Error> + Sync),
    ) -> Result<T, Error> {
        let inner = &self.inner;
        let mut attempt = 1;
        let mut fresh_token = false;
        let mut bad_json = 0;
        loop {
            let turn = inner.pacer.turn().await;
            let token = inner.sign_in.token(&inner.http, &inner.requests).await?;
            let answer = self.send(ask, &token, limit).await;
            drop(turn);
            let outcome = match answer {
                Ok(answer)
                    if inner.settings.token_expired_statuses.contains(&answer.status)
                        && !fresh_token =>
                {
                    fresh_token = true;
                    inner.sign_in.drop_token(&token).await;
                    continue;
                }
                Ok(answer) if (200..300).contains(&answer.status) => {
                    let parsed = parse(answer);
                    if matches!(parsed, Err(Error::BrokenAnswer { .. })) {
                        bad_json += 1;
                    }
                    parsed
                }
                Ok(mut answer) => {
                    answer.body = inner.sign_in.redactor.scrub(answer.body);
                    Err(refused(ask.url.path(), &answer, error_at))
                }
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let may_help = match &error {
                Error::Status { status, .. } => *status >= 500 || matches!(*status, 408 | 425),
                other => other.is_retryable(),
            };
            if ask.is_write || !may_help || attempt >= inner.settings.attempts || bad_json > 1 {
                return Err(error);
            }
            match &error {
                Error::Throttled { wait, .. } if *wait > LONGEST_WAIT => return Err(error),
                Error::Throttled { wait, .. } => inner.pacer.pause(*wait).await,
                _ => sleep(backoff(inner.settings.first_backoff, attempt)).await,
            }
            attempt += 1;
        }
    }

    async fn send(
        &self,
        ask: &Ask<'_>,
        token: &token::Token,
        limit: usize,
    ) -> Result<Answer, Error> {
        let inner = &self.inner;
        let path = ask.url.path();
        inner.requests.fetch_add(1, Ordering::Relaxed);
        let mut all =
            HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        for (name, value) in inner.headers.iter().chain(ask.headers) {
            all.insert(name.clone(), value.clone());
        }
        all.insert(token.header.clone(), token.value.clone());
        let mut request = inner.http.request(ask.method.clone(), ask.url.clone());
        if let Some(body) = ask.body {
            all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body.to_string());
        }
        let sent = request.headers(all).send().await;
        let answer = sent.map_err(|error| Error::NoAnswer {
            path: path.to_owned(),
            text: network_text(error),
        })?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = body_within(answer, limit, path).await?;
        Ok(Answer { status, headers, body })
    }
}

/// The body as UTF-8 without a byte-order mark. Old servers write Latin-1 and say so.
fn unicode<'b>(headers: &HeaderMap, body: &'b [u8]) -> Cow<'b, [u8]> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let charset = said.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let latin = charset.is_some_and(|of| {
        ["iso-8859-1", "latin1", "windows-1252"].iter().any(|known| of.eq_ignore_ascii_case(known))
    });
    if latin {
        return Cow::Owned(body.iter().copied().map(char::from).collect::<String>().into_bytes());
    }
    Cow::Borrowed(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

async fn body_within(mut answer: Response, limit: usize, path: &str) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return Err(Error::TooLarge { path: path.to_owned(), limit });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                let text = network_text(error);
                return Err(Error::NoAnswer { path: path.to_owned(), text });
            }
        }
    }
}

/// What a bad status means.
fn refused(path: &str, answer: &Answer, error_at: Option<&Place>) -> Error {
    let path = path.to_owned();
    let text = error_text(&answer.body, error_at);
    match answer.status {
        401 => Error::Unauthorised { path },
        403 => Error::Forbidden { path, text },
        404 => Error::NotFound { path },
        status @ 300..=399 => Error::Redirected { path, status },
        status @ (429 | 503) => match retry_after(&answer.headers) {
            Some(wait) => Error::Throttled { path, status, wait },
            None if status == 429 => {
                Error::Throttled { path, status, wait: Duration::from_secs(1) }
            }
            None => Error::Status { path, status, text },
        },
        status => Error::Status { path, status, text },
    }
}

/// What the answer says about its failure, cut short.
fn error_text(body: &[u8], error_at: Option<&Place>) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return "no explanation".to_owned();
    };
    let told = error_at.and_then(|place| place.nodes(&body).first().map(|node| shown(node)));
    let member = |name: &str| body.get(name).filter(|value| !is_empty(value)).map(shown);
    told.unwrap_or_else(|| {
        let known = ["code", "title", "detail", "message", "returnMessage", "error"];
        let found: Vec<String> = known.iter().filter_map(|name| member(name)).collect();
        if found.is_empty() { "no explanation".to_owned() } else { found.join(" ") }
    })
}

fn passes(test: &Success, body: &Value) -> bool {
    let nodes = test.at.nodes(body);
    !nodes.is_empty()
        && nodes.iter().all(|node| match node {
            Value::String(text) => test.is.iter().any(|accepted| accepted == text.trim()),
            Value::Number(number) => test.is.contains(&number.to_string()),
            Value::Bool(flag) => test.is.contains(&flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        })
}

fn failure_text(test: &Success, error_at: Option<&Place>, body: &Value) -> String {
    let code = test.at.nodes(body).first().map_or_else(|| "nothing".to_owned(), |n| shown(n));
    let told = error_at.and_then(|place| place.nodes(body).first().map(|node| shown(node)));
    format!("{} is {code}; {}", test.at.text(), told.unwrap_or_else(|| "no explanation".to_owned()))
}

/// Seconds, or an HTTP date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = at.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

/// Doubles with each attempt, and never in step with others.
fn backoff(first: Duration, attempt: u32) -> Duration {
    let doubled = first.saturating_mul(1 << attempt.saturating_sub(1).min(10));
    doubled.min(LONGEST_BACKOFF).mul_f64(0.5 + fastrand::f64())
}

/// Without the address, which may carry a customer's filter.
fn network_text(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn with_query(mut url: Url, query: &BTreeMap<String, String>) -> Url {
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

fn header_name(name: &str) -> Result<HeaderName, Error> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::Settings(format!("header `{name}` cannot be sent")))
}

fn header_map<'a>(
    headers: impl IntoIterator<Item = (&'a String, &'a str)>,
) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let header = header_name(name)?;
        let wrong = || Error::Settings(format!("header `{name}` cannot be sent"));
        if header == AUTHORIZATION {
            return Err(Error::Settings("`Authorization` carries the token only".to_owned()));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        map.insert(header, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests;
