use super::{ClientAuth, backoff, network_text};
use crate::jaggaer::Error;
use crate::jaggaer::address::form_encoded;
use crate::redact::Redactor;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// Renewed this long before its end; a shorter token at half of its life.
const RENEW_BEFORE_END: Duration = Duration::from_secs(30);
/// Of a token whose answer does not say.
const ASSUMED_LIFE: Duration = Duration::from_secs(60);
/// A refusal is repeated to all who wait, so that a wrong secret does not lock the client.
const REFUSAL_HOLDS: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 4;
const LARGEST_ANSWER: usize = 1 << 20;

/// Where and as whom we sign in, and the token in use.
pub(super) struct SignIn {
    pub(super) url: String,
    pub(super) client_id: String,
    /// The one to try first, and the one before it if there is one.
    pub(super) secrets: Vec<SecretString>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) auth: ClientAuth,
    pub(super) scope: Option<String>,
    /// Of a key that needs no sign-in.
    pub(super) key_header: HeaderName,
    pub(super) first_backoff: Duration,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    token: Option<Token>,
    made: u64,
    /// Which of the secrets was taken last.
    secret: usize,
    refused: Option<(Instant, Error)>,
}

/// A token, or a key, as it goes into a header of each call.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderName,
    pub(super) value: HeaderValue,
    generation: u64,
    renew_at: Instant,
}

impl SignIn {
    /// The token in use, or a new one. The lock is held over the call, so there is never more
    /// than one in flight.
    pub(super) async fn token(
        &self,
        http: &reqwest::Client,
        requests: &AtomicU64,
    ) -> Result<Token, Error> {
        if self.auth == ClientAuth::ApiKey {
            return self.key(self.state.lock().await.secret);
        }
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && Instant::now() < token.renew_at
        {
            return Ok(token.clone());
        }
        if let Some((at, error)) = &state.refused
            && at.elapsed() < REFUSAL_HOLDS
        {
            return Err(error.clone());
        }
        let (mut attempt, mut tried, mut refusal) = (1, state.secret, None);
        let (bearer, life, asked_at) = loop {
            let asked_at = Instant::now();
            requests.fetch_add(1, Ordering::Relaxed);
            match self.ask(http, &self.secrets[tried]).await {
                Ok((bearer, life)) => break (bearer, life, asked_at),
                Err(error @ Error::SignInRefused { .. })
                    if refusal.is_none() && self.secrets.len() > 1 =>
                {
                    refusal = Some(error);
                    tried = 1 - tried;
                }
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    let wait = match &error {
                        Error::Throttled { wait, .. } => (*wait).min(Duration::from_secs(10)),
                        _ => backoff(self.first_backoff, attempt),
                    };
                    sleep(wait).await;
                    attempt += 1;
                }
                Err(error) => {
                    let error = refusal.unwrap_or(error);
                    if !error.is_retryable() {
                        state.refused = Some((Instant::now(), error.clone()));
                    }
                    return Err(error);
                }
            }
        };
        if refusal.is_some() {
            let which = if tried == 0 { "set last" } else { "before" };
            tracing::warn!(
                "jaggaer took only the client secret {which}, of the two that the vault has"
            );
            state.secret = tried;
        }
        let margin = if life > RENEW_BEFORE_END * 2 { RENEW_BEFORE_END } else { life / 2 };
        state.made += 1;
        let token = Token {
            header: AUTHORIZATION,
            value: bearer,
            generation: state.made,
            renew_at: asked_at + life - margin,
        };
        state.token = Some(token.clone());
        state.refused = None;
        Ok(token)
    }

    /// The secret itself, which is good until somebody changes it. Its generation says which one.
    fn key(&self, which: usize) -> Result<Token, Error> {
        let mut value =
            HeaderValue::from_str(self.secrets[which].expose_secret()).map_err(|_| {
                Error::Settings("the key (`client_secret`) cannot stand in a header".to_owned())
            })?;
        value.set_sensitive(true);
        let (header, generation) = (self.key_header.clone(), which as u64);
        Ok(Token { header, value, generation, renew_at: Instant::now() })
    }

    /// The API did not take this token; somebody else may have replaced it already.
    pub(super) async fn drop_token(&self, refused: &Token) {
        let mut state = self.state.lock().await;
        if self.auth == ClientAuth::ApiKey {
            if state.secret as u64 == refused.generation && self.secrets.len() > 1 {
                state.secret = 1 - state.secret;
            }
        } else if state.token.as_ref().is_some_and(|token| token.generation == refused.generation) {
            state.token = None;
        }
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        secret: &SecretString,
    ) -> Result<(HeaderValue, Duration), Error> {
        let mut form = vec![("grant_type", "client_credentials")];
        let mut request = http.post(&self.url).header(ACCEPT, "application/json");
        match self.auth {
            ClientAuth::Post => {
                form.push(("client_id", &self.client_id));
                form.push(("client_secret", secret.expose_secret()));
            }
            ClientAuth::Basic => {
                let secret = form_encoded(secret.expose_secret());
                request = request.basic_auth(form_encoded(&self.client_id), Some(secret));
            }
            ClientAuth::ApiKey => unreachable!("a key is not exchanged for a token"),
        }
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        let answer = request.form(&form).send().await.map_err(|error| {
            Error::SignInBroken(format!("no answer from the token URL: {}", network_text(error)))
        })?;
        let status = answer.status();
        let wait = super::retry_after(answer.headers());
        let body = super::body_within(answer, LARGEST_ANSWER, "sign-in").await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            let wait = wait.unwrap_or(Duration::from_secs(1));
            return Err(Error::Throttled { path: "sign-in".to_owned(), status: 429, wait });
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(Error::SignInBroken(format!("status {}", status.as_u16())));
        }
        if !status.is_success() {
            let body = self.redactor.scrub(body.unwrap_or_default());
            let body: Option<Value> = serde_json::from_slice(&body).ok();
            return Err(refusal(status.as_u16(), body.as_ref()));
        }
        let body: Option<Value> = body.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (token, life) = good_answer(body.as_ref())?;
        self.redactor.add_token(token);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Error::SignInBroken("the token cannot stand in a header".to_owned()))?;
        bearer.set_sensitive(true);
        Ok((bearer, life))
    }
}

/// The token, and how long it holds.
fn good_answer(body: Option<&Value>) -> Result<(&str, Duration), Error> {
    let broken = |text: &str| Error::SignInBroken(text.to_owned());
    let body = body.ok_or_else(|| broken("the answer was cut off or is not JSON"))?;
    let token = body.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| broken("the answer carries no `access_token`"))?;
    let seconds = match body.get("expires_in") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) | None => None,
    };
    let life = seconds.map_or(ASSUMED_LIFE, |seconds| Duration::from_secs(seconds.min(86_400)));
    Ok((token, life))
}

/// Only the short error code is kept: descriptions may repeat what was sent.
fn refusal(status: u16, body: Option<&Value>) -> Error {
    let code = body.and_then(|body| body.get("error")).and_then(Value::as_str).unwrap_or("no code");
    let code: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '-'))
        .take(60)
        .collect();
    let advice = match (status, code.as_str()) {
        (400, "invalid_scope") => "check `scope`: the client may not ask for it",
        (400, "unsupported_grant_type" | "unauthorized_client") => {
            "the client has no service account: client credentials must be allowed for it"
        }
        (400 | 401, _) => "check client id and secret, and whether they go in the form or as Basic",
        (404, _) => "check the token URL: there is no such realm or path",
        (300..=399, _) => "the token URL redirects, which is never followed: check it",
        _ => "check the token URL and the client's rights",
    };
    Error::SignInRefused { status, code, advice }
}
