use super::*;
use crate::procurement::{Currency, Money};
use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

fn line(
    key: &str,
    quantity: &str,
    unit_cost: &str,
    minor: i64,
    department: &str,
) -> InvoicePlanLine {
    InvoicePlanLine {
        key: key.into(),
        description: format!("Skrivebord {key}"),
        quantity: quantity.parse().expect("a number"),
        unit: Some("STK".into()),
        unit_cost: unit_cost.parse().expect("a number"),
        cost: nok(minor),
        account: "6540".into(),
        segments: vec![(1, department.into()), (2, "000000".into())],
        vat_category: "K25".into(),
        branch: None,
        project: None,
        link: None,
    }
}

fn plan() -> InvoicePlan {
    InvoicePlan {
        kind: InvoiceKind::Invoice,
        supplier: "50012".into(),
        supplier_reference: "10458".into(),
        currency: Currency::NOK,
        document_on: date(2026, 11, 12),
        invoiced_on: date(2026, 11, 10),
        period: "202611".into(),
        due_on: Some(date(2026, 12, 10)),
        terms: Some("30".into()),
        payment_reference: Some("0010458000127".into()),
        branch: Some("1".into()),
        description: "JAGGAER INV-10458".into(),
        gross: nok(3_062_500),
        vat: nok(612_500),
        mode: PostingMode::Hold,
        lines: vec![
            line("1/1", "6", "2450.0000", 1_470_000, "110"),
            line("1/2", "4", "2450.0000", 980_000, "230"),
        ],
        attachments: vec![],
    }
}

fn standing(plan: &InvoicePlan) -> ErpInvoice {
    let lines = plan.lines.iter().enumerate().map(|(at, line)| ErpInvoiceLine {
        unit: None,
        number: 10 * (i64::try_from(at).expect("small") + 1),
        cost: line.cost,
        account: Some(line.account.clone()),
        segments: line.segments.clone(),
        vat_category: Some(line.vat_category.clone()),
        quantity: Some(line.quantity),
        order_number: None,
        order_line: None,
        receipt_number: None,
        receipt_line: None,
    });
    ErpInvoice {
        kind: Some(plan.kind),
        document_type: document_type(plan.kind).into(),
        number: "300457".into(),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.supplier_reference.clone()),
        status: "Hold".into(),
        currency: plan.currency,
        document_on: Some(plan.document_on),
        gross: plan.gross,
        vat: Some(plan.vat),
        balance: None,
        payment_reference: None,
        our_key: None,
        version: Some("AAA=".into()),
        modified: None,
        attachments: vec![],
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

#[test]
fn an_invoice_as_visma_wants_it() {
    let mut plan = plan();
    plan.lines[0].link = Some(Link::Receipt { number: "PR002907".into(), line: 1 });
    plan.lines[1].branch = Some("2".into());
    plan.lines[1].project = Some("X".into());
    let request = create_invoice(&plan, "k-1");
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/v1/supplierInvoice"));
    assert!(request.if_match.is_none() && !request.background);
    let expected = parsed(
        r#"{
        "documentType": {"value": "Invoice"},
        "supplierNumber": {"value": "50012"},
        "supplierReference": {"value": "10458"},
        "currencyId": {"value": "NOK"},
        "date": {"value": "2026-11-12T00:00:00"},
        "origInvoiceDate": {"value": "2026-11-10T00:00:00"},
        "financialPeriod": {"value": "202611"},
        "dueDate": {"value": "2026-12-10T00:00:00"},
        "creditTermsId": {"value": "30"},
        "paymentRefNo": {"value": "0010458000127"},
        "branchNumber": {"value": "1"},
        "description": {"value": "JAGGAER INV-10458"},
        "note": {"value": "ml-connector:k-1"},
        "hold": {"value": true},
        "taxCalculationMode": {"value": "Net"},
        "amount": {"value": 30625.00},
        "vatAmount": {"value": 6125.00},
        "validateLineDetails": {"value": true},
        "invoiceLines": [
          {"operation": "Insert",
           "transactionDescription": {"value": "Skrivebord 1/1"},
           "quantity": {"value": 6}, "uom": {"value": "STK"},
           "unitCostInCurrency": {"value": 2450.0000}, "costInCurrency": {"value": 14700.00},
           "accountNumber": {"value": "6540"},
           "subaccount": [{"segmentId": 1, "segmentValue": "110"},
                          {"segmentId": 2, "segmentValue": "000000"}],
           "vatCodeId": {"value": "K25"},
           "linkLine": {"purchaseType": "PurchaseReceipt",
                        "purchaseNumber": {"value": "PR002907"},
                        "purchaseLineNbr": {"value": 1}}},
          {"operation": "Insert",
           "transactionDescription": {"value": "Skrivebord 1/2"},
           "quantity": {"value": 4}, "uom": {"value": "STK"},
           "unitCostInCurrency": {"value": 2450.0000}, "costInCurrency": {"value": 9800.00},
           "accountNumber": {"value": "6540"},
           "subaccount": [{"segmentId": 1, "segmentValue": "230"},
                          {"segmentId": 2, "segmentValue": "000000"}],
           "vatCodeId": {"value": "K25"},
           "branchNumber": {"value": "2"},
           "projectId": {"value": "X"}}
        ]}"#,
    );
    assert_eq!(body(&request), expected);
}

#[test]
fn a_credit_note_is_a_debit_adjustment_with_positive_amounts() {
    let mut plan = plan();
    plan.kind = InvoiceKind::CreditNote;
    plan.mode = PostingMode::Released;
    plan.lines[0].link = Some(Link::Order { number: "PO1".into(), line: 3 });
    (plan.due_on, plan.terms, plan.branch, plan.payment_reference) = (None, None, None, None);
    let body = body(&create_invoice(&plan, "k-1"));
    assert_eq!(body["documentType"], parsed(r#"{"value":"DebitAdj"}"#));
    assert_eq!(body["hold"], parsed(r#"{"value":false}"#));
    assert_eq!(body["amount"], parsed(r#"{"value":30625.00}"#));
    assert_eq!(body["invoiceLines"][0]["linkLine"]["purchaseType"], "PurchaseOrder");
    for absent in ["dueDate", "creditTermsId", "branchNumber", "paymentRefNo", "postPeriod"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn nothing_to_change_is_no_request() {
    let plan = plan();
    assert_eq!(update_invoice(&plan, &plan, &standing(&plan)), Ok(None));
}

#[test]
fn only_what_changed_is_sent() {
    let old = plan();
    let mut new = plan();
    new.description = "changed".into();
    new.terms = None;
    new.gross = nok(3_187_500);
    new.lines[0].account = "6300".into();
    new.lines.remove(1);
    new.lines.push(line("2/1", "1", "1000", 100_000, "110"));
    // Visma's order and numbers are its own.
    let mut stands = standing(&old);
    stands.lines.reverse();
    let request = update_invoice(&old, &new, &stands).expect("writable").expect("a change");
    assert_eq!(request.method, Method::Put);
    assert_eq!(request.path, "/v1/supplierInvoice/Invoice/300457");
    assert_eq!(request.if_match.as_deref(), Some("\"AAA=\""));
    let expected = parsed(
        r#"{
        "description": {"value": "changed"},
        "creditTermsId": {"value": ""},
        "amount": {"value": 31875.00},
        "validateLineDetails": {"value": true},
        "invoiceLines": [
          {"operation": "Update", "lineNumber": {"value": 10},
           "accountNumber": {"value": "6300"},
           "subaccount": [{"segmentId": 1, "segmentValue": "110"},
                          {"segmentId": 2, "segmentValue": "000000"}],
           "vatCodeId": {"value": "K25"}},
          {"operation": "Delete", "lineNumber": {"value": 20}},
          {"operation": "Insert",
           "transactionDescription": {"value": "Skrivebord 2/1"},
           "quantity": {"value": 1}, "uom": {"value": "STK"},
           "unitCostInCurrency": {"value": 1000}, "costInCurrency": {"value": 1000.00},
           "accountNumber": {"value": "6540"},
           "subaccount": [{"segmentId": 1, "segmentValue": "110"},
                          {"segmentId": 2, "segmentValue": "000000"}],
           "vatCodeId": {"value": "K25"}}
        ]}"#,
    );
    assert_eq!(body(&request), expected);
}

#[test]
fn a_changed_amount_sends_all_three_and_a_lost_link_a_new_line() {
    let mut old = plan();
    old.lines[1].link = Some(Link::Order { number: "PO1".into(), line: 1 });
    let mut new = old.clone();
    new.lines[0].quantity = Decimal::from(5);
    new.lines[0].cost = nok(1_225_000);
    new.lines[1].link = None;
    let request = update_invoice(&old, &new, &standing(&old)).expect("writable").expect("a change");
    let lines = body(&request)["invoiceLines"].clone();
    assert_eq!(
        lines[0],
        parsed(
            r#"{"operation": "Update", "lineNumber": {"value": 10}, "quantity": {"value": 5},
            "unitCostInCurrency": {"value": 2450.0000}, "costInCurrency": {"value": 12250.00}}"#
        )
    );
    assert_eq!(lines[1], parsed(r#"{"operation": "Delete", "lineNumber": {"value": 20}}"#));
    assert_eq!((&lines[2]["operation"], lines[2].get("linkLine")), (&json!("Insert"), None));
}

#[test]
fn what_visma_cannot_change_or_a_person_changed_is_not_written_over() {
    let old = plan();
    let mut lines_changed = old.clone();
    lines_changed.lines[0].description = "other".into();
    let with = |change: fn(&mut InvoicePlan)| {
        let mut new = old.clone();
        change(&mut new);
        new
    };
    for new in [
        with(|plan| plan.supplier = "50013".into()),
        with(|plan| plan.kind = InvoiceKind::CreditNote),
        with(|plan| plan.currency = Currency::parse("SEK").expect("known")),
    ] {
        let error = update_invoice(&old, &new, &standing(&old)).expect_err("fixed");
        assert!(matches!(error, CannotWrite::Fixed { .. }), "{error}");
    }
    let mut stands = standing(&old);
    stands.lines[1].cost = nok(1);
    let error = update_invoice(&old, &lines_changed, &stands).expect_err("a line is gone");
    assert!(matches!(&error, CannotWrite::LineGone { key, .. } if key == "1/2"), "{error}");
    stands.lines.pop();
    let error = update_invoice(&old, &lines_changed, &stands).expect_err("a line is gone");
    assert!(matches!(error, CannotWrite::LineCount { expected: 2, found: 1, .. }), "{error}");
    // The header alone touches no line.
    let header = with(|plan| plan.description = "new".into());
    assert!(update_invoice(&old, &header, &stands).is_ok());
}

#[test]
fn like_lines_keep_their_order() {
    let mut old = plan();
    old.lines[1] = InvoicePlanLine { key: "1/2".into(), ..old.lines[0].clone() };
    let mut new = old.clone();
    new.lines[1].description = "second".into();
    let request = update_invoice(&old, &new, &standing(&old)).expect("writable").expect("a change");
    assert_eq!(body(&request)["invoiceLines"][0]["lineNumber"], parsed(r#"{"value":20}"#));
}

#[test]
fn a_release_is_bound_to_a_version() {
    let odd = release_invoice("DebitAdj", "7/8", "\"B=\"");
    assert_eq!(odd.path, "/v1/supplierInvoice/DebitAdj/7%2F8/action/release");
    assert_eq!(odd.if_match.as_deref(), Some("\"B=\""));
    let release = release_invoice("Invoice", "300457", "AAA=");
    assert_eq!(release.path, "/v1/supplierInvoice/Invoice/300457/action/release");
    assert_eq!(release.if_match.as_deref(), Some("\"AAA=\""));
    assert!(release.background && release.body == Body::Empty);
}

#[test]
fn file_names_are_made_safe() {
    let cases = [
        ("faktura-10458.pdf", Some("application/pdf"), "faktura-10458.pdf"),
        ("kjøp på nett.PDF", None, "kjøp på nett.PDF"),
        ("../../etc/passwd", Some("text/plain"), "passwd.txt"),
        (r"C:\temp\a.b.xml", None, "a.b.xml"),
        ("scan", Some("application/pdf"), "scan.pdf"),
        ("scan", Some("application/pdf; charset=x"), "scan.bin"),
        ("a\"b\r\nc.pdf", None, "a_b__c.pdf"),
        ("", None, "file.bin"),
        (".pdf", Some("application/pdf"), "pdf.pdf"),
        ("name.longextension", None, "name.longextension.bin"),
    ];
    for (name, kind, expected) in cases {
        let request = attach("Invoice", "1", name, kind, vec![1]);
        let Body::File { file_name, .. } = request.body else { panic!("no file") };
        assert_eq!(file_name, expected, "{name:?}");
    }
    let long = attach("Invoice", "1", &format!("{}.pdf", "å".repeat(300)), None, vec![]);
    let Body::File { file_name, .. } = long.body else { panic!("no file") };
    assert_eq!(file_name.chars().count(), 104);
}

proptest! {
    #[test]
    fn the_body_adds_up_to_the_plan(costs in proptest::collection::vec(-10_000_000_000_i64..10_000_000_000, 1..60)) {
        let mut plan = plan();
        plan.lines = costs
            .iter()
            .enumerate()
            .map(|(at, minor)| InvoicePlanLine {
                unit_cost: nok(*minor).amount(),
                ..line(&at.to_string(), "1", "0", *minor, "110")
            })
            .collect();
        let Body::Json(text) = create_invoice(&plan, "k").body else { panic!("no JSON body") };
        let sent: Value = serde_json::from_str(&text).expect("JSON");
        let mut sum = Decimal::ZERO;
        for line in sent["invoiceLines"].as_array().expect("lines") {
            for name in ["costInCurrency", "unitCostInCurrency", "quantity"] {
                let digits = line[name]["value"].to_string();
                prop_assert!(!digits.contains(['e', 'E', '"']), "{}", digits);
            }
            sum += line["costInCurrency"]["value"].to_string().parse::<Decimal>().expect("a number");
        }
        prop_assert_eq!(sum, nok(costs.iter().sum()).amount());
    }
}
