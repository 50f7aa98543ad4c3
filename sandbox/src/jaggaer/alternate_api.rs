//! The calls of the alternate profile: a tenant and a version in headers, `offset` and `limit`,
//! a `Link` for partners, positions by a call of their own, and errors inside a 200.

use super::alternate_form::local;
use super::default_api::kept;
use super::feed::{Entry, List};
use super::offset::{Window, window};
use super::reply::Reply;
use super::service::{Call, not_found};
use super::{Fault, Inner, Jaggaer, StatusReport};
use axum::http::{Method, StatusCode, header};
use serde_json::json;
use std::fmt::Write as _;

pub(super) const PREFIX: &str = "/api/v2/";
pub(super) const TOKEN_PATH: &str = "/realms/procurement/protocol/openid-connect/token";
pub(super) const SCOPE: &str = "erp.read erp.write";
const TENANT: &str = "nordlys";
const VERSION: &str = "application/vnd.buyer.v2+json";
const LARGEST_PAGE: usize = 50;

pub(super) fn answer(jaggaer: &Jaggaer, inner: &mut Inner, call: &Call<'_>) -> Reply {
    if let Some(reply) = wrong_headers(call) {
        return reply;
    }
    match (call.method, call.path.as_slice()) {
        (&Method::GET, _) => {}
        (&Method::PATCH, ["ap", "vouchers", id]) => return pay(jaggaer, inner, id, call),
        _ => {
            let detail = "use GET, or PATCH of a voucher";
            return Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail);
        }
    }
    let asked = match call.path.as_slice() {
        ["orders"] => page(jaggaer, inner, List::Orders, call),
        ["ap", "vouchers"] => page(jaggaer, inner, List::Invoices, call),
        ["partners"] => partners(jaggaer, inner, call),
        ["ap", "vouchers", id, "positions"] => match inner.feeds.find(List::Invoices, id) {
            Some(entry) => Ok(Reply::json(entry.one.as_bytes())),
            None => Ok(not_found("no such voucher")),
        },
        _ => Ok(not_found("no such path")),
    };
    asked.unwrap_or_else(|message| Reply::problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &message))
}

/// Whose data, and in which version. A file is not of a version.
pub(super) fn wrong_headers(call: &Call<'_>) -> Option<Reply> {
    let has = |name: &str, value: &str| call.headers.get(name).is_some_and(|of| of == value);
    if !has("x-tenant", TENANT) {
        let detail = "X-Tenant names no tenant of this client";
        return Some(Reply::problem(StatusCode::FORBIDDEN, "NO_TENANT", detail));
    }
    let file = matches!(call.path.as_slice(), ["ap", "vouchers", _, "files", _]);
    (!file && !has(header::ACCEPT.as_str(), VERSION)).then(|| {
        let detail = format!("this server speaks {VERSION}");
        Reply::problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", &detail)
    })
}

/// `{"payment": {"state": "SETTLED", "on": "27.10.2026"}}`, and nothing else.
fn pay(jaggaer: &Jaggaer, inner: &mut Inner, id: &str, call: &Call<'_>) -> Reply {
    if inner.feeds.find(List::Invoices, id).is_none() {
        return not_found("no such voucher");
    }
    let refuse = |message: &str| {
        Reply::json(json!({ "status": "REJECTED", "message": message }).to_string())
    };
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(call.body) else {
        return refuse("the body is not JSON");
    };
    let payment = match body.as_object().map(|of| (of.len(), of.get("payment"))) {
        Some((1, Some(payment))) => payment,
        _ => return refuse("a voucher takes a payment alone"),
    };
    let on = payment["on"].as_str().unwrap_or_default();
    if jiff::civil::Date::strptime("%d.%m.%Y", on).is_err() {
        return refuse("on is a day such as 27.10.2026");
    }
    let status = match payment["state"].as_str() {
        Some("SETTLED") => "Paid",
        Some("PARTIAL") => "PartiallyPaid",
        Some("OPEN") => "Payable",
        _ => return refuse("state is OPEN, PARTIAL or SETTLED"),
    };
    jaggaer.world.edit_invoice(id, |invoice| invoice.payment = status.into());
    inner.reports.push(StatusReport {
        entity: "vouchers".into(),
        source_id: id.into(),
        about: "payment".into(),
        body,
    });
    kept(jaggaer, Reply::json(json!({ "status": "OK" }).to_string()))
}

/// HTTP 200 that is none.
fn failed() -> Reply {
    Reply::json(json!({ "status": "ERROR", "message": "temporarily not available" }).to_string())
}

/// What a list is asked for.
struct Wanted<'a> {
    offset: usize,
    limit: usize,
    /// In the clock's own time; later ones are meant.
    after: Option<String>,
    kind: Option<&'static str>,
    /// The partner that the page before ended with.
    from: Option<&'a str>,
}

fn read<'a>(call: &'a Call<'_>, list: List) -> Result<Wanted<'a>, String> {
    let mut wanted = Wanted { offset: 0, limit: LARGEST_PAGE, after: None, kind: None, from: None };
    let mut role = false;
    for (name, value) in &call.query {
        match (name.as_str(), list) {
            ("offset", List::Orders | List::Invoices) => {
                wanted.offset = value.parse().map_err(|_| "offset is not a number")?;
            }
            ("limit", _) => {
                wanted.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
                    .ok_or_else(|| format!("limit is not between 1 and {LARGEST_PAGE}"))?;
            }
            ("filter[modified_gt]", _) => {
                let read = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", value);
                read.map_err(|_| "filter[modified_gt] is not like 2026-09-28 12:05:00")?;
                wanted.after = Some(value.clone());
            }
            ("document_kind", List::Invoices) => {
                wanted.kind = Some(match value.as_str() {
                    "invoice" => "Invoice",
                    "credit" => "CreditMemo",
                    _ => return Err("document_kind is invoice or credit".into()),
                });
            }
            ("role", List::Suppliers) if value == "vendor" => role = true,
            ("after", List::Suppliers) => wanted.from = Some(value),
            (other, _) => return Err(format!("unknown parameter {other}")),
        }
    }
    match list {
        List::Invoices if wanted.kind.is_none() => Err("document_kind is needed".into()),
        List::Suppliers if !role => Err("role=vendor is needed".into()),
        List::Orders | List::Invoices | List::Suppliers | List::Receipts | List::Contracts => {
            Ok(wanted)
        }
    }
}

impl Wanted<'_> {
    /// As a database would that keeps the clock's time: to the second, and without a zone.
    fn fits(&self, entry: &Entry) -> bool {
        let later = self.after.as_ref().is_none_or(|after| local(entry.updated_ms) > *after);
        let kind = |kind: &str| entry.words.iter().any(|(name, is)| *name == "type" && is == kind);
        later && self.kind.is_none_or(kind)
    }
}

fn page(
    jaggaer: &Jaggaer,
    inner: &mut Inner,
    list: List,
    call: &Call<'_>,
) -> Result<Reply, String> {
    let wanted = read(call, list)?;
    if jaggaer.board.fires(Fault::ErrorInside) {
        return Ok(failed());
    }
    let fits = |entry: &Entry| wanted.fits(entry);
    let Window { rows, total } = window(jaggaer, inner, list, wanted.offset, wanted.limit, &fits);
    let (offset, limit) = (wanted.offset, wanted.limit);
    let meta = json!({ "total": total, "offset": offset, "limit": limit });
    Ok(Reply::json(body(&meta, &rows)))
}

fn body(meta: &serde_json::Value, rows: &[&Entry]) -> String {
    let mut body = format!("{{\"status\":\"OK\",\"meta\":{meta},\"data\":[");
    for (index, entry) in rows.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(body, "{comma}{}", entry.row);
    }
    body.push_str("]}");
    body
}

/// By id, and on from the last one: nothing slips by when a partner changes.
fn partners(jaggaer: &Jaggaer, inner: &mut Inner, call: &Call<'_>) -> Result<Reply, String> {
    let wanted = read(call, List::Suppliers)?;
    if jaggaer.board.fires(Fault::ErrorInside) {
        return Ok(failed());
    }
    let mut fitting: Vec<&Entry> = inner
        .feeds
        .list(List::Suppliers)
        .iter()
        .filter(|entry| wanted.fits(entry))
        .filter(|entry| wanted.from.is_none_or(|from| entry.id.as_str() > from))
        .collect();
    fitting.sort_by(|a, b| a.id.cmp(&b.id));
    let more = fitting.len() > wanted.limit;
    fitting.truncate(wanted.limit);
    let mut reply = Reply::json(body(&json!({ "limit": wanted.limit }), &fitting));
    if let (true, Some(last)) = (more, fitting.last()) {
        let host = call.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let mut link = format!("<http://{}{PREFIX}partners?role=vendor", host.unwrap_or_default());
        let _ = write!(link, "&limit={}&after={}", wanted.limit, last.id);
        if let Some(after) = &wanted.after {
            let _ = write!(link, "&filter%5Bmodified_gt%5D={}", after.replace(' ', "%20"));
        }
        reply.link = Some(format!("{link}>; rel=\"next\""));
    }
    Ok(reply)
}
