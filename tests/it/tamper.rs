//! A cable before a system, with which a test can tamper.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What becomes of one request.
pub enum Fate {
    Pass,
    /// Answered without reaching the system.
    Answer(u16, &'static str),
    /// The same, with this JSON and status 200.
    Say(String),
    /// Carried out, its answer lost.
    Lost,
    /// The JSON of the answer, changed.
    Changed(Box<dyn Fn(&mut Value) + Send>),
}

type Rule = Arc<Mutex<Box<dyn FnMut(&Method, &str) -> Fate + Send>>>;

/// Stands before a system and does to its traffic what the test says.
pub struct Tamper {
    pub url: String,
    rule: Rule,
}

impl Tamper {
    pub async fn before(target: String) -> Self {
        let rule: Rule = Arc::new(Mutex::new(Box::new(|_, _| Fate::Pass)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        // Another part of the process may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_gzip().build().expect("a plain client");
        let shared = Arc::clone(&rule);
        let forward = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (http, rule, target) = (http.clone(), Arc::clone(&shared), target.clone());
            async move {
                let path = uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
                let fate = (rule.lock().expect("no rule panics"))(&method, &path);
                carry(&http, &target, method, &path, headers, body, fate).await
            }
        };
        let app = axum::Router::new().fallback(forward);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, rule }
    }

    pub fn set(&self, rule: impl FnMut(&Method, &str) -> Fate + Send + 'static) {
        *self.rule.lock().expect("no rule panics") = Box::new(rule);
    }

    pub fn clear(&self) {
        self.set(|_, _| Fate::Pass);
    }
}

async fn carry(
    http: &reqwest::Client,
    target: &str,
    method: Method,
    path: &str,
    mut headers: HeaderMap,
    body: Bytes,
    fate: Fate,
) -> Response {
    if let Fate::Answer(status, text) = fate {
        return (StatusCode::from_u16(status).expect("a status"), text).into_response();
    }
    if let Fate::Say(text) = fate {
        return ([("content-type", "application/json")], text).into_response();
    }
    headers.remove("host");
    headers.remove("accept-encoding");
    let request = http.request(method, format!("{target}{path}")).headers(headers).body(body);
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("transfer-encoding");
    headers.remove("content-length");
    let bytes = answer.bytes().await.unwrap_or_default();
    match fate {
        Fate::Lost => StatusCode::BAD_GATEWAY.into_response(),
        Fate::Changed(change) => {
            let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
                return (status, headers, bytes).into_response();
            };
            change(&mut value);
            (status, headers, value.to_string()).into_response()
        }
        Fate::Pass | Fate::Answer(..) | Fate::Say(_) => (status, headers, bytes).into_response(),
    }
}
