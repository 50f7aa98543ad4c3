//! Held documents whose cause can go away by itself: looked at again when something moved that they
//! were judged by. One that would pass now is made ready, and judged in its turn with all others. What
//! comes out the same leaves no trace.

use super::{Basis, TOGETHER};
use crate::audit::hash_text;
use crate::clock;
use crate::decide::{Clears, Decision, Hold, catalogue};
use crate::procurement::DocumentKind;
use crate::store::{
    Change, CommitError, DocumentRow, DocumentState, HoldRow, PostingRow, PostingState, Step,
};
use crate::sync::engine::{Connection, Engine, KnownReference};
use crate::sync::error::SyncError;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const KINDS: [DocumentKind; 3] =
    [DocumentKind::PurchaseOrder, DocumentKind::SupplierInvoice, DocumentKind::CreditNote];

impl Engine {
    /// Looks at the held documents of a connection again. Returns how many moved.
    pub async fn judge_held(&self, connection: &Arc<Connection>) -> Result<u64, SyncError> {
        let Some(reference) = connection.company.reference() else { return Ok(0) };
        let inputs = self.inputs_of_held(connection, &reference).await?;
        if self.store.held_inputs(&connection.id).await?.as_deref() == Some(inputs.as_str()) {
            return Ok(0);
        }
        let mut holds: HashMap<String, Vec<HoldRow>> = HashMap::new();
        for hold in self.store.holds().await? {
            holds.entry(hold.document.clone()).or_default().push(hold);
        }
        let by_themselves: BTreeSet<&str> = catalogue()
            .into_iter()
            .filter(|entry| matches!(entry.clears, Clears::ByItself(_)))
            .map(|entry| entry.code)
            .collect();
        let vendors = connection.source.vendors();
        let basis = self.basis(connection, &reference, &vendors);
        let (mut moved, mut whole) = (0, true);
        for kind in KINDS {
            let state = DocumentState::Held;
            let documents = self.store.documents_to_work(&connection.id, kind, state).await?;
            for chunk in documents.chunks(TOGETHER) {
                self.check()?;
                let mut changes = Vec::new();
                for document in chunk {
                    let holds = holds.get(&document.id).map_or(&[][..], Vec::as_slice);
                    if !holds.iter().any(|hold| by_themselves.contains(hold.code.as_str())) {
                        continue;
                    }
                    match self.redecide(&basis, document, holds, &by_themselves).await {
                        Ok(Some(change)) => changes.push(self.commit(change)),
                        Ok(None) => {}
                        Err(error) if error.concerns_one_document() => {
                            tracing::error!(document = document.id, %error, "a held document cannot be judged again");
                        }
                        Err(error) => return Err(error),
                    }
                }
                for result in futures_util::future::join_all(changes).await {
                    match result {
                        Ok(()) => moved += 1,
                        // It moved meanwhile: the next round looks again.
                        Err(SyncError::Commit(CommitError::Guard(_))) => whole = false,
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        if whole {
            let mut change = Change::new();
            change.keep_held_inputs(&connection.id, &inputs);
            self.commit(change).await?;
        }
        Ok(moved)
    }

    /// The same text as long as no held document of the connection can come out otherwise.
    async fn inputs_of_held(
        &self,
        connection: &Connection,
        reference: &KnownReference,
    ) -> Result<String, SyncError> {
        let (company, source) = (&connection.company.id, &connection.source.id);
        let moved = self.store.moved_inputs(company, source).await?;
        // Another version of the program may judge otherwise.
        Ok(hash_text(&format!(
            "{}\n{}\n{}\n{}\n{}\n{moved}",
            env!("CARGO_PKG_VERSION"),
            connection.rules_hash,
            reference.hash,
            connection.source.profile.version(),
            connection.source.router.version,
        )))
    }

    /// `None`: it is held as before.
    async fn redecide(
        &self,
        basis: &Basis<'_>,
        document: &DocumentRow,
        holds: &[HoldRow],
        by_themselves: &BTreeSet<&str>,
    ) -> Result<Option<Change>, SyncError> {
        if !may_move_by_itself(document, &self.store.postings_of(&document.id).await?) {
            return Ok(None);
        }
        let old: Vec<Hold> = holds.iter().map(HoldRow::hold).collect();
        let judged = self.judge_one(basis, self.read(basis, document).await?).await?;
        let new = match &judged.decision {
            Decision::Hold(holds) => holds.as_slice(),
            Decision::Plan(_)
            | Decision::Adopt { .. }
            | Decision::Wait(_)
            | Decision::Ignore(_)
            | Decision::NotRipe
            | Decision::Cancel => &[],
        };
        let stays = still_held(&old, new, by_themselves);
        let at = clock::now();
        let mut change = Change::new();
        if stays.is_empty() {
            let codes: BTreeSet<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
            let detail = json!({ "held_for": codes });
            judged.to(DocumentState::Ready, "cause_gone", detail, at, &mut change);
        } else if stays == sorted(old) {
            return Ok(None);
        } else {
            judged.hold(&stays, at, &mut change);
            judged.keep(at, &mut change);
        }
        Ok(Some(change))
    }
}

/// What the document is held for from now on: what the decision holds it for, and what it was held for
/// that only a person may take away. Empty: it goes on.
fn still_held(old: &[Hold], new: &[Hold], by_themselves: &BTreeSet<&str>) -> Vec<Hold> {
    let a_persons = old.iter().filter(|hold| {
        !by_themselves.contains(hold.code.as_str()) && new.iter().all(|new| new.code != hold.code)
    });
    sorted(new.iter().chain(a_persons).cloned().collect())
}

/// As a decision shows them.
fn sorted(mut holds: Vec<Hold>) -> Vec<Hold> {
    holds.sort();
    holds.dedup();
    holds
}

/// What may have reached Visma, or stands there as JAGGAER last said, moves by a person's word only:
/// judging it again could write it a second time.
fn may_move_by_itself(document: &DocumentRow, postings: &[PostingRow]) -> bool {
    let settled = |row: &PostingRow| match row.state {
        PostingState::Refused | PostingState::Done | PostingState::Verified => true,
        PostingState::Planned
        | PostingState::Intended
        | PostingState::Accepted
        | PostingState::Uncertain
        | PostingState::Held
        | PostingState::Differs => false,
    };
    let stands = postings.iter().any(|row| row.step == Step::Create && row.state.is_done());
    let is_news = document.applied_revision.is_none_or(|of| of < document.latest_revision);
    postings.iter().all(settled) && (!stands || is_news)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::judge::planned_posting;

    fn document(latest: i64, applied: Option<i64>) -> DocumentRow {
        DocumentRow {
            id: "d".into(),
            connection: "c".into(),
            source: "s".into(),
            kind: DocumentKind::SupplierInvoice,
            source_id: "1".into(),
            feed: "invoices".into(),
            number: "1".into(),
            order_number: None,
            reference: None,
            supplier: None,
            currency: None,
            amount_minor: None,
            document_on: None,
            state: DocumentState::Held,
            waiting: None,
            attention: None,
            latest_revision: latest,
            recorded_revision: latest,
            applied_revision: applied,
            applied_plan: None,
            row_hash: String::new(),
            visma_type: None,
            visma_number: None,
            received_at: 0,
            changed_at: 0,
            company: String::new(),
            routed: String::new(),
            corrections: 0,
            correction_asked: false,
            pruned: None,
        }
    }

    #[test]
    fn what_only_a_person_may_take_away_stays() {
        let hold = |code: &str, text: &str| Hold {
            code: code.into(),
            text: text.into(),
            fix: "Do.".into(),
        };
        let (moves, needs) = (hold("moves", "M."), hold("needs", "N."));
        let other_numbers = hold("needs", "N2.");
        let by_themselves = BTreeSet::from(["moves"]);
        let both = vec![moves.clone(), needs.clone()];
        let cases = [
            (&both[..1], vec![], vec![]),
            (&both[..1], vec![moves.clone()], vec![moves.clone()]),
            (&both[..], vec![moves.clone()], both.clone()),
            (&both[..], vec![], vec![needs.clone()]),
            (&both[..], vec![other_numbers.clone()], vec![other_numbers]),
            (&both[..], both.clone(), both.clone()),
        ];
        for (old, new, expected) in cases {
            assert_eq!(still_held(old, &new, &by_themselves), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_may_have_reached_visma_waits_for_a_person() {
        use PostingState as S;
        let cases: &[(Option<S>, i64, Option<i64>, bool)] = &[
            (None, 1, None, true),
            (Some(S::Refused), 1, None, true),
            (Some(S::Planned), 1, None, false),
            (Some(S::Intended), 1, None, false),
            (Some(S::Accepted), 1, None, false),
            (Some(S::Uncertain), 1, None, false),
            (Some(S::Held), 1, None, false),
            (Some(S::Differs), 2, Some(1), false),
            (Some(S::Verified), 1, Some(1), false),
            (Some(S::Verified), 2, Some(1), true),
            (Some(S::Done), 2, Some(1), true),
        ];
        for (state, latest, applied, expected) in cases {
            let document = document(*latest, *applied);
            let postings: Vec<PostingRow> = state
                .iter()
                .map(|state| PostingRow {
                    state: *state,
                    ..planned_posting("v", &document, Step::Create, "", "{}".into(), 1, 0)
                })
                .collect();
            assert_eq!(
                may_move_by_itself(&document, &postings),
                *expected,
                "{state:?} {latest} {applied:?}"
            );
        }
    }
}
