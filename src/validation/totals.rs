//! Quantity times price against a line's amount, and rounding of the whole.

use crate::procurement::{Charge, ChargeKind, InvoiceLine, Money};
use rust_decimal::Decimal;

/// A line whose amount is not what its quantity and price come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAmount {
    pub computed: Money,
    /// The line bills more than that. Less may well be a discount that the source does not show.
    pub over: bool,
}

/// `None`: it fits, or quantity and price do not both stand there.
///
/// A price is known to its last decimal, but to no coarser one than the currency's; so a price of
/// 1.33 for a third of 4.00 fits 1,000 pieces at 1333.33. One minor unit more is the line's own
/// rounding. Signs are not compared: sources write returned goods as they like, and the sum of the
/// lines shows which they meant.
pub fn line_amount(line: &InvoiceLine) -> Option<LineAmount> {
    let (quantity, price) = (line.quantity?, line.unit_price?);
    let basis = line.price_basis.filter(|basis| !basis.is_zero()).unwrap_or(Decimal::ONE);
    let currency = line.net.currency;
    let exact = quantity.checked_mul(price)?.checked_div(basis)?.abs();
    let decimals = price.scale().max(currency.decimals()).min(28);
    let half_a_step = Decimal::new(5, (decimals + 1).min(28));
    let of_price = quantity.abs().checked_mul(half_a_step)?.checked_div(basis.abs())?;
    let allowed = of_price.checked_add(Decimal::new(1, currency.decimals()))?;
    let stated = line.net.amount().abs();
    if (stated - exact).abs() <= allowed {
        return None;
    }
    Some(LineAmount { computed: Money::rounded(exact, currency).ok()?, over: stated > exact })
}

/// What the rounding on the header comes to. `None` when it cannot be computed.
pub fn rounding(charges: &[Charge], zero: Money) -> Option<Money> {
    charges
        .iter()
        .filter(|charge| charge.kind == ChargeKind::Rounding)
        .try_fold(zero, |sum, charge| sum.checked_add(charge.amount).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;

    #[test]
    fn quantity_times_price_against_the_line() {
        let cases = [
            // quantity, price, basis, net in minor units, expected
            ("10", "100", None, 100_000, None),
            ("3", "0.333", None, 100, None),
            // 1,330.00 with a price that is known to the øre: 5.00 of room, and the line's own øre.
            ("1000", "1.33", None, 133_333, None),
            ("1000", "1.33", None, 133_501, None),
            ("1000", "1.33", None, 133_502, Some((133_000, true))),
            ("1000", "1.33", None, 132_499, None),
            ("1000", "1.33", None, 132_498, Some((133_000, false))),
            // A whole price is one to the øre.
            ("10", "100", None, 100_006, None),
            ("10", "100", None, 100_007, Some((100_000, true))),
            ("250", "104.00", Some("100"), 26_000, None),
            ("250", "104.00", Some("100"), 26_004, Some((26_000, true))),
            ("250", "104.00", Some("0"), 26_000, Some((2_600_000, false))),
            ("-2", "50", None, -10_000, None),
            ("2", "50", None, -10_000, None),
            ("-2", "50", None, -10_100, Some((10_000, true))),
            ("0", "50", None, 0, None),
            ("0", "50", None, 5_000, Some((0, true))),
            ("1", "0", None, 100, Some((0, true))),
        ];
        for (quantity, price, basis, net, expected) in cases {
            let number = |text: &str| text.parse::<Decimal>().expect("a number");
            let line = InvoiceLine {
                key: "1".into(),
                number: "1".into(),
                order: None,
                item: None,
                description: String::new(),
                commodity: None,
                quantity: Some(number(quantity)),
                unit: None,
                unit_price: Some(number(price)),
                price_basis: basis.map(number),
                net: Money::new(net, Currency::NOK),
                taxes: vec![],
                distributions: vec![],
            };
            let found = line_amount(&line).map(|found| (found.computed.minor, found.over));
            assert_eq!(found, expected, "{quantity} x {price} / {basis:?} = {net}");
            let unpriced = InvoiceLine { unit_price: None, ..line };
            assert_eq!(line_amount(&unpriced), None);
        }
    }
}
