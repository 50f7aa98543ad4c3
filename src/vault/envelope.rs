//! Sealing one value: XChaCha20-Poly1305 under a data key made for it, and the data key, sealed the
//! same way, under the master key. What names the row goes in as associated data, so that a row
//! copied over another, or given another version or key name, does not open.

use super::VaultError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A key that wraps data keys. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey {
    pub name: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl MasterKey {
    /// A new one, as the text that is kept: base64 of 32 random bytes.
    pub fn generate() -> Result<Zeroizing<String>, VaultError> {
        Ok(Zeroizing::new(BASE64_STANDARD.encode(*random::<KEY_BYTES>()?)))
    }

    /// From that text.
    pub fn parse(name: &str, text: &str) -> Result<Self, VaultError> {
        let decoded = BASE64_STANDARD.decode(text.trim()).map(Zeroizing::new);
        let bytes = decoded.ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(&bytes[..]).ok());
        bytes.map(|bytes| Self { name: name.to_owned(), bytes: Zeroizing::new(bytes) }).ok_or_else(|| {
            VaultError::Unreadable {
                key: name.to_owned(),
                reason: "it is not 32 bytes as base64, the form that `ml-connector secret new-key` prints".into(),
            }
        })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A value as the store keeps it: base64 of nonce and sealed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The master key that wraps the data key.
    pub key: String,
    pub wrapped_key: String,
    pub value: String,
}

/// Seals one version of a secret.
pub fn seal(
    name: &str,
    version: i64,
    value: &SecretString,
    master: &MasterKey,
) -> Result<Sealed, VaultError> {
    let data_key = random::<KEY_BYTES>()?;
    Ok(Sealed {
        key: master.name.clone(),
        wrapped_key: sealed(&master.bytes, &*data_key, &key_identity(name, version, &master.name))?,
        value: sealed(&data_key, value.expose_secret().as_bytes(), &value_identity(name, version))?,
    })
}

/// The value of a row. `None`: another master key, or the row is not as it was stored.
pub fn open(name: &str, version: i64, row: &Sealed, master: &MasterKey) -> Option<SecretString> {
    let data_key = data_key(name, version, row, master)?;
    let bytes = opened(&data_key, &row.value, &value_identity(name, version))?;
    std::str::from_utf8(&bytes).ok().map(SecretString::from)
}

/// The same row under another master key. The value is opened too, so that no damaged row passes as
/// a good one. `None`: as for [`open`].
pub fn rewrap(
    name: &str,
    version: i64,
    row: &Sealed,
    old: &MasterKey,
    new: &MasterKey,
) -> Result<Option<Sealed>, VaultError> {
    let (Some(data_key), Some(_)) =
        (data_key(name, version, row, old), open(name, version, row, old))
    else {
        return Ok(None);
    };
    Ok(Some(Sealed {
        key: new.name.clone(),
        wrapped_key: sealed(&new.bytes, &*data_key, &key_identity(name, version, &new.name))?,
        value: row.value.clone(),
    }))
}

fn data_key(
    name: &str,
    version: i64,
    row: &Sealed,
    master: &MasterKey,
) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = opened(&master.bytes, &row.wrapped_key, &key_identity(name, version, &row.key))?;
    <[u8; KEY_BYTES]>::try_from(&bytes[..]).ok().map(Zeroizing::new)
}

fn key_identity(name: &str, version: i64, key: &str) -> Vec<u8> {
    identity(&["ml-connector vault key 1", name, &version.to_string(), key])
}

fn value_identity(name: &str, version: i64) -> Vec<u8> {
    identity(&["ml-connector vault value 1", name, &version.to_string()])
}

/// Each field after its length, so that no two rows have the same bytes.
fn identity(fields: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend(field.as_bytes());
    }
    bytes
}

fn sealed(key: &[u8; KEY_BYTES], plain: &[u8], aad: &[u8]) -> Result<String, VaultError> {
    let nonce = random::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let sealed = cipher
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad })
        .expect("a secret is far shorter than the cipher's limit");
    Ok(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
}

fn opened(key: &[u8; KEY_BYTES], text: &str, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let (nonce, msg) = bytes.split_at_checked(NONCE_BYTES)?;
    let nonce = XNonce::from(<[u8; NONCE_BYTES]>::try_from(nonce).ok()?);
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&nonce, Payload { msg, aad }).ok().map(Zeroizing::new)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, VaultError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| VaultError::NoRandom(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> MasterKey {
        MasterKey::parse(name, &MasterKey::generate().unwrap()).unwrap()
    }

    fn value(opened: Option<SecretString>) -> Option<String> {
        opened.map(|value| value.expose_secret().to_owned())
    }

    #[test]
    fn what_was_sealed_opens_and_shows_nothing() {
        let master = key("2026");
        let secret = SecretString::from("søknad-9f3c");
        let row = seal("source/j", 1, &secret, &master).unwrap();
        assert_eq!(value(open("source/j", 1, &row, &master)).as_deref(), Some("søknad-9f3c"));
        let again = seal("source/j", 1, &secret, &master).unwrap();
        assert!(row.value != again.value && row.wrapped_key != again.wrapped_key);
        let shown = format!("{row:?} {master:?}");
        assert!(shown.contains("2026") && !shown.contains("9f3c"), "{shown}");
    }

    #[test]
    fn a_row_opens_in_its_own_place_only() {
        let (master, other) = (key("2026"), key("2026"));
        let row = seal("a", 1, &SecretString::from("x"), &master).unwrap();
        let next = seal("a", 2, &SecretString::from("y"), &master).unwrap();
        let cases = [
            ("another name", "b", 1, row.clone(), &master),
            ("another version", "a", 2, row.clone(), &master),
            ("another key of that name", "a", 1, row.clone(), &other),
            ("another key's name", "a", 1, Sealed { key: "2025".into(), ..row.clone() }, &master),
            (
                "another's value",
                "a",
                1,
                Sealed { value: next.value.clone(), ..row.clone() },
                &master,
            ),
            (
                "another's data key",
                "a",
                1,
                Sealed { wrapped_key: next.wrapped_key, ..row.clone() },
                &master,
            ),
            ("nothing", "a", 1, Sealed { value: String::new(), ..row.clone() }, &master),
            ("no base64", "a", 1, Sealed { value: "§".into(), ..row.clone() }, &master),
        ];
        for (what, name, version, row, master) in cases {
            assert!(open(name, version, &row, master).is_none(), "{what}");
            assert!(rewrap(name, version, &row, master, &key("n")).unwrap().is_none(), "{what}");
        }
        // Every single bit counts.
        let bytes = BASE64_STANDARD.decode(&row.value).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let row = Sealed { value: BASE64_STANDARD.encode(changed), ..row.clone() };
            assert!(open("a", 1, &row, &master).is_none(), "byte {place}");
        }
    }

    #[test]
    fn a_rewrapped_row_needs_the_new_key_and_no_longer_the_old() {
        let (old, new) = (key("2025"), key("2026"));
        let row = seal("a", 1, &SecretString::from("x"), &old).unwrap();
        let moved = rewrap("a", 1, &row, &old, &new).unwrap().unwrap();
        assert_eq!((moved.key.as_str(), &moved.value), ("2026", &row.value));
        assert_eq!(value(open("a", 1, &moved, &new)).as_deref(), Some("x"));
        assert!(open("a", 1, &moved, &old).is_none());
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_being_shown() {
        let good = MasterKey::generate().unwrap();
        assert!(MasterKey::parse("k", &format!(" {}\n", *good)).is_ok());
        for bad in ["", "9f3c", &good[..40], &format!("{}AAAA", *good)] {
            let error = MasterKey::parse("k", bad).unwrap_err().to_string();
            assert!(error.contains("`k`") && error.contains("new-key"), "{error}");
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }
}
