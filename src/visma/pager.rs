use super::{Client, Error, stamp};
use jiff::civil::DateTime;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Sweeps over a list that keeps moving, before it is called incomplete.
const SWEEPS: u32 = 4;
/// Pages in a row without a new row that end a sweep: the list ignores the page number.
const STALLED_PAGES: u32 = 3;

/// What a list is, apart from its address.
#[derive(Clone)]
pub(super) struct Listing {
    /// Members that together name a row, by path.
    pub key: &'static [&'static str],
    /// Rows changed before this are not ours: the filter was ignored.
    pub since: Option<DateTime>,
    /// Other things that the filter asked of each row: (path, test).
    pub asked: Vec<(&'static str, Asked)>,
    pub counts: Counts,
}

/// What `totalCount` and the size of a page count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Rows,
    /// The entries of this array of the rows, by what is known of it; perhaps rows all the same.
    Entries(&'static str),
}

#[derive(Clone)]
pub(super) enum Asked {
    Equals(String),
    NotBefore(DateTime),
    /// One of the rows in an array has a member with this value.
    Any(&'static str, String),
}

type Read<T> = Box<dyn Fn(Value) -> Result<T, String> + Send + Sync>;

/// A paged list, read page by page.
///
/// Pages are asked for until one is empty or as many rows as the latest page's `totalCount` have
/// been seen; the size of a page means nothing, Visma cuts it silently. A list that ends short
/// of its count has moved while it was read and is swept again from the first page; rows that
/// were delivered already, unchanged, are not delivered again.
pub struct Pager<T> {
    client: Client,
    path: String,
    listing: Listing,
    read: Read<T>,
    page: u32,
    sweep: u32,
    stalled: u32,
    shrunk: bool,
    /// Key to row version: a row is delivered again only when it changed meanwhile.
    seen: HashMap<String, Option<String>>,
    /// Entries of the rows seen, where the list counts those.
    entries: u64,
    new_in_sweep: usize,
    expected: Option<u64>,
    expected_in_last_sweep: Option<u64>,
    newest: Option<(DateTime, String)>,
    outside: u64,
    latest: PageFacts,
    state: State,
}

/// What the latest page showed of itself, whatever became of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PageFacts {
    pub rows: usize,
    pub total: Option<u64>,
    pub max_page_size: Option<u64>,
    /// The first and the last change time on it, as Visma wrote them.
    pub oldest: Option<String>,
    pub newest: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Complete,
    Incomplete,
}

/// The rows of one page that had not been seen before.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub unreadable: Vec<UnreadableRow>,
    /// Rows that the filter should have kept out: Visma ignores filters it does not know.
    pub outside: u64,
}

/// A row that was there, but whose content cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The row's key members, joined by a space, e.g. `Invoice 300457`.
    pub key: String,
    pub reason: String,
    pub modified: Option<String>,
    /// Its note and custom texts: where a key of ours stands.
    pub texts: String,
}

impl<T> Pager<T> {
    /// `path` carries its query but neither page number nor size.
    pub(super) fn new(client: Client, path: String, listing: Listing, read: Read<T>) -> Self {
        Self {
            client,
            path,
            listing,
            read,
            page: 1,
            sweep: 1,
            stalled: 0,
            shrunk: false,
            seen: HashMap::new(),
            entries: 0,
            new_in_sweep: 0,
            expected: None,
            expected_in_last_sweep: None,
            newest: None,
            outside: 0,
            latest: PageFacts::default(),
            state: State::Reading,
        }
    }

    /// The next page, `None` after the last. After an error the same page is asked for again.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Error> {
        if self.state != State::Reading {
            return Ok(None);
        }
        let separator = if self.path.contains('?') { '&' } else { '?' };
        let size = self.client.inner.settings.page_size;
        let path = format!("{}{separator}pageNumber={}&pageSize={size}", self.path, self.page);
        // Text until its turn: a thousand rows as trees of values take ten times their text.
        let rows: Vec<Box<RawValue>> = self.client.get(&path).await?.body;
        Ok(Some(self.take(rows)))
    }

    /// All rows there are. An incomplete read is an error.
    pub async fn all(mut self) -> Result<(Vec<T>, Vec<UnreadableRow>), Error> {
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        while let Some(page) = self.next().await? {
            rows.extend(page.rows);
            unreadable.extend(page.unreadable);
        }
        if self.complete() {
            return Ok((rows, unreadable));
        }
        Err(Error::Incomplete {
            path: super::client::place(&self.path),
            seen: self.seen.len() as u64,
            expected: self.expected.unwrap_or_default(),
        })
    }

    /// Whether the whole list has been read. Until then no watermark may move.
    pub fn complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The highest change time on any row of a complete read, as Visma wrote it.
    pub fn newest(&self) -> Option<&str> {
        self.newest.as_ref().filter(|_| self.complete()).map(|(_, text)| text.as_str())
    }

    /// Rows so far that the filter should have kept out.
    pub const fn outside(&self) -> u64 {
        self.outside
    }

    pub(super) const fn latest(&self) -> &PageFacts {
        &self.latest
    }

    fn take(&mut self, rows: Vec<Box<RawValue>>) -> Page<T> {
        let mut page = Page { rows: Vec::new(), unreadable: Vec::new(), outside: 0 };
        let empty = rows.is_empty();
        let last = rows.last().and_then(|row| tree(row).ok());
        let count = |path| text(last.as_ref()?, path)?.trim().parse::<u64>().ok();
        let total = count("metadata.totalCount");
        self.latest = PageFacts {
            rows: rows.len(),
            total,
            max_page_size: count("metadata.maxPageSize"),
            ..PageFacts::default()
        };
        let mut span: Option<(DateTime, DateTime)> = None;
        if let Some(total) = total {
            // Something went while we read: what stood behind it has moved one place forward,
            // perhaps over the edge of a page already read.
            self.shrunk |= self.expected.is_some_and(|before| total < before);
            self.expected = Some(total);
        }
        let mut fresh = 0;
        for row in rows {
            let row = match tree(&row) {
                Ok(row) => row,
                Err(error) => {
                    let row_text = self.client.inner.redactor.scrub_text(row.get().to_owned());
                    let key: String = row_text.chars().take(200).collect();
                    fresh += usize::from(self.seen.insert(key.clone(), None).is_none());
                    let reason = error.to_string();
                    let texts = row.get().to_owned();
                    page.unreadable.push(UnreadableRow { key, reason, modified: None, texts });
                    continue;
                }
            };
            let key = self.key(&row);
            let version = text(&row, "timeStamp");
            let known = self.seen.get(&key);
            if known.is_none() {
                fresh += 1;
                if let Counts::Entries(name) = self.listing.counts {
                    self.entries += row[name].as_array().map_or(0, |entries| entries.len() as u64);
                }
            } else if known.is_some_and(|kept| *kept == version) {
                continue;
            }
            self.seen.insert(key.clone(), version);
            let modified = text(&row, "lastModifiedDateTime");
            if let Some((at, words)) = modified.clone().and_then(|m| Some((stamp::read(&m)?, m))) {
                let (oldest, newest) = span.unwrap_or((at, at));
                if span.is_none() || at < oldest {
                    self.latest.oldest = Some(words.clone());
                }
                if span.is_none() || at > newest {
                    self.latest.newest = Some(words);
                }
                span = Some((oldest.min(at), newest.max(at)));
            }
            if !self.was_asked_for(&row) {
                page.outside += 1;
                continue;
            }
            if let Some((at, words)) = modified.clone().and_then(|m| Some((stamp::read(&m)?, m)))
                && self.newest.as_ref().is_none_or(|(newest, _)| at > *newest)
            {
                self.newest = Some((at, words));
            }
            let texts = own_texts(&row);
            let reason = match self.client.inner.row_fault(&row) {
                Some(error) => format!("visma marks the row: {error}"),
                None => match (self.read)(row) {
                    Ok(good) => {
                        page.rows.push(good);
                        continue;
                    }
                    Err(reason) => reason,
                },
            };
            page.unreadable.push(UnreadableRow { key, reason, modified, texts });
        }
        self.outside += page.outside;
        self.new_in_sweep += fresh;
        self.move_on(empty, fresh);
        page
    }

    fn move_on(&mut self, empty: bool, fresh: usize) {
        let seen = self.seen.len() as u64;
        let Some(expected) = self.expected else {
            // A list without counts ends at an empty page; one that ignores the page number
            // repeats itself.
            if empty || fresh == 0 {
                self.state = State::Complete;
            }
            self.page += 1;
            return;
        };
        let settled = !self.shrunk || self.sweep > 1;
        if seen >= expected && settled {
            self.state = State::Complete;
            return;
        }
        let empty = empty || seen >= expected;
        // Which of the two is counted is not documented: short of as many rows, only the end of the
        // list ends it, and as many entries then say that none is missing.
        if empty
            && settled
            && matches!(self.listing.counts, Counts::Entries(_))
            && self.entries >= expected
        {
            self.state = State::Complete;
            return;
        }
        self.stalled = if fresh == 0 { self.stalled + 1 } else { 0 };
        if !empty && self.stalled < STALLED_PAGES {
            self.page += 1;
            return;
        }
        // Short of the count. When a whole further sweep brings nothing and the count stands
        // still, the count counts something else and the rows are all there are.
        let settled = self.sweep > 1
            && self.new_in_sweep == 0
            && self.expected_in_last_sweep == Some(expected);
        if settled {
            self.state = State::Complete;
        } else if self.sweep == SWEEPS {
            self.state = State::Incomplete;
        }
        self.sweep += 1;
        self.page = 1;
        self.stalled = 0;
        self.new_in_sweep = 0;
        self.expected_in_last_sweep = Some(expected);
    }

    fn key(&self, row: &Value) -> String {
        let parts: Vec<String> =
            self.listing.key.iter().map(|path| text(row, path).unwrap_or_default()).collect();
        if parts.iter().any(|part| !part.is_empty()) {
            return parts.join(" ");
        }
        // A row without a key is its own content.
        row.to_string().chars().take(200).collect()
    }

    fn was_asked_for(&self, row: &Value) -> bool {
        let not_before = |path: &str, limit: &DateTime| match text(row, path) {
            // Visma cuts a filter to milliseconds, a row may carry seven digits: no trap here,
            // the row is the finer one.
            Some(words) => stamp::read(&words).is_none_or(|at| at >= *limit),
            None => true,
        };
        let since =
            self.listing.since.iter().all(|since| not_before("lastModifiedDateTime", since));
        since
            && self.listing.asked.iter().all(|(path, asked)| match asked {
                Asked::Equals(value) => text(row, path).as_deref() == Some(value.as_str()),
                Asked::NotBefore(limit) => not_before(path, limit),
                Asked::Any(member, value) => row[*path].as_array().is_some_and(|rows| {
                    rows.iter().any(|row| text(row, member).as_deref() == Some(value.as_str()))
                }),
            })
    }
}

/// What people and we may have written on a row freely.
pub(super) fn own_texts(row: &Value) -> String {
    ["note", "customStr1", "customStr2", "customStr3", "customStr4", "customStr5"]
        .into_iter()
        .filter_map(|name| row.get(name)?.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Can fail although the answer was read: a lone surrogate is found only here.
fn tree(row: &RawValue) -> Result<Value, serde_json::Error> {
    serde_json::from_str(row.get())
}

/// A member as text, by a dotted path; numbers by their own digits; absent when blank.
pub(super) fn text(row: &Value, path: &str) -> Option<String> {
    let value = path.split('.').try_fold(row, |value, name| value.get(name))?;
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
