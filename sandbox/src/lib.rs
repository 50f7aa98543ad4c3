//! Simulated JAGGAER and Visma.net ERP over HTTP, with faults. The sandbox shares no type with the
//! clients that it tests.

mod assembly;
pub mod faults;
pub mod jaggaer;
pub mod visma;
pub mod world;

pub use assembly::{PlantedHold, Report, Sandbox, Settings};
