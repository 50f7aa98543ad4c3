use super::*;
use jiff::civil::date;
use serde_json::{Value, json};

fn row(text: &str) -> wire::Invoice {
    serde_json::from_str(text).expect("a row")
}

/// A row as Visma sends it, with members that are of no use here left in.
const INVOICE: &str = r#"{
    "taxDetailLines": [{"taxId": "1", "vatRate": 25.0, "vatAmount": 6125.0}],
    "attachments": [{"name": "faktura-10458.pdf", "id": "5b1f", "revision": 1}],
    "invoiceLines": [
      {"lineNumber": 1, "quantity": 6.0, "unitCost": 2450.0, "cost": 14700.0,
       "costInCurrency": 14700.0, "account": {"type": "Expense", "number": "6540"},
       "subaccount": {"subaccountNumber": "110-00", "segments": [
           {"segmentId": 2, "segmentValue": "00"}, {"segmentId": 1, "segmentValue": "110"}],
           "metadata": {"totalCount": 1}},
       "vatCode": {"id": "K25"}, "poNumber": "PO004211", "poLineNr": 1,
       "poReceiptNbr": "PR002907", "poReceiptLineNbr": 2, "note": null},
      {"lineNumber": 2, "quantity": null, "costInCurrency": 9800, "account": null,
       "subaccount": null, "vatCode": null, "poNumber": " "}
    ],
    "detailTotal": 24500.0, "detailTotalInCurrency": 24500.0,
    "amount": 30625.00, "vatAmount": 6125.0, "vatTotal": 6125.0, "vatTotalInCurrency": 6125.0,
    "balance": 100.5, "balanceInCurrency": 100.50,
    "supplier": {"internalId": 50012, "number": "50012", "name": "Fjordkraft Kontor AS"},
    "documentType": "Invoice", "referenceNumber": "300457", "status": "SomethingNew",
    "date": "2026-11-10T00:00:00", "currencyId": "NOK", "supplierReference": " 10458 ",
    "lastModifiedDateTime": "2026-11-12T07:42:03.613",
    "note": "paid twice?\nml-connector:c1-i-42/3. Kari", "timeStamp": "AAAAAAABd1M=",
    "errorInfo": "", "metadata": {"totalCount": 2, "maxPageSize": 1000}
}"#;

#[test]
fn an_invoice_is_read() {
    let found = invoice(row(INVOICE)).expect("readable");
    let nok = |minor| Money::new(minor, Currency::NOK);
    assert_eq!(found.kind, Some(InvoiceKind::Invoice));
    assert_eq!((found.number.as_str(), found.supplier.as_str()), ("300457", "50012"));
    assert_eq!(found.supplier_reference.as_deref(), Some("10458"));
    assert_eq!(found.status, "SomethingNew", "words to come are kept");
    assert_eq!(found.document_on, Some(date(2026, 11, 10)));
    assert_eq!((found.gross, found.vat), (nok(3_062_500), Some(nok(612_500))));
    assert_eq!(found.balance, Some(nok(10_050)));
    assert_eq!(found.our_key.as_deref(), Some("c1-i-42/3"));
    assert_eq!(found.version.as_deref(), Some("AAAAAAABd1M="));
    assert_eq!(found.attachments, ["faktura-10458.pdf"]);
    let line = &found.lines[0];
    assert_eq!(line.segments, [(1, "110".into()), (2, "00".into())]);
    assert_eq!((line.cost, line.vat_category.as_deref()), (nok(1_470_000), Some("K25")));
    assert_eq!((line.order_number.as_deref(), line.order_line), (Some("PO004211"), Some(1)));
    assert_eq!((line.receipt_number.as_deref(), line.receipt_line), (Some("PR002907"), Some(2)));
    let bare = &found.lines[1];
    assert_eq!((bare.account.as_deref(), bare.order_number.as_deref()), (None, None));
    assert_eq!(bare.quantity, None);
}

#[test]
fn kinds_by_document_type() {
    let cases = [
        ("Invoice", Some(InvoiceKind::Invoice)),
        ("DebitAdj", Some(InvoiceKind::CreditNote)),
        ("CreditAdj", None),
        ("Prepayment", None),
        ("Refund", None),
        ("TypeToCome", None),
    ];
    for (word, expected) in cases {
        assert_eq!(kind(word), expected, "{word}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_never_rounded() {
    let cases = [
        (json!({"amount": 30625.005}), "amount"),
        (json!({"currencyId": "ISK", "amount": 10.5}), "amount"),
        (json!({"currencyId": "kroner"}), "currencyId"),
        (json!({"currencyId": null}), "currencyId"),
        (json!({"amount": null}), "amount is missing"),
        (json!({"referenceNumber": ""}), "referenceNumber"),
        (json!({"supplier": {"name": "x"}}), "supplier.number"),
        (json!({"date": "10.11.2026"}), "date"),
        (json!({"invoiceLines": [{"lineNumber": 4, "costInCurrency": 0.001}]}), "line 4"),
        (json!({"invoiceLines": [{"lineNumber": 4}]}), "line 4"),
        (json!({"invoiceLines": [{"costInCurrency": 1}]}), "lineNumber"),
    ];
    for (change, name) in cases {
        let mut value: Value = serde_json::from_str(INVOICE).expect("JSON");
        for (member, content) in change.as_object().expect("members") {
            value[member] = content.clone();
        }
        let row: wire::Invoice = serde_json::from_value(value).expect("a row");
        let reason = invoice(row).expect_err(name);
        assert!(reason.contains(name), "{reason}");
    }
}

#[test]
fn amounts_keep_their_own_digits() {
    let cases = [
        ("9007199254740993.01", "9007199254740993.01"),
        ("0.1", "0.1"),
        ("1E3", "1000"),
        ("2.5e-1", "0.25"),
        ("-0.00", "0.00"),
    ];
    for (text, expected) in cases {
        let number: Number = serde_json::from_str(text).expect("a number");
        let read = number_of(Some(&number), "x").expect("readable").expect("there");
        assert_eq!(read, expected.parse::<Decimal>().expect("a number"), "{text}");
    }
    let fine: Number = serde_json::from_str(&format!("0.{}", "1".repeat(40))).expect("a number");
    assert!(number_of(Some(&fine), "x").is_err());
}

#[test]
fn the_documents_currency_is_found_by_the_rows_own_sums() {
    // 100 EUR at 11.5: the pair is named either way round.
    let line = r#"[{"lineNumber": 1, "costInCurrency": 100.0}]"#;
    let build = |plain: &str, named: &str, paid: &str| {
        let text = format!(
            r#"{{"invoiceLines": {line}, "detailTotal": {plain}, "detailTotalInCurrency": {named},
            "amount": 125, "balance": {paid}, "documentType": "Invoice", "referenceNumber": "1",
            "supplier": {{"number": "1"}}, "currencyId": "EUR"}}"#
        );
        invoice(row(&text)).expect("readable").balance.map(|money| money.amount().to_string())
    };
    let cases = [
        ("100", "1150", r#"25, "balanceInCurrency": 287.5"#, Some("25.00")),
        ("1150", "100", r#"287.5, "balanceInCurrency": 25"#, Some("25.00")),
        // Nothing to tell them apart by.
        ("null", "null", r#"287.5, "balanceInCurrency": 25"#, None),
        // Unpaid: the member that is the whole amount.
        ("null", "null", r#"1437.5, "balanceInCurrency": 125"#, Some("125.00")),
        ("null", "null", r#"0, "balanceInCurrency": 0.0"#, Some("0.00")),
    ];
    for (plain, named, paid, expected) in cases {
        assert_eq!(build(plain, named, paid).as_deref(), expected, "{plain} {named} {paid}");
    }
}

#[test]
fn keys_in_notes() {
    let cases = [
        ("ml-connector:abc-1", Some("abc-1")),
        ("see ml-connector:abc-1, asked Kari", Some("abc-1")),
        ("ml-connector:abc/2\nmore", Some("abc/2")),
        ("<p>ml-connector:abc.</p>", Some("abc")),
        ("ml-connector: abc", None),
        ("ml-connector", None),
        ("", None),
    ];
    for (note, expected) in cases {
        assert_eq!(key_in_note(note).as_deref(), expected, "{note}");
    }
}

#[test]
fn an_order_is_read_with_our_keys() {
    let text = r#"{
        "orderType": "RegularOrder", "orderNbr": "PO004211", "hold": true, "status": "Hold",
        "date": "2026-10-20T00:00:00", "description": "JAGGAER PO 88231",
        "supplier": {"number": "50012"}, "currency": "ISK", "supplierRef": "88231",
        "lineTotal": 31620.0, "customStr1": "", "customStr3": "key-1",
        "lines": [{"lineNbr": 1, "lineType": "GoodsForInventory", "lineDescription": "Bord",
            "orderQty": 10.0, "qtyOnReceipts": 4.5, "unitCost": 3162.0001, "amount": 31620.0,
            "completed": true, "canceled": false, "customStr2": "a/1",
            "account": {"number": "6540"}, "sub": {"segments": [{"segmentId": 1, "segmentValue": "110"}]}}],
        "lastModifiedDateTime": "2026-11-06T09:30:12.45", "timeStamp": "AAAAAAABbcY="}"#;
    let row: wire::Order = serde_json::from_str(text).expect("a row");
    let keys = KeyFields { order: CustomField::CustomStr3, line: CustomField::CustomStr2 };
    let found = order(row, keys).expect("readable");
    assert_eq!(found.our_key.as_deref(), Some("key-1"));
    assert!(found.on_hold);
    assert_eq!(found.net.map(|net| net.to_string()).as_deref(), Some("31620 ISK"));
    let line = &found.lines[0];
    assert_eq!(
        (line.our_key.as_deref(), line.is_stock(), line.completed),
        (Some("a/1"), true, true)
    );
    assert_eq!(line.unit_cost.map(|cost| cost.to_string()).as_deref(), Some("3162.0001"));
    assert_eq!(line.received, Some("4.5".parse().expect("a number")));
    assert_eq!(line.segments, [(1, "110".into())]);
    let row: wire::Order = serde_json::from_str(text).expect("a row");
    assert_eq!(order(row, KeyFields::default()).expect("readable").our_key, None, "empty is none");
}

#[test]
fn amounts_that_come_as_text_are_amounts() {
    let row = serde_json::json!({
        "documentType": "Invoice", "referenceNumber": "300457", "supplier": {"number": "50001"},
        "status": "Hold", "currencyId": "NOK", "amount": "1250.50",
        "invoiceLines": [{"lineNumber": 1, "costInCurrency": " 1000.40 "}],
    });
    let invoice = invoice(serde_json::from_value(row).unwrap()).unwrap();
    assert_eq!(invoice.gross, Money::new(125_050, Currency::NOK));
    assert_eq!(invoice.lines[0].cost, Money::new(100_040, Currency::NOK));

    let wrong = serde_json::json!({"amount": "1 250,50"});
    assert!(
        serde_json::from_value::<wire::Invoice>(wrong).is_err(),
        "a notation that could be read two ways is not guessed"
    );
}
