//! Visma's own lists of orders, invoices and credit notes, and whose each row is.

use super::{Desk, SyncError};
use crate::procurement::{ErpInvoice, ErpOrder, InvoiceKind};
use crate::reconcile::{Booked, Of, Owner};
use crate::store::Identities;
use crate::sync::engine::Company;
use crate::visma::{self, InvoiceFilter, OrderFilter, UnreadableRow};
use jiff::civil::Date;
use std::collections::BTreeMap;

impl Desk<'_> {
    /// Everything dated on that day or later.
    pub(super) async fn list_of_visma(
        &self,
        company: &Company,
        from: Date,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<Booked>, SyncError> {
        // A row that changes while the list is read comes again: the later version counts.
        let mut rows: BTreeMap<(Of, String), (Booked, Option<String>)> = BTreeMap::new();
        let mut unreadable: Vec<(Of, UnreadableRow)> = Vec::new();
        let filter = InvoiceFilter { doc_date_from: Some(from), ..InvoiceFilter::default() };
        let mut pager = company.client.invoices(&filter);
        while let Some(page) = pager.next().await? {
            (self.check)()?;
            unreadable.extend(page.unreadable.into_iter().map(|row| (Of::Invoices, row)));
            let read = page.rows.iter().filter_map(|row| invoice(&company.id, row));
            rows.extend(read.map(|row| ((Of::Invoices, row.0.name()), row)));
        }
        if !pager.complete() {
            return Err(SyncError::Incomplete { list: "supplierInvoice".into() });
        }
        let filter = OrderFilter { order_date_from: Some(from), ..OrderFilter::default() };
        let mut pager = company.client.orders(&filter);
        while let Some(page) = pager.next().await? {
            (self.check)()?;
            unreadable.extend(page.unreadable.into_iter().map(|row| (Of::Orders, row)));
            let read = page.rows.iter().map(|row| order(&company.id, row));
            rows.extend(read.map(|row| ((Of::Orders, row.0.name()), row)));
        }
        if !pager.complete() {
            return Err(SyncError::Incomplete { list: "purchaseorder".into() });
        }
        // Asked after the lists: whatever of ours they show was planned before, and is known.
        let known = self.store.visma_identities(&company.id).await?;
        let mut booked: Vec<Booked> = rows
            .into_values()
            .map(|(row, key)| Booked {
                owner: owner(&row, key.as_deref(), &known),
                is_taken_back: is_taken_back(&row, key.as_deref(), &known),
                ..row
            })
            .collect();
        for (of, row) in unreadable {
            match unreadable_row(&company.id, of, &row, &known) {
                Some(ours) => booked.push(ours),
                None => remarks.push(format!(
                    "{}: the row {} of Visma's list cannot be read, and is none of ours as far as can be seen ({})",
                    company.id, row.key, row.reason
                )),
            }
        }
        Ok(booked)
    }
}

fn owner(row: &Booked, key: Option<&str>, known: &Identities) -> Owner {
    let by_key = key.and_then(|key| known.by_key.get(key));
    let kind = match row.of {
        Of::Orders => "",
        Of::Invoices => row.document_type.as_str(),
    };
    let by_number = || known.by_number.get(&(kind.to_owned(), row.number.clone()));
    match (by_key.or_else(by_number), key) {
        (Some(document), _) => Owner::Document(document.clone()),
        (None, Some(_)) => Owner::Unknown,
        (None, None) => Owner::ByHand,
    }
}

fn is_taken_back(row: &Booked, key: Option<&str>, known: &Identities) -> bool {
    let name = || (row.document_type.clone(), row.number.clone());
    row.of == Of::Invoices
        && (key.is_some_and(|key| known.credit_keys.contains(key))
            || known.taken_back.contains(&name()))
}

/// `None`: neither an invoice nor a credit note.
fn invoice(company: &str, row: &ErpInvoice) -> Option<(Booked, Option<String>)> {
    let amount = match row.kind? {
        InvoiceKind::Invoice => row.gross,
        InvoiceKind::CreditNote => row.gross.negated(),
    };
    let booked = Booked {
        company: company.to_owned(),
        of: Of::Invoices,
        document_type: row.document_type.clone(),
        number: row.number.clone(),
        supplier: row.supplier.clone(),
        on: row.document_on,
        amount: Some(amount),
        status: row.status.clone(),
        is_live: row.is_live(),
        is_over: false,
        has_closed_lines: false,
        is_taken_back: false,
        unreadable: None,
        owner: Owner::ByHand,
    };
    Some((booked, row.our_key.clone()))
}

fn order(company: &str, row: &ErpOrder) -> (Booked, Option<String>) {
    let booked = Booked {
        company: company.to_owned(),
        of: Of::Orders,
        document_type: row.order_type.clone(),
        number: row.number.clone(),
        supplier: row.supplier.clone(),
        on: row.ordered_on,
        amount: row.net,
        status: row.status.clone(),
        is_live: row.is_live(),
        is_over: row.is_over(),
        has_closed_lines: row.lines.iter().any(|line| line.cancelled || line.completed),
        is_taken_back: false,
        unreadable: None,
        owner: Owner::ByHand,
    };
    (booked, row.our_key.clone())
}

/// A row that cannot be read but names a document of ours, by its number or by our key in it.
fn unreadable_row(
    company: &str,
    of: Of,
    row: &UnreadableRow,
    known: &Identities,
) -> Option<Booked> {
    let (document_type, number) = row.key.split_once(' ')?;
    if of == Of::Invoices {
        visma::invoice_kind(document_type)?;
    }
    let mut booked = Booked {
        company: company.to_owned(),
        of,
        document_type: document_type.to_owned(),
        number: number.to_owned(),
        supplier: String::new(),
        on: None,
        amount: None,
        status: String::new(),
        is_live: true,
        is_over: false,
        has_closed_lines: false,
        is_taken_back: false,
        unreadable: Some(row.reason.clone()),
        owner: Owner::ByHand,
    };
    let key = known.by_key.keys().find(|key| row.texts.contains(key.as_str()));
    booked.owner = owner(&booked, key.map(String::as_str), known);
    booked.is_taken_back = is_taken_back(&booked, key.map(String::as_str), known);
    matches!(booked.owner, Owner::Document(_)).then_some(booked)
}
