//! One binary for all stories: it links once.

mod connector;
mod crash_and_resume;
mod guard;
mod postings;
mod store_open;
mod stores;
mod trouble;
mod two_processes;
