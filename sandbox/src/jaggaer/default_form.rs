//! Documents in the form of the default profile: decimal strings, money objects, lines inside.

use super::json::{Style, decimal, identifier, money, segments, set};
use crate::world::document::{Contract, Invoice, Line, Order, Receipt, Tax};
use crate::world::supplier::{BankAccount, Vendor};
use crate::world::time::rfc3339;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn vendor_ref(vendor: &Vendor, style: Style) -> Value {
    let mut reference = object(json!({ "id": identifier(&vendor.id, style), "name": vendor.name }));
    set(&mut reference, "supplierNumber", vendor.number.clone());
    Value::Object(reference)
}

fn terms(days: Option<u32>) -> Option<Value> {
    days.map(|days| json!({ "code": format!("NET{days}"), "netDays": days }))
}

fn bank_account(account: &BankAccount) -> Value {
    match account {
        BankAccount::Iban(number) => json!({ "iban": number }),
        BankAccount::Bban(number) => json!({ "bban": number }),
        BankAccount::Bankgiro(number) => json!({ "bankgiro": number }),
        BankAccount::Plusgiro(number) => json!({ "plusgiro": number }),
    }
}

fn tax(tax: &Tax, sign: Decimal, currency: &str, style: Style) -> Value {
    json!({
        "code": tax.code, "kind": "VAT", "rate": decimal(tax.rate, style),
        "base": money(tax.base * sign, currency, style),
        "amount": money(tax.amount * sign, currency, style),
    })
}

fn line(line: &Line, sign: Decimal, currency: &str, style: Style) -> Map<String, Value> {
    let shares: Vec<Value> = line
        .shares
        .iter()
        .enumerate()
        .map(|(index, share)| {
            let segments: Vec<Value> = segments(share)
                .map(|(dimension, value, description)| {
                    json!({ "dimension": dimension, "value": value, "description": description })
                })
                .collect();
            json!({
                "sequence": index + 1, "percent": decimal(share.percent, style),
                "amount": money(share.amount * sign, currency, style), "segments": segments,
            })
        })
        .collect();
    let on_line = Tax {
        code: line.tax_code.clone(),
        rate: line.rate,
        base: line.net,
        amount: line.vat(currency),
    };
    let mut members = object(json!({
        "lineId": identifier(&line.id, style), "lineNumber": line.number,
        "description": line.description, "quantity": decimal(line.quantity * sign, style),
        "unitOfMeasure": line.unit, "unitPrice": money(line.price, currency, style),
        "netAmount": money(line.net * sign, currency, style),
        "taxLines": [tax(&on_line, sign, currency, style)], "distributions": shares,
    }));
    set(&mut members, "itemNumber", line.item.clone());
    if style.unknown_fields {
        members.insert("carbonFootprint".into(), json!({ "kilograms": "1.25" }));
        members.insert("customFields".into(), json!([]));
    }
    members
}

pub(super) fn order(order: &Order, vendor: &Vendor, updated_ms: i64, style: Style) -> Value {
    let currency = order.currency.as_str();
    let mut lines: Vec<Value> = order
        .lines
        .iter()
        .map(|each| {
            let mut members = line(each, Decimal::ONE, currency, style);
            let status = if each.cancelled { "Cancelled" } else { "Open" };
            members.insert("status".into(), status.into());
            let kind = match (each.limit, each.service) {
                (true, _) => "Limit",
                (false, true) => "Service",
                (false, false) => "Goods",
            };
            members.insert("type".into(), kind.into());
            set(&mut members, "contractNumber", each.contract.clone());
            members.insert("priceBasisQuantity".into(), decimal(each.basis, style));
            set(&mut members, "commodityCode", each.commodity.clone());
            set(&mut members, "requestedDeliveryDate", each.requested_on.map(|on| on.to_string()));
            members.insert("receivedQuantity".into(), "0".into());
            members.insert("invoicedQuantity".into(), "0".into());
            Value::Object(members)
        })
        .collect();
    if order.record.unreadable {
        lines[0]["netAmount"]["amount"] = "N/A".into();
    }
    let change = match (order.status.as_str(), order.revision) {
        ("Cancelled", _) => "Cancelled",
        (_, 0) => "New",
        (_, _) => "Changed",
    };
    let mut members = object(json!({
        "id": identifier(&order.id, style), "poNumber": order.number, "revision": order.revision,
        "changeType": change, "status": order.status, "businessUnit": order.business_unit,
        "supplier": vendor_ref(vendor, style), "currency": currency,
        "orderDate": order.ordered_on.to_string(),
        "requestedBy": { "userName": "kari.nordmann", "displayName": "Kari Nordmann" },
        "shipTo": { "code": "OSL-01", "name": "Nordlys Industri AS", "lines": ["Storgata 1"],
            "city": "Oslo", "postalCode": "0155", "countryCode": "NO" },
        "netAmount": money(order.net, currency, style),
        "taxAmount": money(order.tax, currency, style),
        "grossAmount": money(order.gross, currency, style),
        "lines": lines, "attachments": [], "customFields": [], "erpNumber": null,
        "createdAt": rfc3339(order.record.created_ms), "updatedAt": rfc3339(updated_ms),
    }));
    set(&mut members, "paymentTerms", terms(order.terms_days));
    if style.unknown_fields {
        members.insert("priority".into(), "WheneverConvenient".into());
        members.insert("x-extension".into(), json!([{ "a": 1 }]));
    }
    Value::Object(members)
}

pub(super) fn invoice(invoice: &Invoice, vendor: &Vendor, updated_ms: i64, style: Style) -> Value {
    let currency = invoice.currency.as_str();
    let sign = if invoice.credit { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
    let lines: Vec<Value> = invoice
        .lines
        .iter()
        .map(|each| {
            let mut members = line(each, sign, currency, style);
            let bills = each.bills.as_ref().map(|order| {
                let mut named = object(json!({
                    "poId": order.order_id, "poNumber": order.order_number,
                    "poRevision": order.revision,
                }));
                set(&mut named, "poLineNumber", order.line_number);
                set(&mut named, "poLineId", order.line_id.clone());
                Value::Object(named)
            });
            members.insert("po".into(), bills.unwrap_or(Value::Null));
            members.insert("matchStatus".into(), "Matched".into());
            Value::Object(members)
        })
        .collect();
    let taxes: Vec<Value> =
        invoice.taxes.iter().map(|each| tax(each, sign, currency, style)).collect();
    let files: Vec<Value> = invoice
        .attachments
        .iter()
        .map(|file| {
            json!({
                "id": file.id, "fileName": file.file_name, "contentType": file.content_type,
                "size": file.bytes.len(), "kind": "INVOICE_IMAGE",
                "url": format!("/invoices/{}/attachments/{}", invoice.id, file.id),
            })
        })
        .collect();
    let mut gross = money(invoice.gross * sign, currency, style);
    if invoice.record.unreadable {
        gross["amount"] = "N/A".into();
    }
    let mut members = object(json!({
        "id": identifier(&invoice.id, style), "invoiceNumber": invoice.number,
        "type": if invoice.credit { "CreditMemo" } else { "Invoice" },
        "lineType": line_type(invoice, "PO", "NonPO"),
        "source": if style.unknown_fields { "Fax" } else { "Automated" },
        "businessUnit": invoice.business_unit, "supplier": vendor_ref(vendor, style),
        "currency": currency, "invoiceDate": invoice.invoiced_on.to_string(),
        "netAmount": money(invoice.net * sign, currency, style),
        "taxAmount": money(invoice.tax * sign, currency, style), "grossAmount": gross,
        "taxLines": taxes, "lines": lines, "attachments": files,
        "workflowStatus": invoice.workflow, "paymentStatus": invoice.payment,
        "matchStatus": "Matched", "erpNumber": null,
        "createdAt": rfc3339(invoice.record.created_ms), "updatedAt": rfc3339(updated_ms),
    }));
    set(&mut members, "supplierInvoiceNumber", invoice.reference.clone());
    set(&mut members, "accountingDate", invoice.accounting_on.map(|on| on.to_string()));
    set(&mut members, "dueDate", invoice.due_on.map(|on| on.to_string()));
    set(&mut members, "paymentTerms", terms(invoice.terms_days));
    set(&mut members, "paymentReference", invoice.payment_reference.clone());
    set(&mut members, "payee", invoice.payee.as_ref().map(bank_account));
    set(&mut members, "exchangeRate", invoice.exchange_rate.map(|rate| decimal(rate, style)));
    let credits = invoice.credits.as_ref();
    set(
        &mut members,
        "originalInvoice",
        credits.map(|(id, reference)| json!({ "id": id, "supplierInvoiceNumber": reference })),
    );
    for (name, amount) in [
        ("shippingAmount", invoice.charges.shipping),
        ("handlingAmount", invoice.charges.handling),
        ("discountAmount", invoice.charges.discount),
        ("roundingAmount", invoice.charges.rounding),
    ] {
        let amount = (!amount.is_zero()).then(|| money(amount * sign, currency, style));
        set(&mut members, name, amount);
    }
    if style.unknown_fields {
        members.insert("eInvoiceChannel".into(), json!({ "name": "PEPPOL", "hops": 3 }));
    }
    Value::Object(members)
}

/// `PO`, `NonPO` or a mixture, in the profile's words.
pub(super) fn line_type(
    invoice: &Invoice,
    order: &'static str,
    none: &'static str,
) -> &'static str {
    if invoice.lines.iter().any(|line| line.bills.is_some()) { order } else { none }
}

pub(super) fn supplier(vendor: &Vendor, updated_ms: i64, style: Style) -> Value {
    let mut identifiers = Map::new();
    set(&mut identifiers, "orgNumber", vendor.organisation_number.clone());
    set(&mut identifiers, "vatNumber", vendor.vat_number.clone());
    let accounts: Vec<Value> = vendor
        .bank_accounts
        .iter()
        .enumerate()
        .map(|(index, account)| {
            let mut account = object(bank_account(account));
            account.insert("currency".into(), vendor.currency.into());
            account.insert("isDefault".into(), (index == 0).into());
            Value::Object(account)
        })
        .collect();
    let mut members = object(json!({
        "id": identifier(&vendor.id, style), "name": vendor.name, "legalName": vendor.name,
        "active": vendor.active, "status": "Approved", "identifiers": identifiers,
        "addresses": [{ "usage": "Main", "address": { "lines": ["Havnegata 12"],
            "city": vendor.city, "postalCode": vendor.postal_code,
            "countryCode": vendor.country.code() } }],
        "bankAccounts": accounts, "currency": vendor.currency,
        "paymentTerms": terms(Some(vendor.terms_days)),
        "vatZone": if vendor.is_domestic() { "Domestic" } else { "Abroad" },
        "etag": format!("W/\"{}\"", updated_ms), "createdAt": rfc3339(vendor.created_ms),
        "updatedAt": rfc3339(updated_ms),
    }));
    set(&mut members, "supplierNumber", vendor.number.clone());
    set(&mut members, "parentSupplierId", vendor.parent.clone());
    Value::Object(members)
}

pub(super) fn receipt(receipt: &Receipt, updated_ms: i64, style: Style) -> Value {
    let lines: Vec<Value> = receipt
        .lines
        .iter()
        .map(|line| {
            json!({
                "poNumber": line.order_number, "poLineNumber": line.line_number,
                "poLineId": identifier(&line.line_id, style),
                "quantity": decimal(line.quantity, style), "unitOfMeasure": line.unit,
                "amount": money(line.amount, &line.currency, style),
            })
        })
        .collect();
    json!({
        "id": identifier(&receipt.id, style), "receiptNumber": receipt.number,
        "receivedOn": receipt.received_on.to_string(),
        "status": if receipt.cancelled { "Cancelled" } else { "Received" },
        "lines": lines, "createdAt": rfc3339(receipt.record.created_ms),
        "updatedAt": rfc3339(updated_ms),
    })
}

pub(super) fn contract(
    contract: &Contract,
    vendor: &Vendor,
    updated_ms: i64,
    style: Style,
) -> Value {
    let mut members = object(json!({
        "id": identifier(&contract.id, style), "contractNumber": contract.number,
        "title": contract.title, "supplier": vendor_ref(vendor, style),
        "status": contract.status, "startDate": contract.starts_on.to_string(),
        "endDate": contract.ends_on.map(|on| on.to_string()), "currency": contract.currency,
        "paymentTerms": terms(Some(vendor.terms_days)), "updatedAt": rfc3339(updated_ms),
    }));
    for (name, amount) in [("value", contract.value), ("consumed", contract.consumed)] {
        set(&mut members, name, amount.map(|amount| money(amount, &contract.currency, style)));
    }
    Value::Object(members)
}
