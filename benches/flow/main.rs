//! The whole flow against the sandbox, beside a floor: the same HTTP calls, an intent and an
//! outcome committed around each write, and nothing else. `docs/performance.md` explains.
//!
//! `cargo bench --bench flow`; `ML_CONNECTOR_BENCH_DOCUMENTS` (orders, and as many invoices) and
//! `ML_CONNECTOR_BENCH_REPEATS` change its size.

#[path = "../figures/mod.rs"]
mod figures;
mod floor;
mod process;
mod recorder;
mod script;

use process::{Measured, Sandbox};
use script::Script;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

type Failure = Box<dyn Error + Send + Sync>;

const LATENCIES_MS: [u64; 2] = [20, 0];

/// What the project wants to reach, printed beside what it does reach.
struct Aims {
    ratio: f64,
    cpu_seconds_per_thousand: f64,
    peak_mib: f64,
}

fn aims(latency_ms: u64) -> Aims {
    let ratio = if latency_ms == 0 { 0.5 } else { 0.9 };
    Aims { ratio, cpu_seconds_per_thousand: 0.15, peak_mib: 64.0 }
}

fn main() -> ExitCode {
    if let Ok(folder) = std::env::var(floor::FOLDER) {
        return ended(floor::run(Path::new(&folder)));
    }
    // Only `cargo bench` measures; a test run that builds everything only starts it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    ended(bench())
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flow: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), Failure> {
    let documents = setting("ML_CONNECTOR_BENCH_DOCUMENTS", 1000)?;
    let repeats = setting("ML_CONNECTOR_BENCH_REPEATS", 3)?.max(1);
    // A folder of the build, on its disk: a temporary folder may be in memory, where a durable
    // commit costs nothing.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flow");
    for latency_ms in LATENCIES_MS {
        let script = record(&folder.join("recorded"), documents, latency_ms)?;
        let (mut connector, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            connector.push(connector_run(&folder.join("connector"), documents, latency_ms)?);
            floor.push(floor_run(&folder.join("floor"), documents, latency_ms, &script)?);
        }
        report(documents, latency_ms, &script, &connector, &floor);
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

/// One run of the connector with every request written down. Not measured.
fn record(folder: &Path, documents: usize, latency_ms: u64) -> Result<Script, Failure> {
    let sandbox = Sandbox::start(folder, documents, latency_ms)?;
    let recorder = recorder::Recorder::start([&sandbox.visma, &sandbox.jaggaer])?;
    let path = folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path)?
        .replace(&sandbox.visma, &recorder.urls[0])
        .replace(&sandbox.jaggaer, &recorder.urls[1]);
    std::fs::write(&path, text)?;
    sync(folder)?;
    sandbox.check()?;
    Ok(recorder.end())
}

fn connector_run(folder: &Path, documents: usize, latency_ms: u64) -> Result<Measured, Failure> {
    let sandbox = Sandbox::start(folder, documents, latency_ms)?;
    let measured = sync(folder)?;
    sandbox.check()?;
    Ok(measured)
}

fn sync(folder: &Path) -> Result<Measured, Failure> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.arg("--config").arg(folder.join("ml-connector.toml")).args(["--json", "sync"]);
    // 3: done, and some documents are held, as the sandbox planted them.
    process::measure(command, folder, &[0, 3])
}

fn floor_run(
    folder: &Path,
    documents: usize,
    latency_ms: u64,
    script: &Script,
) -> Result<Measured, Failure> {
    let sandbox = Sandbox::start(folder, documents, latency_ms)?;
    script.write(folder, [&sandbox.visma, &sandbox.jaggaer])?;
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.env(floor::FOLDER, folder);
    let measured = process::measure(command, folder, &[0])?;
    sandbox.check()?;
    Ok(measured)
}

fn report(
    documents: usize,
    latency_ms: u64,
    script: &Script,
    connector: &[Measured],
    floor: &[Measured],
) {
    // Each order and each invoice is one document.
    let count = 2.0 * documents as f64;
    let aims = aims(latency_ms);
    let seconds = |runs: &[Measured]| median(runs, |run| run.wall.as_secs_f64());
    let cpu = |runs: &[Measured]| median(runs, |run| run.cpu.as_secs_f64()) * 1000.0 / count;
    let peak = |runs: &[Measured]| median(runs, |run| run.peak_kib as f64 / 1024.0);
    let ratio = seconds(floor) / seconds(connector);
    println!(
        "\nanswers after {latency_ms} ms: {documents} orders and {documents} invoices, {} writes, {} other calls, \
         median of {}",
        script.writes(),
        script.calls() - script.writes(),
        connector.len()
    );
    println!("{:34}{:>10}{:>10}{:>10}", "", "connector", "floor", "aim");
    let line = |name: &str, connector: f64, floor: Option<f64>, aim: Option<(f64, bool)>| {
        let floor = floor.map_or_else(String::new, |floor| format!("{floor:.2}"));
        let (aim, reached) = match aim {
            Some((aim, true)) => (format!("{aim:.2}"), "  reached"),
            Some((aim, false)) => (format!("{aim:.2}"), "  missed"),
            None => (String::new(), ""),
        };
        println!("{name:34}{connector:>10.2}{floor:>10}{aim:>10}{reached}");
    };
    line("ratio: floor time / own time", ratio, Some(1.0), Some((aims.ratio, ratio >= aims.ratio)));
    line("documents per second", count / seconds(connector), Some(count / seconds(floor)), None);
    let spent = cpu(connector);
    line(
        "CPU seconds per 1,000 documents",
        spent,
        Some(cpu(floor)),
        Some((aims.cpu_seconds_per_thousand, spent <= aims.cpu_seconds_per_thousand)),
    );
    let most = peak(connector);
    line("peak memory, MiB", most, Some(peak(floor)), Some((aims.peak_mib, most <= aims.peak_mib)));
    let all = |runs: &[Measured]| {
        let mut times: Vec<Duration> = runs.iter().map(|run| run.wall).collect();
        times.sort();
        times.iter().map(|time| format!("{:.2}", time.as_secs_f64())).collect::<Vec<_>>().join(" ")
    };
    println!("seconds: connector {}; floor {}", all(connector), all(floor));
}

fn median(runs: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// Empties and makes a run's folder.
fn fresh(folder: &Path) -> Result<PathBuf, Failure> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}
