//! The taxes that an invoice states, on its lines and on its header, against its own lines and
//! against what the ERP will compute.

use crate::mapping::{Tables, vat};
use crate::procurement::{Money, ReferenceData, SupplierInvoice, TaxLine};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What of a document one VAT category of the ERP bears on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxBase {
    /// Lines and charges.
    pub net: Money,
    /// Without the charges, which a supplier may tax otherwise or leave out of the list.
    pub of_lines: Money,
    /// As the ERP computes it on `net`.
    pub tax: Money,
    pub tax_of_lines: Money,
    pub lines: usize,
    /// The buyer owes the tax: none may be charged.
    pub reverse_charge: bool,
}

/// A stated tax that contradicts the document or the ERP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxFault {
    /// The amount is not the base times the rate. `at`: the line, or nothing for the header.
    Amount { at: Option<String>, tax: String, base: Money, stated: Money, computed: Money },
    /// The header states another base than the lines with that tax add up to.
    Base { tax: String, stated: Money, lines: Money },
    /// The header states another tax than the ERP computes on the lines with it.
    Computed { tax: String, stated: Money, computed: Money },
    /// The taxes of the header do not add up to the document's tax.
    Total { sum: Money, stated: Money },
}

/// What is found of the stated taxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedTaxes {
    pub faults: Vec<TaxFault>,
    /// Tax stated where the buyer owes it.
    pub reverse_charge: Vec<(String, Money)>,
}

/// `bases`: by VAT category. `tolerance`: minor units for one tax; half a unit more for each line
/// that it sums up, since each may have been rounded by itself.
pub fn stated_taxes(
    invoice: &SupplierInvoice,
    bases: &BTreeMap<&str, TaxBase>,
    tolerance: u32,
    tables: &Tables,
    reference: &ReferenceData,
) -> StatedTaxes {
    let mut found = StatedTaxes::default();
    let tolerance = i64::from(tolerance);
    let apart = |left: Money, right: Money, allowed: i64| {
        left.minor.checked_sub(right.minor).is_none_or(|apart| apart.abs() > allowed)
    };
    let mut amount = |at: Option<&str>, tax: &TaxLine, base: Option<Money>, allowed: i64| {
        let (Some(rate), Some(base), Some(stated)) = (tax.rate, base, tax.amount) else { return };
        let exact = base
            .amount()
            .checked_mul(rate)
            .and_then(|exact| exact.checked_div(Decimal::ONE_HUNDRED))
            .and_then(|exact| Money::rounded(exact, base.currency).ok());
        let Some(computed) = exact else { return };
        if apart(stated, computed, allowed) {
            found.faults.push(TaxFault::Amount {
                at: at.map(str::to_owned),
                tax: named(tax),
                base,
                stated,
                computed,
            });
        }
    };
    for line in &invoice.lines {
        let alone = line.taxes.iter().filter(|tax| tax.amount.is_some()).count() == 1;
        for tax in &line.taxes {
            let base = tax.base.or_else(|| alone.then_some(line.net));
            amount(Some(&line.number), tax, base, tolerance);
        }
    }
    let half_of_lines = i64::try_from(invoice.lines.len() / 2).unwrap_or(i64::MAX);
    for tax in &invoice.taxes {
        amount(None, tax, tax.base, tolerance.saturating_add(half_of_lines));
    }

    for line in &invoice.lines {
        let category = vat::category(&line.taxes, &invoice.taxes, tables, reference);
        let reversed = category
            .is_ok_and(|category| bases.get(category.as_str()).is_some_and(|b| b.reverse_charge));
        let stated = line.taxes.iter().filter(|_| reversed);
        found.reverse_charge.extend(stated.filter_map(|tax| {
            let amount = tax.amount.filter(|amount| !amount.is_zero())?;
            Some((format!("line {}", line.number), amount))
        }));
    }
    let mut shown = Money::zero(invoice.currency);
    for (category, taxes) in by_category(&invoice.taxes, tables, reference).unwrap_or_default() {
        let Some(of) = bases.get(category.as_str()) else { continue };
        let names: Vec<String> = taxes.iter().map(|tax| named(tax)).collect();
        let name = names.join(" + ");
        let half_of_lines = i64::try_from(of.lines / 2).unwrap_or(i64::MAX);
        let allowed = tolerance.saturating_add(half_of_lines);
        if let Some(stated) = total(taxes.iter().map(|tax| tax.amount)) {
            if of.reverse_charge {
                if !stated.is_zero() {
                    shown = shown.checked_add(stated).unwrap_or(shown);
                    found.reverse_charge.push((name, stated));
                }
                continue;
            }
            if apart(stated, of.tax, allowed) && apart(stated, of.tax_of_lines, allowed) {
                let tax = name.clone();
                found.faults.push(TaxFault::Computed { tax, stated, computed: of.tax });
            }
        }
        if let Some(stated) = total(taxes.iter().map(|tax| tax.base))
            && apart(stated, of.net, tolerance)
            && apart(stated, of.of_lines, tolerance)
        {
            found.faults.push(TaxFault::Base { tax: name, stated, lines: of.net });
        }
    }
    if let (Some(stated), Some(sum)) =
        (invoice.tax, total(invoice.taxes.iter().map(|tax| tax.amount)))
        && apart(stated, sum, tolerance)
        // Tax that is shown and not charged is in the list and not in the total.
        && sum.checked_add(shown.negated()).is_ok_and(|charged| apart(stated, charged, tolerance))
    {
        found.faults.push(TaxFault::Total { sum, stated });
    }
    found
}

/// The header's taxes by the ERP's category. `None` when one of them leads to none.
fn by_category<'a>(
    taxes: &'a [TaxLine],
    tables: &Tables,
    reference: &ReferenceData,
) -> Option<BTreeMap<String, Vec<&'a TaxLine>>> {
    let mut found: BTreeMap<String, Vec<&TaxLine>> = BTreeMap::new();
    for tax in taxes {
        let category = vat::category(std::slice::from_ref(tax), &[], tables, reference).ok()?;
        found.entry(category).or_default().push(tax);
    }
    Some(found)
}

/// `None` unless every one is stated, in one currency, and there are any.
fn total(amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    let amounts = amounts.collect::<Option<Vec<Money>>>()?;
    let (first, rest) = amounts.split_first()?;
    rest.iter().try_fold(*first, |sum, amount| sum.checked_add(*amount).ok())
}

/// `NO-25 (25 %)`.
fn named(tax: &TaxLine) -> String {
    let rate = tax.rate.map(|rate| format!("{} %", rate.normalize()));
    match (tax.code.as_deref(), rate) {
        (Some(code), Some(rate)) => format!("{code} ({rate})"),
        (Some(code), None) => code.to_owned(),
        (None, Some(rate)) => rate,
        (None, None) => "tax".to_owned(),
    }
}
