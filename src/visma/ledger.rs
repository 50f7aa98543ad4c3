//! Whether the general ledger holds what was planned. Pure.
//!
//! The accounts of VAT and of the debt to suppliers are set up in Visma and not known here. So the planned lines
//! must stand where they were planned, one further account must carry the gross on the other side, and all that is
//! left must come to the planned VAT. Lines may be brought together or taken apart: sums are compared, over all
//! batches of the document, because one that was booked in several steps (on a preliminary account first) is right
//! in the end.

use super::compare::Difference;
use crate::procurement::{
    Currency, ErpBatch, ErpBatchLine, InvoiceKind, InvoicePlan, InvoicePlanLine, Money,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What must stand on one account and subaccount.
struct Place<'a> {
    account: &'a str,
    segments: &'a [(i64, String)],
    branch: Option<&'a str>,
    planned: i128,
    found: i128,
}

impl<'a> Place<'a> {
    fn of(line: &'a InvoicePlanLine, plan: &'a InvoicePlan) -> Self {
        Self {
            account: &line.account,
            segments: &line.segments,
            branch: line.branch.as_deref().or(plan.branch.as_deref()),
            planned: 0,
            found: 0,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.account, self.segments, self.branch) == (other.account, other.segments, other.branch)
    }

    fn takes(&self, line: &ErpBatchLine) -> bool {
        self.account == line.account
            && self.has_segments_of(line)
            // A branch that one of the two does not name is not compared.
            && match (self.branch, line.branch.as_deref()) {
                (Some(planned), Some(found)) => planned == found,
                (None, _) | (_, None) => true,
            }
    }

    fn has_segments_of(&self, line: &ErpBatchLine) -> bool {
        if !line.segments.is_empty() {
            return self.segments.iter().all(|segment| line.segments.contains(segment));
        }
        // The separator belongs to Visma's mask.
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let planned: String = self.segments.iter().map(|(_, value)| letters(value)).collect();
        line.subaccount.as_deref().is_none_or(|found| letters(found) == planned)
    }
}

/// What of the ledger differs from the plan of a document. `batches`: all that count, with the document's lines
/// alone. Empty: all that matters is as planned.
pub fn ledger_matches(plan: &InvoicePlan, batches: &[ErpBatch]) -> Vec<Difference> {
    let found = differences(plan, batches);
    // Visma's own texts disagree on which of its two amounts is in the document's currency. Where the
    // other one is all that was planned, it is that one. At the rate 1 the two must be alike.
    if !found.is_empty()
        && let Some(swapped) = batches.iter().map(swapped).collect::<Option<Vec<ErpBatch>>>()
        && differences(plan, &swapped).is_empty()
    {
        return Vec::new();
    }
    found
}

fn swapped(batch: &ErpBatch) -> Option<ErpBatch> {
    let lines = batch.lines.iter().map(|line| {
        let net = Money::exact(line.base?, line.net.currency).ok()?;
        Some(ErpBatchLine { net, base: Some(line.net.amount()), ..line.clone() })
    });
    Some(ErpBatch { lines: lines.collect::<Option<_>>()?, ..batch.clone() })
}

fn differences(plan: &InvoicePlan, batches: &[ErpBatch]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |what: &str, text: String| found.push(Difference { what: what.to_owned(), text });
    if let Some(other) = batches.iter().find(|batch| batch.currency != plan.currency) {
        add(
            "currency",
            format!("the journal is in {}, planned was {}", other.currency, plan.currency),
        );
        return found;
    }
    let side = Side { kind: plan.kind, currency: plan.currency };
    let mut places: Vec<Place> = Vec::new();
    for line in &plan.lines {
        let place = Place::of(line, plan);
        let at = places.iter().position(|known| known.is_same(&place)).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        places[at].planned += i128::from(line.cost.minor);
    }
    // By account; the subaccounts of VAT and debt are of no interest.
    let mut others: BTreeMap<&str, i128> = BTreeMap::new();
    let (mut sum, mut base_sum) = (0, Some(Decimal::ZERO));
    for line in batches.iter().flat_map(|batch| &batch.lines) {
        let net = i128::from(line.net.minor);
        sum += net;
        base_sum = base_sum.zip(line.base).and_then(|(sum, base)| sum.checked_add(base));
        match places.iter_mut().find(|place| place.takes(line)) {
            Some(place) => place.found += side.towards_cost(net),
            None => *others.entry(&line.account).or_default() += side.towards_cost(net),
        }
    }
    for place in places.iter().filter(|place| place.planned != place.found) {
        let values: Vec<&str> = place.segments.iter().map(|(_, value)| value.as_str()).collect();
        let mut name = format!("account {}", place.account);
        if !values.is_empty() {
            name += &format!(", subaccount {}", values.join("-"));
        }
        if let Some(branch) = place.branch {
            name += &format!(", branch {branch}");
        }
        let (planned, stands) = (side.shown(place.planned), side.shown(place.found));
        add("account", format!("{name}: planned {planned}, in the journal {stands}"));
    }
    others.retain(|_, amount| *amount != 0);
    let told = |others: &BTreeMap<&str, i128>| {
        let parts: Vec<String> = others
            .iter()
            .map(|(account, amount)| format!("{account} {}", side.shown(*amount)))
            .collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    };
    let debt = -i128::from(plan.gross.minor);
    let debt_at = others.iter().find(|(_, amount)| **amount == debt).map(|(account, _)| *account);
    match debt_at {
        Some(account) => {
            others.remove(account);
        }
        None if debt == 0 => {}
        None => {
            add(
                "gross",
                format!(
                    "no account carries the debt of {}; beside the planned accounts stand {}",
                    side.shown(debt),
                    told(&others)
                ),
            );
        }
    }
    let cost: i128 = plan.lines.iter().map(|line| i128::from(line.cost.minor)).sum();
    let vat = i128::from(plan.gross.minor) - cost;
    if (debt_at.is_some() || debt == 0) && others.values().sum::<i128>() != vat {
        add(
            "vat",
            format!(
                "beside the planned accounts and the debt stand {}; planned was VAT of {}",
                told(&others),
                side.shown(vat)
            ),
        );
    }
    if sum != 0 {
        let over = side.amount(sum.abs());
        add("balance", format!("debit and credit of the journal differ by {over}"));
    }
    if base_sum.is_some_and(|sum| !sum.is_zero()) {
        let over = base_sum.unwrap_or_default().abs();
        add("balance", format!("debit and credit in the company's own currency differ by {over}"));
    }
    let same_currency = batches.iter().filter(|batch| batch.exchange_rate == Some(Decimal::ONE));
    let unlike = same_currency
        .flat_map(|batch| &batch.lines)
        .find(|line| line.base.is_some_and(|base| base != line.net.amount()));
    if let Some(line) = unlike {
        add(
            "base",
            format!(
                "account {}: {} in the document's currency is {} in the company's own, at the rate 1",
                line.account,
                line.net,
                line.base.unwrap_or_default()
            ),
        );
    }
    found
}

/// An invoice costs on the debit side, a credit note on the credit side.
#[derive(Clone, Copy)]
struct Side {
    kind: InvoiceKind,
    currency: Currency,
}

impl Side {
    const fn towards_cost(self, net: i128) -> i128 {
        match self.kind {
            InvoiceKind::Invoice => net,
            InvoiceKind::CreditNote => -net,
        }
    }

    fn amount(self, minor: i128) -> String {
        let amount = Decimal::from_i128_with_scale(minor, self.currency.decimals());
        format!("{amount} {}", self.currency)
    }

    /// `1250.00 NOK debit`.
    fn shown(self, towards_cost: i128) -> String {
        let net = self.towards_cost(towards_cost);
        let side = match net {
            0 => "",
            1.. => " debit",
            _ => " credit",
        };
        format!("{}{side}", self.amount(net.abs()))
    }
}

#[cfg(test)]
mod tests;
