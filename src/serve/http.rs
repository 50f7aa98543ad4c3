//! The listener: whether the process lives, whether it is ready, its figures, and Visma's webhooks.

use super::board::Board;
use super::hooks::{Hooks, of_any, of_one};
use super::metrics;
use crate::store::Store;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Clone)]
struct Seen {
    store: Store,
    board: Arc<Board>,
    /// One reading of the store at a time, however many ask.
    one: Arc<tokio::sync::Mutex<()>>,
}

pub(super) async fn answer(
    listener: TcpListener,
    (store, board, hooks): (Store, Arc<Board>, Arc<Hooks>),
    mut end: watch::Receiver<bool>,
) {
    let seen = Seen { store, board, one: Arc::default() };
    let routes = Router::new()
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(figures))
        .with_state(seen)
        .merge(
            Router::new()
                .route("/webhooks/{secret}", any(of_any))
                .route("/webhooks/{secret}/{entity}", any(of_one))
                .with_state(hooks),
        );
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(async move {
            let _ = end.wait_for(|end| *end).await;
        })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the listener ended");
    }
}

async fn ready(State(seen): State<Seen>) -> Response {
    match seen.board.not_ready() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn figures(State(seen): State<Seen>) -> Response {
    let _turn = seen.one.lock().await;
    match seen.store.figures().await {
        Ok(figures) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (kind, metrics::text(&figures, &seen.board, crate::clock::now())).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "the figures cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}
