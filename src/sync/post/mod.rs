//! Carrying a plan into Visma: intent, write, outcome, next step. The exact request is committed as
//! an intent before it leaves, and what became of it before anything follows.

mod anew;
mod outcome;
mod prepare;
mod steps;
mod stored_plan;
mod trail;

pub use anew::CORRECTION;
pub use outcome::done_event;
pub use steps::{leave_unreleased, next_attachment, tell_unreleased};
pub use stored_plan::read_plan;
pub use trail::{hold_document, step_entry};

use crate::audit::hash_text;
use crate::clock;
use crate::decide::Hold;
use crate::procurement::{AttachmentRef, DocumentKind};
use crate::store::{Change, DocumentRow, DocumentState, PostingRow, Step};
use crate::sync::CrashPoint;
use crate::sync::engine::{Company, Connection, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::posting::{Event, step};
use crate::visma::{self, Outcome};
use futures_util::StreamExt;
use prepare::Prepared;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Postings worked at the same time. More than Visma's client lets through at once, so that
/// commits of some overlap with calls of others.
const AT_ONCE: usize = 16;
/// Postings taken from the store at a time: what is planned may be more than fits into memory.
const IN_HAND: i64 = 256;

/// Seconds until a write that never left is tried again, when Visma does not say.
const TRY_AGAIN: Duration = Duration::from_secs(2);

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
        let due = self.store.due_postings(&company.id, now, IN_HAND).await?;
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
        let sender = company.sender()?;
        let Some(connection) = self.connection(&document.connection) else { return Ok(false) };
        // A file stays what it is whatever the document says, and so does a credit note that is made.
        let stays = row.step == Step::Attach || (row.step == Step::Release && row.is_of_credit());
        if !stays && document.latest_revision > row.revision {
            return self.judge_newer(connection, document).await.map(|()| true);
        }
        let prepared = match self.prepare(company, connection, &row, document, file).await {
            Err(SyncError::Visma(visma::Error::NotFound { .. }))
                if document.kind != DocumentKind::PurchaseOrder && !row.is_of_credit() =>
            {
                Prepared::Refuse(Hold::gone_from_visma(&standing(document), "deleted"))
            }
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

        let outcome = sender.send(&request, self.gate()).await;
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

fn number_of<'a>(row: &'a PostingRow, document: &'a DocumentRow) -> &'a str {
    row.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("")
}

/// Type and number of what the document is in Visma.
fn standing(document: &DocumentRow) -> String {
    let kind = document.visma_type.as_deref().unwrap_or_default();
    let number = document.visma_number.as_deref().unwrap_or_default();
    format!("{kind} {number}")
}
