//! Holds that are not a decision's: they come from reading and from posting.

use super::{Entry, Hold, entry, list};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("attachment_failed", "A file could not be carried over", "AP", "Attach it by hand in Visma"),
    entry("attempts_spent", "Visma failed to take it too many times", "Integration", "See the last answer; release when Visma works"),
    entry("changed_after_posting", "Changed in JAGGAER when Visma's document can no longer be changed", "AP", "Credit and post again in Visma"),
    entry("changed_after_pruning", "Changed in JAGGAER when its body was deleted here because its time was over", "Accounting", "Compare JAGGAER with Visma, correct by hand, release"),
    entry("changed_in_visma", "Somebody keeps changing the document in Visma at the same time", "AP", "Release when it is at rest"),
    entry("correction_open", "A released invoice is being taken back by a credit note; the new one follows when that is released", "Accounting", "Release the credit note in Visma"),
    entry("doubled_in_visma", "The document stands in Visma more than once", "Accounting", "Keep one, delete or void the others in Visma; pay none before that"),
    entry("not_cancellable", "Cancelled in JAGGAER, but Visma's document cannot be cancelled", "Accounting", "Void, delete or credit it in full by hand; then release"),
    entry("not_correctable", "A released invoice was to be taken back by a credit note, and cannot be", "Accounting", "Correct it in Visma by hand"),
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
            "If the invoice is not paid: `ml-connector replay ID` shows the difference, and with --correct what a \
             correction would do; --correct --apply --reason TEXT takes it back by a credit note and posts it \
             anew. Otherwise credit it in full in Visma, apply the credit note to it, key the invoice in with the \
             supplier's number, and release: it is found by that number.",
        )
    }

    /// `name`: type and number; `how`: voided or deleted.
    pub fn gone_from_visma(name: &str, how: &str) -> Self {
        Self::new(
            "changed_after_posting",
            format!(
                "JAGGAER wants it posted, but {name} stands in Visma no more: it was {how} there."
            ),
            "If it is owed: `ml-connector replay ID --correct --apply --reason TEXT` posts it anew; or key it in with \
             the supplier's number and release, it is found by that number. Otherwise cancel it in JAGGAER.",
        )
    }

    /// `pruned`: when and why its body was deleted, as a sentence.
    pub fn changed_after_pruning(number: &str, pruned: &str) -> Self {
        Self::new(
            "changed_after_pruning",
            format!("JAGGAER changed it after it was posted as {number}. {pruned}"),
            "Nothing of the change was posted. Compare JAGGAER with Visma, and correct it there by hand if it must be; \
             then release, with a reason.",
        )
    }

    /// `standing`: type and number of what is released.
    pub fn not_correctable(standing: &str, why: &str) -> Self {
        Self::new(
            "not_correctable",
            format!(
                "{standing} was not taken back by a credit note: {why}. Nothing was changed in Visma."
            ),
            format!(
                "Correct it in Visma by hand: credit {standing} there in full, apply the credit note to it, key \
                 the invoice in as it should be, with the supplier's number; then release: it is found by that number."
            ),
        )
    }

    pub fn credit_gone(standing: &str, credit: &str) -> Self {
        Self::new(
            "not_correctable",
            format!(
                "{credit}, which was to take back {standing}, was deleted or voided in Visma; {standing} stands as before."
            ),
            "Ask for the correction again with `ml-connector replay ID --correct --apply --reason TEXT`, or \
             correct it in JAGGAER to what stands in Visma.",
        )
    }

    pub fn credit_differs(standing: &str, credit: &str, differences: &str) -> Self {
        Self::new(
            "not_correctable",
            format!(
                "{credit}, which takes back {standing}, is released in Visma otherwise than planned: {differences}. \
                 The new invoice was not made."
            ),
            format!(
                "Void {credit} in Visma and release here; or, if {standing} is taken back as it should be, let the \
                 difference stand with `ml-connector replay ID --correct --apply --reason TEXT`: the new invoice is \
                 made then."
            ),
        )
    }

    /// `credit` and `standing`: type and number.
    pub fn correction_open(standing: &str, credit: &str) -> Self {
        Self::new(
            "correction_open",
            format!(
                "{credit} takes back {standing}, but is not released yet; the new invoice is made when it is."
            ),
            "Release the credit note in Visma.",
        )
    }

    /// The credit note is released; what is to follow it does not stand in Visma yet.
    pub fn taken_back(standing: &str, credit: &str) -> Self {
        Self::new(
            "correction_open",
            format!(
                "{standing} was taken back by {credit}, and the new invoice does not stand in Visma yet: until it \
                 does, nothing is owed there. Apply the credit note to {standing} in Visma."
            ),
            "Put right what the document is held for, then release.",
        )
    }

    pub fn refused_anew(message: &str) -> Self {
        Self::new(
            "refused_by_visma",
            format!(
                "The released invoice was taken back by a credit note, and Visma refused the new one: {}",
                message.trim()
            ),
            "If Visma refuses the supplier's number because the old invoice carries it: allow numbers twice in \
             Visma's settings for suppliers, then release; or key the new invoice in by hand, and release: it is \
             found by that number. Else correct what Visma names; then release.",
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

    /// `names`: type and number of each.
    pub fn doubled_in_visma<T: AsRef<str>>(names: &[T]) -> Self {
        Self::new(
            "doubled_in_visma",
            format!("It stands in Visma more than once: {}.", list(names)),
            "Keep one and delete or void the others in Visma; pay none before that. Then release.",
        )
    }

    /// The same of what is posted: nothing of it is to be written any more.
    pub fn found_doubled<T: AsRef<str>>(names: &[T]) -> Self {
        Self::new(
            "doubled_in_visma",
            format!("It stands in Visma more than once: {}.", list(names)),
            "Keep one and delete or void the others in Visma; pay none before that. When Visma shows one, this goes \
             away by itself.",
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
            "Void or delete it in Visma, or close it by a credit note over all of it under its number; then release.",
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
