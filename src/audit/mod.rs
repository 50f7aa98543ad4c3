//! The audit trail: append-only, hash-chained, one chain for each unit.
//!
//! An entry's hash covers its fields, its place and the hash before it, so an edit, a removal, a
//! reorder or an insert is found by reading the chain. A cut tail is found only against a head
//! kept elsewhere; that is why `audit verify` takes `--head` and `sync` prints it.

mod chain_link;

pub use chain_link::ChainLink;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The hash that the first entry of a chain follows.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One step of history, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Microseconds UTC.
    pub at: i64,
    /// `connector`, or the person who asked.
    pub actor: String,
    pub action: String,
    pub connection: String,
    /// Document id; empty when the step concerns no single document.
    pub document: String,
    pub from_state: String,
    pub to_state: String,
    /// JSON; redacted before it comes here.
    pub detail: String,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

impl Head {
    pub fn genesis() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }

    /// The head after `entry`.
    pub fn link(&self, unit: &str, entry: &Entry) -> Self {
        let seq = self.seq + 1;
        let mut hasher = Sha256::new();
        let (seq_text, at_text) = (seq.to_string(), entry.at.to_string());
        let fields = [
            &self.hash,
            unit,
            &seq_text,
            &at_text,
            &entry.actor,
            &entry.action,
            &entry.connection,
            &entry.document,
            &entry.from_state,
            &entry.to_state,
            &entry.detail,
        ];
        for field in fields {
            // The length first: no two lists of fields give the same bytes.
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        Self { seq, hash: hex(&hasher.finalize()) }
    }
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainedEntry {
    pub unit: String,
    pub seq: i64,
    pub entry: Entry,
    pub previous_hash: String,
    pub hash: String,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    #[error(
        "entry {found} of `{unit}` stands where entry {expected} should: one was removed, added or moved"
    )]
    Gap { unit: String, expected: i64, found: i64 },
    #[error("entry {seq} of `{unit}` does not follow the one before it: it was replaced or moved")]
    Link { unit: String, seq: i64 },
    #[error("entry {seq} of `{unit}` was changed after it was written")]
    Edited { unit: String, seq: i64 },
    #[error(
        "the chain of `{unit}` ends at entry {found}, but its head says {expected}: the tail was cut"
    )]
    Cut { unit: String, expected: i64, found: i64 },
    #[error(
        "entry {seq} of `{unit}` names entry {named} of `{other}`, which is not as it says: that chain was cut or replaced"
    )]
    OtherChain { unit: String, seq: i64, other: String, named: i64 },
    #[error(
        "the chain of `{unit}` went on in another one with entry {seq}, but has entries after it"
    )]
    AfterEnd { unit: String, seq: i64 },
    #[error(
        "the head {head} that was kept elsewhere is not in the chain: the tail was cut or the history replaced"
    )]
    HeadUnknown { head: String },
}

/// Reads a chain entry by entry and says whether it holds.
#[derive(Debug)]
pub struct Verifier {
    unit: String,
    head: Head,
}

impl Verifier {
    pub fn new(unit: &str) -> Self {
        Self { unit: unit.to_owned(), head: Head::genesis() }
    }

    /// Entries must come in order of `seq`.
    pub fn next(&mut self, next: &ChainedEntry) -> Result<(), ChainFault> {
        let unit = || self.unit.clone();
        let expected = self.head.seq + 1;
        if next.seq != expected {
            return Err(ChainFault::Gap { unit: unit(), expected, found: next.seq });
        }
        if next.previous_hash != self.head.hash {
            return Err(ChainFault::Link { unit: unit(), seq: next.seq });
        }
        let linked = self.head.link(&self.unit, &next.entry);
        if linked.hash != next.hash {
            return Err(ChainFault::Edited { unit: unit(), seq: next.seq });
        }
        self.head = linked;
        Ok(())
    }

    /// Compares the end with the head that the store keeps apart.
    pub fn finish(self, kept: &Head) -> Result<Head, ChainFault> {
        if self.head == *kept {
            Ok(self.head)
        } else {
            Err(ChainFault::Cut { unit: self.unit, expected: kept.seq, found: self.head.seq })
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
        text
    })
}

/// SHA-256 of a text, as hexadecimal.
pub fn hash_text(text: &str) -> String {
    hash_bytes(text.as_bytes())
}

/// SHA-256 of bytes, as hexadecimal.
pub fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: i64) -> (Vec<ChainedEntry>, Head) {
        let mut head = Head::genesis();
        let mut entries = Vec::new();
        for n in 1..=length {
            let entry = Entry {
                at: n * 1_000,
                actor: "connector".into(),
                action: "received".into(),
                connection: "no".into(),
                document: format!("d{n}"),
                from_state: String::new(),
                to_state: "ready".into(),
                detail: "{}".into(),
            };
            let next = head.link("u", &entry);
            entries.push(ChainedEntry {
                unit: "u".into(),
                seq: next.seq,
                entry,
                previous_hash: head.hash.clone(),
                hash: next.hash.clone(),
            });
            head = next;
        }
        (entries, head)
    }

    fn verify(entries: &[ChainedEntry], kept: &Head) -> Result<Head, ChainFault> {
        let mut verifier = Verifier::new("u");
        for entry in entries {
            verifier.next(entry)?;
        }
        verifier.finish(kept)
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let (entries, head) = chain(5);
        assert_eq!(verify(&entries, &head), Ok(head.clone()));
        assert_eq!(verify(&[], &Head::genesis()), Ok(Head::genesis()));
    }

    #[test]
    fn every_kind_of_tampering_is_found() {
        let (entries, head) = chain(5);

        let mut edited = entries.clone();
        edited[2].entry.detail = "{\"amount\":\"1.00\"}".into();
        assert_eq!(verify(&edited, &head), Err(ChainFault::Edited { unit: "u".into(), seq: 3 }));

        let mut removed = entries.clone();
        removed.remove(2);
        assert!(matches!(
            verify(&removed, &head),
            Err(ChainFault::Gap { expected: 3, found: 4, .. })
        ));

        let mut moved = entries.clone();
        moved.swap(1, 2);
        assert!(matches!(verify(&moved, &head), Err(ChainFault::Gap { .. })));

        // Renumbered after a removal: the link no longer fits.
        let mut renumbered = entries.clone();
        renumbered.remove(2);
        for (index, entry) in renumbered.iter_mut().enumerate() {
            entry.seq = index as i64 + 1;
        }
        assert!(matches!(verify(&renumbered, &head), Err(ChainFault::Link { seq: 3, .. })));

        let cut = &entries[..4];
        assert!(matches!(verify(cut, &head), Err(ChainFault::Cut { expected: 5, found: 4, .. })));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let entry = |action: &str, connection: &str| Entry {
            at: 0,
            actor: String::new(),
            action: action.into(),
            connection: connection.into(),
            document: String::new(),
            from_state: String::new(),
            to_state: String::new(),
            detail: String::new(),
        };
        let head = Head::genesis();
        assert_ne!(head.link("u", &entry("ab", "c")), head.link("u", &entry("a", "bc")));
    }
}
