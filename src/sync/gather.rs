//! What bears on one document, gathered from the store by the document's own keys.

use super::error::SyncError;
use super::ids;
use crate::decide::{History, Hold, KnownOrder, OrderState};
use crate::jaggaer::{Content, Profile};
use crate::matching::claim_key;
use crate::procurement::{Document, ErpOrder, Plan, SupplierInvoice};
use crate::store::{DocumentRow, DocumentState, Step, Store};
use serde_json::Value;

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
        Content::Vendor(_) => Err(unreadable("the feed delivers vendors, not documents".into())),
    }
}

/// Where to look.
pub struct Gatherer<'a> {
    pub store: &'a Store,
    pub source: &'a str,
    pub company: &'a str,
}

impl Gatherer<'_> {
    pub async fn history(
        &self,
        row: &DocumentRow,
        document: &Document,
    ) -> Result<History, SyncError> {
        let mut history = History::default();
        match document {
            Document::Order(order) => {
                let known = self.known_order(row, &order.number).await?;
                history.orders.insert(order.number.clone(), known);
            }
            Document::Invoice(invoice) => {
                for number in order_numbers(invoice) {
                    let known = match self.store.order_by_number(self.source, &number).await? {
                        Some(order) => self.known_order(&order, &number).await?,
                        None => KnownOrder {
                            erp: self.order_of_a_person(&number).await?,
                            ..KnownOrder::default()
                        },
                    };
                    if let Some(erp) = &known.erp {
                        history
                            .receipts
                            .extend(self.store.erp_receipts_of(self.company, &erp.number).await?);
                    }
                    history.orders.insert(number, known);
                }
                if let Some(reference) = &invoice.supplier_reference {
                    let own = ids::our_key(self.company, &row.id, Step::Create, "");
                    history.invoices = self
                        .store
                        .erp_invoices_by_reference(self.company, &claim_key(reference))
                        .await?
                        .into_iter()
                        .filter(|found| {
                            found.our_key.as_deref() != Some(own.as_str())
                                && !(row.visma_number.as_deref() == Some(found.number.as_str())
                                    && row.visma_type.as_deref()
                                        == Some(found.document_type.as_str()))
                        })
                        .collect();
                }
            }
        }
        Ok(history)
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
        Ok(KnownOrder { received: Some(received), plan, erp, source: None })
    }

    /// An order in Visma under this number that no key of ours marks.
    async fn order_of_a_person(&self, number: &str) -> Result<Option<ErpOrder>, SyncError> {
        let found = self.store.erp_orders_by_reference(self.company, number).await?;
        Ok(found.into_iter().find(|order| order.our_key.is_none() && order.is_live()))
    }
}

fn order_numbers(invoice: &SupplierInvoice) -> Vec<String> {
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
