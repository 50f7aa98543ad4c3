//! What follows a document's last write: its files one by one, its release, or the end.

use super::anew::CORRECTION;
use super::stored_plan::{PlanOutline, read_plan};
use super::trail::{hold_document, step_entry};
use super::transition;
use crate::audit::hash_text;
use crate::clock;
use crate::decide::Hold;
use crate::procurement::{AttachmentRef, InvoicePlan, Plan, PostingMode};
use crate::store::{Change, DocumentRow, DocumentState, PostingRow, PostingState, Step};
use crate::sync::engine::{Company, Connection, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::judge::planned_posting;
use crate::sync::ledger;
use crate::sync::posting::Event;
use serde_json::{Value, json};
use std::sync::Arc;

impl Engine {
    /// Whether anything can follow this step; a quick no for the common case.
    pub(super) fn has_more_steps(&self, row: &PostingRow) -> Result<bool, SyncError> {
        Ok(match row.step {
            Step::Create | Step::Update => {
                let plan = PlanOutline::read(&row.plan)?;
                !plan.attachments.is_empty() || plan.mode == Some(PostingMode::Released)
            }
            Step::Attach | Step::TakeBack => true,
            Step::Release => row.is_of_credit(),
            Step::Cancel => false,
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
        let credit = postings.iter().find(|row| row.step == Step::TakeBack && row.state.is_done());
        if let Some(credit) = credit {
            return self.after_take_back(company, connection, &document, credit, &postings).await;
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
        let release = postings.iter().find(|row| row.step == Step::Release && !row.is_of_credit());
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

    pub(super) async fn plan_step(
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
}

/// The document has all its steps: what stands in Visma is written down, and a revision that came
/// meanwhile is judged next.
pub(super) fn finish(
    connection: &Connection,
    document: &DocumentRow,
    row: &PostingRow,
    change: &mut Change,
) {
    let now = clock::now();
    let to = match row.step {
        _ if document.latest_revision > row.revision => DocumentState::Ready,
        Step::Cancel => DocumentState::Cancelled,
        Step::Create | Step::Update | Step::Attach | Step::Release | Step::TakeBack => {
            DocumentState::Posted
        }
    };
    change.move_document(&document.id, document.state, to, now);
    let kind = row.visma_type.as_deref().or(document.visma_type.as_deref()).unwrap_or("");
    let number = row.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("");
    if to == DocumentState::Cancelled {
        change.drop_claims(&document.id);
    }
    if row.step == Step::Release {
        change.clear_attention(&document.id, ledger::REFUSED);
    }
    // What was to follow a credit note stands now.
    change.clear_attention(&document.id, CORRECTION);
    if matches!(row.step, Step::Create | Step::Update | Step::Release) {
        change.set_applied(&document.id, row.revision, &row.plan, kind, number);
        change.settle_own_billing(&document.id, &row.plan_hash);
    }
    let mut log = entry(&connection.id, &document.id, to.as_str(), now);
    log.from_state = document.state.as_str().into();
    log.to_state = to.as_str().into();
    log.detail =
        json!({ "visma_type": kind, "visma_number": number, "revision": row.revision }).to_string();
    change.log(log);
}

/// The release did not come about: the document stands in Visma as a draft, which is told as its
/// attention. The release alone can be tried again. Nothing can follow a credit note that takes back
/// until it is released: its document is held.
pub fn leave_unreleased(
    connection: &Connection,
    document: &DocumentRow,
    release: &PostingRow,
    message: &str,
    change: &mut Change,
) {
    if release.is_of_credit() {
        let kind = release.visma_type.as_deref().unwrap_or_default();
        let number = release.visma_number.as_deref().unwrap_or_default();
        let hold = Hold::release_refused(&format!("{kind} {number}"), message);
        return hold_document(connection, document, &hold, clock::now(), change);
    }
    finish(connection, document, release, change);
    tell_unreleased(connection, document, release, message, change);
}

pub fn tell_unreleased(
    connection: &Connection,
    document: &DocumentRow,
    release: &PostingRow,
    message: &str,
    change: &mut Change,
) {
    let kind = release.visma_type.as_deref().or(document.visma_type.as_deref()).unwrap_or("");
    let number = release.visma_number.as_deref().or(document.visma_number.as_deref()).unwrap_or("");
    let hold = Hold::release_refused(format!("{kind} {number}").trim(), message);
    change.set_attention(&document.id, Some(&hold.as_attention()));
    let mut log = entry(&connection.id, &document.id, &hold.code, clock::now());
    log.detail = json!({ "step": release.step.as_str(), "text": hold.text }).to_string();
    change.log(log);
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
