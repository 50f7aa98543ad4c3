//! Documents as they are kept: where each stands, its revisions, why it is held, and how many there
//! are. What changes them is in `document_change`.

use super::{Pruned, Store, StoreError};
use crate::decide::Hold;
use crate::procurement::DocumentKind;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Where a document stands. Exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentState {
    /// Its row came, its detail did not: fetched again, alone.
    Unread,
    /// For something that arrives by itself.
    Waiting,
    /// To be judged.
    Ready,
    /// Planned or on its way into Visma.
    Posting,
    Posted,
    Held,
    Ignored,
    Cancelled,
}

impl DocumentState {
    pub const ALL: [Self; 8] = [
        Self::Unread,
        Self::Waiting,
        Self::Ready,
        Self::Posting,
        Self::Posted,
        Self::Held,
        Self::Ignored,
        Self::Cancelled,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Posting => "posting",
            Self::Posted => "posted",
            Self::Held => "held",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_in_flight(self) -> bool {
        matches!(self, Self::Unread | Self::Waiting | Self::Ready | Self::Posting)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    pub id: String,
    /// Empty: no connection takes it, or it was not routed yet.
    pub connection: String,
    pub source: String,
    pub kind: DocumentKind,
    pub source_id: String,
    pub feed: String,
    pub number: String,
    pub order_number: Option<String>,
    pub reference: Option<String>,
    pub supplier: Option<String>,
    pub currency: Option<String>,
    /// Minor units; a credit note is negative, an order its net.
    pub amount_minor: Option<i64>,
    pub document_on: Option<String>,
    pub state: DocumentState,
    /// JSON list of [`Wait`](crate::decide::Wait).
    pub waiting: Option<String>,
    /// What went wrong after posting.
    pub attention: Option<String>,
    /// The revision that is in force.
    pub latest_revision: i64,
    /// The highest revision stored; above `latest_revision` when an old one came late.
    pub recorded_revision: i64,
    /// The revision that stands in Visma, and its plan as JSON.
    pub applied_revision: Option<i64>,
    pub applied_plan: Option<String>,
    pub row_hash: String,
    pub visma_type: Option<String>,
    pub visma_number: Option<String>,
    pub received_at: i64,
    pub changed_at: i64,
    /// The company that it was first planned to be written to, and belongs to since. Empty: none yet.
    pub company: String,
    /// The version of the routes by which its revision in force was routed. Empty: not yet.
    pub routed: String,
    /// How often what it had become in Visma was taken back.
    pub corrections: i64,
    /// A person's word that its next decision may take back what is released.
    pub correction_asked: bool,
    /// Its bodies were deleted. `None`: they are here.
    pub pruned: Option<Pruned>,
}

impl DocumentRow {
    /// What went wrong after posting, as a code of the catalogue: its text begins with it.
    pub fn attention_code(&self) -> Option<&str> {
        self.attention.as_deref()?.split_once(": ").map(|(code, _)| code)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRow {
    pub n: i64,
    pub raw_hash: String,
    pub material_hash: String,
    pub source_revision: Option<i64>,
    pub raw: String,
    pub received_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    pub document: String,
    pub code: String,
    pub text: String,
    pub fix: String,
    pub since: i64,
}

impl HoldRow {
    pub fn hold(&self) -> Hold {
        Hold { code: self.code.clone(), text: self.text.clone(), fix: self.fix.clone() }
    }
}

/// Which documents a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    pub connection: Option<String>,
    pub state: Option<DocumentState>,
    pub kind: Option<DocumentKind>,
    pub supplier: Option<String>,
    /// Dated in this month: `2026-03`.
    pub month: Option<String>,
    pub limit: Option<i64>,
}

/// Count and sum of one group of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentCount {
    pub connection: String,
    pub kind: String,
    pub state: String,
    pub currency: String,
    pub count: i64,
    pub amount_minor: i64,
}

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "select id, connection, source, kind, source_id, feed, number, order_number, reference, supplier, \
             currency, amount_minor, document_on, state, waiting, attention, latest_revision, recorded_revision, \
             applied_revision, applied_plan, row_hash, visma_type, visma_number, received_at, changed_at, \
             company, routed, \
             corrections, correction_asked, pruned_at, pruned_for \
             from document ",
            $tail
        )
    };
}

pub(super) use columns;

/// Documents asked for at once; one size, so that the text is prepared once.
const BY_ID: usize = 50;

static DOCUMENTS_BY_ID: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=BY_ID).map(|n| format!("${n}")).collect();
    format!(columns!("where id in ({})"), places.join(", "))
});

impl Store {
    /// Those of the ids that are known, by id.
    pub async fn documents_by_id(
        &self,
        ids: &[&str],
    ) -> Result<HashMap<String, DocumentRow>, StoreError> {
        let mut found = HashMap::new();
        for part in ids.chunks(BY_ID) {
            let mut query = sqlx::query::<Any>(DOCUMENTS_BY_ID.as_str());
            // The last id again where there are fewer: it is found once all the same.
            for n in 0..BY_ID {
                query = query.bind(part[n.min(part.len() - 1)]);
            }
            for row in query.fetch_all(&mut self.readers.take().await?).await? {
                let document = document(&row)?;
                found.insert(document.id.clone(), document);
            }
        }
        Ok(found)
    }

    pub async fn document(&self, id: &str) -> Result<Option<DocumentRow>, StoreError> {
        let row = sqlx::query::<Any>(columns!("where id = $1"))
            .bind(id)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        row.as_ref().map(document).transpose()
    }

    /// By our id, the source's id, the source's number, the supplier's reference or Visma's number.
    pub async fn find_documents(&self, text: &str) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where id = $1 or source_id = $1 or number = $1 or reference = $1 or visma_number = $1 \
             order by received_at, id limit 100"
        ))
        .bind(text)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }

    /// In order of arrival; ids break ties so that two calls agree.
    pub async fn documents(&self, filter: &DocumentFilter) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where ($1 = '' or connection = $1) and ($2 = '' or state = $2) and ($3 = '' or kind = $3) \
             and ($4 = '' or supplier = $4) and ($5 = '' or substr(document_on, 1, 7) = $5) \
             order by received_at, id limit $6"
        ))
        .bind(filter.connection.as_deref().unwrap_or(""))
        .bind(filter.state.map_or("", DocumentState::as_str))
        .bind(filter.kind.map_or("", DocumentKind::as_str))
        .bind(filter.supplier.as_deref().unwrap_or(""))
        .bind(filter.month.as_deref().unwrap_or(""))
        .bind(filter.limit.unwrap_or(i64::MAX))
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }

    /// Posted documents that somebody should look at, in order of arrival.
    pub async fn documents_with_attention(&self) -> Result<Vec<DocumentRow>, StoreError> {
        let rows =
            sqlx::query::<Any>(columns!("where attention is not null order by received_at, id"))
                .fetch_all(&mut self.readers.take().await?)
                .await?;
        rows.iter().map(document).collect()
    }

    /// The documents of a connection in one state that came last, the newest first.
    pub async fn latest_documents(
        &self,
        connection: &str,
        state: DocumentState,
        limit: i64,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where connection = $1 and state = $2 order by received_at desc, id desc limit $3"
        ))
        .bind(connection)
        .bind(state.as_str())
        .bind(limit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }

    /// Documents of one kind and state of a connection, oldest first. What is to be judged is routed
    /// before: a newer revision may go elsewhere.
    pub async fn documents_to_work(
        &self,
        connection: &str,
        kind: DocumentKind,
        state: DocumentState,
    ) -> Result<Vec<DocumentRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where connection = $1 and kind = $2 and state = $3 \
             and (routed <> '' or state not in ('ready', 'waiting')) order by received_at, id"
        ))
        .bind(connection)
        .bind(kind.as_str())
        .bind(state.as_str())
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(document).collect()
    }

    /// The order document with this number, as an invoice names it: one that is in force before
    /// one that was taken back or made again.
    pub async fn order_by_number(
        &self,
        source: &str,
        number: &str,
    ) -> Result<Option<DocumentRow>, StoreError> {
        let row = sqlx::query::<Any>(columns!(
            "where source = $1 and order_number = $2 and kind = 'purchase_order' \
             order by case when state in ('cancelled', 'ignored') then 1 else 0 end, received_at, id limit 1"
        ))
        .bind(source)
        .bind(number)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        row.as_ref().map(document).transpose()
    }

    pub async fn revision(
        &self,
        document: &str,
        n: i64,
    ) -> Result<Option<RevisionRow>, StoreError> {
        let row = sqlx::query_as::<Any, (i64, String, String, Option<i64>, String, i64)>(
            "select n, raw_hash, material_hash, source_revision, raw, received_at from revision \
             where document = $1 and n = $2",
        )
        .bind(document)
        .bind(n)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(n, raw_hash, material_hash, source_revision, raw, received_at)| RevisionRow {
            n,
            raw_hash,
            material_hash,
            source_revision,
            raw,
            received_at,
        }))
    }

    /// Why a document is held, in the order of the decision.
    pub async fn holds_of(&self, document: &str) -> Result<Vec<HoldRow>, StoreError> {
        self.holds_where("where document = $1 order by n", document).await
    }

    /// All holds, the oldest first, for the work list.
    pub async fn holds(&self) -> Result<Vec<HoldRow>, StoreError> {
        self.holds_where("where document <> $1 order by since, document, n", "").await
    }

    async fn holds_where(
        &self,
        tail: &'static str,
        document: &str,
    ) -> Result<Vec<HoldRow>, StoreError> {
        let sql = format!("select document, code, text, fix, since from hold {tail}");
        let rows =
            sqlx::query_as::<Any, (String, String, String, String, i64)>(sqlx::AssertSqlSafe(sql))
                .bind(document)
                .fetch_all(&mut self.readers.take().await?)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(document, code, text, fix, since)| HoldRow { document, code, text, fix, since })
            .collect())
    }

    /// Documents of a connection, in any state, whose attention has this code.
    pub async fn documents_that_ask_for(
        &self,
        connection: &str,
        code: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select id from document where connection = $1 and attention is not null \
             and attention like $2 order by id",
        )
        .bind(connection)
        .bind(format!("{code}:%"))
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Posted documents that somebody should look at.
    pub async fn attention_count(&self) -> Result<i64, StoreError> {
        let (count,) = sqlx::query_as::<Any, (i64,)>(
            "select count(*) from document where attention is not null",
        )
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        Ok(count)
    }

    pub async fn has_ready_documents(&self, connection: &str) -> Result<bool, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select id from document where connection = $1 and state = 'ready' and routed <> '' limit 1",
        )
        .bind(connection)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.is_some())
    }

    /// Counts and sums of everything ever seen, by connection, kind, state and currency.
    pub async fn document_counts(&self) -> Result<Vec<DocumentCount>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String, String, i64, i64)>(
            "select connection, kind, state, coalesce(currency, ''), count(*), \
             cast(coalesce(sum(amount_minor), 0) as bigint) \
             from document group by connection, kind, state, coalesce(currency, '')",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(connection, kind, state, currency, count, amount_minor)| DocumentCount {
                connection,
                kind,
                state,
                currency,
                count,
                amount_minor,
            })
            .collect())
    }
}

pub(super) fn document(row: &AnyRow) -> Result<DocumentRow, StoreError> {
    let kind: String = row.try_get(3)?;
    let state: String = row.try_get(13)?;
    Ok(DocumentRow {
        id: row.try_get(0)?,
        connection: row.try_get(1)?,
        source: row.try_get(2)?,
        kind: DocumentKind::parse(&kind)
            .ok_or_else(|| StoreError::Content(format!("document kind `{kind}`")))?,
        source_id: row.try_get(4)?,
        feed: row.try_get(5)?,
        number: row.try_get(6)?,
        order_number: row.try_get(7)?,
        reference: row.try_get(8)?,
        supplier: row.try_get(9)?,
        currency: row.try_get(10)?,
        amount_minor: row.try_get(11)?,
        document_on: row.try_get(12)?,
        state: DocumentState::parse(&state)
            .ok_or_else(|| StoreError::Content(format!("document state `{state}`")))?,
        waiting: row.try_get(14)?,
        attention: row.try_get(15)?,
        latest_revision: row.try_get(16)?,
        recorded_revision: row.try_get(17)?,
        applied_revision: row.try_get(18)?,
        applied_plan: row.try_get(19)?,
        row_hash: row.try_get(20)?,
        visma_type: row.try_get(21)?,
        visma_number: row.try_get(22)?,
        received_at: row.try_get(23)?,
        changed_at: row.try_get(24)?,
        company: row.try_get(25)?,
        routed: row.try_get(26)?,
        corrections: row.try_get(27)?,
        correction_asked: row.try_get::<i64, _>(28)? == 1,
        pruned: Pruned::read(row.try_get(29)?, row.try_get(30)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Change, DocumentFacts, NewDocument};

    fn new_document(n: usize) -> NewDocument {
        NewDocument {
            id: format!("d{n}"),
            connection: "no".into(),
            source: "s".into(),
            kind: DocumentKind::PurchaseOrder,
            source_id: n.to_string(),
            feed: "orders".into(),
            row_hash: "h".into(),
            state: DocumentState::Ready,
            received_at: 7,
            routed: "r".into(),
        }
    }

    #[tokio::test]
    async fn known_documents_are_found_together_however_many_are_asked_for() {
        let folder = tempfolder();
        let store = Store::open(&format!("sqlite:{}/store.db", folder.display())).await.unwrap();
        let owned = store.take_ownership("u", "me", 60_000_000, true).await.unwrap().unwrap();
        let mut change = Change::new();
        for n in 0..2 * BY_ID + 3 {
            let facts = DocumentFacts { number: format!("PO-{n}"), ..DocumentFacts::default() };
            change.insert_read_document(&new_document(n), &facts);
        }
        store.commit(&owned, change).await.unwrap();

        for asked in [0, 1, BY_ID - 1, BY_ID, BY_ID + 1, 2 * BY_ID + 3] {
            let mut ids: Vec<String> = (0..asked).map(|n| format!("d{n}")).collect();
            ids.push("stranger".into());
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let found = store.documents_by_id(&ids).await.unwrap();
            assert_eq!(found.len(), asked);
            assert!(found.iter().all(|(id, row)| *id == row.id && row.latest_revision == 1));
        }
        assert!(store.documents_by_id(&[]).await.unwrap().is_empty());

        let mut again = Change::new();
        again.insert_read_document(&new_document(0), &DocumentFacts::default());
        store.commit(&owned, again).await.expect_err("it is no new document any more");
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn tempfolder() -> std::path::PathBuf {
        let name = format!("ml-connector-documents-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}
