//! Carries purchase orders and supplier invoices from JAGGAER into Visma.net ERP, once each,
//! and can prove it. `ARCHITECTURE.md` tells how; the folders follow the flow of a document.

pub mod alert;
pub mod audit;
pub mod clock;
pub mod config;
pub mod confirm;
mod crash;
pub mod decide;
pub mod doctor;
pub mod examine;
pub mod fit;
mod http;
pub mod jaggaer;
#[cfg(test)]
#[path = "../tests/laws/mod.rs"]
mod laws;
pub mod mapping;
pub mod matching;
pub mod nudge;
pub mod procurement;
pub mod reconcile;
mod redact;
pub mod schedule;
pub mod serve;
pub mod store;
pub mod sync;
pub mod validation;
pub mod vault;
pub mod visma;
