//! An invoice of ours that stands in Visma no more: a person voided or deleted it there, or took it back in full by a
//! credit note. What it was is history then, and if it is posted again, it is under another key.

use super::Judged;
use crate::clock;
use crate::matching::claim_key;
use crate::procurement::{ErpInvoice, InvoiceKind, Plan};
use crate::store::{Change, DocumentRow, PostingRow, PostingState, Step};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::visma;

/// What became of it.
pub(super) struct Gone {
    pub kind: String,
    pub number: String,
    pub how: &'static str,
    /// Type and number of the credit notes that took it back.
    credits: Vec<(String, String)>,
}

impl Engine {
    /// `ask`: Visma itself is asked, because no list tells what was deleted. `None`: it stands, or nobody can say.
    pub(super) async fn gone(
        &self,
        judged: &Judged<'_>,
        create: &PostingRow,
        ask: bool,
    ) -> Result<Option<Gone>, SyncError> {
        let document = judged.document;
        let company = &judged.connection.company;
        let kind = document.visma_type.as_deref().or(create.visma_type.as_deref());
        let number = document.visma_number.as_deref().or(create.visma_number.as_deref());
        let (Some(kind), Some(number)) = (kind, number) else { return Ok(None) };
        let gone =
            |how| Gone { kind: kind.into(), number: number.into(), how, credits: Vec::new() };
        // Made twice, another may be the one that stays.
        if self.live_under(company, &create.our_key).await?.iter().any(|(_, of)| of != number) {
            return Ok(None);
        }
        let listed = self.store.erp_invoice(&company.id, kind, number).await?;
        if listed.as_ref().is_some_and(|of| !of.is_live()) {
            return Ok(Some(gone("voided")));
        }
        // What was just made may take its time to be seen.
        let is_new = clock::now() < create.changed_at + self.pace.settle_after;
        if is_new || (listed.is_some() && !ask) {
            return Ok(None);
        }
        match company.client.invoice(kind, number).await {
            Ok((stands, _)) if !stands.is_live() => Ok(Some(gone("voided"))),
            Ok(_) => Ok(None),
            Err(visma::Error::NotFound { .. }) => Ok(Some(gone("deleted"))),
            Err(error) => {
                tracing::warn!(document = document.id, %error, "whether it still stands in Visma cannot be asked");
                Ok(None)
            }
        }
    }

    /// The same, or closed by a credit note over all of it that a person keyed in under its number.
    pub(super) async fn gone_or_credited(
        &self,
        judged: &Judged<'_>,
        create: &PostingRow,
    ) -> Result<Option<Gone>, SyncError> {
        let gone = self.gone(judged, create, true).await?;
        if gone.is_some() {
            return Ok(gone);
        }
        let document = judged.document;
        let (Some(kind), Some(number)) = (&document.visma_type, &document.visma_number) else {
            return Ok(None);
        };
        let company = &judged.connection.company.id;
        let Some(stands) = self.store.erp_invoice(company, kind, number).await? else {
            return Ok(None);
        };
        let applied = document.applied_plan.as_deref().unwrap_or(&create.plan);
        let Ok(Plan::Invoice(applied)) = serde_json::from_str::<Plan>(applied) else {
            return Ok(None);
        };
        if stands.status != "Closed" || applied.kind != InvoiceKind::Invoice {
            return Ok(None);
        }
        let key = claim_key(&applied.supplier_reference);
        let mut under_its_number = self.store.erp_invoices_by_reference(company, &key).await?;
        under_its_number.retain(|of| {
            of.kind == Some(InvoiceKind::CreditNote)
                && of.supplier == stands.supplier
                && of.our_key.is_none()
                && of.is_released()
        });
        let [credit] = under_its_number.as_slice() else { return Ok(None) };
        Ok((credit.gross == stands.gross).then(|| Gone {
            kind: kind.clone(),
            number: number.clone(),
            how: "credited in full",
            credits: vec![name(credit)],
        }))
    }
}

impl Gone {
    /// From here on the document is one that never stood in Visma.
    pub(super) fn begin_anew(&self, company: &str, document: &DocumentRow, change: &mut Change) {
        let own = (self.kind.as_str(), self.number.as_str());
        let credits = self.credits.iter().map(|(kind, number)| (kind.as_str(), number.as_str()));
        let gone: Vec<(&str, &str)> = std::iter::once(own).chain(credits).collect();
        change.begin_anew(company, &document.id, document.corrections, &gone);
        self.forget(company, change);
    }

    /// A list does not tell that it was deleted.
    pub(super) fn forget(&self, company: &str, change: &mut Change) {
        if self.how == "deleted" {
            change.forget_erp_invoice(company, (&self.kind, &self.number));
        }
    }

    /// `Invoice 100001`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.kind, self.number)
    }
}

fn name(of: &ErpInvoice) -> (String, String) {
    (of.document_type.clone(), of.number.clone())
}

/// Nothing of it may still be on its way to Visma.
pub(super) fn is_at_rest(postings: &[PostingRow]) -> bool {
    postings.iter().all(|row| {
        (!row.state.is_open() || row.state == PostingState::Planned)
            && row.state != PostingState::Held
            && row.step != Step::TakeBack
    })
}
