use super::allowance::Told;
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

/// Characters of Visma's own words that are kept.
const LONGEST_MESSAGE: usize = 500;

/// Why a body is not there in full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CutBody {
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[error("cut off after {received} bytes: {reason}")]
    Broken { received: usize, reason: String },
}

/// Reads a body to its end, but never more than `limit` bytes (after decompression).
pub(super) async fn body(response: &mut Response, limit: usize) -> Result<Vec<u8>, CutBody> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > limit => {
                return Err(CutBody::TooLarge(limit));
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => {
                return Err(CutBody::Broken { received: bytes.len(), reason: chain(&error) });
            }
        }
    }
}

pub(super) fn text(headers: &HeaderMap, name: impl Into<HeaderLike>) -> Option<String> {
    let value = headers.get(name.into().0)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A header by constant or by lower-case literal.
pub(super) struct HeaderLike(HeaderName);

impl From<HeaderName> for HeaderLike {
    fn from(name: HeaderName) -> Self {
        Self(name)
    }
}

impl From<&'static str> for HeaderLike {
    fn from(name: &'static str) -> Self {
        Self(HeaderName::from_static(name))
    }
}

/// What the headers say about the allowance.
pub(super) fn told(status: u16, headers: &HeaderMap) -> Told {
    let number = |name: &'static str| text(headers, name)?.parse::<u64>().ok();
    Told {
        limit: number("x-ratelimit-limit"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
        retry_after: number("retry-after"),
        refused: status == 429,
    }
}

/// Visma's own words from an error body of either form, else the start of whatever came.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return bounded(&String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST_MESSAGE)]));
    };
    stated_error(&value).unwrap_or_else(|| bounded(&value.to_string()))
}

/// An error that a body states about itself, if it does.
pub(super) fn stated_error(value: &Value) -> Option<String> {
    ["message", "Message", "ExceptionMessage", "errorInfo", "errorMessage", "error_description"]
        .into_iter()
        .filter_map(|name| value.get(name)?.as_str())
        .find(|words| !words.trim().is_empty())
        .map(bounded)
}

/// One line, no control characters, not longer than is useful.
pub(super) fn bounded(words: &str) -> String {
    let clean: String = words
        .chars()
        .map(|char| if char.is_control() || is_invisible(char) { ' ' } else { char })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.is_empty() {
        return "no reason given".to_owned();
    }
    match clean.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => format!("{} ...", &clean[..at]),
        None => clean,
    }
}

/// Marks that reorder text or hide it in a log line.
const fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An error and its causes, without the address (it may carry query values).
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut words = if error.is_timeout() { "timed out".to_owned() } else { String::new() };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !words.contains(&next) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(&next);
        }
        cause = inner.source();
    }
    bounded(&words)
}

/// The key in a `Location`: its last segment. The address itself is never called, it may name
/// another host.
pub(super) fn last_segment(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let segment = path.rsplit('/').next()?;
    let key = percent_decoded(segment);
    let plausible = !key.is_empty() && key.len() <= 100 && !key.chars().any(char::is_control);
    plausible.then_some(key)
}

fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok().filter(|_| !hex.contains('+'))),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes a value for a path segment or a query.
pub(super) fn encoded(value: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_every_form() {
        let cases: [(&[u8], &str); 8] = [
            (br#"{"message":"Account cannot be found."}"#, "Account cannot be found."),
            (
                br#"{"ExceptionType":"IPPException","ExceptionMessage":"Company is not available","FaultCode":"13008"}"#,
                "Company is not available",
            ),
            (b"", "no reason given"),
            (b"<html>Bad\r\n\x1b[31m gateway</html>", "<html>Bad [31m gateway</html>"),
            (br#"{"message":"  ","errorInfo":"line 1"}"#, "line 1"),
            (br#"{"odd":1}"#, r#"{"odd":1}"#),
            (b"\"text\"", "\"text\""),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ];
        for (body, expected) in cases {
            assert_eq!(message(body), expected);
        }
        assert!(message(&[b'x'; 100_000]).len() < 600);
    }

    #[test]
    fn only_the_end_of_a_location_counts() {
        let cases = [
            ("https://api.finance.visma.net/v1/supplierInvoice/300457", Some("300457")),
            ("http://elsewhere.example/API/controller/api/x/DebitAdj/7/", Some("7")),
            ("/v1/purchaseorder/PO%2F1?x=1", Some("PO/1")),
            ("/v1/x/a%zz", Some("a%zz")),
            ("300457", Some("300457")),
            ("", None),
            ("/v1/x/%00", None),
        ];
        for (location, expected) in cases {
            assert_eq!(last_segment(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn values_are_encoded_for_a_query() {
        assert_eq!(encoded(">="), "%3E%3D");
        assert_eq!(encoded("2026-11-12 07:42:03.613"), "2026-11-12%2007%3A42%3A03.613");
        assert_eq!(encoded("å/b"), "%C3%A5%2Fb");
    }
}
