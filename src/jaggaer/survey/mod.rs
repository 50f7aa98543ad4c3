//! Looks at samples or live answers through a profile, field by field, without posting anything.
//! Pure: what was read comes in as an argument.

mod sample;
mod sums;

pub use sample::{Sample, SampleError, guess_feed};
pub use sums::SumCheck;

use super::profile::Feed;
use super::read::{Content, Trace};
use crate::procurement::{Document, Ripeness};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What one feed's documents show.
#[derive(Debug, Clone, Serialize)]
pub struct FeedSurvey {
    pub feed: String,
    pub records: u64,
    /// Documents of which every field could be read.
    pub readable: u64,
    pub fields: Vec<FieldSurvey>,
    pub statuses: Vec<StatusSurvey>,
    /// Values of fields that have few: units, tax codes, kinds.
    pub words: Vec<WordSurvey>,
    pub sums: Vec<SumCheck>,
    /// What looks wrong or deserves a thought.
    pub hints: Vec<String>,
}

/// One field of one feed.
#[derive(Debug, Clone, Serialize)]
pub struct FieldSurvey {
    pub feed: String,
    pub field: String,
    pub place: String,
    pub required: bool,
    pub found: u64,
    pub missing: u64,
    pub unreadable: u64,
    pub examples: Vec<String>,
    pub reasons: Vec<Reason>,
}

/// Why a value could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    pub value: String,
    pub text: String,
}

/// Status words that came, and what the profile's rules make of them.
#[derive(Debug, Clone, Serialize)]
pub struct StatusSurvey {
    pub words: String,
    /// `ripe`, `not_yet`, `cancelled`, or `unknown` when no rule names them.
    pub then: &'static str,
    pub documents: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct WordSurvey {
    pub field: String,
    pub values: BTreeMap<String, u64>,
}

impl FieldSurvey {
    /// Without it no document of the feed can be posted.
    pub fn fails(&self) -> bool {
        self.required && self.found == 0
    }
}

impl FeedSurvey {
    pub fn ok(&self) -> bool {
        self.records == 0 || !self.fields.iter().any(FieldSurvey::fails)
    }
}

/// Surveys the whole documents of a feed. `now`: microseconds since 1970, when the documents are
/// live; then times that lie ahead of it are a sign of a wrong zone.
pub fn survey(feed: &Arc<Feed>, documents: &[Value], now: Option<i64>) -> FeedSurvey {
    let mut trace = Trace::default();
    let mut sums = sums::Sums::default();
    let mut readable = 0;
    let mut newest: Option<i64> = None;
    let mut ids: HashMap<String, &Value> = HashMap::new();
    let mut one_id_twice = 0_u64;
    for body in documents {
        let read = feed.trace(body, &mut trace);
        newest = newest.max(read.stamp.as_ref().map(|stamp| stamp.micros));
        if ids.insert(read.source_id, body).is_some_and(|other| other != body) {
            one_id_twice += 1;
        }
        let whole = match &read.content {
            Content::Document { document: Ok(document), .. } => {
                match document.as_ref() {
                    Document::Invoice(invoice) => sums.add_invoice(invoice),
                    Document::Order(order) => sums.add_order(order),
                }
                true
            }
            Content::Document { document: Err(_), .. } => false,
            Content::Vendor(vendor) => vendor.is_ok(),
            Content::Receipt(receipt) => receipt.is_ok(),
            Content::Contract(contract) => contract.is_ok(),
        };
        readable += u64::from(whole);
    }
    let mut hints = sums.hints();
    hints.extend(stamp_hints(feed, &trace, newest, now));
    if one_id_twice > 0 {
        hints.push(format!(
            "{one_id_twice} records carry an id that another one has: either `id` is not the \
             document's own, or the list has a row for each line, which a profile cannot join"
        ));
    }
    let unknown = trace.statuses.values().any(|(ripeness, _)| *ripeness == Ripeness::Unknown);
    if unknown {
        hints.push(
            "status words that no rule names hold their documents: ask what they mean, and add \
             them to `rules`"
                .to_owned(),
        );
    }
    if feed.needs_detail() && trace.fields.iter().any(|(name, of)| name == "lines" && of.found == 0)
    {
        hints.push(
            "no document has lines: the profile fetches them by a call for each document, so give \
             a whole document, or look at the live system"
                .to_owned(),
        );
    }
    FeedSurvey {
        feed: feed.name().to_owned(),
        records: documents.len() as u64,
        readable,
        statuses: statuses(&trace),
        words: words(&trace),
        fields: fields(feed, trace),
        sums: sums.checks(),
        hints,
    }
}

fn statuses(trace: &Trace) -> Vec<StatusSurvey> {
    trace
        .statuses
        .iter()
        .map(|(words, (ripeness, documents))| StatusSurvey {
            words: words.clone(),
            then: match ripeness {
                Ripeness::Ripe => "ripe",
                Ripeness::NotYet => "not_yet",
                Ripeness::Cancelled => "cancelled",
                Ripeness::Unknown => "unknown",
            },
            documents: *documents,
        })
        .collect()
}

/// Fields whose values the connection's mapping must know.
const MAPPED: &[&str] = &["kind", "currency", "unit", "code", "rate", "terms", "business_unit"];

fn words(trace: &Trace) -> Vec<WordSurvey> {
    trace
        .fields
        .iter()
        .filter(|(name, field)| {
            let last = name.rsplit('.').next().unwrap_or(name);
            MAPPED.contains(&last) && !field.words.is_empty()
        })
        .map(|(name, field)| WordSurvey { field: name.clone(), values: field.words.clone() })
        .collect()
}

fn fields(feed: &Feed, trace: Trace) -> Vec<FieldSurvey> {
    trace
        .fields
        .into_iter()
        .map(|(field, of)| FieldSurvey {
            feed: feed.name().to_owned(),
            field,
            place: of.place,
            required: of.required,
            found: of.found,
            missing: of.missing,
            unreadable: of.unreadable,
            examples: of.examples,
            reasons: of.reasons.into_iter().map(|(value, text)| Reason { value, text }).collect(),
        })
        .collect()
}

fn stamp_hints(
    feed: &Feed,
    trace: &Trace,
    newest: Option<i64>,
    now: Option<i64>,
) -> Option<String> {
    let (newest, now) = (newest?, now?);
    let ahead = (newest - now) / 60_000_000;
    let example = trace.fields.iter().find(|(name, _)| name == "stamp");
    let example = example.and_then(|(_, of)| of.examples.first()).map_or("", String::as_str);
    (ahead > 2).then(|| {
        format!(
            "the newest change of `{}` lies {ahead} minutes ahead of this machine's clock (e.g. \
             {example}): the time is probably another zone's; see `zone`",
            feed.name()
        )
    })
}

#[cfg(test)]
mod tests;
