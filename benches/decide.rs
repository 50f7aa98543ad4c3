//! Decisions per second, and whether they get slower as history grows.
//!
//! ```sh
//! cargo bench --bench decide                   # 10,000, 100,000 and 1,000,000 past invoices
//! cargo bench --bench decide -- 1000 50000     # other sizes, each larger than the one before
//! taskset -c 0 cargo bench --bench decide      # one core, the database's thread too
//! ```
//!
//! Invoices of the sandbox, with their orders in Visma, are judged again and again, one after the
//! other, from a store in an SQLite file: read from the raw revision, history gathered, decided.
//! Between two measurements the index of Visma's invoices grows: of the same suppliers, so that each
//! has more and more of them, with some amounts that come again and again.

use ml_connector::config::Config;
use ml_connector::decide::{self, History, Inputs, Routing};
use ml_connector::jaggaer::{Content, Profile};
use ml_connector::mapping::{SupplierGroups, SupplierIndex};
use ml_connector::procurement::{
    Currency, Document, DocumentKind, ErpInvoice, InvoiceKind, Money, ReferenceData, Vendor,
};
use ml_connector::store::{DocumentFilter, DocumentRow, RevisionRow, Store};
use ml_connector::sync::{self, Gatherer, Silent};
use ml_connector_sandbox::{Sandbox, Settings, world};
use sqlx::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Documents of each sort in the sandbox.
const DOCUMENTS: usize = 200;
/// How long one measurement runs.
const LONG_ENOUGH: Duration = Duration::from_secs(4);
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    // `cargo bench` adds `--bench`.
    let asked: Vec<u64> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    let folder = std::env::temp_dir().join(format!("ml-connector-decide-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary directory can be written");
    let desk = Desk::prepare(&folder).await;
    println!("{} invoices, judged in turn", desk.papers.len());
    println!(
        "past invoices | whole: per second, to the first | decide alone: per second, to the first"
    );
    let (mut first, mut known) = (None, 0);
    for size in sizes {
        let began = Instant::now();
        grow(&folder, known, size, &desk.suppliers).await;
        known = size;
        let grown = began.elapsed();
        let (whole, pure) = desk.measure().await;
        let (whole_first, pure_first) = *first.get_or_insert((whole, pure));
        println!(
            "{size:>13} | {whole:>17.0} {:>13.2} | {pure:>24.0} {:>13.2}   (filled in {:.0} s)",
            whole / whole_first,
            pure / pure_first,
            grown.as_secs_f64()
        );
    }
    std::fs::remove_dir_all(folder).expect("it is ours");
}

/// Everything that judging needs.
struct Desk {
    config: Config,
    store: Store,
    profile: Profile,
    routing: Routing,
    reference: ReferenceData,
    index: SupplierIndex,
    groups: SupplierGroups,
    vendors: BTreeMap<String, Vendor>,
    papers: Vec<(DocumentRow, RevisionRow)>,
    /// Those that the papers are of.
    suppliers: Vec<String>,
}

impl Desk {
    /// A store as one round leaves it.
    async fn prepare(folder: &Path) -> Self {
        let config = configured(folder).await;
        let store = Store::open(&config.store_url().expect("it has none")).await.expect("it opens");
        let source = &config.sources[0];
        let company = &config.companies[0].id;
        let profile = sync::load_profile(&source.profile, folder).expect("built in");
        let (mut reference, _) =
            store.reference_data(company).await.expect("it reads").expect("the round read it");
        reference.suppliers = store.suppliers(company).await.expect("it reads");
        let vendors = store.vendors(&source.id).await.expect("it reads");
        let mut papers = Vec::new();
        for row in store.documents(&DocumentFilter::default()).await.expect("it reads") {
            let billing = row.kind != DocumentKind::PurchaseOrder && row.supplier.is_some();
            if let Some(revision) =
                store.revision(&row.id, row.latest_revision).await.expect("it reads")
                && billing
            {
                papers.push((row, revision));
            }
        }
        let mut suppliers: Vec<String> =
            papers.iter().filter_map(|(row, _)| row.supplier.clone()).collect();
        suppliers.sort();
        suppliers.dedup();
        Self {
            index: SupplierIndex::new(&reference),
            groups: SupplierGroups::new(&reference),
            routing: config.routing(&source.id).expect("it is right"),
            config,
            store,
            profile,
            reference,
            vendors,
            papers,
            suppliers,
        }
    }

    fn read(&self, row: &DocumentRow, revision: &RevisionRow) -> Document {
        let body = serde_json::from_str(&revision.raw).expect("it was kept as JSON");
        let feed = self.profile.feed(&row.feed).expect("it came from there");
        match feed.read(&body).content {
            Content::Document { document: Ok(document), .. } => *document,
            other => panic!("{other:?}"),
        }
    }

    async fn gather(&self, row: &DocumentRow, revision: &RevisionRow) -> (Document, History) {
        let connection = &self.config.connections[0];
        let gatherer = Gatherer {
            store: &self.store,
            source: &connection.source,
            routing: &self.routing,
            company: &connection.company,
            profile: &self.profile,
            rules: &connection.rules,
            reference: &self.reference,
            suppliers: &self.index,
            groups: &self.groups,
            vendors: &self.vendors,
            time_zone: &self.config.companies[0].time_zone,
        };
        let document = self.read(row, revision);
        let history = gatherer.history(row, revision, &document).await.expect("it gathers");
        (document, history)
    }

    fn decide(&self, document: &Document, history: &History) -> bool {
        let inputs = Inputs {
            rules: &self.config.connections[0].rules,
            reference: &self.reference,
            suppliers: &self.index,
            vendors: &self.vendors,
            history,
        };
        std::hint::black_box(decide::document(document, &inputs)).evidence.remarks.is_empty()
    }

    /// Decisions per second: whole, and of what is gathered already.
    async fn measure(&self) -> (f64, f64) {
        let mut gathered = Vec::with_capacity(self.papers.len());
        for (row, revision) in &self.papers {
            gathered.push(self.gather(row, revision).await);
        }
        let (began, mut judged) = (Instant::now(), 0_u32);
        while began.elapsed() < LONG_ENOUGH {
            for (row, revision) in &self.papers {
                let (document, history) = self.gather(row, revision).await;
                self.decide(&document, &history);
                judged += 1;
            }
        }
        let whole = f64::from(judged) / began.elapsed().as_secs_f64();
        let (began, mut judged) = (Instant::now(), 0_u32);
        while began.elapsed() < LONG_ENOUGH {
            for (document, history) in &gathered {
                self.decide(document, history);
                judged += 1;
            }
        }
        (whole, f64::from(judged) / began.elapsed().as_secs_f64())
    }
}

/// The configuration of a store that one round over a sandbox has filled.
async fn configured(folder: &Path) -> Config {
    let mut settings = Settings {
        world: world::Settings {
            documents: DOCUMENTS,
            held_per_mille: 0,
            ..world::Settings::default()
        },
        ..Settings::default()
    };
    settings.visma.calls_per_window = 1_000_000;
    let sandbox = Sandbox::start(settings).await.expect("free ports");
    for name in ["jaggaer", "visma"] {
        let secret = format!("sandbox-{name}-secret\n");
        std::fs::write(folder.join(format!("{name}.secret")), secret).expect("writable");
    }
    let text = include_str!("../src/cli/sandbox.toml")
        .replace("{visma}", &sandbox.visma_url())
        .replace("{jaggaer}", &sandbox.jaggaer_url())
        .replace("{profile}", "default")
        .replace("{mode}", "hold");
    let path = folder.join("ml-connector.toml");
    std::fs::write(&path, text).expect("writable");
    let config = Config::load(&path).expect("a good configuration");
    let store = Store::open(&config.store_url().expect("it has none")).await.expect("it opens");
    let (_ask, stop) = tokio::sync::watch::channel(false);
    let report = sync::sync(&store, &config, None, Arc::new(Silent), stop).await.expect("it runs");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    config
}

/// Rows of the index from the first to the last number, made by the database itself.
async fn grow(folder: &Path, from: u64, to: u64, suppliers: &[String]) {
    let path: PathBuf = folder.join("ml-connector.db");
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .expect("it opens");
    let template = ErpInvoice {
        kind: Some(InvoiceKind::Invoice),
        document_type: "Invoice".into(),
        number: "@number".into(),
        supplier: "@supplier".into(),
        supplier_reference: Some("@reference".into()),
        status: "Closed".into(),
        currency: Currency::NOK,
        document_on: Some(jiff::civil::date(2025, 1, 1)),
        gross: Money::new(125_000, Currency::NOK),
        vat: None,
        balance: None,
        payment_reference: None,
        our_key: None,
        version: Some("1".into()),
        modified: None,
        attachments: Vec::new(),
        lines: Vec::new(),
    };
    let template = serde_json::to_string(&template).expect("plain data");
    let suppliers = serde_json::to_string(suppliers).expect("plain data");
    // Every tenth amount is a round one that the supplier writes again and again; five years.
    let rows = "with recursive nth(n) as (select $1 union all select n + 1 from nth where n + 1 < $2), \
         past as (select n, 'H' || n as number, 'F-' || n as reference, \
         json_extract($3, '$[' || (n % json_array_length($3)) || ']') as supplier, \
         case when n % 10 = 0 then 125000 else 10000 + n * 7919 % 90000000 end as gross, \
         18800 + n * 31 % 1900 as day from nth) ";
    let invoices = format!(
        "insert into erp_invoice (company, document_type, number, supplier, reference_key, our_key, status, \
         version, modified, body, currency, gross_minor, document_day, reference_look, reference_digits) \
         {rows} select 'nordlys', 'Invoice', number, supplier, 'F' || n, null, 'Closed', '1', null, \
         replace(replace(replace($4, '@number', number), '@supplier', supplier), '@reference', reference), \
         'NOK', gross, day, 'F' || n, '' || n from past"
    );
    let lines = format!(
        "insert into erp_billing (company, document_type, number, line, order_number, order_line, \
         receipt_number, receipt_line, kind, quantity, unit, net_minor, currency) \
         {rows} select 'nordlys', 'Invoice', number, 1, 'P' || (n / 3), 1, '', 0, 'invoice', '1', 'STK', \
         gross, 'NOK' from past"
    );
    let mut transaction = connection.begin().await.expect("it begins");
    for sql in [invoices, lines] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(i64::try_from(from).expect("small"))
            .bind(i64::try_from(to).expect("small"))
            .bind(&suppliers)
            .bind(&template)
            .execute(&mut *transaction)
            .await
            .expect("rows are made");
    }
    transaction.commit().await.expect("it commits");
}
