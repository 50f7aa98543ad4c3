//! Documents in the form of the alternate profile: an API by another hand. Norwegian words, whole
//! minor units, days as `28.09.2026`, stamps in Oslo's time without a zone, positive credit notes.
//!
//! Beyond the one published example these are ours: `charges`, `files`, `credits`, `kid`, `pay_to`,
//! `rate`, `payment_days`, and the members of orders and partners.

use super::json::{Style, number, segments, set};
use crate::world::amount::{decimals, plain};
use crate::world::document::{Invoice, Line, Order};
use crate::world::supplier::{BankAccount, Vendor};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// `2026-09-28 12:05:00`, as the clock on a wall in Oslo shows it: an hour in October comes twice.
pub(super) fn local(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let oslo = TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC);
    at.to_zoned(oslo).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn day(on: Date) -> String {
    on.strftime("%d.%m.%Y").to_string()
}

/// Øre, cent, whole krónur. A price may have a part of one.
fn minor(amount: Decimal, currency: &str, style: Style) -> Value {
    numeric(amount * Decimal::from(10_i64.pow(decimals(currency))), style)
}

/// A number; a text when the style breaks the promise.
fn numeric(value: Decimal, style: Style) -> Value {
    if style.numbers { plain(value).into() } else { number(value.normalize()) }
}

fn id(text: &str, style: Style) -> Value {
    match text.parse::<u64>() {
        Ok(number) if !style.numbers => number.into(),
        Ok(_) | Err(_) => text.into(),
    }
}

/// The buyer's words of JAGGAER's own.
fn approval(word: &str) -> &str {
    match word {
        "Completed" => "FERDIG",
        "Pending" => "UNDER ARBEID",
        "Draft" => "UTKAST",
        "Rejected" => "AVVIST",
        "Cancelled" => "ANNULLERT",
        other => other,
    }
}

fn payment(word: &str) -> &str {
    match word {
        "Payable" => "OPEN",
        "NotPayable" => "BLOCKED",
        "OnHold" => "ON HOLD",
        "Cancelled" => "CANCELLED",
        "PartiallyPaid" => "PARTIAL",
        "Paid" => "SETTLED",
        other => other,
    }
}

fn order_state(word: &str) -> &str {
    match word {
        "Draft" => "UTKAST",
        "PendingApproval" => "TIL GODKJENNING",
        "Approved" => "GODKJENT",
        "Sent" => "SENDT",
        "Confirmed" => "BEKREFTET",
        "Cancelled" => "ANNULLERT",
        "Rejected" => "AVVIST",
        other => other,
    }
}

fn unit(code: &str) -> &str {
    match code {
        "EA" => "STK",
        "BX" => "KRT",
        "HUR" => "TIM",
        "KGM" => "KG",
        other => other,
    }
}

fn company(business_unit: &str) -> &str {
    match business_unit {
        "NORDLYS-NO" => "NO01",
        "NORDLYS-NO2" => "NO02",
        other => other,
    }
}

/// A rate says all, but for the codes that share theirs with another.
fn tax_code(line: &Line) -> Option<&str> {
    match line.tax_code.as_str() {
        "NO-25" | "NO-15" | "NO-12" | "NO-0" => None,
        other => Some(other),
    }
}

fn vendor_ref(vendor: &Vendor, style: Style) -> Value {
    let mut key = Map::new();
    key.insert("internal".into(), id(&vendor.id, style));
    set(&mut key, "erp", vendor.number.clone());
    json!({ "key": key, "display": vendor.name })
}

fn bank_account(account: &BankAccount) -> Value {
    match account {
        BankAccount::Iban(number) => json!({ "scheme": "IBAN", "number": number }),
        BankAccount::Bban(number) => json!({ "scheme": "KONTO", "number": number }),
        BankAccount::Bankgiro(number) => json!({ "scheme": "BANKGIRO", "number": number }),
        BankAccount::Plusgiro(number) => json!({ "scheme": "PLUSGIRO", "number": number }),
    }
}

/// Percents only: amounts that are no shares of the line show as percents that do not add up.
fn allocations(line: &Line, style: Style) -> Vec<Value> {
    let add_up = line.shares.iter().map(|share| share.amount).sum::<Decimal>() == line.net;
    let last = line.shares.len().saturating_sub(1);
    line.shares
        .iter()
        .enumerate()
        .map(|(index, share)| {
            let off = if index == last && !add_up { Decimal::ONE } else { Decimal::ZERO };
            let mut members = Map::new();
            members.insert("share".into(), numeric(share.percent - off, style));
            for (dimension, value, _) in segments(share) {
                let name = match dimension {
                    "Account" => "account",
                    "CostCenter" => "cost_centre",
                    _ => "project",
                };
                members.insert(name.into(), value.into());
            }
            Value::Object(members)
        })
        .collect()
}

fn position(line: &Line, currency: &str, style: Style) -> Map<String, Value> {
    let mut tax = Map::new();
    tax.insert("rate".into(), numeric(line.rate, style));
    tax.insert("amount".into(), minor(line.vat(currency), currency, style));
    set(&mut tax, "code", tax_code(line));
    let mut members = Map::new();
    for (name, value) in [
        ("pos", Value::from(line.number * 10)),
        ("text", line.description.as_str().into()),
        ("qty", numeric(line.quantity, style)),
        ("uom", unit(&line.unit).into()),
        ("price", minor(line.price / line.basis, currency, style)),
        ("net", minor(line.net, currency, style)),
        ("tax", json!([tax])),
        ("allocations", allocations(line, style).into()),
    ] {
        members.insert(name.into(), value);
    }
    set(&mut members, "article", line.item.clone());
    if style.unknown_fields {
        members.insert("co2".into(), json!({ "kg": 1.25 }));
    }
    members
}

/// The header for the list, and the positions, which have a call of their own.
pub(super) fn voucher(
    invoice: &Invoice,
    vendor: &Vendor,
    updated_ms: i64,
    style: Style,
) -> (Value, Vec<Value>) {
    let currency = invoice.currency.as_str();
    let positions = invoice
        .lines
        .iter()
        .map(|each| {
            let mut members = position(each, currency, style);
            if let Some(order) = &each.bills {
                let mut named = Map::new();
                named.insert("no".into(), order.order_number.clone().into());
                set(&mut named, "pos", order.line_number.map(|number| number * 10));
                members.insert("order".into(), Value::Object(named));
            }
            Value::Object(members)
        })
        .collect();
    let charges: Vec<Value> = [
        ("FRAKT", invoice.charges.shipping),
        ("GEBYR", invoice.charges.handling),
        ("RABATT", -invoice.charges.discount),
        ("AVRUNDING", invoice.charges.rounding),
    ]
    .into_iter()
    .filter(|(_, amount)| !amount.is_zero())
    .map(|(kind, amount)| json!({ "kind": kind, "amount": minor(amount, currency, style) }))
    .collect();
    let files: Vec<Value> = invoice
        .attachments
        .iter()
        .map(|file| {
            json!({
                "file_id": file.id, "name": file.file_name, "mime": file.content_type,
                "bytes": file.bytes.len(),
                "href": format!("/api/v2/ap/vouchers/{}/files/{}", invoice.id, file.id),
            })
        })
        .collect();
    let gross = match invoice.record.unreadable {
        true => "N/A".into(),
        false => minor(invoice.gross, currency, style),
    };
    let mut dates = Map::new();
    dates.insert("issued".into(), day(invoice.invoiced_on).into());
    set(&mut dates, "due", invoice.due_on.map(day));
    set(&mut dates, "booked", invoice.accounting_on.map(day));
    let mut members = Map::new();
    for (name, value) in [
        ("voucher_id", id(&invoice.id, style)),
        ("voucher_no", invoice.number.as_str().into()),
        ("document_kind", if invoice.credit { "credit" } else { "invoice" }.into()),
        ("company", company(&invoice.business_unit).into()),
        ("vendor", vendor_ref(vendor, style)),
        ("dates", Value::Object(dates)),
        ("currency_code", currency.into()),
        (
            "totals",
            json!({
                "net": minor(invoice.net, currency, style),
                "tax": minor(invoice.tax, currency, style), "gross": gross,
            }),
        ),
        ("charges", charges.into()),
        (
            "state",
            json!({
                "approval": approval(&invoice.workflow), "payment": payment(&invoice.payment),
            }),
        ),
        ("files", files.into()),
        ("audit", json!({ "modified_on": local(updated_ms) })),
    ] {
        members.insert(name.into(), value);
    }
    set(&mut members, "external_ref", invoice.reference.clone());
    set(&mut members, "payment_days", invoice.terms_days);
    set(&mut members, "kid", invoice.payment_reference.clone());
    let accounts: Vec<Value> = invoice.payee.iter().map(bank_account).collect();
    members.insert("pay_to".into(), accounts.into());
    set(&mut members, "rate", invoice.exchange_rate.map(|rate| numeric(rate, style)));
    let credits = invoice.credits.as_ref().map(|(original, reference)| {
        json!({ "voucher_id": id(original, style), "external_ref": reference })
    });
    set(&mut members, "credits", credits);
    if style.unknown_fields {
        members.insert("channel".into(), json!({ "name": "EHF", "hops": 3 }));
    }
    (Value::Object(members), positions)
}

/// An order stands whole in its list.
pub(super) fn order(order: &Order, vendor: &Vendor, updated_ms: i64, style: Style) -> Value {
    let currency = order.currency.as_str();
    let mut positions: Vec<Value> = order
        .lines
        .iter()
        .map(|each| {
            let mut members = position(each, currency, style);
            members.insert("deleted".into(), if each.cancelled { "J" } else { "N" }.into());
            let kind = if each.service { "TJENESTE" } else { "VARE" };
            members.insert("kind".into(), kind.into());
            set(&mut members, "wanted", each.requested_on.map(day));
            Value::Object(members)
        })
        .collect();
    if order.record.unreadable {
        positions[0]["net"] = "N/A".into();
    }
    let mut members = Map::new();
    for (name, value) in [
        ("order_id", id(&order.id, style)),
        ("order_no", order.number.as_str().into()),
        ("change_no", order.revision.into()),
        ("state", order_state(&order.status).into()),
        ("company", company(&order.business_unit).into()),
        ("vendor", vendor_ref(vendor, style)),
        ("dates", json!({ "ordered": day(order.ordered_on) })),
        ("currency_code", currency.into()),
        (
            "totals",
            json!({
                "net": minor(order.net, currency, style), "tax": minor(order.tax, currency, style),
                "gross": minor(order.gross, currency, style),
            }),
        ),
        ("positions", positions.into()),
        ("audit", json!({ "modified_on": local(updated_ms) })),
    ] {
        members.insert(name.into(), value);
    }
    set(&mut members, "payment_days", order.terms_days);
    if style.unknown_fields {
        members.insert("priority".into(), "WheneverConvenient".into());
    }
    Value::Object(members)
}

pub(super) fn partner(vendor: &Vendor, updated_ms: i64, style: Style) -> Value {
    let mut key = Map::new();
    key.insert("internal".into(), id(&vendor.id, style));
    set(&mut key, "erp", vendor.number.clone());
    let accounts: Vec<Value> = vendor.bank_accounts.iter().map(bank_account).collect();
    let mut members = Map::new();
    for (name, value) in [
        ("key", Value::Object(key)),
        ("display", vendor.name.as_str().into()),
        ("roles", json!(["vendor"])),
        ("blocked", if vendor.active { "N" } else { "J" }.into()),
        (
            "address",
            json!({
                "street": "Havnegata 12", "post_code": vendor.postal_code, "town": vendor.city,
                "country": vendor.country.code(),
            }),
        ),
        ("currency_code", vendor.currency.into()),
        ("bank", accounts.into()),
        ("audit", json!({ "modified_on": local(updated_ms) })),
    ] {
        members.insert(name.into(), value);
    }
    set(&mut members, "org_no", vendor.organisation_number.clone());
    set(&mut members, "vat_no", vendor.vat_number.clone());
    set(&mut members, "parent", vendor.parent.as_deref().map(|parent| id(parent, style)));
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_that_comes_twice_shows_once() {
        let utc = |text: &str| text.parse::<Timestamp>().expect("an instant").as_millisecond();
        assert_eq!(local(utc("2026-09-28T10:05:00Z")), "2026-09-28 12:05:00");
        assert_eq!(local(utc("2026-10-25T00:30:00Z")), local(utc("2026-10-25T01:30:00Z")));
    }
}
