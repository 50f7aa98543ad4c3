//! JAGGAER's receipts and contracts, as its lists last showed them, with every earlier version.

use super::{Change, Statement, Store, StoreError, args};
use crate::audit::hash_text;
use crate::procurement::{Contract, Receipt};
use sqlx::Any;
use std::collections::BTreeSet;

impl Store {
    /// Receipts with a line of the order, cancelled ones too.
    pub async fn source_receipts_of(
        &self,
        source: &str,
        order_number: &str,
    ) -> Result<Vec<Receipt>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select r.body from source_receipt_order o join source_receipt r on r.source = o.source \
             and r.source_id = o.source_id where o.source = $1 and o.order_number = $2",
        )
        .bind(source)
        .bind(order_number)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let mut receipts: Vec<Receipt> =
            rows.iter().map(|(body,)| parse(body)).collect::<Result<_, _>>()?;
        receipts.sort_by(|a, b| a.source_id.cmp(&b.source_id));
        Ok(receipts)
    }

    /// The contract of that number; where several have it, one in force before the others and the
    /// one that changed last before the earlier ones.
    pub async fn contract_by_number(
        &self,
        source: &str,
        number: &str,
    ) -> Result<Option<Contract>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from contract where source = $1 and number = $2 order by changed_at desc",
        )
        .bind(source)
        .bind(number)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let mut contracts: Vec<Contract> =
            rows.iter().map(|(body,)| parse(body)).collect::<Result<_, _>>()?;
        // Stable: the latest stays first among equals.
        contracts.sort_by_key(|contract| !contract.in_force);
        Ok(contracts.into_iter().next())
    }
}

impl Change {
    pub fn keep_source_receipt(&mut self, source: &str, receipt: &Receipt, at: i64) {
        let body = serde_json::to_string(receipt).expect("plain data");
        let hash = hash_text(&body);
        let id = &receipt.source_id;
        self.source_moved_by_receipt(source, id, &hash, at);
        self.push(Statement::new(
            "insert into party_version (owner, kind, number, seen_at, body) \
             select $1, 'receipt', $2, $3, $4 where not exists \
             (select 1 from source_receipt where source = $1 and source_id = $2 and hash = $5) \
             on conflict (owner, kind, number, seen_at) do nothing",
            args![source, id, at, &body, &hash],
        ));
        self.push(Statement::new(
            "insert into source_receipt (source, source_id, hash, body, changed_at) values ($1, $2, $3, $4, $5) \
             on conflict (source, source_id) do update set hash = excluded.hash, body = excluded.body, \
             changed_at = case when source_receipt.hash = excluded.hash then source_receipt.changed_at \
             else excluded.changed_at end",
            args![source, id, hash, body, at],
        ));
        // A line may have moved to another order since.
        self.push(Statement::new(
            "delete from source_receipt_order where source = $1 and source_id = $2",
            args![source, id],
        ));
        let orders: BTreeSet<&str> =
            receipt.lines.iter().map(|line| line.order_number.trim()).collect();
        for order in orders {
            self.push(Statement::new(
                "insert into source_receipt_order (source, order_number, source_id) values ($1, $2, $3)",
                args![source, order, id],
            ));
        }
    }

    pub fn keep_contract(&mut self, source: &str, contract: &Contract, at: i64) {
        let body = serde_json::to_string(contract).expect("plain data");
        let hash = hash_text(&body);
        let id = &contract.source_id;
        self.source_moved_by_contract(source, id, &hash, at);
        self.push(Statement::new(
            "insert into party_version (owner, kind, number, seen_at, body) \
             select $1, 'contract', $2, $3, $4 where not exists \
             (select 1 from contract where source = $1 and source_id = $2 and hash = $5) \
             on conflict (owner, kind, number, seen_at) do nothing",
            args![source, id, at, &body, &hash],
        ));
        self.push(Statement::new(
            "insert into contract (source, source_id, number, hash, body, changed_at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (source, source_id) do update set number = excluded.number, hash = excluded.hash, \
             body = excluded.body, \
             changed_at = case when contract.hash = excluded.hash then contract.changed_at else excluded.changed_at end",
            args![source, id, contract.number.trim(), hash, body, at],
        ));
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Content(error.to_string()))
}
