//! Bodies of documents whose time is over: what JAGGAER sent, what was sent to Visma, what was known when it was
//! decided. They go; the rows that carried them stay, with their hashes, and with all that keeps a document
//! from being posted again.
//!
//! Of each table, what goes and what stays is said in `docs/retention.md`.

use super::{Change, Statement, Store, StoreError, args};
use crate::audit::hash_text;
use crate::decide::History;
use crate::procurement::Plan;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Any;

/// That, when and under whose retention the bodies of a document were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// Microseconds UTC.
    pub at: i64,
    pub company: String,
}

impl Pruned {
    pub(super) fn read(at: Option<i64>, company: String) -> Option<Self> {
        at.map(|at| Self { at, company })
    }

    /// For people: one sentence.
    pub fn in_words(&self) -> String {
        let day = Timestamp::from_microsecond(self.at)
            .map_or_else(|_| self.at.to_string(), |at| at.strftime("%Y-%m-%d").to_string());
        format!(
            "Its body was deleted on {day} under the retention of {}; its numbers, dates, amounts, accounts, hashes \
             and its trail are still here.",
            self.company
        )
    }
}

/// What may go: documents of one connection that belong to a year before `before`, and that nothing happened to
/// since `before_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionLimit {
    pub connection: String,
    pub company: String,
    pub keep_years: i64,
    /// The first day of the oldest year that is kept.
    pub before: Date,
    /// When that day begins where the company is. Microseconds UTC.
    pub before_at: i64,
}

impl RetentionLimit {
    fn year(&self) -> i64 {
        i64::from(self.before.year())
    }
}

/// What would go of the documents of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    pub year: i64,
    pub documents: i64,
    /// Revisions, requests and decisions that lose their text.
    pub bodies: i64,
    pub bytes: i64,
}

/// A document whose bodies may go, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub document: String,
    pub state: String,
    pub applied_plan: Option<String>,
    pub bodies: i64,
    pub bytes: i64,
}

/// Something was sent to Visma, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    id: String,
    plan: String,
    body: Option<String>,
}

/// What of a document carries text, by the keys of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Number and hash.
    revisions: Vec<(i64, String)>,
    postings: Vec<Sent>,
    past: Vec<Sent>,
    /// Number and plan.
    decisions: Vec<(i64, Option<String>)>,
    /// Subject and plan of checks against the ledger.
    checks: Vec<(String, String)>,
}

/// Dated in a year that is over, and untouched since: `$1` the connection, `$2` its company, `$3` the oldest year
/// that is kept, `$4` its first instant. The connection is joined to nothing so that no index by it is taken: batches
/// are walked in order of id, and sorting all that is left for each of them would take ever so long.
macro_rules! over {
    () => {
        "d.connection || '' = $1 and d.company in ('', $2) and d.pruned_at is null \
         and cast(substr(d.document_on, 1, 4) as bigint) < $3 and d.changed_at < $4"
    };
}

/// A document that is not over, or not at rest.
macro_rules! needed {
    () => {
        "(b.document_on is null or cast(substr(b.document_on, 1, 4) as bigint) >= $3 or b.changed_at >= $4 \
         or b.state not in ('posted', 'ignored', 'cancelled') or b.attention is not null)"
    };
}

/// And at rest for good: nothing is open, asked, uncertain or to be told. An order stays as long as a document that
/// bills it.
macro_rules! due {
    () => {
        concat!(
            over!(),
            " and d.state in ('posted', 'ignored', 'cancelled') and d.attention is null and d.correction_asked = 0 \
             and not exists (select 1 from posting p where p.document = d.id \
             and (p.state not in ('verified', 'refused') or p.changed_at >= $4)) \
             and not exists (select 1 from hold h where h.document = d.id) \
             and not exists (select 1 from request q where q.document = d.id and q.state = 'asked') \
             and not exists (select 1 from confirmation c where c.document = d.id and c.state = 'wanted') \
             and not exists (select 1 from ledger_check l where (l.document = d.id or l.owner = d.id) \
             and l.state in ('open', 'differs', 'not_posted')) \
             and (d.kind <> 'purchase_order' or (not exists (select 1 from document b \
             where b.source = d.source and b.order_number = d.order_number and b.id <> d.id and ",
            needed!(),
            ") and not exists (select 1 from own_billing o join document b on b.id = o.document \
             where o.company = d.company and o.order_number = d.visma_number and ",
            needed!(),
            ")))"
        )
    };
}

/// How many texts a document has, and their bytes.
macro_rules! figures {
    () => {
        "(select count(*) from revision r where r.document = d.id and r.raw <> '') \
         + (select count(*) from posting p where p.document = d.id and p.body is not null) \
         + (select count(*) from posting_past p where p.document = d.id and p.body is not null) \
         + (select count(*) from decision n where n.document = d.id) as bodies, \
         (select cast(coalesce(sum(octet_length(r.raw)), 0) as bigint) from revision r where r.document = d.id) \
         + (select cast(coalesce(sum(octet_length(p.body)), 0) as bigint) from posting p where p.document = d.id) \
         + (select cast(coalesce(sum(octet_length(p.body)), 0) as bigint) from posting_past p \
         where p.document = d.id) \
         + (select cast(coalesce(sum(octet_length(n.history) + octet_length(n.evidence)), 0) as bigint) \
         from decision n where n.document = d.id) as bytes"
    };
}

impl Store {
    /// What would go, by year.
    pub async fn figures_past(&self, limit: &RetentionLimit) -> Result<Vec<Figure>, StoreError> {
        let rows = sqlx::query_as::<Any, (i64, i64, i64, i64)>(concat!(
            "select of_year, cast(count(*) as bigint), cast(sum(bodies) as bigint), cast(sum(bytes) as bigint) \
             from (select cast(substr(d.document_on, 1, 4) as bigint) as of_year, ",
            figures!(),
            " from document d where ",
            due!(),
            ") as gone group by of_year order by of_year"
        ))
        .bind(&limit.connection)
        .bind(&limit.company)
        .bind(limit.year())
        .bind(limit.before_at)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let figure = |(year, documents, bodies, bytes)| Figure { year, documents, bodies, bytes };
        Ok(rows.into_iter().map(figure).collect())
    }

    /// How many documents are as old and stay all the same, because they are not at rest.
    pub async fn kept_past(&self, limit: &RetentionLimit) -> Result<i64, StoreError> {
        let (kept,) = sqlx::query_as::<Any, (i64,)>(concat!(
            "select cast(count(*) as bigint) from document d where ",
            over!(),
            " and not (",
            due!(),
            ")"
        ))
        .bind(&limit.connection)
        .bind(&limit.company)
        .bind(limit.year())
        .bind(limit.before_at)
        .fetch_one(&mut self.readers.take().await?)
        .await?;
        Ok(kept)
    }

    /// The first documents after `after`, in order of id, whose bodies may go.
    pub async fn documents_past(
        &self,
        limit: &RetentionLimit,
        after: &str,
        most: i64,
    ) -> Result<Vec<Due>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, Option<String>, i64, i64)>(concat!(
            "select d.id, d.state, d.applied_plan, ",
            figures!(),
            " from document d where ",
            due!(),
            " and d.id > $5 order by d.id limit $6"
        ))
        .bind(&limit.connection)
        .bind(&limit.company)
        .bind(limit.year())
        .bind(limit.before_at)
        .bind(after)
        .bind(most)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let due = |(document, state, applied_plan, bodies, bytes)| Due {
            document,
            state,
            applied_plan,
            bodies,
            bytes,
        };
        Ok(rows.into_iter().map(due).collect())
    }

    pub async fn texts_of(&self, document: &str) -> Result<Texts, StoreError> {
        let mut reader = self.readers.take().await?;
        let revisions = sqlx::query_as::<Any, (i64, String)>(
            "select n, raw_hash from revision where document = $1 order by n",
        )
        .bind(document)
        .fetch_all(&mut reader)
        .await?;
        let mut sent = Vec::new();
        for sql in [
            "select id, plan, body from posting where document = $1 order by id",
            "select id, plan, body from posting_past where document = $1 order by id",
        ] {
            let rows = sqlx::query_as::<Any, (String, String, Option<String>)>(sql)
                .bind(document)
                .fetch_all(&mut reader)
                .await?;
            let of = |(id, plan, body)| Sent { id, plan, body };
            sent.push(rows.into_iter().map(of).collect::<Vec<_>>());
        }
        let decisions = sqlx::query_as::<Any, (i64, Option<String>)>(
            "select n, plan from decision where document = $1 order by n",
        )
        .bind(document)
        .fetch_all(&mut reader)
        .await?;
        let checks = sqlx::query_as::<Any, (String, String)>(
            "select document, plan from ledger_check where owner = $1 and plan <> ''",
        )
        .bind(document)
        .fetch_all(&mut reader)
        .await?;
        let past = sent.pop().unwrap_or_default();
        let postings = sent.pop().unwrap_or_default();
        Ok(Texts { revisions, postings, past, decisions, checks })
    }
}

impl Texts {
    /// What goes, by its hashes, for the trail.
    pub fn hashes(&self) -> Value {
        let requests = self.postings.iter().chain(&self.past).filter_map(|of| {
            let body = of.body.as_deref()?;
            Some(json!({ "posting": of.id, "sha256": hash_text(body) }))
        });
        json!({
            "revisions": self.revisions.iter().map(|(n, hash)| json!({ "n": n, "sha256": hash })).collect::<Vec<_>>(),
            "requests": requests.collect::<Vec<_>>(),
            "decisions": self.decisions.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        })
    }
}

impl Change {
    /// The bodies of one document go. Guarded: it is still as old, and at rest.
    pub fn prune(&mut self, limit: &RetentionLimit, due: &Due, texts: &Texts, at: i64) {
        let document = due.document.as_str();
        self.push(
            Statement::new(
                concat!(
                    "update document set pruned_at = $5, pruned_for = $2, applied_plan = $6 \
                     where id = $7 and state = $8 and id in (select d.id from document d where ",
                    due!(),
                    " and d.id = $7)"
                ),
                args![
                    &limit.connection,
                    &limit.company,
                    limit.year(),
                    limit.before_at,
                    at,
                    due.applied_plan.as_deref().map(bare),
                    document,
                    &due.state
                ],
            )
            .guarded("the document is not at rest any more"),
        );
        let nothing = serde_json::to_string(&History::default()).expect("plain data");
        for sql in [
            "update revision set raw = '' where document = $1",
            "update hold_override set text = '' where document = $1",
            "update request set detail = '{}' where document = $1",
            "delete from payee where document = $1",
        ] {
            self.push(Statement::new(sql, args![document]));
        }
        self.push(Statement::new(
            "update decision set history = $2, evidence = '{}', \
             reasons = case when outcome in ('hold', 'wait') then '' else reasons end where document = $1",
            args![document, nothing],
        ));
        for (n, plan) in &texts.decisions {
            let Some(plan) = plan else { continue };
            self.push(Statement::new(
                "update decision set plan = $3 where document = $1 and n = $2",
                args![document, *n, bare(plan)],
            ));
        }
        for (sql, sent) in [
            ("update posting set plan = $2, body = null where id = $1", &texts.postings),
            ("update posting_past set plan = $2, body = null where id = $1", &texts.past),
        ] {
            for of in sent {
                self.push(Statement::new(sql, args![&of.id, bare(&of.plan)]));
            }
        }
        for (subject, plan) in &texts.checks {
            self.push(Statement::new(
                "update ledger_check set plan = $2 where document = $1",
                args![subject, bare(plan)],
            ));
        }
    }
}

/// A plan without its texts. What is no plan (a file to attach) keeps nothing.
fn bare(plan: &str) -> String {
    serde_json::from_str::<Plan>(plan).map_or_else(
        |_| "{}".to_owned(),
        |plan| serde_json::to_string(&plan.without_texts()).expect("a plan is plain data"),
    )
}
