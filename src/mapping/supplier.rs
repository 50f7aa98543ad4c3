//! Which of the ERP's suppliers a document's vendor is. A name never decides: where an identifier
//! that companies may share (DUNS, GLN, bank account) stands alone, the name can only say no.

use super::Tables;
use super::candidates::{Candidate, candidates, likeness, names, parent};
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
    /// Groups use one for several companies: the names must have something in common.
    Shared,
    /// The same name is needed: companies of a group and clients of a factoring bank share accounts.
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
    if (only_accounts && !is_same_name(alike)) || (only_shared && alike == Likeness::None) {
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
    // A document can name a vendor that the master does not have: its name is all there is.
    let from_document = Vendor {
        source_id: named.source_id.clone().unwrap_or_default(),
        name: named.name.clone().unwrap_or_default(),
        ..Vendor::default()
    };
    let candidates = candidates(vendor.unwrap_or(&from_document), suppliers);
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

fn link_key(named: &VendorRef) -> Option<String> {
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
mod tests {
    use super::*;
    use crate::procurement::{BankAccount, BankAccountKind};

    fn supplier(number: &str, organisation: &str, vat: &str, country: &str) -> Supplier {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Supplier {
            number: number.into(),
            name: format!("Supplier {number}"),
            status: "Active".into(),
            organisation_number: some(organisation),
            vat_number: some(vat),
            country: some(country),
            ..Supplier::default()
        }
    }

    fn reference() -> ReferenceData {
        let mut suppliers: Vec<Supplier> = vec![
            supplier("50001", "988 077 917", "", "NO"),
            supplier("50002", "", "NO123456785MVA", "NO"),
            supplier("50003", "13585628", "", "DK"),
            supplier("50004", "123456-7897", "SE123456789701", "SE"),
            supplier("50005", "974760673", "", "NO"),
            supplier("50006", "974760673", "", "NO"),
            supplier("50007", "", "DE136695976", "DE"),
            supplier("50008", "2077474-0", "", ""),
            supplier("50009", "995525828", "", "NO"),
        ];
        suppliers[8].status = "OnHold".into();
        let suppliers = suppliers.into_iter().map(|s| (s.number.clone(), s)).collect();
        ReferenceData { suppliers, ..ReferenceData::default() }
    }

    struct Case {
        about: &'static str,
        document_number: &'static str,
        master_number: &'static str,
        unit_number: &'static str,
        organisation: &'static str,
        vat: &'static str,
        country: &'static str,
        expected: &'static str,
    }

    const EMPTY: Case = Case {
        about: "nothing to go by",
        document_number: "",
        master_number: "",
        unit_number: "",
        organisation: "",
        vat: "",
        country: "NO",
        expected: "unknown",
    };

    #[test]
    fn every_way_to_a_supplier() {
        let cases = [
            EMPTY,
            Case {
                about: "number on document",
                document_number: "50001",
                expected: "50001",
                ..EMPTY
            },
            Case { about: "number on master", master_number: "50002", expected: "50002", ..EMPTY },
            Case {
                about: "number for the business unit first",
                unit_number: "50001",
                document_number: "50002",
                master_number: "50002",
                expected: "50001",
                ..EMPTY
            },
            Case {
                about: "a number that the ERP lacks does not stop the others",
                document_number: "99999",
                organisation: "988077917",
                expected: "50001",
                ..EMPTY
            },
            Case { about: "org", organisation: "988077917", expected: "50001", ..EMPTY },
            Case { about: "org in VAT", vat: "NO988077917MVA", expected: "50001", ..EMPTY },
            Case {
                about: "VAT holds org",
                organisation: "123 456 785",
                expected: "50002",
                ..EMPTY
            },
            Case {
                about: "SE",
                vat: "SE 123456-7897 01",
                country: "SE",
                expected: "50004",
                ..EMPTY
            },
            Case {
                about: "foreign VAT",
                vat: "DE136695976",
                country: "DE",
                expected: "50007",
                ..EMPTY
            },
            Case {
                about: "same digits in another country are another party",
                organisation: "988077917",
                country: "DE",
                expected: "unknown",
                ..EMPTY
            },
            Case {
                about: "the ERP does not say the country",
                organisation: "2077474-0",
                country: "FI",
                expected: "50008",
                ..EMPTY
            },
            Case {
                about: "wrong check digit is not used",
                organisation: "988077918",
                expected: "unknown",
                ..EMPTY
            },
            Case {
                about: "two share it",
                organisation: "974760673",
                expected: "ambiguous",
                ..EMPTY
            },
            Case {
                about: "the number tells the two apart",
                organisation: "974760673",
                document_number: "50006",
                expected: "50006",
                ..EMPTY
            },
            Case {
                about: "number and org contradict",
                organisation: "988077917",
                document_number: "50003",
                expected: "conflict",
                ..EMPTY
            },
            Case {
                about: "org and VAT contradict",
                organisation: "988077917",
                vat: "NO123456785MVA",
                expected: "conflict",
                ..EMPTY
            },
            Case { about: "blocked", organisation: "995525828", expected: "blocked", ..EMPTY },
        ];
        let reference = reference();
        let index = SupplierIndex::new(&reference);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for case in cases {
            let mut vendor = Vendor {
                source_id: "V1".into(),
                // The name of another supplier must not matter.
                name: "Supplier 50005".into(),
                erp_number: some(case.master_number),
                organisation_number: some(case.organisation),
                vat_number: some(case.vat),
                country: some(case.country),
                ..Vendor::default()
            };
            if let Some(number) = some(case.unit_number) {
                vendor.erp_number_by_business_unit.insert("UNIT".into(), number);
            }
            let vendors = BTreeMap::from([("V1".to_owned(), vendor)]);
            let named = VendorRef {
                source_id: Some("V1".into()),
                erp_number: some(case.document_number),
                name: None,
            };
            let suppliers = Suppliers {
                tables: &Tables::default(),
                vendors: &vendors,
                reference: &reference,
                index: &index,
            };
            let outcome = match resolve(&named, Some("UNIT"), suppliers) {
                Ok(settled) => settled.supplier.number.as_str(),
                Err(SupplierFault::Unknown { .. }) => "unknown",
                Err(SupplierFault::LinkBroken { .. }) => "link broken",
                Err(SupplierFault::Conflict { .. }) => "conflict",
                Err(SupplierFault::Ambiguous { .. }) => "ambiguous",
                Err(SupplierFault::Blocked { .. }) => "blocked",
            };
            assert_eq!(outcome, case.expected, "{}", case.about);
        }
    }

    #[test]
    fn a_persons_link_beats_every_identifier() {
        let reference = reference();
        let index = SupplierIndex::new(&reference);
        let vendors = BTreeMap::new();
        let mut tables = Tables::default();
        tables.suppliers.insert("V1".into(), "50003".into());
        tables.suppliers.insert("OLD".into(), "60000".into());
        let resolve_with = |id: &str, number: Option<&str>| {
            let named = VendorRef {
                source_id: Some(id.into()),
                erp_number: number.map(str::to_owned),
                name: None,
            };
            let suppliers = Suppliers {
                tables: &tables,
                vendors: &vendors,
                reference: &reference,
                index: &index,
            };
            resolve(&named, None, suppliers).map(|settled| settled.supplier.number.clone())
        };
        assert_eq!(resolve_with("V1", Some("50001")), Ok("50003".into()));
        assert!(matches!(
            resolve_with("V2", Some("OLD")),
            Err(SupplierFault::LinkBroken { number, .. }) if number == "60000"
        ));
    }

    fn party(number: &str, name: &str) -> Supplier {
        Supplier {
            number: number.into(),
            name: name.into(),
            status: "Active".into(),
            country: Some("NO".into()),
            ..Supplier::default()
        }
    }

    fn vendor(id: &str, name: &str) -> Vendor {
        Vendor {
            source_id: id.into(),
            name: name.into(),
            active: true,
            country: Some("NO".into()),
            ..Vendor::default()
        }
    }

    fn iban(number: &str) -> Vec<BankAccount> {
        vec![BankAccount { kind: BankAccountKind::Iban, number: number.into() }]
    }

    /// The supplier and remarks, or the fault's name, of the vendor `V1` among these.
    fn outcome(vendors: Vec<Vendor>, suppliers: Vec<Supplier>) -> (String, Vec<String>) {
        let vendors = vendors.into_iter().map(|of| (of.source_id.clone(), of)).collect();
        let suppliers = suppliers.into_iter().map(|of| (of.number.clone(), of)).collect();
        let reference = ReferenceData { suppliers, ..ReferenceData::default() };
        let index = SupplierIndex::new(&reference);
        let named = VendorRef { source_id: Some("V1".into()), ..VendorRef::default() };
        let tables = Tables::default();
        let suppliers =
            Suppliers { tables: &tables, vendors: &vendors, reference: &reference, index: &index };
        match resolve(&named, None, suppliers) {
            Ok(settled) => (settled.supplier.number.clone(), settled.remarks),
            Err(SupplierFault::Unknown { candidates, .. }) => {
                let shown = |of: Candidate| format!("{}: {}", of.supplier, of.reasons.join(", "));
                ("unknown".into(), candidates.into_iter().map(shown).collect())
            }
            Err(SupplierFault::LinkBroken { .. }) => ("link broken".into(), vec![]),
            Err(SupplierFault::Conflict { says, .. }) => ("conflict".into(), says),
            Err(SupplierFault::Ambiguous { suppliers, .. }) => ("ambiguous".into(), suppliers),
            Err(SupplierFault::Blocked { .. }) => ("blocked".into(), vec![]),
        }
    }

    const ACCOUNT: &str = "NO9386011117947";

    #[test]
    fn an_account_decides_only_for_the_same_name() {
        let with_account = |supplier: Supplier| Supplier {
            bank_accounts: vec![BankAccount {
                kind: BankAccountKind::Bban,
                number: "8601.11.17947".into(),
            }],
            ..supplier
        };
        let one = |name: &str| {
            let seller = Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", name) };
            outcome(vec![seller], vec![with_account(party("1", "Fjord Kontor AS"))]).0
        };
        assert_eq!(one("Fjord Kontor A/S"), "1");
        assert_eq!(one("Kontor, Fjord"), "1");
        // Another company of the group, and a client of the same factoring bank.
        for name in ["Fjord Kontor Vest AS", "Fjord Kontor ASA", "Fjord Kontro AS", "Hansen AS"] {
            assert_eq!(one(name), "unknown", "{name}");
        }
        let by_account =
            outcome(vec![Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", "Hansen AS") }], {
                vec![with_account(party("1", "Fjord Kontor AS"))]
            });
        assert_eq!(by_account.1, ["1: same IBAN NO9386011117947"]);
        let shared = vec![
            with_account(party("1", "Fjord Kontor AS")),
            with_account(party("2", "Fjord Kontor Vest AS")),
        ];
        let seller = Vendor { bank_accounts: iban(ACCOUNT), ..vendor("V1", "Fjord Kontor AS") };
        assert_eq!(outcome(vec![seller], shared).0, "ambiguous");
    }

    #[test]
    fn another_organisation_number_stops_whatever_else_agrees() {
        let seller = Vendor {
            organisation_number: Some("988077917".into()),
            bank_accounts: iban(ACCOUNT),
            duns: Some("345678901".into()),
            erp_number: Some("1".into()),
            ..vendor("V1", "Fjord Kontor AS")
        };
        let known = Supplier {
            organisation_number: Some("974760673".into()),
            bank_accounts: iban(ACCOUNT),
            duns: Some("345678901".into()),
            ..party("1", "Fjord Kontor AS")
        };
        let ways: [fn(&mut Vendor); 3] = [
            |of| (of.bank_accounts, of.duns) = (vec![], None),
            |of| (of.erp_number, of.duns) = (None, None),
            |of| (of.erp_number, of.bank_accounts) = (None, vec![]),
        ];
        for change in ways {
            let mut seller = seller.clone();
            change(&mut seller);
            let (outcome, says) = outcome(vec![seller], vec![known.clone()]);
            assert_eq!(outcome, "conflict");
            let last = "1 has organisation number 974760673, the vendor 988077917";
            assert_eq!(says.last().map(String::as_str), Some(last));
        }
        // A number of another country says nothing against it.
        let abroad = Supplier { country: Some("SE".into()), ..known.clone() };
        let abroad = Supplier { organisation_number: Some("123456-7897".into()), ..abroad };
        let by_number = Vendor { bank_accounts: vec![], duns: None, ..seller.clone() };
        assert_eq!(outcome(vec![by_number], vec![abroad.clone()]).0, "1");
        // But what groups share says nothing across a border.
        let by_duns = Vendor { bank_accounts: vec![], erp_number: None, ..seller };
        let (outcome, says) = outcome(vec![by_duns], vec![abroad]);
        assert_eq!(outcome, "conflict");
        assert_eq!(says.last().map(String::as_str), Some("1 is in SE, the vendor 988077917"));
    }

    #[test]
    fn duns_and_gln_decide_unless_the_names_have_nothing_in_common() {
        let known = |change: fn(&mut Supplier)| {
            let mut known = party("1", "Fjord Kontor AS");
            change(&mut known);
            known
        };
        let seller = |name: &str, change: fn(&mut Vendor)| {
            let mut seller = vendor("V1", name);
            change(&mut seller);
            seller
        };
        let duns = known(|of| of.duns = Some("34-567-8901".into()));
        let gln = known(|of| of.gln = Some("7300010000001".into()));
        let by_duns = |name| seller(name, |of| of.duns = Some("345678901".into()));
        let by_gln = |name| seller(name, |of| of.gln = Some("7300010000001".into()));
        assert_eq!(outcome(vec![by_duns("Fjord Kontor Norge")], vec![duns.clone()]).0, "1");
        assert_eq!(outcome(vec![by_gln("Fjord Kontor Norge")], vec![gln.clone()]).0, "1");
        assert_eq!(outcome(vec![by_duns("Hansen")], vec![duns.clone()]).0, "unknown");
        assert_eq!(outcome(vec![by_gln("Hansen")], vec![gln]).0, "unknown");
        let both = seller("Hansen", |of| {
            of.duns = Some("345678901".into());
            of.other_names = vec!["Fjord Kontor".into()];
        });
        assert_eq!(outcome(vec![both], vec![duns]).0, "1", "another name of it");
    }

    #[test]
    fn an_account_that_is_another_suppliers_is_told() {
        let seller = Vendor {
            organisation_number: Some("988077917".into()),
            bank_accounts: iban(ACCOUNT),
            ..vendor("V1", "Fjord Kontor AS")
        };
        let own = Supplier {
            organisation_number: Some("988077917".into()),
            ..party("1", "Fjord Kontor AS")
        };
        let other = Supplier { bank_accounts: iban(ACCOUNT), ..party("2", "Bank Factoring AS") };
        let (outcome, remarks) = outcome(vec![seller], vec![own, other]);
        assert_eq!(outcome, "1");
        let remark = "The vendor's IBAN NO9386011117947 is that of supplier 2 in Visma.";
        assert_eq!(remarks, [remark]);
    }

    #[test]
    fn a_replaced_record_does_not_stop_the_one_in_use() {
        let seller =
            Vendor { organisation_number: Some("988077917".into()), ..vendor("V1", "Fjord AS") };
        let with = |number: &str, status: &str| Supplier {
            organisation_number: Some("988077917".into()),
            status: status.into(),
            ..party(number, "Fjord AS")
        };
        let two = |left: &str, right: &str| {
            outcome(vec![seller.clone()], vec![with("1", left), with("2", right)]).0
        };
        assert_eq!(two("Inactive", "Active"), "2");
        assert_eq!(two("Inactive", "OnHold"), "blocked");
        assert_eq!(two("OnHold", "Active"), "ambiguous");
        assert_eq!(two("Inactive", "Inactive"), "ambiguous");
    }

    #[test]
    fn a_parent_suggests_and_never_decides() {
        let branch = Vendor { parent: Some("V0".into()), ..vendor("V1", "Avdeling Vest") };
        let head =
            Vendor { organisation_number: Some("988077917".into()), ..vendor("V0", "Fjord") };
        let known =
            Supplier { organisation_number: Some("988077917".into()), ..party("1", "Fjord AS") };
        let (fault, suggested) = outcome(vec![branch, head.clone()], vec![known.clone()]);
        assert_eq!(fault, "unknown");
        assert_eq!(suggested, ["1: it is its parent V0 (Fjord)"]);

        let branch = Vendor {
            parent: Some("V0".into()),
            organisation_number: Some("974760673".into()),
            ..vendor("V1", "Avdeling Vest")
        };
        let own = |parent: &str| Supplier {
            organisation_number: Some("974760673".into()),
            parent: Some(parent.into()),
            ..party("2", "Avdeling Vest")
        };
        let vendors = || vec![branch.clone(), head.clone()];
        assert_eq!(outcome(vendors(), vec![known.clone(), own("1")]), ("2".into(), vec![]));
        let remark =
            "The vendor belongs to V0 (Fjord), which is supplier 1; in Visma 2 belongs to 3.";
        assert_eq!(outcome(vendors(), vec![known, own("3")]), ("2".into(), vec![remark.into()]));
    }

    #[test]
    fn a_number_alone_that_leads_to_a_stranger_is_told() {
        let seller = Vendor { erp_number: Some("1".into()), ..vendor("V1", "Hansen Transport AS") };
        let (found, remarks) = outcome(vec![seller], vec![party("1", "Fjord Kontor AS")]);
        assert_eq!(found, "1");
        let remark =
            "Only the supplier number says that Hansen Transport AS is 1 (Fjord Kontor AS).";
        assert_eq!(remarks, [remark]);
    }

    #[test]
    fn a_number_of_another_business_unit_is_not_used() {
        let mut seller = vendor("V1", "Fjord Kontor AS");
        seller.erp_number_by_business_unit.insert("SE".into(), "70012".into());
        let named = VendorRef { erp_number: Some("70012 ".into()), ..VendorRef::default() };
        assert_eq!(erp_number(&named, Some(&seller), Some("SE")), Some("70012"));
        assert_eq!(erp_number(&named, Some(&seller), Some("NO")), None);
        assert_eq!(erp_number(&named, Some(&seller), None), Some("70012"));
        seller.erp_number = Some("70012".into());
        assert_eq!(erp_number(&named, Some(&seller), Some("NO")), Some("70012"));
        seller.erp_number = Some("50012".into());
        assert_eq!(erp_number(&named, Some(&seller), Some("NO")), Some("50012"));
        assert_eq!(erp_number(&named, None, Some("NO")), Some("70012"));
    }

    #[test]
    fn suggestions_name_every_vendor_that_leads_nowhere() {
        let mut by_unit = vendor("V2", "Kun Sverige AB");
        by_unit.erp_number_by_business_unit.insert("SE".into(), "2".into());
        let vendors: BTreeMap<String, Vendor> = [
            vendor("V1", "Fjord Kontr AS"),
            by_unit,
            Vendor { erp_number: Some("1".into()), ..vendor("V3", "Fjord Kontor AS") },
            vendor("V4", "Ukjent AS"),
        ]
        .into_iter()
        .map(|of| (of.source_id.clone(), of))
        .collect();
        let suppliers: BTreeMap<String, Supplier> =
            [party("1", "Fjord Kontor AS"), party("2", "Sverige AB")]
                .into_iter()
                .map(|of| (of.number.clone(), of))
                .collect();
        let reference = ReferenceData { suppliers, ..ReferenceData::default() };
        let index = SupplierIndex::new(&reference);
        let tables = Tables::default();
        let found = super::super::suggest(Suppliers {
            tables: &tables,
            vendors: &vendors,
            reference: &reference,
            index: &index,
        });
        let shown: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|of| (of.vendor.as_str(), of.candidates.iter().map(|c| &*c.supplier).collect()))
            .collect();
        assert_eq!(shown, [("V1", vec!["1"]), ("V4", vec![])]);
        assert_eq!(found[0].candidates[0].reasons, ["same name but for one letter"]);
    }
}
