//! Reading the list of journal batches, and keeping what is ours.

use super::plan_of;
use crate::clock;
use crate::procurement::ErpBatch;
use crate::store::{Change, LedgerCheck, LedgerState};
use crate::sync::engine::{Company, Engine};
use crate::sync::error::SyncError;
use crate::sync::index;
use crate::visma::{self, BatchFilter};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const BATCHES: &str = "visma:journaltransaction";

impl Engine {
    /// The changes since the last read; all of a period where there was none, and for what is overdue:
    /// how the list's one filter by time works is documented nowhere.
    pub(super) async fn read_batches(
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
                    && self.store.ledger_batches(&check.subject).await?.is_empty())
            {
                missing.push(check.clone());
            }
        }
        let ids: Vec<&str> = missing.iter().map(|check| check.document.as_str()).collect();
        let documents = self.store.documents_by_id(&ids).await?;
        let mut periods: BTreeMap<String, Vec<&LedgerCheck>> = BTreeMap::new();
        for check in &missing {
            let plan = documents.get(&check.document).and_then(|of| plan_of(check, of));
            let Some(plan) = plan else { continue };
            periods.entry(plan.period).or_default().push(check);
        }
        for (period, checks) in periods {
            let filter = BatchFilter { since: None, period: Some(period) };
            self.read_batch_list(company, &filter).await?;
            let mut change = Change::new();
            for check in checks {
                // What it found has moved some of them on already.
                let Some(stands) = self.store.ledger_check(&check.subject).await? else {
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
        for read in 1.. {
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
            if !unreadable.is_empty() && read < index::UNREADABLE_READS {
                continue;
            }
            for row in unreadable {
                tracing::warn!(
                    company = company.id,
                    row = row.key,
                    reason = row.reason,
                    "a journal batch cannot be read; if it is of a document of ours, that one is told as not posted"
                );
            }
            // Most batches are of no interest: one that stays unreadable does not stop the others.
            return self.end_of_list(company, BATCHES, pager.newest(), &[]).await;
        }
        Ok(())
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
                        let kept = self.store.ledger_batches(&target.subject).await?;
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
                    let named = (target.visma_type.as_str(), target.visma_number.as_str());
                    change.note_release(&company.id, &target.our_key, named, at);
                    change.keep_ledger_batch(&target.subject, &own, at);
                }
            }
        }
        self.commit(change).await
    }
}
