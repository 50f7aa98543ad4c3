use crate::audit::Entry;

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    Int(i64),
    Text(String),
    NoInt,
    NoText,
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Arg {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NoInt, Self::Int)
    }
}

impl From<Option<&str>> for Arg {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::NoText, |text| Self::Text(text.to_owned()))
    }
}

impl From<Option<String>> for Arg {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::NoText, Self::Text)
    }
}

impl From<&Option<String>> for Arg {
    fn from(value: &Option<String>) -> Self {
        value.clone().into()
    }
}

/// One statement of a transaction.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(super) sql: &'static str,
    pub(super) args: Vec<Arg>,
    pub(super) guard: Option<&'static str>,
}

impl Statement {
    pub fn new(sql: &'static str, args: Vec<Arg>) -> Self {
        Self { sql, args, guard: None }
    }

    /// The statement must touch exactly one row; otherwise nothing of the transaction happens
    /// and the committer is told `what` did not hold.
    pub fn guarded(mut self, what: &'static str) -> Self {
        self.guard = Some(what);
        self
    }
}

/// A transaction as data: all of it happens, with its audit entries, or none of it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub(super) statements: Vec<Statement>,
    pub(super) entries: Vec<Entry>,
}

impl Change {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
    }

    pub fn log(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub fn absorb(&mut self, other: Self) {
        self.statements.extend(other.statements);
        self.entries.extend(other.entries);
    }

    pub fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.statements.len()
    }
}

/// Placeholder values in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::Arg::from($value)),*] };
}
pub(crate) use args;
