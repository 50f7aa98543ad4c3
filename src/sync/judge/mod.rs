//! One document from ready to its decision, and the decision into the store.

use super::engine::{Connection, Engine, KnownReference, entry};
use super::error::SyncError;
use super::gather::{Gatherer, read_document};
use super::posting::{Event, step};
use super::{CrashPoint, ids};
use crate::audit::hash_text;
use crate::clock;
use crate::decide::{self, Decision, History, Hold, Inputs, Wait, WaitFor};
use crate::matching::claim_key;
use crate::procurement::{Document, DocumentKind, InvoicePlan, Plan, PostingMode, Ripeness};
use crate::store::{
    Change, CommitError, DocumentRow, DocumentState, PostingRow, PostingState, RevisionRow, Step,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Documents judged and committed at a time.
const TOGETHER: usize = 64;

/// A decision with what it was made from.
struct Judged<'a> {
    connection: &'a Connection,
    reference: &'a KnownReference,
    document: &'a DocumentRow,
    revision: RevisionRow,
    history: History,
    decision: Decision,
}

impl Engine {
    /// Judges everything of one kind that is ready or waiting. Returns how many documents moved.
    pub async fn judge(
        &self,
        connection: &Arc<Connection>,
        kinds: &[DocumentKind],
    ) -> Result<u64, SyncError> {
        let Some(reference) = connection.company.reference() else {
            return Err(SyncError::Inner(
                "the reference data of the company is not read yet".into(),
            ));
        };
        let vendors = connection.vendors();
        let mut moved = 0;
        for kind in kinds {
            for state in [DocumentState::Ready, DocumentState::Waiting] {
                let documents = self.store.documents_to_work(&connection.id, *kind, state).await?;
                for chunk in documents.chunks(TOGETHER) {
                    self.check()?;
                    let mut changes = Vec::new();
                    for document in chunk {
                        let change = async {
                            let judged =
                                self.judge_one(connection, &reference, &vendors, document).await?;
                            CrashPoint::DecisionMade.pass();
                            self.carry_out(&judged).await
                        };
                        match change.await {
                            Ok(Some(change)) => changes.push((document, self.commit(change))),
                            Ok(None) => {}
                            Err(error) if error.concerns_one_document() => {
                                tracing::error!(document = document.id, %error, "a document cannot be judged");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    let (documents, commits): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
                    let results = futures_util::future::join_all(commits).await;
                    for (document, result) in documents.into_iter().zip(results) {
                        match result {
                            Ok(()) => moved += 1,
                            Err(SyncError::Commit(CommitError::Guard(_))) => {
                                let again = self
                                    .judge_again(connection, &reference, &vendors, document)
                                    .await;
                                match again {
                                    Ok(()) => moved += 1,
                                    Err(error) if error.concerns_one_document() => {
                                        tracing::error!(document = document.id, %error, "a decision cannot be kept");
                                    }
                                    Err(error) => return Err(error),
                                }
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    CrashPoint::DecisionKept.pass();
                }
            }
        }
        Ok(moved)
    }

    /// A guard stopped the first commit: another document of the same batch claimed the invoice.
    async fn judge_again(
        &self,
        connection: &Arc<Connection>,
        reference: &Arc<KnownReference>,
        vendors: &std::collections::BTreeMap<String, crate::procurement::Vendor>,
        document: &DocumentRow,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&document.id).await? else { return Ok(()) };
        if !matches!(document.state, DocumentState::Ready | DocumentState::Waiting) {
            return Ok(());
        }
        let judged = self.judge_one(connection, reference, vendors, &document).await?;
        if let Some(change) = self.carry_out(&judged).await? {
            self.commit(change).await?;
        }
        Ok(())
    }

    async fn judge_one<'a>(
        &self,
        connection: &'a Arc<Connection>,
        reference: &'a Arc<KnownReference>,
        vendors: &std::collections::BTreeMap<String, crate::procurement::Vendor>,
        document: &'a DocumentRow,
    ) -> Result<Judged<'a>, SyncError> {
        let revision =
            self.store.revision(&document.id, document.latest_revision).await?.ok_or_else(
                || SyncError::Inner(format!("document {} has no revision", document.id)),
            )?;
        let (decision, history) =
            match read_document(&connection.source.profile, document, &revision.raw) {
                Err(holds) => (Decision::Hold(holds), History::default()),
                Ok(content) => {
                    let gatherer = Gatherer {
                        store: &self.store,
                        source: &connection.source.id,
                        company: &connection.company.id,
                    };
                    let history = gatherer.history(document, &content).await?;
                    let inputs = Inputs {
                        rules: &connection.rules,
                        reference: &reference.data,
                        suppliers: &reference.suppliers,
                        vendors,
                        history: &history,
                    };
                    (decide::document(&content, &inputs), history)
                }
            };
        Ok(Judged { connection, reference, document, revision, history, decision })
    }

    /// The decision as a change. `None`: nothing moved (it waits on as before).
    async fn carry_out(&self, judged: &Judged<'_>) -> Result<Option<Change>, SyncError> {
        let postings = self.store.postings_of(&judged.document.id).await?;
        let create = postings.iter().find(|row| row.step == Step::Create);
        let in_visma = create.is_some_and(|row| row.state.is_done());
        let mut change = Change::new();
        let at = clock::now();
        match &judged.decision {
            Decision::Wait(waits) => {
                if !self.wait(judged, waits, at, &mut change) {
                    return Ok(None);
                }
            }
            Decision::NotRipe if in_visma => {
                let text = "moved_back_in_jaggaer: it is not approved there any more, but it stands in Visma";
                change.set_attention(&judged.document.id, Some(text));
                judged.to(DocumentState::Posted, "not_ripe_any_more", json!({}), at, &mut change);
            }
            Decision::NotRipe => {
                let waits = [Wait {
                    on: WaitFor::Reference("approval".into()),
                    text: "It is not approved in JAGGAER yet; it is judged when it is.".into(),
                }];
                if !self.wait(judged, &waits, at, &mut change) {
                    return Ok(None);
                }
            }
            Decision::Ignore(reason) => {
                judged.to(
                    DocumentState::Ignored,
                    "ignored",
                    json!({ "reason": reason }),
                    at,
                    &mut change,
                );
            }
            // JAGGAER moves a posted document on (in process, paid): that is no change of it.
            Decision::Hold(_) if in_visma && self.only_the_status_moved(judged).await? => {
                judged.to(DocumentState::Posted, "status_moved", json!({}), at, &mut change);
            }
            Decision::Hold(holds) => judged.hold(holds, at, &mut change),
            Decision::Cancel => self.cancel(judged, &postings, at, &mut change)?,
            Decision::Adopt { plan, document_type, number } if create.is_none() => {
                // The decision has compared it with the plan.
                let state = PostingState::Verified;
                self.adopt(judged, plan, (document_type, number), state, at, &mut change).await?;
            }
            // Given up as unsettled: what stands there is taken for the one we sent, so that
            // nothing is sent again.
            Decision::Adopt { plan, document_type, number }
                if create.is_some_and(|row| row.state == PostingState::Held) =>
            {
                let create = create.expect("just looked at");
                if self.claim(judged, plan, at, &mut change).await? {
                    let event = Event::Done {
                        visma_type: Some(document_type.clone()),
                        visma_number: Some(number.clone()),
                        etag: None,
                    };
                    let next = step(create, event, at)
                        .map_err(|error| SyncError::Inner(error.to_string()))?;
                    change.move_posting(create.state, create.epoch, &next);
                    let text = plan_text(plan);
                    let n = judged.revision.n;
                    change.set_applied(&judged.document.id, n, &text, document_type, number);
                    let detail = json!({ "visma_type": document_type, "visma_number": number });
                    judged.to(DocumentState::Posted, "adopted", detail, at, &mut change);
                }
            }
            Decision::Adopt { plan, .. } | Decision::Plan(plan) => {
                self.plan(judged, plan, &postings, at, &mut change).await?;
            }
        }
        match &judged.decision {
            Decision::Plan(_) | Decision::Adopt { .. } => {}
            Decision::Wait(_) | Decision::Hold(_) | Decision::Ignore(_) | Decision::NotRipe => {
                withdraw(judged, &postings, None, at, &mut change)?
            }
            Decision::Cancel => {
                let key = judged.revision.n.to_string();
                withdraw(judged, &postings, Some(&key), at, &mut change)?;
            }
        }
        judged.keep(at, &mut change);
        Ok(Some(change))
    }

    /// The status is one that the profile does not name, and all else is as it stands in Visma.
    /// What would stop the document today does not matter then.
    async fn only_the_status_moved(&self, judged: &Judged<'_>) -> Result<bool, SyncError> {
        let document = judged.document;
        let Some(applied) = document.applied_revision else { return Ok(false) };
        let Some(applied) = self.store.revision(&document.id, applied).await? else {
            return Ok(false);
        };
        let profile = &judged.connection.source.profile;
        let read = |raw: &str| read_document(profile, document, raw).ok();
        let (Some(stands), Some(now)) = (read(&applied.raw), read(&judged.revision.raw)) else {
            return Ok(false);
        };
        Ok(ripeness(&now) == Ripeness::Unknown
            && decide::material(&as_ripe(stands)) == decide::material(&as_ripe(now)))
    }

    fn wait(&self, judged: &Judged<'_>, waits: &[Wait], at: i64, change: &mut Change) -> bool {
        let json = serde_json::to_string(waits).expect("waits are plain data");
        if judged.document.state == DocumentState::Waiting
            && judged.document.waiting.as_deref() == Some(json.as_str())
        {
            return false;
        }
        judged.to(DocumentState::Waiting, "waiting", json!({ "for": waits }), at, change);
        change.set_waiting(&judged.document.id, waits);
        true
    }

    fn cancel(
        &self,
        judged: &Judged<'_>,
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
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
                judged.to(DocumentState::Cancelled, "cancelled", json!({}), at, change);
            }
        }
        Ok(())
    }

    async fn adopt(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        (document_type, number): (&str, &str),
        state: PostingState,
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        if !self.claim(judged, plan, at, change).await? {
            return Ok(());
        }
        let text = plan_text(plan);
        let mut posting = self.new_posting(judged, Step::Create, "", text.clone(), at);
        posting.state = state;
        posting.visma_type = Some(document_type.to_owned());
        posting.visma_number = Some(number.to_owned());
        change.insert_posting(&posting);
        change.set_supplier(&judged.document.id, plan_supplier(plan));
        change.set_applied(&judged.document.id, judged.revision.n, &text, document_type, number);
        let detail = json!({ "visma_type": document_type, "visma_number": number });
        judged.to(DocumentState::Posted, "adopted", detail, at, change);
        Ok(())
    }

    async fn plan(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let document = judged.document;
        let text = plan_text(plan);
        let create = postings.iter().find(|row| row.step == Step::Create);
        let Some(create) = create else {
            if self.adopt_our_own(judged, plan, at, change).await? {
                return Ok(());
            }
            if !self.claim(judged, plan, at, change).await? {
                return Ok(());
            }
            let posting = self.new_posting(judged, Step::Create, "", text, at);
            change.insert_posting(&posting);
            change.set_supplier(&document.id, plan_supplier(plan));
            judged.to(
                DocumentState::Posting,
                "planned",
                json!({ "our_key": posting.our_key }),
                at,
                change,
            );
            return Ok(());
        };
        if create.state.is_done() {
            return self.plan_update(judged, plan, text, postings, at, change).await;
        }
        match create.state {
            PostingState::Planned | PostingState::Refused => {
                if !self.claim(judged, plan, at, change).await? {
                    return withdraw(judged, postings, None, at, change);
                }
                let event = Event::Replan {
                    plan_hash: hash_text(&text),
                    plan: text,
                    revision: judged.revision.n,
                };
                let mut next =
                    step(create, event, at).map_err(|error| SyncError::Inner(error.to_string()))?;
                if create.state == PostingState::Refused {
                    next.attempts = 0;
                }
                change.move_posting(create.state, create.epoch, &next);
                judged.to(
                    DocumentState::Posting,
                    "planned_again",
                    json!({ "our_key": create.our_key }),
                    at,
                    change,
                );
            }
            // It may stand in Visma under an older plan: that is settled first, then judged anew.
            PostingState::Held => {
                let next = step(create, Event::Retry { now: at }, at)
                    .map_err(|error| SyncError::Inner(error.to_string()))?;
                change.move_posting(create.state, create.epoch, &next);
                judged.to(DocumentState::Posting, "settling_again", json!({}), at, change);
            }
            PostingState::Intended | PostingState::Accepted | PostingState::Uncertain => {
                judged.to(DocumentState::Posting, "settling_first", json!({}), at, change);
            }
            PostingState::Done | PostingState::Verified | PostingState::Differs => {}
        }
        Ok(())
    }

    /// Visma may hold a document with our own key although this store knows of no posting: the
    /// store is an older one, restored. It is taken back, not made again.
    async fn adopt_our_own(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let company = &judged.connection.company.id;
        let key = ids::our_key(company, &judged.document.id, Step::Create, "");
        let live: Vec<(String, String)> = match plan {
            Plan::Order(_) => self
                .store
                .erp_orders_by_our_key(company, &key)
                .await?
                .into_iter()
                .filter(|order| !matches!(order.status.as_str(), "Cancelled" | "Voided"))
                .map(|order| (order.order_type, order.number))
                .collect(),
            Plan::Invoice(_) => self
                .store
                .erp_invoices_by_our_key(company, &key)
                .await?
                .into_iter()
                .filter(|invoice| invoice.status != "Voided")
                .map(|invoice| (invoice.document_type, invoice.number))
                .collect(),
        };
        match live.as_slice() {
            [] => Ok(false),
            [(document_type, number)] => {
                // Compared with the next list: an older store may know an older plan.
                let state = PostingState::Done;
                self.adopt(judged, plan, (document_type, number), state, at, change).await?;
                Ok(true)
            }
            several => {
                let numbers: Vec<&str> =
                    several.iter().map(|(_, number)| number.as_str()).collect();
                judged.hold(&[Hold::doubled_in_visma(&numbers.join(", "))], at, change);
                Ok(true)
            }
        }
    }

    /// The document stands in Visma; the new decision may ask for a change of it.
    async fn plan_update(
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
                change.set_attention(&document.id, None);
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
            Plan::Order(_) => self.store.erp_order(company, &number).await?.and_then(|order| {
                matches!(order.status.as_str(), "Closed" | "Cancelled" | "Voided")
                    .then_some(order.status)
            }),
            Plan::Invoice(_) => {
                let kind = document
                    .visma_type
                    .clone()
                    .or_else(|| create.and_then(|row| row.visma_type.clone()))
                    .unwrap_or_default();
                self.store.erp_invoice(company, &kind, &number).await?.and_then(|invoice| {
                    (!matches!(invoice.status.as_str(), "Hold" | "Balanced"))
                        .then_some(invoice.status)
                })
            }
        };
        let supplier_changed = serde_json::from_str::<Plan>(&applied)
            .is_ok_and(|applied| plan_supplier(&applied) != plan_supplier(plan));
        if let Some(status) = frozen {
            judged.hold(&[Hold::changed_after_posting(&number, &status)], at, change);
            return Ok(());
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
                let mut next =
                    step(row, event, at).map_err(|error| SyncError::Inner(error.to_string()))?;
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
        let closed = cancel.state == PostingState::Done
            || order.as_ref().is_none_or(super::index::is_cancelled);
        Ok(closed.then(|| "cancelled, with its lines closed,".to_owned()))
    }

    /// Claims the invoice, or the order's number, for this document. `false`: another has it, and
    /// the change holds this one.
    async fn claim(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let company = &judged.connection.company.id;
        let kind = judged.document.kind.as_str();
        // An order is known by its number in its source: an invoice names it by nothing else.
        let (supplier, reference, year) = match plan {
            Plan::Order(plan) => (judged.connection.source.id.clone(), plan.number.clone(), 0),
            Plan::Invoice(plan) => (
                plan.supplier.clone(),
                claim_key(&plan.supplier_reference),
                i64::from(plan.invoiced_on.year()),
            ),
        };
        let claimant = self.store.claimant(company, &supplier, kind, &reference, year).await?;
        if let Some(other) = claimant.filter(|other| *other != judged.document.id) {
            let other = self.store.document(&other).await?;
            let hold = match plan {
                Plan::Order(plan) => {
                    let other = other.map_or_else(|| "unknown".to_owned(), |other| other.source_id);
                    Hold::duplicate_order(&plan.number, &other)
                }
                Plan::Invoice(plan) => {
                    let other =
                        other.map_or_else(|| "another document".to_owned(), |other| other.number);
                    Hold::duplicate(&plan.supplier_reference, &plan.supplier, &other)
                }
            };
            judged.hold(&[hold], at, change);
            return Ok(false);
        }
        change.drop_claims(&judged.document.id);
        change.claim(company, &supplier, kind, &reference, year, &judged.document.id);
        Ok(true)
    }

    fn new_posting(
        &self,
        judged: &Judged<'_>,
        step: Step,
        step_key: &str,
        plan: String,
        at: i64,
    ) -> PostingRow {
        planned_posting(
            &judged.connection.company.id,
            judged.document,
            step,
            step_key,
            plan,
            judged.revision.n,
            at,
        )
    }
}

/// A step of a document, before anything of it was sent.
pub fn planned_posting(
    company: &str,
    document: &DocumentRow,
    step: Step,
    step_key: &str,
    plan: String,
    revision: i64,
    at: i64,
) -> PostingRow {
    let our_key = ids::our_key(company, &document.id, step, step_key);
    PostingRow {
        id: our_key.clone(),
        company: company.to_owned(),
        document: document.id.clone(),
        step,
        step_key: step_key.to_owned(),
        our_key,
        revision,
        plan_hash: hash_text(&plan),
        plan,
        body: None,
        state: PostingState::Planned,
        attempts: 0,
        absent: 0,
        epoch: 0,
        intent_at: None,
        settle_after: None,
        next_at: at,
        visma_type: document.visma_type.clone(),
        visma_number: document.visma_number.clone(),
        etag: None,
        job: None,
        error: None,
        changed_at: at,
    }
}

impl Judged<'_> {
    /// Moves the document and says so in the trail.
    fn to(&self, to: DocumentState, action: &str, detail: Value, at: i64, change: &mut Change) {
        change.move_document(&self.document.id, self.document.state, to, at);
        let mut log = entry(&self.connection.id, &self.document.id, action, at);
        log.from_state = self.document.state.as_str().into();
        log.to_state = to.as_str().into();
        log.detail = json!({
            "revision": self.revision.n, "rules": self.connection.rules_hash,
            "reference": self.reference.hash, "profile": self.connection.source.profile.version(),
            "detail": detail,
        })
        .to_string();
        change.log(log);
    }

    fn hold(&self, holds: &[Hold], at: i64, change: &mut Change) {
        let codes: Vec<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
        self.to(DocumentState::Held, "held", json!({ "codes": codes }), at, change);
        change.set_holds(&self.document.id, holds, at);
    }

    /// The decision with its inputs, so that it can be explained and made again.
    fn keep(&self, at: i64, change: &mut Change) {
        let (outcome, plan) = match &self.decision {
            Decision::Plan(plan) => ("plan", Some(plan_text(plan))),
            Decision::Adopt { plan, .. } => ("adopt", Some(plan_text(plan))),
            Decision::Wait(_) => ("wait", None),
            Decision::Hold(_) => ("hold", None),
            Decision::Ignore(_) => ("ignore", None),
            Decision::NotRipe => ("not_ripe", None),
            Decision::Cancel => ("cancel", None),
        };
        let hash = plan.as_deref().map(hash_text);
        let history =
            serde_json::to_string(&self.history).expect("history is plain data with text keys");
        change.keep_decision(
            &self.document.id,
            self.revision.n,
            outcome,
            plan.as_deref().zip(hash.as_deref()),
            (
                &self.connection.rules_hash,
                &self.reference.hash,
                self.connection.source.profile.version(),
            ),
            &history,
            at,
        );
    }
}

/// A step that was refused or given up is tried again; what may have been done is settled first.
fn try_again(
    judged: &Judged<'_>,
    row: &PostingRow,
    at: i64,
    change: &mut Change,
) -> Result<(), SyncError> {
    let Ok(next) = step(row, Event::Retry { now: at }, at) else { return Ok(()) };
    change.move_posting(row.state, row.epoch, &next);
    change.log(super::post::step_entry(judged.connection, row, &next, at));
    Ok(())
}

/// Writes that have not left and that nobody wants any more, but for the change `wanted`.
fn withdraw(
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
        let next = step(row, Event::Refused { reason }, at)
            .map_err(|error| SyncError::Inner(error.to_string()))?;
        change.move_posting(row.state, row.epoch, &next);
        change.log(super::post::step_entry(judged.connection, row, &next, at));
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
    let released = later_steps.iter().any(|row| row.step == Step::Release);
    (plan.mode == PostingMode::Released && !released)
        || super::post::next_attachment(plan, later_steps.iter().copied()).is_some()
}

const fn ripeness(document: &Document) -> Ripeness {
    match document {
        Document::Order(order) => order.ripeness,
        Document::Invoice(invoice) => invoice.ripeness,
    }
}

fn as_ripe(mut document: Document) -> Document {
    match &mut document {
        Document::Order(order) => order.ripeness = Ripeness::Ripe,
        Document::Invoice(invoice) => invoice.ripeness = Ripeness::Ripe,
    }
    document
}

pub fn plan_text(plan: &Plan) -> String {
    serde_json::to_string(plan).expect("a plan is plain data")
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

fn plan_supplier(plan: &Plan) -> &str {
    match plan {
        Plan::Order(plan) => &plan.supplier,
        Plan::Invoice(plan) => &plan.supplier,
    }
}
