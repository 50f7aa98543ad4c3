//! One document from ready to its decision, and the decision into the store: documents are judged
//! one by one, each decision becomes a change with its entry in the trail, and the changes of those
//! that have nothing to do with each other are committed together.

mod adopt;
mod batch;
mod carry_out;
mod change_of_posted;
mod claim;
mod correction;
mod gone;
mod planned;
mod redecide;
mod traces;

pub use correction::{Correction, correction, credited_by_hand, not_to_be_taken_back};
pub use planned::planned_posting;

use crate::decide::{self, Decision, Evidence, History, Hold, Inputs, Verdict};
use crate::procurement::{Document, DocumentKind, Vendor};
use crate::store::{Change, CommitError, DecidedFrom, DocumentRow, DocumentState, RevisionRow};
use crate::sync::CrashPoint;
use crate::sync::engine::{Connection, Engine, KnownReference, entry};
use crate::sync::error::SyncError;
use crate::sync::gather::{Gatherer, read_document};
use batch::Touched;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Documents committed at a time.
const TOGETHER: usize = 64;

/// A decision with what it was made from.
struct Judged<'a> {
    connection: &'a Connection,
    reference: &'a KnownReference,
    document: &'a DocumentRow,
    revision: RevisionRow,
    history: History,
    decision: Decision,
    evidence: Evidence,
    /// For a credit note: the supplier's number of the invoice it takes back.
    credits: Option<String>,
    /// The state that carrying it out took the document to; empty until then.
    taken_to: OnceLock<DocumentState>,
}

/// A document with the raw revision that is judged, read.
struct Read<'a> {
    document: &'a DocumentRow,
    revision: RevisionRow,
    content: Result<Document, Vec<Hold>>,
}

/// What the documents of one connection are judged by.
struct Basis<'a> {
    connection: &'a Connection,
    reference: &'a KnownReference,
    vendors: &'a BTreeMap<String, Vendor>,
    gatherer: Gatherer<'a>,
}

impl Engine {
    /// Judges everything of these kinds that is ready or waiting. Returns how many documents moved.
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
        let vendors = connection.source.vendors();
        let basis = self.basis(connection, &reference, &vendors);
        let mut documents = Vec::new();
        for kind in kinds {
            for state in [DocumentState::Ready, DocumentState::Waiting] {
                documents.extend(self.store.documents_to_work(&connection.id, *kind, state).await?);
            }
        }
        batch::in_canonical_order(&mut documents);

        let mut moved = 0;
        let mut changes = Vec::new();
        let mut touched = Touched::default();
        for document in &documents {
            self.check()?;
            let read = match self.read(&basis, document).await {
                Ok(read) => read,
                Err(error) => {
                    skip(document, error)?;
                    continue;
                }
            };
            let touches = match &read.content {
                Ok(content) => batch::touches(content, &basis.gatherer),
                Err(_) => Vec::new(),
            };
            if changes.len() == TOGETHER || touched.any_of(&touches) {
                moved += self.keep_together(&basis, std::mem::take(&mut changes)).await?;
                touched.clear();
            }
            match self.judge_read(&basis, read).await {
                Ok(Some(change)) => {
                    changes.push((document, change));
                    touched.add(touches);
                }
                Ok(None) => {}
                Err(error) => skip(document, error)?,
            }
        }
        moved += self.keep_together(&basis, changes).await?;
        Ok(moved)
    }

    fn basis<'a>(
        &'a self,
        connection: &'a Connection,
        reference: &'a KnownReference,
        vendors: &'a BTreeMap<String, Vendor>,
    ) -> Basis<'a> {
        let gatherer = Gatherer {
            store: &self.store,
            source: &connection.source.id,
            routing: &connection.source.router.routing,
            company: &connection.company.id,
            profile: &connection.source.profile,
            rules: &connection.rules,
            reference: &reference.data,
            suppliers: &reference.suppliers,
            groups: &reference.groups,
            vendors,
            time_zone: &connection.company.time_zone,
        };
        Basis { connection, reference, vendors, gatherer }
    }

    /// Commits decisions that do not touch each other. Returns how many documents moved.
    async fn keep_together(
        &self,
        basis: &Basis<'_>,
        changes: Vec<(&DocumentRow, Change)>,
    ) -> Result<u64, SyncError> {
        if changes.is_empty() {
            return Ok(0);
        }
        let (documents, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        let commits = changes.into_iter().map(|change| self.commit(change));
        let results = futures_util::future::join_all(commits).await;
        let mut moved = 0;
        for (document, result) in documents.into_iter().zip(results) {
            let kept = match result {
                Err(SyncError::Commit(CommitError::Guard(_))) => {
                    self.judge_again(basis, document).await
                }
                other => other,
            };
            match kept {
                Ok(()) => moved += 1,
                Err(error) => skip(document, error)?,
            }
        }
        CrashPoint::DecisionKept.pass();
        Ok(moved)
    }

    /// A guard stopped the first commit: the document moved meanwhile, or another one claimed the
    /// invoice.
    async fn judge_again(
        &self,
        basis: &Basis<'_>,
        document: &DocumentRow,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&document.id).await? else { return Ok(()) };
        if !matches!(document.state, DocumentState::Ready | DocumentState::Waiting) {
            return Ok(());
        }
        let read = self.read(basis, &document).await?;
        if let Some(change) = self.judge_read(basis, read).await? {
            self.commit(change).await?;
        }
        Ok(())
    }

    async fn read<'a>(
        &self,
        basis: &Basis<'_>,
        document: &'a DocumentRow,
    ) -> Result<Read<'a>, SyncError> {
        let revision =
            self.store.revision(&document.id, document.latest_revision).await?.ok_or_else(
                || SyncError::Inner(format!("document {} has no revision", document.id)),
            )?;
        let content = read_document(&basis.connection.source.profile, document, &revision.raw);
        Ok(Read { document, revision, content })
    }

    /// The decision as a change. `None`: nothing moved.
    async fn judge_read(
        &self,
        basis: &Basis<'_>,
        read: Read<'_>,
    ) -> Result<Option<Change>, SyncError> {
        let judged = self.judge_one(basis, read).await?;
        CrashPoint::DecisionMade.pass();
        self.carry_out(&judged).await
    }

    async fn judge_one<'a>(
        &self,
        basis: &Basis<'a>,
        read: Read<'a>,
    ) -> Result<Judged<'a>, SyncError> {
        let Basis { connection, reference, vendors, gatherer } = basis;
        let Read { document, revision, content } = read;
        let credits = match &content {
            Ok(Document::Invoice(invoice)) => invoice.credits_reference.clone(),
            Ok(Document::Order(_)) | Err(_) => None,
        };
        let company = &connection.company.id;
        let (verdict, history) = match content {
            // Its connection led to another company when it was written.
            _ if !document.company.is_empty() && document.company != *company => {
                let to = format!("to the company `{company}` (connection `{}`)", connection.id);
                let decision = Decision::Hold(vec![Hold::route_changed(&document.company, &to)]);
                (Verdict { decision, evidence: Evidence::default() }, History::default())
            }
            Err(holds) => {
                let decision = Decision::Hold(holds);
                (Verdict { decision, evidence: Evidence::default() }, History::default())
            }
            Ok(content) => {
                let history = gatherer.history(document, &revision, &content).await?;
                let inputs = Inputs {
                    rules: &connection.rules,
                    reference: &reference.data,
                    suppliers: &reference.suppliers,
                    vendors,
                    history: &history,
                };
                (decide::document(&content, &inputs), history)
            }
        };
        let Verdict { decision, evidence } = verdict;
        Ok(Judged {
            connection,
            reference,
            document,
            revision,
            history,
            decision,
            evidence,
            credits,
            taken_to: OnceLock::new(),
        })
    }
}

/// One document that cannot be judged stops no other; what concerns all of them does.
fn skip(document: &DocumentRow, error: SyncError) -> Result<(), SyncError> {
    if error.concerns_one_document() {
        tracing::error!(document = document.id, %error, "a document cannot be judged");
        return Ok(());
    }
    Err(error)
}

impl Judged<'_> {
    /// Moves the document and says so in the trail.
    fn to(&self, to: DocumentState, action: &str, detail: Value, at: i64, change: &mut Change) {
        self.taken_to.get_or_init(|| to);
        change.move_document(&self.document.id, self.document.state, to, at);
        let mut log = entry(&self.connection.id, &self.document.id, action, at);
        log.from_state = self.document.state.as_str().into();
        log.to_state = to.as_str().into();
        log.detail = json!({
            "revision": self.revision.n, "rules": self.connection.rules_hash,
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

    /// The decision with its inputs, so that it can be explained and made again, and what it
    /// leaves for the documents after it.
    fn keep(&self, at: i64, change: &mut Change) {
        self.keep_traces(change);
        if self.document.correction_asked {
            change.forget_correction(&self.document.id);
        }
        change.keep_decision(
            (&self.document.id, self.revision.n),
            &self.decision,
            DecidedFrom {
                rules: &self.connection.rules_hash,
                reference: &self.reference.hash,
                profile: self.connection.source.profile.version(),
            },
            &self.history,
            &self.evidence,
            at,
        );
    }
}
