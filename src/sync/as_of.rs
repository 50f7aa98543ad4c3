//! Reference data, suppliers and vendors as they were known at a moment of the past.

use super::engine::KnownReference;
use super::error::SyncError;
use crate::mapping::{SupplierGroups, SupplierIndex};
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
                let groups = SupplierGroups::new(&data);
                KnownReference { data, suppliers, groups, hash: reference.to_owned() }
            }
        };
        Ok((self.known.insert(known), &self.vendors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Change;

    fn supplier(status: &str) -> Supplier {
        let body = serde_json::json!({ "number": "50012", "name": "Nordlys", "status": status });
        serde_json::from_value(body).unwrap()
    }

    fn vendor(name: &str) -> Vendor {
        Vendor { source_id: "7".into(), name: name.into(), ..Vendor::default() }
    }

    #[tokio::test]
    async fn each_moment_sees_what_was_known_by_then() {
        let folder =
            std::env::temp_dir().join(format!("ml-connector-as-of-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&format!("sqlite:{}/store.db", folder.display())).await.unwrap();
        let owned = store.take_ownership("u", "me", 60_000_000, true).await.unwrap().unwrap();
        let mut change = Change::new();
        let hash = change.keep_reference_data("v", &ReferenceData::default(), 5);
        change.keep_supplier("v", &supplier("Active"), 10);
        change.keep_vendor("s", &vendor("Old"), 11);
        // Of another company and another source.
        change.keep_supplier("v2", &supplier("Inactive"), 12);
        change.keep_vendor("s2", &vendor("Other"), 12);
        change.keep_supplier("v", &supplier("OnHold"), 20);
        change.keep_vendor("s", &vendor("New"), 21);
        store.commit(&owned, change).await.unwrap();

        let mut as_of = AsOf::begin(&store, "v", "s").await.unwrap();
        let expected = [
            (9, None, None),
            (10, Some("Active"), None),
            (15, Some("Active"), Some("Old")),
            (20, Some("OnHold"), Some("Old")),
            (99, Some("OnHold"), Some("New")),
        ];
        for (moment, status, name) in expected {
            let (known, vendors) = as_of.at(moment, &hash).await.unwrap();
            let seen = known.data.suppliers.get("50012");
            let wanted = status.map(supplier);
            assert_eq!(seen, wanted.as_ref(), "{moment}");
            assert_eq!(vendors.get("7").map(|of| of.name.as_str()), name, "{moment}");
        }
        let error = as_of.at(100, "no such version").await.err().expect("it is not stored");
        assert!(error.to_string().contains("not stored"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
