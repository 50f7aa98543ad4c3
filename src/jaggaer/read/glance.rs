//! What a row of a list says of a document without the call for the whole of it.

use super::scope::{Reader, Scope};
use super::{Content, header, invoice};
use crate::jaggaer::profile::{CreditNotes, Feed, InvoiceLayout, Layout, OrderLayout};
use crate::procurement::{Document, InvoiceKind, Money};
use jiff::civil::Date;
use serde_json::Value;

/// Each part is `None` where the row does not say it, or not in a way that can be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    pub number: Option<String>,
    pub vendor: Option<String>,
    /// The document's own date.
    pub on: Option<Date>,
    /// Net of an order, gross of an invoice, a credit note negative.
    pub amount: Option<Money>,
}

impl Feed {
    /// Reads what is needed to count a document, and complains of nothing.
    pub fn glance(&self, row: &Value) -> Glance {
        let mut reader = Reader::new(&self.notation);
        let scope = Scope::document(row);
        match &self.layout {
            Layout::Order(layout) => {
                let mut seen = order(&mut reader, &scope, layout);
                if seen.amount.is_none() && !self.needs_detail() {
                    seen.amount = self.sum_of_lines(row);
                }
                seen
            }
            Layout::Invoice(layout) => {
                let kind = self.kind.or_else(|| invoice::kind(&mut reader, &scope, layout));
                of_invoice(&mut reader, &scope, layout, kind.unwrap_or(InvoiceKind::Invoice))
            }
            Layout::Vendor(_) | Layout::Receipt(_) | Layout::Contract(_) => Glance::default(),
        }
    }

    fn sum_of_lines(&self, row: &Value) -> Option<Money> {
        match self.read(row).content {
            Content::Document { document: Ok(document), .. } => match *document {
                Document::Order(order) => order.net_in_all(),
                Document::Invoice(_) => None,
            },
            Content::Document { document: Err(_), .. }
            | Content::Vendor(_)
            | Content::Receipt(_)
            | Content::Contract(_) => None,
        }
    }
}

fn order(reader: &mut Reader<'_>, scope: &Scope<'_>, layout: &OrderLayout) -> Glance {
    // Amounts are read in the document's currency, so it comes first.
    let currency = header::currency(reader, scope, &layout.currency);
    let vendor = header::vendor_ref(reader, scope, &layout.vendor);
    Glance {
        number: reader.field(scope, "number", &layout.number),
        vendor: vendor.name.or(vendor.erp_number).or(vendor.source_id),
        on: reader.field(scope, "ordered_on", &layout.ordered_on),
        amount: currency.and_then(|_| reader.optional(scope, "net", &layout.net)),
    }
}

fn of_invoice(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &InvoiceLayout,
    kind: InvoiceKind,
) -> Glance {
    reader.turned = kind == InvoiceKind::CreditNote && layout.credit_notes == CreditNotes::Negative;
    let currency = header::currency(reader, scope, &layout.currency);
    let vendor = header::vendor_ref(reader, scope, &layout.vendor);
    let gross = currency.and_then(|_| reader.field(scope, "gross", &layout.gross));
    Glance {
        number: reader.field(scope, "number", &layout.number),
        vendor: vendor.name.or(vendor.erp_number).or(vendor.source_id),
        on: reader.field(scope, "invoiced_on", &layout.invoiced_on),
        amount: match kind {
            InvoiceKind::Invoice => gross,
            InvoiceKind::CreditNote => gross.map(Money::negated),
        },
    }
}
