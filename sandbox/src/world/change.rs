//! What happens in JAGGAER after the first run: revisions, cancellations, late documents.

use super::document::{Invoice, Order, OrderLineKey, Record};
use super::fate::Fate;
use super::invoice::Drawing;
use super::{Open, Settings};
use super::{State, World, order, time};
use rust_decimal::Decimal;

/// What a change order changes. Lines by their position, from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderChange {
    Quantity {
        line: usize,
        quantity: Decimal,
    },
    Price {
        line: usize,
        price: Decimal,
    },
    CancelLine {
        line: usize,
    },
    /// Only the stamp moves: nothing that matters.
    Touch,
}

impl State {
    /// The next instant of the sandbox's own clock.
    fn tick(&mut self) -> i64 {
        self.now_ms += 1_000;
        self.version += 1;
        self.now_ms
    }
}

impl Record {
    fn stamp(&mut self, now_ms: i64, version: u64) {
        self.updated_ms = now_ms;
        self.version = version;
    }
}

impl World {
    /// Puts the sandbox's own clock: the next change is stamped a second later. What was stamped later
    /// than that is stamped then, as if it had been there before.
    pub fn put_clock(&self, now_ms: i64) {
        let mut state = self.state();
        state.now_ms = now_ms;
        state.version += 1;
        let State { orders, invoices, receipts, contracts, version, .. } = &mut *state;
        let records = orders.iter_mut().map(|order| &mut order.record);
        let records = records.chain(invoices.iter_mut().map(|invoice| &mut invoice.record));
        let records = records.chain(receipts.iter_mut().map(|receipt| &mut receipt.record));
        let records = records.chain(contracts.iter_mut().map(|contract| &mut contract.record));
        for record in records.filter(|record| record.updated_ms > now_ms) {
            record.stamp(now_ms, *version);
        }
    }

    /// A change order, one revision up. `false`: no such order or line.
    pub fn change_order(&self, id: &str, change: &OrderChange) -> bool {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(order) = state.orders.iter_mut().find(|order| order.id == id) else {
            return false;
        };
        let currency = order.currency.clone();
        let line = match change {
            OrderChange::Touch => {
                order.record.stamp(now, version);
                return true;
            }
            OrderChange::Quantity { line, .. }
            | OrderChange::Price { line, .. }
            | OrderChange::CancelLine { line } => order.lines.get_mut(*line),
        };
        let Some(line) = line else {
            return false;
        };
        match change {
            OrderChange::Quantity { quantity, .. } => line.quantity = *quantity,
            OrderChange::Price { price, .. } => line.price = *price,
            OrderChange::CancelLine { .. } => line.cancelled = true,
            OrderChange::Touch => {}
        }
        line.price_out(&currency);
        order.revision += 1;
        order.total_up();
        order.record.stamp(now, version);
        self.refresh_order(order);
        true
    }

    /// Takes an order back. It must stand cancelled in Visma, or not at all.
    pub fn cancel_order(&self, id: &str) -> bool {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(order) = state.orders.iter_mut().find(|order| order.id == id) else {
            return false;
        };
        order.revision += 1;
        order.status = "Cancelled".into();
        order.record.fate = Fate::Ignored;
        order.record.stamp(now, version);
        true
    }

    /// The price of an invoice's first line becomes another, on the line of the order that it bills
    /// too, so that the invoice stays as ordered. `false`: no such invoice.
    pub fn change_invoice_amount(&self, id: &str, price: Decimal) -> bool {
        let mut bills = None;
        let changed = self.with_invoice(id, |invoice, domestic| {
            if let Some(line) = invoice.lines.first_mut() {
                line.price = price;
                line.price_out(&invoice.currency);
                bills = line.bills.clone();
            }
            invoice.total_up(domestic);
        });
        if let Some(key) = bills {
            self.reprice_order_line(&key, price);
        }
        changed
    }

    /// The price is of one unit, whatever number of units the order's line is priced by.
    fn reprice_order_line(&self, key: &OrderLineKey, price: Decimal) {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(order) = state.orders.iter_mut().find(|order| order.id == key.order_id) else {
            return;
        };
        let currency = order.currency.clone();
        let Some(line) = order.lines.iter_mut().find(|line| Some(&line.id) == key.line_id.as_ref())
        else {
            return;
        };
        line.price = price * line.basis;
        line.price_out(&currency);
        order.revision += 1;
        order.total_up();
        order.record.stamp(now, version);
        self.refresh_order(order);
    }

    /// An invoice's stamp moves and nothing else.
    pub fn touch_invoice(&self, id: &str) -> bool {
        self.with_invoice(id, |_, _| {})
    }

    /// What was not approved is; what was not sent is sent.
    pub fn approve(&self, id: &str) -> bool {
        let approved = self.with_invoice(id, |invoice, _| {
            invoice.workflow = "Completed".into();
            invoice.payment = "Payable".into();
        });
        if approved {
            return true;
        }
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(order) = state.orders.iter_mut().find(|order| order.id == id) else {
            return false;
        };
        order.status = "Sent".into();
        order.record.stamp(now, version);
        self.refresh_order(order);
        true
    }

    /// The orders that were never delivered come, and the invoices that waited for them pass.
    pub fn deliver_hidden_orders(&self) -> usize {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let mut delivered = 0;
        for order in state.orders.iter_mut().filter(|order| order.record.hidden) {
            order.record.hidden = false;
            order.record.stamp(now, version);
            delivered += 1;
        }
        for invoice in &mut state.invoices {
            if invoice.record.fate == Fate::Waiting {
                self.settle_invoice(invoice);
            }
        }
        delivered
    }

    /// A new order of a vendor (by position among the vendors); its id.
    pub fn add_order(&self, vendor: usize) -> String {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let index = state.orders.len();
        let mut rng = state.rng.fork();
        let on = time::plus_days(time::LAST_DAY, -1);
        let mut order = order::draw(index, vendor, on, false, &self.vendors, &mut rng);
        order.record.stamp(now, version);
        self.refresh_order_to_posted(&mut order);
        let id = order.id.clone();
        state.orders.push(order);
        id
    }

    /// A new invoice that bills the whole of an order; its id.
    pub fn add_invoice(&self, order_id: &str) -> Option<String> {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let order = state.orders.iter().position(|order| order.id == order_id)?;
        let settings = Settings::default();
        let rng = state.rng.fork();
        let mut drawing = Drawing::new(&settings, &self.vendors, rng, state.invoices.len());
        let open = Open::of(order, &state.orders[order]);
        let mut invoice = drawing.billing(&[(open, true)], &state.orders);
        invoice.record.stamp(now, version);
        self.settle_invoice(&mut invoice);
        let id = invoice.id.clone();
        state.invoices.push(invoice);
        Some(id)
    }

    /// The order as it is now.
    pub fn order(&self, id: &str) -> Option<Order> {
        self.state().orders.iter().find(|order| order.id == id).cloned()
    }

    /// The invoice as it is now.
    pub fn invoice(&self, id: &str) -> Option<Invoice> {
        self.state().invoices.iter().find(|invoice| invoice.id == id).cloned()
    }

    /// Any change of an order, stamped now. What must become of it stays as it was: see
    /// [`World::expect_posted`].
    pub fn edit_order(&self, id: &str, change: impl FnOnce(&mut Order)) -> bool {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(order) = state.orders.iter_mut().find(|order| order.id == id) else {
            return false;
        };
        change(order);
        order.record.stamp(now, version);
        true
    }

    /// Any change of an invoice, stamped now. What must become of it stays as it was.
    pub fn edit_invoice(&self, id: &str, change: impl FnOnce(&mut Invoice)) -> bool {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(invoice) = state.invoices.iter_mut().find(|invoice| invoice.id == id) else {
            return false;
        };
        change(invoice);
        invoice.record.stamp(now, version);
        true
    }

    /// JAGGAER delivers the document from now on, or no more, and its change time stays what it was: no poll for
    /// changes notices.
    pub fn hide(&self, id: &str, hidden: bool) -> bool {
        let mut state = self.state();
        state.version += 1;
        let State { orders, invoices, .. } = &mut *state;
        let orders = orders.iter_mut().map(|order| (&order.id, &mut order.record));
        let invoices = invoices.iter_mut().map(|invoice| (&invoice.id, &mut invoice.record));
        let mut records = orders.chain(invoices);
        let found = records.find(|(known, _)| *known == id);
        found.map(|(_, record)| record.hidden = hidden).is_some()
    }

    /// From now on the document must stand in Visma as it is now.
    pub fn expect_posted(&self, id: &str) {
        let mut state = self.state();
        let State { orders, invoices, .. } = &mut *state;
        if let Some(order) = orders.iter_mut().find(|order| order.id == id) {
            self.refresh_order_to_posted(order);
        }
        if let Some(invoice) = invoices.iter_mut().find(|invoice| invoice.id == id) {
            self.settle_invoice(invoice);
        }
    }

    fn with_invoice(&self, id: &str, change: impl FnOnce(&mut Invoice, bool)) -> bool {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let Some(invoice) = state.invoices.iter_mut().find(|invoice| invoice.id == id) else {
            return false;
        };
        change(invoice, self.vendors.all[invoice.vendor].is_domestic());
        invoice.record.stamp(now, version);
        match invoice.record.fate {
            Fate::Posted(_) => self.settle_invoice(invoice),
            Fate::NotRipe if invoice.payment == "Payable" && invoice.workflow == "Completed" => {
                self.settle_invoice(invoice);
            }
            Fate::NotRipe | Fate::Adopted(_) | Fate::Held(_) | Fate::Ignored | Fate::Waiting => {}
        }
        true
    }

    fn settle_invoice(&self, invoice: &mut Invoice) {
        if let Some(expected) = invoice.expected(&self.vendors.all[invoice.vendor]) {
            invoice.record.fate = Fate::Posted(Box::new(expected));
        }
    }

    fn refresh_order(&self, order: &mut Order) {
        match order.record.fate {
            Fate::Posted(_) | Fate::NotRipe if order.status != "PendingApproval" => {
                self.refresh_order_to_posted(order);
            }
            Fate::Posted(_)
            | Fate::NotRipe
            | Fate::Adopted(_)
            | Fate::Held(_)
            | Fate::Ignored
            | Fate::Waiting => {}
        }
    }

    fn refresh_order_to_posted(&self, order: &mut Order) {
        if let Some(expected) = order.expected(&self.vendors.all[order.vendor]) {
            order.record.fate = Fate::Posted(Box::new(expected));
        }
    }

    /// Moves a document's stamp to now without any change in it: it comes again, later.
    pub(crate) fn bump(&self, id: &str) {
        let mut state = self.state();
        let (now, version) = (state.tick(), state.version);
        let State { orders, invoices, .. } = &mut *state;
        let records = orders
            .iter_mut()
            .map(|order| (&order.id, &mut order.record))
            .chain(invoices.iter_mut().map(|invoice| (&invoice.id, &mut invoice.record)));
        for (found, record) in records {
            if found == id {
                record.stamp(now, version);
            }
        }
    }
}
