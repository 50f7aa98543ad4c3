//! The faults that everyday documents have too: codes that lead nowhere, fields that say nothing.

use super::maker::Maker;
use crate::world::document::Charges;
use crate::world::plant::Breakage;

fn broken(m: &mut Maker, breakage: Breakage) {
    let vendor = match breakage {
        Breakage::SupplierUnknown | Breakage::SupplierBlocked => {
            breakage.vendor(&m.vendors, &mut m.rng)
        }
        _ => m.vendor(),
    };
    let mut invoice = m.plain_invoice(vendor);
    breakage.break_invoice(&mut invoice, &m.vendors, &mut m.rng);
    m.hold(invoice);
}

macro_rules! broken {
    ($($name:ident => $breakage:ident),* $(,)?) => {
        $(pub fn $name(m: &mut Maker) {
            broken(m, Breakage::$breakage);
        })*
    };
}

broken! {
    reference_missing => ReferenceMissing,
    reference_too_long => ReferenceTooLong,
    supplier_unknown => SupplierUnknown,
    supplier_blocked => SupplierBlocked,
    account_unknown => AccountUnknown,
    account_inactive => AccountInactive,
    segment_unknown => SegmentUnknown,
    segment_inactive => SegmentInactive,
    vat_not_mapped => VatNotMapped,
    unit_not_mapped => UnitNotMapped,
    distribution_unbalanced => DistributionUnbalanced,
    period_closed => PeriodClosed,
    currency_unknown => CurrencyUnknown,
    unreadable => Unreadable,
    status_unknown => StatusUnknown,
    branch_not_mapped => BranchNotMapped,
}

pub fn terms_not_mapped(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    invoice.terms_days = Some(21);
    invoice.due_on = None;
    m.hold(invoice);
}

/// A kind of charge that the company has no account for.
pub fn charge_not_mapped(m: &mut Maker) {
    let vendor = m.domestic();
    let mut invoice = m.plain_invoice(vendor);
    let handling = m.even_price();
    invoice.charges = Charges { handling, ..Charges::default() };
    m.total_up(&mut invoice);
    m.hold(invoice);
}
