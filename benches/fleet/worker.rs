//! One `serve` process.

use super::Failure;
use super::figures::{peak_of, times_of};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Killed when it is dropped without its end.
pub struct Worker {
    child: Child,
    said: PathBuf,
}

impl Worker {
    pub fn start(folder: &Path, n: usize) -> Result<Self, Failure> {
        let said = folder.join(format!("worker-{n}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_ml-connector"))
            .arg("--config")
            .arg(folder.join("ml-connector.toml"))
            .arg("serve")
            .env("ML_CONNECTOR_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()?;
        Ok(Self { child, said })
    }

    /// An error when it does not.
    pub fn lives(&mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let said = std::fs::read_to_string(&self.said)?;
                Err(format!("a worker ended with {status}: {said}").into())
            }
        }
    }

    fn told(&self, name: &str) -> Result<String, Failure> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id()))?)
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        Ok(times_of(&self.told("stat")?)?.1)
    }

    /// The largest resident set so far.
    pub fn peak_mib(&self) -> Result<f64, Failure> {
        Ok(peak_of(&self.told("status")?).ok_or("a process without memory")? as f64 / 1024.0)
    }

    /// Asked to stop, it must end well.
    pub fn end(mut self) -> Result<(), Failure> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if asked.success() && status.success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(&self.said)?;
        Err(format!("a worker was asked to stop and ended with {status}: {said}").into())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
