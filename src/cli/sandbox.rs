use super::output::{Failure, Output};
use ml_connector_sandbox::jaggaer::Profile;
use ml_connector_sandbox::{Sandbox, Settings, faults, world};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Where Visma listens; JAGGAER listens on the next port.
    #[arg(long, default_value = "127.0.0.1:8601")]
    listen: SocketAddr,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many orders and so many invoices.
    #[arg(long, default_value_t = 100)]
    documents: usize,
    /// none, some or many.
    #[arg(long, default_value = "none")]
    faults: faults::Level,
    /// JAGGAER's layout: default or observed.
    #[arg(long, default_value = "default")]
    profile: Profile,
    /// Some invoices carry files.
    #[arg(long)]
    attachments: bool,
    /// Milliseconds until each answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Visma's calls allowed in an hour.
    #[arg(long, default_value_t = 100_000)]
    allowance: u64,
    /// Write a configuration for these two systems, with its secrets, into this folder.
    #[arg(long)]
    write_config: Option<PathBuf>,
}

pub async fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let next = arguments.listen.port().checked_add(1).filter(|port| *port > 1).unwrap_or(0);
    let jaggaer_listen =
        SocketAddr::new(arguments.listen.ip(), if arguments.listen.port() == 0 { 0 } else { next });
    let mut settings = Settings {
        world: world::Settings {
            seed: arguments.seed,
            documents: arguments.documents,
            attachments: arguments.attachments,
            ..world::Settings::default()
        },
        profile: arguments.profile,
        faults: arguments.faults,
        latency_ms: arguments.latency_ms,
        visma_listen: arguments.listen,
        jaggaer_listen,
        ..Settings::default()
    };
    settings.visma.calls_per_window = arguments.allowance;
    let sandbox = Sandbox::start(settings).await.map_err(|error| {
        Failure::could_not(format!("cannot listen on {}: {error}", arguments.listen))
    })?;
    let (visma, jaggaer) = (sandbox.visma_url(), sandbox.jaggaer_url());
    if let Some(folder) = &arguments.write_config {
        let profile = profile_name(arguments.profile);
        write_configuration(folder, &visma, &jaggaer, profile, "hold")
            .map_err(Failure::could_not)?;
        eprintln!("configuration: {}", folder.join("ml-connector.toml").display());
    }
    output.print(&json!({ "visma": visma, "jaggaer": jaggaer }));
    output.say(format!("Visma   {visma} (token: {visma}/connect/token)"));
    output.say(format!("JAGGAER {jaggaer}"));
    eprintln!("Ctrl-C stops them; what Visma holds: {visma}/sandbox/report");
    let mut stop = super::signal::stop_on_signal();
    let _ = stop.wait_for(|stop| *stop).await;
    Ok(ExitCode::SUCCESS)
}

pub fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Default => "default",
        Profile::Observed => "observed",
    }
}

/// A configuration that fits the sandbox's company, with the two secrets in files beside it.
pub fn write_configuration(
    folder: &Path,
    visma: &str,
    jaggaer: &str,
    profile: &str,
    mode: &str,
) -> std::io::Result<PathBuf> {
    let text = include_str!("sandbox.toml")
        .replace("{visma}", visma)
        .replace("{jaggaer}", jaggaer)
        .replace("{profile}", profile)
        .replace("{mode}", mode);
    write_with_secrets(folder, &text)
}

/// One for the labelled month: with the limits that its papers are made for. The company books
/// discounts there, and has no account for handling.
pub fn write_month_configuration(
    folder: &Path,
    visma: &str,
    jaggaer: &str,
) -> std::io::Result<PathBuf> {
    let text = concat!(include_str!("sandbox.toml"), include_str!("month.toml"))
        .replace("[connection.charges.handling]", "[connection.charges.discount]")
        .replace("{visma}", visma)
        .replace("{jaggaer}", jaggaer)
        .replace("{profile}", "default")
        .replace("{mode}", "hold");
    write_with_secrets(folder, &text)
}

fn write_with_secrets(folder: &Path, text: &str) -> std::io::Result<PathBuf> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::create_dir_all(folder)?;
    for (name, secret) in
        [("jaggaer.secret", "sandbox-jaggaer-secret"), ("visma.secret", "sandbox-visma-secret")]
    {
        let mut file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(folder.join(name))?;
        writeln!(file, "{secret}")?;
    }
    let path = folder.join("ml-connector.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}
