//! A second comparison, slow and written from `docs/matching.md` alone, in whole fractions. Numbers
//! in brackets are the manual's.

use crate::matching::*;
use crate::procurement::{Currency, InvoiceKind, Money, OrderLineKind};
use fastrand::Rng;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeSet;

pub fn dec(text: &str) -> Decimal {
    text.parse().expect("a number")
}

pub fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

/// 10 EA at 100.00.
pub fn position() -> Position {
    Position {
        order: "000401".into(),
        line: 11,
        shown: "line 10 of order PO-1".into(),
        kind: OrderLineKind::Unspecified,
        description: "Stol".into(),
        item: None,
        category: None,
        account: None,
        quantity: Some(dec("10")),
        unit: Some("EA".into()),
        price: Some(Price { amount: dec("100"), basis: Decimal::ONE, rounded_to: None }),
        net: nok(100_000),
        ended_at: None,
        received: Received::default(),
        billed: BilledBefore::nothing(Currency::NOK),
    }
}

pub fn bill(claims: Vec<Claim>) -> Bill {
    Bill {
        kind: InvoiceKind::Invoice,
        supplier: "50001".into(),
        currency: Currency::NOK,
        claims,
        charges: nok(0),
        left_on_orders: nok(0),
    }
}

/// A whole fraction.
#[derive(Debug, Clone, Copy)]
struct Q(i128, i128);

impl Q {
    const ZERO: Self = Self(0, 1);

    fn of(number: Decimal) -> Self {
        Self(number.mantissa(), 10_i128.pow(number.scale())).least()
    }

    fn least(self) -> Self {
        let (mut a, mut b) = (self.0.abs().max(1), self.1.abs());
        if self.0 == 0 {
            return Self(0, 1);
        }
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let sign = self.1.signum();
        Self(sign * self.0 / a, sign * self.1 / a)
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 * other.1 + other.0 * self.1, self.1 * other.1).least()
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }

    fn times(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1).least()
    }

    fn over(self, other: Self) -> Self {
        Self(self.0 * other.1, self.1 * other.0).least()
    }

    fn abs(self) -> Self {
        Self(self.0.abs(), self.1)
    }

    fn above(self, other: Self) -> bool {
        self.compare(other) == Ordering::Greater
    }

    fn compare(self, other: Self) -> Ordering {
        (self.0 * other.1).cmp(&(other.0 * self.1))
    }

    fn less(self, other: Self) -> Self {
        if self.above(other) { other } else { self }
    }

    /// Half away from zero.
    fn rounded(self, decimals: u32) -> Self {
        let scale = 10_i128.pow(decimals);
        let twice = 2 * self.0.abs() * scale;
        let whole = (twice + self.1) / (2 * self.1);
        Self(self.0.signum() * whole, scale).least()
    }
}

fn money(of: Money) -> Q {
    Q::of(of.amount())
}

/// (24)
fn allowed(limit: &Limit, base: Q, each: Q, currency: Currency) -> Option<Q> {
    if limit.any {
        return None;
    }
    let percent = limit.percent.map(|of| base.abs().times(Q::of(of)).over(Q(100, 1)));
    let amount = match limit.amounts.is_empty() {
        true => None,
        false => Some(match limit.amounts.get(&currency) {
            Some(amount) => Q::of(*amount).times(each.abs()),
            None => Q::ZERO,
        }),
    };
    Some(match (percent, amount) {
        (None, None) => Q::ZERO,
        (Some(one), None) | (None, Some(one)) => one,
        (Some(percent), Some(amount)) => percent.less(amount),
    })
}

fn allowed_quantity(limit: &QuantityLimit, base: Q, worth: Q) -> Option<Q> {
    if limit.any {
        return None;
    }
    let percent = limit.percent.map(|of| base.abs().times(Q::of(of)).over(Q(100, 1)));
    let quantity = limit.quantity.map(|of| Q::of(of).times(worth));
    Some(match (percent, quantity) {
        (None, None) => Q::ZERO,
        (Some(one), None) | (None, Some(one)) => one,
        (Some(percent), Some(quantity)) => percent.less(quantity),
    })
}

/// (25): the weight of a rule that fits, as one number.
fn weight(rule: &MatchRule, bill: &Bill, position: &Position) -> Option<usize> {
    let mut weight = 0;
    if let Some(vendor) = &rule.vendor {
        weight += 1_000_000;
        if *vendor != bill.supplier {
            return None;
        }
    }
    if let Some(category) = &rule.category {
        weight += 1_000 * category.len();
        if !position.category.as_ref().is_some_and(|of| of.starts_with(category.as_str())) {
            return None;
        }
    }
    if let Some(account) = &rule.account {
        weight += 10;
        if position.account.as_ref() != Some(account) {
            return None;
        }
    }
    if let Some(kind) = rule.kind {
        weight += 1;
        if position.kind != kind {
            return None;
        }
    }
    Some(weight)
}

fn of_line<T: Clone>(
    bill: &Bill,
    position: &Position,
    rules: &MatchRules,
    own: impl Fn(&MatchRule) -> Option<T>,
    base: Option<T>,
) -> Option<T> {
    let mut best: Option<(usize, T)> = None;
    for rule in &rules.rules {
        if let (Some(weight), Some(value)) = (weight(rule, bill, position), own(rule))
            && best.as_ref().is_none_or(|(of, _)| weight > *of)
        {
            best = Some((weight, value));
        }
    }
    best.map(|(_, value)| value).or(base)
}

/// (7): how many of the second one of the first is, for the units of the random cases.
fn factor(from: &str, to: &str) -> Option<Q> {
    let pieces = |unit: &str| match unit {
        "EA" => Some(1),
        "DZN" => Some(12),
        "BX" => Some(6),
        _ => None,
    };
    match (pieces(from), pieces(to)) {
        _ if from == to => Some(Q(1, 1)),
        (Some(one), Some(other)) => Some(Q(one, other)),
        _ => None,
    }
}

/// What is beyond and where; and where receipts are missing.
type Outcome = (BTreeSet<(Deviation, String)>, BTreeSet<String>);

fn expected(bill: &Bill, positions: &[Position], rules: &MatchRules) -> Outcome {
    let (mut certain, mut upward) = (BTreeSet::new(), BTreeSet::new());
    let mut missing = BTreeSet::new();
    let mut deviation = if bill.charges.minor > 0 { money(bill.charges) } else { Q::ZERO };
    let (mut net, mut any) = (Q::ZERO, false);
    for (index, position) in positions.iter().enumerate() {
        let mut claims: Vec<&Claim> =
            bill.claims.iter().filter(|of| of.position == index).collect();
        claims.sort_by(|a, b| a.key.cmp(&b.key));
        let mode = of_line(bill, position, rules, |rule| rule.mode, Some(rules.mode));
        let unknown = bill.kind == InvoiceKind::CreditNote && position.billed.documents.is_empty();
        if claims.is_empty() || mode == Some(MatchMode::Off) || unknown {
            continue;
        }
        any = true;
        for claim in &claims {
            net = net.plus(money(claim.net));
        }
        let line = Line { bill, position, rules, claims: &claims, mode };
        let found = match bill.kind {
            InvoiceKind::Invoice => line.invoice(),
            InvoiceKind::CreditNote => line.credit_note(),
        };
        // (26)
        let small = of_line(
            bill,
            position,
            rules,
            |rule| rule.small_difference.clone(),
            Some(rules.small_difference.clone()),
        );
        let small = small.and_then(|small| small.get(&bill.currency).map(|of| Q::of(*of)));
        let passes = |deviation: Q| small.is_some_and(|small| !deviation.above(small));
        certain.extend(found.certain);
        if !passes(found.over_by) {
            upward.extend(found.over);
        }
        if !passes(found.under_by) {
            certain.extend(found.under);
        }
        missing.extend(found.missing);
        deviation = deviation.plus(found.over_by);
    }
    if any && bill.kind == InvoiceKind::Invoice {
        // (20), (21): of rules with the vendor as only condition, and of the connection
        let limit = |of: fn(&Limits) -> &Option<Limit>| {
            let own = rules.rules.iter().find(|rule| {
                rule.vendor.as_ref() == Some(&bill.supplier)
                    && (&rule.category, &rule.account, rule.kind) == (&None, &None, None)
                    && of(&rule.limits).is_some()
            });
            own.map_or_else(|| of(&rules.limits).clone(), |rule| of(&rule.limits).clone())
        };
        let charges = money(bill.charges);
        let most = |limit: &Limit, base| allowed(limit, base, Q(1, 1), bill.currency);
        if let Some(limit) = limit(|of| &of.charge_over)
            && let Some(most) = most(&limit, net)
            && charges.above(Q::ZERO)
            && charges.above(most.rounded(2))
        {
            upward.insert((Deviation::ChargeOver, "The invoice".to_owned()));
        }
        let left = money(bill.left_on_orders);
        if let Some(limit) = limit(|of| &of.header_over)
            && let Some(most) = most(&limit, left)
            && net.plus(charges).minus(left).above(most.rounded(2))
        {
            upward.insert((Deviation::HeaderOver, "The invoice".to_owned()));
        }
    }
    let small = rules.small_difference.get(&bill.currency).map(|of| Q::of(*of));
    if small.is_none_or(|small| deviation.above(small)) {
        certain.extend(upward);
    }
    (certain, missing)
}

struct Line<'a> {
    bill: &'a Bill,
    position: &'a Position,
    rules: &'a MatchRules,
    claims: &'a [&'a Claim],
    mode: Option<MatchMode>,
}

#[derive(Default)]
struct Found {
    certain: Vec<(Deviation, String)>,
    over: Vec<(Deviation, String)>,
    under: Vec<(Deviation, String)>,
    missing: Vec<String>,
    over_by: Q,
    under_by: Q,
}

impl Default for Q {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Line<'_> {
    fn at(&self) -> String {
        let numbers: Vec<&str> = self.claims.iter().map(|of| of.number.as_str()).collect();
        match numbers.split_last() {
            Some((last, [])) => format!("Line {last}"),
            Some((last, first)) => format!("Lines {} and {last}", first.join(", ")),
            None => unreachable!("a line without claims is passed over"),
        }
    }

    fn limit(&self, of: fn(&Limits) -> &Option<Limit>) -> Option<Limit> {
        let base = of(&self.rules.limits).clone();
        of_line(self.bill, self.position, self.rules, |rule| of(&rule.limits).clone(), base)
    }

    fn quantity_limit(&self, of: fn(&Limits) -> &Option<QuantityLimit>) -> Option<QuantityLimit> {
        let base = of(&self.rules.limits).clone();
        of_line(self.bill, self.position, self.rules, |rule| of(&rule.limits).clone(), base)
    }

    fn blanket(&self) -> bool {
        self.position.kind == OrderLineKind::Limit
    }

    /// (9), (13), (14)
    fn ordered(&self) -> Option<Q> {
        if self.blanket() { None } else { self.position.quantity.map(Q::of) }
    }

    /// What one of the order's units costs.
    fn each(&self) -> Option<Q> {
        self.position.price.map(|price| Q::of(price.amount).over(Q::of(price.basis)))
    }

    fn now(&self) -> Q {
        self.claims.iter().fold(Q::ZERO, |sum, claim| sum.plus(money(claim.net)))
    }

    /// In the order's unit. (7)
    fn quantity(&self, claim: &Claim) -> Option<Option<Q>> {
        let quantity = Q::of(claim.quantity?);
        let to = self.position.unit.as_deref().expect("the random cases say it");
        Some(factor(claim.unit.as_deref().unwrap_or(to), to).map(|of| quantity.times(of)))
    }

    fn credit_note(&self) -> Found {
        let mut found = Found::default();
        let (mut back, mut known) = (Q::ZERO, true);
        let counts = self.ordered().is_some() || (self.position.price.is_some() && !self.blanket());
        for claim in self.claims.iter().filter(|_| counts) {
            match self.quantity(claim) {
                Some(Some(quantity)) => back = back.plus(quantity.rounded(6)),
                Some(None) => {
                    known = false;
                    let at = format!("Line {}", claim.number);
                    found.certain.push((Deviation::UnitNotConvertible, at));
                }
                None => {}
            }
        }
        // (16)
        let billed = &self.position.billed;
        let too_many = back.minus(Q::of(billed.quantity));
        if self.ordered().is_some()
            && known
            && !billed.by_amount
            && back.above(Q::ZERO)
            && too_many.above(Q::ZERO)
        {
            found.over.push((Deviation::QuantityOver, self.at()));
            found.over_by = too_many.times(self.each().expect("a price"));
        }
        let too_much = self.now().minus(money(billed.net));
        if too_much.above(Q::ZERO) && self.now().above(Q::ZERO) {
            found.over.push((Deviation::LineOver, self.at()));
            found.over_by = found.over_by.plus(too_much);
        }
        found
    }

    fn invoice(&self) -> Found {
        let mut found = Found::default();
        let (mut quantity_now, mut known, mut all_stated) = (Q::ZERO, true, true);
        for claim in self.claims {
            let at = format!("Line {}", claim.number);
            if claim.quantity.is_none() {
                all_stated = false;
            }
            if self.blanket() || (self.ordered().is_none() && self.position.price.is_none()) {
                continue;
            }
            match self.quantity(claim) {
                None => {}
                Some(None) => {
                    known = false;
                    found.certain.push((Deviation::UnitNotConvertible, at));
                }
                Some(Some(quantity)) => {
                    quantity_now = quantity_now.plus(quantity.rounded(6));
                    self.price(claim, quantity, at, &mut found);
                }
            }
        }
        let billed = &self.position.billed;
        let net = money(billed.net).plus(self.now());
        let quantity = Q::of(billed.quantity).plus(quantity_now);
        let by_quantity = self.ordered().is_some() && known;
        let by_amount = self.ordered().is_none() || !all_stated || billed.by_amount;
        let below = |of: Q| Q::ZERO.above(of);
        // (15)
        if (below(net) && below(self.now()))
            || (by_quantity && below(quantity) && below(quantity_now))
        {
            found.certain.push((Deviation::LineUnder, self.at()));
            return found;
        }
        // (8)
        let most = match (self.ordered(), self.position.ended_at) {
            (Some(ordered), Some(ended)) => ordered.less(Q::of(ended)),
            (Some(ordered), None) => ordered,
            (None, _) => Q::ZERO,
        };
        let over_limit = self.quantity_limit(|of| &of.quantity_over).unwrap_or_default();
        let over = quantity.minus(most);
        if by_quantity && over.above(Q::ZERO) && quantity_now.above(Q::ZERO) {
            let of_this = over.less(quantity_now);
            found.over_by = found.over_by.plus(of_this.times(self.each().expect("a price")));
            if allowed_quantity(&over_limit, most, Q(1, 1)).is_some_and(|most| over.above(most)) {
                found.over.push((Deviation::QuantityOver, self.at()));
            }
        }
        // (13), (14)
        let over = net.minus(money(self.position.net));
        if by_amount && over.above(Q::ZERO) && self.now().above(Q::ZERO) {
            found.over_by = found.over_by.plus(over.less(self.now()));
            let limit = self.limit(|of| &of.line_over).unwrap_or_default();
            let most = allowed(&limit, money(self.position.net), Q(1, 1), self.bill.currency);
            if most.is_some_and(|most| over.above(most.rounded(2))) {
                let what = match self.blanket() {
                    true => Deviation::CeilingExceeded,
                    false => Deviation::LineOver,
                };
                found.over.push((what, self.at()));
            }
        }
        // (17) to (19)
        let least = of_line(
            self.bill,
            self.position,
            self.rules,
            |rule| rule.no_receipt_below.clone(),
            None,
        );
        let little = least.is_some_and(|least| {
            least.get(&self.bill.currency).is_some_and(|least| Q::of(*least).above(net))
        });
        let service = matches!(self.position.kind, OrderLineKind::Service | OrderLineKind::Limit);
        let three_way = self.mode == Some(MatchMode::ThreeWay)
            && (self.now().above(Q::ZERO) || quantity_now.above(Q::ZERO))
            && (!service || self.rules.receipts_for_services)
            && !little;
        let received = &self.position.received;
        if three_way {
            let each = self.each().unwrap_or(Q::ZERO);
            let pieces = by_quantity && !by_amount && received.amount.is_zero();
            let (needed, arrived, worth) = if pieces {
                (quantity, Q::of(received.quantity), Q(1, 1))
            } else {
                let value = Q::of(received.quantity).times(each).plus(Q::of(received.amount));
                let by_price = by_quantity && !by_amount;
                (if by_price { quantity.times(each) } else { net }, value, each)
            };
            let more = allowed_quantity(&over_limit, arrived, worth);
            if more.is_some_and(|more| needed.above(arrived.plus(more))) {
                found.missing.push(self.at());
            }
        }
        // (9)
        let wanted = if three_way { Q::of(received.quantity) } else { most };
        let under = wanted.minus(quantity);
        if let Some(limit) = self.quantity_limit(|of| &of.quantity_under)
            && by_quantity
            && under.above(Q::ZERO)
            && let Some(most) = allowed_quantity(&limit, wanted, Q(1, 1))
        {
            found.under_by = found.under_by.plus(under.times(self.each().expect("a price")));
            if under.above(most) {
                found.under.push((Deviation::QuantityUnder, self.at()));
            }
        }
        found
    }

    /// (10) to (12)
    fn price(&self, claim: &Claim, quantity: Q, at: String, found: &mut Found) {
        let (Some(each), Some(price)) = (self.each(), self.position.price) else { return };
        let own = Q::of(claim.quantity.expect("it has one"));
        let basis = claim.price_basis.map_or(Q(1, 1), Q::of);
        let per_own_unit = quantity.over(own);
        let agreed = each.times(per_own_unit).times(basis);
        let mut should = each.times(quantity);
        let mut stated_counts = false;
        if let Some(stated) = claim.unit_price {
            let decimals = stated.normalize().scale().max(2);
            let mut rounds = agreed.rounded(decimals).compare(Q::of(stated)) == Ordering::Equal;
            if let Some(kept) = price.rounded_to {
                let as_ordered =
                    Q::of(stated).over(basis).over(per_own_unit).times(Q::of(price.basis));
                rounds |= as_ordered.rounded(kept).compare(Q::of(price.amount).rounded(kept))
                    == Ordering::Equal;
            }
            if rounds {
                stated_counts = true;
                should = Q::of(stated).times(own).over(basis);
            }
        }
        let net = money(claim.net);
        if let Some(kept) = price.rounded_to
            && net
                .over(quantity)
                .times(Q::of(price.basis))
                .rounded(kept)
                .compare(Q::of(price.amount).rounded(kept))
                == Ordering::Equal
            && !stated_counts
        {
            should = net;
        }
        let difference = net.minus(should.rounded(2));
        let priced = quantity.over(Q::of(price.basis));
        let beyond = |limit: Option<Limit>, each: Q| {
            let Some(most) = limit.and_then(|of| allowed(&of, should, each, self.bill.currency))
            else {
                return false;
            };
            match difference.above(Q::ZERO) {
                true => net.above(should.plus(most).rounded(2)),
                false => should.minus(most).rounded(2).above(net),
            }
        };
        if difference.above(Q::ZERO) {
            found.over_by = found.over_by.plus(difference);
            let limit = self.limit(|of| &of.price_over).unwrap_or_default();
            if beyond(Some(limit), priced) {
                found.over.push((Deviation::PriceOver, at.clone()));
            }
            if beyond(self.limit(|of| &of.line_over), Q(1, 1)) {
                found.over.push((Deviation::LineOver, at));
            }
        } else if Q::ZERO.above(difference) {
            found.under_by = found.under_by.minus(difference);
            if beyond(self.limit(|of| &of.price_under), priced) {
                found.under.push((Deviation::PriceUnder, at.clone()));
            }
            if beyond(self.limit(|of| &of.line_under), Q(1, 1)) {
                found.under.push((Deviation::LineUnder, at));
            }
        }
    }
}

fn maybe<T>(rng: &mut Rng, one_in: u32, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    (rng.u32(0..one_in) == 0).then(|| value(rng))
}

fn a_limit(rng: &mut Rng) -> Limit {
    Limit {
        any: rng.u32(0..12) == 0,
        percent: maybe(rng, 2, |rng| Decimal::new(rng.i64(0..80), 1)),
        amounts: maybe(rng, 2, |rng| {
            let code = if rng.u32(0..5) == 0 { "EUR" } else { "NOK" };
            (Currency::parse(code).expect("a code"), Decimal::new(rng.i64(0..3_000), 2))
        })
        .into_iter()
        .collect(),
    }
}

fn a_quantity_limit(rng: &mut Rng) -> QuantityLimit {
    QuantityLimit {
        any: rng.u32(0..12) == 0,
        percent: maybe(rng, 2, |rng| Decimal::new(rng.i64(0..150), 1)),
        quantity: maybe(rng, 2, |rng| Decimal::new(rng.i64(0..30), 1)),
    }
}

fn limits(rng: &mut Rng, one_in: u32) -> Limits {
    Limits {
        price_over: maybe(rng, one_in, a_limit),
        price_under: maybe(rng, one_in * 2, a_limit),
        quantity_over: maybe(rng, one_in, a_quantity_limit),
        quantity_under: maybe(rng, one_in * 3, a_quantity_limit),
        line_over: maybe(rng, one_in, a_limit),
        line_under: maybe(rng, one_in * 3, a_limit),
        header_over: maybe(rng, one_in, a_limit),
        charge_over: maybe(rng, one_in, a_limit),
    }
}

fn some_nok(rng: &mut Rng, most: i64) -> Amounts {
    [(Currency::NOK, Decimal::new(rng.i64(0..most), 2))].into()
}

fn some_mode(rng: &mut Rng) -> MatchMode {
    match rng.u32(0..10) {
        0 => MatchMode::Off,
        1..5 => MatchMode::TwoWay,
        _ => MatchMode::ThreeWay,
    }
}

fn some_kind(rng: &mut Rng) -> OrderLineKind {
    use OrderLineKind::{Goods, Limit, Service, Unspecified};
    [Goods, Goods, Service, Limit, Unspecified][rng.usize(0..5)]
}

fn rules(rng: &mut Rng) -> MatchRules {
    let mut list: Vec<MatchRule> = Vec::new();
    for _ in 0..rng.usize(0..4) {
        let (vendor, category) = (rng.bool(), rng.usize(0..3));
        let rule = MatchRule {
            vendor: vendor.then(|| "50001".into()),
            category: [None, Some("43"), Some("4321")][category].map(str::to_owned),
            account: maybe(rng, 3, |_| "6540".into()),
            kind: maybe(rng, 3, some_kind),
            mode: maybe(rng, 4, some_mode),
            no_receipt_below: maybe(rng, 4, |rng| some_nok(rng, 90_000)),
            small_difference: maybe(rng, 4, |rng| some_nok(rng, 900)),
            limits: limits(rng, 3),
            ..MatchRule::default()
        };
        let same = |other: &MatchRule| {
            (&other.vendor, &other.category, &other.account, other.kind)
                == (&rule.vendor, &rule.category, &rule.account, rule.kind)
        };
        if !list.iter().any(same) {
            list.push(rule);
        }
    }
    MatchRules {
        mode: some_mode(rng),
        receipts_for_services: rng.bool(),
        small_difference: maybe(rng, 3, |rng| some_nok(rng, 600)).unwrap_or_default(),
        limits: limits(rng, 2),
        rules: list,
        factors: vec![UnitFactor {
            item: None,
            from: "BX".into(),
            to: "EA".into(),
            factor: dec("6"),
        }],
    }
}

fn a_position(rng: &mut Rng) -> Position {
    let quantity = Decimal::new(rng.i64(100..3_000), 2);
    let basis = [1, 1, 1, 10, 100][rng.usize(0..5)];
    let amount = Decimal::new(rng.i64(1..30_000) * basis, [2, 2, 4][rng.usize(0..3)]);
    let price = Price { amount, basis: Decimal::from(basis), rounded_to: maybe(rng, 3, |_| 4) };
    let value = |quantity: Decimal| {
        Money::rounded(quantity * amount / Decimal::from(basis), Currency::NOK).expect("small")
    };
    let by_amount = rng.u32(0..6) == 0;
    let before = Decimal::new(rng.i64(0..1_500), 2);
    let billed = match rng.u32(0..3) {
        0 => BilledBefore {
            quantity: before,
            net: value(before),
            by_amount: rng.u32(0..5) == 0,
            documents: vec!["Invoice 300001".into()],
        },
        _ => BilledBefore::nothing(Currency::NOK),
    };
    Position {
        kind: some_kind(rng),
        category: maybe(rng, 2, |_| "43210000".into()),
        account: maybe(rng, 2, |_| "6540".into()),
        quantity: (!by_amount).then_some(quantity),
        unit: Some(["EA", "EA", "DZN", "KGM"][rng.usize(0..4)].into()),
        price: (!by_amount || rng.bool()).then_some(price),
        net: value(quantity),
        ended_at: maybe(rng, 8, |rng| Decimal::new(rng.i64(50..2_000), 2)),
        received: Received {
            quantity: match rng.u32(0..3) {
                0 => Decimal::ZERO,
                1 => quantity,
                _ => Decimal::new(rng.i64(0..3_500), 2),
            },
            amount: maybe(rng, 6, |rng| Decimal::new(rng.i64(0..90_000), 2)).unwrap_or_default(),
            unknown_unit: None,
        },
        billed,
        ..position()
    }
}

/// A bill that mostly fits its order lines, and sometimes nearly.
pub fn shape(seed: u64) -> (Bill, Vec<Position>, MatchRules) {
    let rng = &mut Rng::with_seed(seed);
    let positions: Vec<Position> = (0..rng.usize(1..4)).map(|_| a_position(rng)).collect();
    let mut claims = Vec::new();
    for number in 1..=rng.usize(1..6) {
        let index = rng.usize(0..positions.len());
        let of = &positions[index];
        let ordered = of.quantity.unwrap_or(Decimal::TEN);
        let mut quantity = match rng.u32(0..4) {
            0 => ordered,
            1 => ordered - of.billed.quantity,
            _ => Decimal::new(rng.i64(1..1_500), 2),
        };
        if rng.u32(0..10) == 0 {
            quantity = -quantity;
        }
        if quantity.is_zero() {
            quantity = Decimal::ONE;
        }
        let price = of.price.map_or(Decimal::ONE_HUNDRED, |price| price.amount / price.basis);
        let exact = quantity * price;
        let off = match rng.u32(0..4) {
            0 => Decimal::new(rng.i64(-300..300), 2),
            1 => exact * Decimal::new(rng.i64(-80..80), 3),
            2 => Decimal::new(rng.i64(-2..3), 2),
            _ => Decimal::ZERO,
        };
        let net = Money::rounded(exact + off, Currency::NOK).expect("small");
        let own_unit = rng.u32(0..4) > 0;
        let other = ["EA", "DZN", "BX", "KGM"][rng.usize(0..4)].to_owned();
        claims.push(Claim {
            key: format!("K{number}"),
            number: number.to_string(),
            position: index,
            quantity: (rng.u32(0..7) > 0).then_some(quantity),
            unit: if own_unit { of.unit.clone() } else { Some(other) },
            unit_price: maybe(rng, 2, |_| price.round_dp(2)),
            price_basis: maybe(rng, 6, |_| Decimal::TEN),
            net,
        });
    }
    let left = claims.iter().map(|of| of.net.minor).sum::<i64>() + rng.i64(-500..500);
    let bill = Bill {
        kind: match rng.u32(0..6) {
            0 => InvoiceKind::CreditNote,
            _ => InvoiceKind::Invoice,
        },
        charges: nok(maybe(rng, 3, |rng| rng.i64(0..2_000)).unwrap_or(0)),
        left_on_orders: nok(left),
        ..bill(claims)
    };
    let rules = rules(rng);
    (bill, positions, rules)
}

fn outcome(comparison: &Comparison) -> Outcome {
    (
        comparison.beyond.iter().map(|of| (of.what, of.at.clone())).collect(),
        comparison.missing.iter().map(|of| of.at.clone()).collect(),
    )
}

/// Both implementations find the same.
pub fn both_implementations_agree(seed: u64) -> Result<(), String> {
    let (bill, positions, rules) = shape(seed);
    let found = compare(&bill, &positions, &rules);
    let (one, other) = (outcome(&found), expected(&bill, &positions, &rules));
    if one == other {
        return Ok(());
    }
    Err(format!("{one:?} against {other:?}: {bill:#?} {positions:#?} {rules:#?} {found:#?}"))
}

/// The order of lines, of order lines and of rules changes nothing.
pub fn order_is_nothing(seed: u64) -> Result<(), String> {
    let (mut bill, mut positions, mut rules) = shape(seed);
    let mut first = compare(&bill, &positions, &rules);
    let rng = &mut Rng::with_seed(!seed);
    rng.shuffle(&mut bill.claims);
    rng.shuffle(&mut rules.rules);
    positions.reverse();
    for claim in &mut bill.claims {
        claim.position = positions.len() - 1 - claim.position;
    }
    let mut again = compare(&bill, &positions, &rules);
    for line in first.lines.iter_mut().chain(&mut again.lines) {
        line.position = 0;
    }
    if first == again { Ok(()) } else { Err(format!("{first:#?} against {again:#?}")) }
}

/// A wider limit never adds what is beyond, nor a receipt that is missing.
pub fn wider_adds_nothing(seed: u64) -> Result<(), String> {
    let (bill, positions, mut rules) = shape(seed);
    let (narrow, waits) = outcome(&compare(&bill, &positions, &rules));
    widen(&mut rules, &mut Rng::with_seed(seed ^ 0x5eed));
    let (wide, still) = outcome(&compare(&bill, &positions, &rules));
    if wide.is_subset(&narrow) && still.is_subset(&waits) {
        return Ok(());
    }
    Err(format!("{wide:?}, {still:?} against {narrow:?}, {waits:?}: {rules:#?}"))
}

/// Wider in one place, by what the seed says.
pub fn widen(rules: &mut MatchRules, rng: &mut Rng) {
    let place = rng.usize(0..=rules.rules.len());
    let (limits, small) = match rules.rules.get_mut(place) {
        Some(rule) => (&mut rule.limits, rule.small_difference.as_mut()),
        None => (&mut rules.limits, Some(&mut rules.small_difference)),
    };
    let more = |limit: &mut Limit, rng: &mut Rng| match rng.u32(0..4) {
        0 => *limit = Limit { any: true, ..Limit::default() },
        1 => limit.percent = limit.percent.map(|of| of + Decimal::new(rng.i64(0..90), 1)),
        2 => limit.amounts.values_mut().for_each(|of| *of += Decimal::from(rng.i64(0..30))),
        _ if limit.amounts.is_empty() => {}
        _ => {
            limit.amounts.entry(Currency::NOK).or_insert(Decimal::TEN);
        }
    };
    for limit in [
        &mut limits.price_over,
        &mut limits.price_under,
        &mut limits.line_over,
        &mut limits.line_under,
        &mut limits.header_over,
        &mut limits.charge_over,
    ] {
        if let Some(limit) = limit.as_mut().filter(|_| rng.bool()) {
            more(limit, rng);
        }
    }
    for limit in [&mut limits.quantity_over, &mut limits.quantity_under].into_iter().flatten() {
        limit.any |= rng.u32(0..4) == 0;
        limit.percent = limit.percent.map(|of| of + Decimal::from(rng.i64(0..9)));
        limit.quantity = limit.quantity.map(|of| of + Decimal::from(rng.i64(0..3)));
    }
    if let Some(small) = small {
        let more = Decimal::from(rng.i64(0..20));
        *small.entry(Currency::NOK).or_default() += more;
    }
}
