use super::{Entry, Hold, entry, list};
use crate::mapping::SupplierFault;

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("supplier_ambiguous", "Several suppliers in Visma share the identifier", "AP", "Put the supplier number on the vendor, or link it").by_itself("the supplier, the vendor or the link"),
    entry("supplier_blocked", "The supplier is on hold or inactive in Visma", "Accounting", "Set it to Active when it may be used").by_itself("the supplier"),
    entry("supplier_conflict", "Number, organisation number and VAT number point to different suppliers", "AP", "Correct the wrong one, or link the right one").by_itself("the supplier, the vendor or the link"),
    entry("supplier_link_broken", "The link in the mapping leads to no supplier", "Integration", "Correct `mapping.suppliers`").by_itself("the supplier or the link"),
    entry("supplier_unknown", "No supplier in Visma has the vendor's numbers", "AP or accounting", "Create the supplier, correct the number, or link it").by_itself("the supplier, the vendor or the link"),
];

impl Hold {
    pub(crate) fn supplier(fault: &SupplierFault) -> Self {
        match fault {
            SupplierFault::Unknown { vendor, tried } => Self::supplier_unknown(vendor, tried),
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

    fn supplier_unknown(vendor: &str, tried: &[String]) -> Self {
        let looked = if tried.is_empty() {
            "JAGGAER gives no supplier number, organisation number or VAT number to look by".into()
        } else {
            format!("Looked by {}", list(tried))
        };
        Self::new(
            "supplier_unknown",
            format!("The supplier {vendor} is not found in Visma. {looked}."),
            "Ask accounting to create the supplier in Visma with its organisation number, correct \
             the number in JAGGAER, or link the two in [connection.mapping.suppliers]; then release.",
        )
    }

    fn supplier_link_broken(vendor: &str, number: &str) -> Self {
        Self::new(
            "supplier_link_broken",
            format!("The supplier {vendor} is linked to {number}, which is not in Visma."),
            "Correct the link in [connection.mapping.suppliers]; then release.",
        )
    }

    fn supplier_conflict(vendor: &str, says: &[String]) -> Self {
        Self::new(
            "supplier_conflict",
            format!("It is not clear which supplier {vendor} is: {}.", list(says)),
            "Correct the wrong number in JAGGAER or in Visma, or decide by a link in \
             [connection.mapping.suppliers]; then release.",
        )
    }

    fn supplier_ambiguous(vendor: &str, by: &str, suppliers: &[String]) -> Self {
        Self::new(
            "supplier_ambiguous",
            format!("By {by}, the supplier {vendor} could be {} in Visma.", list(suppliers)),
            "Put the supplier number of the right one on the vendor in JAGGAER, or link it in \
             [connection.mapping.suppliers]; then release.",
        )
    }

    fn supplier_blocked(number: &str, name: &str, status: &str) -> Self {
        let status = if status.is_empty() { "unknown" } else { status };
        Self::new(
            "supplier_blocked",
            format!("The supplier {number} ({name}) has the status {status} in Visma."),
            "Ask accounting whether the supplier may be used and to set it to Active in Visma; \
             then release.",
        )
    }
}
