use super::*;
use crate::procurement::{BatchSource, InvoicePlanLine, Money, PostingMode};
use jiff::civil::date;
use proptest::prelude::*;

const NUMBER: &str = "300457";

fn nok(minor: i64) -> Money {
    Money::new(minor, Currency::NOK)
}

fn planned(account: &str, department: &str, minor: i64) -> InvoicePlanLine {
    InvoicePlanLine {
        key: "1".into(),
        description: "x".into(),
        quantity: Decimal::ONE,
        unit: None,
        unit_cost: nok(minor).amount(),
        cost: nok(minor),
        account: account.into(),
        segments: vec![(1, department.into()), (2, "00".into())],
        vat_category: "K25".into(),
        branch: None,
        project: None,
        link: None,
    }
}

/// 100.00 and 50.00 on two departments of 6540, 200.00 on 6800; VAT 87.50.
fn plan(kind: InvoiceKind) -> InvoicePlan {
    InvoicePlan {
        kind,
        supplier: "50012".into(),
        supplier_reference: "10458".into(),
        currency: Currency::NOK,
        document_on: date(2026, 11, 10),
        invoiced_on: date(2026, 11, 10),
        period: "202611".into(),
        due_on: None,
        terms: None,
        payment_reference: None,
        branch: None,
        description: String::new(),
        gross: nok(43_750),
        vat: nok(8_750),
        mode: PostingMode::Released,
        lines: vec![
            planned("6540", "110", 10_000),
            planned("6540", "230", 5_000),
            planned("6800", "110", 20_000),
        ],
        attachments: vec![],
    }
}

fn line(account: &str, department: &str, net: i64) -> ErpBatchLine {
    ErpBatchLine {
        account: account.into(),
        segments: vec![(1, department.into()), (2, "00".into())],
        subaccount: Some(format!("{department}-00")),
        branch: Some("1".into()),
        reference: Some(NUMBER.into()),
        source: Some(BatchSource::Document(InvoiceKind::Invoice)),
        supplier: Some("50012".into()),
        net: nok(net),
        base: Some(nok(net).amount()),
    }
}

fn batch(lines: Vec<ErpBatchLine>) -> ErpBatch {
    ErpBatch {
        number: "070001".into(),
        status: "Posted".into(),
        currency: Currency::NOK,
        exchange_rate: Some(Decimal::ONE),
        version: None,
        modified: None,
        lines,
    }
}

fn right() -> Vec<ErpBatchLine> {
    vec![
        line("6540", "110", 10_000),
        line("6540", "230", 5_000),
        line("6800", "110", 20_000),
        line("2710", "000", 8_750),
        line("2400", "000", -43_750),
    ]
}

fn set(lines: &mut [ErpBatchLine], at: usize, net: i64) {
    lines[at].net = nok(net);
    lines[at].base = Some(nok(net).amount());
}

fn texts(plan: &InvoicePlan, batches: &[ErpBatch]) -> Vec<String> {
    ledger_matches(plan, batches).into_iter().map(|difference| difference.text).collect()
}

type Change = fn(&mut Vec<ErpBatchLine>);

#[test]
fn what_is_right_however_visma_writes_it() {
    let cases: &[(&str, Change)] = &[
        ("as planned", |_| {}),
        ("a line in two parts", |lines| {
            set(lines, 2, 15_000);
            lines.push(line("6800", "110", 5_000));
        }),
        ("several VAT accounts", |lines| {
            set(lines, 3, 5_000);
            lines.push(line("2711", "000", 3_750));
        }),
        ("VAT that the buyer owes nets to nothing", |lines| {
            lines.push(line("2710", "000", 900));
            lines.push(line("2701", "000", -900));
        }),
        ("the debt in two parts", |lines| {
            set(lines, 4, -40_000);
            lines.push(line("2400", "110", -3_750));
        }),
        ("between branches", |lines| {
            lines.push(line("1590", "000", 20_000));
            lines.push(line("1590", "000", -20_000));
        }),
        ("joined subaccounts only", |lines| {
            lines.iter_mut().for_each(|line| line.segments.clear());
        }),
        ("no subaccounts told", |lines| {
            lines.iter_mut().for_each(|line| {
                line.segments.clear();
                line.subaccount = None;
            });
            // Then the account alone is compared, by its sum.
            set(lines, 0, 10_000);
        }),
        ("no amounts in the company's currency", |lines| {
            lines.iter_mut().for_each(|line| line.base = None);
        }),
    ];
    for (what, change) in cases {
        let mut lines = right();
        change(&mut lines);
        let mut plan = plan(InvoiceKind::Invoice);
        if *what == "no subaccounts told" {
            plan.lines = vec![planned("6540", "110", 15_000), planned("6800", "110", 20_000)];
        }
        assert_eq!(texts(&plan, &[batch(lines)]), [""; 0], "{what}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_numbers() {
    let cases: &[(&str, Change, &[&str])] = &[
        (
            "account",
            |lines| lines[2].account = "7770".into(),
            &[
                "account 6800, subaccount 110-00: planned 200.00 NOK debit, in the journal 0.00 NOK",
                "beside the planned accounts and the debt stand 2710 87.50 NOK debit, 7770 200.00 NOK debit; planned was VAT of 87.50 NOK debit",
            ],
        ),
        (
            "subaccount",
            |lines| lines[0].segments[0].1 = "400".into(),
            &[
                "account 6540, subaccount 110-00: planned 100.00 NOK debit, in the journal 0.00 NOK",
                "beside the planned accounts and the debt stand 2710 87.50 NOK debit, 6540 100.00 NOK debit; planned was VAT of 87.50 NOK debit",
            ],
        ),
        (
            "departments changed about",
            |lines| {
                set(lines, 0, 5_000);
                set(lines, 1, 10_000);
            },
            &[
                "account 6540, subaccount 110-00: planned 100.00 NOK debit, in the journal 50.00 NOK debit",
                "account 6540, subaccount 230-00: planned 50.00 NOK debit, in the journal 100.00 NOK debit",
            ],
        ),
        (
            "one øre from cost to VAT",
            |lines| {
                set(lines, 2, 19_999);
                set(lines, 3, 8_751);
            },
            &[
                "account 6800, subaccount 110-00: planned 200.00 NOK debit, in the journal 199.99 NOK debit",
                "beside the planned accounts and the debt stand 2710 87.51 NOK debit; planned was VAT of 87.50 NOK debit",
            ],
        ),
        (
            "cost and debt too high",
            |lines| {
                set(lines, 0, 10_100);
                set(lines, 4, -43_850);
            },
            &[
                "account 6540, subaccount 110-00: planned 100.00 NOK debit, in the journal 101.00 NOK debit",
                "no account carries the debt of 437.50 NOK credit; beside the planned accounts stand 2400 438.50 NOK credit, 2710 87.50 NOK debit",
            ],
        ),
        (
            "VAT and debt too high",
            |lines| {
                set(lines, 3, 8_751);
                set(lines, 4, -43_751);
            },
            &[
                "no account carries the debt of 437.50 NOK credit; beside the planned accounts stand 2400 437.51 NOK credit, 2710 87.51 NOK debit",
            ],
        ),
        (
            "no VAT",
            |lines| {
                lines.remove(3);
            },
            &[
                "beside the planned accounts and the debt stand nothing; planned was VAT of 87.50 NOK debit",
                "debit and credit of the journal differ by 87.50 NOK",
                "debit and credit in the company's own currency differ by 87.50",
            ],
        ),
        (
            "the company's own currency",
            |lines| {
                lines[0].base = Some(Decimal::new(9_900, 2));
                lines[1].base = Some(Decimal::new(5_100, 2));
            },
            &[
                "account 6540: 100.00 NOK in the document's currency is 99.00 in the company's own, at the rate 1",
            ],
        ),
    ];
    for (what, change, expected) in cases {
        let mut lines = right();
        change(&mut lines);
        assert_eq!(texts(&plan(InvoiceKind::Invoice), &[batch(lines)]), *expected, "{what}");
    }
}

#[test]
fn a_credit_note_stands_the_other_way_round() {
    let credit = plan(InvoiceKind::CreditNote);
    let turned: Vec<ErpBatchLine> = right()
        .into_iter()
        .map(|one| ErpBatchLine { net: one.net.negated(), base: one.base.map(|base| -base), ..one })
        .collect();
    assert_eq!(texts(&credit, &[batch(turned.clone())]), [""; 0]);
    let wrong = texts(&credit, &[batch(right())]);
    assert_eq!(
        wrong[0],
        "account 6540, subaccount 110-00: planned 100.00 NOK credit, in the journal 100.00 NOK debit"
    );
    assert!(!texts(&plan(InvoiceKind::Invoice), &[batch(turned)]).is_empty());
}

/// Booked on a preliminary account first, then from there to where it belongs.
#[test]
fn several_batches_count_together() {
    let first =
        vec![line("1599", "000", 35_000), line("2710", "000", 8_750), line("2400", "000", -43_750)];
    let second = vec![
        line("6540", "110", 10_000),
        line("6540", "230", 5_000),
        line("6800", "110", 20_000),
        line("1599", "000", -35_000),
    ];
    let plan = plan(InvoiceKind::Invoice);
    assert_eq!(texts(&plan, &[batch(first.clone()), batch(second)]), [""; 0]);
    assert!(!texts(&plan, &[batch(first)]).is_empty());
}

#[test]
fn branches_are_compared_where_both_name_one() {
    let mut plan = plan(InvoiceKind::Invoice);
    plan.branch = Some("1".into());
    assert_eq!(texts(&plan, &[batch(right())]), [""; 0]);
    let mut lines = right();
    lines[0].branch = None;
    assert_eq!(texts(&plan, &[batch(lines.clone())]), [""; 0]);
    lines[0].branch = Some("2".into());
    assert_eq!(
        texts(&plan, &[batch(lines)])[0],
        "account 6540, subaccount 110-00, branch 1: planned 100.00 NOK debit, in the journal 0.00 NOK"
    );
}

/// Which of its two amounts is the document's is a question that Visma's own texts answer both ways.
#[test]
fn either_amount_may_be_that_of_the_document_where_the_currency_is_foreign() {
    let mut foreign = right();
    for line in &mut foreign {
        line.base = line.base.map(|base| base * Decimal::from(11));
    }
    let turned: Vec<ErpBatchLine> = foreign
        .iter()
        .map(|line| ErpBatchLine {
            net: Money::exact(line.base.unwrap(), Currency::NOK).unwrap(),
            base: Some(line.net.amount()),
            ..line.clone()
        })
        .collect();
    let plan = plan(InvoiceKind::Invoice);
    for (lines, rate, right) in [
        (foreign, 11, true),
        (turned.clone(), 11, true),
        // In the company's own currency there is nothing to choose.
        (turned, 1, false),
    ] {
        let rate = Some(Decimal::from(rate));
        let batch = ErpBatch { exchange_rate: rate, ..batch(lines) };
        assert_eq!(texts(&plan, &[batch]).is_empty(), right, "{rate:?}");
    }
}

#[test]
fn another_currency_is_told_alone() {
    let mut batch = batch(right());
    batch.currency = Currency::parse("EUR").unwrap();
    assert_eq!(
        texts(&plan(InvoiceKind::Invoice), &[batch]),
        ["the journal is in EUR, planned was NOK"]
    );
}

#[test]
fn a_document_takes_its_own_lines_only() {
    let mut lines = right();
    let of = |batch: &ErpBatch| {
        batch.of_document(InvoiceKind::Invoice, NUMBER, "50012").map(|own| own.lines.len())
    };
    assert_eq!(of(&batch(lines.clone())), Some(5));
    lines[0].reference = Some("300458".into());
    lines[1].source = Some(BatchSource::Document(InvoiceKind::CreditNote));
    lines[2].source = Some(BatchSource::Other);
    lines[3].source = None;
    (lines[4].source, lines[4].supplier) = (None, Some("50099".into()));
    assert_eq!(of(&batch(lines)), Some(1));
    assert_eq!(of(&batch(vec![])), None);
}

proptest! {
    /// Any order, any cut of the lines: right stays right; a minor unit moved between two accounts is found.
    #[test]
    fn cutting_and_ordering_change_nothing(
        costs in prop::collection::vec((0usize..4, 0usize..3, -1_000_000i64..1_000_000), 1..12),
        vat in 0i64..500_000,
        cuts in prop::collection::vec(-5_000i64..5_000, 12),
        turn in any::<prop::sample::Index>(),
        credit in any::<bool>(),
    ) {
        let accounts = ["6300", "6540", "6800", "7140"];
        let departments = ["110", "230", "400"];
        let kind = if credit { InvoiceKind::CreditNote } else { InvoiceKind::Invoice };
        let sign = if credit { -1 } else { 1 };
        let net: i64 = costs.iter().map(|(_, _, cost)| cost).sum();
        prop_assume!(net + vat != 0);
        let mut plan = plan(kind);
        plan.lines = costs
            .iter()
            .map(|(account, department, cost)| planned(accounts[*account], departments[*department], *cost))
            .collect();
        (plan.vat, plan.gross) = (nok(vat), nok(net + vat));
        let mut lines = Vec::new();
        for ((account, department, cost), cut) in costs.iter().zip(&cuts) {
            let (account, department) = (accounts[*account], departments[*department]);
            lines.push(line(account, department, sign * (cost - cut)));
            lines.push(line(account, department, sign * cut));
        }
        lines.push(line("2710", "000", sign * vat));
        lines.push(line("2400", "000", -sign * (net + vat)));
        let turn = turn.index(lines.len());
        lines.rotate_left(turn);
        prop_assert_eq!(texts(&plan, &[batch(lines.clone())]), Vec::<String>::new());
        let own = lines.iter().position(|line| line.account.starts_with(['6', '7'])).unwrap();
        let other = lines.iter().position(|line| line.account == "2710").unwrap();
        let (a, b) = (lines[own].net.minor, lines[other].net.minor);
        set(&mut lines, own, a + 1);
        set(&mut lines, other, b - 1);
        prop_assert!(!texts(&plan, &[batch(lines)]).is_empty());
    }
}
