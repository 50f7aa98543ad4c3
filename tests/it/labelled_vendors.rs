//! Which vendors are linked by themselves, and which are found for a person, measured on vendors
//! whose truth is known.

use crate::vendor_world::{KINDS, VendorWorld};
use ml_connector::mapping::{SupplierIndex, Suppliers, Tables, candidates, resolve};
use ml_connector::procurement::{ReferenceData, VendorRef};
use std::collections::BTreeMap;

#[derive(Default, Clone, Copy)]
struct Score {
    linked: usize,
    wrong: usize,
    /// Vendors that Visma has.
    present: usize,
    /// Of these: not linked, but the right supplier is the first suggestion, or among them.
    first: usize,
    among: usize,
}

/// No automatic link is wrong, whatever was done to the vendor. What could have been linked or
/// suggested is printed.
#[test]
fn no_automatic_link_is_wrong() {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for seed in 1..=4 {
        let mut world = VendorWorld::new(seed, 5_000, 1_250);
        let suppliers = std::mem::take(&mut world.suppliers);
        let reference = ReferenceData { suppliers, ..ReferenceData::default() };
        let index = SupplierIndex::new(&reference);
        let tables = Tables::default();
        let at = Suppliers {
            tables: &tables,
            vendors: &world.vendors,
            reference: &reference,
            index: &index,
        };
        for (id, vendor) in &world.vendors {
            let truth = &world.truth[id];
            let score = scores.entry(truth.kind).or_default();
            score.present += usize::from(truth.supplier.is_some());
            let named = VendorRef { source_id: Some(id.clone()), ..VendorRef::default() };
            match resolve(&named, None, at) {
                Ok(settled) => {
                    score.linked += 1;
                    let found = &settled.supplier.number;
                    if truth.supplier.as_ref() != Some(found) {
                        score.wrong += 1;
                        println!("{}: {vendor:?} was linked to {:?}", truth.kind, settled.supplier);
                    }
                }
                Err(_) => {
                    let found = candidates(vendor, at);
                    let place =
                        found.iter().position(|of| Some(&of.supplier) == truth.supplier.as_ref());
                    score.first += usize::from(place == Some(0));
                    score.among += usize::from(place.is_some());
                }
            }
        }
    }
    println!(
        "{:52} {:>7} {:>6} {:>6} {:>6} {:>6}",
        "", "present", "linked", "wrong", "first", "among"
    );
    let mut all = Score::default();
    for kind in KINDS {
        let s = scores[kind];
        println!(
            "{kind:52} {:>7} {:>6} {:>6} {:>6} {:>6}",
            s.present, s.linked, s.wrong, s.first, s.among
        );
        all.linked += s.linked;
        all.wrong += s.wrong;
        all.present += s.present;
        all.among += s.among;
        all.first += s.first;
    }
    println!(
        "linked by themselves {} of {} that Visma has, suggested {} (first {}), wrong {}",
        all.linked, all.present, all.among, all.first, all.wrong
    );
    assert_eq!(all.wrong, 0);
    // What a clerk would call blind: at least what is written plainly is found.
    let plain = scores["organisation number"];
    assert!(plain.linked + plain.among >= plain.present * 95 / 100);
    let name = scores["name only"];
    assert!(name.linked == 0 && name.among >= name.present * 95 / 100);
}
