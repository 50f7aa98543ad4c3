use super::Silence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an alert can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Documents that a person must look at, or that ask for attention after they were posted.
    Holds,
    /// A flow that has not come to a good end for too long.
    Stalled,
    /// A flow that usually brings documents and brings none.
    Silence,
    /// A system that refuses our credentials.
    SignIn,
    /// Visma's hourly allowance is nearly used up.
    Allowance,
    /// Writes whose answer was lost and that are still not settled.
    Uncertain,
    /// Two documents in Visma under one key of ours.
    Doubled,
    /// Changes that Visma's webhook did not tell of.
    Webhook,
    /// JAGGAER, this store and Visma do not say the same of a month.
    Reconcile,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Holds,
        Self::Stalled,
        Self::Silence,
        Self::SignIn,
        Self::Allowance,
        Self::Uncertain,
        Self::Doubled,
        Self::Webhook,
        Self::Reconcile,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Stalled => "stalled",
            Self::Silence => "silence",
            Self::SignIn => "sign_in",
            Self::Allowance => "allowance",
            Self::Uncertain => "uncertain",
            Self::Doubled => "doubled",
            Self::Webhook => "webhook",
            Self::Reconcile => "reconcile",
        }
    }
}

/// A document that came to be held, or to ask for attention, at an instant (microseconds UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    pub document: String,
    pub number: String,
    pub code: String,
    pub text: String,
    pub since: i64,
}

/// One thing that is wrong now. Instants are microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All that are held now, whenever they came to be.
    Holds {
        connection: String,
        holds: Vec<NewHold>,
    },
    Stalled {
        connection: String,
        flow: String,
        /// The last round of it that came to a good end; `None`: there was none yet.
        last_good_at: Option<i64>,
        /// What the last attempt said.
        error: Option<String>,
    },
    Silence {
        connection: String,
        flow: String,
        silence: Silence,
    },
    SignIn {
        /// `JAGGAER` or `Visma.net`.
        system: &'static str,
        /// The source's or company's id.
        id: String,
        error: String,
    },
    Allowance {
        company: String,
        remaining: i64,
        limit: i64,
        resets_in_seconds: Option<i64>,
    },
    Uncertain {
        connection: String,
        documents: Vec<String>,
    },
    Doubled {
        connection: String,
        document: String,
        number: String,
        text: String,
    },
    Webhook {
        company: String,
        /// What it should have told of.
        list: String,
        /// Changes in a row that only polls found, and since when.
        in_a_row: i64,
        since: i64,
        /// The last nudge about it; `None`: there never was one.
        last_nudge_at: Option<i64>,
    },
    Reconcile {
        unit: String,
        /// `2026-03`.
        period: String,
        reconciled_at: i64,
        differences: i64,
        /// The first of them: kind and sentence.
        first: Vec<(String, String)>,
    },
}

impl Condition {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Holds { .. } => Kind::Holds,
            Self::Stalled { .. } => Kind::Stalled,
            Self::Silence { .. } => Kind::Silence,
            Self::SignIn { .. } => Kind::SignIn,
            Self::Allowance { .. } => Kind::Allowance,
            Self::Uncertain { .. } => Kind::Uncertain,
            Self::Doubled { .. } => Kind::Doubled,
            Self::Webhook { .. } => Kind::Webhook,
            Self::Reconcile { .. } => Kind::Reconcile,
        }
    }

    /// What makes it the same condition as the one seen before.
    pub fn key(&self) -> String {
        let kind = self.kind().as_str();
        match self {
            Self::Holds { connection, .. } | Self::Uncertain { connection, .. } => {
                format!("{kind}/{connection}")
            }
            Self::Stalled { connection, flow, .. } | Self::Silence { connection, flow, .. } => {
                format!("{kind}/{connection}/{flow}")
            }
            Self::SignIn { id, .. } => format!("{kind}/{id}"),
            Self::Allowance { company, .. } => format!("{kind}/{company}"),
            Self::Doubled { document, .. } => format!("{kind}/{document}"),
            Self::Webhook { company, list, .. } => format!("{kind}/{company}/{list}"),
            Self::Reconcile { unit, period, .. } => format!("{kind}/{unit}/{period}"),
        }
    }

    /// The connection it is about; `None`: a whole source, company or unit.
    pub fn connection(&self) -> Option<&str> {
        match self {
            Self::Holds { connection, .. }
            | Self::Stalled { connection, .. }
            | Self::Silence { connection, .. }
            | Self::Uncertain { connection, .. }
            | Self::Doubled { connection, .. } => Some(connection),
            Self::SignIn { .. }
            | Self::Allowance { .. }
            | Self::Webhook { .. }
            | Self::Reconcile { .. } => None,
        }
    }
}

/// Holds by their code, the most frequent first.
pub(super) fn by_code<'a>(holds: impl IntoIterator<Item = &'a NewHold>) -> Vec<(&'a str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for hold in holds {
        *counts.entry(&hold.code).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts
}
