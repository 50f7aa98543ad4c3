use super::{Change, Statement, Store, StoreError, args};
use sqlx::Any;
use std::collections::BTreeMap;

/// One version of what a person said about a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    pub id: String,
    pub connection: String,
    /// The source's vendor id, or its number for the ERP.
    pub vendor: String,
    /// `None`: asked for, not in force yet.
    pub n: Option<i64>,
    /// The ERP's supplier number. `None`: the link before it is undone.
    pub supplier: Option<String>,
    pub actor: String,
    pub reason: String,
    pub asked_at: i64,
}

type Columns = (String, String, String, Option<i64>, Option<String>, String, String, i64);

impl Store {
    /// Changes no state: it only asks the owner to.
    pub async fn ask_link(&self, link: &LinkRow) -> Result<(), StoreError> {
        sqlx::query::<Any>(
            "insert into vendor_link (id, connection, vendor, supplier, actor, reason, asked_at) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&link.id)
        .bind(&link.connection)
        .bind(&link.vendor)
        .bind(link.supplier.as_deref())
        .bind(&link.actor)
        .bind(&link.reason)
        .bind(link.asked_at)
        .execute(&mut self.readers.take().await?)
        .await?;
        Ok(())
    }

    /// Asked for and not taken over yet, the oldest first.
    pub async fn asked_links(&self, connection: &str) -> Result<Vec<LinkRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select id, connection, vendor, n, supplier, actor, reason, asked_at from vendor_link \
             where connection = $1 and n is null order by asked_at, id",
        )
        .bind(connection)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        Ok(rows.into_iter().map(link).collect())
    }

    /// Every version of every link of a connection, by vendor, the oldest first.
    pub async fn link_versions(&self, connection: &str) -> Result<Vec<LinkRow>, StoreError> {
        let rows = sqlx::query_as::<Any, Columns>(
            "select id, connection, vendor, n, supplier, actor, reason, asked_at from vendor_link \
             where connection = $1 and n is not null order by n",
        )
        .bind(connection)
        .fetch_all(&mut self.readers.take().await?)
        .await?;
        let mut links: Vec<LinkRow> = rows.into_iter().map(link).collect();
        links.sort_by(|a, b| (&a.vendor, a.n).cmp(&(&b.vendor, b.n)));
        Ok(links)
    }

    /// Supplier by vendor: what is in force.
    pub async fn links(&self, connection: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let mut links = BTreeMap::new();
        for version in self.link_versions(connection).await? {
            match version.supplier {
                Some(supplier) => links.insert(version.vendor, supplier),
                None => links.remove(&version.vendor),
            };
        }
        Ok(links)
    }
}

impl Change {
    /// Puts an asked link into force as the vendor's next version.
    pub fn take_link(&mut self, link: &LinkRow, at: i64) {
        self.push(
            Statement::new(
                "update vendor_link set done_at = $1, n = (select coalesce(max(earlier.n), 0) + 1 \
                 from vendor_link earlier where earlier.connection = $2 and earlier.vendor = $3) \
                 where id = $4 and n is null",
                args![at, &link.connection, &link.vendor, &link.id],
            )
            .guarded("the link was already taken over"),
        );
    }
}

fn link(row: Columns) -> LinkRow {
    let (id, connection, vendor, n, supplier, actor, reason, asked_at) = row;
    LinkRow { id, connection, vendor, n, supplier, actor, reason, asked_at }
}
