//! The sign-in: Keycloak's token endpoint, client credentials only.

use super::alternate_api::SCOPE;
use super::reply::Reply;
use super::{Jaggaer, Profile};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;
use std::time::{Duration, Instant};

pub(super) const PATH_START: &str = "/auth/realms/";
pub(super) const PATH: &str = "/auth/realms/J1p-integrations/protocol/openid-connect/token";

/// Answers a request for a token. `form` is the body, `application/x-www-form-urlencoded`.
pub(super) fn issue(jaggaer: &Jaggaer, path: &str, headers: &HeaderMap, form: &[u8]) -> Reply {
    let profile = jaggaer.settings.profile;
    if path != profile.token_path() {
        return refuse(StatusCode::NOT_FOUND, "Realm does not exist", None);
    }
    let members = read_form(form);
    let get =
        |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if get("grant_type") != Some("client_credentials") {
        let detail = "Unsupported grant_type";
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", Some(detail));
    }
    let basic = basic_credentials(headers);
    if profile == Profile::Alternate {
        // This realm knows its clients by Basic alone, and gives no token that is good for nothing.
        if basic.is_none() || get("client_secret").is_some() {
            let detail = "Client must authenticate with client_secret_basic";
            return refuse(StatusCode::UNAUTHORIZED, "unauthorized_client", Some(detail));
        }
        if get("scope") != Some(SCOPE) {
            return refuse(StatusCode::BAD_REQUEST, "invalid_scope", Some("Invalid scopes"));
        }
    }
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (get("client_id"), get("client_secret")),
    };
    let settings = &jaggaer.settings;
    if id != Some(&settings.client_id) || secret != Some(&settings.client_secret) {
        let detail = "Invalid client or Invalid client credentials";
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client", Some(detail));
    }
    let faults = jaggaer.board.settings();
    let seconds = faults.token_seconds.unwrap_or(settings.token_seconds);
    let mut inner = jaggaer.lock();
    inner.tokens_given += 1;
    let token = format!("sandbox.jaggaer.{:08x}", inner.tokens_given);
    let now = Instant::now();
    inner.tokens.retain(|_, expires| *expires > now);
    inner.tokens.insert(token.clone(), now + Duration::from_secs(seconds));
    drop(inner);
    let mut answer = json!({
        "access_token": token, "refresh_expires_in": 0, "token_type": "Bearer",
        "not-before-policy": 0, "scope": get("scope").unwrap_or("profile email"),
    });
    if !(faults.token_without_expiry || settings.token_without_expiry) {
        answer["expires_in"] = seconds.into();
    }
    Reply::json(answer.to_string())
}

fn refuse(status: StatusCode, error: &str, description: Option<&str>) -> Reply {
    let mut body = json!({ "error": error });
    if let Some(description) = description {
        body["error_description"] = description.into();
    }
    Reply::new(status, "application/json", body.to_string().into_bytes())
}

/// Id and secret of an `Authorization: Basic` header; both parts are form-urlencoded.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = base64(value.strip_prefix("Basic ")?.trim())?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = read_form(format!("id={id}&secret={secret}").as_bytes());
    let [(_, id), (_, secret)] = decoded.as_slice() else {
        return None;
    };
    Some((id.clone(), secret.clone()))
}

/// `a=1&b=2`, percent-decoded, `+` as a space.
pub(super) fn read_form(form: &[u8]) -> Vec<(String, String)> {
    let decode = |part: &[u8]| {
        let mut bytes = Vec::with_capacity(part.len());
        let mut index = 0;
        while index < part.len() {
            let pair =
                part.get(index + 1..index + 3).and_then(|pair| std::str::from_utf8(pair).ok());
            match (part[index], pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
                (b'%', Some(byte)) => {
                    bytes.push(byte);
                    index += 2;
                }
                (b'+', _) => bytes.push(b' '),
                (byte, _) => bytes.push(byte),
            }
            index += 1;
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    form.split(|&byte| byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let equals = part.iter().position(|&byte| byte == b'=').unwrap_or(part.len());
            (decode(&part[..equals]), decode(part.get(equals + 1..).unwrap_or_default()))
        })
        .collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_basic_credentials() {
        let expected = [("a b".to_string(), "c+d%".to_string()), ("e".into(), String::new())];
        assert_eq!(read_form(b"a+b=c%2Bd%25&e"), expected);
        let mut headers = HeaderMap::new();
        // id:s%25e%3A
        headers.insert(header::AUTHORIZATION, "Basic aWQ6cyUyNWUlM0E=".parse().expect("ascii"));
        assert_eq!(basic_credentials(&headers), Some(("id".into(), "s%e:".into())));
        assert_eq!(base64("a*"), None);
    }
}
