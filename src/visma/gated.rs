//! A request body whose last bytes leave only while the right to write lasts.
//!
//! Between the last question before a request is sent and its bytes on the wire a process may be
//! frozen for an hour. So the question is put once more where the last piece is handed over: without
//! that piece the server has half a request, and carries out nothing.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Whether a request may leave now.
pub type Gate = Arc<dyn Fn() -> bool + Send + Sync>;

/// The body's two pieces. An empty body has nothing to withhold and is not sent through this.
pub(super) struct GatedBody {
    first: Option<Bytes>,
    last: Option<Bytes>,
    gate: Gate,
    stopped: Arc<AtomicBool>,
}

/// The right to write ran out while the request was being sent.
#[derive(Debug, thiserror::Error)]
#[error("the right to write ran out before the last bytes left")]
pub(super) struct Stopped;

impl GatedBody {
    /// `stopped` becomes true when the last piece is withheld.
    pub(super) fn new(body: Bytes, gate: Gate, stopped: Arc<AtomicBool>) -> Self {
        let split = body.len().saturating_sub(1);
        let (first, last) = (body.slice(..split), body.slice(split..));
        let first = Some(first).filter(|first| !first.is_empty());
        Self { first, last: Some(last), gate, stopped }
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(last) = self.last.take() else { return Poll::Ready(None) };
        if (self.gate)() {
            return Poll::Ready(Some(Ok(Frame::data(last))));
        }
        self.stopped.store(true, Ordering::Release);
        Poll::Ready(Some(Err(Stopped)))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = |piece: &Option<Bytes>| piece.as_ref().map_or(0, Bytes::len) as u64;
        SizeHint::with_exact(left(&self.first) + left(&self.last))
    }
}
