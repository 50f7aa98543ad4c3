//! What becomes of each field while documents are read: the reader itself tells, so that what is
//! told is what would be posted.

use crate::procurement::Ripeness;
use std::collections::BTreeMap;

/// More examples than these say nothing new.
const EXAMPLES: usize = 3;
/// Different words of one field that are kept.
const WORDS: usize = 20;
const STATUSES: usize = 200;

/// One field of a feed, over all documents that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldTrace {
    /// Where the profile looks.
    pub place: String,
    /// A document without it cannot be posted.
    pub required: bool,
    pub found: u64,
    pub missing: u64,
    pub unreadable: u64,
    /// As they stood there, cut short.
    pub examples: Vec<String>,
    /// What could not be read, and why.
    pub reasons: Vec<(String, String)>,
    /// How often each value came.
    pub words: BTreeMap<String, u64>,
}

/// Every field that was asked for, in the order in which it was first asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub fields: Vec<(String, FieldTrace)>,
    /// Combinations of status words: what the profile's rules make of them, and how many came.
    pub statuses: BTreeMap<String, (Ripeness, u64)>,
    /// The field found last: what turns out to be no currency was found before.
    last: Option<usize>,
}

/// What is told is put into letters and tickets: of a bank account the last four characters do.
fn sparing(name: &str, shown: &str) -> String {
    let of_account = name.split('.').any(|part| matches!(part, "bank_accounts" | "payee"));
    let length = shown.chars().filter(|c| c.is_alphanumeric()).count();
    if !(of_account && name.ends_with(".number")) {
        return shown.to_owned();
    }
    let mut left = length;
    let spare = |c: char| {
        if !c.is_alphanumeric() {
            return c;
        }
        left -= 1;
        if left < 4 && length > 6 { c } else { '*' }
    };
    shown.chars().map(spare).collect()
}

impl Trace {
    fn of(&mut self, name: &str, place: &str) -> (usize, &mut FieldTrace) {
        let known = self.fields.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            let fresh = FieldTrace { place: place.to_owned(), ..FieldTrace::default() };
            self.fields.push((name.to_owned(), fresh));
            self.fields.len() - 1
        });
        (at, &mut self.fields[at].1)
    }

    pub(super) fn found(&mut self, name: &str, place: &str, required: bool, shown: &str) {
        let shown = &sparing(name, shown);
        let (at, field) = self.of(name, place);
        field.found += 1;
        field.required |= required;
        if field.examples.len() < EXAMPLES && !field.examples.iter().any(|known| known == shown) {
            field.examples.push(shown.to_owned());
        }
        if field.words.len() < WORDS || field.words.contains_key(shown) {
            *field.words.entry(shown.to_owned()).or_default() += 1;
        }
        self.last = Some(at);
    }

    pub(super) fn missing(&mut self, name: &str, place: &str, required: bool) {
        let (_, field) = self.of(name, place);
        field.missing += 1;
        field.required |= required;
        self.last = None;
    }

    pub(super) fn unreadable(&mut self, name: &str, place: &str, found: &str, text: &str) {
        let last = self.last.take();
        let (at, field) = self.of(name, place);
        if last == Some(at) {
            field.found -= 1;
        }
        field.unreadable += 1;
        let reason = (sparing(name, found), text.to_owned());
        if field.reasons.len() < EXAMPLES && !field.reasons.contains(&reason) {
            field.reasons.push(reason);
        }
    }

    pub(super) fn status(&mut self, words: &str, ripeness: Ripeness) {
        if self.statuses.len() < STATUSES || self.statuses.contains_key(words) {
            let (_, count) = self.statuses.entry(words.to_owned()).or_insert((ripeness, 0));
            *count += 1;
        }
    }
}
