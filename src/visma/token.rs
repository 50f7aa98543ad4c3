use super::answer::{self, bounded};
use super::{Error, Settings};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
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
    client_secret: SecretString,
    tenant_id: String,
    scope: String,
    timeout: Duration,
    kept: Mutex<Kept>,
    calls: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    generation: u64,
    granted: Granted,
}

/// What the latest token may do, as far as it or its answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// `None`: neither says; then it is what was asked for (RFC 6749, 5.1).
    pub scopes: Option<Vec<String>>,
    pub lasts: Duration,
}

/// A bearer token, and which one it is.
#[derive(Clone)]
pub(super) struct Token {
    pub bearer: SecretString,
    pub generation: u64,
    good_until: Instant,
}

impl Tokens {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            url: settings.token_url.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            tenant_id: settings.tenant_id.clone(),
            scope: settings.scopes.join(" "),
            timeout: settings.read_timeout.min(Duration::from_secs(60)),
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
        let mut attempt = 1;
        let (bearer, granted, asked_at) = loop {
            match self.ask(http).await {
                Ok(answer) => break answer,
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    let pause = Duration::from_millis(200) * 2_u32.pow(attempt);
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        };
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

    async fn ask(&self, http: &reqwest::Client) -> Result<(SecretString, Granted, Instant), Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let path = || "the token endpoint".to_owned();
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
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
            // Nothing of a redirect or a refusal repeats the form, so its words may be shown.
            300..=399 => return Err(Error::Redirected { path: path() }),
            429 | 500.. => {
                let message = answer::message(&body.unwrap_or_default());
                return Err(Error::Server { status, path: path(), message });
            }
            _ => {
                let message = refusal(&body.unwrap_or_default());
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
        let lasts = life.map_or(UNSTATED_LIFE, |seconds| Duration::from_secs(seconds.min(86_400)));
        let scopes = scopes_of(&answer).or_else(|| scopes_of(&claims(bearer)?));
        Ok((SecretString::from(bearer), Granted { scopes, lasts }, asked_at))
    }
}

/// The `scope` of a token answer or of a token: words in one text, or a list.
fn scopes_of(from: &Value) -> Option<Vec<String>> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let scopes = match &from["scope"] {
        Value::String(text) => words(text),
        Value::Array(list) => list.iter().filter_map(Value::as_str).flat_map(words).collect(),
        _ => return None,
    };
    (!scopes.is_empty()).then_some(scopes)
}

/// What a token says about itself, if it is a JWT. Read only, never trusted: who may do what is
/// Visma's to say.
fn claims(token: &str) -> Option<Value> {
    let [_, payload, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refusal(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return answer::message(body) };
    match (value["error"].as_str(), value["error_description"].as_str()) {
        (Some(code), Some(words)) => bounded(&format!("{code}: {words}")),
        (Some(code), None) => bounded(code),
        (None, _) => answer::message(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_token_may_do_is_read_from_its_answer_or_from_itself() {
        let asked = |value: Value| scopes_of(&value);
        assert_eq!(asked(json!({"scope": "a b"})), Some(vec!["a".into(), "b".into()]));
        assert_eq!(asked(json!({"scope": ["a", "b"]})), Some(vec!["a".into(), "b".into()]));
        assert_eq!(asked(json!({"scope": ""})), None);
        assert_eq!(asked(json!({"token_type": "Bearer"})), None);

        let payload = URL_SAFE_NO_PAD.encode(r#"{"scope":["erp:read"],"exp":1}"#);
        let found = claims(&format!("e30.{payload}.c2ln")).expect("a JWT");
        assert_eq!(scopes_of(&found), Some(vec!["erp:read".into()]));
        for opaque in ["", "abc", "a.b.c", "e30.!!.x", "a.b.c.d"] {
            assert_eq!(claims(opaque), None, "{opaque}");
        }
    }
}
