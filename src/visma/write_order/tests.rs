use super::*;
use crate::procurement::{Currency, Money};
use crate::visma::{Body, CustomField};
use jiff::civil::date;
use rust_decimal::Decimal;

const KEYS: KeyFields = KeyFields { order: CustomField::CustomStr1, line: CustomField::CustomStr2 };

fn line(key: &str, quantity: i64, unit_cost: i64) -> OrderPlanLine {
    OrderPlanLine {
        key: key.into(),
        number: "10".into(),
        line_type: "Service".into(),
        inventory: Some("TJENESTE".into()),
        description: "Skrivebord".into(),
        quantity: quantity.into(),
        unit: Some("STK".into()),
        unit_cost: unit_cost.into(),
        amount: Money::new(quantity * unit_cost * 100, Currency::NOK),
        account: "6540".into(),
        segments: vec![(1, "110".into()), (2, "000000".into())],
        vat_category: "K25".into(),
        project: None,
        promised_on: Some(date(2026, 11, 5)),
    }
}

fn plan() -> OrderPlan {
    OrderPlan {
        number: "88231".into(),
        supplier: "50012".into(),
        currency: Currency::NOK,
        ordered_on: date(2026, 10, 20),
        promised_on: Some(date(2026, 11, 5)),
        description: "JAGGAER PO 88231".into(),
        branch: Some("1".into()),
        terms: Some("30".into()),
        start: OrderStart::Open,
        net: Money::new(3_162_000, Currency::NOK),
        lines: vec![line("a/1", 10, 2450), line("b/1", 8, 890)],
    }
}

fn standing(plan: &OrderPlan) -> ErpOrder {
    let lines = plan.lines.iter().enumerate().map(|(at, line)| ErpOrderLine {
        unit: None,
        number: i64::try_from(at).expect("small") + 1,
        our_key: Some(line.key.clone()),
        line_type: Some(line.line_type.clone()),
        description: None,
        quantity: Some(line.quantity),
        unit_cost: Some(line.unit_cost),
        amount: Some(line.amount),
        account: Some(line.account.clone()),
        segments: line.segments.clone(),
        received: Some(Decimal::ZERO),
        completed: false,
        cancelled: false,
    });
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: "PO004211".into(),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: None,
        status: "Open".into(),
        on_hold: false,
        currency: plan.currency,
        ordered_on: Some(plan.ordered_on),
        net: Some(plan.net),
        our_key: Some("k".into()),
        version: Some("V1".into()),
        modified: None,
        lines: lines.collect(),
    }
}

fn body(request: &Request) -> Value {
    let Body::Json(text) = &request.body else { panic!("no JSON body") };
    serde_json::from_str(text).expect("JSON")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn changed(old: &OrderPlan, new: &OrderPlan, stands: &ErpOrder) -> Value {
    let request = update_order(old, new, stands, Some("\"V2\""), KEYS).expect("writable");
    let request = request.expect("a change");
    assert_eq!(
        (request.method, request.path.as_str()),
        (Method::Put, "/v1/purchaseorder/PO004211")
    );
    assert_eq!(request.if_match.as_deref(), Some("\"V2\""));
    body(&request)
}

#[test]
fn an_order_as_visma_wants_it() {
    let mut plan = plan();
    plan.lines.truncate(1);
    let request = create_order(&plan, "key-1", KEYS);
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/v1/purchaseorder"));
    let expected = parsed(
        r#"{
        "orderType": {"value": "RegularOrder"},
        "supplier": {"value": "50012"},
        "currency": {"value": "NOK"},
        "supplierRef": {"value": "88231"},
        "date": {"value": "2026-10-20T00:00:00"},
        "promisedOn": {"value": "2026-11-05T00:00:00"},
        "description": {"value": "JAGGAER PO 88231"},
        "branch": {"value": "1"},
        "terms": {"value": "30"},
        "hold": {"value": false},
        "dontPrint": {"value": true},
        "dontEmail": {"value": true},
        "customStr1": {"value": "key-1"},
        "lines": [
          {"operation": "Insert", "lineType": {"value": "Service"},
           "inventory": {"value": "TJENESTE"}, "lineDescription": {"value": "Skrivebord"},
           "uom": {"value": "STK"}, "orderQty": {"value": 10}, "unitCost": {"value": 2450},
           "account": {"value": "6540"},
           "sub": [{"segmentId": 1, "segmentValue": "110"},
                   {"segmentId": 2, "segmentValue": "000000"}],
           "taxCategory": {"value": "K25"}, "promised": {"value": "2026-11-05T00:00:00"},
           "customStr2": {"value": "a/1"}}
        ]}"#,
    );
    assert_eq!(body(&request), expected);
    plan.start = OrderStart::Hold;
    assert_eq!(body(&create_order(&plan, "k", KEYS))["hold"], parsed(r#"{"value":true}"#));
}

#[test]
fn lines_are_patched_by_their_numbers() {
    let old = plan();
    let mut new = plan();
    new.description = "changed".into();
    new.lines[0].quantity = Decimal::from(12);
    new.lines.remove(1);
    new.lines.push(line("c/1", 1, 5));
    let body = changed(&old, &new, &standing(&old));
    assert_eq!(body["description"], parsed(r#"{"value":"changed"}"#));
    assert_eq!(body.as_object().expect("an object").len(), 2, "{body}");
    assert_eq!(
        body["lines"][0],
        parsed(
            r#"{"operation": "Update", "lineNumber": {"value": 1},
            "orderQty": {"value": 12}, "unitCost": {"value": 2450}}"#
        )
    );
    let deleted = parsed(r#"{"operation": "Delete", "lineNumber": {"value": 2}}"#);
    assert_eq!(body["lines"][1], deleted);
    assert_eq!(body["lines"][2]["customStr2"], parsed(r#"{"value":"c/1"}"#));
}

#[test]
fn a_line_with_receipts_is_closed_not_deleted() {
    let old = plan();
    let mut new = plan();
    new.lines.remove(1);
    let closed = parsed(
        r#"[{"operation": "Update", "lineNumber": {"value": 2}, "completed": {"value": true}}]"#,
    );
    for received in [Some(Decimal::from(3)), None] {
        let mut stands = standing(&old);
        stands.lines[1].received = received;
        assert_eq!(changed(&old, &new, &stands)["lines"], closed, "{received:?}");
        stands.lines[1].completed = true;
        assert_eq!(update_order(&old, &new, &stands, None, KEYS), Ok(None));
    }
}

#[test]
fn an_order_without_our_keys_is_matched_by_what_stands_on_it() {
    let old = plan();
    let mut new = plan();
    new.lines[1].unit_cost = Decimal::from(900);
    let mut stands = standing(&old);
    stands.lines.iter_mut().for_each(|line| line.our_key = None);
    stands.lines.reverse();
    let body = changed(&old, &new, &stands);
    assert_eq!(body["lines"][0]["lineNumber"], parsed(r#"{"value":2}"#));
    stands.lines[0].quantity = Some(Decimal::ONE);
    let error = update_order(&old, &new, &stands, None, KEYS).expect_err("a person changed it");
    assert!(matches!(&error, CannotWrite::LineGone { key, .. } if key == "b/1"), "{error}");
}

#[test]
fn a_changed_supplier_is_not_written() {
    let old = plan();
    let mut new = plan();
    new.supplier = "50013".into();
    let error = update_order(&old, &new, &standing(&old), None, KEYS).expect_err("fixed");
    assert!(matches!(error, CannotWrite::Fixed { member: "supplier", .. }), "{error}");
    assert_eq!(update_order(&old, &old, &standing(&old), None, KEYS), Ok(None));
}

#[test]
fn a_cancelled_order_is_held_with_its_open_lines_closed() {
    let mut stands = standing(&plan());
    stands.lines[0].completed = true;
    let request = cancel_order(&stands);
    assert_eq!(request.if_match.as_deref(), Some("\"V1\""));
    let expected = parsed(
        r#"{"hold": {"value": true}, "lines": [
            {"operation": "Update", "lineNumber": {"value": 2}, "completed": {"value": true}}]}"#,
    );
    assert_eq!(body(&request), expected);
}
