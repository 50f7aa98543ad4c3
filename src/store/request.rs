use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

/// What a person asked for while another process owns the unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    pub id: String,
    pub verb: String,
    pub document: String,
    pub actor: String,
    pub reason: String,
    /// What it says beside its verb, as JSON.
    pub detail: String,
}

impl Store {
    /// The one write without ownership: it changes no state, it only asks the owner to.
    pub async fn ask(&self, unit: &str, request: &RequestRow, at: i64) -> Result<(), StoreError> {
        sqlx::query::<Any>(
            "insert into request (id, unit, verb, document, actor, reason, detail, state, asked_at) \
             values ($1, $2, $3, $4, $5, $6, $7, 'asked', $8)",
        )
        .bind(&request.id)
        .bind(unit)
        .bind(&request.verb)
        .bind(&request.document)
        .bind(&request.actor)
        .bind(&request.reason)
        .bind(&request.detail)
        .bind(at)
        .execute(&mut self.readers.take().await?)
        .await?;
        Ok(())
    }

    pub async fn open_requests(&self, unit: &str) -> Result<Vec<RequestRow>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String, String, String, String)>(
            "select id, verb, document, actor, reason, detail from request \
             where unit = $1 and state = 'asked' order by asked_at, id",
        )
        .bind(unit)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, verb, document, actor, reason, detail)| RequestRow {
                id,
                verb,
                document,
                actor,
                reason,
                detail,
            })
            .collect())
    }

    /// What became of a request. `None`: it is not carried out yet.
    pub async fn request_result(&self, id: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query_as::<Any, (Option<String>,)>(
            "select result from request where id = $1 and state = 'done'",
        )
        .bind(id)
        .fetch_optional(&mut self.readers.take().await?)
        .await?;
        Ok(row.map(|(result,)| result.unwrap_or_default()))
    }
}

impl Change {
    pub fn finish_request(&mut self, id: &str, result: &str, at: i64) {
        self.push(
            Statement::new(
                "update request set state = 'done', result = $1, done_at = $2 where id = $3 and state = 'asked'",
                args![result, at, id],
            )
            .guarded("the request was already carried out"),
        );
    }
}
