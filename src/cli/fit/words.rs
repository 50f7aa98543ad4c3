//! The report as a person reads it: numbers, lengths of time and sums in words, and all of it for a
//! terminal.

use super::All;
use crate::cli::output::{Output, counted, plain, table};
use ml_connector::fit::{Cost, Counts, LIMITS, Report, Sum, Todo};
use std::fmt::Write;

/// Cells of a bar that is full.
const BAR: u64 = 30;
/// Entries of a list that a terminal shows; the JSON and the page have all of them.
const SHOWN: usize = 15;

pub fn say(all: &All, output: &Output) {
    for report in &all.reports {
        say_report(report, output);
    }
    for remark in &all.remarks {
        output.say(plain(remark));
    }
    if !all.reports.is_empty() {
        output.say("What a run that posts nothing cannot know:");
        for limit in LIMITS {
            output.say(format!("  - {limit}"));
        }
    }
    output.say(format!(
        "nothing was posted; requests: {} to Visma, {} to JAGGAER; {:.1} s",
        all.requests.visma, all.requests.jaggaer, all.seconds
    ));
    if all.stopped {
        eprintln!("stopped as asked; the report is not complete");
    }
}

fn say_report(report: &Report, output: &Output) {
    output.say(format!(
        "{}: {} to {}, the last {} days, {} to {}\n{}",
        report.connection,
        report.source,
        report.company,
        report.days,
        report.from,
        report.to,
        headline(report)
    ));
    let all = report.counts.received;
    output.say(table(
        &["documents", "count", "share"],
        outcomes(&report.counts).map(|(name, n)| vec![name.into(), n.to_string(), bar(n, all)]),
    ));
    output.say(table(
        &["", "currency", "seen", "would post", "held", "ignored", "in flight"],
        report.money.iter().map(|of| {
            let sums = [&of.seen, &of.would_post, &of.held, &of.ignored, &of.in_flight];
            [of.of.to_owned(), of.currency.clone()]
                .into_iter()
                .chain(sums.map(|sum| grouped(sum)))
                .collect()
        }),
    ));
    for sentence in go_live(report) {
        output.say(sentence);
    }
    output.say(table(&["lists", "named", "match", "do not", "in Visma"], lists(report)));
    say_todo(report, output);
    say_groups("held for", &report.holds, output);
    say_groups("in flight, waiting for", &report.waits, output);
    say_groups("ignored", &report.ignored_because, output);
    say_groups("of this source, but taken by no connection", &report.unrouted, output);
    for sentence in cost(&report.cost) {
        output.say(sentence);
    }
    output.say(table(
        &["a round every", "calls a day to Visma", "to JAGGAER", "of Visma's allowance"],
        report.cost.every.iter().map(|of| {
            vec![
                format!("{} minutes", of.minutes),
                of.visma_calls_a_day.to_string(),
                of.jaggaer_calls_a_day.to_string(),
                of.percent_of_allowance.map_or_else(|| "not known".into(), |of| format!("{of} %")),
            ]
        }),
    ));
}

/// The answer in one sentence.
pub fn headline(report: &Report) -> String {
    let counts = &report.counts;
    if counts.received == 0 {
        return "JAGGAER has no documents of these days; ask for more with --days.".to_owned();
    }
    let mut text = format!(
        "{} of {} documents would post: {} % of those that are not ignored.",
        counts.would_post, counts.received, report.share
    );
    let freeing = report.todo.iter().rposition(|of| of.frees > 0).map_or(0, |last| last + 1);
    if freeing > 0 {
        let share = report.todo[freeing - 1].share;
        let values =
            if freeing == 1 { "this value".into() } else { format!("these {freeing} values") };
        let _ = write!(text, " Map {values} and up to {share} % would.");
    }
    if let Some(trial) = &report.trial {
        let _ = write!(
            text,
            " Tried, with the first suggestion for {} of them: {} documents, {} %.",
            trial.values, trial.would_post, trial.share
        );
    }
    text
}

/// Exclusive, in the order of the pictures.
pub fn outcomes(counts: &Counts) -> [(&'static str, u64); 5] {
    [
        ("would post", counts.would_post - counts.already_in_visma),
        ("stand in Visma already", counts.already_in_visma),
        ("held", counts.held),
        ("in flight", counts.in_flight),
        ("ignored", counts.ignored),
    ]
}

/// What the day of go-live would change of it.
pub fn go_live(report: &Report) -> Vec<String> {
    let mut told = Vec::new();
    if report.before_go_live > 0 {
        told.push(format!(
            "Go-live is {}: {} of those that would post are dated before it, and would be ignored.",
            report.take_from, report.before_go_live
        ));
    }
    if report.orders_before_go_live > 0 {
        told.push(format!(
            "{} dated from go-live on name an order that is dated before it: such an order must stand in \
             Visma, or they are held with order_not_taken.",
            counted(report.orders_before_go_live, "invoice")
        ));
    }
    told
}

/// Vendors and the mapping tables: how many are named, how many match.
pub fn lists(report: &Report) -> Vec<Vec<String>> {
    let row = |title: &str, used: u64, matched: u64, in_visma: Option<u64>| {
        let in_visma = in_visma.map_or_else(|| "no list".to_owned(), |of| of.to_string());
        vec![
            plain(title),
            used.to_string(),
            matched.to_string(),
            (used - matched).to_string(),
            in_visma,
        ]
    };
    let vendors = &report.vendors;
    let first = row("Vendors", vendors.used, vendors.matched, Some(vendors.in_visma));
    let others = report.codes.iter().map(|of| row(&of.title, of.used, of.matched, of.in_visma));
    std::iter::once(first).chain(others).collect()
}

fn say_todo(report: &Report, output: &Output) {
    if report.todo.is_empty() {
        output.say("Nothing is missing in the mapping that would stop a document.");
        return;
    }
    let rows = report.todo.iter().take(SHOWN).enumerate().map(|(n, of)| {
        vec![
            (n + 1).to_string(),
            plain(&of.table),
            plain(code(of)),
            of.documents.to_string(),
            of.frees.to_string(),
            format!("{} %", of.share),
            plain(&suggestion(of)),
        ]
    });
    output.say(table(
        &["to do", "what", "code", "stops", "frees", "would post then", "best suggestion"],
        rows,
    ));
    more(report.todo.len(), output);
    output
        .say("How to: `mapping export`, `mapping import` and `mapping link`; see docs/mapping.md.");
    if report.todo.iter().any(|of| of.code.is_empty()) {
        output.say(SEGMENT_RULE);
    }
}

/// What is missing where there is no code.
pub fn code(of: &Todo) -> &str {
    if of.code.is_empty() { "no rule fills it" } else { &of.code }
}

pub const SEGMENT_RULE: &str = "A rule for a segment goes into the configuration, below \
     [[connection.mapping.segments]], each setting on a line of its own.";

pub fn suggestion(of: &Todo) -> String {
    match &of.suggestion {
        Some(of) if of.name.is_empty() => format!("{} ({} %: {})", of.value, of.score, of.because),
        Some(of) => format!("{} {} ({} %: {})", of.value, of.name, of.score, of.because),
        None => "nothing is like it".to_owned(),
    }
}

/// Lines and no table: the sentences are long.
fn say_groups(title: &str, groups: &[ml_connector::fit::Group], output: &Output) {
    if groups.is_empty() {
        return;
    }
    let mut text = format!("{title}:");
    for of in groups.iter().take(SHOWN) {
        let means = if of.means.is_empty() { String::new() } else { format!(": {}", of.means) };
        let _ = write!(text, "\n{:>6}  {}{means}", of.documents, plain(&of.code));
        if let Some(example) = of.examples.first() {
            let said = if example.text.is_empty() { "" } else { ": " };
            let of = format!("{}{said}{}", example.number, example.text);
            let _ = write!(text, "\n        e.g. {}", plain(&of));
        }
    }
    output.say(text);
    more(groups.len(), output);
}

fn more(all: usize, output: &Output) {
    if all > SHOWN {
        output.say(format!("... and {} more: see --json or --html", all - SHOWN));
    }
}

pub fn cost(cost: &Cost) -> Vec<String> {
    let allowance = match (cost.limit, cost.remaining) {
        (Some(limit), Some(remaining)) => {
            format!("Visma allows {limit} calls an hour; {remaining} are left of this one.")
        }
        _ => "Visma did not say how many calls it allows.".to_owned(),
    };
    let bound = match cost.bound_by {
        "allowance" => "the allowance",
        _ => "the pace of Visma's answers",
    };
    vec![
        allowance,
        format!(
            "Writing the {} of these days that would post: {} ({} for each), about {}; what bounds it is {bound}.",
            counted(cost.documents, "document"),
            counted(cost.calls, "call"),
            cost.calls_per_document,
            length(cost.seconds)
        ),
        format!(
            "With nothing held it would be {}: {}, about {}.",
            counted(cost.backlog, "document"),
            counted(cost.backlog_calls, "call"),
            length(cost.backlog_seconds)
        ),
        format!(
            "Reading Visma the first time took {}, a round that finds nothing new takes {}; JAGGAER took {}.",
            counted(cost.first_read, "call"),
            cost.idle_read,
            counted(cost.jaggaer, "call")
        ),
        format!("About {} documents come in a day.", cost.documents_per_day),
    ]
}

/// `purchase_order` as `purchase order`.
pub fn kind(of: &str) -> String {
    of.replace('_', " ")
}

/// `3 h 20 min`.
pub fn length(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// `1234567.50` as `1 234 567.50`, with spaces that do not break.
pub fn grouped(amount: &str) -> String {
    let (sign, rest) = amount.strip_prefix('-').map_or(("", amount), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut text = String::from(sign);
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n) % 3 == 0 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// What is owed; of orders only where there is no invoice.
pub fn sums(of: &[Sum]) -> String {
    let has_invoices = of.iter().any(|of| of.of == "invoices");
    let told = of.iter().filter(|of| !has_invoices || of.of == "invoices");
    let mut text: Vec<String> =
        told.map(|of| format!("{} {}", grouped(&of.amount), of.currency)).collect();
    if !has_invoices && !text.is_empty() {
        text.insert(0, "ordered".into());
    }
    text.join(", ")
}

fn bar(n: u64, all: u64) -> String {
    let all = all.max(1);
    // What is there shows, however little.
    let full = (n * BAR / all).max(u64::from(n > 0));
    let cells = |n: u64, of: &str| of.repeat(usize::try_from(n).unwrap_or(0));
    format!("{}{} {:>3} %", cells(full, "█"), cells(BAR - full, "░"), n * 100 / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let amounts = [("0.00", "0.00"), ("-1234567.50", "-1 234 567.50"), ("123456", "123 456")];
        for (from, to) in amounts {
            assert_eq!(grouped(from), to.replace(' ', "\u{a0}"), "{from}");
        }
        let lengths =
            [(0, "0 s"), (59, "59 s"), (61, "1 min"), (3600, "1 h"), (12_010, "3 h 20 min")];
        for (seconds, expected) in lengths {
            assert_eq!(length(seconds), expected);
        }
        assert_eq!(bar(1, 1000), format!("█{}   0 %", "░".repeat(29)));
        assert_eq!(bar(0, 0), format!("{}   0 %", "░".repeat(30)));
        assert_eq!(bar(5, 5), format!("{} 100 %", "█".repeat(30)));
    }

    #[test]
    fn nothing_from_outside_moves_the_cursor_or_turns_the_text() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\nø"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}ø");
    }
}
