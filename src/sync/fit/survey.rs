//! The throw-away store after the run, as the report counts it.

use crate::decide::{Decision, Wait, WaitFor};
use crate::fit::{Fate, Judged, KnownVendor, VendorStanding, is_supposed};
use crate::mapping::{
    Dimensions, SupplierFault, Suppliers, named_codes, resolve, suggest_supplier, unfilled,
};
use crate::procurement::{Currency, Document, Money, Plan, PostingMode, VendorRef};
use crate::store::{DocumentFilter, DocumentRow, DocumentState, HoldRow, Step};
use crate::sync::engine::{Connection, Engine, KnownReference};
use crate::sync::error::SyncError;
use crate::sync::gather::{order_numbers, read_document};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the run saw.
pub struct Seen {
    pub documents: Vec<Judged>,
    /// Of the source, but taken by no connection.
    pub unrouted: Vec<Judged>,
    pub vendors: BTreeMap<String, KnownVendor>,
    /// Of the documents that the connection takes.
    pub dimensions: Dimensions,
}

/// Every document, and every vendor that one names.
pub async fn documents(
    engine: &Engine,
    connection: &Connection,
    reference: &KnownReference,
    posted: &BTreeSet<String>,
) -> Result<Seen, SyncError> {
    let store = &engine.store;
    let known_vendors = connection.source.vendors();
    let suppliers = Suppliers {
        tables: &connection.rules.mapping,
        vendors: &known_vendors,
        reference: &reference.data,
        index: &reference.suppliers,
    };
    let mut holds: HashMap<String, Vec<HoldRow>> = HashMap::new();
    for hold in store.holds().await? {
        holds.entry(hold.document.clone()).or_default().push(hold);
    }
    let mut seen = Seen {
        documents: Vec::new(),
        unrouted: Vec::new(),
        vendors: BTreeMap::new(),
        dimensions: Dimensions::default(),
    };
    for document in of_connection(engine, "").await? {
        let held = holds.remove(&document.id).unwrap_or_default();
        seen.unrouted.push(Judged {
            kind: document.kind,
            on: date(&document),
            amount: amount(&document),
            fate: fate(engine, &document, held).await?,
            vendor: None,
            codes: BTreeMap::new(),
            unfilled: BTreeSet::new(),
            orders: Vec::new(),
            number: document.number,
        });
    }
    for document in of_connection(engine, &connection.id).await? {
        engine.check()?;
        let revision = store.revision(&document.id, document.latest_revision).await?;
        let profile = &connection.source.profile;
        let content = revision.and_then(|of| read_document(profile, &document, &of.raw).ok());
        let held = holds.remove(&document.id).unwrap_or_default();
        let fate = match posted.contains(&document.id) {
            true => Fate::AlreadyInVisma,
            false => fate(engine, &document, held).await?,
        };
        let (named, unit, orders) = match &content {
            None => (None, None, Vec::new()),
            Some(Document::Order(of)) => {
                (Some(&of.vendor), of.business_unit.as_deref(), vec![of.number.clone()])
            }
            Some(Document::Invoice(of)) => {
                (Some(&of.vendor), of.business_unit.as_deref(), order_numbers(of))
            }
        };
        let vendor = named.map(|named| {
            let key = key(named);
            let standing = standing(named, unit, suppliers);
            let known = seen
                .vendors
                .entry(key.clone())
                .or_insert_with(|| KnownVendor { shown: shown(named), standing: standing.clone() });
            // One that is found for one business unit only is still to be looked at.
            if matches!(standing, VendorStanding::Unmatched { .. }) {
                known.standing = standing;
            }
            key
        });
        let tables = &connection.rules.mapping;
        if let Some(content) = &content {
            seen.dimensions.add(content);
        }
        seen.documents.push(Judged {
            kind: document.kind,
            on: date(&document),
            amount: amount(&document),
            fate,
            vendor,
            unfilled: content
                .as_ref()
                .map(|of| unfilled(of, tables, &reference.data))
                .unwrap_or_default(),
            codes: content.map(|of| named_codes(&of, tables, &reference.data)).unwrap_or_default(),
            orders,
            number: document.number,
        });
    }
    Ok(seen)
}

/// Empty: those that no connection takes.
async fn of_connection(engine: &Engine, id: &str) -> Result<Vec<DocumentRow>, SyncError> {
    let mut documents = engine.store.documents(&DocumentFilter::default()).await?;
    documents.retain(|of| of.connection == id);
    Ok(documents)
}

fn date(document: &DocumentRow) -> Option<Date> {
    document.document_on.as_deref()?.parse().ok()
}

fn amount(document: &DocumentRow) -> Option<Money> {
    let currency = Currency::parse(document.currency.as_deref()?).ok()?;
    Some(Money::new(document.amount_minor?, currency))
}

async fn fate(
    engine: &Engine,
    document: &DocumentRow,
    holds: Vec<HoldRow>,
) -> Result<Fate, SyncError> {
    Ok(match document.state {
        DocumentState::Held => Fate::Held(holds.iter().map(HoldRow::hold).collect()),
        DocumentState::Posting => Fate::WouldPost,
        DocumentState::Posted => match &document.visma_number {
            Some(number) if !is_supposed(number) => Fate::AlreadyInVisma,
            Some(_) | None => Fate::WouldPost,
        },
        DocumentState::Waiting => {
            let waits: Vec<Wait> = document
                .waiting
                .as_deref()
                .and_then(|waits| serde_json::from_str(waits).ok())
                .unwrap_or_default();
            let approval = |wait: &Wait| wait.on == WaitFor::Reference("approval".into());
            if waits.iter().any(approval) { Fate::NotRipe } else { Fate::Waits(waits) }
        }
        // Ready: something about it alone stopped it from being judged; the log says what.
        DocumentState::Unread | DocumentState::Ready => Fate::Unread,
        DocumentState::Cancelled => Fate::Ignored("cancelled in JAGGAER".into()),
        DocumentState::Ignored => {
            let decided = engine.store.decision_at(&document.id, i64::MAX).await?;
            match decided.and_then(|of| of.decision) {
                Some(Decision::Ignore(reason)) => Fate::Ignored(reason),
                _ => Fate::Ignored("not taken".into()),
            }
        }
    })
}

/// Under which a person can link it; else its name.
fn key(named: &VendorRef) -> String {
    let of = [&named.source_id, &named.erp_number, &named.name];
    of.into_iter().flatten().next().cloned().unwrap_or_default()
}

fn shown(named: &VendorRef) -> String {
    match (key(named), &named.name) {
        (key, Some(name)) if *name != key => format!("{key} ({name})"),
        (key, _) if key.is_empty() => "without a number".into(),
        (key, _) => key,
    }
}

fn standing(named: &VendorRef, unit: Option<&str>, suppliers: Suppliers<'_>) -> VendorStanding {
    match resolve(named, unit, suppliers) {
        Ok(settled) => VendorStanding::Matched(settled.by),
        Err(fault) => {
            let suggestion = suggest_supplier(named, unit, suppliers);
            let candidates = suggestion.map(|of| of.candidates).unwrap_or_default();
            VendorStanding::Unmatched { why: why(&fault), candidates }
        }
    }
}

fn why(fault: &SupplierFault) -> String {
    match fault {
        SupplierFault::Unknown { tried, .. } if tried.is_empty() => {
            "it carries no number to look for".into()
        }
        SupplierFault::Unknown { tried, .. } => format!("no supplier has {}", tried.join(", ")),
        SupplierFault::LinkBroken { number, .. } => {
            format!("it is linked to {number}, which Visma does not have")
        }
        SupplierFault::Conflict { says, .. } => {
            format!("its numbers disagree: {}", says.join("; "))
        }
        SupplierFault::Ambiguous { by, suppliers, .. } => {
            format!("several suppliers have {by}: {}", suppliers.join(", "))
        }
        SupplierFault::Blocked { number, name, status } => {
            format!("supplier {number} ({name}) is {status} in Visma")
        }
    }
}

/// Documents that would be written, and the calls for it.
pub struct Work {
    pub documents: u64,
    pub writes: u64,
}

/// Of what is planned and dated from the day on.
pub async fn work_of_plans(
    engine: &Engine,
    connection: &Connection,
    from: Date,
    posted: &BTreeSet<String>,
) -> Result<Work, SyncError> {
    let mut work = Work { documents: 0, writes: 0 };
    for document in of_connection(engine, &connection.id).await? {
        if posted.contains(&document.id) || date(&document).is_some_and(|on| on < from) {
            continue;
        }
        let postings = engine.store.postings_of(&document.id).await?;
        let planned = postings.iter().find(|row| row.step == Step::Create && !row.state.is_done());
        let Some(planned) = planned else { continue };
        work.documents += 1;
        work.writes += match serde_json::from_str::<Plan>(&planned.plan) {
            Ok(Plan::Invoice(plan)) => {
                let release = u64::from(plan.mode == PostingMode::Released);
                1 + plan.attachments.len() as u64 + release
            }
            Ok(Plan::Order(_)) | Err(_) => 1,
        };
    }
    Ok(work)
}

/// How many documents dated from the day on would be posted now.
pub async fn would_post(
    engine: &Engine,
    connection: &Connection,
    from: Date,
    posted: &BTreeSet<String>,
) -> Result<u64, SyncError> {
    let goes = |of: &DocumentRow| {
        (posted.contains(&of.id)
            || matches!(of.state, DocumentState::Posting | DocumentState::Posted))
            && date(of).is_none_or(|on| on >= from)
    };
    Ok(of_connection(engine, &connection.id).await?.iter().filter(|of| goes(of)).count() as u64)
}
