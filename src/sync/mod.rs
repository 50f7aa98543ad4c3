//! The shell: everything that waits, sends, stores and measures time, around the pure core.
//!
//! A round of a unit: take ownership, settle what an earlier process left, read Visma's side,
//! receive JAGGAER's, decide and post orders, then invoices, compare what stands in Visma with
//! what was planned, and keep a summary.

mod as_of;
mod confirm;
mod difference;
mod early;
mod engine;
mod error;
mod explain;
mod fit;
mod gather;
mod ids;
mod index;
mod judge;
mod lease;
mod ledger;
mod links;
mod manual;
mod mapping;
mod once;
mod post;
mod posting;
mod progress;
mod prune;
mod receive;
mod reconcile;
mod rehearse;
mod round;
mod route;
mod settle;
mod summary;
mod tell;
mod unit;
mod vault;
mod worker;

pub use crate::crash::CrashPoint;
pub use difference::{differences, outcome, plan_differences};
pub use early::{SilentWebhook, run_early};
pub use engine::{Access, Connection, Engine, load_profile, open_connections};
pub use error::SyncError;
pub use explain::{Explained, explain};
pub use fit::{Fitted, fit};
pub use gather::Gatherer;
pub use ids::{document_id, our_key};
pub use judge::{Correction, correction};
pub use lease::{Lease, Ownership};
pub use links::LinkWish;
pub use manual::{
    Asked, ManualVerb, SetAside, ask_to_correct, ask_to_pause, ask_to_set_aside, role_to_set_aside,
};
pub use mapping::{
    Affected, Preview, Wanted, WantedCode, WantedSegment, WantedVendor, preview, rules_anew,
    rules_in_force, wanted,
};
pub use once::{RoundReport, carry_out, sync};
pub use posting::{Event, IllegalStep, step};
pub use progress::{Progress, Silent};
pub use prune::{ask_to_prune, retention_limits};
pub use reconcile::{Reconciled, reconcile};
pub use rehearse::{
    Basis, Comparison, Rehearsed, Selection, applied_plan, rehearse, rehearse_each, rehearse_many,
};
pub use round::{Told, run_round};
pub use route::Router;
pub use summary::{Requests, Totals, totals};
pub use tell::{FlowHealth, Health, SignInFailure, VISMA};
pub use unit::{take_unit, units};
pub use vault::{Rotated, VAULT_UNIT, open_vault, retire_secret, rotate_vault, set_secret};
pub use worker::{Life, Worker};
