//! What each code means, who can do something about it, and what. `docs/holds.md` is this table.

/// One code of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub code: &'static str,
    pub means: &'static str,
    /// Who can put it right.
    pub who: &'static str,
    pub fix: &'static str,
}

/// Every code that a hold can have, by code.
pub const fn catalogue() -> &'static [Entry] {
    CATALOGUE
}

const fn entry(
    code: &'static str,
    means: &'static str,
    who: &'static str,
    fix: &'static str,
) -> Entry {
    Entry { code, means, who, fix }
}

#[rustfmt::skip]
const CATALOGUE: &[Entry] = &[
    entry("account_inactive", "The account is closed in Visma", "Accounting", "Reopen the account, or map to another"),
    entry("account_missing", "A line or share has no account", "Requester or AP", "Code it in JAGGAER, or set a default"),
    entry("account_not_allowed", "The account is a cash account, which only payments may move", "AP", "Correct the coding, or map to another"),
    entry("account_not_mapped", "The mapping does not name JAGGAER's account", "Integration", "Add it to `mapping.accounts`"),
    entry("account_unknown", "The account does not exist in Visma", "AP or accounting", "Correct the coding, map it, or create the account"),
    entry("amount_too_large", "Amounts beyond what can be computed exactly", "Integration", "Check how the profile reads the amounts"),
    entry("attachment_failed", "A file could not be carried over", "AP", "Attach it by hand in Visma"),
    entry("attempts_spent", "Visma failed to take it too many times", "Integration", "See the last answer; release when Visma works"),
    entry("branch_inactive", "The branch is not active in Visma", "Accounting", "Choose another in `mapping.branches`"),
    entry("branch_not_mapped", "The mapping does not name the business unit", "Integration", "Add it to `mapping.branches`"),
    entry("branch_unknown", "The mapped branch does not exist in Visma", "Integration", "Correct `mapping.branches`"),
    entry("changed_after_posting", "Changed in JAGGAER when Visma's document can no longer be changed", "AP", "Credit and post again in Visma"),
    entry("changed_in_visma", "Somebody keeps changing the document in Visma at the same time", "AP", "Release when it is at rest"),
    entry("charge_not_mapped", "A header charge or discount has no account configured", "Integration", "Add it to `charges`"),
    entry("currency_mixed", "Amounts in more than one currency on one document", "AP or integration", "Correct the document or the profile"),
    entry("currency_unknown", "Visma does not list the currency", "Accounting", "Set up the currency"),
    entry("distribution_unbalanced", "The shares of a line do not add up to the line", "AP", "Correct the shares in JAGGAER"),
    entry("distribution_unclear", "The shares mix amounts with percentages, or say neither", "AP", "State all by amount or all by percentage"),
    entry("doubled_in_visma", "The document stands in Visma more than once", "Accounting", "Void all but one"),
    entry("due_before_invoice", "The due date is before the invoice date", "AP", "Correct the dates in JAGGAER"),
    entry("duplicate", "Another JAGGAER document has the same supplier, number and year; or the same order number", "AP", "Cancel one of them, or correct its number"),
    entry("duplicate_in_visma", "Visma has the invoice number already, with another amount or more than once", "AP", "Compare the two and correct the wrong one"),
    entry("gross_differs", "VAT as Visma computes it gives another gross than the invoice says", "AP", "Compare the VAT codes with the paper"),
    entry("gross_negative", "The gross is below zero for its type", "AP or integration", "Correct the type, or the profile's sign rule"),
    entry("line_repeated", "Two lines have the same id", "Integration", "Correct the line id's place in the profile"),
    entry("lines_unbalanced", "Lines and charges do not add up to the net", "AP", "Correct lines or net in JAGGAER"),
    entry("no_lines", "The document has no line", "AP or integration", "Enter lines, or correct the profile"),
    entry("not_cancellable", "Cancelled in JAGGAER, but Visma's document cannot be cancelled", "Accounting", "Cancel, void or credit by hand"),
    entry("order_cancelled", "The invoice bills a cancelled order", "Buyer", "Reopen the order, or remove it from the invoice"),
    entry("order_currency_differs", "Order and invoice are in different currencies", "AP", "Correct the currency or the order number"),
    entry("order_in_visma_differs", "An order keyed in by hand has the same number and other contents", "Buyer or accounting", "Make the two agree, or cancel one"),
    entry("order_line_unknown", "The order line that a line bills is not found in Visma", "AP", "Correct the order line on the invoice"),
    entry("order_not_taken", "The order was never carried over and is not in Visma", "Buyer or AP", "Key it in with its number as supplier reference"),
    entry("order_number_missing", "The order has no number", "Integration", "Correct the profile"),
    entry("order_number_too_long", "Visma cannot store the whole order number", "Buyer", "Shorten it, or key the order in by hand"),
    entry("order_supplier_differs", "Order and invoice have different suppliers", "AP", "Correct the supplier or the order number"),
    entry("period_closed", "The financial period is closed in the supplier ledger", "Accounting", "Reopen it, or change the accounting date"),
    entry("period_inactive", "The financial period is not active", "Accounting", "Activate it, or change the accounting date"),
    entry("period_missing", "Visma has no financial period for the date", "Accounting", "Create it, or correct the date"),
    entry("project_not_mapped", "The mapping does not name the project", "Integration", "Add it to `mapping.projects`"),
    entry("refused_by_visma", "Visma refused the document with a message", "AP or accounting", "Correct what the message names"),
    entry("segment_inactive", "The segment value is not active in Visma", "AP or accounting", "Correct the coding, or activate it"),
    entry("segment_missing", "A segment of the subaccount has no value", "AP or integration", "Code it in JAGGAER, or set a default"),
    entry("segment_not_in_visma", "The mapping names a segment that Visma lacks", "Integration", "Correct `mapping.segments`"),
    entry("segment_not_mapped", "The mapping does not name the dimension value", "Integration", "Add it to `mapping.segments`"),
    entry("segment_too_long", "The value is longer than the segment", "Integration", "Map it to a value that fits"),
    entry("segment_unknown", "The segment value does not exist in Visma", "AP or accounting", "Correct the coding, map it, or create it"),
    entry("status_unknown", "JAGGAER's status is not in the profile", "Integration", "Add it to the profile's statuses"),
    entry("supplier_ambiguous", "Several suppliers in Visma share the identifier", "AP", "Put the supplier number on the vendor, or link it"),
    entry("supplier_blocked", "The supplier is on hold or inactive in Visma", "Accounting", "Set it to Active when it may be used"),
    entry("supplier_conflict", "Number, organisation number and VAT number point to different suppliers", "AP", "Correct the wrong one, or link the right one"),
    entry("supplier_link_broken", "The link in the mapping leads to no supplier", "Integration", "Correct `mapping.suppliers`"),
    entry("supplier_reference_missing", "The supplier's invoice number is missing", "AP", "Enter it in JAGGAER"),
    entry("supplier_reference_too_long", "Visma cannot store the whole invoice number", "AP", "Correct it, or key the invoice in by hand"),
    entry("supplier_unknown", "No supplier in Visma has the vendor's numbers", "AP or accounting", "Create the supplier, correct the number, or link it"),
    entry("terms_not_mapped", "The mapping does not name the payment terms", "Integration", "Add them to `mapping.terms`"),
    entry("terms_unknown", "The mapped terms do not exist in Visma", "Integration", "Correct `mapping.terms`"),
    entry("total_unbalanced", "Net and tax do not add up to the gross", "AP", "Correct the totals in JAGGAER"),
    entry("unit_not_mapped", "The mapping does not name the unit", "Integration", "Add it to `mapping.units`"),
    entry("unreadable", "A field cannot be read", "Integration", "Correct the field, or its place in the profile"),
    entry("unsettled", "An answer was lost and the outcome cannot be settled", "AP", "Look in Visma, give it our key if it is there, release"),
    entry("vat_category_inactive", "The VAT category is not active in Visma", "Accounting", "Choose another in `mapping.vat`"),
    entry("vat_category_unknown", "The mapped VAT category does not exist in Visma", "Integration", "Correct `mapping.vat` (categories, not VAT ids)"),
    entry("vat_kind_unsupported", "VAT of a kind that the connector cannot compute", "Accounting", "Use another category, or post by hand"),
    entry("vat_missing", "A line states no tax", "AP", "Set the tax code, or a default"),
    entry("vat_not_mapped", "The mapping does not name the tax code or rate", "Integration", "Add it to `mapping.vat`"),
    entry("vat_rate_missing", "The VAT has no purchase rate on the date", "Accounting", "Enter the rate in Visma"),
    entry("vat_several", "One line with taxes of different categories", "AP", "Split the line"),
    entry("vat_zone_unmatched", "No VAT of the category applies in the supplier's zone", "Accounting", "Correct the supplier's zone or the category"),
];
