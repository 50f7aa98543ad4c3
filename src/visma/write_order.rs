//! From an order's plan to what Visma is sent. Pure. Visma's write names differ from its read
//! names: `lineNumber` is read back as `lineNbr`, `inventory` as an object, and so on.

use super::KeyFields;
use super::answer::encoded;
use super::request::{CannotWrite, Members, Method, Request, quoted};
use super::write_invoice::changed_text;
use crate::procurement::{ErpOrder, ErpOrderLine, OrderPlan, OrderPlanLine, OrderStart};
use serde_json::{Value, json};

/// Creates the order, with our keys in its custom texts: notes do not come back in lists.
pub fn create_order(plan: &OrderPlan, our_key: &str, keys: KeyFields) -> Request {
    let mut body = Members::default();
    body.text("orderType", "RegularOrder");
    body.text("supplier", &plan.supplier);
    body.text("currency", plan.currency.code());
    body.text("supplierRef", &plan.number);
    body.day("date", plan.ordered_on);
    body.day_if("promisedOn", plan.promised_on);
    body.text("description", &plan.description);
    body.text_if("branch", plan.branch.as_deref());
    body.text_if("terms", plan.terms.as_deref());
    body.flag("hold", plan.start == OrderStart::Hold);
    // JAGGAER has sent it to the supplier; otherwise it would wait for print or e-mail.
    body.flag("dontPrint", true);
    body.flag("dontEmail", true);
    body.text(keys.order.as_str(), our_key);
    body.bare("lines", plan.lines.iter().map(|line| inserted(line, keys)).collect());
    Request {
        method: Method::Post,
        path: "/v1/purchaseorder".to_owned(),
        if_match: None,
        background: false,
        body: body.into_body(),
    }
}

/// Changes an order from what `old` made it to what `new` wants, by line patches against the
/// version that `stands`. A line that went is deleted while nothing of it has arrived, and
/// closed otherwise. `None`: nothing to change.
pub fn update_order(
    old: &OrderPlan,
    new: &OrderPlan,
    stands: &ErpOrder,
    version: Option<&str>,
    keys: KeyFields,
) -> Result<Option<Request>, CannotWrite> {
    let fixed = |member, old: &str, new: &str| {
        let (old, new) = (old.to_owned(), new.to_owned());
        if old == new { Ok(()) } else { Err(CannotWrite::Fixed { member, old, new }) }
    };
    fixed("order number", &old.number, &new.number)?;
    fixed("supplier", &old.supplier, &new.supplier)?;
    fixed("currency", old.currency.code(), new.currency.code())?;

    let mut body = Members::default();
    if old.ordered_on != new.ordered_on {
        body.day("date", new.ordered_on);
    }
    if old.promised_on != new.promised_on {
        body.day_if("promisedOn", new.promised_on);
    }
    if old.description != new.description {
        body.text("description", &new.description);
    }
    changed_text(&mut body, "branch", old.branch.as_deref(), new.branch.as_deref());
    changed_text(&mut body, "terms", old.terms.as_deref(), new.terms.as_deref());
    if old.start != new.start {
        body.flag("hold", new.start == OrderStart::Hold);
    }
    let lines = line_patches(old, new, stands, keys)?;
    if !lines.is_empty() {
        body.bare("lines", Value::Array(lines));
    }
    if body.is_empty() {
        return Ok(None);
    }
    Ok(Some(put(stands, version, body)))
}

/// Puts an order on hold with every line closed: Visma's interface has no action to cancel one.
pub fn cancel_order(stands: &ErpOrder) -> Request {
    let open = stands.lines.iter().filter(|line| !line.completed && !line.cancelled);
    let lines: Vec<Value> = open.map(|line| closed(line.number)).collect();
    let mut body = Members::default();
    body.flag("hold", true);
    if !lines.is_empty() {
        body.bare("lines", Value::Array(lines));
    }
    put(stands, stands.version.as_deref(), body)
}

fn put(stands: &ErpOrder, version: Option<&str>, body: Members) -> Request {
    Request {
        method: Method::Put,
        path: format!("/v1/purchaseorder/{}", encoded(&stands.number)),
        if_match: version.or(stands.version.as_deref()).map(quoted),
        background: false,
        body: body.into_body(),
    }
}

fn inserted(line: &OrderPlanLine, keys: KeyFields) -> Value {
    let mut body = Members::default();
    body.bare("operation", json!("Insert"));
    body.text("lineType", &line.line_type);
    body.text_if("inventory", line.inventory.as_deref());
    body.text("lineDescription", &line.description);
    body.text_if("uom", line.unit.as_deref());
    body.decimal("orderQty", line.quantity);
    body.decimal("unitCost", line.unit_cost);
    body.text("account", &line.account);
    body.segments("sub", &line.segments);
    body.text("taxCategory", &line.vat_category);
    body.text_if("project", line.project.as_deref());
    body.day_if("promised", line.promised_on);
    body.text(keys.line.as_str(), &line.key);
    body.into_value()
}

fn updated(number: i64, old: &OrderPlanLine, new: &OrderPlanLine) -> Option<Value> {
    let mut body = Members::default();
    if old.line_type != new.line_type {
        body.text("lineType", &new.line_type);
    }
    changed_text(&mut body, "inventory", old.inventory.as_deref(), new.inventory.as_deref());
    let item_changed = !body.is_empty();
    if item_changed || old.description != new.description {
        // Another item brings its own description, account and VAT category.
        body.text("lineDescription", &new.description);
    }
    changed_text(&mut body, "uom", old.unit.as_deref(), new.unit.as_deref());
    if item_changed || (old.quantity, old.unit_cost) != (new.quantity, new.unit_cost) {
        body.decimal("orderQty", new.quantity);
        body.decimal("unitCost", new.unit_cost);
    }
    let account_changed = item_changed || old.account != new.account;
    if account_changed {
        body.text("account", &new.account);
    }
    if account_changed || old.segments != new.segments {
        body.segments("sub", &new.segments);
    }
    if account_changed || old.vat_category != new.vat_category {
        body.text("taxCategory", &new.vat_category);
    }
    changed_text(&mut body, "project", old.project.as_deref(), new.project.as_deref());
    if old.promised_on != new.promised_on {
        body.day_if("promised", new.promised_on);
    }
    if body.is_empty() {
        return None;
    }
    Some(patched(number, body))
}

fn closed(number: i64) -> Value {
    let mut body = Members::default();
    body.flag("completed", true);
    patched(number, body)
}

fn deleted(number: i64) -> Value {
    let mut body = Members::default();
    body.bare("operation", json!("Delete"));
    body.integer("lineNumber", number);
    body.into_value()
}

fn patched(number: i64, mut body: Members) -> Value {
    body.bare("operation", json!("Update"));
    body.integer("lineNumber", number);
    body.into_value()
}

fn line_patches(
    old: &OrderPlan,
    new: &OrderPlan,
    stands: &ErpOrder,
    keys: KeyFields,
) -> Result<Vec<Value>, CannotWrite> {
    let mut patches = Vec::new();
    if old.lines != new.lines {
        for (line, found) in old.lines.iter().zip(standing_lines(old, stands)?) {
            match new.lines.iter().find(|wanted| wanted.key == line.key) {
                Some(wanted) => patches.extend(updated(found.number, line, wanted)),
                None if found.completed || found.cancelled => {}
                None if has_arrived(found) => patches.push(closed(found.number)),
                None => patches.push(deleted(found.number)),
            }
        }
    }
    let is_new = |line: &&OrderPlanLine| !old.lines.iter().any(|known| known.key == line.key);
    patches.extend(new.lines.iter().filter(is_new).map(|line| inserted(line, keys)));
    Ok(patches)
}

/// Silence about what arrived is no proof that nothing did.
fn has_arrived(line: &ErpOrderLine) -> bool {
    line.received.is_none_or(|received| !received.is_zero())
}

/// The line in Visma of each line of the plan: by our key, and in an order that a person made,
/// which has no keys, by quantity and unit cost, like ones by their order.
fn standing_lines<'a>(
    plan: &OrderPlan,
    stands: &'a ErpOrder,
) -> Result<Vec<&'a ErpOrderLine>, CannotWrite> {
    let mut keyless: Vec<&ErpOrderLine> =
        stands.lines.iter().filter(|line| line.our_key.is_none() && !line.cancelled).collect();
    keyless.sort_unstable_by_key(|line| line.number);
    let found = plan.lines.iter().map(|line| {
        if let Some(keyed) = by_key(stands, &line.key) {
            return Ok(keyed);
        }
        let like = |found: &&ErpOrderLine| {
            found.quantity == Some(line.quantity) && found.unit_cost == Some(line.unit_cost)
        };
        match keyless.iter().position(like) {
            Some(at) => Ok(keyless.remove(at)),
            None => Err(CannotWrite::LineGone {
                document: format!("order {}", stands.number),
                key: line.key.clone(),
            }),
        }
    });
    found.collect()
}

/// A line deleted and inserted again leaves a closed one with the same key.
pub(super) fn by_key<'a>(stands: &'a ErpOrder, key: &str) -> Option<&'a ErpOrderLine> {
    let keyed = || stands.lines.iter().filter(|line| line.our_key.as_deref() == Some(key));
    keyed().find(|line| !line.completed && !line.cancelled).or_else(|| keyed().next())
}

#[cfg(test)]
mod tests;
