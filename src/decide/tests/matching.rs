//! From documents to what is compared: whose words count, what arrived, what was billed.

use super::bench::*;
use super::scene::Scene;
use crate::decide::*;
use crate::matching::{Limit, MatchMode};
use crate::procurement::*;

fn receipt(kind: &str, number: &str, quantity: &str) -> ErpReceipt {
    ErpReceipt {
        receipt_type: kind.into(),
        number: number.into(),
        status: "Released".into(),
        supplier: "50001".into(),
        modified: None,
        version: None,
        lines: vec![ErpReceiptLine {
            unit: Some("STK".into()),
            number: 1,
            order_number: Some("000401".into()),
            order_line: Some(11),
            quantity: Some(dec(quantity)),
        }],
    }
}

fn source_receipt(number: &str, quantity: &str, unit: &str) -> Receipt {
    Receipt {
        source_id: number.into(),
        number: number.into(),
        received_on: None,
        cancelled: false,
        lines: vec![ReceiptLine {
            order_number: "PO-1".into(),
            order_line_number: Some("1".into()),
            order_line_key: None,
            quantity: Some(dec(quantity)),
            unit: Some(unit.into()),
            amount: None,
        }],
    }
}

/// Only line 1 of the order: 10 EA at 100.00.
fn bench() -> (Bench, SupplierInvoice) {
    let mut bench = Bench::new();
    bench.post(&an_order());
    bench.history.orders.get_mut("PO-1").unwrap().source = Some(an_order());
    let mut invoice = order_invoice();
    invoice.lines.truncate(1);
    (invoice.net, invoice.tax, invoice.gross) =
        (Some(nok(100_000)), Some(nok(25_000)), nok(125_000));
    (bench, invoice)
}

fn verdict(bench: &Bench, invoice: &SupplierInvoice) -> Verdict {
    let suppliers = crate::mapping::SupplierIndex::new(&bench.reference);
    crate::decide::document(
        &Document::Invoice(invoice.clone()),
        &Inputs {
            rules: &bench.rules,
            reference: &bench.reference,
            suppliers: &suppliers,
            vendors: &bench.vendors,
            history: &bench.history,
        },
    )
}

#[test]
fn what_arrived_is_the_larger_of_the_two_ledgers_less_what_went_back() {
    type Case<'a> = (&'a str, Vec<ErpReceipt>, Vec<Receipt>, Option<&'a str>);
    let cases: Vec<Case<'_>> = vec![
        ("nothing", vec![], vec![], Some("10 billed, 0 received: 10 more must arrive")),
        ("all in Visma", vec![receipt("PoReceipt", "R1", "10")], vec![], None),
        (
            "part of it went back",
            vec![receipt("PoReceipt", "R1", "10"), receipt("PoReturn", "R2", "3")],
            vec![],
            Some("10 billed, 7 received: 3 more must arrive"),
        ),
        ("all in JAGGAER", vec![], vec![source_receipt("G1", "10", "EA")], None),
        ("in dozens", vec![], vec![source_receipt("G1", "1", "DZN")], None),
        (
            "the same goods in both",
            vec![receipt("PoReceipt", "R1", "6")],
            vec![source_receipt("G1", "6", "EA")],
            Some("10 billed, 6 received: 4 more must arrive"),
        ),
    ];
    for (about, erp, source, expected) in cases {
        let (mut bench, invoice) = bench();
        bench.rules.matching.mode = MatchMode::ThreeWay;
        bench.history.receipts = erp;
        bench.history.source_receipts = source;
        let verdict = verdict(&bench, &invoice);
        match (&verdict.decision, expected) {
            (Decision::Plan(_), None) => {}
            (Decision::Wait(waits), Some(expected)) => {
                assert_eq!(waits[0].on, WaitFor::Receipt("000401".into()), "{about}");
                assert_eq!(waits[0].text, format!("Line 1: {expected}."), "{about}");
            }
            (other, _) => panic!("{about}: {other:?}"),
        }
        assert_eq!(verdict.evidence.matches[0].kind, MatchKind::ThreeWay, "{about}");
    }
}

#[test]
fn a_cancelled_receipt_and_one_of_another_order_count_for_nothing() {
    let (mut bench, invoice) = bench();
    bench.rules.matching.mode = MatchMode::ThreeWay;
    let mut cancelled = source_receipt("G1", "10", "EA");
    cancelled.cancelled = true;
    let mut other = source_receipt("G2", "10", "EA");
    other.lines[0].order_number = "PO-2".into();
    bench.history.source_receipts = vec![cancelled, other];
    assert!(matches!(bench.invoice(&invoice), Decision::Wait(_)));
}

#[test]
fn every_line_says_what_it_was_compared_with_or_why_not() {
    let (bench, mut invoice) = bench();
    let text = |invoice: &SupplierInvoice| {
        let matched = verdict(&bench, invoice).evidence.matches.remove(0);
        (matched.kind, matched.order, matched.quantity, matched.text)
    };
    let (kind, order, quantity, words) = text(&invoice);
    assert_eq!((kind, order), (MatchKind::TwoWay, Some(("000401".to_owned(), 11))));
    assert_eq!(quantity, Some(dec("10")));
    assert_eq!(
        words,
        "line 1 of order PO-1: price 100.00 against 100.00; quantity 10 against 10 ordered"
    );
    invoice.lines[0].order = None;
    let (kind, order, _, words) = text(&invoice);
    assert_eq!((kind, order), (MatchKind::NotMatched, None));
    assert_eq!(words, "names no order: posted by its own coding");
}

#[test]
fn dozens_on_the_invoice_bill_pieces_on_the_order() {
    let (bench, mut invoice) = bench();
    let line = &mut invoice.lines[0];
    (line.quantity, line.unit_price) = (Some(dec("0.5")), Some(dec("1200")));
    line.unit = Some("DZN".into());
    line.net = nok(60_000);
    line.distributions[0].amount = Some(nok(60_000));
    (invoice.net, invoice.tax, invoice.gross) = (Some(nok(60_000)), Some(nok(15_000)), nok(75_000));
    let mut bench = bench;
    bench.rules.mapping.units.table.insert("DZN".into(), "DUS".into());
    let verdict = verdict(&bench, &invoice);
    assert!(matches!(verdict.decision, Decision::Plan(_)), "{:?}", verdict.decision);
    assert_eq!(verdict.evidence.matches[0].quantity, Some(dec("6")));
}

#[test]
fn without_links_an_order_that_never_came_is_not_waited_for_and_one_that_came_is_compared() {
    let (mut bench, mut invoice) = bench();
    bench.rules.invoices.link = false;
    assert_eq!(bench.invoice_plan(&invoice).lines[0].link, None);
    invoice.lines[0].quantity = Some(dec("10.5"));
    assert_eq!(codes(&bench.invoice(&invoice)), ["quantity_over"]);
    bench.history.orders.clear();
    let verdict = verdict(&bench, &invoice);
    assert!(matches!(verdict.decision, Decision::Plan(_)));
    assert!(verdict.evidence.matches[0].text.contains("has not come"));
}

#[test]
fn a_credit_note_gives_back_what_was_billed_and_no_more() {
    for (billed, quantity, expected) in
        [(None, "10", true), (Some("10"), "10", true), (Some("9.5"), "10", false)]
    {
        let (mut bench, mut invoice) = bench();
        invoice.kind = InvoiceKind::CreditNote;
        invoice.due_on = None;
        invoice.lines[0].quantity = Some(dec(quantity));
        bench.history.billed.extend(billed.map(|quantity| EarlierBilling {
            order: "000401".into(),
            line: 11,
            document: "Invoice 300001".into(),
            kind: InvoiceKind::Invoice,
            quantity: Some(dec(quantity)),
            net: nok(100_000),
            by_hand: false,
        }));
        match (bench.invoice(&invoice), expected) {
            (Decision::Plan(_), true) => {}
            (held, false) => assert_eq!(codes(&held), ["quantity_over"]),
            (other, true) => panic!("{billed:?}: {other:?}"),
        }
    }
}

#[test]
fn numbers_beyond_all_reason_are_told_and_crash_nothing() {
    for quantity in ["-79228162514264337593543950335", "79228162514264337593543950335"] {
        let (mut bench, invoice) = bench();
        bench.rules.matching.mode = MatchMode::ThreeWay;
        let source = bench.history.orders.get_mut("PO-1").unwrap().source.as_mut().unwrap();
        source.lines[0].quantity = Some(dec(quantity));
        bench.history.receipts = vec![receipt("PoReceipt", "R1", "700000000000000000000000000")];
        // What of it could count is far from any amount: it counts for nothing.
        assert!(matches!(bench.invoice(&invoice), Decision::Wait(_)), "{quantity}");
    }
}

/// 1000.00 is billed; by the whole order no more may be than is left on it.
#[test]
fn what_is_left_on_an_order_is_its_lines_in_force_where_visma_says_no_net() {
    for (cancelled, expected) in [(false, &[][..]), (true, &["header_over"])] {
        let mut scene = Scene::by_hand();
        scene.bench.rules.matching.limits.header_over = Some(Limit::default());
        let erp = scene.erp();
        erp.net = None;
        let mut other = erp.lines[0].clone();
        (other.number, other.cancelled, other.amount) = (12, cancelled, Some(nok(5_000)));
        other.description = Some("Frakt".into());
        (erp.lines[0].amount, erp.lines[0].quantity) = (Some(nok(95_000)), Some(dec("10")));
        erp.lines.push(other);
        scene.bench.rules.matching.limits.price_over =
            Some(Limit { any: true, ..Limit::default() });
        assert_eq!(scene.outcome(), expected, "cancelled: {cancelled}");
    }
}

/// It names a line by its number alone, and the order has no such line.
#[test]
fn a_line_number_that_the_order_does_not_have_is_unknown_and_not_unclear() {
    for (line_number, expected) in [(Some("9"), "order_line_unknown"), (None, "order_line_unclear")]
    {
        let mut scene = Scene::ours();
        let named = scene.invoice.lines[0].order.as_mut().expect("it names the order");
        (named.line_key, named.line_number) = (None, line_number.map(str::to_owned));
        assert_eq!(scene.outcome(), [expected], "{line_number:?}");
    }
}

/// The contract names no vendor, or the invoice's is known by its number in Visma alone: that nobody says
/// who it is does not make it another.
#[test]
fn a_contract_is_with_another_supplier_only_where_both_are_named() {
    for (agreed, billing, expected) in [
        (None, Some("V1"), &[][..]),
        (Some("V9"), None, &[]),
        (None, None, &[]),
        (Some("V9"), Some("V1"), &["contract_not_valid"]),
        (Some("V2"), None, &["contract_not_valid"]),
    ] {
        let mut scene = Scene::ours();
        scene.source().lines[0].contract = Some("C-1".into());
        let reference = |id: Option<&str>| VendorRef {
            source_id: id.map(str::to_owned),
            ..VendorRef::default()
        };
        let contract = Contract {
            source_id: "C-1".into(),
            number: "C-1".into(),
            in_force: true,
            vendor: reference(agreed),
            starts_on: None,
            ends_on: None,
            ceiling: None,
            consumed: None,
        };
        scene.bench.history.contracts.insert("C-1".into(), contract);
        scene.invoice.vendor = reference(billing);
        scene.invoice.vendor.erp_number = billing.is_none().then(|| "50001".into());
        assert_eq!(scene.outcome(), expected, "{agreed:?} {billing:?}");
    }
}
