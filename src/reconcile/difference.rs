use super::{Booked, LineKey, Listed, Own, Sum};
use crate::procurement::{DocumentKind, Money};

/// What can be different. The word stands in JSON and in `docs/reconcile.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    OnlyInJaggaer,
    OnlyWithUs,
    RevisionNotSeen,
    AmountNotAsListed,
    MissingInVisma,
    DoubledInVisma,
    AmountDiffers,
    StateDiffers,
    OnlyInVisma,
    UnreadableInVisma,
}

impl DifferenceKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyInJaggaer => "only_in_jaggaer",
            Self::OnlyWithUs => "only_with_us",
            Self::RevisionNotSeen => "revision_not_seen",
            Self::AmountNotAsListed => "amount_not_as_listed",
            Self::MissingInVisma => "missing_in_visma",
            Self::DoubledInVisma => "doubled_in_visma",
            Self::AmountDiffers => "amount_differs",
            Self::StateDiffers => "state_differs",
            Self::OnlyInVisma => "only_in_visma",
            Self::UnreadableInVisma => "unreadable_in_visma",
        }
    }

    /// Between JAGGAER and us; else between us and Visma.
    pub const fn is_of_jaggaer(self) -> bool {
        match self {
            Self::OnlyInJaggaer
            | Self::OnlyWithUs
            | Self::RevisionNotSeen
            | Self::AmountNotAsListed => true,
            Self::MissingInVisma
            | Self::DoubledInVisma
            | Self::AmountDiffers
            | Self::StateDiffers
            | Self::OnlyInVisma
            | Self::UnreadableInVisma => false,
        }
    }
}

/// One thing by which two books differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub kind: DifferenceKind,
    pub source: String,
    pub connection: String,
    pub company: String,
    /// Our id of it; `None`: it is not known here.
    pub document: Option<String>,
    /// `None`: what Visma has and nobody else knows.
    pub document_kind: Option<DocumentKind>,
    pub number: String,
    pub supplier: Option<String>,
    /// As the side that has it states it; ours where both have it.
    pub amount: Option<Money>,
    /// By how much the other system's sums are off ours, by line.
    pub off: Vec<(LineKey, Sum)>,
    /// What is different, to which document.
    pub text: String,
    /// What to do now.
    pub fix: String,
}

pub(super) fn kind_word(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::PurchaseOrder => "Purchase order",
        DocumentKind::SupplierInvoice => "Invoice",
        DocumentKind::CreditNote => "Credit note",
    }
}

fn over(amount: Option<Money>) -> String {
    amount.map_or_else(String::new, |amount| format!(" over {amount}"))
}

/// `Invoice I00092 of supplier 50012 over 1250.00 NOK`.
fn named(own: &Own) -> String {
    let supplier =
        own.supplier.as_ref().map_or_else(String::new, |number| format!(" of supplier {number}"));
    format!("{} {}{supplier}{}", kind_word(own.kind), own.number, over(own.amount))
}

fn booked_as(row: &Booked) -> String {
    format!("{}{} ({})", row.name(), over(row.amount), row.status)
}

fn all(rows: &[&Booked]) -> String {
    rows.iter().map(|row| booked_as(row)).collect::<Vec<_>>().join(", ")
}

/// The two sentences of each kind: what, and what to do now.
pub(super) type Words = (String, String);

pub(super) fn only_in_jaggaer(row: &Listed) -> Words {
    let vendor =
        row.vendor.as_ref().map_or_else(String::new, |vendor| format!(" of vendor {vendor}"));
    let number = row.number.as_deref().unwrap_or("without a number in the list");
    (
        format!(
            "{} {number}{vendor}{} (JAGGAER's id {}) is in JAGGAER's list and was never received here.",
            kind_word(row.kind),
            over(row.amount),
            row.source_id
        ),
        "Run `ml-connector sync` and reconcile again. If it stays, its change time lies before what polls ask for, so \
         that none brings it: save it once more in JAGGAER."
            .into(),
    )
}

pub(super) fn only_with_us(own: &Own) -> Words {
    let stands = match (&own.visma, own.standing) {
        (Some(name), super::Standing::Posted) => format!(", and is posted as {name},"),
        _ => String::new(),
    };
    (
        format!(
            "{} was received{stands} but JAGGAER's complete list does not show it any more.",
            named(own)
        ),
        "Ask in JAGGAER who deleted it. If it is not owed, take back what stands in Visma by hand."
            .into(),
    )
}

pub(super) fn revision_not_seen(own: &Own, row: &Listed) -> Words {
    let now = row.amount.filter(|amount| Some(*amount) != own.amount);
    let now = now.map_or_else(String::new, |amount| format!(", now over {amount},"));
    let day = row.changed_on.map_or_else(String::new, |day| format!(" on {day}"));
    (
        format!("{} was changed in JAGGAER{day}{now} and that version was never received here.", named(own)),
        "Run `ml-connector sync` and reconcile again. If it stays, its change time lies before what polls ask for: \
         save it once more in JAGGAER."
            .into(),
    )
}

pub(super) fn amount_not_as_listed(own: &Own, row: &Listed) -> Words {
    (
        format!(
            "{} stands in JAGGAER's list{}, unchanged since it was received.",
            named(own),
            over(row.amount)
        ),
        format!(
            "The profile reads the amount otherwise than when it came, or the store was changed by hand: see \
             `ml-connector documents show {}` and `ml-connector audit verify`.",
            own.id
        ),
    )
}

/// What came of it after its body was deleted is noted, and not taken over.
pub(super) fn changed_after_pruning(own: &Own, row: &Listed) -> Words {
    (
        format!("{} stands in JAGGAER's list{}.", named(own), over(row.amount)),
        "It was changed in JAGGAER since, and nothing of that was posted: compare it with Visma, and correct it there by \
         hand if it must be."
            .into(),
    )
}

pub(super) fn missing_in_visma(own: &Own, gone: &[&Booked]) -> Words {
    let was = own.visma.as_deref().unwrap_or("a document without a number");
    let how = if gone.is_empty() {
        "Visma's complete list does not show it: it was deleted there".to_owned()
    } else {
        format!("there is only {}", all(gone))
    };
    (
        format!("{} is posted here as {was} in {}, but {how}.", named(own), own.company),
        format!(
            "Ask who took it out of Visma. If it is owed, it must be booked there again: `ml-connector documents show {}` \
             has everything that was posted.",
            own.id
        ),
    )
}

pub(super) fn doubled_in_visma(own: &Own, rows: &[&Booked]) -> Words {
    (
        format!("{} stands {} times in {}: {}.", named(own), rows.len(), own.company, all(rows)),
        "Release or pay none of them before all but one are deleted or reversed in Visma.".into(),
    )
}

pub(super) fn amount_differs(own: &Own, rows: &[&Booked]) -> Words {
    (
        format!("{} stands in {} as {}.", named(own), own.company, all(rows)),
        "Ask who changed it in Visma. Put it right there, or have JAGGAER's document corrected."
            .into(),
    )
}

pub(super) fn state_differs(own: &Own, rows: &[&Booked]) -> Words {
    (
        format!("{} is {} here, and stands in {} as {}.", named(own), own.standing.as_str(), own.company, all(rows)),
        match own.standing {
            super::Standing::Held => format!(
                "`ml-connector documents show {}` says why it is held. Pay nothing of it before that is decided.",
                own.id
            ),
            super::Standing::Ignored | super::Standing::Posted | super::Standing::InFlight => {
                "If it is not owed, delete or reverse it in Visma; else have JAGGAER's document put right.".to_owned()
            }
        },
    )
}

pub(super) fn only_in_visma(row: &Booked) -> Words {
    (
        format!(
            "{} of supplier {} in {} carries a key of this program that this store does not know.",
            booked_as(row),
            row.supplier,
            row.company
        ),
        "An older copy of the store was put back, or another installation writes into this company: see \
         docs/backup.md. Until that is known, do not pay it."
            .into(),
    )
}

pub(super) fn unreadable_in_visma(own: &Own, row: &Booked, reason: &str) -> Words {
    (
        format!(
            "{} stands in {} as {}, whose row in Visma's list cannot be read: {reason}.",
            named(own),
            own.company,
            row.name()
        ),
        "Open it in Visma and see what it says there; nothing is claimed about its amount.".into(),
    )
}
