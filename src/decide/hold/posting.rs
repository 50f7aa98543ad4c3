//! Holds that are not a decision's: they come from reading and from posting.

use super::{Entry, Hold, entry, list};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("attachment_failed", "A file could not be carried over", "AP", "Attach it by hand in Visma"),
    entry("attempts_spent", "Visma failed to take it too many times", "Integration", "See the last answer; release when Visma works"),
    entry("changed_after_posting", "Changed in JAGGAER when Visma's document can no longer be changed", "AP", "Credit and post again in Visma"),
    entry("changed_in_visma", "Somebody keeps changing the document in Visma at the same time", "AP", "Release when it is at rest"),
    entry("doubled_in_visma", "The document stands in Visma more than once", "Accounting", "Void all but one"),
    entry("not_cancellable", "Cancelled in JAGGAER, but Visma's document cannot be cancelled", "Accounting", "Cancel, void or credit by hand"),
    entry("refused_by_visma", "Visma refused the document with a message", "AP or accounting", "Correct what the message names"),
    entry("unreadable", "A field cannot be read", "Integration", "Correct the field, or its place in the profile").by_itself("the profile"),
    entry("unsettled", "An answer was lost and the outcome cannot be settled", "AP", "Look in Visma, give it our key if it is there, release"),
];

impl Hold {
    /// `problems` each name a field and what was found there.
    pub fn unreadable<T: AsRef<str>>(problems: &[T]) -> Self {
        Self::new(
            "unreadable",
            format!("The document cannot be read: {}.", list(problems)),
            "Correct the field in JAGGAER, or its place in the profile; then release.",
        )
    }

    pub fn refused(message: &str) -> Self {
        Self::new(
            "refused_by_visma",
            format!("Visma refused it: {}", message.trim()),
            "Correct what Visma names, here or in Visma; then release.",
        )
    }

    pub fn attempts_spent(attempts: i64, last: &str) -> Self {
        Self::new(
            "attempts_spent",
            format!(
                "Visma did not take it in {attempts} attempts. The last answer: {}",
                last.trim()
            ),
            "Check that Visma is up and what it says of the document; then release.",
        )
    }

    pub fn changed_after_posting(number: &str, status: &str) -> Self {
        Self::new(
            "changed_after_posting",
            format!(
                "It was changed in JAGGAER after it was posted as {number}, which is {status} in Visma and can no longer be changed."
            ),
            "Correct it in Visma by hand (credit and post again), then release.",
        )
    }

    pub fn changed_in_visma(number: &str, why: &str) -> Self {
        Self::new(
            "changed_in_visma",
            format!(
                "{number} was changed in Visma by somebody else, so our change does not fit it: {}",
                why.trim()
            ),
            "Look at the document in Visma and put it as it should be; then release.",
        )
    }

    pub fn doubled_in_visma(numbers: &str) -> Self {
        Self::new(
            "doubled_in_visma",
            format!("It stands in Visma more than once: {numbers}."),
            "Void all but one of them in Visma; then release.",
        )
    }

    pub fn unsettled(what: &str) -> Self {
        Self::new(
            "unsettled",
            format!(
                "An answer of Visma was lost, and it cannot be told whether the document stands there: {}",
                what.trim()
            ),
            "Look for it in Visma by supplier and number. If it stands there without our key, put the key into its note (docs/recovery.md); then release: Visma is asked again before anything is sent.",
        )
    }

    pub fn not_cancellable(number: &str, why: &str) -> Self {
        Self::new(
            "not_cancellable",
            format!(
                "It was cancelled in JAGGAER, but {number} in Visma cannot be cancelled: {why}."
            ),
            "Cancel, void or credit it in Visma by hand; then release.",
        )
    }

    pub fn attachment_failed(file: &str, why: &str) -> Self {
        Self::new(
            "attachment_failed",
            format!("The file {file} could not be carried over: {why}."),
            "Attach the file by hand in Visma, or correct it in JAGGAER; then release.",
        )
    }
}
