//! Whether what stands in Visma is what was planned. Pure.

use super::write_invoice::document_type;
use super::write_order::by_key;
use crate::procurement::{
    ErpInvoice, ErpOrder, ErpOrderLine, InvoicePlan, Money, OrderPlan, OrderPlanLine,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;

/// One thing that is not as planned, as the clerk would read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Stable, snake_case: `gross`, `lines` ...
    pub what: String,
    pub text: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, what: &str, text: String) {
        self.0.push(Difference { what: what.to_owned(), text });
    }

    fn same<T: PartialEq + Display>(&mut self, what: &str, planned: T, found: T) {
        if planned != found {
            let words = what.replace('_', " ");
            self.add(what, format!("{words} is {found} in Visma, planned was {planned}"));
        }
    }

    /// Compared only where Visma tells it.
    fn same_if_told(&mut self, what: &str, planned: Money, found: Option<Money>) {
        if let Some(found) = found {
            self.same(what, planned, found);
        }
    }
}

/// What of an invoice differs from its plan. Empty: all that matters is as planned.
pub fn invoice_matches(plan: &InvoicePlan, stands: &ErpInvoice) -> Vec<Difference> {
    let mut found = Differences::default();
    found.same("document_type", document_type(plan.kind), stands.document_type.as_str());
    found.same("supplier", plan.supplier.as_str(), stands.supplier.as_str());
    let reference = stands.supplier_reference.as_deref().unwrap_or("missing");
    found.same("supplier_reference", plan.supplier_reference.trim(), reference);
    found.same("currency", plan.currency, stands.currency);
    found.same("gross", plan.gross, stands.gross);
    found.same_if_told("vat", plan.vat, stands.vat);
    let planned = plan.lines.iter().map(|line| {
        let category = Some(line.vat_category.as_str());
        coded(Some(&line.account), &line.segments, category, line.cost)
    });
    let standing = stands.lines.iter().map(|line| {
        let category = line.vat_category.as_deref();
        coded(line.account.as_deref(), &line.segments, category, line.cost)
    });
    lines(&mut found, planned, standing);
    found.0
}

/// What of an order differs from its plan. Lines that were closed because they went count as
/// gone.
pub fn order_matches(plan: &OrderPlan, stands: &ErpOrder) -> Vec<Difference> {
    let mut found = Differences::default();
    found.same("supplier", plan.supplier.as_str(), stands.supplier.as_str());
    let reference = stands.supplier_reference.as_deref().unwrap_or("missing");
    found.same("supplier_reference", plan.number.trim(), reference);
    found.same("currency", plan.currency, stands.currency);

    let planned_keys: Vec<&str> = plan.lines.iter().map(|line| line.key.as_str()).collect();
    let gone = |line: &ErpOrderLine| {
        let ours = line.our_key.as_deref().is_some_and(|key| planned_keys.contains(&key));
        line.cancelled || (line.completed && !ours)
    };
    let (closed, open): (Vec<&ErpOrderLine>, Vec<&ErpOrderLine>) =
        stands.lines.iter().partition(|line| gone(line));
    if closed.is_empty() {
        found.same_if_told("net", plan.net, stands.net);
    }
    if open.iter().any(|line| line.our_key.is_some()) {
        keyed_lines(&mut found, plan, stands, &open);
    } else {
        let counted = |quantity: &dyn Display, cost: &dyn Display| format!("{quantity} at {cost}");
        let planned = plan
            .lines
            .iter()
            .map(|line| counted(&line.quantity.normalize(), &line.unit_cost.normalize()));
        let standing = open.iter().map(|line| {
            let plain = |number: Option<rust_decimal::Decimal>| {
                number.map_or("nothing".to_owned(), |number| number.normalize().to_string())
            };
            counted(&plain(line.quantity), &plain(line.unit_cost))
        });
        lines(&mut found, planned, standing);
    }
    found.0
}

fn keyed_lines(
    found: &mut Differences,
    plan: &OrderPlan,
    stands: &ErpOrder,
    open: &[&ErpOrderLine],
) {
    for line in &plan.lines {
        match by_key(stands, &line.key) {
            Some(standing) => one_line(found, line, standing),
            None => found.add(
                "lines",
                format!("line {} over {} is missing in Visma", line.key, line.amount),
            ),
        }
    }
    for line in open {
        let key = line.our_key.as_deref().unwrap_or("without our key");
        if !plan.lines.iter().any(|planned| planned.key == key) {
            found.add("lines", format!("line {} in Visma ({key}) is not planned", line.number));
        }
    }
}

fn one_line(found: &mut Differences, line: &OrderPlanLine, standing: &ErpOrderLine) {
    let mut differs = |what: &str, planned: String, is: Option<String>| {
        if is.as_ref().is_some_and(|is| *is != planned) {
            let is = is.unwrap_or_default();
            let text = format!("line {}: {what} is {is} in Visma, planned was {planned}", line.key);
            found.add("lines", text);
        }
    };
    let plain = |number: rust_decimal::Decimal| number.normalize().to_string();
    differs("quantity", plain(line.quantity), standing.quantity.map(plain));
    differs("unit cost", plain(line.unit_cost), standing.unit_cost.map(plain));
    differs("amount", line.amount.to_string(), standing.amount.map(|amount| amount.to_string()));
    differs("account", line.account.clone(), standing.account.clone());
    if !standing.segments.is_empty() {
        differs("subaccount", joined(&line.segments), Some(joined(&standing.segments)));
    }
}

/// Lines as a multiset: their order means nothing.
fn lines(
    found: &mut Differences,
    planned: impl Iterator<Item = String>,
    standing: impl Iterator<Item = String>,
) {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let (mut wanted, mut there) = (0, 0);
    for line in planned {
        *counts.entry(line).or_default() += 1;
        wanted += 1;
    }
    for line in standing {
        *counts.entry(line).or_default() -= 1;
        there += 1;
    }
    if wanted != there {
        found.add("line_count", format!("{there} lines in Visma, planned were {wanted}"));
    }
    for (line, count) in counts {
        let times =
            if count.abs() > 1 { format!(" ({} times)", count.abs()) } else { String::new() };
        match count {
            1.. => found.add("lines", format!("missing in Visma: {line}{times}")),
            0 => {}
            ..0 => found.add("lines", format!("not planned, but in Visma: {line}{times}")),
        }
    }
}

fn coded(
    account: Option<&str>,
    segments: &[(i64, String)],
    category: Option<&str>,
    cost: Money,
) -> String {
    let account = account.unwrap_or("no account");
    let category = category.unwrap_or("none");
    format!("{cost} on {account} {}, VAT category {category}", joined(segments))
}

fn joined(segments: &[(i64, String)]) -> String {
    let mut sorted: Vec<_> = segments.iter().collect();
    sorted.sort_unstable();
    sorted.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
