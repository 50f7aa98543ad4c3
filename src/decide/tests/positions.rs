//! What stands in Visma, read as an order line: whose words count, which quantity is real, what arrived
//! and what was billed.

use super::bench::*;
use crate::decide::*;
use crate::matching::{Limit, Limits, MatchMode, MatchRule, UnitFactor};
use crate::procurement::*;
use rust_decimal::Decimal;

/// Line 1 of `an_order()`, 10 EA at 100.00, and an invoice over it.
struct Scene {
    bench: Bench,
    invoice: SupplierInvoice,
}

impl Scene {
    /// JAGGAER delivered the order, and we posted it.
    fn ours() -> Self {
        let mut bench = Bench::new();
        bench.post(&an_order());
        bench.history.orders.get_mut("PO-1").unwrap().source = Some(an_order());
        let mut scene = Self { bench, invoice: order_invoice() };
        scene.invoice.lines.truncate(1);
        scene.bill("10", 100_000);
        scene
    }

    /// A person keyed the order in: nothing of it is known but what Visma shows.
    fn by_hand() -> Self {
        let mut scene = Self::ours();
        let known = scene.known();
        (known.received, known.plan, known.source) = (None, None, None);
        let erp = scene.erp();
        erp.our_key = None;
        erp.lines.truncate(1);
        erp.lines[0].our_key = None;
        scene
    }

    fn known(&mut self) -> &mut KnownOrder {
        self.bench.history.orders.get_mut("PO-1").expect("the order")
    }

    fn erp(&mut self) -> &mut ErpOrder {
        self.known().erp.as_mut().expect("it stands in Visma")
    }

    fn source(&mut self) -> &mut PurchaseOrder {
        self.known().source.as_mut().expect("JAGGAER delivered it")
    }

    fn three_way(&mut self) {
        self.bench.rules.matching.mode = MatchMode::ThreeWay;
    }

    fn bill(&mut self, quantity: &str, net: i64) {
        let line = &mut self.invoice.lines[0];
        line.quantity = Some(dec(quantity));
        line.unit_price = None;
        self.net(&[net]);
    }

    /// Each line's net, and what the document comes to.
    fn net(&mut self, nets: &[i64]) {
        let invoice = &mut self.invoice;
        for (line, net) in invoice.lines.iter_mut().zip(nets) {
            line.net = nok(*net);
            line.distributions = vec![share("6540", "110", None)];
        }
        let net: i64 = nets.iter().sum();
        (invoice.net, invoice.tax) = (Some(nok(net)), Some(nok(net / 4)));
        invoice.gross = nok(net + net / 4);
    }

    fn billed(&mut self, order: &str, line: i64, quantity: &str, net: i64) {
        self.bench.history.billed.push(EarlierBilling {
            order: order.into(),
            line,
            document: "Invoice 300001".into(),
            kind: InvoiceKind::Invoice,
            quantity: Some(dec(quantity)),
            net: nok(net),
            by_hand: false,
        });
    }

    fn source_receipt(&mut self, line: &str, quantity: Option<&str>, amount: Option<Money>) {
        self.bench.history.source_receipts.push(Receipt {
            source_id: line.into(),
            number: line.into(),
            received_on: None,
            cancelled: false,
            lines: vec![ReceiptLine {
                order_number: "PO-1".into(),
                order_line_number: Some(line.into()),
                order_line_key: None,
                quantity: quantity.map(dec),
                unit: Some("EA".into()),
                amount,
            }],
        });
    }

    fn receipt(&mut self, quantity: &str, unit: &str) {
        self.bench.history.receipts.push(ErpReceipt {
            receipt_type: "PoReceipt".into(),
            number: "R1".into(),
            status: "Released".into(),
            supplier: "50001".into(),
            modified: None,
            version: None,
            lines: vec![ErpReceiptLine {
                unit: Some(unit.into()),
                number: 1,
                order_number: Some("000401".into()),
                order_line: Some(11),
                quantity: Some(dec(quantity)),
            }],
        });
    }

    /// The codes that hold it, what it waits for, or nothing when it passes.
    fn outcome(&self) -> Vec<String> {
        match self.bench.invoice(&self.invoice) {
            Decision::Plan(_) => vec![],
            Decision::Hold(holds) => holds.into_iter().map(|hold| hold.code).collect(),
            Decision::Wait(waits) => waits.into_iter().map(|wait| wait.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// What the first line says it was compared with.
    fn text(&self) -> String {
        let verdict = self.bench.verdict(&Document::Invoice(self.invoice.clone()));
        verdict.evidence.matches[0].text.clone()
    }
}

type Row<'a> = (&'a str, fn() -> Scene, fn(&mut Scene), &'a [&'a str]);

fn all_come_out(cases: &[Row<'_>]) {
    for (about, start, change, expected) in cases {
        let mut scene = start();
        change(&mut scene);
        assert_eq!(scene.outcome(), *expected, "{about}: {}", scene.text());
    }
}

#[test]
fn a_quantity_counts_where_it_is_one_and_else_the_amount() {
    all_come_out(&[
        // Visma shows 1 at the whole amount where no price gives the amount exactly.
        (
            "what we posted as 1 at the whole amount is compared by amount",
            Scene::ours,
            |s| {
                let known = s.known();
                known.source = None;
                let erp = known.erp.as_mut().unwrap();
                (erp.lines[0].quantity, erp.lines[0].unit_cost) =
                    (Some(Decimal::ONE), Some(dec("1000")));
                s.bill("10", 100_000);
            },
            &[],
        ),
        (
            "one piece that a person ordered is one piece",
            Scene::by_hand,
            |s| {
                let line = &mut s.erp().lines[0];
                (line.quantity, line.unit_cost) = (Some(Decimal::ONE), Some(dec("1000")));
                s.bill("2", 100_000);
            },
            &["quantity_over"],
        ),
        (
            "ten pieces that we posted are ten, though JAGGAER's words are gone",
            Scene::ours,
            |s| {
                s.known().source = None;
                s.bill("11", 100_000);
            },
            &["quantity_over"],
        ),
        (
            "1.5 in JAGGAER that stand in Visma as 1 are not a quantity there",
            Scene::ours,
            |s| {
                s.source().lines[0].quantity = Some(dec("1.5"));
                s.known().plan.as_mut().unwrap().lines[0].quantity = Decimal::ONE;
                s.source().lines[0].unit_price = None;
                s.bill("2", 100_000);
            },
            &[],
        ),
        (
            "shares that are each rounded to six decimals are the quantity",
            Scene::ours,
            |s| {
                let known = s.known();
                let lines = &mut known.plan.as_mut().unwrap().lines;
                lines[0].quantity = dec("10.000001");
                s.bill("11", 100_000);
            },
            &["quantity_over"],
        ),
        (
            "a quantity is not rounded: one gram too many",
            Scene::by_hand,
            |s| {
                let line = &mut s.erp().lines[0];
                (line.quantity, line.amount) = (Some(dec("1.23454")), Some(nok(12_345)));
                s.bill("1.23455", 12_345);
            },
            &["quantity_over"],
        ),
        (
            "... and not one too few",
            Scene::by_hand,
            |s| {
                let line = &mut s.erp().lines[0];
                (line.quantity, line.amount) = (Some(dec("1.23454")), Some(nok(12_345)));
                s.bill("1.23454", 12_345);
            },
            &[],
        ),
        (
            "a price for no units is one for each",
            Scene::ours,
            |s| s.source().lines[0].price_basis = Some(Decimal::ZERO),
            &[],
        ),
        (
            "... not for nothing",
            Scene::ours,
            |s| {
                s.source().lines[0].price_basis = Some(Decimal::ZERO);
                s.bill("10", 100_001);
            },
            &["price_over"],
        ),
    ]);
}

#[test]
fn units_of_visma_are_read_in_the_sources_words() {
    all_come_out(&[
        (
            "half a dozen of what stands in Visma as pieces",
            Scene::by_hand,
            |s| {
                s.bench.rules.mapping.units.table.insert("DZN".into(), "DUS".into());
                s.invoice.lines[0].unit = Some("DZN".into());
                s.bill("0.5", 60_000);
            },
            &[],
        ),
        (
            "... and no more of them than were ordered",
            Scene::by_hand,
            |s| {
                s.bench.rules.mapping.units.table.insert("DZN".into(), "DUS".into());
                s.invoice.lines[0].unit = Some("DZN".into());
                s.bill("1", 100_000);
            },
            &["quantity_over"],
        ),
        (
            "a unit of Visma that no table names goes by its own word",
            Scene::by_hand,
            |s| {
                s.erp().lines[0].unit = Some("KARTONG".into());
                let (from, to) = ("KARTONG".into(), "EA".into());
                s.bench.rules.matching.factors =
                    vec![UnitFactor { item: None, from, to, factor: dec("6") }];
                s.bill("60", 100_000);
            },
            &[],
        ),
        (
            "two words for one unit of Visma: what was ordered in one is received in it",
            Scene::ours,
            |s| {
                s.three_way();
                s.bench.rules.mapping.units.table.insert("AB".into(), "STK".into());
                s.receipt("10", "STK");
            },
            &[],
        ),
    ]);
}

#[test]
fn what_arrived_by_either_ledger() {
    all_come_out(&[
        (
            "Visma lists no receipt, but its order line says what came",
            Scene::ours,
            |s| {
                s.three_way();
                s.erp().lines[0].received = Some(dec("6"));
            },
            &["Line 1: 10 billed, 6 received: 4 more must arrive."],
        ),
        (
            "a receipt that is listed is not counted a second time from the order line",
            Scene::ours,
            |s| {
                s.three_way();
                s.erp().lines[0].received = Some(dec("6"));
                s.receipt("6", "STK");
            },
            &["Line 1: 10 billed, 6 received: 4 more must arrive."],
        ),
        (
            "JAGGAER's receipt names the line by the number of our plan",
            Scene::ours,
            |s| {
                s.three_way();
                s.known().source = None;
                s.source_receipt("1", Some("10"), None);
            },
            &[],
        ),
        (
            "... or by the number that the order has there",
            Scene::ours,
            |s| {
                s.three_way();
                s.known().plan = None;
                s.source_receipt("1", Some("10"), None);
            },
            &[],
        ),
        (
            "a receipt of another line is none of this one",
            Scene::ours,
            |s| {
                s.three_way();
                s.source_receipt("2", Some("10"), None);
            },
            &["Line 1: 10 billed, 0 received: 10 more must arrive."],
        ),
        (
            "... whoever tells the numbers",
            Scene::ours,
            |s| {
                s.three_way();
                s.known().source = None;
                s.source_receipt("2", Some("10"), None);
            },
            &["Line 1: 10 billed, 0 received: 10 more must arrive."],
        ),
        (
            "received by amount",
            Scene::ours,
            |s| {
                s.three_way();
                s.source_receipt("1", None, Some(nok(90_000)));
            },
            &["Line 1: 1000.00 NOK billed, 900.00 NOK received: 100.00 NOK more must arrive."],
        ),
        (
            "an amount of another currency says nothing",
            Scene::ours,
            |s| {
                s.three_way();
                let sek = Currency::parse("SEK").unwrap();
                s.source_receipt("1", None, Some(Money::new(100_000, sek)));
            },
            &["Line 1: 10 billed, 0 received: 10 more must arrive."],
        ),
    ]);
    // The same in both, once in pieces and once in money: Visma's word is shown.
    let mut scene = Scene::ours();
    scene.three_way();
    scene.receipt("10", "STK");
    scene.source_receipt("1", None, Some(nok(100_000)));
    assert!(scene.text().ends_with("10 billed, 10 received"), "{}", scene.text());
}

#[test]
fn a_line_that_is_completed_short_is_ordered_no_more() {
    all_come_out(&[
        (
            "8 of 10 came and the line is completed: 8 may be billed",
            Scene::ours,
            |s| {
                let line = &mut s.erp().lines[0];
                (line.completed, line.received) = (true, Some(dec("8")));
                s.bill("8", 80_000);
            },
            &[],
        ),
        (
            "... and not a ninth",
            Scene::ours,
            |s| {
                let line = &mut s.erp().lines[0];
                (line.completed, line.received) = (true, Some(dec("8")));
                s.bill("9", 90_000);
            },
            &["quantity_over"],
        ),
        (
            "8 of 10 came and more is to come",
            Scene::ours,
            |s| s.erp().lines[0].received = Some(dec("8")),
            &[],
        ),
        (
            "completed without any receipt: receipts are not kept there",
            Scene::ours,
            |s| s.erp().lines[0].completed = true,
            &[],
        ),
    ]);
}

#[test]
fn what_was_billed_before_is_of_this_order_line_only() {
    all_come_out(&[
        (
            "all of it was billed",
            Scene::ours,
            |s| s.billed("000401", 11, "10", 100_000),
            &["quantity_over"],
        ),
        (
            "a line of the same number on another order",
            Scene::ours,
            |s| s.billed("000402", 11, "10", 100_000),
            &[],
        ),
        ("another line of the order", Scene::ours, |s| s.billed("000401", 12, "10", 100_000), &[]),
        (
            "billed with a quantity of nothing: by amount",
            Scene::ours,
            |s| s.billed("000401", 11, "0", 1),
            &["line_over"],
        ),
    ]);
}

#[test]
fn a_line_is_shown_by_the_number_that_people_know_it_by() {
    let mut scene = Scene::ours();
    scene.known().source = None;
    assert!(scene.text().starts_with("line 1 of order PO-1: "), "{}", scene.text());
    let scene = Scene::by_hand();
    assert!(scene.text().starts_with("line 11 in Visma of order PO-1: "), "{}", scene.text());
}

/// A rule allows 5 % more for goods; the line costs 3 % more.
#[test]
fn a_stock_line_is_goods_where_nobody_says_what_it_is() {
    for (line_type, kind, expected) in [
        ("GoodsForInventory", OrderLineKind::Unspecified, &[][..]),
        ("Service", OrderLineKind::Unspecified, &["price_over"]),
        ("GoodsForInventory", OrderLineKind::Service, &["price_over"]),
    ] {
        let mut scene = Scene::ours();
        scene.bench.rules.matching.rules = vec![MatchRule {
            kind: Some(OrderLineKind::Goods),
            limits: Limits {
                price_over: Some(Limit { percent: Some(dec("5")), ..Limit::default() }),
                ..Limits::default()
            },
            ..MatchRule::default()
        }];
        scene.bench.rules.invoices.link = false;
        scene.erp().lines[0].line_type = Some(line_type.into());
        scene.source().lines[0].kind = kind;
        scene.bill("10", 103_000);
        assert_eq!(scene.outcome(), expected, "{line_type} {kind:?}");
    }
}

/// The order says no commodity; two invoice lines on one order line say different ones. The line with
/// the least key speaks, whichever stands first. Commodity 43 may cost 5 % more, others nothing.
#[test]
fn a_commodity_that_only_the_invoice_says_counts_whatever_the_order_of_its_lines() {
    for (first, second, expected) in [("43", "56", &[][..]), ("56", "43", &["price_over"])] {
        for reversed in [false, true] {
            let mut scene = Scene::by_hand();
            scene.bench.rules.matching.rules = vec![MatchRule {
                category: Some("43".into()),
                limits: Limits {
                    price_over: Some(Limit { percent: Some(dec("5")), ..Limit::default() }),
                    ..Limits::default()
                },
                ..MatchRule::default()
            }];
            let line = scene.invoice.lines[0].clone();
            scene.invoice.lines = [("A", first), ("B", second)]
                .map(|(key, commodity)| InvoiceLine {
                    key: key.into(),
                    number: key.into(),
                    commodity: Some(commodity.into()),
                    quantity: Some(dec("5")),
                    unit_price: None,
                    ..line.clone()
                })
                .into();
            if reversed {
                scene.invoice.lines.reverse();
            }
            scene.net(&[51_000, 51_000]);
            let codes: Vec<String> = scene.outcome();
            let codes: std::collections::BTreeSet<&str> =
                codes.iter().map(String::as_str).collect();
            assert_eq!(codes, expected.iter().copied().collect(), "{first} {second} {reversed}");
        }
    }
}

/// The order names an item, for which a box is 5 pieces; the invoice calls it another, of which a box
/// is 10.
#[test]
fn the_item_that_the_order_names_counts_before_the_invoices() {
    for (ordered, expected) in [(Some("X-1"), &[][..]), (None, &["quantity_over"])] {
        let mut scene = Scene::ours();
        scene.bench.rules.mapping.units.table.insert("BX".into(), "ESK".into());
        scene.bench.rules.matching.factors = [("X-1", "5"), ("X-2", "10")]
            .map(|(item, factor)| UnitFactor {
                item: Some(item.into()),
                from: "BX".into(),
                to: "EA".into(),
                factor: dec(factor),
            })
            .into();
        scene.source().lines[0].item = ordered.map(str::to_owned);
        scene.invoice.lines[0].item = Some("X-2".into());
        scene.invoice.lines[0].unit = Some("BX".into());
        scene.bill("2", 100_000);
        assert_eq!(scene.outcome(), expected, "{ordered:?}");
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
