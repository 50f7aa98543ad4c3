use super::rows;
use super::scope::{Reader, Scope, shown};
use crate::jaggaer::profile::{BankAccountLayout, OneOrMany, Place, VendorLayout};
use crate::procurement::{BankAccount, PostalAddress, Vendor};
use std::collections::BTreeMap;
use std::slice;

pub(super) fn read(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &VendorLayout,
    source_id: &str,
) -> Option<Vendor> {
    let name = reader.required(scope, "name", &layout.name);
    let mut erp_number_by_business_unit = BTreeMap::new();
    if let Some(numbers) = &layout.erp_numbers {
        let (found, _) = rows(reader, scope, "erp_numbers", slice::from_ref(&numbers.list));
        for (index, row) in found.into_iter().enumerate() {
            let below = scope.below(row, "erp_numbers", index);
            let unit = reader.required(&below, "business_unit", &numbers.business_unit);
            let number = reader.field(&below, "number", &numbers.number);
            if let (Some(unit), Some(number)) = (unit, number) {
                erp_number_by_business_unit.insert(unit, number);
            }
        }
    }
    // A source that keeps no such word keeps no inactive suppliers.
    let active = reader.optional(scope, "active", &layout.active).unwrap_or(true);
    let address = layout.address.as_ref().map(|address| PostalAddress {
        street: reader.optional(scope, "address.street", &address.street),
        postal_code: reader.optional(scope, "address.postal_code", &address.postal_code),
        city: reader.optional(scope, "address.city", &address.city),
    });
    Some(Vendor {
        source_id: source_id.to_owned(),
        erp_number: reader.optional(scope, "erp_number", &layout.erp_number),
        erp_number_by_business_unit,
        other_names: other_names(reader, scope, &layout.other_names, name.as_deref()),
        active,
        parent: reader.optional(scope, "parent", &layout.parent),
        remit_to: reader.optional(scope, "remit_to", &layout.remit_to),
        organisation_number: reader.optional(
            scope,
            "organisation_number",
            &layout.organisation_number,
        ),
        vat_number: reader.optional(scope, "vat_number", &layout.vat_number),
        duns: reader.optional(scope, "duns", &layout.duns),
        gln: reader.optional(scope, "gln", &layout.gln),
        country: reader.optional(scope, "country", &layout.country),
        currency: reader.optional(scope, "currency", &layout.currency),
        address: address.filter(|address| *address != PostalAddress::default()),
        bank_accounts: bank_accounts(reader, scope, &layout.bank_accounts),
        name: name?,
    })
}

/// Each name once, and not the name itself again.
fn other_names(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    places: &OneOrMany<Place>,
    name: Option<&str>,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for place in &places.0 {
        for node in rows(reader, scope, "other_names", slice::from_ref(place)).0 {
            match node.as_str().map(str::trim) {
                Some(other) if Some(other) == name || names.iter().any(|known| known == other) => {}
                Some(other) => names.push(other.to_owned()),
                None => {
                    let text = "a text was expected".to_owned();
                    reader.problem(scope, "other_names", place.text().into(), shown(node), text);
                }
            }
        }
    }
    names
}

fn bank_accounts(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layouts: &[BankAccountLayout],
) -> Vec<BankAccount> {
    let mut accounts: Vec<BankAccount> = Vec::new();
    for layout in layouts {
        let numbers: Vec<Option<String>> = match &layout.list {
            Some(list) => rows(reader, scope, "bank_accounts", slice::from_ref(list))
                .0
                .into_iter()
                .enumerate()
                .map(|(index, row)| {
                    let below = scope.below(row, "bank_accounts", index);
                    reader.field(&below, "number", &layout.number)
                })
                .collect(),
            None => vec![reader.field(scope, "bank_accounts.number", &layout.number)],
        };
        for number in numbers.into_iter().flatten() {
            let account = BankAccount { kind: layout.kind, number };
            // An IBAN and the domestic number beside it are one account.
            if !accounts.iter().any(|known| known.same_as(&account)) {
                accounts.push(account);
            }
        }
    }
    accounts
}
