//! What people said about holds.

use super::{Change, Statement, Store, StoreError, args};
use crate::audit::hash_text;
use crate::decide::{Override, Role};
use sqlx::Any;

/// One person's word, and when it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideRow {
    pub document: String,
    pub said_at: i64,
    pub word: Override,
}

type Columns = (String, String, String, String, String, String, i64);

impl Store {
    /// All that was said about holds of a document, the oldest first.
    pub async fn overrides_of(&self, document: &str) -> Result<Vec<OverrideRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select document, code, text, actor, role, reason, said_at from hold_override \
             where document = $1 order by said_at, text_hash",
        )
        .bind(document)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter().map(override_row).collect()
    }

    /// All that was ever said.
    pub async fn overrides(&self) -> Result<Vec<OverrideRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select document, code, text, actor, role, reason, said_at from hold_override \
             order by said_at, text_hash",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter().map(override_row).collect()
    }

    /// All that was said about documents that are held now.
    pub async fn overrides_of_held(&self) -> Result<Vec<OverrideRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select document, code, text, actor, role, reason, said_at from hold_override \
             where document in (select document from hold) order by said_at, text_hash",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter().map(override_row).collect()
    }
}

fn override_row(
    (document, code, text, actor, role, reason, said_at): Columns,
) -> Result<OverrideRow, StoreError> {
    let role = Role::parse(&role).ok_or_else(|| StoreError::Content(format!("role `{role}`")))?;
    Ok(OverrideRow { document, said_at, word: Override { code, text, actor, role, reason } })
}

impl Change {
    /// The same person's word about the same hold counts once.
    pub fn keep_override(&mut self, document: &str, word: &Override, at: i64) {
        self.push(Statement::new(
            "insert into hold_override (document, code, text_hash, text, actor, role, reason, said_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (document, code, text_hash, actor) do nothing",
            args![
                document, &word.code, hash_text(&word.text), &word.text, &word.actor,
                word.role.as_str(), &word.reason, at
            ],
        ));
    }
}
