//! Invoices that look like one that is known already. A likeness is only ever a question to a
//! person; `docs/validation.md` has the rules as a table.

use super::claim_key;
use crate::procurement::{InvoiceKind, Money, PastInvoice};
use jiff::Unit;
use jiff::civil::Date;
use std::fmt;

/// What of a paper tells whether it came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper<'a> {
    pub kind: InvoiceKind,
    /// The ERP's supplier number.
    pub supplier: &'a str,
    pub reference: Option<&'a str>,
    pub invoiced_on: Date,
    pub gross: Money,
}

/// Why another document may be this one again; the strongest reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Under another record of the same company, or in another year with the same amount.
    SameNumber,
    /// The same but for a prefix, the year, leading zeros, or letters that look like digits; and
    /// the same amount.
    AlikeNumber,
    /// One character apart or two changed places, and the same amount.
    Typo,
    /// Another number.
    SameDayAndAmount,
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameNumber => "the same number",
            Self::AlikeNumber => "the same amount and a number that reads alike",
            Self::Typo => "the same amount and a number that one typing error makes of it",
            Self::SameDayAndAmount => "the same date and amount",
        })
    }
}

/// `others` are of the same supplier or of another record of the same company.
pub fn near_duplicates<'a>(
    paper: &Paper<'_>,
    others: &'a [PastInvoice],
) -> Vec<(Likeness, &'a PastInvoice)> {
    let mut found: Vec<(Likeness, &PastInvoice)> = others
        .iter()
        .filter(|other| {
            other.kind == paper.kind
                && other.is_live()
                && other.gross.currency == paper.gross.currency
        })
        .filter_map(|other| Some((likeness(paper, other)?, other)))
        .collect();
    found.sort_by(|a, b| {
        (a.0, &a.1.supplier, &a.1.document).cmp(&(b.0, &b.1.supplier, &b.1.document))
    });
    found.dedup();
    found
}

fn likeness(paper: &Paper<'_>, other: &PastInvoice) -> Option<Likeness> {
    let one = paper.reference.map(claim_key).unwrap_or_default();
    let two = other.reference.as_deref().map(claim_key).unwrap_or_default();
    let same_amount = paper.gross == other.gross && !paper.gross.is_zero();
    let days = other.invoiced_on.map(|on| days_between(on, paper.invoiced_on));
    let same_day = days == Some(0);
    let same_year = other.invoiced_on.is_none_or(|on| on.year() == paper.invoiced_on.year());
    if one == two && !one.is_empty() {
        let is_looked_at_exactly = other.supplier == paper.supplier && same_year;
        // Suppliers start their numbers again each year: then the amount is another.
        let again = !is_looked_at_exactly && (same_amount || same_year);
        return again.then_some(Likeness::SameNumber);
    }
    if !same_amount {
        return None;
    }
    let years = [Some(paper.invoiced_on), other.invoiced_on].map(|on| on.map_or(0, Date::year));
    if same_day {
        let alike = read_alike(&one, &two, years);
        return Some(if alike {
            Likeness::AlikeNumber
        } else if one_typo_apart(&one, &two) {
            Likeness::Typo
        } else {
            Likeness::SameDayAndAmount
        });
    }
    if one.len().min(two.len()) < LEAST_TELLING {
        return None;
    }
    if read_alike(&one, &two, years) {
        return Some(Likeness::AlikeNumber);
    }
    let near = days.is_none_or(|days| days.abs() <= TYPO_DAYS);
    let typo = near && one_typo_apart(&one, &two) && !of_one_series(&one, &two, days);
    typo.then_some(Likeness::Typo)
}

/// Shorter numbers look alike by chance.
const LEAST_TELLING: usize = 4;

/// A paper that is typed in again comes soon; a bill that recurs has a number of its own by then.
const TYPO_DAYS: i64 = 92;

fn days_between(from: Date, to: Date) -> i64 {
    let span = from.until((Unit::Day, to)).expect("any two dates are some days apart");
    i64::from(span.get_days())
}

/// Words that stand before a number and are no part of it.
const PREFIXES: &[&str] = &[
    "INVOICENO",
    "INVOICE",
    "INV",
    "FAKTURANR",
    "FAKTURA",
    "FAKT",
    "FAK",
    "FA",
    "FNR",
    "F",
    "REIKNINGUR",
    "LASKU",
    "RECHNUNG",
    "RG",
    "RE",
    "NUMMER",
    "NR",
    "NO",
    "KREDITNOTA",
    "KREDIT",
    "CREDIT",
    "CN",
    "KN",
    "K",
];

/// Both are keys, and not the same.
fn read_alike(one: &str, two: &str, years: [i16; 2]) -> bool {
    let forms = [bare(one, years[0]), bare(two, years[1])];
    if forms.iter().any(String::is_empty) {
        return false;
    }
    // An unknown word before the number counts as none only when the other has none.
    let behind_a_word = |key: &str, plain: &str| {
        let number = key.trim_start_matches(char::is_alphabetic);
        number.len() >= LEAST_TELLING && number == plain
    };
    forms[0] == forms[1] || behind_a_word(one, two) || behind_a_word(two, one)
}

/// Without known words in front, with letters as the digits that they look like, without the
/// year of the paper in front, without leading zeros.
fn bare(key: &str, year: i16) -> String {
    let mut rest = key;
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| {
        let shorter = rest.strip_prefix(prefix)?;
        // `F1` is a number behind a word; `FAR1` begins with another word.
        shorter.starts_with(|c: char| looks_like(c).is_ascii_digit()).then_some(shorter)
    }) {
        rest = shorter;
    }
    let digits: String = rest.chars().map(looks_like).collect();
    let without_year = digits.strip_prefix(&year.to_string());
    let rest = without_year.filter(|rest| rest.len() >= 3).unwrap_or(&digits);
    rest.trim_start_matches('0').to_owned()
}

const fn looks_like(c: char) -> char {
    match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// A character more, a character less, another one, or two that changed places.
fn one_typo_apart(one: &str, two: &str) -> bool {
    !one.is_empty() && !two.is_empty() && strsim::osa_distance(one, two) == 1
}

/// Numbers that count up with the days are two papers of one series.
fn of_one_series(one: &str, two: &str, days: Option<i64>) -> bool {
    let counted = |key: &str| {
        let digits = key.len() - key.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (word, count) = key.split_at(key.len() - digits);
        Some((word.to_owned(), digits, count.parse::<u128>().ok()?))
    };
    let (Some(one), Some(two), Some(days)) = (counted(one), counted(two), days) else {
        return false;
    };
    // `days` is how much later the first one is.
    (&one.0, one.1) == (&two.0, two.1) && (days > 0) == (one.2 > two.2)
}

#[cfg(test)]
mod tests {
    use super::Likeness::{AlikeNumber, SameDayAndAmount, SameNumber, Typo};
    use super::*;
    use crate::procurement::Currency;
    use jiff::civil::date;

    fn nok(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    /// The same amount on 28 September as the paper has.
    fn past(reference: &str) -> PastInvoice {
        PastInvoice {
            document: "Invoice 300001".into(),
            kind: InvoiceKind::Invoice,
            supplier: "50001".into(),
            reference: Some(reference.into()),
            invoiced_on: Some(date(2026, 9, 28)),
            gross: nok(125_000),
            balance: None,
            payment_reference: None,
            status: "Open".into(),
        }
    }

    fn found(reference: &str, other: PastInvoice) -> Option<Likeness> {
        let paper = Paper {
            kind: InvoiceKind::Invoice,
            supplier: "50001",
            reference: Some(reference),
            invoiced_on: date(2026, 9, 28),
            gross: nok(125_000),
        };
        near_duplicates(&paper, &[other]).first().map(|(likeness, _)| *likeness)
    }

    #[test]
    fn numbers_on_different_days_with_the_same_amount() {
        let earlier = |reference: &str| PastInvoice {
            invoiced_on: Some(date(2026, 9, 1)),
            ..past(reference)
        };
        let cases = [
            // The same number of the same supplier in one year is the business of the exact rule.
            ("F-90017", "f 90017", None),
            ("F-90017", "90017", Some(AlikeNumber)),
            ("F-90017", "INV 90017", Some(AlikeNumber)),
            ("F-90017", "Faktura nr 90017", Some(AlikeNumber)),
            ("90017", "0090017", None),
            ("9OO17", "90017", Some(AlikeNumber)),
            ("AB01234", "ABO1234", Some(AlikeNumber)),
            ("I0I23", "10123", Some(AlikeNumber)),
            ("2026/90017", "90017", Some(AlikeNumber)),
            ("2026/90017", "F90017", Some(AlikeNumber)),
            ("2025/90017", "90017", None),
            ("OSLO-90017", "90017", Some(AlikeNumber)),
            ("OSLO-90017", "BERGEN-90017", None),
            ("OSLO-917", "917", None),
            ("F-917", "917", None),
            ("JAN-2026", "FEB-2026", None),
            // Two digits changed places; one too many; another one, against the count of days.
            ("90017", "90071", Some(Typo)),
            ("90017", "900177", Some(Typo)),
            ("90017", "9017", Some(Typo)),
            ("90017", "90018", Some(Typo)),
            ("K90017", "L90017", Some(Typo)),
            // Numbers that count up with the days.
            ("90018", "90017", None),
            ("L1000019", "L1000018", None),
            ("202609", "202608", None),
            ("90017", "90035", None),
            ("4711", "90017", None),
            // Letters alone count nothing, so they are of no series.
            ("ABCDE", "ABCDF", Some(Typo)),
        ];
        for (reference, other, expected) in cases {
            assert_eq!(found(reference, earlier(other)), expected, "{reference} and {other}");
        }
    }

    #[test]
    fn what_is_alike_and_what_only_looks_so() {
        type Change = fn(&mut PastInvoice);
        let cases: [(&str, &str, &str, Change, Option<Likeness>); 25] = [
            ("same day and amount", "90017", "ORD-2", |_| {}, Some(SameDayAndAmount)),
            ("no number there", "90017", "", |_| {}, Some(SameDayAndAmount)),
            ("no number here", "", "90017", |_| {}, Some(SameDayAndAmount)),
            ("no number at all", "", "", |_| {}, Some(SameDayAndAmount)),
            ("same day, short numbers", "F-1", "1", |_| {}, Some(AlikeNumber)),
            ("same day, a typo", "11", "12", |_| {}, Some(Typo)),
            // Too short for a word before it to be none; and no number is no typing error.
            ("same day, a word", "XQ123", "123", |_| {}, Some(SameDayAndAmount)),
            ("same day, one digit", "7", "", |_| {}, Some(SameDayAndAmount)),
            ("an øre more", "90017", "ORD-2", |p| p.gross.minor += 1, None),
            ("an øre more, alike", "F-90017", "90017", |p| p.gross.minor += 1, None),
            ("nothing to pay", "90017", "ORD-2", |p| p.gross.minor = 0, None),
            (
                "another currency",
                "90017",
                "ORD-2",
                |p| {
                    p.gross.currency = Currency::parse("SEK").unwrap();
                },
                None,
            ),
            ("a credit note", "90017", "90017", |p| p.kind = InvoiceKind::CreditNote, None),
            (
                "a credit note, alike",
                "F-90017",
                "90017",
                |p| {
                    p.kind = InvoiceKind::CreditNote;
                },
                None,
            ),
            ("voided", "90017", "ORD-2", |p| p.status = "Voided".into(), None),
            ("other record", "90017", "90017", |p| p.supplier = "50009".into(), Some(SameNumber)),
            (
                "other record, other amount",
                "90017",
                "90017",
                |p| {
                    p.supplier = "50009".into();
                    p.gross.minor += 1;
                },
                Some(SameNumber),
            ),
            (
                "other record, other amount and year",
                "90017",
                "90017",
                |p| {
                    p.supplier = "50009".into();
                    p.gross.minor += 1;
                    p.invoiced_on = Some(date(2025, 9, 28));
                },
                None,
            ),
            (
                "other record, day and amount",
                "90017",
                "ORD-2",
                |p| {
                    p.supplier = "50009".into();
                },
                Some(SameDayAndAmount),
            ),
            (
                "numbers begun again",
                "17",
                "17",
                |p| {
                    p.gross.minor += 1;
                    p.invoiced_on = Some(date(2025, 9, 28));
                },
                None,
            ),
            (
                "last year with the same amount",
                "17",
                "17",
                |p| {
                    p.invoiced_on = Some(date(2025, 12, 28));
                },
                Some(SameNumber),
            ),
            (
                "each month",
                "L1029384",
                "L4857612",
                |p| {
                    p.invoiced_on = Some(date(2026, 8, 28));
                },
                None,
            ),
            (
                "a typo 92 days ago",
                "90017",
                "90071",
                |p| {
                    p.invoiced_on = Some(date(2026, 6, 28));
                },
                Some(Typo),
            ),
            (
                "a typo long ago",
                "90017",
                "90071",
                |p| {
                    p.invoiced_on = Some(date(2026, 6, 27));
                },
                None,
            ),
            (
                "a typo of a paper without a day",
                "90017",
                "90071",
                |p| {
                    p.invoiced_on = None;
                },
                Some(Typo),
            ),
        ];
        for (about, reference, other, change, expected) in cases {
            let mut past = past(other);
            change(&mut past);
            assert_eq!(found(reference, past), expected, "{about}");
        }
    }

    #[test]
    fn the_strongest_reason_comes_first_whatever_the_order() {
        let paper = Paper {
            kind: InvoiceKind::Invoice,
            supplier: "50001",
            reference: Some("F-90017"),
            invoiced_on: date(2026, 9, 28),
            gross: nok(125_000),
        };
        let mut others = vec![past("ORD-2"), past("90017")];
        for _ in 0..2 {
            let found: Vec<Likeness> = near_duplicates(&paper, &others)
                .into_iter()
                .map(|(likeness, _)| likeness)
                .collect();
            assert_eq!(found, [AlikeNumber, SameDayAndAmount]);
            others.reverse();
        }
    }
}
