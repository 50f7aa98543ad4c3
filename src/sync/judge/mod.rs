//! One document from ready to its decision, and the decision into the store: a batch is judged
//! document by document, each decision becomes a change with its entry in the trail, and the changes
//! are committed together.

mod adopt;
mod carry_out;
mod change_of_posted;
mod claim;
mod planned;

pub use planned::planned_posting;

use crate::audit::hash_text;
use crate::decide::{self, Decision, Evidence, History, Hold, Inputs, Verdict};
use crate::procurement::{DocumentKind, Vendor};
use crate::store::{Change, CommitError, DocumentRow, DocumentState, RevisionRow};
use crate::sync::CrashPoint;
use crate::sync::engine::{Connection, Engine, KnownReference, RulesInForce, entry};
use crate::sync::error::SyncError;
use crate::sync::gather::{Gatherer, read_document};
use planned::plan_text;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Documents judged and committed at a time.
const TOGETHER: usize = 64;

/// A decision with what it was made from.
struct Judged<'a> {
    connection: &'a Connection,
    reference: &'a KnownReference,
    rules: Arc<RulesInForce>,
    document: &'a DocumentRow,
    revision: RevisionRow,
    history: History,
    decision: Decision,
    evidence: Evidence,
}

impl Engine {
    /// Judges everything of one kind that is ready or waiting. Returns how many documents moved.
    pub async fn judge(
        &self,
        connection: &Arc<Connection>,
        kinds: &[DocumentKind],
    ) -> Result<u64, SyncError> {
        let Some(reference) = connection.company.reference() else {
            return Err(SyncError::Inner(
                "the reference data of the company is not read yet".into(),
            ));
        };
        let vendors = connection.vendors();
        let mut moved = 0;
        for kind in kinds {
            for state in [DocumentState::Ready, DocumentState::Waiting] {
                let documents = self.store.documents_to_work(&connection.id, *kind, state).await?;
                for chunk in documents.chunks(TOGETHER) {
                    self.check()?;
                    let mut changes = Vec::new();
                    for document in chunk {
                        let change = async {
                            let judged =
                                self.judge_one(connection, &reference, &vendors, document).await?;
                            CrashPoint::DecisionMade.pass();
                            self.carry_out(&judged).await
                        };
                        match change.await {
                            Ok(Some(change)) => changes.push((document, self.commit(change))),
                            Ok(None) => {}
                            Err(error) if error.concerns_one_document() => {
                                tracing::error!(document = document.id, %error, "a document cannot be judged");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    let (documents, commits): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
                    let results = futures_util::future::join_all(commits).await;
                    for (document, result) in documents.into_iter().zip(results) {
                        match result {
                            Ok(()) => moved += 1,
                            Err(SyncError::Commit(CommitError::Guard(_))) => {
                                let again = self
                                    .judge_again(connection, &reference, &vendors, document)
                                    .await;
                                match again {
                                    Ok(()) => moved += 1,
                                    Err(error) if error.concerns_one_document() => {
                                        tracing::error!(document = document.id, %error, "a decision cannot be kept");
                                    }
                                    Err(error) => return Err(error),
                                }
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    CrashPoint::DecisionKept.pass();
                }
            }
        }
        Ok(moved)
    }

    /// A guard stopped the first commit: another document of the same batch claimed the invoice.
    async fn judge_again(
        &self,
        connection: &Arc<Connection>,
        reference: &Arc<KnownReference>,
        vendors: &BTreeMap<String, Vendor>,
        document: &DocumentRow,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&document.id).await? else { return Ok(()) };
        if !matches!(document.state, DocumentState::Ready | DocumentState::Waiting) {
            return Ok(());
        }
        let judged = self.judge_one(connection, reference, vendors, &document).await?;
        if let Some(change) = self.carry_out(&judged).await? {
            self.commit(change).await?;
        }
        Ok(())
    }

    async fn judge_one<'a>(
        &self,
        connection: &'a Arc<Connection>,
        reference: &'a Arc<KnownReference>,
        vendors: &BTreeMap<String, Vendor>,
        document: &'a DocumentRow,
    ) -> Result<Judged<'a>, SyncError> {
        let revision =
            self.store.revision(&document.id, document.latest_revision).await?.ok_or_else(
                || SyncError::Inner(format!("document {} has no revision", document.id)),
            )?;
        let rules = connection.in_force();
        let (verdict, history) =
            match read_document(&connection.source.profile, document, &revision.raw) {
                Err(holds) => {
                    let decision = Decision::Hold(holds);
                    (Verdict { decision, evidence: Evidence::default() }, History::default())
                }
                Ok(content) => {
                    let gatherer = Gatherer {
                        store: &self.store,
                        source: &connection.source.id,
                        company: &connection.company.id,
                    };
                    let history = gatherer.history(document, &content).await?;
                    let inputs = Inputs {
                        rules: &rules.rules,
                        reference: &reference.data,
                        suppliers: &reference.suppliers,
                        vendors,
                        history: &history,
                    };
                    (decide::document(&content, &inputs), history)
                }
            };
        let Verdict { decision, evidence } = verdict;
        Ok(Judged { connection, reference, rules, document, revision, history, decision, evidence })
    }
}

impl Judged<'_> {
    /// Moves the document and says so in the trail.
    fn to(&self, to: DocumentState, action: &str, detail: Value, at: i64, change: &mut Change) {
        change.move_document(&self.document.id, self.document.state, to, at);
        let mut log = entry(&self.connection.id, &self.document.id, action, at);
        log.from_state = self.document.state.as_str().into();
        log.to_state = to.as_str().into();
        log.detail = json!({
            "revision": self.revision.n, "rules": self.rules.hash,
            "reference": self.reference.hash, "profile": self.connection.source.profile.version(),
            "detail": detail,
        })
        .to_string();
        change.log(log);
    }

    fn hold(&self, holds: &[Hold], at: i64, change: &mut Change) {
        let codes: Vec<&str> = holds.iter().map(|hold| hold.code.as_str()).collect();
        self.to(DocumentState::Held, "held", json!({ "codes": codes }), at, change);
        change.set_holds(&self.document.id, holds, at);
    }

    /// The decision with its inputs, so that it can be explained and made again.
    fn keep(&self, at: i64, change: &mut Change) {
        let (outcome, plan) = match &self.decision {
            Decision::Plan(plan) => ("plan", Some(plan_text(plan))),
            Decision::Adopt { plan, .. } => ("adopt", Some(plan_text(plan))),
            Decision::Wait(_) => ("wait", None),
            Decision::Hold(_) => ("hold", None),
            Decision::Ignore(_) => ("ignore", None),
            Decision::NotRipe => ("not_ripe", None),
            Decision::Cancel => ("cancel", None),
        };
        let hash = plan.as_deref().map(hash_text);
        let history =
            serde_json::to_string(&self.history).expect("history is plain data with text keys");
        let evidence = serde_json::to_string(&self.evidence).expect("evidence is plain data");
        change.keep_decision(
            &self.document.id,
            self.revision.n,
            outcome,
            plan.as_deref().zip(hash.as_deref()),
            (&self.rules.hash, &self.reference.hash, self.connection.source.profile.version()),
            &history,
            &evidence,
            at,
        );
    }
}
