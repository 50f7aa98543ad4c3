//! What stands in Visma, read as an order line: whose words count, which quantity is real, what was
//! billed of it.

use super::bench::*;
use super::scene::{Scene, all_come_out};
use crate::matching::{Limit, Limits, MatchRule, UnitFactor};
use crate::procurement::*;
use rust_decimal::Decimal;

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
