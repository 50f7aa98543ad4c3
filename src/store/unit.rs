//! Which unit each source and company belongs to.

use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    Source,
    Company,
}

impl MemberKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Company => "company",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitMember {
    pub kind: MemberKind,
    pub id: String,
    pub unit: String,
}

impl Store {
    pub async fn unit_members(&self) -> Result<Vec<UnitMember>, StoreError> {
        let rows = sqlx::query_as::<Any, (String, String, String)>(
            "select kind, id, unit from unit_member",
        )
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        rows.into_iter()
            .map(|(kind, id, unit)| {
                let known = [MemberKind::Source, MemberKind::Company];
                let kind = known
                    .into_iter()
                    .find(|known| known.as_str() == kind)
                    .ok_or_else(|| StoreError::Content(format!("unit member `{kind}`")))?;
                Ok(UnitMember { kind, id, unit })
            })
            .collect()
    }
}

impl Change {
    pub fn keep_unit_member(&mut self, kind: MemberKind, id: &str, unit: &str) {
        self.push(Statement::new(
            "insert into unit_member (kind, id, unit) values ($1, $2, $3) \
             on conflict (kind, id) do update set unit = excluded.unit",
            args![kind.as_str(), id, unit],
        ));
    }

    /// Everything of a unit goes on in another: its members, and what people asked it for.
    pub fn move_unit(&mut self, from: &str, to: &str) {
        for sql in [
            "update unit_member set unit = $1 where unit = $2",
            "update connection set unit = $1 where unit = $2",
            "update request set unit = $1 where unit = $2 and state = 'asked'",
        ] {
            self.push(Statement::new(sql, args![to, from]));
        }
    }
}
