//! What reconciling looks at, and what it came to.

use super::{Arg, Change, DocumentState, Pruned, Statement, Step, Store, StoreError, args};
use crate::procurement::DocumentKind;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A document with what its sums need, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRow {
    pub id: String,
    pub source: String,
    pub connection: String,
    pub company: String,
    pub kind: DocumentKind,
    pub feed: String,
    pub number: String,
    pub supplier: Option<String>,
    pub currency: Option<String>,
    pub amount_minor: Option<i64>,
    pub document_on: Option<String>,
    pub state: DocumentState,
    pub row_hash: String,
    pub visma_type: Option<String>,
    pub visma_number: Option<String>,
    pub latest_revision: i64,
    pub received_at: i64,
    /// As in [`DocumentRow`](super::DocumentRow::pruned).
    pub pruned: Option<Pruned>,
}

/// Whose a document of Visma's is, by what is kept here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    /// Documents of ours by the key that stands in Visma.
    pub by_key: BTreeMap<String, String>,
    /// And by Visma's type (of an order: empty) and number: people's documents that were taken over carry
    /// no key.
    pub by_number: BTreeMap<(String, String), String>,
    /// Keys of the credit notes that take back an invoice of ours, and
    pub credit_keys: BTreeSet<String>,
    /// types and numbers of both, as soon as the credit note stands.
    pub taken_back: BTreeSet<(String, String)>,
}

/// What one reconciliation came to. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationRow {
    pub id: String,
    pub unit: String,
    /// A month (`2026-03`) or `all`.
    pub period: String,
    pub reconciled_at: i64,
    pub actor: String,
    /// How many differences it named.
    pub differences: i64,
}

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, source, connection, company, kind, feed, number, supplier, currency, amount_minor, \
             document_on, state, row_hash, visma_type, visma_number, latest_revision, received_at, \
             pruned_at, pruned_for from document ",
            $tail
        )
    };
}

/// Documents asked for at once; one size, so that the text is prepared once.
const BY_ID: usize = 50;

static STANDINGS_BY_ID: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=BY_ID).map(|n| format!("${n}")).collect();
    format!(columns!("where id in ({})"), places.join(", "))
});

const KEEP: &str = "insert into reconciliation (id, unit, period, reconciled_at, actor, differences, body) \
                    values ($1, $2, $3, $4, $5, $6, $7)";

impl Store {
    /// Documents of a source that are dated in a month (`2026-03`; empty: in any), or have no date and were
    /// received from one instant until before the other.
    pub async fn standings(
        &self,
        source: &str,
        month: &str,
        received: (i64, i64),
    ) -> Result<Vec<StandingRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where source = $1 and ($2 = '' or substr(document_on, 1, 7) = $2 \
             or (document_on is null and received_at >= $3 and received_at < $4)) order by id"
        ))
        .bind(source)
        .bind(month)
        .bind(received.0)
        .bind(received.1)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(standing).collect()
    }

    /// Those of the ids that are known.
    pub async fn standings_by_id(&self, ids: &[&str]) -> Result<Vec<StandingRow>, StoreError> {
        let mut found = Vec::new();
        for part in ids.chunks(BY_ID) {
            let mut query = sqlx::query::<Any>(STANDINGS_BY_ID.as_str());
            // The last id again where there are fewer: it is found once all the same.
            for n in 0..BY_ID {
                query = query.bind(part[n.min(part.len() - 1)]);
            }
            for row in query.fetch_all(&mut self.readers.take().await?).await? {
                found.push(standing(&row)?);
            }
        }
        Ok(found)
    }

    /// Documents of a source with a write that is under way, or that was done since an instant and that no list
    /// of Visma's has shown yet.
    pub async fn moving_documents(
        &self,
        source: &str,
        done_since: i64,
    ) -> Result<BTreeSet<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select distinct p.document from posting p join document d on d.id = p.document \
             where d.source = $1 and (p.state in ('planned', 'intended', 'accepted', 'uncertain') \
             or (p.state = 'done' and p.changed_at > $2))",
        )
        .bind(source)
        .bind(done_since)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Everything of ours that stands, or stood, in a company.
    pub async fn visma_identities(&self, company: &str) -> Result<Identities, StoreError> {
        let keys = sqlx::query_as::<Any, (String, String, String)>(
            "select our_key, document, step from posting where company = $1 \
             union all select our_key, document, step from posting_past where company = $1",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let numbers = sqlx::query_as::<Any, (String, String, String)>(
            "select case when kind = 'purchase_order' then '' else coalesce(visma_type, '') end, visma_number, id \
             from document \
             where company = $1 and visma_number is not null",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let taken_back = sqlx::query_as::<Any, (String, String)>(
            "select document_type, number from taken_back where company = $1 \
             union select p.visma_type, p.visma_number from posting p where p.company = $1 \
             and p.step = 'take_back' and p.visma_type is not null and p.visma_number is not null \
             union select d.visma_type, d.visma_number from document d join posting p on p.document = d.id \
             where d.company = $1 and p.step = 'take_back' and p.state in ('done', 'verified', 'differs') \
             and d.visma_type is not null and d.visma_number is not null",
        )
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let credits = keys.iter().filter(|(_, _, step)| step == Step::TakeBack.as_str());
        Ok(Identities {
            credit_keys: credits.map(|(key, _, _)| key.clone()).collect(),
            taken_back: taken_back.into_iter().collect(),
            by_key: keys.into_iter().map(|(key, document, _)| (key, document)).collect(),
            by_number: numbers
                .into_iter()
                .map(|(kind, number, document)| ((kind, number), document))
                .collect(),
        })
    }

    /// The newest result of each unit and period, the newest first.
    pub async fn reconciliations(&self) -> Result<Vec<ReconciliationRow>, StoreError> {
        self.newest_where("").await
    }

    /// The same of one unit.
    pub async fn reconciliations_of(
        &self,
        unit: &str,
    ) -> Result<Vec<ReconciliationRow>, StoreError> {
        self.newest_where(unit).await
    }

    async fn newest_where(&self, unit: &str) -> Result<Vec<ReconciliationRow>, StoreError> {
        type Columns = (String, String, String, i64, String, i64);
        let rows = sqlx::query_as::<Any, Columns>(
            "select id, unit, period, reconciled_at, actor, differences from reconciliation r \
             where ($1 = '' or unit = $1) and not exists (select 1 from reconciliation later \
             where later.unit = r.unit and later.period = r.period and (later.reconciled_at > r.reconciled_at \
             or (later.reconciled_at = r.reconciled_at and later.id > r.id))) \
             order by reconciled_at desc, unit, period desc",
        )
        .bind(unit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, unit, period, reconciled_at, actor, differences)| ReconciliationRow {
                id,
                unit,
                period,
                reconciled_at,
                actor,
                differences,
            })
            .collect())
    }

    /// All that one of them said, as JSON.
    pub async fn reconciliation_body(&self, id: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>("select body from reconciliation where id = $1")
            .bind(id)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        Ok(row.map(|(body,)| body))
    }

    /// Keeps what a person asked for. Without ownership, as a request is: it changes no state.
    pub async fn note_reconciliation(
        &self,
        row: &ReconciliationRow,
        body: &str,
    ) -> Result<(), StoreError> {
        sqlx::query::<Any>(KEEP)
            .bind(&row.id)
            .bind(&row.unit)
            .bind(&row.period)
            .bind(row.reconciled_at)
            .bind(&row.actor)
            .bind(row.differences)
            .bind(body)
            .execute(&mut self.readers.take().await?)
            .await?;
        Ok(())
    }
}

impl Change {
    /// `body`: all that it says, as JSON.
    pub fn keep_reconciliation(&mut self, row: &ReconciliationRow, body: &str) {
        let args: Vec<Arg> = args![
            &row.id,
            &row.unit,
            &row.period,
            row.reconciled_at,
            &row.actor,
            row.differences,
            body
        ];
        self.push(Statement::new(KEEP, args));
    }
}

fn standing(row: &AnyRow) -> Result<StandingRow, StoreError> {
    let kind: String = row.try_get(4)?;
    let state: String = row.try_get(11)?;
    Ok(StandingRow {
        id: row.try_get(0)?,
        source: row.try_get(1)?,
        connection: row.try_get(2)?,
        company: row.try_get(3)?,
        kind: DocumentKind::parse(&kind)
            .ok_or_else(|| StoreError::Content(format!("document kind `{kind}`")))?,
        feed: row.try_get(5)?,
        number: row.try_get(6)?,
        supplier: row.try_get(7)?,
        currency: row.try_get(8)?,
        amount_minor: row.try_get(9)?,
        document_on: row.try_get(10)?,
        state: DocumentState::parse(&state)
            .ok_or_else(|| StoreError::Content(format!("document state `{state}`")))?,
        row_hash: row.try_get(12)?,
        visma_type: row.try_get(13)?,
        visma_number: row.try_get(14)?,
        latest_revision: row.try_get(15)?,
        received_at: row.try_get(16)?,
        pruned: Pruned::read(row.try_get(17)?, row.try_get(18)?),
    })
}
