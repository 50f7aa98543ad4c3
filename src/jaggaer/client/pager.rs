use super::{Ask, Client, header_map, with_query};
use crate::jaggaer::address::percent_encoded;
use crate::jaggaer::profile::{End, Feed, PAGE_IN_PATH, PagingKind, Place, Request};
use crate::jaggaer::{Error, Stamp};
use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;

/// No list is this long; one that is has lost its end.
const MOST_PAGES: u32 = 100_000;
/// Pages in a row without a row. Filtered lists have some.
const MOST_EMPTY_PAGES: u32 = 100;
/// How often a list is begun again because it changed or its cursor grew too old.
const MOST_RESTARTS: u32 = 2;

/// One row of a list, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub body: Value,
}

/// One answer of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub rows: Vec<Row>,
}

/// Reads one list to its end. A row that comes again unchanged in lists without cursor is left
/// out; a list that moves under the reader is begun again, and rows already given stay given.
pub struct Pager {
    client: Client,
    feed: Arc<Feed>,
    since: Option<(String, String)>,
    size: u64,
    next: Next,
    /// Ids of this pass.
    seen: HashSet<[u8; 16]>,
    /// Ids with stamps, over all passes.
    given: HashSet<[u8; 16]>,
    /// The last rows of the page before; the next page must begin among them.
    anchors: Vec<[u8; 16]>,
    total: Option<u64>,
    cursors: HashSet<String>,
    pages: u32,
    empty_pages: u32,
    restarts: u32,
}

enum Next {
    Start,
    Cursor(String),
    Page(u64),
    Offset(u64),
    Link(Url),
    End,
}

/// What one answer of a list held.
struct Held {
    rows: Vec<Value>,
    total: Option<u64>,
    next: Option<String>,
    /// Unless the answer says that this is the last page.
    more: bool,
}

/// What a page means for the pages after it.
enum Verdict {
    Go(Next),
    Moved,
}

impl Pager {
    pub(super) fn new(client: Client, feed: Arc<Feed>, since: Option<&Stamp>) -> Self {
        let since = since.and_then(|stamp| feed.since_query(stamp));
        let size = client.inner.settings.page_size.max(1);
        let size = feed.paging.max_size.map_or(size, |most| size.min(most.max(1)));
        Self {
            client,
            feed,
            since,
            size,
            next: Next::Start,
            seen: HashSet::new(),
            given: HashSet::new(),
            anchors: Vec::new(),
            total: None,
            cursors: HashSet::new(),
            pages: 0,
            empty_pages: 0,
            restarts: 0,
        }
    }

    /// Rows asked for in one page; `None`: the list takes no such wish.
    pub fn page_size(&self) -> Option<u64> {
        self.feed.paging.size_parameter.as_ref().map(|_| self.size)
    }

    /// Whether rows follow a page that ended the list because it had fewer rows than were asked for. `None`: it
    /// did not end so. Where rows follow, the source cuts pages, and the profile's `max_size` must say so.
    pub async fn rows_follow_short_page(&mut self, rows: usize) -> Result<Option<bool>, Error> {
        let count = u64::try_from(rows).unwrap_or(u64::MAX);
        let paging = &self.feed.paging;
        let ended_short = self.complete()
            && count > 0
            && count < self.size
            && paging.end.contains(&End::ShortPage);
        self.next = match paging.kind {
            PagingKind::Page if ended_short => Next::Page(paging.first + 1),
            PagingKind::Offset if ended_short => Next::Offset(paging.first + count),
            _ => return Ok(None),
        };
        let (_, held) = self.fetch().await?;
        let new = held.rows.iter().any(|row| {
            let id = digest(&[&self.feed.source_id(row)]);
            !self.seen.contains(&id)
        });
        self.next = Next::End;
        Ok(Some(new))
    }

    /// The list was read to its end: a watermark may move.
    pub fn complete(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The next page, which may be empty; `None` after the last. After an error the same page is
    /// asked for again.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            if self.complete() {
                return Ok(None);
            }
            if self.pages >= MOST_PAGES {
                return Err(self.endless(format!("{MOST_PAGES} pages and more")));
            }
            let (url, held) = match self.fetch().await {
                Ok(fetched) => fetched,
                Err(Error::Status { status: 410, .. })
                    if !matches!(self.next, Next::Start) && self.restarts < MOST_RESTARTS =>
                {
                    self.start_again();
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.pages += 1;
            let verdict = self.judge(&url, &held)?;
            let rows = self.not_given_yet(held.rows);
            match verdict {
                Verdict::Go(next) => self.next = next,
                Verdict::Moved if self.restarts < MOST_RESTARTS => self.start_again(),
                Verdict::Moved => {
                    let times = self.restarts + 1;
                    return Err(Error::Moved { path: self.feed.path.clone(), times });
                }
            }
            return Ok(Some(Page { rows }));
        }
    }

    async fn fetch(&self) -> Result<(Url, Held), Error> {
        let (url, sent) = self.request()?;
        let headers =
            header_map(self.feed.headers.iter().map(|(name, value)| (name, value.as_str())))?;
        let ask = Ask::read(&url, &headers, sent.as_ref());
        let (body, headers) =
            self.client.json(&ask, self.feed.success.as_ref(), self.feed.error.as_ref()).await?;
        let held = self.open(&url, body, &headers)?;
        Ok((url, held))
    }

    fn start_again(&mut self) {
        self.restarts += 1;
        self.next = Next::Start;
        self.seen.clear();
        self.cursors.clear();
        self.anchors.clear();
        self.total = None;
    }

    /// What to ask for next: an address, and the body where parameters go into one.
    fn request(&self) -> Result<(Url, Option<Value>), Error> {
        let feed = &self.feed;
        let mut parameters: Vec<(&str, Value)> = Vec::new();
        if let Some((name, value)) = &self.since {
            parameters.push((name, value.clone().into()));
        }
        if let Some(name) = &feed.paging.size_parameter {
            parameters.push((name, self.size.into()));
        }
        let place: Option<Value> = match (&self.next, feed.paging.kind) {
            (Next::Cursor(cursor), _) => Some(cursor.clone().into()),
            (Next::Page(at) | Next::Offset(at), _) => Some((*at).into()),
            (Next::Start, PagingKind::Page | PagingKind::Offset) => Some(feed.paging.first.into()),
            (Next::Start, PagingKind::Cursor | PagingKind::Link | PagingKind::None)
            | (Next::Link(_) | Next::End, _) => None,
        };
        let mut path = feed.path.clone();
        if path.contains(PAGE_IN_PATH) {
            let at = place.as_ref().map(text_of_parameter).unwrap_or_default();
            path = path.replace(PAGE_IN_PATH, &percent_encoded(&at));
        } else if let Some(place) = place {
            parameters.push((&feed.paging.parameter, place));
        }
        let linked = match &self.next {
            Next::Link(url) => Some(url.clone()),
            Next::Start | Next::Cursor(_) | Next::Page(_) | Next::Offset(_) | Next::End => None,
        };
        let plain = |base: &str| Ok(with_query(self.client.inner.base.below(base)?, &feed.query));
        match &feed.request {
            Request::Get => {
                let mut url = match linked {
                    // It carries everything that the first call said.
                    Some(url) => return Ok((url, None)),
                    None => plain(&path)?,
                };
                if !parameters.is_empty() {
                    let texts = parameters.iter().map(|(name, of)| (name, text_of_parameter(of)));
                    url.query_pairs_mut().extend_pairs(texts);
                }
                Ok((url, None))
            }
            Request::Post(fixed) => {
                let mut body = Value::Object(fixed.clone());
                for (name, value) in parameters {
                    put(&mut body, name, value);
                }
                Ok((linked.map_or_else(|| plain(&path), Ok)?, Some(body)))
            }
        }
    }

    fn open(&self, url: &Url, mut body: Value, headers: &HeaderMap) -> Result<Held, Error> {
        let feed = &self.feed;
        let total = match &feed.total {
            Some(place) => number_at(place, &body),
            None => None,
        };
        let wrong = |text| Error::WrongShape { path: feed.path.clone(), text };
        if total.is_none() && feed.paging.end.contains(&End::Total) {
            let place = feed.total.as_ref().map(Place::text).unwrap_or_default();
            return Err(wrong(format!("no total at {place}")));
        }
        let next = match feed.paging.kind {
            PagingKind::Cursor => match (&feed.paging.cursor, &feed.paging.cursor_header) {
                (Some(place), _) => text_at(place, &body),
                (None, Some(name)) => headers
                    .get(name.as_str())
                    .and_then(|value| value.to_str().ok())
                    .map(|text| text.trim().to_owned())
                    .filter(|text| !text.is_empty()),
                (None, None) => None,
            },
            PagingKind::Link => match &feed.paging.next {
                Some(place) => text_at(place, &body),
                None => next_link(headers),
            }
            .map(|link| self.client.inner.base.linked(url, &link))
            .transpose()?
            .map(String::from),
            PagingKind::Page | PagingKind::Offset | PagingKind::None => None,
        };
        let more = feed.paging.more.as_ref().is_none_or(|place| says_yes(place, &body));
        let rows = match feed.items.take_list(&mut body) {
            Some(rows) => rows,
            None if total == Some(0) => Vec::new(),
            None => return Err(wrong(format!("no list at {}", feed.items.text()))),
        };
        Ok(Held { rows, total, next, more })
    }

    /// Decides what comes after this page, and notes its ids.
    fn judge(&mut self, url: &Url, held: &Held) -> Result<Verdict, Error> {
        let paging = &self.feed.paging;
        let ids: Vec<[u8; 16]> =
            held.rows.iter().map(|row| digest(&[&self.feed.source_id(row)])).collect();
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        self.empty_pages = if ids.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MOST_EMPTY_PAGES {
            return Err(self.endless(format!("{MOST_EMPTY_PAGES} empty pages in a row")));
        }
        let ends_here = paging.end.iter().any(|end| match end {
            End::ShortPage => count < self.size,
            End::EmptyPage => count == 0,
            End::NoMore => !held.more,
            End::NoCursor | End::Total => false,
        });
        match paging.kind {
            PagingKind::None => Ok(Verdict::Go(Next::End)),
            PagingKind::Cursor | PagingKind::Link => {
                let Some(next) = held.next.clone().filter(|_| !ends_here) else {
                    return Ok(Verdict::Go(Next::End));
                };
                if !self.cursors.insert(next.clone()) {
                    return Err(self.endless("the same next page is named twice".to_owned()));
                }
                if paging.kind == PagingKind::Cursor {
                    return Ok(Verdict::Go(Next::Cursor(next)));
                }
                let link = self.client.inner.base.linked(url, &next)?;
                Ok(Verdict::Go(Next::Link(link)))
            }
            PagingKind::Page => {
                let first_page = matches!(self.next, Next::Start);
                let new = ids.iter().filter(|id| self.seen.insert(**id)).count();
                let moved = !first_page && held.total != self.total;
                self.total = held.total;
                if moved {
                    return Ok(Verdict::Moved);
                }
                if ends_here || count == 0 || self.reached(u64::try_from(self.seen.len())) {
                    return Ok(Verdict::Go(Next::End));
                }
                if new == 0 {
                    return Err(self.endless("a page brought nothing new".to_owned()));
                }
                let at = if let Next::Page(at) = self.next { at } else { paging.first };
                Ok(Verdict::Go(Next::Page(at + 1)))
            }
            PagingKind::Offset => self.judge_offset(held, &ids, ends_here),
        }
    }

    /// Pages by offset overlap by a few rows: when none of the last rows is in the next
    /// page, rows before them went, and one of those not read yet may have slipped by.
    fn judge_offset(
        &mut self,
        held: &Held,
        ids: &[[u8; 16]],
        ends_here: bool,
    ) -> Result<Verdict, Error> {
        let paging = &self.feed.paging;
        let start = if let Next::Offset(at) = self.next { at } else { paging.first };
        let overlap = paging.overlap_rows;
        if !self.anchors.is_empty() && !self.anchors.iter().any(|anchor| ids.contains(anchor)) {
            return Ok(Verdict::Moved);
        }
        self.total = held.total;
        let rows = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let distinct = rows(ids.iter().collect::<HashSet<_>>().len());
        // A small page is not spent on the overlap alone.
        let step_back = overlap.min(distinct / 2);
        let new = ids.iter().filter(|id| self.seen.insert(**id)).count();
        self.anchors = match usize::try_from(step_back) {
            Ok(back) if back > 0 => ids[ids.len().saturating_sub(back + 1)..].to_vec(),
            Ok(_) | Err(_) => Vec::new(),
        };
        let count = rows(ids.len());
        let behind = start.saturating_sub(paging.first);
        let position = behind + distinct;
        if ends_here || self.reached(Ok(position)) {
            return Ok(Verdict::Go(Next::End));
        }
        if new == 0 {
            // Nothing but rows that are known: the end, unless the total says otherwise.
            let at_end = self.total.is_none_or(|total| behind + count >= total);
            return match (at_end, count <= overlap) {
                (true, _) if self.total.is_some() => Ok(Verdict::Go(Next::End)),
                (true, true) => Ok(Verdict::Go(Next::End)),
                (false, true) => Ok(Verdict::Moved),
                (_, false) => Err(self.endless("a page brought nothing new".to_owned())),
            };
        }
        Ok(Verdict::Go(Next::Offset(paging.first + position - step_back)))
    }

    fn reached(&self, position: Result<u64, std::num::TryFromIntError>) -> bool {
        self.feed.paging.end.contains(&End::Total)
            && self.total.is_some_and(|total| position.is_ok_and(|position| position >= total))
    }

    fn not_given_yet(&mut self, rows: Vec<Value>) -> Vec<Row> {
        let repeats = match self.feed.paging.kind {
            PagingKind::Page | PagingKind::Offset => true,
            PagingKind::Cursor | PagingKind::Link | PagingKind::None => false,
        };
        rows.into_iter()
            .filter(|row| {
                if !repeats {
                    return true;
                }
                let version = match self.feed.stamp(row) {
                    Some(stamp) => stamp.raw,
                    None => row.to_string(),
                };
                self.given.insert(digest(&[&self.feed.source_id(row), &version]))
            })
            .map(|body| Row { body })
            .collect()
    }

    fn endless(&self, text: String) -> Error {
        Error::Endless { path: self.feed.path.clone(), text }
    }
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

fn text_at(place: &Place, body: &Value) -> Option<String> {
    match *place.nodes(body).first()? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// A parameter as it stands in an address.
fn text_of_parameter(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Puts a parameter into a body: `page.size` is a member of a member.
fn put(body: &mut Value, name: &str, value: Value) {
    let mut at = body;
    for member in name.split('.') {
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = &mut at[member];
    }
    *at = value;
}

/// Whether the answer says that there is more. What is absent or no word for it means no.
fn says_yes(place: &Place, body: &Value) -> bool {
    place.nodes(body).first().is_some_and(|node| match node {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_u64().is_some_and(|number| number > 0),
        Value::String(text) => {
            ["true", "yes", "y", "j", "1"].contains(&text.trim().to_lowercase().as_str())
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    })
}

fn number_at(place: &Place, body: &Value) -> Option<u64> {
    text_at(place, body)?.parse().ok()
}

/// The target of `rel="next"` in `Link` headers (RFC 8288).
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|value| {
        let mut rest = value;
        while let Some((_, after)) = rest.split_once('<') {
            let (target, after) = after.split_once('>')?;
            let end = after.find('<').unwrap_or(after.len());
            let is_next = after[..end].split([';', ',']).any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_whitespace()
                            .any(|relation| relation.eq_ignore_ascii_case("next"))
                })
            });
            if is_next {
                return Some(target.to_owned());
            }
            rest = &after[end..];
        }
        None
    })
}
