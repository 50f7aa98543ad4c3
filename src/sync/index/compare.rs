//! What stands in Visma, held against what was planned: as the lists show it, or fetched alone
//! where they do not show it yet.

use crate::procurement::{DocumentKind, ErpInvoice, ErpOrder, Plan};
use crate::store::{Change, DocumentRow, PostingRow, PostingState, Step};
use crate::sync::engine::{Company, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::ids;
use crate::sync::post::{leave_unreleased, step_entry, tell_unreleased, transition};
use crate::sync::posting::{Event, step};
use crate::{clock, visma};
use serde_json::json;
use std::collections::HashMap;

/// A document of ours that Visma has made, with its writes that are not compared yet.
#[derive(Clone)]
pub(super) struct Made {
    document: DocumentRow,
    pub(super) postings: Vec<PostingRow>,
    /// Its row has passed: what is known of it here is of before.
    pub(super) is_compared: bool,
}

impl Made {
    pub(super) fn is_named(&self, number: &str) -> bool {
        self.postings.iter().any(|row| row.visma_number.as_deref() == Some(number))
    }

    fn without(&self, step: Step) -> Self {
        let mut made = self.clone();
        made.postings.retain(|row| row.step != step);
        made
    }
}

impl Engine {
    /// Postings that are done and not yet compared, by the key that stands in Visma.
    pub(super) async fn done_postings(
        &self,
        company: &Company,
    ) -> Result<HashMap<String, Made>, SyncError> {
        let done = self.store.done_postings(&company.id).await?;
        let ids: Vec<&str> = done.iter().map(|row| row.document.as_str()).collect();
        let documents = self.store.documents_by_id(&ids).await?;
        let mut by_key: HashMap<String, Made> = HashMap::new();
        for row in done {
            let Some(document) = documents.get(&row.document) else { continue };
            let step = if row.is_of_credit() { Step::TakeBack } else { Step::Create };
            let key = ids::our_key(&company.id, &row.document, document.corrections, step, "");
            match by_key.get_mut(&key) {
                Some(made) => made.postings.push(row),
                None => {
                    let document = document.clone();
                    let made = Made { document, postings: vec![row], is_compared: false };
                    by_key.insert(key, made);
                }
            }
        }
        for made in by_key.values_mut() {
            let of_credit = made.postings.iter().any(PostingRow::is_of_credit);
            let content = |row: &PostingRow| match row.step {
                Step::Create | Step::Update => !of_credit,
                Step::TakeBack => of_credit,
                Step::Cancel | Step::Attach | Step::Release => false,
            };
            if !made.postings.iter().any(content) {
                let others = self.store.postings_of(&made.document.id).await?;
                made.postings.extend(
                    others
                        .into_iter()
                        .filter(|row| row.state == PostingState::Verified && content(row)),
                );
            }
        }
        Ok(by_key)
    }

    pub(super) async fn compare_invoice(
        &self,
        company: &Company,
        seen: &ErpInvoice,
        made: &Made,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let Some(Plan::Invoice(plan)) = standing_plan(&made.postings) else { return Ok(()) };
        let differences = |invoice: &ErpInvoice| -> Vec<String> {
            visma::invoice_matches(&plan, invoice).iter().map(ToString::to_string).collect()
        };
        let mut found = differences(seen);
        let release = made.postings.iter().find(|row| row.step == Step::Release);
        let mut unreleased = release.filter(|_| seen.is_draft());
        // Visma may say that it released before it has: it gets its time, without a question.
        let waits = |row: &PostingRow| clock::now() < row.changed_at + self.pace.settle_after;
        let is_waited_for = unreleased.is_some_and(waits);
        if !found.is_empty() || (unreleased.is_some() && !is_waited_for) {
            // A list may still show an older version; the document itself decides.
            match company.client.invoice(&seen.document_type, &seen.number).await {
                Ok((fresh, _)) => {
                    found = differences(&fresh);
                    unreleased = unreleased.filter(|_| fresh.is_draft());
                }
                Err(visma::Error::NotFound { .. }) => {
                    found = vec![gone(&seen.number)];
                    unreleased = None;
                }
                Err(error) => {
                    tracing::warn!(number = seen.number, %error, "a document that differs could not be read again");
                    return Ok(());
                }
            }
        }
        let key = (seen.document_type.as_str(), seen.number.as_str());
        let Some(release) = unreleased else {
            judge_comparison(made, key, &found, change);
            return Ok(());
        };
        judge_comparison(&made.without(Step::Release), key, &found, change);
        if !is_waited_for {
            self.tell_undone(made, release, &seen.status, change)?;
        }
        Ok(())
    }

    /// Visma answered that it had released the document, but it is still a draft.
    fn tell_undone(
        &self,
        made: &Made,
        release: &PostingRow,
        status: &str,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let Some(connection) = self.connection(&made.document.connection) else { return Ok(()) };
        let reason = format!("Visma answered that it was done, but its status is still {status}");
        let at = clock::now();
        let next = transition(release, Event::Undone { reason: reason.clone() }, at)?;
        change.advance_posting(release.state, release.epoch, &next);
        change.log(step_entry(connection, release, &next, at));
        if release.is_of_credit() {
            leave_unreleased(connection, &made.document, &next, &reason, change);
        } else {
            tell_unreleased(connection, &made.document, &next, &reason, change);
        }
        Ok(())
    }

    pub(super) async fn compare_order(
        &self,
        company: &Company,
        seen: &ErpOrder,
        made: &Made,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let Some(Plan::Order(plan)) = standing_plan(&made.postings) else { return Ok(()) };
        let cancelled = made.postings.iter().any(|row| row.step == Step::Cancel);
        let differences = |order: &ErpOrder| -> Vec<String> {
            if cancelled {
                return match order.is_over() {
                    true => Vec::new(),
                    false => vec![format!(
                        "it was cancelled, but lines of it are open; status {}",
                        order.status
                    )],
                };
            }
            visma::order_matches(&plan, order).iter().map(ToString::to_string).collect()
        };
        let mut found = differences(seen);
        if !found.is_empty() {
            match company.client.order(&seen.number).await {
                Ok((fresh, _)) => {
                    found = differences(&fresh);
                    change.keep_erp_order(&company.id, &fresh);
                }
                Err(visma::Error::NotFound { .. }) => found = vec![gone(&seen.number)],
                Err(error) => {
                    tracing::warn!(number = seen.number, %error, "an order that differs could not be read again");
                    return Ok(());
                }
            }
        }
        judge_comparison(made, (&seen.order_type, &seen.number), &found, change);
        Ok(())
    }

    /// Fetches one by one what of these kinds the lists did not show yet. Costs calls only where a list
    /// lags.
    pub async fn verify_unseen(
        &self,
        company: &Company,
        kinds: &[DocumentKind],
    ) -> Result<(), SyncError> {
        for made in self.done_postings(company).await?.into_values() {
            self.check_lease()?;
            if !kinds.contains(&made.document.kind) {
                continue;
            }
            let open: Vec<&PostingRow> =
                made.postings.iter().filter(|row| row.state == PostingState::Done).collect();
            let Some(named) = made.postings.iter().find(|row| row.visma_number.is_some()) else {
                continue;
            };
            if open.is_empty() {
                continue;
            }
            let number = named.visma_number.clone().unwrap_or_default();
            let mut change = Change::new();
            let read = match standing_plan(&made.postings) {
                Some(Plan::Order(_)) => match company.client.order(&number).await {
                    Ok((order, _)) => {
                        change.keep_erp_order(&company.id, &order);
                        self.compare_order(company, &order, &made, &mut change).await?;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Some(Plan::Invoice(_)) => {
                    let kind = named.visma_type.clone().unwrap_or_default();
                    match company.client.invoice(&kind, &number).await {
                        Ok((invoice, _)) => {
                            super::keep_invoice(company, &invoice, &mut change);
                            self.compare_invoice(company, &invoice, &made, &mut change).await?;
                            Ok(())
                        }
                        Err(error) => Err(error),
                    }
                }
                None => Ok(()),
            };
            match read {
                Ok(()) => {}
                Err(visma::Error::NotFound { .. }) => {
                    let kind = named.visma_type.clone().unwrap_or_default();
                    let found = [gone(&number)];
                    judge_comparison(&made, (&kind, &number), &found, &mut change);
                }
                Err(error) => {
                    tracing::warn!(number, %error, "a document could not be compared; the next round does it");
                }
            }
            self.commit(change).await?;
        }
        Ok(())
    }
}

/// The newest plan that Visma has carried out.
fn standing_plan(postings: &[PostingRow]) -> Option<Plan> {
    let newest = postings
        .iter()
        .filter(|row| matches!(row.step, Step::Create | Step::Update | Step::TakeBack))
        .max_by_key(|row| (row.revision, row.step == Step::Update))
        .or_else(|| postings.iter().max_by_key(|row| row.revision))?;
    serde_json::from_str(&newest.plan).ok()
}

fn gone(number: &str) -> String {
    format!("{number} is not in Visma any more")
}

/// Writes down what a comparison found. `seen`: type and number under which Visma shows it.
fn judge_comparison(made: &Made, seen: (&str, &str), differences: &[String], change: &mut Change) {
    let at = clock::now();
    let reason = differences.join("; ");
    let document = &made.document;
    for row in &made.postings {
        let settled = row.state == PostingState::Verified && differences.is_empty();
        let known =
            row.state == PostingState::Differs && row.error.as_deref() == Some(reason.as_str());
        if settled || known {
            continue;
        }
        let event = if differences.is_empty() {
            Event::Verified
        } else {
            Event::Differs { reason: reason.clone() }
        };
        let Ok(mut next) = step(row, event, at) else { continue };
        if matches!(row.step, Step::Create | Step::TakeBack)
            && row.visma_number.as_deref() != Some(seen.1)
        {
            // The answer named another number than the one it stands under.
            next.visma_type = Some(seen.0.to_owned());
            next.visma_number = Some(seen.1.to_owned());
            if row.step == Step::Create {
                change.set_visma_number(&document.id, seen.0, seen.1);
            }
        }
        change.advance_posting(row.state, row.epoch, &next);
        let action = if differences.is_empty() { "verified" } else { "differs" };
        let mut log = entry(&document.connection, &document.id, action, at);
        log.from_state = row.state.as_str().into();
        log.to_state = next.state.as_str().into();
        log.detail = json!({
            "step": row.step.as_str(), "number": next.visma_number, "differences": differences,
        })
        .to_string();
        change.log(log);
    }
    let attention = (!differences.is_empty()).then(|| {
        format!("differs_in_visma: {reason}: compare the document in Visma with the paper")
    });
    if attention != document.attention
        && document.attention.as_deref().is_none_or(|text| {
            text.starts_with("differs_in_visma")
                || (attention.is_some() && text.starts_with("correction_open"))
        })
    {
        change.set_attention(&document.id, attention.as_deref());
    }
}
