//! What every call must pass before it is looked at: the hourly allowance, the token, the tenant, the scope.

use super::reply::Reply;
use super::{Settings, Tenants};
use serde_json::json;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A token that was given out.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub tenant: String,
    pub scopes: Vec<String>,
    pub expires: Instant,
    /// Calls that it carried.
    pub used: u64,
}

/// The fixed window of calls of one (company, client) pair, with a short burst limit beside it.
#[derive(Debug)]
pub(crate) struct Allowance {
    started: Instant,
    spent: u64,
    recent: VecDeque<Instant>,
}

impl Allowance {
    pub fn new(now: Instant) -> Self {
        Self { started: now, spent: 0, recent: VecDeque::new() }
    }

    /// Takes one call, or says for how many seconds to wait.
    pub fn take(&mut self, settings: &Settings, now: Instant) -> Result<(), u64> {
        if now.duration_since(self.started) >= settings.window {
            self.started = now;
            self.spent = 0;
        }
        if self.spent >= settings.calls_per_window {
            return Err(self.reset(settings, now));
        }
        if let Some((calls, span)) = settings.burst {
            while self.recent.front().is_some_and(|at| now.duration_since(*at) >= span) {
                self.recent.pop_front();
            }
            if self.recent.len() >= calls {
                return Err(span.as_secs().max(1));
            }
            self.recent.push_back(now);
        }
        self.spent += 1;
        Ok(())
    }

    /// Seconds until the window ends.
    fn reset(&self, settings: &Settings, now: Instant) -> u64 {
        let left = settings.window.saturating_sub(now.duration_since(self.started));
        (left + Duration::from_millis(999)).as_secs()
    }

    pub fn headers(&self, settings: &Settings, now: Instant) -> [(&'static str, String); 4] {
        [
            ("x-ratelimit-limit", settings.calls_per_window.to_string()),
            (
                "x-ratelimit-remaining",
                settings.calls_per_window.saturating_sub(self.spent).to_string(),
            ),
            ("x-ratelimit-reset", self.reset(settings, now).to_string()),
            ("x-ratelimit-policy", "4-fixed-window".into()),
        ]
    }
}

/// The scope that a call needs.
pub(crate) fn scope(method: &str, template: &str) -> &'static str {
    match method {
        "GET" => "vismanet_erp_service_api:read",
        "POST" if template.contains("/action/") => "vismanet_erp_service_api:update",
        "POST" => "vismanet_erp_service_api:create",
        "DELETE" => "vismanet_erp_service_api:delete",
        _ => "vismanet_erp_service_api:update",
    }
}

/// The tenant header against the tenant inside the token.
pub(crate) fn tenant(
    settings: &Settings,
    token: &Token,
    header: Option<&str>,
) -> Result<(), Reply> {
    let Tenants { company, .. } = &settings.tenants;
    // A token of the customer tenant is good at the token endpoint and nowhere else.
    if token.tenant != *company {
        return Err(Reply::unauthorized());
    }
    if settings.tenant_header.is_none() {
        return Ok(());
    }
    match header {
        None => Err(Reply::json(
            400,
            &json!({
                "ExceptionType": "IPPException",
                "ExceptionMessage": "Company is not available in context.",
                "ExceptionMessageID": "00000000-0000-0000-0000-000000000000",
                "ExceptionDetails": "",
                "FaultCode": "13008",
            }),
        )),
        Some(given) if given == token.tenant => Ok(()),
        Some(_) => Err(Reply::unauthorized()),
    }
}
