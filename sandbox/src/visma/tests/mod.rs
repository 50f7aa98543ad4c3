//! The simulator over real HTTP, asked the way a client asks, with a client that knows only bytes.

mod background;
mod book;
mod client;
mod documents;
mod faults;
mod gate;
mod ledger;
mod orders;
mod reference;

use super::masters::{
    KeyedInvoice, KeyedLine, KeyedOrder, Masters, Receipt, ReceiptLine, Supplier, nordlys,
};
use super::{Settings, Visma};
use crate::faults::{Faults, Switchboard};
use client::Client;
use jiff::civil::date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

fn supplier(number: &str, status: &str, zone: &str, currency: &str) -> Supplier {
    Supplier {
        number: number.into(),
        name: format!("Leverandør {number}"),
        status: status.into(),
        corporate_id: Some(format!("9{number}")),
        vat_registration_id: None,
        vat_zone: zone.into(),
        currency: currency.into(),
        credit_terms: "30".into(),
        country: "NO".into(),
        payment_details: Vec::new(),
    }
}

fn keyed_line(item: &str) -> KeyedLine {
    KeyedLine {
        description: "Skrivebord".into(),
        item: Some(item.into()),
        quantity: Decimal::from(10),
        unit: "STK".into(),
        unit_cost: Decimal::from(100),
        account: "6540".into(),
        segments: vec![(1, "110".into()), (2, "000000".into())],
        vat_category: "K25".into(),
        order: None,
    }
}

/// Three suppliers in use, an order with a service and a stock line received, an invoice keyed in by hand.
fn masters() -> Masters {
    let mut masters = nordlys();
    masters.suppliers = vec![
        supplier("50012", "Active", "01", "NOK"),
        supplier("50047", "Active", "03", "SEK"),
        supplier("50050", "HoldPayments", "01", "ISK"),
        supplier("50060", "Inactive", "01", "NOK"),
        supplier("50061", "OnHold", "01", "NOK"),
    ];
    masters.orders = vec![KeyedOrder {
        supplier: "50012".into(),
        supplier_reference: Some("HAND-1".into()),
        description: None,
        ordered_on: date(2026, 10, 1),
        currency: "NOK".into(),
        branch: "1".into(),
        status: "Open".into(),
        lines: vec![keyed_line("TJENESTE"), keyed_line("LAGER-1")],
    }];
    masters.receipts = vec![Receipt {
        received_on: date(2026, 10, 9),
        status: "Released".into(),
        lines: vec![ReceiptLine { order: 0, order_line: 1, quantity: Decimal::from(4) }],
    }];
    masters.invoices = vec![KeyedInvoice {
        document_type: "Invoice".into(),
        supplier: "50012".into(),
        supplier_reference: Some("H-77".into()),
        description: None,
        document_on: date(2026, 10, 12),
        currency: "NOK".into(),
        branch: "1".into(),
        status: "Open".into(),
        lines: vec![keyed_line("TJENESTE")],
    }];
    masters
}

struct Company {
    visma: Arc<Visma>,
    client: Client,
}

async fn company(settings: Settings, faults: Faults) -> Company {
    let visma = Visma::new(settings, masters(), Arc::new(Switchboard::new(faults)));
    let client = Client::serving(&visma).await;
    Company { visma, client }
}

/// A company without faults, and a client that is signed in.
async fn calm() -> Company {
    let mut company = company(Settings::defaults(), Faults::default()).await;
    company.client.sign_in().await;
    company
}

/// `{"value": x}`.
fn v(value: impl Into<Value>) -> Value {
    json!({ "value": value.into() })
}

fn line(cost: &str, category: &str) -> Value {
    json!({
        "operation": "Insert",
        "costInCurrency": {"value": number(cost)},
        "accountNumber": v("6540"),
        "subaccount": [{"segmentId": 1, "segmentValue": "110"}, {"segmentId": 2, "segmentValue": "P-2031"}],
        "vatCodeId": v(category),
    })
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}

fn invoice(reference: &str, lines: Vec<Value>) -> Value {
    json!({
        "documentType": v("Invoice"),
        "hold": v(true),
        "date": v("2026-11-10T00:00:00"),
        "financialPeriod": v("202611"),
        "supplierNumber": v("50012"),
        "supplierReference": v(reference),
        "note": v(format!("ml-connector:{reference}")),
        "validateLineDetails": v(true),
        "invoiceLines": lines,
    })
}

/// The body with members set (or taken out, with `null`).
fn with(mut body: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("members") {
        let body = body.as_object_mut().expect("a body");
        if value.is_null() {
            body.remove(name);
        } else {
            body.insert(name.clone(), value.clone());
        }
    }
    body
}
