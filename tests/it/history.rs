//! What a decision knows of other documents, from both systems to the judgement.

use crate::flow::{Flow, postable};
use crate::stores;
use crate::tamper::{Fate, Tamper};
use jiff::civil::date;
use ml_connector::decide::History;
use ml_connector::procurement::InvoiceKind;
use ml_connector::store::DocumentState;
use ml_connector_sandbox::Settings;
use ml_connector_sandbox::world::Kind;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// What the latest decision of a document was made from.
async fn decided_from(flow: &Flow, source_id: &str) -> History {
    use sqlx::Connection;
    let document = flow.document(source_id).await;
    let mut connection = sqlx::AnyConnection::connect(&flow.test.url).await.expect("it opens");
    let (history,): (String,) =
        sqlx::query_as("select history from decision where document = $1 order by n desc limit 1")
            .bind(&document.id)
            .fetch_one(&mut connection)
            .await
            .expect("it was judged");
    serde_json::from_str(&history).expect("history is JSON")
}

/// The documents that the decision knew to bill the same order.
async fn known_billing(flow: &Flow, source_id: &str) -> Vec<String> {
    let mut known: Vec<String> =
        decided_from(flow, source_id).await.billed.into_iter().map(|of| of.document).collect();
    known.dedup();
    known
}

/// How many ways there are to arrive, and what is edited last arrives last.
const ARRIVALS: [[usize; 2]; 2] = [[0, 1], [1, 0]];

/// Two invoices, each over the whole order, in one batch. One passes without knowing of the
/// other; that other knows of it, and it is the same one whichever came first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_over_one_order_the_second_sees_the_first_however_they_arrive() {
    for test in stores::both().await {
        let mut seeing = Vec::new();
        for arrival in ARRIVALS {
            let flow = Flow::start(postable(3, 4), stores::another(&test).await).await;
            let world = flow.sandbox.world();
            let order = world.add_order(flow.vendor());
            let pair: Vec<String> =
                (0..2).map(|_| world.add_invoice(&order).expect("the order is there")).collect();
            for (nth, day) in arrival.map(|nth| (nth, [20, 21][nth])) {
                world.edit_invoice(&pair[nth], |paper| {
                    paper.invoiced_on = date(2026, 9, day);
                    // Counted from another day, it would hold both.
                    paper.due_on = None;
                });
            }
            let report = flow.round().await;
            assert_eq!(report.errors, Vec::<String>::new());
            let known =
                [known_billing(&flow, &pair[0]).await, known_billing(&flow, &pair[1]).await];
            // The earlier paper is judged first.
            assert_eq!(known[0], Vec::<String>::new(), "{arrival:?}");
            let holds = flow.holds(&pair[0]).await;
            assert_eq!(flow.state(&pair[0]).await, DocumentState::Posted, "{holds:?}");
            assert_eq!(
                flow.state(&pair[0]).await,
                DocumentState::Posted,
                "{:?}",
                flow.holds(&pair[0]).await
            );
            assert_eq!(known[1].len(), 1, "{arrival:?}");
            let first = flow.document(&pair[0]).await;
            assert!(known[1][0].contains(&first.number) || known[1][0].contains("Invoice"));
            let billed = decided_from(&flow, &pair[1]).await.billed;
            let net: i64 = billed.iter().map(|of| of.net.minor).sum();
            let lines = world.invoice(&pair[0]).expect("it is there").net;
            assert_eq!(rust_decimal::Decimal::new(net, 2), lines.round_dp(2));
            // The order is billed by then: a person must look.
            assert_eq!(flow.state(&pair[1]).await, DocumentState::Held, "{arrival:?}");
            let holds = flow.holds(&pair[1]).await;
            assert!(holds.iter().any(|hold| hold.code == "quantity_over"), "{holds:?}");
            seeing.push(pair[1].clone());
        }
        assert_eq!(seeing[0], seeing[1]);
    }
}

/// The same paper twice, its number typed in two ways, in one batch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_look_alike_the_second_sees_the_first() {
    for test in stores::both().await {
        for arrival in ARRIVALS {
            let flow = Flow::start(postable(4, 4), stores::another(&test).await).await;
            let world = flow.sandbox.world();
            let vendor = flow.vendor();
            // Other orders and other amounts: nothing but the number is alike.
            let pair: Vec<String> = (0..2)
                .map(|_| world.add_order(vendor))
                .map(|order| world.add_invoice(&order).expect("the order is there"))
                .collect();
            for nth in arrival {
                world.edit_invoice(&pair[nth], |paper| {
                    paper.invoiced_on = date(2026, 9, 20);
                    paper.due_on = None;
                    paper.reference = Some(["F-1001", "F-1OO1"][nth].into());
                });
            }
            flow.round().await;
            let (mut saw, mut numbers) = (Vec::new(), Vec::new());
            for id in &pair {
                let number = flow.document(id).await.number;
                let alike = decided_from(&flow, id).await.alike;
                let alike: Vec<Option<String>> = alike.into_iter().map(|of| of.reference).collect();
                saw.push(alike);
                numbers.push(number);
            }
            let (first, second) = if saw[0].is_empty() { (0, 1) } else { (1, 0) };
            assert!(saw[first].is_empty(), "{saw:?}");
            assert_eq!(saw[second], [Some(["F-1001", "F-1OO1"][first].to_owned())]);
            // By id, since both are of one day.
            let ids = [flow.document(&pair[0]).await.id, flow.document(&pair[1]).await.id];
            assert!(ids[first] < ids[second]);
        }
    }
}

/// An invoice that stands in Visma bills its order for those that come in a later round; not once
/// more through Visma's index, and not when it is voided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_bills_once_until_it_is_voided() {
    for test in stores::both().await {
        let flow = Flow::start(postable(6, 4), test).await;
        let world = flow.sandbox.world();
        let order = world.add_order(flow.vendor());
        let first = world.add_invoice(&order).expect("the order is there");
        flow.sync().await;
        let posted = flow.document(&first).await;
        let shown = format!(
            "{} {}",
            posted.visma_type.as_deref().expect("posted"),
            posted.visma_number.as_deref().expect("posted")
        );
        let second = world.add_invoice(&order).expect("the order is there");
        flow.round().await;
        assert_eq!(known_billing(&flow, &second).await, [shown]);
        let lines = world.invoice(&first).expect("it is there").lines.len();
        let billed = decided_from(&flow, &second).await.billed;
        let mut billed_lines: Vec<i64> = billed.iter().map(|of| of.line).collect();
        billed_lines.dedup();
        assert_eq!(billed_lines.len(), billed.len(), "each order line once: {billed:?}");
        assert!(billed.len() >= lines);
        assert!(billed.iter().all(|of| !of.by_hand));

        let (kind, number) = (posted.visma_type.unwrap(), posted.visma_number.unwrap());
        let void = ml_connector_sandbox::visma::HandChange::Status("Voided");
        assert!(flow.sandbox.visma().change_by_hand(&kind, &number, void));
        world.edit_invoice(&second, |paper| paper.due_on = None);
        flow.round().await;
        assert_eq!(known_billing(&flow, &second).await, Vec::<String>::new());
    }
}

/// A credit note is judged after the invoice that it takes back and is shown it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_is_shown_what_it_takes_back() {
    for test in stores::both().await {
        let flow = Flow::start(postable(4, 60), test).await;
        let world = flow.sandbox.world();
        flow.sync().await;
        let credits = flow.to_post(Kind::CreditNote);
        assert!(!credits.is_empty());
        for id in &credits {
            let (invoice, reference) = world.invoice(id).unwrap().credits.expect("it names one");
            let credited = decided_from(&flow, id).await.credited;
            let shown: Vec<_> =
                credited.iter().filter(|of| of.kind == InvoiceKind::Invoice).collect();
            assert_eq!(shown.len(), 1, "{credited:?}");
            assert_eq!(shown[0].reference.as_deref(), Some(reference.as_str()));
            let gross = world.invoice(&invoice).unwrap().gross;
            assert_eq!(shown[0].gross.amount(), gross);
        }
    }
}

/// The day is the company's: late in the evening of UTC it is the next one in Oslo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_of_arrival_is_the_companys() {
    let mut flow = Flow::start(postable(5, 4), stores::sqlite()).await;
    // So far apart that it is never the same day in both.
    let zone = |name: &str| jiff::tz::TimeZone::get(name).expect("a zone");
    flow.config.companies[0].time_zone = zone("Pacific/Kiritimati");
    flow.sync().await;
    let id = flow.to_post(Kind::SupplierInvoice).remove(0);
    // When it came to JAGGAER, not when we read it.
    let stamp = flow.sandbox.world().invoice(&id).expect("it is there").record.updated_ms;
    let at = jiff::Timestamp::from_millisecond(stamp).expect("an instant");
    let day = decided_from(&flow, &id).await.received_on;
    assert_eq!(day, Some(at.to_zoned(zone("Pacific/Kiritimati")).date()));
    assert_ne!(day, Some(at.to_zoned(zone("Pacific/Niue")).date()));
}

/// What the tampered source answers for its receipts and its contracts.
#[derive(Default)]
struct Lists {
    status: Option<u16>,
    receipts: Vec<Value>,
    contracts: Vec<Value>,
    /// Put on every line of every order.
    contract: Option<&'static str>,
}

/// A flow whose JAGGAER has receipts and contracts as the test says.
async fn with_lists(settings: Settings, test: stores::TestStore) -> (Flow, Arc<Mutex<Lists>>) {
    let mut flow = Flow::start(settings, test).await;
    let tamper = Tamper::before(flow.sandbox.jaggaer_url()).await;
    flow.config.sources[0].base_url.clone_from(&tamper.url);
    let lists = Arc::new(Mutex::new(Lists::default()));
    let shared = Arc::clone(&lists);
    tamper.set(move |_, path| {
        let lists = shared.lock().expect("no test panics in here");
        let rows = match path.split('?').next().unwrap_or_default().rsplit('/').next() {
            Some("receipts") => lists.receipts.clone(),
            Some("contracts") => lists.contracts.clone(),
            Some("purchase-orders") => {
                let contract = lists.contract;
                return Fate::Changed(Box::new(move |page| draw_on(page, contract)));
            }
            Some(_) | None => return Fate::Pass,
        };
        match lists.status {
            Some(status) => Fate::Answer(status, "{}"),
            None => Fate::Say(json!({ "items": rows, "nextCursor": null }).to_string()),
        }
    });
    (flow, lists)
}

fn draw_on(page: &mut Value, contract: Option<&str>) {
    for order in page["items"].as_array_mut().into_iter().flatten() {
        for line in order["lines"].as_array_mut().into_iter().flatten() {
            line["contractNumber"] = json!(contract);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_are_not_there_are_done_without() {
    for status in [404, 403] {
        let (flow, lists) = with_lists(postable(7, 6), stores::sqlite()).await;
        lists.lock().unwrap().status = Some(status);
        let report = flow.sync().await;
        assert_eq!(report.remarks.len(), 2, "{:?}", report.remarks);
        for name in ["`contracts`", "`receipts`"] {
            assert!(report.remarks.iter().any(|remark| remark.contains(name)), "{name}");
        }
        flow.assert_clean();
        let path = flow.folder.join("ml-connector.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace(&flow.sandbox.jaggaer_url(), &flow.config.sources[0].base_url);
        std::fs::write(&path, text).unwrap();
        let (shown, exit) = flow.run_json(&["ping"]).await;
        assert_eq!((exit, &shown["ok"]), (0, &json!(true)), "{shown}");
        let checks = shown["checks"].as_array().unwrap();
        let without =
            checks.iter().filter(|check| check["detail"].to_string().contains("optional"));
        assert_eq!(without.count(), 2, "{shown}");
        // Any other trouble of theirs is trouble.
        lists.lock().unwrap().status = Some(400);
        assert_eq!(flow.round().await.errors.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_and_contracts_reach_the_decision() {
    for test in stores::both().await {
        let (flow, lists) = with_lists(postable(8, 6), test).await;
        let world = flow.sandbox.world();
        let order = world.add_order(flow.vendor());
        let invoice = world.add_invoice(&order).expect("the order is there");
        let number = world.order(&order).expect("it is there").number;
        let receipt = |quantity: &str, at: &str| {
            json!({ "id": "7001", "receiptNumber": "R-7001", "receivedOn": "2026-10-02",
                "status": "Received", "updatedAt": at,
                "lines": [{ "poNumber": number, "poLineNumber": 1, "quantity": quantity }] })
        };
        {
            let mut lists = lists.lock().unwrap();
            lists.contract = Some("C-2025-014");
            lists.receipts = vec![receipt("1", "2026-10-02T08:00:00.000Z")];
            lists.contracts = vec![json!({ "id": "55810", "contractNumber": "C-2025-014",
                "supplier": { "id": "1" }, "status": "Executed",
                "updatedAt": "2026-06-01T00:00:00.000Z" })];
        }
        let report = flow.sync().await;
        assert_eq!(report.remarks, Vec::<String>::new());
        let history = decided_from(&flow, &invoice).await;
        assert_eq!(history.contracts["C-2025-014"].source_id, "55810");
        assert_eq!(history.source_receipts.len(), 1);
        assert_eq!(history.source_receipts[0].lines[0].order_number, number);

        // A later version takes the place of the first in the very round that brings it.
        lists.lock().unwrap().receipts = vec![receipt("2", "2026-10-03T08:00:00.000Z")];
        world.edit_invoice(&invoice, |paper| paper.due_on = None);
        flow.round().await;
        let history = decided_from(&flow, &invoice).await;
        assert_eq!(history.source_receipts.len(), 1);
        let quantity = history.source_receipts[0].lines[0].quantity;
        assert_eq!(quantity, Some(rust_decimal::Decimal::TWO));
    }
}
