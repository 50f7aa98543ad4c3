//! What takes something back, and what is billed by amount: prepayments, returns, blanket lines,
//! credit notes.

use super::{claim, found, limit};
use crate::laws::oracle::{bill, dec, nok, position};
use crate::matching::*;
use crate::procurement::{Currency, InvoiceKind, Money, OrderLineKind};

#[test]
fn deductions_prepayments_blanket_lines_and_credit_notes() {
    type Row<'a> = (&'a str, fn(&mut Position, &mut Bill), &'a [&'a str]);
    fn before(position: &mut Position, quantity: &str, net: i64) {
        position.billed = BilledBefore {
            quantity: dec(quantity),
            net: nok(net),
            by_amount: quantity == "0",
            documents: vec!["Invoice 300001".into()],
        };
    }
    let cases: &[Row<'_>] = &[
        ("a prepayment", |_, b| b.claims = vec![claim("1", None, 30_000)], &[]),
        (
            "the rest with the prepayment taken off",
            |p, b| {
                before(p, "0", 30_000);
                b.claims = vec![claim("1", Some("10"), 100_000), claim("2", None, -30_000)];
            },
            &[],
        ),
        (
            "the prepayment is not taken off",
            |p, b| {
                before(p, "0", 30_000);
                b.claims = vec![claim("1", Some("10"), 100_000)];
            },
            &["LineOver"],
        ),
        (
            "more taken back than billed",
            |_, b| b.claims = vec![claim("1", Some("-1"), -10_000)],
            &["LineUnder"],
        ),
        (
            "a return on the same invoice",
            |_, b| {
                b.claims = vec![claim("1", Some("10"), 100_000), claim("2", Some("-2"), -20_000)]
            },
            &[],
        ),
        (
            "a return for less than it cost",
            |_, b| {
                b.claims = vec![claim("1", Some("10"), 100_000), claim("2", Some("-2"), -19_999)]
            },
            &["PriceOver"],
        ),
        (
            "a blanket line at its ceiling",
            |p, b| {
                p.kind = OrderLineKind::Limit;
                b.claims = vec![claim("1", Some("7"), 100_000)];
            },
            &[],
        ),
        (
            "a blanket line over its ceiling",
            |p, b| {
                p.kind = OrderLineKind::Limit;
                before(p, "0", 60_000);
                b.claims = vec![claim("1", None, 40_001)];
            },
            &["CeilingExceeded"],
        ),
        (
            "a line that was completed short",
            |p, b| {
                p.ended_at = Some(dec("8"));
                b.claims = vec![claim("1", Some("9"), 90_000)];
            },
            &["QuantityOver"],
        ),
        (
            "a credit note over what was billed",
            |p, b| {
                before(p, "4", 40_000);
                b.kind = InvoiceKind::CreditNote;
                b.claims = vec![claim("1", Some("4"), 40_000)];
            },
            &[],
        ),
        (
            "a credit note over more",
            |p, b| {
                before(p, "4", 40_000);
                b.kind = InvoiceKind::CreditNote;
                b.claims = vec![claim("1", Some("4.5"), 40_001)];
            },
            &["QuantityOver", "LineOver"],
        ),
        (
            "a credit note where nothing is known to be billed",
            |_, b| b.kind = InvoiceKind::CreditNote,
            &[],
        ),
        (
            "a credit note that comes to nothing, though more was given back than billed",
            |p, b| {
                before(p, "0", -10_000);
                b.kind = InvoiceKind::CreditNote;
                b.claims = vec![claim("1", None, 100), claim("2", None, -100)];
            },
            &[],
        ),
        (
            "an invoice that adds nothing, though more was given back than billed",
            |p, b| {
                before(p, "-1", -10_000);
                b.claims = vec![claim("1", Some("1"), 10_000), claim("2", Some("-1"), -10_000)];
            },
            &[],
        ),
        (
            "a line that takes something off, as ordered",
            |p, b| {
                (p.quantity, p.net) = (Some(dec("-10")), nok(-100_000));
                b.claims = vec![claim("1", Some("-10"), -100_000)];
            },
            &[],
        ),
        (
            "a line that takes one øre more off than ordered",
            |p, b| {
                (p.quantity, p.net) = (Some(dec("-10")), nok(-100_000));
                b.claims = vec![claim("1", Some("-10"), -100_001)];
            },
            &["LineUnder"],
        ),
        ("charges that are not on the order", |_, b| b.charges = nok(1), &[]),
        (
            "a unit that is not convertible",
            |_, b| b.claims[0].unit = Some("KGM".into()),
            &["UnitNotConvertible"],
        ),
    ];
    for (about, change, expected) in cases {
        let (mut position, mut bill) = (position(), bill(vec![claim("1", Some("10"), 100_000)]));
        change(&mut position, &mut bill);
        assert_eq!(found(&bill, &position, &MatchRules::default()), *expected, "{about}");
    }
}

/// A line of 1000.00 by amount, with 20.00 more allowed.
#[test]
fn what_is_billed_by_amount_at_its_limit() {
    let mut rules = MatchRules::default();
    rules.limits.line_over = Some(limit("", "20"));
    for (kind, net, expected) in [
        (OrderLineKind::Unspecified, 101_999, &[][..]),
        (OrderLineKind::Unspecified, 102_000, &[]),
        (OrderLineKind::Unspecified, 102_001, &["LineOver"]),
        (OrderLineKind::Limit, 102_000, &[]),
        (OrderLineKind::Limit, 102_001, &["CeilingExceeded"]),
    ] {
        let position = Position { kind, ..position() };
        assert_eq!(found(&bill(vec![claim("1", None, net)]), &position, &rules), expected, "{net}");
    }
}

/// Three-way, nothing has arrived. What was billed before, what is billed now.
#[test]
fn what_adds_nothing_needs_no_receipt() {
    let ten = "missing: 10 billed, 0 received: 10 more must arrive";
    let cases: &[(&str, &str, Vec<Claim>, &[&str])] = &[
        ("goods", "0", vec![claim("1", Some("10"), 100_000)], &[ten]),
        ("goods for nothing are goods", "0", vec![claim("1", Some("10"), 0)], &[ten]),
        (
            "one more, after nine that were billed without having come",
            "9",
            vec![claim("1", Some("1"), 10_000)],
            &[ten],
        ),
        (
            "billed and taken off again, after nine that were billed without having come",
            "9",
            vec![claim("1", Some("1"), 10_000), claim("2", Some("-1"), -10_000)],
            &[],
        ),
    ];
    let rules = MatchRules { mode: MatchMode::ThreeWay, ..MatchRules::default() };
    for (about, before, claims, expected) in cases {
        let mut position = Position { kind: OrderLineKind::Goods, ..position() };
        position.billed.quantity = dec(before);
        position.billed.net = Money::rounded(dec(before) * dec("100"), Currency::NOK).unwrap();
        assert_eq!(found(&bill(claims.clone()), &position, &rules), *expected, "{about}");
    }
}

/// 5 pieces at 100.00 are given back where 4 were billed, for the same amount.
#[test]
fn a_credit_note_over_a_small_difference_at_its_limit() {
    for (small, expected) in [("100.00", &[][..]), ("99.99", &["QuantityOver"])] {
        let small_difference = [(Currency::NOK, dec(small))].into();
        let rules = MatchRules { small_difference, ..MatchRules::default() };
        let mut position = position();
        position.billed = BilledBefore {
            quantity: dec("4"),
            net: nok(50_000),
            by_amount: false,
            documents: vec!["Invoice 300001".into()],
        };
        let mut bill = bill(vec![claim("1", Some("5"), 50_000)]);
        bill.kind = InvoiceKind::CreditNote;
        assert_eq!(found(&bill, &position, &rules), expected, "{small}");
    }
}
