//! What must become of each paper, and what people keyed into Visma before.

use super::super::{FIRST, PLAIN};
use super::{Label, Maker, Verdict};
use crate::world::document::Invoice;
use crate::world::fate::{
    ExpectedDocument, ExpectedLine, Fate, HandKeyedInvoice, KeyedBilling, Kind, Plant,
};
use crate::world::order::day;
use crate::world::{amount, time};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use std::collections::HashSet;

impl Maker {
    fn expected(&self, invoice: &Invoice) -> Box<ExpectedDocument> {
        let expected = invoice.expected(self.of(invoice.vendor));
        Box::new(expected.expect("a payable vendor is in Visma and the paper has a number"))
    }

    fn take(&mut self, mut invoice: Invoice, fate: Fate, verdict: Verdict, twin: Option<String>) {
        invoice.record.fate = fate;
        self.grosses.insert((invoice.vendor, invoice.gross));
        self.labels.push(Label {
            source_id: invoice.id.clone(),
            case: self.case.name,
            verdict,
            codes: self.case.codes,
            twin,
        });
        self.invoices.push(invoice);
    }

    /// It must be posted as it is.
    pub fn pass(&mut self, invoice: Invoice) {
        let fate = Fate::Posted(self.expected(&invoice));
        self.take(invoice, fate, Verdict::Pass, None);
    }

    /// It belongs to a fault that another paper shows, and must be posted itself.
    pub fn beside(&mut self, invoice: Invoice) {
        let case = std::mem::replace(&mut self.case, &PLAIN);
        self.pass(invoice);
        self.case = case;
    }

    /// A person must look at it.
    pub fn hold(&mut self, invoice: Invoice) {
        let plant = self.plant();
        self.take(invoice, Fate::Held(plant), Verdict::Hold, None);
    }

    /// It must wait for what is late, and then be posted.
    pub fn wait(&mut self, invoice: Invoice) {
        self.take(invoice, Fate::Waiting, Verdict::WaitThenPass, None);
    }

    /// One of the two must be held and the other posted.
    pub fn one_of_two(&mut self, first: Invoice, mut second: Invoice) {
        second.record.created_ms =
            second.record.created_ms.max(first.record.created_ms + 3_600_000);
        second.record.updated_ms =
            second.record.updated_ms.max(first.record.updated_ms + 3_600_000);
        let (one, two) = (first.id.clone(), second.id.clone());
        self.twins.insert(one.clone(), two.clone());
        self.twins.insert(two, one.clone());
        let mut first = first;
        first.record.fate = Fate::Posted(self.expected(&first));
        self.grosses.insert((first.vendor, first.gross));
        self.invoices.push(first);
        let plant = self.plant();
        self.take(second, Fate::Held(plant), Verdict::HoldOneOfTwo, Some(one));
    }

    fn plant(&self) -> Plant {
        let code = self.case.codes.first().copied().unwrap_or_default();
        Plant { code, or: self.case.codes.get(1).copied() }
    }

    /// It stands in Visma already, keyed by hand, and must be taken as ours.
    pub fn adopt(&mut self, invoice: Invoice) {
        let expected = self.expected(&invoice);
        let vat_minor = amount::minor(invoice.tax, &invoice.currency);
        self.keyed_invoices.push(HandKeyedInvoice {
            business_unit: String::new(),
            document: *expected.clone(),
            invoiced_on: invoice.invoiced_on,
            vat_minor,
            status: "Balanced",
            bills: None,
        });
        self.take(invoice, Fate::Adopted(expected), Verdict::Pass, None);
    }

    /// Keys an invoice like this one into Visma, under another number and on another day.
    pub fn key_like(&mut self, invoice: &Invoice, reference: &str, on: Date) {
        let mut document = *self.expected(invoice);
        document.reference = reference.into();
        let vat_minor = amount::minor(invoice.tax, &invoice.currency);
        let status = if self.rng.bool() { "Open" } else { "Closed" };
        let keyed = HandKeyedInvoice {
            document,
            business_unit: String::new(),
            invoiced_on: on,
            vat_minor,
            status,
            bills: None,
        };
        self.keyed_invoices.push(keyed);
    }

    /// Keys an invoice on a line of a hand-keyed order into Visma.
    pub fn key_billing(&mut self, invoice: &Invoice, reference: &str, bills: KeyedBilling) {
        let on = time::plus_days(self.orders.last().map_or(FIRST, |order| order.ordered_on), 3);
        self.key_like(invoice, reference, on);
        if let Some(keyed) = self.keyed_invoices.last_mut() {
            keyed.bills = Some(bills);
        }
    }

    /// What the company paid in the year before: papers that bear on nothing of this month.
    pub fn key_earlier_months(&mut self, count: usize) {
        for index in 0..count {
            let vendor = self.vendor();
            let from = &self.vendors.all[vendor];
            let Some(supplier) = &from.visma else { continue };
            let currency = from.currency;
            let net = amount::rounded(Decimal::new(self.rng.i64(30_001..4_000_000), 2), currency);
            let rate = if from.is_domestic() { 25 } else { 0 };
            let tax = amount::vat(net, Decimal::from(rate), currency);
            if !self.grosses.insert((vendor, net + tax)) {
                continue;
            }
            let document = ExpectedDocument {
                kind: Kind::SupplierInvoice,
                supplier: supplier.number.clone(),
                reference: format!("T{:07}", 3_000_003 + index * 7919 % 6_000_000),
                currency: currency.into(),
                amount_minor: amount::minor(net + tax, currency),
                lines: vec![ExpectedLine {
                    account: "6540".into(),
                    subaccount: "110-000000".into(),
                    vat_category: "K25".into(),
                    cost_minor: amount::minor(net, currency),
                }],
            };
            let invoiced_on = day(date(2025, 11, 3), date(2026, 9, 28), &mut self.rng);
            let status = if invoiced_on < date(2026, 8, 15) { "Closed" } else { "Open" };
            let vat_minor = amount::minor(tax, currency);
            let keyed = HandKeyedInvoice {
                document,
                business_unit: String::new(),
                invoiced_on,
                vat_minor,
                status,
                bills: None,
            };
            self.keyed_invoices.push(keyed);
        }
    }

    /// Every order that is not to stay out must stand in Visma as it is.
    pub fn settle_orders(&mut self) {
        let keyed: HashSet<&str> =
            self.keyed_orders.iter().map(|order| order.document.reference.as_str()).collect();
        for order in &mut self.orders {
            let out = order.status == "Cancelled" || order.ordered_on < date(2026, 9, 1);
            let expected = order.expected(&self.vendors.all[order.vendor]).map(Box::new);
            order.record.fate = match expected {
                Some(expected) if keyed.contains(order.number.as_str()) => Fate::Adopted(expected),
                Some(expected) if !out => Fate::Posted(expected),
                Some(_) | None => Fate::Ignored,
            };
        }
    }
}
