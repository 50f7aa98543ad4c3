//! Documents made unpostable on purpose, one kind of fault each.

use super::amount;
use super::document::{Invoice, Line, Order, Share};
use super::fate::Plant;
use super::supplier::Vendors;
use fastrand::Rng;
use jiff::civil::date;
use rust_decimal::Decimal;

/// A unit of the buyer that no connection and no mapping names.
pub(crate) const UNMAPPED_UNIT: &str = "NORDLYS-SE";

/// One way in which a document cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Breakage {
    ReferenceMissing,
    ReferenceTooLong,
    SupplierUnknown,
    SupplierBlocked,
    AccountUnknown,
    AccountInactive,
    SegmentUnknown,
    SegmentInactive,
    VatNotMapped,
    TermsNotMapped,
    UnitNotMapped,
    LinesUnbalanced,
    DistributionUnbalanced,
    GrossDiffers,
    PeriodClosed,
    ChargeNotMapped,
    CurrencyUnknown,
    Duplicate,
    DuplicateInVisma,
    Unreadable,
    StatusUnknown,
    BranchNotMapped,
}

pub const ON_INVOICES: &[Breakage] = &[
    Breakage::ReferenceMissing,
    Breakage::ReferenceTooLong,
    Breakage::SupplierUnknown,
    Breakage::SupplierBlocked,
    Breakage::AccountUnknown,
    Breakage::AccountInactive,
    Breakage::SegmentUnknown,
    Breakage::SegmentInactive,
    Breakage::VatNotMapped,
    Breakage::TermsNotMapped,
    Breakage::UnitNotMapped,
    Breakage::LinesUnbalanced,
    Breakage::DistributionUnbalanced,
    Breakage::GrossDiffers,
    Breakage::PeriodClosed,
    Breakage::ChargeNotMapped,
    Breakage::CurrencyUnknown,
    Breakage::Duplicate,
    Breakage::DuplicateInVisma,
    Breakage::Unreadable,
    Breakage::StatusUnknown,
    Breakage::BranchNotMapped,
];

pub const ON_ORDERS: &[Breakage] = &[
    Breakage::SupplierUnknown,
    Breakage::AccountUnknown,
    Breakage::SegmentUnknown,
    Breakage::VatNotMapped,
    Breakage::UnitNotMapped,
    Breakage::DistributionUnbalanced,
    Breakage::CurrencyUnknown,
    Breakage::Unreadable,
    Breakage::StatusUnknown,
    Breakage::BranchNotMapped,
    Breakage::SupplierBlocked,
    Breakage::AccountInactive,
    Breakage::SegmentInactive,
    Breakage::TermsNotMapped,
];

/// One of each kind in turn, beginning at a place that the seed says.
pub fn in_turn(
    kinds: &'static [Breakage],
    seed: u64,
    count: usize,
) -> impl Iterator<Item = Breakage> {
    let start = (seed % kinds.len() as u64) as usize;
    kinds.iter().copied().cycle().skip(start).take(count)
}

impl Breakage {
    /// The connector's code of the hold that it must lead to.
    pub const fn plant(self) -> Plant {
        let (code, or) = match self {
            Self::ReferenceMissing => ("supplier_reference_missing", None),
            Self::ReferenceTooLong => ("supplier_reference_too_long", None),
            Self::SupplierUnknown => ("supplier_unknown", None),
            Self::SupplierBlocked => ("supplier_blocked", None),
            Self::AccountUnknown => ("account_unknown", None),
            Self::AccountInactive => ("account_inactive", None),
            Self::SegmentUnknown => ("segment_unknown", None),
            Self::SegmentInactive => ("segment_inactive", None),
            Self::VatNotMapped => ("vat_not_mapped", None),
            Self::TermsNotMapped => ("terms_not_mapped", None),
            Self::UnitNotMapped => ("unit_not_mapped", None),
            // The observed profile has no net on the header; there the gross tells.
            Self::LinesUnbalanced => ("lines_unbalanced", Some("gross_differs")),
            Self::DistributionUnbalanced => ("distribution_unbalanced", None),
            // On a supplier abroad it is tax that may not be charged at all.
            Self::GrossDiffers => ("gross_differs", Some("reverse_charge_taxed")),
            Self::PeriodClosed => ("period_closed", None),
            Self::ChargeNotMapped => ("charge_not_mapped", None),
            Self::CurrencyUnknown => ("currency_unknown", None),
            Self::Duplicate => ("duplicate", Some("duplicate_in_visma")),
            Self::DuplicateInVisma => ("duplicate_in_visma", None),
            Self::Unreadable => ("unreadable", None),
            Self::StatusUnknown => ("status_unknown", None),
            Self::BranchNotMapped => ("branch_not_mapped", None),
        };
        Plant { code, or }
    }

    /// Whether the fault must stand alone on an invoice without an order, where an order would
    /// add a second one.
    pub const fn without_order(self) -> bool {
        match self {
            Self::SupplierUnknown
            | Self::SupplierBlocked
            | Self::CurrencyUnknown
            | Self::Duplicate
            | Self::DuplicateInVisma
            | Self::LinesUnbalanced
            | Self::BranchNotMapped => true,
            Self::ReferenceMissing
            | Self::ReferenceTooLong
            | Self::AccountUnknown
            | Self::AccountInactive
            | Self::SegmentUnknown
            | Self::SegmentInactive
            | Self::VatNotMapped
            | Self::TermsNotMapped
            | Self::UnitNotMapped
            | Self::DistributionUnbalanced
            | Self::GrossDiffers
            | Self::PeriodClosed
            | Self::ChargeNotMapped
            | Self::Unreadable
            | Self::StatusUnknown => false,
        }
    }

    /// Whose document it shall be.
    pub fn vendor(self, vendors: &Vendors, rng: &mut Rng) -> usize {
        let from = match self {
            Self::SupplierUnknown => &vendors.unknown,
            Self::SupplierBlocked => &vendors.blocked,
            Self::ReferenceMissing
            | Self::ReferenceTooLong
            | Self::AccountUnknown
            | Self::AccountInactive
            | Self::SegmentUnknown
            | Self::SegmentInactive
            | Self::VatNotMapped
            | Self::TermsNotMapped
            | Self::UnitNotMapped
            | Self::LinesUnbalanced
            | Self::DistributionUnbalanced
            | Self::GrossDiffers
            | Self::PeriodClosed
            | Self::ChargeNotMapped
            | Self::CurrencyUnknown
            | Self::Duplicate
            | Self::DuplicateInVisma
            | Self::Unreadable
            | Self::StatusUnknown
            | Self::BranchNotMapped => &vendors.payable,
        };
        from[rng.usize(0..from.len())]
    }

    /// Breaks an order. Faults that only an invoice can have leave it as it is.
    pub fn break_order(self, order: &mut Order, rng: &mut Rng) {
        match self {
            Self::TermsNotMapped => order.terms_days = Some(21),
            Self::CurrencyUnknown => order.currency = "PLN".into(),
            Self::Unreadable => order.record.unreadable = true,
            Self::StatusUnknown => order.status = "PartlyShipped".into(),
            Self::BranchNotMapped => order.business_unit = UNMAPPED_UNIT.into(),
            Self::AccountUnknown
            | Self::AccountInactive
            | Self::SegmentUnknown
            | Self::SegmentInactive
            | Self::VatNotMapped
            | Self::UnitNotMapped
            | Self::DistributionUnbalanced => {
                let currency = order.currency.clone();
                self.break_line(one_mut(&mut order.lines, rng), &currency);
            }
            Self::ReferenceMissing
            | Self::ReferenceTooLong
            | Self::SupplierUnknown
            | Self::SupplierBlocked
            | Self::LinesUnbalanced
            | Self::GrossDiffers
            | Self::PeriodClosed
            | Self::ChargeNotMapped
            | Self::Duplicate
            | Self::DuplicateInVisma => {}
        }
        order.total_up();
    }

    /// Breaks an invoice. The two kinds of duplicates need more than the invoice itself and
    /// are made where the invoices are.
    pub fn break_invoice(self, invoice: &mut Invoice, vendors: &Vendors, rng: &mut Rng) {
        let domestic = vendors.all[invoice.vendor].is_domestic();
        match self {
            Self::ReferenceMissing => invoice.reference = None,
            Self::ReferenceTooLong => {
                let reference = invoice.reference.take().unwrap_or_default();
                invoice.reference = Some(format!("{reference:-<45}"));
                if let Some(text) = &mut invoice.reference {
                    text.replace_range(44.., "X");
                }
            }
            Self::TermsNotMapped => invoice.terms_days = Some(21),
            Self::PeriodClosed => invoice.accounting_on = Some(date(2026, 8, 20)),
            Self::Unreadable => invoice.record.unreadable = true,
            Self::StatusUnknown => invoice.workflow = "Parked".into(),
            Self::BranchNotMapped => invoice.business_unit = UNMAPPED_UNIT.into(),
            Self::LinesUnbalanced => {
                invoice.lines.pop();
            }
            Self::GrossDiffers => {
                invoice.tax += Decimal::ONE;
                invoice.gross += Decimal::ONE;
                if let Some(tax) = invoice.taxes.first_mut() {
                    tax.amount += Decimal::ONE;
                }
            }
            Self::ChargeNotMapped => {
                invoice.charges.discount =
                    amount::rounded(invoice.net / Decimal::TEN, &invoice.currency);
                invoice.total_up(domestic);
            }
            Self::AccountUnknown
            | Self::AccountInactive
            | Self::SegmentUnknown
            | Self::SegmentInactive
            | Self::VatNotMapped
            | Self::UnitNotMapped
            | Self::DistributionUnbalanced => {
                let currency = invoice.currency.clone();
                self.break_line(one_mut(&mut invoice.lines, rng), &currency);
                invoice.total_up(domestic);
            }
            Self::CurrencyUnknown => invoice.currency = "PLN".into(),
            Self::SupplierUnknown
            | Self::SupplierBlocked
            | Self::Duplicate
            | Self::DuplicateInVisma => {}
        }
    }

    fn break_line(self, line: &mut Line, currency: &str) {
        if self == Self::DistributionUnbalanced {
            let share = line.shares[0].clone();
            let cut = |percent: i64| Share { percent: Decimal::from(percent), ..share.clone() };
            line.shares = vec![cut(60), cut(40)];
            line.price_out(currency);
            let last = line.shares.len() - 1;
            line.shares[last].amount +=
                if amount::decimals(currency) == 0 { Decimal::from(5) } else { Decimal::new(5, 2) };
            return;
        }
        let share = &mut line.shares[0];
        match self {
            Self::AccountUnknown => share.account = "9999".into(),
            Self::AccountInactive => share.account = "6999".into(),
            Self::SegmentUnknown => share.cost_center = "999".into(),
            Self::SegmentInactive => share.cost_center = "399".into(),
            Self::VatNotMapped => line.tax_code = "NO-RAW11".into(),
            Self::UnitNotMapped => line.unit = "PALL".into(),
            Self::ReferenceMissing
            | Self::ReferenceTooLong
            | Self::SupplierUnknown
            | Self::SupplierBlocked
            | Self::TermsNotMapped
            | Self::LinesUnbalanced
            | Self::DistributionUnbalanced
            | Self::GrossDiffers
            | Self::PeriodClosed
            | Self::ChargeNotMapped
            | Self::CurrencyUnknown
            | Self::Duplicate
            | Self::DuplicateInVisma
            | Self::Unreadable
            | Self::StatusUnknown
            | Self::BranchNotMapped => {}
        }
    }
}

fn one_mut<'a, T>(from: &'a mut [T], rng: &mut Rng) -> &'a mut T {
    let index = rng.usize(0..from.len());
    &mut from[index]
}
