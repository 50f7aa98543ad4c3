//! Settling what is uncertain: by asking Visma, never by sending again blindly.

use super::engine::{Company, Connection, Engine};
use super::error::SyncError;
use super::post::{done_event, hold_document, leave_unreleased, read_plan, step_entry, transition};
use super::posting::Event;
use super::{CrashPoint, index};
use crate::clock;
use crate::decide::Hold;
use crate::matching::claim_key;
use crate::procurement::{AttachmentRef, DocumentKind, Plan};
use crate::store::{Change, DocumentRow, PostingRow, PostingState, Step};
use crate::visma::{self, Outcome};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What Visma shows of an uncertain write.
enum Found {
    /// It is there, once.
    Done { number: Option<String>, etag: Option<String> },
    /// It is not there.
    Absent,
    /// It is there more than once: type and number of each.
    Doubled(Vec<String>),
    /// It is there in a way that a person must judge.
    Unclear(String),
}

impl Engine {
    /// What an earlier process of this unit had sent without writing the answer down.
    pub async fn recover(&self) -> Result<u64, SyncError> {
        let mut recovered = 0;
        for company in self.companies() {
            for row in self.store.postings_in(&company.id, PostingState::Intended).await? {
                if row.epoch == self.owned().epoch {
                    continue;
                }
                let Some(document) = self.store.document(&row.document).await? else { continue };
                let Some(connection) = self.connection(&document.connection) else { continue };
                let now = clock::now();
                let reason = "the process ended before the answer was written down".to_owned();
                let mut next = transition(&row, Event::Lost { reason, next_at: now }, now)?;
                self.settle_later(&mut next, now);
                let mut change = Change::new();
                change.move_posting(row.state, row.epoch, &next);
                change.log(step_entry(connection, &row, &next, now));
                self.commit(change).await?;
                recovered += 1;
                CrashPoint::RecoveredIntended.pass();
            }
        }
        Ok(recovered)
    }

    /// A write waits for its turn after its intent, so the time after which its absence means
    /// something is counted from when its answer was given up.
    pub fn settle_later(&self, next: &mut PostingRow, now: i64) {
        if next.state == PostingState::Uncertain {
            next.settle_after = next.settle_after.max(Some(now + self.pace.settle_after));
        }
    }

    /// Looks at background jobs that are due. Returns how many ended.
    pub async fn look_at_jobs(&self, company: &Arc<Company>) -> Result<u64, SyncError> {
        let mut ended = 0;
        for row in self.store.postings_in(&company.id, PostingState::Accepted).await? {
            self.check()?;
            let now = clock::now();
            if row.next_at > now {
                continue;
            }
            let Some((document, connection)) = self.whereabouts(&row).await? else { continue };
            let job = row.job.clone().unwrap_or_default();
            let outcome = match company.client.background_outcome(&job).await {
                answer @ (Ok(Outcome::Accepted { .. }) | Err(_)) => {
                    // A question that cannot be put must not keep the job open for ever, nor
                    // keep other documents from their turn.
                    if let Err(error) = answer {
                        tracing::warn!(document = document.id, %error, "a background job could not be asked for");
                    }
                    let spent = row.intent_at.is_some_and(|at| now - at > self.pace.background);
                    let event = if spent {
                        Event::Lost {
                            reason: format!("the job {job} did not end in time"),
                            next_at: now,
                        }
                    } else {
                        Event::StillRunning { next_at: now + clock::micros(Duration::from_secs(1)) }
                    };
                    let mut next = transition(&row, event, now)?;
                    self.settle_later(&mut next, now);
                    let mut change = Change::new();
                    change.move_posting(row.state, row.epoch, &next);
                    if spent {
                        change.log(step_entry(&connection, &row, &next, now));
                    }
                    self.commit(change).await?;
                    continue;
                }
                Ok(outcome) => outcome,
            };
            self.outcome(company, &connection, &row, &document, outcome).await?;
            ended += 1;
        }
        Ok(ended)
    }

    /// Settles what is uncertain of these kinds, whose lists were read whole from `read_at` on.
    pub async fn settle(
        &self,
        company: &Arc<Company>,
        read_at: i64,
        kinds: &[DocumentKind],
    ) -> Result<u64, SyncError> {
        let mut settled = 0;
        for row in self.store.postings_in(&company.id, PostingState::Uncertain).await? {
            self.check()?;
            let Some((document, connection)) = self.whereabouts(&row).await? else { continue };
            if !kinds.contains(&document.kind) {
                continue;
            }
            let found = match row.step {
                Step::Create | Step::TakeBack => self.find_created(company, &row, &document).await,
                Step::Update | Step::Cancel | Step::Attach | Step::Release => {
                    self.find_changed(company, &row, &document).await
                }
            };
            let found = match found {
                Ok(found) => found,
                Err(SyncError::Visma(visma::Error::NotFound { .. })) => {
                    Found::Unclear("the document is not in Visma any more".into())
                }
                // It stays uncertain; the others are settled all the same.
                Err(SyncError::Visma(error)) => {
                    tracing::warn!(document = document.id, %error, "Visma could not be asked about a write");
                    continue;
                }
                Err(error) => return Err(error),
            };
            CrashPoint::SettleFound.pass();
            let now = clock::now();
            let mut change = Change::new();
            let is_absent = matches!(found, Found::Absent);
            let doubled = match &found {
                Found::Doubled(names) => Some(Hold::doubled_in_visma(names)),
                Found::Done { .. } | Found::Absent | Found::Unclear(_) => None,
            };
            let event = match found {
                Found::Done { number, etag } => done_event(&row, number.as_deref(), etag),
                Found::Absent => {
                    Event::Absent { now: read_at, attempts_allowed: self.pace.attempts }
                }
                Found::Doubled(names) => Event::GiveUp {
                    reason: format!("it stands in Visma more than once: {}", names.join(", ")),
                },
                Found::Unclear(reason) => Event::GiveUp { reason },
            };
            let next = transition(&row, event, now)?;
            if next == row {
                continue;
            }
            change.move_posting(row.state, row.epoch, &next);
            let mut log = step_entry(&connection, &row, &next, now);
            log.detail = json!({
                "step": row.step.as_str(), "our_key": row.our_key, "absent_reads": next.absent,
                "visma_number": next.visma_number, "error": next.error,
            })
            .to_string();
            change.log(log);
            if next.state == PostingState::Held && is_absent && row.step == Step::Release {
                let message = next.error.as_deref().unwrap_or("no answer");
                leave_unreleased(&connection, &document, &next, message, &mut change);
            } else if next.state == PostingState::Held {
                let unsettled = || Hold::unsettled(next.error.as_deref().unwrap_or("no answer"));
                if doubled.is_some() {
                    // The hold says it from now on.
                    change.set_attention(&document.id, index::asked_beside(&document));
                }
                let hold = doubled.unwrap_or_else(unsettled);
                hold_document(&connection, &document, &hold, now, &mut change);
            }
            if next.state != PostingState::Uncertain {
                settled += 1;
            }
            self.after(company, &connection, next, &document, change).await?;
            CrashPoint::SettleKept.pass();
        }
        Ok(settled)
    }

    async fn whereabouts(
        &self,
        row: &PostingRow,
    ) -> Result<Option<(DocumentRow, Arc<Connection>)>, SyncError> {
        let Some(document) = self.store.document(&row.document).await? else { return Ok(None) };
        let connection = self.connection(&document.connection).cloned();
        Ok(connection.map(|connection| (document, connection)))
    }

    /// By our key in the index; failing that, by what identifies the document to a person.
    async fn find_created(
        &self,
        company: &Company,
        row: &PostingRow,
        document: &DocumentRow,
    ) -> Result<Found, SyncError> {
        let plan = read_plan(&row.plan)?;
        let list = match &plan {
            Plan::Order(_) => index::ORDERS,
            Plan::Invoice(_) => index::INVOICES,
        };
        if let Some(key) = company.unreadable_with(list, &row.our_key) {
            return Ok(Found::Unclear(format!("{key} carries our key, but cannot be read")));
        }
        Ok(match plan {
            Plan::Order(plan) => {
                let live: Vec<_> = self
                    .store
                    .erp_orders_by_our_key(&company.id, &row.our_key)
                    .await?
                    .into_iter()
                    .filter(|order| order.is_live())
                    .collect();
                match live.as_slice() {
                    [one] => Found::Done { number: Some(one.number.clone()), etag: None },
                    [] => {
                        let foreign = self
                            .store
                            .erp_orders_by_reference(&company.id, &plan.number)
                            .await?
                            .into_iter()
                            .filter(|order| {
                                order.supplier == plan.supplier
                                    && order.our_key.is_none()
                                    && order.is_live()
                            });
                        let mut unmarked = None;
                        for order in foreign {
                            // Lists may leave our key out; the document itself does not.
                            let (fresh, etag) = company.client.order(&order.number).await?;
                            if fresh.our_key.as_deref() == Some(row.our_key.as_str()) {
                                return Ok(Found::Done { number: Some(fresh.number), etag });
                            }
                            unmarked.get_or_insert(order.number);
                        }
                        match unmarked {
                            Some(number) => Found::Unclear(unclear(&number, &document.number)),
                            None => Found::Absent,
                        }
                    }
                    several => Found::Doubled(
                        several.iter().map(|of| format!("Purchase order {}", of.number)).collect(),
                    ),
                }
            }
            Plan::Invoice(plan) => {
                let live: Vec<_> = self
                    .store
                    .erp_invoices_by_our_key(&company.id, &row.our_key)
                    .await?
                    .into_iter()
                    .filter(|invoice| invoice.is_live())
                    .collect();
                match live.as_slice() {
                    [one] => Found::Done { number: Some(one.number.clone()), etag: None },
                    [] => {
                        let foreign = self
                            .store
                            .erp_invoices_by_reference(
                                &company.id,
                                &claim_key(&plan.supplier_reference),
                            )
                            .await?
                            .into_iter()
                            .filter(|invoice| {
                                invoice.supplier == plan.supplier
                                    && invoice.kind == Some(plan.kind)
                                    && invoice.gross == plan.gross
                                    && invoice.our_key.is_none()
                                    && invoice.is_live()
                            });
                        let mut unmarked = None;
                        for invoice in foreign {
                            let (fresh, etag) = company
                                .client
                                .invoice(&invoice.document_type, &invoice.number)
                                .await?;
                            if fresh.our_key.as_deref() == Some(row.our_key.as_str()) {
                                return Ok(Found::Done { number: Some(fresh.number), etag });
                            }
                            unmarked.get_or_insert(invoice.number);
                        }
                        match unmarked {
                            Some(number) => Found::Unclear(unclear(&number, &document.number)),
                            None => Found::Absent,
                        }
                    }
                    several => Found::Doubled(
                        several
                            .iter()
                            .map(|of| format!("{} {}", of.document_type, of.number))
                            .collect(),
                    ),
                }
            }
        })
    }

    /// A change of a document that exists: the document itself tells.
    async fn find_changed(
        &self,
        company: &Company,
        row: &PostingRow,
        document: &DocumentRow,
    ) -> Result<Found, SyncError> {
        let number = row.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("");
        let kind = row.visma_type.as_deref().or(document.visma_type.as_deref()).unwrap_or("");
        let answer = |done: bool, etag: Option<String>| {
            if done { Found::Done { number: None, etag } } else { Found::Absent }
        };
        let is_order = document.kind == DocumentKind::PurchaseOrder;
        let sent_for = row.body.as_deref().and_then(version_sent_for);
        // The very version that the change was made for: it was not made, whatever the members
        // that are compared look like.
        let untouched = |version: Option<&str>| matches!((version, sent_for.as_deref()), (Some(is), Some(was)) if unquoted(is) == unquoted(was));
        if is_order {
            let (order, etag) = company.client.order(number).await?;
            if untouched(order.version.as_deref()) {
                return Ok(Found::Absent);
            }
            return Ok(match row.step {
                Step::Cancel => answer(order.is_over(), etag),
                Step::Create | Step::Update | Step::Attach | Step::Release | Step::TakeBack => {
                    match read_plan(&row.plan)? {
                        Plan::Order(plan) => {
                            answer(visma::order_matches(&plan, &order).is_empty(), etag)
                        }
                        Plan::Invoice(_) => Found::Unclear("the plan is not an order's".into()),
                    }
                }
            });
        }
        let (invoice, etag) = company.client.invoice(kind, number).await?;
        if untouched(invoice.version.as_deref()) {
            return Ok(Found::Absent);
        }
        Ok(match row.step {
            Step::Release => answer(!invoice.is_draft(), etag),
            Step::Attach => {
                let attachment: Option<AttachmentRef> = serde_json::from_str(&row.plan).ok();
                let name =
                    row.body.as_deref().and_then(attached_name).or(attachment.map(|a| a.file_name));
                answer(name.is_some_and(|name| invoice.attachments.contains(&name)), etag)
            }
            Step::Create | Step::Update | Step::Cancel | Step::TakeBack => {
                match read_plan(&row.plan)? {
                    Plan::Invoice(plan) => {
                        answer(visma::invoice_matches(&plan, &invoice).is_empty(), etag)
                    }
                    Plan::Order(_) => Found::Unclear("the plan is not an invoice's".into()),
                }
            }
        })
    }
}

/// The version that a change was made for.
fn version_sent_for(body: &str) -> Option<String> {
    serde_json::from_str::<visma::Request>(body).ok()?.if_match
}

fn unquoted(version: &str) -> &str {
    version.trim().trim_start_matches("W/").trim_matches('"')
}

/// The file name as it was sent: the one asked for may have been made safe.
fn attached_name(body: &str) -> Option<String> {
    match serde_json::from_str::<visma::Request>(body).ok()?.body {
        visma::Body::File { file_name, .. } => Some(file_name),
        visma::Body::Json(_) | visma::Body::Empty => None,
    }
}

fn unclear(number: &str, ours: &str) -> String {
    format!("{number} in Visma looks like {ours}, but does not carry our key")
}
