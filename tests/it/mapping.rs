//! A person keeps the mapping as CSV: what it would change is shown first, then it is kept, and the
//! next round works by it.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::config::Config;
use ml_connector::store::DocumentState;
use serde_json::Value;
use std::fmt::Write;

/// A flow whose configuration maps no account at all.
async fn without_accounts(test: stores::TestStore) -> Flow {
    let mut flow = Flow::start(postable(11, 6), test).await;
    let path = flow.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let accounts = "[connection.mapping.accounts]\nsame_code = ";
    let text = text.replace(&format!("{accounts}true"), &format!("{accounts}false"));
    std::fs::write(&path, text).unwrap();
    flow.config = Config::load(&path).unwrap();
    assert!(!flow.config.connections[0].rules.mapping.accounts.same_code);
    flow
}

async fn count(flow: &Flow, state: DocumentState) -> usize {
    flow.documents().await.iter().filter(|document| document.state == state).count()
}

/// As a Nordic spreadsheet saves it, with an empty row in it.
fn spreadsheet(codes: &[(String, String)]) -> String {
    let mut text = "\u{feff}jaggaer;visma;note\r\n;;\r\n".to_owned();
    for (code, value) in codes {
        write!(text, "{code};{value};\"as \"\"suggested\"\"\"\r\n").unwrap();
    }
    text
}

fn length(of: &Value) -> usize {
    of.as_array().unwrap_or_else(|| panic!("a list: {of}")).len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_mapping_releases_what_it_said_it_would() {
    for test in stores::both().await {
        let flow = without_accounts(test).await;
        flow.sync().await;
        let held = count(&flow, DocumentState::Held).await;
        assert!(held >= 6, "{held}");
        let writes = flow.writes();

        // What could the codes mean?
        let (suggested, status) = flow.run_json(&["mapping", "suggest"]).await;
        assert_eq!(status, 0);
        let mut codes: Vec<(String, String)> = suggested["codes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| {
                assert_eq!(of["table"], "accounts", "{of}");
                let likeliest = of["suggestions"][0]["value"].as_str().unwrap();
                (of["code"].as_str().unwrap().to_owned(), likeliest.to_owned())
            })
            .collect();
        // These are Visma's own numbers, so the likeliest is the same.
        assert!(codes.len() > 1 && codes.iter().all(|(code, value)| code == value), "{codes:?}");

        // All but one of them, looked at and not kept.
        let last = codes.pop().unwrap();
        let file = flow.folder.join("accounts.csv");
        std::fs::write(&file, spreadsheet(&codes)).unwrap();
        let file = file.to_str().unwrap();
        let (shown, status) = flow.run_json(&["mapping", "import", file]).await;
        assert_eq!((shown["applied"].as_bool(), status), (Some(false), 0), "{shown}");
        assert_eq!(shown["decided_again"]["open"].as_u64(), Some(shown_open(&flow).await));
        assert_eq!(shown["rows"].as_u64(), Some(codes.len() as u64));
        let releases = length(&shown["would_release"]);
        assert!(releases > 0 && releases < held, "{shown}");
        assert_eq!(length(&shown["would_hold"]), 0);
        flow.sync().await;
        assert_eq!(count(&flow, DocumentState::Held).await, held);
        assert_eq!(flow.writes(), writes, "a preview changes nothing");

        // Kept, with a reason.
        let (refused, status) = flow.run_json(&["mapping", "import", file, "--apply"]).await;
        assert_eq!(status, 2, "{refused}");
        let import = ["mapping", "import", file, "--apply", "--reason", "the chart of 2026"];
        let (kept, status) = flow.run_json(&import).await;
        assert_eq!((kept["version"].as_i64(), status), (Some(1), 0), "{kept}");
        flow.sync_to_the_end().await;
        assert_eq!(count(&flow, DocumentState::Held).await, held - releases);

        // The last one: exactly what is held is released, and everything is posted.
        let left = count(&flow, DocumentState::Held).await;
        codes.push(last);
        std::fs::write(file, spreadsheet(&codes)).unwrap();
        let (kept, _) = flow.run_json(&import).await;
        assert_eq!(kept["version"], 2);
        assert_eq!(length(&kept["would_release"]), left);
        assert_eq!(length(&kept["would_have_posted_otherwise"]), 0);
        flow.sync_to_the_end().await;
        assert_eq!(count(&flow, DocumentState::Held).await, 0);
        flow.assert_clean();

        // The trail tells who brought what into force, and it holds.
        let (history, _) = flow.run_json(&["mapping", "history"]).await;
        let versions = history["versions"].as_array().unwrap();
        assert_eq!(versions.len(), 2);
        assert!(versions.iter().all(|of| of["in_force_at"].is_string()), "{history}");
        assert_eq!(versions[1]["counts"], true);
        let trail = flow.store.audit_page("no", 0, 10_000).await.unwrap();
        let imported: Vec<&str> = trail
            .iter()
            .filter(|entry| entry.entry.action == "mapping")
            .map(|entry| entry.entry.detail.as_str())
            .collect();
        assert_eq!(imported.len(), 2);
        assert!(imported[0].contains("the chart of 2026"), "{imported:?}");
        let (verified, status) = flow.run_json(&["audit", "verify"]).await;
        assert_eq!((verified["ok"].as_bool(), status), (Some(true), 0));
    }
}

/// What is not posted and was read: the waiting documents are decided again too.
async fn shown_open(flow: &Flow) -> u64 {
    let mut open = 0;
    for state in [DocumentState::Held, DocumentState::Waiting, DocumentState::Ready] {
        open += count(flow, state).await;
    }
    u64::try_from(open).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coding_table_shows_what_it_would_have_booked_otherwise() {
    for test in stores::both().await {
        let flow = Flow::start(postable(12, 6), test).await;
        flow.sync_to_the_end().await;
        let posted = count(&flow, DocumentState::Posted).await;
        let writes = flow.writes();
        let coding = flow.folder.join("coding.csv");
        let path = coding.to_str().unwrap();

        // A table that could mean two things is not taken, and both rows are named.
        std::fs::write(&coding, "when:amount,then:account\n0..,7770\n..100,6540\n").unwrap();
        let (refused, status) = flow.run_json(&["mapping", "import", path]).await;
        assert_eq!(status, 1);
        let fault = refused["error"].as_str().unwrap();
        assert!(fault.contains("coding.csv: row 3, row 2 fits as well"), "{fault}");
        assert!(fault.contains("when:amount = 0"), "{fault}");

        // One that books everything on freight.
        std::fs::write(&coding, "then:account;note\n7770;all of it\n").unwrap();
        let (shown, status) = flow.run_json(&["mapping", "import", path]).await;
        assert_eq!(status, 0, "{shown}");
        let otherwise = &shown["would_have_posted_otherwise"];
        assert_eq!((length(otherwise), posted), (posted, length(otherwise)));
        let difference = otherwise[0]["differences"][0].as_str().unwrap();
        assert!(difference.ends_with("-> \"7770\""), "{difference}");

        // Kept, it books what comes from now on, and nothing that stands.
        let because = ["--apply", "--reason", "only freight"];
        flow.run_json(&[&["mapping", "import", path], &because[..]].concat()).await;
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        let (exported, _) = flow.run_json(&["mapping", "export", "--comma"]).await;
        assert_eq!(exported["csv"], "then:account,note\r\n7770,all of it\r\n");
        let id = &flow.to_post(ml_connector_sandbox::world::Kind::SupplierInvoice)[0];
        let (replayed, _) = flow.run_json(&["replay", &flow.document(id).await.id]).await;
        assert!(length(&replayed["differences"]) > 0, "{replayed}");

        // And back to the configuration.
        let restore = [&["mapping", "restore", "coding", "0"], &because[..]].concat();
        let (restored, status) = flow.run_json(&restore).await;
        assert_eq!((restored["version"].as_i64(), status), (Some(2), 0), "{restored}");
        let (replayed, _) = flow.run_json(&["replay", &flow.document(id).await.id]).await;
        assert_eq!(length(&replayed["differences"]), 0, "{replayed}");
        flow.sync().await;
        flow.assert_clean();
        flow.assert_trail().await;
    }
}
