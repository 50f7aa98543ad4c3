use super::ValidationRules;
use jiff::civil::Date;
use jiff::{Span, Unit};

/// A date that does not fit the day on which the invoice came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFault {
    Future { days: i64 },
    Stale { days: i64 },
}

pub fn dated(invoiced: Date, received: Date, rules: &ValidationRules) -> Option<DateFault> {
    let ahead = days_between(received, invoiced);
    if ahead > i64::from(rules.future_days) {
        return Some(DateFault::Future { days: ahead });
    }
    let stale = rules.stale_days > 0 && -ahead > i64::from(rules.stale_days);
    stale.then_some(DateFault::Stale { days: -ahead })
}

/// The day that the terms give, and how many days later the invoice says it is due (earlier:
/// negative), when that is more than `allowed`.
pub fn due_by_terms(
    invoiced: Date,
    due: Date,
    terms_days: i64,
    allowed: u32,
) -> Option<(Date, i64)> {
    let expected = invoiced.checked_add(Span::new().try_days(terms_days).ok()?).ok()?;
    let later = days_between(expected, due);
    (later.abs() > i64::from(allowed)).then_some((expected, later))
}

fn days_between(from: Date, to: Date) -> i64 {
    let span = from.until((Unit::Day, to)).expect("any two dates are some days apart");
    i64::from(span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_against_the_day_it_came() {
        let rules = ValidationRules { future_days: 7, stale_days: 365, ..Default::default() };
        let received = date(2026, 10, 1);
        let cases = [
            (date(2026, 10, 1), None),
            (date(2026, 10, 8), None),
            (date(2026, 10, 9), Some(DateFault::Future { days: 8 })),
            (date(2036, 10, 1), Some(DateFault::Future { days: 3653 })),
            (date(2025, 10, 1), None),
            (date(2025, 9, 30), Some(DateFault::Stale { days: 366 })),
        ];
        for (invoiced, expected) in cases {
            let found = dated(invoiced, received, &rules);
            assert_eq!(found, expected, "{invoiced}");
        }
        assert!(matches!(dated(Date::MIN, Date::MAX, &rules), Some(DateFault::Stale { .. })));
        let any_age = ValidationRules { stale_days: 0, ..rules };
        assert_eq!(dated(date(2001, 1, 1), received, &any_age), None);
    }

    #[test]
    fn the_due_date_against_the_terms() {
        let invoiced = date(2026, 9, 28);
        let expected = date(2026, 10, 28);
        let cases = [
            (date(2026, 10, 28), None),
            (date(2026, 11, 11), None),
            (date(2026, 11, 12), Some((expected, 15))),
            (date(2026, 10, 14), None),
            (date(2026, 10, 13), Some((expected, -15))),
            (date(2027, 10, 28), Some((expected, 365))),
        ];
        for (due, found) in cases {
            assert_eq!(due_by_terms(invoiced, due, 30, 14), found, "{due}");
        }
        assert_eq!(due_by_terms(invoiced, expected, i64::MAX, 14), None);
    }
}
