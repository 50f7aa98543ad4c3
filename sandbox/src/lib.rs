//! JAGGAER and Visma.net as HTTP services with state and faults: the other side that
//! ml-connector is tried and tested against. Shares no type with the clients it tests.

mod assembly;
pub mod faults;
pub mod jaggaer;
mod seeding;
pub mod vendor_set;
pub mod visma;
pub mod world;

pub use assembly::{CompanyReport, PlantedHold, Report, Sandbox, Settings};
pub use vendor_set::vendor_set;
