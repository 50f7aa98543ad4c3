use super::*;

#[tokio::test]
async fn one_401_gets_one_fresh_token() {
    let server = serve(|call| match call.bearer.as_str() {
        "Bearer token-1" => status(401),
        "Bearer token-2" => ok(json!({"rows": rows(0..1)})),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(server.client().look(&feed(r#"kind = "none""#), None).await.unwrap().rows.len(), 1);
    assert_eq!((server.tokens(), server.calls()), (2, 2));

    let server = serve(|_| status(401)).await;
    let error = server.client().look(&feed(CURSOR), None).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorised { .. }) && error.needs_person());
    assert_eq!((server.tokens(), server.calls()), (2, 2), "exactly one fresh token");
}

#[tokio::test]
async fn many_tasks_share_one_token_and_one_refresh() {
    let server = serve(|call| match call.bearer.as_str() {
        "Bearer token-1" => status(401),
        _ => ok(json!({"id": 1})),
    })
    .await;
    let client = server.client();
    let (feed, row) = (feed(CURSOR), json!({"id": 1}));
    let all = (0..12).map(|_| client.detail(&feed, &row));
    for outcome in futures_util::future::join_all(all).await {
        outcome.unwrap();
    }
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn tokens_are_renewed_before_their_end() {
    // One second: renewed after half of it.
    let server = serve_with(json!({"expires_in": "1"}), |_| ok(json!({"rows": []}))).await;
    let client = server.client();
    client.sign_in().await.unwrap();
    client.sign_in().await.unwrap();
    assert_eq!(server.tokens(), 1);
    tokio::time::sleep(Duration::from_millis(600)).await;
    client.sign_in().await.unwrap();
    assert_eq!(server.tokens(), 2);
    // Without `expires_in`: kept for a while.
    let server = serve_with(json!({}), |_| ok(json!({}))).await;
    let client = server.client();
    client.sign_in().await.unwrap();
    client.sign_in().await.unwrap();
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn both_ways_to_show_who_we_are() {
    for auth in [ClientAuth::Post, ClientAuth::Basic] {
        let server = serve(|_| ok(json!({}))).await;
        let mut settings = server.settings();
        settings.client_auth = auth;
        settings.scope = Some("erp.read erp.write".to_owned());
        Client::new(settings).unwrap().sign_in().await.unwrap();
        let (form, basic) = server.seen.lock().unwrap().tokens[0].clone();
        match auth {
            ClientAuth::Post => {
                assert_eq!(
                    form,
                    "grant_type=client_credentials&client_id=me&client_secret=very%2Bsecret%3A%25&scope=erp.read+erp.write"
                );
                assert_eq!(basic, None);
            }
            ClientAuth::Basic => {
                assert_eq!(form, "grant_type=client_credentials&scope=erp.read+erp.write");
                // base64("me:very%2Bsecret%3A%25")
                assert_eq!(basic.as_deref(), Some("Basic bWU6dmVyeSUyQnNlY3JldCUzQSUyNQ=="));
            }
            ClientAuth::ApiKey => unreachable!("it does not sign in"),
        }
    }
}

#[tokio::test]
async fn sign_in_refusals_say_what_to_do_and_keep_the_secret() {
    for (status, body, person, expected) in [
        (
            401,
            json!({"error": "invalid_client", "error_description": SECRET}),
            true,
            "check client id and secret",
        ),
        (404, json!({"error": "Realm does not exist"}), true, "check the token URL"),
        (400, json!({"error": "invalid_scope"}), true, "check `scope`"),
        (503, json!({"error": SECRET}), false, "status 503"),
        (200, json!(SECRET), false, "access_token"),
    ] {
        let server = serve_with(json!({"status": status, "body": body}), |_| ok(json!({}))).await;
        let client = server.client();
        let error = client.sign_in().await.unwrap_err();
        let text = format!("{error} {error:?} {:?}", server.settings());
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains(SECRET), "{text}");
        assert_eq!(error.needs_person(), person, "{text}");
        assert_eq!(server.tokens(), if person { 1 } else { 4 }, "{text}");
        if person {
            assert_eq!(client.sign_in().await.unwrap_err(), error);
            assert_eq!(server.tokens(), 1, "a refusal is not repeated at once");
        }
    }
}

#[tokio::test]
async fn a_key_goes_with_every_call_and_is_not_exchanged() {
    let server = serve(|call| {
        assert_eq!(call.header["x-key"], SECRET);
        assert_eq!(call.bearer, "");
        ok(json!({"rows": rows(0..2), "next": null}))
    })
    .await;
    let mut settings = server.settings();
    settings.client_auth = ClientAuth::ApiKey;
    settings.api_key_header = "X-Key".to_owned();
    let client = Client::new(settings.clone()).unwrap();
    assert_eq!(read_all(&client, &feed(CURSOR)).await.unwrap(), ids(0..2));
    assert_eq!((server.tokens(), client.requests()), (0, 1));
    settings.client_secret = "two\nlines".into();
    let error = Client::new(settings).unwrap().sign_in().await.unwrap_err();
    assert!(error.needs_person() && !error.to_string().contains("lines"), "{error}");
}

#[tokio::test]
async fn of_two_keys_the_one_that_is_taken_is_used_from_then_on() {
    let server = serve(|call| match call.header.get("x-key").map(|key| key.as_bytes()) {
        Some(b"of yesterday") => ok(json!({"rows": []})),
        _ => status(401),
    })
    .await;
    let mut settings = server.settings();
    settings.client_auth = ClientAuth::ApiKey;
    settings.api_key_header = "X-Key".to_owned();
    settings.client_secret = "of tomorrow".into();
    settings.previous_secret = Some("of yesterday".into());
    let client = Client::new(settings.clone()).unwrap();
    for _ in 0..3 {
        client.look(&feed(r#"kind = "none""#), None).await.unwrap();
    }
    assert_eq!(server.calls(), 4, "refused once");
    settings.previous_secret = None;
    let error = Client::new(settings).unwrap().look(&feed(CURSOR), None).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorised { .. }), "{error}");
}

#[tokio::test]
async fn what_an_error_repeats_of_us_is_taken_out() {
    let server = serve(|call| Reply {
        status: 400,
        headers: Vec::new(),
        body: json!({"detail": format!("{} {} {}", call.bearer, SECRET, "in x-proxy: key-9f3c")})
            .to_string(),
        cut: false,
    })
    .await;
    let mut settings = server.settings();
    settings.headers = vec![("x-proxy".to_owned(), "key-9f3c".into())];
    let error =
        Client::new(settings).unwrap().look(&feed(CURSOR), None).await.unwrap_err().to_string();
    assert!(error.contains("Bearer *** *** in x-proxy: ***"), "{error}");
}
