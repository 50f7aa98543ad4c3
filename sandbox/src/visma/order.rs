//! A purchase order as the ERP holds it, and how it reads.

use super::masters::Masters;
use super::reply::{number, round, time, version};
use super::state::Shown;
use super::vat::Totals;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub order_type: String,
    pub number: String,
    /// `Hold`, `Open`, `PendingPrint`, `PendingEmail`, `Closed`, `Cancelled` or `Voided`.
    pub status: String,
    pub date: Date,
    pub promised: Option<Date>,
    pub supplier: String,
    pub zone: String,
    pub reference: Option<String>,
    pub description: Option<String>,
    pub note: Option<String>,
    pub currency: String,
    pub rate: Decimal,
    pub branch: String,
    pub terms: String,
    pub control_total: Option<Decimal>,
    pub dont_print: bool,
    pub dont_email: bool,
    pub custom: [Option<String>; 5],
    pub lines: Vec<OrderLine>,
    pub next_line: i64,
    pub totals: Totals,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct OrderLine {
    pub number: i64,
    pub line_type: String,
    pub item: Option<String>,
    pub description: Option<String>,
    pub unit: Option<String>,
    pub quantity: Decimal,
    pub unit_cost: Decimal,
    pub amount: Decimal,
    pub vat_category: Option<String>,
    pub account: Option<String>,
    pub segments: Vec<(i64, String)>,
    pub branch: String,
    pub promised: Option<Date>,
    pub requested: Option<Date>,
    pub note: Option<String>,
    pub custom: [Option<String>; 5],
    pub completed: bool,
    pub received: Decimal,
}

impl OrderLine {
    /// Bought into the warehouse: billed by its receipt only.
    pub fn is_stock(&self) -> bool {
        self.line_type.starts_with("Goods")
    }
}

pub(crate) fn supplier_name<'a>(masters: &'a Masters, supplier: &str) -> Option<&'a str> {
    masters.supplier(supplier).map(|supplier| supplier.name.as_str())
}

/// The subaccount object of a line, with the nested `metadata` of its own that readers trip over.
pub(crate) fn subaccount(masters: &Masters, segments: &[(i64, String)]) -> Value {
    let joined = joined(masters, segments);
    let id = joined.bytes().fold(100u32, |id, byte| (id * 31 + u32::from(byte)) % 9_973);
    let mut names = Vec::new();
    let parts: Vec<Value> = segments
        .iter()
        .map(|(id, value)| {
            let segment = masters.segments.iter().find(|segment| segment.id == *id);
            let text = segment
                .and_then(|segment| segment.values.iter().find(|known| known.value == *value))
                .map(|known| known.description.as_str());
            names.push(text.unwrap_or(value));
            json!({
                "segmentId": id,
                "segmentDescription": segment.map(|segment| segment.description.as_str()),
                "segmentValue": value,
                "segmentValueDescription": text,
            })
        })
        .collect();
    json!({
        "subaccountNumber": joined,
        "subaccountId": id,
        "description": names.join(" / "),
        "lastModifiedDateTime": "2026-01-09T10:02:11.003",
        "active": true,
        "segments": parts,
        "timeStamp": "AAAAAAAAVxA=",
        "errorInfo": "",
        "metadata": {"totalCount": 1, "maxPageSize": 1000},
    })
}

/// Segment values in their order with the mask's separator between: `110-000000`.
pub(crate) fn joined(masters: &Masters, segments: &[(i64, String)]) -> String {
    segments.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(&masters.separator)
}

fn customs(into: &mut Map<String, Value>, custom: &[Option<String>; 5]) {
    for (at, text) in (1..).zip(custom) {
        into.insert(format!("customStr{at}"), text.as_deref().map_or(Value::Null, Value::from));
    }
}

fn day(date: Date) -> String {
    format!("{date}T00:00:00")
}

fn line(masters: &Masters, order: &Order, line: &OrderLine, wide: bool) -> Value {
    let account = line.account.as_deref().and_then(|account| masters.account(account));
    let mut value = json!({
        "lineNbr": line.number,
        "branch": {"number": line.branch, "name": masters.branch(&line.branch).map(|branch| branch.name.as_str())},
        "inventory": line.item.as_deref().map(|item| json!({
            "number": item,
            "description": masters.item(item).map(|item| item.description.as_str()),
        })),
        "lineType": line.line_type,
        "lineDescription": line.description,
        "uom": line.unit,
        "orderQty": number(line.quantity),
        "baseOrderQty": number(line.quantity),
        "qtyOnReceipts": number(line.received),
        "unitCost": number(line.unit_cost),
        "unitCostInBaseCurrency": number(round(line.unit_cost * order.rate, 4)),
        "extCost": number(line.amount),
        "discountPercent": 0.0,
        "discountAmount": 0.0,
        "manualDiscount": false,
        "amount": number(line.amount),
        "receivedAmt": number(round(line.received * line.unit_cost, 2)),
        "taxCategory": line.vat_category.as_deref().map(|id| json!({
            "number": id,
            "description": masters.category(id).map(|category| category.description.as_str()),
        })),
        "account": account.map(|account| json!({
            "type": account.kind, "number": account.number, "description": account.description,
        })),
        "sub": subaccount(masters, &line.segments),
        "requested": line.requested.map(day),
        "promised": line.promised.map(day),
        "completed": line.completed,
        "canceled": order.status == "Cancelled",
        "orderType": order.order_type,
        "orderNumber": order.number,
        "note": if wide { line.note.as_deref() } else { None },
    });
    if let (true, Value::Object(members)) = (wide, &mut value) {
        customs(members, &line.custom);
    }
    value
}

/// What a read of the order includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Including {
    pub custom: bool,
    pub notes: bool,
    /// The light form leaves out shipping and printing.
    pub basic: bool,
}

fn core(masters: &Masters, shown: &Shown<Order>, including: Including) -> String {
    let order = &shown.doc;
    let base = |amount: Decimal| number(round(amount * order.rate, 2));
    let open: Decimal = order
        .lines
        .iter()
        .filter(|line| !line.completed)
        .map(|line| line.quantity - line.received)
        .sum();
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|each| {
            let mut value = line(masters, order, each, including.custom);
            if let Value::Object(members) = &mut value {
                let note = if including.notes {
                    each.note.as_deref().map_or(Value::Null, Value::from)
                } else {
                    Value::Null
                };
                members.insert("note".into(), note);
            }
            value
        })
        .collect();
    let mut value = json!({
        "orderType": order.order_type,
        "orderNbr": order.number,
        "hold": order.status == "Hold",
        "status": order.status,
        "date": day(order.date),
        "promisedOn": order.promised.map(day),
        "description": order.description,
        "supplier": {
            "internalId": order.supplier.parse::<u64>().ok(),
            "number": order.supplier,
            "name": supplier_name(masters, &order.supplier),
        },
        "location": {"id": 1204, "name": "Primary location"},
        "currency": order.currency,
        "supplierRef": order.reference,
        "exchangeRate": number(order.rate),
        "lineTotal": number(order.totals.net),
        "lineTotalInBaseCurrency": base(order.totals.net),
        "taxTotal": number(order.totals.vat),
        "taxTotalInBaseCurrency": base(order.totals.vat),
        "orderTotal": number(order.totals.gross),
        "orderTotalInBaseCurrency": base(order.totals.gross),
        "controlTotal": number(order.control_total.unwrap_or(order.totals.gross)),
        "branch": {"number": order.branch, "name": masters.branch(&order.branch).map(|branch| branch.name.as_str())},
        "lines": lines,
        "lastModifiedDateTime": time(shown.modified),
        "note": if including.notes { order.note.as_deref() } else { None },
        "timeStamp": version(shown.version),
    });
    if let Value::Object(members) = &mut value {
        if including.custom {
            customs(members, &order.custom);
        }
        if !including.basic {
            members.insert("shippingDestinationType".into(), "CompanyLocation".into());
            members.insert("openQuantity".into(), number(open));
            members.insert("dontPrint".into(), order.dont_print.into());
            members.insert("dontEmail".into(), order.dont_email.into());
            members.insert("terms".into(), json!({"id": order.terms}));
        }
    }
    let mut text = value.to_string();
    text.pop();
    text
}

/// Appends the list row.
pub(crate) fn list_row(
    out: &mut String,
    masters: &Masters,
    shown: &Shown<Order>,
    including: Including,
    (error, total, max): (&str, usize, usize),
) {
    let kept = if including.custom { &shown.wide } else { &shown.short };
    if including.basic {
        out.push_str(&core(masters, shown, including));
    } else {
        out.push_str(kept.get_or_init(|| core(masters, shown, including)));
    }
    out.push_str(&super::list::tail(error, total, max));
}

/// The answer of a single read.
pub(crate) fn single(masters: &Masters, shown: &Shown<Order>, including: Including) -> String {
    let mut out = core(masters, shown, including);
    out.push_str(&super::list::tail("", 1, 500));
    out
}
