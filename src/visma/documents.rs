use super::answer::encoded;
use super::pager::{Asked, Counts, Listing, Pager};
use super::{Client, Error, journal, read, stamp};
use crate::procurement::{ErpBatch, ErpInvoice, ErpOrder, ErpReceipt, Supplier};
use jiff::civil::Date;
use serde_json::Value;

/// Which supplier invoices to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Changed at or after this, in the form of [`overlap`](super::overlap).
    pub since: Option<String>,
    /// Dated on or after this day.
    pub doc_date_from: Option<Date>,
    pub supplier: Option<String>,
    /// Also list the names of attached files.
    pub attachments: bool,
}

/// Which purchase orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Changed at or after this, in the form of [`overlap`](super::overlap).
    pub since: Option<String>,
    pub order_date_from: Option<Date>,
    pub supplier: Option<String>,
}

/// Which receipts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptFilter {
    /// Changed at or after this, in the form of [`overlap`](super::overlap).
    pub since: Option<String>,
    /// Against this order of the ERP.
    pub order_number: Option<String>,
}

/// Which batches of the general ledger to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchFilter {
    /// Changed at or after this, in the form of [`overlap`](super::overlap).
    pub since: Option<String>,
    /// `YYYYPP`.
    pub period: Option<String>,
}

/// Builds an address and, beside it, what the rows are held against.
struct Question {
    path: String,
    listing: Listing,
}

impl Question {
    fn new(path: &str, key: &'static [&'static str]) -> Self {
        let listing = Listing { key, since: None, asked: Vec::new(), counts: Counts::Rows };
        Self { path: path.to_owned(), listing }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        self.path.push_str(&encoded(value));
        self
    }

    fn since(mut self, since: Option<&str>) -> Self {
        let Some(since) = since else { return self };
        self.listing.since = stamp::read(since);
        self.with("lastModifiedDateTime", since).with("lastModifiedDateTimeCondition", ">=")
    }

    /// The list of batches takes the moment alone, without a condition.
    fn since_alone(mut self, since: Option<&str>) -> Self {
        let Some(since) = since else { return self };
        self.listing.since = stamp::read(since);
        self.with("lastModifiedDateTime", since)
    }

    fn day_on_or_after(mut self, name: &str, member: &'static str, day: Option<Date>) -> Self {
        let Some(day) = day else { return self };
        self.listing.asked.push((member, Asked::NotBefore(day.at(0, 0, 0, 0))));
        self.with(name, &day.to_string()).with(&format!("{name}Condition"), ">=")
    }

    fn equal(mut self, name: &str, member: &'static str, value: Option<&str>) -> Self {
        let Some(value) = value else { return self };
        self.listing.asked.push((member, Asked::Equals(value.to_owned())));
        self.with(name, value)
    }

    fn pager<T>(
        self,
        client: &Client,
        read: impl Fn(Value) -> Result<T, String> + Send + Sync + 'static,
    ) -> Pager<T> {
        Pager::new(client.clone(), self.path, self.listing, Box::new(read))
    }
}

/// One row into its wire form, then into the core's.
pub(super) fn typed<W: serde::de::DeserializeOwned>(row: Value) -> Result<W, String> {
    serde_json::from_value(row).map_err(|error| super::answer::bounded(&error.to_string()))
}

impl Client {
    pub fn suppliers(&self, since: Option<&str>) -> Pager<Supplier> {
        let attributes = self.supplier_attributes().clone();
        Question::new("/v1/supplier", &["number"])
            .since(since)
            .pager(self, move |row| super::supplier::supplier(typed(row)?, &attributes))
    }

    /// Supplier invoices and credit notes, with notes and lines. Rows of other types (payments)
    /// come too, with `kind` absent: their numbers matter to nobody, but their presence shows
    /// that the list was read whole.
    pub fn invoices(&self, filter: &InvoiceFilter) -> Pager<ErpInvoice> {
        let question = Question::new("/v1/supplierInvoice", &["documentType", "referenceNumber"])
            .with("expandNote", "true");
        let question = match filter.attachments {
            true => question.with("expandAttachment", "true"),
            false => question,
        };
        question
            .since(filter.since.as_deref())
            .day_on_or_after("docDate", "date", filter.doc_date_from)
            .equal("supplier", "supplier.number", filter.supplier.as_deref())
            .pager(self, |row| read::invoice(typed(row)?))
    }

    pub fn orders(&self, filter: &OrderFilter) -> Pager<ErpOrder> {
        let keys = self.key_fields();
        Question::new("/v1/purchaseorder", &["orderType", "orderNbr"])
            .with("includeCustomFreeFields", "true")
            .since(filter.since.as_deref())
            .day_on_or_after("orderDate", "date", filter.order_date_from)
            .equal("supplier", "supplier.number", filter.supplier.as_deref())
            .pager(self, move |row| read::order(typed(row)?, keys))
    }

    pub fn receipts(&self, filter: &ReceiptFilter) -> Pager<ErpReceipt> {
        let mut question = Question::new("/v2/PurchaseReceipt", &["receiptType", "receiptNbr"])
            .since(filter.since.as_deref());
        if let Some(order) = &filter.order_number {
            let asked = Asked::Any("poOrderNbr", order.clone());
            question.listing.asked.push(("lines", asked));
            question = question.with("poOrderNbr", order);
        }
        question.pager(self, |row| read::receipt(typed(row)?))
    }

    /// Batches that the supplier ledger made, with their lines.
    pub fn batches(&self, filter: &BatchFilter) -> Pager<ErpBatch> {
        let mut question = Question::new("/v2/journaltransaction", &["module", "batchNumber"])
            .equal("module", "module", Some(journal::MODULE))
            .equal("periodId", "financialPeriod", filter.period.as_deref())
            .since_alone(filter.since.as_deref());
        question.listing.counts = Counts::Entries("journalTransactionLines");
        question.pager(self, |row| journal::batch(typed(row)?))
    }

    /// One batch; `None`: what stands under the number is a batch of another ledger.
    pub async fn batch(&self, number: &str) -> Result<Option<ErpBatch>, Error> {
        let path = format!("/v2/journaltransaction/{}", encoded(number));
        let row = self.get::<Value>(&path).await?.body;
        if row["module"].as_str() != Some(journal::MODULE) {
            return Ok(None);
        }
        self.one(&path, row, |row| journal::batch(typed(row)?)).map(Some)
    }

    /// One document, and the tag that a change of exactly this version must carry.
    pub async fn invoice(
        &self,
        document_type: &str,
        number: &str,
    ) -> Result<(ErpInvoice, Option<String>), Error> {
        let path = format!("/v1/supplierInvoice/{}/{}", encoded(document_type), encoded(number));
        let answer = self.get::<Value>(&path).await?;
        let mut invoice = self.one(&path, answer.body, |row| read::invoice(typed(row)?))?;
        // The tag is what If-Match is held against; the row's own stamp only looks like it.
        invoice.version = answer.etag.clone().or(invoice.version);
        Ok((invoice, answer.etag))
    }

    /// One order, and the tag that a change of exactly this version must carry.
    pub async fn order(&self, number: &str) -> Result<(ErpOrder, Option<String>), Error> {
        let path = format!("/v1/purchaseorder/{}?includeCustomFreeFields=true", encoded(number));
        let keys = self.key_fields();
        let answer = self.get::<Value>(&path).await?;
        let mut order = self.one(&path, answer.body, |row| read::order(typed(row)?, keys))?;
        order.version = answer.etag.clone().or(order.version);
        Ok((order, answer.etag))
    }

    fn one<T>(
        &self,
        path: &str,
        row: Value,
        read: impl Fn(Value) -> Result<T, String>,
    ) -> Result<T, Error> {
        let unreadable =
            |reason: String| Error::Unreadable { path: super::client::place(path), reason };
        match self.inner.row_fault(&row) {
            Some(error) => Err(unreadable(error)),
            None => read(row).map_err(unreadable),
        }
    }
}
