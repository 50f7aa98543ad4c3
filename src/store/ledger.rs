//! Released documents of ours, their journal batches, and whether the general ledger holds them as
//! planned.

use super::{Change, Statement, Store, StoreError, args};
use crate::procurement::ErpBatch;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};
use std::sync::LazyLock;

/// Where the check of one document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LedgerState {
    /// Its batch is looked for, or is not posted yet.
    Open,
    Verified,
    Differs,
    /// No posted batch came in time.
    NotPosted,
    /// A person let the difference stand.
    Accepted,
    /// The document is void in Visma.
    Void,
}

impl LedgerState {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Verified, Self::Differs, Self::NotPosted, Self::Accepted, Self::Void];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Verified => "verified",
            Self::Differs => "differs",
            Self::NotPosted => "not_posted",
            Self::Accepted => "accepted",
            Self::Void => "void",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCheck {
    /// What is checked: the document as it stands; or, where a correction took it back or is what takes
    /// it back, the key that it carries in Visma.
    pub subject: String,
    pub document: String,
    /// What it was made by. `None`: what the document stands as.
    pub plan: Option<String>,
    pub company: String,
    pub visma_type: String,
    pub visma_number: String,
    pub state: LedgerState,
    /// Since when its batch is looked for.
    pub since: i64,
    /// When all batches of its period were read last for its sake.
    pub looked_at: i64,
    /// Numbers of its batches.
    pub batches: Vec<String>,
    /// What differs, one text each; empty: nothing.
    pub differences: Vec<String>,
    pub changed_at: i64,
}

/// A document of ours under the number that batches name it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTarget {
    /// As in [`LedgerCheck`].
    pub subject: String,
    pub our_key: String,
    pub visma_type: String,
    pub visma_number: String,
    pub supplier: String,
}

macro_rules! checks {
    ($tail:literal) => {
        concat!(
            "select document, company, visma_type, visma_number, state, since, looked_at, batches, \
             differences, changed_at, owner, plan from ledger_check ",
            $tail
        )
    };
}

/// Numbers looked up in one query.
const BY_NUMBER: usize = 100;

static TARGETS: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (2..2 + BY_NUMBER).map(|n| format!("${n}")).collect();
    format!(
        "select case when p.step = 'create' then p.document else p.our_key end, e.our_key, e.document_type, \
         e.number, e.supplier from erp_invoice e \
         join posting p on p.company = e.company and p.our_key = e.our_key \
         where p.step in ('create', 'take_back') and e.company = $1 \
         and e.document_type in ('Invoice', 'DebitAdj') and e.number in ({places}) \
         union all select p.our_key, e.our_key, e.document_type, e.number, e.supplier from erp_invoice e \
         join posting_past p on p.company = e.company and p.id = e.our_key \
         where p.step in ('create', 'take_back') and e.company = $1 \
         and e.document_type in ('Invoice', 'DebitAdj') and e.number in ({places})",
        places = places.join(", ")
    )
});

impl Store {
    /// Checks that are not at rest, the oldest first.
    pub async fn unsettled_ledger_checks(
        &self,
        company: &str,
    ) -> Result<Vec<LedgerCheck>, StoreError> {
        let rows = sqlx::query::<Any>(checks!(
            "where company = $1 and state in ('open', 'differs', 'not_posted') order by since, document"
        ))
            .bind(company)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        rows.iter().map(check).collect()
    }

    /// Of a document as it stands, or of what a correction took back, by its key.
    pub async fn ledger_check(&self, subject: &str) -> Result<Option<LedgerCheck>, StoreError> {
        let row = sqlx::query::<Any>(checks!("where document = $1"))
            .bind(subject)
            .fetch_optional(&mut self.readers.take().await?)
            .await?;
        row.as_ref().map(check).transpose()
    }

    /// Of a document as it stands, and of all that corrections of it took back.
    pub async fn ledger_checks_of(&self, document: &str) -> Result<Vec<LedgerCheck>, StoreError> {
        let rows = sqlx::query::<Any>(checks!(
            "where document = $1 or owner = $1 order by since, document"
        ))
        .bind(document)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter().map(check).collect()
    }

    /// Documents that we made, by the numbers they have in Visma.
    pub async fn ledger_targets(
        &self,
        company: &str,
        numbers: &[&str],
    ) -> Result<Vec<LedgerTarget>, StoreError> {
        let mut targets = Vec::new();
        for part in numbers.chunks(BY_NUMBER) {
            let mut query =
                sqlx::query_as::<Any, (String, String, String, String, String)>(TARGETS.as_str())
                    .bind(company);
            // The last number again where there are fewer: it is found once all the same.
            for n in 0..BY_NUMBER {
                query = query.bind(part[n.min(part.len() - 1)]);
            }
            let rows = query.fetch_all(&mut self.readers.take().await?).await?;
            targets.extend(rows.into_iter().map(
                |(subject, our_key, visma_type, visma_number, supplier)| LedgerTarget {
                    subject,
                    our_key,
                    visma_type,
                    visma_number,
                    supplier,
                },
            ));
        }
        Ok(targets)
    }

    /// The batches of what is checked, with its own lines.
    pub async fn ledger_batches(&self, subject: &str) -> Result<Vec<ErpBatch>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select body from ledger_batch where document = $1 order by number",
        )
        .bind(subject)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.iter()
            .map(|(body,)| {
                serde_json::from_str(body).map_err(|error| StoreError::Content(error.to_string()))
            })
            .collect()
    }

    /// Posted documents of a connection whose attention has this code.
    pub async fn documents_with_attention_code(
        &self,
        connection: &str,
        code: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select id from document where connection = $1 and attention is not null and state = 'posted' \
             and attention like $2 order by id",
        )
        .bind(connection)
        .bind(format!("{code}:%"))
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Change {
    /// The list shows that a document which carries `our_key` is released: from now on its batch is
    /// looked for.
    pub fn note_release(
        &mut self,
        company: &str,
        our_key: &str,
        (visma_type, visma_number): (&str, &str),
        at: i64,
    ) {
        // Of ours now, or a credit note that took something back before.
        self.push(Statement::new(
            "insert into ledger_check (document, company, visma_type, visma_number, state, since, looked_at, \
             batches, differences, changed_at, owner, plan) \
             select p.subject, $4, $1, $2, 'open', $3, 0, '', '', $3, p.owner, p.plan from ( \
             select case when step = 'create' then document else our_key end as subject, \
             case when step = 'create' then '' else document end as owner, \
             case when step = 'create' then '' else plan end as plan \
             from posting where company = $4 and our_key = $5 and step in ('create', 'take_back') \
             union all select our_key, document, plan from posting_past \
             where company = $4 and id = $5 and step = 'take_back') p \
             where p.subject is not null on conflict (document) do nothing",
            args![visma_type, visma_number, at, company, our_key],
        ));
    }

    /// What stood twice stands once now, as another document of the type than the one that was known. It was made by the
    /// same request; its batch is not looked at yet.
    pub fn renumber(
        &mut self,
        document: &str,
        known: &str,
        (visma_type, visma_number): (&str, &str),
        at: i64,
    ) {
        for sql in [
            "update posting set visma_number = $1, etag = null \
             where document = $2 and visma_type = $3 and visma_number = $4",
            "update document set visma_number = $1 where id = $2 and visma_type = $3 and visma_number = $4",
        ] {
            self.push(Statement::new(sql, args![visma_number, document, visma_type, known]));
        }
        self.push(Statement::new(
            "delete from ledger_batch where document in (select document from ledger_check \
             where (document = $1 or owner = $1) and visma_type = $2 and visma_number = $3)",
            args![document, visma_type, known],
        ));
        self.push(Statement::new(
            "update ledger_check set visma_number = $1, state = 'open', since = $2, looked_at = 0, batches = '', \
             differences = '', changed_at = $2 \
             where (document = $3 or owner = $3) and visma_type = $4 and visma_number = $5",
            args![visma_number, at, document, visma_type, known],
        ));
    }

    /// A batch of what is checked is new or changed: it is looked at again, whatever was found before.
    pub fn keep_ledger_batch(&mut self, subject: &str, batch: &ErpBatch, at: i64) {
        let body = serde_json::to_string(batch).expect("plain data with text keys");
        self.push(Statement::new(
            "insert into ledger_batch (document, number, version, status, body) values ($1, $2, $3, $4, $5) \
             on conflict (document, number) do update set version = excluded.version, \
             status = excluded.status, body = excluded.body",
            args![subject, &batch.number, &batch.version, &batch.status, body],
        ));
        self.push(Statement::new(
            "update ledger_check set state = 'open', since = $2 \
             where document = $1 and state in ('verified', 'accepted')",
            args![subject, at],
        ));
    }

    /// Guarded: what was found counts for the state it was looked up in.
    pub fn move_ledger_check(&mut self, from: LedgerState, to: &LedgerCheck) {
        let differences =
            serde_json::to_string(&to.differences).expect("a list of texts is plain data");
        let differences = if to.differences.is_empty() { String::new() } else { differences };
        self.push(
            Statement::new(
                "update ledger_check set state = $1, since = $2, looked_at = $3, batches = $4, \
                 differences = $5, changed_at = $6 where document = $7 and state = $8",
                args![
                    to.state.as_str(),
                    to.since,
                    to.looked_at,
                    to.batches.join(" "),
                    differences,
                    to.changed_at,
                    &to.subject,
                    from.as_str()
                ],
            )
            .guarded("the check against the ledger is in another state by now"),
        );
    }

    /// Takes the attention away if it has this code.
    pub fn clear_attention(&mut self, document: &str, code: &str) {
        self.push(Statement::new(
            "update document set attention = null where id = $1 and attention like $2",
            args![document, format!("{code}:%")],
        ));
    }
}

fn check(row: &AnyRow) -> Result<LedgerCheck, StoreError> {
    let state: String = row.try_get(4)?;
    let batches: String = row.try_get(7)?;
    let differences: String = row.try_get(8)?;
    let subject: String = row.try_get(0)?;
    let (owner, plan): (String, String) = (row.try_get(10)?, row.try_get(11)?);
    Ok(LedgerCheck {
        document: if owner.is_empty() { subject.clone() } else { owner },
        subject,
        plan: (!plan.is_empty()).then_some(plan),
        company: row.try_get(1)?,
        visma_type: row.try_get(2)?,
        visma_number: row.try_get(3)?,
        state: LedgerState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| StoreError::Content(format!("ledger check `{state}`")))?,
        since: row.try_get(5)?,
        looked_at: row.try_get(6)?,
        batches: batches.split_whitespace().map(str::to_owned).collect(),
        differences: if differences.is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(&differences)
                .map_err(|error| StoreError::Content(error.to_string()))?
        },
        changed_at: row.try_get(9)?,
    })
}
