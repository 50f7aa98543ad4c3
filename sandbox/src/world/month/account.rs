//! Vendors that are at fault themselves, or that look as if they were.

use super::bank;
use super::maker::Maker;
use crate::world::supplier::{Country, Vendor, Vendors};
use fastrand::Rng;
use std::collections::HashMap;

/// A few of each kind for the whole month.
const OF_EACH: usize = 3;
pub const INACTIVE: &str = "inactive";
pub const CONFLICT: &str = "conflict";
/// Each stands beside the record before it: the same company twice.
pub const SECOND_RECORD: &str = "second record";

/// Adds the vendors, and says which they are. None of them is among those that may be paid.
pub fn special_vendors(vendors: &mut Vendors, rng: &mut Rng) -> HashMap<&'static str, Vec<usize>> {
    let mut special: HashMap<&'static str, Vec<usize>> = HashMap::new();
    for turn in 0..OF_EACH {
        let mut inactive = copy_of(vendors, "Tidligere", rng);
        inactive.active = false;
        add(vendors, &mut special, INACTIVE, inactive);

        // Its number is one supplier's, its organisation number another's.
        let mut conflict = copy_of(vendors, "Nye", rng);
        let other = vendors.payable.iter().map(|&at| &vendors.all[at]).find(|vendor| {
            let of_one_country = vendor.country == conflict.country;
            of_one_country
                && vendor.organisation_number.is_some()
                && vendor.number != conflict.number
        });
        conflict.organisation_number = other.and_then(|vendor| vendor.organisation_number.clone());
        conflict.vat_number = None;
        add(vendors, &mut special, CONFLICT, conflict);

        // The same company, entered twice on both sides, paid on the same accounts.
        let first = norwegian(vendors, 3 + turn);
        let mut first = vendors.all[first].clone();
        first.name = format!("{} avd. Øst", first.name);
        let number = (70_000 + turn).to_string();
        first.id = (1_009_000_000 + vendors.all.len() * 7).to_string();
        first.number = Some(number.clone());
        if let Some(supplier) = &mut first.visma {
            supplier.number = number;
            supplier.name = first.name.clone();
        }
        add(vendors, &mut special, SECOND_RECORD, first);
    }
    special
}

/// The place of a Norwegian vendor that gives its number and its organisation number.
fn norwegian(vendors: &Vendors, nth: usize) -> usize {
    let fits = |&&at: &&usize| {
        let vendor = &vendors.all[at];
        let named = vendor.number.is_some() && vendor.organisation_number.is_some();
        named && vendor.country == Country::No
    };
    let all: Vec<usize> = vendors.payable.iter().filter(fits).copied().collect();
    all[nth % all.len()]
}

/// A new Norwegian company.
fn copy_of(vendors: &Vendors, prefix: &str, rng: &mut Rng) -> Vendor {
    let nth = rng.usize(0..50);
    let mut vendor = vendors.all[norwegian(vendors, nth)].clone();
    let at = vendors.all.len();
    vendor.id = (1_009_000_000 + at * 7).to_string();
    vendor.name = format!("{prefix} {}", vendor.name);
    vendor.number = Some((71_000 + at).to_string());
    let organisation = crate::world::identifier::organisation_number(vendor.country, rng);
    vendor.organisation_number = Some(organisation.clone());
    vendor.vat_number = None;
    if let Some(supplier) = &mut vendor.visma {
        supplier.number = (71_000 + at).to_string();
        supplier.name = vendor.name.clone();
        supplier.corporate_id = Some(organisation.clone());
        supplier.vat_registration_id = Some(format!("NO{organisation}MVA"));
        supplier.status = "Active";
    }
    bank::give_accounts(&mut vendor, rng);
    vendor
}

fn add(
    vendors: &mut Vendors,
    special: &mut HashMap<&'static str, Vec<usize>>,
    kind: &'static str,
    vendor: Vendor,
) {
    special.entry(kind).or_default().push(vendors.all.len());
    vendors.all.push(vendor);
}

fn of_kind(m: &mut Maker, kind: &'static str) -> usize {
    let places = m.special[kind].clone();
    *m.rng.choice(&places).expect("there are some of each kind")
}

pub fn inactive(m: &mut Maker) {
    let vendor = of_kind(m, INACTIVE);
    let invoice = m.plain_invoice(vendor);
    m.hold(invoice);
}

pub fn conflict(m: &mut Maker) {
    let vendor = of_kind(m, CONFLICT);
    let invoice = m.plain_invoice(vendor);
    m.hold(invoice);
}

/// Two records of the same company: the first one's place, and the second one's.
pub fn two_records(m: &mut Maker) -> (usize, usize) {
    let second = of_kind(m, SECOND_RECORD);
    let organisation = &m.of(second).organisation_number;
    let first = m.vendors.payable.iter().copied();
    let first = first
        .filter(|&at| m.of(at).organisation_number == *organisation)
        .find(|&at| m.of(at).number.is_some());
    (first.expect("the second was made from a first"), second)
}
