//! The rows of the coding table that a document's shares are coded by.

use super::lines::Line;
use super::{Hold, Inputs};
use crate::mapping::{Found, ShareFacts, vat};
use crate::procurement::{Currency, Supplier, VendorRef, parts};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What the rows look at of the document as a whole.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    pub supplier: Option<&'a Supplier>,
    pub vendor: &'a VendorRef,
    pub business_unit: Option<&'a str>,
    pub currency: Currency,
    /// The day it is booked on.
    pub on: Date,
}

/// What the table says of the whole document.
#[derive(Default)]
pub(super) struct OfDocument<'a> {
    pub terms: Option<&'a str>,
    pub branch: Option<&'a str>,
}

/// The row of each part of a line, in the order of [`parts`].
pub(super) fn rows<'a>(
    line: &Line<'_>,
    header: Header<'_>,
    inputs: &Inputs<'a>,
) -> Vec<Option<Found<'a>>> {
    let tables = &inputs.rules.mapping;
    let values = parts(line.distributions);
    if tables.coding.is_empty() {
        return vec![None; values.len()];
    }
    let taxes = vat::stated(line.taxes, line.document_taxes);
    let vendor = header.vendor.source_id.as_deref();
    let known = vendor.and_then(|id| inputs.vendors.get(id));
    let facts = |values| ShareFacts {
        supplier: header.supplier.map(|supplier| supplier.number.as_str()),
        vendor,
        category: known.and_then(|vendor| vendor.category.as_deref()),
        business_unit: header.business_unit,
        currency: header.currency.code(),
        on: header.on,
        item: line.item,
        commodity: line.commodity,
        tax: taxes.first().filter(|_| taxes.len() == 1).map(String::as_str),
        amount: line.net.amount(),
        values,
    };
    values.iter().map(|values| tables.coding.find(&facts(values), tables)).collect()
}

/// Terms are one for the document: rows that name different ones hold it. A branch is the
/// document's when every share has it.
pub(super) fn of_document<'a>(
    lines: &[Line<'_>],
    header: Header<'_>,
    inputs: &Inputs<'a>,
    holds: &mut Vec<Hold>,
) -> OfDocument<'a> {
    if inputs.rules.mapping.coding.is_empty() {
        return OfDocument::default();
    }
    let found: Vec<Option<Found<'a>>> =
        lines.iter().flat_map(|line| rows(line, header, inputs)).collect();
    let mut terms: BTreeMap<&str, usize> = BTreeMap::new();
    for found in found.iter().flatten() {
        if let Some(said) = &found.outcome.terms {
            let row = terms.entry(said).or_insert(found.row);
            *row = found.row.min(*row);
        }
    }
    if terms.len() > 1 {
        holds.push(Hold::coding_terms_differ(&terms));
    }
    let branches: BTreeSet<Option<&str>> = found
        .iter()
        .map(|found| found.as_ref().and_then(|found| found.outcome.branch.as_deref()))
        .collect();
    OfDocument {
        terms: terms.into_keys().next(),
        branch: branches.first().copied().flatten().filter(|_| branches.len() == 1),
    }
}
