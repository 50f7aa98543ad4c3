//! What is counted for those who watch from outside.

use super::{FoundCount, NudgeCount, Store, StoreError};
use sqlx::Any;

/// Counts of everything, as they stand. Instants are microseconds UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connection (empty: taken by none), kind, state, count.
    pub documents: Vec<(String, String, String, i64)>,
    /// Connection, code, count.
    pub holds: Vec<(String, String, i64)>,
    /// Connection, and when the oldest document that is neither posted, held nor ignored came.
    pub oldest_unposted: Vec<(String, i64)>,
    /// Company, writes whose answer was lost.
    pub uncertain: Vec<(String, i64)>,
    /// Documents that stand in Visma and ask for attention.
    pub attention: i64,
    /// Source or company, list, and when it was last read to its end.
    pub lists: Vec<(String, String, i64)>,
    /// Unit, month, when it was reconciled last, and how many differences were found.
    pub reconciled: Vec<(String, String, i64, i64)>,
    /// Connection, state of what JAGGAER is told, count.
    pub confirmations: Vec<(String, String, i64)>,
    /// Unit, whether somebody owns it.
    pub units: Vec<(String, bool)>,
    /// What became of the webhooks' deliveries.
    pub deliveries: Vec<NudgeCount>,
    /// How changes in Visma were found, where webhooks are to tell of them.
    pub found: Vec<FoundCount>,
}

impl Store {
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let mut reader = self.readers.take().await?;
        let documents = sqlx::query_as::<Any, (String, String, String, i64)>(
            "select connection, kind, state, cast(count(*) as bigint) from document \
             group by connection, kind, state order by connection, kind, state",
        )
        .fetch_all(&mut reader)
        .await?;
        let holds = sqlx::query_as::<Any, (String, String, i64)>(
            "select document.connection, hold.code, cast(count(distinct hold.document) as bigint) from hold \
             join document on document.id = hold.document \
             group by document.connection, hold.code order by document.connection, hold.code",
        )
        .fetch_all(&mut reader)
        .await?;
        let oldest_unposted = sqlx::query_as::<Any, (String, i64)>(
            "select connection, cast(min(received_at) as bigint) from document \
             where state in ('unread', 'waiting', 'ready', 'posting') group by connection order by connection",
        )
        .fetch_all(&mut reader)
        .await?;
        let uncertain = sqlx::query_as::<Any, (String, i64)>(
            "select company, cast(count(*) as bigint) from posting where state = 'uncertain' \
             group by company order by company",
        )
        .fetch_all(&mut reader)
        .await?;
        let (attention,) = sqlx::query_as::<Any, (i64,)>(
            "select cast(count(*) as bigint) from document where attention is not null",
        )
        .fetch_one(&mut reader)
        .await?;
        let lists = sqlx::query_as::<Any, (String, String, i64)>(
            "select owner, feed, moved_at from watermark order by owner, feed",
        )
        .fetch_all(&mut reader)
        .await?;
        drop(reader);
        let results = self.reconciliations().await?.into_iter();
        let reconciled = results
            .filter(|row| row.period != "all")
            .map(|row| (row.unit, row.period, row.reconciled_at, row.differences))
            .collect();
        let confirmations = self.confirmation_counts().await?;
        let units = self
            .ownerships()
            .await?
            .into_iter()
            .map(|row| (row.unit, !row.owner.is_empty() && !row.expired))
            .collect();
        Ok(Figures {
            documents,
            holds,
            oldest_unposted,
            uncertain,
            attention,
            lists,
            reconciled,
            confirmations,
            units,
            deliveries: self.delivery_counts().await?,
            found: self.found_counts().await?,
        })
    }
}
