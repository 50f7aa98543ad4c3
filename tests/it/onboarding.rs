//! From nothing but addresses and credentials to documents in Visma, as somebody who follows
//! `docs/onboarding.md` does it, in each of the three forms of JAGGAER's API.

use crate::stores;
use ml_connector_sandbox::{Sandbox, Settings, jaggaer, world};
use serde_json::Value;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";

struct Newcomer {
    sandbox: Sandbox,
    folder: PathBuf,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Newcomer {
    async fn arrive(profile: jaggaer::Profile) -> Self {
        let settings = Settings {
            world: world::Settings { documents: 20, ..world::Settings::default() },
            profile,
            ..Settings::default()
        };
        let sandbox = Sandbox::start(settings).await.expect("it listens");
        let folder = std::env::temp_dir().join(stores::unique("ml_connector_newcomer"));
        std::fs::create_dir_all(&folder).unwrap();
        Self { sandbox, folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.join("ml-connector.toml")
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        command
            .args(["--json", "--config"])
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        // The sandbox lives in this process and must go on answering.
        tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("the program starts");
            // A command that asks nothing may have ended already.
            let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
            child.wait_with_output().expect("it ends")
        })
        .await
        .unwrap()
    }

    async fn init(&self, more: &[&str]) -> Output {
        let (jaggaer, visma) = (self.sandbox.jaggaer_url(), self.sandbox.visma_url());
        let token = format!("{visma}/connect/token");
        let flags = [
            "init",
            "--jaggaer-url",
            &jaggaer,
            "--jaggaer-client-id",
            "sandbox-jaggaer",
            "--visma-client-id",
            "sandbox-visma",
            "--tenant-id",
            TENANT,
            "--visma-url",
            &visma,
            "--visma-token-url",
            &token,
            "--company",
            "nordlys",
            "--take-from",
            "2026-09-01",
        ];
        self.run(&[&flags[..], more].concat(), "").await
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_credentials_to_a_first_round_in_each_form() {
    for profile in
        [jaggaer::Profile::Default, jaggaer::Profile::Observed, jaggaer::Profile::Alternate]
    {
        let new = Newcomer::arrive(profile).await;
        let token = new.sandbox.jaggaer_token_url();
        let more: Vec<&str> = match profile {
            jaggaer::Profile::Default => vec!["--profile", "default"],
            jaggaer::Profile::Observed => vec!["--profile", "observed"],
            jaggaer::Profile::Alternate => {
                let text = include_str!("../../profiles/alternate.toml");
                std::fs::write(new.folder.join("mine.toml"), text).unwrap();
                vec![
                    "--profile",
                    "mine.toml",
                    "--jaggaer-token-url",
                    &token,
                    "--jaggaer-auth",
                    "basic",
                    "--jaggaer-scope",
                    "erp.read erp.write",
                    "--jaggaer-header",
                    "X-Tenant=nordlys",
                ]
            }
        };
        let output = new.init(&more).await;
        assert_eq!(output.status.code(), Some(0), "{profile:?}: {output:?}");
        assert_eq!(mode(&new.config()), 0o600);
        let next = json(&output)["next"].to_string();
        for word in ["new-key", "secret set source/jaggaer", "secret set company/nordlys", "ping"] {
            assert!(next.contains(word), "{next}");
        }

        // Before the secrets are there, ping says how to give them.
        let key = new.folder.join("master.key");
        let key = key.to_str().unwrap();
        assert_eq!(new.run(&["secret", "new-key", key], "").await.status.code(), Some(0));
        let output = new.run(&["ping"], "").await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(json(&output).to_string().contains("secret set 'source/jaggaer'"), "{output:?}");

        for (name, secret) in [
            ("source/jaggaer", "sandbox-jaggaer-secret\n"),
            ("company/nordlys", "sandbox-visma-secret\n"),
        ] {
            let output = new.run(&["secret", "set", name], secret).await;
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
        let output = new.run(&["ping"], "").await;
        assert_eq!(output.status.code(), Some(0), "{profile:?}: {:#}", json(&output));

        // Nothing is mapped yet beside the accounts: everything is held with a reason, nothing is guessed.
        let output = new.run(&["sync"], "").await;
        assert_eq!(output.status.code(), Some(3), "{profile:?}: {output:?}");
        let report = json(&output);
        assert!(report["received"].as_u64().unwrap() >= 40, "{report:#}");
        assert!(report["held"].as_u64().unwrap() > 0, "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_never_written_over_and_nothing_wrong_is_written() {
    let new = Newcomer::arrive(jaggaer::Profile::Default).await;
    // Without a terminal, what is missing is named by its flag.
    let output = new.run(&["init", "--jaggaer-client-id", "me"], "").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for flag in ["--jaggaer-url", "--visma-client-id", "--tenant-id", "--take-from"] {
        assert!(told.contains(flag), "{flag} is missing in: {told}");
    }
    assert!(!told.contains("--store") && !new.config().exists(), "{told}");

    for (more, word) in [
        (&["--profile", "nowhere.toml"][..], "nowhere.toml"),
        (&["--profile", "mine"], "mine"),
        (&["--jaggaer-auth", "magic"], "--jaggaer-auth"),
        (&["--time-zone", "Oslo"], "--time-zone"),
        (&["--secrets", "here"], "--secrets"),
        (&["--jaggaer-header", "X-Tenant"], "--jaggaer-header"),
    ] {
        let output = new.init(more).await;
        assert_eq!(output.status.code(), Some(2), "{more:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{more:?}: {output:?}");
        assert!(!new.config().exists(), "{more:?}");
    }

    std::fs::write(new.config(), "precious").unwrap();
    let output = new.init(&[]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(std::fs::read_to_string(new.config()).unwrap(), "precious");
}
