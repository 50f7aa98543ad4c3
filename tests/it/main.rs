//! One binary for all stories: it links once.

mod flow;
mod invoice_to_visma;
mod store_open;
mod stores;
