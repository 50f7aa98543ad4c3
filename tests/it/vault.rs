//! Credentials in the vault: a connection that has them nowhere else, secrets and master keys that are
//! changed while it runs, and everything that must stop a start.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector_sandbox::world::Kind;
use serde_json::{Value, json};
use sqlx::Connection;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const VISMA: &str = "sandbox-visma-secret";
const JAGGAER: &str = "sandbox-jaggaer-secret";
/// One key, in a file beside the configuration.
const ONE_KEY: &str = "[vault]\nkey = \"2025\"\n\
                       [[vault.master_key]]\nname = \"2025\"\nfile = \"2025.key\"\n\
                       [serve]\nlisten = \"none\"\n";
const BOTH_KEYS: &str = "[vault]\nkey = \"2026\"\n\
                         [[vault.master_key]]\nname = \"2025\"\nfile = \"2025.key\"\n\
                         [[vault.master_key]]\nname = \"2026\"\nenv = \"STORY_MASTER_KEY\"\n";
const NEW_KEY: &str = "[vault]\nkey = \"2026\"\n\
                       [[vault.master_key]]\nname = \"2026\"\ncommand = [\"cat\", \"2026 key\"]\n";

/// Writes the configuration anew, with its client secrets left out and a vault in their place.
fn configure(flow: &Flow, vault: &str) {
    let path = flow.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).expect("readable");
    let kept = text.split("[vault]").next().expect("something").to_owned();
    let kept: String = kept
        .lines()
        .filter(|line| !line.starts_with("client_secret"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, kept + vault).expect("writable");
}

/// A small world whose credentials are nowhere but in its vault.
async fn begin(test: stores::TestStore) -> Flow {
    let flow = Flow::start(postable(1, 6), test).await;
    configure(&flow, ONE_KEY);
    std::fs::remove_file(flow.folder.join("visma.secret")).expect("it was there");
    std::fs::remove_file(flow.folder.join("jaggaer.secret")).expect("it was there");
    let key = flow.folder.join("2025.key");
    let made = flow.run(&["secret", "new-key", key.to_str().expect("text")]).await;
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::metadata(&key).expect("made").permissions().mode() & 0o777, 0o600);
    flow
}

/// Runs the binary with something on its standard input; `env` beside what it has.
async fn run(folder: &Path, arguments: &[&str], input: &str, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.arg("--config").arg(folder.join("ml-connector.toml")).args(arguments);
    command.env("ML_CONNECTOR_LOG", "trace").envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    tokio::task::spawn_blocking(move || child.wait_with_output().expect("it ends"))
        .await
        .expect("it was waited for")
}

async fn set(flow: &Flow, name: &str, value: &str) -> Value {
    let output = run(&flow.folder, &["--json", "secret", "set", name], value, &[]).await;
    assert!(output.status.success(), "{name}: {output:?}");
    assert!(!told(&output).contains(value.trim()), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// All that a run said.
fn told(output: &Output) -> String {
    let words = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(words).expect("text")
}

/// The command fails as a wrong configuration does, and says these words.
async fn refused(flow: &Flow, arguments: &[&str], words: &[&str]) {
    let output = run(&flow.folder, arguments, "x", &[]).await;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{arguments:?}: `{word}` is missing in: {told}");
    }
}

async fn statement(flow: &Flow, sql: &'static str) {
    sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]).ok();
    let mut connection = sqlx::AnyConnection::connect(&flow.test.url).await.expect("it opens");
    let done = sqlx::query(sql).execute(&mut connection).await.expect("it runs");
    assert!(done.rows_affected() > 0, "{sql}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_runs_on_what_is_in_the_vault_alone() {
    for test in stores::both().await {
        let flow = begin(test).await;
        refused(&flow, &["sync"], &["ml-connector secret set", "company/nordlys"]).await;
        let stored = set(&flow, "source/jaggaer", &format!("{JAGGAER}\n")).await;
        assert_eq!(
            stored,
            json!({
                "name": "source/jaggaer", "version": 1, "master_key": "2025", "also_valid": [],
            })
        );
        let (listed, status) = flow.run_json(&["secret", "list"]).await;
        assert_eq!(status, 0);
        assert_eq!(
            listed["missing"],
            json!([{ "name": "company/nordlys", "for": "company `nordlys`" }])
        );
        let row = &listed["secrets"][0];
        assert_eq!((&row["name"], &row["version"]), (&json!("source/jaggaer"), &json!(1)));
        assert_eq!((&row["state"], &row["master_key"]), (&json!("current"), &json!("2025")));
        assert!(row["used"] == true && row["set_by"].is_string() && row["set_at"].is_string());
        set(&flow, "company/nordlys", VISMA).await;

        let (report, status) = flow.run_json(&["sync"]).await;
        assert_eq!((status, &report["errors"]), (0, &json!([])), "{report}");
        let (pinged, status) = flow.run_json(&["ping"]).await;
        assert_eq!((pinged["ok"].as_bool(), status), (Some(true), 0), "{pinged}");
        flow.assert_clean();
        assert!(!flow.to_post(Kind::PurchaseOrder).is_empty());

        // The trail says who and what, and is whole.
        let (verified, status) = flow.run_json(&["audit", "verify"]).await;
        assert_eq!(status, 0, "{verified}");
        let exported = told(&flow.run(&["audit", "export"]).await);
        let entries: Vec<&str> =
            exported.lines().filter(|line| line.contains("secret_set")).collect();
        assert_eq!(entries.len(), 2, "{exported}");
        assert!(entries.iter().all(|entry| entry.contains("\"vault\"")), "{entries:?}");
        assert!(!exported.contains(VISMA) && !exported.contains(JAGGAER));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_is_changed_without_a_round_that_cannot_sign_in() {
    for test in stores::both().await {
        let flow = begin(test).await;
        set(&flow, "source/jaggaer", JAGGAER).await;
        set(&flow, "company/nordlys", VISMA).await;
        // The new ones are in the vault before either side knows them.
        for name in ["company/nordlys", "source/jaggaer"] {
            let stored = set(&flow, name, "of-tomorrow-9f3c").await;
            assert_eq!((&stored["version"], &stored["also_valid"]), (&json!(2), &json!([1])));
        }
        let (report, status) = flow.run_json(&["sync"]).await;
        assert_eq!((status, &report["errors"]), (0, &json!([])), "{report}");
        flow.assert_clean();

        // A third would push one out, and nobody knows which.
        let output = run(&flow.folder, &["secret", "set", "company/nordlys"], "third", &[]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains("versions 1 and 2"), "{output:?}");

        // Retired, the old one is gone, and the new one is still unknown on the other side.
        let (retired, status) = flow.run_json(&["secret", "retire", "company/nordlys"]).await;
        assert_eq!((status, &retired["version"]), (0, &json!(1)));
        let (report, status) = flow.run_json(&["sync"]).await;
        let errors = report["errors"].to_string();
        assert!(status == 1 && errors.contains("refused the sign-in"), "{report}");

        // The last one goes only where that is said.
        let output = flow.run(&["secret", "retire", "company/nordlys"]).await;
        assert!(told(&output).contains("--version 2"), "{output:?}");
        let stored = set(&flow, "company/nordlys", VISMA).await;
        assert_eq!((&stored["version"], &stored["also_valid"]), (&json!(3), &json!([2])));
        let (_, status) =
            flow.run_json(&["secret", "retire", "company/nordlys", "--version", "2"]).await;
        assert_eq!(status, 0);
        let (report, status) = flow.run_json(&["sync"]).await;
        assert_eq!(status, 0, "{report}");
        let (listed, _) = flow.run_json(&["secret", "list"]).await;
        let states: Vec<(&str, i64, &str)> = listed["secrets"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().expect("text");
                (text("name"), row["version"].as_i64().expect("a number"), text("state"))
            })
            .collect();
        assert_eq!(
            states,
            [
                ("company/nordlys", 1, "retired"),
                ("company/nordlys", 2, "retired"),
                ("company/nordlys", 3, "current"),
                ("source/jaggaer", 1, "previous"),
                ("source/jaggaer", 2, "current"),
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_changed_and_may_be_interrupted_anywhere() {
    for test in stores::both().await {
        let flow = begin(test).await;
        set(&flow, "source/jaggaer", JAGGAER).await;
        set(&flow, "company/nordlys", VISMA).await;
        for n in 0..4 {
            set(&flow, &format!("further/{n}"), "something else").await;
        }
        let key = told(
            &Command::new(env!("CARGO_BIN_EXE_ml-connector"))
                .args(["secret", "new-key"])
                .output()
                .expect("it runs"),
        );
        std::fs::write(flow.folder.join("2026 key"), &key).expect("writable");
        let env = [("STORY_MASTER_KEY", key.trim())];

        // Without the old one it cannot begin, and nothing is touched.
        configure(&flow, NEW_KEY);
        refused(&flow, &["secret", "rotate"], &["`2025`", "secret rotate", "vault.master_key"])
            .await;
        refused(&flow, &["sync"], &["`2025`", "secret rotate", "vault.master_key"]).await;

        configure(&flow, BOTH_KEYS);
        let under = |listed: &Value, key: &str| {
            let rows = listed["secrets"].as_array().expect("a list").clone();
            rows.into_iter().filter(|row| row["master_key"] == key).count()
        };
        // Dead after the first row is durable, and in the middle of the second transaction after that.
        for (point, moved) in [("commit.durable:1", 1), ("audit.head_moved:2", 2)] {
            let killed = [env[0], ("ML_CONNECTOR_CRASH_AT", point)];
            let output = run(&flow.folder, &["secret", "rotate"], "", &killed).await;
            assert_eq!(output.status.code(), None, "killed at {point}: {output:?}");
            let (listed, _) = flow.run_json(&["secret", "list"]).await;
            assert_eq!((under(&listed, "2026"), under(&listed, "2025")), (moved, 6 - moved));
            // Half way, everything works.
            let output = run(&flow.folder, &["--json", "sync"], "", &env).await;
            assert!(output.status.success(), "{output:?}");
        }
        // Meanwhile a new value goes under the new key.
        let output = run(&flow.folder, &["secret", "set", "further/9"], "x", &env).await;
        assert!(output.status.success(), "{output:?}");

        let output = run(&flow.folder, &["--json", "secret", "rotate"], "", &env).await;
        let rotated: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            rotated,
            json!({
                "master_key": "2026", "moved": 4, "already": 3, "unused": ["2025"],
            })
        );
        // The old key may go, and nothing was lost.
        configure(&flow, NEW_KEY);
        std::fs::remove_file(flow.folder.join("2025.key")).expect("it was there");
        let (report, status) = flow.run_json(&["sync"]).await;
        assert_eq!(status, 0, "{report}");
        flow.assert_clean();
        let (verified, status) = flow.run_json(&["audit", "verify"]).await;
        assert_eq!(status, 0, "{verified}");
        let exported = told(&flow.run(&["audit", "export"]).await);
        let moved = exported.lines().filter(|line| line.contains("secret_rewrapped")).count();
        assert_eq!(moved, 6, "each once");
        assert!(!exported.contains(key.trim()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_open_stops_the_start_in_words() {
    for test in stores::both().await {
        let flow = begin(test).await;
        set(&flow, "source/jaggaer", JAGGAER).await;
        set(&flow, "company/nordlys", VISMA).await;
        let key = flow.folder.join("2025.key");
        let good = std::fs::read(&key).expect("readable");
        let mode = |mode| std::fs::set_permissions(&key, PermissionsExt::from_mode(mode));
        let everything: &[&[&str]] =
            &[&["sync"], &["serve"], &["ping"], &["secret", "set", "x"], &["secret", "rotate"]];

        mode(0o644).expect("ours");
        for verb in everything {
            refused(&flow, verb, &["`2025`", "chmod 600", "2025.key"]).await;
        }
        std::fs::remove_file(&key).expect("it was there");
        refused(&flow, &["sync"], &["`2025`", "2025.key", "No such file"]).await;
        std::fs::write(&key, "short\n").expect("writable");
        mode(0o600).expect("ours");
        refused(&flow, &["sync"], &["`2025`", "secret new-key"]).await;
        // A good key, but another one.
        std::fs::remove_file(&key).expect("it was there");
        assert!(
            flow.run(&["secret", "new-key", key.to_str().expect("text")]).await.status.success()
        );
        for verb in everything {
            refused(&flow, verb, &["`2025`", "does not open", "`source/jaggaer`"]).await;
        }
        // It is never written over.
        let output = flow.run(&["secret", "new-key", key.to_str().expect("text")]).await;
        assert!(output.status.code() == Some(1) && told(&output).contains("never written over"));
        std::fs::write(&key, good).expect("writable");

        // One row with all that is sealed in the other: it would open if it did not know its place.
        statement(
            &flow,
            "update secret set sealed = (select other.sealed from secret other \
             where other.name = 'company/nordlys'), wrapped_key = (select other.wrapped_key from \
             secret other where other.name = 'company/nordlys') where name = 'source/jaggaer'",
        )
        .await;
        for verb in everything {
            refused(&flow, verb, &["version 1 of `source/jaggaer`", "changed after it was stored"])
                .await;
        }
        // What it says to do helps.
        let (_, status) =
            flow.run_json(&["secret", "retire", "source/jaggaer", "--version", "1"]).await;
        assert_eq!(status, 0);
        set(&flow, "source/jaggaer", JAGGAER).await;
        let (report, status) = flow.run_json(&["sync"]).await;
        assert_eq!(status, 0, "{report}");

        configure(&flow, "");
        refused(&flow, &["sync"], &["source/jaggaer", "[vault]", "docs/vault.md"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_comes_from_standard_input_only() {
    let flow = begin(stores::sqlite()).await;
    let on_the_line = run(&flow.folder, &["secret", "set", "x", "value-9f3c"], "", &[]).await;
    assert_eq!(on_the_line.status.code(), Some(2));
    for (name, input, words) in [
        ("x", "", "empty"),
        ("x", "\n", "empty"),
        ("x", &"9f3c".repeat(20_000), "too large"),
        ("a\nb", "9f3c", "control characters"),
        ("", "9f3c", "1 to 100"),
    ] {
        let output = run(&flow.folder, &["secret", "set", name], input, &[]).await;
        let told = told(&output);
        assert!(output.status.code() == Some(2) && told.contains(words), "{told}");
        assert!(!told.contains("9f3c"), "{told}");
    }
    // A name that nothing uses is stored, and said.
    let output = run(&flow.folder, &["secret", "set", "sorce/jaggaer"], "x", &[]).await;
    let told = told(&output);
    assert!(output.status.success() && told.contains("company/nordlys, source/jaggaer"), "{told}");
}

/// Whoever serves has the file's lock and the connections' unit for days.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_set_beside_a_process_that_works_and_beside_each_other() {
    for test in stores::both().await {
        let flow = begin(test).await;
        let lock = flow.store.lock_file().expect("it can be locked").expect("nobody has it");
        let lease = 600_000_000;
        let owned = flow.store.take_ownership("no", "another:1", lease, false).await;
        assert!(owned.expect("the store works").is_some());
        let versions = futures_util::future::join_all(
            ["a value", "another value"].map(|value| set(&flow, "company/nordlys", value)),
        )
        .await;
        let mut versions: Vec<i64> =
            versions.iter().map(|row| row["version"].as_i64().expect("a number")).collect();
        versions.sort_unstable();
        assert_eq!(versions, [1, 2]);
        let (rotated, status) = flow.run_json(&["secret", "rotate"]).await;
        assert_eq!((status, &rotated["already"]), (0, &json!(2)));
        drop(lock);
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_no_image_of_the_memory() {
    let flow = begin(stores::sqlite()).await;
    set(&flow, "company/nordlys", "a value").await;
    let aborts = "ulimit -c unlimited 2>/dev/null; ML_CONNECTOR_CRASH_AT=commit.durable \
                  exec \"$0\" --config ml-connector.toml secret retire company/nordlys --version 1";
    let dies = |script: &str| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_ml-connector"));
        command.current_dir(&flow.folder).status().expect("it ran")
    };
    let status = dies(aborts);
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false), "{status:?}");
}
