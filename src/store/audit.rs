use super::{Store, StoreError};
use crate::audit::{ChainedEntry, Entry};
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

impl Store {
    /// Entries of one chain after `after`, in order. A page: the trail may be longer than memory.
    pub async fn audit_page(
        &self,
        unit: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<ChainedEntry>, StoreError> {
        let rows = sqlx::query::<Any>(
            "select unit, seq, at, actor, action, connection, document, from_state, to_state, \
             detail, previous_hash, hash from audit where unit = $1 and seq > $2 order by seq limit $3",
        )
        .bind(unit)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(entry).collect()
    }

    /// The history of one document.
    pub async fn audit_of(&self, document: &str) -> Result<Vec<ChainedEntry>, StoreError> {
        let rows = sqlx::query::<Any>(
            "select unit, seq, at, actor, action, connection, document, from_state, to_state, \
             detail, previous_hash, hash from audit where document = $1 order by at, seq",
        )
        .bind(document)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &AnyRow) -> Result<ChainedEntry, StoreError> {
    Ok(ChainedEntry {
        unit: row.try_get(0)?,
        seq: row.try_get(1)?,
        entry: Entry {
            at: row.try_get(2)?,
            actor: row.try_get(3)?,
            action: row.try_get(4)?,
            connection: row.try_get(5)?,
            document: row.try_get(6)?,
            from_state: row.try_get(7)?,
            to_state: row.try_get(8)?,
            detail: row.try_get(9)?,
        },
        previous_hash: row.try_get(10)?,
        hash: row.try_get(11)?,
    })
}
