//! An order and the invoice on it travel from JAGGAER into Visma, once, to the øre.

use crate::flow::{Flow, postable};
use crate::stores;
use ml_connector::store::{DocumentState, PostingState, Step};
use ml_connector_sandbox::visma::DocumentKind;
use ml_connector_sandbox::world::document::Share;
use ml_connector_sandbox::world::{Fate, Kind};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

fn share(percent: i64, account: &str, cost_center: &str, project: Option<&str>) -> Share {
    Share {
        percent: Decimal::from(percent),
        amount: Decimal::ZERO,
        account: account.into(),
        cost_center: cost_center.into(),
        project: project.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_and_its_invoice_stand_in_visma_to_the_minor_unit() {
    for test in stores::both().await {
        let flow = Flow::start(postable(1, 1), test).await;
        let world = flow.sandbox.world();
        let order = world.add_order(flow.vendor());
        // 3 at 33.35 make 100.05, a third of it on one department: 33.02 and 67.03.
        world.edit_order(&order, |order| {
            order.lines.truncate(1);
            let line = &mut order.lines[0];
            (line.quantity, line.price, line.basis) =
                (Decimal::from(3), Decimal::new(3335, 2), Decimal::ONE);
            (line.tax_code, line.rate) = ("NO-25".into(), Decimal::from(25));
            line.shares =
                vec![share(33, "6540", "110", None), share(67, "6540", "120", Some("P-2031"))];
            line.price_out("NOK");
            order.total_up();
        });
        world.expect_posted(&order);
        let invoice = world.add_invoice(&order).expect("the order exists");

        let report = flow.sync().await;
        assert_eq!((report.totals.posted, report.totals.received), (4, 4));
        flow.assert_clean();

        let lines = vec![
            ("6540".to_owned(), "110-000000".to_owned(), "K25".to_owned(), 3302),
            ("6540".to_owned(), "120-P-2031".to_owned(), "K25".to_owned(), 6703),
        ];
        let stands = flow.in_visma(&order).await;
        assert_eq!((&stands.document.lines, stands.document.total_minor), (&lines, 10_005));
        assert_eq!((stands.document.kind, stands.status.as_str()), (DocumentKind::Order, "Hold"));
        let stands = flow.in_visma(&invoice).await;
        // VAT 25.0125 is 25.01.
        assert_eq!((&stands.document.lines, stands.document.total_minor), (&lines, 12_506));
        assert_eq!((stands.status.as_str(), stands.live), ("Hold", true));
        assert_eq!(stands.document.reference, world.invoice(&invoice).unwrap().reference.unwrap());

        // The key that it will be known by, whatever happens to this store.
        let postings = flow.postings(&invoice).await;
        assert_eq!(postings.len(), 1);
        assert_eq!((postings[0].step, postings[0].state), (Step::Create, PostingState::Verified));
        assert!(stands.own_text.unwrap().contains(&postings[0].our_key));
        assert_eq!(postings[0].attempts, 1);

        // Each line bills the line of the order that it stands on.
        let order_number = flow.document(&order).await.visma_number;
        let ordered = flow.erp_order(&order).await;
        for line in flow.erp_invoice(&invoice).await.lines {
            assert_eq!(line.order_number, order_number);
            let of = ordered.lines.iter().find(|of| Some(of.number) == line.order_line).unwrap();
            assert_eq!((of.amount, &of.segments), (Some(line.cost), &line.segments));
        }

        assert_eq!(
            flow.actions(&invoice).await,
            ["received", "planned", "create_intended", "create_done", "posted", "verified"]
        );
        flow.assert_trail().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_sync_posts_nothing_and_asks_little() {
    for test in stores::both().await {
        let flow = Flow::start(postable(2, 40), test).await;
        let first = flow.sync().await;
        assert_eq!(first.totals.in_flight, 0);
        let (writes, jaggaer) = (flow.writes(), flow.sandbox.jaggaer().calls().total());
        let second = flow.sync().await;
        assert_eq!(second.totals, first.totals);
        assert_eq!(flow.writes(), writes);
        // The reference data and the deltas of four lists; one sign-in and five lists.
        assert!(second.requests.visma <= 16, "{:?}", second.requests);
        let asked = flow.sandbox.jaggaer().calls().total() - jaggaer;
        assert!(asked <= 6, "{asked}");
        flow.assert_clean();
        flow.assert_trail().await;
    }
}

/// Credit notes, splits, several orders on one invoice, charges: whatever the world draws.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sort_of_invoice_stands_as_its_paper_says() {
    for test in stores::both().await {
        let flow = Flow::start(postable(4, 120), test).await;
        let report = flow.sync().await;
        assert_eq!(flow.wrongly_held().await, Vec::<String>::new());
        assert_eq!((report.totals.in_flight, report.totals.held), (0, 0));
        flow.assert_clean();
        let (mut credits, mut several, mut split, mut charged) = (0, 0, 0, 0);
        for kind in [Kind::SupplierInvoice, Kind::CreditNote] {
            for id in flow.to_post(kind) {
                let paper = flow.sandbox.world().invoice(&id).unwrap();
                let stands = flow.erp_invoice(&id).await;
                assert!(!stands.gross.amount().is_sign_negative());
                if paper.credit {
                    credits += 1;
                    assert_eq!(stands.document_type, "DebitAdj");
                    let row = flow.document(&id).await;
                    assert_eq!(row.amount_minor, Some(-stands.gross.minor));
                    let note = flow.bodies(&id, Step::Create).await.remove(0);
                    let text = note["description"]["value"].as_str().unwrap().to_owned();
                    assert!(text.contains(&paper.credits.unwrap().1), "{text}");
                    continue;
                }
                let shares: usize = paper.lines.iter().map(|line| line.shares.len()).sum();
                split += usize::from(shares > paper.lines.len());
                charged += usize::from(stands.lines.len() > shares);
                let mut billed = BTreeSet::new();
                for line in &paper.lines {
                    if let Some(bills) = &line.bills {
                        billed.extend(flow.document(&bills.order_id).await.visma_number);
                    }
                }
                let linked: BTreeSet<String> =
                    stands.lines.iter().filter_map(|line| line.order_number.clone()).collect();
                assert_eq!(linked, billed, "{id}");
                several += usize::from(billed.len() > 1);
            }
        }
        assert!(
            credits > 3 && several > 0 && split > 3 && charged > 3,
            "{credits} {several} {split} {charged}"
        );
        // Credit notes count against the sum.
        let world = flow.sandbox.world();
        let posted: Decimal = world
            .expectations()
            .into_iter()
            .filter(|of| matches!(of.fate, Fate::Posted(_) | Fate::Adopted(_)))
            .filter_map(|of| world.invoice(&of.source_id))
            .filter(|invoice| invoice.currency == "NOK")
            .map(|invoice| if invoice.credit { -invoice.gross } else { invoice.gross })
            .sum();
        let sums = &report.totals.money;
        let sum = sums.iter().find(|sum| sum.of == "invoices" && sum.currency == "NOK").unwrap();
        assert_eq!(sum.posted.parse::<Decimal>(), Ok(posted));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_along_and_the_document_is_released_when_the_connection_says_so() {
    for test in stores::both().await {
        let mut settings = postable(6, 30);
        settings.world.attachments = true;
        let mut flow = Flow::start(settings, test).await;
        flow.config.connections[0].rules.invoices.mode =
            ml_connector::procurement::PostingMode::Released;
        let report = flow.sync().await;
        assert_eq!(report.totals.in_flight, 0);
        flow.assert_clean();
        let mut files = 0;
        for id in flow.to_post(Kind::SupplierInvoice) {
            let paper = flow.sandbox.world().invoice(&id).unwrap();
            let stands = flow.in_visma(&id).await;
            assert_eq!(stands.status, "Open", "{id}");
            assert!(stands.batch.is_some());
            assert_eq!(flow.state(&id).await, DocumentState::Posted);
            let names: Vec<String> =
                paper.attachments.iter().map(|file| file.file_name.clone()).collect();
            files += names.len();
            assert_eq!(flow.erp_invoice(&id).await.attachments.len(), names.len(), "{names:?}");
        }
        assert!(files > 2, "{files}");
        assert_eq!(flow.sandbox.report().visma.attachments, files);
        let writes = flow.writes();
        flow.sync().await;
        assert_eq!(flow.writes(), writes);
    }
}
