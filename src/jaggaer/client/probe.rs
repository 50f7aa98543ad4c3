use super::Client;
use crate::jaggaer::profile::Feed;
use crate::jaggaer::{Error, Stamp};
use serde_json::Value;
use std::sync::Arc;

/// What the first page of a list shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    pub rows: Vec<Value>,
    /// Rows asked for in one page; `None`: the list takes no such wish.
    pub asked: Option<u64>,
    /// `Some(true)`: the page was taken for the last one because it was short, and rows follow all the same.
    pub cut: Option<bool>,
}

impl Client {
    /// Reads the first page of a list: the whole one, or what changed since.
    pub async fn look(&self, feed: &Arc<Feed>, since: Option<&Stamp>) -> Result<Look, Error> {
        let mut pager = self.pager(feed, since);
        let page = pager.next().await?;
        let rows: Vec<Value> =
            page.into_iter().flat_map(|page| page.rows).map(|row| row.body).collect();
        let cut = match since {
            None => pager.rows_follow_short_page(rows.len()).await?,
            Some(_) => None,
        };
        Ok(Look { rows, asked: pager.page_size(), cut })
    }
}
