//! `company.toml` as reference data, vendors and rules.

use jiff::civil::Date;
use ml_connector::decide::Rules;
use ml_connector::procurement::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    accounts: BTreeMap<String, String>,
    segments: BTreeMap<String, SegmentForm>,
    vat: BTreeMap<String, VatForm>,
    vat_categories: BTreeMap<String, Vec<String>>,
    terms: BTreeMap<String, i64>,
    branches: BTreeMap<String, String>,
    currencies: Currencies,
    periods: BTreeMap<String, String>,
    suppliers: BTreeMap<String, Party>,
    vendors: BTreeMap<String, Party>,
    rules: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentForm {
    name: String,
    length: i64,
    values: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VatForm {
    kind: String,
    rate: Option<Decimal>,
    zones: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Currencies {
    codes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    name: String,
    organisation_number: Option<String>,
    vat_number: Option<String>,
    erp_number: Option<String>,
    #[serde(default)]
    erp_number_by_business_unit: BTreeMap<String, String>,
    country: Option<String>,
    zone: Option<String>,
    status: Option<String>,
    active: Option<bool>,
    parent: Option<String>,
    remit_to: Option<String>,
    duns: Option<String>,
    gln: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    terms: Option<String>,
    /// A bank account, as the kind says or its form shows.
    account: Option<String>,
    account_kind: Option<String>,
}

pub struct Company {
    pub reference: ReferenceData,
    pub vendors: BTreeMap<String, Vendor>,
    pub rules: Rules,
}

impl Company {
    /// The company of all cases with one case's changes laid over it.
    pub fn load(changes: &toml::Table, rules: &toml::Table) -> Result<Self, String> {
        let mut table: toml::Table =
            toml::from_str(include_str!("../../data/cases/company.toml")).map_err(text)?;
        lay(changes, &mut table);
        if let Some(toml::Value::Table(base)) = table.get_mut("rules") {
            lay(rules, base);
        }
        let form: Form = toml::Value::Table(table).try_into().map_err(text)?;
        let rules = toml::Value::Table(form.rules.clone()).try_into().map_err(text)?;
        Ok(Self { reference: reference(&form)?, vendors: vendors(&form)?, rules })
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Tables are merged, everything else replaced.
fn lay(over: &toml::Table, base: &mut toml::Table) {
    for (key, value) in over {
        match (value, base.get_mut(key)) {
            (toml::Value::Table(over), Some(toml::Value::Table(base))) => lay(over, base),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// `Gammel konto (closed)` is not active.
fn active(name: &str) -> bool {
    !name.ends_with("(closed)")
}

fn reference(form: &Form) -> Result<ReferenceData, String> {
    let mut reference = ReferenceData::default();
    for (number, name) in &form.accounts {
        let account = Account {
            number: number.clone(),
            description: name.clone(),
            active: active(name),
            kind: "Expense".into(),
            is_cash_account: name.contains("cash account"),
        };
        reference.accounts.insert(number.clone(), account);
    }
    for (id, of) in &form.segments {
        let id: i64 = id.parse().map_err(text)?;
        let values = of.values.iter().map(|(value, name)| {
            (value.clone(), SegmentValue { description: name.clone(), active: active(name) })
        });
        let segment = Segment {
            id,
            description: of.name.clone(),
            length: of.length,
            validate: true,
            values: values.collect(),
        };
        reference.segments.insert(id, segment);
    }
    for (id, of) in &form.vat {
        let rate = of.rate.map(|rate| VatRate { from: None, rate, input: true });
        let vat = Vat {
            id: id.clone(),
            kind: of.kind.clone(),
            zones: of.zones.clone(),
            rates: rate.into_iter().collect(),
            ..Vat::default()
        };
        reference.vats.insert(id.clone(), vat);
    }
    for (id, vat_ids) in &form.vat_categories {
        let category = VatCategory {
            id: id.clone(),
            description: format!("Kategori {id}"),
            active: id != "KX",
            excludes_listed: false,
            vat_ids: vat_ids.clone(),
        };
        reference.vat_categories.insert(id.clone(), category);
    }
    for (id, days) in &form.terms {
        reference.credit_terms.insert(id.clone(), terms(id, *days));
    }
    for (number, name) in &form.branches {
        let branch = Branch { number: number.clone(), name: name.clone(), active: active(name) };
        reference.branches.insert(number.clone(), branch);
    }
    for (nth, code) in form.currencies.codes.iter().enumerate() {
        let currency = CurrencyInfo { id: code.clone(), is_base: nth == 0, decimals: None };
        reference.currencies.insert(code.clone(), currency);
    }
    for (id, state) in &form.periods {
        let year = id[..4].parse().map_err(text)?;
        let month = id[4..].parse().map_err(text)?;
        let starts_on = Date::new(year, month, 1).map_err(text)?;
        let period = FinancialPeriod {
            id: id.clone(),
            starts_on,
            ends_on: starts_on.last_of_month(),
            active: state != "inactive",
            closed_in_supplier_ledger: state == "closed",
        };
        reference.periods.insert(id.clone(), period);
    }
    for (number, of) in &form.suppliers {
        let supplier = Supplier {
            number: number.clone(),
            name: of.name.clone(),
            status: of.status.clone().unwrap_or_else(|| "Active".into()),
            organisation_number: of.organisation_number.clone(),
            vat_number: of.vat_number.clone(),
            vat_zone: of.zone.clone(),
            country: of.country.clone(),
            duns: of.duns.clone(),
            gln: of.gln.clone(),
            parent: of.parent.clone(),
            credit_terms: of.terms.clone(),
            address: of.address(),
            bank_accounts: of.bank_account().into_iter().collect(),
            ..Supplier::default()
        };
        reference.suppliers.insert(number.clone(), supplier);
    }
    Ok(reference)
}

fn terms(id: &str, days: i64) -> CreditTerms {
    CreditTerms { id: id.into(), description: format!("{days} dager"), days: Some(days) }
}

fn vendors(form: &Form) -> Result<BTreeMap<String, Vendor>, String> {
    let mut vendors = BTreeMap::new();
    for (id, of) in &form.vendors {
        let vendor = Vendor {
            source_id: id.clone(),
            erp_number: of.erp_number.clone(),
            erp_number_by_business_unit: of.erp_number_by_business_unit.clone(),
            name: of.name.clone(),
            active: of.active.unwrap_or(true),
            parent: of.parent.clone(),
            remit_to: of.remit_to.clone(),
            organisation_number: of.organisation_number.clone(),
            vat_number: of.vat_number.clone(),
            duns: of.duns.clone(),
            gln: of.gln.clone(),
            country: of.country.clone(),
            address: of.address(),
            bank_accounts: of.bank_account().into_iter().collect(),
            ..Vendor::default()
        };
        vendors.insert(id.clone(), vendor);
    }
    Ok(vendors)
}

impl Party {
    fn address(&self) -> Option<PostalAddress> {
        (self.postal_code.is_some() || self.city.is_some()).then(|| PostalAddress {
            street: None,
            postal_code: self.postal_code.clone(),
            city: self.city.clone(),
        })
    }

    fn bank_account(&self) -> Option<BankAccount> {
        self.account.as_deref().map(|number| bank_account(number, self.account_kind.as_deref()))
    }
}

/// An IBAN begins with letters; else a domestic account.
pub fn bank_account(number: &str, kind: Option<&str>) -> BankAccount {
    let kind = match kind {
        Some("bankgiro") => BankAccountKind::Bankgiro,
        Some("plusgiro") => BankAccountKind::Plusgiro,
        Some("unspecified") => BankAccountKind::Unspecified,
        Some("iban") => BankAccountKind::Iban,
        Some("bban") => BankAccountKind::Bban,
        Some(other) => panic!("`{other}` is no kind of bank account"),
        None if number.starts_with(|c: char| c.is_ascii_alphabetic()) => BankAccountKind::Iban,
        None => BankAccountKind::Bban,
    };
    BankAccount { kind, number: number.into() }
}
