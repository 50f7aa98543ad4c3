//! Reference data and suppliers, as this round's decisions see them.

use super::{SUPPLIERS, UNREADABLE_READS, since};
use crate::audit::hash_text;
use crate::clock;
use crate::mapping::{SupplierGroups, SupplierIndex};
use crate::store::Change;
use crate::sync::CrashPoint;
use crate::sync::engine::{Company, Engine, KnownReference};
use crate::sync::error::SyncError;
use crate::visma::Error;

impl Engine {
    /// Reference data and suppliers, and what this round's decisions see of them.
    pub async fn refresh_reference(&self, company: &Company) -> Result<(), SyncError> {
        let mut read = company.client.reference_data().await?;
        for _ in 1..UNREADABLE_READS {
            if read.unreadable.is_empty() {
                break;
            }
            read = company.client.reference_data().await?;
        }
        for row in &read.unreadable {
            tracing::warn!(
                company = company.id,
                row = row.key,
                reason = row.reason,
                "a reference row cannot be read"
            );
        }
        match &read.without_rates {
            // A company that has no such list, or keeps it to itself.
            None | Some(Error::NotFound { .. } | Error::Forbidden { .. }) => {}
            Some(error) => {
                tracing::warn!(company = company.id, %error, "exchange rates cannot be read; those known before count");
                let known = self.store.reference_data(&company.id).await?;
                let rates = known.map(|(known, _)| known.exchange_rates);
                read.reference.exchange_rates = rates.unwrap_or_default();
            }
        }
        let at = clock::now();
        let mut change = Change::new();
        let hash = change.keep_reference_data(&company.id, &read.reference, at);

        self.commit(change).await?;
        self.read_suppliers(company).await?;
        CrashPoint::ReferenceKept.pass();
        self.use_reference(company, read.reference, hash).await
    }

    /// Suppliers alone, beside the reference data that was read before.
    pub async fn refresh_suppliers(&self, company: &Company) -> Result<(), SyncError> {
        let Some(known) = company.reference() else { return self.refresh_reference(company).await };
        self.read_suppliers(company).await?;
        self.use_reference(company, known.data.clone(), known.hash.clone()).await
    }

    async fn read_suppliers(&self, company: &Company) -> Result<(), SyncError> {
        let list = suppliers_as_read(company);
        let watermark = self.store.watermark(&company.id, &list).await?;
        let since = since(watermark.as_ref(), company.overlap_minutes);
        for read in 1.. {
            let mut pager = company.client.suppliers(since.as_deref());
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                unreadable.extend(page.unreadable);
                let mut change = Change::new();
                for supplier in &page.rows {
                    change.keep_supplier(&company.id, supplier, clock::now());
                }
                self.commit(change).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "supplier".into() });
            }
            if unreadable.is_empty() || read == UNREADABLE_READS {
                return self.end_of_list(company, &list, pager.newest(), &unreadable).await;
            }
        }
        Ok(())
    }

    async fn use_reference(
        &self,
        company: &Company,
        mut data: crate::procurement::ReferenceData,
        hash: String,
    ) -> Result<(), SyncError> {
        data.suppliers = self.store.suppliers(&company.id).await?;
        let suppliers = SupplierIndex::new(&data);
        let groups = SupplierGroups::new(&data);
        company.set_reference(KnownReference { data, suppliers, groups, hash });
        Ok(())
    }
}

/// The name of the list's watermark. Where more is read of a row than before, or another attribute,
/// the list is read from the beginning once: rows that do not change would never come again.
fn suppliers_as_read(company: &Company) -> String {
    let attributes = serde_json::to_string(company.client.supplier_attributes())
        .expect("plain data with text keys");
    let read = hash_text(&format!("addresses, parents, accounts\n{attributes}"));
    format!("{SUPPLIERS}#{}", &read[..12])
}
