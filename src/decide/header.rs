//! What orders and invoices have in common on their header.

use super::hold::list;
use super::{Hold, Inputs};
use crate::mapping::nearest::{self, near};
use crate::mapping::{Mapped, Suppliers, remit_to, resolve};
use crate::procurement::{Currency, FinancialPeriod, Money, Ripeness, Supplier, VendorRef};
use jiff::civil::Date;

pub(super) fn status(ripeness: Ripeness, status: &str, holds: &mut Vec<Hold>) {
    match ripeness {
        Ripeness::Unknown => holds.push(Hold::status_unknown(status)),
        Ripeness::Ripe | Ripeness::NotYet | Ripeness::Cancelled => {}
    }
}

pub(super) fn supplier<'a>(
    vendor: &VendorRef,
    business_unit: Option<&str>,
    inputs: &Inputs<'a>,
    holds: &mut Vec<Hold>,
    remarks: &mut Vec<String>,
) -> Option<&'a Supplier> {
    match resolve(vendor, business_unit, suppliers(inputs)) {
        Ok(settled) => {
            remarks.push(format!("Supplier {} by {}.", settled.supplier.number, list(&settled.by)));
            remarks.extend(settled.remarks);
            Some(settled.supplier)
        }
        Err(fault) => {
            holds.push(Hold::supplier(&fault));
            None
        }
    }
}

fn suppliers<'a>(inputs: &Inputs<'a>) -> Suppliers<'a> {
    Suppliers {
        tables: &inputs.rules.mapping,
        vendors: inputs.vendors,
        reference: inputs.reference,
        index: inputs.suppliers,
    }
}

/// A vendor that the source has deactivated gets no new orders there. What it delivered on an order
/// is still owed, and what it gives back is still taken; only an invoice that nobody ordered needs a
/// person.
pub(super) fn active(
    vendor: &VendorRef,
    on_order: bool,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
    remarks: &mut Vec<String>,
) {
    let known = vendor.source_id.as_deref().and_then(|id| inputs.vendors.get(id));
    let Some(known) = known.filter(|known| !known.active) else { return };
    if on_order {
        remarks.push(format!(
            "The vendor {} ({}) is not active in JAGGAER any more.",
            known.source_id, known.name
        ));
    } else {
        holds.push(Hold::vendor_inactive(&known.source_id, &known.name));
    }
}

/// Whether the payment reaches whom the source wants to be paid.
pub(super) fn paid(
    vendor: &VendorRef,
    supplier: &Supplier,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
    remarks: &mut Vec<String>,
) {
    match remit_to(vendor, supplier, suppliers(inputs)) {
        Ok(remark) => remarks.extend(remark),
        Err(fault) => holds.push(Hold::supplier_hierarchy(&fault)),
    }
}

/// Whether the ERP lists the currency, and all amounts are in it.
pub(super) fn currency(
    currency: Currency,
    amounts: impl Iterator<Item = Money>,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> bool {
    if !inputs.reference.currencies.contains_key(currency.code()) {
        holds.push(Hold::currency_unknown(currency.code()));
    }
    let mut one = true;
    for amount in amounts {
        if amount.currency != currency {
            one = false;
            holds.push(Hold::currency_mixed(currency.code(), amount.currency.code()));
        }
    }
    one
}

/// Without terms of its own the document takes the supplier's, which the ERP fills in. `chosen` is
/// the coding table's word.
pub(super) fn terms(
    chosen: Option<&str>,
    terms: Option<&str>,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Option<String> {
    let known = &inputs.reference.credit_terms;
    match chosen.map_or_else(|| inputs.rules.mapping.terms.map(terms), Mapped::To) {
        Mapped::To(terms) if known.contains_key(terms) => return Some(terms.to_owned()),
        Mapped::To(terms) => {
            let near = near(terms, nearest::credit_terms(inputs.reference));
            holds.push(Hold::terms_unknown(terms, &near));
        }
        Mapped::Absent => {}
        Mapped::NotMapped(code) => holds.push(Hold::terms_not_mapped(code)),
    }
    None
}

/// `chosen` is the coding table's word.
pub(super) fn branch(
    chosen: Option<&str>,
    business_unit: Option<&str>,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Option<String> {
    match chosen.map_or_else(|| inputs.rules.mapping.branches.map(business_unit), Mapped::To) {
        Mapped::To(branch) => checked_branch(branch, inputs, holds),
        Mapped::Absent => None,
        Mapped::NotMapped(code) => {
            holds.push(Hold::branch_not_mapped(code));
            None
        }
    }
}

/// The branch, when the ERP has it and it is active.
pub(super) fn checked_branch(
    branch: &str,
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Option<String> {
    match inputs.reference.branches.get(branch) {
        Some(known) if known.active => return Some(branch.to_owned()),
        Some(known) => holds.push(Hold::branch_inactive(branch, &known.name)),
        None => {
            let near = near(branch, nearest::branches(inputs.reference));
            holds.push(Hold::branch_unknown(branch, &near));
        }
    }
    None
}

/// The financial period of a day, by the starts of the periods: whether the ERP's end day is
/// inside a period differs. Adjustment periods, which have no day of their own, are passed over.
pub(super) fn period<'a>(on: Date, inputs: &Inputs<'a>) -> Option<&'a FinancialPeriod> {
    let of_days =
        || inputs.reference.periods.values().filter(|period| period.starts_on < period.ends_on);
    let found = of_days().filter(|period| period.starts_on <= on).max_by_key(|p| p.starts_on)?;
    let followed = of_days().any(|period| period.starts_on > on);
    // An end on the first of a month is the day after the period's last.
    let inside = on < found.ends_on || (on == found.ends_on && on.day() != 1);
    (followed || inside).then_some(found)
}

/// The first period after a closed one that is open and active.
pub(super) fn next_open_period<'a>(
    closed: &FinancialPeriod,
    inputs: &Inputs<'a>,
) -> Option<&'a FinancialPeriod> {
    let periods = inputs.reference.periods.values();
    periods
        .filter(|period| period.starts_on < period.ends_on && period.starts_on > closed.starts_on)
        .filter(|period| period.active && !period.closed_in_supplier_ledger)
        .min_by_key(|period| period.starts_on)
}

/// Cut on characters; what Visma would cut or refuse is better cut where we see it.
pub(super) fn cut(text: &str, length: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(length) {
        Some((end, _)) => text[..end].trim_end().to_owned(),
        None => text,
    }
}
