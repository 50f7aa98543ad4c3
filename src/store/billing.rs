//! What bills which order line: Visma's invoices by their lines, our own by their decisions.

use super::{Change, Statement, Store, StoreError, args};
use crate::procurement::{Currency, ErpInvoice, InvoiceKind, Money};
use rust_decimal::Decimal;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

/// A line of one of Visma's invoices that bills an order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpBilling {
    pub document_type: String,
    pub number: String,
    pub line: i64,
    /// Of the invoice, as are key and status.
    pub kind: InvoiceKind,
    pub our_key: Option<String>,
    pub status: String,
    /// Empty when the line names a receipt alone.
    pub order: String,
    pub order_line: i64,
    pub receipt_line: i64,
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub net: Money,
}

impl ErpBilling {
    /// Not voided.
    pub fn is_live(&self) -> bool {
        self.status != "Voided"
    }
}

/// What a document of ours bills of an order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnBilling {
    pub order: String,
    pub line: i64,
    pub kind: InvoiceKind,
    /// In the order line's unit. `None`: billed by amount.
    pub quantity: Option<Decimal>,
    pub net: Money,
}

/// [`OwnBilling`] with the document it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnBilled {
    pub document: String,
    pub our_key: String,
    /// The source's number.
    pub number: String,
    pub attention: Option<String>,
    pub visma_type: Option<String>,
    pub visma_number: Option<String>,
    /// Visma's index shows it.
    pub in_index: bool,
    /// And shows it as voided.
    pub voided: bool,
    /// And shows it without our key: a person made it.
    pub by_hand: bool,
    /// The plan that it is of: hash of its text. Empty in rows of an older version.
    pub content: String,
    /// Plans of the document that are kept. Two: one stands in Visma, a change to the other is not through.
    pub contents: i64,
    pub billing: OwnBilling,
}

/// Tail of both queries of Visma's lines.
macro_rules! erp_billing {
    ($tail:literal) => {
        concat!(
            "select b.document_type, b.number, i.our_key, i.status, b.order_number, b.order_line, \
             b.receipt_line, b.quantity, b.unit, b.net_minor, b.currency, b.line, b.kind from erp_billing b \
             join erp_invoice i on i.company = b.company and i.document_type = b.document_type \
             and i.number = b.number where b.company = $1 and not exists (select 1 from taken_back t \
             where t.company = b.company and t.document_type = b.document_type and t.number = b.number) and ",
            $tail
        )
    };
}

impl Store {
    /// Lines that name the order themselves, voided documents' too.
    pub async fn erp_billing_of_order(
        &self,
        company: &str,
        order: &str,
    ) -> Result<Vec<ErpBilling>, StoreError> {
        let rows = sqlx::query::<Any>(erp_billing!("b.order_number = $2"))
            .bind(company)
            .bind(order)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(erp_billing).collect()
    }

    /// Lines that name the receipt and no order, voided documents' too.
    pub async fn erp_billing_of_receipt(
        &self,
        company: &str,
        receipt: &str,
    ) -> Result<Vec<ErpBilling>, StoreError> {
        let rows =
            sqlx::query::<Any>(erp_billing!("b.receipt_number = $2 and b.order_number = ''"))
                .bind(company)
                .bind(receipt)
                .fetch_all(&mut self.readers.take().await?)
                .await?;
        rows.iter().map(erp_billing).collect()
    }

    /// What documents of ours bill of the order, as far as they stand in Visma, are on their way
    /// there, or may have come there: not where their creation was refused or never begun.
    pub async fn own_billing_of_order(
        &self,
        company: &str,
        order: &str,
    ) -> Result<Vec<OwnBilled>, StoreError> {
        let rows = sqlx::query::<Any>(
            "select b.document, d.number, d.attention, d.visma_type, d.visma_number, b.order_number, \
             b.order_line, b.kind, b.quantity, b.net_minor, b.currency, \
             (select count(*) from erp_invoice e where e.company = b.company and e.our_key = b.our_key), \
             (select count(*) from erp_invoice e where e.company = b.company and e.our_key = b.our_key \
             and e.status <> 'Voided'), i.status, i.our_key, b.content, \
             (select count(distinct o.content) from own_billing o where o.document = b.document), b.our_key from own_billing b \
             join document d on d.id = b.document left join erp_invoice i on i.company = b.company \
             and i.document_type = d.visma_type and i.number = d.visma_number where b.company = $1 and b.order_number = $2 \
             and exists (select 1 from posting p where p.document = b.document and p.step = 'create' \
             and p.state <> 'refused')",
        )
        .bind(company)
        .bind(order)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(own_billed).collect()
    }
}

fn erp_billing(row: &AnyRow) -> Result<ErpBilling, StoreError> {
    Ok(ErpBilling {
        document_type: row.try_get(0)?,
        number: row.try_get(1)?,
        our_key: row.try_get(2)?,
        status: row.try_get(3)?,
        order: row.try_get(4)?,
        order_line: row.try_get(5)?,
        receipt_line: row.try_get(6)?,
        quantity: quantity(row.try_get(7)?)?,
        unit: row.try_get(8)?,
        net: money(row.try_get(9)?, row.try_get(10)?)?,
        line: row.try_get(11)?,
        kind: kind(row.try_get(12)?)?,
    })
}

fn own_billed(row: &AnyRow) -> Result<OwnBilled, StoreError> {
    let with_key: i64 = row.try_get(11)?;
    let live_with_key: i64 = row.try_get(12)?;
    let status: Option<String> = row.try_get(13)?;
    let key_in_index: Option<String> = row.try_get(14)?;
    Ok(OwnBilled {
        document: row.try_get(0)?,
        number: row.try_get(1)?,
        attention: row.try_get(2)?,
        visma_type: row.try_get(3)?,
        visma_number: row.try_get(4)?,
        in_index: status.is_some() || with_key > 0,
        voided: match &status {
            Some(status) => status == "Voided",
            None => with_key > 0 && live_with_key == 0,
        },
        by_hand: status.is_some() && key_in_index.is_none(),
        content: row.try_get(15)?,
        contents: row.try_get(16)?,
        our_key: row.try_get(17)?,
        billing: OwnBilling {
            order: row.try_get(5)?,
            line: row.try_get(6)?,
            kind: kind(row.try_get(7)?)?,
            quantity: quantity(row.try_get(8)?)?,
            net: money(row.try_get(9)?, row.try_get(10)?)?,
        },
    })
}

pub(super) const fn kind_text(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::Invoice => "invoice",
        InvoiceKind::CreditNote => "credit_note",
    }
}

fn kind(text: String) -> Result<InvoiceKind, StoreError> {
    [InvoiceKind::Invoice, InvoiceKind::CreditNote]
        .into_iter()
        .find(|kind| kind_text(*kind) == text)
        .ok_or_else(|| StoreError::Content(format!("kind `{text}` of an invoice")))
}

fn quantity(text: Option<String>) -> Result<Option<Decimal>, StoreError> {
    let parse = |text: String| {
        Decimal::from_str_exact(&text)
            .map_err(|error| StoreError::Content(format!("quantity `{text}`: {error}")))
    };
    text.map(parse).transpose()
}

fn money(minor: i64, currency: String) -> Result<Money, StoreError> {
    let currency =
        Currency::parse(&currency).map_err(|error| StoreError::Content(error.to_string()))?;
    Ok(Money::new(minor, currency))
}

impl Change {
    /// The lines of an invoice in Visma that bill order lines, in place of those kept before.
    pub(super) fn keep_erp_billing(&mut self, company: &str, invoice: &ErpInvoice) {
        self.push(Statement::new(
            "delete from erp_billing where company = $1 and document_type = $2 and number = $3",
            args![company, &invoice.document_type, &invoice.number],
        ));
        // Neither an invoice nor a credit note: a payment bills nothing.
        let Some(kind) = invoice.kind else { return };
        for line in &invoice.lines {
            let order = line.order_number.as_deref().zip(line.order_line);
            let receipt = line.receipt_number.as_deref().zip(line.receipt_line);
            if order.is_none() && receipt.is_none() {
                continue;
            }
            let ((order, order_line), (receipt, receipt_line)) =
                (order.unwrap_or_default(), receipt.unwrap_or_default());
            self.push(Statement::new(
                "insert into erp_billing (company, document_type, number, line, order_number, order_line, \
                 receipt_number, receipt_line, quantity, unit, net_minor, currency, kind) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
                 on conflict (company, document_type, number, line) do nothing",
                args![
                    company, &invoice.document_type, &invoice.number, line.number, order, order_line,
                    receipt, receipt_line, line.quantity.map(|quantity| quantity.to_string()),
                    &line.unit, line.cost.minor, line.cost.currency.code(), kind_text(kind)
                ],
            ));
        }
    }

    /// What the document bills by its plan of this hash. What it bills by the plan `standing` is kept
    /// beside it, until [`Change::settle_own_billing`]; all else goes.
    pub fn keep_own_billing(
        &mut self,
        document: &str,
        company: &str,
        our_key: &str,
        (content, standing): (&str, Option<&str>),
        billed: &[OwnBilling],
    ) {
        self.push(match standing.filter(|standing| *standing != content) {
            // Rows of an older version do not say of which plan they are: they count as standing.
            Some(standing) => Statement::new(
                "delete from own_billing where document = $1 and content <> '' and content <> $2",
                args![document, standing],
            ),
            None => Statement::new("delete from own_billing where document = $1", args![document]),
        });
        for billing in billed {
            self.push(Statement::new(
                "insert into own_billing (document, n, company, order_number, order_line, kind, quantity, \
                 net_minor, currency, our_key, content) \
                 select $1, coalesce(max(n), -1) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10 \
                 from own_billing where document = $1",
                args![
                    document, company, &billing.order, billing.line, kind_text(billing.kind),
                    billing.quantity.map(|quantity| quantity.to_string()),
                    billing.net.minor, billing.net.currency.code(), our_key, content
                ],
            ));
        }
    }

    /// The plan of this hash stands in Visma now: what the document billed by another counts no more.
    pub fn settle_own_billing(&mut self, document: &str, content: &str) {
        self.push(Statement::new(
            "delete from own_billing where document = $1 and content <> $2",
            args![document, content],
        ));
    }
}
