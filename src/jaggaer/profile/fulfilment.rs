//! How receipts and contracts stand in a document.

use super::field::{Field, OneOrMany};
use super::kind::{Amount, Day, Flag, Quantity, Text};
use super::layout::VendorRefLayout;
use super::place::Place;
use serde::Deserialize;

/// How a receipt of goods or services stands in a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptLayout {
    pub(crate) number: Field<Text>,
    pub(crate) received_on: Option<Field<Day>>,
    pub(crate) cancelled: Option<Field<Flag>>,
    pub(crate) lines: ReceiptLineLayout,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "ReceiptLineTable")]
pub(crate) struct ReceiptLineLayout {
    pub(crate) list: OneOrMany<Place>,
    pub(crate) order: Field<Text>,
    pub(crate) line_number: Option<Field<Text>>,
    pub(crate) line_key: Option<Field<Text>>,
    pub(crate) quantity: Option<Field<Quantity>>,
    pub(crate) unit: Option<Field<Text>>,
    /// The amount with its currency: lines of one receipt may be of several orders.
    pub(crate) amount: Option<(Field<Amount>, Field<Text>)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptLineTable {
    list: OneOrMany<Place>,
    order: Field<Text>,
    line_number: Option<Field<Text>>,
    line_key: Option<Field<Text>>,
    quantity: Option<Field<Quantity>>,
    unit: Option<Field<Text>>,
    amount: Option<Field<Amount>>,
    currency: Option<Field<Text>>,
}

impl TryFrom<ReceiptLineTable> for ReceiptLineLayout {
    type Error = String;

    fn try_from(table: ReceiptLineTable) -> Result<Self, String> {
        let amount = match (table.amount, table.currency) {
            (Some(amount), Some(currency)) => Some((amount, currency)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err("`amount` and `currency` of a receipt's lines belong together".into());
            }
        };
        if table.quantity.is_none() && amount.is_none() {
            return Err(
                "a receipt's lines need `quantity` or `amount`: else they say nothing".into()
            );
        }
        Ok(Self {
            list: table.list,
            order: table.order,
            line_number: table.line_number,
            line_key: table.line_key,
            quantity: table.quantity,
            unit: table.unit,
            amount,
        })
    }
}

/// How a contract stands in a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContractLayout {
    pub(crate) number: Field<Text>,
    /// Signed and not ended early. Needed: a contract is never in force by default.
    pub(crate) in_force: Field<Flag>,
    pub(crate) vendor: VendorRefLayout,
    pub(crate) starts_on: Option<Field<Day>>,
    pub(crate) ends_on: Option<Field<Day>>,
    pub(crate) currency: Option<Field<Text>>,
    pub(crate) ceiling: Option<Field<Amount>>,
    pub(crate) consumed: Option<Field<Amount>>,
}
