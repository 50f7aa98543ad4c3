//! Lists by offset: rows that come, go and move push all others to other places.

use super::feed::{Entry, List};
use super::{Fault, Inner, Jaggaer};

pub(super) struct Window<'a> {
    pub rows: Vec<&'a Entry>,
    /// Of all rows that fit.
    pub total: usize,
}

/// The rows from a place on, the first of all being 0.
pub(super) fn window<'a>(
    jaggaer: &Jaggaer,
    inner: &'a mut Inner,
    list: List,
    at: usize,
    size: usize,
    fits: &dyn Fn(&Entry) -> bool,
) -> Window<'a> {
    if at == 0 {
        inner.ghosts.remove(&list);
    } else {
        if jaggaer.board.fires(Fault::RepeatedRecord) {
            *inner.ghosts.entry(list).or_insert(0) += 1;
        }
        if jaggaer.board.fires(Fault::MovedRecord) {
            let ghosts = inner.ghosts.get(&list).copied().unwrap_or(0);
            let entries = inner.feeds.list(list).iter();
            // Only one that is still to be read: it comes later, and nothing shifts before it.
            let next = entries.filter(|entry| fits(entry)).nth((at + 1).saturating_sub(ghosts));
            if let Some(id) = next.map(|entry| entry.id.clone()) {
                inner.feeds.move_to_end(list, &id);
            }
        }
    }
    if at > 0 && jaggaer.board.fires(Fault::ChangedWhilePaging) {
        let ghosts = inner.ghosts.get(&list).copied().unwrap_or(0);
        let read = at.saturating_sub(ghosts + 1);
        let entries = inner.feeds.list(list).iter();
        if let Some(id) = entries.filter(|entry| fits(entry)).nth(read / 2).map(|of| of.id.clone())
        {
            jaggaer.world.bump(&id);
            inner.feeds.move_to_end(list, &id);
            jaggaer.refresh(inner);
        }
    }
    // A record that came in at the front pushes all others on: the first stands there again.
    let ghosts = inner.ghosts.get(&list).copied().unwrap_or(0);
    let fitting: Vec<&Entry> = inner.feeds.list(list).iter().filter(|entry| fits(entry)).collect();
    let total = if fitting.is_empty() { 0 } else { fitting.len() + ghosts };
    let rows = (at..total).take(size).map(|index| fitting[index.saturating_sub(ghosts)]).collect();
    Window { rows, total }
}
