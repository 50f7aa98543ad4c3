use super::{Condition, Event, EventState, Kind, NewHold};
use std::collections::{BTreeMap, BTreeSet};

/// What was told to one target about one condition. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub key: String,
    pub kind: Kind,
    /// Told as begun and not yet as ended.
    pub open: bool,
    pub told_at: i64,
    /// Holds that came to be up to then were told.
    pub told_until: i64,
}

/// How often a target wants to hear. In microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The same thing is told again at the earliest after so long: new holds, and a condition that
    /// ended and came back.
    pub quiet: i64,
    /// A condition that lasts is told again after so long; 0: never.
    pub remind: i64,
}

/// What is to be kept and told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub keep: Vec<Known>,
    /// Keys that need not be remembered any more.
    pub forget: Vec<String>,
    pub events: Vec<Event>,
}

/// Compares what is wrong now with what was told. `wanted` says which conditions the target hears of;
/// what it does not hear of is neither told nor kept.
pub fn watch(
    conditions: &[Condition],
    known: &[Known],
    pace: Pace,
    wanted: impl Fn(&Condition) -> bool,
    now: i64,
) -> Outcome {
    let mut outcome = Outcome::default();
    let known: BTreeMap<&str, &Known> = known.iter().map(|row| (row.key.as_str(), row)).collect();
    let mut there: BTreeSet<String> = BTreeSet::new();
    for condition in conditions.iter().filter(|condition| wanted(condition)) {
        let key = condition.key();
        if !there.insert(key.clone()) {
            continue;
        }
        let before = known.get(key.as_str()).copied();
        let told = match condition {
            Condition::Holds { connection, holds } => {
                new_holds(connection, holds, before, pace, now)
            }
            Condition::Stalled { .. }
            | Condition::Silence { .. }
            | Condition::SignIn { .. }
            | Condition::Allowance { .. }
            | Condition::Uncertain { .. }
            | Condition::Doubled { .. }
            | Condition::Webhook { .. }
            | Condition::Reconcile { .. } => lasting(condition, before, pace, now),
        };
        let Some((event, told_until)) = told else { continue };
        outcome.events.push(event);
        outcome.keep.push(Known {
            key,
            kind: condition.kind(),
            open: true,
            told_at: now,
            told_until,
        });
    }
    for (key, row) in known {
        if there.contains(key) {
            continue;
        }
        // Holds that went away need no word; that a flow goes on again does.
        if row.open && row.kind != Kind::Holds {
            outcome.events.push(Event::ended(row, now));
            outcome.keep.push(Known { open: false, told_at: now, ..row.clone() });
        } else if now.saturating_sub(row.told_at) >= pace.quiet {
            outcome.forget.push(key.to_owned());
        }
    }
    outcome
}

/// Those that were not told yet, together.
fn new_holds(
    connection: &str,
    holds: &[NewHold],
    before: Option<&Known>,
    pace: Pace,
    now: i64,
) -> Option<(Event, i64)> {
    let told_until = before.map_or(i64::MIN, |row| row.told_until);
    let fresh: Vec<&NewHold> = holds.iter().filter(|hold| hold.since > told_until).collect();
    let latest = fresh.iter().map(|hold| hold.since).max()?;
    if before.is_some_and(|row| now.saturating_sub(row.told_at) < pace.quiet) {
        return None;
    }
    Some((Event::holds(connection, &fresh, holds.len(), now), latest))
}

fn lasting(
    condition: &Condition,
    before: Option<&Known>,
    pace: Pace,
    now: i64,
) -> Option<(Event, i64)> {
    let since_told = before.map(|row| now.saturating_sub(row.told_at));
    let state = match (before, since_told) {
        (Some(row), Some(since)) if row.open => {
            (pace.remind > 0 && since >= pace.remind).then_some(EventState::GoesOn)?
        }
        (Some(_), Some(since)) if since < pace.quiet => return None,
        _ => EventState::Began,
    };
    Some((Event::of(condition, state, now), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const PACE: Pace = Pace { quiet: 60 * MINUTE, remind: 24 * 60 * MINUTE };

    fn sign_in() -> Condition {
        Condition::SignIn { system: "Visma.net", id: "no".into(), error: "refused".into() }
    }

    fn held(document: &str, since: i64) -> NewHold {
        NewHold {
            document: document.into(),
            number: document.to_uppercase(),
            code: "price_over".into(),
            text: "price 104.00 against 100.00".into(),
            since,
        }
    }

    /// Keeps what was told, as the store does.
    #[derive(Default)]
    struct Told(Vec<Known>);

    impl Told {
        fn at(&mut self, conditions: &[Condition], now: i64) -> Vec<EventState> {
            let outcome = watch(conditions, &self.0, PACE, |_| true, now);
            for row in &outcome.keep {
                self.0.retain(|known| known.key != row.key);
                self.0.push(row.clone());
            }
            self.0.retain(|known| !outcome.forget.contains(&known.key));
            outcome.events.into_iter().map(|event| event.state).collect()
        }
    }

    #[test]
    fn a_condition_is_told_when_it_begins_and_when_it_ends() {
        let mut told = Told::default();
        assert_eq!(told.at(&[sign_in()], 0), [EventState::Began]);
        assert_eq!(told.at(&[sign_in()], MINUTE), []);
        assert_eq!(told.at(&[sign_in()], 24 * 60 * MINUTE), [EventState::GoesOn]);
        assert_eq!(told.at(&[], 24 * 60 * MINUTE + MINUTE), [EventState::Ended]);
        assert_eq!(told.at(&[], 24 * 60 * MINUTE + 2 * MINUTE), []);
    }

    #[test]
    fn what_comes_and_goes_is_not_told_each_time() {
        let mut told = Told::default();
        assert_eq!(told.at(&[sign_in()], 0), [EventState::Began]);
        assert_eq!(told.at(&[], MINUTE), [EventState::Ended]);
        assert_eq!(told.at(&[sign_in()], 2 * MINUTE), []);
        assert_eq!(told.at(&[], 3 * MINUTE), [], "its second end is no news either");
        assert_eq!(told.at(&[sign_in()], 62 * MINUTE), [EventState::Began]);
    }

    #[test]
    fn holds_come_together_and_each_once() {
        let mut told = Told::default();
        let holds = |holds: Vec<NewHold>| [Condition::Holds { connection: "no".into(), holds }];
        assert_eq!(told.at(&holds(vec![held("a", 1), held("b", 2)]), 10), [EventState::Began]);
        let three = holds(vec![held("a", 1), held("b", 2), held("c", 20)]);
        assert_eq!(told.at(&three, MINUTE), [], "not before the quiet time is over");
        let outcome = watch(&three, &told.0, PACE, |_| true, 61 * MINUTE);
        let text = &outcome.events[0].text;
        assert!(text.contains('C') && !text.contains("\nB"), "{text}");
        assert_eq!(told.at(&three, 61 * MINUTE), [EventState::Began]);
        assert_eq!(told.at(&three, 200 * MINUTE), [], "nothing new");
        assert_eq!(told.at(&[], 201 * MINUTE), [], "an end of holds is no news");
    }

    #[test]
    fn what_a_target_does_not_hear_of_is_not_kept() {
        let outcome = watch(&[sign_in()], &[], PACE, |_| false, 0);
        assert_eq!(outcome, Outcome::default());
    }
}
