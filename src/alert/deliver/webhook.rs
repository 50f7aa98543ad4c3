//! A signed POST by Standard Webhooks (www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`
//! and `webhook-signature`, which is `v1,` and the base64 of an HMAC-SHA256 over
//! `id.timestamp.body`.

use super::{Delivery, Parcel};
use crate::alert::Webhook;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

const PREFIX: &str = "whsec_";

/// The standard asks for keys of 24 to 64 bytes.
pub fn check_webhook_secret(secret: &SecretString) -> Result<(), &'static str> {
    key(secret).map(|_| ())
}

/// Whether a message can be sent there.
pub fn is_webhook_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn key(secret: &SecretString) -> Result<hmac::Key, &'static str> {
    const WRONG: &str = "a webhook's secret is `whsec_` and the base64 of 24 to 64 random bytes";
    let text = secret.expose_secret();
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| WRONG)?;
    if !(24..=64).contains(&bytes.len()) {
        return Err(WRONG);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

pub(super) async fn send(
    http: &reqwest::Client,
    webhook: &Webhook,
    id: &str,
    parcel: &Parcel,
    now: i64,
) -> Delivery {
    let key = match key(&webhook.secret) {
        Ok(key) => key,
        Err(error) => return Delivery::Refused(error.to_owned()),
    };
    let body = parcel.payload.to_string();
    let timestamp = now / 1_000_000;
    let sent = http
        .post(&webhook.url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature(&key, id, timestamp, &body))
        .body(body)
        .send()
        .await;
    match sent {
        // Nothing of the answer but its status is looked at.
        Ok(answer) => match answer.status().as_u16() {
            200..=299 => Delivery::Done,
            410 => Delivery::Refused("the receiver says that it is gone for good (410)".into()),
            status @ 300..=399 => Delivery::Failed(format!(
                "the receiver redirects ({status}), which is never followed: put the new address into the configuration"
            )),
            status => Delivery::Failed(format!("the receiver answered {status}")),
        },
        // The address may carry a key of its own: it is not repeated.
        Err(error) => Delivery::Failed(chain(&error.without_url())),
    }
}

fn signature(key: &hmac::Key, id: &str, timestamp: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn the_signature_is_the_standards() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = key(&secret).expect("a good key");
        let signed = signature(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_weak_key_is_no_key() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64"] {
            assert!(check_webhook_secret(&SecretString::from(text)).is_err(), "{text}");
        }
    }
}
