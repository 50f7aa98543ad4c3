//! JAGGAER's own lists of orders and invoices, as rows to be counted. No document is asked for alone.

use super::{Desk, SyncError};
use crate::audit::hash_text;
use crate::jaggaer::{Entity, Feed, Stamp};
use crate::reconcile::{Listed, Of};
use crate::sync::engine::Source;
use crate::sync::ids::document_id;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One source's lists, read whole.
pub(super) struct Listing {
    pub source: Arc<Source>,
    /// Since when changes were asked for; `None`: from the beginning.
    pub since: Option<i64>,
    pub rows: BTreeMap<String, Listed>,
    /// What was read: an optional list may not be there.
    pub read: BTreeSet<Of>,
}

impl Desk<'_> {
    pub(super) async fn list_of_jaggaer(
        &self,
        source: Arc<Source>,
        since: Option<i64>,
        remarks: &mut Vec<String>,
    ) -> Result<Listing, SyncError> {
        let mut newest: BTreeMap<String, (Option<i64>, Listed)> = BTreeMap::new();
        let mut read = BTreeSet::new();
        for (entity, of) in [(Entity::PurchaseOrders, Of::Orders), (Entity::Invoices, Of::Invoices)]
        {
            read.insert(of);
            for feed in source.profile.feeds_of(entity) {
                match self.read_feed(&source, feed, since, &mut newest).await {
                    Ok(()) => {}
                    Err(SyncError::Jaggaer(error)) if feed.may_lack(&error) => {
                        read.remove(&of);
                        remarks.push(format!(
                            "{}: the list `{}` is not there for this client, and the profile calls it optional: {} are \
                             not held against JAGGAER ({error})",
                            source.id,
                            feed.name(),
                            of.as_str()
                        ));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let rows = newest.into_iter().map(|(id, (_, row))| (id, row)).collect();
        Ok(Listing { source, since, rows, read })
    }

    async fn read_feed(
        &self,
        source: &Source,
        feed: &Arc<Feed>,
        since: Option<i64>,
        newest: &mut BTreeMap<String, (Option<i64>, Listed)>,
    ) -> Result<(), SyncError> {
        let watermark = self.store.watermark(&source.id, &source.watermark_of(feed)).await?;
        // From here on the next poll asks.
        let coming_from = watermark.and_then(|seen| {
            let overlap = i64::try_from(feed.overlap()?.as_micros()).ok()?;
            Some(seen.instant.saturating_sub(overlap))
        });
        let zone = self.zone_of(&source.id);
        let since = since.map(Stamp::from_micros);
        let mut pager = source.client.pager(feed, since.as_ref());
        while let Some(page) = pager.next().await? {
            (self.check)()?;
            for row in page.rows {
                let stamp = feed.stamp(&row.body).map(|stamp| stamp.micros);
                let listed = self.listed(source, feed, &row.body, stamp, &zone, coming_from);
                // A list that moves while it is read shows a row twice: the later version counts.
                let known = newest.get(&listed.id);
                if known.is_none_or(|(before, _)| *before <= stamp) {
                    newest.insert(listed.id.clone(), (stamp, listed));
                }
            }
        }
        if pager.complete() {
            return Ok(());
        }
        Err(SyncError::Incomplete { list: feed.name().to_owned() })
    }

    fn listed(
        &self,
        source: &Source,
        feed: &Feed,
        body: &serde_json::Value,
        stamp: Option<i64>,
        zone: &TimeZone,
        coming_from: Option<i64>,
    ) -> Listed {
        let kind = feed.document_kind(body);
        let source_id = feed.source_id(body);
        let seen = feed.glance(body);
        let connection = source.router.at_once().map_or("", |(connection, _)| connection);
        let company = self.connections.iter().find(|of| of.id == connection);
        Listed {
            id: document_id(&source.id, kind, &source_id),
            source: source.id.clone(),
            connection: connection.to_owned(),
            company: company.map_or_else(String::new, |of| of.company.id.clone()),
            kind,
            source_id,
            number: seen.number,
            vendor: seen.vendor,
            on: seen.on,
            changed_on: stamp
                .and_then(|micros| Timestamp::from_microsecond(micros).ok())
                .map(|at| at.to_zoned(zone.clone()).date()),
            amount: seen.amount,
            row_hash: hash_text(&body.to_string()),
            is_coming: stamp.zip(coming_from).is_some_and(|(at, from)| at >= from),
        }
    }
}
