use super::{Entry, Hold, Role, entry};

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("due_before_invoice", "The due date is before the invoice date", "AP", "Correct the dates in JAGGAER").unless(Role::Ap),
    entry("duplicate", "Another JAGGAER document has the same supplier, number and year; or the same order number", "AP", "Cancel one of them, or correct its number"),
    entry("duplicate_in_visma", "Visma has the invoice number already, with another amount or more than once", "AP", "Compare the two and correct the wrong one"),
    entry("line_repeated", "Two lines have the same id", "Integration", "Correct the line id's place in the profile").by_itself("the profile"),
    entry("no_lines", "The document has no line", "AP or integration", "Enter lines, or correct the profile").by_itself("the profile"),
    entry("order_number_missing", "The order has no number", "Integration", "Correct the profile").by_itself("the profile"),
    entry("order_number_too_long", "Visma cannot store the whole order number", "Buyer", "Shorten it, or key the order in by hand"),
    entry("period_closed", "The financial period is closed in the supplier ledger", "Accounting", "Reopen it, or change the accounting date").by_itself("a reopened period"),
    entry("period_inactive", "The financial period is not active", "Accounting", "Activate it, or change the accounting date").by_itself("an activated period"),
    entry("period_missing", "Visma has no financial period for the date", "Accounting", "Create it, or correct the date").by_itself("the period"),
    entry("status_unknown", "JAGGAER's status is not in the profile", "Integration", "Add it to the profile's statuses").by_itself("the profile"),
    entry("supplier_reference_missing", "The supplier's invoice number is missing", "AP", "Enter it in JAGGAER"),
    entry("supplier_reference_too_long", "Visma cannot store the whole invoice number", "AP", "Correct it, or key the invoice in by hand"),
];

impl Hold {
    pub(crate) fn status_unknown(status: &str) -> Self {
        Self::new(
            "status_unknown",
            format!("JAGGAER's status \"{status}\" is not one that the profile names."),
            "Say in the profile whether this status may be posted, is not ready or is cancelled; \
             then release.",
        )
    }

    pub(crate) fn order_number_missing() -> Self {
        Self::new(
            "order_number_missing",
            "The order has no number.",
            "Correct the order in JAGGAER, or the number's place in the profile; then release.",
        )
    }

    pub(crate) fn order_number_too_long(number: &str, limit: usize) -> Self {
        let length = number.chars().count();
        Self::new(
            "order_number_too_long",
            format!("The order number {number} has {length} characters; Visma stores {limit}."),
            "Give the order a shorter number in JAGGAER, or key it in by hand in Visma; then release.",
        )
    }

    pub(crate) fn supplier_reference_missing(given: Option<&str>) -> Self {
        let text = match given {
            Some(given) => {
                format!("The supplier's invoice number \"{given}\" has neither letter nor digit.")
            }
            None => "The supplier's invoice number is missing.".into(),
        };
        Self::new(
            "supplier_reference_missing",
            text,
            "Enter the number from the supplier's document in JAGGAER; the document comes again by itself.",
        )
    }

    pub(crate) fn supplier_reference_too_long(reference: &str, limit: usize) -> Self {
        let length = reference.chars().count();
        Self::new(
            "supplier_reference_too_long",
            format!(
                "The supplier's invoice number {reference} has {length} characters; Visma stores \
                 {limit}, and a shortened number would no longer be the supplier's."
            ),
            "Correct the number in JAGGAER, or key the invoice in by hand in Visma.",
        )
    }

    pub(crate) fn due_before_invoice(due: &str, invoiced: &str) -> Self {
        Self::new(
            "due_before_invoice",
            format!("The invoice of {invoiced} is due before that, on {due}."),
            "Correct the due date or the invoice date in JAGGAER; the document comes again by itself.",
        )
    }

    pub(crate) fn no_lines() -> Self {
        Self::new(
            "no_lines",
            "The document has no line.",
            "Enter the lines in JAGGAER, or check the place of the lines in the profile; then release.",
        )
    }

    pub(crate) fn line_repeated(key: &str) -> Self {
        Self::new(
            "line_repeated",
            format!("Two lines have the same id {key}, so they cannot be told apart."),
            "Check the place of the line's id in the profile; then release.",
        )
    }

    pub(crate) fn period_missing(on: &str) -> Self {
        Self::new(
            "period_missing",
            format!("Visma has no financial period for {on}."),
            "Ask accounting to create the period in Visma, or correct the date in JAGGAER; then release.",
        )
    }

    pub(crate) fn period_closed(period: &str, on: &str) -> Self {
        Self::new(
            "period_closed",
            format!(
                "Financial period {period}, where {on} belongs, is closed in Visma's supplier ledger."
            ),
            "Ask accounting to reopen the period, or correct the accounting date in JAGGAER; then release.",
        )
    }

    pub(crate) fn period_inactive(period: &str, on: &str) -> Self {
        Self::new(
            "period_inactive",
            format!("Financial period {period}, where {on} belongs, is not active in Visma."),
            "Ask accounting to activate the period, or correct the accounting date in JAGGAER; then release.",
        )
    }

    pub(crate) fn duplicate_in_visma(reference: &str, supplier: &str, known: &str) -> Self {
        Self::new(
            "duplicate_in_visma",
            format!(
                "Invoice number {reference} of supplier {supplier} is in Visma already: {known}."
            ),
            "Compare the two. If it is the same invoice, correct the one that is wrong; if not, \
             correct the invoice number in JAGGAER; then release.",
        )
    }

    /// Another order document of the source has the same number.
    pub fn duplicate_order(number: &str, other: &str) -> Self {
        Self::new(
            "duplicate",
            format!(
                "Order number {number} has come before, as another document in JAGGAER ({other})."
            ),
            "Cancel the one that is not wanted in JAGGAER; then release.",
        )
    }

    /// Another document of ours has the same supplier, kind, reference and year.
    pub fn duplicate(reference: &str, supplier: &str, other: &str) -> Self {
        Self::new(
            "duplicate",
            format!("Invoice number {reference} of supplier {supplier} has come before: {other}."),
            "If it is the same invoice, cancel this one in JAGGAER; if not, correct its invoice \
             number there; then release.",
        )
    }
}
