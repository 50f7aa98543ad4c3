//! The other side: for each connection a sandbox of its own.

use super::Failure;
use futures_util::{StreamExt, stream};
use ml_connector_sandbox::{Sandbox, Settings, world};
use std::path::Path;

pub struct Simulators {
    sandboxes: Vec<Sandbox>,
    documents: usize,
}

impl Simulators {
    /// Each with so many orders and as many invoices.
    pub async fn start(count: usize, documents: usize, latency_ms: u64) -> Result<Self, Failure> {
        let starting = stream::iter(0..count).map(|n| async move {
            let seed = n as u64 + 1;
            let mut settings = Settings {
                world: world::Settings { seed, documents, held_per_mille: 0, ..Default::default() },
                latency_ms,
                ..Settings::default()
            };
            settings.visma.tenants.company = tenant(n);
            settings.visma.calls_per_window = 1_000_000;
            Sandbox::start(settings).await
        });
        let started: Vec<_> = starting.buffered(8).collect().await;
        let sandboxes = started.into_iter().collect::<Result<Vec<_>, _>>()?;
        let documents = sandboxes.iter().map(|of| of.world().expectations().len()).sum();
        Ok(Self { sandboxes, documents })
    }

    /// That JAGGAER offers, in all.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// One source, one company and one connection for each. `every`: the timetable of orders and invoices.
    pub fn write_config(&self, folder: &Path, store: &str, every: &str) -> Result<(), Failure> {
        let mut all = toml::Table::new();
        let mut lists = [("source", vec![]), ("company", vec![]), ("connection", vec![])];
        for (n, sandbox) in self.sandboxes.iter().enumerate() {
            let text = include_str!("../../src/cli/sandbox.toml")
                .replace("{visma}", &sandbox.visma_url())
                .replace("{jaggaer}", &sandbox.jaggaer_url())
                .replace("{profile}", "default")
                .replace("{mode}", "hold");
            let mut one: toml::Table = text.parse()?;
            one["source"][0]["id"] = format!("jaggaer-{n}").into();
            one["company"][0]["id"] = format!("company-{n}").into();
            one["company"][0]["tenant_id"] = tenant(n).into();
            one["connection"][0]["id"] = format!("c{n}").into();
            one["connection"][0]["source"] = format!("jaggaer-{n}").into();
            one["connection"][0]["company"] = format!("company-{n}").into();
            for (name, list) in &mut lists {
                list.push(one[*name][0].clone());
            }
            if n == 0 {
                all.insert("timing".into(), one["timing"].clone());
            }
        }
        for (name, list) in lists {
            all.insert(name.into(), list.into());
        }
        all.insert("store".into(), toml::Table::from_iter([("url".into(), store.into())]).into());
        // Several workers share one machine here, and nobody asks them.
        let serve = toml::Table::from_iter([("listen".into(), "none".into())]);
        all.insert("serve".into(), serve.into());
        if !every.is_empty() {
            let flows = ["orders", "invoices"].map(|flow| (flow.to_owned(), every.into()));
            let mut schedule = toml::Table::from_iter(flows);
            schedule.insert("jitter_seconds".into(), 0.into());
            all.insert("schedule".into(), schedule.into());
        }
        std::fs::write(folder.join("ml-connector.toml"), all.to_string())?;
        std::fs::write(folder.join("jaggaer.secret"), "sandbox-jaggaer-secret\n")?;
        std::fs::write(folder.join("visma.secret"), "sandbox-visma-secret\n")?;
        Ok(())
    }

    /// Calls so far: Visma, JAGGAER.
    pub fn calls(&self) -> (u64, u64) {
        let visma = self.sandboxes.iter().map(|of| of.visma().calls().total()).sum();
        let jaggaer = self.sandboxes.iter().map(|of| of.jaggaer().calls().total()).sum();
        (visma, jaggaer)
    }

    /// A run counts only when everything arrived, once.
    pub fn check(&self) -> Result<(), Failure> {
        for (n, sandbox) in self.sandboxes.iter().enumerate() {
            let findings = sandbox.report().findings;
            if !findings.is_clean() {
                return Err(format!("connection c{n}: {findings:?}").into());
            }
        }
        Ok(())
    }
}

fn tenant(n: usize) -> String {
    format!("11111111-1111-4111-8111-{n:012}")
}
