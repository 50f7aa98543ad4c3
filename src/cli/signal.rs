use tokio::sync::{mpsc, watch};

/// Becomes true at the first Ctrl-C or SIGTERM: the documents in hand are finished, no new one is begun.
/// At the second the program ends at once; what was on its way is settled at the next start.
pub fn stop_on_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        asked().await;
        eprintln!("\nstopping: finishing the documents in hand (again to stop at once)");
        let _ = sender.send(true);
        asked().await;
        eprintln!("stopped at once; what was on its way is settled at the next start");
        std::process::exit(1);
    });
    receiver
}

async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// A message for each SIGHUP. From the moment that this returns none ends the process.
pub fn reload_on_signal() -> mpsc::Receiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = mpsc::channel(1);
    let hangup = signal(SignalKind::hangup());
    tokio::spawn(async move {
        let Ok(mut hangup) = hangup else { return sender.closed().await };
        while hangup.recv().await.is_some() {
            // One that is not looked at yet does for this one too.
            let _ = sender.try_send(());
        }
    });
    receiver
}
