//! Dividing a line over its distributions, exact to the minor unit.

use super::{Distribution, Money};
use rust_decimal::{Decimal, RoundingStrategy};

/// Why a line cannot be divided as its distributions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllocationFault {
    /// The shares' amounts do not add up to the line.
    Amounts {
        sum: Money,
    },
    /// The shares' percentages do not add up to 100.
    Percents {
        sum: Decimal,
    },
    /// Some shares say neither amount nor percent, or some the one and some the other.
    Unclear,
    TooLarge,
}

/// The amount of each share. Amounts count as they are and must add up; percentages are rounded
/// half away from zero, and **the last share takes what is left**, so the sum is always exact.
/// No distribution at all is one share over everything.
pub fn allocate(whole: Money, shares: &[Distribution]) -> Result<Vec<Money>, AllocationFault> {
    if let [] | [Distribution { amount: None, percent: None, .. }] = shares {
        return Ok(vec![whole]);
    }
    if let Some(amounts) = shares.iter().map(|share| share.amount).collect::<Option<Vec<_>>>() {
        let mut sum = Money::zero(whole.currency);
        for amount in &amounts {
            sum = sum.checked_add(*amount).map_err(|_| AllocationFault::TooLarge)?;
        }
        return if sum == whole { Ok(amounts) } else { Err(AllocationFault::Amounts { sum }) };
    }
    let percents = shares
        .iter()
        .map(|share| share.percent.filter(|_| share.amount.is_none()))
        .collect::<Option<Vec<_>>>()
        .ok_or(AllocationFault::Unclear)?;
    let mut sum = Decimal::ZERO;
    for percent in &percents {
        if percent.is_sign_negative() && !percent.is_zero() {
            return Err(AllocationFault::Unclear);
        }
        sum = sum.checked_add(*percent).ok_or(AllocationFault::TooLarge)?;
    }
    if sum != Decimal::ONE_HUNDRED {
        return Err(AllocationFault::Percents { sum });
    }
    let rounded = by_percent(whole, &percents, RoundingStrategy::MidpointAwayFromZero)?;
    // Many shares of very little can round up to more than there is. Rounded toward zero, what
    // is left for the last share has the sign of the whole.
    match rounded.last() {
        Some(last) if last.minor != 0 && last.minor.signum() != whole.minor.signum() => {
            by_percent(whole, &percents, RoundingStrategy::ToZero)
        }
        _ => Ok(rounded),
    }
}

fn by_percent(
    whole: Money,
    percents: &[Decimal],
    rounding: RoundingStrategy,
) -> Result<Vec<Money>, AllocationFault> {
    let mut left = whole;
    let mut amounts = Vec::with_capacity(percents.len());
    let (_, but_last) = percents.split_last().ok_or(AllocationFault::Unclear)?;
    for percent in but_last {
        let exact = Decimal::from(whole.minor)
            .checked_mul(*percent)
            .and_then(|exact| exact.checked_div(Decimal::ONE_HUNDRED))
            .ok_or(AllocationFault::TooLarge)?;
        let minor = i64::try_from(exact.round_dp_with_strategy(0, rounding))
            .map_err(|_| AllocationFault::TooLarge)?;
        let share = Money::new(minor, whole.currency);
        left = left.checked_add(share.negated()).map_err(|_| AllocationFault::TooLarge)?;
        amounts.push(share);
    }
    amounts.push(left);
    Ok(amounts)
}

/// Quantity and unit price of a source line, as it states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    pub quantity: Option<Decimal>,
    pub unit_price: Option<Decimal>,
    /// The price is for this many units; 1 when absent.
    pub price_basis: Option<Decimal>,
}

/// Decimals of a share's quantity.
const QUANTITY_DECIMALS: u32 = 6;

/// Quantity and unit cost of one share, whose product rounded to the minor unit is exactly
/// `cost`. First the line's own price; then the price that the cost implies; when neither is
/// exact in `unit_cost_decimals`, a quantity of 1 at the whole cost.
pub fn quantity_and_cost(
    line: Priced,
    line_net: Money,
    cost: Money,
    unit_cost_decimals: u32,
) -> (Decimal, Decimal) {
    let exact = |quantity: Decimal, unit_cost: Decimal| -> Option<(Decimal, Decimal)> {
        let unit_cost = unit_cost
            .round_dp_with_strategy(unit_cost_decimals, RoundingStrategy::MidpointAwayFromZero);
        let product = Money::rounded(quantity.checked_mul(unit_cost)?, cost.currency).ok()?;
        (product == cost).then(|| (quantity.normalize(), unit_cost.normalize()))
    };
    let share_quantity = || -> Option<Decimal> {
        let quantity = line.quantity?;
        let share = if cost == line_net {
            quantity
        } else {
            quantity
                .checked_mul(cost.amount())?
                .checked_div(line_net.amount())?
                .round_dp_with_strategy(QUANTITY_DECIMALS, RoundingStrategy::MidpointAwayFromZero)
        };
        (!share.is_zero()).then_some(share)
    };
    share_quantity()
        .and_then(|quantity| {
            let stated = || {
                let basis = line.price_basis.unwrap_or(Decimal::ONE);
                exact(quantity, line.unit_price?.checked_div(basis)?)
            };
            let implied = || exact(quantity, cost.amount().checked_div(quantity)?);
            stated().or_else(implied)
        })
        .unwrap_or_else(|| (Decimal::ONE, cost.amount().normalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::Currency;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn share(amount: Option<i64>, percent: Option<&str>) -> Distribution {
        Distribution {
            percent: percent.map(|percent| percent.parse().unwrap()),
            amount: amount.map(nok),
            segments: BTreeMap::new(),
        }
    }

    fn nok(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_is_divided_exactly() {
        let percent = |text| share(None, Some(text));
        let amount = |minor| share(Some(minor), None);
        let cases = [
            (100, vec![], Ok(vec![100])),
            (100, vec![share(None, None)], Ok(vec![100])),
            (100, vec![percent("100")], Ok(vec![100])),
            (100, vec![amount(60), amount(40)], Ok(vec![60, 40])),
            (100, vec![amount(160), amount(-60)], Ok(vec![160, -60])),
            // Amount beats percent.
            (100, vec![share(Some(99), Some("50")), share(Some(1), Some("50"))], Ok(vec![99, 1])),
            (100, vec![percent("33.33"), percent("33.33"), percent("33.34")], Ok(vec![33, 33, 34])),
            (-100, vec![percent("33.5"), percent("66.5")], Ok(vec![-34, -66])),
            (5, vec![percent("50"), percent("50")], Ok(vec![3, 2])),
            // Rounded half up this would be 1, 1, 1, 1 and -1.
            (3, vec![percent("20"); 5], Ok(vec![0, 0, 0, 0, 3])),
            (0, vec![percent("50"), percent("50")], Ok(vec![0, 0])),
            (100, vec![amount(60), amount(41)], Err(AllocationFault::Amounts { sum: nok(101) })),
            (100, vec![percent("33.33"); 3], Err(AllocationFault::Percents { sum: dec("99.99") })),
            (100, vec![percent("50"), amount(50)], Err(AllocationFault::Unclear)),
            (100, vec![share(None, None); 2], Err(AllocationFault::Unclear)),
            (100, vec![percent("150"), percent("-50")], Err(AllocationFault::Unclear)),
        ];
        for (whole, shares, expected) in cases {
            let got = allocate(nok(whole), &shares)
                .map(|shares| shares.iter().map(|share| share.minor).collect::<Vec<_>>());
            assert_eq!(got, expected, "{whole} over {shares:?}");
        }
    }

    #[test]
    fn a_share_has_a_quantity_and_a_price_that_multiply_to_it() {
        // line quantity, unit price, basis, line net, share, decimals -> quantity, unit cost
        let cases = [
            (Some("10"), Some("12.50"), None, 12_500, 12_500, 4, "10", "12.5"),
            (Some("10"), Some("12.50"), None, 12_500, 5_000, 4, "4", "12.5"),
            (Some("3"), Some("100"), None, 30_000, 10_000, 4, "1", "100"),
            // Price per 100.
            (Some("250"), Some("80"), Some("100"), 20_000, 20_000, 4, "250", "0.8"),
            // A discount: the price that the amount implies.
            (Some("10"), Some("100"), None, 90_000, 90_000, 4, "10", "90"),
            // 100 / 3 has no exact price in four decimals, but 33.3333 x 3 rounds to 100.00.
            (Some("3"), None, None, 10_000, 10_000, 4, "3", "33.3333"),
            // In two decimals it does not.
            (Some("3"), None, None, 10_000, 10_000, 2, "1", "100"),
            (Some("-2"), Some("50"), None, -10_000, -10_000, 4, "-2", "50"),
            (None, None, None, 10_050, 10_050, 4, "1", "100.5"),
            (Some("0"), Some("5"), None, 10_000, 10_000, 4, "1", "100"),
            (Some("4"), Some("0"), None, 0, 0, 4, "4", "0"),
            (Some("4"), Some("10"), None, 0, 0, 4, "4", "0"),
            // Shares that cancel out on a line of nothing.
            (Some("4"), Some("10"), None, 0, 500, 4, "1", "5"),
            (Some("10"), Some("1"), Some("0"), 1_000, 1_000, 4, "10", "1"),
        ];
        for (quantity, price, basis, net, cost, decimals, want_quantity, want_cost) in cases {
            let line = Priced {
                quantity: quantity.map(dec),
                unit_price: price.map(dec),
                price_basis: basis.map(dec),
            };
            let got = quantity_and_cost(line, nok(net), nok(cost), decimals);
            assert_eq!(got, (dec(want_quantity), dec(want_cost)), "{line:?} {net} {cost}");
        }
    }

    fn currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec!["NOK", "EUR", "ISK", "KWD"])
            .prop_map(|code| Currency::parse(code).expect("a known code"))
    }

    proptest! {
        #[test]
        fn percent_shares_add_up_and_keep_their_sign(
            minor in -1_000_000_000_i64..1_000_000_000,
            currency in currency(),
            cuts in prop::collection::vec(0_i64..=10_000, 0..8),
        ) {
            let mut cuts = cuts;
            cuts.extend([0, 10_000]);
            cuts.sort_unstable();
            let shares: Vec<Distribution> = cuts
                .windows(2)
                .map(|pair| Distribution {
                    percent: Some(Decimal::new(pair[1] - pair[0], 2)),
                    amount: None,
                    segments: BTreeMap::new(),
                })
                .collect();
            let whole = Money::new(minor, currency);
            let amounts = allocate(whole, &shares).expect("the percentages add up");
            prop_assert_eq!(amounts.len(), shares.len());
            prop_assert_eq!(amounts.iter().map(|share| share.minor).sum::<i64>(), minor);
            for share in &amounts {
                prop_assert!(share.minor == 0 || share.minor.signum() == minor.signum());
            }
        }

        #[test]
        fn quantity_times_price_is_always_the_cost(
            net in -1_000_000_000_i64..1_000_000_000,
            cost in -1_000_000_000_i64..1_000_000_000,
            currency in currency(),
            quantity in prop::option::of(-10_000_000_i64..10_000_000),
            price in prop::option::of(0_i64..100_000_000),
            basis in prop::option::of(0_i64..1_000),
            decimals in 0_u32..7,
        ) {
            // A currency's own decimals are the least that a price can have.
            let decimals = decimals.max(currency.decimals());
            let line = Priced {
                quantity: quantity.map(|quantity| Decimal::new(quantity, 3)),
                unit_price: price.map(|price| Decimal::new(price, 4)),
                price_basis: basis.map(Decimal::from),
            };
            let (net, cost) = (Money::new(net, currency), Money::new(cost, currency));
            let (quantity, unit_cost) = quantity_and_cost(line, net, cost, decimals);
            prop_assert_eq!(Money::rounded(quantity * unit_cost, currency), Ok(cost));
            prop_assert!(unit_cost.scale() <= decimals);
            prop_assert!(!quantity.is_zero());
        }
    }
}
