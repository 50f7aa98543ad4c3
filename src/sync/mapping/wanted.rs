use super::rules_in_force;
use crate::config::{Config, ConnectionConfig};
use crate::mapping::{
    Dimensions, Filling, NamedCode, Suggested, Suggestion, SupplierIndex, Suppliers, fillings,
    suggest, suggest_supplier, unfilled, unplaced,
};
use crate::procurement::Document;
use crate::store::{DocumentState, Store};
use crate::sync::engine::load_profile;
use crate::sync::error::SyncError;
use crate::sync::gather::read_document;
use std::collections::{BTreeMap, BTreeSet};

/// What held documents lack in the mapping, with what it could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub segments: Vec<WantedSegment>,
    pub codes: Vec<WantedCode>,
    pub vendors: Vec<WantedVendor>,
}

/// A segment of the subaccount that has no value where documents need one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedSegment {
    pub id: i64,
    /// Visma's name of it.
    pub name: String,
    /// The numbers of the documents that it holds.
    pub documents: Vec<String>,
    pub fillings: Vec<Filling>,
}

/// A code that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCode {
    pub code: NamedCode,
    /// The numbers of the documents that it holds.
    pub documents: Vec<String>,
    pub suggestions: Vec<Suggested>,
}

/// A vendor that leads to no one supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedVendor {
    pub suggestion: Suggestion,
    /// The numbers of the documents that it holds.
    pub documents: Vec<String>,
}

/// Holds that a link between a vendor and a supplier ends.
const LINK_HELPS: [&str; 4] =
    ["supplier_unknown", "supplier_conflict", "supplier_ambiguous", "supplier_link_broken"];

/// Goes through the held documents of a connection. Changes nothing.
pub async fn wanted(
    store: &Store,
    config: &Config,
    connection: &ConnectionConfig,
) -> Result<Wanted, SyncError> {
    let Some((mut reference, _)) = store.reference_data(&connection.company).await? else {
        return Err(SyncError::Inner(
            "the company's reference data was never read: run `ml-connector sync` first".into(),
        ));
    };
    reference.suppliers = store.suppliers(&connection.company).await?;
    let vendors = store.vendors(&connection.source).await?;
    let index = SupplierIndex::new(&reference);
    let tables = rules_in_force(store, connection).await?.mapping;
    let suppliers =
        Suppliers { tables: &tables, vendors: &vendors, reference: &reference, index: &index };
    let source = config.source(&connection.source).expect("the configuration was checked");
    let profile = load_profile(&source.profile, &config.folder)
        .map_err(|error| SyncError::Inner(error.to_string()))?;
    let mut dimensions = Dimensions::default();
    let mut segments: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut codes: BTreeMap<NamedCode, Vec<String>> = BTreeMap::new();
    let mut unknown: BTreeMap<String, WantedVendor> = BTreeMap::new();
    for document in store.latest_documents(&connection.id, DocumentState::Held, i64::MAX).await? {
        let Some(raw) = store.revision(&document.id, document.latest_revision).await? else {
            continue;
        };
        let Ok(content) = read_document(&profile, &document, &raw.raw) else { continue };
        let holds = store.holds_of(&document.id).await?;
        let held_by: BTreeSet<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
        dimensions.add(&content);
        if held_by.contains("segment_missing") {
            for id in unfilled(&content, &tables, &reference) {
                segments.entry(id).or_default().push(document.number.clone());
            }
        }
        for code in unplaced(&content, &tables, &reference) {
            if code.holds_as().iter().any(|as_code| held_by.contains(as_code)) {
                codes.entry(code).or_default().push(document.number.clone());
            }
        }
        if !LINK_HELPS.iter().any(|code| held_by.contains(code)) {
            continue;
        }
        let (named, unit) = match &content {
            Document::Order(order) => (&order.vendor, order.business_unit.as_deref()),
            Document::Invoice(invoice) => (&invoice.vendor, invoice.business_unit.as_deref()),
        };
        if let Some(suggestion) = suggest_supplier(named, unit, suppliers) {
            let key = suggestion.link_by.clone().unwrap_or_else(|| suggestion.vendor.clone());
            let of = unknown.entry(key);
            let of = of.or_insert(WantedVendor { suggestion, documents: Vec::new() });
            of.documents.push(document.number.clone());
        }
    }
    let codes = codes.into_iter().map(|(code, documents)| WantedCode {
        suggestions: suggest(&code, &tables, &reference),
        code,
        documents,
    });
    let segments = segments.into_iter().map(|(id, documents)| WantedSegment {
        id,
        name: reference.segments.get(&id).map_or_else(String::new, |of| of.description.clone()),
        fillings: fillings(id, &dimensions, &tables, &reference),
        documents,
    });
    let segments = segments.collect();
    Ok(Wanted { segments, codes: codes.collect(), vendors: unknown.into_values().collect() })
}
