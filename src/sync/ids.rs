//! Ids that follow from what they name, so that a document found again is the same document and
//! a posting planned again has the same key, whatever was lost in between.

use crate::procurement::{About, DocumentKind};
use crate::store::Step;
use sha2::{Digest, Sha256};

/// Lower case without letters that people confuse.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 100 bits of the parts' hash, as 20 characters.
fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut text = String::with_capacity(20);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in digest {
        buffer = (buffer << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 && text.len() < 20 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits) as usize & 31]));
        }
        buffer &= 0xff;
    }
    text
}

pub fn document_id(source: &str, kind: DocumentKind, source_id: &str) -> String {
    short_hash(&["document", source, kind.as_str(), source_id])
}

/// Stands in Visma with the document. What is made anew after `corrections` has another key than what
/// was taken back.
pub fn our_key(
    company: &str,
    document: &str,
    corrections: i64,
    step: Step,
    step_key: &str,
) -> String {
    let mut parts = vec!["posting", company, document, step.as_str(), step_key];
    let anew = corrections.to_string();
    if corrections > 0 {
        parts.push(&anew);
    }
    short_hash(&parts)
}

/// Says that a report is the same one, however often it is sent.
pub fn report_key(document: &str, about: About, occurred_at: i64) -> String {
    short_hash(&["report", document, about.as_str(), &occurred_at.to_string()])
}

/// Unique enough for a row that names a moment: a round, a request.
pub fn moment_id(what: &str, at: i64) -> String {
    short_hash(&[
        what,
        &at.to_string(),
        &std::process::id().to_string(),
        &fastrand::u64(..).to_string(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_document_has_the_same_id_and_others_have_others() {
        let id = document_id("jaggaer", DocumentKind::SupplierInvoice, "2526304");
        assert_eq!(id, document_id("jaggaer", DocumentKind::SupplierInvoice, "2526304"));
        assert_eq!(id.len(), 20);
        assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(id, document_id("jaggaer", DocumentKind::CreditNote, "2526304"));
        assert_ne!(id, document_id("jaggaer2", DocumentKind::SupplierInvoice, "526304"));
        let key = |corrections, step_key| our_key("c", "d", corrections, Step::Update, step_key);
        assert_ne!(key(0, "1"), key(0, "2"));
        assert_ne!(key(0, "1"), key(1, "1"));
        assert_ne!(key(1, "1"), key(2, "1"));
    }
}
