//! Proposes a profile from saved answers, for a person to correct: by the names of members, the
//! shapes of values and what adds up. Each guess stands with its evidence; what could not be told is
//! marked. Pure, and no more than a proposal: nothing is posted by it before a person has read it.

mod dictionary;
mod layout;
mod notation;
mod score;
mod shape;
mod targets;
mod write;

use super::survey::Sample;
use serde::Serialize;

/// A profile as it was guessed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// TOML with a comment on each guess.
    pub text: String,
    pub guesses: Vec<Guess>,
    /// What a person must say.
    pub todo: Vec<String>,
}

/// One field and why it is thought to stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guess {
    pub feed: String,
    pub field: String,
    pub place: String,
    pub confidence: Confidence,
    pub evidence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    #[error(
        "sample {name}: no list of records and no whole document is seen in it; give one answer of \
         a list of orders, invoices, suppliers or receipts, as it came"
    )]
    NoRecords { name: String },
}

/// Proposes a profile that reads the samples. Samples of one kind are looked at together.
pub fn infer(samples: &[Sample]) -> Result<Proposal, InferError> {
    let mut sheets: Vec<shape::Sheet> = Vec::new();
    for sample in samples {
        let sheet = shape::Sheet::of(sample)
            .ok_or_else(|| InferError::NoRecords { name: sample.name.clone() })?;
        match sheets.iter_mut().find(|known| known.entity == sheet.entity) {
            Some(known) => known.join(sheet),
            None => sheets.push(sheet),
        }
    }
    sheets.sort_by_key(|sheet| sheet.entity);
    let notation = notation::Spelling::of(&sheets);
    let layouts: Vec<layout::Guessed> =
        sheets.iter().map(|sheet| layout::guess(sheet, &notation)).collect();
    Ok(write::proposal(&sheets, &layouts, &notation))
}
