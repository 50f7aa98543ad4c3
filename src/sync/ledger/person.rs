//! What a person does about a document on its way to the ledger: releases it in Visma, or asks here for
//! what its attention is about.

use super::{DIFFERS, NOT_POSTED, REFUSED, has_code, is_about};
use crate::audit::Entry;
use crate::clock;
use crate::store::{
    Change, DocumentRow, DocumentState, LedgerCheck, LedgerState, PostingState, RequestRow, Step,
};
use crate::sync::engine::{Company, Connection, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::index::DOUBLED;
use crate::sync::post::{step_entry, transition};
use crate::sync::posting::Event;
use crate::sync::prune::CHANGED_AFTER_PRUNING;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// Documents whose release was refused, and that a person has released in Visma since.
    pub async fn released_by_hand(
        &self,
        company: &Arc<Company>,
        connections: &[Arc<Connection>],
    ) -> Result<(), SyncError> {
        for connection in connections {
            for id in self.store.documents_with_attention_code(&connection.id, REFUSED).await? {
                let Some(document) = self.store.document(&id).await? else { continue };
                let (kind, number) =
                    (document.visma_type.as_deref(), document.visma_number.as_deref());
                let (Some(kind), Some(number)) = (kind, number) else { continue };
                let invoice = self.store.erp_invoice(&company.id, kind, number).await?;
                if !invoice.is_some_and(|invoice| invoice.is_released()) {
                    continue;
                }
                let now = clock::now();
                let mut change = Change::new();
                let release = self.store.postings_of(&id).await?.into_iter().find(|row| {
                    row.step == Step::Release
                        && matches!(row.state, PostingState::Refused | PostingState::Held)
                });
                if let Some(row) = release {
                    let done = Event::Done { visma_type: None, visma_number: None, etag: None };
                    let next = transition(&row, done, now)?;
                    change.move_posting(row.state, row.epoch, &next);
                    change.log(step_entry(connection, &row, &next, now));
                }
                change.clear_attention(&id, REFUSED);
                self.commit(change).await?;
            }
        }
        Ok(())
    }

    /// `release` of a posted document: what its attention is about is done again, and nothing else. A
    /// refused release is tried again, a difference is let stand, a missing batch is waited for anew, a change in
    /// JAGGAER of what was deleted here is taken note of.
    pub async fn release_posted(
        &self,
        document: &DocumentRow,
        request: &RequestRow,
        at: i64,
        change: &mut Change,
    ) -> Result<String, SyncError> {
        let attention = document.attention.as_deref().unwrap_or_default();
        let mut log = entry(&document.connection, &document.id, "release", at);
        log.actor.clone_from(&request.actor);
        let code =
            [REFUSED, DIFFERS, NOT_POSTED].into_iter().find(|code| has_code(attention, code));
        let done = match code {
            None if has_code(attention, CHANGED_AFTER_PRUNING) => {
                change.clear_attention(&document.id, CHANGED_AFTER_PRUNING);
                true
            }
            Some(REFUSED) => self.retry_release(document, at, &mut log, change).await?,
            Some(code) => self.move_on(document, code, at, &mut log, change).await?,
            None => false,
        };
        if done {
            log.detail =
                json!({ "reason": request.reason, "request": request.id, "attention": attention })
                    .to_string();
            change.log(log);
            return Ok("carried out".into());
        }
        if has_code(attention, DOUBLED) {
            return Ok("not done: Visma still shows more than one, and which of them stays is yours to say: keep one and \
                       delete or void the others there; it goes away by itself when that is seen"
                .into());
        }
        Ok("not done: the document is posted, and there is nothing that release could do for it"
            .into())
    }

    async fn retry_release(
        &self,
        document: &DocumentRow,
        at: i64,
        log: &mut Entry,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let postings = self.store.postings_of(&document.id).await?;
        let refused = postings.iter().find(|row| {
            row.step == Step::Release
                && matches!(row.state, PostingState::Refused | PostingState::Held)
        });
        let Some(row) = refused else { return Ok(false) };
        let mut next = transition(row, Event::Retry { now: at }, at)?;
        // The draft is read again before it is released: somebody may have corrected it.
        next.etag = None;
        change.move_posting(row.state, row.epoch, &next);
        change.move_document(&document.id, document.state, DocumentState::Posting, at);
        log.from_state = document.state.as_str().into();
        log.to_state = DocumentState::Posting.as_str().into();
        Ok(true)
    }

    async fn move_on(
        &self,
        document: &DocumentRow,
        code: &'static str,
        at: i64,
        log: &mut Entry,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let attention = document.attention.as_deref().unwrap_or_default();
        let checks = self.store.ledger_checks_of(&document.id).await?;
        let Some(check) = checks.into_iter().find(|check| is_about(attention, check)) else {
            return Ok(false);
        };
        let (state, since) = match check.state {
            LedgerState::Differs => (LedgerState::Accepted, check.since),
            LedgerState::NotPosted => (LedgerState::Open, at),
            LedgerState::Open
            | LedgerState::Verified
            | LedgerState::Accepted
            | LedgerState::Void => {
                return Ok(false);
            }
        };
        let next = LedgerCheck { state, since, changed_at: at, ..check.clone() };
        change.move_ledger_check(check.state, &next);
        change.clear_attention(&document.id, code);
        log.from_state = check.state.as_str().into();
        log.to_state = state.as_str().into();
        Ok(true)
    }
}
