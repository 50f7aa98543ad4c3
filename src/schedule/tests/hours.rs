use super::*;
use crate::schedule::BusinessHours;

fn first(texts: &[&str], zone: &str, from: &str) -> (String, String) {
    let hours = BusinessHours::parse(texts.iter().copied()).expect("right");
    let zone = TimeZone::get(zone).expect("a zone");
    let (from, to) = hours.open_at_or_after(at(from), &zone).expect("it opens each week");
    (readable(from), readable(to))
}

#[test]
fn the_open_time_that_counts() {
    let week: &[&str] = &["mon-fri 07:00-18:00"];
    let night: &[&str] = &["sun-thu 22:00-24:00", "mon-fri 00:00-06:00"];
    let cases: &[(&[&str], &str, &str, &str, &str)] = &[
        // Inside, at its end, over the weekend; Oslo is two hours ahead in summer, one in winter.
        (
            week,
            "Europe/Oslo",
            "2026-06-12T10:00:00Z",
            "2026-06-12T05:00:00Z",
            "2026-06-12T16:00:00Z",
        ),
        (
            week,
            "Europe/Oslo",
            "2026-06-12T16:00:00Z",
            "2026-06-15T05:00:00Z",
            "2026-06-15T16:00:00Z",
        ),
        (
            week,
            "Europe/Oslo",
            "2026-10-23T16:00:00Z",
            "2026-10-26T06:00:00Z",
            "2026-10-26T17:00:00Z",
        ),
        // Two windows that touch at midnight are one; the spring night has an hour less.
        (
            night,
            "Europe/Oslo",
            "2026-06-11T21:00:00Z",
            "2026-06-11T20:00:00Z",
            "2026-06-12T04:00:00Z",
        ),
        // Opens in the gap: at the first moment after it.
        (
            &["sun 02:30-05:00"],
            "Europe/Oslo",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T03:00:00Z",
        ),
        // Opens at a time that comes twice: at the first.
        (
            &["sun 02:30-05:00"],
            "Europe/Oslo",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T04:00:00Z",
        ),
    ];
    for (texts, zone, from, opens, closes) in cases {
        let found = first(texts, zone, from);
        assert_eq!(found, ((*opens).to_owned(), (*closes).to_owned()), "{texts:?} from {from}");
    }
}

#[test]
fn wrong_hours_say_what_is_wrong() {
    let cases = [
        ("", "is not days and then hours"),
        ("mon-fri", "is not days and then hours"),
        ("mon-fri 07:00", "has no hours"),
        ("mon-fri 7-18", "`7` where a time"),
        ("mon-fri 07:00-25:00", "`25:00` where a time"),
        ("man-fre 07:00-18:00", "`man` where a day"),
        ("mon-fri 22:00-06:00", "ends before it begins"),
        ("mon-fri 07:00-07:00", "ends before it begins"),
    ];
    for (text, words) in cases {
        let error = table(&format!("business_hours = [{text:?}]")).expect_err(text);
        assert!(error.starts_with("schedule.business_hours: ") && error.contains(words), "{error}");
        assert!(error.contains("write for example \"mon-fri 07:00-18:00\""), "{error}");
    }
}
