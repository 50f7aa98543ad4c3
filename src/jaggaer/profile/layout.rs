use super::field::{Field, OneOrMany};
use super::kind::{Amount, Count, Day, Flag, Number, Price, Prose, Quantity, Text};
use super::place::Place;
use crate::procurement::{BankAccountKind, ChargeKind, Ripeness};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a purchase order stands in a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderLayout {
    pub(crate) number: Field<Text>,
    pub(crate) revision: Option<Field<Count>>,
    pub(crate) status: StatusLayout,
    pub(crate) business_unit: Option<Field<Text>>,
    pub(crate) ship_to: Option<Field<Text>>,
    pub(crate) vendor: VendorRefLayout,
    pub(crate) currency: Field<Text>,
    pub(crate) ordered_on: Field<Day>,
    pub(crate) promised_on: Option<Field<Day>>,
    pub(crate) description: Option<Field<Prose>>,
    pub(crate) terms: Option<Field<Text>>,
    pub(crate) net: Option<Field<Amount>>,
    pub(crate) gross: Option<Field<Amount>>,
    pub(crate) lines: OrderLineLayout,
}

/// How an invoice or a credit note stands in a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceLayout {
    pub(crate) number: Field<Text>,
    /// `invoice` or `credit_note` after the value table; the feed may fix it.
    pub(crate) kind: Option<Field<Text>>,
    #[serde(default)]
    pub(crate) credit_notes: CreditNotes,
    pub(crate) supplier_reference: Option<Field<Text>>,
    pub(crate) credits_reference: Option<Field<Text>>,
    pub(crate) status: StatusLayout,
    pub(crate) business_unit: Option<Field<Text>>,
    pub(crate) ship_to: Option<Field<Text>>,
    pub(crate) vendor: VendorRefLayout,
    /// Of an invoice that bills an order as a whole.
    pub(crate) order_number: Option<Field<Text>>,
    pub(crate) currency: Field<Text>,
    /// Units of the company's currency for one of the document's.
    pub(crate) exchange_rate: Option<Field<Number>>,
    /// Whether line amounts and charges include tax.
    pub(crate) prices_include_tax: Option<Field<Flag>>,
    /// Where the invoice asks to be paid; the first account that is found counts.
    #[serde(default)]
    pub(crate) payee: Vec<BankAccountLayout>,
    pub(crate) invoiced_on: Field<Day>,
    pub(crate) accounting_on: Option<Field<Day>>,
    pub(crate) due_on: Option<Field<Day>>,
    pub(crate) terms: Option<Field<Text>>,
    pub(crate) payment_reference: Option<Field<Text>>,
    pub(crate) net: Option<Field<Amount>>,
    pub(crate) tax: Option<Field<Amount>>,
    pub(crate) gross: Field<Amount>,
    #[serde(default)]
    pub(crate) charges: Vec<ChargeLayout>,
    #[serde(default)]
    pub(crate) taxes: Vec<TaxLayout>,
    pub(crate) lines: InvoiceLineLayout,
    pub(crate) attachments: Option<AttachmentLayout>,
}

/// How the source writes the amounts of a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CreditNotes {
    #[default]
    Negative,
    Positive,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VendorRefLayout {
    pub(crate) source_id: Option<Field<Text>>,
    pub(crate) erp_number: Option<Field<Text>>,
    pub(crate) name: Option<Field<Text>>,
}

/// Which words make a document ripe, not yet ripe or cancelled.
#[derive(Debug, Deserialize)]
#[serde(try_from = "StatusTable")]
pub(crate) struct StatusLayout {
    pub(crate) fields: BTreeMap<String, Field<Text>>,
    pub(crate) rules: Vec<StatusRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusTable {
    fields: BTreeMap<String, Field<Text>>,
    rules: Vec<StatusRule>,
}

/// The first rule whose every field has one of its words wins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusRule {
    pub(crate) then: Ripeness,
    pub(crate) when: BTreeMap<String, Vec<String>>,
}

impl TryFrom<StatusTable> for StatusLayout {
    type Error = String;

    fn try_from(table: StatusTable) -> Result<Self, String> {
        for rule in &table.rules {
            if rule.when.is_empty() {
                return Err("a status rule needs `when` with at least one field".to_owned());
            }
            if let Some(name) = rule.when.keys().find(|name| !table.fields.contains_key(*name)) {
                return Err(format!(
                    "a status rule asks for `{name}`, which `fields` does not name"
                ));
            }
        }
        Ok(Self { fields: table.fields, rules: table.rules })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderLineLayout {
    pub(crate) list: OneOrMany<Place>,
    pub(crate) key: Option<Field<Text>>,
    pub(crate) number: Option<Field<Text>>,
    pub(crate) cancelled: Option<Field<Flag>>,
    /// `goods`, `service` or `limit` after the value table.
    pub(crate) kind: Option<Field<Text>>,
    /// The number of the contract that the line draws on.
    pub(crate) contract: Option<Field<Text>>,
    pub(crate) item: Option<Field<Text>>,
    pub(crate) description: Option<Field<Prose>>,
    pub(crate) commodity: Option<Field<Text>>,
    pub(crate) requested_on: Option<Field<Day>>,
    pub(crate) pricing: PricingLayout,
    #[serde(default)]
    pub(crate) taxes: Vec<TaxLayout>,
    pub(crate) distributions: Option<DistributionLayout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceLineLayout {
    pub(crate) list: OneOrMany<Place>,
    pub(crate) key: Option<Field<Text>>,
    pub(crate) number: Option<Field<Text>>,
    pub(crate) item: Option<Field<Text>>,
    pub(crate) description: Option<Field<Prose>>,
    pub(crate) commodity: Option<Field<Text>>,
    pub(crate) order: Option<OrderLinkLayout>,
    pub(crate) pricing: PricingLayout,
    #[serde(default)]
    pub(crate) taxes: Vec<TaxLayout>,
    pub(crate) distributions: Option<DistributionLayout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderLinkLayout {
    pub(crate) number: Field<Text>,
    pub(crate) line_number: Option<Field<Text>>,
    pub(crate) line_key: Option<Field<Text>>,
}

/// Quantity, price and net amount of a line.
#[derive(Debug, Deserialize)]
#[serde(try_from = "PricingTable")]
pub(crate) struct PricingLayout {
    pub(crate) quantity: Option<Field<Quantity>>,
    pub(crate) unit: Option<Field<Text>>,
    pub(crate) unit_price: Option<Field<Price>>,
    pub(crate) price_basis: Option<Field<Number>>,
    /// Taken off when the net amount is computed; positive in the source.
    pub(crate) discount: Option<Field<Amount>>,
    pub(crate) net: Option<Field<Amount>>,
    pub(crate) net_rule: NetRule,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PricingTable {
    quantity: Option<Field<Quantity>>,
    unit: Option<Field<Text>>,
    unit_price: Option<Field<Price>>,
    price_basis: Option<Field<Number>>,
    discount: Option<Field<Amount>>,
    net: Option<Field<Amount>>,
    #[serde(default)]
    net_rule: NetRule,
}

/// Where a line's net amount comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NetRule {
    /// It stands in the document.
    #[default]
    Given,
    /// It does not: quantity × price ÷ price basis − discount, rounded to the minor unit.
    QuantityTimesPrice,
}

impl TryFrom<PricingTable> for PricingLayout {
    type Error = String;

    fn try_from(table: PricingTable) -> Result<Self, String> {
        match table.net_rule {
            NetRule::Given if table.net.is_none() => Err(
                "`net` is missing; where lines carry none, say `net_rule = \"quantity_times_price\"`"
                    .to_owned(),
            ),
            NetRule::Given if table.discount.is_some() => Err(
                "`discount` is used only with `net_rule = \"quantity_times_price\"`".to_owned(),
            ),
            NetRule::QuantityTimesPrice if table.quantity.is_none() || table.unit_price.is_none() => {
                Err("`net_rule` needs `quantity` and `unit_price`".to_owned())
            }
            NetRule::Given | NetRule::QuantityTimesPrice => Ok(Self {
                quantity: table.quantity,
                unit: table.unit,
                unit_price: table.unit_price,
                price_basis: table.price_basis,
                discount: table.discount,
                net: table.net,
                net_rule: table.net_rule,
            }),
        }
    }
}

/// One kind of tax: a list of objects, or (without `list`) plain members of the object in hand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxLayout {
    pub(crate) list: Option<Place>,
    pub(crate) code: Option<Field<Text>>,
    pub(crate) rate: Option<Field<Number>>,
    pub(crate) base: Option<Field<Amount>>,
    pub(crate) amount: Option<Field<Amount>>,
}

/// One kind of header charge: a list of objects, or (without `list`) one plain member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeLayout {
    pub(crate) kind: ChargeKind,
    pub(crate) list: Option<Place>,
    pub(crate) amount: Field<Amount>,
}

/// How a line is shared over accounts and dimensions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DistributionLayout {
    /// Coding schemes side by side: share k is what all of them say in their place k.
    /// The first place that has shares counts; `list` is then read from each group.
    #[serde(default)]
    pub(crate) groups: OneOrMany<Place>,
    /// The first list that has shares counts. One that begins with `document:` holds the
    /// header's shares, the default of lines without their own.
    pub(crate) list: OneOrMany<Place>,
    pub(crate) percent: Option<Field<Number>>,
    pub(crate) amount: Option<Field<Amount>>,
    pub(crate) quantity: Option<Field<Quantity>>,
    pub(crate) ratio: Option<Field<Number>>,
    pub(crate) segments: SegmentsLayout,
    /// A list inside a share that divides it again, laid out as the shares are.
    pub(crate) parts: Option<Place>,
}

/// Dimension values of a share: a list of pairs, or one member for each dimension.
#[derive(Debug, Deserialize)]
#[serde(try_from = "SegmentsTable")]
pub(crate) enum SegmentsLayout {
    Pairs(Box<PairsLayout>),
    Members(BTreeMap<String, Field<Text>>),
}

#[derive(Debug)]
pub(crate) struct PairsLayout {
    pub(crate) list: Place,
    pub(crate) dimension: Field<Text>,
    pub(crate) value: Field<Text>,
    /// Names that are no dimensions.
    pub(crate) skip: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentsTable {
    list: Option<Place>,
    dimension: Option<Field<Text>>,
    value: Option<Field<Text>>,
    #[serde(default)]
    skip: Vec<String>,
    #[serde(default)]
    members: BTreeMap<String, Field<Text>>,
}

impl TryFrom<SegmentsTable> for SegmentsLayout {
    type Error = String;

    fn try_from(table: SegmentsTable) -> Result<Self, String> {
        match (table.list, table.dimension, table.value) {
            (Some(list), Some(dimension), Some(value)) if table.members.is_empty() => {
                Ok(Self::Pairs(Box::new(PairsLayout { list, dimension, value, skip: table.skip })))
            }
            (None, None, None) if !table.members.is_empty() => Ok(Self::Members(table.members)),
            _ => {
                Err("segments are either `list`, `dimension` and `value`, or `members`".to_owned())
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentLayout {
    pub(crate) list: OneOrMany<Place>,
    pub(crate) id: Field<Text>,
    pub(crate) file_name: Option<Field<Text>>,
    pub(crate) content_type: Option<Field<Text>>,
    pub(crate) size: Option<Field<Count>>,
    pub(crate) path: Option<Field<Text>>,
    /// Around the path (`{path}`), or, without one, made of `{id}`, `{file_name}`, `{document}`.
    pub(crate) template: Option<String>,
}

/// How a supplier's master record stands in a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VendorLayout {
    pub(crate) erp_number: Option<Field<Text>>,
    pub(crate) erp_numbers: Option<ErpNumbersLayout>,
    pub(crate) name: Field<Text>,
    /// Trade names, earlier names: a text or a list of them at each place, and all places count.
    #[serde(default)]
    pub(crate) other_names: OneOrMany<Place>,
    pub(crate) active: Option<Field<Flag>>,
    pub(crate) parent: Option<Field<Text>>,
    pub(crate) remit_to: Option<Field<Text>>,
    pub(crate) organisation_number: Option<Field<Text>>,
    pub(crate) vat_number: Option<Field<Text>>,
    pub(crate) duns: Option<Field<Text>>,
    pub(crate) gln: Option<Field<Text>>,
    pub(crate) country: Option<Field<Text>>,
    pub(crate) currency: Option<Field<Text>>,
    pub(crate) category: Option<Field<Text>>,
    pub(crate) address: Option<AddressLayout>,
    #[serde(default)]
    pub(crate) bank_accounts: Vec<BankAccountLayout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressLayout {
    pub(crate) street: Option<Field<Text>>,
    pub(crate) postal_code: Option<Field<Text>>,
    pub(crate) city: Option<Field<Text>>,
}

/// One place where accounts of one kind stand: in a list of objects, or (without `list`) in one
/// plain member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BankAccountLayout {
    pub(crate) kind: BankAccountKind,
    pub(crate) list: Option<Place>,
    pub(crate) number: Field<Text>,
}

/// Another ERP number for each business unit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErpNumbersLayout {
    pub(crate) list: Place,
    pub(crate) business_unit: Field<Text>,
    pub(crate) number: Field<Text>,
}
