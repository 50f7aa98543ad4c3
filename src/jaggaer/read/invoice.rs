use super::scope::{Reader, Scope};
use super::{header, line, rows, vendor};
use crate::jaggaer::address::percent_encoded;
use crate::jaggaer::profile::{AttachmentLayout, ChargeLayout, CreditNotes, InvoiceLayout};
use crate::procurement::{
    AttachmentRef, Charge, InvoiceKind, InvoiceLine, OrderLineRef, SupplierInvoice,
};
use std::slice;

/// What the document itself says it is.
pub(super) fn kind(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &InvoiceLayout,
) -> Option<InvoiceKind> {
    let field = layout.kind.as_ref().expect("a feed without a fixed kind has this field");
    let word = reader.required(scope, "kind", field)?;
    match word.as_str() {
        "invoice" => Some(InvoiceKind::Invoice),
        "credit_note" => Some(InvoiceKind::CreditNote),
        _ => {
            let text = "the profile's value table makes neither `invoice` nor `credit_note` of it";
            reader.problem(scope, "kind", field.rule.place_text(), word, text.to_owned());
            None
        }
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &InvoiceLayout,
    source_id: &str,
    kind: InvoiceKind,
) -> Option<SupplierInvoice> {
    reader.turned = kind == InvoiceKind::CreditNote && layout.credit_notes == CreditNotes::Negative;
    let number = reader.required(scope, "number", &layout.number);
    let (ripeness, status) = header::status(reader, scope, &layout.status);
    let currency = header::currency(reader, scope, &layout.currency);
    let invoiced_on = reader.required(scope, "invoiced_on", &layout.invoiced_on);
    // Without a currency no amount can be read; one problem says more than a hundred.
    currency?;
    let gross = reader.required(scope, "gross", &layout.gross);
    let charges = charges(reader, scope, &layout.charges);
    let lines = read_lines(reader, scope, layout);
    let attachments = match &layout.attachments {
        Some(files) => attachments(reader, scope, files, source_id),
        None => Vec::new(),
    };
    Some(SupplierInvoice {
        source_id: source_id.to_owned(),
        kind,
        supplier_reference: reader.optional(
            scope,
            "supplier_reference",
            &layout.supplier_reference,
        ),
        credits_reference: reader.optional(scope, "credits_reference", &layout.credits_reference),
        ripeness,
        status,
        business_unit: reader.optional(scope, "business_unit", &layout.business_unit),
        ship_to: reader.optional(scope, "ship_to", &layout.ship_to),
        vendor: header::vendor_ref(reader, scope, &layout.vendor),
        order_number: reader.optional(scope, "order_number", &layout.order_number),
        exchange_rate: reader.optional(scope, "exchange_rate", &layout.exchange_rate),
        // A source that keeps no such word keeps amounts without tax.
        prices_include_tax: reader
            .optional(scope, "prices_include_tax", &layout.prices_include_tax)
            .unwrap_or(false),
        payee: vendor::bank_accounts(reader, scope, "payee", &layout.payee).into_iter().next(),
        accounting_on: reader.optional(scope, "accounting_on", &layout.accounting_on),
        due_on: reader.optional(scope, "due_on", &layout.due_on),
        terms: reader.optional(scope, "terms", &layout.terms),
        payment_reference: reader.optional(scope, "payment_reference", &layout.payment_reference),
        net: reader.optional(scope, "net", &layout.net),
        tax: reader.optional(scope, "tax", &layout.tax),
        charges,
        taxes: line::taxes(reader, scope, &layout.taxes),
        lines,
        attachments,
        number: number?,
        currency: currency?,
        invoiced_on: invoiced_on?,
        gross: gross?,
    })
}

fn charges(reader: &mut Reader<'_>, scope: &Scope<'_>, layouts: &[ChargeLayout]) -> Vec<Charge> {
    let mut charges = Vec::new();
    for layout in layouts {
        let found = match &layout.list {
            Some(list) => rows(reader, scope, "charges", slice::from_ref(list)).0,
            None => vec![scope.here],
        };
        for (index, row) in found.into_iter().enumerate() {
            let below = match &layout.list {
                Some(_) => scope.below(row, "charges", index),
                None => *scope,
            };
            let name = layout.kind.as_str();
            match reader.field(&below, name, &layout.amount) {
                Some(amount) if !amount.is_zero() => {
                    charges.push(Charge { kind: layout.kind, amount });
                }
                Some(_) | None => {}
            }
        }
    }
    charges
}

fn read_lines(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &InvoiceLayout,
) -> Vec<InvoiceLine> {
    let layout = &layout.lines;
    let (found, _) = rows(reader, scope, "lines", &layout.list.0);
    let mut lines = Vec::with_capacity(found.len());
    for (index, row) in found.into_iter().enumerate() {
        let scope = scope.line(row, index);
        let name = line::name(reader, &scope, &layout.key, &layout.number);
        let pricing = line::pricing(reader, &scope, &layout.pricing);
        let taxes = line::taxes(reader, &scope, &layout.taxes);
        let distributions = match &layout.distributions {
            Some(shares) => line::distributions(reader, &scope, shares),
            None => Vec::new(),
        };
        let order = layout.order.as_ref().and_then(|order| {
            Some(OrderLineRef {
                order_number: reader.field(&scope, "order.number", &order.number)?,
                line_number: reader.optional(&scope, "order.line_number", &order.line_number),
                line_key: reader.optional(&scope, "order.line_key", &order.line_key),
            })
        });
        let item = reader.optional(&scope, "item", &layout.item);
        let description = reader.optional(&scope, "description", &layout.description);
        let commodity = reader.optional(&scope, "commodity", &layout.commodity);
        let (Some((key, number)), Some(net)) = (name, pricing.net) else { continue };
        lines.push(InvoiceLine {
            key,
            number,
            order,
            item,
            description: description.unwrap_or_default(),
            commodity,
            quantity: pricing.quantity,
            unit: pricing.unit,
            unit_price: pricing.unit_price,
            price_basis: pricing.price_basis,
            net,
            taxes,
            distributions,
        });
    }
    lines
}

fn attachments(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    layout: &AttachmentLayout,
    document: &str,
) -> Vec<AttachmentRef> {
    let mut attachments = Vec::new();
    for place in &layout.list.0 {
        // Sources keep several lists (external, internal, scanned): all of them count.
        let (found, _) = rows(reader, scope, "attachments", slice::from_ref(place));
        for row in found {
            let below = scope.below(row, "attachments", attachments.len());
            let Some(id) = reader.required(&below, "id", &layout.id) else { continue };
            let file_name = reader
                .optional(&below, "file_name", &layout.file_name)
                .unwrap_or_else(|| id.clone());
            let stated = reader.optional(&below, "path", &layout.path);
            let path = match (&layout.template, &stated) {
                (Some(template), Some(path)) if template.contains("{path}") => {
                    Some(template.replace("{path}", path))
                }
                (_, Some(path)) => Some(path.clone()),
                (Some(template), None) if !template.contains("{path}") => Some(
                    template
                        .replace("{id}", &percent_encoded(&id))
                        .replace("{file_name}", &percent_encoded(&file_name))
                        .replace("{document}", &percent_encoded(document)),
                ),
                (Some(_) | None, None) => None,
            };
            let content_type = reader.optional(&below, "content_type", &layout.content_type);
            let size = reader.optional(&below, "size", &layout.size);
            attachments.push(AttachmentRef { id, file_name, content_type, size, path });
        }
    }
    attachments
}
