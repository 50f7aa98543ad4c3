use super::*;

#[tokio::test]
async fn cursor_paging_sends_the_filters_with_every_page() {
    let server = serve(|call| {
        assert_eq!((call.path.as_str(), call.query["fixed"].as_str()), ("/list", "a b"));
        assert_eq!(
            (call.query["since"].as_str(), call.number("n")),
            ("2026-09-01T00:00:00.000Z", 4)
        );
        match call.query.get("c").map(String::as_str) {
            None => ok(json!({"rows": rows(0..4), "next": "x=1&y"})),
            Some("x=1&y") => ok(json!({"rows": [], "next": 7})),
            Some("7") => ok(json!({"rows": rows(4..6), "next": null})),
            Some(other) => panic!("{other}"),
        }
    })
    .await;
    let client = server.client();
    let since = Stamp::from_micros(1_788_220_800_000_000);
    let mut pager = client.pager(&feed(CURSOR), Some(&since));
    let mut counts = Vec::new();
    while let Some(page) = pager.next().await.unwrap() {
        counts.push(page.rows.len());
    }
    assert_eq!(counts, [4, 0, 2]);
    assert!(pager.complete());
    assert_eq!(client.requests(), 4, "three pages and a token");
}

#[tokio::test]
async fn every_kind_of_paging_reads_the_whole_list() {
    const TOTAL: usize = 11;
    let kinds = [
        (CURSOR, 3),
        (PAGE, 3),
        (
            r#"kind = "page", parameter = "p", first = 0, size_parameter = "n", end = "short_page""#,
            3,
        ),
        (r#"kind = "page", parameter = "p", end = "empty_page""#, 4),
        (r#"kind = "offset", parameter = "o", first = 0, overlap_rows = 0, end = "total""#, 3),
        (
            r#"kind = "offset", parameter = "o", first = 0, size_parameter = "n", overlap_rows = 1, end = "short_page""#,
            4,
        ),
        (r#"kind = "offset", parameter = "o", first = 1, overlap_rows = 1, end = "total""#, 4),
        (r#"kind = "cursor", parameter = "c", cursor_header = "X-Next""#, 3),
        (r#"kind = "link", size_parameter = "n""#, 3),
        (r#"kind = "none""#, 1),
    ];
    for (paging, calls) in kinds {
        let text = paging.to_owned();
        let server = serve(move |call| {
            let first = usize::from(text.contains("first = 1"));
            let zero_page = usize::from(!text.contains("first = 0"));
            let at = |name: &str| call.query.get(name).map(|_| call.number(name));
            let from = if text.contains("none") {
                return ok(json!({"rows": rows(0..TOTAL), "total": TOTAL}));
            } else if let Some(page) = at("p") {
                (page - zero_page) * 4
            } else if let Some(offset) = at("o") {
                offset - first
            } else {
                at("c").unwrap_or(0)
            };
            let to = (from + 4).min(TOTAL);
            let mut body = json!({"rows": rows(from.min(TOTAL)..to), "total": TOTAL.to_string()});
            let mut headers = Vec::new();
            if to < TOTAL && text.contains("$.next") {
                body["next"] = json!(to);
            } else if to < TOTAL && text.contains("X-Next") {
                headers.push(("x-next", to.to_string()));
            } else if to < TOTAL && text.contains("link") {
                headers.push((
                    "link",
                    format!("</list?c=0>; rel=\"prev\", </list?fixed=a%20b&c={to}>; rel=\"next\""),
                ));
            }
            Reply { headers, ..ok(body) }
        })
        .await;
        let found = read_all(&server.client(), &feed(paging)).await.unwrap();
        assert_eq!(found, ids(0..TOTAL), "{paging}");
        assert_eq!(server.calls(), calls, "{paging}");
    }
}

#[tokio::test]
async fn empty_lists_in_their_forms() {
    for (body, fine) in [
        (json!({"rows": [], "total": 0}), true),
        (json!({"rows": {}, "total": "0"}), true),
        (json!({"total": 0}), true),
        (json!({"rows": [], "total": 1}), false),
        (json!({"total": 3}), false),
        (json!({"rows": []}), false),
    ] {
        let reply = body.clone();
        let server = serve(move |_| ok(reply.clone())).await;
        let mut pager = server.client().pager(&feed(OFFSET), None);
        let mut outcome = pager.next().await;
        while let Ok(Some(_)) = outcome {
            outcome = pager.next().await;
        }
        assert_eq!(outcome.is_ok(), fine, "{body}: {outcome:?}");
        assert_eq!(pager.complete(), fine, "{body}");
    }
}

#[tokio::test]
async fn lists_that_do_not_end_are_errors() {
    for (paging, text) in [
        (CURSOR, "the same next page is named twice"),
        (r#"kind = "link""#, "the same next page is named twice"),
        (PAGE, "a page brought nothing new"),
        (OFFSET, "a page brought nothing new"),
        (r#"kind = "page", parameter = "p", end = "empty_page""#, "a page brought nothing new"),
    ] {
        let server = serve(|_| Reply {
            headers: vec![("link", "</list?c=1>; rel=next".to_owned())],
            ..ok(json!({"rows": rows(0..4), "next": "again", "total": 100}))
        })
        .await;
        let error = read_all(&server.client(), &feed(paging)).await.unwrap_err();
        assert!(matches!(&error, Error::Endless { text: found, .. } if found == text), "{error}");
        assert!(error.needs_person());
    }
}

/// A row moves to the end while the list is read, so that the others slip forward by one.
#[tokio::test]
async fn a_row_that_slips_past_an_offset_is_not_lost() {
    for overlap in [1, 3] {
        let paging = format!("{OFFSET}, overlap_rows = {overlap}");
        let server = serve(|call| {
            let mut list: Vec<usize> = (0..12).collect();
            if call.before > 0 {
                let moved = list.remove(0);
                list.push(moved);
            }
            let from = call.number("o") - 1;
            let page: Vec<Value> = list
                .iter()
                .skip(from)
                .take(4)
                .map(|id| json!({"id": id, "at": "2026-09-28T10:05:00Z"}))
                .collect();
            ok(json!({"rows": page, "total": 12}))
        })
        .await;
        let mut found = read_all(&server.client(), &feed(&paging)).await.unwrap();
        found.sort_by_key(|id| id.parse::<usize>().unwrap());
        assert_eq!(found, ids(0..12), "each once, overlap {overlap}");
    }
}

/// One row moves to the end before every page: slips add up, and none of them may lose a row.
#[tokio::test]
async fn slips_on_every_page_lose_nothing() {
    let server = serve(|call| {
        let mut list: Vec<usize> = (0..40).collect();
        list.rotate_left(call.before.min(9));
        let from = call.number("o") - 1;
        let page: Vec<Value> = list
            .iter()
            .skip(from)
            .take(8)
            .map(|id| json!({"id": id, "at": "2026-09-28T10:05:00Z"}))
            .collect();
        ok(json!({"rows": page, "total": 40}))
    })
    .await;
    let mut found = read_all(&server.client(), &feed(OFFSET)).await.unwrap();
    found.sort_by_key(|id| id.parse::<usize>().unwrap());
    assert_eq!(found, ids(0..40));
    assert!(server.calls() <= 10, "no need to begin again: {}", server.calls());
}

#[tokio::test]
async fn pages_of_one_row_go_forward_too() {
    for size in 1..4 {
        let server = serve(move |call| {
            let from = call.number("o") - 1;
            ok(json!({"rows": rows(from.min(7)..(from + size).min(7)), "total": 7}))
        })
        .await;
        assert_eq!(read_all(&server.client(), &feed(OFFSET)).await.unwrap(), ids(0..7), "{size}");
    }
}

#[tokio::test]
async fn a_list_that_never_holds_still_is_given_up() {
    let server = serve(|call| {
        let base = call.before * 100;
        ok(json!({"rows": rows(base..base + 4), "total": 40}))
    })
    .await;
    let mut pager = server.client().pager(&feed(OFFSET), None);
    let error = loop {
        match pager.next().await {
            Ok(page) => assert!(page.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Moved { times: 3, .. }), "{error}");
    assert!(error.is_retryable() && !pager.complete());
}

#[tokio::test]
async fn a_repeated_row_does_not_shift_the_offset() {
    let server = serve(|call| {
        let from = call.number("o") - 1;
        let mut page: Vec<Value> = rows(from..(from + 4).min(9)).as_array().unwrap().clone();
        if call.before == 0 {
            page.push(page[1].clone());
        }
        ok(json!({"rows": page, "total": 9}))
    })
    .await;
    assert_eq!(read_all(&server.client(), &feed(OFFSET)).await.unwrap(), ids(0..9));
}

#[tokio::test]
async fn an_old_cursor_begins_the_list_again_at_most_twice() {
    for (gone, fine) in [(1, true), (2, true), (100, false)] {
        let server = serve(move |call| {
            let refused = call.before / 2 < gone;
            match call.query.get("c") {
                None => ok(json!({"rows": rows(0..4), "next": "a"})),
                Some(_) if refused => status(410),
                Some(_) => ok(json!({"rows": rows(4..5)})),
            }
        })
        .await;
        let outcome = read_all(&server.client(), &feed(CURSOR)).await;
        assert_eq!(outcome.is_ok(), fine, "{gone}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let server = serve(|_| Reply {
        headers: vec![("link", "<https://elsewhere.example/list>; rel=\"next\"".to_owned())],
        ..ok(json!({"rows": rows(0..1)}))
    })
    .await;
    let error = server.client().look(&feed(r#"kind = "link""#), None).await.unwrap_err();
    assert!(matches!(error, Error::ForeignAddress(_)), "{error}");
}

/// Whatever the order of the rows and wherever the pages are cut: the same documents, each once.
#[tokio::test]
async fn any_order_of_pages_and_rows_gives_the_same_documents() {
    const TOTAL: usize = 23;
    let mut random = fastrand::Rng::with_seed(7);
    for paging in [CURSOR, OFFSET] {
        for _ in 0..8 {
            let mut order: Vec<usize> = (0..TOTAL).collect();
            random.shuffle(&mut order);
            let size = random.usize(4..TOTAL + 2);
            let server = serve(move |call| {
                let from = match call.query.get("o") {
                    Some(_) => call.number("o") - 1,
                    None => call.query.get("c").map_or(0, |cursor| cursor.parse().unwrap()),
                };
                let to = (from + size).min(TOTAL);
                let page: Vec<Value> = order[from..to]
                    .iter()
                    .map(|id| json!({"id": id, "name": format!("n{id}"), "at": "2026-09-28T10:05:00Z"}))
                    .collect();
                let next = if to < TOTAL { json!(to.to_string()) } else { Value::Null };
                ok(json!({"rows": page, "total": TOTAL, "next": next}))
            })
            .await;
            let feed = feed(paging);
            let mut pager = server.client().pager(&feed, None);
            let mut read = BTreeMap::new();
            while let Some(page) = pager.next().await.unwrap() {
                for row in page.rows {
                    let document = feed.read(&row.body);
                    let id = document.source_id.parse::<usize>().unwrap();
                    assert!(read.insert(id, document).is_none(), "{id} came twice");
                }
            }
            let straight: Vec<_> = (0..TOTAL)
                .map(|id| {
                    feed.read(
                        &json!({"id": id, "name": format!("n{id}"), "at": "2026-09-28T10:05:00Z"}),
                    )
                })
                .collect();
            assert_eq!(read.into_values().collect::<Vec<_>>(), straight, "{paging} by {size}");
        }
    }
}

/// Parameters in a JSON body, the page in the path, a flag for the end, addresses in the answer.
#[tokio::test]
async fn lists_that_are_asked_for_and_ended_in_other_ways() {
    let part = |from: usize| rows(from..(from + 4).min(9));
    let server = serve(move |call| {
        let sent: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!((&sent["view"], &sent["page"]["size"]), (&json!("full"), &json!(4)));
        assert_eq!(call.query["fixed"], "a b");
        let from = sent["page"]["from"].as_u64().unwrap() as usize;
        ok(json!({"rows": part(from), "total": 9}))
    })
    .await;
    let posted = feed_with(
        r#"kind = "offset", parameter = "page.from", size_parameter = "page.size", overlap_rows = 0, end = "total""#,
        "path = \"/list\"\nrequest = { post = { view = \"full\" } }",
    );
    assert_eq!(read_all(&server.client(), &posted).await.unwrap(), ids(0..9));

    let server = serve(move |call| {
        let page: usize = call.path.strip_prefix("/list/").unwrap().parse().unwrap();
        assert!(call.body.is_empty());
        ok(json!({"rows": part((page - 1) * 4), "hasMore": if page < 3 { "Y" } else { "N" }}))
    })
    .await;
    let in_path = feed_with(r#"kind = "page", more = "$.hasMore""#, "path = \"/list/{page}\"");
    assert_eq!(read_all(&server.client(), &in_path).await.unwrap(), ids(0..9));
    assert_eq!(server.calls(), 3);

    let server = serve(move |call| {
        let from = call.query.get("c").map_or(0, |at| at.parse().unwrap());
        let next = if from < 8 { json!(format!("?fixed=a%20b&c={}", from + 4)) } else { json!("") };
        ok(json!({"rows": part(from), "links": {"next": next}}))
    })
    .await;
    let linked = feed(r#"kind = "link", next = "$.links.next""#);
    assert_eq!(read_all(&server.client(), &linked).await.unwrap(), ids(0..9));
    assert_eq!(server.calls(), 3);
}

/// An answer in Latin-1 says so; one with a byte-order mark does not.
#[test]
fn an_answer_is_read_in_its_own_letters() {
    let said = |text: &str| HeaderMap::from_iter([(CONTENT_TYPE, text.parse().unwrap())]);
    let latin = said("application/json; charset=ISO-8859-1");
    assert_eq!(&*unicode(&latin, b"\"h\xf8y\""), "\"høy\"".as_bytes());
    let plain = said("application/json; charset=utf-8");
    assert_eq!(&*unicode(&plain, "\u{feff}\"høy\"".as_bytes()), "\"høy\"".as_bytes());
}
