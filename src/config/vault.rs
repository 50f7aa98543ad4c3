use super::ConfigError;
use crate::vault::KeyPlace;
use serde::Deserialize;
use std::path::PathBuf;

/// Which master keys open the store's vault, and where they are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultConfig {
    /// The master key that new values are put under. Left out: there is no vault.
    pub key: Option<String>,
    /// All that values may be under: while they move from one to another, both.
    pub master_key: Vec<MasterKeyConfig>,
}

/// One master key: its name, and one place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterKeyConfig {
    /// Kept beside each value: do not give it to another key later.
    pub name: String,
    #[serde(default)]
    pub file: Option<PathBuf>,
    #[serde(default)]
    pub env: Option<String>,
    #[serde(default)]
    pub command: Option<Vec<String>>,
}

impl MasterKeyConfig {
    pub fn place(&self) -> Result<KeyPlace, ConfigError> {
        match (&self.file, &self.env, &self.command) {
            (Some(path), None, None) => Ok(KeyPlace::File(path.clone())),
            (None, Some(name), None) => Ok(KeyPlace::Env(name.clone())),
            (None, None, Some(words)) if !words.is_empty() => Ok(KeyPlace::Command(words.clone())),
            _ => Err(ConfigError::Meaning(format!(
                "master key `{}`: say where it is with one of file, env and command",
                self.name
            ))),
        }
    }
}

impl VaultConfig {
    pub fn master_key(&self, name: &str) -> Option<&MasterKeyConfig> {
        self.master_key.iter().find(|key| key.name == name)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        super::unique("vault.master_key", self.master_key.iter().map(|key| key.name.as_str()))?;
        for key in &self.master_key {
            key.place()?;
        }
        match &self.key {
            Some(name) if self.master_key(name).is_none() => Err(ConfigError::Meaning(format!(
                "vault.key names the master key `{name}`, which is not there; there are: {}",
                super::list(self.master_key.iter().map(|key| key.name.as_str()))
            ))),
            None if !self.master_key.is_empty() => Err(ConfigError::Meaning(
                "[vault] names master keys, but not which of them new values are put under: add `key`".into(),
            )),
            Some(_) | None => Ok(()),
        }
    }
}
