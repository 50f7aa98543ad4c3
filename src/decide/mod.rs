//! The judgement on one document: what shall stand in the ERP, or why not.
//!
//! Pure: `(document, rules, reference data, vendors, history) -> Decision`. No clock, no I/O,
//! no randomness. The same inputs give the same decision for ever.

mod coding;
mod header;
mod history;
mod hold;
mod invoice;
mod lines;
mod link;
mod matching;
mod material;
mod order;
mod overrides;
mod positions;
mod route;
mod rules;
#[cfg(test)]
mod tests;
mod validate;
mod verdict;

pub use crate::procurement::{PaidTo, PastInvoice};
pub use history::{EarlierBilling, Elsewhere, History, KnownOrder, OrderState, Override};
pub use hold::{Clears, Entry, Hold, Role, Wait, WaitFor, catalogue, link_command};
pub use invoice::invoice;
pub use material::material;
pub use order::order;
pub use overrides::in_force as overrides_in_force;
pub use route::{FieldCondition, Move, Route, RouteEntry, Routing, RoutingFault, Seen, Taken};
pub use rules::{
    BookOn, ChargeRule, ClosedPeriod, InvoiceRules, ItemRule, OrderRules, Rules, VatRounding,
};
pub use verdict::{Evidence, MatchKind, MatchedLine, Verdict};

pub use crate::matching::MatchRules;

use crate::mapping::SupplierIndex;
use crate::procurement::{Document, Plan, ReferenceData, Vendor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything a decision may look at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub rules: &'a Rules,
    pub reference: &'a ReferenceData,
    /// Of `reference.suppliers`; built once for each version of it.
    pub suppliers: &'a SupplierIndex,
    /// JAGGAER's vendor master, by the source's vendor id.
    pub vendors: &'a BTreeMap<String, Vendor>,
    pub history: &'a History,
}

/// Judges a document of either kind.
pub fn document(document: &Document, inputs: &Inputs<'_>) -> Verdict {
    match document {
        Document::Order(of) => {
            Verdict { decision: order(of, inputs), evidence: Evidence::default() }
        }
        Document::Invoice(of) => invoice(of, inputs),
    }
}

/// Sorted and without repeats, so that the same document always shows the same holds.
fn held(mut holds: Vec<Hold>) -> Decision {
    holds.sort();
    holds.dedup();
    Decision::Hold(holds)
}

/// The outcome. Exactly one, and every caller matches all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Post this.
    Plan(Box<Plan>),
    /// It stands in the ERP already, made by a person: take that one as ours.
    Adopt { plan: Box<Plan>, document_type: String, number: String },
    /// Moves by itself when what is waited for arrives.
    Wait(Vec<Wait>),
    /// A person must look. Never empty.
    Hold(Vec<Hold>),
    /// Never to be posted, with the reason.
    Ignore(String),
    /// Not ripe: received, not judged.
    NotRipe,
    /// The source took it back.
    Cancel,
}

impl Decision {
    /// One word, as it is stored and listed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Adopt { .. } => "adopt",
            Self::Wait(_) => "wait",
            Self::Hold(_) => "hold",
            Self::Ignore(_) => "ignore",
            Self::NotRipe => "not_ripe",
            Self::Cancel => "cancel",
        }
    }
}
