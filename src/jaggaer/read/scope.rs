//! Walks a document with the profile in hand and gathers what could not be read.

use super::ReadProblem;
use super::trace::Trace;
use super::value::{Circumstances, Found, Readable, through_table};
use crate::jaggaer::profile::{Field, FieldRule, Notation, Origin, Place, is_empty};
use crate::procurement::Currency;
use serde_json::Value;

/// The object in hand, and how it was reached.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) here: &'a Value,
    document: &'a Value,
    line: Option<&'a Value>,
    trail: Trail<'a>,
}

#[derive(Clone, Copy)]
enum Trail<'a> {
    Document,
    Below { parent: &'a Trail<'a>, name: &'static str, index: usize },
}

impl Trail<'_> {
    fn text(&self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Below { parent, name, index } => format!("{}{name}[{index}].", parent.text()),
        }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn document(document: &'a Value) -> Self {
        Self { here: document, document, line: None, trail: Trail::Document }
    }

    /// An object of a list below this one.
    pub(super) fn below<'b>(
        &'b self,
        here: &'b Value,
        name: &'static str,
        index: usize,
    ) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope {
            here,
            document: self.document,
            line: self.line,
            trail: Trail::Below { parent: &self.trail, name, index },
        }
    }

    pub(super) fn line<'b>(&'b self, here: &'b Value, index: usize) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { line: Some(here), ..self.below(here, "lines", index) }
    }

    pub(super) fn root(&self, place: &Place) -> &'a Value {
        match place.origin() {
            Origin::Here => self.here,
            Origin::Line => self.line.unwrap_or(self.here),
            Origin::Document => self.document,
        }
    }

    /// The same field of every line has one name: `lines.taxes.rate`.
    fn pattern(&self, field: &str) -> String {
        let mut names = vec![field];
        let mut trail = &self.trail;
        while let Trail::Below { parent, name, .. } = trail {
            names.push(name);
            trail = parent;
        }
        names.reverse();
        names.join(".")
    }

    pub(super) fn name(&self, field: &str) -> String {
        format!("{}{field}", self.trail.text())
    }
}

/// Reads fields; a field that cannot be read is noted, and reading goes on.
pub(super) struct Reader<'p> {
    notation: &'p Notation,
    pub(super) currency: Option<Currency>,
    pub(super) turned: bool,
    problems: Vec<ReadProblem>,
    /// What became of each field, for those who want to know.
    pub(super) trace: Option<Trace>,
}

/// A document may be wrong in ten thousand lines; a person needs to see a few.
const MOST_PROBLEMS: usize = 20;

impl<'p> Reader<'p> {
    pub(super) fn new(notation: &'p Notation) -> Self {
        Self { notation, currency: None, turned: false, problems: Vec::new(), trace: None }
    }

    pub(super) fn problem(
        &mut self,
        scope: &Scope<'_>,
        field: &str,
        place: String,
        found: String,
        text: String,
    ) {
        if let Some(trace) = &mut self.trace {
            trace.unreadable(&scope.pattern(field), &place, &found, &text);
        }
        self.note(scope, field, place, found, text);
    }

    fn note(&mut self, scope: &Scope<'_>, field: &str, place: String, found: String, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(ReadProblem { field: scope.name(field), place, found, text });
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn take_problems(&mut self) -> Vec<ReadProblem> {
        std::mem::take(&mut self.problems)
    }

    /// Of a field that is there, or is not.
    fn tell(&mut self, scope: &Scope<'_>, name: &str, rule: &FieldRule, required: bool, is: bool) {
        let Some(trace) = &mut self.trace else { return };
        let name = scope.pattern(name);
        // What the profile fixes is neither looked for nor missed.
        let required = required && rule.default.is_none();
        match (&rule.constant, is) {
            (Some(constant), _) => trace.found(&name, "constant", required, constant),
            (None, true) => {
                let node = rule.at.0.iter().chain(&rule.plus).find_map(|place| {
                    let nodes = place.nodes(scope.root(place));
                    nodes.into_iter().find(|node| !is_empty(node)).map(|node| (place, node))
                });
                match node {
                    Some((place, node)) => {
                        let places = rule.place_text();
                        let at = if rule.at.0.len() > 1 { &places } else { place.text() };
                        trace.found(&name, at, required, &shown(node));
                    }
                    // The profile's default.
                    None => trace.missing(&name, &rule.place_text(), required),
                }
            }
            (None, false) => trace.missing(&name, &rule.place_text(), required),
        }
    }

    /// Of a list, with the number of its rows.
    pub(super) fn tell_list(&mut self, scope: &Scope<'_>, name: &str, at: &str, rows: usize) {
        let Some(trace) = &mut self.trace else { return };
        let name = scope.pattern(name);
        match rows {
            0 => trace.missing(&name, at, false),
            1 => trace.found(&name, at, false, "1 row"),
            many => trace.found(&name, at, false, &format!("{many} rows")),
        }
    }

    fn around(&self) -> Circumstances<'p> {
        Circumstances { notation: self.notation, currency: self.currency, turned: self.turned }
    }

    /// `None` when it is absent, or unreadable (which is noted).
    pub(super) fn field<K: Readable>(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        field: &Field<K>,
    ) -> Option<K::Out> {
        match self.attempt::<K>(scope, &field.rule) {
            Ok(value) => {
                self.tell(scope, name, &field.rule, false, value.is_some());
                value
            }
            Err((place, found, text)) => {
                self.problem(scope, name, place, found, text);
                None
            }
        }
    }

    pub(super) fn optional<K: Readable>(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        field: &Option<Field<K>>,
    ) -> Option<K::Out> {
        self.field(scope, name, field.as_ref()?)
    }

    /// Absence is noted too.
    pub(super) fn required<K: Readable>(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        field: &Field<K>,
    ) -> Option<K::Out> {
        match self.attempt::<K>(scope, &field.rule) {
            Ok(Some(value)) => {
                self.tell(scope, name, &field.rule, true, true);
                Some(value)
            }
            Ok(None) => {
                self.tell(scope, name, &field.rule, true, false);
                let place = field.rule.place_text();
                self.note(
                    scope,
                    name,
                    place,
                    "nothing".to_owned(),
                    format!("{} is missing", K::NAME),
                );
                None
            }
            Err((place, found, text)) => {
                self.problem(scope, name, place, found, text);
                None
            }
        }
    }

    fn attempt<K: Readable>(
        &self,
        scope: &Scope<'_>,
        rule: &FieldRule,
    ) -> Result<Option<K::Out>, (String, String, String)> {
        if let Some(constant) = &rule.constant {
            let read = K::read(rule, self.around(), Found::plain(constant));
            return read.map(Some).map_err(|text| ("constant".to_owned(), constant.clone(), text));
        }
        let mut total = None;
        for place in &rule.at.0 {
            total = self.one::<K>(scope, rule, place)?;
            if total.is_some() {
                break;
            }
        }
        for place in &rule.plus {
            let further = self.one::<K>(scope, rule, place)?;
            total = match (total, further) {
                (Some(left), Some(right)) => Some(
                    K::add(left, right)
                        .map_err(|text| (place.text().to_owned(), "a sum".to_owned(), text))?,
                ),
                (left, right) => left.or(right),
            };
        }
        match (&total, &rule.default) {
            (None, Some(default)) => {
                let read = K::read(rule, self.around(), Found::plain(default));
                read.map(Some).map_err(|text| ("default".to_owned(), default.clone(), text))
            }
            (Some(_), _) | (None, None) => Ok(total),
        }
    }

    fn one<K: Readable>(
        &self,
        scope: &Scope<'_>,
        rule: &FieldRule,
        place: &Place,
    ) -> Result<Option<K::Out>, (String, String, String)> {
        let mut nodes = place.nodes(scope.root(place));
        nodes.retain(|node| !is_empty(node));
        let Some(first) = nodes.first() else { return Ok(None) };
        let fail = |text: String| (place.text().to_owned(), shown(first), text);
        if nodes.iter().any(|node| node != first) {
            return Err(fail(format!("{} different values, where one was expected", nodes.len())));
        }
        let Some(found) = Found::of(first).map_err(fail)? else { return Ok(None) };
        let found = through_table(rule, found).map_err(fail)?;
        K::read(rule, self.around(), found).map(Some).map_err(fail)
    }
}

/// A value as it may stand in a message: short, on one line.
pub(in crate::jaggaer) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
