//! `ping` says what is wrong with a connection and what to do; no secret is ever shown.

use crate::flow::{Flow, postable, run};
use crate::stores;
use serde_json::Value;
use std::path::Path;

struct Case {
    name: &'static str,
    /// What is replaced in the configuration.
    from: &'static str,
    to: &'static str,
    /// The check that fails, and words that its detail or fix must have.
    check: &'static str,
    words: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "the secret for Visma is wrong",
        from: "visma.secret",
        to: "wrong.secret",
        check: "no: visma sign-in",
        words: &["client", "secret", "tenant_id"],
    },
    Case {
        name: "the secret for JAGGAER is wrong",
        from: "jaggaer.secret",
        to: "wrong.secret",
        check: "no: jaggaer sign-in",
        words: &["client_id", "secret"],
    },
    Case {
        name: "the tenant id is the customer's",
        from: "11111111-1111-4111-8111-111111111111",
        to: "22222222-2222-4222-8222-222222222222",
        check: "no: visma supplier",
        words: &["tenant id", "22222222-2222-4222-8222-222222222222", "customer", "company"],
    },
    Case {
        name: "no secret file is there",
        from: "visma.secret",
        to: "nowhere.secret",
        check: "no: visma secret",
        words: &["nowhere.secret", "client_secret"],
    },
    Case {
        name: "the path of JAGGAER's API is wrong",
        from: "base_url = \"{jaggaer}\"",
        to: "base_url = \"{jaggaer}/elsewhere\"\ntoken_url = \"{jaggaer}/auth/realms/J1p-integrations/protocol/openid-connect/token\"",
        check: "no: jaggaer purchase_orders",
        words: &["404", "path", "base URL"],
    },
    Case {
        name: "nobody listens where Visma should be",
        from: "base_url = \"{visma}\"",
        to: "base_url = \"http://127.0.0.1:9\"",
        check: "no: visma supplier",
        words: &["cannot be reached", "http://127.0.0.1:9", "firewall"],
    },
    Case {
        name: "nobody listens where JAGGAER should be",
        from: "base_url = \"{jaggaer}\"",
        to: "base_url = \"http://127.0.0.1:9\"",
        check: "no: jaggaer sign-in",
        words: &["http://127.0.0.1:9", "token_url", "firewall"],
    },
];

async fn ping(folder: &Path) -> (Value, i32, String) {
    let output = run(folder, &["ping", "--json"]).await;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{shown}"));
    (value, output.status.code().expect("it was not killed"), shown)
}

/// The failed check's words, all of them.
fn told(shown: &Value, check: &str) -> String {
    let checks = shown["checks"].as_array().expect("checks");
    let failed = checks.iter().find(|one| one["name"] == check && one["ok"] == false);
    let failed = failed.unwrap_or_else(|| panic!("{check} did not fail: {shown:#}"));
    assert!(!failed["fix"].as_str().unwrap().is_empty(), "{failed}");
    format!("{} {}", failed["detail"].as_str().unwrap(), failed["fix"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_connection_is_good_all_over() {
    let flow = Flow::start(postable(1, 5), stores::sqlite()).await;
    let (shown, status, _) = ping(&flow.folder).await;
    assert_eq!((shown["ok"].as_bool(), status), (Some(true), 0), "{shown:#}");
    let checks = shown["checks"].as_array().unwrap();
    assert!(checks.len() >= 9, "{shown:#}");
    for check in checks {
        assert!(check["name"].is_string() && check["detail"].is_string(), "{check}");
        assert_eq!((check["ok"].as_bool(), check["fix"].as_str()), (Some(true), Some("")));
    }
    assert_eq!(flow.writes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_connection_says_what_to_do() {
    let flow = Flow::start(postable(1, 5), stores::sqlite()).await;
    let path = flow.folder.join("ml-connector.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(flow.folder.join("wrong.secret"), "not-the-secret-9f3c\n").unwrap();
    for case in CASES {
        let urls = |text: &str| {
            text.replace("{visma}", &flow.sandbox.visma_url())
                .replace("{jaggaer}", &flow.sandbox.jaggaer_url())
        };
        let (from, to) = (urls(case.from), urls(case.to));
        assert!(good.contains(&from), "{}", case.name);
        std::fs::write(&path, good.replace(&from, &to)).unwrap();
        let (shown, status, output) = ping(&flow.folder).await;
        assert_eq!((shown["ok"].as_bool(), status), (Some(false), 1), "{}", case.name);
        let words = told(&shown, case.check);
        for word in case.words {
            assert!(words.contains(word), "{}: `{word}` is missing in: {words}", case.name);
        }
        assert!(!output.contains("not-the-secret-9f3c"), "{}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_was_not_granted_is_named() {
    let mut settings = postable(1, 5);
    settings.visma.granted_scopes.truncate(1);
    let flow = Flow::start(settings, stores::sqlite()).await;
    let (shown, status, _) = ping(&flow.folder).await;
    assert_eq!((shown["ok"].as_bool(), status), (Some(false), 1));
    let words = told(&shown, "no: visma sign-in");
    assert!(words.contains("scope"), "{words}");
}

/// What was planted as a secret is in no output, log, trail or store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_shown_or_kept() {
    for test in stores::both().await {
        let flow = Flow::start(postable(1, 10), test).await;
        let secrets = ["sandbox-visma-secret", "sandbox-jaggaer-secret", "Bearer "];
        let mut shown = String::new();
        for arguments in [
            &["ping"][..],
            &["sync"],
            &["sync", "--json"],
            &["status"],
            &["documents", "list"],
            &["audit", "verify"],
            &["audit", "export"],
        ] {
            let output = flow.run(arguments).await;
            assert!(matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {output:?}");
            shown += &String::from_utf8_lossy(&output.stdout);
            shown += &String::from_utf8_lossy(&output.stderr);
        }
        let document =
            flow.document(&flow.to_post(ml_connector_sandbox::world::Kind::PurchaseOrder)[0]).await;
        shown += &format!("{:?}", flow.run(&["documents", "show", &document.id]).await);
        assert!(shown.contains("create_intended") && shown.len() > 10_000);
        for secret in secrets {
            assert!(!shown.contains(secret), "{secret}");
        }
        // A wrong one neither, where it is refused.
        std::fs::write(flow.folder.join("visma.secret"), "not-the-secret-9f3c\n").unwrap();
        let output = format!("{:?}", flow.run(&["sync"]).await);
        assert!(output.contains("sign-in") && !output.contains("not-the-secret-9f3c"), "{output}");

        let bytes = stored(&flow).await;
        assert!(bytes.len() > 10_000);
        for secret in
            ["sandbox-visma-secret", "sandbox-jaggaer-secret", "not-the-secret-9f3c", "Bearer "]
        {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in the store");
        }
    }
}

/// All that the store keeps: the files, or every text of every table.
pub async fn stored(flow: &Flow) -> Vec<u8> {
    use sqlx::{Connection, Row};
    if let Some(path) = flow.test.url.strip_prefix("sqlite:") {
        let files =
            ["", "-wal"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
        return files.concat();
    }
    let mut connection = sqlx::PgConnection::connect(&flow.test.url).await.unwrap();
    let tables = sqlx::query(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut bytes = Vec::new();
    for table in tables {
        let name: String = table.get(0);
        let all = format!("select t::text from \"{name}\" t");
        let rows = sqlx::query(sqlx::AssertSqlSafe(all)).fetch_all(&mut connection).await.unwrap();
        for row in rows {
            bytes.extend(row.get::<String, _>(0).into_bytes());
        }
    }
    bytes
}
