use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// When a record last changed, as the source says. Orders by instant, then by the source's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Microseconds since 1970, UTC.
    pub micros: i64,
    /// As received; empty when the stamp was made here.
    pub raw: String,
}

impl Stamp {
    pub fn from_micros(micros: i64) -> Self {
        Self { micros, raw: String::new() }
    }

    pub fn timestamp(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.micros).ok()
    }
}
