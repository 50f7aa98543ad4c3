//! The private folder of a throw-away store.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = "ml-connector-fit-";
/// A store that is just being closed may still make a file while its folder is emptied.
const REMOVALS: u32 = 3;

/// Readable by this account alone, removed with the value.
pub struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Also removes what a killed process of this account left behind: it holds a customer's documents.
    pub fn make() -> std::io::Result<Self> {
        let all = std::env::temp_dir();
        remove_leftovers(&all);
        let name = format!("{PREFIX}{}-{:016x}", std::process::id(), fastrand::u64(..));
        let path = all.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match std::fs::remove_dir_all(&self.0) {
                Ok(()) => return,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
                Err(_) => {}
            }
        }
        tracing::warn!(folder = %self.0.display(), "the throw-away store could not be removed: remove it");
    }
}

fn remove_leftovers(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let process = rest.split('-').next().and_then(|id| id.parse::<i32>().ok());
        let is_dead = process.and_then(rustix::process::Pid::from_raw).is_some_and(|id| {
            rustix::process::test_kill_process(id) == Err(rustix::io::Errno::SRCH)
        });
        // Of a folder that is a link to elsewhere nothing is removed.
        let is_ours = std::fs::symlink_metadata(entry.path())
            .is_ok_and(|of| of.is_dir() && of.uid() == rustix::process::geteuid().as_raw());
        if is_dead && is_ours {
            // It will be tried again by the next.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
