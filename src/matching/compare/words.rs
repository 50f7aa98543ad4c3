//! Numbers and places as people read them.

use crate::matching::position::{Beyond, Claim};
use crate::procurement::{Currency, Money};
use rust_decimal::{Decimal, RoundingStrategy};

pub(super) fn passes(beyond: &Beyond) -> String {
    format!("{}: {}; this passes as a small difference.", beyond.at, beyond.how)
}

pub(super) fn unit(unit: &Option<String>) -> &str {
    unit.as_deref().unwrap_or("no unit")
}

/// `Line 2`, `Lines 2 and 3`.
pub(super) fn at(claims: &[&Claim]) -> String {
    let numbers: Vec<&str> = claims.iter().map(|claim| claim.number.as_str()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [only] => format!("Line {only}"),
        [first @ .., last] => format!("Lines {} and {last}", first.join(", ")),
    }
}

pub(super) fn round(number: Decimal, decimals: u32) -> Decimal {
    number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

pub(super) fn plain(quantity: Decimal) -> String {
    quantity.normalize().to_string()
}

/// A price with at least the currency's decimals, and at most six.
pub(super) fn decimal(price: Decimal, currency: Currency) -> String {
    let mut price = round(price, 6).normalize();
    price.rescale(price.scale().max(currency.decimals()));
    price.to_string()
}

pub(super) fn money(amount: Decimal, currency: Currency) -> String {
    match Money::rounded(amount, currency) {
        Ok(money) => money.to_string(),
        Err(_) => format!("{amount} {currency}"),
    }
}
