//! Holds on the invoice itself: its dates, its tax, its references, and where it asks to be paid.

use super::{Entry, Hold, Role, entry, list};
use crate::procurement::{BankAccount, Money, PastInvoice};
use crate::validation::{CreditFault, PayeeFault, RateFault, ReferenceFault, Scheme, TaxFault};
use jiff::civil::Date;

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    entry("bank_account_changed", "The account to pay on is new, or the vendor's master changed since the last payment", "Two people", "Ring the supplier on a number known from before").unless(Role::TwoPeople),
    entry("bank_account_invalid", "The number to pay on can be no account", "AP", "Compare it with the paper and correct it").unless(Role::TwoPeople),
    entry("credit_not_linked", "A credit note names no invoice that it could credit", "AP", "Enter the number of the invoice that it credits").by_itself("the invoice").unless(Role::Ap),
    entry("credit_too_large", "A credit note takes back more than is left of its invoice", "AP", "Compare it with the invoice and with earlier credit notes").unless(Role::Ap),
    entry("due_differs", "The due date is far from what the document's terms give", "AP", "Correct the due date or the terms in JAGGAER").unless(Role::Ap),
    entry("duplicate_suspected", "Another invoice looks like this one", "AP", "Compare the two; cancel this one if they are the same").unless(Role::Ap),
    entry("exchange_rate_differs", "The exchange rate is impossible, or far from Visma's", "AP", "Compare it with the paper and correct it").unless(Role::Controller),
    entry("exchange_rate_missing", "The company wants a rate on invoices in foreign currency, and there is none", "AP", "Enter the rate in JAGGAER").unless(Role::Controller),
    entry("invoice_in_future", "The invoice is dated after the day it came", "AP", "Correct the date in JAGGAER").unless(Role::Ap),
    entry("invoice_stale", "The invoice is dated long before the day it came", "AP", "Ask whether it is still owed and was not paid before").unless(Role::Ap),
    entry("line_amount_differs", "A line bills more than its quantity times its price", "AP", "Correct the quantity, the price or the amount in JAGGAER").unless(Role::Ap),
    entry("payment_reference_invalid", "The check digits of a KID, OCR, FIK, Finnish or RF reference are wrong", "AP", "Compare it with the paper and correct it").unless(Role::Ap),
    entry("reverse_charge_taxed", "The supplier charges VAT that the buyer owes (reverse charge)", "AP", "Ask the supplier for a correct invoice"),
    entry("rounding_too_large", "More rounding on the header than money is rounded by", "AP", "Find out what the amount is and enter it as such").unless(Role::Controller),
    entry("tax_differs", "A stated tax contradicts its base, its lines or what Visma computes", "AP", "Compare the taxes with the paper and correct them").unless(Role::Controller),
];

const AGAIN: &str = "in JAGGAER; the document comes again by itself.";

impl Hold {
    pub(crate) fn invoice_in_future(invoiced: Date, received: Date, days: i64) -> Self {
        Self::new(
            "invoice_in_future",
            format!("It is dated {invoiced}, {days} days after the day it came ({received})."),
            format!("Compare the date with the supplier's invoice and correct it {AGAIN}"),
        )
    }

    pub(crate) fn invoice_stale(invoiced: Date, received: Date, days: i64) -> Self {
        Self::new(
            "invoice_stale",
            format!("It is dated {invoiced}, {days} days before the day it came ({received})."),
            "Find out why it comes so late, whether it is still owed and whether it was paid before. \
             If the date is wrong, correct it in JAGGAER; if all is right, release it.",
        )
    }

    pub(crate) fn due_differs(
        due: Date,
        terms: &str,
        days: i64,
        expected: Date,
        later: i64,
    ) -> Self {
        let apart = later.abs();
        let which = if later > 0 { "later" } else { "earlier" };
        Self::new(
            "due_differs",
            format!(
                "It is due on {due}, but the terms {terms} ({days} days) give {expected}: {apart} \
                 days {which}."
            ),
            "Compare both with the supplier's invoice and with what was agreed; correct the due date or \
             the terms in JAGGAER. If the date was agreed for this invoice, release it.",
        )
    }

    pub(crate) fn line_amount_differs(at: &str, net: Money, computed: Money) -> Self {
        Self::new(
            "line_amount_differs",
            format!("{at}: it bills {net}, but quantity times price comes to {computed}."),
            format!("Compare the line with the supplier's invoice and correct it {AGAIN}"),
        )
    }

    pub(crate) fn lines_unbalanced_with_tax(sum: Money, gross: Money) -> Self {
        Self::new(
            "lines_unbalanced",
            format!(
                "Lines and charges, tax included, add up to {sum}, but the document says {gross} gross."
            ),
            format!("Correct the lines or the gross amount {AGAIN}"),
        )
    }

    pub(crate) fn rounding_too_large(rounding: Money, limit: Money) -> Self {
        Self::new(
            "rounding_too_large",
            format!(
                "The header has rounding of {rounding}; up to {limit} is rounding in this currency."
            ),
            "Find out what the amount really is, and enter it in JAGGAER as that (a discount, a fee); \
             the document comes again by itself.",
        )
    }

    pub(crate) fn tax_differs(fault: &TaxFault) -> Self {
        Self::new(
            "tax_differs",
            tax_text(fault),
            format!("Compare the taxes with the supplier's invoice and correct them {AGAIN}"),
        )
    }

    pub(crate) fn reverse_charge_taxed(
        supplier: &str,
        charged: Money,
        computed: Money,
        gross: Money,
    ) -> Self {
        Self::new(
            "reverse_charge_taxed",
            format!(
                "Supplier {supplier} charges {charged} of VAT that the buyer owes (reverse charge): \
                 {computed} is to be paid, but the invoice says {gross}."
            ),
            "Do not pay this VAT. Ask the supplier for a correct invoice; or, if the supplier is \
             registered at home, have accounting correct its VAT zone in Visma; then release.",
        )
    }

    pub(crate) fn exchange_rate(fault: &RateFault, currency: &str) -> Self {
        match fault {
            RateFault::Missing { base } => Self::exchange_rate_missing(currency, base),
            RateFault::Impossible { stated } => Self::exchange_rate_differs(format!(
                "The invoice states {stated} as its exchange rate, which no {currency} can have."
            )),
            RateFault::Differs { stated, known, from } => Self::exchange_rate_differs(format!(
                "The invoice states {stated} as its exchange rate; Visma has {known} for {currency} \
                 since {from}."
            )),
        }
    }

    fn exchange_rate_missing(currency: &str, base: &str) -> Self {
        Self::new(
            "exchange_rate_missing",
            format!("The invoice is in {currency} and states no exchange rate to {base}."),
            format!("Enter the rate from the supplier's invoice {AGAIN}"),
        )
    }

    fn exchange_rate_differs(text: String) -> Self {
        Self::new(
            "exchange_rate_differs",
            text,
            format!("Compare the rate with the supplier's invoice and correct it {AGAIN}"),
        )
    }

    pub(crate) fn payment_reference_invalid(
        raw: &str,
        scheme: Scheme,
        fault: ReferenceFault,
    ) -> Self {
        Self::new(
            "payment_reference_invalid",
            reference_text(raw, scheme, fault),
            format!(
                "Compare it with the supplier's invoice, digit by digit, and correct it {AGAIN} If it \
                 stands so on the paper, ask the supplier, or release it."
            ),
        )
    }

    /// Shows account numbers whole: the clerk must compare them.
    pub(crate) fn payee(fault: &PayeeFault<'_>, supplier: &str) -> Option<Self> {
        match fault {
            PayeeFault::Invalid { account, why } => Some(Self::bank_account_invalid(format!(
                "The invoice asks to be paid on {account}, which can be no account: {why}."
            ))),
            PayeeFault::Unknown { account, known } => Some(Self::bank_account_changed(format!(
                "The invoice asks to be paid on {account}. Neither JAGGAER nor Visma has that account \
                 for supplier {supplier}, and nothing was paid there before. Known: {}.",
                list(&shown(known))
            ))),
            PayeeFault::MasterChanged { paid, now } => Some(Self::bank_account_changed(format!(
                "Supplier {supplier} was last paid on {paid}, which neither JAGGAER nor Visma has any \
                 more. Now: {}.",
                list(&shown(now))
            ))),
            PayeeFault::NothingKnown { .. } => None,
        }
    }

    fn bank_account_invalid(text: String) -> Self {
        Self::new(
            "bank_account_invalid",
            text,
            format!("Compare the number with the supplier's invoice and correct it {AGAIN}"),
        )
    }

    fn bank_account_changed(text: String) -> Self {
        Self::new(
            "bank_account_changed",
            text,
            "Ring the supplier on a number that you have from before, never on one that stands on this \
             invoice or came with the change. If the account is right, two people let it pass; if not, \
             pay nothing and report it.",
        )
    }

    pub(crate) fn duplicate_suspected(others: &[String]) -> Self {
        Self::new(
            "duplicate_suspected",
            format!("It may have come before: {}.", others.join("; ")),
            "Compare it with the other. If they are the same invoice, cancel this one in JAGGAER; if \
             they are two, release it.",
        )
    }

    /// `None` for what is only worth a remark.
    pub(crate) fn credit_note(fault: &CreditFault<'_>) -> Option<Self> {
        match fault {
            CreditFault::NamesNone
            | CreditFault::Unknown { .. }
            | CreditFault::Contradicts { .. } => Some(Self::credit_not_linked(credit_text(fault))),
            CreditFault::TooLarge { .. } => Some(Self::credit_too_large(credit_text(fault))),
            CreditFault::BeyondBalance { .. } => None,
        }
    }

    fn credit_not_linked(text: String) -> Self {
        Self::new(
            "credit_not_linked",
            text,
            format!("Enter the supplier's number of the invoice that it credits {AGAIN}"),
        )
    }

    fn credit_too_large(text: String) -> Self {
        Self::new(
            "credit_too_large",
            text,
            "Compare it with the invoice and with the earlier credit notes. If it came before, cancel \
             this one in JAGGAER; if the supplier grants more than it billed, release it.",
        )
    }
}

/// The fault as a sentence, for a hold or a remark.
pub(crate) fn tax_text(fault: &TaxFault) -> String {
    match fault {
        TaxFault::Amount { at, tax, base, stated, computed } => {
            let at = at.as_ref().map_or("The header".to_owned(), |number| super::at_line(number));
            format!("{at}: {tax} on {base} is {computed}, but the invoice says {stated}.")
        }
        TaxFault::Base { tax, stated, lines } => {
            format!("The header states {tax} on {stated}, but what is taxed so adds up to {lines}.")
        }
        TaxFault::Computed { tax, stated, computed } => format!(
            "The header states {stated} of {tax}, but Visma computes {computed} on what is taxed so."
        ),
        TaxFault::Total { sum, stated } => {
            format!(
                "The taxes of the header add up to {sum}, but the document says {stated} of tax."
            )
        }
    }
}

pub(crate) fn reference_text(raw: &str, scheme: Scheme, fault: ReferenceFault) -> String {
    let why = match fault {
        ReferenceFault::CheckDigit => "its check digits do not fit",
        ReferenceFault::Length => "it has not the right number of digits",
    };
    format!("The payment reference {} is not {scheme}: {why}.", raw.trim())
}

pub(crate) fn credit_text(fault: &CreditFault<'_>) -> String {
    match fault {
        CreditFault::NamesNone => "The credit note does not say which invoice it credits.".into(),
        CreditFault::Unknown { reference } => format!(
            "The credit note credits invoice {reference}, which is not known of this supplier."
        ),
        CreditFault::Contradicts { reference, other } => format!(
            "The credit note credits invoice {reference}, which is another supplier's or in another \
             currency: {} of supplier {} over {}.",
            other.document, other.supplier, other.gross
        ),
        CreditFault::TooLarge { gross, of, credited, left } => {
            let earlier = match credited.is_zero() {
                true => String::new(),
                false => format!("; other credit notes took back {credited}"),
            };
            format!(
                "The credit note over {gross} takes back more than the {left} that {} ({}) has left: \
                 it was over {}{earlier}.",
                of.document,
                of.reference.as_deref().unwrap_or("without a number"),
                of.gross
            )
        }
        CreditFault::BeyondBalance { of, balance } => format!(
            "Of {} only {balance} is left to pay; the rest of the credit note stands to our credit.",
            of.document
        ),
    }
}

/// The other document, for a person to find and compare.
pub(crate) fn past_text(past: &PastInvoice) -> String {
    let number = past.reference.as_deref().unwrap_or("without a number");
    let on = past.invoiced_on.map_or(String::new(), |on| format!(" of {on}"));
    format!("{number}{on} over {} from supplier {} ({})", past.gross, past.supplier, past.document)
}

fn shown(accounts: &[&BankAccount]) -> Vec<String> {
    accounts.iter().map(ToString::to_string).collect()
}
