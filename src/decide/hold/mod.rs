//! The named reasons why a person must look. One constructor for each code, by subject; the
//! catalogue says what each means and is what `docs/holds.md` prints.

mod catalogue;
mod codes;
mod documents;
mod ledger;
mod matching;
mod money;
mod orders;
mod posting;
mod routing;
mod suppliers;
mod validation;

use catalogue::entry;
pub use catalogue::{Clears, Entry, Role, catalogue};
pub use suppliers::link_command;
pub(super) use validation::{credit_text, past_text, reference_text, tax_text};

use serde::{Deserialize, Serialize};

/// A named reason why a person must look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    /// Stable, snake_case; listed in `docs/holds.md`.
    pub code: String,
    /// What happened, with the numbers, as the clerk would read it.
    pub text: String,
    /// What to do now.
    pub fix: String,
}

impl Hold {
    fn new(code: &str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into(), fix: fix.into() }
    }
}

/// `Line 2`, for the start of a sentence.
pub(super) fn at_line(number: &str) -> String {
    format!("Line {number}")
}

/// `a, b and c`.
pub(in crate::decide) fn list<T: AsRef<str>>(parts: &[T]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Something missing that will arrive by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wait {
    pub on: WaitFor,
    /// As the clerk would read it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// The source's order number.
    Order(String),
    /// A receipt against the ERP's order number.
    Receipt(String),
    /// A reference record, e.g. `supplier 50012`.
    Reference(String),
    /// A financial period to be opened.
    Period(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every code that a constructor makes, read from the constructors themselves.
    fn constructed() -> BTreeSet<String> {
        let sources = [
            include_str!("codes.rs"),
            include_str!("documents.rs"),
            include_str!("ledger.rs"),
            include_str!("matching.rs"),
            include_str!("money.rs"),
            include_str!("orders.rs"),
            include_str!("posting.rs"),
            include_str!("routing.rs"),
            include_str!("suppliers.rs"),
            include_str!("validation.rs"),
        ];
        sources
            .iter()
            .flat_map(|source| source.split("Self::new(").skip(1))
            .map(|call| call.trim_start().trim_start_matches('"'))
            .filter_map(|call| call.split('"').next())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_catalogue_holds_exactly_the_codes_that_are_made() {
        let listed: BTreeSet<String> =
            catalogue().into_iter().map(|entry| entry.code.into()).collect();
        assert_eq!(listed.len(), catalogue().len(), "a code is listed twice");
        assert_eq!(constructed(), listed);
        for code in listed {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        }
    }

    #[test]
    fn the_manual_lists_every_code_as_the_catalogue_says() {
        let manual = include_str!("../../../docs/holds.md");
        let rows: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = catalogue()
            .iter()
            .map(|e| {
                let clears = match e.clears {
                    Clears::ByPerson => "",
                    Clears::ByItself(what) => what,
                };
                let role = e.override_by.map_or("", Role::as_str);
                format!(
                    "| `{}` | {} | {} | {} | {clears} | {role} |",
                    e.code, e.means, e.who, e.fix
                )
            })
            .collect();
        assert_eq!(rows, expected);
    }
}
