use super::Check;
use super::reach::Answered;
use jiff::{SignedDuration, Timestamp};

/// What is taken for the same time: `Date` has whole seconds, answers take some, and nothing here breaks
/// by a minute.
const BEARABLE: SignedDuration = SignedDuration::from_secs(120);

/// A clock beside ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockSeen {
    pub host: String,
    /// Theirs less ours; `None`: the answer carried no date.
    pub ahead: Option<SignedDuration>,
}

impl ClockSeen {
    pub fn of(host: &str, answered: &Answered) -> Self {
        let way = answered.answered_at.duration_since(answered.asked_at);
        let middle = answered.asked_at.checked_add(way / 2).unwrap_or(answered.asked_at);
        let ahead = answered.date.map(|date: Timestamp| date.duration_since(middle));
        Self { host: host.to_owned(), ahead }
    }
}

/// Judges this machine's clock by those of the hosts that answered, once for all of them.
pub fn clocks(seen: &[ClockSeen]) -> Check {
    let name = "clock";
    let told: Vec<(&str, SignedDuration)> =
        seen.iter().filter_map(|clock| Some((clock.host.as_str(), clock.ahead?))).collect();
    let (wrong, right): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(_, ahead)| ahead.abs() > BEARABLE);
    let Some((host, ahead)) = wrong.iter().max_by_key(|(_, ahead)| ahead.abs()) else {
        return match right.iter().max_by_key(|(_, ahead)| ahead.abs()) {
            None => Check::unknown(name, "no answer carried a date to compare this machine's with"),
            Some((_, ahead)) => Check::good(
                name,
                format!("within {} s of {}", ahead.abs().as_secs(), hosts(&right)),
            ),
        };
    };
    if let Some((fine, _)) = right.first() {
        let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
        return Check::failed(
            name,
            format!(
                "{host} is {} {direction} this machine, whose clock agrees with {fine}",
                amount(*ahead)
            ),
            format!(
                "tell whoever runs {host}, or the proxy before it, that its clock is wrong; there is nothing to set here"
            ),
        );
    }
    // All that answered agree against us.
    let direction = if ahead.is_positive() { "behind" } else { "ahead of" };
    Check::failed(
        name,
        format!("this machine's clock is {} {direction} {}", amount(*ahead), hosts(&wrong)),
        "set this machine's clock: `timedatectl set-ntp true`, then look at `timedatectl`",
    )
}

fn hosts(clocks: &[(&str, SignedDuration)]) -> String {
    let mut names: Vec<&str> = clocks.iter().map(|(host, _)| *host).collect();
    names.dedup();
    names.join(", ")
}

/// `10 min`, `3 h 20 min`.
pub(super) fn amount(time: SignedDuration) -> String {
    let minutes = (time.abs().as_secs() + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours @ 1..=47, 0) => format!("{hours} h"),
        (hours @ 1..=47, minutes) => format!("{hours} h {minutes} min"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn seen(host: &str, seconds: Option<i64>) -> ClockSeen {
        ClockSeen { host: host.into(), ahead: seconds.map(SignedDuration::from_secs) }
    }

    #[test]
    fn whose_clock_is_wrong_is_told_apart() {
        let (good, unknown, failed) = (Verdict::Good, Verdict::Unknown, Verdict::Failed);
        let cases: [(&[ClockSeen], Verdict, &str); 7] = [
            (&[], unknown, "no answer"),
            (&[seen("a", None)], unknown, "no answer"),
            (&[seen("a", Some(1)), seen("b", Some(-2))], good, "within 2 s of a, b"),
            (&[seen("a", Some(120))], good, "within 120 s"),
            (&[seen("a", Some(600))], failed, "this machine's clock is 10 min behind a"),
            (&[seen("a", Some(-600)), seen("b", Some(-590))], failed, "10 min ahead of a, b"),
            (
                &[seen("a", Some(600)), seen("b", Some(0))],
                failed,
                "a is 10 min ahead of this machine",
            ),
        ];
        for (clocks_seen, verdict, words) in cases {
            let check = clocks(clocks_seen);
            assert_eq!(check.verdict, verdict, "{clocks_seen:?}");
            assert!(check.detail.contains(words), "{}", check.detail);
            assert_eq!(check.fix.is_empty(), verdict != failed);
        }
    }

    #[test]
    fn the_way_there_and_back_is_halved() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let answered = Answered { date: Some(at(110)), asked_at: at(100), answered_at: at(120) };
        assert_eq!(ClockSeen::of("a", &answered).ahead, Some(SignedDuration::ZERO));
    }

    #[test]
    fn amounts() {
        for (seconds, text) in
            [(59, "1 min"), (3600, "1 h"), (-3660, "1 h 1 min"), (48 * 3600, "2 days")]
        {
            assert_eq!(amount(SignedDuration::from_secs(seconds)), text);
        }
    }
}
