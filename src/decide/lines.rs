//! One source line, orders and invoices alike, divided into coded shares.

use super::coding::{Header, rows};
use super::header::{self, cut};
use super::hold::at_line;
use super::{Hold, Inputs};
use crate::mapping::{Coding, Found, Mapped, Outcome, code_share, vat};
use crate::procurement::{
    Distribution, InvoiceLine, Money, OrderLine, Priced, TaxLine, Whole, allocate, parts,
    quantity_and_cost,
};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// What the two kinds of line have in common.
pub(super) struct Line<'a> {
    pub key: &'a str,
    pub number: &'a str,
    pub description: &'a str,
    pub item: Option<&'a str>,
    pub commodity: Option<&'a str>,
    pub unit: Option<&'a str>,
    pub priced: Priced,
    pub net: Money,
    pub taxes: &'a [TaxLine],
    /// The document's own taxes, for a line that states none.
    pub document_taxes: &'a [TaxLine],
    pub distributions: &'a [Distribution],
}

impl<'a> Line<'a> {
    pub fn of_order(line: &'a OrderLine) -> Self {
        Self {
            key: &line.key,
            number: &line.number,
            description: &line.description,
            item: line.item.as_deref(),
            commodity: line.commodity.as_deref(),
            unit: line.unit.as_deref(),
            priced: Priced {
                quantity: line.quantity,
                unit_price: line.unit_price,
                price_basis: line.price_basis,
            },
            net: line.net,
            taxes: &line.taxes,
            document_taxes: &[],
            distributions: &line.distributions,
        }
    }

    pub fn of_invoice(line: &'a InvoiceLine, document_taxes: &'a [TaxLine]) -> Self {
        Self {
            key: &line.key,
            number: &line.number,
            description: &line.description,
            item: line.item.as_deref(),
            commodity: line.commodity.as_deref(),
            unit: line.unit.as_deref(),
            priced: Priced {
                quantity: line.quantity,
                unit_price: line.unit_price,
                price_basis: line.price_basis,
            },
            net: line.net,
            taxes: &line.taxes,
            document_taxes,
            distributions: &line.distributions,
        }
    }

    /// Every amount on the line.
    pub fn amounts(&self) -> impl Iterator<Item = Money> {
        let shares = self.distributions.iter().filter_map(|share| share.amount);
        std::iter::once(self.net).chain(shares)
    }
}

/// One share, in the ERP's codes.
pub(super) struct Share {
    pub key: String,
    pub description: String,
    pub quantity: Decimal,
    pub unit: Option<String>,
    pub unit_cost: Decimal,
    pub cost: Money,
    pub account: String,
    pub segments: Vec<(i64, String)>,
    pub vat_category: String,
    pub project: Option<String>,
    /// Where the coding table names another than the document's.
    pub branch: Option<String>,
    /// Of the coding table.
    pub row: Option<usize>,
}

/// Limits of the ERP's line.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub description_length: usize,
    pub unit_cost_decimals: u32,
}

/// The coded shares of a line; fewer than it has when something holds.
pub(super) fn shares(
    line: &Line<'_>,
    header: Header<'_>,
    limits: Limits,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Vec<Share> {
    let at = at_line(line.number);
    let whole = Whole { net: line.net, quantity: line.priced.quantity };
    let amounts = allocate(whole, line.distributions);
    let amounts = amounts.map_err(|fault| holds.push(Hold::allocation(&at, &fault))).ok();
    let codings = codings(line, &at, header, inputs, holds);
    let Some(amounts) = amounts else { return Vec::new() };
    if codings.len() != amounts.len() {
        return Vec::new();
    }
    // A price needs at least the currency's own decimals, or no cost could be exact.
    let decimals = limits.unit_cost_decimals.max(line.net.currency.decimals());
    let description = match cut(line.description, limits.description_length) {
        text if text.is_empty() => at,
        text => text,
    };
    codings
        .into_iter()
        .zip(amounts)
        .enumerate()
        .map(|(index, (coded, cost))| {
            let (quantity, unit_cost) = quantity_and_cost(line.priced, line.net, cost, decimals);
            Share {
                key: format!("{}/{}", line.key, index + 1),
                description: description.clone(),
                quantity,
                unit: coded.unit,
                unit_cost,
                cost,
                account: coded.coding.account,
                segments: coded.coding.segments,
                vat_category: coded.vat_category,
                project: coded.coding.project,
                branch: coded.branch,
                row: coded.row,
            }
        })
        .collect()
}

/// All codes of one share.
struct Coded {
    coding: Coding,
    unit: Option<String>,
    vat_category: String,
    branch: Option<String>,
    row: Option<usize>,
}

/// One for each share that nothing holds.
fn codings(
    line: &Line<'_>,
    at: &str,
    header: Header<'_>,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Vec<Coded> {
    let tables = &inputs.rules.mapping;
    let found = rows(line, header, inputs);
    let said = |member: fn(&Outcome) -> &Option<String>| {
        let of = |found: &Option<Found<'_>>| {
            found.as_ref().is_some_and(|found| member(found.outcome).is_some())
        };
        found.iter().all(of)
    };
    // The line's own unit and VAT are asked for only where the coding table leaves them open.
    let unit = match said(|outcome| &outcome.unit) {
        true => None,
        false => unit(line, at, inputs, holds),
    };
    let category = match said(|outcome| &outcome.vat_category) {
        true => None,
        false => vat::category(line.taxes, line.document_taxes, tables, inputs.reference)
            .map_err(|fault| holds.push(Hold::vat(at, &fault)))
            .ok(),
    };
    let silent = Outcome::default();
    let found_count = found.len();
    let mut coded = Vec::new();
    for (index, (values, found)) in parts(line.distributions).iter().zip(&found).enumerate() {
        let at = match found_count {
            1 => at.to_owned(),
            _ => format!("{at}, share {}", index + 1),
        };
        if found.is_none() && tables.coding_complete {
            holds.push(Hold::coding_not_decided(&at));
            continue;
        }
        let outcome = found.map_or(&silent, |found| found.outcome);
        let coding = code_share(values, outcome, header.on, tables, inputs.reference);
        let coding = coding
            .map_err(|faults| holds.extend(faults.iter().map(|fault| Hold::coding(&at, fault))))
            .ok();
        let vat_category = match &outcome.vat_category {
            Some(category) => vat::checked_category(category, inputs.reference)
                .map_err(|fault| holds.push(Hold::vat(&at, &fault)))
                .ok(),
            None => category.clone(),
        };
        let branch = outcome.branch.as_deref();
        let branch = branch.and_then(|branch| header::checked_branch(branch, inputs, holds));
        let (Some(coding), Some(vat_category)) = (coding, vat_category) else { continue };
        coded.push(Coded {
            coding,
            unit: outcome.unit.clone().or_else(|| unit.clone()),
            vat_category,
            branch,
            row: found.map(|found| found.row),
        });
    }
    coded
}

fn unit(line: &Line<'_>, at: &str, inputs: &Inputs<'_>, holds: &mut Vec<Hold>) -> Option<String> {
    match inputs.rules.mapping.units.map(line.unit) {
        Mapped::To(unit) => Some(unit.to_owned()),
        Mapped::Absent => None,
        Mapped::NotMapped(code) => {
            holds.push(Hold::unit_not_mapped(at, code));
            None
        }
    }
}

/// Lines are told apart by their keys, for ever.
pub(super) fn distinct<'a>(keys: impl Iterator<Item = &'a str>, holds: &mut Vec<Hold>) {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            holds.push(Hold::line_repeated(key));
        }
    }
}

/// `None` when the sum is beyond what can be kept.
pub(super) fn sum(zero: Money, mut amounts: impl Iterator<Item = Money>) -> Option<Money> {
    amounts.try_fold(zero, |sum, amount| sum.checked_add(amount).ok())
}
