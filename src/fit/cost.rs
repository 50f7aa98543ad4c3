//! What posting costs in calls, and how long it takes under an hourly allowance.

use serde::Serialize;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
/// Rounds that a report reckons with, minutes apart.
const ROUNDS_EVERY: [u64; 3] = [5, 15, 60];

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CostInputs {
    /// Of Visma's hourly allowance, as its headers said last. `None`: they said nothing.
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub resets_in: Option<Duration>,
    /// Documents that would be written, and the calls that write them with their files and releases.
    pub documents: u64,
    pub writes: u64,
    /// Everything that is not ignored and does not stand there yet: what would be written if nothing
    /// were held.
    pub backlog: u64,
    /// Rows of one page of a list.
    pub page_size: u64,
    /// Calls of the first read of Visma, and of one that finds nothing new.
    pub first_read: u64,
    pub idle_read: u64,
    /// Calls to JAGGAER in this run, and lists that each round asks for.
    pub jaggaer: u64,
    pub jaggaer_lists: u64,
    /// Seconds of one call to Visma, as measured over the reads; calls at a time; the least time
    /// between two.
    pub seconds_per_call: f64,
    pub at_a_time: u64,
    pub min_interval: Duration,
    /// Documents that come in a day, those that wait or are held included.
    pub documents_per_day: f64,
}

/// In the report.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub resets_in_seconds: Option<u64>,
    /// Documents of the period that would be written, calls for them, and calls for one.
    pub documents: u64,
    pub calls: u64,
    pub calls_per_document: f64,
    /// Time for them, in seconds.
    pub seconds: u64,
    /// What makes it last: `allowance` or `pace`.
    pub bound_by: &'static str,
    /// The same for everything that is not ignored, as if nothing were held.
    pub backlog: u64,
    pub backlog_calls: u64,
    pub backlog_seconds: u64,
    pub first_read: u64,
    pub idle_read: u64,
    pub jaggaer: u64,
    pub documents_per_day: f64,
    pub every: Vec<EveryMinutes>,
}

/// Calls of a day with a round every so many minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EveryMinutes {
    pub minutes: u64,
    pub visma_calls_a_day: u64,
    pub jaggaer_calls_a_day: u64,
    /// Of Visma's allowance; `None`: not known.
    pub percent_of_allowance: Option<u64>,
}

pub fn cost(of: &CostInputs) -> Cost {
    // What was written is seen again in the list of changes, a page at a time.
    let seen_again = |documents: u64| documents.div_ceil(of.page_size.max(1));
    let calls = of.writes + seen_again(of.documents);
    let paced = of.seconds_per_call / count(of.at_a_time.max(1));
    let per_call = Duration::try_from_secs_f64(paced).unwrap_or_default().max(of.min_interval);
    let time = |calls| time_for(calls, per_call, of.limit, of.remaining, of.resets_in);
    let total = time(calls);
    let writes_of_each = if of.documents == 0 { 1.0 } else { ratio(of.writes, of.documents) };
    let backlog_calls = whole(count(of.backlog) * writes_of_each) + seen_again(of.backlog);
    let at_pace = per_call.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
    let calls_per_document = ratio(calls, of.documents);
    let every = ROUNDS_EVERY.map(|minutes| {
        let rounds = 24 * 60 / minutes;
        let documents = of.documents_per_day * calls_per_document.max(1.0);
        let visma = rounds * of.idle_read + whole(documents);
        let percent = of.limit.filter(|limit| *limit > 0).map(|limit| visma * 100 / (limit * 24));
        EveryMinutes {
            minutes,
            visma_calls_a_day: visma,
            jaggaer_calls_a_day: rounds * of.jaggaer_lists + whole(of.documents_per_day),
            percent_of_allowance: percent,
        }
    });
    Cost {
        limit: of.limit,
        remaining: of.remaining,
        resets_in_seconds: of.resets_in.map(|left| left.as_secs()),
        documents: of.documents,
        calls,
        calls_per_document: (calls_per_document * 100.0).round() / 100.0,
        seconds: seconds(total),
        bound_by: if total > at_pace { "allowance" } else { "pace" },
        backlog: of.backlog,
        backlog_calls,
        backlog_seconds: seconds(time(backlog_calls)),
        first_read: of.first_read,
        idle_read: of.idle_read,
        jaggaer: of.jaggaer,
        documents_per_day: (of.documents_per_day * 10.0).round() / 10.0,
        every: every.into(),
    }
}

/// How long `calls` take when each takes `per_call` and an hour allows `limit`: first what is left of
/// the running window, then whole windows. Writes may use the whole of it.
pub fn time_for(
    calls: u64,
    per_call: Duration,
    limit: Option<u64>,
    remaining: Option<u64>,
    resets_in: Option<Duration>,
) -> Duration {
    let at_pace = |calls: u64| per_call.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
    let Some(limit) = limit.filter(|limit| *limit > 0) else { return at_pace(calls) };
    let first = remaining.unwrap_or(limit);
    if calls <= first {
        return at_pace(calls);
    }
    // A window that is too short for its calls at this pace lets fewer through.
    let mut spent = resets_in.unwrap_or(HOUR).min(HOUR);
    let fits = |window: Duration| match per_call.as_nanos() {
        0 => u64::MAX,
        nanos => u64::try_from(window.as_nanos() / nanos).unwrap_or(u64::MAX),
    };
    let mut left = calls - first.min(fits(spent)).min(calls);
    let in_an_hour = limit.min(fits(HOUR)).max(1);
    let whole = left.saturating_sub(1) / in_an_hour;
    spent += HOUR.saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX));
    left -= whole * in_an_hour;
    spent + at_pace(left)
}

/// Rounded up.
fn seconds(of: Duration) -> u64 {
    of.as_secs() + u64::from(of.subsec_nanos() > 0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls, far below what a double holds")]
const fn count(of: u64) -> f64 {
    of as f64
}

fn ratio(of: u64, to: u64) -> f64 {
    if to == 0 { 0.0 } else { count(of) / count(to) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of calls, no amount"
)]
fn whole(of: f64) -> u64 {
    of.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_that_runs_comes_first_and_then_whole_ones() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let second = Duration::from_secs(1);
        // calls, per call, limit, remaining, resets in -> time
        let cases = [
            (100, second, None, None, None, 100),
            (100, second, Some(1000), Some(100), Some(minutes(1)), 100),
            // 50 now, the other 50 when the window is over.
            (100, second, Some(1000), Some(50), Some(minutes(10)), 600 + 50),
            // 3 windows full, and what is left.
            (3100, second, Some(1000), Some(0), Some(minutes(10)), 600 + 3 * 3600 + 100),
            (2000, second, Some(1000), Some(0), Some(minutes(10)), 600 + 3600 + 1000),
            // The pace lets 360 through in an hour, whatever the allowance says.
            (720, 10 * second, Some(1000), Some(0), Some(minutes(0)), 3600 + 3600),
            (0, second, Some(1000), Some(0), Some(minutes(10)), 0),
            // Nothing is known of the window: as if it had just begun.
            (1500, Duration::ZERO, Some(1000), None, None, 3600),
        ];
        for (calls, per_call, limit, remaining, resets_in, seconds) in cases {
            let found = time_for(calls, per_call, limit, remaining, resets_in);
            assert_eq!(found, Duration::from_secs(seconds), "{calls} {limit:?} {remaining:?}");
        }
    }

    #[test]
    fn a_day_costs_its_rounds_and_its_documents() {
        let of = CostInputs {
            limit: Some(500),
            remaining: Some(400),
            documents: 90,
            writes: 100,
            backlog: 900,
            page_size: 1000,
            idle_read: 15,
            jaggaer_lists: 5,
            documents_per_day: 9.0,
            at_a_time: 4,
            seconds_per_call: 0.4,
            ..CostInputs::default()
        };
        let cost = cost(&of);
        assert_eq!((cost.calls, cost.calls_per_document, cost.bound_by), (101, 1.12, "pace"));
        assert_eq!(cost.seconds, 11);
        // 1,000 writes and a page: 400 calls now, 500 in the next hour, 101 in the one after it.
        assert_eq!((cost.backlog_calls, cost.backlog_seconds), (1001, 7200 + 11));
        let every: Vec<_> = cost
            .every
            .iter()
            .map(|of| (of.minutes, of.visma_calls_a_day, of.percent_of_allowance))
            .collect();
        assert_eq!(every, [(5, 4331, Some(36)), (15, 1451, Some(12)), (60, 371, Some(3))]);
        assert_eq!(cost.every[0].jaggaer_calls_a_day, 288 * 5 + 9);
    }
}
