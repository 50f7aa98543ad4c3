//! What the program does not start on: the exit status, the thing by its name, and what to do now.
//! A wrong address or password of the two systems is in `trouble`.

use crate::connector::{Connector, Options, Run};
use crate::stores;
use ml_connector::store::{Change, Statement, Store};
use sqlx::{Connection, Executor};

/// A program whose two systems are nowhere: it shall not get as far as asking them.
fn connector(store_url: &str) -> Connector {
    let options = Options { wait_for_owner_seconds: 1, ..Options::default() };
    let nowhere = "http://127.0.0.1:9";
    Connector::at(nowhere, nowhere, store_url, &options)
}

fn assert_refused(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code(), Some(code), "{words:?}: {run:#?}");
    for word in words {
        assert!(run.stderr.contains(word), "`{word}` is missing: {}", run.stderr);
    }
    assert_eq!(run.stderr.lines().count(), 1, "one sentence: {}", run.stderr);
    assert!(run.json()["error"].is_string(), "{run:#?}");
    assert!(!run.stderr.contains("hunter2") && !run.stdout.contains("hunter2"), "{run:#?}");
}

const CONFIGURATION: &str = r#"
[store]
url = "sqlite:store.db"

[timing]
lease_seconds = 60

[[source]]
id = "jaggaer"
base_url = "https://j.example"
client_id = "me"
client_secret = { env = "J" }
profile = "default"

[[company]]
id = "nordlys"
client_id = "me"
client_secret = { file = "v.secret" }
tenant_id = "t"

[[connection]]
id = "no"
source = "jaggaer"
company = "nordlys"
take_from = "2026-01-01"

[connection.invoices]
mode = "hold"
"#;

#[tokio::test]
async fn a_configuration_that_cannot_be_read_names_file_line_and_key() {
    // What stands there, what is written instead, where that is found, and in which words.
    let cases = [
        (
            "lease_seconds",
            "leese_seconds",
            "line 6",
            "`timing.leese_seconds`: `leese_seconds` is no key here: did you mean `lease_seconds`?",
        ),
        ("[timing]", "[timings]", "line 5", "did you mean `timing`?"),
        ("[[source]]", "[[sauce]]", "line 8", "did you mean `source`?"),
        ("[[source]]", "[source]", "line 8", "two brackets, as in [[source]]"),
        (
            "lease_seconds = 60",
            "lease_seconds = \"hunter2\"",
            "line 6",
            "`timing.lease_seconds`: text stands here where a whole number",
        ),
        (
            "lease_seconds = 60",
            "lease_seconds = 1\nlease_seconds = 2",
            "line 7",
            "`timing.lease_seconds`: it stands here for the second time",
        ),
        (
            "lease_seconds = 60",
            "lease_seconds = 0",
            "",
            "timing.lease_seconds is 0: write a number from 1",
        ),
        (
            "\"hold\"",
            "\"holt\"",
            "line 28",
            "`connection.invoices.mode`: `holt` is none of the words for it: did you mean `hold`?",
        ),
        (
            "\"2026-01-01\"",
            "\"1.1.2026\"",
            "line 25",
            "`connection.take_from`: what stands here is no day such as 2026-01-31",
        ),
        ("tenant_id = \"t\"", "", "line 15", "`company`: the key `tenant_id` is missing"),
        (
            "{ env = \"J\" }",
            "\"hunter2\"",
            "line 12",
            "`source.client_secret`: a secret is never written into the configuration",
        ),
        (
            "{ env = \"J\" }",
            "{ value = \"hunter2\" }",
            "line 12",
            "`source.client_secret`: write { ",
        ),
        ("{ env = \"J\" }", "hunter2", "line 12", "quoted"),
        (
            "\"https://j.example\"",
            "\"j.example\"",
            "",
            "base_url of source `jaggaer` is no address such as https://",
        ),
        (
            "source = \"jaggaer\"",
            "source = \"jagaer\"",
            "",
            "names the source `jagaer`, which is not there: did you mean `jaggaer`?",
        ),
        ("[timing]", "[timing", "line 5", "unclosed table"),
        ("sqlite:store.db", "sqllite:store.db", "", "let store.url be sqlite:FILE or postgres://"),
    ];
    let connector = connector("sqlite:store.db");
    for (old, new, line, words) in cases {
        assert!(CONFIGURATION.contains(old), "{old}");
        connector.write("ml-connector.toml", &CONFIGURATION.replacen(old, new, 1));
        let run = connector.run(&["status"]).await;
        let file = if words.contains("store.url") { "" } else { "ml-connector.toml" };
        assert_refused(&run, 2, &[file, line, words]);
    }
    connector.write("ml-connector.toml", CONFIGURATION);
    assert_eq!(connector.run(&["status"]).await.code(), Some(0), "unchanged it is good");
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_named() {
    let connector = connector("sqlite:store.db");
    let path = connector.path("ml-connector.toml");
    std::fs::write(&path, b"[store]\nurl = \"\xff\"\n").unwrap();
    let run = connector.run(&["status"]).await;
    assert_refused(&run, 2, &["ml-connector.toml", "it is not text in UTF-8"]);
    std::fs::remove_file(&path).unwrap();
    let run = connector.run(&["status"]).await;
    assert_refused(&run, 2, &["ml-connector.toml", "there is no such file", "--config"]);
    std::fs::create_dir(&path).unwrap();
    let run = connector.run(&["status"]).await;
    assert_refused(&run, 2, &["ml-connector.toml", "directory"]);
}

#[tokio::test]
async fn a_file_that_no_store_can_be_is_named() {
    let connector = connector("sqlite:store.db");
    let at = |name: &str| format!("sqlite:{}", connector.path(name).display());
    connector.write("words.db", "no database at all, but long enough to be looked at for a header");
    connector.write("a-file", "");
    std::fs::create_dir(connector.path("a-folder")).unwrap();
    let cases = [
        ("words.db", "the file is not a store: name another in store.url, or restore a backup"),
        ("a-folder", "that is a folder: name a file in it"),
        ("no/such/store.db", "is not there: make it, or name another in store.url"),
        ("a-file/store.db", "may not write it or its folder"),
    ];
    for (name, words) in cases {
        connector.use_store(&at(name));
        let run = connector.run(&["status"]).await;
        assert_refused(&run, 1, &["cannot open the store", name, words]);
    }
    connector.use_store("sqlite::memory:");
    assert_refused(&connector.run(&["status"]).await, 2, &[":memory:", "sqlite:FILE"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named() {
    let test = stores::postgres().await;
    let (server, name) = test.url.rsplit_once('/').unwrap();
    let host = server.rsplit_once('@').unwrap().1;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("postgres://me:hunter2@{}/db", silent.local_addr().unwrap());
    // One who may sign in but owns nothing.
    let guest = stores::unique("guest");
    let mut connection = sqlx::PgConnection::connect(&test.url).await.unwrap();
    for statement in [
        format!("create role {guest} login"),
        "revoke create on schema public from public".to_owned(),
    ] {
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    let cases = [
        (
            "postgres://me:hunter2@127.0.0.1:9/db".to_owned(),
            "no PostgreSQL answers there",
            "refused",
        ),
        (silent, "no PostgreSQL answers there", "in 10 seconds"),
        (
            "postgres://me:hunter2@nowhere.invalid/db".to_owned(),
            "no PostgreSQL answers there",
            "host and port",
        ),
        (format!("{server}/no_such_database"), "no_such_database", "createdb"),
        (format!("postgres://nobody:hunter2@{host}/{name}"), "nobody", "store.password"),
        (format!("postgres://{guest}@{host}/{name}"), "permission denied", "own the database"),
        (format!("{}?sslmode=require", test.url), "encrypted", "sslmode"),
    ];
    let connector = connector("sqlite:store.db");
    for (url, what, advice) in cases {
        connector.use_store(&url);
        assert_refused(&connector.run(&["status"]).await, 1, &[what, advice]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_and_a_newer_one_are_named() {
    for test in stores::both().await {
        let connector = connector(&test.url);
        // A first round, so that the store knows its unit.
        let first = connector.run(&["sync"]).await;
        assert!(first.stderr.contains("refused"), "{first:#?}");
        let store = Store::open(&test.url).await.unwrap();
        let lock = store.lock_file().unwrap().expect("nobody has it");
        let owner = store.take_ownership("no", "elsewhere:7", 60_000_000, true).await;
        let owner = owner.unwrap().unwrap();
        let run = connector.run(&["sync"]).await;
        assert_eq!(run.code(), Some(1), "{run:#?}");
        assert!(run.stderr.contains("stop it and try again"), "{}", run.stderr);
        let named = if store.is_file() { "another process on this machine" } else { "elsewhere:7" };
        assert!(run.stderr.contains(named), "{}", run.stderr);
        drop(lock);

        let mut change = Change::new();
        change.push(Statement::new(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             select 999, 'later', success, checksum, 0 from _sqlx_migrations where version = 1",
            Vec::new(),
        ));
        store.commit(&owner, change).await.unwrap();
        for command in ["status", "sync"] {
            let run = connector.run(&[command]).await;
            assert_refused(&run, 1, &["newer version of ml-connector", "restore a backup"]);
        }
    }
}
