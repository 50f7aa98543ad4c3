//! One document at a time has a supplier's invoice number, or an order's number: who came first
//! keeps it, and the other is held as its double.

use super::Judged;
use crate::decide::Hold;
use crate::matching::claim_key;
use crate::procurement::Plan;
use crate::store::Change;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;

impl Engine {
    /// Claims the invoice, or the order's number, for this document. `false`: another has it, and
    /// the change holds this one.
    pub(super) async fn claim(
        &self,
        judged: &Judged<'_>,
        plan: &Plan,
        at: i64,
        change: &mut Change,
    ) -> Result<bool, SyncError> {
        let company = &judged.connection.company.id;
        let kind = judged.document.kind.as_str();
        // An order is known by its number in its source: an invoice names it by nothing else.
        let (supplier, reference, year) = match plan {
            Plan::Order(plan) => (judged.connection.source.id.clone(), plan.number.clone(), 0),
            Plan::Invoice(plan) => (
                plan.supplier.clone(),
                claim_key(&plan.supplier_reference),
                i64::from(plan.invoiced_on.year()),
            ),
        };
        let claimant = self.store.claimant(company, &supplier, kind, &reference, year).await?;
        if let Some(other) = claimant.filter(|other| *other != judged.document.id) {
            let other = self.store.document(&other).await?;
            let hold = match plan {
                Plan::Order(plan) => {
                    let other = other.map_or_else(|| "unknown".to_owned(), |other| other.source_id);
                    Hold::duplicate_order(&plan.number, &other)
                }
                Plan::Invoice(plan) => {
                    let other =
                        other.map_or_else(|| "another document".to_owned(), |other| other.number);
                    Hold::duplicate(&plan.supplier_reference, &plan.supplier, &other)
                }
            };
            judged.hold(&[hold], at, change);
            return Ok(false);
        }
        change.drop_claims(&judged.document.id);
        change.claim(company, &supplier, kind, &reference, year, &judged.document.id);
        Ok(true)
    }
}
