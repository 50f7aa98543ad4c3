use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

/// How far a list has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// Comparable form: microseconds, in whatever zone the list speaks.
    pub instant: i64,
    /// The value as it was seen.
    pub seen: String,
    pub moved_at: i64,
}

impl Store {
    /// `owner` is a source's or a company's id.
    pub async fn watermark(
        &self,
        owner: &str,
        feed: &str,
    ) -> Result<Option<Watermark>, StoreError> {
        let row = sqlx::query_as::<Any, (i64, String, i64)>(
            "select instant, seen, moved_at from watermark where owner = $1 and feed = $2",
        )
        .bind(owner)
        .bind(feed)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(instant, seen, moved_at)| Watermark { instant, seen, moved_at }))
    }
}

impl Change {
    /// Never moves back: a later value stays.
    pub fn move_watermark(&mut self, owner: &str, feed: &str, to: &Watermark) {
        self.push(Statement::new(
            "insert into watermark (owner, feed, instant, seen, moved_at) values ($1, $2, $3, $4, $5) \
             on conflict (owner, feed) do update set \
             seen = case when excluded.instant > watermark.instant then excluded.seen else watermark.seen end, \
             instant = case when excluded.instant > watermark.instant then excluded.instant else watermark.instant end, \
             moved_at = excluded.moved_at",
            args![owner, feed, to.instant, &to.seen, to.moved_at],
        ));
    }
}
