//! The posting state machine, pure: where a write stands, what happened, where it stands then.
//!
//! Every outside effect is done, not done or uncertain. A write that may have reached Visma is
//! never sent again before Visma was asked; that is the whole point of the states.

use crate::store::{PostingRow, PostingState};

/// What happened to a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The exact request is about to leave.
    Intend { body: String, epoch: i64, now: i64, settle_after: i64 },
    /// Visma did it. Type and number where the answer named them.
    Done { visma_type: Option<String>, visma_number: Option<String>, etag: Option<String> },
    /// Provably not sent, or refused before anything could happen (401, 429).
    NotSent { reason: String, next_at: i64 },
    /// It could not be made ready to leave: what it is made against could not be read.
    Postpone { reason: String, next_at: i64 },
    /// Visma has a newer version than the one our change was made for (412).
    Conflict { next_at: i64 },
    /// A definite refusal.
    Refused { reason: String },
    /// Queued in Visma under a job id.
    Accepted { job: String, next_at: i64 },
    /// The job has not finished.
    StillRunning { next_at: i64 },
    /// The answer was lost or says nothing: it may be done or not.
    Lost { reason: String, next_at: i64 },
    /// A complete read after `settle_after` does not show it.
    Absent { now: i64, attempts_allowed: i64 },
    /// It was answered as done, but what stands in Visma shows that it was not.
    Undone { reason: String },
    /// It cannot be settled without a person.
    GiveUp { reason: String },
    /// What stands in Visma equals the plan.
    Verified,
    /// What stands in Visma is not what was planned.
    Differs { reason: String },
    /// A newer decision, before anything of this posting ever left.
    Replan { plan: String, plan_hash: String, revision: i64 },
    /// A person wants it tried again.
    Retry { now: i64 },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a posting that is {state} cannot take `{event}`")]
pub struct IllegalStep {
    pub state: &'static str,
    pub event: String,
}

/// Complete reads without the document that prove that it was not made.
const ABSENT_READS: i64 = 2;

/// The posting after the event.
pub fn step(row: &PostingRow, event: Event, now: i64) -> Result<PostingRow, IllegalStep> {
    use PostingState as S;
    let illegal = || IllegalStep {
        state: row.state.as_str(),
        event: format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
    };
    let mut next = PostingRow { changed_at: now, ..row.clone() };
    match (row.state, &event) {
        (S::Planned, Event::Intend { body, epoch, now, settle_after }) => {
            next.state = S::Intended;
            next.body = Some(body.clone());
            next.attempts += 1;
            next.absent = 0;
            next.epoch = *epoch;
            next.intent_at = Some(*now);
            next.settle_after = Some(*settle_after);
            next.error = None;
            next.job = None;
        }
        (
            S::Intended | S::Accepted | S::Uncertain,
            Event::Done { visma_type, visma_number, etag },
        ) => {
            next.state = S::Done;
            next.visma_type = visma_type.clone().or(next.visma_type);
            next.visma_number = visma_number.clone().or(next.visma_number);
            next.etag = etag.clone();
            next.error = None;
        }
        // A person let it stand as the one that we had sent, or did in Visma what was refused.
        (S::Held | S::Refused, Event::Done { visma_type, visma_number, etag }) => {
            next.state = S::Done;
            next.visma_type = visma_type.clone().or(next.visma_type);
            next.visma_number = visma_number.clone().or(next.visma_number);
            next.etag = etag.clone();
            next.error = None;
        }
        (S::Intended, Event::NotSent { reason, next_at }) => {
            next.state = S::Planned;
            // It never left: it does not count as an attempt.
            next.attempts -= 1;
            next.next_at = *next_at;
            next.error = Some(reason.clone());
        }
        (S::Planned, Event::Postpone { reason, next_at }) => {
            next.next_at = *next_at;
            next.error = Some(reason.clone());
        }
        // The job ended with the call inside it turned away.
        (S::Accepted, Event::NotSent { reason, next_at }) => {
            next.state = S::Planned;
            next.job = None;
            next.next_at = *next_at;
            next.error = Some(reason.clone());
        }
        (S::Intended | S::Accepted, Event::Conflict { next_at }) => {
            next.state = S::Planned;
            next.etag = None;
            next.job = None;
            next.next_at = *next_at;
            next.error = Some("changed in Visma meanwhile".into());
        }
        (S::Planned | S::Intended | S::Accepted, Event::Refused { reason })
        | (S::Done | S::Differs, Event::Undone { reason }) => {
            next.state = S::Refused;
            next.error = Some(reason.clone());
        }
        (S::Intended, Event::Accepted { job, next_at }) => {
            next.state = S::Accepted;
            next.job = Some(job.clone());
            next.next_at = *next_at;
        }
        (S::Accepted, Event::StillRunning { next_at }) => next.next_at = *next_at,
        (S::Intended | S::Accepted, Event::Lost { reason, next_at }) => {
            next.state = S::Uncertain;
            next.absent = 0;
            next.next_at = *next_at;
            next.error = Some(reason.clone());
        }
        (S::Uncertain, Event::Absent { now, attempts_allowed }) => {
            if row.settle_after.is_some_and(|settle_after| *now < settle_after) {
                // Too early to mean anything.
                return Ok(row.clone());
            }
            next.absent += 1;
            if next.absent >= ABSENT_READS {
                if row.attempts >= *attempts_allowed {
                    next.state = S::Held;
                    next.error = Some(format!(
                        "tried {} times, never found in Visma; last: {}",
                        row.attempts,
                        row.error.as_deref().unwrap_or("no answer")
                    ));
                } else {
                    next.state = S::Planned;
                    next.next_at = *now;
                }
            }
        }
        (S::Uncertain | S::Planned | S::Accepted, Event::GiveUp { reason }) => {
            next.state = S::Held;
            next.error = Some(reason.clone());
        }
        (S::Done | S::Differs | S::Verified, Event::Verified) => {
            next.state = S::Verified;
            next.error = None;
        }
        (S::Done | S::Verified | S::Differs, Event::Differs { reason }) => {
            next.state = S::Differs;
            next.error = Some(reason.clone());
        }
        (S::Planned | S::Refused, Event::Replan { plan, plan_hash, revision }) => {
            next.state = S::Planned;
            next.plan = plan.clone();
            next.plan_hash = plan_hash.clone();
            next.revision = *revision;
            next.body = None;
            next.next_at = now;
            next.error = None;
        }
        (S::Refused, Event::Retry { now }) => {
            next.state = S::Planned;
            next.attempts = 0;
            next.next_at = *now;
            next.error = None;
        }
        // It may have reached Visma once: ask again before anything is sent.
        (S::Held, Event::Retry { now }) => {
            next.state = S::Uncertain;
            next.attempts = 0;
            next.absent = 0;
            next.next_at = *now;
        }
        (
            S::Planned
            | S::Intended
            | S::Accepted
            | S::Uncertain
            | S::Done
            | S::Refused
            | S::Held
            | S::Verified
            | S::Differs,
            _,
        ) => return Err(illegal()),
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Step;

    fn row(state: PostingState) -> PostingRow {
        PostingRow {
            id: "p".into(),
            company: "c".into(),
            document: "d".into(),
            step: Step::Create,
            step_key: String::new(),
            our_key: "k".into(),
            revision: 1,
            plan: "{}".into(),
            plan_hash: "h".into(),
            body: None,
            state,
            attempts: 1,
            absent: 0,
            epoch: 3,
            intent_at: Some(10),
            settle_after: Some(100),
            next_at: 0,
            visma_type: None,
            visma_number: None,
            etag: None,
            job: None,
            error: None,
            changed_at: 0,
        }
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Intend { body: "b".into(), epoch: 4, now: 50, settle_after: 150 },
            Event::Done {
                visma_type: Some("Invoice".into()),
                visma_number: Some("7".into()),
                etag: None,
            },
            Event::NotSent { reason: "refused".into(), next_at: 60 },
            Event::Conflict { next_at: 60 },
            Event::Refused { reason: "no such account".into() },
            Event::Accepted { job: "j".into(), next_at: 60 },
            Event::StillRunning { next_at: 70 },
            Event::Lost { reason: "reset".into(), next_at: 60 },
            Event::Absent { now: 200, attempts_allowed: 5 },
            Event::GiveUp { reason: "several".into() },
            Event::Verified,
            Event::Differs { reason: "total".into() },
            Event::Replan { plan: "{2}".into(), plan_hash: "h2".into(), revision: 2 },
            Event::Retry { now: 80 },
            Event::Postpone { reason: "list".into(), next_at: 60 },
            Event::Undone { reason: "still a draft".into() },
        ]
    }

    /// Every allowed step, and that everything else is refused.
    #[test]
    fn the_table_is_exactly_this() {
        use PostingState as S;
        let allowed: &[(S, usize, S)] = &[
            (S::Planned, 0, S::Intended),
            (S::Planned, 4, S::Refused),
            (S::Planned, 9, S::Held),
            (S::Planned, 12, S::Planned),
            (S::Planned, 14, S::Planned),
            (S::Intended, 1, S::Done),
            (S::Intended, 2, S::Planned),
            (S::Intended, 3, S::Planned),
            (S::Intended, 4, S::Refused),
            (S::Intended, 5, S::Accepted),
            (S::Intended, 7, S::Uncertain),
            (S::Accepted, 1, S::Done),
            (S::Accepted, 2, S::Planned),
            (S::Accepted, 3, S::Planned),
            (S::Accepted, 4, S::Refused),
            (S::Accepted, 6, S::Accepted),
            (S::Accepted, 7, S::Uncertain),
            (S::Accepted, 9, S::Held),
            (S::Uncertain, 1, S::Done),
            (S::Uncertain, 8, S::Uncertain),
            (S::Uncertain, 9, S::Held),
            (S::Done, 10, S::Verified),
            (S::Done, 11, S::Differs),
            (S::Done, 15, S::Refused),
            (S::Verified, 10, S::Verified),
            (S::Verified, 11, S::Differs),
            (S::Differs, 10, S::Verified),
            (S::Differs, 11, S::Differs),
            (S::Differs, 15, S::Refused),
            (S::Refused, 1, S::Done),
            (S::Refused, 12, S::Planned),
            (S::Refused, 13, S::Planned),
            (S::Held, 1, S::Done),
            (S::Held, 13, S::Uncertain),
        ];
        for state in S::ALL {
            for (index, event) in events().into_iter().enumerate() {
                let expected = allowed
                    .iter()
                    .find(|(from, on, _)| *from == state && *on == index)
                    .map(|(_, _, to)| *to);
                let got = step(&row(state), event.clone(), 99).ok().map(|next| next.state);
                assert_eq!(got, expected, "{state:?} on {event:?}");
            }
        }
    }

    #[test]
    fn our_key_never_changes() {
        for state in PostingState::ALL {
            for event in events() {
                if let Ok(next) = step(&row(state), event, 99) {
                    assert_eq!(next.our_key, "k");
                }
            }
        }
    }

    #[test]
    fn nothing_is_sent_again_before_two_complete_reads_after_the_settling_time() {
        let lost = step(
            &row(PostingState::Intended),
            Event::Lost { reason: "timeout".into(), next_at: 0 },
            20,
        )
        .unwrap();
        let absent = |row: &PostingRow, now| {
            step(row, Event::Absent { now, attempts_allowed: 5 }, now).unwrap()
        };
        let early = absent(&absent(&absent(&lost, 50), 60), 99);
        assert_eq!((early.state, early.absent), (PostingState::Uncertain, 0));
        let once = absent(&early, 100);
        assert_eq!((once.state, once.absent), (PostingState::Uncertain, 1));
        assert_eq!(absent(&once, 101).state, PostingState::Planned);
    }

    #[test]
    fn attempts_are_capped_and_what_never_left_is_no_attempt() {
        let mut spent = row(PostingState::Uncertain);
        spent.attempts = 5;
        spent.absent = 1;
        let held = step(&spent, Event::Absent { now: 200, attempts_allowed: 5 }, 200).unwrap();
        assert_eq!(held.state, PostingState::Held);
        assert!(held.error.unwrap().contains("tried 5 times"));

        let planned = row(PostingState::Planned);
        let intended = step(
            &planned,
            Event::Intend { body: "b".into(), epoch: 1, now: 1, settle_after: 2 },
            1,
        )
        .unwrap();
        let back = step(&intended, Event::NotSent { reason: "429".into(), next_at: 9 }, 2).unwrap();
        assert_eq!((back.attempts, back.next_at), (planned.attempts, 9));
    }
}
