use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use serde_json_path::JsonPath;
use std::fmt;

/// Where in a document a value stands: an RFC 9535 path, read from the object in hand, from
/// its line or from the whole document.
#[derive(Clone)]
pub(crate) struct Place {
    text: String,
    origin: Origin,
    steps: Steps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Here,
    Line,
    Document,
}

#[derive(Clone)]
enum Steps {
    /// `$.a.b`: by far the most common form, walked without a query engine.
    Members(Vec<String>),
    Query(JsonPath),
}

impl Place {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (origin, path) = match text.split_once(':') {
            Some(("document", rest)) => (Origin::Document, rest.trim()),
            Some(("line", rest)) => (Origin::Line, rest.trim()),
            Some(_) | None => (Origin::Here, text),
        };
        let steps = match plain_members(path) {
            Some(members) => Steps::Members(members),
            None => Steps::Query(JsonPath::parse(path).map_err(|error| {
                format!(
                    "`{path}` is not a JSONPath (RFC 9535), e.g. `$.header.total.value`: {error}"
                )
            })?),
        };
        Ok(Self { text: text.to_owned(), origin, steps })
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// All nodes, `null` and empty ones too.
    pub(crate) fn nodes<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        match &self.steps {
            Steps::Members(members) => {
                let mut node = root;
                for member in members {
                    match node.get(member.as_str()) {
                        Some(next) => node = next,
                        None => return Vec::new(),
                    }
                }
                vec![node]
            }
            Steps::Query(path) => path.query(root).all(),
        }
    }

    /// The elements of the list that stands here: arrays are opened, and one object where a list
    /// was promised is a list of one. `None`: nothing stands here at all.
    pub(crate) fn list<'v>(&self, root: &'v Value) -> Option<Vec<&'v Value>> {
        let nodes = self.nodes(root);
        if nodes.is_empty() {
            return None;
        }
        let mut rows = Vec::new();
        for node in nodes {
            match node {
                Value::Array(elements) => rows.extend(elements.iter().filter(|e| !is_empty(e))),
                other if is_empty(other) => {}
                other => rows.push(other),
            }
        }
        Some(rows)
    }
}

impl Place {
    /// As `list`, but moved out of the answer where that can be done.
    pub(crate) fn take_list(&self, root: &mut Value) -> Option<Vec<Value>> {
        let Steps::Members(members) = &self.steps else {
            return Some(self.list(root)?.into_iter().cloned().collect());
        };
        let mut node = root;
        for member in members {
            node = node.get_mut(member.as_str())?;
        }
        Some(match node.take() {
            Value::Array(mut elements) => {
                elements.retain(|element| !is_empty(element));
                elements
            }
            other if is_empty(&other) => Vec::new(),
            other => vec![other],
        })
    }
}

/// The forms in which sources say "nothing": `null`, `{}`, `[]`, blank text.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn plain_members(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('$')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.strip_prefix('.')?
        .split('.')
        .map(|name| {
            let mut letters = name.chars();
            let first = letters.next()?;
            let plain = (first.is_ascii_alphabetic() || first == '_')
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
            plain.then(|| name.to_owned())
        })
        .collect()
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_members_lists_and_filters() {
        let document = json!({"a": {"b": 7}, "odd-name": 1, "l": [{"n": "x", "v": 1}, {"n": "y", "v": 2}, {}],
            "one": {"n": "z"}, "empty": {}, "nothing": null});
        let cases: &[(&str, &[Value])] = &[
            ("$", std::slice::from_ref(&document)),
            ("$.a.b", &[json!(7)]),
            ("$.a.c", &[]),
            ("$['odd-name']", &[json!(1)]),
            ("$.l[?@.n=='y'].v", &[json!(2)]),
            ("$.l[1].n", &[json!("y")]),
        ];
        for (path, expected) in cases {
            let place = Place::parse(path).unwrap();
            let found: Vec<Value> = place.nodes(&document).into_iter().cloned().collect();
            assert_eq!(&found, expected, "{path}");
        }
        let list = |path: &str| Place::parse(path).unwrap().list(&document).map(|rows| rows.len());
        assert_eq!(list("$.l"), Some(2), "an empty object in a list is nothing");
        assert_eq!(list("$.l[*]"), Some(2));
        assert_eq!(list("$.one"), Some(1));
        assert_eq!(list("$.empty"), Some(0));
        assert_eq!(list("$.nothing"), Some(0));
        assert_eq!(list("$.absent"), None);
    }

    #[test]
    fn origins_and_errors() {
        assert_eq!(Place::parse("document:$.x").unwrap().origin(), Origin::Document);
        assert_eq!(Place::parse("line: $.x[0]").unwrap().origin(), Origin::Line);
        assert_eq!(Place::parse("$.x").unwrap().origin(), Origin::Here);
        for bad in ["", "x", "/header/x", "$.[", "page:$.x"] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
