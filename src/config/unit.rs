//! Which connections one worker owns together, and under which name. A unit's name is the name of its audit
//! chain and of its ownership, so it stays what it was when connections come, go or change their order.

use super::Config;
use std::collections::{BTreeMap, BTreeSet};

/// What one worker owns at a time: connections that share a source or a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub id: String,
    pub connections: Vec<String>,
    pub sources: BTreeSet<String>,
    pub companies: BTreeSet<String>,
    /// Units of their own until now, which this configuration joins: they go on in this one.
    pub joins: Vec<String>,
    /// The unit that this one was a part of until now.
    pub parted_from: Option<String>,
}

/// Units as the store remembers them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownUnits {
    /// The unit of each source and company.
    pub sources: BTreeMap<String, String>,
    pub companies: BTreeMap<String, String>,
    /// Every name that a chain has, also of units that went on in others.
    pub names: BTreeSet<String>,
}

impl KnownUnits {
    fn of(&self, unit: &Unit) -> BTreeSet<String> {
        let sources = unit.sources.iter().filter_map(|id| self.sources.get(id));
        let companies = unit.companies.iter().filter_map(|id| self.companies.get(id));
        sources.chain(companies).cloned().collect()
    }
}

impl Config {
    /// A unit that is known keeps its name. A new one is named by its first connection. One of which only
    /// a part is left keeps its name with the part that comes first.
    pub fn units(&self, known: &KnownUnits) -> Vec<Unit> {
        let mut units = self.groups();
        let mut taken = known.names.clone();
        let mut given: BTreeSet<String> = BTreeSet::new();
        for unit in &mut units {
            let names = known.of(unit);
            taken.extend(names.iter().cloned());
            let mut free = names.iter().filter(|name| !given.contains(*name));
            if let Some(name) = free.next() {
                unit.id = name.clone();
                unit.joins = free.cloned().collect();
                given.extend(names);
            } else {
                unit.parted_from = names.into_iter().next();
                unit.id = String::new();
            }
        }
        for unit in units.iter_mut().filter(|unit| unit.id.is_empty()) {
            let first = &unit.connections[0];
            let numbered = (2..).map(|n| format!("{first}-{n}"));
            let mut names = std::iter::once(first.clone()).chain(numbered);
            unit.id = names.find(|name| !taken.contains(name)).expect("numbers do not end");
            taken.insert(unit.id.clone());
        }
        units.sort_by(|a, b| a.id.cmp(&b.id));
        units
    }

    /// In order of their first connections, without names.
    fn groups(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for connection in &self.connections {
            let mut joined = Unit {
                id: String::new(),
                connections: vec![connection.id.clone()],
                sources: BTreeSet::from([connection.source.clone()]),
                companies: BTreeSet::from([connection.company.clone()]),
                joins: Vec::new(),
                parted_from: None,
            };
            let (touching, apart): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| {
                unit.sources.contains(&connection.source)
                    || unit.companies.contains(&connection.company)
            });
            for unit in touching {
                joined.connections.extend(unit.connections);
                joined.sources.extend(unit.sources);
                joined.companies.extend(unit.companies);
            }
            joined.connections.sort();
            units = apart;
            units.push(joined);
        }
        units.sort_by(|a, b| a.connections.cmp(&b.connections));
        units
    }
}
