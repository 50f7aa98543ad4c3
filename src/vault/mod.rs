//! Credentials in the store, readable only with a master key that is kept elsewhere.
//!
//! Each value has a data key of its own, and a named master key wraps that data key; see
//! [`envelope`](seal). So another master key is put in place by wrapping a few bytes anew, and the values stay as they
//! lie. A [`Vault`] is what one start has opened of it, in memory.

mod envelope;
mod error;
mod master_key;

pub use envelope::{MasterKey, Sealed, open, rewrap, seal};
pub use error::VaultError;
pub use master_key::KeyPlace;

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Longest name of a secret, in characters.
pub const LONGEST_NAME: usize = 100;
/// Most bytes of a secret, wherever it comes from: a wrong path must not be read whole.
pub const LONGEST_SECRET: u64 = 64 * 1024;

/// The values of one secret that may be used now.
#[derive(Clone)]
pub struct Live {
    /// The one set last.
    pub current: SecretString,
    /// The one before it, until it is retired: the other side may still know that one, or not know
    /// the new one yet.
    pub previous: Option<SecretString>,
}

impl Live {
    pub fn only(current: SecretString) -> Self {
        Self { current, previous: None }
    }

    /// The values, the one set last first.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// An opened vault. Cheap to clone; the default one is empty.
#[derive(Clone, Default)]
pub struct Vault {
    live: Arc<BTreeMap<String, Live>>,
}

impl Vault {
    /// The values that are not retired, in order of name and version.
    pub fn new(values: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        let mut live: BTreeMap<String, Live> = BTreeMap::new();
        for (name, value) in values {
            let previous = live.remove(&name).map(|before| before.current);
            live.insert(name, Live { current: value, previous });
        }
        Self { live: Arc::new(live) }
    }

    pub fn get(&self, name: &str) -> Option<&Live> {
        self.live.get(name)
    }
}

/// Only names: whoever prints a vault gets no value.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.live.keys()).finish()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("values", &self.all().count()).finish_non_exhaustive()
    }
}

/// Why a text is no name of a secret, if it is none.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err("a secret's name has 1 to 100 characters");
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return Err("a secret's name has no control characters, and no spaces around it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_value_set_last_is_current_and_nothing_is_printed() {
        let value = |text: &str| SecretString::from(text);
        let vault = Vault::new([
            ("a".into(), value("first-9f3c")),
            ("a".into(), value("second-9f3c")),
            ("b".into(), value("third-9f3c")),
        ]);
        let of = |name: &str| -> Vec<&str> {
            vault
                .get(name)
                .map_or_else(Vec::new, |live| live.all().map(|v| v.expose_secret()).collect())
        };
        assert_eq!(of("a"), ["second-9f3c", "first-9f3c"]);
        assert_eq!(of("b"), ["third-9f3c"]);
        assert_eq!(of("c"), Vec::<&str>::new());
        let shown = format!("{vault:?} {:?}", vault.get("a"));
        assert!(shown.contains("\"a\"") && !shown.contains("9f3c"), "{shown}");
    }

    #[test]
    fn names_are_checked() {
        for good in ["source/jaggaer", "company/nordlys-no", "Å b", &"x".repeat(LONGEST_NAME)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " a", "a\n", "a\u{7}b", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
