//! What each code means, who can do something about it, and what. Each subject's file lists its own
//! codes beside their constructors; `docs/holds.md` is the whole table.

use serde::{Deserialize, Serialize};

/// One code of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub code: &'static str,
    pub means: &'static str,
    /// Who can put it right.
    pub who: &'static str,
    pub fix: &'static str,
    pub clears: Clears,
    /// Who may let the document pass all the same, with a reason. `None`: nobody.
    pub override_by: Option<Role>,
}

/// How a hold goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clears {
    /// By the word of a person (`release`), or with a new revision from the source.
    ByPerson,
    /// By itself, when what is named here arrives or changes.
    ByItself(&'static str),
}

/// What a person may do about holds. Who has which role stands in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Accounts payable.
    Ap,
    /// Whoever may buy: prices, quantities, missing receipts.
    Buyer,
    /// Accounting: periods, taxes, accounts.
    Controller,
    /// Two different people, one after the other: where money could go astray.
    TwoPeople,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Ap, Self::Buyer, Self::Controller, Self::TwoPeople];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ap => "ap",
            Self::Buyer => "buyer",
            Self::Controller => "controller",
            Self::TwoPeople => "two_people",
        }
    }
}

pub(super) const fn entry(
    code: &'static str,
    means: &'static str,
    who: &'static str,
    fix: &'static str,
) -> Entry {
    Entry { code, means, who, fix, clears: Clears::ByPerson, override_by: None }
}

impl Entry {
    /// Clears by itself with `what`: `a receipt`, `the mapping`, `a reopened period`.
    pub(super) const fn by_itself(mut self, what: &'static str) -> Self {
        self.clears = Clears::ByItself(what);
        self
    }

    /// May be set aside by `role`.
    pub(super) const fn unless(mut self, role: Role) -> Self {
        self.override_by = Some(role);
        self
    }
}

/// Every code that a hold can have, by code.
pub fn catalogue() -> Vec<Entry> {
    let parts = [
        super::codes::ENTRIES,
        super::documents::ENTRIES,
        super::ledger::ENTRIES,
        super::matching::ENTRIES,
        super::money::ENTRIES,
        super::orders::ENTRIES,
        super::posting::ENTRIES,
        super::routing::ENTRIES,
        super::suppliers::ENTRIES,
        super::validation::ENTRIES,
    ];
    let mut entries = parts.concat();
    entries.sort_by_key(|entry| entry.code);
    entries
}
