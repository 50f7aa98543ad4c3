use super::*;
use crate::visma::testing::{Reply, Server};
use secrecy::SecretString;

async fn branches(client: &Client) -> Result<Vec<Value>, Error> {
    client.get("/v1/branch").await.map(|answer| answer.body)
}

#[tokio::test]
async fn the_sign_in_and_every_call_carry_the_tenant() {
    let server = Server::signed_in(|_, _| Reply::json("[]")).await;
    let mut settings = server.settings();
    settings.extra_headers = vec![("ipp-company-id".into(), SecretString::from("7"))];
    let client = Client::new(settings).expect("usable");
    branches(&client).await.expect("an empty list");
    let heard = server.heard();
    let form = &heard[0].body;
    for part in [
        "grant_type=client_credentials",
        "client_id=the-client",
        "client_secret=the-secret",
        "tenant_id=the-company",
        "scope=vismanet_erp_service_api%3Aread+vismanet_erp_service_api%3Acreate",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    assert_eq!((heard[0].method.as_str(), heard[1].method.as_str()), ("POST", "GET"));
    assert_eq!(heard[0].header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(heard[1].header("tenant_id"), "the-company");
    assert_eq!(heard[1].header("ipp-company-id"), "7");
    assert_eq!(heard[1].header("authorization"), "Bearer token-0");
    assert_eq!(client.calls(), Calls { reads: 1, writes: 0, token: 1 });
}

#[tokio::test]
async fn the_tenant_header_can_be_renamed_and_turned_off() {
    for (name, expected) in [(Some("x-tenant".to_owned()), "the-company"), (None, "")] {
        let server = Server::signed_in(|_, _| Reply::json("[]")).await;
        let mut settings = server.settings();
        settings.tenant_header = name;
        branches(&Client::new(settings).expect("usable")).await.expect("an empty list");
        let call = &server.calls()[0];
        assert_eq!(call.header("x-tenant"), expected);
        assert!(!call.headers.contains_key("tenant_id"));
    }
}

#[tokio::test]
async fn many_callers_share_one_sign_in() {
    let server = Server::signed_in(|_, _| Reply::json("[]")).await;
    let client = server.client();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { branches(&client).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("an empty list");
    }
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn a_short_token_is_renewed_before_it_ends() {
    let server = Server::start(|heard, n| match heard.is_token() {
        true => Reply::token(n, 1),
        false => Reply::json("[]"),
    })
    .await;
    let client = server.client();
    branches(&client).await.expect("first");
    branches(&client).await.expect("second");
    assert_eq!(server.tokens(), 1, "kept while it holds");
    tokio::time::sleep(Duration::from_millis(950)).await;
    branches(&client).await.expect("third");
    assert_eq!(server.tokens(), 2);
    assert_eq!(server.calls()[2].header("authorization"), "Bearer token-1");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::signed_in(|heard, _| match heard.header("authorization") {
        "Bearer token-0" => Reply::new(401, &[], ""),
        _ => Reply::json("[]"),
    })
    .await;
    branches(&server.client()).await.expect("with the second token");
    assert_eq!((server.tokens(), server.calls().len()), (2, 2));
}

#[tokio::test]
async fn a_customers_tenant_is_told_in_words() {
    let server = Server::signed_in(|_, _| Reply::new(401, &[], r#"{"message":"denied"}"#)).await;
    let client = server.client();
    client.sign_in().await.expect("the token itself is given");
    let error = branches(&client).await.expect_err("never accepted");
    assert_eq!(error, Error::WrongTenant { tenant_id: "the-company".into() });
    let words = error.to_string();
    for part in ["of the customer, not of the company", "Company, Edit, Configuration, Tenant id"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(error.needs_person() && !error.is_retryable());
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn access_lost_later_is_not_called_a_wrong_tenant() {
    let server = Server::signed_in(|_, n| match n {
        0 => Reply::json("[]"),
        _ => Reply::new(401, &[], ""),
    })
    .await;
    let client = server.client();
    branches(&client).await.expect("accepted at first");
    let error = branches(&client).await.expect_err("withdrawn");
    assert!(matches!(error, Error::AccessWithdrawn { .. }), "{error}");
}

#[tokio::test]
async fn bad_credentials_are_told_without_the_secret() {
    let server = Server::start(|_, _| Reply::new(400, &[], r#"{"error":"invalid_client"}"#)).await;
    let error = server.client().sign_in().await.expect_err("refused");
    assert!(
        matches!(&error, Error::SignIn { status: 400, message } if message == "invalid_client")
    );
    assert!(error.needs_person() && !format!("{error} {error:?}").contains("the-secret"));
    assert_eq!(server.tokens(), 1, "a refusal is not repeated");
}

#[tokio::test]
async fn a_token_answer_in_error_shows_nothing_of_the_token() {
    let server = Server::start(|_, _| Reply::json(r#"{"access_token":"precious"#)).await;
    let error = server.client().sign_in().await.expect_err("cut");
    assert!(matches!(&error, Error::Unreadable { .. }), "{error}");
    assert!(!error.to_string().contains("precious"));
}

#[tokio::test]
async fn reads_get_over_what_passes() {
    let good = || Reply::json("[]");
    let bads: Vec<fn() -> Reply> = vec![
        || Reply::new(500, &[], ""),
        || Reply::new(503, &[], "<html>busy</html>"),
        || Reply::json(r#"[{"number":"1"}]"#).cut(4),
        || Reply::json(r#"{"message":"an error inside a 200"}"#),
        || Reply::new(429, &[("retry-after", "0")], ""),
        Reply::nothing,
        Reply::silence,
        || Reply::json("[]").hung(1),
        || Reply::new(202, &[], ""),
    ];
    for (case, bad) in bads.into_iter().enumerate() {
        let server = Server::signed_in(move |_, n| if n == 0 { bad() } else { good() }).await;
        branches(&server.client()).await.unwrap_or_else(|error| panic!("case {case}: {error}"));
        assert_eq!(server.calls().len(), 2, "case {case}");
    }
}

#[tokio::test]
async fn refusals_of_reads_are_final() {
    type Case = (u16, fn(&Error) -> bool);
    let cases: [Case; 5] = [
        (403, |error| matches!(error, Error::Forbidden { .. })),
        (404, |error| matches!(error, Error::NotFound { .. })),
        (400, |error| matches!(error, Error::Refused { status: 400, .. })),
        (302, |error| matches!(error, Error::Redirected { .. })),
        (410, |error| matches!(error, Error::Refused { status: 410, .. })),
    ];
    for (status, is_right) in cases {
        let server = Server::signed_in(move |_, _| {
            Reply::new(status, &[("location", "http://127.0.0.1:1/")], "")
        })
        .await;
        let error = branches(&server.client()).await.expect_err("refused");
        assert!(is_right(&error), "{status}: {error}");
        assert_eq!(server.calls().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_read_that_never_succeeds_says_why() {
    let server = Server::signed_in(|_, _| Reply::new(500, &[], r#"{"message":"no\nluck"}"#)).await;
    let error = branches(&server.client()).await.expect_err("always 500");
    assert_eq!(error.to_string(), "visma failed on /v1/branch (500): no luck");
    assert_eq!(server.calls().len(), READ_ATTEMPTS as usize);
}

#[tokio::test]
async fn the_allowance_is_learned_and_reads_stop_at_the_reserve() {
    let server = Server::signed_in(|_, _| {
        let headers = [
            ("X-RateLimit-Limit", "100"),
            ("X-RateLimit-Remaining", "20"),
            ("X-RateLimit-Reset", "1800"),
        ];
        Reply::new(200, &headers, "[]")
    })
    .await;
    let client = server.client();
    branches(&client).await.expect("nothing known yet");
    let error = branches(&client).await.expect_err("kept for writes");
    assert!(matches!(error, Error::AllowanceLow { remaining: 20, .. }), "{error}");
    assert!(error.is_retryable());
    assert_eq!(server.calls().len(), 1);
    let known = client.allowance();
    assert_eq!((known.limit, known.remaining), (Some(100), Some(20)));
    // Another client of the same company and id knows it without a call.
    assert_eq!(server.client().allowance().remaining, Some(20));
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let server = Server::signed_in(|_, n| match n {
        0 => Reply::new(429, &[("Retry-After", "1")], ""),
        _ => Reply::json("[]"),
    })
    .await;
    let start = std::time::Instant::now();
    branches(&server.client()).await.expect("after the pause");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_longer_pause_than_patience_goes_back_to_the_caller() {
    let server = Server::signed_in(|_, _| Reply::new(429, &[("Retry-After", "3000")], "")).await;
    let error = branches(&server.client()).await.expect_err("paused");
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(server.calls().len(), 1);
}

#[test]
fn unusable_headers_are_found_at_once() {
    let secret = SecretString::from("s");
    let mut settings = Settings::new("c", secret, "tenant\nid");
    assert!(matches!(Client::new(settings.clone()), Err(Error::Settings(_))));
    settings.tenant_id = "t".into();
    settings.tenant_header = Some("two words".into());
    assert!(matches!(Client::new(settings), Err(Error::Settings(_))));
}
