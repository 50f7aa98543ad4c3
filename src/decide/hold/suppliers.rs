use super::{Entry, Hold, Role, entry, list};
use crate::mapping::{Candidate, RemitToFault, SupplierFault};

/// What the supplier's holds clear with.
const CLEARED_BY: &str = "a link, or a change of the vendor or the supplier";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("supplier_ambiguous", "Several suppliers in Visma share the identifier", "AP", "Put the supplier number on the vendor, or link it").by_itself(CLEARED_BY),
    entry("supplier_blocked", "The supplier is on hold or inactive in Visma", "Accounting", "Set it to Active when it may be used").by_itself(CLEARED_BY),
    entry("supplier_conflict", "Identifiers of the vendor point to different suppliers, or contradict the supplier's", "AP", "Correct the wrong one, or link the right one").by_itself(CLEARED_BY),
    entry("supplier_hierarchy", "JAGGAER wants another vendor to be paid than the supplier on the invoice", "AP", "Link the vendor to whom is to be paid, or correct who is paid in JAGGAER").by_itself(CLEARED_BY).unless(Role::TwoPeople),
    entry("supplier_link_broken", "The link that a person made leads to no supplier", "AP or integration", "Undo the link, or correct `mapping.suppliers`").by_itself(CLEARED_BY),
    entry("supplier_unknown", "No supplier in Visma has the vendor's numbers", "AP or accounting", "Create the supplier, correct the number, or link it").by_itself(CLEARED_BY),
    entry("vendor_inactive", "The vendor is not active in JAGGAER, and nothing was ordered", "AP", "Find out why it was deactivated; activate it, or let the invoice pass with a reason").by_itself(CLEARED_BY).unless(Role::Ap),
];

impl Hold {
    pub(crate) fn supplier(fault: &SupplierFault) -> Self {
        match fault {
            SupplierFault::Unknown { vendor, link_by, tried, candidates } => {
                Self::supplier_unknown(vendor, link_by.as_deref(), tried, candidates)
            }
            SupplierFault::LinkBroken { vendor, number } => {
                Self::supplier_link_broken(vendor, number)
            }
            SupplierFault::Conflict { vendor, says } => Self::supplier_conflict(vendor, says),
            SupplierFault::Ambiguous { vendor, by, suppliers } => {
                Self::supplier_ambiguous(vendor, by, suppliers)
            }
            SupplierFault::Blocked { number, name, status } => {
                Self::supplier_blocked(number, name, status)
            }
        }
    }

    fn supplier_unknown(
        vendor: &str,
        link_by: Option<&str>,
        tried: &[String],
        candidates: &[Candidate],
    ) -> Self {
        let looked = if tried.is_empty() {
            "JAGGAER gives no number to look by".into()
        } else {
            format!("Looked by {}", list(tried))
        };
        let could_be: Vec<String> = candidates
            .iter()
            .map(|of| format!("{} {}: {}", of.supplier, of.name, of.reasons.join(", ")))
            .collect();
        let could_be = match could_be.as_slice() {
            [] => String::new(),
            some => format!(" It could be {}.", some.join("; or ")),
        };
        let supplier = candidates.first().map_or("SUPPLIER", |best| best.supplier.as_str());
        let link = link_by.map_or_else(String::new, |key| {
            format!(", or link the two: {}", link_command(key, supplier))
        });
        Self::new(
            "supplier_unknown",
            format!("The supplier {vendor} is not found in Visma. {looked}.{could_be}"),
            format!(
                "Ask accounting to create the supplier in Visma with its organisation number, \
                 correct the number in JAGGAER{link}."
            ),
        )
    }

    pub(crate) fn vendor_inactive(id: &str, name: &str) -> Self {
        Self::new(
            "vendor_inactive",
            format!("The vendor {id} ({name}) is not active in JAGGAER, and no order is named."),
            "Ask who deactivated it and why. Activate it in JAGGAER if that was a mistake; if the \
             invoice is owed all the same, let it pass with the reason.",
        )
    }

    pub(crate) fn supplier_hierarchy(fault: &RemitToFault) -> Self {
        let RemitToFault { vendor, remit_to, supplier, supplier_name, other } = fault;
        let other = match other {
            Some(other) => format!("which is supplier {other}"),
            None => "which leads to no one supplier".into(),
        };
        Self::new(
            "supplier_hierarchy",
            format!(
                "JAGGAER says that {remit_to}, {other}, is paid in place of {vendor}, but Visma \
                 would pay supplier {supplier} ({supplier_name})."
            ),
            "Find out who is to be paid. Link the vendor to that supplier (ml-connector mapping \
             link), or correct in JAGGAER who is paid.",
        )
    }

    fn supplier_link_broken(vendor: &str, number: &str) -> Self {
        Self::new(
            "supplier_link_broken",
            format!("The supplier {vendor} is linked to {number}, which is not in Visma."),
            "Undo the link (ml-connector mapping unlink) or link it to another; a link of the \
             configuration stands in [connection.mapping.suppliers].",
        )
    }

    fn supplier_conflict(vendor: &str, says: &[String]) -> Self {
        Self::new(
            "supplier_conflict",
            format!("It is not clear which supplier {vendor} is: {}.", list(says)),
            "Correct the wrong number in JAGGAER or in Visma, or decide by a link (ml-connector \
             mapping link).",
        )
    }

    fn supplier_ambiguous(vendor: &str, by: &str, suppliers: &[String]) -> Self {
        Self::new(
            "supplier_ambiguous",
            format!("By {by}, the supplier {vendor} could be {} in Visma.", list(suppliers)),
            "Put the supplier number of the right one on the vendor in JAGGAER, or link it \
             (ml-connector mapping link).",
        )
    }

    fn supplier_blocked(number: &str, name: &str, status: &str) -> Self {
        let status = if status.is_empty() { "unknown" } else { status };
        Self::new(
            "supplier_blocked",
            format!("The supplier {number} ({name}) has the status {status} in Visma."),
            "Ask accounting whether the supplier may be used and to set it to Active in Visma.",
        )
    }
}

/// The command by which a person says that the vendor is the supplier.
pub fn link_command(vendor: &str, supplier: &str) -> String {
    let (vendor, supplier) = (quoted(vendor), quoted(supplier));
    format!("ml-connector mapping link {vendor} {supplier} --reason \"why\"")
}

/// As it can stand in a command.
fn quoted(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        format!("'{}'", key.replace('\'', "'\\''"))
    }
}
