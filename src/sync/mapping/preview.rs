use super::rules_in_force;
use crate::config::{Config, ConnectionConfig};
use crate::decide::{self, Decision, History, Inputs, Rules};
use crate::mapping::SupplierIndex;
use crate::procurement::{Document, Plan, ReferenceData, Supplier, Vendor};
use crate::store::{DocumentRow, DocumentState, Store};
use crate::sync::engine::load_profile;
use crate::sync::error::SyncError;
use crate::sync::gather::{Gatherer, read_document};
use crate::sync::rehearse::Rehearsed;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

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
/// posted yet, and the `latest` posted documents. Changes nothing.
pub async fn preview(
    store: &Store,
    config: &Config,
    connection: &ConnectionConfig,
    other: &Rules,
    latest: i64,
) -> Result<Preview, SyncError> {
    let Some((mut today, _)) = store.reference_data(&connection.company).await? else {
        return Err(SyncError::Inner(
            "the company's reference data was never read: run `ml-connector sync` first".into(),
        ));
    };
    today.suppliers = store.suppliers(&connection.company).await?;
    let known = Known {
        suppliers: SupplierIndex::new(&today),
        vendors: store.vendors(&connection.source).await?,
        rules: rules_in_force(store, connection).await?,
    };
    let source = config.source(&connection.source).expect("the configuration was checked");
    let profile = load_profile(&source.profile, &config.folder)
        .map_err(|error| SyncError::Inner(error.to_string()))?;
    let gatherer = Gatherer { store, source: &connection.source, company: &connection.company };
    let mut preview = Preview::default();

    for state in [DocumentState::Held, DocumentState::Waiting, DocumentState::Ready] {
        for document in store.latest_documents(&connection.id, state, i64::MAX).await? {
            let Some(raw) = store.revision(&document.id, document.latest_revision).await? else {
                continue;
            };
            // What cannot be read is held by any rules.
            let Ok(content) = read_document(&profile, &document, &raw.raw) else { continue };
            let history = gatherer.history(&document, &content).await?;
            let (before, after) = known.both(&content, &today, &history, other);
            preview.open += 1;
            preview.sort_in(document, &before, &after);
        }
    }

    // Neighbours in time were mostly decided from the same version.
    let mut then = (String::new(), today);
    for document in store.latest_documents(&connection.id, DocumentState::Posted, latest).await? {
        let applied = document.applied_revision.unwrap_or(document.latest_revision);
        let Some(raw) = store.revision(&document.id, applied).await? else { continue };
        let Ok(content) = read_document(&profile, &document, &raw.raw) else { continue };
        let Some(from) = store.decided_from(&document.id).await? else { continue };
        let Ok(history) = serde_json::from_str::<History>(&from.history) else { continue };
        if then.0 != from.reference_hash {
            let suppliers = take(&mut then.1.suppliers);
            let of_then = reference_of(store, &from.reference_hash, suppliers).await?;
            then = (from.reference_hash, of_then);
        }
        let (before, after) = known.both(&content, &then.1, &history, other);
        preview.posted += 1;
        let differences = differences(&before, &after);
        if !differences.is_empty() {
            preview.posted_otherwise.push(Affected { document, differences });
        }
    }
    Ok(preview)
}

/// What all decisions of a preview share.
struct Known {
    suppliers: SupplierIndex,
    vendors: BTreeMap<String, Vendor>,
    /// Those in force.
    rules: Rules,
}

impl Known {
    fn both(
        &self,
        content: &Document,
        reference: &ReferenceData,
        history: &History,
        other: &Rules,
    ) -> (Decision, Decision) {
        let decide = |rules| {
            let inputs = Inputs {
                rules,
                reference,
                suppliers: &self.suppliers,
                vendors: &self.vendors,
                history,
            };
            decide::document(content, &inputs).decision
        };
        (decide(&self.rules), decide(other))
    }
}

impl Preview {
    fn sort_in(&mut self, document: DocumentRow, before: &Decision, after: &Decision) {
        let differences = differences(before, after);
        let is_held = |decision: &Decision| matches!(decision, Decision::Hold(_));
        let list = match (is_held(before), is_held(after)) {
            (true, false) => &mut self.releases,
            (false, true) => &mut self.holds,
            (true, true) if !differences.is_empty() => &mut self.held_otherwise,
            (true, true) | (false, false) => return,
        };
        list.push(Affected { document, differences });
    }
}

async fn reference_of(
    store: &Store,
    hash: &str,
    suppliers: BTreeMap<String, Supplier>,
) -> Result<ReferenceData, SyncError> {
    let body = store.kept_input(hash).await?.unwrap_or_default();
    let reference: ReferenceData = serde_json::from_str(&body)
        .map_err(|error| SyncError::Inner(format!("the reference data {hash}: {error}")))?;
    Ok(ReferenceData { suppliers, ..reference })
}

/// How two decisions differ, in words.
fn differences(before: &Decision, after: &Decision) -> Vec<String> {
    if let (Some(before), Some(after)) = (plan(before), plan(after)) {
        let (before, after) = (members(before), members(after));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let text = |members: &BTreeMap<String, String>, name| {
            members
                .get(name)
                .filter(|text| !text.is_empty())
                .map_or("nothing", |text| text)
                .to_owned()
        };
        return names
            .into_iter()
            .map(|name| (name, text(&before, name), text(&after, name)))
            .filter(|(_, before, after)| before != after)
            .map(|(name, before, after)| format!("{name}: {before} -> {after}"))
            .collect();
    }
    let outcome = |decision: &Decision| {
        Rehearsed { decision: decision.clone(), evidence: decide::Evidence::default() }.outcome()
    };
    let (before, after) = (outcome(before), outcome(after));
    if before == after { Vec::new() } else { vec![format!("{before} -> {after}")] }
}

fn plan(decision: &Decision) -> Option<&Plan> {
    match decision {
        Decision::Plan(plan) | Decision::Adopt { plan, .. } => Some(plan),
        Decision::Wait(_)
        | Decision::Hold(_)
        | Decision::Ignore(_)
        | Decision::NotRipe
        | Decision::Cancel => None,
    }
}

/// What a mapping can change of a plan, by its name for people.
fn members(plan: &Plan) -> BTreeMap<String, String> {
    let mut members = BTreeMap::new();
    let mut add = |name: String, value: Option<&str>| {
        members.insert(name, value.unwrap_or_default().to_owned());
    };
    let mut line = |key: &str, parts: [(&str, Option<&str>); 5], segments: &[(i64, String)]| {
        for (name, value) in parts {
            add(format!("line {key}, {name}"), value);
        }
        for (id, value) in segments {
            add(format!("line {key}, segment {id}"), Some(value));
        }
    };
    match plan {
        Plan::Order(plan) => {
            for of in &plan.lines {
                let parts = [
                    ("account", Some(of.account.as_str())),
                    ("VAT category", Some(of.vat_category.as_str())),
                    ("project", of.project.as_deref()),
                    ("unit", of.unit.as_deref()),
                    ("branch", None),
                ];
                line(&of.key, parts, &of.segments);
            }
            add("supplier".into(), Some(&plan.supplier));
            add("terms".into(), plan.terms.as_deref());
            add("branch".into(), plan.branch.as_deref());
        }
        Plan::Invoice(plan) => {
            for of in &plan.lines {
                let parts = [
                    ("account", Some(of.account.as_str())),
                    ("VAT category", Some(of.vat_category.as_str())),
                    ("project", of.project.as_deref()),
                    ("unit", of.unit.as_deref()),
                    ("branch", of.branch.as_deref()),
                ];
                line(&of.key, parts, &of.segments);
            }
            add("supplier".into(), Some(&plan.supplier));
            add("terms".into(), plan.terms.as_deref());
            add("branch".into(), plan.branch.as_deref());
            add("VAT".into(), Some(&plan.vat.to_string()));
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Hold, Wait, WaitFor};
    use crate::procurement::DocumentKind;

    fn document() -> DocumentRow {
        DocumentRow {
            id: "d".into(),
            connection: "no".into(),
            source: "jaggaer".into(),
            kind: DocumentKind::SupplierInvoice,
            source_id: "1".into(),
            feed: "invoices".into(),
            number: "I1".into(),
            order_number: None,
            reference: None,
            supplier: None,
            currency: None,
            amount_minor: None,
            document_on: None,
            state: DocumentState::Held,
            waiting: None,
            attention: None,
            latest_revision: 1,
            recorded_revision: 1,
            applied_revision: None,
            applied_plan: None,
            row_hash: String::new(),
            visma_type: None,
            visma_number: None,
            received_at: 0,
            changed_at: 0,
        }
    }

    fn held(text: &str) -> Decision {
        let hold = Hold { code: "unit_not_mapped".into(), text: text.into(), fix: String::new() };
        Decision::Hold(vec![hold])
    }

    #[test]
    fn a_document_stands_in_the_list_of_what_changes_for_it() {
        let waits = || {
            Decision::Wait(vec![Wait { on: WaitFor::Order("PO-1".into()), text: "Soon.".into() }])
        };
        let cases = [
            (held("A."), waits(), [1, 0, 0]),
            (waits(), held("A."), [0, 1, 0]),
            (held("A."), held("B."), [0, 0, 1]),
            (held("A."), held("A."), [0, 0, 0]),
            (waits(), Decision::Cancel, [0, 0, 0]),
        ];
        for (before, after, expected) in cases {
            let mut preview = Preview::default();
            preview.sort_in(document(), &before, &after);
            let lists = [&preview.releases, &preview.holds, &preview.held_otherwise];
            assert_eq!(lists.map(Vec::len), expected, "{before:?} {after:?}");
        }
        assert_eq!(differences(&held("A."), &waits()), ["A. -> Soon."]);
    }
}
