//! Which paths exist, and what each does. A path in braces matches one segment.

use super::invoice_write::document_type;
use super::reply::{Refusal, Reply, decode};
use super::{Call, Desk, background, reference};

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Suppliers,
    Supplier,
    Accounts,
    Branches,
    Vats,
    VatCategories,
    Currencies,
    CurrencyRates,
    Periods,
    Units,
    Terms,
    Dimensions,
    Dimension,
    Segment,
    Invoices,
    Invoice,
    CreateInvoice,
    ChangeInvoice,
    DeleteInvoice,
    ReleaseInvoice,
    Attach,
    AttachToLine,
    Attachment,
    Orders,
    OrdersBasic,
    Order,
    OrderBasic,
    CreateOrder,
    ChangeOrder,
    Receipts,
    Receipt,
    Batches,
    Batch,
    JobState,
    JobContent,
}

pub(crate) type Route = (&'static str, &'static str, Action);

const ROUTES: &[Route] = &[
    ("GET", "/v1/supplier", Action::Suppliers),
    ("GET", "/v1/supplier/{number}", Action::Supplier),
    ("GET", "/v1/account", Action::Accounts),
    ("GET", "/v1/branch", Action::Branches),
    ("GET", "/v1/vat", Action::Vats),
    ("GET", "/v1/vatCategory", Action::VatCategories),
    ("GET", "/v1/currency", Action::Currencies),
    ("GET", "/v2/currencyrate", Action::CurrencyRates),
    ("GET", "/v1/financialPeriod", Action::Periods),
    ("GET", "/v1/unitofmeasure", Action::Units),
    ("GET", "/v1/creditTerm", Action::Terms),
    ("GET", "/v1/dimension", Action::Dimensions),
    ("GET", "/v1/dimension/{id}", Action::Dimension),
    ("GET", "/v1/dimension/{id}/{segment}", Action::Segment),
    ("GET", "/v1/supplierInvoice", Action::Invoices),
    ("GET", "/v1/supplierInvoice/{number}", Action::Invoice),
    ("GET", "/v1/supplierInvoice/{type}/{number}", Action::Invoice),
    ("POST", "/v1/supplierInvoice", Action::CreateInvoice),
    ("PUT", "/v1/supplierInvoice/{number}", Action::ChangeInvoice),
    ("PUT", "/v1/supplierInvoice/{type}/{number}", Action::ChangeInvoice),
    ("DELETE", "/v1/supplierInvoice/{number}", Action::DeleteInvoice),
    ("DELETE", "/v1/supplierInvoice/{type}/{number}", Action::DeleteInvoice),
    ("POST", "/v1/supplierInvoice/{number}/action/release", Action::ReleaseInvoice),
    ("POST", "/v1/supplierInvoice/{type}/{number}/action/release", Action::ReleaseInvoice),
    ("POST", "/v1/supplierInvoice/documentType/{type}/{number}/attachment", Action::Attach),
    (
        "POST",
        "/v1/supplierInvoice/documentType/{type}/{number}/{line}/attachment",
        Action::AttachToLine,
    ),
    ("POST", "/v1/supplierInvoice/{number}/attachment", Action::Attach),
    ("POST", "/v1/supplierInvoice/{number}/{line}/attachment", Action::AttachToLine),
    ("GET", "/v1/attachment/{id}", Action::Attachment),
    ("GET", "/v1/purchaseorder", Action::Orders),
    ("GET", "/v1/purchaseorder/{number}", Action::Order),
    ("GET", "/v1/purchaseorderbasic", Action::OrdersBasic),
    ("GET", "/v1/purchaseorderbasic/{number}", Action::OrderBasic),
    ("POST", "/v1/purchaseorder", Action::CreateOrder),
    ("PUT", "/v1/purchaseorder/{number}", Action::ChangeOrder),
    // The reads under /v1 were removed on 2026-09-15.
    ("GET", "/v2/PurchaseReceipt", Action::Receipts),
    ("GET", "/v2/PurchaseReceipt/{number}", Action::Receipt),
    ("GET", "/v2/journaltransaction", Action::Batches),
    ("GET", "/v2/journaltransaction/{number}", Action::Batch),
    ("GET", "/v1/background/{id}", Action::JobState),
    ("GET", "/v1/background/{id}/content", Action::JobContent),
];

fn capture<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut captured = Vec::new();
    let mut parts = path.split('/');
    for wanted in template.split('/') {
        let part = parts.next()?;
        if wanted.starts_with('{') {
            if part.is_empty() {
                return None;
            }
            captured.push(part);
        } else if wanted != part {
            return None;
        }
    }
    parts.next().is_none().then_some(captured)
}

/// The route of a call with the parts of its path, or whether the path exists for another method.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Result<(&'static Route, Vec<&'a str>), u16> {
    let mut status = 404;
    for route in ROUTES {
        if let Some(captured) = capture(route.1, path) {
            if route.0 == method {
                return Ok((route, captured));
            }
            status = 405;
        }
    }
    Err(status)
}

pub(crate) fn carry_out(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Refusal> {
    let Ok(((_, template, action), parts)) = find(call.method, &call.path) else {
        return Ok(Reply::not_found());
    };
    let parts: Vec<String> = parts.into_iter().map(decode).collect();
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    // Without a type in the path it is an invoice, whatever else carries the number.
    let invoice_key = || {
        let typed = template.contains("{type}");
        let kind = if typed { document_type(part(0)) } else { Some("Invoice") };
        kind.map(|kind| (kind, part(usize::from(typed)).to_owned()))
            .ok_or(Refusal { status: 404, message: String::new() })
    };
    match action {
        Action::Suppliers => desk.suppliers(call),
        Action::Supplier => Ok(desk.supplier(part(0))),
        Action::Accounts => {
            Ok(Reply::json(200, &reference::accounts(desk.masters, call.query("active"))))
        }
        Action::Branches => Ok(Reply::json(200, &reference::branches(desk.masters))),
        Action::Vats => Ok(Reply::json(200, &reference::vats(desk.masters))),
        Action::VatCategories => Ok(Reply::json(200, &reference::vat_categories(desk.masters))),
        Action::CurrencyRates => Ok(Reply::json(200, &reference::currency_rates(desk.masters))),
        Action::Currencies => Ok(Reply::json(200, &reference::currencies(desk.masters))),
        Action::Periods => Ok(Reply::json(200, &reference::periods(desk.masters))),
        Action::Units => Ok(Reply::json(200, &reference::units(desk.masters))),
        Action::Terms => desk.terms(call),
        Action::Dimensions => Ok(Reply::json(200, &reference::dimensions())),
        Action::Dimension => {
            Ok(reference::dimension(desk.masters, part(0), call.switch("expandSegmentsValues")?))
        }
        Action::Segment => Ok(reference::dimension_segment(desk.masters, part(0), part(1))),
        Action::Invoices => desk.invoices(call),
        Action::Invoice => Ok(desk.invoice(&invoice_key()?)),
        Action::CreateInvoice => desk.create_invoice(call),
        Action::ChangeInvoice => desk.change_invoice(call, &invoice_key()?),
        Action::DeleteInvoice => desk.delete_invoice(&invoice_key()?),
        Action::ReleaseInvoice => desk.release_invoice(call, &invoice_key()?),
        Action::Attach => desk.attach(call, &invoice_key()?, None),
        Action::AttachToLine => {
            let line = parts
                .last()
                .and_then(|line| line.parse().ok())
                .ok_or(Refusal { status: 404, message: String::new() })?;
            desk.attach(call, &invoice_key()?, Some(line))
        }
        Action::Attachment => Ok(desk.attachment(part(0))),
        Action::Orders => desk.orders(call, false),
        Action::OrdersBasic => desk.orders(call, true),
        Action::Order => desk.order(call, part(0), false),
        Action::OrderBasic => desk.order(call, part(0), true),
        Action::CreateOrder => desk.create_order(call),
        Action::ChangeOrder => desk.change_order(call, part(0)),
        Action::Receipts => desk.receipts(call),
        Action::Receipt => Ok(desk.receipt(part(0))),
        Action::Batches => desk.batches(call),
        Action::Batch => Ok(desk.batch(part(0))),
        Action::JobState => {
            if let Some(job) = desk.state.jobs.get_mut(part(0)) {
                job.polls += 1;
            }
            desk.run_jobs(false);
            Ok(background::state_of(desk.state, part(0), desk.silence_ends(), desk.now))
        }
        Action::JobContent => {
            Ok(background::content_of(desk.state, part(0), desk.silence_ends(), desk.now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let found = |method, path| {
            find(method, path).map(|((_, template, _), parts)| (*template, parts.join(",")))
        };
        assert_eq!(
            found("GET", "/v1/supplierInvoice/300001"),
            Ok(("/v1/supplierInvoice/{number}", "300001".into()))
        );
        assert_eq!(
            found("GET", "/v1/supplierInvoice/DebitAdj/300001"),
            Ok(("/v1/supplierInvoice/{type}/{number}", "DebitAdj,300001".into()))
        );
        assert_eq!(
            found("POST", "/v1/supplierInvoice/documentType/DebitAdj/300001/attachment"),
            Ok((
                "/v1/supplierInvoice/documentType/{type}/{number}/attachment",
                "DebitAdj,300001".into()
            ))
        );
        assert_eq!(
            found("POST", "/v1/supplierInvoice/300001/2/attachment"),
            Ok(("/v1/supplierInvoice/{number}/{line}/attachment", "300001,2".into()))
        );
        for (method, path, status) in [
            ("GET", "/v1/PurchaseReceipt", 404),
            ("POST", "/v2/PurchaseReceipt", 405),
            ("GET", "/v1/supplierinvoice", 404),
            ("GET", "/v1/supplier/", 404),
        ] {
            assert_eq!(found(method, path), Err(status), "{method} {path}");
        }
    }
}
