//! From JAGGAER's lists into the store: raw, once, versioned by content, before anything else.

use super::engine::{Connection, Engine, entry};
use super::error::SyncError;
use super::{CrashPoint, ids};
use crate::audit::hash_text;
use crate::clock;
use crate::decide;
use crate::jaggaer::{self, Content, Entity, Feed, Row, Stamp};
use crate::procurement::{Document, DocumentKind, Money};
use crate::store::{
    Change, DocumentFacts, DocumentRow, DocumentState, NewDocument, RevisionRow, Watermark,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// How far ahead of our clock a change time may be. One that lies further ahead is a mistake, and
/// would hide everything that changes before that day.
const AHEAD: i64 = 24 * 3600 * 1_000_000;

/// Detail calls of one page under way at a time; the client's own pacer bounds them further.
const DETAILS_AT_ONCE: usize = 8;

impl Engine {
    /// Every feed of the connection's source: vendors first, orders before invoices.
    pub async fn receive(&self, connection: &Arc<Connection>) -> Result<(), SyncError> {
        self.keep_route(connection).await?;
        let received = self.receive_feeds(connection).await;
        connection.set_vendors(self.store.vendors(&connection.source.id).await?);
        received
    }

    /// Whether every list of vendors was read whole at least once.
    pub async fn knows_vendors(&self, connection: &Connection) -> Result<bool, SyncError> {
        for feed in connection.source.profile.feeds_of(Entity::Suppliers) {
            let source = &connection.source;
            if self.store.watermark(&source.id, &source.watermark_of(feed)).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn receive_feeds(&self, connection: &Arc<Connection>) -> Result<(), SyncError> {
        let mut trouble = None;
        for entity in [Entity::Suppliers, Entity::PurchaseOrders, Entity::Invoices] {
            let feeds: Vec<Arc<Feed>> =
                connection.source.profile.feeds_of(entity).map(Arc::clone).collect();
            for feed in feeds {
                self.progress.begin(&format!("receive {}", feed.name()), None);
                let received = self.receive_feed(connection, &feed).await;
                self.progress.end(&format!("receive {}", feed.name()));
                match received {
                    Err(error) if error.stops_the_unit() => return Err(error),
                    // The other lists are read all the same.
                    Err(error) => {
                        trouble.get_or_insert(error);
                    }
                    Ok(()) => {}
                }
            }
        }
        self.read_unread(connection).await?;
        trouble.map_or(Ok(()), Err)
    }

    async fn keep_route(&self, connection: &Connection) -> Result<(), SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let rules =
            serde_json::to_string(&connection.rules).expect("rules are plain data with text keys");
        change.keep_input("rules", &rules, at);
        let profile = &connection.source.profile;
        change.keep_input("profile", profile.text(), at);
        change.keep_source(&connection.source.id, profile.name(), profile.version(), at);
        let company = &connection.company;
        change.keep_company(&company.id, &company.base_url, &company.tenant, at);
        change.keep_connection(
            &connection.id,
            &connection.source.id,
            &connection.company.id,
            &self.unit.id,
            &connection.rules_hash,
            at,
        );
        self.commit(change).await
    }

    async fn receive_feed(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
    ) -> Result<(), SyncError> {
        let source = &connection.source;
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
                    Entity::Suppliers => {
                        let left = self.keep_vendors(connection, feed, read.rows).await?;
                        Ok::<_, SyncError>((true, left))
                    }
                    Entity::PurchaseOrders | Entity::Invoices => {
                        Ok((self.keep_documents(connection, feed, read.rows).await?, Vec::new()))
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

    /// The change times of the vendors that could not be kept.
    async fn keep_vendors(
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

    /// `false`: a changed document whose write is under way could not be read; its page must come again.
    async fn keep_documents(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
        rows: Vec<Row>,
    ) -> Result<bool, SyncError> {
        let mut wanted: Vec<(Row, Identity, Option<DocumentRow>)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let rows: Vec<(Row, Identity)> = rows
            .into_iter()
            .map(|row| {
                let identity = Identity::of(connection, feed, &row);
                (row, identity)
            })
            .collect();
        let ids: Vec<&str> = rows.iter().map(|(_, identity)| identity.id.as_str()).collect();
        let known = self.store.documents_by_id(&ids).await?;
        for (row, identity) in rows {
            // A page may repeat a row; the later one is the newer.
            if !seen.insert(identity.id.clone()) {
                wanted.retain(|(_, other, _)| other.id != identity.id);
            }
            let document = known.get(&identity.id).cloned();
            let unchanged = document.as_ref().is_some_and(|document| {
                document.row_hash == identity.row_hash && document.state != DocumentState::Unread
            });
            if !unchanged {
                wanted.push((row, identity, document));
            }
        }
        let client = &connection.source.client;
        let read: Vec<_> = futures_util::stream::iter(wanted)
            .map(|(row, identity, document)| async move {
                let detail = if feed.needs_detail() {
                    Some(client.detail(feed, &row.body).await)
                } else {
                    None
                };
                (row, identity, document, detail)
            })
            .buffered(DETAILS_AT_ONCE)
            .collect()
            .await;
        let mut whole = true;
        let mut commits = Vec::new();
        for (row, identity, document, detail) in read {
            let known = document.as_ref();
            let change = match detail {
                None => {
                    let raw = (identity.row_text.clone(), identity.row_hash.clone());
                    self.received(connection, feed, &identity, known, &row.body, raw).await?
                }
                Some(Ok(body)) => {
                    let raw = with_hash(&body);
                    self.received(connection, feed, &identity, known, &body, raw).await?
                }
                Some(Err(error)) if is_of_the_source(&error) => return Err(error.into()),
                Some(Err(error)) => {
                    tracing::warn!(connection = connection.id, document = identity.id, %error, "a document's detail did not come");
                    match self.unread(connection, feed, &identity, known) {
                        Some(change) => change,
                        None => {
                            whole = false;
                            continue;
                        }
                    }
                }
            };
            commits.push(self.commit(change));
        }
        for result in futures_util::future::join_all(commits).await {
            result?;
        }
        Ok(whole)
    }

    /// What a whole document changes, if anything.
    async fn received(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
        identity: &Identity,
        known: Option<&DocumentRow>,
        body: &Value,
        (raw, raw_hash): (String, String),
    ) -> Result<Change, SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let (in_force, recorded) = match known {
            None => (None, None),
            Some(document) => (
                self.store.revision(&document.id, document.latest_revision).await?,
                self.store.revision(&document.id, document.recorded_revision).await?,
            ),
        };
        let is_known = |revision: &Option<RevisionRow>| {
            revision
                .as_ref()
                .is_some_and(|revision| revision.n > 0 && revision.raw_hash == raw_hash)
        };
        if let Some(document) = known
            && (is_known(&in_force) || is_known(&recorded))
        {
            change.set_row_hash(&document.id, &identity.row_hash);
            if document.state == DocumentState::Unread {
                change.move_document(&document.id, DocumentState::Unread, DocumentState::Ready, at);
            }
            return Ok(change);
        }

        let read = feed.read(body);
        let content = match &read.content {
            Content::Document { document, .. } => document.as_deref().ok(),
            Content::Vendor(_) => None,
        };
        let material_hash = content
            .map_or_else(|| raw_hash.clone(), |document| hash_text(&decide::material(document)));
        let source_revision = content.and_then(|document| match document {
            Document::Order(order) => order.revision,
            Document::Invoice(_) => None,
        });
        let n = known.map_or(0, |document| document.recorded_revision) + 1;
        let is_late = matches!(
            (source_revision, in_force.as_ref().and_then(|revision| revision.source_revision)),
            (Some(new), Some(old)) if new < old
        );
        let mut log = entry(&connection.id, &identity.id, "received", at);
        log.detail = json!({
            "source_id": identity.source_id, "kind": identity.kind.as_str(), "revision": n,
            "source_revision": source_revision, "raw_sha256": raw_hash, "profile": connection.source.profile.version(),
        })
        .to_string();

        match known {
            None => {
                let new = identity.new_document(connection, feed, DocumentState::Ready, at);
                change.insert_read_document(&new, &facts(content, identity));
                log.to_state = DocumentState::Ready.as_str().into();
            }
            Some(document) => {
                log.from_state = document.state.as_str().into();
                let to = if is_late {
                    log.action = "received_out_of_order".into();
                    None
                } else {
                    next_state(document, in_force.as_ref(), &material_hash)
                };
                log.to_state = to.unwrap_or(document.state).as_str().into();
                if let Some(to) = to {
                    change.move_document(&document.id, document.state, to, at);
                }
            }
        }
        change.insert_revision(
            &identity.id,
            n,
            &raw_hash,
            &material_hash,
            source_revision,
            connection.source.profile.version(),
            &raw,
            at,
        );
        if known.is_some() {
            change.record_revision(&identity.id, n, !is_late, &identity.row_hash, at);
            if !is_late {
                change.set_facts(&identity.id, &facts(content, identity));
            }
        }
        change.log(log);
        Ok(change)
    }

    /// The row is kept and its detail asked for again, alone. `None`: a write of it is under way.
    fn unread(
        &self,
        connection: &Connection,
        feed: &Arc<Feed>,
        identity: &Identity,
        known: Option<&DocumentRow>,
    ) -> Option<Change> {
        let at = clock::now();
        let mut change = Change::new();
        let mut log = entry(&connection.id, &identity.id, "detail_missing", at);
        match known {
            None => change.insert_document(&identity.new_document(
                connection,
                feed,
                DocumentState::Unread,
                at,
            )),
            Some(document) if document.state == DocumentState::Posting => return None,
            Some(document) => {
                log.from_state = document.state.as_str().into();
                if document.state != DocumentState::Unread {
                    change.move_document(&document.id, document.state, DocumentState::Unread, at);
                }
            }
        }
        log.to_state = DocumentState::Unread.as_str().into();
        change.keep_list_row(&identity.id, &identity.row_text, at);
        change.log(log);
        Some(change)
    }

    /// Rows whose detail did not come: each again, alone.
    async fn read_unread(&self, connection: &Connection) -> Result<(), SyncError> {
        for kind in
            [DocumentKind::PurchaseOrder, DocumentKind::SupplierInvoice, DocumentKind::CreditNote]
        {
            for document in
                self.store.documents_to_work(&connection.id, kind, DocumentState::Unread).await?
            {
                self.check()?;
                let Some(feed) = connection.source.profile.feed(&document.feed) else { continue };
                let Some(kept) = self.store.revision(&document.id, 0).await? else { continue };
                let Ok(body) = serde_json::from_str::<Value>(&kept.raw) else { continue };
                let row = Row { body };
                match connection.source.client.detail(feed, &row.body).await {
                    Ok(body) => {
                        let identity = Identity::of(connection, feed, &row);
                        let change = self
                            .received(
                                connection,
                                feed,
                                &identity,
                                Some(&document),
                                &body,
                                with_hash(&body),
                            )
                            .await?;
                        self.commit(change).await?;
                    }
                    Err(error) => {
                        tracing::warn!(connection = connection.id, document = document.id, %error, "a document's detail still does not come");
                    }
                }
            }
        }
        Ok(())
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

/// Where a document with a new revision goes. `None`: it stays.
fn next_state(
    document: &DocumentRow,
    in_force: Option<&RevisionRow>,
    material_hash: &str,
) -> Option<DocumentState> {
    match document.state {
        // What is on its way is finished first; then the newer revision is judged.
        DocumentState::Posting | DocumentState::Ready => None,
        DocumentState::Posted => in_force
            .is_none_or(|revision| revision.material_hash != material_hash)
            .then_some(DocumentState::Ready),
        DocumentState::Unread
        | DocumentState::Waiting
        | DocumentState::Held
        | DocumentState::Ignored
        | DocumentState::Cancelled => Some(DocumentState::Ready),
    }
}

struct Identity {
    id: String,
    kind: DocumentKind,
    source_id: String,
    /// The row's own text and its hash.
    row_text: String,
    row_hash: String,
}

fn with_hash(body: &Value) -> (String, String) {
    let raw = body.to_string();
    let hash = hash_text(&raw);
    (raw, hash)
}

impl Identity {
    fn of(connection: &Connection, feed: &Feed, row: &Row) -> Self {
        let (row_text, row_hash) = with_hash(&row.body);
        let kind = feed.document_kind(&row.body);
        let source_id = feed.source_id(&row.body);
        let id = ids::document_id(&connection.source.id, kind, &source_id);
        Self { id, kind, source_id, row_text, row_hash }
    }

    fn new_document(
        &self,
        connection: &Connection,
        feed: &Feed,
        state: DocumentState,
        at: i64,
    ) -> NewDocument {
        NewDocument {
            id: self.id.clone(),
            connection: connection.id.clone(),
            source: connection.source.id.clone(),
            kind: self.kind,
            source_id: self.source_id.clone(),
            feed: feed.name().to_owned(),
            row_hash: self.row_hash.clone(),
            state,
            received_at: at,
        }
    }
}

fn facts(content: Option<&Document>, identity: &Identity) -> DocumentFacts {
    match content {
        None => DocumentFacts { number: identity.source_id.clone(), ..DocumentFacts::default() },
        Some(Document::Order(order)) => {
            let net = order.net.or_else(|| {
                order
                    .lines
                    .iter()
                    .filter(|line| !line.cancelled)
                    .try_fold(Money::zero(order.currency), |sum, line| {
                        sum.checked_add(line.net).ok()
                    })
            });
            DocumentFacts {
                number: order.number.clone(),
                order_number: Some(order.number.clone()),
                reference: None,
                currency: Some(order.currency.code().to_owned()),
                amount_minor: net.map(|net| net.minor),
                document_on: Some(order.ordered_on.to_string()),
            }
        }
        Some(Document::Invoice(invoice)) => {
            let sign = match invoice.kind {
                crate::procurement::InvoiceKind::Invoice => 1,
                crate::procurement::InvoiceKind::CreditNote => -1,
            };
            DocumentFacts {
                number: invoice.number.clone(),
                order_number: invoice
                    .lines
                    .iter()
                    .find_map(|line| line.order.as_ref().map(|order| order.order_number.clone())),
                reference: invoice.supplier_reference.clone(),
                currency: Some(invoice.currency.code().to_owned()),
                amount_minor: Some(sign * invoice.gross.minor),
                document_on: Some(invoice.invoiced_on.to_string()),
            }
        }
    }
}
