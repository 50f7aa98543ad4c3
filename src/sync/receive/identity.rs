//! Who a row is, and the facts of it that lists and sums show.

use crate::audit::hash_text;
use crate::jaggaer::{Feed, Row};
use crate::procurement::{Document, DocumentKind, InvoiceKind};
use crate::store::{DocumentFacts, DocumentState, NewDocument};
use crate::sync::engine::Source;
use crate::sync::ids;
use serde_json::Value;

pub(super) struct Identity {
    pub(super) id: String,
    pub(super) kind: DocumentKind,
    pub(super) source_id: String,
    /// The row's own text and its hash.
    pub(super) row_text: String,
    pub(super) row_hash: String,
}

pub(super) fn with_hash(body: &Value) -> (String, String) {
    let raw = body.to_string();
    let hash = hash_text(&raw);
    (raw, hash)
}

impl Identity {
    pub(super) fn of(source: &Source, feed: &Feed, row: &Row) -> Self {
        let (row_text, row_hash) = with_hash(&row.body);
        let kind = feed.document_kind(&row.body);
        let source_id = feed.source_id(&row.body);
        let id = ids::document_id(&source.id, kind, &source_id);
        Self { id, kind, source_id, row_text, row_hash }
    }

    pub(super) fn new_document(
        &self,
        source: &Source,
        feed: &Feed,
        state: DocumentState,
        at: i64,
    ) -> NewDocument {
        let (connection, routed) = source.router.at_once().unwrap_or_default();
        NewDocument {
            id: self.id.clone(),
            connection: connection.to_owned(),
            source: source.id.clone(),
            kind: self.kind,
            source_id: self.source_id.clone(),
            feed: feed.name().to_owned(),
            row_hash: self.row_hash.clone(),
            state,
            received_at: at,
            routed: routed.to_owned(),
        }
    }
}

pub(super) fn facts(content: Option<&Document>, identity: &Identity) -> DocumentFacts {
    match content {
        None => DocumentFacts { number: identity.source_id.clone(), ..DocumentFacts::default() },
        Some(Document::Order(order)) => DocumentFacts {
            number: order.number.clone(),
            order_number: Some(order.number.clone()),
            reference: None,
            currency: Some(order.currency.code().to_owned()),
            amount_minor: order.net_in_all().map(|net| net.minor),
            document_on: Some(order.ordered_on.to_string()),
        },
        Some(Document::Invoice(invoice)) => {
            let sign = match invoice.kind {
                InvoiceKind::Invoice => 1,
                InvoiceKind::CreditNote => -1,
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
