//! The processes that are alive, by the database's clock. Death is a fact in here: a row that ran out is
//! deleted under its lock, and one that is gone never comes back.

use super::ownership::{is_lock_timeout, timed};
use super::{Store, StoreError};
use sqlx::Any;

/// A living process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    pub id: String,
    /// It takes its share of all units; otherwise it runs one command.
    pub serves: bool,
}

impl Store {
    /// The id must be new: it is never used again after its row is gone.
    pub async fn join_worker(
        &self,
        worker: &WorkerRow,
        lease_micros: i64,
    ) -> Result<(), StoreError> {
        let sql = timed!(
            self.dialect,
            "insert into worker (id, serves, expires_at) values ($1, $2, ",
            " + $3)"
        );
        sqlx::query::<Any>(sql)
            .bind(&worker.id)
            .bind(i64::from(worker.serves))
            .bind(lease_micros)
            .execute(&mut self.readers.take().await?)
            .await?;
        Ok(())
    }

    /// Lengthens the worker's lease, and with it that of all its units. `false`: it is dead, and owns nothing.
    pub async fn renew_worker(&self, id: &str, lease_micros: i64) -> Result<bool, StoreError> {
        let sql = timed!(self.dialect, "update worker set expires_at = ", " + $1 where id = $2");
        let result = sqlx::query::<Any>(sql)
            .bind(lease_micros)
            .bind(id)
            .execute(&mut self.readers.take().await?)
            .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Deletes the workers whose lease ran out: what they own can be taken from now on.
    pub async fn bury_workers(&self) -> Result<(), StoreError> {
        let sql = timed!(self.dialect, "delete from worker where expires_at < ", "");
        match sqlx::query::<Any>(sql).execute(&mut self.readers.take().await?).await {
            Ok(_) => Ok(()),
            // Somebody is about to bury them, or to find that it lives.
            Err(error) if is_lock_timeout(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// For whoever knows to be the only one alive, before it joins.
    pub async fn bury_other_workers(&self) -> Result<(), StoreError> {
        sqlx::query::<Any>("delete from worker").execute(&mut self.readers.take().await?).await?;
        Ok(())
    }

    /// The worker has given up what it owned.
    pub async fn leave_worker(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query::<Any>("delete from worker where id = $1")
            .bind(id)
            .execute(&mut self.readers.take().await?)
            .await?;
        Ok(())
    }

    /// Those that are alive now.
    pub async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let sql = timed!(
            self.dialect,
            "select id, serves from worker where expires_at >= ",
            " order by id"
        );
        let rows = sqlx::query_as::<Any, (String, i64)>(sql)
            .fetch_all(&mut self.readers.take().await?)
            .await?;
        Ok(rows.into_iter().map(|(id, serves)| WorkerRow { id, serves: serves == 1 }).collect())
    }
}
