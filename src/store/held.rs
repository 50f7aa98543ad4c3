//! Held documents and what they wait on: which could be judged again by themselves, and whether
//! anything moved since they last were.

use super::{Change, Statement, Store, StoreError, args};
use crate::procurement::ErpReceipt;
use sqlx::Any;

impl Store {
    /// A text that is the same as long as nothing moved that a decision of the connection looks at,
    /// beside rules, profile and reference data: suppliers, vendors, orders, Visma's own documents.
    pub async fn moved_inputs(
        &self,
        connection: &str,
        company: &str,
        source: &str,
    ) -> Result<String, StoreError> {
        let row = sqlx::query_as::<Any, (i64, i64, i64, i64, i64, i64, i64)>(
            "select \
             (select count(*) from supplier where company = $1), \
             (select coalesce(max(changed_at), 0) from supplier where company = $1), \
             (select count(*) from vendor where source = $2), \
             (select coalesce(max(changed_at), 0) from vendor where source = $2), \
             (select coalesce(max(moved_at), 0) from moved where owner = $3), \
             (select coalesce(max(moved_at), 0) from moved where owner = $4), \
             (select coalesce(max(changed_at), 0) from document \
              where connection = $5 and kind = 'purchase_order')",
        )
        .bind(company)
        .bind(source)
        .bind(company_owner(company))
        .bind(source_owner(source))
        .bind(connection)
        .fetch_one(&mut *self.readers.take().await?)
        .await?;
        Ok(format!("{row:?}"))
    }

    pub async fn held_inputs(&self, connection: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select inputs from held_inputs where connection = $1",
        )
        .bind(connection)
        .fetch_optional(&mut *self.readers.take().await?)
        .await?;
        Ok(row.map(|(inputs,)| inputs))
    }
}

impl Change {
    pub fn keep_held_inputs(&mut self, connection: &str, inputs: &str) {
        self.push(Statement::new(
            "insert into held_inputs (connection, inputs) values ($1, $2) \
             on conflict (connection) do update set inputs = excluded.inputs",
            args![connection, inputs],
        ));
    }

    /// Visma's own documents of the company are not what they were.
    pub fn company_moved(&mut self, company: &str, at: i64) {
        self.moved(&company_owner(company), at);
    }

    /// The same for a receipt, unless it is kept already as it is. Before it is kept.
    pub fn company_moved_by_receipt(&mut self, company: &str, receipt: &ErpReceipt, at: i64) {
        let body = serde_json::to_string(receipt).expect("plain data with text keys");
        self.push(Statement::new(
            "insert into moved (owner, moved_at) select $1, $2 where not exists \
             (select 1 from erp_receipt where company = $3 and receipt_type = $4 and number = $5 and body = $6) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![company_owner(company), at, company, &receipt.receipt_type, &receipt.number, body],
        ));
    }

    /// Receipts or contracts of the source are not what they were.
    pub fn source_moved(&mut self, source: &str, at: i64) {
        self.moved(&source_owner(source), at);
    }

    fn moved(&mut self, owner: &str, at: i64) {
        self.push(Statement::new(
            "insert into moved (owner, moved_at) values ($1, $2) \
             on conflict (owner) do update set moved_at = excluded.moved_at",
            args![owner, at],
        ));
    }
}

/// A source and a company may have the same id.
fn company_owner(company: &str) -> String {
    format!("company:{company}")
}

fn source_owner(source: &str) -> String {
    format!("source:{source}")
}
