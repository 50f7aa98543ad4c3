//! From an invoice's plan to what Visma is sent. Pure.

use super::answer::encoded;
use super::read::KEY_MARK;
use super::request::{Body, CannotWrite, Members, Method, Request, hex_digest, quoted};
use crate::procurement::{
    ErpInvoice, ErpInvoiceLine, InvoiceKind, InvoicePlan, InvoicePlanLine, Link, PostingMode,
};
use serde_json::{Value, json};

/// Visma's word for the kind. A credit note reduces the debt, so it is the debit adjustment of
/// the supplier's account; its amounts are positive.
/// Visma's word for the kind of document.
pub const fn document_type(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::Invoice => "Invoice",
        InvoiceKind::CreditNote => "DebitAdj",
    }
}

/// Creates the document, with our key in its note. In mode `Released` it is created ready;
/// releasing is a write of its own.
pub fn create_invoice(plan: &InvoicePlan, our_key: &str) -> Request {
    let mut body = Members::default();
    body.text("documentType", document_type(plan.kind));
    body.text("supplierNumber", &plan.supplier);
    body.text("supplierReference", &plan.supplier_reference);
    body.text("currencyId", plan.currency.code());
    body.day("date", plan.document_on);
    body.day("origInvoiceDate", plan.invoiced_on);
    // Never postPeriod beside it: that one turns year and month round.
    body.text("financialPeriod", &plan.period);
    body.day_if("dueDate", plan.due_on);
    body.text_if("creditTermsId", plan.terms.as_deref());
    body.text_if("paymentRefNo", plan.payment_reference.as_deref());
    body.text_if("branchNumber", plan.branch.as_deref());
    body.text("description", &plan.description);
    body.text("note", &format!("{KEY_MARK}{our_key}"));
    body.flag("hold", plan.mode == PostingMode::Hold);
    // Line costs are net of VAT, whatever the supplier's own setting says.
    body.text("taxCalculationMode", "Net");
    body.decimal("amount", plan.gross.amount());
    body.decimal("vatAmount", plan.vat.amount());
    validated(&mut body);
    body.bare("invoiceLines", plan.lines.iter().map(inserted).collect());
    Request {
        method: Method::Post,
        path: "/v1/supplierInvoice".to_owned(),
        if_match: None,
        background: false,
        body: body.into_body(),
    }
}

/// Changes an unreleased document from what `old` made it to what `new` wants, by patches against
/// the version that `stands`. `None`: nothing to change.
pub fn update_invoice(
    old: &InvoicePlan,
    new: &InvoicePlan,
    stands: &ErpInvoice,
) -> Result<Option<Request>, CannotWrite> {
    let fixed = |member, old: &str, new: &str| {
        let (old, new) = (old.to_owned(), new.to_owned());
        if old == new { Ok(()) } else { Err(CannotWrite::Fixed { member, old, new }) }
    };
    fixed("document type", document_type(old.kind), document_type(new.kind))?;
    fixed("supplier", &old.supplier, &new.supplier)?;
    fixed("currency", old.currency.code(), new.currency.code())?;

    let mut body = Members::default();
    let header = [
        ("supplierReference", &old.supplier_reference, &new.supplier_reference),
        ("financialPeriod", &old.period, &new.period),
        ("description", &old.description, &new.description),
    ];
    for (name, old, new) in header {
        if old != new {
            body.text(name, new);
        }
    }
    let optional = [
        ("creditTermsId", &old.terms, &new.terms),
        ("paymentRefNo", &old.payment_reference, &new.payment_reference),
        ("branchNumber", &old.branch, &new.branch),
    ];
    for (name, old, new) in optional {
        changed_text(&mut body, name, old.as_deref(), new.as_deref());
    }
    if old.document_on != new.document_on {
        body.day("date", new.document_on);
    }
    if old.invoiced_on != new.invoiced_on {
        body.day("origInvoiceDate", new.invoiced_on);
    }
    if old.due_on != new.due_on {
        // A date cannot be cleared; without one Visma takes it from the terms.
        body.day_if("dueDate", new.due_on);
    }
    if old.gross != new.gross {
        body.decimal("amount", new.gross.amount());
    }
    if old.vat != new.vat {
        body.decimal("vatAmount", new.vat.amount());
    }
    if (old.mode == PostingMode::Hold) != (new.mode == PostingMode::Hold) {
        body.flag("hold", new.mode == PostingMode::Hold);
    }
    let lines = line_patches(old, new, stands)?;
    if !lines.is_empty() {
        body.bare("invoiceLines", Value::Array(lines));
    }
    if body.is_empty() {
        return Ok(None);
    }
    validated(&mut body);
    Ok(Some(Request {
        method: Method::Put,
        path: document_path(&stands.document_type, &stands.number),
        if_match: stands.version.as_deref().map(quoted),
        background: false,
        body: body.into_body(),
    }))
}

/// Posts to the ledger. `If-Match` is held against the document only in a background call, so
/// it is one: a draft that a person changed meanwhile is not released.
pub fn release_invoice(document_type: &str, number: &str, version: &str) -> Request {
    Request {
        method: Method::Post,
        path: format!("{}/action/release", document_path(document_type, number)),
        if_match: Some(quoted(version)),
        background: true,
        body: Body::Empty,
    }
}

/// Attaches a file to a document's header. Attaching raises the document's version, and the
/// same file again raises the file's revision, so look at the names that are there first.
pub fn attach(
    document_type: &str,
    number: &str,
    file_name: &str,
    content_type: Option<&str>,
    content: Vec<u8>,
) -> Request {
    let kind = content_type.map(str::trim).filter(|kind| is_media_type(kind));
    let kind = kind.unwrap_or("application/octet-stream");
    Request {
        method: Method::Post,
        path: format!(
            "/v1/supplierInvoice/documentType/{}/{}/attachment",
            encoded(document_type),
            encoded(number)
        ),
        if_match: None,
        background: false,
        body: Body::File {
            file_name: safe_file_name(file_name, kind),
            content_type: kind.to_owned(),
            sha256: hex_digest(&content),
            bytes: content,
        },
    }
}

fn document_path(document_type: &str, number: &str) -> String {
    format!("/v1/supplierInvoice/{}/{}", encoded(document_type), encoded(number))
}

/// Without this, faulty line details are dropped and the rest is saved.
fn validated(body: &mut Members) {
    body.flag("validateLineDetails", true);
}

fn inserted(line: &InvoicePlanLine) -> Value {
    let mut body = Members::default();
    body.bare("operation", json!("Insert"));
    body.text("transactionDescription", &line.description);
    amounts(&mut body, line);
    body.text_if("uom", line.unit.as_deref());
    body.text("accountNumber", &line.account);
    body.segments("subaccount", &line.segments);
    body.text("vatCodeId", &line.vat_category);
    body.text_if("branchNumber", line.branch.as_deref());
    body.text_if("projectId", line.project.as_deref());
    if let Some(link) = &line.link {
        body.bare("linkLine", linked(link));
    }
    body.into_value()
}

fn amounts(body: &mut Members, line: &InvoicePlanLine) {
    body.decimal("quantity", line.quantity);
    body.decimal("unitCostInCurrency", line.unit_cost);
    body.decimal("costInCurrency", line.cost.amount());
}

fn linked(link: &Link) -> Value {
    let (kind, number, line) = match link {
        Link::Order { number, line } => ("PurchaseOrder", number, line),
        Link::Receipt { number, line } => ("PurchaseReceipt", number, line),
    };
    let mut body = Members::default();
    body.bare("purchaseType", json!(kind));
    body.text("purchaseNumber", number);
    body.integer("purchaseLineNbr", *line);
    body.into_value()
}

fn line_patches(
    old: &InvoicePlan,
    new: &InvoicePlan,
    stands: &ErpInvoice,
) -> Result<Vec<Value>, CannotWrite> {
    if old.lines == new.lines {
        return Ok(Vec::new());
    }
    let numbers = line_numbers(old, stands)?;
    let mut patches = Vec::new();
    for (line, number) in old.lines.iter().zip(&numbers) {
        match new.lines.iter().find(|wanted| wanted.key == line.key) {
            // A link cannot be taken off a line.
            Some(wanted) if line.link.is_some() && wanted.link.is_none() => {
                patches.push(deleted(*number));
                patches.push(inserted(wanted));
            }
            Some(wanted) => patches.extend(updated(*number, line, wanted)),
            None => patches.push(deleted(*number)),
        }
    }
    let is_new = |line: &&InvoicePlanLine| !old.lines.iter().any(|known| known.key == line.key);
    patches.extend(new.lines.iter().filter(is_new).map(inserted));
    Ok(patches)
}

/// Visma's line number of each line of the plan that made the document. Lines carry no key of
/// ours: they are told apart by what stands on them, and like ones by their order.
fn line_numbers(plan: &InvoicePlan, stands: &ErpInvoice) -> Result<Vec<i64>, CannotWrite> {
    let document = || format!("{} {}", stands.document_type, stands.number);
    if plan.lines.len() != stands.lines.len() {
        return Err(CannotWrite::LineCount {
            document: document(),
            expected: plan.lines.len(),
            found: stands.lines.len(),
        });
    }
    let mut left: Vec<&ErpInvoiceLine> = stands.lines.iter().collect();
    left.sort_unstable_by_key(|line| line.number);
    let mut numbers = Vec::with_capacity(plan.lines.len());
    for line in &plan.lines {
        let at = left
            .iter()
            .position(|found| is_made_from(found, line))
            .ok_or_else(|| CannotWrite::LineGone { document: document(), key: line.key.clone() })?;
        numbers.push(left.remove(at).number);
    }
    Ok(numbers)
}

pub(super) fn is_made_from(found: &ErpInvoiceLine, line: &InvoicePlanLine) -> bool {
    found.cost == line.cost
        && found.account.as_deref() == Some(line.account.as_str())
        && found.segments == line.segments
        && found.vat_category.as_deref() == Some(line.vat_category.as_str())
}

fn updated(number: i64, old: &InvoicePlanLine, new: &InvoicePlanLine) -> Option<Value> {
    let mut body = Members::default();
    if old.description != new.description {
        body.text("transactionDescription", &new.description);
    }
    let amount = |line: &InvoicePlanLine| (line.quantity, line.unit_cost, line.cost);
    if amount(old) != amount(new) {
        // All three, or Visma computes the third from a mixture.
        amounts(&mut body, new);
    }
    changed_text(&mut body, "uom", old.unit.as_deref(), new.unit.as_deref());
    if old.account != new.account {
        body.text("accountNumber", &new.account);
    }
    if old.segments != new.segments || old.account != new.account {
        // A new account may bring its own default subaccount.
        body.segments("subaccount", &new.segments);
    }
    if old.vat_category != new.vat_category || old.account != new.account {
        body.text("vatCodeId", &new.vat_category);
    }
    changed_text(&mut body, "branchNumber", old.branch.as_deref(), new.branch.as_deref());
    changed_text(&mut body, "projectId", old.project.as_deref(), new.project.as_deref());
    if let Some(link) = new.link.as_ref().filter(|_| old.link != new.link) {
        body.bare("linkLine", linked(link));
    }
    if body.is_empty() {
        return None;
    }
    body.bare("operation", json!("Update"));
    body.integer("lineNumber", number);
    Some(body.into_value())
}

fn deleted(number: i64) -> Value {
    let mut body = Members::default();
    body.bare("operation", json!("Delete"));
    body.integer("lineNumber", number);
    body.into_value()
}

/// An empty text clears a member that was there.
pub(super) fn changed_text(body: &mut Members, name: &str, old: Option<&str>, new: Option<&str>) {
    if old != new {
        body.text(name, new.unwrap_or_default());
    }
}

fn is_media_type(kind: &str) -> bool {
    let (head, tail) = kind.split_once('/').unwrap_or_default();
    let good = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-+._".contains(c))
    };
    good(head) && good(tail)
}

/// A name without path, quotes or control characters, of bounded length, with an extension:
/// Visma takes no file without one.
fn safe_file_name(name: &str, content_type: &str) -> String {
    const LONGEST: usize = 100;
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base
        .chars()
        .map(|c| if c.is_control() || "\"<>:|?*;%".contains(c) { '_' } else { c })
        .collect();
    let clean = clean.trim().trim_matches('.').trim();
    let (stem, extension) = match clean.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=8).contains(&extension.len())
                && extension.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            (stem, extension)
        }
        _ => (clean, extension_of(content_type)),
    };
    let stem: String = stem.chars().take(LONGEST).collect();
    let stem = if stem.is_empty() { "file" } else { stem.as_str() };
    format!("{stem}.{extension}")
}

fn extension_of(content_type: &str) -> &'static str {
    match content_type {
        "application/pdf" => "pdf",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/tiff" => "tif",
        "application/xml" | "text/xml" => "xml",
        "text/plain" => "txt",
        "text/html" => "html",
        "application/zip" => "zip",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests;
