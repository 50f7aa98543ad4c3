//! What a person reads: the numbers of a deviation and of what passes.

use super::{claim, limit, quantities};
use crate::laws::oracle::{bill, dec, nok, position};
use crate::matching::*;
use crate::procurement::{Currency, InvoiceKind, Money};

#[test]
fn the_text_carries_the_numbers() {
    let mut rules = MatchRules::default();
    rules.limits.price_over = Some(limit("3", ""));
    let mut line = claim("1", Some("10"), 104_000);
    line.unit_price = Some(dec("104"));
    let comparison = compare(&bill(vec![line]), &[position()], &rules);
    let text = "price 104.00 against 100.00, limit 3 %, 1.00 over, 10.00 NOK in all";
    assert_eq!(comparison.beyond[0].how, text);
    assert_eq!(
        comparison.lines[0].text,
        format!("line 10 of order PO-1: {text}; quantity 10 against 10 ordered")
    );
}

#[test]
fn a_limit_of_quantities_is_told() {
    let mut rules = MatchRules::default();
    rules.limits.quantity_over = Some(quantities("5", "1"));
    let comparison = compare(&bill(vec![claim("1", Some("12"), 120_000)]), &[position()], &rules);
    assert!(comparison.beyond[0].how.contains("limit 5 % and 1"), "{:?}", comparison.beyond);
}

fn before(position: &mut Position, quantity: &str, net: i64) {
    position.billed = BilledBefore {
        quantity: dec(quantity),
        net: nok(net),
        by_amount: quantity == "0",
        documents: vec!["Invoice 300001".into()],
    };
}

/// The sentence of each kind of deviation, with what is beyond the limit and not beside it.
#[test]
fn every_deviation_tells_its_numbers() {
    type Set = fn(&mut MatchRules, &mut Position, &mut Bill);
    let cases: &[(&str, Set)] = &[
        ("quantity 12 against 10 ordered, limit 1.5, 0.5 over", |r, _, b| {
            r.limits.quantity_over = Some(quantities("", "1.5"));
            b.claims = vec![claim("1", Some("12"), 120_000)];
        }),
        (
            "quantity 12 against 10 ordered, 9 of it before by Invoice 300001, limit 0, 2 over",
            |_, p, b| {
                before(p, "9", 90_000);
                b.claims = vec![claim("1", Some("3"), 30_000)];
            },
        ),
        (
            "quantity 9 against 8 received of 10 when the line was completed, limit 0, 1 over",
            |_, p, b| {
                p.ended_at = Some(dec("8"));
                b.claims = vec![claim("1", Some("9"), 90_000)];
            },
        ),
        ("quantity 7 against 10 ordered, limit 1, 2 under", |r, _, b| {
            r.limits.quantity_under = Some(quantities("", "1"));
            b.claims = vec![claim("1", Some("7"), 70_000)];
        }),
        ("price 94.00 against 100.00, limit 5 %, 1.00 under, 10.00 NOK in all", |r, _, b| {
            r.limits.price_under = Some(limit("5", ""));
            b.claims = vec![claim("1", Some("10"), 94_000)];
        }),
        (
            "1050.00 NOK against 1000.00 NOK for what it bills, limit 20 NOK, 30.00 NOK over",
            |r, _, b| {
                r.limits.price_over = Some(limit("10", ""));
                r.limits.line_over = Some(limit("", "20"));
                b.claims = vec![claim("1", Some("10"), 105_000)];
            },
        ),
        ("1050.00 NOK against 1000.00 NOK ordered, limit 20 NOK, 30.00 NOK over", |r, _, b| {
            r.limits.line_over = Some(limit("", "20"));
            b.claims = vec![claim("1", None, 105_000)];
        }),
        (
            "charges of 30.00 NOK that are not on the order, limit 20 NOK, 10.00 NOK over",
            |r, _, b| {
                r.limits.charge_over = Some(limit("", "20"));
                b.charges = nok(3_000);
            },
        ),
        (
            "1000.00 NOK against 950.00 NOK left on the order, limit 20 NOK, 30.00 NOK over",
            |r, _, b| {
                r.limits.header_over = Some(limit("", "20"));
                b.left_on_orders = nok(95_000);
            },
        ),
        ("gives back 5 of 4 billed, 1 too many", |_, p, b| {
            before(p, "4", 50_000);
            b.kind = InvoiceKind::CreditNote;
            b.claims = vec![claim("1", Some("5"), 50_000)];
        }),
        ("gives back 500.00 NOK of 400.00 NOK billed, 100.00 NOK too much", |_, p, b| {
            before(p, "5", 40_000);
            b.kind = InvoiceKind::CreditNote;
            b.claims = vec![claim("1", Some("5"), 50_000)];
        }),
        (
            "takes back 10.00 NOK of line 10 of order PO-1, of which 0.00 NOK was billed before",
            |_, _, b| b.claims = vec![claim("1", None, -1_000)],
        ),
    ];
    for (expected, set) in cases {
        let (mut rules, mut position) = (MatchRules::default(), position());
        let mut bill = bill(vec![claim("1", Some("10"), 100_000)]);
        set(&mut rules, &mut position, &mut bill);
        let comparison = compare(&bill, &[position], &rules);
        let told: Vec<&str> = comparison.beyond.iter().map(|of| of.how.as_str()).collect();
        assert_eq!(told, [*expected]);
    }
}

/// What deviates and passes stands in the decision as a remark.
#[test]
fn what_passes_is_told_too() {
    type Set = fn(&mut MatchRules, &mut Bill);
    let cases: &[(&str, Set)] = &[
        ("Line 1: price 102.00 against 100.00, 20.00 NOK more in all; this passes.", |r, b| {
            r.limits.price_over = Some(limit("3", ""));
            b.claims = vec![claim("1", Some("10"), 102_000)];
        }),
        ("Line 1: price 98.00 against 100.00, 20.00 NOK less in all; this passes.", |_, b| {
            b.claims = vec![claim("1", Some("10"), 98_000)]
        }),
        ("Lines 1 and 2: quantity 11 against 10 ordered, 1 more; this passes.", |r, b| {
            r.limits.quantity_over = Some(quantities("10", ""));
            b.claims = vec![claim("1", Some("10"), 100_000), claim("2", Some("1"), 10_000)];
        }),
        (
            "Line 1: 1010.00 NOK against 1000.00 NOK ordered, 10.00 NOK more; this passes.",
            |r, b| {
                r.limits.line_over = Some(limit("1", ""));
                b.claims = vec![claim("1", None, 101_000)];
            },
        ),
        (
            "Line 1: price 100.10 against 100.00, limit 0, 0.10 over, 1.00 NOK in all; this passes \
             as a small difference.",
            |r, b| {
                r.small_difference = [(Currency::NOK, dec("1"))].into();
                b.claims = vec![claim("1", Some("10"), 100_100)];
            },
        ),
    ];
    for (expected, set) in cases {
        let mut rules = MatchRules::default();
        let mut bill = bill(vec![claim("1", Some("10"), 100_000)]);
        set(&mut rules, &mut bill);
        let comparison = compare(&bill, &[position()], &rules);
        assert_eq!(comparison.remarks, [*expected]);
        assert_eq!(comparison.beyond, []);
    }
}

/// The price on the paper is shown where it gives the line's amount; else, as after a discount, what
/// each piece comes to.
#[test]
fn the_price_shown_is_the_one_that_was_paid() {
    // Quantity, price stated, net, currency; what is said.
    for (quantity, stated, net, currency, expected) in [
        ("3", "0.125", 38, "NOK", "price 0.125 against 0.12"),
        ("10", "104", 100_000, "NOK", "price 100.00 against 0.12"),
        ("3", "1", 1_000, "NOK", "price 3.333333 against 0.12"),
        ("10", "104", 1_040, "ISK", "price 104 against 0.12"),
        ("10", "0.0125", 125, "KWD", "price 0.0125 against 0.120"),
    ] {
        let currency = Currency::parse(currency).expect("a currency");
        let mut position = position();
        position.net = Money::new(1_000_000, currency);
        position.billed = BilledBefore::nothing(currency);
        position.price = Some(Price { amount: dec("0.12"), basis: dec("1"), rounded_to: None });
        let mut line = claim("1", Some(quantity), 0);
        (line.unit_price, line.net) = (Some(dec(stated)), Money::new(net, currency));
        let mut bill = bill(vec![line]);
        (bill.currency, bill.charges) = (currency, Money::zero(currency));
        let text = &compare(&bill, &[position], &MatchRules::default()).lines[0].text;
        assert!(text.contains(expected), "{text}");
    }
}

/// A credit note by amount says nothing of pieces.
#[test]
fn a_credit_note_tells_what_it_gives_back() {
    for (quantity, net, expected) in [
        (
            Some("4"),
            40_000,
            "gives back 4 of 10 billed; gives back 400.00 NOK of 1000.00 NOK billed",
        ),
        (None, 5_000, "gives back 50.00 NOK of 1000.00 NOK billed"),
    ] {
        let mut position = position();
        before(&mut position, "10", 100_000);
        let mut bill = bill(vec![claim("1", quantity, net)]);
        bill.kind = InvoiceKind::CreditNote;
        let comparison = compare(&bill, &[position], &MatchRules::default());
        assert_eq!(comparison.lines[0].text, format!("line 10 of order PO-1: {expected}"));
        assert_eq!(comparison.beyond, []);
    }
}
