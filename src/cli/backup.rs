use super::audit;
use super::output::{Failure, Output, counted};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::store::{Backup, BackupError, Counts, Store};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// The file to write: a new one, readable by this account alone.
    file: PathBuf,
    /// Write nothing: read a backup that was made before and say whether it is whole.
    #[arg(long)]
    check: bool,
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::NotAFile => Self::configuration(error),
            error => Self::could_not(error),
        }
    }
}

/// What a copy holds and how its trail stands.
struct Looked {
    counts: Counts,
    verified: audit::Verified,
}

pub async fn run(
    arguments: &Arguments,
    config: Result<Config, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if arguments.check {
        let looked = look(&arguments.file).await?;
        return show(&arguments.file, &looked, output);
    }
    let url = config?.store_url().map_err(Failure::configuration)?;
    let taken_at = clock::now();
    let backup = Backup::take(&url, &arguments.file).await?;
    let looked = look(backup.copy()).await?;
    backup.keep()?;
    output.say(format!(
        "{}: the store as of {}",
        arguments.file.display(),
        clock::readable(taken_at)
    ));
    show(&arguments.file, &looked, output)
}

/// A damaged copy is an error. A trail that does not hold is none: the copy is as true as the store.
async fn look(copy: &Path) -> Result<Looked, Failure> {
    let store = Store::open_copy(copy).await?;
    let damage = store.damage().await?;
    if !damage.is_empty() {
        return Err(BackupError::Damaged(damage.join("; ")).into());
    }
    Ok(Looked { counts: store.counts().await?, verified: audit::verify(&store, None).await? })
}

fn show(file: &Path, looked: &Looked, output: &Output) -> Result<ExitCode, Failure> {
    let Looked { counts, verified } = looked;
    let bytes = std::fs::metadata(file).map_err(Failure::could_not)?.len();
    let faults: Vec<String> = verified.faults.iter().map(ToString::to_string).collect();
    output.print(&json!({
        "ok": faults.is_empty(),
        "file": file,
        "bytes": bytes,
        "documents": counts.documents,
        "revisions": counts.revisions,
        "postings": counts.postings,
        "entries": verified.entries,
        "migration": counts.migration,
        "heads": verified.heads,
        "faults": faults,
    }));
    output.say(format!(
        "whole: {bytes} bytes; {}, {}, {}, {} in the trail",
        counted(counts.documents, "document"),
        counted(counts.revisions, "revision"),
        counted(counts.postings, "posting"),
        if verified.entries == 1 {
            "1 entry".into()
        } else {
            format!("{} entries", verified.entries)
        },
    ));
    for (unit, head) in &verified.heads {
        output.say(format!("head of {unit}: {}:{}", head.seq, head.hash));
    }
    for fault in &faults {
        eprintln!("ml-connector: {fault}");
    }
    if faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "ml-connector: the file is a true copy, but the audit trail in it does not hold: look at the \
         store with `ml-connector audit verify` and keep the backups from before that"
    );
    Ok(ExitCode::from(1))
}
