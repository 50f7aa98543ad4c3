use super::*;
use crate::procurement::{Currency, ErpInvoiceLine, InvoiceKind, OrderStart, PostingMode};
use jiff::civil::date;
use rust_decimal::Decimal;

fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

fn invoice_plan() -> InvoicePlan {
    let line = |key: &str, minor: i64, department: &str| crate::procurement::InvoicePlanLine {
        key: key.into(),
        description: "x".into(),
        quantity: Decimal::ONE,
        unit: None,
        unit_cost: nok(minor).amount(),
        cost: nok(minor),
        account: "6540".into(),
        segments: vec![(1, department.into())],
        vat_category: "K25".into(),
        branch: None,
        project: None,
        link: None,
    };
    InvoicePlan {
        kind: InvoiceKind::Invoice,
        supplier: "50012".into(),
        supplier_reference: "10458".into(),
        currency: Currency::NOK,
        document_on: date(2026, 11, 10),
        invoiced_on: date(2026, 11, 10),
        period: "202611".into(),
        due_on: None,
        terms: None,
        payment_reference: None,
        branch: None,
        description: String::new(),
        gross: nok(37_500),
        vat: nok(7_500),
        mode: PostingMode::Hold,
        lines: vec![line("1", 10_000, "110"), line("2", 10_000, "110"), line("3", 10_000, "230")],
        attachments: vec![],
    }
}

fn standing_invoice(plan: &InvoicePlan) -> ErpInvoice {
    ErpInvoice {
        kind: Some(plan.kind),
        document_type: "Invoice".into(),
        number: "300457".into(),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.supplier_reference.clone()),
        status: "Hold".into(),
        currency: plan.currency,
        document_on: None,
        gross: plan.gross,
        vat: Some(plan.vat),
        balance: None,
        payment_reference: None,
        our_key: None,
        version: None,
        modified: None,
        attachments: vec![],
        lines: (plan.lines.iter().rev().enumerate())
            .map(|(at, line)| ErpInvoiceLine {
                unit: None,
                number: i64::try_from(at).expect("small"),
                cost: line.cost,
                account: Some(line.account.clone()),
                segments: line.segments.clone(),
                vat_category: Some(line.vat_category.clone()),
                quantity: None,
                order_number: None,
                order_line: None,
                receipt_number: None,
                receipt_line: None,
            })
            .collect(),
    }
}

fn whats(found: &[Difference]) -> Vec<&str> {
    found.iter().map(|difference| difference.what.as_str()).collect()
}

#[test]
fn an_invoice_as_planned_has_no_differences() {
    let plan = invoice_plan();
    assert_eq!(invoice_matches(&plan, &standing_invoice(&plan)), []);
    let silent = ErpInvoice { vat: None, ..standing_invoice(&plan) };
    assert_eq!(invoice_matches(&plan, &silent), [], "a VAT that is not told is not compared");
}

#[test]
fn each_difference_is_found_and_told_with_its_numbers() {
    let plan = invoice_plan();
    type Change = fn(&mut ErpInvoice);
    let cases: Vec<(Change, &[&str], &str)> = vec![
        (|i| i.supplier = "7".into(), &["supplier"], "supplier is 7 in Visma, planned was 50012"),
        (|i| i.supplier_reference = None, &["supplier_reference"], "missing"),
        (|i| i.document_type = "DebitAdj".into(), &["document_type"], "DebitAdj"),
        (
            |i| i.gross = nok(37_501),
            &["gross"],
            "gross is 375.01 NOK in Visma, planned was 375.00 NOK",
        ),
        (|i| i.vat = Some(nok(0)), &["vat"], "vat is 0.00 NOK"),
        (|i| i.lines[0].account = None, &["lines", "lines"], "100.00 NOK on 6540 230"),
        (
            |i| i.lines[0].segments = vec![(1, "110".into())],
            &["lines", "lines"],
            "missing in Visma: 100.00 NOK on 6540 230",
        ),
        (|i| i.lines[0].vat_category = Some("K15".into()), &["lines", "lines"], "K15"),
        (|i| drop(i.lines.pop()), &["line_count", "lines"], "2 lines in Visma, planned were 3"),
        (|i| i.lines.clear(), &["line_count", "lines", "lines"], "(2 times)"),
    ];
    for (change, expected, words) in cases {
        let mut stands = standing_invoice(&plan);
        change(&mut stands);
        let found = invoice_matches(&plan, &stands);
        assert_eq!(whats(&found), expected, "{found:?}");
        assert!(found.iter().any(|one| one.text.contains(words)), "{words}: {found:?}");
    }
}

fn order_plan() -> OrderPlan {
    let line = |key: &str, quantity: i64, cost: i64| OrderPlanLine {
        key: key.into(),
        number: key.into(),
        line_type: "Service".into(),
        inventory: None,
        description: "x".into(),
        quantity: quantity.into(),
        unit: None,
        unit_cost: cost.into(),
        amount: nok(quantity * cost * 100),
        account: "6540".into(),
        segments: vec![(1, "110".into())],
        vat_category: "K25".into(),
        project: None,
        promised_on: None,
    };
    OrderPlan {
        number: "88231".into(),
        supplier: "50012".into(),
        currency: Currency::NOK,
        ordered_on: date(2026, 10, 20),
        promised_on: None,
        description: String::new(),
        branch: None,
        terms: None,
        start: OrderStart::Hold,
        net: nok(4_000),
        lines: vec![line("a/1", 1, 10), line("b/1", 3, 10)],
    }
}

fn standing_order(plan: &OrderPlan) -> ErpOrder {
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: "PO1".into(),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: None,
        status: "Hold".into(),
        on_hold: true,
        currency: plan.currency,
        ordered_on: None,
        net: Some(plan.net),
        our_key: None,
        version: None,
        modified: None,
        lines: (plan.lines.iter().enumerate())
            .map(|(at, line)| ErpOrderLine {
                unit: None,
                number: i64::try_from(at).expect("small") + 1,
                our_key: Some(line.key.clone()),
                line_type: None,
                description: None,
                quantity: Some(line.quantity),
                unit_cost: Some(Decimal::new(100_000, 4)),
                amount: Some(line.amount),
                account: Some(line.account.clone()),
                segments: line.segments.clone(),
                received: None,
                completed: false,
                cancelled: false,
            })
            .collect(),
    }
}

#[test]
fn orders_are_compared_by_our_line_keys() {
    let plan = order_plan();
    assert_eq!(order_matches(&plan, &standing_order(&plan)), []);
    type Change = fn(&mut ErpOrder);
    let cases: Vec<(Change, &[&str], &str)> = vec![
        (|o| o.supplier_reference = Some("9".into()), &["supplier_reference"], "planned was 88231"),
        (|o| o.net = Some(nok(1)), &["net"], "net is 0.01 NOK"),
        (|o| o.lines[1].quantity = Some(Decimal::TWO), &["lines"], "line b/1: quantity is 2"),
        (|o| o.lines[1].account = Some("6300".into()), &["lines"], "account is 6300"),
        (|o| o.lines[1].segments = vec![(1, "230".into())], &["lines"], "subaccount is 230"),
        (|o| drop(o.lines.pop()), &["lines"], "line b/1 over 30.00 NOK is missing"),
        (|o| o.lines[1].our_key = Some("z".into()), &["lines", "lines"], "not planned"),
    ];
    for (change, expected, words) in cases {
        let mut stands = standing_order(&plan);
        change(&mut stands);
        let found = order_matches(&plan, &stands);
        assert_eq!(whats(&found), expected, "{found:?}");
        assert!(found.iter().any(|one| one.text.contains(words)), "{words}: {found:?}");
    }
}

#[test]
fn a_line_closed_because_it_went_is_gone() {
    let old = order_plan();
    let mut new = order_plan();
    new.lines.pop();
    new.net = nok(1_000);
    let mut stands = standing_order(&old);
    stands.lines[1].completed = true;
    assert_eq!(order_matches(&new, &stands), []);
    // But a line still wanted may be completed by its own receipts.
    assert_eq!(order_matches(&old, &stands), []);
}

#[test]
fn an_order_of_a_persons_is_compared_by_quantity_and_price() {
    let plan = order_plan();
    let mut stands = standing_order(&plan);
    stands.lines.iter_mut().for_each(|line| line.our_key = None);
    stands.lines.reverse();
    assert_eq!(order_matches(&plan, &stands), []);
    stands.lines[0].unit_cost = Some(Decimal::from(11));
    let found = order_matches(&plan, &stands);
    assert_eq!(whats(&found), ["lines", "lines"]);
    assert!(found[0].text.contains("missing in Visma: 3 at 10"), "{found:?}");
}
