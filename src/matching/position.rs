//! What the comparison looks at and what it says. Order lines and invoice lines as plain numbers:
//! who they are was found before.

use crate::procurement::{Currency, InvoiceKind, Money, OrderLineKind};
use rust_decimal::Decimal;

/// Beyond these nothing is reckoned with, so that sums cannot overflow.
pub(super) const LARGEST: Decimal = Decimal::from_parts(0x6310_0000, 0x6bc7_5e2d, 5, false, 0);
pub const LARGEST_QUANTITY: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);

/// An order line with all its shares, and what happened to it so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The ERP's order number and its number of the (first) line.
    pub order: String,
    pub line: i64,
    /// For people: `line 10 of order PO-1`.
    pub shown: String,
    pub kind: OrderLineKind,
    pub description: String,
    pub item: Option<String>,
    pub category: Option<String>,
    /// The ERP's, when all its shares are on one.
    pub account: Option<String>,
    /// `None`: ordered by amount.
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub price: Option<Price>,
    pub net: Money,
    /// The line is completed with less than was ordered: no more than this will ever be billed.
    pub ended_at: Option<Decimal>,
    pub received: Received,
    pub billed: BilledBefore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub amount: Decimal,
    /// For so many units.
    pub basis: Decimal,
    /// Where it is kept it is rounded to so many decimals. `None`: it stands as it was agreed.
    pub rounded_to: Option<u32>,
}

/// What arrived of an order line, less what went back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// In the order line's unit.
    pub quantity: Decimal,
    /// Received by amount instead.
    pub amount: Decimal,
    /// A unit that cannot be converted into the order line's.
    pub unknown_unit: Option<String>,
}

/// What other documents bill of an order line; credit notes gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledBefore {
    pub quantity: Decimal,
    pub net: Money,
    /// Some of it was billed without a quantity.
    pub by_amount: bool,
    /// As people know them, sorted. Empty: nothing is known to be billed.
    pub documents: Vec<String>,
}

/// An invoice line and the order line that it bills.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The source line's key, and its number for people.
    pub key: String,
    pub number: String,
    /// Index of the position.
    pub position: usize,
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    /// As the invoice states it, net of tax.
    pub unit_price: Option<Decimal>,
    pub price_basis: Option<Decimal>,
    /// After the line's discounts, net of tax.
    pub net: Money,
}

/// The invoice, as far as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    pub kind: InvoiceKind,
    /// The ERP's supplier number.
    pub supplier: String,
    pub currency: Currency,
    pub claims: Vec<Claim>,
    /// Freight and other charges, which stand on no order. Discounts and rounding are not in it.
    pub charges: Money,
    /// What is left to bill on the orders that the invoice names, as they stand.
    pub left_on_orders: Money,
}

/// What of an invoice does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deviation {
    PriceOver,
    PriceUnder,
    QuantityOver,
    QuantityUnder,
    LineOver,
    LineUnder,
    HeaderOver,
    ChargeOver,
    UnitNotConvertible,
    CeilingExceeded,
}

/// A deviation beyond its limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beyond {
    pub what: Deviation,
    /// `Line 2`, `Lines 2 and 3`, `The invoice`.
    pub at: String,
    /// With the numbers: `price 104.00 against 100.00, limit 3 %, 1.00 over`.
    pub how: String,
}

/// Goods that must arrive first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The ERP's order number.
    pub order: String,
    pub at: String,
    /// `12 billed, 10 received: 2 more must arrive`.
    pub how: String,
}

/// What became of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub key: String,
    pub number: String,
    pub position: usize,
    /// Receipts were looked at too.
    pub three_way: bool,
    /// Nothing was compared; the text says why.
    pub skipped: bool,
    /// In the order line's unit.
    pub quantity: Option<Decimal>,
    pub net: Money,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub lines: Vec<Compared>,
    pub beyond: Vec<Beyond>,
    pub missing: Vec<Missing>,
    /// What deviates and passes, one sentence each.
    pub remarks: Vec<String>,
}

impl Position {
    /// What so many of the order line's units cost by the order.
    pub(super) fn value(&self, quantity: Decimal) -> Option<Decimal> {
        let price = self.price?;
        let value = quantity.checked_mul(price.amount)?.checked_div(price.basis)?;
        (value.abs() <= LARGEST).then_some(value)
    }
}

impl BilledBefore {
    pub fn nothing(currency: Currency) -> Self {
        Self {
            quantity: Decimal::ZERO,
            net: Money::zero(currency),
            by_amount: false,
            documents: Vec::new(),
        }
    }
}
