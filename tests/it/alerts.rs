//! Alerts leave the process as those who receive them see them: a signed POST that proves whose it is,
//! and a letter at a mail server.

use crate::connector::{Connector, Options, finish_child, signal, small_sandbox};
use crate::serve::{free_port, scheduled, until};
use crate::stores::{self, TestStore};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const KEY: &[u8] = b"thirty-two bytes of a test's key";

/// A POST as it came: id, the JSON, whether its signature is ours.
#[derive(Debug, Clone)]
pub struct Received {
    id: String,
    pub body: Value,
    genuine: bool,
}

#[derive(Clone, Default)]
pub struct Receiver {
    pub all: Arc<Mutex<Vec<Received>>>,
    /// So many are turned away first.
    refuse: Arc<Mutex<u32>>,
}

async fn receive(State(of): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &body].concat();
    let right = STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &signed));
    let genuine = header("webhook-signature") == format!("v1,{right}");
    {
        let mut refuse = of.refuse.lock().unwrap();
        if *refuse > 0 {
            *refuse -= 1;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    let body = serde_json::from_slice(&body).expect("JSON");
    of.all.lock().unwrap().push(Received { id, body, genuine });
    StatusCode::NO_CONTENT
}

pub async fn receiver() -> (Receiver, String) {
    let receiver = Receiver::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let routes = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (receiver, url)
}

/// As much of a mail server (RFC 5321) as takes a letter.
async fn mail_server() -> (Arc<Mutex<Vec<String>>>, u16) {
    let letters: Arc<Mutex<Vec<String>>> = Arc::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let into = Arc::clone(&letters);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let into = Arc::clone(&into);
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 test\r\n").await.unwrap();
                let mut letter: Option<String> = None;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer: &[u8] = match (&mut letter, line.as_str()) {
                        (Some(text), ".") => {
                            into.lock().unwrap().push(std::mem::take(text));
                            letter = None;
                            b"250 kept\r\n"
                        }
                        (Some(text), line) => {
                            text.push_str(line);
                            text.push('\n');
                            continue;
                        }
                        (None, "DATA") => {
                            letter = Some(String::new());
                            b"354 go on\r\n"
                        }
                        (None, "QUIT") => b"221 bye\r\n",
                        (None, _) => b"250 ok\r\n",
                    };
                    write.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (letters, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_and_a_refused_sign_in_are_told_by_post_and_letter() {
    futures_util::future::join_all(stores::both().await.into_iter().map(told)).await;
}

async fn told(test: TestStore) {
    let sandbox = small_sandbox(30, 5, false).await;
    let connector = Connector::new(&sandbox, &test.url, &Options::default());
    let (hooks, url) = receiver().await;
    let (letters, smtp) = mail_server().await;
    connector.write("hook.secret", &format!("whsec_{}\n", STANDARD.encode(KEY)));
    scheduled(&connector, free_port());
    connector.amend(|table| {
            let text = format!(
                "[[target]]\nid = \"desk\"\nwebhook = {{ url = \"{url}\", secret = {{ file = \"hook.secret\" }} }}\n\
                 quiet_minutes = 0\n[[target]]\nid = \"mail\"\nkinds = [\"holds\"]\nquiet_minutes = 0\n\
                 email = {{ server = \"127.0.0.1\", port = {smtp}, tls = \"none\", from = \"c@example.no\", to = [\"ap@example.no\"] }}\n"
            );
            table.insert("alerts".into(), text.parse::<toml::Table>().unwrap().into());
        });
    // The first attempt finds nobody; the message is not lost.
    *hooks.refuse.lock().unwrap() = 1;
    let child = connector.command(&["serve"]).spawn().expect("it starts");
    until("the letter of the holds", || async { !letters.lock().unwrap().is_empty() }).await;
    signal(&child, "TERM");
    let run = finish_child(child).await;
    assert_eq!(run.code(), Some(0), "{}", run.stderr);
    assert!(!run.stderr.contains("whsec_"), "a secret in the log");

    let letter = letters.lock().unwrap()[0].clone();
    let store = connector.store().await;
    let holds = store.holds().await.unwrap();
    assert!(!holds.is_empty());
    for part in ["To: ap@example.no", "Subject: ", "held"] {
        assert!(letter.contains(part), "{part}: {letter}");
    }

    // The wrong secret, in the next life: that, and what was turned away before, is told.
    connector.write("visma.secret", "wrong\n");
    let child = connector.command(&["serve"]).spawn().expect("it starts");
    until("both messages", || async {
        let all = hooks.all.lock().unwrap().clone();
        let kinds: Vec<&str> = all.iter().filter_map(|of| of.body["type"].as_str()).collect();
        kinds.iter().any(|kind| kind.contains("sign_in"))
            && kinds.iter().any(|kind| kind.contains("holds"))
    })
    .await;
    signal(&child, "TERM");
    finish_child(child).await;
    let all = hooks.all.lock().unwrap().clone();
    assert!(all.iter().all(|of| of.genuine), "{all:#?}");
    let mut ids: Vec<&str> = all.iter().map(|of| of.id.as_str()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "each message once: {all:#?}");
    let text = serde_json::to_string(&all.iter().map(|of| &of.body).collect::<Vec<_>>()).unwrap();
    assert!(!text.contains("sandbox-visma-secret") && !text.contains("whsec_"), "{text}");
}
