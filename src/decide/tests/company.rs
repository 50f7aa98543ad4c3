//! A small company: its rules, what its ERP knows, its vendors.

use crate::decide::*;
use crate::mapping::SegmentRule;
use crate::procurement::*;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

pub(super) fn rules() -> Rules {
    let table = |pairs: &[(&str, &str)]| crate::mapping::Table {
        table: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Default::default()
    };
    let segment = |id, dimension: &str, default: Option<&str>| SegmentRule {
        id,
        dimension: Some(dimension.into()),
        same_code: true,
        default: default.map(str::to_owned),
        table: BTreeMap::new(),
    };
    let mut mapping = crate::mapping::Tables {
        segments: vec![segment(1, "CostCenter", None), segment(2, "Project", Some("000000"))],
        vat: table(&[("NO-25", "K25"), ("NO-15", "K15"), ("NO-0", "K0"), ("EU-RC", "K25")]),
        terms: table(&[("NET30", "30"), ("NET99", "99")]),
        units: table(&[("EA", "STK"), ("HUR", "TIME")]),
        branches: table(&[("NORDLYS-NO", "1"), ("OLD", "9"), ("GONE", "7")]),
        ..Default::default()
    };
    mapping.accounts.same_code = true;
    let charge = |vat: &str| ChargeRule {
        account: "7770".into(),
        segments: BTreeMap::from([("1".to_owned(), "110".to_owned())]),
        vat_category: vat.into(),
    };
    Rules {
        take_from: date(2026, 9, 1),
        orders: OrderRules { inventory: Some("TJENESTE".into()), ..OrderRules::default() },
        invoices: InvoiceRules::default(),
        validation: crate::validation::ValidationRules::default(),
        mapping,
        charges: BTreeMap::from([
            (ChargeKind::Shipping, charge("K25")),
            (ChargeKind::Rounding, charge("K0")),
        ]),
        matching: crate::matching::MatchRules::default(),
    }
}

pub(super) fn reference() -> ReferenceData {
    let supplier = |number: &str, organisation: &str, zone: &str, status: &str| Supplier {
        number: number.into(),
        name: format!("Leverandør {number}"),
        status: status.into(),
        organisation_number: Some(organisation.into()),
        vat_zone: (!zone.is_empty()).then(|| zone.into()),
        country: Some("NO".into()),
        ..Supplier::default()
    };
    let account = |number: &str, active, is_cash_account| Account {
        number: number.into(),
        description: "Gammel konto".into(),
        active,
        kind: "Expense".into(),
        is_cash_account,
    };
    let values = |values: &[(&str, bool)]| -> BTreeMap<String, SegmentValue> {
        values
            .iter()
            .map(|(v, active)| {
                ((*v).to_owned(), SegmentValue { description: "Salg".into(), active: *active })
            })
            .collect()
    };
    let vat = |id: &str, kind: &str, zones: &[&str], rate: Option<i64>| Vat {
        id: id.into(),
        kind: kind.into(),
        zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
        rates: rate
            .map(|rate| VatRate { from: None, rate: Decimal::from(rate), input: true })
            .into_iter()
            .collect(),
        ..Vat::default()
    };
    let category = |id: &str, active, vats: &[&str]| VatCategory {
        id: id.into(),
        description: format!("Kategori {id}"),
        active,
        excludes_listed: false,
        vat_ids: vats.iter().map(|id| (*id).to_owned()).collect(),
    };
    let period = |id: &str, from: Date, closed, active| FinancialPeriod {
        id: id.into(),
        starts_on: from,
        ends_on: from.last_of_month(),
        active,
        closed_in_supplier_ledger: closed,
    };
    fn keyed<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> BTreeMap<String, T> {
        rows.into_iter().map(|row| (key(&row), row)).collect()
    }
    ReferenceData {
        suppliers: keyed(
            vec![
                supplier("50001", "988077917", "01", "Active"),
                supplier("50002", "123456785", "03", "Active"),
                supplier("50003", "995525828", "01", "OnHold"),
                supplier("50004", "974760673", "01", "Active"),
                supplier("50005", "974760673", "", "Active"),
            ],
            |s| s.number.clone(),
        ),
        accounts: keyed(
            vec![
                account("6540", true, false),
                account("6300", true, false),
                account("7770", true, false),
                account("6999", false, false),
                account("1920", true, true),
            ],
            |a| a.number.clone(),
        ),
        segments: BTreeMap::from([
            (
                1,
                Segment {
                    id: 1,
                    description: "Avdeling".into(),
                    length: 3,
                    validate: true,
                    values: values(&[("110", true), ("120", true), ("399", false)]),
                },
            ),
            (
                2,
                Segment {
                    id: 2,
                    description: "Prosjekt".into(),
                    length: 6,
                    validate: true,
                    values: values(&[("000000", true), ("P-2031", true)]),
                },
            ),
        ]),
        vats: keyed(
            vec![
                vat("1", "Vat", &["01"], Some(25)),
                vat("11", "Vat", &["01"], Some(15)),
                vat("86", "ReverseVat", &["03"], Some(25)),
                vat("0", "ExemptVat", &[], None),
                vat("W", "Withholding", &["01"], Some(5)),
                vat("N", "Vat", &["01"], None),
            ],
            |v| v.id.clone(),
        ),
        vat_categories: keyed(
            vec![
                category("K25", true, &["1", "86"]),
                category("K15", true, &["11", "86"]),
                category("K0", true, &["0"]),
                category("KX", false, &["1"]),
                category("KW", true, &["W"]),
                category("KN", true, &["N"]),
            ],
            |c| c.id.clone(),
        ),
        credit_terms: keyed(
            vec![CreditTerms { id: "30".into(), description: "30 dager".into(), days: Some(30) }],
            |t| t.id.clone(),
        ),
        branches: keyed(
            vec![
                Branch { number: "1".into(), name: "Oslo".into(), active: true },
                Branch { number: "9".into(), name: "Nedlagt".into(), active: false },
            ],
            |b| b.number.clone(),
        ),
        currencies: keyed(
            ["NOK", "EUR", "ISK", "KWD"]
                .map(|id| CurrencyInfo { id: id.into(), is_base: id == "NOK", decimals: None })
                .into(),
            |c| c.id.clone(),
        ),
        exchange_rates: vec![],
        periods: keyed(
            vec![
                period("202608", date(2026, 8, 1), true, true),
                period("202609", date(2026, 9, 1), false, true),
                period("202610", date(2026, 10, 1), false, true),
                period("202611", date(2026, 11, 1), false, true),
                period("202612", date(2026, 12, 1), false, false),
                // An adjustment period has no day of its own.
                FinancialPeriod {
                    id: "202613".into(),
                    starts_on: date(2026, 12, 31),
                    ends_on: date(2026, 12, 31),
                    active: true,
                    closed_in_supplier_ledger: false,
                },
            ],
            |p| p.id.clone(),
        ),
    }
}

pub(super) fn vendors() -> BTreeMap<String, Vendor> {
    [("V1", "988 077 917"), ("V2", "NO 123 456 785 MVA"), ("V3", "995525828"), ("V4", "974760673")]
        .into_iter()
        .map(|(id, organisation)| {
            let vendor = Vendor {
                source_id: id.into(),
                name: format!("Vendor {id}"),
                active: true,
                organisation_number: Some(organisation.into()),
                country: Some("NO".into()),
                ..Vendor::default()
            };
            (id.to_owned(), vendor)
        })
        .collect()
}
