//! A released invoice that shall be another: a credit note of ours takes back what stands, under a key of
//! its own, and the document is made anew when that is released. Both are postings like any other, so that a lost
//! answer is settled and nothing is sent twice. Visma's own reverse carries no key of ours.

use super::Judged;
use super::change_of_posted::{try_again, withdraw};
use crate::audit::hash_text;
use crate::decide::{Decision, Hold};
use crate::matching::claim_key;
use crate::procurement::{ErpInvoice, InvoiceKind, InvoicePlan, Plan, PostingMode};
use crate::store::{
    Change, DocumentRow, DocumentState, PostingRow, PostingState, Step, Store, StoreError,
};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::post::transition;
use crate::sync::posting::Event;
use serde_json::json;

/// What taking back a released invoice would do.
pub struct Correction {
    /// Type and number of what stands, or stood.
    pub standing: String,
    /// The credit note, none if the invoice stands no more; or why it cannot be.
    pub credit: Result<Option<InvoicePlan>, String>,
}

impl Correction {
    /// It is posted anew without more.
    pub const fn is_of_what_is_gone(&self) -> bool {
        matches!(self.credit, Ok(None))
    }
}

/// What `plan` would ask for of a document that stands otherwise. `None`: what stands is a draft or
/// an order, and no credit note is needed.
pub async fn correction(
    store: &Store,
    document: &DocumentRow,
    plan: &Plan,
) -> Result<Option<Correction>, StoreError> {
    let postings = store.postings_of(&document.id).await?;
    let create = postings.iter().find(|row| row.step == Step::Create);
    let (Some(create), Plan::Invoice(_)) = (create, plan) else { return Ok(None) };
    let (kind, number) = standing(document);
    let stands = store.erp_invoice(&create.company, kind, number).await?;
    let standing = format!("{kind} {number}");
    if create.state.is_done() && stands.as_ref().is_none_or(|of| !of.is_live()) {
        return Ok(Some(Correction { standing, credit: Ok(None) }));
    }
    if stands.as_ref().is_none_or(ErpInvoice::is_draft) {
        return Ok(None);
    }
    let applied = document.applied_plan.as_deref().unwrap_or(&create.plan);
    let mut credit = credit_note((&standing, applied), plan, Some(create), stands.as_ref());
    if let Ok(of) = &credit
        && let Some(why) = credited_by_hand(store, &create.company, of).await?
    {
        credit = Err(why);
    }
    Ok(Some(Correction { standing, credit: credit.map(Some) }))
}

/// A credit note under the invoice's number that is not ours: a person may have taken the invoice back
/// already, and not applied it yet. `None`: there is none.
pub async fn credited_by_hand(
    store: &Store,
    company: &str,
    credit: &InvoicePlan,
) -> Result<Option<String>, StoreError> {
    let key = claim_key(&credit.supplier_reference);
    let found = store.erp_invoices_by_reference(company, &key).await?;
    let by_hand = found.iter().find(|of| {
        of.kind == Some(InvoiceKind::CreditNote)
            && of.supplier == credit.supplier
            && of.our_key.is_none()
            && of.is_live()
    });
    Ok(by_hand.map(|of| {
        format!(
            "a person keyed in {} {} of {} under its number, which may take it back already",
            of.document_type, of.number, of.gross
        )
    }))
}

/// Type and number.
fn standing(document: &DocumentRow) -> (&str, &str) {
    (
        document.visma_type.as_deref().unwrap_or_default(),
        document.visma_number.as_deref().unwrap_or_default(),
    )
}

impl Engine {
    /// What stands is released, and a person asked for it to be taken back and made anew as `plan`.
    pub(super) async fn take_back(
        &self,
        judged: &Judged<'_>,
        (applied, plan): (&str, &Plan),
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<(), SyncError> {
        let document = judged.document;
        let company = &judged.connection.company.id;
        let (kind, number) = standing(document);
        let shown = format!("{kind} {number}");
        let (asked, others): (Vec<PostingRow>, Vec<PostingRow>) =
            postings.iter().cloned().partition(|row| row.step == Step::TakeBack);
        withdraw(judged, &others, None, at, change)?;
        let create = postings.iter().find(|row| row.step == Step::Create);
        let stands = self.store.erp_invoice(company, kind, number).await?;
        let credit = match credit_note((&shown, applied), plan, create, stands.as_ref()) {
            Ok(credit) => match credited_by_hand(&self.store, company, &credit).await? {
                Some(why) => Err(why),
                None => Ok(credit),
            },
            Err(why) => Err(why),
        };
        let credit = match credit {
            Ok(credit) => credit,
            Err(why) => {
                withdraw(judged, &asked, None, at, change)?;
                judged.hold(&[Hold::not_correctable(&shown, &why)], at, change);
                return Ok(());
            }
        };
        // Another document may have the number that the new one is to have.
        if !self.claim(judged, plan, at, change).await? {
            return withdraw(judged, &asked, None, at, change);
        }
        let text = serde_json::to_string(&Plan::Invoice(credit)).expect("a plan is plain data");
        match asked.first() {
            // Not sent, refused, or deleted in Visma: any other state went on before.
            Some(row) => {
                let event = Event::Replan {
                    plan_hash: hash_text(&text),
                    plan: text,
                    revision: judged.revision.n,
                };
                let mut next = transition(row, event, at)?;
                next.attempts = 0;
                (next.visma_type, next.visma_number) = (None, None);
                change.move_posting(row.state, row.epoch, &next);
            }
            None => {
                let mut posting = self.new_posting(judged, Step::TakeBack, "", text, at);
                (posting.visma_type, posting.visma_number) = (None, None);
                change.insert_posting(&posting);
            }
        }
        let detail = json!({ "takes_back": shown });
        judged.to(DocumentState::Posting, "take_back_planned", detail, at, change);
        Ok(())
    }

    /// A credit note that may stand in Visma: what it began comes to its end whatever is decided today,
    /// which is judged when it has. `false`: there is none.
    pub(super) fn taking_back_goes_on(
        &self,
        judged: &Judged<'_>,
        postings: &[PostingRow],
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let Some(credit) = postings.iter().find(|row| row.step == Step::TakeBack) else {
            return Ok(false);
        };
        match credit.state {
            PostingState::Planned | PostingState::Refused => return Ok(false),
            PostingState::Held => try_again(judged, credit, at, change)?,
            PostingState::Differs if judged.document.correction_asked => {
                // The person saw the difference, and lets it stand.
                let next = transition(credit, Event::Verified, at)?;
                change.advance_posting(credit.state, credit.epoch, &next);
            }
            PostingState::Intended
            | PostingState::Accepted
            | PostingState::Uncertain
            | PostingState::Done
            | PostingState::Verified
            | PostingState::Differs => {}
        }
        let release = postings.iter().find(|row| row.step == Step::Release && row.is_of_credit());
        if let Some(row) = release.filter(|row| !row.state.is_done() && !row.state.is_open()) {
            try_again(judged, row, at, change)?;
        }
        if judged.document.correction_asked {
            change.forget_correction(&judged.document.id);
        }
        judged.to(DocumentState::Posting, "taking_back_goes_on", json!({}), at, change);
        Ok(true)
    }

    /// A person took back what stood (`is_gone`: it is known to stand no more), and keyed in another invoice of
    /// this number: the document is that one from now on. `false`: nothing of the kind.
    pub(super) async fn corrected_by_hand(
        &self,
        judged: &Judged<'_>,
        is_gone: bool,
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let document = judged.document;
        let Decision::Adopt { document_type, number, .. } = &judged.decision else {
            return Ok(false);
        };
        let company = &judged.connection.company.id;
        let old = standing(document);
        let stands = self.store.erp_invoice(company, old.0, old.1).await?;
        let is_over =
            is_gone || stands.is_some_and(|of| matches!(of.status.as_str(), "Closed" | "Voided"));
        if !is_over || old == (document_type.as_str(), number.as_str()) {
            return Ok(false);
        }
        change.begin_anew(company, &document.id, document.corrections, &[old]);
        let detail = json!({
            "visma_type": old.0, "visma_number": old.1, "instead": format!("{document_type} {number}"),
        });
        judged.to(DocumentState::Ready, "corrected_by_hand", detail, at, change);
        Ok(true)
    }
}

/// The credit note that takes back what stands (its type and number, and the plan that it was made by), so
/// that `plan` can follow; or why there is none.
fn credit_note(
    (standing, applied): (&str, &str),
    plan: &Plan,
    create: Option<&PostingRow>,
    stands: Option<&ErpInvoice>,
) -> Result<InvoicePlan, String> {
    let (Ok(Plan::Invoice(applied)), Plan::Invoice(plan)) =
        (serde_json::from_str::<Plan>(applied), plan)
    else {
        return Err("only an invoice is taken back by a credit note".into());
    };
    if applied.kind != InvoiceKind::Invoice || plan.kind != InvoiceKind::Invoice {
        return Err("it is a credit note itself".into());
    }
    if create.is_none_or(|row| row.attempts == 0) {
        return Err("a person keyed it in, and what a person made is that person's".into());
    }
    let Some(stands) = stands else { return Err("Visma's lists do not show it".into()) };
    match not_to_be_taken_back(&applied, stands) {
        Some(why) => Err(why),
        None => Ok(credit_of(applied, plan, standing)),
    }
}

/// Why the invoice that stands must not be taken back. `None`: it is released, nothing of it is paid or
/// credited, and it is what the plan says.
pub fn not_to_be_taken_back(applied: &InvoicePlan, stands: &ErpInvoice) -> Option<String> {
    match stands.status.as_str() {
        "Open" => {}
        "Closed" => return Some("it is paid or credited in full".into()),
        other => return Some(format!("its status is {other}")),
    }
    match stands.balance {
        Some(balance) if balance == stands.gross => {}
        Some(balance) => {
            return Some(format!(
                "{balance} of {} is left: it is paid or credited in part",
                stands.gross
            ));
        }
        None => return Some("Visma does not say whether anything of it is paid".into()),
    }
    (stands.gross != applied.gross || stands.supplier != applied.supplier).then(|| {
        format!(
            "it is {} of supplier {} there, not as it was posted",
            stands.gross, stands.supplier
        )
    })
}

/// The same lines on the other side. It is booked where the new invoice is, whose period is known to be
/// open; and it names no order line, since what it takes back counts as never billed.
fn credit_of(applied: InvoicePlan, plan: &InvoicePlan, standing: &str) -> InvoicePlan {
    let mut credit = InvoicePlan {
        kind: InvoiceKind::CreditNote,
        document_on: plan.document_on,
        period: plan.period.clone(),
        due_on: None,
        terms: None,
        payment_reference: None,
        description: format!("Takes back {standing}"),
        mode: match plan.mode {
            PostingMode::Released => PostingMode::Released,
            // A person releases it; the hold is for what comes from JAGGAER.
            PostingMode::Hold | PostingMode::Balanced => PostingMode::Balanced,
        },
        attachments: Vec::new(),
        ..applied
    };
    for line in &mut credit.lines {
        line.link = None;
    }
    credit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procurement::{Currency, InvoicePlanLine, Link, Money};
    use jiff::civil::date;
    use rust_decimal::Decimal;

    fn kroner(minor: i64) -> Money {
        Money::new(minor, Currency::NOK)
    }

    fn plan(gross: i64) -> InvoicePlan {
        InvoicePlan {
            kind: InvoiceKind::Invoice,
            supplier: "50001".into(),
            supplier_reference: "F-1".into(),
            currency: Currency::NOK,
            document_on: date(2026, 9, 28),
            invoiced_on: date(2026, 9, 28),
            period: "202609".into(),
            due_on: Some(date(2026, 10, 28)),
            terms: Some("30".into()),
            payment_reference: Some("1234567".into()),
            branch: None,
            description: "Paper".into(),
            gross: kroner(gross),
            vat: kroner(0),
            mode: PostingMode::Hold,
            lines: vec![InvoicePlanLine {
                key: "1/1".into(),
                description: "Paper".into(),
                quantity: Decimal::ONE,
                unit: None,
                unit_cost: Decimal::new(gross, 2),
                cost: kroner(gross),
                account: "6540".into(),
                segments: vec![],
                vat_category: "0".into(),
                branch: None,
                project: None,
                link: Some(Link::Order { number: "000401".into(), line: 1 }),
            }],
            attachments: vec![],
        }
    }

    fn stands(status: &str, gross: i64, balance: Option<i64>) -> ErpInvoice {
        ErpInvoice {
            document_type: "Invoice".into(),
            number: "100001".into(),
            kind: Some(InvoiceKind::Invoice),
            status: status.into(),
            supplier: "50001".into(),
            gross: kroner(gross),
            balance: balance.map(kroner),
            supplier_reference: Some("F-1".into()),
            currency: Currency::NOK,
            document_on: None,
            vat: None,
            payment_reference: None,
            our_key: None,
            version: None,
            modified: None,
            attachments: vec![],
            lines: vec![],
        }
    }

    #[test]
    fn only_what_is_released_unpaid_and_as_posted_is_taken_back() {
        let other = ErpInvoice { supplier: "50002".into(), ..stands("Open", 5_000, Some(5_000)) };
        for (invoice, expected) in [
            (stands("Open", 5_000, Some(5_000)), None),
            (stands("Closed", 5_000, Some(0)), Some("paid or credited in full")),
            (stands("Open", 5_000, Some(4_999)), Some("paid or credited in part")),
            (stands("Open", 5_000, Some(0)), Some("paid or credited in part")),
            (stands("Open", 5_000, None), Some("does not say whether anything of it is paid")),
            (stands("Open", 5_001, Some(5_001)), Some("not as it was posted")),
            (other, Some("not as it was posted")),
            (stands("Voided", 5_000, Some(0)), Some("its status is Voided")),
            (stands("Prebooked", 5_000, Some(5_000)), Some("its status is Prebooked")),
        ] {
            let why = not_to_be_taken_back(&plan(5_000), &invoice);
            match expected {
                None => assert_eq!(why, None),
                Some(words) => {
                    assert!(why.as_ref().is_some_and(|why| why.contains(words)), "{why:?}")
                }
            }
        }
    }

    #[test]
    fn the_credit_note_is_what_stands_in_the_period_of_the_new_invoice() {
        let later =
            InvoicePlan { document_on: date(2026, 10, 1), period: "202610".into(), ..plan(6_000) };
        for (mode, expected) in [
            (PostingMode::Hold, PostingMode::Balanced),
            (PostingMode::Balanced, PostingMode::Balanced),
            (PostingMode::Released, PostingMode::Released),
        ] {
            let new = InvoicePlan { mode, ..later.clone() };
            let credit = credit_of(plan(5_000), &new, "Invoice 100001");
            assert_eq!((credit.kind, credit.mode), (InvoiceKind::CreditNote, expected));
            assert_eq!((credit.gross, credit.lines[0].cost), (kroner(5_000), kroner(5_000)));
            assert_eq!((credit.document_on, credit.period.as_str()), (date(2026, 10, 1), "202610"));
            assert_eq!((&credit.due_on, &credit.payment_reference), (&None, &None));
            assert_eq!(credit.lines[0].link, None, "it bills no order line");
            assert_eq!(credit.supplier_reference, "F-1");
        }
    }
}
