//! Bodies of old documents are deleted, where a person asks for it and the law of the company's country lets
//! them go. Documents, hashes, amounts and the trail stay, so that nothing is posted again and every proof holds.

use super::engine::{Engine, entry};
use super::error::SyncError;
use super::ids::moment_id;
use super::manual::Asked;
use crate::clock;
use crate::config::Config;
use crate::store::{Change, CommitError, RequestRow, RetentionLimit, Store};
use jiff::Timestamp;
use serde_json::json;

/// Documents of one transaction.
const TOGETHER: i64 = 64;
/// Times a batch is read anew because a document of it moved.
const AGAIN: usize = 5;

pub(super) const PRUNE: &str = "prune";
/// What a person must know of a posted document that has no body any more.
pub const CHANGED_AFTER_PRUNING: &str = "changed_after_pruning";

/// What may go now, by connection; those whose company keeps everything are not among them.
pub fn retention_limits(config: &Config, now: i64) -> Vec<RetentionLimit> {
    let now = Timestamp::from_microsecond(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let limits = config.connections.iter().filter_map(|connection| {
        let company = config.company(&connection.company)?;
        let before = company.retention.before(now, &company.time_zone)?;
        let begins = before.to_zoned(company.time_zone.clone()).ok()?;
        Some(RetentionLimit {
            connection: connection.id.clone(),
            company: company.id.clone(),
            keep_years: company.retention.keep_years?,
            before,
            before_at: begins.timestamp().as_microsecond(),
        })
    });
    limits.collect()
}

/// Asks the unit's owner to delete what is past a limit.
pub async fn ask_to_prune(
    store: &Store,
    unit: &str,
    limit: &RetentionLimit,
    actor: &str,
    reason: &str,
) -> Result<Asked, SyncError> {
    let at = clock::now();
    let id = moment_id(&format!("prune {}", limit.connection), at);
    let request = RequestRow {
        id: id.clone(),
        verb: PRUNE.to_owned(),
        document: limit.connection.clone(),
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        detail: serde_json::to_string(limit).expect("plain data"),
    };
    store.ask(unit, &request, at).await?;
    Ok(Asked { id })
}

impl Engine {
    /// Batch by batch. What breaks off in between is taken up by the next look at the request: what went is gone,
    /// with its entries in the trail, and the rest is found again.
    pub(super) async fn carry_out_prune(&self, request: &RequestRow) -> Result<(), SyncError> {
        let result = match serde_json::from_str::<RetentionLimit>(&request.detail) {
            Ok(_) if request.reason.trim().is_empty() => {
                "not done: bodies are deleted with a reason only"
            }
            Ok(limit) => {
                self.prune(&limit, request).await?;
                "carried out"
            }
            Err(_) => "not done: this version does not understand what is to be deleted",
        };
        let mut change = Change::new();
        change.finish_request(&request.id, result, clock::now());
        self.commit(change).await
    }

    async fn prune(&self, limit: &RetentionLimit, request: &RequestRow) -> Result<(), SyncError> {
        let (mut after, mut again) = (String::new(), 0);
        loop {
            self.check()?;
            let batch = self.store.documents_past(limit, &after, TOGETHER).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            let at = clock::now();
            let mut change = Change::new();
            for due in &batch {
                let texts = self.store.texts_of(&due.document).await?;
                change.prune(limit, due, &texts, at);
                let mut log = entry(&limit.connection, &due.document, "pruned", at);
                log.actor.clone_from(&request.actor);
                (log.from_state, log.to_state) = (due.state.clone(), due.state.clone());
                log.detail = json!({
                    "reason": request.reason, "request": request.id, "company": limit.company,
                    "keep_years": limit.keep_years, "before": limit.before, "bodies": due.bodies,
                    "bytes": due.bytes, "gone": texts.hashes(),
                })
                .to_string();
                change.log(log);
            }
            match self.commit(change).await {
                Ok(()) => after.clone_from(&last.document),
                // One of them moved meanwhile, or a person asked for it: it is not among the next.
                Err(SyncError::Commit(CommitError::Guard(_))) if again < AGAIN => again += 1,
                Err(error) => return Err(error),
            }
        }
    }
}
