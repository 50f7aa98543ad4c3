//! Marked secrets are planted in every place that holds one, both systems repeat all they are told in
//! their errors, and then everything that left the program is searched for the marks.

use crate::flow::{Flow, postable};
use crate::ping::stored;
use crate::stores;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ml_connector::config::Config;
use ml_connector::store::Store;
use ml_connector::sync::open_vault;
use ml_connector_sandbox::jaggaer::Profile;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// With signs that JSON, forms, addresses and web pages each write in their own way.
const VISMA: &str = "visma\"PLANTEDvisma/ +&å";
const VISMA_BEFORE: &str = "PLANTEDbefore";
const JAGGAER: &str = "jaggaer PLANTEDjaggaer+%:";
const PROXY: &str = "PLANTEDproxy-key";
const GATEWAY: &str = "PLANTEDgateway-key";
const STORE: &str = "PLANTEDstore";
/// Every one has it, and no form of writing changes it.
const MARK: &str = "PLANTED";

/// What a system does instead of answering as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    RefuseSignIn,
    BreakSignIn,
    /// A good token answer, cut in the middle of the token.
    HalfToken,
    /// The token where an error code is due.
    TokenAsError,
    FailReads(u16),
    /// One write after the other, then the rest passes.
    FailWrites(&'static [u16]),
    /// The first row of each list carries an error, and so does each single document.
    MarkRows,
    /// The list says with status 200 that it failed.
    FailInside,
}

impl Mode {
    /// As far as the program can know, so that it tries again.
    fn passes_by_itself(self) -> bool {
        matches!(
            self,
            Self::BreakSignIn | Self::HalfToken | Self::FailReads(500) | Self::FailInside
        )
    }
}

const MODES: &[Mode] = &[
    Mode::RefuseSignIn,
    Mode::BreakSignIn,
    Mode::HalfToken,
    Mode::TokenAsError,
    Mode::FailReads(400),
    Mode::FailReads(403),
    Mode::FailReads(500),
    Mode::FailInside,
    Mode::FailWrites(&[401, 401, 401, 400, 400, 422, 500, 500, 403, 409]),
    Mode::MarkRows,
    Mode::Pass,
];

/// Stands before a system, repeats in errors all that it was told, and notes the tokens.
struct Parrot {
    url: String,
    mode: Arc<Mutex<Mode>>,
    tokens: Arc<Mutex<Vec<String>>>,
    echoes: Arc<Mutex<usize>>,
    writes: Arc<Mutex<usize>>,
}

impl Parrot {
    async fn before(target: String, secret: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let mode = Arc::new(Mutex::new(Mode::Pass));
        let tokens = Arc::new(Mutex::new(Vec::new()));
        let echoes = Arc::new(Mutex::new(0));
        let writes = Arc::new(Mutex::new(0));
        // Another part of the process may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_gzip().build().expect("a plain client");
        let shared =
            (Arc::clone(&mode), Arc::clone(&tokens), Arc::clone(&echoes), Arc::clone(&writes));
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (http, target, (mode, tokens, echoes, writes)) =
                (http.clone(), target.clone(), shared.clone());
            async move {
                let told = words(&headers, &body, secret);
                let path = uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
                let mode = *mode.lock().expect("held for a moment");
                let is_token = path.contains("token");
                let url = format!("{target}{path}");
                let passed = pass(&http, &url, &method, headers, body);
                let echo = |status: u16, body: String| {
                    *echoes.lock().expect("held for a moment") += 1;
                    (StatusCode::from_u16(status).expect("a status"), body).into_response()
                };
                let error = json!({
                    "message": told, "detail": told, "title": told, "code": told, "error": told,
                    "returnMessage": told, "returnCode": "E", "error_description": told,
                });
                match mode {
                    Mode::RefuseSignIn if is_token => echo(401, error.to_string()),
                    Mode::BreakSignIn if is_token => echo(500, error.to_string()),
                    Mode::FailReads(status) if !is_token && method == Method::GET => {
                        echo(status, error.to_string())
                    }
                    Mode::FailInside if !is_token && method == Method::GET => {
                        echo(200, error.to_string())
                    }
                    // As text, as a web page would have it, and longer than what is kept of it.
                    // As a web page, and longer than what is kept of it.
                    Mode::FailWrites(statuses)
                        if !is_token
                            && method != Method::GET
                            && let Some(status) = statuses.get(next(&writes)) =>
                    {
                        echo(*status, format!("<p>{}{told}</p>", "not this time ".repeat(25)))
                    }
                    _ => {
                        let (status, bytes) = passed.await;
                        let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                        if is_token && let Some(token) = value["access_token"].as_str() {
                            let token = token.to_owned();
                            tokens.lock().expect("held for a moment").push(token.clone());
                            match mode {
                                Mode::HalfToken => {
                                    let half = format!("{{\"access_token\":\"{token}");
                                    return echo(200, half);
                                }
                                Mode::TokenAsError => {
                                    return echo(
                                        400,
                                        json!({ "error": { "token": token } }).to_string(),
                                    );
                                }
                                _ => {}
                            }
                        }
                        if mode == Mode::MarkRows && !is_token && method == Method::GET {
                            let row = match &mut value {
                                Value::Array(rows) => rows.first_mut(),
                                row => Some(row),
                            };
                            if let Some(Value::Object(row)) = row {
                                row.insert("errorInfo".to_owned(), told.into());
                                return echo(status.as_u16(), value.to_string());
                            }
                        }
                        (status, [("content-type", "application/json")], bytes).into_response()
                    }
                }
            }
        };
        let app = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, mode, tokens, echoes, writes }
    }

    fn set(&self, mode: Mode) {
        *self.writes.lock().expect("held for a moment") = 0;
        *self.mode.lock().expect("held for a moment") = mode;
    }

    fn echoes(&self) -> usize {
        *self.echoes.lock().expect("held for a moment")
    }
}

/// How many came before.
fn next(counter: &Mutex<usize>) -> usize {
    let mut count = counter.lock().expect("held for a moment");
    *count += 1;
    *count - 1
}

/// All that a request said of who sends it.
fn words(headers: &HeaderMap, body: &Bytes, secret: &str) -> String {
    let text = |name: &str| {
        let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        format!("{name}: {} ", value.unwrap_or_default())
    };
    let form = String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned();
    let form = if form.contains("grant_type") { form } else { String::new() };
    [text("authorization"), text("x-proxy"), text("x-gateway"), form].concat()
        + &format!("that is {secret}")
}

async fn pass(
    http: &reqwest::Client,
    url: &str,
    method: &Method,
    mut headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    headers.remove("host");
    headers.remove("accept-encoding");
    match http.request(method.clone(), url).headers(headers).body(body).send().await {
        Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
        Err(_) => (StatusCode::BAD_GATEWAY, Bytes::new()),
    }
}

/// A flow with the parrots before its systems and its secrets in every place that there is.
struct Planted {
    flow: Flow,
    visma: Parrot,
    jaggaer: Parrot,
    /// All that left the program, with what was asked for it.
    said: Vec<(String, Vec<u8>)>,
}

impl Planted {
    async fn begin(test: stores::TestStore, profile: Profile) -> Self {
        let mut settings = postable(5, 8);
        settings.profile = profile;
        settings.visma.client_secret = VISMA.to_owned();
        settings.jaggaer.client_secret = JAGGAER.to_owned();
        let flow = Flow::start(settings, test).await;
        let visma = Parrot::before(flow.sandbox.visma_url(), VISMA).await;
        let jaggaer = Parrot::before(flow.sandbox.jaggaer_url(), JAGGAER).await;
        let path = flow.folder.join("ml-connector.toml");
        let text = std::fs::read_to_string(&path).expect("readable");
        let password = match flow.test.url.starts_with("postgres") {
            true => "\npassword = { env = \"STORY_STORE\" }",
            false => "",
        };
        let store = format!("url = \"{}\"", flow.test.url);
        let text = text
            .replace(&store, &format!("{store}{password}"))
            .replace("settle_patience_seconds = 15", "settle_patience_seconds = 4")
            .replace(&flow.sandbox.visma_url(), &visma.url)
            .replace(&flow.sandbox.jaggaer_url(), &jaggaer.url)
            .replace(
                "client_secret = { file = \"visma.secret\" }",
                "headers = { X-Proxy = { file = \"proxy.secret\" } }",
            )
            .replace(
                "client_secret = { file = \"jaggaer.secret\" }",
                "client_secret = { env = \"STORY_JAGGAER\" }\nclient_auth = \"basic\"\n\
                 headers = { X-Gateway = { vault = \"gateway\" } }",
            )
            + "\n[vault]\nkey = \"k\"\n[[vault.master_key]]\nname = \"k\"\nfile = \"k.key\"\n";
        std::fs::write(&path, text).expect("writable");
        std::fs::write(flow.folder.join("proxy.secret"), PROXY).expect("writable");
        std::fs::remove_file(flow.folder.join("visma.secret")).expect("it was there");
        std::fs::remove_file(flow.folder.join("jaggaer.secret")).expect("it was there");
        let mut planted = Self { flow, visma, jaggaer, said: Vec::new() };
        let key = planted.flow.folder.join("k.key");
        planted.run(&["secret", "new-key", key.to_str().expect("text")], "").await;
        planted.run(&["secret", "set", "gateway"], GATEWAY).await;
        // The right one was set first: it is tried when the one after it was refused.
        planted.run(&["secret", "set", "company/nordlys"], VISMA).await;
        planted.run(&["--json", "secret", "set", "company/nordlys"], VISMA_BEFORE).await;
        planted
    }

    fn set(&self, mode: Mode) {
        self.visma.set(mode);
        self.jaggaer.set(mode);
    }

    /// Runs the real binary, everything logged, and keeps all that it says. Returns its exit status.
    async fn run(&mut self, arguments: &[&str], input: &str) -> Option<i32> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        command.arg("--config").arg(self.flow.folder.join("ml-connector.toml")).args(arguments);
        command.env("ML_CONNECTOR_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("STORY_JAGGAER", JAGGAER).env("STORY_STORE", STORE);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        // Not every verb reads it.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output().expect("it ends"))
                .await
                .expect("it was waited for");
        let asked = arguments.join(" ");
        self.said.push((asked, [output.stdout, output.stderr].concat()));
        output.status.code()
    }

    /// The marks, and what has no mark: the master key, the tokens, and secrets as base64.
    fn wanted(&self) -> Vec<String> {
        let key = std::fs::read_to_string(self.flow.folder.join("k.key")).expect("readable");
        let mut wanted = vec![MARK.to_owned(), key.trim().to_owned()];
        for secret in [VISMA, JAGGAER, VISMA_BEFORE, PROXY, GATEWAY, STORE] {
            wanted.push(BASE64_STANDARD.encode(secret));
        }
        let form = "jaggaer+PLANTEDjaggaer%2B%25%3A";
        wanted.push(BASE64_STANDARD.encode(format!("sandbox-jaggaer:{form}")));
        for parrot in [&self.visma, &self.jaggaer] {
            wanted.extend(parrot.tokens.lock().expect("held for a moment").iter().cloned());
        }
        wanted
    }
}

fn places(said: &[(String, Vec<u8>)], wanted: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, bytes) in said {
        for wanted in wanted {
            let at = bytes.windows(wanted.len()).position(|part| part == wanted.as_bytes());
            if let Some(at) = at {
                let around = &bytes[at.saturating_sub(300)..bytes.len().min(at + 100)];
                found.push(format!("{what}: {}", String::from_utf8_lossy(around)));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_planted_secret_leaves_the_program_by_a_file() {
    nothing_leaves(stores::sqlite(), Profile::Default).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_planted_secret_leaves_the_program_by_a_server() {
    nothing_leaves(stores::postgres().await, Profile::Observed).await;
}

async fn nothing_leaves(test: stores::TestStore, profile: Profile) {
    let mut planted = Planted::begin(test, profile).await;
    for mode in MODES {
        planted.set(*mode);
        let before = planted.visma.echoes() + planted.jaggaer.echoes();
        planted.run(&["sync", "--json"], "").await;
        // What is tried again takes its time, and in the same words.
        if !mode.passes_by_itself() {
            planted.run(&["ping", "--json"], "").await;
        }
        let echoes = planted.visma.echoes() + planted.jaggaer.echoes() - before;
        assert!((echoes > 0) == (*mode != Mode::Pass), "{mode:?}: {echoes}");
    }
    // What was held for good by a refusal is tried again, so that the story has an end.
    for document in planted.flow.documents().await {
        if document.state == ml_connector::store::DocumentState::Held {
            let reason = &["release", &document.id, "--reason", "the systems are well again"];
            planted.run(reason, "").await;
        }
    }
    let status = planted.run(&["sync"], "").await;
    assert!(matches!(status, Some(0 | 3)), "{status:?}");
    planted.flow.assert_clean();

    for verb in [
        &["status"][..],
        &["documents", "list"],
        &["hold", "list"],
        &["mapping", "suggest"],
        &["audit", "verify"],
        &["audit", "export"],
        &["secret", "list"],
        &["secret", "rotate"],
    ] {
        planted.run(verb, "").await;
        planted.run(&[&["--json"], verb].concat(), "").await;
    }
    for document in planted.flow.documents().await {
        planted.run(&["documents", "show", &document.id], "").await;
        planted.run(&["--json", "explain", &document.id], "").await;
    }
    // Refusals of the vault's own.
    planted.run(&["secret", "set", "company/nordlys"], "PLANTEDthird").await;
    planted.run(&["secret", "set", "x", "--value", MARK], "").await;
    let usage = planted.said.pop().expect("it said something").1;
    assert!(String::from_utf8_lossy(&usage).contains("unexpected argument"));

    // What a panic could print of what carries them.
    let config = Config::load(&planted.flow.folder.join("ml-connector.toml")).expect("good");
    let store = Store::open(&planted.flow.test.url).await.expect("it opens");
    let vault = open_vault(&store, &config).await.expect("it opens");
    let visma = config.visma_settings(&config.companies[0], &vault).expect("it is all there");
    let rows = store.secrets().await.expect("the store reads");
    planted.said.push(("panic".into(), format!("{config:?}{vault:?}{visma:?}{rows:?}").into()));

    let kept = stored(&planted.flow).await;
    assert!(kept.len() > 50_000, "{}", kept.len());
    planted.said.push(("the store".into(), kept));

    let wanted = planted.wanted();
    assert!(wanted.len() > 12, "tokens were given: {}", wanted.len());
    let found = places(&planted.said, &wanted);
    assert!(found.is_empty(), "{} places: {:#?}", found.len(), &found[..found.len().min(15)]);

    // The search finds what is there, and the errors did repeat what was taken out of them.
    let all: Vec<u8> = planted.said.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let everything = [("all".to_owned(), all)];
    for sign in ["Bearer ***", "***", "create_intended", "secret_set", "refused the sign-in"] {
        assert!(!places(&everything, &[sign.to_owned()]).is_empty(), "{sign}");
    }
}
