//! Which of the ERP's suppliers a document's vendor is. A name never decides: where an identifier
//! that companies share in practice (DUNS, GLN, bank account) stands alone, the name can only say no.

use super::Tables;
use super::candidates::{Candidate, candidates_of, likeness, names, parent};
use super::party_name::{Likeness, PartyName};
use super::supplier_index::{Found, Identity, SupplierIndex};
use crate::procurement::{ReferenceData, Supplier, Vendor, VendorRef};
use std::collections::BTreeMap;

/// Why no supplier could be settled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupplierFault {
    Unknown {
        /// The vendor as the clerk knows it.
        vendor: String,
        /// Under which id a person can link it.
        link_by: Option<String>,
        /// What was looked for.
        tried: Vec<String>,
        /// Whom it could be, the best first.
        candidates: Vec<Candidate>,
    },
    /// A person linked the vendor to a number that the ERP does not have.
    LinkBroken {
        vendor: String,
        number: String,
    },
    Conflict {
        vendor: String,
        /// Each identifier with the suppliers it leads to.
        says: Vec<String>,
    },
    Ambiguous {
        vendor: String,
        by: String,
        suppliers: Vec<String>,
    },
    Blocked {
        number: String,
        name: String,
        status: String,
    },
}

/// What the resolution looks at, besides the document.
#[derive(Debug, Clone, Copy)]
pub struct Suppliers<'a> {
    pub tables: &'a Tables,
    pub vendors: &'a BTreeMap<String, Vendor>,
    pub reference: &'a ReferenceData,
    pub index: &'a SupplierIndex,
}

/// A supplier, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled<'a> {
    pub supplier: &'a Supplier,
    /// What decided, for people: `organisation number 988077917`.
    pub by: Vec<String>,
    /// Findings that stop nothing, one sentence each.
    pub remarks: Vec<String>,
}

/// An identifier of the vendor with the suppliers that have it.
struct Clue {
    text: String,
    found: Found,
    strength: Strength,
}

/// What an identifier proves on its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// Given to one company only.
    Decides,
    /// Meant for one company, but groups put their own on every daughter: the name must be nearly
    /// the same.
    Shared,
    /// Companies of a group and clients of a factoring bank share accounts: the name must be the same.
    Account,
}

/// The supplier of a document, if it takes documents.
pub fn resolve<'a>(
    named: &VendorRef,
    business_unit: Option<&str>,
    suppliers: Suppliers<'a>,
) -> Result<Settled<'a>, SupplierFault> {
    let mut settled = settle(named, business_unit, suppliers).map_err(|fault| {
        let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
        with_candidates(fault, named, vendor, suppliers)
    })?;
    if !takes_documents(settled.supplier) {
        return Err(SupplierFault::Blocked {
            number: settled.supplier.number.clone(),
            name: settled.supplier.name.clone(),
            status: settled.supplier.status.clone(),
        });
    }
    let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
    settled.remarks.extend(vendor.and_then(|of| other_parent(of, settled.supplier, suppliers)));
    Ok(settled)
}

/// A person's link decides; else every identifier is looked up, and none may contradict another.
/// Says nothing of the supplier's status.
pub(super) fn settle<'a>(
    named: &VendorRef,
    business_unit: Option<&str>,
    suppliers: Suppliers<'a>,
) -> Result<Settled<'a>, SupplierFault> {
    let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
    let shown = shown(named, vendor);
    let known = &suppliers.reference.suppliers;
    if let Some(number) = linked(named, suppliers.tables) {
        let supplier = known
            .get(number)
            .ok_or_else(|| SupplierFault::LinkBroken { vendor: shown, number: number.into() })?;
        return Ok(Settled { supplier, by: vec!["a person's link".into()], remarks: Vec::new() });
    }
    let identity = vendor.map(Identity::of_vendor).unwrap_or_default();
    let number = erp_number(named, vendor, business_unit);
    let mut clues = clues(number, &identity, suppliers);
    let mut tried: Vec<String> = clues.iter().map(|clue| clue.text.clone()).collect();
    tried.extend(identity.faults.iter().cloned());
    clues.retain(|clue| !clue.found.is_empty());
    let unknown = |tried| SupplierFault::Unknown {
        vendor: shown.clone(),
        link_by: link_key(named),
        tried,
        candidates: Vec::new(),
    };
    // An account that is somebody else's says where money goes, not who this is.
    let decides = clues.iter().any(|clue| clue.strength != Strength::Account);
    let (deciding, aside): (Vec<&Clue>, Vec<&Clue>) =
        clues.iter().partition(|clue| !decides || clue.strength != Strength::Account);
    let Some((first, rest)) = deciding.split_first() else { return Err(unknown(tried)) };
    let agreed: Found = rest.iter().fold(first.found.clone(), |agreed, clue| {
        agreed.intersection(&clue.found).cloned().collect()
    });
    let agreed: Vec<&Supplier> = agreed.iter().filter_map(|number| known.get(number)).collect();
    let mut remarks = Vec::new();
    let live: Vec<&Supplier> =
        agreed.iter().copied().filter(|of| of.status != "Inactive").collect();
    let supplier = match (agreed.as_slice(), live.as_slice()) {
        ([], _) => return Err(conflict(shown, &deciding)),
        ([only], _) => *only,
        // A record that was replaced keeps its numbers, and nothing can be posted on it.
        (_, [only]) if deciding.iter().any(|clue| clue.strength == Strength::Decides) => {
            let number = &only.number;
            let by = &first.text;
            remarks.push(format!("Of the suppliers with {by} only {number} is not inactive."));
            *only
        }
        (several, _) => {
            return Err(SupplierFault::Ambiguous {
                vendor: shown,
                by: first.text.clone(),
                suppliers: several
                    .iter()
                    .map(|of| format!("{} ({})", of.number, of.name))
                    .collect(),
            });
        }
    };
    let alike = vendor.map_or(Likeness::None, |vendor| likeness(&names(vendor), supplier));
    let other = Identity::of_supplier(supplier);
    let only_shared = deciding.iter().all(|clue| clue.strength != Strength::Decides);
    let why_not = identity.contradiction(&other).or_else(|| {
        let country = other.country.as_deref().filter(|_| identity.is_elsewhere(&other))?;
        only_shared.then(|| format!("is in {country}"))
    });
    if let Some(why_not) = why_not {
        let own = own_word(&identity);
        let mut says = found_by(&deciding);
        says.push(format!("{} {why_not}, the vendor{own}", supplier.number));
        return Err(SupplierFault::Conflict { vendor: shown, says });
    }
    let only_accounts = deciding.iter().all(|clue| clue.strength == Strength::Account);
    if (only_accounts && !is_same_name(alike)) || (only_shared && !is_nearly_same_name(alike)) {
        return Err(unknown(tried));
    }
    let elsewhere = aside.iter().filter(|clue| !clue.found.contains(&supplier.number));
    remarks.extend(elsewhere.map(|clue| {
        format!("The vendor's {} is that of supplier {} in Visma.", clue.text, or(&clue.found))
    }));
    let by_number_alone = number.is_some() && deciding.len() == 1 && !only_shared;
    if let Some(vendor) = vendor.filter(|_| by_number_alone && alike == Likeness::None)
        && first.text.starts_with(NUMBER)
        && !PartyName::read(&supplier.name).is_empty()
    {
        remarks.push(format!(
            "Only the supplier number says that {} is {} ({}).",
            vendor.name, supplier.number, supplier.name
        ));
    }
    let by = deciding.iter().map(|clue| clue.text.clone()).collect();
    Ok(Settled { supplier, by, remarks })
}

const NUMBER: &str = "supplier number";

fn clues(number: Option<&str>, identity: &Identity, suppliers: Suppliers<'_>) -> Vec<Clue> {
    let index = suppliers.index;
    let mut clues = Vec::new();
    let mut add = |text: String, found: Found, strength| {
        clues.push(Clue { text, found, strength });
    };
    if let Some(number) = number {
        let exists = suppliers.reference.suppliers.contains_key(number);
        let found = exists.then(|| number.to_owned()).into_iter().collect();
        add(format!("{NUMBER} {number}"), found, Strength::Decides);
    }
    for organisation in &identity.organisations {
        let text = format!("organisation number {}", organisation.number);
        add(text, index.by_organisation(organisation), Strength::Decides);
    }
    if let Some(vat) = &identity.vat {
        let country = vat.country.as_deref().unwrap_or_default();
        let text = format!("VAT number {country}{}", vat.number);
        add(text, index.by_vat(vat), Strength::Decides);
    }
    if let Some(duns) = &identity.duns {
        add(format!("DUNS number {duns}"), index.by_duns(duns), Strength::Shared);
    }
    if let Some(gln) = &identity.gln {
        add(format!("GLN {gln}"), index.by_gln(gln), Strength::Shared);
    }
    for (written, account) in &identity.accounts {
        add(written.clone(), index.by_account(account), Strength::Account);
    }
    clues
}

fn is_same_name(likeness: Likeness) -> bool {
    match likeness {
        Likeness::Same | Likeness::Reordered | Likeness::Spacing => true,
        Likeness::OtherForm
        | Likeness::Typo
        | Likeness::Part
        | Likeness::Some(_)
        | Likeness::None => false,
    }
}

/// Also with a slip of the pen, or after a change of the legal form.
fn is_nearly_same_name(likeness: Likeness) -> bool {
    match likeness {
        Likeness::Same
        | Likeness::Reordered
        | Likeness::Spacing
        | Likeness::OtherForm
        | Likeness::Typo => true,
        Likeness::Part | Likeness::Some(_) | Likeness::None => false,
    }
}

fn conflict(vendor: String, clues: &[&Clue]) -> SupplierFault {
    SupplierFault::Conflict { vendor, says: found_by(clues) }
}

fn found_by(clues: &[&Clue]) -> Vec<String> {
    clues.iter().map(|clue| format!("{} says {}", clue.text, or(&clue.found))).collect()
}

/// What the vendor has in place of what the supplier has.
fn own_word(identity: &Identity) -> String {
    match (identity.organisations.first(), &identity.vat, &identity.country) {
        (Some(organisation), _, _) => format!(" {}", organisation.number),
        (None, Some(vat), _) => {
            format!(" {}{}", vat.country.as_deref().unwrap_or_default(), vat.number)
        }
        (None, None, Some(country)) => format!(" in {country}"),
        (None, None, None) => String::new(),
    }
}

fn with_candidates(
    fault: SupplierFault,
    named: &VendorRef,
    vendor: Option<&Vendor>,
    suppliers: Suppliers<'_>,
) -> SupplierFault {
    let SupplierFault::Unknown { vendor: shown, link_by, tried, .. } = fault else { return fault };
    let candidates = candidates_of(named, vendor, suppliers);
    SupplierFault::Unknown { vendor: shown, link_by, tried, candidates }
}

/// The supplier belongs to another than the vendor does: a sentence, if so.
fn other_parent(vendor: &Vendor, supplier: &Supplier, suppliers: Suppliers<'_>) -> Option<String> {
    let theirs = supplier.parent.as_deref()?;
    let (ours, shown) = parent(vendor, suppliers)?;
    (ours.number != theirs && ours.number != supplier.number).then(|| {
        format!(
            "The vendor belongs to {shown}, which is supplier {}; in Visma {} belongs to {theirs}.",
            ours.number, supplier.number
        )
    })
}

fn linked<'a>(named: &VendorRef, tables: &'a Tables) -> Option<&'a str> {
    [&named.source_id, &named.erp_number]
        .into_iter()
        .flatten()
        .find_map(|key| tables.suppliers.get(key))
        .map(String::as_str)
}

pub(super) fn link_key(named: &VendorRef) -> Option<String> {
    named.source_id.clone().or_else(|| named.erp_number.clone())
}

/// The vendor master's number for the business unit is the most exact; then what the document
/// itself says; then the vendor master's own. A number that the master has for other units only is
/// not this unit's.
fn erp_number<'a>(
    named: &'a VendorRef,
    vendor: Option<&'a Vendor>,
    business_unit: Option<&str>,
) -> Option<&'a str> {
    let for_unit = vendor.zip(business_unit).and_then(|(vendor, unit)| {
        vendor.erp_number_by_business_unit.get(unit).map(String::as_str)
    });
    let own = vendor.and_then(|vendor| vendor.erp_number.as_deref()).map(str::trim);
    let is_of_another_unit = |number: &str| {
        let mut units = vendor.iter().flat_map(|vendor| &vendor.erp_number_by_business_unit);
        business_unit.is_some()
            && own != Some(number)
            && units.any(|(_, of_unit)| of_unit.trim() == number)
    };
    let on_document = named
        .erp_number
        .as_deref()
        .map(str::trim)
        .filter(|number| for_unit.is_some() || !is_of_another_unit(number));
    for_unit.map(str::trim).or(on_document).or(own).filter(|number| !number.is_empty())
}

/// HoldPayments stops the payment, not the posting.
pub(super) fn takes_documents(supplier: &Supplier) -> bool {
    matches!(supplier.status.as_str(), "Active" | "HoldPayments" | "OneTime")
}

pub(super) fn shown(named: &VendorRef, vendor: Option<&Vendor>) -> String {
    let name = named.name.as_deref().or(vendor.map(|vendor| vendor.name.as_str()));
    match (named.source_id.as_deref().or(named.erp_number.as_deref()), name) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(id), None) => id.into(),
        (None, Some(name)) => name.into(),
        (None, None) => "without a number".into(),
    }
}

fn or(numbers: &Found) -> String {
    numbers.iter().map(String::as_str).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests;
