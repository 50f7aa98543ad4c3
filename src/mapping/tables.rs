use super::{CodingTable, Combinations};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The mapping tables of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tables {
    /// The source's dimension that carries the GL account; `Account` when empty.
    pub account_dimension: Option<String>,
    pub accounts: Table,
    /// One rule for each segment of the subaccount.
    pub segments: Vec<SegmentRule>,
    /// By the source's tax code; `rate:25` matches a tax line without a code by its rate.
    pub vat: Table,
    pub terms: Table,
    pub units: Table,
    /// By business unit.
    pub branches: Table,
    /// The source's dimension that carries the project, if any.
    pub project_dimension: Option<String>,
    pub projects: Table,
    /// By the source's vendor id or ERP number: links that a person made. Beats every identifier.
    pub suppliers: BTreeMap<String, String>,
    /// What no row of the coding table fits is held, and not left to the tables above.
    pub coding_complete: bool,
    /// Never in the configuration: imported, see `docs/mapping.md`.
    #[serde(skip_serializing_if = "CodingTable::is_empty")]
    pub coding: CodingTable,
    /// Never in the configuration: imported.
    #[serde(skip_serializing_if = "Combinations::is_empty")]
    pub combinations: Combinations,
}

impl Tables {
    /// The source's dimension that carries the account.
    pub fn account_dimension(&self) -> &str {
        self.account_dimension.as_deref().unwrap_or("Account")
    }
}

/// One code table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    /// A code that the table does not name stands for itself.
    pub same_code: bool,
    /// For a document or share that carries no code at all.
    pub default: Option<String>,
    pub table: BTreeMap<String, String>,
}

/// How one segment of the subaccount is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRule {
    /// Visma's segment id.
    pub id: i64,
    /// The source's dimension it comes from. Absent: always `default`.
    #[serde(default)]
    pub dimension: Option<String>,
    #[serde(default)]
    pub same_code: bool,
    #[serde(default)]
    pub default: Option<String>,
    #[serde(default)]
    pub table: BTreeMap<String, String>,
}

/// What a table says about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapped<'a> {
    To(&'a str),
    /// There is no code and the table has no default.
    Absent,
    /// There is a code, and the table does not know it.
    NotMapped(&'a str),
}

impl Table {
    pub fn map<'a>(&'a self, code: Option<&'a str>) -> Mapped<'a> {
        map(&self.table, self.same_code, self.default.as_deref(), code)
    }
}

impl SegmentRule {
    pub fn map<'a>(&'a self, code: Option<&'a str>) -> Mapped<'a> {
        map(&self.table, self.same_code, self.default.as_deref(), code)
    }
}

fn map<'a>(
    table: &'a BTreeMap<String, String>,
    same_code: bool,
    default: Option<&'a str>,
    code: Option<&'a str>,
) -> Mapped<'a> {
    match code.map(str::trim).filter(|code| !code.is_empty()) {
        None => default.map_or(Mapped::Absent, Mapped::To),
        Some(code) => match table.get(code) {
            Some(to) => Mapped::To(to),
            None if same_code => Mapped::To(code),
            None => Mapped::NotMapped(code),
        },
    }
}
