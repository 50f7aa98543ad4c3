//! JAGGAER is told what became of its documents: once each, whatever is lost on the way, and what it makes
//! of that comes back without doing anything here.

use crate::connector::COMPANY;
use crate::flow::{Flow as Story, postable};
use crate::stores;
use ml_connector::config::{Config, ConfirmConfig};
use ml_connector::matching::ReferenceForms;
use ml_connector::procurement::{About, DocumentKind, Money, StatusWord};
use ml_connector::schedule::Flow;
use ml_connector::store::{Change, ConfirmationRow, ConfirmationState, DocumentRow, DocumentState};
use ml_connector::sync::{
    Access, Engine, Silent, Worker, open_connections, run_round, take_unit, units,
};
use ml_connector::vault::Vault;
use ml_connector_sandbox::jaggaer::{Fault, Faults, Profile, Rate, StatusReport};
use ml_connector_sandbox::visma::HandChange;
use ml_connector_sandbox::{Settings, world};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const BOTH: ConfirmConfig = ConfirmConfig { erp: true, payment: true };

async fn start(settings: Settings, test: stores::TestStore, confirm: ConfirmConfig) -> Story {
    let mut flow = Story::start(settings, test).await;
    flow.config.connections[0].confirm = confirm;
    flow
}

fn reports(flow: &Story, about: &str) -> Vec<StatusReport> {
    let all = flow.sandbox.jaggaer().status_reports();
    all.into_iter().filter(|report| report.about == about).collect()
}

/// By JAGGAER's id. Told twice is a fault.
fn once_each(reports: &[StatusReport]) -> BTreeMap<(String, String), &StatusReport> {
    let key = |of: &StatusReport| (of.entity.clone(), of.source_id.clone());
    let by_id: BTreeMap<_, _> = reports.iter().map(|of| (key(of), of)).collect();
    assert_eq!(by_id.len(), reports.len(), "something was told twice: {reports:#?}");
    by_id
}

fn entity(document: &DocumentRow) -> String {
    match document.kind {
        DocumentKind::PurchaseOrder => "purchase-orders".into(),
        DocumentKind::SupplierInvoice | DocumentKind::CreditNote => "invoices".into(),
    }
}

/// An invoice that stands in Visma, paid there by whoever pays.
async fn pay_one(flow: &Story) -> DocumentRow {
    let documents = flow.documents().await;
    let invoice = documents
        .into_iter()
        .find(|of| of.kind == DocumentKind::SupplierInvoice && of.state == DocumentState::Posted);
    let invoice = invoice.expect("one is posted");
    let (kind, number) = (invoice.visma_type.as_deref(), invoice.visma_number.as_deref());
    let (kind, number) = (kind.expect("a type"), number.expect("a number"));
    for status in ["Open", "Closed"] {
        let change = HandChange::Status(status);
        assert!(flow.sandbox.visma().change_by_hand(kind, number, change));
    }
    invoice
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jaggaer_is_told_once_what_became_of_each_document() {
    for test in stores::both().await {
        let world = world::Settings {
            seed: 4,
            documents: 30,
            held_per_mille: 200,
            ..world::Settings::default()
        };
        let flow = start(Settings { world, ..Settings::default() }, test, BOTH).await;
        let done = flow.sync_to_the_end().await.totals;
        assert!(done.posted > 0 && done.held > 0, "{done:?}");
        let told = reports(&flow, "erp-status");
        let told = once_each(&told);
        let mut expected = 0;
        for document in flow.documents().await {
            let report = told.get(&(entity(&document), document.source_id.clone()));
            let (status, number) = match document.state {
                DocumentState::Posted => ("Created", document.visma_number.as_deref()),
                DocumentState::Held => ("Received", None),
                other => {
                    assert!(report.is_none(), "{other:?}: {report:?}");
                    continue;
                }
            };
            expected += 1;
            let report = report.unwrap_or_else(|| panic!("{} was not told", document.number));
            assert_eq!(report.body["status"], status);
            assert_eq!(report.body["erpNumber"].as_str(), number, "{report:?}");
            let holds = flow.store.holds_of(&document.id).await.expect("the store reads");
            let message = report.body["message"].as_str();
            assert_eq!(message.is_some(), !holds.is_empty(), "{report:?}");
            assert!(holds.iter().all(|hold| message.is_some_and(|of| of.contains(&hold.text))));
        }
        assert_eq!(told.len(), expected);
        assert_eq!(reports(&flow, "payment-status"), [], "nothing is released, so nothing is owed");

        let paid = pay_one(&flow).await;
        let writes = flow.writes();
        flow.sync_to_the_end().await;
        let told = reports(&flow, "payment-status");
        let [report] = &told[..] else { panic!("{told:?}") };
        assert_eq!(report.source_id, paid.source_id);
        assert_eq!(report.body["paymentStatus"], "Paid");
        let gross = flow.erp_invoice(&paid.source_id).await.gross;
        let text = |minor| rust_decimal::Decimal::new(minor, gross.currency.decimals()).to_string();
        assert_eq!(report.body["paidAmount"]["amount"], text(gross.minor));
        assert_eq!(report.body["paidAmount"]["currency"], gross.currency.code());
        assert_eq!(report.body["remainingAmount"]["amount"], text(0));

        // JAGGAER shows it as paid now, and everything else with a new stamp: that is no change of anything.
        let said = flow.sandbox.jaggaer().status_reports().len();
        let before = states(&flow).await;
        for _ in 0..2 {
            let again = flow.sync().await.totals;
            assert_eq!((again.posted, again.held), (done.posted, done.held));
        }
        assert_eq!(states(&flow).await, before);
        assert_eq!(flow.sandbox.jaggaer().status_reports().len(), said);
        assert_eq!(flow.writes(), writes);
        let attention = flow.document(&paid.source_id).await.attention;
        assert_eq!(attention, None);
        flow.assert_trail().await;
    }
}

async fn states(flow: &Story) -> BTreeMap<String, (DocumentState, Option<String>)> {
    let documents = flow.documents().await;
    documents.into_iter().map(|of| (of.id, (of.state, of.attention))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_whose_answer_is_lost_is_told_again_and_kept_once() {
    for test in stores::both().await {
        let flow = start(postable(6, 20), test, BOTH).await;
        flow.sandbox.jaggaer_faults().set(Faults {
            seed: 3,
            rates: BTreeMap::from([
                (Fault::LostReport, Rate { per_mille: 400, at_most: Some(12) }),
                (Fault::RateLimited, Rate { per_mille: 50, at_most: Some(2) }),
            ]),
            ..Faults::default()
        });
        let mut rounds = 0;
        let lost = loop {
            flow.round().await;
            rounds += 1;
            let counts = flow.store.confirmation_counts().await.expect("the store reads");
            let wanted = counts.iter().any(|(_, state, _)| state == "wanted");
            let lost = flow.sandbox.jaggaer_faults().happened();
            if !wanted && flow.documents().await.iter().all(|of| of.state == DocumentState::Posted)
            {
                break lost;
            }
            assert!(rounds < 60, "{counts:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        assert!(lost.get(&Fault::LostReport).is_some_and(|times| *times > 3), "{lost:?}");
        let told = reports(&flow, "erp-status");
        assert_eq!(once_each(&told).len(), flow.documents().await.len());
        for document in flow.documents().await {
            let rows = flow.store.confirmations_of(&document.id).await.expect("the store reads");
            let erp = rows.iter().find(|row| row.about == About::Erp).expect("it is looked at");
            assert_eq!(erp.state, ConfirmationState::Told);
            assert_eq!(erp.report.as_ref().map(|of| of.word), Some(StatusWord::Created));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_jaggaer_refuses_is_shown_and_stops_nothing() {
    for test in stores::both().await {
        let mut flow = start(postable(8, 10), test, BOTH).await;
        let profile = include_str!("../../profiles/default.toml")
            .replace("created = \"Created\"", "created = \"Angelegt\"");
        let path = flow.folder.join("mine.toml");
        std::fs::write(&path, profile).expect("writable");
        flow.config.sources[0].profile = path.display().to_string();
        let done = flow.sync_to_the_end().await.totals;
        assert_eq!((done.posted, done.held), (20, 0));
        let counts = flow.store.confirmation_counts().await.expect("the store reads");
        assert_eq!(counts, [("no".to_owned(), "refused".to_owned(), 20)]);
        let writes = flow.sandbox.jaggaer().calls().write;
        flow.sync().await;
        assert_eq!(flow.sandbox.jaggaer().calls().write, writes, "it would be refused again");

        let id = &flow.documents().await[0].id;
        let (shown, status) = flow.run_json(&["documents", "show", id]).await;
        assert_eq!(status, 0);
        let confirmation = &shown["documents"][0]["confirmations"][0];
        assert_eq!(confirmation["state"], "refused");
        let error = confirmation["error"].as_str().expect("a reason");
        assert!(error.contains("400") && error.contains("status and occurredAt"), "{error}");
        let trail = shown["documents"][0]["trail"].as_array().expect("a list");
        assert!(trail.iter().any(|entry| entry["action"] == "confirmation_refused"));
        let said = flow.run(&["status"]).await;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("no: 20 reports to JAGGAER are refused"), "{said}");
    }
}

/// Another method, another body, an error inside a 200, and no way to tell of anything but payment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_another_kind_is_told_by_its_profile_alone() {
    let settings = Settings { profile: Profile::Alternate, ..postable(9, 12) };
    let payment = ConfirmConfig { erp: false, payment: true };
    let mut flow = start(settings, stores::sqlite(), payment).await;
    flow.sync_to_the_end().await;
    assert_eq!(flow.sandbox.jaggaer().status_reports(), []);
    let paid = pay_one(&flow).await;
    flow.sync_to_the_end().await;
    let told = flow.sandbox.jaggaer().status_reports();
    let [report] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (report.source_id.as_str(), &report.body["payment"]["state"]),
        (paid.source_id.as_str(), &"SETTLED".into())
    );
    let before = states(&flow).await;
    flow.sync().await;
    assert_eq!(states(&flow).await, before);
    assert_eq!(flow.sandbox.jaggaer().status_reports().len(), 1);

    flow.config.connections[0].confirm = BOTH;
    let errors = flow.round().await.errors;
    assert!(errors.iter().any(|error| error.contains("has no [[report]] about it")), "{errors:?}");
}

/// Nothing is written into JAGGAER by whoever did not ask for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_unless_it_is_turned_on() {
    let flow = Story::start(postable(10, 5), stores::sqlite()).await;
    let path = flow.folder.join("ml-connector.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let config = Config::parse(&text, &path).expect("right");
    assert_eq!(config.connections[0].confirm, ConfirmConfig::default());
    flow.sync_to_the_end().await;
    pay_one(&flow).await;
    flow.sync().await;
    assert_eq!(flow.sandbox.jaggaer().calls().write, 0);
}

/// The round that tells is no poll: it costs what it tells, also in a process that has read nothing yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_only_tells_reads_nothing() {
    for test in stores::both().await {
        let mut flow = start(postable(11, 6), test, ConfirmConfig::default()).await;
        flow.sync_to_the_end().await;
        flow.config.connections[0].confirm = BOTH;
        let spent = || {
            let calls = flow.sandbox.jaggaer().calls();
            (calls.total() - calls.write - calls.token, calls.write, flow.calls("GET"))
        };
        let before = spent();
        let told = round_of(&flow, Flow::StatusBack).await;
        assert_eq!(told, Vec::<String>::new());
        let documents = flow.documents().await.len() as u64;
        assert_eq!(spent(), (before.0, before.1 + documents, before.2));
        // Nor does what looks back read more than its lists.
        let told = round_of(&flow, Flow::Reconcile).await;
        assert_eq!(told, Vec::<String>::new());
        assert!(spent().2 - before.2 <= 4, "{:?} {before:?}", spent());
    }
}

/// A process of its own, for one flow; what went wrong in it.
async fn round_of(flow: &Story, only: Flow) -> Vec<String> {
    let config = &flow.config;
    let unit = units(&flow.store, config).await.expect("units").remove(0);
    let worker = Worker::join(&flow.store, false, Duration::from_secs(60), Duration::ZERO);
    let worker = worker.await.expect("it joins");
    let opened =
        open_connections(config, &Vault::default(), &unit, None, Access::ReadAndWrite).connections;
    let owned = take_unit(&flow.store, &unit, &worker, Duration::ZERO).await.expect("it is free");
    let (_ask, stop) = tokio::sync::watch::channel(false);
    let engine =
        Engine::new(flow.store.clone(), config, unit, opened, owned, Arc::new(Silent), stop);
    let (_, told) = run_round(&engine, &[only].into()).await;
    engine.close().await.expect("it is given back");
    worker.leave().await;
    told.errors
}

/// Visma may leave the version out of its lists; then the row itself says whether it moved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_seen_where_rows_have_no_version() {
    for test in stores::both().await {
        let flow = start(postable(12, 4), test, BOTH).await;
        flow.sync_to_the_end().await;
        let paid = pay_one(&flow).await;
        flow.sync_to_the_end().await;
        let store = &flow.store;
        let (kind, number) = (paid.visma_type.as_deref(), paid.visma_number.as_deref());
        let (kind, number) = (kind.expect("a type"), number.expect("a number"));
        let row = store.erp_invoice(COMPANY, kind, number).await.expect("it reads");
        let mut row = row.expect("it is in the index");
        row.version = None;
        let owned = store.take_ownership("no", "me", 60_000_000, true).await.expect("it reads");
        let owned = owned.expect("nobody has it");
        for minor in [0, 1, 2] {
            row.balance = row.balance.map(|of| Money::new(minor, of.currency));
            let mut change = Change::new();
            change.keep_erp_invoice(COMPANY, &row, &ReferenceForms::default());
            store.commit(&owned, change).await.expect("kept");
            let moved = store.moved_invoices("no", COMPANY, 9).await.expect("it reads");
            let [moved] = &moved[..] else { panic!("{minor}: {moved:?}") };
            assert_eq!(moved.document, paid.id);
            let told = store.confirmations_of(&paid.id).await.expect("it reads");
            let told = told.into_iter().find(|of| of.about == About::Payment).expect("told");
            let mut change = Change::new();
            change.keep_confirmation(&ConfirmationRow { basis: moved.basis.clone(), ..told });
            store.commit(&owned, change).await.expect("kept");
            assert_eq!(store.moved_invoices("no", COMPANY, 9).await.expect("it reads"), []);
        }
    }
}
