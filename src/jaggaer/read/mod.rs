//! Turns a raw document into the core's own types, as the profile says. Pure: the same document
//! and the same profile give the same result for ever. What cannot be read is named, never
//! guessed; it becomes a hold.

mod contract;
mod glance;
mod header;
mod invoice;
mod line;
pub(in crate::jaggaer) mod notation;
mod purchase_order;
mod receipt;
mod scope;
mod trace;
mod value;
mod vendor;

use super::Stamp;
use super::profile::{Feed, Layout, Moment, Place};
use crate::procurement::{Contract, Document, DocumentKind, InvoiceKind, Receipt, Vendor};
use scope::{Reader, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use glance::Glance;
pub(in crate::jaggaer) use scope::shown;
pub(in crate::jaggaer) use trace::Trace;

/// A raw document, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The source's own id as text. A document without one gets `no-id:` and its content's hash,
    /// so that it is kept and seen.
    pub source_id: String,
    /// When it last changed, if the profile says where that stands.
    pub stamp: Option<Stamp>,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Document {
        /// Known even of a document that cannot be read; then an invoice unless the feed or
        /// the document says otherwise.
        kind: DocumentKind,
        document: Result<Box<Document>, Vec<ReadProblem>>,
    },
    Vendor(Result<Box<Vendor>, Vec<ReadProblem>>),
    Receipt(Result<Box<Receipt>, Vec<ReadProblem>>),
    Contract(Result<Box<Contract>, Vec<ReadProblem>>),
}

/// Why one field could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadProblem {
    /// Our name of the field, e.g. `lines[2].net`.
    pub field: String,
    /// Where the profile looked for it.
    pub place: String,
    /// What stood there, cut short.
    pub found: String,
    /// What is wrong with it.
    pub text: String,
}

impl std::fmt::Display for ReadProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): found {}: {}", self.field, self.place, self.found, self.text)
    }
}

impl Feed {
    /// Reads one whole document (the list's row, or what `Client::detail` made of it).
    pub fn read(&self, body: &Value) -> Read {
        self.read_with(body, &mut Reader::new(&self.notation))
    }

    /// The same, and `trace` learns what became of each field.
    pub(in crate::jaggaer) fn trace(&self, body: &Value, trace: &mut Trace) -> Read {
        let mut reader = Reader::new(&self.notation);
        reader.trace = Some(std::mem::take(trace));
        let mut read = self.read_with(body, &mut reader);
        if let Some(delta) = &self.delta {
            let scope = Scope::document(body);
            read.stamp = reader.required::<Moment>(&scope, "stamp", &delta.field);
        }
        *trace = reader.trace.take().unwrap_or_default();
        read
    }

    fn read_with(&self, body: &Value, reader: &mut Reader<'_>) -> Read {
        let scope = Scope::document(body);
        let id = reader.required(&scope, "id", &self.id);
        let source_id = id.unwrap_or_else(|| no_id(body));
        let content = match &self.layout {
            Layout::Order(layout) => {
                let order = purchase_order::read(reader, &scope, layout, &source_id);
                let document = finish(reader, order.map(Document::Order));
                Content::Document { kind: DocumentKind::PurchaseOrder, document }
            }
            Layout::Invoice(layout) => {
                let kind = match self.kind {
                    Some(fixed) => Some(fixed),
                    None => invoice::kind(reader, &scope, layout),
                };
                let invoice =
                    kind.and_then(|kind| invoice::read(reader, &scope, layout, &source_id, kind));
                let document = finish(reader, invoice.map(Document::Invoice));
                let kind = match kind {
                    Some(InvoiceKind::CreditNote) => DocumentKind::CreditNote,
                    Some(InvoiceKind::Invoice) | None => DocumentKind::SupplierInvoice,
                };
                Content::Document { kind, document }
            }
            Layout::Vendor(layout) => {
                let vendor = vendor::read(reader, &scope, layout, &source_id);
                Content::Vendor(finish(reader, vendor))
            }
            Layout::Receipt(layout) => {
                let receipt = receipt::read(reader, &scope, layout, &source_id);
                Content::Receipt(finish(reader, receipt))
            }
            Layout::Contract(layout) => {
                let contract = contract::read(reader, &scope, layout, &source_id);
                Content::Contract(finish(reader, contract))
            }
        };
        Read { source_id, stamp: self.stamp(body), content }
    }

    /// When a row of the list last changed. `None` when the profile does not say where that
    /// stands, or it cannot be read: such a row moves no watermark.
    pub fn stamp(&self, row: &Value) -> Option<Stamp> {
        let field = &self.delta.as_ref()?.field;
        Reader::new(&self.notation).field::<Moment>(&Scope::document(row), "stamp", field)
    }

    /// What a row of the list is, without reading the rest of it. An invoice when it does not say.
    pub fn document_kind(&self, row: &Value) -> DocumentKind {
        let kind = match (&self.layout, self.kind) {
            (
                Layout::Order(_) | Layout::Vendor(_) | Layout::Receipt(_) | Layout::Contract(_),
                _,
            ) => return DocumentKind::PurchaseOrder,
            (Layout::Invoice(_), Some(fixed)) => Some(fixed),
            (Layout::Invoice(layout), None) => {
                invoice::kind(&mut Reader::new(&self.notation), &Scope::document(row), layout)
            }
        };
        match kind {
            Some(InvoiceKind::CreditNote) => DocumentKind::CreditNote,
            Some(InvoiceKind::Invoice) | None => DocumentKind::SupplierInvoice,
        }
    }

    /// The id of a row, without reading the rest of it.
    pub fn source_id(&self, row: &Value) -> String {
        let mut reader = Reader::new(&self.notation);
        reader.field(&Scope::document(row), "id", &self.id).unwrap_or_else(|| no_id(row))
    }
}

/// The text of a field of a row, for the parts of a path.
pub(super) fn text_of(
    feed: &Feed,
    row: &Value,
    field: &super::profile::Field<super::profile::Text>,
) -> Option<String> {
    Reader::new(&feed.notation).field(&Scope::document(row), "part", field)
}

fn no_id(body: &Value) -> String {
    let digest = Sha256::digest(body.to_string().as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("no-id:{hex}")
}

fn finish<T>(reader: &mut Reader<'_>, value: Option<T>) -> Result<Box<T>, Vec<ReadProblem>> {
    match value {
        Some(value) if reader.is_clean() => Ok(Box::new(value)),
        Some(_) => Err(reader.take_problems()),
        None => {
            let problems = reader.take_problems();
            debug_assert!(!problems.is_empty(), "a document is missing without a reason");
            Err(problems)
        }
    }
}

/// More rows than this in one list of a document are refused: nobody invoices so.
const MOST_ROWS: usize = 10_000;

/// The rows at the first place that has any. The flag tells that they came from the header.
fn rows<'v>(
    reader: &mut Reader<'_>,
    scope: &Scope<'v>,
    name: &str,
    places: &[Place],
) -> (Vec<&'v Value>, bool) {
    for place in places {
        let found = place.list(scope.root(place)).unwrap_or_default();
        if found.len() > MOST_ROWS {
            let text = format!("more than {MOST_ROWS}");
            reader.problem(scope, name, place.text().to_owned(), found.len().to_string(), text);
            return (Vec::new(), false);
        }
        if !found.is_empty() {
            reader.tell_list(scope, name, place.text(), found.len());
            return (found, place.origin() == super::profile::Origin::Document);
        }
    }
    let places: Vec<&str> = places.iter().map(Place::text).collect();
    reader.tell_list(scope, name, &places.join(", "), 0);
    (Vec::new(), false)
}

#[cfg(test)]
mod tests;
