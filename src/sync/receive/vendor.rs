//! A page of vendors into the store.

use super::is_of_the_source;
use crate::clock;
use crate::jaggaer::{Content, Feed, Row, Stamp};
use crate::store::Change;
use crate::sync::engine::{Connection, Engine};
use crate::sync::error::SyncError;
use std::sync::Arc;

impl Engine {
    /// The change times of the vendors that could not be kept.
    pub(super) async fn keep_vendors(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
        rows: Vec<Row>,
    ) -> Result<Vec<Option<Stamp>>, SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let mut not_kept = Vec::new();
        for row in rows {
            let stamp = feed.stamp(&row.body);
            let body = if feed.needs_detail() {
                match connection.source.client.detail(feed, &row.body).await {
                    Ok(body) => body,
                    Err(error) if is_of_the_source(&error) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(connection = connection.id, %error, "a vendor's detail did not come");
                        not_kept.push(stamp);
                        continue;
                    }
                }
            } else {
                row.body
            };
            match feed.read(&body).content {
                Content::Vendor(Ok(vendor)) => {
                    change.keep_vendor(&connection.source.id, &vendor, at);
                }
                Content::Vendor(Err(problems)) => {
                    // A vendor that cannot be read is missing where a document names it, and the
                    // document is held there.
                    not_kept.push(stamp);
                    for problem in problems {
                        tracing::warn!(connection = connection.id, %problem, "a vendor cannot be read");
                    }
                }
                Content::Document { .. } => {}
            }
        }
        self.commit(change).await?;
        Ok(not_kept)
    }
}
