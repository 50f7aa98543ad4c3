//! The report as one page that holds all it needs: no script, nothing fetched. Every text from outside
//! is escaped by the template, and isolated so that its direction ends with it.

use super::All;
use super::words::{SEGMENT_RULE, cost, go_live, grouped, headline, lists, outcomes};
use askama::Template;
use ml_connector::fit::{LIMITS, Report, Sum};

/// Bars of one picture; the table behind it has all.
const BARS: usize = 12;

#[derive(Template)]
#[template(path = "fit.html")]
struct Page<'a> {
    connections: Vec<Connection<'a>>,
    errors: &'a [String],
    remarks: &'a [String],
    limits: &'static [&'static str],
    segment_rule: &'static str,
    title: String,
    version: &'static str,
}

struct Connection<'a> {
    report: &'a Report,
    headline: String,
    outcomes: Vec<Part>,
    vendors: Vec<Part>,
    lists: Vec<Bar>,
    holds: Vec<Bar>,
    stake: Vec<Bar>,
    /// Of the picture of what is at stake.
    currency: String,
    list_rows: Vec<Vec<String>>,
    go_live: Vec<String>,
    cost: Vec<String>,
}

/// Words of the terminal's report, for the template.
mod filters {
    use super::super::words;
    use ml_connector::fit::{Sum, Todo};

    #[askama::filter_fn]
    pub fn grouped(amount: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(words::grouped(amount))
    }

    #[askama::filter_fn]
    pub fn sums(of: &[Sum], _: &dyn askama::Values) -> askama::Result<String> {
        Ok(words::sums(of))
    }

    #[askama::filter_fn]
    pub fn code(of: &Todo, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(words::code(of).to_owned())
    }

    #[askama::filter_fn]
    pub fn suggestion(of: &Todo, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(words::suggestion(of))
    }

    #[askama::filter_fn]
    pub fn kind(of: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(words::kind(of))
    }
}

/// A part of a whole: a stretch of one bar.
struct Part {
    name: String,
    count: u64,
    /// Percent of the whole, to one decimal, where it begins and how long it is.
    from: String,
    width: String,
    colour: usize,
}

/// A bar of its own, as long as its share of the longest.
struct Bar {
    name: String,
    value: String,
    width: String,
    /// The part that is light: what does not match.
    rest: bool,
}

pub fn page(all: &All) -> Result<String, askama::Error> {
    let names: Vec<&str> = all.reports.iter().map(|of| of.connection.as_str()).collect();
    let page = Page {
        connections: all.reports.iter().map(connection).collect(),
        errors: &all.errors,
        remarks: &all.remarks,
        limits: &LIMITS,
        segment_rule: SEGMENT_RULE,
        title: format!("Fit of {}", names.join(", ")),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render()
}

fn connection(report: &Report) -> Connection<'_> {
    let vendors = &report.vendors;
    let unmatched = ("not matched".to_owned(), vendors.used - vendors.matched);
    let by = vendors.matched_by.iter().map(|(by, n)| (format!("by {by}"), *n));
    let (currency, stake) = stake(report);
    Connection {
        headline: headline(report),
        outcomes: parts(outcomes(&report.counts).map(|(name, n)| (name.to_owned(), n))),
        // What does not match has one colour, whatever number of ways there are.
        vendors: parts(by.chain([unmatched])),
        lists: list_bars(report),
        holds: bars(
            report.holds.iter().map(|of| (of.code.clone(), of.documents.to_string(), of.documents)),
        ),
        stake,
        currency,
        list_rows: lists(report),
        go_live: go_live(report),
        cost: cost(&report.cost),
        report,
    }
}

fn parts(of: impl IntoIterator<Item = (String, u64)>) -> Vec<Part> {
    let of: Vec<(String, u64)> = of.into_iter().collect();
    let all: u64 = of.iter().map(|(_, n)| n).sum();
    let mut from = 0;
    let last = of.len().saturating_sub(1);
    let part = |(n, (name, count)): (usize, (String, u64))| {
        let part = Part {
            name,
            count,
            from: percent(from, all),
            width: percent(count, all),
            colour: if n == last { 5 } else { n.min(4) },
        };
        from += count;
        part
    };
    of.into_iter().enumerate().map(part).collect()
}

fn list_bars(report: &Report) -> Vec<Bar> {
    let vendors = &report.vendors;
    let rows = std::iter::once(("Vendors", vendors.used, vendors.matched))
        .chain(report.codes.iter().map(|of| (of.title.as_str(), of.used, of.matched)));
    let bar = |(title, used, matched): (&str, u64, u64)| Bar {
        name: title.to_owned(),
        value: format!("{matched} of {used}"),
        width: percent(matched, used),
        rest: used > matched,
    };
    rows.filter(|(_, used, _)| *used > 0).map(bar).collect()
}

fn bars(of: impl Iterator<Item = (String, String, u64)>) -> Vec<Bar> {
    let mut of: Vec<(String, String, u64)> = of.collect();
    of.sort_by_key(|row| std::cmp::Reverse(row.2));
    let longest = of.first().map_or(0, |(_, _, n)| *n);
    let bar = |(name, value, n): (String, String, u64)| Bar {
        name,
        value,
        width: percent(n, longest),
        rest: false,
    };
    of.into_iter().take(BARS).map(bar).collect()
}

/// What hangs on each code and vendor that does not match: invoices, in the currency of most money.
fn stake(report: &Report) -> (String, Vec<Bar>) {
    let size = |amount: &str| {
        let digits: String = amount.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap_or(0)
    };
    let invoices = report.money.iter().filter(|of| of.of == "invoices");
    let Some(most) = invoices.max_by_key(|of| size(&of.seen)) else {
        return (String::new(), Vec::new());
    };
    let currency = most.currency.clone();
    let at_stake = |name: String, money: &[Sum]| {
        let sum = money.iter().find(|of| of.of == "invoices" && of.currency == currency)?;
        let amount = size(&sum.amount);
        (amount > 0).then(|| (name, grouped(&sum.amount), amount))
    };
    let vendors = report
        .vendors
        .unmatched
        .iter()
        .filter_map(|of| at_stake(format!("Vendor {}", of.vendor), &of.money));
    let codes = report.codes.iter().flat_map(|table| {
        let name = |code: &str| format!("{} {code}", table.title);
        table.unmatched.iter().filter_map(move |of| at_stake(name(&of.code), &of.money))
    });
    let bars = bars(vendors.chain(codes));
    (currency, bars)
}

/// To one decimal, for a width.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}
