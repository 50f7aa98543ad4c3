//! The token endpoint: client credentials with the tenant in the form.

use super::Settings;
use super::gate::Token;
use super::reply::{Reply, pairs};
use super::state::State;
use crate::faults::Switchboard;
use serde_json::json;
use std::time::{Duration, Instant};

pub(crate) fn issue(
    state: &mut State,
    settings: &Settings,
    board: &Switchboard,
    content_type: &str,
    form: &str,
    now: Instant,
) -> Reply {
    let refuse = |status, error: &str| Reply::json(status, &json!({ "error": error }));
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return refuse(400, "invalid_request");
    }
    let form = pairs(form);
    let field =
        |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return refuse(400, "unsupported_grant_type"),
        None => return refuse(400, "invalid_request"),
    }
    if field("client_id") != Some(settings.client_id.as_str())
        || field("client_secret") != Some(settings.client_secret.as_str())
    {
        return refuse(settings.invalid_client_status, "invalid_client");
    }
    let tenant = match field("tenant_id") {
        None | Some("") => return refuse(400, "invalid_request"),
        Some(tenant)
            if tenant == settings.tenants.company || tenant == settings.tenants.customer =>
        {
            tenant.to_owned()
        }
        Some(_) => return refuse(400, "invalid_grant"),
    };
    let scopes: Vec<String> =
        field("scope").unwrap_or_default().split_whitespace().map(String::from).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !settings.granted_scopes.contains(scope)) {
        return refuse(400, "invalid_scope");
    }
    let seconds = board.settings().token_lifetime_seconds.unwrap_or(settings.token_seconds);
    state.tokens_made += 1;
    state.tokens.retain(|_, token| token.expires > now);
    let text = format!("sandbox.{}.{:016x}", state.tokens_made, state.random.u64(..));
    let scope = scopes.join(" ");
    state.tokens.insert(
        text.clone(),
        Token { tenant, scopes, expires: now + Duration::from_secs(seconds), used: 0 },
    );
    Reply::json(
        200,
        &json!({"access_token": text, "expires_in": seconds, "token_type": "Bearer", "scope": scope}),
    )
}
