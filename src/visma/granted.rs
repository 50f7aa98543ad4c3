use super::answer::bounded;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::time::Duration;

/// No application has so many; more is somebody's mistake.
const MOST_SCOPES: usize = 50;

/// What the latest token may do, as far as it or its answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// `None`: neither says; then it is what was asked for (RFC 6749, 5.1).
    pub scopes: Option<Vec<String>>,
    pub lasts: Duration,
}

impl Granted {
    pub(super) fn of(answer: &Value, token: &str, lasts: Duration) -> Self {
        Self { scopes: scopes_of(answer).or_else(|| scopes_of(&claims(token)?)), lasts }
    }
}

/// The `scope` of a token answer or of a token: words in one text, or a list.
fn scopes_of(from: &Value) -> Option<Vec<String>> {
    let texts: Vec<&str> = match &from["scope"] {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let words = texts.into_iter().flat_map(str::split_whitespace);
    let scopes: Vec<String> = words.take(MOST_SCOPES).map(bounded).collect();
    (!scopes.is_empty()).then_some(scopes)
}

/// What a token says about itself, if it is a JWT. Read only, never trusted: who may do what is
/// Visma's to say.
fn claims(token: &str) -> Option<Value> {
    let [_, payload, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_token_may_do_is_read_from_its_answer_or_from_itself() {
        let asked = |value: Value| scopes_of(&value);
        assert_eq!(asked(json!({"scope": "a b"})), Some(vec!["a".into(), "b".into()]));
        assert_eq!(asked(json!({"scope": ["a", "b"]})), Some(vec!["a".into(), "b".into()]));
        assert_eq!(asked(json!({"scope": ""})), None);

        let payload = URL_SAFE_NO_PAD.encode(r#"{"scope":["erp:read"],"exp":1}"#);
        let token = format!("e30.{payload}.c2ln");
        let of = |answer: Value, token: &str| Granted::of(&answer, token, Duration::ZERO).scopes;
        assert_eq!(of(json!({}), &token), Some(vec!["erp:read".into()]));
        assert_eq!(of(json!({"scope": "erp:all"}), &token), Some(vec!["erp:all".into()]));
        for opaque in ["", "abc", "a.b.c", "e30.!!.x", "a.b.c.d"] {
            assert_eq!(of(json!({}), opaque), None, "{opaque}");
        }
    }
}
