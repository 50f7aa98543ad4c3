use super::BankAccount;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a document names its supplier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorRef {
    /// The source's id of the vendor.
    pub source_id: Option<String>,
    /// The ERP's supplier number, when the source knows it.
    pub erp_number: Option<String>,
    pub name: Option<String>,
}

/// A supplier as JAGGAER keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vendor {
    pub source_id: String,
    pub erp_number: Option<String>,
    /// Another ERP number for each business unit.
    pub erp_number_by_business_unit: BTreeMap<String, String>,
    pub name: String,
    /// Other names it goes by: trade names, earlier names.
    pub other_names: Vec<String>,
    pub active: bool,
    /// The source's id of the vendor that this one belongs to.
    pub parent: Option<String>,
    /// The source's id of the vendor that is paid in this one's place.
    pub remit_to: Option<String>,
    pub organisation_number: Option<String>,
    pub vat_number: Option<String>,
    pub duns: Option<String>,
    pub gln: Option<String>,
    pub country: Option<String>,
    pub currency: Option<String>,
    /// The group that the source puts it in.
    pub category: Option<String>,
    pub address: Option<PostalAddress>,
    pub bank_accounts: Vec<BankAccount>,
}

/// Where a party is, as written by whoever keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostalAddress {
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
}
