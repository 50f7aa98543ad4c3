//! What Visma's webhooks say: whether a delivery is genuine, what it has news of, and which of the changes that
//! polls found it had told of. Pure; polling stays the truth, so whatever cannot be read here costs time and
//! nothing else. `docs/webhooks.md` is the manual.

mod explain;
mod payload;
mod scheme;

pub use explain::{Found, Heard, explain};
pub use payload::{News, Payload, Reader, poll_of};
pub use scheme::{Form, Genuine, Hash, Key, Refused, Scheme, Signed, Signing, Stamp};

/// What became of a delivery whose news was kept, as it is counted.
pub const RECEIVED: &str = "received";
