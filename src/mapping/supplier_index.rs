use super::identifier::{
    OrganisationNumber, VatNumber, duns, gln, knows_country, organisation_number, vat_number,
};
use super::name_index::NameIndex;
use crate::procurement::{BankAccount, BankAccountKey, ReferenceData, Supplier, Vendor};
use std::collections::{BTreeMap, BTreeSet};

/// The ERP's suppliers by their identifiers and by the words of their names. Built once for each
/// version of the reference data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SupplierIndex {
    /// By bare number; the country is compared where both sides know theirs.
    by_organisation: BTreeMap<String, Vec<Entry>>,
    by_vat: BTreeMap<String, Vec<Entry>>,
    by_duns: BTreeMap<String, Found>,
    by_gln: BTreeMap<String, Found>,
    by_account: BTreeMap<String, Vec<(BankAccountKey, String)>>,
    pub(super) names: NameIndex,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    country: Option<String>,
    supplier: String,
}

impl SupplierIndex {
    /// Identifiers with a wrong check digit are left out: they could be somebody else's.
    pub fn new(reference: &ReferenceData) -> Self {
        let mut index = Self { names: NameIndex::new(&reference.suppliers), ..Self::default() };
        for (key, supplier) in &reference.suppliers {
            let identity = Identity::of_supplier(supplier);
            for organisation in identity.organisations {
                let entry = Entry { country: organisation.country, supplier: key.clone() };
                index.by_organisation.entry(organisation.number).or_default().push(entry);
            }
            if let Some(vat) = identity.vat {
                let entry = Entry { country: vat.country, supplier: key.clone() };
                index.by_vat.entry(vat.number).or_default().push(entry);
            }
            if let Some(duns) = identity.duns {
                index.by_duns.entry(duns).or_default().insert(key.clone());
            }
            if let Some(gln) = identity.gln {
                index.by_gln.entry(gln).or_default().insert(key.clone());
            }
            for (_, account) in identity.accounts {
                let same = index.by_account.entry(account.number.clone()).or_default();
                same.push((account, key.clone()));
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

    pub(super) fn by_duns(&self, duns: &str) -> Found {
        self.by_duns.get(duns).cloned().unwrap_or_default()
    }

    pub(super) fn by_gln(&self, gln: &str) -> Found {
        self.by_gln.get(gln).cloned().unwrap_or_default()
    }

    /// Where neither side's number carries a check, equal digits are not taken for one account.
    pub(super) fn by_account(&self, account: &BankAccountKey) -> Found {
        self.by_account
            .get(&account.number)
            .into_iter()
            .flatten()
            .filter(|(known, _)| known.same_as(account) && (known.checked || account.checked))
            .map(|(_, supplier)| supplier.clone())
            .collect()
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

/// What a party's identifiers say about it.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// From the organisation number, and from the VAT number where that contains it.
    pub organisations: BTreeSet<OrganisationNumber>,
    pub vat: Option<VatNumber>,
    pub duns: Option<String>,
    pub gln: Option<String>,
    /// As people write it, and as it is compared.
    pub accounts: Vec<(String, BankAccountKey)>,
    /// Upper case.
    pub country: Option<String>,
    /// Identifiers that could not be used, with the reason.
    pub faults: Vec<String>,
}

impl Identity {
    pub fn of_vendor(vendor: &Vendor) -> Self {
        let mut identity = Self::read(
            vendor.organisation_number.as_deref(),
            vendor.vat_number.as_deref(),
            vendor.country.as_deref(),
        );
        identity.duns = identity.usable("DUNS number", vendor.duns.as_deref(), duns);
        identity.gln = identity.usable("GLN", vendor.gln.as_deref(), gln);
        identity.take_accounts(&vendor.bank_accounts);
        identity
    }

    pub fn of_supplier(supplier: &Supplier) -> Self {
        let mut identity = Self::read(
            supplier.organisation_number.as_deref(),
            supplier.vat_number.as_deref(),
            supplier.country.as_deref(),
        );
        identity.duns = identity.usable("DUNS number", supplier.duns.as_deref(), duns);
        identity.gln = identity.usable("GLN", supplier.gln.as_deref(), gln);
        identity.take_accounts(&supplier.bank_accounts);
        identity
    }

    fn read(organisation: Option<&str>, vat: Option<&str>, country: Option<&str>) -> Self {
        let mut identity = Self {
            country: country.map(|code| code.trim().to_ascii_uppercase()).filter(|c| !c.is_empty()),
            ..Self::default()
        };
        let of = |raw: &str| organisation_number(raw, country);
        let number = identity.usable("organisation number", organisation, of);
        identity.organisations.extend(number);
        identity.vat = identity.usable("VAT number", vat, |raw| vat_number(raw, country));
        let contained = identity.vat.as_ref().and_then(VatNumber::organisation);
        identity.organisations.extend(contained);
        identity
    }

    fn usable<T, E: std::fmt::Display>(
        &mut self,
        what: &str,
        raw: Option<&str>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = raw.filter(|raw| !raw.trim().is_empty())?;
        match read(raw) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.faults.push(format!("{what}: {fault}"));
                None
            }
        }
    }

    fn take_accounts(&mut self, accounts: &[BankAccount]) {
        for account in accounts {
            // A number that can be no account is left to the check of payment details.
            if account.fault(None).is_none()
                && let Some(key) = account.key(self.country.as_deref())
            {
                self.accounts.push((account.to_string(), key));
            }
        }
    }

    /// Why the two cannot be one company, as the end of a sentence about the other: both have an
    /// organisation number of one country, or else a VAT number, and none is the same.
    pub fn contradiction(&self, other: &Self) -> Option<String> {
        let mut comparable = false;
        let mut differing = None;
        for left in &self.organisations {
            for right in &other.organisations {
                let same_country = left.country.is_some() && left.country == right.country;
                if same_country && left.country.as_deref().is_some_and(knows_country) {
                    if left.number == right.number {
                        return None;
                    }
                    comparable = true;
                    differing = Some(format!("has organisation number {}", right.number));
                }
            }
        }
        if comparable {
            return differing;
        }
        let (left, right) = (self.vat.as_ref()?, other.vat.as_ref()?);
        let country = right.country.as_deref()?;
        (left.country.as_deref() == Some(country) && left.number != right.number)
            .then(|| format!("has VAT number {country}{}", right.number))
    }

    /// Both say a country, and not the same.
    pub fn is_elsewhere(&self, other: &Self) -> bool {
        matches!((&self.country, &other.country), (Some(left), Some(right)) if left != right)
    }
}
