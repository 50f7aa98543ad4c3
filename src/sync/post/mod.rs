//! Carrying a plan into Visma: intent, write, outcome, next step.

use super::CrashPoint;
use super::engine::{Company, Connection, Engine, entry};
use super::error::SyncError;
use super::judge::planned_posting;
use super::posting::{Event, step};
use crate::audit::hash_text;
use crate::clock;
use crate::decide::Hold;
use crate::procurement::{AttachmentRef, InvoiceKind, InvoicePlan, Plan, PostingMode};
use crate::store::{Change, DocumentRow, DocumentState, PostingRow, PostingState, Step};
use crate::visma::{self, Outcome, Request};
use futures_util::StreamExt;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Postings worked at the same time. More than Visma's client lets through at once, so that
/// commits of some overlap with calls of others.
const AT_ONCE: usize = 16;
/// Seconds until a write that never left is tried again, when Visma does not say.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Seconds between two looks at a background job.
const JOB_LOOK: Duration = Duration::from_secs(1);

/// What a posting's request came to.
enum Prepared {
    Send(Request),
    /// What stands is what is wanted.
    NothingToDo {
        etag: Option<String>,
    },
    /// It was made already, under this number.
    Stands {
        number: String,
    },
    Refuse(Hold),
}

/// What the trail keeps of an intent: the request as it was written once.
#[derive(Serialize)]
struct IntentDetail<'a> {
    attempt: i64,
    our_key: &'a str,
    request: &'a RawValue,
    request_sha256: String,
    step: &'a str,
}

impl Engine {
    /// Sends everything that is planned and due. Returns how many postings got anywhere.
    pub async fn post(&self, company: &Arc<Company>) -> Result<u64, SyncError> {
        let now = clock::now();
        let due: Vec<PostingRow> = self
            .store
            .postings_in(&company.id, PostingState::Planned)
            .await?
            .into_iter()
            .filter(|row| row.next_at <= now)
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        let mut groups: BTreeMap<String, Vec<(PostingRow, DocumentRow)>> = BTreeMap::new();
        let mut worked = 0;
        let ids: Vec<&str> = due.iter().map(|row| row.document.as_str()).collect();
        let documents = self.store.documents_by_id(&ids).await?;
        for row in due {
            let Some(document) = documents.get(&row.document).cloned() else { continue };
            // Held, cancelled or to be judged anew: its posting waits for that. Others are
            // judged at this moment.
            if document.state != DocumentState::Posting {
                continue;
            }
            // In order within one order number, side by side across them.
            let key = document.order_number.clone().unwrap_or_else(|| document.id.clone());
            groups.entry(key).or_default().push((row, document));
            worked += 1;
        }
        if worked == 0 {
            return Ok(0);
        }
        self.progress.begin("post", Some(worked));
        let results: Vec<Result<u64, SyncError>> = futures_util::stream::iter(groups.into_values())
            .map(|group| async move {
                let mut moved = 0;
                for (row, document) in group {
                    self.check()?;
                    match self.post_one(company, row, &document, None).await {
                        Ok(got_on) => moved += u64::from(got_on),
                        // What is behind it in its order waits with it.
                        Err(error) if error.concerns_one_document() => {
                            tracing::error!(document = document.id, %error, "a posting cannot go on");
                            break;
                        }
                        Err(error) => return Err(error),
                    }
                    self.progress.advance("post", 1);
                }
                Ok(moved)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        self.progress.end("post");
        // Every group has finished what it had begun before the first error is told.
        Ok(results.into_iter().collect::<Result<Vec<u64>, _>>()?.into_iter().sum())
    }

    /// One posting: intent, call, outcome. `file`: an attachment's bytes, just fetched. `false`:
    /// it stands where it stood, and waits.
    async fn post_one(
        &self,
        company: &Arc<Company>,
        row: PostingRow,
        document: &DocumentRow,
        file: Option<Vec<u8>>,
    ) -> Result<bool, SyncError> {
        let Some(connection) = self.connection(&document.connection) else { return Ok(false) };
        // A file stays what it is whatever the document says.
        if row.step != Step::Attach && document.latest_revision > row.revision {
            return self.judge_newer(connection, document).await.map(|()| true);
        }
        let prepared = match self.prepare(company, connection, &row, document, file).await {
            Err(SyncError::Visma(visma::Error::NotFound { .. })) => {
                let number = number_of(&row, document);
                Prepared::Refuse(Hold::changed_in_visma(number, "it is not there any more"))
            }
            Err(SyncError::Jaggaer(error)) if !error.is_retryable() => {
                let file = serde_json::from_str::<AttachmentRef>(&row.plan)
                    .map_or_else(|_| "of the document".into(), |attachment| attachment.file_name);
                Prepared::Refuse(Hold::attachment_failed(&file, &error.to_string()))
            }
            Err(error @ (SyncError::Visma(_) | SyncError::Jaggaer(_))) => {
                return self.postpone(&row, &error).await.map(|()| false);
            }
            prepared => prepared?,
        };
        let request = match prepared {
            Prepared::Send(request) => request,
            Prepared::NothingToDo { etag } => {
                return self
                    .nothing_to_do(company, connection, row, document, (None, etag))
                    .await
                    .map(|()| true);
            }
            Prepared::Stands { number } => {
                return self
                    .nothing_to_do(company, connection, row, document, (Some(number), None))
                    .await
                    .map(|()| true);
            }
            Prepared::Refuse(hold) => {
                return self.refuse(connection, &row, document, hold).await.map(|()| true);
            }
        };
        CrashPoint::PostingBeforeIntent.pass();
        let raw = serde_json::value::to_raw_value(&request).expect("a request is plain data");
        let body = raw.get().to_owned();
        let now = clock::now();
        let event = Event::Intend {
            body: body.clone(),
            epoch: self.owned().epoch,
            now,
            settle_after: now + self.pace.settle_after,
        };
        let intended = transition(&row, event, now)?;
        let mut change = Change::new();
        change.move_posting(row.state, row.epoch, &intended);
        let mut log = step_entry(connection, &row, &intended, now);
        let detail = IntentDetail {
            attempt: intended.attempts,
            our_key: &row.our_key,
            request_sha256: hash_text(&body),
            request: &raw,
            step: row.step.as_str(),
        };
        log.detail = serde_json::to_string(&detail).expect("plain data");
        change.log(log);
        self.commit(change).await?;
        CrashPoint::PostingIntended.pass();

        let outcome = company.client.send(&request, self.gate()).await;
        CrashPoint::PostingAnswered.pass();
        let left = !matches!(outcome, Outcome::NotSent { .. });
        self.outcome(company, connection, &intended, document, outcome).await.map(|()| left)
    }

    /// A newer revision came before this one left: what is sent is what JAGGAER says now.
    async fn judge_newer(
        &self,
        connection: &Connection,
        document: &DocumentRow,
    ) -> Result<(), SyncError> {
        let now = clock::now();
        let mut change = Change::new();
        change.move_document(&document.id, document.state, DocumentState::Ready, now);
        let mut log = entry(&connection.id, &document.id, "newer_revision", now);
        log.from_state = document.state.as_str().into();
        log.to_state = DocumentState::Ready.as_str().into();
        log.detail = json!({ "revision": document.latest_revision }).to_string();
        change.log(log);
        self.commit(change).await
    }

    /// What a posting needs to be made could not be read just now.
    async fn postpone(&self, row: &PostingRow, error: &SyncError) -> Result<(), SyncError> {
        tracing::warn!(document = row.document, %error, "a posting could not be made ready; it is tried again");
        let now = clock::now();
        let next_at = now + clock::micros(TRY_AGAIN);
        let next = transition(row, Event::Postpone { reason: error.to_string(), next_at }, now)?;
        let mut change = Change::new();
        change.move_posting(row.state, row.epoch, &next);
        self.commit(change).await
    }

    /// What became of a write, into the store; then the document's next step.
    pub async fn outcome(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        row: &PostingRow,
        document: &DocumentRow,
        outcome: Outcome,
    ) -> Result<(), SyncError> {
        let now = clock::now();
        let later = |wait: Option<Duration>| {
            let wait = wait.unwrap_or(TRY_AGAIN).min(Duration::from_secs(3600));
            now + clock::micros(wait)
        };
        let mut hold = None;
        let event = match &outcome {
            Outcome::Done { location_key: None, .. }
                if row.step == Step::Create && row.visma_number.is_none() =>
            {
                Event::Lost {
                    reason: "Visma made it but did not say under which number".into(),
                    next_at: now,
                }
            }
            Outcome::Done { location_key, etag } => {
                done_event(row, location_key.as_deref(), etag.clone())
            }
            Outcome::Accepted { job } => {
                Event::Accepted { job: job.clone(), next_at: now + clock::micros(JOB_LOOK) }
            }
            Outcome::NotSent { reason, retry_after } => {
                Event::NotSent { reason: reason.clone(), next_at: later(*retry_after) }
            }
            Outcome::Conflict { message } if row.attempts >= self.pace.attempts => {
                hold = Some(Hold::changed_in_visma(number_of(row, document), message));
                Event::Refused { reason: message.clone() }
            }
            Outcome::Conflict { .. } => Event::Conflict { next_at: now },
            Outcome::Refused { status, message } => {
                let reason = format!("{message} (HTTP {status})");
                hold = Some(Hold::refused(&reason));
                Event::Refused { reason }
            }
            Outcome::NotFound { message } => {
                let why = format!("Visma does not find it any more: {message}");
                hold = Some(Hold::changed_in_visma(number_of(row, document), &why));
                Event::Refused { reason: message.clone() }
            }
            Outcome::Uncertain { reason } => Event::Lost { reason: reason.clone(), next_at: now },
        };
        let mut next = transition(row, event, now)?;
        self.settle_later(&mut next, now);
        let mut change = Change::new();
        change.advance_posting(row.state, row.epoch, &next);
        let mut log = step_entry(connection, row, &next, now);
        log.detail = json!({
            "step": row.step.as_str(), "our_key": row.our_key, "attempt": row.attempts, "response": &outcome,
            "visma_type": next.visma_type, "visma_number": next.visma_number,
        })
        .to_string();
        change.log(log);
        if let Some(hold) = &hold {
            hold_document(connection, document, hold, now, &mut change);
        }
        self.after(company, connection, next, document, change).await
    }

    /// Commits a posting's move and, when it is done, finishes the document or goes on with it.
    pub async fn after(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        next: PostingRow,
        document: &DocumentRow,
        mut change: Change,
    ) -> Result<(), SyncError> {
        let done = next.state == PostingState::Done;
        let more = done && self.has_more_steps(&next)?;
        if done && !more {
            finish(connection, document, &next, &mut change);
        }
        self.commit(change).await?;
        CrashPoint::PostingOutcomeKept.pass();
        if more {
            // The step is boxed: a document's steps follow each other through this function.
            return Box::pin(self.go_on(company, connection, &document.id)).await.map(drop);
        }
        Ok(())
    }

    /// Whether anything can follow this step; a quick no for the common case.
    fn has_more_steps(&self, row: &PostingRow) -> Result<bool, SyncError> {
        Ok(match row.step {
            Step::Create | Step::Update => {
                let plan = PlanOutline::read(&row.plan)?;
                !plan.attachments.is_empty() || plan.mode == Some(PostingMode::Released)
            }
            Step::Attach => true,
            Step::Cancel | Step::Release => false,
        })
    }

    /// The next step of a document whose last one is done: files, release, or the end. `false`:
    /// nothing could be done now.
    pub async fn go_on(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        document: &str,
    ) -> Result<bool, SyncError> {
        let Some(document) = self.store.document(document).await? else { return Ok(false) };
        if document.state != DocumentState::Posting {
            return Ok(false);
        }
        let postings = self.store.postings_of(&document.id).await?;
        if postings.iter().any(|row| row.state.is_open()) {
            return Ok(false);
        }
        let Some(standing) = newest_content(&postings) else { return Ok(false) };
        let mut standing = standing.clone();
        // A later revision asked for the same content: it counts as carried out with it.
        if let (Some(revision), Some(plan)) = (document.applied_revision, &document.applied_plan)
            && revision > standing.revision
        {
            (standing.revision, standing.plan) = (revision, plan.clone());
            standing.plan_hash = hash_text(plan);
        }
        let Plan::Invoice(plan) = read_plan(&standing.plan)? else {
            let mut change = Change::new();
            finish(connection, &document, &standing, &mut change);
            return self.commit(change).await.map(|()| true);
        };
        if let Some(attachment) = next_attachment(&plan, postings.iter()) {
            return self
                .attach(company, connection, &document, &standing, &postings, attachment)
                .await;
        }
        let release = postings.iter().find(|row| row.step == Step::Release);
        // Refused for an older content, it is asked for again with the one that stands now.
        let to_release = plan.mode == PostingMode::Released
            && document.latest_revision <= standing.revision
            && release.is_none_or(|row| row.state == PostingState::Refused);
        if to_release && let Some(refused) = release {
            let now = clock::now();
            let event = Event::Replan {
                plan: standing.plan.clone(),
                plan_hash: standing.plan_hash.clone(),
                revision: standing.revision,
            };
            let mut next = transition(refused, event, now)?;
            (next.attempts, next.etag) = (0, None);
            let mut change = Change::new();
            change.move_posting(refused.state, refused.epoch, &next);
            change.log(step_entry(connection, refused, &next, now));
            self.commit(change).await?;
            return self.post_one(company, next, &document, None).await;
        }
        if to_release {
            let now = clock::now();
            let mut posting = planned_posting(
                &company.id,
                &document,
                Step::Release,
                "",
                standing.plan.clone(),
                standing.revision,
                now,
            );
            posting.visma_type = standing.visma_type.clone();
            posting.visma_number = standing.visma_number.clone();
            // The version that create returned holds only while nothing was attached since.
            let attached =
                postings.iter().any(|row| row.step == Step::Attach && row.state.is_done());
            posting.etag = standing.etag.clone().filter(|_| !attached);
            self.plan_step(connection, &posting).await?;
            return self.post_one(company, posting, &document, None).await;
        }
        let mut change = Change::new();
        finish(connection, &document, &standing, &mut change);
        self.commit(change).await.map(|()| true)
    }

    async fn attach(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        document: &DocumentRow,
        standing: &PostingRow,
        postings: &[PostingRow],
        attachment: &AttachmentRef,
    ) -> Result<bool, SyncError> {
        let bytes = match connection.source.client.attachment(attachment).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_retryable() => {
                tracing::warn!(document = document.id, file = attachment.file_name, %error, "an attachment did not come; the next round asks again");
                return Ok(false);
            }
            Err(error) => {
                let hold = Hold::attachment_failed(&attachment.file_name, &error.to_string());
                let now = clock::now();
                let mut change = Change::new();
                hold_document(connection, document, &hold, now, &mut change);
                return self.commit(change).await.map(|()| true);
            }
        };
        let hash = crate::audit::hash_bytes(&bytes);
        let attached = postings.iter().filter(|row| row.step == Step::Attach);
        let same_content = attached.clone().any(|row| row.step_key == hash);
        let names: Vec<String> = attached
            .filter_map(|row| serde_json::from_str::<AttachmentRef>(&row.plan).ok())
            .map(|kept| kept.file_name.to_lowercase())
            .collect();
        let attachment = AttachmentRef {
            file_name: free_name(&attachment.file_name, &names),
            ..attachment.clone()
        };
        let plan = serde_json::to_string(&attachment).expect("an attachment is plain data");
        let now = clock::now();
        // The same bytes listed twice are one file in Visma; the second is written down, not sent.
        let key = if same_content { format!("{hash}/{}", attachment.id) } else { hash };
        let mut posting = planned_posting(
            &company.id,
            document,
            Step::Attach,
            &key,
            plan,
            standing.revision,
            now,
        );
        posting.visma_type = standing.visma_type.clone();
        posting.visma_number = standing.visma_number.clone();
        if same_content {
            posting.state = PostingState::Verified;
            self.plan_step(connection, &posting).await?;
            return Box::pin(self.go_on(company, connection, &document.id)).await;
        }
        self.plan_step(connection, &posting).await?;
        self.post_one(company, posting, document, Some(bytes)).await
    }

    async fn plan_step(
        &self,
        connection: &Connection,
        posting: &PostingRow,
    ) -> Result<(), SyncError> {
        let mut change = Change::new();
        change.insert_posting(posting);
        let mut log = entry(&connection.id, &posting.document, "planned", posting.changed_at);
        log.to_state = posting.state.as_str().into();
        log.detail =
            json!({ "step": posting.step.as_str(), "step_key": posting.step_key }).to_string();
        change.log(log);
        self.commit(change).await
    }

    /// The exact request of a posting, made against what stands in Visma where that matters.
    async fn prepare(
        &self,
        company: &Company,
        connection: &Connection,
        row: &PostingRow,
        document: &DocumentRow,
        file: Option<Vec<u8>>,
    ) -> Result<Prepared, SyncError> {
        let client = &company.client;
        let kind =
            row.visma_type.clone().or_else(|| document.visma_type.clone()).unwrap_or_default();
        let number = number_of(row, document).to_owned();
        Ok(match row.step {
            Step::Create => {
                // A store that was restored from a backup plans what it had posted since.
                let standing = self.standing_under_our_key(company, row).await?;
                match (standing.as_slice(), read_plan(&row.plan)?) {
                    ([], Plan::Order(plan)) => Prepared::Send(visma::create_order(
                        &plan,
                        &row.our_key,
                        client.key_fields(),
                    )),
                    ([], Plan::Invoice(plan)) => {
                        Prepared::Send(visma::create_invoice(&plan, &row.our_key))
                    }
                    ([number], _) => Prepared::Stands { number: number.clone() },
                    (several, _) => Prepared::Refuse(Hold::doubled_in_visma(&several.join(", "))),
                }
            }
            // The change may stand there already: an older store was put back. A patch made again
            // would insert its new lines twice.
            Step::Update => {
                let applied = document.applied_plan.as_deref().unwrap_or(&row.plan);
                match (read_plan(applied)?, read_plan(&row.plan)?) {
                    (Plan::Order(old), Plan::Order(new)) => {
                        let (stands, etag) = client.order(&number).await?;
                        if visma::order_matches(&new, &stands).is_empty()
                            && !visma::order_matches(&old, &stands).is_empty()
                        {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        let request = visma::update_order(
                            &old,
                            &new,
                            &stands,
                            etag.as_deref(),
                            client.key_fields(),
                        );
                        prepared(request, etag, &number)
                    }
                    (Plan::Invoice(old), Plan::Invoice(new)) => {
                        let (stands, etag) = client.invoice(&kind, &number).await?;
                        if !matches!(stands.status.as_str(), "Hold" | "Balanced") {
                            return Ok(Prepared::Refuse(Hold::changed_after_posting(
                                &number,
                                &stands.status,
                            )));
                        }
                        if visma::invoice_matches(&new, &stands).is_empty()
                            && !visma::invoice_matches(&old, &stands).is_empty()
                        {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        prepared(visma::update_invoice(&old, &new, &stands), etag, &number)
                    }
                    (Plan::Order(_), Plan::Invoice(_)) | (Plan::Invoice(_), Plan::Order(_)) => {
                        return Err(SyncError::Inner(format!(
                            "the plans of document {} do not fit each other",
                            document.id
                        )));
                    }
                }
            }
            Step::Cancel => {
                let (stands, etag) = client.order(&number).await?;
                if super::index::is_cancelled(&stands) {
                    Prepared::NothingToDo { etag }
                } else {
                    Prepared::Send(visma::cancel_order(&stands))
                }
            }
            Step::Attach => {
                let attachment: AttachmentRef =
                    serde_json::from_str(&row.plan).map_err(|error| {
                        SyncError::Inner(format!("the stored attachment cannot be read: {error}"))
                    })?;
                let bytes = match file {
                    Some(bytes) => bytes,
                    None => connection.source.client.attachment(&attachment).await?,
                };
                if crate::audit::hash_bytes(&bytes) != row.step_key {
                    let why = "it changed in JAGGAER after it was planned";
                    return Ok(Prepared::Refuse(Hold::attachment_failed(
                        &attachment.file_name,
                        why,
                    )));
                }
                Prepared::Send(visma::attach(
                    &kind,
                    &number,
                    &attachment.file_name,
                    attachment.content_type.as_deref(),
                    bytes,
                ))
            }
            Step::Release => {
                let version = match &row.etag {
                    Some(etag) => etag.clone(),
                    None => {
                        // A person may have changed the draft: what is released is what was planned.
                        let Plan::Invoice(plan) = read_plan(&row.plan)? else {
                            return Err(SyncError::Inner("only an invoice can be released".into()));
                        };
                        let (stands, etag) = client.invoice(&kind, &number).await?;
                        if !matches!(stands.status.as_str(), "Hold" | "Balanced") {
                            return Ok(Prepared::NothingToDo { etag });
                        }
                        let differences: Vec<String> = visma::invoice_matches(&plan, &stands)
                            .iter()
                            .map(ToString::to_string)
                            .collect();
                        if !differences.is_empty() {
                            return Ok(Prepared::Refuse(Hold::changed_in_visma(
                                &number,
                                &differences.join("; "),
                            )));
                        }
                        etag.or(stands.version).unwrap_or_default()
                    }
                };
                Prepared::Send(visma::release_invoice(&kind, &number, &version))
            }
        })
    }

    /// Numbers of live documents that carry the posting's key, as the index shows them.
    async fn standing_under_our_key(
        &self,
        company: &Company,
        row: &PostingRow,
    ) -> Result<Vec<String>, SyncError> {
        let orders = self.store.erp_orders_by_our_key(&company.id, &row.our_key).await?;
        let invoices = self.store.erp_invoices_by_our_key(&company.id, &row.our_key).await?;
        let orders = orders
            .into_iter()
            .filter(|order| !matches!(order.status.as_str(), "Cancelled" | "Voided"))
            .map(|order| order.number);
        let invoices = invoices
            .into_iter()
            .filter(|invoice| invoice.status != "Voided")
            .map(|invoice| invoice.number);
        Ok(orders.chain(invoices).collect())
    }

    async fn nothing_to_do(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        row: PostingRow,
        document: &DocumentRow,
        (number, etag): (Option<String>, Option<String>),
    ) -> Result<(), SyncError> {
        let now = clock::now();
        let intend = Event::Intend {
            body: String::new(),
            epoch: self.owned().epoch,
            now,
            settle_after: now,
        };
        let intended = transition(&row, intend, now)?;
        let done = transition(&intended, done_event(&intended, number.as_deref(), etag), now)?;
        let mut change = Change::new();
        change.move_posting(row.state, row.epoch, &done);
        let mut log = step_entry(connection, &row, &done, now);
        log.detail = json!({ "step": row.step.as_str(), "nothing_to_do": true }).to_string();
        change.log(log);
        self.after(company, connection, done, document, change).await
    }

    async fn refuse(
        &self,
        connection: &Connection,
        row: &PostingRow,
        document: &DocumentRow,
        hold: Hold,
    ) -> Result<(), SyncError> {
        let now = clock::now();
        let next = transition(row, Event::Refused { reason: hold.text.clone() }, now)?;
        let mut change = Change::new();
        change.move_posting(row.state, row.epoch, &next);
        change.log(step_entry(connection, row, &next, now));
        hold_document(connection, document, &hold, now, &mut change);
        self.commit(change).await
    }
}

pub fn transition(row: &PostingRow, event: Event, now: i64) -> Result<PostingRow, SyncError> {
    step(row, event, now).map_err(|error| SyncError::Inner(error.to_string()))
}

/// A posting's move, for the trail; the caller adds the detail.
pub fn step_entry(
    connection: &Connection,
    from: &PostingRow,
    to: &PostingRow,
    now: i64,
) -> crate::audit::Entry {
    let mut log = entry(
        &connection.id,
        &from.document,
        &format!("{}_{}", from.step.as_str(), to.state.as_str()),
        now,
    );
    log.from_state = from.state.as_str().into();
    log.to_state = to.state.as_str().into();
    log.detail = json!({ "step": from.step.as_str(), "error": to.error }).to_string();
    log
}

pub fn hold_document(
    connection: &Connection,
    document: &DocumentRow,
    hold: &Hold,
    now: i64,
    change: &mut Change,
) {
    change.move_document(&document.id, document.state, DocumentState::Held, now);
    change.set_holds(&document.id, std::slice::from_ref(hold), now);
    let mut log = entry(&connection.id, &document.id, "held", now);
    log.from_state = document.state.as_str().into();
    log.to_state = DocumentState::Held.as_str().into();
    log.detail = json!({ "codes": [&hold.code], "text": hold.text }).to_string();
    change.log(log);
}

/// The event of a write that Visma did, with the type that its plan asks for.
pub fn done_event(row: &PostingRow, number: Option<&str>, etag: Option<String>) -> Event {
    let created_type = (row.step == Step::Create)
        .then(|| PlanOutline::read(&row.plan).ok())
        .flatten()
        .and_then(|outline| match outline.plan {
            PlanSort::Order => Some("RegularOrder".to_owned()),
            PlanSort::Invoice => outline.kind.map(|kind| visma::document_type(kind).to_owned()),
        });
    let number = number.filter(|_| row.step == Step::Create).map(str::to_owned);
    Event::Done { visma_type: created_type, visma_number: number, etag }
}

/// The document has all its steps: what stands in Visma is written down, and a revision that came
/// meanwhile is judged next.
fn finish(connection: &Connection, document: &DocumentRow, row: &PostingRow, change: &mut Change) {
    let now = clock::now();
    let to = match row.step {
        _ if document.latest_revision > row.revision => DocumentState::Ready,
        Step::Cancel => DocumentState::Cancelled,
        Step::Create | Step::Update | Step::Attach | Step::Release => DocumentState::Posted,
    };
    change.move_document(&document.id, document.state, to, now);
    let kind = row.visma_type.as_deref().or(document.visma_type.as_deref()).unwrap_or("");
    let number = row.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("");
    if to == DocumentState::Cancelled {
        change.drop_claims(&document.id);
    }
    if matches!(row.step, Step::Create | Step::Update | Step::Release) {
        change.set_applied(&document.id, row.revision, &row.plan, kind, number);
    }
    let mut log = entry(&connection.id, &document.id, to.as_str(), now);
    log.from_state = document.state.as_str().into();
    log.to_state = to.as_str().into();
    log.detail =
        json!({ "visma_type": kind, "visma_number": number, "revision": row.revision }).to_string();
    change.log(log);
}

fn prepared(
    request: Result<Option<Request>, visma::CannotWrite>,
    etag: Option<String>,
    number: &str,
) -> Prepared {
    match request {
        Ok(Some(mut request)) => {
            if request.if_match.is_none() {
                request.if_match = etag;
            }
            Prepared::Send(request)
        }
        Ok(None) => Prepared::NothingToDo { etag },
        Err(reason) => Prepared::Refuse(Hold::changed_in_visma(number, &reason.to_string())),
    }
}

/// What the steps after a write ask of its plan. The lines, nearly all of its text, are passed
/// over.
#[derive(Deserialize)]
struct PlanOutline {
    plan: PlanSort,
    kind: Option<InvoiceKind>,
    mode: Option<PostingMode>,
    #[serde(default)]
    attachments: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlanSort {
    Order,
    Invoice,
}

impl PlanOutline {
    fn read(text: &str) -> Result<Self, SyncError> {
        serde_json::from_str(text).map_err(unreadable_plan)
    }
}

fn unreadable_plan(error: serde_json::Error) -> SyncError {
    SyncError::Inner(format!("a stored plan cannot be read: {error}"))
}

pub fn read_plan(text: &str) -> Result<Plan, SyncError> {
    serde_json::from_str(text).map_err(unreadable_plan)
}

/// The done create or update with the highest revision.
fn newest_content(postings: &[PostingRow]) -> Option<&PostingRow> {
    postings
        .iter()
        .filter(|row| row.state.is_done() && matches!(row.step, Step::Create | Step::Update))
        .max_by_key(|row| (row.revision, row.step == Step::Update))
}

pub fn next_attachment<'a, 'p>(
    plan: &'a InvoicePlan,
    postings: impl Iterator<Item = &'p PostingRow> + Clone,
) -> Option<&'a AttachmentRef> {
    plan.attachments.iter().find(|attachment| {
        !postings.clone().filter(|row| row.step == Step::Attach).any(|row| {
            serde_json::from_str::<Value>(&row.plan)
                .is_ok_and(|kept| kept["id"] == attachment.id.as_str())
        })
    })
}

/// Visma keeps one file of a name: the same name again would replace the first.
fn free_name(name: &str, taken: &[String]) -> String {
    let is_taken = |name: &str| taken.contains(&name.to_lowercase());
    if !is_taken(name) {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        Some(_) | None => (name, String::new()),
    };
    (2..)
        .map(|n| format!("{stem} ({n}){extension}"))
        .find(|name| !is_taken(name))
        .expect("one of the numbers is free")
}

fn number_of<'a>(row: &'a PostingRow, document: &'a DocumentRow) -> &'a str {
    row.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("")
}
