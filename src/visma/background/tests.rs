use super::*;
use crate::visma::testing::{Reply, Server};

async fn asked(state: &'static str, content: &'static str) -> Outcome {
    let server = Server::signed_in(move |heard, _| {
        if heard.target.ends_with("/content") { Reply::json(content) } else { Reply::json(state) }
    })
    .await;
    server.client().background_outcome("j1").await.expect("an answer")
}

#[tokio::test]
async fn a_job_runs() {
    let outcome = asked(r#"{"id":"j1","status":"Started","statusCode":0}"#, "").await;
    assert_eq!(outcome, Outcome::Accepted { job: "j1".into() });
}

#[tokio::test]
async fn a_job_that_created_tells_its_key() {
    let outcome = asked(
        r#"{"status":"Finished","statusCode":201,"hasResponseContent":false,
            "originalUri":"https://x/v1/supplierInvoice",
            "responseHeaders":{"Location":"https://x/v1/supplierInvoice/300457","ETag":"\"B=\""}}"#,
        "",
    )
    .await;
    let key = Some("300457".to_owned());
    assert_eq!(outcome, Outcome::Done { location_key: key, etag: Some("\"B=\"".into()) });
}

#[tokio::test]
async fn finished_is_not_success() {
    let outcome = asked(
        r#"{"status":"Finished","statusCode":400,"hasResponseContent":true}"#,
        r#"{"message":"the period is closed"}"#,
    )
    .await;
    let message = "the period is closed".to_owned();
    assert_eq!(outcome, Outcome::Refused { status: 400, message });
    let outcome = asked(
        r#"{"status":"Finished","statusCode":200,"hasResponseContent":true,
            "originalUri":"https://x/v1/supplierInvoice/Invoice/7/action/release"}"#,
        r#"{"actionResult":"Failed","errorInfo":"not balanced"}"#,
    )
    .await;
    assert_eq!(outcome, Outcome::Refused { status: 200, message: "not balanced".into() });
    let outcome = asked(r#"{"status":"Finished","statusCode":412}"#, "").await;
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{outcome:?}");
}

#[tokio::test]
async fn what_a_job_leaves_open_is_uncertain() {
    for state in [
        r#"{"status":"Failed","statusCode":0,"errorMessage":"process ended"}"#,
        r#"{"status":"Finished","statusCode":500}"#,
        r#"{"status":"Finished","statusCode":0}"#,
        r#"{}"#,
    ] {
        let outcome = asked(state, "").await;
        assert!(matches!(outcome, Outcome::Uncertain { .. }), "{state}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_forgotten_job_is_uncertain_and_a_forbidden_one_an_error() {
    for status in [404, 410] {
        let server = Server::signed_in(move |_, _| Reply::new(status, &[], "")).await;
        let outcome = server.client().background_outcome("j1").await.expect("an answer");
        assert!(matches!(outcome, Outcome::Uncertain { .. }), "{status}: {outcome:?}");
    }
    let server = Server::signed_in(|_, _| Reply::new(403, &[], "")).await;
    assert!(server.client().background_outcome("j1").await.is_err());
}
