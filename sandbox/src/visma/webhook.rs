//! Telling of changes: a POST for each event that was subscribed to, once, and never again by itself. It can be lost,
//! doubled, late, out of order, wrongly signed, or a copy of an old one.

use super::{Desk, Visma};
use crate::faults::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Old deliveries that may come again.
const REMEMBERED: usize = 50;
const PATIENCE: Duration = Duration::from_secs(10);

/// How deliveries are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    Nothing,
    /// Base64 of an HMAC-SHA256 over the body, in the header of this name.
    Header(String),
    /// By Standard Webhooks: id, time and body.
    Standard,
}

/// What was set up by hand in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `http://host:port/path`.
    pub url: String,
    pub signature: Signature,
    pub key: Vec<u8>,
}

/// A delivery as it is sent.
#[derive(Debug, Clone)]
struct Letter {
    headers: Vec<(String, String)>,
    body: String,
}

/// What was told, what is on its way, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct PostOffice {
    pub subscription: Option<Subscription>,
    outbox: Vec<(Letter, Duration)>,
    /// Waits until the next one has left.
    kept_back: Option<Letter>,
    sent: Vec<Letter>,
    answers: Vec<u16>,
    made: u64,
}

impl Desk<'_> {
    /// Something has changed.
    pub fn tell(&mut self, entity: &str, event: &str, identifier: &str) {
        let body = json!({
            "entity": entity,
            "event": event,
            "identifier": identifier,
            "tenantId": self.settings.tenants.company,
            "timestamp": format!("{}Z", super::reply::time(self.state.clock)),
        });
        self.post(&body);
    }

    /// A job that was to tell its end has come to it.
    pub fn tell_job(&mut self, id: &str, status: u16, host: &str) {
        let state = format!("http://{host}/v1/background/{id}");
        self.post(&json!({ "id": id, "statusCode": status, "stateLocation": state }));
    }

    fn post(&mut self, body: &Value) {
        let office = &mut self.state.post_office;
        let Some(subscription) = office.subscription.clone() else { return };
        office.made += 1;
        let genuine = !self.board.fires(Fault::WebhookWrongSignature);
        let letter = letter(&subscription, body, office.made, genuine);
        if self.board.fires(Fault::WebhookLost) {
            return;
        }
        if self.board.fires(Fault::WebhookOutOfOrder) && office.kept_back.is_none() {
            office.kept_back = Some(letter);
            return;
        }
        let late = self.board.fires(Fault::WebhookLate);
        let wait = self.board.settings().visible_after_milliseconds * u64::from(late);
        let doubled = self.board.fires(Fault::WebhookDoubled);
        let mut letters = vec![letter.clone(); 1 + usize::from(doubled)];
        letters.extend(office.kept_back.take());
        if self.board.fires(Fault::WebhookReplayed) {
            letters.extend(office.sent.first().cloned());
        }
        office.sent.push(letter);
        if office.sent.len() > REMEMBERED {
            office.sent.remove(0);
        }
        let wait = Duration::from_millis(wait);
        office.outbox.extend(letters.into_iter().map(|letter| (letter, wait)));
    }
}

impl Visma {
    /// From now on changes are told there; `None`: nowhere.
    pub fn subscribe(&self, subscription: Option<Subscription>) {
        self.lock().post_office.subscription = subscription;
    }

    /// Tells of a change that only the caller knows of: masters stand still in here.
    pub fn tell(self: &Arc<Self>, entity: &str, event: &str, identifier: &str) {
        self.with_desk(|desk| desk.tell(entity, event, identifier));
        self.send_letters();
    }

    /// What each delivery so far was answered; 0: nothing.
    pub fn deliveries(&self) -> Vec<u16> {
        self.lock().post_office.answers.clone()
    }

    /// Sends what waits, in its order. Does not wait for it.
    pub(crate) fn send_letters(self: &Arc<Self>) {
        let mut state = self.lock();
        let outbox = std::mem::take(&mut state.post_office.outbox);
        let Some(subscription) = state.post_office.subscription.clone() else { return };
        drop(state);
        if outbox.is_empty() {
            return;
        }
        let visma = Arc::clone(self);
        tokio::spawn(async move {
            for (letter, wait) in outbox {
                tokio::time::sleep(wait).await;
                let sent = tokio::time::timeout(PATIENCE, send(&subscription.url, &letter)).await;
                let answer = sent.ok().and_then(Result::ok).unwrap_or(0);
                visma.lock().post_office.answers.push(answer);
            }
        });
    }

    /// Every job comes to its end now, asked for or not.
    pub fn finish_jobs(self: &Arc<Self>) {
        self.with_desk(|desk| desk.run_jobs(true));
        self.send_letters();
    }

    /// Runs a job when its time has come, asked for or not.
    pub(crate) fn run_jobs_later(self: &Arc<Self>) {
        let visma = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(visma.settings.background_delay + Duration::from_millis(5)).await;
            visma.with_desk(|desk| desk.run_jobs(false));
            visma.send_letters();
        });
    }
}

fn letter(subscription: &Subscription, body: &Value, n: u64, genuine: bool) -> Letter {
    let body = body.to_string();
    let key: &[u8] = if genuine { &subscription.key } else { b"somebody else's" };
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let sign = |text: &str| STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let headers = match &subscription.signature {
        Signature::Nothing => Vec::new(),
        Signature::Header(name) => vec![(name.clone(), sign(&body))],
        Signature::Standard => {
            let (id, at) = (format!("msg_{n}"), jiff::Timestamp::now().as_second());
            let signature = sign(&format!("{id}.{at}.{body}"));
            vec![
                ("webhook-id".into(), id),
                ("webhook-timestamp".into(), at.to_string()),
                ("webhook-signature".into(), format!("v1,{signature}")),
            ]
        }
    };
    Letter { headers, body }
}

/// A POST by hand: the simulator has no client of its own. The status of the answer.
async fn send(url: &str, letter: &Letter) -> std::io::Result<u16> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).await?;
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n",
        letter.body.len()
    );
    for (name, value) in &letter.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{}", letter.body).as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    Ok(text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0))
}
