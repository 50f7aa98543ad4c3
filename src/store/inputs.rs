//! What decisions are made from, other than the documents: suppliers, vendors, reference data,
//! rules and profiles, each version kept by the hash of its content.

use super::{Change, Statement, Store, StoreError, args};
use crate::audit::hash_text;
use crate::procurement::{ReferenceData, Supplier, Vendor};
use sqlx::Any;
use std::collections::BTreeMap;

/// A supplier or vendor as it was from one moment on.
#[derive(Debug, Clone, PartialEq)]
pub struct PartyVersion {
    /// The supplier's number, or the vendor's id in the source.
    pub number: String,
    pub seen_at: i64,
    pub party: Party,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Party {
    Supplier(Supplier),
    Vendor(Vendor),
}

impl Store {
    /// The company's reference data without suppliers, and the hash of that version.
    pub async fn reference_data(
        &self,
        company: &str,
    ) -> Result<Option<(ReferenceData, String)>, StoreError> {
        let row = sqlx::query_as::<Any, (String, String)>(
            "select v.hash, v.body from reference_data r join input_version v on v.hash = r.hash where r.company = $1",
        )
        .bind(company)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        row.map(|(hash, body)| {
            let reference = serde_json::from_str(&body)
                .map_err(|error| StoreError::Content(error.to_string()))?;
            Ok((reference, hash))
        })
        .transpose()
    }

    /// When the company's reference data was last read.
    pub async fn reference_read_at(&self, company: &str) -> Result<Option<i64>, StoreError> {
        let row =
            sqlx::query_as::<Any, (i64,)>("select read_at from reference_data where company = $1")
                .bind(company)
                .fetch_optional(&mut self.readers.take().await?)
                .await?;
        Ok(row.map(|(read_at,)| read_at))
    }

    /// A version of an input by its hash.
    pub async fn input_version(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query_as::<Any, (String,)>("select body from input_version where hash = $1")
                .bind(hash)
                .fetch_optional(&mut self.readers.take().await?)
                .await?;
        Ok(row.map(|(body,)| body))
    }

    /// Every version of the company's suppliers and the source's vendors, the oldest first.
    pub async fn party_versions(
        &self,
        company: &str,
        source: &str,
    ) -> Result<Vec<PartyVersion>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, String)>(
            "select kind, number, seen_at, body from party_version \
             where (owner = $1 and kind = 'supplier') or (owner = $2 and kind = 'vendor') \
             order by seen_at",
        )
        .bind(company)
        .bind(source)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let content = |error: serde_json::Error| StoreError::Content(error.to_string());
        rows.into_iter()
            .map(|(kind, number, seen_at, body)| {
                let party = match kind.as_str() {
                    "supplier" => Party::Supplier(serde_json::from_str(&body).map_err(content)?),
                    _ => Party::Vendor(serde_json::from_str(&body).map_err(content)?),
                };
                Ok(PartyVersion { number, seen_at, party })
            })
            .collect()
    }

    /// The tenant that a company's id stood for until now.
    pub async fn company_tenant(&self, company: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>("select tenant from company where id = $1")
            .bind(company)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        Ok(row.map(|(tenant,)| tenant))
    }

    pub async fn suppliers(&self, company: &str) -> Result<BTreeMap<String, Supplier>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String)>(
            "select number, body from supplier where company = $1",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        keyed(rows)
    }

    pub async fn vendors(&self, source: &str) -> Result<BTreeMap<String, Vendor>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String)>(
            "select source_id, body from vendor where source = $1",
        )
        .bind(source)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        keyed(rows)
    }
}

impl Change {
    /// Keeps a version of an input and returns its hash.
    pub fn keep_input(&mut self, kind: &str, body: &str, at: i64) -> String {
        let hash = hash_text(body);
        self.push(Statement::new(
            "insert into input_version (hash, kind, body, seen_at) values ($1, $2, $3, $4) on conflict (hash) do nothing",
            args![&hash, kind, body, at],
        ));
        hash
    }

    /// Without suppliers: they are kept one by one.
    pub fn keep_reference_data(
        &mut self,
        company: &str,
        reference: &ReferenceData,
        at: i64,
    ) -> String {
        let kept = ReferenceData { suppliers: BTreeMap::new(), ..reference.clone() };
        let body = serde_json::to_string(&kept).expect("plain data with text keys");
        let hash = self.keep_input("reference", &body, at);
        self.push(Statement::new(
            "insert into reference_data (company, hash, read_at) values ($1, $2, $3) \
             on conflict (company) do update set hash = excluded.hash, read_at = excluded.read_at",
            args![company, &hash, at],
        ));
        hash
    }

    pub fn keep_supplier(&mut self, company: &str, supplier: &Supplier, at: i64) {
        let body = serde_json::to_string(supplier).expect("plain data");
        self.push(Statement::new(
            "insert into party_version (owner, kind, number, seen_at, body) \
             select $1, 'supplier', $2, $3, $4 where not exists \
             (select 1 from supplier where company = $1 and number = $2 and body = $4) \
             on conflict (owner, kind, number, seen_at) do nothing",
            args![company, &supplier.number, at, &body],
        ));
        self.push(Statement::new(
            "insert into supplier (company, number, body, changed_at) values ($1, $2, $3, $4) \
             on conflict (company, number) do update set body = excluded.body, \
             changed_at = case when supplier.body = excluded.body then supplier.changed_at else excluded.changed_at end",
            args![company, &supplier.number, body, at],
        ));
    }

    pub fn keep_vendor(&mut self, source: &str, vendor: &Vendor, at: i64) {
        let body = serde_json::to_string(vendor).expect("plain data");
        let hash = hash_text(&body);
        self.push(Statement::new(
            "insert into party_version (owner, kind, number, seen_at, body) \
             select $1, 'vendor', $2, $3, $4 where not exists \
             (select 1 from vendor where source = $1 and source_id = $2 and hash = $5) \
             on conflict (owner, kind, number, seen_at) do nothing",
            args![source, &vendor.source_id, at, &body, &hash],
        ));
        self.push(Statement::new(
            "insert into vendor (source, source_id, hash, body, changed_at) values ($1, $2, $3, $4, $5) \
             on conflict (source, source_id) do update set hash = excluded.hash, body = excluded.body, \
             changed_at = case when vendor.hash = excluded.hash then vendor.changed_at else excluded.changed_at end",
            args![source, &vendor.source_id, hash, body, at],
        ));
    }

    pub fn keep_source(&mut self, id: &str, profile: &str, profile_hash: &str, at: i64) {
        self.push(Statement::new(
            "insert into source (id, profile, profile_hash, seen_at) values ($1, $2, $3, $4) \
             on conflict (id) do update set profile = excluded.profile, profile_hash = excluded.profile_hash, seen_at = excluded.seen_at",
            args![id, profile, profile_hash, at],
        ));
    }

    pub fn keep_company(&mut self, id: &str, base_url: &str, tenant: &str, at: i64) {
        self.push(Statement::new(
            "insert into company (id, base_url, tenant, seen_at) values ($1, $2, $3, $4) \
             on conflict (id) do update set base_url = excluded.base_url, tenant = excluded.tenant, seen_at = excluded.seen_at",
            args![id, base_url, tenant, at],
        ));
    }

    pub fn keep_connection(
        &mut self,
        id: &str,
        source: &str,
        company: &str,
        unit: &str,
        rules_hash: &str,
        at: i64,
    ) {
        self.push(Statement::new(
            "insert into connection (id, source, company, unit, rules_hash, seen_at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (id) do update set source = excluded.source, company = excluded.company, \
             unit = excluded.unit, rules_hash = excluded.rules_hash, seen_at = excluded.seen_at",
            args![id, source, company, unit, rules_hash, at],
        ));
    }
}

fn keyed<T: serde::de::DeserializeOwned>(
    rows: Vec<(String, String)>,
) -> Result<BTreeMap<String, T>, StoreError> {
    rows.into_iter()
        .map(|(key, body)| {
            serde_json::from_str(&body)
                .map(|value| (key, value))
                .map_err(|error| StoreError::Content(error.to_string()))
        })
        .collect()
}
