//! Decisions as they were made, each with the versions of what it was made from.

use super::{Change, Statement, Store, StoreError, args};
use crate::audit::hash_text;
use crate::decide::{Decision, Evidence, History, Hold, Wait};
use crate::procurement::Plan;
use serde::{Deserialize, Serialize};
use sqlx::Any;

/// One decision about a document.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    pub document: String,
    /// Counts up within the document.
    pub n: i64,
    pub revision: i64,
    /// `None`: it was no plan, and was made before reasons were kept.
    pub decision: Option<Decision>,
    /// [`Decision::name`].
    pub outcome: String,
    pub rules_hash: String,
    pub reference_hash: String,
    pub profile_hash: String,
    pub history: History,
    pub evidence: Evidence,
    pub decided_at: i64,
}

/// What a decision was made from, by hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedFrom<'a> {
    pub rules: &'a str,
    pub reference: &'a str,
    pub profile: &'a str,
}

/// What is kept of a decision beside its plan.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reasons {
    Adopt { document_type: String, number: String },
    Wait(Vec<Wait>),
    Hold(Vec<Hold>),
    Ignore(String),
}

type Columns =
    (i64, i64, String, Option<String>, String, String, String, String, String, String, i64);

impl Store {
    /// All decisions about a document, the oldest first.
    pub async fn decisions_of(&self, document: &str) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select n, revision, outcome, plan, reasons, rules_hash, reference_hash, profile_hash, history, \
             evidence, decided_at from decision where document = $1 order by n",
        )
        .bind(document)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter().map(|row| decision(document, row)).collect()
    }

    /// What the latest decision came to.
    pub async fn last_outcome(&self, document: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select outcome from decision where document = $1 order by n desc limit 1",
        )
        .bind(document)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(outcome,)| outcome))
    }

    /// The decision in force at a moment; at the end of time, the latest.
    pub async fn decision_at(
        &self,
        document: &str,
        at: i64,
    ) -> Result<Option<DecisionRow>, StoreError> {
        let row = sqlx::query_as::<Any, Columns>(
            "select n, revision, outcome, plan, reasons, rules_hash, reference_hash, profile_hash, history, \
             evidence, decided_at from decision where document = $1 and decided_at <= $2 \
             order by n desc limit 1",
        )
        .bind(document)
        .bind(at)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        row.map(|row| decision(document, row)).transpose()
    }
}

fn decision(document: &str, columns: Columns) -> Result<DecisionRow, StoreError> {
    let (n, revision, outcome, plan, reasons, rules, reference, profile, history, evidence, at) =
        columns;
    let content = |error: serde_json::Error| StoreError::Content(error.to_string());
    let plan: Option<Plan> =
        plan.map(|text| serde_json::from_str(&text)).transpose().map_err(content)?;
    let reasons: Option<Reasons> = (!reasons.is_empty())
        .then(|| serde_json::from_str(&reasons))
        .transpose()
        .map_err(content)?;
    let decision = match (outcome.as_str(), plan, reasons) {
        (_, Some(plan), Some(Reasons::Adopt { document_type, number })) => {
            Some(Decision::Adopt { plan: Box::new(plan), document_type, number })
        }
        (_, Some(plan), _) => Some(Decision::Plan(Box::new(plan))),
        (_, None, Some(Reasons::Wait(waits))) => Some(Decision::Wait(waits)),
        (_, None, Some(Reasons::Hold(holds))) => Some(Decision::Hold(holds)),
        (_, None, Some(Reasons::Ignore(reason))) => Some(Decision::Ignore(reason)),
        ("not_ripe", None, _) => Some(Decision::NotRipe),
        ("cancel", None, _) => Some(Decision::Cancel),
        (_, None, _) => None,
    };
    Ok(DecisionRow {
        document: document.to_owned(),
        n,
        revision,
        decision,
        outcome,
        rules_hash: rules,
        reference_hash: reference,
        profile_hash: profile,
        history: serde_json::from_str(&history).map_err(content)?,
        evidence: serde_json::from_str(&evidence).map_err(content)?,
        decided_at: at,
    })
}

impl Change {
    /// A decision with its inputs, so that it can be explained and made again.
    pub fn keep_decision(
        &mut self,
        (document, revision): (&str, i64),
        decision: &Decision,
        from: DecidedFrom<'_>,
        history: &History,
        evidence: &Evidence,
        at: i64,
    ) {
        let text = |plan: &Plan| serde_json::to_string(plan).expect("a plan is plain data");
        let (plan, reasons) = match decision {
            Decision::Plan(plan) => (Some(text(plan)), None),
            Decision::Adopt { plan, document_type, number } => {
                let (document_type, number) = (document_type.clone(), number.clone());
                (Some(text(plan)), Some(Reasons::Adopt { document_type, number }))
            }
            Decision::Wait(waits) => (None, Some(Reasons::Wait(waits.clone()))),
            Decision::Hold(holds) => (None, Some(Reasons::Hold(holds.clone()))),
            Decision::Ignore(reason) => (None, Some(Reasons::Ignore(reason.clone()))),
            Decision::NotRipe | Decision::Cancel => (None, None),
        };
        let reasons = reasons.map_or_else(String::new, |reasons| {
            serde_json::to_string(&reasons).expect("reasons are plain data")
        });
        let hash = plan.as_deref().map(hash_text);
        let history = serde_json::to_string(history).expect("plain data with text keys");
        let evidence = serde_json::to_string(evidence).expect("evidence is plain data");
        self.push(Statement::new(
            "insert into decision (document, n, revision, outcome, plan, plan_hash, reasons, rules_hash, \
             reference_hash, profile_hash, history, evidence, decided_at) \
             select $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 \
             from decision where document = $1",
            args![
                document, revision, decision.name(), plan, hash, reasons, from.rules, from.reference, from.profile,
                history, evidence, at
            ],
        ));
    }
}
