//! `profile check`: what a profile finds in samples or in the live system, field by field.
//! `profile infer`: a proposal of a profile from samples.

use super::output::{Failure, Output, counted, table};
use ml_connector::clock;
use ml_connector::config::{Config, SourceConfig};
use ml_connector::jaggaer::{Client, Feed, FeedSurvey, Profile, Sample, guess_feed, infer, survey};
use ml_connector::sync::load_profile;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Documents of each list that are read from the live system: a page or two, and as many details.
const LIVE_DOCUMENTS: usize = 40;
/// Bytes of one sample.
const LARGEST_SAMPLE: u64 = 64 << 20;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Read samples or the live lists through a profile: each field found, missing, unreadable.
    Check(CheckArguments),
    /// Propose a profile from saved answers, for a person to correct.
    Infer(InferArguments),
}

#[derive(clap::Args)]
pub struct CheckArguments {
    /// A profile's file, or a built-in one: default, observed.
    profile: String,
    /// Only this connection's source; needed when there are several. Not used with samples.
    connection: Option<String>,
    /// A saved answer: a page of a list or one whole document. Repeat it for more. Without one
    /// the lists of the configured source are read.
    #[arg(long, value_name = "FILE")]
    sample: Vec<PathBuf>,
    /// The feed that the samples are of, where their shape does not tell; or the only one to read.
    #[arg(long)]
    feed: Option<String>,
}

#[derive(clap::Args)]
pub struct InferArguments {
    /// A saved answer: a page of a list or one whole document. Repeat it for more.
    #[arg(long, value_name = "FILE", required = true)]
    sample: Vec<PathBuf>,
    /// Where the proposal goes; on the screen otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `config` is asked for only when the live system is.
pub async fn run(
    command: &Command,
    config: impl FnOnce() -> Result<Config, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Check(arguments) => check(arguments, config, output).await,
        Command::Infer(arguments) => propose(arguments, output),
    }
}

async fn check(
    arguments: &CheckArguments,
    config: impl FnOnce() -> Result<Config, Failure>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let profile =
        load_profile(&arguments.profile, Path::new(".")).map_err(Failure::configuration)?;
    if let Some(name) = &arguments.feed
        && profile.feed(name).is_none()
    {
        let known: Vec<&str> = profile.feeds().iter().map(|feed| feed.name()).collect();
        return Err(Failure::configuration(format!(
            "the profile has no feed `{name}`; it has: {}",
            known.join(", ")
        )));
    }
    let mut failed = Vec::new();
    let surveys = if arguments.sample.is_empty() {
        let config = config()?;
        let source = source_of(&config, arguments.connection.as_deref())?;
        live(&profile, &config, source, arguments.feed.as_deref(), &mut failed).await?
    } else {
        let samples = read_samples(&arguments.sample)?;
        saved(&profile, &samples, arguments.feed.as_deref())?
    };
    Ok(show(&surveys, &failed, output))
}

fn source_of<'c>(
    config: &'c Config,
    connection: Option<&str>,
) -> Result<&'c SourceConfig, Failure> {
    let id = match connection {
        Some(id) => {
            let connection = config.connection(id).ok_or_else(|| {
                Failure::configuration(format!("the configuration has no connection `{id}`"))
            })?;
            Some(connection.source.as_str())
        }
        None => None,
    };
    match (id, config.sources.as_slice()) {
        (Some(id), _) => config
            .source(id)
            .ok_or_else(|| Failure::configuration(format!("there is no source `{id}`"))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::configuration(
            "the configuration has several sources: name the connection whose source is to be read",
        )),
    }
}

/// The first documents of each list, whole.
async fn live(
    profile: &Profile,
    config: &Config,
    source: &SourceConfig,
    only: Option<&str>,
    failed: &mut Vec<(String, String)>,
) -> Result<Vec<FeedSurvey>, Failure> {
    let settings = config
        .jaggaer_settings(source, &super::vault(config).await?)
        .map_err(Failure::configuration)?;
    let client = Client::new(settings).map_err(Failure::configuration)?;
    client.sign_in().await.map_err(Failure::could_not)?;
    let mut surveys = Vec::new();
    for feed in profile.feeds().iter().filter(|feed| only.is_none_or(|name| name == feed.name())) {
        match first_documents(&client, feed).await {
            Ok(documents) => surveys.push(survey(feed, &documents, Some(clock::now()))),
            Err(error) if feed.may_lack(&error) => {
                eprintln!(
                    "{}: not there, and the profile calls it optional ({error})",
                    feed.name()
                );
            }
            Err(error) => failed.push((feed.name().to_owned(), error.to_string())),
        }
    }
    Ok(surveys)
}

async fn first_documents(
    client: &Client,
    feed: &Arc<Feed>,
) -> Result<Vec<Value>, ml_connector::jaggaer::Error> {
    let mut pager = client.pager(feed, None);
    let mut documents = Vec::new();
    while documents.len() < LIVE_DOCUMENTS
        && let Some(page) = pager.next().await?
    {
        for row in page.rows.iter().take(LIVE_DOCUMENTS - documents.len()) {
            documents.push(client.detail(feed, &row.body).await?);
        }
    }
    Ok(documents)
}

fn read_samples(paths: &[PathBuf]) -> Result<Vec<Sample>, Failure> {
    paths
        .iter()
        .map(|path| {
            let name = path.display().to_string();
            let cannot = |error: std::io::Error| {
                Failure::could_not(format!("sample {name}: cannot be read: {error}"))
            };
            let file = std::fs::File::open(path).map_err(cannot)?;
            let mut text = Vec::new();
            file.take(LARGEST_SAMPLE + 1).read_to_end(&mut text).map_err(cannot)?;
            if text.len() as u64 > LARGEST_SAMPLE {
                return Err(Failure::could_not(format!(
                    "sample {name}: larger than {} MB; a page of a list is enough",
                    LARGEST_SAMPLE >> 20
                )));
            }
            Sample::parse(&name, &text).map_err(Failure::could_not)
        })
        .collect()
}

/// Samples of one feed are surveyed together.
fn saved(
    profile: &Profile,
    samples: &[Sample],
    only: Option<&str>,
) -> Result<Vec<FeedSurvey>, Failure> {
    let mut of_feeds: Vec<(&Arc<Feed>, Vec<Value>)> = Vec::new();
    for sample in samples {
        let feed = match only.and_then(|name| profile.feed(name)) {
            Some(feed) => feed,
            None => guess_feed(profile, sample).map_err(Failure::could_not)?,
        };
        let documents = sample.documents(feed);
        if documents.is_empty() {
            return Err(Failure::could_not(format!(
                "sample {}: feed `{}` finds no record with an id in it: compare `items` and `id` with the file",
                sample.name,
                feed.name()
            )));
        }
        match of_feeds.iter_mut().find(|(known, _)| known.name() == feed.name()) {
            Some((_, all)) => all.extend(documents),
            None => of_feeds.push((feed, documents)),
        }
    }
    Ok(of_feeds.iter().map(|(feed, documents)| survey(feed, documents, None)).collect())
}

fn show(surveys: &[FeedSurvey], failed: &[(String, String)], output: &Output) -> ExitCode {
    let ok = failed.is_empty() && surveys.iter().all(FeedSurvey::ok);
    let fields: Vec<_> = surveys.iter().flat_map(|survey| &survey.fields).collect();
    let feeds: Vec<Value> = surveys
        .iter()
        .map(|of| {
            json!({
                "feed": of.feed, "ok": of.ok(), "records": of.records, "readable": of.readable,
                "statuses": of.statuses, "words": of.words, "sums": of.sums, "hints": of.hints,
            })
        })
        .collect();
    let failed_json: Vec<Value> =
        failed.iter().map(|(feed, text)| json!({ "feed": feed, "error": text })).collect();
    output.print(&json!({ "ok": ok, "fields": fields, "feeds": feeds, "failed": failed_json }));
    for survey in surveys {
        say_feed(survey, output);
    }
    for (feed, text) in failed {
        output.say(format!("{feed}: COULD NOT BE READ: {text}"));
    }
    ExitCode::from(u8::from(!ok))
}

fn say_feed(survey: &FeedSurvey, output: &Output) {
    output.say(format!(
        "\n{}: {}, {} readable as a whole",
        survey.feed,
        counted(survey.records, "record"),
        survey.readable
    ));
    if survey.records == 0 {
        return output.say("the list is empty: nothing can be said about its fields");
    }
    let rows = survey.fields.iter().map(|field| {
        let mut examples = field.examples.join("  ");
        for reason in &field.reasons {
            examples.push_str(&format!("\n{}: {}", reason.value, reason.text));
        }
        let mark = match (field.fails(), field.unreadable) {
            (true, _) => "FAILS",
            (false, 0) => "",
            (false, _) => "look",
        };
        vec![
            field.field.clone(),
            mark.into(),
            field.found.to_string(),
            field.missing.to_string(),
            field.unreadable.to_string(),
            field.place.clone(),
            examples,
        ]
    });
    output.say(table(&["field", "", "found", "missing", "unreadable", "where", "examples"], rows));
    for status in &survey.statuses {
        output.say(format!("status {}: {} ({})", status.words, status.then, status.documents));
    }
    for words in &survey.words {
        let values: Vec<String> =
            words.values.iter().map(|(value, count)| format!("{value} ({count})")).collect();
        output.say(format!("{}: {}", words.field, values.join(", ")));
    }
    for sum in &survey.sums {
        let example = sum.example.as_deref().map(|of| format!("; not in {of}")).unwrap_or_default();
        output.say(format!("{}: holds in {} of {}{example}", sum.sum, sum.holds, sum.of));
    }
    for hint in &survey.hints {
        output.say(format!("note: {hint}"));
    }
}

fn propose(arguments: &InferArguments, output: &Output) -> Result<ExitCode, Failure> {
    let samples = read_samples(&arguments.sample)?;
    let proposal = infer(&samples).map_err(Failure::could_not)?;
    match &arguments.out {
        Some(path) => {
            write_new(path, &proposal.text)?;
            eprintln!("proposal: {}", path.display());
        }
        None if output.json => {}
        None => output.say(&proposal.text),
    }
    // A proposal that does not parse says itself what is missing.
    let profile = Profile::parse("the proposal", &proposal.text);
    let surveys = match &profile {
        Ok(profile) => saved(profile, &samples, None)?,
        Err(_) => Vec::new(),
    };
    let fields: Vec<_> = surveys.iter().flat_map(|survey| &survey.fields).collect();
    let ok = profile.is_ok() && surveys.iter().all(FeedSurvey::ok);
    output.print(&json!({
        "ok": ok, "profile": proposal.text, "guesses": proposal.guesses, "todo": proposal.todo,
        "fields": fields, "error": profile.as_ref().err().map(ToString::to_string),
    }));
    for survey in &surveys {
        say_feed(survey, output);
    }
    for line in &proposal.todo {
        output.say(format!("TODO {line}"));
    }
    if let Err(error) = &profile {
        output.say(format!("it is no profile yet: {error}"));
    }
    Ok(ExitCode::from(u8::from(!ok)))
}

/// What a person has corrected is not written over.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let written =
        std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::could_not(format!(
            "{} is there already and is not written over: name another file",
            path.display()
        )),
        _ => Failure::could_not(format!("{} cannot be written: {error}", path.display())),
    })
}
