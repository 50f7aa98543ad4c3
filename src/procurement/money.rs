use super::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in the minor unit of its currency (øre, cent). Never a float.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{amount} has more decimals than {currency} has ({decimals})")]
    TooFine { amount: Decimal, currency: Currency, decimals: u32 },
    #[error("{amount} {currency} is too large")]
    TooLarge { amount: Decimal, currency: Currency },
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch { left: Currency, right: Currency },
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Exact: an amount finer than the minor unit is an error, not a rounding.
    pub fn exact(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let decimals = currency.decimals();
        if amount.round_dp(decimals) != amount {
            return Err(MoneyError::TooFine { amount, currency, decimals });
        }
        Self::rounded(amount, currency)
    }

    /// Rounded half away from zero to the minor unit.
    pub fn rounded(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let too_large = || MoneyError::TooLarge { amount, currency };
        let scaled = amount
            .checked_mul(Decimal::from(10_i64.pow(currency.decimals())))
            .ok_or_else(too_large)?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        let minor = i64::try_from(scaled).map_err(|_| too_large())?;
        Ok(Self { minor, currency })
    }

    pub fn amount(&self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::TooLarge { amount: self.amount(), currency: self.currency })?;
        Ok(Self { minor, currency: self.currency })
    }

    pub fn negated(self) -> Self {
        Self { minor: -self.minor, currency: self.currency }
    }

    pub fn is_zero(&self) -> bool {
        self.minor == 0
    }
}

/// `1234.50 NOK`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    amount: String,
    currency: Currency,
}

impl From<Money> for Wire {
    fn from(money: Money) -> Self {
        Self { amount: money.amount().to_string(), currency: money.currency }
    }
}

impl TryFrom<Wire> for Money {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let amount: Decimal =
            wire.amount.parse().map_err(|_| format!("`{}` is not an amount", wire.amount))?;
        Self::exact(amount, wire.currency).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finer_than_the_minor_unit_is_refused_or_rounded() {
        let cases = [
            ("NOK", "1.00", Some(100), 100),
            ("NOK", "1.005", None, 101),
            ("NOK", "-1.005", None, -101),
            ("NOK", "1.0040", None, 100),
            ("ISK", "1", Some(1), 1),
            ("ISK", "1.5", None, 2),
            ("KWD", "1.005", Some(1_005), 1_005),
        ];
        for (code, text, exact, rounded) in cases {
            let (amount, currency) =
                (text.parse().expect("a number"), Currency::parse(code).expect("a code"));
            let minor = |of: Result<Money, MoneyError>| of.ok().map(|of| of.minor);
            assert_eq!(minor(Money::exact(amount, currency)), exact, "{text} {code}");
            assert_eq!(minor(Money::rounded(amount, currency)), Some(rounded), "{text} {code}");
        }
        let (one, zero) = (Money::new(1, Currency::NOK), Money::zero(Currency::NOK));
        assert_eq!(one.checked_add(one.negated()), Ok(zero));
        assert!(zero.is_zero() && !one.is_zero());
        assert_eq!(format!("{one:?}"), "0.01 NOK");
    }
}
