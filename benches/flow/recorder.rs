//! Stands between the connector and the sandbox and writes down every request.

use super::Failure;
use super::script::{Call, Script};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub struct Recorder {
    pub urls: Vec<String>,
    book: Arc<Book>,
    /// Dropped, nothing is passed on any more.
    _runtime: Runtime,
}

struct Book {
    since: Instant,
    calls: Mutex<Vec<(u128, u128, Call)>>,
}

/// Set by the connection itself, not by what is asked for.
const OWN_HEADERS: [&str; 3] = ["host", "content-length", "connection"];

impl Book {
    fn calls(&self) -> MutexGuard<'_, Vec<(u128, u128, Call)>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u128 {
        self.since.elapsed().as_micros()
    }
}

impl Recorder {
    pub fn start(systems: [&String; 2]) -> Result<Self, Failure> {
        let runtime = Runtime::new()?;
        let book = Arc::new(Book { since: Instant::now(), calls: Mutex::default() });
        let mut urls = Vec::new();
        for (system, url) in systems.into_iter().enumerate() {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
            urls.push(format!("http://{}", listener.local_addr()?));
            let behind = url.trim_start_matches("http://").to_owned();
            let book = Arc::clone(&book);
            runtime.spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let Ok(server) = TcpStream::connect(&behind).await else { break };
                    // Small messages must not wait for an acknowledgement.
                    let _ = client.set_nodelay(true);
                    let _ = server.set_nodelay(true);
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let current = Arc::new(Mutex::new(None));
                    let asked = requests(
                        system,
                        from_client,
                        to_server,
                        Arc::clone(&book),
                        Arc::clone(&current),
                    );
                    tokio::spawn(asked);
                    tokio::spawn(answers(from_server, to_client, Arc::clone(&book), current));
                }
            });
        }
        Ok(Self { urls, book, _runtime: runtime })
    }

    pub fn end(self) -> Script {
        Script::new(std::mem::take(&mut *self.book.calls()))
    }
}

type Current = Arc<Mutex<Option<usize>>>;

async fn requests(
    system: usize,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    book: Arc<Book>,
    current: Current,
) {
    let (mut held, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(size @ 1..) = from.read(&mut chunk).await {
        held.extend_from_slice(&chunk[..size]);
        // One request at a time: nobody sends the next before the answer.
        if let Some(call) = whole(system, &held) {
            held.clear();
            let now = book.now();
            let mut calls = book.calls();
            *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls.len());
            calls.push((now, now, call));
        }
        if to.write_all(&chunk[..size]).await.is_err() {
            break;
        }
    }
}

fn whole(system: usize, bytes: &[u8]) -> Option<Call> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (first, rest) = head.split_once("\r\n")?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = rest
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    if body.len() < length {
        return None;
    }
    let replayed = |(name, value): &(String, String)| {
        let token = name == "authorization" && value.starts_with("Bearer");
        !token && !OWN_HEADERS.contains(&name.as_str())
    };
    let headers = headers.into_iter().filter(replayed).collect();
    Some(Call {
        system,
        method,
        path,
        headers,
        body: body.to_owned(),
        key: None,
        answer: String::new(),
    })
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    book: Arc<Book>,
    current: Current,
) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(size @ 1..) = from.read(&mut chunk).await {
        note(&book, &current, &chunk[..size]);
        if to.write_all(&chunk[..size]).await.is_err() {
            break;
        }
    }
}

/// What the answer, or a part of it, tells about its call.
fn note(book: &Book, current: &Current, bytes: &[u8]) {
    let Some(number) = *current.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    let now = book.now();
    if let Some((_, ended, call)) = book.calls().get_mut(number) {
        *ended = now;
        call.key = call.key.take().or_else(|| key_of(bytes));
        if call.lists_orders() {
            call.answer.push_str(&String::from_utf8_lossy(bytes));
        }
    }
}

fn key_of(bytes: &[u8]) -> Option<String> {
    let head = bytes.starts_with(b"HTTP/").then(|| String::from_utf8_lossy(bytes))?;
    let (head, _) = head.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, location) = lines.find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
    location.trim().rsplit('/').next().map(str::to_owned)
}
