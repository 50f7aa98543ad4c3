//! From a request to an answer: delay, control, sign-in, the faults of the way, the profile.

use super::feed;
use super::reply::Reply;
use super::{
    Fault, Faults, Inner, Jaggaer, Profile, alternate_api, default_api, observed_api, token,
};
use crate::faults::cable::{Cable, Fate};
use crate::faults::date_ahead;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A request to the API, taken apart.
pub(super) struct Call<'a> {
    pub method: &'a Method,
    /// Below what all paths of the profile begin with.
    pub path: Vec<&'a str>,
    pub query: Vec<(String, String)>,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Call<'_> {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What kind of call it was, for the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    List,
    One,
    Attachment,
    Write,
}

/// More than any request here needs.
const LARGEST_BODY: usize = 1 << 20;

pub(super) async fn handle(State(jaggaer): State<Arc<Jaggaer>>, request: Request) -> Response {
    let cable = request.extensions().get::<ConnectInfo<Cable>>();
    let cable = cable.map(|ConnectInfo(cable)| cable.clone());
    if let Some(cable) = &cable {
        cable.set(Fate::Whole);
    }
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        let detail = "the body is too large";
        return Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", detail).into_response();
    };
    let path = head.uri.path();
    if path == "/sandbox/faults" {
        return control(&jaggaer, &head.method, &body).into_response();
    }
    if !jaggaer.settings.answer_after.is_zero() {
        tokio::time::sleep(jaggaer.settings.answer_after).await;
    }
    let profile = jaggaer.settings.profile;
    if path.starts_with(token::PATH_START) && !profile.signs_in_elsewhere() {
        return issue(&jaggaer, path, &head.method, &head.headers, &body);
    }
    if jaggaer.board.fires(Fault::SlowAnswer) {
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let switches = jaggaer.board.settings();
    let mut query = token::read_form(head.uri.query().unwrap_or_default().as_bytes());
    if switches.ignore_changes_filter {
        query.retain(|(name, _)| !matches!(name.as_str(), "updatedSince" | "flt"));
    }
    let call = Call {
        method: &head.method,
        path: path.strip_prefix(prefix(profile)).unwrap_or("-").split('/').collect(),
        query,
        headers: &head.headers,
        body: &body,
    };
    let reply = answer(&jaggaer, &call);
    let read = call.method == Method::GET && reply.status.is_success();
    // The head is shorter than this, so that what is cut is the body.
    let (head_bytes, size) = (200, reply.body.len());
    if let (true, Some(cable)) = (read && size > 3 * head_bytes, &cable)
        && jaggaer.board.fires(Fault::CutPage)
    {
        cable.set(Fate::CutAfter(head_bytes + size / 2));
    }
    let mut response = reply.into_response();
    let date = (switches.clock_ahead_seconds != 0)
        .then(|| date_ahead(switches.clock_ahead_seconds)?.parse().ok())
        .flatten();
    if let Some(date) = date {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The listener of the sign-in alone.
pub(super) async fn sign_in(State(jaggaer): State<Arc<Jaggaer>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    issue(&jaggaer, head.uri.path(), &head.method, &head.headers, &body)
}

fn issue(
    jaggaer: &Jaggaer,
    path: &str,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let reply = if method == Method::POST {
        token::issue(jaggaer, path, headers, body)
    } else {
        Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "use POST")
    };
    let mut inner = jaggaer.lock();
    inner.calls.token += 1;
    inner.calls.refused += u64::from(!reply.status.is_success());
    drop(inner);
    reply.into_response()
}

const fn prefix(profile: Profile) -> &'static str {
    match profile {
        Profile::Default | Profile::Observed => "/j1p/api/public/",
        Profile::Alternate => alternate_api::PREFIX,
    }
}

fn answer(jaggaer: &Jaggaer, call: &Call<'_>) -> Reply {
    let purpose = purpose(jaggaer.settings.profile, call);
    let mut inner = jaggaer.lock();
    let reply = match turned_away(jaggaer, &mut inner, call.headers) {
        Some(reply) => reply,
        None => {
            jaggaer.refresh(&mut inner);
            match (purpose, jaggaer.settings.profile) {
                (Purpose::Attachment, _) => file(jaggaer, call),
                (_, Profile::Default) => default_api::answer(jaggaer, &mut inner, call),
                (_, Profile::Observed) => observed_api::answer(jaggaer, &mut inner, call),
                (_, Profile::Alternate) => alternate_api::answer(jaggaer, &mut inner, call),
            }
        }
    };
    let calls = &mut inner.calls;
    match purpose {
        Purpose::List => calls.list += 1,
        Purpose::One => calls.one += 1,
        Purpose::Attachment => calls.attachment += 1,
        Purpose::Write => calls.write += 1,
    }
    calls.refused += u64::from(!reply.status.is_success());
    reply
}

fn purpose(profile: Profile, call: &Call<'_>) -> Purpose {
    match (call.method == Method::GET, profile, call.path.as_slice()) {
        (false, _, _) => Purpose::Write,
        (true, Profile::Alternate, ["ap", "vouchers", _, "files", _])
        | (true, Profile::Default | Profile::Observed, [_, _, _, _, "attachments", _]) => {
            Purpose::Attachment
        }
        (true, _, path) if path.len() <= 3 => Purpose::List,
        (true, _, _) => Purpose::One,
    }
}

/// No good token, or a fault of the way.
fn turned_away(jaggaer: &Jaggaer, inner: &mut Inner, headers: &HeaderMap) -> Option<Reply> {
    let unauthorized =
        |detail| Some(Reply::problem(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail));
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(bearer) = bearer else {
        return unauthorized("a bearer token is needed");
    };
    match inner.tokens.get(bearer) {
        Some(expires) if *expires > Instant::now() => {}
        Some(_) | None => return unauthorized("the token is unknown or has expired"),
    }
    if jaggaer.board.fires(Fault::UnauthorizedOnce) {
        inner.tokens.remove(bearer);
        return unauthorized("the token was revoked");
    }
    if jaggaer.board.fires(Fault::RateLimited) {
        let detail = "wait for Retry-After";
        let reply = Reply::problem(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", detail);
        return Some(reply.retry_after(1));
    }
    if jaggaer.board.fires(Fault::Unavailable) {
        let detail = "try again later";
        return Some(Reply::problem(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", detail));
    }
    None
}

/// `.../ji/v1/invoices/{id}/attachments/{file}`, or `.../ap/vouchers/{id}/files/{file}`.
fn file(jaggaer: &Jaggaer, call: &Call<'_>) -> Reply {
    let (invoice, file) = match call.path.as_slice() {
        ["ji", "v1", "invoices", invoice, "attachments", file] => (invoice, file),
        ["ap", "vouchers", invoice, "files", file] => {
            if let Some(reply) = alternate_api::wrong_headers(call) {
                return reply;
            }
            (invoice, file)
        }
        _ => return not_found("no such path"),
    };
    match feed::attachment(&jaggaer.world, invoice, file) {
        Some(file) => Reply::new(StatusCode::OK, file.content_type, file.bytes),
        None => not_found("no such file"),
    }
}

pub(super) fn not_found(detail: &str) -> Reply {
    Reply::problem(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
}

/// `GET` and `PUT /sandbox/faults`: the switchboard itself, without sign-in.
fn control(jaggaer: &Jaggaer, method: &Method, body: &[u8]) -> Reply {
    if method == Method::PUT {
        match serde_json::from_slice::<Faults>(body) {
            Ok(faults) => jaggaer.board.set(faults),
            Err(error) => {
                let detail = error.to_string();
                return Reply::problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &detail);
            }
        }
    }
    match serde_json::to_vec(&jaggaer.board.settings()) {
        Ok(body) => Reply::json(body),
        Err(error) => {
            let detail = error.to_string();
            Reply::problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", &detail)
        }
    }
}
