//! What can go wrong between a document that stands in Visma and the general ledger. The document stays posted;
//! these are its attention, and are shown with the holds.

use super::{Entry, Hold, entry, list};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("batch_not_posted", "Released, but the general ledger does not hold it as posted", "Accounting", "Post the batch in Visma").by_itself("the posted batch"),
    entry("ledger_differs", "The general ledger holds other accounts, subaccounts, amounts or VAT than planned", "Accounting", "Correct it in Visma, or release it as it stands, with a reason").by_itself("the corrected batch"),
    entry("release_refused", "Visma did not release the document to the ledger; it stands there as a draft", "Accounting", "Correct what the message names; release").by_itself("a release in Visma"),
];

impl Hold {
    /// `message`: Visma's own words, or what was seen in place of a release.
    pub fn release_refused(number: &str, message: &str) -> Self {
        Self::new(
            "release_refused",
            format!(
                "{number} stands in Visma as a draft, because it was not released: {}",
                ended(message)
            ),
            "Correct what Visma names, then release it here (only the release is tried again) or in Visma.",
        )
    }

    /// `batches`: number and status of each batch that was found.
    pub fn batch_not_posted<T: AsRef<str>>(number: &str, batches: &[T]) -> Self {
        let what = if batches.is_empty() {
            "no journal batch of it is found".to_owned()
        } else {
            format!("its journal batch is not posted: {}", list(batches))
        };
        Self::new(
            "batch_not_posted",
            format!("{number} is released in Visma, but {what}."),
            "Post the batch in Visma (Journal transactions), or find out why there is none; the next round looks again.",
        )
    }

    /// `batches`: their numbers; `differences`: one text each.
    pub fn ledger_differs<T: AsRef<str>>(number: &str, batches: &[T], differences: &[T]) -> Self {
        let differences: Vec<&str> = differences.iter().map(AsRef::as_ref).collect();
        Self::new(
            "ledger_differs",
            format!(
                "The general ledger does not hold {number} as planned (batch {}): {}.",
                list(batches),
                differences.join("; ")
            ),
            "Compare the batch in Visma with the paper and correct it there; the next round looks again. If it is right as it stands, release it here with a reason.",
        )
    }

    /// As it stands with a posted document: `code: what happened. What to do.`
    pub fn as_attention(&self) -> String {
        format!("{}: {} {}", self.code, self.text, self.fix)
    }
}

/// A message as a sentence.
fn ended(message: &str) -> String {
    let message = message.trim();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{message}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_reads_as_a_sentence_behind_its_code() {
        let cases = [
            (
                Hold::release_refused(
                    "Invoice 300457",
                    "Error: The account is not set up. (HTTP 400)",
                ),
                "release_refused: Invoice 300457 stands in Visma as a draft, because it was not released: Error: The account is not set up. (HTTP 400). Correct",
            ),
            (
                Hold::batch_not_posted::<&str>("Invoice 300457", &[]),
                "batch_not_posted: Invoice 300457 is released in Visma, but no journal batch of it is found. Post",
            ),
            (
                Hold::batch_not_posted("Invoice 300457", &["070001 (Unposted)"]),
                "batch_not_posted: Invoice 300457 is released in Visma, but its journal batch is not posted: 070001 (Unposted). Post",
            ),
            (
                Hold::ledger_differs(
                    "Invoice 300457",
                    &["070001", "070002"],
                    &["account 1", "VAT"],
                ),
                "ledger_differs: The general ledger does not hold Invoice 300457 as planned (batch 070001 and 070002): account 1; VAT. Compare",
            ),
        ];
        for (hold, start) in cases {
            let text = hold.as_attention();
            assert!(text.starts_with(start), "{text}");
        }
    }
}
