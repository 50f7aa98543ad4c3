//! One JAGGAER instance for several Visma companies: who takes a document, what becomes of one that
//! nobody takes, and what a change of the routes moves.

use crate::flow::run;
use crate::offices::{Offices, settings};
use crate::stores;
use ml_connector::procurement::DocumentKind;
use ml_connector::store::{DocumentState, PostingState};
use ml_connector::sync::ManualVerb;
use ml_connector_sandbox::faults::{Fault, Faults};
use ml_connector_sandbox::world::Kind;
use serde_json::Value;
use std::collections::BTreeMap;

const UNIT: &str = "nord";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_offices_share_one_instance() {
    for test in stores::both().await {
        let offices = Offices::start(settings(7, 90, 110), test).await;
        offices.sync().await;
        let report = offices.sync().await;
        assert_eq!(
            (report.totals.in_flight, report.totals.uncertain),
            (0, 0),
            "{:?}",
            report.totals
        );
        offices.assert_clean();
        offices.assert_trail().await;

        // Each office has its share, and what is held is what was planted to be.
        let sandbox = offices.sandbox.report();
        assert!(sandbox.companies.iter().all(|company| company.expected > 20), "{sandbox:?}");
        let mut held: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for document in offices.documents().await {
            let (_, state, codes) = offices.standing(&document.source_id).await;
            if state == DocumentState::Held {
                held.insert((document.kind.as_str().into(), document.source_id), codes);
            }
        }
        for plant in &sandbox.planted_holds {
            let kind = match plant.kind {
                Kind::PurchaseOrder => "purchase_order",
                Kind::SupplierInvoice => "supplier_invoice",
                Kind::CreditNote => "credit_note",
            };
            let either = [Some(&plant.source_id), plant.or_source_id.as_ref()];
            let codes =
                either.into_iter().flatten().find_map(|id| held.remove(&(kind.into(), id.clone())));
            let fits = codes.as_ref().is_some_and(|codes| {
                codes.iter().any(|code| code == plant.code || Some(code.as_str()) == plant.or_code)
            });
            assert!(fits, "{plant:?} is held as {codes:?}");
        }
        assert!(held.is_empty(), "{held:?}");
        assert!(sandbox.planted_holds.iter().any(|plant| plant.code == "no_route"), "{sandbox:?}");

        // The instance is polled once for all three: a round without news reads each of its lists once.
        let before = offices.sandbox.jaggaer().calls();
        let quiet = offices.sync().await;
        let one = quiet.requests.jaggaer;
        assert!(one > 0 && one <= 8, "{one} requests, {before:?}");
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for document in offices.documents().await {
            *seen.entry(document.connection).or_default() += 1;
        }
        assert_eq!(
            seen.keys().map(String::as_str).collect::<Vec<_>>(),
            ["", "nord", "oslo", "vest"]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_route_takes_is_held_and_goes_when_one_does() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(3, 6, 0), test).await;
        let order = offices.order("NORDLYS-SE");
        let number = offices.sandbox.world().order(&order).unwrap().number;
        let invoice = offices.sandbox.world().add_invoice(&order).unwrap();
        let report = offices.sync().await;
        assert_eq!((report.totals.held, report.totals.in_flight), (2, 0), "{:?}", report.totals);
        let held = (String::new(), DocumentState::Held, vec!["no_route".to_owned()]);
        assert_eq!(offices.standing(&order).await, held);
        let document = offices.document(&order).await;
        let holds = offices.store.holds_of(&document.id).await.unwrap();
        assert!(holds[0].text.contains("business unit \"NORDLYS-SE\""), "{holds:?}");
        assert_eq!(offices.copies(&number), [0, 0, 0]);

        // It is in every list, and can be asked for; nothing moves as long as nothing changed.
        let listed = json(&offices, &["hold", "list"]).await;
        assert!(listed.to_string().contains("no_route"), "{listed}");
        let all = json(&offices, &["documents", "list", "--state", "held"]).await;
        assert_eq!(all["documents"].as_array().unwrap().len(), 2, "{all}");
        assert_eq!(all["documents"][0]["connection"], Value::Null);
        let status = json(&offices, &["status"]).await;
        assert_eq!(
            (&status["holds"]["no_route"], &status["totals"]["held"]),
            (&2.into(), &2.into())
        );
        let released = json(&offices, &["release", &document.id]).await;
        assert_eq!(
            (&released["result"], &released["state"]),
            (&"carried out".into(), &"held".into())
        );
        assert_eq!(released["holds"][0]["code"], "no_route");
        let replayed = json(&offices, &["replay", &document.id]).await;
        assert_eq!(replayed["state"], "held", "{replayed}");
        assert_eq!(offices.standing(&order).await, held);

        // A route for it: by itself, to that company only.
        offices.change(&[
            ("[\"NORDLYS-VEST\"]", "[\"NORDLYS-VEST\", \"NORDLYS-SE\"]"),
            ("NORDLYS-VEST = \"1\"", "NORDLYS-VEST = \"1\"\nNORDLYS-SE = \"1\""),
        ]);
        let report = offices.sync().await;
        assert_eq!((report.totals.held, report.totals.in_flight), (0, 0), "{:?}", report.totals);
        let posted = ("vest".to_owned(), DocumentState::Posted, vec![]);
        assert_eq!(offices.standing(&order).await, posted);
        assert_eq!(offices.standing(&invoice).await, posted);
        assert_eq!(offices.copies(&number), [0, 1, 0]);
        offices.assert_trail().await;
    }
}

async fn json(offices: &Offices, arguments: &[&str]) -> Value {
    let output = run(&offices.folder, &[&["--json"], arguments].concat()).await;
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}\n{}", String::from_utf8_lossy(&output.stderr))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_several_routes_take_is_held() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(3, 6, 0), test).await;
        let by_currency = "[[connection.route]]\nfields = [{ at = \"$.poNumber\", begins = [\"PO-\"] }]\nkinds = [\"purchase_order\"]\n\n";
        let nord = "[[connection.route]]\nbusiness_unit = [\"NORDLYS-NORD\"]\n";
        offices.change(&[(nord, &format!("{by_currency}{nord}"))]);
        let order = offices.order("NORDLYS-VEST");
        offices.sync().await;
        let held = (String::new(), DocumentState::Held, vec!["several_routes".to_owned()]);
        assert_eq!(offices.standing(&order).await, held);
        let document = offices.document(&order).await;
        let text = &offices.store.holds_of(&document.id).await.unwrap()[0].text;
        for part in ["`nord` and `vest`", "NORDLYS-VEST", "$.poNumber \"PO-"] {
            assert!(text.contains(part), "{text}");
        }
        // What the office's own unit and the odd route both take goes to it: one connection, twice.
        let own = offices.order("NORDLYS-NORD");
        offices.sync().await;
        assert_eq!(offices.standing(&own).await.0, "nord");
        offices.change(&[(by_currency, "")]);
        offices.sync().await;
        assert_eq!(offices.standing(&order).await, ("vest".into(), DocumentState::Posted, vec![]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_may_be_routed_by_its_raw_text() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(3, 4, 0), test).await;
        let order = offices.order("NORDLYS-VEST");
        offices.sandbox.world().edit_order(&order, |order| order.record.unreadable = true);
        offices.sync().await;
        let (connection, state, codes) = offices.standing(&order).await;
        assert_eq!((connection.as_str(), state), ("", DocumentState::Held));
        assert_eq!(codes, ["no_route", "unreadable"]);
        let route = "[[connection.route]]\nbusiness_unit = [\"NORDLYS-VEST\"]\n";
        let raw = "[[connection.route]]\nfields = [{ at = \"$.businessUnit\", is = [\"NORDLYS-VEST\"] }]\n";
        offices.change(&[(route, raw)]);
        offices.sync().await;
        let held = ("vest".to_owned(), DocumentState::Held, vec!["unreadable".to_owned()]);
        assert_eq!(offices.standing(&order).await, held);
        offices.sandbox.world().edit_order(&order, |order| order.record.unreadable = false);
        offices.sync().await;
        assert_eq!(offices.standing(&order).await.1, DocumentState::Posted);
    }
}

/// Routes that change before and after a document was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_routes_moves_only_what_was_never_written() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(5, 12, 0), test).await;
        let posted = offices.order("NORDLYS-VEST");
        let number = offices.sandbox.world().order(&posted).unwrap().number;
        offices.sync().await;
        assert_eq!(offices.copies(&number), [0, 1, 0]);

        // Held for a mapping in one office; then its unit is given to another.
        let held = offices.order("NORDLYS-OST");
        offices.change(&[("[\"NORDLYS-VEST\"]", "[\"NORDLYS-VEST\", \"NORDLYS-OST\"]")]);
        offices.sync().await;
        assert_eq!(
            offices.standing(&held).await,
            ("vest".into(), DocumentState::Held, vec!["branch_not_mapped".to_owned()])
        );
        let text = offices.text();
        offices.change(&[
            ("[\"NORDLYS-VEST\", \"NORDLYS-OST\"]", "[\"NORDLYS-X\"]"),
            ("[\"NORDLYS-NORD\"]", "[\"NORDLYS-NORD\", \"NORDLYS-VEST\", \"NORDLYS-OST\"]"),
            (
                "NORDLYS-NORD = \"1\"",
                "NORDLYS-NORD = \"1\"\nNORDLYS-VEST = \"1\"\nNORDLYS-OST = \"1\"",
            ),
        ]);
        let text = text.replace("[\"NORDLYS-VEST\", \"NORDLYS-OST\"]", "[\"NORDLYS-VEST\"]");
        let after = offices.order("NORDLYS-VEST");
        offices.sync().await;
        assert_eq!(offices.standing(&held).await, ("nord".into(), DocumentState::Posted, vec![]));
        assert_eq!(offices.standing(&after).await, ("nord".into(), DocumentState::Posted, vec![]));
        let stays = ("vest".to_owned(), DocumentState::Posted, vec![]);
        assert_eq!(offices.standing(&posted).await, stays);
        assert_eq!(offices.copies(&number), [0, 1, 0]);

        // A change order of what stands there goes there, whatever the routes say of its unit now.
        let change =
            ml_connector_sandbox::world::OrderChange::Quantity { line: 0, quantity: 77.into() };
        assert!(offices.sandbox.world().change_order(&posted, &change));
        offices.sync().await;
        assert_eq!(offices.standing(&posted).await, stays);
        assert_eq!(offices.document(&posted).await.applied_revision, Some(2));
        assert_eq!(offices.copies(&number), [0, 1, 0]);
        offices.configure(&text);
        offices.sync().await;
        assert_eq!(offices.standing(&after).await.0, "nord", "it stands there");
        offices.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_jaggaer_moves_after_posting_is_held() {
    for test in stores::both().await {
        let offices = Offices::start(settings(5, 6, 0), test).await;
        let order = offices.order("NORDLYS-VEST");
        let number = offices.sandbox.world().order(&order).unwrap().number;
        offices.sync().await;
        let to = |unit: &str| {
            offices.sandbox.world().edit_order(&order, |order| order.business_unit = unit.into());
        };
        to("NORDLYS-NORD");
        offices.sync().await;
        let held = ("vest".to_owned(), DocumentState::Held, vec!["route_changed".to_owned()]);
        assert_eq!(offices.standing(&order).await, held);
        assert_eq!(offices.copies(&number), [0, 1, 0]);
        offices.sync().await;
        assert_eq!(offices.standing(&order).await, held, "nothing moves it by itself");

        // Moved back: as if nothing had been.
        to("NORDLYS-VEST");
        offices.sync().await;
        assert_eq!(offices.standing(&order).await, ("vest".into(), DocumentState::Posted, vec![]));

        // Moved again, and a person says that it stays.
        to("NORDLYS-NORD");
        offices.sync().await;
        let document = offices.document(&order).await;
        ManualVerb::Release.ask(&offices.store, UNIT, &document.id, "anna", "stays").await.unwrap();
        offices.sync().await;
        let (connection, state, codes) = offices.standing(&order).await;
        assert_eq!((connection.as_str(), state), ("vest", DocumentState::Held), "{codes:?}");
        assert_eq!(codes, ["branch_not_mapped"], "it is judged by its own company's rules again");
        assert_eq!(offices.copies(&number), [0, 1, 0]);
        offices.assert_trail().await;
    }
}

/// The answer to the order's write is lost, and the routes change before it is known what became of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_routes_while_a_write_is_uncertain_doubles_nothing() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(5, 2, 0), test).await;
        offices.sync().await;
        offices.change(&[
            ("settle_after_seconds = 1", "settle_after_seconds = 3"),
            ("settle_patience_seconds = 10", "settle_patience_seconds = 0"),
        ]);
        let order = offices.order("NORDLYS-VEST");
        let number = offices.sandbox.world().order(&order).unwrap().number;
        let lost = Faults::default().with(Fault::DropBeforeCommit, 1000, Some(1));
        offices.sandbox.visma_faults_of(1).set(lost);
        offices.round().await;
        let document = offices.document(&order).await;
        let postings = offices.store.postings_of(&document.id).await.unwrap();
        assert_eq!(postings[0].state, PostingState::Uncertain, "{postings:?}");
        offices.sandbox.visma_faults_of(1).set(Faults::default());
        offices.change(&[
            ("[\"NORDLYS-VEST\"]", "[\"NORDLYS-X\"]"),
            ("[\"NORDLYS-NORD\"]", "[\"NORDLYS-NORD\", \"NORDLYS-VEST\"]"),
            ("NORDLYS-NORD = \"1\"", "NORDLYS-NORD = \"1\"\nNORDLYS-VEST = \"1\""),
        ]);
        offices.round().await;
        assert_eq!(offices.standing(&order).await.0, "vest");
        offices.change(&[
            ("settle_after_seconds = 3", "settle_after_seconds = 1"),
            ("settle_patience_seconds = 0", "settle_patience_seconds = 10"),
        ]);
        for _ in 0..3 {
            offices.round().await;
        }
        assert_eq!(
            offices.copies(&number),
            [0, 1, 0],
            "sent again where it was sent first, and nowhere else"
        );
        assert_eq!(offices.standing(&order).await, ("vest".into(), DocumentState::Posted, vec![]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_whose_order_went_elsewhere_is_held() {
    for test in stores::both().await {
        let offices = Offices::start(settings(5, 4, 0), test).await;
        let world = offices.sandbox.world();
        let order = offices.order("NORDLYS-VEST");
        let invoice = world.add_invoice(&order).unwrap();
        world.edit_invoice(&invoice, |invoice| invoice.business_unit = "NORDLYS-NORD".into());
        offices.sync().await;
        let (connection, state, codes) = offices.standing(&invoice).await;
        assert_eq!((connection.as_str(), state), ("nord", DocumentState::Held));
        assert_eq!(codes, ["order_elsewhere"]);
        world.edit_invoice(&invoice, |invoice| invoice.business_unit = "NORDLYS-VEST".into());
        offices.sync().await;
        assert_eq!(
            offices.standing(&invoice).await,
            ("vest".into(), DocumentState::Posted, vec![])
        );
    }
}

/// One company answers every call with 500: the others work on, and its documents wait until it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_that_is_down_stops_no_other() {
    for test in stores::both().await {
        let offices = Offices::start(settings(9, 30, 0), test).await;
        let down = Faults::default().with(Fault::Forbidden, 1000, None);
        offices.sandbox.visma_faults_of(1).set(down);
        let report = offices.round().await;
        let [error] = report.errors.as_slice() else { panic!("{:?}", report.errors) };
        assert!(error.starts_with("nordlys-vest: Visma"), "{error}");
        let mut waiting = 0;
        for document in offices.documents().await {
            let expected = if document.connection == "vest" {
                waiting += 1;
                DocumentState::Ready
            } else {
                DocumentState::Posted
            };
            assert_eq!(document.state, expected, "{document:?}");
        }
        assert!(waiting > 5, "{waiting}");
        assert_eq!(report.totals.in_flight, waiting);
        assert!(offices.sandbox.visma_faults_of(1).happened().contains_key(&Fault::Forbidden));
        offices.sandbox.visma_faults_of(1).set(Faults::default());
        let report = offices.sync().await;
        assert_eq!((report.totals.in_flight, report.totals.held), (0, 0));
        offices.assert_clean();
    }
}

/// A secret that is not there stops its own company only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_without_its_secret_stops_no_other_of_the_unit() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(9, 9, 0), test).await;
        let good = offices.text();
        let (before, after) = good.split_once("id = \"nordlys-nord\"").unwrap();
        let bad = format!(
            "{before}id = \"nordlys-nord\"{}",
            after.replacen("visma.secret", "nowhere.secret", 1)
        );
        offices.configure(&bad);
        let report = offices.round().await;
        let [error] = report.errors.as_slice() else { panic!("{:?}", report.errors) };
        assert!(error.contains("nowhere.secret"), "{error}");
        for document in offices.documents().await {
            let expected = if document.connection == "nord" {
                DocumentState::Ready
            } else {
                DocumentState::Posted
            };
            assert_eq!(document.state, expected, "{document:?}");
        }
        offices.configure(&good);
        offices.sync().await;
        offices.assert_clean();
    }
}

/// Two branches of one company, with rules of their own: one client, one index, one allowance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connections_may_lead_to_one_company() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(5, 4, 0), test).await;
        let head = offices.text();
        let (before, vest) = head.split_once("id = \"vest\"").unwrap();
        let vest = vest.replacen("company = \"nordlys-vest\"", "company = \"nordlys\"", 1);
        offices.configure(&format!("{before}id = \"vest\"{vest}"));
        let order = offices.order("NORDLYS-VEST");
        let number = offices.sandbox.world().order(&order).unwrap().number;
        let invoice = offices.sandbox.world().add_invoice(&order).unwrap();
        let world = offices.sandbox.world();
        world.edit_invoice(&invoice, |invoice| invoice.business_unit = "NORDLYS-NO".into());
        offices.sync().await;
        assert_eq!(offices.standing(&order).await, ("vest".into(), DocumentState::Posted, vec![]));
        // The order of the other branch is in the same company, and is found there.
        assert_eq!(
            offices.standing(&invoice).await,
            ("oslo".into(), DocumentState::Posted, vec![])
        );
        assert_eq!(offices.copies(&number), [1, 0, 0]);
        // From one branch to the other after posting: no other company, so a change like any other.
        world.edit_order(&order, |order| order.business_unit = "NORDLYS-NO".into());
        offices.sync().await;
        assert_eq!(offices.standing(&order).await.0, "oslo");
        assert_eq!(offices.copies(&number), [1, 0, 0]);
        let orders = offices.documents().await.into_iter();
        assert!(orders.filter(|of| of.kind == DocumentKind::PurchaseOrder).count() > 2);
    }
}

/// Refused by Visma, then given to another office: what was planned for the first is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_visma_refused_may_go_to_another_company() {
    for test in stores::both().await {
        let mut offices = Offices::start(settings(5, 4, 0), test).await;
        offices.sync().await;
        let order = offices.order("NORDLYS-VEST");
        let number = offices.sandbox.world().order(&order).unwrap().number;
        let invoice = offices.sandbox.world().add_invoice(&order).unwrap();
        offices.change(&[("inventory = \"TJENESTE\"", "inventory = \"NOWHERE\"")]);
        offices.sync().await;
        let (connection, state, codes) = offices.standing(&order).await;
        assert_eq!((connection.as_str(), state), ("vest", DocumentState::Held));
        assert_eq!(codes, ["refused_by_visma"]);
        assert_eq!(offices.document(&order).await.company, "nordlys-vest");
        offices.change(&[
            ("inventory = \"NOWHERE\"", "inventory = \"TJENESTE\""),
            ("[\"NORDLYS-VEST\"]", "[\"NORDLYS-X\"]"),
            ("[\"NORDLYS-NORD\"]", "[\"NORDLYS-NORD\", \"NORDLYS-VEST\"]"),
            ("NORDLYS-NORD = \"1\"", "NORDLYS-NORD = \"1\"\nNORDLYS-VEST = \"1\""),
        ]);
        offices.sync().await;
        let posted = ("nord".to_owned(), DocumentState::Posted, vec![]);
        assert_eq!(offices.standing(&order).await, posted);
        assert_eq!(offices.standing(&invoice).await, posted);
        assert_eq!(offices.copies(&number), [0, 0, 1]);
        let document = offices.document(&order).await;
        assert_eq!(document.company, "nordlys-nord");
        let postings = offices.store.postings_of(&document.id).await.unwrap();
        assert!(postings.iter().all(|row| row.company == "nordlys-nord"), "{postings:?}");
        let trail = offices.store.audit_of(&document.id).await.unwrap();
        assert!(trail.iter().any(|of| of.entry.to_state == "refused"), "the trail keeps it");
        offices.assert_trail().await;
    }
}
