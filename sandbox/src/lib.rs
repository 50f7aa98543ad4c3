//! JAGGAER and Visma.net as HTTP services with state and faults: the other side that
//! ml-connector is tried and tested against. Shares no type with the clients it tests.

pub mod jaggaer;
pub mod world;
