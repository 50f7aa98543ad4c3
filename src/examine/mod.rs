//! Looks at both systems for the doctor: one look at each address, the sign-in, one page of each list, and
//! that list once more by its filter. Everything here is a read, few calls, each bounded in time.

mod company;
mod reach;
mod source;
mod webhook;

pub use company::company;
pub use reach::reach;
pub use source::source;
pub use webhook::webhook;

use std::future::Future;
use std::time::Duration;

/// The longest that one look may take, its second attempts among it.
pub const LONGEST_LOOK: Duration = Duration::from_secs(25);
/// One answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(15);

/// Gives up a look that takes too long.
async fn within<T, E>(
    look: impl Future<Output = Result<T, E>>,
    too_long: impl FnOnce(String) -> E,
) -> Result<T, E> {
    match tokio::time::timeout(LONGEST_LOOK, look).await {
        Ok(seen) => seen,
        Err(_) => Err(too_long(format!("no answer within {} s", LONGEST_LOOK.as_secs()))),
    }
}
