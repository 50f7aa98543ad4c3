use super::output::{Failure, Output, counted, table};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::sync::totals;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

pub async fn run(config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let totals = totals(&store).await?;
    // A document may be held for one reason on several of its lines.
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for hold in store.holds().await? {
        held.entry(hold.code).or_default().insert(hold.document);
    }
    let holds: BTreeMap<String, usize> =
        held.into_iter().map(|(code, documents)| (code, documents.len())).collect();
    let rounds = store.rounds(5).await?;
    let owners = store.ownerships().await?;
    let postings = store.posting_counts().await?;
    let attention = store.attention_count().await?;
    let pauses = store.pauses().await?;
    let alerts = store.alert_trouble().await?;
    let deliveries = store.delivery_counts().await?;
    let found = store.found_counts().await?;
    let reconciled = store.reconciliations().await?;
    let confirmations = store.confirmation_counts().await?;
    output.print(&json!({
        "connections": config.connections.iter().map(|connection| json!({
            "id": connection.id, "source": connection.source, "company": connection.company,
        })).collect::<Vec<_>>(),
        "paused": pauses.iter().map(|row| json!({
            "connection": row.connection, "since": clock::rfc3339(row.since), "actor": row.actor, "reason": row.reason,
        })).collect::<Vec<_>>(),
        "alerts": alerts.iter().map(|row| json!({
            "target": row.target, "waiting": row.waiting, "given_up": row.given_up, "error": row.error,
        })).collect::<Vec<_>>(),
        "webhooks": {
            "deliveries": deliveries.iter().map(|row| json!({
                "connection": row.connection, "list": row.poll, "outcome": row.outcome, "count": row.count,
                "last_at": clock::rfc3339(row.last_at),
            })).collect::<Vec<_>>(),
            "changes": found.iter().map(|row| json!({
                "company": row.company, "list": row.poll, "told": row.told, "poll_only": row.poll_only,
                "poll_only_in_a_row": row.in_a_row,
            })).collect::<Vec<_>>(),
        },
        "reconciled": reconciled.iter().map(|row| json!({
            "unit": row.unit, "period": row.period, "at": clock::rfc3339(row.reconciled_at), "actor": row.actor,
            "balanced": row.differences == 0, "differences": row.differences,
        })).collect::<Vec<_>>(),
        "confirmations": confirmations.iter().map(|(connection, state, count)| json!({
            "connection": connection, "state": state, "count": count,
        })).collect::<Vec<_>>(),
        "totals": totals,
        "holds": holds,
        "attention": attention,
        "postings": postings.iter().map(|(company, state, count)| json!({
            "company": company, "state": state, "count": count,
        })).collect::<Vec<_>>(),
        "owners": owners.iter().map(|row| json!({
            "unit": row.unit, "owner": row.owner, "epoch": row.epoch, "alive": !row.owner.is_empty() && !row.expired,
        })).collect::<Vec<_>>(),
        "rounds": rounds.iter().map(|round| json!({
            "unit": round.unit, "started_at": clock::rfc3339(round.started_at),
            "ended_at": round.ended_at.map(clock::rfc3339),
            "summary": serde_json::from_str::<Value>(&round.summary).unwrap_or(Value::Null),
        })).collect::<Vec<_>>(),
    }));
    output.say(format!(
        "received {}, posted {}, held {}, ignored {}, in flight {} (uncertain {}), needing attention after posting {attention}",
        totals.received, totals.posted, totals.held, totals.ignored, totals.in_flight, totals.uncertain
    ));
    for row in &pauses {
        output.say(format!(
            "{} is paused since {} by {}: {}",
            row.connection,
            clock::readable(row.since),
            row.actor,
            row.reason
        ));
    }
    for (connection, state, count) in confirmations.iter().filter(|of| of.1 != "told") {
        output.say(format!(
            "{connection}: {count} reports to JAGGAER are {state}; `ml-connector documents show` says which and why"
        ));
    }
    for row in &alerts {
        output.say(format!(
            "alerts to {}: {} wait for another attempt, {} were given up ({})",
            row.target,
            row.waiting,
            row.given_up,
            row.error.as_deref().unwrap_or("no reason is known")
        ));
    }
    if !deliveries.is_empty() {
        output.say(table(
            &["webhooks of", "about", "outcome", "deliveries", "last"],
            deliveries.iter().map(|row| {
                let named = |text: &str| if text.is_empty() { "-".into() } else { text.to_owned() };
                vec![
                    named(&row.connection),
                    named(&row.poll),
                    row.outcome.replace('_', " "),
                    row.count.to_string(),
                    clock::readable(row.last_at),
                ]
            }),
        ));
    }
    for row in &found {
        output.say(format!(
            "changes of {} in {}: {} told by webhooks, {} found by polls alone ({} in a row now)",
            row.poll, row.company, row.told, row.poll_only, row.in_a_row
        ));
    }
    // Months that closed long ago are of no matter on one screen.
    for (n, row) in reconciled.iter().enumerate().filter(|(n, row)| *n < 3 || row.differences > 0) {
        let ends = match row.differences {
            0 => "closes".to_owned(),
            found => format!("does not close: {}", counted(found, "difference")),
        };
        let when = clock::readable(row.reconciled_at);
        let first = if n == 0 { "reconciled" } else { "          " };
        output.say(format!("{first} {} of {}: {ends} ({when})", row.period, row.unit));
    }
    if !holds.is_empty() {
        output.say(table(
            &["held because", "documents"],
            holds.iter().map(|(code, n)| vec![code.clone(), n.to_string()]),
        ));
    }
    output.say(table(
        &["unit", "last rounds began", "ended"],
        rounds.iter().map(|round| {
            vec![
                round.unit.clone(),
                clock::readable(round.started_at),
                round.ended_at.map(clock::readable).unwrap_or_default(),
            ]
        }),
    ));
    let last = rounds.first().and_then(|round| serde_json::from_str::<Value>(&round.summary).ok());
    let allowance = last.as_ref().and_then(|summary| summary["allowance"].as_object());
    for (company, left) in allowance.into_iter().flatten() {
        output.say(format!(
            "Visma's allowance of {company} after the last round: {} of {} calls",
            left["remaining"], left["limit"]
        ));
    }
    for row in owners.iter().filter(|row| !row.owner.is_empty()) {
        output.say(format!(
            "unit {} is owned by {} ({})",
            row.unit,
            row.owner,
            if row.expired { "its lease has run out" } else { "alive" }
        ));
    }
    Ok(ExitCode::SUCCESS)
}
