//! Documents that are postable as they are, and where they are judged.

use super::company::{reference, rules, vendors};
use crate::decide::*;
use crate::mapping::SupplierIndex;
use crate::procurement::*;
use jiff::civil::date;
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

    /// Gives the rules a coding table.
    pub fn code(&mut self, table: &str) {
        self.rules.mapping.coding = table.to_owned().try_into().expect("a good table");
    }

    pub fn judge(&self, document: &Document) -> Decision {
        self.verdict(document).decision
    }

    pub fn verdict(&self, document: &Document) -> Verdict {
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
            KnownOrder {
                received: Some(OrderState::Posted),
                plan: Some(plan),
                erp: Some(erp),
                source: None,
                elsewhere: None,
                is_pruned: false,
            },
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

pub(super) fn vendor(id: &str) -> VendorRef {
    VendorRef { source_id: Some(id.into()), erp_number: None, name: Some(format!("Vendor {id}")) }
}

pub(super) fn share(account: &str, centre: &str, amount: Option<Money>) -> Distribution {
    Distribution {
        amount,
        segments: [("Account", account), ("CostCenter", centre)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        ..Distribution::default()
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
        kind: OrderLineKind::Unspecified,
        contract: None,
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
        ship_to: None,
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
        commodity: None,
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
        ship_to: None,
        vendor: vendor("V1"),
        order_number: None,
        currency: Currency::NOK,
        exchange_rate: None,
        prices_include_tax: false,
        payee: None,
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
                unit: line.unit.clone(),
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
        payment_reference: None,
        our_key: None,
        version: None,
        modified: None,
        attachments: vec![],
        lines: vec![],
    }
}
