//! Each code of a decision, reached by one change to a document that is otherwise postable.

use super::bench::*;
use crate::decide::*;
use crate::matching::{Limit, MatchRule, QuantityLimit};
use crate::procurement::*;
use crate::validation::{ExchangeRateRule, Finding};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;
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

/// `order_invoice()` on an order of which JAGGAER said so, with line 1 changed: 10 at 100.00.
fn ordered(i: &mut SupplierInvoice, b: &mut Bench, change: fn(&mut OrderLine)) {
    *i = order_invoice();
    b.post(&an_order());
    let mut order = an_order();
    change(&mut order.lines[0]);
    b.history.orders.get_mut("PO-1").unwrap().source = Some(order);
}

fn order_price(line: &mut OrderLine, minor: i64) {
    line.unit_price = Some(Decimal::new(minor, 2));
    line.net = nok(minor * 10);
}

fn contract(ends_on: Date, ceiling: i64) -> Contract {
    Contract {
        source_id: "C".into(),
        number: "C-1".into(),
        in_force: true,
        vendor: vendor("V1"),
        starts_on: None,
        ends_on: Some(ends_on),
        ceiling: Some(nok(ceiling)),
        consumed: None,
    }
}

fn none() -> Limit {
    Limit::default()
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
    ("ceiling_exceeded", |i, b| {
        ordered(i, b, |line| (line.kind, line.net) = (OrderLineKind::Limit, nok(99_999)));
    }),
    ("ceiling_exceeded", |i, b| {
        ordered(i, b, |line| line.contract = Some("C-1".into()));
        b.history.contracts.insert("C-1".into(), contract(date(2026, 12, 31), 99_999));
    }),
    ("charge_not_mapped", |i, _| charged(i, ChargeKind::Discount, -10_000, 300_000)),
    ("charge_over", |i, b| {
        ordered(i, b, |_| {});
        b.rules.matching.limits.charge_over = Some(none());
        charged(i, ChargeKind::Shipping, 10_000, 325_000);
    }),
    ("contract_not_valid", |i, b| {
        ordered(i, b, |line| line.contract = Some("C-1".into()));
        b.history.contracts.insert("C-1".into(), contract(date(2026, 9, 27), 100_000));
    }),
    ("coding_not_decided", |_, b| b.rules.mapping.coding_complete = true),
    ("coding_not_decided", |_, b| {
        b.code("when:amount,then:terms\n..1000,30\n1001..,14\n");
        b.reference.credit_terms.insert("14".into(), CreditTerms::default());
    }),
    ("combination_blocked", |_, b| {
        let table = "account,segment:1,verdict\n6540,,deny\n6540,120,allow\n".to_owned();
        b.rules.mapping.combinations = table.try_into().unwrap();
    }),
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
    ("header_only", |i, b| {
        ordered(i, b, |_| {});
        i.lines.clear();
        (i.net, i.gross, i.order_number) = (None, nok(0), Some("PO-1".into()));
    }),
    ("header_over", |i, b| {
        ordered(i, b, |_| {});
        b.rules.matching.limits.header_over = Some(none());
        b.history.orders.get_mut("PO-1").unwrap().erp.as_mut().unwrap().net = Some(nok(249_999));
    }),
    ("line_over", |i, b| {
        ordered(i, b, |line| (line.quantity, line.net) = (None, nok(99_999)));
    }),
    ("line_under", |i, b| {
        ordered(i, b, |line| order_price(line, 10_001));
        b.rules.matching.limits.line_under = Some(none());
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
    ("order_pruned", |i, b| {
        *i = order_invoice();
        b.post(&an_order());
        let known = b.history.orders.get_mut("PO-1").unwrap();
        (known.source, known.is_pruned) = (None, true);
    }),
    ("order_elsewhere", |i, b| {
        *i = order_invoice();
        let elsewhere = Elsewhere { connection: "vest".into(), company: "nordlys-vest".into() };
        let known = KnownOrder { elsewhere: Some(elsewhere), ..KnownOrder::default() };
        b.history.orders.insert("PO-1".into(), known);
    }),
    ("order_line_unclear", |i, b| {
        ordered(i, b, |_| {});
        let named = i.lines[0].order.as_mut().unwrap();
        (named.line_key, named.line_number) = (None, None);
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
    ("order_required", |i, b| {
        i.lines.truncate(2);
        b.rules.matching.rules.push(MatchRule {
            vendor: Some("50001".into()),
            order_required: Some(true),
            ..MatchRule::default()
        });
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
    ("price_over", |i, b| {
        ordered(i, b, |line| order_price(line, 9_999));
    }),
    ("price_under", |i, b| {
        ordered(i, b, |line| order_price(line, 10_001));
        b.rules.matching.limits.price_under = Some(none());
    }),
    ("project_not_mapped", |i, b| {
        coded(i, "Project", "P-2031");
        b.rules.mapping.project_dimension = Some("Project".into());
    }),
    ("quantity_over", |i, b| {
        ordered(i, b, |_| {});
        b.history.billed.push(EarlierBilling {
            order: "000401".into(),
            line: 11,
            document: "Invoice 300001".into(),
            kind: InvoiceKind::Invoice,
            quantity: Some(dec("0.01")),
            net: nok(100),
            by_hand: true,
        });
    }),
    ("quantity_under", |i, b| {
        ordered(i, b, |_| {});
        b.rules.matching.limits.quantity_under = Some(QuantityLimit::default());
        // Fewer at a higher price: the same amount.
        i.lines[0].quantity = Some(dec("8"));
        i.lines[0].unit_price = Some(dec("125"));
        b.rules.matching.limits.price_over = Some(Limit { any: true, ..none() });
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
    ("supplier_hierarchy", |_, b| {
        b.vendors.get_mut("V1").unwrap().remit_to = Some("V2".into());
    }),
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
    ("unit_not_convertible", |i, b| {
        ordered(i, b, |line| line.unit = Some("KGM".into()));
    }),
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
    ("vendor_inactive", |_, b| b.vendors.get_mut("V1").unwrap().active = false),
];

fn map_vat(bench: &mut Bench, category: &str) {
    bench.rules.mapping.vat.table.insert("NO-25".into(), category.into());
}

const VALIDATION_CASES: &[(&str, OnInvoice)] = &[
    ("bank_account_changed", |i, b| {
        i.payee = Some(account("1234.56.78903"));
        b.vendors.get_mut("V1").unwrap().bank_accounts = vec![account("8601.11.17947")];
    }),
    ("bank_account_changed", |_, b| {
        b.vendors.get_mut("V1").unwrap().bank_accounts = vec![account("8601.11.17947")];
        b.history.paid_to.push(paid_to("1234.56.78903"));
    }),
    ("bank_account_invalid", |i, _| i.payee = Some(account("1234.56.78904"))),
    ("credit_not_linked", |i, b| {
        i.kind = InvoiceKind::CreditNote;
        b.rules.validation.unlinked_credit = Finding::Hold;
    }),
    ("credit_not_linked", |i, b| {
        i.kind = InvoiceKind::CreditNote;
        i.credits_reference = Some("F-1".into());
        b.history.credited.push(PastInvoice { supplier: "50002".into(), ..past("F-1") });
    }),
    ("credit_too_large", |i, b| {
        i.kind = InvoiceKind::CreditNote;
        i.credits_reference = Some("F-1".into());
        b.history.credited.push(PastInvoice { gross: nok(312_499), ..past("F-1") });
    }),
    ("due_differs", |i, _| i.due_on = Some(date(2026, 11, 12))),
    ("due_differs", |i, _| i.due_on = Some(date(2026, 10, 13))),
    ("duplicate_suspected", |_, b| b.history.alike.push(past("INV 90017"))),
    ("duplicate_suspected", |_, b| b.history.alike.push(past("ORD-2"))),
    ("exchange_rate_differs", |i, _| i.exchange_rate = Some(dec("1.1"))),
    ("exchange_rate_missing", |_, b| {
        b.rules.validation.exchange_rate = ExchangeRateRule::Required;
        b.reference.currencies.get_mut("NOK").unwrap().is_base = false;
        b.reference.currencies.get_mut("EUR").unwrap().is_base = true;
    }),
    ("invoice_in_future", |_, b| b.history.received_on = Some(date(2026, 9, 20))),
    ("invoice_stale", |_, b| b.history.received_on = Some(date(2027, 9, 29))),
    ("line_amount_differs", |i, _| i.lines[0].unit_price = Some(dec("99.99"))),
    ("payment_reference_invalid", |_, b| {
        b.rules.validation.payment_references.no = Finding::Hold;
    }),
    ("payment_reference_invalid", |i, _| i.payment_reference = Some("RF17539007547034".into())),
    ("reverse_charge_taxed", |i, _| i.vendor = vendor("V2")),
    ("rounding_too_large", |i, _| {
        i.charges.push(Charge { kind: ChargeKind::Rounding, amount: nok(51) });
        i.net = Some(nok(250_051));
        i.gross = nok(312_551);
    }),
    ("tax_differs", |i, _| i.lines[0].taxes[0] = taxed("NO-25", 25, 100_000, 25_002)),
    ("tax_differs", |i, _| i.taxes = vec![taxed("NO-25", 25, 250_000, 62_503)]),
    ("tax_differs", |i, _| i.taxes = vec![taxed("NO-25", 25, 249_000, 62_250)]),
];

fn account(number: &str) -> BankAccount {
    BankAccount { kind: BankAccountKind::Bban, number: number.into() }
}

fn paid_to(number: &str) -> PaidTo {
    PaidTo {
        document: "Invoice 299999".into(),
        account: account(number),
        invoiced_on: date(2026, 9, 1),
        paid: true,
    }
}

/// Of the same supplier, amount and day as `an_invoice()`.
fn past(reference: &str) -> PastInvoice {
    PastInvoice {
        document: "Invoice 300001".into(),
        kind: InvoiceKind::Invoice,
        supplier: "50001".into(),
        reference: Some(reference.into()),
        invoiced_on: Some(date(2026, 9, 28)),
        gross: nok(312_500),
        balance: None,
        payment_reference: None,
        status: "Open".into(),
    }
}

fn taxed(code: &str, rate: i64, base: i64, amount: i64) -> TaxLine {
    TaxLine {
        rate: Some(rate.into()),
        base: Some(nok(base)),
        amount: Some(nok(amount)),
        ..tax(code)
    }
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
    ("coding_not_decided", |_, b| {
        b.code("when:amount,then:branch\n1001..,2\n");
        let branch = Branch { number: "2".into(), name: "Bergen".into(), active: true };
        b.reference.branches.insert("2".into(), branch);
    }),
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
    "changed_after_pruning",
    "correction_open",
    "changed_in_visma",
    "doubled_in_visma",
    "ledger_differs",
    "no_route",
    "not_cancellable",
    "not_correctable",
    "refused_by_visma",
    "release_refused",
    "route_changed",
    "several_routes",
    "unreadable",
    "unsettled",
];

#[test]
fn every_code_is_reached_alone() {
    let mut reached: BTreeSet<&str> = ELSEWHERE.iter().copied().collect();
    for (code, change) in INVOICE_CASES.iter().chain(VALIDATION_CASES) {
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
         the mapping table accounts; then release."
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
        "Line 2: the shares add up to 1500.01 NOK, but they divide 1500.00 NOK."
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

#[test]
fn a_deactivated_vendor_is_still_paid_what_it_delivered() {
    let mut bench = Bench::new();
    bench.vendors.get_mut("V1").unwrap().active = false;
    bench.post(&an_order());
    let verdict = bench.verdict(&Document::Invoice(order_invoice()));
    assert!(matches!(verdict.decision, Decision::Plan(_)), "{verdict:?}");
    let remark = "The vendor V1 (Vendor V1) is not active in JAGGAER any more.";
    assert!(verdict.evidence.remarks.iter().any(|found| found == remark), "{verdict:?}");

    let mut credit = an_invoice();
    credit.kind = InvoiceKind::CreditNote;
    assert!(matches!(bench.invoice(&credit), Decision::Plan(_)));
    assert!(matches!(bench.order(&an_order()), Decision::Plan(_)));
}

#[test]
fn an_unknown_supplier_comes_with_whom_it_could_be_and_the_command() {
    let mut bench = Bench::new();
    let known = bench.reference.suppliers.get_mut("50001").unwrap();
    known.name = "Fjord Kontor AS".into();
    known.address = Some(PostalAddress { postal_code: Some("5003".into()), ..Default::default() });
    let stranger = Vendor {
        source_id: "V 9".into(),
        name: "Fjord Kontor ASA".into(),
        active: true,
        address: Some(PostalAddress { postal_code: Some("5003".into()), ..Default::default() }),
        ..Vendor::default()
    };
    bench.vendors.insert("V 9".into(), stranger);
    let mut document = an_invoice();
    document.vendor = vendor("V 9");
    let Decision::Hold(holds) = bench.invoice(&document) else { panic!("a name decided") };
    assert_eq!(
        holds[0].text,
        "The supplier V 9 (Vendor V 9) is not found in Visma. JAGGAER gives no number to look \
         by. It could be 50001 Fjord Kontor AS: same name but for the legal form, same postal code."
    );
    assert!(
        holds[0].fix.ends_with("ml-connector mapping link 'V 9' 50001 --reason \"why\"."),
        "{}",
        holds[0].fix
    );
    bench.rules.mapping.suppliers.insert("V 9".into(), "50001".into());
    assert!(matches!(bench.invoice(&document), Decision::Plan(_)), "a link decides");
}
