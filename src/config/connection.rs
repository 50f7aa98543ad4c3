//! `[[connection]]`: a source, a company, and the rules between them.

use super::WebhooksTable;
use crate::decide::{ChargeRule, InvoiceRules, MatchRules, OrderRules, RouteEntry, Rules};
use crate::mapping::Tables;
use crate::procurement::ChargeKind;
use crate::schedule::ScheduleTable;
use crate::validation::ValidationRules;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A route from a source to a company, with its rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ConnectionTable")]
pub struct ConnectionConfig {
    pub id: String,
    pub source: String,
    pub company: String,
    /// What it takes of its source; one entry that fits is enough.
    pub routes: Vec<RouteEntry>,
    /// It takes what no other connection of its source takes.
    pub rest: bool,
    pub rules: Rules,
    /// What it does at other times than the rest.
    pub schedule: ScheduleTable,
    /// Left out: Visma does not tell it of anything.
    pub webhooks: Option<WebhooksTable>,
    pub confirm: ConfirmConfig,
}

/// What JAGGAER is told of the connection's documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmConfig {
    /// Whether a document was created in Visma, changed there, is held, or was cancelled.
    pub erp: bool,
    /// How far an invoice is paid in Visma.
    pub payment: bool,
}

/// The connection as the file writes it: its rules stand beside its names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionTable {
    id: String,
    source: String,
    company: String,
    #[serde(default)]
    route: Vec<RouteEntry>,
    #[serde(default)]
    rest: bool,
    #[serde(deserialize_with = "day")]
    take_from: jiff::civil::Date,
    #[serde(default)]
    orders: OrderRules,
    #[serde(default)]
    invoices: InvoiceRules,
    #[serde(default)]
    validation: ValidationRules,
    #[serde(default)]
    mapping: Tables,
    #[serde(default)]
    charges: BTreeMap<ChargeKind, ChargeRule>,
    #[serde(default)]
    matching: MatchRules,
    #[serde(default)]
    schedule: ScheduleTable,
    #[serde(default)]
    webhooks: Option<WebhooksTable>,
    #[serde(default)]
    confirm: ConfirmConfig,
}

/// A day as text, or as TOML's own date.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<jiff::civil::Date, D::Error> {
    struct Day;

    impl<'de> serde::de::Visitor<'de> for Day {
        type Value = jiff::civil::Date;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a day such as 2026-01-31")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let wrong = |_| E::custom("what stands here is no day such as 2026-01-31");
            text.parse().map_err(wrong)
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let deserializer = serde::de::value::MapAccessDeserializer::new(map);
            let date = toml::value::Datetime::deserialize(deserializer)?;
            self.visit_str(&date.to_string())
        }
    }

    deserializer.deserialize_any(Day)
}

impl From<ConnectionTable> for ConnectionConfig {
    fn from(table: ConnectionTable) -> Self {
        let ConnectionTable {
            id,
            source,
            company,
            route: routes,
            rest,
            take_from,
            orders,
            invoices,
            validation,
            mapping,
            charges,
            matching,
            schedule,
            webhooks,
            confirm,
        } = table;
        let rules = Rules { take_from, orders, invoices, validation, mapping, charges, matching };
        Self { id, source, company, routes, rest, rules, schedule, webhooks, confirm }
    }
}
