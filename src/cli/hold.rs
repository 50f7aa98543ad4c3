use super::output::{Failure, Output};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::store::{DocumentRow, DocumentState, Store};
use ml_connector::sync::ManualVerb;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Each hold: which document, what happened, what to do.
    List,
}

#[derive(clap::Args)]
pub struct ReleaseArguments {
    /// Our id, JAGGAER's id or number, or the supplier's reference.
    id: String,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

pub async fn run(command: &Command, store: &Store, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::List => list(store, output).await,
    }
}

async fn list(store: &Store, output: &Output) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    for hold in store.holds().await? {
        let Some(document) = store.document(&hold.document).await? else { continue };
        rows.push((hold, document));
    }
    output.print(&json!({
        "holds": rows.iter().map(|(hold, document)| json!({
            "document": document.id, "source_id": document.source_id, "kind": document.kind.as_str(),
            "number": document.number, "code": hold.code, "text": hold.text, "fix": hold.fix,
            "since": clock::rfc3339(hold.since),
        })).collect::<Vec<_>>()
    }));
    let mut last = None;
    for (hold, document) in &rows {
        if last != Some(&document.id) {
            output.say(format!("{} {} ({})", document.kind.as_str(), document.number, document.id));
            last = Some(&document.id);
        }
        output.say(format!("  [{}] {}\n    do: {}", hold.code, hold.text, hold.fix));
    }
    output.say(format!("{} holds", rows.len()));
    Ok(ExitCode::SUCCESS)
}

pub async fn release(
    arguments: &ReleaseArguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let document = one(&store, &arguments.id).await?;
    let asks_attention = document.state == DocumentState::Posted && document.attention.is_some();
    if document.state != DocumentState::Held && !asks_attention {
        return Err(Failure::could_not(format!(
            "{} {} is {}, not held; nothing was done",
            document.kind.as_str(),
            document.number,
            document.state.as_str()
        )));
    }
    ask_and_work(ManualVerb::Release, &document, &arguments.reason, config, &store, output).await
}

/// The one document that a person means.
pub async fn one(store: &Store, text: &str) -> Result<DocumentRow, Failure> {
    let mut found = store.find_documents(text).await?;
    match found.len() {
        0 => {
            Err(Failure::could_not(format!("no document has the id, number or reference `{text}`")))
        }
        1 => Ok(found.remove(0)),
        n => Err(Failure::could_not(format!(
            "`{text}` means {n} documents: use one of the ids {}",
            found.iter().map(|document| document.id.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Asks for it; a running owner carries it out, and where there is none this process does.
pub async fn ask_and_work(
    verb: ManualVerb,
    document: &DocumentRow,
    reason: &str,
    config: &Config,
    store: &Store,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let unit = config
        .units()
        .into_iter()
        .find(|unit| unit.connections.contains(&document.connection))
        .ok_or_else(|| {
            Failure::configuration(format!(
                "the connection `{}` of this document is not in the configuration",
                document.connection
            ))
        })?;
    let actor = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    verb.ask(store, &unit.id, &document.id, &actor, reason).await?;
    let mut quick = config.clone();
    quick.timing.wait_for_owner_seconds = 0;
    let stop = super::signal::stop_on_signal();
    let report = ml_connector::sync::sync(
        store,
        &quick,
        Some(&document.connection),
        super::progress::Bars::shared(),
        stop,
    )
    .await;
    let owned_elsewhere = match &report {
        Ok(_) => {
            store.open_requests(&unit.id).await?.iter().any(|open| open.document == document.id)
        }
        Err(ml_connector::sync::SyncError::OwnedElsewhere { .. }) => true,
        Err(_) => false,
    };
    if owned_elsewhere {
        output.print(
            &json!({ "asked": true, "document": document.id, "state": document.state.as_str() }),
        );
        output.say("asked; the process that owns the unit carries it out in its next round");
        return Ok(ExitCode::SUCCESS);
    }
    let report = report?;
    let after = store.document(&document.id).await?.unwrap_or_else(|| document.clone());
    let holds = store.holds_of(&document.id).await?;
    output.print(&json!({
        "asked": false, "document": after.id, "state": after.state.as_str(),
        "holds": holds.iter().map(|hold| json!({ "code": hold.code, "text": hold.text, "fix": hold.fix })).collect::<Vec<_>>(),
        "attention": after.attention, "errors": report.errors,
    }));
    output.say(format!("{} {} is {} now", after.kind.as_str(), after.number, after.state.as_str()));
    for hold in &holds {
        output.say(format!("  held [{}] {}\n    do: {}", hold.code, hold.text, hold.fix));
    }
    if let Some(attention) = &after.attention {
        output.say(format!("  attention: {attention}"));
    }
    for error in &report.errors {
        eprintln!("ml-connector: {error}");
    }
    Ok(match after.state {
        DocumentState::Held => ExitCode::from(3),
        _ if after.attention.is_some() => ExitCode::from(3),
        _ if !report.errors.is_empty() => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    })
}
