//! What is kept here of the periods, and what of it either list could show.

use super::jaggaer::Listing;
use super::{Desk, SyncError};
use crate::jaggaer::Entity;
use crate::procurement::{Currency, DocumentKind, Money};
use crate::reconcile::{Booked, Month, Of, Own, Owner, Period, Standing};
use crate::store::{DocumentState, StandingRow};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Desk<'_> {
    /// Documents of the periods, and those that the lists name.
    pub(super) async fn ours(
        &self,
        listings: &[Listing],
        periods: &[Period],
        began_at: i64,
    ) -> Result<Vec<Own>, SyncError> {
        let mut own = Vec::new();
        for listing in listings {
            let source = &listing.source.id;
            let zone = self.zone_of(source);
            let mut rows: BTreeMap<String, StandingRow> = BTreeMap::new();
            for period in periods {
                let (month, received) = match period {
                    Period::All { .. } => (String::new(), (i64::MIN, i64::MAX)),
                    Period::Month(month) => (month.to_string(), received_in(*month, &zone)),
                };
                for row in self.store.standings(source, &month, received).await? {
                    rows.insert(row.id.clone(), row);
                }
            }
            let named: Vec<&str> = listing
                .rows
                .keys()
                .filter(|id| !rows.contains_key(*id))
                .map(String::as_str)
                .collect();
            let elsewhere = self.store.standings_by_id(&named).await?;
            rows.extend(elsewhere.into_iter().map(|row| (row.id.clone(), row)));
            let settled = began_at - self.settle_after;
            let moving = self.store.moving_documents(source, settled).await?;
            for row in rows.into_values() {
                let is_listed = listing.rows.contains_key(&row.id)
                    || (row.received_at < began_at && self.would_be_listed(&row, listing).await?);
                own.push(self.own(row, &zone, is_listed, &moving)?);
            }
        }
        Ok(own)
    }

    /// Whether JAGGAER's list as it was asked for would show the document.
    async fn would_be_listed(
        &self,
        row: &StandingRow,
        listing: &Listing,
    ) -> Result<bool, SyncError> {
        let (entity, of) = match row.kind {
            DocumentKind::PurchaseOrder => (Entity::PurchaseOrders, Of::Orders),
            DocumentKind::SupplierInvoice | DocumentKind::CreditNote => {
                (Entity::Invoices, Of::Invoices)
            }
        };
        let profile = &listing.source.profile;
        let feed = profile.feed(&row.feed).or_else(|| profile.feeds_of(entity).next());
        let Some(feed) = feed.filter(|_| listing.read.contains(&of)) else { return Ok(false) };
        let Some(since) = listing.since.filter(|_| feed.overlap().is_some()) else {
            return Ok(true);
        };
        // When it changed last went with its body: nothing is claimed of it.
        if row.pruned.is_some() {
            return Ok(false);
        }
        // It was asked for what changed since then: a document that did not is not missing.
        let kept = self.store.revision(&row.id, row.latest_revision).await?;
        let body = kept.and_then(|kept| serde_json::from_str::<Value>(&kept.raw).ok());
        let changed_at = body.and_then(|body| feed.stamp(&body)).map(|stamp| stamp.micros);
        Ok(changed_at.unwrap_or(row.received_at) >= since)
    }

    fn own(
        &self,
        row: StandingRow,
        zone: &TimeZone,
        is_listed: bool,
        moving: &BTreeSet<String>,
    ) -> Result<Own, SyncError> {
        let currency = row.currency.as_deref().and_then(|code| Currency::parse(code).ok());
        let of_connection = self.connections.iter().find(|of| of.id == row.connection);
        let company = match row.company.as_str() {
            "" => of_connection.map_or_else(String::new, |of| of.company.id.clone()),
            known => known.to_owned(),
        };
        let received = Timestamp::from_microsecond(row.received_at)
            .map_err(|error| SyncError::Inner(format!("document {}: {error}", row.id)))?;
        Ok(Own {
            is_moving: moving.contains(&row.id),
            is_shown: self.asked.iter().any(|of| of.company.id == company),
            source: row.source,
            connection: row.connection,
            company,
            kind: row.kind,
            number: row.number,
            supplier: row.supplier,
            on: row.document_on.as_deref().and_then(|day| day.parse::<Date>().ok()),
            received_on: received.to_zoned(zone.clone()).date(),
            amount: currency
                .zip(row.amount_minor)
                .map(|(currency, minor)| Money::new(minor, currency)),
            standing: standing(row.state),
            row_hash: row.row_hash,
            pruned: row.pruned.map(|pruned| pruned.in_words()),
            is_listed,
            visma: row.visma_number.map(|number| match row.visma_type {
                Some(kind) => format!("{kind} {number}"),
                None => number,
            }),
            id: row.id,
        })
    }

    /// What is posted and not among Visma's rows may be dated there before the day that they were asked for from.
    pub(super) async fn what_visma_shows(
        &self,
        own: &mut [Own],
        booked: &[Booked],
        from: Date,
    ) -> Result<(), SyncError> {
        let shown: BTreeSet<&str> = booked
            .iter()
            .filter_map(|row| match &row.owner {
                Owner::Document(id) => Some(id.as_str()),
                Owner::Unknown | Owner::ByHand => None,
            })
            .collect();
        for of in own.iter_mut() {
            if of.standing != Standing::Posted || !of.is_shown || shown.contains(of.id.as_str()) {
                continue;
            }
            let Some(name) = &of.visma else { continue };
            let (kind, number) = name.split_once(' ').unwrap_or(("", name));
            let day = match of.kind {
                DocumentKind::PurchaseOrder => {
                    let order = self.store.erp_order(&of.company, number).await?;
                    order.and_then(|order| order.ordered_on)
                }
                DocumentKind::SupplierInvoice | DocumentKind::CreditNote => {
                    let invoice = self.store.erp_invoice(&of.company, kind, number).await?;
                    invoice.and_then(|invoice| invoice.document_on)
                }
            };
            of.is_shown = day.is_none_or(|day| day >= from);
        }
        Ok(())
    }
}

/// From the first instant of the month where the company is, until before the first of the next.
fn received_in(month: Month, zone: &TimeZone) -> (i64, i64) {
    let at = |day: Date| {
        let zoned = day.to_zoned(zone.clone());
        zoned.map_or(i64::MAX, |zoned| zoned.timestamp().as_microsecond())
    };
    let next = month.first().saturating_add(jiff::Span::new().months(1));
    (at(month.first()), at(next))
}

fn standing(state: DocumentState) -> Standing {
    match state {
        DocumentState::Posted => Standing::Posted,
        DocumentState::Held => Standing::Held,
        DocumentState::Ignored | DocumentState::Cancelled => Standing::Ignored,
        DocumentState::Unread
        | DocumentState::Waiting
        | DocumentState::Ready
        | DocumentState::Posting => Standing::InFlight,
    }
}
