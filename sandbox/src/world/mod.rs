//! The company and its paper: vendors, orders, invoices, and what must become of each.
//!
//! Everything follows from `(seed, documents)`: the same settings give the same bytes. The
//! world knows no wire; `jaggaer` serves it in the form of a profile.

pub(crate) mod accounts;
pub mod amount;
mod billing;
mod change;
pub mod document;
pub mod fate;
pub(crate) mod identifier;
mod invoice;
mod line;
pub mod month;
mod order;
mod plant;
pub mod supplier;
pub mod time;

pub use change::OrderChange;
pub use document::{Contract, Invoice, Order, Receipt};
pub use fate::{
    Expectation, ExpectedDocument, ExpectedLine, Fate, HandKeyedInvoice, HandKeyedOrder,
    HandKeyedOrderLine, HandKeyedReceipt, KeyedBilling, Kind, Plant,
};
pub use supplier::{Vendor, VismaSupplier};

use billing::Open;
use fastrand::Rng;
use invoice::{Drawing, InvoiceRole};
use order::OrderRole;
use plant::Breakage;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use supplier::Vendors;

/// What a world is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub seed: u64,
    /// So many orders and so many invoices, credit notes among the latter.
    pub documents: usize,
    /// Of a thousand invoices so many are unpostable; of the orders half as many.
    pub held_per_mille: u32,
    /// Two invoices bill orders that JAGGAER never delivers.
    pub plant_waiting: bool,
    /// Some documents are not approved or not sent.
    pub plant_not_ripe: bool,
    /// Some invoices have files.
    pub attachments: bool,
    /// One month of purchases with labelled faults and oddities, instead of everyday documents.
    /// Then `documents` counts invoices, and the planting settings above mean nothing.
    pub month: bool,
    /// Offices that share the instance, each with business units and a Visma company of its own.
    pub companies: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            documents: 100,
            held_per_mille: 30,
            plant_waiting: false,
            plant_not_ripe: false,
            attachments: false,
            month: false,
            companies: 1,
        }
    }
}

/// The generated company with all its documents. Changes come through its own methods.
#[derive(Debug)]
pub struct World {
    vendors: Vendors,
    hand_keyed_invoices: Vec<HandKeyedInvoice>,
    hand_keyed_orders: Vec<HandKeyedOrder>,
    hand_keyed_receipts: Vec<HandKeyedReceipt>,
    labels: Vec<month::Label>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub orders: Vec<Order>,
    pub invoices: Vec<Invoice>,
    pub receipts: Vec<Receipt>,
    pub contracts: Vec<Contract>,
    /// Pairs of ids of which either may be posted.
    pub twins: HashMap<String, String>,
    /// Counts every change; whoever renders compares it.
    pub version: u64,
    pub now_ms: i64,
    pub rng: Rng,
}

/// The buyer's legal units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Main,
    Second,
}

impl Unit {
    fn draw(rng: &mut Rng) -> Self {
        if rng.u32(0..7) == 0 { Self::Second } else { Self::Main }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Main => "NORDLYS-NO",
            Self::Second => "NORDLYS-NO2",
        }
    }
}

/// The business unit of an office beyond the first, which has those of [`Unit`].
pub(crate) fn unit_of_office(office: usize) -> String {
    match office {
        1 => "NORDLYS-VEST".into(),
        2 => "NORDLYS-NORD".into(),
        more => format!("NORDLYS-{more}"),
    }
}

/// The office that a unit belongs to; what is no other office's is the first one's.
pub(crate) fn office_of(unit: &str) -> usize {
    let known = (1..100).find(|office| unit == unit_of_office(*office));
    known.unwrap_or(0)
}

impl Settings {
    /// The unit of a document of a drawn office. With one office it is the unit that was drawn.
    fn office_unit(&self, drawn: &str, rng: &mut Rng) -> String {
        match self.companies {
            0 | 1 => drawn.to_owned(),
            many => match rng.usize(0..many) {
                0 => drawn.to_owned(),
                office => unit_of_office(office),
            },
        }
    }
}

/// Puts the special roles at places drawn by lot; those that find no place are dropped.
fn scatter<R: Copy>(special: Vec<R>, roles: &mut [R], rng: &mut Rng) {
    let mut places: Vec<usize> = (0..roles.len()).collect();
    rng.shuffle(&mut places);
    for (role, place) in special.into_iter().zip(places) {
        roles[place] = role;
    }
}

impl World {
    pub fn generate(settings: &Settings) -> Self {
        if settings.month {
            return month::generate(settings);
        }
        let mut rng =
            Rng::with_seed(settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x4a31_5031);
        let vendors = supplier::vendors(settings.documents, &mut rng);
        let order_roles = order::roles(settings, &mut rng);
        let mut orders: Vec<Order> = order_roles
            .iter()
            .enumerate()
            .map(|(index, &role)| order::order(index, role, &vendors, &mut rng))
            .collect();
        for order in &mut orders {
            if order.business_unit != plant::UNMAPPED_UNIT {
                order.business_unit = settings.office_unit(&order.business_unit, &mut rng);
            }
        }
        let mut hand_keyed_orders = Vec::new();
        for (order, &role) in orders.iter_mut().zip(&order_roles) {
            order.record.fate = order_fate(order, role, &vendors);
            if role == OrderRole::HandKeyed {
                hand_keyed_orders.extend(fate::key_order(order, &vendors.all[order.vendor]));
            }
        }
        let mut made = Invoices::new(Drawing::new(settings, &vendors, rng.fork(), 0), &order_roles);
        made.make(&invoice::roles(settings, &mut rng), &orders);
        let Invoices { invoices, twins, hand_keyed, .. } = made;
        let state = State {
            orders,
            invoices,
            receipts: Vec::new(),
            contracts: Vec::new(),
            twins,
            version: 1,
            now_ms: time::millis(time::NOW) + 6 * 3_600_000,
            rng,
        };
        Self {
            hand_keyed_invoices: hand_keyed,
            hand_keyed_orders,
            hand_keyed_receipts: Vec::new(),
            labels: Vec::new(),
            state: Mutex::new(state),
            vendors,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors.all
    }

    /// Suppliers that Visma has before the first run.
    pub fn visma_suppliers(&self) -> Vec<VismaSupplier> {
        self.vendors.all.iter().filter_map(|vendor| vendor.visma.clone()).collect()
    }

    /// Invoices that people keyed into Visma before the first run. They are not the
    /// connector's, and stand there whatever it does.
    pub fn hand_keyed_invoices(&self) -> &[HandKeyedInvoice] {
        &self.hand_keyed_invoices
    }

    pub fn hand_keyed_orders(&self) -> &[HandKeyedOrder] {
        &self.hand_keyed_orders
    }

    pub fn hand_keyed_receipts(&self) -> &[HandKeyedReceipt] {
        &self.hand_keyed_receipts
    }

    /// What each invoice of a [`month`] is there to show. Empty for any other world.
    pub fn labels(&self) -> &[month::Label] {
        &self.labels
    }

    /// Every document that JAGGAER delivers, with what must become of it.
    pub fn expectations(&self) -> Vec<Expectation> {
        let state = self.state();
        let orders =
            state.orders.iter().filter(|order| !order.record.hidden).map(|order| Expectation {
                kind: Kind::PurchaseOrder,
                business_unit: order.business_unit.clone(),
                source_id: order.id.clone(),
                number: order.number.clone(),
                fate: order.record.fate.clone(),
                twin: None,
                otherwise: None,
            });
        let invoices = state.invoices.iter().filter(|invoice| !invoice.record.hidden);
        orders
            .chain(invoices.map(|invoice| Expectation {
                kind: invoice.kind(),
                business_unit: invoice.business_unit.clone(),
                source_id: invoice.id.clone(),
                number: invoice.number.clone(),
                fate: invoice.record.fate.clone(),
                twin: state.twins.get(&invoice.id).cloned(),
                otherwise: self.otherwise(invoice, &state),
            }))
            .collect()
    }

    fn otherwise(&self, invoice: &Invoice, state: &State) -> Option<Box<ExpectedDocument>> {
        let held = matches!(invoice.record.fate, Fate::Held(_));
        if !held || !state.twins.contains_key(&invoice.id) {
            return None;
        }
        invoice.expected(&self.vendors.all[invoice.vendor]).map(Box::new)
    }

    /// What must stand in Visma in the end, posted or adopted.
    pub fn expected_documents(&self) -> Vec<ExpectedDocument> {
        self.expectations()
            .into_iter()
            .filter_map(|expectation| match expectation.fate {
                Fate::Posted(document) | Fate::Adopted(document) => Some(*document),
                Fate::Held(_) | Fate::Ignored | Fate::Waiting | Fate::NotRipe => None,
            })
            .collect()
    }
}

fn order_fate(order: &Order, role: OrderRole, vendors: &Vendors) -> Fate {
    let expected = || {
        let document = order.expected(&vendors.all[order.vendor]);
        Box::new(document.expect("a payable vendor is in Visma"))
    };
    match role {
        OrderRole::Normal | OrderRole::Hidden => Fate::Posted(expected()),
        OrderRole::HandKeyed => Fate::Adopted(expected()),
        OrderRole::Held(breakage) => Fate::Held(breakage.plant()),
        OrderRole::BeforeGoLive | OrderRole::Cancelled => Fate::Ignored,
        OrderRole::NotRipe => Fate::NotRipe,
    }
}

/// The invoices in the making.
struct Invoices<'a> {
    drawing: Drawing<'a>,
    standing: Vec<usize>,
    hidden: Vec<usize>,
    invoices: Vec<Invoice>,
    twins: HashMap<String, String>,
    hand_keyed: Vec<HandKeyedInvoice>,
}

impl<'a> Invoices<'a> {
    fn new(drawing: Drawing<'a>, orders: &[OrderRole]) -> Self {
        let places = |wanted: fn(OrderRole) -> bool| {
            (0..orders.len()).filter(|&index| wanted(orders[index])).collect::<Vec<_>>()
        };
        Self {
            drawing,
            standing: places(OrderRole::stands),
            hidden: places(|role| role == OrderRole::Hidden),
            invoices: Vec::new(),
            twins: HashMap::new(),
            hand_keyed: Vec::new(),
        }
    }

    fn make(&mut self, roles: &[InvoiceRole], orders: &[Order]) {
        let mut open: Vec<Open> =
            self.standing.iter().map(|&index| Open::of(index, &orders[index])).collect();
        let mut later = Vec::new();
        for &role in roles {
            match role {
                InvoiceRole::Credit | InvoiceRole::Held(Breakage::Duplicate) => later.push(role),
                InvoiceRole::Normal
                | InvoiceRole::Held(_)
                | InvoiceRole::HandKeyed
                | InvoiceRole::BeforeGoLive
                | InvoiceRole::Cancelled
                | InvoiceRole::NotRipe
                | InvoiceRole::Waiting => {
                    let invoice = self.drawing.invoice(role, orders, &mut open, &self.hidden);
                    self.take(invoice, role);
                }
            }
        }
        for role in later {
            let wanted: fn(&Invoice) -> bool = match role {
                InvoiceRole::Held(_) => |invoice| invoice.lines.iter().all(|l| l.bills.is_none()),
                _ => |_| true,
            };
            match (self.draw_posted(wanted), role) {
                (Some(index), InvoiceRole::Credit) => {
                    let credit = self.drawing.credit(&self.invoices[index].clone());
                    self.take(credit, role);
                }
                (Some(index), _) => {
                    let second = self.drawing.again(&self.invoices[index].clone());
                    let first = self.invoices[index].id.clone();
                    self.twins.insert(first.clone(), second.id.clone());
                    self.twins.insert(second.id.clone(), first);
                    self.take(second, role);
                }
                (None, _) => {
                    let plain = InvoiceRole::Normal;
                    let invoice = self.drawing.invoice(plain, orders, &mut open, &self.hidden);
                    self.take(invoice, plain);
                }
            }
        }
    }

    /// An invoice that is posted, has no twin and is not a credit note.
    fn draw_posted(&mut self, wanted: fn(&Invoice) -> bool) -> Option<usize> {
        let count = self.invoices.len();
        let start = self.drawing.rng.usize(0..count.max(1));
        (0..count).map(|step| (start + step) % count).find(|&index| {
            let invoice = &self.invoices[index];
            matches!(invoice.record.fate, Fate::Posted(_))
                && !invoice.credit
                && !self.twins.contains_key(&invoice.id)
                && wanted(invoice)
                // Taken back twice it would be taken back for more than it was.
                && !self.invoices.iter().any(|other| {
                    other.credits.as_ref().is_some_and(|(id, _)| *id == invoice.id)
                })
        })
    }

    fn take(&mut self, mut invoice: Invoice, role: InvoiceRole) {
        let vendor = &self.drawing.vendors.all[invoice.vendor];
        let expected =
            || Box::new(invoice.expected(vendor).expect("a payable vendor and a reference"));
        let fate = match role {
            InvoiceRole::Normal | InvoiceRole::Credit => Fate::Posted(expected()),
            InvoiceRole::HandKeyed => Fate::Adopted(expected()),
            InvoiceRole::Held(breakage) => Fate::Held(breakage.plant()),
            InvoiceRole::BeforeGoLive | InvoiceRole::Cancelled => Fate::Ignored,
            InvoiceRole::NotRipe => Fate::NotRipe,
            InvoiceRole::Waiting => Fate::Waiting,
        };
        match role {
            InvoiceRole::HandKeyed => self.key(*expected(), &invoice),
            InvoiceRole::Held(Breakage::DuplicateInVisma) => {
                let mut other = *expected();
                other.amount_minor += 10_000;
                if let Some(line) = other.lines.first_mut() {
                    line.cost_minor += 10_000;
                }
                self.key(other, &invoice);
            }
            // Another supplier's invoice with the same number is no concern of this one.
            InvoiceRole::Normal if self.invoices.len() % 97 == 96 => {
                let others = &self.drawing.vendors.payable;
                let other = others[(self.invoices.len() + 1) % others.len()];
                if let (true, Some(supplier)) =
                    (other != invoice.vendor, &self.drawing.vendors.all[other].visma)
                {
                    let document =
                        ExpectedDocument { supplier: supplier.number.clone(), ..*expected() };
                    self.key(document, &invoice);
                }
            }
            InvoiceRole::Normal
            | InvoiceRole::Credit
            | InvoiceRole::Held(_)
            | InvoiceRole::BeforeGoLive
            | InvoiceRole::Cancelled
            | InvoiceRole::NotRipe
            | InvoiceRole::Waiting => {}
        }
        invoice.record.fate = fate;
        self.invoices.push(invoice);
    }

    fn key(&mut self, document: ExpectedDocument, invoice: &Invoice) {
        let vat_minor = amount::minor(invoice.tax, &invoice.currency);
        let invoiced_on = invoice.invoiced_on;
        self.hand_keyed.push(HandKeyedInvoice {
            document,
            invoiced_on,
            vat_minor,
            status: "Balanced",
            bills: None,
            business_unit: invoice.business_unit.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
