use super::{BankAccount, PostalAddress};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything of the ERP that a decision looks at, polled and kept. Keys are the ERP's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReferenceData {
    pub suppliers: BTreeMap<String, Supplier>,
    pub accounts: BTreeMap<String, Account>,
    /// The segments of the subaccount, by segment id.
    pub segments: BTreeMap<i64, Segment>,
    pub vats: BTreeMap<String, Vat>,
    pub vat_categories: BTreeMap<String, VatCategory>,
    pub credit_terms: BTreeMap<String, CreditTerms>,
    pub branches: BTreeMap<String, Branch>,
    pub currencies: BTreeMap<String, CurrencyInfo>,
    /// What the ERP takes for the day, when it lets its rates be read.
    #[serde(default)]
    pub exchange_rates: Vec<ExchangeRate>,
    /// By `YYYYPP`.
    pub periods: BTreeMap<String, FinancialPeriod>,
}

/// A supplier as Visma keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    pub number: String,
    pub name: String,
    /// Active, OnHold, HoldPayments, Inactive, OneTime; unknown words are kept as they come.
    pub status: String,
    pub organisation_number: Option<String>,
    pub vat_number: Option<String>,
    pub vat_zone: Option<String>,
    pub currency: Option<String>,
    pub credit_terms: Option<String>,
    pub country: Option<String>,
    #[serde(default)]
    pub duns: Option<String>,
    #[serde(default)]
    pub gln: Option<String>,
    /// The number of the supplier that this one belongs to.
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub address: Option<PostalAddress>,
    #[serde(default)]
    pub bank_accounts: Vec<BankAccount>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub number: String,
    pub description: String,
    pub active: bool,
    /// Asset, Liability, Income, Expense; unknown words are kept as they come.
    pub kind: String,
    pub is_cash_account: bool,
}

/// One part of the subaccount: a dimension such as department or project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub id: i64,
    pub description: String,
    /// Characters a value may have.
    pub length: i64,
    /// Whether a value must exist in `values`.
    pub validate: bool,
    pub values: BTreeMap<String, SegmentValue>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentValue {
    pub description: String,
    pub active: bool,
}

/// A VAT id: what stands in the tax detail. Not a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vat {
    pub id: String,
    pub description: String,
    /// Vat, ReverseVat, ExemptVat ...; unknown words are kept as they come.
    pub kind: String,
    pub calculate_on: Option<String>,
    pub rates: Vec<VatRate>,
    /// VAT zones it applies in. Empty: the ERP did not say.
    pub zones: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VatRate {
    pub from: Option<Date>,
    /// Percent.
    pub rate: Decimal,
    /// Input (purchase) VAT, as against output.
    pub input: bool,
}

/// A VAT category: what stands on a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VatCategory {
    pub id: String,
    pub description: String,
    pub active: bool,
    /// The list means "all but these".
    pub excludes_listed: bool,
    pub vat_ids: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditTerms {
    pub id: String,
    pub description: String,
    /// Days from the invoice to the due date. `None`: the terms count otherwise (to the end of a
    /// month, in instalments), or the ERP does not say.
    #[serde(default)]
    pub days: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    pub number: String,
    pub name: String,
    pub active: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyInfo {
    pub id: String,
    pub is_base: bool,
    pub decimals: Option<i64>,
}

/// Units of `to` for one of `currency`, from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    pub currency: String,
    pub to: String,
    pub from: Date,
    pub rate: Decimal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinancialPeriod {
    /// `YYYYPP`.
    pub id: String,
    pub starts_on: Date,
    /// As the ERP gives it; whether it is the last day or the day after differs, so only
    /// `starts_on` of the next period decides.
    pub ends_on: Date,
    pub active: bool,
    pub closed_in_supplier_ledger: bool,
}
