use super::*;
use crate::visma::testing::{Reply, Server};
use crate::visma::{BatchFilter, Client};
use serde_json::{Value, json};

fn row(number: &str, lines: usize, total: usize) -> Value {
    let line = |at: usize| {
        json!({
            "lineNumber": at, "accountNumber": "6540",
            "subaccount": {"subaccountNumber": "110-00", "segments": [{"segmentId": 2, "segmentValue": "00"}, {"segmentId": 1, "segmentValue": "110 "}]},
            "referenceNumber": "300457", "transactionType": "INV", "customerSupplier": "50012", "branch": "1",
            "debitAmount": 117.4, "debitAmountInCurrency": 10.0, "creditAmount": 0.0, "creditAmountInCurrency": 0.0,
        })
    };
    json!({
        "module": "ModuleAP", "batchNumber": number, "status": "Posted", "currencyId": "EUR", "exchangeRate": 11.74,
        "financialPeriod": "202611", "lastModifiedDateTime": "2026-11-12T07:41:55.32", "timeStamp": "AAAAAAABerY=",
        "journalTransactionLines": (1..=lines).map(line).collect::<Vec<_>>(),
        "errorInfo": "", "metadata": {"totalCount": total, "maxPageSize": 500},
    })
}

fn read(row: Value) -> Result<ErpBatch> {
    batch(serde_json::from_value(row).expect("a row"))
}

#[test]
fn a_batch_is_read_with_its_sides_as_signs() {
    let got = read(row("070001", 1, 1)).expect("a good row");
    assert_eq!(
        (got.number.as_str(), got.status.as_str(), got.exchange_rate),
        ("070001", "Posted", Some(Decimal::new(1174, 2)))
    );
    let line = &got.lines[0];
    assert_eq!(line.segments, [(1, "110".to_owned()), (2, "00".to_owned())]);
    assert_eq!((line.net.minor, line.base), (1000, Some(Decimal::new(1174, 1))));
    assert_eq!(line.source, Some(BatchSource::Document(InvoiceKind::Invoice)));

    let mut credit = row("070001", 1, 1);
    let line = &mut credit["journalTransactionLines"][0];
    (line["debitAmountInCurrency"], line["creditAmountInCurrency"]) = (json!(null), json!(10.01));
    (line["debitAmount"], line["transactionType"]) = (json!(null), json!("Faktura"));
    line["creditAmount"] = json!(117.52);
    let got = read(credit).expect("a good row");
    assert_eq!((got.lines[0].net.minor, got.lines[0].source), (-1001, None));
    assert_eq!(got.lines[0].base, Some(Decimal::new(-11_752, 2)));
}

#[test]
fn what_cannot_be_read_is_said() {
    for (member, value, message) in [
        ("accountNumber", json!(" "), "line 1: accountNumber is missing"),
        (
            "debitAmountInCurrency",
            json!(0.001),
            "line 1: debitAmountInCurrency: 0.001 has more decimals",
        ),
    ] {
        let mut bad = row("070001", 1, 1);
        bad["journalTransactionLines"][0][member] = value;
        let error = read(bad).expect_err(member);
        assert!(error.starts_with(message), "{error}");
    }
    let mut bad = row("070001", 1, 1);
    bad["currencyId"] = json!(null);
    assert_eq!(read(bad).expect_err("no currency"), "currencyId is missing");
}

async fn numbers(client: &Client, filter: &BatchFilter) -> (Vec<String>, bool) {
    let mut pager = client.batches(filter);
    let mut numbers = Vec::new();
    while let Some(page) = pager.next().await.expect("a page") {
        numbers.extend(page.rows.into_iter().map(|batch| batch.number));
    }
    (numbers, pager.complete())
}

fn page_number(target: &str) -> usize {
    let (_, rest) = target.split_once("pageNumber=").expect("paged");
    rest.split('&').next().and_then(|n| n.parse().ok()).expect("a number")
}

/// Three batches of three lines, two batches on a page. Whether the count counts lines or batches,
/// all are read.
#[tokio::test]
async fn the_list_is_read_whole_whatever_its_count_counts() {
    for total in [9, 3, 4] {
        let server = Server::signed_in(move |heard, _| {
            let all: Vec<Value> = (0..3).map(|n| row(&format!("07000{n}"), 3, total)).collect();
            let pages = [&all[..2], &all[2..], &[]];
            Reply::json(&json!(pages[(page_number(&heard.target) - 1).min(2)]).to_string())
        })
        .await;
        let (found, complete) = numbers(&server.client(), &BatchFilter::default()).await;
        assert_eq!((found.len(), complete), (3, true), "{total}");
        let calls = server.calls().len();
        assert!(calls <= if total == 4 { 6 } else { 3 }, "{total}: {calls} calls");
    }
}

#[tokio::test]
async fn the_filter_stands_alone_and_is_held_against_the_rows() {
    let server = Server::signed_in(|heard, _| {
        if page_number(&heard.target) > 1 {
            return Reply::json("[]");
        }
        let mut foreign = row("070002", 1, 3);
        foreign["module"] = json!("ModuleGL");
        let mut old = row("070003", 1, 3);
        old["lastModifiedDateTime"] = json!("2026-11-01T07:41:55.32");
        Reply::json(&json!([row("070001", 1, 3), foreign, old]).to_string())
    })
    .await;
    let filter = BatchFilter { since: Some("2026-11-12 00:00:00.000".into()), period: None };
    let (found, complete) = numbers(&server.client(), &filter).await;
    assert_eq!((found, complete), (vec!["070001".to_owned()], true));
    let target = &server.calls()[0].target;
    assert!(target.contains("module=ModuleAP&lastModifiedDateTime=2026-11-12"), "{target}");
    assert!(!target.contains("Condition"), "{target}");
}

#[tokio::test]
async fn a_number_may_be_that_of_another_ledger() {
    for (module, expected) in [("ModuleAP", true), ("ModuleGL", false)] {
        let server = Server::signed_in(move |_, _| {
            let mut row = row("070001", 2, 1);
            row["module"] = json!(module);
            Reply::json(&row.to_string())
        })
        .await;
        let batch = server.client().batch("070001").await.expect("an answer");
        assert_eq!(batch.map(|batch| batch.lines.len()), expected.then_some(2), "{module}");
    }
}
