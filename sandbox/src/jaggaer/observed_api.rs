//! The calls of the observed profile: 1-based offset, headers in the list, a detail for each
//! document, and errors inside a 200.

use super::feed::{Entry, List};
use super::offset::{Window, window};
use super::reply::Reply;
use super::service::{Call, not_found};
use super::{Fault, Inner, Jaggaer};
use crate::world::time::read_compact;
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::fmt::Write as _;

pub(super) fn answer(jaggaer: &Jaggaer, inner: &mut Inner, call: &Call<'_>) -> Reply {
    if call.method != Method::GET {
        return Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "use GET");
    }
    let (list, rest) = match call.path.as_slice() {
        ["ji", "v1", "purchase-orders", rest @ ..] => (List::Orders, rest),
        ["ji", "v1", "invoices", rest @ ..] => (List::Invoices, rest),
        ["ja", "v1", "companyprofiles", rest @ ..] => (List::Suppliers, rest),
        _ => return not_found("no such path"),
    };
    match rest {
        [] => page(jaggaer, inner, list, call),
        [id] => match inner.feeds.find(list, id) {
            Some(entry) => Reply::json(entry.one.as_bytes()),
            None => not_found("no such record"),
        },
        _ => not_found("no such path"),
    }
}

/// HTTP 200 that is none.
fn failed(list: List, code: i64, message: &str) -> Reply {
    let body = match list {
        List::Suppliers => json!({ "returnCode": code.to_string(), "returnMessage": message }),
        List::Orders | List::Invoices | List::Receipts | List::Contracts => {
            json!({ "returnCode": code, "returnMessage": message })
        }
    };
    Reply::json(body.to_string())
}

/// One condition of `flt`: `LASTMODTIME>=20260901000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Condition {
    at_ms: i64,
    later: bool,
    inclusive: bool,
}

impl Condition {
    fn read(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("LASTMODTIME")?;
        let (later, rest) = match rest.strip_prefix('>') {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix('<')?),
        };
        let (inclusive, stamp) = match rest.strip_prefix('=') {
            Some(stamp) => (true, stamp),
            None => (false, rest),
        };
        Some(Self { at_ms: read_compact(stamp)?, later, inclusive })
    }

    /// The stamp is compared at the precision that the filter has: whole seconds.
    fn fits(self, entry: &Entry) -> bool {
        let seconds = entry.updated_ms.div_euclid(1000);
        let at = self.at_ms.div_euclid(1000);
        (self.inclusive && seconds == at) || if self.later { seconds > at } else { seconds < at }
    }
}

fn page(jaggaer: &Jaggaer, inner: &mut Inner, list: List, call: &Call<'_>) -> Reply {
    let Ok(start) = call.get("start").unwrap_or("1").parse::<usize>() else {
        return failed(list, 110, "start is not a number");
    };
    let conditions = call.get("flt").map_or(Some(Vec::new()), |filter| {
        filter.split(';').map(Condition::read).collect::<Option<Vec<_>>>()
    });
    let Some(conditions) = conditions else {
        return failed(list, 111, "flt cannot be read");
    };
    if start == 0 {
        return failed(list, 110, "start begins at 1");
    }
    if jaggaer.board.fires(Fault::ErrorInside) {
        return failed(list, -1, "temporarily not available");
    }
    let fits = |entry: &Entry| conditions.iter().all(|condition| condition.fits(entry));
    let size = jaggaer.settings.page_size;
    let Window { rows, total } = window(jaggaer, inner, list, start - 1, size, &fits);
    Reply::json(body(list, &rows, start, total))
}

fn body(list: List, rows: &[&Entry], start: usize, total: usize) -> String {
    let length: usize = rows.iter().map(|entry| entry.row.len() + 1).sum();
    let mut body = String::with_capacity(length + 300);
    let returned = rows.len();
    let end = match list {
        List::Orders | List::Invoices | List::Receipts | List::Contracts => {
            let _ = write!(
                body,
                "{{\"returnCode\":0,\"returnMessage\":\"\",\"totRecords\":{total},\
                 \"returnedRecords\":{returned},\"startAt\":{start},"
            );
            let (outer, inside) = match list {
                List::Orders => ("jipurchaseorderList", "jipurchaseorder"),
                List::Invoices | List::Suppliers | List::Receipts | List::Contracts => {
                    ("jiinvoiceList", "jiinvoice")
                }
            };
            let _ = write!(body, "\"{outer}\":{{\"{inside}\":[");
            "]}}"
        }
        // In `ja` the code and the counts are texts.
        List::Suppliers => {
            let _ = write!(
                body,
                "{{\"returnCode\":\"0\",\"returnMessage\":\"OK\",\"totRecords\":\"{total}\",\
                 \"returnedRecords\":\"{returned}\",\"startAt\":\"{start}\",\
                 \"returnCompanyData\":["
            );
            "]}"
        }
    };
    for (index, entry) in rows.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&entry.row);
    }
    body.push_str(end);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        let at_ms = read_compact("20260901000000").expect("a stamp");
        let condition = Condition { at_ms, later: true, inclusive: true };
        for (text, expected) in [
            ("LASTMODTIME>=20260901000000", Some(condition)),
            ("LASTMODTIME>20260901", Some(Condition { inclusive: false, ..condition })),
            ("LASTMODTIME<=20260901", Some(Condition { later: false, ..condition })),
            ("LASTMODTIME=20260901", None),
            ("NAME>=20260901", None),
            ("LASTMODTIME>=2026-09-01", None),
        ] {
            assert_eq!(Condition::read(text), expected, "{text}");
        }
    }
}
