use super::output::{Failure, Output, table};
use ml_connector::clock;
use ml_connector::decide::{Evidence, MatchKind, MatchedLine};
use ml_connector::procurement::Currency;
use ml_connector::store::{
    ConfirmationRow, DecisionRow, DocumentFilter, DocumentRow, DocumentState, HoldRow, LedgerCheck,
    LedgerState, OverrideRow, Store,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Documents in order of arrival.
    List {
        /// unread, waiting, ready, posting, posted, held, ignored or cancelled.
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        connection: Option<String>,
        /// 0: all of them.
        #[arg(long, default_value_t = 0)]
        limit: i64,
    },
    /// One document: state, holds, plan, what was sent, history.
    Show {
        /// Our id, JAGGAER's id or number, the supplier's reference, or Visma's number.
        id: String,
    },
}

pub async fn run(command: &Command, store: &Store, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::List { state, connection, limit } => {
            list(store, state.as_deref(), connection.clone(), *limit, output).await
        }
        Command::Show { id } => show(store, id, output).await,
    }
}

async fn list(
    store: &Store,
    state: Option<&str>,
    connection: Option<String>,
    limit: i64,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let state = state
        .map(|text| {
            DocumentState::parse(text).ok_or_else(|| {
                let known: Vec<&str> =
                    DocumentState::ALL.iter().map(|state| state.as_str()).collect();
                Failure::configuration(format!(
                    "`{text}` is no state; there are: {}",
                    known.join(", ")
                ))
            })
        })
        .transpose()?;
    let filter = DocumentFilter {
        connection,
        state,
        limit: (limit > 0).then_some(limit),
        ..DocumentFilter::default()
    };
    let documents = store.documents(&filter).await?;
    let mut holds: HashMap<String, Vec<HoldRow>> = HashMap::new();
    for hold in store.holds().await? {
        holds.entry(hold.document.clone()).or_default().push(hold);
    }
    let rows: Vec<Value> = documents
        .iter()
        .map(|document| row_json(document, holds.get(&document.id).map_or(&[], Vec::as_slice)))
        .collect();
    output.print(&json!({ "documents": rows }));
    output.say(table(
        &["id", "kind", "number", "amount", "state", "holds", "Visma"],
        documents.iter().map(|document| {
            let codes: Vec<&str> = holds
                .get(&document.id)
                .into_iter()
                .flatten()
                .map(|hold| hold.code.as_str())
                .collect();
            vec![
                document.id.clone(),
                document.kind.as_str().into(),
                document.number.clone(),
                amount(document).unwrap_or_default(),
                document.state.as_str().into(),
                codes.join(", "),
                visma_key(document).unwrap_or_default(),
            ]
        }),
    ));
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &Store, id: &str, output: &Output) -> Result<ExitCode, Failure> {
    let found = store.find_documents(id).await?;
    if found.is_empty() {
        return Err(Failure::could_not(format!(
            "no document has the id, number or reference `{id}`; `ml-connector documents list` shows them"
        )));
    }
    let mut all = Vec::new();
    for document in &found {
        let holds = store.holds_of(&document.id).await?;
        let postings = store.postings_of(&document.id).await?;
        let trail = store.audit_of(&document.id).await?;
        let revision = store.revision(&document.id, document.latest_revision).await?;
        let mut value = row_json(document, &holds);
        value["waiting"] = json_or_null(document.waiting.as_deref());
        value["attention"] = json!(document.attention);
        value["ledger"] = ledger_json(store.ledger_check(&document.id).await?.as_ref());
        value["taken_back"] = taken_back(store, document).await?;
        value["revision"] = json!(document.latest_revision);
        value["applied_revision"] = json!(document.applied_revision);
        value["applied_plan"] = json_or_null(document.applied_plan.as_deref());
        let raw = revision.as_ref().map(|revision| revision.raw.as_str());
        value["raw"] = json_or_null(raw.filter(|_| document.pruned.is_none()));
        value["pruned"] = document.pruned.as_ref().map_or(Value::Null, |pruned| {
            json!({ "at": clock::rfc3339(pruned.at), "company": pruned.company, "text": pruned.in_words() })
        });
        value["postings"] = postings
            .iter()
            .map(|row| {
                json!({
                    "step": row.step.as_str(), "state": row.state.as_str(), "our_key": row.our_key,
                    "attempts": row.attempts, "revision": row.revision, "visma_type": row.visma_type,
                    "visma_number": row.visma_number, "error": row.error,
                    "plan": json_or_null(Some(&row.plan)), "sent": json_or_null(row.body.as_deref()),
                })
            })
            .collect();
        value["trail"] = trail
            .iter()
            .map(|entry| {
                json!({
                    "seq": entry.seq, "at": clock::rfc3339(entry.entry.at), "actor": entry.entry.actor,
                    "action": entry.entry.action, "from": entry.entry.from_state, "to": entry.entry.to_state,
                    "detail": json_or_null(Some(&entry.entry.detail)),
                })
            })
            .collect();
        let confirmations = store.confirmations_of(&document.id).await?;
        value["confirmations"] = confirmations.iter().map(confirmation_json).collect();
        let decision = store.decision_at(&document.id, i64::MAX).await?;
        let said = store.overrides_of(&document.id).await?;
        value["decision"] = decision.as_ref().map_or(Value::Null, decision_json);
        value["overrides"] = said.iter().map(override_json).collect();
        say(document, &holds, &value, output);
        for row in confirmations.iter().filter(|row| row.report.is_some()) {
            say_confirmation(row, output);
        }
        if let Some(decision) = &decision {
            say_evidence(&decision.evidence, output);
        }
        for row in &said {
            output.say(format!(
                "  set aside by {} as {} at {} [{}] {}: {}",
                row.word.actor,
                row.word.role.as_str(),
                clock::rfc3339(row.said_at),
                row.word.code,
                row.word.text,
                row.word.reason
            ));
        }
        all.push(value);
    }
    output.print(&json!({ "documents": all }));
    Ok(ExitCode::SUCCESS)
}

/// What JAGGAER was told of it, or is to be told.
fn confirmation_json(row: &ConfirmationRow) -> Value {
    json!({
        "about": row.about.as_str(), "state": row.state.as_str(), "report": row.report,
        "occurred_at": clock::rfc3339(row.occurred_at), "attempts": row.attempts, "error": row.error,
    })
}

fn say_confirmation(row: &ConfirmationRow, output: &Output) {
    let word = row.report.as_ref().map_or("", |report| report.word.as_str());
    let error = row.error.as_deref().unwrap_or_default();
    output.say(format!(
        "  JAGGAER, {}: {word}: {} (attempts {}) {error}",
        row.about.as_str(),
        row.state.as_str(),
        row.attempts
    ));
}

fn say(document: &DocumentRow, holds: &[HoldRow], value: &Value, output: &Output) {
    output.say(format!(
        "{} {} ({}), {}: {}{}",
        document.kind.as_str(),
        document.number,
        document.id,
        amount(document).unwrap_or_else(|| "amount unknown".into()),
        document.state.as_str(),
        visma_key(document).map(|key| format!(", in Visma as {key}")).unwrap_or_default(),
    ));
    if let Some(pruned) = &document.pruned {
        output.say(format!("  {}", pruned.in_words()));
    }
    for hold in holds {
        output.say(format!("  held [{}] {}\n    do: {}", hold.code, hold.text, hold.fix));
    }
    if let Some(waiting) = value["waiting"].as_array() {
        for wait in waiting {
            output.say(format!("  waiting: {}", wait["text"].as_str().unwrap_or_default()));
        }
    }
    if let Some(attention) = &document.attention {
        output.say(format!("  attention: {attention}"));
    }
    if let Some(state) = value["ledger"]["state"].as_str() {
        let batches: Vec<&str> = value["ledger"]["batches"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        output.say(format!("  general ledger: {state} {}", batches.join(", ")));
    }
    for gone in value["taken_back"].as_array().into_iter().flatten() {
        output.say(format!(
            "  counts no more, correction {}: {} {}, general ledger: {}",
            gone["correction"],
            gone["visma_type"].as_str().unwrap_or_default(),
            gone["visma_number"].as_str().unwrap_or_default(),
            gone["ledger"]["state"].as_str().unwrap_or("not compared"),
        ));
    }
    for posting in value["postings"].as_array().into_iter().flatten() {
        output.say(format!(
            "  {}: {} (attempts {}) {}",
            posting["step"].as_str().unwrap_or_default(),
            posting["state"].as_str().unwrap_or_default(),
            posting["attempts"],
            posting["error"].as_str().unwrap_or_default(),
        ));
    }
    for entry in value["trail"].as_array().into_iter().flatten() {
        output.say(format!(
            "  {} {} {} -> {}",
            entry["at"].as_str().unwrap_or_default(),
            entry["action"].as_str().unwrap_or_default(),
            entry["from"].as_str().unwrap_or_default(),
            entry["to"].as_str().unwrap_or_default(),
        ));
    }
}

/// Line by line what an invoice was matched against, and what was not matched and why.
pub fn say_evidence(evidence: &Evidence, output: &Output) {
    let (not_matched, matched): (Vec<&MatchedLine>, Vec<&MatchedLine>) =
        evidence.matches.iter().partition(|line| line.kind == MatchKind::NotMatched);
    for line in matched {
        let against = match line.kind {
            MatchKind::ThreeWay => "order and receipt",
            MatchKind::TwoWay | MatchKind::NotMatched => "the order",
        };
        let place =
            line.order.as_ref().map_or_else(String::new, |(order, n)| format!(" {order} line {n}"));
        output
            .say(format!("  line {}: matched against {against}{place}: {}", line.line, line.text));
    }
    for line in not_matched {
        output.say(format!("  line {}: not matched: {}", line.line, line.text));
    }
    for remark in &evidence.remarks {
        output.say(format!("  remark: {remark}"));
    }
    for hold in &evidence.overridden {
        output.say(format!("  passed although [{}] {}", hold.code, hold.text));
    }
}

fn decision_json(row: &DecisionRow) -> Value {
    let evidence = &row.evidence;
    let is_unmatched = |line: &&MatchedLine| line.kind == MatchKind::NotMatched;
    json!({
        "n": row.n, "revision": row.revision, "outcome": row.outcome,
        "decided_at": clock::rfc3339(row.decided_at), "rules": row.rules_hash,
        "reference": row.reference_hash, "profile": row.profile_hash,
        "matches": evidence.matches, "remarks": evidence.remarks, "overridden": evidence.overridden,
        "not_matched": evidence.matches.iter().filter(is_unmatched).map(|line| json!({
            "line": line.line, "why": line.text,
        })).collect::<Vec<_>>(),
    })
}

fn override_json(row: &OverrideRow) -> Value {
    json!({
        "code": row.word.code, "text": row.word.text, "actor": row.word.actor,
        "role": row.word.role.as_str(), "reason": row.word.reason,
        "at": clock::rfc3339(row.said_at),
    })
}

/// What corrections of the document took back, and the credit notes that did it.
async fn taken_back(store: &Store, document: &DocumentRow) -> Result<Value, Failure> {
    let checks = store.ledger_checks_of(&document.id).await?;
    let gone = store.taken_back(&document.id).await?;
    Ok(gone
        .iter()
        .map(|gone| {
            let check = checks.iter().find(|check| {
                (&check.visma_type, &check.visma_number) == (&gone.visma_type, &gone.visma_number)
            });
            json!({
                "visma_type": gone.visma_type, "visma_number": gone.visma_number,
                "correction": gone.correction, "ledger": ledger_json(check),
            })
        })
        .collect())
}

/// Whether the general ledger holds the document as planned; `null`: not released, or not compared.
fn ledger_json(check: Option<&LedgerCheck>) -> Value {
    check.map_or(Value::Null, |check| {
        let verified = check.state == LedgerState::Verified;
        json!({
            "state": check.state.as_str(),
            "batches": check.batches,
            "differences": check.differences,
            "since": clock::rfc3339(check.since),
            "verified_at": verified.then(|| clock::rfc3339(check.changed_at)),
        })
    })
}

pub fn row_json(document: &DocumentRow, holds: &[HoldRow]) -> Value {
    json!({
        "id": document.id,
        "source_id": document.source_id,
        "kind": document.kind.as_str(),
        "number": document.number,
        "reference": document.reference,
        "connection": Some(&document.connection).filter(|id| !id.is_empty()),
        "supplier": document.supplier,
        "currency": document.currency,
        "amount": amount_text(document),
        "document_on": document.document_on,
        "state": document.state.as_str(),
        "holds": holds.iter().map(|hold| json!({
            "code": hold.code, "text": hold.text, "fix": hold.fix, "since": clock::rfc3339(hold.since),
        })).collect::<Vec<_>>(),
        "visma_key": visma_key(document),
    })
}

fn visma_key(document: &DocumentRow) -> Option<String> {
    let number = document.visma_number.as_ref()?;
    Some(format!("{}/{number}", document.visma_type.as_deref().unwrap_or("")))
}

pub fn amount_text(document: &DocumentRow) -> Option<String> {
    let currency = Currency::parse(document.currency.as_deref()?).ok()?;
    Some(Decimal::new(document.amount_minor?, currency.decimals()).to_string())
}

fn amount(document: &DocumentRow) -> Option<String> {
    Some(format!("{} {}", amount_text(document)?, document.currency.as_deref()?))
}

fn json_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| {
        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    })
}
