//! The index of Visma's own documents, as its lists last showed them.

use super::alike::day_number;
use super::{Change, Statement, Store, StoreError, args};
use crate::matching::ReferenceForms;
use crate::procurement::{ErpInvoice, ErpOrder, ErpReceipt};
use serde::de::DeserializeOwned;
use sqlx::Any;
use std::collections::BTreeMap;

/// One of our keys and the live documents in Visma that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpKeyCount {
    pub our_key: String,
    /// Type and number of each.
    pub names: Vec<String>,
}

impl Store {
    /// Invoices with the same normalised supplier reference, whoever the supplier is, without those of
    /// ours that were taken back.
    pub async fn erp_invoices_by_reference(
        &self,
        company: &str,
        reference_key: &str,
    ) -> Result<Vec<ErpInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from erp_invoice where company = $1 and reference_key = $2 \
             and not exists (select 1 from taken_back t where t.company = erp_invoice.company \
             and t.document_type = erp_invoice.document_type and t.number = erp_invoice.number) \
             order by document_type, number",
        )
        .bind(company)
        .bind(reference_key)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    pub async fn erp_invoices_by_our_key(
        &self,
        company: &str,
        our_key: &str,
    ) -> Result<Vec<ErpInvoice>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from erp_invoice where company = $1 and our_key = $2 order by document_type, number",
        )
        .bind(company)
        .bind(our_key)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    pub async fn erp_invoice(
        &self,
        company: &str,
        document_type: &str,
        number: &str,
    ) -> Result<Option<ErpInvoice>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select body from erp_invoice where company = $1 and document_type = $2 and number = $3",
        )
        .bind(company)
        .bind(document_type)
        .bind(number)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        row.map(|(body,)| parse(&body)).transpose()
    }

    pub async fn erp_order(
        &self,
        company: &str,
        number: &str,
    ) -> Result<Option<ErpOrder>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select body from erp_order where company = $1 and number = $2",
        )
        .bind(company)
        .bind(number)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        row.map(|(body,)| parse(&body)).transpose()
    }

    pub async fn erp_orders_by_reference(
        &self,
        company: &str,
        reference: &str,
    ) -> Result<Vec<ErpOrder>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from erp_order where company = $1 and reference = $2 order by number",
        )
        .bind(company)
        .bind(reference)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    pub async fn erp_orders_by_our_key(
        &self,
        company: &str,
        our_key: &str,
    ) -> Result<Vec<ErpOrder>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from erp_order where company = $1 and our_key = $2 order by number",
        )
        .bind(company)
        .bind(our_key)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    pub async fn erp_receipts_of(
        &self,
        company: &str,
        order_number: &str,
    ) -> Result<Vec<ErpReceipt>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select r.body from erp_receipt r join erp_receipt_order o on o.company = r.company \
             and o.receipt_type = r.receipt_type and o.number = r.number \
             where o.company = $1 and o.order_number = $2 order by r.receipt_type, r.number",
        )
        .bind(company)
        .bind(order_number)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(|(body,)| parse(body)).collect()
    }

    /// (key, version) of every invoice of the index: rows that did not change are not written again.
    pub async fn erp_versions(&self, company: &str) -> Result<ErpVersions, StoreError> {
        let invoices = sqlx::query_as::<Any, (String, String, String)>(
            "select document_type, number, coalesce(version, '') from erp_invoice where company = $1",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let orders = sqlx::query_as::<Any, (String, String)>(
            "select number, coalesce(version, '') from erp_order where company = $1",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(ErpVersions {
            invoices: invoices
                .into_iter()
                .map(|(kind, number, version)| ((kind, number), version))
                .collect(),
            orders: orders.into_iter().collect(),
        })
    }

    /// Keys of ours that more than one live document in Visma carries: a double.
    pub async fn doubled_keys(&self, company: &str) -> Result<Vec<ErpKeyCount>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String)>(
            "select our_key, document_type, number from erp_invoice where company = $1 and status <> 'Voided' and our_key in \
             (select our_key from erp_invoice where company = $1 and our_key is not null and status <> 'Voided' \
             group by our_key having count(*) > 1) \
             union all select our_key, 'Purchase order', number from erp_order where company = $1 \
             and status not in ('Cancelled', 'Voided') and our_key in \
             (select our_key from erp_order where company = $1 and our_key is not null \
             and status not in ('Cancelled', 'Voided') group by our_key having count(*) > 1)",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(several(rows))
    }

    /// Those of two keys that are doubled.
    pub async fn doubled_among(
        &self,
        company: &str,
        our_keys: &[String; 2],
    ) -> Result<Vec<ErpKeyCount>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String)>(
            "select our_key, document_type, number from erp_invoice where company = $1 and our_key in ($2, $3) \
             and status <> 'Voided' \
             union all select our_key, 'Purchase order', number from erp_order where company = $1 \
             and our_key in ($2, $3) and status not in ('Cancelled', 'Voided')",
        )
        .bind(company)
        .bind(&our_keys[0])
        .bind(&our_keys[1])
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(several(rows))
    }
}

/// Keys with more than one document, each with its documents in one order.
fn several(rows: Vec<(String, String, String)>) -> Vec<ErpKeyCount> {
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (our_key, kind, number) in rows {
        by_key.entry(our_key).or_default().push(format!("{kind} {number}"));
    }
    by_key.retain(|_, names| names.len() > 1);
    let sorted = |(our_key, mut names): (String, Vec<String>)| {
        names.sort();
        ErpKeyCount { our_key, names }
    };
    by_key.into_iter().map(sorted).collect()
}

/// The versions the index holds.
#[derive(Debug, Clone, Default)]
pub struct ErpVersions {
    pub invoices: std::collections::HashMap<(String, String), String>,
    pub orders: std::collections::HashMap<String, String>,
}

impl Change {
    /// `forms` are those of the supplier's reference.
    pub fn keep_erp_invoice(
        &mut self,
        company: &str,
        invoice: &ErpInvoice,
        forms: &ReferenceForms,
    ) {
        // The lines are compared as they pass; what stays is what later decisions look up.
        let kept = ErpInvoice { lines: Vec::new(), ..invoice.clone() };
        self.push(Statement::new(
            "insert into erp_invoice (company, document_type, number, supplier, reference_key, our_key, status, version, \
             modified, body, currency, gross_minor, document_day, reference_look, reference_digits) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
             on conflict (company, document_type, number) do update set supplier = excluded.supplier, \
             reference_key = excluded.reference_key, our_key = excluded.our_key, status = excluded.status, \
             version = excluded.version, modified = excluded.modified, body = excluded.body, \
             currency = excluded.currency, gross_minor = excluded.gross_minor, document_day = excluded.document_day, \
             reference_look = excluded.reference_look, reference_digits = excluded.reference_digits",
            args![
                company, &invoice.document_type, &invoice.number, &invoice.supplier, &forms.key,
                &invoice.our_key, &invoice.status, &invoice.version, &invoice.modified, json(&kept),
                invoice.gross.currency.code(), invoice.gross.minor,
                invoice.document_on.map(day_number), &forms.look, &forms.digits
            ],
        ));
        self.keep_erp_billing(company, invoice);
        if let Some(our_key) = &invoice.our_key {
            // Known by the index from now on.
            self.push(Statement::new(
                "delete from own_invoice where company = $1 and our_key = $2",
                args![company, our_key],
            ));
        }
    }

    pub fn keep_erp_order(&mut self, company: &str, order: &ErpOrder) {
        self.push(Statement::new(
            "insert into erp_order (company, number, supplier, reference, our_key, status, version, modified, body) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             on conflict (company, number) do update set supplier = excluded.supplier, \
             reference = excluded.reference, our_key = excluded.our_key, status = excluded.status, \
             version = excluded.version, modified = excluded.modified, body = excluded.body",
            args![
                company, &order.number, &order.supplier,
                order.supplier_reference.as_deref().unwrap_or(""), &order.our_key, &order.status,
                &order.version, &order.modified, json(order)
            ],
        ));
    }

    pub fn forget_erp_order(&mut self, company: &str, number: &str) {
        self.push(Statement::new(
            "delete from erp_order where company = $1 and number = $2",
            args![company, number],
        ));
    }

    pub fn keep_erp_receipt(&mut self, company: &str, receipt: &ErpReceipt) {
        self.push(Statement::new(
            "insert into erp_receipt (company, receipt_type, number, version, body) values ($1, $2, $3, $4, $5) \
             on conflict (company, receipt_type, number) do update set version = excluded.version, body = excluded.body",
            args![company, &receipt.receipt_type, &receipt.number, &receipt.version, json(receipt)],
        ));
        for line in &receipt.lines {
            let Some(order) = &line.order_number else { continue };
            self.push(Statement::new(
                "insert into erp_receipt_order (company, order_number, receipt_type, number) values ($1, $2, $3, $4) \
                 on conflict (company, order_number, receipt_type, number) do nothing",
                args![company, order, &receipt.receipt_type, &receipt.number],
            ));
        }
    }
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Content(error.to_string()))
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data with text keys")
}
