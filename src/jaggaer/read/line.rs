//! What the lines of orders and invoices have in common: price, taxes, distributions.

use super::rows;
use super::scope::{Reader, Scope, shown};
use crate::jaggaer::profile::{
    DistributionLayout, Field, NetRule, PricingLayout, SegmentsLayout, TaxLayout, Text,
};
use crate::procurement::{Distribution, Money, TaxLine};
use rust_decimal::Decimal;
use serde_json::Value;
use std::slice;

pub(super) struct Pricing {
    pub(super) quantity: Option<Decimal>,
    pub(super) unit: Option<String>,
    pub(super) unit_price: Option<Decimal>,
    pub(super) price_basis: Option<Decimal>,
    /// `None` when it is missing, which is noted.
    pub(super) net: Option<Money>,
}

pub(super) fn pricing(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &PricingLayout,
) -> Pricing {
    let quantity = reader.optional(scope, "quantity", &layout.quantity);
    let unit_price = reader.optional(scope, "unit_price", &layout.unit_price);
    let price_basis = reader.optional(scope, "price_basis", &layout.price_basis);
    let given = match (&layout.net, layout.net_rule) {
        (Some(net), NetRule::Given) => reader.required(scope, "net", net),
        (Some(net), NetRule::QuantityTimesPrice) => reader.field(scope, "net", net),
        (None, NetRule::Given | NetRule::QuantityTimesPrice) => None,
    };
    let net = match layout.net_rule {
        NetRule::Given => given,
        NetRule::QuantityTimesPrice => {
            given.or_else(|| computed_net(reader, scope, layout, quantity, unit_price, price_basis))
        }
    };
    let unit = reader.optional(scope, "unit", &layout.unit);
    Pricing { quantity, unit, unit_price, price_basis, net }
}

fn computed_net(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &PricingLayout,
    quantity: Option<Decimal>,
    unit_price: Option<Decimal>,
    price_basis: Option<Decimal>,
) -> Option<Money> {
    let discount = reader.optional(scope, "discount", &layout.discount);
    let currency = reader.currency?;
    let computed = match (quantity, unit_price) {
        (Some(quantity), Some(price)) => quantity
            .checked_mul(price)
            .and_then(|product| product.checked_div(price_basis.unwrap_or(Decimal::ONE)))
            .ok_or_else(|| "quantity × price ÷ price basis cannot be computed".to_owned())
            .and_then(|net| Money::rounded(net, currency).map_err(|error| error.to_string())),
        (None, _) | (_, None) => {
            Err("no net amount, and no quantity and price to compute it from".to_owned())
        }
    };
    let net = computed.and_then(|net| match discount {
        Some(off) => {
            Money::rounded(net.amount() - off.amount(), currency).map_err(|error| error.to_string())
        }
        None => Ok(net),
    });
    match net {
        Ok(net) => Some(net),
        Err(text) => {
            reader.problem(scope, "net", "net_rule".to_owned(), "nothing".to_owned(), text);
            None
        }
    }
}

/// Taxes of a line or a document. What carries neither code nor rate nor an amount is no tax.
pub(super) fn taxes(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layouts: &[TaxLayout],
) -> Vec<TaxLine> {
    let mut taxes = Vec::new();
    for layout in layouts {
        let found = match &layout.list {
            Some(list) => rows(reader, scope, "taxes", slice::from_ref(list)).0,
            None => vec![scope.here],
        };
        for (index, row) in found.into_iter().enumerate() {
            let below = match &layout.list {
                Some(_) => scope.below(row, "taxes", index),
                None => *scope,
            };
            let tax = TaxLine {
                code: reader.optional(&below, "tax.code", &layout.code),
                rate: reader.optional(&below, "tax.rate", &layout.rate),
                base: reader.optional(&below, "tax.base", &layout.base),
                amount: reader.optional(&below, "tax.amount", &layout.amount),
            };
            let says_something = tax.code.is_some()
                || tax.rate.is_some()
                || tax.amount.is_some_and(|amount| !amount.is_zero());
            if says_something {
                taxes.push(tax);
            }
        }
    }
    taxes
}

/// The shares of a line: its own, else the header's, which are the default of every line.
pub(super) fn distributions(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &DistributionLayout,
) -> Vec<Distribution> {
    let (schemes, from_header) = schemes(reader, scope, layout);
    let count = schemes.iter().map(Vec::len).max().unwrap_or(0);
    if let Some(odd) = schemes.iter().find(|scheme| scheme.len() != count && scheme.len() != 1) {
        let text =
            format!("coding schemes with {} and {count} shares do not fit together", odd.len());
        note(reader, scope, layout, text);
        return Vec::new();
    }
    let mut shares = Vec::with_capacity(count);
    for index in 0..count {
        let mut share = Distribution::default();
        for scheme in &schemes {
            // A scheme that does not split holds for every share.
            let Some(row) = scheme.get(index).or(scheme.first()) else { continue };
            let below = scope.below(row, "distributions", index);
            let split = scheme.len() == count;
            read_share(reader, &below, layout, &mut share, split);
        }
        shares.push(share);
    }
    check(reader, scope, layout, &mut shares, from_header);
    shares
}

/// Lists of shares side by side, usually one.
fn schemes<'v>(
    reader: &mut Reader<'_>,
    scope: &Scope<'v>,
    layout: &DistributionLayout,
) -> (Vec<Vec<&'v Value>>, bool) {
    if layout.groups.0.is_empty() {
        let (found, from_header) = rows(reader, scope, "distributions", &layout.list.0);
        let schemes = if found.is_empty() { Vec::new() } else { vec![found] };
        return (schemes, from_header);
    }
    for groups in &layout.groups.0 {
        let (found, from_header) = rows(reader, scope, "distributions", slice::from_ref(groups));
        let lists = |group: &'v Value| {
            layout.list.0.iter().filter_map(|place| place.list(group)).find(|list| !list.is_empty())
        };
        let schemes: Vec<_> = found.into_iter().filter_map(lists).collect();
        if !schemes.is_empty() {
            return (schemes, from_header);
        }
    }
    (Vec::new(), false)
}

fn read_share(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &DistributionLayout,
    share: &mut Distribution,
    split: bool,
) {
    if split {
        share.percent = share.percent.or(reader.optional(scope, "percent", &layout.percent));
        share.amount = share.amount.or(reader.optional(scope, "amount", &layout.amount));
        share.quantity = share.quantity.or(reader.optional(scope, "quantity", &layout.quantity));
        share.ratio = share.ratio.or(reader.optional(scope, "ratio", &layout.ratio));
    }
    let mut found: Vec<(String, String)> = Vec::new();
    match &layout.segments {
        SegmentsLayout::Members(members) => {
            for (dimension, field) in members {
                let value = reader.field(scope, &format!("segments.{dimension}"), field);
                found.extend(value.map(|value| (dimension.clone(), value)));
            }
        }
        SegmentsLayout::Pairs(layout) => {
            let (pairs, _) = rows(reader, scope, "segments", slice::from_ref(&layout.list));
            for (index, pair) in pairs.into_iter().enumerate() {
                let below = scope.below(pair, "segments", index);
                let Some(name) = reader.field(&below, "dimension", &layout.dimension) else {
                    continue;
                };
                if layout.skip.contains(&name) {
                    continue;
                }
                let value = reader.field(&below, "value", &layout.value);
                found.extend(value.map(|value| (name, value)));
            }
        }
    }
    for (dimension, value) in found {
        match share.segments.get(&dimension) {
            Some(other) if *other != value => {
                let text = format!("`{dimension}` is both `{other}` and `{value}`");
                reader.problem(scope, "segments", "segments".to_owned(), shown(scope.here), text);
            }
            Some(_) => {}
            None => {
                share.segments.insert(dimension, value);
            }
        }
    }
    if let Some(nested) = &layout.parts {
        let (found, _) = rows(reader, scope, "parts", slice::from_ref(nested));
        for (index, row) in found.into_iter().enumerate() {
            let below = scope.below(row, "parts", index);
            let mut part = Distribution::default();
            read_share(reader, &below, layout, &mut part, true);
            share.parts.push(part);
        }
    }
}

fn check(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &DistributionLayout,
    shares: &mut [Distribution],
    from_header: bool,
) {
    if from_header {
        // The header's amounts and quantities are shares of the whole document, not of this line:
        // for a line they only compare.
        shares.iter_mut().for_each(compare_only);
    }
    let says_nothing = |share: &Distribution| {
        let numbers = [share.percent, share.quantity, share.ratio];
        share.amount.is_none() && numbers.iter().all(Option::is_none)
    };
    if shares.len() > 1 && shares.iter().any(says_nothing) {
        let text =
            "several shares, and not every one carries an amount, a percent, a quantity or a ratio";
        note(reader, scope, layout, text.to_owned());
    }
}

fn compare_only(share: &mut Distribution) {
    let amount = share.amount.take().map(|amount| amount.amount());
    let quantity = share.quantity.take();
    share.ratio = share.ratio.or(amount).or(quantity);
    share.parts.iter_mut().for_each(compare_only);
}

fn note(reader: &mut Reader<'_>, scope: &Scope<'_>, layout: &DistributionLayout, text: String) {
    let place = layout.list.0.first().map(|place| place.text().to_owned()).unwrap_or_default();
    reader.problem(scope, "distributions", place, "shares".to_owned(), text);
}

/// The key and the number of a line; each stands in for the other when it is missing.
pub(super) fn name(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    key: &Option<Field<Text>>,
    number: &Option<Field<Text>>,
) -> Option<(String, String)> {
    let key = reader.optional(scope, "key", key);
    let number = reader.optional(scope, "number", number);
    match (key, number) {
        (Some(key), Some(number)) => Some((key, number)),
        (Some(only), None) | (None, Some(only)) => Some((only.clone(), only)),
        (None, None) => {
            let text = "a line without an id and without a number".to_owned();
            reader.problem(scope, "number", "lines".to_owned(), "nothing".to_owned(), text);
            None
        }
    }
}
