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
pub struct Vendor {
    pub source_id: String,
    pub erp_number: Option<String>,
    /// Another ERP number for each business unit.
    pub erp_number_by_business_unit: BTreeMap<String, String>,
    pub name: String,
    pub active: bool,
    pub parent: Option<String>,
    pub organisation_number: Option<String>,
    pub vat_number: Option<String>,
    pub country: Option<String>,
    pub currency: Option<String>,
    /// As the source writes it (IBAN, bankgiro ...). Compared, never changed.
    pub bank_account: Option<String>,
}
