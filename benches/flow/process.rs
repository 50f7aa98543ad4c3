//! Child processes: the sandbox, and whatever is measured.

use super::figures::{peak_of, times_of};
use super::{Failure, fresh};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);
/// Between two looks at a measured process.
const LOOK: Duration = Duration::from_millis(2);
/// What one process took.
pub struct Measured {
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Largest resident set.
    pub peak_kib: u64,
}

/// Runs the command to its end.
pub fn measure(mut command: Command, folder: &Path, good: &[i32]) -> Result<Measured, Failure> {
    let errors = folder.join("stderr");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&errors)?);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let stat = format!("/proc/{}/stat", child.id());
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    // A process that has ended keeps its times until it is waited for, but not its memory.
    let (wall, cpu) = loop {
        if let Some(peak) = peak_of(&std::fs::read_to_string(&status)?) {
            peak_kib = peak;
        }
        let (ended, cpu) = times_of(&std::fs::read_to_string(&stat)?)?;
        if ended {
            break (started.elapsed(), cpu);
        }
        std::thread::sleep(LOOK);
    };
    let code = child.wait()?.code();
    if !code.is_some_and(|code| good.contains(&code)) {
        let words = std::fs::read_to_string(errors)?;
        return Err(format!("the measured process ended with {code:?}: {words}").into());
    }
    Ok(Measured { wall, cpu, peak_kib })
}

/// The simulators, as a process of their own. Dropped, it ends.
pub struct Sandbox {
    child: Child,
    pub visma: String,
    pub jaggaer: String,
}

impl Sandbox {
    /// In a fresh folder, which then holds a configuration for it.
    pub fn start(folder: &Path, documents: usize, latency_ms: u64) -> Result<Self, Failure> {
        let folder = fresh(folder)?;
        let said = folder.join("sandbox.json");
        let child = Command::new(env!("CARGO_BIN_EXE_ml-connector"))
            .args(["--json", "sandbox", "--listen", "127.0.0.1:0", "--allowance", "1000000"])
            .args(["--documents", &documents.to_string()])
            .args(["--latency-ms", &latency_ms.to_string()])
            .arg("--write-config")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(File::create(&said)?)
            .stderr(Stdio::null())
            .spawn()?;
        let mut sandbox = Self { child, visma: String::new(), jaggaer: String::new() };
        let patience = Instant::now() + START;
        loop {
            if let Ok(urls) = serde_json::from_str::<Value>(&std::fs::read_to_string(&said)?) {
                let url = |name: &str| urls[name].as_str().unwrap_or_default().to_owned();
                (sandbox.visma, sandbox.jaggaer) = (url("visma"), url("jaggaer"));
                return Ok(sandbox);
            }
            if Instant::now() > patience || sandbox.child.try_wait()?.is_some() {
                return Err("the sandbox did not start".into());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// A run counts only when everything arrived, once.
    pub fn check(&self) -> Result<(), Failure> {
        let report = self.report()?;
        let findings = &report["findings"];
        for name in ["missing", "duplicated", "wrong", "unexpected"] {
            if findings[name].as_array().is_none_or(|found| !found.is_empty()) {
                return Err(format!("the sandbox counts {name}: {}", findings[name]).into());
            }
        }
        Ok(())
    }

    fn report(&self) -> Result<Value, Failure> {
        let host = self.visma.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        write!(stream, "GET /sandbox/report HTTP/1.0\r\nhost: {host}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("an answer without a body")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
