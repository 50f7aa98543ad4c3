//! The comparison itself. The rules in words, numbered, are `docs/matching.md`.

use super::position::{
    Beyond, Bill, Claim, Compared, Comparison, Deviation, LARGEST, Missing, Position,
};
use super::units::{Ratio, ratio};
use super::{Facts, Limit, MatchMode, MatchRules, Policy, QuantityLimit};
use crate::procurement::{Currency, InvoiceKind, Money, OrderLineKind};
use rust_decimal::{Decimal, RoundingStrategy};

/// Compares an invoice with the order lines that it bills.
pub fn compare(bill: &Bill, positions: &[Position], rules: &MatchRules) -> Comparison {
    let mut out = Comparison::default();
    let mut found: Vec<(Side, Beyond)> = Vec::new();
    let mut over = bill.charges.amount().max(Decimal::ZERO);
    let mut net = Decimal::ZERO;
    for (index, position) in positions.iter().enumerate() {
        let mut claims: Vec<&Claim> =
            bill.claims.iter().filter(|claim| claim.position == index).collect();
        if claims.is_empty() {
            continue;
        }
        claims.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
        let facts = Facts {
            vendor: &bill.supplier,
            category: position.category.as_deref(),
            account: position.account.as_deref(),
            kind: position.kind,
        };
        let mut line = LineComparison::new(bill, position, &claims, rules, rules.policy(facts));
        line.run();
        over += line.over;
        if !line.skipped {
            net += claims.iter().map(|claim| claim.net.amount()).sum::<Decimal>();
        }
        found.append(&mut line.beyond());
        out.lines.append(&mut line.compared);
        out.missing.append(&mut line.missing);
        out.remarks.append(&mut line.remarks);
    }
    if bill.kind == InvoiceKind::Invoice && out.lines.iter().any(|line| !line.skipped) {
        found.extend(whole(bill, net, rules));
    }
    let small = rules.small_difference.get(&bill.currency).copied();
    for (side, beyond) in found {
        if side == Side::Over && small.is_some_and(|small| over <= small) {
            out.remarks.push(passes(&beyond));
        } else {
            out.beyond.push(beyond);
        }
    }
    out.lines.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
    out.remarks.sort();
    out.beyond.sort();
    out.missing.sort();
    out
}

/// What the charges and the invoice in all deviate by.
fn whole(bill: &Bill, net: Decimal, rules: &MatchRules) -> Vec<(Side, Beyond)> {
    let currency = bill.currency;
    let mut found = Vec::new();
    let mut limited = |what, limit: &Limit, amount: Decimal, base: Decimal, how: String| {
        let Some(allowed) = limit.allowed(base, Decimal::ONE, currency) else { return };
        let most = round(allowed, currency.decimals());
        if amount > most {
            let (limit, beyond) = (limit.shown(currency), money(amount - most, currency));
            let how = format!("{how}, limit {limit}, {beyond} over");
            found.push((Side::Over, Beyond { what, at: "The invoice".into(), how }));
        }
    };
    let charges = bill.charges.amount();
    if let Some(limit) = rules.of_document(&bill.supplier, |of| of.charge_over.as_ref()) {
        let how = format!("charges of {} that are not on the order", bill.charges);
        limited(Deviation::ChargeOver, limit, charges, net, how);
    }
    if let Some(limit) = rules.of_document(&bill.supplier, |of| of.header_over.as_ref()) {
        let (total, left) = (net + charges, bill.left_on_orders);
        let how = format!("{} against {left} left on the order", money(total, currency));
        limited(Deviation::HeaderOver, limit, total - left.amount(), left.amount(), how);
    }
    found
}

/// What a small difference may let pass: only together with others of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Over,
    Under,
    Never,
}

/// One order line under comparison.
struct LineComparison<'a> {
    bill: &'a Bill,
    position: &'a Position,
    claims: &'a [&'a Claim],
    rules: &'a MatchRules,
    policy: Policy<'a>,
    found: Vec<(Side, Beyond)>,
    /// The whole deviation upward and downward, within limits or not.
    over: Decimal,
    under: Decimal,
    skipped: bool,
    compared: Vec<Compared>,
    missing: Vec<Missing>,
    remarks: Vec<String>,
}

/// What is billed in all, with this invoice.
struct Total {
    quantity: Decimal,
    /// Of it, by this invoice.
    quantity_now: Decimal,
    net: Decimal,
    net_now: Decimal,
    /// Every quantity is known in the order line's unit.
    by_quantity: bool,
    /// Amounts must be compared in all.
    by_amount: bool,
}

impl<'a> LineComparison<'a> {
    fn new(
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

    fn run(&mut self) {
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
    fn ordered(&self) -> Option<Decimal> {
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

    /// `None`: numbers too large to be reckoned with.
    fn price(
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

    /// What a credit note gives back, against what was billed.
    fn given_back(&mut self, total: &Total) -> Option<String> {
        let billed = &self.position.billed;
        let currency = self.bill.currency;
        let at = at(self.claims);
        let mut texts = Vec::new();
        if total.by_quantity && !billed.by_amount && total.quantity_now > Decimal::ZERO {
            let (back, before) = (total.quantity_now, billed.quantity);
            let mut text = format!("gives back {} of {} billed", plain(back), plain(before));
            if back > before {
                text = format!("{text}, {} too many", plain(back - before));
                self.over += self.worth(back - before);
                self.add(Side::Over, Deviation::QuantityOver, at.clone(), text.clone());
            }
            texts.push(text);
        }
        let before = billed.net.amount();
        let mut text =
            format!("gives back {} of {} billed", money(total.net_now, currency), billed.net);
        if total.net_now > before && total.net_now > Decimal::ZERO {
            let beyond = total.net_now - before;
            text = format!("{text}, {} too much", money(beyond, currency));
            self.over += beyond;
            self.add(Side::Over, Deviation::LineOver, at, text.clone());
        }
        texts.push(text);
        Some(texts.join("; "))
    }

    /// What an invoice and all before it bill, against what was ordered and received.
    fn billed(&mut self, total: &Total) -> (Option<String>, bool) {
        // An order line may itself take something off.
        let below = |total: Decimal, now: Decimal, ordered: Decimal| {
            total < ordered.min(Decimal::ZERO) && now < Decimal::ZERO
        };
        let currency = self.bill.currency;
        let ordered = self.ordered().unwrap_or_default();
        if below(total.net, total.net_now, self.position.net.amount())
            || (total.by_quantity && below(total.quantity, total.quantity_now, ordered))
        {
            let how = format!(
                "takes back {} of {}, of which {} was billed before",
                money(-total.net_now, currency),
                self.position.shown,
                self.position.billed.net
            );
            self.add(Side::Never, Deviation::LineUnder, at(self.claims), how.clone());
            return (Some(how), false);
        }
        let mut texts = Vec::new();
        if total.by_quantity {
            texts.push(self.quantity(total));
        }
        if total.by_amount {
            texts.push(self.amount(total));
        }
        let three_way = self.needs_receipt(total);
        if three_way {
            texts.extend(self.receipts(total));
        }
        self.quantity_under(total, three_way);
        ((!texts.is_empty()).then(|| texts.join("; ")), three_way)
    }

    /// The most that will ever be billed of the line.
    fn most(&self) -> Decimal {
        let ordered = self.ordered().unwrap_or_default();
        self.position.ended_at.map_or(ordered, |ended| ended.min(ordered))
    }

    fn quantity(&mut self, total: &Total) -> String {
        let most = self.most();
        let ordered = self.ordered().unwrap_or_default();
        let ended = if most < ordered {
            format!("{} received of {} when the line was completed", plain(most), plain(ordered))
        } else {
            format!("{} ordered", plain(ordered))
        };
        let text = format!(
            "quantity {} against {ended}{}",
            plain(total.quantity),
            self.before(plain(self.position.billed.quantity))
        );
        let over = total.quantity - most;
        if over <= Decimal::ZERO || total.quantity_now <= Decimal::ZERO {
            return text;
        }
        self.over += self.worth(over.min(total.quantity_now));
        let nothing = QuantityLimit::default();
        let limit = self.policy.quantity_over.unwrap_or(&nothing);
        match limit.allowed(most) {
            Some(allowed) if over > allowed => {
                let (limit, beyond) = (limit.shown(), plain(over - allowed));
                let how = format!("{text}, limit {limit}, {beyond} over");
                self.add(Side::Over, Deviation::QuantityOver, at(self.claims), how.clone());
                how
            }
            Some(_) | None => {
                self.remarks.push(format!(
                    "{}: {text}, {} more; this passes.",
                    at(self.claims),
                    plain(over)
                ));
                text
            }
        }
    }

    fn quantity_under(&mut self, total: &Total, three_way: bool) {
        let Some(limit) = self.policy.quantity_under else { return };
        let wanted = match three_way {
            true => self.position.received.quantity,
            false => self.most(),
        };
        let under = wanted - total.quantity;
        if !total.by_quantity || under <= Decimal::ZERO {
            return;
        }
        let Some(allowed) = limit.allowed(wanted) else { return };
        self.under += self.worth(under);
        if under > allowed {
            let word = if three_way { "received" } else { "ordered" };
            let how = format!(
                "quantity {} against {} {word}, limit {}, {} under",
                plain(total.quantity),
                plain(wanted),
                limit.shown(),
                plain(under - allowed)
            );
            self.add(Side::Under, Deviation::QuantityUnder, at(self.claims), how);
        }
    }

    fn amount(&mut self, total: &Total) -> String {
        let currency = self.bill.currency;
        let ceiling = self.position.net.amount();
        let is_limit = self.position.kind == OrderLineKind::Limit;
        let word = if is_limit { "ceiling" } else { "ordered" };
        let before = self.before(self.position.billed.net.to_string());
        let text =
            format!("{} against {} {word}{before}", money(total.net, currency), self.position.net);
        let over = total.net - ceiling;
        if over <= Decimal::ZERO || total.net_now <= Decimal::ZERO {
            return text;
        }
        self.over += over.min(total.net_now);
        let nothing = Limit::default();
        let limit = self.policy.line_over.unwrap_or(&nothing);
        match limit.allowed(ceiling, Decimal::ONE, currency) {
            Some(allowed) if over > round(allowed, currency.decimals()) => {
                let beyond = over - round(allowed, currency.decimals());
                let (limit, beyond) = (limit.shown(currency), money(beyond, currency));
                let how = format!("{text}, limit {limit}, {beyond} over");
                let what = match is_limit {
                    true => Deviation::CeilingExceeded,
                    false => Deviation::LineOver,
                };
                self.add(Side::Over, what, at(self.claims), how.clone());
                how
            }
            Some(_) | None => {
                let more = money(over, currency);
                self.remarks
                    .push(format!("{}: {text}, {more} more; this passes.", at(self.claims)));
                text
            }
        }
    }

    fn needs_receipt(&self, total: &Total) -> bool {
        let adds = total.net_now > Decimal::ZERO || total.quantity_now > Decimal::ZERO;
        let kind = match self.position.kind {
            OrderLineKind::Goods | OrderLineKind::Unspecified => true,
            OrderLineKind::Service | OrderLineKind::Limit => self.rules.receipts_for_services,
        };
        let least = self.policy.no_receipt_below.and_then(|of| of.get(&self.bill.currency));
        self.policy.mode == MatchMode::ThreeWay
            && adds
            && kind
            && least.is_none_or(|least| total.net >= *least)
    }

    fn receipts(&mut self, total: &Total) -> Option<String> {
        let (received, currency) = (&self.position.received, self.bill.currency);
        if let Some(from) = &received.unknown_unit {
            let to = unit(&self.position.unit);
            let how = format!(
                "what was received in {from} cannot be converted into {to} of {}",
                self.position.shown
            );
            self.add(Side::Never, Deviation::UnitNotConvertible, at(self.claims), how.clone());
            return Some(how);
        }
        let nothing = QuantityLimit::default();
        let limit = self.policy.quantity_over.unwrap_or(&nothing);
        let in_quantity = total.by_quantity && !total.by_amount && received.amount.is_zero();
        let (needed, arrived, allowed) = if in_quantity {
            (total.quantity, received.quantity, limit.allowed(received.quantity))
        } else {
            let value = |quantity| self.position.value(quantity).unwrap_or_default();
            let needed = match total.by_quantity && !total.by_amount {
                true => value(total.quantity),
                false => total.net,
            };
            let arrived = value(received.quantity) + received.amount;
            let limit = QuantityLimit { quantity: limit.quantity.map(value), ..limit.clone() };
            (needed, arrived, limit.allowed(arrived))
        };
        let show = |number: Decimal| match in_quantity {
            true => plain(number),
            false => money(round(number, currency.decimals()), currency),
        };
        let text = format!("{} billed, {} received", show(needed), show(arrived));
        let short = allowed.map(|allowed| needed - arrived - allowed);
        match short.filter(|short| *short > Decimal::ZERO) {
            Some(short) => {
                let how = format!("{text}: {} more must arrive", show(short));
                self.missing.push(Missing {
                    order: self.position.order.clone(),
                    at: at(self.claims),
                    how: how.clone(),
                });
                Some(how)
            }
            None => Some(text),
        }
    }

    /// A quantity at the order's price.
    fn worth(&self, quantity: Decimal) -> Decimal {
        let worth = self.position.value(quantity).or_else(|| {
            let net = self.position.net.amount();
            net.checked_mul(quantity)?.checked_div(self.ordered()?)
        });
        worth.unwrap_or(LARGEST).abs().min(LARGEST)
    }

    fn before(&self, amount: String) -> String {
        match self.position.billed.documents.as_slice() {
            [] => String::new(),
            documents => format!(", {amount} of it before by {}", documents.join(", ")),
        }
    }

    fn add(&mut self, side: Side, what: Deviation, at: String, how: String) {
        self.found.push((side, Beyond { what, at, how }));
    }

    /// What is left when small differences have passed.
    fn beyond(&mut self) -> Vec<(Side, Beyond)> {
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

fn passes(beyond: &Beyond) -> String {
    format!("{}: {}; this passes as a small difference.", beyond.at, beyond.how)
}

/// A quantity of 0 says as little as none.
fn stated(claim: &Claim) -> Option<Decimal> {
    claim.quantity.filter(|quantity| !quantity.is_zero())
}

fn unit(unit: &Option<String>) -> &str {
    unit.as_deref().unwrap_or("no unit")
}

/// `Line 2`, `Lines 2 and 3`.
fn at(claims: &[&Claim]) -> String {
    let numbers: Vec<&str> = claims.iter().map(|claim| claim.number.as_str()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [only] => format!("Line {only}"),
        [first @ .., last] => format!("Lines {} and {last}", first.join(", ")),
    }
}

fn round(number: Decimal, decimals: u32) -> Decimal {
    number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

fn plain(quantity: Decimal) -> String {
    quantity.normalize().to_string()
}

/// A price with at least the currency's decimals, and at most six.
fn decimal(price: Decimal, currency: Currency) -> String {
    let mut price = round(price, 6).normalize();
    price.rescale(price.scale().max(currency.decimals()));
    price.to_string()
}

fn money(amount: Decimal, currency: Currency) -> String {
    match Money::rounded(amount, currency) {
        Ok(money) => money.to_string(),
        Err(_) => format!("{amount} {currency}"),
    }
}
