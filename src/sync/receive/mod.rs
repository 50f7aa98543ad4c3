//! From JAGGAER's lists into the store: raw, once, versioned by content, before anything else. A
//! feed is read page by page, and its watermark moves when all of it is kept.

mod document;
mod identity;
mod record;

use crate::clock;
use crate::jaggaer::{self, Entity, Feed, Stamp};
use crate::schedule::Flow;
use crate::store::{Change, Watermark};
use crate::sync::CrashPoint;
use crate::sync::engine::{Engine, Source};
use crate::sync::error::SyncError;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How far ahead of our clock a change time may be. One that lies further ahead is a mistake, and
/// would hide everything that changes before that day.
const AHEAD: i64 = 24 * 3600 * 1_000_000;

impl Engine {
    /// The feeds of these flows, once for all connections of the source: what documents are judged by
    /// first, orders before invoices. `remarks` takes what could not be read and is no error.
    pub async fn receive(
        &self,
        source: &Source,
        flows: &BTreeSet<Flow>,
        remarks: &mut Vec<String>,
    ) -> Result<(), SyncError> {
        self.keep_inputs(source).await?;
        let received = self.receive_feeds(source, flows, remarks).await;
        self.use_vendors(source).await?;
        received
    }

    /// The vendors as they are kept.
    pub async fn use_vendors(&self, source: &Source) -> Result<(), SyncError> {
        source.set_vendors(self.store.vendors(&source.id).await?);
        Ok(())
    }

    /// Whether every list of vendors was read whole at least once.
    pub async fn knows_vendors(&self, source: &Source) -> Result<bool, SyncError> {
        for feed in source.profile.feeds_of(Entity::Suppliers) {
            if self.store.watermark(&source.id, &source.watermark_of(feed)).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn receive_feeds(
        &self,
        source: &Source,
        flows: &BTreeSet<Flow>,
        remarks: &mut Vec<String>,
    ) -> Result<(), SyncError> {
        let mut trouble = None;
        for entity in [
            Entity::Suppliers,
            Entity::Contracts,
            Entity::Receipts,
            Entity::PurchaseOrders,
            Entity::Invoices,
        ] {
            if !belongs_to(entity).iter().any(|flow| flows.contains(flow)) {
                continue;
            }
            let feeds: Vec<Arc<Feed>> = source.profile.feeds_of(entity).map(Arc::clone).collect();
            for feed in feeds {
                self.progress.begin(&format!("receive {}", feed.name()), None);
                let received = self.receive_feed(source, &feed).await;
                self.progress.end(&format!("receive {}", feed.name()));
                match received {
                    Err(error) if error.stops_the_unit() => return Err(error),
                    Err(SyncError::Jaggaer(error)) if feed.may_lack(&error) => {
                        remarks.push(format!(
                            "{}: the list `{}` is not there for this client, and the profile calls it \
                             optional; documents are judged without it ({error})",
                            source.id,
                            feed.name()
                        ));
                    }
                    // The other lists are read all the same.
                    Err(error) => {
                        trouble.get_or_insert(error);
                    }
                    Ok(()) => {}
                }
            }
        }
        self.read_unread(source).await?;
        trouble.map_or(Ok(()), Err)
    }

    /// What the source's documents are read, routed and judged by.
    async fn keep_inputs(&self, source: &Source) -> Result<(), SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let profile = &source.profile;
        change.keep_input("profile", profile.text(), at);
        change.keep_source(&source.id, profile.name(), profile.version(), at);
        for connection in self.connections.iter().filter(|of| of.source.id == source.id) {
            let rules = serde_json::to_string(&connection.rules)
                .expect("rules are plain data with text keys");
            change.keep_input("rules", &rules, at);
            let company = &connection.company;
            change.keep_company(&company.id, &company.base_url, &company.tenant, at);
            change.keep_connection(
                &connection.id,
                &source.id,
                &company.id,
                &self.unit.id,
                &connection.rules_hash,
                at,
            );
        }
        self.commit(change).await
    }

    async fn receive_feed(&self, source: &Source, feed: &Arc<Feed>) -> Result<(), SyncError> {
        let watermark = self.store.watermark(&source.id, &source.watermark_of(feed)).await?;
        let since = watermark
            .as_ref()
            .filter(|kept| !kept.seen.is_empty())
            .map(|kept| Stamp { micros: kept.instant, raw: kept.seen.clone() });
        let mut pager = source.client.pager(feed, since.as_ref());
        let mut newest: Option<Stamp> = None;
        let mut not_kept: Vec<Option<Stamp>> = Vec::new();
        let mut whole = true;
        let latest = clock::now() + AHEAD;
        let mut page = pager.next().await?;
        while let Some(read) = page {
            self.check()?;
            CrashPoint::ReceivePageRead.pass();
            for row in &read.rows {
                if let Some(stamp) = feed.stamp(&row.body)
                    && stamp.micros <= latest
                    && newest.as_ref().is_none_or(|known| stamp > *known)
                {
                    newest = Some(stamp);
                }
            }
            let rows = read.rows.len() as u64;
            let keep = async {
                match feed.entity() {
                    Entity::Suppliers | Entity::Receipts | Entity::Contracts => {
                        let left = self.keep_records(source, feed, read.rows).await?;
                        Ok::<_, SyncError>((true, left))
                    }
                    Entity::PurchaseOrders | Entity::Invoices => {
                        Ok((self.keep_documents(source, feed, read.rows).await?, Vec::new()))
                    }
                }
            };
            // The next page is asked for while this one is kept.
            let (kept, next) = futures_util::future::join(keep, pager.next()).await;
            let (page_whole, left) = kept?;
            whole &= page_whole;
            not_kept.extend(left);
            CrashPoint::ReceivePageKept.pass();
            self.progress.advance(&format!("receive {}", feed.name()), rows);
            page = next?;
        }
        if !pager.complete() || !whole {
            return Err(SyncError::Incomplete { list: feed.name().to_owned() });
        }
        CrashPoint::ReceiveBeforeWatermark.pass();
        // What was not kept comes again with every read, until it can be.
        let newest = match not_kept.into_iter().min() {
            Some(oldest) => newest.min(oldest),
            None => newest,
        };
        let moved_at = clock::now();
        let to = match newest {
            Some(newest) => Watermark { instant: newest.micros, seen: newest.raw, moved_at },
            // Read whole, and nothing in it says when it changed.
            None => Watermark { instant: 0, seen: String::new(), moved_at },
        };
        let mut change = Change::new();
        change.move_watermark(&source.id, &source.watermark_of(feed), &to);
        self.commit(change).await?;
        CrashPoint::ReceiveWatermarkMoved.pass();
        Ok(())
    }
}

/// The flows that read the entity's lists. Vendors come with every sort of document too: a document is
/// judged by its vendor, and who is new is mostly new with it.
fn belongs_to(entity: Entity) -> &'static [Flow] {
    match entity {
        Entity::Suppliers => &[Flow::Suppliers, Flow::Orders, Flow::Invoices],
        Entity::Contracts | Entity::Receipts | Entity::PurchaseOrders => &[Flow::Orders],
        Entity::Invoices => &[Flow::Invoices],
    }
}

/// Trouble that every document of the source has; all else concerns the one that was asked for.
fn is_of_the_source(error: &jaggaer::Error) -> bool {
    use jaggaer::Error as E;
    match error {
        E::Settings(_)
        | E::SignInRefused { .. }
        | E::SignInBroken(_)
        | E::Unauthorised { .. }
        | E::Redirected { .. } => true,
        E::NoAnswer { .. }
        | E::BrokenAnswer { .. }
        | E::TooLarge { .. }
        | E::Status { .. }
        | E::Throttled { .. }
        | E::Failed { .. }
        | E::Forbidden { .. }
        | E::NotFound { .. }
        | E::WrongShape { .. }
        | E::Endless { .. }
        | E::Moved { .. }
        | E::ForeignAddress(_) => false,
    }
}
