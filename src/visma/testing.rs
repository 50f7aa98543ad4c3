//! A server of a few lines that says exactly what a test tells it to, cut bodies and silence
//! included.

use super::{Client, Settings};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Heard {
    pub fn is_token(&self) -> bool {
        self.target == "/connect/token"
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(super) struct Reply {
    bytes: Vec<u8>,
    /// Keep the connection open and say nothing more.
    hang: bool,
}

impl Reply {
    pub fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if status != 204 {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self { bytes: text.into_bytes(), hang: false }
    }

    pub fn json(body: &str) -> Self {
        Self::new(200, &[("content-type", "application/json")], body)
    }

    pub fn token(n: usize, seconds: u32) -> Self {
        Self::json(&format!(r#"{{"access_token":"token-{n}","expires_in":{seconds}}}"#))
    }

    /// The last bytes never come.
    pub fn cut(mut self, missing: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - missing);
        self
    }

    pub fn silence() -> Self {
        Self { bytes: Vec::new(), hang: true }
    }

    pub fn hung(mut self, missing: usize) -> Self {
        self.hang = true;
        self.cut(missing)
    }

    pub fn nothing() -> Self {
        Self { bytes: Vec::new(), hang: false }
    }
}

/// What the server heard, in order.
#[derive(Clone)]
pub(super) struct Server {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    /// `answer` gets every request and how many of its kind (token or other) came before it.
    pub async fn start(answer: impl Fn(&Heard, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let server = Self { url, heard: Arc::clone(&heard) };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
                tokio::spawn(async move { converse(stream, &heard, &*answer).await });
            }
        });
        server
    }

    /// Tokens are given as asked; the rest is up to the test.
    pub async fn signed_in(
        answer: impl Fn(&Heard, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |heard, n| match heard.is_token() {
            true => Reply::token(n, 3600),
            false => answer(heard, n),
        })
        .await
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("not poisoned").clone()
    }

    pub fn tokens(&self) -> usize {
        self.heard().iter().filter(|heard| heard.is_token()).count()
    }

    pub fn calls(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| !heard.is_token()).collect()
    }

    pub fn settings(&self) -> Settings {
        let secret = SecretString::from("the-secret");
        let mut settings = Settings::new("the-client", secret, "the-company");
        settings.base_url = self.url.clone();
        settings.token_url = format!("{}/connect/token", self.url);
        settings.min_interval = Duration::ZERO;
        settings.read_timeout = Duration::from_millis(400);
        settings.write_timeout = Duration::from_millis(400);
        settings
    }

    pub fn client(&self) -> Client {
        Client::new(self.settings()).expect("usable settings")
    }
}

async fn converse(
    mut stream: TcpStream,
    heard: &Mutex<Vec<Heard>>,
    answer: &(impl Fn(&Heard, usize) -> Reply + Send + Sync),
) {
    let Some(request) = listen(&mut stream).await else { return };
    let before = {
        let mut all = heard.lock().expect("not poisoned");
        let before = all.iter().filter(|other| other.is_token() == request.is_token()).count();
        all.push(request.clone());
        before
    };
    let reply = answer(&request, before);
    let _ = stream.write_all(&reply.bytes).await;
    let _ = stream.flush().await;
    if reply.hang {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
}

async fn listen(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(Some(0), |n| n.parse().ok())?;
    while bytes.len() < head_end + 4 + length {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    let body = String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned();
    Some(Heard { method, target, headers, body })
}
