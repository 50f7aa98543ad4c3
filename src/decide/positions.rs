//! The lines of an order as they are compared: what was agreed in the source's words, what arrived
//! and what was billed so far.

use super::{History, Inputs};
use crate::mapping::Mapped;
use crate::matching::{
    BilledBefore, LARGEST_QUANTITY, Position, Price, Ratio, Received, amount, ratio, source_key,
};
use crate::procurement::{
    ErpOrder, ErpOrderLine, InvoiceKind, Money, OrderLine, OrderLineKind, OrderPlan, PurchaseOrder,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// An order that invoice lines may be compared with and linked to.
pub(super) struct Target<'a> {
    /// The source's order number.
    pub number: &'a str,
    /// Our plan of it, and where its lines are in the ERP.
    pub plan: Option<(&'a OrderPlan, BTreeMap<String, i64>)>,
    pub source: Option<&'a PurchaseOrder>,
    pub erp: &'a ErpOrder,
}

/// One order line in the ERP, or several that are the shares of one.
pub(super) struct OrderedLine<'a> {
    pub position: Position,
    pub contract: Option<&'a str>,
    /// The ERP's line numbers.
    pub numbers: Vec<i64>,
}

/// The lines of an order in force, by the ERP's line numbers.
pub(super) fn ordered_lines<'a>(target: &Target<'a>, inputs: &Inputs<'_>) -> Vec<OrderedLine<'a>> {
    let ours: BTreeMap<i64, &str> = target
        .plan
        .iter()
        .flat_map(|(_, paired)| paired.iter().map(|(key, number)| (*number, key.as_str())))
        .collect();
    let mut shares: BTreeMap<(Option<&str>, i64), Vec<&ErpOrderLine>> = BTreeMap::new();
    for line in target.erp.lines.iter().filter(|line| !line.cancelled) {
        let key = ours.get(&line.number).copied().or(line.our_key.as_deref()).map(source_key);
        let alone = if key.is_some() { 0 } else { line.number };
        shares.entry((key, alone)).or_default().push(line);
    }
    let mut lines: Vec<OrderedLine<'_>> = shares
        .into_iter()
        .filter_map(|((key, _), mut lines)| {
            lines.sort_by_key(|line| line.number);
            Reading { target, inputs, key, lines: &lines }.line()
        })
        .collect();
    lines.sort_by_key(|line| line.position.line);
    lines
}

/// One order line while it is read.
struct Reading<'r, 'a> {
    target: &'r Target<'a>,
    inputs: &'r Inputs<'r>,
    key: Option<&'r str>,
    lines: &'r [&'a ErpOrderLine],
}

/// What was agreed.
struct Agreed<'a> {
    quantity: Option<Decimal>,
    unit: Option<String>,
    price: Option<Price>,
    net: Money,
    kind: OrderLineKind,
    source: Option<&'a OrderLine>,
}

impl<'a> Reading<'_, 'a> {
    fn line(&self) -> Option<OrderedLine<'a>> {
        let first = self.lines.first()?;
        let agreed = self.agreed();
        let (received, ended_at) = self.received(&agreed);
        let accounts: Vec<Option<&String>> =
            self.lines.iter().map(|line| line.account.as_ref()).collect();
        let account = accounts.first().copied().flatten();
        let one_account = accounts.iter().all(|other| *other == account);
        let named = agreed.source.map(|line| line.number.clone());
        let planned = self.key.and_then(|key| {
            let (plan, _) = self.target.plan.as_ref()?;
            let line = plan.lines.iter().find(|line| source_key(&line.key) == key)?;
            Some(line.number.clone())
        });
        let shown = match named.or(planned) {
            Some(number) => format!("line {number} of order {}", self.target.number),
            None => format!("line {} in Visma of order {}", first.number, self.target.number),
        };
        let numbers: Vec<i64> = self.lines.iter().map(|line| line.number).collect();
        let kind = match agreed.kind {
            OrderLineKind::Unspecified if self.lines.iter().any(|line| line.is_stock()) => {
                OrderLineKind::Goods
            }
            kind => kind,
        };
        let source = agreed.source;
        Some(OrderedLine {
            contract: source.and_then(|line| line.contract.as_deref()),
            position: Position {
                order: self.target.erp.number.clone(),
                line: first.number,
                shown,
                kind,
                description: source
                    .map(|line| line.description.clone())
                    .or_else(|| first.description.clone())
                    .unwrap_or_default(),
                item: source.and_then(|line| line.item.clone()),
                category: source.and_then(|line| line.commodity.clone()),
                account: account.filter(|_| one_account).cloned(),
                quantity: agreed.quantity,
                unit: agreed.unit,
                price: agreed.price,
                net: agreed.net,
                ended_at,
                received,
                billed: self.billed(&numbers),
            },
            numbers,
        })
    }

    fn agreed(&self) -> Agreed<'a> {
        let currency = self.target.erp.currency;
        let in_visma = self.quantity_in_visma();
        if let Some(line) = self.source_line() {
            let real = self.is_real(line, in_visma);
            let price = line.unit_price.map(|amount| Price {
                amount,
                basis: line.price_basis.filter(|of| !of.is_zero()).unwrap_or(Decimal::ONE),
                rounded_to: None,
            });
            let each = || price_of(line.net, line.quantity?, 6);
            return Agreed {
                quantity: line.quantity.filter(|_| real),
                unit: line.unit.clone(),
                price: price.or_else(each),
                net: line.net,
                kind: line.kind,
                source: Some(line),
            };
        }
        let net = self.lines.iter().try_fold(Money::zero(currency), |sum, line| {
            sum.checked_add(amount(line, self.target.erp)?).ok()
        });
        let net = net.unwrap_or(Money::zero(currency));
        // What we made may stand there as 1 at the whole amount; without the source's words it
        // cannot be told from one piece.
        let perhaps_not_real =
            self.key.is_some() && self.lines.iter().any(|line| line.quantity == Some(Decimal::ONE));
        let quantity = in_visma.filter(|_| !perhaps_not_real);
        let decimals = self.inputs.rules.orders.unit_cost_decimals.max(currency.decimals());
        // What the whole comes to for each unit: so shares that are rounded, and discounts, are in it.
        let price = quantity.and_then(|of| price_of(net, of, decimals));
        Agreed {
            price,
            quantity,
            unit: self.lines.first().and_then(|line| self.source_unit(line.unit.as_deref())),
            net,
            kind: OrderLineKind::Unspecified,
            source: None,
        }
    }

    fn source_line(&self) -> Option<&'a OrderLine> {
        let key = self.key?;
        let lines = &self.target.source?.lines;
        lines.iter().find(|line| line.key == key && !line.cancelled)
    }

    /// `None`: shares at different prices have no quantity in common.
    fn quantity_in_visma(&self) -> Option<Decimal> {
        let price = self.lines.first()?.unit_cost;
        if self.lines.iter().any(|line| line.unit_cost != price) {
            return None;
        }
        let sum = sum(self.lines.iter().map(|line| line.quantity))?;
        // Each share is rounded to six decimals.
        Some(if self.lines.len() > 1 { sum.round_dp(4) } else { sum })
    }

    /// Whether Visma holds the source's quantity, and not 1 at the whole amount.
    fn is_real(&self, line: &OrderLine, in_visma: Option<Decimal>) -> bool {
        let planned = self.target.plan.as_ref().and_then(|(plan, _)| {
            let shares = plan.lines.iter().filter(|of| source_key(&of.key) == line.key);
            sum(shares.map(|of| Some(of.quantity)))
        });
        let Some((held, ordered)) = planned.or(in_visma).zip(line.quantity) else { return false };
        // Each share is rounded to six decimals.
        let shares = Decimal::from(self.lines.len());
        held.checked_sub(ordered).is_some_and(|apart| apart.abs() <= shares * Decimal::new(1, 6))
    }

    /// The source's word for a unit of the ERP's; its own word where no table names it.
    fn source_unit(&self, unit: Option<&str>) -> Option<String> {
        let unit = unit?;
        let table = &self.inputs.rules.mapping.units.table;
        let mut codes = table.iter().filter(|(_, to)| *to == unit).map(|(code, _)| code);
        Some(codes.next().map_or(unit, |code| code).to_owned())
    }

    /// How many of the order line's unit one of the ERP's is.
    fn visma_ratio(&self, unit: Option<&str>, agreed: &Agreed<'_>) -> Option<Ratio> {
        let ordered = agreed.unit.as_deref();
        let mapped = self.inputs.rules.mapping.units.map(ordered);
        if unit.is_some_and(|unit| mapped == Mapped::To(unit)) {
            return Some(Ratio::ONE);
        }
        self.ratio(self.source_unit(unit).as_deref(), agreed)
    }

    fn ratio(&self, unit: Option<&str>, agreed: &Agreed<'_>) -> Option<Ratio> {
        let item = agreed.source.and_then(|line| line.item.as_deref());
        ratio(unit, agreed.unit.as_deref(), item, &self.inputs.rules.matching.factors)
    }

    /// What arrived, and what will be all of it when the line is completed with less than ordered.
    fn received(&self, agreed: &Agreed<'_>) -> (Received, Option<Decimal>) {
        let visma = self.received_in_visma(agreed);
        let source = self.received_in_source(agreed);
        let value = |of: &Received| {
            let priced = agreed
                .price
                .and_then(|price| of.quantity.checked_mul(price.amount)?.checked_div(price.basis));
            (priced.unwrap_or(of.quantity).saturating_add(of.amount), of.unknown_unit.is_none())
        };
        let completed = self.lines.iter().all(|line| line.completed);
        let ended_at = (completed && visma.quantity > Decimal::ZERO).then_some(visma.quantity);
        let larger = if value(&source) > value(&visma) { source } else { visma };
        (larger, ended_at)
    }

    fn received_in_visma(&self, agreed: &Agreed<'_>) -> Received {
        let (history, order) = (self.inputs.history, &self.target.erp.number);
        let mut received = Received::default();
        let mut listed = false;
        for receipt in history.receipts.iter().filter(|receipt| receipt.status == "Released") {
            let back = receipt.receipt_type.to_lowercase().contains("return");
            for of in &receipt.lines {
                let line = self.lines.iter().find(|line| Some(line.number) == of.order_line);
                let Some(line) = line.filter(|_| of.order_number.as_ref() == Some(order)) else {
                    continue;
                };
                listed = true;
                let quantity =
                    of.quantity.map(|quantity| if back { -quantity.abs() } else { quantity });
                self.add(&mut received, line, quantity, of.unit.as_deref(), agreed);
            }
        }
        if !listed {
            for line in self.lines {
                self.add(&mut received, line, line.received, line.unit.as_deref(), agreed);
            }
        }
        received
    }

    fn add(
        &self,
        received: &mut Received,
        line: &ErpOrderLine,
        quantity: Option<Decimal>,
        unit: Option<&str>,
        agreed: &Agreed<'_>,
    ) {
        let Some(quantity) = quantity.filter(|quantity| !quantity.is_zero()) else { return };
        if agreed.quantity.is_none() {
            // Its quantity means an amount.
            let cost = line
                .unit_cost
                .or_else(|| amount(line, self.target.erp)?.amount().checked_div(line.quantity?));
            let worth = cost.and_then(|cost| quantity.checked_mul(cost));
            // More than any amount can be says nothing.
            let worth = worth.filter(|worth| worth.abs() <= Decimal::from(i64::MAX));
            let worth = worth.unwrap_or_default();
            received.amount = received.amount.saturating_add(worth);
            return;
        }
        match self.visma_ratio(unit, agreed).and_then(|ratio| ratio.convert(quantity)) {
            Some(quantity) => received.quantity += quantity,
            None => received.unknown_unit = Some(unit.unwrap_or_default().to_owned()),
        }
    }

    fn received_in_source(&self, agreed: &Agreed<'_>) -> Received {
        let mut received = Received::default();
        let receipts = self.inputs.history.source_receipts.iter();
        let lines =
            receipts.filter(|receipt| !receipt.cancelled).flat_map(|receipt| &receipt.lines);
        for of in lines.filter(|of| of.order_number.trim() == self.target.number) {
            let named = match (&of.order_line_key, &of.order_line_number) {
                (Some(key), _) => Some(key.as_str()) == self.key,
                (None, Some(number)) => {
                    agreed.source.is_some_and(|line| line.number.trim() == number.trim())
                        || self.planned_number() == Some(number.trim())
                }
                (None, None) => false,
            };
            if !named {
                continue;
            }
            match (of.quantity, of.amount) {
                (Some(quantity), _) => {
                    let ratio = self.ratio(of.unit.as_deref(), agreed);
                    match ratio.and_then(|ratio| ratio.convert(quantity)) {
                        Some(quantity) => received.quantity += quantity,
                        None => received.unknown_unit = of.unit.clone(),
                    }
                }
                (None, Some(amount)) if amount.currency == self.target.erp.currency => {
                    received.amount = received.amount.saturating_add(amount.amount());
                }
                (None, _) => {}
            }
        }
        received
    }

    fn planned_number(&self) -> Option<&str> {
        let (plan, _) = self.target.plan.as_ref()?;
        let line = plan.lines.iter().find(|line| Some(source_key(&line.key)) == self.key)?;
        Some(line.number.trim())
    }

    fn billed(&self, numbers: &[i64]) -> BilledBefore {
        billed(self.inputs.history, self.target.erp, |line| numbers.contains(&line))
    }
}

/// What other documents bill of some lines of an order.
pub(super) fn billed(
    history: &History,
    order: &ErpOrder,
    of_line: impl Fn(i64) -> bool,
) -> BilledBefore {
    let mut billed = BilledBefore::nothing(order.currency);
    for of in &history.billed {
        if of.order != order.number || !of_line(of.line) {
            continue;
        }
        let sign = match of.kind {
            InvoiceKind::Invoice => Decimal::ONE,
            InvoiceKind::CreditNote => Decimal::NEGATIVE_ONE,
        };
        match of.quantity.filter(|quantity| quantity.abs() <= LARGEST_QUANTITY) {
            Some(quantity) if !quantity.is_zero() => billed.quantity += sign * quantity,
            Some(_) | None => billed.by_amount = true,
        }
        let net = if of.kind == InvoiceKind::CreditNote { of.net.negated() } else { of.net };
        billed.net = billed.net.checked_add(net).unwrap_or(billed.net);
        billed.documents.push(match of.by_hand {
            true => format!("{} (keyed in by hand)", of.document),
            false => of.document.clone(),
        });
    }
    billed.documents.sort();
    billed.documents.dedup();
    billed
}

fn price_of(net: Money, quantity: Decimal, decimals: u32) -> Option<Price> {
    let amount = net.amount().checked_div(quantity)?.round_dp(decimals);
    Some(Price { amount, basis: Decimal::ONE, rounded_to: Some(decimals) })
}

/// `None`: one is missing, or too large to be reckoned with.
fn sum(mut quantities: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    quantities.try_fold(Decimal::ZERO, |sum, quantity| {
        Some(sum + quantity.filter(|quantity| quantity.abs() <= LARGEST_QUANTITY)?)
    })
}
