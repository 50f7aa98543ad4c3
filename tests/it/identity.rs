//! What makes a document or a company the same one, and what must not be taken for it.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::DocumentState;
use ml_connector_sandbox::world::Kind;

/// Invoices name an order by its number: two orders with one number are one too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_order_document_with_a_number_that_came_before_is_held() {
    for test in stores::both().await {
        let flow = Flow::start(postable(3, 4), test).await;
        let orders = flow.to_post(Kind::PurchaseOrder);
        let (first, second) = (&orders[0], &orders[1]);
        let world = flow.sandbox.world();
        let mut number = String::new();
        world.edit_order(first, |order| number = order.number.clone());
        world.edit_order(second, |order| order.number = number.clone());
        flow.sync().await;
        let states = [flow.state(first).await, flow.state(second).await];
        assert!(states.contains(&DocumentState::Posted), "{states:?}");
        assert!(states.contains(&DocumentState::Held), "{states:?}");
        let held = if states[0] == DocumentState::Held { first } else { second };
        let holds = flow.holds(held).await;
        assert_eq!(holds[0].code, "duplicate");
        assert!(holds[0].text.contains(&number), "{}", holds[0].text);
        assert_eq!(flow.bodies(held, ml_connector::store::Step::Create).await.len(), 0);
    }
}

/// A company id that is pointed at another tenant would mix two companies' documents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_under_a_known_company_id_is_refused_in_words() {
    let mut flow = Flow::start(postable(4, 2), stores::sqlite()).await;
    flow.sync().await;
    let writes = flow.writes();
    flow.config.companies[0].tenant_id = "33333333-3333-4333-8333-333333333333".into();
    let report = flow.round().await;
    assert!(
        report.errors.iter().any(|error| error.contains("give another tenant another id")),
        "{:?}",
        report.errors
    );
    assert_eq!(flow.writes(), writes);
}

/// Another address or profile may show what the old one did not: its lists are read from the
/// beginning, and what is known already is not taken twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_profile_reads_the_lists_again_and_takes_nothing_twice() {
    let mut flow = Flow::start(postable(5, 6), stores::sqlite()).await;
    let before = flow.sync().await.totals;
    let profile = include_str!("../../profiles/default.toml");
    let touched = flow.folder.join("touched.toml");
    std::fs::write(&touched, format!("{profile}\n# another version\n")).unwrap();
    flow.config.sources[0].profile = touched.display().to_string();
    let lists = flow.sandbox.jaggaer().calls().list;
    let after = flow.sync().await.totals;
    assert!(flow.sandbox.jaggaer().calls().list > lists);
    assert_eq!(after, before);
    flow.assert_clean();
}
