//! A fresh store on each engine. PostgreSQL comes from the test command through
//! `ML_CONNECTOR_TEST_POSTGRES`, a URL of a server on which databases may be made.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A store of its own for one test; removed with the value where it is a file.
pub struct TestStore {
    pub url: String,
    folder: Option<PathBuf>,
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // A leftover folder in the temporary directory harms nobody.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn sqlite() -> TestStore {
    let folder = std::env::temp_dir().join(unique("ml_connector_test"));
    std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
    TestStore { url: format!("sqlite:{}", folder.join("store.db").display()), folder: Some(folder) }
}

/// Panics when there is no server: a missing PostgreSQL is a failure, not a skip.
pub async fn postgres() -> TestStore {
    use sqlx::Connection;
    let server = std::env::var("ML_CONNECTOR_TEST_POSTGRES").expect(
        "ML_CONNECTOR_TEST_POSTGRES is not set: run the tests with ./test, which starts a PostgreSQL",
    );
    let name = unique("ml_connector");
    let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres"))
        .await
        .expect("the test PostgreSQL answers");
    let create = format!("create database {name}");
    sqlx::query(sqlx::AssertSqlSafe(create))
        .execute(&mut connection)
        .await
        .expect("a database can be made");
    TestStore { url: format!("{server}/{name}"), folder: None }
}

/// Both engines, for a test that must pass on each.
pub async fn both() -> Vec<TestStore> {
    vec![sqlite(), postgres().await]
}

/// One more fresh store on the same engine.
pub async fn another(of: &TestStore) -> TestStore {
    if of.url.starts_with("sqlite:") { sqlite() } else { postgres().await }
}
