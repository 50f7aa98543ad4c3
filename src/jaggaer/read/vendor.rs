use super::rows;
use super::scope::{Reader, Scope};
use crate::jaggaer::profile::VendorLayout;
use crate::procurement::{BankAccount, BankAccountKind, Vendor};
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
    Some(Vendor {
        source_id: source_id.to_owned(),
        erp_number: reader.optional(scope, "erp_number", &layout.erp_number),
        erp_number_by_business_unit,
        active,
        parent: reader.optional(scope, "parent", &layout.parent),
        organisation_number: reader.optional(
            scope,
            "organisation_number",
            &layout.organisation_number,
        ),
        vat_number: reader.optional(scope, "vat_number", &layout.vat_number),
        country: reader.optional(scope, "country", &layout.country),
        currency: reader.optional(scope, "currency", &layout.currency),
        category: reader.optional(scope, "category", &layout.category),
        bank_accounts: reader
            .optional(scope, "bank_account", &layout.bank_account)
            .map(|number| BankAccount { kind: BankAccountKind::Unspecified, number })
            .into_iter()
            .collect(),
        name: name?,
        ..Vendor::default()
    })
}
