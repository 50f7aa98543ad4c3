use super::*;
use crate::world::{Kind, amount};
use std::collections::{BTreeMap, BTreeSet, HashMap};

fn month(seed: u64, documents: usize) -> World {
    World::generate(&Settings { seed, documents, month: true, ..Settings::default() })
}

#[test]
fn the_same_seed_gives_the_same_month() {
    let text = |world: &World| {
        let state = world.state();
        format!("{:?} {:?}", state.invoices, state.orders)
    };
    assert_eq!(text(&month(3, 300)), text(&month(3, 300)));
    assert_ne!(text(&month(3, 300)), text(&month(4, 300)));
}

#[test]
fn every_kind_is_planted_several_times_in_five_thousand() {
    for seed in [1, 2] {
        let world = month(seed, 5_000);
        let invoices =
            world.expectations().iter().filter(|one| one.kind != Kind::PurchaseOrder).count();
        assert_eq!(invoices, 5_000);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in world.labels() {
            *counts.entry(label.case).or_default() += 1;
        }
        for kind in kinds_of_faults().chain(kinds_of_oddities()) {
            let least = if label::is_fault(kind) { 5 } else { 15 };
            assert!(counts.get(kind).copied() >= Some(least), "{kind}: {:?}", counts.get(kind));
        }
    }
}

#[test]
fn a_small_month_has_each_kind_once() {
    let world = month(5, 250);
    let shown: BTreeSet<&str> = world.labels().iter().map(|label| label.case).collect();
    for kind in kinds_of_faults().chain(kinds_of_oddities()) {
        assert!(shown.contains(kind), "{kind}");
    }
}

#[test]
fn what_must_pass_adds_up_to_the_minor_unit() {
    let world = month(6, 2_000);
    let passing: BTreeSet<&str> = world
        .labels()
        .iter()
        .filter(|label| matches!(label.verdict, Verdict::Pass | Verdict::WaitThenPass))
        .map(|label| label.source_id.as_str())
        .collect();
    let state = world.state();
    for invoice in state.invoices.iter().filter(|one| passing.contains(one.id.as_str())) {
        let charges = &invoice.charges;
        let added = charges.shipping + charges.handling + charges.rounding - charges.discount;
        let lines: Decimal = invoice.lines.iter().map(|line| line.net).sum();
        assert_eq!(lines + added, invoice.net, "{}", invoice.id);
        assert_eq!(invoice.net + invoice.tax, invoice.gross, "{}", invoice.id);
        for tax in &invoice.taxes {
            let right = amount::vat(tax.base, tax.rate, &invoice.currency);
            assert_eq!(tax.amount, right, "{}", invoice.id);
        }
        for line in &invoice.lines {
            let shares: Decimal = line.shares.iter().map(|share| share.amount).sum();
            assert_eq!(shares, line.net, "{}", invoice.id);
            let priced = line.quantity * line.price / line.basis;
            let gap = (amount::rounded(priced, &invoice.currency) - line.net).abs();
            assert!(gap <= MINOR, "{}: {gap}", invoice.id);
        }
    }
}

/// What must pass is entered once it is written, never before.
#[test]
fn nothing_that_must_pass_is_dated_after_the_day_it_came() {
    for seed in 1..4 {
        let world = month(seed, 2_000);
        let state = world.state();
        for label in world.labels() {
            if matches!(label.verdict, Verdict::Hold | Verdict::HoldOneOfTwo) {
                continue;
            }
            let invoice = state.invoices.iter().find(|one| one.id == label.source_id);
            let invoice = invoice.expect("every label has its paper");
            assert!(
                invoice.record.created_ms >= time::millis(invoice.invoiced_on),
                "seed {seed}, {}: {} came before {}",
                label.case,
                invoice.id,
                invoice.invoiced_on
            );
        }
    }
}

/// No two papers of one supplier come to the same amount unless that was meant.
#[test]
fn nothing_looks_alike_by_accident() {
    for seed in 1..4 {
        let world = month(seed, 5_000);
        let state = world.state();
        let cases: HashMap<&str, &str> =
            world.labels().iter().map(|label| (label.source_id.as_str(), label.case)).collect();
        let mut seen: HashMap<(usize, Decimal, Date), &str> = HashMap::new();
        for invoice in state.invoices.iter().filter(|invoice| !invoice.credit) {
            let case = cases.get(invoice.id.as_str()).copied().unwrap_or("twin");
            if case.starts_with("duplicate") || case == "twin" {
                continue;
            }
            let key = (invoice.vendor, invoice.gross, invoice.invoiced_on);
            if let Some(other) = seen.insert(key, case) {
                panic!("seed {seed}: {case} and {other} look alike");
            }
        }
    }
}

#[test]
fn limits_are_met_exactly_and_passed_by_one() {
    let world = month(7, 2_000);
    let state = world.state();
    let mut met = 0;
    for label in world.labels() {
        let Some(invoice) = state.invoices.iter().find(|one| one.id == label.source_id) else {
            continue;
        };
        let over = |invoice: &crate::world::Invoice| {
            let line = &invoice.lines[0];
            let bills = line.bills.as_ref().expect("it bills an order");
            let order = state.orders.iter().find(|one| one.number == bills.order_number);
            let ordered = order.expect("it is there").lines[0].clone();
            (ordered, line.clone())
        };
        match label.case {
            "price_at_limit" | "price_over_by_one" => {
                let (ordered, billed) = over(invoice);
                let beyond = billed.price - raised(ordered.price, limits::PRICE_PERCENT);
                let wanted = if label.verdict == Verdict::Pass { Decimal::ZERO } else { MINOR };
                assert_eq!(beyond, wanted, "{}", label.case);
                assert!(billed.net - ordered.net < limits::LINE, "{}", label.case);
                met += 1;
            }
            "line_at_limit" | "line_over_by_one" => {
                let (ordered, billed) = over(invoice);
                let beyond = billed.net - ordered.net - limits::LINE;
                let wanted = if label.verdict == Verdict::Pass { Decimal::ZERO } else { MINOR };
                assert_eq!(beyond, wanted, "{}", label.case);
                assert!(billed.price < raised(ordered.price, limits::PRICE_PERCENT));
                met += 1;
            }
            _ => {}
        }
    }
    assert!(met > 10, "{met}");
}

#[test]
fn late_receipts_let_the_waiting_pass() {
    let world = month(8, 600);
    let waiting =
        |world: &World| world.expectations().iter().filter(|one| one.fate == Fate::Waiting).count();
    assert!(waiting(&world) >= 3);
    assert!(world.deliver_late_receipts() >= 3);
    assert_eq!(waiting(&world), 0);
    assert_eq!(world.deliver_late_receipts(), 0);
}

#[test]
fn the_judgement_tells_caught_missed_and_wrongly_held_apart() {
    let world = month(9, 400);
    let twins: HashMap<String, String> = world.state().twins.clone();
    let outcome = |state: &str, codes: &[&str]| Outcome {
        state: state.into(),
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
    };
    let mut before = HashMap::new();
    let mut after = HashMap::new();
    for label in world.labels() {
        let (first, last) = match label.verdict {
            Verdict::Pass => (outcome("posted", &[]), outcome("posted", &[])),
            Verdict::WaitThenPass => (outcome("waiting", &[]), outcome("posted", &[])),
            Verdict::Hold | Verdict::HoldOneOfTwo => {
                (outcome("held", label.codes), outcome("held", label.codes))
            }
        };
        before.insert(label.source_id.clone(), first);
        after.insert(label.source_id.clone(), last);
        if label.verdict == Verdict::HoldOneOfTwo {
            after.insert(twins[&label.source_id].clone(), outcome("posted", &[]));
        }
    }
    for order in world.expectations().iter().filter(|one| one.kind == Kind::PurchaseOrder) {
        after.insert(order.source_id.clone(), outcome("posted", &[]));
    }
    let judged = world.judge(&before, &after);
    assert_eq!((judged.missed, judged.wrongly_held), (0, 0), "{:?}", judged.findings);
    assert!(judged.caught > 60);
    let all = judged.caught;
    for (verdict, state, codes, missed, wrongly_held) in [
        (Verdict::Hold, "posted", &[][..], 1, 0),
        (Verdict::Hold, "held", &["another"][..], 1, 0),
        (Verdict::HoldOneOfTwo, "posted", &[][..], 1, 0),
        (Verdict::Pass, "held", &["price_over"][..], 0, 1),
        (Verdict::Pass, "waiting", &[][..], 0, 1),
        (Verdict::WaitThenPass, "waiting", &[][..], 0, 1),
    ] {
        let label = world.labels().iter().find(|label| label.verdict == verdict);
        let id = label.expect("every verdict is there").source_id.clone();
        let mut changed = after.clone();
        changed.insert(id, outcome(state, codes));
        let judged = world.judge(&before, &changed);
        assert_eq!(
            (judged.missed, judged.wrongly_held),
            (missed, wrongly_held),
            "{verdict:?} {state}"
        );
        assert_eq!(judged.caught, all - missed, "{verdict:?} {state}");
        assert_eq!(judged.findings.len(), 1);
    }
}
