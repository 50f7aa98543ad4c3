//! From a release to the general ledger: the journal batches that Visma makes are read by their list, matched to
//! our documents by number and type, and held against the plan. A document whose batch differs or does not come
//! stays posted, with attention; when a later look finds it right, the attention goes.

mod batches;
mod person;

use super::engine::{Company, Engine, entry};
use super::error::SyncError;
use super::post::read_plan;
use crate::clock;
use crate::decide::Hold;
use crate::procurement::{ErpBatch, InvoicePlan, Plan};
use crate::store::{Change, CommitError, DocumentRow, LedgerCheck, LedgerState};
use crate::visma::{self, ledger_matches};
use serde_json::json;
use std::sync::Arc;

/// The codes that a check may leave as a document's attention.
pub const NOT_POSTED: &str = "batch_not_posted";
pub const DIFFERS: &str = "ledger_differs";
pub const REFUSED: &str = "release_refused";

/// What a look at one document's batches came to.
struct Finding {
    state: LedgerState,
    batches: Vec<String>,
    differences: Vec<String>,
    hold: Option<Hold>,
}

impl Engine {
    /// Held against the ledger is what is released and not yet found right. Costs no call where nothing
    /// is, and a page or two of a list where something is. What Visma does not let us read is not
    /// verified, and stops nothing.
    pub async fn verify_ledger(&self, company: &Arc<Company>) -> Result<(), SyncError> {
        if company.ledger_patience.is_none() {
            return Ok(());
        }
        let checks = self.store.unsettled_ledger_checks(&company.id).await?;
        if checks.is_empty() {
            return Ok(());
        }
        match self.read_batches(company, &checks).await {
            Ok(()) => {}
            Err(SyncError::Visma(
                error @ (visma::Error::NotFound { .. } | visma::Error::Forbidden { .. }),
            )) => {
                tracing::warn!(company = company.id, %error, "journal batches cannot be read; nothing is verified in the general ledger");
                return Ok(());
            }
            Err(error @ (SyncError::Visma(_) | SyncError::Incomplete { .. })) => {
                tracing::warn!(company = company.id, %error, "journal batches could not be read; the next round looks again");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        for check in self.store.unsettled_ledger_checks(&company.id).await? {
            self.check_lease()?;
            match self.judge_check(company, check).await {
                // It moved meanwhile, or is unreadable; the next round looks again.
                Err(SyncError::Commit(CommitError::Guard(_))) | Ok(()) => {}
                Err(SyncError::Visma(error)) => {
                    tracing::warn!(company = company.id, %error, "a journal batch could not be read again; the next round does it");
                }
                Err(error) if error.concerns_one_document() => {
                    tracing::error!(company = company.id, %error, "a document cannot be held against the ledger");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn judge_check(
        &self,
        company: &Arc<Company>,
        check: LedgerCheck,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&check.document).await? else { return Ok(()) };
        let Some(plan) = plan_of(&check, &document) else { return Ok(()) };
        let invoice =
            self.store.erp_invoice(&company.id, &check.visma_type, &check.visma_number).await?;
        let Some(invoice) = invoice else { return Ok(()) };
        if !invoice.is_live() {
            let finding = Finding {
                state: LedgerState::Void,
                batches: check.batches.clone(),
                differences: Vec::new(),
                hold: None,
            };
            return self.keep_finding(&document, check, finding).await;
        }
        // The list of documents is behind that of the batches, or somebody took the release back.
        if !invoice.is_released() {
            return Ok(());
        }
        let mut batches = self.store.ledger_batches(&check.subject).await?;
        batches.retain(|batch| !batch.is_void());
        let mut differences = differences(&plan, &batches);
        let is_news = check.state != LedgerState::Differs || check.differences != differences;
        if !differences.is_empty() && !batches.is_empty() && is_news {
            // A list may show a batch in two halves or as it was before; the batch itself decides.
            batches = self.read_again(company, &plan, &check, batches).await?;
            differences = self::differences(&plan, &batches);
        }
        let finding = self.finding(company, &check, &batches, differences);
        self.keep_finding(&document, check, finding).await
    }

    fn finding(
        &self,
        company: &Company,
        check: &LedgerCheck,
        batches: &[ErpBatch],
        differences: Vec<String>,
    ) -> Finding {
        let name = format!("{} {}", check.visma_type, check.visma_number);
        let numbers: Vec<String> = batches.iter().map(|batch| batch.number.clone()).collect();
        let patience = company.ledger_patience.unwrap_or_default();
        let waited = clock::now() - check.since >= patience;
        let unposted: Vec<String> = batches
            .iter()
            .filter(|batch| !batch.is_posted())
            .map(|batch| format!("{} ({})", batch.number, batch.status))
            .collect();
        let (state, differences, hold) = if !batches.is_empty() && !differences.is_empty() {
            let hold = Hold::ledger_differs(&name, &numbers, &differences);
            (LedgerState::Differs, differences, Some(hold))
        } else if !batches.is_empty() && unposted.is_empty() {
            (LedgerState::Verified, Vec::new(), None)
        } else if waited {
            let hold = Hold::batch_not_posted(&name, &unposted);
            (LedgerState::NotPosted, Vec::new(), Some(hold))
        } else {
            (LedgerState::Open, Vec::new(), None)
        };
        Finding { state, batches: numbers, differences, hold }
    }

    async fn read_again(
        &self,
        company: &Company,
        plan: &InvoicePlan,
        check: &LedgerCheck,
        batches: Vec<ErpBatch>,
    ) -> Result<Vec<ErpBatch>, SyncError> {
        let mut change = Change::new();
        let mut fresh = Vec::new();
        for batch in batches {
            let own = match company.client.batch(&batch.number).await {
                Ok(Some(read)) => read.of_document(plan.kind, &check.visma_number, &plan.supplier),
                // Numbers repeat across ledgers, and this question cannot name one.
                Ok(None) | Err(visma::Error::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            match own {
                Some(own) => {
                    if own != batch {
                        change.keep_ledger_batch(&check.subject, &own, clock::now());
                    }
                    fresh.push(own);
                }
                None => fresh.push(batch),
            }
        }
        self.commit(change).await?;
        fresh.retain(|batch| !batch.is_void());
        Ok(fresh)
    }

    /// Writes down what was found, where it is news.
    async fn keep_finding(
        &self,
        document: &DocumentRow,
        check: LedgerCheck,
        finding: Finding,
    ) -> Result<(), SyncError> {
        let at = clock::now();
        let mut change = Change::new();
        let is_news = check.state != finding.state
            || check.batches != finding.batches
            || check.differences != finding.differences;
        if is_news {
            let next = LedgerCheck {
                state: finding.state,
                batches: finding.batches,
                differences: finding.differences,
                changed_at: at,
                ..check.clone()
            };
            change.move_ledger_check(check.state, &next);
            let action = match next.state {
                LedgerState::Differs => DIFFERS,
                LedgerState::NotPosted => NOT_POSTED,
                LedgerState::Verified => "ledger_verified",
                LedgerState::Open | LedgerState::Accepted | LedgerState::Void => "ledger_looked_at",
            };
            let mut log = entry(&document.connection, &document.id, action, at);
            log.from_state = check.state.as_str().into();
            log.to_state = next.state.as_str().into();
            log.detail = json!({
                "step": "ledger", "number": check.visma_number, "batches": next.batches,
                "differences": next.differences,
            })
            .to_string();
            change.log(log);
        }
        let stands = document.attention.as_deref();
        // A document that was corrected has several.
        let is_ours = stands.is_some_and(|text| {
            (has_code(text, DIFFERS) || has_code(text, NOT_POSTED)) && is_about(text, &check)
        });
        let text = finding.hold.as_ref().map(Hold::as_attention);
        // What something else asks attention for goes first.
        if (stands.is_none() || is_ours) && stands != text.as_deref() {
            change.set_attention(&document.id, text.as_deref());
        }
        self.commit(change).await
    }
}

pub fn has_code(attention: &str, code: &str) -> bool {
    attention.strip_prefix(code).is_some_and(|rest| rest.starts_with(':'))
}

fn differences(plan: &InvoicePlan, batches: &[ErpBatch]) -> Vec<String> {
    ledger_matches(plan, batches).into_iter().map(|difference| difference.text).collect()
}

/// Whether an attention tells of what this check looks at.
pub fn is_about(attention: &str, check: &LedgerCheck) -> bool {
    attention.contains(&format!(" {} {} ", check.visma_type, check.visma_number))
}

fn plan_of(check: &LedgerCheck, document: &DocumentRow) -> Option<InvoicePlan> {
    match read_plan(check.plan.as_deref().or(document.applied_plan.as_deref())?).ok()? {
        Plan::Invoice(plan) => Some(plan),
        Plan::Order(_) => None,
    }
}
