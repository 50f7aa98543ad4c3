//! Reference data and suppliers, as this round's decisions see them.

use super::found::Finds;
use super::{SUPPLIERS, UNREADABLE_READS, since};
use crate::audit::hash_text;
use crate::clock;
use crate::mapping::{SupplierGroups, SupplierIndex};
use crate::procurement::ReferenceData;
use crate::schedule::Poll;
use crate::store::Change;
use crate::sync::CrashPoint;
use crate::sync::engine::{Company, Engine, KnownReference};
use crate::sync::error::SyncError;
use crate::visma::{Error, UnreadableRow};
use std::sync::Arc;

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
        warn_of(company, &read.unreadable);
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
        let hash = self.keep_reference(company, &read.reference).await?;
        self.read_suppliers(company).await?;
        CrashPoint::ReferenceKept.pass();
        self.use_reference(company, read.reference, hash).await
    }

    /// As last read, by this process or one before it.
    pub async fn recall_reference(
        &self,
        company: &Company,
    ) -> Result<Option<Arc<KnownReference>>, SyncError> {
        if company.reference().is_none()
            && let Some((data, hash)) = self.store.reference_data(&company.id).await?
        {
            self.use_reference(company, data, hash).await?;
        }
        Ok(company.reference())
    }

    /// Keeps the version, and what of it differs from the one before.
    async fn keep_reference(
        &self,
        company: &Company,
        reference: &ReferenceData,
    ) -> Result<String, SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let read_at = self.store.reference_read_at(&company.id).await?;
        if let Some(known) = self.recall_reference(company).await? {
            let known = &known.data;
            for (poll, keys) in [
                (Poll::Accounts, changed_accounts(known, reference)),
                (Poll::Dimensions, changed_values(known, reference)),
            ] {
                let finds = Finds::since(company, poll, read_at);
                for key in keys {
                    finds.add(company, &key, &mut change);
                }
            }
        }
        let hash = change.keep_reference_data(&company.id, reference, at);
        self.commit(change).await?;
        Ok(hash)
    }

    /// The chart of accounts alone, one call where every row can be read. Whether any had changed.
    pub async fn refresh_accounts(&self, company: &Company) -> Result<bool, SyncError> {
        let Some(known) = self.recall_reference(company).await? else {
            return self.refresh_reference(company).await.map(|()| true);
        };
        let (mut accounts, mut unreadable) = company.client.accounts().await?;
        for _ in 1..UNREADABLE_READS {
            if unreadable.is_empty() {
                break;
            }
            (accounts, unreadable) = company.client.accounts().await?;
        }
        warn_of(company, &unreadable);
        let reference = ReferenceData { accounts, ..known.data.clone() };
        self.use_newer(company, &known, reference).await
    }

    /// The segments of the subaccount alone, one call. Whether any value had changed.
    pub async fn refresh_dimensions(&self, company: &Company) -> Result<bool, SyncError> {
        let Some(known) = self.recall_reference(company).await? else {
            return self.refresh_reference(company).await.map(|()| true);
        };
        let segments = company.client.segments().await?;
        let reference = ReferenceData { segments, ..known.data.clone() };
        self.use_newer(company, &known, reference).await
    }

    async fn use_newer(
        &self,
        company: &Company,
        known: &KnownReference,
        reference: ReferenceData,
    ) -> Result<bool, SyncError> {
        if reference == known.data {
            return Ok(false);
        }
        let hash = self.keep_reference(company, &reference).await?;
        self.use_reference(company, reference, hash).await?;
        Ok(true)
    }

    /// Suppliers alone, beside the reference data that was read before. Whether any had changed.
    pub async fn refresh_suppliers(&self, company: &Company) -> Result<bool, SyncError> {
        let Some(known) = self.recall_reference(company).await? else {
            return self.refresh_reference(company).await.map(|()| true);
        };
        let changed = self.read_suppliers(company).await?;
        if changed {
            self.use_reference(company, known.data.clone(), known.hash.clone()).await?;
        }
        Ok(changed)
    }

    /// Whether any had changed.
    async fn read_suppliers(&self, company: &Company) -> Result<bool, SyncError> {
        let mut changed = false;
        let list = suppliers_as_read(company);
        let watermark = self.store.watermark(&company.id, &list).await?;
        let finds = Finds::of(company, Poll::Suppliers, watermark.as_ref());
        let known = match company.reference() {
            Some(known) => known.data.suppliers.clone(),
            None => self.store.suppliers(&company.id).await?,
        };
        let since = since(watermark.as_ref(), company.overlap_minutes);
        for read in 1.. {
            let mut pager = company.client.suppliers(since.as_deref());
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                unreadable.extend(page.unreadable);
                let mut change = Change::new();
                for supplier in &page.rows {
                    if known.get(&supplier.number) != Some(supplier) {
                        changed = true;
                        finds.add(company, &supplier.number, &mut change);
                    }
                    change.keep_supplier(&company.id, supplier, clock::now());
                }
                self.commit(change).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "supplier".into() });
            }
            if unreadable.is_empty() || read == UNREADABLE_READS {
                self.end_of_list(company, &list, pager.newest(), &unreadable).await?;
                break;
            }
        }
        Ok(changed)
    }

    async fn use_reference(
        &self,
        company: &Company,
        mut data: ReferenceData,
        hash: String,
    ) -> Result<(), SyncError> {
        data.suppliers = self.store.suppliers(&company.id).await?;
        let suppliers = SupplierIndex::new(&data);
        let groups = SupplierGroups::new(&data);
        company.set_reference(KnownReference { data, suppliers, groups, hash });
        Ok(())
    }
}

fn warn_of(company: &Company, unreadable: &[UnreadableRow]) {
    for row in unreadable {
        tracing::warn!(
            company = company.id,
            row = row.key,
            reason = row.reason,
            "a reference row cannot be read"
        );
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

/// The numbers of accounts that are new, gone or otherwise.
fn changed_accounts(before: &ReferenceData, after: &ReferenceData) -> Vec<String> {
    let all = before.accounts.keys().chain(after.accounts.keys());
    let mut changed: Vec<String> =
        all.filter(|key| before.accounts.get(*key) != after.accounts.get(*key)).cloned().collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}

/// The values of segments that are new, gone or otherwise.
fn changed_values(before: &ReferenceData, after: &ReferenceData) -> Vec<String> {
    let mut changed = Vec::new();
    for id in before.segments.keys().chain(after.segments.keys()) {
        let values = |of: &ReferenceData| of.segments.get(id).map(|segment| segment.values.clone());
        let (old, new) = (values(before).unwrap_or_default(), values(after).unwrap_or_default());
        let all = old.keys().chain(new.keys());
        changed.extend(all.filter(|key| old.get(*key) != new.get(*key)).cloned());
    }
    changed.sort_unstable();
    changed.dedup();
    changed
}
