//! Holds that go away: by themselves when their cause is gone, and by the word of a person who may
//! say it.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::{DocumentFilter, DocumentRow, DocumentState};
use ml_connector::sync::{ManualVerb, SetAside, ask_to_set_aside};
use ml_connector_sandbox::world::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// The account that the tests run as, by the system's own word.
fn account() -> String {
    let answer = std::process::Command::new("id").arg("-un").output().expect("`id` runs");
    String::from_utf8(answer.stdout).expect("a name").trim().to_owned()
}

async fn in_state(flow: &Flow, state: DocumentState) -> Vec<DocumentRow> {
    let filter = DocumentFilter { state: Some(state), ..DocumentFilter::default() };
    flow.store.documents(&filter).await.expect("the store reads")
}

/// The accounts that documents are held for, each with its documents.
async fn unmapped(flow: &Flow) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for hold in flow.store.holds().await.unwrap() {
        assert_eq!(hold.code, "account_not_mapped", "{}", hold.text);
        let after = hold.text.split("JAGGAER's account ").nth(1).expect("names the account");
        let account: String = after.chars().take_while(char::is_ascii_digit).collect();
        found.entry(account).or_default().insert(hold.document);
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_one_mapping_is_posted_when_it_is_there() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(31, 60), test).await;
        let rules = |flow: &mut Flow, known: &[&String]| {
            let accounts = &mut flow.config.connections[0].rules.mapping.accounts;
            accounts.same_code = false;
            accounts.table = known.iter().map(|code| ((*code).clone(), (*code).clone())).collect();
        };
        rules(&mut flow, &[]);
        flow.sync().await;
        let all = unmapped(&flow).await;
        let most = all.iter().max_by_key(|(_, documents)| documents.len()).expect("several");
        let (one, _) = most;

        // All but one mapped: what needs only the others goes on, the rest stays and says less.
        rules(&mut flow, &all.keys().filter(|code| *code != one).collect::<Vec<_>>());
        let posted = flow.sync().await.totals.posted;
        let left = unmapped(&flow).await;
        assert_eq!(left.keys().collect::<Vec<_>>(), [one]);
        let held = in_state(&flow, DocumentState::Held).await;
        assert!(held.len() >= 30 && posted > 0, "{} held, {posted} posted", held.len());

        // Nothing changed: no trace in the trail, no decision, no write.
        let before = (flow.actions(&held[0].source_id).await, flow.writes());
        let decisions = flow.store.decisions_of(&held[0].id).await.unwrap().len();
        flow.sync().await;
        flow.sync().await;
        assert_eq!((flow.actions(&held[0].source_id).await, flow.writes()), before);
        assert_eq!(flow.store.decisions_of(&held[0].id).await.unwrap().len(), decisions);

        // The last one mapped: all are posted by the next round, and nobody released any.
        rules(&mut flow, &all.keys().collect::<Vec<_>>());
        let report = flow.sync().await;
        assert_eq!((report.totals.held, report.totals.in_flight), (0, 0));
        for document in &held {
            let actions = flow.actions(&document.source_id).await;
            assert!(!actions.iter().any(|action| action == "release"), "{actions:?}");
        }
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_person_waits_for_that_person() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(32, 12), test).await;
        let world = std::sync::Arc::clone(flow.sandbox.world());
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        world.edit_invoice(&id, |paper| {
            paper.due_on = Some(paper.invoiced_on.yesterday().expect("a day"));
        });
        flow.config.connections[0].rules.mapping.accounts.same_code = false;
        flow.sync().await;
        let both = BTreeSet::from(["account_not_mapped".to_owned(), "due_before_invoice".into()]);
        assert_eq!(flow.codes(&id).await.into_iter().collect::<BTreeSet<_>>(), both);

        // The mapping is the cause of one of them only.
        flow.config.connections[0].rules.mapping.accounts.same_code = true;
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["due_before_invoice"]);
        let others = in_state(&flow, DocumentState::Held).await;
        assert_eq!(others.len(), 1, "{others:?}");
        let document = flow.document(&id).await;
        let hold = flow.holds(&id).await.remove(0);

        let release = ["release", &document.id, "--override", "due_before_invoice"];
        let because = ["--reason", "the supplier gives no credit"];
        // Without a reason; without a role; a role that an environment variable claims.
        let (_, status) = flow.run_json(&release).await;
        assert_eq!(status, 2);
        let asked = [&release[..], &because[..]].concat();
        let (refused, status) = flow.run_json(&asked).await;
        let text = refused["error"].as_str().unwrap();
        assert!(text.contains("[roles]") && text.contains(&format!("ap = [\"{}\"]", account())));
        assert_eq!(status, 1, "{refused}");
        let path = flow.folder.join("ml-connector.toml");
        let plain = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("[roles]\nap = [\"anna\"]\n{plain}")).unwrap();
        let mut claimed = std::process::Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        claimed.arg("--config").arg(&path).args(&asked).env("USER", "anna").env("LOGNAME", "anna");
        let claimed = tokio::task::spawn_blocking(move || claimed.output()).await.unwrap().unwrap();
        assert_eq!(claimed.status.code(), Some(1));
        assert_eq!(flow.state(&id).await, DocumentState::Held);

        // The owner judges the request too, whoever put it: roles, and the words of the hold.
        let words = |text: &str| {
            vec![SetAside { code: "due_before_invoice".into(), text: text.to_owned() }]
        };
        flow.config.roles.ap = vec!["anna".into()];
        for (actor, text, why) in [
            ("bo", hold.text.as_str(), "no such role"),
            ("anna", "Due on another day.", "not held by"),
        ] {
            let request =
                ask_to_set_aside(&flow.store, "no", &document.id, actor, "so", words(text));
            let request = request.await.unwrap();
            flow.sync().await;
            let result = flow.store.request_result(&request.id).await.unwrap().unwrap();
            assert!(result.starts_with("not done") && result.contains(why), "{result}");
            assert_eq!(flow.state(&id).await, DocumentState::Held);
        }
        assert_eq!(flow.store.overrides_of(&document.id).await.unwrap(), []);

        // Who may, may: exactly this hold, told in the trail and with the decision.
        std::fs::write(&path, format!("[roles]\nap = [\"{}\"]\n{plain}", account())).unwrap();
        let none = ["release", &document.id, "--override", "account_not_mapped", "--reason", "x"];
        let (refused, status) = flow.run_json(&none).await;
        assert!(refused["error"].as_str().unwrap().contains("by anybody"), "{refused}");
        assert_eq!(status, 1);
        let nonsense = ["release", &document.id, "--override", "NONSENSE", "--reason", "x"];
        let (refused, status) = flow.run_json(&nonsense).await;
        assert!(refused["error"].as_str().unwrap().contains("is no code"), "{refused}");
        assert_eq!(status, 2, "a typing error is wrong usage");
        let (done, status) = flow.run_json(&asked).await;
        assert_eq!((done["state"].as_str(), status), (Some("posted"), 0), "{done}");
        let trail = flow.store.audit_of(&document.id).await.unwrap();
        let said = trail.iter().find(|entry| entry.entry.action == "override").unwrap();
        assert_eq!(said.entry.actor, account());
        assert!(said.entry.detail.contains("gives no credit"), "{}", said.entry.detail);
        // The trail keeps no whole account numbers; the hash proves which sentence it was.
        let hash = ml_connector::audit::hash_text(&hold.text);
        assert!(said.entry.detail.contains(&hash), "{}", said.entry.detail);
        let (shown, _) = flow.run_json(&["documents", "show", &document.id]).await;
        let shown = &shown["documents"][0];
        assert_eq!(shown["overrides"][0]["text"], hold.text.as_str());
        assert_eq!(shown["decision"]["overridden"][0]["code"], "due_before_invoice");

        // Other facts are another hold.
        world.edit_invoice(&id, |paper| {
            let day = paper.invoiced_on.yesterday().and_then(|day| day.yesterday());
            paper.due_on = Some(day.expect("a day"));
        });
        flow.sync().await;
        assert_eq!(flow.codes(&id).await, ["due_before_invoice"]);
        assert_ne!(flow.holds(&id).await[0].text, hold.text);
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_are_listed_with_who_can_help_and_sums() {
    let mut flow = Flow::start(postable(33, 12), stores::sqlite()).await;
    flow.config.connections[0].rules.mapping.accounts.same_code = false;
    flow.sync().await;
    let held = in_state(&flow, DocumentState::Held).await;
    assert!(!held.is_empty());
    let (all, status) = flow.run_json(&["hold", "list"]).await;
    assert_eq!(status, 0);
    for hold in all["holds"].as_array().unwrap() {
        assert_eq!(hold["who"], "Integration");
        assert_eq!(hold["clears_with"], "the mapping");
        assert!(hold["override_by"].is_null());
    }
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for document in &held {
        *sums.entry(document.currency.as_deref().unwrap()).or_default() +=
            document.amount_minor.unwrap();
    }
    for sum in all["sums"].as_array().unwrap() {
        let minor = sum["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        assert_eq!(sums.remove(sum["currency"].as_str().unwrap()), Some(minor), "{sum}");
    }
    assert!(sums.is_empty(), "{sums:?}");
    for (filter, is_empty) in [
        (["--code", "account_not_mapped"], false),
        (["--code", "duplicate"], true),
        (["--who", "integration"], false),
        (["--who", "ap"], true),
    ] {
        let (list, _) = flow.run_json(&[&["hold", "list"], &filter[..]].concat()).await;
        assert_eq!(list["holds"].as_array().unwrap().is_empty(), is_empty, "{filter:?}");
    }
    let (catalogue, _) = flow.run_json(&["hold", "catalogue"]).await;
    let codes = catalogue["codes"].as_array().unwrap();
    assert_eq!(codes.len(), ml_connector::decide::catalogue().len());
    assert!(codes.iter().all(|code| code["means"].is_string() && code["who"].is_string()));
    // A round with another document of the same cause releases nothing by the way.
    flow.ask(ManualVerb::Release, &held[0].source_id).await;
    assert_eq!(flow.state(&held[0].source_id).await, DocumentState::Held);
}
