//! Both simulators on their listeners, made from one world, and the report of what came of it.

use crate::faults::cable::{Cable, CableListener};
use crate::faults::{Faults, Level, Switchboard};
use crate::jaggaer::{self, Jaggaer};
use crate::seeding::masters;
use crate::visma::{self, DocumentKind, Visma};
use crate::world::{self, ExpectedDocument, Fate, Kind, World};
use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a sandbox is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    pub world: world::Settings,
    /// Which layout JAGGAER serves.
    pub profile: jaggaer::Profile,
    pub faults: Level,
    /// Every answer of both waits so long.
    pub latency_ms: u64,
    /// Port 0: any free one.
    pub visma_listen: SocketAddr,
    pub jaggaer_listen: SocketAddr,
    /// Of JAGGAER's sign-in, in a layout that has it elsewhere.
    pub login_listen: SocketAddr,
    pub visma: visma::Settings,
    pub jaggaer: jaggaer::Settings,
}

impl Default for Settings {
    /// The demonstration: 100 orders and 100 invoices, no faults, any free ports of this machine.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            world: world::Settings::default(),
            profile: jaggaer::Profile::Default,
            faults: Level::None,
            latency_ms: 0,
            visma_listen: any,
            jaggaer_listen: any,
            login_listen: any,
            visma: visma::Settings::defaults(),
            jaggaer: jaggaer::Settings::defaults(),
        }
    }
}

/// Documents that must end in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub posted: usize,
    pub adopted: usize,
    pub held: usize,
    pub ignored: usize,
    pub waiting: usize,
    pub not_ripe: usize,
}

/// A document that was made unpostable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlantedHold {
    pub kind: Kind,
    pub source_id: String,
    pub number: String,
    /// Must be among the codes of the document's holds.
    pub code: &'static str,
    /// Shows the same fault, and will do in its place.
    pub or_code: Option<&'static str>,
    /// Either this document or that one is held, and the other posted.
    pub or_source_id: Option<String>,
}

/// What should have come, and what Visma found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub expected: BTreeMap<Kind, Expected>,
    pub planted_holds: Vec<PlantedHold>,
    /// Against everything that must be posted or adopted, as Visma itself sees it.
    pub findings: visma::Findings,
    pub visma: visma::Report,
    /// Each company by itself: of several offices the first is the one above.
    pub companies: Vec<CompanyReport>,
    pub jaggaer_calls: jaggaer::Calls,
    pub jaggaer_faults: BTreeMap<jaggaer::Fault, u32>,
}

/// One office's company.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyReport {
    pub tenant: String,
    /// Orders, invoices and credit notes that must stand there.
    pub expected: usize,
    pub findings: visma::Findings,
    pub calls: visma::Calls,
}

/// The running sandbox. Dropped, both listeners close.
pub struct Sandbox {
    sides: Arc<Sides>,
    /// In the order of the offices.
    visma_at: Vec<SocketAddr>,
    jaggaer_at: SocketAddr,
    login_at: SocketAddr,
    profile: jaggaer::Profile,
    tasks: Vec<JoinHandle<io::Result<()>>>,
}

struct Sides {
    world: Arc<World>,
    /// At least one.
    companies: Vec<Company>,
    jaggaer: Arc<Jaggaer>,
    jaggaer_board: Arc<jaggaer::Board>,
}

/// The Visma company of one office.
struct Company {
    tenant: String,
    visma: Arc<Visma>,
    board: Arc<Switchboard>,
}

/// The tenant of an office's company. No two have the same.
fn tenant(first: &str, office: usize) -> String {
    match office {
        0 => first.to_owned(),
        _ => format!("{}{:02}", &first[..first.len() - 2], 11 + office),
    }
}

impl Sandbox {
    /// Makes the world and opens both listeners.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let seed = settings.world.seed;
        let latency = Duration::from_millis(settings.latency_ms);
        let world = Arc::new(World::generate(&settings.world));
        let scale = match settings.faults {
            Level::None => 0,
            Level::Some => 1,
            Level::Many => 3,
        };
        let jaggaer_board = Arc::new(jaggaer::Board::new(jaggaer::Faults::scaled(scale, seed)));
        let offices = settings.world.companies.max(1);
        let companies: Vec<Company> = (0..offices)
            .map(|office| {
                let tenant = tenant(&settings.visma.tenants.company, office);
                let board = Arc::new(Switchboard::new(Faults::level(settings.faults, seed)));
                let tenants =
                    visma::Tenants { company: tenant.clone(), ..settings.visma.tenants.clone() };
                let set_up = visma::Settings {
                    seed,
                    tenants,
                    answer_after: latency,
                    ..settings.visma.clone()
                };
                let belongs = |unit: &str| world::office_of(unit) == office;
                let visma = Visma::new(set_up, masters(&world, belongs), Arc::clone(&board));
                Company { tenant, visma, board }
            })
            .collect();
        let jaggaer = Jaggaer::new(
            jaggaer::Settings {
                profile: settings.profile,
                answer_after: latency,
                ..settings.jaggaer
            },
            Arc::clone(&world),
            Arc::clone(&jaggaer_board),
        );
        let sides = Arc::new(Sides { world, companies, jaggaer, jaggaer_board });
        let control = axum::Router::new()
            .route("/sandbox/report", get(report))
            .route("/sandbox/faults", get(faults).put(set_faults))
            .with_state(Arc::clone(&sides));
        let mut control = Some(control);
        let (mut visma_at, mut tasks) = (Vec::new(), Vec::new());
        for (office, company) in sides.companies.iter().enumerate() {
            // The first has the switches, and is where it was asked to be; JAGGAER and its sign-in are on
            // the next two ports.
            let (at, task) = match control.take() {
                Some(control) => {
                    serve(settings.visma_listen, control.merge(company.visma.router())).await?
                }
                None => {
                    let port = match settings.visma_listen.port() {
                        0 => 0,
                        first => first.saturating_add(u16::try_from(office).unwrap_or(0) + 2),
                    };
                    let listen = SocketAddr::new(settings.visma_listen.ip(), port);
                    serve(listen, company.visma.router()).await?
                }
            };
            visma_at.push(at);
            tasks.push(task);
        }
        let (jaggaer_at, task) = serve(settings.jaggaer_listen, sides.jaggaer.router()).await?;
        tasks.push(task);
        let profile = settings.profile;
        let login_at = if profile.signs_in_elsewhere() {
            let (at, task) = serve(settings.login_listen, sides.jaggaer.login_router()).await?;
            tasks.push(task);
            at
        } else {
            jaggaer_at
        };
        Ok(Self { sides, visma_at, jaggaer_at, login_at, profile, tasks })
    }

    /// Base URL of the API; the token endpoint is `/connect/token` below it.
    pub fn visma_url(&self) -> String {
        self.visma_urls().swap_remove(0)
    }

    /// The same for each office's company.
    pub fn visma_urls(&self) -> Vec<String> {
        self.visma_at.iter().map(|at| format!("http://{at}")).collect()
    }

    /// The tenant of each office's company.
    pub fn tenants(&self) -> Vec<String> {
        self.sides.companies.iter().map(|company| company.tenant.clone()).collect()
    }

    pub fn jaggaer_url(&self) -> String {
        format!("http://{}", self.jaggaer_at)
    }

    /// Where JAGGAER gives tokens.
    pub fn jaggaer_token_url(&self) -> String {
        format!("http://{}{}", self.login_at, self.profile.token_path())
    }

    /// The layout that JAGGAER serves.
    pub fn profile(&self) -> jaggaer::Profile {
        self.profile
    }

    pub fn world(&self) -> &Arc<World> {
        &self.sides.world
    }

    pub fn visma(&self) -> &Arc<Visma> {
        &self.sides.companies[0].visma
    }

    /// The company of an office.
    pub fn visma_of(&self, office: usize) -> &Arc<Visma> {
        &self.sides.companies[office].visma
    }

    pub fn visma_faults_of(&self, office: usize) -> &Switchboard {
        &self.sides.companies[office].board
    }

    pub fn jaggaer(&self) -> &Arc<Jaggaer> {
        &self.sides.jaggaer
    }

    pub fn visma_faults(&self) -> &Switchboard {
        &self.sides.companies[0].board
    }

    pub fn jaggaer_faults(&self) -> &jaggaer::Board {
        &self.sides.jaggaer_board
    }

    /// What should have come, and what Visma holds now.
    pub fn report(&self) -> Report {
        self.sides.report()
    }

    /// Until a listener fails, which it does not by itself.
    pub async fn run(mut self) -> io::Result<()> {
        for task in std::mem::take(&mut self.tasks) {
            task.await.map_err(io::Error::other)??;
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn serve(
    listen: SocketAddr,
    router: axum::Router,
) -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind(listen).await?;
    let at = listener.local_addr()?;
    let service = router.into_make_service_with_connect_info::<Cable>();
    let server = axum::serve(CableListener(listener), service);
    Ok((at, tokio::spawn(server.into_future())))
}

async fn report(State(sides): State<Arc<Sides>>) -> Json<Report> {
    Json(sides.report())
}

async fn faults(State(sides): State<Arc<Sides>>) -> Json<Faults> {
    Json(sides.companies[0].board.settings())
}

async fn set_faults(State(sides): State<Arc<Sides>>, Json(faults): Json<Faults>) -> Json<Faults> {
    sides.companies[0].board.set(faults);
    Json(sides.companies[0].board.settings())
}

impl Sides {
    fn report(&self) -> Report {
        let mut expected: BTreeMap<Kind, Expected> = BTreeMap::new();
        let mut planted_holds = Vec::new();
        let mut documents = vec![Vec::new(); self.companies.len()];
        let mut pairs = vec![Vec::new(); self.companies.len()];
        let expectations = self.world.expectations();
        let expected_of: HashMap<String, visma::ExpectedDocument> = expectations
            .iter()
            .filter_map(|one| match &one.fate {
                Fate::Posted(document) if one.twin.is_some() => {
                    Some((one.source_id.clone(), to_visma(document)))
                }
                _ => None,
            })
            .collect();
        for expectation in expectations {
            let counts = expected.entry(expectation.kind).or_default();
            let office = self.office_of(&expectation.business_unit);
            match expectation.fate {
                Fate::Posted(document) => {
                    counts.posted += 1;
                    documents[office].push(to_visma(&document));
                }
                Fate::Adopted(document) => {
                    counts.adopted += 1;
                    documents[office].push(to_visma(&document));
                }
                Fate::Held(plant) => {
                    counts.held += 1;
                    let twin = expectation.twin.as_ref().and_then(|twin| expected_of.get(twin));
                    if let (Some(other), Some(twin)) = (&expectation.otherwise, twin) {
                        pairs[office].push((to_visma(other), twin.clone()));
                    }
                    planted_holds.push(PlantedHold {
                        kind: expectation.kind,
                        source_id: expectation.source_id,
                        number: expectation.number,
                        code: self.code_of(plant.code),
                        or_code: plant.or,
                        or_source_id: expectation.twin,
                    });
                }
                Fate::Ignored => counts.ignored += 1,
                Fate::Waiting => counts.waiting += 1,
                Fate::NotRipe => counts.not_ripe += 1,
            }
        }
        planted_holds.sort();
        let mut companies = Vec::new();
        for ((company, mut documents), pairs) in self.companies.iter().zip(documents).zip(pairs) {
            take_the_other_of(&company.visma, &pairs, &mut documents);
            companies.push(CompanyReport {
                tenant: company.tenant.clone(),
                expected: documents.len(),
                findings: company.visma.check(&documents),
                calls: company.visma.report().calls,
            });
        }
        Report {
            expected,
            planted_holds,
            findings: companies[0].findings.clone(),
            visma: self.companies[0].visma.report(),
            companies,
            jaggaer_calls: self.jaggaer.calls(),
            jaggaer_faults: self.jaggaer_board.happened(),
        }
    }

    /// Which office's company a document must stand in. One office has everything.
    fn office_of(&self, unit: &str) -> usize {
        world::office_of(unit).min(self.companies.len() - 1)
    }

    /// What a document with a unit that nobody knows is held for: among several offices nobody takes it.
    fn code_of(&self, code: &'static str) -> &'static str {
        if self.companies.len() > 1 && code == "branch_not_mapped" { "no_route" } else { code }
    }
}

/// Of a pair either may be posted. Where Visma holds the other one, that is what is expected.
fn take_the_other_of(
    visma: &Visma,
    pairs: &[(visma::ExpectedDocument, visma::ExpectedDocument)],
    documents: &mut [visma::ExpectedDocument],
) {
    if pairs.is_empty() {
        return;
    }
    let there: HashSet<(String, String)> = visma
        .documents()
        .into_iter()
        .filter(|held| held.live && !held.keyed)
        .map(|held| (held.document.supplier, held.document.reference))
        .collect();
    let stands = |document: &visma::ExpectedDocument| {
        there.contains(&(document.supplier.clone(), document.reference.clone()))
    };
    for (other, first) in pairs {
        if stands(other) && !stands(first) {
            for document in documents.iter_mut().filter(|document| *document == first) {
                *document = other.clone();
            }
        }
    }
}
fn to_visma(document: &ExpectedDocument) -> visma::ExpectedDocument {
    let lines = document.lines.iter().map(|line| {
        let coding = (line.account.clone(), line.subaccount.clone(), line.vat_category.clone());
        (coding.0, coding.1, coding.2, line.cost_minor)
    });
    visma::ExpectedDocument {
        kind: match document.kind {
            Kind::PurchaseOrder => DocumentKind::Order,
            Kind::SupplierInvoice => DocumentKind::Invoice,
            Kind::CreditNote => DocumentKind::CreditNote,
        },
        supplier: document.supplier.clone(),
        reference: document.reference.clone(),
        currency: document.currency.clone(),
        total_minor: document.amount_minor,
        lines: lines.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_keyed_by_hand_is_there_and_all_else_is_missing() {
        for seed in 1..6 {
            let world = world::Settings { seed, documents: 200, ..world::Settings::default() };
            let sandbox =
                Sandbox::start(Settings { world, ..Settings::default() }).await.expect("it starts");
            let report = sandbox.report();
            let counts =
                |pick: fn(&Expected) -> usize| report.expected.values().map(pick).sum::<usize>();
            assert!(counts(|kind| kind.adopted) >= 2);
            assert_eq!(report.findings.missing.len(), counts(|kind| kind.posted));
            assert_eq!(
                (report.findings.duplicated.len(), report.findings.unexpected.len()),
                (0, 0)
            );
            assert_eq!(counts(|kind| kind.held), report.planted_holds.len());
            // Gross and coding of what people keyed in, as Visma reckons it, are the paper's.
            let held = sandbox.visma().documents();
            for expectation in sandbox.world().expectations() {
                let Fate::Adopted(document) = expectation.fate else { continue };
                let wanted = to_visma(&document);
                let there = held.iter().find(|held| {
                    held.document.reference == wanted.reference
                        && held.document.supplier == wanted.supplier
                });
                assert_eq!(there.map(|held| &held.document), Some(&wanted), "seed {seed}");
            }
        }
    }
}
