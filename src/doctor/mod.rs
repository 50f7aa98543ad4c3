//! Judges a connection by what was seen of both systems: what is well, what is not and what the
//! administrator does next, and what cannot be known yet. Pure: whoever looked ([`crate::examine`])
//! hands in what it saw, the time among it.

mod clock;
mod company;
mod reach;
mod source;
mod webhook;

pub use clock::{ClockSeen, clocks};
pub use company::{CompanyFacts, CompanySeen, ListSeen, ReferenceCounts, company};
pub use reach::{Answered, Reach, TlsFault, Unreachable, reached};
pub use source::{DeltaSeen, FeedSeen, PageSeen, SourceFacts, SourceSeen, source};
pub use webhook::{WebhookSeen, webhook};

use serde::Serialize;
use serde::ser::SerializeStruct;

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// It cannot be told without writing, or from what is there today. Nobody has to act.
    Unknown,
    Failed,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `source ID: WHAT`, `company ID: WHAT`, or `clock`.
    pub name: String,
    pub verdict: Verdict,
    pub detail: String,
    /// One sentence: what to do. Empty unless it failed.
    pub fix: String,
}

impl Check {
    pub fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self { name, verdict: Verdict::Good, detail, fix: String::new() }
    }

    pub fn unknown(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, ..Self::good(name, detail) }
    }

    pub fn failed(
        name: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Failed, fix: fix.into(), ..Self::good(name, detail) }
    }

    pub fn is_ok(&self) -> bool {
        self.verdict != Verdict::Failed
    }
}

impl Serialize for Check {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Check", 5)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("ok", &self.is_ok())?;
        fields.serialize_field("verdict", self.verdict.as_str())?;
        fields.serialize_field("detail", &self.detail)?;
        fields.serialize_field("fix", &self.fix)?;
        fields.end()
    }
}

/// `1 row`, `2 rows`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
