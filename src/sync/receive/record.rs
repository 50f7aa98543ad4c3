//! A page of records that are no documents (vendors, receipts, contracts) into the store. Each is
//! replaced by its next version; what decisions were made from stays among the versions.

use super::is_of_the_source;
use crate::clock;
use crate::jaggaer::{Content, Feed, ReadProblem, Row, Stamp};
use crate::store::Change;
use crate::sync::engine::{Engine, Source};
use crate::sync::error::SyncError;
use std::sync::Arc;

impl Engine {
    /// The change times of the records that could not be kept.
    pub(super) async fn keep_records(
        &self,
        source: &Source,
        feed: &Arc<Feed>,
        rows: Vec<Row>,
    ) -> Result<Vec<Option<Stamp>>, SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let mut not_kept = Vec::new();
        for row in rows {
            let stamp = feed.stamp(&row.body);
            let body = if feed.needs_detail() {
                match source.client.detail(feed, &row.body).await {
                    Ok(body) => body,
                    Err(error) if is_of_the_source(&error) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(source = source.id, feed = feed.name(), %error, "a record's detail did not come");
                        not_kept.push(stamp);
                        continue;
                    }
                }
            } else {
                row.body
            };
            let kept = match feed.read(&body).content {
                Content::Vendor(read) => read.map(|of| change.keep_vendor(&source.id, &of, at)),
                Content::Receipt(read) => {
                    read.map(|of| change.keep_source_receipt(&source.id, &of, at))
                }
                Content::Contract(read) => read.map(|of| change.keep_contract(&source.id, &of, at)),
                Content::Document { .. } => Ok(()),
            };
            // A record that cannot be read is missing where a document needs it, and the document
            // is held, or waits, there.
            if let Err(problems) = kept {
                not_kept.push(stamp);
                warn(source, feed, &problems);
            }
        }
        self.commit(change).await?;
        Ok(not_kept)
    }
}

fn warn(source: &Source, feed: &Feed, problems: &[ReadProblem]) {
    for problem in problems {
        tracing::warn!(source = source.id, feed = feed.name(), %problem, "a record cannot be read");
    }
}
