//! What every HTTP client of the program begins with.

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For so long the certificates that were read count for further clients. All clients of one start or one
/// reload share them, and a reload of a process that runs for months takes those of its day.
const FRESH: Duration = Duration::from_secs(60);

/// A client that trusts the system's root certificates, follows no redirect (credentials and writes go where the
/// configuration says and nowhere else), and says who it is.
pub fn client() -> reqwest::ClientBuilder {
    // Fails when some other part of the process has chosen already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ml-connector/", env!("CARGO_PKG_VERSION")));
    match trust() {
        Some(trust) => builder.tls_backend_preconfigured(trust),
        // Without any certificate the building of the client fails, in words.
        None => builder,
    }
}

/// The system's root certificates, read once for all clients that are made together: a set of them takes some
/// hundred KiB, and hundreds of connections make hundreds of clients.
fn trust() -> Option<ClientConfig> {
    static KEPT: Mutex<Option<(Instant, ClientConfig)>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, config)) = &*kept
        && read.elapsed() < FRESH
    {
        return Some(config.clone());
    }
    let config = read()?;
    *kept = Some((Instant::now(), config.clone()));
    Some(config)
}

fn read() -> Option<ClientConfig> {
    let provider = Arc::clone(CryptoProvider::get_default()?);
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.ok()?.with_platform_verifier().ok()?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
}
