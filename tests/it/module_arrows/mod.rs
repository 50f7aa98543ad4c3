//! The folder tree shows the data flow, and its arrows go one way: this reads the source text and
//! names every line that points the wrong way.

mod tokens;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokens::{paths, tokens, without_tests};

/// What each folder or file at the top of `src` may know of the others. One that is not here is a fault: a new
/// folder says where it stands first.
const ARROWS: &[(&str, &[&str])] = &[
    ("procurement", &[]),
    ("mapping", &["procurement"]),
    ("matching", &["procurement", "mapping"]),
    ("validation", &["procurement", "mapping"]),
    ("decide", &["procurement", "mapping", "matching", "validation"]),
    ("fit", &["procurement", "mapping", "decide"]),
    ("reconcile", &["procurement"]),
    ("confirm", &["procurement"]),
    ("schedule", &[]),
    ("nudge", &["schedule"]),
    ("http", &[]),
    ("redact", &[]),
    ("vault", &[]),
    ("jaggaer", &["procurement", "http", "redact"]),
    ("visma", &["procurement", "http", "redact"]),
    ("audit", &[]),
    ("alert", &["clock", "http"]),
    ("clock", &[]),
    ("crash", &[]),
    // It keeps holds and waits as the decision made them, and the core's types.
    (
        "store",
        &[
            "procurement",
            "matching",
            "decide",
            "alert",
            "schedule",
            "nudge",
            "audit",
            "crash",
            "vault",
        ],
    ),
    (
        "config",
        &[
            "alert",
            "schedule",
            "nudge",
            "procurement",
            "mapping",
            "validation",
            "decide",
            "jaggaer",
            "visma",
            "vault",
        ],
    ),
    (
        "sync",
        &[
            "alert",
            "confirm",
            "procurement",
            "mapping",
            "matching",
            "decide",
            "schedule",
            "nudge",
            "fit",
            "reconcile",
            "jaggaer",
            "visma",
            "audit",
            "clock",
            "crash",
            "store",
            "config",
            "vault",
        ],
    ),
    ("doctor", &["jaggaer", "visma"]),
    ("examine", &["jaggaer", "visma", "doctor", "http"]),
    ("serve", &["alert", "schedule", "nudge", "clock", "store", "config", "sync", "vault"]),
    (
        "cli",
        &[
            "serve",
            "doctor",
            "examine",
            "procurement",
            "mapping",
            "matching",
            "decide",
            "schedule",
            "fit",
            "reconcile",
            "jaggaer",
            "visma",
            "audit",
            "clock",
            "store",
            "config",
            "sync",
            "vault",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// No waiting, no network, no database, no clock, no chance: time comes in as an argument.
const PURE: &[&str] = &[
    "procurement/",
    "mapping/",
    "matching/",
    "validation/",
    "decide/",
    "schedule/",
    "nudge/",
    "fit/",
    "reconcile/",
    "jaggaer/read/",
    "alert/condition.rs",
    "alert/silence.rs",
    "alert/watch.rs",
    "doctor/",
    "sync/posting.rs",
];
const IMPURE_CRATES: &[&str] =
    &["tokio", "reqwest", "sqlx", "axum", "futures_util", "fastrand", "rustix", "tracing"];
const IMPURE_PATHS: &[&[&str]] = &[
    &["time", "SystemTime"],
    &["time", "Instant"],
    &["Timestamp", "now"],
    &["Zoned", "now"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "thread"],
];

/// Crates that only these places may use.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["store/"]),
    ("reqwest", &["http.rs", "alert/deliver/", "jaggaer/", "visma/", "examine/"]),
    ("lettre", &["alert/deliver/"]),
    ("clap", &["cli/"]),
    ("anyhow", &["main.rs", "cli/"]),
    ("ml_connector_sandbox", &["cli/"]),
];

/// What is wrong in one file of `src`. `file` is its path below `src`, with `/`.
fn faults(file: &str, source: &str) -> Vec<String> {
    let (left, _) = without_tests(tokens(source));
    let module = module_of(file);
    let top = module.first().map_or("lib", String::as_str);
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == top) else {
        return vec![format!("{file}: `{top}` has no place in the table of arrows")];
    };
    let is_pure = PURE.iter().any(|pure| file.starts_with(pure));
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let mut found = BTreeSet::new();
    let mut fault = |line: usize, what: String| {
        found.insert((line, format!("{file}:{line}: {what}")));
    };

    for token in &left {
        if is_pure && matches!(token.text.as_str(), "async" | "await") {
            fault(token.line, format!("`{}` in a pure place", token.text));
        }
    }
    for path in paths(&left) {
        let shown = path.segments.join("::");
        let here: Vec<&String> = module.iter().chain(&path.inside).collect();
        if let Some(rest) = from_root(&path.segments, here.len()) {
            match rest.first().map(String::as_str) {
                Some("*") => fault(path.line, format!("`{shown}` hides what it points to")),
                Some(to) if known.contains(to) && to != top && !allowed.contains(&to) => {
                    fault(path.line, format!("`{top}` must not know `{to}` (`{shown}`)"));
                }
                Some(_) | None => {}
            }
        }
        if path.segments.len() == 1 && !source_uses_crate(&left, &path.segments[0]) {
            continue;
        }
        let first = path.segments[0].as_str();
        for (name, places) in KEPT_IN {
            if first == *name && !places.iter().any(|place| file.starts_with(place)) {
                fault(path.line, format!("`{name}` belongs in {} only", places.join(" and ")));
            }
        }
        if is_pure {
            if IMPURE_CRATES.contains(&first) {
                fault(path.line, format!("`{shown}` in a pure place"));
            }
            let has =
                |wanted: &&[&str]| path.segments.windows(wanted.len()).any(|w| *w == **wanted);
            if IMPURE_PATHS.iter().any(has) {
                fault(path.line, format!("`{shown}` in a pure place"));
            }
        }
    }
    found.into_iter().map(|(_, text)| text).collect()
}

/// A lone word names a crate only as `use name;`.
fn source_uses_crate(tokens: &[tokens::Token], name: &str) -> bool {
    tokens.windows(2).any(|pair| pair[0].text == "use" && pair[1].text == name)
}

/// The path below the crate's root, if it leads there. `depth`: how deep the place is in the tree.
fn from_root(segments: &[String], depth: usize) -> Option<&[String]> {
    let mut rest = segments;
    if let [first, tail @ ..] = rest
        && (first == "crate" || first == "ml_connector")
    {
        return (!tail.is_empty()).then_some(tail);
    }
    if let [first, tail @ ..] = rest
        && first == "self"
    {
        rest = tail;
    }
    let ups = rest.iter().take_while(|word| *word == "super").count();
    (ups == depth && ups > 0).then(|| &rest[ups..])
}

/// `sync/posting.rs` is `sync::posting`, `sync/mod.rs` is `sync`, `lib.rs` is the root.
fn module_of(file: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    if parts == ["lib"] {
        parts.clear();
    }
    parts
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file below `src` that is not a test module's.
fn files() -> Vec<(String, String)> {
    let mut all = Vec::new();
    walk(&folder(), "", &mut all);
    let mut tests = Vec::new();
    for (file, source) in &all {
        let below = match file.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            None if file == "lib.rs" || file == "main.rs" => String::new(),
            _ => format!("{}/", file.trim_end_matches(".rs")),
        };
        for module in without_tests(tokens(source)).1 {
            tests.push((format!("{below}{module}.rs"), format!("{below}{module}/")));
        }
    }
    all.retain(|(file, _)| {
        !tests.iter().any(|(one, folder)| file == one || file.starts_with(folder))
    });
    all
}

fn walk(folder: &Path, below: &str, out: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("src is there")
        .map(|entry| entry.expect("read").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            walk(&path, &format!("{below}{name}/"), out);
        } else if name.ends_with(".rs") {
            out.push((format!("{below}{name}"), std::fs::read_to_string(&path).expect("text")));
        }
    }
}

#[test]
fn the_arrows_of_the_source_go_one_way() {
    let files = files();
    assert!(files.len() > 50, "only {} files were found", files.len());
    for top in ["procurement", "visma", "sync"] {
        assert!(files.iter().any(|(file, _)| file.starts_with(top)), "nothing of {top} was read");
    }
    let found: Vec<String> = files.iter().flat_map(|(file, source)| faults(file, source)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_place_is_named_for_what_does_not_fit_elsewhere() {
    for (file, _) in files() {
        for part in module_of(&file) {
            assert!(
                !["util", "utils", "common", "helper", "helpers", "manager", "misc"]
                    .contains(&part.as_str()),
                "{file}: name the place for what it does"
            );
        }
    }
}

/// The simulators would prove nothing if they shared the client's types.
#[test]
fn the_sandbox_knows_nothing_of_the_connector() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the sandbox is there");
    let manifest: toml::Table = toml::from_str(&manifest).expect("TOML");
    let mut asked = 0;
    for (section, value) in &manifest {
        for (name, wanted) in
            value.as_table().filter(|_| section.ends_with("dependencies")).into_iter().flatten()
        {
            asked += 1;
            assert_ne!(name, "ml-connector", "[{section}]");
            assert!(
                wanted.get("path").is_none(),
                "[{section}] {name} is a crate of this workspace"
            );
        }
    }
    assert!(asked > 0, "no dependencies were read");
    let mut sources = Vec::new();
    walk(&root.join("src"), "", &mut sources);
    for (file, source) in sources {
        let named = tokens(&source).iter().any(|token| token.text == "ml_connector");
        assert!(!named, "sandbox/src/{file} names the connector");
        assert!(!source.contains("#[path"), "sandbox/src/{file} takes a file from elsewhere");
    }
}

#[test]
fn a_wrong_arrow_is_found() {
    let wrong: &[(&str, &str, &str)] = &[
        (
            "procurement/money.rs",
            "use crate::visma::Client;",
            "`procurement` must not know `visma`",
        ),
        ("mapping/vat.rs", "\n\nuse crate::{procurement::Money, store};", "mapping/vat.rs:3: "),
        (
            "mapping/vat.rs",
            "fn f() { crate::matching::claim_key(\"\"); }",
            "must not know `matching`",
        ),
        ("mapping/mod.rs", "use super::decide::Rules;", "must not know `decide`"),
        ("mapping/vat.rs", "use super::super::decide::Rules;", "must not know `decide`"),
        (
            "mapping/vat.rs",
            "mod a { use super::super::super::sync::Engine; }",
            "must not know `sync`",
        ),
        (
            "decide/order.rs",
            "use crate::{mapping::{self, Tables}, config::Config};",
            "must not know `config`",
        ),
        (
            "visma/send.rs",
            "pub(crate) use crate::jaggaer::Error as Other;",
            "must not know `jaggaer`",
        ),
        ("jaggaer/read/line.rs", "type T = Option<crate::decide::Hold>;", "must not know `decide`"),
        ("store/writer.rs", "impl From<crate::sync::SyncError> for X {}", "must not know `sync`"),
        ("audit/mod.rs", "use crate::procurement::Money;", "must not know `procurement`"),
        ("sync/post.rs", "use crate::cli::output;", "must not know `cli`"),
        ("store/x.rs", "use crate::*;", "hides what it points to"),
        ("reports/mod.rs", "", "no place in the table"),
        ("decide/order.rs", "pub async fn f() {}", "`async` in a pure place"),
        (
            "decide/order.rs",
            "use std::time::{Duration, Instant};",
            "`std::time::Instant` in a pure place",
        ),
        (
            "decide/order.rs",
            "use std::time;\nfn f() { time::SystemTime::now(); }",
            "decide/order.rs:2: ",
        ),
        ("matching/duplicate.rs", "let now = jiff::Timestamp::now();", "in a pure place"),
        ("mapping/vat.rs", "fn f(pool: sqlx::AnyPool) {}", "in a pure place"),
        ("mapping/vat.rs", "use tokio;", "`tokio` in a pure place"),
        ("sync/posting.rs", "tokio::spawn(x);", "in a pure place"),
        ("sync/round.rs", "sqlx::query(\"\");", "`sqlx` belongs in store/ only"),
        ("store/open.rs", "use reqwest::Client;", "`reqwest` belongs in"),
        // What tests may do, the code beside them may not.
        (
            "mapping/vat.rs",
            "#[cfg(test)]\nmod tests { use crate::visma; }\nuse crate::visma;",
            "mapping/vat.rs:3: ",
        ),
        ("mapping/vat.rs", "#[cfg(not(test))]\nuse crate::visma;", "must not know `visma`"),
        (
            "mapping/vat.rs",
            "let a = '\"'; use crate::visma; let b = '\"';",
            "must not know `visma`",
        ),
    ];
    for (file, source, expected) in wrong {
        let found = faults(file, source);
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{file}: {source}\nfound {found:?}, not {expected}"
        );
    }
}

#[test]
fn a_right_arrow_is_let_through() {
    let right: &[(&str, &str)] = &[
        ("mapping/vat.rs", "use crate::procurement::{Money, Currency};"),
        ("matching/order_line.rs", "use crate::mapping::Table; use super::claim_key;"),
        ("mapping/vat.rs", "// use crate::visma;\n/* crate::store /* nested */ crate::sync */"),
        (
            "mapping/vat.rs",
            "const A: &str = \"crate::visma\"; const B: &str = r#\"use \"crate::sync\"\"#;",
        ),
        ("mapping/vat.rs", "#[cfg(test)]\nmod tests { use crate::visma; async fn f() {} }"),
        ("mapping/vat.rs", "#[cfg(test)]\n#[rustfmt::skip]\npub(crate) use crate::{visma, sync};"),
        ("mapping/vat.rs", "fn tokio<'a>(store: &'a str) -> &'a str { store }"),
        ("jaggaer/read/value.rs", "let kind = ValueType::Instant;"),
        ("visma/pager.rs", "use tokio::time::Instant; async fn f() { x.await }"),
        ("store/change.rs", "use crate::decide::{Hold, Wait};"),
        (
            "mapping/codes.rs",
            "mod a { use super::Coding; mod b { use super::super::Coding; } } use super::tables;",
        ),
        ("cli/sync.rs", "use ml_connector::sync::{self, RoundReport}; use super::output::Output;"),
        ("main.rs", "mod cli; fn main() { cli::run() }"),
    ];
    for (file, source) in right {
        assert_eq!(faults(file, source), Vec::<String>::new(), "{file}: {source}");
    }
}
