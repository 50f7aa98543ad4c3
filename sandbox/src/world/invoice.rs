//! The invoices and credit notes of a world.

use super::amount;
use super::billing::{self, Open};
use super::document::{Attachment, Charges, Invoice, Line, Order, Record};
use super::identifier;
use super::line::{self, Setting};
use super::order::day;
use super::plant::{self, Breakage};
use super::supplier::Vendors;
use super::time;
use super::{Settings, Unit};
use fastrand::Rng;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use std::collections::HashSet;

/// What an invoice is there to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceRole {
    Normal,
    Credit,
    Held(Breakage),
    /// Keyed into Visma by hand exactly as it is, before the first run.
    HandKeyed,
    BeforeGoLive,
    Cancelled,
    NotRipe,
    /// Bills an order that JAGGAER does not deliver.
    Waiting,
}

/// Who plays what: special roles at places drawn by lot.
pub fn roles(settings: &Settings, rng: &mut Rng) -> Vec<InvoiceRole> {
    let n = settings.documents;
    let mut special = Vec::new();
    let held = n * settings.held_per_mille as usize / 1000;
    special.extend(plant::in_turn(plant::ON_INVOICES, settings.seed, held).map(InvoiceRole::Held));
    special.extend(vec![InvoiceRole::HandKeyed; n.div_ceil(150).min(n / 10)]);
    special.extend(vec![InvoiceRole::BeforeGoLive; n / 200]);
    special.extend(vec![InvoiceRole::Cancelled; n / 300]);
    special.extend(vec![InvoiceRole::Credit; n * 6 / 100]);
    if settings.plant_waiting {
        special.extend([InvoiceRole::Waiting; 2].into_iter().take(n / 10));
    }
    if settings.plant_not_ripe {
        special.extend(vec![InvoiceRole::NotRipe; n.div_ceil(100).min(n / 10)]);
    }
    let mut roles = vec![InvoiceRole::Normal; n];
    super::scatter(special, &mut roles, rng);
    roles
}

/// Gives out the numbers that must not repeat, and draws what an invoice has by chance.
pub struct Drawing<'a> {
    pub settings: &'a Settings,
    pub vendors: &'a Vendors,
    pub rng: Rng,
    next: usize,
    /// Hidden orders that are billed, so that none is billed whole twice.
    hidden_billed: usize,
    /// Vendor, day and net of each: chance makes no two that look like one.
    drawn: HashSet<(usize, Date, Decimal)>,
}

impl<'a> Drawing<'a> {
    pub fn new(settings: &'a Settings, vendors: &'a Vendors, rng: Rng, first: usize) -> Self {
        Self { settings, vendors, rng, next: first, hidden_billed: 0, drawn: HashSet::new() }
    }

    /// An invoice of its role. Orders are billed from `open`; `hidden` are never delivered.
    pub fn invoice(
        &mut self,
        role: InvoiceRole,
        orders: &[Order],
        open: &mut Vec<Open>,
        hidden: &[usize],
    ) -> Invoice {
        let mut invoice = match role {
            InvoiceRole::Waiting => match hidden.get(self.hidden_billed) {
                Some(&index) => {
                    self.hidden_billed += 1;
                    self.billing(&[(Open::of(index, &orders[index]), true)], orders)
                }
                None => self.without_order(None),
            },
            InvoiceRole::BeforeGoLive => {
                let on = date(2026, 8, self.rng.i8(3..=28));
                self.without_order(Some(on))
            }
            InvoiceRole::Held(breakage) if breakage.without_order() => {
                let vendor = breakage.vendor(self.vendors, &mut self.rng);
                self.of_vendor(
                    vendor,
                    None,
                    if breakage == Breakage::LinesUnbalanced { 3 } else { 1 },
                )
            }
            InvoiceRole::Normal
            | InvoiceRole::Held(_)
            | InvoiceRole::HandKeyed
            | InvoiceRole::Cancelled
            | InvoiceRole::NotRipe
            | InvoiceRole::Credit => {
                if self.rng.u32(0..5) == 0 || open.is_empty() {
                    self.without_order(None)
                } else {
                    let bills = billing::draw(open, orders, &mut self.rng);
                    self.billing(&bills, orders)
                }
            }
        };
        match role {
            InvoiceRole::Normal => self.decorate(&mut invoice),
            InvoiceRole::Held(breakage) => {
                breakage.break_invoice(&mut invoice, self.vendors, &mut self.rng);
            }
            InvoiceRole::Cancelled => invoice.workflow = "Cancelled".into(),
            InvoiceRole::NotRipe => {
                if self.rng.bool() {
                    invoice.workflow = "Pending".into();
                }
                invoice.payment = "NotPayable".into();
            }
            InvoiceRole::HandKeyed
            | InvoiceRole::BeforeGoLive
            | InvoiceRole::Waiting
            | InvoiceRole::Credit => {}
        }
        invoice
    }

    fn without_order(&mut self, on: Option<Date>) -> Invoice {
        let payable = &self.vendors.payable;
        let vendor = payable[self.rng.usize(0..payable.len())];
        self.of_vendor(vendor, on, 1)
    }

    fn of_vendor(&mut self, vendor: usize, on: Option<Date>, least: usize) -> Invoice {
        let on = on.unwrap_or_else(|| {
            day(time::FIRST_DAY, time::plus_days(time::LAST_DAY, -3), &mut self.rng)
        });
        let from = &self.vendors.all[vendor];
        let setting = Setting {
            currency: from.currency,
            domestic: from.is_domestic(),
            first_id: self.first_line_id(),
            requested_on: None,
            simple: false,
        };
        let count = line::count(&mut self.rng).min(12).max(least);
        let mut lines = line::lines(count, &setting, &mut self.rng);
        for line in &mut lines {
            line.price /= line.basis;
            line.basis = Decimal::ONE;
        }
        let drawn = Unit::draw(&mut self.rng).code();
        let unit = self.settings.office_unit(drawn, &mut self.rng);
        let on = self.apart(vendor, on, &lines);
        self.blank(vendor, on, &unit, lines)
    }

    /// A day on which the vendor has sent no other invoice over as much.
    fn apart(&mut self, vendor: usize, mut on: Date, lines: &[Line]) -> Date {
        let net = lines.iter().map(|line| line.net).sum::<Decimal>();
        while !self.drawn.insert((vendor, on, net)) {
            on = time::plus_days(on, -1);
        }
        on
    }

    /// Bills what is open of one or several orders of one supplier. `true`: all of it.
    pub fn billing(&mut self, bills: &[(Open, bool)], orders: &[Order]) -> Invoice {
        let first = &orders[bills[0].0.order];
        let latest = bills.iter().map(|(open, _)| orders[open.order].ordered_on).max();
        let earliest = latest.unwrap_or(first.ordered_on);
        let mut on = time::plus_days(earliest, self.rng.i64(1..=25));
        on = on.clamp(time::FIRST_DAY, time::LAST_DAY);
        let mut id = self.first_line_id();
        let mut lines = Vec::new();
        for (open, _) in bills {
            for mut line in open.lines(&orders[open.order]) {
                line.id = id.to_string();
                line.number = lines.len() as u32 + 1;
                id += 1;
                lines.push(line);
            }
        }
        let on = self.apart(first.vendor, on, &lines);
        self.blank(first.vendor, on, &first.business_unit.clone(), lines)
    }

    fn first_line_id(&self) -> u64 {
        99_120_000 + self.next as u64 * 1024
    }

    fn blank(&mut self, vendor: usize, on: Date, unit: &str, lines: Vec<Line>) -> Invoice {
        let index = self.next;
        self.next += 1;
        let from = &self.vendors.all[vendor];
        let rng = &mut self.rng;
        let accounting_on = match rng.u32(0..20) {
            0..16 => Some(on),
            16..18 => None,
            _ => Some(time::plus_days(on, rng.i64(1..=3)).min(time::LAST_DAY.max(on))),
        };
        let terms_days = (rng.u32(0..25) > 0).then_some(from.terms_days);
        let due_on = (rng.u32(0..12) > 0).then(|| time::plus_days(on, i64::from(from.terms_days)));
        let arrived = accounting_on.unwrap_or(on).max(on);
        let created_ms = time::millis(arrived) + rng.i64(21_600_000..64_800_000);
        let serial = 90_017 + index;
        let reference = match index % 5 {
            0 => format!("F-{serial}"),
            1 => serial.to_string(),
            2 => format!("2026/{serial}"),
            3 => format!("INV {serial}"),
            _ => format!("FÅ{serial}"),
        };
        let payment_reference = (rng.u32(0..3) > 0)
            .then(|| identifier::payment_reference(from.country, &format!("{:08}", serial * 37)))
            .flatten();
        let mut invoice = Invoice {
            id: (2_526_304 + index).to_string(),
            number: format!("I{:05}", 92 + index),
            credit: false,
            reference: Some(reference),
            credits: None,
            business_unit: unit.into(),
            vendor,
            currency: from.currency.into(),
            invoiced_on: on,
            accounting_on,
            due_on,
            terms_days,
            payment_reference,
            payee: None,
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
        invoice.total_up(from.is_domestic());
        invoice
    }

    /// Charges and attachments, on some.
    fn decorate(&mut self, invoice: &mut Invoice) {
        let domestic = self.vendors.all[invoice.vendor].is_domestic();
        let rng = &mut self.rng;
        let whole = invoice.currency == "ISK";
        let charge = |rng: &mut Rng| {
            if whole {
                Decimal::from(rng.i64(500..9000))
            } else {
                Decimal::new(rng.i64(1900..99_000), 2)
            }
        };
        if rng.u32(0..12) == 0 {
            invoice.charges.shipping = charge(rng);
        }
        if rng.u32(0..30) == 0 {
            invoice.charges.handling = charge(rng);
        }
        invoice.total_up(domestic);
        if invoice.currency == "NOK" && rng.u32(0..10) == 0 {
            let whole = invoice.gross.round();
            invoice.charges.rounding = amount::rounded(whole - invoice.gross, "NOK");
            invoice.total_up(domestic);
        }
        if self.settings.attachments && rng.u32(0..4) == 0 {
            for part in 0..rng.usize(1..=2) {
                invoice.attachments.push(attachment(invoice, part));
            }
        }
    }

    /// A credit note that takes back all or some of an invoice.
    pub fn credit(&mut self, original: &Invoice) -> Invoice {
        let some = original.lines.len() > 1 && self.rng.bool();
        let take =
            if some { self.rng.usize(1..original.lines.len()) } else { original.lines.len() };
        let mut lines = original.lines[..take].to_vec();
        for (id, line) in (self.first_line_id()..).zip(&mut lines) {
            line.id = id.to_string();
        }
        let on = time::plus_days(original.invoiced_on, self.rng.i64(1..=20)).min(time::LAST_DAY);
        let mut credit = self.blank(original.vendor, on, &original.business_unit.clone(), lines);
        credit.credit = true;
        credit.credits =
            Some((original.id.clone(), original.reference.clone().unwrap_or_default()));
        credit.reference = credit.reference.map(|reference| format!("K{reference}"));
        credit.due_on = None;
        // All of it is the very amount that was billed.
        if !some {
            credit.charges = original.charges.clone();
        }
        credit.total_up(self.vendors.all[credit.vendor].is_domestic());
        credit
    }

    /// The same paper again, as another document.
    pub fn again(&mut self, original: &Invoice) -> Invoice {
        let mut second = original.clone();
        let index = self.next;
        let first_line_id = self.first_line_id();
        self.next += 1;
        second.id = (2_526_304 + index).to_string();
        second.number = format!("I{:05}", 92 + index);
        for (id, line) in (first_line_id..).zip(&mut second.lines) {
            line.id = id.to_string();
        }
        second.attachments.clear();
        second.record.created_ms += 86_400_000;
        second.record.updated_ms += 2 * 86_400_000;
        second
    }
}

fn attachment(invoice: &Invoice, part: usize) -> Attachment {
    let reference = invoice.reference.as_deref().unwrap_or(&invoice.number);
    let stem: String =
        reference.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let id = format!("att-{}-{}", invoice.id, part + 1);
    if part == 0 {
        let bytes = billing::pdf(&format!("{reference} {} {}", invoice.gross, invoice.currency));
        Attachment { id, file_name: format!("{stem}.pdf"), content_type: "application/pdf", bytes }
    } else {
        let bytes = billing::PNG.to_vec();
        Attachment { id, file_name: format!("{stem}-bilag.png"), content_type: "image/png", bytes }
    }
}
