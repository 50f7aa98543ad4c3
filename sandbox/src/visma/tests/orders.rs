use super::super::{DocumentKind, ExpectedDocument};
use super::{calm, number, v, with};
use serde_json::{Value, json};

fn line(cost: &str) -> Value {
    json!({
        "operation": "Insert",
        "lineType": v("Service"),
        "inventory": v("TJENESTE"),
        "orderQty": {"value": 2},
        "unitCost": {"value": number(cost)},
        "account": v("6540"),
        "sub": [{"segmentId": 1, "segmentValue": "110"}],
        "taxCategory": v("K25"),
        "note": v("a line note"),
        "customStr1": v("K/1"),
    })
}

fn order(lines: Vec<Value>) -> Value {
    json!({
        "hold": v(true),
        "supplier": v("50012"),
        "supplierRef": v("JAG-1"),
        "customStr1": v("key-1"),
        "note": v("a note"),
        "dontPrint": v(true),
        "dontEmail": v(true),
        "lines": lines,
    })
}

#[tokio::test]
async fn an_order_from_first_line_to_last() {
    let company = calm().await;
    let client = &company.client;
    let answer =
        client.send("POST", "/v1/purchaseorder", &order(vec![line("100"), line("50.005")])).await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (201, b"{}".as_slice()));
    let path = format!("/v1/purchaseorder/{}", answer.key());

    let plain = client.get(&path).await.json();
    assert_eq!(
        (plain["status"].as_str(), plain["note"].as_str(), plain.get("customStr1")),
        (Some("Hold"), Some("a note"), None)
    );
    assert_eq!(
        (plain["lineTotal"].to_string(), plain["orderTotal"].to_string()),
        ("300.01".into(), "375.01".into())
    );
    let with_custom = client.get(&format!("{path}?includeCustomFreeFields=true")).await.json();
    assert_eq!(
        (with_custom["customStr1"].as_str(), with_custom["lines"][0]["customStr1"].as_str()),
        (Some("key-1"), Some("K/1"))
    );

    let listed = client
        .rows("/v1/purchaseorder?pageNumber=1&orderStatus=Hold&includeCustomFreeFields=true")
        .await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0]["customStr1"].as_str(), listed[0]["note"].is_null()),
        (Some("key-1"), true)
    );
    assert!(
        client.rows("/v1/purchaseorder?pageNumber=1&orderStatus=Hold").await[0]
            .get("customStr1")
            .is_none()
    );
    assert!(
        client.rows("/v1/purchaseorderbasic?pageNumber=1&orderStatus=Hold").await[0]
            .get("dontPrint")
            .is_none()
    );

    let first = plain["lines"][0]["lineNbr"].as_i64().expect("a number");
    let patch = json!({"lines": [{"operation": "Delete", "lineNumber": v(first)}, line("10")]});
    assert_eq!(
        client.send_with("PUT", &path, &[("If-Match", "\"AAAAAAAAAAA=\"")], &patch).await.status,
        412
    );
    let etag = client.get(&path).await.header("etag").expect("an ETag").to_owned();
    let answer = client.send_with("PUT", &path, &[("If-Match", &etag)], &patch).await;
    assert_eq!(answer.status, 204);
    assert_ne!(answer.header("etag"), Some(etag.as_str()));
    let changed = client.get(&path).await.json();
    let numbers: Vec<i64> = changed["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(|line| line["lineNbr"].as_i64())
        .collect();
    assert_eq!(numbers, [first + 1, first + 2], "a number is not given twice");

    let expected = |total_minor, lines: &[i64]| ExpectedDocument {
        kind: DocumentKind::Order,
        supplier: "50012".into(),
        reference: "JAG-1".into(),
        currency: "NOK".into(),
        total_minor,
        lines: lines
            .iter()
            .map(|cost| ("6540".into(), "110-000000".into(), "K25".into(), *cost))
            .collect(),
    };
    assert!(
        company.visma.check(&[expected(12_001, &[2_000, 10_001])]).is_clean(),
        "{:?}",
        company.visma.check(&[expected(12_001, &[2_000, 10_001])])
    );

    let complete = json!({"lines": numbers.iter().map(|number| json!({"operation": "Update", "lineNumber": v(*number), "completed": v(true)})).collect::<Vec<_>>()});
    assert_eq!(client.send("PUT", &path, &complete).await.status, 204);
    assert_eq!(client.get(&path).await.json()["status"], "Cancelled");
    assert_eq!(client.send("PUT", &path, &json!({"hold": v(false)})).await.status, 400);
    assert_eq!(
        company.visma.check(&[expected(12_001, &[2_000, 10_001])]).missing.len(),
        1,
        "a cancelled order is not there"
    );
}

#[tokio::test]
async fn orders_that_are_refused() {
    let company = calm().await;
    let body = |members: Value| order(vec![with(line("1"), members)]);
    let table = [
        (body(json!({"inventory": null})), "Inventory"),
        (body(json!({"inventory": v("NOPE")})), "Inventory"),
        (body(json!({"inventory": v("LAGER-1")})), "line type"),
        (body(json!({"lineType": v("GoodsForInventory")})), "line type"),
        (body(json!({"account": v("6999")})), "inactive"),
        (body(json!({"taxCategory": v("1")})), "VAT category"),
        (body(json!({"sub": [{"segmentId": 1, "segmentValue": "399"}]})), "inactive"),
        (body(json!({"uom": v("EA")})), "UOM"),
        (body(json!({"operation": "Update", "lineNumber": v(3)})), "Line 3"),
        (with(order(vec![]), json!({"supplier": v("1")})), "Supplier"),
        (with(order(vec![]), json!({"supplier": v("50061")})), "OnHold"),
        (with(order(vec![]), json!({"branch": v("9")})), "Branch"),
        (with(order(vec![]), json!({"lines": null})), "lines"),
        (with(order(vec![]), json!({"hold": v(false)})), "without lines"),
        (with(order(vec![]), json!({"orderNbr": v("PO1")})), "orderNbr"),
    ];
    for (body, part) in table {
        let answer = company.client.send("POST", "/v1/purchaseorder", &body).await;
        assert!(
            answer.status == 400 && answer.message().contains(part),
            "{part}: {} {body}",
            answer.message()
        );
    }
    let keyed = company.client.rows("/v1/purchaseorder?pageNumber=1").await[0].clone();
    let received = json!({"lines": [{"operation": "Delete", "lineNumber": v(keyed["lines"][1]["lineNbr"].as_i64())}]});
    let answer = company
        .client
        .send(
            "PUT",
            &format!("/v1/purchaseorder/{}", keyed["orderNbr"].as_str().unwrap_or_default()),
            &received,
        )
        .await;
    assert!(answer.message().contains("received"), "{}", answer.message());
    assert!(company.visma.report().made.is_empty());
}
