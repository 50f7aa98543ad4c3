//! What a person asks for: `release` and `replay`. Asked by a row that the owner carries out, so
//! that it works beside a running process too.

use super::engine::{Engine, entry};
use super::error::SyncError;
use super::ids::moment_id;
use crate::clock;
use crate::store::{Change, CommitError, DocumentState, RequestRow, Store};
use serde_json::json;

/// What can be asked for one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualVerb {
    /// A held document: judge it again and post it if it passes now.
    Release,
    /// Any document that stands still: decide it again from what is stored, post what is missing.
    Replay,
}

impl ManualVerb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Replay => "replay",
        }
    }

    const fn takes(self, state: DocumentState) -> bool {
        match state {
            DocumentState::Held => true,
            DocumentState::Posted
            | DocumentState::Ignored
            | DocumentState::Cancelled
            | DocumentState::Waiting => matches!(self, Self::Replay),
            // These move by themselves.
            DocumentState::Unread | DocumentState::Ready | DocumentState::Posting => false,
        }
    }
}

/// A request as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub id: String,
}

impl ManualVerb {
    pub async fn ask(
        self,
        store: &Store,
        unit: &str,
        document: &str,
        actor: &str,
        reason: &str,
    ) -> Result<Asked, SyncError> {
        let at = clock::now();
        let id = moment_id(document, at);
        let request = RequestRow {
            id: id.clone(),
            verb: self.as_str().to_owned(),
            document: document.to_owned(),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
        };
        store.ask(unit, &request, at).await?;
        Ok(Asked { id })
    }
}

impl Engine {
    /// Carries out what was asked since the last look.
    pub async fn carry_out_requests(&self) -> Result<u64, SyncError> {
        let mut done = 0;
        for request in self.store.open_requests(&self.unit.id).await? {
            let at = clock::now();
            let verb = [ManualVerb::Release, ManualVerb::Replay]
                .into_iter()
                .find(|verb| verb.as_str() == request.verb);
            let document = self.store.document(&request.document).await?;
            let mut change = Change::new();
            match (verb, document) {
                (Some(verb), Some(document)) if verb.takes(document.state) => {
                    change.move_document(&document.id, document.state, DocumentState::Ready, at);
                    let mut log = entry(&document.connection, &document.id, verb.as_str(), at);
                    log.actor = request.actor.clone();
                    log.from_state = document.state.as_str().into();
                    log.to_state = DocumentState::Ready.as_str().into();
                    log.detail =
                        json!({ "reason": request.reason, "request": request.id }).to_string();
                    change.log(log);
                    change.finish_request(&request.id, "carried out", at);
                }
                (Some(ManualVerb::Release), Some(document))
                    if document.state == DocumentState::Posted && document.attention.is_some() =>
                {
                    self.release_posted(&document, &request, at, &mut change).await?;
                }
                (Some(verb), Some(document)) => {
                    let result = format!(
                        "not done: the document is {}, which {} does not take",
                        document.state.as_str(),
                        verb.as_str()
                    );
                    change.finish_request(&request.id, &result, at);
                }
                (None, _) | (_, None) => {
                    change.finish_request(&request.id, "not done: no such document or verb", at);
                }
            }
            match self.commit(change).await {
                Ok(()) => done += 1,
                // It moved meanwhile; the next look sees where it stands.
                Err(SyncError::Commit(CommitError::Guard(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}
