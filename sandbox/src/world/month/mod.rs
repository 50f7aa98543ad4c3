//! One accounting month of a company's purchases, each invoice labelled: what was done to it, and
//! what a careful accounts-payable department must make of it.
//!
//! Faults of every kind are planted several times, and beside them *oddities*: papers that look
//! unusual and are right, which must pass. What is planted here knows nothing of what finds it;
//! the two agree only on the codes of the holds.

mod account;
mod bank;
mod cases;
mod coding;
mod duplicate;
mod label;
mod maker;
mod matching;
mod money;
mod reference;
mod unusual;

#[cfg(test)]
mod tests;

pub use cases::{kinds_of_faults, kinds_of_oddities};
pub use label::{Judgement, Label, Outcome, Row, Verdict, is_fault};

use super::fate::Fate;
use super::{Settings, State, World, time};
use cases::{CASES, Case, PLAIN};
use fastrand::Rng;
use jiff::civil::{Date, date};
use maker::Maker;
use rust_decimal::Decimal;
use std::sync::Mutex;

/// The month that is judged.
const FIRST: Date = date(2026, 10, 1);
const LAST: Date = date(2026, 10, 31);

/// The limits that the month is made for. Whoever judges it must be set to the same ones: papers lie
/// exactly on them, and one minor unit beyond.
pub mod limits {
    use rust_decimal::Decimal;

    /// A unit price may be so many percent higher than ordered.
    pub const PRICE_PERCENT: Decimal = Decimal::from_parts(3, 0, 0, false, 0);
    /// A quantity may be so many percent higher than ordered.
    pub const QUANTITY_PERCENT: Decimal = Decimal::from_parts(2, 0, 0, false, 0);
    /// A line may cost so much more than ordered, in NOK.
    pub const LINE: Decimal = Decimal::from_parts(500, 0, 0, false, 0);
    /// All lines together may cost so much more than ordered, in NOK.
    pub const HEADER: Decimal = Decimal::from_parts(800, 0, 0, false, 0);
    /// So much freight may come on an invoice, in NOK.
    pub const FREIGHT: Decimal = Decimal::from_parts(250, 0, 0, false, 0);
    /// A rounding may be so large, in NOK.
    pub const ROUNDING: Decimal = Decimal::from_parts(50, 0, 0, false, 2);
    /// An invoice on this account needs an order.
    pub const ORDERED_ACCOUNT: &str = "4300";
}

/// Of so many invoices one shows each fault.
const ONE_FAULT_IN: usize = 600;
/// Of so many invoices one shows each oddity.
const ONE_ODDITY_IN: usize = 250;

pub(super) fn generate(settings: &Settings) -> World {
    let mut rng = Rng::with_seed(settings.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x6d6f_6e74);
    let mut maker = Maker::new(settings.documents, rng.fork());
    for case in schedule(settings.documents, &mut rng) {
        // A case makes four papers at most; the rest of the month is plain.
        if maker.invoices.len() + 4 <= settings.documents {
            maker.play(case);
        }
    }
    while maker.invoices.len() < settings.documents {
        maker.play(&PLAIN);
    }
    maker.key_earlier_months(settings.documents / 3);
    maker.settle_orders();
    World {
        vendors: maker.vendors,
        hand_keyed_invoices: maker.keyed_invoices,
        hand_keyed_orders: maker.keyed_orders,
        hand_keyed_receipts: maker.keyed_receipts,
        labels: maker.labels,
        state: Mutex::new(State {
            orders: maker.orders,
            invoices: maker.invoices,
            receipts: maker.receipts,
            contracts: maker.contracts,
            twins: maker.twins,
            version: 1,
            now_ms: time::millis(time::NOW) + 6 * 3_600_000,
            rng,
        }),
    }
}

/// Each case as often as the size of the month gives, in an order drawn by lot.
fn schedule(documents: usize, rng: &mut Rng) -> Vec<&'static Case> {
    let mut schedule = Vec::new();
    for case in CASES {
        let one_in = if case.is_fault() { ONE_FAULT_IN } else { ONE_ODDITY_IN };
        schedule.extend(std::iter::repeat_n(case, (documents / one_in).max(1)));
    }
    rng.shuffle(&mut schedule);
    schedule
}

impl World {
    /// The receipts that came late are booked in JAGGAER, and the invoices that waited for them
    /// may pass. How many receipts.
    pub fn deliver_late_receipts(&self) -> usize {
        let mut state = self.state();
        state.now_ms += 1_000;
        state.version += 1;
        let State { receipts, invoices, now_ms, version, .. } = &mut *state;
        let mut delivered = 0;
        for receipt in receipts.iter_mut().filter(|receipt| receipt.record.hidden) {
            receipt.record.hidden = false;
            receipt.record.updated_ms = *now_ms;
            receipt.record.version = *version;
            delivered += 1;
        }
        for invoice in invoices.iter_mut().filter(|invoice| invoice.record.fate == Fate::Waiting) {
            let vendor = &self.vendors.all[invoice.vendor];
            if let Some(expected) = invoice.expected(vendor) {
                invoice.record.fate = Fate::Posted(Box::new(expected));
            }
        }
        delivered
    }
}

/// `percent` more than an amount.
fn raised(amount: Decimal, percent: Decimal) -> Decimal {
    amount + amount * percent / Decimal::ONE_HUNDRED
}

/// The smallest amount of a currency with two decimals.
const MINOR: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
