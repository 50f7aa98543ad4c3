//! What is known around a case's document: orders as they stand in Visma, receipts, other invoices.

use super::build::{currency, date, money, order_line};
use super::company::{Company, bank_account};
use super::form::{self, Case};
use ml_connector::decide::{
    self, Decision, EarlierBilling, History, Inputs, KnownOrder, OrderState, PaidTo, PastInvoice,
};
use ml_connector::mapping::SupplierIndex;
use ml_connector::matching::claim_key;
use ml_connector::procurement::*;

type Result<T> = std::result::Result<T, String>;

/// Visma's line number of our line 1: numbers there are not places.
const FIRST_LINE: i64 = 11;

pub fn history(
    case: &Case,
    company: &Company,
    suppliers: &SupplierIndex,
    document: &Document,
) -> Result<History> {
    let received_on = case.received.as_deref().map(date).transpose()?;
    let mut history = History { received_on, ..History::default() };
    for order in &case.order {
        if order.stands == "unknown" {
            continue;
        }
        let known = known_order(order, company, suppliers)?;
        history.orders.insert(order.number.clone(), known);
    }
    for receipt in &case.receipt {
        take_receipt(receipt, &mut history)?;
    }
    for contract in &case.contract {
        let currency = currency(&contract.currency)?;
        let amount = |of: Option<_>| of.map(|amount| money(amount, currency)).transpose();
        let contract = Contract {
            source_id: contract.number.clone(),
            number: contract.number.clone(),
            in_force: contract.in_force,
            vendor: VendorRef { source_id: Some(contract.vendor.clone()), ..VendorRef::default() },
            starts_on: contract.from.as_deref().map(date).transpose()?,
            ends_on: contract.to.as_deref().map(date).transpose()?,
            ceiling: amount(contract.ceiling)?,
            consumed: amount(contract.consumed)?,
        };
        history.contracts.insert(contract.number.clone(), contract);
    }
    for billed in &case.billed {
        let (order, line) = order_line(&billed.order);
        let erp = erp_line(&history, &order, line.as_deref())?;
        let currency = history.orders[&order].erp.as_ref().map_or(Currency::NOK, |of| of.currency);
        history.billed.push(EarlierBilling {
            order: erp.0,
            line: erp.1,
            document: billed.by.clone(),
            kind: kind(billed.credit_note),
            quantity: billed.quantity,
            net: money(billed.net, currency)?,
            by_hand: billed.by_hand,
        });
    }
    for paid in &case.paid_to {
        history.paid_to.push(PaidTo {
            document: "I00001".into(),
            account: bank_account(&paid.account, paid.kind.as_deref()),
            invoiced_on: date(&paid.date)?,
            paid: paid.paid,
        });
    }
    if let Document::Invoice(invoice) = document {
        for earlier in &case.earlier {
            take_earlier(earlier, invoice, company, &mut history)?;
        }
    }
    Ok(history)
}

const fn kind(credit_note: bool) -> InvoiceKind {
    if credit_note { InvoiceKind::CreditNote } else { InvoiceKind::Invoice }
}

/// The order as it stands: planned by the program itself, and shown by Visma as planned.
fn known_order(
    form: &form::Order,
    company: &Company,
    suppliers: &SupplierIndex,
) -> Result<KnownOrder> {
    let order = form.build()?;
    let inputs = Inputs {
        rules: &company.rules,
        reference: &company.reference,
        suppliers,
        vendors: &company.vendors,
        history: &History::default(),
    };
    let plan = match decide::document(&Document::Order(order.clone()), &inputs).decision {
        Decision::Plan(plan) => match *plan {
            Plan::Order(plan) => plan,
            Plan::Invoice(_) => return Err("an order gives an order".into()),
        },
        other => return Err(format!("order {} cannot stand there: {other:?}", form.number)),
    };
    let is_pruned = form.stands == "pruned";
    let ours = form.stands == "posted" || is_pruned;
    let erp = erp_order(&plan, form, ours);
    let (received, erp, plan) = match form.stands.as_str() {
        "posted" | "pruned" => (Some(OrderState::Posted), Some(erp), Some(plan)),
        "by_hand" => (None, Some(erp), None),
        "in_flight" => (Some(OrderState::InFlight), None, None),
        "held" => (Some(OrderState::Held), None, None),
        "cancelled" => (Some(OrderState::Cancelled), None, None),
        "ignored" => (Some(OrderState::Ignored), None, None),
        other => return Err(format!("an order cannot stand as `{other}`")),
    };
    let source = (plan.is_some() && !is_pruned).then_some(order);
    Ok(KnownOrder { received, plan, erp, source, elsewhere: None, is_pruned })
}

fn erp_order(plan: &OrderPlan, form: &form::Order, ours: bool) -> ErpOrder {
    let lines = plan.lines.iter().zip(FIRST_LINE..).map(|(line, number)| ErpOrderLine {
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
    });
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: format!("V-{}", form.number),
        supplier: plan.supplier.clone(),
        supplier_reference: Some(plan.number.clone()),
        description: None,
        status: "Open".into(),
        on_hold: false,
        currency: plan.currency,
        ordered_on: Some(plan.ordered_on),
        net: Some(plan.net),
        our_key: ours.then(|| "key".into()),
        version: None,
        modified: None,
        lines: lines.collect(),
    }
}

/// Visma's order number and line of `PO-1 / 1`, by the place of the line in the case.
fn erp_line(history: &History, order: &str, line: Option<&str>) -> Result<(String, i64)> {
    let missing = || format!("order {order} does not stand in Visma");
    let known = history.orders.get(order).ok_or_else(missing)?;
    let erp = known.erp.as_ref().ok_or_else(missing)?;
    let line = line.ok_or_else(|| format!("which line of order {order}?"))?;
    let place = match &known.plan {
        Some(plan) => plan.lines.iter().position(|of| of.number == line),
        None => line.parse::<usize>().ok().and_then(|line| line.checked_sub(1)),
    };
    let number = place.and_then(|place| erp.lines.get(place)).map(|line| line.number);
    Ok((erp.number.clone(), number.ok_or_else(|| format!("order {order} has no line {line}"))?))
}

fn take_receipt(form: &form::Receipt, history: &mut History) -> Result<()> {
    let (order, line) = order_line(&form.order);
    let quantity = form.quantity.map(|of| if form.returned { -of } else { of });
    match form.at.as_str() {
        "visma" => {
            let erp = erp_line(history, &order, line.as_deref())?;
            let supplier = history.orders[&order].erp.as_ref().map(|of| of.supplier.clone());
            history.receipts.push(ErpReceipt {
                receipt_type: if form.returned { "PoReturn".into() } else { "PoReceipt".into() },
                number: form.number.clone(),
                status: match form.state.as_str() {
                    "received" => "Released".into(),
                    "on_hold" => "Hold".into(),
                    "cancelled" => "Cancelled".into(),
                    other => return Err(format!("`{other}` is no state of a receipt")),
                },
                supplier: supplier.unwrap_or_default(),
                modified: None,
                version: None,
                lines: vec![ErpReceiptLine {
                    number: 1,
                    order_number: Some(erp.0),
                    order_line: Some(erp.1),
                    // Visma writes a return as a positive quantity on a receipt of type return.
                    quantity: form.quantity,
                    unit: None,
                }],
            });
        }
        "jaggaer" => history.source_receipts.push(Receipt {
            source_id: form.number.clone(),
            number: form.number.clone(),
            received_on: None,
            cancelled: form.state == "cancelled",
            lines: vec![ReceiptLine {
                order_line_key: line.as_ref().map(|line| format!("{order}-{line}")),
                order_number: order,
                order_line_number: line,
                quantity,
                unit: Some(form.unit.clone()),
                amount: form.amount.map(|of| money(of, Currency::NOK)).transpose()?,
            }],
        }),
        other => return Err(format!("`{other}` keeps no receipts")),
    }
    Ok(())
}

/// Where the shell would find it: by the same number, by a number that a credit note names, or as one
/// that is alike.
fn take_earlier(
    form: &form::Earlier,
    invoice: &SupplierInvoice,
    company: &Company,
    history: &mut History,
) -> Result<()> {
    let currency = currency(&form.currency)?;
    let gross = money(form.gross, currency)?;
    let balance = form.balance.map(|of| money(of, currency)).transpose()?;
    let kind = kind(form.credit_note);
    let word = if form.credit_note { "DebitAdj" } else { "Invoice" };
    let past = PastInvoice {
        document: match form.on_its_way {
            true => form.number.clone(),
            false => format!("{word} {}", form.number),
        },
        kind,
        supplier: form.supplier.clone(),
        reference: form.reference.clone(),
        invoiced_on: Some(date(&form.date)?),
        gross,
        balance,
        payment_reference: form.payment_reference.clone(),
        status: form.status.clone(),
    };
    let key = |text: Option<&str>| text.map(claim_key).filter(|key| !key.is_empty());
    let its = key(form.reference.as_deref());
    let credited = key(invoice.credits_reference.as_deref());
    let is_of_it = its == credited || key(form.credits.as_deref()) == credited;
    if credited.is_some() && is_of_it {
        history.credited.push(past.clone());
    }
    if same_company(form, invoice, company) {
        history.alike.push(past);
    }
    if its.is_some() && its == key(invoice.supplier_reference.as_deref()) && !form.on_its_way {
        history.invoices.push(ErpInvoice {
            kind: Some(kind),
            document_type: word.into(),
            number: form.number.clone(),
            supplier: form.supplier.clone(),
            supplier_reference: form.reference.clone(),
            status: form.status.clone(),
            currency,
            document_on: Some(date(&form.date)?),
            gross,
            vat: None,
            balance,
            payment_reference: form.payment_reference.clone(),
            our_key: form.ours.then(|| "other".into()),
            version: None,
            modified: None,
            attachments: vec![],
            lines: vec![],
        });
    }
    Ok(())
}

/// By organisation number, as it stands on the vendor and on the earlier invoice's supplier.
fn same_company(form: &form::Earlier, invoice: &SupplierInvoice, company: &Company) -> bool {
    let digits = |text: Option<&String>| {
        text.map(|of| of.chars().filter(char::is_ascii_digit).collect::<String>())
    };
    let vendor = invoice.vendor.source_id.as_ref().and_then(|id| company.vendors.get(id));
    let supplier = company.reference.suppliers.get(&form.supplier);
    let ours = digits(vendor.and_then(|vendor| vendor.organisation_number.as_ref()));
    ours.is_some() && ours == digits(supplier.and_then(|of| of.organisation_number.as_ref()))
}
