use super::account::account;
use super::documents::amount_text;
use super::output::{Failure, Output, counted, table};
use ml_connector::clock;
use ml_connector::config::Config;
use ml_connector::decide::{Clears, Entry, Role, catalogue};
use ml_connector::store::{DocumentRow, DocumentState, HoldRow, OverrideRow, Store};
use ml_connector::sync::{
    Asked, ManualVerb, SetAside, ask_to_correct, ask_to_set_aside, role_to_set_aside, units,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Each hold: which document, what happened, what to do, who can; and what posted documents
    /// need attention for.
    List {
        /// Only this code.
        #[arg(long)]
        code: Option<String>,
        /// Only what they can put right: a word of the column `who`, e.g. `AP` or `integration`.
        #[arg(long)]
        who: Option<String>,
    },
    /// Every code: what it means, who can put it right, what clears it, who may set it aside.
    Catalogue,
}

#[derive(clap::Args)]
pub struct ReleaseArguments {
    /// Our id, JAGGAER's id or number, or the supplier's reference.
    id: String,
    /// Set the holds of this code aside, exactly as they stand; needs a reason and a role.
    #[arg(long = "override", value_name = "CODE")]
    overrides: Vec<String>,
    /// Why; kept in the audit trail.
    #[arg(long, default_value = "")]
    reason: String,
}

pub async fn run(
    command: &Command,
    config: Result<Config, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        Command::List { code, who } => {
            understood(code.as_deref(), who.as_deref())?;
            let store = super::open(&config?).await?;
            list(&store, code.as_deref(), who.as_deref(), output).await
        }
        // The same for everybody: it needs no configuration.
        Command::Catalogue => {
            print_catalogue(output);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A code that there is not, is a typing error.
fn known_code(code: &str) -> Result<(), Failure> {
    entry_of(code).map(drop).ok_or_else(|| {
        let why = format!("`{code}` is no code: `ml-connector hold catalogue` lists them");
        Failure::configuration(why)
    })
}

/// A filter that can find nothing would read as if nothing were held.
fn understood(code: Option<&str>, who: Option<&str>) -> Result<(), Failure> {
    let entries = catalogue();
    code.map_or(Ok(()), known_code)?;
    let mut known: Vec<&str> = entries.iter().flat_map(|entry| entry.who.split(" or ")).collect();
    known.sort_unstable_by_key(|who| who.to_lowercase());
    known.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    match who.filter(|who| !known.iter().any(|of| of.to_lowercase() == who.to_lowercase())) {
        Some(who) => Err(Failure::configuration(format!(
            "nothing is put right by `{who}`; there are: {}",
            known.join(", ")
        ))),
        None => Ok(()),
    }
}

/// A hold, or the attention that a posted document needs, with what the catalogue says of it.
struct Shown {
    document: DocumentRow,
    code: String,
    text: String,
    fix: String,
    since: i64,
    entry: Option<Entry>,
    said: Vec<OverrideRow>,
}

impl Shown {
    fn held(hold: HoldRow, document: DocumentRow, said: &[OverrideRow]) -> Self {
        let HoldRow { code, text, fix, since, .. } = hold;
        let about_it = |row: &&OverrideRow| {
            row.document == document.id && row.word.code == code && row.word.text == text
        };
        let said = said.iter().filter(about_it).cloned().collect();
        Self { entry: entry_of(&code), document, code, text, fix, since, said }
    }

    fn attention(document: DocumentRow) -> Self {
        let attention = document.attention.clone().unwrap_or_default();
        let (code, text) = match attention.split_once(": ") {
            Some((code, text)) => (code.to_owned(), text.to_owned()),
            None => ("attention".to_owned(), attention),
        };
        let entry = entry_of(&code);
        Self {
            fix: entry.map_or_else(String::new, |entry| format!("{}.", entry.fix)),
            since: document.changed_at,
            entry,
            document,
            code,
            text,
            said: Vec::new(),
        }
    }

    fn who(&self) -> &'static str {
        self.entry.map_or("", |entry| entry.who)
    }

    fn is_for(&self, who: &str) -> bool {
        let (all, who) = (self.who().to_lowercase(), who.to_lowercase());
        all.split(" or ").any(|one| one == who)
    }

    fn override_by(&self) -> Option<Role> {
        self.entry.and_then(|entry| entry.override_by)
    }

    /// A second person is waited for.
    fn first_word(&self) -> Option<&OverrideRow> {
        (self.override_by() == Some(Role::TwoPeople)).then(|| self.said.first()).flatten()
    }

    fn json(&self) -> Value {
        let document = &self.document;
        json!({
            "document": document.id, "source_id": document.source_id, "kind": document.kind.as_str(),
            "number": document.number, "state": document.state.as_str(), "code": self.code,
            "text": self.text, "fix": self.fix, "who": self.who(),
            "clears_with": self.entry.and_then(|entry| clears_with(&entry)),
            "override_by": self.override_by().map(Role::as_str),
            "waits_for_second_person_after": self.first_word().map(|row| row.word.actor.as_str()),
            "since": clock::rfc3339(self.since), "currency": document.currency,
            "amount": amount_text(document),
        })
    }
}

fn entry_of(code: &str) -> Option<Entry> {
    catalogue().into_iter().find(|entry| entry.code == code)
}

fn clears_with(entry: &Entry) -> Option<&'static str> {
    match entry.clears {
        Clears::ByPerson => None,
        Clears::ByItself(what) => Some(what),
    }
}

async fn list(
    store: &Store,
    code: Option<&str>,
    who: Option<&str>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    let holds = store.holds().await?;
    let ids: Vec<&str> = holds.iter().map(|hold| hold.document.as_str()).collect();
    let documents = store.documents_by_id(&ids).await?;
    let said = store.overrides_of_held().await?;
    for hold in holds {
        if let Some(document) = documents.get(&hold.document) {
            rows.push(Shown::held(hold, document.clone(), &said));
        }
    }
    rows.extend(store.documents_with_attention().await?.into_iter().map(Shown::attention));
    rows.retain(|row| {
        code.is_none_or(|code| row.code == code) && who.is_none_or(|who| row.is_for(who))
    });
    let sums = sums(&rows);
    output.print(&json!({
        "holds": rows.iter().map(Shown::json).collect::<Vec<_>>(),
        "sums": sums.iter().map(|(currency, (count, sum))| json!({
            "currency": currency, "documents": count, "amount": sum.to_string(),
        })).collect::<Vec<_>>(),
    }));
    let mut last = None;
    for row in &rows {
        let document = &row.document;
        if last != Some(&document.id) {
            let amount = amount_text(document).unwrap_or_else(|| "amount unknown".into());
            output.say(format!(
                "{} {} ({}), {amount} {}, {} since {}",
                document.kind.as_str(),
                document.number,
                document.id,
                document.currency.as_deref().unwrap_or(""),
                document.state.as_str(),
                clock::readable(row.since),
            ));
            last = Some(&document.id);
        }
        output.say(format!("  [{}] {}\n    do: {}", row.code, row.text, row.fix));
        let mut notes = Vec::new();
        if let Some(entry) = row.entry {
            notes.push(format!("can be put right by {}", entry.who));
            if let Some(what) = clears_with(&entry) {
                notes.push(format!("clears by itself with {what}"));
            }
            if let Some(role) = entry.override_by {
                notes.push(format!("may be set aside by {}", role.as_str()));
            }
        }
        if let Some(first) = row.first_word() {
            notes.push(format!(
                "set aside by {} ({}), waits for a second person",
                first.word.actor, first.word.reason
            ));
        }
        if !notes.is_empty() {
            output.say(format!("    {}", notes.join("; ")));
        }
    }
    for (currency, (count, sum)) in &sums {
        output.say(format!("{}, {sum} {currency}", counted(count, "document")));
    }
    output.say(counted(rows.len(), "hold"));
    Ok(ExitCode::SUCCESS)
}

/// Documents and their amounts by currency; a document with several holds counts once.
fn sums(rows: &[Shown]) -> BTreeMap<String, (u64, Decimal)> {
    let documents: BTreeMap<&str, &DocumentRow> =
        rows.iter().map(|row| (row.document.id.as_str(), &row.document)).collect();
    let mut sums: BTreeMap<String, (u64, Decimal)> = BTreeMap::new();
    for document in documents.values() {
        let amount = amount_text(document).and_then(|text| text.parse::<Decimal>().ok());
        if let (Some(currency), Some(amount)) = (&document.currency, amount) {
            let sum = sums.entry(currency.clone()).or_default();
            *sum = (sum.0 + 1, sum.1 + amount);
        }
    }
    sums
}

fn print_catalogue(output: &Output) {
    let entries = catalogue();
    output.print(&json!({
        "codes": entries.iter().map(|entry| json!({
            "code": entry.code, "means": entry.means, "who": entry.who, "fix": entry.fix,
            "clears_with": clears_with(entry), "override_by": entry.override_by.map(Role::as_str),
        })).collect::<Vec<_>>()
    }));
    output.say(table(
        &["code", "means", "who", "what to do", "clears by itself with", "may be overridden by"],
        entries.iter().map(|entry| {
            vec![
                entry.code.into(),
                entry.means.into(),
                entry.who.into(),
                entry.fix.into(),
                clears_with(entry).unwrap_or_default().into(),
                entry.override_by.map_or("", Role::as_str).into(),
            ]
        }),
    ));
}

pub async fn release(
    arguments: &ReleaseArguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    arguments.overrides.iter().try_for_each(|code| known_code(code))?;
    let store = super::open(config).await?;
    let document = one(&store, &arguments.id).await?;
    let asks_attention = document.state == DocumentState::Posted && document.attention.is_some();
    if document.state != DocumentState::Held && !asks_attention {
        return Err(Failure::could_not(format!(
            "{} {} is {}, not held; nothing was done",
            document.kind.as_str(),
            document.number,
            document.state.as_str()
        )));
    }
    let reason = arguments.reason.as_str();
    if arguments.overrides.is_empty() {
        let release = Ask::Verb(ManualVerb::Release);
        let asked = ask(release, &document, reason, config, &store).await?;
        return work(&[asked], None, config, &store, output).await;
    }
    if reason.trim().is_empty() {
        return Err(Failure::configuration("--override needs --reason TEXT: it is kept for good"));
    }
    let account = account();
    let holds = store.holds_of(&document.id).await?;
    let mut set_aside: Vec<SetAside> = Vec::new();
    for code in &arguments.overrides {
        role_to_set_aside(&config.roles, &account, code).map_err(Failure::could_not)?;
        let of_code: Vec<SetAside> = holds
            .iter()
            .filter(|hold| hold.code == *code)
            .map(|hold| SetAside { code: hold.code.clone(), text: hold.text.clone() })
            .collect();
        if of_code.is_empty() {
            return Err(Failure::could_not(format!(
                "{} {} is not held by `{code}`; nothing was done",
                document.kind.as_str(),
                document.number
            )));
        }
        set_aside.extend(of_code);
    }
    for hold in &set_aside {
        output.say(format!("setting aside [{}] {}", hold.code, hold.text));
    }
    let unit = unit_of(&store, config, &document).await?;
    let asked = ask_to_set_aside(&store, &unit, &document.id, &account, reason, set_aside).await?;
    work(&[(document, asked)], None, config, &store, output).await
}

/// The one document that a person means.
pub async fn one(store: &Store, text: &str) -> Result<DocumentRow, Failure> {
    let mut found = store.find_documents(text).await?;
    match found.len() {
        0 => {
            Err(Failure::could_not(format!("no document has the id, number or reference `{text}`")))
        }
        1 => Ok(found.remove(0)),
        n => Err(Failure::could_not(format!(
            "`{text}` means {n} documents: use one of the ids {}",
            found.iter().map(|document| document.id.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

async fn unit_of(
    store: &Store,
    config: &Config,
    document: &DocumentRow,
) -> Result<String, Failure> {
    // By its source: a document that no connection takes has no other.
    let mut units = units(store, config).await?.into_iter();
    units.find(|unit| unit.sources.contains(&document.source)).map(|unit| unit.id).ok_or_else(
        || {
            Failure::configuration(format!(
                "no connection of this document's source `{}` is in the configuration",
                document.source
            ))
        },
    )
}

/// What a person asks for a document.
pub enum Ask {
    Verb(ManualVerb),
    /// Replay, with a released invoice taken back where it is to be another.
    Correct,
}

/// Puts the request; who owns the unit carries it out.
pub async fn ask(
    what: Ask,
    document: &DocumentRow,
    reason: &str,
    config: &Config,
    store: &Store,
) -> Result<(DocumentRow, Asked), Failure> {
    let account = account();
    let unit = unit_of(store, config, document).await?;
    let asked = match what {
        Ask::Verb(verb) => verb.ask(store, &unit, &document.id, &account, reason).await?,
        Ask::Correct => ask_to_correct(store, &unit, &document.id, &account, reason).await?,
    };
    Ok((document.clone(), asked))
}

/// Carries out what was asked, where no running owner does, and tells what came of each document.
/// `left`: what is told of the others that were meant, where many were.
pub async fn work(
    asked: &[(DocumentRow, Asked)],
    left: Option<Vec<Value>>,
    config: &Config,
    store: &Store,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut quick = config.clone();
    quick.timing.wait_for_owner_seconds = 0;
    let stop = super::signal::stop_on_signal();
    let mut connections: Vec<&str> =
        asked.iter().map(|(document, _)| document.connection.as_str()).collect();
    connections.sort_unstable();
    connections.dedup();
    let only = match connections.as_slice() {
        // What has no connection is looked at with all of its unit.
        [only] if !only.is_empty() => Some(*only),
        _ => None,
    };
    let report =
        ml_connector::sync::sync(store, &quick, only, super::progress::Bars::shared(), stop).await;
    let errors = match report {
        Ok(report) => report.errors,
        Err(ml_connector::sync::SyncError::OwnedElsewhere { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut told = Vec::new();
    let (mut held, mut refused, mut open) = (false, false, false);
    for (document, request) in asked {
        let result = store.request_result(&request.id).await?;
        let after = store.document(&document.id).await?.unwrap_or_else(|| document.clone());
        let holds = store.holds_of(&document.id).await?;
        told.push(json!({
            "asked": result.is_none(), "result": result, "document": after.id,
            "state": after.state.as_str(), "attention": after.attention,
            "holds": holds.iter().map(|hold| json!({ "code": hold.code, "text": hold.text, "fix": hold.fix })).collect::<Vec<_>>(),
        }));
        match &result {
            None => {
                open = true;
                output.say(format!(
                    "{} {}: asked; the process that owns the unit carries it out in its next round",
                    after.kind.as_str(),
                    after.number
                ));
                continue;
            }
            Some(result) if result != "carried out" => output.say(result),
            Some(_) => {}
        }
        refused |= result.is_some_and(|result| result.starts_with("not done"));
        held |= after.state == DocumentState::Held || after.attention.is_some();
        output.say(format!(
            "{} {} is {} now",
            after.kind.as_str(),
            after.number,
            after.state.as_str()
        ));
        for hold in &holds {
            output.say(format!("  held [{}] {}\n    do: {}", hold.code, hold.text, hold.fix));
        }
        if let Some(attention) = &after.attention {
            output.say(format!("  attention: {attention}"));
        }
    }
    match (left, told.as_mut_slice()) {
        (None, [only]) => {
            only["errors"] = json!(errors);
            output.print(only);
        }
        (left, _) => {
            told.extend(left.unwrap_or_default());
            output.print(&json!({ "documents": told, "errors": errors }));
        }
    }
    for error in errors.iter().filter(|_| !open) {
        eprintln!("ml-connector: {error}");
    }
    Ok(match (refused, held, errors.is_empty() || open) {
        (true, _, _) => ExitCode::from(1),
        (false, true, _) => ExitCode::from(3),
        (false, false, false) => ExitCode::from(1),
        (false, false, true) => ExitCode::SUCCESS,
    })
}
