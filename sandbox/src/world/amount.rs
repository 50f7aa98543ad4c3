//! Exact amounts: rounding, splitting over shares, VAT per rate.

use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals of the minor unit, as ISO 4217 has them for the currencies used here.
pub fn decimals(currency: &str) -> u32 {
    if currency == "ISK" { 0 } else { 2 }
}

/// Half away from zero, to the minor unit.
pub fn rounded(amount: Decimal, currency: &str) -> Decimal {
    let mut amount =
        amount.round_dp_with_strategy(decimals(currency), RoundingStrategy::MidpointAwayFromZero);
    amount.rescale(decimals(currency));
    amount
}

/// In the minor unit (øre, cent; whole krónur).
pub fn minor(amount: Decimal, currency: &str) -> i64 {
    let factor = Decimal::from(10_i64.pow(decimals(currency)));
    i64::try_from((amount * factor).trunc()).expect("generated amounts are small")
}

/// Splits an amount by percents: each share is rounded, the last takes what is left.
pub fn split(amount: Decimal, percents: &[Decimal], currency: &str) -> Vec<Decimal> {
    let mut left = amount;
    let mut shares = Vec::with_capacity(percents.len());
    for (index, percent) in percents.iter().enumerate() {
        let share = if index + 1 == percents.len() {
            left
        } else {
            rounded(amount * percent / Decimal::ONE_HUNDRED, currency)
        };
        left -= share;
        shares.push(share);
    }
    shares
}

/// VAT on a base, in percent.
pub fn vat(base: Decimal, rate: Decimal, currency: &str) -> Decimal {
    rounded(base * rate / Decimal::ONE_HUNDRED, currency)
}

/// The shortest text of a decimal: `10`, `2.5`.
pub fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn rounds_half_away_from_zero_to_the_currency() {
        for (amount, currency, expected) in [
            ("1.005", "NOK", "1.01"),
            ("-1.005", "NOK", "-1.01"),
            ("1.004", "NOK", "1.00"),
            ("10.5", "ISK", "11"),
            ("10", "EUR", "10.00"),
        ] {
            assert_eq!(rounded(decimal(amount), currency).to_string(), expected, "{amount}");
        }
    }

    #[test]
    fn the_last_share_takes_the_rest() {
        let third = decimal("33.333333");
        let shares = split(decimal("100.00"), &[third, third, decimal("33.333334")], "NOK");
        assert_eq!(shares, [decimal("33.33"), decimal("33.33"), decimal("33.34")]);
    }

    #[test]
    fn minor_units_by_currency() {
        assert_eq!(minor(decimal("12.30"), "NOK"), 1230);
        assert_eq!(minor(decimal("1200"), "ISK"), 1200);
    }
}
