//! The versions of imported mapping tables, and what a past decision was made from.

use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

/// One version of a mapping table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingVersion {
    pub connection: String,
    /// The table's name.
    pub name: String,
    pub n: i64,
    /// CSV. `None`: the configuration's table counts again.
    pub body: Option<String>,
    pub actor: String,
    pub reason: String,
    pub asked_at: i64,
    /// When a round first worked by it.
    pub in_force_at: Option<i64>,
}

/// Two people who import at the same moment take turns.
const TURNS: usize = 5;

type Row = (String, String, i64, Option<String>, String, String, i64, Option<i64>);

impl Store {
    /// Puts a new version down and returns its number. Like a request it changes no state: the
    /// owner of the unit brings it into force.
    pub async fn ask_mapping(
        &self,
        connection: &str,
        name: &str,
        body: Option<&str>,
        (actor, reason): (&str, &str),
        at: i64,
    ) -> Result<i64, StoreError> {
        for _ in 0..TURNS {
            let row = sqlx::query_as::<Any, (i64,)>(
                "insert into mapping_version (connection, name, n, body, actor, reason, asked_at) \
                 select $1, $2, coalesce(max(n), 0) + 1, $3, $4, $5, $6 from mapping_version \
                 where connection = $1 and name = $2 \
                 on conflict (connection, name, n) do nothing returning n",
            )
            .bind(connection)
            .bind(name)
            .bind(body)
            .bind(actor)
            .bind(reason)
            .bind(at)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
            if let Some((n,)) = row {
                return Ok(n);
            }
        }
        Err(StoreError::Read(format!("others keep importing the table {name}: try again")))
    }

    /// All versions of a connection's tables, the oldest first.
    pub async fn mapping_versions(
        &self,
        connection: &str,
    ) -> Result<Vec<MappingVersion>, StoreError> {
        let rows = sqlx::query_as::<Any, Row>(
            "select connection, name, n, body, actor, reason, asked_at, in_force_at \
             from mapping_version where connection = $1 order by asked_at, n",
        )
        .bind(connection)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(connection, name, n, body, actor, reason, asked_at, in_force_at)| {
                MappingVersion { connection, name, n, body, actor, reason, asked_at, in_force_at }
            })
            .collect())
    }
}

impl Change {
    pub fn bring_mapping_into_force(&mut self, version: &MappingVersion, at: i64) {
        self.push(
            Statement::new(
                "update mapping_version set in_force_at = $1 \
                 where connection = $2 and name = $3 and n = $4 and in_force_at is null",
                args![at, &version.connection, &version.name, version.n],
            )
            .guarded("the version of the mapping table was brought into force already"),
        );
    }
}
