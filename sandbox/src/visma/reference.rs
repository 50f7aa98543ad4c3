//! Reference data: suppliers, accounts, dimensions, VAT, terms and the rest. Most lists here are not paged.

use super::masters::{Masters, Segment, Supplier};
use super::reply::{Reply, number};
use serde_json::{Value, json};

/// All masters stand still: they were set up before the first call.
const SET_UP: &str = "2026-01-09T10:02:11.003";

fn with_metadata(mut row: Value, total: usize) -> Value {
    if let Value::Object(members) = &mut row {
        members.insert("timeStamp".into(), "AAAAAAAAYtg=".into());
        members.insert("errorInfo".into(), "".into());
        // Not paged: no maximum.
        members.insert("metadata".into(), json!({"totalCount": total, "maxPageSize": 0}));
    }
    row
}

pub(crate) fn accounts(masters: &Masters, active: Option<&str>) -> Value {
    let rows: Vec<_> = masters
        .accounts
        .iter()
        .filter(|account| active.is_none_or(|wanted| (wanted == "true") == account.active))
        .collect();
    rows.iter()
        .map(|account| {
            let row = json!({
                "accountID": account.number.parse::<u64>().ok(),
                "accountCD": account.number,
                "accountGroupCD": null,
                "accountClass": if account.cash { "BANK" } else { "DRIFT" },
                "type": account.kind,
                "active": account.active,
                "description": account.description,
                "useDefaultSub": false,
                "postOption": "Detail",
                "currency": null,
                "taxCategory": null,
                "cashAccount": account.cash,
                "publicCode1": account.number,
                "lastModifiedDateTime": SET_UP,
            });
            with_metadata(row, rows.len())
        })
        .collect()
}

pub(crate) fn branches(masters: &Masters) -> Value {
    (1..)
        .zip(&masters.branches)
        .map(|(id, branch)| {
            json!({
                "branchId": id,
                "number": branch.number,
                "name": branch.name,
                "organizationId": 1,
                "isMainBranch": branch.main,
                "isActive": branch.active,
                "lastModifiedDateTime": SET_UP,
                "currency": {"id": masters.base_currency},
            })
        })
        .collect()
}

pub(crate) fn vats(masters: &Masters) -> Value {
    masters
        .vats
        .iter()
        .map(|vat| {
            json!({
                "vatCategoryId": vat.categories.first(),
                "vatId": vat.id,
                "description": vat.description,
                "type": vat.kind,
                "deductibleVat": true,
                "reverseVat": vat.kind == "ReverseVat",
                "statisticalVat": false,
                "pendingVat": false,
                "calculateOn": "ItemAmount",
                "lastModifiedDateTime": SET_UP,
                "schedules": [{"startDate": "2005-01-01T00:00:00", "vatRate": number(vat.rate), "groupType": "Input"}],
                "categories": vat.categories.iter().map(|id| json!({
                    "vatCategoryId": id,
                    "description": masters.category(id).map(|category| category.description.as_str()),
                    "active": masters.category(id).is_some_and(|category| category.active),
                })).collect::<Vec<_>>(),
                "zones": vat.zones.iter().map(|zone| json!({
                    "id": zone, "description": zone_name(zone), "defaultVatCategory": null, "errorInfo": "", "metadata": {"totalCount": 1, "maxPageSize": 1000},
                })).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn zone_name(zone: &str) -> &'static str {
    match zone {
        "01" => "Domestic",
        "03" => "EU and abroad",
        _ => "Other",
    }
}

pub(crate) fn vat_categories(masters: &Masters) -> Value {
    masters
        .categories
        .iter()
        .map(|category| {
            let lines: Vec<Value> = masters
                .vats
                .iter()
                .filter(|vat| vat.categories.contains(&category.id))
                .map(|vat| {
                    json!({
                        "vatId": vat.id,
                        "vendorCd": null,
                        "description": vat.description,
                        "type": vat.kind,
                        "calculateOn": "ItemAmount",
                        "vatRates": [{"revisionID": "1", "vatRate": number(vat.rate), "groupType": "Input", "startDate": "2005-01-01T00:00:00"}],
                    })
                })
                .collect();
            json!({
                "vatCategoryId": category.id,
                "description": category.description,
                "active": category.active,
                "excludeListedTaxes": false,
                "lastModifiedDateTime": SET_UP,
                "vatCategoryLines": lines,
            })
        })
        .collect()
}

pub(crate) fn currencies(masters: &Masters) -> Value {
    masters
        .currencies
        .iter()
        .map(|currency| {
            json!({
                "id": currency.id,
                "description": currency.id,
                "symbol": null,
                "isBaseCurrency": currency.id == masters.base_currency,
                "decimalPrecision": currency.decimals,
                "isUsedForAccounting": true,
            })
        })
        .collect()
}

/// Kroner for one of each currency, the same since the company began.
pub(crate) fn currency_rates(masters: &Masters) -> Value {
    let foreign = masters.currencies.iter().filter(|one| one.id != masters.base_currency);
    foreign
        .zip(1..)
        .filter_map(|(currency, id)| {
            let rate = match currency.id.as_str() {
                "SEK" => 1.05,
                "DKK" => 1.57,
                "EUR" => 11.74,
                "ISK" => 0.08,
                _ => return None,
            };
            Some(json!({
                "id": id,
                "fromCurrencyId": currency.id,
                "toCurrencyId": masters.base_currency,
                "rateType": "SPOT",
                "rate": rate,
                "effectiveDate": "2025-01-01T00:00:00",
                "multDiv": "Multiply",
                "rateReciprocal": 1.0 / rate,
                "timeStamp": "AAAAAAAAAAE=",
            }))
        })
        .collect()
}

pub(crate) fn periods(masters: &Masters) -> Value {
    masters
        .periods
        .iter()
        .filter_map(|period| {
            let first: jiff::civil::Date =
                format!("{}-{}-01", period.id.get(..4)?, period.id.get(4..)?).parse().ok()?;
            Some(json!({
                "year": first.year(),
                "period": period.id,
                "startDate": format!("{first}T00:00:00"),
                "endDate": format!("{}T00:00:00", first.last_of_month()),
                "description": period.id,
                "active": period.active,
                "closedInSupplierLedger": period.closed,
                "closedInCustomerLedger": period.closed,
                "closedInInventoryManagement": false,
                "closedInGeneralLedger": false,
                "closedInCashManagement": false,
                "closedInFixedAssets": false,
            }))
        })
        .collect()
}

pub(crate) fn units(masters: &Masters) -> Value {
    masters
        .units
        .iter()
        .map(|unit| json!({"fromUnit": unit, "toUnit": unit, "unitMultDiv": "Multiply", "unitRate": 1.0, "supplementaryMeasureUnit": "None"}))
        .collect()
}

/// The rows of the credit terms: paged, and yet without `metadata`.
pub(crate) fn terms(masters: &Masters) -> Vec<(String, String)> {
    masters
        .terms
        .iter()
        .map(|terms| {
            let row = json!({
                "termsId": terms.id,
                "description": terms.description,
                "visibleTo": "All",
                "dueDateType": "FixedNumberOfDays",
                "dueDay1": terms.days,
                "discountType": "FixedNumberOfDays",
                "discountPercent": 0.0,
                "createdDateTime": SET_UP,
                "lastModifiedDateTime": SET_UP,
            });
            (terms.id.clone(), row.to_string())
        })
        .collect()
}

fn segment_values(segment: &Segment) -> Value {
    (1..)
        .zip(&segment.values)
        .map(|(at, value)| {
            json!({
                "internalId": format!("0f8fad5b-d9cb-469f-a165-7086772{:02}{at:03}", segment.id),
                "segmentId": segment.id,
                "valueId": value.value,
                "description": value.description,
                "publicId": format!("7c9e6679-7425-40de-944b-e07fc1f{:02}{at:03}", segment.id),
                "active": value.active,
                "timeStamp": "AAAAAAAAVw4=",
                "lastModified": SET_UP,
                "mappedSegValue": null,
            })
        })
        .collect()
}

fn segment(segment: &Segment, expanded: bool) -> Value {
    json!({
        "internalId": format!("3d813cbb-47fb-32ba-91df-831e1593ac{:02}", segment.id),
        "segmentId": segment.id,
        "description": segment.description,
        "length": segment.length,
        "publicId": format!("1b4e28ba-2fa1-11d2-883f-0016d3cca4{:02}", segment.id),
        "timeStamp": "AAAAAAAAVw0=",
        "lastModified": SET_UP,
        "validate": segment.validate,
        "segmentValues": if expanded { segment_values(segment) } else { Value::Null },
        "isAutoNumber": false,
        "consolNumChar": segment.length,
        "consolOrder": segment.id - 1,
    })
}

pub(crate) fn dimensions() -> Value {
    json!([
        "ACCGROUP",
        "ACCOUNT",
        "CASHACCOUNT",
        "CUSTOMER",
        "INVENTORY",
        "PROJECT",
        "SUBACCOUNT",
        "VENDOR"
    ])
}

/// Only the subaccount has segments worth telling.
pub(crate) fn dimension(masters: &Masters, id: &str, expanded: bool) -> Reply {
    if id != "SUBACCOUNT" {
        return Reply::not_found();
    }
    Reply::json(
        200,
        &json!({
            "id": id,
            "length": masters.segments.iter().map(|segment| segment.length).sum::<usize>(),
            "description": "Subaccount",
            "segments": masters.segments.iter().map(|each| segment(each, expanded)).collect::<Vec<_>>(),
        }),
    )
}

pub(crate) fn dimension_segment(masters: &Masters, id: &str, wanted: &str) -> Reply {
    let found = masters
        .segments
        .iter()
        .find(|segment| id == "SUBACCOUNT" && segment.id.to_string() == wanted);
    found.map_or_else(Reply::not_found, |found| Reply::json(200, &segment(found, true)))
}

/// The supplier's JSON without its end.
pub(crate) fn supplier(masters: &Masters, supplier: &Supplier) -> String {
    let id = supplier.number.parse::<u64>().ok();
    let payment_details: Vec<Value> = supplier
        .payment_details
        .iter()
        .map(|(description, value)| {
            json!({
                "paymentMethodDetailDescription": description,
                "paymentMethodDetailValue": value,
            })
        })
        .collect();
    let mut text = json!({
        "internalId": id,
        "number": supplier.number,
        "name": supplier.name,
        "status": supplier.status,
        "mainAddress": {
            "addressId": id,
            "addressLine1": null,
            "postalCode": null,
            "city": null,
            "country": {"id": supplier.country, "name": supplier.country},
            "county": null,
        },
        "mainContact": {"contactId": id, "name": supplier.name, "email": null},
        "accountReference": null,
        "supplierClass": {"id": "1", "description": "Suppliers"},
        "creditTerms": {
            "id": supplier.credit_terms,
            "description": masters.terms(&supplier.credit_terms).map(|terms| terms.description.as_str()),
        },
        "documentLanguage": null,
        "currencyId": supplier.currency,
        "paymentMethod": {"id": "10", "description": "Bank transfer"},
        "cashAccount": "1920",
        "supplierPaymentMethodDetails": payment_details,
        "paymentBy": "DueDate",
        "paymentLeadTime": 0,
        "location": {"id": "MAIN", "name": "Primary location"},
        "vatRegistrationId": supplier.vat_registration_id,
        "corporateId": supplier.corporate_id,
        "vatZone": {"id": supplier.vat_zone, "description": zone_name(&supplier.vat_zone), "errorInfo": "", "metadata": {"totalCount": 1, "maxPageSize": 1000}},
        "lastModifiedDateTime": SET_UP,
        "note": null,
        "timeStamp": "AAAAAAABcRI=",
    })
    .to_string();
    text.pop();
    text
}

/// When masters were last changed, for the filters.
pub(crate) fn set_up() -> jiff::civil::DateTime {
    jiff::civil::date(2026, 1, 9).at(10, 2, 11, 3_000_000)
}
