use super::answer::{self, bounded};
use super::{Error, Granted, Settings};
use crate::redact::Redactor;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const LONGEST_ANSWER: usize = 256 * 1024;
const ATTEMPTS: u32 = 4;
/// A token answer that does not say how long it holds.
const UNSTATED_LIFE: Duration = Duration::from_secs(300);

/// The sign-in: one token, kept until shortly before it ends, fetched by one caller at a time.
pub(super) struct Tokens {
    url: String,
    client_id: String,
    /// The one to try first, and the one before it if there is one.
    secrets: Vec<SecretString>,
    tenant_id: String,
    scope: String,
    timeout: Duration,
    redactor: Arc<Redactor>,
    kept: Mutex<Kept>,
    calls: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    generation: u64,
    granted: Granted,
    /// Which of the secrets was taken last.
    secret: usize,
}

/// A bearer token, and which one it is.
#[derive(Clone)]
pub(super) struct Token {
    pub bearer: SecretString,
    pub generation: u64,
    good_until: Instant,
}

impl Tokens {
    pub(super) fn new(settings: &Settings, redactor: Arc<Redactor>) -> Self {
        Self {
            url: settings.token_url.clone(),
            client_id: settings.client_id.clone(),
            secrets: std::iter::once(&settings.client_secret)
                .chain(&settings.previous_secret)
                .cloned()
                .collect(),
            tenant_id: settings.tenant_id.clone(),
            scope: settings.scopes.join(" "),
            timeout: settings.read_timeout.min(Duration::from_secs(60)),
            redactor,
            kept: Mutex::default(),
            calls: AtomicU64::new(0),
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) async fn granted(&self) -> Granted {
        self.kept.lock().await.granted.clone()
    }

    /// The kept token, or a new one when it is about to end.
    pub(super) async fn current(&self, http: &reqwest::Client) -> Result<Token, Error> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.token.as_ref().filter(|token| token.good_until > Instant::now()) {
            return Ok(token.clone());
        }
        self.renew(http, &mut kept).await
    }

    /// A token newer than the one that was refused. Whoever comes second takes the first one's.
    pub(super) async fn after(&self, http: &reqwest::Client, refused: u64) -> Result<Token, Error> {
        let mut kept = self.kept.lock().await;
        match &kept.token {
            Some(token) if token.generation > refused && token.good_until > Instant::now() => {
                Ok(token.clone())
            }
            Some(_) | None => self.renew(http, &mut kept).await,
        }
    }

    /// The caller holds the lock, so one request is in flight.
    async fn renew(&self, http: &reqwest::Client, kept: &mut Kept) -> Result<Token, Error> {
        kept.token = None;
        let (mut attempt, mut tried, mut refusal) = (1, kept.secret, None);
        let (bearer, granted, asked_at) = loop {
            match self.ask(http, &self.secrets[tried]).await {
                Ok(answer) => break answer,
                Err(error @ Error::SignIn { .. })
                    if refusal.is_none() && self.secrets.len() > 1 =>
                {
                    refusal = Some(error);
                    tried = 1 - tried;
                }
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    let pause = Duration::from_millis(200) * 2_u32.pow(attempt);
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
                    attempt += 1;
                }
                Err(error) => return Err(refusal.unwrap_or(error)),
            }
        };
        if refusal.is_some() {
            let which = if tried == 0 { "set last" } else { "before" };
            tracing::warn!(
                "visma took only the client secret {which}, of the two that the vault has"
            );
            kept.secret = tried;
        }
        self.redactor.add_token(bearer.expose_secret());
        let life = granted.lasts;
        kept.granted = granted;
        kept.generation += 1;
        // A tenth early, so that a token of seconds is kept for a while too.
        let margin = (life / 10).min(Duration::from_secs(60));
        let token =
            Token { bearer, generation: kept.generation, good_until: asked_at + life - margin };
        kept.token = Some(token.clone());
        Ok(token)
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        secret: &SecretString,
    ) -> Result<(SecretString, Granted, Instant), Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let path = || "the token endpoint".to_owned();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", secret.expose_secret()),
            ("tenant_id", self.tenant_id.as_str()),
        ];
        if !self.scope.is_empty() {
            form.push(("scope", self.scope.as_str()));
        }
        let asked_at = Instant::now();
        let mut response = http
            .post(&self.url)
            .header("accept", "application/json")
            .form(&form)
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| Error::Unreachable { path: path(), reason: answer::chain(&error) })?;
        let status = response.status().as_u16();
        let body = answer::body(&mut response, LONGEST_ANSWER).await;
        match status {
            200 => {}
            300..=399 => return Err(Error::Redirected { path: path() }),
            429 | 500.. => {
                let message = self.refusal(body.unwrap_or_default());
                return Err(Error::Server { status, path: path(), message });
            }
            _ => {
                let message = self.refusal(body.unwrap_or_default());
                return Err(Error::SignIn { status, message });
            }
        }
        let unreadable = |reason: String| Error::Unreadable { path: path(), reason };
        let body = body.map_err(|cut| unreadable(cut.to_string()))?;
        // No words of the body here: it may be most of a token.
        let answer: Value =
            serde_json::from_slice(&body).map_err(|_| unreadable("not JSON".to_owned()))?;
        let bearer = answer["access_token"]
            .as_str()
            .filter(|token| !token.is_empty())
            .ok_or_else(|| unreadable("no access_token".to_owned()))?;
        let life = match &answer["expires_in"] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let life = life.map_or(UNSTATED_LIFE, |seconds| Duration::from_secs(seconds.min(86_400)));
        let granted = Granted::of(&answer, bearer, life);
        Ok((SecretString::from(bearer), granted, asked_at))
    }

    /// Only what the standard says of a refusal: anything else may be most of a token, and even that may
    /// repeat what was sent.
    fn refusal(&self, body: Vec<u8>) -> String {
        let body = self.redactor.scrub(body);
        let value = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let words = |name: &str| value[name].as_str().filter(|words| !words.trim().is_empty());
        match (words("error"), words("error_description")) {
            (Some(code), Some(words)) => bounded(&format!("{code}: {words}")),
            (Some(words), None) | (None, Some(words)) => bounded(words),
            (None, None) => "no reason given".to_owned(),
        }
    }
}
