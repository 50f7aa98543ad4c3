//! One binary for all stories: it links once.

mod adoption;
mod example_config;
mod faults;
mod flow;
mod holds;
mod invoice_to_visma;
mod isolation;
mod lines_add_up;
mod module_arrows;
mod ping;
mod profiles;
mod review;
mod revisions;
mod store_open;
mod stores;
mod waiting;
