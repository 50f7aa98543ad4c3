//! One binary for all stories: it links once.

mod adoption;
mod connector;
mod crash_and_resume;
mod example_config;
mod faults;
mod flow;
mod guard;
mod holds;
mod identity;
mod invoice_to_visma;
mod isolation;
mod ledger;
mod lines_add_up;
mod module_arrows;
mod ping;
mod postings;
mod profiles;
mod review;
mod revisions;
mod store_open;
mod stores;
mod trouble;
mod two_processes;
mod waiting;
