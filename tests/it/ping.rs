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
        check: "company nordlys: sign-in",
        words: &["Developer Portal", "client secret"],
    },
    Case {
        name: "the secret for JAGGAER is wrong",
        from: "jaggaer.secret",
        to: "wrong.secret",
        check: "source jaggaer: sign-in",
        words: &["client_id", "secret"],
    },
    Case {
        name: "the tenant id is the customer's",
        from: "11111111-1111-4111-8111-111111111111",
        to: "22222222-2222-4222-8222-222222222222",
        check: "company nordlys: tenant",
        words: &["tenant id", "22222222-2222-4222-8222-222222222222", "customer", "company"],
    },
    Case {
        name: "no secret file is there",
        from: "visma.secret",
        to: "nowhere.secret",
        check: "company nordlys: secret",
        words: &["nowhere.secret", "client_secret"],
    },
    Case {
        name: "the path of JAGGAER's API is wrong",
        from: "base_url = \"{jaggaer}\"",
        to: "base_url = \"{jaggaer}/elsewhere\"\ntoken_url = \"{jaggaer}/auth/realms/J1p-integrations/protocol/openid-connect/token\"",
        check: "source jaggaer: purchase_orders",
        words: &["404", "path", "base URL"],
    },
    Case {
        name: "nobody listens where Visma should be",
        from: "base_url = \"{visma}\"",
        to: "base_url = \"http://127.0.0.1:9\"",
        check: "company nordlys: reach base_url",
        words: &["cannot be reached", "http://127.0.0.1:9", "firewall"],
    },
    Case {
        name: "no such host",
        from: "base_url = \"{visma}\"",
        to: "base_url = \"https://erp.name.invalid\"",
        check: "company nordlys: reach base_url",
        words: &["DNS", "erp.name.invalid", "base_url"],
    },
    Case {
        name: "TLS is spoken to a port that does not speak it",
        from: "base_url = \"{visma}\"",
        to: "base_url = \"https{visma_without_scheme}\"",
        check: "company nordlys: reach base_url",
        words: &["does not speak TLS", "http://"],
    },
    Case {
        name: "only the right to read is asked for",
        from: "tenant_id = ",
        to: "scopes = [\"vismanet_erp_service_api:read\"]\ntenant_id = ",
        check: "company nordlys: write permission",
        words: &[":create", ":update", "nothing could be posted", "Developer Portal"],
    },
    Case {
        name: "nobody listens where JAGGAER should be",
        from: "base_url = \"{jaggaer}\"",
        to: "base_url = \"http://127.0.0.1:9\"",
        check: "source jaggaer: reach base_url",
        words: &["cannot be reached", "http://127.0.0.1:9", "firewall"],
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
    assert!(checks.len() >= 24, "{shown:#}");
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
            text.replace("{visma_without_scheme}", &flow.sandbox.visma_url()["http".len()..])
                .replace("{visma}", &flow.sandbox.visma_url())
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

/// Faults of the systems themselves: what is switched on, the check that fails, and its words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_system_is_found() {
    use ml_connector_sandbox::{faults, jaggaer};
    let visma = |change: fn(&mut faults::Faults)| {
        let mut settings = faults::Faults::default();
        change(&mut settings);
        settings
    };
    let source = |change: fn(&mut jaggaer::Faults)| {
        let mut settings = jaggaer::Faults::default();
        change(&mut settings);
        settings
    };
    let (good, quiet) = (visma(|_| {}), source(|_| {}));
    let cases = [
        (
            visma(|faults| faults.ignore_changes_filter = true),
            quiet.clone(),
            "company nordlys: changes only",
            &["lastModifiedDateTime is ignored", "proxy"][..],
        ),
        (
            good.clone(),
            source(|faults| faults.ignore_changes_filter = true),
            "source jaggaer: changes only",
            &["updatedSince=", "is ignored", "[feed.delta]", "default"],
        ),
        (
            visma(|faults| faults.forbidden_path = Some("/v1/purchaseorder".into())),
            quiet.clone(),
            "company nordlys: purchaseorder",
            &["403", "/v1/purchaseorder", "role"],
        ),
        (
            visma(|faults| faults.clock_ahead_seconds = 600),
            quiet.clone(),
            "clock",
            &["10 min ahead of this machine", "agrees with"],
        ),
        (
            visma(|faults| faults.clock_ahead_seconds = 600),
            source(|faults| faults.clock_ahead_seconds = 600),
            "clock",
            &["this machine's clock is 10 min behind", "timedatectl"],
        ),
    ];
    let flow = Flow::start(postable(1, 40), stores::sqlite()).await;
    // So that Visma's rows changed at different times.
    flow.sync_to_the_end().await;
    let writes = flow.writes();
    for (of_visma, of_jaggaer, check, words) in cases {
        flow.sandbox.visma_faults().set(of_visma);
        flow.sandbox.jaggaer_faults().set(of_jaggaer);
        let (shown, status, _) = ping(&flow.folder).await;
        assert_eq!((shown["ok"].as_bool(), status), (Some(false), 1), "{check}: {shown:#}");
        let told = told(&shown, check);
        for word in words {
            assert!(told.contains(word), "{check}: `{word}` is missing in: {told}");
        }
    }
    flow.sandbox.visma_faults().set(good);
    flow.sandbox.jaggaer_faults().set(quiet);
    let (shown, _, _) = ping(&flow.folder).await;
    assert_eq!(shown["ok"], true, "{shown:#}");
    assert_eq!(flow.writes(), writes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_was_not_granted_is_named() {
    let mut settings = postable(1, 5);
    settings.visma.granted_scopes.truncate(1);
    let flow = Flow::start(settings, stores::sqlite()).await;
    let (shown, status, _) = ping(&flow.folder).await;
    assert_eq!((shown["ok"].as_bool(), status), (Some(false), 1));
    let words = told(&shown, "company nordlys: sign-in");
    assert!(words.contains("scope"), "{words}");
}

/// A server of its own certificate: signed by nobody, for another name, expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let flow = Flow::start(postable(1, 5), stores::sqlite()).await;
    let path = flow.folder.join("ml-connector.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    for (name, is_fresh, is_trusted, words) in [
        ("localhost", true, false, "signed by nobody whom this machine trusts"),
        ("127.0.0.1", true, true, "is for another name"),
        ("localhost", false, true, "has expired"),
        ("localhost", true, true, "with a certificate that is trusted"),
    ] {
        let (server, port) = TlsServer::start(&flow.folder, is_fresh);
        let url = format!("base_url = \"https://{name}:{port}\"");
        let from = format!("base_url = \"{}\"", flow.sandbox.visma_url());
        std::fs::write(&path, good.replace(&from, &url)).unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        command.args(["--json", "ping", "--config"]).arg(&path);
        if is_trusted {
            command.env("SSL_CERT_FILE", &server.certificate);
        }
        let output = command.output().await.unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let checks = shown["checks"].as_array().unwrap();
        let check = checks.iter().find(|one| one["name"] == "company nordlys: reach base_url");
        let check = check.unwrap_or_else(|| panic!("{shown:#}"));
        assert!(check["detail"].as_str().unwrap().contains(words), "{words}: {check:#}");
    }
}

/// `openssl s_server` with a certificate for `localhost`: a fresh one, or one that ended in 2025 (this version of
/// openssl makes none that ended before it began).
struct TlsServer {
    child: std::process::Child,
    certificate: std::path::PathBuf,
}

impl TlsServer {
    fn start(folder: &Path, is_fresh: bool) -> (Self, u16) {
        use std::process::{Command, Stdio};
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
        let (key, certificate) = match is_fresh {
            true => (folder.join("tls.key"), folder.join("tls.crt")),
            false => (kept.join("expired.key"), kept.join("expired.crt")),
        };
        if is_fresh {
            Self::make(&key, &certificate);
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new("openssl")
            .args(["s_server", "-www", "-quiet", "-4", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is there");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        (Self { child, certificate }, port)
    }

    fn make(key: &Path, certificate: &Path) {
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-subj", "/CN=ml-connector test", "-days", "2"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(key)
            .arg("-out")
            .arg(certificate)
            .output()
            .expect("openssl is there");
        assert!(made.status.success(), "{made:?}");
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
