//! Background calls: 202 at once, the work later, the outcome by asking. `Finished` only means that the inner
//! call was carried out: its own status tells whether that went well.

use super::reply::{Reply, time};
use super::state::State;
use super::{Call, Settings};
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub call: Call,
    pub accepted: DateTime,
    pub accepted_at: Instant,
    pub polls: u32,
    pub reply: Option<Reply>,
    pub silence: Silence,
}

/// Whether the job will tell how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    Talks,
    /// Works, and says `Started`.
    AfterWork,
    /// Never works, and says `Started`.
    WithoutWork,
}

impl Job {
    /// Silence ends after a while when the switchboard says so.
    pub fn silence(&self, ends: Option<Duration>, now: Instant) -> Silence {
        match ends {
            Some(ends) if now.duration_since(self.accepted_at) >= ends => Silence::Talks,
            _ => self.silence,
        }
    }

    pub fn due(&self, settings: &Settings, now: Instant) -> bool {
        self.polls >= settings.background_polls
            || now.duration_since(self.accepted_at) >= settings.background_delay
    }
}

/// Takes the call in and answers 202.
pub(crate) fn accept(state: &mut State, call: Call, silence: Silence, now: Instant) -> Reply {
    let id = state.guid();
    let body =
        json!({"id": id, "stateLocation": format!("http://{}/v1/background/{id}", call.host)});
    let job = Job { call, accepted: state.clock, accepted_at: now, polls: 0, reply: None, silence };
    state.jobs.insert(id, job);
    Reply::json(202, &body)
}

fn gone(job: &Job, state: &State) -> bool {
    state.clock.duration_since(job.accepted).as_hours() >= 24
}

/// `GET /v1/background/{id}`.
pub(crate) fn state_of(state: &State, id: &str, ends: Option<Duration>, now: Instant) -> Reply {
    let Some(job) = state.jobs.get(id) else { return Reply::not_found() };
    if gone(job, state) {
        return Reply::message(410, "The request is no longer kept.");
    }
    let done = match job.silence(ends, now) {
        Silence::Talks => job.reply.as_ref(),
        Silence::AfterWork | Silence::WithoutWork => None,
    };
    let uri = format!("http://{}{}", job.call.host, job.call.path);
    // The names say UTC, the values carry the company's offset.
    let received = format!("{}+01:00", time(job.accepted));
    let headers = done.map(|reply| {
        reply
            .headers
            .iter()
            .filter_map(|(name, value)| match *name {
                "location" => Some(("Location".to_owned(), Value::from(value.as_str()))),
                "etag" => Some(("ETag".to_owned(), Value::from(value.as_str()))),
                _ => None,
            })
            .collect::<Map<_, _>>()
    });
    let with_content = done.is_some_and(|reply| !reply.body.is_empty());
    Reply::json(
        200,
        &json!({
            "id": id,
            "status": if done.is_some() { "Finished" } else { "Started" },
            "statusCode": done.map_or(0, |reply| reply.status),
            "receivedUtc": received,
            "startedUtc": received,
            "finishedUtc": done.map(|_| received.as_str()),
            "webhookAddress": "none",
            "errorMessage": null,
            "reference": null,
            "originalUri": uri,
            "hasResponseContent": with_content,
            "hasRequestContent": !job.call.body.is_empty(),
            "contentLocation": format!("http://{}/v1/background/{id}/content", job.call.host),
            "responseHeaders": headers.filter(|headers| !headers.is_empty()),
        }),
    )
}

/// `GET /v1/background/{id}/content`.
pub(crate) fn content_of(state: &State, id: &str, ends: Option<Duration>, now: Instant) -> Reply {
    let Some(job) = state.jobs.get(id) else { return Reply::not_found() };
    if gone(job, state) {
        return Reply::message(410, "The request is no longer kept.");
    }
    match &job.reply {
        Some(reply) if !reply.body.is_empty() && job.silence(ends, now) == Silence::Talks => {
            Reply {
                status: 200,
                headers: vec![("content-type", "application/json; charset=utf-8".into())],
                body: reply.body.clone(),
            }
        }
        _ => Reply::not_found(),
    }
}
