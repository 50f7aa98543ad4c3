use super::*;
use crate::procurement::{Segment, SegmentValue};
use jiff::civil::date;
use proptest::prelude::*;

fn code(table: TableName, code: &str) -> NamedCode {
    NamedCode { table, segment: None, code: code.into() }
}

fn hold(code: &str) -> Hold {
    Hold { code: code.into(), text: format!("{code}."), fix: "Do.".into() }
}

fn invoice(number: &str, fate: Fate) -> Judged {
    Judged {
        kind: DocumentKind::SupplierInvoice,
        number: number.into(),
        on: Some(date(2026, 11, 2)),
        amount: Some(Money::new(12_500, Currency::NOK)),
        fate,
        vendor: None,
        codes: BTreeMap::new(),
        unfilled: BTreeSet::new(),
        orders: Vec::new(),
    }
}

fn order(number: &str, fate: Fate) -> Judged {
    let kind = DocumentKind::PurchaseOrder;
    Judged { kind, orders: vec![number.into()], ..invoice(number, fate) }
}

fn told(documents: &[Judged]) -> Report {
    told_with(documents, &Tables::default(), date(2026, 9, 1))
}

fn told_with(documents: &[Judged], tables: &Tables, take_from: Date) -> Report {
    told_in(documents, tables, take_from, &ReferenceData::default())
}

fn told_in(
    documents: &[Judged],
    tables: &Tables,
    take_from: Date,
    reference: &ReferenceData,
) -> Report {
    let vendors = BTreeMap::from([
        (
            "v1".to_owned(),
            KnownVendor {
                shown: "v1 (Nordlys)".into(),
                standing: VendorStanding::Matched(vec!["organisation number 988077917".into()]),
            },
        ),
        (
            "v2".to_owned(),
            KnownVendor {
                shown: "v2 (Fjord)".into(),
                standing: VendorStanding::Unmatched {
                    why: "nobody".into(),
                    candidates: vec![Candidate {
                        supplier: "50012".into(),
                        name: "Fjord AS".into(),
                        score: 90,
                        reasons: vec!["same name".into()],
                    }],
                },
            },
        ),
    ]);
    tally(
        documents,
        &Surroundings {
            connection: "no",
            source: "jaggaer",
            company: "nordlys",
            days: 90,
            from: date(2026, 9, 1),
            to: date(2026, 11, 30),
            take_from,
            unrouted: &[],
            vendors: &vendors,
            dimensions: &Dimensions::default(),
            reference,
            tables,
            cost: Cost::default(),
        },
    )
}

fn waits_for_order(number: &str) -> Fate {
    let on = WaitFor::Order(number.into());
    Fate::Waits(vec![Wait { on, text: format!("Order {number} is held.") }])
}

#[test]
fn everything_is_counted_once_in_count_and_in_money() {
    let documents = [
        invoice("1", Fate::WouldPost),
        invoice("2", Fate::AlreadyInVisma),
        invoice("3", Fate::Held(vec![hold("gross_differs"), hold("gross_differs")])),
        invoice("4", Fate::NotRipe),
        invoice("5", Fate::Ignored("taken back: by the supplier".into())),
        order("6", Fate::Unread),
        Judged { on: None, amount: None, ..invoice("7", Fate::Held(vec![hold("unreadable")])) },
        // Before the period.
        Judged { on: Some(date(2026, 8, 31)), ..invoice("8", Fate::WouldPost) },
    ];
    let report = told(&documents);
    let expected = Counts {
        received: 7,
        would_post: 2,
        already_in_visma: 1,
        held: 2,
        ignored: 1,
        in_flight: 2,
    };
    assert_eq!((report.counts, report.share), (expected, 33));
    let money: Vec<_> = report
        .money
        .iter()
        .map(|of| [of.of, &of.seen, &of.would_post, &of.held, &of.ignored, &of.in_flight])
        .collect();
    assert_eq!(
        money,
        [
            ["invoices", "625.00", "250.00", "125.00", "125.00", "125.00"],
            ["orders", "125.00", "0.00", "0.00", "0.00", "125.00"],
        ]
    );
    let groups: Vec<_> = report.holds.iter().map(|of| (of.code.as_str(), of.documents)).collect();
    assert_eq!(groups, [("gross_differs", 1), ("unreadable", 1)]);
    assert_eq!(report.ignored_because[0].code, "taken back");
    let waits: Vec<_> = report.waits.iter().map(|of| of.code.as_str()).collect();
    assert_eq!(waits, ["approval", "detail"]);
}

#[test]
fn what_waits_for_a_held_order_hangs_on_what_holds_the_order() {
    let lacks = |of: Judged, lacking: &str| Judged {
        codes: BTreeMap::from([
            (code(TableName::Accounts, lacking), false),
            (code(TableName::Accounts, "6540"), true),
        ]),
        ..of
    };
    let documents = [
        lacks(order("A", Fate::Held(vec![hold("account_not_mapped")])), "K1"),
        invoice("1", waits_for_order("A")),
        invoice("2", waits_for_order("B")),
        lacks(
            invoice("3", Fate::Held(vec![hold("account_not_mapped"), hold("gross_differs")])),
            "K2",
        ),
        Judged {
            vendor: Some("v2".into()),
            ..invoice("4", Fate::Held(vec![hold("supplier_unknown")]))
        },
        Judged { vendor: Some("v1".into()), ..invoice("5", Fate::WouldPost) },
    ];
    let report = told(&documents);
    let todo: Vec<_> =
        report.todo.iter().map(|of| (of.code.as_str(), of.documents, of.frees, of.share)).collect();
    assert_eq!(todo, [("K1", 2, 2, 50), ("v2 (Fjord)", 1, 1, 66), ("K2", 1, 0, 66)]);
    assert_eq!(report.todo[1].suggestion.as_ref().map(|of| of.value.as_str()), Some("50012"));
    let accounts = &report.codes[0];
    assert_eq!((accounts.title.as_str(), accounts.used, accounts.matched), ("Accounts", 3, 1));
    assert_eq!((report.vendors.used, report.vendors.matched), (2, 1));
    assert_eq!(report.vendors.matched_by, [("organisation number".to_owned(), 1)]);
}

#[test]
fn a_segment_without_a_value_is_a_thing_to_do_and_its_rule_is_tried() {
    let needs = |number: &str, holds: &[&str]| Judged {
        unfilled: BTreeSet::from([2]),
        ..invoice(number, Fate::Held(holds.iter().map(|of| hold(of)).collect()))
    };
    let documents = [
        needs("1", &["segment_missing"]),
        needs("2", &["segment_missing", "gross_differs"]),
        // The coding table filled it.
        Judged { unfilled: BTreeSet::from([2]), ..invoice("3", Fate::WouldPost) },
    ];
    let value = SegmentValue { description: "Ingen".into(), active: true };
    let segment = Segment {
        id: 2,
        description: "Prosjekt".into(),
        values: BTreeMap::from([("000000".to_owned(), value)]),
        ..Segment::default()
    };
    let reference =
        ReferenceData { segments: BTreeMap::from([(2, segment)]), ..ReferenceData::default() };
    let tables = Tables::default();
    let report = told_in(&documents, &tables, date(2026, 9, 1), &reference);
    let [todo] = &report.todo[..] else { panic!("{:?}", report.todo) };
    assert_eq!((todo.table.as_str(), todo.documents, todo.frees), ("Segment 2 (Prosjekt)", 2, 1));
    let (tried, taken) = taken_for_right(&tables, &report.todo);
    let filled: Vec<_> =
        tried.segments.iter().map(|rule| (rule.id, rule.default.as_deref())).collect();
    assert_eq!((filled, taken), (vec![(2, Some("000000"))], 1));
    let listed = report.codes.iter().find(|of| of.segment == Some(2)).map(|of| of.in_visma);
    assert_eq!(listed, Some(Some(1)));
}

/// Its table does not name it, and a row of the coding table decided all the same.
#[test]
fn a_code_that_stops_nothing_is_matched() {
    let of = |fate: Fate| Judged {
        codes: BTreeMap::from([(code(TableName::Accounts, "K1"), false)]),
        ..invoice("1", fate)
    };
    assert_eq!(told(&[of(Fate::WouldPost)]).codes[0].unmatched, []);
    assert_eq!(told(&[of(Fate::NotRipe)]).codes[0].unmatched.len(), 1);
}

#[test]
fn what_lies_before_go_live_is_told() {
    let early = |of: Judged| Judged { on: Some(date(2026, 9, 15)), ..of };
    let documents = [
        early(order("A", Fate::WouldPost)),
        early(order("B", Fate::AlreadyInVisma)),
        Judged { orders: vec!["A".into()], ..invoice("1", Fate::WouldPost) },
        Judged { orders: vec!["B".into()], ..invoice("2", Fate::WouldPost) },
    ];
    let report = told_with(&documents, &Tables::default(), date(2026, 10, 1));
    assert_eq!((report.before_go_live, report.orders_before_go_live), (1, 1));
    assert_eq!(told(&documents).before_go_live, 0);
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::WouldPost),
        Just(Fate::AlreadyInVisma),
        Just(Fate::Held(vec![hold("account_not_mapped")])),
        Just(Fate::Held(vec![hold("account_not_mapped"), hold("gross_differs")])),
        Just(waits_for_order("A")),
        Just(Fate::NotRipe),
        Just(Fate::Unread),
        Just(Fate::Ignored("cancelled".into())),
    ]
}

proptest! {
    #[test]
    fn seen_is_the_sum_of_its_parts(fates in proptest::collection::vec((any_fate(), 0..4_u8), 0..40)) {
        let documents: Vec<Judged> = fates
            .into_iter()
            .map(|(fate, lacking)| Judged {
                codes: BTreeMap::from([(code(TableName::Accounts, &lacking.to_string()), false)]),
                ..invoice("1", fate)
            })
            .collect();
        let report = told(&documents);
        let of = report.counts;
        prop_assert_eq!(of.received, documents.len() as u64);
        prop_assert_eq!(of.received, of.would_post + of.held + of.ignored + of.in_flight);
        // No list of things to do promises more than there is.
        let freed: u64 = report.todo.iter().map(|of| of.frees).sum();
        prop_assert!(of.would_post + freed <= of.received - of.ignored);
        prop_assert!(report.todo.windows(2).all(|of| of[0].share <= of[1].share));
    }
}
