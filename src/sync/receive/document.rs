//! A document's revision: what a row of a list, or the detail asked for it, changes in the store.

use super::identity::{Identity, facts, with_hash};
use super::is_of_the_source;
use crate::audit::hash_text;
use crate::decide::Hold;
use crate::jaggaer::{Content, Feed, Row};
use crate::procurement::{Document, InvoiceKind};
use crate::store::{Change, DocumentRow, DocumentState, Pruned, RevisionRow};
use crate::sync::engine::{Engine, Source, entry};
use crate::sync::error::SyncError;
use crate::{clock, decide};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Detail calls of one page under way at a time; the client's own pacer bounds them further.
const DETAILS_AT_ONCE: usize = 8;

impl Engine {
    /// `false`: a changed document whose write is under way could not be read; its page must come again.
    pub(super) async fn keep_documents(
        &self,
        source: &Source,
        feed: &Arc<Feed>,
        rows: Vec<Row>,
    ) -> Result<bool, SyncError> {
        let mut wanted: Vec<(Row, Identity, Option<DocumentRow>)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let rows: Vec<(Row, Identity)> = rows
            .into_iter()
            .map(|row| {
                let identity = Identity::of(source, feed, &row);
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
        let client = &source.client;
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
                    self.received(source, feed, &identity, known, &row.body, raw).await?
                }
                Some(Ok(body)) => {
                    let raw = with_hash(&body);
                    self.received(source, feed, &identity, known, &body, raw).await?
                }
                Some(Err(error)) if is_of_the_source(&error) => return Err(error.into()),
                Some(Err(error)) => {
                    tracing::warn!(source = source.id, document = identity.id, %error, "a document's detail did not come");
                    match self.unread(source, feed, &identity, known) {
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
        source: &Source,
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
            Content::Vendor(_) | Content::Receipt(_) | Content::Contract(_) => None,
        };
        let material_hash = content
            .map_or_else(|| raw_hash.clone(), |document| hash_text(&decide::material(document)));
        let source_revision = content.and_then(|document| match document {
            Document::Order(order) => order.revision,
            Document::Invoice(_) => None,
        });
        let n = known.map_or(0, |document| document.recorded_revision) + 1;
        if let Some(document) = known
            && let Some(pruned) = &document.pruned
        {
            let is_other =
                in_force.as_ref().is_none_or(|revision| revision.material_hash != material_hash);
            let hashes = (raw_hash.as_str(), material_hash.as_str());
            note_after_pruning(&mut change, (document, pruned), n, hashes, is_other, at);
            change.insert_revision(
                &identity.id,
                n,
                &raw_hash,
                &material_hash,
                source_revision,
                source.profile.version(),
                "",
                at,
            );
            change.record_revision(&identity.id, n, false, &identity.row_hash, "", at);
            return Ok(change);
        }
        let is_late = matches!(
            (source_revision, in_force.as_ref().and_then(|revision| revision.source_revision)),
            (Some(new), Some(old)) if new < old
        );
        let mut log = entry(connection_of(source, known), &identity.id, "received", at);
        log.detail = json!({
            "source_id": identity.source_id, "kind": identity.kind.as_str(), "revision": n,
            "source_revision": source_revision, "raw_sha256": raw_hash, "profile": source.profile.version(),
        })
        .to_string();

        match known {
            None => {
                let new = identity.new_document(source, feed, DocumentState::Ready, at);
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
        if !is_late {
            keep_payee(&mut change, &source.id, &identity.id, known.is_some(), content);
        }
        change.insert_revision(
            &identity.id,
            n,
            &raw_hash,
            &material_hash,
            source_revision,
            source.profile.version(),
            &raw,
            at,
        );
        if let Some(document) = known {
            let routed = routed_at_once(source, document);
            change.record_revision(&identity.id, n, !is_late, &identity.row_hash, routed, at);
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
        source: &Source,
        feed: &Arc<Feed>,
        identity: &Identity,
        known: Option<&DocumentRow>,
    ) -> Option<Change> {
        let at = clock::now();
        let mut change = Change::new();
        let mut log = entry(connection_of(source, known), &identity.id, "detail_missing", at);
        match known {
            None => change.insert_document(&identity.new_document(
                source,
                feed,
                DocumentState::Unread,
                at,
            )),
            Some(document) if document.state == DocumentState::Posting => return None,
            // It is at rest for good. The next change of its row asks for it again.
            Some(document) if document.pruned.is_some() => return Some(Change::new()),
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
    pub(super) async fn read_unread(&self, source: &Source) -> Result<(), SyncError> {
        for document in self.store.unread_documents(&source.id).await? {
            self.check()?;
            let Some(feed) = source.profile.feed(&document.feed) else { continue };
            let Some(kept) = self.store.revision(&document.id, 0).await? else { continue };
            let Ok(body) = serde_json::from_str::<Value>(&kept.raw) else { continue };
            let row = Row { body };
            match source.client.detail(feed, &row.body).await {
                Ok(body) => {
                    let identity = Identity::of(source, feed, &row);
                    let (known, raw) = (Some(&document), with_hash(&body));
                    let change = self.received(source, feed, &identity, known, &body, raw).await?;
                    self.commit(change).await?;
                }
                Err(error) => {
                    tracing::warn!(source = source.id, document = document.id, %error, "a document's detail still does not come");
                }
            }
        }
        Ok(())
    }
}

/// What JAGGAER sends of a document whose time is over is not kept again, only that it came. Nothing of it is judged;
/// where it is other than what was posted, a person is told.
fn note_after_pruning(
    change: &mut Change,
    (document, pruned): (&DocumentRow, &Pruned),
    n: i64,
    (raw_hash, material_hash): (&str, &str),
    is_other: bool,
    at: i64,
) {
    let mut log = entry(&document.connection, &document.id, "received_after_pruning", at);
    log.from_state = document.state.as_str().into();
    log.to_state = document.state.as_str().into();
    log.detail = json!({
        "revision": n, "raw_sha256": raw_hash, "material_sha256": material_hash, "differs": is_other,
    })
    .to_string();
    change.log(log);
    if is_other && document.state == DocumentState::Posted && document.attention.is_none() {
        let kind = document.visma_type.as_deref().unwrap_or_default();
        let number = document.visma_number.as_deref().unwrap_or_default();
        let name = format!("{kind} {number}");
        let hold = Hold::changed_after_pruning(name.trim(), &pruned.in_words());
        change.set_attention(&document.id, Some(&hold.as_attention()));
    }
}

/// The connection that the document has, or gets at once; empty where it is to be routed first.
fn connection_of<'a>(source: &'a Source, known: Option<&'a DocumentRow>) -> &'a str {
    match known {
        Some(document) => &document.connection,
        None => source.router.at_once().map_or("", |(connection, _)| connection),
    }
}

/// By which routes a new revision is routed already: where all documents go the way that this one went.
fn routed_at_once<'a>(source: &'a Source, document: &DocumentRow) -> &'a str {
    let same = source.router.at_once().filter(|(connection, _)| *connection == document.connection);
    same.map_or("", |(_, routed)| routed)
}

/// Where an invoice asks to be paid, for the invoices after it.
fn keep_payee(
    change: &mut Change,
    source: &str,
    document: &str,
    is_known: bool,
    content: Option<&Document>,
) {
    let payee = match content {
        Some(Document::Invoice(invoice)) if invoice.kind == InvoiceKind::Invoice => {
            let vendor = invoice.vendor.source_id.as_deref();
            vendor.zip(invoice.payee.as_ref()).map(|payee| (payee, invoice.invoiced_on))
        }
        Some(Document::Invoice(_) | Document::Order(_)) | None => None,
    };
    match payee {
        Some(((vendor, account), on)) => change.keep_payee(document, source, vendor, on, account),
        None if is_known => change.drop_payee(document),
        None => {}
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
