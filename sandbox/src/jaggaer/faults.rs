//! What JAGGAER can do wrong. Whether it does follows from the seed and from how often the
//! fault was asked for, never from a clock.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One way in which an answer can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 401 in the middle of the work; the token is dead from then on.
    UnauthorizedOnce,
    /// 429 with `Retry-After: 1`.
    RateLimited,
    /// 503.
    Unavailable,
    /// Fewer bytes than the head of the answer promised, then the connection closes.
    CutPage,
    /// A record of the page moves to a later one while the reader pages.
    MovedRecord,
    /// A record comes twice.
    RepeatedRecord,
    /// 410 for a cursor that was good.
    CursorGone,
    /// What was written back is kept, and the answer is 500 all the same.
    LostReport,
    /// The answer takes its time.
    SlowAnswer,
    /// HTTP 200 with a return code that is not 0 (observed profile).
    ErrorInside,
    /// A record that was read already changes while the reader pages, and goes to the end: by offset, all
    /// that follow it come one place forward, and the first of the next page slips by.
    ChangedWhilePaging,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Chances in a thousand.
    pub per_mille: u16,
    /// At most so many times in all; absent: no limit.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// The settings of JAGGAER's switchboard, as `PUT /sandbox/faults` on its listener takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    pub seed: u64,
    pub rates: BTreeMap<Fault, Rate>,
    /// Lifetime of new tokens; absent: as the simulator is set up.
    pub token_seconds: Option<u64>,
    /// The token's answer does not say how long it lasts.
    pub token_without_expiry: bool,
    /// Stamps are cut to the hour, so that many are equal.
    pub equal_timestamps: bool,
    /// Some documents carry fields and words that nobody announced.
    pub unknown_fields: bool,
    /// Some documents carry a number where a text was promised.
    pub numbers_for_texts: bool,
    /// Filters on the change time are ignored.
    pub ignore_changes_filter: bool,
    /// What the `Date` of answers is ahead of this machine's clock.
    pub clock_ahead_seconds: i64,
}

impl Faults {
    /// `scale` 0: none, 1: some, 3: many. A correct client comes to an end with any.
    pub fn scaled(scale: u16, seed: u64) -> Self {
        let base = [
            (Fault::UnauthorizedOnce, 5, Some(4)),
            (Fault::RateLimited, 4, Some(3)),
            (Fault::Unavailable, 10, Some(10)),
            (Fault::CutPage, 10, Some(10)),
            (Fault::MovedRecord, 60, Some(5)),
            (Fault::RepeatedRecord, 60, Some(5)),
            (Fault::CursorGone, 15, Some(1)),
            (Fault::SlowAnswer, 10, Some(10)),
            (Fault::ErrorInside, 10, Some(5)),
        ];
        let rates = base
            .into_iter()
            .filter(|_| scale > 0)
            .map(|(fault, rate, most): (Fault, u16, Option<u32>)| {
                let at_most = most.map(|most| most * u32::from(scale));
                (fault, Rate { per_mille: rate * scale, at_most })
            })
            .collect();
        Self {
            seed,
            rates,
            token_seconds: (scale > 1).then_some(2),
            token_without_expiry: false,
            equal_timestamps: scale > 1,
            unknown_fields: scale > 0,
            numbers_for_texts: scale > 1,
            ..Self::default()
        }
    }
}

/// The live switchboard.
#[derive(Debug, Default)]
pub struct Board {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    faults: Faults,
    /// Counts changes of the settings: documents are rendered anew.
    generation: u64,
    asked: BTreeMap<Fault, u64>,
    happened: BTreeMap<Fault, u32>,
}

impl Board {
    pub fn new(faults: Faults) -> Self {
        Self { inner: Mutex::new(Inner { faults, ..Inner::default() }) }
    }

    pub fn set(&self, faults: Faults) {
        let mut inner = self.lock();
        let generation = inner.generation + 1;
        *inner = Inner { faults, generation, ..Inner::default() };
    }

    pub fn settings(&self) -> Faults {
        self.lock().faults.clone()
    }

    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// How often each fault happened.
    pub fn happened(&self) -> BTreeMap<Fault, u32> {
        self.lock().happened.clone()
    }

    /// Whether the fault happens now.
    pub fn fires(&self, fault: Fault) -> bool {
        let mut inner = self.lock();
        let Some(rate) = inner.faults.rates.get(&fault).copied() else {
            return false;
        };
        let asked = inner.asked.entry(fault).or_insert(0);
        *asked += 1;
        let salt = asked.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (fault as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut random = fastrand::Rng::with_seed(inner.faults.seed ^ salt);
        let happened = inner.happened.entry(fault).or_insert(0);
        let spent = rate.at_most.is_some_and(|most| *happened >= most);
        if spent || random.u16(0..1000) >= rate.per_mille {
            return false;
        }
        *happened += 1;
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults_up_to_the_limit() {
        let draw = |seed| {
            let board = Board::new(Faults::scaled(3, seed));
            (0..400).map(|_| board.fires(Fault::MovedRecord)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).iter().filter(|hit| **hit).count(), 15);
        assert!(!Board::new(Faults::scaled(0, 1)).fires(Fault::MovedRecord));
    }
}
