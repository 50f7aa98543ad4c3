//! What JAGGAER is to know of each document, and what of it was told.

use super::{Change, DocumentState, Statement, Store, StoreError, args};
use crate::procurement::{About, DocumentKind, StatusReport};
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

/// Where one thing to tell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfirmationState {
    /// Looked at, and there is nothing to tell.
    Nothing,
    Wanted,
    Told,
    /// A definite no: told again when there is something else to tell.
    Refused,
    /// The profile has no words for it.
    Silent,
}

impl ConfirmationState {
    pub const ALL: [Self; 5] =
        [Self::Nothing, Self::Wanted, Self::Told, Self::Refused, Self::Silent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Wanted => "wanted",
            Self::Told => "told",
            Self::Refused => "refused",
            Self::Silent => "silent",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationRow {
    pub document: String,
    pub about: About,
    pub connection: String,
    /// What it was made from: it is looked at again when that moved.
    pub basis: String,
    pub report: Option<StatusReport>,
    pub state: ConfirmationState,
    /// When it came to be so, as the source is told. Instants are microseconds UTC.
    pub occurred_at: i64,
    pub attempts: i64,
    pub next_at: i64,
    pub error: Option<String>,
    pub changed_at: i64,
}

/// A document that may have something new to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub document: String,
    pub kind: DocumentKind,
    pub state: DocumentState,
    pub visma_type: Option<String>,
    pub visma_number: Option<String>,
    pub latest_revision: i64,
    pub applied_revision: Option<i64>,
    pub basis: String,
}

macro_rules! confirmations {
    ($tail:literal) => {
        concat!(
            "select c.document, c.about, c.connection, c.basis, c.report, c.state, c.occurred_at, c.attempts, \
             c.next_at, c.error, c.changed_at from confirmation c ",
            $tail
        )
    };
}

macro_rules! moved {
    ($basis:literal, $tail:literal) => {
        concat!(
            "select d.id, d.kind, d.state, d.visma_type, d.visma_number, d.latest_revision, \
             d.applied_revision, ",
            $basis,
            " from document d ",
            $tail
        )
    };
}

impl Store {
    /// Documents that came to rest since they were looked at last, in the order in which they did.
    pub async fn moved_documents(
        &self,
        connection: &str,
        most: i64,
    ) -> Result<Vec<Moved>, StoreError> {
        let rows = sqlx::query::<Any>(moved!(
            "cast(d.changed_at as text)",
            "left join confirmation c on c.document = d.id and c.about = 'erp' \
             where d.connection = $1 and d.state in ('posted', 'held', 'cancelled') \
             and (c.document is null or c.basis <> cast(d.changed_at as text)) \
             order by d.changed_at, d.id limit $2"
        ))
        .bind(connection)
        .bind(most)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(moved).collect()
    }

    /// Invoices that Visma has another version of since they were looked at last. A row that states no version is
    /// compared whole.
    pub async fn moved_invoices(
        &self,
        connection: &str,
        company: &str,
        most: i64,
    ) -> Result<Vec<Moved>, StoreError> {
        let rows = sqlx::query::<Any>(moved!(
            "coalesce(e.version, e.body) || ' ' || e.status",
            "join erp_invoice e on e.company = $2 and e.document_type = d.visma_type and e.number = d.visma_number \
             left join confirmation c on c.document = d.id and c.about = 'payment' \
             where d.connection = $1 and d.state = 'posted' and d.kind <> 'purchase_order' \
             and e.status in ('Open', 'Closed') \
             and (c.document is null or c.basis <> coalesce(e.version, e.body) || ' ' || e.status) \
             order by d.id limit $3"
        ))
        .bind(connection)
        .bind(company)
        .bind(most)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(moved).collect()
    }

    pub async fn confirmations_of(
        &self,
        document: &str,
    ) -> Result<Vec<ConfirmationRow>, StoreError> {
        let rows = sqlx::query::<Any>(confirmations!("where c.document = $1 order by c.about"))
            .bind(document)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(confirmation).collect()
    }

    /// What is to be told now, the longest waiting first.
    pub async fn due_confirmations(
        &self,
        connection: &str,
        about: About,
        now: i64,
        most: i64,
    ) -> Result<Vec<ConfirmationRow>, StoreError> {
        let rows = sqlx::query::<Any>(confirmations!(
            "where c.connection = $1 and c.state = 'wanted' and c.next_at <= $2 and c.about = $3 \
             order by c.next_at, c.document limit $4"
        ))
        .bind(connection)
        .bind(now)
        .bind(about.as_str())
        .bind(most)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(confirmation).collect()
    }

    /// Connection, state, count.
    pub async fn confirmation_counts(&self) -> Result<Vec<(String, String, i64)>, StoreError> {
        Ok(sqlx::query_as::<Any, (String, String, i64)>(
            "select connection, state, cast(count(*) as bigint) from confirmation \
             where state in ('wanted', 'told', 'refused') group by connection, state \
             order by connection, state",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?)
    }
}

impl Change {
    pub fn keep_confirmation(&mut self, row: &ConfirmationRow) {
        let report = row.report.as_ref().map_or_else(String::new, |report| {
            serde_json::to_string(report).expect("plain data with text keys")
        });
        self.push(Statement::new(
            "insert into confirmation (document, about, connection, basis, report, state, occurred_at, attempts, \
             next_at, error, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             on conflict (document, about) do update set connection = excluded.connection, \
             basis = excluded.basis, report = excluded.report, state = excluded.state, \
             occurred_at = excluded.occurred_at, attempts = excluded.attempts, next_at = excluded.next_at, \
             error = excluded.error, changed_at = excluded.changed_at",
            args![
                &row.document,
                row.about.as_str(),
                &row.connection,
                &row.basis,
                report,
                row.state.as_str(),
                row.occurred_at,
                row.attempts,
                row.next_at,
                &row.error,
                row.changed_at
            ],
        ));
    }

    /// Guarded: what came of an attempt counts for the report that was sent.
    pub fn settle_confirmation(&mut self, row: &ConfirmationRow) {
        self.push(
            Statement::new(
                "update confirmation set state = $1, attempts = $2, next_at = $3, error = $4, changed_at = $5 \
                 where document = $6 and about = $7 and occurred_at = $8 and state = 'wanted'",
                args![
                    row.state.as_str(),
                    row.attempts,
                    row.next_at,
                    &row.error,
                    row.changed_at,
                    &row.document,
                    row.about.as_str(),
                    row.occurred_at
                ],
            )
            .guarded("another report of the document is to be told by now"),
        );
    }
}

fn moved(row: &AnyRow) -> Result<Moved, StoreError> {
    let (kind, state): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    Ok(Moved {
        document: row.try_get(0)?,
        kind: DocumentKind::parse(&kind)
            .ok_or_else(|| StoreError::Content(format!("document kind `{kind}`")))?,
        state: DocumentState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| StoreError::Content(format!("document state `{state}`")))?,
        visma_type: row.try_get(3)?,
        visma_number: row.try_get(4)?,
        latest_revision: row.try_get(5)?,
        applied_revision: row.try_get(6)?,
        basis: row.try_get(7)?,
    })
}

fn confirmation(row: &AnyRow) -> Result<ConfirmationRow, StoreError> {
    let (about, state): (String, String) = (row.try_get(1)?, row.try_get(5)?);
    let report: String = row.try_get(4)?;
    let report = match report.as_str() {
        "" => None,
        text => Some(
            serde_json::from_str(text).map_err(|error| StoreError::Content(error.to_string()))?,
        ),
    };
    Ok(ConfirmationRow {
        document: row.try_get(0)?,
        about: About::ALL
            .into_iter()
            .find(|known| known.as_str() == about)
            .ok_or_else(|| StoreError::Content(format!("confirmation about `{about}`")))?,
        connection: row.try_get(2)?,
        basis: row.try_get(3)?,
        report,
        state: ConfirmationState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| StoreError::Content(format!("confirmation `{state}`")))?,
        occurred_at: row.try_get(6)?,
        attempts: row.try_get(7)?,
        next_at: row.try_get(8)?,
        error: row.try_get(9)?,
        changed_at: row.try_get(10)?,
    })
}
