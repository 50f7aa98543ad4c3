//! JAGGAER is told what became of its documents. First what there is to know is written down, then it is
//! sent, each report for itself. A report says how things are and not what happened, so one whose answer was
//! lost is sent again under the same key, and does no harm.

use super::engine::{Connection, Engine, entry};
use super::error::SyncError;
use super::ids;
use crate::clock;
use crate::confirm::{self, Fare};
use crate::jaggaer::{self, Subject};
use crate::procurement::{About, masked};
use crate::store::{
    Change, CommitError, ConfirmationRow, ConfirmationState, DocumentRow, DocumentState, HoldRow,
    Moved, Step,
};
use serde_json::json;
use std::sync::Arc;

/// Looked at, and told, in one go.
const AT_ONCE: i64 = 200;
/// Calls side by side; the source's own limit counts as well.
const SIDE_BY_SIDE: usize = 8;
const MINUTE: i64 = 60_000_000;
/// The longest wait between two attempts.
const LONGEST: i64 = 6 * 60 * MINUTE;

impl Engine {
    /// Everything that is to be told now. What cannot be told of one document stops no other; a source
    /// that does not answer is left alone until the next time.
    pub async fn confirm(&self, connection: &Arc<Connection>) -> Result<(), SyncError> {
        for about in About::ALL.into_iter().filter(|about| connection.confirms(*about)) {
            if !connection.source.profile.tells(about) {
                return Err(SyncError::Configuration(format!(
                    "[connection.confirm] {} is on, but the profile `{}` has no [[report]] about it: \
                     add one (docs/confirm.md), or turn it off",
                    about.as_str(),
                    connection.source.profile.name()
                )));
            }
            self.note_what_moved(connection, about).await?;
            self.tell_what_is_due(connection, about).await?;
        }
        Ok(())
    }

    async fn tell_what_is_due(
        &self,
        connection: &Connection,
        about: About,
    ) -> Result<(), SyncError> {
        let (id, mut trouble) = (&connection.id, None);
        loop {
            let due = self.store.due_confirmations(id, about, clock::now(), AT_ONCE).await?;
            if due.is_empty() {
                return trouble.map_or(Ok(()), Err);
            }
            for rows in due.chunks(SIDE_BY_SIDE) {
                self.check()?;
                self.check_lease()?;
                let telling = rows.iter().map(|row| self.tell_source(connection, row));
                let mut failed = 0;
                for told in futures_util::future::join_all(telling).await {
                    match told {
                        Ok(()) => {}
                        Err(error @ SyncError::Jaggaer(_)) => {
                            failed += 1;
                            trouble = Some(error);
                        }
                        Err(error) => return Err(error),
                    }
                }
                // One document may be the cause of its own trouble, a whole row of them is not.
                if failed == rows.len() {
                    return trouble.map_or(Ok(()), Err);
                }
            }
        }
    }

    async fn note_what_moved(
        &self,
        connection: &Connection,
        about: About,
    ) -> Result<(), SyncError> {
        loop {
            self.check()?;
            let (store, company) = (&self.store, &connection.company.id);
            let moved = match about {
                About::Erp => store.moved_documents(&connection.id, AT_ONCE).await?,
                About::Payment => store.moved_invoices(&connection.id, company, AT_ONCE).await?,
            };
            if moved.is_empty() {
                return Ok(());
            }
            let mut change = Change::new();
            for of in &moved {
                let row = self.look(connection, about, of).await?;
                change.keep_confirmation(&row);
            }
            self.commit(change).await?;
        }
    }

    /// What there is to tell of a document now, beside what it was told last.
    async fn look(
        &self,
        connection: &Connection,
        about: About,
        of: &Moved,
    ) -> Result<ConfirmationRow, SyncError> {
        let known = self.store.confirmations_of(&of.document).await?;
        let known = known.into_iter().find(|row| row.about == about);
        let told = known.as_ref().and_then(|row| row.report.as_ref());
        let report = match about {
            About::Erp => {
                let holds: Vec<String> = match of.state {
                    DocumentState::Held => {
                        let holds = self.store.holds_of(&of.document).await?;
                        holds.into_iter().map(sentence).collect()
                    }
                    _ => Vec::new(),
                };
                let fare = self.fare(of, &holds).await?;
                let handled = of.applied_revision.filter(|_| of.state == DocumentState::Posted);
                let n = handled.unwrap_or(of.latest_revision);
                let revision = self.store.revision(&of.document, n).await?;
                let revision = revision.and_then(|revision| revision.source_revision);
                confirm::of_document(fare, of.visma_number.as_deref(), revision)
            }
            About::Payment => {
                let (kind, number) = (of.visma_type.as_deref(), of.visma_number.as_deref());
                let invoice = self
                    .store
                    .erp_invoice(
                        &connection.company.id,
                        kind.unwrap_or_default(),
                        number.unwrap_or_default(),
                    )
                    .await?;
                invoice.and_then(|invoice| confirm::of_payment(&invoice, told))
            }
        };
        let at = clock::now();
        let (state, report) = match (report, known) {
            // There is nothing new: what was told still stands, or its turn is still to come.
            (None, Some(known)) => return Ok(ConfirmationRow { basis: of.basis.clone(), ..known }),
            (Some(report), Some(known)) if known.report.as_ref() == Some(&report) => {
                return Ok(ConfirmationRow { basis: of.basis.clone(), ..known });
            }
            (None, None) => (ConfirmationState::Nothing, None),
            (Some(report), _) => (ConfirmationState::Wanted, Some(report)),
        };
        Ok(ConfirmationRow {
            document: of.document.clone(),
            about,
            connection: connection.id.clone(),
            basis: of.basis.clone(),
            report,
            state,
            occurred_at: at,
            attempts: 0,
            next_at: at,
            error: None,
            changed_at: at,
        })
    }

    async fn fare<'a>(&self, of: &Moved, holds: &'a [String]) -> Result<Fare<'a>, SyncError> {
        Ok(match of.state {
            DocumentState::Held => Fare::Held(holds),
            DocumentState::Cancelled => Fare::Cancelled,
            DocumentState::Posted => {
                let postings = self.store.postings_of(&of.document).await?;
                let first = postings.iter().find(|row| row.step == Step::Create);
                let first = first.map(|row| row.revision);
                Fare::Posted { is_update: of.applied_revision > first && first.is_some() }
            }
            DocumentState::Unread
            | DocumentState::Waiting
            | DocumentState::Ready
            | DocumentState::Posting
            | DocumentState::Ignored => Fare::Underway,
        })
    }

    async fn tell_source(
        &self,
        connection: &Connection,
        row: &ConfirmationRow,
    ) -> Result<(), SyncError> {
        let Some(document) = self.store.document(&row.document).await? else { return Ok(()) };
        let Some(report) = &row.report else { return Ok(()) };
        let source = &connection.source;
        let layout = source.profile.report(row.about, document.kind);
        let subject = Subject {
            source_id: &document.source_id,
            number: &document.number,
            report,
            occurred_at: clock::timestamp(row.occurred_at),
        };
        let call = layout.and_then(|layout| Some((layout, layout.call(&subject)?)));
        let Some((layout, call)) = call else {
            return self.settle_telling(&document, row, ConfirmationState::Silent, None).await;
        };
        let key = ids::report_key(&row.document, row.about, row.occurred_at);
        match source.client.report(layout, &call, &key).await {
            Ok(()) => self.settle_telling(&document, row, ConfirmationState::Told, None).await,
            Err(error) if is_refusal(&error) => {
                self.settle_telling(&document, row, ConfirmationState::Refused, Some(&error)).await
            }
            Err(error) => {
                self.settle_telling(&document, row, ConfirmationState::Wanted, Some(&error))
                    .await?;
                Err(error.into())
            }
        }
    }

    async fn settle_telling(
        &self,
        document: &DocumentRow,
        row: &ConfirmationRow,
        state: ConfirmationState,
        error: Option<&jaggaer::Error>,
    ) -> Result<(), SyncError> {
        let at = clock::now();
        let attempts = row.attempts + 1;
        let next = ConfirmationRow {
            state,
            attempts,
            next_at: at + wait(attempts, MINUTE.min(self.pace.settle_after), error),
            error: error.map(ToString::to_string),
            changed_at: at,
            ..row.clone()
        };
        let mut change = Change::new();
        change.settle_confirmation(&next);
        // An attempt that may be made again is no event of the document's.
        let action = match state {
            ConfirmationState::Told => Some("confirmed"),
            ConfirmationState::Refused => Some("confirmation_refused"),
            ConfirmationState::Nothing | ConfirmationState::Wanted | ConfirmationState::Silent => {
                None
            }
        };
        if let Some(action) = action {
            let mut log = entry(&document.connection, &document.id, action, at);
            log.detail = json!({
                "about": row.about.as_str(), "report": row.report, "error": next.error,
            })
            .to_string();
            change.log(log);
        }
        if let Some(error) = error {
            tracing::warn!(
                document = document.id, about = row.about.as_str(), state = state.as_str(), %error,
                "JAGGAER could not be told what became of a document"
            );
        }
        match self.commit(change).await {
            // Another report took its place while this one was on its way; that one goes next.
            Err(SyncError::Commit(CommitError::Guard(_))) => Ok(()),
            done => done,
        }
    }
}

/// A hold as the source's people read it. What is known of accounts here stays here.
fn sentence(hold: HoldRow) -> String {
    if hold.code.starts_with("bank_account") { masked(&hold.text) } else { hold.text }
}

/// Sent again, it would be refused again. Sign-in, rights and addresses are put right by people, and it goes
/// then.
const fn is_refusal(error: &jaggaer::Error) -> bool {
    match error {
        jaggaer::Error::Status { status, .. } => matches!(*status, 400 | 404 | 409 | 410 | 422),
        jaggaer::Error::NotFound { .. } => true,
        _ => false,
    }
}

/// Doubles with each attempt, from `first` on. A source that says how long is taken at its word.
fn wait(attempts: i64, first: i64, error: Option<&jaggaer::Error>) -> i64 {
    if let Some(jaggaer::Error::Throttled { wait, .. }) = error {
        return i64::try_from(wait.as_micros()).unwrap_or(LONGEST).min(LONGEST);
    }
    (first << (attempts - 1).clamp(0, 20)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn attempts_thin_out_and_a_stated_wait_counts() {
        let minutes: Vec<i64> =
            [1, 2, 3, 9, 10, 60].map(|n| wait(n, MINUTE, None) / MINUTE).to_vec();
        assert_eq!(minutes, [1, 2, 4, 256, 360, 360]);
        let path = "/x".to_owned();
        let throttled =
            jaggaer::Error::Throttled { path, status: 429, wait: Duration::from_secs(3) };
        assert_eq!(wait(5, MINUTE, Some(&throttled)), 3_000_000);
    }

    #[test]
    fn no_whole_account_is_told() {
        let hold = |code: &str, text: &str| HoldRow {
            document: "d".into(),
            code: code.into(),
            text: text.into(),
            fix: String::new(),
            since: 0,
        };
        let changed = hold("bank_account_changed", "It asks to be paid on NO93 8601 1117 947.");
        assert_eq!(sentence(changed), "It asks to be paid on NO…7947.");
        let order = hold("order_unknown", "Order PO004225 is not in Visma.");
        assert_eq!(sentence(order), "Order PO004225 is not in Visma.");
    }

    #[test]
    fn only_what_would_be_refused_again_is_given_up() {
        let status =
            |status| jaggaer::Error::Status { path: "/x".into(), status, text: String::new() };
        for (code, refused) in
            [(400, true), (404, true), (409, true), (422, true), (408, false), (500, false)]
        {
            assert_eq!(is_refusal(&status(code)), refused, "{code}");
        }
        let forbidden = jaggaer::Error::Forbidden { path: "/x".into(), text: String::new() };
        assert!(!is_refusal(&forbidden), "a role is given, and it goes");
    }
}
