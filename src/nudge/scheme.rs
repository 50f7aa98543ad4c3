//! How a delivery proves who sent it.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// With or without its padding: both are met.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are; of keys only.
    Text,
    Base64,
    Hex,
}

impl Form {
    fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Base64 => BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok(),
            Self::Hex => {
                let digits: Option<Vec<u8>> =
                    text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
                let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
                Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
            }
        }
    }
}

/// What the signature is made over, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Body,
    Timestamp,
    Id,
}

impl Signed {
    /// From a text such as `{timestamp}.{body}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, after) = from.split_once('}').ok_or("a { is not closed")?;
            parts.push(match name {
                "body" => Part::Body,
                "timestamp" => Part::Timestamp,
                "id" => Part::Id,
                other => {
                    return Err(format!(
                        "`{{{other}}}` is none of {{body}}, {{timestamp}} and {{id}}"
                    ));
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        match parts.contains(&Part::Body) {
            true => Ok(Self(parts)),
            false => Err("{body} is not in it: anybody could sign that for another body".into()),
        }
    }

    pub fn has_timestamp(&self) -> bool {
        self.0.contains(&Part::Timestamp)
    }

    pub fn has_id(&self) -> bool {
        self.0.contains(&Part::Id)
    }
}

/// Where a delivery says when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub header: String,
    /// What stands before it where the header carries more, as `t=`.
    pub prefix: String,
    /// Microseconds that it may lie in the past or ahead.
    pub tolerance: i64,
}

/// What proves a delivery, with the keys.
#[derive(Debug)]
pub enum Signing {
    /// The URL alone.
    Nothing,
    /// The header carries a secret itself.
    Token,
    Hmac {
        form: Form,
        signed: Signed,
    },
}

/// A secret in the form in which it is compared: neither it nor a copy of it is kept.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Of a signature.
    pub fn signing(hash: Hash, form: Form, secret: &SecretString) -> Result<Self, &'static str> {
        let text = secret.expose_secret();
        let text = match form {
            // How Standard Webhooks writes keys.
            Form::Base64 => text.strip_prefix("whsec_").unwrap_or(text),
            Form::Text | Form::Hex => text,
        };
        let bytes = form.bytes(text).filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or("it is not written as `key_form` says")?;
        Ok(Self(hmac::Key::new(hash.algorithm(), &bytes)))
    }

    /// Of a token: two are the same when their tags under the token itself are.
    pub fn token(secret: &SecretString) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()))
    }

    fn is_token(&self, given: &str) -> bool {
        let theirs = hmac::Key::new(hmac::HMAC_SHA256, given.as_bytes());
        let tag = hmac::sign(&theirs, b"token");
        hmac::verify(&self.0, b"token", tag.as_ref()).is_ok()
    }
}

/// How the deliveries of one connection are checked.
#[derive(Debug)]
pub struct Scheme {
    pub signing: Signing,
    /// Any of them will do: each subscription has its own, and one may be in the middle of a change.
    pub keys: Vec<Key>,
    pub header: String,
    /// Stands before the signature, as `sha256=`.
    pub prefix: String,
    pub stamp: Option<Stamp>,
    pub id_header: Option<String>,
}

/// A delivery that is what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// Its own id.
    pub id: Option<String>,
    /// When it says that it was sent, as it says it.
    pub sent: Option<String>,
    /// It was sent so long ago, or lies so far ahead, that it may be a copy of one of long ago.
    pub is_stale: bool,
}

/// Why a delivery is turned away; words for a log, without anything of what it carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the header `{0}` is missing")]
    Missing(String),
    #[error("the header `{0}` is no time")]
    NoTime(String),
    #[error("the signature in the header `{0}` is not one of its keys'")]
    Signature(String),
    #[error("the token in the header `{0}` is another")]
    Token(String),
}

impl Scheme {
    /// `header` gives the value of a header by its name, several joined with spaces.
    pub fn check(
        &self,
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
        now: i64,
    ) -> Result<Genuine, Refused> {
        let told = |name: &str| header(name).ok_or_else(|| Refused::Missing(name.to_owned()));
        let id = self.id_header.as_deref().map(told).transpose()?;
        let sent = match &self.stamp {
            None => None,
            Some(stamp) => {
                let value = told(&stamp.header)?;
                let text = elements(&value, &stamp.prefix).next().map(str::to_owned);
                let at = text.as_deref().and_then(instant);
                Some(text.zip(at).ok_or_else(|| Refused::NoTime(stamp.header.clone()))?)
            }
        };
        match &self.signing {
            Signing::Nothing => {}
            Signing::Token => {
                let value = told(&self.header)?;
                let given = value.strip_prefix(&self.prefix).unwrap_or_default().trim();
                if !self.keys.iter().any(|key| key.is_token(given)) {
                    return Err(Refused::Token(self.header.clone()));
                }
            }
            Signing::Hmac { form, signed } => {
                let value = told(&self.header)?;
                let tags: Vec<Vec<u8>> =
                    elements(&value, &self.prefix).filter_map(|text| form.bytes(text)).collect();
                let sent = sent.as_ref().map_or("", |(text, _)| text);
                let message = signed.message(body, sent, id.as_deref().unwrap_or_default());
                let is_of =
                    |key: &Key| tags.iter().any(|tag| hmac::verify(&key.0, &message, tag).is_ok());
                if !self.keys.iter().any(is_of) {
                    return Err(Refused::Signature(self.header.clone()));
                }
            }
        }
        let is_stale = match (&self.stamp, &sent) {
            (Some(stamp), Some((_, at))) => now.saturating_sub(*at).abs() > stamp.tolerance,
            _ => false,
        };
        Ok(Genuine { id, sent: sent.map(|(text, _)| text), is_stale })
    }
}

impl Signed {
    fn message(&self, body: &[u8], timestamp: &str, id: &str) -> Vec<u8> {
        let mut message = Vec::with_capacity(body.len() + 64);
        for part in &self.0 {
            message.extend_from_slice(match part {
                Part::Text(text) => text.as_bytes(),
                Part::Body => body,
                Part::Timestamp => timestamp.as_bytes(),
                Part::Id => id.as_bytes(),
            });
        }
        message
    }
}

/// What a header may mean: all of it, or one of several that spaces or commas part; without the prefix, which it
/// must have. `v1,` of Standard Webhooks has a comma of its own.
fn elements<'a>(value: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let whole = std::iter::once(value.trim());
    let parts = value.split_whitespace().chain(value.split(',').map(str::trim));
    whole
        .chain(parts)
        .filter_map(move |text| text.strip_prefix(prefix))
        .filter(|text| !text.is_empty())
        .take(32)
}

/// Microseconds UTC of seconds, milliseconds or microseconds since 1970, or of RFC 3339.
fn instant(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            0..100_000_000_000 => number.checked_mul(1_000_000),
            100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000),
            100_000_000_000_000.. => Some(number),
            _ => None,
        };
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests;
