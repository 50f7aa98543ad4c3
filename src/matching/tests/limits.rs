//! Each kind of limit at the limit, just inside and just outside.

use super::{claim, found, limit, quantities};
use crate::laws::oracle::{bill, dec, nok, position};
use crate::matching::*;
use crate::procurement::{Currency, Money, OrderLineKind};

/// 10 ordered at 100.00. Net billed for 10 pieces, in øre, and what comes of it.
#[test]
fn prices_at_their_limits() {
    type Set = fn(&mut Limits);
    let cases: &[(&str, Set, i64, &[&str])] = &[
        ("nothing is allowed over", |_| {}, 100_000, &[]),
        ("nothing is allowed over", |_| {}, 100_001, &["PriceOver"]),
        ("anything is allowed under", |_| {}, 1, &[]),
        ("3 %, inside", |l| l.price_over = Some(limit("3", "")), 102_999, &[]),
        ("3 %, at it", |l| l.price_over = Some(limit("3", "")), 103_000, &[]),
        ("3 %, outside", |l| l.price_over = Some(limit("3", "")), 103_001, &["PriceOver"]),
        ("2.00 each, at it", |l| l.price_over = Some(limit("", "2")), 102_000, &[]),
        ("2.00 each, outside", |l| l.price_over = Some(limit("", "2")), 102_001, &["PriceOver"]),
        (
            "the stricter is the amount",
            |l| l.price_over = Some(limit("3", "2")),
            102_001,
            &["PriceOver"],
        ),
        (
            "the stricter is the percentage",
            |l| l.price_over = Some(limit("1", "2")),
            101_001,
            &["PriceOver"],
        ),
        ("the stricter, at it", |l| l.price_over = Some(limit("1", "2")), 101_000, &[]),
        ("any", |l| l.price_over = Some(Limit { any: true, ..Limit::default() }), 900_000, &[]),
        ("under 5 %, at it", |l| l.price_under = Some(limit("5", "")), 95_000, &[]),
        ("under 5 %, outside", |l| l.price_under = Some(limit("5", "")), 94_999, &["PriceUnder"]),
        (
            "the line besides the price, at it",
            |l| (l.price_over, l.line_over) = (Some(limit("3", "")), Some(limit("", "20"))),
            102_000,
            &[],
        ),
        (
            "the line besides the price, outside",
            |l| (l.price_over, l.line_over) = (Some(limit("3", "")), Some(limit("", "20"))),
            102_001,
            &["LineOver"],
        ),
        ("the line under, at it", |l| l.line_under = Some(limit("", "20")), 98_000, &[]),
        (
            "the line under, outside",
            |l| l.line_under = Some(limit("", "20")),
            97_999,
            &["LineUnder"],
        ),
    ];
    for (about, set, net, expected) in cases {
        let mut rules = MatchRules::default();
        set(&mut rules.limits);
        let bill = bill(vec![claim("1", Some("10"), *net)]);
        assert_eq!(found(&bill, &position(), &rules), *expected, "{about}: {net}");
    }
}

#[test]
fn an_amount_counts_in_its_own_currency_only() {
    let isk = Currency::parse("ISK").unwrap();
    let mut position = position();
    position.net = Money::new(1_000, isk);
    position.billed = BilledBefore::nothing(isk);
    for (currency, net, expected) in [
        (Currency::NOK, 1_001, &["PriceOver"][..]),
        (isk, 1_020, &[]),
        (isk, 1_021, &["PriceOver"]),
    ] {
        let mut rules = MatchRules::default();
        rules.limits.price_over =
            Some(Limit { amounts: [(currency, dec("2"))].into(), ..Limit::default() });
        let mut line = claim("1", Some("10"), 0);
        line.net = Money::new(net, isk);
        let mut bill = bill(vec![line]);
        (bill.currency, bill.charges) = (isk, Money::zero(isk));
        assert_eq!(found(&bill, &position, &rules), expected, "{net} with {currency}");
    }
}

/// Quantity at 100.00, what was billed before, what was received.
#[test]
fn quantities_at_their_limits() {
    type Set = fn(&mut MatchRules);
    let two = |_: &mut MatchRules| {};
    let three: Set = |rules| rules.mode = MatchMode::ThreeWay;
    type Row<'a> = (&'a str, Set, &'a str, &'a str, &'a str, &'a [&'a str]);
    let cases: &[Row<'_>] = &[
        ("in parts", two, "4", "0", "0", &[]),
        ("the last part", two, "4", "6", "0", &[]),
        ("a thousandth over", two, "4.001", "6", "0", &["QuantityOver"]),
        (
            "5 %, at it",
            |r| r.limits.quantity_over = Some(quantities("5", "")),
            "10.5",
            "0",
            "0",
            &[],
        ),
        (
            "5 %, outside",
            |r| r.limits.quantity_over = Some(quantities("5", "")),
            "10.501",
            "0",
            "0",
            &["QuantityOver"],
        ),
        (
            "1 more, at it",
            |r| r.limits.quantity_over = Some(quantities("", "1")),
            "11",
            "0",
            "0",
            &[],
        ),
        (
            "1 more, outside",
            |r| r.limits.quantity_over = Some(quantities("", "1")),
            "11.1",
            "0",
            "0",
            &["QuantityOver"],
        ),
        (
            "the stricter",
            |r| r.limits.quantity_over = Some(quantities("5", "1")),
            "10.6",
            "0",
            "0",
            &["QuantityOver"],
        ),
        (
            "1 less, at it",
            |r| r.limits.quantity_under = Some(quantities("", "1")),
            "9",
            "0",
            "0",
            &[],
        ),
        (
            "1 less, outside",
            |r| r.limits.quantity_under = Some(quantities("", "1")),
            "8.9",
            "0",
            "0",
            &["QuantityUnder"],
        ),
        ("all of it is here", three, "4", "6", "10", &[]),
        (
            "not all of it is here",
            three,
            "4",
            "6",
            "8",
            &["missing: 10 billed, 8 received: 2 more must arrive"],
        ),
        (
            "nothing is here",
            three,
            "4",
            "0",
            "0",
            &["missing: 4 billed, 0 received: 4 more must arrive"],
        ),
        ("more than ordered is here", three, "12", "0", "12", &["QuantityOver"]),
        (
            "services need no receipt",
            |r| {
                r.mode = MatchMode::ThreeWay;
                r.rules = vec![MatchRule {
                    kind: Some(OrderLineKind::Goods),
                    mode: Some(MatchMode::TwoWay),
                    ..MatchRule::default()
                }];
            },
            "4",
            "0",
            "0",
            &[],
        ),
        (
            "little needs no receipt",
            |r| {
                r.mode = MatchMode::ThreeWay;
                r.rules = vec![MatchRule {
                    vendor: Some("50001".into()),
                    no_receipt_below: Some([(Currency::NOK, dec("400.01"))].into()),
                    ..MatchRule::default()
                }];
            },
            "4",
            "0",
            "0",
            &[],
        ),
        (
            "not so little does",
            |r| {
                r.mode = MatchMode::ThreeWay;
                r.rules = vec![MatchRule {
                    vendor: Some("50001".into()),
                    no_receipt_below: Some([(Currency::NOK, dec("400.00"))].into()),
                    ..MatchRule::default()
                }];
            },
            "4",
            "0",
            "0",
            &["missing: 4 billed, 0 received: 4 more must arrive"],
        ),
        ("off", |r| r.mode = MatchMode::Off, "99", "0", "0", &[]),
    ];
    for (about, set, quantity, before, received, expected) in cases {
        let mut rules = MatchRules::default();
        set(&mut rules);
        let mut position = position();
        position.kind = OrderLineKind::Goods;
        position.received.quantity = dec(received);
        position.billed.quantity = dec(before);
        position.billed.net = Money::rounded(dec(before) * dec("100"), Currency::NOK).unwrap();
        let net = Money::rounded(dec(quantity) * dec("100"), Currency::NOK).unwrap();
        let bill = bill(vec![claim("1", Some(quantity), net.minor)]);
        assert_eq!(found(&bill, &position, &rules), *expected, "{about}");
    }
}

#[test]
fn rounding_is_no_deviation() {
    // Order's price, basis, decimals it is kept in; quantity, price stated, net.
    type Row<'a> = (&'a str, &'a str, Option<u32>, &'a str, &'a str, i64, &'a [&'a str]);
    let cases: &[Row<'_>] = &[
        ("0.335", "1", None, "1000", "0.34", 34_000, &[]),
        ("0.335", "1", None, "1000", "0.34", 34_001, &["PriceOver"]),
        ("0.334", "1", None, "1000", "0.34", 34_000, &["PriceOver"]),
        ("100.40", "1", None, "10", "101", 101_000, &["PriceOver"]),
        ("33.3333", "1", Some(4), "3", "33.33333333", 10_000, &[]),
        ("33.3333", "1", None, "3", "33.34", 10_002, &["PriceOver"]),
        ("250", "100", None, "1000", "2.50", 250_000, &[]),
        ("250", "100", None, "1000", "2.51", 251_000, &["PriceOver"]),
        ("0.125", "1", None, "1", "0.125", 13, &[]),
        ("0.125", "1", None, "1", "0.125", 14, &["PriceOver"]),
    ];
    for (price, basis, rounded_to, quantity, stated, net, expected) in cases {
        let mut position = position();
        position.quantity = Some(dec("100000"));
        position.net = nok(100_000_000);
        position.price =
            Some(Price { amount: dec(price), basis: dec(basis), rounded_to: *rounded_to });
        let mut line = claim("1", Some(quantity), *net);
        line.unit_price = Some(dec(stated));
        let found = found(&bill(vec![line]), &position, &MatchRules::default());
        assert_eq!(found, *expected, "{stated} for {price}");
    }
}

#[test]
fn small_differences_and_the_whole_invoice_at_their_limits() {
    let small = |amount: &str| -> Amounts { [(Currency::NOK, dec(amount))].into() };
    for (net, charges, expected) in [
        (100_100, 0, &[][..]),
        (100_101, 0, &["PriceOver"]),
        (100_060, 40, &[]),
        (100_000, 100, &[]),
        (100_000, 101, &["ChargeOver"]),
    ] {
        let mut rules = MatchRules { small_difference: small("1"), ..MatchRules::default() };
        rules.limits.charge_over = Some(Limit::default());
        let mut bill = bill(vec![claim("1", Some("10"), net)]);
        bill.charges = nok(charges);
        assert_eq!(found(&bill, &position(), &rules), expected, "{net} and {charges}");
    }
    for (charges, expected) in [(2_000, &[][..]), (2_001, &["ChargeOver"])] {
        let mut rules = MatchRules::default();
        rules.limits.charge_over = Some(limit("2", ""));
        let mut bill = bill(vec![claim("1", Some("10"), 100_000)]);
        bill.charges = nok(charges);
        assert_eq!(found(&bill, &position(), &rules), expected, "charges of {charges}");
    }
    for (left, expected) in [(99_010, &[][..]), (99_009, &["HeaderOver"])] {
        let mut rules = MatchRules::default();
        rules.limits.header_over = Some(limit("", "9.90"));
        let mut bill = bill(vec![claim("1", Some("10"), 100_000)]);
        bill.left_on_orders = nok(left);
        assert_eq!(found(&bill, &position(), &rules), expected, "{left} left");
    }
}

/// What is too large to be reckoned with is told, not passed as cheaper than agreed.
#[test]
fn amounts_at_the_largest_that_is_reckoned_with() {
    for (price, expected) in
        [("99999999", &[][..]), ("100000000", &[]), ("100000001", &["UnitNotConvertible"])]
    {
        let mut position = position();
        (position.quantity, position.net) = (Some(LARGEST_QUANTITY), nok(i64::MAX));
        let amount = dec(price);
        position.price = Some(Price { amount, basis: dec("1"), rounded_to: None });
        let mut line = claim("1", Some(&LARGEST_QUANTITY.to_string()), i64::MAX);
        line.unit_price = Some(amount);
        assert_eq!(
            found(&bill(vec![line]), &position, &MatchRules::default()),
            expected,
            "{price}"
        );
    }
}
