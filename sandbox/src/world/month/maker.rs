//! Makes the papers of a month: orders, what arrived on them, invoices on them and without one.

mod fates;
mod supply;

use super::cases::Case;
use super::label::{Label, Verdict};
use super::{FIRST, LAST, bank, limits, reference};
use crate::world::document::{
    Charges, Contract, Invoice, Line, Order, OrderLineKey, Receipt, Record, Share, standard_vat,
};
use crate::world::fate::{HandKeyedInvoice, HandKeyedOrder, HandKeyedReceipt};
use crate::world::line::{self, Setting};
use crate::world::order::day;
use crate::world::supplier::{self, Vendor, Vendors};
use crate::world::{Unit, amount, time};
use fastrand::Rng;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};

/// Everything made so far.
pub(super) struct Maker {
    pub rng: Rng,
    pub vendors: Vendors,
    pub orders: Vec<Order>,
    pub invoices: Vec<Invoice>,
    pub receipts: Vec<Receipt>,
    pub contracts: Vec<Contract>,
    pub keyed_orders: Vec<HandKeyedOrder>,
    pub keyed_invoices: Vec<HandKeyedInvoice>,
    pub keyed_receipts: Vec<HandKeyedReceipt>,
    pub labels: Vec<Label>,
    pub twins: HashMap<String, String>,
    /// Vendors that make one kind of fault each, by the name of the kind.
    pub special: HashMap<&'static str, Vec<usize>>,
    case: &'static Case,
    next_invoice: usize,
    next_contract: usize,
    /// Gross amounts by vendor: no two papers of a vendor agree by accident.
    grosses: HashSet<(usize, Decimal)>,
}

impl Maker {
    pub fn new(documents: usize, mut rng: Rng) -> Self {
        let mut vendors = supplier::vendors(documents, &mut rng);
        for vendor in &mut vendors.all {
            bank::give_accounts(vendor, &mut rng);
        }
        let special = super::account::special_vendors(&mut vendors, &mut rng);
        Self {
            rng,
            vendors,
            orders: Vec::new(),
            invoices: Vec::new(),
            receipts: Vec::new(),
            contracts: Vec::new(),
            keyed_orders: Vec::new(),
            keyed_invoices: Vec::new(),
            keyed_receipts: Vec::new(),
            labels: Vec::new(),
            twins: HashMap::new(),
            special,
            case: &super::PLAIN,
            next_invoice: 0,
            next_contract: 0,
            grosses: HashSet::new(),
        }
    }

    pub fn play(&mut self, case: &'static Case) {
        self.case = case;
        (case.make)(self);
        self.case = &super::PLAIN;
    }

    // --- who, when, what -------------------------------------------------------------------

    pub fn of(&self, vendor: usize) -> &Vendor {
        &self.vendors.all[vendor]
    }

    /// Any vendor that can be paid.
    pub fn vendor(&mut self) -> usize {
        *self.rng.choice(&self.vendors.payable).expect("the company has suppliers")
    }

    /// A vendor that can be paid and fits.
    pub fn vendor_where(&mut self, fits: impl Fn(&Vendor) -> bool) -> usize {
        let all = &self.vendors.all;
        let fitting: Vec<usize> =
            self.vendors.payable.iter().copied().filter(|&index| fits(&all[index])).collect();
        *self.rng.choice(&fitting).expect("every country has a supplier")
    }

    /// One that is paid in NOK: limits in money are exact there.
    pub fn domestic(&mut self) -> usize {
        self.vendor_where(Vendor::is_domestic)
    }

    /// A day of the month that leaves room for what must come before and after it.
    pub fn day(&mut self) -> Date {
        day(time::plus_days(FIRST, 5), time::plus_days(LAST, -2), &mut self.rng)
    }

    /// An amount that hardly comes twice: between 1,000 and 6,000, with odd decimals.
    pub fn odd_price(&mut self) -> Decimal {
        Decimal::new(self.rng.i64(100_003..600_000), 2)
    }

    /// An amount without decimals, of which percents come out exactly.
    pub fn even_price(&mut self) -> Decimal {
        Decimal::from(self.rng.i64(41..240))
    }

    /// A line with one share at the ordinary rate. Net, share and VAT follow from the price.
    pub fn line(&mut self, vendor: usize, quantity: Decimal, price: Decimal) -> Line {
        let from = &self.vendors.all[vendor];
        let setting = Setting {
            currency: from.currency,
            domestic: from.is_domestic(),
            first_id: 0,
            requested_on: None,
            simple: true,
        };
        let mut line = line::lines(1, &setting, &mut self.rng).swap_remove(0);
        let (code, rate) = standard_vat(from.is_domestic());
        line.tax_code = code.into();
        line.rate = rate;
        line.service = false;
        line.unit = "EA".into();
        line.quantity = quantity;
        line.price = price;
        line.basis = Decimal::ONE;
        line.price_out(from.currency);
        line
    }

    /// An ordered line that needs no receipt.
    pub fn service(&mut self, vendor: usize, quantity: Decimal, price: Decimal) -> Line {
        let mut line = self.line(vendor, quantity, price);
        line.service = true;
        line.description = "Rådgivning, prosjektledelse".into();
        line.unit = "HUR".into();
        share_on(&mut line, "6705");
        line
    }

    /// Lines as they come, in the vendor's currency.
    pub fn any_lines(&mut self, vendor: usize) -> Vec<Line> {
        let from = &self.vendors.all[vendor];
        let setting = Setting {
            currency: from.currency,
            domestic: from.is_domestic(),
            first_id: 0,
            requested_on: None,
            simple: false,
        };
        let count = line::count(&mut self.rng).min(40);
        line::lines(count, &setting, &mut self.rng)
    }

    // --- invoices --------------------------------------------------------------------------

    /// Invoice lines for parts of an order, at the order's prices.
    pub fn bill_lines(&self, order: usize, parts: &[(usize, Decimal)]) -> Vec<Line> {
        let of = &self.orders[order];
        let bill = |&(at, quantity): &(usize, Decimal)| {
            let line = &of.lines[at];
            let mut bill = line.clone();
            bill.quantity = quantity;
            bill.price = line.price / line.basis;
            bill.basis = Decimal::ONE;
            bill.requested_on = None;
            bill.commodity = None;
            bill.contract = None;
            bill.bills = Some(OrderLineKey {
                order_id: of.id.clone(),
                order_number: of.number.clone(),
                revision: of.revision,
                line_number: Some(line.number),
                line_id: Some(line.id.clone()),
            });
            bill.price_out(&of.currency);
            bill
        };
        parts.iter().map(bill).filter(|line| !line.net.is_zero()).collect()
    }

    /// An invoice on parts of one order.
    pub fn bill(&mut self, order: usize, parts: &[(usize, Decimal)]) -> Invoice {
        let lines = self.bill_lines(order, parts);
        let (vendor, unit) = (self.orders[order].vendor, self.orders[order].business_unit.clone());
        let mut invoice = self.invoice(vendor, lines);
        invoice.business_unit = unit;
        invoice
    }

    /// An invoice on all of one order.
    pub fn bill_all(&mut self, order: usize) -> Invoice {
        let parts: Vec<(usize, Decimal)> = self.orders[order]
            .lines
            .iter()
            .enumerate()
            .map(|(at, line)| (at, line.quantity))
            .collect();
        self.bill(order, &parts)
    }

    /// An invoice with these lines. It is not among the papers before its fate is told.
    pub fn invoice(&mut self, vendor: usize, mut lines: Vec<Line>) -> Invoice {
        let index = self.next_invoice;
        self.next_invoice += 1;
        for (at, line) in lines.iter_mut().enumerate() {
            line.number = at as u32 + 1;
            line.id = (99_120_000 + index as u64 * 1024 + at as u64).to_string();
        }
        let on = self.day();
        let from = &self.vendors.all[vendor];
        let rng = &mut self.rng;
        let due_on = (rng.u32(0..12) > 0).then(|| time::plus_days(on, i64::from(from.terms_days)));
        let terms_days = (rng.u32(0..25) > 0).then_some(from.terms_days);
        let created_ms = time::millis(on) + rng.i64(21_600_000..64_800_000);
        let payee = (rng.u32(0..3) > 0).then(|| from.bank_accounts.first().cloned()).flatten();
        let payment_reference =
            (rng.u32(0..3) > 0).then(|| reference::of(from.country, rng)).flatten();
        let mut invoice = Invoice {
            id: (2_526_304 + index).to_string(),
            number: format!("I{:05}", 92 + index),
            credit: false,
            reference: Some(reference::number(index, rng)),
            credits: None,
            business_unit: Unit::draw(rng).code().into(),
            vendor,
            currency: from.currency.into(),
            invoiced_on: on,
            accounting_on: (rng.u32(0..10) > 0).then_some(on),
            due_on,
            terms_days,
            payment_reference,
            payee,
            exchange_rate: None,
            lines,
            charges: Charges::default(),
            net: Decimal::ZERO,
            tax: Decimal::ZERO,
            gross: Decimal::ZERO,
            taxes: Vec::new(),
            workflow: "Completed".into(),
            payment: "Payable".into(),
            attachments: Vec::new(),
            record: Record::new(created_ms + rng.i64(10_000..6_000_000)),
        };
        invoice.record.created_ms = created_ms;
        invoice.total_up(self.of(vendor).is_domestic());
        invoice
    }

    /// Sums an invoice up again.
    pub fn total_up(&self, invoice: &mut Invoice) {
        invoice.total_up(self.of(invoice.vendor).is_domestic());
    }

    /// An invoice without an order, on one odd amount.
    pub fn plain_invoice(&mut self, vendor: usize) -> Invoice {
        let price = self.whole_where_needed(vendor);
        let quantity = Decimal::from(self.rng.i64(1..9));
        let mut line = self.line(vendor, quantity, price);
        share_on(&mut line, "6540");
        let invoice = self.invoice(vendor, vec![line]);
        if self.grosses.insert((vendor, invoice.gross)) {
            invoice
        } else {
            self.plain_invoice(vendor)
        }
    }

    /// An odd price in whole units of a currency without decimals.
    fn whole_where_needed(&mut self, vendor: usize) -> Decimal {
        amount::rounded(self.odd_price(), self.of(vendor).currency)
    }

    /// An order of one line of goods at an odd price, all received; its position.
    pub fn simple_order(&mut self, vendor: usize) -> usize {
        let price = self.whole_where_needed(vendor);
        let quantity = Decimal::from(self.rng.i64(2..19));
        let line = self.line(vendor, quantity, price);
        let order = self.order(vendor, vec![line]);
        self.receive_all(order);
        order
    }

    /// A credit note that takes back what an invoice says.
    pub fn credit(&mut self, original: &Invoice) -> Invoice {
        let mut lines = original.lines.clone();
        for line in &mut lines {
            line.bills = None;
        }
        let mut credit = self.invoice(original.vendor, lines);
        credit.credit = true;
        credit.credits =
            Some((original.id.clone(), original.reference.clone().unwrap_or_default()));
        credit.business_unit = original.business_unit.clone();
        credit.reference = credit.reference.map(|reference| format!("K{reference}"));
        credit.due_on = None;
        credit.payee = None;
        credit.payment_reference = None;
        credit.invoiced_on = time::plus_days(original.invoiced_on, 1);
        credit.accounting_on = Some(credit.invoiced_on);
        credit.record.created_ms = original.record.created_ms + 86_400_000;
        credit.record.updated_ms = original.record.updated_ms + 86_400_000;
        credit
    }
}

/// The whole line on one account.
pub(super) fn share_on(line: &mut Line, account: &str) {
    debug_assert_ne!(account, limits::ORDERED_ACCOUNT);
    for share in &mut line.shares {
        share.account = account.into();
    }
}

/// The line costs this much, whatever quantity and price say.
pub(super) fn cost(line: &mut Line, net: Decimal) {
    line.net = net;
    let first = Share { percent: Decimal::ONE_HUNDRED, amount: net, ..line.shares[0].clone() };
    line.shares = vec![first];
}

/// The paper is of another day and is entered as many days earlier or later: entered on the day
/// that was drawn, it could be dated weeks after it came, and that is a fault of its own.
pub(super) fn redate(invoice: &mut Invoice, on: Date) {
    let moved = time::millis(on) - time::millis(invoice.invoiced_on);
    invoice.invoiced_on = on;
    invoice.accounting_on = Some(on);
    invoice.due_on = None;
    invoice.record.created_ms += moved;
    invoice.record.updated_ms += moved;
}
