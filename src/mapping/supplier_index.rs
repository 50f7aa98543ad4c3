use super::identifier::{OrganisationNumber, VatNumber, organisation_number, vat_number};
use crate::procurement::ReferenceData;
use std::collections::{BTreeMap, BTreeSet};

/// The ERP's suppliers by their identifiers. Built once for each version of the reference data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SupplierIndex {
    /// By bare number; the country is compared where both sides know theirs.
    by_organisation: BTreeMap<String, Vec<Entry>>,
    by_vat: BTreeMap<String, Vec<Entry>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    country: Option<String>,
    supplier: String,
}

impl SupplierIndex {
    /// Identifiers with a wrong check digit are left out: they could be somebody else's.
    pub fn new(reference: &ReferenceData) -> Self {
        let mut index = Self::default();
        for (key, supplier) in &reference.suppliers {
            let identity = Identity::read(
                supplier.organisation_number.as_deref(),
                supplier.vat_number.as_deref(),
                supplier.country.as_deref(),
            );
            for organisation in identity.organisations {
                let entry = Entry { country: organisation.country, supplier: key.clone() };
                index.by_organisation.entry(organisation.number).or_default().push(entry);
            }
            if let Some(vat) = identity.vat {
                let entry = Entry { country: vat.country, supplier: key.clone() };
                index.by_vat.entry(vat.number).or_default().push(entry);
            }
        }
        index
    }

    pub(super) fn by_organisation(&self, of: &OrganisationNumber) -> Found {
        find(&self.by_organisation, &of.number, of.country.as_deref())
    }

    pub(super) fn by_vat(&self, of: &VatNumber) -> Found {
        find(&self.by_vat, &of.number, of.country.as_deref())
    }
}

fn find(of: &BTreeMap<String, Vec<Entry>>, number: &str, country: Option<&str>) -> Found {
    let same_country = |entry: &&Entry| match (entry.country.as_deref(), country) {
        (Some(left), Some(right)) => left == right,
        (None, _) | (_, None) => true,
    };
    of.get(number)
        .into_iter()
        .flatten()
        .filter(same_country)
        .map(|entry| entry.supplier.clone())
        .collect()
}

/// Supplier numbers.
pub(super) type Found = BTreeSet<String>;

/// What a party's two identifiers say about it.
#[derive(Default)]
pub(super) struct Identity {
    /// From the organisation number, and from the VAT number where that contains it.
    pub organisations: BTreeSet<OrganisationNumber>,
    pub vat: Option<VatNumber>,
    /// Identifiers that could not be used, with the reason.
    pub faults: Vec<String>,
}

impl Identity {
    pub fn read(organisation: Option<&str>, vat: Option<&str>, country: Option<&str>) -> Self {
        let mut identity = Self::default();
        if let Some(raw) = organisation.filter(|raw| !raw.trim().is_empty()) {
            match organisation_number(raw, country) {
                Ok(number) => {
                    identity.organisations.insert(number);
                }
                Err(fault) => identity.faults.push(format!("organisation number: {fault}")),
            }
        }
        if let Some(raw) = vat.filter(|raw| !raw.trim().is_empty()) {
            match vat_number(raw, country) {
                Ok(number) => {
                    identity.organisations.extend(number.organisation());
                    identity.vat = Some(number);
                }
                Err(fault) => identity.faults.push(format!("VAT number: {fault}")),
            }
        }
        identity
    }
}
