use super::rules_in_force;
use crate::config::{Config, ConnectionConfig};
use crate::mapping::{Suggested, Unplaced, suggest, unplaced};
use crate::store::{DocumentState, Store};
use crate::sync::engine::load_profile;
use crate::sync::error::SyncError;
use crate::sync::gather::read_document;
use std::collections::{BTreeMap, BTreeSet};

/// A code of held documents that leads nowhere, with what it could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub code: Unplaced,
    /// The numbers of the documents that it holds.
    pub documents: Vec<String>,
    pub suggestions: Vec<Suggested>,
}

/// Goes through the held documents of a connection. Changes nothing.
pub async fn wanted(
    store: &Store,
    config: &Config,
    connection: &ConnectionConfig,
) -> Result<Vec<Wanted>, SyncError> {
    let Some((reference, _)) = store.reference_data(&connection.company).await? else {
        return Err(SyncError::Inner(
            "the company's reference data was never read: run `ml-connector sync` first".into(),
        ));
    };
    let tables = rules_in_force(store, connection).await?.mapping;
    let source = config.source(&connection.source).expect("the configuration was checked");
    let profile = load_profile(&source.profile, &config.folder)
        .map_err(|error| SyncError::Inner(error.to_string()))?;
    let mut found: BTreeMap<Unplaced, Vec<String>> = BTreeMap::new();
    for document in store.latest_documents(&connection.id, DocumentState::Held, i64::MAX).await? {
        let Some(raw) = store.revision(&document.id, document.latest_revision).await? else {
            continue;
        };
        let Ok(content) = read_document(&profile, &document, &raw.raw) else { continue };
        let holds = store.holds_of(&document.id).await?;
        let codes: BTreeSet<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
        for code in unplaced(&content, &tables, &reference) {
            if code.holds_as().iter().any(|as_code| codes.contains(as_code)) {
                found.entry(code).or_default().push(document.number.clone());
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(code, documents)| Wanted {
            suggestions: suggest(&code, &tables, &reference),
            code,
            documents,
        })
        .collect())
}
