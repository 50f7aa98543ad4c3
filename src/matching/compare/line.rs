//! One order line and all that is billed of it.

use super::Side;
use super::words::{at, passes, plain, unit};
use crate::matching::position::{
    Beyond, Bill, Claim, Compared, Deviation, LARGEST, Missing, Position,
};
use crate::matching::{MatchMode, MatchRules, Policy, Ratio, ratio};
use crate::procurement::{InvoiceKind, OrderLineKind};
use rust_decimal::Decimal;

/// One order line under comparison.
pub(super) struct LineComparison<'a> {
    pub(super) bill: &'a Bill,
    pub(super) position: &'a Position,
    pub(super) claims: &'a [&'a Claim],
    pub(super) rules: &'a MatchRules,
    pub(super) policy: Policy<'a>,
    pub(super) found: Vec<(Side, Beyond)>,
    /// The whole deviation upward and downward, within limits or not.
    pub(super) over: Decimal,
    pub(super) under: Decimal,
    pub(super) skipped: bool,
    pub(super) compared: Vec<Compared>,
    pub(super) missing: Vec<Missing>,
    pub(super) remarks: Vec<String>,
}

/// What is billed in all, with this invoice.
pub(super) struct Total {
    pub(super) quantity: Decimal,
    /// Of it, by this invoice.
    pub(super) quantity_now: Decimal,
    pub(super) net: Decimal,
    pub(super) net_now: Decimal,
    /// Every quantity is known in the order line's unit.
    pub(super) by_quantity: bool,
    /// Amounts must be compared in all.
    pub(super) by_amount: bool,
}

impl<'a> LineComparison<'a> {
    pub(super) fn new(
        bill: &'a Bill,
        position: &'a Position,
        claims: &'a [&'a Claim],
        rules: &'a MatchRules,
        policy: Policy<'a>,
    ) -> Self {
        Self {
            bill,
            position,
            claims,
            rules,
            policy,
            found: Vec::new(),
            over: Decimal::ZERO,
            under: Decimal::ZERO,
            skipped: false,
            compared: Vec::new(),
            missing: Vec::new(),
            remarks: Vec::new(),
        }
    }

    pub(super) fn run(&mut self) {
        let credit = self.bill.kind == InvoiceKind::CreditNote;
        if self.policy.mode == MatchMode::Off {
            return self.skip("matching is off for it");
        }
        if credit && self.position.billed.documents.is_empty() {
            return self.skip("nothing of it is known to be billed, so it is not compared");
        }
        let mut quantities = Vec::new();
        let mut texts = Vec::new();
        for claim in self.claims {
            let (quantity, text) = self.claim(claim, credit);
            quantities.push(quantity);
            texts.push(text);
        }
        let total = self.total(&quantities);
        let (text, three_way) =
            if credit { (self.given_back(&total), false) } else { self.billed(&total) };
        for ((claim, quantity), price) in self.claims.iter().zip(quantities).zip(texts) {
            let parts: Vec<String> = [price, text.clone()].into_iter().flatten().collect();
            self.compared.push(Compared {
                key: claim.key.clone(),
                number: claim.number.clone(),
                position: claim.position,
                three_way,
                skipped: false,
                quantity,
                net: claim.net,
                text: format!("{}: {}", self.position.shown, parts.join("; ")),
            });
        }
    }

    fn skip(&mut self, why: &str) {
        self.skipped = true;
        for claim in self.claims {
            self.compared.push(Compared {
                key: claim.key.clone(),
                number: claim.number.clone(),
                position: claim.position,
                three_way: false,
                skipped: true,
                quantity: self.ratio(claim).zip(stated(claim)).and_then(|(r, q)| r.convert(q)),
                net: claim.net,
                text: format!("{}: {why}", self.position.shown),
            });
        }
    }

    fn ratio(&self, claim: &Claim) -> Option<Ratio> {
        let (from, to) = (claim.unit.as_deref(), self.position.unit.as_deref());
        ratio(from, to, self.position.item.as_deref(), &self.rules.factors)
    }

    /// Whether the order line has a quantity that means something.
    pub(super) fn ordered(&self) -> Option<Decimal> {
        let quantity = self.position.quantity.filter(|quantity| !quantity.is_zero())?;
        (self.position.kind != OrderLineKind::Limit).then_some(quantity)
    }

    /// A claim's quantity in the order line's unit, and its price compared.
    fn claim(&mut self, claim: &Claim, credit: bool) -> (Option<Decimal>, Option<String>) {
        let needed = self.ordered().is_some() || self.position.price.is_some();
        let Some(quantity) =
            stated(claim).filter(|_| needed && self.position.kind != OrderLineKind::Limit)
        else {
            return (None, None);
        };
        let converted = self
            .ratio(claim)
            .and_then(|ratio| Some((ratio, ratio.convert(quantity)?, ratio.of(quantity)?)));
        let Some((ratio, converted, exact)) = converted else {
            let (from, to) = (unit(&claim.unit), unit(&self.position.unit));
            let how = format!(
                "{} {from} cannot be converted into {to} of {}",
                plain(quantity),
                self.position.shown
            );
            self.add(Side::Never, Deviation::UnitNotConvertible, at(&[claim]), how.clone());
            return (None, Some(how));
        };
        if credit || self.position.price.is_none() {
            return (Some(converted), None);
        }
        let text = self.price(claim, quantity, ratio, exact).unwrap_or_else(|| {
            let how =
                format!("the numbers are too large to be compared with {}", self.position.shown);
            self.add(Side::Never, Deviation::UnitNotConvertible, at(&[claim]), how.clone());
            how
        });
        (Some(converted), Some(text))
    }

    fn total(&self, quantities: &[Option<Decimal>]) -> Total {
        let billed = &self.position.billed;
        let quantity_now: Decimal = quantities.iter().flatten().sum();
        let net_now: Decimal = self.claims.iter().map(|claim| claim.net.amount()).sum();
        let broken = self.found.iter().any(|(_, of)| of.what == Deviation::UnitNotConvertible);
        let ordered = self.ordered().is_some();
        let without = self.claims.iter().any(|claim| stated(claim).is_none());
        Total {
            quantity: billed.quantity + quantity_now,
            quantity_now,
            net: billed.net.amount() + net_now,
            net_now,
            by_quantity: ordered && !broken,
            by_amount: !ordered || without || billed.by_amount,
        }
    }

    /// A quantity at the order's price.
    pub(super) fn worth(&self, quantity: Decimal) -> Decimal {
        let worth = self.position.value(quantity).or_else(|| {
            let net = self.position.net.amount();
            net.checked_mul(quantity)?.checked_div(self.ordered()?)
        });
        worth.unwrap_or(LARGEST).abs().min(LARGEST)
    }

    pub(super) fn before(&self, amount: String) -> String {
        match self.position.billed.documents.as_slice() {
            [] => String::new(),
            documents => format!(", {amount} of it before by {}", documents.join(", ")),
        }
    }

    pub(super) fn add(&mut self, side: Side, what: Deviation, at: String, how: String) {
        self.found.push((side, Beyond { what, at, how }));
    }

    /// What is left when small differences have passed.
    pub(super) fn beyond(&mut self) -> Vec<(Side, Beyond)> {
        let small = self.policy.small_difference.get(&self.bill.currency).copied();
        let small = small.unwrap_or(Decimal::NEGATIVE_ONE);
        let (over, under) = (self.over <= small, self.under <= small);
        let (pass, stay): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.found).into_iter().partition(|(side, _)| match side {
                Side::Over => over,
                Side::Under => under,
                Side::Never => false,
            });
        self.remarks.extend(pass.iter().map(|(_, beyond)| passes(beyond)));
        stay
    }
}

/// A quantity of 0 says as little as none.
fn stated(claim: &Claim) -> Option<Decimal> {
    claim.quantity.filter(|quantity| !quantity.is_zero())
}
