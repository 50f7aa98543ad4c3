use super::*;
use crate::schedule::{Flow, MINUTE, When};

/// All planned times in (from, to].
fn planned(timetable: &Timetable, flow: Flow, from: &str, to: &str) -> Vec<String> {
    let (mut now, to) = (at(from), at(to));
    let mut found = Vec::new();
    while let Some(next) = timetable.next_after(flow, now).filter(|next| *next <= to) {
        assert!(next > now);
        found.push(readable(next));
        now = next;
    }
    found
}

/// A time that does not exist is replaced by the first moment after the gap; one that exists twice
/// counts the first time. So a daily run is daily, also on those two days.
#[test]
fn a_daily_run_at_half_past_two_is_once_each_day() {
    let cases = [
        (
            "Europe/Oslo",
            "2026-03-27T23:00:00Z",
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "Europe/Oslo",
            "2026-10-23T22:00:00Z",
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        // Helsinki changes at 03:00: half past two exists in spring, and once in autumn.
        (
            "Europe/Helsinki",
            "2026-03-27T22:00:00Z",
            ["2026-03-28T00:30:00Z", "2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z"],
        ),
        (
            "Europe/Helsinki",
            "2026-10-23T21:00:00Z",
            ["2026-10-23T23:30:00Z", "2026-10-24T23:30:00Z", "2026-10-26T00:30:00Z"],
        ),
        (
            "Atlantic/Reykjavik",
            "2026-03-28T00:00:00Z",
            ["2026-03-28T02:30:00Z", "2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"],
        ),
        (
            "Atlantic/Reykjavik",
            "2026-10-24T00:00:00Z",
            ["2026-10-24T02:30:00Z", "2026-10-25T02:30:00Z", "2026-10-26T02:30:00Z"],
        ),
    ];
    for (zone, from, expected) in cases {
        let timetable = timetable("accounts = \"30 2 * * *\"", zone);
        let to = readable(at(from) + 72 * 60 * MINUTE);
        assert_eq!(planned(&timetable, Flow::Accounts, from, &to), expected, "{zone} {from}");
    }
}

/// Half past three is the time that Helsinki skips and repeats.
#[test]
fn the_changes_of_helsinki() {
    let timetable = timetable("accounts = \"30 3 * * *\"", "Europe/Helsinki");
    assert_eq!(
        planned(&timetable, Flow::Accounts, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ["2026-03-29T01:00:00Z"]
    );
    assert_eq!(
        planned(&timetable, Flow::Accounts, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
        ["2026-10-25T00:30:00Z"]
    );
}

/// What runs by the hour of the wall clock runs once in each hour that there is.
#[test]
fn hourly_by_the_wall_follows_the_hours_that_exist() {
    let timetable = timetable("orders = \"15 * * * *\"", "Europe/Oslo");
    let count = |from, to| planned(&timetable, Flow::Orders, from, to).len();
    assert_eq!(count("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23);
    assert_eq!(count("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25);
}

#[test]
fn every_n_minutes_goes_by_elapsed_time() {
    for zone in ["Europe/Oslo", "Europe/Helsinki", "Atlantic/Reykjavik"] {
        for (from, to) in [
            ("2026-03-28T22:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z"),
        ] {
            for (text, expected) in
                [("every 5 minutes", 288), ("every 2 hours", 12), ("every minute", 1440)]
            {
                let timetable = timetable(&format!("orders = {text:?}"), zone);
                assert_eq!(planned(&timetable, Flow::Orders, from, to).len(), expected, "{zone}");
            }
        }
    }
}

#[test]
fn business_hours_bound_what_goes_by_every_and_nothing_else() {
    let text = "orders = \"every 4 hours\"\naccounts = \"0 3 * * *\"\nbusiness_hours = [\"mon-fri 07:00-16:00\"]";
    let timetable = timetable(text, "Europe/Oslo");
    // Friday, then Monday after the autumn change: seven o'clock is seven o'clock.
    assert_eq!(
        planned(&timetable, Flow::Orders, "2026-10-23T00:00:00Z", "2026-10-26T23:00:00Z"),
        [
            "2026-10-23T05:00:00Z",
            "2026-10-23T09:00:00Z",
            "2026-10-23T13:00:00Z",
            "2026-10-26T06:00:00Z",
            "2026-10-26T10:00:00Z",
            "2026-10-26T14:00:00Z",
        ]
    );
    assert_eq!(
        planned(&timetable, Flow::Accounts, "2026-10-23T12:00:00Z", "2026-10-25T12:00:00Z").len(),
        2
    );
}

/// Longer between two runs than it is ever open: it runs at each opening all the same.
#[test]
fn every_opening_has_a_run() {
    for jitter in [0, 60, 3600] {
        let text = format!(
            "orders = \"every 24 hours\"\njitter_seconds = {jitter}\nbusiness_hours = [\"tue 12:00-12:01\"]"
        );
        let timetable = timetable(&text, "Europe/Oslo");
        let found =
            planned(&timetable, Flow::Orders, "2026-06-01T00:00:00Z", "2026-06-29T00:00:00Z");
        assert_eq!(found.len(), 4, "{found:?}");
    }
}

#[test]
fn jitter_is_stable_and_spread() {
    let zone = TimeZone::UTC;
    let of = |unit: &str| Timetable::new(&ScheduleTable::defaults(), &zone, unit).offset();
    assert_eq!(of("nordlys"), of("nordlys"));
    let mut thirds = [0; 3];
    for number in 0..3000 {
        let offset = of(&format!("connection-{number}"));
        assert!((0..MINUTE).contains(&offset));
        thirds[usize::try_from(offset / (MINUTE / 3)).expect("small").min(2)] += 1;
    }
    assert!(thirds.iter().all(|count| (900..1100).contains(count)), "{thirds:?}");
}

/// The offset moves each planned time and loses none, in both changes of the clocks.
#[test]
fn jitter_moves_and_loses_nothing() {
    for (from, to) in [
        ("2026-03-27T22:00:00Z", "2026-03-31T22:00:00Z"),
        ("2026-10-23T22:00:00Z", "2026-10-27T22:00:00Z"),
    ] {
        let text = "accounts = \"*/30 * * * *\"";
        let plain = timetable(text, "Europe/Oslo");
        let late = timetable(&format!("{text}\njitter_seconds = 3600"), "Europe/Oslo");
        assert_ne!(late.offset(), 0);
        let moved: Vec<String> = planned(&plain, Flow::Accounts, from, to)
            .iter()
            .map(|text| readable(at(text) + late.offset()))
            .collect();
        let (from, to) = (at(from) + late.offset(), at(to) + late.offset());
        assert_eq!(planned(&late, Flow::Accounts, &readable(from), &readable(to)), moved);
    }
}

#[test]
fn a_connection_says_what_is_otherwise() {
    let all =
        table("orders = \"every 10 minutes\"\ntime_zone = \"Europe/Helsinki\"").expect("right");
    let one = table("orders = \"never\"").expect("right");
    let merged = Timetable::new(&one.or(&all), &TimeZone::UTC, "u");
    assert_eq!(*merged.when(Flow::Orders), When::Never);
    assert_eq!(merged.next_after(Flow::Orders, 0), None);
    assert_eq!(*merged.when(Flow::Invoices), When::Every(5 * MINUTE));
    let four_in_helsinki =
        merged.next_after(Flow::Accounts, at("2026-06-01T00:00:00Z")).expect("daily");
    assert_eq!(readable(four_in_helsinki - merged.offset()), "2026-06-01T01:00:00Z");
}

#[test]
fn wrong_texts_say_the_key_what_is_wrong_and_an_example() {
    let cases = [
        ("", "is empty"),
        ("5 minutes", "has 2 parts where a cron expression has five"),
        ("every", "is not `every`, a number and a unit"),
        ("every five minutes", "has `five` where a whole number must be"),
        ("every 5 parsecs", "has `parsecs` where minutes or hours must be"),
        ("every 0 minutes", "is not between 1 minute and 24 hours"),
        ("every -5 minutes", "is not between 1 minute and 24 hours"),
        ("every 25 hours", "is not between 1 minute and 24 hours"),
        ("every 9223372036854775807 hours", "is not between 1 minute and 24 hours"),
        ("every 99999999999999999999 hours", "where a whole number must be"),
        ("61 * * * *", "is no cron expression"),
        ("* * * * lundi", "is no cron expression"),
        ("0 0 4 * * *", "has 6 parts"),
        ("0 4 31 2 *", "names a day that never comes"),
    ];
    for (text, words) in cases {
        let error = table(&format!("invoices = {text:?}")).expect_err(text);
        assert!(error.starts_with("schedule.invoices: "), "{error}");
        assert!(error.contains(words), "{text}: {error}");
        assert!(error.contains("write for example \"every 5 minutes\""), "{error}");
    }
    let zone = table("time_zone = \"Oslo\"").expect_err("no zone");
    assert!(zone.contains("schedule.time_zone: `Oslo`") && zone.contains("Europe/Oslo"), "{zone}");
    let jitter = table("jitter_seconds = 3601").expect_err("too long");
    assert!(jitter.contains("schedule.jitter_seconds"), "{jitter}");
    assert!(table("order = \"never\"").expect_err("unknown").contains("unknown field `order`"));
}
