//! What became of a write: the event that it is for its posting, and the commit that keeps it.

use super::steps::{finish, leave_unreleased};
use super::stored_plan::{PlanOutline, PlanSort};
use super::trail::{hold_document, step_entry};
use super::{TRY_AGAIN, number_of, standing, transition};
use crate::clock;
use crate::decide::Hold;
use crate::store::{Change, DocumentRow, PostingRow, PostingState, Step};
use crate::sync::CrashPoint;
use crate::sync::engine::{Company, Connection, Engine};
use crate::sync::error::SyncError;
use crate::sync::posting::Event;
use crate::visma::{self, Outcome};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Seconds between two looks at a background job.
const JOB_LOOK: Duration = Duration::from_secs(1);

impl Engine {
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
                if matches!(row.step, Step::Create | Step::TakeBack)
                    && row.visma_number.is_none() =>
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
                hold = Some(match row.step {
                    Step::Create if document.corrections > 0 => Hold::refused_anew(&reason),
                    Step::TakeBack => Hold::not_correctable(
                        &standing(document),
                        &format!("Visma refused the credit note: {reason}"),
                    ),
                    Step::Create | Step::Update | Step::Cancel | Step::Attach | Step::Release => {
                        Hold::refused(&reason)
                    }
                });
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
        let unreleased = row.step == Step::Release && matches!(outcome, Outcome::Refused { .. });
        if unreleased {
            let message = next.error.as_deref().unwrap_or_default();
            leave_unreleased(connection, document, &next, message, &mut change);
        } else if let Some(hold) = &hold {
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
}

/// The event of a write that Visma did, with the type that its plan asks for.
pub fn done_event(row: &PostingRow, number: Option<&str>, etag: Option<String>) -> Event {
    let makes = matches!(row.step, Step::Create | Step::TakeBack);
    let created_type = makes.then(|| PlanOutline::read(&row.plan).ok()).flatten().and_then(
        |outline| match outline.plan {
            PlanSort::Order => Some("RegularOrder".to_owned()),
            PlanSort::Invoice => outline.kind.map(|kind| visma::document_type(kind).to_owned()),
        },
    );
    let number = number.filter(|_| makes).map(str::to_owned);
    Event::Done { visma_type: created_type, visma_number: number, etag }
}
