use super::hold::{Ask, ask, one, work};
use super::output::{Failure, Output};
use ml_connector::config::Config;
use ml_connector::procurement::{DocumentKind, Plan, PostingMode};
use ml_connector::store::{DocumentRow, DocumentState, PostingRow, Pruned, Step, Store};
use ml_connector::sync::{
    Correction, ManualVerb, Rehearsed, Selection, applied_plan, correction, plan_differences,
    rehearse_each,
};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Our id, JAGGAER's id or number, or the supplier's reference.
    #[arg(required_unless_present = "filter", conflicts_with = "filter")]
    id: Option<String>,
    /// Many at once: state=held,code=account_unknown,since=2026-10-01,supplier=50012,
    /// kind=supplier_invoice,month=2026-10,connection=no.
    #[arg(long)]
    filter: Option<String>,
    /// Also carry a difference out: update what is not released yet.
    #[arg(long)]
    apply: bool,
    /// A released invoice that differs: show what its correction would do. With --apply and --reason: take it
    /// back by a credit note, and post it anew when that is released.
    #[arg(long)]
    correct: bool,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

/// A document with what would be decided about it today.
struct Seen {
    document: DocumentRow,
    rehearsed: Rehearsed,
    differences: Vec<String>,
    /// Steps that the plan asks for and that are not done: a file, the release.
    unfinished: bool,
    /// What taking it back would do, where what stands otherwise is released and that was asked.
    correction: Option<Correction>,
}

pub async fn run(
    arguments: &Arguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if arguments.correct && arguments.apply && arguments.reason.trim().is_empty() {
        let why = "--correct --apply needs --reason TEXT: a credit note is explained for good";
        return Err(Failure::configuration(why));
    }
    let store = super::open(config).await?;
    let documents = match (&arguments.id, &arguments.filter) {
        (Some(id), _) => vec![one(&store, id).await?],
        (None, Some(filter)) => {
            selection(filter).map_err(Failure::configuration)?.documents(&store).await?
        }
        (None, None) => Vec::new(),
    };
    let (pruned, documents): (Vec<DocumentRow>, Vec<DocumentRow>) =
        documents.into_iter().partition(|document| document.pruned.is_some());
    let gone: Vec<Value> = pruned.iter().map(|document| tell_pruned(document, output)).collect();
    if let (Some(_), [only]) = (&arguments.id, gone.as_slice()) {
        output.print(only);
        return Ok(ExitCode::from(1));
    }
    let mut all = Vec::new();
    for (document, rehearsed) in rehearse_each(&store, config, documents).await? {
        all.push(look(&store, document, rehearsed, arguments.correct).await?);
    }
    let single = arguments.id.is_some();
    for seen in &all {
        if !single {
            output.say(format!(
                "{} {} ({}), {}",
                seen.document.kind.as_str(),
                seen.document.number,
                seen.document.id,
                seen.document.state.as_str()
            ));
        }
        for line in &seen.differences {
            output.say(if single { line.clone() } else { format!("  {line}") });
        }
        if let Some(text) = seen.correction_text() {
            output.say(if single { text } else { format!("  {text}") });
        }
        match seen.why_not(arguments.apply) {
            Some(why) if single => output.say(format!("{}: {why}", seen.document.number)),
            Some(why) => output.say(format!("  {why}")),
            None => {}
        }
    }
    let (wanted, others): (Vec<&Seen>, Vec<&Seen>) =
        all.iter().partition(|seen| seen.why_not(arguments.apply).is_none());
    if !wanted.is_empty() {
        let others = others.iter().map(|of| of.json(arguments.apply));
        let left = (!single).then(|| others.chain(gone).collect());
        let reason = arguments.reason.as_str();
        let mut asked = Vec::new();
        for seen in wanted {
            let how = match &seen.correction {
                Some(_) => Ask::Correct,
                None => Ask::Verb(ManualVerb::Replay),
            };
            asked.push(ask(how, &seen.document, reason, config, &store).await?);
        }
        return work(&asked, left, config, &store, output).await;
    }
    let nothing_meant = all.is_empty() && gone.is_empty();
    let told: Vec<Value> = all.iter().map(|seen| seen.json(arguments.apply)).chain(gone).collect();
    match (single, told.as_slice()) {
        (true, [only]) => output.print(only),
        _ => output.print(&json!({ "documents": told })),
    }
    if nothing_meant {
        output.say("no document is meant; nothing was done");
    }
    Ok(ExitCode::SUCCESS)
}

/// What has no body any more is not decided again.
fn tell_pruned(document: &DocumentRow, output: &Output) -> Value {
    let words = document.pruned.as_ref().map(Pruned::in_words).unwrap_or_default();
    let why = format!("it cannot be decided again. {words}");
    output.say(format!("{} {}: {why}", document.kind.as_str(), document.number));
    json!({
        "why": why, "document": document.id, "state": document.state.as_str(), "differences": [],
        "decision": Value::Null, "asked": false, "correction": Value::Null,
    })
}

async fn look(
    store: &Store,
    document: DocumentRow,
    rehearsed: Rehearsed,
    correct: bool,
) -> Result<Seen, Failure> {
    let stands = applied_plan(&document);
    let differences = differences(stands.as_ref(), &rehearsed);
    let correction = match rehearsed.plan() {
        Some(plan) if correct && stands.is_some() => correction(store, &document, plan).await?,
        Some(_) | None => None,
    };
    let correction = correction.filter(|of| of.is_of_what_is_gone() || !differences.is_empty());
    let postings = store.postings_of(&document.id).await?;
    let unfinished =
        document.state == DocumentState::Held || postings.iter().any(is_a_missing_step);
    Ok(Seen { document, rehearsed, differences, unfinished, correction })
}

/// A file or the release that did not come through: what `replay` takes up again. The document
/// itself is made once, and an older change that was refused is not wanted any more.
fn is_a_missing_step(row: &PostingRow) -> bool {
    matches!(row.step, Step::Attach | Step::Release) && !row.state.is_done()
}

impl Seen {
    /// Why nothing is to be done about it. `None`: there is.
    fn why_not(&self, apply: bool) -> Option<&'static str> {
        let stands = self.document.applied_plan.is_some();
        if matches!(
            self.document.state,
            DocumentState::Posting | DocumentState::Ready | DocumentState::Unread
        ) {
            return Some("it is on its way; nothing was done");
        }
        let is_gone = self.correction.as_ref().is_some_and(Correction::is_of_what_is_gone);
        if stands && self.differences.is_empty() && !self.unfinished && !is_gone {
            return Some("it stands in Visma as it would be decided today; nothing was done");
        }
        match &self.correction {
            Some(correction) if correction.credit.is_err() => {
                return Some("nothing was done: correct it in Visma by hand");
            }
            Some(_) if !apply => {
                return Some("nothing was done. Use --correct --apply --reason TEXT to do that");
            }
            Some(_) | None => {}
        }
        if stands && !self.differences.is_empty() && !apply && !is_gone {
            return Some(
                "it stands in Visma otherwise; nothing was done. Use --apply to change it where it is not released, \
                 --correct to see what a correction of a released invoice would do",
            );
        }
        None
    }

    fn correction_text(&self) -> Option<String> {
        let Correction { standing, credit } = self.correction.as_ref()?;
        Some(match credit {
            Err(why) => format!("{standing} cannot be taken back by a credit note: {why}"),
            Ok(None) => format!(
                "{standing} stands in Visma no more, by its lists. Visma is asked once more; then the invoice is posted \
                 anew, under a key of its own"
            ),
            Ok(Some(credit)) => format!(
                "{standing} is released. A credit note of {}, dated {} in the period {}, takes it back{}; when that \
                 is released, the invoice is posted anew as above. Applying the credit note to {standing} is for \
                 a person in Visma",
                credit.gross,
                credit.document_on,
                credit.period,
                match credit.mode {
                    PostingMode::Released => " and is released",
                    PostingMode::Hold | PostingMode::Balanced => ", for a person to release",
                },
            ),
        })
    }

    fn json(&self, apply: bool) -> Value {
        json!({
            "why": self.why_not(apply),
            "document": self.document.id, "state": self.document.state.as_str(),
            "differences": self.differences, "decision": self.rehearsed.decision, "asked": false,
            "correction": self.correction.as_ref().map(|of| json!({
                "takes_back": of.standing, "credit_note": of.credit.as_ref().ok(),
                "why_not": of.credit.as_ref().err(),
            })),
        })
    }
}

/// What the decision of today would change, member by member.
fn differences(stands: Option<&Plan>, rehearsed: &Rehearsed) -> Vec<String> {
    match (stands, rehearsed.plan()) {
        (_, None) => vec![format!("today it would not be posted: {}", rehearsed.outcome())],
        (None, Some(_)) => vec!["it does not stand in Visma yet; it would be posted".into()],
        (Some(old), Some(new)) => plan_differences(old, new),
    }
}

/// `state=held,code=price_over,since=2026-10-01`.
fn selection(text: &str) -> Result<Selection, String> {
    let mut selection = Selection::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` is no condition: write key=value"))?;
        let value = value.trim().to_owned();
        match key.trim() {
            "state" => selection.states.push(
                DocumentState::parse(&value).ok_or_else(|| format!("`{value}` is no state"))?,
            ),
            "kind" => {
                let kind = DocumentKind::parse(&value);
                selection.kind = Some(kind.ok_or_else(|| {
                    format!(
                        "`{value}` is no kind; there are: purchase_order, supplier_invoice, credit_note"
                    )
                })?);
            }
            "code" => selection.code = Some(value),
            "supplier" => selection.supplier = Some(value),
            "connection" => selection.connection = Some(value),
            "since" => {
                value
                    .parse::<jiff::civil::Date>()
                    .map_err(|_| format!("since={value}: write a day as 2026-10-01"))?;
                selection.since = Some(value);
            }
            "month" => selection.month = Some(super::rehearse::month(&value)?),
            key => {
                return Err(format!(
                    "`{key}` is no condition; there are: state, code, since, month, supplier, kind, connection"
                ));
            }
        }
    }
    // Replaying posts what is missing: everything at once must be said, not left out.
    if selection == Selection::default() {
        return Err("the filter is empty: say at least one condition, e.g. state=held".into());
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_says_what_it_does_not_understand() {
        let all = selection(
            "state=held, code=price_over,since=2026-10-01,supplier=50012,kind=credit_note,connection=no",
        )
        .expect("a filter");
        assert_eq!(all.states, [DocumentState::Held]);
        assert_eq!(all.kind, Some(DocumentKind::CreditNote));
        assert_eq!(all.supplier.as_deref(), Some("50012"));
        for wrong in [
            "",
            " , ",
            "held",
            "state=lost",
            "kind=bill",
            "since=yesterday",
            "month=2026-13",
            "colour=red",
        ] {
            assert!(selection(wrong).is_err(), "{wrong}");
        }
    }
}
