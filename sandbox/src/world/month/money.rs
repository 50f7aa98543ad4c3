//! Faults of the paper itself: totals, tax, rounding, dates, and credit notes.

use super::maker::Maker;
use super::{MINOR, limits};
use crate::world::document::{Charges, Invoice, Line, Tax};
use crate::world::{amount, time};
use jiff::civil::date;
use rust_decimal::Decimal;

/// Base currency for one unit, as Visma has it.
pub(super) fn rate(currency: &str) -> Decimal {
    match currency {
        "SEK" => Decimal::new(105, 2),
        "DKK" => Decimal::new(157, 2),
        "EUR" => Decimal::new(1174, 2),
        "ISK" => Decimal::new(8, 2),
        _ => Decimal::ONE,
    }
}

// --- credit notes --------------------------------------------------------------------------

pub fn credit_too_large(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let mut credit = m.credit(&original);
    let currency = credit.currency.clone();
    let line = &mut credit.lines[0];
    line.quantity += Decimal::from(m.rng.i64(1..4));
    line.price_out(&currency);
    m.total_up(&mut credit);
    m.beside(original);
    m.hold(credit);
}

pub fn credited_twice(m: &mut Maker) {
    let vendor = m.vendor();
    let mut original = m.plain_invoice(vendor);
    original.invoiced_on = time::plus_days(original.invoiced_on, -3);
    original.accounting_on = Some(original.invoiced_on);
    let first = m.credit(&original);
    let mut second = m.credit(&original);
    second.invoiced_on = time::plus_days(second.invoiced_on, 2);
    second.accounting_on = Some(second.invoiced_on);
    m.beside(original);
    m.one_of_two(first, second);
}

pub fn credit_names_nothing(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let mut credit = m.credit(&original);
    credit.credits = None;
    m.beside(original);
    m.hold(credit);
}

pub fn credit_names_unknown(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let mut credit = m.credit(&original);
    credit.credits = Some(("2000001".into(), format!("Z{}", m.rng.u32(10_000..99_999))));
    m.beside(original);
    m.hold(credit);
}

// --- totals and tax ------------------------------------------------------------------------

fn domestic(m: &mut Maker) -> Invoice {
    let vendor = m.domestic();
    m.plain_invoice(vendor)
}

fn add_tax(invoice: &mut Invoice, more: Decimal) {
    if let Some(tax) = invoice.taxes.first_mut() {
        tax.amount += more;
    }
    invoice.tax += more;
    invoice.gross += more;
}

pub fn tax_amount_wrong(m: &mut Maker) {
    let mut invoice = domestic(m);
    let more = Decimal::from(m.rng.i64(5..90));
    add_tax(&mut invoice, more);
    m.hold(invoice);
}

/// The code of one rate, the percent and the amounts of another.
pub fn tax_rate_wrong(m: &mut Maker) {
    let mut invoice = domestic(m);
    invoice.lines[0].rate = Decimal::from(15);
    m.total_up(&mut invoice);
    m.hold(invoice);
}

/// Two rates, and an amount of the one stands with the other: the sum is right.
pub fn tax_shifted(m: &mut Maker) {
    let mut invoice = two_rates(m);
    let shifted = Decimal::from(m.rng.i64(20..90));
    for (tax, sign) in invoice.taxes.iter_mut().zip([Decimal::ONE, Decimal::NEGATIVE_ONE]) {
        tax.amount += shifted * sign;
    }
    m.hold(invoice);
}

/// A line at the ordinary rate and one at the middle rate.
pub(super) fn two_rates(m: &mut Maker) -> Invoice {
    let vendor = m.domestic();
    let mut lines: Vec<Line> = m.plain_invoice(vendor).lines;
    let mut food = m.plain_invoice(vendor).lines.swap_remove(0);
    food.tax_code = "NO-15".into();
    food.rate = Decimal::from(15);
    lines.push(food);
    m.invoice(vendor, lines)
}

pub fn reverse_charge_taxed(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| !vendor.is_domestic() && vendor.currency != "ISK");
    let mut invoice = m.plain_invoice(vendor);
    let rate = Decimal::from(25);
    let tax = amount::vat(invoice.net, rate, &invoice.currency);
    invoice.lines[0].rate = rate;
    invoice.taxes = vec![Tax { code: "EU-RC".into(), rate, base: invoice.net, amount: tax }];
    invoice.tax = tax;
    invoice.gross = invoice.net + tax;
    m.hold(invoice);
}

pub fn total_unbalanced(m: &mut Maker) {
    let mut invoice = domestic(m);
    invoice.gross += Decimal::from(m.rng.i64(2..500));
    m.hold(invoice);
}

pub fn total_unbalanced_by_one(m: &mut Maker) {
    let mut invoice = domestic(m);
    invoice.gross += MINOR;
    m.hold(invoice);
}

pub fn lines_unbalanced(m: &mut Maker) {
    let mut invoice = two_rates(m);
    invoice.lines.pop();
    m.hold(invoice);
}

/// "Rounding" that no rounding explains.
pub fn rounding_too_large(m: &mut Maker) {
    let mut invoice = domestic(m);
    let rounding = Decimal::new(m.rng.i64(500..2_500), 2);
    invoice.charges = Charges { rounding, ..Charges::default() };
    m.total_up(&mut invoice);
    m.hold(invoice);
}

/// One minor unit more than rounding to a whole crown can come to.
pub fn rounding_over_by_one(m: &mut Maker) {
    let mut invoice = domestic(m);
    let rounding = limits::ROUNDING + MINOR;
    invoice.charges = Charges { rounding, ..Charges::default() };
    m.total_up(&mut invoice);
    m.hold(invoice);
}

pub fn exchange_rate_differs(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.currency, "SEK" | "DKK" | "EUR"));
    let mut invoice = m.plain_invoice(vendor);
    let percent = Decimal::from(*m.rng.choice(&[60, 130, 150]).expect("not empty"));
    let stated = rate(&invoice.currency) * percent / Decimal::ONE_HUNDRED;
    invoice.exchange_rate = Some(stated.round_dp(6));
    m.hold(invoice);
}

// --- dates ---------------------------------------------------------------------------------

/// A year mistyped; booked in the month all the same.
pub fn dated_in_future(m: &mut Maker) {
    let mut invoice = domestic(m);
    invoice.accounting_on = Some(invoice.invoiced_on);
    invoice.invoiced_on = date(2036, 10, invoice.invoiced_on.day());
    invoice.due_on = None;
    m.hold(invoice);
}

pub fn due_before_invoice(m: &mut Maker) {
    let mut invoice = domestic(m);
    invoice.due_on = Some(time::plus_days(invoice.invoiced_on, -m.rng.i64(1..40)));
    m.hold(invoice);
}

pub fn due_years_later(m: &mut Maker) {
    let mut invoice = domestic(m);
    let days = i64::from(m.of(invoice.vendor).terms_days);
    invoice.terms_days = Some(m.of(invoice.vendor).terms_days);
    invoice.due_on = Some(time::plus_days(invoice.invoiced_on, days + 365 * m.rng.i64(1..4)));
    m.hold(invoice);
}

/// Within the limits for freight.
pub(super) fn small_freight(m: &mut Maker) -> Decimal {
    let most = amount::minor(limits::FREIGHT, "NOK");
    Decimal::new(m.rng.i64(1_900..most), 2)
}
