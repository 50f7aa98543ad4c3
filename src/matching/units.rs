//! How many of one unit another is. Codes of UN/ECE Recommendation 20, and factors that the
//! configuration states; what neither says is not known, and never guessed.

use super::UnitFactor;
use super::position::LARGEST_QUANTITY;
use rust_decimal::Decimal;

/// What a unit measures. Units of one kind convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Count,
    Mass,
    Length,
    Area,
    Volume,
    /// Of the clock. A day of work is not 24 hours, so days and longer stand alone.
    Time,
    Energy,
}

/// Code, what it measures, and how many of the measure's own unit one of it is (piece, gram,
/// millimetre, square centimetre, millilitre, second, watt-hour).
const UNITS: &[(&str, Measure, i64)] = &[
    ("C62", Measure::Count, 1),
    ("EA", Measure::Count, 1),
    ("H87", Measure::Count, 1),
    ("NMB", Measure::Count, 1),
    ("PCE", Measure::Count, 1),
    ("PR", Measure::Count, 2),
    ("DZN", Measure::Count, 12),
    ("GRO", Measure::Count, 144),
    ("CEN", Measure::Count, 100),
    ("MIL", Measure::Count, 1_000),
    ("GRM", Measure::Mass, 1),
    ("HGM", Measure::Mass, 100),
    ("KGM", Measure::Mass, 1_000),
    ("DTN", Measure::Mass, 100_000),
    ("TNE", Measure::Mass, 1_000_000),
    ("MMT", Measure::Length, 1),
    ("CMT", Measure::Length, 10),
    ("DMT", Measure::Length, 100),
    ("MTR", Measure::Length, 1_000),
    ("KMT", Measure::Length, 1_000_000),
    ("CMK", Measure::Area, 1),
    ("DMK", Measure::Area, 100),
    ("MTK", Measure::Area, 10_000),
    ("HAR", Measure::Area, 100_000_000),
    ("MLT", Measure::Volume, 1),
    ("CMQ", Measure::Volume, 1),
    ("CLT", Measure::Volume, 10),
    ("DLT", Measure::Volume, 100),
    ("LTR", Measure::Volume, 1_000),
    ("DMQ", Measure::Volume, 1_000),
    ("HLT", Measure::Volume, 100_000),
    ("MTQ", Measure::Volume, 1_000_000),
    ("SEC", Measure::Time, 1),
    ("MIN", Measure::Time, 60),
    ("HUR", Measure::Time, 3_600),
    ("WHR", Measure::Energy, 1),
    ("KWH", Measure::Energy, 1_000),
    ("MWH", Measure::Energy, 1_000_000),
    ("GWH", Measure::Energy, 1_000_000_000),
];

/// Decimals of a converted quantity.
const DECIMALS: u32 = 6;

/// A factor as a fraction, so that 1/60 stays exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    above: Decimal,
    below: Decimal,
}

impl Ratio {
    pub const ONE: Self = Self { above: Decimal::ONE, below: Decimal::ONE };

    /// `number` times this. `None`: too large.
    pub fn of(self, number: Decimal) -> Option<Decimal> {
        number.checked_mul(self.above)?.checked_div(self.below)
    }

    /// A quantity in the other unit, rounded where the division does not end.
    pub fn convert(self, quantity: Decimal) -> Option<Decimal> {
        let converted = self.of(quantity)?.round_dp(DECIMALS).normalize();
        (converted.abs() <= LARGEST_QUANTITY).then_some(converted)
    }

    fn then(self, next: Self) -> Option<Self> {
        Some(Self {
            above: self.above.checked_mul(next.above)?,
            below: self.below.checked_mul(next.below)?,
        })
    }
}

/// How many `to` one `from` is. A unit that is not stated is taken to be the other one.
pub fn ratio(
    from: Option<&str>,
    to: Option<&str>,
    item: Option<&str>,
    factors: &[UnitFactor],
) -> Option<Ratio> {
    let (Some(from), Some(to)) = (code(from), code(to)) else { return Some(Ratio::ONE) };
    if let Some(ratio) = standard(&from, &to) {
        return Some(ratio);
    }
    let of_item = |factor: &&UnitFactor| factor.item.is_some() && factor.item.as_deref() == item;
    let of_all = |factor: &&UnitFactor| factor.item.is_none();
    let find = |wanted: &dyn Fn(&&UnitFactor) -> bool| {
        let mut found: Vec<Ratio> = factors
            .iter()
            .filter(|factor| wanted(factor))
            .filter_map(|factor| through(&from, factor, &to))
            .collect();
        // Two ways that disagree are no way.
        found.dedup_by(|a, b| same(*a, *b));
        match found.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    };
    find(&of_item).or_else(|| find(&of_all))
}

/// By one stated factor, with standard units on both of its ends.
fn through(from: &str, factor: &UnitFactor, to: &str) -> Option<Ratio> {
    let (one, other) = (code(Some(&factor.from))?, code(Some(&factor.to))?);
    let forth = Ratio { above: factor.factor, below: Decimal::ONE };
    let back = Ratio { above: Decimal::ONE, below: factor.factor };
    let step = |one: &str, ratio: Ratio, other: &str| {
        standard(from, one)?.then(ratio)?.then(standard(other, to)?)
    };
    step(&one, forth, &other).or_else(|| step(&other, back, &one))
}

fn same(left: Ratio, right: Ratio) -> bool {
    let (left, right) = (left.above.checked_mul(right.below), right.above.checked_mul(left.below));
    left.is_some() && left == right
}

fn standard(from: &str, to: &str) -> Option<Ratio> {
    if from == to {
        return Some(Ratio::ONE);
    }
    let known = |code: &str| UNITS.iter().find(|(unit, ..)| *unit == code);
    let ((_, of, above), (_, as_of, below)) = (known(from)?, known(to)?);
    (of == as_of).then(|| Ratio { above: Decimal::from(*above), below: Decimal::from(*below) })
}

/// As units are compared. `None`: none is stated.
pub(super) fn code(unit: Option<&str>) -> Option<String> {
    unit.map(str::trim).filter(|unit| !unit.is_empty()).map(str::to_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn factor(item: Option<&str>, from: &str, to: &str, factor: &str) -> UnitFactor {
        let item = item.map(str::to_owned);
        UnitFactor { item, from: from.into(), to: to.into(), factor: dec(factor) }
    }

    #[test]
    fn quantities_are_converted_by_standard_and_by_configuration_and_never_by_guess() {
        let factors = [
            factor(None, "BX", "EA", "10"),
            factor(Some("X"), "BX", "EA", "12"),
            factor(None, "DAY", "HUR", "7.5"),
            factor(None, "RL", "MTR", "50"),
            factor(None, "PK", "EA", "5"),
            factor(None, "PK", "DZN", "1"),
            factor(None, "CT", "EA", "24"),
            factor(None, "CT", "DZN", "2"),
            factor(Some("X"), "CR", "EA", "20"),
        ];
        type Row<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, Option<&'a str>);
        let cases: &[Row<'_>] = &[
            ("5", "EA", "EA", None, Some("5")),
            ("5", "ea", " EA ", None, Some("5")),
            ("5", "", "EA", None, Some("5")),
            ("5", "EA", "PCE", None, Some("5")),
            ("5", "H87", "C62", None, Some("5")),
            ("2", "DZN", "EA", None, Some("24")),
            ("3", "PR", "EA", None, Some("6")),
            ("18", "EA", "DZN", None, Some("1.5")),
            ("2.5", "TNE", "KGM", None, Some("2500")),
            ("250", "GRM", "KGM", None, Some("0.25")),
            ("1", "KGM", "LTR", None, None),
            ("150", "CMT", "MTR", None, Some("1.5")),
            ("330", "MLT", "LTR", None, Some("0.33")),
            ("2", "MTQ", "LTR", None, Some("2000")),
            ("90", "MIN", "HUR", None, Some("1.5")),
            ("100", "MIN", "HUR", None, Some("1.666667")),
            ("2", "MWH", "KWH", None, Some("2000")),
            ("2", "DAY", "HUR", None, Some("15")),
            ("450", "MIN", "DAY", None, Some("1")),
            ("1", "MON", "HUR", None, None),
            ("2", "BX", "EA", None, Some("20")),
            ("2", "BX", "EA", Some("X"), Some("24")),
            ("2", "BX", "DZN", Some("X"), Some("2")),
            ("36", "PCE", "BX", Some("X"), Some("3")),
            ("1", "RL", "CMT", None, Some("5000")),
            ("1", "BX", "KGM", None, None),
            ("1", "ZZ", "YY", None, None),
            // Stated in two ways that differ.
            ("1", "PK", "EA", None, None),
            // In two ways that agree.
            ("1", "CT", "EA", None, Some("24")),
            // For one item only.
            ("1", "CR", "EA", Some("X"), Some("20")),
            ("1", "CR", "EA", Some("Y"), None),
            ("1", "CR", "EA", None, None),
        ];
        for (quantity, from, to, item, expected) in cases {
            let ratio = ratio(Some(from), Some(to), *item, &factors);
            let converted = ratio.and_then(|ratio| ratio.convert(dec(quantity)));
            assert_eq!(converted, expected.map(dec), "{quantity} {from} in {to}");
        }
    }

    #[test]
    fn no_unit_stands_twice_in_the_table() {
        for (nth, (code, ..)) in UNITS.iter().enumerate() {
            assert!(UNITS[nth + 1..].iter().all(|(other, ..)| other != code), "{code}");
        }
    }
}
