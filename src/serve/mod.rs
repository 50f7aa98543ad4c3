//! `serve`: every unit of the configuration at work for months, each on its timetable, in as many
//! processes as share the store. A unit is owned by one of them at a time.

mod board;
mod hooks;
mod http;
mod keeper;
mod metrics;
mod open_files;
mod share;

pub use board::Board;
pub use share::fair_share;

use crate::alert::{Courier, Target};
use crate::config::{Config, Hook};
use crate::store::{PauseRow, Store, StoreError, WaitingNudges};
use crate::sync::{self, SyncError, Worker};
use crate::vault::Vault;
use hooks::Hooks;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// Between two looks at what persons ask and pause.
const BELL: Duration = Duration::from_secs(1);
/// A store that takes longer than this for such a look is told as one that does not answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Reads the configuration anew.
pub type Load = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// How the process is steered from outside.
pub struct Control {
    /// Becomes true once: finish what is in hand and end.
    pub stop: watch::Receiver<bool>,
    /// Each message asks for the configuration to be read anew.
    pub reload: mpsc::Receiver<()>,
    pub load: Load,
}

/// Why serving ended, when it was not asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "cannot listen on {address}: {error}; another process has the port (a second worker on this \
         machine needs its own `listen` in [serve]), or the address is not one of this machine"
    )]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("cannot make alerts: {0}")]
    Alerts(String),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error("a part of the process ended by a fault of the program: {0}; it must be started anew")]
    Fault(String),
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> Self {
        Self::Sync(error.into())
    }
}

/// What is asked and paused, as all units see it.
#[derive(Debug, PartialEq, Eq)]
struct Bell {
    asked: BTreeSet<String>,
    pauses: Vec<PauseRow>,
    nudges: Vec<WaitingNudges>,
}

impl Bell {
    async fn look(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            asked: store.units_asked().await?,
            pauses: store.pauses().await?,
            nudges: store.nudges_waiting().await?,
        })
    }
}

/// What the units of one configuration share.
struct Desk {
    store: Store,
    config: Config,
    vault: Vault,
    /// Another one takes its place when the store gave this one up.
    worker: watch::Receiver<Arc<Worker>>,
    board: Arc<Board>,
    hooks: Arc<Hooks>,
    rounds: Semaphore,
    bell: watch::Receiver<Bell>,
    /// How many units this process may own.
    share: watch::Receiver<usize>,
    targets: Vec<Target>,
    courier: Courier,
    stop: watch::Receiver<bool>,
}

/// Serves until it is asked to stop. What is in hand is finished then, and every unit given back.
pub async fn serve(store: &Store, config: Config, mut control: Control) -> Result<(), ServeError> {
    let board = Arc::new(Board::default());
    let hooks = Arc::new(Hooks::new(store.clone()));
    let mut others = JoinSet::new();
    let (http_ends, http_end) = watch::channel(false);
    if let Some(address) = config.serve.listen {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| ServeError::Listen { address, error })?;
        board.listens(listener.local_addr().unwrap_or(address));
        let seen = (store.clone(), Arc::clone(&board), Arc::clone(&hooks));
        others.spawn(http::answer(listener, seen, http_end));
    }
    let patience = Duration::from_secs(config.timing.wait_for_owner_seconds);
    let length = Duration::from_secs(config.timing.lease_seconds);
    let worker = Worker::join(store, true, length, patience).await?;
    let worker = Arc::new(watch::Sender::new(worker));
    let mut config = config;
    let served = loop {
        let vault = sync::open_vault(store, &config).await?;
        let targets = targets(&config, &vault)?;
        let courier = Courier::new().map_err(|error| ServeError::Alerts(error.to_string()))?;
        hooks.open(open_hooks(&config, &vault));
        let lasting = Lasting { worker: &worker, board: &board, hooks: &hooks };
        match turn(store, &config, lasting, (vault, targets, courier), &mut control).await {
            Ok(Some(next)) => config = next,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let last = Arc::clone(&worker.borrow());
    last.leave().await;
    let _ = http_ends.send(true);
    while others.join_next().await.is_some() {}
    hooks.keep_counts().await;
    served
}

/// One connection whose webhooks cannot be taken in stops no other, nor its own polls.
fn open_hooks(config: &Config, vault: &Vault) -> Vec<Hook> {
    let (hooks, faults) = config.hooks(vault);
    for fault in faults {
        tracing::error!(%fault, "webhooks are not taken in; polls go on");
    }
    hooks
}

fn targets(config: &Config, vault: &Vault) -> Result<Vec<Target>, ServeError> {
    let resolve = |target: &crate::config::AlertTarget| target.resolve(&config.folder, vault);
    let targets: Result<Vec<_>, _> = config.alerts.targets.iter().map(resolve).collect();
    targets.map_err(|error| ServeError::Alerts(error.to_string()))
}

/// What outlives a configuration.
struct Lasting<'a> {
    worker: &'a Arc<watch::Sender<Arc<Worker>>>,
    board: &'a Arc<Board>,
    hooks: &'a Arc<Hooks>,
}

/// Works by one configuration, until the process ends (`None`) or another configuration takes its place.
async fn turn(
    store: &Store,
    config: &Config,
    Lasting { worker, board, hooks }: Lasting<'_>,
    (vault, targets, courier): (Vault, Vec<Target>, Courier),
    control: &mut Control,
) -> Result<Option<Config>, ServeError> {
    let units = sync::units(store, config).await?;
    let names: Vec<&str> = units.iter().map(|unit| unit.id.as_str()).collect();
    open_files::raise(config);
    tracing::info!(units = names.len(), worker = worker.borrow().id(), "serving");
    board.begin(&names);
    let (stops, stop) = watch::channel(false);
    // Before any unit works: who is paused must not look as if it were just let go on.
    let (bells, bell) = watch::channel(Bell::look(store).await?);
    let (shares, share) = watch::channel(0);
    let desk = Arc::new(Desk {
        store: store.clone(),
        config: config.clone(),
        vault,
        worker: worker.subscribe(),
        board: Arc::clone(board),
        hooks: Arc::clone(hooks),
        rounds: Semaphore::new(config.serve.rounds_at_a_time),
        bell,
        share,
        targets,
        courier,
        stop,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(share::keep(Arc::clone(&desk), units.len(), Arc::clone(worker), shares));
    tasks.spawn(ring(Arc::clone(&desk), bells));
    for unit in units {
        tasks.spawn(keeper::keep(Arc::clone(&desk), unit));
    }
    let next = loop {
        tokio::select! {
            _ = control.stop.wait_for(|stop| *stop) => break Ok(None),
            Some(()) = control.reload.recv() => match renewed(store, config, &control.load).await {
                Ok(next) => break Ok(Some(next)),
                Err(reason) => tracing::error!(
                    %reason, "the new configuration is not taken; the one before goes on"
                ),
            },
            Some(ended) = tasks.join_next() => {
                let fault = ended.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                break Err(ServeError::Fault(fault));
            }
        }
    };
    board.stopping(matches!(next, Ok(None)));
    let _ = stops.send(true);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the process ended by a fault of the program");
        }
    }
    next
}

/// The configuration as it is written now, if the process can go over to it.
async fn renewed(store: &Store, config: &Config, load: &Load) -> Result<Config, String> {
    let next = load()?;
    let url = |config: &Config| config.store_url().map_err(|error| error.to_string());
    if url(&next)? != url(config)? {
        return Err("it names another store: that takes a restart".to_owned());
    }
    if next.serve.listen != config.serve.listen {
        return Err("it names another `listen` in [serve]: that takes a restart".to_owned());
    }
    let vault = sync::open_vault(store, &next).await.map_err(|error| error.to_string())?;
    targets(&next, &vault).map_err(|error| error.to_string())?;
    Ok(next)
}

/// Looks once for all units what persons ask.
async fn ring(desk: Arc<Desk>, bells: watch::Sender<Bell>) {
    while desk.wait_for_bell().await {
        desk.hooks.keep_counts().await;
        let looked = tokio::time::timeout(ANSWER, Bell::look(&desk.store)).await;
        match looked {
            Ok(Ok(bell)) => {
                // Whom something is asked of is woken again until it is carried out.
                let news = !bell.asked.is_empty() || *bells.borrow() != bell;
                if news {
                    bells.send_replace(bell);
                }
                desk.board.store_answers(true);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the store does not answer");
                desk.board.store_answers(false);
            }
            Err(_) => {
                tracing::warn!(seconds = ANSWER.as_secs(), "the store does not answer");
                desk.board.store_answers(false);
            }
        }
    }
}

impl Desk {
    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Until it is time to look; a delivery brings that forward. `false`: it is to stop.
    async fn wait_for_bell(&self) -> bool {
        tokio::select! {
            goes_on = self.pause(BELL) => goes_on,
            () = self.hooks.rung.notified() => !self.is_stopping(),
        }
    }

    /// Sleeps, but not past a request to stop; `false` then.
    async fn pause(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => !self.is_stopping(),
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }
}
