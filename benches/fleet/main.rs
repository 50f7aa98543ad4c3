//! Many connections, each with a JAGGAER and a Visma of its own: what 1,000 idle ones cost one process, and how
//! fast 1, 2 and 4 workers carry the first documents of 1,000 over. `docs/performance.md` explains.
//!
//! `cargo bench --bench fleet`; the workers need `ML_CONNECTOR_TEST_POSTGRES`, the URL of a server.
//! `ML_CONNECTOR_BENCH_CONNECTIONS` and `ML_CONNECTOR_BENCH_MINUTES` (of idleness) change its size.

#[path = "../figures/mod.rs"]
mod figures;
mod simulators;
mod worker;

use ml_connector::store::Store;
use simulators::Simulators;
use sqlx::Connection;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use worker::Worker;

type Failure = Box<dyn Error + Send + Sync>;

const WORKERS: [usize; 3] = [1, 2, 4];
/// Between two looks at what is done.
const LOOK: Duration = Duration::from_millis(250);
/// A fleet that does not come to rest is a failure, not a figure.
const PATIENCE: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    // Only `cargo bench` measures; a test run that builds everything only starts it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    match runtime.block_on(bench()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn bench() -> Result<(), Failure> {
    let connections = setting("ML_CONNECTOR_BENCH_CONNECTIONS", 1000)?;
    let minutes = setting("ML_CONNECTOR_BENCH_MINUTES", 15)?.max(1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet");
    idle(&folder, connections, minutes).await?;
    match std::env::var("ML_CONNECTOR_TEST_POSTGRES") {
        Ok(server) => several(&folder, connections, &server).await?,
        Err(_) => println!(
            "\nworkers: not measured, ML_CONNECTOR_TEST_POSTGRES is not set; \
             `./test --release --bench fleet -- --bench` starts a PostgreSQL"
        ),
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn setting(name: &str, default: usize) -> Result<usize, Failure> {
    match std::env::var(name) {
        Ok(text) => Ok(text.parse().map_err(|error| format!("{name}: {error}"))?),
        Err(_) => Ok(default),
    }
}

fn fresh(folder: &Path) -> Result<PathBuf, Failure> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

/// One process, the default store and the default timetable; everything was carried over before.
async fn idle(folder: &Path, connections: usize, minutes: usize) -> Result<(), Failure> {
    let folder = fresh(folder)?;
    let simulators = Simulators::start(connections, 1, 20).await?;
    let url = format!("sqlite:{}", folder.join("ml-connector.db").display());
    simulators.write_config(&folder, &url, "")?;
    let mut worker = Worker::start(&folder, 0)?;
    at_rest(&url, simulators.documents(), std::slice::from_mut(&mut worker)).await?;
    simulators.check()?;
    // Each flow has run once when the longest of the short intervals is over.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let length = Duration::from_secs(60 * minutes as u64);
    let (calls, cpu) = (simulators.calls(), worker.cpu()?);
    tokio::time::sleep(length).await;
    let (visma, jaggaer) = simulators.calls();
    let per_hour = |count: u64| count as f64 * 60.0 / minutes as f64;
    let spent = worker.cpu()? - cpu;
    println!(
        "\n{connections} idle connections, one process, {minutes} minutes of the default timetable, SQLite\n\
         CPU: {:.1} s, {:.2} % of a core\npeak memory: {:.0} MiB, first documents included\n\
         calls per hour and connection: Visma {:.1}, JAGGAER {:.1}",
        spent.as_secs_f64(),
        100.0 * spent.as_secs_f64() / length.as_secs_f64(),
        worker.peak_mib()?,
        per_hour(visma - calls.0) / connections as f64,
        per_hour(jaggaer - calls.1) / connections as f64,
    );
    worker.end()
}

/// So many workers on one PostgreSQL, from their start until all documents are at rest.
async fn several(folder: &Path, connections: usize, server: &str) -> Result<(), Failure> {
    println!("\n{connections} connections, PostgreSQL, answers after 20 ms, first documents");
    let mut first = None;
    for count in WORKERS {
        let folder = fresh(folder)?;
        let simulators = Simulators::start(connections, 2, 20).await?;
        let url = database(server, count).await?;
        simulators.write_config(&folder, &url, "every 5 minutes")?;
        // The store is brought to its version before anybody is timed.
        drop(Store::open(&url).await?);
        let started = Instant::now();
        let mut workers =
            (0..count).map(|n| Worker::start(&folder, n)).collect::<Result<Vec<_>, _>>()?;
        at_rest(&url, simulators.documents(), &mut workers).await?;
        let seconds = started.elapsed().as_secs_f64();
        simulators.check()?;
        let of_first = *first.get_or_insert(seconds) / seconds;
        let mut cpu = Duration::ZERO;
        let mut peaks = Vec::new();
        for worker in workers {
            cpu += worker.cpu()?;
            peaks.push(format!("{:.0}", worker.peak_mib()?));
            worker.end()?;
        }
        println!(
            "{count} workers: {} documents in {seconds:.1} s, {:.0} per second, {of_first:.2} of one worker; \
             CPU of all {:.1} s; peak memory {} MiB",
            simulators.documents(),
            simulators.documents() as f64 / seconds,
            cpu.as_secs_f64(),
            peaks.join(", "),
        );
    }
    Ok(())
}

/// Waits until so many documents are known and none is in flight.
async fn at_rest(url: &str, documents: usize, workers: &mut [Worker]) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        tokio::time::sleep(LOOK).await;
        for worker in workers.iter_mut() {
            worker.lives()?;
        }
        let Ok(Some(store)) = Store::open_to_read(url).await else { continue };
        let Ok(totals) = ml_connector::sync::totals(&store).await else { continue };
        if totals.received >= i64::try_from(documents)? && totals.in_flight == 0 {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("it does not come to rest: {totals:?}").into());
        }
    }
}

async fn database(server: &str, workers: usize) -> Result<String, Failure> {
    let name = format!("fleet_{}_{workers}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres")).await?;
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::query(create).execute(&mut connection).await?;
    Ok(format!("{server}/{name}"))
}
