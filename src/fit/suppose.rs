//! An order that is planned and not posted, as it would stand in the ERP: what an invoice is judged
//! against in a run that posts nothing.

use crate::procurement::{ErpOrder, ErpOrderLine, OrderPlan};
use rust_decimal::Decimal;

/// Before the order's number, so that a sentence which names it says that it is not there yet.
const PREFIX: &str = "(new) ";

pub fn is_supposed(number: &str) -> bool {
    number.starts_with(PREFIX)
}

/// Open, with nothing received. Lines are numbered from 1; the ERP may number them otherwise.
pub fn supposed_order(plan: &OrderPlan, our_key: &str) -> ErpOrder {
    let lines = (1_i64..).zip(&plan.lines).map(|(number, line)| ErpOrderLine {
        number,
        our_key: Some(line.key.clone()),
        line_type: Some(line.line_type.clone()),
        description: Some(line.description.clone()),
        quantity: Some(line.quantity),
        unit: line.unit.clone(),
        unit_cost: Some(line.unit_cost),
        amount: Some(line.amount),
        account: Some(line.account.clone()),
        segments: line.segments.clone(),
        received: Some(Decimal::ZERO),
        completed: false,
        cancelled: false,
    });
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: format!("{PREFIX}{}", plan.number),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: Some(plan.description.clone()),
        status: "Open".into(),
        on_hold: false,
        currency: plan.currency,
        ordered_on: Some(plan.ordered_on),
        net: Some(plan.net),
        our_key: Some(our_key.to_owned()),
        version: None,
        modified: None,
        lines: lines.collect(),
    }
}
