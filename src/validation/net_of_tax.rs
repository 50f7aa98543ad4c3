//! Lines that include tax, turned into lines that do not, so that the sums are exact.

use super::totals::rounding;
use crate::procurement::{
    Charge, ChargeKind, Currency, Distribution, Money, SupplierInvoice, Whole, allocate_level,
};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// The VAT ids that apply to an amount, each with its percentage.
pub type Rates = Vec<(String, Decimal)>;

/// An invoice without tax in its lines and charges.
#[derive(Debug, Clone, PartialEq)]
pub struct NetOfTax {
    pub invoice: SupplierInvoice,
    /// What no net amount could carry, and what was therefore added to the invoice as rounding.
    pub left_over: Money,
}

/// `rates`: of each line and then of each charge. `None` when an amount is beyond what can be
/// computed.
///
/// Amounts with the same VAT ids are one sum. Its net is the one from which the ERP computes the
/// tax that the sum contains (sum x rate / (100 + rate), rounded). Not every sum has one: at 25 %, 0.01
/// comes to 0.01 with its tax, and 0.02 to 0.03. Then the tax is what the sum contains, and the minor
/// unit that is left becomes rounding. The net of a sum is shared over its amounts: each is rounded down, and the
/// minor units left over go one by one to those that lost most by it.
pub fn net_of_tax(
    invoice: &SupplierInvoice,
    rates: &[Rates],
    tax_on_each_line: bool,
) -> Option<NetOfTax> {
    let currency = invoice.currency;
    let amounts: Vec<Money> = invoice
        .lines
        .iter()
        .map(|line| line.net)
        .chain(invoice.charges.iter().map(|charge| charge.amount))
        .collect();
    let mut sums: BTreeMap<(&Rates, Option<usize>), Vec<usize>> = BTreeMap::new();
    for (index, rates) in rates.iter().enumerate() {
        let alone = tax_on_each_line.then_some(index);
        sums.entry((rates, alone)).or_default().push(index);
    }
    let mut nets = amounts.clone();
    let mut left_over = 0_i64;
    for ((rates, _), members) in sums {
        let gross =
            members.iter().try_fold(0_i64, |sum, at| sum.checked_add(amounts[*at].minor))?;
        let (net, left) = net_of_sum(gross, rates, currency)?;
        left_over = left_over.checked_add(left)?;
        let factor = factor(rates)?;
        let exact: Option<Vec<Decimal>> = members
            .iter()
            .map(|at| Decimal::from(amounts[*at].minor).checked_mul(factor))
            .collect();
        for (at, minor) in members.iter().zip(share(net, &exact?)?) {
            nets[*at] = Money::new(minor, currency);
        }
    }
    let mut turned = invoice.clone();
    turned.prices_include_tax = false;
    for (at, line) in turned.lines.iter_mut().enumerate() {
        let whole = |net| Whole { net, quantity: line.quantity };
        shares(whole(line.net), whole(nets[at]), &mut line.distributions)?;
        line.net = nets[at];
        let factor = factor(rates.get(at)?)?;
        line.unit_price = line.unit_price.and_then(|price| {
            Some(price.checked_mul(factor)?.round_dp(PRICE_DECIMALS).normalize())
        });
    }
    for (charge, net) in turned.charges.iter_mut().zip(&nets[invoice.lines.len()..]) {
        charge.amount = *net;
    }
    let left_over = Money::new(left_over, currency);
    if !left_over.is_zero() {
        turned.charges.push(Charge { kind: ChargeKind::Rounding, amount: left_over });
    }
    turned.net = stated_net(invoice, &turned)?;
    Some(NetOfTax { invoice: turned, left_over })
}

/// Decimals of a unit price without its tax.
const PRICE_DECIMALS: u32 = 6;

/// What is net of one with tax.
fn factor(rates: &[(String, Decimal)]) -> Option<Decimal> {
    let rate: Decimal = rates.iter().map(|(_, rate)| *rate).sum();
    Decimal::ONE_HUNDRED.checked_div(Decimal::ONE_HUNDRED.checked_add(rate)?)
}

/// The tax that the ERP computes on a net sum.
fn tax_on(net: i64, rates: &[(String, Decimal)], currency: Currency) -> Option<i64> {
    let base = Money::new(net, currency).amount();
    rates.iter().try_fold(0_i64, |sum, (_, rate)| {
        let tax = base.checked_mul(*rate)?.checked_div(Decimal::ONE_HUNDRED)?;
        sum.checked_add(Money::rounded(tax, currency).ok()?.minor)
    })
}

/// The net of a sum, and the minor units that remain of it beside net and tax.
fn net_of_sum(gross: i64, rates: &[(String, Decimal)], currency: Currency) -> Option<(i64, i64)> {
    let nearest = rounded(Decimal::from(gross).checked_mul(factor(rates)?)?)?;
    let contained = gross.checked_sub(nearest)?;
    let mut candidates = Vec::new();
    for step in [0, -1, 1, -2, 2] {
        let net = nearest.checked_add(step)?;
        let tax = tax_on(net, rates, currency)?;
        let left = gross.checked_sub(net)?.checked_sub(tax)?;
        if left == 0 {
            return Some((net, 0));
        }
        candidates.push((left.abs(), tax != contained, net, left));
    }
    candidates.into_iter().min().map(|(_, _, net, left)| (net, left))
}

fn rounded(exact: Decimal) -> Option<i64> {
    i64::try_from(exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).ok()
}

/// Shares `whole` in the given proportions, whose sum it is but for roundings. Which of two equal
/// amounts takes a minor unit does not depend on anything but their place.
fn share(whole: i64, exact: &[Decimal]) -> Option<Vec<i64>> {
    let mut shares = Vec::with_capacity(exact.len());
    let mut left = whole;
    for part in exact {
        let down = i64::try_from(part.floor()).ok()?;
        left = left.checked_sub(down)?;
        shares.push(down);
    }
    let mut by_loss: Vec<usize> = (0..exact.len()).collect();
    by_loss.sort_by_key(|at| (std::cmp::Reverse(exact[*at] - exact[*at].floor()), *at));
    // More may be left than there are parts to take it, or less than nothing, by a unit or two.
    while left != 0 {
        let step = left.signum();
        let order: Vec<usize> = match step {
            1 => by_loss.clone(),
            _ => by_loss.iter().rev().copied().collect(),
        };
        for at in order {
            if left == 0 {
                break;
            }
            shares[at] += step;
            left -= step;
        }
        if exact.is_empty() {
            return None;
        }
    }
    Some(shares)
}

/// Amounts of a line's shares, and of their parts, follow the line, if they added up to it; if not, that
/// is a fault to be found later.
fn shares(gross: Whole, net: Whole, distributions: &mut [Distribution]) -> Option<()> {
    if !distributions.iter().any(states_amounts) || gross.net.is_zero() {
        return Some(());
    }
    let Ok(with_tax) = allocate_level(gross, distributions) else { return Some(()) };
    let stated = distributions.iter().all(|share| share.amount.is_some());
    let without_tax = if stated {
        let exact: Option<Vec<Decimal>> = with_tax
            .iter()
            .map(|amount| {
                Decimal::from(amount.minor)
                    .checked_mul(Decimal::from(net.net.minor))?
                    .checked_div(Decimal::from(gross.net.minor))
            })
            .collect();
        let minors = share(net.net.minor, &exact?)?;
        minors.into_iter().map(|minor| Money::new(minor, net.net.currency)).collect()
    } else {
        let Ok(of_net) = allocate_level(net, distributions) else { return Some(()) };
        of_net
    };
    for ((of, with_tax), without_tax) in distributions.iter_mut().zip(with_tax).zip(without_tax) {
        if stated {
            of.amount = Some(without_tax);
        }
        let whole = |net| Whole { net, quantity: of.quantity };
        shares(whole(with_tax), whole(without_tax), &mut of.parts)?;
    }
    Some(())
}

fn states_amounts(share: &Distribution) -> bool {
    share.amount.is_some() || share.parts.iter().any(states_amounts)
}

/// The net on the header, when it contradicts the lines by more than roundings; else nothing, for
/// the supplier rounded elsewhere and the sum of the lines is as right.
fn stated_net(invoice: &SupplierInvoice, turned: &SupplierInvoice) -> Option<Option<Money>> {
    let Some(stated) = invoice.net else { return Some(None) };
    let zero = Money::zero(invoice.currency);
    let lines = turned.lines.iter().map(|line| line.net);
    let charges = turned.charges.iter().map(|charge| charge.amount);
    let sum = lines.chain(charges).try_fold(zero, |sum, part| sum.checked_add(part).ok())?;
    let allowed = i64::try_from(invoice.lines.len() / 2).ok()?.checked_add(1)?;
    let apart =
        stated.minor.checked_sub(sum.minor)?.checked_add(rounding(&turned.charges, zero)?.minor)?;
    let whole = invoice.tax.is_none_or(|tax| stated.checked_add(tax) == Ok(invoice.gross));
    Some(if whole && apart.abs() <= allowed { None } else { Some(stated) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(percent: i64) -> Rates {
        vec![(percent.to_string(), Decimal::from(percent))]
    }

    #[test]
    fn the_net_of_a_sum_with_tax() {
        for (gross, percent, expected) in [
            (125, 25, (100, 0)),
            (100, 25, (80, 0)),
            (0, 25, (0, 0)),
            (1, 25, (1, 0)),
            // Neither 0.01 + 0.00 nor 0.02 + 0.01; no tax is contained in it.
            (2, 25, (1, 1)),
            (102, 25, (81, 1)),
            (-125, 25, (-100, 0)),
            (-102, 25, (-81, -1)),
            (115, 15, (100, 0)),
            (1_000, 12, (893, 0)),
            (777, 0, (777, 0)),
        ] {
            let found = net_of_sum(gross, &at(percent), Currency::NOK);
            assert_eq!(found, Some(expected), "{gross} at {percent} %");
        }
    }

    #[test]
    fn the_units_left_over_go_to_those_that_lost_most() {
        let parts = |of: &[(i64, u32)]| -> Vec<Decimal> {
            of.iter().map(|(number, scale)| Decimal::new(*number, *scale)).collect()
        };
        for (whole, exact, expected) in [
            (10, parts(&[(34, 1), (33, 1), (33, 1)]), vec![4, 3, 3]),
            (10, parts(&[(33, 1), (33, 1), (34, 1)]), vec![3, 3, 4]),
            (3, parts(&[(16, 1), (16, 1)]), vec![2, 1]),
            (-4, parts(&[(-16, 1), (-16, 1), (-8, 1)]), vec![-1, -2, -1]),
            // One more than the parts come to, and one less.
            (7, parts(&[(3, 0), (3, 0)]), vec![4, 3]),
            (5, parts(&[(3, 0), (3, 0)]), vec![3, 2]),
        ] {
            let found = share(whole, &exact).expect("it can be computed");
            assert_eq!(found, expected, "{whole} over {exact:?}");
        }
        assert_eq!(share(1, &[]), None);
    }

    #[test]
    fn parts_of_shares_follow_their_line_too() {
        let nok = |minor| Money::new(minor, Currency::NOK);
        let whole = |minor| Whole { net: nok(minor), quantity: None };
        let by_amount = |minor: i64, parts| Distribution {
            amount: Some(nok(minor)),
            parts,
            ..Distribution::default()
        };
        let by_percent = |percent: i64, parts| Distribution {
            percent: Some(percent.into()),
            parts,
            ..Distribution::default()
        };
        let parts = || vec![by_amount(10_000, vec![]), by_amount(2_500, vec![])];
        let half = |parts| by_percent(50, parts);
        let halved = vec![by_amount(7_000, vec![]), by_amount(500, vec![])];
        let cases = [
            // 150.00 with 25 % in it is 120.00.
            (
                15_000,
                12_000,
                vec![by_amount(12_500, parts()), by_amount(2_500, vec![])],
                vec![8_000, 2_000, 2_000],
            ),
            (12_500, 10_000, vec![by_percent(100, parts())], vec![8_000, 2_000]),
            (15_000, 12_000, vec![half(halved), half(vec![])], vec![5_600, 400, 6_000]),
        ];
        for (gross, net, mut of, expected) in cases {
            shares(whole(gross), whole(net), &mut of).expect("it can be computed");
            let found = crate::procurement::allocate(whole(net), &of).expect("it adds up");
            assert_eq!(found.iter().map(|of| of.minor).collect::<Vec<_>>(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_minor_unit_is_lost_or_made(
            gross in -1_000_000_000_i64..1_000_000_000,
            percent in 0_i64..100,
        ) {
            let (net, left) = net_of_sum(gross, &at(percent), Currency::NOK).expect("in range");
            let tax = tax_on(net, &at(percent), Currency::NOK).expect("in range");
            prop_assert_eq!(net + tax + left, gross);
            prop_assert!(left.abs() <= 1);
        }

        #[test]
        fn shares_add_up_and_are_within_one_of_their_part(
            parts in prop::collection::vec(-1_000_000_i64..1_000_000, 1..60),
            off in -1_i64..=1,
        ) {
            let exact: Vec<Decimal> = parts.iter().map(|part| Decimal::new(*part, 2)).collect();
            let sum: Decimal = exact.iter().sum();
            let whole = rounded(sum).expect("in range") + off;
            let shares = share(whole, &exact).expect("in range");
            prop_assert_eq!(shares.iter().sum::<i64>(), whole);
            for (share, part) in shares.iter().zip(&exact) {
                prop_assert!((Decimal::from(*share) - part).abs() <= Decimal::TWO);
            }
        }
    }
}
