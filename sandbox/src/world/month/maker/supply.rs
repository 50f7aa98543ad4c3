//! What was ordered, what arrived, and what was agreed.

use super::Maker;
use crate::world::document::{Contract, Line, Order, Receipt, ReceiptLine, Record};
use crate::world::fate::key_order;
use crate::world::order::day;
use crate::world::{Unit, amount, time};
use jiff::civil::date;
use rust_decimal::Decimal;

impl Maker {
    /// An order some weeks before the month's papers; its position.
    pub fn order(&mut self, vendor: usize, mut lines: Vec<Line>) -> usize {
        let index = self.orders.len();
        let ordered_on = day(date(2026, 9, 2), date(2026, 9, 30), &mut self.rng);
        for (at, line) in lines.iter_mut().enumerate() {
            line.number = at as u32 + 1;
            line.id = (8_875_000 + index as u64 * 256 + at as u64).to_string();
            line.bills = None;
        }
        let from = &self.vendors.all[vendor];
        let created_ms = time::millis(ordered_on) + self.rng.i64(21_600_000..64_800_000);
        let mut order = Order {
            id: (731_822 + index).to_string(),
            number: format!("PO-2026-{:06}", 4711 + index),
            revision: 0,
            status: if self.rng.u32(0..5) == 0 { "Confirmed" } else { "Sent" }.into(),
            business_unit: Unit::draw(&mut self.rng).code().into(),
            vendor,
            currency: from.currency.into(),
            ordered_on,
            promised_on: None,
            terms_days: Some(from.terms_days),
            lines,
            net: Decimal::ZERO,
            tax: Decimal::ZERO,
            gross: Decimal::ZERO,
            record: Record::new(created_ms),
        };
        order.total_up();
        self.orders.push(order);
        index
    }

    /// An order that a person keyed into Visma as it is; its position here and there.
    pub fn keyed_order(&mut self, vendor: usize, lines: Vec<Line>) -> (usize, usize) {
        let order = self.order(vendor, lines);
        self.orders[order].business_unit = Unit::Main.code().into();
        let keyed = key_order(&self.orders[order], &self.vendors.all[vendor])
            .expect("a payable vendor is in Visma and the lines have one share");
        self.keyed_orders.push(keyed);
        (order, self.keyed_orders.len() - 1)
    }

    /// What arrived, by position of the line. `late`: JAGGAER hears of it after the first run.
    pub fn receive(&mut self, order: usize, arrived: &[(usize, Decimal)], late: bool) -> usize {
        let index = self.receipts.len();
        let of = &self.orders[order];
        let line = |&(at, quantity): &(usize, Decimal)| {
            let line = &of.lines[at];
            ReceiptLine {
                order_number: of.number.clone(),
                line_number: line.number,
                line_id: line.id.clone(),
                quantity,
                unit: line.unit.clone(),
                amount: amount::rounded(quantity * line.price / line.basis, &of.currency),
                currency: of.currency.clone(),
            }
        };
        let lines = arrived.iter().map(line).collect();
        let received_on = time::plus_days(of.ordered_on, 1);
        let mut record = Record::new(time::millis(received_on) + 50_000_000);
        record.hidden = late;
        self.receipts.push(Receipt {
            id: (4_410_000 + index).to_string(),
            number: format!("R{:06}", 20_117 + index),
            received_on,
            cancelled: false,
            lines,
            record,
        });
        index
    }

    /// All goods of an order arrive, in one delivery or in two.
    pub fn receive_all(&mut self, order: usize) {
        let goods: Vec<(usize, Decimal)> = self.orders[order]
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.service && !line.limit)
            .map(|(at, line)| (at, line.quantity))
            .collect();
        if goods.is_empty() {
            return;
        }
        if self.rng.u32(0..4) == 0 {
            let half: Vec<(usize, Decimal)> = goods
                .iter()
                .map(|&(at, quantity)| (at, (quantity / Decimal::TWO).trunc()))
                .collect();
            let rest: Vec<(usize, Decimal)> = goods
                .iter()
                .zip(&half)
                .map(|(&(at, quantity), (_, first))| (at, quantity - first))
                .collect();
            let half: Vec<_> = half.into_iter().filter(|(_, part)| !part.is_zero()).collect();
            if !half.is_empty() {
                self.receive(order, &half, false);
            }
            self.receive(order, &rest, false);
        } else {
            self.receive(order, &goods, false);
        }
    }

    pub fn contract(&mut self, vendor: usize, change: impl FnOnce(&mut Contract)) -> String {
        self.next_contract += 1;
        let currency = self.of(vendor).currency.into();
        let mut contract = Contract {
            id: (55_810 + self.next_contract).to_string(),
            number: format!("C-2025-{:04}", 13 + self.next_contract),
            title: "Rammeavtale".into(),
            vendor,
            status: "Executed".into(),
            starts_on: date(2025, 1, 1),
            ends_on: Some(date(2027, 12, 31)),
            currency,
            value: None,
            consumed: None,
            record: Record::new(time::millis(date(2026, 8, 30))),
        };
        change(&mut contract);
        let number = contract.number.clone();
        self.contracts.push(contract);
        number
    }
}
