//! Several units over one store: for each a JAGGAER and a Visma of its own, and as many processes as a test wants.

use crate::connector::{Connector, Options};
use crate::serve::{free_port, heard};
use ml_connector::store::{DocumentFilter, DocumentState, PostingState, Store};
use ml_connector::sync::ManualVerb;
use ml_connector_sandbox::faults::Level;
use ml_connector_sandbox::world::Vendor;
use ml_connector_sandbox::{Sandbox, Settings, world};
use std::process::Child;

pub struct Fleet {
    pub sandboxes: Vec<Sandbox>,
    options: Options,
}

impl Fleet {
    /// One unit for each seed, each with so many orders and as many invoices.
    pub async fn start(seeds: &[u64], documents: usize, faults: Level, options: Options) -> Self {
        let mut sandboxes = Vec::new();
        for (n, seed) in seeds.iter().enumerate() {
            let world = world::Settings { seed: *seed, documents, ..world::Settings::default() };
            let mut settings = Settings { world, faults, latency_ms: 50, ..Settings::default() };
            settings.visma.tenants.company = tenant(n);
            settings.visma.calls_per_window = 1_000_000;
            sandboxes.push(Sandbox::start(settings).await.expect("it listens"));
        }
        Self { sandboxes, options }
    }

    /// A configuration of all units, with a listener of its own.
    pub fn connector(&self, store_url: &str) -> Connector {
        let of = |sandbox: &Sandbox| {
            let (visma, jaggaer) = (sandbox.visma_url(), sandbox.jaggaer_url());
            Connector::at(&visma, &jaggaer, store_url, &self.options)
        };
        let connector = of(&self.sandboxes[0]);
        let mut lists = [("source", vec![]), ("company", vec![]), ("connection", vec![])];
        for (n, sandbox) in self.sandboxes.iter().enumerate() {
            of(sandbox).amend(|table| {
                table["source"][0]["id"] = format!("jaggaer-{n}").into();
                table["company"][0]["id"] = company(n).into();
                table["company"][0]["tenant_id"] = tenant(n).into();
                table["connection"][0]["id"] = unit(n).into();
                table["connection"][0]["source"] = format!("jaggaer-{n}").into();
                table["connection"][0]["company"] = company(n).into();
                for (name, list) in &mut lists {
                    list.push(table[*name][0].clone());
                }
            });
        }
        connector.amend(|table| {
            for (name, list) in lists {
                table.insert(name.into(), list.into());
            }
        });
        connector
    }

    /// A document of each sort more in each JAGGAER.
    pub fn add_documents(&self) {
        for sandbox in &self.sandboxes {
            let world = sandbox.world();
            let vendors = world.vendors();
            let payable = |vendor: &Vendor| vendor.is_payable() && vendor.currency == "NOK";
            let vendor = vendors.iter().position(payable).expect("every world has one");
            let order = world.add_order(vendor);
            world.add_invoice(&order).expect("the order is there");
        }
    }

    pub fn writes(&self) -> u64 {
        self.sandboxes.iter().map(|of| of.visma().calls().writes).sum()
    }

    /// What is not at rest, in words; empty: every document of JAGGAER's is known and at its end.
    pub async fn unrest(&self, store: &Store) -> Vec<String> {
        let mut unrest = Vec::new();
        let all = store.documents(&DocumentFilter::default()).await.expect("it reads");
        for (n, sandbox) in self.sandboxes.iter().enumerate() {
            let known = all.iter().filter(|row| row.connection == unit(n)).count();
            let offered = sandbox.world().expectations().len();
            if known < offered {
                unrest.push(format!("{}: {known} of {offered} are known", unit(n)));
            }
            for state in PostingState::ALL.into_iter().filter(|state| state.is_open()) {
                let open = store.postings_in(&company(n), state).await.expect("it reads").len();
                if open > 0 {
                    unrest.push(format!("{}: {open} postings are {}", unit(n), state.as_str()));
                }
            }
        }
        let moving = all.iter().filter(|row| row.state.is_in_flight()).count();
        if moving > 0 {
            unrest.push(format!("{moving} documents are in flight"));
        }
        unrest
    }

    /// Asks for a round of each unit, as a person would who has put something right.
    pub async fn ask_for_rounds(&self, store: &Store) {
        let all = store.documents(&DocumentFilter::default()).await.expect("it reads");
        for n in 0..self.sandboxes.len() {
            let unit = unit(n);
            let waits = store.open_requests(&unit).await.expect("it reads");
            let document =
                all.iter().find(|row| row.connection == unit && row.state == DocumentState::Posted);
            if let Some(document) = document.filter(|_| waits.is_empty()) {
                let asked = ManualVerb::Release.ask(store, &unit, &document.id, "tester", "look");
                asked.await.expect("asked");
            }
        }
    }
}

/// A process that serves all units, each minute by itself.
pub fn serving(connector: &Connector) -> Child {
    crate::serve::scheduled(connector, free_port());
    let mut child = connector.command(&["serve"]).spawn().expect("it starts");
    heard(&mut child);
    child
}

pub fn unit(n: usize) -> String {
    format!("c{n}")
}

fn company(n: usize) -> String {
    format!("company-{n}")
}

fn tenant(n: usize) -> String {
    format!("33333333-3333-4333-8333-{n:012}")
}
