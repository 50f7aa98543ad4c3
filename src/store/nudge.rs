//! What webhooks told, and what of the changes only polls found.

use super::{Change, Statement, Store, StoreError, args};
use crate::nudge::{Found, Heard};
use crate::schedule::Poll;
use sqlx::Any;

/// One thing that a delivery told. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NudgeRow {
    pub connection: String,
    pub delivery: String,
    pub n: i64,
    pub poll: Poll,
    pub reference: String,
    pub received_at: i64,
}

/// Nudges that wait for a poll: how many, and when the latest came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingNudges {
    pub connection: String,
    pub poll: Poll,
    pub count: i64,
    pub latest_at: i64,
}

/// What became of deliveries of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NudgeCount {
    /// Empty: the address is nobody's.
    pub connection: String,
    /// Empty: it is not known what they told.
    pub poll: String,
    pub outcome: String,
    pub count: i64,
    pub last_at: i64,
}

/// How the changes of one of a company's lists were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCount {
    pub company: String,
    pub poll: Poll,
    pub told: i64,
    pub poll_only: i64,
    pub in_a_row: i64,
    pub in_a_row_since: i64,
}

/// A nudge by its key, as [`Heard`] for the same place.
pub type NudgeKey = (String, String, i64);

fn poll(name: &str) -> Result<Poll, StoreError> {
    name.parse().map_err(StoreError::Content)
}

impl Store {
    /// Keeps what a delivery told, durably, without ownership: it changes no state of a unit. `false`: it is known
    /// already. One that came before `again_before` under the same key is forgotten and counts anew.
    pub async fn keep_nudge(&self, row: &NudgeRow, again_before: i64) -> Result<bool, StoreError> {
        let result = sqlx::query::<Any>(
            "insert into nudge (connection, delivery, n, poll, reference, state, received_at, spent) \
             values ($1, $2, $3, $4, $5, 'waiting', $6, 0) on conflict (connection, delivery, n) do update set \
             state = 'waiting', received_at = excluded.received_at, spent = 0 where nudge.received_at < $7",
        )
        .bind(&row.connection)
        .bind(&row.delivery)
        .bind(row.n)
        .bind(row.poll.name())
        .bind(&row.reference)
        .bind(row.received_at)
        .bind(again_before)
        .execute(&mut self.readers.take().await?)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// Adds to the counts of deliveries.
    pub async fn count_deliveries(&self, counts: &[NudgeCount]) -> Result<(), StoreError> {
        for row in counts {
            sqlx::query::<Any>(
                "insert into nudge_count (connection, poll, outcome, count, last_at) values ($1, $2, $3, $4, $5) \
                 on conflict (connection, poll, outcome) do update set count = nudge_count.count + excluded.count, \
                 last_at = excluded.last_at",
            )
            .bind(&row.connection)
            .bind(&row.poll)
            .bind(&row.outcome)
            .bind(row.count)
            .bind(row.last_at)
            .execute(&mut self.readers.take().await?)
            .await?;
        }
        Ok(())
    }

    pub async fn delivery_counts(&self) -> Result<Vec<NudgeCount>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String, i64, i64)>(
            "select connection, poll, outcome, count, last_at from nudge_count order by connection, poll, outcome",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(connection, poll, outcome, count, last_at)| NudgeCount {
                connection,
                poll,
                outcome,
                count,
                last_at,
            })
            .collect())
    }

    /// What waits, of connections that nobody paused.
    pub async fn nudges_waiting(&self) -> Result<Vec<WaitingNudges>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, i64)>(
            "select connection, poll, cast(count(*) as bigint), cast(max(received_at) as bigint) from nudge \
             where state = 'waiting' and connection not in (select connection from pause) \
             group by connection, poll order by connection, poll",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(connection, name, count, latest_at)| {
                Ok(WaitingNudges { connection, poll: poll(&name)?, count, latest_at })
            })
            .collect()
    }

    /// The jobs whose end the nudges that are taken told.
    pub async fn jobs_told(&self, connection: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_as::<Any, (String,)>(
            "select distinct reference from nudge where state = 'taken' and connection = $1 and poll = $2",
        )
        .bind(connection)
        .bind(Poll::Jobs.name())
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(|(job,)| job).collect())
    }

    /// Changes that polls found before an instant and that are not weighed yet.
    pub async fn found_changes(
        &self,
        company: &str,
        before: i64,
    ) -> Result<Vec<(Poll, Found)>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, i64)>(
            "select poll, reference, since, seen_at from found_change where company = $1 and seen_at < $2 \
             order by poll, seen_at limit 5000",
        )
        .bind(company)
        .bind(before)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(name, reference, since, seen_at)| {
                Ok((poll(&name)?, Found { reference, since, seen_at }))
            })
            .collect()
    }

    /// What the connection's nudges told of a list within a time.
    pub async fn nudges_heard(
        &self,
        connection: &str,
        of: Poll,
        from: i64,
        to: i64,
    ) -> Result<Vec<(NudgeKey, Heard)>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, i64, String, i64, i64)>(
            "select delivery, n, reference, received_at, spent from nudge where connection = $1 and poll = $2 \
             and received_at >= $3 and received_at <= $4 order by received_at, delivery, n",
        )
        .bind(connection)
        .bind(of.name())
        .bind(from)
        .bind(to)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(delivery, n, reference, received_at, spent)| {
                let heard = Heard { reference, received_at, is_spent: spent == 1 };
                ((connection.to_owned(), delivery, n), heard)
            })
            .collect())
    }

    pub async fn found_counts(&self) -> Result<Vec<FoundCount>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, i64, i64, i64, i64)>(
            "select company, poll, told, poll_only, in_a_row, in_a_row_since from found_count order by company, poll",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(company, name, told, poll_only, in_a_row, in_a_row_since)| {
                let poll = poll(&name)?;
                Ok(FoundCount { company, poll, told, poll_only, in_a_row, in_a_row_since })
            })
            .collect()
    }
}

impl Change {
    /// The poll that begins reads what these told.
    pub fn take_nudges(&mut self, connection: &str, poll: Poll) {
        self.push(Statement::new(
            "update nudge set state = 'taken' where state = 'waiting' and connection = $1 and poll = $2",
            args![connection, poll.name()],
        ));
    }

    /// The poll came to its end: a good one, or they wait for another.
    pub fn end_nudges(&mut self, connection: &str, poll: Poll, good: bool) {
        self.push(Statement::new(
            "update nudge set state = $1 where state = 'taken' and connection = $2 and poll = $3",
            args![if good { "done" } else { "waiting" }, connection, poll.name()],
        ));
    }

    /// Those that came before an instant and were polled, or that nothing polls.
    pub fn forget_nudges(&mut self, connection: &str, before: i64) {
        self.push(Statement::new(
            "delete from nudge where connection = $1 and received_at < $2",
            args![connection, before],
        ));
    }

    /// A job is asked for at its next look, which is now.
    pub fn hasten_job(&mut self, company: &str, job: &str, now: i64) {
        self.push(Statement::new(
            "update posting set next_at = $1 where company = $2 and job = $3 and state = 'accepted' and next_at > $1",
            args![now, company, job],
        ));
    }

    pub fn found_by_poll(&mut self, company: &str, poll: Poll, found: &Found) {
        self.push(Statement::new(
            "insert into found_change (company, poll, reference, since, seen_at) values ($1, $2, $3, $4, $5) \
             on conflict (company, poll, reference, seen_at) do nothing",
            args![company, poll.name(), &found.reference, found.since, found.seen_at],
        ));
    }

    /// Counts one change, once, in the order in which they were found.
    pub fn weigh_found(&mut self, company: &str, poll: Poll, found: &Found, told: bool) {
        self.push(
            Statement::new(
                "delete from found_change where company = $1 and poll = $2 and reference = $3 and seen_at = $4",
                args![company, poll.name(), &found.reference, found.seen_at],
            )
            .guarded("the change was weighed already"),
        );
        let told = i64::from(told);
        self.push(Statement::new(
            "insert into found_count (company, poll, told, poll_only, in_a_row, in_a_row_since) \
             values ($1, $2, $3, $4, $4, $5) on conflict (company, poll) do update set \
             told = found_count.told + excluded.told, poll_only = found_count.poll_only + excluded.poll_only, \
             in_a_row = case when excluded.told = 1 then 0 else found_count.in_a_row + 1 end, \
             in_a_row_since = case when excluded.told = 1 or found_count.in_a_row = 0 then excluded.in_a_row_since \
             else found_count.in_a_row_since end",
            args![company, poll.name(), told, 1 - told, found.seen_at],
        ));
    }

    pub fn spend_nudge(&mut self, (connection, delivery, n): &NudgeKey) {
        self.push(Statement::new(
            "update nudge set spent = 1 where connection = $1 and delivery = $2 and n = $3",
            args![connection, delivery, *n],
        ));
    }
}
