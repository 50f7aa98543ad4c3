use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

/// One round of all flows of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRow {
    pub id: String,
    pub unit: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    /// JSON.
    pub summary: String,
}

impl Store {
    /// The newest rounds first.
    pub async fn rounds(&self, limit: i64) -> Result<Vec<RoundRow>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, Option<i64>, String)>(
            "select id, unit, started_at, ended_at, summary from round order by started_at desc limit $1",
        )
        .bind(limit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, unit, started_at, ended_at, summary)| RoundRow {
                id,
                unit,
                started_at,
                ended_at,
                summary,
            })
            .collect())
    }
}

impl Change {
    /// What no one looks at any more: a process that runs for months keeps hundreds a day.
    pub fn forget_rounds(&mut self, unit: &str, before: i64) {
        self.push(Statement::new(
            "delete from round where unit = $1 and started_at < $2",
            args![unit, before],
        ));
    }

    pub fn keep_round(&mut self, round: &RoundRow) {
        self.push(Statement::new(
            "insert into round (id, unit, started_at, ended_at, summary) values ($1, $2, $3, $4, $5) \
             on conflict (id) do update set ended_at = excluded.ended_at, summary = excluded.summary",
            args![&round.id, &round.unit, round.started_at, round.ended_at, &round.summary],
        ));
    }
}
