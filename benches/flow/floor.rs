//! The least that any connector with these promises must do: the recorded calls, with as many at
//! a time, and around each write an intent and an outcome, durably committed in groups.

use super::Failure;
use super::script::{Call, Script, first_lines};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{AUTHORIZATION, LOCATION};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Set in the process that is the floor: where its script is.
pub const FOLDER: &str = "ML_CONNECTOR_BENCH_FLOOR";

/// As the sandbox's configuration has it for both systems.
const CALLS_AT_ONCE: usize = 8;
/// Writes in hand, so that commits of some overlap with calls of others; as the connector does.
const IN_HAND: usize = 16;
/// Most rows in one commit, and how many may wait.
const GROUP: usize = 256;

pub fn run(folder: &Path) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(play(folder))
}

/// One row to commit.
struct Row {
    sql: &'static str,
    values: [String; 3],
    done: oneshot::Sender<()>,
}

struct Floor {
    http: reqwest::Client,
    urls: Vec<String>,
    permits: [Semaphore; 2],
    tokens: Mutex<HashMap<usize, String>>,
    /// Numbers of orders: of the recorded run, and of this one.
    keys: Mutex<HashMap<String, String>>,
    /// Number of each order's first line, in the recorded run and in this one.
    recorded_lines: HashMap<String, i64>,
    own_lines: Mutex<HashMap<String, i64>>,
    rows: mpsc::Sender<Row>,
}

async fn play(folder: &Path) -> Result<(), Failure> {
    let script = Script::read(folder)?;
    // The client is built for TLS, though the sandbox has none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::raw_sql(
        "create table intent (id text primary key, path text not null, body text not null); \
         create table outcome (id text primary key, status text not null, number text not null)",
    )
    .execute(&mut connection)
    .await?;
    let (rows, queue) = mpsc::channel(1024);
    let writer = tokio::spawn(write(connection, queue));
    let floor = Floor {
        http: reqwest::Client::builder().tcp_nodelay(true).build()?,
        urls: script.urls,
        permits: [Semaphore::new(CALLS_AT_ONCE), Semaphore::new(CALLS_AT_ONCE)],
        tokens: Mutex::default(),
        keys: Mutex::default(),
        recorded_lines: script.first_lines,
        own_lines: Mutex::default(),
        rows,
    };
    let mut next_id = 0;
    for wave in script.waves {
        let first = next_id;
        next_id += wave.len();
        futures_util::stream::iter(wave.into_iter().zip(first..))
            .map(|(call, id)| floor.carry_out(call, id))
            .buffer_unordered(IN_HAND)
            .try_collect::<()>()
            .await?;
    }
    drop(floor);
    writer.await?
}

async fn write(
    mut connection: SqliteConnection,
    mut queue: mpsc::Receiver<Row>,
) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut rows, GROUP).await > 0 {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut waiting = Vec::with_capacity(rows.len());
        for Row { sql, values: [one, two, three], done } in rows.drain(..) {
            let query = sqlx::query(sql).bind(one).bind(two).bind(three);
            query.execute(&mut *transaction).await?;
            waiting.push(done);
        }
        transaction.commit().await?;
        for done in waiting {
            // Whoever does not wait any more has failed and says so.
            let _ = done.send(());
        }
    }
    Ok(connection.close().await?)
}

impl Floor {
    async fn carry_out(&self, mut call: Call, id: usize) -> Result<(), Failure> {
        if !call.is_write() {
            return self.send(&call).await.map(drop);
        }
        call.body = self.with_own_numbers(call.body);
        let intent = [id.to_string(), call.path.clone(), call.body.clone()];
        self.commit("insert into intent (id, path, body) values (?, ?, ?)", intent).await?;
        let (status, key) = self.send(&call).await?;
        let outcome = [id.to_string(), status.to_string(), key.clone().unwrap_or_default()];
        self.commit("insert into outcome (id, status, number) values (?, ?, ?)", outcome).await?;
        if let (Some(recorded), Some(own)) = (call.key, key) {
            self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(recorded, own);
        }
        Ok(())
    }

    async fn commit(&self, sql: &'static str, values: [String; 3]) -> Result<(), Failure> {
        let (done, committed) = oneshot::channel();
        self.rows.send(Row { sql, values, done }).await?;
        Ok(committed.await?)
    }

    /// Status and the created document's number.
    async fn send(&self, call: &Call) -> Result<(u16, Option<String>), Failure> {
        let url = format!("{}{}", self.urls[call.system], call.path);
        let mut request = self.http.request(call.method.parse()?, url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(token) = self.token(call) {
            request = request.header(AUTHORIZATION, token);
        }
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let _permit = self.permits[call.system].acquire().await?;
        let response = request.send().await?;
        let status = response.status();
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let key = location.and_then(|path| path.rsplit('/').next()).map(str::to_owned);
        let body = response.bytes().await?;
        if !status.is_success() {
            let words = String::from_utf8_lossy(&body).into_owned();
            return Err(format!("{} {}: {status}: {words}", call.method, call.path).into());
        }
        if call.lists_orders() {
            let mut lines = self.own_lines.lock().unwrap_or_else(PoisonError::into_inner);
            first_lines(&String::from_utf8_lossy(&body), &mut lines);
        }
        if call.is_token() {
            let answer: serde_json::Value = serde_json::from_slice(&body)?;
            let token = answer["access_token"].as_str().ok_or("a sign-in without a token")?;
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.insert(call.system, format!("Bearer {token}"));
        }
        Ok((status.as_u16(), key))
    }

    fn token(&self, call: &Call) -> Option<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&call.system).filter(|_| !call.is_token()).cloned()
    }

    /// Side by side, orders get their numbers in another sequence than in the recorded run, and
    /// their lines begin elsewhere; invoices name both.
    fn with_own_numbers(&self, body: String) -> String {
        const LINE: &str = "\"purchaseLineNbr\":{\"value\":";
        const ORDER: &str = "},\"purchaseNumber\":{\"value\":\"";
        if !body.contains(LINE) {
            return body;
        }
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = self.own_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = String::with_capacity(body.len());
        for (n, part) in body.split(LINE).enumerate() {
            let link = part.split_once(ORDER).filter(|_| n > 0);
            let Some((line, (order, rest))) = link
                .and_then(|(line, rest)| Some((line.parse::<i64>().ok()?, rest.split_once('"')?)))
            else {
                own.push_str(if n > 0 { LINE } else { "" });
                own.push_str(part);
                continue;
            };
            let own_order = keys.get(order).map_or(order, String::as_str);
            let first =
                |lines: &HashMap<String, i64>, order| lines.get(order).copied().unwrap_or(0);
            let own_line = line - first(&self.recorded_lines, order) + first(&lines, own_order);
            own.push_str(&format!("{LINE}{own_line}{ORDER}{own_order}\"{rest}"));
        }
        own
    }
}
