//! What would be decided about a document today, from what is stored. Changes nothing.

use super::engine::load_profile;
use super::error::SyncError;
use super::gather::{Gatherer, read_document};
use super::links::with_links;
use crate::config::Config;
use crate::decide::{self, Decision, Evidence, History, Inputs, Verdict};
use crate::mapping::SupplierIndex;
use crate::procurement::Plan;
use crate::store::{DocumentRow, Store};

/// A decision that was made to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    pub decision: Decision,
    pub evidence: Evidence,
}

impl Rehearsed {
    pub fn plan(&self) -> Option<&Plan> {
        match &self.decision {
            Decision::Plan(plan) | Decision::Adopt { plan, .. } => Some(plan),
            Decision::Wait(_)
            | Decision::Hold(_)
            | Decision::Ignore(_)
            | Decision::NotRipe
            | Decision::Cancel => None,
        }
    }

    /// The outcome in words.
    pub fn outcome(&self) -> String {
        match &self.decision {
            Decision::Plan(_) => "posted".into(),
            Decision::Adopt { number, .. } => format!("taken over from Visma as {number}"),
            Decision::Wait(waits) => join(waits.iter().map(|wait| wait.text.as_str())),
            Decision::Hold(holds) => join(holds.iter().map(|hold| hold.text.as_str())),
            Decision::Ignore(reason) => reason.clone(),
            Decision::NotRipe => "it is not approved in JAGGAER yet".into(),
            Decision::Cancel => "it is cancelled in JAGGAER".into(),
        }
    }
}

pub async fn rehearse(
    store: &Store,
    config: &Config,
    document: &DocumentRow,
) -> Result<Rehearsed, SyncError> {
    let inner = |text: String| SyncError::Inner(text);
    let connection = config.connection(&document.connection).ok_or_else(|| {
        inner(format!(
            "the connection `{}` of this document is not in the configuration",
            document.connection
        ))
    })?;
    let source = config.source(&connection.source).expect("the configuration was checked");
    let profile =
        load_profile(&source.profile, &config.folder).map_err(|error| inner(error.to_string()))?;
    let revision = store
        .revision(&document.id, document.latest_revision)
        .await?
        .ok_or_else(|| inner("nothing of the document was read yet".into()))?;
    let Some((mut reference, _)) = store.reference_data(&connection.company).await? else {
        return Err(inner(
            "the company's reference data was never read: run `ml-connector sync` first".into(),
        ));
    };
    reference.suppliers = store.suppliers(&connection.company).await?;
    let suppliers = SupplierIndex::new(&reference);
    let rules = with_links(&connection.rules, &store.links(&connection.id).await?);
    let vendors = store.vendors(&connection.source).await?;
    let verdict = match read_document(&profile, document, &revision.raw) {
        Err(holds) => Verdict { decision: Decision::Hold(holds), evidence: Evidence::default() },
        Ok(content) => {
            let gatherer =
                Gatherer { store, source: &connection.source, company: &connection.company };
            let history: History = gatherer.history(document, &content).await?;
            let inputs = Inputs {
                rules: &rules,
                reference: &reference,
                suppliers: &suppliers,
                vendors: &vendors,
                history: &history,
            };
            decide::document(&content, &inputs)
        }
    };
    Ok(Rehearsed { decision: verdict.decision, evidence: verdict.evidence })
}

fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(" ")
}
