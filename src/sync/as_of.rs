//! Reference data, suppliers and vendors as they were known at a moment of the past.

use super::engine::KnownReference;
use super::error::SyncError;
use crate::mapping::SupplierIndex;
use crate::procurement::{ReferenceData, Supplier, Vendor};
use crate::store::{Party, PartyVersion, Store};
use std::collections::BTreeMap;

/// Goes forward through time: each moment asked for is not before the one asked for last. What did
/// not change between two moments is not built twice.
pub struct AsOf<'a> {
    store: &'a Store,
    versions: std::iter::Peekable<std::vec::IntoIter<PartyVersion>>,
    suppliers: BTreeMap<String, Supplier>,
    vendors: BTreeMap<String, Vendor>,
    known: Option<KnownReference>,
}

impl<'a> AsOf<'a> {
    pub async fn begin(store: &'a Store, company: &str, source: &str) -> Result<Self, SyncError> {
        let versions = store.party_versions(company, source).await?;
        Ok(Self {
            store,
            versions: versions.into_iter().peekable(),
            suppliers: BTreeMap::new(),
            vendors: BTreeMap::new(),
            known: None,
        })
    }

    /// What a decision at this moment saw, with the reference data of that hash.
    pub async fn at(
        &mut self,
        moment: i64,
        reference: &str,
    ) -> Result<(&KnownReference, &BTreeMap<String, Vendor>), SyncError> {
        let mut suppliers_moved = false;
        while let Some(version) = self.versions.next_if(|version| version.seen_at <= moment) {
            match version.party {
                Party::Supplier(supplier) => {
                    suppliers_moved = true;
                    self.suppliers.insert(version.number, supplier);
                }
                Party::Vendor(vendor) => {
                    self.vendors.insert(version.number, vendor);
                }
            }
        }
        let same = self.known.as_ref().is_some_and(|known| known.hash == reference);
        if !same || suppliers_moved {
            self.known = None;
        }
        let known = match self.known.take() {
            Some(known) => known,
            None => {
                let body = self.store.input_version(reference).await?.ok_or_else(|| {
                    SyncError::Inner(format!(
                        "the reference data {reference} of that time is not stored"
                    ))
                })?;
                let mut data: ReferenceData = serde_json::from_str(&body)
                    .map_err(|error| SyncError::Inner(error.to_string()))?;
                data.suppliers = self.suppliers.clone();
                let suppliers = SupplierIndex::new(&data);
                KnownReference { data, suppliers, hash: reference.to_owned() }
            }
        };
        Ok((self.known.insert(known), &self.vendors))
    }
}
