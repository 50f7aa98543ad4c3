//! What arrived of an order line, by Visma's word and by JAGGAER's.

use super::bench::*;
use super::scene::{Scene, all_come_out};
use crate::procurement::*;

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
