//! The shell: everything that waits, sends, stores and measures time, around the pure core.
//!
//! A round of a unit: take ownership, settle what an earlier process left, read Visma's side,
//! receive JAGGAER's, decide and post orders, then invoices, compare what stands in Visma with
//! what was planned, and keep a summary.

mod engine;
mod error;
mod gather;
mod ids;
mod index;
mod judge;
mod lease;
mod ledger;
mod manual;
mod post;
mod posting;
mod progress;
mod receive;
mod rehearse;
mod round;
mod settle;
mod summary;

pub use crate::crash::CrashPoint;
pub use engine::{Engine, load_profile};
pub use error::SyncError;
pub use ids::{document_id, our_key};
pub use lease::{Lease, Ownership, ProcessLock, lock_process};
pub use manual::{Asked, ManualVerb};
pub use posting::{Event, IllegalStep, step};
pub use progress::{Progress, Silent};
pub use rehearse::{Rehearsed, rehearse};
pub use round::{RoundReport, run_round, sync};
pub use summary::{Requests, Totals, totals};
