//! One binary for all stories: it links once.

mod example_config;
mod module_arrows;
mod store_open;
mod stores;
