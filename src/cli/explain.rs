use super::documents::say_evidence;
use super::hold::one;
use super::output::{Failure, Output, table};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::decide::Decision;
use ml_connector::store::DocumentRow;
use ml_connector::sync::{Explained, explain, outcome};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Our id, JAGGAER's id or number, or the supplier's reference.
    id: String,
    /// The moment asked about: 2026-03-03 (the end of that day, UTC) or 2026-03-03T12:00:00Z.
    /// Without it: now.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let at = match &arguments.as_of {
        Some(text) => moment(text).map_err(Failure::configuration)?,
        None => i64::MAX,
    };
    let store = super::open(config).await?;
    let document = one(&store, &arguments.id).await?;
    let Some(explained) = explain(&store, config, &document, at).await? else {
        return Err(Failure::could_not(format!(
            "nothing was decided about {} {} until then; it was received at {}",
            document.kind.as_str(),
            document.number,
            clock::rfc3339(document.received_at)
        )));
    };
    let row = &explained.decision;
    output.print(&json!({
        "document": document.id, "n": row.n, "revision": row.revision, "outcome": row.outcome,
        "decided_at": clock::rfc3339(row.decided_at), "decision": row.decision,
        "rules": row.rules_hash, "reference": row.reference_hash, "profile": row.profile_hash,
        "evidence": row.evidence, "history": row.history,
        "made_again": explained.again.as_ref().ok().map(|again| &again.decision),
        "missing": explained.again.as_ref().err(), "same": explained.is_the_same(),
        "differences": explained.differences, "derivations": explained.derivations,
    }));
    say(&document, &explained, output);
    Ok(if explained.is_the_same() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A decision's kind for people.
fn in_words(outcome: &str) -> &str {
    match outcome {
        "plan" => "post it",
        "adopt" => "take it over as it stands in Visma",
        "hold" => "a person must look",
        "wait" => "it waits",
        other => other,
    }
}

fn say(document: &DocumentRow, explained: &Explained, output: &Output) {
    let row = &explained.decision;
    output.say(format!(
        "{}, revision {}, was decided at {}: {}",
        document.number,
        row.revision,
        clock::readable(row.decided_at),
        in_words(&row.outcome)
    ));
    match &row.decision {
        Some(Decision::Hold(holds)) => {
            for hold in holds {
                output.say(format!("  held [{}] {}", hold.code, hold.text));
            }
        }
        Some(Decision::Plan(_)) => {}
        Some(
            other @ (Decision::Adopt { .. }
            | Decision::Wait(_)
            | Decision::Ignore(_)
            | Decision::NotRipe
            | Decision::Cancel),
        ) => output.say(format!("  {}", outcome(other))),
        // That they are gone is said below.
        None if document.pruned.is_some() => {}
        None => output.say("  its reasons were not kept at that time"),
    }
    if !explained.derivations.is_empty() {
        output.say(table(
            &["what", "JAGGAER says", "rule of that time", "Visma"],
            explained.derivations.iter().map(|of| {
                vec![of.of.clone(), of.source.clone(), of.rule.clone(), of.value.clone()]
            }),
        ));
    }
    say_evidence(&row.evidence, output);
    output.say(format!(
        "  rules {}, reference data {}, profile {}",
        short(&row.rules_hash),
        short(&row.reference_hash),
        short(&row.profile_hash)
    ));
    match &explained.again {
        Err(missing) => output.say(format!("  it cannot be made again: {missing}")),
        Ok(_) if explained.is_the_same() => {
            output.say("  made again from these inputs it comes out the same");
        }
        Ok(_) => {
            output.say("  made again from these inputs it comes out otherwise:");
            for line in &explained.differences {
                output.say(format!("    {line}"));
            }
        }
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Microseconds. A day means its last moment.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_microsecond());
    }
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| format!("`{text}` is no moment: write 2026-03-03 or 2026-03-03T12:00:00Z"))?;
    let next = day.tomorrow().map_err(|error| error.to_string())?;
    let start = next.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(start.timestamp().as_microsecond() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_means_its_end() {
        assert_eq!(moment("1970-01-01"), Ok(86_400_000_000 - 1));
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(1_000_000));
        assert!(moment("3 March").is_err());
    }
}
