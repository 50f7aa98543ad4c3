//! Documents that may be the one in hand again, found by supplier and number, or by supplier and
//! amount. Each look-up walks an index from the document's own day outwards and stops after a
//! few rows on either side, so that it costs the same however many there are.

use super::billing::kind_text;
use super::{Change, DocumentState, Statement, Store, StoreError, args};
use crate::decide::PastInvoice;
use crate::matching::ReferenceForms;
use crate::procurement::{BankAccount, ErpInvoice, Money};
use jiff::civil::Date;
use sqlx::Any;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What another document has in common with the one in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness<'a> {
    /// The ERP's supplier number.
    pub supplier: &'a str,
    pub on: Date,
    pub gross: Money,
    pub forms: &'a ReferenceForms,
}

/// An invoice of ours that Visma's index does not show yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnInvoice {
    pub document: String,
    /// As the decision had it; the status is the document's state now.
    pub invoice: PastInvoice,
}

/// Where an earlier invoice asked to be paid, with what became of it in Visma.
#[derive(Debug, Clone, PartialEq)]
pub struct PaidInvoice {
    pub account: BankAccount,
    pub invoiced_on: Date,
    pub erp: ErpInvoice,
}

/// Keys asked for at once; one size, so that the text is prepared once.
const BY_KEY: usize = 50;

static DAYS_ON_PAPER: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (2..BY_KEY + 2).map(|n| format!("${n}")).collect();
    format!(
        "select p.our_key, d.document_on from posting p join document d on d.id = p.document \
         where p.company = $1 and p.our_key in ({})",
        places.join(", ")
    )
});

/// Both sides of the day for one thing in common, the rows nearest to it first on each side.
macro_rules! around {
    ($select:literal, $common:literal, $span:literal) => {
        concat!(
            "select * from (",
            $select,
            $common,
            " and document_day <= $3 and document_day >= $3 - ",
            $span,
            " order by document_day desc limit 25) as earlier union all select * from (",
            $select,
            $common,
            " and document_day > $3 and document_day <= $3 + ",
            $span,
            " order by document_day limit 25) as later"
        )
    };
}

/// The same amount within 400 days: a yearly bill and its repetition a month late. The same
/// number at any time.
macro_rules! alike {
    ($select:literal) => {
        concat!(
            around!($select, "currency = $4 and gross_minor = $5", "400"),
            " union all ",
            around!($select, "reference_look = $6 and reference_look <> ''", "1000000"),
            " union all ",
            around!($select, "reference_digits = $7 and reference_digits <> ''", "1000000")
        )
    };
}

macro_rules! in_index {
    ($find:ident) => {
        $find!(
            "select body from erp_invoice where company = $1 and supplier = $2 and status <> 'Voided' \
             and not exists (select 1 from taken_back t where t.company = erp_invoice.company \
             and t.document_type = erp_invoice.document_type and t.number = erp_invoice.number) and "
        )
    };
}

macro_rules! of_ours {
    ($find:ident) => {
        $find!(
            "select document, body from own_invoice where company = $1 and supplier = $2 \
             and exists (select 1 from posting p where p.document = own_invoice.document \
             and p.step = 'create' and p.state <> 'refused') and "
        )
    };
}

macro_rules! numbered {
    ($select:literal) => {
        concat!(
            around!($select, "reference_key = $4", "1000000"),
            // A date that the ERP did not say could be any.
            " union all select * from (",
            $select,
            "reference_key = $4 and document_day is null limit 25) as undated"
        )
    };
}

impl Store {
    /// Invoices in Visma that are like this one, without the voided ones. A row may come twice.
    pub async fn erp_invoices_alike(
        &self,
        company: &str,
        of: &Likeness<'_>,
    ) -> Result<Vec<ErpInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(in_index!(alike))
            .bind(company)
            .bind(of.supplier)
            .bind(day_number(of.on))
            .bind(of.gross.currency.code())
            .bind(of.gross.minor)
            .bind(of.forms.look.as_str())
            .bind(of.forms.digits.as_str())
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// The same for invoices of ours that the index does not show yet.
    pub async fn own_invoices_alike(
        &self,
        company: &str,
        of: &Likeness<'_>,
    ) -> Result<Vec<OwnInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String)>(of_ours!(alike))
            .bind(company)
            .bind(of.supplier)
            .bind(day_number(of.on))
            .bind(of.gross.currency.code())
            .bind(of.gross.minor)
            .bind(of.forms.look.as_str())
            .bind(of.forms.digits.as_str())
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        self.with_states(rows).await
    }

    /// The supplier's invoices in Visma under one normalised number, without the voided ones.
    pub async fn erp_invoices_numbered(
        &self,
        company: &str,
        supplier: &str,
        reference_key: &str,
        on: Date,
    ) -> Result<Vec<ErpInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(in_index!(numbered))
            .bind(company)
            .bind(supplier)
            .bind(day_number(on))
            .bind(reference_key)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// The same for invoices of ours that the index does not show yet.
    pub async fn own_invoices_numbered(
        &self,
        company: &str,
        supplier: &str,
        reference_key: &str,
        on: Date,
    ) -> Result<Vec<OwnInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String)>(of_ours!(numbered))
            .bind(company)
            .bind(supplier)
            .bind(day_number(on))
            .bind(reference_key)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        self.with_states(rows).await
    }

    /// Credit notes of ours that take back the invoice of that number, without those that are
    /// voided in Visma.
    pub async fn own_credits(
        &self,
        company: &str,
        supplier: &str,
        credits_key: &str,
    ) -> Result<Vec<OwnInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, Option<String>, i64, i64)>(
            "select c.document, c.body, i.status, \
             (select count(*) from erp_invoice e where e.company = c.company and e.our_key = c.our_key), \
             (select count(*) from erp_invoice e where e.company = c.company and e.our_key = c.our_key \
             and e.status <> 'Voided') from own_credit c join document d on d.id = c.document \
             left join erp_invoice i on i.company = c.company and i.document_type = d.visma_type \
             and i.number = d.visma_number \
             where c.company = $1 and c.supplier = $2 and c.credits_key = $3 \
             and exists (select 1 from posting p where p.document = c.document and p.step = 'create' \
             and p.state <> 'refused')",
        )
        .bind(company)
        .bind(supplier)
        .bind(credits_key)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let live = rows.into_iter().filter(|(_, _, status, with_key, live_with_key)| match status
            .as_deref()
        {
            Some(status) => status != "Voided",
            None => *with_key == 0 || *live_with_key > 0,
        });
        self.with_states(live.map(|(document, body, ..)| (document, body)).collect()).await
    }

    /// The day on the paper of documents of ours, by our key: what Visma shows is the day that
    /// they are booked on.
    pub async fn days_on_paper(
        &self,
        company: &str,
        our_keys: &[&str],
    ) -> Result<HashMap<String, Date>, StoreError> {
        let mut days = HashMap::new();
        for part in our_keys.chunks(BY_KEY) {
            let mut query = sqlx::query_as::<Any, (String, Option<String>)>(DAYS_ON_PAPER.as_str())
                .bind(company);
            // The last key again where there are fewer: it is found once all the same.
            for n in 0..BY_KEY {
                query = query.bind(part[n.min(part.len() - 1)]);
            }
            for (key, on) in query.fetch_all(&mut self.readers.take().await?).await? {
                days.extend(on.and_then(|on| on.parse().ok()).map(|on| (key, on)));
            }
        }
        Ok(days)
    }

    async fn with_states(
        &self,
        rows: Vec<(String, String)>,
    ) -> Result<Vec<OwnInvoice>, StoreError> {
        let ids: Vec<&str> = rows.iter().map(|(document, _)| document.as_str()).collect();
        let documents = self.documents_by_id(&ids).await?;
        rows.iter()
            .map(|(document, body)| {
                let mut invoice: PastInvoice = parse(body)?;
                let state = documents.get(document).map(|of| of.state);
                invoice.status = state.map_or("", DocumentState::as_str).to_owned();
                Ok(OwnInvoice { document: document.clone(), invoice })
            })
            .collect()
    }

    /// The latest invoices of a vendor that asked to be paid on an account and stand in Visma.
    pub async fn paid_to(
        &self,
        source: &str,
        vendor: &str,
        company: &str,
        besides: &str,
    ) -> Result<Vec<PaidInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, i64, String)>(
            "select p.account, p.invoiced_day, e.body from payee p join document d on d.id = p.document \
             join erp_invoice e on e.company = $3 and e.document_type = d.visma_type and e.number = d.visma_number \
             where p.source = $1 and p.vendor = $2 and p.document <> $4 and e.status <> 'Voided' \
             order by p.invoiced_day desc, d.received_at desc limit 20",
        )
        .bind(source)
        .bind(vendor)
        .bind(company)
        .bind(besides)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter()
            .map(|(account, day, erp)| {
                let wrong = || StoreError::Content(format!("day {day}"));
                Ok(PaidInvoice {
                    account: parse(account)?,
                    invoiced_on: day_of(*day).ok_or_else(wrong)?,
                    erp: parse(erp)?,
                })
            })
            .collect()
    }
}

impl Change {
    /// An invoice of ours on its way, until the index shows it. One that it shows already, by our
    /// key or as type and number `in_visma`, is not kept, nor one without a day.
    pub fn keep_own_invoice(
        &mut self,
        document: &str,
        company: &str,
        our_key: &str,
        in_visma: Option<(&str, &str)>,
        invoice: &PastInvoice,
        forms: &ReferenceForms,
    ) {
        self.push(Statement::new("delete from own_invoice where document = $1", args![document]));
        let Some(on) = invoice.invoiced_on else { return };
        let (visma_type, visma_number) = in_visma.unwrap_or_default();
        self.push(Statement::new(
            "insert into own_invoice (document, company, our_key, supplier, kind, currency, gross_minor, \
             document_day, reference_key, reference_look, reference_digits, body) \
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 where not exists \
             (select 1 from erp_invoice where company = $2 and our_key = $3) and not exists \
             (select 1 from erp_invoice where company = $2 and document_type = $13 and number = $14)",
            args![
                document, company, our_key, &invoice.supplier, kind_text(invoice.kind),
                invoice.gross.currency.code(), invoice.gross.minor, day_number(on),
                &forms.key, &forms.look, &forms.digits,
                serde_json::to_string(invoice).expect("plain data"), visma_type, visma_number
            ],
        ));
    }

    /// A credit note of ours that takes back the invoice of that number, or of none any more.
    pub fn keep_own_credit(
        &mut self,
        document: &str,
        company: &str,
        our_key: &str,
        credits_key: Option<&str>,
        credit: &PastInvoice,
    ) {
        self.push(Statement::new("delete from own_credit where document = $1", args![document]));
        let Some(credits_key) = credits_key else { return };
        self.push(Statement::new(
            "insert into own_credit (document, company, our_key, supplier, credits_key, body) \
             values ($1, $2, $3, $4, $5, $6)",
            args![
                document,
                company,
                our_key,
                &credit.supplier,
                credits_key,
                serde_json::to_string(credit).expect("plain data")
            ],
        ));
    }

    /// Where the document's revision in force asks to be paid, if it says so.
    pub fn keep_payee(
        &mut self,
        document: &str,
        source: &str,
        vendor: &str,
        invoiced_on: Date,
        account: &BankAccount,
    ) {
        self.push(Statement::new(
            "insert into payee (document, source, vendor, invoiced_day, account) values ($1, $2, $3, $4, $5) \
             on conflict (document) do update set source = excluded.source, vendor = excluded.vendor, \
             invoiced_day = excluded.invoiced_day, account = excluded.account",
            args![
                document, source, vendor, day_number(invoiced_on),
                serde_json::to_string(account).expect("plain data")
            ],
        ));
    }

    pub fn drop_payee(&mut self, document: &str) {
        self.push(Statement::new("delete from payee where document = $1", args![document]));
    }
}

/// Days since 1970-01-01.
pub(super) fn day_number(on: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    on.duration_since(epoch).as_hours().div_euclid(24)
}

fn day_of(day: i64) -> Option<Date> {
    jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(day).ok()?).ok()
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_counted_from_1970() {
        for (on, day) in [
            (date(1970, 1, 1), 0),
            (date(1969, 12, 31), -1),
            (date(1970, 1, 2), 1),
            (date(2026, 9, 28), 20_724),
        ] {
            assert_eq!(day_number(on), day, "{on}");
            assert_eq!(day_of(day), Some(on));
        }
        assert_eq!(day_of(i64::MAX), None);
    }
}
