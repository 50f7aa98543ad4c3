//! A plan as it is kept with its posting, read back: whole, or only what the next step asks of it.

use crate::procurement::{InvoiceKind, Plan, PostingMode};
use crate::sync::error::SyncError;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What the steps after a write ask of its plan. The lines, nearly all of its text, are passed
/// over.
#[derive(Deserialize)]
pub(super) struct PlanOutline {
    pub(super) plan: PlanSort,
    pub(super) kind: Option<InvoiceKind>,
    pub(super) mode: Option<PostingMode>,
    #[serde(default)]
    pub(super) attachments: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlanSort {
    Order,
    Invoice,
}

impl PlanOutline {
    pub(super) fn read(text: &str) -> Result<Self, SyncError> {
        serde_json::from_str(text).map_err(unreadable_plan)
    }
}

fn unreadable_plan(error: serde_json::Error) -> SyncError {
    SyncError::Inner(format!("a stored plan cannot be read: {error}"))
}

pub fn read_plan(text: &str) -> Result<Plan, SyncError> {
    serde_json::from_str(text).map_err(unreadable_plan)
}
