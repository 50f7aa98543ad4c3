//! Whatever the splits, amounts, VAT and currencies: what is sent to Visma adds up to the invoice.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::decide::{self, Decision, History, Inputs};
use ml_connector::mapping::SupplierIndex;
use ml_connector::procurement::{
    Charge, ChargeKind, Currency, Distribution, InvoiceKind, InvoiceLine, Money, Plan, Ripeness,
    SupplierInvoice, TaxLine, VendorRef,
};
use ml_connector::visma;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use std::collections::BTreeMap;

/// JAGGAER's tax code, Visma's category, percent for a supplier at home.
const VATS: [(&str, &str, i64); 4] =
    [("NO-25", "K25", 25), ("NO-15", "K15", 15), ("NO-12", "K12", 12), ("NO-0", "K0", 0)];
const ACCOUNTS: [&str; 3] = ["6540", "6300", "7140"];
const CURRENCIES: [&str; 5] = ["NOK", "SEK", "DKK", "EUR", "ISK"];

#[derive(Debug, Clone)]
struct Shape {
    minor: i64,
    quantity: Option<i64>,
    vat: usize,
    /// Where the line is cut, in hundredths of a percent.
    cuts: Vec<i64>,
    by_amount: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        -1_000_000_i64..500_000_000,
        prop::option::of(1_i64..9_000_000),
        0..VATS.len(),
        prop::collection::vec(1_i64..10_000, 0..6),
        any::<bool>(),
    )
        .prop_map(|(minor, quantity, vat, cuts, by_amount)| Shape {
            minor,
            quantity,
            vat,
            cuts,
            by_amount,
        })
}

/// Half away from zero, in whole minor units; apart from the code under test.
fn percent_of(minor: i64, percent: Decimal) -> i64 {
    let exact = Decimal::from(minor) * percent / Decimal::ONE_HUNDRED;
    let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    i64::try_from(rounded).expect("in range")
}

fn line(n: usize, shape: &Shape, currency: Currency) -> InvoiceLine {
    let mut cuts = shape.cuts.clone();
    cuts.extend([0, 10_000]);
    cuts.sort_unstable();
    let parts: Vec<i64> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut left = shape.minor;
    let distributions = parts
        .iter()
        .enumerate()
        .map(|(nth, part)| {
            let is_last = nth + 1 == parts.len();
            let amount = if is_last { left } else { shape.minor / 10_000 * part };
            left -= amount;
            let segments = [("Account", ACCOUNTS[nth % 3]), ("CostCenter", "110")];
            Distribution {
                percent: (!shape.by_amount).then(|| Decimal::new(*part, 2)),
                amount: shape.by_amount.then(|| Money::new(amount, currency)),
                segments: segments.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                ..Distribution::default()
            }
        })
        .collect();
    InvoiceLine {
        key: format!("K{n}"),
        number: (n + 1).to_string(),
        order: None,
        item: None,
        description: "Vare".into(),
        commodity: None,
        quantity: shape.quantity.map(|quantity| Decimal::new(quantity, 3)),
        unit: Some("EA".into()),
        unit_price: None,
        price_basis: None,
        net: Money::new(shape.minor, currency),
        taxes: vec![TaxLine {
            code: Some(VATS[shape.vat].0.into()),
            rate: None,
            base: None,
            amount: None,
        }],
        distributions,
    }
}

fn paper(
    shapes: &[Shape],
    currency: Currency,
    shipping: i64,
    kind: InvoiceKind,
    vendor: VendorRef,
) -> SupplierInvoice {
    let day = jiff::civil::date(2026, 10, 5);
    let net = shapes.iter().map(|shape| shape.minor).sum::<i64>() + shipping;
    let vat: i64 = (0..VATS.len())
        .map(|vat| {
            let lines = shapes.iter().filter(|shape| shape.vat == vat).map(|shape| shape.minor);
            // Shipping is coded with the first category.
            let base = lines.sum::<i64>() + if vat == 0 { shipping } else { 0 };
            percent_of(base, Decimal::from(VATS[vat].2))
        })
        .sum();
    let money = |minor| Money::new(minor, currency);
    SupplierInvoice {
        source_id: "1".into(),
        kind,
        number: "I00001".into(),
        supplier_reference: Some("F-1".into()),
        credits_reference: None,
        ripeness: Ripeness::Ripe,
        status: "Completed".into(),
        business_unit: Some("NORDLYS-NO".into()),
        ship_to: None,
        vendor,
        currency,
        order_number: None,
        exchange_rate: None,
        prices_include_tax: false,
        payee: None,
        invoiced_on: day,
        accounting_on: Some(day),
        due_on: None,
        terms: None,
        payment_reference: None,
        net: Some(money(net)),
        tax: Some(money(vat)),
        gross: money(net + vat),
        charges: vec![Charge { kind: ChargeKind::Shipping, amount: money(shipping) }],
        taxes: Vec::new(),
        lines: shapes.iter().enumerate().map(|(n, shape)| line(n, shape, currency)).collect(),
        attachments: Vec::new(),
    }
}

fn decimal(body: &Value, name: &str) -> Decimal {
    match &body[name]["value"] {
        Value::Number(number) => number.to_string().parse().expect("a plain decimal"),
        other => panic!("{name} is {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_that_are_sent_add_up_to_the_invoice() {
    // Reference data, rules and vendors as a real round reads them.
    let flow = Flow::start(postable(1, 5), stores::sqlite()).await;
    flow.sync().await;
    let company = &flow.config.companies[0].id;
    let (mut reference, _) = flow.store.reference_data(company).await.unwrap().expect("read");
    reference.suppliers = flow.store.suppliers(company).await.unwrap();
    let suppliers = SupplierIndex::new(&reference);
    let vendors = flow.store.vendors("jaggaer").await.unwrap();
    let at_home = flow.sandbox.world().vendors()[flow.vendor()].id.clone();
    let vendor = VendorRef { source_id: Some(at_home), erp_number: None, name: None };
    let history = History::default();
    let inputs = Inputs {
        rules: &flow.config.connections[0].rules,
        reference: &reference,
        suppliers: &suppliers,
        vendors: &vendors,
        history: &history,
    };
    let strategy = (
        prop::collection::vec(shape(), 1..10),
        prop::sample::select(CURRENCIES.to_vec()),
        0_i64..100_000,
        any::<bool>(),
    );
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(400) });
    let result = runner.run(&strategy, |(shapes, code, shipping, credit)| {
        let currency = Currency::parse(code).expect("a known code");
        let kind = if credit { InvoiceKind::CreditNote } else { InvoiceKind::Invoice };
        let paper = paper(&shapes, currency, shipping, kind, vendor.clone());
        prop_assume!(paper.gross.minor >= 0);
        let plan = match decide::invoice(&paper, &inputs).decision {
            Decision::Plan(plan) => plan,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let Plan::Invoice(plan) = *plan else { return Err(TestCaseError::fail("an order")) };
        let visma::Body::Json(text) = visma::create_invoice(&plan, "key").body else {
            return Err(TestCaseError::fail("no JSON"));
        };
        let body: Value = serde_json::from_str(&text).expect("JSON");

        let unit = Decimal::new(1, currency.decimals());
        let mut bases: BTreeMap<String, Decimal> = BTreeMap::new();
        for line in body["invoiceLines"].as_array().expect("lines") {
            let cost = decimal(line, "costInCurrency");
            // To the minor unit, and what Visma would reckon from quantity and price.
            prop_assert_eq!(cost % unit, Decimal::ZERO);
            let product = decimal(line, "quantity") * decimal(line, "unitCostInCurrency");
            let product = product.round_dp_with_strategy(
                currency.decimals(),
                RoundingStrategy::MidpointAwayFromZero,
            );
            prop_assert_eq!(product, cost);
            let category = line["vatCodeId"]["value"].as_str().expect("a category");
            *bases.entry(category.to_owned()).or_default() += cost;
        }
        let net: Decimal = bases.values().sum();
        let vat: Decimal = bases
            .iter()
            .map(|(category, base)| {
                let (_, _, percent) = VATS.iter().find(|vat| vat.1 == category).expect("known");
                let minor = i64::try_from(base / unit).expect("whole");
                Decimal::from(percent_of(minor, Decimal::from(*percent))) * unit
            })
            .sum();
        prop_assert_eq!(net, paper.net.expect("stated").amount());
        prop_assert_eq!(vat, decimal(&body, "vatAmount"));
        prop_assert_eq!(net + vat, decimal(&body, "amount"));
        prop_assert_eq!(net + vat, paper.gross.amount());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
