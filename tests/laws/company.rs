//! A company and its documents, made from a seed: mostly right, sometimes spoilt.

use super::allocation::currency;
use super::oracle::widen;
use crate::decide::*;
use crate::mapping::{SegmentRule, SupplierIndex, Table, Tables};
use crate::matching::{Limit, Limits, MatchMode, MatchRule, MatchRules, QuantityLimit};
use crate::procurement::*;
use fastrand::Rng;
use jiff::civil::date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Everything a decision looks at, owned.
#[derive(Debug, Clone)]
pub struct Company {
    pub rules: Rules,
    pub reference: ReferenceData,
    pub vendors: BTreeMap<String, Vendor>,
    pub history: History,
}

impl Company {
    pub fn judge(&self, document: &Document) -> Verdict {
        let suppliers = SupplierIndex::new(&self.reference);
        let inputs = Inputs {
            rules: &self.rules,
            reference: &self.reference,
            suppliers: &suppliers,
            vendors: &self.vendors,
            history: &self.history,
        };
        crate::decide::document(document, &inputs)
    }

    pub fn judge_invoice(&self, invoice: &SupplierInvoice) -> Decision {
        self.judge(&Document::Invoice(invoice.clone())).decision
    }

    /// As in the ERP once its order stands there.
    pub fn post(&mut self, order: &PurchaseOrder) -> Result<(), String> {
        let decision = self.judge(&Document::Order(order.clone())).decision;
        let Decision::Plan(plan) = &decision else {
            return Err(format!("{decision:?}: {order:#?}"));
        };
        let Plan::Order(plan) = plan.as_ref() else { return Err("no order".to_owned()) };
        let known = KnownOrder {
            received: Some(OrderState::Posted),
            plan: Some(plan.clone()),
            erp: Some(in_erp(plan)),
            source: Some(order.clone()),
            elsewhere: None,
            is_pruned: false,
        };
        self.history.orders.insert(order.number.clone(), known);
        Ok(())
    }
}

fn in_erp(plan: &OrderPlan) -> ErpOrder {
    let line = |(line, number): (&OrderPlanLine, i64)| ErpOrderLine {
        number,
        our_key: Some(line.key.clone()),
        line_type: Some(line.line_type.clone()),
        description: Some(line.description.clone()),
        quantity: Some(line.quantity),
        unit: line.unit.clone(),
        unit_cost: Some(line.unit_cost),
        amount: Some(line.amount),
        account: Some(line.account.clone()),
        segments: line.segments.clone(),
        received: None,
        completed: false,
        cancelled: false,
    };
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: format!("E-{}", plan.number),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: None,
        status: "Open".into(),
        on_hold: false,
        currency: plan.currency,
        ordered_on: Some(plan.ordered_on),
        net: Some(plan.net),
        our_key: Some("key".into()),
        version: None,
        modified: None,
        lines: plan.lines.iter().zip(11..).map(line).collect(),
    }
}

/// Tax code, and the percentage it adds at home. Abroad it is reverse charge: nothing.
const TAXES: [(&str, i64); 3] = [("NO-25", 25), ("NO-15", 15), ("NO-0", 0)];

fn keyed<T>(rows: impl IntoIterator<Item = T>, key: impl Fn(&T) -> String) -> BTreeMap<String, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

/// A company without orders or tolerances.
pub fn company() -> Company {
    let table = |pairs| Table { table: texts(pairs), ..Table::default() };
    let mut mapping = Tables {
        segments: vec![SegmentRule {
            id: 1,
            dimension: Some("CostCenter".into()),
            same_code: true,
            default: None,
            table: BTreeMap::new(),
        }],
        vat: table(&[("NO-25", "K25"), ("NO-15", "K15"), ("NO-0", "K0")]),
        units: table(&[("EA", "STK"), ("DZN", "DUS")]),
        ..Tables::default()
    };
    mapping.accounts.same_code = true;
    let charge = |category: &str| ChargeRule {
        account: "7770".into(),
        segments: texts(&[("1", "110")]),
        vat_category: category.into(),
    };
    let rules = Rules {
        take_from: date(2026, 1, 1),
        orders: OrderRules { inventory: Some("TJENESTE".into()), ..OrderRules::default() },
        invoices: InvoiceRules::default(),
        validation: crate::validation::ValidationRules::default(),
        mapping,
        charges: [
            (ChargeKind::Shipping, charge("K25")),
            (ChargeKind::Discount, charge("K25")),
            (ChargeKind::Rounding, charge("K0")),
        ]
        .into(),
        matching: MatchRules::default(),
    };
    let supplier = |number: &str, organisation: &str, zone: &str| Supplier {
        number: number.into(),
        name: format!("Leverandør {number}"),
        status: "Active".into(),
        organisation_number: Some(organisation.into()),
        vat_zone: Some(zone.into()),
        country: Some("NO".into()),
        ..Supplier::default()
    };
    let account = |number: &str| Account {
        number: number.into(),
        description: "Konto".into(),
        active: true,
        kind: "Expense".into(),
        is_cash_account: false,
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
    let category = |id: &str, vats: &[&str]| VatCategory {
        id: id.into(),
        description: format!("Kategori {id}"),
        active: true,
        excludes_listed: false,
        vat_ids: vats.iter().map(|id| (*id).to_owned()).collect(),
    };
    let value = || SegmentValue { description: "Salg".into(), active: true };
    let segment = Segment {
        id: 1,
        description: "Avdeling".into(),
        length: 3,
        validate: true,
        values: ["110", "120", "130"].map(|id| (id.to_owned(), value())).into(),
    };
    let month = |month: i8| FinancialPeriod {
        id: format!("2026{month:02}"),
        starts_on: date(2026, month, 1),
        ends_on: date(2026, month, 1).last_of_month(),
        active: true,
        closed_in_supplier_ledger: false,
    };
    let reference = ReferenceData {
        suppliers: keyed(
            [supplier("50001", "988077917", "01"), supplier("50002", "123456785", "03")],
            |of| of.number.clone(),
        ),
        accounts: keyed(["6540", "6300", "7770"].map(account), |of| of.number.clone()),
        segments: [(1, segment)].into(),
        vats: keyed(
            [
                vat("1", "Vat", &["01"], Some(25)),
                vat("11", "Vat", &["01"], Some(15)),
                vat("86", "ReverseVat", &["03"], Some(25)),
                vat("0", "ExemptVat", &[], None),
            ],
            |of| of.id.clone(),
        ),
        vat_categories: keyed(
            [category("K25", &["1", "86"]), category("K15", &["11", "86"]), category("K0", &["0"])],
            |of| of.id.clone(),
        ),
        currencies: keyed(
            ["NOK", "EUR", "SEK", "ISK", "JPY", "KWD"].map(|id| CurrencyInfo {
                id: id.into(),
                is_base: id == "NOK",
                decimals: None,
            }),
            |of| of.id.clone(),
        ),
        periods: keyed((1..=12).map(month), |of| of.id.clone()),
        ..ReferenceData::default()
    };
    let vendor = |(id, organisation): (&str, &str)| Vendor {
        source_id: id.into(),
        name: format!("Vendor {id}"),
        active: true,
        organisation_number: Some(organisation.into()),
        country: Some("NO".into()),
        ..Vendor::default()
    };
    let vendors = [("V1", "988077917"), ("V2", "123456785")].map(vendor);
    Company {
        rules,
        reference,
        vendors: keyed(vendors, |of| of.source_id.clone()),
        history: History::default(),
    }
}

fn vendor(id: &str) -> VendorRef {
    VendorRef { source_id: Some(id.into()), erp_number: None, name: Some(format!("Vendor {id}")) }
}

fn share(rng: &mut Rng) -> Distribution {
    let (account, centre) = (["6540", "6300"][rng.usize(0..2)], ["110", "120"][rng.usize(0..2)]);
    let segments = texts(&[("Account", account), ("CostCenter", centre)]);
    Distribution { segments, ..Distribution::default() }
}

/// Shares of a line, by what they happen to say.
fn shares(rng: &mut Rng, net: Money) -> Vec<Distribution> {
    let mut shares: Vec<Distribution> = (0..rng.usize(1..4)).map(|_| share(rng)).collect();
    let (by, mut minor, mut percent) = (rng.u32(0..3), net.minor, 10_000);
    let last = shares.len() - 1;
    for (nth, share) in shares.iter_mut().enumerate() {
        let part = if nth == last { minor } else { minor / 3 };
        let of_hundred = if nth == last { percent } else { rng.i64(0..=percent) };
        (minor, percent) = (minor - part, percent - of_hundred);
        match by {
            0 => share.amount = Some(Money::new(part, net.currency)),
            1 => share.percent = Some(Decimal::new(of_hundred, 2)),
            _ => share.ratio = Some(Decimal::from(rng.i64(1..9))),
        }
    }
    shares
}

fn a_line(rng: &mut Rng, nth: usize, currency: Currency, signed: bool) -> InvoiceLine {
    let most = 10_i64.pow(rng.u32(1..9));
    let cents = rng.i64(1..most);
    let minor = if signed && rng.u32(0..8) == 0 { -cents } else { cents };
    let net = Money::new(minor, currency);
    InvoiceLine {
        commodity: [None, Some("4321"), Some("55")][rng.usize(0..3)].map(str::to_owned),
        key: format!("K{nth}"),
        number: (nth + 1).to_string(),
        order: None,
        item: None,
        description: "Vare".into(),
        quantity: (rng.u32(0..3) > 0).then(|| Decimal::new(rng.i64(1..500_000), 3)),
        unit: Some("EA".into()),
        unit_price: None,
        price_basis: None,
        net,
        taxes: vec![tax(TAXES[rng.usize(0..TAXES.len())].0)],
        distributions: shares(rng, net),
    }
}

fn tax(code: &str) -> TaxLine {
    TaxLine { code: Some(code.into()), rate: None, base: None, amount: None }
}

fn percent_of(line: &InvoiceLine) -> i64 {
    let code = line.taxes[0].code.as_deref();
    TAXES.iter().find(|(known, _)| Some(*known) == code).map_or(0, |(_, percent)| *percent)
}

/// Written apart from the code under test: half away from zero, in whole numbers.
pub fn percent(minor: i64, percent: i64) -> i64 {
    let twice = 2 * i128::from(minor) * i128::from(percent) + 100 * i128::from(minor.signum());
    i64::try_from(twice / 200).expect("in range")
}

/// Sums of a document whose lines are net, at home or abroad, VAT rounded for each rate.
pub fn add_up(invoice: &mut SupplierInvoice) {
    let abroad = invoice.vendor.source_id.as_deref() == Some("V2");
    let of_charge = |kind| if kind == ChargeKind::Rounding { 0 } else { 25 };
    let taxed: Vec<(i64, i64)> = invoice
        .lines
        .iter()
        .map(|line| (percent_of(line), line.net.minor))
        .chain(invoice.charges.iter().map(|of| (of_charge(of.kind), of.amount.minor)))
        .collect();
    let net: i64 = taxed.iter().map(|(_, minor)| minor).sum();
    let of_rate = |rate: i64| {
        percent(taxed.iter().filter(|(of, _)| *of == rate).map(|(_, minor)| minor).sum(), rate)
    };
    let vat = if abroad { 0 } else { TAXES.iter().map(|(_, rate)| of_rate(*rate)).sum() };
    invoice.net = Some(Money::new(net, invoice.currency));
    invoice.tax = Some(Money::new(vat, invoice.currency));
    invoice.gross = Money::new(net + vat, invoice.currency);
}

/// An invoice that names no order and adds up.
pub fn an_invoice(rng: &mut Rng) -> SupplierInvoice {
    let currency = currency(rng);
    let lines = (0..rng.usize(1..7)).map(|nth| a_line(rng, nth, currency, true)).collect();
    let mut charges = Vec::new();
    if rng.u32(0..3) == 0 {
        let amount = Money::new(rng.i64(1..10_000), currency);
        charges.push(Charge { kind: ChargeKind::Shipping, amount });
    }
    if rng.u32(0..6) == 0 {
        charges.push(Charge { kind: ChargeKind::Rounding, amount: Money::new(1, currency) });
    }
    let abroad = rng.u32(0..4) == 0;
    let mut invoice = SupplierInvoice {
        source_id: "2526304".into(),
        kind: InvoiceKind::Invoice,
        number: "I00092".into(),
        supplier_reference: Some("F-90017".into()),
        credits_reference: None,
        ripeness: Ripeness::Ripe,
        status: "Completed".into(),
        business_unit: None,
        ship_to: None,
        vendor: vendor(if abroad { "V2" } else { "V1" }),
        order_number: None,
        currency,
        exchange_rate: None,
        prices_include_tax: false,
        payee: None,
        invoiced_on: date(2026, 9, 28),
        accounting_on: Some(date(2026, 10, 1)),
        due_on: Some(date(2026, 10, 28)),
        terms: None,
        payment_reference: None,
        net: None,
        tax: None,
        gross: Money::zero(currency),
        charges,
        taxes: vec![],
        lines,
        attachments: vec![],
    };
    add_up(&mut invoice);
    invoice
}

/// An order of positive lines.
pub fn an_order(rng: &mut Rng, number: &str) -> PurchaseOrder {
    let currency = if rng.bool() { Currency::NOK } else { currency(rng) };
    let lines: Vec<OrderLine> =
        (0..rng.usize(1..4)).map(|nth| an_order_line(rng, nth, currency)).collect();
    let net = lines.iter().map(|line| line.net.minor).sum();
    PurchaseOrder {
        source_id: number.into(),
        number: number.into(),
        revision: Some(0),
        ripeness: Ripeness::Ripe,
        status: "Sent".into(),
        business_unit: None,
        ship_to: None,
        vendor: vendor("V1"),
        currency,
        ordered_on: date(2026, 9, 1),
        promised_on: None,
        description: None,
        terms: None,
        net: Some(Money::new(net, currency)),
        gross: None,
        lines,
    }
}

fn an_order_line(rng: &mut Rng, nth: usize, currency: Currency) -> OrderLine {
    use OrderLineKind::{Goods, Limit, Service, Unspecified};
    let quantity = Decimal::new(rng.i64(100..3_000), 2);
    let price = Decimal::new(rng.i64(1..30_000), currency.decimals());
    let net = Money::rounded(quantity * price, currency).expect("small");
    OrderLine {
        key: format!("L{nth}"),
        number: (nth + 1).to_string(),
        cancelled: false,
        kind: [Goods, Service, Limit, Unspecified][rng.usize(0..4)],
        contract: None,
        item: None,
        description: format!("Varelinje {nth}"),
        commodity: Some(["4321", "55"][rng.usize(0..2)].into()),
        quantity: (rng.u32(0..6) > 0).then_some(quantity),
        unit: Some("EA".into()),
        unit_price: Some(price),
        price_basis: None,
        net,
        taxes: vec![tax("NO-25")],
        distributions: shares(rng, net),
        requested_on: None,
    }
}

/// Bills some lines of the order, as ordered or nearly.
pub fn bill(rng: &mut Rng, order: &PurchaseOrder, id: usize) -> SupplierInvoice {
    let currency = order.currency;
    let mut lines = Vec::new();
    for number in 0..rng.usize(1..4) {
        let of = &order.lines[rng.usize(0..order.lines.len())];
        let ordered = of.quantity.unwrap_or(Decimal::ONE);
        let quantity = match rng.u32(0..3) {
            0 => ordered,
            1 => (ordered / Decimal::TWO).round_dp(2).max(Decimal::ONE),
            _ => ordered + Decimal::new(rng.i64(0..200), 2),
        };
        let each = of.net.amount() / ordered;
        let off = if rng.bool() { rng.i64(-30..30) } else { 0 };
        let exact = Money::rounded(quantity * each, currency).expect("small");
        let net = Money::new((exact.minor + off).max(1), currency);
        lines.push(InvoiceLine {
            key: format!("D{id}-{number}"),
            number: (number + 1).to_string(),
            order: Some(OrderLineRef {
                order_number: order.number.clone(),
                line_number: Some(of.number.clone()),
                line_key: Some(of.key.clone()),
            }),
            item: None,
            description: of.description.clone(),
            commodity: rng.bool().then(|| "4321".to_owned()),
            quantity: (rng.u32(0..6) > 0).then_some(quantity),
            unit: Some(["EA", "EA", "EA", "DZN"][rng.usize(0..4)].into()),
            unit_price: None,
            price_basis: None,
            net,
            taxes: of.taxes.clone(),
            distributions: shares(rng, net),
        });
    }
    let mut invoice = SupplierInvoice {
        source_id: format!("{id:05}"),
        number: format!("I{id}"),
        supplier_reference: Some(format!("F-{}", 100 + id)),
        invoiced_on: date(2026, 9, 1 + i8::try_from(rng.u32(0..4)).expect("small")),
        vendor: order.vendor.clone(),
        currency,
        lines,
        charges: Vec::new(),
        ..an_invoice(rng)
    };
    add_up(&mut invoice);
    invoice
}

fn a_limit(rng: &mut Rng, currency: Currency) -> Limit {
    let amount = Decimal::from(rng.i64(0..50));
    Limit {
        any: false,
        percent: rng.bool().then(|| Decimal::new(rng.i64(0..80), 1)),
        amounts: rng.bool().then_some((currency, amount)).into_iter().collect(),
    }
}

fn limits(rng: &mut Rng, currency: Currency) -> Limits {
    let quantities = |rng: &mut Rng| {
        let percent = Some(Decimal::new(rng.i64(0..150), 1));
        QuantityLimit { any: false, percent, quantity: None }
    };
    Limits {
        price_over: rng.bool().then(|| a_limit(rng, currency)),
        price_under: (rng.u32(0..4) == 0).then(|| a_limit(rng, currency)),
        quantity_over: rng.bool().then(|| quantities(rng)),
        quantity_under: (rng.u32(0..6) == 0).then(|| quantities(rng)),
        line_over: rng.bool().then(|| a_limit(rng, currency)),
        line_under: (rng.u32(0..6) == 0).then(|| a_limit(rng, currency)),
        header_over: rng.bool().then(|| a_limit(rng, currency)),
        charge_over: (rng.u32(0..4) == 0).then(|| a_limit(rng, currency)),
    }
}

/// Tolerances as somebody might write them.
pub fn tolerances(rng: &mut Rng, currency: Currency) -> MatchRules {
    let rule = |vendor: Option<&str>, category: Option<&str>, rng: &mut Rng| MatchRule {
        vendor: vendor.map(str::to_owned),
        category: category.map(str::to_owned),
        mode: rng.bool().then_some(MatchMode::TwoWay),
        limits: Limits { header_over: None, charge_over: None, ..limits(rng, currency) },
        ..MatchRule::default()
    };
    MatchRules {
        mode: [MatchMode::TwoWay, MatchMode::TwoWay, MatchMode::ThreeWay][rng.usize(0..3)],
        receipts_for_services: rng.bool(),
        limits: limits(rng, currency),
        rules: vec![
            rule(Some("50001"), None, rng),
            rule(None, Some("43"), rng),
            rule(None, Some("4"), rng),
        ],
        ..MatchRules::default()
    }
}

/// Wider somewhere: in matching or in what is asked of the invoice itself.
pub fn wider(rules: &Rules, rng: &mut Rng) -> Rules {
    let mut wide = rules.clone();
    widen(&mut wide.matching, rng);
    let of = &mut wide.validation;
    of.future_days += rng.u32(0..10);
    if of.stale_days > 0 {
        of.stale_days += rng.u32(0..100);
    }
    of.due_days += rng.u32(0..10);
    of.tax_tolerance += rng.u32(0..5);
    of.exchange_rate_percent += rng.u32(0..5);
    of.rounding_limits.values_mut().for_each(|limit| *limit += rng.u32(0..50));
    wide
}
