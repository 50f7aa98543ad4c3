//! A step as it is planned, before anything of it was sent, with the plan's text.

use super::Judged;
use crate::audit::hash_text;
use crate::procurement::Plan;
use crate::store::{DocumentRow, PostingRow, PostingState, Step};
use crate::sync::engine::Engine;
use crate::sync::ids;

impl Engine {
    pub(super) fn new_posting(
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
    let our_key = ids::our_key(company, &document.id, document.corrections, step, step_key);
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

pub(super) fn plan_text(plan: &Plan) -> String {
    serde_json::to_string(plan).expect("a plan is plain data")
}

pub(super) fn plan_supplier(plan: &Plan) -> &str {
    match plan {
        Plan::Order(plan) => &plan.supplier,
        Plan::Invoice(plan) => &plan.supplier,
    }
}
