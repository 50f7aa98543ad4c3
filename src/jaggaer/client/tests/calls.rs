use super::*;

#[tokio::test]
async fn reads_are_tried_again_when_that_can_help() {
    let good = || ok(json!({"rows": rows(0..1)}));
    type Case = (&'static str, fn() -> Reply, bool, usize);
    let cases: [Case; 8] = [
        ("500", || status(500), true, 2),
        ("503", || status(503), true, 2),
        (
            "429",
            || Reply { headers: vec![("retry-after", "0".to_owned())], ..status(429) },
            true,
            2,
        ),
        ("cut", || Reply { cut: true, ..ok(json!({"rows": rows(0..50)})) }, true, 2),
        ("bad json", || Reply { body: "{\"rows\": [".to_owned(), ..ok(json!(0)) }, true, 2),
        ("403", || status(403), false, 1),
        ("404", || status(404), false, 1),
        (
            "redirect",
            || Reply {
                headers: vec![("location", "http://127.0.0.1:9/".to_owned())],
                ..status(302)
            },
            false,
            1,
        ),
    ];
    for (name, first, fine, calls) in cases {
        let server = serve(move |call| if call.before == 0 { first() } else { good() }).await;
        let outcome = server.client().look(&feed(r#"kind = "none""#), None).await;
        assert_eq!(outcome.is_ok(), fine, "{name}: {outcome:?}");
        assert_eq!(server.calls(), calls, "{name}");
    }
}

#[tokio::test]
async fn attempts_are_bounded() {
    for (name, reply, calls) in [
        ("500 for ever", (|| status(500)) as fn() -> Reply, 5),
        ("bad json for ever", || Reply { body: "[".to_owned(), ..ok(json!(0)) }, 2),
        (
            "asked to wait an hour",
            || Reply { headers: vec![("retry-after", "3600".to_owned())], ..status(429) },
            1,
        ),
    ] {
        let server = serve(move |_| reply()).await;
        let error = server.client().look(&feed(CURSOR), None).await.unwrap_err();
        assert!(error.is_retryable(), "{name}: {error}");
        assert_eq!(server.calls(), calls, "{name}");
    }
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let server = serve(|call| match call.before {
        0 => Reply { headers: vec![("retry-after", "1".to_owned())], ..status(429) },
        _ => ok(json!({"rows": []})),
    })
    .await;
    let begun = Instant::now();
    server.client().look(&feed(r#"kind = "none""#), None).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_pace_is_kept() {
    let server = serve(|_| ok(json!({"id": 1}))).await;
    let mut settings = server.settings();
    settings.requests_per_second = 20;
    let client = Client::new(settings).unwrap();
    let (feed, row) = (feed(CURSOR), json!({"id": 1}));
    let begun = Instant::now();
    futures_util::future::join_all((0..5).map(|_| client.detail(&feed, &row))).await;
    assert!(begun.elapsed() >= Duration::from_millis(200), "four gaps of 50 ms");
}

#[tokio::test]
async fn an_error_inside_a_200_is_an_error() {
    let profile = Profile::built_in("observed").unwrap();
    let feed = profile.feed("suppliers").unwrap();
    for (code, calls) in [(json!(0), 1), (json!("0"), 1)] {
        let server = serve(move |_| {
            ok(json!({"returnCode": code.clone(), "totRecords": "0", "returnCompanyData": []}))
        })
        .await;
        server.client().look(feed, None).await.unwrap();
        assert_eq!(server.calls(), calls);
    }
    let server = serve(|_| ok(json!({"returnCode": -7, "returnMessage": "bad filter"}))).await;
    let error = server.client().look(feed, None).await.unwrap_err();
    assert!(
        error.to_string().contains("bad filter") && error.to_string().contains("-7"),
        "{error}"
    );
    assert!(error.is_retryable());
    assert_eq!(server.calls(), 5);
}

#[tokio::test]
async fn details_replace_the_row_or_go_under_it() {
    let server = serve(|call| {
        assert_eq!(call.header["accept"], "application/vnd.buyer.v2+json");
        assert_eq!(call.path, "/api/v2/ap/vouchers/a%2Fb/positions");
        ok(json!({"status": "OK", "data": [{"pos": 10}]}))
    })
    .await;
    let file = include_str!("../../../../profiles/alternate.toml");
    let alternate = Profile::parse("alternate.toml", file).unwrap();
    let client = server.client();
    let feed = alternate.feed("invoices").unwrap();
    let whole = client.detail(feed, &json!({"voucher_id": "a/b"})).await.unwrap();
    assert_eq!(whole, json!({"voucher_id": "a/b", "positions": [{"pos": 10}]}));
    let error = client.detail(feed, &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::WrongShape { .. }), "{error}");

    let server = serve(|_| ok(json!({"header": {"invoiceId": 7}, "lineList": {}}))).await;
    let observed = Profile::built_in("observed").unwrap();
    let feed = observed.feed("invoices").unwrap();
    let whole = server.client().detail(feed, &json!({"header": {"invoiceId": 7}})).await.unwrap();
    assert!(whole.get("lineList").is_some());
}

#[tokio::test]
async fn attachments_come_from_below_the_base_url_and_fit() {
    let server = serve(|call| {
        assert_eq!(call.query["fileId"], "7");
        Reply { body: "%PDF-".to_owned() + &"x".repeat(100), ..ok(json!(0)) }
    })
    .await;
    let file = |path: &str| AttachmentRef {
        id: "7".to_owned(),
        file_name: "a.pdf".to_owned(),
        content_type: None,
        size: None,
        path: Some(path.to_owned()),
    };
    let client = server.client();
    assert_eq!(client.attachment(&file("/files?fileId=7")).await.unwrap().len(), 105);
    let error = client.attachment(&file("https://elsewhere.example/files")).await.unwrap_err();
    assert!(matches!(error, Error::ForeignAddress(_)));
    let mut settings = server.settings();
    settings.largest_attachment = 50;
    let error = Client::new(settings).unwrap().attachment(&file("/files?fileId=7")).await;
    assert!(matches!(error, Err(Error::TooLarge { limit: 50, .. })));
}
