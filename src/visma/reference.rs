use super::answer::encoded;
use super::documents::typed;
use super::pager::{Counts, Listing, Pager, UnreadableRow, text};
use super::read::{date, filled, number_of, required};
use super::{Client, Error, wire};
use crate::procurement::{
    Account, Branch, CreditTerms, CurrencyInfo, ExchangeRate, FinancialPeriod, ReferenceData,
    Segment, SegmentValue, Vat, VatCategory, VatRate,
};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The dimension whose segments are the parts of a subaccount.
const SUBACCOUNT: &str = "/v1/dimension/SUBACCOUNT";

/// Reference data, and the rows of it that could not be used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceRead {
    pub reference: ReferenceData,
    /// Their keys begin with the list's path. What is missing here is missing in `reference`.
    pub unreadable: Vec<UnreadableRow>,
    /// Why exchange rates are missing.
    pub without_rates: Option<Error>,
}

impl Client {
    /// Everything a decision looks at but the suppliers, read whole. About ten calls.
    pub async fn reference_data(&self) -> Result<ReferenceRead, Error> {
        let mut unreadable = Vec::new();
        let terms = self.credit_terms().all().await?;
        unreadable.extend(terms.1.into_iter().map(|row| named("/v1/creditTerm", row)));

        let bad = &mut unreadable;
        let accounts = self.whole("/v1/account", "accountCD", account, bad).await?;
        let vats = self.whole("/v1/vat", "vatId", vat, bad).await?;
        let categories = self.whole("/v1/vatCategory", "vatCategoryId", category, bad).await?;
        let branches = self.whole("/v1/branch", "number", branch, bad).await?;
        let currencies = self.whole("/v1/currency", "id", currency, bad).await?;
        let periods = self.whole("/v1/financialPeriod", "period", period, bad).await?;
        let rates = self.exchange_rates(&currencies).await?;
        let segments = self.segments().await?;

        let mut vats = by_key(vats, |vat| vat.id.clone());
        let mut vat_categories = BTreeMap::new();
        for (category, rates) in categories {
            for (vat_id, rates) in rates {
                // The list of VAT codes may come without its schedules.
                if let Some(vat) = vats.get_mut(&vat_id).filter(|vat| vat.rates.is_empty()) {
                    vat.rates = rates;
                }
            }
            vat_categories.insert(category.id.clone(), category);
        }
        let reference = ReferenceData {
            // Read by what changed, not whole: there may be a hundred thousand.
            suppliers: BTreeMap::new(),
            accounts: by_key(accounts, |account| account.number.clone()),
            segments,
            vats,
            vat_categories,
            credit_terms: by_key(terms.0, |terms| terms.id.clone()),
            branches: by_key(branches, |branch| branch.number.clone()),
            currencies: by_key(currencies, |currency| currency.id.clone()),
            exchange_rates: rates.as_deref().unwrap_or_default().to_vec(),
            periods: by_key(periods, |period| period.id.clone()),
        };
        Ok(ReferenceRead { reference, unreadable, without_rates: rates.err() })
    }

    /// The chart of accounts alone, one call, and its rows that could not be used.
    pub async fn accounts(&self) -> Result<(BTreeMap<String, Account>, Vec<UnreadableRow>), Error> {
        let mut unreadable = Vec::new();
        let rows = self.whole("/v1/account", "accountCD", account, &mut unreadable).await?;
        Ok((by_key(rows, |account| account.number.clone()), unreadable))
    }

    /// Paged, but its rows carry no counts.
    fn credit_terms(&self) -> Pager<CreditTerms> {
        let listing =
            Listing { key: &["termsId"], since: None, asked: Vec::new(), counts: Counts::Rows };
        let read = |row| {
            let row: wire::CreditTerm = typed(row)?;
            Ok(CreditTerms {
                id: required(row.terms_id, "termsId")?,
                description: row.description.unwrap_or_default(),
                // The other types count from the end of a month or by instalments.
                days: row
                    .due_day1
                    .filter(|_| row.due_date_type.as_deref() == Some("FixedNumberOfDays")),
            })
        };
        Pager::new(self.clone(), "/v1/creditTerm".into(), listing, Box::new(read))
    }

    /// A list that knows no pages: one call is all of it.
    async fn whole<W: DeserializeOwned, T>(
        &self,
        path: &'static str,
        key: &str,
        read: impl Fn(W) -> Result<T, String>,
        unreadable: &mut Vec<UnreadableRow>,
    ) -> Result<Vec<T>, Error> {
        let rows: Vec<Value> = self.get(path).await?.body;
        let mut good = Vec::with_capacity(rows.len());
        for row in rows {
            let name = text(&row, key).unwrap_or_default();
            let modified = text(&row, "lastModifiedDateTime");
            let result = match self.inner.row_fault(&row) {
                Some(error) => Err(error),
                None => typed(row).and_then(&read),
            };
            match result {
                Ok(row) => good.push(row),
                Err(reason) => {
                    let row = UnreadableRow { key: name, reason, modified, texts: String::new() };
                    unreadable.push(named(path, row));
                }
            }
        }
        Ok(good)
    }

    /// The latest rates of each currency, or why there are none: they are only compared with, so a
    /// company that does not let them be read is not the worse for it, nor is one unreadable row.
    async fn exchange_rates(
        &self,
        currencies: &[CurrencyInfo],
    ) -> Result<Result<Vec<ExchangeRate>, Error>, Error> {
        if currencies.len() < 2 {
            return Ok(Ok(Vec::new()));
        }
        match self.whole("/v2/currencyrate", "id", exchange_rate, &mut Vec::new()).await {
            Ok(rates) => Ok(Ok(latest(rates))),
            Err(
                error @ (Error::NotFound { .. }
                | Error::Forbidden { .. }
                | Error::Refused { .. }
                | Error::Server { .. }
                | Error::Unreadable { .. }
                | Error::Redirected { .. }
                | Error::Incomplete { .. }),
            ) => Ok(Err(error)),
            Err(
                error @ (Error::Settings(_)
                | Error::SignIn { .. }
                | Error::WrongTenant { .. }
                | Error::AccessWithdrawn { .. }
                | Error::AllowanceLow { .. }
                | Error::Busy { .. }
                | Error::Unreachable { .. }),
            ) => Err(error),
        }
    }

    /// The segments of the subaccount with their values: one call, and one more for each that comes without.
    pub async fn segments(&self) -> Result<BTreeMap<i64, Segment>, Error> {
        let path = format!("{SUBACCOUNT}?expandSegmentsValues=true");
        let dimension: wire::Dimension = self.get(&path).await?.body;
        let mut segments = BTreeMap::new();
        for mut row in dimension.segments.unwrap_or_default() {
            let Some(id) = row.segment_id else { continue };
            // Values are left out by some answers, asked for or not.
            if row.segment_values.as_ref().is_none_or(Vec::is_empty) {
                let path = format!("{SUBACCOUNT}/{}", encoded(&id.to_string()));
                let full: wire::Segment = self.get(&path).await?.body;
                row.segment_values = full.segment_values;
            }
            segments.insert(id, segment(id, row));
        }
        Ok(segments)
    }
}

fn named(path: &str, row: UnreadableRow) -> UnreadableRow {
    UnreadableRow { key: format!("{path} {}", row.key), ..row }
}

fn by_key<K: Ord, T>(rows: Vec<T>, key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn account(row: wire::Account) -> Result<Account, String> {
    Ok(Account {
        number: required(row.account_cd, "accountCD")?,
        description: row.description.unwrap_or_default(),
        active: row.active.unwrap_or(true),
        kind: row.kind.unwrap_or_default(),
        is_cash_account: row.cash_account.unwrap_or(false),
    })
}

fn segment(id: i64, row: wire::Segment) -> Segment {
    let values = row.segment_values.unwrap_or_default().into_iter().filter_map(|value| {
        let id = filled(value.value_id)?;
        let description = value.description.unwrap_or_default();
        Some((id, SegmentValue { description, active: value.active.unwrap_or(true) }))
    });
    Segment {
        id,
        description: row.description.unwrap_or_default(),
        length: row.length.unwrap_or_default(),
        validate: row.validate.unwrap_or(true),
        values: values.collect(),
    }
}

fn vat(row: wire::Vat) -> Result<Vat, String> {
    let zones = row.zones.unwrap_or_default();
    Ok(Vat {
        id: required(row.vat_id, "vatId")?,
        description: row.description.unwrap_or_default(),
        kind: row.kind.unwrap_or_default(),
        calculate_on: filled(row.calculate_on),
        rates: rates(row.schedules)?,
        zones: zones.into_iter().filter_map(|zone| filled(zone.id)).collect(),
    })
}

fn rates(rows: Option<Vec<wire::VatRate>>) -> Result<Vec<VatRate>, String> {
    let rows = rows.unwrap_or_default().into_iter();
    rows.map(|row| {
        Ok(VatRate {
            from: row.start_date.as_deref().map(|text| date(text, "startDate")).transpose()?,
            rate: number_of(row.vat_rate.as_ref(), "vatRate")?
                .ok_or_else(|| "vatRate is missing".to_owned())?,
            input: row.group_type.as_deref() == Some("Input"),
        })
    })
    .collect()
}

/// The category, and the rates that it tells of its VAT ids.
type CategoryRow = (VatCategory, Vec<(String, Vec<VatRate>)>);

fn category(row: wire::VatCategory) -> Result<CategoryRow, String> {
    let mut listed = Vec::new();
    for line in row.vat_category_lines.unwrap_or_default() {
        if let Some(id) = filled(line.vat_id) {
            listed.push((id, rates(line.vat_rates)?));
        }
    }
    let category = VatCategory {
        id: required(row.vat_category_id, "vatCategoryId")?,
        description: row.description.unwrap_or_default(),
        active: row.active.unwrap_or(true),
        excludes_listed: row.exclude_listed_taxes.unwrap_or(false),
        vat_ids: listed.iter().map(|(id, _)| id.clone()).collect(),
    };
    Ok((category, listed))
}

fn branch(row: wire::Branch) -> Result<Branch, String> {
    Ok(Branch {
        number: required(row.number, "number")?,
        name: row.name.unwrap_or_default(),
        active: row.is_active.unwrap_or(true),
    })
}

fn currency(row: wire::Currency) -> Result<CurrencyInfo, String> {
    Ok(CurrencyInfo {
        id: required(row.id, "id")?,
        is_base: row.is_base_currency.unwrap_or(false),
        decimals: row.decimal_precision,
    })
}

fn exchange_rate(row: wire::CurrencyRate) -> Result<ExchangeRate, String> {
    let stated =
        number_of(row.rate.as_ref(), "rate")?.ok_or_else(|| "rate is missing".to_owned())?;
    let rate = match row.mult_div.as_deref() {
        Some("Divide") => Decimal::ONE.checked_div(stated),
        _ => Some(stated),
    };
    Ok(ExchangeRate {
        currency: required(row.from_currency_id, "fromCurrencyId")?,
        to: required(row.to_currency_id, "toCurrencyId")?,
        from: date(&required(row.effective_date, "effectiveDate")?, "effectiveDate")?,
        rate: rate.filter(|rate| *rate > Decimal::ZERO).ok_or("rate is zero or less")?,
    })
}

/// Kept of each pair of currencies: they come daily and for ever, and invoices are of the last months.
const RATES_KEPT: usize = 100;

fn latest(mut rates: Vec<ExchangeRate>) -> Vec<ExchangeRate> {
    rates.sort_by(|a, b| {
        (&a.currency, &a.to, b.from, a.rate).cmp(&(&b.currency, &b.to, a.from, b.rate))
    });
    rates.dedup();
    let (mut kept, mut of_pair) = (Vec::<ExchangeRate>::new(), 0);
    for rate in rates {
        let same_pair = kept
            .last()
            .is_some_and(|last| (&last.currency, &last.to) == (&rate.currency, &rate.to));
        of_pair = if same_pair { of_pair + 1 } else { 1 };
        if of_pair <= RATES_KEPT {
            kept.push(rate);
        }
    }
    kept
}

fn period(row: wire::Period) -> Result<FinancialPeriod, String> {
    let written = required(row.period, "period")?;
    Ok(FinancialPeriod {
        id: period_id(row.year, &written)
            .ok_or_else(|| format!("period `{written}` of year {:?} is unknown", row.year))?,
        starts_on: date(&required(row.start_date, "startDate")?, "startDate")?,
        ends_on: date(&required(row.end_date, "endDate")?, "endDate")?,
        active: row.active.unwrap_or(true),
        closed_in_supplier_ledger: row.closed_in_supplier_ledger.unwrap_or(false),
    })
}

/// `YYYYPP` of a period that may stand as `11`, `202611`, `112026` or `11-2026` beside its year.
fn period_id(year: Option<i64>, written: &str) -> Option<String> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match (digits.len(), year) {
        (1 | 2, Some(year)) => Some(format!("{year:04}{digits:0>2}")),
        (6, Some(year)) => {
            let year = format!("{year:04}");
            let number = digits.strip_prefix(&year).or_else(|| digits.strip_suffix(&year))?;
            Some(format!("{year}{number}"))
        }
        (6, None) => Some(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
