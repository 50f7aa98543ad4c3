use super::ConfigError;
use crate::vault::{LONGEST_SECRET, Live, Vault, check_name};
use secrecy::SecretString;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a secret is, never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `{ env = "NAME" }`
    Env(String),
    /// `{ file = "PATH" }`; one trailing line end is not part of the secret.
    File(PathBuf),
    /// `{ vault = "NAME" }`: in the store, put there by `secret set`.
    Vault(String),
}

const FORMS: &str = "{ vault = \"NAME\" }, { env = \"NAME\" } or { file = \"PATH\" }";

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reference)
    }
}

/// By hand, because a derived reader would quote a secret that somebody wrote into the file.
struct Reference;

impl<'de> Visitor<'de> for Reference {
    type Value = SecretRef;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(FORMS)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretRef, E> {
        Err(E::custom(format!("a secret is never written into the configuration: write {FORMS}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let wrong = || serde::de::Error::custom(format!("write {FORMS}"));
        let (key, value) = map.next_entry::<String, String>()?.ok_or_else(wrong)?;
        if map.next_key::<String>()?.is_some() {
            return Err(wrong());
        }
        match key.as_str() {
            "env" => Ok(SecretRef::Env(value)),
            "file" => Ok(SecretRef::File(PathBuf::from(value))),
            "vault" => match check_name(&value) {
                Ok(()) => Ok(SecretRef::Vault(value)),
                Err(fault) => Err(serde::de::Error::custom(fault)),
            },
            _ => Err(wrong()),
        }
    }
}

impl SecretRef {
    /// The value. `what` is for messages.
    pub fn resolve(
        &self,
        what: &str,
        folder: &Path,
        vault: &Vault,
    ) -> Result<SecretString, ConfigError> {
        self.resolve_live(what, folder, vault).map(|live| live.current)
    }

    /// The value, and the one before it where the vault still has it.
    pub fn resolve_live(
        &self,
        what: &str,
        folder: &Path,
        vault: &Vault,
    ) -> Result<Live, ConfigError> {
        let wrong = |reason: String| ConfigError::Secret { what: what.to_owned(), reason };
        let text = match self {
            Self::Vault(name) => {
                return vault.get(name).cloned().ok_or_else(|| {
                    wrong(format!(
                        "the vault has no `{name}`: type `ml-connector secret set '{name}'`"
                    ))
                });
            }
            Self::Env(name) => std::env::var(name)
                .map_err(|_| wrong(format!("the environment variable {name} is not set")))?,
            Self::File(path) => {
                let path = folder.join(path);
                let shown = path.display();
                let size = std::fs::metadata(&path)
                    .map_err(|error| wrong(format!("cannot read {shown}: {error}")))?
                    .len();
                if size > LONGEST_SECRET {
                    return Err(wrong(format!("{shown} is too large for a secret ({size} bytes)")));
                }
                std::fs::read_to_string(&path)
                    .map_err(|error| wrong(format!("cannot read {shown}: {error}")))?
            }
        };
        let text = Zeroizing::new(text);
        let trimmed = text.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        Ok(Live::only(SecretString::from(trimmed)))
    }
}
