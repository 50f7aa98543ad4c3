//! Visma's rows as they stand on the wire. Every member may be absent or null, enums are text
//! because they grow, numbers keep their own text.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

/// A number with its own digits; some gateways write it as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            serde_json::Value::String(text) if Decimal::from_str_exact(text.trim()).is_ok() => {
                Ok(Self(text.trim().to_owned()))
            }
            other => Err(serde::de::Error::custom(format!("`{other}` is not a number"))),
        }
    }
}

/// A whole number, also where it is written as text or as `3.0`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(Number(text)) = Option::deserialize(deserializer)? else { return Ok(None) };
    let number = Decimal::from_str_exact(&text).ok().filter(Decimal::is_integer);
    let number = number.and_then(|number| i64::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a whole number")))
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invoice {
    pub document_type: Option<String>,
    pub reference_number: Option<String>,
    pub supplier: Option<Numbered>,
    pub supplier_reference: Option<String>,
    pub payment_ref_no: Option<String>,
    pub status: Option<String>,
    pub currency_id: Option<String>,
    pub date: Option<String>,
    pub amount: Option<Number>,
    pub vat_amount: Option<Number>,
    pub vat_total: Option<Number>,
    pub vat_total_in_currency: Option<Number>,
    pub detail_total: Option<Number>,
    pub detail_total_in_currency: Option<Number>,
    pub balance: Option<Number>,
    pub balance_in_currency: Option<Number>,
    pub note: Option<String>,
    pub time_stamp: Option<String>,
    pub last_modified_date_time: Option<String>,
    pub attachments: Option<Vec<Attachment>>,
    pub invoice_lines: Option<Vec<InvoiceLine>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvoiceLine {
    #[serde(default, deserialize_with = "whole")]
    pub line_number: Option<i64>,
    pub quantity: Option<Number>,
    pub uom: Option<String>,
    pub cost_in_currency: Option<Number>,
    pub account: Option<Numbered>,
    pub subaccount: Option<Subaccount>,
    pub vat_code: Option<WithId>,
    pub po_number: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub po_line_nr: Option<i64>,
    pub po_receipt_nbr: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub po_receipt_line_nbr: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub order_type: Option<String>,
    pub order_nbr: Option<String>,
    pub supplier: Option<Numbered>,
    pub supplier_ref: Option<String>,
    pub description: Option<String>,
    pub status: Option<String>,
    pub hold: Option<bool>,
    pub currency: Option<String>,
    pub date: Option<String>,
    pub line_total: Option<Number>,
    pub custom_str1: Option<String>,
    pub custom_str2: Option<String>,
    pub custom_str3: Option<String>,
    pub custom_str4: Option<String>,
    pub custom_str5: Option<String>,
    pub time_stamp: Option<String>,
    pub last_modified_date_time: Option<String>,
    pub lines: Option<Vec<OrderLine>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderLine {
    #[serde(default, deserialize_with = "whole")]
    pub line_nbr: Option<i64>,
    pub line_type: Option<String>,
    pub line_description: Option<String>,
    pub order_qty: Option<Number>,
    pub uom: Option<String>,
    pub qty_on_receipts: Option<Number>,
    pub unit_cost: Option<Number>,
    pub amount: Option<Number>,
    pub account: Option<Numbered>,
    pub sub: Option<Subaccount>,
    pub completed: Option<bool>,
    pub canceled: Option<bool>,
    pub custom_str1: Option<String>,
    pub custom_str2: Option<String>,
    pub custom_str3: Option<String>,
    pub custom_str4: Option<String>,
    pub custom_str5: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub receipt_type: Option<String>,
    pub receipt_nbr: Option<String>,
    pub status: Option<String>,
    pub supplier: Option<Numbered>,
    pub time_stamp: Option<String>,
    pub last_modified_date_time: Option<String>,
    pub lines: Option<Vec<ReceiptLine>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReceiptLine {
    #[serde(default, deserialize_with = "whole")]
    pub line_nbr: Option<i64>,
    pub receipt_qty: Option<Number>,
    pub uom: Option<String>,
    pub po_order_nbr: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub po_order_line_nbr: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Supplier {
    pub number: Option<String>,
    pub name: Option<String>,
    pub status: Option<String>,
    pub corporate_id: Option<String>,
    pub vat_registration_id: Option<String>,
    pub vat_zone: Option<WithId>,
    pub currency_id: Option<String>,
    pub credit_terms: Option<WithId>,
    pub main_address: Option<Address>,
    pub parent_record: Option<Numbered>,
    pub account_used_for_payment: Option<String>,
    pub supplier_payment_method_details: Option<Vec<PaymentMethodDetail>>,
    pub attributes: Option<Vec<Attribute>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    pub address_line1: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub country: Option<WithId>,
}

/// One line of what a payment method asks for. Its description is in the language of the company,
/// so it is not read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentMethodDetail {
    #[serde(rename = "paymentMethodDetailValue")]
    pub value: Option<String>,
    #[serde(rename = "paymentMethodDetailBankingDetailType")]
    pub banking_detail_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Attribute {
    pub id: Option<String>,
    pub value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    #[serde(rename = "accountCD")]
    pub account_cd: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub active: Option<bool>,
    pub description: Option<String>,
    pub cash_account: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Dimension {
    pub segments: Option<Vec<Segment>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Segment {
    #[serde(default, deserialize_with = "whole")]
    pub segment_id: Option<i64>,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub length: Option<i64>,
    pub validate: Option<bool>,
    pub segment_values: Option<Vec<SegmentValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentValue {
    pub value_id: Option<String>,
    pub description: Option<String>,
    pub active: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vat {
    pub vat_id: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub calculate_on: Option<String>,
    pub schedules: Option<Vec<VatRate>>,
    pub zones: Option<Vec<WithId>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VatRate {
    pub start_date: Option<String>,
    pub vat_rate: Option<Number>,
    pub group_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VatCategory {
    pub vat_category_id: Option<String>,
    pub description: Option<String>,
    pub active: Option<bool>,
    pub exclude_listed_taxes: Option<bool>,
    pub vat_category_lines: Option<Vec<VatCategoryLine>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VatCategoryLine {
    pub vat_id: Option<String>,
    pub vat_rates: Option<Vec<VatRate>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CurrencyRate {
    pub from_currency_id: Option<String>,
    pub to_currency_id: Option<String>,
    pub rate: Option<Number>,
    pub effective_date: Option<String>,
    pub mult_div: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreditTerm {
    pub terms_id: Option<String>,
    pub description: Option<String>,
    pub due_date_type: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub due_day1: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Branch {
    pub number: Option<String>,
    pub name: Option<String>,
    pub is_active: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Currency {
    pub id: Option<String>,
    pub is_base_currency: Option<bool>,
    #[serde(default, deserialize_with = "whole")]
    pub decimal_precision: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Period {
    #[serde(default, deserialize_with = "whole")]
    pub year: Option<i64>,
    pub period: Option<String>,
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub active: Option<bool>,
    pub closed_in_supplier_ledger: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Numbered {
    pub number: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct WithId {
    pub id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Attachment {
    pub name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Subaccount {
    #[serde(rename = "subaccountNumber")]
    pub number: Option<String>,
    pub segments: Option<Vec<SubaccountSegment>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubaccountSegment {
    #[serde(default, deserialize_with = "whole")]
    pub segment_id: Option<i64>,
    pub segment_value: Option<String>,
}
