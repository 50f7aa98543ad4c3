//! Documents whose released invoice is taken back by a credit note of ours and made anew.

use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

impl Change {
    /// The next decision about the document may take back what is released.
    pub fn ask_correction(&mut self, document: &str) {
        self.push(Statement::new(
            "update document set correction_asked = 1 where id = $1",
            args![document],
        ));
    }

    pub fn forget_correction(&mut self, document: &str) {
        self.push(Statement::new(
            "update document set correction_asked = 0 where id = $1",
            args![document],
        ));
    }

    /// The document stands in Visma no more: its postings are history, its claims stay its own, and it is
    /// judged as one that never stood there. `gone`: type and number of what it had become, and of
    /// the credit note of ours that took it back; no decision looks at either. Guarded by how often that happened
    /// before.
    pub fn begin_anew(
        &mut self,
        company: &str,
        document: &str,
        corrections: i64,
        gone: &[(&str, &str)],
    ) {
        // What stands may still be held against the ledger, by the plan that it was made by.
        for moved in [
            "update ledger_batch set document = (select p.our_key from posting p where p.document = $1 \
             and p.step = 'create') where document = $1",
            "update ledger_check set owner = $1, plan = (select coalesce(d.applied_plan, p.plan) from document d \
             join posting p on p.document = d.id and p.step = 'create' where d.id = $1), \
             document = (select p.our_key from posting p where p.document = $1 and p.step = 'create') \
             where document = $1",
        ] {
            self.push(Statement::new(moved, args![document]));
        }
        self.push(
            Statement::new(
                "update document set corrections = corrections + 1, correction_asked = 0, waiting = null, \
                 applied_revision = null, applied_plan = null, visma_type = null, visma_number = null \
                 where id = $1 and corrections = $2",
                args![document, corrections],
            )
            .guarded("the document was made anew by now"),
        );
        self.push(Statement::new(
            "insert into posting_past (id, correction, company, document, step, step_key, our_key, revision, \
             plan, plan_hash, body, state, attempts, absent, epoch, intent_at, settle_after, next_at, \
             visma_type, visma_number, etag, job, error, changed_at) \
             select id, $2, company, document, step, step_key, our_key, revision, \
             plan, plan_hash, body, state, attempts, absent, epoch, intent_at, settle_after, next_at, \
             visma_type, visma_number, etag, job, error, changed_at from posting where document = $1",
            args![document, corrections + 1],
        ));
        for forget in [
            "delete from posting where document = $1",
            "delete from own_billing where document = $1",
            "delete from own_invoice where document = $1",
        ] {
            self.push(Statement::new(forget, args![document]));
        }
        for (document_type, number) in gone {
            self.push(Statement::new(
                "insert into taken_back (company, document_type, number, document, correction) \
                 values ($1, $2, $3, $4, $5) on conflict (company, document_type, number) do nothing",
                args![company, *document_type, *number, document, corrections + 1],
            ));
        }
    }

    /// Visma says that there is no such document any more. Its lists do not tell of what is deleted.
    pub fn forget_erp_invoice(&mut self, company: &str, (document_type, number): (&str, &str)) {
        self.push(Statement::new(
            "delete from erp_billing where company = $1 and document_type = $2 and number = $3",
            args![company, document_type, number],
        ));
        self.push(Statement::new(
            "delete from erp_invoice where company = $1 and document_type = $2 and number = $3",
            args![company, document_type, number],
        ));
    }
}

/// Something that is in Visma and counts no more: an invoice of ours that was taken back, or the credit note
/// that did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    pub visma_type: String,
    pub visma_number: String,
    /// Of which correction of its document; the first is 1.
    pub correction: i64,
}

impl Store {
    pub async fn taken_back(&self, document: &str) -> Result<Vec<TakenBack>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64)>(
            "select document_type, number, correction from taken_back where document = $1 \
             order by correction, document_type desc, number",
        )
        .bind(document)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let of = |(visma_type, visma_number, correction)| TakenBack {
            visma_type,
            visma_number,
            correction,
        };
        Ok(rows.into_iter().map(of).collect())
    }

    /// Whose key it is, now or before a correction.
    pub async fn document_of_our_key(
        &self,
        company: &str,
        our_key: &str,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select document from posting where company = $1 and our_key = $2 \
             union all select document from posting_past where company = $1 and id = $2",
        )
        .bind(company)
        .bind(our_key)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(document,)| document))
    }
}
