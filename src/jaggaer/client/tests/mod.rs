//! The client against small servers over real HTTP.

mod calls;
mod paging;
mod sign_in;

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
    body: String,
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
            let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let before = {
                let mut seen = state.lock().unwrap();
                seen.calls += 1;
                seen.calls - 1
            };
            let whole = format!("http://x{}", parts.uri);
            let query = Url::parse(&whole).unwrap().query_pairs().into_owned().collect();
            let path = parts.uri.path().to_owned();
            let reply =
                api(Call { path, query, bearer: auth.unwrap_or_default(), header, body, before });
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
    feed_with(paging, "path = \"/list\"")
}

fn feed_with(paging: &str, list: &str) -> Arc<Feed> {
    let text = format!(
        r#"
        name = "test"
        [[feed]]
        name = "suppliers"
        entity = "suppliers"
        {list}
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
