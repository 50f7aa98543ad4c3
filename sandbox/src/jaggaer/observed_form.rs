//! Documents in the form of the observed profile: numbers, `XList: {X: []}`, accounting in
//! splittable fields, a header for the list and a detail for the lines.
//!
//! Seen in public are the invoice's fields. Ours by assumption: `extendedPrice` on a line, the
//! split's amount and percent as the custom field values `SplitAmount` and `SplitPercent`, the
//! fee `Rounding` in `miscFeeList`, `originalInvoice` on a credit memo, orders as a whole.

use super::default_form::line_type;
use super::json::{Style, number, segments, set};
use crate::world::amount::plain;
use crate::world::document::{Invoice, Line, Order};
use crate::world::supplier::Vendor;
use crate::world::time::{compact, millis, rfc3339};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// A whole day stands as midnight UTC.
fn day(on: Date) -> String {
    rfc3339(millis(on))
}

/// An identifier that J1P sends as a number.
fn id(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

fn custom_field(name: &str, label: &str, value: Option<&str>) -> Value {
    let value = value.map_or_else(|| json!({}), |value| json!({ "value": value }));
    json!({ "name": name, "label": label, "customFieldValueList": { "customFieldValue": [value] } })
}

fn supplier_ref(vendor: &Vendor) -> Value {
    let mut reference = Map::new();
    reference.insert("id".into(), id(&vendor.id));
    reference.insert("name".into(), vendor.name.clone().into());
    set(&mut reference, "supplierNumber", vendor.number.clone());
    Value::Object(reference)
}

fn terms(days: Option<u32>) -> Value {
    match days {
        Some(days) => json!({
            "discount": {}, "days": 0, "type": "Net", "daysAfter": days,
            "standardPaymentTermsCode": format!("Net {days}"),
        }),
        None => json!({}),
    }
}

fn split_fields(line: &Line, sign: Decimal) -> Value {
    let splits: Vec<Value> = line
        .shares
        .iter()
        .map(|share| {
            let mut values: Vec<Value> = segments(share)
                .map(|(name, value, description)| {
                    json!({ "internalName": name, "value": value, "description": description })
                })
                .collect();
            if share.project.is_none() {
                values.push(json!({ "internalName": "Project" }));
            }
            let amount = (share.amount * sign).to_string();
            values.push(json!({ "internalName": "SplitAmount", "value": amount }));
            let percent = plain(share.percent);
            values.push(json!({ "internalName": "SplitPercent", "value": percent }));
            json!({ "customFieldValueList": { "customFieldValue": values } })
        })
        .collect();
    json!({ "splittableFieldSetGroup": [{ "splittableFieldIndexSet": [{
        "context": "Line", "splittableFieldIndexList": { "splittableFieldIndex": splits } }] }] })
}

fn line(line: &Line, sign: Decimal, unit: &str, currency: &str) -> Map<String, Value> {
    let item = json!({
        "description": line.description,
        "unitOfMeasure": { "dimension": line.unit,
            "alternateUnitOfMeasure": [{ "type": "system", "dimension": line.unit }] },
        "productType": "NonCatalogItem",
    });
    let mut members = Map::new();
    members.insert("lineId".into(), id(&line.id));
    members.insert("lineNumber".into(), line.number.into());
    members.insert("item".into(), item);
    if let Some(Value::Object(item)) = members.get_mut("item") {
        set(item, "catalogNumber", line.item.clone());
    }
    members.insert("businessUnit".into(), unit.into());
    members.insert("quantity".into(), number(line.quantity * sign));
    members.insert("unitPrice".into(), number(line.price));
    members.insert("extendedPrice".into(), number(line.net * sign));
    members.insert("taxable".into(), if line.rate.is_zero() { "false" } else { "true" }.into());
    members.insert("taxCharge1".into(), number(line.vat(currency) * sign));
    for none in ["taxCharge2", "shippingCharge", "handlingCharge", "discountAmount"] {
        members.insert(none.into(), 0.into());
    }
    members.insert("capitalExpense".into(), "false".into());
    members.insert(
        "customFieldValueSetList".into(),
        json!({ "customFieldValueSet": [
            custom_field("TaxCode", "Tax Code", Some(&line.tax_code)),
            custom_field("TaxRate", "Tax Rate", Some(&plain(line.rate))),
            custom_field("AdjustmentCode", "AdjustmentCode", None),
        ] }),
    );
    members.insert("splittableFieldSetGroupList".into(), split_fields(line, sign));
    members
}

/// The header, for the list and the detail alike, and the lines for the detail.
pub(super) fn invoice(
    invoice: &Invoice,
    vendor: &Vendor,
    updated_ms: i64,
    style: Style,
) -> (Value, Vec<Value>) {
    let sign = if invoice.credit { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
    let currency = invoice.currency.as_str();
    let signed = |amount: Decimal| number(amount * sign);
    let unit = invoice.business_unit.as_str();
    let lines = invoice
        .lines
        .iter()
        .map(|each| {
            let mut members = line(each, sign, unit, currency);
            if let Some(order) = &each.bills {
                members.insert("poNumber".into(), order.order_number.clone().into());
                let number = order.line_number.map(|number| number.to_string());
                set(&mut members, "poLineNumber", number);
                set(&mut members, "poLineId", order.line_id.as_deref().map(id));
                members.insert("poAPStatus".into(), "Open".into());
            }
            members.insert("receipts".into(), json!({ "receipt": [] }));
            members.insert("matchStatus".into(), "Matched".into());
            Value::Object(members)
        })
        .collect();
    let files: Vec<Value> = invoice
        .attachments
        .iter()
        .map(|file| {
            json!({
                "fileId": file.id, "fileName": file.file_name, "contentType": file.content_type,
                "size": file.bytes.len(),
                "url": format!("/j1p/api/public/ji/v1/invoices/{}/attachments/{}", invoice.id, file.id),
            })
        })
        .collect();
    let non_po = if line_type(invoice, "PO", "Non-PO") == "PO" { "false" } else { "true" };
    let total = if invoice.record.unreadable { "N/A".into() } else { signed(invoice.gross) };
    let mut fees = vec![json!({ "name": "MiscFee1", "fee": 0 })];
    if !invoice.charges.rounding.is_zero() {
        fees.push(json!({ "name": "Rounding", "fee": signed(invoice.charges.rounding) }));
    }
    let mut header = Map::new();
    for (name, value) in [
        ("invoiceId", id(&invoice.id)),
        ("validationStatus", "Unneeded".into()),
        ("lastUpdate", rfc3339(updated_ms).into()),
        ("paymentStatus", invoice.payment.as_str().into()),
        ("invoiceNumber", invoice.number.as_str().into()),
        ("invoiceType", if invoice.credit { "Credit memo" } else { "Invoice" }.into()),
        ("invoiceLineType", line_type(invoice, "PO", "Non-PO").into()),
        ("invoiceSource", if style.unknown_fields { "Fax" } else { "Automated" }.into()),
        ("invoiceDate", day(invoice.invoiced_on).into()),
        ("invoiceCreateDate", rfc3339(invoice.record.created_ms).into()),
        ("termDiscountAmount", 0.into()),
        ("invoicedBy", json!({ "username": "ap@nordlys.example", "businessUnit": unit })),
        ("businessUnit", unit.into()),
        ("supplier", supplier_ref(vendor)),
        ("terms", terms(invoice.terms_days)),
        ("payment", json!({ "method": "Unknown", "paidByExternalPaymentProcessor": "false" })),
        ("freightOnBoard", json!({})),
        (
            "additionalInfo",
            json!({
            "externalInfo": { "attachmentList": { "attachment": files } },
            "internalInfo": { "attachmentList": { "attachment": [] } },
            "ocrAttachmentList": { "attachment": [] } }),
        ),
        ("matchStatus", "Matched".into()),
        ("workflowStatus", invoice.workflow.as_str().into()),
        ("nonPOInvoice", non_po.into()),
        (
            "customFieldValueSetList",
            json!({ "customFieldValueSet": [
            custom_field("IsReceiptRequired", "Requires Receiving", None),
            custom_field("PaymentReference", "KID", invoice.payment_reference.as_deref()) ] }),
        ),
        ("taxCharge1", signed(invoice.tax)),
        ("taxCharge2", 0.into()),
        ("shippingCharge", signed(invoice.charges.shipping)),
        ("handlingCharge", signed(invoice.charges.handling)),
        ("discountAmount", signed(invoice.charges.discount)),
        ("allocationMethod", "Weighted".into()),
        ("earlyPaymentDiscount", 0.into()),
        ("miscFeeList", json!({ "miscFee": fees })),
        ("total", json!({ "currency": currency, "value": total })),
    ] {
        header.insert(name.into(), value);
    }
    set(&mut header, "supplierInvoiceNumber", invoice.reference.clone());
    set(&mut header, "accountingDate", invoice.accounting_on.map(day));
    set(&mut header, "dueDate", invoice.due_on.map(day));
    let credits = invoice.credits.as_ref().map(|(original, reference)| {
        json!({ "invoiceId": id(original), "supplierInvoiceNumber": reference })
    });
    set(&mut header, "originalInvoice", credits);
    if style.unknown_fields {
        header.insert("sustainability".into(), json!({ "score": {} }));
    }
    (Value::Object(header), lines)
}

/// Orders are not in the public evidence: in the style of the invoice.
pub(super) fn order(
    order: &Order,
    vendor: &Vendor,
    updated_ms: i64,
    style: Style,
) -> (Value, Vec<Value>) {
    let currency = order.currency.as_str();
    let unit = order.business_unit.as_str();
    let mut lines: Vec<Value> = order
        .lines
        .iter()
        .map(|each| {
            let mut members = line(each, Decimal::ONE, unit, currency);
            members.insert("priceBasisQuantity".into(), number(each.basis));
            let status = if each.cancelled { "Cancelled" } else { "Open" };
            members.insert("lineStatus".into(), status.into());
            members
                .insert("lineType".into(), if each.service { "Service" } else { "Goods" }.into());
            if let Some(Value::Object(item)) = members.get_mut("item") {
                set(item, "commodityCode", each.commodity.clone());
            }
            set(&mut members, "requestedDeliveryDate", each.requested_on.map(day));
            Value::Object(members)
        })
        .collect();
    if order.record.unreadable {
        lines[0]["unitPrice"] = "N/A".into();
    }
    let total = if order.record.unreadable { "N/A".into() } else { number(order.gross) };
    let mut header = Map::new();
    for (name, value) in [
        ("poId", id(&order.id)),
        ("poNumber", order.number.as_str().into()),
        ("revisionNumber", order.revision.into()),
        ("poStatus", order.status.as_str().into()),
        ("lastUpdate", rfc3339(updated_ms).into()),
        ("createDate", rfc3339(order.record.created_ms).into()),
        ("poDate", day(order.ordered_on).into()),
        ("businessUnit", unit.into()),
        ("supplier", supplier_ref(vendor)),
        ("terms", terms(order.terms_days)),
        ("taxCharge1", number(order.tax)),
        ("subTotal", json!({ "currency": currency, "value": number(order.net) })),
        ("total", json!({ "currency": currency, "value": total })),
    ] {
        header.insert(name.into(), value);
    }
    if style.unknown_fields {
        header.insert("priority".into(), "WheneverConvenient".into());
    }
    (Value::Object(header), lines)
}

/// A row of `companyprofiles`, in the style of `ja`.
pub(super) fn supplier(vendor: &Vendor, updated_ms: i64) -> Value {
    let mut info = Map::new();
    for (name, value) in [
        ("bravoId", vendor.id.as_str()),
        ("companyName", vendor.name.as_str()),
        ("address", "Havnegata 12"),
        ("city", vendor.city.as_str()),
        ("zip", vendor.postal_code.as_str()),
        ("isoCountry", vendor.country.code()),
        ("currency", vendor.currency),
        ("status", if vendor.active { "ACTIVE" } else { "INACTIVE" }),
        ("type", "SELLER"),
    ] {
        info.insert(name.into(), value.into());
    }
    info.insert("lastModTime".into(), compact(updated_ms).into());
    set(&mut info, "extCode", vendor.number.clone());
    set(&mut info, "fiscalCode", vendor.organisation_number.clone());
    set(&mut info, "euVat", vendor.vat_number.clone());
    set(&mut info, "parentBravoId", vendor.parent.clone());
    json!({ "returnCompanyInfo": info })
}
