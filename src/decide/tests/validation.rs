//! The invoice itself: what passes with a remark, what is posted otherwise than it stands.

use super::bench::*;
use crate::decide::*;
use crate::mapping::SupplierIndex;
use crate::procurement::*;
use crate::validation::Finding;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The remarks of an invoice that must be postable.
fn remarks(bench: &Bench, invoice: &SupplierInvoice) -> Vec<String> {
    let suppliers = SupplierIndex::new(&bench.reference);
    let inputs = Inputs {
        rules: &bench.rules,
        reference: &bench.reference,
        suppliers: &suppliers,
        vendors: &bench.vendors,
        history: &bench.history,
    };
    let verdict = document(&Document::Invoice(invoice.clone()), &inputs);
    assert!(matches!(verdict.decision, Decision::Plan(_)), "{:?}", verdict.decision);
    verdict.evidence.remarks
}

fn past(kind: InvoiceKind, reference: &str, minor: i64) -> PastInvoice {
    PastInvoice {
        document: "Invoice 300001".into(),
        kind,
        supplier: "50001".into(),
        reference: Some(reference.into()),
        invoiced_on: Some(date(2026, 9, 20)),
        gross: nok(minor),
        balance: Some(nok(0)),
        payment_reference: None,
        status: "Closed".into(),
    }
}

#[test]
fn what_is_worth_a_remark_stops_nothing() {
    type Change = fn(&mut SupplierInvoice, &mut Bench);
    let cases: [(&str, Change, &str); 9] = [
        (
            "a KID that does not check",
            |_, _| {},
            "The payment reference 004711009283 is not a Norwegian KID: its check digits do not fit.",
        ),
        (
            "an account with nothing to compare",
            |i, _| {
                i.payee = Some(BankAccount {
                    kind: BankAccountKind::Bban,
                    number: "8601.11.17947".into(),
                });
            },
            "The invoice asks to be paid on account 8601.11.17947; there is nothing to compare it with.",
        ),
        (
            "a discount that the source does not show",
            |i, _| i.lines[0].unit_price = Some(dec("110")),
            "Line 1: it bills 1000.00 NOK, less than the 1100.00 NOK of quantity times price; a \
             discount, as it seems.",
        ),
        (
            "the supplier's usual terms",
            |i, b| {
                i.terms = None;
                i.due_on = Some(date(2026, 12, 28));
                b.reference.suppliers.get_mut("50001").unwrap().credit_terms = Some("30".into());
            },
            "It is due on 2026-12-28, but the terms 30 (30 days) give 2026-10-28: 61 days later.",
        ),
        (
            "a credit note that names nothing",
            |i, _| i.kind = InvoiceKind::CreditNote,
            "The credit note does not say which invoice it credits.",
        ),
        (
            "a credit note for what is not known",
            |i, _| {
                i.kind = InvoiceKind::CreditNote;
                i.credits_reference = Some("F-1".into());
            },
            "The credit note credits invoice F-1, which is not known of this supplier.",
        ),
        (
            "a credit note for a paid invoice",
            |i, b| {
                i.kind = InvoiceKind::CreditNote;
                i.credits_reference = Some("F-1".into());
                b.history.credited.push(past(InvoiceKind::Invoice, "F-1", 312_500));
            },
            "Of Invoice 300001 only 0.00 NOK is left to pay; the rest of the credit note stands to our credit.",
        ),
        (
            "tax shown and not charged",
            |i, _| {
                i.vendor = vendor("V2");
                i.tax = Some(nok(0));
                i.gross = nok(250_000);
                i.taxes = vec![TaxLine {
                    code: Some("EU-RC".into()),
                    rate: Some(dec("25")),
                    base: Some(nok(250_000)),
                    amount: Some(nok(62_500)),
                }];
            },
            "The invoice shows 625.00 NOK of VAT (EU-RC (25 %)) that the buyer owes.",
        ),
        (
            "a closed period",
            |i, b| {
                i.accounting_on = Some(date(2026, 8, 31));
                b.rules.invoices.closed_period = ClosedPeriod::NextOpen;
            },
            "Period 202608, where 2026-08-31 belongs, is closed: it is booked on 2026-09-01, in period 202609.",
        ),
    ];
    for (about, change, expected) in cases {
        let (mut document, mut bench) = (an_invoice(), Bench::new());
        bench.rules.validation.payment_references.no = Finding::Remark;
        change(&mut document, &mut bench);
        let found = remarks(&bench, &document);
        assert!(found.iter().any(|remark| remark == expected), "{about}: {found:#?}");
    }
}

/// How the supplier was found is always told.
const BY_NUMBER: &str = "Supplier 50001 by organisation number 988077917.";

#[test]
fn a_clean_invoice_has_no_other_remark() {
    let (mut bench, mut document) = (Bench::new(), an_invoice());
    document.payment_reference = Some("2345676".into());
    let account = |number: &str| BankAccount { kind: BankAccountKind::Iban, number: number.into() };
    document.payee = Some(account("NO93 8601 1117 947"));
    bench.vendors.get_mut("V1").unwrap().bank_accounts = vec![account("NO9386011117947")];
    bench.history.received_on = Some(date(2026, 9, 29));
    document.taxes = vec![TaxLine {
        code: Some("NO-25".into()),
        rate: Some(dec("25.00")),
        base: Some(nok(250_000)),
        amount: Some(nok(62_500)),
    }];
    assert_eq!(remarks(&bench, &document), [BY_NUMBER]);
    bench.rules.validation.payment_references.no = Finding::Off;
    document.payment_reference = Some("004711009283".into());
    assert_eq!(remarks(&bench, &document), [BY_NUMBER]);
}

#[test]
fn the_next_open_period() {
    let mut bench = Bench::new();
    bench.rules.invoices.closed_period = ClosedPeriod::NextOpen;
    let of_august = SupplierInvoice { accounting_on: Some(date(2026, 8, 31)), ..an_invoice() };
    let plan = bench.invoice_plan(&of_august);
    assert_eq!((plan.document_on, plan.period.as_str()), (date(2026, 9, 1), "202609"));
    assert_eq!(plan.invoiced_on, date(2026, 9, 28));
    bench.reference.periods.get_mut("202609").unwrap().active = false;
    bench.reference.periods.get_mut("202610").unwrap().closed_in_supplier_ledger = true;
    assert_eq!(bench.invoice_plan(&of_august).period, "202611");
    // An inactive period is not a closed one, and a day without a period is no day to move.
    let of_december = SupplierInvoice { accounting_on: Some(date(2026, 12, 31)), ..an_invoice() };
    assert_eq!(codes(&bench.invoice(&of_december)), ["period_inactive"]);
    bench.reference.periods.get_mut("202611").unwrap().closed_in_supplier_ledger = true;
    assert_eq!(codes(&bench.invoice(&of_august)), ["period_closed"]);
}

#[test]
fn accounts_that_were_paid_before_pass() {
    let mut bench = Bench::new();
    let account = |number: &str| BankAccount { kind: BankAccountKind::Bban, number: number.into() };
    bench.vendors.get_mut("V1").unwrap().bank_accounts = vec![account("8601.11.17947")];
    let document = SupplierInvoice { payee: Some(account("1234.56.78903")), ..an_invoice() };
    let mut earlier = PaidTo {
        document: "Invoice 299999".into(),
        account: account("12345678903"),
        invoiced_on: date(2026, 9, 1),
        paid: false,
    };
    bench.history.paid_to = vec![earlier.clone()];
    assert_eq!(codes(&bench.invoice(&document)), ["bank_account_changed"], "billed, never paid");
    earlier.paid = true;
    bench.history.paid_to = vec![earlier];
    bench.invoice_plan(&document);
    bench.history.paid_to.clear();
    bench.reference.suppliers.get_mut("50001").unwrap().bank_accounts =
        vec![account("1234 56 78903")];
    bench.invoice_plan(&document);
    // A credit note pays nothing.
    bench.reference.suppliers.get_mut("50001").unwrap().bank_accounts.clear();
    bench.invoice_plan(&SupplierInvoice { kind: InvoiceKind::CreditNote, ..document });
}

#[test]
fn taxes_are_looked_at_rate_by_rate() {
    let stated = |code: &str, rate: i64, base: i64, amount: i64| TaxLine {
        code: Some(code.into()),
        rate: Some(rate.into()),
        base: Some(nok(base)),
        amount: Some(nok(amount)),
    };
    // 1000.00 at 25 % and 1500.00 at 15 %.
    let mut document = an_invoice();
    document.lines[1].taxes = vec![tax("NO-15")];
    document.tax = Some(nok(47_500));
    document.gross = nok(297_500);
    document.taxes =
        vec![stated("NO-25", 25, 100_000, 25_000), stated("NO-15", 15, 150_000, 22_500)];
    let bench = Bench::new();
    bench.invoice_plan(&document);
    // An øre here or there is rounding; what is moved between the rates is not.
    document.taxes[0].amount = Some(nok(25_001));
    document.taxes[1].amount = Some(nok(22_499));
    bench.invoice_plan(&document);
    document.taxes[0].amount = Some(nok(25_005));
    document.taxes[1].amount = Some(nok(22_495));
    assert_eq!(codes(&bench.invoice(&document)), ["tax_differs"; 4]);
    // A wrong total is one fault, and the taxes tell where to look.
    document.taxes[0].amount = Some(nok(35_000));
    document.taxes[1].amount = Some(nok(22_500));
    document.tax = Some(nok(57_500));
    document.gross = nok(307_500);
    assert_eq!(codes(&bench.invoice(&document)), ["gross_differs"]);
}

#[test]
fn lines_that_the_coding_table_gives_another_vat_category_contradict_no_header() {
    let mut document = an_invoice();
    let stated = |amount: i64| TaxLine {
        code: Some("NO-25".into()),
        rate: Some(25.into()),
        base: Some(nok(250_000)),
        amount: Some(nok(amount)),
    };
    document.taxes = vec![stated(62_500)];
    let mut bench = Bench::new();
    bench.invoice_plan(&document);
    // The same rate in another box of the VAT return.
    let same_rate = bench.reference.vat_categories["K25"].clone();
    bench.reference.vat_categories.insert("K25X".into(), same_rate);
    bench.code("when:amount;then:vat_category\n1200..;K25X\n");
    let plan = bench.invoice_plan(&document);
    let categories: BTreeSet<&str> =
        plan.lines.iter().map(|line| line.vat_category.as_str()).collect();
    assert_eq!(categories, BTreeSet::from(["K25", "K25X"]));
    // Its own arithmetic is still looked at.
    document.taxes = vec![stated(61_500)];
    document.tax = Some(nok(62_500));
    assert!(codes(&bench.invoice(&document)).contains(&"tax_differs"));
}

#[test]
fn lines_that_include_tax_are_posted_without_it() {
    let mut bench = Bench::new();
    let mut document = an_invoice();
    // 1250.00 and 1875.00, shared 1125.00 and 750.00.
    document.prices_include_tax = true;
    document.net = None;
    for (line, gross) in document.lines.iter_mut().zip([125_000, 187_500]) {
        line.net = nok(gross);
        line.unit_price = line.unit_price.map(|price| price * dec("1.25"));
        for share in &mut line.distributions {
            share.amount = share.amount.map(|amount| nok(amount.minor * 5 / 4));
        }
    }
    let plan = bench.invoice_plan(&document);
    assert_eq!(plan, bench.invoice_plan(&an_invoice()), "the same invoice, told otherwise");
    assert_eq!(
        bench.invoice_plan(&SupplierInvoice { net: Some(nok(250_000)), ..document.clone() }),
        plan
    );
    // The coding table may say what VAT they include.
    let mut untaxed = document.clone();
    untaxed.lines.iter_mut().for_each(|line| line.taxes.clear());
    bench.code("when:amount;then:vat_category\n0..;K25\n");
    assert_eq!(bench.invoice_plan(&untaxed), plan);
    bench.code("when:amount;then:vat_category\n");
    // A net that contradicts the lines, and lines that contradict the gross.
    let contradicts = SupplierInvoice { net: Some(nok(260_000)), ..document.clone() };
    assert_eq!(codes(&bench.invoice(&contradicts)), ["lines_unbalanced", "total_unbalanced"]);
    let short = SupplierInvoice { gross: nok(312_600), tax: None, ..document.clone() };
    assert_eq!(codes(&bench.invoice(&short)), ["lines_unbalanced"]);
    // What VAT they include cannot be told.
    let unknown = SupplierInvoice { vendor: vendor("V9"), ..document.clone() };
    assert_eq!(codes(&bench.invoice(&unknown)), ["supplier_unknown"]);
    // 1.02 contains 0.20 of tax; 0.81 gives that, and 0.01 is left.
    document.lines.truncate(1);
    document.lines[0].distributions[0].amount = None;
    document.lines[0].net = nok(102);
    (document.lines[0].quantity, document.lines[0].unit_price) = (None, None);
    (document.tax, document.gross) = (Some(nok(20)), nok(102));
    let plan = bench.invoice_plan(&document);
    let costs: Vec<(&str, i64)> =
        plan.lines.iter().map(|line| (line.key.as_str(), line.cost.minor)).collect();
    assert_eq!(costs, [("IL1/1", 81), ("charge/rounding", 1)]);
    assert_eq!((plan.vat, plan.gross), (nok(20), nok(102)));
    bench.rules.charges.remove(&ChargeKind::Rounding);
    assert_eq!(codes(&bench.invoice(&document)), ["charge_not_mapped"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn lines_with_tax_lose_and_gain_nothing(
        lines in prop::collection::vec((-100_000_i64..1_000_000, 0_usize..3), 1..20),
        per_line in any::<bool>(),
        freight in 0_i64..50_000,
    ) {
        let codes = ["NO-25", "NO-15", "NO-0"];
        let mut document = an_invoice();
        document.prices_include_tax = true;
        document.lines = lines
            .iter()
            .enumerate()
            .map(|(nth, (gross, code))| InvoiceLine {
                key: format!("K{nth}"),
                net: nok(*gross),
                quantity: None,
                unit_price: None,
                taxes: vec![tax(codes[*code])],
                distributions: vec![share("6540", "110", Some(nok(*gross)))],
                ..an_invoice().lines[0].clone()
            })
            .collect();
        document.charges = vec![Charge { kind: ChargeKind::Shipping, amount: nok(freight) }];
        let gross = lines.iter().map(|(gross, _)| gross).sum::<i64>() + freight;
        prop_assume!(gross >= 0);
        (document.net, document.tax, document.gross) = (None, None, nok(gross));
        let mut bench = Bench::new();
        // What is left over is not a rounding that the supplier asks for.
        bench.rules.validation.rounding_limits.insert("NOK".into(), 0);
        bench.rules.invoices.vat_rounding =
            if per_line { VatRounding::PerLine } else { VatRounding::PerRate };
        let plan = bench.invoice_plan(&document);
        let net: i64 = plan.lines.iter().map(|line| line.cost.minor).sum();
        prop_assert_eq!(net + plan.vat.minor, gross);
        let rounding = plan.lines.iter().find(|line| line.key == "charge/rounding");
        let sums = if per_line { lines.len() as i64 + 1 } else { 2 };
        prop_assert!(rounding.is_none_or(|line| line.cost.minor.abs() <= sums));
    }
}
