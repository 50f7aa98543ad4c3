use super::{Change, Statement, Store, StoreError, args};
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

/// One kind of write into Visma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Create,
    Update,
    Cancel,
    Attach,
    Release,
    /// A credit note that takes back what was released.
    TakeBack,
}

impl Step {
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Cancel, Self::Attach, Self::Release, Self::TakeBack];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Cancel => "cancel",
            Self::Attach => "attach",
            Self::Release => "release",
            Self::TakeBack => "take_back",
        }
    }
}

/// Where one write stands. The transitions are in `sync::posting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PostingState {
    Planned,
    Intended,
    Accepted,
    Uncertain,
    Done,
    Refused,
    Held,
    Verified,
    Differs,
}

impl PostingState {
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Intended,
        Self::Accepted,
        Self::Uncertain,
        Self::Done,
        Self::Refused,
        Self::Held,
        Self::Verified,
        Self::Differs,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Intended => "intended",
            Self::Accepted => "accepted",
            Self::Uncertain => "uncertain",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Verified => "verified",
            Self::Differs => "differs",
        }
    }

    /// Visma has done it, as far as we know.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::Verified | Self::Differs)
    }

    /// It was neither done nor given up.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Intended | Self::Accepted | Self::Uncertain)
    }
}

/// The key of the release of a credit note that takes back.
pub const OF_CREDIT: &str = "take_back";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    pub id: String,
    pub company: String,
    pub document: String,
    pub step: Step,
    /// Empty for create, release and take back; the revision for update and cancel; the file's hash for
    /// attach; [`OF_CREDIT`] for the release of the credit note that takes back.
    pub step_key: String,
    /// Stands in Visma with the document. Never changes over attempts.
    pub our_key: String,
    pub revision: i64,
    /// JSON of what shall stand there.
    pub plan: String,
    pub plan_hash: String,
    /// The exact request, as it was or is about to be sent.
    pub body: Option<String>,
    pub state: PostingState,
    pub attempts: i64,
    /// Complete reads after `settle_after` that did not show it.
    pub absent: i64,
    /// The epoch it was intended under.
    pub epoch: i64,
    pub intent_at: Option<i64>,
    pub settle_after: Option<i64>,
    pub next_at: i64,
    pub visma_type: Option<String>,
    pub visma_number: Option<String>,
    pub etag: Option<String>,
    pub job: Option<String>,
    pub error: Option<String>,
    pub changed_at: i64,
}

impl PostingRow {
    /// It is of the credit note that takes the document back, not of the document.
    pub fn is_of_credit(&self) -> bool {
        self.step == Step::TakeBack || (self.step == Step::Release && self.step_key == OF_CREDIT)
    }
}

macro_rules! columns {
    ($tail:literal) => {
        columns!("body", $tail)
    };
    ($body:literal, $tail:literal) => {
        concat!(
            "select id, company, document, step, step_key, our_key, revision, plan, plan_hash, ",
            $body,
            ", state, attempts, absent, epoch, intent_at, settle_after, next_at, visma_type, visma_number, \
             etag, job, error, changed_at from posting ",
            $tail
        )
    };
}

impl Store {
    pub async fn posting(&self, id: &str) -> Result<Option<PostingRow>, StoreError> {
        let row = sqlx::query::<Any>(columns!("where id = $1"))
            .bind(id)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        row.as_ref().map(posting).transpose()
    }

    pub async fn postings_of(&self, document: &str) -> Result<Vec<PostingRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!("where document = $1 order by changed_at, id"))
            .bind(document)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(posting).collect()
    }

    /// Writes that are planned and may leave by `now`, the longest due first; at most so many, without
    /// the request of an earlier attempt. What belongs to a document that is not on its way (held, to
    /// be judged anew) is not among them.
    pub async fn due_postings(
        &self,
        company: &str,
        now: i64,
        most: i64,
    ) -> Result<Vec<PostingRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "cast(null as text)",
            "where company = $1 and state = 'planned' and next_at <= $2 \
             and document in (select id from document where state = 'posting' \
             and connection not in (select connection from pause)) \
             order by next_at, changed_at, id limit $3"
        ))
        .bind(company)
        .bind(now)
        .bind(most)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(posting).collect()
    }

    /// Writes that are done and stand to be compared, without their requests.
    pub async fn done_postings(&self, company: &str) -> Result<Vec<PostingRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "cast(null as text)",
            "where company = $1 and state in ('done', 'differs') order by changed_at, id"
        ))
        .bind(company)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(posting).collect()
    }

    /// How many writes are in one of two states.
    pub async fn count_postings(
        &self,
        company: &str,
        states: [PostingState; 2],
    ) -> Result<i64, StoreError> {
        let (count,) = sqlx::query_as::<Any, (i64,)>(
            "select count(*) from posting where company = $1 and state in ($2, $3)",
        )
        .bind(company)
        .bind(states[0].as_str())
        .bind(states[1].as_str())
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        Ok(count)
    }

    /// When the next write can move by itself: be sent, looked at or settled.
    pub async fn next_posting_due(&self, company: &str) -> Result<Option<i64>, StoreError> {
        let (due,) = sqlx::query_as::<Any, (Option<i64>,)>(
            "select cast(min(case when state = 'uncertain' then coalesce(settle_after, 0) else next_at end) as bigint) \
             from posting where company = $1 and (state in ('accepted', 'uncertain') or (state = 'planned' \
             and document in (select id from document where state = 'posting' \
             and connection not in (select connection from pause))))",
        )
        .bind(company)
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        Ok(due)
    }

    pub async fn postings_in(
        &self,
        company: &str,
        state: PostingState,
    ) -> Result<Vec<PostingRow>, StoreError> {
        let rows = sqlx::query::<Any>(columns!(
            "where company = $1 and state = $2 order by next_at, changed_at, id"
        ))
        .bind(company)
        .bind(state.as_str())
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(posting).collect()
    }

    /// How many writes are in each state, by company.
    pub async fn posting_counts(&self) -> Result<Vec<(String, String, i64)>, StoreError> {
        Ok(sqlx::query_as::<Any, (String, String, i64)>(
            "select company, state, count(*) from posting group by company, state",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?)
    }

    /// Documents of which a write is uncertain.
    pub async fn uncertain_documents(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select distinct document from posting where state = 'uncertain'",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(document,)| document).collect())
    }

    /// The document that has claimed this invoice.
    pub async fn claimant(
        &self,
        company: &str,
        supplier: &str,
        kind: &str,
        reference: &str,
        year: i64,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (String,)>(
            "select document from claim where company = $1 and supplier = $2 and kind = $3 \
             and reference = $4 and year = $5",
        )
        .bind(company)
        .bind(supplier)
        .bind(kind)
        .bind(reference)
        .bind(year)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(document,)| document))
    }
}

impl Change {
    /// Guarded: one posting for each (document, step, step key).
    pub fn insert_posting(&mut self, row: &PostingRow) {
        self.push(
            Statement::new(
                "insert into posting (id, company, document, step, step_key, our_key, revision, plan, plan_hash, \
                 body, state, attempts, absent, epoch, intent_at, settle_after, next_at, visma_type, \
                 visma_number, etag, job, error, changed_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                 $20, $21, $22, $23) on conflict (company, document, step, step_key) do nothing",
                args![
                    &row.id, &row.company, &row.document, row.step.as_str(), &row.step_key, &row.our_key,
                    row.revision, &row.plan, &row.plan_hash, &row.body, row.state.as_str(), row.attempts,
                    row.absent, row.epoch, row.intent_at, row.settle_after, row.next_at, &row.visma_type,
                    &row.visma_number, &row.etag, &row.job, &row.error, row.changed_at
                ],
            )
            .guarded("this step of the document is planned already"),
        );
    }

    /// The guarded step of a posting: nothing happens unless it still stands in `from` under the
    /// epoch it was read with.
    pub fn move_posting(&mut self, from: PostingState, from_epoch: i64, to: &PostingRow) {
        self.push(
            Statement::new(
                "update posting set plan = $1, plan_hash = $2, body = $3, state = $4, attempts = $5, absent = $6, \
                 epoch = $7, intent_at = $8, settle_after = $9, next_at = $10, visma_type = $11, \
                 visma_number = $12, etag = $13, job = $14, error = $15, revision = $16, changed_at = $17 \
                 where id = $18 and state = $19 and epoch = $20",
                args![
                    &to.plan, &to.plan_hash, &to.body, to.state.as_str(), to.attempts, to.absent, to.epoch,
                    to.intent_at, to.settle_after, to.next_at, &to.visma_type, &to.visma_number, &to.etag,
                    &to.job, &to.error, to.revision, to.changed_at, &to.id, from.as_str(), from_epoch
                ],
            )
            .guarded("the posting is in another state by now"),
        );
    }

    /// The same for a step that leaves alone what is sent: plan, request and revision stay as
    /// they are and are not written again.
    pub fn advance_posting(&mut self, from: PostingState, from_epoch: i64, to: &PostingRow) {
        self.push(
            Statement::new(
                "update posting set state = $1, attempts = $2, absent = $3, next_at = $4, visma_type = $5, \
                 visma_number = $6, etag = $7, job = $8, error = $9, settle_after = $10, changed_at = $11 \
                 where id = $12 and state = $13 and epoch = $14",
                args![
                    to.state.as_str(), to.attempts, to.absent, to.next_at, &to.visma_type, &to.visma_number,
                    &to.etag, &to.job, &to.error, to.settle_after, to.changed_at, &to.id, from.as_str(), from_epoch
                ],
            )
            .guarded("the posting is in another state by now"),
        );
    }

    /// Guarded: a step that stands where it was read.
    pub fn drop_posting(&mut self, row: &PostingRow) {
        self.push(
            Statement::new(
                "delete from posting where id = $1 and state = $2",
                args![&row.id, row.state.as_str()],
            )
            .guarded("the posting is in another state by now"),
        );
    }

    /// Guarded: a second document with the same claim is stopped here, whoever is first.
    pub fn claim(
        &mut self,
        company: &str,
        supplier: &str,
        kind: &str,
        reference: &str,
        year: i64,
        document: &str,
    ) {
        self.push(
            Statement::new(
                "insert into claim (company, supplier, kind, reference, year, document) values ($1, $2, $3, $4, $5, $6) \
                 on conflict (company, supplier, kind, reference, year) \
                 do update set document = claim.document where claim.document = excluded.document",
                args![company, supplier, kind, reference, year, document],
            )
            .guarded("another document has claimed this invoice or order number"),
        );
    }

    /// Before a changed document claims anew, or when it is taken back.
    pub fn drop_claims(&mut self, document: &str) {
        self.push(Statement::new("delete from claim where document = $1", args![document]));
    }
}

fn posting(row: &AnyRow) -> Result<PostingRow, StoreError> {
    let step: String = row.try_get(3)?;
    let state: String = row.try_get(10)?;
    Ok(PostingRow {
        id: row.try_get(0)?,
        company: row.try_get(1)?,
        document: row.try_get(2)?,
        step: Step::ALL
            .into_iter()
            .find(|known| known.as_str() == step)
            .ok_or_else(|| StoreError::Content(format!("posting step `{step}`")))?,
        step_key: row.try_get(4)?,
        our_key: row.try_get(5)?,
        revision: row.try_get(6)?,
        plan: row.try_get(7)?,
        plan_hash: row.try_get(8)?,
        body: row.try_get(9)?,
        state: PostingState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| StoreError::Content(format!("posting state `{state}`")))?,
        attempts: row.try_get(11)?,
        absent: row.try_get(12)?,
        epoch: row.try_get(13)?,
        intent_at: row.try_get(14)?,
        settle_after: row.try_get(15)?,
        next_at: row.try_get(16)?,
        visma_type: row.try_get(17)?,
        visma_number: row.try_get(18)?,
        etag: row.try_get(19)?,
        job: row.try_get(20)?,
        error: row.try_get(21)?,
        changed_at: row.try_get(22)?,
    })
}
