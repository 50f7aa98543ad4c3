//! The client against small servers over real HTTP.

use super::*;
use crate::jaggaer::{Profile, Settings};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use futures_util::stream;
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

/// What a test server sees of a call of the API.
struct Call {
    path: String,
    query: BTreeMap<String, String>,
    bearer: String,
    header: HeaderMap,
    /// How many calls of the API came before.
    before: usize,
}

impl Call {
    fn number(&self, name: &str) -> usize {
        self.query[name].parse().unwrap()
    }
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    cut: bool,
}

fn ok(body: Value) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.to_string(), cut: false }
}

fn status(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: json!({"detail": "no"}).to_string(), cut: false }
}

#[derive(Default)]
struct Seen {
    tokens: Vec<(String, Option<String>)>,
    calls: usize,
}

/// A server with a token endpoint that always says yes and an API of the test's making.
struct Server {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

async fn serve(api: impl Fn(Call) -> Reply + Clone + Send + Sync + 'static) -> Server {
    serve_with(json!({"expires_in": 300}), api).await
}

async fn serve_with(
    token: Value,
    api: impl Fn(Call) -> Reply + Clone + Send + Sync + 'static,
) -> Server {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let state = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Request| {
        let (api, state, mut token) = (api.clone(), Arc::clone(&state), token.clone());
        async move {
            let (parts, body) = request.into_parts();
            let header = parts.headers.clone();
            let auth = header.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            if parts.uri.path().ends_with("/token") {
                let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
                let form = String::from_utf8(body.to_vec()).unwrap();
                let count = {
                    let mut seen = state.lock().unwrap();
                    seen.tokens.push((form, auth));
                    seen.tokens.len()
                };
                if let Some(status) = token.get("status").and_then(Value::as_u64) {
                    let status = StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap();
                    return answer(status, &[], token["body"].to_string().into());
                }
                token["access_token"] = json!(format!("token-{count}"));
                return answer(StatusCode::OK, &[], token.to_string().into());
            }
            let before = {
                let mut seen = state.lock().unwrap();
                seen.calls += 1;
                seen.calls - 1
            };
            let whole = format!("http://x{}", parts.uri);
            let query = Url::parse(&whole).unwrap().query_pairs().into_owned().collect();
            let path = parts.uri.path().to_owned();
            let reply = api(Call { path, query, bearer: auth.unwrap_or_default(), header, before });
            let status = StatusCode::from_u16(reply.status).unwrap();
            let body = if reply.cut {
                let half = reply.body[..reply.body.len() / 2].to_owned();
                Body::from_stream(stream::iter([Ok(half), Err(io::Error::other("cut"))]))
            } else {
                reply.body.into()
            };
            answer(status, &reply.headers, body)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Server { url, seen }
}

fn answer(
    status: StatusCode,
    headers: &[(&'static str, String)],
    body: Body,
) -> axum::response::Response {
    let mut response = axum::response::Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

const SECRET: &str = "very+secret:%";

impl Server {
    fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.url, "me", SECRET.into());
        settings.requests_per_second = 0;
        settings.page_size = 4;
        settings.first_backoff = Duration::from_millis(2);
        settings
    }

    fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }

    fn tokens(&self) -> usize {
        self.seen.lock().unwrap().tokens.len()
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().calls
    }
}

/// A feed with the given paging table and nothing else of interest.
fn feed(paging: &str) -> Arc<Feed> {
    let text = format!(
        r#"
        name = "test"
        [[feed]]
        name = "suppliers"
        entity = "suppliers"
        path = "/list"
        query = {{ fixed = "a b" }}
        items = "$.rows"
        total = "$.total"
        id = "$.id"
        paging = {{ {paging} }}
        delta = {{ field = "$.at", parameter = "since", overlap_seconds = 0 }}
        detail = {{ path = "/one/{{id}}", parts = {{ id = "$.id" }} }}
        supplier = {{ name = "$.name" }}
        "#
    );
    Arc::clone(&Profile::parse("test.toml", &text).unwrap().feeds()[0])
}

const CURSOR: &str = r#"kind = "cursor", parameter = "c", cursor = "$.next", size_parameter = "n""#;
const PAGE: &str = r#"kind = "page", parameter = "p", end = "total""#;
const OFFSET: &str = r#"kind = "offset", parameter = "o", first = 1, end = "total""#;

fn rows(range: std::ops::Range<usize>) -> Value {
    range.map(|id| json!({"id": id, "at": "2026-09-28T10:05:00Z"})).collect()
}

async fn read_all(client: &Client, feed: &Arc<Feed>) -> Result<Vec<String>, Error> {
    let mut pager = client.pager(feed, None);
    let mut ids = Vec::new();
    while let Some(page) = pager.next().await? {
        assert!(!ids.is_empty() || !page.rows.is_empty());
        ids.extend(page.rows.iter().map(|row| row.body["id"].to_string()));
    }
    assert!(pager.complete());
    Ok(ids)
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

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
async fn one_401_gets_one_fresh_token() {
    let server = serve(|call| match call.bearer.as_str() {
        "Bearer token-1" => status(401),
        "Bearer token-2" => ok(json!({"rows": rows(0..1)})),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(server.client().probe(&feed(r#"kind = "none""#)).await.unwrap(), 1);
    assert_eq!((server.tokens(), server.calls()), (2, 2));

    let server = serve(|_| status(401)).await;
    let error = server.client().probe(&feed(CURSOR)).await.unwrap_err();
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
async fn reads_are_tried_again_when_that_can_help() {
    let good = || ok(json!({"rows": rows(0..1)}));
    let cases: [(&str, fn() -> Reply, bool, usize); 8] = [
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
        let outcome = server.client().probe(&feed(r#"kind = "none""#)).await;
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
        let error = server.client().probe(&feed(CURSOR)).await.unwrap_err();
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
    server.client().probe(&feed(r#"kind = "none""#)).await.unwrap();
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
        server.client().probe(feed).await.unwrap();
        assert_eq!(server.calls(), calls);
    }
    let server = serve(|_| ok(json!({"returnCode": -7, "returnMessage": "bad filter"}))).await;
    let error = server.client().probe(feed).await.unwrap_err();
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
        assert_eq!(call.header["x-tenant"], "nordlys");
        assert_eq!(call.path, "/api/v2/ap/vouchers/a%2Fb/positions");
        ok(json!({"status": "OK", "data": [{"pos": 10}]}))
    })
    .await;
    let file = include_str!("../../../tests/data/profiles/alternate.toml");
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

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let server = serve(|_| Reply {
        headers: vec![("link", "<https://elsewhere.example/list>; rel=\"next\"".to_owned())],
        ..ok(json!({"rows": rows(0..1)}))
    })
    .await;
    let error = server.client().probe(&feed(r#"kind = "link""#)).await.unwrap_err();
    assert!(matches!(error, Error::ForeignAddress(_)), "{error}");
}
