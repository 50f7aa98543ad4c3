use super::answer;
use super::gated::{Gate, GatedBody, Stopped};
use super::request::{Body, Method, Request, hex_digest};
use super::token::Token;
use super::{Client, Error};
use crate::redact::Redactor;
use bytes::Bytes;
use reqwest::header::{ETAG, HeaderMap, LOCATION};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LONGEST_ANSWER: usize = 1024 * 1024;
/// Once status and key are known, the rest is read only to keep the connection.
const COURTESY: Duration = Duration::from_millis(500);

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Done {
        /// The last part of `Location`: the number of what was created.
        location_key: Option<String>,
        etag: Option<String>,
    },
    /// Visma has taken it as a job and has told nothing of its end yet.
    Accepted { job: String },
    /// Provably nothing happened.
    NotSent { reason: String, retry_after: Option<Duration> },
    /// Visma has decided against it. Sending the same again will not help.
    Refused { status: u16, message: String },
    /// What was to be changed is no longer the version it was made for.
    Conflict { message: String },
    /// What was to be changed does not exist.
    NotFound { message: String },
    /// It may have been done. Only Visma's own documents can tell.
    Uncertain { reason: String },
}

impl Outcome {
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::Conflict { .. } => true,
            Self::Done { .. }
            | Self::Accepted { .. }
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Uncertain { .. } => false,
        }
    }

    pub const fn needs_person(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NotFound { .. } => true,
            Self::Done { .. }
            | Self::Accepted { .. }
            | Self::NotSent { .. }
            | Self::Conflict { .. }
            | Self::Uncertain { .. } => false,
        }
    }

    pub const fn outcome_unknown(&self) -> bool {
        match self {
            Self::Accepted { .. } | Self::Uncertain { .. } => true,
            Self::Done { .. }
            | Self::NotSent { .. }
            | Self::Refused { .. }
            | Self::Conflict { .. }
            | Self::NotFound { .. } => false,
        }
    }

    pub(super) fn not_sent(reason: impl ToString) -> Self {
        Self::NotSent { reason: reason.to_string(), retry_after: None }
    }

    pub(super) fn uncertain(reason: impl Into<String>) -> Self {
        Self::Uncertain { reason: reason.into() }
    }
}

/// The right to change what stands in Visma. A [`Client`] alone can only read: whoever is given none
/// of these cannot write, whatever it does.
#[derive(Clone)]
pub struct Sender {
    client: Client,
}

impl Sender {
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Sends one write once. The only thing tried a second time is a request that was answered
    /// 401, with a fresh token: that one was not carried out. `gate` is asked right before the
    /// request leaves, each time; when it says no, nothing leaves. Between its yes and the last
    /// byte lie at most the time to connect and to upload, so let it keep a margin.
    pub async fn send(&self, request: &Request, gate: Gate) -> Outcome {
        let inner = &self.client.inner;
        if let Body::File { sha256, bytes, .. } = &request.body
            && hex_digest(bytes) != *sha256
        {
            return Outcome::not_sent("the file's content has not been loaded");
        }
        let mut token = match inner.tokens.current(&inner.http).await {
            Ok(token) => token,
            Err(error) => return Outcome::not_sent(error),
        };
        for last in [false, true] {
            match self.attempt(request, &token, &gate).await {
                Ok(Unauthorized) => {}
                Err(outcome) => return outcome,
            }
            if last {
                break;
            }
            token = match inner.tokens.after(&inner.http, token.generation).await {
                Ok(token) => token,
                Err(error) => return Outcome::not_sent(error),
            };
        }
        Outcome::not_sent(inner.unauthorized())
    }

    /// `Err` is the end of it, whatever it is.
    async fn attempt(
        &self,
        request: &Request,
        token: &Token,
        gate: &Gate,
    ) -> Result<Unauthorized, Outcome> {
        let inner = &self.client.inner;
        let _permit = inner.allowance.for_write().await.map_err(|wait| Outcome::NotSent {
            reason: "visma's allowance of calls is used up or paused".to_owned(),
            retry_after: Some(wait),
        })?;
        let stopped = Arc::new(AtomicBool::new(false));
        let built = self.built(request, token, gate, &stopped).map_err(Outcome::not_sent)?;
        if !gate() {
            return Err(Outcome::not_sent("the right to write ran out before the request left"));
        }
        inner.writes.fetch_add(1, Ordering::Relaxed);
        let response = match built.send().await {
            Ok(response) => response,
            // No connection, so not one byte of the request has left.
            Err(error) if error.is_connect() || error.is_builder() => {
                return Err(Outcome::not_sent(Error::Unreachable {
                    path: request.path.clone(),
                    reason: answer::chain(&error),
                }));
            }
            Err(_) if stopped.load(Ordering::Acquire) => {
                return Err(Outcome::not_sent(Stopped));
            }
            Err(error) => {
                let reason = format!("no answer came: {}", answer::chain(&error));
                return Err(Outcome::uncertain(reason));
            }
        };
        // A list's own address is no key.
        let collection = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        match inner.observe(&response) {
            401 => return Ok(Unauthorized),
            200..=299 => inner.accepted(),
            _ => {}
        }
        let paused = inner.allowance.snapshot().paused_for;
        let outcome = told(request.is_action(), response, paused, &inner.redactor).await;
        Err(match outcome {
            Outcome::Done { location_key: Some(key), etag }
                if request.method == Method::Post && key.eq_ignore_ascii_case(&collection) =>
            {
                Outcome::Done { location_key: None, etag }
            }
            told => told,
        })
    }

    fn built(
        &self,
        request: &Request,
        token: &Token,
        gate: &Gate,
        stopped: &Arc<AtomicBool>,
    ) -> Result<RequestBuilder, String> {
        let inner = &self.client.inner;
        let url = format!("{}{}", inner.settings.base_url.trim_end_matches('/'), request.path);
        let builder = match request.method {
            Method::Post => inner.http.post(url),
            Method::Put => inner.http.put(url),
        };
        let mut builder = inner.dressed(builder, token).timeout(inner.settings.write_timeout);
        if let Some(version) = &request.if_match {
            builder = builder.header("if-match", version);
        }
        if request.background {
            builder = builder.header("erp-api-background", &inner.settings.background_reply);
        }
        Ok(match &request.body {
            Body::Empty => builder.header("content-length", "0"),
            Body::Json(text) => {
                let bytes = Bytes::from(text.clone().into_bytes());
                let body = GatedBody::new(bytes, Arc::clone(gate), Arc::clone(stopped));
                builder.header("content-type", "application/json").body(reqwest::Body::wrap(body))
            }
            Body::File { file_name, content_type, bytes, .. } => {
                let part = Part::bytes(bytes.clone())
                    .file_name(file_name.clone())
                    .mime_str(content_type)
                    .map_err(|_| format!("`{content_type}` is not a content type"))?;
                // Letters beyond ASCII go as they are, as every browser sends them.
                builder.multipart(Form::new().part("file", part).percent_encode_noop())
            }
        })
    }
}

/// Answered 401: not carried out, and worth a fresh token.
struct Unauthorized;

/// Reads an outcome off an answer. `pause`: what the allowance made of it.
async fn told(
    action: bool,
    mut response: Response,
    pause: Option<Duration>,
    redactor: &Redactor,
) -> Outcome {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let key = location_key(&headers);
    // With the key in hand nothing in the body can matter, and it may never end.
    if matches!(status, 200 | 201 | 203..=299) && key.is_some() && !action {
        let rest = answer::body(&mut response, LONGEST_ANSWER);
        let _ = tokio::time::timeout(COURTESY, rest).await;
        return done(key, &headers);
    }
    let body = match status {
        204 => Ok(Vec::new()),
        _ => answer::body(&mut response, LONGEST_ANSWER).await.map(|body| redactor.scrub(body)),
    };
    match status {
        202 => accepted(&headers, body),
        200..=299 => match body {
            Ok(body) => settled(action, key, &headers, &body),
            Err(cut) => Outcome::uncertain(format!("answered {status}, but the answer is {cut}")),
        },
        _ => refused(status, &body.unwrap_or_default(), pause),
    }
}

/// A status that is not a success. Shared with jobs, whose inner status means the same.
pub(super) fn refused(status: u16, body: &[u8], pause: Option<Duration>) -> Outcome {
    let message = answer::message(body);
    match status {
        401 => Outcome::not_sent(format!("visma answered 401: {message}")),
        404 => Outcome::NotFound { message },
        412 => Outcome::Conflict { message },
        429 => Outcome::NotSent {
            reason: format!("visma asks for a pause (429): {message}"),
            retry_after: pause,
        },
        // Sent by whoever stands in between, or by a server that gave up half way.
        408 | 499 => Outcome::uncertain(format!("answered {status}: {message}")),
        300..=399 => Outcome::Refused {
            status,
            message: "answered with a redirect, which is not followed; check base_url".to_owned(),
        },
        400..=499 => Outcome::Refused { status, message },
        _ => Outcome::uncertain(format!("answered {status}: {message}")),
    }
}

/// A success whose body has come in full.
pub(super) fn settled(
    action: bool,
    key: Option<String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        // Successes come with empty bodies, and with whatever a proxy thinks of.
        return if body.is_empty() || !action {
            done(key, headers)
        } else {
            Outcome::uncertain("the answer to the action cannot be read")
        };
    };
    let error = answer::stated_error(&value);
    match (action, value["actionResult"].as_str(), error) {
        (true, Some("Failed"), error) => Outcome::Refused {
            status: 200,
            message: error.unwrap_or_else(|| "the action failed, no reason given".to_owned()),
        },
        (true, _, Some(message)) => Outcome::Refused { status: 200, message },
        (true, Some(word @ ("Queued" | "InProcess")), None) => {
            Outcome::uncertain(format!("the action is not finished yet ({word})"))
        }
        (true, _, None) | (false, _, None) => done(key, headers),
        // A success that carries an error: whether it was done can only be looked up.
        (false, _, Some(message)) => {
            Outcome::uncertain(format!("answered with success and an error in it: {message}"))
        }
    }
}

fn accepted(headers: &HeaderMap, body: Result<Vec<u8>, answer::CutBody>) -> Outcome {
    let body = match body {
        Ok(body) => body,
        Err(cut) => return Outcome::uncertain(format!("taken as a job, but the answer is {cut}")),
    };
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let job = value["id"].as_str().map(str::to_owned).filter(|id| !id.trim().is_empty());
    let from_address = || value["stateLocation"].as_str().and_then(answer::last_segment);
    match job.or_else(from_address).or_else(|| location_key(headers)) {
        Some(job) => Outcome::Accepted { job },
        None => Outcome::uncertain("taken as a job, but its id was not told"),
    }
}

pub(super) fn done(location_key: Option<String>, headers: &HeaderMap) -> Outcome {
    Outcome::Done { location_key, etag: answer::text(headers, ETAG) }
}

fn location_key(headers: &HeaderMap) -> Option<String> {
    answer::text(headers, LOCATION).as_deref().and_then(answer::last_segment)
}

#[cfg(test)]
mod tests;
