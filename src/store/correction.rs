//! Documents whose released invoice is taken back by a credit note of ours and made anew.

use super::{Change, Statement, args};

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
            "delete from ledger_check where document = $1",
            "delete from ledger_batch where document = $1",
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
}
