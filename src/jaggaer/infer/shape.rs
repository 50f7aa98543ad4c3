//! Where the records of an answer stand, and what stands in them.

use super::dictionary::tokens;
use crate::jaggaer::profile::is_empty;
use crate::jaggaer::survey::Sample;
use serde_json::Value;

/// Records that are looked at: more say nothing new.
const RECORDS: usize = 300;
/// How deep lists and members are looked for.
const DEEPEST: usize = 8;

/// What the records are. In the order in which a profile names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Orders,
    Invoices,
    Suppliers,
    Receipts,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Orders => "purchase_orders",
            Self::Invoices => "invoices",
            Self::Suppliers => "suppliers",
            Self::Receipts => "receipts",
        }
    }
}

/// The records of one kind, out of all samples.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) entity: Kind,
    /// Where the rows stand; `None`: only whole documents were given.
    pub(super) items: Option<Vec<String>>,
    /// The answer around the rows, without them.
    pub(super) envelope: Value,
    /// Whole documents where there are any; rows of the list otherwise.
    pub(super) records: Vec<Value>,
    /// Rows of the list whose documents were given too: the list holds less.
    pub(super) rows: Vec<Value>,
    pub(super) files: Vec<String>,
}

/// A value at one path of a record, over all records.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) path: Vec<String>,
    pub(super) tokens: Vec<String>,
    /// Those of the last member alone.
    pub(super) last: Vec<String>,
    pub(super) values: Vec<Value>,
    /// In so many of the records that were looked at.
    pub(super) of: usize,
}

/// A list inside a record.
#[derive(Debug, Clone)]
pub(super) struct Inner {
    pub(super) path: Vec<String>,
    /// Of all records.
    pub(super) rows: Vec<Value>,
    /// Which record each row is of.
    pub(super) owner: Vec<usize>,
}

impl Sheet {
    pub(super) fn of(sample: &Sample) -> Option<Self> {
        let mut lists = Vec::new();
        find_lists(&sample.body, &mut Vec::new(), &mut lists);
        // The outermost; of several there the one with most members.
        let list = lists
            .into_iter()
            .min_by_key(|(path, rows)| (path.len() > 3, usize::MAX - members(rows), path.len()));
        let document = looks_like_a_document(&sample.body);
        let (items, rows): (Option<Vec<String>>, Vec<Value>) = match list {
            Some((path, rows)) if !document => (Some(path), rows.into_iter().cloned().collect()),
            Some(_) | None if document => (None, vec![sample.body.clone()]),
            Some(_) | None => return None,
        };
        let envelope = items.as_ref().map_or(Value::Null, |path| without(&sample.body, path));
        let records: Vec<Value> = rows.into_iter().take(RECORDS).collect();
        let entity = kind_of(&records, items.as_deref().unwrap_or_default(), &sample.name);
        let files = vec![sample.name.clone()];
        Some(Self { entity, items, envelope, records, rows: Vec::new(), files })
    }

    /// Another sample of the same kind. A list and a whole document: the document says more.
    pub(super) fn join(&mut self, other: Self) {
        let (list, documents) = match (self.items.is_some(), other.items.is_some()) {
            (true, false) => (Some(std::mem::take(&mut self.records)), other.records),
            (false, true) => {
                (self.items, self.envelope) = (other.items, other.envelope);
                (Some(other.records), std::mem::take(&mut self.records))
            }
            (true, true) | (false, false) => {
                let mut all = std::mem::take(&mut self.records);
                all.extend(other.records);
                (None, all)
            }
        };
        self.rows.extend(list.unwrap_or_default());
        self.records = documents;
        self.files.extend(other.files);
    }
}

fn find_lists<'v>(
    value: &'v Value,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, Vec<&'v Value>)>,
) {
    if path.len() > DEEPEST {
        return;
    }
    match value {
        Value::Array(elements) => {
            let rows: Vec<&Value> = elements.iter().filter(|row| row.is_object()).collect();
            if !rows.is_empty() {
                found.push((path.clone(), rows));
            }
        }
        Value::Object(object) => {
            for (name, inner) in object {
                path.push(name.clone());
                find_lists(inner, path, found);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn members(rows: &[&Value]) -> usize {
    rows.iter().map(|row| leaves(&[(*row).clone()], false).len()).max().unwrap_or(0)
}

/// An object that itself carries an id and a number, a date or a name is no envelope.
fn looks_like_a_document(body: &Value) -> bool {
    if !body.is_object() {
        return false;
    }
    let own = leaves(std::slice::from_ref(body), false);
    let has = |words: &[&str]| {
        own.iter().any(|leaf| words.iter().any(|word| leaf.last.iter().any(|of| of == word)))
    };
    own.len() >= 6 && has(&["id", "number"]) && (has(&["currency"]) || has(&["name"]))
}

fn without(body: &Value, path: &[String]) -> Value {
    let mut copy = body.clone();
    let mut at = &mut copy;
    for name in path {
        match at.get_mut(name.as_str()) {
            Some(next) => at = next,
            None => return Value::Null,
        }
    }
    *at = Value::Null;
    copy
}

/// By the names of the list and of the members.
fn kind_of(records: &[Value], items: &[String], file: &str) -> Kind {
    let leaves = leaves(records, true);
    let lists = inner_lists(records);
    let mut names: Vec<String> = items.iter().flat_map(|name| tokens(name)).collect();
    names.extend(tokens(file.rsplit('/').next().unwrap_or(file)));
    let outside = |word: &str| {
        names.iter().any(|name| name.trim_end_matches('s') == word || name.contains(word))
    };
    let count = |word: &str| {
        leaves.iter().filter(|leaf| leaf.last.iter().any(|of| of == word)).count() as i64
    };
    let has_lines = lists.iter().any(|list| list.path.len() < 4);
    let money = count("gross") + count("net") + count("total") + count("currency");
    let scores = [
        (
            Kind::Invoices,
            20 * i64::from(outside("invoice"))
                + 3 * count("invoice").min(4)
                + 3 * count("due").min(1)
                + 2 * count("payment").min(2)
                + i64::from(money > 1),
        ),
        (
            Kind::Orders,
            20 * i64::from(outside("order"))
                + 3 * count("order").min(2)
                + 5 * count("ordered").min(1)
                + 2 * count("revision").min(1)
                + i64::from(money > 1),
        ),
        (
            Kind::Suppliers,
            20 * i64::from(outside("supplier"))
                + 4 * count("country").min(1)
                + 4 * i64::from(count("org") + count("fiscal") > 0)
                + 4 * i64::from(count("city") + count("town") + count("zip") > 0)
                + 3 * i64::from(!has_lines),
        ),
        (
            Kind::Receipts,
            20 * i64::from(outside("receipt"))
                + 4 * i64::from(count("receipt") + count("received") > 0 && money < 2),
        ),
    ];
    scores.into_iter().max_by_key(|(_, score)| *score).map_or(Kind::Invoices, |(kind, _)| kind)
}

/// Every value of the records that is no list; with `first`, the first of a list of objects too.
pub(super) fn leaves(records: &[Value], first: bool) -> Vec<Leaf> {
    let mut found: Vec<Leaf> = Vec::new();
    for record in records {
        walk(record, &mut Vec::new(), first, &mut found);
    }
    for leaf in &mut found {
        leaf.of = records.len();
    }
    found
}

fn walk(value: &Value, path: &mut Vec<String>, first: bool, found: &mut Vec<Leaf>) {
    if path.len() > DEEPEST {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                path.push(name.clone());
                walk(inner, path, first, found);
                path.pop();
            }
        }
        Value::Array(elements) if first => {
            if let Some(one) = elements.first().filter(|one| one.is_object()) {
                path.push("[0]".to_owned());
                walk(one, path, first, found);
                path.pop();
            }
        }
        Value::Array(_) => {}
        scalar if is_empty(scalar) || path.is_empty() => {}
        scalar => match found.iter_mut().find(|leaf| leaf.path == *path) {
            Some(leaf) => leaf.values.push(scalar.clone()),
            None => {
                let own = path.iter().rev().find(|name| *name != "[0]");
                found.push(Leaf {
                    tokens: path.iter().flat_map(|name| tokens(name)).collect(),
                    last: own.map(|name| tokens(name)).unwrap_or_default(),
                    path: path.clone(),
                    values: vec![scalar.clone()],
                    of: 0,
                });
            }
        },
    }
}

/// Lists of objects inside the records, those inside lists left out.
pub(super) fn inner_lists(records: &[Value]) -> Vec<Inner> {
    let mut found: Vec<Inner> = Vec::new();
    for (owner, record) in records.iter().enumerate() {
        let mut lists = Vec::new();
        find_lists(record, &mut Vec::new(), &mut lists);
        for (path, rows) in lists {
            let at = match found.iter().position(|known| known.path == path) {
                Some(at) => at,
                None => {
                    found.push(Inner { path, rows: Vec::new(), owner: Vec::new() });
                    found.len() - 1
                }
            };
            found[at].owner.extend(rows.iter().map(|_| owner));
            found[at].rows.extend(rows.into_iter().cloned());
        }
    }
    found
}

/// As a profile writes it: `$.a.b`, `$['odd name'].c`.
pub(super) fn place(path: &[String]) -> String {
    let mut text = "$".to_owned();
    for name in path {
        let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            text.push('.');
            text.push_str(name);
        } else if name.starts_with('[') {
            text.push_str(name);
        } else {
            text.push_str(&format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")));
        }
    }
    text
}
