//! Documents that could be the one in hand again, the ones that a credit note takes back, and
//! where the vendor asked to be paid before.

use super::Gatherer;
use crate::decide::{PaidTo, PastInvoice};
use crate::matching::{ReferenceForms, claim_key};
use crate::procurement::{ErpInvoice, InvoiceKind, Supplier, SupplierInvoice};
use crate::store::{DocumentRow, Likeness, OwnInvoice, Step};
use crate::sync::error::SyncError;
use crate::sync::ids;
use jiff::civil::Date;

/// Documents that one decision is shown. A bill that comes every week would bring hundreds.
const MOST_ALIKE: usize = 50;
/// Suppliers of one company that are looked through.
const MOST_SUPPLIERS: usize = 8;

impl Gatherer<'_> {
    /// The key of the document, and the one after its next correction: a store that was put back from before
    /// a correction finds what followed it.
    pub(super) fn own_keys(&self, row: &DocumentRow) -> [String; 2] {
        [row.corrections, row.corrections + 1]
            .map(|corrections| ids::our_key(self.company, &row.id, corrections, Step::Create, ""))
    }

    /// Suppliers that are the same company, this one first.
    fn same_company<'a>(&'a self, supplier: &'a Supplier) -> impl Iterator<Item = &'a str> {
        self.groups.of(&supplier.number).take(MOST_SUPPLIERS)
    }

    fn is_itself(&self, row: &DocumentRow, found: &ErpInvoice) -> bool {
        found.our_key.as_ref().is_some_and(|key| self.own_keys(row).contains(key))
            || (row.visma_number.as_deref() == Some(found.number.as_str())
                && row.visma_type.as_deref() == Some(found.document_type.as_str()))
    }

    /// Those in Visma under one number, without this document's own.
    pub(super) async fn numbered(
        &self,
        row: &DocumentRow,
        supplier: &Supplier,
        reference: &str,
        on: Date,
    ) -> Result<Vec<ErpInvoice>, SyncError> {
        let key = claim_key(reference);
        let mut found = Vec::new();
        for number in self.same_company(supplier) {
            found.extend(self.store.erp_invoices_numbered(self.company, number, &key, on).await?);
        }
        found.retain(|invoice| !self.is_itself(row, invoice));
        found.sort_by(|a, b| (&a.document_type, &a.number).cmp(&(&b.document_type, &b.number)));
        Ok(found)
    }

    /// Of the supplier's company: the same amount within 400 days, or a number that looks like
    /// this one's. Of many, those with such a number first, and of these the nearest in time.
    pub(super) async fn alike(
        &self,
        row: &DocumentRow,
        invoice: &SupplierInvoice,
        supplier: &Supplier,
    ) -> Result<Vec<PastInvoice>, SyncError> {
        let forms = ReferenceForms::of(invoice.supplier_reference.as_deref().unwrap_or_default());
        let (mut erp, mut own) = (Vec::new(), Vec::new());
        for supplier in self.same_company(supplier) {
            let of =
                Likeness { supplier, on: invoice.invoiced_on, gross: invoice.gross, forms: &forms };
            erp.extend(self.store.erp_invoices_alike(self.company, &of).await?);
            own.extend(self.store.own_invoices_alike(self.company, &of).await?);
        }
        let mut found = self.past(row, erp, own).await?;
        found.sort_by_cached_key(|past| distance(past, &forms, invoice.invoiced_on));
        found.truncate(MOST_ALIKE);
        Ok(found)
    }

    /// The invoices that carry the number which a credit note takes back, and all other credit notes
    /// of ours that take it back too.
    pub(super) async fn credited(
        &self,
        row: &DocumentRow,
        invoice: &SupplierInvoice,
        supplier: &Supplier,
    ) -> Result<Vec<PastInvoice>, SyncError> {
        let credited = invoice.credits_reference.as_deref().map(claim_key);
        let Some(key) =
            credited.filter(|key| invoice.kind == InvoiceKind::CreditNote && !key.is_empty())
        else {
            return Ok(Vec::new());
        };
        let on = invoice.invoiced_on;
        let (mut erp, mut own, mut credits) = (Vec::new(), Vec::new(), Vec::new());
        for supplier in self.same_company(supplier) {
            erp.extend(self.store.erp_invoices_numbered(self.company, supplier, &key, on).await?);
            own.extend(self.store.own_invoices_numbered(self.company, supplier, &key, on).await?);
            credits.extend(self.store.own_credits(self.company, supplier, &key).await?);
        }
        let mut found = self.past(row, erp, own).await?;
        // A credit note may carry the very number that it takes back.
        found.retain(|past| past.kind == InvoiceKind::Invoice);
        found.sort_by_cached_key(|past| distance(past, &ReferenceForms::default(), on));
        found.truncate(MOST_ALIKE);
        found.extend(self.past(row, Vec::new(), credits).await?);
        Ok(found)
    }

    /// Each once, without the document itself, on the day that stands on its paper where we know it.
    async fn past(
        &self,
        row: &DocumentRow,
        mut erp: Vec<ErpInvoice>,
        mut own: Vec<OwnInvoice>,
    ) -> Result<Vec<PastInvoice>, SyncError> {
        erp.retain(|invoice| !self.is_itself(row, invoice));
        erp.sort_by(|a, b| (&a.document_type, &a.number).cmp(&(&b.document_type, &b.number)));
        erp.dedup_by(|a, b| (&a.document_type, &a.number) == (&b.document_type, &b.number));
        own.retain(|of| of.document != row.id);
        own.sort_by(|a, b| a.document.cmp(&b.document));
        own.dedup_by(|a, b| a.document == b.document);
        let keys: Vec<&str> = erp.iter().filter_map(|of| of.our_key.as_deref()).collect();
        let days = self.store.days_on_paper(self.company, &keys).await?;
        for invoice in &mut erp {
            let on_paper = invoice.our_key.as_ref().and_then(|key| days.get(key)).copied();
            invoice.document_on = on_paper.or(invoice.document_on);
        }
        let own = own.into_iter().map(|of| of.invoice);
        Ok(erp.into_iter().filter_map(from_visma).chain(own).collect())
    }

    /// Where earlier invoices of the vendor, as they stand in Visma, asked to be paid.
    pub(super) async fn paid_to(
        &self,
        row: &DocumentRow,
        invoice: &SupplierInvoice,
    ) -> Result<Vec<PaidTo>, SyncError> {
        let Some(vendor) = invoice.vendor.source_id.as_deref() else { return Ok(Vec::new()) };
        let found = self.store.paid_to(self.source, vendor, self.company, &row.id).await?;
        let mut paid: Vec<PaidTo> = found
            .into_iter()
            .map(|of| PaidTo {
                document: format!("{} {}", of.erp.document_type, of.erp.number),
                account: of.account,
                invoiced_on: of.invoiced_on,
                paid: is_paid(&of.erp),
            })
            .collect();
        paid.sort_by(|a, b| (b.invoiced_on, &a.document).cmp(&(a.invoiced_on, &b.document)));
        Ok(paid)
    }
}

/// A draft is not paid, whatever it says is left to pay.
fn is_paid(invoice: &ErpInvoice) -> bool {
    invoice.status == "Closed"
        || (!invoice.is_draft() && invoice.balance.is_some_and(|balance| balance.is_zero()))
}

/// `None`: a payment, which is no invoice.
fn from_visma(invoice: ErpInvoice) -> Option<PastInvoice> {
    Some(PastInvoice {
        document: format!("{} {}", invoice.document_type, invoice.number),
        kind: invoice.kind?,
        supplier: invoice.supplier,
        reference: invoice.supplier_reference,
        invoiced_on: invoice.document_on,
        gross: invoice.gross,
        balance: invoice.balance,
        payment_reference: invoice.payment_reference,
        status: invoice.status,
    })
}

/// Numbers that look alike before others, near days before far ones; the rest only breaks ties.
fn distance(past: &PastInvoice, forms: &ReferenceForms, on: Date) -> (bool, i64, String) {
    let theirs = ReferenceForms::of(past.reference.as_deref().unwrap_or_default());
    let looks_alike = (!forms.look.is_empty() && theirs.look == forms.look)
        || (!forms.digits.is_empty() && theirs.digits == forms.digits);
    let hours = past.invoiced_on.map_or(i64::MAX, |day| day.duration_since(on).as_hours().abs());
    (!looks_alike, hours, past.document.clone())
}
