use crate::config::{Config, ConnectionConfig};
use crate::decide::{Decision, Rules};
use crate::store::{DocumentRow, DocumentState, Store};
use crate::sync::error::SyncError;
use crate::sync::rehearse::{Basis, Comparison, Selection, rehearse_many};
use std::collections::BTreeMap;

/// What other rules would change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// Held now, and not by the other rules.
    pub releases: Vec<Affected>,
    /// On their way now, and held by the other rules.
    pub holds: Vec<Affected>,
    /// Held both ways, but for other reasons.
    pub held_otherwise: Vec<Affected>,
    /// In Visma, and decided again from what was known then they would have been posted otherwise.
    pub posted_otherwise: Vec<Affected>,
    /// Documents that were decided again: held, waiting and ready ones; posted ones.
    pub open: usize,
    pub posted: usize,
}

/// A document for which the other rules make a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Affected {
    pub document: DocumentRow,
    /// In words, for people.
    pub differences: Vec<String>,
}

/// Decides again, by the rules in force and by `other`, everything of a connection that is not
/// posted yet, from what is known today, and the `latest` posted documents, from what was known
/// then. Changes nothing.
pub async fn preview(
    store: &Store,
    config: &Config,
    connection: &ConnectionConfig,
    other: &Rules,
    latest: usize,
) -> Result<Preview, SyncError> {
    let replaced = BTreeMap::from([(connection.id.clone(), other.clone())]);
    let of = |states: &[DocumentState], latest| Selection {
        connection: Some(connection.id.clone()),
        states: states.to_vec(),
        latest,
        ..Selection::default()
    };
    let open = of(&[DocumentState::Held, DocumentState::Waiting, DocumentState::Ready], None);
    let posted = of(&[DocumentState::Posted], Some(latest));
    let open = rehearse_many(store, config, &replaced, &open, Basis::Now).await?;
    let posted = rehearse_many(store, config, &replaced, &posted, Basis::Then).await?;
    let mut preview = Preview { open: open.len(), posted: posted.len(), ..Preview::default() };
    for compared in open {
        preview.sort_in(compared);
    }
    for compared in posted {
        let differences = compared.by_the_rules();
        if !differences.is_empty() {
            preview.posted_otherwise.push(Affected { document: compared.document, differences });
        }
    }
    Ok(preview)
}

impl Preview {
    fn sort_in(&mut self, compared: Comparison) {
        let differences = compared.by_the_rules();
        let is_held = |decision: &Decision| matches!(decision, Decision::Hold(_));
        let (before, after) = (&compared.before.decision, &compared.after.decision);
        let list = match (is_held(before), is_held(after)) {
            (true, false) => &mut self.releases,
            (false, true) => &mut self.holds,
            (true, true) if !differences.is_empty() => &mut self.held_otherwise,
            (true, true) | (false, false) => return,
        };
        list.push(Affected { document: compared.document, differences });
    }
}
