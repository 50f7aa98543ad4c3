//! What the simulated company holds, and how a change becomes visible.

use super::background::Job;
use super::gate::{Allowance, Token};
use super::invoice::Invoice;
use super::ledger::Batch;
use super::order::Order;
use super::receipt::PurchaseReceipt;
use super::webhook::PostOffice;
use jiff::ToSpan;
use jiff::civil::DateTime;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Document type and number: numbers repeat across types.
pub(crate) type InvoiceKey = (&'static str, String);

pub(crate) struct State {
    /// Company-local time of the latest change.
    pub clock: DateTime,
    pub next_version: u64,
    /// API calls so far, refused ones included.
    pub calls: u64,
    pub counts: BTreeMap<(&'static str, &'static str, u16), u64>,
    pub tokens: HashMap<String, Token>,
    pub tokens_made: u64,
    pub allowance: Allowance,
    pub invoices: BTreeMap<InvoiceKey, Row<Invoice>>,
    pub orders: BTreeMap<String, Row<Order>>,
    pub receipts: BTreeMap<String, Row<PurchaseReceipt>>,
    pub batches: BTreeMap<String, Row<Batch>>,
    pub invoice_series: BTreeMap<&'static str, u32>,
    pub next_order: u32,
    pub next_receipt: u32,
    pub next_batch: u32,
    pub jobs: BTreeMap<String, Job>,
    pub files: HashMap<String, Vec<u8>>,
    /// How far the rows of a running list have moved, by the list's query without its page.
    pub moved: HashMap<String, i64>,
    pub random: fastrand::Rng,
    pub post_office: PostOffice,
}

impl State {
    pub fn new(clock: DateTime, seed: u64, now: Instant) -> Self {
        Self {
            clock,
            next_version: 0x5710,
            calls: 0,
            counts: BTreeMap::new(),
            tokens: HashMap::new(),
            tokens_made: 0,
            allowance: Allowance::new(now),
            invoices: BTreeMap::new(),
            orders: BTreeMap::new(),
            receipts: BTreeMap::new(),
            batches: BTreeMap::new(),
            invoice_series: BTreeMap::new(),
            next_order: 4_211,
            next_receipt: 2_907,
            next_batch: 70_001,
            jobs: BTreeMap::new(),
            files: HashMap::new(),
            moved: HashMap::new(),
            random: fastrand::Rng::with_seed(seed),
            post_office: PostOffice::default(),
        }
    }

    /// A new row version and its time. Every tenth change has a time finer than a request can spell.
    pub fn stamp(&mut self, stand_still: bool) -> (u64, DateTime) {
        self.next_version += 1;
        if !stand_still {
            let finer = if self.next_version.is_multiple_of(10) { 217_300 } else { 0 };
            let whole = self.clock.subsec_nanosecond() / 1_000_000 * 1_000_000;
            let from = self.clock.with().subsec_nanosecond(whole).build().unwrap_or(self.clock);
            self.clock =
                from.checked_add(7.milliseconds().nanoseconds(finer)).unwrap_or(self.clock);
        }
        (self.next_version, self.clock)
    }

    /// A made-up identifier in the form of a GUID.
    pub fn guid(&mut self) -> String {
        let (high, low) = (self.random.u64(..), self.random.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }
}

/// A document as it stood after one change.
#[derive(Debug, Clone)]
pub(crate) struct Shown<T> {
    pub doc: T,
    pub version: u64,
    pub modified: DateTime,
    /// The list row as JSON without its end, in a short and a wide form; made when first asked for.
    pub short: OnceCell<String>,
    pub wide: OnceCell<String>,
}

/// A document, and what lists still show of it while a change is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    pub live: Shown<T>,
    pub created: DateTime,
    /// Keyed in by hand: not made through the API.
    pub keyed: bool,
    lag: Option<Lag<T>>,
}

#[derive(Debug, Clone)]
struct Lag<T> {
    before: Option<Box<Shown<T>>>,
    until_call: u64,
    until: Instant,
}

/// When a change becomes visible in lists; `None` of it: at once.
pub(crate) type Delay = Option<(u64, Instant)>;

impl<T: Clone> Row<T> {
    pub fn new(doc: T, (version, modified): (u64, DateTime), keyed: bool, delay: Delay) -> Self {
        let live = Shown { doc, version, modified, short: OnceCell::new(), wide: OnceCell::new() };
        let lag = delay.map(|(until_call, until)| Lag { before: None, until_call, until });
        Self { live, created: modified, keyed, lag }
    }

    pub fn change(&mut self, doc: T, (version, modified): (u64, DateTime), delay: Delay) {
        let fresh = Shown { doc, version, modified, short: OnceCell::new(), wide: OnceCell::new() };
        let before = std::mem::replace(&mut self.live, fresh);
        if let Some((until_call, until)) = delay {
            // A row that nobody has seen yet stays unseen.
            let before = match self.lag.take() {
                Some(lag) => lag.before,
                None => Some(Box::new(before)),
            };
            self.lag = Some(Lag { before, until_call, until });
        }
    }

    /// What a list shows now.
    pub fn listed(&self, calls: u64, now: Instant) -> Option<&Shown<T>> {
        match &self.lag {
            Some(lag) if calls < lag.until_call && now < lag.until => lag.before.as_deref(),
            _ => Some(&self.live),
        }
    }
}
