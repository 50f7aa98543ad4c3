//! Which changes that a poll found had been told of, and which only the poll found.

/// A change that a poll found. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub reference: String,
    /// The list was read to its end before: the change is younger than that.
    pub since: i64,
    pub seen_at: i64,
}

/// A nudge about the same list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Empty: it did not say what changed.
    pub reference: String,
    pub received_at: i64,
    /// It has explained a change before.
    pub is_spent: bool,
}

/// For each change the nudge that told of it, by its place; `None`: only the poll found it.
///
/// A nudge that names the change explains it; one that names nothing explains all of its time. One that names something
/// that no poll knows by that name (an inner id) explains one change, so that a Visma that speaks of its
/// rows in other words is not taken for silent.
pub fn explain(found: &[Found], heard: &[Heard], grace: i64) -> Vec<Option<usize>> {
    let in_time = |found: &Found, heard: &Heard| {
        heard.received_at >= found.since.saturating_sub(grace)
            && heard.received_at <= found.seen_at.saturating_add(grace)
    };
    let mut explained: Vec<Option<usize>> = found
        .iter()
        .map(|change| {
            heard.iter().position(|heard| {
                (heard.reference.is_empty() || heard.reference == change.reference)
                    && in_time(change, heard)
            })
        })
        .collect();
    let names_a_change = |heard: &Heard| {
        heard.reference.is_empty() || found.iter().any(|found| found.reference == heard.reference)
    };
    let mut left: Vec<usize> = (0..heard.len())
        .filter(|place| !heard[*place].is_spent && !names_a_change(&heard[*place]))
        .collect();
    for (change, by) in found.iter().zip(&mut explained) {
        if by.is_none()
            && let Some(at) = left.iter().position(|place| in_time(change, &heard[*place]))
        {
            *by = Some(left.remove(at));
        }
    }
    explained
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(reference: &str, since: i64, seen_at: i64) -> Found {
        Found { reference: reference.into(), since, seen_at }
    }

    fn heard(reference: &str, received_at: i64) -> Heard {
        Heard { reference: reference.into(), received_at, is_spent: false }
    }

    #[test]
    fn a_nudge_explains_what_it_names_within_its_time() {
        let changes = [found("a", 100, 200), found("b", 100, 200)];
        let told = [heard("a", 150)];
        assert_eq!(explain(&changes, &told, 10), [Some(0), None]);
        for (at, good) in [(89, false), (90, true), (210, true), (211, false)] {
            let said = explain(&changes[..1], &[heard("a", at)], 10);
            assert_eq!(said, [good.then_some(0)], "{at}");
        }
    }

    #[test]
    fn one_that_names_nothing_explains_all_of_its_time() {
        let changes = [found("a", 100, 200), found("b", 100, 200), found("c", 300, 400)];
        assert_eq!(explain(&changes, &[heard("", 200)], 10), [Some(0), Some(0), None]);
    }

    #[test]
    fn one_in_other_words_explains_one_change_once() {
        let changes = [found("a", 100, 200), found("b", 100, 200)];
        assert_eq!(explain(&changes, &[heard("guid-1", 150)], 10), [Some(0), None]);
        let both = [heard("guid-1", 150), heard("guid-2", 151)];
        assert_eq!(explain(&changes, &both, 10), [Some(0), Some(1)]);
        let spent = Heard { is_spent: true, ..heard("guid-1", 150) };
        assert_eq!(explain(&changes, &[spent], 10), [None, None]);
        // One that names another change of the same poll is not in other words.
        assert_eq!(explain(&changes, &[heard("a", 150), heard("a", 151)], 10), [Some(0), None]);
    }
}
