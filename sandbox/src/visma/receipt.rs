//! Purchase receipts: read only, from the seed data. Reads live under `/v2`; the `/v1` reads are gone.

use super::masters::Masters;
use super::order::supplier_name;
use super::reply::{number, time, version};
use super::state::Shown;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct PurchaseReceipt {
    pub number: String,
    pub status: String,
    pub date: Date,
    pub supplier: String,
    pub currency: String,
    pub branch: String,
    pub lines: Vec<PurchaseReceiptLine>,
}

#[derive(Debug, Clone)]
pub(crate) struct PurchaseReceiptLine {
    pub number: i64,
    pub line_type: String,
    pub item: Option<String>,
    pub text: Option<String>,
    pub unit: Option<String>,
    pub ordered: Decimal,
    pub quantity: Decimal,
    pub unit_cost: Decimal,
    pub order: String,
    pub order_line: i64,
}

/// The row's JSON without its end.
pub(crate) fn core(masters: &Masters, shown: &Shown<PurchaseReceipt>) -> String {
    let receipt = &shown.doc;
    let total =
        |of: fn(&PurchaseReceiptLine) -> Decimal| number(receipt.lines.iter().map(of).sum());
    let lines: Vec<Value> = receipt
        .lines
        .iter()
        .map(|line| {
            json!({
                "lineNbr": line.number,
                "inventory": line.item.as_deref().map(|item| json!({"number": item})),
                "lineType": line.line_type,
                "transactionDescription": line.text,
                "uom": line.unit,
                "orderQty": number(line.ordered),
                "openQty": number((line.ordered - line.quantity).max(Decimal::ZERO)),
                "receiptQty": number(line.quantity),
                "unitCost": number(line.unit_cost),
                "extCost": number(line.quantity * line.unit_cost),
                "amount": number(line.quantity * line.unit_cost),
                "poOrderType": "RegularOrder",
                "poOrderNbr": line.order,
                "poOrderLineNbr": line.order_line,
                "completePoLine": line.quantity >= line.ordered,
            })
        })
        .collect();
    let mut text = json!({
        "receiptType": "PoReceipt",
        "receiptNbr": receipt.number,
        "hold": receipt.status == "Hold",
        "status": receipt.status,
        "date": format!("{}T00:00:00", receipt.date),
        "postPeriod": format!("{:02}{:04}", receipt.date.month(), receipt.date.year()),
        "supplier": {
            "internalId": receipt.supplier.parse::<u64>().ok(),
            "number": receipt.supplier,
            "name": supplier_name(masters, &receipt.supplier),
        },
        "currency": receipt.currency,
        "exchangeRate": 1.0,
        "createBill": false,
        "supplierRef": null,
        "totalQty": total(|line| line.quantity),
        "totalAmt": total(|line| line.quantity * line.unit_cost),
        "lastModifiedDateTime": time(shown.modified),
        "branchNumber": {"number": receipt.branch, "name": masters.branch(&receipt.branch).map(|branch| branch.name.as_str())},
        "lines": lines,
        "timeStamp": version(shown.version),
    })
    .to_string();
    text.pop();
    text
}
