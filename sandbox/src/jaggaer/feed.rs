//! What the lists are made of: every document rendered once for each version of it.

use super::faults::Faults;
use super::json::Style;
use super::{Profile, alternate_form, default_form, observed_form};
use crate::world::World;
use crate::world::document::{Attachment, Record};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// The lists. Receipts and contracts are of the default profile only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum List {
    Orders,
    Invoices,
    Suppliers,
    Receipts,
    Contracts,
}

/// A record, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub id: String,
    /// As served: the delta filter looks at it.
    pub updated_ms: i64,
    pub version: u64,
    /// The words that filters look at, by query parameter.
    pub words: Arc<[(&'static str, String)]>,
    pub row: Arc<str>,
    /// The answer to a call for this one record.
    pub one: Arc<str>,
}

/// All records as they are served now.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    /// Versions of the world and of the faults that these were made from.
    made_from: Option<(u64, u64)>,
    lists: HashMap<List, Vec<Entry>>,
    /// Where each id stands in its list.
    places: HashMap<List, HashMap<String, usize>>,
    /// Records that a fault moved, with their turn.
    moved: HashMap<String, usize>,
}

impl Feeds {
    pub fn list(&self, list: List) -> &[Entry] {
        self.lists.get(&list).map_or(&[], Vec::as_slice)
    }

    /// The record goes to the end of its list and stays there.
    pub fn move_to_end(&mut self, list: List, id: &str) {
        self.moved.insert(id.to_string(), self.moved.len() + 1);
        if let Some(entries) = self.lists.get_mut(&list) {
            sort_by_id(entries, &self.moved);
        }
        self.index();
    }

    pub fn find(&self, list: List, id: &str) -> Option<&Entry> {
        let place = *self.places.get(&list)?.get(id)?;
        self.list(list).get(place)
    }

    fn index(&mut self) {
        let places = |entries: &Vec<Entry>| {
            entries.iter().enumerate().map(|(place, entry)| (entry.id.clone(), place)).collect()
        };
        self.places = self.lists.iter().map(|(list, entries)| (*list, places(entries))).collect();
    }

    /// Renders what changed since the last time, and nothing else.
    pub fn refresh(&mut self, world: &World, profile: Profile, faults: &Faults, generation: u64) {
        let state = world.state();
        if self.made_from == Some((state.version, generation)) {
            return;
        }
        let keep = self.made_from.is_some_and(|(_, made)| made == generation);
        self.made_from = Some((state.version, generation));
        let stamp = |ms: i64| if faults.equal_timestamps { ms - ms % 3_600_000 } else { ms };
        let mut old = if keep { std::mem::take(&mut self.lists) } else { HashMap::new() };
        let mut known = |list| Known::of(old.remove(&list).unwrap_or_default());

        let mut ready = known(List::Orders);
        let orders = state.orders.iter().filter(|order| !order.record.hidden).map(|order| {
            ready.take_or(&order.id, order.record.version, || {
                let vendor = &world.vendors()[order.vendor];
                let at = stamp(order.record.updated_ms);
                let style = style(faults, &order.id);
                let (row, one) = match profile {
                    Profile::Default => whole(default_form::order(order, vendor, at, style)),
                    Profile::Observed => {
                        split(observed_form::order(order, vendor, at, style), "poLine")
                    }
                    Profile::Alternate => whole(alternate_form::order(order, vendor, at, style)),
                };
                let words = [("businessUnit", &order.business_unit), ("status", &order.status)];
                entry(&order.id, at, &order.record, &words, row, one)
            })
        });
        let orders = orders.collect();

        let mut ready = known(List::Invoices);
        let invoices = state.invoices.iter().filter(|invoice| !invoice.record.hidden);
        let invoices = invoices.map(|invoice| {
            ready.take_or(&invoice.id, invoice.record.version, || {
                let vendor = &world.vendors()[invoice.vendor];
                let at = stamp(invoice.record.updated_ms);
                let style = style(faults, &invoice.id);
                let (row, one) = match profile {
                    Profile::Default => whole(default_form::invoice(invoice, vendor, at, style)),
                    Profile::Observed => {
                        split(observed_form::invoice(invoice, vendor, at, style), "invoiceLine")
                    }
                    Profile::Alternate => {
                        apart(alternate_form::voucher(invoice, vendor, at, style))
                    }
                };
                let kind = if invoice.credit { "CreditMemo" } else { "Invoice" }.to_string();
                let words = [
                    ("businessUnit", &invoice.business_unit),
                    ("workflowStatus", &invoice.workflow),
                    ("type", &kind),
                ];
                entry(&invoice.id, at, &invoice.record, &words, row, one)
            })
        });
        let invoices = invoices.collect();

        let mut ready = known(List::Suppliers);
        let suppliers = world.vendors().iter().map(|vendor| {
            ready.take_or(&vendor.id, 1, || {
                let at = stamp(vendor.updated_ms);
                let style = style(faults, &vendor.id);
                let (row, one) = match profile {
                    Profile::Default => whole(default_form::supplier(vendor, at, style)),
                    Profile::Observed => whole(observed_form::supplier(vendor, at)),
                    Profile::Alternate => whole(alternate_form::partner(vendor, at, style)),
                };
                let number = vendor.number.clone().unwrap_or_default();
                let organisation = vendor.organisation_number.clone().unwrap_or_default();
                let words = [("supplierNumber", &number), ("orgNumber", &organisation)];
                entry(&vendor.id, at, &Record::new(at), &words, row, one)
            })
        });
        let suppliers = suppliers.collect();

        let mut ready = known(List::Receipts);
        let receipts = state.receipts.iter().filter(|receipt| !receipt.record.hidden);
        let receipts = receipts.map(|receipt| {
            ready.take_or(&receipt.id, receipt.record.version, || {
                let at = stamp(receipt.record.updated_ms);
                let (row, one) =
                    whole(default_form::receipt(receipt, at, style(faults, &receipt.id)));
                entry(&receipt.id, at, &receipt.record, &[], row, one)
            })
        });
        let receipts = receipts.collect();

        let mut ready = known(List::Contracts);
        let contracts = state.contracts.iter().map(|contract| {
            ready.take_or(&contract.id, contract.record.version, || {
                let vendor = &world.vendors()[contract.vendor];
                let at = stamp(contract.record.updated_ms);
                let style = style(faults, &contract.id);
                let (row, one) = whole(default_form::contract(contract, vendor, at, style));
                entry(&contract.id, at, &contract.record, &[("status", &contract.status)], row, one)
            })
        });
        let contracts = contracts.collect();

        self.lists = HashMap::from([
            (List::Orders, orders),
            (List::Invoices, invoices),
            (List::Suppliers, suppliers),
            (List::Receipts, receipts),
            (List::Contracts, contracts),
        ]);
        for entries in self.lists.values_mut() {
            match profile {
                Profile::Default => {
                    entries.sort_by(|a, b| (a.updated_ms, &a.id).cmp(&(b.updated_ms, &b.id)));
                }
                Profile::Observed | Profile::Alternate => sort_by_id(entries, &self.moved),
            }
        }
        self.index();
    }
}

/// In no order of changes: lists by offset promise none.
fn sort_by_id(entries: &mut [Entry], moved: &HashMap<String, usize>) {
    entries.sort_by_cached_key(|entry| (moved.get(&entry.id).copied(), entry.id.clone()));
}

/// Entries of the time before, by id.
struct Known(HashMap<String, Entry>);

impl Known {
    fn of(entries: Vec<Entry>) -> Self {
        Self(entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect())
    }

    fn take_or(&mut self, id: &str, version: u64, render: impl FnOnce() -> Entry) -> Entry {
        match self.0.remove(id) {
            Some(entry) if entry.version == version => entry,
            Some(_) | None => render(),
        }
    }
}

fn entry(
    id: &str,
    updated_ms: i64,
    record: &Record,
    words: &[(&'static str, &String)],
    row: Arc<str>,
    one: Arc<str>,
) -> Entry {
    Entry {
        id: id.to_string(),
        updated_ms,
        version: record.version,
        words: words.iter().map(|(name, word)| (*name, (*word).clone())).collect(),
        row,
        one,
    }
}

/// Which documents the faults of content fall on: always the same ones.
fn style(faults: &Faults, id: &str) -> Style {
    let mark = id
        .bytes()
        .fold(faults.seed, |mark, byte| mark.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Style {
        unknown_fields: faults.unknown_fields && mark % 3 == 0,
        numbers: faults.numbers_for_texts && mark % 5 == 0,
    }
}

fn whole(value: Value) -> (Arc<str>, Arc<str>) {
    let text: Arc<str> = value.to_string().into();
    (Arc::clone(&text), text)
}

/// The list holds the header only.
fn split((header, lines): (Value, Vec<Value>), member: &str) -> (Arc<str>, Arc<str>) {
    let row = json!({ "header": header }).to_string();
    let lines = json!({ member: lines });
    let one = format!("{},\"lineList\":{lines}}}", &row[..row.len() - 1]);
    (row.into(), one.into())
}

/// The list holds the header, and another call the lines alone.
fn apart((header, lines): (Value, Vec<Value>)) -> (Arc<str>, Arc<str>) {
    let one = json!({ "status": "OK", "data": lines });
    (header.to_string().into(), one.to_string().into())
}

/// The file of an invoice.
pub(super) fn attachment(world: &World, invoice: &str, file: &str) -> Option<Attachment> {
    let state = world.state();
    let invoice = state.invoices.iter().find(|candidate| candidate.id == invoice)?;
    invoice.attachments.iter().find(|attachment| attachment.id == file).cloned()
}
