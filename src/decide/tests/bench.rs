//! A small company to judge documents in: what the tests of this folder share.

use crate::decide::*;
use crate::mapping::{SegmentRule, SupplierIndex};
use crate::procurement::*;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// Everything a decision looks at, owned.
pub(super) struct Bench {
    pub rules: Rules,
    pub reference: ReferenceData,
    pub vendors: BTreeMap<String, Vendor>,
    pub history: History,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            rules: rules(),
            reference: reference(),
            vendors: vendors(),
            history: History::default(),
        }
    }

    pub fn judge(&self, document: &Document) -> Decision {
        let suppliers = SupplierIndex::new(&self.reference);
        crate::decide::document(
            document,
            &Inputs {
                rules: &self.rules,
                reference: &self.reference,
                suppliers: &suppliers,
                vendors: &self.vendors,
                history: &self.history,
            },
        )
    }

    pub fn order(&self, order: &PurchaseOrder) -> Decision {
        self.judge(&Document::Order(order.clone()))
    }

    pub fn invoice(&self, invoice: &SupplierInvoice) -> Decision {
        self.judge(&Document::Invoice(invoice.clone()))
    }

    /// The plan of an order that must be postable.
    pub fn order_plan(&self, order: &PurchaseOrder) -> OrderPlan {
        match self.order(order) {
            Decision::Plan(plan) => match *plan {
                Plan::Order(plan) => plan,
                Plan::Invoice(_) => panic!("an order gives an order"),
            },
            other => panic!("not a plan: {other:?}"),
        }
    }

    pub fn invoice_plan(&self, invoice: &SupplierInvoice) -> InvoicePlan {
        match self.invoice(invoice) {
            Decision::Plan(plan) => match *plan {
                Plan::Invoice(plan) => plan,
                Plan::Order(_) => panic!("an invoice gives an invoice"),
            },
            other => panic!("not a plan: {other:?}"),
        }
    }

    /// The order is posted by us, as `erp_order` shows it.
    pub fn post(&mut self, order: &PurchaseOrder) {
        let plan = self.order_plan(order);
        let erp = erp_order(&plan, true);
        self.history.orders.insert(
            order.number.clone(),
            KnownOrder { received: Some(OrderState::Posted), plan: Some(plan), erp: Some(erp) },
        );
    }
}

/// The codes of a held document.
pub(super) fn codes(decision: &Decision) -> Vec<&str> {
    match decision {
        Decision::Hold(holds) => holds.iter().map(|hold| hold.code.as_str()).collect(),
        other => panic!("not held: {other:?}"),
    }
}

pub(super) fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn rules() -> Rules {
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
        mapping,
        charges: BTreeMap::from([
            (ChargeKind::Shipping, charge("K25")),
            (ChargeKind::Rounding, charge("K0")),
        ]),
    }
}

fn reference() -> ReferenceData {
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
            vec![CreditTerms { id: "30".into(), description: "30 dager".into() }],
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

fn vendors() -> BTreeMap<String, Vendor> {
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

pub(super) fn vendor(id: &str) -> VendorRef {
    VendorRef { source_id: Some(id.into()), erp_number: None, name: Some(format!("Vendor {id}")) }
}

pub(super) fn share(account: &str, centre: &str, amount: Option<Money>) -> Distribution {
    Distribution {
        percent: None,
        amount,
        segments: [("Account", account), ("CostCenter", centre)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
    }
}

pub(super) fn tax(code: &str) -> TaxLine {
    TaxLine { code: Some(code.into()), rate: None, base: None, amount: None }
}

pub(super) fn order_line(number: i64, quantity: i64, price: i64, shares: &[i64]) -> OrderLine {
    OrderLine {
        key: format!("L{number}"),
        number: number.to_string(),
        cancelled: false,
        item: None,
        description: format!("Varelinje {number}"),
        commodity: None,
        quantity: Some(Decimal::from(quantity)),
        unit: Some("EA".into()),
        unit_price: Some(Decimal::from(price)),
        price_basis: None,
        net: nok(quantity * price * 100),
        taxes: vec![tax("NO-25")],
        distributions: shares.iter().map(|minor| share("6540", "110", Some(nok(*minor)))).collect(),
        requested_on: None,
    }
}

/// 2 lines; the second is shared by two accounts. Net 2,500.00.
pub(super) fn an_order() -> PurchaseOrder {
    PurchaseOrder {
        source_id: "731822".into(),
        number: "PO-1".into(),
        revision: Some(0),
        ripeness: Ripeness::Ripe,
        status: "Sent".into(),
        business_unit: Some("NORDLYS-NO".into()),
        vendor: vendor("V1"),
        currency: Currency::NOK,
        ordered_on: date(2026, 9, 15),
        promised_on: Some(date(2026, 10, 5)),
        description: None,
        terms: Some("NET30".into()),
        net: Some(nok(250_000)),
        gross: None,
        lines: vec![order_line(1, 10, 100, &[100_000]), order_line(2, 5, 300, &[90_000, 60_000])],
    }
}

pub(super) fn invoice_line(of: &OrderLine, order: Option<&str>) -> InvoiceLine {
    InvoiceLine {
        key: format!("I{}", of.key),
        number: of.number.clone(),
        order: order.map(|number| OrderLineRef {
            order_number: number.into(),
            line_number: Some(of.number.clone()),
            line_key: Some(of.key.clone()),
        }),
        item: None,
        description: of.description.clone(),
        quantity: of.quantity,
        unit: of.unit.clone(),
        unit_price: of.unit_price,
        price_basis: of.price_basis,
        net: of.net,
        taxes: of.taxes.clone(),
        distributions: of.distributions.clone(),
    }
}

/// The whole of `an_order()`, without naming it. Net 2,500.00, VAT 625.00.
pub(super) fn an_invoice() -> SupplierInvoice {
    SupplierInvoice {
        source_id: "2526304".into(),
        kind: InvoiceKind::Invoice,
        number: "I00092".into(),
        supplier_reference: Some("F-90017".into()),
        credits_reference: None,
        ripeness: Ripeness::Ripe,
        status: "Completed".into(),
        business_unit: Some("NORDLYS-NO".into()),
        vendor: vendor("V1"),
        currency: Currency::NOK,
        invoiced_on: date(2026, 9, 28),
        accounting_on: Some(date(2026, 10, 1)),
        due_on: Some(date(2026, 10, 28)),
        terms: Some("NET30".into()),
        payment_reference: Some("004711009283".into()),
        net: Some(nok(250_000)),
        tax: Some(nok(62_500)),
        gross: nok(312_500),
        charges: vec![],
        taxes: vec![],
        lines: an_order().lines.iter().map(|line| invoice_line(line, None)).collect(),
        attachments: vec![],
    }
}

/// `an_invoice()`, each line naming its order line.
pub(super) fn order_invoice() -> SupplierInvoice {
    let lines = an_order().lines.iter().map(|line| invoice_line(line, Some("PO-1"))).collect();
    SupplierInvoice { lines, ..an_invoice() }
}

/// `plan` as the ERP shows it: line numbers are not positions.
pub(super) fn erp_order(plan: &OrderPlan, ours: bool) -> ErpOrder {
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: "000401".into(),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: None,
        status: "Hold".into(),
        on_hold: true,
        currency: plan.currency,
        ordered_on: Some(plan.ordered_on),
        net: Some(plan.net),
        our_key: ours.then(|| "key".into()),
        version: None,
        modified: None,
        lines: plan
            .lines
            .iter()
            .zip(11..)
            .map(|(line, number)| ErpOrderLine {
                number,
                our_key: ours.then(|| line.key.clone()),
                line_type: Some(line.line_type.clone()),
                description: Some(line.description.clone()),
                quantity: Some(line.quantity),
                unit_cost: Some(line.unit_cost),
                amount: Some(line.amount),
                account: Some(line.account.clone()),
                segments: line.segments.clone(),
                received: None,
                completed: false,
                cancelled: false,
            })
            .collect(),
    }
}

/// `an_invoice()` as a person keyed it in.
pub(super) fn erp_invoice() -> ErpInvoice {
    ErpInvoice {
        kind: Some(InvoiceKind::Invoice),
        document_type: "Invoice".into(),
        number: "300001".into(),
        supplier: "50001".into(),
        supplier_reference: Some("f 90017".into()),
        status: "Balanced".into(),
        currency: Currency::NOK,
        document_on: Some(date(2026, 9, 28)),
        gross: nok(312_500),
        vat: None,
        balance: None,
        our_key: None,
        version: None,
        modified: None,
        attachments: vec![],
        lines: vec![],
    }
}
