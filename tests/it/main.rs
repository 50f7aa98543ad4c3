//! One binary for all stories: it links once.

mod store_open;
mod stores;
