//! Papers as they mostly are, and those that look unusual and are right.

use super::maker::{Maker, cost, redate, share_on};
use super::matching::{
    bill_under_contract, blanket_order, dearer_lines, draw_on, freighted, over_delivery,
    service_order, small_bill,
};
use super::money::{rate, small_freight, two_rates};
use super::{LAST, MINOR, limits, raised, reference};
use crate::world::document::{Charges, Invoice, Line, Share};
use crate::world::fate::{HandKeyedReceipt, KeyedBilling};
use crate::world::supplier::Country;
use crate::world::{amount, time};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// Whatever comes: on an order mostly, with receipts for its goods, some with freight.
pub fn plain(m: &mut Maker) {
    let vendor = m.vendor();
    if m.rng.u32(0..5) == 0 {
        return no_order(m);
    }
    let lines = m.any_lines(vendor);
    let order = m.order(vendor, lines);
    m.receive_all(order);
    let mut invoice = m.bill_all(order);
    if invoice.currency == "NOK" && m.rng.u32(0..10) == 0 {
        invoice.charges.shipping = small_freight(m);
        m.total_up(&mut invoice);
    }
    m.pass(invoice);
}

// --- on orders -----------------------------------------------------------------------------

/// Not on the account that needs one.
pub fn no_order(m: &mut Maker) {
    let vendor = m.vendor();
    let mut lines: Vec<Line> = m.any_lines(vendor);
    for line in &mut lines {
        line.price /= line.basis;
        line.basis = Decimal::ONE;
        if line.shares.iter().any(|share| share.account == limits::ORDERED_ACCOUNT) {
            share_on(line, "6800");
        }
    }
    let invoice = m.invoice(vendor, lines);
    m.pass(invoice);
}

/// A part arrives and is billed; the rest is still to come.
pub fn partial_delivery(m: &mut Maker) {
    let vendor = m.vendor();
    let price = amount::rounded(m.odd_price(), m.of(vendor).currency);
    let line = m.line(vendor, Decimal::from(20), price);
    let order = m.order(vendor, vec![line]);
    let part = Decimal::from(m.rng.i64(3..17));
    m.receive(order, &[(0, part)], false);
    let invoice = m.bill(order, &[(0, part)]);
    m.pass(invoice);
}

/// One order, received at once and billed on two papers.
pub fn billed_in_parts(m: &mut Maker) {
    let vendor = m.vendor();
    let price = amount::rounded(m.odd_price(), m.of(vendor).currency);
    let line = m.line(vendor, Decimal::from(20), price);
    let order = m.order(vendor, vec![line]);
    m.receive_all(order);
    let part = Decimal::from(m.rng.i64(3..9));
    for quantity in [part, Decimal::from(20) - part] {
        let invoice = m.bill(order, &[(0, quantity)]);
        m.pass(invoice);
    }
}

pub fn price_at_limit(m: &mut Maker) {
    let mut invoice = small_bill(m);
    let line = &mut invoice.lines[0];
    line.price = raised(line.price, limits::PRICE_PERCENT);
    line.price_out("NOK");
    m.total_up(&mut invoice);
    m.pass(invoice);
}

pub fn quantity_at_limit(m: &mut Maker) {
    let invoice = over_delivery(m, raised(Decimal::ONE_HUNDRED, limits::QUANTITY_PERCENT));
    m.pass(invoice);
}

pub fn line_at_limit(m: &mut Maker) {
    let invoice = dearer_lines(m, &[limits::LINE]);
    m.pass(invoice);
}

pub fn header_at_limit(m: &mut Maker) {
    let half = limits::HEADER / Decimal::TWO;
    let invoice = dearer_lines(m, &[half, half]);
    m.pass(invoice);
}

pub fn freight_at_limit(m: &mut Maker) {
    let invoice = freighted(m, limits::FREIGHT);
    m.pass(invoice);
}

pub fn price_lower(m: &mut Maker) {
    let vendor = m.domestic();
    let order = m.simple_order(vendor);
    let mut invoice = m.bill_all(order);
    let off = Decimal::from(m.rng.i64(5..30));
    let line = &mut invoice.lines[0];
    line.price = amount::rounded(raised(line.price, -off), "NOK");
    line.price_out("NOK");
    m.total_up(&mut invoice);
    m.pass(invoice);
}

/// Ordered at a price for a hundred, billed at the price of one.
pub fn price_per_hundred(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| vendor.currency != "ISK");
    let price = m.odd_price();
    let quantity = Decimal::from(m.rng.i64(2..30) * 100);
    let mut line = m.line(vendor, quantity, price);
    line.basis = Decimal::ONE_HUNDRED;
    line.price_out(m.of(vendor).currency);
    let order = m.order(vendor, vec![line]);
    m.receive_all(order);
    let invoice = m.bill_all(order);
    m.pass(invoice);
}

/// Billed in another unit of the same kind: so many of the ordered one are one of it.
fn in_other_unit(m: &mut Maker, ordered: &str, billed: &str, factor: Decimal, quantity: Decimal) {
    let vendor = m.vendor_where(|vendor| vendor.currency != "ISK");
    let price = Decimal::from(m.rng.i64(11..90)) + Decimal::new(5, 1);
    let mut line = m.line(vendor, quantity, price);
    line.unit = ordered.into();
    let order = m.order(vendor, vec![line]);
    m.receive_all(order);
    let mut invoice = m.bill_all(order);
    let line = &mut invoice.lines[0];
    line.unit = billed.into();
    line.quantity = quantity / factor;
    line.price = price * factor;
    m.pass(invoice);
}

pub fn dozens(m: &mut Maker) {
    let quantity = Decimal::from(m.rng.i64(2..20) * 12);
    in_other_unit(m, "EA", "DZN", Decimal::from(12), quantity);
}

pub fn grams(m: &mut Maker) {
    let quantity = Decimal::new(m.rng.i64(2_000..30_000), 3);
    in_other_unit(m, "KGM", "GRM", Decimal::new(1, 3), quantity);
}

pub fn several_orders(m: &mut Maker) {
    let vendor = m.vendor();
    let orders: Vec<usize> = (0..m.rng.usize(2..=4)).map(|_| m.simple_order(vendor)).collect();
    let mut lines = Vec::new();
    for &order in &orders {
        let quantity = m.orders[order].lines[0].quantity;
        lines.extend(m.bill_lines(order, &[(0, quantity)]));
    }
    let unit = m.orders[orders[0]].business_unit.clone();
    let mut invoice = m.invoice(vendor, lines);
    invoice.business_unit = unit;
    m.pass(invoice);
}

/// An order that a person keyed into Visma, received there and nowhere else.
pub fn receipt_in_visma(m: &mut Maker) {
    let vendor = m.domestic();
    let price = m.odd_price();
    let quantity = Decimal::from(m.rng.i64(2..12));
    let line = m.line(vendor, quantity, price);
    let (order, keyed) = m.keyed_order(vendor, vec![line]);
    m.keyed_receipts.push(HandKeyedReceipt {
        received_on: time::plus_days(m.orders[order].ordered_on, 2),
        lines: vec![KeyedBilling { order: keyed, line: 0, quantity }],
    });
    let invoice = m.bill_all(order);
    m.pass(invoice);
}

/// Some goods went back and came again.
pub fn returned(m: &mut Maker) {
    let vendor = m.vendor();
    let price = amount::rounded(m.odd_price(), m.of(vendor).currency);
    let quantity = Decimal::from(m.rng.i64(6..12));
    let line = m.line(vendor, quantity, price);
    let order = m.order(vendor, vec![line]);
    let back = Decimal::from(m.rng.i64(1..5));
    for arrived in [quantity, -back, back] {
        m.receive(order, &[(0, arrived)], false);
    }
    let invoice = m.bill_all(order);
    m.pass(invoice);
}

pub fn service(m: &mut Maker) {
    let order = service_order(m);
    let invoice = m.bill_all(order);
    m.pass(invoice);
}

/// Two papers on a blanket order; together they come to the ceiling exactly.
pub fn blanket(m: &mut Maker) {
    let (order, ceiling) = blanket_order(m);
    let first = m.odd_price();
    for net in [first, ceiling - first] {
        let invoice = draw_on(m, order, net);
        m.pass(invoice);
    }
}

pub fn contract(m: &mut Maker) {
    let vendor = m.domestic();
    let value = Decimal::from(m.rng.i64(80_000..900_000));
    let number = m.contract(vendor, |contract| {
        contract.value = Some(value);
        contract.consumed = Some(Decimal::ZERO);
    });
    let invoice = bill_under_contract(m, vendor, &number, None);
    m.pass(invoice);
}

// --- amounts -------------------------------------------------------------------------------

/// The supplier rounded its line the other way.
pub fn line_rounded(m: &mut Maker) {
    let mut invoice = small_bill(m);
    let line = &mut invoice.lines[0];
    let net = line.net + if m.rng.bool() { MINOR } else { -MINOR };
    cost(line, net);
    m.total_up(&mut invoice);
    m.pass(invoice);
}

/// What is to be paid comes to whole crowns.
pub fn rounded_total(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.currency, "SEK" | "NOK"));
    let mut invoice = m.plain_invoice(vendor);
    let currency = invoice.currency.clone();
    let rounding = amount::rounded(invoice.gross.round() - invoice.gross, &currency);
    invoice.charges = Charges { rounding, ..Charges::default() };
    m.total_up(&mut invoice);
    m.pass(invoice);
}

pub fn header_discount(m: &mut Maker) {
    let vendor = m.domestic();
    let mut invoice = m.plain_invoice(vendor);
    let percent = Decimal::from(m.rng.i64(1..15));
    let discount = amount::vat(invoice.net, percent, &invoice.currency);
    invoice.charges = Charges { discount, ..Charges::default() };
    m.total_up(&mut invoice);
    m.pass(invoice);
}

/// A line that takes something off.
pub fn discount_line(m: &mut Maker) {
    let vendor = m.vendor();
    let mut lines = m.plain_invoice(vendor).lines;
    let currency = m.of(vendor).currency;
    let off = amount::rounded(lines[0].net / Decimal::from(m.rng.i64(7..20)), currency);
    let mut discount = m.line(vendor, Decimal::ONE, -off);
    discount.description = "Rabatt".into();
    share_on(&mut discount, "6540");
    lines.push(discount);
    let invoice = m.invoice(vendor, lines);
    m.pass(invoice);
}

pub fn reverse_charge(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| !vendor.is_domestic());
    let invoice = m.plain_invoice(vendor);
    m.pass(invoice);
}

pub fn zero_rated(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    invoice.lines[0].tax_code = "NO-0".into();
    invoice.lines[0].rate = Decimal::ZERO;
    m.total_up(&mut invoice);
    m.pass(invoice);
}

pub fn mixed_rates(m: &mut Maker) {
    let invoice = two_rates(m);
    m.pass(invoice);
}

pub fn icelandic(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| vendor.currency == "ISK");
    let order = m.simple_order(vendor);
    let invoice = m.bill_all(order);
    m.pass(invoice);
}

/// One line on a hundred shares; the first one of a month on a thousand.
pub fn hundred_shares(m: &mut Maker) {
    let vendor = m.domestic();
    let mut invoice = m.plain_invoice(vendor);
    let longest = m.invoices.iter().flat_map(|one| &one.lines).map(|line| line.shares.len()).max();
    let count = if longest < Some(1_000) { 1_000_u32 } else { 100 };
    let line = &mut invoice.lines[0];
    let percent = Decimal::ONE_HUNDRED / Decimal::from(count);
    let whole = line.shares[0].clone();
    line.shares = (0..count)
        .map(|nth| Share {
            percent,
            cost_center: if nth % 3 == 0 { "110" } else { "230" }.into(),
            ..whole.clone()
        })
        .collect();
    line.price += Decimal::ONE_THOUSAND;
    line.price_out("NOK");
    m.total_up(&mut invoice);
    m.pass(invoice);
}

/// The rate of the day, within a percent of the company's.
pub fn exchange_rate(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.currency, "SEK" | "DKK" | "EUR"));
    let mut invoice = m.plain_invoice(vendor);
    let stated = rate(&invoice.currency) * Decimal::new(m.rng.i64(9_950..10_050), 4);
    invoice.exchange_rate = Some(stated.round_dp(4));
    m.pass(invoice);
}

// --- numbers and repetition ----------------------------------------------------------------

/// A customer number with a check digit, on every paper.
pub fn same_payment_reference(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.country, Country::No | Country::Se));
    let country = m.of(vendor).country;
    let to_pay_by = reference::of(country, &mut m.rng);
    for _ in 0..2 {
        let mut invoice = m.plain_invoice(vendor);
        invoice.payment_reference.clone_from(&to_pay_by);
        m.pass(invoice);
    }
}

pub fn mod_11_kid(m: &mut Maker) {
    let vendor = m.domestic();
    let mut invoice = m.plain_invoice(vendor);
    invoice.payment_reference = Some(reference::mod_11_kid(&mut m.rng));
    m.pass(invoice);
}

pub fn rf_reference(m: &mut Maker) {
    let vendor = m.vendor_where(|vendor| matches!(vendor.country, Country::Fi | Country::De));
    let mut invoice = m.plain_invoice(vendor);
    let mut given = reference::creditor(&mut m.rng);
    if m.rng.bool() {
        given.insert(4, ' ');
    }
    invoice.payment_reference = Some(given);
    m.pass(invoice);
}

/// A paper of an earlier day, another amount.
fn key_earlier(m: &mut Maker, invoice: &Invoice, number: &str, more: Decimal, on: Date) {
    let mut earlier = invoice.clone();
    let currency = earlier.currency.clone();
    earlier.lines[0].price += more;
    earlier.lines[0].price_out(&currency);
    m.total_up(&mut earlier);
    m.key_like(&earlier, number, on);
}

/// The supplier begins at one again each year.
pub fn number_of_another_year(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    let number = format!("{}", m.rng.u32(100..999));
    invoice.reference = Some(number.clone());
    key_earlier(m, &invoice, &number, Decimal::from(211), date(2025, 11, 12));
    m.pass(invoice);
}

/// Rent, say.
pub fn same_amount_each_month(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    redate(&mut invoice, date(2026, 10, 7));
    for month in [7, 9] {
        let number = format!("L{}", m.rng.u32(1_000_000..9_000_000));
        m.key_like(&invoice, &number, date(2026, month, 7));
    }
    m.pass(invoice);
}

pub fn same_amount_other_supplier(m: &mut Maker) {
    let vendor = m.domestic();
    let first = m.plain_invoice(vendor);
    let mut other = m.domestic();
    while other == vendor {
        other = m.domestic();
    }
    let mut second = m.invoice(other, first.lines.clone());
    redate(&mut second, first.invoiced_on);
    m.pass(first);
    m.pass(second);
}

pub fn credit_linked(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let mut credit = m.credit(&original);
    m.total_up(&mut credit);
    m.beside(original);
    m.pass(credit);
}

pub fn credit_in_part(m: &mut Maker) {
    let vendor = m.vendor();
    let original = m.plain_invoice(vendor);
    let mut credit = m.credit(&original);
    let currency = credit.currency.clone();
    let line = &mut credit.lines[0];
    line.quantity = Decimal::ONE;
    line.price = amount::rounded(line.price / Decimal::from(3), &currency);
    line.price_out(&currency);
    m.total_up(&mut credit);
    m.beside(original);
    m.pass(credit);
}

/// A person keyed it into Visma already, exactly so.
pub fn keyed_by_hand(m: &mut Maker) {
    let vendor = m.vendor();
    let mut invoice = m.plain_invoice(vendor);
    invoice.accounting_on = Some(invoice.invoiced_on.min(LAST));
    m.adopt(invoice);
}
