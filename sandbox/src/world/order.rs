//! The purchase orders of a world.

use super::document::{Order, Record};
use super::line::{self, Setting};
use super::plant::{self, Breakage};
use super::supplier::Vendors;
use super::time;
use super::{Settings, Unit};
use fastrand::Rng;
use jiff::civil::{Date, date};

/// What an order is there to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRole {
    Normal,
    /// Keyed into Visma by hand as it is; invoices link to it.
    HandKeyed,
    Held(Breakage),
    BeforeGoLive,
    Cancelled,
    NotRipe,
    /// JAGGAER never delivers it; an invoice bills it.
    Hidden,
}

/// Who plays what: special roles at places drawn by lot.
pub fn roles(settings: &Settings, rng: &mut Rng) -> Vec<OrderRole> {
    let n = settings.documents;
    let mut special = Vec::new();
    let held = n * settings.held_per_mille as usize / 2000;
    special.extend(plant::in_turn(plant::ON_ORDERS, settings.seed, held).map(OrderRole::Held));
    special.extend(vec![OrderRole::HandKeyed; n.div_ceil(200).min(n / 20)]);
    special.extend(vec![OrderRole::BeforeGoLive; n / 200]);
    special.extend(vec![OrderRole::Cancelled; n / 200]);
    if settings.plant_not_ripe {
        special.extend(vec![OrderRole::NotRipe; n.div_ceil(100).min(n / 10)]);
    }
    let mut roles = vec![OrderRole::Normal; n];
    super::scatter(special, &mut roles, rng);
    if settings.plant_waiting {
        roles.extend([OrderRole::Hidden; 2]);
    }
    roles
}

/// Makes one order, its role played out; its fate is set when all documents exist.
pub fn order(index: usize, role: OrderRole, vendors: &Vendors, rng: &mut Rng) -> Order {
    let ordered_on = match role {
        OrderRole::BeforeGoLive => date(2026, 8, rng.i8(3..=28)),
        OrderRole::Normal
        | OrderRole::HandKeyed
        | OrderRole::Held(_)
        | OrderRole::Cancelled
        | OrderRole::NotRipe
        | OrderRole::Hidden => day(time::FIRST_DAY, time::plus_days(time::LAST_DAY, -10), rng),
    };
    let vendor = match role {
        OrderRole::Held(breakage) => breakage.vendor(vendors, rng),
        OrderRole::Normal
        | OrderRole::HandKeyed
        | OrderRole::BeforeGoLive
        | OrderRole::Cancelled
        | OrderRole::NotRipe
        | OrderRole::Hidden => vendors.payable[rng.usize(0..vendors.payable.len())],
    };
    let mut order = draw(index, vendor, ordered_on, role == OrderRole::HandKeyed, vendors, rng);
    order.record.hidden = role == OrderRole::Hidden;
    match role {
        OrderRole::Held(breakage) => breakage.break_order(&mut order, rng),
        OrderRole::Cancelled => order.status = "Cancelled".into(),
        OrderRole::NotRipe => order.status = "PendingApproval".into(),
        OrderRole::Normal => {
            if order.revision > 0 && order.lines.len() > 2 {
                order.lines[1].cancelled = true;
                order.total_up();
            }
        }
        OrderRole::HandKeyed | OrderRole::BeforeGoLive | OrderRole::Hidden => {}
    }
    order
}

/// An ordinary order of a vendor. `simple`: one share a line, as a person would key it in.
pub fn draw(
    index: usize,
    vendor: usize,
    ordered_on: Date,
    simple: bool,
    vendors: &Vendors,
    rng: &mut Rng,
) -> Order {
    let from = &vendors.all[vendor];
    let promised_on = (rng.u32(0..10) < 8).then(|| time::plus_days(ordered_on, rng.i64(5..40)));
    let setting = Setting {
        currency: from.currency,
        domestic: from.is_domestic(),
        first_id: 8_875_000 + index as u64 * 256,
        requested_on: promised_on,
        simple,
    };
    let count = if simple { rng.usize(1..=4) } else { line::count(rng) };
    let lines = line::lines(count, &setting, rng);
    let created_ms = time::millis(ordered_on) + rng.i64(21_600_000..64_800_000);
    let mut order = Order {
        id: (731_822 + index).to_string(),
        number: format!("PO-2026-{:06}", 4711 + index),
        revision: u32::from(rng.u32(0..8) == 0),
        status: if rng.u32(0..5) == 0 { "Confirmed" } else { "Sent" }.into(),
        business_unit: Unit::draw(rng).code().into(),
        vendor,
        currency: from.currency.into(),
        ordered_on,
        promised_on,
        terms_days: Some(from.terms_days),
        lines,
        net: rust_decimal::Decimal::ZERO,
        tax: rust_decimal::Decimal::ZERO,
        gross: rust_decimal::Decimal::ZERO,
        record: Record::new(created_ms + rng.i64(1_000..90_000)),
    };
    order.record.created_ms = created_ms;
    order.total_up();
    order
}

pub fn day(first: Date, last: Date, rng: &mut Rng) -> Date {
    let span = (time::millis(last) - time::millis(first)) / 86_400_000;
    time::plus_days(first, rng.i64(0..=span.max(0)))
}

impl OrderRole {
    /// Whether it will stand in Visma, so that invoices may bill it.
    pub const fn stands(self) -> bool {
        match self {
            Self::Normal | Self::HandKeyed => true,
            Self::Held(_) | Self::BeforeGoLive | Self::Cancelled | Self::NotRipe | Self::Hidden => {
                false
            }
        }
    }
}
