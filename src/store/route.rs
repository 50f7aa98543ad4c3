//! Which connection each document belongs to, and since its first posting which company.

use super::document::{columns, document};
use super::{Change, DocumentRow, Statement, Store, StoreError, args};
use sqlx::Any;

impl Store {
    /// Documents of a source whose revision in force was not routed by these routes yet, in order of
    /// id after `after`. What did not come whole, what is on its way into Visma, and what has no body any
    /// more, is not among them.
    pub async fn documents_to_route(
        &self,
        source: &str,
        routes: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where source = $1 and routed <> $2 and state not in ('unread', 'posting') and pruned_at is null \
             and id > $3 \
             order by id limit $4"
        ))
        .bind(source)
        .bind(routes)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }

    /// Documents of a source whose detail did not come, oldest first.
    pub async fn unread_documents(&self, source: &str) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where source = $1 and state = 'unread' order by received_at, id"
        ))
        .bind(source)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }
}

impl Change {
    /// The document belongs to the connection (empty: to none). Guarded: it stands as it was read.
    pub fn route_document(&mut self, document: &DocumentRow, connection: &str, routes: &str) {
        self.push(
            Statement::new(
                "update document set connection = $1, routed = $2 \
                 where id = $3 and state = $4 and connection = $5 and company = $6 and latest_revision = $7",
                args![
                    connection, routes, &document.id, document.state.as_str(), &document.connection,
                    &document.company, document.latest_revision
                ],
            )
            .guarded("the document moved while it was routed"),
        );
    }

    /// What already stands with this connection and company needs no look: all of it at once.
    pub fn keep_routed(&mut self, source: &str, connection: &str, company: &str, routes: &str) {
        self.push(Statement::new(
            "update document set routed = $1 where source = $2 and connection = $3 and company in ('', $4) \
             and state <> 'posting' and routed <> $1",
            args![routes, source, connection, company],
        ));
    }

    /// The next look at the document routes it anew.
    pub fn route_again(&mut self, document: &str) {
        self.push(Statement::new("update document set routed = '' where id = $1", args![document]));
    }

    /// The document is about to be written to the company. Guarded: to no other, and its connection
    /// is still the one that it was judged by.
    pub fn begin_in_company(&mut self, document: &str, connection: &str, company: &str) {
        self.push(
            Statement::new(
                "update document set company = $1 where id = $2 and company in ('', $1) and connection = $3",
                args![company, document, connection],
            )
            .guarded("the document belongs to another company or connection by now"),
        );
    }

    /// Nothing of the document was ever written to its company: it is free to go to another. The
    /// trail keeps what was planned. Guarded, step by step, by what was read.
    pub fn leave_company(&mut self, document: &str, steps: &[super::PostingRow]) {
        for step in steps {
            self.push(
                Statement::new(
                    "delete from posting where id = $1 and state = $2 and epoch = $3 and attempts = $4",
                    args![&step.id, step.state.as_str(), step.epoch, step.attempts],
                )
                .guarded("the document's posting moved meanwhile"),
            );
        }
        for sql in [
            "update document set company = '' where id = $1",
            "delete from own_billing where document = $1",
            "delete from own_invoice where document = $1",
            "delete from own_credit where document = $1",
        ] {
            self.push(Statement::new(sql, args![document]));
        }
        self.drop_claims(document);
    }
}
