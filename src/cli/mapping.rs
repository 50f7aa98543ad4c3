use super::account::account;
use super::link;
use super::output::{Failure, Output, table};
use ml_connector::clock;
use ml_connector::config::{Config, ConnectionConfig};
use ml_connector::decide::{Rules, link_command};
use ml_connector::mapping::{Sheet, SheetFault, Suggestion, TableName, chart};
use ml_connector::store::{MappingVersion, Store};
use ml_connector::sync::{
    Affected, ManualVerb, Preview, Wanted, WantedCode, WantedSegment, WantedVendor, preview,
    rules_in_force, units, wanted,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// A table as CSV, as it counts now.
    Export {
        #[command(flatten)]
        of: Of,
        /// Commas and no byte order mark, for programs; else semicolons, for Nordic spreadsheets.
        #[arg(long)]
        comma: bool,
    },
    /// Check a table and show what it would change; with --apply keep it.
    Import {
        /// CSV as a spreadsheet writes it.
        file: PathBuf,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        change: Change,
    },
    /// Go back to an earlier version, or with 0 to the configuration's table.
    Restore {
        /// The table's name.
        table: String,
        version: i64,
        #[arg(long)]
        connection: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// What the codes on held documents could mean in Visma, and which suppliers their vendors
    /// could be. Changes nothing.
    Suggest {
        #[arg(long)]
        connection: Option<String>,
    },
    /// Say which supplier in Visma a vendor is.
    Link(link::LinkArguments),
    /// Undo a link.
    Unlink(link::UnlinkArguments),
    /// The links in force.
    Links(link::LinksArguments),
    /// Who imported what, when and why.
    History {
        #[command(flatten)]
        of: Of,
    },
}

/// Which table of which connection.
#[derive(clap::Args)]
pub struct Of {
    /// Needed where there are several.
    #[arg(long)]
    connection: Option<String>,
    /// coding, combinations, accounts, segments, vat, terms, units, branches or
    /// projects. An import takes the file's name when this is left out.
    #[arg(long)]
    table: Option<String>,
}

#[derive(clap::Args)]
pub struct Change {
    /// Keep it; without this nothing is changed.
    #[arg(long)]
    apply: bool,
    /// Why; kept in the audit trail. Needed with --apply.
    #[arg(long, default_value = "")]
    reason: String,
    /// How many of the latest posted documents are decided again for the preview.
    #[arg(long, default_value_t = 500)]
    posted: u32,
}

pub async fn run(command: &Command, config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    match command {
        Command::Link(arguments) => link::link(arguments, config, output).await,
        Command::Unlink(arguments) => link::unlink(arguments, config, output).await,
        Command::Links(arguments) => link::links(arguments, config, output).await,
        Command::Export { of, comma } => {
            let connection = connection(config, of.connection.as_deref())?;
            let name = of.table.as_deref().map_or(Ok(TableName::Coding), named)?;
            let rules = rules_in_force(&store, connection).await?;
            let sheet = name.sheet(&rules.mapping);
            let csv = if *comma { sheet.write() } else { sheet.write_for_spreadsheet() };
            output
                .print(&json!({ "connection": connection.id, "table": name.as_str(), "csv": csv }));
            output.say(csv.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Import { file, of, change } => {
            let connection = connection(config, of.connection.as_deref())?;
            let name = named(of.table.as_deref().unwrap_or_else(|| stem(file)))?;
            let bytes = std::fs::read(file).map_err(|error| {
                Failure::could_not(format!("cannot read {}: {error}", file.display()))
            })?;
            let shown = file.display().to_string();
            let sheet = Sheet::read(&bytes).map_err(|fault| wrong(&shown, &[fault]))?;
            let task = Task { store: &store, config, connection, name };
            task.run(Some((sheet, &shown)), change, output).await
        }
        Command::Restore { table, version, connection: of, change } => {
            let connection = connection(config, of.as_deref())?;
            let name = named(table)?;
            let task = Task { store: &store, config, connection, name };
            let shown = format!("version {version} of {table}");
            let sheet = task.version(*version).await?;
            task.run(sheet.map(|sheet| (sheet, shown.as_str())), change, output).await
        }
        Command::Suggest { connection: of } => {
            suggest(config, connection(config, of.as_deref())?, &store, output).await
        }
        Command::History { of } => {
            let connection = connection(config, of.connection.as_deref())?;
            let name = of.table.as_deref().map(named).transpose()?;
            let mut versions = store.mapping_versions(&connection.id).await?;
            versions.retain(|of| name.is_none_or(|name| name.as_str() == of.name));
            history(&versions, output);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A change of one table.
struct Task<'a> {
    store: &'a Store,
    config: &'a Config,
    connection: &'a ConnectionConfig,
    name: TableName,
}

impl Task<'_> {
    /// The table of a version; `None` is the configuration's.
    async fn version(&self, n: i64) -> Result<Option<Sheet>, Failure> {
        if n == 0 {
            return Ok(None);
        }
        let versions = self.store.mapping_versions(&self.connection.id).await?;
        let found = versions.into_iter().find(|of| of.name == self.name.as_str() && of.n == n);
        let Some(found) = found else {
            return Err(Failure::could_not(format!(
                "the table {} has no version {n}: see `mapping history`",
                self.name.as_str()
            )));
        };
        let read = found.body.as_deref().map(|body| Sheet::read(body.as_bytes())).transpose();
        read.map_err(|fault| wrong(&format!("version {n}"), &[fault]))
    }

    /// Checks, shows, and with `--apply` keeps. Without a table the configuration's comes back.
    async fn run(
        &self,
        sheet: Option<(Sheet, &str)>,
        change: &Change,
        output: &Output,
    ) -> Result<ExitCode, Failure> {
        if change.apply && change.reason.trim().is_empty() {
            return Err(Failure::configuration("--apply needs a --reason"));
        }
        let mut rules = rules_in_force(self.store, self.connection).await?;
        let rows = sheet.as_ref().map(|(sheet, _)| sheet.rows.len());
        let body = match sheet {
            Some((sheet, shown)) => {
                let body = sheet.write();
                let put = self.name.put(sheet, &mut rules.mapping);
                put.map_err(|faults| wrong(shown, &faults))?;
                Some(body)
            }
            None => {
                let of_file = self.name.sheet(&self.connection.rules.mapping);
                let put = self.name.put(of_file, &mut rules.mapping);
                put.map_err(|faults| wrong("the configuration", &faults))?;
                None
            }
        };
        // As it is kept: rows are numbered without the empty ones of the file.
        let kept = body.as_deref().map(|body| Sheet::read(body.as_bytes())).transpose();
        let kept = kept.map_err(|fault| wrong("the table", &[fault]))?;
        let mut reference = self.store.reference_data(&self.connection.company).await?;
        if let Some((reference, _)) = &mut reference {
            reference.suppliers = self.store.suppliers(&self.connection.company).await?;
        }
        let doubts = match (&kept, &reference) {
            (Some(sheet), Some((reference, _))) => chart::check(self.name, sheet, reference),
            _ => Vec::new(),
        };
        let posted = usize::try_from(change.posted).unwrap_or(usize::MAX);
        let seen = preview(self.store, self.config, self.connection, &rules, posted).await?;
        let version = match change.apply {
            true => Some(self.apply(body.as_deref(), &seen, &change.reason).await?),
            false => None,
        };
        self.show(rows, version, &doubts, &seen, &rules, output);
        Ok(ExitCode::SUCCESS)
    }

    /// Keeps the version, and asks for the documents that it releases.
    async fn apply(
        &self,
        body: Option<&str>,
        seen: &Preview,
        reason: &str,
    ) -> Result<i64, Failure> {
        let mut units = units(self.store, self.config).await?.into_iter();
        let unit = units.find(|of| of.connections.contains(&self.connection.id));
        let unit = unit.expect("every connection is in a unit");
        let actor = account();
        let n = self
            .store
            .ask_mapping(
                &self.connection.id,
                self.name.as_str(),
                body,
                (&actor, reason),
                clock::now(),
            )
            .await?;
        let because = format!("version {n} of the table {}: {reason}", self.name.as_str());
        for of in &seen.releases {
            ManualVerb::Release
                .ask(self.store, &unit.id, &of.document.id, &actor, &because)
                .await?;
        }
        Ok(n)
    }

    fn show(
        &self,
        rows: Option<usize>,
        version: Option<i64>,
        doubts: &[SheetFault],
        seen: &Preview,
        rules: &Rules,
        output: &Output,
    ) {
        let name = self.name.as_str();
        output.print(&json!({
            "connection": self.connection.id, "table": name, "rows": rows,
            "applied": version.is_some(), "version": version,
            "doubts": doubts.iter().map(|doubt| json!({
                "row": doubt.row, "column": doubt.column, "message": doubt.message,
            })).collect::<Vec<_>>(),
            "would_release": affected(&seen.releases),
            "would_hold": affected(&seen.holds),
            "would_hold_otherwise": affected(&seen.held_otherwise),
            "would_have_posted_otherwise": affected(&seen.posted_otherwise),
            "decided_again": { "open": seen.open, "posted": seen.posted },
        }));
        match rows {
            Some(rows) if doubts.is_empty() => {
                output.say(format!("{name}: {rows} rows, nothing wrong with them"));
            }
            Some(rows) => output.say(format!(
                "{name}: {rows} rows, which can be taken; but Visma does not have all of it"
            )),
            None => output.say(format!("{name}: back to the configuration's table")),
        }
        for doubt in doubts {
            output.say(format!("  look at {doubt}"));
        }
        let open = seen.open;
        let parts = [
            (
                format!("would release {} of {open} open documents", seen.releases.len()),
                &seen.releases,
            ),
            (format!("would hold {}", seen.holds.len()), &seen.holds),
            (
                format!("would hold {} for other reasons", seen.held_otherwise.len()),
                &seen.held_otherwise,
            ),
            (
                format!(
                    "would have posted {} of the latest {} otherwise; they are not touched",
                    seen.posted_otherwise.len(),
                    seen.posted
                ),
                &seen.posted_otherwise,
            ),
        ];
        for (heading, documents) in parts {
            output.say(heading);
            for Affected { document, differences } in documents {
                output.say(format!("  {} {}", document.kind.as_str(), document.number));
                for difference in differences {
                    output.say(format!("    {difference}"));
                }
            }
        }
        if self.name == TableName::Coding && rules.mapping.coding_complete {
            output.say("the coding table is declared complete: what no row fits is held");
        }
        match version {
            Some(n) => output.say(format!(
                "kept as version {n}; it counts from the next round on, in the place of the \
                 configuration's table"
            )),
            None => output.say("nothing was changed; use --apply --reason \"...\" to keep it"),
        }
    }
}

fn affected(of: &[Affected]) -> Vec<Value> {
    let shown = of.iter().map(|Affected { document, differences }| {
        json!({
            "document": document.id, "source_id": document.source_id,
            "kind": document.kind.as_str(), "number": document.number,
            "state": document.state.as_str(), "differences": differences,
        })
    });
    shown.collect()
}

async fn suggest(
    config: &Config,
    connection: &ConnectionConfig,
    store: &Store,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let Wanted { segments, codes, vendors } = wanted(store, config, connection).await?;
    output.print(&json!({
        "connection": connection.id,
        "segments": segments.iter().map(|of| json!({
            "segment": of.id, "name": of.name, "documents": of.documents,
            "suggestions": of.fillings.iter().map(|to| json!({
                "rule": to.written(), "score": to.score, "reason": to.reason,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "codes": codes.iter().map(|of| json!({
            "table": of.code.table.as_str(), "segment": of.code.segment, "code": of.code.code,
            "documents": of.documents,
            "suggestions": of.suggestions.iter().map(|to| json!({
                "value": to.value, "description": to.description, "score": to.score,
                "reason": to.reason,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "vendors": vendors.iter().map(|of| json!({
            "vendor": of.suggestion.link_by, "shown": of.suggestion.vendor,
            "documents": of.documents,
            "suggestions": of.suggestion.candidates.iter().map(|to| json!({
                "supplier": to.supplier, "name": to.name, "score": to.score,
                "reasons": to.reasons,
                "link": of.suggestion.link_by.as_deref().map(|by| link_command(by, &to.supplier)),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    }));
    if segments.is_empty() && codes.is_empty() && vendors.is_empty() {
        output.say("no held document has a segment, a code or a vendor that leads nowhere");
    }
    if !segments.is_empty() {
        suggest_segments(&segments, output);
    }
    if !codes.is_empty() {
        suggest_codes(&codes, output);
    }
    if !vendors.is_empty() {
        suggest_suppliers(&vendors, output);
    }
    Ok(ExitCode::SUCCESS)
}

fn suggest_segments(segments: &[WantedSegment], output: &Output) {
    let rows = segments.iter().flat_map(|of| {
        let begin = [format!("{} {}", of.id, of.name), of.documents.len().to_string()];
        let likenesses =
            of.fillings.iter().map(|to| [to.written(), percent(to.score), to.reason.clone()]);
        choices(begin, likenesses.collect())
    });
    output.say(table(&["segment", "documents", "rule", "likeness", "because"], rows));
    output.say(
        "no rule fills these segments: write one below [[connection.mapping.segments]] in the \
         configuration, each setting on a line of its own",
    );
}

fn suggest_codes(codes: &[WantedCode], output: &Output) {
    let rows = codes.iter().flat_map(|of| {
        let table = match of.code.segment {
            Some(segment) => format!("{} {segment}", of.code.table.as_str()),
            None => of.code.table.as_str().to_owned(),
        };
        let begin = [table, of.code.code.clone(), of.documents.len().to_string()];
        let likenesses = of.suggestions.iter().map(|to| {
            [format!("{} {}", to.value, to.description), percent(to.score), to.reason.clone()]
        });
        choices(begin, likenesses.collect())
    });
    output.say(table(&["table", "code", "documents", "Visma", "likeness", "because"], rows));
    output.say("suggestions only: put what is right into the table and import it");
}

fn suggest_suppliers(vendors: &[WantedVendor], output: &Output) {
    let rows = vendors.iter().flat_map(|of| {
        let begin = [of.suggestion.vendor.clone(), of.documents.len().to_string()];
        let likenesses = of.suggestion.candidates.iter().map(|to| {
            [format!("{} {}", to.supplier, to.name), percent(to.score), to.reasons.join(", ")]
        });
        choices(begin, likenesses.collect())
    });
    output.say(table(&["vendor", "documents", "Visma", "likeness", "because"], rows));
    output.say(
        "suggestions only: whoever is linked gets the money. If the first of a vendor is right:",
    );
    for Suggestion { link_by, candidates, .. } in vendors.iter().map(|of| &of.suggestion) {
        if let (Some(by), Some(first)) = (link_by, candidates.first()) {
            output.say(format!("  {}", link_command(by, &first.supplier)));
        }
    }
}

/// One row for each thing that it could be.
fn choices<const N: usize>(begin: [String; N], likenesses: Vec<[String; 3]>) -> Vec<Vec<String>> {
    if likenesses.is_empty() {
        let none = ["nothing is like it".into(), String::new(), String::new()];
        return vec![[begin.as_slice(), &none].concat()];
    }
    likenesses.iter().map(|of| [begin.as_slice(), of].concat()).collect()
}

fn percent(score: impl Into<u32>) -> String {
    format!("{} %", score.into())
}

fn history(versions: &[MappingVersion], output: &Output) {
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for of in versions {
        let known = newest.entry(&of.name).or_insert(of.n);
        *known = of.n.max(*known);
    }
    let rows_of = |of: &MappingVersion| {
        let sheet = of.body.as_deref().map(|body| Sheet::read(body.as_bytes()));
        sheet.and_then(Result::ok).map(|sheet| sheet.rows.len())
    };
    output.print(&json!({
        "versions": versions.iter().map(|of| json!({
            "table": of.name, "version": of.n, "counts": newest[of.name.as_str()] == of.n,
            "rows": rows_of(of), "actor": of.actor, "reason": of.reason,
            "asked_at": clock::rfc3339(of.asked_at),
            "in_force_at": of.in_force_at.map(clock::rfc3339),
        })).collect::<Vec<_>>(),
    }));
    output.say(table(
        &["table", "version", "rows", "by", "asked", "in force", "why"],
        versions.iter().map(|of| {
            let star = if newest[of.name.as_str()] == of.n { " *" } else { "" };
            vec![
                of.name.clone(),
                format!("{}{star}", of.n),
                rows_of(of).map_or("the configuration's".into(), |rows| rows.to_string()),
                of.actor.clone(),
                clock::readable(of.asked_at),
                of.in_force_at.map_or("with the next round".into(), clock::readable),
                of.reason.clone(),
            ]
        }),
    ));
}

fn connection<'a>(config: &'a Config, id: Option<&str>) -> Result<&'a ConnectionConfig, Failure> {
    let known: Vec<&str> = config.connections.iter().map(|of| of.id.as_str()).collect();
    match (id, config.connections.as_slice()) {
        (Some(id), _) => config.connection(id).ok_or_else(|| {
            Failure::configuration(format!(
                "there is no connection `{id}`; there are: {}",
                known.join(", ")
            ))
        }),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::configuration(format!(
            "say which connection with --connection: {}",
            known.join(", ")
        ))),
    }
}

fn named(text: &str) -> Result<TableName, Failure> {
    TableName::parse(text).ok_or_else(|| {
        let known: Vec<&str> = TableName::ALL.iter().map(|name| name.as_str()).collect();
        Failure::configuration(format!(
            "`{text}` is no table; say which with --table: {}",
            known.join(", ")
        ))
    })
}

fn stem(file: &Path) -> &str {
    file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

fn wrong(shown: &str, faults: &[SheetFault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{shown}: {fault}")).collect();
    Failure::could_not(format!("{}\nnothing was changed", lines.join("\n")))
}
