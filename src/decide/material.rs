use crate::procurement::{Distribution, Document, PurchaseOrder, SupplierInvoice, TaxLine};
use rust_decimal::Decimal;

/// Everything of a document that bears on what stands in the ERP, as one canonical text: two
/// revisions with the same text are the same document. Status words, names, revision numbers,
/// the order of lines and trailing zeros are not in it; ripeness is.
pub fn material(document: &Document) -> String {
    let canonical = match document {
        Document::Order(order) => Document::Order(of_order(order.clone())),
        Document::Invoice(invoice) => Document::Invoice(of_invoice(invoice.clone())),
    };
    serde_json::to_string(&canonical).expect("plain data with text keys always serialises")
}

fn of_order(mut order: PurchaseOrder) -> PurchaseOrder {
    order.status.clear();
    order.revision = None;
    // Where it goes is decided before it is judged.
    order.ship_to = None;
    order.vendor.name = None;
    for line in &mut order.lines {
        normalise(&mut line.quantity);
        normalise(&mut line.unit_price);
        normalise(&mut line.price_basis);
        taxes(&mut line.taxes);
        shares(&mut line.distributions);
    }
    order.lines.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
    order
}

fn of_invoice(mut invoice: SupplierInvoice) -> SupplierInvoice {
    invoice.status.clear();
    invoice.ship_to = None;
    invoice.vendor.name = None;
    normalise(&mut invoice.exchange_rate);
    taxes(&mut invoice.taxes);
    invoice.charges.sort_by_key(|charge| (charge.kind, charge.amount.minor));
    for file in &mut invoice.attachments {
        // Where a file lies and how it is labelled does not make it another file.
        file.path = None;
        file.content_type = None;
    }
    invoice.attachments.sort_by(|a, b| (&a.id, &a.file_name).cmp(&(&b.id, &b.file_name)));
    for line in &mut invoice.lines {
        normalise(&mut line.quantity);
        normalise(&mut line.unit_price);
        normalise(&mut line.price_basis);
        taxes(&mut line.taxes);
        shares(&mut line.distributions);
    }
    invoice.lines.sort_by(|a, b| (&a.key, &a.number).cmp(&(&b.key, &b.number)));
    invoice
}

fn taxes(taxes: &mut [TaxLine]) {
    for tax in taxes.iter_mut() {
        normalise(&mut tax.rate);
    }
}

/// Shares keep their order: the last one takes what is left of a rounding.
fn shares(shares: &mut [Distribution]) {
    for share in shares {
        normalise(&mut share.percent);
        normalise(&mut share.quantity);
        normalise(&mut share.ratio);
        self::shares(&mut share.parts);
    }
}

fn normalise(number: &mut Option<Decimal>) {
    *number = number.map(|number| number.normalize());
}
