use super::{ConfigError, SecretRef};
use crate::vault::Vault;
use secrecy::SecretString;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What one extra header carries: a text that stands in the file, or a secret that is elsewhere.
#[derive(Clone)]
pub enum HeaderText {
    Here(String),
    Elsewhere(SecretRef),
}

/// A text may be a key that somebody wrote down after all.
impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(_) => f.write_str("..."),
            Self::Elsewhere(place) => place.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for HeaderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = HeaderText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or where a secret is")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HeaderText, E> {
                String::deserialize(StrDeserializer::new(text)).map(HeaderText::Here)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HeaderText, A::Error> {
                SecretRef::deserialize(MapAccessDeserializer::new(map)).map(HeaderText::Elsewhere)
            }
        }

        deserializer.deserialize_any(Text)
    }
}

/// The headers as they are sent.
pub(super) fn headers(
    headers: &BTreeMap<String, HeaderText>,
    of: &str,
    folder: &Path,
    vault: &Vault,
) -> Result<Vec<(String, SecretString)>, ConfigError> {
    let text = |name: &str, text: &HeaderText| match text {
        HeaderText::Here(text) => Ok(SecretString::from(text.as_str())),
        HeaderText::Elsewhere(place) => {
            place.resolve(&format!("header `{name}` of {of}"), folder, vault)
        }
    };
    headers.iter().map(|(name, value)| Ok((name.clone(), text(name, value)?))).collect()
}
