//! A decision as a change: what each outcome does to the document, and the plan of one that does
//! not stand in Visma yet.

use super::Judged;
use super::change_of_posted::withdraw;
use super::planned::{plan_supplier, plan_text};
use crate::audit::hash_text;
use crate::decide::{Decision, Wait, WaitFor};
use crate::procurement::{Document, Plan, Ripeness};
use crate::store::{Change, DocumentState, PostingRow, PostingState, Step};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::gather::read_document;
use crate::sync::post::transition;
use crate::sync::posting::Event;
use crate::{clock, decide};
use serde_json::json;

impl Engine {
    /// The decision as a change. `None`: nothing moved (it waits on as before).
    pub(super) async fn carry_out(&self, judged: &Judged<'_>) -> Result<Option<Change>, SyncError> {
        let postings = self.store.postings_of(&judged.document.id).await?;
        let create = postings.iter().find(|row| row.step == Step::Create);
        let in_visma = create.is_some_and(|row| row.state.is_done());
        let mut change = Change::new();
        let at = clock::now();
        let mut is_history = false;
        if self.taking_back_goes_on(judged, &postings, at, &mut change)? {
            return Ok(Some(change));
        }
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
            Decision::Cancel => {
                is_history = self.cancel(judged, &postings, at, &mut change).await?;
            }
            Decision::Adopt { plan, document_type, number } if create.is_none() => {
                // The decision has compared it with the plan.
                let state = PostingState::Verified;
                self.adopt(judged, plan, (document_type, number), state, at, &mut change).await?;
            }
            // A person keyed in what was refused, or had not left yet; or it was given up as unsettled,
            // and what stands there is taken for the one we sent. Either way nothing is sent again.
            Decision::Adopt { plan, document_type, number }
                if create.is_some_and(may_be_taken_over) =>
            {
                let create = create.expect("just looked at");
                if self.claim(judged, plan, at, &mut change).await? {
                    let next = taken_over(create, (document_type, number), at)?;
                    change.move_posting(create.state, create.epoch, &next);
                    let text = plan_text(plan);
                    let n = judged.revision.n;
                    change.set_supplier(&judged.document.id, plan_supplier(plan));
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
            Decision::Cancel if is_history => {}
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
            begin(judged, change);
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
                let mut next = transition(create, event, at)?;
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
                let next = transition(create, Event::Retry { now: at }, at)?;
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
}

/// From here on the document belongs to the company.
pub(super) fn begin(judged: &Judged<'_>, change: &mut Change) {
    let connection = judged.connection;
    change.begin_in_company(&judged.document.id, &connection.id, &connection.company.id);
}

const fn may_be_taken_over(create: &PostingRow) -> bool {
    match create.state {
        PostingState::Planned | PostingState::Refused | PostingState::Held => true,
        PostingState::Intended
        | PostingState::Accepted
        | PostingState::Uncertain
        | PostingState::Done
        | PostingState::Verified
        | PostingState::Differs => false,
    }
}

/// The creation of a document that stands in Visma by another's hand.
fn taken_over(
    create: &PostingRow,
    (document_type, number): (&str, &str),
    at: i64,
) -> Result<PostingRow, SyncError> {
    let done = Event::Done {
        visma_type: Some(document_type.to_owned()),
        visma_number: Some(number.to_owned()),
        etag: None,
    };
    let refused = match create.state {
        PostingState::Planned => {
            let reason = "a person keyed it into Visma before it was sent".to_owned();
            transition(create, Event::Refused { reason }, at)?
        }
        PostingState::Refused => create.clone(),
        // It may be the one that we sent: it is compared with the plan.
        _ => return transition(create, done, at),
    };
    // The decision has compared it; what a person made stays as that person left it.
    let mut next = transition(&transition(&refused, done, at)?, Event::Verified, at)?;
    next.attempts = 0;
    Ok(next)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::DocumentKind;
    use crate::store::DocumentRow;
    use crate::sync::judge::planned_posting;

    #[test]
    fn what_a_person_keyed_in_is_never_sent_once_more() {
        use PostingState as S;
        let document = DocumentRow {
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
            state: DocumentState::Ready,
            waiting: None,
            attention: None,
            latest_revision: 1,
            recorded_revision: 1,
            applied_revision: None,
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
        };
        let planned = planned_posting("v", &document, Step::Create, "", "{}".into(), 1, 0);
        for (state, expected) in [
            (S::Planned, Some((S::Verified, 0))),
            (S::Refused, Some((S::Verified, 0))),
            (S::Held, Some((S::Done, 2))),
            (S::Intended, None),
            (S::Accepted, None),
            (S::Uncertain, None),
            (S::Done, None),
            (S::Verified, None),
            (S::Differs, None),
        ] {
            let create = PostingRow { state, attempts: 2, ..planned.clone() };
            assert_eq!(may_be_taken_over(&create), expected.is_some(), "{state:?}");
            let Some(expected) = expected else { continue };
            let next = taken_over(&create, ("Invoice", "300001"), 7).expect("a legal step");
            assert_eq!((next.state, next.attempts), expected, "{state:?}");
            assert_eq!(next.visma_number.as_deref(), Some("300001"), "{state:?}");
        }
    }
}
