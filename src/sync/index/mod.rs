//! Visma's side, read by its lists: reference data, suppliers, and the index of Visma's own
//! documents, each list from its watermark on. As the rows pass, what we posted is compared with
//! what was planned.

mod compare;
mod doubled;
mod found;
mod reference;

use crate::clock;
use crate::matching::ReferenceForms;
use crate::procurement::{ErpInvoice, ErpOrder};
use crate::schedule::Poll;
use crate::store::{Change, ErpVersions, Step, Watermark};
use crate::sync::CrashPoint;
use crate::sync::engine::{Company, Engine};
use crate::sync::error::SyncError;
use crate::visma::{self, InvoiceFilter, OrderFilter, ReceiptFilter, UnreadableRow};
use compare::Made;
pub use doubled::{DOUBLED, asked_beside, doubled_alone};
use found::Finds;
use jiff::civil::{Date, DateTime};
use std::collections::HashMap;

/// Reads of a list that has unreadable rows before the rest is accepted without them.
pub const UNREADABLE_READS: u32 = 3;

pub const SUPPLIERS: &str = "visma:supplier";
pub const INVOICES: &str = "visma:supplierInvoice";
pub const ORDERS: &str = "visma:purchaseorder";
pub const RECEIPTS: &str = "visma:purchaseReceipt";

impl Engine {
    /// The whole index: invoices, orders, receipts.
    pub async fn refresh_index(&self, company: &Company) -> Result<(), SyncError> {
        self.refresh_orders(company).await?;
        match self.refresh_receipts(company).await {
            Ok(()) => {}
            // A company without the module, or an application without the right to it: only lines
            // that can be billed through a receipt alone need them, and those wait.
            Err(SyncError::Visma(
                error @ (visma::Error::NotFound { .. } | visma::Error::Forbidden { .. }),
            )) => {
                tracing::warn!(company = company.id, %error, "receipts cannot be read; lines that need one wait");
            }
            Err(error) => return Err(error),
        }
        self.refresh_invoices(company).await?;
        if self.ask_about_doubles(company).await? {
            self.watch_for_doubles(company).await?;
        }
        Ok(())
    }

    /// Whether any of them had changed.
    pub async fn refresh_invoices(&self, company: &Company) -> Result<bool, SyncError> {
        let mut changed = false;
        let versions = self.store.erp_versions(&company.id).await?;
        let mut done = self.done_postings(company).await?;
        let attachments =
            done.values().flat_map(|made| &made.postings).any(|row| row.step == Step::Attach);
        let watermark = self.store.watermark(&company.id, INVOICES).await?;
        let finds = Finds::of(company, Poll::Invoices, watermark.as_ref());
        let since = since(watermark.as_ref(), company.overlap_minutes);
        let filter = InvoiceFilter {
            doc_date_from: since.is_none().then(|| self.index_from(company)),
            since,
            attachments,
            supplier: None,
        };
        for read in 1.. {
            let mut pager = company.client.invoices(&filter);
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                self.check_lease()?;
                unreadable.extend(page.unreadable);
                changed |=
                    self.keep_invoices(company, &page.rows, &versions, &mut done, &finds).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "supplierInvoice".into() });
            }
            if !company.knows_unreadable(INVOICES, &unreadable) && read < UNREADABLE_READS {
                continue;
            }
            self.end_of_list(company, INVOICES, pager.newest(), &unreadable).await?;
            company.set_unreadable(INVOICES, unreadable);
            break;
        }
        self.watch_for_doubles(company).await?;
        Ok(changed)
    }

    async fn keep_invoices(
        &self,
        company: &Company,
        rows: &[ErpInvoice],
        versions: &ErpVersions,
        done: &mut HashMap<String, Made>,
        finds: &Finds,
    ) -> Result<bool, SyncError> {
        let mut change = Change::new();
        let mut moved = false;
        for invoice in rows {
            let key = (invoice.document_type.clone(), invoice.number.clone());
            let unchanged = invoice.version.is_some()
                && versions.invoices.get(&key) == invoice.version.as_ref();
            let made = invoice.our_key.as_ref().and_then(|key| done.get(key));
            if !unchanged {
                // Visma tells of a change of the status alone.
                if made.is_none()
                    && finds.are_wanted()
                    && let Some(known) = self.store.erp_invoice(&company.id, &key.0, &key.1).await?
                    && known.status != invoice.status
                {
                    finds.add(company, &invoice.number, &mut change);
                }
                keep_invoice(company, invoice, &mut change);
                moved = true;
            }
            let is_the_one = match made {
                Some(made) if made.is_named(&invoice.number) => !made.is_compared,
                // A void one under the same key is of an earlier attempt; one of several is not known to be it.
                Some(made) => {
                    let is_live = |of: &&ErpInvoice| of.our_key == invoice.our_key && of.is_live();
                    invoice.is_live()
                        && !made.is_compared
                        && rows.iter().filter(is_live).count() == 1
                        && self
                            .is_alone(company, invoice.our_key.as_deref(), &invoice.number)
                            .await?
                }
                None => false,
            };
            if is_the_one
                && let Some(made) = invoice.our_key.as_ref().and_then(|key| done.get_mut(key))
            {
                made.is_compared = true;
                self.compare_invoice(company, invoice, made, &mut change).await?;
            }
        }
        if moved {
            change.company_moved(&company.id, clock::now());
        }
        CrashPoint::CompareMade.pass();
        self.commit(change).await?;
        CrashPoint::CompareKept.pass();
        CrashPoint::IndexPageKept.pass();
        Ok(moved)
    }

    /// Whether any of them had changed.
    pub async fn refresh_orders(&self, company: &Company) -> Result<bool, SyncError> {
        let mut changed = false;
        let versions = self.store.erp_versions(&company.id).await?;
        let mut done = self.done_postings(company).await?;
        let watermark = self.store.watermark(&company.id, ORDERS).await?;
        let finds = Finds::of(company, Poll::Orders, watermark.as_ref());
        let since = since(watermark.as_ref(), company.overlap_minutes);
        let filter = OrderFilter {
            order_date_from: since.is_none().then(|| self.index_from(company)),
            since,
            supplier: None,
        };
        for read in 1.. {
            let mut pager = company.client.orders(&filter);
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                self.check_lease()?;
                unreadable.extend(page.unreadable);
                changed |=
                    self.keep_orders(company, &page.rows, &versions, &mut done, &finds).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "purchaseorder".into() });
            }
            if !company.knows_unreadable(ORDERS, &unreadable) && read < UNREADABLE_READS {
                continue;
            }
            self.end_of_list(company, ORDERS, pager.newest(), &unreadable).await?;
            company.set_unreadable(ORDERS, unreadable);
            break;
        }
        self.watch_for_doubles(company).await?;
        Ok(changed)
    }

    async fn keep_orders(
        &self,
        company: &Company,
        rows: &[ErpOrder],
        versions: &ErpVersions,
        done: &mut HashMap<String, Made>,
        finds: &Finds,
    ) -> Result<bool, SyncError> {
        let mut change = Change::new();
        let mut moved = false;
        for order in rows {
            let unchanged = order.version.is_some()
                && versions.orders.get(&order.number) == order.version.as_ref();
            let made = order.our_key.as_ref().and_then(|key| done.get(key));
            if !unchanged {
                if made.is_none() {
                    finds.add(company, &order.number, &mut change);
                }
                change.keep_erp_order(&company.id, order);
                moved = true;
            }
            let is_the_one = match made {
                Some(made) if made.is_named(&order.number) => !made.is_compared,
                Some(made) => {
                    let is_live = |of: &&ErpOrder| of.our_key == order.our_key && of.is_live();
                    order.is_live()
                        && !made.is_compared
                        && rows.iter().filter(is_live).count() == 1
                        && self.is_alone(company, order.our_key.as_deref(), &order.number).await?
                }
                None => false,
            };
            if is_the_one
                && let Some(made) = order.our_key.as_ref().and_then(|key| done.get_mut(key))
            {
                made.is_compared = true;
                self.compare_order(company, order, made, &mut change).await?;
            }
        }
        if moved {
            change.company_moved(&company.id, clock::now());
        }
        CrashPoint::CompareMade.pass();
        self.commit(change).await?;
        CrashPoint::CompareKept.pass();
        CrashPoint::IndexPageKept.pass();
        Ok(moved)
    }

    async fn refresh_receipts(&self, company: &Company) -> Result<(), SyncError> {
        let watermark = self.store.watermark(&company.id, RECEIPTS).await?;
        let since = since(watermark.as_ref(), company.overlap_minutes);
        let filter = ReceiptFilter { since, order_number: None };
        for read in 1.. {
            let mut pager = company.client.receipts(&filter);
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                self.check_lease()?;
                unreadable.extend(page.unreadable);
                let mut change = Change::new();
                for receipt in &page.rows {
                    change.company_moved_by_receipt(&company.id, receipt, clock::now());
                    change.keep_erp_receipt(&company.id, receipt);
                }
                self.commit(change).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "PurchaseReceipt".into() });
            }
            if unreadable.is_empty() || read == UNREADABLE_READS {
                return self.end_of_list(company, RECEIPTS, pager.newest(), &unreadable).await;
            }
        }
        Ok(())
    }

    /// Moves the list's watermark, but not past a row that could not be read: it comes again.
    pub(super) async fn end_of_list(
        &self,
        company: &Company,
        list: &str,
        newest: Option<&str>,
        unreadable: &[UnreadableRow],
    ) -> Result<(), SyncError> {
        for row in unreadable {
            tracing::warn!(
                company = company.id,
                list,
                row = row.key,
                reason = row.reason,
                "a row of Visma's list cannot be read; it is not known here and comes again"
            );
        }
        let mut change = Change::new();
        change.move_watermark(&company.id, list, &moved_to(newest, unreadable));
        self.commit(change).await?;
        CrashPoint::IndexWatermarkMoved.pass();
        Ok(())
    }

    /// The first day whose documents the index must hold before anything is written.
    fn index_from(&self, company: &Company) -> Date {
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let months =
            today.saturating_sub(jiff::Span::new().months(company.index_months.clamp(1, 600)));
        self.connections
            .iter()
            .filter(|connection| connection.company.id == company.id)
            .map(|connection| connection.rules.take_from)
            .fold(months, Date::min)
    }

    pub fn check_lease(&self) -> Result<(), SyncError> {
        self.check()?;
        if self.may_send() { Ok(()) } else { Err(SyncError::LeaseRanOut) }
    }
}

/// Keeps an invoice as Visma shows it. From when one of ours is released, its batch is looked for.
fn keep_invoice(company: &Company, invoice: &ErpInvoice, change: &mut Change) {
    let reference = ReferenceForms::of(invoice.supplier_reference.as_deref().unwrap_or_default());
    change.keep_erp_invoice(&company.id, invoice, &reference);
    if let Some(key) = invoice.our_key.as_deref()
        && invoice.is_released()
        && invoice.kind.is_some()
        && company.ledger_patience.is_some()
    {
        let named = (invoice.document_type.as_str(), invoice.number.as_str());
        change.note_release(&company.id, key, named, clock::now());
    }
}

pub fn since(watermark: Option<&Watermark>, overlap_minutes: i64) -> Option<String> {
    let watermark = watermark.filter(|watermark| !watermark.seen.is_empty())?;
    visma::overlap(&watermark.seen, overlap_minutes)
}

/// The highest change time really seen and read. A list that is complete and empty is complete
/// all the same.
fn moved_to(newest: Option<&str>, unreadable: &[UnreadableRow]) -> Watermark {
    let nothing = Watermark { instant: 0, seen: String::new(), moved_at: clock::now() };
    let at = |stamp: &str| {
        let instant = instant_of(stamp)?;
        Some(Watermark { instant, seen: stamp.to_owned(), moved_at: clock::now() })
    };
    let earliest = |stamps: Vec<Option<Watermark>>| {
        // One stamp that is not known makes all of them unknown.
        let known: Option<Vec<Watermark>> = stamps.into_iter().collect();
        known.and_then(|known| known.into_iter().min_by_key(|watermark| watermark.instant))
    };
    let stamps = unreadable
        .iter()
        .map(|row| row.modified.as_deref().and_then(at))
        .chain([newest.and_then(at)])
        .collect();
    earliest(stamps).unwrap_or(nothing)
}

/// A stamp of Visma's in comparable form: as if it were UTC, whatever zone it speaks.
fn instant_of(stamp: &str) -> Option<i64> {
    let normal = visma::overlap(stamp, 0)?;
    let at = DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", normal).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}
