//! Which of the ERP's suppliers a document's vendor is. A name never decides.

use super::Tables;
use super::supplier_index::{Found, Identity, SupplierIndex};
use crate::procurement::{ReferenceData, Supplier, Vendor, VendorRef};
use std::collections::BTreeMap;

/// Why no supplier could be settled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupplierFault {
    Unknown {
        /// The vendor as the clerk knows it.
        vendor: String,
        /// What was looked for.
        tried: Vec<String>,
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

/// Settles the supplier: a person's link, else the ERP number, the organisation number and the
/// VAT number, which must not contradict each other.
pub fn resolve<'a>(
    named: &VendorRef,
    business_unit: Option<&str>,
    suppliers: Suppliers<'a>,
) -> Result<&'a Supplier, SupplierFault> {
    let vendor = named.source_id.as_deref().and_then(|id| suppliers.vendors.get(id));
    let shown = shown(named, vendor);
    if let Some(number) = linked(named, suppliers.tables) {
        let supplier = suppliers
            .reference
            .suppliers
            .get(number)
            .ok_or_else(|| SupplierFault::LinkBroken { vendor: shown, number: number.into() })?;
        return usable(supplier);
    }

    let number = erp_number(named, vendor, business_unit);
    let by_number = number.filter(|number| suppliers.reference.suppliers.contains_key(*number));
    let identity = vendor.map_or_else(Identity::default, |vendor| {
        Identity::read(
            vendor.organisation_number.as_deref(),
            vendor.vat_number.as_deref(),
            vendor.country.as_deref(),
        )
    });
    let mut clues: Vec<(String, Found)> = Vec::new();
    for organisation in &identity.organisations {
        let found = suppliers.index.by_organisation(organisation);
        clues.push((format!("organisation number {}", organisation.number), found));
    }
    if let Some(vat) = &identity.vat {
        let found = suppliers.index.by_vat(vat);
        let country = vat.country.as_deref().unwrap_or_default();
        clues.push((format!("VAT number {country}{}", vat.number), found));
    }

    let mut tried: Vec<String> =
        number.map(|n| format!("supplier number {n}")).into_iter().collect();
    tried.extend(clues.iter().map(|(clue, _)| clue.clone()));
    tried.extend(identity.faults);
    clues.retain(|(_, found)| !found.is_empty());
    if let Some(number) = by_number {
        clues.insert(0, (format!("supplier number {number}"), Found::from([number.to_owned()])));
    }
    let Some((first, rest)) = clues.split_first() else {
        return Err(SupplierFault::Unknown { vendor: shown, tried });
    };
    let agreed = rest
        .iter()
        .fold(first.1.clone(), |agreed, (_, found)| agreed.intersection(found).cloned().collect());
    let mut agreed_on = agreed.iter();
    match (agreed_on.next(), agreed_on.next()) {
        (None, _) => {
            let says = clues
                .iter()
                .map(|(clue, found)| format!("{clue} says {}", join(found.iter(), " or ")))
                .collect();
            Err(SupplierFault::Conflict { vendor: shown, says })
        }
        (Some(only), None) => usable(
            suppliers
                .reference
                .suppliers
                .get(only)
                .ok_or(SupplierFault::Unknown { vendor: shown, tried })?,
        ),
        (Some(_), Some(_)) => Err(SupplierFault::Ambiguous {
            vendor: shown,
            by: first.0.clone(),
            suppliers: agreed
                .iter()
                .map(|number| {
                    let name = suppliers.reference.suppliers.get(number).map(|s| s.name.as_str());
                    format!("{number} ({})", name.unwrap_or_default())
                })
                .collect(),
        }),
    }
}

fn linked<'a>(named: &VendorRef, tables: &'a Tables) -> Option<&'a str> {
    [&named.source_id, &named.erp_number]
        .into_iter()
        .flatten()
        .find_map(|key| tables.suppliers.get(key))
        .map(String::as_str)
}

/// The vendor master's number for the business unit is the most exact; then what the document
/// itself says; then the vendor master's own.
fn erp_number<'a>(
    named: &'a VendorRef,
    vendor: Option<&'a Vendor>,
    business_unit: Option<&str>,
) -> Option<&'a str> {
    let for_unit = vendor.zip(business_unit).and_then(|(vendor, unit)| {
        vendor.erp_number_by_business_unit.get(unit).map(String::as_str)
    });
    for_unit
        .or(named.erp_number.as_deref())
        .or_else(|| vendor.and_then(|vendor| vendor.erp_number.as_deref()))
        .map(str::trim)
        .filter(|number| !number.is_empty())
}

/// HoldPayments stops the payment, not the posting.
fn usable(supplier: &Supplier) -> Result<&Supplier, SupplierFault> {
    match supplier.status.as_str() {
        "Active" | "HoldPayments" | "OneTime" => Ok(supplier),
        status => Err(SupplierFault::Blocked {
            number: supplier.number.clone(),
            name: supplier.name.clone(),
            status: status.into(),
        }),
    }
}

fn shown(named: &VendorRef, vendor: Option<&Vendor>) -> String {
    let name = named.name.as_deref().or(vendor.map(|vendor| vendor.name.as_str()));
    match (named.source_id.as_deref().or(named.erp_number.as_deref()), name) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(id), None) => id.into(),
        (None, Some(name)) => name.into(),
        (None, None) => "without a number".into(),
    }
}

fn join<'a>(parts: impl Iterator<Item = &'a String>, between: &str) -> String {
    parts.map(String::as_str).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                Ok(supplier) => supplier.number.as_str(),
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
            resolve(&named, None, suppliers).map(|supplier| supplier.number.clone())
        };
        assert_eq!(resolve_with("V1", Some("50001")), Ok("50003".into()));
        assert!(matches!(
            resolve_with("V2", Some("OLD")),
            Err(SupplierFault::LinkBroken { number, .. }) if number == "60000"
        ));
    }
}
