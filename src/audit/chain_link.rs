//! Entries by which one chain names a place of another: where units were joined or parted.

use super::{ChainFault, ChainedEntry, GENESIS};
use serde::{Deserialize, Serialize};

/// A place in a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    pub unit: String,
    pub seq: i64,
    pub hash: String,
}

impl ChainLink {
    /// Another unit's chain ended there, and goes on in this one.
    pub const JOINED: &'static str = "unit_joined";
    /// The last entry of a chain: the unit goes on in the chain that is named.
    pub const GOES_ON: &'static str = "unit_goes_on";
    /// The first entry of a chain: the unit was a part of the one that is named.
    pub const PARTED: &'static str = "unit_parted";

    /// As the entry's detail keeps it.
    pub fn to_detail(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// What an entry names, and whether its chain must end with it. `None`: no other chain.
    pub fn of(entry: &ChainedEntry) -> Option<Result<(Self, bool), ChainFault>> {
        let action = entry.entry.action.as_str();
        if ![Self::JOINED, Self::GOES_ON, Self::PARTED].contains(&action) {
            return None;
        }
        let link = serde_json::from_str(&entry.entry.detail)
            .map_err(|_| ChainFault::Edited { unit: entry.unit.clone(), seq: entry.seq });
        Some(link.map(|link| (link, action == Self::GOES_ON)))
    }

    /// Whether what stands at that place of the other chain is what was named. `hash` is what stands there.
    pub fn holds(&self, hash: Option<&str>) -> bool {
        let expected = if self.seq == 0 { Some(GENESIS) } else { hash };
        expected == Some(self.hash.as_str())
    }
}
