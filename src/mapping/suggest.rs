//! The codes that a document names, which of them lead nowhere, and what those could mean in the ERP.

use super::nearest::{self, Candidate, nearest};
use super::{Mapped, TableName, Tables, vat};
use crate::procurement::{Distribution, Document, ReferenceData, TaxLine, parts};
use std::collections::{BTreeMap, BTreeSet};

pub use super::nearest::Suggestion as Suggested;

/// A code as a document names it, and the table that says what it is in the ERP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedCode {
    pub table: TableName,
    /// For the segments.
    pub segment: Option<i64>,
    pub code: String,
}

/// Suggestions for one code.
const MOST: usize = 3;

impl NamedCode {
    /// The codes of the holds that it makes.
    pub const fn holds_as(&self) -> &'static [&'static str] {
        match self.table {
            TableName::Accounts => &["account_not_mapped", "account_unknown"],
            TableName::Segments => &["segment_not_mapped", "segment_unknown"],
            TableName::Vat => &["vat_not_mapped", "vat_category_unknown"],
            TableName::Terms => &["terms_not_mapped", "terms_unknown"],
            TableName::Units => &["unit_not_mapped"],
            TableName::Branches => &["branch_not_mapped", "branch_unknown"],
            TableName::Projects => &["project_not_mapped"],
            TableName::Coding | TableName::Combinations => &[],
        }
    }
}

/// The codes of a document that have no place: its table does not name them, or gives a value which
/// the ERP does not have.
pub fn unplaced(
    document: &Document,
    tables: &Tables,
    reference: &ReferenceData,
) -> BTreeSet<NamedCode> {
    let all = named_codes(document, tables, reference);
    all.into_iter().filter(|(_, has_a_place)| !has_a_place).map(|(code, _)| code).collect()
}

/// Every code of a document, and whether it has a place.
pub fn named_codes(
    document: &Document,
    tables: &Tables,
    reference: &ReferenceData,
) -> BTreeMap<NamedCode, bool> {
    let mut search = Search { tables, reference, found: BTreeMap::new() };
    match document {
        Document::Order(order) => {
            search.header(order.terms.as_deref(), order.business_unit.as_deref());
            for line in &order.lines {
                search.line(line.unit.as_deref(), &line.taxes, &[], &line.distributions);
            }
        }
        Document::Invoice(invoice) => {
            search.header(invoice.terms.as_deref(), invoice.business_unit.as_deref());
            for line in &invoice.lines {
                let taxes = &invoice.taxes;
                search.line(line.unit.as_deref(), &line.taxes, taxes, &line.distributions);
            }
        }
    }
    search.found
}

struct Search<'a> {
    tables: &'a Tables,
    reference: &'a ReferenceData,
    found: BTreeMap<NamedCode, bool>,
}

impl Search<'_> {
    fn header(&mut self, terms: Option<&str>, business_unit: Option<&str>) {
        let (tables, reference) = (self.tables, self.reference);
        let known = |value: &str| reference.credit_terms.contains_key(value);
        self.look(TableName::Terms, None, terms, tables.terms.map(terms), known);
        let known = |value: &str| reference.branches.contains_key(value);
        let mapped = tables.branches.map(business_unit);
        self.look(TableName::Branches, None, business_unit, mapped, known);
    }

    fn line(
        &mut self,
        unit: Option<&str>,
        taxes: &[TaxLine],
        of_document: &[TaxLine],
        shares: &[Distribution],
    ) {
        let (tables, reference) = (self.tables, self.reference);
        self.look(TableName::Units, None, unit, tables.units.map(unit), |_| true);
        for tax in vat::stated(taxes, of_document) {
            let known = |value: &str| reference.vat_categories.contains_key(value);
            self.look(TableName::Vat, None, Some(&tax), tables.vat.map(Some(&tax)), known);
        }
        for values in &parts(shares) {
            let value = |dimension: &str| values.get(dimension).map(String::as_str);
            let account = value(tables.account_dimension());
            let known = |value: &str| reference.accounts.contains_key(value);
            self.look(TableName::Accounts, None, account, tables.accounts.map(account), known);
            if let Some(dimension) = &tables.project_dimension {
                let project = value(dimension);
                self.look(TableName::Projects, None, project, tables.projects.map(project), |_| {
                    true
                });
            }
            for rule in &tables.segments {
                let code = rule.dimension.as_deref().and_then(value);
                let known = |value: &str| {
                    reference
                        .segments
                        .get(&rule.id)
                        .is_none_or(|of| !of.validate || of.values.contains_key(value))
                };
                self.look(TableName::Segments, Some(rule.id), code, rule.map(code), known);
            }
        }
    }

    fn look(
        &mut self,
        table: TableName,
        segment: Option<i64>,
        code: Option<&str>,
        mapped: Mapped<'_>,
        known: impl Fn(&str) -> bool,
    ) {
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else { return };
        let has_a_place = match mapped {
            Mapped::To(value) => known(value),
            Mapped::NotMapped(_) => false,
            // Nothing looks at it.
            Mapped::Absent => return,
        };
        self.found.insert(NamedCode { table, segment, code: code.to_owned() }, has_a_place);
    }
}

/// What a code could mean, the likeliest first. A vendor is not among them: what identifies it
/// decides, and never the likeness of its number.
pub fn suggest(of: &NamedCode, tables: &Tables, reference: &ReferenceData) -> Vec<Suggested> {
    let code = &of.code;
    match of.table {
        TableName::Accounts => nearest(code, nearest::accounts(reference), MOST),
        TableName::Segments => match of.segment {
            Some(id) => nearest(code, nearest::segment_values(reference, id), MOST),
            None => Vec::new(),
        },
        TableName::Vat => nearest(code, nearest::vat_categories(reference), MOST),
        TableName::Terms => nearest(code, nearest::credit_terms(reference), MOST),
        TableName::Branches => nearest(code, nearest::branches(reference), MOST),
        TableName::Units => nearest(code, in_use(&tables.units.table), MOST),
        TableName::Projects => nearest(code, in_use(&tables.projects.table), MOST),
        TableName::Coding | TableName::Combinations => Vec::new(),
    }
}

/// Of what the ERP gives no list: a value that another code leads to, with that code as its name.
fn in_use(table: &BTreeMap<String, String>) -> impl Iterator<Item = Candidate<'_>> {
    let values: BTreeMap<&String, &String> = table.iter().map(|(from, to)| (to, from)).collect();
    values.into_iter().map(|(value, description)| Candidate { value, description })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Account, CreditTerms};

    fn reference() -> ReferenceData {
        let account = |number: &str, description: &str| {
            let account = Account {
                number: number.into(),
                description: description.into(),
                active: true,
                ..Account::default()
            };
            (number.to_owned(), account)
        };
        ReferenceData {
            accounts: BTreeMap::from([account("6540", "Inventar"), account("7770", "Frakt")]),
            credit_terms: BTreeMap::from([("21".to_owned(), CreditTerms::default())]),
            ..ReferenceData::default()
        }
    }

    fn look(table: TableName, code: &str, mapped: Mapped<'_>) -> Vec<String> {
        let (tables, reference) = (Tables::default(), reference());
        let mut search = Search { tables: &tables, reference: &reference, found: BTreeMap::new() };
        let known = |value: &str| reference.accounts.contains_key(value);
        search.look(table, None, Some(code), mapped, known);
        let nowhere = search.found.into_iter().filter(|(_, has_a_place)| !has_a_place);
        nowhere.map(|(of, _)| of.code).collect()
    }

    #[test]
    fn a_code_without_a_place_is_found_and_another_is_not() {
        assert_eq!(look(TableName::Accounts, " 6541 ", Mapped::To("6541")), ["6541"]);
        assert_eq!(look(TableName::Accounts, "6541", Mapped::NotMapped("6541")), ["6541"]);
        assert!(look(TableName::Accounts, "K1", Mapped::To("6540")).is_empty());
        assert!(look(TableName::Accounts, " ", Mapped::Absent).is_empty());
    }

    #[test]
    fn each_table_suggests_from_its_own_list() {
        let mut tables = Tables::default();
        tables.units.table.insert("EA".into(), "STK".into());
        let cases = [
            (TableName::Accounts, "6541", vec!["6540"]),
            (TableName::Terms, "NET21", vec!["21"]),
            (TableName::Units, "ea", vec!["STK"]),
            (TableName::Vat, "6541", vec![]),
        ];
        for (table, code, expected) in cases {
            let of = NamedCode { table, segment: None, code: code.into() };
            let found = suggest(&of, &tables, &reference());
            let values: Vec<&str> = found.iter().map(|of| of.value.as_str()).collect();
            assert_eq!(values, expected, "{table:?}");
        }
    }
}
