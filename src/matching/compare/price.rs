//! What one invoice line costs, against what it should cost by the order.

use super::Side;
use super::line::LineComparison;
use super::words::{at, decimal, money, round};
use crate::matching::position::{Claim, Deviation, LARGEST};
use crate::matching::{Limit, Ratio};
use rust_decimal::Decimal;

impl LineComparison<'_> {
    /// `None`: numbers too large to be reckoned with.
    pub(super) fn price(
        &mut self,
        claim: &Claim,
        quantity: Decimal,
        ratio: Ratio,
        exact: Decimal,
    ) -> Option<String> {
        let (position, currency) = (self.position, self.bill.currency);
        let price = position.price?;
        let basis = claim.price_basis.filter(|basis| !basis.is_zero()).unwrap_or(Decimal::ONE);
        // The order's price as the invoice would state it.
        let agreed = position.value(ratio.of(basis)?)?;
        let net = claim.net.amount();
        let reckoned = net.checked_mul(basis)?.checked_div(quantity)?;
        // Whether the order's price, as it is kept, is this one rounded.
        let kept = |own: Decimal| {
            let rounds = || {
                let as_ordered = own.checked_mul(price.basis)?.checked_div(ratio.of(basis)?)?;
                let decimals = price.rounded_to?;
                Some(round(as_ordered, decimals) == round(price.amount, decimals))
            };
            rounds().unwrap_or(false)
        };
        let rounded_here = |stated: &Decimal| {
            let decimals = stated.normalize().scale().max(currency.decimals());
            round(agreed, decimals) == *stated || kept(*stated)
        };
        let stated =
            claim.unit_price.filter(rounded_here).or(Some(reckoned).filter(|own| kept(*own)));
        let should = match stated {
            Some(stated) => quantity.checked_mul(stated)?.checked_div(basis)?,
            None => position.value(exact)?,
        };
        if should.abs() > LARGEST {
            return None;
        }
        let each = exact.checked_div(price.basis)?;
        let rounded = round(should, currency.decimals());
        let paid = match claim.unit_price {
            Some(given)
                if round(given.checked_mul(quantity)?.checked_div(basis)?, currency.decimals())
                    == net =>
            {
                given
            }
            _ => reckoned,
        };
        let compared = format!(
            "price {} against {}",
            decimal(paid, currency),
            decimal(stated.unwrap_or(agreed), currency)
        );
        let nothing = Limit::default();
        let (policy, deviation) = (self.policy, net - rounded);
        let upward = deviation > Decimal::ZERO;
        if deviation.is_zero() {
            return Some(compared);
        }
        let (side, checks) = if upward {
            self.over += deviation;
            let price_over = policy.price_over.unwrap_or(&nothing);
            (
                Side::Over,
                [
                    (Deviation::PriceOver, Some(price_over), each),
                    (Deviation::LineOver, policy.line_over, Decimal::ONE),
                ],
            )
        } else {
            self.under -= deviation;
            (
                Side::Under,
                [
                    (Deviation::PriceUnder, policy.price_under, each),
                    (Deviation::LineUnder, policy.line_under, Decimal::ONE),
                ],
            )
        };
        let mut shown = None;
        for (what, limit, each) in checks {
            let Some(limit) = limit else { continue };
            let Some(allowed) = limit.allowed(should, each, currency) else { continue };
            let allowed = if upward { allowed } else { -allowed };
            let most = round(should + allowed, currency.decimals());
            let beyond = if upward { net - most } else { most - net };
            if beyond <= Decimal::ZERO {
                continue;
            }
            let word = if upward { "over" } else { "under" };
            let (limit, in_all) = (limit.shown(currency), money(beyond, currency));
            let how = match what {
                Deviation::PriceOver | Deviation::PriceUnder => {
                    let of_each = beyond.checked_mul(basis)?.checked_div(quantity)?.abs();
                    format!(
                        "{compared}, limit {limit}, {} {word}, {in_all} in all",
                        decimal(of_each, currency)
                    )
                }
                _ => format!(
                    "{} against {} for what it bills, limit {limit}, {in_all} {word}",
                    claim.net,
                    money(rounded, currency)
                ),
            };
            shown.get_or_insert_with(|| how.clone());
            self.add(side, what, at(&[claim]), how);
        }
        if shown.is_none() {
            let word = if upward { "more" } else { "less" };
            self.remarks.push(format!(
                "{}: {compared}, {} {word} in all; this passes.",
                at(&[claim]),
                money(deviation.abs(), currency)
            ));
        }
        shown.or(Some(compared))
    }
}
