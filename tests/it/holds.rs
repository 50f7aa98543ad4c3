//! Documents that a person must look at: all of them, no others, in words that say what to do.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::decide::catalogue;
use ml_connector::store::DocumentState;
use ml_connector::sync::ManualVerb;
use ml_connector_sandbox::world::{Fate, Kind};
use ml_connector_sandbox::{Settings, jaggaer, world};
use std::collections::{BTreeMap, BTreeSet};

/// Every kind of fault at least twice on invoices and once on orders.
fn troubled(seed: u64) -> Settings {
    Settings {
        world: world::Settings {
            seed,
            documents: 120,
            held_per_mille: 400,
            ..world::Settings::default()
        },
        ..Settings::default()
    }
}

/// Every plant of the world.
fn planted(flow: &Flow) -> BTreeSet<&'static str> {
    flow.sandbox.report().planted_holds.iter().map(|plant| plant.code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_fault_is_held_and_nothing_else_is() {
    for test in stores::both().await {
        for profile in
            [jaggaer::Profile::Default, jaggaer::Profile::Observed, jaggaer::Profile::Alternate]
        {
            let settings = Settings { profile, ..troubled(1) };
            let flow = Flow::start(settings, stores::another(&test).await).await;
            assert_eq!(planted(&flow).len(), 22);
            let report = flow.sync().await;
            // Bad documents stop no others: everything else stands in Visma.
            flow.assert_clean();
            assert_eq!(flow.wrongly_held().await, Vec::<String>::new(), "{profile:?}");
            assert_eq!(report.totals.held, 48 + 24);
            assert_eq!(report.totals.in_flight, 0);
            flow.assert_trail().await;
        }
    }
}

/// Whole sentences with the numbers, no debris of the program's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_reads_well_and_says_what_to_do() {
    let flow = Flow::start(troubled(2), stores::sqlite()).await;
    flow.sync().await;
    let known: BTreeSet<&str> = catalogue().into_iter().map(|entry| entry.code).collect();
    let mut shown = BTreeMap::new();
    for hold in flow.store.holds().await.unwrap() {
        assert!(known.contains(hold.code.as_str()), "{}", hold.code);
        for text in [&hold.text, &hold.fix] {
            let first = text.chars().next().unwrap_or(' ');
            assert!(first.is_uppercase() || first.is_numeric(), "{}: {text}", hold.code);
            assert!(text.ends_with(['.', '!', '?']), "{}: {text}", hold.code);
            assert!(text.len() < 600, "{}: {text}", hold.code);
            // What cannot be read is shown as it came.
            let quotes = hold.code == "unreadable";
            for debris in ["Some(", "None", "Err(", "{", "}", "  ", "..", " ,", "\n", "\\\""] {
                assert!(
                    quotes && matches!(debris, "{" | "}") || !text.contains(debris),
                    "{}: {text}",
                    hold.code
                );
            }
        }
        // The key that it sends people to is there to be found.
        assert!(!hold.fix.contains("[connection.rules."), "{}", hold.fix);
        shown.insert(hold.code.clone(), format!("{} | {}", hold.text, hold.fix));
    }
    for (code, text) in &shown {
        println!("{code}: {text}");
    }
    assert!(planted(&flow).iter().all(|code| shown.contains_key(*code)));
}

/// The first invoice that was planted under a code.
fn planted_as(flow: &Flow, code: &str) -> String {
    let plants = flow.sandbox.report().planted_holds;
    let found = plants.iter().find(|plant| plant.code == code && plant.kind != Kind::PurchaseOrder);
    found.unwrap_or_else(|| panic!("{code} is planted")).source_id.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_passes_when_its_cause_is_gone() {
    for test in stores::both().await {
        let mut flow = Flow::start(troubled(3), test).await;
        flow.sync().await;
        let world = std::sync::Arc::clone(flow.sandbox.world());

        // Put right in JAGGAER: a new revision, judged without anybody's asking.
        let missing = planted_as(&flow, "supplier_reference_missing");
        world.edit_invoice(&missing, |paper| paper.reference = Some("F-1 rettet".into()));
        world.expect_posted(&missing);
        flow.sync().await;
        assert_eq!(flow.state(&missing).await, DocumentState::Posted);
        assert!(flow.codes(&missing).await.is_empty());
        flow.assert_clean();

        // Put right in the mapping: released in vain before it, posted by itself after it.
        let unmapped = planted_as(&flow, "terms_not_mapped");
        flow.ask(ManualVerb::Release, &unmapped).await;
        assert_eq!(flow.codes(&unmapped).await, ["terms_not_mapped"], "the cause is still there");
        let trail = flow.store.audit_of(&flow.document(&unmapped).await.id).await.unwrap();
        let asked = trail.iter().find(|entry| entry.entry.action == "release").unwrap();
        assert_eq!(asked.entry.actor, "tester");
        assert!(asked.entry.detail.contains("the cause is fixed"));
        let terms = &mut flow.config.connections[0].rules.mapping.terms;
        terms.table.insert("NET21".into(), "30".into());
        // Every document that waited for it, not only the one that somebody looked at.
        for plant in flow.sandbox.report().planted_holds {
            if plant.code == "terms_not_mapped" {
                world.expect_posted(&plant.source_id);
            }
        }
        flow.sync().await;
        assert_eq!(flow.state(&unmapped).await, DocumentState::Posted);
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_shows_the_difference_first() {
    for test in stores::both().await {
        let flow = Flow::start(postable(9, 5), test).await;
        flow.sync().await;
        let id = flow.to_post(Kind::SupplierInvoice).remove(0);
        let document = flow.document(&id).await;
        let (writes, trail) = (flow.writes(), flow.actions(&id).await);
        let (shown, status) = flow.run_json(&["replay", &document.id]).await;
        assert_eq!((shown["asked"].as_bool(), status), (Some(false), 0));
        assert_eq!(shown["differences"].as_array().unwrap().len(), 0);

        // Another mapping gives another plan.
        let path = flow.folder.join("ml-connector.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            text.replace("NORDLYS-NO = \"1\"", "NORDLYS-NO = \"2\"")
                .replace("NORDLYS-NO2 = \"2\"", "NORDLYS-NO2 = \"1\""),
        )
        .unwrap();
        let (shown, status) = flow.run_json(&["replay", &document.id]).await;
        assert_eq!((shown["asked"].as_bool(), status), (Some(false), 0));
        let differences = shown["differences"].to_string();
        assert!(differences.contains("branch") && differences.contains("->"), "{differences}");
        assert_eq!((flow.writes(), flow.actions(&id).await), (writes, trail));

        let (done, status) =
            flow.run_json(&["replay", &document.id, "--apply", "--reason", "wrong branch"]).await;
        assert_eq!((done["state"].as_str(), status), (Some("posted"), 0), "{done}");
        assert!(flow.writes() > writes);
        let (shown, _) = flow.run_json(&["replay", &document.id]).await;
        assert_eq!(shown["differences"].as_array().unwrap().len(), 0, "{shown}");
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_have_the_keys_that_others_rely_on() {
    for test in stores::both().await {
        let settings = Settings {
            world: world::Settings {
                documents: 30,
                held_per_mille: 200,
                ..world::Settings::default()
            },
            ..Settings::default()
        };
        let flow = Flow::start(settings, test).await;
        let world = flow.sandbox.world();
        let order = flow
            .to_post(Kind::PurchaseOrder)
            .into_iter()
            .find(|id| world.order(id).is_some_and(|order| order.lines.len() > 1));
        assert!(world.edit_order(&order.expect("one has several lines"), |order| {
            order.lines.iter_mut().for_each(|line| line.shares[0].cost_center = "999".into());
        }));
        let (sync, status) = flow.run_json(&["sync"]).await;
        assert_eq!(status, 3, "documents are held: {sync}");
        for key in ["received", "posted", "held", "ignored", "uncertain", "in_flight", "seconds"] {
            assert!(sync[key].is_number(), "{key} in {sync}");
        }
        assert!(sync["requests"]["visma"].is_number() && sync["requests"]["jaggaer"].is_number());

        let (list, status) = flow.run_json(&["documents", "list"]).await;
        assert_eq!(status, 0);
        let documents = list["documents"].as_array().unwrap();
        assert_eq!(documents.len(), 60);
        let mut held = 0;
        for document in documents {
            for key in ["id", "source_id", "kind", "number", "state"] {
                assert!(document[key].is_string(), "{key} in {document}");
            }
            assert!(document["amount"].is_string() || document["amount"].is_null());
            let is_posted = document["state"] == "posted";
            assert_eq!(document["visma_key"].is_string(), is_posted, "{document}");
            let holds = document["holds"].as_array().unwrap();
            assert_eq!(holds.is_empty(), document["state"] != "held");
            held += usize::from(!holds.is_empty());
            for hold in holds {
                assert!(hold["code"].is_string() && hold["text"].is_string());
            }
        }
        assert_eq!(sync["held"].as_u64(), Some(held as u64));
        let (list, _) = flow.run_json(&["documents", "list", "--state", "held"]).await;
        assert_eq!(list["documents"].as_array().unwrap().len(), held);

        let (list, status) = flow.run_json(&["hold", "list"]).await;
        assert_eq!(status, 0);
        let holds = list["holds"].as_array().unwrap();
        assert!(holds.len() >= held);
        for hold in holds {
            for key in ["document", "source_id", "kind", "number", "code", "text", "fix", "since"] {
                assert!(hold[key].is_string(), "{key} in {hold}");
            }
        }
        // One document is held for one reason on several lines, and is one document.
        let held_for: BTreeSet<(String, String)> =
            holds.iter().map(|of| (of["code"].to_string(), of["document"].to_string())).collect();
        assert!(held_for.len() < holds.len(), "{holds:?}");
        let (status, _) = flow.run_json(&["status"]).await;
        let counted = status["holds"].as_object().unwrap().values();
        let counted: u64 = counted.map(|of| of.as_u64().unwrap()).sum();
        assert_eq!(counted, held_for.len() as u64, "{status}");
        let id = holds[0]["document"].as_str().unwrap();
        let (shown, status) = flow.run_json(&["documents", "show", id]).await;
        assert_eq!(status, 0);
        let shown = &shown["documents"][0];
        assert_eq!(shown["state"], "held");
        assert!(shown["trail"].as_array().unwrap().len() >= 2, "{shown}");
        // Nothing changed: still held, and said so.
        let (released, status) = flow.run_json(&["release", id]).await;
        assert_eq!((released["state"].as_str(), status), (Some("held"), 3), "{released}");
        let ignored = flow.sandbox.world().expectations();
        assert!(ignored.iter().all(|of| of.fate != Fate::Waiting));
    }
}
