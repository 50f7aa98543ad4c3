//! Which of the ERP's suppliers are the same company: several records share an organisation
//! number or a VAT number.

use super::supplier_index::Identity;
use crate::procurement::ReferenceData;
use std::collections::{BTreeMap, BTreeSet};

/// Suppliers by the company that they are. Built once for each version of the reference data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupplierGroups {
    /// Members in order of their numbers; a supplier that stands alone is in none.
    groups: Vec<Vec<String>>,
    group_of: BTreeMap<String, usize>,
}

/// Suppliers that carry one number, by the country that it was given in.
type Holders<'a> = BTreeMap<Option<String>, BTreeSet<&'a str>>;

impl SupplierGroups {
    /// Identifiers with a wrong check digit join nobody: they could be somebody else's.
    pub fn new(reference: &ReferenceData) -> Self {
        let mut numbers: BTreeMap<(&str, String), Holders<'_>> = BTreeMap::new();
        for (supplier, record) in &reference.suppliers {
            let identity = Identity::of_supplier(record);
            let organisations = identity
                .organisations
                .into_iter()
                .map(|of| ("organisation", of.number, of.country));
            let vat = identity.vat.map(|of| ("VAT", of.number, of.country));
            for (kind, number, country) in organisations.chain(vat) {
                let holders = numbers.entry((kind, number)).or_default();
                holders.entry(country).or_default().insert(supplier);
            }
        }
        let mut joined = Joined::default();
        for holders in numbers.values() {
            // Without a country it is the one company that has the number, if there is only one.
            if holders.keys().flatten().count() <= 1 {
                joined.all(holders.values().flatten().copied());
            } else {
                holders.values().for_each(|same| joined.all(same.iter().copied()));
            }
        }
        joined.into_groups()
    }

    /// The supplier itself first, then the others that are the same company.
    pub fn of<'a>(&'a self, supplier: &'a str) -> impl Iterator<Item = &'a str> {
        let group = self.group_of.get(supplier).map(|nth| self.groups[*nth].as_slice());
        let others = group.unwrap_or_default().iter().map(String::as_str);
        std::iter::once(supplier).chain(others.filter(move |other| *other != supplier))
    }

    /// One name for all suppliers of a company: the first of their numbers.
    pub fn name_of<'a>(&'a self, supplier: &'a str) -> &'a str {
        let group = self.group_of.get(supplier).map(|nth| self.groups[*nth].as_slice());
        group.and_then(<[String]>::first).map_or(supplier, String::as_str)
    }
}

/// Sets that grow together; each points at another of its set, or at itself.
#[derive(Default)]
struct Joined<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Joined<'a> {
    fn root(&self, of: &'a str) -> &'a str {
        let mut at = of;
        while let Some(next) = self.0.get(at).copied().filter(|next| *next != at) {
            at = next;
        }
        at
    }

    fn all(&mut self, members: impl Iterator<Item = &'a str>) {
        let mut lead: Option<&'a str> = None;
        for member in members {
            let root = self.root(member);
            // The smallest number leads, so that the result follows from the members alone.
            let (first, last) = lead.map_or((root, root), |lead| (lead.min(root), lead.max(root)));
            self.0.insert(first, first);
            self.0.insert(last, first);
            lead = Some(first);
        }
    }

    fn into_groups(self) -> SupplierGroups {
        let mut members: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for member in self.0.keys() {
            members.entry(self.root(member)).or_default().push((*member).to_owned());
        }
        let groups: Vec<Vec<String>> =
            members.into_values().filter(|members| members.len() > 1).collect();
        let group_of = groups
            .iter()
            .enumerate()
            .flat_map(|(nth, members)| members.iter().map(move |member| (member.clone(), nth)))
            .collect();
        SupplierGroups { groups, group_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Supplier;

    fn groups(suppliers: &[(&str, &str, &str, &str)]) -> SupplierGroups {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let suppliers = suppliers
            .iter()
            .map(|(number, organisation, vat, country)| {
                let supplier = Supplier {
                    number: (*number).into(),
                    organisation_number: some(organisation),
                    vat_number: some(vat),
                    country: some(country),
                    ..Supplier::default()
                };
                ((*number).to_owned(), supplier)
            })
            .collect();
        SupplierGroups::new(&ReferenceData { suppliers, ..ReferenceData::default() })
    }

    #[test]
    fn records_of_one_company_belong_together() {
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str, &'a str, &'a str)], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            ("alone", &[("1", "974760673", "", "NO"), ("2", "988077917", "", "NO")], &["1"]),
            (
                "the same organisation number, written in two ways",
                &[("1", "974760673", "", "NO"), ("2", "974 760 673", "", "NO")],
                &["1", "2"],
            ),
            (
                "the organisation number inside the VAT number",
                &[("1", "974760673", "", "NO"), ("2", "", "NO974760673MVA", "")],
                &["1", "2"],
            ),
            (
                "one through another",
                &[
                    ("1", "974760673", "", "NO"),
                    ("2", "974760673", "DE136695976", "NO"),
                    ("3", "", "DE136695976", "DE"),
                ],
                &["1", "2", "3"],
            ),
            (
                "a later one joins two that stood apart",
                &[
                    ("2", "974760673", "", "NO"),
                    ("1", "", "DE136695976", "DE"),
                    ("3", "974760673", "DE136695976", "NO"),
                ],
                &["1", "2", "3"],
            ),
            (
                "a wrong check digit joins nobody",
                &[("1", "974760674", "", "NO"), ("2", "974760674", "", "NO")],
                &["1"],
            ),
            (
                "the same digits in two countries",
                &[("1", "13585628", "", "DK"), ("2", "13585628", "", "US")],
                &["1"],
            ),
            (
                "without a country, where only one company has the number",
                &[("1", "13585628", "", "DK"), ("2", "13585628", "", "")],
                &["1", "2"],
            ),
            (
                "without a country, where two have it",
                &[
                    ("1", "13585628", "", "DK"),
                    ("2", "13585628", "", ""),
                    ("3", "13585628", "", "US"),
                ],
                &["1"],
            ),
            ("no identifiers", &[("1", "", "", ""), ("2", "", "", "")], &["1"]),
        ];
        for (about, suppliers, expected) in cases {
            let groups = groups(suppliers);
            assert_eq!(groups.of("1").collect::<Vec<_>>(), *expected, "{about}");
            for member in *expected {
                assert_eq!(groups.name_of(member), "1", "{about}");
                assert_eq!(groups.of(member).next(), Some(*member), "{about}: itself first");
                assert_eq!(groups.of(member).count(), expected.len(), "{about}");
            }
        }
    }
}
