//! How long it takes to find the suppliers of a whole vendor master, on one core: 100,000 suppliers
//! against 10,000 vendors of the labelled world of the tests. The floor, in the same run, is reading
//! every name once, which no finder can do without.
//!
//! `cargo bench --bench vendors`; `-- SUPPLIERS VENDORS` for other sizes.

#[path = "../tests/it/vendor_world.rs"]
mod vendor_world;

use ml_connector::mapping::party_name::PartyName;
use ml_connector::mapping::{
    Suggestion, SupplierIndex, Suppliers, Tables, resolve, suggest_supplier,
};
use ml_connector::procurement::{ReferenceData, VendorRef};
use std::hint::black_box;
use std::time::Instant;
use vendor_world::{KINDS, VendorWorld};

fn main() {
    let mut sizes = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let suppliers = sizes.next().unwrap_or(100_000);
    let vendors = sizes.next().unwrap_or(10_000);
    let mut world = VendorWorld::new(1, suppliers, vendors);
    println!("{suppliers} suppliers, {vendors} vendors of {} kinds", KINDS.len());
    let reference = ReferenceData {
        suppliers: std::mem::take(&mut world.suppliers),
        ..ReferenceData::default()
    };

    let started = Instant::now();
    for supplier in reference.suppliers.values() {
        black_box(PartyName::read(&supplier.name));
    }
    for vendor in world.vendors.values() {
        black_box(PartyName::read(&vendor.name));
    }
    let floor = started.elapsed().as_secs_f64();
    println!("floor: every name read once      {floor:8.3} s");

    let show = |what: &str, seconds: f64| {
        println!("{what:32} {seconds:8.3} s   {:6.1} x the floor", seconds / floor);
    };
    let started = Instant::now();
    let index = SupplierIndex::new(&reference);
    let indexed = started.elapsed().as_secs_f64();
    show("index of the suppliers", indexed);

    let tables = Tables::default();
    let at = Suppliers {
        tables: &tables,
        vendors: &world.vendors,
        reference: &reference,
        index: &index,
    };
    let started = Instant::now();
    let suggested: Vec<Suggestion> = world
        .vendors
        .keys()
        .filter_map(|id| {
            let named = VendorRef { source_id: Some(id.clone()), ..VendorRef::default() };
            suggest_supplier(&named, None, at)
        })
        .collect();
    let looked = started.elapsed().as_secs_f64();
    show("suggest for every vendor", looked);
    show("both", indexed + looked);

    let (mut linked, mut wrong, mut right_first) = (0, Vec::new(), 0);
    for (id, truth) in &world.truth {
        let named = VendorRef { source_id: Some(id.clone()), ..VendorRef::default() };
        if let Ok(settled) = resolve(&named, None, at) {
            linked += 1;
            if truth.supplier.as_ref() != Some(&settled.supplier.number) {
                wrong.push(truth.kind);
            }
        }
    }
    for suggestion in &suggested {
        let best = suggestion.candidates.first().map(|of| &of.supplier);
        let truth = world.truth[&suggestion.vendor].supplier.as_ref();
        right_first += usize::from(truth.is_some() && best == truth);
    }
    let present = world.truth.values().filter(|truth| truth.supplier.is_some()).count();
    println!(
        "{linked} linked by themselves (wrong: {wrong:?}), {right_first} suggested first, of {present} that Visma has"
    );
}
