use super::ConfigError;
use secrecy::SecretString;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where a secret is, never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// `{ env = "NAME" }`
    Env(String),
    /// `{ file = "PATH" }`; one trailing line end is not part of the secret.
    File(PathBuf),
}

/// No credential is longer; a wrong path must not be read whole.
const LONGEST: u64 = 64 * 1024;

impl SecretRef {
    /// `what` is for messages.
    pub fn resolve(&self, what: &str, folder: &Path) -> Result<SecretString, ConfigError> {
        let wrong = |reason: String| ConfigError::Secret { what: what.to_owned(), reason };
        let text = match self {
            Self::Env(name) => std::env::var(name)
                .map_err(|_| wrong(format!("the environment variable {name} is not set")))?,
            Self::File(path) => {
                let path = folder.join(path);
                let shown = path.display();
                let size = std::fs::metadata(&path)
                    .map_err(|error| wrong(format!("cannot read {shown}: {error}")))?
                    .len();
                if size > LONGEST {
                    return Err(wrong(format!("{shown} is too large for a secret ({size} bytes)")));
                }
                std::fs::read_to_string(&path)
                    .map_err(|error| wrong(format!("cannot read {shown}: {error}")))?
            }
        };
        let trimmed = text.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Err(wrong("it is empty".into()));
        }
        Ok(SecretString::from(trimmed))
    }
}
