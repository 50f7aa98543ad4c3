use super::super::{HandChange, Settings};
use super::{Company, company, invoice, line, v, with};
use crate::faults::{Fault, Faults};
use serde_json::{Value, json};

const INVOICES: &str = "/v1/supplierInvoice";
const JOURNAL: &str = "/v2/journaltransaction";

async fn released(company: &Company, body: Value) -> String {
    let body = with(body, json!({"hold": v(false)}));
    let made = company.client.send("POST", INVOICES, &body).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let kind = body["documentType"]["value"].as_str().expect("a type");
    let path = format!("{INVOICES}/{kind}/{}/action/release", made.key());
    assert_eq!(company.client.send("POST", &path, &json!({})).await.status, 200);
    made.key()
}

async fn signed_in(settings: Settings, faults: Faults) -> Company {
    let mut company = company(settings, faults).await;
    company.client.sign_in().await;
    company
}

/// (account, subaccount, debit, credit) of the newest batch.
async fn newest(company: &Company) -> (Value, Vec<(String, String, String, String)>) {
    let batch = company.client.rows(JOURNAL).await.pop().expect("a batch");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines = batch["journalTransactionLines"].as_array().expect("lines");
    let lines = lines
        .iter()
        .map(|line| {
            (
                text(&line["accountNumber"]),
                text(&line["subaccount"]["subaccountNumber"]),
                text(&line["debitAmountInCurrency"]),
                text(&line["creditAmountInCurrency"]),
            )
        })
        .collect();
    (batch, lines)
}

fn row(account: &str, sub: &str, debit: &str, credit: &str) -> (String, String, String, String) {
    (account.into(), sub.into(), debit.into(), credit.into())
}

const NONE: &str = "000-000000";
const CODED: &str = "110-P-2031";

#[tokio::test]
async fn a_release_makes_a_batch() {
    let company = signed_in(Settings::defaults(), Faults::default()).await;
    let before = company.client.rows(JOURNAL).await.len();
    assert_eq!(before, 1, "the invoice keyed in by hand has its batch");
    let number =
        released(&company, invoice("A-1", vec![line("100", "K25"), line("-20", "K25")])).await;
    let (batch, lines) = newest(&company).await;
    assert_eq!(
        lines,
        [
            row("6540", CODED, "100.0", "0.0"),
            row("6540", CODED, "0.0", "20.0"),
            row("2710", NONE, "20.0", "0.0"),
            row("2400", NONE, "0.0", "100.0"),
        ]
    );
    assert_eq!(
        (batch["module"].as_str(), batch["status"].as_str(), batch["currencyId"].as_str()),
        (Some("ModuleAP"), Some("Posted"), Some("NOK"))
    );
    assert_eq!(batch["journalTransactionLines"][0]["referenceNumber"], number.as_str());
    assert_eq!(batch["debitTotalInCurrency"].to_string(), "120.0");
    let single = company
        .client
        .get(&format!("{JOURNAL}/{}", batch["batchNumber"].as_str().expect("a number")))
        .await;
    assert_eq!(single.json()["timeStamp"], batch["timeStamp"]);
    assert!(single.header("etag").is_some());
    assert_eq!(company.client.get(&format!("{JOURNAL}/999999")).await.status, 404);
}

#[tokio::test]
async fn credit_notes_and_reverse_charge_stand_on_the_other_side_too() {
    let settings = Settings { summary_batches: true, ..Settings::defaults() };
    let company = signed_in(settings, Faults::default()).await;
    let credit = with(
        invoice("C-1", vec![line("40", "K25"), line("60", "K25")]),
        json!({"documentType": v("DebitAdj")}),
    );
    released(&company, credit).await;
    let (_, lines) = newest(&company).await;
    assert_eq!(
        lines,
        [
            row("6540", CODED, "0.0", "100.0"),
            row("2710", NONE, "0.0", "25.0"),
            row("2400", NONE, "125.0", "0.0"),
        ]
    );
    let foreign = with(
        invoice("S-1", vec![line("100.01", "K25")]),
        json!({"supplierNumber": v("50047"), "currencyId": v("SEK")}),
    );
    released(&company, foreign).await;
    let (batch, lines) = newest(&company).await;
    assert_eq!(
        lines,
        [
            row("6540", CODED, "100.01", "0.0"),
            row("2710", NONE, "25.0", "0.0"),
            row("2701", NONE, "0.0", "25.0"),
            row("2400", NONE, "0.0", "100.01"),
        ]
    );
    assert_eq!(batch["debitTotal"], batch["creditTotal"]);
    assert_eq!(batch["journalTransactionLines"][0]["debitAmount"].to_string(), "105.01");
}

/// A page holds whole batches while their lines fit, and the count counts lines.
#[tokio::test]
async fn pages_are_filled_by_lines() {
    let settings = Settings { max_page_journal_lines: 7, ..Settings::defaults() };
    let company = signed_in(settings, Faults::default()).await;
    for n in 0..3 {
        released(&company, invoice(&format!("A-{n}"), vec![line("10", "K25")])).await;
    }
    let page = async |n: usize| {
        let rows = company.client.rows(&format!("{JOURNAL}?pageNumber={n}&pageSize=1000")).await;
        rows.iter().for_each(|row| {
            assert_eq!(row["metadata"]["totalCount"].as_i64(), Some(12));
            assert_eq!(row["metadata"]["maxPageSize"].as_i64(), Some(7));
        });
        rows.len()
    };
    assert_eq!([page(1).await, page(2).await, page(3).await], [2, 2, 0]);
    let small = company.client.rows(&format!("{JOURNAL}?pageSize=1")).await;
    assert_eq!(small.len(), 1, "a batch over the size of a page has a page of its own");
    assert_eq!(small[0]["journalTransactionLines"].as_array().map(Vec::len), Some(3));

    let cut =
        Settings { batches_cut_at_pages: true, max_page_journal_lines: 4, ..Settings::defaults() };
    let company = signed_in(cut, Faults::default()).await;
    released(&company, invoice("A-1", vec![line("10", "K25")])).await;
    let page = async |n: usize| {
        let rows = company.client.rows(&format!("{JOURNAL}?pageNumber={n}")).await;
        let lines = |row: &Value| row["journalTransactionLines"].as_array().map_or(0, Vec::len);
        rows.iter().map(lines).collect::<Vec<_>>()
    };
    assert_eq!([page(1).await, page(2).await, page(3).await], [vec![3, 1], vec![2], vec![]]);
}

#[tokio::test]
async fn filters_of_the_journal() {
    let company = signed_in(Settings::defaults(), Faults::default()).await;
    released(&company, invoice("A-1", vec![line("10", "K25")])).await;
    let (batch, _) = newest(&company).await;
    let modified = batch["lastModifiedDateTime"].as_str().expect("a time").to_owned();
    for (query, rows) in [
        (format!("lastModifiedDateTime={modified}"), 1),
        ("lastModifiedDateTime=2026-11-30".to_owned(), 0),
        ("module=ModuleAP".to_owned(), 2),
        ("module=ModuleGL".to_owned(), 0),
        ("status=Unposted".to_owned(), 0),
        ("periodId=202611".to_owned(), 1),
        ("branch=2".to_owned(), 0),
        ("referenceNumber=300001".to_owned(), 2),
    ] {
        assert_eq!(company.client.rows(&format!("{JOURNAL}?{query}")).await.len(), rows, "{query}");
    }
    for wrong in ["status=Sleeping", "lastModifiedDateTime=yesterday", "pageNumber=0"] {
        assert_eq!(company.client.get(&format!("{JOURNAL}?{wrong}")).await.status, 400, "{wrong}");
    }
}

/// Each fault spoils one thing, and the batch still adds up.
#[tokio::test]
async fn batches_are_spoilt_on_purpose() {
    let right = [
        row("6540", CODED, "100.0", "0.0"),
        row("2710", NONE, "25.0", "0.0"),
        row("2400", NONE, "0.0", "125.0"),
    ];
    for (fault, at, wrong, status) in [
        (Fault::BatchUnposted, 0, right[0].clone(), "Unposted"),
        (Fault::BatchWrongAccount, 0, row("7770", CODED, "100.0", "0.0"), "Posted"),
        (Fault::BatchWrongSubaccount, 0, row("6540", "400-P-2031", "100.0", "0.0"), "Posted"),
        (Fault::BatchWrongAmount, 0, row("6540", CODED, "101.0", "0.0"), "Posted"),
        (Fault::BatchWrongVat, 1, row("2710", NONE, "26.0", "0.0"), "Posted"),
    ] {
        let faults = Faults::default().with(fault, 1000, None);
        let company = signed_in(Settings::defaults(), faults).await;
        let number = released(&company, invoice("A-1", vec![line("100", "K25")])).await;
        let (batch, lines) = newest(&company).await;
        assert_eq!((&lines[at], batch["status"].as_str()), (&wrong, Some(status)), "{fault:?}");
        assert_eq!(batch["debitTotalInCurrency"], batch["creditTotalInCurrency"], "{fault:?}");
        let put_right = HandChange::BatchPutRight;
        assert!(company.visma.change_by_hand("Invoice", &number, put_right), "{fault:?}");
        let (fresh, lines) = newest(&company).await;
        assert_eq!(
            (&lines[..], fresh["status"].as_str()),
            (&right[..], Some("Posted")),
            "{fault:?}"
        );
        assert_ne!(fresh["timeStamp"], batch["timeStamp"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_release_can_be_refused_or_without_effect() {
    for (fault, status) in [
        (Fault::ReleaseRefused, 400),
        (Fault::ReleaseFails, 500),
        (Fault::ReleaseWithoutEffect, 200),
    ] {
        let company =
            signed_in(Settings::defaults(), Faults::default().with(fault, 1000, Some(1))).await;
        let body = with(invoice("A-1", vec![line("10", "K25")]), json!({"hold": v(false)}));
        let path =
            format!("{INVOICES}/{}", company.client.send("POST", INVOICES, &body).await.key());
        let release = format!("{path}/action/release");
        assert_eq!(
            company.client.send("POST", &release, &json!({})).await.status,
            status,
            "{fault:?}"
        );
        assert_eq!(company.client.get(&path).await.json()["status"], "Balanced", "{fault:?}");
        assert_eq!(
            company.client.send("POST", &release, &json!({})).await.status,
            200,
            "{fault:?}"
        );
        assert_eq!(company.client.get(&path).await.json()["status"], "Open", "{fault:?}");
    }
}
