//! What changes a document: it is received, moved from one state to another, held, and carried out.

use super::{Change, DocumentState, Statement, args};
use crate::decide::{Hold, Wait};
use crate::procurement::DocumentKind;

/// What is known of a document from its first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    pub id: String,
    pub connection: String,
    pub source: String,
    pub kind: DocumentKind,
    pub source_id: String,
    pub feed: String,
    pub row_hash: String,
    pub state: DocumentState,
    pub received_at: i64,
    /// See [`DocumentRow::routed`](super::DocumentRow::routed).
    pub routed: String,
}

/// The facts of a document's revision in force that lists and sums show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    pub number: String,
    pub order_number: Option<String>,
    pub reference: Option<String>,
    pub currency: Option<String>,
    pub amount_minor: Option<i64>,
    pub document_on: Option<String>,
}

impl Change {
    /// A document that came whole, with its first revision. Guarded: a document that is there
    /// already is not a new one.
    pub fn insert_read_document(&mut self, new: &NewDocument, facts: &DocumentFacts) {
        self.push(
            Statement::new(
                "insert into document (id, connection, source, kind, source_id, feed, state, row_hash, \
                 received_at, changed_at, latest_revision, recorded_revision, number, order_number, reference, \
                 currency, amount_minor, document_on, routed) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1, 1, $10, $11, $12, $13, $14, $15, $16) \
                 on conflict (source, kind, source_id) do nothing",
                args![
                    &new.id, &new.connection, &new.source, new.kind.as_str(), &new.source_id, &new.feed,
                    new.state.as_str(), &new.row_hash, new.received_at, &facts.number, &facts.order_number,
                    &facts.reference, &facts.currency, facts.amount_minor, &facts.document_on, &new.routed
                ],
            )
            .guarded("the document is known already"),
        );
    }

    /// Guarded: a document that is there already is not a new one.
    pub fn insert_document(&mut self, new: &NewDocument) {
        self.push(
            Statement::new(
                "insert into document (id, connection, source, kind, source_id, feed, number, state, \
                 latest_revision, recorded_revision, row_hash, received_at, changed_at, routed) \
                 values ($1, $2, $3, $4, $5, $6, '', $7, 0, 0, $8, $9, $9, $10) \
                 on conflict (source, kind, source_id) do nothing",
                args![
                    &new.id, &new.connection, &new.source, new.kind.as_str(), &new.source_id, &new.feed,
                    new.state.as_str(), &new.row_hash, new.received_at, &new.routed
                ],
            )
            .guarded("the document was received already"),
        );
    }

    #[expect(clippy::too_many_arguments, reason = "one row, told whole")]
    pub fn insert_revision(
        &mut self,
        document: &str,
        n: i64,
        raw_hash: &str,
        material_hash: &str,
        source_revision: Option<i64>,
        profile_hash: &str,
        raw: &str,
        received_at: i64,
    ) {
        self.push(Statement::new(
            "insert into revision (document, n, raw_hash, material_hash, source_revision, profile_hash, raw, received_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![document, n, raw_hash, material_hash, source_revision, profile_hash, raw, received_at],
        ));
    }

    /// The list's row of a document whose detail did not come, as revision 0.
    pub fn keep_list_row(&mut self, document: &str, row: &str, at: i64) {
        self.push(Statement::new(
            "insert into revision (document, n, raw_hash, material_hash, profile_hash, raw, received_at) \
             values ($1, 0, '', '', '', $2, $3) on conflict (document, n) do update set raw = excluded.raw",
            args![document, row, at],
        ));
    }

    /// A revision was stored. `in_force` when it is the one to be judged from now on; then it is to
    /// be routed first, unless `routed` says that it goes where all go.
    pub fn record_revision(
        &mut self,
        document: &str,
        n: i64,
        in_force: bool,
        row_hash: &str,
        routed: &str,
        at: i64,
    ) {
        self.push(Statement::new(
            "update document set recorded_revision = $1, \
             latest_revision = case when $2 = 1 then $1 else latest_revision end, \
             routed = case when $2 = 1 then $6 else routed end, row_hash = $3, changed_at = $4 where id = $5",
            args![n, i64::from(in_force), row_hash, at, document, routed],
        ));
    }

    pub fn set_row_hash(&mut self, document: &str, row_hash: &str) {
        self.push(Statement::new(
            "update document set row_hash = $1 where id = $2",
            args![row_hash, document],
        ));
    }

    pub fn set_facts(&mut self, document: &str, facts: &DocumentFacts) {
        self.push(Statement::new(
            "update document set number = $1, order_number = $2, reference = $3, currency = $4, \
             amount_minor = $5, document_on = $6 where id = $7",
            args![
                &facts.number,
                &facts.order_number,
                &facts.reference,
                &facts.currency,
                facts.amount_minor,
                &facts.document_on,
                document
            ],
        ));
    }

    /// The guarded step from one state to another. Waits of the old state go, and its holds with it;
    /// a document that stays held is given its holds by [`Self::set_holds`].
    pub fn move_document(
        &mut self,
        document: &str,
        from: DocumentState,
        to: DocumentState,
        at: i64,
    ) {
        self.push(
            Statement::new(
                "update document set state = $1, waiting = null, changed_at = $2 where id = $3 and state = $4",
                args![to.as_str(), at, document, from.as_str()],
            )
            .guarded("the document is in another state by now"),
        );
        if from == DocumentState::Held && to != DocumentState::Held {
            self.push(Statement::new("delete from hold where document = $1", args![document]));
        }
    }

    /// In place of those it has. What it was held for already, it is held for since then.
    pub fn set_holds(&mut self, document: &str, holds: &[Hold], at: i64) {
        self.push(Statement::new(
            "update hold set n = -1 - n where document = $1",
            args![document],
        ));
        for (n, hold) in (0_i64..).zip(holds) {
            self.push(Statement::new(
                "insert into hold (document, n, code, text, fix, since) select $1, $2, $3, $4, $5, \
                 coalesce((select min(since) from hold where document = $1 and n < 0 and code = $3 and text = $4), $6)",
                args![document, n, &hold.code, &hold.text, &hold.fix, at],
            ));
        }
        self.push(Statement::new(
            "delete from hold where document = $1 and n < 0",
            args![document],
        ));
    }

    pub fn set_waiting(&mut self, document: &str, waits: &[Wait]) {
        let json = serde_json::to_string(waits).expect("waits are plain data");
        self.push(Statement::new(
            "update document set waiting = $1 where id = $2",
            args![json, document],
        ));
    }

    pub fn set_supplier(&mut self, document: &str, supplier: &str) {
        self.push(Statement::new(
            "update document set supplier = $1 where id = $2",
            args![supplier, document],
        ));
    }

    pub fn set_attention(&mut self, document: &str, attention: Option<&str>) {
        self.push(Statement::new(
            "update document set attention = $1 where id = $2",
            args![attention, document],
        ));
    }

    pub fn set_visma_number(&mut self, document: &str, visma_type: &str, visma_number: &str) {
        self.push(Statement::new(
            "update document set visma_type = $1, visma_number = $2 where id = $3 and visma_number is not null",
            args![visma_type, visma_number, document],
        ));
    }

    /// What stands in Visma now.
    pub fn set_applied(
        &mut self,
        document: &str,
        revision: i64,
        plan: &str,
        visma_type: &str,
        visma_number: &str,
    ) {
        self.push(Statement::new(
            "update document set applied_revision = $1, applied_plan = $2, visma_type = $3, visma_number = $4 \
             where id = $5",
            args![revision, plan, visma_type, visma_number, document],
        ));
    }
}
