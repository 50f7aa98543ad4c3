use super::{BatchFilter, Client, Error, InvoiceFilter, OrderFilter, Pager, ReceiptFilter};

/// The lists that the connector reads page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Suppliers,
    Invoices,
    Orders,
    Receipts,
    /// The one without which all but the look into the ledger works.
    Batches,
}

impl List {
    pub const ALL: [Self; 5] =
        [Self::Suppliers, Self::Invoices, Self::Orders, Self::Receipts, Self::Batches];

    /// As Visma's paths name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suppliers => "supplier",
            Self::Invoices => "supplierInvoice",
            Self::Orders => "purchaseorder",
            Self::Receipts => "PurchaseReceipt",
            Self::Batches => "journaltransaction",
        }
    }
}

/// What one page of a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub rows: usize,
    /// Rows that cannot be used, and why the first of them cannot.
    pub unreadable: usize,
    pub reason: Option<String>,
    /// Rows that the filter should have kept out.
    pub outside: u64,
    /// Rows of the whole list, as it says itself.
    pub total: Option<u64>,
    /// The most rows that Visma gives on one page of it.
    pub max_page_size: Option<u64>,
    /// The first and the last change time on the page, as Visma wrote them.
    pub oldest: Option<String>,
    pub newest: Option<String>,
}

impl Client {
    /// Reads one page of a list, whole or of what changed since. Writes nothing.
    pub async fn look(&self, list: List, since: Option<&str>) -> Result<Look, Error> {
        let since = since.map(str::to_owned);
        match list {
            List::Suppliers => first(self.suppliers(since.as_deref())).await,
            List::Invoices => {
                first(self.invoices(&InvoiceFilter { since, ..InvoiceFilter::default() })).await
            }
            List::Orders => {
                first(self.orders(&OrderFilter { since, ..OrderFilter::default() })).await
            }
            List::Receipts => {
                first(self.receipts(&ReceiptFilter { since, ..ReceiptFilter::default() })).await
            }
            List::Batches => {
                first(self.batches(&BatchFilter { since, ..BatchFilter::default() })).await
            }
        }
    }
}

async fn first<T>(mut pager: Pager<T>) -> Result<Look, Error> {
    let Some(page) = pager.next().await? else { return Ok(Look::default()) };
    let facts = pager.latest().clone();
    Ok(Look {
        rows: facts.rows,
        unreadable: page.unreadable.len(),
        reason: page.unreadable.into_iter().next().map(|row| row.reason),
        outside: page.outside,
        total: facts.total,
        max_page_size: facts.max_page_size,
        oldest: facts.oldest,
        newest: facts.newest,
    })
}
