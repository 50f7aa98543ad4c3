//! The calls of the default profile: lists by cursor, single records, status written back.

use super::feed::{Entry, List};
use super::reply::Reply;
use super::service::{Call, not_found};
use super::{Fault, Inner, Jaggaer, StatusReport};
use axum::http::{Method, StatusCode};
use serde_json::Value;
use std::fmt::Write as _;

const LARGEST_PAGE: usize = 200;

pub(super) fn answer(jaggaer: &Jaggaer, inner: &mut Inner, call: &Call<'_>) -> Reply {
    let ["ji", "v1", entity, rest @ ..] = call.path.as_slice() else {
        return not_found("no such path");
    };
    let list = match *entity {
        "purchase-orders" => List::Orders,
        "invoices" => List::Invoices,
        "suppliers" => List::Suppliers,
        "receipts" => List::Receipts,
        "contracts" => List::Contracts,
        _ => return not_found("no such path"),
    };
    match (call.method, rest) {
        (&Method::GET, []) => page(jaggaer, inner, list, call),
        (&Method::GET, [id]) => match inner.feeds.find(list, id) {
            Some(entry) => Reply::json(entry.one.as_bytes()),
            None => not_found("no such record"),
        },
        (&Method::POST, [id, about]) => report(jaggaer, inner, list, (*entity, *id, *about), call),
        (_, _) => Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "no"),
    }
}

fn bad(detail: &str) -> Reply {
    Reply::problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail)
}

/// Names of the filters that compare a word, by list.
const fn word_filters(list: List) -> &'static [&'static str] {
    match list {
        List::Orders => &["businessUnit", "status"],
        List::Invoices => &["businessUnit", "workflowStatus", "type"],
        List::Suppliers => &["businessUnit", "supplierNumber", "orgNumber"],
        List::Receipts => &[],
        List::Contracts => &["status"],
    }
}

/// What a list is asked for.
#[derive(Default)]
struct Wanted<'a> {
    since: Option<i64>,
    before: Option<i64>,
    words: Vec<(&'a str, &'a str)>,
    limit: usize,
    with_total: bool,
    cursor: Option<&'a str>,
    /// All filters as text: a cursor is good for the same ones only.
    filters: String,
}

fn read<'a>(call: &'a Call<'_>, list: List, page_size: usize) -> Result<Wanted<'a>, String> {
    let mut wanted = Wanted { limit: page_size, ..Wanted::default() };
    let instant = |name: &str, value: &str| {
        value
            .parse::<jiff::Timestamp>()
            .map(|at| at.as_millisecond())
            .map_err(|_| format!("{name} is not an RFC 3339 instant in UTC"))
    };
    for (name, value) in &call.query {
        match name.as_str() {
            "updatedSince" => wanted.since = Some(instant(name, value)?),
            "updatedBefore" => wanted.before = Some(instant(name, value)?),
            "cursor" => wanted.cursor = Some(value),
            "limit" => {
                wanted.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
                    .ok_or_else(|| format!("limit is not between 1 and {LARGEST_PAGE}"))?;
            }
            "includeTotal" => {
                wanted.with_total = value.parse().map_err(|_| "includeTotal is not a boolean")?;
            }
            other if word_filters(list).contains(&other) => wanted.words.push((name, value)),
            other => return Err(format!("unknown query parameter {other}")),
        }
        if !matches!(name.as_str(), "cursor" | "limit" | "includeTotal") {
            let _ = write!(wanted.filters, "{name}={value}&");
        }
    }
    Ok(wanted)
}

impl Wanted<'_> {
    fn fits(&self, entry: &Entry) -> bool {
        self.since.is_none_or(|since| entry.updated_ms >= since)
            && self.before.is_none_or(|before| entry.updated_ms < before)
            && self.words.iter().all(|(name, values)| {
                let word = entry.words.iter().find(|(known, _)| known == name);
                word.is_none_or(|(_, word)| values.split(',').any(|value| value == word))
            })
    }
}

/// Where the page before ended: `hex("stamp|id|filters")`.
fn cursor(entry: &Entry, filters: &str) -> String {
    let plain = format!("{}|{}|{filters}", entry.updated_ms, entry.id);
    plain.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn read_cursor(text: &str) -> Option<(i64, String, String)> {
    let bytes = (0..text.len())
        .step_by(2)
        .map(|index| u8::from_str_radix(text.get(index..index + 2)?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    let plain = String::from_utf8(bytes).ok()?;
    let mut parts = plain.splitn(3, '|');
    Some((parts.next()?.parse().ok()?, parts.next()?.into(), parts.next()?.into()))
}

fn page(jaggaer: &Jaggaer, inner: &mut Inner, list: List, call: &Call<'_>) -> Reply {
    let wanted = match read(call, list, jaggaer.settings.page_size.min(LARGEST_PAGE)) {
        Ok(wanted) => wanted,
        Err(detail) => return bad(&detail),
    };
    let after = match wanted.cursor {
        None => None,
        Some(text) => match read_cursor(text) {
            Some((_, _, filters)) if filters != wanted.filters => {
                return bad("the cursor belongs to other filters");
            }
            Some((stamp, id, _)) => {
                if jaggaer.board.fires(Fault::CursorGone) {
                    let detail = "the cursor is too old: begin again";
                    return Reply::problem(StatusCode::GONE, "CURSOR_GONE", detail);
                }
                Some((stamp, id))
            }
            None => return bad("the cursor was not made here"),
        },
    };
    if after.is_some() && jaggaer.board.fires(Fault::MovedRecord) {
        let next = inner.feeds.list(list).iter().find(|entry| is_after(entry, after.as_ref()));
        if let Some(id) = next.map(|entry| entry.id.clone()) {
            jaggaer.world.bump(&id);
            jaggaer.refresh(inner);
        }
    }
    if after.is_some() && jaggaer.board.fires(Fault::ChangedWhilePaging) {
        let mut read = inner.feeds.list(list).iter().filter(|entry| wanted.fits(entry));
        let first = read.next().filter(|entry| !is_after(entry, after.as_ref()));
        if let Some(id) = first.map(|entry| entry.id.clone()) {
            jaggaer.world.bump(&id);
            jaggaer.refresh(inner);
        }
    }
    let fitting = || inner.feeds.list(list).iter().filter(|entry| wanted.fits(entry));
    let mut rows: Vec<&Entry> =
        fitting().filter(|entry| is_after(entry, after.as_ref())).take(wanted.limit + 1).collect();
    let more = rows.len() > wanted.limit;
    rows.truncate(wanted.limit);
    let next = rows.last().filter(|_| more).map(|last| cursor(last, &wanted.filters));
    let again = rows.first().copied().filter(|_| jaggaer.board.fires(Fault::RepeatedRecord));
    let length: usize = rows.iter().map(|entry| entry.row.len() + 1).sum();
    let mut body = String::with_capacity(length + 200);
    body.push_str("{\"items\":[");
    for (index, entry) in rows.iter().copied().chain(again).enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&entry.row);
    }
    match next {
        Some(next) => {
            let _ = write!(body, "],\"nextCursor\":\"{next}\"");
        }
        None => body.push_str("],\"nextCursor\":null"),
    }
    if wanted.with_total {
        let _ = write!(body, ",\"totalCount\":{}", fitting().count());
    }
    body.push('}');
    Reply::json(body)
}

fn is_after(entry: &Entry, after: Option<&(i64, String)>) -> bool {
    after.is_none_or(|(stamp, id)| (entry.updated_ms, &entry.id) > (*stamp, id))
}

/// `POST .../{id}/erp-status` and `.../payment-status`.
fn report(
    jaggaer: &Jaggaer,
    inner: &mut Inner,
    list: List,
    at: (&str, &str, &str),
    call: &Call<'_>,
) -> Reply {
    let (entity, id, about) = at;
    let statuses: &[&str] = match (list, about) {
        (List::Orders | List::Invoices, "erp-status") => {
            &["Received", "Created", "Updated", "Failed", "Cancelled"]
        }
        (List::Invoices, "payment-status") => {
            &["Payable", "InProcess", "OnHold", "PartiallyPaid", "Paid", "Cancelled"]
        }
        (List::Orders | List::Invoices | List::Suppliers | List::Receipts | List::Contracts, _) => {
            return not_found("no such path");
        }
    };
    if inner.feeds.find(list, id).is_none() {
        return not_found("no such record");
    }
    let done = || Reply::new(StatusCode::NO_CONTENT, "", Vec::new());
    let key = call.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.map(|key| format!("{entity}/{id}/{about}/{key}"));
    if let Some((body, _)) = key.as_ref().and_then(|key| inner.answered.get(key)) {
        if body == call.body {
            return done();
        }
        let detail = "the key was used for another body";
        return Reply::problem(StatusCode::CONFLICT, "IDEMPOTENCY_KEY_REUSED", detail);
    }
    let Ok(body) = serde_json::from_slice::<Value>(call.body) else {
        return bad("the body is not JSON");
    };
    let member = if about == "erp-status" { "status" } else { "paymentStatus" };
    let known = body[member].as_str().is_some_and(|status| statuses.contains(&status));
    let dated = body["occurredAt"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok());
    if !known || !dated {
        return bad(&format!("{member} and occurredAt are needed"));
    }
    if let Some(key) = key {
        inner.answered.insert(key, (call.body.to_vec(), 204));
    }
    // The record is another one from now on, and comes again with the next poll.
    match body["paymentStatus"].as_str() {
        Some(status) => {
            jaggaer.world.edit_invoice(id, |invoice| invoice.payment = status.into());
        }
        None => jaggaer.world.bump(id),
    }
    inner.reports.push(StatusReport {
        entity: entity.into(),
        source_id: id.into(),
        about: about.into(),
        body,
    });
    kept(jaggaer, done())
}

/// The answer to what was kept, if it arrives.
pub(super) fn kept(jaggaer: &Jaggaer, reply: Reply) -> Reply {
    if jaggaer.board.fires(Fault::LostReport) {
        let detail = "something went wrong here";
        return Reply::problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", detail);
    }
    reply
}
