//! Every kind of fault and every oddity by name, with the codes that tell of it.
//!
//! More than one code stands where one fault may rightly be called by either name; the comment
//! at such a case says why.

use super::maker::Maker;
use super::{account, bank, coding, duplicate, matching, money, reference, unusual};

pub(super) struct Case {
    pub name: &'static str,
    /// Any of these tells of it. Empty: the papers must pass.
    pub codes: &'static [&'static str],
    pub make: fn(&mut Maker),
}

impl Case {
    /// Whether something is planted that must not pass (or not yet).
    pub fn is_fault(&self) -> bool {
        !self.codes.is_empty() || self.name.starts_with("waits_")
    }
}

const fn fault(name: &'static str, codes: &'static [&'static str], make: fn(&mut Maker)) -> Case {
    Case { name, codes, make }
}

/// Waits for what comes late, and then passes.
const fn waiting(name: &'static str, make: fn(&mut Maker)) -> Case {
    Case { name, codes: &[], make }
}

const fn odd(name: &'static str, make: fn(&mut Maker)) -> Case {
    Case { name, codes: &[], make }
}

pub(super) const PLAIN: Case = odd("plain", unusual::plain);

pub(super) const CASES: &[Case] = &[
    // Against order, receipt and contract.
    fault("price_over", &["price_over"], matching::price_over),
    fault("price_over_by_one", &["price_over"], matching::price_over_by_one),
    fault("quantity_over", &["quantity_over"], matching::quantity_over),
    fault("quantity_over_by_one", &["quantity_over"], matching::quantity_over_by_one),
    fault("line_over", &["line_over"], matching::line_over),
    fault("line_over_by_one", &["line_over"], matching::line_over_by_one),
    fault("header_over", &["header_over"], matching::header_over),
    fault("header_over_by_one", &["header_over"], matching::header_over_by_one),
    fault("billed_twice", &["quantity_over"], matching::billed_twice),
    fault("billed_by_hand_before", &["quantity_over"], matching::billed_by_hand),
    waiting("waits_for_receipt", matching::receipt_missing),
    waiting("waits_for_rest_of_receipt", matching::receipt_in_part),
    waiting("waits_after_cancelled_receipt", matching::receipt_cancelled),
    fault("unit_not_convertible", &["unit_not_convertible"], matching::unit_not_convertible),
    fault("contract_not_valid", &["contract_not_valid"], matching::contract_not_valid),
    fault("contract_exceeded", &["ceiling_exceeded"], matching::contract_exceeded),
    fault("blanket_exceeded", &["ceiling_exceeded"], matching::blanket_exceeded),
    fault("blanket_exceeded_by_one", &["ceiling_exceeded"], matching::blanket_exceeded_by_one),
    fault("blanket_exceeded_by_two", &["ceiling_exceeded"], matching::blanket_exceeded_by_two),
    fault("order_required", &["order_required"], matching::order_required),
    fault("order_of_other_supplier", &["order_supplier_differs"], matching::other_supplier),
    fault("order_in_other_currency", &["order_currency_differs"], matching::other_currency),
    fault("order_cancelled", &["order_cancelled"], matching::order_cancelled),
    fault("order_before_go_live", &["order_not_taken"], matching::order_not_taken),
    // The line is named and does not exist; whoever looks for the best fit calls it unclear.
    fault(
        "order_line_unknown",
        &["order_line_unknown", "order_line_unclear"],
        matching::order_line_unknown,
    ),
    fault("order_line_unclear", &["order_line_unclear"], matching::order_line_unclear),
    fault("freight_over", &["charge_over"], matching::freight_over),
    fault("freight_over_by_one", &["charge_over"], matching::freight_over_by_one),
    // Without lines there is nothing to match: both names say that.
    fault("no_lines", &["header_only", "no_lines"], matching::no_lines),
    // The same paper again.
    fault("duplicate", &["duplicate", "duplicate_in_visma"], duplicate::exact),
    fault("duplicate_of_keyed", &["duplicate_in_visma"], duplicate::keyed_with_other_amount),
    // The same number but for separators is the same number where numbers are normalised.
    fault(
        "duplicate_other_separators",
        &["duplicate", "duplicate_in_visma", "duplicate_suspected"],
        duplicate::separators,
    ),
    fault("duplicate_typo", &["duplicate_suspected"], duplicate::typo),
    fault("duplicate_typo_of_keyed", &["duplicate_suspected"], duplicate::typo_of_keyed),
    fault("duplicate_letter_o", &["duplicate_suspected"], duplicate::letter_o),
    fault("duplicate_other_number", &["duplicate_suspected"], duplicate::other_number),
    fault(
        "duplicate_other_number_of_keyed",
        &["duplicate_suspected"],
        duplicate::other_number_of_keyed,
    ),
    fault("duplicate_other_record", &["duplicate_suspected"], duplicate::other_record),
    // Where to pay.
    fault("bank_account_changed", &["bank_account_changed"], bank::changed),
    fault("bank_account_invalid", &["bank_account_invalid"], bank::invalid),
    fault("kid_invalid", &["payment_reference_invalid"], reference::kid_invalid),
    fault("ocr_invalid", &["payment_reference_invalid"], reference::ocr_invalid),
    fault("finnish_reference_invalid", &["payment_reference_invalid"], reference::finnish_invalid),
    fault("rf_reference_invalid", &["payment_reference_invalid"], reference::rf_invalid),
    // Credit notes.
    fault("credit_too_large", &["credit_too_large"], money::credit_too_large),
    fault("credited_twice", &["credit_too_large"], money::credited_twice),
    fault("credit_names_nothing", &["credit_not_linked"], money::credit_names_nothing),
    fault("credit_names_unknown", &["credit_not_linked"], money::credit_names_unknown),
    // Totals, tax, dates. A tax that is wrong on the paper is wrong by itself, and against what
    // the ERP computes.
    fault("tax_amount_wrong", &["tax_differs", "gross_differs"], money::tax_amount_wrong),
    fault("tax_rate_wrong", &["tax_differs", "gross_differs"], money::tax_rate_wrong),
    fault("tax_shifted_between_rates", &["tax_differs"], money::tax_shifted),
    fault("reverse_charge_taxed", &["reverse_charge_taxed"], money::reverse_charge_taxed),
    fault("total_unbalanced", &["total_unbalanced"], money::total_unbalanced),
    fault("total_unbalanced_by_one", &["total_unbalanced"], money::total_unbalanced_by_one),
    fault("lines_unbalanced", &["lines_unbalanced"], money::lines_unbalanced),
    fault("rounding_too_large", &["rounding_too_large"], money::rounding_too_large),
    fault("rounding_over_by_one", &["rounding_too_large"], money::rounding_over_by_one),
    fault("exchange_rate_differs", &["exchange_rate_differs"], money::exchange_rate_differs),
    fault("dated_in_future", &["invoice_in_future"], money::dated_in_future),
    fault("period_closed", &["period_closed"], coding::period_closed),
    fault("due_before_invoice", &["due_before_invoice"], money::due_before_invoice),
    fault("due_years_later", &["due_differs"], money::due_years_later),
    // Who and what.
    fault("reference_missing", &["supplier_reference_missing"], coding::reference_missing),
    fault("reference_too_long", &["supplier_reference_too_long"], coding::reference_too_long),
    fault("supplier_unknown", &["supplier_unknown"], coding::supplier_unknown),
    fault("supplier_blocked", &["supplier_blocked"], coding::supplier_blocked),
    fault("supplier_conflict", &["supplier_conflict"], account::conflict),
    fault("vendor_inactive", &["vendor_inactive"], account::inactive),
    fault("account_unknown", &["account_unknown"], coding::account_unknown),
    fault("account_inactive", &["account_inactive"], coding::account_inactive),
    fault("segment_unknown", &["segment_unknown"], coding::segment_unknown),
    fault("segment_inactive", &["segment_inactive"], coding::segment_inactive),
    fault("vat_not_mapped", &["vat_not_mapped"], coding::vat_not_mapped),
    fault("terms_not_mapped", &["terms_not_mapped"], coding::terms_not_mapped),
    fault("unit_not_mapped", &["unit_not_mapped"], coding::unit_not_mapped),
    fault("shares_unbalanced", &["distribution_unbalanced"], coding::distribution_unbalanced),
    fault("charge_not_mapped", &["charge_not_mapped"], coding::charge_not_mapped),
    fault("currency_unknown", &["currency_unknown"], coding::currency_unknown),
    fault("unreadable", &["unreadable"], coding::unreadable),
    fault("status_unknown", &["status_unknown"], coding::status_unknown),
    fault("branch_not_mapped", &["branch_not_mapped"], coding::branch_not_mapped),
    // Unusual and right.
    odd("no_order", unusual::no_order),
    odd("partial_delivery", unusual::partial_delivery),
    odd("billed_in_parts", unusual::billed_in_parts),
    odd("price_at_limit", unusual::price_at_limit),
    odd("quantity_at_limit", unusual::quantity_at_limit),
    odd("line_at_limit", unusual::line_at_limit),
    odd("header_at_limit", unusual::header_at_limit),
    odd("freight_at_limit", unusual::freight_at_limit),
    odd("price_lower", unusual::price_lower),
    odd("price_per_hundred", unusual::price_per_hundred),
    odd("dozens_for_pieces", unusual::dozens),
    odd("grams_for_kilograms", unusual::grams),
    odd("several_orders", unusual::several_orders),
    odd("receipt_in_visma", unusual::receipt_in_visma),
    odd("returned_and_sent_again", unusual::returned),
    odd("service_without_receipt", unusual::service),
    odd("blanket_within_ceiling", unusual::blanket),
    odd("contract_in_force", unusual::contract),
    odd("line_rounded_by_one", unusual::line_rounded),
    odd("rounded_to_whole_crowns", unusual::rounded_total),
    odd("header_discount", unusual::header_discount),
    odd("discount_line", unusual::discount_line),
    odd("reverse_charge_untaxed", unusual::reverse_charge),
    odd("zero_rated", unusual::zero_rated),
    odd("mixed_rates", unusual::mixed_rates),
    odd("icelandic_crowns", unusual::icelandic),
    odd("hundred_shares", unusual::hundred_shares),
    odd("exchange_rate_stated", unusual::exchange_rate),
    odd("same_reference_to_pay_by", unusual::same_payment_reference),
    odd("mod_11_kid", unusual::mod_11_kid),
    odd("rf_reference", unusual::rf_reference),
    odd("number_of_another_year", unusual::number_of_another_year),
    odd("same_amount_each_month", unusual::same_amount_each_month),
    odd("same_amount_other_supplier", unusual::same_amount_other_supplier),
    odd("credit_linked", unusual::credit_linked),
    odd("credit_in_part", unusual::credit_in_part),
    odd("account_in_other_form", bank::in_other_form),
    odd("second_account", bank::second_account),
    odd("keyed_by_hand", unusual::keyed_by_hand),
];

/// Names of everything that must not pass, or not yet.
pub fn kinds_of_faults() -> impl Iterator<Item = &'static str> {
    CASES.iter().filter(|case| case.is_fault()).map(|case| case.name)
}

/// Names of everything that looks unusual and must pass.
pub fn kinds_of_oddities() -> impl Iterator<Item = &'static str> {
    CASES.iter().filter(|case| !case.is_fault()).map(|case| case.name)
}
