use super::*;
use crate::procurement::{Currency, DocumentKind, Money};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: Date = date(2026, 3, 14);

fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").expect("a code"))
}

fn march() -> Period {
    Period::Month(Month::of(DAY))
}

fn own(id: &str, minor: i64, standing: Standing) -> Own {
    Own {
        id: id.into(),
        source: "j".into(),
        connection: "no".into(),
        company: "v".into(),
        kind: DocumentKind::SupplierInvoice,
        number: format!("I-{id}"),
        supplier: Some("50012".into()),
        on: Some(DAY),
        received_on: DAY,
        amount: Some(nok(minor)),
        standing,
        row_hash: "h".into(),
        pruned: None,
        is_listed: true,
        is_shown: true,
        is_moving: false,
        visma: Some(format!("Invoice 3{id}")),
    }
}

fn listed(id: &str, minor: i64) -> Listed {
    Listed {
        id: id.into(),
        source: "j".into(),
        connection: "no".into(),
        company: "v".into(),
        kind: DocumentKind::SupplierInvoice,
        source_id: format!("77{id}"),
        number: Some(format!("I-{id}")),
        vendor: None,
        on: Some(DAY),
        changed_on: Some(DAY),
        amount: Some(nok(minor)),
        row_hash: "h".into(),
        is_coming: false,
    }
}

fn booked(id: &str, minor: i64) -> Booked {
    Booked {
        company: "v".into(),
        of: Of::Invoices,
        document_type: "Invoice".into(),
        number: format!("3{id}"),
        supplier: "50012".into(),
        on: Some(DAY),
        amount: Some(nok(minor)),
        status: "Open".into(),
        is_live: true,
        is_over: false,
        has_closed_lines: false,
        is_taken_back: false,
        unreadable: None,
        owner: Owner::Document(id.into()),
    }
}

fn kinds(statement: &Statement) -> Vec<&'static str> {
    statement.differences.iter().map(|of| of.kind.as_str()).collect()
}

#[test]
fn three_books_that_say_the_same_close() {
    let credit = Own { kind: DocumentKind::CreditNote, ..own("2", -500, Standing::Posted) };
    let listed_credit = Listed { kind: DocumentKind::CreditNote, ..listed("2", -500) };
    let statement = reconcile(
        march(),
        &[listed("1", 1000), listed_credit, listed("3", 70), listed("4", 5)],
        &[
            own("1", 1000, Standing::Posted),
            credit,
            own("3", 70, Standing::Held),
            own("4", 5, Standing::InFlight),
        ],
        &[booked("1", 1000), Booked { document_type: "DebitAdj".into(), ..booked("2", -500) }],
    );
    assert!(statement.balances(), "{:#?}", statement.differences);
    let (_, line) = &statement.lines[0];
    assert_eq!(statement.lines.len(), 1);
    assert_eq!(line.seen, Sum { count: 4, minor: 575 });
    assert_eq!(line.jaggaer, line.seen);
    assert_eq!(line.posted, Sum { count: 2, minor: 500 });
    assert_eq!(line.visma, line.posted);
    assert_eq!(line.differences, Sum::default());
}

/// What is laid beside a document that all three books have over 10.00: its name, what is put in its place, and
/// the differences that must be named.
#[test]
fn each_difference_has_its_name() {
    type Case = (&'static str, Vec<Listed>, Vec<Own>, Vec<Booked>, Vec<&'static str>);
    let posted = || own("1", 1000, Standing::Posted);
    let (row, in_visma) = (|| listed("1", 1000), || booked("1", 1000));
    let changed = || Listed { row_hash: "other".into(), ..listed("1", 1200) };
    let taken_back =
        |id: &str, minor| Booked { number: id.into(), is_taken_back: true, ..booked("1", minor) };
    let cases: Vec<Case> = vec![
        ("never received", vec![row()], vec![], vec![], vec!["only_in_jaggaer"]),
        (
            "comes with the next poll",
            vec![Listed { is_coming: true, ..row() }],
            vec![],
            vec![],
            vec![],
        ),
        ("vanished", vec![], vec![posted()], vec![in_visma()], vec!["only_with_us"]),
        (
            "not asked for",
            vec![],
            vec![Own { is_listed: false, ..posted() }],
            vec![in_visma()],
            vec![],
        ),
        (
            "a version that no poll brought",
            vec![changed()],
            vec![posted()],
            vec![in_visma()],
            vec!["revision_not_seen"],
        ),
        (
            "a version that comes",
            vec![Listed { is_coming: true, ..changed() }],
            vec![posted()],
            vec![in_visma()],
            vec![],
        ),
        (
            "another amount in the same row",
            vec![listed("1", 1001)],
            vec![posted()],
            vec![in_visma()],
            vec!["amount_not_as_listed"],
        ),
        (
            "the list does not say the amount",
            vec![Listed { amount: None, ..row() }],
            vec![posted()],
            vec![in_visma()],
            vec![],
        ),
        ("deleted", vec![row()], vec![posted()], vec![], vec!["missing_in_visma"]),
        (
            "voided",
            vec![row()],
            vec![posted()],
            vec![Booked { is_live: false, status: "Voided".into(), ..in_visma() }],
            vec!["missing_in_visma"],
        ),
        ("not shown yet", vec![row()], vec![Own { is_moving: true, ..posted() }], vec![], vec![]),
        (
            "dated before the list",
            vec![row()],
            vec![Own { is_shown: false, ..posted() }],
            vec![],
            vec![],
        ),
        (
            "another amount in Visma",
            vec![row()],
            vec![posted()],
            vec![booked("1", 1001)],
            vec!["amount_differs"],
        ),
        (
            "another currency in Visma",
            vec![row()],
            vec![posted()],
            vec![Booked { amount: Some(eur(1000)), ..in_visma() }],
            vec!["amount_differs"],
        ),
        (
            "lines were closed",
            vec![row()],
            vec![posted()],
            vec![Booked { has_closed_lines: true, ..booked("1", 900) }],
            vec![],
        ),
        (
            "twice",
            vec![row()],
            vec![posted()],
            vec![in_visma(), Booked { number: "9".into(), ..in_visma() }],
            vec!["doubled_in_visma"],
        ),
        (
            "held, and there",
            vec![row()],
            vec![own("1", 1000, Standing::Held)],
            vec![in_visma()],
            vec!["state_differs"],
        ),
        (
            "on its way",
            vec![row()],
            vec![own("1", 1000, Standing::InFlight)],
            vec![in_visma()],
            vec![],
        ),
        (
            "cancelled, and closed there",
            vec![row()],
            vec![own("1", 1000, Standing::Ignored)],
            vec![Booked { is_over: true, ..in_visma() }],
            vec![],
        ),
        (
            "a key that nobody knows",
            vec![],
            vec![],
            vec![Booked { owner: Owner::Unknown, ..in_visma() }],
            vec!["only_in_visma"],
        ),
        (
            "keyed in by hand",
            vec![],
            vec![],
            vec![Booked { owner: Owner::ByHand, ..in_visma() }],
            vec![],
        ),
        (
            "cannot be read",
            vec![row()],
            vec![posted()],
            vec![Booked { amount: None, unreadable: Some("a date".into()), ..in_visma() }],
            vec!["unreadable_in_visma"],
        ),
        (
            "corrected",
            vec![row()],
            vec![posted()],
            vec![taken_back("7", 800), taken_back("8", -800), in_visma()],
            vec![],
        ),
        (
            "corrected, and the credit note is gone",
            vec![row()],
            vec![posted()],
            vec![taken_back("7", 800), in_visma()],
            vec!["amount_differs"],
        ),
        (
            "another month in all books",
            vec![Listed { on: Some(date(2026, 4, 1)), ..listed("1", 1) }],
            vec![Own { on: Some(date(2026, 4, 1)), ..posted() }],
            vec![],
            vec![],
        ),
    ];
    for (what, listed, own, booked, expected) in cases {
        let statement = reconcile(march(), &listed, &own, &booked);
        assert_eq!(kinds(&statement), expected, "{what}");
        check(&statement).unwrap_or_else(|error| panic!("{what}: {error}"));
        for of in &statement.differences {
            assert!(of.text.ends_with('.') && of.fix.ends_with('.'), "{what}: {of:?}");
            assert!(of.text.contains("I-1") || of.text.contains("Invoice 31"), "{what}: {of:?}");
        }
        let told = report(&statement, 100);
        assert_eq!(told["balanced"], expected.is_empty(), "{what}");
        assert_eq!(told["differences"].as_array().map(Vec::len), Some(expected.len()), "{what}");
    }
}

#[test]
fn a_document_belongs_to_one_month_by_our_date_then_by_the_list_then_by_its_arrival() {
    let cases = [
        (Some(date(2026, 3, 31)), Some(date(2026, 4, 1)), true),
        (Some(date(2026, 4, 1)), Some(date(2026, 3, 31)), false),
        (None, Some(date(2026, 3, 1)), true),
        (None, Some(date(2026, 2, 28)), false),
        (None, None, true),
    ];
    for (ours, theirs, inside) in cases {
        let of = Own { on: ours, ..own("1", 100, Standing::Held) };
        let row = Listed { on: theirs, ..listed("1", 100) };
        let statement = reconcile(march(), &[row], &[of], &[]);
        assert_eq!(statement.lines.len(), usize::from(inside), "{ours:?} {theirs:?}");
        assert!(statement.balances(), "{ours:?} {theirs:?}");
    }
    let stranger = |on, changed_on| Listed { on, changed_on, ..listed("1", 100) };
    for (on, changed, inside) in [
        (Some(date(2026, 4, 1)), Some(DAY), false),
        (None, Some(date(2026, 3, 1)), true),
        (None, Some(date(2026, 4, 1)), false),
        (None, None, true),
    ] {
        let statement = reconcile(march(), &[stranger(on, changed)], &[], &[]);
        assert_eq!(!statement.balances(), inside, "{on:?} {changed:?}");
    }
}

#[test]
fn months_are_read_and_shown_alike() {
    for good in ["2026-03", "0001-01", "9999-12"] {
        assert_eq!(good.parse::<Month>().map(|of| of.to_string()), Ok(good.to_owned()));
    }
    for wrong in ["", "2026", "2026-3", "2026-13", "2026-00", "03-2026", "2026-03-01", "2026/03"] {
        assert!(wrong.parse::<Month>().is_err(), "{wrong}");
    }
    assert_eq!(Month::of(date(2026, 1, 31)).before().to_string(), "2025-12");
}

/// What must hold of every line, whatever the books say.
fn check(statement: &Statement) -> Result<(), String> {
    let mut off: BTreeMap<(LineKey, bool), Sum> = BTreeMap::new();
    for difference in &statement.differences {
        for (key, sum) in &difference.off {
            let total = off.entry((key.clone(), difference.kind.is_of_jaggaer())).or_default();
            total.count += sum.count;
            total.minor += sum.minor;
        }
    }
    let parts: [fn(&Sum) -> i64; 2] = [|sum| sum.count, |sum| sum.minor];
    for (key, line) in &statement.lines {
        let of = |side: bool| off.get(&(key.clone(), side)).copied().unwrap_or_default();
        let (jaggaer, visma) = (of(true), of(false));
        for part in parts {
            let states =
                part(&line.posted) + part(&line.held) + part(&line.ignored) + part(&line.in_flight);
            let listed =
                part(&line.seen) + part(&line.coming) - part(&line.unlisted) + part(&jaggaer);
            let stands = part(&line.posted) + part(&line.on_its_way) - part(&line.not_shown)
                + part(&line.taken_back)
                + part(&line.closed_lines)
                + part(&visma);
            let expected = (part(&line.seen), part(&line.jaggaer), part(&line.visma));
            if expected != (states, listed, stands) {
                return Err(format!("{key:?}: {line:#?}\n{:#?}", statement.differences));
            }
        }
    }
    let named: i64 = statement.lines.iter().map(|(_, line)| line.differences.count).sum();
    if usize::try_from(named) != Ok(statement.differences.len()) {
        return Err(format!("{named} differences in lines"));
    }
    Ok(())
}

fn some_amount() -> impl Strategy<Value = Option<Money>> {
    let money = (-2000..2000_i64, any::<bool>());
    proptest::option::weighted(
        0.9,
        money.prop_map(|(minor, home)| if home { nok(minor) } else { eur(minor) }),
    )
}

fn some_day() -> impl Strategy<Value = Option<Date>> {
    let day = (2..5_i8, prop_oneof![Just(1_i8), Just(28), 1..28_i8]);
    proptest::option::weighted(0.9, day.prop_map(|(month, day)| date(2026, month, day)))
}

fn a_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        4 => Just(Standing::Posted),
        1 => Just(Standing::Held),
        1 => Just(Standing::Ignored),
        1 => Just(Standing::InFlight),
    ]
}

fn an_own(id: usize) -> impl Strategy<Value = Own> {
    (a_standing(), some_amount(), some_day(), any::<(bool, bool, bool, bool)>()).prop_map(
        move |(standing, amount, on, (is_order, is_listed, is_shown, is_moving))| Own {
            amount,
            on,
            is_listed,
            is_shown,
            is_moving,
            kind: if is_order {
                DocumentKind::PurchaseOrder
            } else {
                DocumentKind::SupplierInvoice
            },
            ..own(&id.to_string(), 0, standing)
        },
    )
}

fn a_row(id: usize) -> impl Strategy<Value = Listed> {
    (some_amount(), some_day(), some_day(), any::<(bool, bool, bool)>()).prop_map(
        move |(amount, on, changed_on, (same, is_coming, is_order))| Listed {
            amount,
            on,
            changed_on,
            is_coming,
            row_hash: if same { "h" } else { "other" }.into(),
            kind: if is_order {
                DocumentKind::PurchaseOrder
            } else {
                DocumentKind::SupplierInvoice
            },
            ..listed(&id.to_string(), 0)
        },
    )
}

fn a_booked(n: usize, documents: usize) -> impl Strategy<Value = Booked> {
    let owner = prop_oneof![
        6 => (0..documents.max(1)).prop_map(|id| Owner::Document(id.to_string())),
        1 => Just(Owner::Unknown),
        1 => Just(Owner::ByHand),
    ];
    let flags = any::<(bool, bool, bool, bool)>();
    (owner, some_amount(), some_day(), flags, 0..6_u8).prop_map(
        move |(owner, amount, on, (is_live, is_over, has_closed_lines, unread), taken)| Booked {
            owner,
            amount: if unread { None } else { amount },
            on,
            is_live,
            is_over,
            has_closed_lines,
            is_taken_back: taken == 0,
            unreadable: unread.then(|| "a date".to_owned()),
            ..booked(&n.to_string(), 0)
        },
    )
}

type Books3 = (Vec<Listed>, Vec<Own>, Vec<Booked>);

fn books() -> impl Strategy<Value = Books3> {
    (0..12_usize, 0..12_usize, 0..16_usize).prop_flat_map(|(own, listed, booked)| {
        // Documents 0..own are ours; the list names some of them, and some that nobody knows.
        let own_rows: Vec<_> = (0..own).map(an_own).collect();
        let listed_rows: Vec<_> = (0..listed).map(|n| a_row(n * 2)).collect();
        let booked_rows: Vec<_> = (0..booked).map(|n| a_booked(n, own)).collect();
        (listed_rows, own_rows, booked_rows)
    })
}

fn day_of(of: &Own, listed: &[Listed]) -> Date {
    let row = listed.iter().find(|row| row.id == of.id);
    of.on.or_else(|| row.and_then(|row| row.on)).unwrap_or(of.received_on)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_line_adds_up_and_every_document_is_in_one_place((listed, own, booked) in books()) {
        let statement = reconcile(march(), &listed, &own, &booked);
        check(&statement).map_err(TestCaseError::fail)?;
        let count = |of: fn(&Line) -> Sum| -> i64 {
            statement.lines.iter().map(|(_, line)| of(line).count).sum()
        };
        let inside: Vec<&Own> =
            own.iter().filter(|of| march().holds(day_of(of, &listed))).collect();
        prop_assert_eq!(count(|line| line.seen), inside.len() as i64);

        let strangers = listed.iter().filter(|row| !own.iter().any(|of| of.id == row.id));
        let strangers = strangers.filter(|row| row.on.or(row.changed_on).is_none_or(|day| march().holds(day)));
        let both = inside.iter().filter(|of| listed.iter().any(|row| row.id == of.id));
        prop_assert_eq!(count(|line| line.jaggaer), (strangers.count() + both.count()) as i64);

        let live: Vec<&Booked> = booked.iter().filter(|row| row.is_live).collect();
        let by_hand: i64 = statement.by_hand.iter().map(|of| of.sum.count).sum();
        let hand = live.iter().filter(|row| row.owner == Owner::ByHand && march().holds_of_visma(row.on));
        prop_assert_eq!(by_hand, hand.count() as i64);
        let visma = live.iter().filter(|row| match &row.owner {
            Owner::Document(id) => inside.iter().any(|of| {
                of.id == *id && (of.standing != Standing::Ignored || !row.is_over || row.is_taken_back)
            }),
            Owner::Unknown => march().holds_of_visma(row.on),
            Owner::ByHand => false,
        });
        prop_assert_eq!(count(|line| line.visma), visma.count() as i64);
    }

    #[test]
    fn the_order_of_the_lists_means_nothing((listed, own, booked) in books(), seed in any::<u64>()) {
        let straight = reconcile(march(), &listed, &own, &booked);
        let (mut listed, mut own, mut booked) = (listed, own, booked);
        let turn = |len: usize| if len == 0 { 0 } else { seed as usize % len };
        let (a, b, c) = (turn(listed.len()), turn(own.len()), turn(booked.len()));
        listed.rotate_left(a);
        own.rotate_left(b);
        booked.rotate_left(c);
        own.reverse();
        booked.reverse();
        prop_assert_eq!(straight, reconcile(march(), &listed, &own, &booked));
    }

    #[test]
    fn months_together_are_everything((listed, own, booked) in books()) {
        let all = reconcile(Period::All { from: date(2026, 1, 1) }, &listed, &own, &booked);
        check(&all).map_err(TestCaseError::fail)?;
        let seen = |statement: &Statement| -> (i64, i64) {
            statement.lines.iter().fold((0, 0), |(count, minor), (_, line)| {
                (count + line.seen.count, minor + line.seen.minor)
            })
        };
        let mut sum = (0, 0);
        for month in ["2026-02", "2026-03", "2026-04"] {
            let month = Period::Month(month.parse().expect("a month"));
            let of = seen(&reconcile(month, &listed, &own, &booked));
            sum = (sum.0 + of.0, sum.1 + of.1);
        }
        prop_assert_eq!(sum, seen(&all));
    }
}
