use super::super::Settings;
use super::client::Client;
use super::{Company, company, invoice, line, v, with};
use crate::faults::{Fault, Faults, Level};
use serde_json::json;

const INVOICES: &str = "/v1/supplierInvoice";

async fn faulty(faults: Faults) -> Company {
    let mut company = company(Settings::defaults(), faults).await;
    company.client.sign_in().await;
    company
}

fn once(fault: Fault) -> Faults {
    Faults::default().with(fault, 1000, Some(1))
}

async fn post(company: &Company, reference: &str) -> Result<u16, usize> {
    let body = invoice(reference, vec![line("10", "K25")]).to_string();
    let answer = company
        .client
        .try_call("POST", INVOICES, &[("Content-Type", "application/json")], body.as_bytes())
        .await;
    answer.map(|answer| answer.status).map_err(|bytes| bytes.len())
}

fn made(company: &Company) -> usize {
    company.visma.report().made.values().sum()
}

#[tokio::test]
async fn broken_writes() {
    // Fault, first answer (or the bytes that came of it), documents made by then.
    for (fault, first, documents) in [
        (Fault::LostAnswerAfterCommit, Err(0), 1),
        (Fault::DropBeforeCommit, Err(0), 0),
        (Fault::ServerErrorBeforeCommit, Ok(500), 0),
        (Fault::ServerErrorAfterCommit, Ok(500), 1),
        (Fault::Forbidden, Ok(403), 0),
        (Fault::RateLimited, Ok(429), 0),
        (Fault::RateLimitedWithoutRetryAfter, Ok(429), 0),
    ] {
        let company = faulty(once(fault)).await;
        assert_eq!(post(&company, "F-1").await, first, "{fault:?}");
        assert_eq!(made(&company), documents, "{fault:?}");
        assert_eq!(post(&company, "F-1").await, Ok(201), "{fault:?}");
        assert_eq!(made(&company), documents + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_ordinary_listener_loses_the_answer_too() {
    let mut company = faulty(once(Fault::LostAnswerAfterCommit)).await;
    let token = std::mem::take(&mut company.client.token);
    company.client = Client::serving_plainly(&company.visma).await;
    company.client.token = token;
    assert_eq!(post(&company, "F-1").await, Err(0));
    assert_eq!(made(&company), 1);
    assert_eq!(post(&company, "F-2").await, Ok(201));
}

#[tokio::test]
async fn the_same_write_is_not_hit_for_ever() {
    let company = faulty(Faults::default().with(Fault::LostAnswerAfterCommit, 1000, None)).await;
    assert_eq!(
        [post(&company, "F-1").await, post(&company, "F-1").await, post(&company, "F-1").await],
        [Err(0), Err(0), Ok(201)]
    );
    assert_eq!(post(&company, "F-2").await, Err(0));
}

#[tokio::test]
async fn a_refusal_may_come_as_500() {
    let company = faulty(once(Fault::BusinessRefusalAsServerError)).await;
    let body =
        with(invoice("F-1", vec![line("10", "K25")]), json!({"financialPeriod": v("202608")}));
    let first = company.client.send("POST", INVOICES, &body).await;
    assert_eq!(first.status, 500);
    assert!(first.message().contains("closed"));
    assert_eq!(company.client.send("POST", INVOICES, &body).await.status, 400);
}

#[tokio::test]
async fn a_token_dies_in_the_middle() {
    let mut company = faulty(once(Fault::UnauthorizedOnce)).await;
    for _ in 0..5 {
        assert_eq!(
            company.client.get("/v1/branch").await.status,
            200,
            "a fresh token works for a while"
        );
    }
    assert_eq!(company.client.get("/v1/branch").await.status, 401);
    assert_eq!(company.client.get("/v1/branch").await.status, 401, "and stays dead");
    company.client.sign_in().await;
    assert_eq!(company.client.get("/v1/branch").await.status, 200);
}

#[tokio::test]
async fn someone_else_changes_the_row() {
    let company = faulty(once(Fault::PreconditionFailed)).await;
    assert_eq!(post(&company, "F-1").await, Ok(201));
    let path = format!("{INVOICES}/300002");
    let etag = company.client.get(&path).await.header("etag").expect("an ETag").to_owned();
    let patch = json!({"description": v("new")});
    assert_eq!(
        company.client.send_with("PUT", &path, &[("If-Match", &etag)], &patch).await.status,
        412
    );
    let fresh = company.client.get(&path).await.header("etag").expect("an ETag").to_owned();
    assert_ne!(fresh, etag, "the row has really been changed");
    assert_eq!(
        company.client.send_with("PUT", &path, &[("If-Match", &fresh)], &patch).await.status,
        204
    );
}

#[tokio::test]
async fn rows_show_up_later() {
    let faults = Faults {
        visible_after_calls: 4,
        visible_after_milliseconds: 60_000,
        ..once(Fault::DelayedVisibility)
    };
    let company = faulty(faults).await;
    assert_eq!(post(&company, "F-1").await, Ok(201));
    assert_eq!(
        company.client.get("/v1/supplierInvoice/300002").await.status,
        200,
        "a single read knows it at once"
    );
    let mut counts = Vec::new();
    for _ in 0..4 {
        counts.push(company.client.rows("/v1/supplierInvoice?pageNumber=1").await.len());
    }
    assert_eq!(counts, [1, 1, 2, 2]);
}

#[tokio::test]
async fn lists_that_move_and_bodies_that_break() {
    for (fault, rows, different) in [(Fault::RepeatedRows, 13, 12), (Fault::MovedRows, 11, 11)] {
        let company = faulty(Faults::default()).await;
        for at in 0..11 {
            assert_eq!(post(&company, &format!("F-{at}")).await, Ok(201));
        }
        company.visma.board.set(once(fault));
        let mut seen = Vec::new();
        for page in 1..=4 {
            seen.extend(
                company
                    .client
                    .rows(&format!("/v1/supplierInvoice?pageNumber={page}&pageSize=5"))
                    .await
                    .iter()
                    .map(|row| row["referenceNumber"].to_string()),
            );
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!((seen.len(), once.len()), (rows, different), "{fault:?}");
    }
    let company = faulty(once(Fault::CutBody)).await;
    let cut =
        company.client.try_call("GET", "/v1/account", &[], b"").await.expect_err("half an answer");
    assert!(
        cut.starts_with(b"HTTP/1.1 200"),
        "the head came whole: {}",
        String::from_utf8_lossy(&cut)
    );
    assert!(cut.windows(4).any(|four| four == b"\r\n\r\n"));
    let company = faulty(once(Fault::SlowBody)).await;
    let started = std::time::Instant::now();
    assert_eq!(company.client.rows("/v1/account").await.len(), 15);
    assert!(started.elapsed() >= std::time::Duration::from_millis(120));
    let company = faulty(once(Fault::OkWithErrorInfo)).await;
    let broken =
        |rows: Vec<serde_json::Value>| rows.iter().filter(|row| row["errorInfo"] != "").count();
    assert_eq!(broken(company.client.rows("/v1/supplier?pageNumber=1").await), 1);
    assert_eq!(broken(company.client.rows("/v1/supplier?pageNumber=1").await), 0);
}

#[tokio::test]
async fn times_can_be_equal() {
    let company = faulty(Faults::default().with(Fault::EqualTimestamps, 1000, None)).await;
    for at in 0..3 {
        assert_eq!(post(&company, &format!("F-{at}")).await, Ok(201));
    }
    let times: std::collections::BTreeSet<String> = company
        .client
        .rows("/v1/supplierInvoice?pageNumber=1&status=Hold")
        .await
        .iter()
        .map(|row| row["lastModifiedDateTime"].to_string())
        .collect();
    assert_eq!(times.len(), 1);
}

#[tokio::test]
async fn silence_after_202() {
    for (fault, documents) in [(Fault::SilenceAfterWork, 1), (Fault::SilenceWithoutWork, 0)] {
        let company = faulty(once(fault)).await;
        let body = invoice("F-1", vec![line("10", "K25")]);
        let answer = company
            .client
            .send_with("POST", INVOICES, &[("erp-api-background", "none")], &body)
            .await;
        assert_eq!(answer.status, 202);
        let job = answer.json()["id"].as_str().expect("an id").to_owned();
        for _ in 0..5 {
            assert_eq!(
                company.client.get(&format!("/v1/background/{job}")).await.json()["status"],
                "Started",
                "{fault:?}"
            );
        }
        assert_eq!(made(&company), documents, "{fault:?}");
    }
}

#[tokio::test]
async fn many_faults_let_a_stubborn_client_finish() {
    let mut company = faulty(Faults::level(Level::Many, 5)).await;
    let mut tries = 0;
    for at in 0..60 {
        // A client that looks before it writes again: the list says whether the document is there.
        loop {
            tries += 1;
            assert!(tries < 600, "no end in sight");
            match post(&company, &format!("M-{at}")).await {
                Ok(201) => break,
                Ok(401) => company.client.sign_in().await,
                Ok(_) | Err(_) => {
                    let findings = company.visma.report();
                    if findings.made.values().sum::<usize>() > at {
                        break;
                    }
                }
            }
        }
    }
    let report = company.visma.report();
    assert_eq!((report.made["Invoice Hold"], report.repeated.len()), (60, 0));
    assert!(report.faults.values().sum::<u32>() > 10, "{:?}", report.faults);
}
