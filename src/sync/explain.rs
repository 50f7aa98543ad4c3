//! Why a document was decided as it was: the decision in force at a moment, made again from the
//! versions that it was made from.

use super::as_of::AsOf;
use super::difference::{differences, plan_of};
use super::error::SyncError;
use super::gather::read_document;
use super::rehearse::{Rehearsed, judge};
use crate::config::Config;
use crate::decide::Rules;
use crate::jaggaer::Profile;
use crate::mapping::{Derivation, derivations};
use crate::procurement::Document;
use crate::store::{DecisionRow, DocumentRow, Store};

/// A decision of the past, and the same one made again.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// As it was kept.
    pub decision: DecisionRow,
    /// What the kept inputs come to now, or which of them is not there any more.
    pub again: Result<Rehearsed, String>,
    /// How the two differ. Empty: the same.
    pub differences: Vec<String>,
    /// Where each value of the plan comes from.
    pub derivations: Vec<Derivation>,
}

impl Explained {
    pub fn is_the_same(&self) -> bool {
        self.again.is_ok() && self.differences.is_empty()
    }
}

/// `None`: nothing was decided about the document until then.
pub async fn explain(
    store: &Store,
    config: &Config,
    document: &DocumentRow,
    at: i64,
) -> Result<Option<Explained>, SyncError> {
    let Some(decision) = store.decision_at(&document.id, at).await? else { return Ok(None) };
    let inputs = inputs_of(store, document, &decision).await?;
    let (again, found) = match inputs {
        Err(missing) => (Err(missing), Vec::new()),
        Ok((content, rules)) => {
            let connection = config.connection(&document.connection).ok_or_else(|| {
                SyncError::Configuration(format!(
                    "the connection `{}` of this document is not in the configuration",
                    document.connection
                ))
            })?;
            let mut as_of = AsOf::begin(store, &connection.company, &connection.source).await?;
            let (reference, vendors) =
                as_of.at(decision.decided_at, &decision.reference_hash).await?;
            let again = judge(&content, &rules, reference, vendors, &decision.history);
            let found = match (&content, decision.decision.as_ref().and_then(plan_of)) {
                (Ok(content), Some(plan)) => derivations(content, plan, &rules.mapping),
                (Ok(_) | Err(_), _) => Vec::new(),
            };
            (Ok(again), found)
        }
    };
    let differences = match (&again, &decision.decision) {
        (Ok(again), Some(kept)) if again.decision != *kept => {
            let named = differences(kept, &again.decision);
            if named.is_empty() { vec!["how it was come to".into()] } else { named }
        }
        (Ok(again), None) if again.decision.name() != decision.outcome => {
            vec![format!("{} -> {}", decision.outcome, again.decision.name())]
        }
        (Ok(_) | Err(_), _) => Vec::new(),
    };
    Ok(Some(Explained { decision, again, differences, derivations: found }))
}

type Inputs = (Result<Document, Vec<crate::decide::Hold>>, Rules);

/// The document as the profile of that time read it, and the rules of that time.
async fn inputs_of(
    store: &Store,
    document: &DocumentRow,
    decision: &DecisionRow,
) -> Result<Result<Inputs, String>, SyncError> {
    if let Some(pruned) = &document.pruned {
        return Ok(Err(pruned.in_words()));
    }
    let Some(revision) = store.revision(&document.id, decision.revision).await? else {
        return Ok(Err(format!("revision {} is not stored", decision.revision)));
    };
    let Some(profile) = store.input_version(&decision.profile_hash).await? else {
        return Ok(Err(format!("the profile {} is not stored", decision.profile_hash)));
    };
    let Some(rules) = store.input_version(&decision.rules_hash).await? else {
        return Ok(Err(format!("the rules {} are not stored", decision.rules_hash)));
    };
    let profile = match Profile::parse("the profile of that time", &profile) {
        Ok(profile) => profile,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let rules: Rules = match serde_json::from_str(&rules) {
        Ok(rules) => rules,
        Err(error) => {
            return Ok(Err(format!(
                "this version does not understand the rules of that time: {error}"
            )));
        }
    };
    Ok(Ok((read_document(&profile, document, &revision.raw), rules)))
}
