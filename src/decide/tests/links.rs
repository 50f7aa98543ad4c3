use super::bench::*;
use crate::decide::*;
use crate::matching::MatchMode;
use crate::procurement::*;

fn links(plan: &InvoicePlan) -> Vec<Option<i64>> {
    plan.lines
        .iter()
        .map(|line| match &line.link {
            Some(Link::Order { number, line }) => {
                assert_eq!(number, "000401");
                Some(*line)
            }
            Some(Link::Receipt { .. }) => panic!("not a receipt"),
            None => None,
        })
        .collect()
}

#[test]
fn each_share_is_linked_to_its_share_of_the_order_line() {
    let mut bench = Bench::new();
    bench.post(&an_order());
    assert_eq!(links(&bench.invoice_plan(&order_invoice())), [Some(11), Some(12), Some(13)]);
    bench.rules.invoices.link = false;
    bench.history.orders.clear();
    assert_eq!(links(&bench.invoice_plan(&order_invoice())), [None, None, None]);
}

#[test]
fn the_order_line_is_found_in_every_way_it_can_be_named() {
    type Change = fn(&mut SupplierInvoice, &mut KnownOrder);
    fn named(invoice: &mut SupplierInvoice) -> impl Iterator<Item = &mut OrderLineRef> {
        invoice.lines.iter_mut().filter_map(|line| line.order.as_mut())
    }
    fn keyed_by_hand(known: &mut KnownOrder) {
        let erp = known.erp.as_mut().expect("posted");
        erp.our_key = None;
        erp.lines.iter_mut().for_each(|line| line.our_key = None);
    }
    let all = [Some(11), Some(12), Some(13)];
    let cases: &[(&str, Change, [Option<i64>; 3])] = &[
        ("by number alone", |i, _| named(i).for_each(|n| n.line_key = None), all),
        (
            "by an unknown key and the number",
            |i, _| named(i).for_each(|n| n.line_key = Some("?".into())),
            all,
        ),
        ("adopted: no keys in the ERP", |_, k| keyed_by_hand(k), all),
        ("our keys in the ERP, the plan is lost", |_, k| k.plan = None, all),
        (
            "keyed in by hand and never delivered: by what the line says",
            |_, k| {
                keyed_by_hand(k);
                (k.plan, k.received) = (None, None);
                let erp = k.erp.as_mut().expect("posted");
                erp.lines.remove(2);
            },
            // The second share finds no line of its own.
            [Some(11), Some(12), None],
        ),
        (
            "the same by price, in other words",
            |i, k| {
                keyed_by_hand(k);
                (k.plan, k.received) = (None, None);
                k.erp.as_mut().expect("posted").lines.remove(2);
                i.lines.iter_mut().for_each(|line| line.description = "X".into());
                named(i).for_each(|n| (n.line_key, n.line_number) = (None, None));
            },
            [Some(11), Some(12), None],
        ),
        (
            "two invoice lines bill one order line: the first is linked",
            |i, _| {
                let first = i.lines[0].order.clone();
                i.lines[1].order = first;
            },
            [Some(11), None, None],
        ),
        (
            "a line without an order among them",
            |i, _| i.lines[0].order = None,
            [None, Some(12), Some(13)],
        ),
        ("ignored here, but in the ERP", |_, k| k.received = Some(OrderState::Ignored), all),
    ];
    for (about, change, expected) in cases {
        let mut bench = Bench::new();
        // Only what is found counts here, not whether it agrees.
        bench.rules.matching.mode = MatchMode::Off;
        bench.post(&an_order());
        let mut document = order_invoice();
        change(&mut document, bench.history.orders.get_mut("PO-1").unwrap());
        assert_eq!(links(&bench.invoice_plan(&document)), expected, "{about}");
    }
}

#[test]
fn which_of_two_claims_on_an_order_line_wins_does_not_depend_on_their_order() {
    let mut bench = Bench::new();
    bench.rules.matching.mode = MatchMode::Off;
    bench.post(&an_order());
    let mut document = order_invoice();
    document.lines[1].order = document.lines[0].order.clone();
    document.lines.reverse();
    // `IL1/1` comes first by its key, wherever it stands.
    assert_eq!(links(&bench.invoice_plan(&document)), [None, None, Some(11)]);
}

#[test]
fn an_invoice_waits_for_its_order() {
    type Change = fn(&mut BTreeMap<String, KnownOrder>);
    fn known(orders: &mut BTreeMap<String, KnownOrder>) -> &mut KnownOrder {
        orders.get_mut("PO-1").expect("posted")
    }
    let cases: &[(&str, Change)] = &[
        ("has not come", |orders| orders.clear()),
        ("has not come", |orders| {
            let known = known(orders);
            (known.received, known.plan) = (None, None);
            known.erp.as_mut().expect("posted").supplier = "50002".into();
        }),
        ("on its way", |orders| known(orders).received = Some(OrderState::InFlight)),
        ("is held", |orders| known(orders).received = Some(OrderState::Held)),
        ("not yet seen", |orders| known(orders).erp = None),
    ];
    for (words, change) in cases {
        let mut bench = Bench::new();
        bench.post(&an_order());
        change(&mut bench.history.orders);
        let Decision::Wait(waits) = bench.invoice(&order_invoice()) else {
            panic!("{words}: does not wait")
        };
        assert_eq!(waits.len(), 1, "one wait for one order: {waits:?}");
        assert_eq!(waits[0].on, WaitFor::Order("PO-1".into()));
        assert!(waits[0].text.contains(words), "{}", waits[0].text);
        // What a person must do is said at once, not after the wait.
        let held = SupplierInvoice { supplier_reference: None, ..order_invoice() };
        assert_eq!(codes(&bench.invoice(&held)), ["supplier_reference_missing"]);
    }
}

/// Before go-live, say, and not in Visma: only a link needs it to stand there.
#[test]
fn an_order_that_was_not_taken_holds_only_an_invoice_that_is_linked() {
    let mut bench = Bench::new();
    bench.post(&an_order());
    let known = bench.history.orders.get_mut("PO-1").unwrap();
    (known.received, known.plan, known.erp) = (Some(OrderState::Ignored), None, None);
    assert_eq!(codes(&bench.invoice(&order_invoice())), ["order_not_taken"]);
    bench.rules.invoices.link = false;
    let verdict = bench.verdict(&Document::Invoice(order_invoice()));
    assert!(matches!(verdict.decision, Decision::Plan(_)), "{:?}", verdict.decision);
    assert_eq!(verdict.evidence.matches[0].text, "Order PO-1 is not in Visma.");
}

#[test]
fn several_orders_on_one_invoice() {
    let mut bench = Bench::new();
    bench.post(&an_order());
    let mut document = order_invoice();
    document.lines[1].order.as_mut().unwrap().order_number = "PO-2".into();
    let Decision::Wait(waits) = bench.invoice(&document) else { panic!("does not wait") };
    assert_eq!(waits[0].on, WaitFor::Order("PO-2".into()));
    bench.post(&PurchaseOrder { number: "PO-2".into(), ..an_order() });
    bench.history.orders.get_mut("PO-2").unwrap().erp.as_mut().unwrap().number = "000402".into();
    let plan = bench.invoice_plan(&document);
    let numbers: Vec<_> = plan
        .lines
        .iter()
        .map(|line| match &line.link {
            Some(Link::Order { number, line }) => (number.as_str(), *line),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [("000401", 11), ("000402", 12), ("000402", 13)]);
}

#[test]
fn a_stock_line_is_billed_by_its_receipt() {
    let mut bench = Bench::new();
    bench.post(&an_order());
    let erp = bench.history.orders.get_mut("PO-1").unwrap().erp.as_mut().unwrap();
    erp.lines[0].line_type = Some("GoodsForInventory".into());
    let Decision::Wait(waits) = bench.invoice(&order_invoice()) else { panic!("does not wait") };
    assert_eq!(waits[0].on, WaitFor::Receipt("000401".into()));

    let receipt = |number: &str, status: &str, line: i64, quantity: &str| ErpReceipt {
        receipt_type: "PoReceipt".into(),
        number: number.into(),
        status: status.into(),
        supplier: "50001".into(),
        modified: None,
        version: None,
        lines: vec![ErpReceiptLine {
            unit: None,
            number: line,
            order_number: Some("000401".into()),
            order_line: Some(11),
            quantity: Some(dec(quantity)),
        }],
    };
    bench.history.receipts = vec![receipt("R0", "Hold", 1, "10")];
    assert!(matches!(bench.invoice(&order_invoice()), Decision::Wait(_)));
    let mut returned = receipt("R3", "Released", 1, "10");
    returned.receipt_type = "PoReturn".into();
    bench.history.receipts =
        vec![returned, receipt("R1", "Released", 4, "3"), receipt("R2", "Released", 7, "10")];
    let plan = bench.invoice_plan(&order_invoice());
    assert_eq!(plan.lines[0].link, Some(Link::Receipt { number: "R2".into(), line: 7 }));
    assert_eq!(plan.lines[1].link, Some(Link::Order { number: "000401".into(), line: 12 }));
}
