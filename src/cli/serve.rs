use super::output::{Failure, Output};
use super::signal::{reload_on_signal, stop_on_signal};
use ml_connector::config::Config;
use ml_connector::serve::{self, Control, ServeError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(path: &Path, config: Config, output: &Output) -> Result<ExitCode, Failure> {
    // First of all: opening the store can take long, and systemd does not start again what a SIGHUP ended.
    let reload = reload_on_signal();
    let store = super::open(&config).await?;
    let path = PathBuf::from(path);
    let stop = stop_on_signal();
    let drain = Duration::from_secs(config.serve.drain_seconds);
    let mut draining = stop.clone();
    tokio::spawn(async move {
        let _ = draining.wait_for(|stop| *stop).await;
        tokio::time::sleep(drain).await;
        eprintln!(
            "stopped at once after {} s of draining; what was on its way is settled at the next start",
            drain.as_secs()
        );
        std::process::exit(1);
    });
    let control = Control {
        stop,
        reload,
        load: Box::new(move || Config::load(&path).map_err(|error| error.to_string())),
    };
    match serve::serve(&store, config, control).await {
        Ok(()) => {
            output.say("stopped as asked; every unit was given back");
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ ServeError::Alerts(_)) => Err(Failure::configuration(error)),
        Err(ServeError::Sync(error)) => Err(error.into()),
        Err(error @ (ServeError::Listen { .. } | ServeError::Fault(_))) => {
            Err(Failure::could_not(error))
        }
    }
}
