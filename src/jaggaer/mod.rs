//! The procurement side: how one JAGGAER instance lays out its API (a profile, from a file), the
//! client that fetches its lists, and the reader that turns a raw document into the core's own
//! types. Nothing outside this folder knows a word of JAGGAER's.

mod address;
mod client;
mod error;
mod infer;
mod profile;
mod read;
mod stamp;
mod survey;

pub use client::{Client, ClientAuth, Look, Page, Pager, Row, Settings};
pub use error::Error;
pub use infer::{Confidence, Guess, InferError, Proposal, infer};
pub(crate) use profile::Place;
pub use profile::{Entity, Feed, Profile, ProfileError, ReportCall, ReportLayout, Subject};
pub use read::{Content, Glance, Read, ReadProblem};
pub use stamp::Stamp;
pub use survey::{FeedSurvey, FieldSurvey, Sample, SampleError, SumCheck, guess_feed, survey};

/// Whether a text is a path by which a place of a whole document can be named; why not.
pub fn check_place(text: &str) -> Result<(), String> {
    Place::parse(text).map(|_| ())
}
