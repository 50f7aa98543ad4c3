//! Carrying a message out. A message is sent until the receiver took it or all attempts are spent,
//! always under the same id: a receiver that sees an id twice drops the second.

mod email;
mod webhook;

pub use webhook::{check_webhook_secret, is_webhook_url};

use super::{Address, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Receivers are small services; one that needs longer is down.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent, as it is stored until it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// One line.
    pub title: String,
    pub text: String,
    /// The body of a webhook.
    pub payload: Value,
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Done,
    /// Worth another attempt.
    Failed(String),
    /// Another attempt would end the same.
    Refused(String),
}

/// Sends messages. One for the process.
pub struct Courier {
    http: reqwest::Client,
}

impl Courier {
    /// An error says that this machine's TLS cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let http = crate::http::client().timeout(PATIENCE).build()?;
        Ok(Self { http })
    }

    /// One attempt. `id` is the same for all attempts of one message; `now` is microseconds UTC.
    pub async fn deliver(&self, target: &Target, id: &str, parcel: &Parcel, now: i64) -> Delivery {
        match &target.address {
            Address::Webhook(webhook) => webhook::send(&self.http, webhook, id, parcel, now).await,
            Address::Email(email) => email::send(email, id, parcel, PATIENCE).await,
        }
    }
}

/// How long after the attempt of this number (1 is the first) the next one follows; `None`: it was the
/// last. In microseconds. The steps are those that Standard Webhooks recommends; together a bit more
/// than a day, so that a receiver may be down overnight.
pub fn next_try(attempts: i64) -> Option<i64> {
    const MINUTE: i64 = 60_000_000;
    const STEPS: [i64; 7] = [
        MINUTE / 12,
        5 * MINUTE,
        30 * MINUTE,
        2 * 60 * MINUTE,
        5 * 60 * MINUTE,
        10 * 60 * MINUTE,
        10 * 60 * MINUTE,
    ];
    let step = usize::try_from(attempts.checked_sub(1)?).ok()?;
    STEPS.get(step).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end_after_a_day() {
        let steps: Vec<i64> = (1..).map_while(next_try).collect();
        assert_eq!(steps.len(), 7);
        assert!(steps.iter().sum::<i64>() > 24 * 3_600_000_000);
        assert!(steps.is_sorted());
        assert_eq!(next_try(0), None);
    }
}
