//! One binary for all stories: it links once.

mod review;
mod store_open;
mod stores;
