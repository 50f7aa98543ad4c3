//! The book: what the company itself knows about the calls and documents that it got, and what is missing,
//! doubled or wrong when it is told what should have come.

use super::Visma;
use super::order::joined;
use crate::faults::Fault;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    Order,
    Invoice,
    CreditNote,
}

/// A document that should stand in the company, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedDocument {
    pub kind: DocumentKind,
    pub supplier: String,
    /// The supplier's reference of an invoice; the source's order number in an order's `supplierRef`.
    pub reference: String,
    pub currency: String,
    /// Gross of an invoice, net of an order, in the currency's minor unit.
    pub total_minor: i64,
    /// Account, segments joined (`110-000000`), VAT category, cost in the minor unit; sorted.
    pub lines: Vec<(String, String, String, i64)>,
}

/// What the book finds against what was expected; one text for each finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    pub missing: Vec<String>,
    /// One for each document too many.
    pub duplicated: Vec<String>,
    pub wrong: Vec<String>,
    /// Made through the API and not expected.
    pub unexpected: Vec<String>,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallCount {
    pub method: &'static str,
    pub route: &'static str,
    /// 0: the caller got no answer.
    pub status: u16,
    pub count: u64,
}

/// Calls by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub reads: u64,
    pub writes: u64,
    pub tokens: u64,
    pub by_route: Vec<CallCount>,
}

impl Calls {
    /// API calls, without the token endpoint.
    pub fn total(&self) -> u64 {
        self.reads + self.writes
    }
}

/// What the company holds, in its own words.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub calls: Calls,
    /// Documents made through the API, by type and status.
    pub made: BTreeMap<String, usize>,
    /// Documents keyed in by hand, by type and status.
    pub keyed: BTreeMap<String, usize>,
    pub attachments: usize,
    /// Groups of live documents with the same supplier, type and reference, at least one of them made through the API.
    pub repeated: Vec<String>,
    pub unfinished_jobs: usize,
    pub faults: BTreeMap<Fault, u32>,
}

/// A document that stands in the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldDocument {
    pub document: ExpectedDocument,
    /// An order's number, or an invoice's type and number.
    pub number: String,
    pub status: String,
    /// Neither cancelled nor voided.
    pub live: bool,
    /// Keyed in by hand.
    pub keyed: bool,
    /// An invoice's note, an order's first custom text: where callers keep a key of their own.
    pub own_text: Option<String>,
    /// The ledger batch of a released invoice.
    pub batch: Option<String>,
}

impl Visma {
    /// Calls so far.
    pub fn calls(&self) -> Calls {
        let state = self.lock();
        let mut calls = Calls::default();
        for ((method, route, status), count) in &state.counts {
            match (*method, *route) {
                (_, "/connect/token") => calls.tokens += count,
                ("GET", _) => calls.reads += count,
                _ => calls.writes += count,
            }
            calls.by_route.push(CallCount { method, route, status: *status, count: *count });
        }
        calls
    }

    pub fn report(&self) -> Report {
        let calls = self.calls();
        let entries = self.documents();
        let mut made = BTreeMap::new();
        let mut keyed = BTreeMap::new();
        let mut groups: BTreeMap<(DocumentKind, &str, &str), Vec<&HeldDocument>> = BTreeMap::new();
        for entry in &entries {
            let which = if entry.keyed { &mut keyed } else { &mut made };
            *which.entry(format!("{:?} {}", entry.document.kind, entry.status)).or_insert(0) += 1;
            if entry.live && !entry.document.reference.is_empty() {
                groups
                    .entry((
                        entry.document.kind,
                        &entry.document.supplier,
                        &entry.document.reference,
                    ))
                    .or_default()
                    .push(entry);
            }
        }
        let repeated = groups
            .values()
            .filter(|group| group.len() > 1 && group.iter().any(|entry| !entry.keyed))
            .map(|group| {
                let numbers: Vec<&str> = group.iter().map(|entry| entry.number.as_str()).collect();
                format!("{}: {}", name(&group[0].document), numbers.join(", "))
            })
            .collect();
        let state = self.lock();
        let attachments = state.invoices.values().map(|row| row.live.doc.attachments.len()).sum();
        let unfinished_jobs = state.jobs.values().filter(|job| job.reply.is_none()).count();
        Report {
            calls,
            made,
            keyed,
            attachments,
            repeated,
            unfinished_jobs,
            faults: self.board.happened(),
        }
    }

    /// Compares what the company holds with what should have come. A keyed document counts as the expected one,
    /// whatever its coding; a keyed document that nobody expects is nobody's business.
    pub fn check(&self, expected: &[ExpectedDocument]) -> Findings {
        let entries: Vec<HeldDocument> =
            self.documents().into_iter().filter(|entry| entry.live).collect();
        let key = |document: &ExpectedDocument| {
            (document.kind, document.supplier.clone(), document.reference.clone())
        };
        let mut found: BTreeMap<_, Vec<&HeldDocument>> = BTreeMap::new();
        for entry in &entries {
            found.entry(key(&entry.document)).or_default().push(entry);
        }
        let mut wanted: BTreeMap<_, Vec<&ExpectedDocument>> = BTreeMap::new();
        for document in expected {
            wanted.entry(key(document)).or_default().push(document);
        }
        let mut findings = Findings::default();
        for (key, all) in wanted {
            let mut wanted = all.clone();
            let mut there = found.remove(&key).unwrap_or_default();
            // Those that fit in every field pair up first, so that a wrong one is told as wrong.
            wanted.retain(|document| {
                match there.iter().position(|entry| same(&entry.document, document)) {
                    Some(at) => {
                        there.remove(at);
                        false
                    }
                    None => true,
                }
            });
            for document in wanted {
                match there.iter().position(|entry| entry.keyed).or(if there.is_empty() {
                    None
                } else {
                    Some(0)
                }) {
                    None => findings.missing.push(name(document)),
                    Some(at) => {
                        let entry = there.remove(at);
                        if !entry.keyed {
                            findings.wrong.push(difference(entry, document));
                        }
                    }
                }
            }
            // What a person keyed in under a number of another year is no second one of it.
            findings.duplicated.extend(
                there
                    .iter()
                    .filter(|entry| {
                        !entry.keyed || all.iter().any(|one| same(&entry.document, one))
                    })
                    .map(|entry| format!("{}: {} too", name(&entry.document), entry.number)),
            );
        }
        for entries in found.values() {
            findings.unexpected.extend(
                entries
                    .iter()
                    .filter(|entry| !entry.keyed)
                    .map(|entry| format!("{}: {}", name(&entry.document), entry.number)),
            );
        }
        findings
    }

    /// Every document. Jobs whose answer nobody waited for have been done by then.
    pub fn documents(&self) -> Vec<HeldDocument> {
        self.with_desk(|desk| {
            desk.run_jobs(true);
            let minor = |amount: Decimal, currency: &str| {
                (amount * Decimal::from(10i64.pow(desk.decimals(currency))))
                    .to_i64()
                    .unwrap_or(i64::MAX)
            };
            let mut entries = Vec::new();
            for row in desk.state.orders.values() {
                let order = &row.live.doc;
                let lines = order.lines.iter().map(|line| {
                    (
                        line.account.clone().unwrap_or_default(),
                        joined(desk.masters, &line.segments),
                        line.vat_category.clone().unwrap_or_default(),
                        minor(line.amount, &order.currency),
                    )
                });
                entries.push(HeldDocument {
                    document: document(
                        DocumentKind::Order,
                        &order.supplier,
                        order.reference.as_deref(),
                        &order.currency,
                        minor(order.totals.net, &order.currency),
                        lines,
                    ),
                    number: order.number.clone(),
                    status: order.status.clone(),
                    live: !matches!(order.status.as_str(), "Cancelled" | "Voided"),
                    keyed: row.keyed,
                    own_text: order.custom[0].clone(),
                    batch: None,
                });
            }
            for row in desk.state.invoices.values() {
                let invoice = &row.live.doc;
                let kind = match invoice.document_type {
                    "DebitAdj" => DocumentKind::CreditNote,
                    _ => DocumentKind::Invoice,
                };
                let lines = invoice.lines.iter().map(|line| {
                    (
                        line.account.clone(),
                        joined(desk.masters, &line.segments),
                        line.vat_category.clone().unwrap_or_default(),
                        minor(line.cost, &invoice.currency),
                    )
                });
                entries.push(HeldDocument {
                    document: document(
                        kind,
                        &invoice.supplier,
                        invoice.reference.as_deref(),
                        &invoice.currency,
                        minor(invoice.gross(), &invoice.currency),
                        lines,
                    ),
                    number: format!("{} {}", invoice.document_type, invoice.number),
                    status: invoice.status.clone(),
                    live: invoice.status != "Voided",
                    keyed: row.keyed,
                    own_text: invoice.note.clone(),
                    batch: invoice.batch.clone(),
                });
            }
            entries
        })
    }
}

fn document(
    kind: DocumentKind,
    supplier: &str,
    reference: Option<&str>,
    currency: &str,
    total_minor: i64,
    lines: impl Iterator<Item = (String, String, String, i64)>,
) -> ExpectedDocument {
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    ExpectedDocument {
        kind,
        supplier: supplier.into(),
        reference: reference.unwrap_or_default().into(),
        currency: currency.into(),
        total_minor,
        lines,
    }
}

fn same(one: &ExpectedDocument, other: &ExpectedDocument) -> bool {
    let mut lines = other.lines.clone();
    lines.sort();
    one.currency == other.currency && one.total_minor == other.total_minor && one.lines == lines
}

fn name(document: &ExpectedDocument) -> String {
    format!("{:?} {:?} of supplier {}", document.kind, document.reference, document.supplier)
}

fn difference(entry: &HeldDocument, expected: &ExpectedDocument) -> String {
    let found = &entry.document;
    format!(
        "{} ({}): {} {} with lines {:?}, expected {} {} with lines {:?}",
        name(expected),
        entry.number,
        found.total_minor,
        found.currency,
        found.lines,
        expected.total_minor,
        expected.currency,
        expected.lines
    )
}
