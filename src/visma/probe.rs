use super::{BatchFilter, Client, Error, InvoiceFilter, OrderFilter, Pager, ReceiptFilter};

/// The one list without which all but the look into the ledger works.
pub const BATCHES: &str = "journaltransaction";

impl Client {
    /// Reads one page of every list, writes nothing. For `ping`: what answers, and what not.
    pub async fn probe(&self) -> Vec<(&'static str, Result<String, Error>)> {
        let mut found = vec![
            ("supplier", first(self.suppliers(None)).await),
            ("supplierInvoice", first(self.invoices(&InvoiceFilter::default())).await),
            ("purchaseorder", first(self.orders(&OrderFilter::default())).await),
            ("PurchaseReceipt", first(self.receipts(&ReceiptFilter::default())).await),
        ];
        found.push((BATCHES, first(self.batches(&BatchFilter::default())).await));
        let reference = self.reference_data().await.map(|read| {
            let data = read.reference;
            format!(
                "{} accounts, {} segments, {} VAT categories, {} credit terms, {} branches, {} periods",
                data.accounts.len(),
                data.segments.len(),
                data.vat_categories.len(),
                data.credit_terms.len(),
                data.branches.len(),
                data.periods.len()
            )
        });
        found.push(("reference data", reference));
        found
    }
}

async fn first<T>(mut pager: Pager<T>) -> Result<String, Error> {
    let page = pager.next().await?;
    Ok(match page {
        Some(page) if page.unreadable.is_empty() => {
            format!("{} rows on the first page", page.rows.len())
        }
        Some(page) => format!(
            "{} rows on the first page, {} more cannot be read: {}",
            page.rows.len(),
            page.unreadable.len(),
            page.unreadable[0].reason
        ),
        None => "no rows".to_owned(),
    })
}
