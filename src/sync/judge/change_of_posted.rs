//! What a decision asks of a document that stands in Visma: an update, a cancellation, the steps
//! that are missing, and the withdrawal of writes that nobody wants any more.

use super::Judged;
use super::gone::is_at_rest;
use super::planned::plan_supplier;
use crate::audit::hash_text;
use crate::decide::Hold;
use crate::procurement::{DocumentKind, ErpOrder, InvoicePlan, Plan, PostingMode};
use crate::store::{Change, DocumentState, PostingRow, PostingState, Step};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::index::doubled_alone;
use crate::sync::post::{CORRECTION, next_attachment, step_entry, transition};
use crate::sync::posting::{Event, step};
use serde_json::json;

impl Engine {
    /// Whether the postings are history now.
    pub(super) async fn cancel(
        &self,
        judged: &Judged<'_>,
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let document = judged.document;
        let create = postings.iter().find(|row| row.step == Step::Create);
        match create {
            Some(row) if row.state.is_done() => match document.kind {
                DocumentKind::PurchaseOrder => {
                    let key = judged.revision.n.to_string();
                    match postings.iter().find(|of| of.step == Step::Cancel && of.step_key == key) {
                        Some(cancel) if cancel.state.is_done() => {
                            change.drop_claims(&document.id);
                            judged.to(DocumentState::Cancelled, "cancelled", json!({}), at, change);
                        }
                        Some(cancel) => {
                            try_again(judged, cancel, at, change)?;
                            judged.to(
                                DocumentState::Posting,
                                "cancel_planned",
                                json!({}),
                                at,
                                change,
                            );
                        }
                        None => {
                            let plan =
                                document.applied_plan.clone().unwrap_or_else(|| row.plan.clone());
                            let posting = self.new_posting(judged, Step::Cancel, &key, plan, at);
                            judged.to(
                                DocumentState::Posting,
                                "cancel_planned",
                                json!({}),
                                at,
                                change,
                            );
                            change.insert_posting(&posting);
                        }
                    }
                }
                DocumentKind::SupplierInvoice | DocumentKind::CreditNote => {
                    if is_at_rest(postings)
                        && let Some(gone) = self.gone_or_credited(judged, row).await?
                    {
                        gone.begin_anew(&judged.connection.company.id, document, change);
                        change.drop_claims(&document.id);
                        change.set_attention(&document.id, None);
                        let detail = json!({ "stood": gone.name(), "how": gone.how });
                        judged.to(DocumentState::Cancelled, "cancelled", detail, at, change);
                        return Ok(true);
                    }
                    let number = document.visma_number.as_deref().unwrap_or("?");
                    let why = "an invoice is taken back by a credit note or by voiding it";
                    judged.hold(&[Hold::not_cancellable(number, why)], at, change);
                }
            },
            // It may stand in Visma: that is settled first.
            Some(row) if row.state == PostingState::Held => {
                try_again(judged, row, at, change)?;
                judged.to(DocumentState::Posting, "settling_before_cancel", json!({}), at, change);
            }
            Some(row) if row.state.is_open() && row.state != PostingState::Planned => {
                judged.to(DocumentState::Posting, "settling_before_cancel", json!({}), at, change);
            }
            // Never sent, or proven absent, or refused.
            Some(_) | None => {
                change.drop_claims(&document.id);
                // Taken back, it is to be nothing more.
                change.clear_attention(&document.id, CORRECTION);
                judged.to(DocumentState::Cancelled, "cancelled", json!({}), at, change);
            }
        }
        Ok(false)
    }

    /// The document stands in Visma; the new decision may ask for a change of it.
    pub(super) async fn plan_update(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        text: String,
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let document = judged.document;
        let create = postings.iter().find(|row| row.step == Step::Create);
        let applied = document
            .applied_plan
            .clone()
            .or_else(|| create.map(|row| row.plan.clone()))
            .unwrap_or_default();
        // A change that may have been made is settled before anything is decided on top of it.
        let given_up: Vec<&PostingRow> = postings
            .iter()
            .filter(|row| row.state == PostingState::Held && row.step != Step::Attach)
            .collect();
        if !given_up.is_empty() {
            for row in given_up {
                try_again(judged, row, at, change)?;
            }
            withdraw(judged, postings, None, at, change)?;
            judged.to(DocumentState::Posting, "settling_first", json!({}), at, change);
            return Ok(());
        }
        if let Some(status) = self.still_cancelled(judged, postings).await? {
            let number = document.visma_number.clone().unwrap_or_default();
            withdraw(judged, postings, None, at, change)?;
            judged.hold(&[Hold::changed_after_posting(&number, &status)], at, change);
            return Ok(());
        }
        if let (Plan::Invoice(_), Some(create)) = (plan, create) {
            let was_cancelled =
                self.store.last_outcome(&document.id).await?.as_deref() == Some("cancel");
            let was_refused = postings.iter().any(|row| row.state == PostingState::Refused);
            let is_asked = was_cancelled || was_refused || document.correction_asked;
            if let Some(gone) = self.gone(judged, create, is_asked).await? {
                if self.corrected_by_hand(judged, true, at, change).await? {
                    return Ok(());
                }
                // JAGGAER took it back and wants it again, or a person does.
                if (was_cancelled || document.correction_asked) && is_at_rest(postings) {
                    gone.begin_anew(&judged.connection.company.id, document, change);
                    change.set_attention(&document.id, None);
                    let detail = json!({ "stood": gone.name(), "how": gone.how });
                    judged.to(DocumentState::Ready, "stands_no_more", detail, at, change);
                    return Ok(());
                }
                gone.forget(&judged.connection.company.id, change);
                judged.hold(&[Hold::gone_from_visma(&gone.name(), gone.how)], at, change);
                return withdraw(judged, postings, None, at, change);
            }
        }
        if same_plan(&applied, plan) {
            withdraw(judged, postings, None, at, change)?;
            let later_steps: Vec<&PostingRow> = postings
                .iter()
                .filter(|row| matches!(row.step, Step::Attach | Step::Release))
                .collect();
            // An older update that was refused is history: its content is not wanted any more.
            let unfinished = document.applied_plan.is_none()
                || later_steps.iter().any(|row| !row.state.is_done())
                || is_missing_steps(plan, create, &later_steps);
            if unfinished {
                // A later step was refused or given up: it is tried again, the settling first.
                for row in later_steps {
                    if row.step == Step::Attach && !row.state.is_done() {
                        try_again(judged, row, at, change)?;
                    }
                }
                let row =
                    create.map(|row| (row.visma_type.as_deref(), row.visma_number.as_deref()));
                let (kind, number) = row.unwrap_or_default();
                change.set_applied(
                    &document.id,
                    judged.revision.n,
                    &text,
                    document.visma_type.as_deref().or(kind).unwrap_or(""),
                    document.visma_number.as_deref().or(number).unwrap_or(""),
                );
                judged.to(DocumentState::Posting, "goes_on", json!({}), at, change);
            } else {
                change.set_attention(&document.id, doubled_alone(document));
                let (kind, number) =
                    (document.visma_type.as_deref(), document.visma_number.as_deref());
                change.set_applied(
                    &document.id,
                    judged.revision.n,
                    &text,
                    kind.unwrap_or(""),
                    number.unwrap_or(""),
                );
                judged.to(DocumentState::Posted, "unchanged", json!({}), at, change);
            }
            return Ok(());
        }
        let number = document
            .visma_number
            .clone()
            .or_else(|| create.and_then(|row| row.visma_number.clone()))
            .unwrap_or_default();
        let company = &judged.connection.company.id;
        let frozen = match plan {
            Plan::Order(_) => self
                .store
                .erp_order(company, &number)
                .await?
                .and_then(|order| (!order.is_open_for_change()).then_some(order.status)),
            Plan::Invoice(_) => {
                let kind = document
                    .visma_type
                    .clone()
                    .or_else(|| create.and_then(|row| row.visma_type.clone()))
                    .unwrap_or_default();
                self.store
                    .erp_invoice(company, &kind, &number)
                    .await?
                    .and_then(|invoice| (!invoice.is_draft()).then_some(invoice.status))
            }
        };
        let supplier_changed = serde_json::from_str::<Plan>(&applied)
            .is_ok_and(|applied| plan_supplier(&applied) != plan_supplier(plan));
        if frozen.is_some() && document.correction_asked {
            return self.take_back(judged, (&applied, plan), postings, at, change).await;
        }
        if let Some(status) = frozen {
            if self.corrected_by_hand(judged, false, at, change).await? {
                return Ok(());
            }
            judged.hold(&[Hold::changed_after_posting(&number, &status)], at, change);
            return withdraw(judged, postings, None, at, change);
        }
        if supplier_changed {
            judged.hold(
                &[Hold::changed_after_posting(&number, "for another supplier")],
                at,
                change,
            );
            return Ok(());
        }
        if !self.claim(judged, plan, at, change).await? {
            return withdraw(judged, postings, None, at, change);
        }
        // Other rules may ask for another content of a revision that was carried out already.
        let is_done = |key: &str| {
            let of_key = |row: &&PostingRow| row.step == Step::Update && row.step_key == key;
            postings.iter().find(of_key).is_some_and(|row| row.state.is_done())
        };
        let mut key = judged.revision.n.to_string();
        for again in 2.. {
            if !is_done(&key) {
                break;
            }
            key = format!("{}/{again}", judged.revision.n);
        }
        withdraw(judged, postings, Some(&key), at, change)?;
        match postings.iter().find(|row| row.step == Step::Update && row.step_key == key) {
            Some(row) => {
                let event = Event::Replan {
                    plan_hash: hash_text(&text),
                    plan: text,
                    revision: judged.revision.n,
                };
                let mut next = transition(row, event, at)?;
                if row.state == PostingState::Refused {
                    next.attempts = 0;
                }
                change.move_posting(row.state, row.epoch, &next);
            }
            None => {
                let mut posting = self.new_posting(judged, Step::Update, &key, text, at);
                posting.visma_number = Some(number);
                posting.visma_type = document
                    .visma_type
                    .clone()
                    .or_else(|| create.and_then(|row| row.visma_type.clone()));
                change.insert_posting(&posting);
            }
        }
        judged.to(
            DocumentState::Posting,
            "update_planned",
            json!({ "revision": judged.revision.n }),
            at,
            change,
        );
        Ok(())
    }

    /// An order that we cancelled and JAGGAER wants back: closed lines cannot be opened by us.
    async fn still_cancelled(
        &self,
        judged: &Judged<'_>,
        postings: &[PostingRow],
    ) -> Result<Option<String>, SyncError> {
        let applied = judged.document.applied_revision.unwrap_or(0);
        let cancel = postings
            .iter()
            .filter(|row| row.step == Step::Cancel && row.state.is_done())
            .find(|row| row.revision > applied);
        let Some(cancel) = cancel else { return Ok(None) };
        let company = &judged.connection.company.id;
        let number = judged.document.visma_number.as_deref().unwrap_or("");
        let order = self.store.erp_order(company, number).await?;
        let closed =
            cancel.state == PostingState::Done || order.as_ref().is_none_or(ErpOrder::is_over);
        Ok(closed.then(|| "cancelled, with its lines closed,".to_owned()))
    }
}

/// A step that was refused or given up is tried again; what may have been done is settled first.
pub(super) fn try_again(
    judged: &Judged<'_>,
    row: &PostingRow,
    at: i64,
    change: &mut Change,
) -> Result<(), SyncError> {
    let Ok(next) = step(row, Event::Retry { now: at }, at) else { return Ok(()) };
    change.move_posting(row.state, row.epoch, &next);
    change.log(step_entry(judged.connection, row, &next, at));
    Ok(())
}

/// Writes that have not left and that nobody wants any more, but for the change `wanted`.
pub(super) fn withdraw(
    judged: &Judged<'_>,
    postings: &[PostingRow],
    wanted: Option<&str>,
    at: i64,
    change: &mut Change,
) -> Result<(), SyncError> {
    for row in postings.iter().filter(|row| row.state == PostingState::Planned) {
        let is_change = matches!(row.step, Step::Update | Step::Cancel);
        let is_wanted = is_change && Some(row.step_key.as_str()) == wanted;
        if row.step == Step::Attach || is_wanted {
            continue;
        }
        let reason = format!("withdrawn: revision {} came before it was sent", judged.revision.n);
        let next = transition(row, Event::Refused { reason }, at)?;
        change.move_posting(row.state, row.epoch, &next);
        change.log(step_entry(judged.connection, row, &next, at));
    }
    Ok(())
}

/// Files or the release of a document that we made, asked for and not begun.
fn is_missing_steps(plan: &Plan, create: Option<&PostingRow>, later_steps: &[&PostingRow]) -> bool {
    let Plan::Invoice(plan) = plan else { return false };
    // One that a person made stays as that person left it.
    if create.is_none_or(|row| row.attempts == 0) {
        return false;
    }
    let released = later_steps.iter().any(|row| row.step == Step::Release && !row.is_of_credit());
    (plan.mode == PostingMode::Released && !released)
        || next_attachment(plan, later_steps.iter().copied()).is_some()
}

/// Whether the plan that stands asks for the same as the new one. Links and files may have become
/// known since; they are no reason to change what stands.
fn same_plan(applied: &str, plan: &Plan) -> bool {
    let Ok(applied) = serde_json::from_str::<Plan>(applied) else { return false };
    match (applied, plan.clone()) {
        (Plan::Order(a), Plan::Order(b)) => a == b,
        (Plan::Invoice(a), Plan::Invoice(b)) => without_links(a) == without_links(b),
        (Plan::Order(_), Plan::Invoice(_)) | (Plan::Invoice(_), Plan::Order(_)) => false,
    }
}

fn without_links(mut plan: InvoicePlan) -> InvoicePlan {
    for line in &mut plan.lines {
        line.link = None;
    }
    plan.attachments.clear();
    plan
}
