use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use sha2::{Digest, Sha256};

/// One write, complete but for the token. It can be stored before it leaves, and what is stored
/// is to the byte what leaves. The bytes of a file are not stored: see [`Request::with_file`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub method: Method,
    /// Begins with `/`.
    pub path: String,
    /// The version that the write holds for, in double quotes as the header needs them.
    pub if_match: Option<String>,
    /// Visma takes the write as a job and answers 202.
    pub background: bool,
    pub body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Post,
    Put,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Empty,
    Json(String),
    File {
        file_name: String,
        content_type: String,
        /// Of the bytes, in hexadecimal.
        sha256: String,
        #[serde(skip)]
        bytes: Vec<u8>,
    },
}

/// A file that is not the one the request was made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file is not the one that was to be attached (sha-256 {found}, not {expected})")]
pub struct FileMismatch {
    pub expected: String,
    pub found: String,
}

/// Why a change cannot be written as a patch of what stands in Visma. Needs a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotWrite {
    #[error(
        "{member} changed from {old} to {new}, which visma cannot change on a document that exists"
    )]
    Fixed { member: &'static str, old: String, new: String },
    #[error(
        "line {key} of the plan is not found in visma any more: a person has changed the lines \
         of {document}"
    )]
    LineGone { document: String, key: String },
    #[error("{document} has {found} lines in visma where {expected} were made")]
    LineCount { document: String, expected: usize, found: usize },
}

impl Request {
    /// Gives a stored attachment its bytes back; refuses any other file.
    pub fn with_file(mut self, content: Vec<u8>) -> Result<Self, FileMismatch> {
        if let Body::File { sha256, bytes, .. } = &mut self.body {
            let found = hex_digest(&content);
            if *sha256 != found {
                return Err(FileMismatch { expected: sha256.clone(), found });
            }
            *bytes = content;
        }
        Ok(self)
    }

    pub(super) fn is_action(&self) -> bool {
        self.path.contains("/action/")
    }
}

pub(super) fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `If-Match` needs its double quotes; row stamps come without.
pub(super) fn quoted(version: &str) -> String {
    if version.ends_with('"') { version.to_owned() } else { format!("\"{version}\"") }
}

/// Members of a write body. Visma wraps nearly every scalar in `{"value": ...}`.
#[derive(Debug, Default)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.wrap(name, json!(value));
    }

    /// Absent means untouched, so an absent value writes nothing.
    pub(super) fn text_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.wrap(name, json!(value));
    }

    pub(super) fn integer(&mut self, name: &str, value: i64) {
        self.wrap(name, json!(value));
    }

    pub(super) fn decimal(&mut self, name: &str, value: Decimal) {
        self.wrap(name, Value::Number(number(value)));
    }

    /// Midnight of the day: Visma's dates are date-times without a zone.
    pub(super) fn day(&mut self, name: &str, value: jiff::civil::Date) {
        self.text(name, &format!("{value}T00:00:00"));
    }

    pub(super) fn day_if(&mut self, name: &str, value: Option<jiff::civil::Date>) {
        if let Some(value) = value {
            self.day(name, value);
        }
    }

    /// A member that Visma does not wrap.
    pub(super) fn bare(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn segments(&mut self, name: &str, segments: &[(i64, String)]) {
        let rows = segments
            .iter()
            .map(|(id, value)| json!({"segmentId": id, "segmentValue": value}))
            .collect();
        self.bare(name, Value::Array(rows));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    pub(super) fn into_body(self) -> Body {
        Body::Json(self.into_value().to_string())
    }

    fn wrap(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), json!({ "value": value }));
    }
}

/// The decimal's own digits: no double, no exponent.
fn number(value: Decimal) -> Number {
    serde_json::from_str(&value.to_string()).expect("a decimal prints as a JSON number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_keep_their_digits(mantissa in any::<i64>(), scale in 0_u32..=28) {
            let value = Decimal::new(mantissa, scale);
            let mut members = Members::default();
            members.decimal("x", value);
            let text = members.into_value().to_string();
            let digits = value.to_string();
            prop_assert_eq!(text, format!("{{\"x\":{{\"value\":{digits}}}}}"));
            prop_assert!(!digits.contains(['e', 'E']));
        }
    }

    #[test]
    fn a_stored_attachment_takes_back_only_its_own_file() {
        let request = Request {
            method: Method::Post,
            path: "/v1/x".into(),
            if_match: None,
            background: false,
            body: Body::File {
                file_name: "a.pdf".into(),
                content_type: "application/pdf".into(),
                sha256: hex_digest(b"paper"),
                bytes: b"paper".to_vec(),
            },
        };
        let stored = serde_json::to_string(&request).expect("serialises");
        let read: Request = serde_json::from_str(&stored).expect("reads back");
        assert_ne!(read, request, "bytes are not stored");
        assert!(read.clone().with_file(b"other".to_vec()).is_err());
        assert_eq!(read.with_file(b"paper".to_vec()), Ok(request));
    }

    #[test]
    fn versions_are_quoted_once() {
        for (given, expected) in
            [("AAA=", "\"AAA=\""), ("\"AAA=\"", "\"AAA=\""), ("W/\"A\"", "W/\"A\"")]
        {
            assert_eq!(quoted(given), expected);
        }
    }
}
