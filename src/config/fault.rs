//! What the parser says, in words: the key by its whole name, what was meant instead, and never a
//! value, which could be a secret that somebody wrote into the wrong place.

use super::ConfigError;
use std::path::Path;

/// Edits between an unknown name and a known one that make the second worth a question.
const NEAR: usize = 3;

pub(super) fn syntax(text: &str, path: &Path, error: &toml::de::Error) -> ConfigError {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    ConfigError::Syntax {
        path: path.to_owned(),
        line,
        key: key_at(text, line).map(|key| format!("`{key}`: ")).unwrap_or_default(),
        // Only the message: the parser's own rendering quotes the line.
        message: in_words(error.message()),
    }
}

/// The key whose value stands on this line, with the tables that it is in.
fn key_at(text: &str, line: usize) -> Option<String> {
    let (mut table, mut key) = (None, None);
    for text in text.lines().take(line) {
        let text = text.trim();
        if text.starts_with('[') && text.ends_with(']') && !text.contains('=') {
            let name = text.trim_matches(['[', ']', ' ']);
            if is_name(name) {
                (table, key) = (Some(name), None);
            }
        } else if let Some((name, _)) = text.split_once('=')
            && is_name(name.trim())
        {
            key = Some(name.trim());
        }
    }
    match (table, key) {
        (Some(table), Some(key)) => Some(format!("{table}.{key}")),
        (table, key) => key.or(table).map(str::to_owned),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.\"".contains(&b))
}

fn in_words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown(rest, "is no key here");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown(rest, "is none of the words for it");
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the key {name} is missing");
    }
    if message == "duplicate key" {
        return "it stands here for the second time".into();
    }
    let types = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    match types.and_then(|types| types.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            format!("{} stands here where {} is needed", kind(found), wanted(expected))
        }
        None => message.to_owned(),
    }
}

/// ``` `name`, expected one of `a`, `b` ```
fn unknown(rest: &str, what: &str) -> String {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let listed: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    let listed = match listed.as_slice() {
        [] => "nothing is known here".to_owned(),
        listed => format!("known: {}", listed.join(", ")),
    };
    match nearest(name, &known) {
        Some(near) => format!("`{name}` {what}: did you mean `{near}`? ({listed})"),
        None => format!("`{name}` {what} ({listed})"),
    }
}

/// The known name that an unknown one was probably meant to be.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let near = known.iter().map(|known| (distance(known), *known)).min()?;
    (near.0 <= NEAR.min(name.len().max(near.1.len()) / 2)).then_some(near.1)
}

/// What was found, without its value.
fn kind(found: &str) -> &'static str {
    let kinds = [
        ("string", "text"),
        ("integer", "a whole number"),
        ("floating point", "a number with decimals"),
        ("boolean", "true or false"),
        ("map", "a table"),
        ("sequence", "a list"),
    ];
    kinds
        .iter()
        .find(|(name, _)| found.starts_with(name))
        .map_or("something else", |(_, kind)| kind)
}

fn wanted(expected: &str) -> &str {
    match expected {
        "u64" | "u32" | "usize" => "a whole number of 0 or more",
        "i64" | "i32" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        "a sequence" => "a list (of tables: two brackets, as in [[source]])",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let known = ["lease_seconds", "attempts", "id"];
        let cases = [
            ("leese_seconds", Some("lease_seconds")),
            ("lease_second", Some("lease_seconds")),
            ("attempt", Some("attempts")),
            ("di", Some("id")),
            ("url", None),
            ("wait_seconds", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }

    #[test]
    fn a_value_is_never_repeated() {
        for message in [
            "invalid type: string \"hunter2\", expected u64",
            "invalid type: integer `12345`, expected a string",
            "invalid value: integer `-12345`, expected u64",
            "invalid type: string \"a, expected b hunter2\", expected a map",
        ] {
            let words = in_words(message);
            assert!(!words.contains("hunter2") && !words.contains("12345"), "{words}");
        }
    }
}
