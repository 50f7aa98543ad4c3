//! Documents that wait move by themselves when what they wait for comes.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::{DocumentState, Step};
use ml_connector_sandbox::world::{Fate, Kind};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_waits_for_its_order_and_posts_when_it_comes() {
    for test in stores::both().await {
        let mut settings = postable(3, 40);
        settings.world.plant_waiting = true;
        let flow = Flow::start(settings, test).await;
        let world = flow.sandbox.world();
        let waiting: Vec<String> = world
            .expectations()
            .into_iter()
            .filter(|of| of.fate == Fate::Waiting)
            .map(|of| of.source_id)
            .collect();
        assert_eq!(waiting.len(), 2);
        let report = flow.sync().await;
        assert_eq!((report.totals.in_flight, report.totals.held), (2, 0));
        flow.assert_clean();
        for id in &waiting {
            let document = flow.document(id).await;
            assert_eq!(document.state, DocumentState::Waiting);
            let order = world.invoice(id).unwrap().lines[0].bills.clone().unwrap().order_number;
            let text = document.waiting.unwrap();
            assert!(text.contains(&order), "{text}");
        }
        // Waiting costs nothing but the looks at the lists, and says nothing twice.
        let writes = flow.writes();
        let entries = flow.actions(&waiting[0]).await.len();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
        assert_eq!(flow.actions(&waiting[0]).await.len(), entries);

        assert_eq!(world.deliver_hidden_orders(), 2);
        let report = flow.sync().await;
        assert_eq!((report.totals.in_flight, report.totals.held), (0, 0));
        flow.assert_clean();
        for id in &waiting {
            assert_eq!(flow.state(id).await, DocumentState::Posted);
            let order = world.invoice(id).unwrap().lines[0].bills.clone().unwrap().order_id;
            let number = flow.document(&order).await.visma_number;
            let lines = flow.erp_invoice(id).await.lines;
            assert!(lines.iter().all(|line| line.order_number == number));
        }
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ripe_is_posted_when_it_is_approved() {
    for test in stores::both().await {
        let mut settings = postable(8, 60);
        settings.world.plant_not_ripe = true;
        let flow = Flow::start(settings, test).await;
        let world = flow.sandbox.world();
        let unripe: Vec<String> = world
            .expectations()
            .into_iter()
            .filter(|of| of.fate == Fate::NotRipe)
            .map(|of| of.source_id)
            .collect();
        assert!(unripe.len() >= 2);
        let report = flow.sync().await;
        assert_eq!(report.totals.in_flight, unripe.len() as i64);
        for id in &unripe {
            assert_eq!(flow.state(id).await, DocumentState::Waiting, "{id}");
            assert!(flow.postings(id).await.is_empty());
            assert!(world.approve(id));
        }
        let report = flow.sync().await;
        assert_eq!((report.totals.in_flight, report.totals.held), (0, 0));
        flow.assert_clean();
    }
}

/// The order is held, its invoice waits; with the order put right both go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_waits_while_its_order_is_held() {
    for test in stores::both().await {
        let flow = Flow::start(postable(1, 1), test).await;
        let world = flow.sandbox.world();
        let order = world.add_order(flow.vendor());
        let invoice = world.add_invoice(&order).unwrap();
        let cost_center = world.order(&order).unwrap().lines[0].shares[0].cost_center.clone();
        world.edit_order(&order, |order| order.lines[0].shares[0].cost_center = "999".into());
        flow.sync().await;
        assert_eq!(flow.codes(&order).await, ["segment_unknown"]);
        assert_eq!(flow.state(&invoice).await, DocumentState::Waiting);
        world.edit_order(&order, |order| {
            order.lines[0].shares[0].cost_center = cost_center;
            order.revision += 1;
        });
        flow.sync().await;
        for id in [&order, &invoice] {
            assert_eq!(flow.state(id).await, DocumentState::Posted);
        }
        flow.assert_clean();
    }
}

/// A stock line may be billed only through a receipt: its invoice waits until the goods are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_of_goods_waits_for_its_receipt_and_is_linked_to_it() {
    for test in stores::both().await {
        let mut flow = Flow::start(postable(12, 12), test).await;
        for connection in &mut flow.config.connections {
            connection.rules.orders.line_type = "GoodsForInventory".into();
            connection.rules.orders.inventory = Some("LAGER-1".into());
        }
        flow.sync().await;
        let mut of_goods = Vec::new();
        for invoice in flow.to_post(Kind::SupplierInvoice) {
            let document = flow.document(&invoice).await;
            if document.state == DocumentState::Waiting {
                let waiting = document.waiting.unwrap_or_default();
                assert!(waiting.contains("receipt"), "{waiting}");
                of_goods.push(invoice);
            }
        }
        assert!(!of_goods.is_empty(), "some invoices bill orders");
        for order in flow.to_post(Kind::PurchaseOrder) {
            let number = flow.document(&order).await.visma_number.expect("it is posted");
            assert!(flow.sandbox.visma().receive(&number));
        }
        flow.sync().await;
        for invoice in of_goods {
            assert_eq!(flow.state(&invoice).await, DocumentState::Posted);
            let body = flow.bodies(&invoice, Step::Create).await.remove(0).to_string();
            assert!(
                body.contains("PurchaseReceipt") && !body.contains("\"PurchaseOrder\""),
                "{body}"
            );
        }
        flow.assert_clean();
    }
}
