//! In which order documents are judged, and which of them must see what became of another first.
//!
//! The order follows from the documents alone, so that of two that bill the same thing the same one
//! passes, however they arrived. Most have nothing to do with each other and share one commit; one
//! that touches what an uncommitted one touched waits for that commit.

use crate::matching::ReferenceForms;
use crate::procurement::{Document, DocumentKind, SupplierInvoice};
use crate::store::DocumentRow;
use crate::sync::gather::{Gatherer, order_numbers};
use std::collections::HashSet;

/// Oldest paper first; of one day a credit note after the invoices, which it may take back.
pub(super) fn in_canonical_order(documents: &mut [DocumentRow]) {
    documents.sort_by(|a, b| key(a).cmp(&key(b)));
}

fn key(document: &DocumentRow) -> (bool, Option<&str>, DocumentKind, &str) {
    let on = document.document_on.as_deref();
    (on.is_none(), on, document.kind, &document.id)
}

/// What a document's judgement looks at that another's changes.
pub(super) fn touches(document: &Document, gatherer: &Gatherer<'_>) -> Vec<String> {
    match document {
        Document::Order(order) => vec![format!("order {}", order.number)],
        Document::Invoice(invoice) => {
            let orders = order_numbers(invoice).into_iter().map(|order| format!("order {order}"));
            let supplier = gatherer.supplier(invoice);
            let company = supplier.map(|of| gatherer.groups.name_of(&of.number));
            let likeness = company.map(|company| likeness(invoice, company)).unwrap_or_default();
            orders.chain(likeness).collect()
        }
    }
}

/// By what another invoice of the same company is found to be alike, or to be credited.
fn likeness(invoice: &SupplierInvoice, company: &str) -> Vec<String> {
    let gross = invoice.gross;
    let reference = invoice.supplier_reference.as_deref().map(ReferenceForms::of);
    let credits = invoice.credits_reference.as_deref().map(ReferenceForms::of);
    let forms = reference.iter().flat_map(|of| [("look", &of.look), ("digits", &of.digits)]);
    let credited = credits.iter().map(|of| ("look", &of.look));
    forms
        .chain(credited)
        .filter(|(_, form)| !form.is_empty())
        .map(|(kind, form)| format!("{kind} {company} {form}"))
        .chain([format!("amount {company} {} {}", gross.currency.code(), gross.minor)])
        .collect()
}

/// What the uncommitted documents touch.
#[derive(Debug, Default)]
pub(super) struct Touched(HashSet<String>);

impl Touched {
    pub(super) fn any_of(&self, touches: &[String]) -> bool {
        touches.iter().any(|touch| self.0.contains(touch))
    }

    pub(super) fn add(&mut self, touches: Vec<String>) {
        self.0.extend(touches);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DocumentState;

    fn row(id: &str, on: Option<&str>, kind: DocumentKind, received_at: i64) -> DocumentRow {
        DocumentRow {
            id: id.into(),
            connection: "no".into(),
            source: "s".into(),
            kind,
            source_id: id.into(),
            feed: "invoices".into(),
            number: id.into(),
            order_number: None,
            reference: None,
            supplier: None,
            currency: None,
            amount_minor: None,
            document_on: on.map(str::to_owned),
            state: DocumentState::Ready,
            waiting: None,
            attention: None,
            latest_revision: 1,
            recorded_revision: 1,
            applied_revision: None,
            applied_plan: None,
            row_hash: String::new(),
            visma_type: None,
            visma_number: None,
            received_at,
            changed_at: received_at,
            company: String::new(),
            routed: String::new(),
            corrections: 0,
            correction_asked: false,
            pruned: None,
        }
    }

    #[test]
    fn the_order_does_not_depend_on_the_arrival() {
        use DocumentKind::{CreditNote, SupplierInvoice};
        let mut documents = vec![
            row("b", Some("2026-09-28"), SupplierInvoice, 1),
            row("x", None, SupplierInvoice, 1),
            row("a", Some("2026-09-28"), CreditNote, 2),
            row("c", Some("2026-09-28"), SupplierInvoice, 3),
            row("d", Some("2025-12-31"), CreditNote, 4),
        ];
        for _ in 0..documents.len() {
            documents.rotate_left(1);
            let mut sorted = documents.clone();
            in_canonical_order(&mut sorted);
            let ids: Vec<&str> = sorted.iter().map(|of| of.id.as_str()).collect();
            assert_eq!(ids, ["d", "b", "c", "a", "x"]);
        }
    }

    #[test]
    fn one_thing_in_common_is_enough() {
        let mut touched = Touched::default();
        assert!(!touched.any_of(&["order 1".into()]));
        touched.add(vec!["order 1".into(), "order 2".into()]);
        assert!(touched.any_of(&["order 3".into(), "order 2".into()]));
        assert!(!touched.any_of(&["order 3".into()]));
        touched.clear();
        assert!(!touched.any_of(&["order 2".into()]));
    }
}
