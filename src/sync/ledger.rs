//! From a release to the general ledger: the journal batches that Visma makes are read by their list, matched to
//! our documents by number and type, and held against the plan. A document whose batch differs or does not come
//! stays posted, with attention; when a later look finds it right, the attention goes.

use super::engine::{Company, Connection, Engine, entry};
use super::error::SyncError;
use super::index;
use super::post::{read_plan, step_entry, transition};
use super::posting::Event;
use crate::audit::Entry;
use crate::clock;
use crate::decide::Hold;
use crate::procurement::{ErpBatch, InvoicePlan, Plan};
use crate::store::{
    Change, CommitError, DocumentRow, DocumentState, LedgerCheck, LedgerState, LedgerTarget,
    PostingState, RequestRow, Step,
};
use crate::visma::{self, BatchFilter, ledger_matches};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const BATCHES: &str = "visma:journaltransaction";

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

    /// The changes since the last read; all of a period where there was none, and for what is overdue:
    /// how the list's one filter by time works is documented nowhere.
    async fn read_batches(
        &self,
        company: &Arc<Company>,
        checks: &[LedgerCheck],
    ) -> Result<(), SyncError> {
        let watermark = self.store.watermark(&company.id, BATCHES).await?;
        let since = index::since(watermark.as_ref(), company.overlap_minutes);
        let first = since.is_none();
        if !first {
            let filter = BatchFilter { since, period: None };
            self.read_batch_list(company, &filter).await?;
        }
        let now = clock::now();
        let patience = company.ledger_patience.unwrap_or_default();
        let mut missing: Vec<LedgerCheck> = Vec::new();
        for check in checks {
            let due = now - check.since.max(check.looked_at) >= patience;
            let is_missing = matches!(check.state, LedgerState::Open | LedgerState::NotPosted);
            if first
                || (due
                    && is_missing
                    && self.store.ledger_batches(&check.document).await?.is_empty())
            {
                missing.push(check.clone());
            }
        }
        let ids: Vec<&str> = missing.iter().map(|check| check.document.as_str()).collect();
        let documents = self.store.documents_by_id(&ids).await?;
        let mut periods: BTreeMap<String, Vec<&LedgerCheck>> = BTreeMap::new();
        for check in &missing {
            let plan = documents.get(&check.document).and_then(applied_plan);
            let Some(plan) = plan else { continue };
            periods.entry(plan.period).or_default().push(check);
        }
        for (period, checks) in periods {
            let filter = BatchFilter { since: None, period: Some(period) };
            self.read_batch_list(company, &filter).await?;
            let mut change = Change::new();
            for check in checks {
                // What it found has moved some of them on already.
                let Some(stands) = self.store.ledger_check(&check.document).await? else {
                    continue;
                };
                change.move_ledger_check(
                    stands.state,
                    &LedgerCheck { looked_at: now, ..stands.clone() },
                );
            }
            self.commit(change).await?;
        }
        Ok(())
    }

    async fn read_batch_list(
        &self,
        company: &Arc<Company>,
        filter: &BatchFilter,
    ) -> Result<(), SyncError> {
        let mut pager = company.client.batches(filter);
        let mut unreadable = Vec::new();
        while let Some(page) = pager.next().await? {
            self.check_lease()?;
            unreadable.extend(page.unreadable);
            self.keep_batches(company, &page.rows).await?;
        }
        if !pager.complete() {
            return Err(SyncError::Incomplete { list: "journaltransaction".into() });
        }
        self.end_of_list(company, BATCHES, pager.newest(), &unreadable).await
    }

    /// Keeps what is ours of a page, where it is new or changed.
    async fn keep_batches(&self, company: &Company, batches: &[ErpBatch]) -> Result<(), SyncError> {
        let numbers: BTreeSet<&str> = batches
            .iter()
            .flat_map(|batch| &batch.lines)
            .filter_map(|line| line.reference.as_deref())
            .collect();
        let numbers: Vec<&str> = numbers.into_iter().collect();
        let targets = self.store.ledger_targets(&company.id, &numbers).await?;
        let at = clock::now();
        let mut change = Change::new();
        for target in &targets {
            let Some(kind) = visma::invoice_kind(&target.visma_type) else { continue };
            let mut known: Option<HashMap<String, ErpBatch>> = None;
            for batch in batches {
                let Some(own) = batch.of_document(kind, &target.visma_number, &target.supplier)
                else {
                    continue;
                };
                let known = match &mut known {
                    Some(known) => known,
                    None => {
                        let kept = self.store.ledger_batches(&target.document).await?;
                        let by_number = |batch: ErpBatch| (batch.number.clone(), batch);
                        known.insert(kept.into_iter().map(by_number).collect())
                    }
                };
                let unchanged = known.get(&own.number).is_some_and(|kept| {
                    kept.status == own.status
                        && if own.version.is_some() {
                            kept.version == own.version
                        } else {
                            *kept == own
                        }
                });
                if !unchanged {
                    change.keep_ledger_batch(&company.id, target, &own, at);
                }
            }
        }
        self.commit(change).await
    }

    async fn judge_check(
        &self,
        company: &Arc<Company>,
        check: LedgerCheck,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&check.document).await? else { return Ok(()) };
        let Some(plan) = applied_plan(&document) else { return Ok(()) };
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
        let mut batches = self.store.ledger_batches(&check.document).await?;
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
        let target = LedgerTarget {
            document: check.document.clone(),
            visma_type: check.visma_type.clone(),
            visma_number: check.visma_number.clone(),
            supplier: plan.supplier.clone(),
        };
        let mut change = Change::new();
        let mut fresh = Vec::new();
        for batch in batches {
            let own = match company.client.batch(&batch.number).await {
                Ok(Some(read)) => {
                    read.of_document(plan.kind, &target.visma_number, &target.supplier)
                }
                // Numbers repeat across ledgers, and this question cannot name one.
                Ok(None) | Err(visma::Error::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            match own {
                Some(own) => {
                    if own != batch {
                        change.keep_ledger_batch(&company.id, &target, &own, clock::now());
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
        let is_ours =
            stands.is_some_and(|text| has_code(text, DIFFERS) || has_code(text, NOT_POSTED));
        let text = finding.hold.as_ref().map(Hold::as_attention);
        // What something else asks attention for goes first.
        if (stands.is_none() || is_ours) && stands != text.as_deref() {
            change.set_attention(&document.id, text.as_deref());
        }
        self.commit(change).await
    }

    /// Documents whose release was refused, and that a person has released in Visma since.
    pub async fn released_by_hand(
        &self,
        company: &Arc<Company>,
        connections: &[Arc<Connection>],
    ) -> Result<(), SyncError> {
        for connection in connections {
            for id in self.store.documents_with_attention(&connection.id, REFUSED).await? {
                let Some(document) = self.store.document(&id).await? else { continue };
                let (kind, number) =
                    (document.visma_type.as_deref(), document.visma_number.as_deref());
                let (Some(kind), Some(number)) = (kind, number) else { continue };
                let invoice = self.store.erp_invoice(&company.id, kind, number).await?;
                if !invoice.is_some_and(|invoice| invoice.is_released()) {
                    continue;
                }
                let now = clock::now();
                let mut change = Change::new();
                let release = self.store.postings_of(&id).await?.into_iter().find(|row| {
                    row.step == Step::Release
                        && matches!(row.state, PostingState::Refused | PostingState::Held)
                });
                if let Some(row) = release {
                    let done = Event::Done { visma_type: None, visma_number: None, etag: None };
                    let next = transition(&row, done, now)?;
                    change.move_posting(row.state, row.epoch, &next);
                    change.log(step_entry(connection, &row, &next, now));
                }
                change.clear_attention(&id, REFUSED);
                self.commit(change).await?;
            }
        }
        Ok(())
    }

    /// `release` of a posted document: what its attention is about is done again, and nothing else. A
    /// refused release is tried again, a difference is let stand, a missing batch is waited for anew.
    pub(super) async fn release_posted(
        &self,
        document: &DocumentRow,
        request: &RequestRow,
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let attention = document.attention.as_deref().unwrap_or_default();
        let mut log = entry(&document.connection, &document.id, "release", at);
        log.actor.clone_from(&request.actor);
        let code =
            [REFUSED, DIFFERS, NOT_POSTED].into_iter().find(|code| has_code(attention, code));
        let done = match code {
            Some(REFUSED) => self.retry_release(document, at, &mut log, change).await?,
            Some(code) => self.move_on(document, code, at, &mut log, change).await?,
            None => false,
        };
        if done {
            log.detail =
                json!({ "reason": request.reason, "request": request.id, "attention": attention })
                    .to_string();
            change.log(log);
            change.finish_request(&request.id, "carried out", at);
        } else {
            let result = "not done: the document is posted, and there is nothing that release could do for it";
            change.finish_request(&request.id, result, at);
        }
        Ok(())
    }

    async fn retry_release(
        &self,
        document: &DocumentRow,
        at: i64,
        log: &mut Entry,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let postings = self.store.postings_of(&document.id).await?;
        let refused = postings.iter().find(|row| {
            row.step == Step::Release
                && matches!(row.state, PostingState::Refused | PostingState::Held)
        });
        let Some(row) = refused else { return Ok(false) };
        let mut next = transition(row, Event::Retry { now: at }, at)?;
        // The draft is read again before it is released: somebody may have corrected it.
        next.etag = None;
        change.move_posting(row.state, row.epoch, &next);
        change.move_document(&document.id, document.state, DocumentState::Posting, at);
        log.from_state = document.state.as_str().into();
        log.to_state = DocumentState::Posting.as_str().into();
        Ok(true)
    }

    async fn move_on(
        &self,
        document: &DocumentRow,
        code: &'static str,
        at: i64,
        log: &mut Entry,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let Some(check) = self.store.ledger_check(&document.id).await? else { return Ok(false) };
        let (state, since) = match check.state {
            LedgerState::Differs => (LedgerState::Accepted, check.since),
            LedgerState::NotPosted => (LedgerState::Open, at),
            LedgerState::Open
            | LedgerState::Verified
            | LedgerState::Accepted
            | LedgerState::Void => {
                return Ok(false);
            }
        };
        let next = LedgerCheck { state, since, changed_at: at, ..check.clone() };
        change.move_ledger_check(check.state, &next);
        change.clear_attention(&document.id, code);
        log.from_state = check.state.as_str().into();
        log.to_state = state.as_str().into();
        Ok(true)
    }
}

pub fn has_code(attention: &str, code: &str) -> bool {
    attention.strip_prefix(code).is_some_and(|rest| rest.starts_with(':'))
}

fn differences(plan: &InvoicePlan, batches: &[ErpBatch]) -> Vec<String> {
    ledger_matches(plan, batches).into_iter().map(|difference| difference.text).collect()
}

fn applied_plan(document: &DocumentRow) -> Option<InvoicePlan> {
    match read_plan(document.applied_plan.as_deref()?).ok()? {
        Plan::Invoice(plan) => Some(plan),
        Plan::Order(_) => None,
    }
}
