//! What would be decided about documents, from what is stored: today, with other rules, or with what
//! was known when they were decided. Changes nothing, asks nobody.

use super::as_of::AsOf;
use super::difference::{self, differences};
use super::engine::{KnownReference, load_profile};
use super::error::SyncError;
use super::gather::{Gatherer, read_document};
use super::mapping::rules_in_force;
use crate::config::{Config, ConnectionConfig};
use crate::decide::{self, Decision, Evidence, History, Hold, Inputs, Routing, Rules, Verdict};
use crate::jaggaer::Profile;
use crate::mapping::{SupplierGroups, SupplierIndex};
use crate::procurement::{Document, DocumentKind, Plan, Vendor};
use crate::store::{
    DecisionRow, DocumentFilter, DocumentRow, DocumentState, HoldRow, RevisionRow, Store,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// A decision that was made to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    pub decision: Decision,
    pub evidence: Evidence,
}

impl Rehearsed {
    pub fn plan(&self) -> Option<&Plan> {
        difference::plan_of(&self.decision)
    }

    /// The outcome in words.
    pub fn outcome(&self) -> String {
        difference::outcome(&self.decision)
    }
}

/// Which documents. What is left open does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub connection: Option<String>,
    pub states: Vec<DocumentState>,
    pub kind: Option<DocumentKind>,
    /// Held for this code, or posted with an attention of this code.
    pub code: Option<String>,
    /// Visma's supplier number, as known since the document was planned.
    pub supplier: Option<String>,
    /// Dated in this month: `2026-03`.
    pub month: Option<String>,
    /// Dated on this day or later: `2026-03-01`.
    pub since: Option<String>,
    /// Only so many, those that came last.
    pub latest: Option<usize>,
}

impl Selection {
    /// In order of arrival.
    pub async fn documents(&self, store: &Store) -> Result<Vec<DocumentRow>, SyncError> {
        let filter = DocumentFilter {
            connection: self.connection.clone(),
            state: match self.states.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            kind: self.kind,
            supplier: self.supplier.clone(),
            month: self.month.clone(),
            limit: None,
        };
        let mut documents = store.documents(&filter).await?;
        let mut codes: HashMap<String, Vec<String>> = HashMap::new();
        if self.code.is_some() {
            for hold in store.holds().await? {
                codes.entry(hold.document).or_default().push(hold.code);
            }
        }
        documents.retain(|document| {
            let held_for = |code: &String| {
                codes.get(&document.id).is_some_and(|held| held.contains(code))
                    || document.attention_code() == Some(code)
            };
            let date = document.document_on.as_deref().unwrap_or("");
            (self.states.is_empty() || self.states.contains(&document.state))
                && self.code.as_ref().is_none_or(held_for)
                && self.since.as_ref().is_none_or(|since| date >= since.as_str())
        });
        if let Some(latest) = self.latest {
            documents.drain(..documents.len().saturating_sub(latest));
        }
        Ok(documents)
    }
}

/// What a rehearsal knows beside the document and the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What was known when the document was decided last: only the rules differ.
    Then,
    /// What is known today.
    Now,
}

/// One document under two sets of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub document: DocumentRow,
    /// As it was decided last. `None`: it was not yet, or the reasons of that time were not kept.
    pub recorded: Option<Decision>,
    /// With the rules in force.
    pub before: Rehearsed,
    /// With the other rules.
    pub after: Rehearsed,
}

impl Comparison {
    /// What the other rules change, everything else being equal.
    pub fn by_the_rules(&self) -> Vec<String> {
        differences(&self.before.decision, &self.after.decision)
    }

    /// What would be otherwise than it stands in Visma, or else than it was decided.
    pub fn to_what_stands(&self) -> Vec<String> {
        match (applied_plan(&self.document), &self.recorded) {
            (Some(stands), _) => {
                differences(&Decision::Plan(Box::new(stands)), &self.after.decision)
            }
            (None, Some(recorded)) => differences(recorded, &self.after.decision),
            (None, None) => self.by_the_rules(),
        }
    }

    /// Stopped with the rules in force, posted with the others.
    pub fn is_let_go(&self) -> bool {
        self.before.plan().is_none() && self.after.plan().is_some()
    }

    /// Posted with the rules in force, stopped with the others.
    pub fn is_stopped(&self) -> bool {
        self.before.plan().is_some() && self.after.plan().is_none()
    }
}

/// The plan that stands in Visma.
pub fn applied_plan(document: &DocumentRow) -> Option<Plan> {
    serde_json::from_str(document.applied_plan.as_deref()?).ok()
}

/// What would be decided about one document today.
pub async fn rehearse(
    store: &Store,
    config: &Config,
    document: &DocumentRow,
) -> Result<Rehearsed, SyncError> {
    if document.connection.is_empty() {
        return unrouted(store, document).await;
    }
    let desk = Desk::open(store, config, &document.connection).await?;
    let today = desk.today().await?;
    desk.judge_today(&today, document).await
}

/// The same for many, in their order. What was never read, and what has no body any more, is left out.
pub async fn rehearse_each(
    store: &Store,
    config: &Config,
    documents: Vec<DocumentRow>,
) -> Result<Vec<(DocumentRow, Rehearsed)>, SyncError> {
    let mut desks: BTreeMap<String, (Desk<'_>, Today)> = BTreeMap::new();
    let mut rehearsed = Vec::new();
    for document in documents {
        if document.latest_revision == 0 || document.pruned.is_some() {
            continue;
        }
        if document.connection.is_empty() {
            let of = unrouted(store, &document).await?;
            rehearsed.push((document, of));
            continue;
        }
        if !desks.contains_key(&document.connection) {
            let desk = Desk::open(store, config, &document.connection).await?;
            let today = desk.today().await?;
            desks.insert(document.connection.clone(), (desk, today));
        }
        let (desk, today) = &desks[&document.connection];
        let of = desk.judge_today(today, &document).await?;
        rehearsed.push((document, of));
    }
    Ok(rehearsed)
}

/// What no connection takes is held for that, and by no rules.
async fn unrouted(store: &Store, document: &DocumentRow) -> Result<Rehearsed, SyncError> {
    let holds = store.holds_of(&document.id).await?.iter().map(HoldRow::hold).collect();
    Ok(Rehearsed { decision: Decision::Hold(holds), evidence: Evidence::default() })
}

/// Judges every selected document with the rules in force and with those that replace them, by
/// connection. A connection that is not named keeps its rules. What was never read, and what has no body any more,
/// is left out.
pub async fn rehearse_many(
    store: &Store,
    config: &Config,
    replaced: &BTreeMap<String, Rules>,
    selection: &Selection,
    basis: Basis,
) -> Result<Vec<Comparison>, SyncError> {
    let mut by_connection: BTreeMap<String, Vec<DocumentRow>> = BTreeMap::new();
    for document in selection.documents(store).await? {
        let is_here = document.latest_revision > 0 && document.pruned.is_none();
        if is_here && config.connection(&document.connection).is_some() {
            by_connection.entry(document.connection.clone()).or_default().push(document);
        }
    }
    let mut compared = Vec::new();
    for (connection, documents) in by_connection {
        let desk = Desk::open(store, config, &connection).await?;
        let other = replaced.get(&connection).unwrap_or(&desk.rules);
        match basis {
            Basis::Now => desk.compare_now(documents, other, &mut compared).await?,
            Basis::Then => desk.compare_then(documents, other, &mut compared).await?,
        }
    }
    Ok(compared)
}

/// What every document of a connection is judged with.
struct Desk<'a> {
    store: &'a Store,
    connection: &'a ConnectionConfig,
    /// In force today.
    rules: Rules,
    profile: Profile,
    routing: Routing,
    time_zone: TimeZone,
}

struct Today {
    reference: KnownReference,
    vendors: BTreeMap<String, Vendor>,
}

impl<'a> Desk<'a> {
    async fn open(
        store: &'a Store,
        config: &'a Config,
        connection: &str,
    ) -> Result<Self, SyncError> {
        let connection = config.connection(connection).ok_or_else(|| {
            SyncError::Configuration(format!(
                "the connection `{connection}` of the document is not in the configuration"
            ))
        })?;
        let source = config.source(&connection.source).expect("the configuration was checked");
        let profile = load_profile(&source.profile, &config.folder)
            .map_err(|error| SyncError::Configuration(error.to_string()))?;
        let company = config.company(&connection.company).expect("the configuration was checked");
        let time_zone = company.time_zone.clone();
        let rules = rules_in_force(store, connection).await?;
        let routing = config
            .routing(&connection.source)
            .map_err(|error| SyncError::Configuration(error.to_string()))?;
        Ok(Self { store, connection, rules, profile, routing, time_zone })
    }

    async fn today(&self) -> Result<Today, SyncError> {
        let company = &self.connection.company;
        let Some((mut data, hash)) = self.store.reference_data(company).await? else {
            return Err(SyncError::Inner(
                "the company's reference data was never read: run `ml-connector sync` first".into(),
            ));
        };
        data.suppliers = self.store.suppliers(company).await?;
        let suppliers = SupplierIndex::new(&data);
        let groups = SupplierGroups::new(&data);
        let vendors = self.store.vendors(&self.connection.source).await?;
        Ok(Today { reference: KnownReference { data, suppliers, groups, hash }, vendors })
    }

    async fn judge_today(
        &self,
        today: &Today,
        document: &DocumentRow,
    ) -> Result<Rehearsed, SyncError> {
        let (content, history) = self.read(today, document, document.latest_revision).await?;
        Ok(judge(&content, &self.rules, &today.reference, &today.vendors, &history))
    }

    /// A revision of the document, and what bears on it today.
    async fn read(
        &self,
        today: &Today,
        document: &DocumentRow,
        revision: i64,
    ) -> Result<(Result<Document, Vec<Hold>>, History), SyncError> {
        let revision = self.revision(document, revision).await?;
        let content = read_document(&self.profile, document, &revision.raw);
        let history = match &content {
            Ok(content) => {
                let gatherer = Gatherer {
                    store: self.store,
                    source: &self.connection.source,
                    routing: &self.routing,
                    company: &self.connection.company,
                    profile: &self.profile,
                    rules: &self.rules,
                    reference: &today.reference.data,
                    suppliers: &today.reference.suppliers,
                    groups: &today.reference.groups,
                    vendors: &today.vendors,
                    time_zone: &self.time_zone,
                };
                gatherer.history(document, &revision, content).await?
            }
            Err(_) => History::default(),
        };
        Ok((content, history))
    }

    async fn revision(
        &self,
        document: &DocumentRow,
        revision: i64,
    ) -> Result<RevisionRow, SyncError> {
        if let Some(pruned) = &document.pruned {
            return Err(SyncError::Inner(pruned.in_words()));
        }
        self.store
            .revision(&document.id, revision)
            .await?
            .ok_or_else(|| SyncError::Inner("nothing of the document was read yet".into()))
    }

    async fn compare_now(
        &self,
        documents: Vec<DocumentRow>,
        other: &Rules,
        compared: &mut Vec<Comparison>,
    ) -> Result<(), SyncError> {
        let today = self.today().await?;
        for document in documents {
            let recorded = self.store.decision_at(&document.id, i64::MAX).await?;
            let (content, history) = self.read(&today, &document, document.latest_revision).await?;
            let judge = |rules| judge(&content, rules, &today.reference, &today.vendors, &history);
            compared.push(Comparison {
                recorded: recorded.and_then(|row| row.decision),
                before: judge(&self.rules),
                after: judge(other),
                document,
            });
        }
        Ok(())
    }

    /// Documents that were never decided have no *then*, and are left out.
    async fn compare_then(
        &self,
        documents: Vec<DocumentRow>,
        other: &Rules,
        compared: &mut Vec<Comparison>,
    ) -> Result<(), SyncError> {
        let mut decided: Vec<(DocumentRow, DecisionRow)> = Vec::new();
        for document in documents {
            if let Some(decision) = self.store.decision_at(&document.id, i64::MAX).await? {
                decided.push((document, decision));
            }
        }
        decided.sort_by_key(|(_, decision)| decision.decided_at);
        let (company, source) = (&self.connection.company, &self.connection.source);
        let mut as_of = AsOf::begin(self.store, company, source).await?;
        for (document, decision) in decided {
            let revision = self.revision(&document, decision.revision).await?;
            let content = read_document(&self.profile, &document, &revision.raw);
            let (reference, vendors) =
                as_of.at(decision.decided_at, &decision.reference_hash).await?;
            let judge = |rules| judge(&content, rules, reference, vendors, &decision.history);
            compared.push(Comparison {
                before: judge(&self.rules),
                after: judge(other),
                recorded: decision.decision,
                document,
            });
        }
        Ok(())
    }
}

/// The pure decision, over content that could be read or not.
pub(super) fn judge(
    content: &Result<Document, Vec<Hold>>,
    rules: &Rules,
    reference: &KnownReference,
    vendors: &BTreeMap<String, Vendor>,
    history: &History,
) -> Rehearsed {
    let verdict = match content {
        Err(holds) => {
            Verdict { decision: Decision::Hold(holds.clone()), evidence: Evidence::default() }
        }
        Ok(content) => {
            let inputs = Inputs {
                rules,
                reference: &reference.data,
                suppliers: &reference.suppliers,
                vendors,
                history,
            };
            decide::document(content, &inputs)
        }
    };
    Rehearsed { decision: verdict.decision, evidence: verdict.evidence }
}
