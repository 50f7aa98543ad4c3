//! Taking a document that stands in Visma already for the one that would be made.

use super::Judged;
use super::carry_out::begin;
use super::planned::{plan_supplier, plan_text};
use crate::decide::Hold;
use crate::procurement::Plan;
use crate::store::{Change, DocumentState, PostingState, Step};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::ids;
use serde_json::json;

impl Engine {
    pub(super) async fn adopt(
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
        begin(judged, change);
        change.insert_posting(&posting);
        change.set_supplier(&judged.document.id, plan_supplier(plan));
        change.set_applied(&judged.document.id, judged.revision.n, &text, document_type, number);
        let detail = json!({ "visma_type": document_type, "visma_number": number });
        judged.to(DocumentState::Posted, "adopted", detail, at, change);
        Ok(())
    }

    /// Visma may hold a document with our own key although this store knows of no posting: the
    /// store is an older one, restored. It is taken back, not made again.
    pub(super) async fn adopt_our_own(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let company = &judged.connection.company.id;
        let document = judged.document;
        let key = ids::our_key(company, &document.id, document.corrections, Step::Create, "");
        let live = self.live_under(&judged.connection.company, &key).await?;
        match live.as_slice() {
            [] => Ok(false),
            [(document_type, number)] => {
                // Compared with the next list: an older store may know an older plan.
                let state = PostingState::Done;
                self.adopt(judged, plan, (document_type, number), state, at, change).await?;
                Ok(true)
            }
            several => {
                let names: Vec<String> =
                    several.iter().map(|(kind, number)| format!("{kind} {number}")).collect();
                judged.hold(&[Hold::doubled_in_visma(&names)], at, change);
                Ok(true)
            }
        }
    }
}
