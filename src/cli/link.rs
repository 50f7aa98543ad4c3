//! Links between JAGGAER's vendors and Visma's suppliers that people make and undo.

use super::account::account;
use super::output::{Failure, Output};
use ml_connector::clock;
use ml_connector::config::{Config, ConnectionConfig};
use ml_connector::mapping::doubts;
use ml_connector::store::Store;
use ml_connector::sync::LinkWish;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct LinkArguments {
    /// JAGGAER's vendor id, or the supplier number that its documents carry.
    vendor: String,
    /// Visma's supplier number.
    supplier: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Needed where several connections know the vendor.
    #[arg(long)]
    connection: Option<String>,
}

#[derive(clap::Args)]
pub struct UnlinkArguments {
    /// As it was linked.
    vendor: String,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Needed where several connections know the vendor.
    #[arg(long)]
    connection: Option<String>,
}

#[derive(clap::Args)]
pub struct LinksArguments {
    /// Only of this connection.
    #[arg(long)]
    connection: Option<String>,
    /// Every version, also those that were replaced or undone.
    #[arg(long)]
    history: bool,
}

pub async fn link(
    arguments: &LinkArguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let (vendor, number) = (arguments.vendor.trim(), arguments.supplier.trim());
    let connection = route(&store, config, arguments.connection.as_deref(), vendor).await?;
    let mut suppliers = store.suppliers(&connection.company).await?;
    let Some(supplier) = suppliers.remove(number) else {
        return Err(Failure::could_not(format!(
            "company `{}` has no supplier {number}, as far as it was read; nothing was linked",
            connection.company
        )));
    };
    let warnings = match store.vendors(&connection.source).await?.get(vendor) {
        Some(vendor) => doubts(vendor, &supplier),
        None => vec![format!(
            "JAGGAER's vendors have no {vendor}; the link counts for documents that carry it"
        )],
    };
    let shown = format!("{vendor} to {number} ({})", supplier.name);
    wish(&store, config, connection, vendor, Some(number), &arguments.reason, &warnings, output)
        .await?;
    output.say(format!("linked {shown}"));
    Ok(ExitCode::SUCCESS)
}

pub async fn unlink(
    arguments: &UnlinkArguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let vendor = arguments.vendor.trim();
    let connection = match &arguments.connection {
        Some(_) => route(&store, config, arguments.connection.as_deref(), vendor).await?,
        None => linked_in(&store, config, vendor).await?,
    };
    if !store.links(&connection.id).await?.contains_key(vendor) {
        let where_else = match connection.rules.mapping.suppliers.get(vendor) {
            Some(number) => format!("; the configuration links it to {number}, change it there"),
            None => String::new(),
        };
        return Err(Failure::could_not(format!("{vendor} is not linked{where_else}")));
    }
    let warnings: Vec<String> = connection
        .rules
        .mapping
        .suppliers
        .get(vendor)
        .map(|number| format!("the configuration links {vendor} to {number}, which counts again"))
        .into_iter()
        .collect();
    wish(&store, config, connection, vendor, None, &arguments.reason, &warnings, output).await?;
    output.say(format!("the link of {vendor} is undone"));
    Ok(ExitCode::SUCCESS)
}

pub async fn links(
    arguments: &LinksArguments,
    config: &Config,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let store = super::open(config).await?;
    let mut rows = Vec::new();
    for connection in &config.connections {
        if arguments.connection.as_ref().is_some_and(|only| *only != connection.id) {
            continue;
        }
        let versions = store.link_versions(&connection.id).await?;
        let in_force = store.links(&connection.id).await?;
        for (vendor, supplier) in &connection.rules.mapping.suppliers {
            let counts = !in_force.contains_key(vendor);
            if counts || arguments.history {
                rows.push(json!({
                    "connection": connection.id, "vendor": vendor, "supplier": supplier,
                    "in_force": counts, "from": "configuration",
                }));
            }
        }
        for (place, version) in versions.iter().enumerate() {
            let last = versions.get(place + 1).is_none_or(|next| next.vendor != version.vendor);
            let counts = last && version.supplier.is_some();
            if counts || arguments.history {
                rows.push(json!({
                    "connection": connection.id, "vendor": version.vendor,
                    "supplier": version.supplier, "in_force": counts, "version": version.n,
                    "actor": version.actor, "reason": version.reason,
                    "at": clock::rfc3339(version.asked_at), "from": "link",
                }));
            }
        }
        for asked in store.asked_links(&connection.id).await? {
            rows.push(json!({
                "connection": connection.id, "vendor": asked.vendor, "supplier": asked.supplier,
                "in_force": false, "actor": asked.actor, "reason": asked.reason,
                "at": clock::rfc3339(asked.asked_at), "from": "asked",
            }));
        }
    }
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let state = if row["in_force"] == true { "" } else { " (not in force)" };
        output.say(format!(
            "{}: {} -> {}{state}  {} {} {}",
            text("connection"),
            text("vendor"),
            text("supplier"),
            text("from"),
            text("actor"),
            text("reason"),
        ));
    }
    output.say(format!("{} links", rows.len()));
    output.print(&json!({ "links": rows }));
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::too_many_arguments, reason = "one wish, told whole")]
async fn wish(
    store: &Store,
    config: &Config,
    connection: &ConnectionConfig,
    vendor: &str,
    supplier: Option<&str>,
    reason: &str,
    warnings: &[String],
    output: &Output,
) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::configuration("say why with --reason; nothing was changed"));
    }
    for warning in warnings {
        output.say(format!("note: {warning}"));
    }
    let actor = account();
    let wish = LinkWish {
        connection: connection.id.clone(),
        vendor: vendor.into(),
        supplier: supplier.map(str::to_owned),
        actor,
        reason: reason.trim().into(),
    };
    let in_force = wish.ask(store, config).await?;
    output.print(&json!({
        "connection": connection.id, "vendor": vendor, "supplier": supplier,
        "in_force": in_force, "notes": warnings,
    }));
    if !in_force {
        output.say("asked; the process that owns the unit takes it over in its next round");
    }
    Ok(())
}

/// The connection that is meant: the one named, the only one, or the only one that knows the vendor.
async fn route<'a>(
    store: &Store,
    config: &'a Config,
    named: Option<&str>,
    vendor: &str,
) -> Result<&'a ConnectionConfig, Failure> {
    if let Some(named) = named {
        return config
            .connection(named)
            .ok_or_else(|| Failure::configuration(format!("there is no connection `{named}`")));
    }
    let mut knowing = Vec::new();
    for connection in &config.connections {
        let known = config.connections.len() == 1
            || store.vendors(&connection.source).await?.contains_key(vendor);
        if known {
            knowing.push(connection);
        }
    }
    only(knowing, vendor, "knows")
}

async fn linked_in<'a>(
    store: &Store,
    config: &'a Config,
    vendor: &str,
) -> Result<&'a ConnectionConfig, Failure> {
    if let [only] = config.connections.as_slice() {
        return Ok(only);
    }
    let mut linking = Vec::new();
    for connection in &config.connections {
        if store.links(&connection.id).await?.contains_key(vendor) {
            linking.push(connection);
        }
    }
    only(linking, vendor, "links")
}

fn only<'a>(
    found: Vec<&'a ConnectionConfig>,
    vendor: &str,
    does: &str,
) -> Result<&'a ConnectionConfig, Failure> {
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(Failure::could_not(format!(
            "no connection {does} {vendor}: say which is meant with --connection"
        ))),
        several => Err(Failure::could_not(format!(
            "more than one connection {does} {vendor}: say which is meant with --connection ({})",
            several.iter().map(|of| of.id.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}
