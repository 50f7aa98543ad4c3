//! One binary for all stories: it links once.

mod adoption;
mod flow;
mod holds;
mod invoice_to_visma;
mod revisions;
mod store_open;
mod stores;
mod waiting;
