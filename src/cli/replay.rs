use super::hold::{ask_and_work, one};
use super::output::{Failure, Output};
use ml_connector::config::Config;
use ml_connector::procurement::Plan;
use ml_connector::store::DocumentState;
use ml_connector::sync::{ManualVerb, Rehearsed, rehearse};
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
    let differences = differences(document.applied_plan.as_deref(), &rehearsed);
    let stands = document.applied_plan.is_some();
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
fn differences(applied: Option<&str>, rehearsed: &Rehearsed) -> Vec<String> {
    let Some(new) = rehearsed.plan() else {
        return vec![format!("today it would not be posted: {}", rehearsed.outcome())];
    };
    let Some(old) = applied.and_then(|text| serde_json::from_str::<Plan>(text).ok()) else {
        return vec!["it does not stand in Visma yet; it would be posted".into()];
    };
    let (old, new) = (json!(old), json!(new));
    let mut found = Vec::new();
    compare("", &old, &new, &mut found);
    found
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(
                    &path,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{}]", n + 1), a, b, found);
            }
        }
        _ if old == new => {}
        _ => found.push(format!("{path}: {old} -> {new}")),
    }
}
