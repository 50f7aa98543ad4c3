//! From the web framework to the desk and back: every call passes the gate, the switchboard and the book.

use super::reply::{Reply, pairs};
use super::routes::{self, Action};
use super::{Call, Desk, Visma, attachment, background, gate, token};
use crate::faults::cable::{Cable, Fate};
use crate::faults::{Fault, date_ahead};
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

const LARGEST_BODY: usize = 64 << 20;

/// What the switchboard does to the connection that carries the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carriage {
    Whole,
    Lost,
    Cut,
    Slow,
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(String::from)
}

pub(crate) async fn handle(State(visma): State<Arc<Visma>>, request: Request) -> Response {
    let cable =
        request.extensions().get::<ConnectInfo<Cable>>().map(|ConnectInfo(cable)| cable.clone());
    if let Some(cable) = &cable {
        cable.set(Fate::Whole);
    }
    let headers = request.headers().clone();
    let path = request.uri().path().to_owned();
    let query = pairs(request.uri().query().unwrap_or_default());
    let method = match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "OTHER",
    };
    let with_file = matches!(
        routes::find(method, &path),
        Ok(((_, _, Action::Attach | Action::AttachToLine), _))
    );
    let (body, upload) = if with_file {
        let upload = match Multipart::from_request(request, &()).await {
            Ok(form) => attachment::read(form).await,
            Err(_) => attachment::Upload::Refused("The request is not multipart/form-data."),
        };
        (Vec::new(), Some(upload))
    } else {
        match axum::body::to_bytes(request.into_body(), LARGEST_BODY).await {
            Ok(bytes) => (bytes.to_vec(), None),
            Err(_) => return respond(Reply::empty(413)),
        }
    };
    let call = Call {
        method,
        path,
        query,
        body,
        upload,
        if_match: header(&headers, "if-match"),
        background: headers.contains_key("erp-api-background"),
        is_subscribed: header(&headers, "erp-api-background")
            .is_some_and(|value| value.starts_with("subscription")),
        host: header(&headers, "host").unwrap_or_else(|| "localhost".into()),
    };
    let (reply, carriage) = visma.answer(call, &headers);
    visma.send_letters();
    if reply.status == 202 {
        visma.run_jobs_later();
    }
    if !visma.settings.answer_after.is_zero() {
        tokio::time::sleep(visma.settings.answer_after).await;
    }
    carry(reply, carriage, cable.as_ref())
}

/// Sends the answer, or what the switchboard leaves of it.
fn carry(reply: Reply, carriage: Carriage, cable: Option<&Cable>) -> Response {
    let size = reply.body.len();
    // Status line, date, length and the empty line, as the server writes them.
    let head = 74
        + size.to_string().len()
        + reply.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
    let fate = match carriage {
        Carriage::Whole => Fate::Whole,
        Carriage::Lost => Fate::Lost,
        Carriage::Cut => Fate::CutAfter(head + size / 2),
        Carriage::Slow => {
            Fate::Slow { bytes: (head + size) / 6 + 1, pause: Duration::from_millis(40) }
        }
    };
    match (cable, fate) {
        (_, Fate::Whole) => {}
        (Some(cable), fate) => cable.set(fate),
        (None, Fate::Slow { .. }) => {}
        // Without a cable only unwinding the connection's task keeps the status line off the wire.
        (None, Fate::Lost | Fate::CutAfter(_)) => {
            std::panic::resume_unwind(Box::new("connection broken on purpose"))
        }
    }
    respond(reply)
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Visma {
    fn answer(&self, call: Call, headers: &HeaderMap) -> (Reply, Carriage) {
        self.with_desk(|desk| {
            if (call.method, call.path.as_str()) == ("POST", "/connect/token") {
                let content_type = header(headers, "content-type").unwrap_or_default();
                let form = String::from_utf8_lossy(&call.body);
                let reply = token::issue(
                    desk.state,
                    desk.settings,
                    desk.board,
                    &content_type,
                    &form,
                    desk.now,
                );
                desk.count("POST", "/connect/token", reply.status);
                return (reply, Carriage::Whole);
            }
            let (method, template) = match routes::find(call.method, &call.path) {
                Ok(((method, template, _), _)) => (*method, *template),
                Err(_) => (call.method, "unknown"),
            };
            let (mut reply, carriage) = desk.pass(call, headers);
            // Status 0: the caller got no answer.
            desk.count(method, template, if carriage == Carriage::Lost { 0 } else { reply.status });
            reply.headers.extend(desk.state.allowance.headers(desk.settings, desk.now));
            let ahead = desk.board.settings().clock_ahead_seconds;
            if ahead != 0 {
                reply.headers.extend(date_ahead(ahead).map(|date| ("date", date)));
            }
            (reply, carriage)
        })
    }
}

impl Desk<'_> {
    fn count(&mut self, method: &'static str, template: &'static str, status: u16) {
        *self.state.counts.entry((method, template, status)).or_insert(0) += 1;
    }

    fn pass(&mut self, mut call: Call, headers: &HeaderMap) -> (Reply, Carriage) {
        self.state.calls += 1;
        let whole = |reply| (reply, Carriage::Whole);
        if let Err(wait) = self.state.allowance.take(self.settings, self.now) {
            return whole(
                Reply::message(429, "Rate limit is exceeded. Try again later.")
                    .with("retry-after", wait.to_string()),
            );
        }
        if let Err(reply) = self.admit(&call, headers) {
            return whole(reply);
        }
        let action = match routes::find(call.method, &call.path) {
            Ok(((_, _, action), _)) => *action,
            Err(status) => {
                return whole(if status == 404 {
                    Reply::not_found()
                } else {
                    Reply::empty(status)
                });
            }
        };
        let wants_json =
            call.upload.is_none() && (!call.body.is_empty() || matches!(call.method, "PUT"));
        if wants_json
            && !header(headers, "content-type")
                .is_some_and(|kind| kind.starts_with("application/json"))
        {
            return whole(Reply::message(
                415,
                "The request entity's media type is not supported for this resource.",
            ));
        }
        let read = call.method == "GET";
        let write = fingerprint(&call);
        let strikes = |desk: &Self, fault| {
            if read { desk.board.fires(fault) } else { desk.board.fires_on(fault, write) }
        };
        if !read && strikes(self, Fault::DropBeforeCommit) {
            return (Reply::empty(500), Carriage::Lost);
        }
        if strikes(self, Fault::ServerErrorBeforeCommit) {
            return whole(Reply::message(500, "An error has occurred."));
        }
        if self.board.settings().ignore_changes_filter {
            call.query.retain(|(name, _)| !name.starts_with("lastModifiedDateTime"));
        }
        self.run_jobs(false);
        if call.if_match.is_some() && self.board.fires_on(Fault::PreconditionFailed, write) {
            self.touch(&call);
        }
        let about_jobs = matches!(action, Action::JobState | Action::JobContent);
        let reply = if call.background && !about_jobs {
            self.take_in(call, action)
        } else {
            self.carry_out(&call)
        };
        if read {
            let carriage = match reply.status {
                200 if self.board.fires(Fault::CutBody) => Carriage::Cut,
                200 if self.board.fires(Fault::SlowBody) => Carriage::Slow,
                _ => Carriage::Whole,
            };
            return (reply, carriage);
        }
        match reply.status {
            200..=299 if strikes(self, Fault::LostAnswerAfterCommit) => (reply, Carriage::Lost),
            200..=299 if strikes(self, Fault::ServerErrorAfterCommit) => {
                whole(Reply::message(500, "An error has occurred."))
            }
            400 if strikes(self, Fault::BusinessRefusalAsServerError) => {
                whole(Reply { status: 500, ..reply })
            }
            _ => whole(reply),
        }
    }

    /// Token, tenant, scope, and the faults that stand for them.
    fn admit(&mut self, call: &Call, headers: &HeaderMap) -> Result<(), Reply> {
        let given = header(headers, "authorization").unwrap_or_default();
        let given = given.strip_prefix("Bearer ").unwrap_or_default();
        let token = self
            .state
            .tokens
            .get_mut(given)
            .filter(|token| token.expires > self.now)
            .ok_or_else(Reply::unauthorized)?;
        let tenant = self.settings.tenant_header.as_deref().and_then(|name| header(headers, name));
        gate::tenant(self.settings, token, tenant.as_deref())?;
        let template =
            routes::find(call.method, &call.path).map_or("", |((_, template, _), _)| template);
        if !token.scopes.iter().any(|scope| scope == gate::scope(call.method, template)) {
            return Err(Reply::message(403, "The application is not allowed to do this."));
        }
        token.used += 1;
        // A token that has just been given out works for a while: two refusals in a row mean something else.
        if token.used > 5 && self.board.fires(Fault::UnauthorizedOnce) {
            self.state.tokens.remove(given);
            return Err(Reply::unauthorized());
        }
        let closed = self.board.settings().forbidden_path;
        if closed.is_some_and(|path| call.path.starts_with(&path))
            || self.board.fires(Fault::Forbidden)
        {
            return Err(Reply::message(403, "The application is not allowed to do this."));
        }
        if self.board.fires(Fault::RateLimited) {
            return Err(Reply::message(429, "Rate limit is exceeded. Try again later.")
                .with("retry-after", "1".into()));
        }
        if self.board.fires(Fault::RateLimitedWithoutRetryAfter) {
            return Err(Reply::message(429, "Rate limit is exceeded. Try again later."));
        }
        Ok(())
    }

    /// Takes a background call in. A release looks at `If-Match` at once, and again when it runs.
    fn take_in(&mut self, call: Call, action: Action) -> Reply {
        if action == Action::ReleaseInvoice
            && let Some(row) = self.target(&call)
            && let Err(refusal) = call.check_version(row)
        {
            return refusal.into();
        }
        let silence = if self.board.fires(Fault::SilenceAfterWork) {
            background::Silence::AfterWork
        } else if self.board.fires(Fault::SilenceWithoutWork) {
            background::Silence::WithoutWork
        } else {
            background::Silence::Talks
        };
        background::accept(self.state, call, silence, self.now)
    }

    fn invoice_key(call: &Call) -> Option<(&'static str, String)> {
        let ((_, template, _), parts) = routes::find(call.method, &call.path).ok()?;
        let typed = template.contains("{type}");
        let kind =
            if typed { super::invoice_write::document_type(parts.first()?)? } else { "Invoice" };
        template.starts_with("/v1/supplierInvoice").then(|| {
            (
                kind,
                parts
                    .get(usize::from(typed))
                    .map_or_else(String::new, |number| (*number).to_owned()),
            )
        })
    }

    /// The version of the row that the call names.
    fn target(&self, call: &Call) -> Option<u64> {
        Self::invoice_key(call)
            .and_then(|key| self.state.invoices.get(&key))
            .map(|row| row.live.version)
    }

    /// Someone else saves the row just before the caller does.
    fn touch(&mut self, call: &Call) {
        if let Some(key) = Self::invoice_key(call) {
            if let Some(invoice) = self.state.invoices.get(&key).map(|row| row.live.doc.clone()) {
                self.change_invoice_row(&key, invoice);
            }
            return;
        }
        let stamp = self.stamp();
        if let Some(row) = call
            .path
            .strip_prefix("/v1/purchaseorder/")
            .and_then(|number| self.state.orders.get_mut(number))
        {
            let order = row.live.doc.clone();
            row.change(order, stamp, None);
        }
    }
}

/// The same for the same write sent again.
fn fingerprint(call: &Call) -> u64 {
    let mut hasher = DefaultHasher::new();
    (call.method, &call.path, &call.body).hash(&mut hasher);
    if let Some(attachment::Upload::File { name, .. }) = &call.upload {
        name.hash(&mut hasher);
    }
    hasher.finish()
}
