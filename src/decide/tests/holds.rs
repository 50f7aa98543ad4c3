//! Each code of a decision, reached by one change to a document that is otherwise postable.

use super::bench::*;
use crate::decide::*;
use crate::procurement::*;
use jiff::civil::date;
use std::collections::BTreeSet;

type OnInvoice = fn(&mut SupplierInvoice, &mut Bench);
type OnOrder = fn(&mut PurchaseOrder, &mut Bench);

fn coded(invoice: &mut SupplierInvoice, dimension: &str, value: &str) {
    let segments = &mut invoice.lines[0].distributions[0].segments;
    if value.is_empty() {
        segments.remove(dimension);
    } else {
        segments.insert(dimension.into(), value.into());
    }
}

fn charged(invoice: &mut SupplierInvoice, kind: ChargeKind, minor: i64, gross: i64) {
    invoice.charges.push(Charge { kind, amount: nok(minor) });
    invoice.net = None;
    invoice.gross = nok(gross);
}

const INVOICE_CASES: &[(&str, OnInvoice)] = &[
    ("account_inactive", |i, _| coded(i, "Account", "6999")),
    ("account_missing", |i, _| coded(i, "Account", "")),
    ("account_not_allowed", |i, _| coded(i, "Account", "1920")),
    ("account_not_mapped", |_, b| {
        b.rules.mapping.accounts.same_code = false;
        b.rules.mapping.accounts.table.insert("6300".into(), "6300".into());
    }),
    ("account_unknown", |i, _| coded(i, "Account", "1234")),
    ("amount_too_large", |i, _| {
        i.net = None;
        for line in &mut i.lines {
            line.net = nok(i64::MAX);
            line.distributions.truncate(1);
            line.distributions[0].amount = None;
        }
    }),
    ("branch_inactive", |i, _| i.business_unit = Some("OLD".into())),
    ("branch_not_mapped", |i, _| i.business_unit = Some("NORDLYS-SE".into())),
    ("branch_unknown", |i, _| i.business_unit = Some("GONE".into())),
    ("charge_not_mapped", |i, _| charged(i, ChargeKind::Discount, -10_000, 300_000)),
    ("currency_mixed", |i, _| i.tax = Some(Money::new(62_500, Currency::parse("EUR").unwrap()))),
    ("currency_unknown", |_, b| {
        b.reference.currencies.remove("NOK");
    }),
    ("distribution_unbalanced", |i, _| i.lines[1].distributions[0].amount = Some(nok(90_001))),
    ("distribution_unclear", |i, _| i.lines[1].distributions[0].amount = None),
    ("due_before_invoice", |i, _| i.due_on = Some(date(2026, 9, 27))),
    ("duplicate", |_, b| {
        b.history.invoices.push(ErpInvoice { our_key: Some("other".into()), ..erp_invoice() });
    }),
    ("duplicate_in_visma", |_, b| {
        b.history.invoices.push(ErpInvoice { gross: nok(312_501), ..erp_invoice() });
    }),
    ("gross_differs", |i, _| {
        i.tax = Some(nok(62_501));
        i.gross = nok(312_501);
    }),
    ("gross_negative", |i, _| {
        for line in &mut i.lines {
            line.net = line.net.negated();
            line.quantity = line.quantity.map(|quantity| -quantity);
            for share in &mut line.distributions {
                share.amount = share.amount.map(Money::negated);
            }
        }
        i.net = i.net.map(Money::negated);
        i.tax = i.tax.map(Money::negated);
        i.gross = i.gross.negated();
    }),
    ("line_repeated", |i, _| i.lines[1].key = i.lines[0].key.clone()),
    ("lines_unbalanced", |i, _| {
        i.net = Some(nok(250_100));
        i.tax = Some(nok(62_400));
    }),
    // The totals agree among themselves, so the gross differs for the same reason.
    ("lines_unbalanced", |i, _| {
        i.lines.pop();
    }),
    ("no_lines", |i, _| {
        i.lines.clear();
        i.net = None;
        i.gross = nok(0);
    }),
    ("order_cancelled", |i, b| {
        *i = order_invoice();
        b.post(&an_order());
        b.history.orders.get_mut("PO-1").unwrap().received = Some(OrderState::Cancelled);
    }),
    ("order_currency_differs", |i, b| {
        *i = order_invoice();
        b.post(&an_order());
        let erp = b.history.orders.get_mut("PO-1").unwrap().erp.as_mut().unwrap();
        erp.currency = Currency::parse("EUR").unwrap();
    }),
    ("order_line_unknown", |i, b| {
        *i = order_invoice();
        b.post(&an_order());
        let named = i.lines[0].order.as_mut().unwrap();
        (named.line_key, named.line_number) = (Some("L9".into()), Some("9".into()));
    }),
    ("order_not_taken", |i, b| {
        *i = order_invoice();
        let known = KnownOrder { received: Some(OrderState::Ignored), ..KnownOrder::default() };
        b.history.orders.insert("PO-1".into(), known);
    }),
    ("order_supplier_differs", |i, b| {
        *i = order_invoice();
        b.post(&an_order());
        let erp = b.history.orders.get_mut("PO-1").unwrap().erp.as_mut().unwrap();
        erp.supplier = "50002".into();
    }),
    ("period_closed", |i, _| i.accounting_on = Some(date(2026, 8, 31))),
    ("period_inactive", |i, _| i.accounting_on = Some(date(2026, 12, 31))),
    ("period_missing", |i, _| i.accounting_on = Some(date(2027, 1, 1))),
    ("project_not_mapped", |i, b| {
        coded(i, "Project", "P-2031");
        b.rules.mapping.project_dimension = Some("Project".into());
    }),
    ("segment_inactive", |i, _| coded(i, "CostCenter", "399")),
    ("segment_missing", |i, _| coded(i, "CostCenter", "")),
    ("segment_not_in_visma", |_, b| {
        let mut rule = b.rules.mapping.segments[1].clone();
        rule.id = 3;
        b.rules.mapping.segments.push(rule);
    }),
    ("segment_not_mapped", |_, b| {
        let rule = &mut b.rules.mapping.segments[0];
        rule.same_code = false;
        rule.table.insert("120".into(), "120".into());
    }),
    ("segment_too_long", |i, _| coded(i, "Project", "P-20311")),
    ("segment_unknown", |i, _| coded(i, "CostCenter", "999")),
    ("status_unknown", |i, _| i.ripeness = Ripeness::Unknown),
    ("supplier_ambiguous", |i, _| i.vendor = vendor("V4")),
    ("supplier_blocked", |i, _| i.vendor = vendor("V3")),
    ("supplier_conflict", |i, _| i.vendor.erp_number = Some("50002".into())),
    ("supplier_link_broken", |_, b| {
        b.rules.mapping.suppliers.insert("V1".into(), "60000".into());
    }),
    ("supplier_reference_missing", |i, _| i.supplier_reference = Some(" ".into())),
    ("supplier_reference_missing", |i, _| i.supplier_reference = Some("--".into())),
    ("supplier_reference_too_long", |i, _| i.supplier_reference = Some("9".repeat(41))),
    ("supplier_unknown", |i, _| i.vendor = vendor("V9")),
    ("terms_not_mapped", |i, _| i.terms = Some("NET7".into())),
    ("terms_unknown", |i, _| i.terms = Some("NET99".into())),
    ("total_unbalanced", |i, _| i.tax = Some(nok(62_400))),
    ("unit_not_mapped", |i, _| i.lines[0].unit = Some("PAL".into())),
    ("vat_category_inactive", |_, b| map_vat(b, "KX")),
    ("vat_category_unknown", |_, b| map_vat(b, "1")),
    ("vat_kind_unsupported", |_, b| map_vat(b, "KW")),
    ("vat_missing", |i, _| i.lines[0].taxes.clear()),
    ("vat_not_mapped", |i, _| i.lines[0].taxes = vec![tax("NO-11")]),
    ("vat_rate_missing", |_, b| map_vat(b, "KN")),
    ("vat_several", |i, _| i.lines[0].taxes.push(tax("NO-15"))),
    ("vat_zone_unmatched", |_, b| {
        b.reference.suppliers.get_mut("50001").unwrap().vat_zone = Some("02".into());
    }),
];

fn map_vat(bench: &mut Bench, category: &str) {
    bench.rules.mapping.vat.table.insert("NO-25".into(), category.into());
}

const ORDER_CASES: &[(&str, OnOrder)] = &[
    ("account_unknown", |o, _| {
        o.lines[0].distributions[0].segments.insert("Account".into(), "1234".into());
    }),
    ("amount_too_large", |o, _| {
        o.net = None;
        for line in &mut o.lines {
            line.net = nok(i64::MAX);
            line.distributions.truncate(1);
            line.distributions[0].amount = None;
        }
    }),
    ("branch_not_mapped", |o, _| o.business_unit = Some("NORDLYS-SE".into())),
    ("currency_mixed", |o, _| o.net = Some(Money::new(1, Currency::parse("EUR").unwrap()))),
    ("line_repeated", |o, _| o.lines[1].key = o.lines[0].key.clone()),
    ("lines_unbalanced", |o, _| o.net = Some(nok(250_001))),
    ("no_lines", |o, _| {
        o.lines.clear();
        o.net = None;
    }),
    ("order_in_visma_differs", |o, b| {
        let mut erp = erp_order(&b.order_plan(o), false);
        erp.net = Some(nok(250_001));
        let known = KnownOrder { erp: Some(erp), ..KnownOrder::default() };
        b.history.orders.insert(o.number.clone(), known);
    }),
    ("order_number_missing", |o, _| o.number = " ".into()),
    ("order_number_too_long", |o, _| o.number = "P".repeat(41)),
    ("status_unknown", |o, _| o.ripeness = Ripeness::Unknown),
    ("supplier_unknown", |o, _| o.vendor = vendor("V9")),
    ("terms_not_mapped", |o, _| o.terms = Some("NET7".into())),
    ("unit_not_mapped", |o, _| o.lines[0].unit = Some("PAL".into())),
    ("vat_not_mapped", |o, _| o.lines[0].taxes = vec![tax("NO-11")]),
];

/// Made by reading and posting, not by a decision.
const ELSEWHERE: &[&str] = &[
    "attachment_failed",
    "attempts_spent",
    "batch_not_posted",
    "changed_after_posting",
    "changed_in_visma",
    "doubled_in_visma",
    "ledger_differs",
    "not_cancellable",
    "refused_by_visma",
    "release_refused",
    "unreadable",
    "unsettled",
];

#[test]
fn every_code_is_reached_alone() {
    let mut reached: BTreeSet<&str> = ELSEWHERE.iter().copied().collect();
    for (code, change) in INVOICE_CASES {
        let (mut bench, mut document) = (Bench::new(), an_invoice());
        change(&mut document, &mut bench);
        let decision = bench.invoice(&document);
        assert!(matches!(decision, Decision::Hold(_)), "{code}: {decision:?}");
        // One fault, one code, however many lines have it.
        let distinct: BTreeSet<&str> = codes(&decision).into_iter().collect();
        assert_eq!(distinct, BTreeSet::from([*code]), "{decision:?}");
        reached.insert(code);
    }
    for (code, change) in ORDER_CASES {
        let (mut bench, mut document) = (Bench::new(), an_order());
        change(&mut document, &mut bench);
        let decision = bench.order(&document);
        assert!(matches!(decision, Decision::Hold(_)), "{code}: {decision:?}");
        let distinct: BTreeSet<&str> = codes(&decision).into_iter().collect();
        assert_eq!(distinct, BTreeSet::from([*code]), "{decision:?}");
        reached.insert(code);
    }
    let listed: BTreeSet<&str> = catalogue().into_iter().map(|entry| entry.code).collect();
    assert_eq!(reached, listed);
}

#[test]
fn all_reasons_are_shown_at_once_sorted_and_without_repeats() {
    let bench = Bench::new();
    let mut document = an_invoice();
    document.supplier_reference = None;
    document.vendor = vendor("V9");
    document.accounting_on = Some(date(2026, 8, 31));
    for line in &mut document.lines {
        line.number = "1".into();
        line.unit = Some("PAL".into());
        for share in &mut line.distributions {
            share.segments.insert("Account".into(), "6999".into());
        }
    }
    let decision = bench.invoice(&document);
    assert_eq!(
        codes(&decision),
        [
            "account_inactive",
            "account_inactive",
            "account_inactive",
            "period_closed",
            "supplier_reference_missing",
            "supplier_unknown",
            "unit_not_mapped"
        ]
    );
    let Decision::Hold(holds) = decision else { unreachable!("codes() saw a hold") };
    assert_eq!(
        holds[0].text,
        "Line 1, share 1: account 6999 (Gammel konto) is not active in Visma."
    );
    assert_eq!(
        holds[0].fix,
        "Ask accounting to reopen the account in Visma, or map 6999 to another in \
         [connection.mapping.accounts]; then release."
    );
}

#[test]
fn texts_carry_the_numbers() {
    let text = |change: OnInvoice| {
        let (mut bench, mut document) = (Bench::new(), an_invoice());
        change(&mut document, &mut bench);
        match bench.invoice(&document) {
            Decision::Hold(holds) => holds[0].text.clone(),
            other => panic!("not held: {other:?}"),
        }
    };
    assert_eq!(
        text(|i, _| {
            i.tax = None;
            i.gross = nok(312_501);
        }),
        "Visma would compute 3125.00 NOK (of which VAT 625.00 NOK), but the invoice says 3125.01 NOK."
    );
    assert_eq!(
        text(|i, _| i.lines[1].distributions[0].amount = Some(nok(90_001))),
        "Line 2: the shares add up to 1500.01 NOK, the line to 1500.00 NOK."
    );
    assert_eq!(
        text(|_, b| b.history.invoices.push(ErpInvoice { gross: nok(1), ..erp_invoice() })),
        "Invoice number F-90017 of supplier 50001 (Leverandør 50001) is in Visma already: \
         Invoice 300001 over 0.01 NOK, status Balanced."
    );
    assert_eq!(
        text(|i, _| i.vendor.erp_number = Some("50002".into())),
        "It is not clear which supplier V1 (Vendor V1) is: supplier number 50002 says 50002 and \
         organisation number 988077917 says 50001."
    );
}
