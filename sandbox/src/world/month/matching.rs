//! Faults against what was ordered, what arrived and what was agreed.

use super::maker::{Maker, cost, share_on};
use super::{MINOR, limits, raised};
use crate::world::document::{Charges, Invoice};
use crate::world::fate::KeyedBilling;
use crate::world::{amount, time};
use jiff::civil::date;
use rust_decimal::Decimal;

/// The first line is billed at another price.
fn reprice(invoice: &mut Invoice, price: Decimal) {
    let currency = invoice.currency.clone();
    let line = &mut invoice.lines[0];
    line.price = price;
    line.price_out(&currency);
}

pub fn price_over(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| vendor.currency != "ISK");
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    let percent = Decimal::from(m.rng.i64(8..60));
    let price = amount::rounded(raised(invoice.lines[0].price, percent), &invoice.currency);
    reprice(&mut invoice, price);
    m.total_up(&mut invoice);
    m.hold(invoice);
}

/// An order on goods at an even price, received, and an invoice on all of it: NOK, small enough
/// that no limit in money is near.
pub(super) fn small_bill(m: &mut Maker) -> Invoice {
    let vendor = m.domestic();
    let price = m.even_price();
    let quantity = Decimal::from(m.rng.i64(2..17));
    let line = m.line(vendor, quantity, price);
    let order = m.order(vendor, vec![line]);
    m.receive_all(order);
    m.bill_all(order)
}

pub fn price_over_by_one(m: &mut Maker) {
    let mut invoice = small_bill(m);
    let price = raised(invoice.lines[0].price, limits::PRICE_PERCENT) + MINOR;
    reprice(&mut invoice, price);
    m.total_up(&mut invoice);
    m.hold(invoice);
}

/// An order of a hundred kilograms, `delivered` and billed more than that.
pub(super) fn over_delivery(m: &mut Maker, delivered: Decimal) -> Invoice {
    let vendor = m.domestic();
    let price = m.even_price();
    let mut line = m.line(vendor, Decimal::ONE_HUNDRED, price);
    line.unit = "KGM".into();
    line.description = "Rengjøringsmiddel, konsentrat".into();
    let order = m.order(vendor, vec![line]);
    m.receive(order, &[(0, delivered)], false);
    m.bill(order, &[(0, delivered)])
}

pub fn quantity_over(m: &mut Maker) {
    let delivered = Decimal::from(m.rng.i64(110..190));
    let invoice = over_delivery(m, delivered);
    m.hold(invoice);
}

pub fn quantity_over_by_one(m: &mut Maker) {
    let limit = raised(Decimal::ONE_HUNDRED, limits::QUANTITY_PERCENT);
    let invoice = over_delivery(m, limit + Decimal::new(1, 3));
    m.hold(invoice);
}

/// Lines of 40 pieces at 1,000.00 and more, each billed for so much more than ordered: within the
/// price's limit.
pub(super) fn dearer_lines(m: &mut Maker, more: &[Decimal]) -> Invoice {
    let vendor = m.domestic();
    let quantity = Decimal::from(40);
    let lines = more
        .iter()
        .map(|_| {
            let price = Decimal::from(m.rng.i64(1_000..2_000));
            m.line(vendor, quantity, price)
        })
        .collect();
    let order = m.order(vendor, lines);
    m.receive_all(order);
    let mut invoice = m.bill_all(order);
    for (line, more) in invoice.lines.iter_mut().zip(more) {
        line.price += more / quantity;
        let net = line.net + more;
        cost(line, net);
    }
    m.total_up(&mut invoice);
    invoice
}

pub fn line_over(m: &mut Maker) {
    let more = limits::LINE + Decimal::from(m.rng.i64(100..250));
    let invoice = dearer_lines(m, &[more]);
    m.hold(invoice);
}

pub fn line_over_by_one(m: &mut Maker) {
    let invoice = dearer_lines(m, &[limits::LINE + MINOR]);
    m.hold(invoice);
}

pub fn header_over(m: &mut Maker) {
    let more = Decimal::from(m.rng.i64(430..490));
    let invoice = dearer_lines(m, &[more, more, Decimal::from(200)]);
    m.hold(invoice);
}

pub fn header_over_by_one(m: &mut Maker) {
    let half = limits::HEADER / Decimal::TWO;
    let invoice = dearer_lines(m, &[half, half + MINOR]);
    m.hold(invoice);
}

pub fn billed_twice(m: &mut Maker) {
    let vendor = m.vendor();
    let order = m.simple_order(vendor);
    let first = m.bill_all(order);
    let part = (m.orders[order].lines[0].quantity / Decimal::TWO).ceil();
    let second = m.bill(order, &[(0, part)]);
    m.one_of_two(first, second);
}

pub fn billed_by_hand(m: &mut Maker) {
    let vendor = m.domestic();
    let price = m.odd_price();
    let quantity = Decimal::from(m.rng.i64(4..12));
    let line = m.line(vendor, quantity, price);
    let (order, keyed) = m.keyed_order(vendor, vec![line]);
    m.receive_all(order);
    let by_hand = m.bill_all(order);
    let reference = format!("H{}", 700_000 + m.keyed_invoices.len() * 131);
    m.key_billing(&by_hand, &reference, KeyedBilling { order: keyed, line: 0, quantity });
    let invoice = m.bill(order, &[(0, Decimal::from(3))]);
    m.hold(invoice);
}

/// An order of goods at an odd price on which nothing has arrived.
fn unreceived(m: &mut Maker) -> (usize, Decimal) {
    let vendor = m.vendor();
    let price = amount::rounded(m.odd_price(), m.of(vendor).currency);
    let quantity = Decimal::from(m.rng.i64(4..19));
    let line = m.line(vendor, quantity, price);
    (m.order(vendor, vec![line]), quantity)
}

pub fn receipt_missing(m: &mut Maker) {
    let (order, quantity) = unreceived(m);
    m.receive(order, &[(0, quantity)], true);
    let invoice = m.bill_all(order);
    m.wait(invoice);
}

pub fn receipt_in_part(m: &mut Maker) {
    let (order, quantity) = unreceived(m);
    let first = Decimal::from(m.rng.i64(1..4));
    m.receive(order, &[(0, first)], false);
    m.receive(order, &[(0, quantity - first)], true);
    let invoice = m.bill_all(order);
    m.wait(invoice);
}

pub fn receipt_cancelled(m: &mut Maker) {
    let (order, quantity) = unreceived(m);
    let wrong = m.receive(order, &[(0, quantity)], false);
    m.receipts[wrong].cancelled = true;
    m.receive(order, &[(0, quantity)], true);
    let invoice = m.bill_all(order);
    m.wait(invoice);
}

pub fn unit_not_convertible(m: &mut Maker) {
    let vendor = m.vendor();
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    invoice.lines[0].unit = (*m.rng.choice(&["KGM", "HUR"]).expect("not empty")).into();
    m.hold(invoice);
}

pub fn contract_not_valid(m: &mut Maker) {
    let vendor = m.vendor();
    let other = m.vendor_where(|one| one.currency == "SEK");
    let way = if other == vendor { m.rng.u32(0..3) } else { m.rng.u32(0..4) };
    let number = m.contract(vendor, |contract| match way {
        0 => contract.ends_on = Some(date(2026, 6, 30)),
        1 => contract.starts_on = date(2027, 1, 1),
        2 => contract.status = "Terminated".into(),
        _ => contract.vendor = other,
    });
    let invoice = bill_under_contract(m, vendor, &number, None);
    m.hold(invoice);
}

/// An order of goods under a contract, received and billed. `net`: of the whole line.
pub(super) fn bill_under_contract(
    m: &mut Maker,
    vendor: usize,
    contract: &str,
    net: Option<Decimal>,
) -> Invoice {
    let (quantity, price) = match net {
        Some(net) => (Decimal::ONE, net),
        None => {
            let price = amount::rounded(m.odd_price(), m.of(vendor).currency);
            (Decimal::from(m.rng.i64(2..9)), price)
        }
    };
    let mut line = m.line(vendor, quantity, price);
    line.contract = Some(contract.into());
    let order = m.order(vendor, vec![line]);
    m.receive_all(order);
    m.bill_all(order)
}

pub fn contract_exceeded(m: &mut Maker) {
    let vendor = m.domestic();
    let value = m.odd_price() * Decimal::TEN;
    let over = if m.rng.bool() { MINOR } else { m.odd_price() };
    let number = m.contract(vendor, |contract| {
        contract.value = Some(value);
        contract.consumed = Some(Decimal::ZERO);
    });
    let invoice = bill_under_contract(m, vendor, &number, Some(value + over));
    m.hold(invoice);
}

/// A blanket order: one line whose net is the ceiling. Its position and the ceiling.
pub(super) fn blanket_order(m: &mut Maker) -> (usize, Decimal) {
    let vendor = m.domestic();
    let ceiling = m.odd_price() * Decimal::TEN;
    let mut line = m.line(vendor, Decimal::ONE, ceiling);
    line.limit = true;
    line.description = "Rammebestilling, diverse forbruk".into();
    (m.order(vendor, vec![line]), ceiling)
}

/// An invoice of some amount on a blanket order.
pub(super) fn draw_on(m: &mut Maker, order: usize, net: Decimal) -> Invoice {
    let mut invoice = m.bill_all(order);
    reprice(&mut invoice, net);
    m.total_up(&mut invoice);
    invoice
}

pub fn blanket_exceeded(m: &mut Maker) {
    let (order, ceiling) = blanket_order(m);
    let over = m.odd_price();
    let invoice = draw_on(m, order, ceiling + over);
    m.hold(invoice);
}

pub fn blanket_exceeded_by_one(m: &mut Maker) {
    let (order, ceiling) = blanket_order(m);
    let invoice = draw_on(m, order, ceiling + MINOR);
    m.hold(invoice);
}

pub fn blanket_exceeded_by_two(m: &mut Maker) {
    let (order, ceiling) = blanket_order(m);
    let most = ceiling - m.odd_price();
    let first = draw_on(m, order, most);
    let rest = ceiling - most + m.odd_price();
    let second = draw_on(m, order, rest);
    m.one_of_two(first, second);
}

pub fn order_required(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    for share in &mut invoice.lines[0].shares {
        share.account = limits::ORDERED_ACCOUNT.into();
    }
    m.hold(invoice);
}

pub fn other_supplier(m: &mut Maker) {
    let vendor = m.domestic();
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    while invoice.vendor == vendor {
        invoice.vendor = m.domestic();
    }
    invoice.payee = m.of(invoice.vendor).bank_accounts.first().cloned();
    invoice.payment_reference = None;
    invoice.terms_days = None;
    invoice.due_on = None;
    m.hold(invoice);
}

pub fn other_currency(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.currency, "SEK" | "DKK"));
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    invoice.currency = "EUR".into();
    m.hold(invoice);
}

pub fn order_cancelled(m: &mut Maker) {
    let vendor = m.vendor();
    let order = m.simple_order(vendor);
    m.orders[order].status = "Cancelled".into();
    let invoice = m.bill_all(order);
    m.hold(invoice);
}

pub fn order_not_taken(m: &mut Maker) {
    let vendor = m.vendor();
    let order = m.simple_order(vendor);
    m.orders[order].ordered_on = date(2026, 8, 12);
    let invoice = m.bill_all(order);
    m.hold(invoice);
}

pub fn order_line_unknown(m: &mut Maker) {
    let vendor = m.vendor();
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    if let Some(bills) = &mut invoice.lines[0].bills {
        bills.line_number = Some(99);
        bills.line_id = Some("8111111".into());
    }
    m.hold(invoice);
}

pub fn order_line_unclear(m: &mut Maker) {
    let vendor = m.vendor();
    let currency = m.of(vendor).currency;
    let lines = (0..3)
        .map(|_| {
            let price = amount::rounded(m.odd_price(), currency);
            let quantity = Decimal::from(m.rng.i64(1..9));
            m.line(vendor, quantity, price)
        })
        .collect();
    let order = m.order(vendor, lines);
    m.receive_all(order);
    let at = m.rng.usize(0..3);
    let quantity = m.orders[order].lines[at].quantity;
    let mut invoice = m.bill(order, &[(at, quantity)]);
    for line in &mut invoice.lines {
        line.description = "Varer etter avtale".into();
        line.item = None;
        if let Some(bills) = &mut line.bills {
            bills.line_number = None;
            bills.line_id = None;
        }
    }
    m.hold(invoice);
}

/// A bill with freight on it.
pub(super) fn freighted(m: &mut Maker, freight: Decimal) -> Invoice {
    let vendor = m.domestic();
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    invoice.charges = Charges { shipping: freight, ..Charges::default() };
    m.total_up(&mut invoice);
    invoice
}

pub fn freight_over(m: &mut Maker) {
    let freight = limits::FREIGHT * Decimal::TWO + m.odd_price();
    let invoice = freighted(m, freight);
    m.hold(invoice);
}

pub fn freight_over_by_one(m: &mut Maker) {
    let invoice = freighted(m, limits::FREIGHT + MINOR);
    m.hold(invoice);
}

pub fn no_lines(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    invoice.lines.clear();
    invoice.due_on = Some(time::plus_days(invoice.invoiced_on, 30));
    invoice.terms_days = Some(30);
    m.hold(invoice);
}

/// Two lines of services on one order, so that the receipt cannot matter.
pub(super) fn service_order(m: &mut Maker) -> usize {
    let vendor = m.vendor();
    let currency = m.of(vendor).currency;
    let lines = (0..2)
        .map(|_| {
            let price = amount::rounded(m.odd_price(), currency);
            let hours = Decimal::from(m.rng.i64(2..40));
            let mut line = m.service(vendor, hours, price);
            share_on(&mut line, "6705");
            line
        })
        .collect();
    m.order(vendor, lines)
}
