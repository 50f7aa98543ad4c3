//! What a round tells whoever watches it.

/// Receives what happens while it happens. The command line draws bars from it.
pub trait Progress: Send + Sync {
    /// A flow began; `total` documents when known.
    fn begin(&self, flow: &str, total: Option<u64>) {
        let _ = (flow, total);
    }
    /// `n` more documents of the flow are through.
    fn advance(&self, flow: &str, n: u64) {
        let _ = (flow, n);
    }
    fn end(&self, flow: &str) {
        let _ = flow;
    }
}

/// Watches nothing.
pub struct Silent;

impl Progress for Silent {}
