//! Writing supplier invoices: create, change, delete, release.

use super::invoice::Invoice;
use super::members::{self, DOCUMENT_TYPES};
use super::reply::{Refusal, Reply, round, version};
use super::rules::{self, cut};
use super::state::{InvoiceKey, Row};
use super::wire::{self, Members};
use super::{Call, Desk, vat};
use crate::faults::Fault;
use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

type Body = Map<String, Value>;

/// The type's own text, if there is such a type.
pub(crate) fn document_type(word: &str) -> Option<&'static str> {
    DOCUMENT_TYPES.iter().copied().find(|known| *known == word)
}

impl Desk<'_> {
    pub fn create_invoice(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let body = wire::read(&call.body, members::INVOICE)?;
        for required in ["documentType", "supplierNumber", "date", "invoiceLines"] {
            if !body.contains_key(required) {
                return Err(Refusal::rule(format!("Error: '{required}' cannot be empty.")));
            }
        }
        let kind = body.text("documentType").and_then(document_type).unwrap_or("Invoice");
        if matches!(kind, "Refund" | "Payment") {
            return Err(Refusal::rule(format!(
                "Error: Documents of type '{kind}' cannot be created here."
            )));
        }
        let supplier =
            rules::supplier(self.masters, body.text("supplierNumber").unwrap_or_default())?;
        let mut invoice = Invoice {
            document_type: kind,
            number: String::new(),
            status: if self.settings.hold_by_default { "Hold" } else { "Balanced" }.into(),
            date: Date::ZERO,
            orig_date: None,
            due: Date::ZERO,
            discount_on: None,
            period: String::new(),
            supplier: supplier.number.clone(),
            zone: supplier.vat_zone.clone(),
            reference: None,
            description: None,
            note: None,
            currency: supplier.currency.clone(),
            rate: Decimal::ONE,
            terms: supplier.credit_terms.clone(),
            branch: self
                .masters
                .branches
                .iter()
                .find(|branch| branch.main)
                .map_or_else(String::new, |branch| branch.number.clone()),
            tax_mode: "TaxSetting".into(),
            payment_reference: None,
            pay_selected: false,
            control_amount: None,
            control_vat: None,
            rounding: Decimal::ZERO,
            vat_by_hand: BTreeMap::new(),
            lines: Vec::new(),
            next_line: 1,
            totals: vat::Totals::default(),
            batch: None,
            attachments: Vec::new(),
            paid: Decimal::ZERO,
        };
        self.apply_header(&mut invoice, &body, true)?;
        self.apply_lines(&mut invoice, &body)?;
        self.settle(&mut invoice)?;
        if self.settings.refuse_repeated_reference && self.is_repeated(&invoice) {
            return Err(Refusal::rule(
                "Error: The supplier reference has been used on another document of this supplier.",
            ));
        }
        let wished = body
            .text("referenceNumber")
            .filter(|_| body.flag("overrideNumberSeries") == Some(true));
        invoice.number = match wished {
            Some(number) if self.state.invoices.contains_key(&(kind, number.to_owned())) => {
                return Err(Refusal::rule("Error: The reference number is used already."));
            }
            Some(number) => number.to_owned(),
            None => self.next_invoice_number(kind),
        };
        let stamp = self.stamp();
        let delay = self.delay();
        // Read back, other types need their type in the path.
        let place = if kind == "Invoice" {
            invoice.number.clone()
        } else {
            format!("{kind}/{}", invoice.number)
        };
        let key = (kind, invoice.number.clone());
        self.state.invoices.insert(key, Row::new(invoice, stamp, false, delay));
        Ok(self.created(call, &format!("/v1/supplierInvoice/{place}"), stamp.0))
    }

    pub fn next_invoice_number(&mut self, kind: &'static str) -> String {
        let next = self.state.invoice_series.entry(kind).or_insert(300_001);
        let number = *next;
        *next += 1;
        number.to_string()
    }

    pub fn change_invoice(&mut self, call: &Call, key: &InvoiceKey) -> Result<Reply, Refusal> {
        let body = wire::read(&call.body, members::INVOICE)?;
        let mut invoice = self.invoice_for_write(call, key)?;
        if !matches!(invoice.status.as_str(), "Hold" | "Balanced") {
            return Err(Refusal::rule(format!(
                "Error: The document cannot be changed in status '{}'.",
                invoice.status
            )));
        }
        if body.text("documentType").is_some_and(|kind| kind != key.0) {
            return Err(Refusal::rule("Error: The document type cannot be changed."));
        }
        self.apply_header(&mut invoice, &body, false)?;
        self.apply_lines(&mut invoice, &body)?;
        self.settle(&mut invoice)?;
        let stamp = self.change_invoice_row(key, invoice);
        Ok(Reply::empty(204).with("etag", format!("\"{}\"", version(stamp))))
    }

    /// The new row version.
    pub fn change_invoice_row(&mut self, key: &InvoiceKey, invoice: Invoice) -> u64 {
        let stamp = self.stamp();
        let delay = self.delay();
        if let Some(row) = self.state.invoices.get_mut(key) {
            let is_other_status = row.live.doc.status != invoice.status;
            row.change(invoice, stamp, delay);
            // Nothing else of an invoice is told.
            if is_other_status {
                self.tell("APInvoice", "StatusChanged", &key.1);
            }
        }
        stamp.0
    }

    /// A copy to change, when the caller has seen the latest version or does not care.
    pub fn invoice_for_write(&self, call: &Call, key: &InvoiceKey) -> Result<Invoice, Refusal> {
        let row =
            self.state.invoices.get(key).ok_or(Refusal { status: 404, message: String::new() })?;
        call.check_version(row.live.version)?;
        Ok(row.live.doc.clone())
    }

    pub fn delete_invoice(&mut self, key: &InvoiceKey) -> Result<Reply, Refusal> {
        let row =
            self.state.invoices.get(key).ok_or(Refusal { status: 404, message: String::new() })?;
        if row.live.doc.released() {
            return Err(Refusal::rule("Error: A released document cannot be deleted."));
        }
        self.state.invoices.remove(key);
        Ok(Reply::empty(204))
    }

    /// `If-Match` counts only when the call came as a background call.
    pub fn release_invoice(&mut self, call: &Call, key: &InvoiceKey) -> Result<Reply, Refusal> {
        let row =
            self.state.invoices.get(key).ok_or(Refusal { status: 404, message: String::new() })?;
        if call.background {
            call.check_version(row.live.version)?;
        }
        let (mut invoice, row_version) = (row.live.doc.clone(), row.live.version);
        if invoice.status != "Balanced" {
            return Err(Refusal::rule(format!(
                "Error: A document in status '{}' cannot be released.",
                invoice.status
            )));
        }
        self.check_period(&invoice.period)?;
        let refused =
            "Error: The document cannot be released. The account of the VAT is not set up.";
        if self.board.fires(Fault::ReleaseRefused) {
            return Err(Refusal::rule(refused));
        }
        if self.board.fires(Fault::ReleaseFails) {
            return Err(Refusal { status: 500, message: refused.into() });
        }
        let mut stamp = row_version;
        if !self.board.fires(Fault::ReleaseWithoutEffect) {
            invoice.status = "Open".into();
            self.book(&mut invoice);
            stamp = self.change_invoice_row(key, invoice);
        }
        let action = self.state.guid();
        Ok(Reply::json(200, &json!({"actionId": action, "actionResult": "Done", "errorInfo": ""}))
            .with("etag", format!("\"{}\"", version(stamp))))
    }

    fn is_repeated(&self, invoice: &Invoice) -> bool {
        invoice.reference.is_some()
            && self.state.invoices.values().any(|row| {
                let other = &row.live.doc;
                other.status != "Voided"
                    && other.document_type == invoice.document_type
                    && other.supplier == invoice.supplier
                    && other.reference == invoice.reference
            })
    }

    fn check_period(&self, id: &str) -> Result<(), Refusal> {
        match self.masters.period(id) {
            None => Err(Refusal::rule(rules::cannot_be_found("Post period"))),
            Some(period) if !period.active => {
                Err(Refusal::rule(format!("Error: The financial period {id} is inactive.")))
            }
            Some(period) if period.closed => Err(Refusal::rule(format!(
                "Error: The financial period {id} is closed in Supplier ledger."
            ))),
            Some(_) => Ok(()),
        }
    }

    fn apply_header(&self, invoice: &mut Invoice, body: &Body, new: bool) -> Result<(), Refusal> {
        for unsupported in ["addPOReceiptLines", "addPurchaseOrders", "landedCosts"] {
            if !body.rows(unsupported).is_empty() {
                return Err(Refusal::rule(format!(
                    "Error: '{unsupported}' is not available in this company."
                )));
            }
        }
        if let Some(number) = body.text("supplierNumber") {
            let supplier = rules::supplier(self.masters, number)?;
            invoice.supplier.clone_from(&supplier.number);
            invoice.zone.clone_from(&supplier.vat_zone);
        }
        if let Some(zone) = body.text("supplierTaxZone") {
            if !self.masters.vats.iter().any(|vat| vat.zones.iter().any(|known| known == zone)) {
                return Err(Refusal::rule(rules::cannot_be_found("VAT zone")));
            }
            invoice.zone = zone.into();
        }
        if let Some(on) = body.time("date") {
            invoice.date = on.date();
        }
        self.apply_period(invoice, body, new)?;
        if let Some(id) = body.text("currencyId") {
            invoice.currency = self
                .masters
                .currency(id)
                .ok_or_else(|| Refusal::rule(rules::cannot_be_found("Currency")))?
                .id
                .clone();
        }
        if new || body.contains_key("currencyId") {
            invoice.rate = self
                .masters
                .currency(&invoice.currency)
                .map_or(Decimal::ONE, |currency| currency.rate);
        }
        if let Some(rate) = body.amount("exchangeRate") {
            invoice.rate = rate;
        }
        if let Some(id) = body.text("creditTermsId") {
            invoice.terms = self
                .masters
                .terms(id)
                .ok_or_else(|| Refusal::rule(rules::cannot_be_found("Credit terms")))?
                .id
                .clone();
        }
        if let Some(number) = body.text("branchNumber") {
            invoice.branch = rules::branch(self.masters, number).map_err(Refusal::rule)?;
        }
        if new || body.contains_key("dueDate") || body.contains_key("creditTermsId") {
            let days = self.masters.terms(&invoice.terms).map_or(0, |terms| terms.days);
            invoice.due = body
                .time("dueDate")
                .map_or_else(|| invoice.date.saturating_add(days.days()), |on| on.date());
        }
        let text = |name: &str, longest: usize, into: &mut Option<String>| {
            if let Some(given) = body.text(name) {
                *into = cut(given, longest);
            }
        };
        text("supplierReference", self.settings.longest_reference, &mut invoice.reference);
        text("description", self.settings.longest_description, &mut invoice.description);
        text("note", usize::MAX, &mut invoice.note);
        text("paymentRefNo", 40, &mut invoice.payment_reference);
        if let Some(on) = body.time("origInvoiceDate") {
            invoice.orig_date = Some(on.date());
        }
        if let Some(on) = body.time("cashDiscountDate") {
            invoice.discount_on = Some(on.date());
        }
        if let Some(mode) = body.text("taxCalculationMode") {
            invoice.tax_mode = mode.into();
        }
        if let Some(selected) = body.flag("paySelected") {
            invoice.pay_selected = selected;
        }
        if let Some(hold) = body.flag("hold") {
            invoice.status = if hold { "Hold" } else { "Balanced" }.into();
        }
        let decimals = self.decimals(&invoice.currency);
        invoice.control_amount =
            body.amount("amount").map(|amount| round(amount, decimals)).or(invoice.control_amount);
        invoice.control_vat =
            body.amount("vatAmount").map(|amount| round(amount, decimals)).or(invoice.control_vat);
        if let Some(rounding) = body.amount("roundingDiffInCurrency") {
            invoice.rounding = round(rounding, decimals);
        }
        for tax in body.rows("taxDetailLines") {
            if let (Some(id), Some(amount)) = (tax.text("taxId"), tax.amount("vatAmount")) {
                invoice.vat_by_hand.insert(id.into(), round(amount, decimals));
            }
        }
        Ok(())
    }

    fn apply_period(&self, invoice: &mut Invoice, body: &Body, new: bool) -> Result<(), Refusal> {
        let period = match (body.text("postPeriod"), body.text("financialPeriod")) {
            (Some(_), Some(_)) => {
                return Err(Refusal::rule(
                    "Error: Specify either 'postPeriod' or 'financialPeriod'.",
                ));
            }
            (None, Some(period)) => Some(period.to_owned()),
            // MMYYYY here, YYYYMM there.
            (Some(period), None) if period.len() == 6 && period.is_ascii() => {
                Some(format!("{}{}", &period[2..], &period[..2]))
            }
            (Some(_), None) => return Err(Refusal::rule(rules::cannot_be_found("Post period"))),
            (None, None) if new => {
                Some(format!("{:04}{:02}", invoice.date.year(), invoice.date.month()))
            }
            (None, None) => None,
        };
        if let Some(period) = period {
            self.check_period(&period)?;
            invoice.period = period;
        }
        Ok(())
    }

    /// Totals, and the control values against them.
    pub fn settle(&self, invoice: &mut Invoice) -> Result<(), Refusal> {
        let lines = invoice.lines.iter().map(|line| (line.vat_category.as_deref(), line.cost));
        let mut totals = vat::totals(
            self.masters,
            &invoice.zone,
            self.decimals(&invoice.currency),
            invoice.tax_mode == "Gross",
            lines,
        );
        for (id, amount) in &invoice.vat_by_hand {
            let Some(tax) = totals.taxes.iter_mut().find(|tax| tax.id == *id) else {
                return Err(Refusal::rule(rules::cannot_be_found("VAT ID")));
            };
            if !tax.reverse {
                totals.vat += *amount - tax.amount;
            }
            tax.amount = *amount;
        }
        totals.gross = totals.net + totals.vat;
        invoice.totals = totals;
        if invoice.gross().is_sign_negative() && !invoice.gross().is_zero() {
            return Err(Refusal::rule("Error: The document amount cannot be negative."));
        }
        let differs = invoice.control_amount.is_some_and(|amount| amount != invoice.gross())
            || invoice.control_vat.is_some_and(|amount| amount != invoice.totals.vat);
        if differs && !invoice.on_hold() {
            return Err(Refusal::rule("Error: The document is out of the balance."));
        }
        Ok(())
    }

    pub fn decimals(&self, currency: &str) -> u32 {
        self.masters.currency(currency).map_or(2, |currency| currency.decimals)
    }
}

impl Call {
    /// 412 when the caller names a version that is not the latest.
    pub fn check_version(&self, latest: u64) -> Result<(), Refusal> {
        match &self.if_match {
            Some(given) if given != "*" && *given != format!("\"{}\"", version(latest)) => {
                Err(Refusal { status: 412, message: String::new() })
            }
            _ => Ok(()),
        }
    }
}
