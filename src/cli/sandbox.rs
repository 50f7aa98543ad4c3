use super::output::{Failure, Output};
use ml_connector_sandbox::jaggaer::Profile;
use ml_connector_sandbox::{Sandbox, Settings, faults, world};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// Where Visma listens; JAGGAER listens on the next port, and its sign-in, where the layout has
    /// it elsewhere, on the one after that.
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
    /// JAGGAER's layout: default, observed or alternate.
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
    let after = |count: u16| {
        let port = match arguments.listen.port() {
            0 => 0,
            port => port.checked_add(count).unwrap_or(0),
        };
        SocketAddr::new(arguments.listen.ip(), port)
    };
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
        jaggaer_listen: after(1),
        login_listen: after(2),
        ..Settings::default()
    };
    settings.visma.calls_per_window = arguments.allowance;
    let sandbox = Sandbox::start(settings).await.map_err(|error| {
        Failure::could_not(format!("cannot listen on {}: {error}", arguments.listen))
    })?;
    let (visma, jaggaer) = (sandbox.visma_url(), sandbox.jaggaer_url());
    if let Some(folder) = &arguments.write_config {
        write_configuration(folder, &sandbox, "hold").map_err(Failure::could_not)?;
        eprintln!("configuration: {}", folder.join("ml-connector.toml").display());
    }
    let sign_in = sandbox.jaggaer_token_url();
    output.print(&json!({ "visma": visma, "jaggaer": jaggaer, "jaggaer_token": sign_in }));
    output.say(format!("Visma   {visma} (token: {visma}/connect/token)"));
    output.say(format!("JAGGAER {jaggaer} (token: {sign_in})"));
    eprintln!("Ctrl-C stops them; what Visma holds: {visma}/sandbox/report");
    let mut stop = super::signal::stop_on_signal();
    let _ = stop.wait_for(|stop| *stop).await;
    Ok(ExitCode::SUCCESS)
}

/// The layout that no profile is built in for, as the manual's example has it.
const ALTERNATE: &str = include_str!("../../profiles/alternate.toml");

/// A configuration that fits the sandbox's company, with the two secrets in files beside it, and
/// the profile where none is built in.
pub fn write_configuration(
    folder: &Path,
    sandbox: &Sandbox,
    mode: &str,
) -> std::io::Result<PathBuf> {
    let profile = sandbox.profile();
    let layout = match profile {
        Profile::Default | Profile::Observed => format!("profile = \"{}\"\n", profile.name()),
        Profile::Alternate => {
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join("alternate.toml"), ALTERNATE)?;
            include_str!("alternate_source.toml").replace("{token}", &sandbox.jaggaer_token_url())
        }
    };
    let text = include_str!("sandbox.toml")
        .replace("profile = \"{profile}\"\n", &layout)
        .replace("{visma}", &sandbox.visma_url())
        .replace("{jaggaer}", &sandbox.jaggaer_url())
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
