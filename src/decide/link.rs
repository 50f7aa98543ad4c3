//! Finds the order line that each invoice line bills, and puts it or its receipt on the line.

use super::matching::Matching;
use super::positions::{OrderedLine, Target, ordered_lines};
use super::{Hold, Inputs, MatchedLine, OrderState, Wait, WaitFor};
use crate::matching::{Planned, find_lines, invoiced_order, pair, receipt_lines};
use crate::procurement::{
    ErpOrder, ErpOrderLine, InvoiceKind, InvoiceLine, InvoicePlanLine, Link, OrderLineRef,
    SupplierInvoice,
};
use std::collections::{BTreeMap, BTreeSet};

/// A planned line and where it comes from.
pub(super) struct Billing {
    /// Index of the source line; a header charge has none.
    pub source: Option<usize>,
    /// From 0.
    pub share: usize,
    pub line: InvoicePlanLine,
}

#[derive(Default)]
pub(super) struct Linked {
    pub holds: Vec<Hold>,
    pub waits: Vec<Wait>,
    pub matches: Vec<MatchedLine>,
    pub remarks: Vec<String>,
}

/// An order that invoice lines name.
pub(super) struct Order<'a> {
    pub target: Target<'a>,
    pub lines: Vec<OrderedLine<'a>>,
}

/// Finds the order line that each invoice line bills, compares the two, and links them.
///
/// An order line is linked at most once in an invoice: whether the ERP lets several lines share
/// one line's quantity is not documented. The others are posted without a link.
pub(super) fn link(
    invoice: &SupplierInvoice,
    supplier: &str,
    billings: &mut [Billing],
    inputs: &Inputs<'_>,
) -> Linked {
    let mut linked = Linked::default();
    let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
    let mut orders: BTreeMap<&str, Order<'_>> = BTreeMap::new();
    for number in orders_named(invoice) {
        match standing(number, invoice, supplier, inputs, &mut linked) {
            Ok(target) => {
                let lines = ordered_lines(&target, inputs);
                orders.insert(number, Order { target, lines });
            }
            Err(why) => {
                reasons.insert(number, why);
            }
        }
    }
    let mut matching = Matching::new(invoice, supplier, inputs);
    let mut targets: BTreeMap<usize, (&ErpOrder, Vec<&ErpOrderLine>)> = BTreeMap::new();
    let mut shares: BTreeMap<usize, Vec<&Billing>> = BTreeMap::new();
    for billing in billings.iter() {
        if let Some(source) = billing.source {
            shares.entry(source).or_default().push(billing);
        }
    }
    for (source, line) in invoice.lines.iter().enumerate() {
        let own = shares.remove(&source).unwrap_or_default();
        let Some(of) = invoiced_order(line) else {
            matching.without_order(line, &own);
            continue;
        };
        let number = of.order_number.trim();
        let Some(order) = orders.get(number) else {
            let why = reasons.get(number).map_or("its order is not known", String::as_str);
            matching.not_matched(line, why);
            continue;
        };
        match order.lines_of(line, of) {
            Some(lines) => {
                matching.claim(line, order, &lines);
                targets.insert(source, (order.target.erp, lines));
            }
            None => matching.line_not_found(line, of, order),
        }
    }
    matching.compare(&mut linked);
    let wanted = invoice.kind == InvoiceKind::Invoice && inputs.rules.invoices.link;
    if wanted {
        link_lines(billings, &targets, inputs, &mut linked);
    }
    linked
}

/// What a linked credit note would do to the order's open quantity is not documented, so only
/// invoices are.
fn link_lines(
    billings: &mut [Billing],
    targets: &BTreeMap<usize, (&ErpOrder, Vec<&ErpOrderLine>)>,
    inputs: &Inputs<'_>,
    linked: &mut Linked,
) {
    // By key, so that which of two claims on a line wins does not depend on their order.
    let mut claims: Vec<&mut Billing> = billings.iter_mut().collect();
    claims.sort_by(|a, b| a.line.key.cmp(&b.line.key));
    let mut used_lines = BTreeSet::new();
    for billing in claims {
        let Some((erp, lines)) = billing.source.and_then(|source| targets.get(&source)) else {
            continue;
        };
        let Some(line) = lines.get(billing.share) else { continue };
        if !used_lines.insert((&erp.number, line.number)) {
            continue;
        }
        let (order, quantity) = (&erp.number, billing.line.quantity);
        billing.line.link = if line.is_stock() {
            let receipts = receipt_lines(&inputs.history.receipts, order, line.number, quantity);
            if receipts.is_empty() {
                linked.waits.push(Wait {
                    on: WaitFor::Receipt(order.clone()),
                    text: format!(
                        "Line {} of order {order} in Visma is a stock line and has no receipt yet.",
                        line.number
                    ),
                });
            }
            receipts.into_iter().next().map(|(number, line)| Link::Receipt { number, line })
        } else {
            Some(Link::Order { number: order.clone(), line: line.number })
        };
    }
}

fn orders_named(invoice: &SupplierInvoice) -> BTreeSet<&str> {
    let lines = invoice.lines.iter().filter_map(invoiced_order);
    lines.map(|order| order.order_number.trim()).collect()
}

impl<'a> Order<'a> {
    /// The lines in the ERP that an invoice line bills. `None`: it cannot be told which.
    fn lines_of(&self, line: &InvoiceLine, of: &OrderLineRef) -> Option<Vec<&'a ErpOrderLine>> {
        let Target { plan, erp, .. } = &self.target;
        let names_a_line = of.line_key.is_some() || of.line_number.is_some();
        // Looks decide only where nothing else can: on an order that a person keyed in.
        if plan.is_some() && !names_a_line && self.lines.len() > 1 {
            return None;
        }
        let planned = plan.as_ref().map(|(plan, paired)| Planned { plan, paired });
        find_lines(line, of, planned, erp)
    }
}

/// The order as it stands in the ERP; otherwise why there is none, having said what to wait for
/// or why a person must look.
fn standing<'a>(
    number: &'a str,
    invoice: &SupplierInvoice,
    supplier: &str,
    inputs: &Inputs<'a>,
    linked: &mut Linked,
) -> Result<Target<'a>, String> {
    // A credit note is in our favour: it neither waits for an order nor is it held for one.
    let binds = invoice.kind == InvoiceKind::Invoice;
    let links = binds && inputs.rules.invoices.link;
    let mut wait = |text: String| {
        if links {
            let on = WaitFor::Order(number.to_owned());
            linked.waits.push(Wait { on, text: text.clone() });
        }
        Err(text)
    };
    let known = inputs.history.orders.get(number);
    let erp = known.and_then(|known| known.erp.as_ref());
    let mut hold = |hold: Hold| {
        let why = hold.text.clone();
        if binds {
            linked.holds.push(hold);
        }
        Err(why)
    };
    if let Some(elsewhere) = known.and_then(|known| known.elsewhere.as_ref()) {
        return hold(Hold::order_elsewhere(number, &elsewhere.connection, &elsewhere.company));
    }
    if known.is_some_and(|known| known.is_pruned) {
        return hold(Hold::order_pruned(number));
    }
    let erp = match (known.and_then(|known| known.received), erp) {
        (Some(OrderState::InFlight), _) => {
            return wait(format!("Order {number} is still on its way to Visma."));
        }
        (Some(OrderState::Held), _) => {
            return wait(format!("Order {number} is held; it must be released first."));
        }
        (Some(OrderState::Cancelled), _) => return hold(Hold::order_cancelled(number)),
        (Some(OrderState::Posted), None) => {
            return wait(format!("Order {number} is posted but not yet seen in Visma's list."));
        }
        // Without links nothing needs the order to stand in Visma.
        (Some(OrderState::Ignored), None) if !links => {
            return Err(format!("Order {number} is not in Visma."));
        }
        (Some(OrderState::Ignored), None) => return hold(Hold::order_not_taken(number)),
        // Another supplier's order may carry the same number as its supplier reference.
        (None, Some(erp)) if erp.supplier != supplier => {
            return wait(format!("Order {number} has not come from JAGGAER yet."));
        }
        (None, None) => {
            return wait(format!("Order {number} has not come from JAGGAER yet."));
        }
        (None | Some(OrderState::Posted | OrderState::Ignored), Some(erp)) => erp,
    };
    if !erp.is_live() {
        return hold(Hold::order_cancelled(number));
    }
    if erp.supplier != supplier {
        return hold(Hold::order_supplier_differs(number, &erp.supplier, supplier));
    }
    if erp.currency != invoice.currency {
        let (ordered, invoiced) = (erp.currency.code(), invoice.currency.code());
        return hold(Hold::order_currency_differs(number, ordered, invoiced));
    }
    let plan = known.and_then(|known| known.plan.as_ref());
    Ok(Target {
        number,
        plan: plan.map(|plan| (plan, pair(plan, erp))),
        source: known.and_then(|known| known.source.as_ref()),
        erp,
    })
}
