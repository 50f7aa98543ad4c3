//! Both simulators over one world, each on a listener of its own.

use crate::faults::{Faults, Level, Switchboard, cable};
use crate::jaggaer::{self, Board, Jaggaer};
use crate::visma::masters::{KeyedInvoice, KeyedLine, KeyedOrder, Masters, Supplier};
use crate::visma::{self, DocumentKind, ExpectedDocument, Findings, Visma};
use crate::world::{self, Expectation, ExpectedLine, Fate, Kind, World};
use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How the sandbox is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub world: world::Settings,
    pub profile: jaggaer::Profile,
    pub faults: Level,
    /// Every answer of either side waits so long.
    pub answer_after: Duration,
    pub visma_listen: SocketAddr,
    pub jaggaer_listen: SocketAddr,
    pub visma: visma::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            world: world::Settings::default(),
            profile: jaggaer::Profile::Default,
            faults: Level::None,
            answer_after: Duration::ZERO,
            visma_listen: any,
            jaggaer_listen: any,
            visma: visma::Settings::defaults(),
        }
    }
}

/// Both simulators, running until dropped.
pub struct Sandbox {
    world: Arc<World>,
    visma: Arc<Visma>,
    jaggaer: Arc<Jaggaer>,
    board: Arc<Switchboard>,
    jaggaer_board: Arc<Board>,
    visma_url: String,
    jaggaer_url: String,
    serving: Vec<JoinHandle<io::Result<()>>>,
}

/// What the sandbox itself knows, whatever the connector says.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Documents by what must become of them.
    pub expected: BTreeMap<&'static str, usize>,
    pub planted: Vec<PlantedHold>,
    pub findings: Findings,
    pub visma: visma::Report,
    pub jaggaer: jaggaer::Calls,
}

/// A document that must be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlantedHold {
    pub kind: Kind,
    pub source_id: String,
    pub code: &'static str,
    /// Another code that shows the same fault where the profile does not carry the first's field.
    pub or: Option<&'static str>,
    /// The other document of a pair of which either is posted and the other held.
    pub twin: Option<String>,
}

impl Sandbox {
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let world = Arc::new(World::generate(&settings.world));
        let seed = settings.world.seed;
        let board = Arc::new(Switchboard::new(Faults::level(settings.faults, seed)));
        let scale = match settings.faults {
            Level::None => 0,
            Level::Some => 1,
            Level::Many => 3,
        };
        let jaggaer_board = Arc::new(Board::new(jaggaer::Faults::scaled(scale, seed)));
        let visma_settings = visma::Settings {
            seed,
            answer_after: settings.answer_after,
            ..settings.visma
        };
        let visma = Visma::new(visma_settings, masters(&world), Arc::clone(&board));
        let jaggaer_settings = jaggaer::Settings {
            profile: settings.profile,
            answer_after: settings.answer_after,
            ..jaggaer::Settings::defaults()
        };
        let jaggaer = Jaggaer::new(jaggaer_settings, Arc::clone(&world), Arc::clone(&jaggaer_board));

        let visma_listener = TcpListener::bind(settings.visma_listen).await?;
        let jaggaer_listener = TcpListener::bind(settings.jaggaer_listen).await?;
        let visma_url = format!("http://{}", visma_listener.local_addr()?);
        let jaggaer_url = format!("http://{}", jaggaer_listener.local_addr()?);
        let desk = Desk {
            world: Arc::clone(&world),
            visma: Arc::clone(&visma),
            jaggaer: Arc::clone(&jaggaer),
            board: Arc::clone(&board),
        };
        let control = Router::new()
            .route("/sandbox/report", get(report))
            .route("/sandbox/faults", put(set_faults))
            .with_state(desk);
        let serving = vec![
            tokio::spawn(cable::serve(visma_listener, control.merge(visma.router()))),
            tokio::spawn(cable::serve(jaggaer_listener, jaggaer.router())),
        ];
        Ok(Self { world, visma, jaggaer, board, jaggaer_board, visma_url, jaggaer_url, serving })
    }

    pub fn visma_url(&self) -> &str {
        &self.visma_url
    }

    pub fn jaggaer_url(&self) -> &str {
        &self.jaggaer_url
    }

    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub fn visma(&self) -> &Arc<Visma> {
        &self.visma
    }

    pub fn jaggaer(&self) -> &Arc<Jaggaer> {
        &self.jaggaer
    }

    /// Visma's switchboard.
    pub fn board(&self) -> &Arc<Switchboard> {
        &self.board
    }

    pub fn jaggaer_board(&self) -> &Arc<Board> {
        &self.jaggaer_board
    }

    pub fn report(&self) -> Report {
        make_report(&self.world, &self.visma, &self.jaggaer)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.serving {
            task.abort();
        }
    }
}

#[derive(Clone)]
struct Desk {
    world: Arc<World>,
    visma: Arc<Visma>,
    jaggaer: Arc<Jaggaer>,
    board: Arc<Switchboard>,
}

async fn report(State(desk): State<Desk>) -> Json<Report> {
    Json(make_report(&desk.world, &desk.visma, &desk.jaggaer))
}

async fn set_faults(State(desk): State<Desk>, Json(faults): Json<Faults>) {
    desk.board.set(faults);
}

fn make_report(world: &World, visma: &Visma, jaggaer: &Jaggaer) -> Report {
    let expectations = world.expectations();
    let mut expected: BTreeMap<&'static str, usize> = BTreeMap::new();
    for expectation in &expectations {
        let fate = match expectation.fate {
            Fate::Posted(_) => "posted",
            Fate::Adopted(_) => "adopted",
            Fate::Held(_) => "held",
            Fate::Ignored => "ignored",
            Fate::Waiting => "waiting",
            Fate::NotRipe => "not_ripe",
        };
        *expected.entry(fate).or_default() += 1;
    }
    let documents: Vec<ExpectedDocument> = world.expected_documents().iter().map(document).collect();
    Report {
        expected,
        planted: expectations.iter().filter_map(planted).collect(),
        findings: visma.check(&documents),
        visma: visma.report(),
        jaggaer: jaggaer.calls(),
    }
}

fn planted(expectation: &Expectation) -> Option<PlantedHold> {
    let Fate::Held(plant) = &expectation.fate else { return None };
    Some(PlantedHold {
        kind: expectation.kind,
        source_id: expectation.source_id.clone(),
        code: plant.code,
        or: plant.or,
        twin: expectation.twin.clone(),
    })
}

fn document(expected: &world::ExpectedDocument) -> ExpectedDocument {
    let mut lines: Vec<(String, String, String, i64)> = expected
        .lines
        .iter()
        .map(|line| {
            (line.account.clone(), line.subaccount.clone(), line.vat_category.clone(), line.cost_minor)
        })
        .collect();
    lines.sort();
    ExpectedDocument {
        kind: match expected.kind {
            Kind::PurchaseOrder => DocumentKind::Order,
            Kind::SupplierInvoice => DocumentKind::Invoice,
            Kind::CreditNote => DocumentKind::CreditNote,
        },
        supplier: expected.supplier.clone(),
        reference: expected.reference.clone(),
        currency: expected.currency.clone(),
        total_minor: expected.amount_minor,
        lines,
    }
}

/// The company's fixed facts with the world's suppliers and hand-keyed documents.
fn masters(world: &World) -> Masters {
    let mut masters = visma::masters::nordlys();
    masters.suppliers = world
        .visma_suppliers()
        .into_iter()
        .map(|supplier| Supplier {
            number: supplier.number,
            name: supplier.name,
            status: supplier.status.to_owned(),
            corporate_id: supplier.corporate_id,
            vat_registration_id: supplier.vat_registration_id,
            vat_zone: supplier.vat_zone.to_owned(),
            currency: supplier.currency.to_owned(),
            credit_terms: supplier.credit_terms,
            country: supplier.country.to_owned(),
        })
        .collect();
    masters.orders = world
        .hand_keyed_orders()
        .iter()
        .map(|order| KeyedOrder {
            supplier: order.document.supplier.clone(),
            supplier_reference: Some(order.document.reference.clone()),
            description: None,
            ordered_on: order.ordered_on,
            currency: order.document.currency.clone(),
            branch: "1".into(),
            status: "Open".into(),
            lines: order
                .lines
                .iter()
                .map(|line| KeyedLine {
                    description: line.description.clone(),
                    item: Some("TJENESTE".into()),
                    quantity: line.quantity,
                    unit: line.unit.clone(),
                    unit_cost: line.unit_cost,
                    account: line.expected.account.clone(),
                    segments: segments(&line.expected),
                    vat_category: line.expected.vat_category.clone(),
                })
                .collect(),
        })
        .collect();
    masters.invoices = world
        .hand_keyed_invoices()
        .iter()
        .map(|invoice| KeyedInvoice {
            document_type: match invoice.document.kind {
                Kind::CreditNote => "DebitAdj".into(),
                Kind::SupplierInvoice | Kind::PurchaseOrder => "Invoice".into(),
            },
            supplier: invoice.document.supplier.clone(),
            supplier_reference: Some(invoice.document.reference.clone()),
            description: None,
            document_on: invoice.invoiced_on,
            currency: invoice.document.currency.clone(),
            branch: "1".into(),
            status: "Balanced".into(),
            lines: invoice
                .document
                .lines
                .iter()
                .map(|line| KeyedLine {
                    description: "Keyed by hand".into(),
                    item: None,
                    quantity: Decimal::ONE,
                    unit: "STK".into(),
                    unit_cost: major(line.cost_minor, &invoice.document.currency),
                    account: line.account.clone(),
                    segments: segments(line),
                    vat_category: line.vat_category.clone(),
                })
                .collect(),
        })
        .collect();
    masters
}

/// `110-P-2031` is segment 1 `110` and segment 2 `P-2031`.
fn segments(line: &ExpectedLine) -> Vec<(i64, String)> {
    let (first, second) = line.subaccount.split_once('-').unwrap_or((&line.subaccount, "000000"));
    vec![(1, first.to_owned()), (2, second.to_owned())]
}

fn major(minor: i64, currency: &str) -> Decimal {
    Decimal::new(minor, if currency == "ISK" { 0 } else { 2 })
}
