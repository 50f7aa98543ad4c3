//! The example file is the manual of the settings: it loads, it names every key that the code
//! reads, and each default that it states is the real one.

use ml_connector::config::{Config, KnownUnits};
use ml_connector::visma;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A struct of the configuration, and where its keys stand: `*` is any key or list place.
struct Place {
    name: &'static str,
    at: &'static [&'static str],
}

const fn place(name: &'static str, at: &'static [&'static str]) -> Place {
    Place { name, at }
}

const PLACES: &[Place] = &[
    place("Config", &[""]),
    place("StoreConfig", &["store"]),
    place("Timing", &["timing"]),
    place("VaultConfig", &["vault"]),
    place("MasterKeyConfig", &["vault.master_key.*"]),
    place("Roles", &["roles"]),
    place("ScheduleText", &["schedule", "connection.*.schedule"]),
    place("ServeConfig", &["serve"]),
    place("Alerts", &["alerts"]),
    place("AlertTarget", &["alerts.target.*"]),
    place("WebhookTable", &["alerts.target.*.webhook"]),
    place("EmailTable", &["alerts.target.*.email"]),
    place("SourceConfig", &["source.*"]),
    place("CompanyConfig", &["company.*"]),
    place("KeyFields", &["company.*.key_fields"]),
    place("SupplierAttributes", &["company.*.supplier_attributes"]),
    place("RetentionConfig", &["company.*.retention"]),
    place("ConnectionTable", &["connection.*"]),
    place("WebhooksTable", &["connection.*.webhooks"]),
    place("ConfirmConfig", &["connection.*.confirm"]),
    place("Rules", &["connection.*"]),
    place("OrderRules", &["connection.*.orders"]),
    place("ItemRule", &["connection.*.orders.items.*"]),
    place("InvoiceRules", &["connection.*.invoices"]),
    place("ValidationRules", &["connection.*.validation"]),
    place("PaymentReferenceRules", &["connection.*.validation.payment_references"]),
    place("ChargeRule", &["connection.*.charges.*"]),
    place("MatchRules", &["connection.*.matching"]),
    place("Limits", &["connection.*.matching.limits"]),
    place(
        "Limit",
        &["connection.*.matching.limits.price_over", "connection.*.matching.limits.price_under"],
    ),
    place(
        "QuantityLimit",
        &[
            "connection.*.matching.limits.quantity_over",
            "connection.*.matching.limits.quantity_under",
        ],
    ),
    place("MatchRule", &["connection.*.matching.rules.*"]),
    place("UnitFactor", &["connection.*.matching.factors.*"]),
    place("Tables", &["connection.*.mapping"]),
    place(
        "Table",
        &[
            "connection.*.mapping.accounts",
            "connection.*.mapping.vat",
            "connection.*.mapping.terms",
            "connection.*.mapping.units",
            "connection.*.mapping.branches",
            "connection.*.mapping.projects",
        ],
    ),
    place("SegmentRule", &["connection.*.mapping.segments.*"]),
];

const SOURCES: &[&str] = &[
    include_str!("../../src/config/mod.rs"),
    include_str!("../../src/config/systems.rs"),
    include_str!("../../src/config/connection.rs"),
    include_str!("../../src/config/alerts.rs"),
    include_str!("../../src/config/retention.rs"),
    include_str!("../../src/config/roles.rs"),
    include_str!("../../src/config/serve.rs"),
    include_str!("../../src/schedule/timetable.rs"),
    include_str!("../../src/config/vault.rs"),
    include_str!("../../src/config/webhooks.rs"),
    include_str!("../../src/decide/rules.rs"),
    include_str!("../../src/mapping/tables.rs"),
    include_str!("../../src/validation/rules.rs"),
    include_str!("../../src/matching/rules.rs"),
    include_str!("../../src/visma/settings.rs"),
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ml-connector.example.toml")
}

fn example() -> String {
    std::fs::read_to_string(path()).expect("the example file is there")
}

/// The example with its commented keys made real: those that state a default, and also those that
/// only show what a value can look like.
fn uncommented(text: &str, with_samples: bool) -> String {
    let is_setting = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| {
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        })
    };
    let mut out = String::new();
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let sample = bare.strip_prefix("e.g. ");
        match sample {
            Some(sample) if with_samples && is_setting(sample) => out.push_str(sample),
            None if is_setting(bare) => out.push_str(bare),
            Some(_) | None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// The name of a struct's field.
fn field(line: &str) -> Option<&str> {
    let text = line.strip_prefix("    ")?;
    let (name, _) = text.strip_prefix("pub ").unwrap_or(text).split_once(": ")?;
    name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_').then_some(name)
}

/// Name and keys of each struct that is read from the file.
fn structs(source: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let (mut is_read, mut inside) = (false, false);
    let (mut skipped, mut renamed) = (false, None);
    for line in source.lines() {
        if line == "}" {
            (is_read, inside) = (false, false);
        } else if line.starts_with("#[derive(") {
            is_read = line.contains("Deserialize");
        } else if line.starts_with("#[serde(from = ") {
            // Another struct is read in its place.
            is_read = false;
        } else if let Some((_, rest)) = line
            .split_once("struct ")
            .filter(|(before, _)| ["", "pub ", "pub(crate) "].contains(before))
        {
            inside = is_read && rest.ends_with('{');
            if inside {
                found.push((rest.trim_end_matches(" {").to_owned(), Vec::new()));
            }
        } else if inside && line.starts_with("    #[serde(") {
            skipped = line.contains("(skip");
            renamed = line
                .split_once("rename = \"")
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(name, _)| name.to_owned());
        } else if inside && let Some(name) = field(line) {
            let key = renamed.take().unwrap_or_else(|| name.to_owned());
            if !std::mem::take(&mut skipped) {
                found.last_mut().expect("inside one").1.push(key);
            }
        }
    }
    found
}

fn keys_at(value: &toml::Value, at: &str) -> BTreeSet<String> {
    let mut here = vec![value];
    for part in at.split('.').filter(|part| !part.is_empty()) {
        here = here
            .into_iter()
            .flat_map(|value| match (part, value) {
                ("*", toml::Value::Array(list)) => list.iter().collect(),
                ("*", toml::Value::Table(table)) => table.values().collect(),
                (key, value) => value.get(key).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    here.iter()
        .filter_map(|value| value.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

/// What the example does not say and should.
fn missing(opened: &str, sources: &[&str]) -> Vec<String> {
    let value: toml::Value = toml::from_str(opened).expect("the opened example is TOML");
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, keys) in sources.iter().flat_map(|source| structs(source)) {
        let Some(place) = PLACES.iter().find(|place| place.name == name) else {
            missing.push(format!("this test does not know where `{name}` stands"));
            continue;
        };
        let said: BTreeSet<String> = place.at.iter().flat_map(|at| keys_at(&value, at)).collect();
        for key in keys {
            if !said.contains(&key) {
                missing.push(format!("{name}.{key}"));
            }
        }
        seen.insert(name);
    }
    for place in PLACES {
        if !seen.contains(place.name) {
            missing.push(format!("`{}` is not read any more", place.name));
        }
    }
    missing
}

#[test]
fn the_example_loads_as_it_is() {
    let config = Config::load(&path()).expect("the example is right");
    for source in &config.sources {
        ml_connector::sync::load_profile(&source.profile, &config.folder)
            .expect("its profile is there");
    }
    assert_eq!(config.units(&KnownUnits::default()).len(), 1);
}

#[test]
fn everything_it_suggests_is_understood() {
    Config::parse(&uncommented(&example(), true), &path()).expect("every commented key is right");
}

#[test]
fn every_key_of_the_code_is_in_it() {
    assert_eq!(missing(&uncommented(&example(), true), SOURCES), Vec::<String>::new());
}

/// Lines of the configuration, shown whole, that the stated defaults change. No secret is in it,
/// only where one is.
fn changed_by_stated_defaults(example: &str) -> Vec<String> {
    let parse = |text: &str| Config::parse(text, &path()).expect("the example is right");
    let bare = parse(example);
    let mut stated = parse(&uncommented(example, false));
    for company in &mut stated.companies {
        // Left out, they are what the client itself takes.
        let client = visma::Settings::new("id", SecretString::from("secret"), "tenant");
        if company.scopes.as_ref() == Some(&client.scopes) {
            company.scopes = None;
        }
    }
    let (bare, stated) = (format!("{bare:#?}"), format!("{stated:#?}"));
    assert_eq!(bare.lines().count(), stated.lines().count(), "{stated}");
    let pairs = bare.lines().zip(stated.lines()).filter(|(bare, stated)| bare != stated);
    pairs.map(|(bare, stated)| format!("{} is stated as {}", bare.trim(), stated.trim())).collect()
}

#[test]
fn the_defaults_it_states_are_the_real_ones() {
    assert_eq!(changed_by_stated_defaults(&example()), Vec::<String>::new());
}

/// The checks above find what they are for.
#[test]
fn a_wrong_example_is_found() {
    let example = example();
    let without = example.replace("# lease_seconds = 60\n", "");
    assert_eq!(missing(&uncommented(&without, true), SOURCES), ["Timing.lease_seconds"]);

    let wrong = example.replace("# lease_seconds = 60\n", "# lease_seconds = 61\n");
    let found = changed_by_stated_defaults(&wrong);
    assert_eq!(found, ["lease_seconds: 60, is stated as lease_seconds: 61,"]);

    let unknown = example.replace("# lease_seconds", "# leese_seconds");
    assert!(Config::parse(&uncommented(&unknown, true), &path()).is_err());

    let grown = "#[derive(Deserialize)]\npub struct Timing {\n    pub patience: u64,\n}\n";
    let found = missing(&uncommented(&example, true), &[grown]);
    assert!(found.contains(&"Timing.patience".to_owned()), "{found:?}");
}
