//! Telling people what needs them: holds, flows that stand still, a flow gone quiet, a sign-in that
//! fails, an allowance that runs out, writes that stay uncertain.
//!
//! What is wrong is a [`Condition`]; [`watch`] compares the conditions that are there with those told
//! before and says what to tell now: once when a condition begins, once when it ends, and holds
//! together in one message. Pure. [`Courier`] carries messages out, over HTTP or by mail.
//! `docs/alerts.md` is the manual.

mod condition;
mod deliver;
mod message;
mod silence;
mod target;
mod watch;

pub use condition::{Condition, Kind, NewHold};
pub use deliver::{Courier, Delivery, Parcel, check_webhook_secret, is_webhook_url, next_try};
pub use message::{Event, EventState};
pub use silence::{Arrivals, Silence, silence};
pub use target::{Address, Email, Target, Tls, Webhook};
pub use watch::{Known, Outcome, Pace, watch};
