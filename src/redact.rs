//! Keeps secrets out of what the other side says: error bodies may repeat the request, its
//! `Authorization` header or its form. Words of theirs go through here before they become part of an
//! error, and from there of logs, holds and the trail. Documents do not: they are kept as they came.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Stands where a secret was.
const MARK: &[u8] = b"***";
/// A shorter one could be a part of any word.
const SHORTEST: usize = 4;
/// Tokens that may still be in an answer under way.
const TOKENS: usize = 4;

/// One secret in the forms that it may come back in.
type Forms = Vec<Zeroizing<Vec<u8>>>;

/// The secrets of one client.
pub struct Redactor {
    fixed: Vec<Forms>,
    /// The latest ones.
    tokens: Mutex<VecDeque<Forms>>,
}

impl Redactor {
    /// For secrets that stay: client secrets, headers.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self { fixed: secrets.into_iter().map(forms).collect(), tokens: Mutex::default() }
    }

    /// A token that is in use from now on.
    pub fn add_token(&self, token: &str) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push_front(forms(token));
        tokens.truncate(TOKENS);
    }

    /// The bytes without any of the secrets.
    pub fn scrub(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for form in self.fixed.iter().chain(&*tokens).flatten() {
            bytes = without(bytes, form);
        }
        bytes
    }

    pub fn scrub_text(&self, text: String) -> String {
        // A whole character never becomes a half: what is taken out is text itself.
        String::from_utf8_lossy(&self.scrub(text.into_bytes())).into_owned()
    }
}

fn without(bytes: Vec<u8>, form: &[u8]) -> Vec<u8> {
    let next = |from: usize| {
        let mut parts = bytes[from..].windows(form.len());
        // The first byte alone tells most places apart, and answers may be long.
        parts.position(|part| part[0] == form[0] && part == form).map(|at| from + at)
    };
    let Some(first) = next(0) else { return bytes };
    let mut clean = bytes[..first].to_vec();
    let mut at = Some(first);
    while let Some(found) = at {
        clean.extend_from_slice(MARK);
        let rest = found + form.len();
        at = next(rest);
        clean.extend_from_slice(&bytes[rest..at.unwrap_or(bytes.len())]);
    }
    clean
}

/// As it is, and as JSON, forms, addresses, web pages and `Basic` write it; the longest first, so that no
/// part of one is left where another begins alike.
fn forms(secret: &str) -> Forms {
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let json = serde_json::to_string(secret).expect("a text is JSON");
    let json = json[1..json.len() - 1].to_owned();
    let address = percent(secret, "%20");
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = html.replace('"', "&quot;");
    let mut texts = vec![
        json.replace('/', "\\/"),
        json,
        address.to_lowercase(),
        address,
        percent(secret, "+"),
        html.replace('\'', "&#39;"),
        html,
        BASE64_STANDARD.encode(secret),
        secret.to_owned(),
    ];
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    texts.dedup();
    texts.into_iter().map(|text| Zeroizing::new(text.into_bytes())).collect()
}

fn percent(text: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_in_whatever_form_it_comes_back() {
        let secret = "p\"a/s s+&ø9f3c";
        let redactor = Redactor::new([secret, "abc"]);
        let json = serde_json::json!({ "sent": secret }).to_string();
        for told in [
            format!("you sent {secret}, and again {secret}{secret}"),
            json.clone(),
            json.replace('/', "\\/"),
            "client_secret=p%22a%2Fs+s%2B%26%C3%B89f3c&x=1".to_owned(),
            "client_secret=p%22a%2Fs%20s%2B%26%C3%B89f3c&x=1".to_owned(),
            "?s=p%22a%2fs%20s%2b%26%c3%b89f3c".to_owned(),
            "<p>p&quot;a/s s+&amp;ø9f3c</p>".to_owned(),
            format!("Basic {}", BASE64_STANDARD.encode(secret)),
        ] {
            let clean = redactor.scrub_text(told.clone());
            assert!(clean.contains("***") && !clean.contains("9f3c"), "{told} became {clean}");
            assert!(!clean.contains(&BASE64_STANDARD.encode(secret)), "{clean}");
        }
        // Too short to be told from a word, and what is no secret stays.
        assert_eq!(redactor.scrub_text("abc ø 9f3".into()), "abc ø 9f3");
        assert_eq!(redactor.scrub(vec![0xff, b'a']), vec![0xff, b'a']);
    }

    #[test]
    fn the_latest_tokens_go() {
        let redactor = Redactor::new([]);
        for n in 0..6 {
            redactor.add_token(&format!("token-{n}"));
        }
        let clean = redactor.scrub_text("token-1 token-2 token-5 Bearer token-4".into());
        assert_eq!(clean, "token-1 *** *** Bearer ***");
    }
}
