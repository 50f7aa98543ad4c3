//! Which order line an invoice line bills, and which receipt line it is linked to.

use crate::laws::oracle::{dec, nok};
use crate::matching::*;
use crate::procurement::{
    Currency, ErpOrder, ErpOrderLine, ErpReceipt, ErpReceiptLine, InvoiceLine, Money, OrderLineRef,
    OrderPlan, OrderPlanLine, OrderStart,
};
use jiff::civil::date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Key or number, text, quantity, amount.
type Row<'a> = (&'a str, &'a str, i64, i64);

fn plan(rows: &[Row<'_>]) -> OrderPlan {
    let line = |(key, text, quantity, minor): &Row<'_>| OrderPlanLine {
        key: (*key).into(),
        number: source_key(key).into(),
        line_type: "Service".into(),
        inventory: None,
        description: (*text).into(),
        quantity: Decimal::from(*quantity),
        unit: None,
        unit_cost: Decimal::ONE,
        amount: Money::new(*minor, Currency::NOK),
        account: "6540".into(),
        segments: vec![],
        vat_category: "K25".into(),
        project: None,
        promised_on: None,
    };
    OrderPlan {
        number: "PO-1".into(),
        supplier: "50001".into(),
        currency: Currency::NOK,
        ordered_on: date(2026, 9, 1),
        promised_on: None,
        description: String::new(),
        branch: None,
        terms: None,
        start: OrderStart::Hold,
        net: Money::zero(Currency::NOK),
        lines: rows.iter().map(line).collect(),
    }
}

fn erp(rows: &[Row<'_>]) -> ErpOrder {
    let line = |(nth, (key, text, quantity, minor)): (usize, &Row<'_>)| ErpOrderLine {
        unit: None,
        number: 100 + i64::try_from(nth).expect("few lines"),
        our_key: (!key.is_empty()).then(|| (*key).into()),
        line_type: None,
        description: Some((*text).into()),
        quantity: Some(Decimal::from(*quantity)),
        unit_cost: None,
        amount: Some(Money::new(*minor, Currency::NOK)),
        account: None,
        segments: vec![],
        received: None,
        completed: false,
        cancelled: false,
    };
    ErpOrder {
        order_type: "RegularOrder".into(),
        number: "000401".into(),
        supplier: "50001".into(),
        supplier_reference: None,
        description: None,
        status: "Open".into(),
        on_hold: false,
        currency: Currency::NOK,
        ordered_on: None,
        net: None,
        our_key: None,
        version: None,
        modified: None,
        lines: rows.iter().enumerate().map(line).collect(),
    }
}

#[test]
fn lines_pair_by_key_then_by_what_they_say() {
    type Case<'a> = (&'a str, &'a [Row<'a>], &'a [Row<'a>], &'a [(&'a str, i64)]);
    let cases: &[Case<'_>] = &[
        (
            "the key beats looks",
            &[("a/1", "Stol", 1, 10), ("b/1", "Bord", 2, 20)],
            &[("b/1", "Stol", 1, 10), ("a/1", "Bord", 2, 20)],
            &[("a/1", 101), ("b/1", 100)],
        ),
        (
            "text tells equal amounts apart",
            &[("a/1", "Stol", 1, 10), ("b/1", "Bord", 1, 10)],
            &[("", " BORD", 1, 10), ("", "stol", 1, 10)],
            &[("a/1", 101), ("b/1", 100)],
        ),
        (
            "quantity does, when the words are others",
            &[("a/1", "Stol", 1, 10), ("b/1", "Bord", 2, 10)],
            &[("", "x", 2, 10), ("", "y", 1, 10)],
            &[("a/1", 101), ("b/1", 100)],
        ),
        (
            "lines that say the same pair in order",
            &[("b/1", "Stol", 1, 10), ("a/1", "Stol", 1, 10)],
            &[("", "Stol", 1, 10), ("", "Stol", 1, 10)],
            &[("a/1", 100), ("b/1", 101)],
        ),
        (
            "a line too many on one side pairs nothing of its kind",
            &[("a/1", "Stol", 1, 10), ("b/1", "Bord", 1, 20)],
            &[("", "Stol", 1, 10), ("", "Stol", 1, 10), ("", "Bord", 1, 20)],
            &[("b/1", 102)],
        ),
        ("another amount", &[("a/1", "Stol", 1, 10)], &[("", "Stol", 1, 11)], &[]),
    ];
    for (about, ours, theirs, expected) in cases {
        let paired = pair(&plan(ours), &erp(theirs));
        let expected: BTreeMap<String, i64> =
            expected.iter().map(|(key, line)| ((*key).to_owned(), *line)).collect();
        assert_eq!(paired, expected, "{about}");
    }
}

/// An invoice line of 1 piece at 100.00 that names `PO-1` and, if any, a line of it.
pub(super) fn bills(
    text: &str,
    key: Option<&str>,
    number: Option<&str>,
) -> (InvoiceLine, OrderLineRef) {
    let named = OrderLineRef {
        order_number: "PO-1".into(),
        line_number: number.map(str::to_owned),
        line_key: key.map(str::to_owned),
    };
    let line = InvoiceLine {
        key: "I1".into(),
        number: "1".into(),
        order: Some(named.clone()),
        item: None,
        description: text.into(),
        commodity: None,
        quantity: Some(Decimal::ONE),
        unit: None,
        unit_price: Some(dec("100")),
        price_basis: None,
        net: nok(10_000),
        taxes: vec![],
        distributions: vec![],
    };
    (line, named)
}

#[test]
fn a_line_of_our_order_is_the_one_it_names_and_never_one_that_looks_like_it() {
    // Key and number that the invoice names; the lines of Visma that it bills.
    type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a [i64]>);
    let cases: &[Row<'_>] = &[
        ("by its key, all shares in their order", Some("a"), None, Some(&[102, 101, 100])),
        ("by its number", None, Some("b"), Some(&[103])),
        ("the key beats the number", Some("b"), Some("a"), Some(&[103])),
        ("a key that is not known, with a number that is", Some("x"), Some("b"), Some(&[103])),
        ("a number that the order does not have", None, Some("9"), None),
        ("a key that the order does not have", Some("x"), None, None),
        ("neither is there", Some("x"), Some("9"), None),
    ];
    let lines = [("a/10", "Stol", 1, 10), ("a/2", "Stol", 1, 20), ("a/1", "Stol", 1, 30)];
    let rows = [lines.as_slice(), &[("b/1", "Bord", 1, 40)]].concat();
    let (plan, erp) = (plan(&rows), erp(&rows));
    let paired = pair(&plan, &erp);
    for (about, key, number, expected) in cases {
        let (line, named) = bills("Stol", *key, *number);
        let planned = Some(Planned { plan: &plan, paired: &paired });
        let found = find_lines(&line, &named, planned, &erp);
        let found = found.map(|lines| lines.iter().map(|of| of.number).collect::<Vec<_>>());
        assert_eq!(found, expected.map(<[i64]>::to_vec), "{about}");
    }
    // Even where the order has but one line that it could be.
    let (one_plan, one) = (self::plan(&rows[3..]), self::erp(&rows[3..]));
    let paired = pair(&one_plan, &one);
    let planned = Some(Planned { plan: &one_plan, paired: &paired });
    for (key, number, found) in
        [(None, Some("9"), false), (Some("x"), None, false), (None, None, true)]
    {
        let (line, named) = bills("Bord", key, number);
        assert_eq!(find_lines(&line, &named, planned, &one).is_some(), found, "{key:?} {number:?}");
    }
}

#[test]
fn an_order_of_ours_without_its_plan_is_found_by_the_keys_that_stand_in_visma() {
    let rows = [("a/10", "Stol", 1, 10), ("b/1", "Bord", 1, 20), ("a/2", "Stol", 1, 30)];
    let (line, named) = bills("Bord", Some("a"), None);
    let erp = erp(&rows);
    let found = find_lines(&line, &named, None, &erp).expect("its key is there");
    assert_eq!(found.iter().map(|of| of.number).collect::<Vec<_>>(), [102, 100], "shares in order");
}

#[test]
fn a_line_of_an_order_that_a_person_keyed_in_is_told_by_what_it_says() {
    type Change = fn(&mut InvoiceLine, &mut OrderLineRef, &mut ErpOrder);
    let cases: &[(&str, Change, Option<i64>)] = &[
        ("the text, though all else is the same", |_, _, _| {}, Some(101)),
        (
            "the only line, whatever it says",
            |l, _, o| {
                l.description = "Noe".into();
                o.lines.truncate(1);
            },
            Some(100),
        ),
        (
            "a cancelled line is none",
            |l, _, o| {
                l.description = "Noe".into();
                o.lines.truncate(2);
                o.lines[0].cancelled = true;
            },
            Some(101),
        ),
        (
            "the price, where no text fits",
            |l, _, o| {
                l.description = "Noe".into();
                o.lines[2].unit_cost = Some(dec("70"));
                l.unit_price = Some(dec("70"));
            },
            Some(102),
        ),
        (
            "the price for each of a hundred",
            |l, _, o| {
                l.description = "Noe".into();
                o.lines[2].unit_cost = Some(dec("0.7"));
                (l.unit_price, l.price_basis) = (Some(dec("70")), Some(dec("100")));
            },
            Some(102),
        ),
        (
            "the quantity, where the price is the same",
            |l, _, o| {
                l.description = "Noe".into();
                l.quantity = Some(dec("7"));
                o.lines[1].quantity = Some(dec("7"));
            },
            Some(101),
        ),
        (
            "no quantity is not the same quantity",
            |l, _, o| {
                l.description = "Noe".into();
                l.quantity = None;
                o.lines[1].quantity = None;
            },
            None,
        ),
        (
            "the number, where nothing else tells",
            |l, n, _| {
                l.description = "Noe".into();
                n.line_number = Some("102".into());
            },
            Some(102),
        ),
        ("nothing tells", |l, _, _| l.description = "Noe".into(), None),
        (
            "two lines without a text do not say the same",
            |l, _, o| {
                l.description = String::new();
                o.lines[2].description = Some(String::new());
            },
            None,
        ),
        (
            "another price fits nothing",
            |l, n, _| {
                l.description = "Noe".into();
                n.line_number = Some("102".into());
                l.unit_price = Some(dec("99"));
            },
            None,
        ),
    ];
    for (about, change, expected) in cases {
        let (mut line, mut named) = bills("bord ", None, None);
        let rows = [("", "Stol", 1, 10_000), ("", " Bord", 1, 10_000), ("", "Skap", 1, 10_000)];
        let mut erp = erp(&rows);
        erp.lines.iter_mut().for_each(|line| line.unit_cost = Some(dec("100")));
        change(&mut line, &mut named, &mut erp);
        let found = find_lines(&line, &named, None, &erp).map(|lines| lines[0].number);
        assert_eq!(found, *expected, "{about}");
    }
}

#[test]
fn receipts_of_the_order_line_and_the_wanted_quantity_first() {
    let receipt =
        |number: &str, kind: &str, status: &str, lines: &[(&str, i64, &str)]| ErpReceipt {
            receipt_type: kind.into(),
            number: number.into(),
            status: status.into(),
            supplier: "50001".into(),
            modified: None,
            version: None,
            lines: lines
                .iter()
                .zip(1..)
                .map(|((order, line, quantity), number)| ErpReceiptLine {
                    number,
                    order_number: Some((*order).into()),
                    order_line: Some(*line),
                    quantity: Some(dec(quantity)),
                    unit: None,
                })
                .collect(),
        };
    let receipts = [
        receipt("R1", "PoReceipt", "Released", &[("000401", 11, "4"), ("000401", 12, "10")]),
        receipt("R2", "PoReceipt", "Released", &[("000402", 11, "10"), ("000401", 11, "10.0")]),
        receipt("R3", "PoReturn", "Released", &[("000401", 11, "10")]),
        receipt("R4", "PoReceipt", "Hold", &[("000401", 11, "10")]),
        receipt("R0", "PoReceipt", "Released", &[("000401", 11, "6")]),
    ];
    let found = receipt_lines(&receipts, "000401", 11, dec("10"));
    assert_eq!(found, [("R2".into(), 2), ("R0".into(), 1), ("R1".into(), 1)]);
    assert_eq!(receipt_lines(&receipts, "000401", 13, dec("10")), []);
}

#[test]
fn an_order_that_a_person_keyed_in_is_the_planned_one_or_not() {
    type Change = fn(&mut ErpOrder);
    let cases: &[(&str, Change, bool)] = &[
        ("the same", |_| {}, true),
        ("its net, of which Visma says nothing, is that of its lines", |o| o.net = None, true),
        ("another net", |o| o.net = Some(nok(3_001)), false),
        (
            "another currency",
            |o| {
                o.currency = Currency::parse("SEK").unwrap();
                o.net = Some(Money::new(3_000, o.currency));
            },
            false,
        ),
        (
            "a line more that is cancelled",
            |o| {
                o.lines.push(ErpOrderLine { number: 9, cancelled: true, ..o.lines[0].clone() });
            },
            true,
        ),
        (
            "a line more that costs nothing",
            |o| {
                let amount = Some(nok(0));
                o.lines.push(ErpOrderLine { number: 9, amount, ..o.lines[0].clone() });
            },
            false,
        ),
        (
            "other amounts on its lines",
            |o| {
                o.lines[0].amount = Some(nok(1_001));
                o.lines[1].amount = Some(nok(1_999));
            },
            false,
        ),
        (
            "quantity times price where no amount is said",
            |o| {
                (o.lines[0].amount, o.lines[0].unit_cost) = (None, Some(dec("10")));
            },
            true,
        ),
        ("neither amount nor price", |o| o.lines[0].amount = None, false),
    ];
    let rows = [("a/1", "Stol", 1, 1_000), ("b/1", "Bord", 2, 2_000)];
    let mut plan = plan(&rows);
    plan.net = nok(3_000);
    for (about, change, expected) in cases {
        let mut erp = erp(&rows);
        erp.net = Some(plan.net);
        erp.lines.iter_mut().for_each(|line| line.our_key = None);
        change(&mut erp);
        assert_eq!(same_order(&plan, &erp), *expected, "{about}");
    }
}
