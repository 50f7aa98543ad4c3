use super::{Currency, Distribution, Money, Ripeness, TaxLine, VendorRef};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What was ordered from a supplier, at one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseOrder {
    /// The source's own id, kept as text.
    pub source_id: String,
    /// The number that people and invoices use.
    pub number: String,
    /// 0 or 1 at first, higher with every change order. `None`: the source does not count
    /// revisions; then the latest content received is the latest revision.
    pub revision: Option<i64>,
    pub ripeness: Ripeness,
    /// The status words as received, for messages.
    pub status: String,
    pub business_unit: Option<String>,
    /// The code of the address that the goods go to. Bears on routing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<String>,
    pub vendor: VendorRef,
    pub currency: Currency,
    pub ordered_on: Date,
    pub promised_on: Option<Date>,
    pub description: Option<String>,
    pub terms: Option<String>,
    pub net: Option<Money>,
    pub gross: Option<Money>,
    pub lines: Vec<OrderLine>,
}

impl PurchaseOrder {
    /// Net of VAT as the order states it, else the sum of its lines in force.
    pub fn net_in_all(&self) -> Option<Money> {
        self.net.or_else(|| {
            let lines = self.lines.iter().filter(|line| !line.cancelled);
            lines
                .map(|line| line.net)
                .try_fold(Money::zero(self.currency), |sum, net| sum.checked_add(net).ok())
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Stable over revisions: the source's line id, else the line number.
    pub key: String,
    /// As text; numbers may come in steps of ten.
    pub number: String,
    pub cancelled: bool,
    pub kind: OrderLineKind,
    /// The number of the contract that the line draws on.
    pub contract: Option<String>,
    pub item: Option<String>,
    pub description: String,
    pub commodity: Option<String>,
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub unit_price: Option<Decimal>,
    /// The price is for this many units; 1 when absent.
    pub price_basis: Option<Decimal>,
    pub net: Money,
    pub taxes: Vec<TaxLine>,
    pub distributions: Vec<Distribution>,
    pub requested_on: Option<Date>,
}

/// How an order line is fulfilled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderLineKind {
    Goods,
    Service,
    /// A blanket line: its net is a ceiling, and quantity and price mean nothing.
    Limit,
    /// The source does not say.
    #[default]
    Unspecified,
}
