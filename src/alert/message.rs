use super::condition::by_code;
use super::{Condition, Known, NewHold};
use crate::clock;
use serde::Serialize;
use serde_json::{Value, json};

/// Documents named in one message; the rest is a number.
const NAMED: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    Began,
    GoesOn,
    Ended,
}

impl EventState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::GoesOn => "goes_on",
            Self::Ended => "ended",
        }
    }
}

/// One message, before it has a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `alert.sign_in.began`.
    pub name: String,
    pub state: EventState,
    pub key: String,
    /// Microseconds UTC.
    pub at: i64,
    /// One line.
    pub title: String,
    /// What happened, to what, what to do now. Lines.
    pub text: String,
    /// The same for programs.
    pub data: Value,
}

impl Event {
    pub(super) fn holds(connection: &str, fresh: &[&NewHold], all: usize, at: i64) -> Self {
        let what = if fresh.len() == 1 { "document is" } else { "documents are" };
        let codes: Vec<String> = by_code(fresh.iter().copied())
            .into_iter()
            .map(|(code, count)| format!("{count} {code}"))
            .collect();
        let mut lines = vec![format!(
            "Since the last message {} {what} held on connection {connection}: {}. {all} in all wait for a person.",
            fresh.len(),
            codes.join(", ")
        )];
        lines.extend(fresh.iter().take(NAMED).map(|hold| {
            format!("{} ({}): {}", one_line(&hold.number), hold.document, one_line(&hold.text))
        }));
        if let Some(more) = fresh.len().checked_sub(NAMED).filter(|more| *more > 0) {
            lines.push(format!("... and {more} more."));
        }
        lines.push("See all with `ml-connector hold list`; each says what to do.".into());
        Self {
            name: "alert.holds.began".into(),
            state: EventState::Began,
            key: format!("holds/{connection}"),
            at,
            title: format!("{} {what} held ({connection})", fresh.len()),
            text: lines.join("\n"),
            data: json!({
                "connection": connection,
                "new": fresh.len(),
                "held": all,
                "codes": by_code(fresh.iter().copied()).into_iter()
                    .map(|(code, count)| (code.to_owned(), json!(count)))
                    .collect::<serde_json::Map<_, _>>(),
                "documents": fresh.iter().take(NAMED).map(|hold| json!({
                    "id": hold.document, "number": hold.number, "code": hold.code, "text": hold.text,
                    "since": clock::rfc3339(hold.since),
                })).collect::<Vec<_>>(),
            }),
        }
    }

    pub(super) fn of(condition: &Condition, state: EventState, at: i64) -> Self {
        let (title, text, data) = words(condition, at);
        let title = match state {
            EventState::GoesOn => format!("still: {title}"),
            EventState::Began | EventState::Ended => title,
        };
        let name = format!("alert.{}.{}", condition.kind().as_str(), state.as_str());
        Self { name, state, key: condition.key(), at, title, text, data }
    }

    pub(super) fn ended(known: &Known, at: i64) -> Self {
        let kind = known.kind.as_str();
        let of = known.key.split_once('/').map_or("", |(_, of)| of);
        let title = format!("over: {} ({of})", kind.replace('_', " "));
        Self {
            name: format!("alert.{kind}.ended"),
            state: EventState::Ended,
            key: known.key.clone(),
            at,
            text: format!(
                "What was told at {} does not hold any more. Nothing needs to be done.",
                clock::readable(known.told_at)
            ),
            title,
            data: json!({ "of": of, "told_at": clock::rfc3339(known.told_at) }),
        }
    }

    /// What a receiver of webhooks gets. The names are those of Standard Webhooks.
    pub fn payload(&self) -> Value {
        json!({
            "type": self.name,
            "timestamp": clock::rfc3339(self.at),
            "data": { "key": self.key, "title": self.title, "text": self.text, "detail": self.data },
        })
    }
}

/// Title, text, data.
fn words(condition: &Condition, now: i64) -> (String, String, Value) {
    match condition {
        Condition::Holds { connection, holds } => {
            let all: Vec<&NewHold> = holds.iter().collect();
            let event = Event::holds(connection, &all, holds.len(), now);
            (event.title, event.text, event.data)
        }
        Condition::Stalled { connection, flow, last_good_at, error } => {
            let last = last_good_at.map_or_else(
                || "It never came to a good end.".to_owned(),
                |at| format!("Its last good end was at {}.", clock::readable(at)),
            );
            let said = error.as_deref().map_or_else(
                || "No round of it was begun: see that `ml-connector serve` runs and owns the unit (`ml-connector status`).".to_owned(),
                |error| format!("The last round said: {}", one_line(error)),
            );
            (
                format!("{flow} of {connection} stand still"),
                format!(
                    "The flow `{flow}` of connection {connection} does not go on. {last}\n{said}\n\
                     `ml-connector ping {connection}` names the cause and what to click."
                ),
                json!({ "connection": connection, "flow": flow,
                    "last_good_at": last_good_at.map(clock::rfc3339), "error": error }),
            )
        }
        Condition::Silence { connection, flow, silence } => (
            format!("no {flow} of {connection} since {}", clock::readable(silence.last_at)),
            format!(
                "The flow `{flow}` of connection {connection} usually brings {} on such a day; nothing came since {}. \
                 On {} about {} were to be expected.\n\
                 Ask whether JAGGAER still releases them, and see `ml-connector status`. Days on which nobody works can be \
                 named in `days_off`.",
                silence.usual,
                clock::readable(silence.last_at),
                if silence.quiet_days == 1 {
                    "that day".to_owned()
                } else {
                    format!("those {} days", silence.quiet_days)
                },
                silence.missed
            ),
            json!({ "connection": connection, "flow": flow, "usual": silence.usual, "missed": silence.missed,
                "quiet_days": silence.quiet_days, "last_at": clock::rfc3339(silence.last_at) }),
        ),
        Condition::SignIn { system, id, error } => (
            format!("sign-in to {system} fails ({id})"),
            format!(
                "{system} refuses the credentials of `{id}`: {}\n\
                 Nothing moves there until it is put right. `ml-connector ping` names what to click; a new secret is \
                 taken in with `ml-connector secret set`.",
                one_line(error)
            ),
            json!({ "system": system, "id": id, "error": error }),
        ),
        Condition::Allowance { company, remaining, limit, resets_in_seconds } => (
            format!("Visma's allowance for {company} is nearly used up"),
            format!(
                "{remaining} of {limit} calls are left for company {company}{}. Reads wait until then; writes go on while \
                 there are calls. If it happens often, poll less often or ask Visma for more.",
                resets_in_seconds.map_or_else(String::new, |seconds| format!(
                    ", for another {} minutes",
                    (seconds + 59) / 60
                ))
            ),
            json!({ "company": company, "remaining": remaining, "limit": limit, "resets_in_seconds": resets_in_seconds }),
        ),
        Condition::Uncertain { connection, documents } => (
            format!("{} uncertain on {connection}", counted(documents.len(), "write")),
            format!(
                "Visma's answer to {} of connection {connection} was lost, and its lists have not settled since whether \
                 they were made. Nothing is sent again before that is known. See `ml-connector documents show ID` for: {}",
                counted(documents.len(), "write"),
                documents.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ")
            ),
            json!({ "connection": connection, "documents": documents }),
        ),
        Condition::Doubled { connection, document, number, text } => (
            format!("{} stands twice in Visma ({connection})", one_line(number)),
            format!(
                "Two documents in Visma carry the key of {} ({document}): {}\n\
                 Do not release or pay either before one is deleted or reversed there.",
                one_line(number),
                one_line(text)
            ),
            json!({ "connection": connection, "document": document, "number": number, "text": text }),
        ),
        Condition::Webhook { company, list, in_a_row, since, last_nudge_at } => {
            let last = last_nudge_at.map_or_else(
                || "It never told of any.".to_owned(),
                |at| format!("It last told of one at {}.", clock::readable(at)),
            );
            (
                format!("Visma's webhook is silent about {list} ({company})"),
                format!(
                    "The last {in_a_row} changes of {list} in company {company} were found by polls alone, since {}. {last} \
                     Nothing is lost: they are only seen later.\n\
                     In Visma's Developer Portal open My Applications, Webhooks, My Subscriptions: the events of {list} must be \
                     subscribed to with the connection's address, and be active. Then `ml-connector status` shows whether \
                     deliveries are refused (another signing key) and `ml-connector ping` whether the address is reached. What \
                     was not subscribed to is left out of `subscribed` in [connection.webhooks].",
                    clock::readable(*since)
                ),
                json!({ "company": company, "list": list, "in_a_row": in_a_row,
                    "since": clock::rfc3339(*since), "last_nudge_at": last_nudge_at.map(clock::rfc3339) }),
            )
        }
        Condition::Reconcile { unit, period, reconciled_at, differences, first } => {
            let count = usize::try_from(*differences).unwrap_or(usize::MAX);
            let mut lines = vec![format!(
                "JAGGAER's list, this store and Visma's list were held against each other for {period} at {}: {} found ({unit}).",
                clock::readable(*reconciled_at),
                counted(count, "difference")
            )];
            lines.extend(first.iter().map(|(kind, text)| format!("{kind}: {}", one_line(text))));
            if let Some(more) = count.checked_sub(first.len()).filter(|more| *more > 0) {
                lines.push(format!("... and {more} more."));
            }
            lines.push(format!(
                "See all, and what to do about each, with `ml-connector reconcile --period {period}`."
            ));
            (
                format!("{period} does not close: {} ({unit})", counted(count, "difference")),
                lines.join("\n"),
                json!({ "unit": unit, "period": period, "differences": differences,
                    "reconciled_at": clock::rfc3339(*reconciled_at),
                    "first": first.iter().map(|(kind, text)| json!({ "kind": kind, "text": text })).collect::<Vec<_>>() }),
            )
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A supplier's text may carry line ends and worse; in a message it stays one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
