use super::cell::Exactness;
use super::*;
use jiff::civil::date;
use proptest::prelude::*;

const CODES: &[&str] = &["1", "2", "12", "21", "112", "121", "x"];

fn columns() -> Vec<Column> {
    let column = |name: &str, kind| Column { name: name.into(), kind };
    vec![
        column("vendor", Kind::Text),
        column("commodity", Kind::Text),
        column("amount", Kind::Amount),
        column("date", Kind::Day),
    ]
}

fn code() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => prop::sample::select(CODES).prop_map(str::to_owned),
        2 => prop::sample::subsequence(CODES, 2..4).prop_map(|codes| codes.join("|")),
        2 => prop::sample::select(vec!["1..12", "2..", "..21", "12..121"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1*", "2*", "12*"]).prop_map(str::to_owned),
    ]
}

fn amount() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["*", "*", "0..1", "1..2", "2..", "1", "1|2"])
}

fn day() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["*", "*", "2026-01-02", "2026-01-02..", "..2026-01-02"])
}

type Drawn = (String, String, &'static str, &'static str, Option<i8>, Option<i8>, u8);

fn drawn() -> impl Strategy<Value = Drawn> {
    let bound = || prop::option::weighted(0.2, 1_i8..4);
    (code(), code(), amount(), day(), bound(), bound(), 0_u8..3)
}

fn row(number: usize, drawn: &Drawn) -> Row<u8> {
    let cells = [&drawn.0, &drawn.1, drawn.2, drawn.3];
    let cells = cells.iter().zip(columns());
    Row {
        number,
        cells: cells.map(|(text, column)| Cell::parse(text, column.kind).unwrap()).collect(),
        valid_from: drawn.4.map(|day| date(2026, 1, day)),
        valid_to: drawn.5.map(|day| date(2026, 1, day)),
        result: drawn.6,
    }
}

fn rows(drawn: &[Drawn]) -> Vec<Row<u8>> {
    drawn.iter().enumerate().map(|(nth, drawn)| row(nth + 2, drawn)).collect()
}

/// Every input of the small world, silence included.
fn inputs() -> Vec<(Vec<Option<Value>>, Date)> {
    let codes: Vec<Option<Value>> =
        CODES.iter().map(|code| Some(Value::Text((*code).to_owned()))).chain([None]).collect();
    let mut inputs = Vec::new();
    for vendor in &codes {
        for commodity in &codes {
            for amount in 0..4_i64 {
                for day in 1..4 {
                    let on = date(2026, 1, day);
                    let amount = Some(Value::Amount(amount.into()));
                    let day = Some(Value::Day(on));
                    inputs.push((vec![vendor.clone(), commodity.clone(), amount, day], on));
                }
            }
        }
    }
    inputs
}

fn fits(row: &Row<u8>, values: &[Option<Value>], on: Date) -> bool {
    row.valid_from.is_none_or(|from| on >= from)
        && row.valid_to.is_none_or(|to| on <= to)
        && row.cells.iter().zip(values).all(|(cell, value)| cell.fits(value.as_ref()))
}

/// The rule as the manual tells it, one step after the other.
fn beats(a: &Row<u8>, b: &Row<u8>) -> bool {
    let count = |row: &Row<u8>| row.cells.iter().filter(|cell| **cell != Cell::Any).count();
    if count(a) != count(b) {
        return count(a) > count(b);
    }
    let rank = |cell: &Cell| match cell.exactness() {
        Exactness::Is => 10_000,
        Exactness::OneOf => 9_000,
        Exactness::Between => 8_000,
        Exactness::StartsWith(length) => length,
        Exactness::Any => 0,
    };
    for (a, b) in a.cells.iter().zip(&b.cells) {
        if rank(a) != rank(b) {
            return rank(a) > rank(b);
        }
    }
    false
}

/// Whether two rows fit one input of the small world with nothing to tell them apart.
fn is_tied(rows: &[Row<u8>], inputs: &[(Vec<Option<Value>>, Date)]) -> bool {
    rows.iter().enumerate().any(|(nth, a)| {
        rows[nth + 1..].iter().any(|b| {
            a.result != b.result
                && !beats(a, b)
                && !beats(b, a)
                && inputs.iter().any(|(values, on)| fits(a, values, *on) && fits(b, values, *on))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_is_refused_exactly_when_two_rows_tie(drawn in prop::collection::vec(drawn(), 0..7)) {
        let rows = rows(&drawn);
        let tied = is_tied(&rows, &inputs());
        match DecisionTable::new(&columns(), rows.clone()) {
            Ok(_) => prop_assert!(!tied),
            Err(ties) => {
                // The example is one that both rows fit indeed.
                for tie in ties {
                    let on = tie.example.iter().find(|(name, _)| name == "date");
                    let on = on.map_or(date(2026, 1, 1), |(_, day)| day.parse().unwrap());
                    let values: Vec<Option<Value>> = columns()
                        .iter()
                        .map(|column| {
                            let said = tie.example.iter().find(|(name, _)| *name == column.name);
                            match column.kind {
                                Kind::Day => Some(Value::Day(on)),
                                Kind::Text => said.map(|(_, text)| Value::Text(text.clone())),
                                Kind::Amount => {
                                    said.map(|(_, text)| Value::Amount(text.parse().unwrap()))
                                }
                            }
                        })
                        .collect();
                    for number in [tie.rows.0, tie.rows.1] {
                        prop_assert!(fits(&rows[number - 2], &values, on), "{tie:?}");
                    }
                }
                prop_assert!(tied);
            }
        }
    }

    #[test]
    fn the_most_specific_row_wins_in_whatever_order_they_stand(
        drawn in prop::collection::vec(drawn(), 0..7),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let rows = rows(&drawn);
        let Ok(table) = DecisionTable::new(&columns(), rows.clone()) else { return Ok(()) };
        let mut other = rows.clone();
        if !other.is_empty() {
            let by = shuffle.index(other.len());
            other.rotate_left(by);
            other.reverse();
        }
        let other = DecisionTable::new(&columns(), other).expect("the same rows");
        for (values, on) in inputs() {
            let fitting: Vec<&Row<u8>> =
                rows.iter().filter(|row| fits(row, &values, on)).collect();
            let best = fitting
                .iter()
                .find(|row| !fitting.iter().any(|than| beats(than, row)))
                .map(|row| row.result);
            prop_assert_eq!(table.decide(&values, on).map(|row| row.result), best);
            prop_assert_eq!(other.decide(&values, on).map(|row| row.result), best);
        }
    }
}

#[test]
fn a_beginning_is_counted_in_letters() {
    let columns = [Column { name: "item".into(), kind: Kind::Text }];
    let row = |number, text: &str| Row {
        number,
        cells: vec![Cell::parse(text, Kind::Text).unwrap()],
        valid_from: None,
        valid_to: None,
        result: number,
    };
    let table = DecisionTable::new(&columns, vec![row(2, "Kjøp*"), row(3, "Kjø*")]).unwrap();
    let found = |item: &str| {
        let values = [Some(Value::Text(item.to_owned()))];
        table.decide(&values, date(2026, 1, 1)).map(|row| row.number)
    };
    for (item, row) in [("Kjøp", Some(2)), ("Kjør", Some(3)), ("Kjø", Some(3)), ("Kj", None)] {
        assert_eq!(found(item), row, "{item}");
    }
}

/// Loading and asking stay cheap when a company has thousands of rules.
#[test]
fn ten_thousand_rows_are_loaded_and_asked_without_comparing_each_with_each() {
    let rows = (0..10_000_u32).map(|nth| Row {
        number: nth as usize + 2,
        cells: ["*", &format!("{nth:05}*"), "*", "*"]
            .iter()
            .zip(columns())
            .map(|(text, column)| Cell::parse(text, column.kind).unwrap())
            .collect(),
        valid_from: None,
        valid_to: None,
        result: nth,
    });
    let table = DecisionTable::new(&columns(), rows.collect()).unwrap();
    for asked in (0..10_000_u32).step_by(7) {
        let commodity = Some(Value::Text(format!("{asked:05}99")));
        let found = table.decide(&[None, commodity, None, None], date(2026, 1, 1));
        assert_eq!(found.map(|row| row.result), Some(asked));
    }
}

#[test]
fn a_tie_is_told_with_both_rows_and_an_input() {
    let drawn: [Drawn; 3] = [
        ("x".into(), "1..12".into(), "*", "*", None, Some(2), 1),
        ("12".into(), "*".into(), "*", "*", None, None, 1),
        ("x".into(), "2..".into(), "*", "*", Some(2), None, 2),
    ];
    let ties = DecisionTable::new(&columns(), rows(&drawn)).unwrap_err();
    let said = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let example = vec![said("vendor", "x"), said("commodity", "12"), said("date", "2026-01-02")];
    assert_eq!(ties, [Tie { rows: (2, 4), example }]);
    // One day later, and the two never meet.
    let mut apart = drawn;
    apart[2].4 = Some(3);
    assert!(DecisionTable::new(&columns(), rows(&apart)).is_ok());
}
