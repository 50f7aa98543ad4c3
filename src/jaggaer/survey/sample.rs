//! A saved answer: one page of a list, or one whole document.

use crate::jaggaer::profile::{Feed, Profile};
use crate::jaggaer::read::Trace;
use serde_json::Value;
use std::sync::Arc;

/// Rows of a sample that are tried to find out which feed it is of.
const TRIED: usize = 5;

/// A saved answer with its file's name.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    pub body: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    #[error("sample {name}: not JSON: {text}")]
    NotJson { name: String, text: String },
    #[error(
        "sample {name}: no feed of the profile finds its records and their ids in it; say which \
         it is with --feed, or compare `items` and `id` with the file"
    )]
    OfNoFeed { name: String },
    #[error("the profile has no feed `{0}`")]
    NoSuchFeed(String),
}

impl Sample {
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, SampleError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let body = serde_json::from_slice(text).map_err(|error| SampleError::NotJson {
            name: name.to_owned(),
            text: error.to_string(),
        })?;
        Ok(Self { name: name.to_owned(), body })
    }

    /// The documents in it, as the feed finds them: the rows of a list, or itself.
    pub fn documents(&self, feed: &Feed) -> Vec<Value> {
        let rows = feed.items.list(&self.body).unwrap_or_default();
        let with_id = |row: &&Value| !feed.source_id(row).starts_with("no-id:");
        if rows.iter().any(with_id) {
            return rows.into_iter().cloned().collect();
        }
        if with_id(&&self.body) { vec![self.body.clone()] } else { Vec::new() }
    }
}

/// The feed that finds most of what it asks for in the sample.
pub fn guess_feed<'p>(profile: &'p Profile, sample: &Sample) -> Result<&'p Arc<Feed>, SampleError> {
    let mut best: Option<(u64, &Arc<Feed>)> = None;
    for feed in profile.feeds() {
        let documents = sample.documents(feed);
        if documents.is_empty() {
            continue;
        }
        let mut trace = Trace::default();
        for body in documents.iter().take(TRIED) {
            feed.trace(body, &mut trace);
        }
        let (mut found, mut asked) = (0, 0);
        for (_, field) in &trace.fields {
            let weight = if field.required { 4 } else { 1 };
            found += weight * field.found;
            asked += weight * (field.found + field.missing + field.unreadable);
        }
        let score = found * 1000 / asked.max(1) + said_by_query(feed, &documents[0]);
        // Of two that find as much, the one that comes first in the file.
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, feed));
        }
    }
    best.map(|(_, feed)| feed).ok_or_else(|| SampleError::OfNoFeed { name: sample.name.clone() })
}

/// Two lists over one path differ by their query, and their rows often say the same.
fn said_by_query(feed: &Feed, row: &Value) -> u64 {
    let says = |(name, value): (&String, &String)| row.get(name)?.as_str().map(|is| is == value);
    feed.query.iter().filter_map(says).map(u64::from).sum()
}
