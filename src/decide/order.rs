use super::coding::{self, Header};
use super::hold::at_line;
use super::lines::{Limits, Line, distinct, shares, sum};
use super::{Decision, Hold, Inputs, KnownOrder, header, held};
use crate::matching::same_order;
use crate::procurement::{
    ErpOrder, Money, OrderLine, OrderPlan, OrderPlanLine, Plan, PurchaseOrder, Ripeness,
};

/// Judges a purchase order.
pub fn order(order: &PurchaseOrder, inputs: &Inputs<'_>) -> Decision {
    match order.ripeness {
        Ripeness::NotYet => return Decision::NotRipe,
        Ripeness::Cancelled => return Decision::Cancel,
        Ripeness::Ripe | Ripeness::Unknown => {}
    }
    let take_from = inputs.rules.take_from;
    if order.ordered_on < take_from {
        return Decision::Ignore(format!(
            "before go-live: ordered on {}, taken from {take_from}",
            order.ordered_on
        ));
    }
    let mut holds = Vec::new();
    header::status(order.ripeness, &order.status, &mut holds);
    let in_force: Vec<&OrderLine> = order.lines.iter().filter(|line| !line.cancelled).collect();
    // All lines taken back is the order taken back.
    if in_force.is_empty() && !order.lines.is_empty() && holds.is_empty() {
        return Decision::Cancel;
    }
    let Some(plan) = plan(order, &in_force, inputs, &mut holds) else { return held(holds) };
    if !holds.is_empty() {
        return held(holds);
    }
    let known = inputs.history.orders.get(&plan.number);
    match known.and_then(|known| hand_keyed(&plan, known)) {
        Some(erp) if same_order(&plan, erp) => Decision::Adopt {
            document_type: erp.order_type.clone(),
            number: erp.number.clone(),
            plan: Box::new(Plan::Order(plan)),
        },
        Some(erp) => {
            let number = &erp.number;
            held(vec![Hold::order_in_visma_differs(&order.number, number, &how(&plan, erp))])
        }
        None => Decision::Plan(Box::new(Plan::Order(plan))),
    }
}

/// `None` only together with a hold.
fn plan(
    order: &PurchaseOrder,
    in_force: &[&OrderLine],
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Option<OrderPlan> {
    let rules = &inputs.rules.orders;
    let number = order.number.trim();
    let limit = inputs.rules.invoices.reference_length;
    if number.is_empty() {
        holds.push(Hold::order_number_missing());
    } else if number.chars().count() > limit {
        holds.push(Hold::order_number_too_long(number, limit));
    }
    let business_unit = order.business_unit.as_deref();
    let supplier = header::supplier(&order.vendor, business_unit, inputs, holds, &mut Vec::new());
    let lines: Vec<Line<'_>> = in_force.iter().map(|line| Line::of_order(line)).collect();
    let header = Header {
        supplier,
        vendor: &order.vendor,
        business_unit,
        currency: order.currency,
        on: order.ordered_on,
    };
    let coded = coding::of_document(&lines, header, inputs, holds);
    let terms = header::terms(coded.terms, order.terms.as_deref(), inputs, holds);
    let branch = header::branch(coded.branch, business_unit, inputs, holds);
    let amounts = lines.iter().flat_map(Line::amounts).chain(order.net);
    let one_currency = header::currency(order.currency, amounts, inputs, holds);
    distinct(order.lines.iter().map(|line| line.key.as_str()), holds);
    if in_force.is_empty() {
        holds.push(Hold::no_lines());
    }
    if !one_currency {
        return None;
    }

    let limits = Limits {
        description_length: rules.description_length,
        unit_cost_decimals: rules.unit_cost_decimals,
    };
    let mut planned = Vec::new();
    for (source, line) in in_force.iter().zip(&lines) {
        let item = source.item.as_ref().and_then(|item| rules.items.get(item));
        let shares = shares(line, header, limits, inputs, holds);
        for share in &shares {
            if let Some(other) = share.branch.as_ref().filter(|of| branch.as_ref() != Some(*of)) {
                let at = at_line(line.number);
                holds.push(Hold::coding_branch_differs(&at, other, branch.as_deref()));
            }
        }
        planned.extend(shares.into_iter().map(|share| OrderPlanLine {
            key: share.key,
            number: source.number.clone(),
            line_type: item.map_or(&rules.line_type, |item| &item.line_type).clone(),
            inventory: match item {
                Some(item) => Some(item.inventory.clone()),
                None => rules.inventory.clone(),
            },
            description: share.description,
            quantity: share.quantity,
            unit: share.unit,
            unit_cost: share.unit_cost,
            amount: share.cost,
            account: share.account,
            segments: share.segments,
            vat_category: share.vat_category,
            project: share.project,
            promised_on: source.requested_on.or(order.promised_on),
        }));
    }
    let Some(net) = sum(Money::zero(order.currency), lines.iter().map(|line| line.net)) else {
        holds.push(Hold::amount_too_large("The order"));
        return None;
    };
    if let Some(stated) = order.net
        && stated != net
    {
        holds.push(Hold::lines_unbalanced(net, stated));
    }
    let description = order.description.as_deref().filter(|text| !text.trim().is_empty());
    Some(OrderPlan {
        number: number.to_owned(),
        supplier: supplier?.number.clone(),
        currency: order.currency,
        ordered_on: order.ordered_on,
        promised_on: order.promised_on,
        description: header::cut(description.unwrap_or(number), rules.description_length),
        branch,
        terms,
        start: rules.start,
        net,
        lines: planned,
    })
}

/// The order as a person keyed it in, if one did: the same supplier, and our number in the
/// supplier's reference.
fn hand_keyed<'a>(plan: &OrderPlan, known: &'a KnownOrder) -> Option<&'a ErpOrder> {
    let erp = known.erp.as_ref()?;
    let ours = known.plan.is_some() || erp.our_key.is_some();
    let same = erp.supplier == plan.supplier
        && erp.supplier_reference.as_deref().map(str::trim) == Some(plan.number.as_str());
    (!ours && same && erp.is_live()).then_some(erp)
}

fn how(plan: &OrderPlan, erp: &ErpOrder) -> String {
    if erp.currency != plan.currency {
        return format!("it is in {} there, here in {}", erp.currency, plan.currency);
    }
    match erp.net {
        Some(net) if net != plan.net => format!("it is {net} net there, {} here", plan.net),
        _ => {
            let lines = erp.lines.iter().filter(|line| !line.cancelled).count();
            format!("it has {lines} lines there, {} here, and they do not pair", plan.lines.len())
        }
    }
}
