//! Receipts, contracts, and what an order line says of them.

use super::{data, document, feed, problems};
use crate::jaggaer::{Content, Profile};
use crate::procurement::{Contract, Document, OrderLineKind, Receipt};
use serde_json::{Value, json};

fn receipt_body() -> Value {
    json!({
        "id": "7001", "receiptNumber": "R-7001", "receivedOn": "2026-10-02", "status": "Received",
        "lines": [
            { "poNumber": "PO-1", "poLineNumber": 1, "poLineId": "8875911", "quantity": "4.5",
              "unitOfMeasure": "EA", "amount": { "amount": "450.00", "currency": "NOK" } },
            { "poNumber": "PO-2", "poLineNumber": 3, "quantity": "-1", "unitOfMeasure": "HUR" },
            { "poNumber": "PO-3", "amount": { "amount": "7.5", "currency": "EUR" } },
        ],
        "updatedAt": "2026-10-02T08:00:00.000Z",
    })
}

fn receipt(body: &Value) -> Receipt {
    match feed("default", "receipts").read(body).content {
        Content::Receipt(Ok(receipt)) => *receipt,
        other => panic!("{other:?}"),
    }
}

fn contract_body() -> Value {
    json!({
        "id": "55810", "contractNumber": "C-2025-014",
        "supplier": { "id": "1003837241", "supplierNumber": "50012", "name": "Fjord Kontor AS" },
        "status": "Executed", "startDate": "2025-01-01", "endDate": "2027-12-31", "currency": "NOK",
        "value": { "amount": "2000000.00", "currency": "NOK" },
        "consumed": { "amount": "412500.00", "currency": "NOK" },
        "updatedAt": "2026-06-01T00:00:00.000Z",
    })
}

fn contract(body: &Value) -> Contract {
    match feed("default", "contracts").read(body).content {
        Content::Contract(Ok(contract)) => *contract,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_receipt_reads_line_by_line_each_in_its_own_currency() {
    let receipt = receipt(&receipt_body());
    assert_eq!((receipt.source_id.as_str(), receipt.number.as_str()), ("7001", "R-7001"));
    assert_eq!(receipt.received_on.unwrap().to_string(), "2026-10-02");
    assert!(!receipt.cancelled);
    let lines: Vec<String> = receipt
        .lines
        .iter()
        .map(|line| {
            let text = |text: &Option<String>| text.clone().unwrap_or("-".into());
            format!(
                "{} {} {} {} {} {}",
                line.order_number,
                text(&line.order_line_number),
                text(&line.order_line_key),
                text(&line.quantity.map(|quantity| quantity.to_string())),
                text(&line.unit),
                text(&line.amount.map(|amount| amount.to_string())),
            )
        })
        .collect();
    assert_eq!(
        lines,
        ["PO-1 1 8875911 4.5 EA 450.00 NOK", "PO-2 3 - -1 HUR -", "PO-3 - - - - 7.50 EUR"]
    );
}

#[test]
fn a_receipt_that_is_taken_back_or_unclear_says_so() {
    let mut body = receipt_body();
    body["status"] = json!("Cancelled");
    assert!(receipt(&body).cancelled);
    body["status"] = json!("Lost");
    let feed = feed("default", "receipts");
    assert_eq!(
        problems(feed.read(&body)),
        ["cancelled: neither yes (Cancelled) nor no (Received)"]
    );
    let mut body = receipt_body();
    body["lines"][0]["poNumber"] = json!(null);
    assert_eq!(problems(feed.read(&body)), ["lines[0].order: a text is missing"]);
}

#[test]
fn a_contract_reads_with_its_days_and_its_ceiling() {
    let read = contract(&contract_body());
    assert_eq!((read.source_id.as_str(), read.number.as_str()), ("55810", "C-2025-014"));
    assert_eq!(read.vendor.erp_number.as_deref(), Some("50012"));
    assert_eq!(read.starts_on.unwrap().to_string(), "2025-01-01");
    assert_eq!(read.ends_on.unwrap().to_string(), "2027-12-31");
    assert_eq!(read.ceiling.unwrap().to_string(), "2000000.00 NOK");
    assert_eq!(read.consumed.unwrap().to_string(), "412500.00 NOK");
    for (status, in_force) in [
        ("Executed", true),
        ("Expired", true),
        ("Draft", false),
        ("Terminated", false),
        ("X", false),
    ] {
        let mut body = contract_body();
        body["status"] = json!(status);
        assert_eq!(contract(&body).in_force, in_force, "{status}");
    }
    let mut body = contract_body();
    for absent in ["endDate", "value", "consumed", "currency"] {
        body[absent] = json!(null);
    }
    let read = contract(&body);
    assert_eq!((read.ends_on, read.ceiling, read.consumed), (None, None, None));
}

#[test]
fn an_order_line_says_its_kind_and_its_contract() {
    let feed = feed("default", "purchase_orders");
    let read = |kind: Value| {
        let mut body = data("default")["order"].clone();
        body["lines"][0]["type"] = kind;
        body["lines"][0]["contractNumber"] = json!("C-2025-014");
        feed.read(&body)
    };
    for (word, kind) in [
        (json!("Goods"), OrderLineKind::Goods),
        (json!("Service"), OrderLineKind::Service),
        (json!("Limit"), OrderLineKind::Limit),
        (json!(null), OrderLineKind::Unspecified),
    ] {
        let Document::Order(order) = document(read(word)) else { panic!() };
        assert_eq!(order.lines[0].kind, kind);
        assert_eq!(order.lines[0].contract.as_deref(), Some("C-2025-014"));
        assert_eq!(order.lines[1].contract, None);
    }
    assert_eq!(
        problems(read(json!("Rental"))),
        ["lines[0].kind: not in the profile's value table (Goods, Limit, Service)"]
    );
}

#[test]
fn a_layout_that_says_nothing_is_refused() {
    let text = include_str!("../../../../profiles/default.toml");
    for (good, bad, expected) in [
        ("currency = \"$.amount.currency\"\n", "", "belong together"),
        (
            "quantity = \"$.quantity\"\nunit = \"$.unitOfMeasure\"\namount = \"$.amount\"\ncurrency = \"$.amount.currency\"\n",
            "",
            "say nothing",
        ),
        ("in_force = {", "# in_force = {", "in_force"),
        ("entity = \"receipts\"", "entity = \"contracts\"", "another entity"),
    ] {
        assert!(text.contains(good), "{good}");
        let error = Profile::parse("my.toml", &text.replacen(good, bad, 1)).expect_err(good);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
