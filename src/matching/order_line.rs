use super::Position;
use crate::procurement::{
    ErpOrder, ErpOrderLine, ErpReceipt, InvoiceLine, Money, OrderLineRef, OrderPlan, OrderPlanLine,
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of an order in the ERP by our own line keys: by the key that stands on the line, and
/// for lines that a person keyed in by what they say. A line that fits nothing is left out.
pub fn pair(plan: &OrderPlan, erp: &ErpOrder) -> BTreeMap<String, i64> {
    let mut paired = BTreeMap::new();
    let mut free: Vec<&ErpOrderLine> = Vec::new();
    for line in live(erp) {
        match &line.our_key {
            Some(key) => {
                paired.insert(key.clone(), line.number);
            }
            None => free.push(line),
        }
    }
    let mut open: Vec<&OrderPlanLine> =
        plan.lines.iter().filter(|line| !paired.contains_key(&line.key)).collect();
    // Lines that say the same are interchangeable; they pair in order, so sort first.
    open.sort_by(|a, b| a.key.cmp(&b.key));
    free.sort_by_key(|line| line.number);
    for exactness in [Exactness::Text, Exactness::Quantity, Exactness::Amount] {
        let mut groups: BTreeMap<_, (Vec<&OrderPlanLine>, Vec<&ErpOrderLine>)> = BTreeMap::new();
        for line in &open {
            groups.entry(exactness.of_plan(line)).or_default().0.push(line);
        }
        for line in &free {
            if let Some(face) = exactness.of_erp(line, erp) {
                groups.entry(face).or_default().1.push(line);
            }
        }
        for (ours, theirs) in groups.into_values() {
            if ours.len() == theirs.len() {
                for (our, their) in ours.iter().zip(theirs) {
                    paired.insert(our.key.clone(), their.number);
                }
            }
        }
        open.retain(|line| !paired.contains_key(&line.key));
        let taken: BTreeSet<i64> = paired.values().copied().collect();
        free.retain(|line| !taken.contains(&line.number));
    }
    paired
}

/// Whether an order that a person keyed in is the one planned: same currency and net, and each
/// line has its counterpart.
pub fn same_order(plan: &OrderPlan, erp: &ErpOrder) -> bool {
    let lines = live(erp).count();
    let net = erp.net.or_else(|| {
        live(erp).try_fold(Money::zero(erp.currency), |sum, line| {
            sum.checked_add(amount(line, erp)?).ok()
        })
    });
    erp.currency == plan.currency
        && net == Some(plan.net)
        && lines == plan.lines.len()
        && pair(plan, erp).len() == lines
}

/// The orders that an invoice line names, in words to look them up by.
pub fn invoiced_order(line: &InvoiceLine) -> Option<&OrderLineRef> {
    line.order.as_ref().filter(|order| !order.order_number.trim().is_empty())
}

/// What we know of an order that is ours: its plan, and its lines in the ERP by [`pair`].
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    pub plan: &'a OrderPlan,
    pub paired: &'a BTreeMap<String, i64>,
}

/// The ERP's order lines that an invoice line bills, one for each share of the order line, in
/// the order of the shares. `None` when it cannot be told which they are.
pub fn find_lines<'a>(
    line: &InvoiceLine,
    named: &OrderLineRef,
    plan: Option<Planned<'_>>,
    erp: &'a ErpOrder,
) -> Option<Vec<&'a ErpOrderLine>> {
    let by_number =
        |number: i64| erp.lines.iter().find(|line| line.number == number && !line.cancelled);
    if let Some(Planned { plan, paired }) = plan {
        let source_line = |line: &OrderPlanLine| match (&named.line_key, &named.line_number) {
            (Some(key), _) => source_key(&line.key) == key,
            (None, Some(number)) => &line.number == number,
            (None, None) => true,
        };
        let mut planned: Vec<&OrderPlanLine> =
            plan.lines.iter().filter(|line| source_line(line)).collect();
        // A key that the order does not know may still come with the right number.
        if planned.is_empty() && named.line_key.is_some() {
            planned.extend(
                plan.lines.iter().filter(|line| Some(&line.number) == named.line_number.as_ref()),
            );
        }
        let sources: BTreeSet<&str> = planned.iter().map(|line| source_key(&line.key)).collect();
        if sources.len() == 1 {
            planned.sort_by_key(|line| share(&line.key));
            // A share that is gone from the ERP is not replaced by one that looks like it.
            return planned
                .iter()
                .map(|line| paired.get(&line.key).and_then(|number| by_number(*number)))
                .collect();
        } else if named.line_key.is_some() || named.line_number.is_some() {
            // It names a line, and the order has no such line: never guess by looks.
            return None;
        }
    }
    let mut ours: Vec<&ErpOrderLine> = live(erp)
        .filter(|line| {
            let key = line.our_key.as_deref().map(source_key);
            key.is_some() && key == named.line_key.as_deref()
        })
        .collect();
    if !ours.is_empty() {
        ours.sort_by_key(|line| line.our_key.as_deref().map(share));
        return Some(ours);
    }
    by_looks(line, named, erp).map(|line| vec![line])
}

/// A hand-keyed line carries no key: it is the one with the same text, else the one with the same
/// price (and quantity or number), else the only one.
fn by_looks<'a>(
    line: &InvoiceLine,
    named: &OrderLineRef,
    erp: &'a ErpOrder,
) -> Option<&'a ErpOrderLine> {
    let lines: Vec<&ErpOrderLine> = live(erp).collect();
    let only = |found: Vec<&'a ErpOrderLine>| match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    if let Some(line) = only(lines.clone()) {
        return Some(line);
    }
    let text = folded(&line.description);
    let same_text = lines.iter().copied().filter(|other| {
        !text.is_empty() && other.description.as_deref().map(folded) == Some(text.clone())
    });
    if let Some(line) = only(same_text.collect()) {
        return Some(line);
    }
    let price = line.unit_price?.checked_div(line.price_basis.unwrap_or(Decimal::ONE))?;
    let same_price: Vec<&ErpOrderLine> =
        lines.into_iter().filter(|other| other.unit_cost == Some(price)).collect();
    let same = |test: &dyn Fn(&ErpOrderLine) -> bool| {
        only(same_price.iter().copied().filter(|other| test(other)).collect())
    };
    same(&|_| true)
        .or_else(|| same(&|other| other.quantity.is_some() && other.quantity == line.quantity))
        .or_else(|| same(&|other| Some(other.number.to_string()) == named.line_number))
}

/// Lines of released receipts against one order line, those of the wanted quantity first.
pub fn receipt_lines(
    receipts: &[ErpReceipt],
    order: &str,
    line: i64,
    quantity: Decimal,
) -> Vec<(String, i64)> {
    let mut found: Vec<(bool, String, i64)> = receipts
        .iter()
        .filter(|receipt| {
            receipt.status == "Released" && !receipt.receipt_type.to_lowercase().contains("return")
        })
        .flat_map(|receipt| receipt.lines.iter().map(move |line| (receipt, line)))
        .filter(|(_, of)| of.order_number.as_deref() == Some(order) && of.order_line == Some(line))
        .map(|(receipt, of)| (of.quantity != Some(quantity), receipt.number.clone(), of.number))
        .collect();
    found.sort();
    found.into_iter().map(|(_, receipt, line)| (receipt, line)).collect()
}

/// Likeness of two texts from which on they say more than numbers do.
const NEARLY_THE_SAME: f64 = 0.85;

/// The order line that an invoice line looks most like, to be shown to a person: by item, by nearly
/// the same text, by price and quantity, and of equals by the likeness of their texts.
pub fn best_fit<'a>(line: &InvoiceLine, positions: &[&'a Position]) -> Option<&'a Position> {
    let text = folded(&line.description);
    let basis = line.price_basis.filter(|basis| !basis.is_zero()).unwrap_or(Decimal::ONE);
    let price = line.unit_price.and_then(|price| price.checked_div(basis));
    let likeness = |position: &Position| {
        let item = line.item.is_some() && line.item == position.item;
        let alike = strsim::normalized_damerau_levenshtein(&text, &folded(&position.description));
        let same_price = price.is_some() && price == position.value(Decimal::ONE);
        let same_quantity = line.quantity.is_some() && line.quantity == position.quantity;
        let numbers = u32::from(same_price) + u32::from(same_quantity);
        // In thousandths: what is compared must have one order.
        (item, alike >= NEARLY_THE_SAME, numbers, (alike * 1000.0) as u32)
    };
    let first_wins = std::cmp::Reverse::<i64>;
    positions.iter().copied().max_by_key(|of| (likeness(of), first_wins(of.line)))
}

fn live(erp: &ErpOrder) -> impl Iterator<Item = &ErpOrderLine> {
    erp.lines.iter().filter(|line| !line.cancelled)
}

/// What an order line in the ERP comes to.
pub fn amount(line: &ErpOrderLine, erp: &ErpOrder) -> Option<Money> {
    line.amount.or_else(|| {
        let exact = line.quantity?.checked_mul(line.unit_cost?)?;
        Money::rounded(exact, erp.currency).ok()
    })
}

/// How much of two lines must agree.
#[derive(Clone, Copy)]
enum Exactness {
    Text,
    Quantity,
    Amount,
}

/// Amount, quantity, text: what is compared.
type Face = (i64, Option<Decimal>, Option<String>);

impl Exactness {
    fn of_plan(self, line: &OrderPlanLine) -> Face {
        self.face(line.amount, Some(line.quantity), &line.description)
    }

    fn of_erp(self, line: &ErpOrderLine, erp: &ErpOrder) -> Option<Face> {
        let text = line.description.as_deref().unwrap_or_default();
        Some(self.face(amount(line, erp)?, line.quantity, text))
    }

    fn face(self, amount: Money, quantity: Option<Decimal>, text: &str) -> Face {
        let quantity = quantity.map(|quantity| quantity.normalize());
        match self {
            Self::Text => (amount.minor, quantity, Some(folded(text))),
            Self::Quantity => (amount.minor, quantity, None),
            Self::Amount => (amount.minor, None, None),
        }
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The source's line key: `8875911` of `8875911/2`.
pub fn source_key(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(line, _)| line)
}

/// `2` of `8875911/2`.
fn share(key: &str) -> u32 {
    key.rsplit_once('/').and_then(|(_, share)| share.parse().ok()).unwrap_or(u32::MAX)
}
