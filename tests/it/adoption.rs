//! What stands in Visma already is taken as it is, not made again.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::{DocumentState, Store};
use ml_connector_sandbox::world::{Fate, Kind, OrderChange, World};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_keyed_in_is_adopted_and_invoices_link_to_it() {
    for test in stores::both().await {
        let flow = Flow::start(postable(9, 60), test).await;
        let world = flow.sandbox.world();
        let adopted: Vec<(Kind, String)> = world
            .expectations()
            .into_iter()
            .filter(|of| matches!(of.fate, Fate::Adopted(_)))
            .map(|of| (of.kind, of.source_id))
            .collect();
        // What an invoice bills already would be billed twice.
        let billed = orders_billed(world);
        let order = &adopted
            .iter()
            .find(|(kind, id)| *kind == Kind::PurchaseOrder && !billed.contains(id))
            .expect("one that nothing bills")
            .1;
        let invoice = &adopted.iter().find(|(kind, _)| *kind != Kind::PurchaseOrder).unwrap().1;
        let on_it = world.add_invoice(order).expect("the order exists");
        flow.sync().await;
        flow.assert_clean();
        for id in [order, invoice] {
            assert_eq!(flow.state(id).await, DocumentState::Posted);
            assert!(flow.actions(id).await.contains(&"adopted".to_owned()));
            let stands = flow.in_visma(id).await;
            assert!(stands.keyed, "{stands:?}");
            // Nothing was sent.
            assert!(flow.postings(id).await.iter().all(|row| row.body.is_none()));
        }
        let number = flow.document(order).await.visma_number;
        let lines = flow.erp_invoice(&on_it).await.lines;
        assert!(lines.iter().all(|line| line.order_number == number && line.order_line.is_some()));
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);

        // What was adopted is ours from now on: a change order patches its line.
        let quantity = Decimal::from(123);
        world.change_order(order, &OrderChange::Quantity { line: 0, quantity });
        flow.sync().await;
        assert_eq!(flow.state(order).await, DocumentState::Posted);
        assert_eq!(flow.writes(), writes + 1);
        let lines = flow.erp_order(order).await.lines;
        assert_eq!(lines.len(), world.order(order).unwrap().lines.len());
        assert_eq!(lines.iter().filter(|line| line.quantity == Some(quantity)).count(), 1);
    }
}

/// The ids of the orders that invoices of the world bill.
fn orders_billed(world: &World) -> BTreeSet<String> {
    let documents = world.expectations().into_iter();
    let invoices = documents.filter_map(|of| world.invoice(&of.source_id));
    let lines = invoices.flat_map(|invoice| invoice.lines);
    lines.filter_map(|line| line.bills).map(|key| key.order_id).collect()
}

/// The files of an SQLite store beside `at`.
fn files(at: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", at.display())))
}

fn copy(from: &Path, to: &Path) {
    for (from, to) in files(from).iter().zip(files(to)) {
        let _ = std::fs::remove_file(&to);
        if from.exists() {
            std::fs::copy(from, to).expect("the store's file can be copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_store_put_back_finds_its_own_documents_again() {
    let mut flow = Flow::start(postable(7, 20), stores::sqlite()).await;
    let world = std::sync::Arc::clone(flow.sandbox.world());
    let at = PathBuf::from(flow.test.url.strip_prefix("sqlite:").unwrap());
    let kept = flow.folder.join("kept.db");
    flow.sync().await;
    let before = flow.documents().await.len();

    reopened(&mut flow, || copy(&at, &kept)).await;
    // After the copy: new documents, and changes of old ones.
    let changed = flow.to_post(Kind::PurchaseOrder).remove(0);
    let quantity = Decimal::from(99);
    world.change_order(&changed, &OrderChange::Quantity { line: 0, quantity });
    world.edit_order(&changed, |order| {
        let mut line = order.lines[0].clone();
        (line.id, line.number) = ("77001".into(), order.lines.len() as u32 + 1);
        order.lines.push(line);
        order.revision += 1;
        order.total_up();
    });
    world.expect_posted(&changed);
    let orders: Vec<String> = (0..4).map(|_| world.add_order(flow.vendor())).collect();
    let invoices: Vec<String> =
        orders.iter().map(|order| world.add_invoice(order).unwrap()).collect();
    flow.sync().await;
    flow.assert_clean();
    let (after, writes) = (flow.documents().await.len(), flow.writes());
    assert_eq!(after, before + 8);

    reopened(&mut flow, || copy(&kept, &at)).await;
    assert_eq!(flow.documents().await.len(), before);
    flow.sync().await;
    flow.assert_clean();
    assert_eq!(flow.sandbox.report().visma.repeated, Vec::<String>::new());
    assert_eq!(flow.documents().await.len(), after);
    for id in orders.iter().chain(&invoices) {
        assert_eq!(flow.state(id).await, DocumentState::Posted);
        assert!(flow.actions(id).await.contains(&"adopted".to_owned()), "{id}");
        assert!(!flow.in_visma(id).await.keyed);
    }
    assert_eq!(flow.state(&changed).await, DocumentState::Posted);
    assert_eq!(flow.writes(), writes, "everything was there already");
    flow.assert_trail().await;

    // What is taken back this way is as good as made: a change is carried over.
    let quantity = Decimal::from(5);
    world.change_order(&orders[0], &OrderChange::Quantity { line: 0, quantity });
    flow.sync().await;
    flow.assert_clean();
}

/// Closes the store, does something to its files, opens it again.
async fn reopened(flow: &mut Flow, work: impl FnOnce()) {
    let aside = stores::sqlite();
    flow.store = Store::open(&aside.url).await.expect("the store opens");
    // The last connection of the store that was let go closes in the background.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    work();
    flow.store = Store::open(&flow.test.url).await.expect("the store opens");
}

/// JAGGAER changed a document between its posting and the store's being put back: that what stands
/// in Visma is not what JAGGAER says now is not passed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_store_finds_again_is_compared_with_what_jaggaer_says_now() {
    let mut flow = Flow::start(postable(7, 5), stores::sqlite()).await;
    let world = std::sync::Arc::clone(flow.sandbox.world());
    let at = PathBuf::from(flow.test.url.strip_prefix("sqlite:").unwrap());
    let kept = flow.folder.join("kept.db");
    flow.sync().await;
    reopened(&mut flow, || copy(&at, &kept)).await;
    let order = world.add_order(flow.vendor());
    let invoice = world.add_invoice(&order).unwrap();
    flow.sync().await;
    flow.assert_clean();
    let (writes, stands) = (flow.writes(), flow.in_visma(&invoice).await);
    let quantity = Decimal::from(77);
    world.change_order(&order, &OrderChange::Quantity { line: 0, quantity });
    let price = world.invoice(&invoice).unwrap().lines[0].price + Decimal::ONE;
    world.change_invoice_amount(&invoice, price);
    reopened(&mut flow, || copy(&kept, &at)).await;
    let report = flow.sync().await;
    assert_eq!((report.totals.in_flight, report.totals.uncertain), (0, 0));
    assert_eq!(flow.sandbox.report().visma.repeated, Vec::<String>::new());
    assert_eq!(flow.in_visma(&invoice).await, stands);
    assert_eq!(flow.writes(), writes);
    for id in [&order, &invoice] {
        let document = flow.document(id).await;
        assert_eq!(document.state, DocumentState::Posted);
        let attention = document.attention.expect("it differs");
        assert!(attention.contains("Visma"), "{attention}");
    }
}
