//! A person links a vendor to a supplier, and undoes it: it counts at once, every version is kept,
//! and a decision tells which it saw.

use crate::flow::Flow;
use crate::stores;
use ml_connector::store::DocumentState;
use ml_connector::sync::{LinkWish, ManualVerb, Ownership, Worker};
use ml_connector_sandbox::world::Kind;
use ml_connector_sandbox::{Settings, world};
use serde_json::Value;
use std::time::Duration;

fn troubled(seed: u64) -> Settings {
    let world =
        world::Settings { seed, documents: 120, held_per_mille: 400, ..world::Settings::default() };
    Settings { world, ..Settings::default() }
}

/// An invoice of a vendor that Visma does not know, the vendor, and a supplier that it is not.
async fn unknown(flow: &Flow) -> (String, String, String) {
    let plants = flow.sandbox.report().planted_holds;
    let invoice = plants
        .iter()
        .find(|plant| plant.code == "supplier_unknown" && plant.kind != Kind::PurchaseOrder)
        .expect("it is planted");
    let document = flow.document(&invoice.source_id).await;
    let revision = flow.store.revision(&document.id, 1).await.unwrap().unwrap();
    let raw: Value = serde_json::from_str(&revision.raw).unwrap();
    let vendor = raw["supplier"]["id"].as_str().expect("the default profile's place").to_owned();
    let connection = &flow.config.connections[0];
    let suppliers = flow.store.suppliers(&connection.company).await.unwrap();
    let supplier = suppliers.values().find(|of| of.status == "Active").expect("one is active");
    (invoice.source_id.clone(), vendor, supplier.number.clone())
}

fn wish(flow: &Flow, vendor: &str, supplier: Option<&str>) -> LinkWish {
    LinkWish {
        connection: flow.config.connections[0].id.clone(),
        vendor: vendor.into(),
        supplier: supplier.map(str::to_owned),
        actor: "anna".into(),
        reason: "same company".into(),
    }
}

fn of_vendor<'a>(suggested: &'a Value, vendor: &str) -> Option<&'a Value> {
    suggested["vendors"].as_array().unwrap().iter().find(|of| of["vendor"] == vendor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_counts_until_it_is_undone() {
    for test in stores::both().await {
        let flow = Flow::start(troubled(3), test).await;
        flow.sync().await;
        let (invoice, vendor, supplier) = unknown(&flow).await;
        assert!(flow.codes(&invoice).await.contains(&"supplier_unknown".to_owned()));
        let connection = flow.config.connections[0].id.as_str();

        // It is among those to link, with its documents, and a command for each that it could be.
        let (suggested, status) = flow.run_json(&["mapping", "suggest"]).await;
        assert_eq!(status, 0, "{suggested}");
        let shown = of_vendor(&suggested, &vendor).expect("it is suggested");
        let number = flow.document(&invoice).await.number;
        assert!(shown["documents"].as_array().unwrap().contains(&number.into()), "{shown}");
        for to in shown["suggestions"].as_array().unwrap() {
            let to_supplier = to["supplier"].as_str().unwrap();
            let command = format!("ml-connector mapping link {vendor} {to_supplier} --reason");
            assert!(to["link"].as_str().unwrap().starts_with(&command), "{to}");
            assert!(!to["reasons"].as_array().unwrap().is_empty(), "{to}");
        }

        let linked = wish(&flow, &vendor, Some(&supplier)).ask(&flow.store, &flow.config).await;
        assert!(linked.unwrap(), "nobody owns the unit");
        assert_eq!(flow.store.links(connection).await.unwrap()[&vendor], supplier);
        flow.ask(ManualVerb::Release, &invoice).await;
        assert!(!flow.codes(&invoice).await.contains(&"supplier_unknown".to_owned()));
        let (suggested, _) = flow.run_json(&["mapping", "suggest"]).await;
        assert_eq!(of_vendor(&suggested, &vendor), None);

        // The rules of each decision tell the links that it saw.
        let document = flow.document(&invoice).await;
        let rules: Vec<String> = flow
            .store
            .audit_of(&document.id)
            .await
            .unwrap()
            .iter()
            .filter_map(|kept| serde_json::from_str::<Value>(&kept.entry.detail).ok())
            .filter_map(|detail| detail["rules"].as_str().map(str::to_owned))
            .collect();
        assert!(rules.len() >= 2 && rules.first() != rules.last(), "{rules:?}");

        assert!(wish(&flow, &vendor, None).ask(&flow.store, &flow.config).await.unwrap());
        assert!(flow.store.links(connection).await.unwrap().is_empty());
        let versions = flow.store.link_versions(connection).await.unwrap();
        let shown: Vec<_> = versions.iter().map(|of| (of.n, of.supplier.clone())).collect();
        assert_eq!(shown, [(Some(1), Some(supplier)), (Some(2), None)]);
        let trail = flow.store.audit_page("no", 0, 100_000).await.unwrap();
        let links: Vec<_> = trail
            .iter()
            .filter(|kept| kept.entry.actor == "anna")
            .map(|kept| kept.entry.action.as_str())
            .collect();
        assert_eq!(links, ["link", "unlink"]);
        flow.assert_trail().await;
        if document.state == DocumentState::Held {
            flow.ask(ManualVerb::Release, &invoice).await;
            assert!(flow.codes(&invoice).await.contains(&"supplier_unknown".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_owns_the_unit_a_link_waits_for_its_next_round() {
    for test in stores::both().await {
        let flow = Flow::start(troubled(3), test).await;
        flow.sync().await;
        let (_, vendor, supplier) = unknown(&flow).await;
        let connection = flow.config.connections[0].id.as_str();
        let lease = Duration::from_secs(60);
        let worker = Worker::join(&flow.store, false, lease, Duration::ZERO).await.unwrap();
        let owner = Ownership::take(&flow.store, "no", &worker, lease).await.unwrap();

        let wish = wish(&flow, &vendor, Some(&supplier));
        assert!(!wish.ask(&flow.store, &flow.config).await.unwrap());
        assert!(flow.store.links(connection).await.unwrap().is_empty());
        assert_eq!(flow.store.asked_links(connection).await.unwrap().len(), 1);

        owner.release().await.unwrap();
        worker.leave().await;
        drop(worker);
        flow.sync().await;
        assert_eq!(flow.store.links(connection).await.unwrap()[&vendor], supplier);
        assert!(flow.store.asked_links(connection).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_made_listed_and_undone_from_the_command_line() {
    let flow = Flow::start(troubled(3), stores::sqlite()).await;
    flow.sync().await;
    let (_, vendor, supplier) = unknown(&flow).await;
    let run = async |arguments: &[&str]| {
        let output = flow.run(arguments).await;
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code(), json, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let link = ["--json", "mapping", "link", &vendor, &supplier, "--reason", "same company"];
    let (code, linked, text) = run(&link).await;
    assert_eq!((code, &linked["in_force"]), (Some(0), &Value::Bool(true)), "{text}");
    assert!(!linked["notes"].as_array().unwrap().is_empty(), "it is another company: {linked}");

    let (_, listed, _) = run(&["--json", "mapping", "links"]).await;
    let links = listed["links"].as_array().unwrap();
    assert_eq!(links.len(), 1, "{listed}");
    assert_eq!((&links[0]["vendor"], &links[0]["version"]), (&vendor.clone().into(), &1.into()));

    let unlink = ["--json", "mapping", "unlink", &vendor, "--reason", "a mistake"];
    assert_eq!(run(&unlink).await.0, Some(0));
    let (code, _, text) = run(&unlink).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("is not linked"), "{text}");
    let (_, listed, _) = run(&["--json", "mapping", "links", "--history"]).await;
    assert_eq!(listed["links"].as_array().unwrap().len(), 2);

    let stranger = ["mapping", "link", &vendor, "no-such", "--reason", "x"];
    let (code, _, text) = run(&stranger).await;
    assert_eq!(code, Some(1), "{text}");
    let (code, ..) = run(&["mapping", "link", &vendor, &supplier, "--reason", " "]).await;
    assert_eq!(code, Some(2), "a reason is needed");
    flow.assert_trail().await;
}
