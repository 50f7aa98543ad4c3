//! Just enough of Rust's lexing to read paths from source text: no comment, no string, and what
//! only tests see left out.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// Words, `::`, and single other characters. Comments, strings, characters and lifetimes are gone.
pub fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut out = Vec::new();
    let (mut at, mut line) = (0, 1);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let (start, rest) = (at, &chars[at..]);
        at += match rest {
            ['/', '/', ..] => until(rest, |rest| rest[0] == '\n'),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => quoted(rest),
            ['\'', '\\', ..] => 2 + until(&rest[2..], |rest| rest[0] == '\'').max(1) + 1,
            ['\'', _, '\'', ..] => 3,
            ['\'', ..] => 1 + until(&rest[1..], |rest| !is_word(rest[0])),
            ['r', '#', c, ..] if is_word(*c) => 2,
            [c, ..] if is_word(*c) => match raw_string(rest) {
                Some(length) => length,
                None => {
                    let length = until(rest, |rest| !is_word(rest[0]));
                    let next = rest.get(length);
                    // `b"..."` and `c"..."`: the string is read on the next turn.
                    if !(next == Some(&'"') && matches!(rest[..length], ['b' | 'c'])) {
                        out.push(Token { text: rest[..length].iter().collect(), line });
                    }
                    length
                }
            },
            [':', ':', ..] => {
                out.push(Token { text: "::".into(), line });
                2
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    out.push(Token { text: c.to_string(), line });
                }
                1
            }
            [] => 1,
        };
        at = at.min(chars.len());
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    out
}

fn until(rest: &[char], end: impl Fn(&[char]) -> bool) -> usize {
    (0..rest.len()).find(|at| end(&rest[*at..])).unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"..."`, `r#"..."#`, `br#"..."#`.
fn raw_string(rest: &[char]) -> Option<usize> {
    let prefix = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#')
    };
    Some((open + 1 + until(&rest[open + 1..], closes) + 1 + hashes).min(rest.len()))
}

/// Takes out what stands under `#[cfg(test)]`. Returns what is left, and the names of modules that
/// are test modules in files of their own.
pub fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
    let (mut left, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = test_attribute(&tokens[at..]) else {
            left.push(tokens[at].clone());
            at += 1;
            continue;
        };
        at += end;
        while text(&tokens, at) == "#" {
            at += attribute(&tokens[at..]);
        }
        let (mut depth, mut item) = (0_i32, Vec::new());
        while at < tokens.len() {
            let token = text(&tokens, at);
            item.push(token.to_owned());
            at += 1;
            match token {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token, ";" | "}") {
                break;
            }
        }
        let name = item.iter().position(|word| word == "mod").map(|at| &item[at + 1]);
        if let (Some(name), Some(";")) = (name, item.last().map(String::as_str)) {
            modules.push(name.clone());
        }
    }
    (left, modules)
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

/// The length of an attribute that lets its item exist in tests only.
fn test_attribute(tokens: &[Token]) -> Option<usize> {
    let has = |word: &str, length: usize| tokens[..length].iter().any(|token| token.text == word);
    if !(text(tokens, 0) == "#" && text(tokens, 1) == "[" && text(tokens, 2) == "cfg") {
        return None;
    }
    let length = attribute(tokens);
    (has("test", length) && !has("not", length) && !has("any", length)).then_some(length)
}

fn attribute(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(1) {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// A path as it is written, groups taken apart: `use a::{b, c::d}` is `a::b` and `a::c::d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
    /// Names of the inline modules around it.
    pub inside: Vec<String>,
}

pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut out = Vec::new();
    let (mut at, mut depth) = (0, 0);
    let mut inside: Vec<(String, usize)> = Vec::new();
    while at < tokens.len() {
        match text(tokens, at) {
            "mod" if text(tokens, at + 2) == "{" => {
                depth += 1;
                inside.push((text(tokens, at + 1).to_owned(), depth));
                at += 3;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                inside.retain(|(_, opened)| *opened != depth);
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if is_name(text(tokens, at)) {
            let around: Vec<String> = inside.iter().map(|(name, _)| name.clone()).collect();
            at = read_path(tokens, at, &mut Vec::new(), &around, &mut out);
        } else {
            at += 1;
        }
    }
    out
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one path from `at`, with the groups at its end. Returns where it ends.
fn read_path(
    tokens: &[Token],
    mut at: usize,
    before: &mut Vec<String>,
    inside: &[String],
    out: &mut Vec<Path>,
) -> usize {
    let (depth, line) = (before.len(), tokens[at].line);
    let mut group = false;
    loop {
        let word = text(tokens, at);
        if word == "{" {
            group = true;
            at += 1;
            while at < tokens.len() && text(tokens, at) != "}" {
                at = match text(tokens, at) {
                    word if is_name(word) || word == "*" || word == "{" => {
                        read_path(tokens, at, before, inside, out)
                    }
                    _ => at + 1,
                };
            }
            at += 1;
            break;
        }
        if !is_name(word) && word != "*" {
            break;
        }
        before.push(word.to_owned());
        at += 1;
        if text(tokens, at) != "::" {
            break;
        }
        at += 1;
    }
    if !group {
        out.push(Path { segments: before.clone(), line, inside: inside.to_vec() });
    }
    before.truncate(depth);
    at
}
