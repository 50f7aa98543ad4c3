//! What bears on one document, gathered from the store by the document's own keys.

mod alike;
mod billing;

use super::error::SyncError;
use crate::decide::{
    Elsewhere, History, Hold, KnownOrder, OrderState, Override, Routing, Rules, overrides_in_force,
};
use crate::jaggaer::{Content, Entity, Profile};
use crate::mapping::{SupplierGroups, SupplierIndex, Suppliers, resolve};
use crate::procurement::{
    Document, ErpOrder, Plan, PurchaseOrder, ReferenceData, Supplier, SupplierInvoice, Vendor,
};
use crate::store::{DocumentRow, DocumentState, RevisionRow, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;

/// A raw revision as the core's document, or the hold that says why not.
pub fn read_document(
    profile: &Profile,
    document: &DocumentRow,
    raw: &str,
) -> Result<Document, Vec<Hold>> {
    let unreadable = |problem: String| vec![Hold::unreadable(&[problem])];
    let body: Value = serde_json::from_str(raw).map_err(|error| unreadable(error.to_string()))?;
    let Some(feed) = profile.feed(&document.feed) else {
        return Err(unreadable(format!("the profile has no feed `{}` any more", document.feed)));
    };
    match feed.read(&body).content {
        Content::Document { document: Ok(document), .. } => Ok(*document),
        Content::Document { document: Err(problems), .. } => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Err(vec![Hold::unreadable(&problems)])
        }
        Content::Vendor(_) | Content::Receipt(_) | Content::Contract(_) => {
            Err(unreadable(format!("the feed `{}` delivers no documents", document.feed)))
        }
    }
}

/// Where to look, and what the looking needs to know.
pub struct Gatherer<'a> {
    pub store: &'a Store,
    pub source: &'a str,
    /// Of the source: which company each of its connections leads to.
    pub routing: &'a Routing,
    pub company: &'a str,
    pub profile: &'a Profile,
    pub rules: &'a Rules,
    pub reference: &'a ReferenceData,
    /// Of `reference.suppliers`, as are the groups.
    pub suppliers: &'a SupplierIndex,
    pub groups: &'a SupplierGroups,
    pub vendors: &'a BTreeMap<String, Vendor>,
    /// The company's.
    pub time_zone: &'a TimeZone,
}

impl<'a> Gatherer<'a> {
    pub async fn history(
        &self,
        row: &DocumentRow,
        revision: &RevisionRow,
        document: &Document,
    ) -> Result<History, SyncError> {
        let said = self.store.overrides_of(&row.id).await?;
        let said: Vec<Override> = said.into_iter().map(|row| row.word).collect();
        let mut history = History {
            overrides: overrides_in_force(&said),
            received_on: self
                .came_at(row, revision)
                .map(|at| at.to_zoned(self.time_zone.clone()).date()),
            ..History::default()
        };
        match document {
            Document::Order(order) => {
                let known = self.known_order(row, &order.number).await?;
                history.orders.insert(order.number.clone(), known);
                self.contracts(order, &mut history).await?;
            }
            Document::Invoice(invoice) => {
                for number in order_numbers(invoice) {
                    self.named_order(row, number, &mut history).await?;
                }
                history.billed.sort_by(|a, b| (&a.order, a.line).cmp(&(&b.order, b.line)));
                history.paid_to = self.paid_to(row, invoice).await?;
                if let Some(supplier) = self.supplier(invoice) {
                    history.alike = self.alike(row, invoice, supplier).await?;
                    history.credited = self.credited(row, invoice, supplier).await?;
                    if let Some(reference) = &invoice.supplier_reference {
                        let on = invoice.invoiced_on;
                        history.invoices = self.numbered(row, supplier, reference, on).await?;
                    }
                }
            }
        }
        Ok(history)
    }

    /// When the revision came to JAGGAER, as its own stamp says; without one, when it came here. So a
    /// backlog that is read late is judged as if it had been read in time.
    fn came_at(&self, row: &DocumentRow, revision: &RevisionRow) -> Option<Timestamp> {
        let body: Option<Value> = serde_json::from_str(&revision.raw).ok();
        let feed = self.profile.feed(&row.feed);
        let stamp = feed.zip(body).and_then(|(feed, body)| feed.stamp(&body)?.timestamp());
        stamp.or_else(|| Timestamp::from_microsecond(revision.received_at).ok())
    }

    /// Whom the invoice is of. Who else could have sent the same is looked up by this supplier, so
    /// without one nothing is; the decision holds such an invoice anyway.
    pub fn supplier(&self, invoice: &SupplierInvoice) -> Option<&'a Supplier> {
        let suppliers = Suppliers {
            tables: &self.rules.mapping,
            vendors: self.vendors,
            reference: self.reference,
            index: self.suppliers,
        };
        let settled = resolve(&invoice.vendor, invoice.business_unit.as_deref(), suppliers);
        settled.ok().map(|settled| settled.supplier)
    }

    /// Everything about one order that an invoice names.
    async fn named_order(
        &self,
        row: &DocumentRow,
        number: String,
        history: &mut History,
    ) -> Result<(), SyncError> {
        let known = match self.store.order_by_number(self.source, &number).await? {
            Some(order) if self.elsewhere(&order).is_some() => {
                KnownOrder { elsewhere: self.elsewhere(&order), ..KnownOrder::default() }
            }
            Some(order) => {
                let known = self.known_order(&order, &number).await?;
                if let Some(source) = &known.source {
                    self.contracts(source, history).await?;
                }
                known
            }
            None => {
                KnownOrder { erp: self.order_of_a_person(&number).await?, ..KnownOrder::default() }
            }
        };
        if let Some(erp) = &known.erp {
            let receipts = self.store.erp_receipts_of(self.company, &erp.number).await?;
            history.billed.extend(self.billed(row, erp, &receipts).await?);
            history.receipts.extend(receipts);
        }
        if self.profile.feeds_of(Entity::Receipts).next().is_some() {
            for receipt in self.store.source_receipts_of(self.source, &number).await? {
                // One receipt may be of several of the orders.
                if !history.source_receipts.contains(&receipt) {
                    history.source_receipts.push(receipt);
                }
            }
        }
        history.orders.insert(number, known);
        Ok(())
    }

    /// The other company that the order went to.
    fn elsewhere(&self, order: &DocumentRow) -> Option<Elsewhere> {
        let company = match order.company.as_str() {
            "" => self.routing.company_of(&order.connection)?,
            company => company,
        };
        (company != self.company).then(|| Elsewhere {
            connection: order.connection.clone(),
            company: company.to_owned(),
        })
    }

    /// The order as the source had it when it was written to Visma; before that, as it has it now.
    /// `None`: it cannot be read; it is held for that itself.
    async fn read_order(&self, order: &DocumentRow) -> Result<Option<PurchaseOrder>, SyncError> {
        let stands = order.applied_revision.unwrap_or(order.latest_revision);
        let revision = self.store.revision(&order.id, stands).await?;
        let read = revision.and_then(|of| read_document(self.profile, order, &of.raw).ok());
        Ok(match read {
            Some(Document::Order(order)) => Some(order),
            Some(Document::Invoice(_)) | None => None,
        })
    }

    /// The contracts that the order's lines draw on.
    async fn contracts(
        &self,
        order: &PurchaseOrder,
        history: &mut History,
    ) -> Result<(), SyncError> {
        for number in order.lines.iter().filter_map(|line| line.contract.as_deref()) {
            if history.contracts.contains_key(number) {
                continue;
            }
            if let Some(contract) = self.store.contract_by_number(self.source, number).await? {
                history.contracts.insert(number.to_owned(), contract);
            }
        }
        Ok(())
    }

    async fn known_order(
        &self,
        order: &DocumentRow,
        number: &str,
    ) -> Result<KnownOrder, SyncError> {
        let erp = match &order.visma_number {
            Some(visma_number) => self.store.erp_order(self.company, visma_number).await?,
            None => self.order_of_a_person(number).await?,
        };
        let plan = order
            .applied_plan
            .as_deref()
            .and_then(|plan| serde_json::from_str::<Plan>(plan).ok())
            .and_then(|plan| match plan {
                Plan::Order(plan) => Some(plan),
                Plan::Invoice(_) => None,
            });
        let received = match order.state {
            DocumentState::Unread
            | DocumentState::Waiting
            | DocumentState::Ready
            | DocumentState::Posting => OrderState::InFlight,
            DocumentState::Posted => OrderState::Posted,
            DocumentState::Held => OrderState::Held,
            DocumentState::Ignored => OrderState::Ignored,
            DocumentState::Cancelled => OrderState::Cancelled,
        };
        let source = self.read_order(order).await?;
        let is_pruned = order.pruned.is_some();
        Ok(KnownOrder { received: Some(received), plan, erp, source, elsewhere: None, is_pruned })
    }

    /// An order in Visma under this number that no key of ours marks.
    async fn order_of_a_person(&self, number: &str) -> Result<Option<ErpOrder>, SyncError> {
        let found = self.store.erp_orders_by_reference(self.company, number).await?;
        Ok(found.into_iter().find(|order| order.our_key.is_none() && order.is_live()))
    }
}

/// The orders that the invoice's lines name, each once.
pub(super) fn order_numbers(invoice: &SupplierInvoice) -> Vec<String> {
    let mut numbers: Vec<String> = invoice
        .lines
        .iter()
        .filter_map(|line| line.order.as_ref().map(|order| order.order_number.clone()))
        .chain(invoice.order_number.clone())
        .collect();
    numbers.sort();
    numbers.dedup();
    numbers
}
