//! Puts the order or receipt line on each invoice line that bills one.

use super::hold::at_line;
use super::{Hold, Inputs, MatchedLine, OrderState, Wait, WaitFor};
use crate::matching::{Planned, find_lines, invoiced_order, pair, receipt_lines};
use crate::procurement::{
    ErpOrder, ErpOrderLine, InvoiceKind, InvoicePlanLine, Link, OrderPlan, SupplierInvoice,
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
}

/// An order that invoice lines may be linked to.
struct Target<'a> {
    /// Our plan of it, and where its lines are in the ERP.
    plan: Option<(&'a OrderPlan, BTreeMap<String, i64>)>,
    erp: &'a ErpOrder,
}

/// An order line is linked at most once in an invoice: whether the ERP lets several lines share
/// one line's quantity is not documented. The others are posted without a link.
pub(super) fn link(
    invoice: &SupplierInvoice,
    supplier: &str,
    billings: &mut [Billing],
    inputs: &Inputs<'_>,
) -> Linked {
    let mut linked = Linked::default();
    // What a linked credit note would do to the order's open quantity is not documented.
    if invoice.kind == InvoiceKind::CreditNote || !inputs.rules.invoices.link {
        return linked;
    }
    let named: BTreeSet<&str> = invoice
        .lines
        .iter()
        .filter_map(invoiced_order)
        .map(|order| order.order_number.trim())
        .collect();
    let mut orders: BTreeMap<&str, Target<'_>> = BTreeMap::new();
    for number in named {
        let Some(target) = standing(number, supplier, inputs, &mut linked) else { continue };
        let erp = target.erp;
        if erp.supplier != supplier {
            linked.holds.push(Hold::order_supplier_differs(number, &erp.supplier, supplier));
        } else if erp.currency != invoice.currency {
            let (ordered, invoiced) = (erp.currency.code(), invoice.currency.code());
            linked.holds.push(Hold::order_currency_differs(number, ordered, invoiced));
        } else {
            orders.insert(number, target);
        }
    }

    let mut targets: BTreeMap<usize, (&ErpOrder, Vec<&ErpOrderLine>)> = BTreeMap::new();
    for (source, line) in invoice.lines.iter().enumerate() {
        let Some(of) = invoiced_order(line) else { continue };
        let number = of.order_number.trim();
        let Some(order) = orders.get(number) else { continue };
        let planned = order.plan.as_ref().map(|(plan, paired)| Planned { plan, paired });
        match find_lines(line, of, planned, order.erp) {
            Some(lines) => {
                targets.insert(source, (order.erp, lines));
            }
            None => linked.holds.push(Hold::order_line_unknown(
                &at_line(&line.number),
                number,
                of.line_number.as_deref(),
            )),
        }
    }

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
    linked
}

/// The order as it stands in the ERP; otherwise what to wait for, or why a person must look.
fn standing<'a>(
    number: &str,
    supplier: &str,
    inputs: &Inputs<'a>,
    linked: &mut Linked,
) -> Option<Target<'a>> {
    let mut wait = |text: String| {
        linked.waits.push(Wait { on: WaitFor::Order(number.to_owned()), text });
        None
    };
    let known = inputs.history.orders.get(number);
    let erp = known.and_then(|known| known.erp.as_ref());
    let erp = match (known.and_then(|known| known.received), erp) {
        (Some(OrderState::InFlight), _) => {
            return wait(format!("Order {number} is still on its way to Visma."));
        }
        (Some(OrderState::Held), _) => {
            return wait(format!("Order {number} is held; it must be released first."));
        }
        (Some(OrderState::Cancelled), _) => {
            linked.holds.push(Hold::order_cancelled(number));
            return None;
        }
        (Some(OrderState::Posted), None) => {
            return wait(format!("Order {number} is posted but not yet seen in Visma's list."));
        }
        (Some(OrderState::Ignored), None) => {
            linked.holds.push(Hold::order_not_taken(number));
            return None;
        }
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
        linked.holds.push(Hold::order_cancelled(number));
        return None;
    }
    let plan = known.and_then(|known| known.plan.as_ref());
    Some(Target { plan: plan.map(|plan| (plan, pair(plan, erp))), erp })
}
