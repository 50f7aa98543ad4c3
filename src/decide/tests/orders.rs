use super::bench::*;
use crate::decide::*;
use crate::procurement::*;
use jiff::civil::date;

#[test]
fn an_order_becomes_a_complete_plan() {
    let mut bench = Bench::new();
    let item = ItemRule { inventory: "LAGER-1".into(), line_type: "GoodsForInventory".into() };
    bench.rules.orders.items.insert("FK-1".into(), item);
    let mut document = an_order();
    document.lines[1].item = Some("FK-1".into());
    document.lines[1].requested_on = Some(date(2026, 10, 1));
    let plan = bench.order_plan(&document);
    assert_eq!((plan.number.as_str(), plan.supplier.as_str()), ("PO-1", "50001"));
    assert_eq!((plan.net, plan.start), (nok(250_000), OrderStart::Hold));
    let lines: Vec<_> = plan
        .lines
        .iter()
        .map(|line| {
            (
                line.key.as_str(),
                line.line_type.as_str(),
                line.inventory.as_deref().unwrap_or_default(),
                line.amount.minor,
                line.promised_on.map(|day| day.day()),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("L1/1", "Service", "TJENESTE", 100_000, Some(5)),
            ("L2/1", "GoodsForInventory", "LAGER-1", 90_000, Some(1)),
            ("L2/2", "GoodsForInventory", "LAGER-1", 60_000, Some(1)),
        ]
    );
}

#[test]
fn cancelled_lines_are_absent_and_all_cancelled_is_a_cancelled_order() {
    let bench = Bench::new();
    let mut document = an_order();
    document.lines[1].cancelled = true;
    // What is wrong with a line that went does not matter.
    document.lines[1].unit = Some("PAL".into());
    document.net = Some(nok(100_000));
    assert_eq!(bench.order_plan(&document).lines.len(), 1);
    document.lines[0].cancelled = true;
    assert_eq!(bench.order(&document), Decision::Cancel);
    assert_eq!(
        bench.order(&PurchaseOrder { ripeness: Ripeness::Cancelled, ..an_order() }),
        Decision::Cancel
    );
    assert_eq!(
        bench.order(&PurchaseOrder { ripeness: Ripeness::NotYet, ..an_order() }),
        Decision::NotRipe
    );
    let old = PurchaseOrder { ordered_on: date(2026, 8, 31), ..an_order() };
    assert!(matches!(bench.order(&old), Decision::Ignore(_)));
}

#[test]
fn an_order_keyed_in_by_hand_is_adopted_when_it_is_the_same() {
    type Change = fn(&mut ErpOrder);
    let cases: &[(&str, Change, &str)] = &[
        ("as planned", |_| {}, "adopt"),
        ("lines in another order", |e| e.lines.reverse(), "adopt"),
        ("other words", |e| e.lines[0].description = Some("Stoler".into()), "adopt"),
        ("no net given", |e| e.net = None, "adopt"),
        (
            "a cancelled line does not count",
            |e| {
                let mut line = e.lines[0].clone();
                (line.number, line.cancelled) = (99, true);
                e.lines.push(line);
            },
            "adopt",
        ),
        ("another net", |e| e.net = Some(nok(1)), "differs"),
        ("another currency", |e| e.currency = Currency::parse("EUR").expect("a code"), "differs"),
        (
            "a line less",
            |e| {
                e.lines.pop();
            },
            "differs",
        ),
        ("another amount", |e| e.lines[0].amount = Some(nok(99_999)), "differs"),
        ("another supplier's", |e| e.supplier = "50002".into(), "plan"),
        ("cancelled", |e| e.status = "Cancelled".into(), "plan"),
        ("made by us", |e| e.our_key = Some("key".into()), "plan"),
    ];
    for (about, change, expected) in cases {
        let mut bench = Bench::new();
        let mut erp = erp_order(&bench.order_plan(&an_order()), false);
        change(&mut erp);
        let known = KnownOrder { erp: Some(erp), ..KnownOrder::default() };
        bench.history.orders.insert("PO-1".into(), known);
        let outcome = match bench.order(&an_order()) {
            Decision::Adopt { number, .. } => {
                assert_eq!(number, "000401");
                "adopt"
            }
            Decision::Plan(_) => "plan",
            Decision::Hold(holds) => {
                assert_eq!(holds[0].code, "order_in_visma_differs");
                "differs"
            }
            other => panic!("{about}: {other:?}"),
        };
        assert_eq!(outcome, *expected, "{about}");
    }
    // Once adopted it is ours: a change to it is a plan like any other.
    let mut bench = Bench::new();
    let plan = bench.order_plan(&an_order());
    let erp = erp_order(&plan, false);
    let known = KnownOrder {
        received: Some(OrderState::Posted),
        plan: Some(plan),
        erp: Some(erp),
        source: None,
        elsewhere: None,
        is_pruned: false,
    };
    bench.history.orders.insert("PO-1".into(), known);
    let mut changed = an_order();
    changed.lines[0] = order_line(1, 11, 100, &[110_000]);
    changed.net = Some(nok(260_000));
    assert_eq!(bench.order_plan(&changed).net, nok(260_000));
}
