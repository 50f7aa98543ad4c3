//! Figures in Prometheus' text form (exposition format 0.0.4). docs/serve.md explains each.

use super::board::Board;
use crate::store::Figures;
use std::collections::BTreeMap;
use std::fmt::Write;

struct Text(String);

impl Text {
    fn about(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (n, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{value}\"", if n == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// Every figure; `now` in microseconds UTC.
pub(super) fn text(figures: &Figures, board: &Board, now: i64) -> String {
    let mut text = Text(String::new());
    let seconds = |since: i64| (now - since).max(0) / 1_000_000;
    let name = "ml_connector_documents";
    text.about(name, "gauge", "Documents by connection, kind and state.");
    for (connection, kind, state, count) in &figures.documents {
        text.sample(name, &[("connection", connection), ("kind", kind), ("state", state)], count);
    }
    let name = "ml_connector_holds";
    text.about(name, "gauge", "Holds by connection and reason; one document can have several.");
    for (connection, code, count) in &figures.holds {
        text.sample(name, &[("connection", connection), ("reason", code)], count);
    }
    let name = "ml_connector_attention";
    text.about(name, "gauge", "Posted documents that a person must look at.");
    text.sample(name, &[], figures.attention);
    let name = "ml_connector_oldest_unposted_seconds";
    text.about(
        name,
        "gauge",
        "Age of the oldest document that is neither posted, held nor ignored.",
    );
    for (connection, since) in &figures.oldest_unposted {
        text.sample(name, &[("connection", connection)], seconds(*since));
    }
    let name = "ml_connector_uncertain";
    text.about(name, "gauge", "Writes to Visma whose answer was lost, by company.");
    for (company, count) in &figures.uncertain {
        text.sample(name, &[("company", company)], count);
    }
    let name = "ml_connector_list_lag_seconds";
    text.about(name, "gauge", "Since a list of JAGGAER or Visma was last read to its end.");
    for (owner, list, moved_at) in &figures.lists {
        text.sample(name, &[("of", owner), ("list", list)], seconds(*moved_at));
    }
    reconciled(&mut text, figures, now);
    let name = "ml_connector_confirmations";
    text.about(name, "gauge", "What JAGGAER is told of documents: wanted, told or refused.");
    for (connection, state, count) in &figures.confirmations {
        text.sample(name, &[("connection", connection), ("state", state)], count);
    }
    let name = "ml_connector_unit_owned";
    text.about(name, "gauge", "Whether any process owns the unit now (1) or none (0).");
    for (unit, owned) in &figures.units {
        text.sample(name, &[("unit", unit)], u8::from(*owned));
    }
    of_webhooks(&mut text, figures);
    of_this_process(&mut text, board);
    text.0
}

fn of_webhooks(text: &mut Text, figures: &Figures) {
    let name = "ml_connector_deliveries_total";
    text.about(
        name,
        "counter",
        "Deliveries of webhooks, by what they told and what became of them.",
    );
    for row in &figures.deliveries {
        let labels = [
            ("connection", row.connection.as_str()),
            ("list", &row.poll),
            ("outcome", &row.outcome),
        ];
        text.sample(name, &labels, row.count);
    }
    let name = "ml_connector_changes_found_total";
    text.about(
        name,
        "counter",
        "Changes that polls found in Visma: a webhook had told of them (webhook), or not (poll).",
    );
    for row in &figures.found {
        let labels =
            |by| [("company", row.company.as_str()), ("list", row.poll.name()), ("by", by)];
        text.sample(name, &labels("webhook"), row.told);
        text.sample(name, &labels("poll"), row.poll_only);
    }
}

/// By unit alone: a label for each month would leave a series behind every month.
fn reconciled(text: &mut Text, figures: &Figures, now: i64) {
    let mut units: BTreeMap<&str, (i64, i64, usize)> = BTreeMap::new();
    for (unit, _, at, differences) in &figures.reconciled {
        let of = units.entry(unit).or_insert((i64::MIN, 0, 0));
        of.0 = of.0.max(*at);
        of.1 += differences;
        of.2 += usize::from(*differences > 0);
    }
    let name = "ml_connector_reconciled_seconds";
    text.about(
        name,
        "gauge",
        "Since a month of the unit was last reconciled, whatever came of it.",
    );
    for (unit, (at, _, _)) in &units {
        text.sample(name, &[("unit", unit)], (now - at).max(0) / 1_000_000);
    }
    let name = "ml_connector_reconciled_differences";
    text.about(name, "gauge", "Differences that the last reconciliations of all months found.");
    for (unit, (_, differences, _)) in &units {
        text.sample(name, &[("unit", unit)], differences);
    }
    let name = "ml_connector_reconciled_open_months";
    text.about(name, "gauge", "Months that did not close when they were reconciled last.");
    for (unit, (_, _, open)) in &units {
        text.sample(name, &[("unit", unit)], open);
    }
}

fn of_this_process(text: &mut Text, board: &Board) {
    let (units, allowances, workers) = board.seen();
    let name = "ml_connector_workers";
    text.about(name, "gauge", "Processes that serve the store.");
    text.sample(name, &[], workers);
    let name = "ml_connector_units_owned_here";
    text.about(name, "gauge", "Units that this process owns.");
    text.sample(name, &[], units.values().filter(|unit| unit.owned).count());
    let name = "ml_connector_units_in_trouble";
    text.about(name, "gauge", "Units that this process could not take or open.");
    text.sample(name, &[], units.values().filter(|unit| unit.trouble.is_some()).count());
    let name = "ml_connector_rounds_total";
    text.about(name, "counter", "Rounds of this process, by unit and outcome.");
    for (id, unit) in &units {
        text.sample(name, &[("unit", id), ("outcome", "good")], unit.rounds - unit.failed_rounds);
        text.sample(name, &[("unit", id), ("outcome", "failed")], unit.failed_rounds);
    }
    let name = "ml_connector_calls_total";
    text.about(name, "counter", "Calls of this process, by unit and system.");
    for (id, unit) in &units {
        text.sample(name, &[("unit", id), ("system", "visma")], unit.requests_visma);
        text.sample(name, &[("unit", id), ("system", "jaggaer")], unit.requests_jaggaer);
    }
    let name = "ml_connector_allowance_remaining";
    text.about(
        name,
        "gauge",
        "Calls that Visma lets the company make until its hour ends, as it last said.",
    );
    for (company, left, _) in &allowances {
        if let Some(left) = left {
            text.sample(name, &[("company", company)], left);
        }
    }
    let name = "ml_connector_allowance_limit";
    text.about(name, "gauge", "Calls an hour that Visma lets the company make.");
    for (company, _, limit) in &allowances {
        if let Some(limit) = limit {
            text.sample(name, &[("company", company)], limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        let figures = Figures {
            holds: vec![("a\"b\nc\\".into(), "x".into(), 2)],
            oldest_unposted: vec![("c".into(), 1_000_000)],
            ..Figures::default()
        };
        let text = text(&figures, &Board::default(), 61_000_000);
        assert!(
            text.contains("ml_connector_holds{connection=\"a\\\"b\\nc\\\\\",reason=\"x\"} 2\n"),
            "{text}"
        );
        assert!(text.contains("ml_connector_oldest_unposted_seconds{connection=\"c\"} 60\n"));
        assert!(text.lines().all(|line| line.starts_with('#') || line.contains(' ')), "{text}");
    }
}
