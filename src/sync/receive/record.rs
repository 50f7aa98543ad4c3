//! A page of records that are no documents (vendors, receipts, contracts) into the store. Each is
//! replaced by its next version; what decisions were made from stays among the versions.

use super::is_of_the_source;
use crate::clock;
use crate::jaggaer::{Content, Feed, ReadProblem, Row, Stamp};
use crate::store::Change;
use crate::sync::engine::{Connection, Engine};
use crate::sync::error::SyncError;
use std::sync::Arc;

impl Engine {
    /// The change times of the records that could not be kept.
    pub(super) async fn keep_records(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
        rows: Vec<Row>,
    ) -> Result<Vec<Option<Stamp>>, SyncError> {
        let at = clock::now();
        let source = &connection.source.id;
        let mut change = Change::new();
        let mut not_kept = Vec::new();
        for row in rows {
            let stamp = feed.stamp(&row.body);
            let body = if feed.needs_detail() {
                match connection.source.client.detail(feed, &row.body).await {
                    Ok(body) => body,
                    Err(error) if is_of_the_source(&error) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(connection = connection.id, feed = feed.name(), %error, "a record's detail did not come");
                        not_kept.push(stamp);
                        continue;
                    }
                }
            } else {
                row.body
            };
            let kept = match feed.read(&body).content {
                Content::Vendor(read) => read.map(|of| change.keep_vendor(source, &of, at)),
                Content::Receipt(read) => {
                    read.map(|of| change.keep_source_receipt(source, &of, at))
                }
                Content::Contract(read) => read.map(|of| change.keep_contract(source, &of, at)),
                Content::Document { .. } => Ok(()),
            };
            // A record that cannot be read is missing where a document needs it, and the document
            // is held, or waits, there.
            if let Err(problems) = kept {
                not_kept.push(stamp);
                warn(connection, feed, &problems);
            }
        }
        self.commit(change).await?;
        Ok(not_kept)
    }
}

fn warn(connection: &Connection, feed: &Feed, problems: &[ReadProblem]) {
    for problem in problems {
        tracing::warn!(connection = connection.id, feed = feed.name(), %problem, "a record cannot be read");
    }
}
