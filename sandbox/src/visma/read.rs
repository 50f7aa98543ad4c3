//! Reads: lists with their filters, and single rows.

use super::invoice_write::document_type;
use super::list::{self, Condition};
use super::members::DOCUMENT_TYPES;
use super::order::Including;
use super::reply::{Refusal, Reply, version};
use super::state::InvoiceKey;
use super::{Call, Desk, invoice, order, receipt, reference};

const INVOICE_STATUSES: &[&str] = &[
    "Hold",
    "Balanced",
    "Voided",
    "Scheduled",
    "Open",
    "Closed",
    "Printed",
    "Prebooked",
    "Reserved",
];
const ORDER_STATUSES: &[&str] = &[
    "Balanced",
    "Cancelled",
    "Closed",
    "Hold",
    "Open",
    "PendingEmail",
    "PendingPrint",
    "Printed",
    "Voided",
];
const SUPPLIER_STATUSES: &[&str] = &["Active", "OnHold", "HoldPayments", "Inactive", "OneTime"];

fn tagged(body: String, row: u64) -> Reply {
    Reply::text(200, body).with("etag", format!("\"{}\"", version(row)))
}

fn is(filter: Option<&str>, value: &str) -> bool {
    filter.is_none_or(|filter| filter == value)
}

impl Desk<'_> {
    pub fn suppliers(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let status = call.word("status", SUPPLIER_STATUSES)?;
        let (name, vat, corporate) =
            (call.query("name"), call.query("vatRegistrationId"), call.query("corporateId"));
        let modified = call.when("lastModifiedDateTime", true)?;
        let masters = self.masters;
        let rows: Vec<_> = masters
            .suppliers
            .iter()
            .filter(|supplier| {
                is(status, &supplier.status)
                    && is(name, &supplier.name)
                    && vat.is_none_or(|vat| supplier.vat_registration_id.as_deref() == Some(vat))
                    && corporate.is_none_or(|id| supplier.corporate_id.as_deref() == Some(id))
                    && Condition::holds(modified, reference::set_up())
            })
            .map(|supplier| (supplier.number.clone(), supplier))
            .collect();
        let body = list::page(
            (self.state, self.settings, self.board),
            call,
            self.settings.max_page_suppliers,
            rows,
            |out, supplier, error, total, max| {
                out.push_str(&reference::supplier(masters, supplier));
                out.push_str(&list::tail(error, total, max));
            },
        )?;
        Ok(Reply::text(200, body))
    }

    pub fn supplier(&self, number: &str) -> Reply {
        match self.masters.supplier(number) {
            None => Reply::not_found(),
            Some(supplier) => tagged(
                reference::supplier(self.masters, supplier)
                    + &list::tail("", 1, self.settings.max_page_suppliers),
                0x1_7112,
            ),
        }
    }

    pub fn terms(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let modified = call.when("lastModifiedDateTime", true)?;
        let wanted = call.query("termsId");
        let mut rows = reference::terms(self.masters);
        rows.retain(|(id, _)| is(wanted, id) && Condition::holds(modified, reference::set_up()));
        let body = list::page(
            (self.state, self.settings, self.board),
            call,
            1000,
            rows,
            |out, row: &String, _, _, _| out.push_str(row),
        )?;
        Ok(Reply::text(200, body))
    }

    pub fn invoices(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let kind = call.word("documentType", DOCUMENT_TYPES)?.and_then(document_type);
        let status = call.word("status", INVOICE_STATUSES)?;
        let released = call.word("released", &["0", "1"])?.map(|released| released == "1");
        let (supplier, branch, period, item) = (
            call.query("supplier"),
            call.query("branch"),
            call.query("financialPeriod"),
            call.query("item"),
        );
        let (modified, created) =
            (call.when("lastModifiedDateTime", true)?, call.when("createdDateTime", true)?);
        let (doc_date, due_date) = (call.when("docDate", false)?, call.when("dueDate", false)?);
        let balance = call.how_much("balance")?;
        let expanded = (call.switch("expandNote")?, call.switch("expandAttachment")?);
        let (calls, now, masters) = (self.state.calls, self.now, self.masters);
        // Taken out for the time of the call, so that the page can be cut while the rows are borrowed.
        let invoices = std::mem::take(&mut self.state.invoices);
        let rows: Vec<_> = invoices
            .iter()
            .filter_map(|((kind, number), row)| {
                row.listed(calls, now).map(|shown| (*kind, number, row, shown))
            })
            .filter(|(of, _, row, shown)| {
                let doc = &shown.doc;
                kind.is_none_or(|kind| kind == *of)
                    && is(supplier, &doc.supplier)
                    && is(status, &doc.status)
                    && is(branch, &doc.branch)
                    && is(period, &doc.period)
                    && released.is_none_or(|released| released == doc.released())
                    && item.is_none_or(|item| {
                        doc.lines.iter().any(|line| line.item.as_deref() == Some(item))
                    })
                    && Condition::holds(modified, shown.modified)
                    && Condition::holds(created, row.created)
                    && Condition::holds(doc_date, doc.date.at(0, 0, 0, 0))
                    && Condition::holds(due_date, doc.due.at(0, 0, 0, 0))
                    && Condition::holds(balance, doc.balance())
            })
            .map(|(kind, number, row, shown)| (format!("{kind}/{number}"), (row, shown)))
            .collect();
        let body = list::page(
            (self.state, self.settings, self.board),
            call,
            self.settings.max_page_invoices,
            rows,
            |out, row, error, total, max| {
                invoice::list_row(out, masters, *row, expanded, (error, total, max));
            },
        );
        self.state.invoices = invoices;
        Ok(Reply::text(200, body?))
    }

    pub fn invoice(&self, key: &InvoiceKey) -> Reply {
        match self.state.invoices.get(key) {
            None => Reply::not_found(),
            Some(row) => tagged(invoice::single(self.masters, row), row.live.version),
        }
    }

    pub fn orders(&mut self, call: &Call, basic: bool) -> Result<Reply, Refusal> {
        let status = call.word("orderStatus", ORDER_STATUSES)?;
        let kind =
            call.word("orderType", &["RegularOrder", "DropShip", "Blanket", "StandardBlanket"])?;
        let (supplier, branch) = (call.query("supplier"), call.query("branch"));
        let modified = call.when("lastModifiedDateTime", true)?;
        let ordered = call.when("orderDate", false)?;
        // Notes do not come in lists of orders.
        let including =
            Including { custom: call.switch("includeCustomFreeFields")?, notes: false, basic };
        let (calls, now, masters) = (self.state.calls, self.now, self.masters);
        let orders = std::mem::take(&mut self.state.orders);
        let rows: Vec<_> = orders
            .iter()
            .filter_map(|(number, row)| row.listed(calls, now).map(|shown| (number.clone(), shown)))
            .filter(|(_, shown)| {
                let doc = &shown.doc;
                is(supplier, &doc.supplier)
                    && is(status, &doc.status)
                    && is(kind, &doc.order_type)
                    && is(branch, &doc.branch)
                    && Condition::holds(modified, shown.modified)
                    && Condition::holds(ordered, doc.date.at(0, 0, 0, 0))
            })
            .collect();
        let body = list::page(
            (self.state, self.settings, self.board),
            call,
            self.settings.max_page_orders,
            rows,
            |out, shown, error, total, max| {
                order::list_row(out, masters, shown, including, (error, total, max));
            },
        );
        self.state.orders = orders;
        Ok(Reply::text(200, body?))
    }

    pub fn order(&self, call: &Call, number: &str, basic: bool) -> Result<Reply, Refusal> {
        let including =
            Including { custom: call.switch("includeCustomFreeFields")?, notes: true, basic };
        Ok(match self.state.orders.get(number) {
            None => Reply::not_found(),
            Some(row) => {
                tagged(order::single(self.masters, &row.live, including), row.live.version)
            }
        })
    }

    pub fn receipts(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let (order, supplier, status) =
            (call.query("poOrderNbr"), call.query("supplier"), call.query("status"));
        let modified = call.when("lastModifiedDateTime", true)?;
        let received = call.when("receiptDate", false)?;
        let (calls, now, masters) = (self.state.calls, self.now, self.masters);
        let receipts = std::mem::take(&mut self.state.receipts);
        let rows: Vec<_> = receipts
            .iter()
            .filter_map(|(number, row)| row.listed(calls, now).map(|shown| (number.clone(), shown)))
            .filter(|(_, shown)| {
                is(supplier, &shown.doc.supplier)
                    && is(status, &shown.doc.status)
                    && order
                        .is_none_or(|order| shown.doc.lines.iter().any(|line| line.order == order))
                    && Condition::holds(modified, shown.modified)
                    && Condition::holds(received, shown.doc.date.at(0, 0, 0, 0))
            })
            .collect();
        let body = list::page(
            (self.state, self.settings, self.board),
            call,
            self.settings.max_page_receipts,
            rows,
            |out, shown, error, total, max| {
                out.push_str(shown.short.get_or_init(|| receipt::core(masters, shown)));
                out.push_str(&list::tail(error, total, max));
            },
        );
        self.state.receipts = receipts;
        Ok(Reply::text(200, body?))
    }

    pub fn receipt(&self, number: &str) -> Reply {
        match self.state.receipts.get(number) {
            None => Reply::not_found(),
            Some(row) => tagged(
                receipt::core(self.masters, &row.live)
                    + &list::tail("", 1, self.settings.max_page_receipts),
                row.live.version,
            ),
        }
    }
}
