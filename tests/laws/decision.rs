//! What holds of whole decisions.

use super::company::{
    Company, add_up, an_invoice, an_order, bill, company, percent, tolerances, wider,
};
use super::{holds, tables};
use crate::decide::{Decision, EarlierBilling, VatRounding};
use crate::procurement::*;
use fastrand::Rng;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

fn plan(decision: &Decision) -> Option<&InvoicePlan> {
    match decision {
        Decision::Plan(plan) => match plan.as_ref() {
            Plan::Invoice(plan) => Some(plan),
            Plan::Order(_) => None,
        },
        Decision::Adopt { .. }
        | Decision::Wait(_)
        | Decision::Hold(_)
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => None,
    }
}

fn codes(decision: &Decision) -> BTreeSet<&str> {
    match decision {
        Decision::Hold(held) => held.iter().map(|hold| hold.code.as_str()).collect(),
        Decision::Wait(_) => ["wait"].into(),
        Decision::Plan(_)
        | Decision::Adopt { .. }
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => BTreeSet::new(),
    }
}

/// VAT of the planned lines, reckoned apart from the code under test.
fn vat_of(plan: &InvoicePlan, rounding: VatRounding) -> i64 {
    if plan.supplier == "50002" {
        return 0;
    }
    let at = |category: &str| match category {
        "K25" => 25,
        "K15" => 15,
        _ => 0,
    };
    match rounding {
        VatRounding::PerLine => {
            plan.lines.iter().map(|line| percent(line.cost.minor, at(&line.vat_category))).sum()
        }
        VatRounding::PerRate => ["K25", "K15"]
            .iter()
            .map(|category| {
                let of = plan.lines.iter().filter(|line| line.vat_category == *category);
                percent(of.map(|line| line.cost.minor).sum(), at(category))
            })
            .sum(),
    }
}

/// What is posted comes to the invoice: planned lines and their VAT, each line of quantity and
/// price, the shares of each source line.
fn posts_exactly(plan: &InvoicePlan, company: &Company) -> bool {
    let rounding = company.rules.invoices.vat_rounding;
    let lines: i64 = plan.lines.iter().map(|line| line.cost.minor).sum();
    lines + plan.vat.minor == plan.gross.minor
        && vat_of(plan, rounding) == plan.vat.minor
        && plan.lines.iter().all(|line| {
            line.cost.currency == plan.currency
                && Money::rounded(line.quantity * line.unit_cost, plan.currency) == Ok(line.cost)
        })
}

/// A right invoice is planned to the minor unit, and one that is off by one is not planned.
pub fn lines_and_vat_are_the_gross(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let company = company();
    let mut invoice = an_invoice(rng);
    let decision = company.judge_invoice(&invoice);
    let about = || format!("{invoice:#?} {decision:#?}");
    if invoice.gross.minor < 0 {
        return holds(codes(&decision).contains("gross_negative"), about);
    }
    let Some(plan) = plan(&decision) else { return Err(about()) };
    holds(posts_exactly(plan, &company) && plan.gross == invoice.gross, about)?;
    for line in &invoice.lines {
        let key = format!("{}/", line.key);
        let own = plan.lines.iter().filter(|of| of.key.starts_with(&key));
        holds(own.map(|of| of.cost.minor).sum::<i64>() == line.net.minor, about)?;
    }
    let off = if rng.bool() { 1 } else { -1 };
    match rng.u32(0..3) {
        0 => invoice.gross.minor += off,
        1 => invoice.net = invoice.net.map(|net| Money::new(net.minor + off, net.currency)),
        _ => {
            let nth = rng.usize(0..invoice.lines.len());
            let line = &mut invoice.lines[nth];
            line.net.minor += off;
            line.distributions.clear();
            line.distributions.push(Distribution {
                segments: [("Account", "6540"), ("CostCenter", "110")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                ..Distribution::default()
            });
        }
    }
    let decision = company.judge_invoice(&invoice);
    holds(!codes(&decision).is_empty(), || format!("off by {off}: {invoice:#?} {decision:#?}"))
}

/// Lines that include tax are planned without it, and come to the gross again.
pub fn lines_with_tax_are_the_gross(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let mut company = company();
    if rng.bool() {
        company.rules.invoices.vat_rounding = VatRounding::PerLine;
    }
    let mut invoice = an_invoice(rng);
    invoice.prices_include_tax = true;
    for line in &mut invoice.lines {
        // Shares by amount are taken as they are.
        if rng.bool() {
            line.distributions.truncate(1);
            line.distributions[0].amount = None;
            line.distributions[0].percent = None;
        }
    }
    let lines = invoice.lines.iter().map(|line| line.net.minor);
    let charges = invoice.charges.iter().map(|charge| charge.amount.minor);
    invoice.gross.minor = lines.chain(charges).sum();
    (invoice.net, invoice.tax) = (None, None);
    if invoice.gross.minor < 0 {
        return Ok(());
    }
    let decision = company.judge_invoice(&invoice);
    let about = || format!("{invoice:#?} {decision:#?}");
    match plan(&decision) {
        Some(plan) => holds(posts_exactly(plan, &company) && plan.gross == invoice.gross, about),
        // VAT on shares is not VAT on the line: then the gross differs, and a person is asked.
        None => holds(
            codes(&decision).iter().all(|code| {
                matches!(*code, "gross_differs" | "rounding_too_large" | "tax_differs")
            }),
            about,
        ),
    }
}

/// A decision with its lines in the order of their keys.
fn sorted(mut decision: Decision) -> Decision {
    match &mut decision {
        Decision::Plan(plan) | Decision::Adopt { plan, .. } => match plan.as_mut() {
            Plan::Invoice(plan) => plan.lines.sort_by(|a, b| a.key.cmp(&b.key)),
            Plan::Order(plan) => plan.lines.sort_by(|a, b| a.key.cmp(&b.key)),
        },
        Decision::Wait(_)
        | Decision::Hold(_)
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => {}
    }
    decision
}

/// An order in the ERP, a bill of it, and what other documents bill and what arrived.
fn billed_order(rng: &mut Rng) -> Result<(Company, PurchaseOrder, SupplierInvoice), String> {
    let mut company = company();
    let order = an_order(rng, "PO-1");
    company.post(&order)?;
    company.rules.matching = tolerances(rng, order.currency);
    for nth in 0..rng.usize(0..4) {
        let of = rng.usize(0..order.lines.len());
        let line = &order.lines[of];
        company.history.source_receipts.push(Receipt {
            source_id: format!("R{nth}"),
            number: format!("R{nth}"),
            received_on: None,
            cancelled: rng.u32(0..8) == 0,
            lines: vec![ReceiptLine {
                order_number: order.number.clone(),
                order_line_number: Some(line.number.clone()),
                order_line_key: Some(line.key.clone()),
                quantity: Some(line.quantity.unwrap_or(Decimal::ONE)),
                unit: Some("EA".into()),
                amount: None,
            }],
        });
        company.history.billed.push(earlier(rng, &company, nth));
    }
    let invoice = bill(rng, &order, 7);
    Ok((company, order, invoice))
}

fn earlier(rng: &mut Rng, company: &Company, nth: usize) -> EarlierBilling {
    let known = company.history.orders.values().next().expect("one order");
    let erp = known.erp.as_ref().expect("it stands in the ERP");
    let line = &erp.lines[rng.usize(0..erp.lines.len())];
    EarlierBilling {
        order: erp.number.clone(),
        line: line.number,
        document: format!("Invoice {nth}"),
        kind: if rng.u32(0..5) == 0 { InvoiceKind::CreditNote } else { InvoiceKind::Invoice },
        quantity: (rng.u32(0..4) > 0).then(|| Decimal::new(rng.i64(1..800), 2)),
        net: Money::new(rng.i64(1..90_000), erp.currency),
        by_hand: rng.bool(),
    }
}

/// The same decision of the same document again, and with its lines, the rules, the coding table
/// and everything in the history in another order.
pub fn order_and_asking_again_change_nothing(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let (mut company, mut invoice) = if rng.bool() {
        let (company, _, invoice) = billed_order(rng)?;
        (company, invoice)
    } else {
        (company(), an_invoice(rng))
    };
    let mut rows = if rng.bool() { tables::rows(rng, 5) } else { Vec::new() };
    let coded = |rows: &[String], company: &mut Company| {
        company.rules.mapping.coding = match rows {
            [] => Default::default(),
            rows => tables::table(rows)?,
        };
        Ok::<(), String>(())
    };
    coded(&rows, &mut company)?;
    if rng.u32(0..4) == 0 {
        let nth = rng.usize(0..invoice.lines.len());
        invoice.lines[nth].unit = Some("PAL".into());
    }
    for nth in 0..rng.usize(0..4) {
        company.history.alike.push(PastInvoice {
            document: format!("Invoice {nth}"),
            kind: InvoiceKind::Invoice,
            supplier: ["50001", "50002"][rng.usize(0..2)].into(),
            reference: Some(["F-90017", "90017", "F-107", "F-90071"][rng.usize(0..4)].into()),
            invoiced_on: Some(invoice.invoiced_on),
            gross: invoice.gross,
            balance: None,
            payment_reference: None,
            status: ["open", "voided"][rng.usize(0..2)].into(),
        });
    }
    let first = company.judge_invoice(&invoice);
    let again = company.judge_invoice(&invoice);
    holds(first == again, || format!("{first:#?} and asked again {again:#?}"))?;
    rng.shuffle(&mut invoice.lines);
    rng.shuffle(&mut rows);
    coded(&rows, &mut company)?;
    rng.shuffle(&mut company.rules.matching.rules);
    rng.shuffle(&mut company.history.billed);
    rng.shuffle(&mut company.history.source_receipts);
    rng.shuffle(&mut company.history.alike);
    let (first, turned) = (sorted(first), sorted(company.judge_invoice(&invoice)));
    holds(first == turned, || format!("{first:#?} and in another order {turned:#?} {invoice:#?}"))
}

/// Bills of one order that came together: judged oldest first, each seeing what those before it
/// bill, all are decided the same, however they arrived. No order line is billed beyond what is
/// ordered and allowed because two came at once.
pub fn a_batch_knows_no_arrival(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let mut company = company();
    let order = an_order(rng, "PO-1");
    company.post(&order)?;
    company.rules.matching = tolerances(rng, order.currency);
    let batch: Vec<SupplierInvoice> =
        (0..rng.usize(2..5)).map(|id| bill(rng, &order, id)).collect();
    let first = in_turn(&company, batch.clone(), rng);
    let mut turned = batch;
    rng.shuffle(&mut turned);
    let again = in_turn(&company, turned, rng);
    holds(first == again, || format!("{first:#?} and {again:#?}"))
}

/// What becomes of each, by its id.
fn in_turn(
    company: &Company,
    mut batch: Vec<SupplierInvoice>,
    rng: &mut Rng,
) -> Vec<(String, Decision)> {
    let mut company = company.clone();
    batch.sort_by(|a, b| (a.invoiced_on, &a.source_id).cmp(&(b.invoiced_on, &b.source_id)));
    let mut decisions = Vec::new();
    for invoice in batch {
        // The store gives its rows in no order that anybody may rely on.
        rng.shuffle(&mut company.history.billed);
        rng.shuffle(&mut company.history.alike);
        let decision = company.judge_invoice(&invoice);
        if let Some(plan) = plan(&decision) {
            let billed = plan.lines.iter().filter_map(|line| match &line.link {
                Some(Link::Order { number, line: of }) => Some(EarlierBilling {
                    order: number.clone(),
                    line: *of,
                    document: invoice.number.clone(),
                    kind: invoice.kind,
                    quantity: Some(line.quantity),
                    net: line.cost,
                    by_hand: false,
                }),
                Some(Link::Receipt { .. }) | None => None,
            });
            company.history.billed.extend(billed);
        }
        company.history.alike.push(PastInvoice {
            document: invoice.number.clone(),
            kind: invoice.kind,
            supplier: "50001".into(),
            reference: invoice.supplier_reference.clone(),
            invoiced_on: Some(invoice.invoiced_on),
            gross: invoice.gross,
            balance: None,
            payment_reference: None,
            status: decision.name().into(),
        });
        decisions.push((invoice.source_id, decision));
    }
    decisions
}

/// What is decided with wider tolerances is held for no reason that it was not held for before, and
/// what was planned is planned the same.
pub fn wider_tolerances_never_hold(seed: u64) -> Result<(), String> {
    let rng = &mut Rng::with_seed(seed);
    let (mut company, order, mut invoice) = billed_order(rng)?;
    if rng.u32(0..3) == 0 {
        let amount = Money::new(rng.i64(1..80), order.currency);
        invoice.charges.push(Charge { kind: ChargeKind::Rounding, amount });
        add_up(&mut invoice);
    }
    if rng.u32(0..3) == 0 {
        let tax = invoice.tax.map_or(0, |tax| tax.minor) + rng.i64(-3..=3);
        invoice.taxes.push(TaxLine {
            code: Some("NO-25".into()),
            rate: Some(Decimal::from(25)),
            base: invoice.net,
            amount: Some(Money::new(tax, order.currency)),
        });
    }
    company.history.received_on = rng
        .bool()
        .then(|| invoice.invoiced_on.saturating_sub(jiff::Span::new().days(rng.i64(-9..9))));
    let narrow = company.judge_invoice(&invoice);
    company.rules = wider(&company.rules, rng);
    let wide = company.judge_invoice(&invoice);
    let about = || format!("{narrow:#?} and wider {wide:#?} {invoice:#?} {:#?}", company.rules);
    if plan(&narrow).is_some() {
        return holds(narrow == wide, about);
    }
    match (&narrow, &wide) {
        // What holds is told before what is waited for.
        (Decision::Hold(_), Decision::Wait(_)) => Ok(()),
        _ => holds(codes(&wide).is_subset(&codes(&narrow)), about),
    }
}
