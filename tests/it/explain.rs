//! Why it was decided so: from the versions of that time, whatever changed since.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::clock;
use ml_connector::store::DocumentState;
use ml_connector::sync::{ManualVerb, explain};
use ml_connector_sandbox::world::Kind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_decision_is_made_again_after_everything_changed() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(41, 15), test).await;
        let rules = &mut flow.config.connections[0].rules;
        rules.mapping.terms.table.remove("NET30");
        rules.mapping.terms.table.remove("Net 30");
        flow.sync().await;
        let noon = clock::now();
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        let first = flow.document(&id).await;

        // Another mapping, and what it lets go is posted with it.
        let rules = &mut flow.config.connections[0].rules;
        rules.mapping.terms.table.insert("NET30".into(), "30".into());
        rules.mapping.terms.table.insert("Net 30".into(), "30".into());
        let vat = &mut rules.mapping.vat.table;
        vat.insert("NO-25".into(), "K15".into());
        flow.sync().await;
        if first.state == DocumentState::Posted {
            flow.ask(ManualVerb::Replay, &id).await;
        }
        let (mut decisions, mut changed) = (0, 0);
        for document in flow.documents().await {
            for row in flow.store.decisions_of(&document.id).await.unwrap() {
                let explained = explain(&flow.store, &flow.config, &document, row.decided_at)
                    .await
                    .unwrap()
                    .expect("one was in force");
                assert_eq!(explained.decision.n, row.n);
                assert!(explained.is_the_same(), "{:?} {:?}", row.n, explained.differences);
                decisions += 1;
            }
            let then = explain(&flow.store, &flow.config, &document, noon).await.unwrap();
            let now = explain(&flow.store, &flow.config, &document, i64::MAX).await.unwrap();
            let (Some(then), Some(now)) = (then, now) else { panic!("all were decided by noon") };
            changed += usize::from(then.decision.n != now.decision.n);
        }
        assert!(decisions > 30 && changed > 0, "{decisions} decisions, {changed} changed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chain_from_code_to_value_is_told_as_of_a_day() {
    let mut flow = Flow::start(postable(42, 10), stores::sqlite()).await;
    flow.sync().await;
    let id = flow.to_post(Kind::SupplierInvoice).remove(0);
    let document = flow.document(&id).await;
    let before = clock::rfc3339(clock::now());
    flow.config.connections[0].rules.mapping.branches.table.insert("NORDLYS-NO".into(), "2".into());
    flow.config.connections[0]
        .rules
        .mapping
        .branches
        .table
        .insert("NORDLYS-NO2".into(), "1".into());
    flow.ask(ManualVerb::Replay, &id).await;

    let branch = async |arguments: &[&str]| {
        let (told, status) = flow.run_json(&[&["explain", &document.id], arguments].concat()).await;
        assert_eq!((told["same"].as_bool(), status), (Some(true), 0), "{told}");
        let all = told["derivations"].as_array().expect("a list").clone();
        let of = |what: &str| all.iter().find(|one| one["of"].as_str().unwrap().ends_with(what));
        assert!(of("account").is_some() && of("VAT category").is_some(), "{told}");
        assert!(of("supplier").is_some() && of("segment 1").is_some(), "{told}");
        of("branch").expect("a branch").clone()
    };
    let (then, now) = (branch(&["--as-of", &before]).await, branch(&[]).await);
    let value = |of: &serde_json::Value| of["value"].as_str().unwrap().to_owned();
    assert_ne!(value(&then), value(&now));
    for of in [&then, &now] {
        let source = of["source"].as_str().unwrap().strip_prefix("business unit ").unwrap();
        assert_eq!(of["rule"], format!("mapping.branches: {source} = {}", value(of)));
    }
    let (told, status) = flow.run_json(&["explain", &document.id, "--as-of", "2020-01-01"]).await;
    assert_eq!(status, 1);
    assert!(told["error"].as_str().unwrap().contains("nothing was decided"), "{told}");
}
