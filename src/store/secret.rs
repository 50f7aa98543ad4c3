//! The vault's rows. What is in them is sealed before it comes here and opened after it has left.

use super::{Change, Statement, Store, StoreError, args};
use crate::vault::Sealed;
use sqlx::Any;

/// One value of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    pub name: String,
    pub version: i64,
    pub sealed: Sealed,
    pub set_at: i64,
    pub set_by: String,
    pub retired_at: Option<i64>,
    pub retired_by: Option<String>,
}

impl SecretRow {
    /// Whether it may be used.
    pub fn is_live(&self) -> bool {
        self.retired_at.is_none()
    }
}

type Columns = (String, i64, String, String, String, i64, String, Option<i64>, Option<String>);

impl Store {
    /// Every value that was ever set, by name, the oldest first; those retired are empty.
    pub async fn secrets(&self) -> Result<Vec<SecretRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select name, version, key_name, wrapped_key, sealed, set_at, set_by, retired_at, retired_by \
             from secret order by version",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let mut secrets: Vec<SecretRow> = rows.into_iter().map(secret).collect();
        // Not by the database: the two sort names differently.
        secrets.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        Ok(secrets)
    }
}

impl Change {
    pub fn set_secret(&mut self, row: &SecretRow) {
        self.push(
            Statement::new(
                "insert into secret (name, version, key_name, wrapped_key, sealed, set_at, set_by) \
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict (name, version) do nothing",
                args![
                    &row.name,
                    row.version,
                    &row.sealed.key,
                    &row.sealed.wrapped_key,
                    &row.sealed.value,
                    row.set_at,
                    &row.set_by
                ],
            )
            .guarded("somebody else has set the secret in this moment"),
        );
    }

    /// Puts the row under another master key; the sealed value stays.
    pub fn rewrap_secret(&mut self, row: &SecretRow, moved: &Sealed) {
        self.push(
            Statement::new(
                "update secret set key_name = $1, wrapped_key = $2 \
                 where name = $3 and version = $4 and wrapped_key = $5 and retired_at is null",
                args![
                    &moved.key,
                    &moved.wrapped_key,
                    &row.name,
                    row.version,
                    &row.sealed.wrapped_key
                ],
            )
            .guarded("the secret was retired or put under another key in this moment"),
        );
    }

    /// The value goes; that it was there stays.
    pub fn retire_secret(&mut self, row: &SecretRow, at: i64, by: &str) {
        self.push(
            Statement::new(
                "update secret set wrapped_key = '', sealed = '', retired_at = $1, retired_by = $2 \
                 where name = $3 and version = $4 and retired_at is null",
                args![at, by, &row.name, row.version],
            )
            .guarded("the secret was retired in this moment"),
        );
    }
}

fn secret(row: Columns) -> SecretRow {
    let (name, version, key, wrapped_key, value, set_at, set_by, retired_at, retired_by) = row;
    let sealed = Sealed { key, wrapped_key, value };
    SecretRow { name, version, sealed, set_at, set_by, retired_at, retired_by }
}
