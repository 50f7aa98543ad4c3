use super::super::Settings;
use super::{calm, company, invoice, line, number, v, with};
use crate::faults::Faults;
use serde_json::{Value, json};

const INVOICES: &str = "/v1/supplierInvoice";

#[tokio::test]
async fn an_invoice_from_draft_to_ledger() {
    let company = calm().await;
    let client = &company.client;
    let answer = client
        .send("POST", INVOICES, &invoice("A-1", vec![line("99.99", "K25"), line("10.005", "K15")]))
        .await;
    assert_eq!((answer.status, answer.bytes.as_slice()), (201, b"{}".as_slice()));
    let path = format!("{INVOICES}/{}", answer.key());
    let read = client.get(&path).await;
    assert_eq!(read.header("etag"), answer.header("etag"));
    let read = read.json();
    assert_eq!(
        (read["status"].as_str(), read["hold"].as_bool(), read["note"].as_str()),
        (Some("Hold"), Some(true), Some("ml-connector:A-1"))
    );
    // 99.99 + 10.01 (rounded without a word), VAT 25.00 + 1.50.
    assert_eq!(
        (
            read["detailTotalInCurrency"].to_string(),
            read["vatTotalInCurrency"].to_string(),
            read["balanceInCurrency"].to_string()
        ),
        ("110.0".into(), "26.5".into(), "136.5".into())
    );
    assert_eq!(
        (read["postPeriod"].as_str(), read["dueDate"].as_str()),
        (Some("112026"), Some("2026-12-10T00:00:00"))
    );
    assert_eq!(
        (
            read["invoiceLines"][0]["subaccount"]["subaccountNumber"].as_str(),
            read["invoiceLines"][0]["subaccount"]["metadata"]["maxPageSize"].as_i64()
        ),
        (Some("110-P-2031"), Some(1000))
    );

    let release = format!("{path}/action/release");
    assert!(
        client.send("POST", &release, &json!({})).await.message().contains("Hold"),
        "a draft on hold is not released"
    );
    let patch = json!({"hold": v(false), "invoiceLines": [{"operation": "Update", "lineNumber": v(2), "accountNumber": v("6800")}, {"operation": "Delete", "lineNumber": v(1)}]});
    assert_eq!(
        client.send_with("PUT", &path, &[("If-Match", "\"AAAAAAAAAAA=\"")], &patch).await.status,
        412
    );
    assert_eq!(client.send("PUT", &path, &patch).await.status, 204);
    let read = client.get(&path).await.json();
    assert_eq!(
        (
            read["status"].as_str(),
            read["invoiceLines"].as_array().map(Vec::len),
            read["invoiceLines"][0]["lineNumber"].as_i64()
        ),
        (Some("Balanced"), Some(1), Some(2))
    );
    assert_eq!(read["invoiceLines"][0]["account"]["number"], "6800");

    // Without the background header a stale version does not stop the release.
    assert_eq!(
        client
            .send_with("POST", &release, &[("If-Match", "\"AAAAAAAAAAA=\"")], &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(client.get(&path).await.json()["status"], "Open");
    assert_eq!(
        client.send("PUT", &path, &json!({"hold": v(true)})).await.status,
        400,
        "released lines are locked"
    );
    assert_eq!(client.try_call("DELETE", &path, &[], b"").await.expect("an answer").status, 400);
    assert_eq!(client.send("POST", &release, &json!({})).await.status, 400);
}

#[tokio::test]
async fn numbers_repeat_across_types() {
    let company = calm().await;
    let bill =
        company.client.send("POST", INVOICES, &invoice("A-1", vec![line("10", "K25")])).await;
    let mut credit = invoice("C-1", vec![line("4", "K25")]);
    credit = with(credit, json!({"documentType": v("DebitAdj")}));
    // The invoice keyed in by hand took 300001.
    let first = company.client.send("POST", INVOICES, &credit).await;
    let second = company.client.send("POST", INVOICES, &credit).await;
    assert_eq!(
        (bill.key(), first.key(), second.key()),
        ("300002".into(), "300001".into(), "300002".into())
    );
    assert_eq!(
        company.client.get("/v1/supplierInvoice/300002").await.json()["documentType"],
        "Invoice"
    );
    assert_eq!(
        company.client.get("/v1/supplierInvoice/DebitAdj/300002").await.json()["documentType"],
        "DebitAdj"
    );
    assert_eq!(company.client.get("/v1/supplierInvoice/Nonsense/300002").await.status, 404);
    assert_eq!(
        company
            .client
            .try_call("DELETE", "/v1/supplierInvoice/DebitAdj/300002", &[], b"")
            .await
            .expect("an answer")
            .status,
        204
    );
    assert_eq!(company.client.get("/v1/supplierInvoice/DebitAdj/300002").await.status, 404);
}

#[tokio::test]
async fn invoices_that_are_refused() {
    let company = calm().await;
    let keyed = company.client.rows("/v1/purchaseorder?pageNumber=1").await[0].clone();
    let order = keyed["orderNbr"].as_str().expect("a number").to_owned();
    let line_number = |at: usize| keyed["lines"][at]["lineNbr"].as_i64().expect("a number");
    let link = |kind: &str, number: &str, at: i64| json!({"linkLine": {"purchaseType": kind, "purchaseNumber": v(number), "purchaseLineNbr": v(at)}});
    let coded = |members: Value| invoice("R-1", vec![with(line("10", "K25"), members)]);
    let headed = |members: Value| with(invoice("R-1", vec![line("10", "K25")]), members);
    let table = [
        (headed(json!({"supplierNumber": v("1")})), "Supplier"),
        (headed(json!({"supplierNumber": v("50060")})), "Inactive"),
        (headed(json!({"supplierNumber": v("50061")})), "OnHold"),
        (headed(json!({"supplierNumber": null})), "supplierNumber"),
        (headed(json!({"documentType": v("Payment")})), "Payment"),
        (headed(json!({"financialPeriod": v("202606")})), "closed"),
        (headed(json!({"financialPeriod": v("202608")})), "closed"),
        (headed(json!({"financialPeriod": v("203001")})), "Post period"),
        (headed(json!({"postPeriod": v("112026")})), "either"),
        (headed(json!({"financialPeriod": null, "postPeriod": v("082026")})), "closed"),
        (headed(json!({"financialPeriod": null, "date": v("2026-08-03")})), "closed"),
        (headed(json!({"creditTermsId": v("NET30")})), "Credit terms"),
        (headed(json!({"branchNumber": v("9")})), "inactive"),
        (headed(json!({"currencyId": v("XTS")})), "Currency"),
        (headed(json!({"amount": v(1), "hold": v(false)})), "out of the balance"),
        (headed(json!({"vatAmount": v(1), "hold": v(false)})), "out of the balance"),
        (headed(json!({"hold": true})), "hold"),
        (headed(json!({"supplierRef": v("x")})), "supplierRef"),
        (headed(json!({"addPurchaseOrders": [{"poOrderNumber": v("PO1")}]})), "addPurchaseOrders"),
        (coded(json!({"accountNumber": v("9999")})), "Account"),
        (coded(json!({"accountNumber": v("6999")})), "inactive"),
        (coded(json!({"accountNumber": null})), "Account"),
        (coded(json!({"subaccount": [{"segmentId": 1, "segmentValue": "399"}]})), "inactive"),
        (coded(json!({"subaccount": [{"segmentId": 2, "segmentValue": "P-20310"}]})), "longer"),
        (coded(json!({"vatCodeId": v("1")})), "VAT category"),
        (coded(json!({"vatCodeId": v("KX")})), "inactive"),
        (coded(json!({"uom": v("EA")})), "UOM"),
        (coded(json!({"costInCurrency": v(-10)})), "negative"),
        (coded(link("PurchaseOrder", "PO999999", 1)), "Purchase order"),
        (coded(link("PurchaseOrder", &order, 99)), "Purchase order line"),
        (coded(link("PurchaseOrder", &order, line_number(1))), "stock item"),
        (coded(link("PurchaseReceipt", "PR000001", 1)), "Purchase receipt"),
        (
            with(
                coded(link("PurchaseOrder", &order, line_number(0))),
                json!({"supplierNumber": v("50047")}),
            ),
            "another supplier",
        ),
    ];
    for (body, part) in table {
        let answer = company.client.send("POST", INVOICES, &body).await;
        assert!(
            answer.status == 400 && answer.message().contains(part),
            "{part}: {} {}",
            answer.status,
            answer.message()
        );
    }
    assert!(company.visma.report().made.is_empty());
    let receipt = company.client.rows("/v2/PurchaseReceipt?pageNumber=1").await[0]["receiptNbr"]
        .as_str()
        .expect("a number")
        .to_owned();
    for (kind, number, at) in [
        ("PurchaseOrder", order.as_str(), line_number(0)),
        ("PurchaseReceipt", receipt.as_str(), 1),
    ] {
        let answer = company.client.send("POST", INVOICES, &coded(link(kind, number, at))).await;
        assert_eq!(answer.status, 201, "{kind}");
        let line = company.client.get(&format!("{INVOICES}/{}", answer.key())).await.json()["invoiceLines"][0].clone();
        assert_eq!(line["poNumber"], order.as_str());
    }
}

#[tokio::test]
async fn a_faulty_line_is_dropped_when_nobody_asks_for_line_errors() {
    let company = calm().await;
    let body = with(
        invoice("A-1", vec![line("10", "1"), line("20", "K25")]),
        json!({"validateLineDetails": null}),
    );
    let answer = company.client.send("POST", INVOICES, &body).await;
    assert_eq!(answer.status, 201);
    let read = company.client.get(&format!("{INVOICES}/{}", answer.key())).await.json();
    assert_eq!(
        (read["invoiceLines"].as_array().map(Vec::len), read["balanceInCurrency"].to_string()),
        (Some(1), "25.0".into())
    );
}

#[tokio::test]
async fn lists_filter_expand_and_keep_their_times() {
    let company = calm().await;
    let client = &company.client;
    for at in 0..25 {
        let supplier = if at % 2 == 0 { "50012" } else { "50047" };
        let body = with(
            invoice(&format!("L-{at}"), vec![line("10", "K25")]),
            json!({"supplierNumber": v(supplier)}),
        );
        assert_eq!(client.send("POST", INVOICES, &body).await.status, 201);
    }
    let all = client.rows("/v1/supplierInvoice?pageNumber=1&pageSize=500").await;
    assert_eq!(
        (
            all.len(),
            all[0]["metadata"]["totalCount"].as_i64(),
            all[0]["metadata"]["maxPageSize"].as_i64()
        ),
        (26, Some(26), Some(500))
    );
    assert!(all.iter().all(|row| row["note"].is_null()));
    let times: Vec<&str> =
        all.iter().filter_map(|row| row["lastModifiedDateTime"].as_str()).collect();
    assert!(times.iter().all(|time| !time.ends_with('Z') && !time.contains('+')));
    assert!(
        times.iter().any(|time| time.len() > 23),
        "some times are finer than a request can spell"
    );
    assert_eq!(
        client.rows("/v1/supplierInvoice?pageNumber=1&expandNote=true&status=Hold").await[0]["note"],
        "ml-connector:L-0"
    );

    for (filter, rows) in [
        ("supplier=50047", 12),
        ("supplier=50012&released=1", 1),
        ("documentType=DebitAdj", 0),
        ("docDate=2026-11-10&docDateCondition=%3E%3D", 25),
        ("docDate=2026-10-12", 1),
        ("balance=100&balanceCondition=%3E", 1),
        ("financialPeriod=202611", 25),
        ("supplierReference=L-3", 26),
    ] {
        assert_eq!(
            client.rows(&format!("/v1/supplierInvoice?pageNumber=1&{filter}")).await.len(),
            rows,
            "{filter}"
        );
    }
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let since: String = sorted[20].chars().take(23).collect();
    let changed = client.rows(&format!("/v1/supplierInvoice?pageNumber=1&lastModifiedDateTime={since}&lastModifiedDateTimeCondition=%3E%3D")).await;
    assert_eq!(changed.len(), 6, "since {since}");
    assert_eq!(client.get("/v1/supplierInvoice?lastModifiedDateTime=2026-11-01").await.status, 400);

    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=4 {
        seen.extend(
            client
                .rows(&format!("/v1/supplierInvoice?pageNumber={page}&pageSize=10"))
                .await
                .iter()
                .map(|row| row["referenceNumber"].to_string()),
        );
    }
    assert_eq!(seen.len(), 26);
}

#[tokio::test]
async fn shuffled_lists_still_hold_every_row_once() {
    let settings =
        Settings { shuffled_lists: true, foreign_location: true, ..Settings::defaults() };
    let mut company = company(settings, Faults::default()).await;
    company.client.sign_in().await;
    for at in 0..30 {
        let answer = company
            .client
            .send("POST", INVOICES, &invoice(&format!("S-{at}"), vec![line("10", "K25")]))
            .await;
        assert!(
            answer
                .header("location")
                .is_some_and(|place| place.starts_with("http://other.invalid/v1/supplierInvoice/"))
        );
    }
    let mut numbers = Vec::new();
    for page in 1..=7 {
        numbers.extend(
            company
                .client
                .rows(&format!("/v1/supplierInvoice?pageNumber={page}&pageSize=5"))
                .await
                .iter()
                .map(|row| row["referenceNumber"].to_string()),
        );
    }
    let mut sorted = numbers.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((numbers.len(), sorted.len()), (31, 31));
    assert_ne!(numbers, sorted);
}

#[tokio::test]
async fn foreign_currency_and_reverse_charge() {
    let company = calm().await;
    let body =
        with(invoice("SE-1", vec![line("1000", "K25")]), json!({"supplierNumber": v("50047")}));
    let answer = company.client.send("POST", INVOICES, &body).await;
    let read = company.client.get(&format!("{INVOICES}/{}", answer.key())).await.json();
    assert_eq!(
        (
            read["currencyId"].as_str(),
            read["vatTotalInCurrency"].to_string(),
            read["balanceInCurrency"].to_string(),
            read["balance"].to_string()
        ),
        (Some("SEK"), "0.0".into(), "1000.0".into(), "1050.0".into())
    );
    assert_eq!(read["taxDetailLines"][0]["taxId"], "86");
    let body =
        with(invoice("IS-1", vec![line("1000.49", "K0")]), json!({"supplierNumber": v("50050")}));
    let answer = company.client.send("POST", INVOICES, &body).await;
    assert_eq!(company.client.get(&format!("{INVOICES}/{}", answer.key())).await.json()["balanceInCurrency"].to_string(), "1000.0", "ISK has no decimals");
}

#[tokio::test]
async fn amounts_keep_their_own_text() {
    let company = calm().await;
    let body = invoice("BIG", vec![line("9007199254740993.01", "K0")]);
    let answer = company.client.send("POST", INVOICES, &body).await;
    let read = company.client.get(&format!("{INVOICES}/{}", answer.key())).await.json();
    assert_eq!(read["detailTotalInCurrency"], number("9007199254740993.01"));
}
