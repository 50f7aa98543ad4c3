//! Changes as a poll finds them, where a webhook should have told of them.

use crate::clock;
use crate::nudge::Found;
use crate::schedule::Poll;
use crate::store::{Change, Watermark};
use crate::sync::engine::Company;

/// The changes that one read of a list finds.
pub(super) struct Finds {
    poll: Poll,
    /// When the list was read to its end before; `None`: nobody asks, or it never was, so that everything is new.
    since: Option<i64>,
}

impl Finds {
    pub fn of(company: &Company, poll: Poll, watermark: Option<&Watermark>) -> Self {
        Self::since(company, poll, watermark.map(|watermark| watermark.moved_at))
    }

    pub fn since(company: &Company, poll: Poll, read_at: Option<i64>) -> Self {
        let is_watched = company.watched.as_ref().is_some_and(|of| of.polls.contains(&poll));
        Self { poll, since: read_at.filter(|_| is_watched) }
    }

    pub fn are_wanted(&self) -> bool {
        self.since.is_some()
    }

    pub fn add(&self, company: &Company, reference: &str, change: &mut Change) {
        let Some(since) = self.since else { return };
        let found = Found { reference: reference.to_owned(), since, seen_at: clock::now() };
        change.found_by_poll(&company.id, self.poll, &found);
    }
}
