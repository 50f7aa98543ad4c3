//! Dividing a line over its distributions, exact to the minor unit.

use super::{Distribution, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// Why a line cannot be divided as its distributions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllocationFault {
    /// The shares' amounts do not add up to the whole.
    Amounts {
        sum: Money,
        whole: Money,
    },
    /// The shares' percentages do not add up to 100.
    Percents {
        sum: Decimal,
    },
    /// The shares' quantities do not add up to the whole.
    Quantities {
        sum: Decimal,
        whole: Decimal,
    },
    /// The shares do not all say the same sort of thing, or say less than nothing.
    Unclear,
    TooLarge,
}

/// What is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    pub net: Money,
    pub quantity: Option<Decimal>,
}

/// Minor units that the last share may be off, so that the others are what anybody would compute.
const LAST_IS_OFF_AT_MOST: i64 = 5;

/// The dimension values of each part: the leaves of the tree of shares, in order, each with what the
/// shares above it say where it says nothing itself. No distribution at all is one part without any.
pub fn parts(shares: &[Distribution]) -> Vec<BTreeMap<String, String>> {
    fn collect(
        shares: &[Distribution],
        above: &BTreeMap<String, String>,
        into: &mut Vec<BTreeMap<String, String>>,
    ) {
        for share in shares {
            let mut segments = above.clone();
            segments.extend(share.segments.iter().map(|(k, v)| (k.clone(), v.clone())));
            if share.parts.is_empty() {
                into.push(segments);
            } else {
                collect(&share.parts, &segments, into);
            }
        }
    }
    let mut found = Vec::new();
    if shares.is_empty() {
        found.push(BTreeMap::new());
    }
    collect(shares, &BTreeMap::new(), &mut found);
    found
}

/// The net amount of each part, in the order of [`parts`]; together always exactly the whole.
///
/// The shares of one level count by the first of these that they say: amount, percent, quantity,
/// ratio. All of them must say it. Amounts must add up to the whole, percentages to 100, quantities
/// to the line's quantity (to anything where it has none); ratios only compare. Amounts count as they
/// are. Everything else is rounded half away from zero to the minor unit, and **the last share takes
/// what is left**. Where many small shares would leave the last one another sign, or more than
/// 5 minor units beside its exact part, every share is rounded toward zero instead, and the minor
/// units left go one each to the shares that lost most, of equals to the earlier ones.
pub fn allocate(whole: Whole, shares: &[Distribution]) -> Result<Vec<Money>, AllocationFault> {
    let mut amounts = Vec::new();
    divide(whole, shares, &mut amounts)?;
    Ok(amounts)
}

fn divide(
    whole: Whole,
    shares: &[Distribution],
    into: &mut Vec<Money>,
) -> Result<(), AllocationFault> {
    if shares.is_empty() {
        into.push(whole.net);
        return Ok(());
    }
    for (share, net) in shares.iter().zip(allocate_level(whole, shares)?) {
        divide(Whole { net, quantity: share.quantity }, &share.parts, into)?;
    }
    Ok(())
}

/// The net of each share of one level, whatever is below it.
pub fn allocate_level(
    whole: Whole,
    shares: &[Distribution],
) -> Result<Vec<Money>, AllocationFault> {
    if let [only] = shares
        && only.amount.is_none()
        && only.percent.is_none()
    {
        // Quantity and ratio of an only share say nothing about it.
        return Ok(vec![whole.net]);
    }
    if let Some(amounts) = said_by_all(shares, |share| share.amount)? {
        let mut sum = Money::zero(whole.net.currency);
        for amount in &amounts {
            sum = sum.checked_add(*amount).map_err(|_| AllocationFault::TooLarge)?;
        }
        return match sum == whole.net {
            true => Ok(amounts),
            false => Err(AllocationFault::Amounts { sum, whole: whole.net }),
        };
    }
    by_weight(whole.net, &weights(whole, shares)?)
}

fn weights(whole: Whole, shares: &[Distribution]) -> Result<Vec<Decimal>, AllocationFault> {
    let sum = |numbers: &[Decimal]| {
        numbers
            .iter()
            .try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number))
            .ok_or(AllocationFault::TooLarge)
    };
    let below_zero = |number: &Decimal| number.is_sign_negative() && !number.is_zero();
    if let Some(percents) = said_by_all(shares, |share| share.percent)? {
        if percents.iter().any(below_zero) {
            return Err(AllocationFault::Unclear);
        }
        let sum = sum(&percents)?;
        if sum != Decimal::ONE_HUNDRED {
            return Err(AllocationFault::Percents { sum });
        }
        return Ok(percents);
    }
    if let Some(quantities) = said_by_all(shares, |share| share.quantity)? {
        let sum = sum(&quantities)?;
        if let Some(whole) = whole.quantity
            && sum != whole
        {
            return Err(AllocationFault::Quantities { sum, whole });
        }
        let one_sign =
            quantities.iter().all(|of| of.is_zero() || below_zero(of) == below_zero(&sum));
        return if one_sign && !sum.is_zero() {
            Ok(quantities)
        } else {
            Err(AllocationFault::Unclear)
        };
    }
    let ratios = said_by_all(shares, |share| share.ratio)?.ok_or(AllocationFault::Unclear)?;
    if ratios.iter().any(below_zero) || sum(&ratios)?.is_zero() {
        return Err(AllocationFault::Unclear);
    }
    Ok(ratios)
}

/// `None`: no share says it. Some saying it and some not is unclear.
fn said_by_all<T>(
    shares: &[Distribution],
    of: impl Fn(&Distribution) -> Option<T>,
) -> Result<Option<Vec<T>>, AllocationFault> {
    let said: Vec<T> = shares.iter().filter_map(of).collect();
    match said.len() {
        0 => Ok(None),
        all if all == shares.len() => Ok(Some(said)),
        _ => Err(AllocationFault::Unclear),
    }
}

/// Weights of one sign, whose sum is not zero.
fn by_weight(whole: Money, weights: &[Decimal]) -> Result<Vec<Money>, AllocationFault> {
    let total = weights
        .iter()
        .try_fold(Decimal::ZERO, |sum, weight| sum.checked_add(*weight))
        .ok_or(AllocationFault::TooLarge)?;
    if whole.is_zero() {
        return Ok(vec![whole; weights.len()]);
    }
    let exact = weights
        .iter()
        .map(|weight| Decimal::from(whole.minor).checked_mul(*weight)?.checked_div(total))
        .collect::<Option<Vec<Decimal>>>()
        .ok_or(AllocationFault::TooLarge)?;
    let rounded = |rounding| {
        exact
            .iter()
            .map(|exact| i64::try_from(exact.round_dp_with_strategy(0, rounding)).ok())
            .collect::<Option<Vec<i64>>>()
            .ok_or(AllocationFault::TooLarge)
    };
    let left = |minors: &[i64]| {
        let sum = minors.iter().try_fold(0_i64, |sum, minor| sum.checked_add(*minor));
        sum.and_then(|sum| whole.minor.checked_sub(sum)).ok_or(AllocationFault::TooLarge)
    };
    let money = |minors: Vec<i64>| {
        minors.into_iter().map(|minor| Money::new(minor, whole.currency)).collect::<Vec<Money>>()
    };

    let mut minors = rounded(RoundingStrategy::MidpointAwayFromZero)?;
    let off = left(&minors)?;
    if let (Some(last), Some(exact)) = (minors.last_mut(), exact.last()) {
        *last = last.checked_add(off).ok_or(AllocationFault::TooLarge)?;
        let keeps_sign =
            *last == 0 || (!exact.is_zero() && last.is_negative() == exact.is_sign_negative());
        let beside = (Decimal::from(*last) - *exact).abs();
        if keeps_sign && beside <= Decimal::from(LAST_IS_OFF_AT_MOST) {
            return Ok(money(minors));
        }
    }
    let mut minors = rounded(RoundingStrategy::ToZero)?;
    let mut off = left(&minors)?;
    let mut lost: Vec<usize> = (0..minors.len()).collect();
    lost.sort_by_key(|&share| {
        (std::cmp::Reverse((exact[share] - Decimal::from(minors[share])).abs()), share)
    });
    // Each was rounded by less than one minor unit, so fewer are left than there are shares.
    for share in lost {
        minors[share] += off.signum();
        off -= off.signum();
    }
    Ok(money(minors))
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

    fn share(amount: Option<i64>, percent: Option<&str>) -> Distribution {
        Distribution {
            percent: percent.map(|percent| percent.parse().unwrap()),
            amount: amount.map(nok),
            ..Distribution::default()
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
            (3, vec![percent("20"); 5], Ok(vec![1, 1, 1, 0, 0])),
            (0, vec![percent("50"), percent("50")], Ok(vec![0, 0])),
            (
                100,
                vec![amount(60), amount(41)],
                Err(AllocationFault::Amounts { sum: nok(101), whole: nok(100) }),
            ),
            (100, vec![percent("33.33"); 3], Err(AllocationFault::Percents { sum: dec("99.99") })),
            (100, vec![percent("50"), amount(50)], Err(AllocationFault::Unclear)),
            (100, vec![share(None, None); 2], Err(AllocationFault::Unclear)),
            (100, vec![percent("150"), percent("-50")], Err(AllocationFault::Unclear)),
        ];
        for (whole, shares, expected) in cases {
            let got = allocate(Whole { net: nok(whole), quantity: None }, &shares)
                .map(|shares| shares.iter().map(|share| share.minor).collect::<Vec<_>>());
            assert_eq!(got, expected, "{whole} over {shares:?}");
        }
    }

    fn by_quantity(quantity: &str) -> Distribution {
        Distribution { quantity: Some(dec(quantity)), ..Distribution::default() }
    }

    fn by_ratio(ratio: &str) -> Distribution {
        Distribution { ratio: Some(dec(ratio)), ..Distribution::default() }
    }

    fn minors(whole: Whole, shares: &[Distribution]) -> Result<Vec<i64>, AllocationFault> {
        allocate(whole, shares).map(|parts| parts.iter().map(|part| part.minor).collect())
    }

    #[test]
    fn by_quantity_and_by_ratio() {
        let ten = Some(dec("10"));
        let cases = [
            (10_000, ten, vec![by_quantity("4"), by_quantity("6")], Ok(vec![4_000, 6_000])),
            (100, Some(dec("3")), vec![by_quantity("1"); 3], Ok(vec![33, 33, 34])),
            // The line says no quantity: they only compare.
            (100, None, vec![by_quantity("1"), by_quantity("3")], Ok(vec![25, 75])),
            (-100, Some(dec("-4")), vec![by_quantity("-1"), by_quantity("-3")], Ok(vec![-25, -75])),
            (
                100,
                ten,
                vec![by_quantity("4"), by_quantity("5")],
                Err(AllocationFault::Quantities { sum: dec("9"), whole: dec("10") }),
            ),
            (
                100,
                Some(dec("2")),
                vec![by_quantity("5"), by_quantity("-3")],
                Err(AllocationFault::Unclear),
            ),
            (100, ten, vec![by_quantity("10")], Ok(vec![100])),
            (100, None, vec![by_ratio("1"), by_ratio("1"), by_ratio("2")], Ok(vec![25, 25, 50])),
            (100, None, vec![by_ratio("7")], Ok(vec![100])),
            (100, None, vec![by_ratio("0"); 2], Err(AllocationFault::Unclear)),
            (100, None, vec![by_ratio("2"), by_ratio("-1")], Err(AllocationFault::Unclear)),
            (100, ten, vec![by_quantity("5"), by_ratio("1")], Err(AllocationFault::Unclear)),
            (0, ten, vec![by_quantity("4"), by_quantity("6")], Ok(vec![0, 0])),
            // 1.1, 0.6, 0.6, 0.6 and 0.1: what is left goes to those that lost most, not to the largest.
            (3, None, ["11", "6", "6", "6", "1"].map(by_ratio).into(), Ok(vec![1, 1, 1, 0, 0])),
            (-3, None, ["11", "6", "6", "6", "1"].map(by_ratio).into(), Ok(vec![-1, -1, -1, 0, 0])),
        ];
        for (minor, quantity, shares, expected) in cases {
            let got = minors(Whole { net: nok(minor), quantity }, &shares);
            assert_eq!(got, expected, "{minor} over {shares:?}");
        }
    }

    #[test]
    fn a_thousand_small_shares_are_each_within_one_minor_unit() {
        // 0.015 each: rounded half up the last would be 4.98 below zero.
        let amounts =
            minors(Whole { net: nok(1_500), quantity: None }, &vec![by_ratio("1"); 1_000]).unwrap();
        assert_eq!(amounts.iter().sum::<i64>(), 1_500);
        assert!(amounts.iter().all(|minor| (1..=2).contains(minor)));
        assert_eq!(amounts[..500], [2; 500], "of equals the earlier ones");
        // 0.013 each: rounded half up the last would have 3.01.
        let amounts =
            minors(Whole { net: nok(1_300), quantity: None }, &vec![by_ratio("1"); 1_000]).unwrap();
        assert!(amounts.iter().all(|minor| (1..=2).contains(minor)));
        // A few shares: the last takes what is left, up to 5 minor units beside its own.
        let amounts =
            minors(Whole { net: nok(1_005), quantity: None }, &vec![by_ratio("1"); 10]).unwrap();
        assert_eq!(amounts, [[101; 9].as_slice(), &[96]].concat());
    }

    #[test]
    fn shares_are_divided_again() {
        let named = |share: Distribution, name: &str, value: &str| Distribution {
            segments: [(name.to_owned(), value.to_owned())].into(),
            ..share
        };
        let tree = vec![
            Distribution {
                parts: vec![
                    named(by_quantity("1"), "Account", "6540"),
                    named(by_quantity("2"), "Account", "6550"),
                ],
                ..named(share(None, Some("60")), "CostCenter", "110")
            },
            Distribution {
                parts: vec![named(by_ratio("1"), "CostCenter", "130"), by_ratio("1")],
                ..named(share(None, Some("40")), "CostCenter", "120")
            },
        ];
        assert_eq!(
            minors(Whole { net: nok(1_001), quantity: None }, &tree),
            Ok(vec![200, 401, 200, 200])
        );
        let centre = |at: usize| parts(&tree)[at].get("CostCenter").cloned();
        assert_eq!(centre(0).as_deref(), Some("110"), "from above");
        assert_eq!(centre(2).as_deref(), Some("130"), "its own word counts");
        assert_eq!(centre(3).as_deref(), Some("120"));
        // A share's parts by amount add up to the share.
        let tree = vec![
            Distribution { parts: vec![share(Some(30), None); 2], ..share(Some(60), None) },
            share(Some(40), None),
        ];
        assert_eq!(minors(Whole { net: nok(100), quantity: None }, &tree), Ok(vec![30, 30, 40]));
        let fault = minors(Whole { net: nok(90), quantity: None }, &tree[..1]);
        assert_eq!(fault, Err(AllocationFault::Amounts { sum: nok(60), whole: nok(90) }));
        let tree =
            [Distribution { parts: vec![share(Some(31), None); 2], ..share(Some(60), None) }];
        let fault = minors(Whole { net: nok(60), quantity: None }, &tree);
        assert_eq!(fault, Err(AllocationFault::Amounts { sum: nok(62), whole: nok(60) }));
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
                    ..Distribution::default()
                })
                .collect();
            let whole = Money::new(minor, currency);
            let amounts = allocate(Whole { net: whole, quantity: None }, &shares).expect("the percentages add up");
            prop_assert_eq!(amounts.len(), shares.len());
            prop_assert_eq!(amounts.iter().map(|share| share.minor).sum::<i64>(), minor);
            for share in &amounts {
                prop_assert!(share.minor == 0 || share.minor.signum() == minor.signum());
            }
        }

        #[test]
        fn ratio_shares_add_up_and_none_is_far_off(
            minor in -1_000_000_000_i64..1_000_000_000,
            currency in currency(),
            ratios in prop::collection::vec(0_i64..1_000, 1..200),
        ) {
            let total: i64 = ratios.iter().sum();
            prop_assume!(total > 0);
            let shares: Vec<Distribution> = ratios
                .iter()
                .map(|ratio| Distribution { ratio: Some(Decimal::from(*ratio)), ..Distribution::default() })
                .collect();
            let amounts = allocate(Whole { net: Money::new(minor, currency), quantity: None }, &shares).expect("ratios");
            prop_assert_eq!(amounts.iter().map(|part| part.minor).sum::<i64>(), minor);
            for (part, ratio) in amounts.iter().zip(&ratios) {
                // In 128 bits, without decimals: |part * total - minor * ratio| <= 5 * total.
                let beside = i128::from(part.minor) * i128::from(total) - i128::from(minor) * i128::from(*ratio);
                prop_assert!(beside.abs() <= 5 * i128::from(total));
                prop_assert!(part.minor == 0 || part.minor.signum() == minor.signum());
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
