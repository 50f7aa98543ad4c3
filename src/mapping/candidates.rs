//! Which suppliers a vendor could be, for a person to choose from: each with a score and, in words,
//! what speaks for it and against it. Nothing here decides.

use super::party_name::{Likeness, PartyName};
use super::supplier::{SupplierFault, Suppliers, link_key, settle, shown};
use super::supplier_index::{Found, Identity};
use crate::procurement::{PostalAddress, Supplier, Vendor, VendorRef};
use std::collections::BTreeSet;

/// A supplier that a vendor could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The ERP's number.
    pub supplier: String,
    pub name: String,
    /// 0 to 100. Says which to look at first, nothing more.
    pub score: u32,
    /// For and against, for people: `same name but for the legal form`, `same postal code`.
    pub reasons: Vec<String>,
}

/// A vendor that leads to no one supplier, with those it could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The vendor as the clerk knows it.
    pub vendor: String,
    /// Under which id a person can link it.
    pub link_by: Option<String>,
    pub fault: SupplierFault,
    /// The best first.
    pub candidates: Vec<Candidate>,
}

/// Below this a likeness is rather an accident.
const LEAST_SCORE: u32 = 40;
const MOST_CANDIDATES: usize = 3;

/// Whom the vendor that a document names could be, unless it leads to one supplier. What that
/// supplier's status is does not matter: a link would not change it.
pub fn suggest_supplier(
    named: &VendorRef,
    business_unit: Option<&str>,
    suppliers: Suppliers<'_>,
) -> Option<Suggestion> {
    let fault = settle(named, business_unit, suppliers).err()?;
    let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
    Some(Suggestion {
        vendor: shown(named, vendor),
        link_by: link_key(named),
        fault,
        candidates: candidates_of(named, vendor, suppliers),
    })
}

/// A document can name a vendor that the master does not have: its name is all there is.
pub(super) fn candidates_of(
    named: &VendorRef,
    vendor: Option<&Vendor>,
    suppliers: Suppliers<'_>,
) -> Vec<Candidate> {
    match vendor {
        Some(vendor) => candidates(vendor, suppliers),
        None => {
            let from_document = Vendor {
                source_id: named.source_id.clone().unwrap_or_default(),
                name: named.name.clone().unwrap_or_default(),
                ..Vendor::default()
            };
            candidates(&from_document, suppliers)
        }
    }
}

/// The best few, the best first.
pub fn candidates(vendor: &Vendor, suppliers: Suppliers<'_>) -> Vec<Candidate> {
    let (reference, index) = (suppliers.reference, suppliers.index);
    let identity = Identity::of_vendor(vendor);
    let names = names(vendor);
    let clues = Clues::of(&identity, suppliers);
    let mut keys: BTreeSet<&str> = clues.all().map(String::as_str).collect();
    for name in &names {
        keys.extend(index.names.near(name));
    }
    let parent = parent(vendor, suppliers);
    keys.extend(parent.as_ref().map(|(supplier, _)| supplier.number.as_str()));
    let mut found: Vec<Candidate> = keys
        .into_iter()
        .filter_map(|key| reference.suppliers.get(key))
        .map(|supplier| {
            let mut weighed = Weighed::default();
            clues.weigh(supplier, &mut weighed);
            if let Some((_, shown)) = parent.as_ref().filter(|(of, _)| of.number == supplier.number)
            {
                weighed.for_it(50, format!("it is its parent {shown}"));
            }
            if let Some(name) = index.names.of(&supplier.number) {
                most_alike(&names, name).weigh(&mut weighed);
            }
            weigh_address(vendor, supplier, &mut weighed);
            // Most have nothing but a word in common: their identifiers are not worth reading.
            if weighed.points >= LEAST_SCORE {
                weigh_doubts(&identity, supplier, &mut weighed);
            }
            weighed.candidate(supplier)
        })
        .filter(|candidate| candidate.score >= LEAST_SCORE)
        .collect();
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.supplier.cmp(&b.supplier)));
    found.truncate(MOST_CANDIDATES);
    found
}

/// The name and the other names of a vendor.
pub(super) fn names(vendor: &Vendor) -> Vec<PartyName> {
    std::iter::once(&vendor.name).chain(&vendor.other_names).map(|n| PartyName::read(n)).collect()
}

/// Of the most alike of the names.
pub(super) fn likeness(names: &[PartyName], supplier: &Supplier) -> Likeness {
    most_alike(names, &PartyName::read(&supplier.name))
}

fn most_alike(names: &[PartyName], name: &PartyName) -> Likeness {
    names.iter().map(|of| of.compare(name)).max_by_key(|of| of.score()).unwrap_or(Likeness::None)
}

/// The supplier that the vendor's parent is, and the parent as people know it.
pub(super) fn parent<'a>(
    vendor: &Vendor,
    suppliers: Suppliers<'a>,
) -> Option<(&'a Supplier, String)> {
    let id = vendor.parent.as_deref().filter(|id| *id != vendor.source_id)?;
    let shown = suppliers.vendors.get(id).map_or(id.to_owned(), |of| format!("{id} ({})", of.name));
    let named = VendorRef { source_id: Some(id.into()), ..VendorRef::default() };
    settle(&named, None, suppliers).ok().map(|settled| (settled.supplier, shown))
}

/// Suppliers that share an identifier with the vendor.
struct Clues {
    /// What is shared, what it weighs, and who has it.
    shared: Vec<(String, u32, Found)>,
}

impl Clues {
    fn of(identity: &Identity, suppliers: Suppliers<'_>) -> Self {
        let index = suppliers.index;
        let mut shared = Vec::new();
        for organisation in &identity.organisations {
            let found = index.by_organisation(organisation);
            shared.push(("same organisation number".to_owned(), 90, found));
        }
        if let Some(vat) = &identity.vat {
            shared.push(("same VAT number".to_owned(), 80, index.by_vat(vat)));
        }
        if let Some(duns) = &identity.duns {
            shared.push(("same DUNS number".to_owned(), 60, index.by_duns(duns)));
        }
        if let Some(gln) = &identity.gln {
            shared.push(("same GLN".to_owned(), 60, index.by_gln(gln)));
        }
        for (written, account) in &identity.accounts {
            shared.push((format!("same {written}"), 50, index.by_account(account)));
        }
        Self { shared }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.shared.iter().flat_map(|(_, _, found)| found)
    }

    fn weigh(&self, supplier: &Supplier, weighed: &mut Weighed) {
        for (what, weight, found) in &self.shared {
            if found.contains(&supplier.number) {
                weighed.for_it(*weight, what.clone());
            }
        }
    }
}

/// What speaks for a candidate and against it.
#[derive(Default)]
struct Weighed {
    points: u32,
    doubt: u32,
    reasons: Vec<String>,
    doubts: Vec<String>,
}

impl Weighed {
    fn for_it(&mut self, points: u32, reason: impl Into<String>) {
        self.points += points;
        self.reasons.push(reason.into());
    }

    fn against_it(&mut self, points: u32, reason: impl Into<String>) {
        self.doubt += points;
        self.doubts.push(reason.into());
    }

    fn candidate(mut self, supplier: &Supplier) -> Candidate {
        self.reasons.extend(self.doubts.iter().map(|doubt| format!("but {doubt}")));
        Candidate {
            supplier: supplier.number.clone(),
            name: supplier.name.clone(),
            score: self.points.min(100).saturating_sub(self.doubt),
            reasons: self.reasons,
        }
    }
}

impl Likeness {
    fn weigh(self, weighed: &mut Weighed) {
        if let Some(reason) = self.reason() {
            weighed.for_it(self.score(), reason);
        }
    }
}

/// Alone, a place says nothing: thousands are in it.
fn weigh_address(vendor: &Vendor, supplier: &Supplier, weighed: &mut Weighed) {
    let empty = PostalAddress::default();
    let left = vendor.address.as_ref().unwrap_or(&empty);
    let right = supplier.address.as_ref().unwrap_or(&empty);
    let bare = |text: &Option<String>| {
        text.as_ref().map(|text| PartyName::read(text).joined).filter(|text| !text.is_empty())
    };
    let same = |left: &Option<String>, right: &Option<String>| {
        let (left, right) = (bare(left), bare(right));
        left.is_some() && left == right
    };
    if same(&left.street, &right.street) {
        weighed.for_it(5, "same street address");
    }
    if same(&left.postal_code, &right.postal_code) {
        weighed.for_it(10, "same postal code");
    } else if same(&left.city, &right.city) {
        weighed.for_it(5, "same city");
    }
}

/// What speaks against the two being one company, for whoever links them.
pub fn doubts(vendor: &Vendor, supplier: &Supplier) -> Vec<String> {
    let mut weighed = Weighed::default();
    weigh_doubts(&Identity::of_vendor(vendor), supplier, &mut weighed);
    if likeness(&names(vendor), supplier) == Likeness::None {
        weighed.against_it(0, "the names have nothing in common");
    }
    weighed.doubts
}

fn weigh_doubts(identity: &Identity, supplier: &Supplier, weighed: &mut Weighed) {
    let other = Identity::of_supplier(supplier);
    if let Some(why) = identity.contradiction(&other) {
        weighed.against_it(30, format!("it {why}"));
    }
    if identity.is_elsewhere(&other)
        && let Some(country) = &other.country
    {
        weighed.against_it(20, format!("it is in {country}"));
    }
    if !super::supplier::takes_documents(supplier) {
        weighed.against_it(5, format!("its status in Visma is {}", supplier.status));
    }
}
