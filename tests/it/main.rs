//! One binary for all stories: it links once.

mod example_config;
mod module_arrows;
mod review;
mod store_open;
mod stores;
