use super::position::LARGEST;
use super::units::code;
use crate::procurement::{Currency, OrderLineKind};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Amounts by currency. An amount says nothing about another currency.
pub type Amounts = BTreeMap<Currency, Decimal>;

/// How one connection compares invoices with orders and receipts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchRules {
    pub mode: MatchMode,
    /// Services and blanket lines need a receipt too, where the mode is `three_way`.
    pub receipts_for_services: bool,
    /// A document whose whole deviation is at most this passes whatever the limits say.
    pub small_difference: Amounts,
    pub limits: Limits,
    /// Exceptions. The most specific one that says something counts.
    pub rules: Vec<MatchRule>,
    /// Sizes of packs and of other units that no standard converts.
    pub factors: Vec<UnitFactor>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchMode {
    /// Nothing is compared; lines are linked all the same.
    Off,
    /// Against the order.
    #[default]
    TwoWay,
    /// Against the order and what was received.
    ThreeWay,
}

/// What an invoice may deviate from its order. What is not stated here is stated by a less
/// specific rule, else by the default: nothing over, anything under.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub price_over: Option<Limit>,
    pub price_under: Option<Limit>,
    pub quantity_over: Option<QuantityLimit>,
    pub quantity_under: Option<QuantityLimit>,
    pub line_over: Option<Limit>,
    pub line_under: Option<Limit>,
    pub header_over: Option<Limit>,
    pub charge_over: Option<Limit>,
}

/// When both a percentage and an amount are given, the stricter counts. Neither: nothing is allowed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// Whatever it is, it passes.
    pub any: bool,
    pub percent: Option<Decimal>,
    /// A currency that is not named here is allowed nothing.
    pub amounts: Amounts,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuantityLimit {
    pub any: bool,
    pub percent: Option<Decimal>,
    /// In the order line's unit.
    pub quantity: Option<Decimal>,
}

/// What is different for some lines. All conditions that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchRule {
    /// The ERP's supplier number.
    pub vendor: Option<String>,
    /// The commodity code begins with this.
    pub category: Option<String>,
    /// The ERP's account.
    pub account: Option<String>,
    pub kind: Option<OrderLineKind>,

    pub mode: Option<MatchMode>,
    /// A line billed for less than this in all needs no receipt.
    pub no_receipt_below: Option<Amounts>,
    /// A line must name an order.
    pub order_required: Option<bool>,
    /// ... when what the invoice bills without an order is at least this.
    pub order_required_from: Option<Amounts>,
    pub small_difference: Option<Amounts>,
    pub limits: Limits,
}

/// One `from` is `factor` of `to`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitFactor {
    /// Only for this item; beats one for all items.
    #[serde(default)]
    pub item: Option<String>,
    pub from: String,
    pub to: String,
    pub factor: Decimal,
}

/// What the rules may look at to tell lines apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    pub vendor: &'a str,
    pub category: Option<&'a str>,
    pub account: Option<&'a str>,
    pub kind: OrderLineKind,
}

/// What counts for one line.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    pub mode: MatchMode,
    pub no_receipt_below: Option<&'a Amounts>,
    pub order_required: bool,
    pub order_required_from: Option<&'a Amounts>,
    pub small_difference: &'a Amounts,
    pub price_over: Option<&'a Limit>,
    pub price_under: Option<&'a Limit>,
    pub quantity_over: Option<&'a QuantityLimit>,
    pub quantity_under: Option<&'a QuantityLimit>,
    pub line_over: Option<&'a Limit>,
    pub line_under: Option<&'a Limit>,
}

impl MatchRules {
    pub fn policy(&self, facts: Facts<'_>) -> Policy<'_> {
        let mut rules: Vec<&MatchRule> =
            self.rules.iter().filter(|rule| rule.fits(facts)).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.rank()));
        let base = &self.limits;
        Policy {
            mode: rules.iter().find_map(|rule| rule.mode).unwrap_or(self.mode),
            no_receipt_below: rules.iter().find_map(|rule| rule.no_receipt_below.as_ref()),
            order_required: rules.iter().find_map(|rule| rule.order_required).unwrap_or(false),
            order_required_from: rules.iter().find_map(|rule| rule.order_required_from.as_ref()),
            small_difference: rules
                .iter()
                .find_map(|rule| rule.small_difference.as_ref())
                .unwrap_or(&self.small_difference),
            price_over: stated(&rules, base, |of| of.price_over.as_ref()),
            price_under: stated(&rules, base, |of| of.price_under.as_ref()),
            quantity_over: stated(&rules, base, |of| of.quantity_over.as_ref()),
            quantity_under: stated(&rules, base, |of| of.quantity_under.as_ref()),
            line_over: stated(&rules, base, |of| of.line_over.as_ref()),
            line_under: stated(&rules, base, |of| of.line_under.as_ref()),
        }
    }

    /// Header and charges belong to no line: only rules that look at nothing but the vendor count.
    pub(super) fn of_document(
        &self,
        vendor: &str,
        of: fn(&Limits) -> Option<&Limit>,
    ) -> Option<&Limit> {
        self.rules
            .iter()
            .filter(|rule| rule.is_of_vendor_only() && rule.vendor.as_deref() == Some(vendor))
            .find_map(|rule| of(&rule.limits))
            .or_else(|| of(&self.limits))
    }

    /// What is wrong with them, for whoever wrote them.
    pub fn check(&self) -> Result<(), String> {
        check_limits("limits", &self.limits)?;
        check_amounts("small_difference", &self.small_difference)?;
        let mut seen = BTreeSet::new();
        for rule in &self.rules {
            let about = rule.about();
            if about.is_empty() {
                return Err("a rule of `matching.rules` has no condition: state it in \
                            [connection.matching] itself"
                    .into());
            }
            if !seen.insert(about.clone()) {
                return Err(format!(
                    "two rules of `matching.rules` have the same conditions ({about}): make them one"
                ));
            }
            check_limits(&about, &rule.limits)?;
            if !rule.is_of_vendor_only()
                && (rule.limits.header_over.is_some() || rule.limits.charge_over.is_some())
            {
                return Err(format!(
                    "the rule for {about}: `header_over` and `charge_over` are of the whole \
                     invoice and can depend on the vendor only"
                ));
            }
            for amounts in
                [&rule.no_receipt_below, &rule.order_required_from, &rule.small_difference]
            {
                amounts.as_ref().map_or(Ok(()), |amounts| check_amounts(&about, amounts))?;
            }
        }
        let mut pairs = BTreeSet::new();
        for UnitFactor { item, from, to, factor } in &self.factors {
            let (Some(one), Some(other)) = (code(Some(from)), code(Some(to))) else {
                return Err(format!("a factor from `{from}` to `{to}` must name two units"));
            };
            if one == other {
                return Err(format!("a factor from {from} to {to} is of one unit: leave it out"));
            }
            if *factor <= Decimal::ZERO {
                return Err(format!("the factor from {from} to {to} must be above 0"));
            }
            if !pairs.insert((item, BTreeSet::from([one, other]))) {
                return Err(format!("the factor between {from} and {to} is stated twice"));
            }
        }
        Ok(())
    }
}

impl MatchRule {
    fn fits(&self, facts: Facts<'_>) -> bool {
        let same = |condition: &Option<String>, fact: Option<&str>| {
            condition.as_deref().is_none_or(|wanted| fact == Some(wanted))
        };
        same(&self.vendor, Some(facts.vendor))
            && same(&self.account, facts.account)
            && self.kind.is_none_or(|kind| kind == facts.kind)
            && self.category.as_deref().is_none_or(|prefix| {
                facts.category.is_some_and(|category| category.starts_with(prefix))
            })
    }

    /// The vendor weighs most, then the category by its length, the account, the kind. Two rules
    /// that fit one line and have the same rank have the same conditions, and that is refused.
    fn rank(&self) -> (bool, usize, bool, bool) {
        let category = self.category.as_ref().map_or(0, |prefix| prefix.chars().count());
        (self.vendor.is_some(), category, self.account.is_some(), self.kind.is_some())
    }

    fn is_of_vendor_only(&self) -> bool {
        self.category.is_none() && self.account.is_none() && self.kind.is_none()
    }

    fn about(&self) -> String {
        let given = [
            ("vendor", self.vendor.clone()),
            ("category", self.category.clone()),
            ("account", self.account.clone()),
            ("kind", self.kind.map(|kind| format!("{kind:?}").to_lowercase())),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn stated<'a, T>(
    rules: &[&'a MatchRule],
    base: &'a Limits,
    of: fn(&'a Limits) -> Option<&'a T>,
) -> Option<&'a T> {
    rules.iter().find_map(|rule| of(&rule.limits)).or_else(|| of(base))
}

fn check_limits(about: &str, limits: &Limits) -> Result<(), String> {
    let amounts = [
        &limits.price_over,
        &limits.price_under,
        &limits.line_over,
        &limits.line_under,
        &limits.header_over,
        &limits.charge_over,
    ];
    for limit in amounts.into_iter().flatten() {
        not_negative(about, limit.percent)?;
        check_amounts(about, &limit.amounts)?;
        alone(about, limit.any, limit.percent.is_some() || !limit.amounts.is_empty())?;
    }
    for limit in [&limits.quantity_over, &limits.quantity_under].into_iter().flatten() {
        not_negative(about, limit.percent)?;
        not_negative(about, limit.quantity)?;
        alone(about, limit.any, limit.percent.is_some() || limit.quantity.is_some())?;
    }
    Ok(())
}

fn check_amounts(about: &str, amounts: &Amounts) -> Result<(), String> {
    for (currency, amount) in amounts {
        not_negative(about, Some(*amount))?;
        if amount.round_dp(currency.decimals()) != *amount {
            return Err(format!("{about}: {amount} is finer than {currency} is"));
        }
    }
    Ok(())
}

fn not_negative(about: &str, number: Option<Decimal>) -> Result<(), String> {
    match number {
        Some(number) if number < Decimal::ZERO => {
            Err(format!("{about}: a limit cannot be below 0, as {number} is"))
        }
        Some(_) | None => Ok(()),
    }
}

fn alone(about: &str, any: bool, more: bool) -> Result<(), String> {
    if any && more { Err(format!("{about}: `any` stands alone")) } else { Ok(()) }
}

impl Limit {
    /// What it allows. `each` is what an amount counts for: a price's units, else 1. `None`: anything.
    pub(super) fn allowed(
        &self,
        base: Decimal,
        each: Decimal,
        currency: Currency,
    ) -> Option<Decimal> {
        if self.any {
            return None;
        }
        let percent = self.percent.map(|percent| part(base, percent));
        let amount = (!self.amounts.is_empty()).then(|| {
            let amount = self.amounts.get(&currency).copied().unwrap_or_default();
            amount.checked_mul(each.abs()).unwrap_or_default()
        });
        Some(stricter(percent, amount))
    }

    /// `3 %`, `5.00 NOK`, `3 % and 5.00 NOK`.
    pub(super) fn shown(&self, currency: Currency) -> String {
        let percent = self.percent.map(|percent| format!("{} %", percent.normalize()));
        let amount = (!self.amounts.is_empty()).then(|| {
            let amount = self.amounts.get(&currency).copied().unwrap_or_default();
            format!("{amount} {currency}")
        });
        both(percent, amount)
    }
}

impl QuantityLimit {
    pub(super) fn allowed(&self, base: Decimal) -> Option<Decimal> {
        if self.any {
            return None;
        }
        Some(stricter(self.percent.map(|percent| part(base, percent)), self.quantity))
    }

    pub(super) fn shown(&self) -> String {
        let percent = self.percent.map(|percent| format!("{} %", percent.normalize()));
        both(percent, self.quantity.map(|quantity| quantity.normalize().to_string()))
    }
}

/// A part that is too large to be computed allows nothing.
fn part(base: Decimal, percent: Decimal) -> Decimal {
    base.abs()
        .checked_mul(percent)
        .and_then(|product| product.checked_div(Decimal::ONE_HUNDRED))
        .unwrap_or_default()
}

fn stricter(left: Option<Decimal>, right: Option<Decimal>) -> Decimal {
    let allowed = match (left, right) {
        (Some(left), Some(right)) => left.min(right),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => Decimal::ZERO,
    };
    allowed.min(LARGEST)
}

fn both(left: Option<String>, right: Option<String>) -> String {
    match (left, right) {
        (Some(left), Some(right)) => format!("{left} and {right}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => "0".into(),
    }
}
