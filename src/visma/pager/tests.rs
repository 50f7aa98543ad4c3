use super::*;
use crate::visma::testing::{Reply, Server};
use crate::visma::{InvoiceFilter, ReceiptFilter};
use serde_json::json;

/// A supplier row; `total` absent where the list tells no counts.
fn row(number: usize, total: Option<usize>) -> Value {
    let mut row = json!({
        "number": number.to_string(),
        "name": format!("S{number}"),
        "timeStamp": "A",
        "lastModifiedDateTime": format!("2026-11-12T07:{:02}:00.5", number % 60),
        "errorInfo": "",
    });
    if let Some(total) = total {
        row["metadata"] = json!({"totalCount": total, "maxPageSize": 500});
    }
    row
}

fn page_number(target: &str) -> usize {
    let (_, rest) = target.split_once("pageNumber=").expect("paged");
    rest.split('&').next().and_then(|n| n.parse().ok()).expect("a number")
}

/// Serves `rows` in pages of `size`, whatever size was asked for.
fn paged(rows: &[Value], size: usize, page: usize) -> Reply {
    let start = ((page - 1) * size).min(rows.len());
    let end = (start + size).min(rows.len());
    Reply::json(&json!(rows[start..end]).to_string())
}

async fn read(server: &Server) -> (Vec<String>, bool, Option<String>) {
    let mut pager = server.client().suppliers(None);
    let mut numbers = Vec::new();
    while let Some(page) = pager.next().await.expect("a page") {
        numbers.extend(page.rows.into_iter().map(|supplier| supplier.number));
    }
    (numbers, pager.complete(), pager.newest().map(str::to_owned))
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn a_cut_page_size_loses_nothing() {
    let server = Server::signed_in(|heard, _| {
        let rows: Vec<_> = (0..7).map(|n| row(n, Some(7))).collect();
        paged(&rows, 3, page_number(&heard.target))
    })
    .await;
    let (found, complete, newest) = read(&server).await;
    assert_eq!((found, complete), (numbers(0..7), true));
    assert_eq!(newest.as_deref(), Some("2026-11-12T07:06:00.5"));
    assert_eq!(server.calls().len(), 3, "the count ends it, no empty page is asked for");
    assert!(server.calls()[0].target.contains("pageSize=1000"));
}

#[tokio::test]
async fn an_empty_list_is_complete_and_has_no_newest() {
    let server = Server::signed_in(|_, _| Reply::json("[]")).await;
    assert_eq!(read(&server).await, (vec![], true, None));
}

#[tokio::test]
async fn a_list_without_counts_ends_empty_or_repeated() {
    for ignores_pages in [false, true] {
        let server = Server::signed_in(move |heard, _| {
            let rows: Vec<_> = (0..4).map(|n| row(n, None)).collect();
            let page = if ignores_pages { 1 } else { page_number(&heard.target) };
            paged(&rows, if ignores_pages { 4 } else { 3 }, page)
        })
        .await;
        let (found, complete, _) = read(&server).await;
        assert_eq!((found, complete), (numbers(0..4), true));
    }
}

#[tokio::test]
async fn rows_that_move_between_pages_are_swept_up() {
    // After page 1 was read its first row goes, so row 2 slips from page 2 to page 1 unseen; the
    // count falls. In the other case two rows come in front, so row 9 is never met.
    let cases: [(Vec<usize>, &[&str]); 2] = [
        ((1..5).collect(), &["0", "1", "2", "3", "4"]),
        ([8, 9].into_iter().chain(0..5).collect(), &["0", "1", "2", "3", "4", "8", "9"]),
    ];
    for (later, expected) in cases {
        let server = Server::signed_in(move |heard, n| {
            let now: Vec<usize> = if n == 0 { (0..5).collect() } else { later.clone() };
            let rows: Vec<_> = now.iter().map(|n| row(*n, Some(now.len()))).collect();
            paged(&rows, 2, page_number(&heard.target))
        })
        .await;
        let (mut found, complete, _) = read(&server).await;
        found.sort();
        assert_eq!((found.as_slice(), complete), (owned(expected).as_slice(), true));
    }
}

#[tokio::test]
async fn repeated_rows_come_once_unless_changed() {
    let server = Server::signed_in(|heard, _| {
        let mut changed = row(1, Some(3));
        changed["timeStamp"] = json!("B");
        let pages = [
            vec![row(0, Some(3)), row(1, Some(3))],
            vec![row(0, Some(3)), changed, row(2, Some(3))],
        ];
        Reply::json(&json!(pages[page_number(&heard.target) - 1]).to_string())
    })
    .await;
    let (found, complete, _) = read(&server).await;
    assert_eq!((found, complete), (vec!["0".into(), "1".into(), "1".into(), "2".into()], true));
}

#[tokio::test]
async fn a_count_of_something_else_is_seen_through() {
    let server = Server::signed_in(|heard, _| {
        let rows: Vec<_> = (0..3).map(|n| row(n, Some(40))).collect();
        paged(&rows, 2, page_number(&heard.target))
    })
    .await;
    let (found, complete, _) = read(&server).await;
    assert_eq!((found, complete), (numbers(0..3), true), "two sweeps agree");
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_incomplete() {
    let server = Server::signed_in(|heard, n| match page_number(&heard.target) {
        1 => Reply::json(&json!([row(n, Some(100))]).to_string()),
        _ => Reply::json("[]"),
    })
    .await;
    let (_, complete, newest) = read(&server).await;
    assert_eq!((complete, newest), (false, None));
    let error = server.client().suppliers(None).all().await.expect_err("moving");
    assert!(matches!(error, Error::Incomplete { expected: 100, .. }), "{error}");
}

#[tokio::test]
async fn filters_are_sent_and_held_against_the_rows() {
    let server = Server::signed_in(|_, _| {
        let invoice = |number: &str, modified: &str, date: &str, supplier: &str| {
            json!({
                "documentType": "Invoice", "referenceNumber": number, "currencyId": "NOK",
                "amount": 10, "supplier": {"number": supplier}, "status": "Hold",
                "date": date, "lastModifiedDateTime": modified,
                "metadata": {"totalCount": 4}
            })
        };
        Reply::json(
            &json!([
                invoice("1", "2026-11-12T07:00:00.5000001", "2026-11-01T00:00:00", "50012"),
                invoice("2", "2026-11-12T06:59:59.99", "2026-11-01T00:00:00", "50012"),
                invoice("3", "2026-11-13T00:00:00", "2026-10-31T00:00:00", "50012"),
                invoice("4", "2026-11-14T00:00:00", "2026-11-02T00:00:00", "50013"),
            ])
            .to_string(),
        )
    })
    .await;
    let filter = InvoiceFilter {
        since: Some("2026-11-12 07:00:00.500".into()),
        doc_date_from: Some(jiff::civil::date(2026, 11, 1)),
        supplier: Some("50012".into()),
        attachments: true,
    };
    let mut pager = server.client().invoices(&filter);
    let page = pager.next().await.expect("a page").expect("rows");
    assert_eq!(page.rows.iter().map(|row| row.number.as_str()).collect::<Vec<_>>(), ["1"]);
    assert_eq!((page.outside, pager.outside(), pager.complete()), (3, 3, true));
    assert_eq!(pager.newest(), Some("2026-11-12T07:00:00.5000001"));
    let target = &server.calls()[0].target;
    for part in [
        "expandNote=true",
        "expandAttachment=true",
        "lastModifiedDateTime=2026-11-12%2007%3A00%3A00.500&lastModifiedDateTimeCondition=%3E%3D",
        "docDate=2026-11-01&docDateCondition=%3E%3D",
        "supplier=50012",
        "pageNumber=1",
    ] {
        assert!(target.contains(part), "{part} in {target}");
    }
}

#[tokio::test]
async fn one_bad_row_is_reported_and_stops_no_other() {
    let server = Server::signed_in(|_, _| {
        let mut marked = row(0, Some(3));
        marked["errorInfo"] = json!("could not be read");
        let mut odd = row(1, Some(3));
        odd["name"] = json!(["not", "a", "name"]);
        Reply::json(&json!([marked, odd, row(2, Some(3))]).to_string())
    })
    .await;
    let (rows, bad) = server.client().suppliers(None).all().await.expect("complete");
    assert_eq!(rows.len(), 1);
    assert_eq!(bad.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["0", "1"]);
    assert!(bad[0].reason.contains("could not be read"), "{}", bad[0].reason);
    assert!(bad[0].modified.is_some());
}

#[tokio::test]
async fn receipts_of_other_orders_are_dropped() {
    let server = Server::signed_in(|_, _| {
        let receipt = |number: &str, order: &str| {
            json!({
                "receiptType": "PoReceipt", "receiptNbr": number, "supplier": {"number": "1"},
                "lines": [{"lineNbr": 1, "poOrderNbr": order, "poOrderLineNbr": 2, "receiptQty": 1.5}],
                "metadata": {"totalCount": 2}
            })
        };
        Reply::json(&json!([receipt("R1", "PO1"), receipt("R2", "PO2")]).to_string())
    })
    .await;
    let filter = ReceiptFilter { since: None, order_number: Some("PO2".into()) };
    let (rows, _) = server.client().receipts(&filter).all().await.expect("complete");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].lines[0].quantity, Some("1.5".parse().expect("a number")));
    assert!(server.calls()[0].target.starts_with("/v2/PurchaseReceipt?poOrderNbr=PO2&"));
}

#[tokio::test]
async fn a_failed_page_is_asked_for_again() {
    let server = Server::signed_in(|heard, n| match n {
        1 => Reply::new(403, &[], ""),
        _ => {
            let rows: Vec<_> = (0..4).map(|n| row(n, Some(4))).collect();
            paged(&rows, 2, page_number(&heard.target))
        }
    })
    .await;
    let mut pager = server.client().suppliers(None);
    assert_eq!(pager.next().await.expect("page 1").map(|page| page.rows.len()), Some(2));
    assert!(pager.next().await.is_err());
    assert!(!pager.complete());
    assert_eq!(pager.next().await.expect("page 2").map(|page| page.rows.len()), Some(2));
    assert!(pager.complete());
}
