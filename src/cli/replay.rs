use super::hold::{ask_and_work, one};
use super::output::{Failure, Output};
use ml_connector::config::Config;
use ml_connector::procurement::Plan;
use ml_connector::store::DocumentState;
use ml_connector::sync::{ManualVerb, Rehearsed, applied_plan, plan_differences, rehearse};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Our id, JAGGAER's id or number, or the supplier's reference.
    id: String,
    /// Also carry a difference out: update what is not released yet.
    #[arg(long)]
    apply: bool,
    #[arg(long, default_value = "")]
    reason: String,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let document = one(&store, &arguments.id).await?;
    let rehearsed = rehearse(&store, config, &document).await?;
    let stands = applied_plan(&document);
    let differences = differences(stands.as_ref(), &rehearsed);
    let stands = stands.is_some();
    let decision = serde_json::to_value(&rehearsed.decision).unwrap_or(Value::Null);
    for line in &differences {
        output.say(line);
    }
    let unchanged = stands && differences.is_empty();
    if unchanged || (stands && !arguments.apply) || document.state == DocumentState::Posting {
        let text = match (unchanged, document.state) {
            (_, DocumentState::Posting) => "it is on its way; nothing was done",
            (true, _) => "it stands in Visma as it would be decided today; nothing was done",
            (false, _) => {
                "it stands in Visma otherwise; nothing was done. Use --apply to change it where it is not released"
            }
        };
        output.print(&json!({
            "document": document.id, "state": document.state.as_str(), "differences": differences,
            "decision": decision, "asked": false,
        }));
        output.say(text);
        return Ok(ExitCode::SUCCESS);
    }
    ask_and_work(ManualVerb::Replay, &document, &arguments.reason, config, &store, output).await
}

/// What the decision of today would change, member by member.
fn differences(stands: Option<&Plan>, rehearsed: &Rehearsed) -> Vec<String> {
    match (stands, rehearsed.plan()) {
        (_, None) => vec![format!("today it would not be posted: {}", rehearsed.outcome())],
        (None, Some(_)) => vec!["it does not stand in Visma yet; it would be posted".into()],
        (Some(old), Some(new)) => plan_differences(old, new),
    }
}
