//! The same paper again: exactly, nearly, or under another name.

use super::account::two_records;
use super::maker::Maker;
use crate::world::document::{Invoice, Line};
use crate::world::time;
use rust_decimal::Decimal;

/// The same paper entered once more. Its own day and number, lines of its own ids.
fn again(m: &mut Maker, original: &Invoice, reference: String) -> Invoice {
    let lines: Vec<Line> = original.lines.clone();
    let blank = m.invoice(original.vendor, lines);
    Invoice {
        reference: Some(reference),
        business_unit: original.business_unit.clone(),
        invoiced_on: original.invoiced_on,
        accounting_on: original.accounting_on,
        due_on: original.due_on,
        terms_days: original.terms_days,
        payment_reference: original.payment_reference.clone(),
        payee: original.payee.clone(),
        ..blank
    }
}

/// A paper without an order, with a number of this form.
fn first(m: &mut Maker, form: fn(u32) -> String) -> (Invoice, u32) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    let serial = m.rng.u32(100_000..900_000);
    invoice.reference = Some(form(serial));
    (invoice, serial)
}

pub fn exact(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let reference = original.reference.clone().unwrap_or_default();
    let second = again(m, &original, reference);
    m.one_of_two(original, second);
}

/// A person keyed the number in already, with another amount.
pub fn keyed_with_other_amount(m: &mut Maker) {
    let vendor = m.vendor();
    let invoice = m.plain_invoice(vendor);
    let mut keyed = invoice.clone();
    let currency = keyed.currency.clone();
    keyed.lines[0].price += Decimal::ONE_HUNDRED;
    keyed.lines[0].price_out(&currency);
    m.total_up(&mut keyed);
    let reference = invoice.reference.clone().unwrap_or_default();
    m.key_like(&keyed, &reference, invoice.invoiced_on);
    m.hold(invoice);
}

pub fn separators(m: &mut Maker) {
    let (original, serial) = first(m, |serial| format!("F-{serial}"));
    let written = match m.rng.u32(0..3) {
        0 => format!("f{serial}"),
        1 => format!("F {serial}"),
        _ => format!("F/{serial}"),
    };
    let second = again(m, &original, written);
    m.one_of_two(original, second);
}

/// Two digits change places, or one is another.
fn mistyped(m: &mut Maker, serial: u32) -> String {
    let mut digits: Vec<char> = serial.to_string().chars().collect();
    let at = (1..4).find(|&at| digits[at] != digits[at + 1]);
    match at {
        Some(at) if m.rng.bool() => digits.swap(at, at + 1),
        Some(_) | None => digits[3] = if digits[3] == '7' { '1' } else { '7' },
    }
    digits.into_iter().collect()
}

pub fn typo(m: &mut Maker) {
    let (original, serial) = first(m, |serial| serial.to_string());
    let written = mistyped(m, serial);
    let second = again(m, &original, written);
    m.one_of_two(original, second);
}

pub fn typo_of_keyed(m: &mut Maker) {
    let (invoice, serial) = first(m, |serial| serial.to_string());
    let written = mistyped(m, serial);
    m.key_like(&invoice, &written, invoice.invoiced_on);
    m.hold(invoice);
}

/// A letter O where the paper has a zero.
pub fn letter_o(m: &mut Maker) {
    let (original, serial) = first(m, |serial| format!("AB0{serial}"));
    let second = again(m, &original, format!("ABO{serial}"));
    m.one_of_two(original, second);
}

/// Nothing like the first one's number; all else is the same.
pub fn other_number(m: &mut Maker) {
    let (original, _) = first(m, |serial| format!("B{serial}"));
    let written = format!("ORD-{}", m.rng.u32(2_000..9_000));
    let mut second = again(m, &original, written);
    second.payment_reference = None;
    m.one_of_two(original, second);
}

pub fn other_number_of_keyed(m: &mut Maker) {
    let (invoice, _) = first(m, |serial| format!("B{serial}"));
    let written = format!("ORD-{}", m.rng.u32(2_000..9_000));
    m.key_like(&invoice, &written, invoice.invoiced_on);
    m.hold(invoice);
}

/// The same number and amount under the other record of the same company.
pub fn other_record(m: &mut Maker) {
    let (one, two) = two_records(m);
    let original = m.plain_invoice(one);
    let reference = original.reference.clone().unwrap_or_default();
    let mut second = again(m, &original, reference);
    second.vendor = two;
    second.invoiced_on = time::plus_days(original.invoiced_on, m.rng.i64(0..2));
    second.accounting_on = Some(second.invoiced_on);
    second.due_on = None;
    m.one_of_two(original, second);
}
