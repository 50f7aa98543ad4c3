//! The switchboard of faults: which things go wrong, how often, and how many times at most.
//! Whether a fault happens depends on the seed, the fault and how often it was asked for, never on a clock or a thread.

pub mod cable;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

/// One way in which the other side can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The write is done, then the connection closes without a byte of answer.
    LostAnswerAfterCommit,
    /// The connection closes before anything was done.
    DropBeforeCommit,
    /// A new or changed row shows up in lists only later.
    DelayedVisibility,
    /// 401 in the middle of the work; the token is dead from then on.
    UnauthorizedOnce,
    Forbidden,
    /// Someone else really changes the row just before a write that carries `If-Match`.
    PreconditionFailed,
    RateLimited,
    RateLimitedWithoutRetryAfter,
    ServerErrorBeforeCommit,
    ServerErrorAfterCommit,
    /// A business rule's refusal is answered 500 in place of 400.
    BusinessRefusalAsServerError,
    SlowBody,
    /// Fewer bytes than the head of the answer promised, then the connection closes.
    CutBody,
    /// The clock of changes stands still for this write.
    EqualTimestamps,
    /// A row of the page before comes again on this page.
    RepeatedRows,
    /// A row moves to a page already read, so that the reader misses it.
    MovedRows,
    /// A row of a good answer carries an error text.
    OkWithErrorInfo,
    /// 202, the job runs, and its state says `Started`.
    SilenceAfterWork,
    /// 202, the job never runs, and its state says `Started`.
    SilenceWithoutWork,
    /// A release is refused for a reason of the company's set-up.
    ReleaseRefused,
    /// The same refusal, as 500.
    ReleaseFails,
    /// A release is answered as done, but the document stays a draft.
    ReleaseWithoutEffect,
    /// The batch of a release is not posted to the ledger.
    BatchUnposted,
    /// A batch shows up only later, as with `DelayedVisibility`.
    BatchLate,
    BatchWrongAccount,
    BatchWrongSubaccount,
    BatchWrongAmount,
    BatchWrongVat,
    /// A webhook is not sent.
    WebhookLost,
    WebhookDoubled,
    /// As late as a delayed row at most.
    WebhookLate,
    /// It is sent after the one that follows it.
    WebhookOutOfOrder,
    WebhookWrongSignature,
    /// An old one comes again after it.
    WebhookReplayed,
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Chances in a thousand.
    pub per_mille: u16,
    /// At most so many times in all; absent: no limit.
    #[serde(default)]
    pub at_most: Option<u32>,
}

/// Presets of the switchboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    None,
    Some,
    Many,
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "none" => Ok(Self::None),
            "some" => Ok(Self::Some),
            "many" => Ok(Self::Many),
            _ => Err(format!("unknown level of faults {word:?}: none, some or many")),
        }
    }
}

/// The settings of the switchboard, as `PUT /sandbox/faults` takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    pub seed: u64,
    pub rates: BTreeMap<Fault, Rate>,
    /// Lifetime of new tokens; absent: as the simulator is set up.
    pub token_lifetime_seconds: Option<u64>,
    /// A delayed row is seen after so many further calls ...
    pub visible_after_calls: u64,
    /// ... or after so many milliseconds, whichever comes first.
    pub visible_after_milliseconds: u64,
    /// The same write is hit by at most so many faults, so that a correct client comes to an end.
    pub per_write: u8,
    /// How long a silent background job stays silent; absent: for ever.
    pub silence_milliseconds: Option<u64>,
    /// Filters on the change time are ignored, as Visma ignores parameters that it does not know.
    pub ignore_changes_filter: bool,
    /// Calls whose path begins so are answered 403: the user lacks a role.
    pub forbidden_path: Option<String>,
    /// What the `Date` of answers is ahead of this machine's clock.
    pub clock_ahead_seconds: i64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 1,
            rates: BTreeMap::new(),
            token_lifetime_seconds: None,
            visible_after_calls: 20,
            visible_after_milliseconds: 400,
            per_write: 2,
            silence_milliseconds: None,
            ignore_changes_filter: false,
            forbidden_path: None,
            clock_ahead_seconds: 0,
        }
    }
}

impl Faults {
    /// The preset of a level. `Many` hits about one write in five, yet lets a correct client finish.
    pub fn level(level: Level, seed: u64) -> Self {
        let scale = match level {
            Level::None => 0,
            Level::Some => 1,
            Level::Many => 3,
        };
        let base = [
            (Fault::LostAnswerAfterCommit, 15, None),
            (Fault::DropBeforeCommit, 10, None),
            (Fault::DelayedVisibility, 60, None),
            (Fault::UnauthorizedOnce, 3, Some(10)),
            (Fault::PreconditionFailed, 60, None),
            (Fault::RateLimited, 2, Some(4)),
            (Fault::RateLimitedWithoutRetryAfter, 2, Some(4)),
            (Fault::ServerErrorBeforeCommit, 8, None),
            (Fault::ServerErrorAfterCommit, 8, None),
            (Fault::BusinessRefusalAsServerError, 80, None),
            (Fault::SlowBody, 8, Some(20)),
            (Fault::CutBody, 8, None),
            (Fault::EqualTimestamps, 200, None),
            (Fault::RepeatedRows, 60, None),
            (Fault::MovedRows, 20, Some(6)),
            (Fault::OkWithErrorInfo, 3, Some(3)),
            (Fault::SilenceAfterWork, 15, None),
            (Fault::SilenceWithoutWork, 15, None),
        ];
        let rates = match level {
            Level::None => BTreeMap::new(),
            Level::Some | Level::Many => base
                .into_iter()
                .map(|(fault, rate, most): (Fault, u16, Option<u32>)| {
                    (
                        fault,
                        Rate {
                            per_mille: (rate * scale).min(1000),
                            at_most: most.map(|most| most * u32::from(scale)),
                        },
                    )
                })
                .collect(),
        };
        let token_lifetime_seconds = match level {
            Level::None | Level::Some => None,
            Level::Many => Some(2),
        };
        Self {
            seed,
            rates,
            token_lifetime_seconds,
            silence_milliseconds: Some(2_000),
            ..Self::default()
        }
    }

    /// These faults with one more (or changed) rate.
    pub fn with(mut self, fault: Fault, per_mille: u16, at_most: Option<u32>) -> Self {
        self.rates.insert(fault, Rate { per_mille, at_most });
        self
    }
}

/// The live switchboard: settings and what happened so far.
#[derive(Debug, Default)]
pub struct Switchboard {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    faults: Faults,
    asked: HashMap<Fault, u64>,
    happened: BTreeMap<Fault, u32>,
    spent: HashMap<u64, u8>,
}

impl Switchboard {
    pub fn new(faults: Faults) -> Self {
        Self { inner: Mutex::new(Inner { faults, ..Inner::default() }) }
    }

    /// New settings from now on. What happened so far stays counted, limits start anew.
    pub fn set(&self, faults: Faults) {
        *self.lock() = Inner { faults, ..Inner::default() };
    }

    pub fn settings(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Whether the fault happens now.
    pub fn fires(&self, fault: Fault) -> bool {
        self.lock().draw(fault)
    }

    /// Whether the fault happens to this write; `write` is the same number for the same write sent again.
    pub fn fires_on(&self, fault: Fault, write: u64) -> bool {
        let mut inner = self.lock();
        if inner.spent.get(&write).copied().unwrap_or(0) >= inner.faults.per_write
            || !inner.draw(fault)
        {
            return false;
        }
        *inner.spent.entry(write).or_insert(0) += 1;
        true
    }

    /// How often each fault happened since the settings were made.
    pub fn happened(&self) -> BTreeMap<Fault, u32> {
        self.lock().happened.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Inner {
    fn draw(&mut self, fault: Fault) -> bool {
        let Some(rate) = self.faults.rates.get(&fault).copied() else { return false };
        let asked = self.asked.entry(fault).or_insert(0);
        *asked += 1;
        let mut random = fastrand::Rng::with_seed(
            self.faults.seed
                ^ asked.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                ^ (fault as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03),
        );
        let happened = self.happened.entry(fault).or_insert(0);
        let spent = rate.at_most.is_some_and(|most| *happened >= most);
        if spent || random.u16(0..1000) >= rate.per_mille {
            return false;
        }
        *happened += 1;
        true
    }
}

/// The `Date` of an answer, by a clock that is so far ahead.
pub(crate) fn date_ahead(seconds: i64) -> Option<String> {
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let draw = |seed| {
            let board = Switchboard::new(Faults { seed, ..Faults::default() }.with(
                Fault::CutBody,
                300,
                None,
            ));
            (0..200).map(|_| board.fires(Fault::CutBody)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let hits = draw(7).iter().filter(|hit| **hit).count();
        assert!((30..90).contains(&hits), "{hits} of 200 at 300 in a thousand");
    }

    #[test]
    fn limits_hold_in_all_and_for_one_write() {
        let board = Switchboard::new(Faults::default().with(Fault::CutBody, 1000, Some(3)).with(
            Fault::SlowBody,
            1000,
            None,
        ));
        assert_eq!((0..10).filter(|_| board.fires(Fault::CutBody)).count(), 3);
        assert_eq!((0..10).filter(|_| board.fires_on(Fault::SlowBody, 1)).count(), 2);
        assert!(board.fires_on(Fault::SlowBody, 2));
        assert_eq!(board.happened()[&Fault::SlowBody], 3);
    }

    #[test]
    fn settings_survive_json_and_refuse_a_misspelt_fault() {
        let many = Faults::level(Level::Many, 9);
        let text = serde_json::to_string(&many).expect("settings are plain");
        assert_eq!(serde_json::from_str::<Faults>(&text).expect("own JSON"), many);
        assert!(
            serde_json::from_str::<Faults>(r#"{"rates":{"cut_boddy":{"per_mille":3}}}"#).is_err()
        );
        assert!(Faults::level(Level::None, 9).rates.is_empty());
    }
}
