//! After the credit note that takes back what was released: its release, and the document anew.

use super::stored_plan::read_plan;
use super::trail::{hold_document, step_entry};
use super::{standing, transition};
use crate::clock;
use crate::crash::CrashPoint;
use crate::decide::Hold;
use crate::procurement::{ErpInvoice, Plan, PostingMode};
use crate::store::{Change, DocumentRow, DocumentState, OF_CREDIT, PostingRow, PostingState, Step};
use crate::sync::engine::{Company, Connection, Engine, entry};
use crate::sync::error::SyncError;
use crate::sync::judge::planned_posting;
use crate::sync::posting::Event;
use crate::visma;
use serde_json::json;
use std::sync::Arc;

/// Attention that begins with it is of a correction under way.
pub const CORRECTION: &str = "correction_open";

impl Engine {
    /// The credit note stands in Visma: it is released there, by us where the company's invoices are, and
    /// when it is, the document is judged as one that never stood. `false`: nothing could be done now.
    pub(super) async fn after_take_back(
        &self,
        company: &Arc<Company>,
        connection: &Arc<Connection>,
        document: &DocumentRow,
        credit: &PostingRow,
        postings: &[PostingRow],
    ) -> Result<bool, SyncError> {
        let Plan::Invoice(plan) = read_plan(&credit.plan)? else {
            return Err(SyncError::Inner("only an invoice can be taken back".into()));
        };
        let now = clock::now();
        // The other one would stand beside what is made anew.
        if let Some(hold) = self.doubled_hold(company, document).await? {
            let mut change = Change::new();
            hold_document(connection, document, &hold, now, &mut change);
            return self.commit(change).await.map(|()| true);
        }
        let release = postings.iter().find(|row| row.step == Step::Release && row.is_of_credit());
        if plan.mode == PostingMode::Released && release.is_none() {
            let (text, n) = (credit.plan.clone(), credit.revision);
            let mut posting =
                planned_posting(&company.id, document, Step::Release, OF_CREDIT, text, n, now);
            posting.visma_type = credit.visma_type.clone();
            posting.visma_number = credit.visma_number.clone();
            posting.etag = credit.etag.clone();
            self.plan_step(connection, &posting).await?;
            return self.post_one(company, posting, document, None).await;
        }
        let kind = credit.visma_type.clone().unwrap_or_default();
        let number = credit.visma_number.clone().unwrap_or_default();
        let of_credit = format!("{kind} {number}");
        let standing = standing(document);
        let mut change = Change::new();
        // Asked of Visma itself: a list does not tell what is deleted.
        let stands = match company.client.invoice(&kind, &number).await {
            Ok((stands, _)) => Some(stands).filter(ErpInvoice::is_live),
            // What was just made may take its time to be seen.
            Err(visma::Error::NotFound { .. })
                if now < credit.changed_at + self.pace.settle_after =>
            {
                return Ok(false);
            }
            Err(visma::Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(stands) = stands else {
            let hold = Hold::credit_gone(&standing, &of_credit);
            // Asked for again, it is planned again; what was verified is none any more.
            let differs = transition(credit, Event::Differs { reason: hold.text.clone() }, now)?;
            let gone = transition(&differs, Event::Undone { reason: hold.text.clone() }, now)?;
            change.advance_posting(credit.state, credit.epoch, &gone);
            change.log(step_entry(connection, credit, &gone, now));
            if let Some(release) = release {
                change.drop_posting(release);
            }
            change.forget_erp_invoice(&company.id, (&kind, &number));
            change.clear_attention(&document.id, CORRECTION);
            hold_document(connection, document, &hold, now, &mut change);
            return self.commit(change).await.map(|()| true);
        };
        if !stands.is_released() {
            let told = document.attention.as_deref().is_some_and(|text| {
                text.starts_with(CORRECTION) || text.starts_with("differs_in_visma")
            });
            if !told {
                let text = Hold::correction_open(&standing, &of_credit).as_attention();
                change.set_attention(&document.id, Some(&text));
                self.commit(change).await?;
            }
            return Ok(false);
        }
        // A difference that a person let stand is verified.
        let differences: Vec<String> = match credit.state {
            PostingState::Verified => Vec::new(),
            _ => visma::invoice_matches(&plan, &stands).iter().map(ToString::to_string).collect(),
        };
        if !differences.is_empty() {
            let reason = differences.join("; ");
            let hold = Hold::credit_differs(&standing, &of_credit, &reason);
            let next = transition(credit, Event::Differs { reason }, now)?;
            change.advance_posting(credit.state, credit.epoch, &next);
            change.log(step_entry(connection, credit, &next, now));
            hold_document(connection, document, &hold, now, &mut change);
            return self.commit(change).await.map(|()| true);
        }
        let old = (
            document.visma_type.as_deref().unwrap_or_default(),
            document.visma_number.as_deref().unwrap_or_default(),
        );
        CrashPoint::TakenBackSeen.pass();
        let gone = [old, (kind.as_str(), number.as_str())];
        change.begin_anew(&company.id, &document.id, document.corrections, &gone);
        change.move_document(&document.id, document.state, DocumentState::Ready, now);
        let text = Hold::taken_back(&standing, &of_credit).as_attention();
        change.set_attention(&document.id, Some(&text));
        let mut log = entry(&connection.id, &document.id, "taken_back", now);
        log.from_state = document.state.as_str().into();
        log.to_state = DocumentState::Ready.as_str().into();
        log.detail = json!({
            "visma_type": old.0, "visma_number": old.1, "credit_type": kind, "credit_number": number,
            "correction": document.corrections + 1,
        })
        .to_string();
        change.log(log);
        self.commit(change).await?;
        CrashPoint::AnewKept.pass();
        Ok(true)
    }
}
