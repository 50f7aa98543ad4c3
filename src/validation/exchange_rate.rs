use super::{ExchangeRateRule, ValidationRules};
use crate::procurement::{Currency, ReferenceData};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// What is wrong with the exchange rate on an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateFault {
    Missing {
        base: String,
    },
    /// For the company's own currency only 1 makes sense, and nothing at or below zero ever does.
    Impossible {
        stated: Decimal,
    },
    Differs {
        stated: Decimal,
        known: Decimal,
        from: Date,
    },
}

/// The stated rate is compared with the ERP's latest one up to the day, where it has any; a
/// company without a currency of its own in the reference data is not judged.
pub fn exchange_rate(
    currency: Currency,
    stated: Option<Decimal>,
    on: Date,
    rules: &ValidationRules,
    reference: &ReferenceData,
) -> Option<RateFault> {
    let base = reference.currencies.values().find(|known| known.is_base)?;
    let is_base = base.id == currency.code();
    let Some(stated) = stated else {
        let required = rules.exchange_rate == ExchangeRateRule::Required && !is_base;
        return required.then(|| RateFault::Missing { base: base.id.clone() });
    };
    if stated <= Decimal::ZERO || (is_base && stated != Decimal::ONE) {
        return Some(RateFault::Impossible { stated });
    }
    let until_then = || {
        let rates = reference.exchange_rates.iter();
        rates.filter(|rate| {
            rate.currency == currency.code() && rate.to == base.id && rate.from <= on
        })
    };
    let from = until_then().map(|rate| rate.from).max()?;
    let of_day: Vec<Decimal> =
        until_then().filter(|rate| rate.from == from).map(|rate| rate.rate).collect();
    let percent = Decimal::from(rules.exchange_rate_percent);
    let close = |known: Decimal| {
        let allowed = known.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        Some((stated - known).abs() <= allowed)
    };
    // It is not posted, and how a source quotes it is its own affair: for one unit, for a hundred (as
    // kroner are), or the other way round.
    let fits = |known: Decimal| {
        let forms = [
            Some(known),
            known.checked_mul(Decimal::ONE_HUNDRED),
            known.checked_div(Decimal::ONE_HUNDRED),
            Decimal::ONE.checked_div(known),
        ];
        forms.into_iter().flatten().any(|form| close(form) == Some(true))
    };
    // Companies keep rates of several kinds (of the day, of the month): any of them will do.
    if of_day.iter().copied().any(fits) {
        return None;
    }
    let known = of_day.into_iter().max()?;
    Some(RateFault::Differs { stated, known, from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{CurrencyInfo, ExchangeRate};
    use jiff::civil::date;

    #[test]
    fn rates_against_those_of_the_erp() {
        let on = date(2026, 9, 28);
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        let rate = |currency: &str, to: &str, from: Date, rate: &str| ExchangeRate {
            currency: currency.into(),
            to: to.into(),
            from,
            rate: number(rate),
        };
        let reference = ReferenceData {
            currencies: ["NOK", "EUR", "SEK"]
                .map(|id| {
                    let info = CurrencyInfo { id: id.into(), is_base: id == "NOK", decimals: None };
                    (id.to_owned(), info)
                })
                .into(),
            exchange_rates: vec![
                rate("EUR", "NOK", date(2026, 9, 29), "20"),
                rate("EUR", "NOK", date(2026, 9, 27), "10"),
                rate("EUR", "NOK", date(2026, 9, 27), "8"),
                rate("EUR", "NOK", date(2026, 9, 1), "9"),
                rate("NOK", "EUR", date(2026, 9, 28), "0.1"),
            ],
            ..ReferenceData::default()
        };
        let differs = |stated: &str| RateFault::Differs {
            stated: number(stated),
            known: number("10"),
            from: date(2026, 9, 27),
        };
        let missing = || RateFault::Missing { base: "NOK".into() };
        let impossible = |stated: &str| RateFault::Impossible { stated: number(stated) };
        use ExchangeRateRule::{Optional, Required};
        let cases = [
            ("EUR", Some("10"), Optional, None),
            ("EUR", Some("10.5"), Optional, None),
            ("EUR", Some("10.51"), Optional, Some(differs("10.51"))),
            ("EUR", Some("9.5"), Optional, None),
            ("EUR", Some("9.49"), Optional, Some(differs("9.49"))),
            ("EUR", Some("8.4"), Optional, None),
            // For a hundred, for a hundredth, and the other way round.
            ("EUR", Some("1000"), Optional, None),
            ("EUR", Some("0.1"), Optional, None),
            ("EUR", Some("0.095"), Optional, None),
            ("EUR", Some("0.2"), Optional, Some(differs("0.2"))),
            ("EUR", Some("0"), Optional, Some(impossible("0"))),
            ("EUR", Some("-10"), Optional, Some(impossible("-10"))),
            ("EUR", None, Optional, None),
            ("EUR", None, Required, Some(missing())),
            ("NOK", None, Required, None),
            ("NOK", Some("1.000"), Required, None),
            ("NOK", Some("1.01"), Optional, Some(impossible("1.01"))),
            // No rate of this currency is known: nothing is compared.
            ("SEK", Some("77"), Required, None),
        ];
        for (currency, stated, rule, expected) in cases {
            let rules = ValidationRules { exchange_rate: rule, ..ValidationRules::default() };
            let currency = Currency::parse(currency).unwrap();
            let found = exchange_rate(currency, stated.map(number), on, &rules, &reference);
            assert_eq!(found, expected, "{currency} {stated:?}");
        }
        let nothing = ReferenceData::default();
        let rules = ValidationRules { exchange_rate: Required, ..ValidationRules::default() };
        assert_eq!(exchange_rate(Currency::NOK, None, on, &rules, &nothing), None);
    }
}
