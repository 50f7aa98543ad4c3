//! Simulated JAGGAER and Visma.net ERP over HTTP, with faults. The sandbox shares no type with the clients that it tests.

pub mod faults;
pub mod visma;
