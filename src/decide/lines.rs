//! One source line, orders and invoices alike, divided into coded shares.

use super::hold::at_line;
use super::{Hold, Inputs};
use crate::decide::header::cut;
use crate::mapping::{Mapped, code_share, vat};
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
    limits: Limits,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Vec<Share> {
    let tables = &inputs.rules.mapping;
    let at = at_line(line.number);
    let unit = match tables.units.map(line.unit) {
        Mapped::To(unit) => Some(unit.to_owned()),
        Mapped::Absent => None,
        Mapped::NotMapped(code) => {
            holds.push(Hold::unit_not_mapped(&at, code));
            None
        }
    };
    let category = vat::category(line.taxes, line.document_taxes, tables, inputs.reference);
    let category = category.map_err(|fault| holds.push(Hold::vat(&at, &fault))).ok();
    let whole = Whole { net: line.net, quantity: line.priced.quantity };
    let amounts = allocate(whole, line.distributions);
    let amounts = amounts.map_err(|fault| holds.push(Hold::allocation(&at, &fault))).ok();

    let parts = parts(line.distributions);
    let mut codings = Vec::new();
    for (index, values) in parts.iter().enumerate() {
        let at = match parts.len() {
            1 => at.clone(),
            _ => format!("{at}, share {}", index + 1),
        };
        match code_share(values, tables, inputs.reference) {
            Ok(coding) => codings.push(coding),
            Err(faults) => holds.extend(faults.iter().map(|fault| Hold::coding(&at, fault))),
        }
    }
    let (Some(category), Some(amounts)) = (category, amounts) else { return Vec::new() };
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
        .map(|(index, (coding, cost))| {
            let (quantity, unit_cost) = quantity_and_cost(line.priced, line.net, cost, decimals);
            Share {
                key: format!("{}/{}", line.key, index + 1),
                description: description.clone(),
                quantity,
                unit: unit.clone(),
                unit_cost,
                cost,
                account: coding.account,
                segments: coding.segments,
                vat_category: category.clone(),
                project: coding.project,
            }
        })
        .collect()
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
