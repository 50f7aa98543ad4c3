//! Visma's side, read by its lists: reference data, suppliers, and the index of Visma's own
//! documents. As the rows pass, what we posted is compared with what was planned.

use super::engine::{Company, Engine, KnownReference, entry};
use super::error::SyncError;
use super::posting::{Event, step};
use super::{CrashPoint, ids};
use crate::clock;
use crate::mapping::SupplierIndex;
use crate::matching::claim_key;
use crate::procurement::{ErpInvoice, ErpOrder, Plan};
use crate::store::{Change, DocumentRow, ErpVersions, PostingRow, PostingState, Step, Watermark};
use crate::visma::{self, InvoiceFilter, OrderFilter, ReceiptFilter, UnreadableRow};
use jiff::civil::{Date, DateTime};
use serde_json::json;
use std::collections::HashMap;

/// Reads of a list that has unreadable rows before the rest is accepted without them.
const UNREADABLE_READS: u32 = 3;

pub const SUPPLIERS: &str = "visma:supplier";
pub const INVOICES: &str = "visma:supplierInvoice";
pub const ORDERS: &str = "visma:purchaseorder";
pub const RECEIPTS: &str = "visma:purchaseReceipt";

/// A document of ours that Visma has made, with its writes that are not compared yet.
struct Made {
    document: DocumentRow,
    postings: Vec<PostingRow>,
}

impl Engine {
    /// Reference data and suppliers, and what this round's decisions see of them.
    pub async fn refresh_reference(&self, company: &Company) -> Result<(), SyncError> {
        let mut read = company.client.reference_data().await?;
        for _ in 1..UNREADABLE_READS {
            if read.unreadable.is_empty() {
                break;
            }
            read = company.client.reference_data().await?;
        }
        for row in &read.unreadable {
            tracing::warn!(
                company = company.id,
                row = row.key,
                reason = row.reason,
                "a reference row cannot be read"
            );
        }
        let at = clock::now();
        let mut change = Change::new();
        let hash = change.keep_reference_data(&company.id, &read.reference, at);

        self.commit(change).await?;
        self.refresh_suppliers(company).await?;
        CrashPoint::ReferenceKept.pass();
        self.use_reference(company, read.reference, hash).await
    }

    async fn refresh_suppliers(&self, company: &Company) -> Result<(), SyncError> {
        let watermark = self.store.watermark(&company.id, SUPPLIERS).await?;
        let since = since(watermark.as_ref(), company.overlap_minutes);
        for read in 1.. {
            let mut pager = company.client.suppliers(since.as_deref());
            let mut unreadable = Vec::new();
            while let Some(page) = pager.next().await? {
                unreadable.extend(page.unreadable);
                let mut change = Change::new();
                for supplier in &page.rows {
                    change.keep_supplier(&company.id, supplier, clock::now());
                }
                self.commit(change).await?;
            }
            if !pager.complete() {
                return Err(SyncError::Incomplete { list: "supplier".into() });
            }
            if unreadable.is_empty() || read == UNREADABLE_READS {
                return self.end_of_list(company, SUPPLIERS, pager.newest(), &unreadable).await;
            }
        }
        Ok(())
    }

    async fn use_reference(
        &self,
        company: &Company,
        mut data: crate::procurement::ReferenceData,
        hash: String,
    ) -> Result<(), SyncError> {
        data.suppliers = self.store.suppliers(&company.id).await?;
        let suppliers = SupplierIndex::new(&data);
        company.set_reference(KnownReference { data, suppliers, hash });
        Ok(())
    }

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
        self.refresh_invoices(company).await
    }

    pub async fn refresh_invoices(&self, company: &Company) -> Result<(), SyncError> {
        let versions = self.store.erp_versions(&company.id).await?;
        let done = self.done_postings(company).await?;
        let attachments =
            done.values().flat_map(|made| &made.postings).any(|row| row.step == Step::Attach);
        let watermark = self.store.watermark(&company.id, INVOICES).await?;
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
                self.keep_invoices(company, &page.rows, &versions, &done).await?;
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
        self.watch_for_doubles(company).await
    }

    async fn keep_invoices(
        &self,
        company: &Company,
        rows: &[ErpInvoice],
        versions: &ErpVersions,
        done: &HashMap<String, Made>,
    ) -> Result<(), SyncError> {
        let mut change = Change::new();
        for invoice in rows {
            let key = (invoice.document_type.clone(), invoice.number.clone());
            let unchanged = invoice.version.is_some()
                && versions.invoices.get(&key) == invoice.version.as_ref();
            if !unchanged {
                let reference = claim_key(invoice.supplier_reference.as_deref().unwrap_or(""));
                change.keep_erp_invoice(&company.id, invoice, &reference);
            }
            if let Some(made) = invoice.our_key.as_ref().and_then(|key| done.get(key)) {
                self.compare_invoice(company, invoice, made, &mut change).await?;
            }
        }
        CrashPoint::CompareMade.pass();
        self.commit(change).await?;
        CrashPoint::CompareKept.pass();
        CrashPoint::IndexPageKept.pass();
        Ok(())
    }

    async fn compare_invoice(
        &self,
        company: &Company,
        seen: &ErpInvoice,
        made: &Made,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let Some(Plan::Invoice(plan)) = standing_plan(&made.postings) else { return Ok(()) };
        let released = made.postings.iter().any(|row| row.step == Step::Release);
        let differences = |invoice: &ErpInvoice| {
            let mut differences: Vec<String> =
                visma::invoice_matches(&plan, invoice).iter().map(ToString::to_string).collect();
            if released && matches!(invoice.status.as_str(), "Hold" | "Balanced") {
                differences.push(format!("it was released, but its status is {}", invoice.status));
            }
            differences
        };
        let mut found = differences(seen);
        if !found.is_empty() {
            // A list may still show an older version; the document itself decides.
            match company.client.invoice(&seen.document_type, &seen.number).await {
                Ok((fresh, _)) => found = differences(&fresh),
                Err(visma::Error::NotFound { .. }) => found = vec![gone(&seen.number)],
                Err(error) => {
                    tracing::warn!(number = seen.number, %error, "a document that differs could not be read again");
                    return Ok(());
                }
            }
        }
        judge_comparison(made, (&seen.document_type, &seen.number), &found, change);
        Ok(())
    }

    pub async fn refresh_orders(&self, company: &Company) -> Result<(), SyncError> {
        let versions = self.store.erp_versions(&company.id).await?;
        let done = self.done_postings(company).await?;
        let watermark = self.store.watermark(&company.id, ORDERS).await?;
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
                self.keep_orders(company, &page.rows, &versions, &done).await?;
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
        self.watch_for_doubles(company).await
    }

    async fn keep_orders(
        &self,
        company: &Company,
        rows: &[ErpOrder],
        versions: &ErpVersions,
        done: &HashMap<String, Made>,
    ) -> Result<(), SyncError> {
        let mut change = Change::new();
        for order in rows {
            let unchanged = order.version.is_some()
                && versions.orders.get(&order.number) == order.version.as_ref();
            if !unchanged {
                change.keep_erp_order(&company.id, order);
            }
            if let Some(made) = order.our_key.as_ref().and_then(|key| done.get(key)) {
                self.compare_order(company, order, made, &mut change).await?;
            }
        }
        CrashPoint::CompareMade.pass();
        self.commit(change).await?;
        CrashPoint::CompareKept.pass();
        CrashPoint::IndexPageKept.pass();
        Ok(())
    }

    async fn compare_order(
        &self,
        company: &Company,
        seen: &ErpOrder,
        made: &Made,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let Some(Plan::Order(plan)) = standing_plan(&made.postings) else { return Ok(()) };
        let cancelled = made.postings.iter().any(|row| row.step == Step::Cancel);
        let differences = |order: &ErpOrder| -> Vec<String> {
            if cancelled {
                return match is_cancelled(order) {
                    true => Vec::new(),
                    false => vec![format!(
                        "it was cancelled, but lines of it are open; status {}",
                        order.status
                    )],
                };
            }
            visma::order_matches(&plan, order).iter().map(ToString::to_string).collect()
        };
        let mut found = differences(seen);
        if !found.is_empty() {
            match company.client.order(&seen.number).await {
                Ok((fresh, _)) => {
                    found = differences(&fresh);
                    change.keep_erp_order(&company.id, &fresh);
                }
                Err(visma::Error::NotFound { .. }) => found = vec![gone(&seen.number)],
                Err(error) => {
                    tracing::warn!(number = seen.number, %error, "an order that differs could not be read again");
                    return Ok(());
                }
            }
        }
        judge_comparison(made, (&seen.order_type, &seen.number), &found, change);
        Ok(())
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
    async fn end_of_list(
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

    /// Two live documents in Visma with one key of ours: the one thing that must never be.
    pub async fn watch_for_doubles(&self, company: &Company) -> Result<(), SyncError> {
        for double in self.store.doubled_keys(&company.id).await? {
            let Some(posting) = self.store.posting_by_our_key(&company.id, &double.our_key).await?
            else {
                continue;
            };
            let Some(document) = self.store.document(&posting.document).await? else { continue };
            let text = format!(
                "doubled_in_visma: Visma holds {} documents with our key ({}): void all but one there",
                double.numbers.len(),
                double.numbers.join(", ")
            );
            if document.attention.as_deref() == Some(text.as_str()) {
                continue;
            }
            let at = clock::now();
            let mut change = Change::new();
            change.set_attention(&document.id, Some(&text));
            let mut log = entry(&document.connection, &document.id, "doubled_in_visma", at);
            log.detail =
                json!({ "our_key": double.our_key, "numbers": double.numbers }).to_string();
            change.log(log);
            self.commit(change).await?;
        }
        Ok(())
    }

    /// Postings that are done and not yet compared, by the key that stands in Visma.
    async fn done_postings(&self, company: &Company) -> Result<HashMap<String, Made>, SyncError> {
        let mut done: Vec<PostingRow> = Vec::new();
        for state in [PostingState::Done, PostingState::Differs] {
            done.extend(self.store.postings_in(&company.id, state).await?);
        }
        let ids: Vec<&str> = done.iter().map(|row| row.document.as_str()).collect();
        let mut documents = self.store.documents_by_id(&ids).await?;
        let mut by_key: HashMap<String, Made> = HashMap::new();
        for row in done {
            let key = ids::our_key(&company.id, &row.document, Step::Create, "");
            match by_key.get_mut(&key) {
                Some(made) => made.postings.push(row),
                None => {
                    let Some(document) = documents.remove(&row.document) else { continue };
                    by_key.insert(key, Made { document, postings: vec![row] });
                }
            }
        }
        for made in by_key.values_mut() {
            let content = |row: &PostingRow| matches!(row.step, Step::Create | Step::Update);
            if !made.postings.iter().any(content) {
                let others = self.store.postings_of(&made.document.id).await?;
                made.postings.extend(
                    others
                        .into_iter()
                        .filter(|row| row.state == PostingState::Verified && content(row)),
                );
            }
        }
        Ok(by_key)
    }

    /// Fetches one by one what the lists did not show yet. Costs calls only where a list lags.
    pub async fn verify_unseen(&self, company: &Company) -> Result<(), SyncError> {
        for made in self.done_postings(company).await?.into_values() {
            self.check_lease()?;
            let open: Vec<&PostingRow> =
                made.postings.iter().filter(|row| row.state == PostingState::Done).collect();
            let Some(named) = made.postings.iter().find(|row| row.visma_number.is_some()) else {
                continue;
            };
            if open.is_empty() {
                continue;
            }
            let number = named.visma_number.clone().unwrap_or_default();
            let mut change = Change::new();
            let read = match standing_plan(&made.postings) {
                Some(Plan::Order(_)) => match company.client.order(&number).await {
                    Ok((order, _)) => {
                        change.keep_erp_order(&company.id, &order);
                        self.compare_order(company, &order, &made, &mut change).await?;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Some(Plan::Invoice(_)) => {
                    let kind = named.visma_type.clone().unwrap_or_default();
                    match company.client.invoice(&kind, &number).await {
                        Ok((invoice, _)) => {
                            let reference =
                                claim_key(invoice.supplier_reference.as_deref().unwrap_or(""));
                            change.keep_erp_invoice(&company.id, &invoice, &reference);
                            self.compare_invoice(company, &invoice, &made, &mut change).await?;
                            Ok(())
                        }
                        Err(error) => Err(error),
                    }
                }
                None => Ok(()),
            };
            match read {
                Ok(()) => {}
                Err(visma::Error::NotFound { .. }) => {
                    let kind = named.visma_type.clone().unwrap_or_default();
                    let found = [gone(&number)];
                    judge_comparison(&made, (&kind, &number), &found, &mut change);
                }
                Err(error) => {
                    tracing::warn!(number, %error, "a document could not be compared; the next round does it");
                }
            }
            self.commit(change).await?;
        }
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

/// The newest plan that Visma has carried out.
fn standing_plan(postings: &[PostingRow]) -> Option<Plan> {
    let newest = postings
        .iter()
        .filter(|row| matches!(row.step, Step::Create | Step::Update))
        .max_by_key(|row| (row.revision, row.step == Step::Update))
        .or_else(|| postings.iter().max_by_key(|row| row.revision))?;
    serde_json::from_str(&newest.plan).ok()
}

fn gone(number: &str) -> String {
    format!("{number} is not in Visma any more")
}

/// Writes down what a comparison found. `seen`: type and number under which Visma shows it.
fn judge_comparison(made: &Made, seen: (&str, &str), differences: &[String], change: &mut Change) {
    let at = clock::now();
    let reason = differences.join("; ");
    let document = &made.document;
    for row in &made.postings {
        let settled = row.state == PostingState::Verified && differences.is_empty();
        let known =
            row.state == PostingState::Differs && row.error.as_deref() == Some(reason.as_str());
        if settled || known {
            continue;
        }
        let event = if differences.is_empty() {
            Event::Verified
        } else {
            Event::Differs { reason: reason.clone() }
        };
        let Ok(mut next) = step(row, event, at) else { continue };
        if row.step == Step::Create && row.visma_number.as_deref() != Some(seen.1) {
            // The answer named another number than the one it stands under.
            next.visma_type = Some(seen.0.to_owned());
            next.visma_number = Some(seen.1.to_owned());
            change.set_visma_number(&document.id, seen.0, seen.1);
        }
        change.advance_posting(row.state, row.epoch, &next);
        let action = if differences.is_empty() { "verified" } else { "differs" };
        let mut log = entry(&document.connection, &document.id, action, at);
        log.from_state = row.state.as_str().into();
        log.to_state = next.state.as_str().into();
        log.detail = json!({
            "step": row.step.as_str(), "number": next.visma_number, "differences": differences,
        })
        .to_string();
        change.log(log);
    }
    let attention = (!differences.is_empty()).then(|| {
        format!("differs_in_visma: {reason}: compare the document in Visma with the paper")
    });
    if attention != document.attention
        && document.attention.as_deref().is_none_or(|text| text.starts_with("differs_in_visma"))
    {
        change.set_attention(&document.id, attention.as_deref());
    }
}

/// Nothing of the order can be received or billed any more.
pub fn is_cancelled(order: &ErpOrder) -> bool {
    matches!(order.status.as_str(), "Cancelled" | "Voided" | "Closed")
        // An answer without lines says nothing about them.
        || (!order.lines.is_empty()
            && order.lines.iter().all(|line| line.completed || line.cancelled))
}

fn since(watermark: Option<&Watermark>, overlap_minutes: i64) -> Option<String> {
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
