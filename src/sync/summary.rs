//! Counts and sums: seen = posted + held + ignored + in flight, always.

use crate::procurement::{Currency, DocumentKind};
use crate::store::{DocumentState, Store, StoreError};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where everything ever seen stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub received: i64,
    pub posted: i64,
    pub held: i64,
    /// Cancelled documents are counted here too.
    pub ignored: i64,
    pub in_flight: i64,
    /// A part of `in_flight`: documents with a write whose answer was lost.
    pub uncertain: i64,
    pub money: Vec<MoneyTotals>,
}

/// The same in money, orders apart from invoices; credit notes are negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyTotals {
    /// `orders` (net) or `invoices` (gross).
    pub of: &'static str,
    pub currency: String,
    pub seen: String,
    pub posted: String,
    pub held: String,
    pub ignored: String,
    pub in_flight: String,
}

/// Requests of one round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    pub visma: u64,
    pub jaggaer: u64,
}

#[derive(Default)]
struct Sums {
    posted: i64,
    held: i64,
    ignored: i64,
    in_flight: i64,
}

impl Sums {
    fn add(&mut self, state: DocumentState, amount: i64) {
        let sum = match state {
            DocumentState::Posted => &mut self.posted,
            DocumentState::Held => &mut self.held,
            DocumentState::Ignored | DocumentState::Cancelled => &mut self.ignored,
            DocumentState::Unread
            | DocumentState::Waiting
            | DocumentState::Ready
            | DocumentState::Posting => &mut self.in_flight,
        };
        *sum += amount;
    }
}

pub async fn totals(store: &Store) -> Result<Totals, StoreError> {
    let mut counts = Sums::default();
    let mut money: BTreeMap<(&'static str, String), Sums> = BTreeMap::new();
    for group in store.document_counts().await? {
        let state = DocumentState::parse(&group.state)
            .ok_or_else(|| StoreError::Content(format!("document state `{}`", group.state)))?;
        counts.add(state, group.count);
        let of = match DocumentKind::parse(&group.kind) {
            Some(DocumentKind::PurchaseOrder) => "orders",
            Some(DocumentKind::SupplierInvoice | DocumentKind::CreditNote) => "invoices",
            None => return Err(StoreError::Content(format!("document kind `{}`", group.kind))),
        };
        if !group.currency.is_empty() {
            money.entry((of, group.currency)).or_default().add(state, group.amount_minor);
        }
    }
    let uncertain = i64::try_from(store.uncertain_documents().await?.len()).unwrap_or(i64::MAX);
    Ok(Totals {
        received: counts.posted + counts.held + counts.ignored + counts.in_flight,
        posted: counts.posted,
        held: counts.held,
        ignored: counts.ignored,
        in_flight: counts.in_flight,
        uncertain,
        money: money
            .into_iter()
            .map(|((of, currency), sums)| {
                let decimals = Currency::parse(&currency).map_or(2, |currency| currency.decimals());
                let text = |minor: i64| Decimal::new(minor, decimals).to_string();
                MoneyTotals {
                    of,
                    seen: text(sums.posted + sums.held + sums.ignored + sums.in_flight),
                    posted: text(sums.posted),
                    held: text(sums.held),
                    ignored: text(sums.ignored),
                    in_flight: text(sums.in_flight),
                    currency,
                }
            })
            .collect(),
    })
}
