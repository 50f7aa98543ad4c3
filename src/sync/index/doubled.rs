//! Two live documents in Visma with one key of ours: the one thing that must never be. A request that left
//! just before its sender lost the unit can still arrive when its successor has made the document: then both
//! stand there, and a person must say which of them stays. Until then nothing more of the document is written.

use super::keep_invoice;
use crate::clock;
use crate::decide::Hold;
use crate::store::{Change, DocumentRow, ErpKeyCount, Step};
use crate::sync::engine::{Company, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::ids;
use crate::visma;
use serde_json::json;
use std::collections::BTreeMap;

/// The code of the hold, and of the attention of what is posted.
pub const DOUBLED: &str = "doubled_in_visma";
/// Doubles whose documents are asked for in one round. More are somebody's copies, and may wait their turn.
const ASKED: usize = 20;
/// Between what is doubled and what the document asked attention for before.
const ALSO: &str = " It asked for attention before: ";

impl Engine {
    /// What the index shows more than once asks for a person's attention, and what it does not any more is let go.
    pub async fn watch_for_doubles(&self, company: &Company) -> Result<(), SyncError> {
        let mut doubled: BTreeMap<String, Vec<ErpKeyCount>> = BTreeMap::new();
        for double in self.store.doubled_keys(&company.id).await? {
            let owner = self.store.document_of_our_key(&company.id, &double.our_key).await?;
            if let Some(owner) = owner {
                doubled.entry(owner).or_default().push(double);
            }
        }
        for (id, doubles) in &doubled {
            let Some(document) = self.store.document(id).await? else { continue };
            // A held document says it in its hold.
            let holds = self.store.holds_of(id).await?;
            if document.attention_code() != Some(DOUBLED)
                && holds.iter().any(|hold| hold.code == DOUBLED)
            {
                continue;
            }
            self.tell_doubled(&document, doubles).await?;
        }
        for connection in self.connections.iter().filter(|of| of.company.id == company.id) {
            for id in self.store.documents_that_ask_for(&connection.id, DOUBLED).await? {
                if !doubled.contains_key(&id)
                    && let Some(document) = self.store.document(&id).await?
                {
                    self.tell_single(company, &document).await?;
                }
            }
        }
        Ok(())
    }

    async fn tell_doubled(
        &self,
        document: &DocumentRow,
        doubles: &[ErpKeyCount],
    ) -> Result<(), SyncError> {
        let names: Vec<&str> =
            doubles.iter().flat_map(|of| of.names.iter().map(String::as_str)).collect();
        let mut text = Hold::found_doubled(&names).as_attention();
        if let Some(before) = asked_beside(document) {
            text = format!("{text}{ALSO}{before}");
        }
        if document.attention.as_deref() == Some(text.as_str()) {
            return Ok(());
        }
        let mut change = Change::new();
        change.set_attention(&document.id, Some(&text));
        let mut log = entry(&document.connection, &document.id, DOUBLED, clock::now());
        let keys: Vec<&str> = doubles.iter().map(|of| of.our_key.as_str()).collect();
        log.detail = json!({ "our_keys": keys, "stand": names }).to_string();
        change.log(log);
        self.commit(change).await
    }

    /// Visma shows one at most. It may not be the one that we knew.
    async fn tell_single(
        &self,
        company: &Company,
        document: &DocumentRow,
    ) -> Result<(), SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        change.set_attention(&document.id, asked_beside(document));
        let mut left = Vec::new();
        let postings = self.store.postings_of(&document.id).await?;
        // It stands in the company that its route led to before: that one's index tells.
        if postings.iter().any(|row| row.company != company.id) {
            return Ok(());
        }
        for row in postings {
            if !matches!(row.step, Step::Create | Step::TakeBack) {
                continue;
            }
            let live = self.live_under(company, &row.our_key).await?;
            if let ([(kind, number)], Some(known)) = (live.as_slice(), &row.visma_number)
                && number != known
            {
                change.renumber(&document.id, known, (kind, number), at);
            }
            left.extend(live.into_iter().map(|(kind, number)| format!("{kind} {number}")));
        }
        let action = "not_doubled_any_more";
        let mut log = entry(&document.connection, &document.id, action, at);
        log.detail = json!({ "stand": left, "was": document.visma_number }).to_string();
        change.log(log);
        self.commit(change).await
    }

    /// Type and number of the live documents under one key, as the index shows them.
    pub async fn live_under(
        &self,
        company: &Company,
        our_key: &str,
    ) -> Result<Vec<(String, String)>, SyncError> {
        let orders = self.store.erp_orders_by_our_key(&company.id, our_key).await?;
        let invoices = self.store.erp_invoices_by_our_key(&company.id, our_key).await?;
        let orders = orders.into_iter().filter(|order| order.is_live());
        let invoices = invoices.into_iter().filter(|invoice| invoice.is_live());
        Ok(orders
            .map(|order| (order.order_type, order.number))
            .chain(invoices.map(|invoice| (invoice.document_type, invoice.number)))
            .collect())
    }

    /// Whether the index shows no other live document under the key.
    pub(super) async fn is_alone(
        &self,
        company: &Company,
        our_key: Option<&str>,
        number: &str,
    ) -> Result<bool, SyncError> {
        let live = self.live_under(company, our_key.unwrap_or_default()).await?;
        Ok(live.iter().all(|(_, other)| other == number))
    }

    /// The hold of a document that stands in Visma more than once, or whose credit note does.
    pub async fn doubled_hold(
        &self,
        company: &Company,
        document: &DocumentRow,
    ) -> Result<Option<Hold>, SyncError> {
        let key = |step| ids::our_key(&company.id, &document.id, document.corrections, step, "");
        let keys = [key(Step::Create), key(Step::TakeBack)];
        let doubles = self.store.doubled_among(&company.id, &keys).await?;
        let names: Vec<&str> =
            doubles.iter().flat_map(|of| of.names.iter().map(String::as_str)).collect();
        Ok((!names.is_empty()).then(|| Hold::doubled_in_visma(&names)))
    }

    /// A list does not tell what was deleted: the documents themselves do. Whether anything was asked.
    pub(super) async fn ask_about_doubles(&self, company: &Company) -> Result<bool, SyncError> {
        let mut doubles = self.store.doubled_keys(&company.id).await?;
        fastrand::shuffle(&mut doubles);
        for double in doubles.iter().take(ASKED) {
            self.check_lease()?;
            let mut change = Change::new();
            let at = clock::now();
            for order in self.store.erp_orders_by_our_key(&company.id, &double.our_key).await? {
                match company.client.order(&order.number).await {
                    Ok((fresh, _)) => change.keep_erp_order(&company.id, &fresh),
                    Err(visma::Error::NotFound { .. }) => {
                        change.forget_erp_order(&company.id, &order.number);
                        change.company_moved(&company.id, at);
                    }
                    Err(error) => not_asked(&order.number, &error),
                }
            }
            for invoice in self.store.erp_invoices_by_our_key(&company.id, &double.our_key).await? {
                let (kind, number) = (&invoice.document_type, &invoice.number);
                match company.client.invoice(kind, number).await {
                    Ok((fresh, _)) => keep_invoice(company, &fresh, &mut change),
                    Err(visma::Error::NotFound { .. }) => {
                        change.forget_erp_invoice(&company.id, (kind, number));
                        change.company_moved(&company.id, at);
                    }
                    Err(error) => not_asked(number, &error),
                }
            }
            self.commit(change).await?;
        }
        Ok(!doubles.is_empty())
    }
}

fn not_asked(number: &str, error: &visma::Error) {
    tracing::warn!(number, %error, "a document that stands twice could not be read again; the next round does it");
}

/// What the document asks attention for beside being doubled.
pub fn asked_beside(document: &DocumentRow) -> Option<&str> {
    let text = document.attention.as_deref()?;
    match document.attention_code() {
        Some(DOUBLED) => text.split_once(ALSO).map(|(_, before)| before),
        Some(_) | None => Some(text),
    }
}

/// What is left of an attention when all else is well.
pub fn doubled_alone(document: &DocumentRow) -> Option<&str> {
    let text = document.attention.as_deref()?;
    let alone = text.split_once(ALSO).map_or(text, |(doubled, _)| doubled);
    (document.attention_code() == Some(DOUBLED)).then_some(alone)
}
