//! A past month under other rules: every difference, and nothing written anywhere.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::procurement::DocumentKind;
use ml_connector::store::DocumentState;
use ml_connector::sync::{Basis, Selection, rehearse_many};
use std::collections::{BTreeMap, BTreeSet};

/// The audit heads, and all that was decided: what a rehearsal must leave as it is.
async fn traces(flow: &Flow) -> Vec<String> {
    let mut traces = Vec::new();
    for row in flow.store.ownerships().await.unwrap() {
        traces.push(format!("{} {} {}", row.unit, row.head_seq, row.head_hash));
    }
    for document in flow.documents().await {
        let decisions = flow.store.decisions_of(&document.id).await.unwrap().len();
        traces.push(format!("{} {decisions} {:?}", document.id, document));
    }
    traces
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_under_other_rules_lists_every_difference_and_writes_nothing() {
    for test in stores::both().await {
        let flow = Flow::start(postable(51, 25), test).await;
        flow.sync().await;
        let mut months: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for document in flow.documents().await {
            let month = document.document_on.as_deref().expect("dated")[..7].to_owned();
            months.entry(month).or_default().insert(document.id);
        }
        let (month, ids) = months.iter().max_by_key(|(_, ids)| ids.len()).expect("a month");
        let (before, writes) = (traces(&flow).await, flow.writes());

        // The rules in force: as it was decided, with what was known then.
        let (same, status) = flow.run_json(&["rehearse", "--period", month]).await;
        assert_eq!(status, 0, "{same}");
        assert_eq!(same["documents"], ids.len());
        assert_eq!(same["differences"].as_array().unwrap().len(), 0, "{same}");

        // One branch renamed: exactly the documents of that branch, and the rest as they were.
        let path = flow.folder.join("ml-connector.toml");
        let other = flow.folder.join("other.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&other, text.replace("NORDLYS-NO = \"1\"", "NORDLYS-NO = \"2\"")).unwrap();
        let mut expected = BTreeSet::new();
        for document in flow.documents().await {
            let plan = document.applied_plan.as_deref().unwrap_or_default();
            if ids.contains(&document.id) && plan.contains("\"branch\":\"1\"") {
                expected.insert(document.id);
            }
        }
        assert!(!expected.is_empty() && expected.len() < ids.len());
        let with = other.to_str().unwrap();
        for reference in ["then", "now"] {
            let arguments =
                ["rehearse", "--period", month, "--with", with, "--reference", reference];
            let (told, status) = flow.run_json(&arguments).await;
            assert_eq!(status, 0, "{told}");
            let mut found = BTreeSet::new();
            for of in told["differences"].as_array().unwrap() {
                let lines = of["by_the_rules"].as_array().unwrap();
                assert!(!lines.is_empty(), "{of}");
                for line in lines {
                    assert!(line.as_str().unwrap().contains("branch: \"1\" -> \"2\""), "{of}");
                }
                found.insert(of["document"].as_str().unwrap().to_owned());
            }
            assert_eq!(found, expected, "{reference}");
        }

        assert_eq!((traces(&flow).await, flow.writes()), (before, writes));
        let (told, status) = flow.run_json(&["rehearse", "--period", "2026-13"]).await;
        assert_eq!(status, 2, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_mapping_is_previewed_in_both_directions() {
    let mut flow = Flow::start(postable(52, 70), stores::sqlite()).await;
    flow.config.connections[0].rules.mapping.vat.table.remove("NO-15");
    flow.sync().await;
    let mut other = flow.config.connections[0].rules.clone();
    other.mapping.vat.table.insert("NO-15".into(), "K15".into());
    other.mapping.branches.table.remove("NORDLYS-NO2");
    let replaced = BTreeMap::from([("no".to_owned(), other)]);
    let all = Selection::default();
    let now = Basis::Now;
    let compared = rehearse_many(&flow.store, &flow.config, &replaced, &all, now).await.unwrap();
    assert_eq!(compared.len(), flow.documents().await.len());
    for of in &compared {
        let was = of.document.state;
        assert!(!of.is_let_go() || matches!(was, DocumentState::Held | DocumentState::Waiting));
        assert!(!of.is_stopped() || was == DocumentState::Posted);
        assert_eq!(of.is_stopped(), of.is_stopped() && !of.by_the_rules().is_empty());
    }
    let count = |of: fn(&ml_connector::sync::Comparison) -> bool| {
        compared.iter().filter(|one| of(one)).count()
    };
    assert!(count(ml_connector::sync::Comparison::is_let_go) > 0);
    assert!(count(ml_connector::sync::Comparison::is_stopped) > 0);
    // Without other rules nothing differs.
    let same = rehearse_many(&flow.store, &flow.config, &BTreeMap::new(), &all, now).await.unwrap();
    assert!(same.iter().all(|of| of.by_the_rules().is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_takes_many_by_a_filter_and_posts_only_what_is_missing() {
    let mut flow = Flow::start(postable(53, 15), stores::sqlite()).await;
    flow.config.connections[0].rules.mapping.vat.table.remove("NO-25");
    flow.sync().await;
    let writes = flow.writes();
    // The file has the whole mapping: what is held for that code is posted, once.
    let held = flow.documents().await.iter().filter(|of| of.state == DocumentState::Held).count();
    assert!(held > 1);
    let filter = ["replay", "--filter", "state=held,code=vat_not_mapped"];
    let (done, status) = flow.run_json(&filter).await;
    assert_eq!(status, 0, "{done}");
    assert!(done["documents"].as_array().unwrap().iter().all(|of| of["state"] == "posted"));
    assert!(flow.writes() > writes);
    flow.sync().await;
    flow.assert_clean();

    let writes = flow.writes();
    let (again, status) =
        flow.run_json(&["replay", "--filter", "state=posted,kind=supplier_invoice"]).await;
    assert_eq!(status, 0);
    let again = again["documents"].as_array().unwrap();
    let posted =
        flow.documents().await.into_iter().filter(|of| {
            of.state == DocumentState::Posted && of.kind == DocumentKind::SupplierInvoice
        });
    assert_eq!(again.len(), posted.count());
    for of in again {
        assert_eq!(
            (of["asked"].as_bool(), of["differences"].as_array().unwrap().len()),
            (Some(false), 0)
        );
    }
    assert_eq!(flow.writes(), writes);
    let (_, status) = flow.run_json(&["replay", "--filter", "state=nowhere"]).await;
    assert_eq!(status, 2);
}
